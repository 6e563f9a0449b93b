//! Starts of executions: `StartExecution`, `StartSyncExecution`; what executions have in common.

use std::{fmt, future::Future};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    describe_execution::{DescribeExecutionRequest, DescribeExecutionResponse},
    protocol::{Form, Rpc, Wire},
    refusal::read,
    whose,
};
use crate::{
    error::{Error, ErrorKind, FlowFailure, FlowFailureParts},
    open_enum::open_enum,
    payload::{ExecutionName, FlowText, OptionalText, Payload, Secret, check_name},
    pipeline::{
        decode,
        operation::{
            DecodeError, Encoded, Operation, Replay, Sent, Subject, Timeouts, sealed::Sealed,
        },
        percent::encoded_length,
        transport::Reply,
    },
    response::Response,
};

open_enum! {
    /// How far an execution is. Ended are `Stopped`, `Succeeded`, `Failed` and `TimedOut`.
    ExecutionStatus {
        /// About to run.
        Starting = "Starting",
        /// Running.
        Running = "Running",
        /// Stopped from outside.
        Stopped = "Stopped",
        /// Ended well.
        Succeeded = "Succeeded",
        /// Ended badly.
        Failed = "Failed",
        /// Ran into its time limit.
        TimedOut = "TimedOut",
    }
}

impl ExecutionStatus {
    /// Whether the execution has ended, well or badly.
    pub fn is_ended(&self) -> bool {
        matches!(
            self,
            Self::Stopped | Self::Succeeded | Self::Failed | Self::TimedOut
        )
    }
}

/// The request of `StartExecution`.
///
/// ```
/// use cloud_workflows::alibaba::StartExecutionRequest;
/// use serde_json::json;
///
/// let request = StartExecutionRequest::new("my_flow")
///     .execution_name("order-17")
///     .input(json!({"order": 17}))
///     .qualifier("prod");
/// assert_eq!(request.input.as_ref().unwrap().as_str(), r#"{"order":17}"#);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StartExecutionRequest {
    /// `FlowName`: the flow to start, of mode Standard.
    pub flow_name: String,
    /// `ExecutionName`: unique in the flow; made when absent.
    pub execution_name: Option<String>,
    /// `Input`: the text of a JSON object, up to 64 KiB.
    pub input: Option<Payload>,
    /// `CallbackFnFTaskToken`: the task to call back when the execution has ended.
    pub callback_fnf_task_token: Option<Secret>,
    /// `Qualifier`: version or alias of the flow.
    pub qualifier: Option<String>,
}

/// The request of `StartSyncExecution`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StartSyncExecutionRequest {
    /// `FlowName`: the flow to run, of mode Express.
    pub flow_name: String,
    /// `ExecutionName`: need not be unique, the service appends `:` and a UUID; made when absent.
    pub execution_name: Option<String>,
    /// `Input`: the text of a JSON object, up to 64 KiB.
    pub input: Option<Payload>,
    /// `Qualifier`: version or alias of the flow.
    pub qualifier: Option<String>,
}

macro_rules! start_setters {
    ($request:ident) => {
        impl $request {
            /// `ExecutionName`: a letter or `_`, then letters, digits, `_` and `-`, 1 to 128
            /// characters.
            #[must_use]
            pub fn execution_name(mut self, name: impl Into<OptionalText>) -> Self {
                self.execution_name = name.into().0;
                self
            }

            /// `Input`: a value that serialises to a JSON object. Serialised at once; a failure is
            /// reported by the call.
            #[must_use]
            pub fn input(mut self, value: impl Serialize) -> Self {
                self.input = Some(Payload::from_value(&value));
                self
            }

            /// `Input`: the text of a JSON object, sent as it is.
            #[must_use]
            pub fn input_json(mut self, text: impl Into<String>) -> Self {
                self.input = Some(Payload::from_json(text));
                self
            }

            /// `Qualifier`: version or alias of the flow.
            #[must_use]
            pub fn qualifier(mut self, qualifier: impl Into<OptionalText>) -> Self {
                self.qualifier = qualifier.into().0;
                self
            }
        }
    };
}

start_setters!(StartExecutionRequest);
start_setters!(StartSyncExecutionRequest);

impl StartExecutionRequest {
    /// A start of this flow.
    pub fn new(flow_name: impl Into<String>) -> Self {
        Self {
            flow_name: flow_name.into(),
            execution_name: None,
            input: None,
            callback_fnf_task_token: None,
            qualifier: None,
        }
    }

