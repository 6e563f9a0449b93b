//! Whether what a service shows is what we sent: the same input, and begun after our request.

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use serde_json::Value;
use tokio::time::Instant;

use super::{operation::Sent, protocol::Protocol, retry::date};
use crate::payload::Payload;

/// `Date` counts whole seconds, and clocks of one service may differ a little.
pub(crate) const TOLERANCE: TimeDelta = TimeDelta::seconds(2);

/// Whether what the service shows and what we sent are equal, as text or as JSON; absent, empty
/// and `{}` alike. `None` where they may be equal in a way that cannot be seen: numbers or nesting
/// beyond what can be compared here.
pub(crate) fn same_input(theirs: Option<&Payload>, ours: Option<&Payload>) -> Option<bool> {
    // The service shows inputs; where it shows none, there was none, or it has changed.
    if theirs.is_none() && ours.is_some_and(|ours| !is_empty(ours)) {
        return None;
    }
    let text = |payload: Option<&Payload>| match payload {
        Some(payload) if !is_empty(payload) => payload.as_str().to_owned(),
        _ => "{}".to_owned(),
    };
    let (left, right) = (text(theirs), text(ours));
    if left == right {
        return Some(true);
    }
    let value = |text: &str| serde_json::from_str::<Value>(text).ok();
    equal(&value(&left)?, &value(&right)?)
}

/// Whether two values are equal, with `1`, `1.0` and `1e0` as one number.
fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) if left != right => {
            let (left, right) = (left.as_f64()?, right.as_f64()?);
            // Above 2^53, numbers that differ can look the same here.
            match left == right && left.abs() > 9e15 {
                true => None,
                false => Some(left == right),
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let pairs = left.iter().zip(right);
            all(pairs.map(|(left, right)| equal(left, right)))
        }
        (Value::Object(left), Value::Object(right)) if left.len() == right.len() => {
            let members = left.iter().map(|(name, left)| match right.get(name) {
                Some(right) => equal(left, right),
                None => Some(false),
            });
            all(members)
        }
        _ => Some(left == right),
    }
}

/// `Some(true)` where all parts are equal, `None` where none differs but some cannot be told.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut verdict = Some(true);
    for part in parts {
        match part {
            Some(true) => {}
            Some(false) => return Some(false),
            None => verdict = None,
        }
    }
    verdict
}

fn is_empty(payload: &Payload) -> bool {
    let text = payload.as_str().trim_ascii();
    text.is_empty()
        || text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .is_some_and(|inner| inner.trim_ascii().is_empty())
}

impl<P: Protocol> Sent<'_, P> {
    /// When the first attempt went out, by the clock of whoever made this reply.
    pub(crate) fn first_in_service_time(
        &self,
        headers: &HeaderMap,
        received: Instant,
    ) -> Option<DateTime<Utc>> {
        let ago = TimeDelta::from_std(received - self.first?.monotonic).ok()?;
        Some(date(headers)? - ago)
    }
}
