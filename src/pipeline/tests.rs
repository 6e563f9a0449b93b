//! The attempt loop on a scripted transport, under a paused clock.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attempts;
mod complete;
mod credentials;
mod declared;
mod echoes;
mod faults;
mod following;
mod held;
mod managing;
mod origin;
mod paces;
mod policy;
mod runtimes;
mod same;
mod schedules;
mod table;
mod warm;
mod wire;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::{
    clock::{Clock, monotonic},
    failure::Stage,
    transport::{
        HttpRequest, Reply,
        scripted::{Script, Step},
    },
};
use crate::{
    Delivery, Error, ErrorKind, RetryPolicy,
    alibaba::{self, Credentials, StartExecutionRequest, StartSyncExecutionRequest},
    huawei::{self, StartSyncWorkflowExecutionRequest, Token},
};

const WALL: &str = "2026-11-22T12:00:00Z";

fn wall() -> DateTime<Utc> {
    WALL.parse().unwrap()
}

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
        received: monotonic(),
    }
}

fn with_header(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    reply.headers.insert(name, value.parse().unwrap());
    reply
}

fn at_once(reply: Reply) -> Step {
    Step::Reply(Duration::ZERO, reply)
}

fn started() -> Step {
    at_once(reply(200, r#"{"Status":"Running"}"#))
}

fn done() -> Step {
    at_once(reply(200, r#"{"Status":"Succeeded","status":"success"}"#))
}

fn coded(status: u16, code: &str) -> Step {
    at_once(reply(
        status,
        &json!({"Code": code, "error_code": code}).to_string(),
    ))
}

/// A parameter of a call to Alibaba Cloud, in its query or its form.
fn parameter(request: &HttpRequest, name: &str) -> Option<String> {
    let query = request.url.query().unwrap_or_default().as_bytes();
    [query, &request.body]
        .into_iter()
        .flat_map(url::form_urlencoded::parse)
        .find_map(|(found, value)| (found == name).then(|| value.into_owned()))
}

fn alibaba_client(script: &Arc<Script>) -> alibaba::Client {
    alibaba::Client::builder()
        .region("cn-hangzhou")
        .credentials(Credentials::new("id", "secret"))
        .scripted(script, Clock::starting_at(wall()))
        .build()
        .unwrap()
}

fn huawei_client(script: &Arc<Script>) -> huawei::Client {
    huawei::Client::builder()
        .region("cn-north-4")
        .project_id("p")
        .credentials(Token::new("token"))
        .scripted(script, Clock::starting_at(wall()))
        .build()
        .unwrap()
}

/// The three starts, by what may be repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    Named,
    Sync,
    Workflow,
}

const STARTS: [Start; 3] = [Start::Named, Start::Sync, Start::Workflow];

impl Start {
    async fn send(self, script: &Arc<Script>) -> Result<u32, Error> {
        let attempts = match self {
            Self::Named => {
                let request = StartExecutionRequest::new("flow").execution_name("mine");
                let call = alibaba_client(script).start_execution(request);
                call.send_for_response().await?.attempts()
            }
            Self::Sync => {
                let request = StartSyncExecutionRequest::new("flow").execution_name("mine");
                let call = alibaba_client(script).start_sync_execution(request);
                call.send_for_response().await?.attempts()
            }
            Self::Workflow => {
                let request = StartSyncWorkflowExecutionRequest::new("id");
                let call = huawei_client(script).start_sync_workflow_execution(request);
                call.send_for_response().await?.attempts()
            }
        };
        Ok(attempts)
    }
}
