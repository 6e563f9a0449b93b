//! A look at where a credential would come from: nothing is sent, and no program is run.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use crate::error::{Error, ErrorKind, Lack};

/// What is noted during a look.
#[derive(Default)]
pub(crate) struct Sighting {
    source: Mutex<Option<String>>,
    key: Mutex<Option<String>>,
    asks: Mutex<Option<String>>,
}

/// What a look has found.
pub(crate) struct Seen<C> {
    /// What the source called itself, the innermost one by name.
    pub(crate) source: Option<String>,
    /// The id of a key that another credential would be got with.
    pub(crate) key: Option<String>,
    pub(crate) found: Found<C>,
}

pub(crate) enum Found<C> {
    Credential(C),
    /// It would be asked for: of whom.
    Asks(String),
}

impl Sighting {
    /// What was found; an error where there is nothing to use.
    pub(super) fn seen<C>(&self, outcome: Result<C, Error>) -> Result<Seen<C>, Error> {
        let found = match outcome {
            Ok(credential) => Found::Credential(credential),
            Err(error) if error.lack() == Lack::Unasked => {
                Found::Asks(take(&self.asks).unwrap_or_default())
            }
            Err(error) => return Err(error),
        };
        Ok(Seen {
            source: take(&self.source),
            key: take(&self.key),
            found,
        })
    }

    pub(super) fn note_source(&self, source: impl fmt::Display) {
        put(&self.source, source.to_string());
    }

    pub(super) fn note_key(&self, id: &str) {
        put(&self.key, id.to_owned());
    }

    /// What stands in place of asking somebody.
    pub(super) fn unasked(&self, whom: impl fmt::Display) -> Error {
        put(&self.asks, whom.to_string());
        let message = format!("not asked for a look: {whom}");
        Error::new(ErrorKind::Credentials, message).with_lack(Lack::Unasked)
    }
}

fn put(place: &Mutex<Option<String>>, text: String) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
}

fn take(place: &Mutex<Option<String>>) -> Option<String> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}
