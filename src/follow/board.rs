//! What is followed, and what is known of it.

use std::{
    collections::{HashMap, VecDeque},
    ops::RangeInclusive,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::watch::{Followed, Watch, is_refused_for_good};
use crate::{
    error::{Error, ErrorKind},
    pipeline::clock::monotonic,
    wait::{Class, ExecutionRef, Memory, SAME_START, View},
};

/// What is followed, and the ends that were learnt.
pub(super) struct Board<A> {
    entries: HashMap<String, Entry>,
    ends: VecDeque<Followed<A>>,
    /// Whether ends are told when they are complete.
    completes: bool,
    /// Ends that are not, and how many are being completed.
    incomplete: VecDeque<(ExecutionRef, A)>,
    completing: usize,
    is_list_refused: bool,
    are_looks_refused: bool,
    /// How many pages the last pass over the list had.
    pages: usize,
    /// How many executions the list's window leaves out.
    outcasts: u32,
    trouble: Option<(ErrorKind, Instant, bool)>,
    /// Until when nobody has to search for something to look at.
    quiet_until: Option<Instant>,
}

struct Entry {
    execution: ExecutionRef,
    added: Instant,
    /// When something of it changed last, or it was looked at.
    news: Instant,
    /// Whether it is to be looked at as soon as there is room.
    is_urgent: bool,
    /// Whether a look at it is under way.
    is_busy: bool,
    /// Whether the list's window leaves it out.
    is_outcast: bool,
    is_listed: bool,
    was_seen: bool,
    status: Option<String>,
    unknown_ends: u32,
    /// A good end without an output, and when it was seen first.
    late: Option<Instant>,
    was_unauthenticated: bool,
}

/// An older one among the rest would make the list's window long: it is looked at instead.
const OLDER: TimeDelta = TimeDelta::seconds(60);
/// So many can be looked at by themselves in time.
const MOST_SINGLE: usize = 50;
/// After how long without news what the list shows is looked at.
const UNCHANGED: Duration = Duration::from_secs(60);
/// How often what the list cannot show is looked at: few and young ones more often.
const OUTCAST: RangeInclusive<Duration> = Duration::from_secs(2)..=Duration::from_secs(10);
const OUTCAST_EACH: Duration = Duration::from_millis(200);
const OUTCAST_BY_AGE: u32 = 20;
/// All lookers come to search at about the same time: one search serves them.
const QUIET: Duration = Duration::from_millis(400);
const AGAIN: Duration = Duration::from_secs(5);
const GRACE: Duration = Duration::from_secs(10);
const LATE_OUTPUT: Duration = Duration::from_secs(2);
const UNKNOWN_ENDS: u32 = 3;
const SILENCE: Duration = Duration::from_secs(30);

impl<A> Default for Board<A> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            ends: VecDeque::new(),
            completes: false,
            incomplete: VecDeque::new(),
            completing: 0,
            is_list_refused: false,
            are_looks_refused: false,
            pages: 1,
            outcasts: 0,
            trouble: None,
            quiet_until: None,
        }
    }
}

impl<A> Board<A> {
    pub(super) fn add(&mut self, execution: ExecutionRef) {
        let now = monotonic();
        let entry = Entry {
            added: now,
            news: now,
            is_urgent: execution.started.is_none(),
            is_busy: false,
            is_outcast: false,
            is_listed: false,
            was_seen: execution.started.is_some(),
            status: None,
            unknown_ends: 0,
            late: None,
            was_unauthenticated: false,
            execution,
        };
        let name = entry.execution.execution.clone();
        self.entries.entry(name).or_insert(entry);
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len() + self.ends.len() + self.incomplete.len() + self.completing
    }

    pub(super) fn complete_ends(&mut self) {
        self.completes = true;
    }

    /// An end to complete.
    pub(super) fn next_incomplete(&mut self) -> Option<(ExecutionRef, A)> {
        let next = self.incomplete.pop_front()?;
        self.completing += 1;
        Some(next)
    }

    pub(super) fn completed(&mut self, execution: ExecutionRef, end: A) {
        self.completing -= 1;
        let outcome = Ok(end);
        self.ends.push_back(Followed { execution, outcome });
    }

    pub(super) fn next_end(&mut self) -> Option<Followed<A>> {
        self.ends.pop_front()
    }

    pub(super) fn list_is_refused(&mut self) {
        self.is_list_refused = true;
    }

    /// The pass over the list had so many pages.
    pub(super) fn passed(&mut self, pages: usize) {
        self.pages = pages;
    }

