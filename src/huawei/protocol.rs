//! REST: JSON over paths, authenticated by a token or a signature; IAM's token calls by nothing.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::{
    credential::{AccessKey, Credential},
    refusal, signature,
};
use crate::{
    error::{Error, ErrorKind},
    payload::Payload,
    pipeline::{
        declared::{Entry, Family},
        json,
        operation::DecodeError,
        percent::RESERVED,
        protocol::{Protocol, Refusal, Stamp, Told, host},
        read,
        record::{Fields, Member, Place, Rule, Shown},
        show,
        transport::{HttpRequest, Reply},
        words::Sensitive,
    },
};

/// One REST service at one address.
#[derive(Clone, Debug)]
pub struct Rest {
    endpoint: Url,
    /// Written once; none where it cannot be a header's value.
    host: Option<HeaderValue>,
    project_id: Option<String>,
    /// The credential of a call that is to get one.
    own: Option<Credential>,
    last: Last,
}

/// What the last request in a project was made of: most programs call few paths, and reading one is
/// a good part of what a call costs.
#[derive(Clone, Default)]
struct Last(Arc<Mutex<Option<Asked>>>);

struct Asked {
    project_id: String,
    path: String,
    /// Without a query.
    url: Url,
    header: HeaderValue,
}

const PROJECT_ID: HeaderName = HeaderName::from_static("x-project-id");
const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-security-token");
const DATE: HeaderName = HeaderName::from_static(signature::DATE);

/// A request before it is authenticated.
pub struct Wire {
    method: Method,
    path: Path,
    query: Option<Cow<'static, str>>,
    headers: Vec<(HeaderName, HeaderValue)>,
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
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// With one header more.
    pub(super) fn header(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.headers.push((HeaderName::from_static(name), value));
        self
    }

    /// A read at a path without variables, with a percent-encoded query.
    pub(super) fn get(path: &'static str, query: String) -> Self {
        Self {
            method: Method::GET,
            path: Path::Fixed(path),
            query: Some(query.into()),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }
}

impl Wire {
    /// A call at a path of the project, segment by segment, with pairs of a query and a body.
    pub(super) fn in_project(
        method: Method,
        segments: &[String],
        pairs: &[(String, String)],
        body: Bytes,
    ) -> Result<Self, Error> {
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            push_segment(&mut path, "path", segment)?;
        }
        let mut query = String::new();
        for (name, value) in pairs {
            if !query.is_empty() {
                query.push('&');
            }
            query.extend(utf8_percent_encode(name, RESERVED));
            query.push('=');
            query.extend(utf8_percent_encode(value, RESERVED));
        }
        Ok(Self {
            method,
            path: Path::InProject(path),
            query: (!query.is_empty()).then(|| query.into()),
            headers: Vec::new(),
            body,
        })
    }

    /// Whether it is sent as what only reads.
    pub(super) fn is_read(&self) -> bool {
        self.method == Method::GET
    }
}

/// What all paths of FunctionGraph begin with.
const IN_PROJECT: &str = "/v2/{project_id}";

impl Family for Rest {
    fn write(entry: &Entry, request: &dyn Fields) -> Result<Wire, Error> {
        let path = entry.path.strip_prefix(IN_PROJECT).unwrap_or(entry.path);
        let mut wire = Wire {
            method: entry.method.clone(),
            path: Path::InProject(String::new()),
            query: None,
            headers: Vec::new(),
            body: Bytes::new(),
        };
        let mut query = String::new();
        let fields = show::with_defaults(request);
        for (member, value) in &fields {
            match member.place {
                // Written as a whole below.
                Place::Path | Place::Member => {}
                Place::Query | Place::Parameter => {
                    if !query.is_empty() {
                        query.push('&');
                    }
                    let is_spaced = has_rule(member, |rule| matches!(rule, Rule::Spaced));
                    let value = match value {
                        Shown::Time(time) if is_spaced => {
                            time.format("%Y-%m-%d %H:%M:%S").to_string().into()
                        }
                        Shown::Time(time)
                            if has_rule(member, |rule| matches!(rule, Rule::Millis)) =>
                        {
                            time.timestamp_millis().to_string().into()
                        }
                        value => value.to_text(member.wire)?,
                    };
                    query.extend([member.wire, "="]);
                    query.extend(utf8_percent_encode(&value, RESERVED));
                }
                Place::Header => {
                    let value = value.to_text(member.wire)?;
                    wire.headers.push(header(member.wire, &value)?);
                }
                Place::Body => wire.body = value.to_json(member.wire)?.into(),
            }
        }
        wire.path = Path::InProject(fill_in(path, &fields)?);
        wire.query = (!query.is_empty()).then(|| query.into());
        if let Some(body) = json_object(&fields)? {
            wire.body = body.into();
        }
        Ok(wire)
    }

