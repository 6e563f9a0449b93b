//! Values that know how to print: JSON text, secrets, the words of flows.

mod text;

use std::{borrow::Cow, fmt, ops::Deref};

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
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Payload {
    text: String,
    /// There is no text: serialising the caller's value failed.
    has_fault: bool,
}

impl Payload {
    /// Whether there is no text: serialising the caller's value failed.
    pub(crate) fn has_fault(&self) -> bool {
        self.has_fault
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
