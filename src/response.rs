//! What a call gives beside its value.

use std::{fmt, sync::OnceLock, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::{error::Error, outcome::Outcome};

/// A value with what came along: request id, HTTP status, headers, raw body, attempts, time.
///
/// Given by [`Call::send_for_response`](crate::Call::send_for_response). `Debug` prints neither
/// headers nor body.
pub struct Response<T> {
    pub(crate) value: T,
    pub(crate) request_id: RequestId<T>,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// When the head of the answer came.
    pub(crate) received: Instant,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
}

/// The service's id of a request, which is looked for when somebody asks: most never do.
#[derive(Clone)]
pub(crate) struct RequestId<T> {
    found: OnceLock<Option<String>>,
    find: fn(&T, &HeaderMap) -> Option<String>,
}

impl<T> RequestId<T> {
    /// One that this function finds in the value or the headers.
    pub(crate) fn found_by(find: fn(&T, &HeaderMap) -> Option<String>) -> Self {
        Self {
            found: OnceLock::new(),
            find,
        }
    }

    /// One that is known, or none.
    pub(crate) fn known(id: Option<String>) -> Self {
        Self {
            found: id.into(),
            find: |_, _| None,
        }
    }
}

/// The id, looked for where nobody has yet. Apart, so that it is compiled once and not once a type.
fn looked_up<'a>(
    found: &'a OnceLock<Option<String>>,
    find: &dyn Fn() -> Option<String>,
) -> Option<&'a str> {
    found.get_or_init(find).as_deref()
}

impl<T> Response<T> {
    /// The same with another value.
    pub(crate) fn map<U>(mut self, change: impl FnOnce(T) -> U) -> Response<U> {
        self.request_id = RequestId::known(self.request_id().map(str::to_owned));
        self.with(change, |_, _| None)
    }

    /// The same with another value, in which this function looks for an id that is not known.
    pub(crate) fn with<U>(
        self,
        change: impl FnOnce(T) -> U,
        find: fn(&U, &HeaderMap) -> Option<String>,
    ) -> Response<U> {
        Response {
            value: change(self.value),
            request_id: RequestId {
                found: self.request_id.found,
                find,
            },
            status: self.status,
            headers: self.headers,
            body: self.body,
            received: self.received,
            attempts: self.attempts,
            elapsed: self.elapsed,
        }
    }

    /// The typed answer.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The typed answer, by value.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The service's id of the request, from the body or else from the header.
    pub fn request_id(&self) -> Option<&str> {
        let id = &self.request_id;
        looked_up(&id.found, &|| (id.find)(&self.value, &self.headers))
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers of the answer.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body of the answer, as it came: fields that this version does not know are in it.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// How many times the request was sent or tried to be sent, at least 1.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How long the call took, with all its attempts and pauses.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The output of the execution that the answer tells of, as a value.
    ///
    /// # Errors
    ///
    /// As [`Outcome::into_output`]; the error keeps request id and attempts.
    pub fn into_output<O: DeserializeOwned>(self) -> Result<O, Error>
    where
        T: Into<Outcome>,
    {
        Outcome::from(self).into_output()
    }
}

impl<T: Into<Outcome>> From<Response<T>> for Outcome {
    fn from(response: Response<T>) -> Self {
        let request_id = response.request_id().map(str::to_owned);
        let outcome = response.value.into().attempts(response.attempts);
        outcome.or_request_id(request_id)
    }
}

impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("value", &self.value)
            .field("request_id", &self.request_id())
            .field("status", &self.status)
            .field("attempts", &self.attempts)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}
