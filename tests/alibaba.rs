//! Contract of the Alibaba Cloud client: what goes over the wire, and what is read from it.

mod support;

use std::collections::BTreeMap;

use cloud_workflows::{
    Delivery, Error, ErrorCode, ErrorKind, RetryPolicy,
    alibaba::{
        Client, ClientBuilder, Credentials, EventType, ExecutionStatus, GetExecutionHistoryRequest,
        ListExecutionsRequest, Network, ReportTaskFailedRequest, ReportTaskSucceededRequest,
        StartExecutionRequest, StartSyncExecutionRequest, StopExecutionRequest,
    },
};
use serde_json::{Value, json as value};
use support::{answering, arrived, documented, json, only_request};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

const STARTED: &str = r#"{"RequestId":"id-1","FlowName":"my_flow","Name":"exec_1","Status":"Running",
    "Input":"{\"key\":\"value\"}","Output":"","FlowDefinition":"Type: StateMachine",
    "StartedTime":"2019-01-01T01:01:01.001Z","StoppedTime":""}"#;

/// The same under a name that the answer does not tell.
const STARTED_NAMELESS: &str = r#"{"RequestId":"id-1","FlowName":"my_flow","Status":"Running"}"#;

const DONE: &str = r#"{"RequestId":"id-2","FlowName":"my_flow","Name":"exec_1:6F0A","Status":"Succeeded",
    "ErrorCode":"ActionNotSupported","ErrorMessage":"Standard execution is not supported",
    "Output":"{\"key\":\"value\"}","StartedTime":"2019-01-01T01:01:01.001Z",
    "StoppedTime":"2019-01-01T09:01:02+08:00",
    "Environment":{"Variables":[{"Name":"key","Value":"value"}]}}"#;

/// Decoded form parameters; each name once.
fn form(text: &str) -> BTreeMap<String, String> {
    let pairs: Vec<_> = url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect();
    let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "a parameter stands twice");
    map
}

fn builder(server: &MockServer) -> ClientBuilder {
    Client::builder()
        .endpoint(server.uri())
        .credentials(Credentials::new("testid", "testsecret"))
        .retry(RetryPolicy::never())
}

fn client(server: &MockServer) -> Client {
    builder(server).build().unwrap()
}

