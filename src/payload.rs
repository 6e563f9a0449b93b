//! Values that know how to print: JSON text, secrets, execution names.

use std::{borrow::Cow, fmt, ops::Deref, str::FromStr};

use serde::{Serialize, Serializer, de::DeserializeOwned, de::IgnoredAny};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    error::{Error, ErrorKind, Printed},
    pipeline::words::{Hide, Sensitive},
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
    /// Takes JSON text as it is. What is wrong with it is reported by the call that uses it.
    pub fn from_json(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            has_fault: false,
        }
    }

    /// Serialises a value at once. A failure is kept and reported by the call that uses it.
    pub fn from_value(value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_string(value) {
            Ok(text) => Self::from_json(text),
            // The words of a serialiser may quote the value.
            Err(_) => Self {
                text: String::new(),
                has_fault: true,
            },
        }
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Reads the JSON text as a value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] where the text does not fit `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.text).map_err(|error| {
            // Serde's own words quote the payload.
            let (what, line, column) = (error.classify(), error.line(), error.column());
            let message = format!(
                "the payload does not fit the wanted type ({what:?} at line {line} column {column})"
            );
            Error::new(ErrorKind::Decode, message).with_passing(false)
        })
    }

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

    /// Refuses what cannot be part of a header or a key: an empty text, spaces, control
    /// characters, anything outside ASCII. The message does not show the value.
    pub(crate) fn check(&self, setting: &str) -> Result<(), Error> {
        check_visible(setting, self.expose())
    }
}

/// Refuses an empty text and one with anything but visible ASCII characters.
pub(crate) fn check_visible(setting: &str, text: &str) -> Result<(), Error> {
    let fault = if text.is_empty() {
        "is empty"
    } else if is_visible(text) {
        return Ok(());
    } else if is_visible(text.trim_ascii()) {
        "begins or ends with white space (a line end from a file, perhaps)"
    } else {
        "holds a space, a control character or a character outside ASCII"
    };
    Err(Error::new(
        ErrorKind::Credentials,
        format!("{setting} {fault}"),
    ))
}

/// Whether all characters are visible ASCII ones. Tokens are long and looked at in every call:
/// without an early end, many bytes are compared at once.
fn is_visible(text: &str) -> bool {
    text.bytes()
        .fold(true, |all, byte| all & byte.is_ascii_graphic())
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
        self.shown = match sensitive.scrub(&self.text, Hide::All) {
            Cow::Owned(shown) => Some(shown.into()),
            Cow::Borrowed(_) => None,
        };
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

/// A name for an execution, fit for `ExecutionName`: a letter or `_`, then letters, digits, `_`
/// and `-`, 1 to 128 characters.
///
/// A `StartExecution` under a name can be repeated safely: the service starts one execution a name
/// and flow. Store the name before you start, and a program that died in between can go on.
///
/// ```
/// use cloud_workflows::ExecutionName;
///
/// # fn main() -> Result<(), cloud_workflows::Error> {
/// let fresh = ExecutionName::new()?;
/// assert!(fresh.as_str().starts_with("cw-"));
/// assert_eq!(
///     ExecutionName::derived(["order", "17"]),
///     ExecutionName::derived(["order", "17"]),
/// );
/// assert!("17-order".parse::<ExecutionName>().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionName(String);

impl ExecutionName {
    /// Makes a name: `cw-` and 128 random bits of the operating system in hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] where the operating system
    /// has no randomness to give.
    pub fn new() -> Result<Self, Error> {
        Ok(Self::of_bits(&random_bits()?))
    }

    /// The same name for the same parts, each time and on each machine.
    ///
    /// `["ab", "c"]` and `["a", "bc"]` give different names.
    pub fn derived<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            let part = part.as_ref();
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self::of_bits(&hash.finalize()[..16])
    }

    /// The name as it goes over the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of_bits(bits: &[u8]) -> Self {
        let mut name = String::with_capacity(3 + 2 * bits.len());
        name.push_str("cw-");
        push_hex(&mut name, bits);
        Self(name)
    }
}

impl FromStr for ExecutionName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        check_name("ExecutionName", text)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ExecutionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ExecutionName> for String {
    fn from(name: ExecutionName) -> Self {
        name.0
    }
}

/// The rule for the names of flows and executions (Alibaba Cloud, StartSyncExecution page).
pub(crate) fn check_name(field: &str, name: &str) -> Result<(), Error> {
    let mut characters = name.chars();
    let fits = name.len() <= 128
        && characters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if fits {
        Ok(())
    } else {
        Err(Error::invalid(
            field,
            "must be 1 to 128 characters: a letter or _, then letters, digits, _ and -",
        ))
    }
}

/// What an optional setter takes: a value, or an `Option` of one.
///
/// ```
/// # #[cfg(feature = "alibaba")] {
/// use cloud_workflows::alibaba::StartExecutionRequest;
///
/// let from_the_command_line: Option<String> = None;
/// let request = StartExecutionRequest::new("my_flow")
///     .qualifier(from_the_command_line)
///     .execution_name("order-17");
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Given<T>(pub(crate) Option<T>);

impl<T> From<T> for Given<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> From<Option<T>> for Given<T> {
    fn from(value: Option<T>) -> Self {
        Self(value)
    }
}

macro_rules! given {
    ($($from:ty),*) => {
        $(
            impl From<$from> for Given<String> {
                fn from(text: $from) -> Self {
                    Self(Some(text.to_string()))
                }
            }
            impl From<Option<$from>> for Given<String> {
                fn from(text: Option<$from>) -> Self {
                    Self(text.map(|text| text.to_string()))
                }
            }
        )*
    };
}
given!(&str, &String, ExecutionName, &ExecutionName);

impl From<&Option<String>> for Given<String> {
    fn from(text: &Option<String>) -> Self {
        Self(text.clone())
    }
}

macro_rules! given_secret {
    ($($from:ty),*) => {
        $(
            impl From<$from> for Given<Secret> {
                fn from(text: $from) -> Self {
                    Self(Some(text.into()))
                }
            }
            impl From<Option<$from>> for Given<Secret> {
                fn from(text: Option<$from>) -> Self {
                    Self(text.map(Secret::from))
                }
            }
        )*
    };
}
given_secret!(&str, String, &String);

/// 128 random bits of the operating system.
pub(crate) fn random_bits() -> Result<[u8; 16], Error> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|error| {
        Error::configuration("randomness", "the operating system gave none").with_source(error)
    })?;
    Ok(bits)
}

/// Appends bytes as lower-case hexadecimal digits.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    text.extend(hex(bytes).map(char::from));
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> impl Iterator<Item = u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| DIGITS[usize::from(digit)])
}
