//! Where in a list a page begins, as a text that can be stored.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::Error;

/// Where in a list a page begins: what a program stores so as to go on there later.
///
/// It belongs to the list's operation and filters, and is refused by a list with others. It is a
/// short text for `Display`, `FromStr` and serde; what stands in it is the crate's own business.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Position {
    pub(super) filters: u64,
    pub(super) place: Place,
}

/// Where a page begins, as the service wants to be told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Start,
    Token(String),
    Offset {
        /// The time window of this page, both ends pinned; none where the list has no windows.
        window: Option<(DateTime<Utc>, DateTime<Utc>)>,
        /// How many items of the window come before it.
        offset: u64,
        /// The end of the last window.
        end: Option<DateTime<Utc>>,
    },
}

impl Place {
    /// The token that asks for the page.
    pub(crate) fn token(self) -> Option<String> {
        match self {
            Self::Token(token) => Some(token),
            _ => None,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{:016x}.", self.filters)?;
        let millis = |time: &DateTime<Utc>| time.timestamp_millis();
        match &self.place {
            Place::Start => f.write_str("s"),
            Place::Token(token) => write!(f, "t.{token}"),
            Place::Offset {
                window: Some((begin, until)),
                offset,
                end,
            } => {
                let end = end.as_ref().unwrap_or(until);
                let (begin, until, end) = (millis(begin), millis(until), millis(end));
                write!(f, "w.{offset}.{begin}.{until}.{end}")
            }
            Place::Offset {
                window: None,
                offset,
                ..
            } => write!(f, "o.{offset}"),
        }
    }
}

impl FromStr for Position {
    type Err = Error;

    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) where the text is no
    /// position.
    fn from_str(text: &str) -> Result<Self, Error> {
        read(text).ok_or_else(|| Error::invalid("position", "is not the position of a list"))
    }
}

fn read(text: &str) -> Option<Position> {
    let mut parts = text.strip_prefix("1.")?.splitn(3, '.');
    let (filters, kind, rest) = (parts.next()?, parts.next()?, parts.next());
    let is_plain = filters.len() == 16 && filters.bytes().all(|byte| byte.is_ascii_hexdigit());
    let filters = u64::from_str_radix(filters, 16).ok().filter(|_| is_plain)?;
    let place = match (kind, rest) {
        ("s", None) => Place::Start,
        ("t", Some(token)) if !token.is_empty() => Place::Token(token.to_owned()),
        ("o", Some(offset)) => Place::Offset {
            window: None,
            offset: offset.parse().ok()?,
            end: None,
        },
        ("w", Some(rest)) => {
            let mut numbers = rest.split('.');
            let offset = numbers.next()?.parse().ok()?;
            let mut time = || DateTime::from_timestamp_millis(numbers.next()?.parse().ok()?);
            let (begin, until, end) = (time()?, time()?, time()?);
            let fits = begin <= until && until <= end && numbers.next().is_none();
            fits.then_some(Place::Offset {
                window: Some((begin, until)),
                offset,
                end: Some(end),
            })?
        }
        _ => return None,
    };
    Some(Position { filters, place })
}

/// A token may name an execution, which is the caller's business.
impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Position").finish_non_exhaustive()
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| de::Error::custom("not the position of a list"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_from_the_text_that_it_writes_and_from_no_other() {
        let time = DateTime::from_timestamp_millis;
        let (filters, window) = (0xfe, time(1_000).zip(time(2_000)));
        let offset = |window, end| Place::Offset {
            window,
            offset: 7,
            end,
        };
        for (place, text) in [
            (Place::Start, "1.00000000000000fe.s"),
            (Place::Token("a.b".to_owned()), "1.00000000000000fe.t.a.b"),
            (offset(None, None), "1.00000000000000fe.o.7"),
            (
                offset(window, time(2_000)),
                "1.00000000000000fe.w.7.1000.2000.2000",
            ),
            (
                offset(window, time(9_000)),
                "1.00000000000000fe.w.7.1000.2000.9000",
            ),
        ] {
            let position = Position { filters, place };
            assert_eq!(position.to_string(), text);
            assert_eq!(text.parse::<Position>().unwrap(), position);
            assert_eq!(format!("{position:?}"), "Position { .. }");
        }
        let same = Position {
            filters,
            place: offset(window, None),
        };
        assert_eq!(same.to_string(), "1.00000000000000fe.w.7.1000.2000.2000");
        for text in [
            "",
            "2.00000000000000fe.s",
            "1.fe.s",
            "1.+0000000000000fe.s",
            "1.00000000000000000fe.s",
            "1.00000000000000fe",
            "1.00000000000000fe.s.x",
            "1.00000000000000fe.t",
            "1.00000000000000fe.t.",
            "1.00000000000000fe.o",
            "1.00000000000000fe.o.x",
            "1.00000000000000fe.w.7.1000.2000",
            "1.00000000000000fe.w.7.3000.2000.9000",
            "1.00000000000000fe.w.7.1000.2000.1999",
            "1.00000000000000fe.w.7.1000.2000.9000.1",
            "1.00000000000000fe.x.7",
        ] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
        let one = "1.00000000000000fe.w.7.1000.1000.1000";
        assert_eq!(one.parse::<Position>().unwrap().to_string(), one);
    }
}
