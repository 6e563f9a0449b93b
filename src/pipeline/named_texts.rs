//! Named texts, as profiles, sections of ini files and answers hold them.

use super::json::Object;
use crate::{
    error::{Error, ErrorKind},
    payload::Secret,
};

/// Named texts: a profile of the CLI, a section of an ini file. Wiped when dropped.
#[derive(Default)]
pub(crate) struct NamedTexts(Vec<(String, Secret)>);

impl NamedTexts {
    /// A text that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, text) = self.0.iter().find(|(its, _)| its == name)?;
        Some(text.expose()).filter(|text| !text.is_empty())
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

    /// The texts of an object; of a name that stands twice, the last.
    pub(crate) fn of(object: &Object<'_>) -> Self {
        let mut texts = Self::default();
        for (name, raw) in object.written() {
            let text = raw.text().unwrap_or_default();
            texts.insert(name.to_string(), text.into());
        }
        texts
    }

    pub(crate) fn insert(&mut self, name: String, text: Secret) {
        match self.0.iter_mut().find(|(its, _)| *its == name) {
            Some((_, its)) => *its = text,
            None => self.0.push((name, text)),
        }
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

/// The sections of an ini file by their names.
#[derive(Default)]
pub(crate) struct Sections(Vec<(String, NamedTexts)>);

impl Sections {
    pub(crate) fn get(&self, name: &str) -> Option<&NamedTexts> {
        let (_, section) = self.0.iter().find(|(its, _)| its == name)?;
        Some(section)
    }

    fn entry(&mut self, name: &str) -> &mut NamedTexts {
        let at = self.0.iter().position(|(its, _)| its == name);
        let at = at.unwrap_or_else(|| {
            self.0.push((name.to_owned(), NamedTexts::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}

/// Sections of an ini file and their keys, in lower case. Behind a section's name there may be a
/// remark.
pub(crate) fn sections(text: &str, remarks: Remarks) -> Sections {
    let mut sections = Sections::default();
    let mut current = None;
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = section_name(line) {
            current = Some(sections.entry(name));
            continue;
        }
        let line = match remarks {
            Remarks::Anywhere => line.split('#').next().unwrap_or_default(),
            Remarks::WholeLines => line,
        };
        if let (Some(section), Some((key, value))) = (&mut current, line.split_once(['=', ':'])) {
            section.insert(key.trim().to_ascii_lowercase(), value.trim().into());
        }
    }
    sections
}

/// `[name]`, alone or before a remark.
fn section_name(line: &str) -> Option<&str> {
    let (name, rest) = line.strip_prefix('[')?.split_once(']')?;
    let rest = rest.trim_start();
    (rest.is_empty() || rest.starts_with(['#', ';'])).then(|| name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_may_have_a_remark_behind_it() {
        for remarks in [Remarks::Anywhere, Remarks::WholeLines] {
            for head in [
                "[basic]",
                "  [ basic ]\t",
                "[basic] # of the build user",
                "[basic]# [other]",
                "[basic] ; x = y",
                "[basic];",
            ] {
                let text = format!("{head}\r\nak = a\n");
                let sections = sections(&text, remarks);
                let section = sections.get("basic").unwrap();
                assert_eq!(section.get("ak"), Some("a"), "{head}");
                assert_eq!(sections.0.len(), 1, "{head}");
            }
        }
        let sections = sections("[basic]\nak = a#b;c [x]\n", Remarks::WholeLines);
        assert_eq!(sections.get("basic").unwrap().get("ak"), Some("a#b;c [x]"));
    }
}
