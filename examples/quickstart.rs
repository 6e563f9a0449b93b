//! All three calls through the real clients, against the embedded emulator: no account, no
//! network.
//!
//! `cargo run --example quickstart`

#[path = "support/output.rs"]
mod output;

use std::{io, time::Duration};

use clap::Parser;
use cloud_workflows::{
    Error, FlowFailure,
    alibaba::{StartExecutionRequest, StartSyncExecutionRequest},
    emulator::{Emulator, Flow},
    huawei::StartSyncWorkflowExecutionRequest,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What the flows below take and give.
#[derive(Debug, Deserialize, Serialize)]
struct Order {
    item: String,
    count: u32,
}

#[derive(Debug, Deserialize, Serialize)]
struct Quote {
    item: String,
    cents: u32,
}

fn quote(order: Order) -> Result<Quote, FlowFailure> {
    match order.count {
        0 => Err(FlowFailure::new(
            "EmptyOrder",
            "an order has at least one item",
        )),
        count => Ok(Quote {
            item: order.item,
            cents: 250 * count,
        }),
    }
}

/// All calls through the real clients, against the embedded emulator: no account, no network
#[derive(Parser)]
#[command(name = "quickstart", version)]
struct Arguments;

/// Prints a line. Whoever has closed the output wants no more of it: that is no failure.
macro_rules! say {
    ($($line:tt)*) => {
        output::print(&format!("{}\n", format_args!($($line)*)))?
    };
}

const WORKFLOW: &str = "48aff955-ea10-4ffd-b426-190bc192dc14";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments = Arguments::parse();
    let emulator = Emulator::start()?;
    let archive = Flow::new(|order: Value| Ok(order)).step("store", Duration::from_secs(1));
    emulator
        .standard("archive", archive)
        .express("quote", quote)
        .workflow(WORKFLOW, quote);
    say!("Both clouds are emulated at {}.", emulator.url());
    say!("The clients are the real ones, and speak real HTTP to it.\n");

    let alibaba = emulator.alibaba().build()?;
    let huawei = emulator.huawei().build()?;
    let order = || Order {
        item: "咖啡 ☕".to_owned(),
        count: 3,
    };

    say!("1. StartExecution (Alibaba Cloud): starts a flow that runs on its own.");
    let call = alibaba.start_execution(StartExecutionRequest::new("archive").input(order()));
    say!("   Its execution name, made before anything is sent, so that sending it again is");
    say!("   safe: {}", call.execution_name().unwrap_or("-"));
    let started = call.send().await?;
    let since = started.started_time.map(|time| time.to_rfc3339());
    say!(
        "   Status: {} since {}",
        started.status,
        since.as_deref().unwrap_or("-")
    );
    say!("   Waiting for its end, with looks that the service holds back until then.");
    let ended = alibaba.wait(started.reference()).await?;
    say!("   Status: {}", ended.status);
    let archived: Order = ended.into_output()?;
    say!("   Output: {archived:?}\n");

    say!("2. StartSyncExecution (Alibaba Cloud): runs a flow and waits for its output.");
    let request = StartSyncExecutionRequest::new("quote").input(order());
    let response = alibaba
        .start_sync_execution(request)
        .send_for_response()
        .await?;
    say!("   Request id: {}", response.request_id().unwrap_or("-"));
    let quote: Quote = response.into_value().into_output()?;
    say!("   Output: {quote:?}\n");

    say!("3. sync-executions (Huawei Cloud): the same, with an IAM token got by password.");
    let request = StartSyncWorkflowExecutionRequest::new(WORKFLOW)
        .header("tenantId", "user1")
        .input(order());
    let done = huawei.start_sync_workflow_execution(request).send().await?;
    say!(
        "   Execution: {}",
        done.execution_id.as_deref().unwrap_or("-")
    );
    let quote: Quote = done.into_output()?;
    say!("   Output: {quote:?}\n");

    say!("When the service refuses a call, the error says all there is to know:");
    let request = StartSyncExecutionRequest::new("no_such_flow").input(order());
    match alibaba.start_sync_execution(request).send().await {
        Ok(_) => return Err("an unknown flow was started".into()),
        Err(error) => explain(&error)?,
    }

    say!("When the flow itself fails, the call succeeds and `into_output` gives the error:");
    let request =
        StartSyncWorkflowExecutionRequest::new(WORKFLOW).input(json!({"item": "tea", "count": 0}));
    let done = huawei.start_sync_workflow_execution(request).send().await?;
    match done.into_output::<Quote>() {
        Ok(_) => return Err("an empty order was quoted".into()),
        Err(error) => explain(&error)?,
    }
    Ok(())
}

fn explain(error: &Error) -> io::Result<()> {
    say!("   {error}");
    say!(
        "   kind {:?}; may the flow have run? {}\n",
        error.kind(),
        if error.may_have_started() {
            "yes"
        } else {
            "no"
        }
    );
    Ok(())
}
