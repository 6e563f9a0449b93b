//! The operations of FunctionGraph that concern flows, one file a family.

pub(super) mod executions;

#[cfg(any(test, feature = "emulator"))]
use crate::pipeline::declared::{Declared as _, Entry};

/// Every operation that is declared.
#[cfg(any(test, feature = "emulator"))]
pub(crate) const ALL: &[&Entry] = &[executions::StartSyncWorkflowExecutionRequest::ENTRY];
