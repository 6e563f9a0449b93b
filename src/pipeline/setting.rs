//! One setting as it was given: by whom errors call it, and without the white space around it.

use std::fmt;

use url::Url;

use super::{
    environment::Environment,
    settings::{endpoint, region},
};
use crate::error::Error;

/// The text of a setting, and the variable that it came from. `Debug` shows nothing of it.
#[derive(Clone)]
pub(crate) struct Setting {
    name: &'static str,
    variable: Option<String>,
    text: String,
}

impl Setting {
    /// What the caller set.
    pub(crate) fn given(name: &'static str, text: impl Into<String>) -> Self {
        Self {
            name,
            variable: None,
            text: text.into(),
        }
    }

    /// What the first of these variables holds that is set.
    pub(crate) fn of_variables(
        name: &'static str,
        environment: &Environment,
        variables: &[&str],
    ) -> Option<Self> {
        variables.iter().find_map(|variable| {
            Some(Self {
                name,
                variable: Some((*variable).to_owned()),
                text: environment.variable(variable)?,
            })
        })
    }

    /// The same setting, of which only a part is meant.
    #[cfg(feature = "huawei")]
    pub(crate) fn part(self, part: impl FnOnce(&str) -> &str) -> Self {
        let text = part(trimmed(&self.text)).to_owned();
        Self { text, ..self }
    }

    /// The text, without the white space that shells, files and forms leave around it.
    pub(crate) fn text(&self) -> &str {
        trimmed(&self.text)
    }

    /// The region that it names.
    pub(crate) fn region(&self) -> Result<String, Error> {
        region(self.text()).map_err(|rule| self.refused(rule))
    }

    /// The address that it holds.
    pub(crate) fn endpoint(&self, allow_http: bool) -> Result<Url, Error> {
        endpoint(self.text(), allow_http).map_err(|rule| self.refused(rule))
    }

    /// The error of a setting that breaks a rule: names setting and variable, and shows no text.
    pub(crate) fn refused(&self, rule: impl fmt::Display) -> Error {
        match &self.variable {
            Some(variable) => {
                Error::configuration(self.name, format_args!("{rule} (`{variable}`)"))
            }
            None => Error::configuration(self.name, rule),
        }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.variable.as_deref().unwrap_or("set"))
    }
}

/// Without white space at its ends, or the mark that some editors begin a file with.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}
