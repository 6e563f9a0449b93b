//! What an answer says that is no result: codes, messages, ids, in whatever shape they come.
//!
//! Source: Alibaba Cloud, "Common error codes" and "Request structure and signature (RPC)".

mod echo;
mod xml;

use std::{borrow::Cow, time::Duration};

use http::HeaderMap;
use percent_encoding::percent_decode;

use super::credentials::Credentials;
use crate::{
    error::{ErrorCode, ErrorKind},
    payload::Secret,
    pipeline::{
        json,
        operation::DecodeError,
        protocol::{Coded, Refusal, RefusalClass, Stamp, Told},
        retry::retry_after,
        transport::{HttpRequest, Reply},
        words::Sensitive,
    },
};

/// Reads a reply that is not 2xx.
pub(super) fn of(
    sent: Option<&HttpRequest>,
    credential: Option<&Credentials>,
    stamp: &Stamp,
    reply: &Reply,
) -> Refusal {
    let body = ErrorBody::read(reply);
    let asked = reply.headers.get("x-acs-retry-after");
    let asked = asked.and_then(|ms| ms.to_str().ok()?.trim().parse().ok());
    let retry_after = asked
        .map(Duration::from_millis)
        .or_else(|| retry_after(&reply.headers, stamp.now));
    let verdict = verdict(sent, body.message.as_deref());
    let message = body.message.clone().unwrap_or_else(|| reply.describe());
    let request_id = body
        .request_id
        .clone()
        .or_else(|| request_id(&reply.headers));
    let Some(code) = body.code(reply) else {
        return Refusal {
            code: None,
            kind: ErrorKind::of_status(reply.status),
            message: with_verdict(message, verdict),
            request_id,
            retry_after,
            class: RefusalClass::Uncoded,
            may_lock: false,
        };
    };
    let is_temporary = credential.is_some_and(|key| key.security_token.is_some());
    let class = match &code {
        code if code.is_throttling(reply.status) => RefusalClass::Throttled,
        ErrorCode::RequestTimeTooSkewed | ErrorCode::InvalidTimeStampExpired => RefusalClass::Clock,
        ErrorCode::InvalidSecurityTokenExpired => RefusalClass::CredentialAged,
        ErrorCode::InvalidAccessKeyID if is_temporary => RefusalClass::CredentialAged,
        ErrorCode::ConcurrentUpdateError | ErrorCode::TaskInvalidState => RefusalClass::Conflict,
        ErrorCode::SignatureNonceUsed => RefusalClass::NonceUsed,
        _ => RefusalClass::Coded,
    };
    Refusal {
        kind: code.kind(reply.status),
        may_lock: code.refuses_key(),
        message: explained(&code, message, verdict),
        code: Some(code),
        request_id,
        retry_after,
        class,
    }
}

/// What the code's message is, with what its echo tells.
fn explained(code: &ErrorCode, message: String, verdict: Option<echo::Verdict>) -> String {
    match code {
        // All that the message has to say is what was signed.
        ErrorCode::SignatureDoesNotMatch => echo::of_mismatch(verdict.as_ref()),
        // The product's own code echoes nothing.
        ErrorCode::SignatureNotMatch if verdict.is_none() => format!(
            "{} (check that the access key secret belongs to this access key id, and that nothing \
             on the way changes the request)",
            message.trim_end()
        ),
        _ => with_verdict(message, verdict),
    }
}

fn with_verdict(message: String, verdict: Option<echo::Verdict>) -> String {
    match verdict {
        Some(verdict) => format!("{} ({verdict})", message.trim_end()),
        None => message,
    }
}

/// What the signed text in a message, if there is one, tells beside ours.
fn verdict(sent: Option<&HttpRequest>, message: Option<&str>) -> Option<echo::Verdict> {
    let (sent, message) = (sent?, message?);
    let mut ours: Vec<(&str, &str)> = wire_parameters(sent)
        .filter(|(name, _)| *name != "Signature")
        .collect();
    ours.sort_unstable();
    echo::compare(sent.method.as_str(), &ours, message)
}

/// The parameters of query and form, percent-encoded.
fn wire_parameters(sent: &HttpRequest) -> impl Iterator<Item = (&str, &str)> {
    let form = std::str::from_utf8(&sent.body).unwrap_or_default();
    [sent.url.query().unwrap_or_default(), form]
        .into_iter()
        .flat_map(|text| text.split('&'))
        .filter_map(|pair| pair.split_once('='))
}

