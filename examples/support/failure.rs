//! What went wrong, as a user and a script see it.

use std::{
    error::Error as _,
    fmt::Write as _,
    io::{self, Write as _},
    process::ExitCode,
};

use cloud_workflows::{Delivery, Error, ErrorKind};
use serde_json::{Value, json};

/// What `--help` says of exit statuses.
pub const EXIT_STATUSES: &str = "\
Exit status:
  0  it succeeded
  1  refused, not sent, or gone
  2  the command line is wrong
  3  the flow failed, timed out or was stopped
     (of starts, and wherever --wait or --output-only asks for the outcome)
  4  something may have been started or changed, or the flow goes on";

/// Why the program does not end with status 0.
pub enum Failure {
    Call {
        error: Box<Error>,
        /// Whether the operation changes something: then an unknown fate matters.
        changes: bool,
        /// The program's own words where it has more to say than the error.
        said: Option<String>,
    },
    /// This program's own, before anything was sent.
    Local(String),
}

impl Failure {
    /// Of an operation that starts or changes something.
    pub fn of_change(error: Error) -> Self {
        Self::Call {
            error: Box::new(error),
            changes: true,
            said: None,
        }
    }

    /// Of an operation that only looks.
    pub fn of_look(error: Error) -> Self {
        Self::Call {
            error: Box::new(error),
            changes: false,
            said: None,
        }
    }

    pub fn local(message: impl Into<String>) -> Self {
        Self::Local(message.into())
    }

    /// The exit status; see [`EXIT_STATUSES`].
    fn status(&self) -> u8 {
        let Self::Call { error, changes, .. } = self else {
            return 1;
        };
        match error.kind() {
            ErrorKind::FlowFailed | ErrorKind::FlowTimedOut | ErrorKind::FlowStopped => 3,
            ErrorKind::FlowUnfinished => 4,
            ErrorKind::Gone => 1,
            ErrorKind::Deadline if error.delivery() > Delivery::NotSent => 4,
            _ if error.may_have_started() => 4,
            _ if *changes && error.delivery() >= Delivery::Unknown => 4,
            _ => 1,
        }
    }

    /// The error and its causes on one line.
    fn line(&self) -> String {
        let error = match self {
            Self::Call {
                error, said: None, ..
            } => error,
            Self::Call {
                said: Some(message),
                ..
            }
            | Self::Local(message) => return message.replace(['\n', '\r'], " "),
        };
        let mut line = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            // A `String` takes all that is written.
            let _ = write!(line, " <- {error}");
            cause = error.source();
        }
        line.replace(['\n', '\r'], " ")
    }

    fn json(&self) -> Value {
        let error = match self {
            Self::Call { error, .. } => Some(error),
            Self::Local(_) => None,
        };
        let kind = error.map_or(ErrorKind::InvalidRequest, |error| error.kind());
        let delivery = error.map_or(Delivery::NotSent, |error| error.delivery());
        json!({
            "kind": format!("{kind:?}"),
            "operation": error.and_then(|error| error.operation()),
            "code": error.and_then(|error| error.code()).map(|code| code.as_str()),
            "status": error.and_then(|error| error.status()).map(|status| status.as_u16()),
            "request_id": error.and_then(|error| error.request_id()),
            "message": self.line(),
            "attempts": error.map_or(0, |error| error.attempts()),
            "delivery": format!("{delivery:?}"),
            "may_have_started": error.is_some_and(|error| error.may_have_started()),
            "is_retryable": error.is_some_and(|error| error.is_retryable()),
            "execution_name": error.and_then(|error| error.execution_name()),
            "execution_id": error.and_then(|error| error.execution_id()),
            "exit_status": self.status(),
        })
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::local(format!("standard output: {error}"))
    }
}

/// Ends the program: an error is one line on stderr, or one JSON object.
pub fn finish(outcome: Result<(), Failure>, json_errors: bool) -> ExitCode {
    let Err(failure) = outcome else {
        return ExitCode::SUCCESS;
    };
    let line = match json_errors {
        true => failure.json().to_string(),
        false => failure.line(),
    };
    // Where nobody reads it, the status still tells.
    let _ = writeln!(io::stderr(), "{line}");
    ExitCode::from(failure.status())
}
