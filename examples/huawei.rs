//! Calls Huawei Cloud FunctionGraph flows: every operation is a subcommand.
//!
//! `cargo run --example huawei -- start-sync-workflow-execution --workflow ID --input '{"a":1}'`
//!
//! Region, project and credentials come from where the tools of Huawei Cloud find them, such as
//! `HW_REGION_NAME`, `HUAWEICLOUD_SDK_AK` and `HUAWEICLOUD_SDK_SK`, or `HW_AUTH_TOKEN`; see
//! `ClientBuilder::from_env`. Prints the answer as one JSON object with the wire's field names,
//! where there is one; an error as one line on stderr. `--help` lists the exit statuses.

mod support;

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use cloud_workflows::{
    ExecutionRef,
    huawei::{
        CallbackResult, Client, ClientBuilder, CreateCallbackWorkflowRequest,
        ListWorkflowExecutionsRequest, RetryWorkFlowRequest, ShowWorkflowExecutionForPageRequest,
        ShowWorkflowExecutionRequest, StartSyncWorkflowExecutionRequest,
        StartSyncWorkflowExecutionResponse, StartWorkflowExecutionRequest, StopWorkFlowRequest,
        WorkflowExecution, WorkflowExecutionStatus, WorkflowRunStatus,
    },
};
use support::{
    answer::{answer, outcome, outcomes},
    arguments::{Waiting, follow, json_text},
    failure::{EXIT_STATUSES, Failure, finish},
    log::Log,
};

#[derive(Parser)]
#[command(
    name = "huawei",
    about = "Calls Huawei Cloud FunctionGraph flows",
    version,
    propagate_version = true
)]
#[command(after_help = EXIT_STATUSES)]
struct Arguments {
    #[command(flatten)]
    service: Service,
    /// Print an error as one JSON object
    #[arg(long, global = true)]
    json_errors: bool,
    #[command(flatten)]
    log: Log,
    #[command(subcommand)]
    operation: Operation,
}

#[derive(Args)]
struct Service {
    /// Project; otherwise the environment's, such as HW_PROJECT_ID, or else the credential's
    #[arg(long, global = true, allow_hyphen_values = true)]
    project_id: Option<String>,
    /// Region; otherwise the environment's, such as HW_REGION_NAME
    #[arg(long, global = true, allow_hyphen_values = true)]
    region: Option<String>,
    /// Address of FunctionGraph instead of the region's
    #[arg(long, global = true, allow_hyphen_values = true)]
    endpoint: Option<String>,
    /// Address of IAM instead of the region's
    #[arg(long, global = true, allow_hyphen_values = true)]
    iam_endpoint: Option<String>,
}

#[derive(Subcommand)]
enum Operation {
    /// Start a flow of mode NORMAL, which then runs on its own
    StartWorkflowExecution(StartWorkflowExecution),
    /// Run a flow of mode EXPRESS and wait for its end
    #[command(visible_alias = "sync-execution")]
    StartSyncWorkflowExecution(StartSyncWorkflowExecution),
    /// Look at an execution
    ShowWorkflowExecution(ShowWorkflowExecution),
    /// List the executions of a flow to the end of the list
    ListWorkflowExecutions(ListWorkflowExecutions),
    /// List the executions of a flow by pages that tell their total, to the end of the list
    ShowWorkflowExecutionForPage(ShowWorkflowExecutionForPage),
    /// Stop an execution
    StopWorkFlow(Which),
    /// Try an execution that failed again, in place
    RetryWorkFlow(RetryWorkFlow),
    /// Report how a node that waits for a callback has ended
    CreateCallbackWorkflow(CreateCallbackWorkflow),
    /// Say who would call where: source, key (masked), region and host; sends nothing
    Whoami,
}

#[derive(Args)]
struct Start {
    /// Id of the flow
    #[arg(long, alias = "workflow-id", allow_hyphen_values = true)]
    workflow: String,
    /// Input: JSON text, @FILE, or - for standard input; {} when absent
    #[arg(long, allow_hyphen_values = true)]
    input: Option<String>,
    /// Header for the flow's run, K=V; repeatable
    #[arg(long = "header", value_name = "K=V", value_parser = header, allow_hyphen_values = true)]
    headers: Vec<(String, String)>,
}

#[derive(Args)]
struct StartWorkflowExecution {
    #[command(flatten)]
    start: Start,
    /// Id of the run, by which a start is told from another one
    #[arg(long, allow_hyphen_values = true)]
    workflow_run_id: Option<String>,
    /// The day on which the run counts as made, as yyyy-MM-dd
    #[arg(long, allow_hyphen_values = true)]
    create_time: Option<String>,
    /// Whether the parameters of functions are merged
    #[arg(long)]
    workflow_run_merge_fn_parameters: Option<bool>,
    #[command(flatten)]
    waiting: Waiting,
    /// Print just the flow's output
    #[arg(long, requires = "wait")]
    output_only: bool,
}

