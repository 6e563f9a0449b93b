//! Following executions of Alibaba Cloud through the public client.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::Value;

use super::*;
use crate::{
    ExecutionRef, Position, Progress,
    alibaba::{
        Client, ExecutionStatus, Found, GetExecutionHistoryRequest, ListExecutionsRequest,
        ReportTaskSucceededRequest, Stop, StopExecutionRequest,
    },
    pipeline::testing::log::Log,
};

fn action(request: &HttpRequest) -> String {
    parameter(request, "Action").unwrap()
}

/// A client whose requests are answered by a function of their action and number.
fn client(
    answer: impl Fn(&str, usize, &HttpRequest) -> Step + Send + Sync + 'static,
) -> (Client, Arc<Script>) {
    let counts = Mutex::new(std::collections::HashMap::<String, usize>::new());
    let script = Script::playing(move |request| {
        let action = action(request);
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(action.clone()).or_default();
        *count += 1;
        Some(answer(&action, *count, request))
    });
    (alibaba_client(&script), script)
}

fn shown(status: &str) -> Step {
    shown_from(status, "2026-11-22T12:00:00Z")
}

fn shown_from(status: &str, started: &str) -> Step {
    let mut body =
        json!({"FlowName": "flow", "Name": "mine", "Status": status, "StartedTime": started});
    if !matches!(status, "Running" | "Starting") {
        body["StoppedTime"] = json!("2026-11-22T12:30:00Z");
        body["Output"] = json!(r#"{"ok":true}"#);
    }
    at_once(reply(200, &body.to_string()))
}

fn mine() -> ExecutionRef {
    ExecutionRef::new("flow", "mine")
}

fn start() -> StartExecutionRequest {
    StartExecutionRequest::new("flow").execution_name("mine")
}

fn actions(script: &Script) -> Vec<String> {
    script
        .sent()
        .iter()
        .map(|(_, request)| action(request))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_not_visible_yet_is_waited_for_and_one_that_vanishes_is_gone() {
    let (late, _) = client(|action, count, _| match (action, count) {
        ("StartExecution", _) => shown("Running"),
        (_, 1..=3) => coded(404, "ExecutionNotExists"),
        _ => shown("Succeeded"),
    });
    let ended = late.start_and_wait(start()).await.unwrap();
    assert_eq!(ended.status, ExecutionStatus::Succeeded);

    let (vanishing, _) = client(|_, count, _| match count {
        1 => shown("Running"),
        _ => coded(404, "FlowNotExists"),
    });
    let error = vanishing.wait(mine()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
    assert!(error.to_string().contains("Running"), "{error}");

    let (never, script) = client(|_, _, _| coded(404, "ExecutionNotExists"));
    let error = never.wait(mine()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(script.sent().len(), 1, "no grace for what is resumed");
}

#[tokio::test(start_paused = true)]
async fn a_failure_has_the_reason_of_its_last_failure_event() {
    let (client, script) = client(|action, _, request| match action {
        "DescribeExecution" => shown("Failed"),
        _ => {
            let is_second = parameter(request, "NextToken").is_some();
            let failed = |id: i64, error: &str| {
                let detail = json!({"error": error, "cause": "why"}).to_string();
                json!({"EventId": id, "Type": "StepFailed", "EventDetail": detail})
            };
            let page = match is_second {
                false => json!({"Events": [failed(1, "Caught")], "NextToken": "2"}),
                true => json!({"Events": [failed(2, "OutOfStock")]}),
            };
            at_once(reply(200, &page.to_string()))
        }
    });
    let failed = client.wait(mine()).await.unwrap();
    let error = failed.into_output::<Value>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FlowFailed);
    assert_eq!(error.flow_failure().unwrap().code(), Some("OutOfStock"));
    assert_eq!(error.flow_failure().unwrap().message(), Some("why"));
    let sent = actions(&script);
    assert_eq!(
        sent,
        [
            "DescribeExecution",
            "GetExecutionHistory",
            "GetExecutionHistory"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_whose_reason_is_not_to_be_read_is_that_failure() {
    let (client, _) = client(|action, _, _| match action {
        "DescribeExecution" => shown("Failed"),
        _ => coded(403, "AccessDenied"),
    });
    let failed = client.wait(mine()).await.unwrap();
    assert_eq!(failed.status, ExecutionStatus::Failed);
    assert_eq!(failed.error_code, None);
}

#[tokio::test(start_paused = true)]
async fn a_good_end_reads_no_history_and_its_output_may_come_late() {
    let (client, script) = client(|_, count, _| match count {
        1 => at_once(reply(200, r#"{"Status":"Succeeded"}"#)),
        _ => shown("Succeeded"),
    });
    let ended = client.wait(mine()).await.unwrap();
    assert_eq!(ended.into_output::<Value>().unwrap(), json!({"ok": true}));
    assert_eq!(actions(&script), ["DescribeExecution"; 2]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_word_goes_on_and_with_a_stop_time_in_three_looks_it_is_an_end() {
    let (client, script) = client(|_, _, _| shown("Archived"));
    let ended = client.wait(mine()).await.unwrap();
    assert_eq!(ended.status.as_str(), "Archived");
    assert_eq!(script.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_stop_says_whether_it_came_in_time() {
    let (running, _) = client(|_, _, _| shown("Running"));
    assert_eq!(running.stop(mine()).await.unwrap(), Stop::Requested);

    let (ended, _) = client(|action, _, _| match action {
        "StopExecution" => coded(400, "ExecutionAlreadyCompleted"),
        _ => shown("Succeeded"),
    });
    let stop = ended.stop(mine()).await.unwrap();
    assert_eq!(stop, Stop::AlreadyEnded(ExecutionStatus::Succeeded));
    let ended = ended.stop_and_wait(mine()).await.unwrap();
    assert_eq!(ended.status, ExecutionStatus::Succeeded);

    let (lost, _) = client(|action, count, _| match (action, count) {
        ("StopExecution", 1) => Step::Fail(Stage::Exchange),
        ("StopExecution", _) => coded(400, "ExecutionAlreadyCompleted"),
        _ => shown("Stopped"),
    });
    assert_eq!(lost.stop(mine()).await.unwrap(), Stop::Requested);
}

#[tokio::test(start_paused = true)]
async fn reports_are_repeated_settled_or_refused() {
    let report = || ReportTaskSucceededRequest::new("token");
    let (early, script) = client(|_, count, _| match count {
        1 => coded(409, "TaskInvalidState"),
        _ => at_once(reply(200, r#"{"EventId":7}"#)),
    });
    let done = early.report_task_succeeded(report()).send().await.unwrap();
    assert_eq!((done.event_id, done.was_completed), (Some(7), false));
    assert_eq!(script.sent().len(), 2);

    let (lost, _) = client(|_, count, _| match count {
        1 => Step::Fail(Stage::Exchange),
        _ => coded(400, "TaskAlreadyCompleted"),
    });
    let done = lost.report_task_succeeded(report()).send().await.unwrap();
    assert!(done.was_completed);

    let (used, script) = client(|_, _, _| coded(400, "TaskAlreadyCompleted"));
    let error = used
        .report_task_succeeded(report())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyCompleted);
    assert_eq!(script.sent().len(), 1);

    let (bad, script) = client(|_, _, _| coded(400, "InvalidArgument"));
    let error = bad
        .report_task_succeeded(report())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(script.sent().len(), 1, "a bad token fails at once");
}

#[tokio::test(start_paused = true)]
async fn only_a_final_refusal_of_the_service_ends_a_wait() {
    let (borne, _) = client(|_, count, _| match count {
        1 => coded(400, "Throttling.User"),
        2 => at_once(reply(403, "<html>blocked</html>")),
        3 => coded(500, "InternalServerError"),
        4 => Step::Fail(Stage::Connect),
        _ => shown("Succeeded"),
    });
    borne.wait(mine()).await.unwrap();

    let (denied, _) = client(|action, _, _| match action {
        "StartExecution" => shown("Running"),
        _ => coded(403, "AccessDenied"),
    });
    let error = denied.start_and_wait(start()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    let text = error.to_string();
    for part in ["was started", "mine", "fnf:DescribeExecution"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("may have started"), "{text}");
    assert!(error.may_have_started());
}

#[tokio::test(start_paused = true)]
async fn a_cut_long_poll_is_no_news_and_three_in_a_row_fall_back_to_short_looks() {
    let (client, script) = client(|_, count, _| match count {
        1..=3 => Step::Fail(Stage::Exchange),
        4 => shown("Running"),
        _ => shown("Succeeded"),
    });
    client.wait(mine()).await.unwrap();
    let waits: Vec<bool> = script
        .sent()
        .iter()
        .map(|(_, request)| parameter(request, "WaitTimeSeconds").is_some())
        .collect();
    assert_eq!(waits, [true, true, true, false, false]);
}

#[tokio::test(start_paused = true)]
async fn an_execution_that_bears_the_name_later_is_another() {
    let (client, _) = client(|_, count, _| match count {
        1 => shown("Running"),
        _ => shown_from("Succeeded", "2026-11-22T13:00:00Z"),
    });
    let error = client.wait(mine()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone, "{error}");
}

#[tokio::test(start_paused = true)]
async fn executions_of_express_flows_are_refused_with_a_sentence() {
    let (client, script) = client(|_, _, _| shown("Running"));
    let express = ExecutionRef::new("flow", "mine:5b0c7a9e-1d2f");
    for error in [
        client.wait(express.clone()).await.unwrap_err(),
        client.stop(express.clone()).await.unwrap_err(),
        client.stop_and_wait(express).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("Express"), "{error}");
    }
    let history = GetExecutionHistoryRequest::new("flow", "mine:5b0c7a9e-1d2f");
    let error = client
        .get_execution_history(history)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("Express"), "{error}");
    let stop = StopExecutionRequest::new("flow", "mine:5b0c7a9e-1d2f");
    let error = client.stop_execution(stop).send().await.unwrap_err();
    assert!(error.to_string().contains("Express"), "{error}");
    assert!(script.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_start_finds_what_bears_its_name_and_refuses_what_is_anothers() {
    let with_input = |status: &str, input: &str| {
        let body = json!({"FlowName": "flow", "Name": "mine", "Status": status, "Input": input,
            "StartedTime": "2026-11-22T11:00:00Z", "StoppedTime": "2026-11-22T11:30:00Z"});
        at_once(with_header(
            reply(200, &body.to_string()),
            "date",
            "Sun, 22 Nov 2026 12:00:00 GMT",
        ))
    };
    let request = || start().input(json!({"a": 1}));
    let (running, _) = client(move |_, _, _| with_input("Running", r#"{"a":1}"#));
    let found = running.start_or_find(request()).await.unwrap();
    assert!(matches!(found, Found::Running(_)), "{found:?}");

    let (ended, _) = client(move |action, _, _| match action {
        "StartExecution" => coded(400, "ExecutionAlreadyExists"),
        _ => with_input("Failed", r#"{"a": 1.0}"#),
    });
    let found = ended.start_or_find(request()).await.unwrap();
    assert!(matches!(found, Found::Ended(_)), "{found:?}");

    let (anothers, _) = client(move |action, count, _| match (action, count) {
        ("StartExecution", 1) => with_input("Running", r#"{"a":2}"#),
        ("StartExecution", _) => coded(400, "ExecutionAlreadyExists"),
        _ => with_input("Succeeded", r#"{"a":2}"#),
    });
    for _ in 0..2 {
        let error = anothers.start_or_find(request()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert!(!error.may_have_started(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_of_unknown_fate_goes_on_as_a_look_by_name() {
    let (client, _) = client(|action, _, _| match action {
        "StartExecution" => Step::Fail(Stage::Exchange),
        _ => shown("Succeeded"),
    });
    let ended = client.start_and_wait(start()).await.unwrap();
    assert_eq!(ended.status, ExecutionStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_says_that_the_execution_goes_on() {
    let (client, _) = client(|_, _, _| shown("Running"));
    let began = monotonic();
    let wait = client
        .start_and_wait(start())
        .deadline(Duration::from_secs(90));
    let error = wait.await.unwrap_err();
    assert_eq!(monotonic() - began, Duration::from_secs(90));
    assert_eq!(error.kind(), ErrorKind::Deadline);
    assert_eq!(error.delivery(), Delivery::Accepted);
    let text = error.to_string();
    assert!(text.contains("goes on, last status Running"), "{text}");
    assert!(!text.contains("may have started"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_statuses_on_the_way_are_told() {
    let (client, _) = client(|_, count, _| match count {
        1 => shown("Starting"),
        2 => shown("Running"),
        _ => shown("Succeeded"),
    });
    let mut wait = client.wait(mine());
    let mut told = Vec::new();
    while let Some(progress) = wait.next().await {
        match progress.unwrap() {
            Progress::Status(status) => told.push(status),
            Progress::Ended(ended) => told.push(format!("end {}", ended.status)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, ["Starting", "Running", "end Succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_asks_for_pages_as_they_are_wanted_and_goes_on_where_it_was() {
    let asked = Arc::<AtomicUsize>::default();
    let counted = asked.clone();
    let (client, script) = client(move |_, _, request| {
        counted.fetch_add(1, Ordering::Relaxed);
        let page: usize = parameter(request, "NextToken").map_or(0, |token| token.parse().unwrap());
        let items: Vec<Value> = (0..2)
            .map(|i| json!({"Name": format!("e{}", page * 2 + i), "Status": "Running"}))
            .collect();
        let next = if page < 2 {
            (page + 1).to_string()
        } else {
            String::new()
        };
        at_once(reply(
            200,
            &json!({"Executions": items, "NextToken": next}).to_string(),
        ))
    });
    let list = || client.list_executions(ListExecutionsRequest::new("flow"));
    let mut items = list().items();
    for name in ["e0", "e1", "e2"] {
        assert_eq!(
            items.next().await.unwrap().unwrap().name.as_deref(),
            Some(name)
        );
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    let position: Position = items.position().to_string().parse().unwrap();
    let mut again = list().items().resume(&position).unwrap();
    let mut names = Vec::new();
    while let Some(item) = again.next().await {
        names.push(item.unwrap().name.unwrap());
    }
    assert_eq!(names, ["e2", "e3", "e4", "e5"]);
    for (_, request) in script.sent() {
        assert_eq!(parameter(&request, "MetadataOnly").as_deref(), Some("true"));
        assert_eq!(parameter(&request, "Limit").as_deref(), Some("100"));
    }
    let other = client.list_executions(ListExecutionsRequest::new("other"));
    assert!(other.pages().resume(&position).is_err());
}

#[tokio::test(start_paused = true)]
async fn three_hours_of_waiting_outlive_keys_of_fifteen_minutes() {
    let began = monotonic();
    let now = move || wall() + (monotonic() - began);
    let given = Arc::<AtomicUsize>::default();
    let count = given.clone();
    let ends: Mutex<Vec<chrono::DateTime<Utc>>> = Mutex::default();
    let script = Script::playing(move |request| {
        let dated = |body: String, status: u16, after: u64| {
            let date = httpdate::fmt_http_date((now() + Duration::from_secs(after)).into());
            let reply = with_header(reply(status, &body), "date", &date);
            Some(Step::Reply(Duration::from_secs(after), reply))
        };
        let mut ends = ends.lock().unwrap();
        if action(request) == "AssumeRole" {
            count.fetch_add(1, Ordering::Relaxed);
            ends.push(now() + Duration::from_secs(900));
            let end = now() + Duration::from_secs(900);
            let key = json!({"AccessKeyId": format!("STS.{}", ends.len() - 1),
                "AccessKeySecret": "secret", "SecurityToken": "token",
                "Expiration": end.format("%Y-%m-%dT%H:%M:%SZ").to_string()});
            return dated(
                json!({"RequestId": "r", "Credentials": key}).to_string(),
                200,
                0,
            );
        }
        let id = parameter(request, "AccessKeyId").unwrap();
        let end = ends[id.trim_start_matches("STS.").parse::<usize>().unwrap()];
        // One key is revoked, in the middle of a long poll.
        let is_revoked = id == "STS.3" && now() > end - Duration::from_secs(500);
        if now() >= end || is_revoked {
            let body = json!({"Code": "InvalidSecurityToken.Expired", "Message": "m"});
            return dated(body.to_string(), 403, if is_revoked { 30 } else { 0 });
        }
        let is_over = monotonic() - began >= Duration::from_secs(3 * 3600);
        let status = if is_over { "Succeeded" } else { "Running" };
        let mut body = json!({"Name": "mine", "Status": status});
        if is_over {
            body["Output"] = json!("{}");
        }
        dated(body.to_string(), 200, if is_over { 0 } else { 60 })
    });
    let key = Credentials::new("id", "secret");
    let client = Client::builder()
        .region("cn-hangzhou")
        .credentials(alibaba::AssumeRole::new(key, "acs:ram::1:role/r").duration_seconds(900))
        .scripted(&script, Clock::starting_at(wall()))
        .build()
        .unwrap();
    let mut wait = client.wait(mine());
    let mut told = Vec::new();
    while let Some(progress) = wait.next().await {
        told.push(match progress.unwrap() {
            Progress::Status(status) => status,
            Progress::Ended(ended) => format!("end {}", ended.status),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(told, ["Running", "end Succeeded"]);
    let keys = given.load(Ordering::Relaxed);
    assert!((12..=30).contains(&keys), "{keys} keys in three hours");
}

/// A flow of which every third execution failed; all have ended when they are looked for.
fn ended_flow(executions: usize, history: fn() -> Step) -> (Client, Arc<Script>) {
    client(move |action, _, request| match action {
        "ListExecutions" => {
            let from = parameter(request, "NextToken").map_or(0, |token| token.parse().unwrap());
            let to = executions.min(from + 100);
            let items: Vec<Value> = (from..to)
                .map(|i| {
                    let status = if i % 3 == 0 { "Failed" } else { "Succeeded" };
                    json!({"Name": format!("e{i}"), "Status": status, "FlowName": "flow",
                        "StartedTime": "2026-11-22T12:00:00Z",
                        "StoppedTime": "2026-11-22T12:00:01Z"})
                })
                .collect();
            let next = if to < executions {
                to.to_string()
            } else {
                String::new()
            };
            at_once(reply(
                200,
                &json!({"Executions": items, "NextToken": next}).to_string(),
            ))
        }
        _ => history(),
    })
}

fn out_of_stock() -> Step {
    let detail = json!({"error": "OutOfStock", "cause": "why"}).to_string();
    let events = json!([{"EventId": 9, "Type": "ExecutionFailed", "EventDetail": detail}]);
    at_once(reply(200, &json!({"Events": events}).to_string()))
}

#[tokio::test(start_paused = true)]
async fn a_follower_tells_ends_at_once_and_reasons_at_the_pace_of_the_history() {
    const COUNT: usize = 300;
    for (with_reasons, history, code) in [
        (false, out_of_stock as fn() -> Step, None),
        (true, out_of_stock, Some("OutOfStock")),
        (true, || coded(403, "AccessDenied"), None),
    ] {
        let (client, script) = ended_flow(COUNT, history);
        let mut follower = match with_reasons {
            true => client.follow("flow").with_reasons(),
            false => client.follow("flow"),
        };
        let started = "2026-11-22T12:00:00Z".parse().unwrap();
        for i in 0..COUNT {
            follower.add(ExecutionRef::new("flow", format!("e{i}")).started(started));
        }
        let began = monotonic();
        let mut good_after = Duration::ZERO;
        let mut names = std::collections::BTreeSet::new();
        while let Some(end) = follower.next().await {
            let ended = end.outcome.unwrap();
            assert!(names.insert(end.execution.execution), "told twice");
            match ended.status {
                ExecutionStatus::Failed => assert_eq!(ended.error_code.as_deref(), code),
                _ => good_after = monotonic() - began,
            }
        }
        assert_eq!(names.len(), COUNT);
        assert!(good_after < Duration::from_secs(20), "{good_after:?}");
        let took = monotonic() - began;
        let sent = actions(&script);
        let histories = sent.iter().filter(|sent| *sent == "GetExecutionHistory");
        match with_reasons {
            false => {
                assert_eq!(histories.count(), 0);
                assert!(took < Duration::from_secs(20), "{took:?}");
            }
            // A hundred failures, of which 45 go at once.
            true => {
                assert_eq!(histories.count(), 100);
                assert!(
                    took > Duration::from_secs(11) && took < Duration::from_secs(30),
                    "{took:?}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_one_span_with_a_bounded_number_of_events_and_ends_when_dropped() {
    let log = Log::default();
    let _logging = log.start();
    let (client, script) = client(|_, count, _| match count % 4 {
        // Even a service that makes up words does not fill the log.
        0 => coded(429, "ResourceThrottled"),
        1 => Step::Fail(Stage::Exchange),
        2 => shown("Paused"),
        _ => shown("Running"),
    });
    let wait = client.wait(mine());
    let error = wait
        .deadline(Duration::from_secs(60_000))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    let looks = script.sent().len();
    assert!(looks > 10_000, "{looks} looks");
    let text = log.text();
    let spans = |text: &str| text.matches("\nspan ").count();
    assert_eq!(spans(&text), 1, "{}", &text[..2000]);
    assert_eq!(text.matches("\nspan wait ").count(), 1);
    let events = text.matches("\nevent ").count();
    assert!(events <= 128, "{events} events");
    assert!(
        text.contains("outcome=\"failed\""),
        "{}",
        &text[text.len() - 300..]
    );

    let mut wait = client.wait(mine());
    let cut = tokio::time::timeout(Duration::from_secs(100), async {
        while wait.next().await.is_some() {}
    });
    assert!(cut.await.is_err());
    drop(wait);
    let text = log.text();
    assert_eq!(spans(&text), 2);
    assert!(
        text.ends_with("outcome=\"dropped\""),
        "{}",
        &text[text.len() - 300..]
    );
}
