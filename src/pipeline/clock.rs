//! The only file that reads time: the wall clock, corrected by the service's, and the monotonic
//! clock.
//!
//! Neither is right alone. The monotonic clock may stand still while a laptop sleeps or a virtual
//! machine is paused; the wall clock is set by people and programs.

#[cfg(test)]
use std::sync::{Arc, atomic::AtomicU64};
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime},
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
    #[cfg(test)]
    slept_ms: Arc<AtomicU64>,
}

impl Clock {
    /// A clock that starts at `wall` and runs with the (paused) monotonic clock.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn starting_at(wall: DateTime<Utc>) -> Self {
        Self {
            fixed: Some((wall, monotonic())),
            ..Self::default()
        }
    }

    /// Now, corrected by what was learned.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let offset = TimeDelta::milliseconds(self.offset_ms.load(Ordering::Relaxed));
        DateTime::<Utc>::from(self.wall()) + offset
    }

    /// Corrects the clock: the service says that it is `service_time` now.
    pub(crate) fn correct(&self, service_time: DateTime<Utc>) {
        let offset = (service_time - DateTime::<Utc>::from(self.wall())).num_milliseconds();
        self.offset_ms.store(offset, Ordering::Relaxed);
    }

    /// Now, by both clocks; nothing that a service says changes it.
    pub(crate) fn moment(&self) -> Moment {
        Moment {
            monotonic: monotonic(),
            wall: self.wall(),
        }
    }

    fn wall(&self) -> SystemTime {
        #[cfg(any(test, fuzzing))]
        if let Some((wall, start)) = self.fixed {
            let wall = SystemTime::from(wall) + (monotonic() - start);
            #[cfg(test)]
            let wall = wall + Duration::from_millis(self.slept_ms.load(Ordering::Relaxed));
            return wall;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the file that reads time"
        )]
        SystemTime::now()
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

/// One moment, as both clocks show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) monotonic: Instant,
    wall: SystemTime,
}

impl Moment {
    /// The moment so much later, where the clocks can show it.
    pub(crate) fn checked_add(self, time: Duration) -> Option<Self> {
        Some(Self {
            monotonic: self.monotonic.checked_add(time)?,
            wall: self.wall.checked_add(time)?,
        })
    }

    /// Whether either clock says that `end` has come.
    pub(crate) fn has_reached(self, end: Self) -> bool {
        self.monotonic >= end.monotonic || self.wall >= end.wall
    }

    /// Whether both clocks saw the same time go by since then, within 2 s: one of them alone
    /// proves nothing.
    pub(crate) fn agrees_since(self, then: Self) -> bool {
        const TOLERANCE: Duration = Duration::from_secs(2);
        let ran = self.monotonic.saturating_duration_since(then.monotonic);
        match self.wall.duration_since(then.wall) {
            Ok(passed) => passed.abs_diff(ran) <= TOLERANCE,
            Err(set_back) => set_back.duration().saturating_add(ran) <= TOLERANCE,
        }
    }
}

/// A laptop's lid, for tests: while it is shut the wall clock goes on and the monotonic one stands
/// still.
#[cfg(test)]
pub(crate) struct Lid(Arc<AtomicU64>);

#[cfg(test)]
impl Lid {
    pub(crate) fn shut_for(&self, time: Duration) {
        self.0.fetch_add(time.as_millis() as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
impl Clock {
    pub(crate) fn lid(&self) -> Lid {
        Lid(self.slept_ms.clone())
    }
}
