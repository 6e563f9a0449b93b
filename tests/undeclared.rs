//! Operations that the crate does not declare: what goes over the wire, what is repeated, what is
//! refused before anything is sent; signed as the emulator, which verifies, has it.
#![cfg(all(feature = "alibaba", feature = "huawei"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use cloud_workflows::{
    Delivery, ErrorCode, ErrorKind, RetryPolicy,
    alibaba::{self, CreateFlowRequest, DescribeFlowRequest, PublishFlowVersionRequest},
    emulator::{Emulator, Fault},
    http::Method,
    huawei::{self, AccessKey, OperationState, StateType, Token, WorkflowCreateBody},
};
use serde_json::{Value, json as value};
use support::{answering, arrived, documented, json, only_request};
use wiremock::{MockServer, ResponseTemplate};

/// Whatever the wire could get wrong.
const ODD: &str = "a b+c&d=e/ü%~*'\u{1F980}";

fn quick() -> RetryPolicy {
    RetryPolicy::default()
        .max_attempts(3)
        .initial_backoff(Duration::from_millis(1))
}

fn alibaba(server: &MockServer) -> alibaba::Client {
    alibaba::Client::builder()
        .endpoint(server.uri())
        .credentials(alibaba::Credentials::new("testid", "testsecret"))
        .retry(quick())
        .build()
        .unwrap()
}

fn huawei(server: &MockServer) -> huawei::Client {
    huawei::Client::builder()
        .endpoint(server.uri())
        .project_id("p")
        .credentials(Token::new("ready-token"))
        .retry(quick())
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_read_is_a_query_and_a_change_a_form() {
    for is_read in [true, false] {
        let server = answering(json(200, r#"{"RequestId":"id-1","Things":[1.50]}"#)).await;
        let request = match is_read {
            true => alibaba::Undeclared::read("ListThings"),
            false => alibaba::Undeclared::change("ListThings"),
        };
        let request = request
            .param("Limit", 1)
            .param("Limit", 10)
            .param("Tag.1.Key", ODD);
        let call = alibaba(&server).undeclared(request);
        assert_eq!(call.operation_name(), "ListThings");
        let response = call.send_for_response().await.unwrap();
        assert_eq!(response.request_id(), Some("id-1"));
        let text = r#"{"RequestId":"id-1","Things":[1.50]}"#;
        assert_eq!(response.into_value().as_str(), text);
        let request = only_request(&server).await;
        assert_eq!(request.headers["x-acs-action"], "ListThings");
        let sent = match is_read {
            true => {
                assert_eq!(request.method.as_str(), "GET");
                assert!(request.body.is_empty());
                request.url.query().unwrap().to_owned()
            }
            false => {
                assert_eq!(request.method.as_str(), "POST");
                assert_eq!(request.url.query(), None, "what proxies log");
                String::from_utf8(request.body.clone()).unwrap()
            }
        };
        let limits = sent.split('&').filter(|pair| pair.starts_with("Limit="));
        assert_eq!(limits.collect::<Vec<_>>(), ["Limit=10"]);
        let odd = "Tag.1.Key=a%20b%2Bc%26d%3De%2F%C3%BC%25~%2A%27%F0%9F%A6%80&";
        assert!(sent.contains(odd), "{sent}");
        assert!(sent.contains("&Action=ListThings&Format=JSON&"), "{sent}");
    }
}

#[tokio::test]
async fn what_is_declared_can_be_called_undeclared_and_signed() {
    let emulator = Emulator::start().unwrap();
    let client = emulator.alibaba().build().unwrap();
    let make = alibaba::Undeclared::change("CreateFlow")
        .param("Name", "order")
        .param("Definition", "Name: order")
        .param("Description", ODD)
        .param("Type", "FDL");
    client.undeclared(make).send().await.unwrap();
    let look = alibaba::Undeclared::read("DescribeFlow").param("Name", "order");
    let flow: Value = client
        .undeclared(look)
        .send()
        .await
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(flow["Description"], ODD);
    let declared = client.describe_flow(DescribeFlowRequest::new("order"));
    let declared = declared.send().await.unwrap();
    assert_eq!(declared.description.as_deref(), Some(ODD));

    let missing = alibaba::Undeclared::read("DescribeFlow").param("Name", "other");
    let error = client.undeclared(missing).send().await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::FlowNotExists));
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.delivery(), Delivery::Refused);

    // Refused for its rate, by its time: mended as any other call.
    emulator.fault::<CreateFlowRequest>(Fault::refuse(429, "Throttling.User", "slowly"));
    let again = alibaba::Undeclared::change("CreateFlow")
        .param("Name", "order2")
        .param("Definition", "Name: order2")
        .param("Description", "")
        .param("Type", "FDL");
    let made = client.undeclared(again).send_for_response().await.unwrap();
    assert_eq!(made.attempts(), 2);
}

