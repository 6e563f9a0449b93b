//! What went wrong, and may the flow have started?

#[cfg(feature = "alibaba")]
mod alibaba;
mod code;
mod failure;
#[cfg(feature = "emulator")]
mod for_tests;
#[cfg(feature = "huawei")]
mod huawei;
mod kind;
mod lack;

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;

pub use code::ErrorCode;
pub(crate) use failure::FlowFailureParts;
pub use failure::{FlowFailure, NodeError};
pub use kind::ErrorKind;
pub(crate) use lack::Lack;

use crate::{
    payload::Payload,
    printed::{Printed, WORDS_BYTES, breaks_lines, floor, on_one_line},
};

/// Why a call gave no value. One type for both clouds.
///
/// [`Error::kind`] says what happened in neutral words, [`Error::delivery`] how far the request
/// got, and [`Error::may_have_started`] whether a flow may be running because of it. Its `Display`
/// is one line with operation, code, HTTP status, message and request id; it never holds a secret,
/// a signed URL or a flow's input. What to do about each kind: [`guide::errors`](crate::guide::errors).
///
/// ```
/// # fn handle(error: cloud_workflows::Error) {
/// use cloud_workflows::ErrorKind;
///
/// match error.kind() {
///     ErrorKind::NotFound => eprintln!("no such flow: {error}"),
///     _ if error.may_have_started() => eprintln!("look it up before repeating: {error}"),
///     _ if error.is_retryable() => eprintln!("try again: {error}"),
///     _ => eprintln!("{error}"),
/// }
/// # }
/// ```
pub struct Error(Box<Inner>);

#[derive(Default)]
struct Inner {
    kind: ErrorKind,
    operation: Option<Cow<'static, str>>,
    code: Option<ErrorCode>,
    status: Option<StatusCode>,
    request_id: Option<String>,
    message: String,
    attempts: u32,
    delivery: Delivery,
    starts: bool,
    repeatable: bool,
    /// Whether it may go better next time, where the kind does not tell.
    passing: Option<bool>,
    execution_name: Option<String>,
    execution_id: Option<String>,
    retry_after: Option<Duration>,
    body_excerpt: Option<Box<[u8]>>,
    /// An answer that could not be used, as it came.
    body: Option<Bytes>,
    /// What a flow that succeeded gave, where it did not fit.
    output: Option<Payload>,
    flow_failure: Option<FlowFailure>,
    /// Whether the message says itself what became of the start.
    says_start: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
    /// Why there is no credential, where that was said.
    lack: Option<Lack>,
    /// Whether a user made it for a test.
    #[cfg(feature = "emulator")]
    is_for_tests: bool,
    /// The failure that several errors tell of; its own words stand in theirs.
    shared: Option<Arc<Error>>,
}

/// How far the caller's own operation got. Ordered: a later attempt never makes it less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// No byte of the operation left this process.
    #[default]
    NotSent,
    /// The service said that it did not carry it out.
    Refused,
    /// The request may have arrived; nobody said what became of it.
    Unknown,
    /// The service took it: its answer could not be read, or says that the flow ran and failed.
    Accepted,
}

impl Error {
    /// What went wrong, in words that both clouds share.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation's name in the vendor's documents, such as `StartExecution`.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// The code in the service's answer.
    pub fn code(&self) -> Option<&ErrorCode> {
        self.0.code.as_ref()
    }

    /// The HTTP status of the last answer.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The service's id of the last request, from the body or else from the header.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// What was wrong, in one line: the service's words, or ours where it said none.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// How many times the request was sent or tried to be sent.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How far the operation got: the worst of all its attempts.
    pub fn delivery(&self) -> Delivery {
        self.0.delivery
    }

    /// Whether a flow may be running, or have run, because of this call.
    ///
    /// `false` means that it certainly was not started by this call. `true` means that the request
    /// may have arrived or did arrive: look the execution up before starting it again.
    pub fn may_have_started(&self) -> bool {
        self.0.starts && self.0.delivery >= Delivery::Unknown
    }

