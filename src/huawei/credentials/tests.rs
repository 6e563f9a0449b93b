//! Every source, in an injected environment and on a scripted transport.

mod chain;
mod environment;
mod federation;
mod files;
mod laws;
mod looks;
mod metadata;
mod places;

use std::{future::Future, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::*;
use crate::{
    error::ErrorKind,
    huawei::{Client, ClientBuilder, StartSyncWorkflowExecutionRequest},
    pipeline::{
        clock::Clock,
        environment::Environment,
        failure::Stage,
        testing::{self, Cloud, MARKER, dated, is_passing, paths, reply, wall, with_header},
        transport::{
            HttpRequest,
            scripted::{Script, Step},
        },
    },
};

/// A context as a client would lend it, in a region and for no project.
fn context(environment: &Environment, script: &Arc<Script>) -> Context {
    Context {
        region: Some("cn-north-4".to_owned()),
        auth_endpoint: Some("https://iam.example/".parse().unwrap()),
        ..testing::context(environment, script)
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

/// An hour of the reply's time.
fn expiration() -> String {
    testing::expiration("%Y-%m-%dT%H:%M:%S%.6fZ")
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

/// No request may carry both.
fn assert_one_way(sent: &[(tokio::time::Instant, HttpRequest)]) {
    for (_, request) in sent {
        FunctionGraph::check(request);
    }
}

/// A client on a script.
fn client(
    source: impl ProvideCredential<Credential>,
    environment: &Environment,
    script: &Arc<Script>,
) -> Client {
    FunctionGraph::client(
        Arc::new(source),
        environment,
        script,
        Clock::starting_at(wall()),
    )
}

async fn call(client: &Client) -> Result<(), Error> {
    FunctionGraph::call(client).await
}

/// The cloud, for the laws of all sources.
struct FunctionGraph;

impl Cloud for FunctionGraph {
    type Credential = Credential;
    type Client = Client;

    fn client(
        source: testing::Source<Self>,
        environment: &Environment,
        script: &Arc<Script>,
        clock: Clock,
    ) -> Client {
        Client::builder()
            .region("cn-north-4")
            .credentials(source)
            .environment(environment)
            .scripted(script, clock)
            .build()
            .unwrap()
    }

    fn call(client: &Client) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        let request = StartSyncWorkflowExecutionRequest::new("flow");
        let call = client.start_sync_workflow_execution(request);
        async { call.send().await.map(drop) }
    }

    fn answer(request: &HttpRequest) -> Option<Step> {
        is_flow(request).then(done)
    }

    fn sent_with(request: &HttpRequest) -> String {
        let header = |name: &str| Some(request.headers.get(name)?.to_str().unwrap());
        match header("x-auth-token") {
            Some(token) => token.trim_end_matches(MARKER).to_owned(),
            None => {
                let signature = header("authorization").unwrap();
                let (_, rest) = signature.split_once("Access=").unwrap();
                rest.split(',').next().unwrap().to_owned()
            }
        }
    }

    fn clock_refusal(request: &HttpRequest, time: DateTime<Utc>) -> Option<Step> {
        let refusal = || dated(time, 401, r#"{"error_code":"APIGW.0301"}"#);
        request.headers.contains_key("authorization").then(refusal)
    }

    fn check(request: &HttpRequest) {
        let headers = &request.headers;
        let both = headers.contains_key("x-auth-token") && headers.contains_key("authorization");
        assert!(!both, "{request:?}");
    }
}

fn is_flow(request: &HttpRequest) -> bool {
    request.url.path().ends_with("/sync-executions")
}

fn done() -> Step {
    reply(200, r#"{"status":"success"}"#)
}

/// What metadata services and agents give: a key good for an hour of the reply's time.
fn issued(access: &str) -> String {
    json!({"credential": {
        "access": access,
        "secret": MARKER,
        "securitytoken": MARKER,
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
