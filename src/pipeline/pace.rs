//! The pace at which a client asks: one pacer for each quota bucket of the account.
//!
//! The bucket is the account's, and others draw from it too: the pacer's figures are a guess that
//! refusals correct. Polls of waits take turns here; a call of the user's own never does.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use super::clock::monotonic;

/// A quota as the vendors write it: so many calls at once, and so many more each second.
///
/// The documented quotas are the default; an account may have been given more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quota {
    burst: f64,
    refill: f64,
}

impl Quota {
    /// `burst` calls at once, then `per_second` calls each second. Zero, negative and endless
    /// numbers are read as the nearest that makes sense.
    pub fn new(burst: u32, per_second: f64) -> Self {
        Self {
            burst: f64::from(burst.max(1)),
            refill: if per_second.is_nan() {
                SLOWEST
            } else {
                per_second.clamp(SLOWEST, FASTEST)
            },
        }
    }

    /// How many calls may be made at once.
    pub fn burst(&self) -> u32 {
        self.burst as u32
    }

    /// How many calls more there are each second.
    pub fn per_second(&self) -> f64 {
        self.refill
    }
}

/// One call in a thousand seconds: a pace of nothing would be a wait for ever.
const SLOWEST: f64 = 0.001;
const FASTEST: f64 = 1_000_000.0;

/// How a client stands with one of the account's quotas.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Pace {
    /// Polls a second that the client's waits make at most, at present.
    pub rate: f64,
    /// Polls that wait for their turn.
    pub waiting: usize,
    /// Calls that the service refused for their rate, since the client was made.
    pub refusals: u64,
}

/// A client's pacers, one for each bucket; none at all for services without quotas.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pacers {
    /// By the operation that has a bucket of its own.
    own: Vec<(&'static str, Arc<Pacer>)>,
    others: Option<Arc<Pacer>>,
}

