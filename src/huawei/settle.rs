//! What became of a call whose fate was not learnt: the execution itself is asked, once.
//!
//! Only what the execution shows of our own call is believed. Where it shows nothing, the error
//! stays as it was.

use chrono::{DateTime, Utc};

use super::{
    operations::runs::{
        CallbackResult, NodeExecution, ShowWorkflowExecutionRequest, WorkflowExecution,
        WorkflowExecutionId, WorkflowRunStatus,
    },
    protocol::Rest,
};
use crate::{
    error::{Delivery, Error},
    pipeline::{
        operation::{Outcome, Sent, Subject},
        same::{TOLERANCE, same_input},
    },
};

/// A start under an id of the caller's: it was accepted where that execution has our input. That
/// there is none settles nothing, since nobody documents that the id becomes the execution's.
pub(super) async fn start(error: Error, sent: Sent<'_, Rest>) -> Outcome<WorkflowExecutionId> {
    settle(error, &sent, |subject, shown, _| {
        let ours = sent.wire.payload("input");
        same_input(shown.input.as_ref(), ours.as_ref())?.then(|| WorkflowExecutionId {
            execution_id: subject.execution_name.clone(),
        })
    })
    .await
}

/// A retry: it was accepted where the execution runs, or where something of it is younger than
/// the call.
pub(super) async fn retry(error: Error, sent: Sent<'_, Rest>) -> Outcome<()> {
    settle(error, &sent, |_, shown, first| {
        let is_going = !shown.status.is_ended() && !is_unknown(&shown.status);
        let nodes = shown.node_execution_details.iter();
        let begun = nodes.flat_map(|node| &node.executions);
        let has_begun = || {
            let first = first?;
            let mut times = begun.filter_map(|run| millis(run.begin_time));
            times.any(|time| time >= first).then_some(())
        };
        if is_going { Some(()) } else { has_begun() }
    })
    .await
}

/// A callback: it was accepted where the node has ended since, and as we said. A node that ended
/// otherwise took another's word.
pub(super) async fn callback(error: Error, sent: Sent<'_, Rest>) -> Outcome<WorkflowExecutionId> {
    settle(error, &sent, |subject, shown, first| {
        let (node, result) = subject.node.as_ref()?;
        let mut details = shown.node_execution_details.iter();
        let details = details.find(|details| details.node_id.as_ref() == Some(node))?;
        let run: &NodeExecution = details.executions.last()?;
        let ended = millis(run.end_time)?;
        let is_as_said = match (CallbackResult::from(result.as_str()), run.status.as_ref()?) {
            (CallbackResult::Success, WorkflowRunStatus::Success) => {
                // The service shows outputs; what it does not show proves nothing.
                let ours = sent.wire.payload("output");
                same_input(run.output.as_ref(), ours.as_ref()) == Some(true)
            }
            (CallbackResult::Fail, WorkflowRunStatus::Fail) => true,
            _ => false,
        };
        (is_as_said && ended >= first?).then(|| WorkflowExecutionId {
            execution_id: subject.execution_name.clone(),
        })
    })
    .await
}

fn is_unknown(status: &WorkflowRunStatus) -> bool {
    matches!(status, WorkflowRunStatus::Unknown(_))
}

fn millis(time: Option<i64>) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(time?)
}

/// Looks at the execution where nobody knows what became of a call on it, and lets `judge` say
/// what it shows; its last argument is when the call went out, by the service's clock.
async fn settle<T>(
    error: Error,
    sent: &Sent<'_, Rest>,
    judge: impl FnOnce(&Subject, &WorkflowExecution, Option<DateTime<Utc>>) -> Option<T> + Send,
) -> Outcome<T> {
    let subject = match sent.subject {
        Some(subject) if error.delivery() == Delivery::Unknown => subject,
        _ => return Err(error),
    };
    let request = ShowWorkflowExecutionRequest::new(&subject.flow_name, &subject.execution_name);
    let Ok(shown) = sent.ask(request).await else {
        return Err(error);
    };
    let first = sent.first_in_service_time(&shown.headers, shown.received);
    let first = first.map(|first| first - TOLERANCE);
    match judge(subject, &shown.value, first) {
        None => Err(error),
        Some(value) => Ok(sent.as_its_own(shown.map(|_| value))),
    }
}
