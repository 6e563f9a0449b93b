//! Starts of executions, and runs to their end.

use serde::de::DeserializeOwned;

use super::executions::{Environment, Execution, ExecutionStatus};
use crate::{
    alibaba::{
        declare::{DateTime, Utc, answer, operation},
        origin,
        protocol::Rpc,
    },
    error::{Error, FlowFailureParts},
    execution_name::ExecutionName,
    outcome::{Cloud, Outcome},
    payload::{FlowText, Payload, Secret},
    pipeline::{
        answer::Settled,
        declared::write,
        operation::{self, EncodedFor, Sent, Subject},
    },
};

/// Writes a start under a name, which is made where the caller gave none.
macro_rules! named {
    () => {
        fn encoded(mut self) -> Result<EncodedFor<Self>, Error> {
            let named_by_caller = self.execution_name.is_some();
            let execution_name = match self.execution_name.take() {
                Some(name) => name,
                None => ExecutionName::new()?.into(),
            };
            self.execution_name = Some(execution_name.clone());
            let encoded = write(&self)?;
            Ok(encoded.about(Subject {
                flow_name: self.flow_name,
                execution_name,
                named_by_caller,
                is_of_version: self.qualifier.is_some(),
                node: None,
            }))
        }
    };
}

operation! {
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
    StartExecutionRequest = "StartExecution" as start_execution, POST "/", Keyed, SHORT => Execution;
    new {
        /// The flow to start, of mode Standard.
        pub flow_name: String = Parameter "FlowName" (Name),
    }
    with {
        /// Unique in the flow; made when absent. A letter or `_`, then letters, digits, `_` and
        /// `-`, 1 to 128 characters.
        pub execution_name: String = Parameter "ExecutionName" (Name),
        /// The task to call back when the execution has ended.
        pub callback_fnf_task_token: Secret = Parameter "CallbackFnFTaskToken",
        /// Version or alias of the flow.
        pub qualifier: String = Parameter "Qualifier",
    }
    json {
        /// What the flow is given: a JSON object, up to 64 KiB.
        pub input | input_json: Payload = Parameter "Input" (Object),
    }
    writing {
        named! {}
    }
    outcome {
        fn is_answer_to(answer: &Execution, request: &EncodedFor<Self>) -> bool {
            request.is_about(answer.name.as_deref())
        }

        fn settle<'a>(
            answer: &'a mut Option<Execution>,
            outcome: operation::Outcome<()>,
            sent: Sent<'a, Rpc>,
        ) -> Settled<'a> {
            origin::settle(answer, outcome, sent)
        }
    }
}

operation! {
    StartSyncExecutionRequest = "StartSyncExecution" as start_sync_execution, POST "/", Once, SYNCHRONOUS => StartSyncExecutionResponse;
    new {
        /// The flow to run, of mode Express.
        pub flow_name: String = Parameter "FlowName" (Name),
    }
    with {
        /// Need not be unique, the service appends `:` and a UUID; made when absent. A letter or
        /// `_`, then letters, digits, `_` and `-`, 1 to 128 characters.
        pub execution_name: String = Parameter "ExecutionName" (Name),
        /// Version or alias of the flow.
        pub qualifier: String = Parameter "Qualifier",
    }
    json {
        /// What the flow is given: a JSON object, up to 64 KiB.
        pub input | input_json: Payload = Parameter "Input" (Object),
    }
    writing {
        named! {}
    }
}

answer! {
    /// The answer of `StartSyncExecution`. Serialises with the wire's names.
    ///
    /// An answer with another status than `Succeeded` is not an error of the call:
    /// [`into_output`](Self::into_output) makes it one.
    StartSyncExecutionResponse {
        /// Name of the flow.
        pub flow_name: Option<String> = "FlowName",
        /// Name of the execution: the name that was sent, `:` and a UUID.
        pub name: Option<String> = "Name",
        /// How it ended.
        pub status: ExecutionStatus = "Status",
        /// Why it failed; of no meaning when it succeeded.
        pub error_code: Option<FlowText> = "ErrorCode",
        /// Why it failed, in words.
        pub error_message: Option<FlowText> = "ErrorMessage",
        /// What it gave.
        pub output: Option<Payload> = "Output",
        /// When it began.
        pub started_time: Option<DateTime<Utc>> = "StartedTime",
        /// When it ended.
        pub stopped_time: Option<DateTime<Utc>> = "StoppedTime",
        /// The variables it could read.
        pub environment: Option<Environment> = "Environment",
    }
}

impl StartSyncExecutionResponse {
    /// The output as a value, where the execution succeeded. No output reads as JSON `null`.
    ///
    /// # Errors
    ///
    /// [`FlowFailed`](crate::ErrorKind::FlowFailed), [`FlowTimedOut`](crate::ErrorKind::FlowTimedOut),
    /// [`FlowStopped`](crate::ErrorKind::FlowStopped) or
    /// [`FlowUnfinished`](crate::ErrorKind::FlowUnfinished) by the status, with all that the answer
    /// told in [`Error::flow_failure`]; [`Decode`](crate::ErrorKind::Decode) where the output does not
    /// fit `T`.
    pub fn into_output<T: DeserializeOwned>(self) -> Result<T, Error> {
        Outcome::from(self).into_output()
    }
}

impl From<StartSyncExecutionResponse> for Outcome {
    fn from(answer: StartSyncExecutionResponse) -> Self {
        let ended = FlowFailureParts {
            status: answer.status.as_str().into(),
            code: answer.error_code,
            message: answer.error_message,
            execution: answer.name,
            output: answer.output,
            started: answer.started_time,
            stopped: answer.stopped_time,
            ..FlowFailureParts::default()
        };
        Self::new(Cloud::Alibaba, answer.status.failure(), ended)
            .started_by("StartSyncExecution")
            .or_request_id(answer.request_id)
    }
}
