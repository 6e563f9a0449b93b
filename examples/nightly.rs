//! A nightly batch: each line once, and again tomorrow only what may be run again.
//!
//! `cargo run --example nightly`

use cloud_workflows::{
    Error, ExecutionName, FlowFailure, Start, Workflow,
    alibaba::StartExecutionRequest,
    emulator::{Emulator, Fault},
};
use serde_json::{Value, json};

/// One line of the batch: named by its key, so that a second night finds the first one's execution.
async fn line(flow: &dyn Workflow, night: &str, account: u32) -> Result<u64, Error> {
    let start = Start::new(&json!({"account": account}))?;
    let start = match flow.is_idempotent() {
        true => start.name(ExecutionName::derived([night, &account.to_string()])),
        false => start,
    };
    flow.run(start).await?.into_output()
}

async fn batch(flow: &dyn Workflow, night: &str) -> (u64, Vec<String>) {
    let (mut sum, mut open) = (0, Vec::new());
    for account in 1..=5 {
        match line(flow, night, account).await {
            Ok(interest) => sum += interest,
            Err(error) if error.may_have_started() && !flow.is_idempotent() => {
                open.push(format!("{account}: look before running it again: {error}"));
            }
            Err(error) => open.push(format!("{account}: {error}")),
        }
    }
    (sum, open)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::start()?;
    let interest = |line: Value| match line["account"].as_u64() {
        Some(4) | None => Err(FlowFailure::new("Frozen", "the account is frozen")),
        Some(account) => Ok(100 * account),
    };
    emulator.standard("interest", interest);
    let client = emulator.alibaba().build()?;
    let flow = client.workflow(StartExecutionRequest::new("interest"));
    // The answer of the first start is lost: that is no second execution.
    emulator.fault::<StartExecutionRequest>(Fault::cut_after_run());
    for run in ["first", "second"] {
        let (sum, open) = batch(&flow, "2026-11-28").await;
        println!("{run} run: {sum} cents; open: {open:?}");
    }
    println!("executions: {}", emulator.runs("interest"));
    Ok(())
}
