//! The account's quotas of calls, and a client's pace for each of them.

use crate::pipeline::pace::{Pacers, Quota};

/// A quota of calls that the account has. Each operation counts in one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bucket {
    /// `StartExecution`: documented are 100 calls at once and 100 a second.
    StartExecution,
    /// `DescribeExecution`: documented are 50 calls at once and 5 a second.
    DescribeExecution,
    /// `GetExecutionHistory`: documented are 50 calls at once and 5 a second.
    GetExecutionHistory,
    /// All other operations together: documented are 10 calls at once and 2 a second.
    Others,
}

impl Bucket {
    /// An operation that counts there.
    pub(super) fn operation(self) -> &'static str {
        match self {
            Self::StartExecution => "StartExecution",
            Self::DescribeExecution => "DescribeExecution",
            Self::GetExecutionHistory => "GetExecutionHistory",
            Self::Others => "ListExecutions",
        }
    }
}

/// What the account may ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quotas {
    start: Quota,
    describe: Quota,
    history: Quota,
    others: Quota,
}

impl Default for Quotas {
    /// As documented.
    fn default() -> Self {
        Self {
            start: Quota::new(100, 100.0),
            describe: Quota::new(50, 5.0),
            history: Quota::new(50, 5.0),
            others: Quota::new(10, 2.0),
        }
    }
}

impl Quotas {
    pub(super) fn set(&mut self, bucket: Bucket, quota: Quota) {
        match bucket {
            Bucket::StartExecution => self.start = quota,
            Bucket::DescribeExecution => self.describe = quota,
            Bucket::GetExecutionHistory => self.history = quota,
            Bucket::Others => self.others = quota,
        }
    }

    pub(super) fn pacers(self) -> Pacers {
        let own = [
            (Bucket::StartExecution.operation(), self.start),
            (Bucket::DescribeExecution.operation(), self.describe),
            (Bucket::GetExecutionHistory.operation(), self.history),
        ];
        Pacers::new(&own, self.others)
    }
}
