//! Flows: listed, looked at, changed, deleted. Beside them, `creation` makes them.

use chrono::{DateTime, Utc};

use super::definition::{WorkflowCreateBody, WorkflowMode};
use crate::huawei::declare::{operation, response};

operation! {
    /// One page of the project's flows.
    ListWorkflowRequest = "ListWorkflow",
        GET "/v2/{project_id}/fgs/workflows", Repeatable, SHORT => ListWorkflowResponse;
    new {}
    with {
        /// Only flows of this name: up to 64 characters. Whether a part of the name is enough is
        /// not documented.
        pub workflow_name: String = Query "workflow_name" (Length(0, 64)),
        /// How many flows a page may have: 1 to 200; the service cuts more in silence.
        pub limit: u32 = Query "limit" (Range(1, 200)),
        /// How many flows are passed over.
        pub offset: u32 = Query "offset",
        /// Only flows of this enterprise project.
        pub enterprise_project: String = Query "enterprise_project",
        /// Only flows of this mode.
        pub mode: WorkflowMode = Query "mode",
    }
}

response! {
    /// The answer of `ListWorkflow`: one page. Serialises with the wire's names.
    ListWorkflowResponse {
        /// How many flows there are.
        pub total: Option<i64> = "total",
        /// How many of them are on this page.
        pub size: Option<i64> = "size",
        /// The flows of this page.
        pub workflows: Vec<WorkflowSimpleInfo> = "workflows",
    }
}

response! {
    /// A flow as it is made, changed and listed. Serialises with the wire's names.
    WorkflowSimpleInfo {
        /// Its id.
        pub id: String = "id",
        /// Its URN: `urn:fss:{region}:{project}:workflow:default:{name}:latest`.
        pub workflow_urn: Option<String> = "workflow_urn",
        /// Its name.
        pub name: Option<String> = "name",
        /// What it is for.
        pub description: Option<String> = "description",
        /// When it was made.
        pub created_time: Option<DateTime<Utc>> = "created_time",
        /// When it was changed last.
        pub updated_time: Option<DateTime<Utc>> = "updated_time",
        /// Who made it.
        pub created_by: Option<String> = "created_by",
        /// Whether it can answer piece by piece.
        pub enable_stream_response: Option<bool> = "enable_stream_response",
    }
}

operation! {
    /// Looks at a flow.
    ShowWorkFlowRequest = "ShowWorkFlow",
        GET "/v2/{project_id}/fgs/workflows/{workflow_id}", Repeatable, SHORT => WorkflowInfo;
    new {
        /// Id of the flow: 1 to 512 characters.
        pub workflow_id: String = Path "workflow_id" (Length(1, 512)),
    }
}

response! {
    /// The answer of `ShowWorkFlow`. Serialises with the wire's names. `Debug` does not show the
    /// definition.
    WorkflowInfo {
        /// Its id.
        pub id: Option<String> = "id",
        /// Its URN.
        pub workflow_urn: Option<String> = "workflow_urn",
        /// When it was made.
        pub created_time: Option<DateTime<Utc>> = "created_time",
        /// When it was changed last.
        pub updated_time: Option<DateTime<Utc>> = "updated_time",
        /// Who made it.
        pub created_by: Option<String> = "created_by",
        /// The group of logs of a flow of mode EXPRESS that is logged.
        pub lts_group_id: Option<String> = "lts_group_id",
        /// The stream of logs of a flow of mode EXPRESS that is logged.
        pub lts_stream_id: Option<String> = "lts_stream_id",
        /// What it does.
        pub definition: Option<WorkflowCreateBody> = "definition" (Hidden),
    }
}

operation! {
    /// Replaces a flow's definition by another, as a whole.
    UpdateWorkFlowRequest = "UpdateWorkFlow",
        PUT "/v2/{project_id}/fgs/workflows/{workflow_id}", Repeatable, SHORT
        => WorkflowSimpleInfo;
    new {
        /// Id of the flow: 1 to 512 characters.
        pub workflow_id: String = Path "workflow_id" (Length(1, 512)),
        /// All that the flow does from now on.
        pub body: WorkflowCreateBody = Body "body",
    }
}

operation! {
    /// Deletes flows.
    BatchDeleteWorkflowsRequest = "BatchDeleteWorkflows",
        DELETE "/v2/{project_id}/fgs/workflows", Repeatable, SHORT
        => BatchDeleteWorkflowsResponse;
    new {
        /// The flows' URNs: up to 200, of which the answer names 100 at most.
        pub workflow_urns: Vec<String> = Member "workflow_urns" (Length(0, 200)),
    }
}

response! {
    /// The answer of `BatchDeleteWorkflows`, in part a success. What a URN that it does not name
    /// has come to is not known. Serialises with the wire's names.
    BatchDeleteWorkflowsResponse {
        /// The URNs of flows that were deleted: up to 100.
        pub success: Vec<String> = "success",
        /// The flows that were not.
        pub fail: Vec<OperateErrorInfo> = "fail",
    }
}

response! {
    /// A flow that was not deleted.
    OperateErrorInfo {
        /// Its URN.
        pub workflow_urn: Option<String> = "workflow_urn",
        /// Why, in the service's words.
        pub error_detail: Option<String> = "error_detail",
    }
}
