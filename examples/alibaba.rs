//! Calls Alibaba Cloud CloudFlow: every operation is a subcommand.
//!
//! `cargo run --example alibaba -- start-sync-execution --flow my_flow --input '{"key":"value"}'`
//!
//! Region, endpoint and credentials come from where Alibaba Cloud's own tools find them, such as
//! `ALIBABA_CLOUD_REGION_ID`, `ALIBABA_CLOUD_ACCESS_KEY_ID` and `ALIBABA_CLOUD_ACCESS_KEY_SECRET`,
//! or `~/.aliyun/config.json`; see `ClientBuilder::from_env`. Prints the answer as one JSON object
//! with the wire's field names; an error as one line on stderr. `--help` lists the exit statuses.

#[path = "support/managing.rs"]
mod managing;
mod support;

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand};
use cloud_workflows::{
    ExecutionRef,
    alibaba::{
        Client, ClientBuilder, DescribeExecutionRequest, Execution, ExecutionStatus,
        GetExecutionHistoryRequest, ListExecutionsRequest, ReportTaskFailedRequest,
        ReportTaskSucceededRequest, StartExecutionRequest, StartSyncExecutionRequest,
        StartSyncExecutionResponse, StopExecutionRequest,
    },
};
use managing::{Managing, Paging};
use support::{
    answer::{answer, outcome, outcomes},
    arguments::{Waiting, follow, json_text},
    failure::{EXIT_STATUSES, Failure, finish},
    log::Log,
};

#[derive(Parser)]
#[command(
    name = "alibaba",
    about = "Calls Alibaba Cloud CloudFlow",
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
    /// Region; otherwise the environment's, such as ALIBABA_CLOUD_REGION_ID
    #[arg(long, global = true, allow_hyphen_values = true)]
    region: Option<String>,
    /// Address of the service; otherwise ALIBABA_CLOUD_ENDPOINT_FNF, else the region's
    #[arg(long, global = true, allow_hyphen_values = true)]
    endpoint: Option<String>,
}

#[derive(Subcommand)]
enum Operation {
    /// Start a Standard flow, which then runs on its own
    StartExecution(StartExecution),
    /// Run an Express flow and wait for its end
    StartSyncExecution(StartSyncExecution),
    /// Look at an execution
    DescribeExecution(DescribeExecution),
    /// List the executions of a flow, newest first, to the end of the list
    ListExecutions(ListExecutions),
    /// List all that happened in an execution
    GetExecutionHistory(GetExecutionHistory),
    /// Stop an execution
    StopExecution(StopExecution),
    /// Report that a task that waits for a callback has succeeded
    ReportTaskSucceeded(ReportTaskSucceeded),
    /// Report that a task that waits for a callback has failed
    ReportTaskFailed(ReportTaskFailed),
    #[command(flatten)]
    Managing(Managing),
    /// Say who would call where: source, key (masked), region and host; sends nothing
    Whoami,
}

#[derive(Args)]
struct Start {
    /// Name of the flow
    #[arg(long, alias = "flow-name", allow_hyphen_values = true)]
    flow: String,
    /// Name of the execution; made when absent
    #[arg(long, alias = "execution-name", allow_hyphen_values = true)]
    name: Option<String>,
    /// Input: JSON text, @FILE, or - for standard input
    #[arg(long, allow_hyphen_values = true)]
    input: Option<String>,
    /// Version or alias of the flow
    #[arg(long, allow_hyphen_values = true)]
    qualifier: Option<String>,
}

#[derive(Args)]
struct StartExecution {
    #[command(flatten)]
    start: Start,
    /// Task token to call back when the execution has ended
    #[arg(long, allow_hyphen_values = true)]
    callback_token: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
    /// Print just the flow's output
    #[arg(long, requires = "wait")]
    output_only: bool,
}

#[derive(Args)]
struct StartSyncExecution {
    #[command(flatten)]
    start: Start,
    /// Print just the flow's output
    #[arg(long)]
    output_only: bool,
}