#[tokio::test]
async fn a_change_is_sent_once_unless_it_is_said_to_be_harmless() {
    use alibaba::Undeclared as Ali;
    use huawei::Undeclared as Huawei;

    let path = || ["fgs", "things"];
    let cases = [
        (Ali::read("A"), Huawei::read(path()), 3, false),
        (
            Ali::change("A"),
            Huawei::change(Method::POST, path()),
            1,
            true,
        ),
        (
            Ali::change("A").idempotent(),
            Huawei::change(Method::PUT, path()).idempotent(),
            3,
            true,
        ),
    ];
    for (ali, huawei_request, attempts, may_have_started) in cases {
        for status in [500, 502] {
            let server = answering(ResponseTemplate::new(status)).await;
            let error = alibaba(&server).undeclared(ali.clone()).send().await;
            let error = error.unwrap_err();
            assert_eq!(error.attempts(), attempts, "{ali:?}");
            assert_eq!(error.delivery(), Delivery::Unknown, "{ali:?}");
            assert_eq!(error.may_have_started(), may_have_started, "{ali:?}");

            let server = answering(ResponseTemplate::new(status)).await;
            let call = huawei(&server).undeclared(huawei_request.clone());
            let error = call.send().await.unwrap_err();
            assert_eq!(error.attempts(), attempts, "{huawei_request:?}");
            assert_eq!(
                error.may_have_started(),
                may_have_started,
                "{huawei_request:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_the_clients_own_is_refused_before_anything_is_sent() {
    let server = answering(json(200, "{}")).await;
    let own = [
        "Action",
        "action",
        "AccessKeyId",
        "Format",
        "SecurityToken",
        "Signature",
        "SignatureMethod",
        "SignatureNonce",
        "SignatureVersion",
        "SIGNATURETYPE",
        "Timestamp",
        "Version",
        "BearerToken",
    ];
    for name in own {
        let request = alibaba::Undeclared::read("ListThings").param(name, "secret-value");
        let error = alibaba(&server).undeclared(request).send().await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}");
        assert!(error.to_string().contains(name), "{error}");
        assert!(!error.to_string().contains("secret-value"), "{error}");
    }
    for name in ["", "a b", "a=b", "a&b", "ü", "a\r\nb"] {
        let request = alibaba::Undeclared::change("A").param(name, "1");
        let error = alibaba(&server).undeclared(request).send().await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidRequest);
    }
    for action in ["", "List Things", "List&A=b", "L\n", &"a".repeat(129)] {
        let request = alibaba::Undeclared::read(action);
        let error = alibaba(&server).undeclared(request).send().await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{action}");
        assert!(error.to_string().contains("Undeclared"), "{error}");
    }
    let client = huawei(&server);
    for segment in ["", ".", "..", "a/b", "a\\b", "a\nb", "../../v2/other"] {
        let request = huawei::Undeclared::read(["fgs", segment, "x"]);
        let error = client.undeclared(request).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{segment:?}");
    }
    let refused = [
        huawei::Undeclared::read([""; 0]),
        huawei::Undeclared::read(["a"]).body(value!({})),
        huawei::Undeclared::change(Method::GET, ["a"]),
        huawei::Undeclared::change(Method::CONNECT, ["a"]).idempotent(),
        huawei::Undeclared::change(Method::POST, ["a"]).body_json("{"),
    ];
    for request in refused {
        let words = format!("{request:?}");
        let error = client.undeclared(request).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{words}");
    }
    assert_eq!(arrived(&server).await, 0);
}

#[tokio::test]
async fn a_path_below_the_project_is_encoded_segment_by_segment() {
    let server = answering(ResponseTemplate::new(204)).await;
    let request = huawei::Undeclared::change(Method::PUT, ["fgs", "a:!b", "x y?z#ü%2e"])
        .query("offset", 10)
        .query("name", ODD)
        .query("name", "b")
        .body(value!({"a": 1}));
    let answer = huawei(&server).undeclared(request).send().await.unwrap();
    assert_eq!(answer.as_str(), "");
    let request = only_request(&server).await;
    assert_eq!(request.method.as_str(), "PUT");
    assert_eq!(
        request.url.path(),
        "/v2/p/fgs/a%3A%21b/x%20y%3Fz%23%C3%BC%252e"
    );
    assert_eq!(
        request.url.query().unwrap(),
        "offset=10&name=a%20b%2Bc%26d%3De%2F%C3%BC%25~%2A%27%F0%9F%A6%80&name=b"
    );
    assert_eq!(request.headers["x-auth-token"], "ready-token");
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.body, br#"{"a":1}"#);
}

#[tokio::test]
async fn a_signed_call_of_a_declared_operation_works_on_huawei_cloud() {
    let emulator = Emulator::start().unwrap();
    let (access, secret) = emulator.huawei_key();
    let client = emulator.huawei();
    let client = client.credentials(AccessKey::new(access, secret));
    let client = client.build().unwrap();
    let first = OperationState::new("s1", "First", StateType::End).end(true);
    let definition = WorkflowCreateBody::new("order", "s1", [first]);
    let make = huawei::Undeclared::change(Method::POST, ["fgs", "workflows"]).body(&definition);
    let made = client.undeclared(make).send().await.unwrap();
    let made: Value = made.parse().unwrap();
    let id = made["id"].as_str().unwrap();
    let list = huawei::Undeclared::read(["fgs", "workflows"])
        .query("workflow_name", "order")
        .query("limit", 10);
    let listed: Value = client
        .undeclared(list)
        .send()
        .await
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(listed["workflows"][0]["id"], id);
    let show = huawei::Undeclared::read(["fgs", "workflows", id]);
    let shown: Value = client
        .undeclared(show)
        .send()
        .await
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(shown["definition"]["name"], "order");
}

#[tokio::test]
async fn an_answer_is_json_or_nothing_or_an_error() {
    let read = || alibaba::Undeclared::read("ListThings");
    for nothing in ["", " \r\n"] {
        let server = answering(ResponseTemplate::new(200).set_body_string(nothing)).await;
        let answer = alibaba(&server).undeclared(read()).send().await.unwrap();
        assert_eq!(answer.as_str().trim(), "");
        let path = ["fgs", "things"];
        let call = huawei(&server).undeclared(huawei::Undeclared::read(path));
        assert_eq!(call.send().await.unwrap().as_str().trim(), "");
    }
    // A word in a code's place that no document lists may be a result's.
    let server = answering(json(200, r#"{"Code":"OK","RequestId":"id-1"}"#)).await;
    assert!(alibaba(&server).undeclared(read()).send().await.is_ok());
    let coded = r#"{"Code":"FlowNotExists","Message":"no flow","RequestId":"id-1"}"#;
    let server = answering(json(200, coded)).await;
    let error = alibaba(&server).undeclared(read()).send().await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::FlowNotExists));
    assert_eq!(error.request_id(), Some("id-1"));
    let coded = r#"{"error_code":"FSS.0404","error_msg":"no flow"}"#;
    let server = answering(json(200, coded)).await;
    let call = huawei(&server).undeclared(huawei::Undeclared::read(["fgs"]));
    let error = call.send().await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::Fss0404));
    let server = answering(ResponseTemplate::new(200).set_body_string("<html>")).await;
    let error = alibaba(&server).undeclared(read()).send().await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn documented_codes_are_read_as_those_of_declared_calls() {
    for (code, statuses) in documented(include_str!("data/alibaba_codes.tsv")) {
        let status = statuses[0];
        let body = value!({"Code": code, "Message": "m", "RequestId": "id-1"}).to_string();
        let server = answering(json(status, body)).await;
        let client = alibaba::Client::builder()
            .endpoint(server.uri())
            .credentials(alibaba::Credentials::new("testid", "testsecret"))
            .retry(RetryPolicy::never())
            .build()
            .unwrap();
        let look = alibaba::Undeclared::read("DescribeFlow").param("Name", "f");
        let error = client.undeclared(look).send().await.unwrap_err();
        let declared = client.describe_flow(DescribeFlowRequest::new("f"));
        let declared = declared.send().await.unwrap_err();
        assert_eq!(error.code().unwrap().as_str(), code);
        assert_eq!(error.kind(), declared.kind(), "{code}");
        assert_eq!(error.delivery(), declared.delivery(), "{code}");
        assert_eq!(error.to_string(), declared.to_string(), "{code}");
    }
}

