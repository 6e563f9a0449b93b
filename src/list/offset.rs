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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn window(windows: &Windows) -> (DateTime<Utc>, DateTime<Utc>) {
        windows.window.unwrap()
    }

    /// Pages as they come: how many items each has.
    fn step(windows: &mut Windows, keys: &[&str], time: i64) -> Vec<bool> {
        let times = vec![Some(at(time)); keys.len()];
        let keys: Vec<_> = keys.iter().map(|key| Some((*key).to_owned())).collect();
        windows.step(&keys, &times, 2, None)
    }

    #[test]
    fn windows_share_a_second_and_what_stands_in_it_is_told_once() {
        let mut windows = Windows::between(at(0), at(25), TimeDelta::seconds(10));
        assert_eq!(window(&windows), (at(0), at(10)));
        // Long ago, but at the border.
        assert_eq!(step(&mut windows, &["border", "b"], 9), [true, true]);
        for page in 0..REMEMBERED {
            let (one, two) = (format!("{page}x"), format!("{page}y"));
            assert_eq!(step(&mut windows, &[&one, &two], 5), [true, true]);
        }
        assert_eq!(step(&mut windows, &["c"], 5), [true]);
        assert_eq!(window(&windows), (at(9), at(19)));
        assert_eq!(step(&mut windows, &["border", "d"], 9), [false, true]);
        assert_eq!(step(&mut windows, &["e"], 18), [true]);
        assert_eq!(window(&windows), (at(18), at(25)));
        assert!(!windows.has_ended);
        assert_eq!(step(&mut windows, &["e"], 18), [false]);
        assert!(windows.has_ended && windows.upcoming().is_none());
    }

    #[test]
    fn a_window_is_longer_than_what_it_shares() {
        for longest in [0, 1, 2] {
            let mut windows = Windows::between(at(0), at(4), TimeDelta::seconds(longest));
            assert_eq!(window(&windows), (at(0), at(2)));
            assert!(step(&mut windows, &[], 0).is_empty());
            assert_eq!(window(&windows), (at(1), at(3)));
        }
        let backwards = Windows::between(at(9), at(0), TimeDelta::seconds(5));
        assert_eq!(window(&backwards), (at(9), at(9)));
    }

    #[test]
    fn a_count_ends_a_list_and_a_shorter_one_is_noted() {
        for (pages, total, given) in [
            (&[2, 2][..], 4, None),
            (&[2, 1], 3, None),
            (&[2, 0], 4, Some(2)),
            (&[1, 1, 0], 9, Some(2)),
        ] {
            let mut windows = Windows::none();
            for (number, page) in pages.iter().enumerate() {
                assert!(!windows.has_ended, "{pages:?}");
                let keys: Vec<_> = (0..*page)
                    .map(|item| Some(format!("{number}-{item}")))
                    .collect();
                windows.step(&keys, &vec![None; *page], 2, Some(total));
            }
            assert!(windows.has_ended, "{pages:?}");
            let shortfall = windows.shortfall().map(|short| (short.given, short.total));
            assert_eq!(shortfall, given.map(|given| (given, total)), "{pages:?}");
        }
    }

    #[test]
    fn the_last_two_thousand_are_remembered() {
        let mut recent = Recent::default();
        for hash in 0..REMEMBERED as u64 {
            assert!(recent.insert(hash));
        }
        assert!(!recent.insert(0), "all are known yet");
        assert!(recent.insert(9_999));
        assert!(recent.insert(0), "the oldest has made room");
        assert!(!recent.insert(9_999));
    }
}
