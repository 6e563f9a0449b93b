//! Nothing leaks: markers stand for secrets, tokens and inputs, and are looked for in everything
//! that is printed or logged, also in base64 and percent-encoded.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/log.rs"]
mod log;

use cloud_workflows::{
    Error, RetryPolicy, Secret,
    alibaba::{self, Credentials, StartExecutionRequest, StartSyncExecutionRequest},
    emulator::{Emulator, Fault},
    huawei::{self, AccessKey, IamPassword, StartSyncWorkflowExecutionRequest, Token},
};
use log::Log;
use serde_json::{Value, json};

/// With characters that every encoding changes.
const SECRET: &str = "MARKER+secret/key==";
const STS_TOKEN: &str = "MARKER+sts/token==";
const PASSWORD: &str = "MARKER+pass/word==";
const INPUT: &str = "MARKER+in put/中==";
const TASK_TOKEN: &str = "MARKER+task/token==";

const MARKERS: [&str; 5] = [SECRET, STS_TOKEN, PASSWORD, INPUT, TASK_TOKEN];

fn assert_clean(text: &str) {
    log::assert_silent(text, &MARKERS);
    assert!(!text.contains("MARKER"), "{text}");
}

fn assert_error_is_clean(error: &Error) {
    log::assert_error_is_silent(error, &MARKERS);
    assert_clean(&format!("{error:?} {}", error.message()));
}

fn alibaba_client(emulator: &Emulator, secret: &str) -> alibaba::Client {
    let key = Credentials::new("id", secret).security_token(STS_TOKEN);
    let builder = emulator
        .alibaba()
        .credentials(key)
        .retry(RetryPolicy::never());
    assert_clean(&format!("{builder:?} {builder:#?}"));
    builder.build().unwrap()
}

/// A key is made ready to send once: neither what it is made of nor what is sent of it is printed,
/// and of two tokens the last is the one that is sent.
#[tokio::test(flavor = "current_thread")]
async fn a_key_that_is_ready_to_send_is_silent() {
    const KEY_ID: &str = "MARKER+key/id==";
    let log = Log::default();
    let _logging = log.start();
    let emulator = Emulator::builder()
        .sts_key(KEY_ID, SECRET, STS_TOKEN)
        .start()
        .unwrap();
    emulator.express("flow", |input: Value| Ok(input));
    let first = Credentials::new(KEY_ID, SECRET).security_token("MARKER+first/token==");
    let last = first.clone().security_token(STS_TOKEN);
    for (key, is_taken) in [(first, false), (last, true)] {
        assert_clean(&format!("{key:?} {key:#?} {:?}", key.clone()));
        let builder = emulator.alibaba().retry(RetryPolicy::never());
        let client: alibaba::Client = builder.credentials(key).build().unwrap();
        assert_clean(&format!("{client:?}"));
        let request = StartSyncExecutionRequest::new("flow").input(json!({}));
        match client
            .start_sync_execution(request)
            .send_for_response()
            .await
        {
            Ok(response) => {
                assert!(is_taken);
                assert_clean(&format!("{response:?}"));
            }
            Err(error) => {
                assert!(!is_taken, "{error}");
                log::assert_error_is_silent(&error, &[KEY_ID]);
                assert_error_is_clean(&error);
            }
        }
    }
    let text = log.text();
    log::assert_silent(&text, &[KEY_ID]);
    assert_clean(&text);
}

