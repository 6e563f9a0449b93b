//! What requests are signed with, and where it comes from.

mod assume_role;
mod choice;
mod cli_profile;
mod credentials_uri;
mod default;
mod ecs_ram_role;
mod environment;
mod ini_profile;
mod keys;
mod oidc;
mod sts;
#[cfg(test)]
mod tests;

use std::fmt;

pub use assume_role::AssumeRole;
pub use cli_profile::CliProfile;
pub use credentials_uri::CredentialsUri;
pub use default::DefaultCredentials;
pub use ecs_ram_role::EcsRamRole;
pub use environment::EnvironmentCredentials;
pub use ini_profile::IniProfile;
pub use oidc::AssumeRoleWithOidc;

use zeroize::Zeroizing;

use super::signature::Key;
use crate::{
    error::Error,
    payload::Secret,
    pipeline::visible::check_visible,
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        percent::{encoded_length, push_encoded},
    },
};

/// An access key: id and secret, with an STS token where it is a temporary one.
///
/// It is a source of itself: hand it to
/// [`ClientBuilder::credentials`](super::ClientBuilder::credentials). `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Credentials {
    pub(super) access_key_id: String,
    pub(super) access_key_secret: Secret,
    pub(super) security_token: Option<Secret>,
    pub(super) key: Key,
    /// Id and token as every request has them.
    pub(super) encoded_id: Encoded,
    pub(super) encoded_token: Option<Encoded>,
}

/// A text that was percent-encoded once. It has no way to be printed, and is wiped from memory
/// when dropped.
#[derive(Clone)]
pub(super) struct Encoded(Zeroizing<Vec<u8>>);

impl Encoded {
    fn new(text: &str) -> Self {
        // With all its room from the start: what grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(encoded_length(text)));
        push_encoded(&mut bytes, text);
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Credentials {
    /// A lasting access key.
    pub fn new(access_key_id: impl Into<String>, access_key_secret: impl Into<Secret>) -> Self {
        let (access_key_id, access_key_secret) = (access_key_id.into(), access_key_secret.into());
        Self {
            key: Key::new(access_key_secret.expose()),
            encoded_id: Encoded::new(&access_key_id),
            encoded_token: None,
            access_key_id,
            access_key_secret,
            security_token: None,
        }
    }

    /// Makes it a temporary key, with the token that STS gave along.
    #[must_use]
    pub fn security_token(mut self, token: impl Into<Secret>) -> Self {
        let token = token.into();
        self.encoded_token = Some(Encoded::new(token.expose()));
        self.security_token = Some(token);
        self
    }

    /// Refuses what no key of the service looks like, without showing it.
    pub(super) fn check(&self) -> Result<(), Error> {
        check_visible("access_key_id", &self.access_key_id)?;
        self.access_key_secret.check("access_key_secret")?;
        match &self.security_token {
            Some(token) => token.check("security_token"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.security_token {
            Some(_) => "Credentials(temporary access key)",
            None => "Credentials(access key)",
        })
    }
}

impl ProvideCredential<Credentials> for Credentials {
    fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(async { self.check().map(|()| Lease::fixed(self.clone())) })
    }
}
