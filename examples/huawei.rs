//! Calls Huawei Cloud FunctionGraph flows.
//!
//! `cargo run --example huawei -- sync-execution --workflow ID --input '{"arg1":"argument_1"}'`
//!
//! Reads `HW_AUTH_TOKEN`, or else `HW_DOMAIN_NAME`, `HW_USER_NAME` and `HW_USER_PASSWORD`; and
//! `HW_PROJECT_ID`, `HW_REGION_NAME`. Prints the answer as one JSON object with the wire's field
//! names; an error as one line on stderr, with exit status 1.

mod support;
#[path = "support/variables.rs"]
mod variables;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use cloud_workflows::huawei::{
    Client, IamPassword, StartSyncWorkflowExecutionRequest, StartSyncWorkflowExecutionResponse,
    Token,
};
use support::{finish, json_text, one_line};
use variables::{required, variable};

#[derive(Parser)]
#[command(about = "Calls Huawei Cloud FunctionGraph flows")]
struct Arguments {
    #[command(subcommand)]
    operation: Operation,
}

#[derive(Subcommand)]
enum Operation {
    /// Run a flow of mode EXPRESS and wait for its end
    SyncExecution(SyncExecution),
}

#[derive(Args)]
struct SyncExecution {
    /// Id of the flow
    #[arg(long)]
    workflow: String,
    /// Input: JSON text, @FILE, or - for standard input
    #[arg(long)]
    input: String,
    /// Header for the flow's run, K=V; repeatable
    #[arg(long = "header", value_name = "K=V")]
    headers: Vec<String>,
    /// Project; otherwise HW_PROJECT_ID, or else the token's
    #[arg(long)]
    project_id: Option<String>,
    /// Region; otherwise HW_REGION_NAME
    #[arg(long)]
    region: Option<String>,
    /// Address of FunctionGraph instead of the region's
    #[arg(long)]
    endpoint: Option<String>,
    /// Address of IAM instead of the region's
    #[arg(long)]
    iam_endpoint: Option<String>,
}

impl SyncExecution {
    fn client(&self) -> Result<Client, String> {
        let mut builder = match variable("HW_AUTH_TOKEN") {
            Some(token) => Client::builder().credentials(Token::new(token)),
            None => Client::builder().credentials(IamPassword::new(
                required("HW_DOMAIN_NAME")?,
                required("HW_USER_NAME")?,
                required("HW_USER_PASSWORD")?,
            )),
        };
        let or_variable =
            |argument: &Option<String>, name| argument.clone().or_else(|| variable(name));
        if let Some(region) = or_variable(&self.region, "HW_REGION_NAME") {
            builder = builder.region(region);
        }
        if let Some(project_id) = or_variable(&self.project_id, "HW_PROJECT_ID") {
            builder = builder.project_id(project_id);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        if let Some(endpoint) = &self.iam_endpoint {
            builder = builder.iam_endpoint(endpoint);
        }
        builder.build().map_err(|error| one_line(&error))
    }

    async fn call(self) -> Result<StartSyncWorkflowExecutionResponse, String> {
        let mut request = StartSyncWorkflowExecutionRequest::new(&self.workflow)
            .input_json(json_text(&self.input)?);
        for header in &self.headers {
            let (name, value) = header
                .split_once('=')
                .ok_or_else(|| format!("--header {header}: must be K=V"))?;
            request = request.header(name, value);
        }
        let call = self.client()?.start_sync_workflow_execution(request);
        call.send().await.map_err(|error| one_line(&error))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Operation::SyncExecution(operation) = Arguments::parse().operation;
    finish(operation.call().await)
}
