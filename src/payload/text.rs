//! What can be done with JSON text. Reading it can go wrong, and errors hold payloads: so it stands
//! apart from the type.

use serde::{Serialize, de::DeserializeOwned};

use super::{Came, Payload};
use crate::error::{Error, ErrorKind};

impl Payload {
    /// Takes JSON text as it is. What is wrong with it is reported by the call that uses it.
    pub fn from_json(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            came: Came::Given,
        }
    }

    /// Serialises a value at once. A failure is kept and reported by the call that uses it.
    pub fn from_value(value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_string(value) {
            Ok(text) => Self {
                text,
                came: Came::Serialised,
            },
            // The words of a serialiser may quote the value.
            Err(_) => Self {
                text: String::new(),
                came: Came::Failed,
            },
        }
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Reads the JSON text as a value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] where the text does not fit `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.text).map_err(|error| {
            // Serde's own words quote the payload.
            let (what, line, column) = (error.classify(), error.line(), error.column());
            let message = format!(
                "the payload does not fit the wanted type ({what:?} at line {line} column {column})"
            );
            Error::new(ErrorKind::Decode, message).with_passing(false)
        })
    }
}
