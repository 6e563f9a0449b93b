//! Reports of tasks that wait for a callback.

use crate::{
    alibaba::declare::{answer, operation},
    payload::{Payload, Secret},
};

operation! {
    /// A task that waits for a callback ended well.
    ReportTaskSucceededRequest = "ReportTaskSucceeded", POST "/", Repeatable, SHORT
        => ReportTaskResponse;
    new {
        /// The task's token, as the flow handed it out. Sent in the body, never in an address.
        pub task_token: Secret = Parameter "TaskToken" (Filled),
    }
    json {
        /// What the task gave: a JSON object; `{}` when absent.
        pub output | output_json: Payload = Parameter "Output" (Object, Else("{}")),
    }
}

operation! {
    /// A task that waits for a callback ended badly.
    ReportTaskFailedRequest = "ReportTaskFailed", POST "/", Repeatable, SHORT
        => ReportTaskResponse;
    new {
        /// The task's token, as the flow handed it out. Sent in the body, never in an address.
        pub task_token: Secret = Parameter "TaskToken" (Filled),
        /// What went wrong, as a code that the flow can catch: 1 to 128 characters.
        pub error: String = Parameter "Error" (Length(1, 128)),
    }
    with {
        /// What went wrong, in words: 1 to 4,096 characters.
        pub cause: String = Parameter "Cause" (Length(1, 4096)),
    }
}

answer! {
    /// The answer of `ReportTaskSucceeded` and `ReportTaskFailed`. Serialises with the wire's
    /// names.
    ReportTaskResponse {
        /// The event that the report became.
        pub event_id: Option<i64> = "EventId",
    }
}
