//! Flows made of closures, and their executions.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::watch;

use super::{
    clock::{Clock, lock},
    id,
};
use crate::FlowFailure;

/// How many executions of a flow are listed. Names are remembered for ever.
const KEPT: usize = 100_000;

/// One execution of a flow, as far as it has got.
///
/// Its `Debug` does not print the input.
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
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("name", &self.name)
            .field("status", &self.status)
            .field("started", &self.started)
            .finish_non_exhaustive()
    }
}

/// Whose flow it is, and how it may be started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    #[cfg(feature = "alibaba")]
    Standard,
    #[cfg(feature = "alibaba")]
    Express,
    #[cfg(feature = "huawei")]
    Workflow,
}

impl Mode {
    fn cloud(self) -> Cloud {
        match self {
            #[cfg(feature = "alibaba")]
            Self::Standard | Self::Express => Cloud::Alibaba,
            #[cfg(feature = "huawei")]
            Self::Workflow => Cloud::Huawei,
        }
    }
}

/// Flows of one name in both clouds are two flows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Cloud {
    #[cfg(feature = "alibaba")]
    Alibaba,
    #[cfg(feature = "huawei")]
    Huawei,
}

impl Cloud {
    const ALL: &[Self] = &[
        #[cfg(feature = "alibaba")]
        Self::Alibaba,
        #[cfg(feature = "huawei")]
        Self::Huawei,
    ];

    /// A status in the words of this cloud; `None` is success. The words of the other cloud and
    /// of [`FlowFailure`] are translated, any other word stays.
    pub(crate) fn status(self, failure: Option<&FlowFailure>) -> String {
        let status = failure.map_or("Succeeded", FlowFailure::status);
        match self {
            #[cfg(feature = "alibaba")]
            Self::Alibaba => match status {
                "" | "fail" => "Failed",
                "timeout" => "TimedOut",
                other => other,
            },
            #[cfg(feature = "huawei")]
            Self::Huawei => match status {
                "Succeeded" => "success",
                "" | "Failed" => "fail",
                "TimedOut" => "timeout",
                other => other,
            },
        }
        .to_owned()
    }

    fn running(self) -> &'static str {
        match self {
            #[cfg(feature = "alibaba")]
            Self::Alibaba => "Running",
            #[cfg(feature = "huawei")]
            Self::Huawei => "running",
        }
    }
}

/// What a closure gave: JSON text or a failure.
type Outcome = Result<String, FlowFailure>;

/// A closure with its types hidden; the flag is false when it was not called.
pub(crate) type Body = Arc<dyn Fn(&str) -> (bool, Outcome) + Send + Sync>;

/// Hides the types of a closure behind JSON text.
pub(crate) fn body<I, O, F>(flow: F) -> Body
where
    F: Fn(I) -> Result<O, FlowFailure> + Send + Sync + 'static,
    I: DeserializeOwned + 'static,
    O: Serialize + 'static,
{
    Arc::new(move |input| {
        let input = match serde_json::from_str(input) {
            Ok(input) => input,
            Err(error) => {
                let message = format!("the input does not fit the flow: {error}");
                return (false, Err(FlowFailure::new("InvalidInput", message)));
            }
        };
        let outcome = match flow(input) {
            Ok(output) => match serde_json::to_string(&output) {
                Ok(output) => Ok(output),
                Err(error) => Err(FlowFailure::new("InvalidOutput", error.to_string())),
            },
            Err(failure) => Err(failure),
        };
        (true, outcome)
    })
}

/// How an execution ended.
pub(crate) struct Ending {
    pub(crate) stopped: DateTime<Utc>,
    pub(crate) outcome: Outcome,
}

/// An execution that has begun.
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) started: DateTime<Utc>,
    #[cfg(feature = "alibaba")]
    pub(crate) environment: Vec<(String, String)>,
    ending: watch::Sender<Option<Arc<Ending>>>,
}

impl Run {
    /// How it ended, if it has.
    pub(crate) fn ending(&self) -> Option<Arc<Ending>> {
        self.ending.borrow().clone()
    }

    /// Waits for the end. `None` cannot come while somebody holds the run.
    pub(crate) async fn ended(&self) -> Option<Arc<Ending>> {
        let mut ending = self.ending.subscribe();
        let ending = ending.wait_for(Option::is_some).await.ok()?;
        ending.clone()
    }
}

struct Flow {
    mode: Mode,
    body: Body,
    runs: usize,
    #[cfg(feature = "alibaba")]
    environment: Vec<(String, String)>,
    /// In the order of their start.
    executions: VecDeque<Arc<Run>>,
    /// Executions of a Standard flow.
    #[cfg(feature = "alibaba")]
    named: HashMap<String, Arc<Run>>,
}

/// Why an execution did not begin.
pub(crate) enum Refusal {
    UnknownFlow,
    /// The flow is of this mode.
    #[cfg(feature = "alibaba")]
    WrongMode,
    /// An execution of this name has ended.
    #[cfg(feature = "alibaba")]
    Ended,
}

/// All flows.
#[derive(Default)]
pub(crate) struct Flows(Mutex<HashMap<(Cloud, String), Flow>>);

