//! One execution, from its start to its end and beyond.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

#[cfg(feature = "alibaba")]
use super::quotas::Buckets;
use super::{
    clock::{Clock, first, lock, machine},
    cloud::{Cloud, Mode},
    course::{Event, Facts, MapLimits, Player, Report, Stand, Stop, Waiting},
    plan::{Body, Items, Move, Outcome, Plan},
    quirks,
};

/// What all executions have in common.
pub(crate) struct World {
    pub(crate) clock: Arc<Clock>,
    #[cfg(feature = "alibaba")]
    pub(crate) buckets: Buckets,
    pub(crate) quirks: quirks::Current,
    /// How long a callback is waited for, in the machine's time.
    pub(crate) callback_limit: Duration,
}

/// How an execution ended.
pub(crate) struct Ending {
    pub(crate) stopped: DateTime<Utc>,
    pub(crate) outcome: Outcome,
    /// The same moment, since the emulator's start.
    at: Duration,
}

/// An execution as somebody sees it.
pub(crate) struct View {
    pub(crate) status: String,
    pub(crate) ending: Option<Arc<Ending>>,
    /// When it last got further.
    pub(crate) updated: DateTime<Utc>,
}

impl View {
    /// The output's JSON text; empty when there is none.
    pub(crate) fn output(&self) -> &str {
        match self.ending.as_ref().map(|ending| &ending.outcome) {
            None => "",
            Some(Ok(output)) => output,
            Some(Err(failure)) => failure.output().map_or("", |output| output.as_str()),
        }
    }
}

/// What an execution runs, in the words of Alibaba Cloud.
#[derive(Clone, Default)]
pub(crate) struct Ran {
    /// The definition; empty where the flow was not made over the API.
    pub(crate) definition: String,
    /// Version or alias as the start named it.
    pub(crate) qualifier: Option<String>,
    /// The version, where it is one.
    pub(crate) version: Option<String>,
    /// The role that its flow acted as; empty where it had none.
    pub(crate) role: String,
}

impl Ran {
    /// Whether it runs this version, or what this alias led to.
    pub(crate) fn is_of(&self, qualifier: &str) -> bool {
        [&self.qualifier, &self.version]
            .into_iter()
            .any(|name| name.as_deref() == Some(qualifier))
    }
}

/// What an execution is begun with.
pub(crate) struct Begin {
    pub(crate) flow: String,
    pub(crate) mode: Mode,
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) ran: Ran,
    pub(crate) body: Body,
    pub(crate) plan: Plan,
    #[cfg(feature = "alibaba")]
    pub(crate) environment: Vec<(String, String)>,
    /// Of the callbacks of the plan, in their order.
    pub(crate) tokens: Vec<String>,
}

/// An execution that has begun.
pub(crate) struct Run {
    pub(crate) flow: String,
    pub(crate) mode: Mode,
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) ran: Ran,
    pub(crate) started: DateTime<Utc>,
    #[cfg(feature = "alibaba")]
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) tokens: Vec<String>,
    began: Duration,
    pub(crate) body: Body,
    plan: Plan,
    world: Arc<World>,
    /// The newest last; there are more where the execution was retried.
    turns: Mutex<Vec<Turn>>,
    changed: watch::Sender<()>,
}

/// An execution's way to an end. A retry is another one.
struct Turn {
    facts: Facts,
    begun: Instant,
    ending: Option<Arc<Ending>>,
    /// The callback that is waited for, and since when in the machine's time.
    waits: Option<(Waiting, Instant)>,
}

impl Turn {
    fn new(began: Duration) -> Self {
        Self {
            facts: Facts {
                began,
                ..Facts::default()
            },
            begun: machine(),
            ending: None,
            waits: None,
        }
    }
}

/// Why a task's report was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReportRefusal {
    /// There is no such token, or no such step.
    Unknown,
    /// Somebody reported it already, or its time is over.
    AlreadyCompleted,
    /// The task cannot be reported yet.
    TooEarly,
}

impl Run {
    pub(crate) fn new(world: &Arc<World>, begin: Begin) -> Self {
        let began = world.clock.passed();
        Self {
            flow: begin.flow,
            mode: begin.mode,
            name: begin.name,
            input: begin.input,
            ran: begin.ran,
            started: world.clock.now(),
            #[cfg(feature = "alibaba")]
            environment: begin.environment,
            tokens: begin.tokens,
            began,
            body: begin.body,
            plan: begin.plan,
            world: Arc::clone(world),
            turns: Mutex::new(vec![Turn::new(began)]),
            changed: watch::Sender::new(()),
        }
    }