    /// The execution name that was sent, given or made.
    ///
    /// To go on after an error that may have started the flow, start again under the same name.
    pub fn execution_name(&self) -> Option<&str> {
        self.0.execution_name.as_deref()
    }

    /// The id of the execution, where the service told one.
    pub fn execution_id(&self) -> Option<&str> {
        self.0.execution_id.as_deref()
    }

    /// What the service tells of a flow that did not succeed.
    pub fn flow_failure(&self) -> Option<&FlowFailure> {
        self.0.flow_failure.as_ref()
    }

    /// How long the service asks to wait before the next call.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same Rust call again can neither start a flow twice nor fail for the same
    /// lasting reason.
    pub fn is_retryable(&self) -> bool {
        let passing = self.0.passing.unwrap_or_else(|| match self.0.kind {
            ErrorKind::Throttled
            | ErrorKind::Timeout
            | ErrorKind::Connect
            | ErrorKind::Transport
            | ErrorKind::Decode => true,
            // A redirect will be there next time as well.
            ErrorKind::Service => !self.0.status.is_some_and(|status| status.is_redirection()),
            _ => false,
        });
        passing && (self.0.delivery < Delivery::Unknown || self.0.repeatable)
    }

    /// What the flow gave, where it is not what was asked for: it does not fit the wanted type, or
    /// the flow did not succeed.
    ///
    /// As data: not part of `Display` or `Debug`.
    pub fn output(&self) -> Option<&Payload> {
        let of_failure = || self.0.flow_failure.as_ref()?.output();
        self.0.output.as_ref().or_else(of_failure)
    }

    /// The whole body of an answer that could not be read though the service took the call, up to
    /// the limit of replies.
    ///
    /// As data, byte for byte: not part of `Display` or `Debug`, for it may hold what a flow was
    /// given. Answers with credentials in them are not kept.
    pub fn body(&self) -> Option<&Bytes> {
        self.0.body.as_ref()
    }

    /// The first 256 bytes of an answer with another status than 2xx, as text without what it
    /// repeats of the request. None where it repeats what was signed.
    ///
    /// Not part of `Display` or `Debug`.
    pub fn body_excerpt(&self) -> Option<&[u8]> {
        self.0.body_excerpt.as_deref()
    }

    /// For a source of credentials of your own: why it has none to give.
    ///
    /// `is_passing` says whether it may have one soon. `cause` is kept as the error's source;
    /// neither it nor the message may hold a secret.
    ///
    /// ```
    /// use cloud_workflows::{Error, ErrorKind};
    ///
    /// let cause = std::io::Error::other("connection refused");
    /// let error = Error::credentials("the vault is sealed", true, Some(Box::new(cause)));
    /// assert_eq!(error.kind(), ErrorKind::Credentials);
    /// assert!(error.is_retryable());
    /// ```
    pub fn credentials(
        message: impl Into<String>,
        is_passing: bool,
        cause: Option<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let lack = match is_passing {
            true => Lack::Passing,
            false => Lack::Final,
        };
        let mut error = Self::new(ErrorKind::Credentials, message).with_lack(lack);
        error.0.source = cause;
        error
    }

