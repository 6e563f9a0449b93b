//! Executions of Huawei Cloud flows, from their start to their end, against the emulator.
#![cfg(all(feature = "alibaba", feature = "huawei"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use cloud_workflows::{
    ErrorKind, ExecutionRef, FlowFailure, Progress,
    emulator::{Emulator, Fault, Flow},
    huawei::{
        CallbackResult, CreateCallbackWorkflowRequest, ListWorkflowExecutionsRequest,
        ShowWorkflowExecutionForPageRequest, StartWorkflowExecutionRequest, Stop,
        WorkflowRunStatus,
    },
};
use serde_json::{Value, json, value::RawValue};

const SECOND: Duration = Duration::from_secs(1);

fn order() -> Flow {
    Flow::new(|input: Value| Ok(json!({"shipped": input})))
}

fn emulator(flow: Flow) -> Emulator {
    let emulator = Emulator::start().unwrap();
    emulator.workflow("w", flow);
    emulator
}

fn start(n: usize) -> StartWorkflowExecutionRequest {
    StartWorkflowExecutionRequest::new("w").input(json!({"n": n}))
}

#[tokio::test]
async fn an_execution_is_started_and_waited_for() {
    let emulator = emulator(order().step("charge", Duration::from_millis(300)));
    let client = emulator.huawei().build().unwrap();
    let ended = client.start_and_wait(start(1)).await.unwrap();
    assert_eq!(ended.status, WorkflowRunStatus::Success);
    assert_eq!(
        ended.into_output::<Value>().unwrap(),
        json!({"shipped": {"n": 1}})
    );
    assert_eq!(emulator.runs("w"), 1);
}

/// The answer of the start is lost, and the execution is found by its id.
#[tokio::test]
async fn a_start_whose_answer_is_lost_is_waited_for() {
    let emulator = emulator(order());
    let client = emulator.huawei().build().unwrap();
    emulator.fault::<StartWorkflowExecutionRequest>(Fault::cut_after_run());
    let request = start(1).workflow_run_id("0123456789abcdef0123456789abcdef");
    let ended = client.start_and_wait(request).await.unwrap();
    assert_eq!(ended.status, WorkflowRunStatus::Success);
    assert_eq!(emulator.runs("w"), 1);

    emulator.fault::<StartWorkflowExecutionRequest>(Fault::cut_after_run());
    let error = client.start_and_wait(start(2)).await.unwrap_err();
    assert!(error.may_have_started(), "{error}");
}

#[tokio::test]
async fn a_stop_ends_an_execution_once() {
    let emulator = emulator(order().step("long", 3600 * SECOND));
    let client = emulator.huawei().build().unwrap();
    let started = client.start_workflow_execution(start(1));
    let started = started.send().await.unwrap();
    let execution = ExecutionRef::new("w", started.execution_id);
    let ended = client.stop_and_wait(execution.clone()).await.unwrap();
    assert_eq!(ended.status, WorkflowRunStatus::Cancel);
    assert_eq!(
        client.stop(execution).await.unwrap(),
        Stop::AlreadyEnded(WorkflowRunStatus::Cancel)
    );
    let nobody = client.stop(ExecutionRef::new("w", "nobody")).await;
    assert_eq!(nobody.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_failed_execution_is_run_on() {
    let emulator = emulator(order().step("charge", SECOND / 5).fails_first(1));
    let client = emulator.huawei().build().unwrap();
    let mut wait = client.start_and_wait(start(1));
    let mut seen = Vec::new();
    let ended = loop {
        match wait.next().await.unwrap().unwrap() {
            Progress::Ended(ended) => break ended,
            Progress::Status(status) => seen.push(status),
            _ => {}
        }
    };
    assert_eq!(ended.status, WorkflowRunStatus::Fail, "{seen:?}");
    let execution = ExecutionRef::new("w", ended.execution_id.clone().unwrap());
    let error = ended.into_output::<Value>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FlowFailed);
    let ended = client.retry_and_wait(execution).await.unwrap();
    assert_eq!(ended.status, WorkflowRunStatus::Success);
}

#[tokio::test]
async fn a_node_is_called_back() {
    let emulator = emulator(order().waits_for_callback("approve"));
    let client = emulator.huawei().build().unwrap();
    let started = client.start_workflow_execution(start(1));
    let id = started.send().await.unwrap().execution_id;
    let callback = || {
        CreateCallbackWorkflowRequest::new("w", &id, "approve", CallbackResult::Success)
            .output(json!({"approved": true}))
    };
    // Taken, though its answer is lost.
    emulator.fault::<CreateCallbackWorkflowRequest>(Fault::cut_after_run());
    let told = client.create_callback_workflow(callback()).send().await;
    assert_eq!(told.unwrap().execution_id, id);
    let ended = client.wait(ExecutionRef::new("w", &id)).await.unwrap();
    assert_eq!(ended.status, WorkflowRunStatus::Success);
    let again = client.create_callback_workflow(callback()).send().await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn executions_are_listed_and_followed() {
    const COUNT: usize = 100;
    let emulator = emulator(order().step("charge", SECOND));
    let client = emulator.huawei().build().unwrap();
    let mut follower = client.follow("w");
    for n in 0..COUNT {
        let started = client.start_workflow_execution(start(n));
        let started = started.send().await.unwrap();
        follower.add(ExecutionRef::new("w", started.execution_id));
    }
    let mut told = std::collections::BTreeSet::new();
    while let Some(end) = follower.next().await {
        let ended = end.outcome.unwrap();
        assert_eq!(ended.status, Some(WorkflowRunStatus::Success));
        assert!(told.insert(end.execution.execution));
    }
    assert_eq!(told.len(), COUNT);

    let mut items = client
        .list_workflow_executions(ListWorkflowExecutionsRequest::new("w").limit(30_u32))
        .items();
    let mut listed = std::collections::BTreeSet::new();
    while let Some(item) = items.next().await {
        assert!(listed.insert(item.unwrap().execution_id.unwrap()));
    }
    assert_eq!(listed, told);
    let request = ShowWorkflowExecutionForPageRequest::new("w", 0_u32, 40_u32);
    let mut pages = client.show_workflow_execution_for_page(request).pages();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().len());
    }
    assert_eq!(sizes, [40, 40, 20]);
    assert_eq!(pages.shortfall(), None);
}

#[tokio::test]
async fn payloads_are_shown_byte_for_byte() {
    let text =
        r#"{ "price": 2.50, "id": 10000000000000000000001, "e": 1E+2, "b":1, "a":"\u00e9" }"#;
    let emulator = emulator(
        Flow::new(|input: Box<RawValue>| Ok::<_, FlowFailure>(input)).step("charge", SECOND / 100),
    );
    let client = emulator.huawei().build().unwrap();
    let request = StartWorkflowExecutionRequest::new("w").input_json(text);
    let ended = client.start_and_wait(request).await.unwrap();
    assert_eq!(ended.input.as_ref().unwrap().as_str(), text);
    assert_eq!(ended.output.as_ref().unwrap().as_str(), text);
    let nodes = ended.node_execution_details.iter();
    let runs: Vec<_> = nodes.flat_map(|node| &node.executions).collect();
    assert_eq!(runs.len(), 2, "a step and the closure");
    for run in &runs {
        assert_eq!(run.input.as_ref().unwrap().as_str(), text);
    }
    assert_eq!(runs[1].output.as_ref().unwrap().as_str(), text);
}
