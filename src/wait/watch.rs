//! Looking at an execution again and again, to its end.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument as _, Span, field};

use super::{
    look::{Class, Look, SAME_START, View},
    memory::Memory,
    progress::{News, Teller},
    reference::ExecutionRef,
    task::{Origin, Task},
};
use crate::{
    bits::random_bits,
    error::{Delivery, Error, ErrorKind},
    pipeline::{clock::monotonic, limits::LONGEST, pace::Pacer},
    printed::logged,
};

/// The documented lag between a start and the first look that shows it.
const GRACE: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// So many long polls that are cut, one after the other, are a sign of something in between.
const CUTS: u32 = 3;
/// After this, a long poll is tried again.
const SHORT_FOR: Duration = Duration::from_secs(3600);
/// For how long an output may come after its status, and how often it is looked for.
pub(super) const LATE_OUTPUT: Duration = Duration::from_secs(2);
const LATE_LOOKS: u32 = 3;
/// So many looks at an unknown status with a stop time are an end.
const UNKNOWN_ENDS: u32 = 3;
/// For how long a retry may show no sign.
const RETRY_SIGN: Duration = Duration::from_secs(60);
/// How much of an answer is worth one second of pause.
const BYTES_A_SECOND: u32 = 256 * 1024;

/// Waits to the end, in a span of its own: looks are events in it.
pub(super) async fn run<L: Look>(task: Box<Task<L>>, told: Teller) -> Result<L::Answer, Error> {
    let mut memory = Memory::new(L::OPERATION, L::RIGHT, &task.origin);
    memory.absence = L::ABSENCE;
    let span = tracing::debug_span!(
        "wait",
        operation = L::OPERATION,
        looks = field::Empty,
        error = field::Empty,
        outcome = field::Empty,
    );
    let mut trace = Trace {
        span: span.clone(),
        outcome: "dropped",
    };
    let outcome = {
        let running = pin!(to_the_end(task, &mut memory, told));
        running.instrument(span).await
    };
    trace.span.record("looks", memory.looks());
    trace.outcome = match &outcome {
        Ok(_) => "ended",
        Err(error) => {
            trace.span.record("error", field::debug(error.kind()));
            "failed"
        }
    };
    outcome
}

/// Says in a wait's span what became of it, also where it is dropped.
struct Trace {
    span: Span,
    outcome: &'static str,
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.span.record("outcome", self.outcome);
    }
}

/// Waits to the end, or to the deadline on whatever path it is then.
async fn to_the_end<L: Look>(
    task: Box<Task<L>>,
    memory: &mut Memory,
    told: Teller,
) -> Result<L::Answer, Error> {
    let deadline = task.deadline;
    if deadline.is_some_and(|deadline| deadline <= monotonic()) {
        return Err(memory.deadline_error());
    }
    let outcome = {
        let driving = pin!(drive(task, memory, &told));
        match deadline {
            None => Some(driving.await),
            Some(deadline) => timeout_at(deadline, driving).await.ok(),
        }
    };
    outcome.unwrap_or_else(|| Err(memory.deadline_error()))
}

async fn drive<L: Look>(
    task: Box<Task<L>>,
    memory: &mut Memory,
    told: &Teller,
) -> Result<L::Answer, Error> {
    let Task {
        look,
        pacer,
        origin,
        deadline,
        grace,
        mut before,
    } = *task;
    let (execution, grace) = match origin {
        Origin::Started(execution) => (execution, grace.unwrap_or(GRACE)),
        Origin::Resumed(execution) => (execution, grace.unwrap_or_default()),
        Origin::Again { retry, execution } => {
            memory.starting();
            before = Some(retry.await?);
            (execution, grace.unwrap_or_default())
        }
        Origin::Start { start, key } => {
            memory.starting();
            let execution = match (start.await, key) {
                (Ok(execution), _) => {
                    memory.started(&execution);
                    execution
                }
                (Err(error), Some(key)) if error.may_have_started() => key,
                (Err(error), _) => return Err(error),
            };
            (execution, grace.unwrap_or(GRACE))
        }
    };
    Loop {
        look,
        pacer,
        deadline,
        visible_by: monotonic() + grace.min(LONGEST),
        retried_at: before.is_some().then(monotonic),
        before,
        execution,
        memory,
        told,
        pause: FIRST_PAUSE,
        cuts: 0,
        cut_at: None,
        unknown_ends: 0,
        unauthenticated: false,
        late: None,
    }
    .run()
    .await
}

struct Loop<'a, L: Look> {
    look: L,
    pacer: Arc<Pacer>,
    deadline: Option<Instant>,
    execution: ExecutionRef,
    visible_by: Instant,
    before: Option<View>,
    retried_at: Option<Instant>,
    memory: &'a mut Memory,
    told: &'a Teller,
    pause: Duration,
    cuts: u32,
    cut_at: Option<Instant>,
    unknown_ends: u32,
    /// Whether the look before was refused for its credential, which may have been renewed since.
    unauthenticated: bool,
    /// A good end whose output has not come, since when, and how often it was looked for.
    late: Option<(L::Answer, Instant, u32)>,
}

