//! Flows: made. What became of one that was to be made is asked of the operations on flows.

use super::{definition::WorkflowCreateBody, flows::WorkflowSimpleInfo};
use crate::huawei::{declare::operation, made};

operation! {
    /// Makes a flow.
    CreateWorkflowRequest = "CreateWorkflow",
        POST "/v2/{project_id}/fgs/workflows", Once, SHORT => WorkflowSimpleInfo;
    new {
        /// What the flow does.
        pub body: WorkflowCreateBody = Body "body",
    }
    settle made::settle;
}
