//! Attempts that gave no answer: what happened, in words.

use std::{fmt, time::Duration};

use chrono::TimeDelta;
use http::StatusCode;
use url::Url;

use super::{
    Pipeline,
    core::Core,
    failure::{Stage, TransportError},
    held::Held,
    operation::DecodeError,
    protocol::{Protocol, Refusal, RefusalClass, Stamp},
    retry::{Event, date},
    transport::Reply,
    words::Sensitive,
};
use crate::error::{Error, ErrorCode, ErrorKind};

/// A reply whose `Date` is further off than this says that our clock is wrong.
pub(crate) const SKEW: TimeDelta = TimeDelta::minutes(5);

/// What is known of an attempt that gave no answer.
pub(super) struct Failed {
    pub(super) event: Event,
    pub(super) error: Error,
    /// Whether refusals like this, one after the other, lock the credential.
    pub(super) may_lock: bool,
}

impl Failed {
    /// The exchange broke.
    pub(super) fn broken(
        core: &Core,
        endpoint: &Url,
        broken: TransportError,
        waited: Duration,
    ) -> Self {
        let seconds = waited.as_secs_f32();
        let peer = Peer(endpoint);
        let because = broken.because();
        let proxy = core.route.proxy_of(endpoint);
        let through = match &proxy {
            Some(proxy) => format!(" through the proxy {proxy}"),
            None => String::new(),
        };
        let (kind, message) = match broken.stage {
            Stage::Connect => (
                ErrorKind::Connect,
                format!("no connection to {peer} could be made{through}{because}"),
            ),
            Stage::Certificate => (
                ErrorKind::Connect,
                format!("the certificate of {peer} does not verify{because}"),
            ),
            Stage::Proxy => (
                ErrorKind::Connect,
                format!(
                    "nothing was sent to {peer}: the proxy {}refuses the user and password that it \
                     was given, or wants some",
                    proxy.map(|proxy| proxy + " ").unwrap_or_default()
                ),
            ),
            Stage::Connecting => (
                ErrorKind::Timeout,
                format!(
                    "no connection to {peer}{through} after {seconds:.1} s, when the call's time ran out"
                ),
            ),
            Stage::Exchange => (
                ErrorKind::Transport,
                format!("the connection to {peer} broke before an answer came{because}"),
            ),
            Stage::Waiting => (
                ErrorKind::Timeout,
                format!("no answer after {seconds:.1} s from {peer}"),
            ),
            Stage::Body {
                timed_out: true, ..
            } => (
                ErrorKind::Timeout,
                format!("the answer of {peer} was not complete after {seconds:.1} s"),
            ),
            Stage::Body { .. } => (
                ErrorKind::Transport,
                format!("the connection to {peer} broke in the middle of the answer{because}"),
            ),
            Stage::Oversized { .. } => (
                ErrorKind::TooLarge,
                format!(
                    "the answer is larger than {} bytes",
                    core.limits.max_reply_bytes
                ),
            ),
        };
        let mut error = Error::new(kind, message);
        match broken.stage {
            Stage::Certificate => error = error.with_passing(false),
            Stage::Proxy => {
                error = error
                    .with_passing(false)
                    .with_status(StatusCode::PROXY_AUTHENTICATION_REQUIRED);
            }
            Stage::Body { status, .. } | Stage::Oversized { status } => {
                error = error.with_status(status);
            }
            _ => {}
        }
        Self {
            event: Event::Broken(broken.stage),
            error,
            may_lock: false,
        }
    }

