//! The flows of the emulator, and their executions.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

#[cfg(feature = "alibaba")]
use super::made::{Lack, Made};
use super::{
    clock::lock,
    cloud::{Cloud, Mode},
    id,
    plan::Flow,
    run::{Begin, Ran, ReportRefusal, Run, World},
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

/// Whose a flow is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The test's: it is there, and no API made it.
    Test,
    /// The API made it, and chose its mode.
    #[cfg(feature = "alibaba")]
    Api,
    /// The API deleted it. What it did is kept for a namesake.
    #[cfg(feature = "alibaba")]
    Nobody,
}

/// What the API keeps of a flow that was made by it.
#[cfg_attr(
    not(feature = "huawei"),
    expect(dead_code, reason = "flows are made over Huawei Cloud's API")
)]
#[derive(Clone)]
pub(crate) struct Sheet {
    pub(crate) name: String,
    /// As it was given.
    pub(crate) definition: String,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
}

struct Declared {
    owner: Owner,
    mode: Mode,
    /// Of a flow that was made by the API, and when it was, among the others.
    sheet: Option<(usize, Sheet)>,
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
    /// Executions of flows of this name that are gone: only a test sees them.
    former: Vec<Arc<Run>>,
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
    /// There is no such version or alias.
    #[cfg(feature = "alibaba")]
    Lacks(Lack),
}

/// All flows.
pub(crate) struct Flows {
    world: Arc<World>,
    /// How many flows the API of Huawei Cloud made.
    sheets: AtomicUsize,
    flows: Mutex<HashMap<(Cloud, String), Declared>>,
    /// Whoever locks both locks this one first.
    #[cfg(feature = "alibaba")]
    pub(crate) made: Mutex<Made>,
    /// The executions and numbers of callbacks by their tokens.
    tokens: Mutex<HashMap<String, (Weak<Run>, usize)>>,
}

