//! What an operator sees of calls, as the guide's table says.

#![cfg(all(feature = "alibaba", feature = "huawei"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "support/log.rs"]
#[expect(dead_code, reason = "secrets are for their own tests")]
mod log;

use std::sync::atomic::{AtomicUsize, Ordering};

use cloud_workflows::{
    BoxFuture, Context, Error, ErrorKind, Lease, ProvideCredential, RetryPolicy,
    alibaba::{
        Client, Credentials, DescribeExecutionRequest, StartExecutionRequest,
        StartSyncExecutionRequest,
    },
    chrono::TimeDelta,
    emulator::{Emulator, Fault},
    huawei::{AccessKey, StartSyncWorkflowExecutionRequest},
};
use log::Log;
use opentelemetry::trace::{SpanKind, Status, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use serde_json::Value;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    registry,
};

fn emulator() -> Emulator {
    let emulator = Emulator::builder()
        .access_key("id", "a-secret-key")
        .huawei_key("id", "a-secret-key")
        .start()
        .unwrap();
    emulator
        .standard("flow", |input: Value| Ok(input))
        .express("express", |input: Value| Ok(input))
        .workflow("workflow", |input: Value| Ok(input));
    emulator
}

fn client(emulator: &Emulator) -> Client {
    let key = Credentials::new("id", "a-secret-key");
    emulator.alibaba().credentials(key).build().unwrap()
}

