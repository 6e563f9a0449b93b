//! Keys for a sign-in with CloudSSO.

use std::{fmt, time::Duration};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json as value;
use url::Url;

use super::{error, sign_in::SignIn};
use crate::{
    alibaba::credentials::{
        Credentials,
        keys::{TemporaryKey, object, unreadable},
    },
    error::Error,
    payload::Secret,
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        json,
    },
};

const SERVICE: &str = "CloudSSO";
const LIMIT: Duration = Duration::from_secs(8);

/// `POST /cloud-credentials` at the sign-in's host, with the token that the CLI got there.
///
/// Source: Credentials for Python 1.0.12 and for Node.js.
pub(super) struct CloudSso {
    pub(super) sign_in_url: String,
    pub(super) account_id: String,
    pub(super) access_config: String,
    pub(super) token: Option<Secret>,
    pub(super) session: SignIn,
}

impl CloudSso {
    async fn load(&self, context: &Context) -> Result<Lease<Credentials>, Error> {
        self.session.check(context.now())?;
        let token = self.token.as_ref().ok_or_else(|| self.session.over())?;
        token.check("`access_token`")?;
        let bearer = Secret::new(format!("Bearer {}", token.expose()));
        let mut bearer = HeaderValue::from_str(bearer.expose())
            .map_err(|_| error("`access_token` is no header value"))?;
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, bearer);
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::ACCEPT, json.clone());
        headers.insert(header::CONTENT_TYPE, json);
        let body = value!({
            "AccountId": self.account_id,
            "AccessConfigurationId": self.access_config,
        });
        let reply =
            context.post_as_calls_go(SERVICE, self.url()?, headers, body.to_string(), LIMIT);
        let reply = reply.await.map_err(|error| match error.status() {
            Some(StatusCode::UNAUTHORIZED) => self.session.over(),
            _ => error,
        })?;
        let text = json::text(&reply.body);
        let answer = object(SERVICE, &text)?
            .object("CloudCredential")
            .ok_or_else(|| unreadable(SERVICE, "an answer without `CloudCredential`"))?;
        TemporaryKey::of_answer(SERVICE, &answer, &reply.headers)
    }

    fn url(&self) -> Result<Url, Error> {
        let url = Url::parse(self.sign_in_url.trim())
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        let mut url =
            url.ok_or_else(|| error("`cloud_sso_sign_in_url` is not an http or https URL"))?;
        url.set_path("/cloud-credentials");
        url.set_query(None);
        url.set_fragment(None);
        Ok(url)
    }
}

impl fmt::Debug for CloudSso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CloudSso(..)")
    }
}

impl ProvideCredential<Credentials> for CloudSso {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(self.load(context))
    }
}
