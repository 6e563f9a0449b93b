//! What one API operation is: name, wire form, replay class, limits, decode.

use std::{borrow::Cow, time::Duration};

use tokio::time::Instant;

pub(crate) use super::replay::Replay;
use super::{
    Pipeline,
    answer::Settled,
    clock::Moment,
    protocol::{Coded, Protocol},
    read,
    retry::RetryPolicy,
    transport::Reply,
};
use crate::{error::Error, payload::FlowText, response::Response};

/// One API operation; implemented by its request struct.
///
/// Sealed: the operations are those of this crate.
pub trait Operation: Exchange<Answer = <Self as Operation>::Output> {
    /// What the operation gives.
    type Output: Send + 'static;
}

/// One exchange with a service, as the pipeline sees it: an operation of a user's, or a call made
/// for a credential.
pub trait Exchange: Sized + Send + 'static {
    type Protocol: Protocol;

    /// What it gives.
    type Answer: Send + 'static;

    /// Its name in the vendor's documents.
    fn name(&self) -> Cow<'static, str>;

    /// Writes the request once, for all its attempts, or refuses it.
    fn encode(self) -> Result<EncodedFor<Self>, Error>;

    /// Reads the body of a 2xx reply.
    fn decode(reply: &Reply) -> Result<Self::Answer, DecodeError>;

    /// Whether an answer is one to this request. One that is not is somebody else's: it is judged
    /// like one that could not be read, and the connections it came over are given up.
    fn is_answer_to(_answer: &Self::Answer, _request: &EncodedFor<Self>) -> bool {
        true
    }

    /// Hides in the flow's own words what they may not show.
    fn scrub(_answer: &mut Self::Answer, _words: &mut dyn FnMut(&mut FlowText)) {}

    /// The request id in the body, for those who put it there.
    fn request_id(_answer: &Self::Answer) -> Option<&str> {
        None
    }

    /// Says of an outcome what one exchange alone cannot: whose execution it is.
    fn settle<'a>(
        _answer: &'a mut Option<Self::Answer>,
        outcome: Outcome<()>,
        _sent: Sent<'a, Self::Protocol>,
    ) -> Settled<'a> {
        Settled::Known(outcome)
    }
}

/// What an exchange comes to.
pub(crate) type Outcome<T> = Result<Response<T>, Error>;

/// A request of this exchange, written once for all its attempts.
pub(crate) type EncodedFor<E> = Encoded<<<E as Exchange>::Protocol as Protocol>::Wire>;

/// A request, written once for all its attempts.
#[derive(Debug)]
pub struct Encoded<W> {
    pub(crate) wire: W,
    pub(crate) replay: Replay,
    pub(crate) limits: Timeouts,
    pub(crate) subject: Option<Subject>,
}

impl<W> Encoded<W> {
    /// The same, about this execution.
    pub(crate) fn about(self, subject: Subject) -> Self {
        Self {
            subject: Some(subject),
            ..self
        }
    }

    /// Whether an answer that bears this name can be one to this request. One without a name can,
    /// and so can one with what is no name: a number in its place.
    pub(crate) fn is_about(&self, name: Option<&str>) -> bool {
        let begins_a_name = |c: char| c.is_ascii_alphabetic() || c == '_';
        match (
            &self.subject,
            name.filter(|name| name.starts_with(begins_a_name)),
        ) {
            (Some(subject), Some(name)) => name == subject.execution_name,
            _ => true,
        }
    }
}

/// The execution that an operation is to start or is about, where it has a name.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) flow_name: String,
    pub(crate) execution_name: String,
    /// Whether it was the caller who gave that name.
    pub(crate) named_by_caller: bool,
    /// Whether a version of the flow was asked for.
    pub(crate) is_of_version: bool,
    /// The node that the call is about, and how it is said to have ended.
    pub(crate) node: Option<(String, String)>,
}

impl Subject {
    /// An execution by the name that the caller gave.
    pub(crate) fn named(flow_name: String, execution_name: String) -> Self {
        Self {
            flow_name,
            execution_name,
            named_by_caller: true,
            is_of_version: false,
            node: None,
        }
    }
}

/// What is known of a call that has been answered or given up.
pub struct Sent<'a, P: Protocol> {
    pub(crate) pipeline: &'a Pipeline<P>,
    pub(crate) wire: &'a P::Wire,
    pub(crate) subject: Option<&'a Subject>,
    /// When the first attempt went out.
    pub(crate) first: Option<Moment>,
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
    /// The body has not the expected shape; what it is, in words of ours.
    #[error("the answer could not be read: it is {0}")]
    Unreadable(String),
    /// An essential part is missing.
    #[error("the answer lacks {0}")]
    Missing(&'static str),
    /// A part of the answer has a value that makes no sense.
    #[error("the answer has an unusable {0}")]
    Unusable(&'static str),
    /// It is an answer to another request.
    #[error("the answer is about another execution than the one that was asked for")]
    Foreign,
    /// The body of a 2xx reply holds a code and no result.
    #[error("an answer with a code and no result")]
    Code(Coded),
}

impl From<read::Fault> for DecodeError {
    fn from(fault: read::Fault) -> Self {
        match fault {
            read::Fault::Json(fault) => Self::Unreadable(fault.to_string()),
            read::Fault::Lacks(wire) => Self::Missing(wire),
        }
    }
}
