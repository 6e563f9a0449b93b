//! JSON text, read as a value.

use serde::de::DeserializeOwned;

use super::Payload;
use crate::error::{Error, ErrorKind};

impl Payload {
    /// Reads the JSON text as a value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] where the text does not fit `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(self.as_str()).map_err(|error| {
            // Serde's own words quote the payload.
            let (what, line, column) = (error.classify(), error.line(), error.column());
            let message = format!(
                "the payload does not fit the wanted type ({what:?} at line {line} column {column})"
            );
            Error::new(ErrorKind::Decode, message).with_passing(false)
        })
    }
}
