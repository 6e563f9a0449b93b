//! A load that many wait for, in several runtimes, and one runtime drives.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::watch,
    task::{AbortHandle, JoinError},
    time::{Instant, error::Elapsed, timeout, timeout_at},
};

use super::{clock::monotonic, credential::BoxFuture, meanwhile::meanwhile, pools::Place};
use crate::error::Error;

/// How often a load shows that its runtime is running.
const TICK: Duration = Duration::from_millis(200);
/// A runtime that shows no sign of life for so long stands still: another one takes its load over.
/// A slow answer is no standstill, for the ticks go on.
const STANDSTILL: Duration = Duration::from_secs(2);

/// A load under way, or just over.
pub(super) struct Load<T> {
    number: u64,
    place: Place,
    began: Instant,
    /// When its runtime last showed that it runs, in milliseconds since `began`.
    alive: Arc<AtomicU64>,
    /// Closed without a value where the load was given up, or its runtime ended.
    outcome: watch::Receiver<Option<T>>,
    driver: AbortHandle,
}

impl<T> Clone for Load<T> {
    fn clone(&self) -> Self {
        Self {
            number: self.number,
            place: self.place,
            began: self.began,
            alive: self.alive.clone(),
            outcome: self.outcome.clone(),
            driver: self.driver.clone(),
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Load<T> {
    /// Begins one as a task of this runtime. `settle` makes an outcome for everybody of how the
    /// work ended, or none where it was too late.
    pub(super) fn begin<W: Send + 'static>(
        number: u64,
        work: impl Future<Output = W> + Send + 'static,
        settle: impl FnOnce(Result<W, JoinError>) -> Option<T> + Send + 'static,
    ) -> Result<Self, Error> {
        let place = Place::here()?;
        let began = monotonic();
        let alive = Arc::<AtomicU64>::default();
        let (sender, outcome) = watch::channel(None);
        let ticking = alive.clone();
        // In a box, so that the runtime has one kind of task less to be compiled for.
        let driver: BoxFuture<'static, ()> = Box::pin(async move {
            // On its own: work that panics is a failed one, and not tried again at once.
            let mut work = tokio::spawn(work);
            let _end = AbortOnDrop(work.abort_handle());
            let ended = loop {
                match timeout(TICK, &mut work).await {
                    Ok(ended) => break ended,
                    Err(_) => {
                        let lived = (monotonic() - began).as_millis();
                        ticking.store(u64::try_from(lived).unwrap_or(u64::MAX), Ordering::Relaxed);
                    }
                }
            };
            if let Some(outcome) = settle(ended) {
                meanwhile();
                sender.send_replace(Some(outcome));
            }
        });
        let driver = Handle::current().spawn(driver);
        Ok(Self {
            number,
            place,
            began,
            alive,
            outcome,
            driver: driver.abort_handle(),
        })
    }

    /// Which one it is.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether who asks now does well to wait for it.
    pub(super) fn is_worth_waiting_for(&self) -> bool {
        let has_outcome = self.outcome.borrow().is_some();
        has_outcome || (self.outcome.has_changed().is_ok() && !self.stands_still())
    }

    /// Its outcome; none where another load is needed.
    pub(super) async fn outcome(&mut self, deadline: Instant) -> Result<Option<T>, Elapsed> {
        loop {
            let until = self.next_look().map_or(deadline, |look| look.min(deadline));
            let elapsed = match timeout_at(until, self.outcome.wait_for(Option::is_some)).await {
                Ok(Ok(outcome)) => return Ok(outcome.clone()),
                Ok(Err(_)) => return Ok(None),
                Err(elapsed) => elapsed,
            };
            if until == deadline {
                return Err(elapsed);
            }
            if self.stands_still() {
                return Ok(None);
            }
        }
    }

    /// Ends it, so that another one takes its place.
    pub(super) fn give_up(&self) {
        // What a fork has brought along runs nowhere, and is not ours to end.
        if !self.place.is_of_another_process() {
            self.driver.abort();
        }
    }

    /// When to look next whether it still goes on; never where it runs in the runtime of who asks:
    /// if the one runs, so does the other.
    fn next_look(&self) -> Option<Instant> {
        if Place::here().is_ok_and(|here| here == self.place) {
            return None;
        }
        if self.place.is_of_another_process() {
            return Some(self.began);
        }
        let alive = Duration::from_millis(self.alive.load(Ordering::Relaxed));
        Some(self.began + alive + STANDSTILL)
    }

    fn stands_still(&self) -> bool {
        self.next_look().is_some_and(|look| monotonic() >= look)
    }
}

/// Ends a task with whoever waits for it.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
