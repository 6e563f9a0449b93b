//! What became of a call that makes or deletes something, where its answer was lost.
//!
//! Whatever has a name is looked at: what was asked for and is no older than the call is the
//! call's own. Where the service reformats what it was given, or its clock cannot be read, that
//! cannot be told, and the error says so.

use std::future::Future;

use chrono::{DateTime, Utc};

use super::{operations::deletes::DeleteResponse, protocol::Rpc};
use crate::{
    error::{Delivery, Error},
    pipeline::{
        operation::{Outcome, Sent},
        same::TOLERANCE,
    },
};

/// What is found gone after an attempt of unknown fate was deleted by that attempt.
pub(super) async fn deleted(error: Error, sent: Sent<'_, Rpc>) -> Outcome<DeleteResponse> {
    if error.delivery() < Delivery::Unknown {
        return Err(error);
    }
    let gone = error.code().zip(error.status());
    let Some((_, status)) = gone.filter(|(code, status)| code.says_gone(*status)) else {
        return Err(error);
    };
    let value = DeleteResponse {
        request_id: error.request_id().map(str::to_owned),
        was_gone: true,
    };
    Ok(sent.answered_by(&error, status, value))
}

/// What a look shows of what was to be made.
pub(super) struct Found {
    pub(super) created: Option<DateTime<Utc>>,
    /// Whether it is what was asked for.
    pub(super) is_same: bool,
}

/// Looks where nobody knows what became of a call that makes something.
pub(super) async fn made<T>(
    error: Error,
    sent: &Sent<'_, Rpc>,
    look: impl Future<Output = Outcome<T>>,
    show: impl FnOnce(&T, &Sent<'_, Rpc>) -> Found,
) -> Outcome<T> {
    if error.delivery() < Delivery::Unknown {
        return Err(error);
    }
    let found = match look.await {
        Ok(found) => found,
        Err(failure) => {
            let refusal = failure.code().zip(failure.status());
            return Err(match refusal {
                Some((code, status)) if code.says_gone(status) => {
                    error.and("nothing of that name was there a moment later")
                }
                _ => error,
            });
        }
    };
    let Found { created, is_same } = show(&found.value, sent);
    let first = sent.first_in_service_time(&found.headers, found.received);
    let was_before = created
        .zip(first)
        .is_some_and(|(created, first)| created < first - TOLERANCE);
    match (is_same, was_before) {
        (true, false) => Ok(sent.as_its_own(found)),
        (false, false) => Err(error.and(
            "what is there under that name is not, or not in the same words, what was asked for",
        )),
        (_, true) => Err(error.and("what is there under that name was made before")),
    }
}

pub(super) fn parameter(sent: &Sent<'_, Rpc>, name: &str) -> String {
    sent.wire.parameter(name).unwrap_or_default()
}

/// Whether a text is as it was sent, but for the ends of its lines.
pub(super) fn same_text(shown: Option<&str>, sent: &Sent<'_, Rpc>, name: &str) -> bool {
    plain(shown.unwrap_or_default()) == plain(&parameter(sent, name))
}

/// A text but for the ends of its lines.
pub(super) fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end().to_owned()
}
