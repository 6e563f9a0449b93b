//! REST: JSON over paths, authenticated by a token or a signature; IAM's token calls by nothing.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::Url;

use super::{
    credentials::{AccessKey, Credential},
    signature::{self, Comparison},
};
use crate::{
    error::{Error, ErrorCode, ErrorKind},
    pipeline::{
        attempt::SKEW,
        decode,
        operation::DecodeError,
        protocol::{Protocol, Refusal, RefusalClass, Stamp},
        retry::{date, retry_after},
        transport::{HttpRequest, Reply},
    },
};

/// One REST service at one address.
#[derive(Debug)]
pub struct Rest {
    endpoint: Url,
    project_id: Option<String>,
    /// The credential of a call that is to get one.
    own: Option<Credential>,
}

/// A request before it is authenticated.
pub struct Wire {
    method: Method,
    path: Path,
    query: Option<Cow<'static, str>>,
    header: Option<(&'static str, HeaderValue)>,
    body: Bytes,
}

/// Where a request goes.
enum Path {
    Fixed(&'static str),
    /// Behind `/v2/{project_id}`: percent-encoded, beginning with `/`.
    InProject(String),
}

impl Wire {
    /// A call at a path without variables.
    pub(super) fn post_to(path: &'static str, query: Option<&'static str>, body: String) -> Self {
        Self {
            method: Method::POST,
            path: Path::Fixed(path),
            query: query.map(Cow::Borrowed),
            header: None,
            body: body.into(),
        }
    }

    /// With one header more.
    pub(super) fn header(self, name: &'static str, value: HeaderValue) -> Self {
        Self {
            header: Some((name, value)),
            ..self
        }
    }

    /// A read at a path without variables, with a percent-encoded query.
    pub(super) fn get(path: &'static str, query: String) -> Self {
        Self {
            method: Method::GET,
            path: Path::Fixed(path),
            query: Some(query.into()),
            header: None,
            body: Bytes::new(),
        }
    }

    /// A call at `/v2/{project_id}` and this percent-encoded path.
    pub(super) fn post_in_project(path: String, body: String) -> Self {
        Self {
            method: Method::POST,
            path: Path::InProject(path),
            query: None,
            header: None,
            body: body.into(),
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({} {} bytes)", self.method, self.body.len())
    }
}

impl Rest {
    /// FunctionGraph, in a project that may still be open.
    pub(super) fn function_graph(endpoint: Url, project_id: Option<String>) -> Self {
        Self {
            endpoint,
            project_id,
            own: None,
        }
    }

    /// A service that is called without a credential, or with one in the body.
    pub(super) fn anonymous(endpoint: Url) -> Self {
        Self {
            endpoint,
            project_id: None,
            own: None,
        }
    }

    /// A service that is called with this credential, which nobody keeps yet.
    pub(super) fn with(endpoint: Url, credential: impl Into<Credential>) -> Self {
        Self {
            own: Some(credential.into()),
            ..Self::anonymous(endpoint)
        }
    }