impl Pacers {
    /// Buckets of single operations, and one for all others.
    pub(crate) fn new(own: &[(&'static str, Quota)], others: Quota) -> Self {
        let own = own.iter();
        Self {
            own: own
                .map(|(operation, quota)| (*operation, Pacer::new(*quota)))
                .collect(),
            others: Some(Pacer::new(others)),
        }
    }

    /// The pacer at which attempts of an operation count.
    pub(crate) fn of(&self, operation: &str) -> Option<&Arc<Pacer>> {
        let mut own = self.own.iter();
        let found = own.find(|(name, _)| *name == operation);
        found.map(|(_, pacer)| pacer).or(self.others.as_ref())
    }
}

/// Paces what one client draws from one bucket.
pub(crate) struct Pacer {
    quota: Quota,
    state: Mutex<State>,
}

struct State {
    /// When the figures below were brought up to date.
    at: Instant,
    /// What waits may draw each second; a refusal halves it.
    rate: f64,
    /// What waits may draw now.
    tokens: f64,
    /// Keeps a full bucket from being emptied in one instant: other clients may do the same.
    quick: f64,
    /// What the account's bucket holds by our own count, the user's calls included.
    account: f64,
    /// The last time that the rate was halved.
    halved: Option<Instant>,
    refusals: u64,
    /// Who waits, in order.
    queue: BTreeMap<u64, Waker>,
    /// Who was passed over because its runtime stood still; it comes back to its old place.
    passed: BTreeMap<u64, Waker>,
    next_seat: u64,
    /// Since when the first of the queue was seen not to take what is there.
    unclaimed: Option<Instant>,
}

/// Calls of the burst that are left to the user's own calls.
const RESERVE: f64 = 5.0;
/// The part of the refill that waits may use.
const SHARE: f64 = 0.9;
/// How much of the refill a halved rate gains each second.
const RECOVERY: f64 = 0.016;
/// How much of the bucket's refill, in seconds, a refusal makes waits forgo.
const PAUSE: f64 = 0.8;
/// The part of their full rate below which waits never go.
const FLOOR: f64 = 1.0 / 32.0;
/// For how long a first in line may leave its turn unused before others pass it.
const PATIENCE: Duration = Duration::from_secs(1);
/// Sums of fractions of a token are not exact.
const WHOLE: f64 = 1.0 - 1e-6;

impl Pacer {
    pub(crate) fn new(quota: Quota) -> Arc<Self> {
        let pacer = Self {
            quota,
            state: Mutex::new(State {
                at: monotonic(),
                rate: 0.0,
                tokens: 0.0,
                quick: 0.0,
                account: quota.burst,
                halved: None,
                refusals: 0,
                queue: BTreeMap::new(),
                passed: BTreeMap::new(),
                next_seat: 0,
                unclaimed: None,
            }),
        };
        {
            let mut state = pacer.lock();
            state.rate = pacer.full_rate();
            state.tokens = pacer.full_burst();
            state.quick = pacer.at_once();
        }
        Arc::new(pacer)
    }

    /// Counts an attempt of a call that does not take turns. It is never held up: where the bucket
    /// is empty it goes into debt, which the waits pay.
    pub(crate) fn count(&self) -> Instant {
        let mut state = self.fresh();
        let lowest = -self.quota.burst;
        state.account = (state.account - 1.0).max(lowest);
        state.at
    }

    /// Waits for the next turn, behind all who wait already, and takes a token with it.
    pub(crate) fn turn(self: &Arc<Self>) -> Waiting {
        self.wait_at(None)
    }

    /// Waits for another turn at the place of one whose call was refused for its rate: it has had
    /// no look, and at the end of the line it would go without one for two rounds.
    pub(crate) fn again(self: &Arc<Self>, turn: &Turn) -> Waiting {
        self.wait_at(Some(turn.seat))
    }

    fn wait_at(self: &Arc<Self>, seat: Option<u64>) -> Waiting {
        Waiting {
            pacer: self.clone(),
            seat,
            is_queued: false,
            sleep: None,
        }
    }

    /// The service refused a call for its rate; it was made at `made`.
    pub(crate) fn refused(&self, made: Instant) {
        let mut state = self.fresh();
        state.refusals += 1;
        // Whatever we counted, the account has nothing left. A pause lets it gain what the next
        // calls of all its clients need; without one they are refused as well.
        state.tokens = state.tokens.min(-PAUSE * self.quota.refill);
        state.account = state.account.min(self.reserve());
        // Calls that were under way together are refused together: that is one sign, not many.
        if state.halved.is_none_or(|halved| made >= halved) {
            state.halved = Some(state.at);
            state.rate = (state.rate / 2.0).max(self.full_rate() * FLOOR);
        }
    }

    pub(crate) fn pace(&self) -> Pace {
        let state = self.fresh();
        Pace {
            rate: state.rate,
            waiting: state.queue.len() + state.passed.len(),
            refusals: state.refusals,
        }
    }

    fn full_rate(&self) -> f64 {
        self.quota.refill * SHARE
    }

    fn full_burst(&self) -> f64 {
        (self.quota.burst - RESERVE).max(1.0)
    }

    /// What may go in one instant.
    fn at_once(&self) -> f64 {
        (self.quota.burst / 10.0).max(1.0)
    }

    /// What must be left in the account's bucket after a wait's poll.
    fn reserve(&self) -> f64 {
        RESERVE.min(self.quota.burst - 1.0)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state as it is now.
    fn fresh(&self) -> MutexGuard<'_, State> {
        let now = monotonic();
        let mut state = self.lock();
        let seconds = now.saturating_duration_since(state.at).as_secs_f64();
        if seconds > 0.0 {
            state.at = now;
            let full = self.full_rate();
            let before = state.rate;
            state.rate = (before + self.quota.refill * RECOVERY * seconds).min(full);
            let gained = (before + state.rate) / 2.0 * seconds;
            let cap = (self.full_burst() * state.rate / full).max(1.0);
            state.tokens = (state.tokens + gained).min(cap);
            state.quick = (state.quick + self.peak() * seconds).min(self.at_once());
            state.account = (state.account + self.quota.refill * seconds).min(self.quota.burst);
        }
        state
    }

    /// How fast what was saved up is spent.
    fn peak(&self) -> f64 {
        self.quota.refill * 1.5
    }

    /// How long until a poll may go, if nothing changes.
    fn ready_in(&self, state: &State) -> Duration {
        let lacks = |has: f64, rate: f64| (WHOLE - has).max(0.0) / rate;
        let seconds = lacks(state.tokens, state.rate)
            .max(lacks(state.quick, self.peak()))
            .max(lacks(state.account - self.reserve(), self.quota.refill));
        Duration::from_secs_f64(seconds)
    }
}

impl fmt::Debug for Pacer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pacer")
            .field("quota", &self.quota)
            .field("pace", &self.pace())
            .finish()
    }
}

