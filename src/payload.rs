//! Values that know how to print: JSON text, secrets, the words of flows.

mod text;

use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
};

use serde::{Serialize, Serializer, de::IgnoredAny};
use zeroize::Zeroizing;

use crate::{
    pipeline::words::{Hide, Sensitive},
    printed::Printed,
};

/// JSON text on its way to or from a flow, exactly as written.
///
/// Numbers, key order and spacing stay as they are. Its `Debug` prints only the length: a flow's
/// input and output are the caller's business.
///
/// ```
/// use cloud_workflows::Payload;
///
/// let payload = Payload::from_json(r#"{"amount": 10000000000000000000001}"#);
/// assert_eq!(payload.as_str(), r#"{"amount": 10000000000000000000001}"#);
/// assert_eq!(format!("{payload:?}"), "Payload(35 bytes)");
/// ```
#[derive(Clone)]
pub struct Payload {
    text: String,
    came: Came,
}

/// How a payload came to its text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Came {
    /// Somebody wrote it: it may be anything.
    Given,
    /// A value was serialised: it is JSON.
    Serialised,
    /// There is none: serialising the caller's value failed.
    Failed,
}

impl Payload {
    /// Whether there is no text: serialising the caller's value failed.
    pub(crate) fn has_fault(&self) -> bool {
        self.came == Came::Failed
    }

    /// Whether it is the text of a JSON object; what was serialised need not be read for that.
    pub(crate) fn is_object(&self) -> bool {
        match self.came {
            Came::Serialised => self.text.starts_with('{'),
            Came::Given | Came::Failed => is_object(&self.text),
        }
    }
}

/// By their texts, however they came to them.
impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.has_fault() == other.has_fault() && self.text == other.text
    }
}

impl Eq for Payload {}

impl Hash for Payload {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// Whether it is the text of a JSON object, whatever the size of its numbers.
pub(crate) fn is_object(text: &str) -> bool {
    text.trim_ascii_start().starts_with('{') && is_json(text)
}

/// Whether it is the text of a JSON value.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// So that one flow's output can be the next one's input: `.input_json(payload)`.
impl From<Payload> for String {
    fn from(payload: Payload) -> Self {
        payload.text
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.text.len())
    }
}

/// Serialises as a string that holds JSON, as Alibaba Cloud's wire does.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// A text that is never printed and is wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself, for whoever has to sign or send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

/// The words of a flow: an error's code or message as the flow, or one of its nodes, wrote it.
///
/// The text is the flow's business and kept as it came, but for secrets of the request, which are
/// hidden in it. `Display` and `Debug` also hide what the flow was given, and print at most 1 KiB
/// on one line.
///
/// ```
/// use cloud_workflows::FlowText;
///
/// let text = FlowText::from("no such\norder");
/// assert_eq!(text.as_str(), "no such\norder");
/// assert_eq!(text.to_string(), "no such order");
/// ```
#[derive(Clone, Default)]
pub struct FlowText {
    text: String,
    /// What is printed, where that is another text.
    shown: Option<Box<str>>,
}

impl FlowText {
    /// The text as data.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What may be printed of it.
    pub(crate) fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.text)
    }

    /// Hides the request's secrets in it, and its input where it is printed.
    pub(crate) fn scrub(&mut self, sensitive: &Sensitive) {
        if let Cow::Owned(text) = sensitive.scrub(&self.text, Hide::Secrets) {
            self.text = text;
        }
        if let Cow::Owned(shown) = sensitive.scrub(self.shown(), Hide::All) {
            self.shown = Some(shown.into());
        }
    }
}

impl Deref for FlowText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl<T: Into<String>> From<T> for FlowText {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            shown: None,
        }
    }
}

/// By their texts.
impl PartialEq for FlowText {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for FlowText {}

impl PartialEq<str> for FlowText {
    fn eq(&self, other: &str) -> bool {
        self.text == other
    }
}

impl PartialEq<&str> for FlowText {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}

impl fmt::Display for FlowText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printed::new().write(f, self.shown())
    }
}

impl fmt::Debug for FlowText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        fmt::Display::fmt(self, f)?;
        f.write_str("\"")
    }
}

impl Serialize for FlowText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_payload_came_to_its_text_is_nobodys_business() {
        let given = Payload::from_json("[1]");
        let serialised = Payload::from_value(&[1]);
        assert_eq!(given, serialised);
        let both = std::collections::HashSet::from([given, serialised]);
        assert_eq!(both.len(), 1);
    }

    #[test]
    fn an_object_is_known_by_its_text() {
        for text in ["{}", " {\"a\": 1e400} ", "[1]", "\"{}\"", "1", "null"] {
            let given = Payload::from_json(text);
            let value: &serde_json::value::RawValue = serde_json::from_str(text).unwrap();
            assert_eq!(Payload::from_value(value).is_object(), given.is_object());
            assert_eq!(given.is_object(), text.trim().starts_with('{'));
        }
        assert!(!Payload::from_json("{").is_object());
    }
}
