//! What an answer says that is no result: codes, messages, ids, in whatever shape they come.
//!
//! Source: Huawei Cloud, "API Request Signing Guide", and the error pages of FunctionGraph and IAM;
//! which names are looked for, and in which order: the official Python core 3.1.219.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode};

use super::{
    credential::Credential,
    signature::{self, Comparison},
};
use crate::{
    error::{ErrorCode, ErrorKind},
    payload::Secret,
    pipeline::{
        failed::SKEW,
        json,
        operation::DecodeError,
        protocol::{Coded, Refusal, RefusalClass, Stamp, Told},
        retry::{date, retry_after},
        transport::{HttpRequest, Reply},
        words::Sensitive,
    },
};

/// Whose answer it is: each has its own shapes of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    FunctionGraph,
    /// IAM and STS.
    Iam,
}

/// Reads a reply that is not 2xx.
pub(super) fn of(
    sent: Option<&HttpRequest>,
    service: Service,
    credential: Option<&Credential>,
    stamp: &Stamp,
    reply: &Reply,
) -> Refusal {
    let body = ErrorBody::read(reply);
    let retry_after = retry_after(&reply.headers, stamp.now);
    let code = body.code(service);
    let request_id = body.request_id.or_else(|| request_id(&reply.headers));
    let has_message = body.message.is_some();
    let said = body.message.unwrap_or_else(|| reply.describe());
    let key = match credential {
        Some(Credential::Key(key)) => Some(key),
        _ => None,
    };
    let message = match split_echo(&said) {
        // A refused signature is answered with what the gateway signed: headers, token and all.
        Some((said, echo)) => {
            let verdict = sent
                .filter(|_| key.is_some())
                .and_then(|sent| explain(sent, echo));
            format!("{said}{}", verdict.unwrap_or_default())
        }
        None => said.clone(),
    };
    let Some(code) = code else {
        return Refusal {
            code: None,
            kind: ErrorKind::of_status(reply.status),
            message,
            request_id,
            retry_after,
            // IAM's older shape has an integer for a code, which is the status once more. From
            // FunctionGraph it would be a stranger's word.
            class: match (service, reply.status) {
                (Service::Iam, StatusCode::TOO_MANY_REQUESTS) if body.has_integer_code => {
                    RefusalClass::Throttled
                }
                (Service::Iam, _) if body.has_integer_code => RefusalClass::Coded,
                _ => RefusalClass::Uncoded,
            },
            may_lock: false,
        };
    };
    let with_token = matches!(credential, Some(Credential::Token(_)));
    let class = match &code {
        code if code.is_throttling(reply.status) => RefusalClass::Throttled,
        ErrorCode::Apigw0613 | ErrorCode::Apig0613 => RefusalClass::GatewayUnavailable,
        ErrorCode::Apigw0301
        | ErrorCode::Apigw0307
        | ErrorCode::Apig0301
        | ErrorCode::Apig0307
        | ErrorCode::Iam0001
        | ErrorCode::Iam0063
        | ErrorCode::Iam0066
        | ErrorCode::Iam0067
            if with_token && reply.status == StatusCode::UNAUTHORIZED =>
        {
            RefusalClass::CredentialAged
        }
        ErrorCode::Apigw0301 | ErrorCode::Apigw0307 | ErrorCode::Apig0301 | ErrorCode::Apig0307
            if reply.status == StatusCode::UNAUTHORIZED && !said.contains(KEY_LOCKED) =>
        {
            // One code for all that may be wrong with a signature. The clock is looked at first: a
            // temporary key that has ended is told from it by the reply's `Date`.
            let is_skewed =
                date(&reply.headers).is_some_and(|date| (stamp.now - date).abs() > SKEW);
            match key {
                Some(key) if key.security_token.is_some() && !is_skewed => {
                    RefusalClass::CredentialAged
                }
                Some(_) => RefusalClass::Clock,
                None => RefusalClass::Coded,
            }
        }
        ErrorCode::Iam1108 => RefusalClass::CredentialAged,
        ErrorCode::Iam0020 => RefusalClass::Conflict,
        _ => RefusalClass::Coded,
    };
    // What the gateway says, without what it repeats of the request.
    let words = match split_echo(&said) {
        Some((words, _)) => words,
        None if has_message => &said,
        None => "",
    };
    Refusal {
        may_lock: key.is_some() && blames_key(&code, words),
        kind: code.kind(reply.status),
        code: Some(code),
        message,
        request_id,
        retry_after,
        class,
    }
}

