//! The vendors' time forms.

use chrono::{DateTime, NaiveDateTime, Utc};

/// A point in time: RFC 3339 with or without fraction; without offset it is taken as UTC, as IAM
/// writes it. A number counts milliseconds since 1970.
pub(crate) fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim_ascii();
    if let Ok(milliseconds) = text.parse() {
        return DateTime::from_timestamp_millis(milliseconds);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|time| time.and_utc())
}
