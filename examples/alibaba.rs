//! Calls Alibaba Cloud CloudFlow.
//!
//! `cargo run --example alibaba -- start-sync-execution --flow my_flow --input '{"key":"value"}'`
//!
//! Region, endpoint and credentials come from where Alibaba Cloud's own tools find them, such as
//! `ALIBABA_CLOUD_REGION_ID`, `ALIBABA_CLOUD_ACCESS_KEY_ID` and `ALIBABA_CLOUD_ACCESS_KEY_SECRET`,
//! or `~/.aliyun/config.json`; see `ClientBuilder::from_env`. Prints the answer as one JSON object
//! with the wire's field names; an error as one line on stderr, with exit status 1.

mod support;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use cloud_workflows::alibaba::{
    Client, ClientBuilder, StartExecutionRequest, StartSyncExecutionRequest,
};
use serde_json::Value;
use support::{finish, json_text, one_line};

#[derive(Parser)]
#[command(about = "Calls Alibaba Cloud CloudFlow")]
struct Arguments {
    #[command(subcommand)]
    operation: Operation,
}

#[derive(Subcommand)]
enum Operation {
    /// Start a Standard flow, which then runs on its own
    StartExecution {
        #[command(flatten)]
        start: Start,
        /// Task token to call back when the execution has ended
        #[arg(long, allow_hyphen_values = true)]
        callback_token: Option<String>,
    },
    /// Run an Express flow and wait for its end
    StartSyncExecution {
        #[command(flatten)]
        start: Start,
    },
}

#[derive(Args)]
struct Start {
    /// Name of the flow
    #[arg(long, allow_hyphen_values = true)]
    flow: String,
    /// Name of the execution; made when absent
    #[arg(long, allow_hyphen_values = true)]
    name: Option<String>,
    /// Input: JSON text, @FILE, or - for standard input
    #[arg(long, allow_hyphen_values = true)]
    input: Option<String>,
    /// Version or alias of the flow
    #[arg(long, allow_hyphen_values = true)]
    qualifier: Option<String>,
    /// Region; otherwise the environment's, such as ALIBABA_CLOUD_REGION_ID
    #[arg(long, allow_hyphen_values = true)]
    region: Option<String>,
    /// Address of the service; otherwise ALIBABA_CLOUD_ENDPOINT_FNF, else the region's
    #[arg(long, allow_hyphen_values = true)]
    endpoint: Option<String>,
}

impl Start {
    fn client(&self) -> Result<Client, String> {
        let mut builder = ClientBuilder::from_env();
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        builder.build().map_err(|error| one_line(&error))
    }
}

async fn call(operation: Operation) -> Result<Value, String> {
    let answer = match operation {
        Operation::StartExecution {
            start,
            callback_token,
        } => {
            let mut request = StartExecutionRequest::new(&start.flow)
                .execution_name(&start.name)
                .qualifier(&start.qualifier)
                .callback_fnf_task_token(callback_token);
            if let Some(input) = &start.input {
                request = request.input_json(json_text(input)?);
            }
            let answer = start.client()?.start_execution(request).send().await;
            answer.map(serde_json::to_value)
        }
        Operation::StartSyncExecution { start } => {
            let mut request = StartSyncExecutionRequest::new(&start.flow)
                .execution_name(&start.name)
                .qualifier(&start.qualifier);
            if let Some(input) = &start.input {
                request = request.input_json(json_text(input)?);
            }
            let answer = start.client()?.start_sync_execution(request).send().await;
            answer.map(serde_json::to_value)
        }
    };
    answer
        .map_err(|error| one_line(&error))?
        .map_err(|error| error.to_string())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    finish(call(Arguments::parse().operation).await)
}
