//! What one API operation is: name, wire form, replay class, limits, decode.

use std::{future::Future, time::Duration};

use tokio::time::Instant;

use super::{
    Pipeline,
    protocol::{Coded, Protocol},
    retry::RetryPolicy,
    transport::Reply,
};
use crate::{
    error::Error,
    payload::{FlowText, Payload},
    response::Response,
};

/// One API operation; implemented by its request struct.
///
/// Sealed: the operations are those of this crate.
pub trait Operation: sealed::Sealed + Sized + Send + 'static {
    /// The operation's name in the vendor's documents.
    const NAME: &'static str;

    /// What the operation gives.
    type Output: Send + 'static;

    #[doc(hidden)]
    type Protocol: Protocol;

    /// Writes the request once, for all its attempts, or refuses it.
    #[doc(hidden)]
    fn encode(self) -> Result<Encoded<<Self::Protocol as Protocol>::Wire>, Error>;

    /// Reads the body of a 2xx reply.
    #[doc(hidden)]
    fn decode(reply: &Reply) -> Result<Self::Output, DecodeError>;

    /// Hides in the flow's own words what they may not show.
    #[doc(hidden)]
    fn scrub(_output: &mut Self::Output, _words: &mut dyn FnMut(&mut FlowText)) {}

    /// The request id in the body, for those who put it there.
    #[doc(hidden)]
    fn request_id(_output: &Self::Output) -> Option<&str> {
        None
    }

    /// Says of an outcome what one exchange alone cannot: whose execution it is.
    #[doc(hidden)]
    fn settle(
        outcome: Result<Response<Self::Output>, Error>,
        _sent: Sent<'_, Self::Protocol>,
    ) -> impl Future<Output = Result<Response<Self::Output>, Error>> + Send {
        std::future::ready(outcome)
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// What may happen when the same request is sent again. By operation, never by HTTP verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replay {
    /// Sending it again does no more than sending it once: reads and token calls.
    Repeatable,
    /// It starts something under a name that the service starts only once.
    Keyed,
    /// Each copy that arrives starts something.
    Once,
}

/// A request, written once for all its attempts.
#[derive(Debug)]
pub struct Encoded<W> {
    pub(crate) wire: W,
    pub(crate) replay: Replay,
    pub(crate) limits: Timeouts,
    pub(crate) subject: Option<Subject>,
}

/// The execution that an operation is to start, where it has a name.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) flow_name: String,
    pub(crate) execution_name: String,
    /// Whether it was the caller who gave that name.
    pub(crate) named_by_caller: bool,
    pub(crate) input: Option<Payload>,
}

/// What is known of a call that has been answered or given up.
pub struct Sent<'a, P: Protocol> {
    pub(crate) pipeline: &'a Pipeline<P>,
    pub(crate) subject: Option<&'a Subject>,
    /// When the first attempt went out.
    pub(crate) first: Option<Instant>,
    pub(crate) began: Instant,
    pub(crate) deadline: Instant,
    pub(crate) attempts: u32,
    pub(crate) retry: Option<RetryPolicy>,
}

impl<P: Protocol> std::fmt::Debug for Sent<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sent")
            .field("subject", &self.subject)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// How long one attempt and the whole call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts {
    pub(crate) attempt: Duration,
    pub(crate) overall: Duration,
}

impl Timeouts {
    /// Operations that answer at once.
    pub(crate) const SHORT: Self = Self {
        attempt: Duration::from_secs(15),
        overall: Duration::from_secs(60),
    };

    /// Synchronous starts: the services end a flow after five minutes.
    pub(crate) const SYNCHRONOUS: Self = Self {
        attempt: Duration::from_secs(310),
        overall: Duration::from_secs(660),
    };

    /// Long polls: the service answers after this wait at the latest.
    pub(crate) fn long_poll(wait: Duration) -> Self {
        Self {
            attempt: (wait + Duration::from_secs(10)).max(Self::SHORT.attempt),
            overall: (wait + Duration::from_secs(30)).max(Self::SHORT.overall),
        }
    }
}

/// Why the body of a 2xx reply is not an answer.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The body is not JSON of the expected shape.
    #[error("the answer could not be read")]
    Json(#[from] serde_json::Error),
    /// An essential part is missing.
    #[error("the answer lacks {0}")]
    Missing(&'static str),
    /// A part of the answer has a value that makes no sense.
    #[error("the answer has an unusable {0}")]
    Unusable(&'static str),
    /// The body of a 2xx reply holds a code and no result.
    #[error("an answer with a code and no result")]
    Code(Coded),
}