#[tokio::test]
async fn start_execution_sends_what_the_official_client_sends() {
    let server = answering(json(200, STARTED)).await;
    let request = StartExecutionRequest::new("my_flow")
        .execution_name("exec_1")
        .input_json(r#"{"key":"a b*c~d+e/中文"}"#)
        .callback_fnf_task_token("tok")
        .qualifier("1");
    client(&server)
        .start_execution(request)
        .send()
        .await
        .unwrap();

    let sent = only_request(&server).await;
    assert_eq!(sent.method.as_str(), "POST");
    assert_eq!(sent.url.path(), "/");
    assert_eq!(
        sent.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(sent.headers["x-acs-action"], "StartExecution");
    assert_eq!(sent.headers["x-acs-version"], "2019-03-15");
    assert_eq!(
        sent.headers["user-agent"],
        concat!("cloud-workflows/", env!("CARGO_PKG_VERSION"))
    );
    // All of it, as it was signed, in the body: nothing stands where proxies log it.
    assert_eq!(sent.url.query(), None);
    let body = std::str::from_utf8(&sent.body).unwrap();
    let made = form(body);
    assert_eq!(made["SignatureNonce"].len(), 32);
    let time = &made["Timestamp"];
    assert_eq!(time.len(), "2019-01-01T01:01:01Z".len());
    let (signed, signature) = body.rsplit_once("&Signature=").unwrap();
    assert_eq!(made["Signature"].len(), 28, "{signature}");
    assert_eq!(
        signed,
        format!(
            "AccessKeyId=testid&Action=StartExecution&CallbackFnFTaskToken=tok&\
             ExecutionName=exec_1&FlowName=my_flow&Format=JSON&\
             Input=%7B%22key%22%3A%22a%20b%2Ac~d%2Be%2F%E4%B8%AD%E6%96%87%22%7D&Qualifier=1&\
             SignatureMethod=HMAC-SHA1&SignatureNonce={}&SignatureVersion=1.0&Timestamp={}&\
             Version=2019-03-15",
            made["SignatureNonce"],
            time.replace(':', "%3A"),
        )
    );
}

#[tokio::test]
async fn a_temporary_key_sends_its_token_and_a_default_name_is_made() {
    let server = answering(json(200, STARTED_NAMELESS)).await;
    let key = Credentials::new("STS.id", "secret").security_token("CAIS+/=");
    let client = builder(&server).credentials(key).build().unwrap();
    let call = client.start_execution(StartExecutionRequest::new("my_flow"));
    let name = call.execution_name().unwrap().to_owned();
    assert_eq!(name.len(), "cw-".len() + 32);
    call.send().await.unwrap();

    let sent = only_request(&server).await;
    assert_eq!(sent.url.query(), None);
    let body = form(std::str::from_utf8(&sent.body).unwrap());
    assert_eq!(body["SecurityToken"], "CAIS+/=");
    assert_eq!(body["ExecutionName"], name);
    let common = 10;
    assert_eq!(body.len(), common + 2, "absent parameters are left out");
}

#[tokio::test]
async fn the_answer_of_start_execution_is_read_whole() {
    let server = answering(json(200, STARTED)).await;
    let response = client(&server)
        .start_execution(StartExecutionRequest::new("my_flow").execution_name("exec_1"))
        .send_for_response()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.request_id(), Some("id-1"));
    assert_eq!(response.attempts(), 1);
    assert_eq!(&response.body()[..], STARTED.as_bytes());
    let execution = response.into_value();
    assert_eq!(execution.status, ExecutionStatus::Running);
    assert_eq!(execution.output, None, "an empty output is absent");
    assert_eq!(execution.stopped_time, None, "an empty time is absent");
    assert_eq!(
        serde_json::to_value(&execution).unwrap(),
        value!({
            "RequestId": "id-1", "FlowName": "my_flow", "Name": "exec_1", "Status": "Running",
            "Input": "{\"key\":\"value\"}", "FlowDefinition": "Type: StateMachine",
            "StartedTime": "2019-01-01T01:01:01.001Z",
        })
    );
}

#[tokio::test]
async fn the_answer_of_start_sync_execution_is_read_whole() {
    let server = answering(json(200, DONE)).await;
    let request = StartSyncExecutionRequest::new("my_flow")
        .execution_name("exec_1")
        .input(value!({"key": "value"}))
        .qualifier("prod");
    let done = client(&server)
        .start_sync_execution(request)
        .send()
        .await
        .unwrap();

    let sent = only_request(&server).await;
    assert_eq!(sent.url.query(), None);
    let body = std::str::from_utf8(&sent.body).unwrap();
    let own = "ExecutionName=exec_1&FlowName=my_flow&Format=JSON&\
               Input=%7B%22key%22%3A%22value%22%7D&Qualifier=prod&SignatureMethod";
    assert!(body.contains(own), "{body}");
    let environment = done.environment.as_ref().unwrap();
    assert_eq!(environment.variables[0].name, "key");
    assert_eq!(environment.variables[0].value, "value");
    assert_eq!(
        done.stopped_time.unwrap().to_rfc3339(),
        "2019-01-01T01:01:02+00:00"
    );
    // The documentation's own sample has an error code beside `Succeeded`: the status decides.
    assert_eq!(done.error_code.as_deref(), Some("ActionNotSupported"));
    assert_eq!(
        done.into_output::<Value>().unwrap(),
        value!({"key": "value"})
    );
}

#[tokio::test]
async fn each_status_has_its_outcome() {
    for (status, kind) in [
        ("Failed", ErrorKind::FlowFailed),
        ("TimedOut", ErrorKind::FlowTimedOut),
        ("Stopped", ErrorKind::FlowStopped),
        ("Running", ErrorKind::FlowUnfinished),
        ("Starting", ErrorKind::FlowUnfinished),
        ("Dreaming", ErrorKind::FlowUnfinished),
    ] {
        let body = format!(
            r#"{{"Status":"{status}","Name":"n:1","RequestId":"r","ErrorCode":"E","ErrorMessage":"why"}}"#
        );
        let server = answering(json(200, body)).await;
        let request = StartSyncExecutionRequest::new("my_flow");
        let done = client(&server)
            .start_sync_execution(request)
            .send()
            .await
            .unwrap();
        assert_eq!(done.status.as_str(), status);
        let error = done.into_output::<Value>().unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.delivery(), Delivery::Accepted);
        assert!(error.may_have_started());
        assert!(!error.is_retryable());
        assert_eq!(error.request_id(), Some("r"));
        let failure = error.flow_failure().unwrap();
        assert_eq!(failure.status(), status);
        assert_eq!(failure.code(), Some("E"));
        assert_eq!(failure.message(), Some("why"));
        assert_eq!(failure.execution(), Some("n:1"));
        assert_eq!(
            error.to_string(),
            format!(
                "StartSyncExecution: the flow ended with status {status}: E: why [request id r] [execution name n:1]"
            )
        );
    }
}

