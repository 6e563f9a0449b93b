//! IAM: `POST /v3/auth/tokens`.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::{
    credentials::{Credential, Token},
    protocol::{Rest, Wire},
};
use crate::{
    error::Error,
    payload::Secret,
    pipeline::{
        credential::{Context, Lease},
        decode,
        operation::{DecodeError, Encoded, Operation, Replay, Timeouts, sealed::Sealed},
        retry::date,
        transport::Reply,
    },
};

/// What a token is for.
pub(super) enum Scope {
    ProjectId(String),
    ProjectName(String),
}

/// A token by password.
pub(super) struct CreateToken<'a> {
    pub(super) domain: &'a str,
    pub(super) user: &'a str,
    pub(super) password: &'a Secret,
    pub(super) scope: Scope,
}

impl CreateToken<'_> {
    pub(super) async fn send(self, context: &Context) -> Result<Lease<Credential>, Error> {
        let scope = match &self.scope {
            Scope::ProjectId(id) => json!({"project": {"id": id}}),
            Scope::ProjectName(name) => json!({"project": {"name": name}}),
        };
        let body = json!({"auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {
                    "name": self.user,
                    "password": self.password.expose(),
                    "domain": {"name": self.domain},
                }},
            },
            "scope": scope,
        }});
        let Some(endpoint) = context.auth_endpoint.clone() else {
            return Err(Error::configuration("iam_endpoint", "is missing"));
        };
        let created = context
            .send(Rest::anonymous(endpoint), TokenRequest(body.to_string()))
            .await?;
        let mut lease = Lease::new(created.credential).expires_at(created.expires_at);
        if let Some(issued_at) = created.issued_at {
            lease = lease.issued_at(issued_at);
        }
        Ok(lease)
    }
}

/// The body of the call.
struct TokenRequest(String);

struct CreatedToken {
    credential: Credential,
    issued_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
}

impl Sealed for TokenRequest {}

impl Operation for TokenRequest {
    const NAME: &'static str = "KeystoneCreateUserTokenByPassword";
    type Protocol = Rest;
    type Output = CreatedToken;

    fn encode(self) -> Result<Encoded<Wire>, Error> {
        Ok(Encoded {
            wire: Wire::post_to("/v3/auth/tokens", Some("nocatalog=true"), self.0),
            replay: Replay::Repeatable,
            limits: Timeouts::SHORT,
            subject: None,
        })
    }

    fn decode(reply: &Reply) -> Result<CreatedToken, DecodeError> {
        #[derive(Deserialize)]
        struct Body {
            token: Details,
        }
        #[derive(Deserialize)]
        struct Details {
            #[serde(deserialize_with = "decode::time")]
            expires_at: Option<DateTime<Utc>>,
            #[serde(default, deserialize_with = "decode::time")]
            issued_at: Option<DateTime<Utc>>,
            #[serde(default, deserialize_with = "decode::part")]
            project: Option<Project>,
        }
        #[derive(Deserialize)]
        struct Project {
            id: String,
        }

        let token = reply
            .headers
            .get("x-subject-token")
            .ok_or(DecodeError::Missing("the header X-Subject-Token"))?
            .to_str()
            .map_err(|_| DecodeError::Unusable("header X-Subject-Token"))?;
        let Body { token: details } = decode::object(&reply.body)?;
        let mut credential = Token::new(token);
        credential.project_id = details.project.map(|project| project.id);
        Ok(CreatedToken {
            credential: credential.into(),
            issued_at: details.issued_at.or_else(|| date(&reply.headers)),
            expires_at: details
                .expires_at
                .ok_or(DecodeError::Unusable("token.expires_at"))?,
        })
    }
}
