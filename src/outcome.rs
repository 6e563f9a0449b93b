//! What an execution gave, by how it ended.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use crate::{
    error::{Error, ErrorKind, FlowFailure, FlowFailureParts},
    payload::Payload,
};

/// Whose service it is. Its text is `alibaba` or `huawei`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cloud {
    /// Alibaba Cloud, CloudFlow.
    Alibaba,
    /// Huawei Cloud, FunctionGraph.
    Huawei,
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alibaba => "alibaba",
            Self::Huawei => "huawei",
        })
    }
}

impl FromStr for Cloud {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "alibaba" => Ok(Self::Alibaba),
            "huawei" => Ok(Self::Huawei),
            _ => Err(Error::invalid("cloud", "must be alibaba or huawei")),
        }
    }
}

/// How an execution of a flow ended, on either cloud.
///
/// Made from each answer that tells of an execution. `Debug` prints sizes of outputs, not their
/// contents.
///
/// ```
/// # #[cfg(feature = "huawei")] {
/// use cloud_workflows::{ErrorKind, Outcome, huawei::StartSyncWorkflowExecutionResponse};
///
/// let answer = r#"{"status": "fail", "errors": [{"node_id": "pay", "error_message": "no card"}]}"#;
/// let answer: StartSyncWorkflowExecutionResponse = serde_json::from_str(answer).unwrap();
/// let outcome = Outcome::from(answer);
/// assert_eq!(outcome.kind(), Some(ErrorKind::FlowFailed));
/// let failure = outcome.failure().unwrap();
/// assert_eq!(failure.code(), None);
/// assert_eq!(failure.node(), Some("pay"));
/// assert_eq!(failure.message(), Some("no card"));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    cloud: Cloud,
    kind: Option<ErrorKind>,
    /// The operation that started it; none where it was only looked at.
    started_by: Option<&'static str>,
    request_id: Option<String>,
    attempts: u32,
    ended: FlowFailure,
}

impl Outcome {
    pub(crate) fn new(cloud: Cloud, kind: Option<ErrorKind>, ended: FlowFailureParts) -> Self {
        Self {
            cloud,
            kind,
            started_by: None,
            request_id: None,
            attempts: 0,
            ended: FlowFailure::of(ended),
        }
    }

    pub(crate) fn started_by(mut self, operation: &'static str) -> Self {
        self.started_by = Some(operation);
        self
    }

    pub(crate) fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Adds the request id, where none is known.
    pub(crate) fn or_request_id(mut self, id: Option<String>) -> Self {
        self.request_id = self.request_id.or(id);
        self
    }

    /// What kind of failure it is: none where the execution succeeded, else
    /// [`FlowFailed`](ErrorKind::FlowFailed), [`FlowTimedOut`](ErrorKind::FlowTimedOut),
    /// [`FlowStopped`](ErrorKind::FlowStopped), or [`FlowUnfinished`](ErrorKind::FlowUnfinished)
    /// for a status before the end or one that this version does not know.
    pub fn kind(&self) -> Option<ErrorKind> {
        self.kind
    }

    /// What the service tells of the failure, unless the execution succeeded.
    pub fn failure(&self) -> Option<&FlowFailure> {
        self.kind.and(Some(&self.ended))
    }

    /// What the execution gave.
    pub fn output(&self) -> Option<&Payload> {
        self.ended.output()
    }

    /// Which cloud it ran on.
    pub fn cloud(&self) -> Cloud {
        self.cloud
    }

    /// Name (Alibaba Cloud) or id (Huawei Cloud) of the execution.
    pub fn execution(&self) -> Option<&str> {
        self.ended.execution()
    }

    /// When it began.
    pub fn started(&self) -> Option<DateTime<Utc>> {
        self.ended.started()
    }

    /// When it ended.
    pub fn stopped(&self) -> Option<DateTime<Utc>> {
        self.ended.stopped()
    }

    /// The service's id of the request that told it.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The output as a value, where the execution succeeded. No output reads as JSON `null`.
    ///
    /// # Errors
    ///
    /// [`kind`](Self::kind) where the execution did not succeed, with all that is known in
    /// [`Error::flow_failure`]; [`ErrorKind::Decode`] where the output does not fit `T`, with the
    /// output in [`Error::output`].
    pub fn into_output<T: DeserializeOwned>(self) -> Result<T, Error> {
        let (name, id) = match (self.cloud, self.ended.0.execution.clone()) {
            (Cloud::Alibaba, name) => (name, None),
            (Cloud::Huawei, id) => (None, id),
        };
        let given = match self.kind {
            None => {
                let output = self.ended.0.output;
                let output = output.unwrap_or_else(|| Payload::from_json("null"));
                let parsed = output.parse();
                parsed.map_err(|error: Error| error.with_output(output))
            }
            Some(kind) => Err(Error::flow(kind, self.ended)),
        };
        given.map_err(|error| {
            error
                .of_execution(self.started_by, self.request_id, name, id)
                .with_attempts(self.attempts)
        })
    }
}
