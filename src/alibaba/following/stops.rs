//! Stops that know what has ended already.

use super::polls::Shared;
use crate::{
    alibaba::operations::{
        executions::{DescribeExecutionRequest, ExecutionStatus},
        stops::StopExecutionRequest,
    },
    error::{Delivery, Error, ErrorCode},
    pipeline::call::Call,
};

/// What a stop came to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// The service was asked to stop it, which may take a while.
    Requested,
    /// It had ended before, so.
    AlreadyEnded(ExecutionStatus),
}

pub(super) async fn stop(
    pipeline: &Shared,
    about: DescribeExecutionRequest,
) -> Result<Stop, Error> {
    let request = StopExecutionRequest::new(&about.flow_name, &about.execution_name);
    let error = match Call::new(pipeline, request).send().await {
        Ok(_) => return Ok(Stop::Requested),
        Err(error) => error,
    };
    if error.code() != Some(&ErrorCode::ExecutionAlreadyCompleted) {
        return Err(error);
    }
    let execution = match Call::new(pipeline, about).send().await {
        Ok(execution) => execution,
        Err(failure) => return Err(error.with_source(failure)),
    };
    let may_be_ours = error.delivery() >= Delivery::Unknown;
    Ok(match execution.status {
        // The attempt whose answer was lost has stopped it.
        ExecutionStatus::Stopped if may_be_ours => Stop::Requested,
        status => Stop::AlreadyEnded(status),
    })
}
