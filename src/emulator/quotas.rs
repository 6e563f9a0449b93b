//! How much the emulated account may call.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use super::clock::lock;

/// A token bucket: so many calls at once, and so many more a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// How many calls a full bucket lets through at once.
    pub burst: u32,
    /// How many more it lets through each second of the emulator's time.
    pub refill_per_second: f64,
}

impl Bucket {
    /// A bucket of this size and refill.
    pub fn new(burst: u32, refill_per_second: f64) -> Self {
        Self {
            burst,
            refill_per_second,
        }
    }

    fn times(self, factor: f64) -> Self {
        Self {
            refill_per_second: self.refill_per_second * factor,
            ..self
        }
    }
}

/// The quotas of an emulated account. A field that is `None` sets no limit, and without
/// [`Emulator::quotas`](super::Emulator::quotas) all are.
///
/// A call over its quota is refused with HTTP 429 and `ResourceThrottled`, after its signature was
/// checked. A step over its quota waits for its turn.
///
/// ```
/// use cloud_workflows::emulator::{Bucket, Quotas};
///
/// let raised = Quotas {
///     describe_execution: Some(Bucket::new(100, 10.0)),
///     ..Quotas::documented()
/// };
/// ```
///
/// Source: Alibaba Cloud, CloudFlow, Limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Quotas {
    /// `StartExecution` (documented: 100, then 100 a second).
    pub start_execution: Option<Bucket>,
    /// `StartSyncExecution` (documented for Express flows: 1,000 a second).
    pub start_sync_execution: Option<Bucket>,
    /// `DescribeExecution` (documented: 50, then 5 a second).
    pub describe_execution: Option<Bucket>,
    /// `GetExecutionHistory` (documented: 50, then 5 a second).
    pub get_execution_history: Option<Bucket>,
    /// All other operations of CloudFlow together (documented: 10, then 2 a second).
    pub other_operations: Option<Bucket>,
    /// Steps that executions enter (documented: 100, then 100 a second). The account's, always.
    pub step_transitions: Option<Bucket>,
    /// How many flows there can be that were made over the API (documented: 10,000).
    pub flows: Option<usize>,
    /// Whether all callers share the buckets, as in an account (default). With `false` each
    /// access key has buckets of its own.
    pub account_bucket_shared_between_clients: bool,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            start_execution: None,
            start_sync_execution: None,
            describe_execution: None,
            get_execution_history: None,
            other_operations: None,
            step_transitions: None,
            flows: None,
            account_bucket_shared_between_clients: true,
        }
    }
}

impl Quotas {
    /// The figures of the vendor's documents.
    pub fn documented() -> Self {
        Self {
            start_execution: Some(Bucket::new(100, 100.0)),
            start_sync_execution: Some(Bucket::new(1000, 1000.0)),
            describe_execution: Some(Bucket::new(50, 5.0)),
            get_execution_history: Some(Bucket::new(50, 5.0)),
            other_operations: Some(Bucket::new(10, 2.0)),
            step_transitions: Some(Bucket::new(100, 100.0)),
            flows: Some(10_000),
            ..Self::default()
        }
    }

    /// The same quotas, refilled so many times as fast: for tests that do in seconds what takes
    /// minutes.
    #[must_use]
    pub fn refilled_times(self, factor: f64) -> Self {
        let times = |bucket: Option<Bucket>| bucket.map(|bucket| bucket.times(factor));
        Self {
            start_execution: times(self.start_execution),
            start_sync_execution: times(self.start_sync_execution),
            describe_execution: times(self.describe_execution),
            get_execution_history: times(self.get_execution_history),
            other_operations: times(self.other_operations),
            step_transitions: times(self.step_transitions),
            flows: self.flows,
            account_bucket_shared_between_clients: self.account_bucket_shared_between_clients,
        }
    }

    /// The bucket of an operation of CloudFlow, and what it is called.
    fn of(&self, operation: &str) -> (&'static str, Option<Bucket>) {
        match operation {
            "StartExecution" => ("StartExecution", self.start_execution),
            "StartSyncExecution" => ("StartSyncExecution", self.start_sync_execution),
            "DescribeExecution" => ("DescribeExecution", self.describe_execution),
            "GetExecutionHistory" => ("GetExecutionHistory", self.get_execution_history),
            _ => ("", self.other_operations),
        }
    }
}

