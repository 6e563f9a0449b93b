//! What is repeated, and when: the table as one match, policy, pace, budget, server delays.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode, header};

use super::{failure::Stage, limits::LONGEST, protocol::RefusalClass, replay::Replay};
use crate::error::{Delivery, Error, ErrorCode};

/// How often and at what pace a call may be repeated.
///
/// Whether a repeat is safe is not a matter of policy: a synchronous start is repeated only where
/// the service certainly did not begin it, whatever stands here.
///
/// ```
/// use std::time::Duration;
/// use cloud_workflows::RetryPolicy;
///
/// let patient = RetryPolicy::default().max_attempts(8).max_backoff(Duration::from_secs(30));
/// let once = RetryPolicy::never();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    pub(crate) max_attempts: u32,
    initial_backoff: Duration,
    max_backoff: Duration,
}

impl RetryPolicy {
    /// One attempt and no more.
    pub fn never() -> Self {
        Self::default().max_attempts(1)
    }

    /// How many attempts a call may make, the first one counted (default 5; 0 is read as 1).
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The longest pause before the second attempt (default 100 ms; five times that after a
    /// throttled one). Each further pause may be twice as long.
    #[must_use]
    pub fn initial_backoff(mut self, pause: Duration) -> Self {
        self.initial_backoff = pause;
        self
    }

    /// The longest pause before any attempt (default 10 s), unless the service asks for more.
    #[must_use]
    pub fn max_backoff(mut self, pause: Duration) -> Self {
        self.max_backoff = pause.min(LONGEST);
        self
    }

    /// Full jitter: anything from nothing to the exponential limit.
    pub(crate) fn backoff(&self, attempts: u32, pace: Pace) -> Result<Duration, Error> {
        let first = match pace {
            Pace::Normal => self.initial_backoff,
            Pace::Throttled => self.initial_backoff.saturating_mul(5),
        };
        let doublings = attempts.saturating_sub(1).min(20);
        let limit = first.saturating_mul(1 << doublings).min(self.max_backoff);
        let random = crate::bits::random_bits()?;
        let fraction = f64::from(u32::from_le_bytes([
            random[0], random[1], random[2], random[3],
        ])) / f64::from(u32::MAX);
        Ok(limit.mul_f64(fraction))
    }
}

impl Default for RetryPolicy {
    /// Five attempts, pauses from 100 ms doubling to 10 s.
    fn default() -> Self {
        Self {
            max_attempts: 5,
            initial_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(10),
        }
    }
}

/// What became of one attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// There is no whole reply.
    Broken(Stage),
    /// A 2xx reply that could not be read.
    Unreadable,
    /// A reply that is not 2xx, or a 2xx one with a code and no result.
    Refused {
        status: StatusCode,
        class: RefusalClass,
        /// Whether the reply's own `Date` is far off our time.
        skewed: bool,
        /// Whether the credential it was sent with can be renewed, and was good once.
        renewable: bool,
    },
}

impl Event {
    /// Whether the call was refused for its rate.
    pub(crate) fn is_throttling(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                class: RefusalClass::Throttled,
                ..
            }
        )
    }
}

/// What became of the attempts so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct History {
    pub(crate) worst: Delivery,
    pub(crate) attempts: u32,
    pub(crate) clock_corrected: bool,
    pub(crate) credential_renewed: bool,
}

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Stop,
    Repeat(Pace),
    /// Take over the service's time, then repeat at once.
    CorrectClock,
    /// Get a new credential, then repeat at once.
    RenewCredential,
}

/// How long to wait before a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Normal,
    Throttled,
}

