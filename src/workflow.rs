//! One shape over both clouds: run this flow.

#[cfg(feature = "alibaba")]
mod alibaba;
#[cfg(feature = "huawei")]
mod huawei;

use std::{fmt, sync::Arc, time::Duration};

use serde::Serialize;

use crate::{
    error::Error,
    given::Given,
    outcome::Outcome,
    payload::{Payload, is_object},
    pipeline::{call::Call, credential::BoxFuture, operation::Operation},
    wait::Wait,
};

/// A flow that can be run, on either cloud or on none (a fake).
///
/// `workflow` of each client makes one. What a start and a repeat mean differs by service, and is
/// not hidden:
///
/// | [`Runner`] of | it runs by | under a name |
/// |---|---|---|
/// | `alibaba::StartExecutionRequest` | start and wait | at most one execution a name |
/// | `alibaba::StartSyncExecutionRequest` | one synchronous call | refused: no idempotent start |
/// | `huawei::StartSyncWorkflowExecutionRequest` | one synchronous call | refused, likewise |
/// | `huawei::StartWorkflowExecutionRequest` | start and wait | refused, likewise |
///
/// A fake of your own is a dozen lines:
///
/// ```
/// # #[cfg(feature = "alibaba")] {
/// use cloud_workflows::{
///     BoxFuture, Error, Outcome, Start, Workflow, alibaba::StartSyncExecutionResponse,
/// };
///
/// struct Always(&'static str);
///
/// impl Workflow for Always {
///     fn run(&self, _: Start) -> BoxFuture<'_, Result<Outcome, Error>> {
///         let answer: StartSyncExecutionResponse = serde_json::from_str(self.0).unwrap();
///         Box::pin(async { Ok(answer.into()) })
///     }
///
///     fn is_idempotent(&self) -> bool {
///         false
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let flow: &dyn Workflow = &Always(r#"{"Status": "Succeeded", "Output": "{\"cents\": 750}"}"#);
/// let start = Start::new(&serde_json::json!({})).unwrap();
/// let output: serde_json::Value = flow.run(start).await.unwrap().into_output().unwrap();
/// assert_eq!(output["cents"], 750);
/// # });
/// # }
/// ```
pub trait Workflow: Send + Sync {
    /// Runs the flow to its end, however it ends: failed, timed out and stopped are outcomes.
    ///
    /// Dropping the future stops waiting; an execution that has begun goes on.
    ///
    /// # Errors
    ///
    /// The start was refused, or its end could not be learnt; [`Error::may_have_started`] says
    /// whether an execution may be running. [`InvalidRequest`](crate::ErrorKind::InvalidRequest),
    /// with nothing sent, for a start under a name where there is no idempotent start.
    fn run(&self, start: Start) -> BoxFuture<'_, Result<Outcome, Error>>;

    /// Whether a start can safely be repeated: however often it is run under the same name with
    /// the same input, one execution comes of it. Without a name no start can.
    fn is_idempotent(&self) -> bool;
}

impl<W: Workflow + ?Sized> Workflow for Arc<W> {
    fn run(&self, start: Start) -> BoxFuture<'_, Result<Outcome, Error>> {
        (**self).run(start)
    }

    fn is_idempotent(&self) -> bool {
        (**self).is_idempotent()
    }
}

/// What one run of a flow is given.
///
/// ```
/// use cloud_workflows::Start;
/// use serde_json::json;
///
/// # fn main() -> Result<(), cloud_workflows::Error> {
/// let start = Start::new(&json!({"order": 17}))?.name("order-17");
/// assert_eq!(start.input.as_str(), r#"{"order":17}"#);
/// assert!(Start::new(&17).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Start {
    /// What the flow is given: a JSON object.
    pub input: Payload,
    /// The name under which at most one execution runs; none by default.
    pub name: Option<String>,
}

impl Start {
    /// A start with this input.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) where the value cannot be serialised,
    /// or is no JSON object.
    pub fn new(input: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let input = Payload::from_value(input);
        if input.has_fault() {
            return Err(Error::invalid("input", "cannot be serialised as JSON"));
        }
        match is_object(input.as_str()) {
            true => Ok(input.into()),
            false => Err(Error::invalid("input", "must be a JSON object")),
        }
    }

    /// Asks for an idempotent start: at most one execution under this name. A flow without
    /// [`Workflow::is_idempotent`] refuses it before anything is sent.
    ///
    /// After an error that may have started the flow, [`Error::execution_name`] is the name to go
    /// on with.
    #[must_use]
    pub fn name(mut self, name: impl Into<Given<String>>) -> Self {
        self.name = name.into().0;
        self
    }

    /// Refuses a name where the service has no idempotent start.
    pub(crate) fn refuse_name(&self, operation: &'static str) -> Result<(), Error> {
        match self.name {
            None => Ok(()),
            Some(_) => Err(Error::invalid(
                "name",
                "the service has no idempotent start here: two starts are two executions, \
                 whatever their names",
            )
            .with_operation(operation)),
        }
    }
}

/// One flow's output as the next one's input, unchanged; the run refuses what is no object.
impl From<Payload> for Start {
    fn from(input: Payload) -> Self {
        Self { input, name: None }
    }
}

/// A flow of one cloud as a [`Workflow`]: a client, and the request that each run begins with.
///
/// The input of a run takes the place of the request's own; all else is sent as the request says.
#[derive(Clone)]
pub struct Runner<C, R> {
    client: C,
    request: R,
    deadline: Option<Duration>,
}

impl<C, R> Runner<C, R> {
    /// How long a run may take. Without it, synchronous calls have their client's limit, and waits
    /// none.
    #[must_use]
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// The outcome of a synchronous call.
    async fn call<O: Operation>(&self, call: Call<O>) -> Result<Outcome, Error>
    where
        O::Output: Into<Outcome>,
    {
        let call = match self.deadline {
            Some(limit) => call.timeout(limit),
            None => call,
        };
        call.send_for_response().await.map(Outcome::from)
    }

    /// The outcome of a start that is waited for.
    async fn wait<A>(&self, wait: Wait<A>, operation: &'static str) -> Result<Outcome, Error>
    where
        A: Into<Outcome> + Send + 'static,
    {
        let wait = match self.deadline {
            Some(limit) => wait.deadline(limit),
            None => wait,
        };
        Ok(wait.await?.into().started_by(operation))
    }
}

impl<C: fmt::Debug, R: fmt::Debug> fmt::Debug for Runner<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("client", &self.client)
            .field("request", &self.request)
            .field("deadline", &self.deadline)
            .finish()
    }
}
