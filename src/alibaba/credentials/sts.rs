//! STS, version `2015-04-01`: temporary keys of a role.

use std::{borrow::Cow, sync::Arc, time::Duration};

use url::Url;

use super::{Credentials, keys::TemporaryKey};
use crate::{
    alibaba::{
        endpoint,
        protocol::{Form, Rpc, Wire},
        refusal,
    },
    error::Error,
    payload::Secret,
    pipeline::{
        cache::Cache,
        credential::{Context, Lease},
        json::{self, Object},
        operation::{DecodeError, Encoded, Exchange, Replay, Timeouts},
        options::CallOptions,
        read::Fault,
        setting::Setting,
        transport::Reply,
    },
    response::Response,
};

/// Shorter than the cache's limit, so that it is STS that an error speaks of.
const OPTIONS: CallOptions = CallOptions {
    timeout: Some(Duration::from_secs(8)),
    attempt_timeout: Some(Duration::from_secs(5)),
    retry: None,
    repeat_if_unknown: false,
    is_poll: false,
    headers: None,
};

/// What a role is taken on with.
#[derive(Clone, Default)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) session_name: Option<String>,
    pub(super) duration_seconds: Option<u32>,
    pub(super) policy: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) region: Option<String>,
    pub(super) vpc: Option<bool>,
}

impl Role {
    pub(super) fn new(arn: impl Into<String>) -> Self {
        Self {
            arn: arn.into(),
            ..Self::default()
        }
    }

    /// `AssumeRole`, signed with this key.
    pub(super) async fn assume(
        &self,
        context: &Context,
        key: Credentials,
    ) -> Result<Lease<Credentials>, Error> {
        context.note_key(&key.access_key_id);
        let signer = Cache::new(Arc::new(key), context.clone());
        let request = AssumeRoleRequest(self.form(context, None)?);
        let protocol = Rpc::sts(self.endpoint(context)?);
        let answer = context.exchange(protocol, Some(signer), request, &OPTIONS);
        lease(answer.await).map_err(Error::may_lock)
    }

    /// `AssumeRoleWithOIDC`, anonymous: the token speaks for itself.
    pub(super) async fn assume_with_token(
        &self,
        context: &Context,
        provider_arn: &str,
        token: &Secret,
    ) -> Result<Lease<Credentials>, Error> {
        let request = AssumeRoleWithOidcRequest(self.form(context, Some((provider_arn, token)))?);
        let protocol = Rpc::sts(self.endpoint(context)?);
        lease(context.exchange(protocol, None, request, &OPTIONS).await)
    }

    fn form(&self, context: &Context, oidc: Option<(&str, &Secret)>) -> Result<Form, Error> {
        let seconds = self.duration_seconds.unwrap_or(3600);
        if seconds < 900 {
            return Err(Error::configuration(
                "duration_seconds",
                "must be at least 900",
            ));
        }
        let name = self.session_name.clone();
        let name = name.or_else(|| {
            context
                .environment()
                .variable("ALIBABA_CLOUD_ROLE_SESSION_NAME")
        });
        let name = name.unwrap_or_else(|| format!("cloud-workflows-{}", context.now().timestamp()));
        let mut form = Form::default();
        form.push("DurationSeconds", &seconds.to_string());
        form.push_some("ExternalId", self.external_id.as_deref());
        if let Some((provider_arn, token)) = oidc {
            form.push("OIDCProviderArn", provider_arn);
            form.push("OIDCToken", token.expose());
        }
        form.push_some("Policy", self.policy.as_deref());
        form.push("RoleArn", &self.arn);
        form.push("RoleSessionName", &name);
        Ok(form)
    }

