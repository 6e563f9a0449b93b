//! Keys from a URL.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Method, header};
use percent_encoding::percent_decode_str;
use url::Url;
use zeroize::Zeroizing;

use super::{Credentials, keys::TemporaryKey};
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
/// must have a certificate that the system trusts. A user and a password in the URL are sent as the
/// header `Authorization: Basic`.
///
/// After a refusal, such as 404 from a sidecar that is not ready, it is asked again within 5 s.
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

/// Moves user and password out of a URL, into the header of a request.
fn take_user(url: &mut Url) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    if url.username().is_empty() && url.password().is_none() {
        return Ok(headers);
    }
    let mut pair = Zeroizing::new(Vec::new());
    pair.extend(percent_decode_str(url.username()));
    pair.push(b':');
    pair.extend(percent_decode_str(url.password().unwrap_or_default()));
    let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(&pair)));
    let refused = || {
        let message = format!("{SERVICE} has a user and a password that cannot be sent");
        Error::new(ErrorKind::Credentials, message)
    };
    let mut basic = HeaderValue::from_str(&basic).map_err(|_| refused())?;
    basic.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, basic);
    url.set_password(None).map_err(|()| refused())?;
    url.set_username("").map_err(|()| refused())?;
    Ok(headers)
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
            let mut url = self.url(context)?;
            let headers = take_user(&mut url)?;
            let reply = context.fetch(SERVICE, Method::GET, url, headers, LIMIT);
            let reply = reply.await?;
            TemporaryKey::of_metadata(SERVICE, &reply)
        })
    }
}
