//! REST: JSON over paths, authenticated by a token; IAM's own calls by nothing.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::credentials::Credential;
use crate::{
    error::{Error, ErrorCode, ErrorKind},
    pipeline::{
        decode,
        operation::DecodeError,
        protocol::{Protocol, Refusal, RefusalClass, Stamp},
        retry::retry_after,
        transport::{HttpRequest, Reply},
    },
};

/// One REST service at one address.
#[derive(Debug)]
pub struct Rest {
    endpoint: Url,
    project_id: Option<String>,
}

/// A request before it is authenticated.
pub struct Wire {
    method: Method,
    path: Path,
    query: Option<&'static str>,
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
            query,
            body: body.into(),
        }
    }

    /// A call at `/v2/{project_id}` and this percent-encoded path.
    pub(super) fn post_in_project(path: String, body: String) -> Self {
        Self {
            method: Method::POST,
            path: Path::InProject(path),
            query: None,
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
        }
    }

    /// A service that is called without a credential, or with one in the body.
    pub(super) fn anonymous(endpoint: Url) -> Self {
        Self {
            endpoint,
            project_id: None,
        }
    }

    fn project_id<'a>(&'a self, credential: Option<&'a Credential>) -> Result<&'a str, Error> {
        let of_credential = match credential {
            Some(Credential::Token(token)) => token.project_id.as_deref(),
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

impl Protocol for Rest {
    type Wire = Wire;
    type Credential = Credential;

    fn prepare(
        &self,
        wire: &Wire,
        credential: Option<&Credential>,
        _: &Stamp,
    ) -> Result<HttpRequest, Error> {
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        let mut url = self.endpoint.clone();
        match &wire.path {
            Path::Fixed(path) => url.set_path(path),
            Path::InProject(path) => {
                let project_id = self.project_id(credential)?;
                let mut whole = String::with_capacity(4 + project_id.len() + path.len());
                whole.push_str("/v2/");
                push_segment(&mut whole, "project_id", project_id, 64)?;
                whole.push_str(path);
                url.set_path(&whole);
                let project_id = HeaderValue::from_str(project_id)
                    .map_err(|_| Error::invalid("project_id", "must be visible ASCII text"))?;
                headers.insert("x-project-id", project_id);
            }
        }
        url.set_query(wire.query);
        match credential {
            Some(Credential::Token(token)) => {
                headers.insert("x-auth-token", token.header()?);
            }
            None => {}
        }
        Ok(HttpRequest {
            method: wire.method.clone(),
            url,
            headers,
            body: wire.body.clone(),
        })
    }

    fn refusal(
        &self,
        _: &Wire,
        credential: Option<&Credential>,
        stamp: &Stamp,
        reply: &Reply,
    ) -> Refusal {
        let body = ErrorBody::read(&reply.body);
        let retry_after = retry_after(&reply.headers, stamp.now);
        let request_id = body.request_id.or_else(|| self.request_id(reply));
        let message = body.message.unwrap_or_else(|| reply.describe());
        let Some(code) = body.code.as_deref().map(ErrorCode::from) else {
            return Refusal {
                code: None,
                kind: ErrorKind::of_status(reply.status),
                message,
                request_id,
                retry_after,
                // IAM's older shape has an integer for a code, which is the status once more.
                class: match body.has_integer_code {
                    true => RefusalClass::Coded,
                    false => RefusalClass::Uncoded,
                },
                echoes: false,
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
            ErrorCode::Iam1108 => RefusalClass::CredentialAged,
            ErrorCode::Iam0020 => RefusalClass::Conflict,
            _ => RefusalClass::Coded,
        };
        // A refused signature is answered with what the gateway signed: headers, token and all.
        let echo = message.split_once("verify aksk signature fail");
        let (message, echoes) = match echo {
            Some((before, _)) => (format!("{before}verify aksk signature fail"), true),
            None => (message, false),
        };
        Refusal {
            echoes,
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
            Ok(value) => Self::of(&value, 0).unwrap_or_default(),
            Err(_) => Self::default(),
        }
    }

    /// The pairs that the official SDKs look for, in their order, then whatever is nested.
    fn of(value: &Value, depth: usize) -> Option<Self> {
        const PAIRS: [(&str, &str); 3] = [
            ("error_code", "error_msg"),
            ("errorCode", "errorMsg"),
            ("code", "message"),
        ];
        let object = value.as_object()?;
        let text = |name: &str| {
            let text = object.get(name)?.as_str()?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        let request_id = text("request_id").or_else(|| text("requestId"));
        for (code, message) in PAIRS {
            let integer = object.get(code).is_some_and(Value::is_i64);
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
            let nested = object.values().find_map(|value| Self::of(value, 1));
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
            Some(code) => DecodeError::Code {
                code: ErrorCode::from(code.as_str()),
                message: body
                    .message
                    .unwrap_or_else(|| "an answer with a code and no result".into()),
            },
            None => DecodeError::Json(fault),
        }
    })
}
