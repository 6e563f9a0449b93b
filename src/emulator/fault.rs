//! What may go wrong, on order.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};

use super::{clock::lock, record::RecordedRequest};

/// Something that goes wrong with one request.
///
/// A fault comes before any check, so a refused request needs no valid signature. A fault with
/// *run* in its description lets the request be handled as ever, checks and flow included, and
/// spoils the answer.
///
/// ```
/// use std::time::Duration;
/// use cloud_workflows::emulator::Fault;
///
/// let throttled = Fault::refuse(429, "ResourceThrottled", "slow down").header("Retry-After", "1");
/// let ran_but_lost = Fault::answer(502, "text/html", "<h1>Bad Gateway</h1>").after_run();
/// let slow = Fault::none().after(Duration::from_millis(20));
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    pub(crate) delay: Duration,
    pub(crate) runs: bool,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    None,
    Refuse {
        status: StatusCode,
        code: String,
        message: String,
    },
    Answer {
        status: StatusCode,
        content_type: String,
        body: Bytes,
    },
    Cut,
    Part {
        bytes: usize,
        stall: bool,
    },
    Hang,
}

impl Fault {
    fn new(kind: Kind, runs: bool) -> Self {
        Self {
            delay: Duration::ZERO,
            runs,
            headers: Vec::new(),
            kind,
        }
    }

    /// Nothing goes wrong: lets one request pass.
    pub fn none() -> Self {
        Self::new(Kind::None, true)
    }

    /// An error answer in the body shape of the API that was called; no flow runs.
    ///
    /// A status that is no final HTTP status (200-999) becomes 500. The token API has two shapes:
    /// a code that is a number or empty gives the nested one, any other the flat one.
    pub fn refuse(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        let kind = Kind::Refuse {
            status: final_status(status),
            code: code.into(),
            message: message.into(),
        };
        Self::new(kind, false)
    }

    /// An answer of any kind, such as a proxy's error page; no flow runs.
    ///
    /// A status that is no final HTTP status (200-999) becomes 500.
    pub fn answer(status: u16, content_type: impl Into<String>, body: impl Into<Bytes>) -> Self {
        let kind = Kind::Answer {
            status: final_status(status),
            content_type: content_type.into(),
            body: body.into(),
        };
        Self::new(kind, false)
    }

    /// Closes the connection without a byte; no flow runs.
    pub fn cut_before_run() -> Self {
        Self::new(Kind::Cut, false)
    }

    /// Runs the request, a synchronous flow to its end, then closes the connection without a byte.
    pub fn cut_after_run() -> Self {
        Self::new(Kind::Cut, true)
    }

    /// Runs the request, sends the head and that many bytes of the body, then closes the
    /// connection. A body that is not longer than that arrives whole.
    pub fn cut_reply(bytes: usize) -> Self {
        Self::new(
            Kind::Part {
                bytes,
                stall: false,
            },
            true,
        )
    }

    /// Runs the request, sends the head and that many bytes of the body, then stays silent.
    pub fn stall_reply(bytes: usize) -> Self {
        Self::new(Kind::Part { bytes, stall: true }, true)
    }

    /// Never answers; no flow runs.
    pub fn hang() -> Self {
        Self::new(Kind::Hang, false)
    }

    /// Runs the request, a synchronous flow to its end, but never answers.
    pub fn hang_after_run() -> Self {
        Self::new(Kind::Hang, true)
    }

    /// Runs the request first; the fault takes the place of its answer.
    #[must_use]
    pub fn after_run(mut self) -> Self {
        self.runs = true;
        self
    }

    /// Waits so long before anything else, flow included.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets a header of the answer, whatever the answer is. What is no header is left out.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (name.parse(), value.parse()) {
            self.headers.push((name, value));
        }
        self
    }
}

fn final_status(status: u16) -> StatusCode {
    match StatusCode::from_u16(status) {
        Ok(status) if !status.is_informational() => status,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

type Decide = dyn Fn(&RecordedRequest) -> Fault + Send + Sync;

/// The faults to come.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    queues: BTreeMap<&'static str, VecDeque<Fault>>,
    decide: Option<Arc<Decide>>,
}

impl Faults {
    pub(crate) fn push(&self, operation: &'static str, fault: Fault) {
        let mut inner = lock(&self.0);
        inner.queues.entry(operation).or_default().push_back(fault);
    }

    /// The operations whose faults have not come yet, each as often as it has some.
    pub(crate) fn left(&self) -> Vec<&'static str> {
        let inner = lock(&self.0);
        let queues = inner.queues.iter();
        queues
            .flat_map(|(operation, queue)| queue.iter().map(|_| *operation))
            .collect()
    }

    pub(crate) fn decide_with(&self, decide: Arc<Decide>) {
        // The old closure is dropped outside the lock: its drop is the caller's code.
        let old = lock(&self.0).decide.replace(decide);
        drop(old);
    }

    pub(crate) fn clear(&self) {
        let old = std::mem::take(&mut *lock(&self.0));
        drop(old);
    }

    /// What goes wrong with this request.
    pub(crate) fn next(&self, request: &RecordedRequest) -> Fault {
        let decide = {
            let mut inner = lock(&self.0);
            let queue = inner.queues.get_mut(request.operation.as_str());
            if let Some(fault) = queue.and_then(VecDeque::pop_front) {
                return fault;
            }
            inner.decide.clone()
        };
        // Asked outside the lock: the closure may queue faults itself.
        decide.map_or_else(Fault::none, |decide| decide(request))
    }
}