#[tokio::test]
async fn a_changed_service_is_still_read() {
    for body in [
        r#"{"Status":"Running"}"#,
        r#"{"Status":"Running","Name":null,"Output":null,"StartedTime":null,"New":{"a":[1]}}"#,
        r#"{"Status":"Running","Name":7,"FlowName":true,"StartedTime":"soon","Input":{"a":1}}"#,
        r#"{"Status":"Running","RequestId":{"a":1},"FlowDefinition":["x"],"StoppedTime":0}"#,
    ] {
        let server = answering(json(200, body)).await;
        let request = StartExecutionRequest::new("my_flow");
        let execution = client(&server)
            .start_execution(request)
            .send()
            .await
            .unwrap();
        assert_eq!(execution.status, ExecutionStatus::Running, "{body}");
    }
}

#[tokio::test]
async fn an_answer_without_a_status_is_an_error_that_tells_all() {
    for (body, mime) in [
        ("{}", "application/json"),
        (r#"{"Status":""}"#, "application/json"),
        ("<html><body>Sign in</body></html>", "text/html"),
        (r#"{"Status":"Runn"#, "application/json"),
        ("", "application/json"),
    ] {
        let answer = ResponseTemplate::new(200)
            .insert_header("x-acs-request-id", "from-header")
            .set_body_raw(body, mime);
        let server = answering(answer).await;
        let request = StartSyncExecutionRequest::new("my_flow");
        let error = client(&server)
            .start_sync_execution(request)
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert_eq!(error.delivery(), Delivery::Accepted);
        assert_eq!(error.status().unwrap(), 200);
        assert_eq!(error.request_id(), Some("from-header"));
        let kept = error.body().map_or(&[][..], |body| body);
        assert_eq!(kept, body.as_bytes());
        assert!(error.body_excerpt().is_none(), "words of refusals only");
        assert!(error.may_have_started());
        assert!(!body.starts_with('<') || !error.to_string().contains("Sign in"));
    }
}

#[tokio::test]
async fn a_200_with_a_code_and_no_status_is_that_code() {
    let body = r#"{"Code":"FlowNotExists","Message":"no","RequestId":"r"}"#;
    let server = answering(json(200, body)).await;
    let request = StartSyncExecutionRequest::new("my_flow");
    let error = client(&server)
        .start_sync_execution(request)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::FlowNotExists));
    assert_eq!(error.delivery(), Delivery::Unknown);
}