/// The buckets, as full as they are.
#[derive(Default)]
pub(crate) struct Buckets(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    quotas: Quotas,
    /// By bucket and access key: when it is full again.
    full_at: HashMap<(&'static str, String), Duration>,
    steps_full_at: Duration,
}

impl Buckets {
    /// Sets other quotas; all buckets are full again.
    pub(crate) fn set(&self, quotas: Quotas) {
        *lock(&self.0) = Inner {
            quotas,
            ..Inner::default()
        };
    }

    /// Takes a token for a call; false when there is none.
    pub(crate) fn take(&self, operation: &str, access_key: &str, now: Duration) -> bool {
        let mut inner = lock(&self.0);
        let (name, bucket) = inner.quotas.of(operation);
        let Some(bucket) = bucket else {
            return true;
        };
        let caller = if inner.quotas.account_bucket_shared_between_clients {
            ""
        } else {
            access_key
        };
        let full_at = inner.full_at.entry((name, caller.to_owned())).or_default();
        let (turn, next) = bucket.turn(*full_at, now);
        if turn > now {
            return false;
        }
        *full_at = next;
        true
    }

    /// Whether there may be one flow more than so many.
    pub(crate) fn has_room_for_flow(&self, flows: usize) -> bool {
        lock(&self.0).quotas.flows.is_none_or(|most| flows < most)
    }

    /// Takes a token for a step that wants to begin at `wanted`; says when it may. `None` where
    /// steps are not counted.
    pub(crate) fn step(&self, wanted: Duration) -> Option<Duration> {
        let mut inner = lock(&self.0);
        let bucket = inner.quotas.step_transitions?;
        let (turn, next) = bucket.turn(inner.steps_full_at, wanted);
        inner.steps_full_at = next;
        Some(turn)
    }
}

impl Bucket {
    /// When the next token can be had, and when the bucket is full again after it is taken.
    fn turn(self, full_at: Duration, now: Duration) -> (Duration, Duration) {
        let seconds = |tokens: f64| {
            let time = Duration::try_from_secs_f64(tokens / self.refill_per_second);
            time.unwrap_or(Duration::MAX)
        };
        let full_at = full_at.max(now).saturating_add(seconds(1.0));
        let turn = full_at.saturating_sub(seconds(f64::from(self.burst)));
        (turn.max(now), full_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn taken(buckets: &Buckets, operation: &str, now: Duration) -> usize {
        (0..1000)
            .filter(|_| buckets.take(operation, "key", now))
            .count()
    }

    #[test]
    fn a_bucket_lets_its_burst_through_and_then_its_refill() {
        let buckets = Buckets::default();
        assert_eq!(taken(&buckets, "DescribeExecution", SECOND), 1000);
        buckets.set(Quotas::documented());
        assert_eq!(taken(&buckets, "DescribeExecution", SECOND), 50);
        assert_eq!(taken(&buckets, "DescribeExecution", 2 * SECOND), 5);
        assert_eq!(taken(&buckets, "GetExecutionHistory", 2 * SECOND), 50);
        assert_eq!(taken(&buckets, "DescribeExecution", 100 * SECOND), 50);
    }

    #[test]
    fn all_other_operations_share_one_bucket() {
        let buckets = Buckets::default();
        buckets.set(Quotas::documented().refilled_times(2.0));
        assert_eq!(taken(&buckets, "ListExecutions", SECOND), 10);
        assert_eq!(taken(&buckets, "StopExecution", SECOND), 0);
        assert_eq!(taken(&buckets, "StopExecution", 2 * SECOND), 4);
    }

    #[test]
    fn keys_share_the_buckets_unless_told_otherwise() {
        let buckets = Buckets::default();
        buckets.set(Quotas::documented());
        assert!((0..50).all(|_| buckets.take("DescribeExecution", "one", SECOND)));
        assert!(!buckets.take("DescribeExecution", "other", SECOND));
        buckets.set(Quotas {
            account_bucket_shared_between_clients: false,
            ..Quotas::documented()
        });
        assert!((0..50).all(|_| buckets.take("DescribeExecution", "one", SECOND)));
        assert!(buckets.take("DescribeExecution", "other", SECOND));
        assert!(!buckets.take("DescribeExecution", "one", SECOND));
    }

    #[test]
    fn steps_wait_for_their_turn() {
        let buckets = Buckets::default();
        buckets.set(Quotas {
            step_transitions: Some(Bucket::new(2, 1.0)),
            ..Quotas::default()
        });
        let turns: Vec<_> = (0..4).filter_map(|_| buckets.step(SECOND)).collect();
        assert_eq!(turns, [SECOND, SECOND, 2 * SECOND, 3 * SECOND]);
    }
}