    fn project_id<'a>(&'a self, credential: Option<&'a Credential>) -> Result<&'a str, Error> {
        let of_credential = match credential {
            Some(Credential::Token(token)) => token.project_id.as_deref(),
            Some(Credential::Key(key)) => key.project_id.as_deref(),
            None => None,
        };
        self.project_id.as_deref().or(of_credential).ok_or_else(|| {
            Error::configuration(
                "project_id",
                "is missing: neither the client nor the credential names a project",
            )
        })
    }
}

impl Rest {
    /// What the gateway's own canonical request tells of a refused signature, without a word of
    /// it: it holds input and tokens.
    fn explain(
        &self,
        wire: &Wire,
        credential: Option<&Credential>,
        stamp: &Stamp,
        echo: &str,
    ) -> Option<String> {
        let sent = self.prepare(wire, credential, stamp).ok()?;
        match signable(&sent).compare(echo) {
            Comparison::Same => Some(
                ": it read the request just as it was signed, so the secret key is wrong"
                    .to_owned(),
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
}

impl Protocol for Rest {
    type Wire = Wire;
    type Credential = Credential;
    const HAS_NONCE: bool = false;

    fn prepare(
        &self,
        wire: &Wire,
        credential: Option<&Credential>,
        stamp: &Stamp,
    ) -> Result<HttpRequest, Error> {
        let credential = credential.or(self.own.as_ref());
        let mut headers = HeaderMap::with_capacity(8);
        if wire.method != Method::GET {
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
        }
        if let Some((name, value)) = &wire.header {
            headers.insert(*name, value.clone());
        }
        let mut url = self.endpoint.clone();
        match &wire.path {
            Path::Fixed(path) => url.set_path(path),
            Path::InProject(path) => {
                let project_id = self.project_id(credential)?;
                let mut whole = String::with_capacity(4 + project_id.len() + path.len());
                whole.push_str("/v2/");
                let project_id = push_project_id(&mut whole, project_id)?;
                whole.push_str(path);
                url.set_path(&whole);
                headers.insert("x-project-id", project_id);
            }
        }
        url.set_query(wire.query.as_deref());
        let mut request = HttpRequest {
            method: wire.method.clone(),
            url,
            headers,
            body: wire.body.clone(),
        };
        match credential {
            Some(Credential::Token(token)) => {
                request.headers.insert("x-auth-token", token.header()?);
            }
            Some(Credential::Key(key)) => sign(&mut request, key, stamp)?,
            None => {}
        }
        Ok(request)
    }

    fn refusal(
        &self,
        wire: &Wire,
        credential: Option<&Credential>,
        stamp: &Stamp,
        reply: &Reply,
    ) -> Refusal {
        let body = ErrorBody::read(&reply.body);
        let retry_after = retry_after(&reply.headers, stamp.now);
        let request_id = body.request_id.or_else(|| self.request_id(reply));
        let has_message = body.message.is_some();
        let message = body.message.unwrap_or_else(|| reply.describe());
        let echo = split_echo(&message);
        let Some(code) = body.code.as_deref().map(ErrorCode::from) else {
            return Refusal {
                code: None,
                kind: ErrorKind::of_status(reply.status),
                echoes: echo.is_some(),
                message: echo.map_or(message.clone(), |(said, _)| said.to_owned()),
                request_id,
                retry_after,
                // IAM's older shape has an integer for a code, which is the status once more. From
                // FunctionGraph it would be a stranger's word.
                class: match (&wire.path, reply.status) {
                    (Path::Fixed(_), StatusCode::TOO_MANY_REQUESTS) if body.has_integer_code => {
                        RefusalClass::Throttled
                    }
                    (Path::Fixed(_), _) if body.has_integer_code => RefusalClass::Coded,
                    _ => RefusalClass::Uncoded,
                },
                may_lock: false,
            };
        };
        let credential = credential.or(self.own.as_ref());
        let with_token = matches!(credential, Some(Credential::Token(_)));
        let key = match credential {
            Some(Credential::Key(key)) => Some(key),
            _ => None,
        };
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
            ErrorCode::Apigw0301
            | ErrorCode::Apigw0307
            | ErrorCode::Apig0301
            | ErrorCode::Apig0307
                if reply.status == StatusCode::UNAUTHORIZED && !message.contains(KEY_LOCKED) =>
            {
                // One code for all that may be wrong with a signature. The clock is looked at
                // first: a temporary key that has ended is told from it by the reply's `Date`.
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
        // A refused signature is answered with what the gateway signed: headers, token and all.
        let words = echo.map_or(message.as_str(), |(said, _)| said);
        let words = if has_message { words } else { "" };
        let may_lock = key.is_some() && blames_key(&code, words);
        let (message, echoes) = match echo {
            Some((said, echo)) => {
                let verdict = key.and_then(|_| self.explain(wire, credential, stamp, echo));
                (format!("{said}{}", verdict.unwrap_or_default()), true)
            }
            None => (message, false),
        };
        Refusal {
            echoes,
            may_lock,
            kind: code.kind(reply.status),
            code: Some(code),
            message,
            request_id,
            retry_after,
            class,
        }
    }

    fn request_id(&self, reply: &Reply) -> Option<String> {
        ["x-request-id", "x-iam-trace-id"].iter().find_map(|name| {
            let id = reply.headers.get(*name)?.to_str().ok()?;
            (!id.is_empty()).then(|| id.to_owned())
        })
    }
}

/// What the gateway says of a key that it has locked, which no correction of ours unlocks.
const KEY_LOCKED: &str = "AK access failed to reach the limit";

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

/// Adds what is signed, and the signature. Source: Huawei Cloud, "API Request Signing Guide".
fn sign(request: &mut HttpRequest, key: &AccessKey, stamp: &Stamp) -> Result<(), Error> {
    key.check()?;
    let refused = |_| {
        Error::new(
            ErrorKind::Credentials,
            "the access key cannot be a header's value",
        )
    };
    let host = request.url.host_str().unwrap_or_default();
    let host = match request.url.port() {
        Some(port) => HeaderValue::try_from(format!("{host}:{port}")),
        None => HeaderValue::from_str(host),
    };
    let host =
        host.map_err(|_| Error::invalid("endpoint", "its host cannot be a header's value"))?;
    let date = signature::date(stamp.now);
    let headers = &mut request.headers;
    headers.insert(header::HOST, host);
    headers.insert(
        signature::DATE,
        HeaderValue::from_str(&date).map_err(refused)?,
    );
    if let Some(token) = &key.security_token {
        let mut token = HeaderValue::from_str(token.expose()).map_err(refused)?;
        token.set_sensitive(true);
        headers.insert("x-security-token", token);
    }
    if headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|content_type| signature::leaves_body_out(content_type.as_bytes()))
    {
        headers.insert(
            signature::CONTENT_HASH,
            HeaderValue::from_static(signature::UNSIGNED_PAYLOAD),
        );
    }
    let authorization = key
        .key
        .authorize(&key.access_key, &signable(request), &date);
    let mut authorization = HeaderValue::try_from(authorization).map_err(refused)?;
    authorization.set_sensitive(true);
    request.headers.insert(header::AUTHORIZATION, authorization);
    Ok(())
}

/// The signed parts of a request, exactly as they are sent.
fn signable(request: &HttpRequest) -> signature::Request<'_> {
    signature::Request::new(
        request.method.as_str(),
        request.url.path(),
        request.url.query().unwrap_or_default(),
        &request.headers,
        &request.body,
    )
}

/// Appends a project's id as one segment of a path, and gives it as a header's value.
pub(super) fn push_project_id(path: &mut String, id: &str) -> Result<HeaderValue, Error> {
    push_segment(path, "project_id", id, 64)?;
    HeaderValue::from_str(id)
        .ok()
        // The library takes bytes beyond ASCII, which the other side may read as anything.
        .filter(|_| id.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or_else(|| Error::invalid("project_id", "must be visible ASCII text"))
}

/// Appends an id as one segment of a path. What could change the path's shape is refused.
pub(super) fn push_segment(
    path: &mut String,
    field: &str,
    id: &str,
    longest: usize,
) -> Result<(), Error> {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');
    if id.is_empty() || id.chars().count() > longest {
        return Err(Error::invalid(
            field,
            format_args!("must be 1 to {longest} characters"),
        ));
    }
    let is_unsafe = |c: char| c == '/' || c == '\\' || c.is_control();
    if id == "." || id == ".." || id.contains(is_unsafe) {
        return Err(Error::invalid(
            field,
            "must not be . or .., nor hold /, \\ or control characters",
        ));
    }
    path.extend(utf8_percent_encode(id, KEPT));
    Ok(())
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
    fn read(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(json) => Self::of(json, 0).unwrap_or_default(),
            Err(_) => Self::default(),
        }
    }

    /// The pairs that the official SDKs look for, in their order, then whatever is nested.
    fn of(json: &RawValue, depth: usize) -> Option<Self> {
        const PAIRS: [(&str, &str); 3] = [
            ("error_code", "error_msg"),
            ("errorCode", "errorMsg"),
            ("code", "message"),
        ];
        // What is in it is read where it is looked at: as values in memory, a stranger's JSON can
        // take a hundred times its size.
        let object: BTreeMap<String, &RawValue> = serde_json::from_str(json.get()).ok()?;
        let text = |name: &str| {
            let text: String = serde_json::from_str(object.get(name)?.get()).ok()?;
            (!text.is_empty()).then_some(text)
        };
        let request_id = text("request_id").or_else(|| text("requestId"));
        for (code, message) in PAIRS {
            let integer = object
                .get(code)
                .is_some_and(|code| serde_json::from_str::<i64>(code.get()).is_ok());
            let code = text(code);
            if code.is_some() || integer {
                return Some(Self {
                    code,
                    has_integer_code: integer,
                    message: text(message).or_else(|| text("title")),
                    request_id,
                });
            }
        }
        if depth == 0 {
            let nested = object.values().find_map(|json| Self::of(json, 1));
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
}

/// Reads the body of a 2xx reply; one with a code and no result is that code.
pub(super) fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, DecodeError> {
    decode::object(&reply.body).map_err(|fault| {
        let body = ErrorBody::read(&reply.body);
        match body.code {
            Some(code) => {
                let message = body
                    .message
                    .unwrap_or_else(|| "an answer with a code and no result".into());
                let echo = split_echo(&message);
                DecodeError::Code {
                    code: ErrorCode::from(code.as_str()),
                    echoes: echo.is_some(),
                    message: echo.map_or(message.clone(), |(said, _)| said.to_owned()),
                }
            }
            None => DecodeError::Json(fault),
        }
    })
}