    /// A source that nothing names: no variable, no file.
    pub(crate) fn not_set_up(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Credentials, message).with_lack(Lack::NotSetUp)
    }

    /// When it is worth asking for a credential again.
    pub(crate) fn lack(&self) -> Lack {
        let is_outage = matches!(
            self.0.kind,
            ErrorKind::Throttled
                | ErrorKind::Timeout
                | ErrorKind::Connect
                | ErrorKind::Transport
                | ErrorKind::Service
                | ErrorKind::Decode
        );
        self.0.lack.unwrap_or(match self.0.passing {
            Some(true) => Lack::Passing,
            Some(false) if is_outage => Lack::NotReady,
            None if is_outage => Lack::Passing,
            _ => Lack::Local,
        })
    }

    pub(crate) fn with_lack(mut self, lack: Lack) -> Self {
        self.0.lack = Some(lack);
        self.with_passing(lack == Lack::Passing)
    }

    /// The error of a call that showed a password or a key: where that was refused, more of it
    /// would lock the user or the key.
    pub(crate) fn may_lock(self) -> Self {
        match self.0.kind {
            ErrorKind::Unauthenticated => self.with_lack(Lack::Final),
            _ => self,
        }
    }

    /// The error of a source that the user named: what it lacks inside is no lack of a set-up.
    pub(crate) fn named(self) -> Self {
        match self.lack() {
            Lack::NotSetUp => self.with_lack(Lack::Local),
            _ => self,
        }
    }

    /// The same error, told of a place: a source, a file.
    pub(crate) fn within(mut self, place: impl fmt::Display) -> Self {
        let operation = self.0.operation.take();
        let mut message = format!("{place}: ");
        if let Some(operation) = operation {
            message.push_str(&operation);
            message.push_str(": ");
        }
        message.push_str(&self.0.message);
        self.0.message = on_one_line(&message);
        self
    }

    /// One caller's own error of a failure that many share: it says all of it, so that only the
    /// failure's own source is left to tell.
    pub(crate) fn of_shared(kind: ErrorKind, message: &str, failure: Arc<Self>) -> Self {
        let mut error = Self::new(kind, failure.message());
        error.0.operation = failure.0.operation.clone();
        let mut error = error
            .within(message)
            .with_code(failure.code().cloned())
            .with_request_id(failure.request_id().map(str::to_owned))
            .with_retry_after(failure.retry_after())
            .with_lack(failure.lack());
        error.0.status = failure.status();
        error.0.shared = Some(failure);
        error
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let mut message = message.into();
        // The service's words are often in it, and callers log it: no line of a log is forged.
        if message.contains(breaks_lines) {
            message = on_one_line(&message);
        }
        Self(Box::new(Inner {
            kind,
            message,
            ..Inner::default()
        }))
    }

    /// A field of the caller's request that breaks a rule.
    pub(crate) fn invalid(field: &str, rule: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidRequest, format!("{field}: {rule}"))
    }

    /// A setting of the client that breaks a rule.
    pub(crate) fn configuration(setting: &str, rule: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Configuration, format!("{setting}: {rule}"))
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_operation(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.0.operation = Some(operation.into());
        self
    }

    pub(crate) fn with_code(mut self, code: Option<ErrorCode>) -> Self {
        self.0.code = code;
        self
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.0.request_id = request_id;
        self
    }

    /// Keeps the first bytes of a text in which nothing is to be hidden any more.
    pub(crate) fn with_body_excerpt(mut self, text: &str) -> Self {
        let end = floor(text, BODY_EXCERPT_BYTES);
        self.0.body_excerpt = (end > 0).then(|| text.as_bytes()[..end].into());
        self
    }

    pub(crate) fn with_body(mut self, body: Bytes) -> Self {
        self.0.body = (!body.is_empty()).then_some(body);
        self
    }

    /// Keeps nothing of an answer that was to bring a credential: what could not be read may hold
    /// it all the same.
    pub(crate) fn without_body(mut self) -> Self {
        self.0.body = None;
        self
    }

    pub(crate) fn with_output(mut self, output: Payload) -> Self {
        self.0.output = Some(output);
        self
    }

    pub(crate) fn with_execution(mut self, name: Option<String>, id: Option<String>) -> Self {
        self.0.execution_name = name;
        self.0.execution_id = id;
        self
    }

    pub(crate) fn with_retry_after(mut self, delay: Option<Duration>) -> Self {
        self.0.retry_after = delay;
        self
    }

    pub(crate) fn with_passing(mut self, passing: bool) -> Self {
        self.0.passing = Some(passing);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// The message says itself what became of the start.
    pub(crate) fn with_start_said(mut self) -> Self {
        self.0.says_start = true;
        self
    }

    pub(crate) fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.0.delivery = delivery;
        self
    }

    /// What the operation is about: does it start a flow, and may it be sent again?
    pub(crate) fn with_subject(
        mut self,
        starts: bool,
        repeatable: bool,
        execution_name: Option<&str>,
    ) -> Self {
        self.0.starts = starts;
        self.0.repeatable = repeatable;
        if let Some(name) = execution_name {
            self.0.execution_name = Some(name.to_owned());
        }
        self
    }

    /// The same error, with what was found out since.
    pub(crate) fn and(mut self, what: impl fmt::Display) -> Self {
        self.0.message = on_one_line(&format!("{}; {what}", self.0.message));
        self
    }

    /// That a flow may have been started, whatever the replay class says.
    pub(crate) fn of_start(mut self) -> Self {
        self.0.starts = true;
        self
    }

    /// The error of a flow that ran and did not succeed.
    pub(crate) fn flow(kind: ErrorKind, failure: FlowFailure) -> Self {
        let mut message = String::new();
        // A `String` takes all that is written.
        let _ = failure.write(&mut message, &mut Printed::with_room(usize::MAX));
        let mut error = Self::new(kind, message);
        error.0.flow_failure = Some(failure);
        error
    }

    /// Adds which execution it is whose outcome is an error. It has run, and calling again would
    /// neither change that nor do better.
    pub(crate) fn of_execution(
        mut self,
        started_by: Option<&'static str>,
        request_id: Option<String>,
        execution_name: Option<String>,
        execution_id: Option<String>,
    ) -> Self {
        let inner = &mut *self.0;
        inner.operation = started_by.map(Cow::Borrowed);
        inner.starts = started_by.is_some();
        inner.delivery = Delivery::Accepted;
        inner.passing = Some(false);
        inner.request_id = request_id;
        inner.execution_name = execution_name;
        inner.execution_id = execution_id;
        self
    }
}

