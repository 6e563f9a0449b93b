//! Keys in variables.

use std::fmt;

use super::Credentials;
use crate::{
    error::Error,
    pipeline::credential::{BoxFuture, Context, Lease, ProvideCredential},
};

/// The key in `ALIBABA_CLOUD_ACCESS_KEY_ID` and `ALIBABA_CLOUD_ACCESS_KEY_SECRET`, a temporary one
/// with `ALIBABA_CLOUD_SECURITY_TOKEN`. An empty variable counts as unset.
///
/// It is read once, and not renewed. A key with a line end, another character that is not visible
/// ASCII, or nothing in it is [`ErrorKind::Credentials`](crate::ErrorKind::Credentials).
///
/// Source: Alibaba Cloud, Credentials for Python, Go and Java.
#[derive(Clone, Copy, Default)]
pub struct EnvironmentCredentials;

impl EnvironmentCredentials {
    /// The source; variables are read when a credential is first needed.
    pub fn new() -> Self {
        Self
    }
}

impl fmt::Debug for EnvironmentCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvironmentCredentials")
    }
}

impl ProvideCredential<Credentials> for EnvironmentCredentials {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(async {
            let environment = context.environment();
            let mut key = Credentials::new(
                environment.required("ALIBABA_CLOUD_ACCESS_KEY_ID")?,
                environment.required("ALIBABA_CLOUD_ACCESS_KEY_SECRET")?,
            );
            if let Some(token) = environment.variable("ALIBABA_CLOUD_SECURITY_TOKEN") {
                key = key.security_token(token);
            }
            key.check().map(|()| Lease::fixed(key))
        })
    }
}
