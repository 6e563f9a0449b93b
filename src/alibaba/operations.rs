//! The operations of CloudFlow, one file a family.

pub(super) mod executions;
pub(super) mod lists;
pub(super) mod starts;
pub(super) mod stops;
pub(super) mod tasks;

#[cfg(any(test, feature = "emulator"))]
use crate::pipeline::declared::{Declared as _, Entry};

/// Every operation that is declared.
#[cfg(any(test, feature = "emulator"))]
pub(crate) const ALL: &[&Entry] = &[
    starts::StartExecutionRequest::ENTRY,
    starts::StartSyncExecutionRequest::ENTRY,
    executions::DescribeExecutionRequest::ENTRY,
    lists::ListExecutionsRequest::ENTRY,
    lists::GetExecutionHistoryRequest::ENTRY,
    stops::StopExecutionRequest::ENTRY,
    tasks::ReportTaskSucceededRequest::ENTRY,
    tasks::ReportTaskFailedRequest::ENTRY,
];
