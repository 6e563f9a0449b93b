//! The flows of the emulator, and their executions.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, Weak},
};

use chrono::{DateTime, Utc};

use super::{
    clock::lock,
    cloud::{Cloud, Mode},
    id,
    plan::Flow,
    run::{Begin, ReportRefusal, Run, World},
};
use crate::{FlowFailure, Payload, Secret};

/// How many executions of a flow are listed. Names are remembered for ever.
const KEPT: usize = 100_000;

/// One execution of a flow, as far as it has got.
///
/// Its `Debug` prints neither input nor output.
#[derive(Clone)]
#[non_exhaustive]
pub struct Execution {
    /// The execution's name (Alibaba Cloud) or id (Huawei Cloud).
    pub name: String,
    /// The JSON text it was started with; empty when there was none.
    pub input: String,
    /// The status in the words of its cloud; `Running` or `running` before the end.
    pub status: String,
    /// When it began, by the emulator's clock.
    pub started: DateTime<Utc>,
    /// When it ended, by the emulator's clock.
    pub stopped: Option<DateTime<Utc>>,
    /// What it gave, if it has ended and gave something.
    pub output: Option<Payload>,
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("name", &self.name)
            .field("status", &self.status)
            .field("started", &self.started)
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}

/// A task that nobody has reported yet.
///
/// Its `Debug` does not print the token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WaitingCallback {
    /// The flow's name (Alibaba Cloud) or workflow id (Huawei Cloud).
    pub flow: String,
    /// The execution's name (Alibaba Cloud) or id (Huawei Cloud).
    pub execution: String,
    /// The step that waits.
    pub step: String,
    /// What `ReportTaskSucceeded` and `ReportTaskFailed` report it with (Alibaba Cloud).
    pub token: Secret,
    /// Since when it can be reported, by the emulator's clock.
    pub since: DateTime<Utc>,
}

struct Declared {
    mode: Mode,
    flow: Flow,
    /// How often the closure was called.
    runs: usize,
    /// How many executions and retries have begun.
    begun: usize,
    #[cfg(feature = "alibaba")]
    environment: Vec<(String, String)>,
    /// In the order of their start.
    executions: VecDeque<Arc<Run>>,
    /// Executions that can be asked for: those of Standard flows and of Huawei Cloud.
    named: HashMap<String, Arc<Run>>,
}

/// Why something was not done with an execution.
pub(crate) enum Refusal {
    UnknownFlow,
    UnknownExecution,
    /// The flow is of this mode.
    #[cfg(feature = "alibaba")]
    WrongMode,
    /// An execution of this name has ended.
    #[cfg(feature = "alibaba")]
    Ended,
}

/// All flows.
pub(crate) struct Flows {
    world: Arc<World>,
    flows: Mutex<HashMap<(Cloud, String), Declared>>,
    /// The executions and numbers of callbacks by their tokens.
    tokens: Mutex<HashMap<String, (Weak<Run>, usize)>>,
}

