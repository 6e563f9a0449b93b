//! Lists of executions.

use chrono::{DateTime, Utc};

use super::runs::WorkflowRunStatus;
use crate::huawei::declare::{operation, response};

operation! {
    /// One page of a flow's executions.
    ///
    /// Without times, the service looks at the last three days; with one, at the three days from it.
    ListWorkflowExecutionsRequest = "ListWorkflowExecutions" as list_workflow_executions,
        GET "/v2/{project_id}/fgs/workflows/{workflow_id}/executions", Repeatable, SHORT
        => ListWorkflowExecutionsResponse;
    new {
        /// Id of the flow: 1 to 512 characters.
        pub workflow_id: String = Path "workflow_id" (Length(1, 512)),
    }
    with {
        /// How many executions a page may have: 1 to 200; the service cuts more in silence.
        pub limit: u32 = Query "limit" (Range(1, 200)),
        /// How many executions are passed over.
        pub offset: u32 = Query "offset",
        /// Only executions of this status: the first five.
        pub status: WorkflowRunStatus = Query "status",
        /// Only executions that began then or later.
        pub start_time: DateTime<Utc> = Query "start_time" (Spaced),
        /// Only executions that began then or earlier.
        pub end_time: DateTime<Utc> = Query "end_time" (Spaced),
    }
}

response! {
    /// The answer of `ListWorkflowExecutions`: one page, of which nobody says how many there are.
    ListWorkflowExecutionsResponse {
        /// The executions of this page.
        pub executions: Vec<WorkflowExecutionBrief> = "executions",
    }
}

operation! {
    /// One page of the history of executions, with
    /// their number.
    ShowWorkflowExecutionForPageRequest = "ShowWorkflowExecutionForPage" as show_workflow_execution_for_page,
        GET "/v2/{project_id}/fgs/workflows/{workflow_id}/executions-history", Repeatable, SHORT
        => ShowWorkflowExecutionForPageResponse;
    new {
        /// Id of the flow: 1 to 512 characters.
        pub workflow_id: String = Path "workflow_id" (Length(1, 512)),
        /// How many executions are passed over.
        pub offset: u32 = Query "offset",
        /// How many executions a page may have: 1 to 100.
        pub limit: u32 = Query "limit" (Range(1, 100)),
    }
    with {
        /// Only executions that began then or later.
        pub start_time: DateTime<Utc> = Query "start_time" (Spaced),
        /// Only executions that began then or earlier.
        pub end_time: DateTime<Utc> = Query "end_time" (Spaced),
    }
}

response! {
    /// The answer of `ShowWorkflowExecutionForPage`: one page. Serialises with the wire's names.
    ShowWorkflowExecutionForPageResponse {
        /// How many executions there are.
        pub total: Option<i64> = "total",
        /// How many of them are on this page.
        pub size: Option<i64> = "size",
        /// The executions of this page.
        pub executions: Vec<WorkflowExecutionBrief> = "executions",
    }
}

response! {
    /// An execution in a list.
    WorkflowExecutionBrief {
        /// Id of the flow.
        pub workflow_id: Option<String> = "workflow_id",
        /// URN of the flow.
        pub workflow_urn: Option<String> = "workflow_urn",
        /// Id of the execution.
        pub execution_id: Option<String> = "execution_id",
        /// How far it is.
        pub status: Option<WorkflowRunStatus> = "status",
        /// When it began.
        pub begin_time: Option<DateTime<Utc>> = "begin_time",
        /// When it ended.
        pub end_time: Option<DateTime<Utc>> = "end_time",
        /// When it last changed.
        pub last_update_time: Option<DateTime<Utc>> = "last_update_time",
        /// Who started it.
        pub created_by: Option<String> = "created_by",
    }
}
