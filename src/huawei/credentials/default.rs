//! The chain of sources that Huawei Cloud's SDKs try.

use std::fmt;

use super::{Credential, EcsMetadata, EnvironmentCredentials, OidcSts, PodIdentity, Profile};
use crate::{
    error::Error,
    pipeline::{
        chain::{Chain, Source},
        credential::{BoxFuture, Context, Lease, ProvideCredential},
    },
};

/// The sources that Huawei Cloud's SDKs try, in their order; the first that serves is used:
///
/// 1. [`OidcSts::from_env`]
/// 2. [`EnvironmentCredentials`]
/// 3. [`Profile`]
/// 4. [`EcsMetadata`]
/// 5. [`PodIdentity::from_env`]
///
/// A source that is not set up, or fails, gives way to the next one. The one that served is asked
/// again at the next refresh, and alone where it fails in passing, so that an outage does not
/// change who the client is. One that fails for good gives way to the whole chain, and one that
/// served only because an earlier one failed in passing is not held on to.
///
/// Where none serves, the error of [`ErrorKind::Credentials`](crate::ErrorKind::Credentials) names
/// each and why it did not. It passes where one of them failed in passing, unless IAM refused what
/// the environment holds: a wrong password is not asked for again within five minutes. All of them
/// together have 9.5 s.
///
/// Source: the official Python core 3.1.219.
#[derive(Clone)]
pub struct DefaultCredentials(Chain<Credential>);

impl DefaultCredentials {
    /// The chain. Nothing is read or sent before a credential is needed.
    pub fn new() -> Self {
        Self(Chain::new([
            Source::new("OIDC", OidcSts::from_env()),
            Source::new("environment", EnvironmentCredentials::new()).may_lock(),
            Source::new("profile", Profile::new()),
            Source::new("ECS metadata", EcsMetadata::new()),
            Source::new("pod identity", PodIdentity::from_env()),
        ]))
    }
}

impl Default for DefaultCredentials {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for DefaultCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DefaultCredentials")
    }
}

impl ProvideCredential<Credential> for DefaultCredentials {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(self.0.load(context))
    }
}
