//! Every source, in an injected environment and on a scripted transport.

mod chain;
mod files;
mod laws;
mod looks;
mod mended;
mod metadata;
mod places;
mod sts;

use std::{future::Future, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::*;
use crate::{
    alibaba::{Client, StartExecutionRequest},
    error::ErrorKind,
    pipeline::{
        clock::Clock,
        environment::Environment,
        failure::Stage,
        testing::{
            self, Cloud, MARKER, context, dated, expiration, is_passing, paths, reply, wall,
        },
        transport::{
            HttpRequest,
            scripted::{Script, Step},
        },
    },
};

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

/// A key good for an hour of the reply's time.
fn key(id: &str) -> Value {
    json!({
        "AccessKeyId": id,
        "AccessKeySecret": MARKER,
        "SecurityToken": MARKER,
        "Expiration": expiration("%Y-%m-%dT%H:%M:%SZ"),
    })
}

/// What the metadata service and credentials URIs give.
fn issued(id: &str) -> String {
    let mut key = key(id);
    key["Code"] = "Success".into();
    key.to_string()
}

/// What STS gives.
fn assumed(id: &str) -> String {
    json!({"RequestId": "r", "Credentials": key(id)}).to_string()
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

/// A client on a script.
fn client(
    source: impl ProvideCredential<Credentials>,
    environment: &Environment,
    script: &Arc<Script>,
) -> Client {
    Fnf::client(
        Arc::new(source),
        environment,
        script,
        Clock::starting_at(wall()),
    )
}

async fn call(client: &Client) -> Result<(), Error> {
    Fnf::call(client).await
}

/// The cloud, for the laws of all sources.
struct Fnf;

impl Cloud for Fnf {
    type Credential = Credentials;
    type Client = Client;

    fn client(
        source: testing::Source<Self>,
        environment: &Environment,
        script: &Arc<Script>,
        clock: Clock,
    ) -> Client {
        Client::builder()
            .region("cn-hangzhou")
            .credentials(source)
            .environment(environment)
            .scripted(script, clock)
            .build()
            .unwrap()
    }

    fn call(client: &Client) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        let call = client.start_execution(StartExecutionRequest::new("flow"));
        async { call.send().await.map(drop) }
    }

    fn answer(request: &HttpRequest) -> Option<Step> {
        (request.url.host_str() == Some("cn-hangzhou.fnf.aliyuncs.com")).then(started)
    }

    fn sent_with(request: &HttpRequest) -> String {
        parameter(request, "AccessKeyId").unwrap()
    }

    fn clock_refusal(_: &HttpRequest, time: DateTime<Utc>) -> Option<Step> {
        Some(dated(time, 400, r#"{"Code":"InvalidTimeStamp.Expired"}"#))
    }
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