impl Flows {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            flows: Mutex::default(),
            tokens: Mutex::default(),
        }
    }

    /// Adds a flow, or gives a known one another mode and course.
    pub(crate) fn insert(&self, name: String, mode: Mode, flow: Flow) {
        let mut flows = lock(&self.flows);
        let declared = flows
            .entry((mode.cloud(), name))
            .or_insert_with(|| Declared {
                mode,
                flow: flow.clone(),
                runs: 0,
                begun: 0,
                #[cfg(feature = "alibaba")]
                environment: Vec::new(),
                executions: VecDeque::new(),
                named: HashMap::new(),
            });
        declared.mode = mode;
        declared.begun = 0;
        let old = std::mem::replace(&mut declared.flow, flow);
        // Dropped outside the lock: its drop is the caller's code.
        drop(flows);
        drop(old);
    }

    /// Sets the variables of a flow that is known; later executions have them.
    #[cfg(feature = "alibaba")]
    pub(crate) fn set_environment(&self, name: &str, variables: Vec<(String, String)>) {
        if let Some(flow) = lock(&self.flows).get_mut(&(Cloud::Alibaba, name.to_owned())) {
            flow.environment = variables;
        }
    }

    /// The execution of a flow, once a look at it alone finds it.
    pub(crate) fn find(
        &self,
        cloud: Cloud,
        flow: &str,
        execution: &str,
    ) -> Result<Arc<Run>, Refusal> {
        let run = {
            let flows = lock(&self.flows);
            let declared = flows.get(&(cloud, flow.to_owned()));
            let declared = declared.ok_or(Refusal::UnknownFlow)?;
            declared.named.get(execution).cloned()
        };
        let run = run.filter(|run| run.is_visible());
        run.ok_or(Refusal::UnknownExecution)
    }

    /// All executions of a flow that are kept, oldest first.
    pub(crate) fn all(&self, cloud: Cloud, flow: &str) -> Option<Vec<Arc<Run>>> {
        let flows = lock(&self.flows);
        let declared = flows.get(&(cloud, flow.to_owned()))?;
        Some(declared.executions.iter().cloned().collect())
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// Begins an execution, or finds the running one of that name. Looking and beginning are one
    /// step, so that of many starts under one name only one begins.
    pub(crate) fn begin(
        self: &Arc<Self>,
        flow_name: &str,
        mode: Mode,
        name: String,
        input: &str,
    ) -> Result<Arc<Run>, Refusal> {
        let key = (mode.cloud(), flow_name.to_owned());
        let (run, is_called) = {
            let mut flows = lock(&self.flows);
            let declared = flows.get_mut(&key).ok_or(Refusal::UnknownFlow)?;
            #[cfg(feature = "alibaba")]
            if declared.mode != mode {
                return Err(Refusal::WrongMode);
            }
            #[cfg(feature = "alibaba")]
            if mode == Mode::Standard
                && let Some(run) = declared.named.get(&name)
            {
                return match run.ending() {
                    None => Ok(Arc::clone(run)),
                    Some(_) => Err(Refusal::Ended),
                };
            }
            // An id that the caller chose begins one execution, however it has gone.
            #[cfg(feature = "huawei")]
            if mode == Mode::Workflow
                && let Some(run) = declared.named.get(&name)
            {
                return Ok(Arc::clone(run));
            }
            let plan = declared.flow.plan.clone();
            let tokens = plan.callbacks().map(|_| format!("cb-{}", id::hex()));
            let begin = Begin {
                flow: flow_name.to_owned(),
                mode,
                name,
                input: input.to_owned(),
                body: Arc::clone(&declared.flow.body),
                tokens: tokens.collect(),
                plan,
                #[cfg(feature = "alibaba")]
                environment: declared.environment.clone(),
            };
            let run = Arc::new(Run::new(&self.world, begin));
            declared.keep(&run);
            (run, declared.calls())
        };
        for (number, token) in run.tokens.iter().enumerate() {
            lock(&self.tokens).insert(token.clone(), (Arc::downgrade(&run), number));
        }
        self.call(&run, 0, is_called);
        Ok(run)
    }

    /// Calls the closure of an execution, or lets this turn of it fail.
    fn call(self: &Arc<Self>, run: &Arc<Run>, turn: usize, is_called: bool) {
        if !is_called {
            let failure = FlowFailure::new("Emulated.FailsFirst", "the flow fails at first");
            run.done(turn, Err(failure));
            return;
        }
        let (flows, run) = (Arc::clone(self), Arc::clone(run));
        tokio::spawn(async move {
            let (body, text) = (Arc::clone(&run.body), run.input.clone());
            let called = tokio::task::spawn_blocking(move || {
                body(if text.is_empty() { "{}" } else { &text })
            });
            let (called, outcome) = called.await.unwrap_or_else(|_| {
                let failure = FlowFailure::new("FlowPanicked", "the flow's closure panicked");
                (true, Err(failure))
            });
            let key = (run.mode.cloud(), run.flow.clone());
            if !called && let Some(flow) = lock(&flows.flows).get_mut(&key) {
                flow.runs = flow.runs.saturating_sub(1);
            }
            run.done(turn, outcome);
        });
    }

    /// Runs an execution that failed once more, under its id.
    #[cfg(feature = "huawei")]
    pub(crate) fn retry(self: &Arc<Self>, run: &Arc<Run>) -> Result<(), super::run::View> {
        let turn = run.retry()?;
        let is_called = {
            let mut flows = lock(&self.flows);
            let key = (run.mode.cloud(), run.flow.clone());
            flows.get_mut(&key).is_none_or(Declared::calls)
        };
        self.call(run, turn, is_called);
        Ok(())
    }

    /// Reports a task by its token; gives the number of its event.
    pub(crate) fn report(
        &self,
        token: &str,
        result: Result<String, (String, String)>,
    ) -> Result<i64, ReportRefusal> {
        let known = lock(&self.tokens).get(token).cloned();
        let (run, number) = known.ok_or(ReportRefusal::Unknown)?;
        let run = run.upgrade().ok_or(ReportRefusal::Unknown)?;
        run.report(number, result)
    }

    /// Reports a task with the outcome of an execution, once that has ended.
    #[cfg(feature = "alibaba")]
    pub(crate) fn report_end(self: &Arc<Self>, run: &Arc<Run>, token: String) {
        let (flows, run) = (Arc::clone(self), Arc::clone(run));
        tokio::spawn(async move {
            let result = match &run.ended().await.outcome {
                Ok(output) => Ok(output.clone()),
                Err(failure) => Err((
                    failure.code().unwrap_or_default().to_owned(),
                    failure.message().unwrap_or_default().to_owned(),
                )),
            };
            // A token that is none, or was reported already, changes nothing for this execution.
            let _ = flows.report(&token, result);
        });
    }

    /// The tasks that nobody has reported yet, of all flows.
    pub(crate) fn waiting(&self) -> Vec<WaitingCallback> {
        let runs: Vec<Arc<Run>> = {
            let flows = lock(&self.flows);
            let runs = flows.values().flat_map(|flow| &flow.executions);
            runs.filter(|run| !run.tokens.is_empty()).cloned().collect()
        };
        let mut waiting: Vec<_> = runs
            .iter()
            .filter_map(|run| {
                let callback = run.waits_for()?;
                Some(WaitingCallback {
                    flow: run.flow.clone(),
                    execution: run.name.clone(),
                    step: run.callback_step(callback.number)?.to_owned(),
                    token: Secret::new(run.tokens.get(callback.number)?.as_str()),
                    since: run.date(callback.since),
                })
            })
            .collect();
        waiting.sort_by_key(|callback| callback.since);
        waiting
    }

    /// How many closures of flows of this name have begun.
    pub(crate) fn runs(&self, name: &str) -> usize {
        let flows = lock(&self.flows);
        let flows = Cloud::ALL
            .iter()
            .filter_map(|cloud| flows.get(&(*cloud, name.to_owned())));
        flows.map(|flow| flow.runs).sum()
    }

    pub(crate) fn executions(&self, name: &str) -> Vec<Execution> {
        let runs = Cloud::ALL.iter();
        let runs = runs.filter_map(|cloud| self.all(*cloud, name)).flatten();
        runs.map(|run| {
            let view = run.view();
            let output = Some(view.output()).filter(|output| !output.is_empty());
            Execution {
                name: run.name.clone(),
                input: run.input.clone(),
                output: output.map(Payload::from_json),
                started: run.started,
                stopped: view.ending.as_ref().map(|ending| ending.stopped),
                status: view.status,
            }
        })
        .collect()
    }
}

