//! The origin of an execution that a start under a name found.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// The reply of a service whose clock is 30 s behind ours.
fn dated(status: u16, body: &serde_json::Value) -> Step {
    let theirs = wall() - chrono::TimeDelta::seconds(30);
    let date = httpdate::fmt_http_date(theirs.into());
    at_once(with_header(reply(status, &body.to_string()), "date", &date))
}

/// An execution that began so many seconds after the first attempt went out.
fn execution(status: &str, after: i64, input: &str) -> Step {
    let theirs = wall() - chrono::TimeDelta::seconds(30);
    let started = theirs + chrono::TimeDelta::seconds(after);
    dated(
        200,
        &json!({"Status": status, "Name": "mine", "StartedTime": started, "Input": input}),
    )
}

/// The same without name and input.
fn nameless(status: &str, after: i64) -> Step {
    let started = wall() + chrono::TimeDelta::seconds(after - 30);
    dated(200, &json!({"Status": status, "StartedTime": started}))
}

fn exists() -> Step {
    dated(
        400,
        &json!({"Code": "ExecutionAlreadyExists", "Message": "exists"}),
    )
}

/// What comes of a start under a caller's name after a lost answer.
async fn start_mine(
    steps: impl IntoIterator<Item = Step>,
) -> (Result<alibaba::Execution, Error>, Vec<String>) {
    let script = Script::new(steps);
    let policy = RetryPolicy::default().initial_backoff(Duration::ZERO);
    let request = StartExecutionRequest::new("flow")
        .execution_name("mine")
        .input_json(r#"{"a": 1}"#);
    let call = alibaba_client(&script)
        .start_execution(request)
        .retry(policy);
    let answer = call.send().await;
    let actions = script
        .sent()
        .into_iter()
        .map(|(_, request)| request.headers["x-acs-action"].to_str().unwrap().to_owned());
    (answer, actions.collect())
}

#[tokio::test(start_paused = true)]
async fn a_running_execution_is_told_apart_by_time_and_input() {
    use alibaba::ExecutionOrigin::{FoundRunning, Started, Unclear};

    for (after, input, origin) in [
        (0, r#"{"a": 1}"#, Started),
        (-2, r#"{"a":1}"#, Started),
        (5, r#"{ "a" : 1 }"#, Started),
        // Two servers' clocks may differ by more than 2 s, but not by ten minutes.
        (-3, r#"{"a": 1}"#, Unclear),
        (-599, r#"{"a": 1}"#, Unclear),
        (-600, r#"{"a": 1}"#, FoundRunning),
        (-86_400, r#"{"a": 1}"#, FoundRunning),
        // Another input is another's, whenever it began.
        (0, r#"{"a": 2}"#, FoundRunning),
        (-3, r#"{"a": 2}"#, FoundRunning),
        (3, r#"{"a": 2}"#, FoundRunning),
        (0, r#"{"a": [1]}"#, FoundRunning),
        (0, r#"{"a": 1e0}"#, Started),
        (0, "", Unclear),
        (-86_400, "", Unclear),
    ] {
        let (answer, _) = start_mine([execution("Running", after, input)]).await;
        assert_eq!(answer.unwrap().origin, origin, "{after} {input}");
    }
    // No date, no time: nothing can be told.
    let undated = reply(200, r#"{"Status":"Running","Input":"{\"a\":1}"}"#);
    let (answer, _) = start_mine([at_once(undated)]).await;
    assert_eq!(answer.unwrap().origin, Unclear);
    // The service's time of the first attempt is that of its answer, less what it took.
    for (started, origin) in [(1, Started), (-3, Unclear)] {
        let began = wall() + chrono::TimeDelta::seconds(started);
        let answer = json!({"Status": "Running", "StartedTime": began, "Input": r#"{"a":1}"#});
        let answer = reply(200, &answer.to_string());
        let late = with_header(answer, "date", "Sun, 22 Nov 2026 12:00:09 GMT");
        let (answer, _) = start_mine([Step::Reply(Duration::from_secs(9), late)]).await;
        assert_eq!(answer.unwrap().origin, origin, "{started}");
    }
    // Another input needs no clock.
    let undated = reply(200, r#"{"Status":"Running","Input":"{\"a\":2}"}"#);
    let (answer, _) = start_mine([at_once(undated)]).await;
    assert_eq!(answer.unwrap().origin, FoundRunning);
    // A name that was made is this call's, whatever the answer shows.
    let script = Script::new([nameless("Running", -1_000)]);
    let call = alibaba_client(&script).start_execution(StartExecutionRequest::new("flow"));
    assert_eq!(call.send().await.unwrap().origin, Started);
}

#[tokio::test(start_paused = true)]
async fn with_a_qualifier_what_began_before_may_be_of_another_version() {
    use alibaba::ExecutionOrigin::{FoundRunning, Started, Unclear};

    for (after, input, origin) in [
        (0, r#"{"a": 1}"#, Started),
        (5, r#"{"a": 1}"#, Started),
        (-1, r#"{"a": 1}"#, Unclear),
        (-3, r#"{"a": 1}"#, Unclear),
        (-86_400, r#"{"a": 1}"#, Unclear),
        (-86_400, r#"{"a": 2}"#, FoundRunning),
    ] {
        let script = Script::new([execution("Running", after, input)]);
        let request = StartExecutionRequest::new("flow")
            .execution_name("mine")
            .input_json(r#"{"a": 1}"#)
            .qualifier("prod");
        let answer = alibaba_client(&script).start_execution(request).send();
        assert_eq!(answer.await.unwrap().origin, origin, "{after} {input}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_qualifier_what_is_found_is_compared_with_the_version_that_was_asked_for() {
    use alibaba::ExecutionOrigin::{FoundRunning, Started, Unclear};

    const LOOKS: [&str; 3] = ["DescribeFlowAlias", "DescribeFlow", "DescribeFlow"];
    // What runs, since when, with which input; by what; how it is told; after how many looks.
    let cases = [
        // Of no version that the alias leads to.
        ("Name: old", -60, r#"{"a":1}"#, "prod", FoundRunning, 3),
        ("Name: v2\r\n", -60, r#"{"a":1}"#, "prod", Unclear, 3),
        ("Name: v2", -86_400, r#"{"a":1}"#, "prod", FoundRunning, 3),
        ("Name: v2", -60, r#"{"a":1}"#, "1", FoundRunning, 1),
        ("Name: v1", -60, r#"{"a":1}"#, "1", Unclear, 1),
        // Nobody can say what the alias leads to, or what the version does.
        ("Name: old", -86_400, r#"{"a":1}"#, "nowhere", Unclear, 1),
        ("Name: old", -86_400, r#"{"a":1}"#, "9", Unclear, 1),
        // No right to look.
        ("Name: old", -60, r#"{"a":1}"#, "secret", Unclear, 1),
        // What began with this call, and what is another's, needs no look.
        ("Name: old", 0, r#"{"a":1}"#, "prod", Started, 0),
        ("Name: old", -1, r#"{"a":1}"#, "prod", Unclear, 0),
        ("Name: old", -2, r#"{"a":1}"#, "prod", Unclear, 0),
        ("Name: old", -60, r#"{"a":2}"#, "prod", FoundRunning, 0),
    ];
    for (definition, after, input, qualifier, origin, looks) in cases {
        let started = wall() + chrono::TimeDelta::seconds(after - 30);
        let script = Script::playing(move |request| {
            let answer = match parameter(request, "Action").unwrap().as_str() {
                "StartExecution" => json!({
                    "Status": "Running", "Name": "mine", "StartedTime": started, "Input": input,
                    "FlowDefinition": definition,
                }),
                "DescribeFlowAlias" if qualifier == "secret" => {
                    return Some(coded(403, "AccessDenied"));
                }
                "DescribeFlowAlias" if qualifier == "nowhere" => {
                    json!({"Alias": {"Name": "nowhere"}})
                }
                "DescribeFlowAlias" => json!({"Alias": {"Name": "prod", "RoutingConfigurations": [
                    {"Version": "1", "Weight": 90}, {"Version": "2", "Weight": 10},
                ]}}),
                _ => {
                    let version = parameter(request, "FlowVersion").unwrap();
                    match version.as_str() {
                        "9" => json!({"Name": "flow"}),
                        _ => json!({"Name": "flow", "Definition": format!("Name: v{version}\n")}),
                    }
                }
            };
            Some(dated(200, &answer))
        });
        let request = StartExecutionRequest::new("flow")
            .execution_name("mine")
            .input_json(r#"{"a": 1}"#)
            .qualifier(qualifier);
        let call = alibaba_client(&script).start_execution(request);
        let case = format!("{definition} {after} {input} {qualifier}");
        assert_eq!(call.send().await.unwrap().origin, origin, "{case}");
        let sent = script.sent().into_iter().skip(1);
        let sent: Vec<_> = sent
            .map(|(_, request)| parameter(&request, "Action").unwrap())
            .collect();
        let expected = match qualifier {
            "1" | "9" => &LOOKS[1..=looks],
            _ => &LOOKS[..looks],
        };
        assert_eq!(sent, expected, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_execution_that_ended_after_a_lost_answer_is_looked_up() {
    let lost = || Step::Fail(Stage::Exchange);
    let actions = ["StartExecution", "StartExecution", "DescribeExecution"];

    let ended = execution("Succeeded", 1, r#"{"a":1}"#);
    let (answer, sent) = start_mine([lost(), exists(), ended]).await;
    let answer = answer.unwrap();
    assert_eq!(answer.origin, alibaba::ExecutionOrigin::Started);
    assert_eq!(answer.status, alibaba::ExecutionStatus::Succeeded);
    assert_eq!(sent, actions);

    // Begun long before this call, or with another input: ours was never begun.
    for theirs in [
        execution("Failed", -600, r#"{"a":1}"#),
        execution("Failed", 1, r#"{"b":1}"#),
        execution("Failed", -60, r#"{"b":1}"#),
    ] {
        let (answer, sent) = start_mine([lost(), exists(), theirs]).await;
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(
            error.delivery(),
            Delivery::Refused,
            "only this may make it less"
        );
        assert!(!error.may_have_started());
        assert_eq!(sent, actions);
    }

    // It cannot be told, or not be looked up: the error stands.
    for after in [-3, -60, -599] {
        let theirs = execution("Succeeded", after, r#"{"a":1}"#);
        let (answer, sent) = start_mine([lost(), exists(), theirs]).await;
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(error.delivery(), Delivery::Unknown, "{after}");
        assert!(error.may_have_started());
        assert_eq!(sent, actions);
    }
    let no_input = dated(200, &json!({"Status": "Failed", "StartedTime": wall()}));
    let (answer, _) = start_mine([lost(), exists(), no_input]).await;
    assert_eq!(answer.unwrap_err().delivery(), Delivery::Unknown);
    let (answer, _) = start_mine([lost(), exists(), coded(403, "AccessDenied")]).await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(error.execution_name(), Some("mine"));
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        source.starts_with("DescribeExecution: AccessDenied"),
        "{source}"
    );

    // Nothing was lost, so it is another's, and nothing is looked up.
    let (answer, sent) = start_mine([exists()]).await;
    let error = answer.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Refused);
    assert_eq!(sent, ["StartExecution"]);

    // A number is the same however it is written; one that cannot be read decides nothing.
    let rewritten = execution("Failed", 1, r#"{"a":1.0}"#);
    let (answer, _) = start_mine([lost(), exists(), rewritten]).await;
    assert_eq!(answer.unwrap().origin, alibaba::ExecutionOrigin::Started);
    let unreadable = execution("Failed", 1, r#"{"a":1e400}"#);
    let (answer, _) = start_mine([lost(), exists(), unreadable]).await;
    assert_eq!(answer.unwrap_err().delivery(), Delivery::Unknown);
}

#[tokio::test(start_paused = true)]
async fn an_execution_under_a_made_name_is_ours_even_when_it_cannot_be_looked_up() {
    let start = |script: &Arc<Script>| {
        let request = StartExecutionRequest::new("flow");
        alibaba_client(script).start_execution(request).send()
    };
    // Something on the way repeated the request: the first copy has run already.
    let script = Script::new([exists(), nameless("Succeeded", -1_000)]);
    let answer = start(&script).await.unwrap();
    assert_eq!(answer.origin, alibaba::ExecutionOrigin::Started);

    let script = Script::new([
        Step::Fail(Stage::Exchange),
        exists(),
        coded(404, "FlowNotExists"),
    ]);
    let error = start(&script).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.delivery(), Delivery::Accepted);
    assert!(error.execution_name().unwrap().starts_with("cw-"));
}

/// A start under a caller's name whose first answer is lost, on a machine whose wall clock goes on
/// by so much meanwhile, as seen by a service whose clock goes on by so much. The execution that is
/// then found began so many seconds after the first attempt went out.
async fn start_on_a_laptop(ours: Duration, theirs: Duration, after: i64) -> Result<(), Error> {
    let clock = Clock::starting_at(wall());
    let lid = clock.lid();
    let requests = AtomicUsize::new(0);
    let script = Script::playing(move |_| {
        let date = httpdate::fmt_http_date((wall() + theirs).into());
        let dated = |status, body: serde_json::Value| {
            at_once(with_header(reply(status, &body.to_string()), "date", &date))
        };
        Some(match requests.fetch_add(1, Ordering::Relaxed) {
            0 => {
                lid.shut_for(ours);
                Step::Fail(Stage::Exchange)
            }
            1 => dated(
                400,
                json!({"Code": "ExecutionAlreadyExists", "RequestId": "r"}),
            ),
            _ => {
                let started = wall() + chrono::TimeDelta::seconds(after);
                let input = r#"{"a":1}"#;
                dated(
                    200,
                    json!({"Status": "Succeeded", "StartedTime": started, "Input": input}),
                )
            }
        })
    });
    let client = alibaba::Client::builder()
        .region("cn-hangzhou")
        .credentials(Credentials::new("id", "secret"))
        .scripted(&script, clock)
        .build()
        .unwrap();
    let request = StartExecutionRequest::new("flow")
        .execution_name("mine")
        .input_json(r#"{"a": 1}"#);
    let policy = RetryPolicy::default().initial_backoff(Duration::ZERO);
    let call = client.start_execution(request).retry(policy);
    call.send().await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_denies_no_start_of_its_own() {
    let hour = Duration::from_secs(3_600);
    // It ran a second after the first attempt; the monotonic clock slept through the hour since.
    let error = start_on_a_laptop(hour, hour, 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.delivery(), Delivery::Unknown);
    // A wall clock that was set is as little proof.
    let error = start_on_a_laptop(hour, Duration::ZERO, -700)
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    let seconds = Duration::from_secs;
    let error = start_on_a_laptop(seconds(3), Duration::ZERO, -700)
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    // Where both clocks agree, what began long before was there before.
    for within in [seconds(0), seconds(2)] {
        let error = start_on_a_laptop(within, Duration::ZERO, -700)
            .await
            .unwrap_err();
        assert_eq!(error.delivery(), Delivery::Refused);
    }
    // What began after the first attempt, by the later of its two times, is ours in any case.
    start_on_a_laptop(hour, hour, 3_600).await.unwrap();
}

/// An answer about an execution of this name.
fn named(name: serde_json::Value) -> Step {
    let body = json!({"Status": "Succeeded", "status": "success", "Name": name});
    at_once(reply(200, &body.to_string()))
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_another_execution_is_no_answer() {
    // Repeated over new connections, as what can be repeated is.
    let script = Script::new([named(json!("other")), named(json!("mine"))]);
    assert_eq!(Start::Named.send(&script).await.unwrap(), 2);
    assert_eq!(script.given_up(), [1]);
    let describe = |script: &Arc<Script>| {
        let request = alibaba::DescribeExecutionRequest::new("flow", "mine");
        let call = alibaba_client(script).describe_execution(request);
        call.send_for_response()
    };
    let script = Script::new([named(json!("other")), named(json!("mine"))]);
    assert_eq!(describe(&script).await.unwrap().attempts(), 2);
    assert_eq!(script.given_up(), [1]);

    // One that stays another's may have been taken.
    let script = Script::playing(|_| Some(named(json!("other"))));
    let error = Start::Named.send(&script).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.delivery(), Delivery::Accepted);
    assert!(error.may_have_started());
    assert_eq!(error.execution_name(), Some("mine"));
    let text = format!("{error} {error:?}");
    assert!(
        text.contains("about another execution") && !text.contains("other\""),
        "{text}"
    );
    assert_eq!(script.given_up().len(), 5);
    let error = describe(&script).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.delivery(), Delivery::Accepted);
    assert!(!error.may_have_started());

    // Without a name, nothing speaks against it.
    for name in [json!(""), json!(null), json!(7), json!(["other"])] {
        let script = Script::new([named(name.clone())]);
        assert_eq!(Start::Named.send(&script).await.unwrap(), 1, "{name}");
        let script = Script::new([named(name)]);
        assert_eq!(describe(&script).await.unwrap().attempts(), 1);
        assert!(script.given_up().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_synchronous_start_is_answered_under_a_name_of_the_service_s() {
    for start in [Start::Sync, Start::Workflow] {
        let script = Script::new([named(json!("other:11-22"))]);
        assert_eq!(start.send(&script).await.unwrap(), 1);
        assert!(script.given_up().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_shows_another_execution_decides_nothing() {
    let another = || {
        let body =
            json!({"Status": "Failed", "Name": "other", "Input": "{}", "StartedTime": wall()});
        dated(200, &body)
    };
    let lost = Step::Fail(Stage::Exchange);
    let steps = [lost, exists()]
        .into_iter()
        .chain((0..5).map(|_| another()));
    let (answer, _) = start_mine(steps).await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.delivery(), Delivery::Unknown);
}
