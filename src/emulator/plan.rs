//! How a flow of the emulator goes: its closure, and what happens before the closure's outcome
//! shows.

use std::{fmt, sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::FlowFailure;

/// What a closure gave: JSON text or a failure.
pub(crate) type Outcome = Result<String, FlowFailure>;

/// A closure with its types hidden; the flag is false when it was not called.
pub(crate) type Body = Arc<dyn Fn(&str) -> (bool, Outcome) + Send + Sync>;

/// A flow that takes its time: a closure, and the steps that go before its outcome.
///
/// The closure is called when an execution starts. Its outcome shows when the steps, in the order
/// in which they were added, are over. All times are the emulator's, so that a test can
/// [advance](super::Emulator::advance) them. A closure given without a `Flow` has no steps: the
/// execution ends when the closure does.
///
/// ```
/// use std::time::Duration;
/// use cloud_workflows::emulator::{Emulator, Flow};
/// use serde_json::{Value, json};
///
/// # fn main() -> std::io::Result<()> {
/// let emulator = Emulator::start()?;
/// let order = Flow::new(|_: Value| Ok(json!({"shipped": true})))
///     .step("charge", Duration::from_secs(20))
///     .waits_for_callback("approve")
///     .step("ship", Duration::from_secs(3600));
/// # #[cfg(feature = "alibaba")]
/// emulator.standard("order", order);
/// # Ok(())
/// # }
/// ```
///
/// Its `Debug` prints the names of the steps.
#[derive(Clone)]
#[must_use = "a flow does nothing until an emulator has it"]
pub struct Flow {
    pub(crate) body: Body,
    pub(crate) plan: Plan,
}

impl Flow {
    /// A flow that is over as soon as its closure is.
    pub fn new<I, O, F>(flow: F) -> Self
    where
        F: Fn(I) -> Result<O, FlowFailure> + Send + Sync + 'static,
        I: DeserializeOwned + 'static,
        O: Serialize + 'static,
    {
        Self {
            body: body(flow),
            plan: Plan::default(),
        }
    }

    /// How long the closure's own step takes at least, after all others (default: no time).
    pub fn takes(mut self, time: Duration) -> Self {
        self.plan.takes = time;
        self
    }

    /// Adds a step that takes so long.
    pub fn step(self, name: impl Into<String>, time: Duration) -> Self {
        self.tried_step(name, 1, time)
    }

    /// Adds a step whose task is tried so often: each try takes so long, all but the last fail
    /// with the code `Emulated.TaskFailed`.
    pub fn tried_step(self, name: impl Into<String>, tries: u32, time: Duration) -> Self {
        let name = name.into();
        self.with(Move::Step { name, tries, time })
    }

    /// Adds a step of branches (name, time) that run side by side.
    pub fn parallel(self, name: impl Into<String>, branches: &[(&str, Duration)]) -> Self {
        let branches = branches.iter();
        let branches = branches.map(|(name, time)| ((*name).to_owned(), *time));
        let (name, branches) = (name.into(), branches.collect());
        self.with(Move::Parallel { name, branches })
    }

    /// Adds a step that does the same so often, one after the other, each in so much time.
    pub fn iterates(self, name: impl Into<String>, times: u32, time: Duration) -> Self {
        let name = name.into();
        self.with(Move::Iterate { name, times, time })
    }

    /// Adds a step that does its items in a map run, all together in so much time: `DescribeMapRun`
    /// (Alibaba Cloud) shows how far it is, under the name of the step. The first `failing` items
    /// fail; where they are more than `tolerated`, the step fails with the code
    /// `Emulated.MapRunFailed`. `UpdateMapRun` changes what is tolerated.
    pub fn map_run(
        self,
        name: impl Into<String>,
        items: u32,
        failing: u32,
        tolerated: u32,
        time: Duration,
    ) -> Self {
        self.with(Move::MapRun {
            name: name.into(),
            items: Items {
                all: items,
                failing: failing.min(items),
                tolerated,
                time,
            },
        })
    }

    /// Adds a step that waits until somebody reports its task: `ReportTaskSucceeded` and
    /// `ReportTaskFailed` with the token (Alibaba Cloud), `CreateCallbackWorkflow` with the
    /// execution's id and the step's name (Huawei Cloud). A failure that is reported fails the
    /// flow. [`Emulator::waiting_callbacks`](super::Emulator::waiting_callbacks) tells the tokens.
    ///
    /// Nobody reports it for 5 minutes of the machine's time (see
    /// [`EmulatorBuilder::callback_limit`](super::EmulatorBuilder::callback_limit)): the flow
    /// fails with the code `Emulated.CallbackForgotten`, and the message says which it was.
    pub fn waits_for_callback(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.with(Move::Callback { name, limit: None })
    }

    /// Adds a step that waits for a report as [`Flow::waits_for_callback`] does, but not longer
    /// than this: then its task has timed out, and the flow fails with the code `FnF.TaskTimeout`.
    pub fn waits_for_callback_until(self, name: impl Into<String>, limit: Duration) -> Self {
        let (name, limit) = (name.into(), Some(limit));
        self.with(Move::Callback { name, limit })
    }

    /// Puts an event into the history, of any type (such as `MapRunStarted`) and with any details.
    pub fn event(
        self,
        event_type: impl Into<String>,
        step: impl Into<String>,
        detail: Value,
    ) -> Self {
        let (kind, step) = (event_type.into(), step.into());
        self.with(Move::Event { kind, step, detail })
    }

    /// Lets the first executions of the flow fail with the code `Emulated.FailsFirst`; the closure
    /// is not called for them. A retry (Huawei Cloud) counts as an execution.
    pub fn fails_first(mut self, executions: u32) -> Self {
        self.plan.fails_first = executions;
        self
    }

    fn with(mut self, next: Move) -> Self {
        // Shared with the executions that have begun; not yet, while it is built.
        Arc::make_mut(&mut self.plan.moves).push(next);
        self
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.plan.moves.iter().map(Move::name);
        f.debug_struct("Flow")
            .field("steps", &names.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// What an emulator takes for a flow: a [`Flow`], or a closure alone.
pub trait IntoFlow<Types>: sealed::Sealed<Types> {
    /// The flow.
    fn into_flow(self) -> Flow;
}

mod sealed {
    pub trait Sealed<Types> {}
}

impl sealed::Sealed<()> for Flow {}

impl IntoFlow<()> for Flow {
    fn into_flow(self) -> Flow {
        self
    }
}

impl<I, O, F> sealed::Sealed<(I, O)> for F where F: Fn(I) -> Result<O, FlowFailure> {}

impl<I, O, F> IntoFlow<(I, O)> for F
where
    F: Fn(I) -> Result<O, FlowFailure> + Send + Sync + 'static,
    I: DeserializeOwned + 'static,
    O: Serialize + 'static,
{
    fn into_flow(self) -> Flow {
        Flow::new(self)
    }
}

/// What goes before a closure's outcome. Cheap to clone: every execution has one.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    pub(crate) moves: Arc<Vec<Move>>,
    pub(crate) takes: Duration,
    pub(crate) fails_first: u32,
}

/// What a map run does.
#[derive(Clone, Copy)]
pub(crate) struct Items {
    pub(crate) all: u32,
    pub(crate) failing: u32,
    pub(crate) tolerated: u32,
    pub(crate) time: Duration,
}

#[derive(Clone)]
pub(crate) enum Move {
    Step {
        name: String,
        tries: u32,
        time: Duration,
    },
    Parallel {
        name: String,
        branches: Vec<(String, Duration)>,
    },
    Iterate {
        name: String,
        times: u32,
        time: Duration,
    },
    MapRun {
        name: String,
        items: Items,
    },
    Callback {
        name: String,
        limit: Option<Duration>,
    },
    Event {
        kind: String,
        step: String,
        detail: Value,
    },
}

impl Move {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Step { name, .. }
            | Self::Parallel { name, .. }
            | Self::Iterate { name, .. }
            | Self::MapRun { name, .. }
            | Self::Callback { name, .. } => name,
            Self::Event { step, .. } => step,
        }
    }
}

/// Hides the types of a closure behind JSON text.
fn body<I, O, F>(flow: F) -> Body
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
