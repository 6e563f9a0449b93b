//! The role of the machine.

use std::{fmt, time::Duration};

use http::{HeaderMap, HeaderValue, Method};
use url::Url;

use super::{Credentials, keys::TemporaryKey};
use crate::{
    error::{Error, ErrorKind},
    pipeline::credential::{BoxFuture, Context, Lease, ProvideCredential},
};

const SERVICE: &str = "the metadata service";
const ADDRESS: &str = "http://100.100.100.200";
const ROLES: &str = "latest/meta-data/ram/security-credentials/";
const LIMIT: Duration = Duration::from_secs(1);

/// Temporary keys of the RAM role that an ECS instance has, from its metadata service.
///
/// Asks with a token (IMDSv2), and without one where none could be had, unless
/// `ALIBABA_CLOUD_IMDSV1_DISABLED` is `true`. Each request has 1 s and never goes through a proxy.
/// `ALIBABA_CLOUD_ECS_METADATA_DISABLED=true` switches the source off.
///
/// After a refusal, such as 404 where the instance has no role, it is asked again within 5 s.
///
/// Source: Alibaba Cloud, ECS, "Instance metadata" and "Instance RAM roles".
#[derive(Clone, Default)]
pub struct EcsRamRole {
    role_name: Option<String>,
    imdsv1_disabled: bool,
    #[cfg(test)]
    address: Option<String>,
}

impl EcsRamRole {
    /// The role that `ALIBABA_CLOUD_ECS_METADATA` names, else the one that the instance has.
    pub fn new() -> Self {
        Self::default()
    }

    /// The role's name: saves one request for each refresh.
    #[must_use]
    pub fn role_name(mut self, name: impl Into<String>) -> Self {
        self.role_name = Some(name.into());
        self
    }

    /// Whether to ask with a token or not at all, as `ALIBABA_CLOUD_IMDSV1_DISABLED` does.
    #[must_use]
    pub fn imdsv1_disabled(mut self, disabled: bool) -> Self {
        self.imdsv1_disabled = disabled;
        self
    }

    /// Asks another address.
    #[cfg(test)]
    pub(super) fn at(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    fn url(&self, path: &str) -> Result<Url, Error> {
        #[cfg(test)]
        let address = self.address.as_deref().unwrap_or(ADDRESS);
        #[cfg(not(test))]
        let address = ADDRESS;
        Url::parse(&format!("{address}/{path}")).map_err(|_| {
            Error::new(
                ErrorKind::Credentials,
                "the RAM role's name fits no address",
            )
        })
    }

    /// The headers of the reads: with a token, or with none where that is allowed.
    async fn headers(&self, context: &Context) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-aliyun-ecs-metadata-token-ttl-seconds",
            HeaderValue::from_static("21600"),
        );
        let url = self.url("latest/api/token")?;
        let token = context
            .fetch(SERVICE, Method::PUT, url, headers, LIMIT)
            .await;
        let token = token.and_then(|reply| {
            HeaderValue::from_bytes(reply.body.trim_ascii()).map_err(|_| {
                let message = format!("{SERVICE} gave a token that is no header value");
                Error::new(ErrorKind::Decode, message)
            })
        });
        let mut headers = HeaderMap::new();
        match token {
            Ok(mut token) => {
                token.set_sensitive(true);
                headers.insert("x-aliyun-ecs-metadata-token", token);
            }
            Err(error) => {
                let environment = context.environment();
                if self.imdsv1_disabled || environment.flag("ALIBABA_CLOUD_IMDSV1_DISABLED") {
                    return Err(error);
                }
            }
        }
        Ok(headers)
    }

    async fn load(&self, context: &Context) -> Result<Lease<Credentials>, Error> {
        let environment = context.environment();
        if environment.flag("ALIBABA_CLOUD_ECS_METADATA_DISABLED") {
            return Err(Error::not_set_up(
                "switched off by `ALIBABA_CLOUD_ECS_METADATA_DISABLED`",
            ));
        }
        let headers = self.headers(context).await?;
        let configured = self.role_name.clone();
        let configured = configured.or_else(|| environment.variable("ALIBABA_CLOUD_ECS_METADATA"));
        let name = match configured {
            Some(name) if is_role_name(&name) => name,
            Some(_) => {
                let rule = "the RAM role's name must be 1 to 64 letters, digits, `.`, `-` and `_`";
                return Err(Error::new(ErrorKind::Credentials, rule));
            }
            None => {
                let url = self.url(ROLES)?;
                let reply = context.fetch(SERVICE, Method::GET, url, headers.clone(), LIMIT);
                let body = reply.await?.body;
                match str::from_utf8(body.trim_ascii()) {
                    Ok(name) if is_role_name(name) => name.to_owned(),
                    _ => {
                        let message = format!("{SERVICE} gave no name of a RAM role");
                        return Err(Error::new(ErrorKind::Decode, message));
                    }
                }
            }
        };
        let url = self.url(&format!("{ROLES}{name}"))?;
        let reply = context
            .fetch(SERVICE, Method::GET, url, headers, LIMIT)
            .await?;
        TemporaryKey::of_metadata(SERVICE, &reply)
    }
}

/// RAM's rule for role names: up to 64 letters, digits, `.`, `-` and `_`.
fn is_role_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        && name.bytes().any(|byte| byte != b'.')
}

impl fmt::Debug for EcsRamRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EcsRamRole(..)")
    }
}

impl ProvideCredential<Credentials> for EcsRamRole {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(self.load(context))
    }
}
