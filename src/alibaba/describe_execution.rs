//! `DescribeExecution`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    executions::{Environment, ExecutionStatus, into_output},
    protocol::{Form, Rpc, Wire},
    refusal::read,
};
use crate::{
    error::{Error, FlowFailureParts},
    payload::{FlowText, Payload, check_name},
    pipeline::{
        decode,
        operation::{DecodeError, Encoded, Operation, Replay, Timeouts, sealed::Sealed},
        transport::Reply,
    },
};

/// The request of `DescribeExecution`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DescribeExecutionRequest {
    /// `FlowName`: the execution's flow.
    pub flow_name: String,
    /// `ExecutionName`: the execution.
    pub execution_name: String,
    /// `WaitTimeSeconds`: how long to wait for the execution's end, 0 to 60 s; absent is 0.
    pub wait_time_seconds: Option<u32>,
}

impl DescribeExecutionRequest {
    /// A look at this execution of this flow.
    pub fn new(flow_name: impl Into<String>, execution_name: impl Into<String>) -> Self {
        Self {
            flow_name: flow_name.into(),
            execution_name: execution_name.into(),
            wait_time_seconds: None,
        }
    }

    /// `WaitTimeSeconds`: how long the service may wait for the execution's end before it answers,
    /// 0 to 60 s.
    #[must_use]
    pub fn wait_time_seconds(mut self, seconds: u32) -> Self {
        self.wait_time_seconds = Some(seconds);
        self
    }
}

/// The answer of `DescribeExecution`. Serialises with the wire's names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct DescribeExecutionResponse {
    /// The request's id.
    #[serde(
        default,
        deserialize_with = "decode::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub request_id: Option<String>,
    /// Name of the flow.
    #[serde(
        default,
        deserialize_with = "decode::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub flow_name: Option<String>,
    /// Name of the execution.
    #[serde(
        default,
        deserialize_with = "decode::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<String>,
    /// How far it is.
    #[serde(deserialize_with = "decode::essential")]
    pub status: ExecutionStatus,
    /// What it was given.
    #[serde(
        default,
        deserialize_with = "decode::json_in_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub input: Option<Payload>,
    /// What it gave; absent while it runs.
    #[serde(
        default,
        deserialize_with = "decode::json_in_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub output: Option<Payload>,
    /// The flow's definition at its start.
    #[serde(
        default,
        deserialize_with = "decode::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub flow_definition: Option<String>,
    /// When it began.
    #[serde(
        default,
        deserialize_with = "decode::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub started_time: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(
        default,
        deserialize_with = "decode::time",
        skip_serializing_if = "Option::is_none"
    )]
    pub stopped_time: Option<DateTime<Utc>>,
    /// The variables it could read.
    #[serde(
        default,
        deserialize_with = "decode::part",
        skip_serializing_if = "Option::is_none"
    )]
    pub environment: Option<Environment>,
}

impl DescribeExecutionResponse {
    /// The output as a value, where the execution succeeded. No output reads as JSON `null`.
    ///
    /// # Errors
    ///
    /// As [`into_output`](super::StartSyncExecutionResponse::into_output) of a synchronous start; an execution that still runs is
    /// [`ErrorKind::FlowUnfinished`](crate::ErrorKind::FlowUnfinished).
    pub fn into_output<T: DeserializeOwned>(self) -> Result<T, Error> {
        let ended = FlowFailureParts {
            status: FlowText::default(),
            code: None,
            message: None,
            node_errors: Vec::new(),
            execution: self.name,
            output: self.output,
            started: self.started_time,
            stopped: self.stopped_time,
        };
        into_output(
            DescribeExecutionRequest::NAME,
            &self.status,
            self.request_id,
            ended,
        )
    }
}

impl Sealed for DescribeExecutionRequest {}

impl Operation for DescribeExecutionRequest {
    const NAME: &'static str = "DescribeExecution";
    type Protocol = Rpc;
    type Output = DescribeExecutionResponse;

    fn encode(self) -> Result<Encoded<Wire>, Error> {
        check_name("FlowName", &self.flow_name)?;
        // Synchronous executions have a `:` in their names, so the rule for new names is not theirs.
        if self.execution_name.is_empty() {
            return Err(Error::invalid("ExecutionName", "is empty"));
        }
        let wait = self.wait_time_seconds;
        let mut form = Form::default();
        form.push("ExecutionName", &self.execution_name);
        form.push("FlowName", &self.flow_name);
        form.push_some(
            "WaitTimeSeconds",
            wait.map(|seconds| seconds.to_string()).as_deref(),
        );
        Ok(Encoded {
            wire: Wire::get(Self::NAME, form),
            replay: Replay::Repeatable,
            limits: Timeouts::long_poll(Duration::from_secs(wait.unwrap_or(0).into())),
            subject: None,
        })
    }

    fn decode(reply: &Reply) -> Result<Self::Output, DecodeError> {
        read(reply)
    }

    fn request_id(output: &Self::Output) -> Option<&str> {
        output.request_id.as_deref()
    }
}
