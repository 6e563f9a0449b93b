//! Executions that go on by themselves: started, stopped, tried again, called back.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::runs::{CallbackResult, WorkflowExecutionId};
use crate::{
    error::Error,
    huawei::{declare::operation, settle},
    payload::Payload,
    pipeline::{
        declared::write,
        operation::{Encoded, EncodedFor, Subject},
    },
};

operation! {
    /// Starts an execution that goes on by itself.
    StartWorkflowExecutionRequest = "StartWorkflowExecution" as start_workflow_execution,
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
    writing {
        fn encoded(self) -> Result<EncodedFor<Self>, Error> {
            let encoded = write(&self)?;
            // Without an id of the caller's there is nothing by which to find it again.
            let id = self.workflow_run_id;
            let subject = id.map(|id| Subject::named(self.workflow_id, id));
            Ok(Encoded { subject, ..encoded })
        }
    }
    settle settle::start;
}

impl StartWorkflowExecutionRequest {
    /// Warns of a day that has begun in China alone: where the service counts in UTC, it lies in the
    /// future.
    pub(in crate::huawei) fn warn_of_day(&self, now: DateTime<Utc>) {
        let day = |time: DateTime<Utc>| time.format("%Y-%m-%d").to_string();
        let in_china = day(now + TimeDelta::hours(8));
        if in_china != day(now) && self.create_time.as_ref() == Some(&in_china) {
            tracing::warn!(
                create_time = in_china,
                "X-Create-Time is today in China and tomorrow in UTC: the service may refuse it as \
                 being in the future"
            );
        }
    }

    /// `headers`: adds a header for the flow's run; a text, or any other JSON value.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let value = Payload::from_value(&value.into());
        self.headers.insert(name.into(), value);
        self
    }
}

operation! {
    /// Stops an execution.
    StopWorkFlowRequest = "StopWorkFlow" as stop_work_flow,
        POST "/v2/{project_id}/fgs/workflows/{workflow_id}/executions/{execution_id}/terminate",
        Repeatable, SHORT => ();
    new {
        /// Id of the flow: 1 to 512 characters.
        pub workflow_id: String = Path "workflow_id" (Length(1, 512)),
        /// Id of the execution: 1 to 512 characters.
        pub execution_id: String = Path "execution_id" (Length(1, 512)),
    }
    about workflow_id, execution_id;
}

operation! {
    /// Runs a failed execution on, under the same id.
    RetryWorkFlowRequest = "RetryWorkFlow" as retry_work_flow,
        POST "/v2/{project_id}/fgs/workflows/{workflow_id}/executions/{execution_id}/retry",
        Once, SHORT => ();
    new {
        /// Id of the flow: 1 to 512 characters.
        pub workflow_id: String = Path "workflow_id" (Length(1, 512)),
        /// Id of the execution: 1 to 512 characters.
        pub execution_id: String = Path "execution_id" (Length(1, 512)),
    }
    about workflow_id, execution_id;
    settle settle::retry;
}

operation! {
    /// Says how a node that waits for a callback ended.
    CreateCallbackWorkflowRequest = "CreateCallbackWorkflow" as create_callback_workflow,
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
    writing {
        fn encoded(self) -> Result<EncodedFor<Self>, Error> {
            let encoded = write(&self)?;
            Ok(encoded.about(Subject {
                node: Some((self.workflow_state_id, self.result.as_str().to_owned())),
                ..Subject::named(self.workflow_id, self.workflow_run_id)
            }))
        }
    }
    settle settle::callback;
}
