//! Operations that this crate does not declare.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use http::Method;

use super::{
    Client,
    protocol::{Rpc, Wire},
    refusal,
};
use crate::{
    error::Error,
    payload::Payload,
    pipeline::{
        answer::Settled,
        call::Call,
        json,
        operation::{
            DecodeError, Encoded, EncodedFor, Exchange, Operation, Outcome, Replay, Sent, Timeouts,
        },
        transport::Reply,
        undeclared,
    },
};

/// An operation of CloudFlow that this crate has no request type for: its name and parameters.
/// [`Client::undeclared`] sends it; an example stands there.
///
/// It is a read or a change, which decides how it is sent and what is repeated. `Debug` shows the
/// names of its parameters, not their values.
#[derive(Clone)]
#[must_use = "it is sent by `Client::undeclared`"]
pub struct Undeclared {
    action: String,
    method: Method,
    replay: Replay,
    /// Sorted, as they are signed.
    parameters: BTreeMap<String, String>,
}

/// What the client writes itself, or what would change how a request is signed and read.
const RESERVED: [&str; 12] = [
    "AccessKeyId",
    "Action",
    "BearerToken",
    "Format",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureType",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

impl Undeclared {
    /// An operation that changes nothing: a signed `GET` with the parameters in the address, sent
    /// again whatever happened.
    pub fn read(action: impl Into<String>) -> Self {
        Self::new(action.into(), Method::GET, Replay::Repeatable)
    }

    /// An operation that changes something: a signed `POST` with the parameters in its body, sent
    /// again only where the service certainly did not carry it out.
    pub fn change(action: impl Into<String>) -> Self {
        Self::new(action.into(), Method::POST, Replay::Once)
    }

    fn new(action: String, method: Method, replay: Replay) -> Self {
        Self {
            action,
            method,
            replay,
            parameters: BTreeMap::new(),
        }
    }

    /// Adds a parameter; the last of one name counts. Structures are given as the service wants
    /// them: JSON text, or numbered names such as `Tag.1.Key`.
    ///
    /// What the client writes itself (`Action`, `Version`, `Signature` and the like) is refused by
    /// the call, and so is a name with anything but letters, digits, `.`, `_` and `-`.
    pub fn param(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.parameters.insert(name.into(), value.to_string());
        self
    }

    /// Says that sending it twice does no more than sending it once: a change is then sent again
    /// whatever happened, as a read is.
    pub fn idempotent(mut self) -> Self {
        self.replay = Replay::Repeatable;
        self
    }

    fn has_action(&self) -> bool {
        (1..=128).contains(&self.action.len())
            && self.action.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }
}

impl fmt::Debug for Undeclared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undeclared")
            .field("action", &self.action)
            .field("method", &self.method)
            .field("replay", &self.replay)
            .field("parameters", &self.parameters.keys())
            .finish()
    }
}

impl Operation for Undeclared {
    type Output = Payload;
}

impl Exchange for Undeclared {
    type Protocol = Rpc;
    type Answer = Payload;

    fn name(&self) -> Cow<'static, str> {
        match self.has_action() {
            true => self.action.clone().into(),
            false => "Undeclared".into(),
        }
    }

    fn encode(self) -> Result<EncodedFor<Self>, Error> {
        if !self.has_action() {
            return Err(Error::invalid(
                "Action",
                "must be 1 to 128 letters and digits",
            ));
        }
        for name in self.parameters.keys() {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if name.is_empty() || !name.bytes().all(is_plain) {
                return Err(Error::invalid(
                    "parameter",
                    "its name must have letters, digits, ., _ and -, and nothing else",
                ));
            }
            if RESERVED.iter().any(|own| own.eq_ignore_ascii_case(name)) {
                return Err(Error::invalid(name, "is written by the client itself"));
            }
        }
        let parameters = self.parameters.iter();
        let parameters = parameters.map(|(name, value)| (name.as_str(), value.as_str()));
        Ok(Encoded {
            wire: Wire::of(self.action, self.method, parameters),
            replay: self.replay,
            limits: Timeouts::SHORT,
            subject: None,
        })
    }

    fn decode(reply: &Reply) -> Result<Payload, DecodeError> {
        undeclared::answer(reply, |fault| refusal::instead(reply, fault))
    }

    fn request_id(answer: &Payload) -> Option<&str> {
        let object = json::Object::read(answer.as_str()).ok()?;
        match object.get("RequestId")?.string()? {
            Cow::Borrowed(id) => Some(id),
            Cow::Owned(_) => None,
        }
    }

    fn settle<'a>(
        _answer: &'a mut Option<Payload>,
        outcome: Outcome<()>,
        sent: Sent<'a, Rpc>,
    ) -> Settled<'a> {
        Settled::Known(undeclared::settle(outcome, sent.wire.is_read()))
    }
}

impl Client {
    /// Calls an operation that this crate does not declare: tomorrow's, or one that has nothing to
    /// do with flows.
    ///
    /// It is a call like any other: signed, limited in time, repeated as far as it is a read or
    /// said to be [`idempotent`](Undeclared::idempotent), traced, its errors told in the same
    /// words. It goes to the client's own address. The answer is the JSON text that came, empty
    /// where nothing came. An answer with HTTP 200 that has a documented error code as its `Code`
    /// is that error.
    ///
    /// Nobody here knows what such a change does: where its answer is lost,
    /// [`Error::may_have_started`] is true.
    ///
    /// # Errors
    ///
    /// As all calls; [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), before
    /// anything is sent, where the operation or a parameter has a name that cannot be one.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, Undeclared};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let list = Undeclared::read("ListNewThings").param("FlowName", "order").param("Limit", 10);
    /// let things: serde_json::Value = client.undeclared(list).send().await?.parse()?;
    ///
    /// let rename = Undeclared::change("RenameThing").param("Name", "a").idempotent();
    /// client.undeclared(rename).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn undeclared(&self, request: Undeclared) -> Call<Undeclared> {
        Call::new(self.shared(), request)
    }
}
