//! Looks at an execution, and what they tell.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::reference::ExecutionRef;
use crate::{error::Error, pipeline::credential::BoxFuture};

/// How far two tellings of one start time may lie apart.
pub(crate) const SAME_START: TimeDelta = TimeDelta::seconds(1);

/// What one look at an execution told, in words that both clouds share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    /// The status as on the wire; empty where there was none.
    pub(crate) status: String,
    pub(crate) class: Class,
    pub(crate) started: Option<DateTime<Utc>>,
    pub(crate) stopped: Option<DateTime<Utc>>,
    pub(crate) updated: Option<DateTime<Utc>>,
    /// How many executions of nodes it has.
    pub(crate) nodes: Option<usize>,
    pub(crate) has_output: bool,
    /// The size of the answer.
    pub(crate) bytes: usize,
}

/// What a status means for a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The documented word for a good end.
    Succeeded,
    /// Another documented end.
    Ended,
    /// A documented status before the end.
    Going,
    /// A word that no document lists, or none.
    Unknown,
    /// The answer says that there is no such execution.
    Missing,
}

/// How a wait looks at an execution.
pub(crate) trait Look: Send + Sync + 'static {
    /// What a look gives, and the wait with it.
    type Answer: Send + 'static;

    /// The operation's name, and the right that it needs.
    const OPERATION: &'static str;
    const RIGHT: &'static str;

    /// How long the service may hold its answer back for the execution's end; zero where it
    /// has no long poll.
    const LONGEST_HOLD: Duration;

    /// What else to say of an execution that is not there.
    const ABSENCE: &'static str = "";

    /// One look: one attempt, which neither costs nor earns retry budget.
    fn look(
        &self,
        execution: &ExecutionRef,
        hold: Duration,
    ) -> BoxFuture<'static, Result<Self::Answer, Error>>;

    fn view(answer: &Self::Answer) -> View;
}
