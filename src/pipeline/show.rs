//! Showing a struct: as serde sees it, with the wire's names, and in `Debug`.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap as _};
use serde_json::value::RawValue;

use super::{
    json::Object,
    read,
    record::{Fields, Member, Presence, Record, Rule, Shown, Value},
};
use crate::error::Error;

/// Serialises the fields that are there, under the wire's names; of what was read, all that has not
/// been changed goes out as it came.
pub(crate) fn serialize<S: Serializer>(
    record: &dyn Fields,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let members = written(record);
    let mut map = serializer.serialize_map(Some(members.len()))?;
    for (name, value) in &members {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

/// The members as they are to stand on the wire.
fn written(record: &dyn Fields) -> Vec<(Cow<'_, str>, Shown<'_>)> {
    let came = record.came().and_then(|text| Object::read(text).ok());
    let (Some(came), Some(mut before)) = (came, record.another()) else {
        let fields = with_defaults(record).into_iter();
        return fields
            .map(|(member, value)| (Cow::Borrowed(member.wire), value))
            .collect();
    };
    // That something essential is missing was said when it was read.
    let _missing = read::fill(&mut *before, &came);
    let was = present(&*before);
    let is = present(record);
    let is_changed = |wire: &str| text_of(&was, wire) != text_of(&is, wire);
    let mut changed: Vec<(&Member, Shown<'_>)> = with_defaults(record);
    changed.retain(|(member, _)| is_changed(member.wire));
    let mut members = Vec::with_capacity(is.len());
    for (name, raw) in came.written() {
        let is_known = record.members().iter().any(|member| member.wire == name);
        if !is_known || !is_changed(name) {
            members.push((name.clone(), Shown::Json(raw.as_str())));
        } else if let Some(at) = changed.iter().position(|(member, _)| member.wire == name) {
            members.push((name.clone(), changed.remove(at).1));
        }
    }
    let new = changed.into_iter();
    members.extend(new.map(|(member, value)| (Cow::Borrowed(member.wire), value)));
    members
}

/// How a field is written; none where it is not.
fn text_of(fields: &[(&Member, Shown<'_>)], wire: &str) -> Option<String> {
    let field = fields.iter().find(|(member, _)| member.wire == wire);
    field.and_then(|(_, value)| serde_json::to_string(value).ok())
}

/// Reads JSON as an answer is read.
pub(crate) fn deserialize<'de, T: Record, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    read::record(raw.get()).map_err(serde::de::Error::custom)
}

/// Begins to print a struct: all its fields but the values of those that are hidden; of a map the
/// names.
pub(crate) fn debug<'a, 'b>(
    record: &dyn Fields,
    f: &'a mut fmt::Formatter<'b>,
) -> fmt::DebugStruct<'a, 'b> {
    let mut shown = f.debug_struct(record.name());
    each(record, |member, value| {
        let is_hidden = member.rules.iter().any(|rule| matches!(rule, Rule::Hidden));
        match (is_hidden, value.show(record.json())) {
            (false, _) => shown.field(member.field, &value),
            (true, Shown::Map(members)) => {
                let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
                shown.field(member.field, &names)
            }
            (true, _) => shown.field(member.field, &format_args!("..")),
        };
    });
    shown
}

/// All fields with what is declared of them.
pub(crate) fn each<'a>(
    record: &'a dyn Fields,
    mut see: impl FnMut(&'static Member, &'a dyn Value),
) {
    let mut members = record.members().iter();
    record.values(&mut |value| {
        if let Some(member) = members.next() {
            see(member, value);
        }
    });
}

/// A field that is a text, by its wire name.
pub(crate) fn text<'a>(record: &'a dyn Fields, wire: &str) -> Option<&'a str> {
    let mut found = None;
    each(record, |member, value| {
        if member.wire == wire
            && let Shown::Text(text) = value.show(record.json())
        {
            found = Some(text);
        }
    });
    found
}

/// The fields that are there, and those that have JSON to stand for them.
pub(crate) fn with_defaults(record: &dyn Fields) -> Vec<(&'static Member, Shown<'_>)> {
    let mut present = present(record);
    for member in record.members() {
        let default = member.rules.iter().find_map(|rule| match rule {
            Rule::Else(json) => Some(Shown::Json(json)),
            _ => None,
        });
        if let Some(default) = default
            && present.iter().all(|(there, _)| there.wire != member.wire)
        {
            present.push((member, default));
        }
    }
    present
}

/// The fields that are there, under the wire's names.
pub(crate) fn present(record: &dyn Fields) -> Vec<(&'static Member, Shown<'_>)> {
    let json = record.json();
    let mut present = Vec::with_capacity(record.members().len());
    each(record, |member, value| {
        let value = value.show(json);
        let is_left_out = match &value {
            Shown::Absent => true,
            Shown::List(items) => items.is_empty() && member.presence == Presence::Optional,
            Shown::Map(members) => members.is_empty() && member.presence == Presence::Optional,
            _ => false,
        };
        if !is_left_out {
            present.push((member, value));
        }
    });
    present
}

impl<'a> Shown<'a> {
    /// The value as a text: of a form, a query, a path, a header.
    pub(crate) fn to_text(&self, wire: &str) -> Result<Cow<'a, str>, Error> {
        Ok(match self {
            Self::Absent => Cow::Borrowed(""),
            Self::Text(text) | Self::Json(text) => Cow::Borrowed(text),
            Self::Integer(number) => number.to_string().into(),
            Self::Number(number) => number.to_string().into(),
            Self::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            Self::Time(time) => time.format("%Y-%m-%dT%H:%M:%SZ").to_string().into(),
            nested @ (Self::List(_) | Self::Map(_) | Self::Part(_)) => nested.to_json(wire)?.into(),
        })
    }

    /// The value as JSON text.
    pub(crate) fn to_json(&self, wire: &str) -> Result<String, Error> {
        serde_json::to_string(self)
            .map_err(|_| Error::invalid(wire, "could not be serialised to JSON"))
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(number) => serializer.serialize_i64(*number),
            // Where a whole number is wanted, one with a fraction of nothing may not be read.
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                serializer.serialize_i64(*number as i64)
            }
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Time(time) => time.serialize(serializer),
            Self::Json(text) => json(text, serializer),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
            Self::Part(record) => serialize(*record, serializer),
        }
    }
}

/// What a flow gave may be no JSON: then it stands there as a text.
fn json<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => raw.serialize(serializer),
        Err(_) => serializer.serialize_str(text),
    }
}
