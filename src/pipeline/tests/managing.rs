//! Managing flows of Alibaba Cloud where it takes time: deletions, names that are freed late, runs
//! of maps.

use std::sync::Mutex;

use super::*;
use crate::alibaba::{CreateFlowRequest, DescribeMapRunRequest};

const SECOND: Duration = Duration::from_secs(1);

/// A client whose requests are answered by their action and how often it was called.
fn client(
    answer: impl Fn(&str, usize) -> Step + Send + Sync + 'static,
) -> (alibaba::Client, Arc<Script>) {
    let counts = Mutex::new(std::collections::HashMap::<String, usize>::new());
    let script = Script::playing(move |request| {
        let action = parameter(request, "Action").unwrap();
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(action.clone()).or_default();
        *count += 1;
        Some(answer(&action, *count))
    });
    (alibaba_client(&script), script)
}

fn shown(id: &str) -> Step {
    at_once(reply(200, &json!({"Name": "f", "Id": id}).to_string()))
}

fn run(status: &str, failed: i64) -> Step {
    let counts = json!({"Total": 10, "Succeed": 10 - failed, "Failed": failed});
    let begun = "2026-11-22T08:09:10Z";
    let run = json!({"Status": status, "ItemCounts": counts, "StartedTime": begun});
    at_once(reply(200, &run.to_string()))
}

/// A code that no document lists is the service's where an id stands with it.
fn no_map_run() -> Step {
    let refusal = json!({"Code": "MapRunNotExists", "RequestId": "id-1"});
    at_once(reply(404, &refusal.to_string()))
}

#[tokio::test(start_paused = true)]
async fn a_run_of_a_map_is_waited_for_and_clean_only_without_failures() {
    let request = || DescribeMapRunRequest::new("f", "e", "each");
    for (end, failed, is_clean) in [
        ("Succeeded", 0, true),
        ("Succeeded", 2, false),
        ("Failed", 3, false),
        ("Aborted", 0, false),
    ] {
        let (client, script) = client(move |_, count| match count {
            1 => no_map_run(),
            2 => run("Pending", 0),
            3 => coded(503, "ServiceUnavailable"),
            4..=8 => run("Running", 1),
            _ => run(end, failed),
        });
        let wait = client.wait_map_run(request()).visible_within(60 * SECOND);
        let run = wait.await.unwrap();
        assert_eq!((run.status.as_str(), run.is_clean()), (end, is_clean));
        assert_eq!(script.sent().len(), 9);
    }
    let (client, script) = client(|_, _| no_map_run());
    let error = client.wait_map_run(request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("no such map run"), "{error}");
    assert_eq!(script.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_waited_for_until_the_flow_is_gone_or_is_another() {
    for is_another in [false, true] {
        let (client, _) = client(move |action, count| match (action, count) {
            ("DescribeFlow", 4) => coded(503, "ServiceUnavailable"),
            ("DescribeFlow", 6) if is_another => shown("id-2"),
            ("DescribeFlow", 6) => coded(404, "FlowNotExists"),
            ("DescribeFlow", 1..=5) => shown("id-1"),
            ("DeleteFlow", 1) => at_once(reply(200, "{}")),
            _ => panic!("{action} {count}"),
        });
        let deletion = client.delete_flow_and_wait("f", 60 * SECOND);
        deletion.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_takes_too_long_or_cannot_be_seen_was_accepted_all_the_same() {
    let (slow, _) = client(|action, _| match action {
        "DescribeFlow" => shown("id-1"),
        _ => at_once(reply(200, "{}")),
    });
    let began = monotonic();
    let error = slow.delete_flow_and_wait("f", 60 * SECOND).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    assert_eq!(error.delivery(), Delivery::Accepted);
    assert!(!error.may_have_started());
    assert!(monotonic() - began >= 60 * SECOND);
    assert!(monotonic() - began < 61 * SECOND);

    let (blind, _) = client(|action, count| match (action, count) {
        ("DescribeFlow", 2) => coded(403, "AccessDenied"),
        ("DescribeFlow", _) => shown("id-1"),
        _ => at_once(reply(200, "{}")),
    });
    let error = blind.delete_flow_and_wait("f", 60 * SECOND).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(error.delivery(), Delivery::Accepted);
    assert!(error.to_string().contains("deletion"), "{error}");

    let (none, script) = client(|_, _| coded(404, "FlowNotExists"));
    let error = none.delete_flow_and_wait("f", 60 * SECOND).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(script.sent().len(), 1, "nothing was deleted");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_freed_late_is_waited_for_where_that_is_asked_for() {
    let request = || CreateFlowRequest::new("f", "Name: f", "");
    let (late, script) = client(|_, count| match count {
        1..=3 => coded(409, "FlowAlreadyExists"),
        _ => shown("id-2"),
    });
    let made = late.create_flow_after_delete(request(), 60 * SECOND).await;
    assert_eq!(made.unwrap().id.as_deref(), Some("id-2"));
    assert_eq!(script.sent().len(), 4);

    let (taken, script) = client(|_, _| coded(409, "FlowAlreadyExists"));
    let began = monotonic();
    let error = taken.create_flow_after_delete(request(), 60 * SECOND).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert!(monotonic() - began >= 60 * SECOND);
    assert!(script.sent().len() < 30);

    let (other, script) = client(|_, _| coded(403, "AccessDenied"));
    let error = other.create_flow_after_delete(request(), 60 * SECOND).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(script.sent().len(), 1);
}
