//! What requests are authenticated with, and where it comes from.

mod assume_agency;
mod default;
mod ecs_metadata;
mod environment;
mod id_token;
mod oidc_sts;
mod pod_identity;
mod profile;
mod temporary;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::Future,
    sync::{Arc, OnceLock},
};

pub use assume_agency::AssumeAgency;
pub use default::DefaultCredentials;
pub use ecs_metadata::EcsMetadata;
pub use environment::EnvironmentCredentials;
pub(super) use environment::{PROJECT_NAME_VARIABLES, PROJECT_VARIABLES};
pub use id_token::IdToken;
pub use oidc_sts::OidcSts;
pub use pod_identity::PodIdentity;
pub use profile::Profile;

use http::HeaderValue;

use super::{
    projects,
    signature::Key,
    tokens::{CreateToken, Scope},
};
use crate::{
    error::{Error, ErrorKind},
    payload::{Secret, check_visible},
    pipeline::credential::{BoxFuture, Context, Lease, ProvideCredential},
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

impl ProvideCredential<Credential> for Token {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(async {
            self.header()?;
            let mut token = self.clone();
            if context.project_id().is_none() && context.project_name.is_some() {
                token.project_id = Some(projects::by_name(token.clone(), context).await?);
            }
            Ok(Lease::fixed(token.into()))
        })
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

    /// The key, checked, with the project that its calls are for: every source of keys ends here.
    pub(super) async fn with_project(mut self, context: &Context) -> Result<Self, Error> {
        self.check()?;
        context.note_key(&self.access_key);
        let is_known = context.project_name.is_none() && self.project_id.is_some();
        if context.project_id().is_none() && !is_known {
            self.project_id = Some(projects::by_name(self.clone(), context).await?);
        }
        Ok(self)
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

impl ProvideCredential<Credential> for AccessKey {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(async move {
            let key = self.clone().with_project(context).await?;
            Ok(Lease::fixed(key.into()))
        })
    }
}

/// Gets tokens from IAM by domain, user and password (`POST /v3/auth/tokens`), for the client's
/// project or, where it was told none by id or name, for the one that bears the region's name.
///
/// A token lives 24 hours. One is shared by all clones of the client, and renewed ahead of its
/// end. A wrong password is asked for once in five minutes, so that it does not lock the user.
/// For a user with multi-factor authentication see [`passcode`](Self::passcode).
/// HUAWEI ID accounts cannot get a token by password: create an IAM user.
///
/// Source: Huawei Cloud, IAM, "Obtaining a User Token Through Password Authentication".
#[derive(Clone)]
pub struct IamPassword {
    domain: String,
    user: String,
    password: Secret,
    passcode: Option<Passcode>,
    project_id: Option<String>,
}

/// Asks for what a user's device shows.
#[derive(Clone)]
struct Passcode {
    user_id: String,
    ask: Arc<dyn Fn() -> BoxFuture<'static, Result<Secret, Error>> + Send + Sync>,
}

impl IamPassword {
    /// `domain` is the name of the account that owns the IAM user.
    pub fn new(
        domain: impl Into<String>,
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Self {
        Self {
            domain: domain.into(),
            user: user.into(),
            password: password.into(),
            passcode: None,
            project_id: None,
        }
    }

    /// Signs in with the passcode of the user's virtual MFA device, too: the six digits that it
    /// shows. `user_id` is the id of the IAM user, as IAM wants it there.
    ///
    /// `ask` is called for each token, within the 10 s of a load, and gives the digits or an error
    /// of [`Error::credentials`]. A passcode that IAM refuses (`IAM.1061`) is asked for anew after
    /// 30 s at the earliest, when there is another one.
    ///
    /// Source: IAM, "Obtaining a User Token Through Password and Virtual MFA Authentication"; not
    /// tried on the service.
    ///
    /// ```
    /// use cloud_workflows::huawei::IamPassword;
    ///
    /// # async fn ask_somebody() -> Result<String, cloud_workflows::Error> { Ok("123456".into()) }
    /// let source = IamPassword::new("domain", "user", "password")
    ///     .passcode("the user's id", || ask_somebody());
    /// ```
    #[must_use]
    pub fn passcode<F, A, P>(mut self, user_id: impl Into<String>, ask: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<P, Error>> + Send + 'static,
        P: Into<Secret>,
    {
        self.passcode = Some(Passcode {
            user_id: user_id.into(),
            ask: Arc::new(move || {
                let asked = ask();
                Box::pin(async move { asked.await.map(Into::into) })
            }),
        });
        self
    }

    /// The project to get tokens for, where the client is not told one.
    #[must_use]
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }
}

impl fmt::Debug for IamPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IamPassword(..)")
    }
}

impl ProvideCredential<Credential> for IamPassword {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(async move {
            let scope = Scope::of(context, self.project_id.as_deref())?;
            let passcode = match &self.passcode {
                Some(Passcode { user_id, ask }) => {
                    context.check_may_ask("the user, for the passcode")?;
                    let asked = ask().await.map_err(|error| error.within("the passcode"));
                    Some((user_id.as_str(), asked?))
                }
                None => None,
            };
            let request = CreateToken {
                domain: &self.domain,
                user: &self.user,
                password: &self.password,
                passcode,
                scope,
            };
            request.send(context).await
        })
    }
}