#[derive(Args)]
struct StartSyncWorkflowExecution {
    #[command(flatten)]
    start: Start,
    /// Print just the flow's output
    #[arg(long)]
    output_only: bool,
}

/// One execution of a flow.
#[derive(Args)]
struct Which {
    /// Id of the flow
    #[arg(long, alias = "workflow-id", allow_hyphen_values = true)]
    workflow: String,
    /// Id of the execution
    #[arg(long, alias = "execution-id", allow_hyphen_values = true)]
    execution: String,
}

#[derive(Args)]
struct ShowWorkflowExecution {
    #[command(flatten)]
    which: Which,
    /// With the whole of what each node took and gave
    #[arg(long, conflicts_with = "wait")]
    full_history: bool,
    #[command(flatten)]
    waiting: Waiting,
    /// Print just the flow's output
    #[arg(long)]
    output_only: bool,
}

#[derive(Args)]
struct ListWorkflowExecutions {
    #[command(flatten)]
    list: List,
    /// Such as running or fail
    #[arg(long, allow_hyphen_values = true)]
    status: Option<String>,
}

#[derive(Args)]
struct ShowWorkflowExecutionForPage {
    #[command(flatten)]
    list: List,
}

/// How a list is read.
#[derive(Args)]
struct List {
    /// Id of the flow
    #[arg(long, alias = "workflow-id", allow_hyphen_values = true)]
    workflow: String,
    /// Begun at this time or later, such as 2026-01-31T08:00:00Z
    #[arg(long, value_name = "TIME")]
    start_time: Option<DateTime<Utc>>,
    /// Begun at this time or before
    #[arg(long, value_name = "TIME")]
    end_time: Option<DateTime<Utc>>,
    /// Only one page, as the service gives it
    #[arg(long)]
    page: bool,
    /// How many a page may have
    #[arg(long)]
    limit: Option<u32>,
    /// How many are left out before the page
    #[arg(long, requires = "page")]
    offset: Option<u32>,
}

#[derive(Args)]
struct RetryWorkFlow {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    waiting: Waiting,
    /// Print just the flow's output
    #[arg(long, requires = "wait")]
    output_only: bool,
}