#[tokio::test]
async fn every_documented_code_is_read() {
    let server = MockServer::start().await;
    let mut rows = 0;
    for (code, statuses) in documented(include_str!("data/alibaba_codes.tsv")) {
        for status in statuses {
            server.reset().await;
            let body = format!(
                r#"{{"RequestId":"r-{rows}","HostId":"h","Code":"{code}","Message":"said so"}}"#
            );
            wiremock::Mock::given(wiremock::matchers::any())
                .respond_with(json(status, body))
                .mount(&server)
                .await;
            let request = StartExecutionRequest::new("my_flow").execution_name("exec_1");
            // A client of its own: one that is refused three times running sends nothing more.
            let client = client(&server);
            let error = client.start_execution(request).send().await.unwrap_err();
            assert_eq!(error.code().unwrap().as_str(), code);
            assert_eq!(error.status().unwrap(), status);
            assert_eq!(error.request_id(), Some(format!("r-{rows}").as_str()));
            assert_eq!(error.attempts(), 1);
            assert_eq!(error.execution_name(), Some("exec_1"));
            let throttled = code.contains("Throttl");
            let (kind, delivery) = match code {
                _ if throttled => (ErrorKind::Throttled, Delivery::Refused),
                "SignatureNonceUsed" => (ErrorKind::InvalidRequest, Delivery::Unknown),
                _ if status >= 500 => (ErrorKind::Service, Delivery::Unknown),
                _ => (expected_kind(code, status), Delivery::Refused),
            };
            assert_eq!(error.kind(), kind, "{code} {status}");
            assert_eq!(error.delivery(), delivery, "{code} {status}");
            assert_eq!(error.may_have_started(), delivery == Delivery::Unknown);
            let line = error.to_string();
            assert!(
                line.starts_with(&format!("StartExecution: {code} (HTTP {status}): ")),
                "{line}"
            );
            assert!(line.contains(&format!("[request id r-{rows}]")), "{line}");
            assert_eq!(line.contains("may have started"), error.may_have_started());
            rows += 1;
        }
    }
    println!("{rows} code and status pairs");
    assert!(rows >= 63);
}

fn expected_kind(code: &str, status: u16) -> ErrorKind {
    match code {
        "ExecutionAlreadyCompleted" | "TaskAlreadyCompleted" => ErrorKind::AlreadyCompleted,
        "EntityTooLarge" => ErrorKind::TooLarge,
        "ExecutionAlreadyExists" | "FlowAlreadyExists" | "ScheduleAlreadyExists" => {
            ErrorKind::AlreadyExists
        }
        "RequestTimeTooSkewed" | "InvalidTimeStamp.Expired" => ErrorKind::ClockSkew,
        "InvalidAccessKeyID"
        | "SignatureNotMatch"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingSecurityToken"
        | "Forbidden.AccessKeyDisabled" => ErrorKind::Unauthenticated,
        _ if code.starts_with("InvalidAccessKeyId") => ErrorKind::Unauthenticated,
        _ if code.starts_with("InvalidSecurityToken") => ErrorKind::Unauthenticated,
        _ if code.ends_with(".NotFound") => ErrorKind::InvalidRequest,
        _ => match status {
            403 => ErrorKind::PermissionDenied,
            404 => ErrorKind::NotFound,
            409 | 412 => ErrorKind::Conflict,
            _ => ErrorKind::InvalidRequest,
        },
    }
}

async fn refused(answer: ResponseTemplate) -> Error {
    let server = answering(answer).await;
    let request = StartSyncExecutionRequest::new("my_flow");
    let error = client(&server)
        .start_sync_execution(request)
        .send()
        .await
        .unwrap_err();
    assert_eq!(arrived(&server).await, 1, "sent once");
    error
}

#[tokio::test]
async fn every_shape_of_error_body_is_read() {
    for body in [
        r#"{"RequestId":"r","HostId":"h","Code":"FlowNotExists","Message":"no","Recommend":"u"}"#,
        r#"{"requestId":"r","code":"FlowNotExists","message":"no"}"#,
        r#"{"RequestId":"r","Code":"FlowNotExists","Message":"no","AccessDeniedDetail":{"a":1}}"#,
        r#"<?xml version='1.0'?><Error><RequestId>r</RequestId><Code>FlowNotExists</Code><Message>no</Message></Error>"#,
    ] {
        let error = refused(json(404, body)).await;
        assert_eq!(error.code(), Some(&ErrorCode::FlowNotExists), "{body}");
        assert_eq!(error.message(), "no");
        assert_eq!(error.request_id(), Some("r"));
        assert_eq!(error.delivery(), Delivery::Refused);
    }
}

