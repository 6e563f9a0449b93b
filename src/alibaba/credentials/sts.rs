//! STS, version `2015-04-01`: temporary keys of a role.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use url::Url;

use super::{
    Credentials,
    fields::{Issued, TemporaryKey},
};
use crate::{
    alibaba::protocol::{Form, Rpc, Wire, read},
    error::{Error, ErrorKind},
    payload::Secret,
    pipeline::{
        call::CallOptions,
        credential::{Cache, Context, Lease},
        decode,
        operation::{DecodeError, Encoded, Operation, Replay, Timeouts, sealed::Sealed},
        settings::check_region,
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
        let signer = Cache::new(Arc::new(key), context.clone());
        let request = AssumeRoleRequest(self.form(context, None)?);
        let protocol = Rpc::sts(self.endpoint(context)?);
        let answer = context.exchange(protocol, Some(signer), request, &OPTIONS);
        lease(answer.await)
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

    /// `sts.aliyuncs.com`, or the region's host, or the one for its VPCs.
    fn endpoint(&self, context: &Context) -> Result<Url, Error> {
        if let Some(endpoint) = &context.auth_endpoint {
            return Ok(endpoint.clone());
        }
        let environment = context.environment();
        let region = self.region.clone();
        let region = region.or_else(|| environment.variable("ALIBABA_CLOUD_STS_REGION"));
        let vpc = self
            .vpc
            .unwrap_or_else(|| environment.flag("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"));
        let host = match region {
            None => "sts.aliyuncs.com".to_owned(),
            Some(region) => {
                check_region(&region)?;
                format!(
                    "{}.{region}.aliyuncs.com",
                    if vpc { "sts-vpc" } else { "sts" }
                )
            }
        };
        Url::parse(&format!("https://{host}"))
            .map_err(|_| Error::configuration("sts_region", "does not fit a host name"))
    }
}

fn lease(answer: Result<Response<TemporaryKey>, Error>) -> Result<Lease<Credentials>, Error> {
    match answer {
        Ok(answer) => answer.value.lease(&answer.headers),
        // The part of an answer that could not be read may hold the secret all the same.
        Err(error) if error.kind() == ErrorKind::Decode => Err(error.with_body_excerpt(&[])),
        Err(error) => Err(error),
    }
}

struct AssumeRoleRequest(Form);
struct AssumeRoleWithOidcRequest(Form);

macro_rules! sts_operation {
    ($request:ident, $name:literal) => {
        impl Sealed for $request {}

        impl Operation for $request {
            const NAME: &'static str = $name;
            type Protocol = Rpc;
            type Output = TemporaryKey;

            fn encode(self) -> Result<Encoded<Wire>, Error> {
                Ok(Encoded {
                    wire: Wire::post($name, self.0),
                    replay: Replay::Repeatable,
                    limits: Timeouts::SHORT,
                    subject: None,
                })
            }

            fn decode(reply: &Reply) -> Result<TemporaryKey, DecodeError> {
                let body: Body = read(reply)?;
                let issued = body
                    .credentials
                    .ok_or(DecodeError::Missing("Credentials"))?;
                issued.key()
            }
        }
    };
}
sts_operation!(AssumeRoleRequest, "AssumeRole");
sts_operation!(AssumeRoleWithOidcRequest, "AssumeRoleWithOIDC");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    #[serde(deserialize_with = "decode::part")]
    credentials: Option<Issued>,
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
        /// `ALIBABA_CLOUD_STS_REGION`, else `sts.aliyuncs.com`).
        #[must_use]
        pub fn sts_region(mut self, region: impl Into<String>) -> Self {
            self.role.region = Some(region.into());
            self
        }

        /// Calls STS inside a VPC, at `sts-vpc.{region}.aliyuncs.com` (default: whether
        /// `ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED` is `true`). Without a region it means nothing.
        #[must_use]
        pub fn vpc(mut self, vpc: bool) -> Self {
            self.role.vpc = Some(vpc);
            self
        }
    };
}
pub(super) use role_setters;