/// One execution of a flow.
#[derive(Args)]
struct Which {
    /// Name of the flow
    #[arg(long, alias = "flow-name", allow_hyphen_values = true)]
    flow: String,
    /// Name of the execution
    #[arg(long, alias = "execution-name", allow_hyphen_values = true)]
    name: String,
}

#[derive(Args)]
struct DescribeExecution {
    #[command(flatten)]
    which: Which,
    /// Let the service hold its answer back so long for the execution's end
    #[arg(long, value_name = "SECONDS", conflicts_with = "wait")]
    wait_time_seconds: Option<u32>,
    #[command(flatten)]
    waiting: Waiting,
    /// Print just the flow's output
    #[arg(long)]
    output_only: bool,
}

#[derive(Args)]
struct ListExecutions {
    /// Name of the flow
    #[arg(long, alias = "flow-name", allow_hyphen_values = true)]
    flow: String,
    /// What the names begin with
    #[arg(long, allow_hyphen_values = true)]
    execution_name_prefix: Option<String>,
    /// Such as Running or Failed
    #[arg(long, allow_hyphen_values = true)]
    status: Option<String>,
    /// Started at this time or later, such as 2026-01-31T08:00:00Z
    #[arg(long, value_name = "TIME")]
    started_time_begin: Option<DateTime<Utc>>,
    /// Started at this time or before
    #[arg(long, value_name = "TIME")]
    started_time_end: Option<DateTime<Utc>>,
    /// Executions of this version or alias
    #[arg(long, allow_hyphen_values = true)]
    qualifier: Option<String>,
    /// Executions of this map run
    #[arg(long, allow_hyphen_values = true)]
    map_run_name: Option<String>,
    /// With inputs, outputs and definitions
    #[arg(long)]
    payloads: bool,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Args)]
struct GetExecutionHistory {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Args)]
struct StopExecution {
    #[command(flatten)]
    which: Which,
    /// Code of the reason
    #[arg(long, allow_hyphen_values = true)]
    error: Option<String>,
    /// The reason
    #[arg(long, allow_hyphen_values = true)]
    cause: Option<String>,
}

#[derive(Args)]
struct ReportTaskSucceeded {
    /// Token of the task
    #[arg(long, allow_hyphen_values = true)]
    task_token: String,
    /// Output of the task: JSON text, @FILE, or - for standard input
    #[arg(long, allow_hyphen_values = true)]
    output: Option<String>,
}

#[derive(Args)]
struct ReportTaskFailed {
    /// Token of the task
    #[arg(long, allow_hyphen_values = true)]
    task_token: String,
    /// Code of the failure
    #[arg(long, allow_hyphen_values = true)]
    error: String,
    /// Why it failed
    #[arg(long, allow_hyphen_values = true)]
    cause: Option<String>,
}

impl Service {
    fn client(&self) -> Result<Client, Failure> {
        let mut builder = ClientBuilder::from_env();
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        builder.build().map_err(Failure::of_look)
    }
}

impl StartExecution {
    fn request(&self) -> Result<StartExecutionRequest, Failure> {
        let start = &self.start;
        let request = StartExecutionRequest::new(&start.flow)
            .execution_name(&start.name)
            .qualifier(&start.qualifier)
            .callback_fnf_task_token(self.callback_token.as_ref());
        Ok(match &start.input {
            Some(input) => request.input_json(json_text("--input", input)?),
            None => request,
        })
    }

    async fn call(self, client: &Client) -> Result<(), Failure> {
        if self.waiting.wait {
            let wait = client.start_and_wait(self.request()?);
            return self
                .waiting
                .end(wait, self.output_only, Failure::of_change)
                .await;
        }
        let started = client.start_execution(self.request()?).send().await;
        answer(&started.map_err(Failure::of_change)?)
    }
}

impl StartSyncExecution {
    async fn call(self, client: &Client) -> Result<(), Failure> {
        let start = self.start;
        let mut request = StartSyncExecutionRequest::new(&start.flow)
            .execution_name(&start.name)
            .qualifier(&start.qualifier);
        if let Some(input) = &start.input {
            request = request.input_json(json_text("--input", input)?);
        }
        let done = client.start_sync_execution(request).send().await;
        outcome(done.map_err(Failure::of_change)?, self.output_only)
    }
}

