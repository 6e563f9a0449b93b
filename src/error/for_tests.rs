//! Errors for the tests of users.

use super::{Delivery, Error, ErrorCode, ErrorKind, FlowFailure, FlowFailureParts};

impl Error {
    /// An error for a test of your own code, of a start that failed in this way.
    ///
    /// Its delivery is that which such an error has as a rule: refusals are
    /// [`Refused`](Delivery::Refused), broken connections [`Unknown`](Delivery::Unknown).
    ///
    /// ```
    /// use cloud_workflows::{Delivery, Error, ErrorCode, ErrorKind};
    ///
    /// let error = Error::for_tests(ErrorKind::Throttled).test_code("ResourceThrottled");
    /// assert_eq!(error.code(), Some(&ErrorCode::from("ResourceThrottled")));
    /// assert!(error.is_retryable() && !error.may_have_started());
    /// let error = error.test_delivery(Delivery::Unknown);
    /// assert!(!error.is_retryable() && error.may_have_started());
    /// ```
    pub fn for_tests(kind: ErrorKind) -> Self {
        let status = match kind {
            ErrorKind::FlowFailed => Some("Failed"),
            ErrorKind::FlowTimedOut => Some("TimedOut"),
            ErrorKind::FlowStopped => Some("Stopped"),
            ErrorKind::FlowUnfinished => Some("Running"),
            _ => None,
        };
        let error = match status {
            None => Self::new(kind, "made for a test"),
            Some(status) => {
                let parts = FlowFailureParts {
                    status: status.into(),
                    ..FlowFailureParts::default()
                };
                Self::flow(kind, FlowFailure::of(parts)).with_passing(false)
            }
        };
        let mut error = error
            .with_subject(true, false, None)
            .with_delivery(usual(kind));
        error.0.is_for_tests = true;
        error
    }

    /// Gives an error [for tests](Self::for_tests) a code: the service's, or the flow's where the
    /// flow failed. Any other error stays as it is.
    #[must_use]
    pub fn test_code(mut self, code: &str) -> Self {
        if !self.0.is_for_tests {
            return self;
        }
        match self.0.flow_failure.take() {
            None => self.with_code(Some(ErrorCode::from(code))),
            Some(mut failure) => {
                failure.0.code = Some(code.into());
                self.0.flow_failure = Some(failure);
                self
            }
        }
    }

    /// Gives an error [for tests](Self::for_tests) another delivery. Any other error stays as it
    /// is.
    #[must_use]
    pub fn test_delivery(self, delivery: Delivery) -> Self {
        match self.0.is_for_tests {
            true => self.with_delivery(delivery),
            false => self,
        }
    }
}

/// How far a start that failed in this way got, as a rule.
fn usual(kind: ErrorKind) -> Delivery {
    match kind {
        ErrorKind::InvalidRequest
        | ErrorKind::Configuration
        | ErrorKind::Credentials
        | ErrorKind::Connect => Delivery::NotSent,
        ErrorKind::Unauthenticated
        | ErrorKind::PermissionDenied
        | ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::TooLarge
        | ErrorKind::Throttled
        | ErrorKind::ClockSkew
        | ErrorKind::AlreadyCompleted
        | ErrorKind::PositionRefused => Delivery::Refused,
        ErrorKind::Timeout
        | ErrorKind::Transport
        | ErrorKind::Service
        | ErrorKind::ListIncomplete => Delivery::Unknown,
        ErrorKind::Decode
        | ErrorKind::FlowFailed
        | ErrorKind::FlowTimedOut
        | ErrorKind::FlowStopped
        | ErrorKind::FlowUnfinished
        | ErrorKind::Gone
        | ErrorKind::Deadline => Delivery::Accepted,
    }
}
