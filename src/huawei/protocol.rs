//! REST: JSON over paths, authenticated by a token or a signature; IAM's token calls by nothing.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::{
    credentials::{AccessKey, Credential},
    refusal, signature,
};
use crate::{
    error::{Error, ErrorKind},
    pipeline::{
        protocol::{Protocol, Refusal, Stamp, Told},
        transport::{HttpRequest, Reply},
        words::Sensitive,
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

impl Wire {
    fn service(&self) -> refusal::Service {
        match self.path {
            Path::Fixed(_) => refusal::Service::Iam,
            Path::InProject(_) => refusal::Service::FunctionGraph,
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
        let sent = self.prepare(wire, credential, stamp).ok();
        let credential = credential.or(self.own.as_ref());
        refusal::of(sent.as_ref(), wire.service(), credential, stamp, reply)
    }

    fn sensitive(
        &self,
        sent: &HttpRequest,
        credential: Option<&Credential>,
        sensitive: &mut Sensitive,
    ) {
        refusal::sensitive(sent, credential.or(self.own.as_ref()), sensitive);
    }

    fn told(&self, reply: &Reply) -> Told {
        refusal::told(reply)
    }

    fn request_id(&self, reply: &Reply) -> Option<String> {
        refusal::request_id(reply)
    }
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
pub(super) fn signable(request: &HttpRequest) -> signature::Request<'_> {
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
