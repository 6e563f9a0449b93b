//! Sign-ins of the command line tool.

use chrono::{DateTime, Utc};

use super::error;
use crate::{error::Error, pipeline::named_texts::NamedTexts};

/// A sign-in that the CLI has made, and only the CLI renews.
pub(super) struct SignIn {
    ends: Option<DateTime<Utc>>,
    command: String,
}

impl SignIn {
    pub(super) fn of(profile: &NamedTexts, mode: &str, end: &str, name: &str) -> Self {
        let seconds = profile.get(end).and_then(|seconds| seconds.parse().ok());
        Self {
            ends: seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
            command: format!("aliyun configure --mode {mode} --profile {name:.64}"),
        }
    }

    /// When it ends; an error where that has been.
    pub(super) fn check(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, Error> {
        self.ends
            .filter(|ends| *ends > now)
            .ok_or_else(|| self.over())
    }

    pub(super) fn over(&self) -> Error {
        error(format!("the sign-in has ended: run `{}`", self.command))
    }
}
