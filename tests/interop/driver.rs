//! Our side of the interop check: reads requests from standard input, one JSON object a line,
//! sends each with a client of its own, and prints what came of it, one JSON object a line.
//!
//! What to send, and whether it arrived as meant, is decided in Python; see `.ci/interop`.

use std::{collections::BTreeMap, error::Error as _};

use cloud_workflows::{
    Error, Response,
    alibaba::{self, DescribeExecutionRequest, StartExecutionRequest, StartSyncExecutionRequest},
    huawei::{self, StartSyncWorkflowExecutionRequest},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, stdin},
    task::JoinSet,
};

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// One line of input.
#[derive(Deserialize)]
struct Order {
    id: u64,
    endpoint: String,
    #[serde(flatten)]
    call: Call,
}

#[derive(Deserialize)]
#[serde(tag = "operation")]
enum Call {
    StartExecution(Start),
    StartSyncExecution(Start),
    DescribeExecution {
        key: Key,
        flow_name: String,
        execution_name: String,
        wait_time_seconds: Option<u32>,
    },
    StartSyncWorkflowExecution {
        auth: Auth,
        region: String,
        project_id: Option<String>,
        workflow_id: String,
        headers: BTreeMap<String, Value>,
        input: Option<String>,
    },
}

#[derive(Deserialize)]
struct Start {
    key: Key,
    flow_name: String,
    execution_name: Option<String>,
    input: Option<String>,
    qualifier: Option<String>,
    callback_fnf_task_token: Option<String>,
}

#[derive(Deserialize)]
struct Key {
    id: String,
    secret: String,
    security_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Auth {
    Key(Key),
    Token(String),
    Password {
        domain: String,
        user: String,
        password: String,
    },
}

impl Key {
    fn alibaba(self) -> alibaba::Credentials {
        let key = alibaba::Credentials::new(self.id, self.secret);
        match self.security_token {
            Some(token) => key.security_token(token),
            None => key,
        }
    }

    fn huawei(self) -> huawei::AccessKey {
        let key = huawei::AccessKey::new(self.id, self.secret);
        match self.security_token {
            Some(token) => key.security_token(token),
            None => key,
        }
    }
}

fn alibaba(endpoint: &str, key: Key) -> Result<alibaba::Client, Error> {
    alibaba::Client::builder()
        .endpoint(endpoint)
        .credentials(key.alibaba())
        .build()
}

fn huawei(
    endpoint: &str,
    region: String,
    project_id: Option<String>,
    auth: Auth,
) -> Result<huawei::Client, Error> {
    let mut builder = huawei::Client::builder()
        .endpoint(endpoint)
        .iam_endpoint(endpoint)
        .region(region);
    if let Some(id) = project_id {
        builder = builder.project_id(id);
    }
    match auth {
        Auth::Key(key) => builder.credentials(key.huawei()),
        Auth::Token(token) => builder.credentials(huawei::Token::new(token)),
        Auth::Password {
            domain,
            user,
            password,
        } => builder.credentials(huawei::IamPassword::new(domain, user, password)),
    }
    .build()
}

impl Order {
    async fn carry_out(self) -> Result<Value, Error> {
        let endpoint = self.endpoint.as_str();
        match self.call {
            Call::StartExecution(start) => {
                let mut request = StartExecutionRequest::new(start.flow_name)
                    .execution_name(start.execution_name)
                    .qualifier(start.qualifier)
                    .callback_fnf_task_token(start.callback_fnf_task_token);
                if let Some(input) = start.input {
                    request = request.input_json(input);
                }
                let call = alibaba(endpoint, start.key)?.start_execution(request);
                Ok(report(&call.send_for_response().await?))
            }
            Call::StartSyncExecution(start) => {
                let mut request = StartSyncExecutionRequest::new(start.flow_name)
                    .execution_name(start.execution_name)
                    .qualifier(start.qualifier);
                if let Some(input) = start.input {
                    request = request.input_json(input);
                }
                let call = alibaba(endpoint, start.key)?.start_sync_execution(request);
                Ok(report(&call.send_for_response().await?))
            }
            Call::DescribeExecution {
                key,
                flow_name,
                execution_name,
                wait_time_seconds,
            } => {
                let mut request = DescribeExecutionRequest::new(flow_name, execution_name);
                if let Some(seconds) = wait_time_seconds {
                    request = request.wait_time_seconds(seconds);
                }
                let call = alibaba(endpoint, key)?.describe_execution(request);
                Ok(report(&call.send_for_response().await?))
            }
            Call::StartSyncWorkflowExecution {
                auth,
                region,
                project_id,
                workflow_id,
                headers,
                input,
            } => {
                let mut request = StartSyncWorkflowExecutionRequest::new(workflow_id);
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                if let Some(input) = input {
                    request = request.input_json(input);
                }
                let client = huawei(endpoint, region, project_id, auth)?;
                let call = client.start_sync_workflow_execution(request);
                Ok(report(&call.send_for_response().await?))
            }
        }
    }
}

fn report<T: Serialize>(response: &Response<T>) -> Value {
    json!({
        "answer": response.value(),
        "status": response.status().as_u16(),
        "request_id": response.request_id(),
        "attempts": response.attempts(),
    })
}

fn refused(error: &Error) -> Value {
    json!({
        "error": error.to_string(),
        "cause": error.source().map(ToString::to_string),
        "kind": format!("{:?}", error.kind()),
        "code": error.code().map(|code| code.as_str()),
        "status": error.status().map(|status| status.as_u16()),
        "request_id": error.request_id(),
        "delivery": format!("{:?}", error.delivery()),
        "attempts": error.attempts(),
    })
}

async fn answer(order: Order) {
    let id = order.id;
    let mut outcome = order
        .carry_out()
        .await
        .unwrap_or_else(|error| refused(&error));
    outcome["id"] = id.into();
    println!("{outcome}");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut lines = BufReader::new(stdin()).lines();
    let mut under_way = JoinSet::new();
    while let Some(line) = lines.next_line().await? {
        if under_way.len() == AT_ONCE {
            under_way.join_next().await.transpose()?;
        }
        under_way.spawn(answer(serde_json::from_str(&line)?));
    }
    while under_way.join_next().await.transpose()?.is_some() {}
    Ok(())
}
