//! Nothing leaks: markers stand for secrets, tokens and inputs, and are looked for in everything
//! that is printed or logged, also in base64 and percent-encoded.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fmt::{self, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose};
use cloud_workflows::{
    Error, RetryPolicy, Secret,
    alibaba::{self, Credentials, StartExecutionRequest, StartSyncExecutionRequest},
    emulator::{Emulator, Fault},
    huawei::{self, AccessKey, IamPassword, StartSyncWorkflowExecutionRequest, Token},
};
use serde_json::{Value, json};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// With characters that every encoding changes.
const SECRET: &str = "MARKER+secret/key==";
const STS_TOKEN: &str = "MARKER+sts/token==";
const PASSWORD: &str = "MARKER+pass/word==";
const INPUT: &str = "MARKER+in put/中==";
const TASK_TOKEN: &str = "MARKER+task/token==";

/// Keeps every span and event of this thread as text.
#[derive(Clone, Default)]
struct Log {
    text: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let text = &mut *self.text.lock().unwrap();
        let _ = write!(text, "\nspan {}", span.metadata().name());
        span.record(&mut Fields(text));
        span::Id::from_u64(1 + self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let text = &mut *self.text.lock().unwrap();
        text.push_str("\nrecord");
        values.record(&mut Fields(text));
    }

    fn event(&self, event: &Event<'_>) {
        let text = &mut *self.text.lock().unwrap();
        let _ = write!(text, "\nevent {}", event.metadata().target());
        event.record(&mut Fields(text));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn assert_clean(text: &str) {
    let percent = |text: &str| -> String {
        let bytes = text.bytes().map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        });
        bytes.collect()
    };
    let base64 = |text: &str| general_purpose::STANDARD_NO_PAD.encode(text);
    for marker in [SECRET, STS_TOKEN, PASSWORD, INPUT, TASK_TOKEN, "MARKER"] {
        let core = &base64(marker)[..8];
        for form in [
            marker,
            &percent(marker),
            &base64(marker),
            core,
            &percent(&percent(marker)),
        ] {
            assert!(!text.contains(form), "{form} is in: {text}");
        }
    }
}

fn assert_error_is_clean(error: &Error) {
    let mut text = format!("{error} {error:?} {error:#?} {}", error.message());
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        let _ = write!(text, " {error} {error:?}");
        source = error.source();
    }
    assert_clean(&text);
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

/// Everything that can be printed, on every way a call can go.
#[tokio::test(flavor = "current_thread")]
async fn nothing_leaks() {
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());

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
            emulator.fault("StartSyncExecution", fault);
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
            emulator.fault("sync-executions", fault);
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

    let logged = log.text.lock().unwrap().clone();
    assert_clean(&logged);
    for expected in [
        "\nspan call operation=\"StartSyncExecution\"",
        "\nspan attempt number=1",
        "\nevent cloud_workflows::pipeline::attempt message=attempt failed attempt=1",
        "request_id=\"",
    ] {
        assert!(logged.contains(expected), "{expected} is not in: {logged}");
    }
}
