//! Executions of flows: run to their end.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    error::{Error, ErrorKind, FlowFailureParts, NodeError},
    huawei::declare::{operation, response},
    open_enum::open_enum,
    outcome::{Cloud, Outcome},
    payload::Payload,
};

open_enum! {
    /// How a flow's synchronous execution ended.
    WorkflowExecutionStatus {
        /// Ended well.
        Success = "success",
        /// Ended badly.
        Fail = "fail",
        /// Ran into its time limit.
        Timeout = "timeout",
    }
}

operation! {
    /// It goes to `sync-executions`.
    ///
    /// ```
    /// use cloud_workflows::huawei::StartSyncWorkflowExecutionRequest;
    /// use serde_json::json;
    ///
    /// let request = StartSyncWorkflowExecutionRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14")
    ///     .header("tenantId", "user1")
    ///     .input(json!({"arg1": "argument_1"}));
    /// assert_eq!(request.headers["tenantId"].as_str(), "\"user1\"");
    /// ```
    ///
    /// `Debug` shows neither the input nor the values of headers.
    StartSyncWorkflowExecutionRequest = "StartSyncWorkflowExecution" as start_sync_workflow_execution,
        POST "/v2/{project_id}/fgs/workflows/{workflow_id}/sync-executions", Once, SYNCHRONOUS
        => StartSyncWorkflowExecutionResponse;
    new {
        /// Id of the flow, of mode EXPRESS: 1 to 512 characters.
        pub workflow_id: String = Path "workflow_id" (Length(1, 512)),
    }
    json {
        /// What the flow is given: a JSON object; `{}` when absent.
        pub input | input_json: Payload = Member "input" (Object, Else("{}")),
    }
    plain {
        /// Headers for the flow's run, as JSON.
        pub headers: BTreeMap<String, Payload> = Member "headers" (Hidden),
    }
}

impl StartSyncWorkflowExecutionRequest {
    /// `headers`: adds a header for the flow's run; a text, or any other JSON value.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let value = Payload::from_value(&value.into());
        self.headers.insert(name.into(), value);
        self
    }
}

response! {
    /// The answer of `StartSyncWorkflowExecution`. Serialises with the wire's names.
    ///
    /// An answer with another status than `success` is not an error of the call:
    /// [`into_output`](Self::into_output) makes it one.
    StartSyncWorkflowExecutionResponse {
        /// Id of the execution.
        pub execution_id: Option<String> = "execution_id",
        /// How it ended.
        pub status: WorkflowExecutionStatus = "status",
        /// What it gave, where it succeeded: any JSON value.
        pub output: Option<Payload> = "output",
        /// What failed, node by node.
        pub errors: Vec<NodeError> = "errors",
        /// When it began.
        pub begin_time: Option<DateTime<Utc>> = "begin_time",
        /// When it ended.
        pub end_time: Option<DateTime<Utc>> = "end_time",
    }
}

impl StartSyncWorkflowExecutionResponse {
    /// The output as a value, where the execution succeeded. No output reads as JSON `null`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FlowFailed`], [`FlowTimedOut`](ErrorKind::FlowTimedOut) or
    /// [`FlowUnfinished`](ErrorKind::FlowUnfinished) by the status, with all that the answer told
    /// in [`Error::flow_failure`]; [`ErrorKind::Decode`] where the output does not fit `T`.
    pub fn into_output<T: DeserializeOwned>(self) -> Result<T, Error> {
        Outcome::from(self).into_output()
    }
}

impl From<StartSyncWorkflowExecutionResponse> for Outcome {
    fn from(answer: StartSyncWorkflowExecutionResponse) -> Self {
        let kind = match answer.status {
            WorkflowExecutionStatus::Success => None,
            WorkflowExecutionStatus::Fail => Some(ErrorKind::FlowFailed),
            WorkflowExecutionStatus::Timeout => Some(ErrorKind::FlowTimedOut),
            WorkflowExecutionStatus::Unknown(_) => Some(ErrorKind::FlowUnfinished),
        };
        let ended = FlowFailureParts {
            status: answer.status.as_str().into(),
            node_errors: answer.errors,
            execution: answer.execution_id,
            output: answer.output,
            started: answer.begin_time,
            stopped: answer.end_time,
            ..FlowFailureParts::default()
        };
        Self::new(Cloud::Huawei, kind, ended).started_by("StartSyncWorkflowExecution")
    }
}
