//! Stops of executions.

use super::executions::{Execution, check_standard};
use crate::{
    alibaba::declare::operation,
    error::Error,
    pipeline::{
        declared::write,
        operation::{EncodedFor, Subject},
    },
};

operation! {
    StopExecutionRequest = "StopExecution" as stop_execution, POST "/", Repeatable, SHORT => Execution;
    new {
        /// The execution's flow.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// The execution, of mode Standard.
        pub execution_name: String = Parameter "ExecutionName" (Filled),
    }
    with {
        /// Why it is stopped, in words: 1 to 4,096 characters.
        pub cause: String = Parameter "Cause" (Length(1, 4096)),
        /// Why it is stopped, as a code of the caller's: 1 to 128 characters.
        pub error: String = Parameter "Error" (Length(1, 128)),
    }
    writing {
        fn encoded(self) -> Result<EncodedFor<Self>, Error> {
            let encoded = write(&self)?;
            check_standard(&self.execution_name)?;
            Ok(encoded.about(Subject::named(self.flow_name, self.execution_name)))
        }
    }
    outcome {
        fn is_answer_to(answer: &Execution, request: &EncodedFor<Self>) -> bool {
            request.is_about(answer.name.as_deref())
        }
    }
}
