//! Executions that go on by themselves: started, looked at, stopped, tried again, called back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    huawei::declare::{operation, response},
    open_enum::open_enum,
    payload::Payload,
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
}

operation! {
    /// Starts an execution that goes on by itself.
    StartWorkflowExecutionRequest = "StartWorkflowExecution",
        POST "/v2/{project_id}/fgs/workflows/{workflow_id}/executions", Once, SHORT
        => WorkflowExecutionId;
    new {
        /// Id of the flow: 1 to 512 characters.
        pub workflow_id: String = Path "workflow_id" (Length(1, 512)),
    }
    with {
        /// The day on which the execution counts as made, as `yyyy-MM-dd`, not in the future.
        /// Whether it is taken as UTC is not documented.
        pub create_time: String = Header "X-Create-Time" (Length(10, 10)),
        /// An id of the caller's for the execution: 32 letters and digits, or a UUID. Whether the
        /// service starts only one execution an id is not documented.
        pub workflow_run_id: String = Header "X-WorkflowRun-ID" (Length(1, 64)),
        /// Whether a node's input is put together with the output of the one before.
        pub workflow_run_merge_fn_parameters: bool = Header "X-WorkflowRun-MergeFnParameters",
    }
    json {
        /// What the flow is given: a JSON object; `{}` when absent.
        pub input | input_json: Payload = Member "input" (Object, Else("{}")),
    }
    plain {
        /// Headers for the flow's run, as JSON.
        pub headers: BTreeMap<String, Payload> = Member "headers",
    }
}

impl StartWorkflowExecutionRequest {
    /// `headers`: adds a header for the flow's run; a text, or any other JSON value.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let value = Payload::from_value(&value.into());
        self.headers.insert(name.into(), value);
        self
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
    ShowWorkflowExecutionRequest = "ShowWorkflowExecution",
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
        /// What went wrong, as JSON: a text, as a rule.
        pub error_message: Option<Payload> = "error_message",
        /// Id of the request that ran it.
        pub request_id: Option<String> = "request_id",
    }
}

operation! {
    /// Stops an execution.
    StopWorkFlowRequest = "StopWorkFlow",
        POST "/v2/{project_id}/fgs/workflows/{workflow_id}/executions/{execution_id}/terminate",
        Repeatable, SHORT => ();
    new {
        /// Id of the flow: 1 to 512 characters.
        pub workflow_id: String = Path "workflow_id" (Length(1, 512)),
        /// Id of the execution: 1 to 512 characters.
        pub execution_id: String = Path "execution_id" (Length(1, 512)),
    }
}

operation! {
    /// Runs a failed execution on, under the same id.
    RetryWorkFlowRequest = "RetryWorkFlow",
        POST "/v2/{project_id}/fgs/workflows/{workflow_id}/executions/{execution_id}/retry",
        Once, SHORT => ();
    new {
        /// Id of the flow: 1 to 512 characters.
        pub workflow_id: String = Path "workflow_id" (Length(1, 512)),
        /// Id of the execution: 1 to 512 characters.
        pub execution_id: String = Path "execution_id" (Length(1, 512)),
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

operation! {
    /// Says how a node that waits for a callback ended.
    CreateCallbackWorkflowRequest = "CreateCallbackWorkflow",
        POST "/v2/{project_id}/fgs/workflows/{workflow_id}/callback", Once, SHORT
        => WorkflowExecutionId;
    new {
        /// Id of the flow: 1 to 512 characters.
        pub workflow_id: String = Path "workflow_id" (Length(1, 512)),
        /// Id of the execution.
        pub workflow_run_id: String = Header "X-Workflow-Run-Id" (Filled),
        /// Id of the node.
        pub workflow_state_id: String = Header "X-Workflow-State-Id" (Filled),
        /// How the node ended.
        pub result: CallbackResult = Member "result",
    }
    with {
        /// What went wrong: 1 to 64 characters.
        pub error: String = Member "error" (Length(1, 64)),
    }
    json {
        /// What the node gave: a JSON object; `{}` when absent.
        pub output | output_json: Payload = Member "output" (Object, Else("{}")),
    }
}
