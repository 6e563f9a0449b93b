//! Executions that are followed to their ends on the emulator, through the public client.
#![cfg(all(feature = "alibaba", feature = "huawei"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{collections::BTreeSet, time::Duration};

use cloud_workflows::{
    Error, ErrorKind, ExecutionRef, FlowFailure, Progress, Quota,
    alibaba::{
        Bucket, Client, DescribeExecutionRequest, EventType, ExecutionStatus, Found,
        GetExecutionHistoryRequest, ListExecutionsRequest, ReportTaskSucceededRequest,
        StartExecutionRequest, Stop,
    },
    emulator::{Emulator, Fault, Flow, Quirks, Quotas},
};
use serde_json::{Value, json};
use tokio::time::timeout;

const SECOND: Duration = Duration::from_secs(1);

/// An emulator with a flow of twenty seconds, and a client of it.
fn slow() -> (Emulator, Client) {
    let emulator = Emulator::start().unwrap();
    let flow = Flow::new(|input: Value| Ok::<_, FlowFailure>(input)).step("work", 20 * SECOND);
    emulator.standard("slow", flow);
    let client = emulator.alibaba().build().unwrap();
    (emulator, client)
}

fn start(name: &str) -> StartExecutionRequest {
    StartExecutionRequest::new("slow")
        .execution_name(name)
        .input(json!({"name": name}))
}

fn named(name: &str) -> ExecutionRef {
    ExecutionRef::new("slow", name)
}

#[tokio::test]
async fn an_execution_is_waited_for_and_its_statuses_are_told() {
    let (emulator, client) = slow();
    client.start_execution(start("a")).send().await.unwrap();
    let mut wait = client.wait(named("a"));
    let first = timeout(SECOND / 2, wait.next()).await;
    assert!(first.is_err(), "the first look is held back");
    emulator.advance(21 * SECOND);
    let mut last = None;
    while let Some(progress) = wait.next().await {
        last = Some(progress.unwrap());
    }
    let Some(Progress::Ended(ended)) = last else {
        panic!("{last:?}");
    };
    assert_eq!(ended.into_output::<Value>().unwrap(), json!({"name": "a"}));
}

#[tokio::test]
async fn a_wait_survives_dropped_connections_and_late_visibility() {
    let (emulator, client) = slow();
    emulator.quirks(Quirks {
        not_visible_for: SECOND,
        output_late_by: SECOND / 2,
        ..Quirks::default()
    });
    emulator.fault::<DescribeExecutionRequest>(Fault::cut_before_run());
    emulator.fault::<DescribeExecutionRequest>(Fault::cut_reply(10));
    emulator.scale_time(10.0);
    let ended = client.start_and_wait(start("a")).await.unwrap();
    assert_eq!(ended.into_output::<Value>().unwrap(), json!({"name": "a"}));
    assert_eq!(emulator.executions("slow").len(), 1);
}

#[tokio::test]
async fn a_failed_execution_tells_why() {
    let emulator = Emulator::start().unwrap();
    let fails = |_: Value| Err::<Value, _>(FlowFailure::new("OutOfStock", "no more of item 17"));
    emulator.standard("fails", Flow::new(fails).step("look", SECOND / 100));
    let client = emulator.alibaba().build().unwrap();
    let failed = client.start_and_wait(StartExecutionRequest::new("fails"));
    let error: Error = failed.await.unwrap().into_output::<Value>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FlowFailed);
    let failure = error.flow_failure().unwrap();
    assert_eq!(failure.code(), Some("OutOfStock"));
    assert_eq!(failure.message(), Some("no more of item 17"));
}