impl Flows {
    /// Adds a flow, or gives a known one another mode and closure.
    pub(crate) fn insert(&self, name: String, mode: Mode, body: Body) {
        let mut flows = lock(&self.0);
        let flow = flows.entry((mode.cloud(), name)).or_insert_with(|| Flow {
            mode,
            body: Arc::clone(&body),
            runs: 0,
            #[cfg(feature = "alibaba")]
            environment: Vec::new(),
            executions: VecDeque::new(),
            #[cfg(feature = "alibaba")]
            named: HashMap::new(),
        });
        flow.mode = mode;
        let old = std::mem::replace(&mut flow.body, body);
        // Dropped outside the lock: its drop is the caller's code.
        drop(flows);
        drop(old);
    }

    /// Sets the variables of a flow that is known; later executions have them.
    #[cfg(feature = "alibaba")]
    pub(crate) fn set_environment(&self, name: &str, variables: Vec<(String, String)>) {
        if let Some(flow) = lock(&self.0).get_mut(&(Cloud::Alibaba, name.to_owned())) {
            flow.environment = variables;
        }
    }

    #[cfg(feature = "alibaba")]
    pub(crate) fn mode(&self, cloud: Cloud, name: &str) -> Option<Mode> {
        let flows = lock(&self.0);
        flows.get(&(cloud, name.to_owned())).map(|flow| flow.mode)
    }

    #[cfg(feature = "alibaba")]
    pub(crate) fn named(&self, flow: &str, execution: &str) -> Option<Arc<Run>> {
        let flows = lock(&self.0);
        let flow = flows.get(&(Cloud::Alibaba, flow.to_owned()))?;
        flow.named.get(execution).cloned()
    }

    /// Begins an execution, or finds the running one of that name. Looking and beginning are one
    /// step, so that of many starts under one name only one begins.
    pub(crate) fn begin(
        self: &Arc<Self>,
        clock: &Arc<Clock>,
        flow_name: &str,
        mode: Mode,
        name: String,
        input: &str,
    ) -> Result<Arc<Run>, Refusal> {
        let key = (mode.cloud(), flow_name.to_owned());
        let (run, body) = {
            let mut flows = lock(&self.0);
            let flow = flows.get_mut(&key).ok_or(Refusal::UnknownFlow)?;
            #[cfg(feature = "alibaba")]
            if flow.mode != mode {
                return Err(Refusal::WrongMode);
            }
            #[cfg(feature = "alibaba")]
            if mode == Mode::Standard
                && let Some(run) = flow.named.get(&name)
            {
                return match run.ending() {
                    None => Ok(Arc::clone(run)),
                    Some(_) => Err(Refusal::Ended),
                };
            }
            let run = Arc::new(Run {
                name,
                input: input.to_owned(),
                started: clock.now(),
                #[cfg(feature = "alibaba")]
                environment: flow.environment.clone(),
                ending: watch::Sender::new(None),
            });
            flow.keep(&run);
            #[cfg(feature = "alibaba")]
            if mode == Mode::Standard {
                flow.named.insert(run.name.clone(), Arc::clone(&run));
            }
            (run, Arc::clone(&flow.body))
        };
        let (flows, clock, begun) = (Arc::clone(self), Arc::clone(clock), Arc::clone(&run));
        tokio::spawn(async move {
            let text = run.input.clone();
            let called = tokio::task::spawn_blocking(move || {
                body(if text.is_empty() { "{}" } else { &text })
            });
            let (called, outcome) = called.await.unwrap_or_else(|_| {
                let failure = FlowFailure::new("FlowPanicked", "the flow's closure panicked");
                (true, Err(failure))
            });
            if !called && let Some(flow) = lock(&flows.0).get_mut(&key) {
                flow.runs = flow.runs.saturating_sub(1);
            }
            let stopped = clock.now();
            run.ending
                .send_replace(Some(Arc::new(Ending { stopped, outcome })));
        });
        Ok(begun)
    }

    /// How many closures of flows of this name have begun.
    pub(crate) fn runs(&self, name: &str) -> usize {
        let flows = lock(&self.0);
        let flows = Cloud::ALL
            .iter()
            .filter_map(|cloud| flows.get(&(*cloud, name.to_owned())));
        flows.map(|flow| flow.runs).sum()
    }

    pub(crate) fn executions(&self, name: &str) -> Vec<Execution> {
        let flows = lock(&self.0);
        let mut executions = Vec::new();
        for cloud in Cloud::ALL {
            let Some(flow) = flows.get(&(*cloud, name.to_owned())) else {
                continue;
            };
            executions.extend(flow.executions.iter().map(|run| Execution {
                name: run.name.clone(),
                input: run.input.clone(),
                status: match run.ending() {
                    None => cloud.running().to_owned(),
                    Some(ending) => cloud.status(ending.outcome.as_ref().err()),
                },
                started: run.started,
            }));
        }
        executions
    }
}

impl Flow {
    fn keep(&mut self, run: &Arc<Run>) {
        self.runs += 1;
        self.executions.push_back(Arc::clone(run));
        if self.executions.len() > KEPT {
            self.executions.pop_front();
        }
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
