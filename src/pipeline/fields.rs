//! Named texts, as profiles, sections of ini files and answers hold them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::decode;
use crate::{
    error::{Error, ErrorKind},
    payload::Secret,
};

/// Named texts: a profile of the CLI, a section of an ini file. Wiped when dropped.
#[derive(Default)]
pub(crate) struct Fields(BTreeMap<String, Secret>);

impl Fields {
    /// A text that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(Secret::expose)
            .filter(|text| !text.is_empty())
    }

    pub(crate) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Error> {
        self.get(name)
            .ok_or_else(|| Error::new(ErrorKind::Credentials, format!("`{name}` is missing")))
    }

    /// The first of these names that is there and not empty.
    pub(crate) fn first_of(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    pub(crate) fn insert(&mut self, name: String, text: Secret) {
        self.0.insert(name, text);
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Text(#[serde(deserialize_with = "decode::text")] Option<String>);

        let texts = BTreeMap::<String, Text>::deserialize(deserializer)?;
        let texts = texts.into_iter();
        Ok(Self(
            texts
                .filter_map(|(name, Text(text))| Some((name, text?.into())))
                .collect(),
        ))
    }
}

/// Where remarks may stand in an ini file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remarks {
    /// A `#` ends a value.
    Anywhere,
    /// A line that begins with `#` or `;` is one; values may hold both.
    WholeLines,
}

/// Sections of an ini file and their keys, in lower case.
pub(crate) fn sections(text: &str, remarks: Remarks) -> BTreeMap<String, Fields> {
    let mut sections = BTreeMap::<String, Fields>::new();
    let mut current = None;
    for line in text.trim_start_matches('\u{feff}').lines() {
        let line = match remarks {
            Remarks::Anywhere => line.split('#').next().unwrap_or_default(),
            Remarks::WholeLines if line.trim_start().starts_with(['#', ';']) => continue,
            Remarks::WholeLines => line,
        };
        let line = line.trim();
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            current = Some(sections.entry(name.trim().to_owned()).or_default());
        } else if let (Some(section), Some((key, value))) =
            (&mut current, line.split_once(['=', ':']))
        {
            section.insert(key.trim().to_ascii_lowercase(), value.trim().into());
        }
    }
    sections
}
