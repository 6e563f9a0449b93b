//! How the emulated services lag, err and surprise.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::clock::lock;

/// What a test wants the services to do other than at once and right: each of them was seen in
/// real services. All are off by default. Times are the emulator's.
///
/// ```
/// use std::time::Duration;
/// use cloud_workflows::emulator::{Emulator, Quirks};
///
/// # fn main() -> std::io::Result<()> {
/// let emulator = Emulator::start()?;
/// emulator.quirks(Quirks {
///     not_visible_for: Duration::from_secs(2),
///     list_lag: Duration::from_secs(30),
///     deny: ["fnf:GetExecutionHistory".to_owned()].into(),
///     ..Quirks::default()
/// });
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// So long after its start an execution is not found by any look at it alone (default: no
    /// time). A start under its name finds it all the same. So long after it was made or changed,
    /// a flow, alias or schedule is described as it was before (Alibaba Cloud).
    pub not_visible_for: Duration,
    /// Lists show executions, and what was made over the API of Alibaba Cloud, as they were so long
    /// ago (default: no time).
    pub list_lag: Duration,
    /// So long after its end an execution that succeeded has no output and no end time (default:
    /// no time).
    pub output_late_by: Duration,
    /// After so many pages the tokens of a list begin anew: with 1 the token repeats, with 2 they
    /// go A, B, A, B (default: 0, they do not).
    pub token_cycle: usize,
    /// The page of this number, counted from 1, has no items but a token that leads on (default:
    /// 0, none).
    pub empty_page_at: usize,
    /// Offsets count pages, not items (Huawei Cloud; default: no).
    pub offset_counts_pages: bool,
    /// So long after a retry an execution still shows its old end (Huawei Cloud; default: no time).
    pub retry_keeps_old_end_for: Duration,
    /// What is not there is answered with HTTP 500 and `FSS.0500` (Huawei Cloud; default: no).
    pub fss0500_for_missing: bool,
    /// So long after it was deleted a flow is described and listed as it was, and its name is taken
    /// (Alibaba Cloud; default: no time). It cannot be started or changed.
    pub describe_after_delete_for: Duration,
    /// Definitions come back in other words of the same meaning (default: no). On Alibaba Cloud the
    /// parts of the outermost level are in another order, `yes` and `no` in them are `true` and
    /// `false` as in YAML 1.1, lines are ended by `\n`, and there is no byte order mark. On Huawei
    /// Cloud members are in another order, and some that were left out are there.
    pub reformat_definitions: bool,
    /// `BatchDeleteWorkflows` names so many deleted flows at most (Huawei Cloud; default: 100, as
    /// its document has it). It deletes the others all the same.
    pub batch_delete_reports_at_most: Option<usize>,
    /// Operations that the caller has no right to, such as `fnf:DescribeExecution`,
    /// `sts:AssumeRole` or `ShowWorkflowExecution` (default: none). They are refused with HTTP
    /// 403.
    pub deny: BTreeSet<String>,
    /// The ARNs of the roles that there are (Alibaba Cloud; default: empty, any role is there).
    pub roles: BTreeSet<String>,
    /// Something on the way cuts the connection of a call that waits for an execution's end when
    /// it has lasted so long (default: it does not).
    pub cut_long_polls_after: Option<Duration>,
    /// So long after a task was submitted its report is refused with `TaskInvalidState` (default:
    /// no time).
    pub task_report_too_early_for: Duration,
}

/// The quirks as they are set now.
#[derive(Default)]
pub(crate) struct Current(Mutex<Arc<Quirks>>);

impl Current {
    pub(crate) fn set(&self, quirks: Quirks) {
        *lock(&self.0) = Arc::new(quirks);
    }

    pub(crate) fn get(&self) -> Arc<Quirks> {
        Arc::clone(&lock(&self.0))
    }

    /// Whether an operation is denied, written with the service's prefix or without.
    pub(crate) fn denies(&self, service: &str, operation: &str) -> bool {
        let quirks = self.get();
        quirks.deny.contains(operation) || quirks.deny.contains(&format!("{service}:{operation}"))
    }
}
