//! One function over every implementation of `Workflow`, the fake too, against the emulator.
#![cfg(all(feature = "alibaba", feature = "huawei"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::time::Duration;

use cloud_workflows::{
    Cloud, Delivery, Error, ErrorKind, FlowFailure, Outcome, Start, Workflow,
    alibaba::{StartExecutionRequest, StartSyncExecutionRequest, StartSyncExecutionResponse},
    emulator::{Emulator, FakeWorkflow, Fault, Flow},
    huawei::{
        StartSyncWorkflowExecutionRequest, StartSyncWorkflowExecutionResponse,
        StartWorkflowExecutionRequest, WorkflowExecution,
    },
};
use serde_json::{Value, json};

type Closure = fn(Value) -> Result<Value, FlowFailure>;

fn double(input: Value) -> Result<Value, FlowFailure> {
    match input["n"].as_i64() {
        Some(n) => Ok(json!({"doubled": 2 * n})),
        None => Err(FlowFailure::new("NoNumber", "n is missing")),
    }
}

fn emulator() -> Emulator {
    let emulator = Emulator::start().unwrap();
    emulator
        .express("express", double as Closure)
        .standard("standard", Flow::new(double))
        .workflow("sync", double as Closure)
        .workflow("async", Flow::new(double));
    emulator
}

/// Every flow on a service, with its name there.
fn real(emulator: &Emulator) -> Vec<(&'static str, Cloud, Box<dyn Workflow>)> {
    let alibaba = emulator.alibaba().build().unwrap();
    let huawei = emulator.huawei().build().unwrap();
    let express = alibaba.workflow(StartSyncExecutionRequest::new("express"));
    let standard = alibaba.workflow(StartExecutionRequest::new("standard"));
    let sync = huawei.workflow(StartSyncWorkflowExecutionRequest::new("sync"));
    let on_its_own = huawei.workflow(StartWorkflowExecutionRequest::new("async"));
    vec![
        ("express", Cloud::Alibaba, Box::new(express)),
        ("standard", Cloud::Alibaba, Box::new(standard)),
        ("sync", Cloud::Huawei, Box::new(sync)),
        ("async", Cloud::Huawei, Box::new(on_its_own)),
    ]
}

fn alibaba(answer: Value) -> StartSyncExecutionResponse {
    serde_json::from_value(answer).unwrap()
}

fn huawei(answer: Value) -> StartSyncWorkflowExecutionResponse {
    serde_json::from_value(answer).unwrap()
}