/// What follows from one look.
enum After<A> {
    End(A),
    Pause(Duration),
    /// The look was refused for its rate: it keeps its place in the line.
    Again(Option<Duration>),
}

impl<L: Look> Loop<'_, L> {
    async fn run(mut self) -> Result<L::Answer, Error> {
        let mut turn = self.pacer.turn();
        loop {
            let late_until = self.late.as_ref().map(|(_, since, _)| *since + LATE_OUTPUT);
            let had = match late_until {
                None => turn.await,
                Some(until) => match timeout_at(until, turn).await {
                    Ok(had) => had,
                    Err(_) => return self.give_late(),
                },
            };
            let asked = monotonic();
            if self.deadline.is_some_and(|deadline| asked >= deadline) {
                return Err(self.memory.deadline_error());
            }
            let hold = self.hold();
            let looking = self.look.look(&self.execution, hold);
            self.memory.asked();
            let outcome = match late_until {
                None => looking.await,
                Some(until) => match timeout_at(until, looking).await {
                    Ok(outcome) => outcome,
                    Err(_) => return self.give_late(),
                },
            };
            let after = match outcome {
                Ok(answer) => {
                    let view = L::view(&answer);
                    if self.memory.has_event() {
                        tracing::debug!(status = logged(&view.status), "looked");
                    }
                    self.judge(answer, view, hold, asked)?
                }
                Err(error) => {
                    if self.memory.has_event() {
                        let status = error.status().map(|status| status.as_u16());
                        tracing::debug!(kind = ?error.kind(), status, "a look brought nothing");
                    }
                    self.bear(error, hold, asked, had.at)?
                }
            };
            match after {
                After::End(answer) => return Ok(answer),
                After::Pause(pause) => {
                    sleep(pause).await;
                    turn = self.pacer.turn();
                }
                After::Again(asked) => {
                    if let Some(asked) = asked {
                        sleep(asked.min(LONGEST)).await;
                    }
                    turn = self.pacer.again(&had);
                }
            }
        }
    }

    /// How long the service may hold its next answer back.
    fn hold(&mut self) -> Duration {
        if self.late.is_some() {
            return Duration::ZERO;
        }
        if self.cuts >= CUTS {
            let is_over = self.cut_at.is_some_and(|at| monotonic() >= at + SHORT_FOR);
            if !is_over {
                return Duration::ZERO;
            }
            // One more chance: whatever stood in between may be gone.
            self.cuts = CUTS - 1;
        }
        match self.deadline {
            Some(deadline) => L::LONGEST_HOLD.min(deadline.saturating_duration_since(monotonic())),
            None => L::LONGEST_HOLD,
        }
    }

    fn judge(
        &mut self,
        answer: L::Answer,
        view: View,
        hold: Duration,
        asked: Instant,
    ) -> Result<After<L::Answer>, Error> {
        if view.class == Class::Missing {
            self.memory.count("not found");
            return self.missing(None);
        }
        self.unauthenticated = false;
        if !hold.is_zero() {
            self.cuts = 0;
        }
        self.memory.answered(&view);
        if let (Some(own), Some(shown)) = (self.execution.started, view.started)
            && (own - shown).abs() > SAME_START
        {
            return Err(self
                .memory
                .gone("another execution bears its name now", None));
        }
        self.execution.started = self.execution.started.or(view.started);
        let is_word = !view.status.is_empty();
        if is_word && self.memory.saw(&view, &self.execution) {
            self.told.tell(News::Status(view.status.clone()));
            if view.class == Class::Unknown && self.memory.has_event() {
                tracing::warn!(status = view.status, "a status that no document lists");
            }
        }
        match view.class {
            Class::Succeeded | Class::Ended => {
                self.unknown_ends = 0;
                if let Some(old) = &self.before
                    && is_same_end(old, &view)
                {
                    if self
                        .retried_at
                        .is_some_and(|at| monotonic() >= at + RETRY_SIGN)
                    {
                        return Err(self.memory.no_sign_of_retry());
                    }
                    return Ok(After::Pause(self.next_pause(&view, hold, asked)));
                }
                let is_whole = view.has_output || view.stopped.is_some();
                if view.class == Class::Ended || is_whole {
                    return Ok(After::End(answer));
                }
                let now = monotonic();
                let (since, looks) = match self.late.take() {
                    Some((_, since, looks)) => (since, looks + 1),
                    None => (now, 0),
                };
                if looks >= LATE_LOOKS || now >= since + LATE_OUTPUT {
                    return Ok(After::End(answer));
                }
                self.late = Some((answer, since, looks));
                Ok(After::Pause(LATE_OUTPUT / (LATE_LOOKS + 1)))
            }
            Class::Unknown if is_word && view.stopped.is_some() => {
                self.unknown_ends += 1;
                if self.unknown_ends >= UNKNOWN_ENDS {
                    return Ok(After::End(answer));
                }
                // The service does not hold an answer for an end that it has told.
                Ok(After::Pause(self.next_pause(&view, Duration::ZERO, asked)))
            }
            _ => {
                self.unknown_ends = 0;
                if is_word {
                    // The retry has begun: whatever ends now is its own end.
                    self.before = None;
                }
                Ok(After::Pause(self.next_pause(&view, hold, asked)))
            }
        }
    }

    /// A look that gave no answer: nearly always one without news.
    fn bear(
        &mut self,
        error: Error,
        hold: Duration,
        asked: Instant,
        turn: Instant,
    ) -> Result<After<L::Answer>, Error> {
        let delivery = error.delivery();
        let is_service = delivery == Delivery::Refused && error.code().is_some();
        let is_again = std::mem::take(&mut self.unauthenticated);
        match error.kind() {
            ErrorKind::Throttled => {
                self.pacer.refused(turn);
                self.memory.count_error(&error);
                return Ok(After::Again(error.retry_after()));
            }
            ErrorKind::NotFound if is_service => {
                self.memory.count_error(&error);
                return self.missing(Some(error));
            }
            ErrorKind::Unauthenticated if is_service && !is_again => {
                // The key may have ended in the middle: the next look has another.
                self.unauthenticated = true;
            }
            ErrorKind::PermissionDenied
            | ErrorKind::InvalidRequest
            | ErrorKind::Unauthenticated
                if is_service =>
            {
                return Err(self.memory.refused(error));
            }
            ErrorKind::InvalidRequest | ErrorKind::Configuration
                if delivery == Delivery::NotSent =>
            {
                return Err(self.memory.refused(error));
            }
            ErrorKind::Credentials if !error.is_retryable() => {
                return Err(self.memory.refused(error));
            }
            _ => {}
        }
        let is_cut = !hold.is_zero()
            && match error.kind() {
                ErrorKind::Transport | ErrorKind::Timeout | ErrorKind::Decode => true,
                ErrorKind::Service => error.status().is_some_and(|status| {
                    matches!(status.as_u16(), 502..=504) && monotonic() > asked + FIRST_PAUSE
                }),
                _ => false,
            };
        if is_cut {
            self.cuts += 1;
            self.cut_at = Some(monotonic());
        }
        self.memory.count_error(&error);
        if let Some(words) = self.memory.trouble(&error) {
            if self.memory.has_event() {
                tracing::warn!(
                    operation = L::OPERATION,
                    trouble = words,
                    "a wait has had no answer for a while and goes on"
                );
            }
            self.told.tell(News::Trouble(words));
        }
        if let Some((_, _, looks)) = &mut self.late {
            *looks += 1;
            return match *looks >= LATE_LOOKS {
                true => self.give_late().map(After::End),
                false => Ok(After::Pause(LATE_OUTPUT / (LATE_LOOKS + 1))),
            };
        }
        let pause = self.grow_pause();
        Ok(After::Pause(
            pause
                .max(error.retry_after().unwrap_or_default())
                .min(LONGEST),
        ))
    }

    /// The service says that there is no such execution.
    fn missing(&mut self, error: Option<Error>) -> Result<After<L::Answer>, Error> {
        if self.late.is_some() {
            return self.give_late().map(After::End);
        }
        if self.memory.was_seen() {
            return Err(self
                .memory
                .gone("the service does not know it any more", error));
        }
        if monotonic() >= self.visible_by {
            return Err(self.memory.never_visible(error));
        }
        if self.memory.invisible() {
            self.told.tell(News::NotVisible);
        }
        Ok(After::Pause(self.grow_pause()))
    }

    fn give_late(&mut self) -> Result<L::Answer, Error> {
        match self.late.take() {
            Some((answer, ..)) => Ok(answer),
            None => Err(Error::new(ErrorKind::Service, "there is no end to give")),
        }
    }

    fn next_pause(&mut self, view: &View, hold: Duration, asked: Instant) -> Duration {
        // An answer that was held back has used up the pause; a service that does not hold back
        // is not asked without one.
        if !hold.is_zero() && monotonic() >= asked + hold / 2 {
            return Duration::ZERO;
        }
        // Each look at a large execution moves all of it.
        let bytes = u32::try_from(view.bytes).unwrap_or(u32::MAX);
        let by_size = Duration::from_secs(u64::from(bytes / BYTES_A_SECOND));
        self.grow_pause().max(by_size.min(Duration::from_secs(60)))
    }

    fn grow_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        // Waits that began together do not stay together.
        let fifth = random_bits().map_or(0, |bits| u32::from(bits[0]));
        pause - pause * fifth / (5 * 256)
    }
}

/// Whether two views show one and the same end.
fn is_same_end(old: &View, new: &View) -> bool {
    old.status == new.status
        && old.updated == new.updated
        && old.stopped == new.stopped
        && old.nodes == new.nodes
}
