//! What an execution gave, by how it ended.

use serde::de::DeserializeOwned;

use crate::{
    error::{Error, ErrorKind, FlowFailure, FlowFailureParts},
    payload::Payload,
};

/// An execution as an answer tells of it.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The operation that started it and waited for it; none where it was only looked at.
    pub(crate) started_by: Option<&'static str>,
    /// What kind of error it is, unless it succeeded.
    pub(crate) kind: Option<ErrorKind>,
    pub(crate) request_id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) failure: FlowFailureParts,
}

impl Outcome {
    /// The output as a value, no output as JSON `null`; an error unless the execution succeeded.
    pub(crate) fn into_output<T: DeserializeOwned>(self) -> Result<T, Error> {
        let given = match self.kind {
            None => {
                let output = self.failure.output;
                let output = output.unwrap_or_else(|| Payload::from_json("null"));
                let parsed = output.parse();
                parsed.map_err(|error: Error| error.with_output(output))
            }
            Some(kind) => Err(Error::flow(kind, FlowFailure::of(self.failure))),
        };
        given.map_err(|error| {
            error.of_execution(self.started_by, self.request_id, self.name, self.id)
        })
    }
}
