//! Headers that a caller adds to one call.

#![cfg(all(feature = "alibaba", feature = "huawei"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "support/mod.rs"]
#[expect(dead_code, reason = "codes are for other tests")]
mod support;

use cloud_workflows::{
    Delivery, ErrorKind,
    alibaba::{self, Credentials, ListExecutionsRequest, StartSyncExecutionRequest},
    huawei::{self, AccessKey, StartSyncWorkflowExecutionRequest},
};
use support::{answering, arrived, json, only_request};
use wiremock::MockServer;

const SECRET: &str = "MARKER-of-a-gateway";

fn alibaba(server: &MockServer) -> alibaba::Client {
    let builder = alibaba::Client::builder()
        .endpoint(server.uri())
        .credentials(Credentials::new("id", "secret"));
    builder.build().unwrap()
}

fn huawei(server: &MockServer) -> huawei::Client {
    let builder = huawei::Client::builder()
        .endpoint(server.uri())
        .project_id("p")
        .credentials(AccessKey::new("id", "secret"));
    builder.build().unwrap()
}

#[tokio::test]
async fn a_header_goes_out_on_this_call() {
    let answer = || json(200, r#"{"Status": "Succeeded", "status": "success"}"#);
    let server = answering(answer()).await;
    let call = alibaba(&server)
        .start_sync_execution(StartSyncExecutionRequest::new("flow"))
        .http_header("X-Team", "first")
        .http_header("x-team", "billing")
        .http_header("x-gateway", SECRET);
    assert!(
        !format!("{call:?} {call:#?}").contains("MARKER"),
        "{call:?}"
    );
    call.send().await.unwrap();
    let sent = only_request(&server).await;
    let team: Vec<_> = sent.headers.get_all("x-team").iter().collect();
    assert_eq!(team, ["billing"]);
    assert_eq!(sent.headers["x-gateway"], SECRET);

    let server = answering(answer()).await;
    let call = huawei(&server)
        .start_sync_workflow_execution(StartSyncWorkflowExecutionRequest::new("flow"))
        .http_header("x-team", "billing");
    call.send().await.unwrap();
    let sent = only_request(&server).await;
    assert_eq!(sent.headers["x-team"], "billing");
    let authorization = sent.headers["authorization"].to_str().unwrap();
    assert!(!authorization.contains("x-team"), "it is not signed");
}

#[tokio::test]
async fn the_pages_of_a_list_have_it_too() {
    let server = answering(json(200, r#"{"Executions": []}"#)).await;
    let call = alibaba(&server)
        .list_executions(ListExecutionsRequest::new("flow"))
        .http_header("x-team", "billing");
    assert!(call.items().next().await.is_none());
    assert_eq!(only_request(&server).await.headers["x-team"], "billing");
}

#[tokio::test]
async fn what_the_client_sets_is_refused_before_anything_is_sent() {
    let server = answering(json(200, "{}")).await;
    let wrong = [
        ("Host", "x", "set by the client"),
        ("authorization", SECRET, "set by the client"),
        ("Content-Type", "x", "set by the client"),
        ("content-length", "1", "set by the client"),
        ("transfer-encoding", "chunked", "set by the client"),
        ("user-agent", "x", "set by the client"),
        ("accept-encoding", "gzip", "set by the client"),
        ("proxy-authorization", SECRET, "set by the client"),
        ("", "x", "not a header's name"),
        ("x team", "x", "not a header's name"),
        ("x-team", "a\r\nx-other: b", "visible ASCII"),
        ("x-team", " a", "visible ASCII"),
        ("x-team", "中", "visible ASCII"),
    ];
    let of_alibaba = [("X-Acs-Action", "x", "set by the client")];
    for (name, value, why) in wrong.into_iter().chain(of_alibaba) {
        let call = alibaba(&server)
            .start_sync_execution(StartSyncExecutionRequest::new("flow"))
            .http_header(name, value);
        let error = call.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}: {error}");
        assert_eq!(error.delivery(), Delivery::NotSent);
        let text = format!("{error} {error:?}");
        assert!(text.contains("http_header") && text.contains(why), "{text}");
        assert!(!text.contains("MARKER"), "{text}");
    }
    let of_huawei = [
        ("X-Auth-Token", "x", "set by the client"),
        ("X-Sdk-Date", "x", "set by the client"),
        ("X-Security-Token", "x", "set by the client"),
        ("X-Project-Id", "x", "set by the client"),
    ];
    for (name, value, why) in wrong.into_iter().chain(of_huawei) {
        let call = huawei(&server)
            .start_sync_workflow_execution(StartSyncWorkflowExecutionRequest::new("flow"))
            .http_header(name, value);
        let error = call.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}: {error}");
        assert!(error.to_string().contains(why), "{error}");
    }
    assert_eq!(arrived(&server).await, 0);
}

/// A gateway that repeats it shows it to nobody.
#[tokio::test]
async fn an_answer_that_repeats_its_value_does_not_show_it() {
    let page = format!("<html>wrong key: {SECRET}</html>");
    let server = answering(json(403, page)).await;
    let call = alibaba(&server)
        .start_sync_execution(StartSyncExecutionRequest::new("flow"))
        .http_header("x-gateway", SECRET);
    let error = call.send().await.unwrap_err();
    assert!(error.body_excerpt().is_some());
    assert!(!format!("{error} {error:?} {:?}", error.body_excerpt()).contains("MARKER"));
}
