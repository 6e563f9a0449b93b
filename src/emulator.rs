//! Both workflow services on loopback, for tests.
//!
//! [`Emulator::start`] listens on 127.0.0.1 on a thread of its own and speaks the APIs of both
//! clouds on one port, as their documents describe them: signatures, tokens, clocks, nonces, names
//! and errors are checked. A flow is a closure. Faults can be ordered, and what came in and what
//! ran can be looked at afterwards.
//!
//! ```
//! use cloud_workflows::{FlowFailure, emulator::Emulator};
//!
//! # fn main() -> std::io::Result<()> {
//! let emulator = Emulator::start()?;
//! # #[cfg(feature = "alibaba")]
//! emulator.express("double", |n: serde_json::Value| match n["n"].as_i64() {
//!     Some(n) => Ok(serde_json::json!({"n": 2 * n})),
//!     None => Err(FlowFailure::new("NoNumber", "n is missing")),
//! });
//! # #[cfg(feature = "alibaba")]
//! let client = emulator.alibaba().build();
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "huawei")]
mod aksk;
#[cfg(feature = "alibaba")]
mod alibaba;
mod builder;
#[cfg(any(feature = "alibaba", feature = "huawei"))]
mod clients;
mod clock;
#[cfg(any(feature = "alibaba", feature = "huawei"))]
mod cloud;
#[cfg(any(feature = "alibaba", feature = "huawei"))]
mod course;
mod fake;
mod fault;
#[cfg(any(feature = "alibaba", feature = "huawei"))]
mod flow;
#[cfg(any(feature = "alibaba", feature = "huawei"))]
mod flows;
#[cfg(any(feature = "alibaba", feature = "huawei"))]
mod form;
#[cfg(feature = "huawei")]
mod huawei;
mod id;
#[cfg(any(feature = "alibaba", feature = "huawei"))]
mod input;
#[cfg(any(feature = "alibaba", feature = "huawei"))]
mod lists;
#[cfg(feature = "alibaba")]
mod made;
#[cfg(any(feature = "alibaba", feature = "huawei"))]
mod paging;
#[cfg(any(feature = "alibaba", feature = "huawei"))]
mod plan;
#[cfg(feature = "huawei")]
mod projects;
#[cfg(any(feature = "alibaba", feature = "huawei"))]
mod quirks;
#[cfg(feature = "alibaba")]
mod quotas;
mod record;
mod reply;
mod route;
#[cfg(any(feature = "alibaba", feature = "huawei"))]
mod run;
mod served;
mod server;
#[cfg(feature = "huawei")]
mod token;
#[cfg(feature = "huawei")]
mod workflow_executions;
#[cfg(feature = "huawei")]
mod workflows;

use std::{
    convert::Infallible,
    fmt, io,
    sync::{Arc, Mutex},
    thread,
};

use chrono::TimeDelta;
use tokio::sync::oneshot;

#[cfg(feature = "alibaba")]
pub use alibaba::StandardSync;
pub use builder::EmulatorBuilder;
pub use fake::FakeWorkflow;
pub use fault::Fault;
#[cfg(any(feature = "alibaba", feature = "huawei"))]
pub use flow::{Execution, WaitingCallback};
#[cfg(feature = "alibaba")]
pub use made::{MadeAlias, MadeFlow, MadeVersion};
#[cfg(any(feature = "alibaba", feature = "huawei"))]
pub use plan::{Flow, IntoFlow};
#[cfg(any(feature = "alibaba", feature = "huawei"))]
pub use quirks::Quirks;
#[cfg(feature = "alibaba")]
pub use quotas::{Bucket, Quotas};
pub use record::RecordedRequest;
pub use served::Served;
#[cfg(feature = "huawei")]
pub use served::{KeystoneCreateUserTokenByPassword, KeystoneListProjects};

/// A running emulator. Clones are handles of the same one; it stops with the last of them.
///
/// A flow's or fault's closure that holds a handle keeps the emulator running for ever.
#[derive(Clone)]
pub struct Emulator(Arc<Handle>);

