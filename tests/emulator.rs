//! The emulator, seen by a plain HTTP client with a signer of its own.
#![cfg(all(feature = "alibaba", feature = "huawei"))]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail the test"
)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc, Condvar, LazyLock, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use cloud_workflows::{
    FlowFailure,
    alibaba::{StartExecutionRequest, StartSyncExecutionRequest},
    emulator::{Emulator, Fault, KeystoneCreateUserTokenByPassword, StandardSync},
    huawei::StartSyncWorkflowExecutionRequest,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Client, Method, Response, header::HeaderMap};
use serde_json::{Value, json, value::RawValue};
use sha1::Sha1;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

type Parameters = BTreeMap<String, String>;

const NEVER: Duration = Duration::from_millis(30);

fn now() -> DateTime<Utc> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the client of this test has a clock"
    )]
    SystemTime::now().into()
}

/// No connection is kept: each test has a runtime of its own.
fn client() -> &'static Client {
    static CLIENT: LazyLock<Client> =
        LazyLock::new(|| Client::builder().pool_max_idle_per_host(0).build().unwrap());
    &CLIENT
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(byte.into());
            }
            _ => write!(out, "%{byte:02X}").unwrap(),
        }
    }
    out
}

fn form(parameters: &Parameters) -> String {
    let pairs = parameters.iter();
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.join("&")
}

fn sign(method: &str, secret: &str, parameters: &mut Parameters) {
    let text = format!("{method}&%2F&{}", encoded(&form(parameters)));
    let mut mac = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    parameters.insert("Signature".to_owned(), signature);
}

