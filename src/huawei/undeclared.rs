//! Operations that this crate does not declare.

use std::{borrow::Cow, fmt};

use http::Method;
use serde::Serialize;

use super::{
    Client,
    protocol::{Rest, Wire},
    refusal,
};
use crate::{
    error::Error,
    payload::{Payload, is_json},
    pipeline::{
        answer::Settled,
        call::Call,
        operation::{
            DecodeError, Encoded, EncodedFor, Exchange, Operation, Outcome, Replay, Sent, Timeouts,
        },
        transport::Reply,
        undeclared,
    },
};

/// An operation of FunctionGraph that this crate has no request type for: a method, a path below
/// `/v2/{project_id}`, a query, a body. [`Client::undeclared`] sends it; an example stands there.
///
/// It is a read or a change, which decides what is repeated. `Debug` shows method, path and the
/// names of the query, no values and no body.
#[derive(Clone)]
#[must_use = "it is sent by `Client::undeclared`"]
pub struct Undeclared {
    method: Method,
    path: Vec<String>,
    replay: Replay,
    query: Vec<(String, String)>,
    body: Option<Payload>,
}

impl Undeclared {
    /// An operation that changes nothing: a `GET` at a path, given segment by segment without
    /// `/v2/{project_id}`, such as `["fgs", "workflows", id]`. It is sent again whatever happened.
    ///
    /// Each segment is percent-encoded. One that is empty, `.` or `..`, or holds `/`, `\` or a
    /// control character is refused by the call.
    pub fn read<S: Into<String>>(path: impl IntoIterator<Item = S>) -> Self {
        Self::new(Method::GET, path, Replay::Repeatable)
    }

    /// An operation that changes something, by `POST`, `PUT`, `PATCH` or `DELETE` at a path as
    /// [`read`](Self::read) takes it. It is sent again only where the service certainly did not
    /// carry it out.
    pub fn change<S: Into<String>>(method: Method, path: impl IntoIterator<Item = S>) -> Self {
        Self::new(method, path, Replay::Once)
    }

    fn new<S: Into<String>>(
        method: Method,
        path: impl IntoIterator<Item = S>,
        replay: Replay,
    ) -> Self {
        Self {
            method,
            path: path.into_iter().map(Into::into).collect(),
            replay,
            query: Vec::new(),
            body: None,
        }
    }

    /// Adds a pair to the query; both are percent-encoded.
    pub fn query(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// The body of a change. Takes a value and serialises it at once; a failure is reported by the
    /// call.
    pub fn body(mut self, value: impl Serialize) -> Self {
        self.body = Some(Payload::from_value(&value));
        self
    }

    /// The body of a change. Takes JSON text, which is sent as it is.
    pub fn body_json(mut self, text: impl Into<String>) -> Self {
        self.body = Some(Payload::from_json(text));
        self
    }

    /// Says that sending it twice does no more than sending it once: a change is then sent again
    /// whatever happened, as a read is.
    pub fn idempotent(mut self) -> Self {
        self.replay = Replay::Repeatable;
        self
    }

    fn is_change(&self) -> bool {
        let changing = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        changing.contains(&self.method)
    }
}

impl fmt::Debug for Undeclared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.query.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Undeclared")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("replay", &self.replay)
            .field("query", &names)
            .field("body", &self.body)
            .finish()
    }
}

impl Operation for Undeclared {
    type Output = Payload;
}

impl Exchange for Undeclared {
    type Protocol = Rest;
    type Answer = Payload;

    /// The method alone: a path holds ids, and whoever counts calls by name wants few names.
    fn name(&self) -> Cow<'static, str> {
        match self.method {
            Method::GET => "Undeclared GET",
            Method::POST => "Undeclared POST",
            Method::PUT => "Undeclared PUT",
            Method::PATCH => "Undeclared PATCH",
            Method::DELETE => "Undeclared DELETE",
            _ => "Undeclared",
        }
        .into()
    }

    fn encode(self) -> Result<EncodedFor<Self>, Error> {
        let is_read = self.method == Method::GET && self.replay == Replay::Repeatable;
        if !is_read && !self.is_change() {
            let rule = "must be POST, PUT, PATCH or DELETE for a change";
            return Err(Error::invalid("method", rule));
        }
        if self.path.is_empty() {
            return Err(Error::invalid("path", "is empty"));
        }
        let body = match self.body {
            None => String::new(),
            Some(_) if is_read => {
                return Err(Error::invalid("body", "a read has none"));
            }
            Some(body) if body.has_fault() || !is_json(body.as_str()) => {
                return Err(Error::invalid("body", "must be JSON"));
            }
            Some(body) => body.into(),
        };
        Ok(Encoded {
            wire: Wire::in_project(self.method, &self.path, &self.query, body.into())?,
            replay: self.replay,
            limits: Timeouts::SHORT,
            subject: None,
        })
    }

    fn decode(reply: &Reply) -> Result<Payload, DecodeError> {
        undeclared::answer(reply, |fault| {
            refusal::instead(reply, refusal::Service::FunctionGraph, fault)
        })
    }

    fn settle<'a>(
        _answer: &'a mut Option<Payload>,
        outcome: Outcome<()>,
        sent: Sent<'a, Rest>,
    ) -> Settled<'a> {
        Settled::Known(undeclared::settle(outcome, sent.wire.is_read()))
    }
}

impl Client {
    /// Calls an operation that this crate does not declare: tomorrow's, or one that has nothing to
    /// do with flows.
    ///
    /// It is a call like any other: authenticated, limited in time, repeated as far as it is a read
    /// or said to be [`idempotent`](Undeclared::idempotent), traced, its errors told in the same
    /// words. It goes to the client's own address and project. The answer is the JSON text that
    /// came, empty where nothing came. An answer with HTTP 2xx that has a documented error code in
    /// a code's place is that error.
    ///
    /// Nobody here knows what such a change does: where its answer is lost,
    /// [`Error::may_have_started`] is true.
    ///
    /// # Errors
    ///
    /// As all calls; [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), before
    /// anything is sent, where path, method or body cannot be sent.
    ///
    /// ```no_run
    /// use cloud_workflows::{http::Method, huawei::{Client, Undeclared}};
    ///
    /// # async fn example(client: Client, id: &str) -> Result<(), cloud_workflows::Error> {
    /// let list = Undeclared::read(["fgs", "workflows", id, "tags"]).query("limit", 10);
    /// let tags: serde_json::Value = client.undeclared(list).send().await?.parse()?;
    ///
    /// let set = Undeclared::change(Method::PUT, ["fgs", "workflows", id, "tags"])
    ///     .body(tags)
    ///     .idempotent();
    /// client.undeclared(set).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn undeclared(&self, request: Undeclared) -> Call<Undeclared> {
        Call::new(&self.pipeline, request)
    }
}
