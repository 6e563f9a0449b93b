//! The only file that reads time: the wall clock, corrected by the service's, and the monotonic
//! clock.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::SystemTime,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// The time as the service sees it, as far as it has told us.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// Service time minus our wall clock, in milliseconds.
    offset_ms: AtomicI64,
    #[cfg(any(test, fuzzing))]
    fixed: Option<(DateTime<Utc>, Instant)>,
}

impl Clock {
    /// A clock that starts at `wall` and runs with the (paused) monotonic clock.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn starting_at(wall: DateTime<Utc>) -> Self {
        Self {
            offset_ms: AtomicI64::new(0),
            fixed: Some((wall, monotonic())),
        }
    }

    /// Now, corrected by what was learned.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.wall() + TimeDelta::milliseconds(self.offset_ms.load(Ordering::Relaxed))
    }

    /// Corrects the clock: the service says that it is `service_time` now.
    pub(crate) fn correct(&self, service_time: DateTime<Utc>) {
        let offset = (service_time - self.wall()).num_milliseconds();
        self.offset_ms.store(offset, Ordering::Relaxed);
    }

    fn wall(&self) -> DateTime<Utc> {
        #[cfg(any(test, fuzzing))]
        if let Some((wall, start)) = self.fixed {
            return wall + (monotonic() - start);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the file that reads time"
        )]
        SystemTime::now().into()
    }
}

/// The monotonic clock; it stands still where a test pauses it.
pub(crate) fn monotonic() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the file that reads time"
    )]
    Instant::now()
}
