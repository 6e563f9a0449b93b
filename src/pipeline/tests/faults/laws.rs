//! What must hold of every run, whatever happened: one function a law.

use super::{
    calls::{Asked, Key},
    events::{AGED, BAD_KEY, Begins, CLOCK, Execution, Play, Then},
    service::{Request, Run, says_exists},
    *,
};
use crate::{
    alibaba::ExecutionOrigin::{self, FoundRunning, Started, Unclear},
    pipeline::{operation::Replay, retry::Pace},
};

/// What is wrong, if anything is.
type Verdict = Result<(), String>;

/// A law: its name, and what it finds wrong with a run.
type Law = (&'static str, fn(&Run) -> Verdict);

pub(super) const LAWS: [Law; 10] = [
    ("it begins at most once", begins_at_most_once),
    (
        "an error says no less than the truth",
        says_no_less_than_the_truth,
    ),
    (
        "a call ends in what can be known",
        ends_in_what_can_be_known,
    ),
    (
        "who may call again is told so, and nobody else",
        says_whether_to_call_again,
    ),
    (
        "nothing is sent after a verdict",
        sends_nothing_after_a_verdict,
    ),
    (
        "what may be repeated is repeated",
        repeats_what_may_be_repeated,
    ),
    ("limits are kept", keeps_limits),
    ("pauses are as long as they are said to be", keeps_pauses),
    (
        "an error tells name, ids, status and attempts",
        tells_what_to_look_up,
    ),
    (
        "each attempt has the same name, and a key that is still good",
        sends_what_it_should,
    ),
];

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, is: T, should_be: T) -> Verdict {
    match is == should_be {
        true => Ok(()),
        false => Err(format!("{what} is {is:?}, not {should_be:?}")),
    }
}

/// With `repeat_if_unknown`, at most as often as the call says that it was sent.
fn begins_at_most_once(run: &Run) -> Verdict {
    let most = run.most_begun();
    let may = match (run.call.repeat_if_unknown, &run.sent) {
        (false, _) => 1,
        (true, Ok((attempts, _))) => *attempts,
        (true, Err(error)) => error.attempts(),
    };
    match most <= may {
        true => Ok(()),
        false => Err(format!("it may have begun {most} times, and may {may}")),
    }
}

fn says_no_less_than_the_truth(run: &Run) -> Verdict {
    let Err(error) = &run.sent else { return Ok(()) };
    if run.most_begun() > 0 && !error.may_have_started() {
        return Err(format!(
            "it may have begun, and the error denies it: {error:?}"
        ));
    }
    expect(
        "may_have_started",
        error.may_have_started(),
        run.call.starts() && error.delivery() >= Delivery::Unknown,
    )
}

fn ends_in_what_can_be_known(run: &Run) -> Verdict {
    let is = match &run.sent {
        Ok((_, origin)) => Ok(*origin),
        Err(error) => Err(error.delivery()),
    };
    let should_be = run
        .end()
        .map(|origin| run.call.is_keyed().then_some(origin));
    expect("the end", is, should_be)
}

/// The same call again can neither begin a second time nor fail for the same lasting reason.
fn says_whether_to_call_again(run: &Run) -> Verdict {
    let Err(error) = &run.sent else { return Ok(()) };
    let is_same_again = match run.call.replay() {
        Replay::Repeatable => true,
        Replay::Keyed => run.call.is_named(),
        Replay::Once => false,
    };
    if error.is_retryable() && !is_same_again && run.most_begun() > 0 {
        return Err("a second call would begin it a second time".to_owned());
    }
    let last = run.attempts().last().map(|last| last.event.passes);
    let should_be = last == Some(true) && (is_same_again || error.delivery() < Delivery::Unknown);
    expect("is_retryable", error.is_retryable(), should_be)
}

fn sends_nothing_after_a_verdict(run: &Run) -> Verdict {
    for (at, goes_on) in run.goes_on().into_iter().enumerate() {
        if !goes_on && run.is_followed(at) {
            return Err(format!("request {} was followed by another", at + 1));
        }
    }
    Ok(())
}

fn repeats_what_may_be_repeated(run: &Run) -> Verdict {
    for (at, goes_on) in run.goes_on().into_iter().enumerate() {
        if goes_on && !run.is_followed(at) {
            return Err(format!("request {} was not followed by another", at + 1));
        }
    }
    Ok(())
}

/// No attempt is longer than its limit, no call longer than its own.
fn keeps_limits(run: &Run) -> Verdict {
    let limits = run.call.limits();
    let took = run.ended - run.began;
    if took > limits.overall + SLACK {
        return Err(format!("it took {took:?}"));
    }
    let next = run.requests.iter().skip(1).map(|next| next.at);
    for (request, end) in run.requests.iter().zip(next.chain([run.ended])) {
        let silence = request.silence(limits.attempt, run.left(request.at));
        let took = end - request.at;
        if took < silence || took > silence + LONGEST_PAUSE {
            return Err(format!("an attempt and its pause took {took:?}"));
        }
    }
    expect("the end of the last attempt", run.is_prompt(), true)
}

