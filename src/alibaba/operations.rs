//! The operations of CloudFlow, one file a family.

pub(super) mod executions;
pub(super) mod starts;

#[cfg(test)]
use crate::pipeline::declared::{Declared as _, Entry};

/// Every operation that is declared.
#[cfg(test)]
pub(crate) const ALL: &[&Entry] = &[
    starts::StartExecutionRequest::ENTRY,
    starts::StartSyncExecutionRequest::ENTRY,
    executions::DescribeExecutionRequest::ENTRY,
];
