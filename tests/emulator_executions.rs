//! What executions of the emulator go through: time, steps, callbacks, stops, retries, lists.
#![cfg(all(feature = "alibaba", feature = "huawei"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "support/signed.rs"]
mod signed;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};
use cloud_workflows::{
    FlowFailure,
    emulator::{Emulator, Flow, Quirks, Quotas},
};
use serde_json::{Value, json};
use signed::{call, client};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

fn now() -> DateTime<Utc> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the client of this test has a clock"
    )]
    SystemTime::now().into()
}

async fn start(emulator: &Emulator, flow: &str, name: &str) {
    let own = [("FlowName", flow), ("ExecutionName", name)];
    let (status, body) = call(emulator, "StartExecution", &own).await;
    assert_eq!(status, 200, "{body}");
}

async fn describe(emulator: &Emulator, flow: &str, name: &str) -> Value {
    let own = [("FlowName", flow), ("ExecutionName", name)];
    call(emulator, "DescribeExecution", &own).await.1
}

async fn code(emulator: &Emulator, action: &str, own: &[(&str, &str)]) -> (u16, String) {
    let (status, body) = call(emulator, action, own).await;
    (status, body["Code"].as_str().unwrap_or_default().to_owned())
}

/// The events of an execution, of all pages.
async fn events(emulator: &Emulator, flow: &str, name: &str, limit: &str) -> Vec<Value> {
    let (mut events, mut token) = (Vec::new(), String::new());
    loop {
        let own = [
            ("FlowName", flow),
            ("ExecutionName", name),
            ("Limit", limit),
            ("NextToken", &token),
        ];
        let (status, body) = call(emulator, "GetExecutionHistory", &own).await;
        assert_eq!(status, 200, "{body}");
        events.extend(body["Events"].as_array().unwrap().clone());
        match body["NextToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => return events,
        }
    }
}

fn types(events: &[Value]) -> Vec<&str> {
    let types = events.iter();
    types.map(|event| event["Type"].as_str().unwrap()).collect()
}

fn detail(event: &Value) -> Value {
    serde_json::from_str(event["EventDetail"].as_str().unwrap()).unwrap()
}

fn ok(_: Value) -> Result<Value, FlowFailure> {
    Ok(json!({"done": true}))
}

/// An emulator whose time moves by advancing alone.
fn still() -> Emulator {
    let emulator = Emulator::start().unwrap();
    emulator.scale_time(0.0);
    emulator
}

