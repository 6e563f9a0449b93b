//! What an execution has come to at any moment: its plan, played against what happened to it.
//!
//! Nothing runs in between: whoever looks plays the plan up to now. So every event bears the time
//! at which it was due, however far the clock was advanced at once, and the past can be looked at.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use serde_json::json;

use super::plan::{Items, Move, Outcome, Plan};
use crate::{FlowFailure, error::FlowFailureParts, payload::is_json};

/// The step that stands for the closure.
pub(crate) const CLOSURE: &str = "closure";

/// An event of an execution's history. Its number is its place, counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: i64,
    /// The event that this one belongs to: what opened the task, the step or the execution.
    pub(crate) schedule: i64,
    pub(crate) kind: Cow<'static, str>,
    pub(crate) step: String,
    /// Since the emulator's start.
    pub(crate) at: Duration,
    /// JSON text: payloads in it are as they were written.
    pub(crate) detail: String,
}

/// The event that tells the name of a map run.
pub(crate) const MAP_RUN: &str = "MapRunStarted";

/// How a map run may go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MapLimits {
    pub(crate) concurrency: u32,
    pub(crate) failed_count: u32,
    pub(crate) failed_percentage: f64,
}

impl MapLimits {
    /// Whether it bears the items that fail: their number or their share may be the measure.
    pub(crate) fn takes(self, items: Items) -> bool {
        let share = f64::from(items.failing) * 100.0;
        items.failing <= self.failed_count || share <= self.failed_percentage * f64::from(items.all)
    }
}

/// How a task was reported.
#[derive(Clone)]
pub(crate) struct Report {
    /// The output's JSON text, or error and cause.
    pub(crate) result: Result<String, (String, String)>,
    pub(crate) at: Duration,
}

/// Somebody stopped an execution.
#[derive(Clone)]
pub(crate) struct Stop {
    pub(crate) at: Duration,
    pub(crate) error: String,
    pub(crate) cause: String,
}

/// What happened to an execution. Times count from the emulator's start.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) began: Duration,
    /// When the closure was done, and what it gave.
    pub(crate) outcome: Option<(Duration, Outcome)>,
    /// Of the callbacks of the plan, in their order.
    pub(crate) reports: Vec<Option<Report>>,
    pub(crate) stop: Option<Stop>,
    /// How map runs go on that were told to go on otherwise.
    pub(crate) limits: BTreeMap<String, MapLimits>,
    /// When the steps that were looked at so far were let in.
    pub(crate) admitted: Vec<Duration>,
}

impl Facts {
    pub(crate) fn limits_of(&self, map_run: &str, items: Items) -> MapLimits {
        let told = self.limits.get(map_run).copied();
        told.unwrap_or(MapLimits {
            concurrency: 100,
            failed_count: items.tolerated,
            failed_percentage: 0.0,
        })
    }
}

/// What an execution has come to.
pub(crate) enum Stand {
    Ended {
        at: Duration,
        outcome: Outcome,
    },
    Runs {
        /// When it will have got further; `None` when that hangs on somebody.
        until: Option<Duration>,
        callback: Option<Waiting>,
    },
}

/// A callback that nobody has reported yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Waiting {
    /// Its number among the callbacks of the plan.
    pub(crate) number: usize,
    pub(crate) since: Duration,
}

/// Why the play got no further.
enum Halt {
    Until(Duration),
    Closure,
    Callback(Waiting, Option<Duration>),
    Failed(FlowFailure),
}

/// Plays a plan.
pub(crate) struct Player<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) input: &'a str,
    pub(crate) facts: &'a mut Facts,
    /// Says when a step that wants to begin may, where steps are counted.
    pub(crate) admit: &'a dyn Fn(Duration) -> Option<Duration>,
    /// What happened, for whoever wants to know.
    pub(crate) tape: Option<&'a mut Vec<Event>>,
}

impl Player<'_> {
    /// Plays up to this moment.
    pub(crate) fn play(self, now: Duration) -> Stand {
        let stop = self.facts.stop.clone().filter(|stop| stop.at <= now);
        let at = self.facts.began;
        let mut play = Play {
            player: self,
            horizon: stop.as_ref().map_or(now, |stop| stop.at),
            at,
            last: 0,
            steps: 0,
        };
        let halt = match play.run() {
            Ok(output) => {
                let at = play.at;
                play.emit("ExecutionSucceeded", "", EXECUTION, || {
                    payload("output", &output)
                });
                return Stand::Ended {
                    at,
                    outcome: Ok(output),
                };
            }
            Err(halt) => halt,
        };
        let (until, callback) = match halt {
            Halt::Failed(failure) => return play.failed(failure),
            Halt::Until(at) => (Some(at), None),
            Halt::Closure => (None, None),
            Halt::Callback(waiting, until) => (until, Some(waiting)),
        };
        let Some(stop) = stop else {
            return Stand::Runs { until, callback };
        };
        play.at = stop.at;
        play.failed(FlowFailure::of(FlowFailureParts {
            status: "Stopped".into(),
            code: Some(stop.error.into()),
            message: Some(stop.cause.into()),
            ..FlowFailureParts::default()
        }))
    }
}

