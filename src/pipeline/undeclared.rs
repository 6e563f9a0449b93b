//! What an operation that nobody declared answers.

use super::{
    json,
    operation::{DecodeError, Outcome},
    transport::Reply,
};
use crate::{
    error::{Error, ErrorCode},
    payload::{Payload, is_json},
};

/// The body as it came: JSON, or nothing. What is neither, and what has one of the sheet's codes in
/// a code's place, is what `instead` makes of it.
pub(crate) fn answer(
    reply: &Reply,
    instead: impl FnOnce(DecodeError) -> DecodeError,
) -> Result<Payload, DecodeError> {
    let text = json::text(&reply.body);
    if !text.trim_ascii().is_empty() && !is_json(&text) {
        return Err(instead(DecodeError::Unreadable("no JSON".to_owned())));
    }
    match instead(DecodeError::Missing("a result")) {
        // Any other word may be a result's.
        DecodeError::Code(coded) if !matches!(coded.code, ErrorCode::Other(_)) => {
            Err(DecodeError::Code(coded))
        }
        _ => Ok(Payload::from_json(text)),
    }
}

/// Nobody here knows whether a change starts a flow, so it may have.
pub(crate) fn settle(outcome: Outcome<()>, is_read: bool) -> Outcome<()> {
    match is_read {
        true => outcome,
        false => outcome.map_err(Error::of_start),
    }
}