/// The table of the README's "What is repeated, and what is not".
pub(crate) fn judge(
    replay: Replay,
    repeat_if_unknown: bool,
    event: Event,
    history: &History,
) -> (Delivery, Next) {
    use Delivery::{Accepted, NotSent, Refused, Unknown};
    use RefusalClass as Class;

    #[cfg(test)]
    if let Some(verdict) = turned::verdict(replay, repeat_if_unknown, event, history) {
        return verdict;
    }
    let again = Next::Repeat(Pace::Normal);
    let if_harmless = match replay {
        Replay::Repeatable | Replay::Keyed => again,
        Replay::Once if repeat_if_unknown => again,
        Replay::Once => Next::Stop,
    };
    match event {
        Event::Broken(Stage::Connect | Stage::Connecting) => (NotSent, again),
        // A repeat could only lock the proxy's user.
        Event::Broken(Stage::Certificate | Stage::Proxy) => (NotSent, Next::Stop),
        Event::Broken(Stage::Exchange | Stage::Waiting) => (Unknown, if_harmless),
        Event::Broken(Stage::Body { status, .. }) if status.is_success() => (Accepted, if_harmless),
        Event::Broken(Stage::Oversized { status }) if status.is_success() => (Accepted, Next::Stop),
        // The code was in the part that is missing, so nobody refused anything.
        Event::Broken(Stage::Body { status, .. } | Stage::Oversized { status })
            if status.is_server_error() =>
        {
            (Unknown, if_harmless)
        }
        Event::Broken(Stage::Body { .. } | Stage::Oversized { .. }) => (Unknown, Next::Stop),
        Event::Unreadable => (Accepted, if_harmless),
        Event::Refused {
            status,
            class,
            skewed,
            renewable,
        } => {
            // The status is asked first: who reports that something failed behind it, or that it
            // gave up waiting, does not know what was begun, whatever code it writes.
            match (status.as_u16(), class) {
                (503, Class::Throttled) => (Refused, Next::Repeat(Pace::Throttled)),
                (503, Class::GatewayUnavailable) => (Refused, again),
                (408 | 421 | 444 | 460 | 499 | 500..=599, _) => (Unknown, if_harmless),
                (400..=499, Class::NonceUsed) => (Unknown, if_harmless),
                (400..=407 | 409..=418 | 422..=429 | 494, class) => match class {
                    Class::Throttled => (Refused, Next::Repeat(Pace::Throttled)),
                    Class::Clock if skewed && !history.clock_corrected => {
                        (Refused, Next::CorrectClock)
                    }
                    Class::CredentialAged if renewable && !history.credential_renewed => {
                        (Refused, Next::RenewCredential)
                    }
                    Class::Conflict if replay != Replay::Once => (Refused, again),
                    Class::Uncoded | Class::NonceUsed => (Unknown, Next::Stop),
                    _ => (Refused, Next::Stop),
                },
                _ => (Unknown, Next::Stop),
            }
        }
    }
}

impl RefusalClass {
    /// What the class is worth on this status: a code means what the sheets say only on the
    /// statuses that they list for it, and is a code like any other elsewhere.
    pub(crate) fn on(self, status: StatusCode, code: Option<&ErrorCode>) -> Self {
        let Some(code) = code else { return self };
        match self {
            // It says that a copy arrived: nobody takes that back.
            Self::NonceUsed | Self::Coded | Self::Uncoded => self,
            Self::Throttled if code.is_throttling(status) => self,
            _ if code.is_listed_on(status) => self,
            _ => Self::Coded,
        }
    }
}

/// A bucket of tokens, shared by a client's clones: when much fails, repeats cease.
#[derive(Debug)]
pub(crate) struct Budget(AtomicU32);

impl Budget {
    const FULL: u32 = 100;
    const REPEAT_COST: u32 = 5;

    pub(crate) fn full() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }

    /// Takes what a repeat costs; false where there is not enough.
    pub(crate) fn spend(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                tokens.checked_sub(Self::REPEAT_COST)
            })
            .is_ok()
    }

    /// A call succeeded.
    pub(crate) fn earn(&self) {
        // A full bucket is the rule: it is read, not written.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| {
                (tokens < Self::FULL).then_some(tokens + 1)
            });
    }
}

/// The delay asked for by `Retry-After`, in seconds or as a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until: DateTime<Utc> = httpdate::parse_http_date(text).ok()?.into();
    let from = date(headers).unwrap_or(now);
    Some((until - from).to_std().unwrap_or_default())
}

/// When the reply was made, unless it comes from a cache.
pub(crate) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    if headers.contains_key(header::AGE) {
        return None;
    }
    let text = headers.get(header::DATE)?.to_str().ok()?;
    Some(httpdate::parse_http_date(text).ok()?.into())
}

#[cfg(test)]
pub(crate) mod turned {
    //! Verdicts turned over, on one thread, to see that a test notices.

    use std::cell::Cell;

    use super::*;

    type Verdict = (Delivery, Next);
    type Turn = Box<dyn Fn(Event, &History, Verdict) -> Verdict>;

    thread_local! {
        static TURN: Cell<Option<Turn>> = const { Cell::new(None) };
    }

    /// Does something while each verdict is what `turn` makes of it.
    pub(crate) fn during<T>(
        turn: impl Fn(Event, &History, Verdict) -> Verdict + 'static,
        act: impl FnOnce() -> T,
    ) -> T {
        TURN.set(Some(Box::new(turn)));
        let done = act();
        TURN.set(None);
        done
    }

    pub(super) fn verdict(
        replay: Replay,
        repeat_if_unknown: bool,
        event: Event,
        history: &History,
    ) -> Option<Verdict> {
        let turn = TURN.take()?;
        let verdict = judge(replay, repeat_if_unknown, event, history);
        let turned = turn(event, history, verdict);
        TURN.set(Some(turn));
        Some(turned)
    }
}