    /// The service, or something in between, refused it.
    pub(super) fn refused<P: Protocol>(
        pipeline: &Pipeline<P>,
        refusal: Refusal,
        excerpt: &str,
        reply: &Reply,
        held: Option<&Held<P::Credential>>,
        stamp: &Stamp,
    ) -> Self {
        let (mut kind, mut message) = (refusal.kind, refusal.message);
        let class = refusal.class.on(reply.status, refusal.code.as_ref());
        let mut skewed = false;
        if class == RefusalClass::Clock
            && let Some(service_time) = date(&reply.headers)
        {
            let off = stamp.now - service_time;
            skewed = off.abs() > SKEW;
            if skewed {
                kind = ErrorKind::ClockSkew;
                message = format!("{message} (our clock is {} the service's)", Off(off));
                pipeline.core.clock.correct(service_time);
                tracing::warn!(
                    cloud = P::CLOUD,
                    corrected_by_s = -off.num_seconds(),
                    "this machine's clock is wrong; calls use the service's time from now on"
                );
            }
        }
        let is_unknown = refusal
            .code
            .as_ref()
            .is_some_and(ErrorCode::says_unknown_operation);
        if is_unknown && reply.status.is_client_error() {
            let peer = Peer(pipeline.protocol.endpoint());
            message = format!("{message} ({peer} has no such operation: not every region has all)");
        }
        let now = pipeline.core.clock.moment();
        if let Some(held) = held
            && refusal.code.is_some()
            && reply.status.is_client_error()
            && matches!(
                kind,
                ErrorKind::NotFound
                    | ErrorKind::InvalidRequest
                    | ErrorKind::PermissionDenied
                    | ErrorKind::AlreadyExists
                    | ErrorKind::AlreadyCompleted
                    | ErrorKind::Conflict
            )
        {
            // Whoever says what is wrong with the request has let the credential pass.
            held.accept();
        }
        Self {
            may_lock: refusal.may_lock,
            event: Event::Refused {
                status: reply.status,
                class,
                skewed,
                renewable: held.is_some_and(|held| held.is_renewable(now)),
            },
            error: Error::new(kind, message)
                .with_code(refusal.code)
                .with_status(reply.status)
                .with_request_id(refusal.request_id)
                .with_retry_after(refusal.retry_after)
                .with_body_excerpt(excerpt),
        }
    }

    /// Its answer could not be read.
    pub(super) fn unreadable<P: Protocol>(
        pipeline: &Pipeline<P>,
        fault: DecodeError,
        reply: &Reply,
        sensitive: &Sensitive,
    ) -> Self {
        let message = fault.to_string();
        let told = pipeline.protocol.told(reply).scrubbed(sensitive);
        if let DecodeError::Code(coded) = fault {
            let coded = coded.scrubbed(sensitive);
            let message = coded.message.unwrap_or(message);
            return Self {
                event: Event::Refused {
                    status: reply.status,
                    class: RefusalClass::Uncoded,
                    skewed: false,
                    renewable: false,
                },
                error: Error::new(coded.code.kind(reply.status), message)
                    .with_status(reply.status)
                    .with_request_id(coded.request_id.or(told.request_id))
                    .with_body(reply.body.clone())
                    .with_code(Some(coded.code)),
                may_lock: false,
            };
        }
        if matches!(fault, DecodeError::Foreign) {
            // Whatever crossed the answers may cross the next ones over these connections.
            pipeline.core.transport.give_up_pool();
        }
        Self {
            event: Event::Unreadable,
            error: Error::new(ErrorKind::Decode, message)
                .with_status(reply.status)
                .with_request_id(told.request_id)
                .with_execution(told.execution_name, told.execution_id)
                .with_body(reply.body.clone()),
            may_lock: false,
        }
    }
}

/// Host and port of an address.
struct Peer<'a>(&'a Url);

impl fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.host_str().unwrap_or_default())?;
        match self.0.port_or_known_default() {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// How far a clock is off, in words.
struct Off(TimeDelta);

impl fmt::Display for Off {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.0 < TimeDelta::zero() {
            "behind"
        } else {
            "ahead of"
        };
        let seconds = self.0.abs().num_seconds();
        write!(f, "{} min {} s {direction}", seconds / 60, seconds % 60)
    }
}