impl Flows {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            sheets: AtomicUsize::new(0),
            flows: Mutex::default(),
            #[cfg(feature = "alibaba")]
            made: Mutex::default(),
            tokens: Mutex::default(),
        }
    }

    /// Adds a flow, or gives a known one another mode and course.
    pub(crate) fn insert(&self, name: String, mode: Mode, flow: Flow) {
        let mut flows = lock(&self.flows);
        let declared = flows
            .entry((mode.cloud(), name))
            .or_insert_with(|| Declared {
                owner: Owner::Test,
                mode,
                sheet: None,
                flow: flow.clone(),
                runs: 0,
                begun: 0,
                #[cfg(feature = "alibaba")]
                environment: Vec::new(),
                executions: VecDeque::new(),
                named: HashMap::new(),
                former: Vec::new(),
            });
        declared.own(Owner::Test, mode);
        declared.begun = 0;
        let old = std::mem::replace(&mut declared.flow, flow);
        // Dropped outside the lock: its drop is the caller's code.
        drop(flows);
        drop(old);
    }

    /// Begins to serve a flow that the API made. It does what the test added under its name, and
    /// echoes what it is given where there is nothing.
    #[cfg(feature = "alibaba")]
    pub(crate) fn open(&self, name: &str, mode: Mode) {
        let key = (mode.cloud(), name.to_owned());
        let is_known = lock(&self.flows).contains_key(&key);
        if !is_known {
            self.insert(name.to_owned(), mode, echo());
        }
        if let Some(declared) = lock(&self.flows).get_mut(&key) {
            declared.own(Owner::Api, mode);
        }
    }

    /// Serves a flow no more that the API made: what runs of it ends with its step.
    #[cfg(feature = "alibaba")]
    pub(crate) fn close(&self, name: &str) {
        let mut flows = lock(&self.flows);
        let Some(declared) = flows.get_mut(&(Cloud::Alibaba, name.to_owned())) else {
            return;
        };
        declared.owner = Owner::Nobody;
        declared.environment.clear();
        declared.named.clear();
        let executions = declared.executions.drain(..);
        declared
            .former
            .extend(executions.inspect(|run| run.end_with_step()));
    }

    /// Keeps what the API was told of a flow, and makes the flow where there is none: it echoes
    /// what it is given.
    #[cfg_attr(
        not(feature = "huawei"),
        expect(dead_code, reason = "flows are made over Huawei Cloud's API")
    )]
    pub(crate) fn keep(&self, key: &str, mode: Mode, sheet: Sheet) {
        let place = (mode.cloud(), key.to_owned());
        if !lock(&self.flows).contains_key(&place) {
            self.insert(key.to_owned(), mode, echo());
        }
        if let Some(declared) = lock(&self.flows).get_mut(&place) {
            let number = match &declared.sheet {
                Some((number, _)) => *number,
                None => self.sheets.fetch_add(1, Ordering::Relaxed),
            };
            declared.mode = mode;
            declared.sheet = Some((number, sheet));
        }
    }

    /// Forgets a flow and its executions.
    #[cfg_attr(
        not(feature = "huawei"),
        expect(dead_code, reason = "flows are made over Huawei Cloud's API")
    )]
    pub(crate) fn remove(&self, cloud: Cloud, key: &str) {
        // Dropped outside the lock: its drop is the caller's code.
        let removed = lock(&self.flows).remove(&(cloud, key.to_owned()));
        drop(removed);
    }

    /// The flows that were made by the API, by their keys, oldest first.
    #[cfg_attr(
        not(feature = "huawei"),
        expect(dead_code, reason = "flows are made over Huawei Cloud's API")
    )]
    pub(crate) fn kept(&self, cloud: Cloud) -> Vec<(String, Sheet)> {
        let flows = lock(&self.flows);
        let flows = flows.iter().filter(|((of, _), _)| *of == cloud);
        let mut kept: Vec<_> = flows
            .filter_map(|((_, key), declared)| {
                let (number, sheet) = declared.sheet.clone()?;
                Some((number, key.clone(), sheet))
            })
            .collect();
        kept.sort_by_key(|(number, ..)| *number);
        let kept = kept.into_iter();
        kept.map(|(_, key, sheet)| (key, sheet)).collect()
    }

    /// What the API keeps of a flow that was made by it.
    #[cfg(feature = "huawei")]
    pub(crate) fn sheet(&self, cloud: Cloud, key: &str) -> Option<Sheet> {
        let flows = lock(&self.flows);
        let declared = flows.get(&(cloud, key.to_owned()))?;
        declared.sheet.as_ref().map(|(_, sheet)| sheet.clone())
    }

    /// The keys of the flows of this name: those that bear it, and the closure's own.
    fn named(&self, name: &str) -> Vec<(Cloud, String)> {
        let flows = lock(&self.flows);
        let flows = flows.iter().filter(|((_, key), declared)| {
            let sheet = declared.sheet.as_ref();
            key == name || sheet.is_some_and(|(_, sheet)| sheet.name == name)
        });
        let mut keys: Vec<_> = flows
            .map(|(place, declared)| (declared.sheet.as_ref().map(|sheet| sheet.0), place.clone()))
            .collect();
        keys.sort_by_key(|(number, (cloud, _))| {
            (Cloud::ALL.iter().position(|of| of == cloud), *number)
        });
        keys.into_iter().map(|(_, place)| place).collect()
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
            let declared = declared.filter(|declared| declared.is_there());
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
        declared.is_there().then_some(())?;
        Some(declared.executions.iter().cloned().collect())
    }

    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// Begins an execution, or finds the running one of that name. Looking and beginning are one
    /// step, so that of many starts under one name only one begins. One that begins asks what it
    /// runs.
    pub(crate) fn begin(
        self: &Arc<Self>,
        flow_name: &str,
        mode: Mode,
        name: String,
        input: &str,
        ran: impl FnOnce() -> Ran,
    ) -> Result<Arc<Run>, Refusal> {
        let key = (mode.cloud(), flow_name.to_owned());
        let (run, is_called) = {
            let mut flows = lock(&self.flows);
            // A flow that the API made does what the closure of its name does, if there is one.
            let sheet = flows.get(&key).and_then(|declared| declared.sheet.as_ref());
            let bound = sheet.and_then(|(_, sheet)| flows.get(&(key.0, sheet.name.clone())));
            let bound = bound.map(|declared| declared.flow.clone());
            let declared = flows.get_mut(&key);
            let declared = declared.filter(|declared| declared.is_there());
            let declared = declared.ok_or(Refusal::UnknownFlow)?;
            if let Some(bound) = bound {
                declared.flow = bound;
            }
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
                ran: ran(),
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
        let places = self.named(name);
        let flows = lock(&self.flows);
        let flows = places.iter().filter_map(|place| flows.get(place));
        flows.map(|flow| flow.runs).sum()
    }

    /// All executions of a flow and of its namesakes that are gone, oldest first.
    fn ever(&self, cloud: Cloud, name: &str) -> Vec<Arc<Run>> {
        let flows = lock(&self.flows);
        let declared = flows.get(&(cloud, name.to_owned())).into_iter();
        let runs = declared.flat_map(|flow| flow.former.iter().chain(&flow.executions));
        runs.cloned().collect()
    }

    pub(crate) fn executions(&self, name: &str) -> Vec<Execution> {
        let places = self.named(name).into_iter();
        let runs = places.flat_map(|(cloud, key)| self.ever(cloud, &key));
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
    /// The API's flow stays the API's when the test adds what it does.
    fn own(&mut self, owner: Owner, mode: Mode) {
        #[cfg(feature = "alibaba")]
        if (self.owner, owner) == (Owner::Api, Owner::Test) {
            return;
        }
        (self.owner, self.mode) = (owner, mode);
    }

    fn is_there(&self) -> bool {
        #[cfg(feature = "alibaba")]
        return self.owner != Owner::Nobody;
        #[cfg(not(feature = "alibaba"))]
        true
    }

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

/// Gives back what it is given, to the byte.
fn echo() -> Flow {
    Flow::new(|input: Box<RawValue>| Ok(input))
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