pub(crate) const BODY_EXCERPT_BYTES: usize = 256;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        // Room for the code and the ids comes first: they are what one looks things up by.
        let mut ids = Printed::with_room(WORDS_BYTES / 4);
        let mut printed = Printed::with_room(WORDS_BYTES - WORDS_BYTES / 4);
        if let Some(operation) = &inner.operation {
            write!(f, "{operation}: ")?;
        }
        if let Some(code) = &inner.code {
            ids.write(f, code.as_str())?;
        }
        match (&inner.code, inner.status) {
            (Some(_), Some(status)) => write!(f, " (HTTP {}): ", status.as_u16())?,
            (Some(_), None) => f.write_str(": ")?,
            (None, Some(status)) => write!(f, "HTTP {}: ", status.as_u16())?,
            (None, None) => {}
        }
        match &inner.flow_failure {
            Some(failure) => failure.write(f, &mut printed)?,
            None => printed.write(f, &inner.message)?,
        }
        if let Some(id) = &inner.request_id {
            f.write_str(" [request id ")?;
            ids.write(f, id)?;
            f.write_str("]")?;
        }
        if let Some(name) = &inner.execution_name
            && self.may_have_started()
        {
            f.write_str(" [execution name ")?;
            ids.write(f, name)?;
            f.write_str("]")?;
        }
        if let Some(id) = &inner.execution_id
            && inner.flow_failure.is_none()
            && self.may_have_started()
        {
            f.write_str(" [execution id ")?;
            ids.write(f, id)?;
            f.write_str("]")?;
        }
        if inner.attempts > 1 {
            write!(f, " [{} attempts]", inner.attempts)?;
        }
        let is_said = inner.says_start || inner.flow_failure.is_some();
        match self.may_have_started() && !is_said {
            true => f.write_str("; the flow may have started"),
            false => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("delivery", &inner.delivery)
            .field("message", &format_args!("{self}"))
            .field("source", &inner.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let own = self.0.source.as_deref().map(|source| source as _);
        own.or_else(|| self.0.shared.as_ref()?.source())
    }
}

#[cfg(test)]
mod tests;
