//! Our side of the interop check: reads requests from standard input, one JSON object a line,
//! sends each with a client of its own, and prints what came of it, one JSON object a line.
//!
//! What to send, and whether it arrived as meant, is decided in Python; see `.ci/interop`.

use std::{collections::BTreeMap, error::Error as _};

use chrono::{DateTime, Utc};
use cloud_workflows::{
    Call, Error, Operation, Response,
    alibaba::{
        self, DescribeExecutionRequest, GetExecutionHistoryRequest, ListExecutionsRequest,
        ReportTaskFailedRequest, ReportTaskSucceededRequest, StartExecutionRequest,
        StartSyncExecutionRequest, StopExecutionRequest,
    },
    huawei::{
        self, CreateCallbackWorkflowRequest, ListWorkflowExecutionsRequest, RetryWorkFlowRequest,
        ShowWorkflowExecutionForPageRequest, ShowWorkflowExecutionRequest,
        StartSyncWorkflowExecutionRequest, StartWorkflowExecutionRequest, StopWorkFlowRequest,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, stdin},
    task::JoinSet,
};

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// One line of input: which operation, who asks, and what an operation of that cloud may be given.
#[derive(Deserialize)]
struct Order {
    id: u64,
    endpoint: String,
    operation: String,
    #[serde(flatten)]
    given: Given,
}

/// The parameters of all operations; each takes its own. An empty name is refused by the client
/// itself, so that one that is left out here is noticed.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Alibaba(Box<ForAlibaba>),
    Huawei(Box<ForHuawei>),
}

#[derive(Deserialize)]
struct ForAlibaba {
    key: Key,
    #[serde(default)]
    flow_name: String,
    execution_name: Option<String>,
    input: Option<String>,
    qualifier: Option<String>,
    callback_fnf_task_token: Option<String>,
    wait_time_seconds: Option<u32>,
    execution_name_prefix: Option<String>,
    limit: Option<u32>,
    map_run_name: Option<String>,
    metadata_only: Option<bool>,
    next_token: Option<String>,
    started_time_begin: Option<DateTime<Utc>>,
    started_time_end: Option<DateTime<Utc>>,
    status: Option<String>,
    cause: Option<String>,
    error: Option<String>,
    #[serde(default)]
    task_token: String,
    output: Option<String>,
}