impl DescribeExecution {
    async fn call(self, client: &Client) -> Result<(), Failure> {
        if self.waiting.wait {
            let wait = client.wait(ExecutionRef::new(self.which.flow, self.which.name));
            return self
                .waiting
                .end(wait, self.output_only, Failure::of_look)
                .await;
        }
        let request = DescribeExecutionRequest::new(self.which.flow, self.which.name)
            .wait_time_seconds(self.wait_time_seconds);
        let execution = client.describe_execution(request).send().await;
        let execution = execution.map_err(Failure::of_look)?;
        match self.output_only {
            true => outcome(execution, true),
            false => answer(&execution),
        }
    }
}

impl ListExecutions {
    async fn call(self, client: &Client) -> Result<(), Failure> {
        let request = ListExecutionsRequest::new(self.flow)
            .execution_name_prefix(self.execution_name_prefix)
            .status(self.status.as_deref().map(ExecutionStatus::from))
            .started_time_begin(self.started_time_begin)
            .started_time_end(self.started_time_end)
            .qualifier(self.qualifier)
            .map_run_name(self.map_run_name)
            .metadata_only(!self.payloads)
            .limit(self.paging.limit)
            .next_token(self.paging.next_token);
        let list = client.list_executions(request);
        if !self.paging.page {
            return follow("Executions", list.items()).await;
        }
        let page = list.send().await;
        answer(&page.map_err(Failure::of_look)?)
    }
}

impl GetExecutionHistory {
    async fn call(self, client: &Client) -> Result<(), Failure> {
        let request = GetExecutionHistoryRequest::new(self.which.flow, self.which.name)
            .limit(self.paging.limit)
            .next_token(self.paging.next_token);
        let history = client.get_execution_history(request);
        if !self.paging.page {
            return follow("Events", history.items()).await;
        }
        let page = history.send().await;
        answer(&page.map_err(Failure::of_look)?)
    }
}

impl StopExecution {
    async fn call(self, client: &Client) -> Result<(), Failure> {
        let request = StopExecutionRequest::new(self.which.flow, self.which.name)
            .error(self.error)
            .cause(self.cause);
        let stopped = client.stop_execution(request).send().await;
        answer(&stopped.map_err(Failure::of_change)?)
    }
}

impl ReportTaskSucceeded {
    async fn call(self, client: &Client) -> Result<(), Failure> {
        let mut request = ReportTaskSucceededRequest::new(self.task_token);
        if let Some(output) = &self.output {
            request = request.output_json(json_text("--output", output)?);
        }
        let reported = client.report_task_succeeded(request).send().await;
        answer(&reported.map_err(Failure::of_change)?)
    }
}

impl ReportTaskFailed {
    async fn call(self, client: &Client) -> Result<(), Failure> {
        let request = ReportTaskFailedRequest::new(self.task_token, self.error).cause(self.cause);
        let reported = client.report_task_failed(request).send().await;
        answer(&reported.map_err(Failure::of_change)?)
    }
}

outcomes! {
    StartSyncExecutionResponse: ExecutionStatus::Succeeded,
    Execution: ExecutionStatus::Succeeded,
}

async fn call(arguments: Arguments) -> Result<(), Failure> {
    let client = &arguments.service.client()?;
    match arguments.operation {
        Operation::StartExecution(operation) => operation.call(client).await,
        Operation::StartSyncExecution(operation) => operation.call(client).await,
        Operation::DescribeExecution(operation) => operation.call(client).await,
        Operation::ListExecutions(operation) => operation.call(client).await,
        Operation::GetExecutionHistory(operation) => operation.call(client).await,
        Operation::StopExecution(operation) => operation.call(client).await,
        Operation::ReportTaskSucceeded(operation) => operation.call(client).await,
        Operation::ReportTaskFailed(operation) => operation.call(client).await,
        Operation::Managing(operation) => operation.call(client).await,
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