/// What of a request no word may repeat. By the parameters' names, wherever they stand.
pub(super) fn sensitive(
    sent: &HttpRequest,
    credential: Option<&Credentials>,
    sensitive: &mut Sensitive,
) {
    if let Some(key) = credential {
        sensitive.secret(&key.access_key_id);
        sensitive.secret(key.access_key_secret.expose());
        sensitive.secret(key.security_token.as_ref().map_or("", Secret::expose));
    }
    for (name, value) in wire_parameters(sent) {
        let value: Cow<'_, [u8]> = percent_decode(value.as_bytes()).into();
        // Operations that nobody declared have other names for secrets.
        let is_secret = matches!(name, "AccessKeyId" | "Signature" | "ExternalId")
            || ["Password", "Secret"]
                .iter()
                .any(|word| name.contains(word))
            || (name.ends_with("Token") && name != "NextToken");
        let is_data = matches!(
            name,
            "Input" | "Output" | "Payload" | "Policy" | "Definition" | "Environment" | "Cause"
        ) || value.starts_with(b"{");
        if is_secret {
            sensitive.secret(value);
        } else if is_data {
            sensitive.data(value);
        }
    }
}

/// What a 2xx body tells of its request, even where it is no answer.
pub(super) fn told(reply: &Reply) -> Told {
    let text = json::text(&reply.body);
    let object = json::Object::read_cut(&text);
    let text = |name| {
        object
            .get(name)
            .and_then(json::Raw::text)
            .map(Cow::into_owned)
    };
    Told {
        request_id: text("RequestId").or_else(|| request_id(&reply.headers)),
        execution_name: text("Name"),
        execution_id: None,
    }
}

/// The request id in the headers.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-acs-request-id")?;
    let id = String::from_utf8_lossy(id.as_bytes());
    (!id.is_empty()).then(|| id.into_owned())
}

/// The code in a 2xx body that is no answer, else why it is none.
pub(super) fn instead(reply: &Reply, fault: DecodeError) -> DecodeError {
    let body = ErrorBody::read(reply);
    match body.code(reply) {
        Some(code) => DecodeError::Code(Coded {
            code,
            message: body.message,
            request_id: body.request_id,
        }),
        None => fault,
    }
}

/// What error bodies hold, in any of their shapes.
#[derive(Default)]
struct ErrorBody {
    /// A number there is a proxy's word, not the service's.
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
    /// Whether something stands in it that only the vendor's gateways write.
    is_marked: bool,
}

impl ErrorBody {
    fn read(reply: &Reply) -> Self {
        let text = json::text(&reply.body);
        let body = Self::of_text(&text);
        if body.code.is_some() || std::str::from_utf8(&reply.body).is_ok() {
            return body;
        }
        Self::of_text(&json::text(&json::without_pairs(&reply.body)))
    }

    fn of_text(text: &str) -> Self {
        match text.trim_ascii_start().as_bytes().first() {
            Some(b'{') => Self::of_json(&json::Object::read_cut(text)),
            // XML is what the gateway writes when it did not get as far as reading `Format`.
            Some(b'<') => Self::of_xml(text),
            _ => Self::default(),
        }
    }

    fn of_json(object: &json::Object<'_>) -> Self {
        // Of several spellings, the first that is of use.
        let text = |name: &str| {
            let spellings = object
                .iter()
                .filter(|(key, _)| key.eq_ignore_ascii_case(name));
            let mut texts = spellings.filter_map(|(_, value)| value.text());
            texts.next().map(Cow::into_owned)
        };
        let code = || {
            let spellings = object
                .iter()
                .filter(|(key, _)| key.eq_ignore_ascii_case("Code"));
            let mut texts = spellings.filter_map(|(_, value)| value.string());
            texts.find(|text| !text.is_empty()).map(Cow::into_owned)
        };
        let request_id = text("RequestId");
        Self {
            code: code(),
            message: text("Message"),
            is_marked: request_id.is_some()
                || text("HostId").is_some()
                || text("Recommend").is_some(),
            request_id,
        }
    }

    fn of_xml(text: &str) -> Self {
        if xml::element(text, "Error").is_none() {
            return Self::default();
        }
        let whole = |name| {
            xml::element(text, name).filter(|found| found.is_whole && !found.text.is_empty())
        };
        let request_id = whole("RequestId").map(|found| found.text);
        Self {
            code: whole("Code").map(|found| found.text),
            message: xml::element(text, "Message")
                .map(|found| found.text)
                .filter(|text| !text.is_empty()),
            is_marked: request_id.is_some()
                || whole("HostId").is_some()
                || whole("Recommend").is_some(),
            request_id,
        }
    }

    /// The code, where the body has the vendor's shape: others write `code` as well.
    fn code(&self, reply: &Reply) -> Option<ErrorCode> {
        let code = ErrorCode::from(self.code.as_deref()?);
        let is_of_the_sheet = !matches!(code, ErrorCode::Other(_));
        let is_vendors = self.is_marked || is_of_the_sheet || request_id(&reply.headers).is_some();
        is_vendors.then_some(code)
    }
}
