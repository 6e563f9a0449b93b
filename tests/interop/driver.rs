//! Our side of the interop check: reads requests from standard input, one JSON object a line,
//! sends each with a client of its own, and prints what came of it, one JSON object a line.
//!
//! What to send, and whether it arrived as meant, is decided in Python; see `.ci/interop`.

use std::{collections::BTreeMap, error::Error as _};

use chrono::{DateTime, Utc};
use cloud_workflows::{Call, Error, Operation, Payload, Response, Secret, alibaba, huawei};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, stdin},
    task::JoinSet,
};

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// One line of input: which operation, who asks, and the operation's parameters.
#[derive(Deserialize)]
struct Order {
    id: u64,
    endpoint: String,
    operation: String,
    #[serde(flatten)]
    caller: Caller,
    parameters: Given,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Caller {
    Alibaba {
        key: Key,
    },
    Huawei {
        auth: Auth,
        region: String,
        project_id: Option<String>,
    },
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

fn alibaba_client(endpoint: &str, key: Key) -> Result<alibaba::Client, Error> {
    alibaba::Client::builder()
        .endpoint(endpoint)
        .credentials(key.alibaba())
        .build()
}

fn huawei_client(
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

/// What an operation is given, by the wire's names; what has been taken is gone.
#[derive(Deserialize)]
struct Given(Map<String, Value>);

impl Given {
    fn take<T: Read>(&mut self, name: &str) -> Result<Option<T>, Wrong> {
        let given = self.0.remove(name);
        let read = given.map(|value| T::read(value.clone()).ok_or(value));
        read.transpose()
            .map_err(|value| Wrong(format!("the driver cannot read {name}: {value}")))
    }

    fn need<T: Read>(&mut self, name: &str) -> Result<T, Wrong> {
        let taken = self.take(name)?;
        taken.ok_or_else(|| Wrong(format!("the driver needs {name}")))
    }

    /// Whatever is left has no place in the request.
    fn end(&self) -> Result<(), Wrong> {
        match self.0.keys().next() {
            Some(name) => Err(Wrong(format!("the driver leaves out {name}"))),
            None => Ok(()),
        }
    }
}

/// A value of a parameter.
trait Read: Sized {
    fn read(value: Value) -> Option<Self>;
}

macro_rules! read {
    ($($type:ty),* $(,)?; $($part:ty),* $(,)?; $($text:ty = $make:expr),* $(,)?) => {
        $(impl Read for $type {
            fn read(value: Value) -> Option<Self> {
                serde_json::from_value(value).ok()
            }
        })*
        $(impl Read for $part {
            fn read(value: Value) -> Option<Self> {
                serde_json::from_value::<Self>(value).ok().map(Anew::anew)
            }
        })*
        $(impl Read for $text {
            fn read(value: Value) -> Option<Self> {
                Some($make(value.as_str()?))
            }
        })*
    };
}

read! {
    String, bool, u32, i64, f64, DateTime<Utc>, Vec<String>;
    alibaba::Environment, Vec<alibaba::RoutingConfiguration>, huawei::WorkflowCreateBody;
    // The JSON of a caller: its text.
    Payload = Payload::from_json,
    Secret = Secret::new,
    alibaba::ExecutionMode = From::from,
    alibaba::ExecutionStatus = From::from,
    alibaba::FlowType = From::from,
    huawei::CallbackResult = From::from,
    huawei::WorkflowMode = From::from,
    huawei::WorkflowRunStatus = From::from,
}

impl Read for BTreeMap<String, Payload> {
    fn read(value: Value) -> Option<Self> {
        let members = serde_json::from_value::<BTreeMap<String, Value>>(value).ok()?;
        let payloads = members
            .into_iter()
            .map(|(name, value)| (name, Payload::from_value(&value)));
        Some(payloads.collect())
    }
}

/// A part that was read goes out again as it came; made anew, it goes out as its declaration says.
trait Anew: Sized {
    fn anew(self) -> Self {
        self
    }
}

impl<T: Anew> Anew for Vec<T> {
    fn anew(self) -> Self {
        self.into_iter().map(Anew::anew).collect()
    }
}

impl<T: Anew> Anew for Option<T> {
    fn anew(self) -> Self {
        self.map(Anew::anew)
    }
}

/// Parts: what `new` takes, and what else they have.
macro_rules! parts {
    ($($part:ty: ($($new:ident),*) [$($field:ident),*])*; $($plain:ty),* $(,)?) => {
        $(impl Anew for $part {
            fn anew(self) -> Self {
                let made = Self::new($(self.$new.anew()),*);
                $(let made = {
                    let mut made = made;
                    made.$field = self.$field.anew();
                    made
                };)*
                made
            }
        })*
        $(impl Anew for $plain {})*
    };
}

parts! {
    alibaba::Environment: (variables) []
    alibaba::Variable: (name, value) [description]
    alibaba::RoutingConfiguration: (version, weight) []
    huawei::WorkflowCreateBody: (name, start, states) [
        description, triggers, functions, retries, mode, express_config, enterprise_project_id,
        enable_stream_response, constants
    ]
    huawei::Trigger: (trigger_name, trigger_type) [enabled, trigger_config]
    huawei::ObsTriggerConfig: (bucket, events, prefix, suffix) []
    huawei::Function: (name, operation) [metadata]
    huawei::OperationState: (id, name, kind) [
        end, transition, actions, action_mode, on_errors, state_data_filter, duration
    ]
    huawei::Action: (function_ref) []
    huawei::FunctionRef: (ref_name) [invoke_mode, arguments]
    huawei::OnError: () [error, transition, retry_ref]
    huawei::Retry: (name) [delay, max_attempts]
    huawei::StateDataFilter: () [input, output]
    huawei::ExpressConfig: () [log_level];
    String, bool, i32, i64, f64, Payload, huawei::WorkflowMode, huawei::LogLevel,
    huawei::TriggerType, huawei::StateType, huawei::ActionMode, huawei::InvokeMode,
}

/// What keeps an order from being sent as it is meant.
struct Wrong(String);

impl From<Wrong> for Outcome {
    fn from(Wrong(words): Wrong) -> Self {
        Self(json!({ "error": words }))
    }
}

/// What came of an order.
struct Outcome(Value);

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        Self(refused(&error))
    }
}

macro_rules! needed {
    ($given:ident $name:literal) => {
        $given.need::<String>($name)?
    };
    ($given:ident $name:literal $type:ty) => {
        $given.need::<$type>($name)?
    };
}

/// The operations of a cloud: method and request, what `new` takes by its wire names (and types
/// where they are no texts), and what else may be given, by field and wire name.
macro_rules! operations {
    ($cloud:ident: $($call:ident $request:ident
        ($($new:literal $(as $type:ty)?),*) [$($field:ident = $wire:literal),* $(,)?])*
    ) => {
        async fn $cloud(
            client: &$cloud::Client,
            operation: &str,
            mut given: Given,
        ) -> Result<Outcome, Outcome> {
            match format!("{operation}Request").as_str() {
                $(stringify!($request) => {
                    let request = $cloud::$request::new($(needed!(given $new $($type)?)),*);
                    $(let request = match given.take($wire)? {
                        Some(value) => {
                            let mut request = request;
                            request.$field = operations!(@ $field value);
                            request
                        }
                        None => request,
                    };)*
                    given.end()?;
                    told(client.$call(request)).await
                })*
                _ => Err(Wrong(format!("the driver does not know {operation}")).into()),
            }
        }
    };
    (@ headers $value:ident) => { $value };
    (@ $field:ident $value:ident) => { Some($value) };
}

operations! { alibaba:
    create_flow CreateFlowRequest("Name", "Definition", "Description") [
        kind = "Type", execution_mode = "ExecutionMode", role_arn = "RoleArn",
        environment = "Environment", resource_group_id = "ResourceGroupId",
        external_storage_location = "ExternalStorageLocation"
    ]
    describe_flow DescribeFlowRequest("Name") [flow_version = "FlowVersion"]
    update_flow UpdateFlowRequest("Name") [
        definition = "Definition", description = "Description", kind = "Type", role_arn = "RoleArn",
        environment = "Environment"
    ]
    delete_flow DeleteFlowRequest("Name") []
    list_flows ListFlowsRequest() [
        limit = "Limit", next_token = "NextToken", resource_group_id = "ResourceGroupId"
    ]
    publish_flow_version PublishFlowVersionRequest("FlowName") [description = "Description"]
    delete_flow_version DeleteFlowVersionRequest("FlowName", "FlowVersion") []
    list_flow_versions ListFlowVersionsRequest("FlowName") [
        limit = "Limit", next_token = "NextToken"
    ]
    create_flow_alias CreateFlowAliasRequest(
        "FlowName", "Name", "RoutingConfigurations" as Vec<alibaba::RoutingConfiguration>
    ) [description = "Description"]
    describe_flow_alias DescribeFlowAliasRequest("FlowName", "Name") []
    update_flow_alias UpdateFlowAliasRequest("FlowName", "Name") [
        description = "Description", routing_configurations = "RoutingConfigurations"
    ]
    delete_flow_alias DeleteFlowAliasRequest("FlowName", "Name") []
    list_flow_aliases ListFlowAliasesRequest("FlowName") [limit = "Limit", next_token = "NextToken"]
    create_schedule CreateScheduleRequest("FlowName", "ScheduleName", "CronExpression") [
        description = "Description", enable = "Enable", payload = "Payload"
    ]
    describe_schedule DescribeScheduleRequest("FlowName", "ScheduleName") []
    update_schedule UpdateScheduleRequest("FlowName", "ScheduleName", "Enable" as bool) [
        cron_expression = "CronExpression", description = "Description", payload = "Payload"
    ]
    delete_schedule DeleteScheduleRequest("FlowName", "ScheduleName") []
    list_schedules ListSchedulesRequest("FlowName") [limit = "Limit", next_token = "NextToken"]
    start_execution StartExecutionRequest("FlowName") [
        execution_name = "ExecutionName", callback_fnf_task_token = "CallbackFnFTaskToken",
        qualifier = "Qualifier", input = "Input"
    ]
    start_sync_execution StartSyncExecutionRequest("FlowName") [
        execution_name = "ExecutionName", qualifier = "Qualifier", input = "Input"
    ]
    describe_execution DescribeExecutionRequest("FlowName", "ExecutionName") [
        wait_time_seconds = "WaitTimeSeconds"
    ]
    stop_execution StopExecutionRequest("FlowName", "ExecutionName") [
        cause = "Cause", error = "Error"
    ]
    list_executions ListExecutionsRequest("FlowName") [
        execution_name_prefix = "ExecutionNamePrefix", limit = "Limit", map_run_name = "MapRunName",
        metadata_only = "MetadataOnly", next_token = "NextToken", qualifier = "Qualifier",
        started_time_begin = "StartedTimeBegin", started_time_end = "StartedTimeEnd",
        status = "Status"
    ]
    get_execution_history GetExecutionHistoryRequest("FlowName", "ExecutionName") [
        limit = "Limit", next_token = "NextToken"
    ]
    describe_map_run DescribeMapRunRequest("FlowName", "ExecutionName", "MapRunName") []
    update_map_run UpdateMapRunRequest("FlowName", "ExecutionName", "MapRunName") [
        concurrency = "Concurrency", tolerated_failed_count = "ToleratedFailedCount",
        tolerated_failed_percentage = "ToleratedFailedPercentage"
    ]
    report_task_succeeded ReportTaskSucceededRequest("TaskToken") [output = "Output"]
    report_task_failed ReportTaskFailedRequest("TaskToken", "Error") [cause = "Cause"]
    describe_regions DescribeRegionsRequest() [accept_language = "AcceptLanguage"]
}

operations! { huawei:
    create_workflow CreateWorkflowRequest("body" as huawei::WorkflowCreateBody) []
    list_workflow ListWorkflowRequest() [
        workflow_name = "workflow_name", limit = "limit", offset = "offset",
        enterprise_project = "enterprise_project", mode = "mode"
    ]
    show_work_flow ShowWorkFlowRequest("workflow_id") []
    update_work_flow UpdateWorkFlowRequest("workflow_id", "body" as huawei::WorkflowCreateBody) []
    batch_delete_workflows BatchDeleteWorkflowsRequest("workflow_urns" as Vec<String>) []
    show_work_flow_metric ShowWorkFlowMetricRequest("workflow_urn") [
        period = "period", start_time = "start_time", end_time = "end_time"
    ]
    show_tenant_metric ShowTenantMetricRequest() [
        period = "period", start_time = "start_time", end_time = "end_time",
        metric_type = "metric_type"
    ]
    start_sync_workflow_execution StartSyncWorkflowExecutionRequest("workflow_id") [
        headers = "headers", input = "input"
    ]
    start_workflow_execution StartWorkflowExecutionRequest("workflow_id") [
        create_time = "X-Create-Time", workflow_run_id = "X-WorkflowRun-ID",
        workflow_run_merge_fn_parameters = "X-WorkflowRun-MergeFnParameters", headers = "headers",
        input = "input"
    ]
    show_workflow_execution ShowWorkflowExecutionRequest("workflow_id", "execution_id") [
        full_history = "X-Get-Workflow-Full-History-Data"
    ]
    list_workflow_executions ListWorkflowExecutionsRequest("workflow_id") [
        limit = "limit", offset = "offset", status = "status", start_time = "start_time",
        end_time = "end_time"
    ]
    show_workflow_execution_for_page ShowWorkflowExecutionForPageRequest(
        "workflow_id", "offset" as u32, "limit" as u32
    ) [start_time = "start_time", end_time = "end_time"]
    stop_work_flow StopWorkFlowRequest("workflow_id", "execution_id") []
    retry_work_flow RetryWorkFlowRequest("workflow_id", "execution_id") []
    create_callback_workflow CreateCallbackWorkflowRequest(
        "workflow_id", "X-Workflow-Run-Id", "X-Workflow-State-Id", "result" as
        huawei::CallbackResult
    ) [error = "error", output = "output"]
}

/// Sends a call, and says what came of it.
async fn told<O>(call: Call<O>) -> Result<Outcome, Outcome>
where
    O: Operation<Output: Serialize>,
{
    Ok(Outcome(report(&call.send_for_response().await?)))
}

impl Order {
    async fn carry_out(self) -> Result<Outcome, Outcome> {
        let (operation, given) = (&self.operation, self.parameters);
        match self.caller {
            Caller::Alibaba { key } => {
                alibaba(&alibaba_client(&self.endpoint, key)?, operation, given).await
            }
            Caller::Huawei {
                auth,
                region,
                project_id,
            } => {
                let client = huawei_client(&self.endpoint, region, project_id, auth)?;
                huawei(&client, operation, given).await
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
    let (Ok(Outcome(mut outcome)) | Err(Outcome(mut outcome))) = order.carry_out().await;
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