/// The function: what it gives is the same everywhere.
async fn doubled(flow: &dyn Workflow, input: Value) -> Result<i64, String> {
    let start = Start::new(&input).map_err(|error| error.to_string())?;
    let outcome = flow.run(start).await.map_err(|error| error.to_string())?;
    match outcome.into_output::<Value>() {
        Ok(output) => Ok(output["doubled"].as_i64().unwrap()),
        Err(error) => {
            let failure = error.flow_failure().unwrap();
            assert!(error.may_have_started(), "{error}");
            match (error.kind(), failure.code().or(failure.node())) {
                (ErrorKind::FlowFailed, Some("NoNumber" | "closure")) => {
                    Err(failure.message().unwrap().to_owned())
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn the_same_function_runs_on_every_implementation() {
    let emulator = emulator();
    let fake = FakeWorkflow::new()
        .answers(alibaba(
            json!({"Status": "Succeeded", "Output": "{\"doubled\":42}"}),
        ))
        .answers(huawei(json!({
            "status": "fail",
            "errors": [{"node_id": "closure", "error_message": "n is missing"}],
        })));
    let mut flows = real(&emulator);
    flows.push(("", Cloud::Alibaba, Box::new(fake.clone())));
    for (name, _, flow) in &flows {
        assert_eq!(doubled(&**flow, json!({"n": 21})).await, Ok(42), "{name}");
        let error = doubled(&**flow, json!({})).await.unwrap_err();
        assert!(error.ends_with("n is missing"), "{name}: {error}");
        if !name.is_empty() {
            assert_eq!(emulator.runs(name), 2, "{name}");
        }
    }
    assert_eq!(fake.asked().len(), 2);
    assert_eq!(fake.asked()[0].input.as_str(), r#"{"n":21}"#);
}

#[tokio::test]
async fn an_outcome_tells_where_and_when() {
    let emulator = emulator();
    for (name, cloud, flow) in real(&emulator) {
        let outcome = flow.run(Start::new(&json!({"n": 1})).unwrap()).await;
        let outcome: Outcome = outcome.unwrap();
        assert_eq!((outcome.cloud(), outcome.kind()), (cloud, None), "{name}");
        assert!(outcome.failure().is_none(), "{name}");
        let executed = &emulator.executions(name)[0];
        assert_eq!(outcome.execution(), Some(&*executed.name), "{name}");
        assert!(outcome.started() <= outcome.stopped(), "{name}");
        assert!(outcome.started().is_some(), "{name}");
        // A wait's looks at Huawei Cloud's executions have ids that tell nothing of the start.
        assert!(outcome.request_id().is_some() || name == "async", "{name}");
        assert_eq!(outcome.output().unwrap().as_str(), r#"{"doubled":2}"#);
    }
}

/// The answer of the start is lost after the flow ran; then the program repeats it where the trait
/// says that it may.
#[tokio::test]
async fn what_is_said_of_repeating_is_what_happens() {
    for i in 0..4 {
        let emulator = emulator();
        let (name, _, flow) = real(&emulator).swap_remove(i);
        let start = Start::new(&json!({"n": 21})).unwrap();
        if flow.is_idempotent() {
            let start = start.name("order-17");
            for _ in 0..5 {
                emulator.fault::<StartExecutionRequest>(Fault::cut_after_run());
            }
            for _ in 0..3 {
                let outcome = flow.run(start.clone()).await.unwrap();
                assert_eq!(outcome.execution(), Some("order-17"));
                let output: Value = outcome.into_output().unwrap();
                assert_eq!(output["doubled"], 42);
            }
            assert_eq!(emulator.runs(name), 1, "{name}");
            continue;
        }
        let lost = || Fault::cut_after_run();
        match name {
            "express" => emulator.fault::<StartSyncExecutionRequest>(lost()),
            "sync" => emulator.fault::<StartSyncWorkflowExecutionRequest>(lost()),
            _ => emulator.fault::<StartWorkflowExecutionRequest>(lost()),
        }
        let error = flow.run(start.clone()).await.unwrap_err();
        assert_eq!(error.delivery(), Delivery::Unknown, "{name}: {error}");
        assert!(error.may_have_started() && !error.is_retryable(), "{error}");
        assert_eq!(emulator.runs(name), 1, "{name}");
        // Whoever repeats it all the same has two.
        flow.run(start).await.unwrap();
        assert_eq!(emulator.runs(name), 2, "{name}");
    }
}

#[tokio::test]
async fn an_idempotent_start_is_refused_before_anything_is_sent() {
    let emulator = emulator();
    let mut flows = real(&emulator);
    flows.push(("", Cloud::Alibaba, Box::new(FakeWorkflow::new())));
    let mut idempotent = Vec::new();
    for (name, _, flow) in flows {
        let start = Start::new(&json!({"n": 1})).unwrap().name("order-17");
        if flow.is_idempotent() {
            idempotent.push(name);
            continue;
        }
        let error = flow.run(start).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}");
        assert_eq!(error.delivery(), Delivery::NotSent, "{name}");
        assert!(
            error.to_string().contains("name: the service has no"),
            "{error}"
        );
        assert!(!error.is_retryable() && !error.may_have_started(), "{name}");
    }
    assert_eq!(idempotent, ["standard"]);
    assert!(emulator.requests().is_empty());
}

#[tokio::test]
async fn a_name_with_another_input_is_another_s() {
    let emulator = emulator();
    let done = alibaba(json!({"Status": "Succeeded", "Output": "{}"}));
    let flows: [(&str, Box<dyn Workflow>); 2] = [
        ("standard", real(&emulator).swap_remove(1).2),
        (
            "fake",
            Box::new(FakeWorkflow::new().idempotent().answers(done)),
        ),
    ];
    for (name, flow) in flows {
        let start = |n| Start::new(&json!({"n": n})).unwrap().name("order-17");
        let first = flow.run(start(1)).await.unwrap();
        let again = flow.run(start(1)).await.unwrap();
        assert_eq!(first.output(), again.output(), "{name}");
        let error = flow.run(start(2)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{name}: {error}");
    }
    assert_eq!(emulator.runs("standard"), 1);
}

#[tokio::test]
async fn a_run_ends_at_its_deadline() {
    let emulator = emulator();
    let slow = || Flow::new(double).step("work", Duration::from_secs(3600));
    emulator
        .standard("standard", slow())
        .workflow("async", slow());
    let limit = Duration::from_millis(300);
    let alibaba = emulator.alibaba().build().unwrap();
    let huawei = emulator.huawei().build().unwrap();
    let standard = alibaba.workflow(StartExecutionRequest::new("standard"));
    let on_its_own = huawei.workflow(StartWorkflowExecutionRequest::new("async"));
    let flows: [Box<dyn Workflow>; 2] = [
        Box::new(standard.deadline(limit)),
        Box::new(on_its_own.deadline(limit)),
    ];
    for flow in flows {
        let start = Start::new(&json!({"n": 1})).unwrap();
        let error = flow.run(start).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
        assert!(error.may_have_started(), "{error}");
    }
}

#[tokio::test]
async fn a_response_s_output_keeps_request_id_and_attempts() {
    let emulator = emulator();
    let client = emulator.huawei().build().unwrap();
    emulator.fault::<StartSyncWorkflowExecutionRequest>(Fault::refuse(429, "FSS.0429", "slow"));
    let request = StartSyncWorkflowExecutionRequest::new("sync").input(json!({}));
    let call = client.start_sync_workflow_execution(request);
    let response = call.send_for_response().await.unwrap();
    let id = response.request_id().unwrap().to_owned();
    let error = response.into_output::<Value>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FlowFailed);
    assert_eq!(error.request_id(), Some(&*id));
    assert_eq!(error.attempts(), 2);
    assert!(error.to_string().ends_with("[2 attempts]"), "{error}");

    let request = StartSyncWorkflowExecutionRequest::new("sync").input(json!({"n": 4}));
    let call = client.start_sync_workflow_execution(request);
    let output: Value = call
        .send_for_response()
        .await
        .unwrap()
        .into_output()
        .unwrap();
    assert_eq!(output["doubled"], 8);
}

/// By the end time, not by the place in the list; a node that never ended comes first.
#[test]
fn the_node_that_failed_last_gives_the_message() {
    let node = |id: &str, end: Option<&str>| json!({"node_id": id, "error_message": format!("{id} failed"), "end_time": end});
    let failed = huawei(json!({"status": "fail", "errors": [
        node("second", Some("2026-01-01T00:00:05Z")),
        node("first", Some("2026-01-01T00:00:01Z")),
        node("open", None),
    ]}));
    let outcome = Outcome::from(failed);
    let failure = outcome.failure().unwrap();
    assert_eq!(failure.node(), Some("second"));
    assert_eq!(failure.message(), Some("second failed"));
    assert_eq!(failure.code(), None);
    assert_eq!(failure.node_errors().len(), 3);

    let run =
        |end: i64, text: &str| json!({"status": "fail", "end_time": end, "error_message": text});
    let shown: WorkflowExecution = serde_json::from_value(json!({
        "status": "fail",
        "node_execution_details": [
            {"node_id": "late", "executions": [run(9, "late")]},
            {"node_id": "early", "executions": [run(3, "early")]},
        ],
    }))
    .unwrap();
    let outcome = Outcome::from(shown);
    assert_eq!(outcome.failure().and_then(FlowFailure::node), Some("late"));

    let failed = alibaba(json!({"Status": "Failed", "ErrorCode": "C", "ErrorMessage": "m"}));
    let outcome = Outcome::from(failed);
    let failure = outcome.failure().unwrap();
    assert_eq!((failure.code(), failure.message()), (Some("C"), Some("m")));
    assert_eq!(failure.node(), None);
}

#[test]
fn every_end_has_its_kind_on_both_clouds() {
    for (status, kind) in [
        ("Succeeded", None),
        ("Failed", Some(ErrorKind::FlowFailed)),
        ("TimedOut", Some(ErrorKind::FlowTimedOut)),
        ("Stopped", Some(ErrorKind::FlowStopped)),
        ("Dreaming", Some(ErrorKind::FlowUnfinished)),
    ] {
        let outcome = Outcome::from(alibaba(json!({"Status": status})));
        assert_eq!(outcome.kind(), kind, "{status}");
        assert_eq!(outcome.failure().is_some(), kind.is_some(), "{status}");
    }
    for (status, kind) in [
        ("success", None),
        ("fail", Some(ErrorKind::FlowFailed)),
        ("timeout", Some(ErrorKind::FlowTimedOut)),
        ("cancel", Some(ErrorKind::FlowStopped)),
        ("dreaming", Some(ErrorKind::FlowUnfinished)),
    ] {
        let shown = serde_json::from_value::<WorkflowExecution>(json!({"status": status}));
        assert_eq!(Outcome::from(shown.unwrap()).kind(), kind, "{status}");
    }
}

#[tokio::test]
async fn a_fake_gives_errors_in_order_and_says_when_it_has_no_more() {
    let lost = Error::for_tests(ErrorKind::Transport);
    assert!(lost.may_have_started() && !lost.is_retryable());
    let failed = Error::for_tests(ErrorKind::FlowFailed).test_code("OutOfStock");
    let flow = FakeWorkflow::new().fails(lost).fails(failed);
    let start = Start::new(&json!({})).unwrap();
    let error = flow.run(start.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let error = flow.run(start.clone()).await.unwrap_err();
    let code = error.flow_failure().and_then(FlowFailure::code);
    assert_eq!((code, error.code()), (Some("OutOfStock"), None));
    let error = flow.run(start).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    assert_eq!(flow.asked().len(), 3);
}

#[test]
fn a_real_error_is_not_made_another() {
    let real = Start::new(&1).unwrap_err();
    let same = real.test_code("Other").test_delivery(Delivery::Accepted);
    assert_eq!((same.code(), same.delivery()), (None, Delivery::NotSent));
    let made = Error::for_tests(ErrorKind::Service).test_delivery(Delivery::Refused);
    assert!(!made.may_have_started());
}

#[test]
fn a_gateway_s_users_are_not_told_of_its_key_rights_and_quota() {
    for (kind, status) in [
        (ErrorKind::Unauthenticated, 500),
        (ErrorKind::PermissionDenied, 500),
        (ErrorKind::Credentials, 500),
        (ErrorKind::NotFound, 500),
        (ErrorKind::InvalidRequest, 500),
        (ErrorKind::Throttled, 503),
        (ErrorKind::Timeout, 504),
        (ErrorKind::FlowTimedOut, 504),
        (ErrorKind::FlowFailed, 502),
        (ErrorKind::Transport, 502),
        (ErrorKind::AlreadyExists, 409),
        (ErrorKind::TooLarge, 413),
        (ErrorKind::PositionRefused, 400),
    ] {
        assert_eq!(kind.gateway_status(), status, "{kind:?}");
    }
}

#[test]
fn a_start_takes_objects_alone() {
    for input in [json!(1), json!("{}"), json!([{}]), json!(null)] {
        let error = Start::new(&input).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().starts_with("input: "), "{error}");
    }
    assert_eq!(
        " huawei".parse::<Cloud>().unwrap_err().kind(),
        ErrorKind::InvalidRequest
    );
    for cloud in [Cloud::Alibaba, Cloud::Huawei] {
        assert_eq!(cloud.to_string().parse::<Cloud>().unwrap(), cloud);
    }
}
