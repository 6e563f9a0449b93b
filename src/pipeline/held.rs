//! A credential that is held: how long it is fresh, usable, and worth renewing.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    clock::{Clock, Moment, monotonic},
    credential::Lease,
};
use crate::error::Error;

/// A credential in the cache. Calls hold it as long as they need it.
pub(crate) struct Held<C> {
    pub(crate) credential: C,
    pub(super) renewable: bool,
    /// Until then nobody thinks of renewing it.
    fresh_until: Option<Moment>,
    expires: Option<Moment>,
    /// Until then it is used however short it is: its source would hardly give a longer one.
    new_until: Option<Instant>,
    pub(super) for_now: bool,
    /// Whether the service has taken it at least once.
    accepted: AtomicBool,
}

impl<C> Held<C> {
    pub(super) fn new(lease: Lease<C>, clock: &Clock) -> Result<Self, Error> {
        let life = lease.expires_at.map(|expires_at| {
            let from = lease.issued_at.unwrap_or_else(|| clock.now());
            (expires_at - from).to_std().unwrap_or_default()
        });
        let (mut expires, mut fresh_until) = (None, None);
        if let Some(life) = life {
            let window = (life / 10).clamp(Duration::from_secs(30), Duration::from_secs(15 * 60));
            // Up to a tenth earlier, so that many processes do not ask at the same moment.
            let jitter = f64::from(crate::bits::random_bits()?[0]) / 255.0 * 0.1;
            let window = window.mul_f64(1.0 + jitter);
            let now = clock.moment();
            expires = now.checked_add(life);
            fresh_until = now.checked_add(life.saturating_sub(window));
        }
        Ok(Self {
            credential: lease.credential,
            renewable: lease.renewable,
            fresh_until,
            expires,
            new_until: None,
            for_now: lease.for_now,
            accepted: AtomicBool::new(false),
        })
    }

    pub(super) fn is_fresh(&self, now: Moment) -> bool {
        self.fresh_until.is_none_or(|until| !now.has_reached(until))
    }

    /// The clock that says "ended" first is right: the monotonic one stands still while a laptop
    /// sleeps.
    pub(super) fn is_usable_for(&self, needed: Duration, now: Moment) -> bool {
        self.expires.is_none_or(|expires| {
            now.checked_add(needed)
                .is_some_and(|then| !then.has_reached(expires))
        })
    }

    /// How long it is good for; none where it has no end, or has ended.
    pub(super) fn time_left(&self, now: Moment) -> Option<Duration> {
        let end = self.expires.filter(|end| !now.has_reached(*end))?;
        Some(end.monotonic.saturating_duration_since(now.monotonic))
    }

    /// Whether it was got just now, so that asking once more would be asking without end.
    pub(super) fn is_new(&self) -> bool {
        self.new_until.is_some_and(|until| monotonic() < until)
    }

    /// Keeps it for this long although it is short: to its end where it has one ahead of it.
    pub(super) fn keep_for(&mut self, pause: Duration) {
        let now = monotonic();
        let end = self.expires.map(|end| end.monotonic);
        let until = now + pause;
        let end = end.filter(|end| *end > now);
        self.new_until = Some(end.map_or(until, |end| end.min(until)));
    }

    /// The service knows it.
    pub(crate) fn accept(&self) {
        if !self.accepted.load(Ordering::Relaxed) {
            self.accepted.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a refusal may be cured by another credential from the same source.
    pub(crate) fn is_renewable(&self, now: Moment) -> bool {
        self.renewable
            && (self.accepted.load(Ordering::Relaxed) || !self.is_usable_for(Duration::ZERO, now))
    }
}