/// The number of `ExecutionStarted`.
const EXECUTION: i64 = 1;

struct Play<'a> {
    player: Player<'a>,
    /// What comes after it has not happened yet.
    horizon: Duration,
    at: Duration,
    last: i64,
    steps: usize,
}

impl Play<'_> {
    fn run(&mut self) -> Result<String, Halt> {
        let input = self.player.input;
        self.emit("ExecutionStarted", "", 0, || payload("input", input));
        let mut callbacks = 0;
        for index in 0..self.player.plan.moves.len() {
            let plan = self.player.plan;
            match &plan.moves[index] {
                Move::Step { name, tries, time } => self.step(name, *tries, *time)?,
                Move::Parallel { name, branches } => self.parallel(name, branches)?,
                Move::Iterate { name, times, time } => self.iterate(name, *times, *time)?,
                Move::MapRun { name, items } => self.map_run(name, *items)?,
                Move::Callback { name, limit } => {
                    self.callback(name, callbacks, *limit)?;
                    callbacks += 1;
                }
                Move::Event { kind, step, detail } => {
                    self.emit(kind.clone(), step, EXECUTION, || detail.to_string());
                }
            }
        }
        self.closure()
    }

    fn step(&mut self, name: &str, tries: u32, time: Duration) -> Result<(), Halt> {
        let step = self.enter(name)?;
        for left in (0..tries.max(1)).rev() {
            let task = self.task(name, step);
            self.reach(self.at.saturating_add(time))?;
            if left > 0 {
                self.emit("TaskFailed", name, task, || {
                    reason("Emulated.TaskFailed", "the task is tried again")
                });
            } else {
                self.emit("TaskSucceeded", name, task, || {
                    json!({"output": {}}).to_string()
                });
            }
        }
        self.leave(name, step, "");
        Ok(())
    }

    fn parallel(&mut self, name: &str, branches: &[(String, Duration)]) -> Result<(), Halt> {
        let step = self.enter(name)?;
        let began = self.at;
        let mut ends = Vec::with_capacity(branches.len());
        for (branch, time) in branches {
            let id = self.emit("BranchEntered", branch, step, || {
                json!({"input": {}}).to_string()
            });
            ends.push((began.saturating_add(*time), id, branch));
        }
        ends.sort_by_key(|(end, ..)| *end);
        for (end, id, branch) in ends {
            self.reach(end)?;
            self.emit("BranchExited", branch, id, || {
                json!({"output": {}}).to_string()
            });
        }
        self.leave(name, step, "");
        Ok(())
    }

    fn iterate(&mut self, name: &str, times: u32, time: Duration) -> Result<(), Halt> {
        let step = self.enter(name)?;
        for index in 0..times {
            let id = self.emit("IterationEntered", name, step, || {
                json!({"index": index}).to_string()
            });
            self.reach(self.at.saturating_add(time))?;
            self.emit("IterationExited", name, id, || {
                json!({"index": index}).to_string()
            });
        }
        self.leave(name, step, "");
        Ok(())
    }

    fn map_run(&mut self, name: &str, items: Items) -> Result<(), Halt> {
        let step = self.enter(name)?;
        let task = self.task(name, step);
        self.emit(MAP_RUN, name, task, || {
            json!({"output": {"MapRunName": name}}).to_string()
        });
        self.reach(self.at.saturating_add(items.time))?;
        let limits = self.player.facts.limits_of(name, items);
        if limits.takes(items) {
            self.emit("TaskSucceeded", name, task, || payload("output", ""));
            self.leave(name, step, "");
            return Ok(());
        }
        let message = format!("more items of map run {name} failed than may");
        let failure = FlowFailure::new("Emulated.MapRunFailed", message);
        Err(self.fail(name, step, task, "TaskFailed", failure))
    }

    fn callback(&mut self, name: &str, number: usize, limit: Option<Duration>) -> Result<(), Halt> {
        let step = self.enter(name)?;
        let task = self.task(name, step);
        self.emit("TaskSubmitted", name, task, || json!({}).to_string());
        let since = self.at;
        let limit = limit.map(|limit| since.saturating_add(limit));
        let report = self.player.facts.reports.get(number).cloned().flatten();
        let Some(report) = report else {
            return match limit {
                Some(limit) if limit <= self.horizon => {
                    self.reach(limit)?;
                    let failure = FlowFailure::new(
                        "FnF.TaskTimeout",
                        format!("nobody reported the task of step {name} in time"),
                    );
                    Err(self.fail(name, step, task, "TaskTimedOut", failure))
                }
                _ => Err(Halt::Callback(Waiting { number, since }, limit)),
            };
        };
        self.reach(report.at)?;
        match report.result {
            Ok(output) => {
                self.emit("TaskSucceeded", name, task, || payload("output", &output));
                self.leave(name, step, &output);
                Ok(())
            }
            Err((error, cause)) => {
                let failure = FlowFailure::new(error, cause);
                Err(self.fail(name, step, task, "TaskFailed", failure))
            }
        }
    }

    fn closure(&mut self) -> Result<String, Halt> {
        let step = self.enter(CLOSURE)?;
        let task = self.task(CLOSURE, step);
        let least = self.at.saturating_add(self.player.plan.takes);
        let Some((done, outcome)) = self.player.facts.outcome.clone() else {
            return Err(Halt::Closure);
        };
        self.reach(least.max(done))?;
        match outcome {
            Ok(output) => {
                self.emit("TaskSucceeded", CLOSURE, task, || {
                    payload("output", &output)
                });
                self.leave(CLOSURE, step, &output);
                Ok(output)
            }
            Err(failure) => {
                let kind = match failure.status() {
                    "TimedOut" | "timeout" => "TaskTimedOut",
                    _ => "TaskFailed",
                };
                Err(self.fail(CLOSURE, step, task, kind, failure))
            }
        }
    }

    /// Enters a step when there is room for one more; gives the number of its event.
    fn enter(&mut self, name: &str) -> Result<i64, Halt> {
        let index = self.steps;
        self.steps += 1;
        // What has not happened yet takes no room.
        if self.at > self.horizon {
            return Err(Halt::Until(self.at));
        }
        let admitted = &mut self.player.facts.admitted;
        if admitted.len() <= index
            && let Some(turn) = (self.player.admit)(self.at)
        {
            // Steps that nobody held up are not kept: most executions never wait.
            admitted.resize(index, Duration::ZERO);
            admitted.push(turn);
        }
        let turn = admitted.get(index).copied().unwrap_or_default();
        self.reach(turn.max(self.at))?;
        let input = self.player.input;
        let step = self.emit("StepEntered", name, EXECUTION, || {
            local(payload("input", input))
        });
        self.emit("StepStarted", name, step, || json!({}).to_string());
        Ok(step)
    }

    fn task(&mut self, name: &str, step: i64) -> i64 {
        let input = self.player.input;
        let task = self.emit("TaskScheduled", name, step, || payload("input", input));
        self.emit("TaskStarted", name, task, || json!({}).to_string());
        task
    }

    fn leave(&mut self, name: &str, step: i64, output: &str) {
        self.emit("StepSucceeded", name, step, || payload("output", output));
        self.emit("StepExited", name, step, || {
            local(payload("output", output))
        });
    }

    fn fail(
        &mut self,
        name: &str,
        step: i64,
        task: i64,
        kind: &'static str,
        failure: FlowFailure,
    ) -> Halt {
        self.emit(kind, name, task, || failed(&failure));
        self.emit("StepFailed", name, step, || failed(&failure));
        Halt::Failed(failure)
    }

    fn failed(&mut self, failure: FlowFailure) -> Stand {
        let kind = match failure.status() {
            "TimedOut" | "timeout" => "ExecutionTimedOut",
            "Stopped" | "cancel" => "ExecutionStopped",
            _ => "ExecutionFailed",
        };
        self.emit(kind, "", EXECUTION, || failed(&failure));
        Stand::Ended {
            at: self.at,
            outcome: Err(failure),
        }
    }

    fn reach(&mut self, at: Duration) -> Result<(), Halt> {
        if at > self.horizon {
            return Err(Halt::Until(at));
        }
        self.at = self.at.max(at);
        Ok(())
    }

    fn emit(
        &mut self,
        kind: impl Into<Cow<'static, str>>,
        step: &str,
        schedule: i64,
        detail: impl FnOnce() -> String,
    ) -> i64 {
        self.last += 1;
        if let Some(tape) = &mut self.player.tape {
            tape.push(Event {
                id: self.last,
                schedule,
                kind: kind.into(),
                step: step.to_owned(),
                at: self.at,
                detail: detail(),
            });
        }
        self.last
    }
}

fn failed(failure: &FlowFailure) -> String {
    let (code, message) = (failure.code(), failure.message());
    reason(code.unwrap_or_default(), message.unwrap_or_default())
}

fn reason(error: &str, cause: &str) -> String {
    json!({"error": error, "cause": cause}).to_string()
}

/// An object with a payload in it: a value as it is written, or the text where it is none.
fn payload(name: &str, text: &str) -> String {
    let value = match text {
        "" => Cow::Borrowed("{}"),
        text if is_json(text) => Cow::Borrowed(text),
        text => Cow::Owned(json!(text).to_string()),
    };
    format!("{{\"{name}\":{value}}}")
}

/// The same object with the variables of a step.
fn local(mut object: String) -> String {
    object.truncate(object.len() - 1);
    object + ",\"local\":{}}"
}