/// No pause is shorter than the service asks, or longer than the policy's.
fn keeps_pauses(run: &Run) -> Verdict {
    for (at, pause, pace, number) in run.pauses() {
        let asked = match run.requests[at].event.play {
            Play::Delayed(seconds, _) => Duration::from_secs(seconds),
            _ => Duration::ZERO,
        };
        let longest = longest_pause(run.requests[at].event.then, pace, number).max(asked);
        if pause < asked || pause > longest + SLACK {
            return Err(format!(
                "pause {number} is {pause:?}, asked {asked:?} of {longest:?}"
            ));
        }
    }
    Ok(())
}

fn tells_what_to_look_up(run: &Run) -> Verdict {
    let attempts = run.attempts();
    let sent = u32::try_from(attempts.len()).unwrap();
    let error = match &run.sent {
        Ok((attempts, _)) => return expect("attempts", *attempts, sent),
        Err(error) => error,
    };
    expect("attempts", error.attempts(), sent)?;
    expect("the operation", error.operation().is_some(), true)?;
    let last = attempts.last().unwrap();
    let name = last
        .name
        .as_deref()
        .or(run.call.is_named().then_some("mine"));
    expect("the name", error.execution_name(), name)?;
    expect(
        "the request id",
        error.request_id(),
        run.last_id().as_deref(),
    )?;
    let status = error.status().map(|status| status.as_u16());
    let (should_be, code) = match last.event.play {
        Play::Fail(Stage::Body { status, .. } | Stage::Oversized { status }) => {
            (Some(status.as_u16()), None)
        }
        Play::Fail(Stage::Proxy) => (Some(407), None),
        Play::Fail(_) | Play::Silence | Play::BreakInSleep => (None, None),
        Play::Page(status) => (Some(status), None),
        Play::Coded(codes) | Play::Delayed(_, codes) | Play::FarOff(codes) => {
            let (status, code) = codes[usize::from(!run.call.is_alibaba())];
            (Some(status), Some(code))
        }
        Play::Unreadable | Play::Foreign | Play::Shows(_) => (Some(200), None),
    };
    expect("the status", status, should_be)?;
    expect("the code", error.code().map(|code| code.as_str()), code)?;
    let words = error.to_string();
    let is_said = error.may_have_started() == words.contains("the flow may have started");
    expect("whether the words say it", is_said, true)
}

fn sends_what_it_should(run: &Run) -> Verdict {
    for pair in run.requests.windows(2) {
        let [one, next] = pair else { continue };
        if one.asked == next.asked {
            expect("the name", &next.name, &one.name)?;
            let is_renewed = one.event.then == Then::WithNewKey;
            expect(
                "whether the key is another",
                next.key != one.key,
                is_renewed,
            )?;
        }
    }
    Ok(())
}

/// Timers count whole milliseconds.
const SLACK: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The policy's bound of the pause after so many attempts.
fn longest_pause(then: Then, pace: Pace, attempts: u32) -> Duration {
    let first = match (then, pace) {
        (Then::WithItsTime | Then::WithNewKey, _) => 0,
        (_, Pace::Normal) => 100,
        (_, Pace::Throttled) => 500,
    };
    Duration::from_millis(first << (attempts - 1))
}

/// What follows from the events of a run, by the README and the documentation of errors.
impl Run {
    /// How often the service may have begun what it was asked for, given all that it said.
    fn most_begun(&self) -> u32 {
        if !self.call.starts() {
            return 0;
        }
        let attempts = self.attempts();
        let may = |request: &&&Request| {
            let is_our_name = !self.call.is_named() && says_exists(request.event);
            request.event.begins != Begins::Never || is_our_name
        };
        let arrived = u32::try_from(attempts.iter().filter(may).count()).unwrap();
        let is_others = self
            .found()
            .is_some_and(|found| matches!(found, Execution::OfOtherInput | Execution::LongBefore));
        match self.call.replay() {
            Replay::Once => arrived,
            // One execution a name; where it is another's, none is ours.
            Replay::Keyed if is_others => 0,
            Replay::Keyed | Replay::Repeatable => arrived.min(1),
        }
    }

    /// What the start, or a look at it, found under the name.
    fn found(&self) -> Option<Execution> {
        let of_start = self
            .attempts()
            .last()
            .and_then(|last| match last.event.play {
                Play::Shows(execution) => Some(execution),
                _ => None,
            });
        of_start.or(self.shown())
    }

