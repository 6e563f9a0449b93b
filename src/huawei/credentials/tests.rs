//! Every source, in an injected environment and on a scripted transport.

mod chain;
mod environment;
mod federation;
mod files;
mod leaks;
mod metadata;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::{
    error::ErrorKind,
    huawei::{Client, ClientBuilder, StartSyncWorkflowExecutionRequest},
    pipeline::{
        clock::Clock,
        credential::is_passing,
        environment::Environment,
        settings::Settings,
        transport::{
            HttpRequest, Reply, Stage,
            scripted::{Script, Step},
        },
    },
};

fn wall() -> DateTime<Utc> {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A context as a client would lend it, in a region and for no project.
fn context(environment: &Environment, script: &Arc<Script>) -> Context {
    let settings = Settings {
        scripted: Some((script.clone(), Clock::starting_at(wall()))),
        environment: environment.clone(),
        ..Settings::default()
    };
    Context {
        core: settings.core(&[]).unwrap(),
        region: Some("cn-north-4".to_owned()),
        project_id: None,
        auth_endpoint: Some("https://iam.example/".parse().unwrap()),
    }
}

/// The same, for a project.
fn in_project(environment: &Environment, script: &Arc<Script>) -> Context {
    Context {
        project_id: Some("p".to_owned()),
        ..context(environment, script)
    }
}

/// Asks a source once, for a project.
async fn ask(
    source: &impl ProvideCredential<Credential>,
    environment: &Environment,
    script: &Arc<Script>,
) -> Result<Lease<Credential>, Error> {
    source.provide(&in_project(environment, script)).await
}

/// Asks a source that needs no network.
async fn ask_offline(
    source: &impl ProvideCredential<Credential>,
    environment: &Environment,
) -> Result<Lease<Credential>, Error> {
    ask(source, environment, &Script::new([])).await
}

/// The access key, or the token.
fn id(lease: Lease<Credential>) -> String {
    match lease.into_credential() {
        Credential::Key(key) => key.access_key,
        Credential::Token(token) => token.text.expose().to_owned(),
    }
}

fn reply(status: u16, body: impl Into<String>) -> Step {
    with_header(status, "x-other", "", body)
}

fn with_header(status: u16, name: &'static str, value: &str, body: impl Into<String>) -> Step {
    let mut headers = HeaderMap::new();
    let date = httpdate::fmt_http_date(wall().into());
    headers.insert("date", date.parse().unwrap());
    headers.insert(name, value.parse().unwrap());
    let reply = Reply {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.into().into(),
        received: crate::pipeline::clock::monotonic(),
    };
    Step::Reply(Duration::ZERO, reply)
}

/// An hour of the reply's time.
fn expiration() -> String {
    let end = wall() + TimeDelta::hours(1);
    end.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

fn token(text: &str) -> Step {
    let body = json!({"token": {"expires_at": expiration(), "project": {"id": "of-token"}}});
    with_header(201, "x-subject-token", text, body.to_string())
}

fn project() -> Step {
    reply(200, r#"{"projects":[{"id":"looked-up"}]}"#)
}

fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// `METHOD host path` of each request.
fn paths(sent: &[(tokio::time::Instant, HttpRequest)]) -> Vec<String> {
    let line = |request: &HttpRequest| {
        let host = request.url.host_str().unwrap();
        format!("{} {host} {}", request.method, request.url.path())
    };
    sent.iter().map(|(_, request)| line(request)).collect()
}

/// No request may carry both.
fn assert_one_way(sent: &[(tokio::time::Instant, HttpRequest)]) {
    for (_, request) in sent {
        let headers = &request.headers;
        let both = headers.contains_key("x-auth-token") && headers.contains_key("authorization");
        assert!(!both, "{request:?}");
    }
}

/// A client on a script.
fn client(
    source: impl ProvideCredential<Credential>,
    environment: &Environment,
    script: &Arc<Script>,
) -> Client {
    Client::builder()
        .region("cn-north-4")
        .credentials(source)
        .environment(environment)
        .scripted(script, Clock::starting_at(wall()))
        .build()
        .unwrap()
}

async fn call(client: &Client) -> Result<(), Error> {
    let request = StartSyncWorkflowExecutionRequest::new("flow");
    let call = client.start_sync_workflow_execution(request);
    call.send().await.map(drop)
}

fn is_flow(request: &HttpRequest) -> bool {
    request.url.path().ends_with("/sync-executions")
}

fn done() -> Step {
    reply(200, r#"{"status":"success"}"#)
}

/// Stands in every secret.
const MARKER: &str = "MARKER/+=secret";

/// What metadata services and agents give: a key good for an hour of the reply's time.
fn issued(access: &str) -> String {
    json!({"credential": {
        "access": access,
        "secret": "secret",
        "securitytoken": "token",
        "expires_at": expiration(),
    }})
    .to_string()
}

fn is_metadata(request: &HttpRequest) -> bool {
    request.url.host_str() == Some("169.254.169.254")
}

/// An instance whose agency gives this key.
fn instance(request: &HttpRequest, key: &str) -> Option<Step> {
    Some(match request.url.path() {
        "/meta-data/latest/api/token" => reply(200, "v2-token"),
        "/openstack/latest/securitykey" => reply(200, issued(key)),
        _ => reply(404, ""),
    })
}
