//! Executions that go on by themselves: looked at, and what is told of them.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use crate::{
    error::{Error, ErrorKind, FlowFailureParts, NodeError},
    huawei::declare::{operation, response},
    open_enum::open_enum,
    outcome::{Cloud, Outcome},
    payload::{FlowText, Payload},
};

open_enum! {
    /// How far an execution or a node is. Ended are `success`, `fail`, `timeout` and `cancel`.
    WorkflowRunStatus {
        /// Ended well.
        Success = "success",
        /// Ended badly.
        Fail = "fail",
        /// Running.
        Running = "running",
        /// Ran into its time limit.
        Timeout = "timeout",
        /// Stopped from outside.
        Cancel = "cancel",
        /// About to run; told by the history of executions only.
        Scheduled = "scheduled",
        /// Not documented any further; told by the history of executions only.
        Recovered = "recovered",
        /// Tried again; told by the history of executions only.
        Retrying = "retrying",
        /// About to be stopped; told by the history of executions only.
        Stopping = "stopping",
    }
}

impl WorkflowRunStatus {
    /// Whether the execution has ended, well or badly.
    pub fn is_ended(&self) -> bool {
        matches!(
            self,
            Self::Success | Self::Fail | Self::Timeout | Self::Cancel
        )
    }

    /// What kind of error an execution of this status is, if it is one.
    fn failure(&self) -> Option<ErrorKind> {
        match self {
            Self::Success => None,
            Self::Fail => Some(ErrorKind::FlowFailed),
            Self::Timeout => Some(ErrorKind::FlowTimedOut),
            Self::Cancel => Some(ErrorKind::FlowStopped),
            _ => Some(ErrorKind::FlowUnfinished),
        }
    }
}

response! {
    /// The answer of `StartWorkflowExecution` and `CreateCallbackWorkflow`: which execution it is.
    WorkflowExecutionId {
        /// Id of the execution.
        pub execution_id: String = "execution_id",
    }
}

operation! {
    /// Looks at an execution.
    ShowWorkflowExecutionRequest = "ShowWorkflowExecution" as show_workflow_execution,
        GET "/v2/{project_id}/fgs/workflows/{workflow_id}/executions/{execution_id}",
        Repeatable, SHORT => WorkflowExecution;
    new {
        /// Id of the flow: 1 to 512 characters.
        pub workflow_id: String = Path "workflow_id" (Length(1, 512)),
        /// Id of the execution: 1 to 512 characters.
        pub execution_id: String = Path "execution_id" (Length(1, 512)),
    }
    with {
        /// Whether all nodes are told, beyond the first 200.
        pub full_history: bool = Header "X-Get-Workflow-Full-History-Data",
    }
    about workflow_id, execution_id;
}

response! {
    /// The answer of `ShowWorkflowExecution`. Serialises with the wire's names.
    WorkflowExecution {
        /// Id of the flow.
        pub workflow_id: Option<String> = "workflow_id",
        /// URN of the flow.
        pub workflow_urn: Option<String> = "workflow_urn",
        /// Id of the execution.
        pub execution_id: Option<String> = "execution_id",
        /// How far it is.
        pub status: WorkflowRunStatus = "status",
        /// The headers of its start.
        pub headers: Option<Payload> = "headers",
        /// What it was given.
        pub input: Option<Payload> = "input",
        /// What it gave; absent while it runs.
        pub output: Option<Payload> = "output",
        /// When it began.
        pub begin_time: Option<DateTime<Utc>> = "begin_time",
        /// When it ended.
        pub end_time: Option<DateTime<Utc>> = "end_time",
        /// When it last changed.
        pub last_update_time: Option<DateTime<Utc>> = "last_update_time",
        /// Who started it.
        pub created_by: Option<String> = "created_by",
        /// Its nodes, up to 200 where not all were asked for.
        pub node_execution_details: Vec<NodeExecutionDetail> = "node_execution_details",
    }
}

impl WorkflowExecution {
    /// The output as a value, where the execution succeeded. No output reads as JSON `null`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FlowFailed`], [`FlowTimedOut`](ErrorKind::FlowTimedOut),
    /// [`FlowStopped`](ErrorKind::FlowStopped) or, where it has not ended,
    /// [`FlowUnfinished`](ErrorKind::FlowUnfinished). [`Error::flow_failure`] names the node that
    /// failed last, with its message; the service gives no code.
    /// [`ErrorKind::Decode`] where the output does not fit `T`.
    pub fn into_output<T: DeserializeOwned>(self) -> Result<T, Error> {
        Outcome::from(self).into_output()
    }
}

impl From<WorkflowExecution> for Outcome {
    fn from(execution: WorkflowExecution) -> Self {
        let kind = execution.status.failure();
        let failed = kind.and_then(|_| last_failure(&execution.node_execution_details));
        let ended = FlowFailureParts {
            status: execution.status.as_str().into(),
            node_errors: failed.into_iter().collect(),
            execution: execution.execution_id,
            output: execution.output,
            started: execution.begin_time,
            stopped: execution.end_time,
            ..FlowFailureParts::default()
        };
        Self::new(Cloud::Huawei, kind, ended)
    }
}

/// The failure that came last: one before it was tried again, or handled by the flow.
fn last_failure(nodes: &[NodeExecutionDetail]) -> Option<NodeError> {
    let runs = nodes
        .iter()
        .flat_map(|node| node.executions.iter().map(move |run| (node, run)));
    let failed = runs.filter(|(_, run)| {
        let status = run.status.as_ref();
        status.is_some_and(|status| {
            matches!(status, WorkflowRunStatus::Fail | WorkflowRunStatus::Timeout)
        })
    });
    let (node, run) = failed.max_by_key(|(_, run)| run.end_time)?;
    Some(NodeError {
        node_id: node.node_id.as_deref().map(FlowText::from),
        error_message: run.error_message.clone(),
        begin_time: run.begin_time.and_then(DateTime::from_timestamp_millis),
        end_time: run.end_time.and_then(DateTime::from_timestamp_millis),
    })
}

response! {
    /// A node of an execution, with all its runs.
    NodeExecutionDetail {
        /// Id of the node.
        pub node_id: Option<String> = "node_id",
        /// Name of the node.
        pub node_name: Option<String> = "node_name",
        /// Id of the execution.
        pub execution_id: Option<String> = "execution_id",
        /// Its runs, up to 200: one, and one more for each time that it was tried again.
        pub executions: Vec<NodeExecution> = "executions",
    }
}

response! {
    /// One run of a node.
    NodeExecution {
        /// How far it is.
        pub status: Option<WorkflowRunStatus> = "status",
        /// What it was given.
        pub input: Option<Payload> = "input",
        /// What it gave.
        pub output: Option<Payload> = "output",
        /// When it began, in milliseconds since 1970, UTC.
        pub begin_time: Option<i64> = "begin_time",
        /// When it ended, in milliseconds since 1970, UTC.
        pub end_time: Option<i64> = "end_time",
        /// What went wrong, in words, or as JSON where the service writes no text.
        pub error_message: Option<FlowText> = "error_message",
        /// Id of the request that ran it.
        pub request_id: Option<String> = "request_id",
    }
}

open_enum! {
    /// How a node that waits for a callback ended.
    CallbackResult {
        /// Well.
        Success = "success",
        /// Badly.
        Fail = "fail",
    }
}
