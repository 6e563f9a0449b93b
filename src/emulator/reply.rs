//! Answers on their way out.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};
use serde_json::json;
use tokio::time::Sleep;

use super::id;

/// How long a cut waits: hyper has to send what it was given before it learns of the cut.
const CUT_DELAY: Duration = Duration::from_millis(10);

/// A whole answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut reply = Self {
            status,
            headers: HeaderMap::new(),
            body: body.into(),
        };
        reply.set(header::CONTENT_TYPE, content_type);
        reply
    }

    /// JSON, with the request id in a header.
    pub(crate) fn json(status: StatusCode, request_id: &str, body: &serde_json::Value) -> Self {
        Self::json_text(status, request_id, body.to_string())
    }

    /// The same of JSON text, which stays as it is.
    pub(crate) fn json_text(status: StatusCode, request_id: &str, body: String) -> Self {
        let mut reply = Self::new(status, "application/json;charset=utf-8", body);
        reply.set(HeaderName::from_static("x-request-id"), request_id);
        reply
    }

    /// Huawei Cloud's flat error, also of its gateway.
    pub(crate) fn flat_error(status: StatusCode, code: &str, message: &str) -> Self {
        let request_id = id::hex();
        let body = json!({"error_code": code, "error_msg": message, "request_id": request_id});
        Self::json(status, &request_id, &body)
    }

    /// What is served nowhere.
    pub(crate) fn no_such_api() -> Self {
        let message = "The API does not exist or has not been published in the environment.";
        Self::flat_error(StatusCode::NOT_FOUND, "APIGW.0101", message)
    }

    /// Sets a header; what is no header value is left out.
    pub(crate) fn set(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }

    /// For hyper: the whole answer, or its head and the first bytes of the body.
    pub(crate) fn into_response(mut self, part: Option<Part>) -> Response<ReplyBody> {
        let (mut data, mut tail) = (self.body, Tail::End);
        self.headers
            .insert(header::CONTENT_LENGTH, HeaderValue::from(data.len()));
        if let Some(part) = part
            && part.bytes < data.len()
        {
            data.truncate(part.bytes);
            tail = if part.stall {
                Tail::Silence
            } else {
                Tail::Cut(None)
            };
        }
        let mut response = Response::new(ReplyBody { data, tail });
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// How much of a body is sent, and whether the connection stays open after it.
pub(crate) struct Part {
    pub(crate) bytes: usize,
    pub(crate) stall: bool,
}

pub(crate) struct ReplyBody {
    data: Bytes,
    tail: Tail,
}

enum Tail {
    End,
    Silence,
    Cut(Option<Pin<Box<Sleep>>>),
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if !self.data.is_empty() {
            let data = std::mem::take(&mut self.data);
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match &mut self.tail {
            Tail::End => Poll::Ready(None),
            Tail::Silence => Poll::Pending,
            Tail::Cut(sleep) => {
                let sleep = sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(CUT_DELAY)));
                ready!(sleep.as_mut().poll(context));
                Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && matches!(self.tail, Tail::End)
    }

    fn size_hint(&self) -> SizeHint {
        match self.tail {
            Tail::End => SizeHint::with_exact(self.data.len() as u64),
            // The head promises more than comes.
            Tail::Silence | Tail::Cut(_) => SizeHint::default(),
        }
    }
}
