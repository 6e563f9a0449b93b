//! Contract of the Huawei Cloud client: what goes over the wire, and what is read from it.

mod support;

use cloud_workflows::{
    BoxFuture, Context, Delivery, Error, ErrorCode, ErrorKind, Lease, ProvideCredential,
    RetryPolicy,
    huawei::{
        AccessKey, Client, ClientBuilder, Credential, IamPassword,
        StartSyncWorkflowExecutionRequest, Token, WorkflowExecutionStatus,
    },
};
use serde_json::{Value, json as value};
use sha2::{Digest as _, Sha256};
use support::{answering, arrived, documented, json, only_request};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{any, header, method, path},
};

const PROJECT: &str = "0123456789abcdef0123456789abcdef";
const WORKFLOW: &str = "48aff955-ea10-4ffd-b426-190bc192dc14";

const DONE: &str = r#"{"execution_id":"48aff955","status":"success",
    "output":{"result":200,"message":"success"},
    "errors":[{"node_id":"n1","error_message":"Exception happened",
        "begin_time":"2021-01-01T00:00:00Z","end_time":""}],
    "begin_time":"2021-01-01T00:00:00Z","end_time":"2021-01-01T00:00:01Z"}"#;

fn builder(server: &MockServer) -> ClientBuilder {
    Client::builder()
        .endpoint(server.uri())
        .iam_endpoint(server.uri())
        .retry(RetryPolicy::never())
}

fn client(server: &MockServer) -> Client {
    let builder = builder(server).project_id(PROJECT);
    builder
        .credentials(Token::new("ready-token"))
        .build()
        .unwrap()
}

fn run() -> StartSyncWorkflowExecutionRequest {
    StartSyncWorkflowExecutionRequest::new(WORKFLOW)
}