#[tokio::test]
async fn an_operation_that_a_region_lacks_is_told_from_a_missing_flow() {
    let unknown = [
        (404, "InvalidAction.NotFound"),
        (400, "ActionNotSupported"),
        (404, "InvalidApi.NotFound"),
    ];
    for (status, code) in unknown {
        let body = value!({"Code": code, "Message": "m", "RequestId": "id-1"}).to_string();
        let server = answering(json(status, body)).await;
        let request = PublishFlowVersionRequest::new("f");
        let error = alibaba(&server).publish_flow_version(request).send().await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{code}");
        assert_eq!(error.delivery(), Delivery::Refused, "{code}");
        assert!(error.to_string().contains("no such operation"), "{error}");
    }
    for code in ["APIGW.0101", "APIG.0101"] {
        let body = value!({"error_code": code, "error_msg": "m"}).to_string();
        let server = answering(json(404, body)).await;
        let request = huawei::ShowWorkFlowRequest::new("f");
        let error = huawei(&server).show_work_flow(request).send().await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{code}");
        assert_eq!(error.delivery(), Delivery::Refused, "{code}");
        assert!(error.to_string().contains("no such operation"), "{error}");
    }
}

#[tokio::test]
async fn words_of_an_answer_repeat_no_secret_and_debug_shows_no_value() {
    for name in ["TaskToken", "DbPassword", "Tag.1.Secret"] {
        let words = "no hidden-value-7 of testsecret";
        let answer = value!({"Code": "InvalidArgument", "Message": words}).to_string();
        let server = answering(json(400, answer)).await;
        let request = alibaba::Undeclared::change("Report").param(name, "hidden-value-7");
        assert!(!format!("{request:?}").contains("hidden"));
        assert!(format!("{request:?}").contains(name));
        let error = alibaba(&server).undeclared(request).send().await;
        let error = error.unwrap_err();
        for text in [format!("{error}"), format!("{error:?}")] {
            assert!(!text.contains("hidden-value"), "{text}");
            assert!(!text.contains("testsecret"), "{text}");
        }
    }
    let request = huawei::Undeclared::change(Method::POST, ["a"])
        .query("q", "hidden-8")
        .body(value!({"a": "hidden-9"}));
    let words = format!("{request:?}");
    assert!(!words.contains("hidden"), "{words}");
}