/// A turn that was had: one call may be made.
#[derive(Debug)]
pub(crate) struct Turn {
    seat: u64,
    /// When it was had.
    pub(crate) at: Instant,
}

/// A place in the line. Dropped, it leaves no hole.
///
/// Each place sleeps by a timer of the runtime that it is polled on: no task drives the line, and
/// a runtime that stands still holds up only its own.
pub(crate) struct Waiting {
    pacer: Arc<Pacer>,
    seat: Option<u64>,
    is_queued: bool,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Future for Waiting {
    type Output = Turn;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Turn> {
        let this = &mut *self;
        loop {
            let until = match this.look(context) {
                Ok(turn) => return Poll::Ready(turn),
                Err(until) => until,
            };
            let sleep = match &mut this.sleep {
                Some(sleep) => {
                    sleep.as_mut().reset(until);
                    sleep
                }
                none => none.insert(Box::pin(sleep_until(until))),
            };
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Waiting {
    /// Takes the turn, or says when to look again if nobody wakes it before.
    fn look(&mut self, context: &mut Context<'_>) -> Result<Turn, Instant> {
        let pacer = &self.pacer;
        let mut state = pacer.fresh();
        let now = state.at.max(monotonic());
        let seat = *self.seat.get_or_insert_with(|| {
            state.next_seat += 1;
            state.next_seat
        });
        state.passed.remove(&seat);
        match state.queue.get_mut(&seat) {
            Some(waker) => waker.clone_from(context.waker()),
            None => {
                state.queue.insert(seat, context.waker().clone());
            }
        }
        self.is_queued = true;
        let wait = pacer.ready_in(&state);
        let first = state.queue.first_key_value().map(|(first, _)| *first);
        let ahead = seat - first.unwrap_or(seat);
        if ahead == 0 && wait.is_zero() {
            state.tokens -= 1.0;
            state.quick -= 1.0;
            state.account -= 1.0;
            state.queue.remove(&seat);
            state.unclaimed = None;
            self.is_queued = false;
            let next = state.queue.values().next().cloned();
            drop(state);
            if let Some(next) = next {
                next.wake();
            }
            return Ok(Turn { seat, at: now });
        }
        if ahead == 0 {
            // The rate may rise meanwhile.
            return Err(now + wait.clamp(Duration::from_millis(1), PATIENCE));
        }
        if !wait.is_zero() {
            state.unclaimed = None;
        } else if let Some(since) = state.unclaimed {
            if now >= since + PATIENCE {
                state.unclaimed = None;
                let passed = state.queue.pop_first();
                state.passed.extend(passed);
                let next = state.queue.values().next().cloned();
                drop(state);
                if let Some(next) = next {
                    next.wake();
                }
                return Err(now + Duration::from_millis(1));
            }
        } else {
            state.unclaimed = Some(now);
            return Err(now + PATIENCE);
        }
        // Those ahead wake it in time; this is for the case that they cannot.
        let turns = Duration::try_from_secs_f64(ahead as f64 / state.rate).unwrap_or(PATIENCE);
        Err(now + turns.min(Duration::from_secs(3600)) + PATIENCE)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let (true, Some(seat)) = (self.is_queued, self.seat) else {
            return;
        };
        let mut state = self.pacer.lock();
        let was_first = state
            .queue
            .first_key_value()
            .is_some_and(|(&key, _)| key == seat);
        state.queue.remove(&seat);
        state.passed.remove(&seat);
        if was_first {
            // Whoever is first now has left nothing unused.
            state.unclaimed = None;
        }
        let next = state.queue.values().next().filter(|_| was_first).cloned();
        drop(state);
        if let Some(next) = next {
            next.wake();
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting")
            .field("seat", &self.seat)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
