//! What requests are authenticated with.

use std::fmt;

use http::HeaderValue;

use super::tokens::{CreateToken, Scope};
use crate::{
    error::{Error, ErrorKind},
    payload::Secret,
    pipeline::credential::{BoxFuture, Context, Lease, ProvideCredential},
};

/// What a request is authenticated with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credential {
    /// An IAM token, sent as `X-Auth-Token`.
    Token(Token),
}

/// An IAM token.
///
/// As a source it is one that the caller has: it is used as it is and never renewed. `Debug` shows
/// nothing of it.
#[derive(Clone)]
pub struct Token {
    pub(super) text: Secret,
    pub(super) project_id: Option<String>,
}

impl Token {
    /// A token, as `X-Subject-Token` gave it.
    pub fn new(token: impl Into<Secret>) -> Self {
        Self {
            text: token.into(),
            project_id: None,
        }
    }

    /// The project that the token is for, where the client is not told one.
    #[must_use]
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }

    pub(super) fn header(&self) -> Result<HeaderValue, Error> {
        self.text.check("token")?;
        let mut value = HeaderValue::from_str(self.text.expose())
            .map_err(|_| Error::new(ErrorKind::Credentials, "the token is no header value"))?;
        value.set_sensitive(true);
        Ok(value)
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
    fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(async { self.header().map(|_| Lease::fixed(self.clone().into())) })
    }
}

/// Gets tokens from IAM by domain, user and password (`POST /v3/auth/tokens`), for the client's
/// project or, where it was told none, for the project that bears the region's name.
///
/// A token lives 24 hours. One is shared by all clones of the client, and renewed ahead of its
/// end. A wrong password is asked for once in five minutes, so that it does not lock the user.
/// HUAWEI ID accounts cannot get a token by password: create an IAM user.
///
/// Source: Huawei Cloud, IAM, "Obtaining a User Token Through Password Authentication".
#[derive(Clone)]
pub struct IamPassword {
    domain: String,
    user: String,
    password: Secret,
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
        }
    }

    fn scope(&self, context: &Context) -> Result<Scope, Error> {
        match (context.project_id(), context.region()) {
            (Some(id), _) => Ok(Scope::ProjectId(id.to_owned())),
            (None, Some(region)) => Ok(Scope::ProjectName(region.to_owned())),
            (None, None) => Err(Error::configuration(
                "project_id",
                "is missing, and so is the region whose name its default project bears",
            )),
        }
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
            let request = CreateToken {
                domain: &self.domain,
                user: &self.user,
                password: &self.password,
                scope: self.scope(context)?,
            };
            request.send(context).await
        })
    }
}
