//! The inputs of a bulk run: one JSON object a line, each with a name that comes from what it says.

use std::collections::{BTreeMap, HashMap};

use cloud_workflows::ExecutionName;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// One line that can be started.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1, blank lines counted. It tells a person where to look, and
    /// never names an execution.
    pub number: usize,
    /// The JSON text as written.
    pub input: String,
    /// The name of its first execution.
    pub name: String,
}

/// One line that cannot be started, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Bad {
    pub number: usize,
    pub fault: String,
}

/// What names depend on, beside the line itself.
#[derive(Clone, Copy)]
pub struct Naming<'a> {
    pub flow: &'a str,
    /// The run's label, also the readable beginning of names.
    pub run: Option<&'a str>,
    /// The field that tells lines apart; the whole input without one.
    pub key: Option<&'a str>,
}

/// How large an input may be.
const LARGEST: usize = 64 * 1024;
/// How deep an input may be nested.
const DEEPEST: usize = 128;
/// How much of the label begins a name: 128 characters are all that a name may have.
const LABEL: usize = 80;

/// Reads all lines, and finds all that are bad.
pub fn read(bytes: &[u8], naming: Naming<'_>) -> (Vec<Line>, Vec<Bad>) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (mut lines, mut bad) = (Vec::new(), Vec::new());
    // Which lines have this identity.
    let mut seen: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let (number, line) = (index + 1, line.trim_ascii());
        if line.is_empty() {
            continue;
        }
        let (input, identity) = match check(line, naming.key) {
            Ok(read) => read,
            Err(fault) => {
                bad.push(Bad { number, fault });
                continue;
            }
        };
        let before = seen.entry(identity.clone()).or_default();
        before.push(number);
        let name = naming.name(&identity, before.len());
        lines.push(Line {
            number,
            input,
            name,
        });
    }
    if let Some(key) = naming.key {
        // None of them, so that it does not matter which stands first.
        for numbers in seen.into_values().filter(|numbers| numbers.len() > 1) {
            lines.retain(|line| numbers.binary_search(&line.number).is_err());
            let listed: Vec<_> = numbers.iter().map(usize::to_string).collect();
            let fault = format!("lines {} have the same {key}", listed.join(", "));
            bad.extend(numbers.iter().map(|number| Bad {
                number: *number,
                fault: fault.clone(),
            }));
        }
        bad.sort_by_key(|bad| bad.number);
    }
    (lines, bad)
}

/// The input as written, and what tells it from the others.
fn check(line: &[u8], key: Option<&str>) -> Result<(String, Vec<String>), String> {
    let text = std::str::from_utf8(line)
        .map_err(|error| format!("is no UTF-8 from byte {} on", error.valid_up_to() + 1))?;
    if text.len() > LARGEST {
        return Err(format!("has {} bytes, more than 64 KiB", text.len()));
    }
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| {
        format!("is no JSON at column {}", error.column()) // serde's words may quote the input
    })?;
    if !text.starts_with('{') {
        return Err("is no JSON object".to_owned());
    }
    let canonical = canonical(text).ok_or(format!("is nested deeper than {DEEPEST}"))?;
    let identity = match key {
        None => vec!["input".to_owned(), canonical],
        Some(key) => {
            let (kind, value) = key_of(text, key)
                .ok_or_else(|| format!("has no {key} that is a text or a number"))?;
            vec!["key".to_owned(), kind.to_owned(), value]
        }
    };
    Ok((text.to_owned(), identity))
}

/// The field that names a line: a number as written, or a text.
fn key_of(text: &str, key: &str) -> Option<(&'static str, String)> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    let value = fields.get(key)?.get();
    match value.as_bytes().first()? {
        b'"' => Some(("text", serde_json::from_str(value).ok()?)),
        b'-' | b'0'..=b'9' => Some(("number", value.to_owned())),
        _ => None,
    }
}

