//! What a credential, or the lack of one, was read from: told again when it changes.

use std::{
    collections::hash_map::RandomState,
    ffi::OsStr,
    fmt,
    hash::BuildHasher as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::sighting::Sighting;

/// The variables and files that one load has read, by keyed fingerprints: no content is kept.
#[derive(Default)]
pub(crate) struct Inputs {
    /// How often all that was learnt had been forgotten when the load began.
    generation: u64,
    key: RandomState,
    read: Mutex<Vec<(Input, u64)>>,
    /// There where it is only looked at what there is.
    sighting: Option<Sighting>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Input {
    Variable(String),
    File(PathBuf),
}

impl Inputs {
    pub(super) fn of_generation(generation: u64) -> Self {
        Self {
            generation,
            ..Self::default()
        }
    }

    /// For a look: whoever reads learns that nobody is to be asked.
    pub(super) fn of_look(generation: u64) -> Self {
        Self {
            sighting: Some(Sighting::default()),
            ..Self::of_generation(generation)
        }
    }

    pub(super) fn sighting(&self) -> Option<&Sighting> {
        self.sighting.as_ref()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn note_variable(&self, name: &str, value: Option<&OsStr>) {
        let value = value.map(OsStr::as_encoded_bytes);
        self.note(Input::Variable(name.to_owned()), value);
    }

    pub(super) fn note_file(&self, path: &Path, content: Option<&[u8]>) {
        self.note(Input::File(path.to_owned()), content);
    }

    fn note(&self, input: Input, content: Option<&[u8]>) {
        let fingerprint = self.fingerprint(content);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        // What was read first: a change while the load ran is one, too.
        if read.iter().all(|(its, _)| *its != input) {
            read.push((input, fingerprint));
        }
    }

    /// The fingerprint of what it holds now.
    pub(super) fn fingerprint(&self, content: Option<&[u8]>) -> u64 {
        self.key.hash_one(content)
    }

    /// All that was read, with its fingerprints.
    pub(super) fn read(&self) -> Vec<(Input, u64)> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.clone()
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inputs(..)")
    }
}