    fn cloud(&self) -> Cloud {
        self.mode.cloud()
    }

    /// The date of a moment of this execution.
    pub(crate) fn date(&self, at: Duration) -> DateTime<Utc> {
        let since = TimeDelta::from_std(at.saturating_sub(self.began)).ok();
        let date = since.and_then(|since| self.started.checked_add_signed(since));
        date.unwrap_or(self.started)
    }

    /// How it ended, if it has.
    pub(crate) fn ending(&self) -> Option<Arc<Ending>> {
        self.view().ending
    }

    /// As it is seen now.
    pub(crate) fn view(&self) -> View {
        let now = self.world.clock.passed();
        let mut turns = lock(&self.turns);
        let kept = self.world.quirks.get().retry_keeps_old_end_for;
        let index = match &turns[..] {
            // The old end is shown a while longer.
            [.., _, last] if now < last.facts.began.saturating_add(kept) => turns.len() - 2,
            _ => turns.len() - 1,
        };
        self.view_of(&mut turns, index, now)
    }

    /// As it was so long after the emulator's start; `None` where it had not begun.
    pub(crate) fn view_at(&self, at: Duration) -> Option<View> {
        let mut turns = lock(&self.turns);
        let index = turns.iter().rposition(|turn| turn.facts.began <= at)?;
        Some(self.view_of(&mut turns, index, at))
    }

    fn view_of(&self, turns: &mut [Turn], index: usize, at: Duration) -> View {
        let (ending, updated) = match self.stand(turns, index, at) {
            Ok(ending) => (Some(Arc::clone(&ending)), ending.at),
            Err((_, Some(waiting))) => (None, waiting.since),
            Err(_) => (None, turns.get(index).map_or(at, |turn| turn.facts.began)),
        };
        let status = match &ending {
            None => self.cloud().running().to_owned(),
            Some(ending) => self.cloud().status(ending.outcome.as_ref().err()),
        };
        View {
            status,
            ending,
            updated: self.date(updated),
        }
    }

    /// The end that a turn had come to, or until when nothing happens and which callback it waits
    /// for.
    fn stand(
        &self,
        turns: &mut [Turn],
        index: usize,
        at: Duration,
    ) -> Result<Arc<Ending>, (Option<Duration>, Option<Waiting>)> {
        let Some(turn) = turns.get_mut(index) else {
            return Err((None, None));
        };
        if let Some(ending) = turn.ending.as_ref().filter(|ending| ending.at <= at) {
            return Ok(Arc::clone(ending));
        }
        match self.play(&mut turn.facts, at, None) {
            Stand::Ended { at, outcome } => {
                let ending = Arc::new(Ending {
                    stopped: self.date(at),
                    outcome,
                    at,
                });
                turn.ending = Some(Arc::clone(&ending));
                turn.waits = None;
                Ok(ending)
            }
            Stand::Runs { until, callback } => {
                if let Some(waiting) = callback
                    && turn.waits.is_none_or(|(known, _)| known != waiting)
                {
                    turn.waits = Some((waiting, machine()));
                }
                let is_forgotten = turn.waits.is_some_and(|(known, since)| {
                    Some(known) == callback && since.elapsed() >= self.world.callback_limit
                });
                if is_forgotten && let Some(waiting) = callback {
                    self.forget(&mut turn.facts, waiting, at);
                    return self.stand(turns, index, at);
                }
                Err((until, callback))
            }
        }
    }

    fn play(&self, facts: &mut Facts, at: Duration, tape: Option<&mut Vec<Event>>) -> Stand {
        #[cfg(feature = "alibaba")]
        let admit = |wanted| self.world.buckets.step(wanted);
        #[cfg(not(feature = "alibaba"))]
        let admit = |_| None;
        let player = Player {
            plan: &self.plan,
            input: &self.input,
            facts,
            admit: &admit,
            tape,
        };
        player.play(at)
    }