#[tokio::test]
async fn an_uncoded_refusal_keeps_status_and_first_bytes() {
    for (status, body, kind) in [
        (502, "<html>Bad Gateway</html>", ErrorKind::Service),
        (503, "", ErrorKind::Service),
        (403, "<html>firewall</html>", ErrorKind::PermissionDenied),
        (400, r#"{"Code":"#, ErrorKind::InvalidRequest),
        (500, r#"["a"]"#, ErrorKind::Service),
    ] {
        let answer = ResponseTemplate::new(status)
            .insert_header("x-acs-request-id", "h")
            .set_body_raw(body, "text/html");
        let error = refused(answer).await;
        assert_eq!(error.kind(), kind, "{status}");
        assert_eq!(error.code(), None);
        assert_eq!(error.status().unwrap(), status);
        assert_eq!(error.request_id(), Some("h"));
        assert_eq!(
            error.delivery(),
            Delivery::Unknown,
            "nobody of the service spoke"
        );
        assert_eq!(error.body_excerpt().unwrap_or_default(), body.as_bytes());
    }
    let error = refused(json(502, "x".repeat(10_000))).await;
    assert_eq!(error.body_excerpt().unwrap().len(), 256);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = answering(json(200, DONE)).await;
    let answer = ResponseTemplate::new(307).insert_header("location", target.uri());
    let error = refused(answer).await;
    assert_eq!(error.status().unwrap(), 307);
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert!(!error.is_retryable());
    assert_eq!(arrived(&target).await, 0);
}

#[tokio::test]
async fn an_oversized_answer_is_refused() {
    let server = answering(json(
        200,
        format!(r#"{{"Status":"{}"}}"#, "x".repeat(5_000)),
    ))
    .await;
    let client = builder(&server).max_reply_bytes(1_000).build().unwrap();
    let request = StartSyncExecutionRequest::new("my_flow");
    let error = client
        .start_sync_execution(request)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(error.delivery(), Delivery::Accepted);
}

#[tokio::test]
async fn an_echoed_signature_is_neither_kept_nor_printed() {
    let body = r#"{"Code":"SignatureDoesNotMatch","Message":"server string to sign is:POST&%2F&SecurityToken%3DMARKER","RequestId":"r"}"#;
    let error = refused(json(400, body)).await;
    for text in [
        error.to_string(),
        format!("{error:?}"),
        error.message().to_owned(),
    ] {
        assert!(!text.contains("MARKER"), "{text}");
    }
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.body_excerpt().is_none());
    assert!(
        error
            .message()
            .contains("the first that differs is AccessKeyId"),
        "{error}"
    );
}

/// A gateway that signed just what it got says, with its echo, that the secret is wrong.
#[tokio::test]
async fn an_equal_echo_says_that_the_secret_is_wrong() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(|request: &Request| {
            let mut all = form(std::str::from_utf8(&request.body).unwrap());
            all.remove("Signature");
            let encode = |text: &str| {
                let bytes = text.bytes().map(|byte| match byte {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                        char::from(byte).to_string()
                    }
                    _ => format!("%{byte:02X}"),
                });
                bytes.collect::<String>()
            };
            let pairs: Vec<String> = all
                .iter()
                .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
                .collect();
            let echo = format!(
                "server string to sign is:POST&%2F&{}",
                encode(&pairs.join("&"))
            );
            json(
                400,
                value!({"Code": "SignatureDoesNotMatch", "Message": echo}).to_string(),
            )
        })
        .mount(&server)
        .await;
    let request = StartSyncExecutionRequest::new("my_flow").input_json(r#"{"a b*~":"中 %+"}"#);
    let error = client(&server)
        .start_sync_execution(request)
        .send()
        .await
        .unwrap_err();
    assert!(
        error.message().ends_with("the access key secret is wrong"),
        "{error}"
    );
    assert!(!error.to_string().contains("%2F"), "{error}");
}

#[tokio::test]
async fn bad_input_is_refused_before_anything_is_sent() {
    let server = answering(json(200, STARTED)).await;
    let client = client(&server);
    let start = |flow: &str| StartExecutionRequest::new(flow);
    let long = "a".repeat(129);
    let cases = [
        (start(""), "FlowName"),
        (start("1flow"), "FlowName"),
        (start("flow name"), "FlowName"),
        (start("流程"), "FlowName"),
        (start(&long), "FlowName"),
        (start("f").execution_name(""), "ExecutionName"),
        (start("f").execution_name("a:b"), "ExecutionName"),
        (start("f").execution_name(long.as_str()), "ExecutionName"),
        (start("f").input_json(""), "Input"),
        (start("f").input_json("[1]"), "Input"),
        (start("f").input_json("{} {}"), "Input"),
        (start("f").input_json(r#"{"a":}"#), "Input"),
        (start("f").input("text"), "Input"),
        (
            start("f").input(std::collections::BTreeMap::from([((1, 2), 3)])),
            "Input",
        ),
    ];
    for (request, field) in cases {
        let shown = format!("{request:?}");
        let error = client.start_execution(request).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{shown}");
        assert!(
            error.message().starts_with(&format!("{field}: ")),
            "{error}"
        );
        assert!(error.to_string().starts_with("StartExecution: "), "{error}");
        assert_eq!(error.attempts(), 0);
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert!(!error.may_have_started());
    }
    assert_eq!(arrived(&server).await, 0);
}

#[tokio::test]
async fn a_bad_key_is_refused_without_being_shown() {
    let server = answering(json(200, STARTED)).await;
    for (id, secret, token, setting) in [
        ("id", "MARKER\n", None, "access_key_secret"),
        ("id", "MARKER密", None, "access_key_secret"),
        ("MARKER id", "s", None, "access_key_id"),
        ("id", "", None, "access_key_secret"),
        ("id", "s", Some("MARKER\r\n"), "security_token"),
    ] {
        let mut key = Credentials::new(id, secret);
        if let Some(token) = token {
            key = key.security_token(token);
        }
        let client = builder(&server).credentials(key).build().unwrap();
        let request = StartExecutionRequest::new("f");
        let error = client.start_execution(request).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        let chain = format!("{error:?}");
        assert!(chain.contains(setting), "{chain}");
        assert!(!chain.contains("MARKER"), "{chain}");
    }
    assert_eq!(arrived(&server).await, 0);
}

#[tokio::test]
async fn json_text_is_passed_on_unchanged() {
    let text = "  {\"n\": 1e400, \"big\": 123456789012345678901234567890, \"a\":1,\"a\":2}\n";
    let server = answering(json(200, STARTED_NAMELESS)).await;
    let request = StartExecutionRequest::new("f").input_json(text);
    client(&server)
        .start_execution(request)
        .send()
        .await
        .unwrap();
    let sent = only_request(&server).await;
    assert_eq!(
        form(std::str::from_utf8(&sent.body).unwrap())["Input"],
        text
    );
}

#[test]
fn settings_that_cannot_work_are_named() {
    let key = || Credentials::new("id", "secret");
    let cases = [
        (Client::builder().credentials(key()), "region"),
        (Client::builder().region("cn-hangzhou"), "credentials"),
        (Client::builder().region("").credentials(key()), "region"),
        (Client::builder().region("a/b").credentials(key()), "region"),
        (
            Client::builder().region("evil.example#").credentials(key()),
            "region",
        ),
        (
            Client::builder()
                .endpoint("http://example.com")
                .credentials(key()),
            "endpoint",
        ),
        (
            Client::builder()
                .endpoint("ftp://example.com")
                .credentials(key()),
            "endpoint",
        ),
        (
            Client::builder()
                .endpoint("https://u:p@example.com")
                .credentials(key()),
            "endpoint",
        ),
        (
            Client::builder()
                .endpoint("https://example.com/x")
                .credentials(key()),
            "endpoint",
        ),
        (
            Client::builder().endpoint("https://").credentials(key()),
            "endpoint",
        ),
        (
            Client::builder()
                .region("r")
                .user_agent("a\nb")
                .credentials(key()),
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
    for network in [Network::Public, Network::Vpc, Network::Classic] {
        let builder = Client::builder().region("new-region-9").network(network);
        builder.credentials(key()).build().unwrap();
    }
    let plain = Client::builder()
        .endpoint("http://example.com")
        .allow_http(true);
    plain.credentials(key()).build().unwrap();
}

#[test]
fn a_call_outside_a_runtime_is_an_error() {
    let client = Client::builder()
        .region("r")
        .credentials(Credentials::new("i", "s"));
    let call = client
        .build()
        .unwrap()
        .start_execution(StartExecutionRequest::new("f"));
    let mut future = std::pin::pin!(call.send());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Err(error)) => assert_eq!(error.kind(), ErrorKind::Configuration),
        _ => panic!("it should have ended at once"),
    }
}

#[tokio::test]
async fn nonces_and_made_names_never_repeat() {
    let server = answering(json(200, STARTED_NAMELESS)).await;
    let client = client(&server);
    for _ in 0..50 {
        client
            .start_execution(StartExecutionRequest::new("f"))
            .send()
            .await
            .unwrap();
    }
    let requests = server.received_requests().await.unwrap();
    let mut nonces = std::collections::BTreeSet::new();
    let mut names = std::collections::BTreeSet::new();
    for request in &requests {
        let body = form(std::str::from_utf8(&request.body).unwrap());
        nonces.insert(body["SignatureNonce"].clone());
        names.insert(body["ExecutionName"].clone());
    }
    assert_eq!((nonces.len(), names.len()), (50, 50));
}

#[test]
fn a_call_and_its_future_can_go_to_another_task() {
    fn owned<T: Send + 'static>(value: T) -> T {
        value
    }
    let client = Client::builder()
        .region("r")
        .credentials(Credentials::new("i", "s"));
    let client = client.build().unwrap();
    let call = || owned(client.start_execution(StartExecutionRequest::new("f")));
    drop(owned(call().send()));
    drop(owned(call().send_for_response()));
}

/// The parameters of an operation itself: those that every request has are left out.
fn own(text: &str) -> BTreeMap<String, String> {
    let common = [
        "AccessKeyId",
        "Format",
        "Signature",
        "SignatureMethod",
        "SignatureNonce",
        "SignatureVersion",
        "Timestamp",
        "Version",
    ];
    let mut own = form(text);
    own.retain(|name, _| !common.contains(&name.as_str()));
    own
}

fn parameters<const N: usize>(all: [(&str, &str); N]) -> BTreeMap<String, String> {
    let pairs = all.into_iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test]
async fn a_list_is_asked_for_in_the_query_and_read() {
    let body = r#"{"RequestId":"id-3","NextToken":"exec_2","Executions":[
        {"FlowName":"my_flow","Name":"exec_1","Status":"Succeeded","Output":"{}",
         "StartedTime":"2019-01-01T01:01:01.001Z","StoppedTime":"2019-01-01T01:02:01.001Z"}]}"#;
    let server = answering(json(200, body)).await;
    let request = ListExecutionsRequest::new("my_flow")
        .execution_name_prefix("exec")
        .limit(1)
        .map_run_name("run")
        .metadata_only(false)
        .next_token("exec_1")
        .qualifier("prod")
        .started_time_begin(
            "2019-01-01T00:00:00Z"
                .parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap(),
        )
        .started_time_end(
            "2019-01-02T00:00:00Z"
                .parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap(),
        )
        .status(ExecutionStatus::Succeeded);
    let page = client(&server).list_executions(request).send().await;
    let page = page.unwrap();
    assert_eq!(page.next_token.as_deref(), Some("exec_2"));
    assert_eq!(page.executions[0].status, ExecutionStatus::Succeeded);
    let sent = only_request(&server).await;
    assert_eq!(sent.method.as_str(), "GET");
    assert!(sent.body.is_empty());
    let mut made = own(sent.url.query().unwrap());
    for (name, day) in [("StartedTimeBegin", "01"), ("StartedTimeEnd", "02")] {
        let time = made.remove(name).unwrap();
        assert!(
            time.starts_with(&format!("2019-01-{day}T00:00:00")),
            "{time}"
        );
        assert!(time.ends_with('Z'), "{time}");
    }
    let wanted = parameters([
        ("Action", "ListExecutions"),
        ("ExecutionNamePrefix", "exec"),
        ("FlowName", "my_flow"),
        ("Limit", "1"),
        ("MapRunName", "run"),
        ("MetadataOnly", "false"),
        ("NextToken", "exec_1"),
        ("Qualifier", "prod"),
        ("Status", "Succeeded"),
    ]);
    assert_eq!(made, wanted);
}

