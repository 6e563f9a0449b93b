//! RPC: the operation is a parameter, the common parameters stand in the query, the operation's
//! own in a form body.
//!
//! Source: Alibaba Cloud, "Request structure and signature (RPC)"; the layout is the one of the
//! newest official SDKs.

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::{credentials::Credentials, signature};
use crate::{
    error::{Error, ErrorCode, ErrorKind},
    payload::{Secret, hex},
    pipeline::{
        decode,
        operation::DecodeError,
        percent::push_encoded,
        protocol::{Protocol, Refusal, RefusalClass, Stamp, digits},
        retry::retry_after,
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
                let common = self.common(wire, credential, stamp);
                let sorted = merge(common.iter(), wire.form.iter());
                let echo = message.unwrap_or_default();
                signature::explain(wire.method.as_str(), sorted, &echo)
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
            may_lock: code.refuses_key(),
            code: Some(code),
            message,
            request_id,
            retry_after,
            class,
        }
    }

    fn request_id(&self, reply: &Reply) -> Option<String> {
        let id = reply.headers.get("x-acs-request-id")?.to_str().ok()?;
        (!id.is_empty()).then(|| id.to_owned())
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

/// Reads the body of a 2xx reply; one with a code and no result is that code.
pub(super) fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, DecodeError> {
    decode::object(&reply.body).map_err(|fault| match ErrorBody::read(&reply.body) {
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
        _ => DecodeError::Json(fault),
    })
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