#[tokio::test]
async fn executions_and_events_are_listed_page_by_page() {
    let (emulator, client) = slow();
    for i in 0..7 {
        let request = start(&format!("e{i}"));
        client.start_execution(request).send().await.unwrap();
    }
    emulator.advance(21 * SECOND);
    for i in 0..7 {
        client.wait(named(&format!("e{i}"))).await.unwrap();
    }
    let request = ListExecutionsRequest::new("slow").limit(3);
    let mut pages = client.list_executions(request).pages();
    let mut sizes = Vec::new();
    let mut names = BTreeSet::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        sizes.push(page.len());
        for execution in page {
            assert_eq!(execution.status, ExecutionStatus::Succeeded);
            assert_eq!(execution.output, None, "metadata only");
            names.insert(execution.name.unwrap());
        }
    }
    assert_eq!((sizes, names.len()), (vec![3, 3, 1], 7));

    let request = GetExecutionHistoryRequest::new("slow", "e1").limit(2);
    let mut events = client.get_execution_history(request).items();
    let mut types = Vec::new();
    while let Some(event) = events.next().await {
        types.push(event.unwrap().event_type.unwrap());
    }
    assert_eq!(types.first(), Some(&EventType::ExecutionStarted));
    assert_eq!(types.last(), Some(&EventType::ExecutionSucceeded));
}

