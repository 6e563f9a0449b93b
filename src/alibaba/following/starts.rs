//! Starts that find what was started before.

use super::polls::Shared;
use crate::{
    alibaba::operations::{
        executions::{DescribeExecutionRequest, Execution, ExecutionOrigin},
        starts::StartExecutionRequest,
    },
    error::{Error, ErrorCode, ErrorKind},
    pipeline::{call::Call, same::same_input},
};

/// What a start under a name came to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Found {
    /// This call started it.
    Started(Execution),
    /// It runs, and was there before, or nobody can tell: see
    /// [`origin`](Execution::origin).
    Running(Execution),
    /// It was there before and has ended; the execution says how.
    Ended(Execution),
}

impl Found {
    /// The execution, whatever it came to.
    pub fn into_execution(self) -> Execution {
        match self {
            Self::Started(execution) | Self::Running(execution) | Self::Ended(execution) => {
                execution
            }
        }
    }
}

pub(super) async fn start_or_find(
    pipeline: &Shared,
    call: Call<StartExecutionRequest>,
) -> Result<Found, Error> {
    let (outcome, sent) = call.send_and_keep().await;
    let Some((wire, subject)) = sent.and_then(|sent| Some((sent.wire, sent.subject?))) else {
        return outcome.map(Found::Started);
    };
    let (flow, name) = (&subject.flow_name, &subject.execution_name);
    let is_anothers = |execution: &Execution| {
        let theirs = execution.input.as_ref();
        subject.named_by_caller && same_input(theirs, wire.input().as_ref()) == Some(false)
    };
    let execution = match outcome {
        Ok(execution) if execution.origin == ExecutionOrigin::Started => {
            return Ok(Found::Started(execution));
        }
        Ok(execution) => {
            if is_anothers(&execution) {
                let message = format!("an execution {name} with another input is running");
                return Err(Error::new(ErrorKind::AlreadyExists, message)
                    .with_operation("StartExecution")
                    .with_attempts(1)
                    .with_passing(false)
                    .with_delivery(crate::Delivery::Refused)
                    .with_subject(true, true, Some(name)));
            }
            execution
        }
        Err(error) if error.code() == Some(&ErrorCode::ExecutionAlreadyExists) => {
            let request = DescribeExecutionRequest::new(flow, name);
            match Call::new(pipeline, request).send().await {
                Ok(execution) if is_anothers(&execution) => return Err(error),
                Ok(execution) => execution,
                Err(failure) => return Err(error.with_source(failure)),
            }
        }
        Err(error) => return Err(error),
    };
    Ok(match execution.status.is_ended() {
        true => Found::Ended(execution),
        false => Found::Running(execution),
    })
}