    /// Nobody will report it any more.
    fn forget(&self, facts: &mut Facts, waiting: Waiting, at: Duration) {
        let step = self.callback_step(waiting.number).unwrap_or_default();
        let token = self.tokens.get(waiting.number);
        let token = token.and_then(|token| token.get(..8)).unwrap_or_default();
        let cause = format!(
            "nobody reported the task of step {step} of execution {} of flow {} (token {token}...)",
            self.name, self.flow
        );
        let error = "Emulated.CallbackForgotten".to_owned();
        set_report(
            facts,
            waiting.number,
            Report {
                result: Err((error, cause)),
                at,
            },
        );
    }

    /// Waits for the end.
    pub(crate) async fn ended(&self) -> Arc<Ending> {
        let mut changed = self.changed.subscribe();
        loop {
            changed.borrow_and_update();
            let stand = {
                let now = self.world.clock.passed();
                let mut turns = lock(&self.turns);
                let last = turns.len().saturating_sub(1);
                self.stand(&mut turns, last, now)
            };
            let until = match stand {
                Ok(ending) => return ending,
                Err((until, _)) => until.unwrap_or(Duration::MAX),
            };
            let due = self.world.clock.until(until);
            let news = first(changed.changed(), due);
            // A callback that was forgotten ends it, too.
            let _ = tokio::time::timeout(self.world.callback_limit, news).await;
        }
    }

    /// Waits for the end, but not longer than that.
    pub(crate) async fn ended_within(&self, limit: Duration) {
        let clock = &self.world.clock;
        let over = clock.until(clock.passed().saturating_add(limit));
        first(self.ended(), over).await;
    }

    /// What happened so far in each of its turns, the newest last.
    pub(crate) fn histories(&self) -> Vec<Vec<Event>> {
        let now = self.world.clock.passed();
        let mut turns = lock(&self.turns);
        let last = turns.len().saturating_sub(1);
        // Callbacks may be forgotten by now.
        let _ = self.stand(&mut turns, last, now);
        let turns = turns.iter_mut();
        turns
            .map(|turn| {
                let mut tape = Vec::new();
                self.play(&mut turn.facts, now, Some(&mut tape));
                tape
            })
            .collect()
    }

    /// What happened since its start, or since the last retry.
    pub(crate) fn history(&self) -> Vec<Event> {
        self.histories().pop().unwrap_or_default()
    }

    /// Its closure is done.
    pub(crate) fn done(&self, turn: usize, outcome: Outcome) {
        let now = self.world.clock.passed();
        if let Some(turn) = lock(&self.turns).get_mut(turn) {
            // The clock may have been advanced meanwhile, which took no time of the closure.
            let took = turn.facts.began.saturating_add(turn.begun.elapsed());
            turn.facts.outcome = Some((took.min(now), outcome));
        }
        self.changed.send_replace(());
    }

    /// Stops it, or says how it had ended.
    pub(crate) fn stop(&self, error: &str, cause: &str) -> Result<(), Arc<Ending>> {
        let now = self.world.clock.passed();
        {
            let mut turns = lock(&self.turns);
            let last = turns.len().saturating_sub(1);
            if let Ok(ending) = self.stand(&mut turns, last, now) {
                return Err(ending);
            }
            if let Some(turn) = turns.last_mut() {
                turn.facts.stop = Some(Stop {
                    at: now,
                    error: error.to_owned(),
                    cause: cause.to_owned(),
                });
            }
        }
        self.changed.send_replace(());
        Ok(())
    }

    /// Lets it end with the step that it is in: its flow is gone.
    #[cfg(feature = "alibaba")]
    pub(crate) fn end_with_step(&self) {
        let now = self.world.clock.passed();
        {
            let mut turns = lock(&self.turns);
            let last = turns.len().saturating_sub(1);
            let at = match self.stand(&mut turns, last, now) {
                Ok(_) => return,
                // What waits for somebody may never end.
                Err((Some(until), None)) => until,
                Err(_) => now,
            };
            if let Some(turn) = turns.last_mut() {
                turn.facts.stop = Some(Stop {
                    at,
                    error: "Emulated.FlowDeleted".to_owned(),
                    cause: "the flow was deleted".to_owned(),
                });
            }
        }
        self.changed.send_replace(());
    }

    /// Begins another turn, and gives its number. An execution that runs or succeeded is not
    /// retried.
    pub(crate) fn retry(&self) -> Result<usize, View> {
        let now = self.world.clock.passed();
        let turn = {
            let mut turns = lock(&self.turns);
            let last = turns.len().saturating_sub(1);
            let view = self.view_of(&mut turns, last, now);
            let has_failed = view
                .ending
                .as_ref()
                .is_some_and(|ending| ending.outcome.is_err());
            if !has_failed {
                return Err(view);
            }
            turns.push(Turn::new(now));
            turns.len() - 1
        };
        self.changed.send_replace(());
        Ok(turn)
    }

