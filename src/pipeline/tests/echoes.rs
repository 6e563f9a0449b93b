//! Whatever a service repeats of a request, under whatever code, in whatever form: it is neither
//! shown nor logged, and what is useful stays.

use percent_encoding::{percent_decode_str, utf8_percent_encode};

use super::*;
use crate::{
    ErrorCode,
    alibaba::AssumeRole,
    huawei::{AccessKey, IamPassword},
    pipeline::{percent::RESERVED, testing::log::Log, transport::HttpRequest},
};

const TOKEN: &str = "TOKEN+sts/token==and*more~of_it";
const CALLBACK: &str = "CALLBACK+task/token==";
const EXTERNAL: &str = "EXTERNAL/id+1";
const PASSWORD: &str = "PASSWORD+pass/word==\"<&";
const KEY_ID: &str = "KEYID0123456789abcd";
const INPUT: &str = r#"{"who":"INPUT in put/中+&=","say":"\"quoted\" \\ here"}"#;
const POLICY: &str = r#"{"Version":"1","Statement":["POLICY in here/中+&="]}"#;

/// Secrets of which no 8 bytes are shown.
const SECRETS: [&str; 5] = [TOKEN, CALLBACK, EXTERNAL, PASSWORD, KEY_ID];
/// Of these no 24.
const DATA: [&str; 2] = [INPUT, POLICY];

/// Percent-encoding, escapes and entities resolved, as often as they may stand on each other.
fn resolved(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..4 {
        text = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        for (escape, c) in [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&amp;", "&"),
            ("\\\"", "\""),
            ("\\\\", "\\"),
            ("\\u4e2d", "中"),
        ] {
            text = text.replace(escape, c);
        }
    }
    text
}

#[track_caller]
fn assert_shows_nothing(shown: &str, about: &str) {
    let resolved = resolved(shown);
    for (texts, least) in [(&SECRETS[..], 8), (&DATA[..], 24)] {
        for text in texts {
            let forms = [(*text).to_owned(), self::resolved(text)];
            for (form, shown) in forms.iter().zip([shown, &resolved]) {
                let bytes: Vec<(usize, char)> = form.char_indices().collect();
                for (start, _) in bytes {
                    let Some(piece) = form.get(start..start + least) else {
                        continue;
                    };
                    assert!(!shown.contains(piece), "{about}: {piece} is in {shown}");
                }
            }
        }
    }
}

/// All that an error shows.
fn shown(error: &Error) -> String {
    let excerpt = String::from_utf8_lossy(error.body_excerpt().unwrap_or_default()).into_owned();
    let mut text = format!(
        "{error}\n{error:?}\n{error:#?}\n{}\n{excerpt}",
        error.message()
    );
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!("\n{error}\n{error:?}"));
        cause = error.source();
    }
    text
}

fn percent(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn escaped(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

type Encoding = fn(&str) -> String;

const ENCODINGS: [Encoding; 6] = [
    |text| text.to_owned(),
    percent,
    |text| percent(&percent(text)),
    escaped,
    xml,
    |text| xml(&escaped(text)),
];

/// What a gateway may repeat of a request.
fn echoes(request: &HttpRequest) -> Vec<String> {
    let form = String::from_utf8(request.body.to_vec()).unwrap();
    let query = request.url.query().unwrap_or_default();
    let mut parameters: Vec<&str> = query.split('&').chain(form.split('&')).collect();
    parameters.retain(|pair| !pair.is_empty() && !pair.starts_with("Signature="));
    parameters.sort_unstable();
    let headers = request.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        format!("{name}:{value}")
    });
    let headers: Vec<String> = headers.collect();
    let values = parameters.iter().filter_map(|pair| pair.split_once('='));
    let values =
        values.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned());
    vec![
        format!("{}&%2F&{}", request.method, percent(&parameters.join("&"))),
        format!(
            "{}|{}/|{query}|{}||host|{}",
            request.method,
            request.url.path(),
            headers.join("|"),
            "0".repeat(64)
        ),
        query.to_owned(),
        form.clone(),
        headers.join("\n"),
        values.collect::<Vec<_>>().join(", "),
    ]
}

/// Bodies that say this under a code.
fn bodies(code: &str, message: &str) -> Vec<String> {
    vec![
        json!({"Code": code, "Message": message, "RequestId": "r-17"}).to_string(),
        json!({"error_code": code, "error_msg": message, "request_id": "r-17"}).to_string(),
        format!(
            "<?xml version='1.0'?><Error><RequestId>r-17</RequestId><HostId>h</HostId>\
             <Code>{code}</Code><Message>{}</Message></Error>",
            xml(message)
        ),
        json!({"Message": message, "message": message}).to_string(),
        json!({"Code": message, "error_code": message, "RequestId": message}).to_string(),
        format!("<html>{message}"),
        format!("{{\"Code\":\"{code}\",\"Message\":\"{}", message),
    ]
}