fn nonce() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("nonce-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The parameters of a call, unsigned.
fn parameters(emulator: &Emulator, action: &str, own: &[(&str, &str)]) -> Parameters {
    let timestamp = now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let nonce = nonce();
    let common = [
        ("AccessKeyId", emulator.access_key().0),
        ("Action", action),
        ("Format", "json"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", &nonce),
        ("SignatureVersion", "1.0"),
        ("Timestamp", &timestamp),
        ("Version", "2019-03-15"),
    ];
    let all = common.iter().chain(own);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

async fn post_form(
    emulator: &Emulator,
    body: impl Into<reqwest::Body>,
) -> reqwest::Result<Response> {
    let request = client().post(emulator.url());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(body).send().await
}

/// A signed call that may get no answer.
async fn try_call(
    emulator: &Emulator,
    action: &str,
    own: &[(&str, &str)],
) -> reqwest::Result<Response> {
    let mut parameters = parameters(emulator, action, own);
    sign("POST", emulator.access_key().1, &mut parameters);
    post_form(emulator, form(&parameters)).await
}

async fn json_of(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let json = serde_json::from_str(&text);
    (status, json.unwrap_or_else(|_| panic!("not JSON: {text}")))
}

async fn call(emulator: &Emulator, action: &str, own: &[(&str, &str)]) -> (u16, Value) {
    json_of(try_call(emulator, action, own).await.unwrap()).await
}

/// Status and code of a call whose parameters were changed before or after signing.
async fn refused(
    emulator: &Emulator,
    before: impl FnOnce(&mut Parameters),
    after: impl FnOnce(&mut Parameters),
) -> (u16, String) {
    let mut parameters = parameters(emulator, "StartExecution", &[("FlowName", "f")]);
    before(&mut parameters);
    sign("POST", emulator.access_key().1, &mut parameters);
    after(&mut parameters);
    let (status, body) = json_of(post_form(emulator, form(&parameters)).await.unwrap()).await;
    assert_eq!(body["RequestId"].as_str().unwrap().len(), 36, "{body}");
    assert!(body["HostId"].as_str().unwrap().starts_with("127.0.0.1:"));
    (status, body["Code"].as_str().unwrap().to_owned())
}

fn set(name: &str, value: &str) -> impl FnOnce(&mut Parameters) {
    let (name, value) = (name.to_owned(), value.to_owned());
    move |parameters| {
        parameters.insert(name, value);
    }
}

fn remove(name: &str) -> impl FnOnce(&mut Parameters) {
    let name = name.to_owned();
    move |parameters| {
        parameters.remove(&name);
    }
}

fn keep(_: &mut Parameters) {}

async fn until(done: impl Fn() -> bool) {
    let wait = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(Duration::from_secs(30), wait).await.unwrap();
}

/// Holds flows back until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}

fn echo(input: Value) -> Result<Value, FlowFailure> {
    Ok(input)
}

/// Flow `f` is Standard, `x` Express, `w` Huawei's; each gives its input back.
fn started() -> Emulator {
    let emulator = Emulator::start().unwrap();
    emulator
        .standard("f", echo)
        .express("x", echo)
        .workflow("w", echo);
    emulator
}

#[tokio::test]
async fn alibaba_start_and_describe() {
    let emulator = started();
    emulator.environment("f", &[("k", "v")]);
    let input = r#"{"key":"a b*c~d+e/中文","n":1}"#;
    let own = [("FlowName", "f"), ("ExecutionName", "e"), ("Input", input)];
    let response = try_call(&emulator, "StartExecution", &own).await.unwrap();
    let id = response.headers()["x-acs-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(response.headers().contains_key("date"));
    let (status, body) = json_of(response).await;
    assert_eq!((status, &body["RequestId"]), (200, &json!(id)));
    assert_eq!(id, id.to_uppercase());
    for (name, value) in [
        ("Name", "e"),
        ("Status", "Running"),
        ("Output", ""),
        ("Input", input),
    ] {
        assert_eq!(body[name], value);
    }
    let own = [
        ("FlowName", "f"),
        ("ExecutionName", "e"),
        ("WaitTimeSeconds", "60"),
    ];
    let (status, body) = call(&emulator, "DescribeExecution", &own).await;
    assert_eq!((status, &body["Status"]), (200, &json!("Succeeded")));
    let output: Value = serde_json::from_str(body["Output"].as_str().unwrap()).unwrap();
    assert_eq!(output["key"], "a b*c~d+e/中文");
    assert_eq!(
        body["Environment"]["Variables"][0],
        json!({"Name": "k", "Value": "v"})
    );
    let started = body["StartedTime"].as_str().unwrap();
    assert!(started.len() == 24 && started.ends_with('Z'), "{started}");
    assert!(body["StoppedTime"].as_str().unwrap() >= started);

    let (_, body) = call(&emulator, "StartExecution", &[("FlowName", "f")]).await;
    assert!(body["Name"].as_str().unwrap().starts_with("emulator-"));
    assert_eq!(emulator.runs("f"), 2);
    let executions = emulator.executions("f");
    assert_eq!(
        (executions[0].name.as_str(), executions[0].input.as_str()),
        ("e", input)
    );
    assert!(!format!("{executions:?}").contains("key"));
}

#[tokio::test]
async fn alibaba_sync() {
    let emulator = started();
    emulator
        .express("typed", |n: u8| Ok(n))
        .express("fails", |_: Value| {
            Err::<(), _>(FlowFailure::new("Code", "text"))
        })
        .express("late", |_: Value| Err::<(), _>(FlowFailure::timed_out()))
        .express("panics", |_: Value| -> Result<(), FlowFailure> {
            panic!("on purpose")
        });
    let own = [
        ("FlowName", "x"),
        ("ExecutionName", "e"),
        ("Input", r#"{"a":1}"#),
    ];
    let (status, body) = call(&emulator, "StartSyncExecution", &own).await;
    assert_eq!((status, &body["Status"]), (200, &json!("Succeeded")));
    assert_eq!(body["Output"], r#"{"a":1}"#);
    let name = body["Name"].as_str().unwrap();
    assert!(name.starts_with("e:") && name.len() == 38, "{name}");
    // Names of synchronous executions need not differ.
    assert_eq!(call(&emulator, "StartSyncExecution", &own).await.0, 200);
    assert_eq!(emulator.runs("x"), 2);

    for (flow, status, code) in [
        ("typed", "Failed", "InvalidInput"),
        ("fails", "Failed", "Code"),
        ("late", "TimedOut", ""),
        ("panics", "Failed", "FlowPanicked"),
    ] {
        let (http, body) = call(&emulator, "StartSyncExecution", &[("FlowName", flow)]).await;
        assert_eq!(
            (http, &body["Status"], &body["ErrorCode"]),
            (200, &json!(status), &json!(code))
        );
        assert_eq!(emulator.runs(flow), usize::from(flow != "typed"), "{flow}");
        assert_eq!(emulator.executions(flow)[0].status, status);
    }
}

#[tokio::test]
async fn modes() {
    let emulator = started();
    for (action, flow) in [("StartExecution", "x"), ("StartSyncExecution", "f")] {
        let (status, body) = call(&emulator, action, &[("FlowName", flow)]).await;
        assert_eq!((status, &body["Code"]), (400, &json!("ActionNotSupported")));
    }
    let emulator = Emulator::builder();
    let emulator = emulator
        .standard_sync(StandardSync::FailedExecution)
        .start()
        .unwrap();
    emulator.standard("f", echo);
    let (status, body) = call(&emulator, "StartSyncExecution", &[("FlowName", "f")]).await;
    assert_eq!((status, &body["Status"]), (200, &json!("Failed")));
    assert_eq!(body["ErrorCode"], "ActionNotSupported");
    assert_eq!(emulator.runs("f"), 0);
}

#[tokio::test]
async fn names() {
    let emulator = Emulator::start().unwrap();
    let gate = Gate::default();
    let flow_gate = gate.clone();
    emulator.standard("f", move |input: Value| {
        flow_gate.pass();
        Ok(input)
    });
    let own = [("FlowName", "f"), ("ExecutionName", "e")];
    let starts: Vec<_> = (0..50)
        .map(|_| {
            let emulator = emulator.clone();
            tokio::spawn(async move { call(&emulator, "StartExecution", &own).await })
        })
        .collect();
    let mut times = Vec::new();
    for start in starts {
        let (status, body) = start.await.unwrap();
        assert_eq!((status, &body["Status"]), (200, &json!("Running")));
        times.push(body["StartedTime"].as_str().unwrap().to_owned());
    }
    times.dedup();
    assert_eq!((times.len(), emulator.runs("f")), (1, 1));

    let (_, body) = call(&emulator, "DescribeExecution", &own).await;
    assert_eq!(
        (&body["Status"], &body["StoppedTime"]),
        (&json!("Running"), &json!(""))
    );
    let poll = [own[0], own[1], ("WaitTimeSeconds", "60")];
    let poller = emulator.clone();
    let poll = tokio::spawn(async move { call(&poller, "DescribeExecution", &poll).await });
    gate.open();
    assert_eq!(poll.await.unwrap().1["Status"], "Succeeded");
    let (status, body) = call(&emulator, "StartExecution", &own).await;
    assert_eq!(
        (status, &body["Code"]),
        (400, &json!("ExecutionAlreadyExists"))
    );
    assert_eq!(body["Message"], "Execution e for flow f already exists.");
    assert_eq!(emulator.runs("f"), 1);
}

#[tokio::test]
async fn alibaba_common_parameters() {
    let emulator = started();
    let old = (now() - TimeDelta::minutes(16))
        .format("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    for (name, value, status, code) in [
        ("Version", "2016-01-01", 400, "APIVersionNotSupported"),
        ("Action", "DeleteEverything", 400, "ActionNotSupported"),
        ("SignatureMethod", "HMAC-SHA256", 400, "InvalidArgument"),
        ("SignatureVersion", "2.0", 400, "InvalidArgument"),
        ("Timestamp", "2024-5-6T07:08:09Z", 400, "InvalidArgument"),
        (
            "Timestamp",
            "2024-05-06T07:08:09.000Z",
            400,
            "InvalidArgument",
        ),
        ("Timestamp", &old, 403, "RequestTimeTooSkewed"),
        ("AccessKeyId", "nobody", 403, "InvalidAccessKeyID"),
        (
            "SecurityToken",
            "t",
            400,
            "InvalidSecurityToken.MismatchWithAccessKey",
        ),
        ("FlowName", "1f", 400, "InvalidArgument"),
        ("FlowName", "", 400, "MissingRequiredParams"),
        ("FlowName", "g", 404, "FlowNotExists"),
        ("ExecutionName", "a:b", 400, "InvalidArgument"),
        ("Input", "[]", 400, "InvalidArgument"),
        ("Input", "{", 400, "InvalidArgument"),
    ] {
        let got = refused(&emulator, set(name, value), keep).await;
        assert_eq!(got, (status, code.to_owned()), "{name}={value}");
    }
    for name in [
        "Action",
        "Version",
        "SignatureMethod",
        "SignatureVersion",
        "Timestamp",
        "SignatureNonce",
        "AccessKeyId",
        "FlowName",
    ] {
        let got = refused(&emulator, remove(name), keep).await;
        assert_eq!(got, (400, "MissingRequiredParams".to_owned()), "{name}");
    }
    let got = refused(&emulator, keep, remove("Signature")).await;
    assert_eq!(got, (400, "MissingRequiredParams".to_owned()));
    let got = refused(&emulator, keep, set("FlowName", "other")).await;
    assert_eq!(got, (403, "SignatureNotMatch".to_owned()));

    // The nonce of a request that was refused earlier is not used up.
    let nonce = nonce();
    let wrong = refused(
        &emulator,
        set("SignatureNonce", &nonce),
        set("Signature", "x"),
    )
    .await;
    assert_eq!(wrong, (403, "SignatureNotMatch".to_owned()));
    let first = refused(
        &emulator,
        |parameters| {
            parameters.insert("SignatureNonce".to_owned(), nonce.clone());
            parameters.insert("FlowName".to_owned(), "g".to_owned());
        },
        keep,
    );
    assert_eq!(first.await, (404, "FlowNotExists".to_owned()));
    let again = refused(&emulator, set("SignatureNonce", &nonce), keep).await;
    assert_eq!(again, (400, "SignatureNonceUsed".to_owned()));
    assert_eq!(emulator.runs("f"), 0);

    let own = [("FlowName", "f"), ("ExecutionName", "none")];
    let (status, body) = call(&emulator, "DescribeExecution", &own).await;
    assert_eq!((status, &body["Code"]), (404, &json!("ExecutionNotExists")));
    for wait in ["61", "-1", "x"] {
        let own = [
            ("FlowName", "f"),
            ("ExecutionName", "e"),
            ("WaitTimeSeconds", wait),
        ];
        let (status, body) = call(&emulator, "DescribeExecution", &own).await;
        assert_eq!((status, &body["Code"]), (400, &json!("InvalidArgument")));
    }
    let (_, body) = call(&emulator, "StartExecution", &[("FlowName", "g")]).await;
    assert_eq!(body["Message"], "Flow  g does not exist.");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let emulator = Emulator::start().unwrap();
    let port: u16 = emulator.url().rsplit_once(':').unwrap().1.parse().unwrap();
    let error = Emulator::builder().port(port).start().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("port {port} of 127.0.0.1: ")),
        "{text}"
    );
    assert!(
        text.ends_with("another program listens there; 0 takes a free port"),
        "{text}"
    );
}

#[tokio::test]
async fn every_operation_that_it_names_is_served() {
    let emulator = started();
    let names = Emulator::operations();
    // Alibaba Cloud's come first; those of Huawei Cloud are routed by their declarations.
    let of_huawei = names.iter().position(|name| name.contains("Workflow"));
    let of_alibaba = &names[..of_huawei.unwrap()];
    assert_eq!(of_alibaba.len(), 29, "{of_alibaba:?}");
    for name in of_alibaba {
        let (_, body) = call(&emulator, name, &[]).await;
        assert_ne!(body["Code"], "ActionNotSupported", "{name}: {body}");
    }
}

#[tokio::test]
async fn alibaba_settings() {
    let emulator = Emulator::builder()
        .sts_key("temporary", "secret", "token")
        .input_limit_bytes(10)
        .clock_window(Duration::from_secs(3600))
        .start()
        .unwrap();
    emulator.standard("f", echo);
    assert_eq!(emulator.access_key(), ("temporary", "secret"));
    assert_eq!(emulator.security_token(), Some("token"));
    let malformed = (400, "InvalidSecurityToken.Malformed".to_owned());
    assert_eq!(refused(&emulator, keep, keep).await, malformed);
    assert_eq!(
        refused(&emulator, set("SecurityToken", "x"), keep).await,
        malformed
    );
    let own = [
        ("FlowName", "f"),
        ("SecurityToken", "token"),
        ("Input", r#"{"a":12}"#),
    ];
    assert_eq!(call(&emulator, "StartExecution", &own).await.0, 200);
    let own = [own[0], own[1], ("Input", r#"{"a":12345}"#)];
    let (status, body) = call(&emulator, "StartExecution", &own).await;
    assert_eq!((status, &body["Code"]), (400, &json!("EntityTooLarge")));

    let own = [("FlowName", "f"), ("SecurityToken", "token")];
    emulator.shift_clock(TimeDelta::minutes(50));
    assert_eq!(call(&emulator, "StartExecution", &own).await.0, 200);
    emulator.shift_clock(TimeDelta::minutes(70));
    let response = try_call(&emulator, "StartExecution", &own).await.unwrap();
    let date = DateTime::parse_from_rfc2822(response.headers()["date"].to_str().unwrap());
    let ahead = date.unwrap().to_utc() - now();
    assert!(
        (ahead - TimeDelta::minutes(70)).abs() < TimeDelta::minutes(5),
        "{ahead}"
    );
    assert_eq!(json_of(response).await.1["Code"], "RequestTimeTooSkewed");
    emulator.shift_clock(TimeDelta::MAX);
    assert_eq!(call(&emulator, "StartExecution", &own).await.0, 200);

    let taken = emulator.url().rsplit_once(':').unwrap().1.parse().unwrap();
    assert!(Emulator::builder().port(taken).start().is_err());
    let clone = emulator.clone();
    drop(emulator);
    assert_eq!(call(&clone, "StartExecution", &own).await.0, 200);
    drop(clone);
    let again = Emulator::builder().port(taken).start().unwrap();
    assert!(again.url().ends_with(&format!(":{taken}")));
}

#[tokio::test]
async fn xml_is_the_default() {
    let emulator = started();
    for (flow, status, starts, holds) in [
        (
            "f",
            200,
            "<StartExecutionResponse>",
            "<Input>{\"a\":\"&lt;&amp;\"}</Input>",
        ),
        ("g", 404, "<Error>", "<Code>FlowNotExists</Code>"),
    ] {
        let own = [("FlowName", flow), ("Input", r#"{"a":"<&"}"#)];
        let mut parameters = parameters(&emulator, "StartExecution", &own);
        parameters.remove("Format");
        sign("GET", emulator.access_key().1, &mut parameters);
        let url = format!("{}/?{}", emulator.url(), form(&parameters));
        let response = client().get(url).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers()["content-type"], "text/xml;charset=utf-8");
        let text = response.text().await.unwrap();
        let body = text.split_once("?>").unwrap().1;
        assert!(body.starts_with(starts) && body.contains(holds), "{body}");
        assert!(body.contains("<RequestId>"));
    }
}

/// Sends these bytes and reads until the emulator closes the connection.
async fn raw(emulator: &Emulator, request: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(&emulator.url()[7..]).await.unwrap();
    stream.write_all(request.as_ref()).await.unwrap();
    let mut answer = Vec::new();
    // A cut may come as a reset.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// A whole request in text, as its last on the connection.
fn text(line: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// Requests of the vendor's own clients: sheet, section 1.5.
#[tokio::test]
async fn takes_recorded_requests_of_official_clients() {
    const START: &str = "CallbackFnFTaskToken=tok&ExecutionName=exec_1&FlowName=my_flow&Input=%7B%22key%22%3A%22a+b%2Ac~d%2Be%2F%E4%B8%AD%E6%96%87%22%7D&Qualifier=1";
    let recorded = [
        (
            "R1",
            "POST /?Action=StartExecution&Format=json&Version=2019-03-15&Timestamp=2024-05-06T07%3A08%3A09Z&SignatureNonce=0123456789abcdef0123456789abc001&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&AccessKeyId=testid&Signature=mrt0W9HeMxEIucBTqTUAGKEIl8c%3D",
            START,
            "200",
        ),
        (
            "R2",
            "POST /?Action=StartSyncExecution&Format=json&Version=2019-03-15&Timestamp=2024-05-06T07%3A08%3A09Z&SignatureNonce=0123456789abcdef0123456789abc002&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&AccessKeyId=testid&Signature=z0rhXNkhZ1OmIFe%2BVHBLm2D9k0g%3D",
            "ExecutionName=exec_1&FlowName=my_flow&Input=%7B%22key%22%3A%22value%22%7D&Qualifier=prod",
            "200",
        ),
        (
            "R3",
            "POST /?Action=StartExecution&Format=json&Version=2019-03-15&Timestamp=2024-05-06T07%3A08%3A09Z&SignatureNonce=0123456789abcdef0123456789abc003&SecurityToken=STS.token%2F%2B%3D&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&AccessKeyId=testid&Signature=z8Bn8xMd%2BRupGurhhKMaiZbrPrU%3D",
            "FlowName=my_flow&Input=%7B%7D",
            "200",
        ),
        (
            "R4",
            "GET /?Action=DescribeExecution&Format=json&Version=2019-03-15&Timestamp=2024-05-06T07%3A08%3A09Z&SignatureNonce=0123456789abcdef0123456789abc004&ExecutionName=exec_1&FlowName=my_flow&WaitTimeSeconds=20&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&AccessKeyId=testid&Signature=aE6Cy%2FWpMcE%2B81L5%2BzitQG6SRNc%3D",
            "",
            "404 ExecutionNotExists",
        ),
        (
            "R11",
            "POST /?Version=2019-03-15&Action=StartExecution&Format=JSON&RegionId=cn-hangzhou&Timestamp=2024-05-06T07%3A08%3A09Z&SignatureMethod=HMAC-SHA1&SignatureType=&SignatureVersion=1.0&SignatureNonce=11111111-2222-3333-4444-000000000001&AccessKeyId=testid&Signature=O%2BQsyMHg5lKB33ny891KebxNFoA%3D",
            "FlowName=my_flow&ExecutionName=exec_1&Input=%7B%22key%22%3A%22a+b%2Ac~d%2Be%2F%E4%B8%AD%E6%96%87%22%7D&CallbackFnFTaskToken=tok",
            "200",
        ),
        (
            "R14",
            "POST /?SecurityToken=STS.token%2F%2B%3D&Version=2019-03-15&Action=StartExecution&Format=JSON&RegionId=cn-hangzhou&Timestamp=2024-05-06T07%3A08%3A09Z&SignatureMethod=HMAC-SHA1&SignatureType=&SignatureVersion=1.0&SignatureNonce=11111111-2222-3333-4444-000000000004&AccessKeyId=testid&Signature=w5KQXE%2BAyrPH%2F3%2BEWxwNxLDV8M4%3D",
            "FlowName=my_flow&Input=%7B%7D",
            "200",
        ),
        (
            "R15",
            "POST /?Version=2019-03-15&Action=StartExecution&Format=JSON&RegionId=cn-hangzhou&Timestamp=2024-05-06T07%3A08%3A09Z&SignatureMethod=HMAC-SHA1&SignatureType=&SignatureVersion=1.0&SignatureNonce=11111111-2222-3333-4444-000000000005&AccessKeyId=testid&Signature=Mec10rsS46RhcmsbbmIdIddtkx8%3D",
            "FlowName=my_flow&ExecutionName=&Input=",
            "200",
        ),
        (
            "R16",
            "POST /",
            "AccessKeyId=testid&Action=StartExecution&CallbackFnFTaskToken=tok&ExecutionName=exec_1&FlowName=my_flow&Format=JSON&Input=%7B%22key%22%3A%22a%20b%2Ac~d%2Be%2F%E4%B8%AD%E6%96%87%22%7D&SignatureMethod=HMAC-SHA1&SignatureNonce=nodejs-nonce-001&SignatureVersion=1.0&Timestamp=2024-05-06T07%3A08%3A09Z&Version=2019-03-15&Signature=8mb29lLM0e%2F3zxvx2OS2LtWwr2Q%3D",
            "200",
        ),
        (
            "R17",
            "POST /",
            "AccessKeyId=testid&Action=StartSyncExecution&ExecutionName=exec_1&FlowName=my_flow&Format=JSON&Input=%7B%22key%22%3A%22value%22%7D&SignatureMethod=HMAC-SHA1&SignatureNonce=nodejs-nonce-002&SignatureVersion=1.0&Timestamp=2024-05-06T07%3A08%3A09Z&Version=2019-03-15&Signature=m88P7KWojjcQH9ZoRLDlnl75UmU%3D",
            "200",
        ),
        (
            // Its input is no JSON.
            "R18",
            "GET /?AccessKeyId=testid&Action=StartExecution&FlowName=my_flow&Format=JSON&Input=it%27s%20%28ok%29%21&SignatureMethod=HMAC-SHA1&SignatureNonce=nodejs-nonce-003&SignatureVersion=1.0&Timestamp=2024-05-06T07%3A08%3A09Z&Version=2019-03-15&Signature=IEF1rFhY6O5TNJpIKlvRNkZCxJI%3D",
            "",
            "400 InvalidArgument",
        ),
        (
            "R19",
            "GET /?AccessKeyId=testid&Action=DescribeExecution&ExecutionName=exec_1&FlowName=my_flow&Format=JSON&SecurityToken=STS.token%2F%2B%3D&SignatureMethod=HMAC-SHA1&SignatureNonce=nodejs-nonce-004&SignatureVersion=1.0&Timestamp=2024-05-06T07%3A08%3A09Z&Version=2019-03-15&WaitTimeSeconds=20&Signature=1QD3%2BmgN5If%2B7NJkt%2F5bjGS6iX8%3D",
            "",
            "404 ExecutionNotExists",
        ),
    ];
    for (name, line, body, expected) in recorded {
        let builder = Emulator::builder();
        let emulator = if line.contains("STS.token") {
            builder.sts_key("testid", "testsecret", "STS.token/+=")
        } else {
            builder.access_key("testid", "testsecret")
        };
        let emulator = emulator.start().unwrap();
        let then = DateTime::parse_from_rfc3339("2024-05-06T07:08:09Z").unwrap();
        emulator.shift_clock(then.to_utc() - now());
        if format!("{line}{body}").contains("StartSyncExecution") {
            emulator.express("my_flow", echo);
        } else {
            emulator.standard("my_flow", echo);
        }
        let answer = raw(&emulator, text(line, "", body)).await;
        let (status, code) = expected.split_once(' ').unwrap_or((expected, ""));
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{name}: {answer}"
        );
        assert!(code.is_empty() || answer.contains(code), "{name}: {answer}");
        let input = emulator
            .executions("my_flow")
            .pop()
            .map(|execution| execution.input);
        if ["R1", "R11", "R16"].contains(&name) {
            assert_eq!(input.unwrap(), r#"{"key":"a b*c~d+e/中文"}"#);
        }
        // Word for word the same again: a replay. With one letter changed: not signed.
        let answer = raw(&emulator, text(line, "", body)).await;
        assert!(answer.contains("SignatureNonceUsed"), "{name}: {answer}");
        let (line, body) = (
            line.replace("my_flow", "my_flux"),
            body.replace("my_flow", "my_flux"),
        );
        let answer = raw(&emulator, text(&line, "", &body)).await;
        assert!(answer.contains("SignatureNotMatch"), "{name}: {answer}");
    }
}

async fn post(
    emulator: &Emulator,
    path: &str,
    token: Option<&str>,
    body: impl Into<String>,
) -> Response {
    let mut request = client().post(emulator.url() + path);
    if let Some(token) = token {
        request = request.header("X-Auth-Token", token);
    }
    let request = request.header("content-type", "application/json");
    request.body(body.into()).send().await.unwrap()
}

fn token_body(emulator: &Emulator, scope: &Value) -> Value {
    let (domain, user, password) = emulator.iam_user();
    let user = json!({"name": user, "password": password, "domain": {"name": domain}});
    let mut body =
        json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}});
    if !scope.is_null() {
        body["auth"]["scope"] = scope.clone();
    }
    body
}

async fn token(emulator: &Emulator, scope: Value) -> (String, Value) {
    let body = token_body(emulator, &scope).to_string();
    let response = post(emulator, "/v3/auth/tokens?nocatalog=1", None, body).await;
    let token = response.headers()["x-subject-token"]
        .to_str()
        .unwrap()
        .to_owned();
    let (status, body) = json_of(response).await;
    assert_eq!(status, 201);
    (token, body)
}

fn path(emulator: &Emulator, workflow: &str) -> String {
    let project = emulator.project_id();
    format!("/v2/{project}/fgs/workflows/{workflow}/sync-executions")
}

#[tokio::test]
async fn huawei_runs() {
    let emulator = started();
    emulator
        .workflow("ü/1", echo)
        .workflow("typed", |_: BTreeMap<String, u8>| Ok(()))
        .workflow("fails", |_: Value| {
            Err::<(), _>(FlowFailure::new("Code", "text"))
        })
        .workflow("late", |_: Value| Err::<(), _>(FlowFailure::timed_out()));
    let project = json!({"project": {"name": emulator.region()}});
    let (token, body) = token(&emulator, project).await;
    assert_eq!(body["token"]["project"]["id"], emulator.project_id());
    let expires = body["token"]["expires_at"].as_str().unwrap();
    assert_eq!(expires.len(), "2020-01-04T09:05:22.701000Z".len());
    let ahead = expires.parse::<DateTime<Utc>>().unwrap() - now();
    assert_eq!((ahead + TimeDelta::minutes(10)).num_hours(), 24);

    for workflow in ["w", "%C3%BC%2F1"] {
        let body = r#"{"input":{"n":10000000000000000000001},"headers":{"tenantId":"user1"}}"#;
        let response = post(&emulator, &path(&emulator, workflow), Some(&token), body).await;
        assert!(response.headers().contains_key("x-request-id"));
        let (status, body) = json_of(response).await;
        assert_eq!((status, &body["status"]), (200, &json!("success")));
        assert!(body["output"].is_object() && body.get("errors").is_none());
        assert_eq!(body["execution_id"].as_str().unwrap().len(), 36);
        assert_eq!(
            body["end_time"].as_str().unwrap().len(),
            "yyyy-MM-ddTHH:mm:ssZ".len()
        );
    }
    assert_eq!(emulator.runs("ü/1"), 1);
    assert_eq!(
        emulator.executions("w")[0].input,
        r#"{"n":10000000000000000000001}"#
    );

    let input = r#"{"input":{"a":"b"}}"#;
    for (workflow, status, message) in [
        ("fails", "fail", Some("Code: text")),
        ("late", "timeout", None),
        ("typed", "fail", Some("InvalidInput: ")),
    ] {
        let response = post(&emulator, &path(&emulator, workflow), Some(&token), input).await;
        let (http, body) = json_of(response).await;
        assert_eq!((http, &body["status"]), (200, &json!(status)));
        assert!(body.get("output").is_none());
        let told = body["errors"][0]["error_message"].as_str();
        assert_eq!(told.is_some(), message.is_some());
        assert!(
            told.unwrap_or_default()
                .starts_with(message.unwrap_or_default()),
            "{body}"
        );
    }
}

/// Both services take any JSON object; what becomes of its numbers is the flow's matter.
#[tokio::test]
async fn numbers_too_large_for_a_double_are_taken() {
    let emulator = Emulator::start().unwrap();
    let echo = |input: Box<RawValue>| Ok(input);
    emulator.express("x", echo).workflow("w", echo);
    let input = r#"{"n":1e400,"n":-0}"#;

    let own = [("FlowName", "x"), ("Input", input)];
    let (status, body) = call(&emulator, "StartSyncExecution", &own).await;
    assert_eq!((status, &body["Output"]), (200, &json!(input)));
    // Nesting has a limit, 127; brackets in a text are none.
    let nested = |depth| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(
            r#"{{"\\\"{{[":{open}"{}"{close},"a":[{{}}]}}"#,
            "[".repeat(200)
        )
    };
    for (input, expected) in [(nested(126), 200), (nested(127), 400)] {
        let own = [("FlowName", "x"), ("Input", input.as_str())];
        let (status, _) = call(&emulator, "StartSyncExecution", &own).await;
        assert_eq!(status, expected, "{input}");
    }

    let project = json!({"project": {"name": emulator.region()}});
    let (token, _) = token(&emulator, project).await;
    let body = format!(r#"{{"input":{input}}}"#);
    let answer = post(&emulator, &path(&emulator, "w"), Some(&token), body).await;
    let answer = answer.text().await.unwrap();
    assert!(answer.contains(&format!(r#""output":{input}"#)), "{answer}");
}

#[tokio::test]
async fn huawei_refusals() {
    let emulator = started();
    let project = json!({"project": {"id": emulator.project_id()}});
    let (token, _) = token(&emulator, project.clone()).await;
    let good = r#"{"input":{}}"#;
    let known = path(&emulator, "w");
    let check = |path: String, token: Option<String>, body: String| {
        let emulator = emulator.clone();
        async move {
            let (status, body) =
                json_of(post(&emulator, &path, token.as_deref(), body).await).await;
            (
                status,
                body["error_code"].as_str().unwrap().to_owned(),
                body,
            )
        }
    };
    let ours = || Some(token.clone());
    let (status, code, body) = check(known.clone(), None, good.into()).await;
    assert_eq!((status, code.as_str()), (401, "APIGW.0301"));
    assert!(
        body["error_msg"]
            .as_str()
            .unwrap()
            .ends_with("x-auth-token not found")
    );
    let (status, code, body) = check(known.clone(), Some("x".into()), good.into()).await;
    assert_eq!((status, code.as_str()), (401, "APIGW.0301"));
    assert!(
        body["error_msg"]
            .as_str()
            .unwrap()
            .ends_with("decrypt token fail")
    );
    let deep = format!(
        "{{\"input\":{{\"a\":{}{}}}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    for body in [
        "",
        "[]",
        "{}",
        r#"{"input":1}"#,
        r#"{"input":{},"headers":[]}"#,
        &deep,
        "{\"input\":{}}x",
    ] {
        let (status, code, body) = check(known.clone(), ours(), body.into()).await;
        assert_eq!((status, code.as_str()), (400, "FGS.3002"));
        assert!(body["request_id"].is_string());
    }
    for (path, status, code) in [
        (path(&emulator, "none"), 404, "FGS.5002"),
        (path(&emulator, "%zz"), 400, "FGS.3002"),
        (path(&emulator, "%ff"), 400, "FGS.3002"),
        (
            "/v2/other/fgs/workflows/w/sync-executions".to_owned(),
            403,
            "FSS.0403",
        ),
        ("/v2/other".to_owned(), 404, "APIGW.0101"),
    ] {
        let (got, got_code, _) = check(path, ours(), good.into()).await;
        assert_eq!((got, got_code.as_str()), (status, code));
    }
    let large = format!("{{\"input\":{{}}}}{}", " ".repeat(13 * 1024 * 1024));
    let (status, code, _) = check(known.clone(), ours(), large).await;
    assert_eq!((status, code.as_str()), (413, "APIGW.0201"));
    assert_eq!(emulator.runs("w"), 0);

    emulator.shift_clock(TimeDelta::hours(25));
    let expired = check(known.clone(), ours(), good.into()).await;
    assert_eq!((expired.0, expired.1.as_str()), (401, "APIGW.0307"));
    emulator.shift_clock(TimeDelta::zero());
    assert_eq!(
        post(&emulator, &known, Some(&token), good).await.status(),
        200
    );
    emulator.expire_tokens();
    let expired = check(known.clone(), ours(), good.into()).await;
    assert_eq!((expired.0, expired.1.as_str()), (401, "APIGW.0307"));
    emulator.revoke_tokens();
    let revoked = check(known.clone(), ours(), good.into()).await;
    assert_eq!((revoked.0, revoked.1.as_str()), (401, "APIGW.0301"));
}

#[tokio::test]
async fn tokens() {
    let emulator = Emulator::builder();
    let emulator = emulator
        .iam_user("d", "u", "p")
        .project("eu-west-0", "abc")
        .start()
        .unwrap();
    assert_eq!(
        (emulator.region(), emulator.project_id()),
        ("eu-west-0", "abc")
    );
    let project = json!({"project": {"name": "eu-west-0"}});
    let whole = token_body(&emulator, &project);
    let mut wrong = whole.clone();
    wrong["auth"]["identity"]["password"]["user"]["password"] = json!("x");
    let mut totp = whole.clone();
    totp["auth"]["identity"]["methods"] = json!(["totp"]);
    for (body, status, message) in [
        (
            wrong.to_string(),
            401,
            Some("The username or password is wrong."),
        ),
        (totp.to_string(), 400, None),
        ("{".to_owned(), 400, None),
        (
            token_body(&emulator, &json!({"project": {"name": "x"}})).to_string(),
            404,
            None,
        ),
        (
            token_body(&emulator, &json!({"project": {"id": "x"}})).to_string(),
            404,
            None,
        ),
        (
            token_body(&emulator, &json!({"domain": {"name": "x"}})).to_string(),
            404,
            None,
        ),
    ] {
        let (got, body) = json_of(post(&emulator, "/v3/auth/tokens", None, body).await).await;
        assert_eq!((got, &body["error"]["code"]), (status, &json!(status)));
        assert!(message.is_none_or(|message| body["error"]["message"] == message));
        assert!(!body["error"]["title"].as_str().unwrap().is_empty());
    }
    let (unscoped, body) = token(&emulator, Value::Null).await;
    assert_eq!(body["token"]["domain"]["name"], "d");
    assert!(body["token"].get("project").is_none());
    let response = post(&emulator, &path(&emulator, "w"), Some(&unscoped), "{}").await;
    assert_eq!(response.status(), 403);
    let response = post(&emulator, "/v3/auth/tokens", None, whole.to_string()).await;
    let (_, body) = json_of(response).await;
    assert_eq!(body["token"]["catalog"][0]["type"], "functiongraph");
}

/// A synchronous start as text, signed.
fn sync_text(emulator: &Emulator) -> String {
    let own = [("FlowName", "x"), ("Input", r#"{"a":1}"#)];
    let mut parameters = parameters(emulator, "StartSyncExecution", &own);
    sign("POST", emulator.access_key().1, &mut parameters);
    text("POST /", "", &form(&parameters))
}

#[tokio::test]
async fn faults_that_answer() {
    let emulator = started();
    let own = [("FlowName", "x")];
    let sync = "StartSyncExecution";
    emulator.fault::<StartSyncExecutionRequest>(
        Fault::refuse(429, "ResourceThrottled", "slow").header("Retry-After", "3"),
    );
    emulator.fault::<StartSyncExecutionRequest>(Fault::none());
    emulator.fault::<StartSyncExecutionRequest>(
        Fault::refuse(500, "InternalServerError", "oops").after_run(),
    );
    emulator.fault::<StartSyncExecutionRequest>(Fault::answer(502, "text/html", "<h1>"));
    emulator.fault::<StartSyncExecutionRequest>(
        Fault::answer(200, "text/html", "")
            .after_run()
            .header("a b", "c"),
    );
    emulator.fault::<StartSyncExecutionRequest>(Fault::refuse(99, "C", "m"));
    // Faults of other operations wait for them.
    emulator.fault::<StartExecutionRequest>(Fault::refuse(400, "Other", "m"));

    // A refusal comes before the checks: this one is not even signed.
    let response = post_form(&emulator, "Action=StartSyncExecution&Format=JSON")
        .await
        .unwrap();
    assert_eq!(response.headers()["retry-after"], "3");
    let (status, body) = json_of(response).await;
    assert_eq!(
        (status, &body["Code"], &body["Message"]),
        (429, &json!("ResourceThrottled"), &json!("slow"))
    );
    assert_eq!(emulator.runs("x"), 0);
    assert_eq!(call(&emulator, sync, &own).await.0, 200);
    let (status, body) = call(&emulator, sync, &own).await;
    assert_eq!(
        (status, &body["Code"], emulator.runs("x")),
        (500, &json!("InternalServerError"), 2)
    );
    let response = try_call(&emulator, sync, &own).await.unwrap();
    assert_eq!((response.status().as_u16(), emulator.runs("x")), (502, 2));
    assert_eq!(response.text().await.unwrap(), "<h1>");
    let response = try_call(&emulator, sync, &own).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html");
    assert_eq!(
        (response.text().await.unwrap().as_str(), emulator.runs("x")),
        ("", 3)
    );
    assert_eq!(call(&emulator, sync, &own).await.0, 500);
    assert_eq!(call(&emulator, sync, &own).await.0, 200);
    assert_eq!(
        call(&emulator, "StartExecution", &[("FlowName", "f")])
            .await
            .1["Code"],
        "Other"
    );

    // A fault after the run does not make a bad request good.
    emulator.fault::<StartSyncExecutionRequest>(Fault::answer(200, "text/plain", "").after_run());
    let response = post_form(&emulator, "Action=StartSyncExecution")
        .await
        .unwrap();
    assert_eq!((response.status().as_u16(), emulator.runs("x")), (200, 4));

    emulator.fault::<StartSyncWorkflowExecutionRequest>(Fault::refuse(429, "APIGW.0308", "slow"));
    let (status, body) = json_of(post(&emulator, &path(&emulator, "w"), None, "").await).await;
    assert_eq!((status, &body["error_code"]), (429, &json!("APIGW.0308")));
    emulator.fault::<KeystoneCreateUserTokenByPassword>(Fault::refuse(503, "", "busy"));
    emulator.fault::<KeystoneCreateUserTokenByPassword>(Fault::refuse(400, "IAM.0012", "slow"));
    let (status, body) = json_of(post(&emulator, "/v3/auth/tokens", None, "").await).await;
    assert_eq!((status, &body["error"]["code"]), (503, &json!(503)));
    let (status, body) = json_of(post(&emulator, "/v3/auth/tokens", None, "").await).await;
    assert_eq!((status, &body["error_code"]), (400, &json!("IAM.0012")));
}

#[tokio::test]
async fn faults_decided_by_a_closure() {
    let emulator = started();
    emulator.fault_with(|request| {
        if request.operation == "StartExecution" && request.body.ends_with(b"bad") {
            Fault::refuse(418, "Teapot", "")
        } else {
            Fault::none()
        }
    });
    emulator.fault::<StartExecutionRequest>(Fault::refuse(400, "First", ""));
    emulator.fault::<StartSyncExecutionRequest>(Fault::none());
    let left = ["StartExecution", "StartSyncExecution"];
    assert_eq!(emulator.faults_left(), left);
    let body = "Action=StartExecution&Format=JSON&x=bad";
    for code in ["First", "Teapot", "Teapot"] {
        let (_, body) = json_of(post_form(&emulator, body).await.unwrap()).await;
        assert_eq!(body["Code"], code);
    }
    assert_eq!(
        call(&emulator, "StartExecution", &[("FlowName", "f")])
            .await
            .0,
        200
    );
    assert_eq!(
        emulator.faults_left(),
        ["StartSyncExecution"],
        "the other came"
    );
    emulator.clear_faults();
    assert!(emulator.faults_left().is_empty());
    let (_, body) = json_of(post_form(&emulator, body).await.unwrap()).await;
    assert_eq!(body["Code"], "MissingRequiredParams");
}

#[tokio::test]
async fn faults_that_cut() {
    let emulator = started();
    let sync = "StartSyncExecution";
    for (fault, runs) in [(Fault::cut_before_run(), 0), (Fault::cut_after_run(), 1)] {
        emulator.fault::<StartSyncExecutionRequest>(fault);
        assert_eq!(raw(&emulator, sync_text(&emulator)).await, "");
        assert_eq!(emulator.runs("x"), runs);
        assert_eq!(emulator.requests().pop().unwrap().status, None);
    }
    assert_eq!(emulator.executions("x")[0].status, "Succeeded");

    let whole = raw(&emulator, sync_text(&emulator)).await;
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    let length = |head: &str| {
        let head = head.to_lowercase();
        let (_, length) = head.split_once("content-length: ").unwrap();
        length.lines().next().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!(length(head), body.len());
    for bytes in [0, 1, 20, 1_000_000] {
        emulator.fault::<StartSyncExecutionRequest>(Fault::cut_reply(bytes));
        let answer = raw(&emulator, sync_text(&emulator)).await;
        let (head, part) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"));
        assert_eq!(length(head), body.len());
        assert_eq!(part.len(), bytes.min(body.len()));
    }
    assert_eq!(emulator.runs("x"), 6);
    // What a client makes of it.
    emulator.fault::<StartSyncExecutionRequest>(Fault::cut_before_run());
    assert!(
        try_call(&emulator, sync, &[("FlowName", "x")])
            .await
            .is_err()
    );
    emulator.fault::<StartSyncExecutionRequest>(Fault::cut_reply(3));
    let response = try_call(&emulator, sync, &[("FlowName", "x")])
        .await
        .unwrap();
    assert!(response.text().await.is_err());
}

#[tokio::test]
async fn faults_that_keep_silent() {
    let emulator = started();
    let sync = "StartSyncExecution";
    let own = [("FlowName", "x")];
    emulator.fault::<StartSyncExecutionRequest>(Fault::hang());
    let calling = {
        let emulator = emulator.clone();
        tokio::spawn(async move { call(&emulator, sync, &own).await })
    };
    until(|| emulator.requests().len() == 1).await;
    assert!(timeout(NEVER, calling).await.is_err());
    assert_eq!(emulator.runs("x"), 0);
    emulator.fault::<StartSyncExecutionRequest>(Fault::hang_after_run());
    let calling = {
        let emulator = emulator.clone();
        tokio::spawn(async move { call(&emulator, sync, &own).await })
    };
    until(|| {
        emulator
            .executions("x")
            .iter()
            .any(|run| run.status == "Succeeded")
    })
    .await;
    assert!(timeout(NEVER, calling).await.is_err());

    emulator.fault::<StartSyncExecutionRequest>(Fault::stall_reply(7));
    let mut stream = TcpStream::connect(&emulator.url()[7..]).await.unwrap();
    stream
        .write_all(sync_text(&emulator).as_bytes())
        .await
        .unwrap();
    let mut answer = Vec::new();
    let body_bytes = |answer: &[u8]| {
        let head = answer.windows(4).position(|end| end == b"\r\n\r\n");
        head.map(|head| answer.len() - head - 4)
    };
    while body_bytes(&answer) != Some(7) {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
    }
    assert!(timeout(NEVER, stream.read_buf(&mut answer)).await.is_err());

    emulator.fault::<StartSyncExecutionRequest>(
        Fault::refuse(400, "Code", "").after(Duration::from_millis(1)),
    );
    assert_eq!(call(&emulator, sync, &own).await.1["Code"], "Code");
    let runs = emulator.runs("x");
    emulator.fault::<StartSyncExecutionRequest>(Fault::none().after(Duration::from_secs(3600)));
    assert!(timeout(NEVER, call(&emulator, sync, &own)).await.is_err());
    assert_eq!(emulator.runs("x"), runs);
}

#[tokio::test]
async fn a_begun_flow_goes_on_without_its_client() {
    let emulator = Emulator::start().unwrap();
    let gate = Gate::default();
    let flow_gate = gate.clone();
    emulator.express("x", move |_: Value| {
        flow_gate.pass();
        Ok(())
    });
    let calling = {
        let emulator = emulator.clone();
        tokio::spawn(
            async move { call(&emulator, "StartSyncExecution", &[("FlowName", "x")]).await },
        )
    };
    until(|| emulator.runs("x") == 1).await;
    calling.abort();
    assert!(calling.await.unwrap_err().is_cancelled());
    assert_eq!(emulator.executions("x")[0].status, "Running");
    gate.open();
    until(|| emulator.executions("x")[0].status == "Succeeded").await;
}

#[tokio::test]
async fn requests_are_recorded() {
    let emulator = started();
    call(&emulator, "StartExecution", &[("FlowName", "f")]).await;
    post(
        &emulator,
        "/v3/auth/tokens?nocatalog=secret",
        None,
        "{\"secret\":1}",
    )
    .await;
    post(&emulator, &path(&emulator, "w"), Some("secret"), "").await;
    post(&emulator, "/elsewhere", None, "").await;
    let requests = emulator.requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|request| (request.operation.as_str(), request.status.unwrap().as_u16()))
        .collect();
    let expected = [
        ("StartExecution", 200),
        ("KeystoneCreateUserTokenByPassword", 400),
        ("StartSyncWorkflowExecution", 401),
        ("/elsewhere", 404),
    ];
    assert_eq!(seen, expected);
    assert_eq!(requests[1].query, "nocatalog=secret");
    assert_eq!(
        (&requests[1].method, requests[1].path.as_str()),
        (&Method::POST, "/v3/auth/tokens")
    );
    assert_eq!(requests[1].body.as_ref(), b"{\"secret\":1}");
    let headers: &HeaderMap = &requests[2].headers;
    assert_eq!(headers["x-auth-token"], "secret");
    let printed = format!("{requests:?}{emulator:?}{:?}", Emulator::builder());
    assert!(
        !printed.contains("secret") && printed.contains("x-auth-token"),
        "{printed}"
    );
    emulator.clear_requests();
    emulator.record(false);
    post(&emulator, "/elsewhere", None, "").await;
    assert!(emulator.requests().is_empty());
    emulator.record(true);
    post(&emulator, "/elsewhere", None, "").await;
    assert_eq!(emulator.requests()[0].status.unwrap(), 404);
}

#[tokio::test]
async fn hostile_requests() {
    let emulator = started();
    let form_type = "Content-Type: application/x-www-form-urlencoded\r\n";
    for body in [
        "a=%", "a=%4", "a=%zz", "a=%ff", "%ff=1", "a=1&a=2", "\u{0}", "=", "&&&", "+",
    ] {
        let (status, answer) = json_of(
            post_form(&emulator, format!("Format=JSON&{body}"))
                .await
                .unwrap(),
        )
        .await;
        assert_eq!(status, 400, "{body}");
        assert!(answer["Code"].is_string());
        let answer = raw(
            &emulator,
            text(&format!("GET /?{}", body.replace('\0', "")), "", ""),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(answer.contains("<Error>"), "{answer}");
    }
    let mut bytes = format!(
        "POST /?Format=JSON HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{form_type}Content-Length: 3\r\n\r\n"
    )
    .into_bytes();
    bytes.extend(b"a=\xff");
    assert!(raw(&emulator, bytes).await.contains("InvalidArgument"));

    let deep = format!("{{\"a\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let own = [("FlowName", "f"), ("Input", deep.as_str())];
    let (status, body) = call(&emulator, "StartExecution", &own).await;
    assert_eq!((status, &body["Code"]), (400, &json!("InvalidArgument")));
    let large = format!("Format=JSON&Input={}", "a".repeat(2 * 1024 * 1024));
    let (status, body) = json_of(post_form(&emulator, large.clone()).await.unwrap()).await;
    assert_eq!((status, &body["Code"]), (400, &json!("EntityTooLarge")));

    for (line, expected) in [
        ("PUT /?Format=JSON", "405"),
        ("GET /v3/auth/tokens", "404"),
        ("POST /v2//fgs/workflows//sync-executions", "401"),
        ("GET /%ff", "404"),
    ] {
        let answer = raw(&emulator, text(line, "", "")).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {expected}")),
            "{line}: {answer}"
        );
    }
    let json_type = client().post(emulator.url() + "/?Format=JSON");
    let json_type = json_type
        .header("content-type", "application/json")
        .body("{}");
    let (status, body) = json_of(json_type.send().await.unwrap()).await;
    assert_eq!(
        (status, &body["Code"]),
        (415, &json!("UnsupportedMediaType"))
    );
    for garbage in [
        &b"\x16\x03\x01garbage\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
    ] {
        let answer = raw(&emulator, garbage).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{answer}"
        );
    }
    // After all that, it still works.
    assert_eq!(
        call(&emulator, "StartExecution", &[("FlowName", "f")])
            .await
            .0,
        200
    );
}