#[tokio::test]
async fn an_execution_takes_as_long_as_its_steps() {
    let emulator = still();
    emulator.standard(
        "f",
        Flow::new(ok)
            .step("charge", 20 * SECOND)
            .step("ship", 40 * SECOND)
            .takes(5 * SECOND),
    );
    start(&emulator, "f", "e").await;
    assert_eq!(describe(&emulator, "f", "e").await["Status"], "Running");
    emulator.advance(64 * SECOND);
    let running = describe(&emulator, "f", "e").await;
    assert_eq!(
        (&running["Status"], &running["Output"]),
        (&json!("Running"), &json!(""))
    );
    // However far the clock jumps, the end is when it was due.
    emulator.advance(DAY);
    let ended = describe(&emulator, "f", "e").await;
    assert_eq!(ended["Status"], "Succeeded");
    assert_eq!(ended["Output"], r#"{"done":true}"#);
    let time = |name: &str| DateTime::parse_from_rfc3339(ended[name].as_str().unwrap()).unwrap();
    assert_eq!(
        (time("StoppedTime") - time("StartedTime")).num_seconds(),
        65
    );
    assert_eq!(emulator.executions("f")[0].status, "Succeeded");
    assert_eq!(emulator.runs("f"), 1);
}

#[tokio::test]
async fn a_long_poll_is_answered_when_the_test_advances_time() {
    let emulator = still();
    for (flow, takes, status) in [
        ("long", 10_000 * DAY, "Running"),
        ("short", 30 * SECOND, "Succeeded"),
    ] {
        emulator.standard(flow, Flow::new(ok).takes(takes));
        start(&emulator, flow, "e").await;
        let polled = tokio::spawn({
            let emulator = emulator.clone();
            async move {
                let own = [
                    ("FlowName", flow),
                    ("ExecutionName", "e"),
                    ("WaitTimeSeconds", "60"),
                ];
                call(&emulator, "DescribeExecution", &own).await.1
            }
        });
        let asked = emulator.requests().len();
        while emulator.requests().len() < asked + 2 {
            tokio::task::yield_now().await;
        }
        // When the call begins to wait cannot be seen from here, nor when its date is judged: by
        // small steps, the date stays within what a signature may differ by.
        while !polled.is_finished() {
            emulator.advance(SECOND);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(polled.await.unwrap()["Status"], status);
    }
}

#[tokio::test]
async fn scaled_time_ends_what_takes_an_hour() {
    let emulator = Emulator::start().unwrap();
    emulator.standard("f", Flow::new(ok).takes(3600 * SECOND));
    start(&emulator, "f", "e").await;
    emulator.scale_time(1e6);
    let before = now();
    while emulator.executions("f")[0].status == "Running" {
        tokio::task::yield_now().await;
    }
    assert!(now() - before < chrono::TimeDelta::minutes(1));
}

#[tokio::test]
async fn a_history_has_every_documented_event() {
    let emulator = still();
    let whole = Flow::new(ok)
        .tried_step("charge", 2, SECOND)
        .parallel("both", &[("slow", 2 * SECOND), ("fast", SECOND)])
        .iterates("each", 2, SECOND)
        .event(
            "MapRunStarted",
            "each",
            json!({"output": {"MapRunName": "m"}}),
        )
        .event(
            "TaskSubmitFailed",
            "charge",
            json!({"error": "e", "cause": "c"}),
        )
        .waits_for_callback_until("approve", SECOND);
    emulator.standard("late", whole);
    emulator.standard("fails", |_: Value| {
        Err::<Value, _>(FlowFailure::new("Out", "of stock"))
    });
    emulator.standard("times_out", |_: Value| {
        Err::<Value, _>(FlowFailure::timed_out())
    });
    emulator.standard("stopped", Flow::new(ok).takes(DAY));
    emulator.standard("succeeds", ok);
    let mut seen = BTreeSet::new();
    for flow in ["late", "fails", "times_out", "stopped", "succeeds"] {
        start(&emulator, flow, "e").await;
        if flow == "stopped" {
            let own = [
                ("FlowName", flow),
                ("ExecutionName", "e"),
                ("Cause", "enough"),
            ];
            assert_eq!(call(&emulator, "StopExecution", &own).await.0, 200);
        }
        emulator.advance(10 * SECOND);
        while emulator.executions(flow)[0].status == "Running" {
            tokio::task::yield_now().await;
        }
        let events = events(&emulator, flow, "e", "3").await;
        for (index, event) in events.iter().enumerate() {
            let members = event.as_object().unwrap();
            assert!(members.values().all(|value| !value.is_null()), "{event}");
            let id = event["EventId"].as_u64().unwrap();
            assert_eq!(id, index as u64 + 1);
            assert!(event["ScheduleEventId"].as_u64().unwrap() < id, "{event}");
            assert!(detail(event).is_object());
        }
        seen.extend(types(&events).into_iter().map(str::to_owned));
    }
    let documented = "StepEntered StepStarted StepSucceeded StepFailed StepExited BranchEntered \
        BranchExited IterationEntered IterationExited TaskScheduled TaskStarted TaskSubmitted \
        TaskSubmitFailed TaskSucceeded TaskFailed TaskTimedOut ExecutionStarted ExecutionStopped \
        ExecutionSucceeded ExecutionFailed ExecutionTimedOut MapRunStarted";
    let documented: BTreeSet<_> = documented.split_whitespace().map(str::to_owned).collect();
    assert_eq!(seen, documented);
}

#[tokio::test]
async fn a_history_tells_why_an_execution_failed() {
    let emulator = still();
    emulator.standard("f", |_: Value| {
        Err::<Value, _>(FlowFailure::new("Out", "of stock"))
    });
    start(&emulator, "f", "e").await;
    while emulator.executions("f")[0].status == "Running" {
        tokio::task::yield_now().await;
    }
    let events = events(&emulator, "f", "e", "999").await;
    let reason = json!({"error": "Out", "cause": "of stock"});
    for kind in ["TaskFailed", "StepFailed", "ExecutionFailed"] {
        let event = events.iter().find(|event| event["Type"] == kind).unwrap();
        assert_eq!(detail(event), reason, "{kind}");
    }
    // A task's end points at the task, the task at its step.
    let at = |kind: &str| events.iter().find(|event| event["Type"] == kind).unwrap();
    assert_eq!(
        at("TaskFailed")["ScheduleEventId"],
        at("TaskScheduled")["EventId"]
    );
    assert_eq!(
        at("TaskScheduled")["ScheduleEventId"],
        at("StepEntered")["EventId"]
    );
}

#[tokio::test]
async fn a_stop_ends_what_runs_and_nothing_else() {
    let emulator = still();
    emulator.standard("f", Flow::new(ok).step("wait", DAY));
    start(&emulator, "f", "e").await;
    let own = [
        ("FlowName", "f"),
        ("ExecutionName", "e"),
        ("Error", "Mine"),
        ("Cause", "enough"),
    ];
    let (status, body) = call(&emulator, "StopExecution", &own).await;
    // As the service's own sample: asked to stop, still running.
    assert_eq!((status, &body["Status"]), (200, &json!("Running")));
    assert_eq!(describe(&emulator, "f", "e").await["Status"], "Stopped");
    let last = events(&emulator, "f", "e", "999").await.pop().unwrap();
    assert_eq!(last["Type"], "ExecutionStopped");
    assert_eq!(detail(&last), json!({"error": "Mine", "cause": "enough"}));
    let again = code(&emulator, "StopExecution", &own).await;
    assert_eq!(again, (400, "ExecutionAlreadyCompleted".to_owned()));
    let own = [("FlowName", "f"), ("ExecutionName", "other")];
    let unknown = code(&emulator, "StopExecution", &own).await;
    assert_eq!(unknown, (404, "ExecutionNotExists".to_owned()));
}

#[tokio::test]
async fn a_callback_goes_on_with_its_report() {
    let emulator = still();
    let flow = Flow::new(ok)
        .step("charge", SECOND)
        .waits_for_callback("approve");
    emulator.standard("f", flow);
    start(&emulator, "f", "e").await;
    assert!(emulator.waiting_callbacks().is_empty());
    emulator.advance(DAY);
    let [callback] = &emulator.waiting_callbacks()[..] else {
        panic!("one callback")
    };
    assert_eq!(
        (
            callback.flow.as_str(),
            callback.execution.as_str(),
            callback.step.as_str()
        ),
        ("f", "e", "approve")
    );
    let token = callback.token.expose();
    assert!(!format!("{callback:?}").contains(token));
    let report = [("TaskToken", token), ("Output", r#"{"yes":true}"#)];
    let (status, body) = call(&emulator, "ReportTaskSucceeded", &report).await;
    assert_eq!(status, 200, "{body}");
    assert!(emulator.waiting_callbacks().is_empty());
    let events = events(&emulator, "f", "e", "999").await;
    let reported = body["EventId"].as_u64().unwrap();
    let reported = events
        .iter()
        .find(|event| event["EventId"] == reported)
        .unwrap();
    assert_eq!(reported["Type"], "TaskSucceeded");
    assert_eq!(detail(reported), json!({"output": {"yes": true}}));
    let again = code(&emulator, "ReportTaskSucceeded", &report).await;
    assert_eq!(again, (400, "TaskAlreadyCompleted".to_owned()));
    let report = [("TaskToken", "none"), ("Output", "{}")];
    let unknown = code(&emulator, "ReportTaskSucceeded", &report).await;
    assert_eq!(unknown, (400, "InvalidArgument".to_owned()));
}

#[tokio::test]
async fn a_callback_reported_as_failed_fails_the_flow() {
    let emulator = still();
    emulator.standard("f", Flow::new(ok).waits_for_callback("approve"));
    emulator.quirks(Quirks {
        task_report_too_early_for: 2 * SECOND,
        ..Quirks::default()
    });
    start(&emulator, "f", "e").await;
    let token = emulator.waiting_callbacks().remove(0).token;
    let report = [
        ("TaskToken", token.expose()),
        ("Error", "No"),
        ("Cause", "way"),
    ];
    let early = code(&emulator, "ReportTaskFailed", &report).await;
    assert_eq!(early, (409, "TaskInvalidState".to_owned()));
    emulator.advance(2 * SECOND);
    assert_eq!(call(&emulator, "ReportTaskFailed", &report).await.0, 200);
    assert_eq!(describe(&emulator, "f", "e").await["Status"], "Failed");
    let last = events(&emulator, "f", "e", "999").await.pop().unwrap();
    assert_eq!(detail(&last), json!({"error": "No", "cause": "way"}));
}

#[tokio::test]
async fn a_forgotten_callback_ends_the_flow_and_says_so() {
    let emulator = Emulator::builder()
        .callback_limit(Duration::ZERO)
        .start()
        .unwrap();
    emulator.standard("f", Flow::new(ok).waits_for_callback("approve"));
    start(&emulator, "f", "e").await;
    assert_eq!(describe(&emulator, "f", "e").await["Status"], "Failed");
    let last = events(&emulator, "f", "e", "999").await.pop().unwrap();
    assert_eq!(detail(&last)["error"], "Emulated.CallbackForgotten");
    let cause = detail(&last)["cause"].as_str().unwrap().to_owned();
    assert!(
        cause.contains("step approve of execution e of flow f"),
        "{cause}"
    );
}

#[tokio::test]
async fn a_child_reports_to_the_parent_whose_token_it_was_given() {
    let emulator = still();
    emulator.standard("parent", Flow::new(ok).waits_for_callback("child"));
    emulator.standard("child", Flow::new(ok).takes(SECOND));
    start(&emulator, "parent", "p").await;
    let token = emulator.waiting_callbacks().remove(0).token;
    let own = [
        ("FlowName", "child"),
        ("CallbackFnFTaskToken", token.expose()),
    ];
    assert_eq!(call(&emulator, "StartExecution", &own).await.0, 200);
    emulator.advance(SECOND);
    let own = [
        ("FlowName", "parent"),
        ("ExecutionName", "p"),
        ("WaitTimeSeconds", "60"),
    ];
    let (_, parent) = call(&emulator, "DescribeExecution", &own).await;
    assert_eq!(parent["Status"], "Succeeded");
}

#[tokio::test]
async fn a_flow_can_fail_at_first() {
    let emulator = still();
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let flow = move |_: Value| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(json!({}))
    };
    emulator.standard("f", Flow::new(flow).fails_first(2));
    for (name, wanted) in [("a", "Failed"), ("b", "Failed"), ("c", "Succeeded")] {
        start(&emulator, "f", name).await;
        let own = [
            ("FlowName", "f"),
            ("ExecutionName", name),
            ("WaitTimeSeconds", "60"),
        ];
        let (_, body) = call(&emulator, "DescribeExecution", &own).await;
        assert_eq!(body["Status"], wanted);
    }
    assert_eq!((calls.load(Ordering::Relaxed), emulator.runs("f")), (1, 1));
}

#[tokio::test]
async fn executions_are_listed_by_pages_and_filters() {
    let emulator = still();
    emulator.standard("f", Flow::new(ok).takes(10 * SECOND));
    for name in ["a-1", "a-2", "b-1", "a-3", "a-4"] {
        start(&emulator, "f", name).await;
        emulator.advance(4 * SECOND);
    }
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let own = [
            ("FlowName", "f"),
            ("Limit", "2"),
            ("NextToken", &token),
            ("ExecutionNamePrefix", "a-"),
            ("MetadataOnly", "true"),
        ];
        let (status, body) = call(&emulator, "ListExecutions", &own).await;
        assert_eq!(status, 200, "{body}");
        for execution in body["Executions"].as_array().unwrap() {
            assert_eq!(
                (execution.get("Input"), execution.get("Output")),
                (None, None)
            );
            names.push(execution["Name"].as_str().unwrap().to_owned());
        }
        match body["NextToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(names, ["a-4", "a-3", "a-2", "a-1"]);
    let listed = async |own: &[(&str, &str)]| {
        let own: Vec<_> = [("FlowName", "f")]
            .into_iter()
            .chain(own.iter().copied())
            .collect();
        let (_, body) = call(&emulator, "ListExecutions", &own).await;
        body["Executions"].as_array().map_or(0, Vec::len)
    };
    while listed(&[("Status", "Succeeded")]).await < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(listed(&[("Status", "Running")]).await, 2);
    let third = emulator.executions("f")[2].started.to_rfc3339();
    assert_eq!(listed(&[("StartedTimeBegin", &third)]).await, 3);
    assert_eq!(listed(&[("StartedTimeEnd", &third)]).await, 3);
    for (name, value) in [
        ("Limit", "0"),
        ("Limit", "101"),
        ("NextToken", "z"),
        ("MetadataOnly", "x"),
    ] {
        let refused = code(
            &emulator,
            "ListExecutions",
            &[("FlowName", "f"), (name, value)],
        )
        .await;
        assert_eq!(
            refused,
            (400, "InvalidArgument".to_owned()),
            "{name} {value}"
        );
    }
}

#[tokio::test]
async fn what_is_seen_can_lag_behind() {
    let emulator = still();
    emulator.standard("f", Flow::new(ok).takes(5 * SECOND));
    emulator.quirks(Quirks {
        not_visible_for: 2 * SECOND,
        list_lag: 3 * SECOND,
        output_late_by: SECOND,
        ..Quirks::default()
    });
    start(&emulator, "f", "e").await;
    let listed = async || {
        let (_, body) = call(&emulator, "ListExecutions", &[("FlowName", "f")]).await;
        body["Executions"][0]["Status"].as_str().map(str::to_owned)
    };
    assert_eq!(
        describe(&emulator, "f", "e").await["Code"],
        "ExecutionNotExists"
    );
    // The name is taken all the same.
    start(&emulator, "f", "e").await;
    assert_eq!(emulator.runs("f"), 1);
    emulator.advance(2 * SECOND);
    assert_eq!(describe(&emulator, "f", "e").await["Status"], "Running");
    assert_eq!(listed().await, None);
    emulator.advance(SECOND);
    assert_eq!(listed().await.as_deref(), Some("Running"));
    emulator.advance(2 * SECOND);
    let own = [
        ("FlowName", "f"),
        ("ExecutionName", "e"),
        ("WaitTimeSeconds", "1"),
    ];
    let (_, ended) = call(&emulator, "DescribeExecution", &own).await;
    assert_eq!(
        (&ended["Status"], &ended["Output"]),
        (&json!("Succeeded"), &json!(""))
    );
    assert_eq!(listed().await.as_deref(), Some("Running"));
    emulator.advance(3 * SECOND);
    assert_eq!(
        describe(&emulator, "f", "e").await["Output"],
        r#"{"done":true}"#
    );
    assert_eq!(listed().await.as_deref(), Some("Succeeded"));
}

#[tokio::test]
async fn quotas_refuse_what_is_over_them() {
    let emulator = still();
    emulator.standard("f", ok).documented_quotas();
    start(&emulator, "f", "e").await;
    let own = [("FlowName", "f"), ("ExecutionName", "e")];
    for _ in 0..50 {
        assert_eq!(call(&emulator, "DescribeExecution", &own).await.0, 200);
    }
    let throttled = (429, "ResourceThrottled".to_owned());
    assert_eq!(code(&emulator, "DescribeExecution", &own).await, throttled);
    assert_eq!(call(&emulator, "GetExecutionHistory", &own).await.0, 200);
    emulator.advance(SECOND);
    assert_eq!(call(&emulator, "DescribeExecution", &own).await.0, 200);
    emulator.quotas(Quotas::default());
    for _ in 0..60 {
        assert_eq!(call(&emulator, "DescribeExecution", &own).await.0, 200);
    }
}

#[tokio::test]
async fn steps_over_their_quota_wait_for_their_turn() {
    let emulator = still();
    emulator.standard("f", Flow::new(ok).step("a", Duration::ZERO));
    emulator.quotas(Quotas {
        step_transitions: Some(cloud_workflows::emulator::Bucket::new(2, 1.0)),
        ..Quotas::default()
    });
    // Two steps each: the first execution empties the bucket.
    for name in ["one", "two"] {
        start(&emulator, "f", name).await;
        let own = [("FlowName", "f"), ("ExecutionName", name)];
        call(&emulator, "DescribeExecution", &own).await;
    }
    let entered = async |name: &'static str| {
        let events = events(&emulator, "f", name, "999").await;
        types(&events)
            .iter()
            .filter(|kind| **kind == "StepEntered")
            .count()
    };
    assert_eq!((entered("one").await, entered("two").await), (2, 0));
    emulator.advance(SECOND);
    assert_eq!(entered("two").await, 1);
    emulator.advance(SECOND);
    assert_eq!(entered("two").await, 2);
}

#[tokio::test]
async fn denied_operations_are_refused_by_name() {
    let emulator = still();
    emulator.standard("f", ok);
    emulator.quirks(Quirks {
        deny: ["fnf:DescribeExecution".to_owned()].into(),
        ..Quirks::default()
    });
    start(&emulator, "f", "e").await;
    let own = [("FlowName", "f"), ("ExecutionName", "e")];
    let (status, body) = call(&emulator, "DescribeExecution", &own).await;
    assert_eq!((status, &body["Code"]), (403, &json!("AccessDenied")));
    let message = body["Message"].as_str().unwrap();
    assert!(message.contains("'fnf:DescribeExecution'") && message.contains("flow/f"));
}

#[tokio::test]
async fn a_long_poll_can_be_cut() {
    let emulator = Emulator::start().unwrap();
    emulator.standard("f", Flow::new(ok).takes(DAY));
    emulator.quirks(Quirks {
        cut_long_polls_after: Some(Duration::from_millis(20)),
        ..Quirks::default()
    });
    let client = emulator
        .alibaba()
        .retry(cloud_workflows::RetryPolicy::never())
        .build()
        .unwrap();
    let request = cloud_workflows::alibaba::StartExecutionRequest::new("f").execution_name("e");
    client.start_execution(request).send().await.unwrap();
    let look = || cloud_workflows::alibaba::DescribeExecutionRequest::new("f", "e");
    let cut = client
        .describe_execution(look().wait_time_seconds(20))
        .send()
        .await;
    assert_eq!(
        cut.unwrap_err().kind(),
        cloud_workflows::ErrorKind::Transport
    );
    client.describe_execution(look()).send().await.unwrap();
}

/// A call to Huawei Cloud, by token.
async fn huawei(
    emulator: &Emulator,
    method: &str,
    rest: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> (u16, Value) {
    let client = client();
    let (domain, user, password) = emulator.iam_user();
    let auth = json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": user, "password": password, "domain": {"name": domain}}}},
        "scope": {"project": {"id": emulator.project_id()}},
    }});
    let tokens = client.post(format!("{}/v3/auth/tokens", emulator.url()));
    let token = tokens.body(auth.to_string()).send().await.unwrap();
    let token = token.headers()["x-subject-token"].clone();
    let url = format!(
        "{}/v2/{}/fgs/workflows/{rest}",
        emulator.url(),
        emulator.project_id()
    );
    let mut request = client
        .request(method.parse().unwrap(), url)
        .header("x-auth-token", token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let response = request.body(body).send().await.unwrap();
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_str(&response.text().await.unwrap()).unwrap(),
    )
}

async fn begin(emulator: &Emulator) -> String {
    let body = json!({"input": {"n": 1}});
    let (status, body) = huawei(emulator, "POST", "w/executions", &[], body).await;
    assert_eq!(status, 200, "{body}");
    body["execution_id"].as_str().unwrap().to_owned()
}

async fn show(emulator: &Emulator, id: &str) -> Value {
    huawei(
        emulator,
        "GET",
        &format!("w/executions/{id}"),
        &[],
        Value::Null,
    )
    .await
    .1
}

async fn order(emulator: &Emulator, id: &str, what: &str) -> u16 {
    let rest = format!("w/executions/{id}/{what}");
    huawei(emulator, "POST", &rest, &[], Value::Null).await.0
}

#[tokio::test]
async fn a_workflow_shows_its_nodes() {
    let emulator = still();
    emulator.workflow(
        "w",
        Flow::new(ok)
            .step("charge", 20 * SECOND)
            .step("ship", SECOND),
    );
    let id = begin(&emulator).await;
    emulator.advance(20 * SECOND);
    let body = show(&emulator, &id).await;
    assert_eq!(
        (&body["status"], &body["input"]),
        (&json!("running"), &json!({"n": 1}))
    );
    let nodes = body["node_execution_details"].as_array().unwrap();
    let states: Vec<_> = nodes
        .iter()
        .map(|node| {
            (
                node["node_id"].as_str().unwrap(),
                node["executions"][0]["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(states, [("charge", "success"), ("ship", "running")]);
    let charged = &nodes[0]["executions"][0];
    let took = charged["end_time"].as_i64().unwrap() - charged["begin_time"].as_i64().unwrap();
    assert_eq!(took, 20_000);
    emulator.advance(DAY);
    while emulator.executions("w")[0].status == "running" {
        tokio::task::yield_now().await;
    }
    let body = show(&emulator, &id).await;
    assert_eq!(
        (&body["status"], &body["output"]),
        (&json!("success"), &json!({"done": true}))
    );
}

#[tokio::test]
async fn a_workflow_is_retried_in_place() {
    let emulator = still();
    emulator.workflow("w", Flow::new(ok).step("charge", SECOND).fails_first(1));
    emulator.quirks(Quirks {
        retry_keeps_old_end_for: 3 * SECOND,
        ..Quirks::default()
    });
    let id = begin(&emulator).await;
    assert_eq!(order(&emulator, &id, "retry").await, 400, "it runs");
    emulator.advance(SECOND);
    let old = show(&emulator, &id).await;
    assert_eq!(old["status"], "fail");
    emulator.advance(10 * SECOND);
    assert_eq!(order(&emulator, &id, "retry").await, 200);
    let kept = show(&emulator, &id).await;
    assert_eq!(
        (&kept["status"], &kept["end_time"]),
        (&old["status"], &old["end_time"])
    );
    emulator.advance(3 * SECOND);
    while emulator.executions("w")[0].status == "running" {
        tokio::task::yield_now().await;
    }
    let new = show(&emulator, &id).await;
    assert_eq!(new["status"], "success");
    assert_ne!(new["end_time"], old["end_time"]);
    assert_eq!(new["begin_time"], old["begin_time"]);
    let charge = &new["node_execution_details"][0];
    assert_eq!(charge["executions"].as_array().unwrap().len(), 2);
    assert_eq!(
        order(&emulator, &id, "retry").await,
        400,
        "it has succeeded"
    );
}

#[tokio::test]
async fn a_workflow_is_terminated_and_called_back() {
    let emulator = still();
    emulator.workflow("w", Flow::new(ok).waits_for_callback("approve"));
    let (stopped, going) = (begin(&emulator).await, begin(&emulator).await);
    assert_eq!(order(&emulator, &stopped, "terminate").await, 200);
    let body = show(&emulator, &stopped).await;
    assert_eq!(body["status"], "cancel");
    assert_eq!(
        body["node_execution_details"][0]["executions"][0]["status"],
        "cancel"
    );
    assert_eq!(order(&emulator, &stopped, "terminate").await, 400);
    let report = json!({"result": "success", "output": {"yes": true}});
    let headers = [
        ("X-Workflow-Run-Id", going.as_str()),
        ("X-Workflow-State-Id", "approve"),
    ];
    let (status, body) = huawei(&emulator, "POST", "w/callback", &headers, report.clone()).await;
    assert_eq!((status, &body["execution_id"]), (200, &json!(going)));
    assert_eq!(
        huawei(&emulator, "POST", "w/callback", &headers, report.clone())
            .await
            .0,
        400
    );
    let headers = [
        ("X-Workflow-Run-Id", going.as_str()),
        ("X-Workflow-State-Id", "other"),
    ];
    assert_eq!(
        huawei(&emulator, "POST", "w/callback", &headers, report)
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn workflow_lists_have_windows_and_offsets() {
    let emulator = still();
    emulator.workflow("w", ok);
    let old = begin(&emulator).await;
    emulator.advance(4 * DAY);
    for _ in 0..3 {
        begin(&emulator).await;
    }
    let list = async |query: &str| {
        let rest = format!("w/executions{query}");
        let (_, body) = huawei(&emulator, "GET", &rest, &[], Value::Null).await;
        body["executions"].as_array().unwrap().clone()
    };
    // Without a window, the last three days.
    assert_eq!(list("").await.len(), 3);
    assert_eq!(list("?limit=2&offset=2").await.len(), 1);
    let from = emulator.executions("w")[0]
        .started
        .format("%Y-%m-%d%%20%H:%M:%S")
        .to_string();
    let first = list(&format!("?start_time={from}")).await;
    assert_eq!((first.len(), &first[0]["execution_id"]), (1, &json!(old)));
    let history = "w/executions-history?offset=0&limit=2";
    let (_, page) = huawei(&emulator, "GET", history, &[], Value::Null).await;
    assert_eq!((&page["total"], &page["size"]), (&json!(3), &json!(2)));
    emulator.quirks(Quirks {
        offset_counts_pages: true,
        ..Quirks::default()
    });
    assert_eq!(list("?limit=2&offset=1").await.len(), 1);
    assert_eq!(list("?limit=2&offset=2").await.len(), 0);
}

#[tokio::test]
async fn a_missing_workflow_can_be_a_server_error() {
    let emulator = still();
    emulator.workflow("w", ok);
    assert_eq!(show(&emulator, "none").await["error_code"], "FGS.5002");
    emulator.quirks(Quirks {
        fss0500_for_missing: true,
        deny: ["ListWorkflowExecutions".to_owned()].into(),
        ..Quirks::default()
    });
    assert_eq!(show(&emulator, "none").await["error_code"], "FSS.0500");
    let (status, _) = huawei(&emulator, "GET", "w/executions", &[], Value::Null).await;
    assert_eq!(status, 403);
}
