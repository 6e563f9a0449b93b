//! The chain of sources that Alibaba Cloud's SDKs try.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::timeout_at;

use super::{
    AssumeRoleWithOidc, CliProfile, Credentials, CredentialsUri, EcsRamRole,
    EnvironmentCredentials, IniProfile,
};
use crate::{
    error::{Error, ErrorKind},
    pipeline::{
        clock::monotonic,
        credential::{BoxFuture, Context, Lease, ProvideCredential, is_passing},
    },
};

/// Shorter than the cache's limit of 10 s, so that the list of what was tried is still told.
const LIMIT: Duration = Duration::from_millis(9_500);

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
/// Where none serves, the error of [`ErrorKind::Credentials`] names each and why it did not. It
/// passes where one of them failed in passing. All of them together have 9.5 s.
///
/// Source: Alibaba Cloud, Credentials for Python, Go and Java, "default credential chain".
#[derive(Clone)]
pub struct DefaultCredentials {
    sources: Arc<[Source]>,
    /// The one that served, by its place.
    served: Arc<Mutex<Option<usize>>>,
}

struct Source {
    name: &'static str,
    provider: Box<dyn ProvideCredential<Credentials>>,
}

impl DefaultCredentials {
    /// The chain. Nothing is read or sent before a credential is needed.
    pub fn new() -> Self {
        Self::of(EcsRamRole::new())
    }

    pub(super) fn of(ecs_ram_role: EcsRamRole) -> Self {
        fn source(name: &'static str, provider: impl ProvideCredential<Credentials>) -> Source {
            let provider = Box::new(provider);
            Source { name, provider }
        }
        Self {
            sources: Arc::new([
                source("environment", EnvironmentCredentials::new()),
                source("OIDC", AssumeRoleWithOidc::from_env()),
                source("CLI profile", CliProfile::new()),
                source("ini profile", IniProfile::new()),
                source("ECS RAM role", ecs_ram_role),
                source("credentials URI", CredentialsUri::from_env()),
            ]),
            served: Arc::default(),
        }
    }

    async fn load(&self, context: &Context) -> Result<Lease<Credentials>, Error> {
        let deadline = monotonic() + LIMIT;
        let served = *self.served.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = served.and_then(|place| self.sources.get(place)) {
            match timeout_at(deadline, source.provider.provide(context)).await {
                Ok(Ok(lease)) => return Ok(lease),
                Ok(Err(error)) if !is_passing(&error) => self.remember(None),
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(none_served(&format!("{}: {LATE}", source.name), true)),
            }
        }
        let (mut reasons, mut passing) = (Vec::new(), false);
        for (place, source) in self.sources.iter().enumerate() {
            let reason = match timeout_at(deadline, source.provider.provide(context)).await {
                Ok(Ok(lease)) => {
                    tracing::debug!(source = source.name, "credentials found");
                    self.remember((!passing).then_some(place));
                    return Ok(lease);
                }
                Ok(Err(error)) => {
                    passing |= is_passing(&error);
                    error.to_string()
                }
                Err(_) => {
                    passing = true;
                    LATE.to_owned()
                }
            };
            reasons.push(format!("{}: {reason}", source.name));
        }
        Err(none_served(&reasons.join("; "), passing))
    }

    fn remember(&self, place: Option<usize>) {
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }
}

const LATE: &str = "no time left";

fn none_served(reasons: &str, passing: bool) -> Error {
    let message = format!("no source of credentials served: {reasons}");
    Error::new(ErrorKind::Credentials, message).with_passing(passing)
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
        Box::pin(self.load(context))
    }
}
