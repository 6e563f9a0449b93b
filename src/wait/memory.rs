//! What a wait has seen, for its errors.

use std::fmt::Write as _;

use tokio::time::{Duration, Instant};

use super::{look::View, reference::ExecutionRef, task::Origin};
use crate::{
    error::{Delivery, Error, ErrorKind},
    pipeline::clock::monotonic,
    printed::on_one_line,
};

/// What a wait has seen.
pub(crate) struct Memory {
    operation: &'static str,
    right: &'static str,
    execution: Option<ExecutionRef>,
    /// Whether the call that waits has started it, or meant to.
    starts: bool,
    /// What became of that start.
    start: Delivery,
    was_seen: bool,
    was_invisible: bool,
    last_status: Option<String>,
    looks: u32,
    /// How many events were written.
    events: u32,
    /// What the looks brought, in the order in which it came first.
    counts: Vec<(String, u64)>,
    trouble: Option<Trouble>,
    /// What else to say of an execution that is not there.
    pub(super) absence: &'static str,
}

struct Trouble {
    kind: ErrorKind,
    since: Instant,
    is_told: bool,
}

/// For how long failures of one kind are nobody's business.
const SILENCE: Duration = Duration::from_secs(30);
/// How many events a wait may write.
const MOST_EVENTS: u32 = 128;
/// A service can make up any number of words.
const MOST_COUNTS: usize = 16;

impl Memory {
    pub(super) fn new(operation: &'static str, right: &'static str, origin: &Origin) -> Self {
        let (execution, starts, start) = match origin {
            Origin::Start { key, .. } => (key.clone(), true, Delivery::NotSent),
            Origin::Started(execution) => (Some(execution.clone()), true, Delivery::Accepted),
            Origin::Resumed(execution) => (Some(execution.clone()), false, Delivery::NotSent),
            Origin::Again { execution, .. } => (Some(execution.clone()), true, Delivery::NotSent),
        };
        // Whoever knows when it began has seen it.
        let was_seen = execution
            .as_ref()
            .is_some_and(|execution| execution.started.is_some());
        Self {
            operation,
            right,
            execution,
            starts,
            start,
            was_seen: was_seen && !starts,
            was_invisible: false,
            last_status: None,
            looks: 0,
            events: 0,
            counts: Vec::new(),
            trouble: None,
            absence: "",
        }
    }

    /// What is known of an execution that was followed among others.
    pub(crate) fn of_one(
        operation: &'static str,
        right: &'static str,
        execution: ExecutionRef,
        last_status: Option<String>,
    ) -> Self {
        Self {
            last_status,
            looks: 1,
            ..Self::new(operation, right, &Origin::Resumed(execution))
        }
    }

    /// The start is sent: until it is answered, nobody knows.
    pub(super) fn starting(&mut self) {
        self.start = Delivery::Unknown;
    }

    pub(super) fn started(&mut self, execution: &ExecutionRef) {
        self.start = Delivery::Accepted;
        self.execution = Some(execution.clone());
    }

    pub(super) fn asked(&mut self) {
        self.looks = self.looks.saturating_add(1);
    }

    pub(super) fn looks(&self) -> u32 {
        self.looks
    }

    /// Whether one event more may be written: a wait may look for a year.
    pub(super) fn has_event(&mut self) -> bool {
        self.events = self.events.saturating_add(1);
        self.events <= MOST_EVENTS
    }

    pub(super) fn was_seen(&self) -> bool {
        self.was_seen
    }

    /// Whether it is the first time that it is not visible yet.
    pub(super) fn invisible(&mut self) -> bool {
        !std::mem::replace(&mut self.was_invisible, true)
    }

    pub(super) fn answered(&mut self, view: &View) {
        self.trouble = None;
        match view.status.as_str() {
            "" => self.count("no status"),
            status => self.count(status),
        }
    }

    /// Notes a status; says whether it is another than before.
    pub(super) fn saw(&mut self, view: &View, execution: &ExecutionRef) -> bool {
        self.was_seen = true;
        self.execution = Some(execution.clone());
        if self.last_status.as_deref() == Some(view.status.as_str()) {
            return false;
        }
        self.last_status = Some(view.status.clone());
        true
    }

    pub(super) fn count(&mut self, what: &str) {
        if let Some((_, count)) = self.counts.iter_mut().find(|(known, _)| known == what) {
            *count += 1;
        } else if self.counts.len() < MOST_COUNTS {
            self.counts.push((what.to_owned(), 1));
        } else if let Some((known, count)) = self.counts.last_mut() {
            "other".clone_into(known);
            *count += 1;
        }
    }

    pub(super) fn count_error(&mut self, error: &Error) {
        match (error.status(), error.kind()) {
            (Some(status), _) if !status.is_success() => self.count(status.as_str()),
            (_, ErrorKind::Decode) => self.count("unreadable"),
            (_, ErrorKind::Timeout) => self.count("no answer"),
            (_, ErrorKind::Transport) => self.count("broken connection"),
            (_, ErrorKind::Connect) => self.count("no connection"),
            (_, ErrorKind::Credentials) => self.count("no credential"),
            _ => self.count("failed"),
        }
    }

