//! Whose execution a start under a name found.

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
        (-3, r#"{"a": 1}"#, FoundRunning),
        (0, r#"{"a": 2}"#, FoundRunning),
        (0, r#"{"a": [1]}"#, FoundRunning),
        (0, r#"{"a": 1e0}"#, Started),
        (0, "", Unclear),
    ] {
        let (answer, _) = start_mine([execution("Running", after, input)]).await;
        assert_eq!(answer.unwrap().origin, origin, "{after} {input}");
    }
    // No date, no time: nothing can be told.
    let undated = reply(200, r#"{"Status":"Running","Input":"{\"a\":1}"}"#);
    let (answer, _) = start_mine([at_once(undated)]).await;
    assert_eq!(answer.unwrap().origin, Unclear);
    // A name that was made is this call's, whatever the answer shows.
    let script = Script::new([execution("Running", -100, "{}")]);
    let call = alibaba_client(&script).start_execution(StartExecutionRequest::new("flow"));
    assert_eq!(call.send().await.unwrap().origin, Started);
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

    // Begun before this call, or during it with another input: ours was never begun.
    for theirs in [
        execution("Failed", -60, r#"{"a":1}"#),
        execution("Failed", 1, r#"{"b":1}"#),
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
    let script = Script::new([exists(), execution("Succeeded", -100, "{}")]);
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
