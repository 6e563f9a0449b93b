//! Why an execution failed: a look does not tell, its history does.

use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{Shared, lists};
use crate::{
    alibaba::operations::{
        executions::{Execution, ExecutionStatus},
        lists::{Event, EventType},
    },
    error::Error,
    payload::FlowText,
    wait::ExecutionRef,
};

/// Adds to a failed execution why it failed, where that can be read in time.
pub(super) async fn add(
    pipeline: Shared,
    known: Option<ExecutionRef>,
    mut execution: Execution,
    deadline: Option<Instant>,
) -> Execution {
    if execution.status != ExecutionStatus::Failed || execution.error_code.is_some() {
        return execution;
    }
    let known_flow = known.as_ref().and_then(|known| known.flow.clone());
    let flow = execution.flow_name.clone().or(known_flow);
    let name = execution.name.clone();
    let name = name.or(known.map(|known| known.execution));
    let (Some(flow), Some(name)) = (flow, name) else {
        return execution;
    };
    let reading = Box::pin(read(pipeline, flow, name));
    let read = match deadline {
        None => Some(reading.await),
        Some(deadline) => timeout_at(deadline, reading).await.ok(),
    };
    match read {
        Some(Ok(reason)) => {
            execution.error_code = reason.code.map(FlowText::from);
            execution.error_message = reason.message.map(FlowText::from);
        }
        Some(Err(error)) => {
            tracing::warn!(error = %error, "why an execution failed could not be read");
        }
        None => tracing::warn!("the deadline passed before it was read why an execution failed"),
    }
    execution
}

#[derive(Debug, Default, PartialEq)]
struct Reason {
    code: Option<String>,
    message: Option<String>,
}

/// Reads the history to its last page: the last failure that tells why is the one that counts.
async fn read(pipeline: Shared, flow: String, name: String) -> Result<Reason, Error> {
    let mut events = lists::history(pipeline, flow, name);
    let mut last = Reason::default();
    let mut of_execution = None;
    while let Some(event) = events.next().await {
        let event = event?;
        let Some(reason) = reason_of(&event) else {
            continue;
        };
        match event.event_type {
            Some(EventType::ExecutionFailed) => of_execution = Some(reason),
            _ => last = reason,
        }
    }
    Ok(of_execution.unwrap_or(last))
}

/// What an event of a failure tells of it.
fn reason_of(event: &Event) -> Option<Reason> {
    let is_failure = matches!(
        event.event_type,
        Some(
            EventType::StepFailed
                | EventType::TaskFailed
                | EventType::TaskTimedOut
                | EventType::TaskSubmitFailed
                | EventType::ExecutionFailed
        )
    );
    if !is_failure {
        return None;
    }
    let detail = event.event_detail.as_ref()?;
    let detail: Value = serde_json::from_str(detail.as_str()).ok()?;
    let text = |names: [&str; 4]| {
        let mut found = names.iter().filter_map(|name| detail.get(name)?.as_str());
        found.find(|text| !text.is_empty()).map(str::to_owned)
    };
    let reason = Reason {
        code: text(["error", "Error", "errorCode", "ErrorCode"]),
        message: text(["cause", "Cause", "errorMessage", "ErrorMessage"]),
    };
    (reason != Reason::default()).then_some(reason)
}
