//! What fields may hold, and how leniently each is read.
//!
//! A scalar of another type is read where it can be; what is of no use is absent.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{
    json::Raw,
    read,
    record::{Field, Fields, Json, Record, Shown, Value},
    times::parse_time,
};
use crate::payload::{FlowText, Payload, Secret};
#[cfg(test)]
use crate::pipeline::record::Kind;

/// A value of its own, looked at where its type is written: what cannot be a field is an error at
/// that place.
pub(crate) fn value<T: Field>(value: &T) -> &dyn Value {
    value
}

/// The same to write to.
pub(crate) fn slot<T: Field>(value: &mut T) -> &mut dyn Value {
    value
}

impl Value for String {
    fn read(&mut self, raw: Raw<'_>, _: Json) -> bool {
        let text = raw.text();
        *self = text.as_deref().unwrap_or_default().to_owned();
        text.is_some()
    }

    fn show(&self, _: Json) -> Shown<'_> {
        Shown::Text(self)
    }
}

impl Field for String {
    #[cfg(test)]
    const KIND: Kind = Kind::Text;

    fn empty() -> Self {
        Self::new()
    }
}

impl Value for Secret {
    fn read(&mut self, raw: Raw<'_>, _: Json) -> bool {
        let text = raw.text();
        let is_some = text.is_some();
        *self = Self::new(text.unwrap_or_default());
        is_some
    }

    fn show(&self, _: Json) -> Shown<'_> {
        Shown::Text(self.expose())
    }
}

impl Field for Secret {
    #[cfg(test)]
    const KIND: Kind = Kind::Text;

    fn empty() -> Self {
        Self::new("")
    }
}

impl Value for FlowText {
    fn read(&mut self, raw: Raw<'_>, json: Json) -> bool {
        *self = match raw.text() {
            Some(text) => Self::from(text),
            // Where values stand among values, words may have a form of the flow's own.
            None if json == Json::AsValue && raw.string().is_none() && !raw.is_null() => {
                Self::from(raw.as_str())
            }
            None => return false,
        };
        true
    }

    fn show(&self, _: Json) -> Shown<'_> {
        Shown::Text(self.as_str())
    }

    fn words(&mut self, see: &mut dyn FnMut(&mut FlowText)) {
        see(self);
    }
}

impl Field for FlowText {
    #[cfg(test)]
    const KIND: Kind = Kind::Text;

    fn empty() -> Self {
        Self::default()
    }
}

impl Value for Payload {
    fn read(&mut self, raw: Raw<'_>, json: Json) -> bool {
        // A value that is in no text where one is usual, or no JSON at all, is taken as it stands.
        let text = match (json, raw.string()) {
            (Json::InText, Some(text)) if text.is_empty() => return false,
            (_, None) if raw.is_null() => return false,
            (Json::InText, Some(text)) => text,
            _ => raw.as_str().into(),
        };
        *self = Self::from_json(text);
        true
    }

    fn show(&self, json: Json) -> Shown<'_> {
        match json {
            Json::InText => Shown::Text(self.as_str()),
            Json::AsValue => Shown::Json(self.as_str()),
        }
    }

    fn fault(&self) -> Option<&'static str> {
        self.has_fault()
            .then_some("could not be serialised to JSON")
    }

    fn payload(&self) -> Option<&Payload> {
        Some(self)
    }
}

impl Field for Payload {
    #[cfg(test)]
    const KIND: Kind = Kind::Json;

    fn empty() -> Self {
        Self::from_json("")
    }
}

impl Value for bool {
    fn read(&mut self, raw: Raw<'_>, _: Json) -> bool {
        match raw.text().as_deref() {
            Some("true" | "True" | "TRUE" | "1") => *self = true,
            Some("false" | "False" | "FALSE" | "0") => *self = false,
            _ => return false,
        }
        true
    }

    fn show(&self, _: Json) -> Shown<'_> {
        Shown::Flag(*self)
    }
}

impl Field for bool {
    #[cfg(test)]
    const KIND: Kind = Kind::Flag;

    fn empty() -> Self {
        false
    }
}

impl Value for f64 {
    fn read(&mut self, raw: Raw<'_>, _: Json) -> bool {
        let number = raw.text().and_then(|text| text.trim_ascii().parse().ok());
        let number = number.filter(|number: &f64| number.is_finite());
        *self = number.unwrap_or_default();
        number.is_some()
    }

    fn show(&self, _: Json) -> Shown<'_> {
        Shown::Number(*self)
    }
}

impl Field for f64 {
    #[cfg(test)]
    const KIND: Kind = Kind::Number;

    fn empty() -> Self {
        0.0
    }
}

