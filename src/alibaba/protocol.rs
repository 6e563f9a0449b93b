//! RPC: the operation is a parameter, the common parameters stand in the query, the operation's
//! own in a form body.
//!
//! Source: Alibaba Cloud, "Request structure and signature (RPC)"; the layout is the one of the
//! newest official SDKs.

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use url::Url;

use super::{credentials::Credentials, refusal};
use crate::{
    error::Error,
    payload::{Secret, hex},
    pipeline::{
        percent::push_encoded,
        protocol::{Protocol, Refusal, Stamp, Told, digits},
        transport::{HttpRequest, Reply},
        words::Sensitive,
    },
};

const ACTION: HeaderName = HeaderName::from_static("x-acs-action");
const VERSION: HeaderName = HeaderName::from_static("x-acs-version");

/// One RPC product at one address.
#[derive(Debug)]
pub struct Rpc {
    endpoint: Url,
    version: &'static str,
}

/// A request before it is signed.
pub struct Wire {
    action: &'static str,
    method: Method,
    form: Form<Bytes>,
}

/// Parameters: percent-encoded once, the signing way, in sorted order.
pub(super) struct Form<T = Vec<u8>> {
    text: T,
    parameters: Vec<(&'static str, Range<usize>)>,
}

impl Default for Form {
    fn default() -> Self {
        Self::with_capacity(128)
    }
}

impl Form {
    /// With room for the text of so many bytes.
    pub(super) fn with_capacity(length: usize) -> Self {
        Self {
            text: Vec::with_capacity(length),
            parameters: Vec::with_capacity(10),
        }
    }

    /// Adds a parameter; the names must come in sorted order.
    pub(super) fn push(&mut self, name: &'static str, value: &str) {
        self.push_with(name, |text| push_encoded(text, value));
    }

    /// Adds a parameter whose value is written percent-encoded.
    fn push_with(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>)) {
        debug_assert!(self.parameters.last().is_none_or(|(last, _)| *last < name));
        if !self.text.is_empty() {
            self.text.push(b'&');
        }
        self.text.extend_from_slice(name.as_bytes());
        self.text.push(b'=');
        let start = self.text.len();
        write(&mut self.text);
        self.parameters.push((name, start..self.text.len()));
    }

    /// Adds a parameter whose value has nothing to encode.
    fn push_plain(&mut self, name: &'static str, value: &str) {
        self.push_with(name, |text| text.extend_from_slice(value.as_bytes()));
    }

    pub(super) fn push_some(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }
}

impl<T: AsRef<[u8]>> Form<T> {
    fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.parameters
            .iter()
            .map(|(name, range)| (*name, &self.text.as_ref()[range.clone()]))
    }
}

/// Now the text can be shared by all attempts.
impl From<Form> for Form<Bytes> {
    fn from(form: Form) -> Self {
        Self {
            text: form.text.into(),
            parameters: form.parameters,
        }
    }
}

impl Wire {
    pub(super) fn get(action: &'static str, form: Form) -> Self {
        Self {
            action,
            method: Method::GET,
            form: form.into(),
        }
    }

    pub(super) fn post(action: &'static str, form: Form) -> Self {
        Self {
            action,
            method: Method::POST,
            form: form.into(),
        }
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wire({} {})", self.method, self.action)
    }
}

impl Rpc {
    pub(super) fn cloud_flow(endpoint: Url) -> Self {
        Self {
            endpoint,
            version: "2019-03-15",
        }
    }

    pub(super) fn sts(endpoint: Url) -> Self {
        Self {
            endpoint,
            version: "2015-04-01",
        }
    }

    /// The common parameters without the signature.
    fn common(&self, wire: &Wire, credential: Option<&Credentials>, stamp: &Stamp) -> Form {
        let token = credential.and_then(|credential| credential.security_token.as_ref());
        let mut form = Form::with_capacity(384 + token.map_or(0, |token| token.expose().len()));
        if let Some(credential) = credential {
            form.push("AccessKeyId", &credential.access_key_id);
        }
        form.push_plain("Action", wire.action);
        form.push_plain("Format", "JSON");
        if credential.is_some() {
            form.push_some("SecurityToken", token.map(Secret::expose));
            form.push_plain("SignatureMethod", "HMAC-SHA1");
            form.push_with("SignatureNonce", |text| text.extend(hex(&stamp.nonce)));
            form.push_plain("SignatureVersion", "1.0");
        }
        // `yyyy-MM-ddTHH:mm:ssZ`, percent-encoded.
        let [century, year, month, day, hour, minute, second] = digits(stamp.now);
        form.push_with("Timestamp", |text| {
            text.extend_from_slice(&century);
            for (digits, end) in [
                (year, "-"),
                (month, "-"),
                (day, "T"),
                (hour, "%3A"),
                (minute, "%3A"),
                (second, "Z"),
            ] {
                text.extend_from_slice(&digits);
                text.extend_from_slice(end.as_bytes());
            }
        });
        form.push_plain("Version", self.version);
        form
    }
}

impl Protocol for Rpc {
    type Wire = Wire;
    type Credential = Credentials;
    const HAS_NONCE: bool = true;

    fn prepare(
        &self,
        wire: &Wire,
        credential: Option<&Credentials>,
        stamp: &Stamp,
    ) -> Result<HttpRequest, Error> {
        let common = self.common(wire, credential, stamp);
        let signature = credential.map(|credential| {
            let sorted = merge(common.iter(), wire.form.iter());
            credential.key.sign(wire.method.as_str(), sorted)
        });
        let mut query = common.text;
        if let Some(signature) = signature {
            query.extend_from_slice(b"&Signature=");
            push_encoded(&mut query, &signature);
        }

        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(ACTION, HeaderValue::from_static(wire.action));
        headers.insert(VERSION, HeaderValue::from_static(self.version));
        let body = if wire.method == Method::GET {
            if !wire.form.text.is_empty() {
                query.push(b'&');
                query.extend_from_slice(&wire.form.text);
            }
            Bytes::new()
        } else {
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/x-www-form-urlencoded"),
            );
            wire.form.text.clone()
        };
        let mut url = self.endpoint.clone();
        // All of it is ASCII.
        url.set_query(std::str::from_utf8(&query).ok());
        Ok(HttpRequest {
            method: wire.method.clone(),
            url,
            headers,
            body,
        })
    }

    fn refusal(
        &self,
        wire: &Wire,
        credential: Option<&Credentials>,
        stamp: &Stamp,
        reply: &Reply,
    ) -> Refusal {
        let sent = self.prepare(wire, credential, stamp).ok();
        refusal::of(sent.as_ref(), credential, stamp, reply)
    }

    fn sensitive(
        &self,
        sent: &HttpRequest,
        credential: Option<&Credentials>,
        sensitive: &mut Sensitive,
    ) {
        refusal::sensitive(sent, credential, sensitive);
    }

    fn told(&self, reply: &Reply) -> Told {
        refusal::told(reply)
    }

    fn request_id(&self, reply: &Reply) -> Option<String> {
        refusal::request_id(reply)
    }
}

/// Merges two lists that are sorted by name.
fn merge<'a, V: Copy>(
    left: impl Iterator<Item = (&'a str, V)>,
    right: impl Iterator<Item = (&'a str, V)>,
) -> impl Iterator<Item = (&'a str, V)> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some(l), Some(r)) if r.0 < l.0 => right.next(),
        (Some(_), _) => left.next(),
        (None, _) => right.next(),
    })
}