#[tokio::test]
async fn a_history_is_asked_for_in_the_query_and_read() {
    let body = r#"{"RequestId":"id-4","Events":[{"EventId":2,"ScheduleEventId":1,
        "Type":"TaskFailed","StepName":"look","Time":"2019-01-01T01:01:01.001Z",
        "EventDetail":"{\"error\":\"E\"}"}]}"#;
    let server = answering(json(200, body)).await;
    let request = GetExecutionHistoryRequest::new("my_flow", "exec_1")
        .limit(999)
        .next_token("2");
    let page = client(&server).get_execution_history(request).send().await;
    let page = page.unwrap();
    assert_eq!(page.next_token, None);
    let event = &page.events[0];
    assert_eq!(
        (event.event_id, event.schedule_event_id),
        (Some(2), Some(1))
    );
    assert_eq!(event.event_type, Some(EventType::TaskFailed));
    assert_eq!(
        event.event_detail.as_ref().unwrap().as_str(),
        r#"{"error":"E"}"#
    );
    let sent = only_request(&server).await;
    assert_eq!(sent.method.as_str(), "GET");
    let wanted = parameters([
        ("Action", "GetExecutionHistory"),
        ("ExecutionName", "exec_1"),
        ("FlowName", "my_flow"),
        ("Limit", "999"),
        ("NextToken", "2"),
    ]);
    assert_eq!(own(sent.url.query().unwrap()), wanted);
}