#[tokio::test]
async fn a_stop_says_what_it_met() {
    let (emulator, client) = slow();
    client.start_execution(start("a")).send().await.unwrap();
    assert_eq!(client.stop(named("a")).await.unwrap(), Stop::Requested);
    let ended = client.wait(named("a")).await.unwrap();
    assert_eq!(ended.status, ExecutionStatus::Stopped);
    client.start_execution(start("b")).send().await.unwrap();
    emulator.advance(21 * SECOND);
    client.wait(named("b")).await.unwrap();
    let stop = client.stop(named("b")).await.unwrap();
    assert_eq!(stop, Stop::AlreadyEnded(ExecutionStatus::Succeeded));
    let ended = client.stop_and_wait(named("b")).await.unwrap();
    assert_eq!(ended.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn a_program_that_is_run_again_finds_its_execution() {
    let (emulator, client) = slow();
    let found = client.start_or_find(start("a")).await.unwrap();
    assert!(matches!(found, Found::Started(_)), "{found:?}");
    emulator.advance(21 * SECOND);
    // The flow's own thread may be behind.
    client.wait(named("a")).await.unwrap();
    let found = client.start_or_find(start("a")).await.unwrap();
    let Found::Ended(execution) = found else {
        panic!("{found:?}");
    };
    assert_eq!(execution.status, ExecutionStatus::Succeeded);
    let other = start("a").input(json!({"other": true}));
    let error = client.start_or_find(other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(!error.may_have_started());
    let ended = client.start_and_wait(start("a")).await.unwrap();
    assert_eq!(ended.into_output::<Value>().unwrap(), json!({"name": "a"}));
    assert_eq!(emulator.executions("slow").len(), 1);
}

#[tokio::test]
async fn a_callback_is_reported_once() {
    let emulator = Emulator::start().unwrap();
    let flow = Flow::new(|_: Value| Ok::<_, FlowFailure>(json!({}))).waits_for_callback("approve");
    emulator.standard("asks", flow);
    let client = emulator.alibaba().build().unwrap();
    let request = StartExecutionRequest::new("asks").execution_name("a");
    client.start_execution(request).send().await.unwrap();
    let token = emulator.waiting_callbacks().remove(0).token;
    let report = || ReportTaskSucceededRequest::new(token.clone());
    emulator.fault::<ReportTaskSucceededRequest>(Fault::cut_after_run());
    let done = client.report_task_succeeded(report()).send().await.unwrap();
    assert!(done.was_completed, "the first attempt did it");
    let error = client
        .report_task_succeeded(report())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyCompleted);
    let ended = client.wait(ExecutionRef::new("asks", "a")).await.unwrap();
    assert_eq!(ended.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn two_hundred_executions_are_followed_together() {
    let (emulator, client) = slow();
    let mut follower = client.follow("slow");
    for i in 0..200 {
        let started = client.start_execution(start(&format!("e{i}"))).send().await;
        follower.add(started.unwrap().reference());
    }
    emulator.advance(21 * SECOND);
    emulator.clear_requests();
    let mut names = BTreeSet::new();
    while let Some(end) = follower.next().await {
        assert_eq!(end.outcome.unwrap().status, ExecutionStatus::Succeeded);
        names.insert(end.execution.execution);
    }
    assert_eq!(names.len(), 200);
    let asked = emulator.requests().len();
    assert!(asked < 40, "{asked} requests for 200 ends");
}

/// An account with quotas that refill twenty times as fast as documented.
fn raised() -> Emulator {
    let emulator = Emulator::start().unwrap();
    emulator.quotas(Quotas {
        step_transitions: None,
        ..Quotas::documented().refilled_times(20.0)
    });
    let flow = Flow::new(|input: Value| Ok::<_, FlowFailure>(input)).step("work", 3 * SECOND);
    emulator.standard("slow", flow);
    emulator
}

/// A client that knows of them.
fn client_of(emulator: &Emulator) -> Client {
    let client = emulator.alibaba();
    client
        .quota(Bucket::StartExecution, Quota::new(100, 2_000.0))
        .quota(Bucket::DescribeExecution, Quota::new(50, 100.0))
        .quota(Bucket::GetExecutionHistory, Quota::new(50, 100.0))
        .quota(Bucket::Others, Quota::new(10, 40.0))
        .build()
        .unwrap()
}

/// How many requests there were of these operations, and how many of them were refused for their
/// rate.
fn asked(emulator: &Emulator, operations: &[&str]) -> (usize, usize) {
    let requests = emulator.requests();
    let asked = requests
        .iter()
        .filter(|request| operations.contains(&request.operation.as_str()));
    let refused = asked
        .clone()
        .filter(|request| request.status.is_some_and(|status| status == 429));
    (asked.count(), refused.count())
}

#[tokio::test]
async fn a_thousand_executions_that_end_together_are_told_by_few_requests() {
    const COUNT: usize = 1_000;
    let emulator = raised();
    let client = client_of(&emulator);
    let mut starts = tokio::task::JoinSet::new();
    let bulk = client.paced();
    for i in 0..COUNT {
        starts.spawn(bulk.start_execution(start(&format!("e{i:04}"))).send());
    }
    let mut follower = client.follow("slow");
    while let Some(started) = starts.join_next().await {
        follower.add(started.unwrap().unwrap().reference());
    }
    let (started, refused) = asked(&emulator, &["StartExecution"]);
    assert!(refused * 5 < started, "{refused} of {started} refused");
    let mut names = BTreeSet::new();
    let all = async {
        while let Some(end) = follower.next().await {
            assert_eq!(end.outcome.unwrap().status, ExecutionStatus::Succeeded);
            assert!(names.insert(end.execution.execution), "told twice");
        }
    };
    // How soon is measured under a paused clock; here it is how much was asked.
    timeout(60 * SECOND, all).await.unwrap();
    assert_eq!(names.len(), COUNT);
    let (looked, refused) = asked(&emulator, &["ListExecutions", "DescribeExecution"]);
    assert!(looked < COUNT / 2, "{looked} requests for {COUNT} ends");
    assert!(
        refused * 5 < looked.max(10),
        "{refused} of {looked} refused"
    );
}

#[tokio::test]
async fn waits_of_clients_that_share_an_account_are_seldom_refused() {
    for (clients, waits) in [(1, 200), (3, 100)] {
        let emulator = raised();
        let mut starts = tokio::task::JoinSet::new();
        let bulk = client_of(&emulator).paced();
        for i in 0..clients * waits {
            starts.spawn(bulk.start_execution(start(&format!("e{i}"))).send());
        }
        for started in starts.join_all().await {
            started.unwrap();
        }
        emulator.advance(4 * SECOND);
        emulator.clear_requests();
        let mut all = tokio::task::JoinSet::new();
        for number in 0..clients {
            let client = client_of(&emulator);
            for i in 0..waits {
                all.spawn(client.wait(named(&format!("e{}", number * waits + i))));
            }
        }
        // The account allows them within 1.5 s and 2.5 s; the machine may be busy.
        for ended in timeout(60 * SECOND, all.join_all()).await.unwrap() {
            assert_eq!(ended.unwrap().status, ExecutionStatus::Succeeded);
        }
        let (looked, refused) = asked(&emulator, &["DescribeExecution"]);
        assert!(
            looked - refused <= clients * waits + 2,
            "one look for each: {looked}"
        );
        assert!(refused * 5 < looked, "{refused} of {looked} refused");
    }
}
