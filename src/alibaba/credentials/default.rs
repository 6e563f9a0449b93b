//! The chain of sources that Alibaba Cloud's SDKs try.

use std::fmt;

use super::{
    AssumeRoleWithOidc, CliProfile, Credentials, CredentialsUri, EcsRamRole,
    EnvironmentCredentials, IniProfile,
};
use crate::{
    error::Error,
    pipeline::{
        chain::{Chain, Source},
        credential::{BoxFuture, Context, Lease, ProvideCredential},
    },
};

/// The sources that Alibaba Cloud's SDKs try, in their order; the first that serves is used:
///
/// 1. [`EnvironmentCredentials`]
/// 2. [`AssumeRoleWithOidc::from_env`]
/// 3. [`CliProfile`]
/// 4. [`IniProfile`]
/// 5. [`EcsRamRole`]
/// 6. [`CredentialsUri::from_env`]
///
/// A source that is not set up, or fails, gives way to the next one. As in the SDKs, the one that
/// served is asked again at the next refresh, and alone where it fails in passing, so that an
/// outage does not change who the client is. Other than there, one that fails for good gives way
/// to the whole chain, and one that served only because an earlier one failed in passing is not
/// held on to.
///
/// Where none serves, the error of [`ErrorKind::Credentials`](crate::ErrorKind::Credentials) names
/// each and why it did not. It passes where one of them failed in passing. All of them together have 9.5 s.
///
/// Source: Alibaba Cloud, Credentials for Python, Go and Java, "default credential chain".
#[derive(Clone)]
pub struct DefaultCredentials(Chain<Credentials>);

impl DefaultCredentials {
    /// The chain. Nothing is read or sent before a credential is needed.
    pub fn new() -> Self {
        Self(Chain::new([
            Source::new("environment", EnvironmentCredentials::new()),
            Source::new("OIDC", AssumeRoleWithOidc::from_env()),
            Source::new("CLI profile", CliProfile::new()),
            Source::new("ini profile", IniProfile::new()),
            Source::new("ECS RAM role", EcsRamRole::new()),
            Source::new("credentials URI", CredentialsUri::from_env()),
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

impl ProvideCredential<Credentials> for DefaultCredentials {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(self.0.load(context))
    }
}
