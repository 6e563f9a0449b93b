//! The service's own clock, which a test may set, advance, slow down and speed up.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::{Duration, Instant, SystemTime},
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

/// The longest single sleep: a timer cannot take any length.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// Two times in one. What is signed is judged by the date, which a test may shift either way.
/// How far executions have got is judged by the time that has passed since the start, which only
/// grows: a shifted date must not run a flow backwards.
pub(crate) struct Clock {
    began: Instant,
    inner: Mutex<Inner>,
    changed: watch::Sender<()>,
}

struct Inner {
    /// The date beside the machine's, without what was gained by advancing and scaling.
    shift: TimeDelta,
    /// What had passed at `since`.
    passed: Duration,
    since: Instant,
    scale: f64,
}

impl Default for Clock {
    fn default() -> Self {
        let began = machine();
        Self {
            began,
            inner: Mutex::new(Inner {
                shift: TimeDelta::zero(),
                passed: Duration::ZERO,
                since: began,
                scale: 1.0,
            }),
            changed: watch::Sender::new(()),
        }
    }
}

impl Inner {
    fn passed(&self, now: Instant) -> Duration {
        let since = now.saturating_duration_since(self.since);
        let grown = Duration::try_from_secs_f64(since.as_secs_f64() * self.scale);
        self.passed.saturating_add(grown.unwrap_or(Duration::MAX))
    }

    /// Begins to count anew.
    fn settle(&mut self, now: Instant) {
        self.passed = self.passed(now);
        self.since = now;
    }
}

impl Clock {
    /// The date as the emulated service has it. A shift out of the calendar is no shift.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let (inner, now) = (lock(&self.inner), wall());
        let gained = self.gained(&inner);
        let shifted = gained.and_then(|gained| now.checked_add_signed(gained));
        let shifted = shifted.and_then(|date| date.checked_add_signed(inner.shift));
        shifted.unwrap_or(now)
    }

    /// How much more (or less) has passed here than on the machine.
    fn gained(&self, inner: &Inner) -> Option<TimeDelta> {
        let now = machine();
        let passed = TimeDelta::from_std(inner.passed(now)).ok()?;
        let real = TimeDelta::from_std(now.saturating_duration_since(self.began)).ok()?;
        passed.checked_sub(&real)
    }

    /// What has passed since the emulator's start.
    pub(crate) fn passed(&self) -> Duration {
        lock(&self.inner).passed(machine())
    }

    pub(crate) fn shift(&self, offset: TimeDelta) {
        let mut inner = lock(&self.inner);
        let gained = self.gained(&inner).unwrap_or_default();
        inner.shift = offset.checked_sub(&gained).unwrap_or(offset);
    }

    pub(crate) fn advance(&self, by: Duration) {
        {
            let mut inner = lock(&self.inner);
            inner.settle(machine());
            inner.passed = inner.passed.saturating_add(by);
        }
        self.changed.send_replace(());
    }

    /// What is no scale, such as a negative one, is as if time stood still.
    pub(crate) fn scale(&self, scale: f64) {
        {
            let mut inner = lock(&self.inner);
            inner.settle(machine());
            inner.scale = if scale.is_finite() {
                scale.max(0.0)
            } else {
                0.0
            };
        }
        self.changed.send_replace(());
    }

    /// Waits until so much has passed since the start, however the clock is set meanwhile.
    pub(crate) async fn until(&self, passed: Duration) {
        let mut changed = self.changed.subscribe();
        loop {
            changed.borrow_and_update();
            let pause = match self.pause_before(passed) {
                Some(Duration::ZERO) => return,
                Some(pause) => pause,
                // Time stands still.
                None => LONGEST_SLEEP,
            };
            let _ = tokio::time::timeout(pause, changed.changed()).await;
        }
    }

    /// Machine time until so much has passed; `None` when time stands still.
    fn pause_before(&self, passed: Duration) -> Option<Duration> {
        let inner = lock(&self.inner);
        let left = passed.saturating_sub(inner.passed(machine()));
        if left.is_zero() {
            return Some(Duration::ZERO);
        }
        if inner.scale <= 0.0 {
            return None;
        }
        let pause = Duration::try_from_secs_f64(left.as_secs_f64() / inner.scale);
        let pause = pause.unwrap_or(LONGEST_SLEEP);
        Some(pause.clamp(Duration::from_micros(100), LONGEST_SLEEP))
    }
}

/// What the work gives, unless the limit comes first.
pub(crate) async fn first<T>(
    work: impl Future<Output = T>,
    limit: impl Future<Output = ()>,
) -> Option<T> {
    let (mut work, mut limit) = (pin!(work), pin!(limit));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => limit.as_mut().poll(context).map(|()| None),
    })
    .await
}

#[expect(
    clippy::disallowed_methods,
    reason = "the service's own clock, not the client's"
)]
fn wall() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// The machine's own time, which no test can turn.
#[expect(
    clippy::disallowed_methods,
    reason = "the service's own clock, not the client's"
)]
pub(crate) fn machine() -> Instant {
    Instant::now()
}

/// Takes a lock. What it guards is whole between statements, so a panic elsewhere does no harm.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn near(date: DateTime<Utc>, other: DateTime<Utc>) -> bool {
        (date - other).abs() < TimeDelta::seconds(30)
    }

    #[test]
    fn advancing_moves_both_times_and_shifting_only_the_date() {
        let clock = Clock::default();
        clock.advance(HOUR);
        assert!(clock.passed() >= HOUR && clock.passed() < 2 * HOUR);
        assert!(near(clock.now(), wall() + TimeDelta::hours(1)));
        clock.shift(TimeDelta::hours(-1));
        assert!(near(clock.now(), wall() - TimeDelta::hours(1)));
        assert!(clock.passed() >= HOUR);
        clock.advance(HOUR);
        assert!(near(clock.now(), wall()));
    }

    #[test]
    fn time_that_stands_still_moves_by_advancing_alone() {
        let clock = Clock::default();
        clock.scale(0.0);
        let before = clock.passed();
        assert_eq!(clock.passed(), before);
        clock.advance(HOUR);
        assert_eq!(clock.passed(), before + HOUR);
        clock.scale(f64::NAN);
        assert_eq!(clock.passed(), before + HOUR);
    }

    #[test]
    fn no_length_of_time_is_too_much() {
        let clock = Clock::default();
        clock.advance(Duration::MAX);
        clock.scale(f64::MAX);
        assert_eq!(clock.passed(), Duration::MAX);
        assert!(near(clock.now(), wall()));
    }

    #[tokio::test]
    async fn a_sleeper_is_woken_by_advancing() {
        let clock = std::sync::Arc::new(Clock::default());
        let end = clock.passed() + HOUR;
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.until(end).await }
        });
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(HOUR);
        sleeper.await.unwrap();
    }
}
