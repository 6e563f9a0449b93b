//! Pages that are found by counting, in windows of time whose both ends are pinned.

use std::collections::{HashSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Place, Shortfall, checksum};

/// The way through a list that is read by counting.
pub(crate) struct Windows {
    /// The first window's begin and the last one's end.
    span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    longest: TimeDelta,
    window: Option<(DateTime<Utc>, DateTime<Utc>)>,
    offset: u64,
    has_ended: bool,
    /// Whether the page before was as full as it may be.
    was_full: bool,
    shortfall: Option<Shortfall>,
    recent: Recent,
    /// Items of the second that two windows share.
    border: HashSet<u64>,
}

/// Windows share this much, so that nothing falls between them.
const OVERLAP: TimeDelta = TimeDelta::seconds(1);

impl Windows {
    /// A list without windows.
    pub(crate) fn none() -> Self {
        Self::new(None, TimeDelta::MAX)
    }

    /// All from `begin` to `end`, in windows of at most `longest`. Both ends are pinned before the
    /// first page: otherwise each new item would move all that come after it.
    pub(crate) fn between(begin: DateTime<Utc>, end: DateTime<Utc>, longest: TimeDelta) -> Self {
        let longest = longest.max(OVERLAP * 2);
        Self::new(Some((begin, end.max(begin))), longest)
    }

    fn new(span: Option<(DateTime<Utc>, DateTime<Utc>)>, longest: TimeDelta) -> Self {
        let first = |(begin, end): (DateTime<Utc>, DateTime<Utc>)| {
            (
                begin,
                end.min(begin.checked_add_signed(longest).unwrap_or(end)),
            )
        };
        Self {
            span,
            longest,
            window: span.map(first),
            offset: 0,
            has_ended: false,
            was_full: false,
            shortfall: None,
            recent: Recent::default(),
            border: HashSet::new(),
        }
    }

    pub(super) fn start(&self) -> Place {
        self.place()
    }

    pub(super) fn begin_at(&mut self, place: &Place) {
        if let Place::Offset {
            window,
            offset,
            end,
        } = place
        {
            self.window = *window;
            self.offset = *offset;
            self.span = window.map(|(begin, until)| (begin, end.unwrap_or(until)));
        }
    }

    pub(super) fn upcoming(&self) -> Option<Place> {
        (!self.has_ended).then(|| self.place())
    }

    fn place(&self) -> Place {
        Place::Offset {
            window: self.window,
            offset: self.offset,
            end: self.span.map(|(_, end)| end),
        }
    }

    pub(super) fn shortfall(&self) -> Option<Shortfall> {
        self.shortfall
    }

    /// A page came; says which of its items are new.
    pub(super) fn step(
        &mut self,
        keys: &[Option<String>],
        times: &[Option<DateTime<Utc>>],
        limit: u32,
        total: Option<u64>,
    ) -> Vec<bool> {
        let received = keys.len() as u64;
        let is_new = keys.iter().zip(times).map(|(key, time)| {
            let Some(hash) = key.as_deref().map(checksum) else {
                return true;
            };
            let was_at_border = self.border.contains(&hash);
            if let (Some((_, until)), Some(time)) = (self.window, *time)
                && (until - OVERLAP..=until + OVERLAP).contains(&time)
            {
                self.border.insert(hash);
            }
            self.recent.insert(hash) && !was_at_border
        });
        let is_new: Vec<bool> = is_new.collect();
        // By what came, not by what was asked for: a server may give less, or one more.
        self.offset += received;
        let is_full = received >= u64::from(limit);
        let is_over = match total {
            // What the server counts can be wrong: an empty page ends it as well.
            Some(total) => received == 0 || self.offset >= total,
            None => !is_full,
        };
        if is_over {
            self.judge(received, total);
            self.next_window();
        }
        self.was_full = is_full && !is_over;
        is_new
    }

    /// Notices a server that counts pages where it should count items.
    fn judge(&mut self, received: u64, total: Option<u64>) {
        match total {
            Some(total) if self.offset < total => {
                self.shortfall = Some(Shortfall {
                    given: self.offset,
                    total,
                });
                tracing::warn!(
                    given = self.offset,
                    total,
                    "the list ended before its total"
                );
            }
            None if self.was_full && received == 0 => tracing::warn!(
                given = self.offset,
                "a full page of the list was followed by an empty one: \
                 if there are more items, the service counts pages",
            ),
            _ => {}
        }
    }

    fn next_window(&mut self) {
        self.offset = 0;
        match (self.window, self.span) {
            (Some((_, until)), Some((_, end))) if until < end => {
                let begin = until - OVERLAP;
                let longest = begin.checked_add_signed(self.longest).unwrap_or(end);
                self.window = Some((begin, end.min(longest)));
            }
            _ => self.has_ended = true,
        }
    }
}

/// The keys of the last items, as hashes.
#[derive(Default)]
struct Recent {
    order: VecDeque<u64>,
    known: HashSet<u64>,
}

/// Ten pages of the longest kind: what moves between two pages moves by less.
const REMEMBERED: usize = 2_000;

impl Recent {
    /// Whether it is not among the last.
    fn insert(&mut self, hash: u64) -> bool {
        if !self.known.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}
