//! Keys from a URL.

use std::{fmt, time::Duration};

use http::{HeaderMap, Method};
use url::Url;

use super::{Credentials, fields::Issued};
use crate::{
    error::{Error, ErrorKind},
    payload::Secret,
    pipeline::credential::{BoxFuture, Context, Lease, ProvideCredential},
};

const VARIABLE: &str = "ALIBABA_CLOUD_CREDENTIALS_URI";
const SERVICE: &str = "the credentials URI";
const LIMIT: Duration = Duration::from_secs(5);

/// Temporary keys from a URL, such as one of a sidecar: an answer of status 200 with `Code`
/// (`Success`), `AccessKeyId`, `AccessKeySecret`, `SecurityToken` and `Expiration`.
///
/// The request has 5 s, never goes through a proxy and follows no redirect. Plain http is allowed,
/// as sidecars use it: beyond this machine, what comes can be read on the way. An https address
/// must have a certificate that the system trusts.
///
/// Source: Alibaba Cloud, Credentials for Python, Go and Java.
#[derive(Clone, Default)]
pub struct CredentialsUri {
    uri: Option<Secret>,
}

impl CredentialsUri {
    /// Keys from this http or https URL.
    pub fn new(uri: impl Into<Secret>) -> Self {
        Self {
            uri: Some(uri.into()),
        }
    }

    /// Keys from the URL in `ALIBABA_CLOUD_CREDENTIALS_URI`.
    pub fn from_env() -> Self {
        Self::default()
    }

    fn url(&self, context: &Context) -> Result<Url, Error> {
        let text = match &self.uri {
            Some(uri) => uri.clone(),
            None => context.environment().required(VARIABLE)?.into(),
        };
        match Url::parse(text.expose()) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
            _ => Err(Error::new(
                ErrorKind::Credentials,
                format!("{SERVICE} is not an http or https URL"),
            )),
        }
    }
}

impl fmt::Debug for CredentialsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL may hold a secret.
        f.write_str("CredentialsUri(..)")
    }
}

impl ProvideCredential<Credentials> for CredentialsUri {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(async {
            let url = self.url(context)?;
            let reply = context.fetch(SERVICE, Method::GET, url, HeaderMap::new(), LIMIT);
            let reply = reply.await?;
            Issued::of_metadata(SERVICE, &reply.body, &reply.headers)
        })
    }
}
