//! What a declaration is once it is compiled: a list of members, and values behind `dyn`.
//!
//! The macros of [`declare`](super::declare) write these lists and nothing else. Reading, showing
//! and writing walk them, in code that is compiled once and not once a struct.

use std::fmt;

use super::json::Raw;
use crate::payload::{FlowText, Payload};

/// A struct that stands on the wire as an object, seen as its list of fields.
pub(crate) trait Fields: Send + Sync {
    /// The struct's own name.
    fn name(&self) -> &'static str;

    fn members(&self) -> &'static [Member];

    /// How its payloads stand on the wire.
    fn json(&self) -> Json;

    /// Shows the fields, in the order of the members.
    fn values<'a>(&'a self, see: &mut dyn FnMut(&'a dyn Value));

    /// The same to write to.
    fn slots(&mut self, see: &mut dyn FnMut(&mut dyn Value));

    /// The text of the object that it was read from, of what goes out again as it came.
    fn came(&self) -> Option<&str> {
        None
    }

    /// Remembers that text.
    fn keep(&mut self, _text: &str) {}

    /// Another of its kind with nothing read yet, of what goes out again as it came.
    fn another(&self) -> Option<Box<dyn Fields>> {
        None
    }
}

/// The object that a part was read from. What nobody has changed since goes out again as it came:
/// members that nobody here knows, values that could not be read, and how a value was written.
///
/// It says nothing of what the part means, so that all are equal.
#[derive(Clone, Default)]
pub(crate) struct Came(Option<Box<str>>);

impl Came {
    pub(crate) fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub(crate) fn keep(&mut self, text: &str) {
        self.0 = Some(text.into());
    }
}

impl PartialEq for Came {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The same, as a type.
pub(crate) trait Record: Fields + Sized {
    const MEMBERS: &'static [Member];

    /// With nothing read yet.
    fn empty() -> Self;
}

/// Of an operation whose answer says nothing but that it was done.
impl Fields for () {
    fn name(&self) -> &'static str {
        "()"
    }

    fn members(&self) -> &'static [Member] {
        &[]
    }

    fn json(&self) -> Json {
        Json::AsValue
    }

    fn values<'a>(&'a self, _: &mut dyn FnMut(&'a dyn Value)) {}

    fn slots(&mut self, _: &mut dyn FnMut(&mut dyn Value)) {}
}

impl Record for () {
    const MEMBERS: &'static [Member] = &[];

    fn empty() -> Self {}
}

/// One field: what it is called in Rust and on the wire, where it stands, what it holds.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) field: &'static str,
    pub(crate) wire: &'static str,
    pub(crate) place: Place,
    #[cfg(test)]
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
    pub(crate) rules: &'static [Rule],
}

/// Whether a field has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// An answer without it means nothing.
    Essential,
    /// An answer may lack it; a list of nothing counts as lacking.
    Optional,
    /// A request has it always.
    Required,
    /// A request has it where the caller gave it, a list of nothing too.
    Given,
}

impl Presence {
    /// Of an answer's field of this type.
    pub(crate) const fn of<T: Field>() -> Self {
        match T::ESSENTIAL {
            true => Self::Essential,
            false => Self::Optional,
        }
    }
}

/// Where a field stands.
#[cfg_attr(
    not(any(test, all(feature = "alibaba", feature = "huawei"))),
    expect(dead_code, reason = "each cloud has places of its own")
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A member of a JSON object: of an answer, a nested part, a request's body.
    Member,
    /// A parameter of an RPC call: in the form body of a `POST`, in the query of a `GET`.
    Parameter,
    Query,
    /// A segment of the path, where the path has its name in braces.
    Path,
    Header,
    /// The whole body.
    Body,
}

/// What a field holds, for the comparison with the vendors' tables.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Flag,
    Time,
    Json,
    List(&'static Kind),
    Map(&'static Kind),
    Part(&'static [Member]),
}

/// What else is to be known of a field: what is checked before it is sent, how it is printed.
#[cfg_attr(not(test), expect(dead_code, reason = "for operations to come"))]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// A name of a flow, an execution, an alias, and so on.
    Name,
    /// The text of a JSON object.
    Object,
    /// The text of a JSON value.
    Value,
    /// A text that is not empty.
    Filled,
    /// A number from here to there.
    Range(i64, i64),
    /// So many characters at least, and at most; of a list, so many items.
    Length(usize, usize),
    /// So many bytes at most.
    Bytes(usize),
    /// This JSON stands for it where it is absent.
    Else(&'static str),
    /// A time with a blank between day and hour, and no zone: `yyyy-MM-dd HH:mm:ss`, UTC.
    Spaced,
    /// A time as milliseconds since 1970.
    Millis,
    /// A text of such characters only, in words.
    Only(fn(char) -> bool, &'static str),
    /// `Debug` does not show it.
    Hidden,
}

/// How JSON that the service only passes on stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    /// In a text (Alibaba Cloud).
    InText,
    /// As a value among values (Huawei Cloud).
    AsValue,
}

/// What a field may hold: read from the wire, shown for it.
pub(crate) trait Value: fmt::Debug + Send + Sync {
    /// Takes over what stands there; false where that is of no use.
    fn read(&mut self, raw: Raw<'_>, json: Json) -> bool;

    fn show(&self, json: Json) -> Shown<'_>;

    /// What is wrong with it from the beginning.
    fn fault(&self) -> Option<&'static str> {
        None
    }

    /// The JSON that it holds, of what holds JSON.
    fn payload(&self) -> Option<&Payload> {
        None
    }

    /// Shows the flow's own words in it, to be scrubbed.
    fn words(&mut self, _see: &mut dyn FnMut(&mut FlowText)) {}
}

/// The same, as the type of a field.
pub(crate) trait Field: Value + Sized {
    #[cfg(test)]
    const KIND: Kind;
    const ESSENTIAL: bool = true;

    /// With nothing read yet.
    fn empty() -> Self;
}

/// A value as it is to stand on the wire.
pub(crate) enum Shown<'a> {
    Absent,
    Text(&'a str),
    Integer(i64),
    Number(f64),
    Flag(bool),
    Time(chrono::DateTime<chrono::Utc>),
    /// JSON that is passed on as it is.
    Json(&'a str),
    List(Vec<Shown<'a>>),
    Map(Vec<(&'a str, Shown<'a>)>),
    Part(&'a dyn Fields),
}
