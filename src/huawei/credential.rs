//! What a request is authenticated with.

use std::{fmt, sync::OnceLock};

use http::HeaderValue;

use super::signature::Key;
use crate::{
    error::{Error, ErrorKind},
    payload::Secret,
    pipeline::visible::check_visible,
};

/// What a request is authenticated with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credential {
    /// An IAM token, sent as `X-Auth-Token`.
    Token(Token),
    /// An access key, which signs the request (`SDK-HMAC-SHA256`).
    Key(AccessKey),
}

/// An IAM token.
///
/// As a source it is one that the caller has: it is used as it is and never renewed. `Debug` shows
/// nothing of it.
#[derive(Clone)]
pub struct Token {
    pub(super) text: Secret,
    pub(super) project_id: Option<String>,
    /// Looked at and written once: tokens are long, and sent with every call.
    pub(super) header: OnceLock<HeaderValue>,
}

impl Token {
    /// A token, as `X-Subject-Token` gave it.
    pub fn new(token: impl Into<Secret>) -> Self {
        Self {
            text: token.into(),
            project_id: None,
            header: OnceLock::new(),
        }
    }

    /// The project that the token is for, where the client is not told one.
    #[must_use]
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }

    pub(super) fn header(&self) -> Result<HeaderValue, Error> {
        if let Some(header) = self.header.get() {
            return Ok(header.clone());
        }
        self.text.check("token")?;
        let mut value = HeaderValue::from_str(self.text.expose())
            .map_err(|_| Error::new(ErrorKind::Credentials, "the token is no header value"))?;
        value.set_sensitive(true);
        Ok(self.header.get_or_init(|| value).clone())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl From<Token> for Credential {
    fn from(token: Token) -> Self {
        Self::Token(token)
    }
}

/// An access key (`SDK-HMAC-SHA256`): AK and SK, with a security token where it is a temporary one.
///
/// It is a source of itself: hand it to
/// [`ClientBuilder::credentials`](super::ClientBuilder::credentials). Where neither the client nor
/// the key names a project by its id, IAM is asked for the one of the client's project name, else of
/// the region's name, once a key (`GET /v3/projects`). A key that the service has refused three times
/// running is hardly used for five minutes, because Huawei Cloud locks one after five refusals,
/// for all its users. `Debug` shows nothing of it.
///
/// Source: Huawei Cloud, "API Request Signing Guide".
///
/// ```
/// use cloud_workflows::huawei::{AccessKey, Client};
///
/// # fn main() -> Result<(), cloud_workflows::Error> {
/// let key = AccessKey::new("access key", "secret key");
/// let client = Client::builder().region("cn-north-4").credentials(key).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AccessKey {
    pub(super) access_key: String,
    pub(super) secret_key: Secret,
    pub(super) security_token: Option<Secret>,
    pub(super) project_id: Option<String>,
    pub(super) key: Key,
}

impl AccessKey {
    /// A lasting key. What is wrong with it is reported by the first call.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<Secret>) -> Self {
        let secret_key = secret_key.into();
        Self {
            access_key: access_key.into(),
            key: Key::new(secret_key.expose()),
            secret_key,
            security_token: None,
            project_id: None,
        }
    }

    /// Makes it a temporary key, with the token that came along; sent as `X-Security-Token`.
    #[must_use]
    pub fn security_token(mut self, token: impl Into<Secret>) -> Self {
        self.security_token = Some(token.into());
        self
    }

    /// The project to call in, where the client is not told one.
    #[must_use]
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }

    /// Refuses what no key of the service looks like, without showing it.
    pub(super) fn check(&self) -> Result<(), Error> {
        check_visible("access_key", &self.access_key)?;
        self.secret_key.check("secret_key")?;
        match &self.security_token {
            Some(token) => token.check("security_token"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.security_token {
            Some(_) => "AccessKey(temporary)",
            None => "AccessKey(..)",
        })
    }
}

impl From<AccessKey> for Credential {
    fn from(key: AccessKey) -> Self {
        Self::Key(key)
    }
}
