//! What the contract tests share.

use cloud_workflows::ErrorCode;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

/// A server that gives this answer to everything.
pub(crate) async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// An answer with a JSON body.
pub(crate) fn json(status: u16, body: impl Into<String>) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body.into(), "application/json;charset=utf-8")
}

/// The only request that arrived.
pub(crate) async fn only_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1, "requests that arrived");
    requests.remove(0)
}

/// How many requests arrived.
pub(crate) async fn arrived(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

/// The rows of a table of documented codes; a code without a status gets 500.
pub(crate) fn documented(table: &str) -> Vec<(&str, Vec<u16>)> {
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (code, statuses) = line.split_once('\t').unwrap();
            let statuses: Vec<u16> = statuses
                .split_whitespace()
                .map(|status| status.parse().unwrap())
                .collect();
            assert!(
                !matches!(ErrorCode::from(code), ErrorCode::Other(_)),
                "{code}"
            );
            assert_eq!(ErrorCode::from(code).as_str(), code);
            assert_eq!(ErrorCode::from(code).statuses(), statuses, "{code}");
            let statuses = if statuses.is_empty() {
                vec![500]
            } else {
                statuses
            };
            (code, statuses)
        })
        .collect()
}