/// A call that is refused with what `say` makes of its last request.
async fn refused(
    call: usize,
    status: u16,
    say: impl Fn(&HttpRequest) -> String + Send + Sync + 'static,
) -> Error {
    let script = Script::playing(move |request| Some(at_once(reply(status, &say(request)))));
    let key = || Credentials::new(KEY_ID, "secret-key").security_token(TOKEN);
    let alibaba = || {
        alibaba::Client::builder()
            .region("cn-hangzhou")
            .retry(RetryPolicy::never())
    };
    let huawei = || {
        huawei::Client::builder()
            .region("cn-north-4")
            .project_id("p")
            .retry(RetryPolicy::never())
    };
    let clock = || Clock::starting_at(wall());
    let start = || {
        StartExecutionRequest::new("flow")
            .input_json(INPUT)
            .callback_fnf_task_token(CALLBACK)
    };
    let run = || StartSyncWorkflowExecutionRequest::new("id").input_json(INPUT);
    let sent = script.clone();
    let error = match call {
        0 => {
            let client = alibaba()
                .credentials(key())
                .scripted(&script, clock())
                .build()
                .unwrap();
            client.start_execution(start()).send().await.unwrap_err()
        }
        1 => {
            let role = AssumeRole::new(key(), "acs:ram::1:role/r")
                .external_id(EXTERNAL)
                .policy(POLICY);
            let client = alibaba()
                .credentials(role)
                .scripted(&script, clock())
                .build()
                .unwrap();
            client.start_execution(start()).send().await.unwrap_err()
        }
        2 => {
            let key = AccessKey::new(KEY_ID, "secret-key").security_token(TOKEN);
            let client = huawei()
                .credentials(key)
                .scripted(&script, clock())
                .build()
                .unwrap();
            client
                .start_sync_workflow_execution(run())
                .send()
                .await
                .unwrap_err()
        }
        3 => {
            let token = Token::new(TOKEN);
            let client = huawei()
                .credentials(token)
                .scripted(&script, clock())
                .build()
                .unwrap();
            client
                .start_sync_workflow_execution(run())
                .send()
                .await
                .unwrap_err()
        }
        _ => {
            let password = IamPassword::new("domain", "user", PASSWORD);
            let client = huawei()
                .credentials(password)
                .scripted(&script, clock())
                .build()
                .unwrap();
            client
                .start_sync_workflow_execution(run())
                .send()
                .await
                .unwrap_err()
        }
    };
    assert!(!sent.sent().is_empty(), "{error:?}");
    error
}

const CALLS: usize = 5;

#[tokio::test(start_paused = true)]
async fn no_code_shows_what_a_service_repeats() {
    let log = Log::default();
    let _logging = log.start();
    let unlisted = [ErrorCode::from("New.Code"), ErrorCode::from("FSS.9999")];
    let mut turn = 0;
    for code in ErrorCode::DOCUMENTED.iter().chain(&unlisted) {
        for call in 0..CALLS {
            turn += 1;
            let status = [400, 200, 403, 500, 401][turn % 5];
            let wanted = code.as_str().to_owned();
            let say = move |request: &HttpRequest| {
                let echoes = echoes(request);
                let message = ENCODINGS[turn % ENCODINGS.len()](&echoes[turn / 3 % echoes.len()]);
                let bodies = bodies(&wanted, &format!("it read [{message}]"));
                bodies[turn / 7 % bodies.len()].clone()
            };
            let error = refused(call, status, say).await;
            assert_shows_nothing(&shown(&error), &format!("{code}, call {call}, turn {turn}"));
        }
    }
    assert_shows_nothing(&log.text(), "the log");
}

