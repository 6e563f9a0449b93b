//! What a service that means harm, or whoever stands in its place, can and cannot do to a client,
//! and who gets to see which secret.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use cloud_workflows::{
    Delivery, Error, ErrorKind, Payload, RetryPolicy,
    alibaba::{
        self, Credentials, CredentialsUri, StartExecutionRequest, StartSyncExecutionRequest,
    },
    emulator::Emulator,
    huawei::{self, AccessKey, IamPassword, StartSyncWorkflowExecutionRequest, Token},
};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn with_json(status: u16, body: impl Into<String>) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body.into(), "application/json")
}

fn alibaba(server: &MockServer) -> alibaba::Client {
    let builder = alibaba::Client::builder()
        .endpoint(server.uri())
        .credentials(Credentials::new("id", "secret"))
        .retry(RetryPolicy::never());
    builder.build().unwrap()
}

fn huawei(server: &MockServer) -> huawei::Client {
    let builder = huawei::Client::builder()
        .endpoint(server.uri())
        .project_id("project")
        .credentials(Token::new("token"))
        .retry(RetryPolicy::never());
    builder.build().unwrap()
}

/// What a synchronous start at each cloud gave: the flow's output or an error.
async fn outputs(server: &MockServer) -> [Result<Option<Payload>, Error>; 2] {
    let request = StartSyncExecutionRequest::new("flow");
    let alibaba = alibaba(server).start_sync_execution(request).send().await;
    let request = StartSyncWorkflowExecutionRequest::new("flow");
    let huawei = huawei(server).start_sync_workflow_execution(request);
    [
        alibaba.map(|done| done.output),
        huawei.send().await.map(|done| done.output),
    ]
}

/// What the same starts are as errors, where the flow failed or the service refused.
async fn errors(server: &MockServer) -> [Error; 2] {
    let request = StartSyncExecutionRequest::new("flow");
    let alibaba = alibaba(server).start_sync_execution(request).send().await;
    let request = StartSyncWorkflowExecutionRequest::new("flow");
    let huawei = huawei(server).start_sync_workflow_execution(request);
    [
        alibaba
            .and_then(|done| done.into_output::<Value>())
            .unwrap_err(),
        huawei
            .send()
            .await
            .and_then(|done| done.into_output::<Value>())
            .unwrap_err(),
    ]
}