/// Everything that can be printed, on every way a call can go.
#[tokio::test(flavor = "current_thread")]
async fn nothing_leaks() {
    let log = Log::default();
    let _logging = log.start();

    let emulator = Emulator::builder()
        .sts_key("id", SECRET, STS_TOKEN)
        .iam_user("domain", "user", PASSWORD)
        .start()
        .unwrap();
    emulator
        .standard("flow", |input: Value| Ok(input))
        .express("flow", |input: Value| Ok(input))
        .express("express", |input: Value| Ok(input))
        .workflow("workflow", |input: Value| Ok(input));
    emulator.environment("express", &[("password", SECRET)]);
    let input = json!({ "key": INPUT });
    let echo = format!(r#"{{"Code":"SignatureDoesNotMatch","Message":"POST&%2F&{INPUT}"}}"#);
    let faults = || {
        [
            Fault::none(),
            Fault::cut_before_run(),
            Fault::cut_after_run(),
            Fault::cut_reply(20),
            Fault::refuse(500, "InternalServerError", "no"),
            Fault::refuse(429, "ResourceThrottled", "no"),
            Fault::answer(400, "application/json", echo.clone()),
            Fault::answer(200, "text/html", format!("<html>{INPUT}")),
            Fault::answer(502, "text/html", format!("<html>{INPUT}")),
            Fault::answer(307, "text/html", "").header("location", "http://127.0.0.1:1/"),
        ]
    };

    let good = alibaba_client(&emulator, SECRET);
    let bad = alibaba_client(&emulator, "MARKER-wrong");
    let mut failed = 0;
    for client in [&good, &bad] {
        for fault in faults() {
            emulator.fault::<StartSyncExecutionRequest>(fault);
            let request = StartSyncExecutionRequest::new("express").input(&input);
            assert_clean(&format!("{request:?} {:?}", client));
            let call = client.start_sync_execution(request);
            assert_clean(&format!("{call:?} {call:#?}"));
            match call.send_for_response().await {
                Ok(response) => assert_clean(&format!("{response:?}")),
                Err(error) => {
                    assert_error_is_clean(&error);
                    failed += 1;
                }
            }
        }
    }
    let request = StartExecutionRequest::new("express")
        .input(&input)
        .callback_fnf_task_token(TASK_TOKEN);
    assert_clean(&format!("{request:?}"));
    assert_error_is_clean(&good.start_execution(request).send().await.unwrap_err());

    for password in [PASSWORD, "MARKER-wrong"] {
        let source = IamPassword::new("domain", "user", password);
        assert_clean(&format!("{source:?}"));
        let builder = emulator
            .huawei()
            .credentials(source)
            .retry(RetryPolicy::never());
        assert_clean(&format!("{builder:?}"));
        let client: huawei::Client = builder.build().unwrap();
        for fault in faults() {
            emulator.fault::<StartSyncWorkflowExecutionRequest>(fault);
            let request = StartSyncWorkflowExecutionRequest::new("workflow")
                .input(&input)
                .header("authorization", SECRET);
            assert_clean(&format!("{request:?} {client:?}"));
            let call = client.start_sync_workflow_execution(request);
            match call.send_for_response().await {
                Ok(response) => assert_clean(&format!("{response:?}")),
                Err(error) => {
                    assert_error_is_clean(&error);
                    failed += 1;
                }
            }
        }
    }
    assert!(failed > 30, "{failed}");
    for printed in [
        format!("{:?}", Secret::new(SECRET)),
        format!("{:?}", Token::new(SECRET)),
        format!(
            "{:?}",
            AccessKey::new("id", SECRET).security_token(STS_TOKEN)
        ),
        format!("{:?}", Credentials::new("id", SECRET)),
        format!("{:?}", emulator.requests()),
        format!("{:?}", emulator.executions("express")),
        format!("{emulator:?}"),
    ] {
        assert_clean(&printed);
    }

    let logged = log.text();
    assert_clean(&logged);
    for expected in [
        "\nspan call otel.kind=\"client\" cloud=\"alibaba\" operation=\"StartSyncExecution\"",
        "message=attempt answered attempt=1 http.response.status_code=200",
        "\nevent cloud_workflows::pipeline::attempt message=attempt failed attempt=1",
        "request_id=\"",
    ] {
        assert!(logged.contains(expected), "{expected} is not in: {logged}");
    }
}