    /// Where the list's window begins, and with what all names begin; nothing where the list is
    /// of no use.
    pub(super) fn scope(&mut self) -> Option<(DateTime<Utc>, String)> {
        if self.is_list_refused {
            return None;
        }
        let started = self
            .entries
            .values()
            .filter_map(|entry| entry.execution.started);
        let mut started: Vec<DateTime<Utc>> = started.collect();
        started.sort_unstable();
        // Few of them among many others are looked at in less time than the list is read.
        let is_dear = !self.are_looks_refused
            && started.len() <= MOST_SINGLE
            && self.pages * 5 > started.len() * 2;
        let begin = match is_dear {
            true => None,
            false => {
                let mut gaps = started.windows(2).take(MOST_SINGLE).enumerate();
                let last = gaps.rfind(|(_, pair)| pair[1] - pair[0] > OLDER);
                started.get(last.map_or(0, |(i, _)| i + 1)).copied()
            }
        };
        self.outcasts = 0;
        for entry in self.entries.values_mut() {
            let started = entry.execution.started;
            let is_outcast = match (begin, started) {
                (Some(begin), Some(started)) => started < begin,
                _ => true,
            };
            // It was in the list until now.
            entry.is_urgent |= is_outcast && !entry.is_outcast && !is_dear;
            entry.is_outcast = is_outcast;
            self.outcasts += u32::from(is_outcast);
        }
        let begin = begin?;
        let mut names = self.entries.values().filter(|entry| !entry.is_outcast);
        let mut prefix = names.next()?.execution.execution.as_str();
        for entry in names {
            let name = &entry.execution.execution;
            let shared = prefix.char_indices().zip(name.chars());
            let end = shared
                .take_while(|((_, own), other)| own == other)
                .last()
                .map_or(0, |((at, own), _)| at + own.len_utf8());
            prefix = &prefix[..end];
        }
        Some((begin, prefix.to_owned()))
    }

    /// Takes a page of the list; says whether it brought news. "Ended" is believed; what goes on
    /// or is not there may be old.
    pub(super) fn learn<W: Watch<Answer = A>>(&mut self, items: Vec<(String, A)>) -> bool {
        let now = monotonic();
        let mut has_news = false;
        for (name, answer) in items {
            let view = W::view(&answer);
            let Some(entry) = self.entries.get_mut(&name) else {
                continue;
            };
            if entry.is_of_another(&view) {
                entry.is_urgent = true;
                continue;
            }
            entry.is_listed = true;
            entry.execution.started = entry.execution.started.or(view.started);
            if entry.note(&view) {
                (entry.news, has_news) = (now, true);
            }
            if entry.is_end(&view, now, true) {
                has_news = true;
                self.end::<W>(&name, Ok(answer));
            }
        }
        has_news
    }

    /// The execution to look at next: the longest unseen of those that are to be looked at.
    pub(super) fn choose(&mut self) -> Option<String> {
        let now = monotonic();
        if self.quiet_until.is_some_and(|until| now < until) {
            return None;
        }
        let is_list_refused = self.is_list_refused;
        let by_number = OUTCAST_EACH * self.outcasts;
        let waited = |entry: &Entry| now.saturating_duration_since(entry.news);
        let entry = self
            .entries
            .values_mut()
            .filter(|entry| {
                let patience = if is_list_refused {
                    AGAIN
                } else if entry.is_outcast {
                    let age = now.saturating_duration_since(entry.added);
                    let patience = by_number.max(age / OUTCAST_BY_AGE);
                    patience.clamp(*OUTCAST.start(), *OUTCAST.end())
                } else {
                    UNCHANGED
                };
                let pause = entry.late.map_or(Duration::ZERO, |_| LATE_OUTPUT / 4);
                let is_due = waited(entry) >= if entry.is_urgent { pause } else { patience };
                is_due && !entry.is_busy
            })
            .max_by_key(|entry| (entry.is_urgent, waited(entry)));
        let Some(entry) = entry else {
            self.quiet_until = Some(now + QUIET);
            return None;
        };
        entry.is_busy = true;
        Some(entry.execution.execution.clone())
    }

    /// The execution, if its end has not been learnt.
    pub(super) fn still(&self, name: &str) -> Option<ExecutionRef> {
        Some(self.entries.get(name)?.execution.clone())
    }