    /// `CallbackFnFTaskToken`: the task to call back when the execution has ended.
    #[must_use]
    pub fn callback_fnf_task_token(mut self, token: impl Into<OptionalText>) -> Self {
        self.callback_fnf_task_token = token.into().0.map(Secret::new);
        self
    }
}

impl StartSyncExecutionRequest {
    /// A run of this flow.
    pub fn new(flow_name: impl Into<String>) -> Self {
        Self {
            flow_name: flow_name.into(),
            execution_name: None,
            input: None,
            qualifier: None,
        }
    }
}

/// The answer of `StartExecution`. Serialises with the wire's names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct StartExecutionResponse {
    /// Whether this call started it; not part of the wire.
    #[serde(skip)]
    pub origin: ExecutionOrigin,
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
}

impl StartExecutionResponse {
    /// What a start would have answered, had its answer not been lost.
    pub(super) fn of_described(described: DescribeExecutionResponse) -> Self {
        Self {
            origin: ExecutionOrigin::Started,
            request_id: described.request_id,
            flow_name: described.flow_name,
            name: described.name,
            status: described.status,
            input: described.input,
            output: described.output,
            flow_definition: described.flow_definition,
            started_time: described.started_time,
            stopped_time: described.stopped_time,
        }
    }
}

/// What is known of how an execution came to be.
///
/// The service answers a start under a name with the execution of that name while it runs, and
/// does not say who started it: the time of its start and its input tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExecutionOrigin {
    /// This call started it.
    Started,
    /// It ran before this call under the caller's name: nothing new was started.
    FoundRunning,
    /// The service's answer leaves it open.
    #[default]
    Unclear,
}

/// The answer of `StartSyncExecution`. Serialises with the wire's names.
///
/// An answer with another status than `Succeeded` is not an error of the call:
/// [`into_output`](Self::into_output) makes it one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct StartSyncExecutionResponse {
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
    /// Name of the execution: the name that was sent, `:` and a UUID.
    #[serde(
        default,
        deserialize_with = "decode::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<String>,
    /// How it ended.
    #[serde(deserialize_with = "decode::essential")]
    pub status: ExecutionStatus,
    /// Why it failed; of no meaning when it succeeded.
    #[serde(
        default,
        deserialize_with = "decode::words",
        skip_serializing_if = "Option::is_none"
    )]
    pub error_code: Option<FlowText>,
    /// Why it failed, in words.
    #[serde(
        default,
        deserialize_with = "decode::words",
        skip_serializing_if = "Option::is_none"
    )]
    pub error_message: Option<FlowText>,
    /// What it gave.
    #[serde(
        default,
        deserialize_with = "decode::json_in_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub output: Option<Payload>,
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

/// The variables that an execution could read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct Environment {
    /// The variables.
    #[serde(deserialize_with = "decode::list")]
    pub variables: Vec<Variable>,
}

/// One variable of an [`Environment`]. `Debug` does not show its value.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct Variable {
    /// Its name.
    #[serde(deserialize_with = "decode::text")]
    pub name: Option<String>,
    /// Its value.
    #[serde(deserialize_with = "decode::text")]
    pub value: Option<String>,
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variable")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl StartSyncExecutionResponse {
    /// The output as a value, where the execution succeeded. No output reads as JSON `null`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FlowFailed`], [`FlowTimedOut`](ErrorKind::FlowTimedOut),
    /// [`FlowStopped`](ErrorKind::FlowStopped) or [`FlowUnfinished`](ErrorKind::FlowUnfinished)
    /// by the status, with all that the answer told in
    /// [`Error::flow_failure`]; [`ErrorKind::Decode`] where the output does not fit `T`.
    pub fn into_output<T: DeserializeOwned>(self) -> Result<T, Error> {
        let ended = FlowFailureParts {
            status: FlowText::default(),
            code: self.error_code,
            message: self.error_message,
            node_errors: Vec::new(),
            execution: self.name,
            output: self.output,
            started: self.started_time,
            stopped: self.stopped_time,
        };
        into_output(
            StartSyncExecutionRequest::NAME,
            &self.status,
            self.request_id,
            ended,
        )
    }
}

