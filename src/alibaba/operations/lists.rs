//! What is known of many executions, and of all that happened in one.

use super::executions::{Execution, ExecutionStatus, check_standard};
use crate::{
    alibaba::declare::{DateTime, Utc, answer, operation, response},
    error::Error,
    open_enum::open_enum,
    payload::Payload,
    pipeline::{declared::write, operation::EncodedFor},
};

operation! {
    /// One page of a flow's executions.
    ListExecutionsRequest = "ListExecutions" as list_executions, GET "/", Repeatable, SHORT => ListExecutionsResponse;
    new {
        /// The flow whose executions are listed.
        pub flow_name: String = Parameter "FlowName" (Name),
    }
    with {
        /// Only executions whose names begin so.
        pub execution_name_prefix: String = Parameter "ExecutionNamePrefix",
        /// How many executions a page may have: 1 to 100, or 99 in the English document; absent is
        /// 60.
        pub limit: u32 = Parameter "Limit" (Range(1, u32::MAX as i64)),
        /// Only the executions that this run of a distributed map began.
        pub map_run_name: String = Parameter "MapRunName",
        /// Whether definition, input and output are left out.
        pub metadata_only: bool = Parameter "MetadataOnly",
        /// Where the page begins, as the page before said it.
        pub next_token: String = Parameter "NextToken",
        /// Only executions of this version or alias.
        pub qualifier: String = Parameter "Qualifier",
        /// Only executions that began then or later.
        pub started_time_begin: DateTime<Utc> = Parameter "StartedTimeBegin",
        /// Only executions that began then or earlier.
        pub started_time_end: DateTime<Utc> = Parameter "StartedTimeEnd",
        /// Only executions of this status.
        pub status: ExecutionStatus = Parameter "Status",
    }
    writing {
        fn encoded(self) -> Result<EncodedFor<Self>, Error> {
            let encoded = write(&self)?;
            match (self.started_time_begin, self.started_time_end) {
                (Some(begin), Some(end)) if end < begin => {
                    Err(Error::invalid("StartedTimeEnd", "is before StartedTimeBegin"))
                }
                _ => Ok(encoded),
            }
        }
    }
}

answer! {
    /// The answer of `ListExecutions`: one page. Serialises with the wire's names.
    ListExecutionsResponse {
        /// Where the next page begins; absent on the last.
        pub next_token: Option<String> = "NextToken",
        /// The executions of this page.
        pub executions: Vec<Execution> = "Executions",
    }
}

operation! {
    /// One page of what happened in an execution, oldest
    /// first.
    GetExecutionHistoryRequest = "GetExecutionHistory" as get_execution_history, GET "/", Repeatable, SHORT
        => GetExecutionHistoryResponse;
    new {
        /// The execution's flow.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// The execution, of mode Standard.
        pub execution_name: String = Parameter "ExecutionName" (Filled),
    }
    with {
        /// How many events a page may have: 1 to 999; absent is 60.
        pub limit: u32 = Parameter "Limit" (Range(1, u32::MAX as i64)),
        /// Where the page begins, as the page before said it: an event's id.
        pub next_token: String = Parameter "NextToken",
    }
    writing {
        fn encoded(self) -> Result<EncodedFor<Self>, Error> {
            let encoded = write(&self)?;
            check_standard(&self.execution_name).map(|()| encoded)
        }
    }
}

answer! {
    /// The answer of `GetExecutionHistory`: one page. Serialises with the wire's names.
    GetExecutionHistoryResponse {
        /// Where the next page begins; absent on the last.
        pub next_token: Option<String> = "NextToken",
        /// The events of this page.
        pub events: Vec<Event> = "Events",
    }
}

response! {
    /// Something that happened in an execution.
    Event {
        /// Its number in the execution, ascending.
        pub event_id: Option<i64> = "EventId",
        /// The event that it follows from: of a task's end the one that scheduled it.
        pub schedule_event_id: Option<i64> = "ScheduleEventId",
        /// What happened.
        pub event_type: Option<EventType> = "Type",
        /// The step in which it happened.
        pub step_name: Option<String> = "StepName",
        /// When it happened.
        pub time: Option<DateTime<Utc>> = "Time",
        /// More of it, as JSON: inputs and outputs among it.
        pub event_detail: Option<Payload> = "EventDetail",
    }
}

open_enum! {
    /// What happened in an execution.
    EventType {
        /// A step is begun.
        StepEntered = "StepEntered",
        /// A step has its input.
        StepStarted = "StepStarted",
        /// A step ended well.
        StepSucceeded = "StepSucceeded",
        /// A step ended badly.
        StepFailed = "StepFailed",
        /// A step is left.
        StepExited = "StepExited",
        /// A branch of a parallel step is begun.
        BranchEntered = "BranchEntered",
        /// A branch of a parallel step is left.
        BranchExited = "BranchExited",
        /// A round of a loop is begun.
        IterationEntered = "IterationEntered",
        /// A round of a loop is left.
        IterationExited = "IterationExited",
        /// A task is to run.
        TaskScheduled = "TaskScheduled",
        /// A task runs.
        TaskStarted = "TaskStarted",
        /// A task was handed over; its end will be reported.
        TaskSubmitted = "TaskSubmitted",
        /// A task could not be handed over.
        TaskSubmitFailed = "TaskSubmitFailed",
        /// A task ended well.
        TaskSucceeded = "TaskSucceeded",
        /// A task ended badly.
        TaskFailed = "TaskFailed",
        /// A task ran into its time limit.
        TaskTimedOut = "TaskTimedOut",
        /// The execution began.
        ExecutionStarted = "ExecutionStarted",
        /// The execution was stopped.
        ExecutionStopped = "ExecutionStopped",
        /// The execution ended well.
        ExecutionSucceeded = "ExecutionSucceeded",
        /// The execution ended badly.
        ExecutionFailed = "ExecutionFailed",
        /// The execution ran into its time limit.
        ExecutionTimedOut = "ExecutionTimedOut",
        /// A run of a distributed map began.
        MapRunStarted = "MapRunStarted",
    }
}