struct Handle {
    state: Arc<State>,
    stop: Mutex<Option<(oneshot::Sender<Infallible>, thread::JoinHandle<()>)>>,
}

/// What all connections share.
struct State {
    url: String,
    clock: Arc<clock::Clock>,
    records: record::Records,
    faults: fault::Faults,
    #[cfg(any(feature = "alibaba", feature = "huawei"))]
    flows: Arc<flow::Flows>,
    #[cfg(feature = "alibaba")]
    alibaba: alibaba::Settings,
    #[cfg(feature = "alibaba")]
    nonces: alibaba::Nonces,
    #[cfg(feature = "alibaba")]
    issued: alibaba::Issued,
    #[cfg(feature = "huawei")]
    huawei: token::Settings,
    #[cfg(feature = "huawei")]
    tokens: token::Tokens,
    #[cfg(feature = "huawei")]
    locks: aksk::Locks,
}

impl Emulator {
    /// Starts an emulator with default settings on a free port.
    ///
    /// # Errors
    ///
    /// When no port, thread or runtime can be had.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// Settings for an emulator.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    /// The names of the operations that it serves, in the vendors' words.
    ///
    /// ```
    /// use cloud_workflows::emulator::Emulator;
    ///
    /// # #[cfg(feature = "alibaba")]
    /// assert!(Emulator::operations().contains(&"StartExecution"));
    /// # #[cfg(feature = "huawei")]
    /// assert!(Emulator::operations().contains(&"StartWorkflowExecution"));
    /// ```
    pub fn operations() -> Vec<&'static str> {
        route::operations()
    }

    /// Where it listens, such as `http://127.0.0.1:4711`.
    pub fn url(&self) -> String {
        self.state().url.clone()
    }

    /// Every request since the start or [`Emulator::clear_requests`], oldest first; at most the
    /// newest 100,000.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state().records.all()
    }

    /// Forgets the requests recorded so far.
    pub fn clear_requests(&self) {
        self.state().records.clear();
    }

    /// Switches the recording of requests on or off; it is on at the start.
    pub fn record(&self, on: bool) {
        self.state().records.switch(on);
    }

    /// Orders a fault for the next request of an operation; several come one after the other.
    ///
    /// ```
    /// # #[cfg(feature = "alibaba")] {
    /// use cloud_workflows::{alibaba::StartExecutionRequest, emulator::{Emulator, Fault}};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let emulator = Emulator::start()?;
    /// emulator.fault::<StartExecutionRequest>(Fault::refuse(429, "ResourceThrottled", "slow"));
    /// // A test that meant it to come asks whether it did.
    /// assert_eq!(emulator.faults_left(), ["StartExecution"]);
    /// # Ok(())
    /// # }
    /// # }
    /// ```
    pub fn fault<O: Served>(&self, fault: Fault) {
        self.state().faults.push(O::NAME, fault);
    }

    /// The operations whose faults have not come yet, one name a fault.
    pub fn faults_left(&self) -> Vec<&'static str> {
        self.state().faults.left()
    }

    /// Asks the closure about every request for which no fault is ordered. It should not block.
    pub fn fault_with(&self, decide: impl Fn(&RecordedRequest) -> Fault + Send + Sync + 'static) {
        self.state().faults.decide_with(Arc::new(decide));
    }

    /// Takes back all faults that have not come yet, and the closure that decides.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Sets the emulator's clock to the machine's time plus `offset`, whatever it was before.
    pub fn shift_clock(&self, offset: TimeDelta) {
        self.state().clock.shift(offset);
    }

    fn state(&self) -> &State {
        &self.0.state
    }

    /// Serves a connection that did not come over the network.
    #[cfg(fuzzing)]
    pub(crate) async fn serve<S>(&self, stream: S)
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + 'static,
    {
        server::connection(stream, Arc::clone(&self.0.state)).await;
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("url", &self.state().url)
            .finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some((stop, thread)) = clock::lock(&self.stop).take() {
            drop(stop);
            // The port is free once the thread has ended. A panic there has nobody to tell.
            let _ = thread.join();
        }
    }
}
