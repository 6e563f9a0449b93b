//! Which profile of which file: what both kinds of profiles are asked for by.

use std::path::PathBuf;

use crate::{
    error::{Error, ErrorKind, Lack},
    pipeline::environment::Environment,
};

pub(super) const PROFILE: &str = "ALIBABA_CLOUD_PROFILE";

/// A profile and a file, as far as they were chosen in code.
#[derive(Clone, Default)]
pub(super) struct Choice {
    pub(super) profile: Option<String>,
    pub(super) file: Option<PathBuf>,
}

impl Choice {
    /// The file that was chosen in code, else by this variable.
    pub(super) fn file(&self, environment: &Environment, variable: &str) -> Option<PathBuf> {
        let given = self.file.clone();
        given.or_else(|| environment.path(variable))
    }

    /// The profile that was chosen in code, else by [`PROFILE`].
    pub(super) fn profile(&self, environment: &Environment) -> Option<String> {
        let given = self.profile.clone();
        given.or_else(|| environment.variable(PROFILE))
    }

    /// The profile is not there. Only what was chosen in code must be: the variable speaks of a
    /// profile of either file, and nobody named another one.
    pub(super) fn not_found(&self, what: impl std::fmt::Display) -> Error {
        let error = Error::new(ErrorKind::NotFound, format!("{what} not found"));
        match self.profile {
            Some(_) => error.with_lack(Lack::Local),
            None => error.with_lack(Lack::NotSetUp),
        }
    }
}

/// Writes the setters that both kinds of profiles have in common.
macro_rules! profile_setters {
    () => {
        /// The profile of this name.
        #[must_use]
        pub fn profile(mut self, name: impl Into<String>) -> Self {
            self.choice.profile = Some(name.into());
            self
        }

        /// The file to read instead.
        #[must_use]
        pub fn file(mut self, path: impl Into<std::path::PathBuf>) -> Self {
            self.choice.file = Some(path.into());
            self
        }
    };
}
pub(super) use profile_setters;
