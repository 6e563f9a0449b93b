//! How a follower learns of executions, and what it tells of them.

use chrono::{DateTime, Utc};

use crate::{
    error::{Delivery, Error, ErrorKind},
    pipeline::credential::BoxFuture,
    wait::{ExecutionRef, Look},
};

/// The end of an execution that was followed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Followed<A> {
    /// The execution, with the start time that the service told.
    pub execution: ExecutionRef,
    /// What the service tells of its end; stopped, failed and timed out are answers too. An error
    /// where its end cannot be learnt: the execution is gone, or may not be looked at.
    pub outcome: Result<A, Error>,
}

/// How a follower learns of executions.
pub(crate) trait Watch: Look {
    /// The right that the list needs.
    const LIST_RIGHT: &'static str;

    /// Whether an end tells all that is to be known of it.
    fn is_complete(_end: &Self::Answer) -> bool {
        true
    }

    /// Adds to an end what it does not tell, at a pace of its own.
    fn complete(
        &self,
        _execution: &ExecutionRef,
        end: Self::Answer,
    ) -> BoxFuture<'static, Self::Answer> {
        Box::pin(std::future::ready(end))
    }

    /// One page of the flow's list; one attempt.
    fn list(&self, ask: ListAsk) -> BoxFuture<'static, Result<Listed<Self::Answer>, Error>>;
}

/// One page of the flow's list to ask for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListAsk {
    /// Executions that began then or later.
    pub(crate) begin: DateTime<Utc>,
    /// With what the names of all that are followed begin; may be empty.
    pub(crate) prefix: String,
    pub(crate) token: Option<String>,
    pub(crate) limit: u32,
    /// Without inputs and outputs, which do not fit a reply.
    pub(crate) metadata_only: bool,
}

/// One page of the flow's list: names (or ids) and what is told of each.
pub(crate) struct Listed<A> {
    pub(crate) items: Vec<(String, A)>,
    pub(crate) next: Option<String>,
}

/// Whether it is the service itself that will not answer this, now or later.
pub(super) fn is_refused_for_good(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::PermissionDenied
        | ErrorKind::InvalidRequest
        | ErrorKind::Unauthenticated
        | ErrorKind::NotFound => {
            error.delivery() == Delivery::NotSent
                || error.delivery() == Delivery::Refused && error.code().is_some()
        }
        ErrorKind::Configuration => true,
        ErrorKind::Credentials => !error.is_retryable(),
        _ => false,
    }
}