impl Naming<'_> {
    /// The name of a line's first execution. Frozen: other names would start all lines again.
    fn name(&self, identity: &[String], occurrence: usize) -> String {
        let occurrence = occurrence.to_string();
        let run = self.run.unwrap_or_default();
        let mut parts = vec!["bulk 1", self.flow, run];
        parts.extend(identity.iter().map(String::as_str));
        parts.push(&occurrence);
        let derived = ExecutionName::derived(parts);
        let hash = derived.as_str().trim_start_matches("cw-");
        match self.run {
            None => format!("cw-{hash}"),
            Some(run) => format!("{}-{hash}", label(run)),
        }
    }
}

/// A label as the beginning of a name: the rest of the name tells labels apart that look alike.
fn label(run: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut label: String = run
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .take(LABEL)
        .collect();
    if !label.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        label.insert(0, '_');
    }
    label
}

/// The name of a later try of the same line: a name that has ended is used up.
pub fn generation(name: &str, generation: u32) -> String {
    match generation {
        0 | 1 => name.to_owned(),
        generation => format!("{name}-r{generation}"),
    }
}

/// What stands in front of the generation.
pub fn without_generation(name: &str, generation: u32) -> &str {
    name.strip_suffix(&format!("-r{generation}"))
        .unwrap_or(name)
}

/// One of several parts of the same file, by the names: a line that is put in moves no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    number: u64,
    of: u64,
}

impl Part {
    /// Reads `K/N`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (number, of) = text.split_once('/').ok_or("must be K/N, such as 1/4")?;
        let parse = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
        let (number, of) = (parse(number)?, parse(of)?);
        match number >= 1 && number <= of {
            true => Ok(Self { number, of }),
            false => Err("K must be 1 to N".to_owned()),
        }
    }

    pub fn has(self, name: &str) -> bool {
        let hash = name.len().saturating_sub(16);
        let hash = name.get(hash..).unwrap_or_default();
        let hash = u64::from_str_radix(hash, 16).unwrap_or_default();
        hash % self.of == self.number - 1
    }
}

/// JSON text without white space outside texts and with sorted keys; numbers and texts stay as
/// they are written. None where it is nested too deep. The text must be JSON.
pub fn canonical(text: &str) -> Option<String> {
    let mut reader = Reader { text, at: 0 };
    reader.value(0)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<String> {
        if depth > DEEPEST {
            return None;
        }
        match self.next()? {
            b'{' => {
                let mut members = Vec::new();
                self.list(b'}', |reader| {
                    let name = reader.text_literal()?;
                    reader.take(b':')?;
                    members.push((name, reader.value(depth + 1)?));
                    Some(())
                })?;
                // In the order of the file where a name stands twice.
                members.sort_by_key(|(name, _)| *name);
                let members = members.iter();
                let members: Vec<_> = members
                    .map(|(name, value)| format!("{name}:{value}"))
                    .collect();
                Some(format!("{{{}}}", members.join(",")))
            }
            b'[' => {
                let mut items = Vec::new();
                self.list(b']', |reader| {
                    items.push(reader.value(depth + 1)?);
                    Some(())
                })?;
                Some(format!("[{}]", items.join(",")))
            }
            b'"' => self.text_literal().map(str::to_owned),
            _ => {
                let rest = self.text.get(self.at..)?;
                let is_end =
                    |c: char| matches!(c, ',' | ']' | '}' | ':') || c.is_ascii_whitespace();
                let word = rest.split(is_end).next()?;
                self.at += word.len();
                Some(word.to_owned())
            }
        }
    }

    /// What stands between brackets.
    fn list(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        if self.next()? == end {
            self.at += 1;
            return Some(());
        }
        loop {
            item(self)?;
            let next = self.next()?;
            self.at += 1;
            if next == end {
                return Some(());
            }
        }
    }

    /// A text with its quotes.
    fn text_literal(&mut self) -> Option<&'a str> {
        self.next()?;
        let rest = self.text.get(self.at..)?;
        let mut is_escaped = false;
        let end = rest.bytes().skip(1).position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        })?;
        self.at += end + 2;
        rest.get(..end + 2)
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.at += 1)
    }

    /// The next byte that is no white space, which is not taken.
    fn next(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }
}

/// A name as 32 digits, for a service that takes an id of no other shape.
pub fn digits(name: &str) -> String {
    let derived = ExecutionName::derived([name]);
    derived.as_str().trim_start_matches("cw-").to_owned()
}
