//! Executions followed through the public client, on a scripted service under the paused clock.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use serde_json::{Value, json};

use super::*;
use crate::{
    ErrorKind, Progress,
    huawei::{
        CallbackResult, CreateCallbackWorkflowRequest, ListWorkflowExecutionsRequest,
        ShowWorkflowExecutionForPageRequest, Token,
    },
    pipeline::{
        clock::{Clock, monotonic},
        failure::Stage,
        testing::{dated, log::Log, wall},
        transport::{
            HttpRequest,
            scripted::{Script, Step},
        },
    },
};

const SECOND: Duration = Duration::from_secs(1);

/// A client of a service that answers by this function of the request.
fn playing(play: impl Fn(&HttpRequest) -> Step + Send + Sync + 'static) -> (Client, Arc<Script>) {
    let script = Script::playing(move |request| Some(play(request)));
    let client = Client::builder()
        .region("cn-north-4")
        .project_id("p")
        .credentials(Token::new("token"))
        .scripted(&script, Clock::starting_at(wall()))
        .build()
        .unwrap();
    (client, script)
}

/// A client of a service whose looks are answered by their number; everything else with `other`.
fn looks(
    other: impl Fn() -> Step + Send + Sync + 'static,
    look: impl Fn(usize) -> Step + Send + Sync + 'static,
) -> (Client, Arc<Script>) {
    let count = AtomicUsize::new(0);
    playing(move |request| match request.method == Method::GET {
        true => look(count.fetch_add(1, Ordering::Relaxed)),
        false => other(),
    })
}

/// A reply of this moment.
fn says(status: u16, body: Value) -> Step {
    dated(wall(), status, body.to_string())
}

fn refuses(status: u16, code: &str) -> Step {
    says(status, json!({"error_code": code, "error_msg": "words"}))
}

fn ok() -> Step {
    says(200, json!({"execution_id": "e"}))
}

fn is(status: &str) -> Step {
    says(200, shown(status))
}

fn shown(status: &str) -> Value {
    let mut shown = json!({
        "execution_id": "e", "status": status, "input": {"n": 1},
        "begin_time": "2026-11-22T12:00:00Z", "last_update_time": "2026-11-22T12:00:01Z",
    });
    if ["success", "fail", "timeout", "cancel"].contains(&status) {
        shown["end_time"] = "2026-11-22T12:00:01Z".into();
    }
    if status == "success" {
        shown["output"] = json!({"done": true});
    }
    shown
}

fn execution() -> ExecutionRef {
    ExecutionRef::new("flow", "e")
}

fn start() -> StartWorkflowExecutionRequest {
    StartWorkflowExecutionRequest::new("flow").input(json!({"n": 1}))
}

#[tokio::test(start_paused = true)]
async fn an_execution_is_started_and_waited_for() {
    let (client, script) = looks(ok, |number| match number {
        0..2 => is("running"),
        2 => is("stopping"),
        3 => says(200, json!({"execution_id": "e"})),
        _ => is("success"),
    });
    let mut wait = client.start_and_wait(start());
    assert!(
        script.sent().is_empty(),
        "nothing is sent before it is polled"
    );
    let mut seen = Vec::new();
    let ended = loop {
        match wait.next().await.unwrap().unwrap() {
            Progress::Ended(ended) => break ended,
            Progress::Status(status) => seen.push(status),
            other => panic!("{other:?}"),
        }
    };
    assert!(wait.next().await.is_none());
    assert_eq!(seen, ["running", "stopping"]);
    assert_eq!(ended.into_output::<Value>().unwrap(), json!({"done": true}));
    let sent = script.sent();
    let paths: Vec<&str> = sent.iter().map(|(_, request)| request.url.path()).collect();
    assert_eq!(paths[0], "/v2/p/fgs/workflows/flow/executions");
    assert!(
        paths[1..]
            .iter()
            .all(|path| *path == "/v2/p/fgs/workflows/flow/executions/e")
    );
    for (_, look) in &sent[1..] {
        let whole = look.headers.get("x-get-workflow-full-history-data");
        assert_eq!(whole, None, "looks never ask for the whole history");
    }
}

