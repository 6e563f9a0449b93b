//! The service's own clock, which a test may set ahead or back.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use chrono::{DateTime, TimeDelta, Utc};

/// The machine's clock plus an offset.
#[derive(Default)]
pub(crate) struct Clock(Mutex<TimeDelta>);

impl Clock {
    /// The time as the emulated service has it. A shift out of the calendar is no shift.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let now = wall();
        now.checked_add_signed(*lock(&self.0)).unwrap_or(now)
    }

    pub(crate) fn shift(&self, offset: TimeDelta) {
        *lock(&self.0) = offset;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the service's own clock, not the client's"
)]
fn wall() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// Takes a lock. What it guards is whole between statements, so a panic elsewhere does no harm.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
