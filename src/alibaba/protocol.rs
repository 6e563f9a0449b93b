//! RPC: the operation is a parameter, the common parameters stand in the query, the operation's
//! own in a form body.
//!
//! Source: Alibaba Cloud, "Request structure and signature (RPC)"; the layout is the one of the
//! newest official SDKs.

use std::{fmt::Write as _, ops::Range, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use http::{HeaderMap, HeaderValue, Method, header};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::{credentials::Credentials, signature};
use crate::{
    error::{Error, ErrorCode, ErrorKind},
    payload::push_hex,
    pipeline::{
        decode,
        operation::DecodeError,
        protocol::{Protocol, Refusal, RefusalClass, Stamp},
        retry::retry_after,
        transport::{HttpRequest, Reply},
    },
};

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

/// The operation's own parameters: percent-encoded once, the signing way, in sorted order.
#[derive(Default)]
pub(super) struct Form {
    text: String,
    parameters: Vec<(&'static str, Range<usize>)>,
}

impl Form {
    /// Adds a parameter; the names must come in sorted order.
    pub(super) fn push(&mut self, name: &'static str, value: &str) {
        debug_assert!(self.parameters.last().is_none_or(|(last, _)| *last < name));
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.text.push_str(name);
        self.text.push('=');
        let start = self.text.len();
        signature::push_encoded(&mut self.text, value);
        self.parameters.push((name, start..self.text.len()));
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters
            .iter()
            .map(|(name, range)| (*name, &self.text[range.clone()]))
    }

    pub(super) fn push_some(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }
}

impl Wire {
    pub(super) fn get(action: &'static str, form: Form) -> Self {
        Self {
            action,
            method: Method::GET,
            form,
        }
    }

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

    /// The common parameters, percent-encoded, in sorted order, without the signature.
    fn common<'a>(
        &self,
        wire: &Wire,
        credential: Option<&'a Credentials>,
        stamp: &Stamp,
        encoded: &'a mut String,
    ) -> Vec<(&'static str, &'a str)> {
        let mut marks = Vec::with_capacity(10);
        let mut push = |name: &'static str, encode: &mut dyn FnMut(&mut String)| {
            let start = encoded.len();
            encode(encoded);
            marks.push((name, start..encoded.len()));
        };
        if let Some(credential) = credential {
            push("AccessKeyId", &mut |out| {
                signature::push_encoded(out, &credential.access_key_id);
            });
        }
        push("Action", &mut |out| out.push_str(wire.action));
        push("Format", &mut |out| out.push_str("JSON"));
        if let Some(credential) = credential {
            if let Some(token) = &credential.security_token {
                push("SecurityToken", &mut |out| {
                    signature::push_encoded(out, token.expose());
                });
            }
            push("SignatureMethod", &mut |out| out.push_str("HMAC-SHA1"));
            push("SignatureNonce", &mut |out| push_hex(out, &stamp.nonce));
            push("SignatureVersion", &mut |out| out.push_str("1.0"));
        }
        push("Timestamp", &mut |out| push_timestamp(out, stamp.now));
        push("Version", &mut |out| out.push_str(self.version));
        let encoded = &*encoded;
        marks
            .into_iter()
            .map(|(name, range)| (name, &encoded[range]))
            .collect()
    }
}

impl Protocol for Rpc {
    type Wire = Wire;
    type Credential = Credentials;

    fn prepare(
        &self,
        wire: &Wire,
        credential: Option<&Credentials>,
        stamp: &Stamp,
    ) -> Result<HttpRequest, Error> {
        let mut encoded = String::with_capacity(256);
        let common = self.common(wire, credential, stamp, &mut encoded);

        let mut query = String::with_capacity(encoded_length(&common) + 64);
        for (name, value) in &common {
            if !query.is_empty() {
                query.push('&');
            }
            let _ = write!(query, "{name}={value}");
        }
        if let Some(credential) = credential {
            let sorted = merge(common.iter().copied(), wire.form.iter());
            let signature = credential.key.sign(wire.method.as_str(), sorted);
            query.push_str("&Signature=");
            signature::push_encoded(&mut query, &signature);
        }

        let mut headers = HeaderMap::with_capacity(4);
        headers.insert("x-acs-action", HeaderValue::from_static(wire.action));
        headers.insert("x-acs-version", HeaderValue::from_static(self.version));
        let mut url = self.endpoint.clone();
        let body = if wire.method == Method::GET {
            if !wire.form.text.is_empty() {
                query.push('&');
                query.push_str(&wire.form.text);
            }
            Bytes::new()
        } else {
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/x-www-form-urlencoded"),
            );
            Bytes::copy_from_slice(wire.form.text.as_bytes())
        };
        url.set_query(Some(&query));
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
                let mut encoded = String::new();
                let common = self.common(wire, credential, stamp, &mut encoded);
                let sorted = merge(common.iter().copied(), wire.form.iter());
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
            may_lock: true,
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
fn merge<'a>(
    left: impl Iterator<Item = (&'a str, &'a str)>,
    right: impl Iterator<Item = (&'a str, &'a str)>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some(l), Some(r)) if r.0 < l.0 => right.next(),
        (Some(_), _) => left.next(),
        (None, _) => right.next(),
    })
}

fn encoded_length(parameters: &[(&str, &str)]) -> usize {
    parameters
        .iter()
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum()
}

/// `yyyy-MM-ddTHH:mm:ssZ`, percent-encoded.
fn push_timestamp(out: &mut String, time: DateTime<Utc>) {
    let _ = write!(
        out,
        "{:04}-{:02}-{:02}T{:02}%3A{:02}%3A{:02}Z",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
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