#[track_caller]
fn assert_logged(text: &str, expected: &[&str]) {
    for part in expected {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_is_one_span_and_each_attempt_one_event() {
    let emulator = emulator();
    let client = client(&emulator);
    emulator.fault::<StartExecutionRequest>(Fault::refuse(503, "ServiceUnavailable", "later"));
    let log = Log::default();
    let logging = log.start();
    let request = StartExecutionRequest::new("flow").execution_name("order-17");
    client.start_execution(request).send().await.unwrap();
    drop(logging);
    let text = log.text();
    assert_logged(
        &text,
        &[
            "\nspan call otel.kind=\"client\" cloud=\"alibaba\" operation=\"StartExecution\" \
             flow=\"flow\" execution_name=\"order-17\" server.address=\"127.0.0.1\" server.port=",
            "message=attempt failed attempt=1 http.response.status_code=503 error.type=",
            "code=\"ServiceUnavailable\" request_id=\"",
            "delivery=",
            "message=attempt answered attempt=2 http.response.status_code=200 elapsed_ms=",
            "\nrecord attempts=2",
            "\nrecord http.response.status_code=200",
            "\nrecord request_id=\"",
            "\nrecord elapsed_ms=",
        ],
    );
    assert_eq!(text.matches("\nspan ").count(), 1, "{text}");
    assert_eq!(text.matches("message=attempt").count(), 2, "{text}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_that_fails_says_so_in_its_span() {
    let emulator = emulator();
    let client = client(&emulator);
    let log = Log::default();
    let logging = log.start();
    let request = DescribeExecutionRequest::new("flow", "none");
    client.describe_execution(request).send().await.unwrap_err();
    let key = AccessKey::new("id", "a-secret-key");
    let huawei = emulator.huawei().credentials(key).build().unwrap();
    let request = StartSyncWorkflowExecutionRequest::new("workflow");
    huawei
        .start_sync_workflow_execution(request)
        .send()
        .await
        .unwrap();
    drop(logging);
    assert_logged(
        &log.text(),
        &[
            "\nrecord http.response.status_code=404",
            "\nrecord error.type=NotFound",
            "\nrecord delivery=Refused",
            "\nrecord otel.status_code=\"ERROR\"",
            "cloud=\"huawei\" operation=\"StartSyncWorkflowExecution\" server.address=",
        ],
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_clock_that_is_corrected_is_told_with_how_much() {
    let emulator = emulator();
    let client = client(&emulator);
    emulator.shift_clock(TimeDelta::hours(1));
    let log = Log::default();
    let logging = log.start();
    for _ in 0..2 {
        let request = StartSyncExecutionRequest::new("express");
        client.start_sync_execution(request).send().await.unwrap();
    }
    drop(logging);
    let text = log.text();
    assert_eq!(text.matches("clock is wrong").count(), 1, "{text}");
    let by = text.split("corrected_by_s=").nth(1).unwrap();
    let by: i64 = by.split_whitespace().next().unwrap().parse().unwrap();
    assert!((3_590..=3_610).contains(&by), "{by}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_key_that_is_shut_is_told_once() {
    let emulator = emulator();
    let wrong = Credentials::new("id", "a-wrong-key");
    let builder = emulator.alibaba().credentials(wrong);
    let client = builder.retry(RetryPolicy::never()).build().unwrap();
    let log = Log::default();
    let logging = log.start();
    for _ in 0..5 {
        let request = StartSyncExecutionRequest::new("express");
        client
            .start_sync_execution(request)
            .send()
            .await
            .unwrap_err();
    }
    drop(logging);
    let text = log.text();
    assert_eq!(text.matches("it is shut").count(), 1, "{text}");
    assert_logged(&text, &["refusals=3 shut_for_s=300 probe_every_s=60"]);
}

/// Gives a key for a while, and then none.
#[derive(Debug, Default)]
struct Failing(AtomicUsize);

impl ProvideCredential<Credentials> for Failing {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(async {
            if self.0.fetch_add(1, Ordering::SeqCst) > 0 {
                return Err(Error::credentials("the vault is down", true, None));
            }
            // Less than the time before its end in which it is renewed.
            let end = context.now() + TimeDelta::seconds(29);
            Ok(Lease::new(Credentials::new("id", "a-secret-key")).expires_at(end))
        })
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_renewal_that_fails_is_told_with_the_time_left() {
    let emulator = emulator();
    let builder = emulator.alibaba().credentials(Failing::default());
    let client = builder.build().unwrap();
    let log = Log::default();
    let logging = log.start();
    for _ in 0..3 {
        let request = DescribeExecutionRequest::new("flow", "none");
        let error = client.describe_execution(request).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "calls go on: {error}");
    }
    drop(logging);
    let text = log.text();
    assert_logged(&text, &["could not be renewed", "the vault is down"]);
    let left = text.split(" left_s=").nth(1).unwrap();
    let left: u64 = left.split_whitespace().next().unwrap().parse().unwrap();
    assert!((20..30).contains(&left), "{left}");
}

/// The spans as an exporter of OpenTelemetry gets them.
#[tokio::test(flavor = "current_thread")]
async fn opentelemetry_gets_spans_with_its_own_names() {
    let emulator = emulator();
    let client = client(&emulator);
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let guard = tracing::subscriber::set_default(
        registry()
            .with(layer)
            .with(Targets::new().with_target("cloud_workflows", LevelFilter::DEBUG)),
    );
    let _nobody_s = tracing::Dispatch::new(Log::default());
    tracing::callsite::rebuild_interest_cache();
    let request = DescribeExecutionRequest::new("flow", "none");
    client.describe_execution(request).send().await.unwrap_err();
    drop(guard);
    let spans = exporter.get_finished_spans().unwrap();
    let [span] = &spans[..] else {
        panic!("{spans:?}");
    };
    assert_eq!(span.name, "call");
    assert_eq!(span.span_kind, SpanKind::Client);
    assert!(
        matches!(span.status, Status::Error { .. }),
        "{:?}",
        span.status
    );
    let value = |key: &str| {
        let mut attributes = span.attributes.iter();
        let found = attributes.find(|attribute| attribute.key.as_str() == key);
        found.map(|attribute| attribute.value.to_string())
    };
    for (key, expected) in [
        ("cloud", "alibaba"),
        ("operation", "DescribeExecution"),
        ("flow", "flow"),
        ("execution_name", "none"),
        ("server.address", "127.0.0.1"),
        ("attempts", "1"),
        ("http.response.status_code", "404"),
        ("error.type", "NotFound"),
        ("code", "ExecutionNotExists"),
        ("delivery", "Refused"),
    ] {
        assert_eq!(value(key).as_deref(), Some(expected), "{key}: {span:?}");
    }
    assert!(value("elapsed_ms").is_some() && value("request_id").is_some());
    let [event] = &span.events.events[..] else {
        panic!("{:?}", span.events);
    };
    assert_eq!(event.name, "attempt failed");
    let event = format!("{:?}", event.attributes);
    assert!(event.contains("http.response.status_code"), "{event}");
}
