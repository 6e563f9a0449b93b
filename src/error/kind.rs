//! What went wrong, in words that both clouds share.

use http::StatusCode;

/// What went wrong, in words that both clouds share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value given by the caller breaks a rule; the message names the field and the rule.
    InvalidRequest,
    /// The client was set up wrongly; nothing was sent.
    Configuration,
    /// No credential could be had; the caller's own operation was not sent.
    Credentials,
    /// The service does not accept the credential or the signature.
    Unauthenticated,
    /// The credential is good but may not do this.
    PermissionDenied,
    /// The flow, execution, project or API does not exist.
    NotFound,
    /// The thing to be made exists already: for a start, an execution of this name has ended.
    AlreadyExists,
    /// Another change came in between, or a state does not allow the call.
    Conflict,
    /// Request or reply is larger than allowed.
    TooLarge,
    /// A rate or quota refused the call; it was not carried out.
    Throttled,
    /// The service refuses the request's time.
    ClockSkew,
    /// A limit of time ran out while waiting.
    Timeout,
    /// No connection could be made: name resolution, TCP or TLS.
    Connect,
    /// The connection broke after it was made.
    Transport,
    /// The service failed, or answered in a way that has no better word.
    #[default]
    Service,
    /// The service took the call but its answer could not be read.
    Decode,
    /// The flow ran and failed.
    FlowFailed,
    /// The flow ran into its time limit.
    FlowTimedOut,
    /// The flow was stopped.
    FlowStopped,
    /// The answer came before the flow's end, or with a status that this version does not know.
    FlowUnfinished,
    /// The execution was there and is not any more: its flow was deleted, it is no longer kept, or
    /// another execution bears its name now.
    Gone,
    /// What was to be changed or answered has ended already.
    AlreadyCompleted,
    /// The deadline of a wait came before the execution's end; the execution goes on.
    Deadline,
    /// A list ended before its end: its pages led in a circle, or on and on without an item.
    ListIncomplete,
    /// The service does not take a stored position of a list any more: begin the list again.
    PositionRefused,
}

impl ErrorKind {
    /// The HTTP status with which a gateway tells its own users of an error of this kind, where it
    /// knows nothing better.
    ///
    /// | status | kinds | because |
    /// |---|---|---|
    /// | 400 | `PositionRefused` | the page token came from the user |
    /// | 409 | `AlreadyExists`, `Conflict`, `AlreadyCompleted` | the state does not allow it |
    /// | 413 | `TooLarge` | the input came from the user |
    /// | 500 | `InvalidRequest`, `Configuration`, `Credentials`, `Unauthenticated`, `PermissionDenied`, `NotFound`, `ClockSkew` | the gateway's request, set-up, key, rights, flow or clock is wrong |
    /// | 502 | `Connect`, `Transport`, `Service`, `Decode`, `FlowFailed`, `FlowStopped`, `FlowUnfinished`, `Gone`, `ListIncomplete` | what is behind the gateway failed |
    /// | 503 | `Throttled` | the gateway's quota is used up, not its user's |
    /// | 504 | `Timeout`, `FlowTimedOut`, `Deadline` | time ran out behind the gateway |
    ///
    /// The key that the cloud refuses is the gateway's, and so are the rights, the quota and the
    /// flow: its user gets neither 401, 403, 404 nor 429 for them. What is the user's, only you
    /// know: look at codes and nodes of your flow first, and answer 404 yourself where the user
    /// named the execution.
    ///
    /// ```
    /// use cloud_workflows::ErrorKind;
    ///
    /// assert_eq!(ErrorKind::Unauthenticated.gateway_status(), 500);
    /// assert_eq!(ErrorKind::Throttled.gateway_status(), 503);
    /// ```
    pub fn gateway_status(self) -> StatusCode {
        match self {
            Self::PositionRefused => StatusCode::BAD_REQUEST,
            Self::AlreadyExists | Self::Conflict | Self::AlreadyCompleted => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InvalidRequest
            | Self::Configuration
            | Self::Credentials
            | Self::Unauthenticated
            | Self::PermissionDenied
            | Self::NotFound
            | Self::ClockSkew => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Connect
            | Self::Transport
            | Self::Service
            | Self::Decode
            | Self::FlowFailed
            | Self::FlowStopped
            | Self::FlowUnfinished
            | Self::Gone
            | Self::ListIncomplete => StatusCode::BAD_GATEWAY,
            Self::Throttled => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout | Self::FlowTimedOut | Self::Deadline => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// The kind of an answer whose code says nothing more than its status.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 | 410 => Self::NotFound,
            408 => Self::Timeout,
            409 | 412 | 428 => Self::Conflict,
            413 | 414 | 431 | 494 => Self::TooLarge,
            429 => Self::Throttled,
            400..=499 => Self::InvalidRequest,
            _ => Self::Service,
        }
    }
}