#[tokio::test]
async fn a_stop_and_reports_are_sent_in_the_body_alone() {
    let server = answering(json(200, STARTED)).await;
    let request = StopExecutionRequest::new("my_flow", "exec_1")
        .cause("too late")
        .error("Cancelled");
    client(&server)
        .stop_execution(request)
        .send()
        .await
        .unwrap();
    let sent = only_request(&server).await;
    assert_eq!((sent.method.as_str(), sent.url.query()), ("POST", None));
    let wanted = parameters([
        ("Action", "StopExecution"),
        ("Cause", "too late"),
        ("Error", "Cancelled"),
        ("ExecutionName", "exec_1"),
        ("FlowName", "my_flow"),
    ]);
    assert_eq!(own(std::str::from_utf8(&sent.body).unwrap()), wanted);

    let server = answering(json(200, r#"{"RequestId":"id","EventId":9}"#)).await;
    let request = ReportTaskSucceededRequest::new("token");
    let done = client(&server).report_task_succeeded(request).send().await;
    assert_eq!(done.unwrap().event_id, Some(9));
    let sent = only_request(&server).await;
    assert_eq!((sent.method.as_str(), sent.url.query()), ("POST", None));
    let wanted = parameters([
        ("Action", "ReportTaskSucceeded"),
        ("Output", "{}"),
        ("TaskToken", "token"),
    ]);
    assert_eq!(own(std::str::from_utf8(&sent.body).unwrap()), wanted);

    let server = answering(json(200, r#"{"RequestId":"id","EventId":9}"#)).await;
    let request = ReportTaskFailedRequest::new("token", "OutOfStock").cause("no more");
    client(&server)
        .report_task_failed(request)
        .send()
        .await
        .unwrap();
    let sent = only_request(&server).await;
    assert_eq!((sent.method.as_str(), sent.url.query()), ("POST", None));
    let wanted = parameters([
        ("Action", "ReportTaskFailed"),
        ("Cause", "no more"),
        ("Error", "OutOfStock"),
        ("TaskToken", "token"),
    ]);
    assert_eq!(own(std::str::from_utf8(&sent.body).unwrap()), wanted);
}

#[tokio::test]
async fn what_came_too_late_has_a_kind_of_its_own() {
    for code in ["ExecutionAlreadyCompleted", "TaskAlreadyCompleted"] {
        let body = format!(r#"{{"Code":"{code}","Message":"too late","RequestId":"id"}}"#);
        let server = answering(json(400, &body)).await;
        let request = StopExecutionRequest::new("my_flow", "exec_1");
        let error = client(&server).stop_execution(request).send().await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyCompleted);
        assert_eq!(error.delivery(), Delivery::Refused);
        assert!(!error.is_retryable());
    }
}