/// A whole number, also one that is written with a fraction of nothing.
fn integer(raw: Raw<'_>) -> Option<i64> {
    let text = raw.text()?;
    let text = text.trim_ascii();
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        // Up to 2^53, where every whole number has a form of its own.
        let is_whole = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
        is_whole.then_some(number as i64)
    })
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Value for $integer {
            fn read(&mut self, raw: Raw<'_>, _: Json) -> bool {
                let number = integer(raw).and_then(|number| number.try_into().ok());
                *self = number.unwrap_or_default();
                number.is_some()
            }

            fn show(&self, _: Json) -> Shown<'_> {
                Shown::Integer((*self).into())
            }
        }

        impl Field for $integer {
            #[cfg(test)]
            const KIND: Kind = Kind::Integer;

            fn empty() -> Self {
                0
            }
        }
    )*};
}
integers!(i32, i64, u32);

impl Value for DateTime<Utc> {
    fn read(&mut self, raw: Raw<'_>, _: Json) -> bool {
        let time = raw.text().and_then(|text| parse_time(&text));
        *self = time.unwrap_or_default();
        time.is_some()
    }

    fn show(&self, _: Json) -> Shown<'_> {
        Shown::Time(*self)
    }
}

impl Field for DateTime<Utc> {
    #[cfg(test)]
    const KIND: Kind = Kind::Time;

    fn empty() -> Self {
        Self::UNIX_EPOCH
    }
}

impl<T: Field> Value for Option<T> {
    fn read(&mut self, raw: Raw<'_>, json: Json) -> bool {
        let value = self.insert(T::empty());
        let is_read = value.read(raw, json);
        if !is_read {
            *self = None;
        }
        is_read
    }

    fn show(&self, json: Json) -> Shown<'_> {
        match self {
            Some(value) => value.show(json),
            None => Shown::Absent,
        }
    }

    fn fault(&self) -> Option<&'static str> {
        self.as_ref().and_then(Value::fault)
    }

    fn payload(&self) -> Option<&Payload> {
        self.as_ref().and_then(Value::payload)
    }

    fn words(&mut self, see: &mut dyn FnMut(&mut FlowText)) {
        if let Some(value) = self {
            value.words(see);
        }
    }
}

impl<T: Field> Field for Option<T> {
    #[cfg(test)]
    const KIND: Kind = T::KIND;
    const ESSENTIAL: bool = false;

    fn empty() -> Self {
        None
    }
}

impl<T: Field> Value for Vec<T> {
    fn read(&mut self, raw: Raw<'_>, json: Json) -> bool {
        let Some(items) = raw.items() else {
            return false;
        };
        // Many small items are large here: room that doubles would be as much again.
        self.reserve_exact(items.len());
        for item in &items {
            let mut value = T::empty();
            if value.read(*item, json) {
                self.push(value);
            }
        }
        true
    }

    fn show(&self, json: Json) -> Shown<'_> {
        let mut items = Vec::with_capacity(self.len());
        for item in self {
            items.push(item.show(json));
        }
        Shown::List(items)
    }

    fn words(&mut self, see: &mut dyn FnMut(&mut FlowText)) {
        for item in self {
            item.words(see);
        }
    }
}

impl<T: Field> Field for Vec<T> {
    #[cfg(test)]
    const KIND: Kind = Kind::List(&T::KIND);
    const ESSENTIAL: bool = false;

    fn empty() -> Self {
        Self::new()
    }
}

impl<T: Field> Value for BTreeMap<String, T> {
    fn read(&mut self, raw: Raw<'_>, json: Json) -> bool {
        let Some(members) = raw.object() else {
            return false;
        };
        for (name, member) in members.iter() {
            let mut value = T::empty();
            if !self.contains_key(name) && value.read(member, json) {
                self.insert(name.to_owned(), value);
            }
        }
        true
    }

    fn show(&self, json: Json) -> Shown<'_> {
        let mut members = Vec::with_capacity(self.len());
        for (name, value) in self {
            members.push((name.as_str(), value.show(json)));
        }
        Shown::Map(members)
    }

    fn words(&mut self, see: &mut dyn FnMut(&mut FlowText)) {
        for value in self.values_mut() {
            value.words(see);
        }
    }
}

impl<T: Field> Field for BTreeMap<String, T> {
    #[cfg(test)]
    const KIND: Kind = Kind::Map(&T::KIND);
    const ESSENTIAL: bool = false;

    fn empty() -> Self {
        Self::new()
    }
}

impl<T: Record + std::fmt::Debug> Value for T {
    fn read(&mut self, raw: Raw<'_>, _: Json) -> bool {
        let fields: &mut dyn Fields = self;
        let is_read = raw
            .object()
            .is_some_and(|object| read::fill(fields, &object).is_ok());
        if is_read {
            fields.keep(raw.as_str());
        }
        is_read
    }

