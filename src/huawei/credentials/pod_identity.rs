//! The identity of a pod.

use std::{fmt, path::PathBuf, time::Duration};

use http::{HeaderMap, HeaderValue, header};
use url::Url;

use super::temporary::TemporaryKey;
use crate::{
    error::{Error, ErrorKind},
    huawei::credential::Credential,
    payload::Secret,
    pipeline::credential::{BoxFuture, Context, Lease, ProvideCredential},
};

const SERVICE: &str = "the pod identity agent";
const LIMIT: Duration = Duration::from_secs(5);

/// Temporary keys of a pod on CCE, from the agent at a URL, for the token in a file.
///
/// The file is read at each refresh, for tokens change. The request has 5 s, never goes through a
/// proxy and follows no redirect. Plain http is allowed, as agents use it: beyond this machine,
/// what comes can be read on the way. After a refusal, such as 403 from an agent that is not ready,
/// it is asked again within 5 s.
///
/// Source: the official Python core 3.1.219.
#[derive(Clone, Default)]
pub struct PodIdentity {
    /// None: both are in the environment.
    given: Option<Given>,
}

#[derive(Clone)]
struct Given {
    uri: Secret,
    token_file: PathBuf,
}

impl PodIdentity {
    /// Keys from this http or https URL, for the token in this file.
    pub fn new(uri: impl Into<Secret>, token_file: impl Into<PathBuf>) -> Self {
        Self {
            given: Some(Given {
                uri: uri.into(),
                token_file: token_file.into(),
            }),
        }
    }

    /// What `HC_CONTAINER_CREDENTIALS_FULL_URI` and `HC_CONTAINER_AUTHORIZATION_TOKEN_FILE` say;
    /// they are read when a credential is needed.
    pub fn from_env() -> Self {
        Self::default()
    }

    async fn load(&self, context: &Context) -> Result<Lease<Credential>, Error> {
        let environment = context.environment();
        let given = match &self.given {
            Some(given) => given.clone(),
            None => {
                let [uri, token_file] = environment.together([
                    "HC_CONTAINER_CREDENTIALS_FULL_URI",
                    "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                ])?;
                Given {
                    uri: uri.into(),
                    token_file: token_file.into(),
                }
            }
        };
        let url = match Url::parse(given.uri.expose()) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => url,
            _ => {
                let message = "the address of the pod identity agent is not an http or https URL";
                return Err(Error::new(ErrorKind::Credentials, message));
            }
        };
        let token = environment.read_token(&given.token_file, "the pod's token");
        let token = token.await?;
        let mut token = HeaderValue::from_str(token.expose()).map_err(|_| {
            Error::new(ErrorKind::Credentials, "the pod's token is no header value")
        })?;
        token.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, token);
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        let reply = context.post(SERVICE, url, headers, "{}", LIMIT).await?;
        TemporaryKey::of_metadata(SERVICE, &reply, context).await
    }
}

impl fmt::Debug for PodIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL may hold a secret.
        f.write_str("PodIdentity(..)")
    }
}

impl ProvideCredential<Credential> for PodIdentity {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(self.load(context))
    }
}
