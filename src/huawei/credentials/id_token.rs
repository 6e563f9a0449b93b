//! Federation: an id token for a temporary key.

use std::{borrow::Cow, fmt, path::PathBuf};

use http::HeaderValue;
use serde_json::json;

use super::temporary::{OPTIONS, TemporaryKey};
use crate::{
    error::{Error, ErrorKind},
    huawei::{
        credential::Credential,
        endpoint,
        protocol::{Rest, Wire},
    },
    payload::Secret,
    pipeline::visible::check_visible,
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        operation::{DecodeError, Encoded, Exchange, Replay, Timeouts},
        transport::Reply,
    },
};

/// Temporary keys for the OIDC id token in a file, from IAM: `POST /v3.0/OS-AUTH/id-token/tokens`,
/// then `POST /v3.0/OS-CREDENTIAL/securitytokens`. A key lives six hours.
///
/// The file is read at each refresh, for tokens change. Each call has 8 s, with repeats.
///
/// Source: the official Python core 3.1.219.
#[derive(Clone)]
pub struct IdToken {
    idp_id: String,
    file: PathBuf,
    project_id: Option<String>,
}

impl IdToken {
    /// Keys for the token in this file, which the identity provider of this name in IAM gave.
    pub fn new(idp_id: impl Into<String>, token_file: impl Into<PathBuf>) -> Self {
        Self {
            idp_id: idp_id.into(),
            file: token_file.into(),
            project_id: None,
        }
    }

    /// The project to call in, where the client is not told one.
    #[must_use]
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }

    async fn load(&self, context: &Context) -> Result<Lease<Credential>, Error> {
        check_visible("idp_id", &self.idp_id)?;
        let idp_id = HeaderValue::from_str(&self.idp_id).map_err(|_| {
            let message = "the identity provider's id is no header value";
            Error::new(ErrorKind::Credentials, message)
        })?;
        let endpoint = endpoint::iam_for(context)?;
        let environment = context.environment();
        let token = environment.read_token(&self.file, "the id token").await?;
        let body = json!({"auth": {"id_token": {"id": token.expose()}}}).to_string();
        let request = UnscopedToken { idp_id, body };
        let iam = Rest::anonymous(endpoint.clone());
        let token = context.exchange(iam, None, request, &OPTIONS).await;
        let token = token.map_err(Error::without_body)?.into_value();
        // The token speaks from the body, so that the call has no other credential.
        let token = json!({"id": token.expose(), "duration_seconds": 21_600});
        let body = json!({"auth": {"identity": {"methods": ["token"], "token": token}}});
        let request = SecurityToken(body.to_string());
        let answer = context.exchange(Rest::anonymous(endpoint), None, request, &OPTIONS);
        TemporaryKey::of_answer(answer.await, self.project_id.clone(), context).await
    }
}

struct UnscopedToken {
    idp_id: HeaderValue,
    body: String,
}

impl Exchange for UnscopedToken {
    type Protocol = Rest;
    type Answer = Secret;

    fn name(&self) -> Cow<'static, str> {
        "CreateTokenWithIdToken".into()
    }

    fn encode(self) -> Result<Encoded<Wire>, Error> {
        let wire = Wire::post_to("/v3.0/OS-AUTH/id-token/tokens", None, self.body);
        Ok(Encoded {
            wire: wire.header("x-idp-id", self.idp_id),
            replay: Replay::Repeatable,
            limits: Timeouts::SHORT,
            subject: None,
        })
    }

    fn decode(reply: &Reply) -> Result<Secret, DecodeError> {
        let token = reply.headers.get("x-subject-token");
        let token = token.ok_or(DecodeError::Missing("the header X-Subject-Token"))?;
        let token = token
            .to_str()
            .map_err(|_| DecodeError::Unusable("header X-Subject-Token"))?;
        Ok(token.into())
    }
}

/// The body of the call.
struct SecurityToken(String);

impl Exchange for SecurityToken {
    type Protocol = Rest;
    type Answer = TemporaryKey;

    fn name(&self) -> Cow<'static, str> {
        "CreateTemporaryAccessKeyByToken".into()
    }

    fn encode(self) -> Result<Encoded<Wire>, Error> {
        Ok(Encoded {
            wire: Wire::post_to("/v3.0/OS-CREDENTIAL/securitytokens", None, self.0),
            replay: Replay::Repeatable,
            limits: Timeouts::SHORT,
            subject: None,
        })
    }

    fn decode(reply: &Reply) -> Result<TemporaryKey, DecodeError> {
        TemporaryKey::read(&reply.body)
    }
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdToken(..)")
    }
}

impl ProvideCredential<Credential> for IdToken {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(self.load(context))
    }
}