/// Whether the gateway refused the key itself, which more refusals would lock. It has one code for
/// all that may stand in the way of a signed request: a body too large, an address that may not
/// call, an API that the user may not call.
///
/// Source: Huawei Cloud, "API Request Signing Guide", error APIGW.0301.
fn blames_key(code: &ErrorCode, words: &str) -> bool {
    const OF_THE_KEY: [&str; 7] = [
        "signature",
        "aksk",
        "secretkey",
        "secret key",
        "access key",
        "ak access",
        "not exist",
    ];
    let is_of_gateway = matches!(
        code,
        ErrorCode::Apigw0301
            | ErrorCode::Apigw0305
            | ErrorCode::Apigw0307
            | ErrorCode::Apig0301
            | ErrorCode::Apig0305
            | ErrorCode::Apig0307
    );
    let words = words.to_ascii_lowercase();
    let reason = words.trim_start_matches("incorrect iam authentication information");
    let reason = reason.trim_matches(|c: char| !c.is_alphanumeric());
    let is_other = ["too large", "authorized"]
        .iter()
        .any(|other| reason.contains(other));
    // Without a reason, it may be the key.
    let is_of_key = reason.is_empty() || OF_THE_KEY.iter().any(|word| reason.contains(word));
    is_of_gateway && is_of_key && !is_other
}

/// What the gateway says of a key that it has locked, which no correction of ours unlocks.
const KEY_LOCKED: &str = "AK access failed to reach the limit";

/// Parts what the gateway says from what it repeats of the request.
fn split_echo(message: &str) -> Option<(&str, &str)> {
    const REFUSED: &str = "verify aksk signature fail";
    let end = match message.find(REFUSED) {
        Some(start) => start + REFUSED.len(),
        // In other words, but with the same echo.
        None => message.to_ascii_lowercase().find("canonicalrequest")?,
    };
    let (said, echo) = message.split_at(end);
    let said = said.trim_end_matches(|c: char| c.is_whitespace() || ",:;".contains(c));
    Some((said, echo))
}

/// What the gateway's own canonical request tells of a refused signature, without a word of it: it
/// holds input and tokens.
fn explain(sent: &HttpRequest, echo: &str) -> Option<String> {
    match signature::Request::of(sent).compare(echo) {
        Comparison::Same => Some(
            ": it read the request just as it was signed, so the secret key is wrong".to_owned(),
        ),
        Comparison::Differs(part, None) => {
            Some(format!(": it read another {part} than was signed"))
        }
        Comparison::Differs(part, Some(name)) => {
            Some(format!(": it read another {part} {name} than was signed"))
        }
        Comparison::Unreadable => None,
    }
}

/// What of a request no word may repeat.
pub(super) fn sensitive(
    sent: &HttpRequest,
    credential: Option<&Credential>,
    sensitive: &mut Sensitive,
) {
    match credential {
        Some(Credential::Token(token)) => sensitive.secret(token.text.expose()),
        Some(Credential::Key(key)) => {
            sensitive.secret(&key.access_key);
            sensitive.secret(key.secret_key.expose());
            sensitive.secret(key.security_token.as_ref().map_or("", Secret::expose));
        }
        None => {}
    }
    for name in ["x-auth-token", "x-security-token"] {
        if let Some(token) = sent.headers.get(name) {
            sensitive.secret(token);
        }
    }
    let authorization = sent.headers.get(http::header::AUTHORIZATION);
    let authorization = authorization.and_then(|text| text.to_str().ok());
    if let Some((_, signature)) = authorization.and_then(|text| text.split_once("Signature=")) {
        sensitive.secret(signature);
    }
    let body = json::text(&sent.body);
    sensitive.data(body.as_bytes());
    if let Ok(members) = json::Object::read(&body) {
        of_members(&members, "", sensitive);
    }
}