#[derive(Deserialize)]
struct ForHuawei {
    auth: Auth,
    region: String,
    project_id: Option<String>,
    workflow_id: String,
    #[serde(default)]
    execution_id: String,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    input: Option<String>,
    create_time: Option<String>,
    workflow_run_id: Option<String>,
    workflow_run_merge_fn_parameters: Option<bool>,
    full_history: Option<bool>,
    limit: Option<u32>,
    offset: Option<u32>,
    status: Option<String>,
    start_time: Option<DateTime<Utc>>,
    end_time: Option<DateTime<Utc>>,
    #[serde(default)]
    workflow_state_id: String,
    #[serde(default)]
    result: String,
    output: Option<String>,
    error: Option<String>,
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

impl ForAlibaba {
    async fn carry_out(self, operation: &str, endpoint: &str) -> Result<Value, Error> {
        let client = alibaba(endpoint, self.key)?;
        let flow = self.flow_name;
        let named = self.execution_name.clone().unwrap_or_default();
        match operation {
            "StartExecution" => {
                let mut request = StartExecutionRequest::new(flow)
                    .execution_name(self.execution_name)
                    .qualifier(self.qualifier)
                    .callback_fnf_task_token(self.callback_fnf_task_token);
                if let Some(input) = self.input {
                    request = request.input_json(input);
                }
                told(client.start_execution(request)).await
            }
            "StartSyncExecution" => {
                let mut request = StartSyncExecutionRequest::new(flow)
                    .execution_name(self.execution_name)
                    .qualifier(self.qualifier);
                if let Some(input) = self.input {
                    request = request.input_json(input);
                }
                told(client.start_sync_execution(request)).await
            }
            "DescribeExecution" => {
                let request = DescribeExecutionRequest::new(flow, named)
                    .wait_time_seconds(self.wait_time_seconds);
                told(client.describe_execution(request)).await
            }
            "StopExecution" => {
                let request = StopExecutionRequest::new(flow, named)
                    .cause(self.cause)
                    .error(self.error);
                told(client.stop_execution(request)).await
            }
            "ListExecutions" => {
                let status = self.status.as_deref().map(alibaba::ExecutionStatus::from);
                let request = ListExecutionsRequest::new(flow)
                    .execution_name_prefix(self.execution_name_prefix)
                    .limit(self.limit)
                    .map_run_name(self.map_run_name)
                    .metadata_only(self.metadata_only)
                    .next_token(self.next_token)
                    .qualifier(self.qualifier)
                    .started_time_begin(self.started_time_begin)
                    .started_time_end(self.started_time_end)
                    .status(status);
                told(client.list_executions(request)).await
            }
            "GetExecutionHistory" => {
                let request = GetExecutionHistoryRequest::new(flow, named)
                    .limit(self.limit)
                    .next_token(self.next_token);
                told(client.get_execution_history(request)).await
            }
            "ReportTaskSucceeded" => {
                let mut request = ReportTaskSucceededRequest::new(self.task_token);
                if let Some(output) = self.output {
                    request = request.output_json(output);
                }
                told(client.report_task_succeeded(request)).await
            }
            "ReportTaskFailed" => {
                let error = self.error.unwrap_or_default();
                let request =
                    ReportTaskFailedRequest::new(self.task_token, error).cause(self.cause);
                told(client.report_task_failed(request)).await
            }
            other => Ok(unknown(other)),
        }
    }
}

impl ForHuawei {
    async fn carry_out(self, operation: &str, endpoint: &str) -> Result<Value, Error> {
        let client = huawei(endpoint, self.region, self.project_id, self.auth)?;
        let (workflow, execution) = (self.workflow_id, self.execution_id);
        match operation {
            "StartSyncWorkflowExecution" => {
                let mut request = StartSyncWorkflowExecutionRequest::new(workflow);
                for (name, value) in self.headers {
                    request = request.header(name, value);
                }
                if let Some(input) = self.input {
                    request = request.input_json(input);
                }
                told(client.start_sync_workflow_execution(request)).await
            }
            "StartWorkflowExecution" => {
                let mut request = StartWorkflowExecutionRequest::new(workflow)
                    .create_time(self.create_time)
                    .workflow_run_id(self.workflow_run_id)
                    .workflow_run_merge_fn_parameters(self.workflow_run_merge_fn_parameters);
                for (name, value) in self.headers {
                    request = request.header(name, value);
                }
                if let Some(input) = self.input {
                    request = request.input_json(input);
                }
                told(client.start_workflow_execution(request)).await
            }
            "ShowWorkflowExecution" => {
                let request = ShowWorkflowExecutionRequest::new(workflow, execution)
                    .full_history(self.full_history);
                told(client.show_workflow_execution(request)).await
            }
            "ListWorkflowExecutions" => {
                let status = self.status.as_deref().map(huawei::WorkflowRunStatus::from);
                let request = ListWorkflowExecutionsRequest::new(workflow)
                    .limit(self.limit)
                    .offset(self.offset)
                    .status(status)
                    .start_time(self.start_time)
                    .end_time(self.end_time);
                told(client.list_workflow_executions(request)).await
            }
            "ShowWorkflowExecutionForPage" => {
                let offset = self.offset.unwrap_or_default();
                let limit = self.limit.unwrap_or_default();
                let request = ShowWorkflowExecutionForPageRequest::new(workflow, offset, limit)
                    .start_time(self.start_time)
                    .end_time(self.end_time);
                told(client.show_workflow_execution_for_page(request)).await
            }
            "StopWorkFlow" => {
                let request = StopWorkFlowRequest::new(workflow, execution);
                told(client.stop_work_flow(request)).await
            }
            "RetryWorkFlow" => {
                let request = RetryWorkFlowRequest::new(workflow, execution);
                told(client.retry_work_flow(request)).await
            }
            "CreateCallbackWorkflow" => {
                let mut request = CreateCallbackWorkflowRequest::new(
                    workflow,
                    self.workflow_run_id.unwrap_or_default(),
                    self.workflow_state_id,
                    huawei::CallbackResult::from(self.result.as_str()),
                )
                .error(self.error);
                if let Some(output) = self.output {
                    request = request.output_json(output);
                }
                told(client.create_callback_workflow(request)).await
            }
            other => Ok(unknown(other)),
        }
    }
}

fn unknown(operation: &str) -> Value {
    json!({ "error": format!("the driver does not know {operation}") })
}

/// Sends a call, and says what came of it.
async fn told<O>(call: Call<O>) -> Result<Value, Error>
where
    O: Operation<Output: Serialize>,
{
    Ok(report(&call.send_for_response().await?))
}

impl Order {
    async fn carry_out(self) -> Result<Value, Error> {
        match self.given {
            Given::Alibaba(given) => given.carry_out(&self.operation, &self.endpoint).await,
            Given::Huawei(given) => given.carry_out(&self.operation, &self.endpoint).await,
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