#[tokio::test]
async fn a_service_s_words_forge_no_line_of_a_log() {
    const EVIL: &str = "evil\r\nFORGED \u{1b}[2J\u{9b}31m\u{0}\u{85}\u{2028}\u{202e}end";
    let refusal = json!({
        "Code": EVIL, "Message": EVIL, "RequestId": EVIL,
        "error_code": EVIL, "error_msg": EVIL, "request_id": EVIL,
    });
    let failure = json!({
        "RequestId": EVIL, "Status": "Failed", "ErrorCode": EVIL, "ErrorMessage": EVIL,
        "execution_id": EVIL, "status": "fail",
        "errors": [{"node_id": EVIL, "error_message": EVIL}],
    });
    let strange = json!({"Status": EVIL, "status": EVIL});
    for (status, body) in [(400, refusal), (200, failure), (200, strange)] {
        let server = answering(with_json(status, body.to_string())).await;
        for error in errors(&server).await {
            for text in [
                error.to_string(),
                format!("{error:?}"),
                error.message().to_owned(),
            ] {
                assert!(text.contains("evil  FORGED"), "{text:?}");
                assert!(!text.contains(char::is_control), "{text:?}");
                assert!(!text.contains(['\u{2028}', '\u{202e}']), "{text:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_reply_nested_deeply_overflows_no_stack() {
    const LEVELS: usize = 50_000;
    let deep = format!("{}{}", "[".repeat(LEVELS), "]".repeat(LEVELS));
    // As the output, which is passed on as it is and is too deep for whoever reads it.
    let body =
        format!(r#"{{"Status":"Succeeded","status":"success","Output":"{deep}","output":{deep}}}"#);
    let server = answering(with_json(200, body)).await;
    for output in outputs(&server).await {
        let output = output.unwrap().unwrap();
        assert_eq!(output.as_str(), deep);
        let error = output.parse::<Value>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
    }
    // In a field that nobody knows, and in one of another shape.
    for field in ["New", "RequestId", "StartedTime", "begin_time", "errors"] {
        let body = format!(r#"{{"{field}":{deep},"Status":"Succeeded","status":"success"}}"#);
        let server = answering(with_json(200, body)).await;
        for output in outputs(&server).await {
            assert!(output.unwrap().is_none());
        }
    }
    // As the whole answer, of a success and of a refusal.
    for (status, delivery) in [(200, Delivery::Accepted), (400, Delivery::Unknown)] {
        let server = answering(with_json(status, deep.clone())).await;
        for output in outputs(&server).await {
            assert_eq!(output.unwrap_err().delivery(), delivery);
        }
    }
    for field in ["Code", "error_code", "Message", "error_msg"] {
        let body = format!(r#"{{"{field}":{deep}}}"#);
        let server = answering(with_json(400, body)).await;
        for output in outputs(&server).await {
            output.unwrap_err();
        }
    }
}

/// Whoever answers for a metadata address does not learn what another one knows.
#[tokio::test]
async fn a_redirect_of_a_metadata_address_is_not_followed() {
    let keys = json!({
        "Code": "Success", "AccessKeyId": "id", "AccessKeySecret": "secret",
        "SecurityToken": "token", "Expiration": "2999-01-01T00:00:00Z",
    });
    let elsewhere = answering(with_json(200, keys.to_string())).await;
    let service = answering(with_json(200, r#"{"Status":"Running"}"#)).await;
    let start = async |uri: String| {
        let builder = alibaba::Client::builder()
            .endpoint(service.uri())
            .credentials(CredentialsUri::new(uri));
        let client = builder.build().unwrap();
        let request = StartExecutionRequest::new("flow");
        client.start_execution(request).send().await
    };
    start(elsewhere.uri()).await.unwrap();
    assert_eq!(elsewhere.received_requests().await.unwrap().len(), 1);
    for status in [301, 302, 303, 307, 308] {
        let away = ResponseTemplate::new(status).insert_header("location", elsewhere.uri());
        let metadata = answering(away).await;
        let error = start(metadata.uri()).await.unwrap_err();
        assert_eq!(error.delivery(), Delivery::NotSent);
    }
    assert_eq!(elsewhere.received_requests().await.unwrap().len(), 1);
    assert_eq!(service.received_requests().await.unwrap().len(), 1);
}

/// A password is for the address that it was configured for.
#[tokio::test]
async fn a_redirect_of_the_token_service_takes_no_password_along() {
    let elsewhere = answering(with_json(201, "{}")).await;
    for status in [301, 302, 303, 307, 308] {
        let away = ResponseTemplate::new(status).insert_header("location", elsewhere.uri());
        let iam = answering(away).await;
        let builder = huawei::Client::builder()
            .region("cn-north-4")
            .endpoint(elsewhere.uri())
            .iam_endpoint(iam.uri())
            .credentials(IamPassword::new("domain", "user", "password"))
            .retry(RetryPolicy::never());
        let client = builder.build().unwrap();
        let request = StartSyncWorkflowExecutionRequest::new("flow");
        let call = client.start_sync_workflow_execution(request);
        assert_eq!(call.send().await.unwrap_err().delivery(), Delivery::NotSent);
        assert_eq!(iam.received_requests().await.unwrap().len(), 1);
    }
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

/// A secret key signs and is never sent; a password goes to IAM, a token to its service, and never
/// a token and a signature together.
#[tokio::test]
async fn a_secret_goes_where_it_belongs_and_nowhere_else() {
    // With characters that encodings change.
    const SECRET: &str = "MARKER+secret/key==";
    const PASSWORD: &str = "MARKER+pass/word==";
    let emulator = Emulator::builder()
        .access_key("id", SECRET)
        .iam_user("domain", "user", PASSWORD)
        .huawei_key("ak", SECRET)
        .start()
        .unwrap();
    emulator
        .standard("flow", |input: Value| Ok(input))
        .express("express", |input: Value| Ok(input))
        .workflow("workflow", |input: Value| Ok(input));

    let client = emulator.alibaba().build().unwrap();
    let start = client.start_execution(StartExecutionRequest::new("flow"));
    start.send().await.unwrap();
    let start = client.start_sync_execution(StartSyncExecutionRequest::new("express"));
    start.send().await.unwrap();
    let by_password = emulator.huawei().build().unwrap();
    let key = AccessKey::new("ak", SECRET);
    let by_key = emulator.huawei().credentials(key).build().unwrap();
    for client in [by_password, by_key] {
        let request = StartSyncWorkflowExecutionRequest::new("workflow");
        let start = client.start_sync_workflow_execution(request);
        start.send().await.unwrap();
    }

    let requests = emulator.requests();
    let (mut passwords, mut tokens, mut keys) = (0, 0, 0);
    for request in &requests {
        let operation = request.operation.as_str();
        let headers: Vec<_> = request.headers.values().map(|v| v.as_bytes()).collect();
        let body = String::from_utf8_lossy(&request.body);
        let head = String::from_utf8(headers.join(&b'\n')).unwrap();
        let sent = format!("{} {} {head}\n{body}", request.path, request.query);
        for secret in [SECRET, PASSWORD] {
            if (operation, secret) == ("KeystoneCreateUserTokenByPassword", PASSWORD) {
                passwords += 1;
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                let password = &body["auth"]["identity"]["password"]["user"]["password"];
                assert_eq!(password, PASSWORD);
                assert!(!head.contains(PASSWORD), "{head}");
                continue;
            }
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            for form in [secret.to_owned(), encoded, STANDARD_NO_PAD.encode(secret)] {
                assert!(!sent.contains(&form), "{operation}: {form} is in {sent}");
            }
        }
        let token = request.headers.contains_key("x-auth-token");
        let signature = request.headers.contains_key("authorization");
        assert!(!(token && signature), "{operation} has both");
        tokens += u32::from(token);
        keys += u32::from(signature);
        assert!(
            !token || operation == "StartSyncWorkflowExecution",
            "{operation}"
        );
    }
    // The key looks up its project first.
    assert_eq!((passwords, tokens, keys), (1, 1, 2), "{requests:?}");
}