    /// How the call should end: whose execution it is, or how far it got.
    fn end(&self) -> Result<ExecutionOrigin, Delivery> {
        let attempts = self.attempts();
        let last = attempts.last().unwrap().event;
        let worst = attempts
            .iter()
            .map(|request| request.event.tells)
            .max()
            .unwrap();
        if let Play::Shows(execution) = last.play {
            return Ok(self.origin(execution));
        }
        if self.call.is_keyed() && says_exists(last) {
            if self.call.is_named() && worst < Delivery::Unknown {
                return Err(worst);
            }
            return match self.shown().map(|shown| self.origin(shown)) {
                Some(Started) => Ok(Started),
                Some(FoundRunning) => Err(Delivery::Refused),
                None if !self.call.is_named() => Err(Delivery::Accepted),
                _ => Err(worst),
            };
        }
        match self.shown() {
            Some(Execution::Ours) => Ok(Started),
            _ => Err(worst),
        }
    }

    /// Whose an execution is, as far as can be told.
    fn origin(&self, execution: Execution) -> ExecutionOrigin {
        match execution {
            _ if !self.call.is_named() => Started,
            Execution::New => Started,
            Execution::OfOtherInput => FoundRunning,
            // Of our two clocks, one stood still.
            _ if self.has_slept() => Unclear,
            Execution::Ours => Started,
            Execution::LongBefore => FoundRunning,
            Execution::JustBefore => Unclear,
        }
    }

    /// Whether the request was followed by another one of its call.
    fn is_followed(&self, at: usize) -> bool {
        let next = self.requests.get(at + 1);
        next.is_some_and(|next| next.asked == self.requests[at].asked)
    }

    /// Of each request, whether another one of its call must follow.
    fn goes_on(&self) -> Vec<bool> {
        let mut is_proven = self.call.key == Key::Proven;
        let (mut attempts, mut has_its_time, mut has_new_key) = (0, false, false);
        let mut last = Asked::Call;
        let mut goes_on = Vec::new();
        for (at, request) in self.requests.iter().enumerate() {
            if std::mem::replace(&mut last, request.asked) != request.asked {
                (attempts, has_its_time, has_new_key) = (0, false, false);
            }
            attempts += 1;
            let event = request.event;
            let replay = match request.asked {
                Asked::Call => self.call.replay(),
                Asked::Look => Replay::Repeatable,
            };
            let is_once = replay == Replay::Once;
            let may = match event.then {
                Then::End => false,
                Then::Again | Then::AfterDelay => true,
                Then::IfHarmless => !is_once || self.call.repeat_if_unknown,
                Then::UnlessOnce => !is_once,
                Then::WithItsTime => !std::mem::replace(&mut has_its_time, true),
                Then::WithNewKey => {
                    let is_good = is_proven && self.call.key != Key::Fixed;
                    is_good && !std::mem::replace(&mut has_new_key, true)
                }
            };
            // An aged key is given up after the last attempt, too.
            is_proven = match event.then {
                Then::WithNewKey if may => false,
                _ => is_proven || proves_key(event.play),
            };
            let may = may && attempts < ATTEMPTS && self.has_time(at, is_once);
            goes_on.push(may);
        }
        goes_on
    }

    /// Whether another attempt has the time that it needs.
    fn has_time(&self, at: usize, is_once: bool) -> bool {
        let request = &self.requests[at];
        let limits = self.call.limits();
        let left = self.left(request.at);
        let needed = match is_once {
            true => limits.attempt.min(limits.overall / 2),
            false => Duration::from_secs(5),
        };
        let asked = match request.event.play {
            Play::Delayed(seconds, _) => Duration::from_secs(seconds),
            _ => Duration::ZERO,
        };
        request.silence(limits.attempt, left) + asked + needed <= left
    }

    /// What is left of the call's time.
    fn left(&self, at: tokio::time::Instant) -> Duration {
        (self.began + self.call.limits().overall).saturating_duration_since(at)
    }

    /// Whether the call ended with its last attempt.
    fn is_prompt(&self) -> bool {
        let last = self.requests.last().unwrap();
        let silence = last.silence(self.call.limits().attempt, self.left(last.at));
        self.ended <= last.at + silence + SLACK
    }

    /// The pauses: after which request, how long, at what pace, and after how many attempts.
    pub(super) fn pauses(&self) -> Vec<(usize, Duration, Pace, u32)> {
        let mut attempts = 0;
        let mut pauses = Vec::new();
        for (at, request) in self.requests.iter().enumerate() {
            if !self.is_followed(at) {
                attempts = 0;
                continue;
            }
            attempts += 1;
            let took = request.silence(self.call.limits().attempt, self.left(request.at));
            let pause = self.requests[at + 1].at - request.at;
            let pace = match request.event.play {
                Play::Coded([(429 | 503, _), _]) | Play::Delayed(..) => Pace::Throttled,
                _ => Pace::Normal,
            };
            pauses.push((at, pause.saturating_sub(took), pace, attempts));
        }
        pauses
    }
}

/// Whether an answer shows that the service knows the key: it has looked at the request.
fn proves_key(play: Play) -> bool {
    match play {
        Play::Unreadable | Play::Foreign | Play::Shows(_) => true,
        Play::Coded(AGED | BAD_KEY | CLOCK) => false,
        Play::Coded([(status, _), _]) => matches!(status, 200 | 400..=428 | 430..=499),
        _ => false,
    }
}
