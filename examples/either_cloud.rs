//! One function, on the cloud that the flag names; against the embedded emulator by default.
//!
//! `cargo run --example either_cloud -- --cloud huawei`, or `--real --flow FLOW` with an account

use clap::Parser;
use cloud_workflows::{
    Cloud, Error, ErrorKind, FlowFailure, Start, Workflow,
    alibaba::{self, StartSyncExecutionRequest},
    emulator::Emulator,
    huawei::{self, StartSyncWorkflowExecutionRequest},
};
use serde_json::{Value, json};

/// Runs one function on the cloud that the flag names
#[derive(Parser)]
#[command(name = "either_cloud", version)]
struct Arguments {
    /// alibaba or huawei
    #[arg(long)]
    cloud: Cloud,
    /// Name (alibaba, Express mode) or id (huawei) of the flow
    #[arg(long, default_value = "quote")]
    flow: String,
    /// The real service, with region and credentials of the environment
    #[arg(long)]
    real: bool,
}

/// It knows no cloud.
async fn quote(flow: &dyn Workflow, count: u32) -> Result<String, Error> {
    let start = Start::new(&json!({"item": "coffee", "count": count}))?;
    match flow.run(start).await?.into_output::<Value>() {
        Ok(quote) => Ok(format!("{count} cost {quote}")),
        Err(error) if error.kind() == ErrorKind::FlowFailed => {
            let failure = error.flow_failure();
            let place = failure.and_then(|failure| failure.code().or(failure.node()));
            Ok(format!("{count} cannot be had: {}", place.unwrap_or("?")))
        }
        Err(error) => Err(error),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { cloud, flow, real } = Arguments::parse();
    let emulator = Emulator::start()?;
    let price = |order: Value| match order["count"].as_u64() {
        Some(0) | None => Err(FlowFailure::new("EmptyOrder", "nothing was ordered")),
        Some(count) => Ok(json!({"cents": 250 * count})),
    };
    emulator.express(&flow, price).workflow(&flow, price);
    let flow: Box<dyn Workflow> = match cloud {
        Cloud::Alibaba => {
            let client = if real {
                alibaba::Client::from_env()
            } else {
                emulator.alibaba().build()
            };
            Box::new(client?.workflow(StartSyncExecutionRequest::new(flow)))
        }
        _ => {
            let client = if real {
                huawei::Client::from_env()
            } else {
                emulator.huawei().build()
            };
            Box::new(client?.workflow(StartSyncWorkflowExecutionRequest::new(flow)))
        }
    };
    for count in [3, 0] {
        println!("{cloud}: {}", quote(&*flow, count).await?);
    }
    Ok(())
}
