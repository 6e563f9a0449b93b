//! Huawei Cloud IAM: tokens by password.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{State, aksk::AccessKey, clock::lock, id, record::RecordedRequest, reply::Reply};

/// Ids that a test has no use for, but an answer has to hold.
pub(crate) const DOMAIN_ID: &str = "d78cbac186b744899480f25bd022f468";
const USER_ID: &str = "7116d09f88fa41908676fdd4b039e95b";

/// What the service is set up with.
pub(crate) struct Settings {
    pub(crate) users: Vec<User>,
    pub(crate) keys: Vec<AccessKey>,
    pub(crate) clock_window: Duration,
    pub(crate) region: String,
    pub(crate) project_id: String,
    pub(crate) token_lifetime: Duration,
}

impl Settings {
    /// The URN of a flow of this name.
    pub(crate) fn urn(&self, name: &str) -> String {
        let (region, project) = (&self.region, &self.project_id);
        format!("urn:fss:{region}:{project}:workflow:default:{name}:latest")
    }

    /// Who does what is done.
    pub(crate) fn user(&self) -> String {
        let user = self.users.first();
        user.map_or_else(String::new, |user| user.name.clone())
    }
}

pub(crate) struct User {
    pub(crate) domain: String,
    pub(crate) name: String,
    pub(crate) password: String,
}

/// The tokens given out.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<String, Token>>);

struct Token {
    /// `None` for a token of the whole account.
    project_id: Option<String>,
    expires: DateTime<Utc>,
    /// Expired whatever the clock says.
    expired: bool,
}

impl Tokens {
    /// The project of a token, or code and message of the refusal (HTTP 401).
    pub(crate) fn check(
        &self,
        token: Option<&HeaderValue>,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, (&'static str, &'static str)> {
        let token = token.filter(|token| !token.is_empty()).ok_or((
            "APIGW.0301",
            "Incorrect IAM authentication information: x-auth-token not found",
        ))?;
        let tokens = lock(&self.0);
        let token = token.to_str().ok().and_then(|token| tokens.get(token));
        let token = token.ok_or((
            "APIGW.0301",
            "Incorrect IAM authentication information: decrypt token fail",
        ))?;
        if token.expired || token.expires <= now {
            return Err(("APIGW.0307", "The token must be updated."));
        }
        Ok(token.project_id.clone())
    }

    pub(crate) fn expire(&self) {
        let mut tokens = lock(&self.0);
        tokens.values_mut().for_each(|token| token.expired = true);
    }

    pub(crate) fn revoke(&self) {
        lock(&self.0).clear();
    }
}

#[derive(Deserialize)]
struct Body {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    identity: Identity,
    scope: Option<Scope>,
}

#[derive(Deserialize)]
struct Identity {
    methods: Vec<String>,
    password: Password,
}

#[derive(Deserialize)]
struct Password {
    user: PasswordUser,
}

#[derive(Deserialize)]
struct PasswordUser {
    name: String,
    password: String,
    domain: Domain,
}

#[derive(Deserialize)]
struct Domain {
    name: String,
}

#[derive(Deserialize)]
struct Scope {
    project: Option<ScopeOf>,
    domain: Option<ScopeOf>,
}

#[derive(Deserialize)]
struct ScopeOf {
    id: Option<String>,
    name: Option<String>,
}

impl ScopeOf {
    /// Whether everything that is given is right, and something is given.
    fn is(&self, id: &str, name: &str) -> bool {
        (self.id.is_some() || self.name.is_some())
            && self.id.as_deref().is_none_or(|given| given == id)
            && self.name.as_deref().is_none_or(|given| given == name)
    }
}

/// Gives a token for a user's password.
pub(crate) fn handle(state: &State, request: &RecordedRequest) -> Reply {
    let body = serde_json::from_slice::<Body>(&request.body).ok();
    let Some(Body { auth }) = body.filter(|body| body.auth.identity.methods == ["password"]) else {
        return error(StatusCode::BAD_REQUEST, "The request body is invalid");
    };
    let settings = &state.huawei;
    let given = auth.identity.password.user;
    let known = settings.users.iter().find(|user| {
        user.name == given.name
            && user.domain == given.domain.name
            && user.password == given.password
    });
    let Some(user) = known else {
        let message = "The username or password is wrong.";
        return error(StatusCode::UNAUTHORIZED, message);
    };
    let (project, domain) = auth
        .scope
        .map_or((None, None), |scope| (scope.project, scope.domain));
    let scoped = project.is_some();
    // Both scopes: the project wins.
    if let Some(project) = project {
        if !project.is(&settings.project_id, &settings.region) {
            return error(StatusCode::NOT_FOUND, "Could not find the project.");
        }
    } else if domain.is_some_and(|domain| !domain.is(DOMAIN_ID, &user.domain)) {
        return error(StatusCode::NOT_FOUND, "Could not find the domain.");
    }

    let issued = state.clock.now();
    let lifetime = TimeDelta::from_std(settings.token_lifetime).unwrap_or(TimeDelta::MAX);
    let expires = issued.checked_add_signed(lifetime);
    let expires = expires.unwrap_or(DateTime::<Utc>::MAX_UTC);
    let no_catalog = form_urlencoded::parse(request.query.as_bytes())
        .any(|(name, value)| name == "nocatalog" && !value.is_empty());
    let token = describe(state, user, scoped, !no_catalog, issued, expires);
    let text = format!("MIIE{}{}", id::hex(), id::hex());
    let mut reply = Reply::json(StatusCode::CREATED, &id::hex(), &json!({"token": token}));
    reply.set(HeaderName::from_static("x-subject-token"), &text);
    let project_id = scoped.then(|| settings.project_id.clone());
    let token = Token {
        project_id,
        expires,
        expired: false,
    };
    lock(&state.tokens.0).insert(text, token);
    reply
}

fn describe(
    state: &State,
    user: &User,
    scoped: bool,
    catalog: bool,
    issued: DateTime<Utc>,
    expires: DateTime<Utc>,
) -> Value {
    let settings = &state.huawei;
    let domain = json!({"id": DOMAIN_ID, "name": user.domain});
    let mut token = json!({
        "methods": ["password"],
        "issued_at": time(issued),
        "expires_at": time(expires),
        "roles": [{"id": "0", "name": "te_admin"}],
        "user": {
            "id": USER_ID,
            "name": user.name,
            "domain": domain,
            "password_expires_at": "",
        },
        "catalog": [],
    });
    if scoped {
        token["project"] = json!({
            "id": settings.project_id,
            "name": settings.region,
            "domain": domain,
        });
    } else {
        token["domain"] = domain;
    }
    if catalog {
        token["catalog"] = json!([{
            "id": id::hex(),
            "name": "functiongraph",
            "type": "functiongraph",
            "endpoints": [{
                "id": id::hex(),
                "interface": "public",
                "region": settings.region,
                "region_id": settings.region,
                "url": format!("{}/v2/{}", state.url, settings.project_id),
            }],
        }]);
    }
    token
}

/// An error in IAM's nested shape.
pub(crate) fn error(status: StatusCode, message: &str) -> Reply {
    let body = json!({"error": {
        "code": status.as_u16(),
        "message": message,
        "title": status.canonical_reason().unwrap_or_default(),
    }});
    Reply::json(status, &id::hex(), &body)
}

fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