    /// What to tell of failures of one kind that go on: once.
    pub(super) fn trouble(&mut self, error: &Error) -> Option<String> {
        let (now, kind) = (monotonic(), error.kind());
        let trouble = match &mut self.trouble {
            Some(trouble) if trouble.kind == kind => trouble,
            other => other.insert(Trouble {
                kind,
                since: now,
                is_told: false,
            }),
        };
        if trouble.is_told || now < trouble.since + SILENCE {
            return None;
        }
        trouble.is_told = true;
        let seconds = (now - trouble.since).as_secs();
        Some(format!("for {seconds} s the service has answered: {error}"))
    }

    /// The deadline of the wait.
    pub(super) fn deadline_error(&self) -> Error {
        let name = self.name();
        let mut message = match (self.looks, self.starts, self.start) {
            (0, true, Delivery::NotSent) => {
                "the deadline had passed before anything was sent".to_owned()
            }
            (0, false, _) => {
                format!("the deadline passed before the execution {name} was looked at; it goes on")
            }
            (_, true, Delivery::Unknown) if !self.was_seen => format!(
                "the deadline passed; whether the execution {name} was started is not known"
            ),
            _ => format!(
                "the deadline of the wait passed; the execution {name} goes on, last status {}",
                self.last_status.as_deref().unwrap_or("not known"),
            ),
        };
        if !self.counts.is_empty() {
            message.push_str(" (looks: ");
            for (i, (what, count)) in self.counts.iter().enumerate() {
                let comma = if i > 0 { ", " } else { "" };
                let _ = write!(message, "{comma}{count} × {}", on_one_line(what));
            }
            message.push(')');
        }
        self.seal(Error::new(ErrorKind::Deadline, message).with_passing(true))
    }

    pub(crate) fn gone(&self, why: &str, cause: Option<Error>) -> Error {
        let message = format!(
            "the execution {} is gone: {why}; last status {}",
            self.name(),
            self.last_status.as_deref().unwrap_or("not known"),
        );
        self.caused(ErrorKind::Gone, message, cause)
    }

    pub(crate) fn never_visible(&self, cause: Option<Error>) -> Error {
        let name = self.name();
        let message = match (self.starts, self.start) {
            (true, Delivery::Accepted) => {
                format!("the start of the execution {name} was accepted, but it is not visible")
            }
            (true, _) => {
                format!("there is no execution {name}; whether its start arrived is not known")
            }
            (false, _) => format!("there is no execution {name}"),
        };
        let message = message + self.absence;
        self.caused(ErrorKind::NotFound, message, cause)
    }

    pub(super) fn no_sign_of_retry(&self) -> Error {
        let message = format!(
            "the execution {} shows no sign of its retry; it still has its old end, {}",
            self.name(),
            self.last_status.as_deref().unwrap_or("not known"),
        );
        self.caused(ErrorKind::Timeout, message, None)
    }

    /// A look was refused for good: the execution does not mind.
    pub(crate) fn refused(&self, error: Error) -> Error {
        let name = self.name();
        let what = match (self.starts, self.start, self.was_seen) {
            (true, Delivery::Accepted, _) | (true, _, true) => {
                format!("the execution {name} was started and goes on, but")
            }
            (true, ..) => format!("the execution {name} may have been started, but"),
            (false, ..) => format!("the execution {name} is not touched by it, but"),
        };
        let needs = match error.kind() {
            ErrorKind::PermissionDenied => format!("; the right {} is missing", self.right),
            _ => String::new(),
        };
        let message = format!("{what} it cannot be looked at: {}{needs}", error.message());
        self.caused(error.kind(), message, Some(error))
    }

    fn caused(&self, kind: ErrorKind, message: String, cause: Option<Error>) -> Error {
        let mut error = self.seal(Error::new(kind, message).with_passing(false));
        if let Some(cause) = cause {
            if let Some(status) = cause.status() {
                error = error.with_status(status);
            }
            error = error
                .with_code(cause.code().cloned())
                .with_request_id(cause.request_id().map(str::to_owned))
                .with_source(cause);
        }
        error
    }

    fn seal(&self, error: Error) -> Error {
        let delivery = match (self.starts, self.start) {
            (true, start) if !self.was_seen => start,
            (false, _) if self.looks == 0 => Delivery::NotSent,
            _ => Delivery::Accepted,
        };
        let execution = self.execution.as_ref();
        error
            .with_operation(self.operation)
            .with_attempts(self.looks)
            .with_delivery(delivery)
            .with_start_said()
            .with_subject(
                self.starts,
                true,
                execution.map(|execution| execution.execution.as_str()),
            )
    }

