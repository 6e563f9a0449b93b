//! The operations of CloudFlow, one file a family.

pub(super) mod aliases;
pub(super) mod deletes;
pub(super) mod executions;
pub(super) mod flows;
pub(super) mod lists;
pub(super) mod map_runs;
pub(super) mod regions;
pub(super) mod schedules;
pub(super) mod starts;
pub(super) mod stops;
pub(super) mod tasks;
pub(super) mod versions;

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
    flows::CreateFlowRequest::ENTRY,
    flows::DescribeFlowRequest::ENTRY,
    flows::UpdateFlowRequest::ENTRY,
    flows::DeleteFlowRequest::ENTRY,
    flows::ListFlowsRequest::ENTRY,
    versions::PublishFlowVersionRequest::ENTRY,
    versions::DeleteFlowVersionRequest::ENTRY,
    versions::ListFlowVersionsRequest::ENTRY,
    aliases::CreateFlowAliasRequest::ENTRY,
    aliases::DescribeFlowAliasRequest::ENTRY,
    aliases::UpdateFlowAliasRequest::ENTRY,
    aliases::DeleteFlowAliasRequest::ENTRY,
    aliases::ListFlowAliasesRequest::ENTRY,
    schedules::CreateScheduleRequest::ENTRY,
    schedules::DescribeScheduleRequest::ENTRY,
    schedules::UpdateScheduleRequest::ENTRY,
    schedules::DeleteScheduleRequest::ENTRY,
    schedules::ListSchedulesRequest::ENTRY,
    map_runs::DescribeMapRunRequest::ENTRY,
    map_runs::UpdateMapRunRequest::ENTRY,
    regions::DescribeRegionsRequest::ENTRY,
];
