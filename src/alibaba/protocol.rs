//! RPC: the operation is a parameter among others, all of them sorted and signed as they are sent.
//!
//! A write has them in a form body, so that no key id, token or signature stands in a URL, where
//! proxies log it; the vendor's Node client sends these operations so. What the metadata has as GET
//! has them in the query. Source: Alibaba Cloud, "Request structure and signature (RPC)".

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::{credentials::Credentials, signature};
use crate::{
    error::{Error, ErrorCode, ErrorKind},
    payload::hex,
    pipeline::{
        declared::{Entry, Family},
        decode, json,
        operation::DecodeError,
        percent::{encoded_length, push_encoded},
        protocol::{Protocol, Refusal, RefusalClass, Stamp, digits},
        read,
        record::{Fields, Record},
        retry::retry_after,
        show,
        transport::{HttpRequest, Reply},
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
    form: Form,
}

/// Parameters: percent-encoded once, the signing way, in sorted order, each with an `&` behind it.
#[derive(Default)]
pub(super) struct Form {
    text: Vec<u8>,
    /// Each parameter's name, and where it begins.
    parameters: Vec<(&'static str, usize)>,
}

impl Form {
    /// With room for the text of so many bytes.
    fn with_capacity(length: usize, parameters: usize) -> Self {
        Self {
            text: Vec::with_capacity(length),
            parameters: Vec::with_capacity(parameters),
        }
    }

    /// Adds a parameter; the names must come in sorted order.
    pub(super) fn push(&mut self, name: &'static str, value: &str) {
        debug_assert!(self.parameters.last().is_none_or(|(last, _)| *last < name));
        self.parameters.push((name, self.text.len()));
        push_parameter(&mut self.text, name, |text| push_encoded(text, value));
    }

    pub(super) fn push_some(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.push(name, value);
        }
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
            action,
            method: Method::POST,
            form,
        }
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
        for (member, value) in show::present(request) {
            let value = value.into_text(member.wire)?;
            length += member.wire.len() + encoded_length(&value) + 2;
            parameters.push((member.wire, value));
        }
        parameters.sort_unstable_by_key(|(name, _)| *name);
        let mut form = Form::with_capacity(length, parameters.len());
        for (name, value) in &parameters {
            form.push(name, value);
        }
        Ok(Wire {
            action: entry.name,
            method: entry.method.clone(),
            form,
        })
    }

    fn read<T: Record>(reply: &Reply) -> Result<T, DecodeError> {
        read::record(&json::text(&reply.body)).map_err(|fault| coded(reply, fault.into()))
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
        let before = rest.iter().take_while(|(own, _)| *own < name).count();
        let end = match rest.get(before) {
            Some((_, start)) => *start,
            None => self.own.text.len(),
        };
        self.text.extend_from_slice(&self.own.text[at..end]);
        self.written = (index + before, end);
        push_parameter(&mut self.text, name, write);
    }

    /// Adds one whose value has nothing to encode.
    fn push_plain(&mut self, name: &str, value: &str) {
        self.push(name, |text| text.extend_from_slice(value.as_bytes()));
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

    /// The canonical query: what is signed and, with the signature behind it, sent.
    fn canonical(&self, wire: &Wire, credential: Option<&Credentials>, stamp: &Stamp) -> Vec<u8> {
        let token = credential.and_then(|credential| credential.security_token.as_ref());
        let room = 448 + token.map_or(0, |token| 2 * token.expose().len());
        let mut canonical = Canonical {
            text: Vec::with_capacity(wire.form.text.len() + room),
            own: &wire.form,
            written: (0, 0),
        };
        if let Some(credential) = credential {
            canonical.push("AccessKeyId", |text| {
                push_encoded(text, &credential.access_key_id);
            });
        }
        canonical.push_plain("Action", wire.action);
        canonical.push_plain("Format", "JSON");
        if credential.is_some() {
            if let Some(token) = token {
                canonical.push("SecurityToken", |text| push_encoded(text, token.expose()));
            }
            canonical.push_plain("SignatureMethod", "HMAC-SHA1");
            canonical.push("SignatureNonce", |text| text.extend(hex(&stamp.nonce)));
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

    fn prepare(
        &self,
        wire: &Wire,
        credential: Option<&Credentials>,
        stamp: &Stamp,
    ) -> Result<HttpRequest, Error> {
        let mut sent = self.canonical(wire, credential, stamp);
        if let Some(credential) = credential {
            let signature = credential.key.sign(wire.method.as_str(), &sent);
            sent.extend_from_slice(b"&Signature=");
            push_encoded(&mut sent, &signature);
        }
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(ACTION, HeaderValue::from_static(wire.action));
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
                sent.into()
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
        let body = ErrorBody::read(&reply.body);
        let asked = reply.headers.get("x-acs-retry-after");
        let asked = asked.and_then(|ms| ms.to_str().ok()?.trim().parse().ok());
        let retry_after = asked
            .map(Duration::from_millis)
            .or_else(|| retry_after(&reply.headers, stamp.now));
        let request_id = body.request_id.or_else(|| self.request_id(reply));
        let Some(code) = body.code else {
            return Refusal {
                code: None,
                kind: ErrorKind::of_status(reply.status),
                message: body.message.unwrap_or_else(|| reply.describe()),
                request_id,
                retry_after,
                class: RefusalClass::Uncoded,
                echoes: false,
                may_lock: false,
            };
        };
        let code = ErrorCode::from(code.as_str());
        let is_temporary = credential.is_some_and(|key| key.security_token.is_some());
        let class = match &code {
            code if code.is_throttling(reply.status) => RefusalClass::Throttled,
            ErrorCode::RequestTimeTooSkewed | ErrorCode::InvalidTimeStampExpired => {
                RefusalClass::Clock
            }
            ErrorCode::InvalidSecurityTokenExpired => RefusalClass::CredentialAged,
            ErrorCode::InvalidAccessKeyID if is_temporary => RefusalClass::CredentialAged,
            ErrorCode::ConcurrentUpdateError | ErrorCode::TaskInvalidState => {
                RefusalClass::Conflict
            }
            ErrorCode::SignatureNonceUsed => RefusalClass::NonceUsed,
            _ => RefusalClass::Coded,
        };
        let message = match (&code, body.message) {
            // The gateway echoes what it signed, and with it input and tokens.
            (ErrorCode::SignatureDoesNotMatch, message) => {
                let ours = self.canonical(wire, credential, stamp);
                let echo = message.unwrap_or_default();
                signature::explain(wire.method.as_str(), &ours, &echo)
            }
            // The product's own code echoes nothing.
            (ErrorCode::SignatureNotMatch, message) => format!(
                "{} (check that the access key secret belongs to this access key id, and that \
                 nothing on the way changes the request)",
                message.unwrap_or_default().trim_end()
            ),
            (_, Some(message)) => message,
            (_, None) => reply.describe(),
        };
        Refusal {
            kind: code.kind(reply.status),
            echoes: code == ErrorCode::SignatureDoesNotMatch,
            may_lock: true,
            code: Some(code),
            message,
            request_id,
            retry_after,
            class,
        }
    }

    fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    fn request_id(&self, reply: &Reply) -> Option<String> {
        let id = reply.headers.get("x-acs-request-id")?.to_str().ok()?;
        (!id.is_empty()).then(|| id.to_owned())
    }
}

/// Reads the body of a 2xx reply; one with a code and no result is that code.
pub(super) fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, DecodeError> {
    decode::object(&reply.body).map_err(|fault| coded(reply, fault.into()))
}

/// What is wrong with the body of a 2xx reply that is no answer: a code, or else this fault.
fn coded(reply: &Reply, fault: DecodeError) -> DecodeError {
    match ErrorBody::read(&reply.body) {
        ErrorBody {
            code: Some(code),
            message,
            ..
        } => {
            let code = ErrorCode::from(code.as_str());
            let echoes = code == ErrorCode::SignatureDoesNotMatch;
            let message = message.filter(|_| !echoes);
            DecodeError::Code {
                code,
                message: message.unwrap_or_else(|| "an answer with a code and no result".into()),
                echoes,
            }
        }
        _ => fault,
    }
}

/// What error bodies hold, in any of their shapes.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    /// A number there is a proxy's word, not the service's.
    #[serde(
        rename = "Code",
        alias = "code",
        deserialize_with = "decode::strict_text"
    )]
    code: Option<String>,
    #[serde(
        rename = "Message",
        alias = "message",
        deserialize_with = "decode::text"
    )]
    message: Option<String>,
    #[serde(
        rename = "RequestId",
        alias = "requestId",
        deserialize_with = "decode::text"
    )]
    request_id: Option<String>,
}

impl ErrorBody {
    fn read(body: &[u8]) -> Self {
        if let Ok(body) = decode::object(body) {
            return body;
        }
        // XML is what the gateway writes when it did not get as far as reading `Format`.
        let text = String::from_utf8_lossy(body);
        if !text.contains("<Error>") {
            return Self::default();
        }
        Self {
            code: xml_element(&text, "Code"),
            message: xml_element(&text, "Message"),
            request_id: xml_element(&text, "RequestId"),
        }
    }
}

/// The text of the first element of this name.
fn xml_element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&");
    (!text.is_empty()).then_some(text)
}
