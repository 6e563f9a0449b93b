//! What is sent, against the plain words of the vendors' sheets.

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;

use super::*;

/// Everything outside `A-Za-z0-9-_.~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The parameters of a call to Alibaba Cloud; fails unless all stand sorted in the one place where
/// they belong, each once, and the last is the signature of the others as they are sent.
#[track_caller]
fn signed(request: &HttpRequest, secret: &str) -> Vec<(String, String)> {
    let sent = match request.method {
        http::Method::GET => {
            assert!(request.body.is_empty());
            request.url.query().unwrap()
        }
        _ => {
            assert_eq!(request.url.query(), None);
            let form = "application/x-www-form-urlencoded";
            assert_eq!(request.headers["content-type"], form);
            std::str::from_utf8(&request.body).unwrap()
        }
    };
    let (canonical, signature) = sent.rsplit_once("&Signature=").unwrap();
    let mut mac = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()).unwrap();
    mac.update(format!("{}&%2F&{}", request.method, encoded(canonical)).as_bytes());
    let expected = mac.finalize().into_bytes();
    let expected = base64::engine::general_purpose::STANDARD.encode(expected);
    assert_eq!(signature, encoded(&expected));
    let pairs: Vec<_> = url::form_urlencoded::parse(canonical.as_bytes())
        .into_owned()
        .collect();
    let again: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    assert_eq!(again.join("&"), canonical, "encoded as it is signed");
    assert!(
        pairs.is_sorted_by(|(one, _), (next, _)| one < next),
        "{canonical}"
    );
    pairs
}

#[tokio::test(start_paused = true)]
async fn whatever_its_parameters_are_named_a_call_is_sorted_and_signed() {
    let own = [
        "A",
        "AccessKey",
        "AccessKeyIdX",
        "Actions",
        "B",
        "Forma",
        "Formats",
        "Name",
        "SecurityT",
        "SignatureMethodX",
        "SignatureNonces",
        "T",
        "Timestamps",
        "Ver",
        "Versions",
        "Z",
        "a",
    ];
    for token in [None, Some("a-token/with=marks+")] {
        let key = Credentials::new("id+", "secret");
        let key = token.into_iter().fold(key, Credentials::security_token);
        let script = Script::playing(|_| Some(at_once(reply(200, "{}"))));
        let client = alibaba::Client::builder()
            .region("cn-hangzhou")
            .credentials(key)
            .scripted(&script, Clock::starting_at(wall()))
            .build()
            .unwrap();
        // All of them, none, and each alone.
        let sets = [&own[..], &[]].into_iter().chain(own.chunks(1));
        for names in sets {
            for call in [
                alibaba::Undeclared::read("DoThis"),
                alibaba::Undeclared::change("DoThis"),
            ] {
                let value = |name: &str| format!("{name} é*~%&=+/\"");
                let call = names
                    .iter()
                    .fold(call, |call, name| call.param(*name, value(name)));
                client.undeclared(call).send().await.unwrap();
                let (_, request) = script.sent().pop().unwrap();
                assert_eq!(request.headers["x-acs-action"], "DoThis");
                assert_eq!(request.headers["x-acs-version"], "2019-03-15");
                let mut pairs = signed(&request, "secret");
                for name in names {
                    let at = pairs.iter().position(|(own, _)| own == name).unwrap();
                    assert_eq!(pairs.remove(at).1, value(name));
                }
                let nonce = pairs.iter().position(|(name, _)| name == "SignatureNonce");
                assert_eq!(pairs.remove(nonce.unwrap()).1.len(), 32);
                let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
                let common = [
                    Some(("AccessKeyId", "id+")),
                    Some(("Action", "DoThis")),
                    Some(("Format", "JSON")),
                    token.map(|token| ("SecurityToken", token)),
                    Some(("SignatureMethod", "HMAC-SHA1")),
                    Some(("SignatureVersion", "1.0")),
                    Some(("Timestamp", "2026-11-22T12:00:00Z")),
                    Some(("Version", "2019-03-15")),
                ];
                let common: Vec<_> = common.into_iter().flatten().map(pair).collect();
                assert_eq!(pairs, common);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_request_id_is_that_of_the_answer_or_of_its_headers() {
    let name = "x-acs-request-id";
    for (body, header, expected) in [
        (
            r#"{"Status":"Running","RequestId":"b"}"#,
            Some("h"),
            Some("b"),
        ),
        (r#"{"Status":"Running"}"#, Some("h"), Some("h")),
        (r#"{"Status":"Running"}"#, Some(""), None),
        (r#"{"Status":"Running"}"#, None, None),
    ] {
        let answer = reply(200, body);
        let answer = match header {
            Some(header) => with_header(answer, name, header),
            None => answer,
        };
        let call = alibaba_client(&Script::new([at_once(answer)]))
            .start_execution(StartExecutionRequest::new("flow"));
        let answer = call.send_for_response().await.unwrap();
        assert_eq!(answer.request_id(), expected, "{body} {header:?}");
    }
    // One that cannot be read still tells whose it is.
    let broken = r#"{"RequestId":"b","Name":"n","execution_id":"e","Status":"#;
    let broken = |name| at_once(with_header(reply(200, broken), name, "h"));
    let call = alibaba_client(&Script::new([broken(name)]))
        .start_sync_execution(StartSyncExecutionRequest::new("flow"));
    let error = call.send().await.unwrap_err();
    assert_eq!(error.request_id(), Some("b"));
    let name = "x-request-id";
    let call = huawei_client(&Script::new([broken(name)]))
        .start_sync_workflow_execution(StartSyncWorkflowExecutionRequest::new("id"));
    let error = call.send().await.unwrap_err();
    assert_eq!(error.request_id(), Some("h"));
    assert_eq!(error.execution_id(), Some("e"));
    let done = with_header(reply(200, r#"{"status":"success"}"#), name, "h");
    let call = huawei_client(&Script::new([at_once(done)]))
        .start_sync_workflow_execution(StartSyncWorkflowExecutionRequest::new("id"));
    let answer = call.send_for_response().await.unwrap();
    assert_eq!(answer.request_id(), Some("h"));
}

#[tokio::test(start_paused = true)]
async fn ids_that_hold_a_secret_are_not_shown() {
    let broken = r#"{"RequestId":"a-secret-token","Name":"a-secret-token","Status":"#;
    let script = Script::new([at_once(reply(200, broken))]);
    let key = Credentials::new("id", "secret").security_token("a-secret-token");
    let client = alibaba::Client::builder()
        .region("cn-hangzhou")
        .credentials(key)
        .scripted(&script, Clock::starting_at(wall()))
        .build()
        .unwrap();
    let call = client.start_sync_execution(StartSyncExecutionRequest::new("flow"));
    let error = call.send().await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("a-secret-token"));
    let ids = [error.request_id(), error.execution_name()];
    assert!(
        ids.iter()
            .flatten()
            .all(|id| !id.contains("a-secret-token"))
    );
    assert!(error.request_id().is_some());
}