    fn read(reply: &Reply, answer: &mut dyn Fields) -> Result<(), DecodeError> {
        if answer.members().is_empty() {
            // What says nothing may be empty, with 200 or 204.
            return Ok(());
        }
        read::into(answer, &json::text(&reply.body))
            .map_err(|fault| refusal::instead(reply, refusal::Service::FunctionGraph, fault.into()))
    }

    fn request_id_in(_: &dyn Fields) -> Option<&str> {
        None
    }
}

fn has_rule(member: &Member, is_it: fn(&Rule) -> bool) -> bool {
    member.rules.iter().any(is_it)
}

/// A path with each name in braces replaced by its value, as one segment.
fn fill_in(path: &str, fields: &[(&Member, Shown<'_>)]) -> Result<String, Error> {
    let mut whole = String::with_capacity(path.len() + 64);
    for segment in path.split('/').skip(1) {
        whole.push('/');
        let name = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let mut variables = fields
            .iter()
            .filter(|(member, _)| member.place == Place::Path);
        match variables.find(|(member, _)| Some(member.wire) == name) {
            Some((Member { wire, .. }, value)) => {
                push_segment(&mut whole, wire, &value.to_text(wire)?)?;
            }
            None => whole.push_str(segment),
        }
    }
    Ok(whole)
}

/// The members as a JSON object, where there are any. Written by hand: a caller's JSON goes in as it
/// is.
fn json_object(fields: &[(&Member, Shown<'_>)]) -> Result<Option<String>, Error> {
    let members = || {
        fields
            .iter()
            .filter(|(member, _)| member.place == Place::Member)
    };
    if members().next().is_none() {
        return Ok(None);
    }
    // Inputs are large, and room that grows is copied.
    let length = members().map(|(member, value)| match value {
        Shown::Json(json) => member.wire.len() + json.len() + 4,
        _ => member.wire.len() + 32,
    });
    let mut text = String::with_capacity(1 + length.sum::<usize>());
    text.push('{');
    for (member, value) in members() {
        if text.len() > 1 {
            text.push(',');
        }
        text.extend(["\"", member.wire, "\":"]);
        match value {
            Shown::Json(json) => text.push_str(json),
            value => text.push_str(&value.to_json(member.wire)?),
        }
    }
    text.push('}');
    Ok(Some(text))
}

/// A header of the caller's. What is no header is refused without showing it.
fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let refused = || Error::invalid(name, "must be visible ASCII text");
    let is_visible = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    // Spaces at the ends are nobody's on the wire: the other side reads another value.
    if !value.bytes().all(is_visible) || value.trim_ascii() != value {
        return Err(refused());
    }
    let value = HeaderValue::from_str(value).map_err(|_| refused())?;
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
    Ok((name, value))
}

impl Wire {
    /// What is sent.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// JSON that is sent as a member of the body.
    pub(super) fn payload(&self, member: &str) -> Option<Payload> {
        let text = json::text(&self.body);
        let value = json::Object::read(&text).ok()?.get(member)?;
        Some(Payload::from_json(value.as_str()))
    }

    fn service(&self) -> refusal::Service {
        match self.path {
            Path::Fixed(_) => refusal::Service::Iam,
            Path::InProject(_) => refusal::Service::FunctionGraph,
        }
    }
}

impl fmt::Debug for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Last(..)")
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
            host: host(&endpoint),
            endpoint,
            project_id,
            own: None,
            last: Last::default(),
        }
    }

    /// A service that is called without a credential, or with one in the body.
    pub(super) fn anonymous(endpoint: Url) -> Self {
        Self::function_graph(endpoint, None)
    }

    /// A service that is called with this credential, which nobody keeps yet.
    pub(super) fn with(endpoint: Url, credential: impl Into<Credential>) -> Self {
        Self {
            own: Some(credential.into()),
            ..Self::anonymous(endpoint)
        }
    }

    /// The address of a path in a project, and the header that names it.
    fn in_project(&self, project_id: &str, path: &str) -> Result<(Url, HeaderValue), Error> {
        // Whoever would have to wait for it makes his own.
        if let Ok(last) = self.last.0.try_lock()
            && let Some(last) = &*last
            && last.path == path
            && last.project_id == project_id
        {
            return Ok((last.url.clone(), last.header.clone()));
        }
        let mut whole = String::with_capacity(4 + project_id.len() + path.len());
        whole.push_str("/v2/");
        let header = push_project_id(&mut whole, project_id)?;
        whole.push_str(path);
        let mut url = self.endpoint.clone();
        url.set_path(&whole);
        if let Ok(mut last) = self.last.0.try_lock() {
            *last = Some(Asked {
                project_id: project_id.to_owned(),
                path: path.to_owned(),
                url: url.clone(),
                header: header.clone(),
            });
        }
        Ok((url, header))
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
    const CLOUD: &'static str = "huawei";
    const OWN_HEADERS: &'static [&'static str] = &[
        "x-auth-",
        "x-project-",
        "x-sdk-",
        "x-security-",
        "x-subject-",
    ];

    fn prepare(
        &self,
        wire: &Wire,
        credential: Option<&Credential>,
        stamp: &Stamp,
    ) -> Result<HttpRequest, Error> {
        let credential = credential.or(self.own.as_ref());
        let mut headers = HeaderMap::with_capacity(8);
        if let Some(host) = &self.host {
            headers.insert(header::HOST, host.clone());
        }
        if !wire.body.is_empty() || wire.method == Method::POST {
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
        }
        for (name, value) in &wire.headers {
            headers.insert(name.clone(), value.clone());
        }
        let mut url = match &wire.path {
            Path::Fixed(path) => {
                let mut url = self.endpoint.clone();
                url.set_path(path);
                url
            }
            Path::InProject(path) => {
                let (url, project_id) = self.in_project(self.project_id(credential)?, path)?;
                headers.insert(PROJECT_ID, project_id);
                url
            }
        };
        url.set_query(wire.query.as_deref());
        let mut request = HttpRequest {
            method: wire.method.clone(),
            url,
            headers,
            body: wire.body.clone(),
        };
        match credential {
            Some(Credential::Token(token)) => {
                request.headers.insert(AUTH_TOKEN, token.header()?);
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

    fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    fn request_id(headers: &HeaderMap) -> Option<String> {
        refusal::request_id(headers)
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
    let date = signature::date(stamp.now);
    let headers = &mut request.headers;
    if !headers.contains_key(header::HOST) {
        return Err(Error::invalid(
            "endpoint",
            "its host cannot be a header's value",
        ));
    }
    headers.insert(DATE, HeaderValue::from_str(&date).map_err(refused)?);
    if let Some(token) = &key.security_token {
        let mut token = HeaderValue::from_str(token.expose()).map_err(refused)?;
        token.set_sensitive(true);
        headers.insert(SECURITY_TOKEN, token);
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
        .authorize(&key.access_key, &signature::Request::of(request), &date);
    let mut authorization = HeaderValue::try_from(authorization).map_err(refused)?;
    authorization.set_sensitive(true);
    request.headers.insert(header::AUTHORIZATION, authorization);
    Ok(())
}

/// Appends a project's id as one segment of a path, and gives it as a header's value.
pub(super) fn push_project_id(path: &mut String, id: &str) -> Result<HeaderValue, Error> {
    if id.chars().count() > 64 {
        return Err(Error::invalid("project_id", "must be 1 to 64 characters"));
    }
    push_segment(path, "project_id", id)?;
    HeaderValue::from_str(id)
        .ok()
        // The library takes bytes beyond ASCII, which the other side may read as anything.
        .filter(|_| id.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or_else(|| Error::invalid("project_id", "must be visible ASCII text"))
}

/// Appends an id as one segment of a path. What could change the path's shape is refused.
fn push_segment(path: &mut String, field: &str, id: &str) -> Result<(), Error> {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');
    if id.is_empty() {
        return Err(Error::invalid(field, "is empty"));
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~');
    if id.bytes().all(is_plain) {
        path.push_str(id);
        return Ok(());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huawei::credential::Token;

    #[test]
    fn each_path_and_each_project_has_its_own_address() {
        let endpoint = Url::parse("https://functiongraph.cn-north-4.myhuaweicloud.com").unwrap();
        let rest = Rest::function_graph(endpoint, None);
        let stamp = Stamp {
            now: "2026-11-22T08:09:10Z".parse().unwrap(),
            nonce: [0; 16],
        };
        for (project, segment, query) in [
            ("p", "a.b", true),
            ("p", "a.b", false),
            ("p", "a", true),
            ("q", "a", false),
            ("q.r", "a", false),
        ] {
            let segments = ["fgs".to_owned(), segment.to_owned()];
            let pairs = [("limit".to_owned(), "1".to_owned())];
            let pairs = &pairs[..usize::from(query)];
            let wire = Wire::in_project(Method::GET, &segments, pairs, Bytes::new()).unwrap();
            let token = Token::new("t").project_id(project).into();
            let sent = rest.prepare(&wire, Some(&token), &stamp).unwrap();
            let path = format!("/v2/{project}/fgs/{segment}").replace('.', "%2E");
            assert_eq!(sent.url.path(), path);
            assert_eq!(sent.url.query(), query.then_some("limit=1"));
            assert_eq!(sent.headers["x-project-id"], project);
        }
    }
}