    fn show(&self, _: Json) -> Shown<'_> {
        Shown::Part(self)
    }

    fn words(&mut self, see: &mut dyn FnMut(&mut FlowText)) {
        self.slots(&mut |slot| slot.words(see));
    }
}

impl<T: Record + std::fmt::Debug> Field for T {
    #[cfg(test)]
    const KIND: Kind = Kind::Part(T::MEMBERS);

    fn empty() -> Self {
        <T as Record>::empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::json::Object;

    fn read<T: Field>(text: &str, json: Json) -> Option<T> {
        let object = format!(r#"{{"a":{text}}}"#);
        let object = Object::read(&object).unwrap();
        let mut value = None::<T>;
        // What is absent or null is not asked for.
        let raw = object.written().next().unwrap().1;
        assert_eq!(value.read(raw, json), value.is_some(), "{text}");
        value
    }

    #[test]
    fn scalars_are_read_from_whatever_says_them() {
        for (text, flag, whole, number) in [
            ("true", Some(true), None, None),
            (r#""True""#, Some(true), None, None),
            (r#""TRUE""#, Some(true), None, None),
            ("1", Some(true), Some(1), Some(1.0)),
            (r#""1""#, Some(true), Some(1), Some(1.0)),
            ("false", Some(false), None, None),
            (r#""False""#, Some(false), None, None),
            (r#""FALSE""#, Some(false), None, None),
            ("0", Some(false), Some(0), Some(0.0)),
            ("2", None, Some(2), Some(2.0)),
            (r#"" -7 ""#, None, Some(-7), Some(-7.0)),
            ("3.0", None, Some(3), Some(3.0)),
            ("1e3", None, Some(1_000), Some(1e3)),
            ("1.5", None, None, Some(1.5)),
            (
                "9007199254740992.0",
                None,
                Some(1 << 53),
                Some(9_007_199_254_740_992.0),
            ),
            (
                "-9007199254740992.0",
                None,
                Some(-(1 << 53)),
                Some(-9_007_199_254_740_992.0),
            ),
            (
                "9007199254740994.0",
                None,
                None,
                Some(9_007_199_254_740_994.0),
            ),
            (
                "9223372036854775807",
                None,
                Some(i64::MAX),
                Some(9_223_372_036_854_775_807.0),
            ),
            ("1e400", None, None, None),
            (r#""yes""#, None, None, None),
            (r#""""#, None, None, None),
            ("null", None, None, None),
            ("[1]", None, None, None),
        ] {
            let json = Json::AsValue;
            assert_eq!(read::<bool>(text, json), flag, "{text}");
            assert_eq!(read::<i64>(text, json), whole, "{text}");
            assert_eq!(read::<f64>(text, json), number, "{text}");
            let small = |range: std::ops::RangeInclusive<i64>| whole.filter(|n| range.contains(n));
            let small_too = read::<u32>(text, json).map(i64::from);
            assert_eq!(small_too, small(0..=u32::MAX.into()), "{text}");
            let signed = read::<i32>(text, json).map(i64::from);
            assert_eq!(signed, small(i32::MIN.into()..=i32::MAX.into()), "{text}");
        }
    }

    #[test]
    fn texts_and_payloads_are_read_as_their_place_has_them() {
        // Written; a text, a secret; words and JSON among values; words and JSON in texts.
        for (written, text, words, json, words_in_text, json_in_text) in [
            (
                r#""x""#,
                Some("x"),
                Some("x"),
                Some(r#""x""#),
                Some("x"),
                Some("x"),
            ),
            (r#""""#, None, None, Some(r#""""#), None, None),
            ("7", Some("7"), Some("7"), Some("7"), Some("7"), Some("7")),
            ("{}", None, Some("{}"), Some("{}"), None, Some("{}")),
            ("[1]", None, Some("[1]"), Some("[1]"), None, Some("[1]")),
            ("null", None, None, None, None, None),
        ] {
            assert_eq!(
                read::<String>(written, Json::InText).as_deref(),
                text,
                "{written}"
            );
            let secret = read::<Secret>(written, Json::InText);
            assert_eq!(secret.as_ref().map(Secret::expose), text, "{written}");
            for (place, words, json) in [
                (Json::AsValue, words, json),
                (Json::InText, words_in_text, json_in_text),
            ] {
                let read_words = read::<FlowText>(written, place);
                assert_eq!(
                    read_words.as_ref().map(FlowText::as_str),
                    words,
                    "{written}"
                );
                let payload = read::<Payload>(written, place);
                assert_eq!(payload.as_ref().map(Payload::as_str), json, "{written}");
            }
        }
        let unserialisable = std::collections::HashMap::from([(vec![1], 1)]);
        assert!(Payload::from_value(&unserialisable).fault().is_some());
        assert_eq!(Payload::from_json("{").fault(), None);
    }
}
