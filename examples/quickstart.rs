//! The same story on both clouds, through the real clients, against the embedded emulator: no
//! account, no network.
//!
//! `cargo run --example quickstart`

#[path = "support/output.rs"]
mod output;

use clap::Parser;
use cloud_workflows::{
    Error, FlowFailure,
    alibaba::{StartExecutionRequest, StartSyncExecutionRequest},
    emulator::Emulator,
    huawei::{StartSyncWorkflowExecutionRequest, StartWorkflowExecutionRequest},
};
use serde::{Deserialize, Serialize};

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

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments = Arguments::parse();
    let emulator = Emulator::start()?;
    emulator
        .standard("archive", quote)
        .express("quote", quote)
        .workflow("quote-id", quote);
    say!("Both clouds are emulated at {}.", emulator.url());
    let order = |count| Order {
        item: "咖啡 ☕".to_owned(),
        count,
    };

    say!("\nAlibaba Cloud, signed with an access key");
    let alibaba = emulator.alibaba().build()?;
    // Its name is made before anything is sent, so that sending it again is safe.
    let request = StartExecutionRequest::new("archive").input(order(1));
    let ended = alibaba.start_and_wait(request).await?;
    let name = ended.name.as_deref().unwrap_or("-");
    say!("  StartExecution {name}");
    say!("    Status: {}", ended.status);
    say!("    Output: {:?}", ended.into_output::<Quote>()?);
    let request = StartSyncExecutionRequest::new("quote").input(order(3));
    let call = alibaba.start_sync_execution(request);
    let response = call.send_for_response().await?;
    let id = response.request_id().unwrap_or("-");
    say!("  StartSyncExecution, request id {id}");
    say!("    Output: {:?}", response.into_output::<Quote>()?);
    let request = StartSyncExecutionRequest::new("quote").input(order(0));
    let failed = alibaba.start_sync_execution(request).send().await?;
    explain("  An order of nothing", &failed.into_output())?;
    let request = StartSyncExecutionRequest::new("no_such_flow").input(order(3));
    let refused = alibaba.start_sync_execution(request).send().await;
    explain(
        "  An unknown flow",
        &refused.and_then(|done| done.into_output()),
    )?;

    say!("\nHuawei Cloud, with an IAM token got by password");
    let huawei = emulator.huawei().build()?;
    let request = StartWorkflowExecutionRequest::new("quote-id").input(order(1));
    let ended = huawei.start_and_wait(request).await?;
    let id = ended.execution_id.as_deref().unwrap_or("-");
    say!("  StartWorkflowExecution {id}");
    say!("    Status: {}", ended.status);
    say!("    Output: {:?}", ended.into_output::<Quote>()?);
    let request = StartSyncWorkflowExecutionRequest::new("quote-id")
        .header("tenantId", "user1")
        .input(order(3));
    let call = huawei.start_sync_workflow_execution(request);
    let response = call.send_for_response().await?;
    let id = response.request_id().unwrap_or("-");
    say!("  StartSyncWorkflowExecution (sync-executions), request id {id}");
    say!("    Output: {:?}", response.into_output::<Quote>()?);
    let request = StartSyncWorkflowExecutionRequest::new("quote-id").input(order(0));
    let failed = huawei.start_sync_workflow_execution(request).send().await?;
    explain("  An order of nothing", &failed.into_output())?;
    let request = StartSyncWorkflowExecutionRequest::new("no-such-flow").input(order(3));
    let refused = huawei.start_sync_workflow_execution(request).send().await;
    explain(
        "  An unknown flow",
        &refused.and_then(|done| done.into_output()),
    )?;
    Ok(())
}

/// One story on both clouds: the error says all there is to know.
fn explain(what: &str, outcome: &Result<Quote, Error>) -> Result<(), Box<dyn std::error::Error>> {
    let error = match outcome {
        Ok(_) => return Err(format!("{what} was quoted").into()),
        Err(error) => error,
    };
    let ran = if error.may_have_started() {
        "yes"
    } else {
        "no"
    };
    say!("{what}: {:?}; may the flow have run? {ran}", error.kind());
    say!("    {error}");
    Ok(())
}
