//! The operations of FunctionGraph that concern flows, one file a family.

pub(super) mod control;
pub(super) mod creation;
pub(super) mod definition;
pub(super) mod executions;
pub(super) mod flows;
pub(super) mod lists;
pub(super) mod metrics;
pub(super) mod runs;

#[cfg(any(test, feature = "emulator"))]
use crate::pipeline::declared::{Declared as _, Entry};

/// Every operation that is declared.
#[cfg(any(test, feature = "emulator"))]
pub(crate) const ALL: &[&Entry] = &[
    executions::StartSyncWorkflowExecutionRequest::ENTRY,
    control::StartWorkflowExecutionRequest::ENTRY,
    runs::ShowWorkflowExecutionRequest::ENTRY,
    control::StopWorkFlowRequest::ENTRY,
    control::RetryWorkFlowRequest::ENTRY,
    control::CreateCallbackWorkflowRequest::ENTRY,
    lists::ListWorkflowExecutionsRequest::ENTRY,
    lists::ShowWorkflowExecutionForPageRequest::ENTRY,
    creation::CreateWorkflowRequest::ENTRY,
    flows::ListWorkflowRequest::ENTRY,
    flows::ShowWorkFlowRequest::ENTRY,
    flows::UpdateWorkFlowRequest::ENTRY,
    flows::BatchDeleteWorkflowsRequest::ENTRY,
    metrics::ShowWorkFlowMetricRequest::ENTRY,
    metrics::ShowTenantMetricRequest::ENTRY,
];
