//! Generic over both clouds: where the first certainly began nothing, the second one runs the flow.
//!
//! `cargo run --example failover`

use cloud_workflows::{
    BoxFuture, Error, Outcome, Start, Workflow,
    alibaba::StartSyncExecutionRequest,
    emulator::{Emulator, Fault},
    huawei::StartSyncWorkflowExecutionRequest,
};
use serde_json::{Value, json};

/// A workflow made of two, which may be of any cloud.
struct Failover<A, B> {
    first: A,
    second: B,
}

impl<A: Workflow, B: Workflow> Workflow for Failover<A, B> {
    fn run(&self, start: Start) -> BoxFuture<'_, Result<Outcome, Error>> {
        Box::pin(async move {
            match self.first.run(start.clone()).await {
                // What may have started on one cloud is not started on the other.
                Err(error) if !error.may_have_started() => self.second.run(start).await,
                outcome => outcome,
            }
        })
    }

    /// Two clouds know nothing of each other's names.
    fn is_idempotent(&self) -> bool {
        false
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::start()?;
    let echo = |order: Value| Ok(order);
    emulator.express("order", echo).workflow("order", echo);
    let (alibaba, huawei) = (emulator.alibaba().build()?, emulator.huawei().build()?);
    let flow = Failover {
        first: alibaba.workflow(StartSyncExecutionRequest::new("order")),
        second: huawei.workflow(StartSyncWorkflowExecutionRequest::new("order")),
    };
    let refused = Fault::refuse(403, "AccessDenied", "the contract has ended");
    for fault in [Fault::none(), refused, Fault::cut_after_run()] {
        emulator.fault::<StartSyncExecutionRequest>(fault);
        match flow.run(Start::new(&json!({"order": 17}))?).await {
            Ok(outcome) => println!("ran on {}", outcome.cloud()),
            Err(error) => println!("left alone: {error}"),
        }
    }
    println!("runs: {}", emulator.runs("order"));
    Ok(())
}
