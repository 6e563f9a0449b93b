//! The emulator: any bytes on a connection, and any well-signed request, which it must take and
//! give back as it was.
//!
//! Pieces: `r` and bytes; `a`, name, flow and text of a start at Alibaba Cloud, and how much more
//! of it is percent-encoded than needs be; `h`, workflow and text of one at Huawei Cloud.

#![no_main]

use std::{cell::RefCell, time::Duration};

use cloud_workflows::{emulator::Emulator, fuzzing::serve};
use cloud_workflows_fuzz::{block_on, naive, pieces, texts};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

thread_local! {
    /// The emulator, and how many inputs it has seen: it remembers executions and nonces.
    static EMULATOR: RefCell<Option<(Emulator, u64)>> = const { RefCell::new(None) };
}

const INPUTS_PER_EMULATOR: u64 = 2_000;

fn emulator() -> (Emulator, u64) {
    EMULATOR.with_borrow_mut(|kept| {
        if kept
            .as_ref()
            .is_some_and(|(_, seen)| *seen >= INPUTS_PER_EMULATOR)
        {
            *kept = None;
        }
        let (emulator, seen) = kept.get_or_insert_with(|| {
            let emulator = Emulator::builder()
                .access_key("id", "secret")
                .huawei_key("ak", "sk")
                // Bytes that sign wrongly with the other one lock it.
                .huawei_key("well-used", "sk")
                // Requests are signed once and played for ever.
                .clock_window(Duration::from_secs(400 * 365 * 86_400))
                .start()
                .expect("an emulator");
            emulator.record(false);
            (emulator, 0)
        });
        *seen += 1;
        (emulator.clone(), *seen)
    })
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut cut = pieces(data);
    if let (Some(b"r"), Some(_)) = (cut.next(), cut.next()) {
        let (emulator, _) = emulator();
        emulator.express("f", |input: Value| Ok(input));
        let answer = exchange(&emulator, &data[2..]);
        check_heads(&answer);
        return;
    }
    let Some(texts) = texts(data) else { return };
    match texts[..] {
        ["a", name, flow, text, more] => alibaba(name, flow, text, more),
        ["h", workflow, text] => huawei(workflow, text),
        _ => {}
    }
});

/// Sends bytes, and gives all that comes back until the emulator closes the connection.
fn exchange(emulator: &Emulator, bytes: &[u8]) -> Vec<u8> {
    let (near, far) = duplex(64 * 1024);
    block_on(async {
        let (mut reader, mut writer) = tokio::io::split(near);
        let talk = async {
            let write = async {
                // Cut off, where the emulator has heard enough.
                let _ = writer.write_all(bytes).await;
                // Later than anything that answers: who hangs up is not answered any more.
                tokio::time::sleep(Duration::from_secs(600)).await;
                let _ = writer.shutdown().await;
            };
            let read = async {
                let mut answer = Vec::new();
                let _ = reader.read_to_end(&mut answer).await;
                answer
            };
            let ((), answer, ()) = tokio::join!(write, read, serve(emulator, far));
            answer
        };
        let limit = Duration::from_secs(3_600);
        tokio::time::timeout(limit, talk).await.expect("no hang")
    })
}

/// What comes back begins like HTTP, if it is anything.
fn check_heads(answer: &[u8]) {
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 ") || answer.starts_with(b"HTTP/1.0 "),
        "{}",
        String::from_utf8_lossy(answer)
    );
}

/// Status and JSON body of an answer.
fn read(answer: &[u8]) -> (u16, Value) {
    let text = std::str::from_utf8(answer).expect("a text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    (
        status.expect("a status"),
        serde_json::from_str(body).expect("JSON"),
    )
}

fn alibaba(name: &str, flow: &str, text: &str, more: &str) {
    let (emulator, seen) = emulator();
    emulator.standard(flow, |input: Value| Ok(input));
    let input = json!({ text: [text] }).to_string();
    // Each name is started once.
    let name = format!("{name}{seen}");
    let nonce = seen.to_string();
    let mut parameters: Vec<(Vec<u8>, Vec<u8>)> = [
        ("AccessKeyId", "id"),
        ("Action", "StartExecution"),
        ("ExecutionName", &name),
        ("FlowName", flow),
        ("Format", "JSON"),
        ("Input", &input),
        ("Qualifier", text),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", &nonce),
        ("SignatureVersion", "1.0"),
        ("Timestamp", "2026-11-22T12:00:00Z"),
        ("Version", "2019-03-15"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    let signature = naive::signature_v1("secret", "POST", &parameters);
    parameters.push((b"Signature".to_vec(), signature.into()));
    // Any character may be percent-encoded, and the name of any parameter too.
    let encode = |text: &[u8]| -> String {
        let all = |text: &[u8]| text.iter().map(|byte| format!("%{byte:02x}")).collect();
        match more.len() % 3 {
            0 => naive::encode(text),
            1 => all(text),
            _ => naive::encode(text).replace("%20", "+"),
        }
    };
    let form: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let form = form.join("&");
    let request = format!(
        "POST / HTTP/1.1\r\nhost: e\r\nconnection: close\r\ncontent-length: {}\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n{form}",
        form.len()
    );
    let (status, body) = read(&exchange(&emulator, request.as_bytes()));
    let is_right = naive::is_name(flow) && naive::is_name(&name) && input.len() <= 64 * 1024;
    if !is_right {
        assert_eq!(status, 400, "{body}");
        // Looked at in this order: the names, then the size.
        assert!(
            body["Code"] == "InvalidArgument"
                || body["Code"] == "EntityTooLarge"
                || body["Code"] == "MissingRequiredParams",
            "{body}"
        );
        return;
    }
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        body["Input"],
        input.as_str(),
        "the input comes back as it went"
    );
    assert_eq!(body["Name"], name.as_str());
    assert_eq!(body["FlowName"], flow);
}

fn huawei(workflow: &str, text: &str) {
    let (emulator, _) = emulator();
    emulator.workflow(workflow, |input: Value| Ok(input));
    let input = json!({ text: [text] });
    let body = json!({"input": input, "headers": {text: text}}).to_string();
    let project = emulator.project_id();
    let path = format!(
        "/v2/{project}/fgs/workflows/{}/sync-executions",
        naive::encode(workflow.as_bytes())
    );
    let headers = [("host", "e"), ("x-sdk-date", "20261122T120000Z")];
    let signed: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let canonical = naive::canonical_request("POST", &path, "", &signed, body.as_bytes());
    let signature = naive::signature_sdk("sk", &canonical, "20261122T120000Z");
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: e\r\nx-sdk-date: 20261122T120000Z\r\nconnection: close\r\n\
         content-length: {}\r\nauthorization: SDK-HMAC-SHA256 Access=well-used, \
         SignedHeaders=host;x-sdk-date, Signature={signature}\r\n\r\n{body}",
        body.len()
    );
    if path.len() > 60_000 {
        return; // longer than the first line of a request may be
    }
    let (status, answer) = read(&exchange(&emulator, request.as_bytes()));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["output"], input, "the input comes back as it went");
}
