//! What became of a flow that ran and did not succeed.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    payload::{FlowText, Payload},
    pipeline::declare::response,
    printed::Printed,
};

/// What the service tells of a flow that did not succeed.
///
/// Alibaba Cloud: `Status`, `ErrorCode`, `ErrorMessage`. Huawei Cloud: `status`, `errors`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct FlowFailure(pub(crate) Box<FlowFailureParts>);

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct FlowFailureParts {
    pub(crate) status: FlowText,
    pub(crate) code: Option<FlowText>,
    pub(crate) message: Option<FlowText>,
    pub(crate) node_errors: Vec<NodeError>,
    pub(crate) execution: Option<String>,
    pub(crate) output: Option<Payload>,
    pub(crate) started: Option<DateTime<Utc>>,
    pub(crate) stopped: Option<DateTime<Utc>>,
}

response! {
    AsValue;
    /// What went wrong in one node of a Huawei Cloud flow (`SyncExecutionNodeErrorDetail`).
    NodeError {
        /// Id of the flow node.
        pub node_id: Option<FlowText> = "node_id",
        /// What the node said, up to 2,048 characters.
        pub error_message: Option<FlowText> = "error_message",
        /// When the node began.
        pub begin_time: Option<DateTime<Utc>> = "begin_time",
        /// When the node ended.
        pub end_time: Option<DateTime<Utc>> = "end_time",
    }
}

impl FlowFailure {
    /// A failure with a code and a message: what a flow given to the emulator fails with.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of(FlowFailureParts {
            status: "Failed".into(),
            code: Some(FlowText::from(code)),
            message: Some(FlowText::from(message)),
            ..FlowFailureParts::default()
        })
    }

    /// The failure of a flow that ran into its time limit.
    pub fn timed_out() -> Self {
        Self::of(FlowFailureParts {
            status: "TimedOut".into(),
            ..FlowFailureParts::default()
        })
    }

    pub(crate) fn of(parts: FlowFailureParts) -> Self {
        Self(Box::new(parts))
    }

    /// The status as on the wire (`Failed`, `TimedOut`, `fail`, `timeout`, ...).
    pub fn status(&self) -> &str {
        &self.0.status
    }

    /// The flow's own error code (Alibaba Cloud).
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The flow's own error message (Alibaba Cloud), or that of the node that failed last by its
    /// end time (Huawei Cloud).
    pub fn message(&self) -> Option<&str> {
        let of_node = || self.last_node()?.error_message.as_ref();
        self.0
            .message
            .as_ref()
            .or_else(of_node)
            .map(FlowText::as_str)
    }

    /// The id of the node that failed last by its end time (Huawei Cloud): what failed before it
    /// may have been tried again, or handled.
    pub fn node(&self) -> Option<&str> {
        self.last_node()?.node_id.as_deref()
    }

    fn last_node(&self) -> Option<&NodeError> {
        self.0.node_errors.iter().max_by_key(|node| node.end_time)
    }

    /// What failed, node by node (Huawei Cloud).
    pub fn node_errors(&self) -> &[NodeError] {
        &self.0.node_errors
    }

    /// Name (Alibaba Cloud) or id (Huawei Cloud) of the execution.
    pub fn execution(&self) -> Option<&str> {
        self.0.execution.as_deref()
    }

    /// What the flow gave although it did not succeed.
    pub fn output(&self) -> Option<&Payload> {
        self.0.output.as_ref()
    }

    /// When the execution began.
    pub fn started(&self) -> Option<DateTime<Utc>> {
        self.0.started
    }

    /// When the execution ended.
    pub fn stopped(&self) -> Option<DateTime<Utc>> {
        self.0.stopped
    }
}

impl fmt::Display for FlowFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, &mut Printed::new())
    }
}

impl FlowFailure {
    pub(super) fn write(&self, f: &mut dyn fmt::Write, printed: &mut Printed) -> fmt::Result {
        let parts = &*self.0;
        f.write_str("the flow ended with status ")?;
        printed.write(f, parts.status.shown())?;
        for part in [&parts.code, &parts.message].into_iter().flatten() {
            f.write_str(": ")?;
            printed.write(f, part.shown())?;
        }
        for node in &parts.node_errors {
            if printed.is_full() {
                return f.write_str("; ...");
            }
            let id = node.node_id.as_ref().map_or("?", FlowText::shown);
            let message = node.error_message.as_ref();
            f.write_str("; node ")?;
            printed.write(f, id)?;
            f.write_str(": ")?;
            printed.write(f, message.map_or("no message", FlowText::shown))?;
        }
        Ok(())
    }
}