#[derive(Args)]
struct CreateCallbackWorkflow {
    /// Id of the flow
    #[arg(long, alias = "workflow-id", allow_hyphen_values = true)]
    workflow: String,
    /// Id of the run, which is the execution's
    #[arg(long, allow_hyphen_values = true)]
    workflow_run_id: String,
    /// Id of the node that waits
    #[arg(long, allow_hyphen_values = true)]
    workflow_state_id: String,
    /// How it ended
    #[arg(long)]
    result: NodeResult,
    /// Why it failed
    #[arg(long, allow_hyphen_values = true)]
    error: Option<String>,
    /// Output of the node: JSON text, @FILE, or - for standard input
    #[arg(long, allow_hyphen_values = true)]
    output: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum NodeResult {
    Success,
    Fail,
}

fn header(argument: &str) -> Result<(String, String), String> {
    let (name, value) = argument.split_once('=').ok_or("must be K=V")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Service {
    fn client(&self) -> Result<Client, Failure> {
        let mut builder = ClientBuilder::from_env();
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(project_id) = &self.project_id {
            builder = builder.project_id(project_id);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        if let Some(endpoint) = &self.iam_endpoint {
            builder = builder.iam_endpoint(endpoint);
        }
        builder.build().map_err(Failure::of_look)
    }
}

impl StartWorkflowExecution {
    fn request(&self) -> Result<StartWorkflowExecutionRequest, Failure> {
        let mut request = StartWorkflowExecutionRequest::new(&self.start.workflow)
            .workflow_run_id(&self.workflow_run_id)
            .create_time(&self.create_time)
            .workflow_run_merge_fn_parameters(self.workflow_run_merge_fn_parameters);
        if let Some(input) = &self.start.input {
            request = request.input_json(json_text("--input", input)?);
        }
        for (name, value) in &self.start.headers {
            request = request.header(name, value.as_str());
        }
        Ok(request)
    }

    async fn call(self, client: &Client) -> Result<(), Failure> {
        if self.waiting.wait {
            let wait = client.start_and_wait(self.request()?);
            return self
                .waiting
                .end(wait, self.output_only, Failure::of_change)
                .await;
        }
        let started = client
            .start_workflow_execution(self.request()?)
            .send()
            .await;
        answer(&started.map_err(Failure::of_change)?)
    }
}

impl StartSyncWorkflowExecution {
    async fn call(self, client: &Client) -> Result<(), Failure> {
        let mut request = StartSyncWorkflowExecutionRequest::new(self.start.workflow);
        if let Some(input) = &self.start.input {
            request = request.input_json(json_text("--input", input)?);
        }
        for (name, value) in self.start.headers {
            request = request.header(name, value);
        }
        let done = client.start_sync_workflow_execution(request).send().await;
        outcome(done.map_err(Failure::of_change)?, self.output_only)
    }
}

impl ShowWorkflowExecution {
    async fn call(self, client: &Client) -> Result<(), Failure> {
        if self.waiting.wait {
            let wait = client.wait(self.which.reference());
            return self
                .waiting
                .end(wait, self.output_only, Failure::of_look)
                .await;
        }
        let request = ShowWorkflowExecutionRequest::new(self.which.workflow, self.which.execution)
            .full_history(self.full_history.then_some(true));
        let execution = client.show_workflow_execution(request).send().await;
        let execution = execution.map_err(Failure::of_look)?;
        match self.output_only {
            true => outcome(execution, true),
            false => answer(&execution),
        }
    }
}

impl ListWorkflowExecutions {
    async fn call(self, client: &Client) -> Result<(), Failure> {
        let request = ListWorkflowExecutionsRequest::new(self.list.workflow)
            .status(self.status.as_deref().map(WorkflowRunStatus::from))
            .start_time(self.list.start_time)
            .end_time(self.list.end_time)
            .limit(self.list.limit)
            .offset(self.list.offset);
        if !self.list.page {
            return follow(
                "executions",
                client.list_workflow_executions(request).items(),
            )
            .await;
        }
        let page = client.list_workflow_executions(request).send().await;
        answer(&page.map_err(Failure::of_look)?)
    }
}

impl ShowWorkflowExecutionForPage {
    async fn call(self, client: &Client) -> Result<(), Failure> {
        let list = self.list;
        let (offset, limit) = (list.offset.unwrap_or(0), list.limit.unwrap_or(100));
        let request = ShowWorkflowExecutionForPageRequest::new(list.workflow, offset, limit)
            .start_time(list.start_time)
            .end_time(list.end_time);
        let history = client.show_workflow_execution_for_page(request);
        if !list.page {
            return follow("executions", history.items()).await;
        }
        let page = history.send().await;
        answer(&page.map_err(Failure::of_look)?)
    }
}

impl Which {
    fn reference(&self) -> ExecutionRef {
        ExecutionRef::new(&self.workflow, &self.execution)
    }

    async fn stop(self, client: &Client) -> Result<(), Failure> {
        let request = StopWorkFlowRequest::new(self.workflow, self.execution);
        let stopped = client.stop_work_flow(request).send().await;
        stopped.map_err(Failure::of_change)
    }
}

impl RetryWorkFlow {
    async fn call(self, client: &Client) -> Result<(), Failure> {
        if self.waiting.wait {
            let wait = client.retry_and_wait(self.which.reference());
            return self
                .waiting
                .end(wait, self.output_only, Failure::of_change)
                .await;
        }
        let request = RetryWorkFlowRequest::new(self.which.workflow, self.which.execution);
        let retried = client.retry_work_flow(request).send().await;
        retried.map_err(Failure::of_change)
    }
}

impl CreateCallbackWorkflow {
    async fn call(self, client: &Client) -> Result<(), Failure> {
        let result = match self.result {
            NodeResult::Success => CallbackResult::Success,
            NodeResult::Fail => CallbackResult::Fail,
        };
        let mut request = CreateCallbackWorkflowRequest::new(
            self.workflow,
            self.workflow_run_id,
            self.workflow_state_id,
            result,
        )
        .error(self.error);
        if let Some(output) = &self.output {
            request = request.output_json(json_text("--output", output)?);
        }
        let called = client.create_callback_workflow(request).send().await;
        answer(&called.map_err(Failure::of_change)?)
    }
}

outcomes! {
    WorkflowExecution: WorkflowRunStatus::Success,
    StartSyncWorkflowExecutionResponse: WorkflowExecutionStatus::Success,
}

async fn call(arguments: Arguments) -> Result<(), Failure> {
    let client = &arguments.service.client()?;
    match arguments.operation {
        Operation::StartWorkflowExecution(operation) => operation.call(client).await,
        Operation::StartSyncWorkflowExecution(operation) => operation.call(client).await,
        Operation::ShowWorkflowExecution(operation) => operation.call(client).await,
        Operation::ListWorkflowExecutions(operation) => operation.call(client).await,
        Operation::ShowWorkflowExecutionForPage(operation) => operation.call(client).await,
        Operation::StopWorkFlow(which) => which.stop(client).await,
        Operation::RetryWorkFlow(operation) => operation.call(client).await,
        Operation::CreateCallbackWorkflow(operation) => operation.call(client).await,
        Operation::Whoami => answer(&client.identity().await.map_err(Failure::of_look)?),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json_errors = arguments.json_errors;
    arguments.log.start();
    finish(call(arguments).await, json_errors)
}
