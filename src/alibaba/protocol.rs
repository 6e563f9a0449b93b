//! RPC: the operation is a parameter among others, all of them sorted and signed as they are sent.
//!
//! A write has them in a form body, so that no key id, token or signature stands in a URL, where
//! proxies log it; the vendor's Node client sends these operations so. What the metadata has as GET
//! has them in the query. Source: Alibaba Cloud, "Request structure and signature (RPC)".

use std::{
    borrow::Cow,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use url::Url;

use super::{credentials::Credentials, refusal};
use crate::{
    bits::hex,
    error::Error,
    payload::Payload,
    pipeline::{
        declared::{Entry, Family},
        json,
        operation::DecodeError,
        percent::{encoded_length, push_encoded},
        protocol::{Protocol, Refusal, Stamp, Told, digits, host},
        read,
        record::Fields,
        show,
        transport::{HttpRequest, Reply},
        words::Sensitive,
    },
};

const ACTION: HeaderName = HeaderName::from_static("x-acs-action");
const VERSION: HeaderName = HeaderName::from_static("x-acs-version");

/// One RPC product at one address.
#[derive(Clone, Debug)]
pub struct Rpc {
    endpoint: Url,
    /// None where it cannot be a header's value.
    host: Option<HeaderValue>,
    version: &'static str,
}

/// A request before it is signed.
pub struct Wire {
    action: Cow<'static, str>,
    method: Method,
    form: Mutex<Form>,
}

/// The caller's parameters, by name in sorted order, percent-encoded once the signing way.
#[derive(Default)]
pub(super) struct Form {
    /// Each with an `&` behind it.
    text: Vec<u8>,
    /// Each parameter's name, and where it begins.
    parameters: Vec<(Cow<'static, str>, usize)>,
    /// The last body that was made of it, in place of the text: inputs are large, and a call that
    /// waits for its answer holds them once.
    body: Bytes,
}

impl Form {
    /// With room for the text of so many bytes.
    fn with_capacity(length: usize, parameters: usize) -> Self {
        Self {
            text: Vec::with_capacity(length),
            parameters: Vec::with_capacity(parameters),
            body: Bytes::new(),
        }
    }

    /// Adds a parameter; the names must come in sorted order.
    pub(super) fn push(&mut self, name: impl Into<Cow<'static, str>>, value: &str) {
        let name = name.into();
        debug_assert!(self.parameters.last().is_none_or(|(last, _)| *last < name));
        let start = self.text.len();
        push_parameter(&mut self.text, &name, |text| push_encoded(text, value));
        self.parameters.push((name, start));
    }

    pub(super) fn push_some(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }
}

impl Form {
    /// A parameter's value as it is written.
    fn value(&self, name: &str) -> Option<&[u8]> {
        let text = match self.body.is_empty() {
            true => self.text.as_slice(),
            false => &self.body,
        };
        let mut parameters = text.split(|byte| *byte == b'&');
        parameters.find_map(|text| text.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    }

    /// Writes the text again, where a body has it.
    fn take_back(&mut self) {
        if self.body.is_empty() {
            return;
        }
        let names: Vec<_> = self
            .parameters
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        let mut again = Self::with_capacity(self.body.len(), names.len());
        for name in names {
            let start = again.text.len();
            let value = self.value(&name).unwrap_or_default();
            push_parameter(&mut again.text, &name, |text| text.extend_from_slice(value));
            again.parameters.push((name, start));
        }
        *self = again;
    }

    /// Keeps this body, in which all parameters are, in place of the text.
    fn keep(&mut self, body: &Bytes) {
        self.text = Vec::new();
        self.body = body.clone();
    }
}

fn push_parameter(text: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
    text.extend_from_slice(name.as_bytes());
    text.push(b'=');
    write(text);
    text.push(b'&');
}

impl Wire {
    pub(super) fn post(action: &'static str, form: Form) -> Self {
        Self {
            action: Cow::Borrowed(action),
            method: Method::POST,
            form: form.into(),
        }
    }

    /// A request of parameters that come in sorted order.
    pub(super) fn of<'a>(
        action: impl Into<Cow<'static, str>>,
        method: Method,
        parameters: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut form = Form::default();
        for (name, value) in parameters {
            form.push(name.to_owned(), value);
        }
        Self {
            action: action.into(),
            method,
            form: form.into(),
        }
    }

    /// Whether it is sent as what only reads.
    pub(super) fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    /// A parameter's value, as it was before it was encoded.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let form = self.form();
        let value = percent_encoding::percent_decode(form.value(name)?);
        Some(value.decode_utf8().ok()?.into_owned())
    }

    /// What the execution is given.
    pub(super) fn input(&self) -> Option<Payload> {
        self.parameter("Input").map(Payload::from_json)
    }

    fn form(&self) -> MutexGuard<'_, Form> {
        self.form.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wire({} {})", self.method, self.action)
    }
}

