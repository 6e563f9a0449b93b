//! Reports of tasks that wait for a callback.

use crate::{
    alibaba::{
        declare::{answer, operation},
        protocol::Rpc,
    },
    error::{Delivery, Error, ErrorCode},
    payload::{Payload, Secret},
    pipeline::operation::{Outcome, Sent},
};

operation! {
    /// A task that waits for a callback ended well.
    ReportTaskSucceededRequest = "ReportTaskSucceeded" as report_task_succeeded, POST "/", Repeatable, SHORT
        => ReportTaskResponse;
    new {
        /// The task's token, as the flow handed it out. Sent in the body, never in an address.
        pub task_token: Secret = Parameter "TaskToken" (Filled),
    }
    json {
        /// What the task gave: a JSON object; `{}` when absent.
        pub output | output_json: Payload = Parameter "Output" (Object, Else("{}")),
    }
    settle completed;
}

operation! {
    /// A task that waits for a callback ended badly.
    ReportTaskFailedRequest = "ReportTaskFailed" as report_task_failed, POST "/", Repeatable, SHORT
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
    settle completed;
}

answer! {
    /// The answer of `ReportTaskSucceeded` and `ReportTaskFailed`. Serialises with the wire's
    /// names.
    ReportTaskResponse {
        /// The event that the report became.
        pub event_id: Option<i64> = "EventId",
    }
    also {
        /// Whether the task was found completed after an attempt of this call's whose answer was
        /// lost, which is taken for the one that completed it. Not part of the wire.
        pub was_completed: bool,
    }
}

/// A task that is found completed after an attempt of unknown fate was completed by that attempt:
/// nobody else has its token.
async fn completed(error: Error, sent: Sent<'_, Rpc>) -> Outcome<ReportTaskResponse> {
    let is_completed = error.code() == Some(&ErrorCode::TaskAlreadyCompleted);
    let Some(status) = error.status().filter(|_| is_completed) else {
        return Err(error);
    };
    if error.delivery() < Delivery::Unknown {
        return Err(error);
    }
    let value = ReportTaskResponse {
        request_id: error.request_id().map(str::to_owned),
        event_id: None,
        was_completed: true,
    };
    Ok(sent.answered_by(&error, status, value))
}