    fn name(&self) -> String {
        let execution = self.execution.as_ref();
        let name = execution.map_or("without a name", |execution| execution.execution.as_str());
        on_one_line(name)
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use tokio::time::advance;

    use super::*;

    fn resumed() -> Memory {
        Memory::new(
            "Look",
            "right",
            &Origin::Resumed(ExecutionRef::new("flow", "mine")),
        )
    }

    fn starting() -> Memory {
        let key = Some(ExecutionRef::new("flow", "mine"));
        let start = Box::pin(std::future::pending());
        Memory::new("Look", "right", &Origin::Start { start, key })
    }

    fn seen(mut memory: Memory) -> Memory {
        memory.was_seen = true;
        memory
    }

    /// What an error at the deadline says of the execution, and what it means.
    #[test]
    fn a_deadline_says_what_is_known() {
        let asked = |mut memory: Memory| {
            memory.asked();
            memory
        };
        let begun = |mut memory: Memory, is_answered| {
            memory.starting();
            if is_answered {
                memory.started(&ExecutionRef::new("flow", "mine"));
            }
            memory
        };
        let goes_on = "the deadline of the wait passed; the execution mine goes on, last status ";
        for (memory, text, delivery) in [
            (
                starting(),
                "the deadline had passed before anything was sent",
                Delivery::NotSent,
            ),
            (
                resumed(),
                "the deadline passed before the execution mine was looked at; it goes on",
                Delivery::NotSent,
            ),
            (
                asked(begun(starting(), false)),
                "the deadline passed; whether the execution mine was started is not known",
                Delivery::Unknown,
            ),
            (
                begun(starting(), false),
                "the deadline passed; whether the execution mine was started is not known",
                Delivery::Unknown,
            ),
            (
                asked(seen(begun(starting(), false))),
                goes_on,
                Delivery::Accepted,
            ),
            (asked(begun(starting(), true)), goes_on, Delivery::Accepted),
            (asked(resumed()), goes_on, Delivery::Accepted),
        ] {
            let error = memory.deadline_error();
            assert!(error.message().starts_with(text), "{error}");
            assert_eq!(error.delivery(), delivery, "{error}");
            assert_eq!(error.attempts(), memory.looks());
            assert!(!error.message().contains("looks:"), "{error}");
        }
        let known = ExecutionRef::new("flow", "mine");
        let one = Memory::of_one("Look", "right", known, Some("Going".to_owned()));
        let error = one.deadline_error();
        assert_eq!(error.message(), format!("{goes_on}Going"));
        assert_eq!(error.attempts(), 1);
    }

    #[test]
    fn looks_are_counted_by_what_they_brought() {
        let mut memory = resumed();
        let error = |kind| Error::new(kind, "m");
        for (error, times) in [
            (error(ErrorKind::Decode), 1),
            (error(ErrorKind::Timeout), 2),
            (error(ErrorKind::Transport), 1),
            (error(ErrorKind::Connect), 1),
            (error(ErrorKind::Credentials), 3),
            (error(ErrorKind::Configuration), 1),
            (
                error(ErrorKind::Service).with_status(StatusCode::BAD_GATEWAY),
                2,
            ),
            (error(ErrorKind::Decode).with_status(StatusCode::OK), 4),
        ] {
            for _ in 0..times {
                memory.count_error(&error);
            }
        }
        let message = memory.deadline_error().message().to_owned();
        let counted = " (looks: 5 × unreadable, 2 × no answer, 1 × broken connection, \
                       1 × no connection, 3 × no credential, 1 × failed, 2 × 502)";
        assert!(message.ends_with(counted), "{message}");

        // Any number of words comes to sixteen rows.
        let mut memory = resumed();
        for word in 0..MOST_COUNTS {
            memory.count(&format!("w{word}"));
        }
        let last = |memory: &Memory| memory.counts.last().unwrap().clone();
        assert_eq!(last(&memory), ("w15".to_owned(), 1));
        for word in 100..110 {
            memory.count(&format!("w{word}"));
        }
        assert_eq!(last(&memory), ("other".to_owned(), 11));
        assert_eq!(memory.counts.len(), MOST_COUNTS);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_of_one_kind_are_told_once_when_they_go_on() {
        let mut memory = resumed();
        let (one, other) = (
            Error::new(ErrorKind::Service, "m"),
            Error::new(ErrorKind::Throttled, "t"),
        );
        assert_eq!(memory.trouble(&one), None);
        advance(SILENCE - Duration::from_millis(1)).await;
        assert_eq!(memory.trouble(&one), None);
        // Another kind begins anew.
        assert_eq!(memory.trouble(&other), None);
        advance(SILENCE).await;
        let told = memory.trouble(&other).unwrap();
        assert_eq!(told, "for 30 s the service has answered: t");
        advance(SILENCE * 2).await;
        assert_eq!(memory.trouble(&other), None);
        assert_eq!(memory.trouble(&one), None);
        advance(SILENCE).await;
        assert!(memory.trouble(&one).is_some());
    }

    #[test]
    fn some_things_are_said_a_bounded_number_of_times() {
        let mut memory = resumed();
        let events = (0..1000).filter(|_| memory.has_event()).count();
        assert_eq!(events, 128);
        assert!(memory.invisible());
        assert!(!memory.invisible());
    }
}
