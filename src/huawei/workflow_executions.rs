//! Flow executions: `sync-executions`.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::protocol::{Rest, Wire, push_segment};
use crate::{
    error::{Error, ErrorKind, FlowFailure, FlowFailureParts, NodeError},
    open_enum::open_enum,
    payload::{self, FlowText, Payload},
    pipeline::{
        decode,
        operation::{DecodeError, Encoded, Operation, Replay, Timeouts, sealed::Sealed},
        transport::Reply,
    },
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

/// The request of `StartSyncWorkflowExecution` (`sync-executions`).
///
/// ```
/// use cloud_workflows::huawei::StartSyncWorkflowExecutionRequest;
/// use serde_json::json;
///
/// let request = StartSyncWorkflowExecutionRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14")
///     .header("tenantId", "user1")
///     .input(json!({"arg1": "argument_1"}));
/// assert_eq!(request.headers["tenantId"], "user1");
/// ```
///
/// `Debug` shows neither the input nor the values of headers.
#[derive(Clone)]
#[non_exhaustive]
pub struct StartSyncWorkflowExecutionRequest {
    /// Id of the flow, of mode EXPRESS: 1 to 512 characters.
    pub workflow_id: String,
    /// `headers`: headers for the flow's run.
    pub headers: BTreeMap<String, Value>,
    /// `input`: the text of a JSON object; `{}` when absent.
    pub input: Option<Payload>,
}

impl StartSyncWorkflowExecutionRequest {
    /// A run of this flow.
    pub fn new(workflow_id: impl Into<String>) -> Self {
        Self {
            workflow_id: workflow_id.into(),
            headers: BTreeMap::new(),
            input: None,
        }
    }

    /// `headers`: adds a header for the flow's run; a text, or any other JSON value.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// `input`: a value that serialises to a JSON object. Serialised at once; a failure is
    /// reported by the call.
    #[must_use]
    pub fn input(mut self, value: impl Serialize) -> Self {
        self.input = Some(Payload::from_value(&value));
        self
    }

    /// `input`: the text of a JSON object, sent as it is.
    #[must_use]
    pub fn input_json(mut self, text: impl Into<String>) -> Self {
        self.input = Some(Payload::from_json(text));
        self
    }
}

impl fmt::Debug for StartSyncWorkflowExecutionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartSyncWorkflowExecutionRequest")
            .field("workflow_id", &self.workflow_id)
            .field("headers", &self.headers.keys())
            .field("input", &self.input)
            .finish()
    }
}

/// The answer of `StartSyncWorkflowExecution`. Serialises with the wire's names.
///
/// An answer with another status than `success` is not an error of the call:
/// [`into_output`](Self::into_output) makes it one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StartSyncWorkflowExecutionResponse {
    /// Id of the execution.
    #[serde(
        default,
        deserialize_with = "decode::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub execution_id: Option<String>,
    /// How it ended.
    #[serde(deserialize_with = "decode::essential")]
    pub status: WorkflowExecutionStatus,
    /// What it gave, where it succeeded: any JSON value.
    #[serde(
        default,
        deserialize_with = "decode::json",
        serialize_with = "payload::as_json",
        skip_serializing_if = "Option::is_none"
    )]
    pub output: Option<Payload>,
    /// What failed, node by node.
    #[serde(
        default,
        deserialize_with = "decode::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub errors: Vec<NodeError>,
    /// When it began.
    #[serde(
        default,
        deserialize_with = "decode::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub begin_time: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(
        default,
        deserialize_with = "decode::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub end_time: Option<DateTime<Utc>>,
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
        let id = self.execution_id.clone();
        let of_execution = |error: Error| {
            error.of_execution(
                StartSyncWorkflowExecutionRequest::NAME,
                true,
                None,
                None,
                id,
            )
        };
        let kind = match self.status {
            WorkflowExecutionStatus::Success => {
                let null = || Payload::from_json("null");
                let output = self.output.unwrap_or_else(null);
                let parsed = output.parse();
                return parsed.map_err(|error: Error| of_execution(error.with_output(output)));
            }
            WorkflowExecutionStatus::Fail => ErrorKind::FlowFailed,
            WorkflowExecutionStatus::Timeout => ErrorKind::FlowTimedOut,
            WorkflowExecutionStatus::Unknown(_) => ErrorKind::FlowUnfinished,
        };
        let failure = FlowFailure::of(FlowFailureParts {
            status: self.status.as_str().into(),
            node_errors: self.errors,
            execution: self.execution_id,
            output: self.output,
            started: self.begin_time,
            stopped: self.end_time,
            ..FlowFailureParts::default()
        });
        Err(of_execution(Error::flow(kind, failure)))
    }
}

impl Sealed for StartSyncWorkflowExecutionRequest {}

impl Operation for StartSyncWorkflowExecutionRequest {
    const NAME: &'static str = "StartSyncWorkflowExecution";
    type Protocol = Rest;
    type Output = StartSyncWorkflowExecutionResponse;

    fn encode(self) -> Result<Encoded<Wire>, Error> {
        let mut path = String::with_capacity(64 + self.workflow_id.len());
        path.push_str("/fgs/workflows/");
        push_segment(&mut path, "workflow_id", &self.workflow_id, 512)?;
        path.push_str("/sync-executions");

        let input = match &self.input {
            Some(input) => {
                input.check_object("input")?;
                input.as_str()
            }
            None => "{}",
        };
        let mut body = String::with_capacity(input.len() + 16);
        body.push('{');
        if !self.headers.is_empty() {
            let headers = serde_json::to_string(&self.headers).map_err(|error| {
                Error::invalid("headers", "could not be serialised").with_source(error)
            })?;
            body.push_str("\"headers\":");
            body.push_str(&headers);
            body.push(',');
        }
        body.push_str("\"input\":");
        body.push_str(input);
        body.push('}');
        Ok(Encoded {
            wire: Wire::post_in_project(path, body),
            replay: Replay::Once,
            limits: Timeouts::SYNCHRONOUS,
            subject: None,
        })
    }

    fn decode(reply: &Reply) -> Result<Self::Output, DecodeError> {
        super::refusal::read(reply)
    }

    fn scrub(output: &mut Self::Output, words: &mut dyn FnMut(&mut FlowText)) {
        for node in &mut output.errors {
            let texts = [&mut node.node_id, &mut node.error_message];
            texts.into_iter().flatten().for_each(&mut *words);
        }
    }
}