    /// Takes what a look at a single execution brought.
    pub(super) fn looked<W: Watch<Answer = A>>(&mut self, name: &str, outcome: Result<A, Error>) {
        let now = monotonic();
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        entry.is_busy = false;
        entry.is_urgent = false;
        entry.news = now;
        let memory = |entry: &Entry| {
            let execution = entry.execution.clone();
            Memory::of_one(W::OPERATION, W::RIGHT, execution, entry.status.clone())
        };
        let error = match outcome {
            Ok(answer) => {
                let view = W::view(&answer);
                if view.class == Class::Missing {
                    None
                } else if entry.is_of_another(&view) {
                    let gone = memory(entry).gone("another execution bears its name now", None);
                    return self.end::<W>(name, Err(gone));
                } else {
                    entry.was_unauthenticated = false;
                    self.trouble = None;
                    entry.execution.started = entry.execution.started.or(view.started);
                    entry.note(&view);
                    entry.was_seen |= !view.status.is_empty();
                    if entry.is_end(&view, now, false) {
                        self.end::<W>(name, Ok(answer));
                    } else if entry.late.is_some() {
                        entry.is_urgent = true;
                    }
                    return;
                }
            }
            Err(error) => Some(error),
        };
        let is_missing = error
            .as_ref()
            .is_none_or(|error| error.kind() == ErrorKind::NotFound && is_refused_for_good(error));
        if is_missing {
            if now < entry.added + GRACE && !entry.is_listed && entry.status.is_none() {
                return;
            }
            let memory = memory(entry);
            let error = match entry.was_seen {
                true => memory.gone("the service does not know it any more", error),
                false => memory.never_visible(error),
            };
            return self.end::<W>(name, Err(error));
        }
        let Some(error) = error else { return };
        if is_refused_for_good(&error) {
            let is_first = error.kind() == ErrorKind::Unauthenticated
                && !std::mem::replace(&mut entry.was_unauthenticated, true);
            if is_first {
                // Its credential may have been renewed since.
                entry.is_urgent = true;
                return;
            }
            // The list tells its end as well.
            let is_told_by_list = entry.is_listed
                || entry.execution.started.is_some() && now < entry.added + UNCHANGED;
            if !self.is_list_refused && is_told_by_list {
                if !std::mem::replace(&mut self.are_looks_refused, true) {
                    tracing::warn!(
                        %error,
                        right = W::RIGHT,
                        "single looks are refused: executions are followed by the list alone"
                    );
                }
                return;
            }
            let refused = memory(entry).refused(error);
            return self.end::<W>(name, Err(refused));
        }
        self.bear(&error, now);
    }

    /// Failures of one kind that go on are told once.
    fn bear(&mut self, error: &Error, now: Instant) {
        match &mut self.trouble {
            Some((kind, since, is_told)) if *kind == error.kind() => {
                if !*is_told && now >= *since + SILENCE {
                    *is_told = true;
                    tracing::warn!(%error, "a follower has had no answer for a while and goes on");
                }
            }
            other => *other = Some((error.kind(), now, false)),
        }
    }

    fn end<W: Watch<Answer = A>>(&mut self, name: &str, outcome: Result<A, Error>) {
        let Some(Entry { execution, .. }) = self.entries.remove(name) else {
            return;
        };
        match outcome {
            Ok(end) if self.completes && !W::is_complete(&end) => {
                self.incomplete.push_back((execution, end));
            }
            outcome => self.ends.push_back(Followed { execution, outcome }),
        }
    }
}

impl Entry {
    /// Whether it is another execution under the same name.
    fn is_of_another(&self, view: &View) -> bool {
        match (self.execution.started, view.started) {
            (Some(own), Some(shown)) => (own - shown).abs() > SAME_START,
            _ => false,
        }
    }

    /// Notes the status; says whether it is another than before.
    fn note(&mut self, view: &View) -> bool {
        if view.status.is_empty() || self.status.as_ref() == Some(&view.status) {
            return false;
        }
        self.status = Some(view.status.clone());
        true
    }

    /// Whether it has ended. An output may come a little after the status.
    fn is_end(&mut self, view: &View, now: Instant, is_list: bool) -> bool {
        let is_unknown_end =
            view.class == Class::Unknown && !view.status.is_empty() && view.stopped.is_some();
        match view.class {
            Class::Ended => true,
            Class::Succeeded if view.has_output || view.stopped.is_some() => true,
            Class::Succeeded => {
                let since = *self.late.get_or_insert(now);
                now >= since + LATE_OUTPUT
            }
            // The list may tell old news: only looks count.
            _ if is_unknown_end && !is_list => {
                self.unknown_ends += 1;
                self.unknown_ends >= UNKNOWN_ENDS
            }
            _ => {
                // What the list shows may be older than what a look saw.
                if !is_list {
                    (self.unknown_ends, self.late) = (0, None);
                }
                false
            }
        }
    }
}