#[tokio::test]
async fn sync_executions_sends_what_the_page_says() {
    let server = answering(json(200, DONE)).await;
    let request = run()
        .header("tenantId", "user1")
        .header("retries", 3)
        .input_json(r#"{ "arg1" : 1e400, "名": "值" }"#);
    client(&server)
        .start_sync_workflow_execution(request)
        .send()
        .await
        .unwrap();

    let sent = only_request(&server).await;
    assert_eq!(sent.method.as_str(), "POST");
    assert_eq!(
        sent.url.path(),
        format!("/v2/{PROJECT}/fgs/workflows/{WORKFLOW}/sync-executions")
    );
    assert_eq!(sent.url.query(), None);
    assert_eq!(sent.headers["content-type"], "application/json");
    assert_eq!(sent.headers["x-auth-token"], "ready-token");
    assert_eq!(sent.headers["x-project-id"], PROJECT);
    assert!(!sent.headers.contains_key("authorization"));
    assert_eq!(
        std::str::from_utf8(&sent.body).unwrap(),
        r#"{"headers":{"retries":3,"tenantId":"user1"},"input":{ "arg1" : 1e400, "名": "值" }}"#
    );
}

#[tokio::test]
async fn absent_parts_are_left_out_but_for_the_input() {
    let server = answering(json(200, DONE)).await;
    client(&server)
        .start_sync_workflow_execution(run())
        .send()
        .await
        .unwrap();
    assert_eq!(&only_request(&server).await.body[..], br#"{"input":{}}"#);
}

#[tokio::test]
async fn the_answer_is_read_whole() {
    let answer = json(200, DONE).insert_header("x-request-id", "id-1");
    let server = answering(answer).await;
    let call = client(&server).start_sync_workflow_execution(run());
    let response = call.send_for_response().await.unwrap();
    assert_eq!(response.request_id(), Some("id-1"));
    assert_eq!(response.attempts(), 1);
    let done = response.into_value();
    assert_eq!(done.status, WorkflowExecutionStatus::Success);
    assert_eq!(done.errors[0].node_id.as_deref(), Some("n1"));
    assert_eq!(done.errors[0].end_time, None);
    assert_eq!(
        serde_json::to_value(&done).unwrap(),
        value!({
            "execution_id": "48aff955", "status": "success",
            "output": {"result": 200, "message": "success"},
            "errors": [{"node_id": "n1", "error_message": "Exception happened",
                "begin_time": "2021-01-01T00:00:00Z"}],
            "begin_time": "2021-01-01T00:00:00Z", "end_time": "2021-01-01T00:00:01Z",
        })
    );
    assert_eq!(
        done.into_output::<Value>().unwrap(),
        value!({"result": 200, "message": "success"})
    );
}

/// The replies on which the published type crate fails, and more.
#[tokio::test]
async fn a_changed_service_is_still_read() {
    for (body, status, output) in [
        (
            r#"{"status":"success","output":{"a":1}}"#,
            "success",
            Some(r#"{"a":1}"#),
        ),
        (
            r#"{"status":"success","output":[1],"errors":null}"#,
            "success",
            Some("[1]"),
        ),
        (
            r#"{"status":"success","output":""}"#,
            "success",
            Some(r#""""#),
        ),
        (
            r#"{"status":"success","output":1e400}"#,
            "success",
            Some("1e400"),
        ),
        (r#"{"status":"fail","errors":[]}"#, "fail", None),
        (
            r#"{"status":"fail","output":null,"errors":{"a":1}}"#,
            "fail",
            None,
        ),
        (
            r#"{"status":"fail","errors":[1,{"node_id":7},["x"]]}"#,
            "fail",
            None,
        ),
        (
            r#"{"status":"timeout","execution_id":5,"begin_time":"x"}"#,
            "timeout",
            None,
        ),
        (r#"{"status":"cancel","new":{"deep":[[]]}}"#, "cancel", None),
    ] {
        let server = answering(json(200, body)).await;
        let call = client(&server).start_sync_workflow_execution(run());
        let done = call.send().await.unwrap();
        assert_eq!(done.status.as_str(), status, "{body}");
        assert_eq!(
            done.output.as_ref().map(|output| output.as_str()),
            output,
            "{body}"
        );
    }
}

#[tokio::test]
async fn each_status_has_its_outcome() {
    for (status, kind) in [
        ("fail", ErrorKind::FlowFailed),
        ("timeout", ErrorKind::FlowTimedOut),
        ("cancel", ErrorKind::FlowUnfinished),
    ] {
        let body = format!(
            r#"{{"status":"{status}","execution_id":"e-1","errors":[{{"node_id":"n","error_message":"why\nnot"}}]}}"#
        );
        let server = answering(json(200, body)).await;
        let call = client(&server).start_sync_workflow_execution(run());
        let error = call
            .send()
            .await
            .unwrap()
            .into_output::<Value>()
            .unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.delivery(), Delivery::Accepted);
        assert_eq!(error.execution_id(), Some("e-1"));
        assert_eq!(
            error.flow_failure().unwrap().node_errors()[0]
                .node_id
                .as_deref(),
            Some("n")
        );
        assert_eq!(
            error.to_string(),
            format!(
                "StartSyncWorkflowExecution: the flow ended with status {status}; node n: why not"
            )
        );
    }
}

#[tokio::test]
async fn an_answer_without_a_status_is_an_error_that_tells_all() {
    for body in [
        "{}",
        "",
        "<html>Sign in</html>",
        r#"{"status":"#,
        r#"["success"]"#,
    ] {
        let answer = json(200, body).insert_header("x-request-id", "h");
        let server = answering(answer).await;
        let call = client(&server).start_sync_workflow_execution(run());
        let error = call.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert_eq!(error.delivery(), Delivery::Accepted);
        assert_eq!(error.status().unwrap(), 200);
        assert_eq!(error.request_id(), Some("h"));
        let kept = error.body().map_or(&[][..], |body| body);
        assert_eq!(kept, body.as_bytes());
        assert!(error.body_excerpt().is_none(), "words of refusals only");
    }
    let body = r#"{"error_code":"FSS.0500","error_msg":"no"}"#;
    let server = answering(json(200, body)).await;
    let call = client(&server).start_sync_workflow_execution(run());
    let error = call.send().await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::Fss0500));
    assert_eq!(error.delivery(), Delivery::Unknown);
}

#[tokio::test]
async fn every_documented_code_is_read() {
    let server = MockServer::start().await;
    let mut rows = 0;
    for (code, statuses) in documented(include_str!("data/huawei_codes.tsv")) {
        for status in statuses {
            server.reset().await;
            let body = format!(
                r#"{{"error_code":"{code}","error_msg":"said so","request_id":"r-{rows}"}}"#
            );
            Mock::given(any())
                .respond_with(json(status, body))
                .mount(&server)
                .await;
            // A client of its own: one that is refused three times running sends nothing more.
            let call = client(&server).start_sync_workflow_execution(run());
            let error = call.send().await.unwrap_err();
            assert_eq!(error.code().unwrap().as_str(), code);
            assert_eq!(error.status().unwrap(), status);
            assert_eq!(error.request_id(), Some(format!("r-{rows}").as_str()));
            assert_eq!(error.attempts(), 1);
            let delivery = match status {
                _ if matches!(code, "APIGW.0613" | "APIG.0613") => Delivery::Refused,
                408 | 500..=599 if status != 494 => Delivery::Unknown,
                _ => Delivery::Refused,
            };
            assert_eq!(error.delivery(), delivery, "{code} {status}");
            assert_eq!(error.may_have_started(), delivery == Delivery::Unknown);
            if matches!(code, "APIGW.0101" | "APIG.0101") {
                // It is no flow that is missing.
                assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{code}");
            } else if let Some(kind) = kind_of_status(status) {
                let by_code = [
                    ErrorKind::Unauthenticated,
                    ErrorKind::NotFound,
                    ErrorKind::AlreadyExists,
                    ErrorKind::TooLarge,
                ];
                assert!(
                    error.kind() == kind || by_code.contains(&error.kind()),
                    "{code} {status} {:?}",
                    error.kind()
                );
            }
            rows += 1;
        }
    }
    println!("{rows} code and status pairs");
    assert!(rows >= 441);
}

fn kind_of_status(status: u16) -> Option<ErrorKind> {
    Some(match status {
        400 => ErrorKind::InvalidRequest,
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::PermissionDenied,
        404 | 410 => ErrorKind::NotFound,
        409 | 412 | 428 => ErrorKind::Conflict,
        413 | 414 | 494 => ErrorKind::TooLarge,
        429 => ErrorKind::Throttled,
        500..=599 if status != 494 => ErrorKind::Service,
        _ => return None,
    })
}

#[test]
fn kinds_of_some_codes() {
    let kind = |code: &str, status| {
        let body = format!(r#"{{"error_code":"{code}","error_msg":"m"}}"#);
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let server = answering(json(status, body)).await;
            let call = client(&server).start_sync_workflow_execution(run());
            call.send().await.unwrap_err().kind()
        })
    };
    assert_eq!(kind("FSS.0429", 429), ErrorKind::Throttled);
    assert_eq!(kind("APIGW.0308", 429), ErrorKind::Throttled);
    assert_eq!(kind("IAM.0012", 429), ErrorKind::Throttled);
    assert_eq!(kind("FGS.3002", 400), ErrorKind::InvalidRequest);
    assert_eq!(kind("FGS.5002", 404), ErrorKind::NotFound);
    assert_eq!(kind("APIGW.0201", 413), ErrorKind::TooLarge);
    assert_eq!(kind("APIGW.0201", 494), ErrorKind::TooLarge);
    assert_eq!(kind("APIGW.0201", 504), ErrorKind::Service);
    assert_eq!(kind("IAM.1107", 400), ErrorKind::Unauthenticated);
    assert_eq!(kind("1109", 400), ErrorKind::AlreadyExists);
    assert_eq!(kind("IAM.1109", 400), ErrorKind::NotFound);
}

async fn refused(answer: ResponseTemplate) -> Error {
    let server = answering(answer).await;
    let call = client(&server).start_sync_workflow_execution(run());
    let error = call.send().await.unwrap_err();
    assert_eq!(arrived(&server).await, 1, "sent once");
    error
}

#[tokio::test]
async fn every_shape_of_error_body_is_read() {
    for body in [
        r#"{"error_code":"FSS.0404","error_msg":"no","request_id":"r"}"#,
        r#"{"error_msg":"no","error_code":"FSS.0404","request_id":"r","details":[{"code":"x"}]}"#,
        r#"{"code":"FSS.0404","message":"no","request_id":"r"}"#,
        r#"{"errorCode":"FSS.0404","errorMsg":"no","requestId":"r"}"#,
        r#"{"request_id":"r","body":{"error_code":"FSS.0404","error_msg":"no"}}"#,
        r#"{"error_code":"FSS.0404","error_msg":"no","request_id":"r","encoded_authorization_message":"e"}"#,
    ] {
        let error = refused(json(404, body)).await;
        assert_eq!(error.code(), Some(&ErrorCode::Fss0404), "{body}");
        assert_eq!(error.message(), "no");
        assert_eq!(error.request_id(), Some("r"));
        assert_eq!(error.delivery(), Delivery::Refused);
    }
    // IAM's older shape: the integer is the status once more, and no code. FunctionGraph has no
    // such shape, so whoever answers a start with it is not known to have refused it.
    let body = r#"{"error":{"code":403,"message":"not yours","title":"Forbidden"}}"#;
    let error = refused(json(403, body)).await;
    assert_eq!(
        (error.code(), error.kind()),
        (None, ErrorKind::PermissionDenied)
    );
    assert_eq!(error.message(), "not yours");
    assert_eq!(error.delivery(), Delivery::Unknown);
}

#[tokio::test]
async fn an_uncoded_refusal_keeps_status_and_first_bytes() {
    for (status, body, kind) in [
        (502, "", ErrorKind::Service),
        (503, "<html>Bad Gateway</html>", ErrorKind::Service),
        (401, "<html>proxy</html>", ErrorKind::Unauthenticated),
        (500, r#"["a"]"#, ErrorKind::Service),
        (500, r#"{"error_msg":"only words"}"#, ErrorKind::Service),
        (302, "", ErrorKind::Service),
    ] {
        let answer = ResponseTemplate::new(status)
            .insert_header("x-request-id", "h")
            .set_body_raw(body, "text/html");
        let error = refused(answer).await;
        assert_eq!((error.kind(), error.code()), (kind, None), "{status}");
        assert_eq!(error.status().unwrap(), status);
        assert_eq!(error.request_id(), Some("h"));
        assert_eq!(error.delivery(), Delivery::Unknown);
        assert_eq!(error.body_excerpt().unwrap_or_default(), body.as_bytes());
    }
}

#[tokio::test]
async fn an_echoed_canonical_request_is_neither_kept_nor_printed() {
    let body = r#"{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information: verify aksk signature fail, canonicalRequest:POST|x-security-token:MARKER|","request_id":"r"}"#;
    let error = refused(json(401, body)).await;
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains("MARKER"), "{text}");
    }
    assert!(error.message().ends_with("verify aksk signature fail"));
    assert!(error.body_excerpt().is_none());
}

#[tokio::test]
async fn ids_are_encoded_or_refused() {
    let server = answering(json(200, DONE)).await;
    let client = client(&server);
    let urn = format!("urn:fss:cn-north-4:{PROJECT}:workflow:default:流程 a+b.c:latest");
    let request = StartSyncWorkflowExecutionRequest::new(urn);
    client
        .start_sync_workflow_execution(request)
        .send()
        .await
        .unwrap();
    assert_eq!(
        only_request(&server).await.url.path(),
        format!(
            "/v2/{PROJECT}/fgs/workflows/urn%3Afss%3Acn-north-4%3A{PROJECT}%3Aworkflow%3Adefault\
             %3A%E6%B5%81%E7%A8%8B%20a%2Bb%2Ec%3Alatest/sync-executions"
        )
    );
    server.reset().await;
    for id in [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "../x",
        "a\nb",
        "a\0b",
        &"x".repeat(513),
    ] {
        let request = StartSyncWorkflowExecutionRequest::new(id);
        let call = client.start_sync_workflow_execution(request);
        let error = call.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{id:?}");
        assert!(error.message().starts_with("workflow_id: "), "{error}");
        assert_eq!(error.delivery(), Delivery::NotSent);
    }
    for request in [
        run().input_json(""),
        run().input_json("[]"),
        run().input_json(r#"{},"headers":{}"#),
        run().input(7),
    ] {
        let call = client.start_sync_workflow_execution(request);
        let error = call.send().await.unwrap_err();
        assert!(error.message().starts_with("input: "), "{error}");
    }
    assert_eq!(arrived(&server).await, 0);
}

#[test]
fn settings_that_cannot_work_are_named() {
    let token = || Token::new("t");
    let cases = [
        (Client::builder().credentials(token()), "region"),
        (Client::builder().region("cn-north-4"), "credentials"),
        (
            Client::builder().region("a.b").credentials(token()),
            "region",
        ),
        (
            Client::builder()
                .endpoint("http://example.com")
                .credentials(token()),
            "endpoint",
        ),
        (
            Client::builder()
                .region("r")
                .iam_endpoint("http://example.com")
                .credentials(token()),
            "iam_endpoint",
        ),
        (
            Client::builder()
                .region("r")
                .project_id("..")
                .credentials(token()),
            "project_id",
        ),
        (
            Client::builder()
                .region("r")
                .project_id("x".repeat(65))
                .credentials(token()),
            "project_id",
        ),
        (
            Client::builder()
                .region("r")
                .project_id("项目")
                .credentials(token()),
            "project_id",
        ),
        (
            Client::builder()
                .region("r")
                .project_name("")
                .credentials(token()),
            "project_name",
        ),
        (
            Client::builder()
                .region("r")
                .user_agent("产品/1")
                .credentials(token()),
            "user_agent",
        ),
    ];
    for (builder, setting) in cases {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(
            error.message().starts_with(&format!("{setting}: ")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_token_without_a_project_is_refused_before_anything_is_sent() {
    let server = answering(json(200, DONE)).await;
    let client = builder(&server)
        .credentials(Token::new("t"))
        .build()
        .unwrap();
    let error = client
        .start_sync_workflow_execution(run())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.message().starts_with("project_id: "), "{error}");
    let client = builder(&server)
        .credentials(Token::new("t").project_id("项目"))
        .build()
        .unwrap();
    let call = client.start_sync_workflow_execution(run());
    let error = call.send().await.unwrap_err();
    assert!(error.message().contains("visible ASCII"), "{error}");
    assert_eq!(arrived(&server).await, 0);

    let token = Token::new("t").project_id("of-the-token");
    let client = builder(&server).credentials(token).build().unwrap();
    client
        .start_sync_workflow_execution(run())
        .send()
        .await
        .unwrap();
    assert!(
        only_request(&server)
            .await
            .url
            .path()
            .starts_with("/v2/of-the-token/")
    );
}

/// A server with IAM and FunctionGraph; the token lives an hour.
async fn with_iam(issued_at: &str, expires_at: &str) -> MockServer {
    let server = MockServer::start().await;
    let token = value!({"token": {
        "issued_at": issued_at, "expires_at": expires_at, "methods": ["password"],
        "user": {"password_expires_at": ""},
        "project": {"id": PROJECT, "name": "cn-north-4"},
    }});
    Mock::given(path("/v3/auth/tokens"))
        .respond_with(json(201, token.to_string()).insert_header("X-Subject-Token", "MIIF-token"))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(json(200, DONE))
        .mount(&server)
        .await;
    server
}

async fn token_calls(server: &MockServer) -> usize {
    let requests = server.received_requests().await.unwrap();
    requests
        .iter()
        .filter(|r| r.url.path() == "/v3/auth/tokens")
        .count()
}

#[tokio::test]
async fn a_token_is_got_by_password_and_shared() {
    // Long past: the token's life is counted from its own issue, not by our clock.
    let server = with_iam("2020-01-04T08:05:22.701000Z", "2020-01-04T09:05:22.701000Z").await;
    let password = IamPassword::new("domain", "user", "pass\"word密");
    let client = builder(&server)
        .region("cn-north-4")
        .credentials(password)
        .build()
        .unwrap();
    let calls = (0..20).map(|_| {
        let client = client.clone();
        tokio::spawn(client.start_sync_workflow_execution(run()).send())
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(token_calls(&server).await, 1);

    let requests = server.received_requests().await.unwrap();
    let token = &requests[0];
    assert_eq!(token.url.query(), Some("nocatalog=true"));
    assert_eq!(token.headers["content-type"], "application/json");
    assert!(!token.headers.contains_key("x-auth-token"));
    assert_eq!(
        serde_json::from_slice::<Value>(&token.body).unwrap(),
        value!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": "user", "password": "pass\"word密", "domain": {"name": "domain"},
            }}},
            "scope": {"project": {"name": "cn-north-4"}},
        }})
    );
    assert_eq!(requests[1].headers["x-auth-token"], "MIIF-token");
    // The project id was not given, so it is the token's.
    assert!(
        requests[1]
            .url
            .path()
            .starts_with(&format!("/v2/{PROJECT}/"))
    );
}

#[tokio::test]
async fn a_project_id_scopes_the_token() {
    let server = with_iam("2020-01-04T08:05:22Z", "2020-01-04T09:05:22Z").await;
    let client = builder(&server)
        .project_id("mine")
        .credentials(IamPassword::new("d", "u", "p"))
        .build()
        .unwrap();
    client
        .start_sync_workflow_execution(run())
        .send()
        .await
        .unwrap();
    let requests = server.received_requests().await.unwrap();
    let body: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(body["auth"]["scope"], value!({"project": {"id": "mine"}}));
    assert!(requests[1].url.path().starts_with("/v2/mine/"));
}

#[tokio::test]
async fn tokens_that_are_always_near_their_end_are_asked_for_at_a_pace() {
    // 100 s are less than a synchronous start may take, and IAM would hardly give a longer one.
    let server = with_iam("2020-01-04T08:00:00Z", "2020-01-04T08:01:40Z").await;
    let client = builder(&server)
        .project_id("mine")
        .credentials(IamPassword::new("d", "u", "p"))
        .build()
        .unwrap();
    for _ in 0..3 {
        client
            .start_sync_workflow_execution(run())
            .send()
            .await
            .unwrap();
    }
    assert_eq!(token_calls(&server).await, 1);
}

#[tokio::test]
async fn a_wrong_password_is_asked_for_once() {
    let server = MockServer::start().await;
    let body = r#"{"error":{"code":401,"message":"The username or password is wrong.","title":"Unauthorized"}}"#;
    Mock::given(any())
        .respond_with(json(401, body))
        .mount(&server)
        .await;
    let client = builder(&server)
        .region("cn-north-4")
        .credentials(IamPassword::new("d", "u", "MARKER"))
        .build()
        .unwrap();
    for _ in 0..1_000 {
        let error = client
            .start_sync_workflow_execution(run())
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        assert_eq!(error.status().unwrap(), 401);
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert!(!error.may_have_started());
        assert!(!error.is_retryable());
        assert_eq!(error.attempts(), 0);
        let source = error.to_string();
        assert!(
            source.contains("The username or password is wrong."),
            "{source}"
        );
        assert!(!format!("{error:?}").contains("MARKER"));
    }
    assert_eq!(arrived(&server).await, 1);
}

#[tokio::test]
async fn an_answer_without_a_token_is_an_error() {
    for (answer, missing) in [
        (
            json(201, r#"{"token":{"expires_at":"2030-01-01T00:00:00Z"}}"#),
            "X-Subject-Token",
        ),
        (
            json(201, r#"{"token":{}}"#).insert_header("x-subject-token", "t"),
            "could not be read",
        ),
        (
            json(201, r#"{"token":{"expires_at":"soon"}}"#).insert_header("x-subject-token", "t"),
            "expires_at",
        ),
    ] {
        let server = answering(answer).await;
        let client = builder(&server)
            .region("cn-north-4")
            .credentials(IamPassword::new("d", "u", "p"))
            .build()
            .unwrap();
        let error = client
            .start_sync_workflow_execution(run())
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        let source = error.to_string();
        assert!(source.contains(missing), "{source}");
        assert!(error.is_retryable(), "the next answer may be better");
    }
}

#[tokio::test]
async fn a_bad_token_is_refused_without_being_shown() {
    let server = answering(json(200, DONE)).await;
    for token in ["MARKER\n", "MAR KER", "", "密MARKER"] {
        let client = builder(&server)
            .project_id("p")
            .credentials(Token::new(token));
        let call = client.build().unwrap().start_sync_workflow_execution(run());
        let error = call.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        assert!(!format!("{error:?}").contains("MARKER"));
    }
    assert_eq!(arrived(&server).await, 0);
}

const SECRET: &str = "sk+/=secret";

fn key() -> AccessKey {
    AccessKey::new("AK", SECRET)
}

fn keyed(server: &MockServer, key: AccessKey) -> Client {
    builder(server)
        .region("cn-north-4")
        .credentials(key)
        .build()
        .unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The canonical request of what arrived, written anew from the vendor's description.
fn canonical_request(sent: &Request) -> String {
    let mut path = String::new();
    for byte in percent_encoding::percent_decode_str(sent.url.path()) {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                path.push(byte.into());
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    let authorization = sent.headers["authorization"].to_str().unwrap();
    let (_, names) = authorization.split_once("SignedHeaders=").unwrap();
    let (names, _) = names.split_once(',').unwrap();
    let mut lines = vec![
        sent.method.to_string(),
        path + "/",
        sent.url.query().unwrap_or_default().to_owned(),
    ];
    for name in names.split(';') {
        lines.push(format!("{name}:{}", sent.headers[name].to_str().unwrap()));
    }
    lines.extend([
        String::new(),
        names.to_owned(),
        hex(&Sha256::digest(&sent.body)),
    ]);
    lines.join("\n")
}

/// HMAC-SHA256 by its definition.
fn hmac(key: &str, text: &str) -> String {
    assert!(key.len() <= 64);
    let pad = |fill: u8| {
        let mut block = [fill; 64];
        for (byte, key) in block.iter_mut().zip(key.bytes()) {
            *byte ^= key;
        }
        block
    };
    let inner = Sha256::new_with_prefix(pad(0x36))
        .chain_update(text)
        .finalize();
    hex(&Sha256::new_with_prefix(pad(0x5c))
        .chain_update(inner)
        .finalize())
}

/// Checks a signature, and gives the names of the signed headers.
fn signed_headers(sent: &Request) -> String {
    assert!(!sent.headers.contains_key("x-auth-token"), "never both");
    let date = sent.headers["x-sdk-date"].to_str().unwrap();
    let hash = hex(&Sha256::digest(canonical_request(sent)));
    let signature = hmac(SECRET, &format!("SDK-HMAC-SHA256\n{date}\n{hash}"));
    let authorization = sent.headers["authorization"].to_str().unwrap();
    let names = authorization
        .strip_prefix("SDK-HMAC-SHA256 Access=AK, SignedHeaders=")
        .unwrap();
    let names = names.strip_suffix(&format!(", Signature={signature}"));
    names.expect("the signature is right").to_owned()
}

#[tokio::test]
async fn a_key_signs_what_is_sent() {
    let server = answering(json(200, DONE)).await;
    let lasting = key().project_id(PROJECT);
    let temporary = lasting.clone().security_token("st/a+b==");
    for id in [WORKFLOW, "urn:fss:a b~c+d.e:流程:'(*)!", "100%25"] {
        for key in [lasting.clone(), temporary.clone()] {
            server.reset().await;
            Mock::given(any())
                .respond_with(json(200, DONE))
                .mount(&server)
                .await;
            let request = StartSyncWorkflowExecutionRequest::new(id).input_json(r#"{"名":"值"}"#);
            let call = keyed(&server, key).start_sync_workflow_execution(request);
            let response = call.send_for_response().await.unwrap();
            let sent = only_request(&server).await;
            let names = signed_headers(&sent);
            let names = names.strip_prefix("content-type;host;x-project-id;x-sdk-date");
            match sent.headers.get("x-security-token") {
                Some(token) => {
                    assert_eq!(token, "st/a+b==");
                    assert_eq!(names, Some(";x-security-token"));
                }
                None => assert_eq!(names, Some("")),
            }
            assert_eq!(sent.headers["host"], server.address().to_string());
            assert_eq!(sent.headers["x-project-id"], PROJECT);
            assert_eq!(sent.headers["content-type"], "application/json");
            let date = sent.headers["x-sdk-date"].to_str().unwrap();
            let date = chrono::NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ").unwrap();
            let answered = response.headers()["date"].to_str().unwrap();
            let answered = httpdate::parse_http_date(answered).unwrap();
            let age = chrono::DateTime::<chrono::Utc>::from(answered) - date.and_utc();
            assert!(age.num_seconds().abs() < 60, "{age}");
        }
    }
}

async fn with_projects(projects: Value) -> MockServer {
    let server = MockServer::start().await;
    let body = value!({"projects": projects, "links": {"next": null}});
    Mock::given(path("/v3/projects"))
        .respond_with(json(200, body.to_string()))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(json(200, DONE))
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn a_key_s_project_is_looked_up_once() {
    let server = with_projects(value!([{"id": PROJECT, "name": "cn-north-4"}])).await;
    let client = keyed(&server, key());
    let calls = (0..20).map(|_| {
        let client = client.clone();
        tokio::spawn(client.start_sync_workflow_execution(run()).send())
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 21);
    let asked = &requests[0];
    assert_eq!(asked.method.as_str(), "GET");
    assert_eq!(asked.url.path(), "/v3/projects");
    assert_eq!(asked.url.query(), Some("name=cn-north-4"));
    assert!(!asked.headers.contains_key("content-type"));
    assert_eq!(signed_headers(asked), "host;x-sdk-date");
    for sent in &requests[1..] {
        assert!(sent.url.path().starts_with(&format!("/v2/{PROJECT}/")));
        signed_headers(sent);
    }
}

#[tokio::test]
async fn no_project_or_many_are_an_error_that_says_what_to_do() {
    let project = |id: &str| value!({"id": id, "name": "cn-north-4"});
    for (projects, says) in [
        (
            value!([]),
            "no project named cn-north-4: set its id on the client",
        ),
        (
            value!([project("a"), project("b")]),
            "2 projects named cn-north-4: set the id of one on the client",
        ),
    ] {
        let server = with_projects(projects).await;
        let client = keyed(&server, key());
        for _ in 0..3 {
            let call = client.start_sync_workflow_execution(run());
            let error = call.send().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credentials);
            assert!(!error.is_retryable());
            let source = error.to_string();
            assert!(source.contains("project_id: is missing"), "{source}");
            assert!(source.contains(says), "{source}");
        }
        assert_eq!(arrived(&server).await, 1);
    }
    let server = with_projects(value!([])).await;
    let client = builder(&server).credentials(key()).build().unwrap();
    let call = client.start_sync_workflow_execution(run());
    let error = call.send().await.unwrap_err();
    let source = error.to_string();
    assert!(source.contains("region"), "{source}");
    assert_eq!(arrived(&server).await, 0);
}

#[tokio::test]
async fn a_bad_key_is_refused_without_being_shown() {
    let server = answering(json(200, DONE)).await;
    for (key, setting) in [
        (AccessKey::new("MAR KER", SECRET), "access_key"),
        (AccessKey::new("AK", "MARKER\n"), "secret_key"),
        (key().security_token("密MARKER"), "security_token"),
    ] {
        assert!(!format!("{key:?}").contains("MARKER"));
        let call = keyed(&server, key.project_id(PROJECT)).start_sync_workflow_execution(run());
        let error = call.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        let source = error.to_string();
        assert!(source.contains(setting), "{source}");
        assert!(!format!("{error:?}{source}").contains("MARKER"));
    }
    assert_eq!(arrived(&server).await, 0);
}

/// What a gateway reads of the request that was signed.
type Change = fn(&str) -> String;

/// The refusal of a signature by a gateway that read the request as `change` makes it.
async fn signature_refused(change: Change) -> Error {
    let server = MockServer::start().await;
    let refusal = move |sent: &Request| {
        let read = change(&canonical_request(sent)).replace('\n', "|");
        let message = format!(
            "Incorrect IAM authentication information: verify aksk signature fail, \
             canonicalRequest:{read}"
        );
        let body = value!({"error_code": "APIGW.0301", "error_msg": message, "request_id": "r"});
        json(401, body.to_string())
    };
    Mock::given(any())
        .respond_with(refusal)
        .mount(&server)
        .await;
    let key = key().project_id(PROJECT).security_token("MARKER");
    let request = run().input(value!({"secret": "MARKER"}));
    let call = keyed(&server, key).start_sync_workflow_execution(request);
    let error = call.send().await.unwrap_err();
    assert_eq!(arrived(&server).await, 1);
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!(error.delivery(), Delivery::Refused);
    assert!(error.body_excerpt().is_none());
    let shown = format!("{error} {error:?}");
    for private in ["MARKER", "/v2/", "x-sdk-date:", "CHANGED"] {
        assert!(!shown.contains(private), "{private} in {shown}");
    }
    error
}

#[tokio::test]
async fn a_refused_signature_is_explained() {
    let cases: [(Change, &str); 6] = [
        (str::to_owned, "the secret key is wrong"),
        (
            |read| read.replace("/fgs/", "/CHANGED/"),
            "it read another path than was signed",
        ),
        (
            |read| read.replacen("host:", "host:CHANGED", 1),
            "it read another header host than was signed",
        ),
        (
            |read| read.replace("x-security-token:MARKER", "x-security-token:CHANGED"),
            "it read another header x-security-token than was signed",
        ),
        (
            |read| format!("{}{}", &read[..read.len() - 64], "0".repeat(64)),
            "it read another hash of the body than was signed",
        ),
        (
            |_| "nothing of the kind".to_owned(),
            "verify aksk signature fail",
        ),
    ];
    for (change, says) in cases {
        let error = signature_refused(change).await;
        assert!(error.message().ends_with(says), "{error}");
    }
}

/// Another's lock is nothing that a corrected clock opens, and a clock that is right is no clock's
/// fault.
#[tokio::test]
async fn other_refusals_of_a_key_are_final() {
    for (message, date, kind, attempts) in [
        (
            "AK access failed to reach the limit,forbidden",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            ErrorKind::Unauthenticated,
            1,
        ),
        (
            "signature expired",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            ErrorKind::Unauthenticated,
            2,
        ),
        ("ak not exist", "", ErrorKind::Unauthenticated, 1),
    ] {
        let body = value!({
            "error_code": "APIGW.0301",
            "error_msg": format!("Incorrect IAM authentication information: {message}"),
        });
        let mut answer = json(401, body.to_string());
        if !date.is_empty() {
            answer = answer.insert_header("date", date);
        }
        let server = answering(answer).await;
        let client = keyed(&server, key().project_id(PROJECT));
        let call = client.start_sync_workflow_execution(run());
        let error = call.retry(RetryPolicy::default()).send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts()),
            (kind, attempts),
            "{error}"
        );
        assert_eq!(arrived(&server).await, attempts as usize);
    }
}

/// A source of temporary keys, as a metadata service is one.
#[derive(Debug, Default)]
struct Agency(std::sync::atomic::AtomicUsize);

impl ProvideCredential<Credential> for Agency {
    fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        let n = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let key = key()
            .project_id(PROJECT)
            .security_token(format!("token-{n}"));
        Box::pin(async { Ok(Lease::new(key.into())) })
    }
}

#[tokio::test]
async fn a_temporary_key_that_has_aged_is_renewed_once() {
    let server = MockServer::start().await;
    let refusal = r#"{"error_code":"APIGW.0301","error_msg":"signature expired"}"#;
    Mock::given(header("x-security-token", "token-0"))
        .respond_with(json(200, DONE))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(header("x-security-token", "token-1"))
        .respond_with(json(200, DONE))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(json(401, refusal))
        .mount(&server)
        .await;
    let client = builder(&server).credentials(Agency::default());
    let client = client.build().unwrap();
    let run = || {
        client
            .start_sync_workflow_execution(run())
            .retry(RetryPolicy::default())
            .send_for_response()
    };
    assert_eq!(run().await.unwrap().attempts(), 1);
    assert_eq!(run().await.unwrap().attempts(), 2);
    assert_eq!(run().await.unwrap_err().attempts(), 2);
    for sent in server.received_requests().await.unwrap() {
        signed_headers(&sent);
    }
}
