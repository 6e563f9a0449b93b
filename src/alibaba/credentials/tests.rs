//! Every source, in an injected environment and on a scripted transport.

mod chain;
mod files;
mod leaks;
mod metadata;
mod sts;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::*;
use crate::{
    alibaba::{Client, StartExecutionRequest},
    error::ErrorKind,
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

/// Stands in every secret.
const MARKER: &str = "MARKER/+=secret";

fn wall() -> DateTime<Utc> {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A context as a client would lend it.
fn context(environment: &Environment, script: &Arc<Script>) -> Context {
    let settings = Settings {
        scripted: Some((script.clone(), Clock::starting_at(wall()))),
        environment: environment.clone(),
        ..Settings::default()
    };
    Context {
        core: settings.core(&[]).unwrap(),
        region: None,
        project_id: None,
        auth_endpoint: None,
    }
}

/// Asks a source once.
async fn ask(
    source: &impl ProvideCredential<Credentials>,
    environment: &Environment,
    script: &Arc<Script>,
) -> Result<Lease<Credentials>, Error> {
    source.provide(&context(environment, script)).await
}

/// Asks a source that needs no network.
async fn ask_offline(
    source: &impl ProvideCredential<Credentials>,
    environment: &Environment,
) -> Result<Lease<Credentials>, Error> {
    ask(source, environment, &Script::new([])).await
}

fn id(lease: Lease<Credentials>) -> String {
    lease.into_credential().access_key_id
}

fn reply(status: u16, body: impl Into<String>) -> Step {
    let mut headers = HeaderMap::new();
    let date = httpdate::fmt_http_date(wall().into());
    headers.insert("date", date.parse().unwrap());
    let reply = Reply {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.into().into(),
        received: crate::pipeline::clock::monotonic(),
    };
    Step::Reply(Duration::ZERO, reply)
}

/// What the metadata service and credentials URIs give: a key good for an hour of the reply's time.
fn issued(id: &str) -> String {
    json!({
        "Code": "Success",
        "AccessKeyId": id,
        "AccessKeySecret": "secret",
        "SecurityToken": "token",
        "Expiration": expiration(),
    })
    .to_string()
}

fn assumed(id: &str) -> String {
    json!({"RequestId": "r", "Credentials": {
        "AccessKeyId": id,
        "AccessKeySecret": "secret",
        "SecurityToken": "token",
        "Expiration": expiration(),
    }})
    .to_string()
}

fn expiration() -> String {
    let end = wall() + TimeDelta::hours(1);
    end.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Decoded parameters of query and body.
fn parameters(request: &HttpRequest) -> Vec<(String, String)> {
    let mut parameters: Vec<_> = request.url.query_pairs().into_owned().collect();
    parameters.extend(url::form_urlencoded::parse(&request.body).into_owned());
    parameters
}

fn parameter(request: &HttpRequest, name: &str) -> Option<String> {
    let mut parameters = parameters(request).into_iter();
    parameters
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

/// `METHOD path` of each request.
fn paths(sent: &[(tokio::time::Instant, HttpRequest)]) -> Vec<String> {
    sent.iter()
        .map(|(_, request)| format!("{} {}", request.method, request.url.path()))
        .collect()
}

/// A client on a script.
fn client(
    source: impl ProvideCredential<Credentials>,
    environment: &Environment,
    script: &Arc<Script>,
) -> Client {
    Client::builder()
        .region("cn-hangzhou")
        .credentials(source)
        .environment(environment)
        .scripted(script, Clock::starting_at(wall()))
        .build()
        .unwrap()
}

async fn call(client: &Client) -> Result<(), Error> {
    let request = StartExecutionRequest::new("flow");
    client.start_execution(request).send().await.map(drop)
}

fn is_metadata(request: &HttpRequest) -> bool {
    request.url.host_str() == Some("100.100.100.200")
}

fn is_sts(request: &HttpRequest) -> bool {
    request.url.host_str().unwrap().starts_with("sts")
}

fn started() -> Step {
    reply(200, r#"{"Status":"Running"}"#)
}

/// An instance whose role gives this key.
fn instance(request: &HttpRequest, key: &str) -> Option<Step> {
    Some(match request.url.path() {
        "/latest/api/token" => reply(200, "v2-token"),
        "/latest/meta-data/ram/security-credentials/" => reply(200, "my-role"),
        "/latest/meta-data/ram/security-credentials/my-role" => reply(200, issued(key)),
        _ => reply(404, ""),
    })
}