/// What an execution gave, by how it ended.
pub(super) fn into_output<T: DeserializeOwned>(
    operation: &'static str,
    status: &ExecutionStatus,
    request_id: Option<String>,
    mut ended: FlowFailureParts,
) -> Result<T, Error> {
    let name = ended.execution.clone();
    let starts = operation != DescribeExecutionRequest::NAME;
    let of_execution = |error: Error| error.of_execution(operation, starts, request_id, name, None);
    let kind = match status {
        ExecutionStatus::Succeeded => {
            let output = ended.output.unwrap_or_else(|| Payload::from_json("null"));
            let parsed = output.parse();
            return parsed.map_err(|error: Error| of_execution(error.with_output(output)));
        }
        ExecutionStatus::Failed => ErrorKind::FlowFailed,
        ExecutionStatus::TimedOut => ErrorKind::FlowTimedOut,
        ExecutionStatus::Stopped => ErrorKind::FlowStopped,
        _ => ErrorKind::FlowUnfinished,
    };
    ended.status = status.as_str().into();
    Err(of_execution(Error::flow(kind, FlowFailure::of(ended))))
}

impl Sealed for StartExecutionRequest {}
impl Sealed for StartSyncExecutionRequest {}

impl Operation for StartExecutionRequest {
    const NAME: &'static str = "StartExecution";
    type Protocol = Rpc;
    type Output = StartExecutionResponse;

    fn encode(self) -> Result<Encoded<Wire>, Error> {
        Start {
            action: Self::NAME,
            flow_name: self.flow_name,
            execution_name: self.execution_name,
            input: self.input,
            callback_fnf_task_token: self.callback_fnf_task_token,
            qualifier: self.qualifier,
        }
        .encode(Replay::Keyed, Timeouts::SHORT)
    }

    fn decode(reply: &Reply) -> Result<Self::Output, DecodeError> {
        read(reply)
    }

    fn request_id(output: &Self::Output) -> Option<&str> {
        output.request_id.as_deref()
    }

    fn settle(
        outcome: Result<Response<Self::Output>, Error>,
        sent: Sent<'_, Rpc>,
    ) -> impl Future<Output = Result<Response<Self::Output>, Error>> + Send {
        whose::settle(outcome, sent)
    }
}

impl Operation for StartSyncExecutionRequest {
    const NAME: &'static str = "StartSyncExecution";
    type Protocol = Rpc;
    type Output = StartSyncExecutionResponse;

    fn encode(self) -> Result<Encoded<Wire>, Error> {
        Start {
            action: Self::NAME,
            flow_name: self.flow_name,
            execution_name: self.execution_name,
            input: self.input,
            callback_fnf_task_token: None,
            qualifier: self.qualifier,
        }
        .encode(Replay::Once, Timeouts::SYNCHRONOUS)
    }

    fn decode(reply: &Reply) -> Result<Self::Output, DecodeError> {
        read(reply)
    }

    fn scrub(output: &mut Self::Output, words: &mut dyn FnMut(&mut FlowText)) {
        let texts = [&mut output.error_code, &mut output.error_message];
        texts.into_iter().flatten().for_each(words);
    }

    fn request_id(output: &Self::Output) -> Option<&str> {
        output.request_id.as_deref()
    }
}

/// What both starts send.
struct Start {
    action: &'static str,
    flow_name: String,
    execution_name: Option<String>,
    input: Option<Payload>,
    callback_fnf_task_token: Option<Secret>,
    qualifier: Option<String>,
}

impl Start {
    fn encode(self, replay: Replay, limits: Timeouts) -> Result<Encoded<Wire>, Error> {
        check_name("FlowName", &self.flow_name)?;
        let named_by_caller = self.execution_name.is_some();
        let execution_name = match self.execution_name {
            Some(name) => {
                check_name("ExecutionName", &name)?;
                name
            }
            None => ExecutionName::new()?.into(),
        };
        if let Some(input) = &self.input {
            input.check_object("Input")?;
        }
        let token = self.callback_fnf_task_token.as_ref().map(Secret::expose);
        // Inputs are large, and room that grows is copied.
        let texts = [
            token,
            Some(&execution_name),
            Some(&self.flow_name),
            self.input.as_ref().map(Payload::as_str),
            self.qualifier.as_deref(),
        ];
        let length: usize = texts.into_iter().flatten().map(encoded_length).sum();
        let mut form = Form::with_capacity(length + 96);
        form.push_some("CallbackFnFTaskToken", token);
        form.push("ExecutionName", &execution_name);
        form.push("FlowName", &self.flow_name);
        form.push_some("Input", self.input.as_ref().map(Payload::as_str));
        form.push_some("Qualifier", self.qualifier.as_deref());
        Ok(Encoded {
            wire: Wire::post(self.action, form),
            replay,
            limits,
            subject: Some(Subject {
                flow_name: self.flow_name,
                execution_name,
                named_by_caller,
                input: self.input,
            }),
        })
    }
}