#[tokio::test(start_paused = true)]
async fn no_form_of_an_echo_is_shown() {
    for call in 0..CALLS {
        for status in [200, 400] {
            for form in 0..6 {
                for encode in ENCODINGS {
                    for body in 0..7 {
                        let error = refused(call, status, move |request| {
                            let message = encode(&echoes(request)[form]);
                            bodies("InvalidArgument", &message)[body].clone()
                        });
                        let about = format!("call {call}, {status}, form {form}, body {body}");
                        assert_shows_nothing(&shown(&error.await), &about);
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_echo_that_is_cut_anywhere_is_not_shown() {
    for call in [0, 1, 2, 4] {
        for (form, body) in [(0, 0), (1, 1), (3, 2), (5, 5)] {
            for cut in (1..900).step_by(7) {
                for from_its_end in [false, true] {
                    let error = refused(call, 400, move |request| {
                        let echo = &echoes(request)[form];
                        let cut = (0..=cut.min(echo.len()))
                            .rev()
                            .find(|at| echo.is_char_boundary(*at));
                        let (left, right) = echo.split_at(cut.unwrap_or(0));
                        let message = if from_its_end { right } else { left };
                        bodies("InvalidArgument", message)[body].clone()
                    });
                    let about = format!("call {call}, form {form}, cut at {cut}");
                    assert_shows_nothing(&shown(&error.await), &about);
                }
            }
        }
    }
}

/// The comparison with our own signed text is no matter of one code.
#[tokio::test(start_paused = true)]
async fn what_the_service_signed_is_compared_under_every_code() {
    for code in [
        "IncompleteSignature",
        "SignatureNotMatch",
        "New.Code",
        "InvalidTimeStamp.Format",
    ] {
        for body in [0, 2] {
            let error = refused(0, 400, move |request| {
                let echo = echoes(request)[0].replace("Timestamp%3D2026", "Timestamp%3D2027");
                bodies(code, &format!("server string to sign is:{echo}"))[body].clone()
            });
            let error = error.await;
            let shown = shown(&error);
            assert!(
                shown.contains("what the service signed differs from ours at `Timestamp`"),
                "{code}: {shown}"
            );
            assert!(shown.contains(code) && shown.contains("r-17"), "{shown}");
            assert!(
                !shown.contains("Input%3D") && !shown.contains("2027"),
                "{shown}"
            );
        }
    }
    let error = refused(0, 400, |request| {
        let echo = &echoes(request)[0];
        let message = format!("is:{}", &echo[..echo.len() - 40]);
        bodies("New.Code", &message)[0].clone()
    });
    let error = error.await;
    assert!(
        error.message().contains("as far as it is repeated"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_flow_says_shows_no_input_but_keeps_it_as_data() {
    let said = format!("cannot read {INPUT} with {TOKEN}");
    let body = json!({
        "Status": "Failed", "ErrorCode": "X", "ErrorMessage": said, "Name": "n",
        "status": "fail", "execution_id": "e-1",
        "errors": [{"node_id": "n-5", "error_message": said}],
    });
    let script = Script::playing(move |_| Some(at_once(reply(200, &body.to_string()))));
    let key = Credentials::new(KEY_ID, "secret-key").security_token(TOKEN);
    let client = alibaba::Client::builder()
        .region("cn-hangzhou")
        .credentials(key)
        .scripted(&script, Clock::starting_at(wall()))
        .build()
        .unwrap();
    let request = StartSyncExecutionRequest::new("flow").input_json(INPUT);
    let done = client.start_sync_execution(request).send().await.unwrap();
    let message = done.error_message.as_deref().unwrap().to_owned();
    assert!(message.contains(INPUT), "{message}");
    assert!(!message.contains("sts/token"), "{message}");
    let printed = format!("{done:?}");
    let error = done.into_output::<serde_json::Value>().unwrap_err();
    let printed = format!("{printed}{}", shown(&error));
    assert_shows_nothing(&printed, "Alibaba Cloud");
    assert!(printed.contains("cannot read"), "{printed}");
    let failure = error.flow_failure().unwrap();
    assert!(failure.message().unwrap().contains(INPUT));
}

/// What a history says of a failure is the flow's words, wherever they stand in it.
#[tokio::test(start_paused = true)]
async fn what_a_history_says_shows_no_secret_and_no_input() {
    let script = Script::playing(move |request| {
        let body = match parameter(request, "Action").as_deref() {
            Some("DescribeExecution") => {
                json!({"FlowName": "flow", "Name": "n", "Status": "Failed", "Input": INPUT})
            }
            _ => {
                let said = format!("cannot read {INPUT} with {TOKEN}");
                let detail = json!({"error": format!("X {KEY_ID}"), "cause": said}).to_string();
                json!({"Events": [{"EventId": 1, "Type": "StepFailed", "EventDetail": detail}]})
            }
        };
        Some(at_once(reply(200, &body.to_string())))
    });
    let key = Credentials::new(KEY_ID, "secret-key").security_token(TOKEN);
    let client = alibaba::Client::builder()
        .region("cn-hangzhou")
        .credentials(key)
        .scripted(&script, Clock::starting_at(wall()))
        .build()
        .unwrap();
    let ended = client.wait(crate::ExecutionRef::new("flow", "n")).await;
    let ended = ended.unwrap();
    assert_eq!(ended.error_code.as_deref(), Some("X [hidden]"));
    let message = ended.error_message.as_deref().unwrap();
    assert!(message.contains(INPUT), "{message}");
    assert!(!message.contains("sts/token"), "{message}");
    let printed = format!("{ended:?}");
    let error = ended.into_output::<serde_json::Value>().unwrap_err();
    let printed = format!("{printed}{}", shown(&error));
    assert_shows_nothing(&printed, "a history");
    assert!(printed.contains("cannot read"), "{printed}");
}
