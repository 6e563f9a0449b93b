//! IAM: `POST /v3/auth/tokens`.

use std::{borrow::Cow, time::Duration};

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    credential::{Credential, Token},
    endpoint,
    projects::no_project,
    protocol::{Rest, Wire},
};
use crate::{
    error::{Error, ErrorCode, Lack},
    payload::Secret,
    pipeline::{
        credential::{Context, Lease},
        json::{self, Object},
        operation::{DecodeError, Encoded, Exchange, Replay, Timeouts},
        read::Fault,
        retry::date,
        times::parse_time,
        transport::Reply,
    },
};

/// What a token is for.
pub(super) enum Scope {
    ProjectId(String),
    ProjectName(String),
}

impl Scope {
    fn json(&self) -> Value {
        match self {
            Self::ProjectId(id) => json!({"project": {"id": id}}),
            Self::ProjectName(name) => json!({"project": {"name": name}}),
        }
    }

    /// The client's project by its id, else this one, else the client's by its name.
    pub(super) fn of(context: &Context, project_id: Option<&str>) -> Result<Self, Error> {
        // Of a credential's own, only where the client was told nothing.
        let own = project_id.filter(|_| context.project_name.is_none());
        match context.project_id().or(own) {
            Some(id) => Ok(Self::ProjectId(id.to_owned())),
            None => match context.project_name() {
                Some(name) => Ok(Self::ProjectName(name.to_owned())),
                None => Err(no_project()),
            },
        }
    }
}

/// A token by password.
pub(super) struct CreateToken<'a> {
    pub(super) domain: &'a str,
    pub(super) user: &'a str,
    pub(super) password: &'a Secret,
    /// The id of the user and what its device shows now.
    pub(super) passcode: Option<(&'a str, Secret)>,
    pub(super) scope: Scope,
}

/// After this time a device shows another passcode.
const NEXT_PASSCODE: Duration = Duration::from_secs(30);

impl CreateToken<'_> {
    pub(super) async fn send(self, context: &Context) -> Result<Lease<Credential>, Error> {
        let mut identity = json!({
            "methods": ["password"],
            "password": {"user": {
                "name": self.user,
                "password": self.password.expose(),
                "domain": {"name": self.domain},
            }},
        });
        if let Some((user_id, passcode)) = &self.passcode {
            identity["methods"] = json!(["password", "totp"]);
            identity["totp"] = json!({"user": {"id": user_id, "passcode": passcode.expose()}});
        }
        let body = json!({"auth": {"identity": identity, "scope": self.scope.json()}});
        let iam = Rest::anonymous(endpoint::iam_for(context)?);
        let created = context.send(iam, TokenRequest(body.to_string())).await;
        let created = created.map_err(|error| match (error.code(), error.status()) {
            (Some(ErrorCode::Iam1061), _) => error.may_lock().with_retry_after(Some(NEXT_PASSCODE)),
            // Whoever says so: the password was shown, and may have been looked at.
            (_, Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)) => {
                error.with_lack(Lack::Final)
            }
            _ => error.may_lock(),
        })?;
        Ok(created.lease())
    }
}

/// A token of an agency.
pub(super) struct CreateAgencyToken<'a> {
    pub(super) agency_name: &'a str,
    pub(super) domain_name: &'a str,
    pub(super) scope: Scope,
}

impl CreateAgencyToken<'_> {
    /// Asks with this credential.
    pub(super) async fn send(
        self,
        context: &Context,
        credential: Credential,
    ) -> Result<Lease<Credential>, Error> {
        let body = json!({"auth": {
            "identity": {
                "methods": ["assume_role"],
                "assume_role": {
                    "agency_name": self.agency_name,
                    "domain_name": self.domain_name,
                },
            },
            "scope": self.scope.json(),
        }});
        let iam = Rest::with(endpoint::iam_for(context)?, credential);
        let created = context.send(iam, AgencyTokenRequest(body.to_string()));
        Ok(created.await?.lease())
    }
}

/// The body of the call.
struct TokenRequest(String);

struct CreatedToken {
    credential: Credential,
    issued_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
}

impl CreatedToken {
    fn lease(self) -> Lease<Credential> {
        let lease = Lease::new(self.credential).expires_at(self.expires_at);
        match self.issued_at {
            Some(issued_at) => lease.issued_at(issued_at),
            None => lease,
        }
    }
}

/// The body of the call.
struct AgencyTokenRequest(String);

impl Exchange for AgencyTokenRequest {
    type Protocol = Rest;
    type Answer = CreatedToken;

    fn name(&self) -> Cow<'static, str> {
        "KeystoneCreateAgencyToken".into()
    }

    fn encode(self) -> Result<Encoded<Wire>, Error> {
        TokenRequest(self.0).encode()
    }

    fn decode(reply: &Reply) -> Result<CreatedToken, DecodeError> {
        TokenRequest::decode(reply)
    }
}

impl Exchange for TokenRequest {
    type Protocol = Rest;
    type Answer = CreatedToken;

    fn name(&self) -> Cow<'static, str> {
        "KeystoneCreateUserTokenByPassword".into()
    }

    fn encode(self) -> Result<Encoded<Wire>, Error> {
        Ok(Encoded {
            wire: Wire::post_to("/v3/auth/tokens", Some("nocatalog=true"), self.0),
            replay: Replay::Repeatable,
            limits: Timeouts::SHORT,
            subject: None,
        })
    }

    fn decode(reply: &Reply) -> Result<CreatedToken, DecodeError> {
        let token = reply
            .headers
            .get("x-subject-token")
            .ok_or(DecodeError::Missing("the header X-Subject-Token"))?
            .to_str()
            .map_err(|_| DecodeError::Unusable("header X-Subject-Token"))?;
        let body = json::text(&reply.body);
        let answer = Object::read(&body).map_err(Fault::Json)?;
        let details = answer.object("token").unwrap_or_default();
        let lacks = || DecodeError::Unreadable("a token without `expires_at`".to_owned());
        let end = details.text("expires_at").ok_or_else(lacks)?;
        let issued_at = details.text("issued_at");
        let mut credential = Token::new(token);
        let project = details.object("project");
        credential.project_id = project
            .and_then(|project| project.text("id"))
            .map(Cow::into_owned);
        Ok(CreatedToken {
            credential: credential.into(),
            issued_at: issued_at
                .and_then(|text| parse_time(&text))
                .or_else(|| date(&reply.headers)),
            expires_at: parse_time(&end).ok_or(DecodeError::Unusable("token.expires_at"))?,
        })
    }
}
