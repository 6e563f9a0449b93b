//! What is waited for, and how the wait comes by it.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    look::{Look, View},
    reference::ExecutionRef,
};
use crate::{
    error::Error,
    pipeline::{credential::BoxFuture, pace::Pacer},
};

/// What a wait is about, and with what patience.
pub(crate) struct Task<L: Look> {
    pub(crate) look: L,
    pub(crate) pacer: Arc<Pacer>,
    pub(crate) origin: Origin,
    pub(crate) deadline: Option<Instant>,
    /// How long an execution may be invisible after its start; none means by origin.
    pub(crate) grace: Option<Duration>,
    /// The end before a retry in place.
    pub(crate) before: Option<View>,
}

/// How the wait comes by its execution.
pub(crate) enum Origin {
    /// It starts it first. Where the start's fate stays unknown, it is looked for by this key.
    Start {
        start: BoxFuture<'static, Result<ExecutionRef, Error>>,
        key: Option<ExecutionRef>,
    },
    /// It was started by this program, and the start was answered.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "starts are waited for by their call")
    )]
    Started(ExecutionRef),
    /// It was started some time.
    Resumed(ExecutionRef),
    /// It is tried again in place, which tells the end that does not count.
    Again {
        retry: BoxFuture<'static, Result<View, Error>>,
        execution: ExecutionRef,
    },
}