/// The members of a body, by their names.
fn of_members(members: &json::Object<'_>, parent: &str, sensitive: &mut Sensitive) {
    for (name, value) in members.iter() {
        let is_secret = matches!(name, "password" | "passcode" | "id_token" | "secret")
            || (name == "id" && matches!(parent, "token" | "id_token"));
        match value.string() {
            Some(text) if is_secret => sensitive.secret(text.as_bytes()),
            Some(text) if name == "policy" || parent == "headers" => {
                sensitive.data(text.as_bytes())
            }
            Some(_) => {}
            // Inputs and definitions are what they are as they are written.
            None if parent.is_empty() && matches!(name, "input" | "definition" | "body") => {
                sensitive.data(value.as_str());
            }
            None => {
                if let Some(members) = value.object() {
                    of_members(&members, name, sensitive);
                }
            }
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
        request_id: text("request_id").or_else(|| request_id(&reply.headers)),
        execution_name: None,
        execution_id: text("execution_id"),
    }
}

/// The request id in the headers.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "x-iam-trace-id"].iter().find_map(|name| {
        let id = String::from_utf8_lossy(headers.get(*name)?.as_bytes());
        (!id.is_empty()).then(|| id.into_owned())
    })
}

/// The code in a 2xx body that is no answer, else why it is none.
pub(super) fn instead(reply: &Reply, service: Service, fault: DecodeError) -> DecodeError {
    let body = ErrorBody::read(reply);
    match body.code(service) {
        Some(code) => DecodeError::Code(Coded {
            code,
            message: body.message.map(|message| {
                split_echo(&message).map_or(message.clone(), |(said, _)| said.to_owned())
            }),
            request_id: body.request_id,
        }),
        None => fault,
    }
}

/// What error bodies hold, in any of their shapes.
#[derive(Debug, Default)]
struct ErrorBody {
    code: Option<String>,
    has_integer_code: bool,
    message: Option<String>,
    request_id: Option<String>,
}

impl ErrorBody {
    fn read(reply: &Reply) -> Self {
        let text = json::text(&reply.body);
        let body = Self::of_text(&text);
        if body.code.is_some() || body.has_integer_code || std::str::from_utf8(&reply.body).is_ok()
        {
            return body;
        }
        Self::of_text(&json::text(&json::without_pairs(&reply.body)))
    }

    fn of_text(text: &str) -> Self {
        Self::of(&json::Object::read_cut(text), 0).unwrap_or_default()
    }

    /// The pairs that the official SDKs look for, in their order, then whatever is nested.
    fn of(object: &json::Object<'_>, depth: usize) -> Option<Self> {
        const PAIRS: [(&str, &str); 3] = [
            ("error_code", "error_msg"),
            ("errorCode", "errorMsg"),
            ("code", "message"),
        ];
        // Of a name that stands twice, the first that is of use.
        let text = |name: &str| {
            let values = object.iter().filter(|(key, _)| *key == name);
            let mut texts = values.filter_map(|(_, value)| value.string());
            texts.find(|text| !text.is_empty()).map(Cow::into_owned)
        };
        let is_integer = |(key, value): (&str, json::Raw<'_>), name: &str| {
            key == name && value.as_str().parse::<i64>().is_ok()
        };
        let request_id = text("request_id").or_else(|| text("requestId"));
        for (code, message) in PAIRS {
            let has_integer_code = object.iter().any(|member| is_integer(member, code));
            let code = text(code);
            if code.is_some() || has_integer_code {
                return Some(Self {
                    code,
                    has_integer_code,
                    message: text(message).or_else(|| text("title")),
                    request_id,
                });
            }
        }
        if depth == 0 {
            let nested = object
                .iter()
                .find_map(|(_, value)| Self::of(&value.object()?, 1));
            if let Some(nested) = nested {
                return Some(Self {
                    request_id: nested.request_id.or(request_id),
                    ..nested
                });
            }
        }
        let message = PAIRS.iter().find_map(|(_, message)| text(message));
        (message.is_some() || request_id.is_some()).then(|| Self {
            message,
            request_id,
            ..Self::default()
        })
    }

    /// The code, where it has the service's shape: others write `code` as well.
    fn code(&self, service: Service) -> Option<ErrorCode> {
        const PREFIXES: [&str; 5] = ["FSS.", "FGS.", "APIGW.", "APIG.", "IAM."];
        let text = self.code.as_deref()?;
        let code = ErrorCode::from(text);
        let is_of_the_sheet = !matches!(code, ErrorCode::Other(_));
        let is_gateways = PREFIXES.iter().any(|prefix| text.starts_with(prefix));
        let is_iams = service == Service::Iam
            && (["STS", "PAP"].iter().any(|prefix| text.starts_with(prefix))
                || text.bytes().all(|byte| byte.is_ascii_digit()));
        (is_gateways || is_iams || is_of_the_sheet).then_some(code)
    }
}