impl Family for Rpc {
    fn write(entry: &Entry, request: &dyn Fields) -> Result<Wire, Error> {
        let mut parameters = Vec::new();
        // Inputs are large, and room that grows is copied.
        let mut length = 0;
        for (member, value) in &show::with_defaults(request) {
            let value = value.to_text(member.wire)?;
            length += member.wire.len() + encoded_length(&value) + 2;
            parameters.push((member.wire, value));
        }
        parameters.sort_unstable_by_key(|(name, _)| *name);
        let mut form = Form::with_capacity(length, parameters.len());
        for (name, value) in &parameters {
            form.push(*name, value);
        }
        Ok(Wire {
            action: Cow::Borrowed(entry.name),
            method: entry.method.clone(),
            form: form.into(),
        })
    }

    fn read(reply: &Reply, answer: &mut dyn Fields) -> Result<(), DecodeError> {
        read::into(answer, &json::text(&reply.body))
            .map_err(|fault| refusal::instead(reply, fault.into()))
    }

    fn request_id_in(answer: &dyn Fields) -> Option<&str> {
        show::text(answer, "RequestId")
    }
}

/// All parameters of an attempt in the making: the common ones go between the caller's.
struct Canonical<'a> {
    text: Vec<u8>,
    own: &'a Form,
    /// How much of the caller's is written: parameters, and bytes of their text.
    written: (usize, usize),
}

impl Canonical<'_> {
    /// Adds a common parameter, and before it what sorts before it; the names must come in sorted
    /// order.
    fn push(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let (index, at) = self.written;
        let rest = &self.own.parameters[index..];
        let before = rest
            .iter()
            .take_while(|(own, _)| own.as_ref() < name)
            .count();
        let end = match rest.get(before) {
            Some((_, start)) => *start,
            None => self.own.text.len(),
        };
        self.text.extend_from_slice(&self.own.text[at..end]);
        self.written = (index + before, end);
        push_parameter(&mut self.text, name, write);
    }

    /// Adds one whose value has nothing to encode, or is encoded.
    fn push_plain(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.push(name, |text| text.extend_from_slice(value.as_ref()));
    }

    fn finish(mut self) -> Vec<u8> {
        self.text
            .extend_from_slice(&self.own.text[self.written.1..]);
        self.text.pop();
        self.text
    }
}

impl Rpc {
    pub(super) fn cloud_flow(endpoint: Url) -> Self {
        Self::at(endpoint, "2019-03-15")
    }

    pub(super) fn sts(endpoint: Url) -> Self {
        Self::at(endpoint, "2015-04-01")
    }

    fn at(endpoint: Url, version: &'static str) -> Self {
        Self {
            host: host(&endpoint),
            endpoint,
            version,
        }
    }