impl Declared {
    fn keep(&mut self, run: &Arc<Run>) {
        let is_named = match run.mode {
            #[cfg(feature = "alibaba")]
            Mode::Standard => true,
            #[cfg(feature = "alibaba")]
            Mode::Express => false,
            #[cfg(feature = "huawei")]
            Mode::Workflow => true,
        };
        if is_named {
            self.named.insert(run.name.clone(), Arc::clone(run));
        }
        self.executions.push_back(Arc::clone(run));
        if self.executions.len() > KEPT {
            let oldest = self.executions.pop_front();
            // An id is never given again, so there is nothing to remember it for.
            #[cfg(feature = "huawei")]
            if let Some(oldest) = oldest.filter(|run| run.mode == Mode::Workflow) {
                self.named.remove(&oldest.name);
            }
            #[cfg(not(feature = "huawei"))]
            drop(oldest);
        }
    }

    /// Counts an execution that begins; whether its closure is called.
    fn calls(&mut self) -> bool {
        self.begun += 1;
        let is_called = self.begun > self.flow.plan.fails_first as usize;
        self.runs += usize::from(is_called);
        is_called
    }
}

/// A name for an execution that was given none; it keeps to the rule for names.
#[cfg(feature = "alibaba")]
pub(crate) fn made_up_name() -> String {
    format!("emulator-{}", id::uuid())
}

/// An execution id, as Huawei Cloud has it.
#[cfg(feature = "huawei")]
pub(crate) fn execution_id() -> String {
    id::uuid()
}
