//! Calls Huawei Cloud FunctionGraph flows.
//!
//! `cargo run --example huawei -- sync-execution --workflow ID --input '{"arg1":"argument_1"}'`
//!
//! Region, project and credentials come from where the tools of Huawei Cloud find them, such as
//! `HW_REGION_NAME`, `HUAWEICLOUD_SDK_AK` and `HUAWEICLOUD_SDK_SK`, or `HW_AUTH_TOKEN`; see
//! `ClientBuilder::from_env`. Prints the answer as one JSON object with the wire's field names; an
//! error as one line on stderr, with exit status 1.

mod support;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use cloud_workflows::huawei::{
    Client, ClientBuilder, StartSyncWorkflowExecutionRequest, StartSyncWorkflowExecutionResponse,
};
use support::{finish, json_text, one_line};

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
    #[arg(long, allow_hyphen_values = true)]
    workflow: String,
    /// Input: JSON text, @FILE, or - for standard input
    #[arg(long, allow_hyphen_values = true)]
    input: String,
    /// Header for the flow's run, K=V; repeatable
    #[arg(long = "header", value_name = "K=V", allow_hyphen_values = true)]
    headers: Vec<String>,
    /// Project; otherwise the environment's, such as HW_PROJECT_ID, or else the credential's
    #[arg(long, allow_hyphen_values = true)]
    project_id: Option<String>,
    /// Region; otherwise the environment's, such as HW_REGION_NAME
    #[arg(long, allow_hyphen_values = true)]
    region: Option<String>,
    /// Address of FunctionGraph instead of the region's
    #[arg(long, allow_hyphen_values = true)]
    endpoint: Option<String>,
    /// Address of IAM instead of the region's
    #[arg(long, allow_hyphen_values = true)]
    iam_endpoint: Option<String>,
}

impl SyncExecution {
    fn client(&self) -> Result<Client, String> {
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
