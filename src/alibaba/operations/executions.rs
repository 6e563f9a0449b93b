//! Executions of flows: what they are, and looking at them.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{
    alibaba::declare::{DateTime, Utc, answer, operation, part},
    error::{Error, ErrorKind, FlowFailureParts},
    execution_name::check_name,
    open_enum::open_enum,
    outcome::{Cloud, Outcome},
    payload::{FlowText, Payload},
    pipeline::operation::{EncodedFor, Timeouts},
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

/// Refuses what is no name of an execution of a Standard flow. Of an Express flow's, the service
/// could only say that there is none.
pub(in crate::alibaba) fn check_standard(name: &str) -> Result<(), Error> {
    match name.contains(':') {
        false => check_name("ExecutionName", name),
        true => Err(Error::invalid(
            "ExecutionName",
            "is one of an Express flow, of which the service keeps no history and which it neither \
             shows nor stops: its synchronous start answers how it ended, and its logs tell the rest",
        )),
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

    /// What kind of error an execution of this status is, if it is one.
    pub(super) fn failure(&self) -> Option<ErrorKind> {
        match self {
            Self::Succeeded => None,
            Self::Failed => Some(ErrorKind::FlowFailed),
            Self::TimedOut => Some(ErrorKind::FlowTimedOut),
            Self::Stopped => Some(ErrorKind::FlowStopped),
            Self::Starting | Self::Running | Self::Unknown(_) => Some(ErrorKind::FlowUnfinished),
        }
    }
}

operation! {
    DescribeExecutionRequest = "DescribeExecution" as describe_execution, GET "/", Repeatable, SHORT => Execution;
    new {
        /// The execution's flow.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// The execution. That of a synchronous start has a `:` in its name.
        pub execution_name: String = Parameter "ExecutionName" (Filled),
    }
    with {
        /// How long the service may wait for the execution's end before it answers, 0 to 60 s;
        /// absent is 0.
        pub wait_time_seconds: u32 = Parameter "WaitTimeSeconds",
    }
    about flow_name, execution_name;
    writing {
        fn limits(&self) -> Timeouts {
            let wait = self.wait_time_seconds.unwrap_or_default();
            Timeouts::long_poll(Duration::from_secs(wait.into()))
        }
    }
    outcome {
        fn is_answer_to(answer: &Execution, request: &EncodedFor<Self>) -> bool {
            request.is_about(answer.name.as_deref())
        }
    }
}

answer! {
    /// An execution, as the operations on it show it: started, looked at, listed, stopped.
    /// Serialises with the wire's names.
    Execution {
        /// Name of the flow.
        pub flow_name: Option<String> = "FlowName",
        /// Name of the execution.
        pub name: Option<String> = "Name",
        /// How far it is.
        pub status: ExecutionStatus = "Status",
        /// What it was given.
        pub input: Option<Payload> = "Input",
        /// What it gave; absent while it runs.
        pub output: Option<Payload> = "Output",
        /// The flow's definition at its start. `Debug` does not show it.
        pub flow_definition: Option<String> = "FlowDefinition" (Hidden),
        /// When it began.
        pub started_time: Option<DateTime<Utc>> = "StartedTime",
        /// When it ended.
        pub stopped_time: Option<DateTime<Utc>> = "StoppedTime",
        /// The variables it could read; in the answer of a start there are none.
        pub environment: Option<Environment> = "Environment",
        /// The role that its steps have; shown by `StopExecution` alone.
        pub role_arn: Option<String> = "RoleArn",
    }
    also {
        /// Why it failed, as a code: read from its history by a wait; absent in any other answer.
        pub error_code: Option<FlowText>,
        /// Why it failed, in words; read with the code.
        pub error_message: Option<FlowText>,
        /// Whether the start that this answers began it; `Unclear` in any other answer. Not part of
        /// the wire.
        pub origin: ExecutionOrigin,
    }
}

/// What is known of how an execution came to be.
///
/// The service answers a start under a name with the execution of that name while it runs, and
/// does not say who started it: its input and the time of its start tell, as far as clocks can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExecutionOrigin {
    /// This call started it: its name was made for this call, or it has this call's input and
    /// began after the first attempt went out.
    Started,
    /// It is another's under the caller's name: it has another input, or began ten minutes or more
    /// before the first attempt, or began before it and is of another version than the `qualifier`
    /// that was asked for. Nothing new was started.
    FoundRunning,
    /// The service's answer leaves it open: it shows no input or time, or began within ten minutes
    /// before the first attempt, or this machine's clocks disagree about the time since. With a
    /// `qualifier`, what began before the first attempt may be of another version, where definitions
    /// could not be compared: that needs the rights `fnf:DescribeFlow` and `fnf:DescribeFlowAlias`.
    #[default]
    Unclear,
}

part! {
    /// The variables that executions can read.
    Environment;
    /// These variables.
    new {
        /// The variables.
        pub variables: Vec<Variable> = "Variables",
    }
}

part! {
    /// One variable of an [`Environment`]. `Debug` does not show its value.
    Variable;
    /// A variable of this name and value.
    new {
        /// Its name.
        pub name: String = "Name" (Filled),
        /// Its value.
        pub value: String = "Value" (Hidden),
    }
    with {
        /// What it is for; flows have it, executions do not.
        pub description: String = "Description",
    }
}

impl Execution {
    /// The output as a value, where the execution succeeded. No output reads as JSON `null`.
    ///
    /// # Errors
    ///
    /// As [`into_output`](super::super::StartSyncExecutionResponse::into_output) of a synchronous start; an
    /// execution that still runs is [`ErrorKind::FlowUnfinished`].
    pub fn into_output<T: DeserializeOwned>(self) -> Result<T, Error> {
        Outcome::from(self).into_output()
    }
}

impl From<Execution> for Outcome {
    fn from(execution: Execution) -> Self {
        let ended = FlowFailureParts {
            status: execution.status.as_str().into(),
            code: execution.error_code,
            message: execution.error_message,
            execution: execution.name,
            output: execution.output,
            started: execution.started_time,
            stopped: execution.stopped_time,
            ..FlowFailureParts::default()
        };
        Self::new(Cloud::Alibaba, execution.status.failure(), ended)
            .or_request_id(execution.request_id)
    }
}
