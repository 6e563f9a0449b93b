//! Contract of the Huawei Cloud client for executions that go on by themselves: what goes over the
//! wire, and what is read from it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use chrono::{DateTime, Utc};
use cloud_workflows::{
    Delivery, Error, ErrorKind, RetryPolicy,
    huawei::{
        AccessKey, CallbackResult, Client, CreateCallbackWorkflowRequest,
        ListWorkflowExecutionsRequest, RetryWorkFlowRequest, ShowWorkflowExecutionForPageRequest,
        ShowWorkflowExecutionRequest, StartWorkflowExecutionRequest, StopWorkFlowRequest, Token,
        WorkflowRunStatus,
    },
};
use serde_json::{Value, json as value};
use support::{answering, arrived, documented, json, only_request};
use wiremock::{MockServer, Request, ResponseTemplate};

const WORKFLOW: &str = "48aff955-ea10-4ffd-b426-190bc192dc14";
const BASE: &str = "/v2/p/fgs/workflows/48aff955-ea10-4ffd-b426-190bc192dc14";

fn client(server: &MockServer) -> Client {
    Client::builder()
        .endpoint(server.uri())
        .iam_endpoint(server.uri())
        .project_id("p")
        .retry(RetryPolicy::never())
        .credentials(Token::new("ready-token"))
        .build()
        .unwrap()
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn is_empty_post(sent: &Request) {
    assert_eq!(sent.method.as_str(), "POST");
    assert_eq!(sent.headers["content-type"], "application/json");
    assert_eq!(sent.headers["content-length"], "0");
    assert!(sent.body.is_empty());
}

#[tokio::test]
async fn a_start_sends_its_optional_headers_and_an_input() {
    let server = answering(json(200, r#"{"execution_id":"e1"}"#)).await;
    let request = StartWorkflowExecutionRequest::new(WORKFLOW)
        .create_time("2026-11-22")
        .workflow_run_id("0123456789abcdef0123456789abcdef")
        .workflow_run_merge_fn_parameters(true)
        .header("tenantId", "user1")
        .input(value!({"order": 17}));
    let started = client(&server).start_workflow_execution(request);
    assert_eq!(
        started.execution_name(),
        Some("0123456789abcdef0123456789abcdef")
    );
    assert_eq!(started.send().await.unwrap().execution_id, "e1");
    let sent = only_request(&server).await;
    assert_eq!(sent.method.as_str(), "POST");
    assert_eq!(sent.url.path(), format!("{BASE}/executions"));
    assert_eq!(sent.url.query(), None);
    assert_eq!(sent.headers["content-type"], "application/json");
    assert_eq!(sent.headers["x-create-time"], "2026-11-22");
    assert_eq!(
        sent.headers["x-workflowrun-id"],
        "0123456789abcdef0123456789abcdef"
    );
    assert_eq!(sent.headers["x-workflowrun-mergefnparameters"], "true");
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(
        body,
        value!({"headers": {"tenantId": "user1"}, "input": {"order": 17}})
    );

    let server = answering(json(200, r#"{"execution_id":"e1"}"#)).await;
    let plain = StartWorkflowExecutionRequest::new(WORKFLOW);
    let call = client(&server).start_workflow_execution(plain);
    call.send().await.unwrap();
    let sent = only_request(&server).await;
    assert_eq!(&sent.body[..], br#"{"input":{}}"#);
    for name in ["x-create-time", "x-workflowrun-id"] {
        assert!(!sent.headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn an_execution_is_shown_whole() {
    let body = value!({
        "workflow_id": WORKFLOW, "workflow_urn": "urn", "execution_id": "e 1/名", "status": "fail",
        "headers": {"a": "b"}, "input": {"n": 1}, "output": {},
        "begin_time": "2026-11-22T12:00:00Z", "end_time": "2026-11-22T12:00:05Z",
        "last_update_time": "2026-11-22T12:00:06Z", "created_by": "me",
        "node_execution_details": [{
            "node_id": "n1", "node_name": "charge", "execution_id": "e1",
            "executions": [{
                "status": "fail", "input": {}, "begin_time": 1_763_812_800_123_i64,
                "end_time": 1_763_812_801_456_i64, "error_message": "no funds", "request_id": "r1",
            }],
        }],
    });
    let server = answering(json(200, body.to_string())).await;
    let request = ShowWorkflowExecutionRequest::new(WORKFLOW, "e 1名").full_history(true);
    let shown = client(&server).show_workflow_execution(request);
    let shown = shown.send().await.unwrap();
    let sent = only_request(&server).await;
    assert_eq!(sent.method.as_str(), "GET");
    assert_eq!(sent.url.path(), format!("{BASE}/executions/e%201%E5%90%8D"));
    assert_eq!(sent.headers["x-get-workflow-full-history-data"], "true");
    assert_eq!(serde_json::to_value(&shown).unwrap(), body);
    let run = &shown.node_execution_details[0].executions[0];
    assert_eq!(run.begin_time, Some(1_763_812_800_123));
    let error = shown.into_output::<Value>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FlowFailed);
    assert!(error.to_string().contains("node n1: no funds"), "{error}");
}

#[tokio::test]
async fn lists_send_their_times_as_the_service_writes_them() {
    let page = r#"{"total":3,"size":1,"executions":[{"execution_id":"e1","status":"recovered",
        "begin_time":"2026-11-22T12:00:00Z","end_time":"","created_by":"me"}]}"#;
    let server = answering(json(200, page)).await;
    let request = ListWorkflowExecutionsRequest::new(WORKFLOW)
        .limit(50_u32)
        .offset(100_u32)
        .status(WorkflowRunStatus::Cancel)
        .start_time(time("2026-11-22T20:00:00+08:00"))
        .end_time(time("2026-11-23T00:00:00Z"));
    let listed = client(&server).list_workflow_executions(request);
    let listed = listed.send().await.unwrap();
    assert_eq!(
        listed.executions[0].status,
        Some(WorkflowRunStatus::Recovered)
    );
    assert_eq!(listed.executions[0].end_time, None);
    let sent = only_request(&server).await;
    assert_eq!(sent.method.as_str(), "GET");
    assert_eq!(sent.url.path(), format!("{BASE}/executions"));
    assert_eq!(
        sent.url.query(),
        Some(
            "limit=50&offset=100&status=cancel&start_time=2026-11-22%2012%3A00%3A00\
             &end_time=2026-11-23%2000%3A00%3A00"
        )
    );

    let server = answering(json(200, page)).await;
    let request = ShowWorkflowExecutionForPageRequest::new(WORKFLOW, 0_u32, 100_u32);
    let listed = client(&server).show_workflow_execution_for_page(request);
    let listed = listed.send().await.unwrap();
    assert_eq!((listed.total, listed.size), (Some(3), Some(1)));
    let sent = only_request(&server).await;
    assert_eq!(sent.url.path(), format!("{BASE}/executions-history"));
    assert_eq!(sent.url.query(), Some("offset=0&limit=100"));
}

#[tokio::test]
async fn stops_and_retries_have_no_body_and_take_any_good_status() {
    for answer in [json(200, "{}"), json(200, ""), ResponseTemplate::new(204)] {
        let server = answering(answer.clone()).await;
        let stop = client(&server).stop_work_flow(StopWorkFlowRequest::new(WORKFLOW, "e1"));
        stop.send().await.unwrap();
        let sent = only_request(&server).await;
        assert_eq!(sent.url.path(), format!("{BASE}/executions/e1/terminate"));
        is_empty_post(&sent);

        let server = answering(answer).await;
        let retry = client(&server).retry_work_flow(RetryWorkFlowRequest::new(WORKFLOW, "e1"));
        retry.send().await.unwrap();
        let sent = only_request(&server).await;
        assert_eq!(sent.url.path(), format!("{BASE}/executions/e1/retry"));
        is_empty_post(&sent);
    }
}

#[tokio::test]
async fn a_callback_names_its_node_in_headers() {
    let server = answering(json(200, r#"{"execution_id":"e1"}"#)).await;
    let request =
        CreateCallbackWorkflowRequest::new(WORKFLOW, "e1", "node 1", CallbackResult::Fail)
            .error("TooLate")
            .output(value!({"a": 1}));
    let call = client(&server).create_callback_workflow(request);
    assert_eq!(call.send().await.unwrap().execution_id, "e1");
    let sent = only_request(&server).await;
    assert_eq!(sent.method.as_str(), "POST");
    assert_eq!(sent.url.path(), format!("{BASE}/callback"));
    assert_eq!(sent.headers["x-workflow-run-id"], "e1");
    assert_eq!(sent.headers["x-workflow-state-id"], "node 1");
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(
        body,
        value!({"result": "fail", "error": "TooLate", "output": {"a": 1}})
    );

    let server = answering(json(200, r#"{"execution_id":"e1"}"#)).await;
    let plain = CreateCallbackWorkflowRequest::new(WORKFLOW, "e1", "n", CallbackResult::Success);
    let call = client(&server).create_callback_workflow(plain);
    call.send().await.unwrap();
    let body: Value = serde_json::from_slice(&only_request(&server).await.body).unwrap();
    assert_eq!(body, value!({"result": "success", "output": {}}));
}

/// What breaks a rule is refused before anything is sent or signed.
#[tokio::test]
async fn what_breaks_a_rule_is_not_sent() {
    let server = answering(json(200, r#"{"execution_id":"e1"}"#)).await;
    let client = Client::builder()
        .endpoint(server.uri())
        .project_id("p")
        .credentials(AccessKey::new("ak", "sk"))
        .build()
        .unwrap();
    let start = || StartWorkflowExecutionRequest::new(WORKFLOW);
    let run_id = |id: &str| start().workflow_run_id(id);
    for (request, field) in [
        (run_id("名"), "X-WorkflowRun-ID"),
        (run_id("a\nb"), "X-WorkflowRun-ID"),
        (run_id(" a"), "X-WorkflowRun-ID"),
        (run_id(""), "X-WorkflowRun-ID"),
        (run_id(&"a".repeat(65)), "X-WorkflowRun-ID"),
        (start().create_time("22.11.2026 12:00"), "X-Create-Time"),
        (start().input_json("[1]"), "input"),
        (StartWorkflowExecutionRequest::new(""), "workflow_id"),
        (
            StartWorkflowExecutionRequest::new("a".repeat(513)),
            "workflow_id",
        ),
        (StartWorkflowExecutionRequest::new("../x"), "workflow_id"),
    ] {
        let outcome = client.start_workflow_execution(request).send().await;
        refused_here(outcome.unwrap_err(), field);
    }
    let callback = |node: &str| {
        CreateCallbackWorkflowRequest::new(WORKFLOW, "e1", node, CallbackResult::Success)
    };
    for (request, field) in [
        (callback("节点"), "X-Workflow-State-Id"),
        (callback(""), "X-Workflow-State-Id"),
        (callback("n").error("x".repeat(65)), "error"),
        (callback("n").output(1), "output"),
    ] {
        let outcome = client.create_callback_workflow(request).send().await;
        refused_here(outcome.unwrap_err(), field);
    }
    let list = || ListWorkflowExecutionsRequest::new(WORKFLOW);
    for request in [list().limit(0_u32), list().limit(201_u32)] {
        let outcome = client.list_workflow_executions(request).send().await;
        refused_here(outcome.unwrap_err(), "limit");
    }
    let request = ShowWorkflowExecutionForPageRequest::new(WORKFLOW, 0_u32, 101_u32);
    let outcome = client.show_workflow_execution_for_page(request);
    refused_here(outcome.send().await.unwrap_err(), "limit");
    assert_eq!(arrived(&server).await, 0);
}

fn refused_here(error: Error, field: &str) {
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    assert_eq!(error.delivery(), Delivery::NotSent, "{error}");
    assert!(error.message().starts_with(field), "{field}: {error}");
}

/// The refusals that the pages list, of each operation.
#[tokio::test]
async fn documented_refusals_are_told_apart() {
    for (status, code, kind, delivery) in [
        (
            400,
            "FGS.3002",
            ErrorKind::InvalidRequest,
            Delivery::Refused,
        ),
        (404, "FGS.5002", ErrorKind::NotFound, Delivery::Refused),
        (500, "FGS.3002", ErrorKind::Service, Delivery::Unknown),
        (429, "APIGW.0308", ErrorKind::Throttled, Delivery::Refused),
    ] {
        let body = value!({"error_code": code, "error_msg": "words", "request_id": "Req1"});
        let server = answering(json(status, body.to_string())).await;
        let client = client(&server);
        let start = StartWorkflowExecutionRequest::new(WORKFLOW);
        let callback =
            CreateCallbackWorkflowRequest::new(WORKFLOW, "e", "n", CallbackResult::Success);
        let page = ShowWorkflowExecutionForPageRequest::new(WORKFLOW, 0_u32, 1_u32);
        let show = ShowWorkflowExecutionRequest::new(WORKFLOW, "e");
        let list = ListWorkflowExecutionsRequest::new(WORKFLOW);
        let stop = StopWorkFlowRequest::new(WORKFLOW, "e");
        let retry = RetryWorkFlowRequest::new(WORKFLOW, "e");
        let errors = [
            client.start_workflow_execution(start).send().await.err(),
            client.show_workflow_execution(show).send().await.err(),
            client.list_workflow_executions(list).send().await.err(),
            client
                .show_workflow_execution_for_page(page)
                .send()
                .await
                .err(),
            client.stop_work_flow(stop).send().await.err(),
            client.retry_work_flow(retry).send().await.err(),
            client.create_callback_workflow(callback).send().await.err(),
        ];
        for error in errors.map(Option::unwrap) {
            assert_eq!(error.kind(), kind, "{error}");
            assert_eq!(error.delivery(), delivery, "{error}");
            assert_eq!(error.code().unwrap().as_str(), code);
            assert_eq!(error.request_id(), Some("Req1"));
        }
    }
}

/// Every documented code of the service itself, on what starts work and on what only reads.
#[tokio::test]
async fn documented_codes_say_whether_something_may_have_begun() {
    let mut rows = 0;
    for (code, statuses) in documented(include_str!("data/huawei_codes.tsv")) {
        if !code.starts_with("FGS.") && !code.starts_with("FSS.") {
            continue;
        }
        for status in statuses {
            rows += 1;
            let body = value!({"error_code": code, "error_msg": "words"});
            let server = answering(json(status, body.to_string())).await;
            let start = StartWorkflowExecutionRequest::new(WORKFLOW);
            let start = client(&server).start_workflow_execution(start).send().await;
            let show = ShowWorkflowExecutionRequest::new(WORKFLOW, "e");
            let show = client(&server).show_workflow_execution(show).send().await;
            let (start, show) = (start.unwrap_err(), show.unwrap_err());
            assert_eq!(start.code().unwrap().as_str(), code);
            assert_eq!(start.kind(), show.kind(), "{code} {status}");
            let may = start.delivery() >= Delivery::Unknown;
            assert_eq!(start.may_have_started(), may, "{code} {status}");
            assert!(!show.may_have_started(), "{code} {status}");
        }
    }
    assert!(rows > 50, "{rows}");
}