    /// The canonical query: what is signed and, with the signature behind it, sent.
    fn canonical(
        &self,
        action: &str,
        own: &Form,
        credential: Option<&Credentials>,
        stamp: &Stamp,
    ) -> Vec<u8> {
        let token = credential.and_then(|credential| credential.encoded_token.as_ref());
        let room = 448 + token.map_or(0, |token| token.bytes().len());
        let mut canonical = Canonical {
            text: Vec::with_capacity(own.text.len() + room),
            own,
            written: (0, 0),
        };
        if let Some(credential) = credential {
            canonical.push_plain("AccessKeyId", credential.encoded_id.bytes());
        }
        canonical.push_plain("Action", action);
        canonical.push_plain("Format", "JSON");
        if credential.is_some() {
            if let Some(token) = token {
                canonical.push_plain("SecurityToken", token.bytes());
            }
            canonical.push_plain("SignatureMethod", "HMAC-SHA1");
            canonical.push_plain("SignatureNonce", hex(&stamp.nonce));
            canonical.push_plain("SignatureVersion", "1.0");
        }
        // `yyyy-MM-ddTHH:mm:ssZ`, percent-encoded.
        let [century, year, month, day, hour, minute, second] = digits(stamp.now);
        canonical.push("Timestamp", |text| {
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
        canonical.push_plain("Version", self.version);
        canonical.finish()
    }
}

impl Protocol for Rpc {
    type Wire = Wire;
    type Credential = Credentials;
    const HAS_NONCE: bool = true;
    const CLOUD: &'static str = "alibaba";
    const OWN_HEADERS: &'static [&'static str] = &["x-acs-"];

    fn prepare(
        &self,
        wire: &Wire,
        credential: Option<&Credentials>,
        stamp: &Stamp,
    ) -> Result<HttpRequest, Error> {
        let mut form = wire.form();
        form.take_back();
        let mut sent = self.canonical(&wire.action, &form, credential, stamp);
        if let Some(credential) = credential {
            let signature = credential.key.sign(wire.method.as_str(), &sent);
            sent.extend_from_slice(b"&Signature=");
            push_encoded(&mut sent, &signature);
        }
        let mut headers = HeaderMap::with_capacity(8);
        let action = match &wire.action {
            Cow::Borrowed(action) => HeaderValue::from_static(action),
            Cow::Owned(action) => HeaderValue::from_str(action)
                .map_err(|_| Error::invalid("Action", "cannot be a header's value"))?,
        };
        if let Some(host) = &self.host {
            headers.insert(header::HOST, host.clone());
        }
        headers.insert(ACTION, action);
        headers.insert(VERSION, HeaderValue::from_static(self.version));
        let mut url = self.endpoint.clone();
        let body = match wire.method == Method::GET {
            true => {
                // All of it is ASCII.
                url.set_query(std::str::from_utf8(&sent).ok());
                Bytes::new()
            }
            false => {
                headers.insert(
                    header::CONTENT_TYPE,
                    HeaderValue::from_static("application/x-www-form-urlencoded"),
                );
                let body = sent.into();
                form.keep(&body);
                body
            }
        };
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

    fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    fn request_id(headers: &HeaderMap) -> Option<String> {
        refusal::request_id(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(nonce: u8) -> Stamp {
        Stamp {
            now: "2026-11-22T08:09:10Z".parse().unwrap(),
            nonce: [nonce; 16],
        }
    }

    /// A body is made of another body as it is made of the parameters themselves, and what the
    /// execution is given can be read from either.
    #[test]
    fn what_was_sent_takes_the_place_of_the_parameters() {
        let endpoint = Url::parse("https://cn-hangzhou.fnf.aliyuncs.com").unwrap();
        let rpc = Rpc::cloud_flow(endpoint);
        let input = r#"{"a&b=": "100% Grüße", "Input": "&Input=1"}"#;
        let parameters = [
            ("Act", "before `Action`"),
            ("Empty", ""),
            ("Flow", "a beginning of the next name"),
            ("FlowName", "f&Input=2"),
            ("Input", input),
            ("Zone", "last"),
        ];
        let wire = || Wire::of("StartExecution", Method::POST, parameters.into_iter());
        let temporary = Credentials::new("id/+", "secret").security_token("a token/+=");
        let lasting = Credentials::new("id", "other");
        let sent = wire();
        assert_eq!(sent.input().unwrap().as_str(), input);
        for (credential, nonce) in [
            (Some(&temporary), 1),
            (Some(&lasting), 2),
            (None, 3),
            (Some(&temporary), 4),
        ] {
            let again = rpc.prepare(&sent, credential, &stamp(nonce)).unwrap();
            let fresh = rpc.prepare(&wire(), credential, &stamp(nonce)).unwrap();
            assert_eq!(again.body, fresh.body);
            assert_eq!(sent.form().text.capacity(), 0);
            assert_eq!(sent.form().body.as_ptr(), again.body.as_ptr());
            assert_eq!(sent.input().unwrap().as_str(), input);
            assert_eq!(sent.parameter("FlowName").as_deref(), Some("f&Input=2"));
            assert_eq!(sent.parameter("Empty").as_deref(), Some(""));
            assert_eq!(sent.parameter("Zon"), None);
        }
    }
}