#[tokio::test(start_paused = true)]
async fn a_started_execution_may_be_invisible_for_a_while_and_a_seen_one_is_gone() {
    let (client, _) = looks(ok, |number| match number {
        0..3 => refuses(404, "FGS.5002"),
        _ => is("success"),
    });
    client.start_and_wait(start()).await.unwrap();

    let (client, _) = looks(ok, |_| refuses(404, "FGS.5002"));
    let began = monotonic();
    let error = client.start_and_wait(start()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.delivery(), Delivery::Accepted);
    assert!(
        monotonic() - began >= 10 * SECOND,
        "{:?}",
        monotonic() - began
    );
    assert!(error.message().contains("EXPRESS"), "{error}");

    let (client, script) = looks(ok, |_| refuses(404, "FGS.5002"));
    let error = client.wait(execution()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(script.sent().len(), 1, "a stored name has no grace");

    let (client, _) = looks(ok, |number| match number {
        0 => is("running"),
        _ => refuses(404, "FSS.0404"),
    });
    let error = client.wait(execution()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
    assert!(error.message().contains("running"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_end_counts_after_a_retry_only_where_it_is_another() {
    let (client, script) = looks(
        || says(204, Value::Null),
        |number| match number {
            0..4 => is("fail"),
            4..6 => is("retrying"),
            _ => is("fail"),
        },
    );
    let ended = client.retry_and_wait(execution()).await.unwrap();
    assert_eq!(ended.status, WorkflowRunStatus::Fail);
    let sent = script.sent();
    assert_eq!(sent.len(), 1 + 1 + 6, "one look, the retry, six looks");
    assert_eq!(
        sent[1].1.url.path(),
        "/v2/p/fgs/workflows/flow/executions/e/retry"
    );

    // No look saw it run, but another run of a node stands there.
    let (client, _) = looks(ok, |number| {
        let mut shown = shown("fail");
        let runs = vec![json!({"status": "fail", "end_time": 1}); 1 + usize::from(number > 2)];
        shown["node_execution_details"] = json!([{"node_id": "a", "executions": runs}]);
        says(200, shown)
    });
    let ended = client.retry_and_wait(execution()).await.unwrap();
    assert_eq!(ended.node_execution_details[0].executions.len(), 2);

    let (client, _) = looks(ok, |_| is("cancel"));
    let began = monotonic();
    let error = client.retry_and_wait(execution()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("old end, cancel"), "{error}");
    let took = monotonic() - began;
    assert!(took >= 60 * SECOND && took < 70 * SECOND, "{took:?}");

    let (client, script) = looks(|| refuses(400, "FGS.3002"), |_| is("fail"));
    let error = client.retry_and_wait(execution()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(script.sent().len(), 2);

    // What it looks at before the retry is refused.
    let (client, script) = looks(ok, |_| refuses(403, "FSS.0403"));
    let error = client.retry_and_wait(execution()).await.unwrap_err();
    assert_eq!(error.execution_name(), Some("e"));
    assert!(!error.may_have_started());
    assert_eq!(script.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_the_services_own_final_refusal_ends_a_wait() {
    let (client, _) = looks(ok, |number| match number {
        0 => says(403, json!("a firewall's words")),
        1 => refuses(429, "APIGW.0308"),
        2 => refuses(500, "FSS.0500"),
        3 => Step::Fail(Stage::Connect),
        4 => Step::Fail(Stage::Exchange),
        5 => dated(wall(), 200, "no JSON"),
        6 => refuses(409, "FSS.0409"),
        _ => is("timeout"),
    });
    let ended = client.wait(execution()).await.unwrap();
    assert_eq!(ended.status, WorkflowRunStatus::Timeout);
    assert_eq!(
        ended.into_output::<Value>().unwrap_err().kind(),
        ErrorKind::FlowTimedOut
    );

    let (client, _) = looks(ok, |_| refuses(403, "FSS.0403"));
    let error = client.start_and_wait(start()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(error.delivery(), Delivery::Accepted);
    assert!(
        error.message().contains("execution e was started"),
        "{error}"
    );
    assert!(error.message().contains("ShowWorkflowExecution"), "{error}");

    let (client, script) = looks(ok, |_| is("running"));
    let error = client.wait("without a flow").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.message().contains("workflow_id"), "{error}");
    assert!(script.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_only_fails_is_told_of_within_a_minute() {
    let (client, _) = looks(ok, |_| refuses(500, "FSS.0500"));
    let began = monotonic();
    let mut wait = client.wait(execution()).deadline(7_200 * SECOND);
    let Progress::Trouble(words) = wait.next().await.unwrap().unwrap() else {
        panic!("no trouble");
    };
    assert!(words.contains("FSS.0500"), "{words}");
    assert!(monotonic() - began < 60 * SECOND);
    let error = wait.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    assert_eq!(monotonic() - began, 7_200 * SECOND);
    assert!(error.message().contains("× 500"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn looks_come_less_often_the_larger_their_answer_is() {
    async fn looks_in_ten_minutes(bytes: usize) -> usize {
        let (client, script) = looks(ok, move |_| {
            let mut shown = shown("running");
            let run = json!({"status": "running", "output": "x".repeat(bytes)});
            shown["node_execution_details"] = json!([{"node_id": "a", "executions": [run]}]);
            says(200, shown)
        });
        let limit = client.wait(execution()).deadline(600 * SECOND);
        assert_eq!(limit.await.unwrap_err().kind(), ErrorKind::Deadline);
        script.sent().len()
    }
    let (small, large) = (
        looks_in_ten_minutes(10).await,
        looks_in_ten_minutes(8 << 20).await,
    );
    assert!(small > 100, "{small}");
    assert!(large < 25, "{large}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_without_a_limit_has_none() {
    const DAYS: u64 = 400;
    let began = monotonic();
    let (client, script) = looks(ok, move |_| {
        match monotonic() - began < Duration::from_secs(DAYS * 86_400) {
            true => is("running"),
            false => is("success"),
        }
    });
    // All but the last hour at once: a look every five seconds is a long test.
    let mut wait = client.wait(execution());
    wait.next().await.unwrap().unwrap();
    tokio::time::advance(Duration::from_secs(DAYS * 86_400 - 3_600)).await;
    wait.await.unwrap();
    assert!(monotonic() - began >= Duration::from_secs(DAYS * 86_400));
    let sent = script.sent().len() as u64;
    assert!(sent > 3_600 / 6 && sent < 3_600 / 3, "{sent}");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_sends_nothing() {
    let (client, script) = looks(ok, |_| is("running"));
    let error = client
        .start_and_wait(start())
        .deadline(Duration::ZERO)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert!(script.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_answer_is_lost_is_found_by_its_own_id() {
    let own = || start().workflow_run_id("e");
    let lost = || Step::Fail(Stage::Exchange);

    let (client, script) = looks(lost, |_| is("running"));
    let found = client.start_workflow_execution(own()).send().await.unwrap();
    assert_eq!(found.execution_id, "e");
    assert_eq!(script.sent().len(), 2, "the start is not repeated");

    // Another's input, no input, no execution: nothing is settled.
    let other = || {
        let mut other = shown("running");
        other["input"] = json!({"n": 2});
        says(200, other)
    };
    let none = || {
        let mut none = shown("running");
        none["input"] = Value::Null;
        says(200, none)
    };
    for look in [other as fn() -> Step, none, || refuses(404, "FGS.5002")] {
        let (client, _) = looks(lost, move |_| look());
        let error = client.start_workflow_execution(own()).send().await;
        let error = error.unwrap_err();
        assert!(error.may_have_started());
        assert_eq!(error.execution_name(), Some("e"));
    }
    let (client, script) = looks(lost, |_| is("running"));
    let error = client.start_workflow_execution(start()).send().await;
    assert!(error.unwrap_err().may_have_started());
    assert_eq!(script.sent().len(), 1, "without an id there is no look");

    // A refusal is clear.
    let (client, script) = looks(|| refuses(400, "FGS.3002"), |_| is("running"));
    let error = client.start_workflow_execution(own()).send().await;
    assert!(!error.unwrap_err().may_have_started());
    assert_eq!(script.sent().len(), 1);

    // The wait goes on by the id, but not with another's execution.
    let (client, _) = looks(lost, |number| match number {
        0..3 => refuses(404, "FGS.5002"),
        _ => is("success"),
    });
    client.start_and_wait(own()).await.unwrap();
    let (client, _) = looks(lost, move |number| match number {
        0..3 => refuses(404, "FGS.5002"),
        _ => other(),
    });
    let error = client.start_and_wait(own()).await.unwrap_err();
    assert!(error.may_have_started(), "{error:?}");
    assert!(error.message().contains("another input"), "{error}");
}

/// A node of these runs: status, output and when it ended, in seconds from the first call.
fn node(runs: &[(&str, Value, i64)]) -> Value {
    let runs: Vec<Value> = runs
        .iter()
        .map(|(status, output, after)| {
            let ended = (wall() + TimeDelta::seconds(*after)).timestamp_millis();
            json!({
                "status": status, "output": output,
                "begin_time": ended, "end_time": ended,
            })
        })
        .collect();
    let mut shown = shown("running");
    shown["node_execution_details"] = json!([{"node_id": "ask", "executions": runs}]);
    shown
}

#[tokio::test(start_paused = true)]
async fn a_callback_whose_answer_is_lost_is_settled_by_its_node() {
    let told = |node_shown: Value, result: CallbackResult| async move {
        let (client, script) = looks(
            || Step::Fail(Stage::Exchange),
            move |_| says(200, node_shown.clone()),
        );
        let request =
            CreateCallbackWorkflowRequest::new("flow", "e", "ask", result).output(json!({"a": 1}));
        let told = client.create_callback_workflow(request).send().await;
        assert_eq!(script.sent().len(), 2, "never repeated");
        told.map(|told| told.execution_id)
    };
    let ours = json!({"a": 1});
    let done = node(&[("success", ours.clone(), 1)]);
    assert_eq!(told(done, CallbackResult::Success).await.unwrap(), "e");
    let failed = node(&[("fail", Value::Null, 1)]);
    assert_eq!(told(failed, CallbackResult::Fail).await.unwrap(), "e");
    for (shown, result) in [
        (
            node(&[("success", json!({"a": 2}), 1)]),
            CallbackResult::Success,
        ),
        (
            node(&[("success", ours.clone(), -60)]),
            CallbackResult::Success,
        ),
        (node(&[("fail", Value::Null, 1)]), CallbackResult::Success),
        (node(&[("fail", Value::Null, -60)]), CallbackResult::Fail),
        (node(&[]), CallbackResult::Fail),
        (shown("running"), CallbackResult::Success),
    ] {
        let error = told(shown, result).await.unwrap_err();
        assert_eq!(error.delivery(), Delivery::Unknown);
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_whose_answer_is_lost_is_settled_by_what_runs() {
    for (shown, is_settled) in [
        (shown("running"), true),
        (shown("retrying"), true),
        (shown("fail"), false),
        (shown("Paused"), false),
        (
            {
                let mut ended = node(&[("fail", Value::Null, -60), ("fail", Value::Null, 1)]);
                ended["status"] = "fail".into();
                ended
            },
            true,
        ),
    ] {
        let (client, script) = looks(
            || Step::Fail(Stage::Exchange),
            move |_| says(200, shown.clone()),
        );
        let request = RetryWorkFlowRequest::new("flow", "e");
        let outcome = client.retry_work_flow(request).send().await;
        assert_eq!(outcome.is_ok(), is_settled);
        assert_eq!(script.sent().len(), 2, "never repeated");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_what_has_ended_tells_its_end() {
    let (client, script) = looks(ok, |_| is("running"));
    assert_eq!(client.stop(execution()).await.unwrap(), Stop::Requested);
    let sent = script.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        sent[0].1.url.path(),
        "/v2/p/fgs/workflows/flow/executions/e/terminate"
    );

    for status in [400, 404, 409] {
        let (client, _) = looks(move || refuses(status, "FGS.3002"), |_| is("success"));
        assert_eq!(
            client.stop(execution()).await.unwrap(),
            Stop::AlreadyEnded(WorkflowRunStatus::Success)
        );
        let ended = client.stop_and_wait(execution()).await.unwrap();
        assert_eq!(ended.status, WorkflowRunStatus::Success);
    }
    // It runs, or is not there: then the refusal stands.
    for look in [|| is("running"), || refuses(404, "FGS.5002")] {
        let (client, _) = looks(|| refuses(400, "FGS.3002"), move |_| look());
        let error = client.stop(execution()).await.unwrap_err();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
        assert!(!error.may_have_started());
        assert_eq!(error.execution_name(), Some("e"));
    }
    let (client, _) = looks(ok, |number| match number {
        0..2 => is("stopping"),
        _ => is("cancel"),
    });
    let ended = client.stop_and_wait(execution()).await.unwrap();
    assert_eq!(
        ended.into_output::<Value>().unwrap_err().kind(),
        ErrorKind::FlowStopped
    );
}

#[test]
fn the_node_that_failed_last_says_why() {
    let ended: WorkflowExecution = serde_json::from_value(json!({
        "execution_id": "e", "status": "fail",
        "node_execution_details": [
            {"node_id": "late", "executions": [
                {"status": "fail", "end_time": 3, "error_message": "first try"},
                {"status": "fail", "end_time": 9, "error_message": {"why": "last"}}]},
            {"node_id": "handled", "executions": [
                {"status": "fail", "end_time": 5, "error_message": "handled"}]},
            {"node_id": "after", "executions": [{"status": "success", "end_time": 10}]},
        ],
    }))
    .unwrap();
    let error = ended.into_output::<Value>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FlowFailed);
    assert_eq!(error.execution_id(), Some("e"));
    let failure = error.flow_failure().unwrap();
    assert_eq!(failure.code(), None);
    let [node] = failure.node_errors() else {
        panic!("{failure}")
    };
    assert_eq!(node.node_id.as_deref(), Some("late"));
    assert_eq!(node.error_message.as_deref(), Some(r#"{"why":"last"}"#));
}

#[tokio::test(start_paused = true)]
async fn what_a_node_says_shows_no_token() {
    let token = "a-token-that-nobody-is-to-see";
    let said = format!("the call with {token} was refused");
    let mut failed = shown("fail");
    failed["node_execution_details"] = json!([{"node_id": "n", "executions": [
        {"status": "fail", "end_time": 1, "error_message": said},
        {"status": "fail", "end_time": 2, "error_message": {"said": said}}]}]);
    let script = Script::playing(move |_| Some(says(200, failed.clone())));
    let client = Client::builder()
        .region("cn-north-4")
        .project_id("p")
        .credentials(Token::new(token))
        .scripted(&script, Clock::starting_at(wall()))
        .build()
        .unwrap();
    let ended = client.wait(execution()).await.unwrap();
    let runs = &ended.node_execution_details[0].executions;
    for run in runs {
        let words = run.error_message.as_ref().unwrap();
        assert!(words.contains("was refused"), "{words}");
        assert!(!words.contains(token), "{words}");
    }
    let error = ended.into_output::<Value>().unwrap_err();
    let shown = format!("{error} {error:?} {:?}", error.flow_failure());
    assert!(
        shown.contains("was refused") && !shown.contains(token),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_day_that_has_begun_in_china_alone_is_warned_of() {
    for (hour, day, is_warned_of) in [
        (15, "2026-11-22", false),
        (15, "2026-11-23", false),
        (17, "2026-11-22", false),
        (17, "2026-11-23", true),
        (17, "2026-11-24", false),
    ] {
        let script = Script::playing(|_| Some(ok()));
        let now = wall() + TimeDelta::hours(hour - 12);
        let client = Client::builder()
            .region("cn-north-4")
            .project_id("p")
            .credentials(Token::new("token"))
            .scripted(&script, Clock::starting_at(now))
            .build()
            .unwrap();
        let log = Log::default();
        let logging = log.start();
        let call = client.start_workflow_execution(start().create_time(day));
        call.send().await.unwrap();
        drop(logging);
        let text = log.text();
        assert_eq!(
            text.contains("X-Create-Time"),
            is_warned_of,
            "{hour} {day}: {text}"
        );
    }
}

fn query(request: &HttpRequest, name: &str) -> Option<String> {
    let mut pairs = request.url.query_pairs();
    let found = pairs.find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

fn number(request: &HttpRequest, name: &str) -> usize {
    query(request, name).unwrap().parse().unwrap()
}

fn time(request: &HttpRequest, name: &str) -> DateTime<Utc> {
    let text = query(request, name).unwrap();
    let time = chrono::NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S");
    time.unwrap().and_utc()
}

/// Executions by the time of their begin, newest first, as a service lists them.
fn listed(all: &[(String, DateTime<Utc>)], request: &HttpRequest) -> (Vec<Value>, usize) {
    let window = time(request, "start_time")..=time(request, "end_time");
    let found: Vec<Value> = all
        .iter()
        .rev()
        .filter(|(_, begun)| window.contains(begun))
        .map(|(id, begun)| {
            json!({"execution_id": id, "status": "success", "begin_time": begun, "end_time": begun})
        })
        .collect();
    let total = found.len();
    let page = found
        .into_iter()
        .skip(number(request, "offset"))
        .take(number(request, "limit"));
    (page.collect(), total)
}

/// Executions that began an hour apart, the last one now.
fn hourly(count: i64) -> Vec<(String, DateTime<Utc>)> {
    let back = (0..count).rev();
    back.map(|hours| (format!("e{hours}"), wall() - TimeDelta::hours(hours)))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_list_is_walked_in_windows_with_both_ends_pinned() {
    const COUNT: usize = 24 * 7 + 1;
    // While it is read, new executions begin: they move every offset.
    let all = Mutex::new(hourly(24 * 7 + 1));
    let (client, script) = playing(move |request| {
        let mut all = all.lock().unwrap();
        let (page, _) = listed(&all, request);
        let new = format!("new{}", all.len());
        all.push((new, wall() + TimeDelta::seconds(1)));
        says(200, json!({"executions": page}))
    });
    let request = ListWorkflowExecutionsRequest::new("flow")
        .start_time(wall() - TimeDelta::days(7))
        .limit(20);
    let mut items = client.list_workflow_executions(request).items();
    let mut ids = Vec::new();
    while let Some(item) = items.next().await {
        ids.push(item.unwrap().execution_id.unwrap());
    }
    let count = ids.len();
    ids.retain(|id| !id.starts_with("new"));
    assert_eq!(ids.len(), COUNT);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), COUNT, "none twice, of {count}");
    let sent = script.sent();
    for (_, request) in &sent {
        assert_eq!(number(request, "limit"), 20);
        let (begin, end) = (time(request, "start_time"), time(request, "end_time"));
        assert!(end - begin <= TimeDelta::days(3), "{begin} to {end}");
        assert!(end <= wall(), "the last window is pinned");
    }
    let first = &sent[0].1;
    assert_eq!(time(first, "start_time"), wall() - TimeDelta::days(7));
    assert_eq!(number(&sent[1].1, "offset"), 20);
}

#[tokio::test(start_paused = true)]
async fn a_flow_that_was_idle_for_a_year_is_listed_whole() {
    let long_ago = wall() - TimeDelta::days(400);
    let all = [("old".to_owned(), long_ago), ("new".to_owned(), wall())];
    let (client, _) = playing(move |request| {
        let (page, _) = listed(&all, request);
        says(200, json!({"executions": page}))
    });
    for since in [long_ago, wall() - TimeDelta::days(500)] {
        let request = ListWorkflowExecutionsRequest::new("flow").start_time(since);
        let mut items = client.list_workflow_executions(request).items();
        let mut ids = Vec::new();
        while let Some(item) = items.next().await {
            ids.push(item.unwrap().execution_id.unwrap());
        }
        assert_eq!(ids, ["old", "new"]);
    }
    // Times that no window fits are no panic.
    let (client, script) = playing(|_| says(200, json!({"executions": []})));
    for (begin, end) in [
        (DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MAX_UTC),
        (wall(), DateTime::<Utc>::MIN_UTC),
    ] {
        let request = ListWorkflowExecutionsRequest::new("flow");
        let request = request.start_time(begin).end_time(end);
        let mut items = client.list_workflow_executions(request).items();
        assert!(items.next().await.is_none());
    }
    assert_eq!(script.sent().len(), 2);
    let mut follower = client.follow("flow");
    follower.add(ExecutionRef::new("flow", "e").started(DateTime::<Utc>::MAX_UTC));
    let next = tokio::time::timeout(5 * SECOND, follower.next()).await;
    assert!(next.is_err(), "nothing is told of it");
}

#[tokio::test(start_paused = true)]
async fn a_list_asks_for_no_more_than_the_service_gives() {
    let (client, script) = playing(|_| says(200, json!({"executions": []})));
    let request = ListWorkflowExecutionsRequest::new("flow");
    assert!(
        client
            .list_workflow_executions(request.clone())
            .items()
            .next()
            .await
            .is_none()
    );
    let sent = script.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(number(&sent[0].1, "limit"), 200);
    let window = time(&sent[0].1, "start_time")..time(&sent[0].1, "end_time");
    assert_eq!(window.end - window.start, TimeDelta::days(3));

    let error = client
        .list_workflow_executions(request.offset(5_u32))
        .items()
        .next()
        .await
        .unwrap();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidRequest);
    assert!(script.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_list_with_a_total_notices_what_is_missing() {
    let all = hourly(50);
    let (client, _) = playing(move |request| {
        let (page, total) = listed(&all, request);
        says(
            200,
            json!({"total": total, "size": page.len(), "executions": page}),
        )
    });
    let whole = ShowWorkflowExecutionForPageRequest::new("flow", 0_u32, 20_u32);
    let mut pages = client
        .show_workflow_execution_for_page(whole.clone())
        .pages();
    let (mut sizes, mut positions) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().len());
        positions.push(pages.position());
    }
    assert_eq!(sizes, [20, 20, 10]);
    assert_eq!(pages.shortfall(), None);
    // Where it stopped, it goes on.
    let mut again = client
        .show_workflow_execution_for_page(whole.clone())
        .pages()
        .resume(&positions[1])
        .unwrap();
    assert_eq!(again.next().await.unwrap().unwrap().len(), 20);
    assert_eq!(again.next().await.unwrap().unwrap().len(), 10);
    let other = ShowWorkflowExecutionForPageRequest::new("other", 0_u32, 20_u32);
    assert!(
        client
            .show_workflow_execution_for_page(other)
            .pages()
            .resume(&positions[1])
            .is_err()
    );

    // A service that counts pages has nothing at the offset that was meant as items.
    let all = hourly(50);
    let (client, _) = playing(move |request| {
        let (mut page, total) = listed(&all, request);
        if number(request, "offset") > 0 {
            page.clear();
        }
        says(200, json!({"total": total, "executions": page}))
    });
    let mut items = client.show_workflow_execution_for_page(whole).items();
    let mut given = 0;
    while let Some(item) = items.next().await {
        item.unwrap();
        given += 1;
    }
    let shortfall = items.shortfall().unwrap();
    assert_eq!((given, shortfall.given, shortfall.total), (20, 20, 50));
}

#[tokio::test(start_paused = true)]
async fn many_executions_are_followed_by_the_flows_list() {
    const COUNT: i64 = 300;
    let began = monotonic();
    let (client, script) = playing(move |request| {
        let since = TimeDelta::from_std(monotonic() - began).unwrap();
        let view = |n: i64| {
            let ends = TimeDelta::seconds(10 + n % 60);
            let mut view = json!({
                "execution_id": format!("e{n}"), "begin_time": wall(), "status": "running",
            });
            if since >= ends {
                view["status"] = "success".into();
                view["end_time"] = json!(wall() + ends);
            }
            view
        };
        let path = request.url.path();
        let id = path.rsplit_once("/e").map(|(_, id)| id.parse());
        if let Some(Ok(n)) = id {
            return says(200, view(n));
        }
        let offset = number(request, "offset") as i64;
        let until = (offset + number(request, "limit") as i64).min(COUNT);
        let page: Vec<Value> = (offset..until).map(view).collect();
        says(200, json!({"executions": page}))
    });
    let mut follower = client.follow("flow");
    for n in 0..COUNT {
        follower.add(ExecutionRef::new("flow", format!("e{n}")).started(wall()));
    }
    let mut told = 0;
    while let Some(end) = follower.next().await {
        let ended = end.outcome.unwrap();
        assert_eq!(ended.status, Some(WorkflowRunStatus::Success));
        let late =
            TimeDelta::from_std(monotonic() - began).unwrap() - (ended.end_time.unwrap() - wall());
        assert!(late <= TimeDelta::seconds(20), "{late}");
        told += 1;
    }
    assert_eq!(told, COUNT);
    let sent = script.sent();
    assert!(sent.len() < 400, "{}", sent.len());
    assert!(sent.iter().all(|(_, request)| {
        request.url.path().contains("/executions/") || number(request, "limit") <= 100
    }));
}