    /// Takes the report of a task, and gives the number of its event.
    pub(crate) fn report(
        &self,
        number: usize,
        result: Result<String, (String, String)>,
    ) -> Result<i64, ReportRefusal> {
        let now = self.world.clock.passed();
        let early = self.world.quirks.get().task_report_too_early_for;
        let event = {
            let mut turns = lock(&self.turns);
            let last = turns.len().saturating_sub(1);
            let waiting = match self.stand(&mut turns, last, now) {
                Ok(_) => return Err(ReportRefusal::AlreadyCompleted),
                Err((_, waiting)) => waiting,
            };
            let turn = turns.last_mut().ok_or(ReportRefusal::Unknown)?;
            if let Some(Some(_)) = turn.facts.reports.get(number) {
                return Err(ReportRefusal::AlreadyCompleted);
            }
            let waiting = waiting.filter(|waiting| waiting.number == number);
            let waiting = waiting.ok_or(ReportRefusal::TooEarly)?;
            if now < waiting.since.saturating_add(early) {
                return Err(ReportRefusal::TooEarly);
            }
            let mut tape = Vec::new();
            self.play(&mut turn.facts, now, Some(&mut tape));
            set_report(&mut turn.facts, number, Report { result, at: now });
            tape.last().map_or(0, |event| event.id) + 1
        };
        self.changed.send_replace(());
        Ok(event)
    }

    /// The callback that nobody has reported yet.
    pub(crate) fn waits_for(&self) -> Option<Waiting> {
        if self.tokens.is_empty() {
            return None;
        }
        let now = self.world.clock.passed();
        let mut turns = lock(&self.turns);
        let last = turns.len().saturating_sub(1);
        self.stand(&mut turns, last, now).err()?.1
    }

    /// The step of a callback of this number.
    pub(crate) fn callback_step(&self, number: usize) -> Option<&str> {
        self.plan.callbacks().nth(number)
    }

    /// The number of the callback of a step.
    pub(crate) fn callback_of(&self, step: &str) -> Option<usize> {
        self.plan.callbacks().position(|name| name == step)
    }

    /// What a map run of this name does.
    #[cfg(feature = "alibaba")]
    pub(crate) fn items_of(&self, map_run: &str) -> Option<Items> {
        let mut moves = self.plan.moves.iter();
        moves.find_map(|step| match step {
            Move::MapRun { name, items } if name == map_run => Some(*items),
            _ => None,
        })
    }

    /// How a map run of this name may go on.
    #[cfg(feature = "alibaba")]
    pub(crate) fn limits_of(&self, map_run: &str, items: Items) -> Option<MapLimits> {
        let turns = lock(&self.turns);
        turns
            .last()
            .map(|turn| turn.facts.limits_of(map_run, items))
    }

    #[cfg(feature = "alibaba")]
    pub(crate) fn set_limits(&self, map_run: &str, limits: MapLimits) {
        if let Some(turn) = lock(&self.turns).last_mut() {
            turn.facts.limits.insert(map_run.to_owned(), limits);
        }
    }

    /// Whether a look at it alone finds it.
    pub(crate) fn is_visible(&self) -> bool {
        let hidden = self.world.quirks.get().not_visible_for;
        self.world.clock.passed() >= self.began.saturating_add(hidden)
    }

    /// Whether its end is told whole: the output of one that succeeded may come late.
    pub(crate) fn is_output_there(&self, ending: &Ending) -> bool {
        let late = self.world.quirks.get().output_late_by;
        ending.outcome.is_err() || self.world.clock.passed() >= ending.at.saturating_add(late)
    }
}

impl Plan {
    /// The steps that wait for a report.
    pub(crate) fn callbacks(&self) -> impl Iterator<Item = &str> {
        self.moves.iter().filter_map(|step| match step {
            Move::Callback { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }
}

fn set_report(facts: &mut Facts, number: usize, report: Report) {
    if facts.reports.len() <= number {
        facts.reports.resize(number + 1, None);
    }
    if let Some(place) = facts.reports.get_mut(number) {
        *place = Some(report);
    }
}
