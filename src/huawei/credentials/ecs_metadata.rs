//! The agency of the machine.

use std::{fmt, time::Duration};

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use super::temporary::TemporaryKey;
use crate::{
    error::{Error, ErrorKind},
    huawei::credential::Credential,
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        transport::Reply,
    },
};

const SERVICE: &str = "the metadata service";
const ADDRESS: &str = "http://169.254.169.254";
const LIMIT: Duration = Duration::from_secs(3);

/// Temporary keys of the agency that an ECS instance has, from its metadata service.
///
/// Asks with a token, and without one where the service has none to give (404, 405, 503). A token
/// that is refused is replaced once. Each request has 3 s and never goes through a proxy.
///
/// After a refusal, such as 404 where the instance has no agency, it is asked again within 5 s.
///
/// Source: the official Python core 3.1.219.
#[derive(Clone, Default)]
pub struct EcsMetadata {
    #[cfg(test)]
    address: Option<String>,
}

impl EcsMetadata {
    /// The agency of this machine.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks another address.
    #[cfg(test)]
    pub(super) fn at(address: impl Into<String>) -> Self {
        Self {
            address: Some(address.into()),
        }
    }

    fn url(&self, path: &str) -> Result<Url, Error> {
        #[cfg(test)]
        let address = self.address.as_deref().unwrap_or(ADDRESS);
        #[cfg(not(test))]
        let address = ADDRESS;
        Url::parse(&format!("{address}/{path}"))
            .map_err(|_| Error::new(ErrorKind::Credentials, "the metadata address is no URL"))
    }

    /// The headers of the read: with a token, or with none where the service has none.
    async fn headers(&self, context: &Context) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-metadata-token-ttl-seconds",
            HeaderValue::from_static("21600"),
        );
        let url = self.url("meta-data/latest/api/token")?;
        let reply = context.fetch(SERVICE, Method::PUT, url, headers, LIMIT);
        let mut headers = HeaderMap::new();
        match reply.await {
            Ok(reply) => {
                let mut token = HeaderValue::from_bytes(reply.body.trim_ascii()).map_err(|_| {
                    let message = format!("{SERVICE} gave a token that is no header value");
                    Error::new(ErrorKind::Decode, message)
                })?;
                token.set_sensitive(true);
                headers.insert("x-metadata-token", token);
            }
            Err(error) => match error.status().map(|status| status.as_u16()) {
                Some(404 | 405 | 503) => {}
                _ => return Err(error),
            },
        }
        Ok(headers)
    }

    async fn key(&self, context: &Context) -> Result<Reply, Error> {
        let headers = self.headers(context).await?;
        let url = self.url("openstack/latest/securitykey")?;
        let reply = context.fetch(SERVICE, Method::GET, url, headers, LIMIT);
        reply.await
    }

    async fn load(&self, context: &Context) -> Result<Lease<Credential>, Error> {
        let reply = match self.key(context).await {
            Err(error) if error.status() == Some(StatusCode::UNAUTHORIZED) => {
                self.key(context).await?
            }
            reply => reply?,
        };
        TemporaryKey::of_metadata(SERVICE, &reply, context).await
    }
}

impl fmt::Debug for EcsMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EcsMetadata")
    }
}

impl ProvideCredential<Credential> for EcsMetadata {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(self.load(context))
    }
}