    fn endpoint(&self, context: &Context) -> Result<Url, Error> {
        const SETTING: &str = "sts_region";
        let environment = context.environment();
        let given = self
            .region
            .as_deref()
            .map(|region| Setting::given(SETTING, region));
        let region = given.or_else(|| {
            Setting::of_variables(SETTING, &environment, &["ALIBABA_CLOUD_STS_REGION"])
        });
        let region = region.map(|region| region.region()).transpose()?;
        let vpc = self
            .vpc
            .unwrap_or_else(|| environment.flag("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"));
        endpoint::sts_for(context, region.as_deref(), vpc)
    }
}

fn lease(answer: Result<Response<TemporaryKey>, Error>) -> Result<Lease<Credentials>, Error> {
    match answer {
        Ok(answer) => answer.value.lease(&answer.headers),
        // An answer that could not be read may hold the secret all the same.
        Err(error) => Err(error.without_body()),
    }
}

struct AssumeRoleRequest(Form);
struct AssumeRoleWithOidcRequest(Form);

macro_rules! sts_operation {
    ($request:ident, $name:literal) => {
        impl Exchange for $request {
            type Protocol = Rpc;
            type Answer = TemporaryKey;

            fn name(&self) -> Cow<'static, str> {
                $name.into()
            }

            fn encode(self) -> Result<Encoded<Wire>, Error> {
                Ok(Encoded {
                    wire: Wire::post($name, self.0),
                    replay: Replay::Repeatable,
                    limits: Timeouts::SHORT,
                    subject: None,
                })
            }

            fn decode(reply: &Reply) -> Result<TemporaryKey, DecodeError> {
                key(reply)
            }
        }
    };
}
sts_operation!(AssumeRoleRequest, "AssumeRole");
sts_operation!(AssumeRoleWithOidcRequest, "AssumeRoleWithOIDC");

fn key(reply: &Reply) -> Result<TemporaryKey, DecodeError> {
    let body = json::text(&reply.body);
    let answer = Object::read(&body).map_err(|fault| DecodeError::from(Fault::Json(fault)));
    let credentials = answer.and_then(|answer| {
        let credentials = answer.object("Credentials");
        credentials.ok_or(DecodeError::Missing("Credentials"))
    });
    let credentials = credentials.map_err(|fault| refusal::instead(reply, fault))?;
    TemporaryKey::read(&credentials)
}

/// Writes the setters that both ways to take on a role have in common.
macro_rules! role_setters {
    () => {
        /// `RoleSessionName`: what the audit log calls the session (default:
        /// `ALIBABA_CLOUD_ROLE_SESSION_NAME`, else `cloud-workflows-` and the time in seconds).
        #[must_use]
        pub fn session_name(mut self, name: impl Into<String>) -> Self {
            self.role.session_name = Some(name.into());
            self
        }

        /// `DurationSeconds`: how long each key lives, in seconds, at least 900 (default 3600).
        #[must_use]
        pub fn duration_seconds(mut self, seconds: u32) -> Self {
            self.role.duration_seconds = Some(seconds);
            self
        }

        /// `Policy`: a policy, as JSON text, that narrows what the role may do.
        #[must_use]
        pub fn policy(mut self, policy: impl Into<String>) -> Self {
            self.role.policy = Some(policy.into());
            self
        }

        /// Calls STS in this region, at `sts.{region}.aliyuncs.com` (default:
        /// `ALIBABA_CLOUD_STS_REGION`, else the client's region, of which those that CloudFlow's
        /// documents list are served by `sts.aliyuncs.com`, as is a client without a region).
        /// [`sts_endpoint`](crate::alibaba::ClientBuilder::sts_endpoint) of the client goes before
        /// all of these.
        #[must_use]
        pub fn sts_region(mut self, region: impl Into<String>) -> Self {
            self.role.region = Some(region.into());
            self
        }

        /// Calls STS inside a VPC, at `sts-vpc.{region}.aliyuncs.com` (default: whether
        /// `ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED` is `true`). Where `sts.aliyuncs.com` is called, it
        /// means nothing.
        #[must_use]
        pub fn vpc(mut self, vpc: bool) -> Self {
            self.role.vpc = Some(vpc);
            self
        }
    };
}
pub(super) use role_setters;
