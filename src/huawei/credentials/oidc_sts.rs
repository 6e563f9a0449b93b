//! An agency, taken on with a token of an identity provider.

use std::{borrow::Cow, fmt, path::PathBuf};

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
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        environment::Environment,
        operation::{DecodeError, Encoded, Exchange, Replay, Timeouts},
        transport::Reply,
    },
};

/// Temporary keys of an agency, from `POST /v5/agencies/assume-with-oidc` of STS, for the token of
/// an identity provider in a file.
///
/// The file is read at each refresh, for tokens change. STS, at the region's address or at that of
/// `HUAWEICLOUD_SDK_STS_ENDPOINT` (https), has 8 s to answer, with repeats.
///
/// Source: the official Python core 3.1.219.
#[derive(Clone, Default)]
pub struct OidcSts {
    /// None: all three are in the environment.
    given: Option<Given>,
    session: Session,
}

#[derive(Clone)]
struct Given {
    provider_urn: String,
    agency_urn: String,
    token: IdTokenPlace,
}

/// What may be said of a key; what is not is in the environment, for a source that is.
#[derive(Clone, Default)]
struct Session {
    name: Option<String>,
    duration_seconds: Option<u32>,
    policy: Option<String>,
    policy_ids: Vec<String>,
}

#[derive(Clone)]
enum IdTokenPlace {
    File(PathBuf),
    Text(Secret),
}

impl OidcSts {
    /// Takes on the agency of this URN with the token in this file, which the provider gave.
    pub fn new(
        provider_urn: impl Into<String>,
        agency_urn: impl Into<String>,
        token_file: impl Into<PathBuf>,
    ) -> Self {
        Self {
            given: Some(Given {
                provider_urn: provider_urn.into(),
                agency_urn: agency_urn.into(),
                token: IdTokenPlace::File(token_file.into()),
            }),
            session: Session::default(),
        }
    }

    /// What the variables `HUAWEICLOUD_OIDC_PROVIDER_URN`, `_AGENCY_URN`, and `_ID_TOKEN` or
    /// `_TOKEN_FILE` say, with `_SESSION_NAME` (default: `oidc-sts-session`), `_DURATION_SECONDS`
    /// (default: 3600), `_POLICY` and `_POLICY_IDS` (separated by commas). They are read when a
    /// credential is needed. What is set here takes its place.
    pub fn from_env() -> Self {
        Self::default()
    }

    /// `agency_session_name`: what the audit log calls the session (default: `oidc-sts-session`).
    #[must_use]
    pub fn session_name(mut self, name: impl Into<String>) -> Self {
        self.session.name = Some(name.into());
        self
    }

    /// `duration_seconds`: how long each key lives, in seconds (default: 3600).
    #[must_use]
    pub fn duration_seconds(mut self, seconds: u32) -> Self {
        self.session.duration_seconds = Some(seconds);
        self
    }

    /// `policy`: a policy, as JSON text, that narrows what the agency may do.
    #[must_use]
    pub fn policy(mut self, policy: impl Into<String>) -> Self {
        self.session.policy = Some(policy.into());
        self
    }

    /// `policy_ids`: adds one that narrows what the agency may do.
    #[must_use]
    pub fn policy_id(mut self, id: impl Into<String>) -> Self {
        self.session.policy_ids.push(id.into());
        self
    }

    async fn load(&self, context: &Context) -> Result<Lease<Credential>, Error> {
        let environment = context.environment();
        let (given, session) = match &self.given {
            Some(given) => (given.clone(), self.session.clone()),
            None => (
                Given::of(&environment)?,
                self.session.clone().or(&environment)?,
            ),
        };
        let token = match given.token {
            IdTokenPlace::File(path) => environment.read_token(&path, "the OIDC token").await?,
            IdTokenPlace::Text(token) => token,
        };
        token.check("the OIDC token")?;
        let mut body = json!({
            "provider_urn": given.provider_urn,
            "agency_urn": given.agency_urn,
            "agency_session_name": session.name.as_deref().unwrap_or("oidc-sts-session"),
            "id_token": token.expose(),
            "duration_seconds": session.duration_seconds.unwrap_or(3600),
        });
        if let Some(policy) = session.policy {
            body["policy"] = policy.into();
        }
        if !session.policy_ids.is_empty() {
            body["policy_ids"] = session.policy_ids.into();
        }
        let address = endpoint::sts_for(context)?;
        let request = AssumeAgencyWithOidc(body.to_string());
        let answer = context.exchange(Rest::anonymous(address), None, request, &OPTIONS);
        TemporaryKey::of_answer(answer.await, None, context).await
    }
}

impl Given {
    fn of(environment: &Environment) -> Result<Self, Error> {
        const TEXT: &str = "HUAWEICLOUD_OIDC_ID_TOKEN";
        let is_text = environment.variable(TEXT).is_some();
        let token = match is_text {
            true => TEXT,
            false => "HUAWEICLOUD_OIDC_TOKEN_FILE",
        };
        let [provider_urn, agency_urn, token] = environment.together([
            "HUAWEICLOUD_OIDC_PROVIDER_URN",
            "HUAWEICLOUD_OIDC_AGENCY_URN",
            token,
        ])?;
        Ok(Self {
            provider_urn,
            agency_urn,
            token: match is_text {
                true => IdTokenPlace::Text(token.into()),
                false => IdTokenPlace::File(token.into()),
            },
        })
    }
}

impl Session {
    /// With what the environment says where nothing is said here.
    fn or(mut self, environment: &Environment) -> Result<Self, Error> {
        let variable = |name: &str| environment.variable(&format!("HUAWEICLOUD_OIDC_{name}"));
        self.name = self.name.or_else(|| variable("SESSION_NAME"));
        self.policy = self.policy.or_else(|| variable("POLICY"));
        if let (None, Some(seconds)) = (self.duration_seconds, variable("DURATION_SECONDS")) {
            self.duration_seconds = Some(seconds.trim().parse().map_err(|_| {
                let message = "`HUAWEICLOUD_OIDC_DURATION_SECONDS` is not a number of seconds";
                Error::new(ErrorKind::Credentials, message)
            })?);
        }
        if let (true, Some(ids)) = (self.policy_ids.is_empty(), variable("POLICY_IDS")) {
            let ids = ids.split(',').map(str::trim).filter(|id| !id.is_empty());
            self.policy_ids = ids.map(str::to_owned).collect();
        }
        Ok(self)
    }
}

/// The body of the call.
struct AssumeAgencyWithOidc(String);

impl Exchange for AssumeAgencyWithOidc {
    type Protocol = Rest;
    type Answer = TemporaryKey;

    fn name(&self) -> Cow<'static, str> {
        "AssumeAgencyWithOIDC".into()
    }

    fn encode(self) -> Result<Encoded<Wire>, Error> {
        Ok(Encoded {
            wire: Wire::post_to("/v5/agencies/assume-with-oidc", None, self.0),
            replay: Replay::Repeatable,
            limits: Timeouts::SHORT,
            subject: None,
        })
    }

    fn decode(reply: &Reply) -> Result<TemporaryKey, DecodeError> {
        TemporaryKey::read(&reply.body)
    }
}

impl fmt::Debug for OidcSts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OidcSts(..)")
    }
}

impl ProvideCredential<Credential> for OidcSts {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(self.load(context))
    }
}
