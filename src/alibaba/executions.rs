//! Executions: `StartExecution`, `StartSyncExecution`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::protocol::{Form, Rpc, Wire, read};
use crate::{
    error::{Error, ErrorKind, FlowFailure, FlowFailureParts},
    open_enum::open_enum,
    payload::{ExecutionName, OptionalText, Payload, Secret, check_name},
    pipeline::{
        decode,
        operation::{DecodeError, Encoded, Operation, Replay, Timeouts, sealed::Sealed},
        transport::Reply,
    },
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
        deserialize_with = "decode::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub error_code: Option<String>,
    /// Why it failed, in words.
    #[serde(
        default,
        deserialize_with = "decode::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub error_message: Option<String>,
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

/// One variable of an [`Environment`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
        let kind = match self.status {
            ExecutionStatus::Succeeded => {
                let null = || Payload::from_json("null");
                return self
                    .output
                    .unwrap_or_else(null)
                    .parse()
                    .map_err(|error| error.with_operation(StartSyncExecutionRequest::NAME));
            }
            ExecutionStatus::Failed => ErrorKind::FlowFailed,
            ExecutionStatus::TimedOut => ErrorKind::FlowTimedOut,
            ExecutionStatus::Stopped => ErrorKind::FlowStopped,
            _ => ErrorKind::FlowUnfinished,
        };
        let failure = FlowFailure::of(FlowFailureParts {
            status: self.status.as_str().to_owned(),
            code: self.error_code,
            message: self.error_message,
            execution: self.name.clone(),
            output: self.output,
            started: self.started_time,
            stopped: self.stopped_time,
            ..FlowFailureParts::default()
        });
        Err(Error::flow(
            kind,
            StartSyncExecutionRequest::NAME,
            self.request_id,
            self.name,
            None,
            failure,
        ))
    }
}

impl Sealed for StartExecutionRequest {}
impl Sealed for StartSyncExecutionRequest {}

impl Operation for StartExecutionRequest {
    const NAME: &'static str = "StartExecution";
    type Protocol = Rpc;
    type Output = StartExecutionResponse;

    fn encode(self) -> Result<Encoded<Wire>, Error> {
        let token = self.callback_fnf_task_token;
        Start {
            action: Self::NAME,
            flow_name: &self.flow_name,
            execution_name: self.execution_name,
            input: self.input.as_ref(),
            callback_fnf_task_token: token.as_ref().map(Secret::expose),
            qualifier: self.qualifier.as_deref(),
        }
        .encode(Replay::Keyed, Timeouts::SHORT)
    }

    fn decode(reply: &Reply) -> Result<Self::Output, DecodeError> {
        read(reply)
    }

    fn request_id(output: &Self::Output) -> Option<&str> {
        output.request_id.as_deref()
    }
}

impl Operation for StartSyncExecutionRequest {
    const NAME: &'static str = "StartSyncExecution";
    type Protocol = Rpc;
    type Output = StartSyncExecutionResponse;

    fn encode(self) -> Result<Encoded<Wire>, Error> {
        Start {
            action: Self::NAME,
            flow_name: &self.flow_name,
            execution_name: self.execution_name,
            input: self.input.as_ref(),
            callback_fnf_task_token: None,
            qualifier: self.qualifier.as_deref(),
        }
        .encode(Replay::Once, Timeouts::SYNCHRONOUS)
    }

    fn decode(reply: &Reply) -> Result<Self::Output, DecodeError> {
        read(reply)
    }

    fn request_id(output: &Self::Output) -> Option<&str> {
        output.request_id.as_deref()
    }
}

/// What both starts send.
struct Start<'a> {
    action: &'static str,
    flow_name: &'a str,
    execution_name: Option<String>,
    input: Option<&'a Payload>,
    callback_fnf_task_token: Option<&'a str>,
    qualifier: Option<&'a str>,
}

impl Start<'_> {
    fn encode(self, replay: Replay, limits: Timeouts) -> Result<Encoded<Wire>, Error> {
        check_name("FlowName", self.flow_name)?;
        let named_by_caller = self.execution_name.is_some();
        let execution_name = match self.execution_name {
            Some(name) => {
                check_name("ExecutionName", &name)?;
                name
            }
            None => ExecutionName::new()?.into(),
        };
        if let Some(input) = self.input {
            input.check_object("Input")?;
        }
        let mut form = Form::default();
        form.push_some("CallbackFnFTaskToken", self.callback_fnf_task_token);
        form.push("ExecutionName", &execution_name);
        form.push("FlowName", self.flow_name);
        form.push_some("Input", self.input.map(Payload::as_str));
        form.push_some("Qualifier", self.qualifier);
        Ok(Encoded {
            wire: Wire::post(self.action, form),
            replay,
            limits,
            execution_name: Some(execution_name),
            named_by_caller,
        })
    }
}
