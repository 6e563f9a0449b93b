//! Where credentials come from: the trait of all sources, what one is lent, and what it gives.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use chrono::{DateTime, Utc};
use url::Url;

use super::{core::Core, environment::Environment, inputs::Inputs, sighting::Sighting};
use crate::error::Error;

/// A future in a box, as object-safe async traits need it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A source of credentials of type `C`.
///
/// A client asks through a cache: one load at a time, shared by all clones and tasks, ahead of
/// expiry, with a limit of 10 s. A source itself need not cache, lock or retry.
///
/// ```
/// # #[cfg(feature = "alibaba")] {
/// use cloud_workflows::{BoxFuture, Context, Error, Lease, ProvideCredential, alibaba::Credentials};
///
/// #[derive(Debug)]
/// struct Vault;
///
/// impl ProvideCredential<Credentials> for Vault {
///     fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
///         Box::pin(async { Ok(Lease::new(Credentials::new("id", "secret"))) })
///     }
/// }
///
/// let client = cloud_workflows::alibaba::Client::builder().region("cn-hangzhou").credentials(Vault);
/// # }
/// ```
pub trait ProvideCredential<C>: fmt::Debug + Send + Sync + 'static {
    /// Gets a credential.
    ///
    /// # Errors
    ///
    /// Whatever stands in the way; [`Error::credentials`] makes an error of your own. How soon the
    /// source is asked again:
    ///
    /// - what passes (an outage): after a pause of 1 to 30 s;
    /// - what does not (a refused password): after 5 minutes, once a variable or a file that it was
    ///   read from has changed, or once the client is told to forget what it has learnt;
    /// - what the sources of this crate read in vain from variables and files: for the next call;
    ///   what another side has not got yet: within 5 s.
    fn provide<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Lease<C>, Error>>;
}

/// A source chosen at run time, or shared with others.
impl<C, P: ProvideCredential<C> + ?Sized> ProvideCredential<C> for Arc<P> {
    fn provide<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Lease<C>, Error>> {
        (**self).provide(context)
    }
}

/// A source chosen at run time.
impl<C, P: ProvideCredential<C> + ?Sized> ProvideCredential<C> for Box<P> {
    fn provide<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Lease<C>, Error>> {
        (**self).provide(context)
    }
}

/// What a client lends to its source of credentials.
#[derive(Clone, Debug)]
pub struct Context {
    pub(crate) core: Arc<Core>,
    pub(crate) region: Option<String>,
    pub(crate) project_id: Option<String>,
    pub(crate) project_name: Option<String>,
    /// Where credentials are got, if the client was told: IAM's address, or that of STS.
    pub(crate) auth_endpoint: Option<Url>,
    /// Whether the service is at an address that is neither on this machine nor the vendor's.
    pub(crate) foreign: bool,
    /// Where it is noted what a load reads.
    pub(crate) inputs: Option<Arc<Inputs>>,
}

impl Context {
    /// The region the client was built for.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The project the client was built for (Huawei Cloud).
    pub fn project_id(&self) -> Option<&str> {
        self.project_id.as_deref()
    }

    /// The name of that project, where no id was given (Huawei Cloud): what the client was told,
    /// else the region's.
    pub fn project_name(&self) -> Option<&str> {
        self.project_name.as_deref().or(self.region())
    }

    /// Refuses to ask the vendor's own IAM or STS on behalf of a service that is not the vendor's:
    /// passwords and tokens of a private cloud would go to the public one.
    pub(crate) fn check_vendor_is_meant(&self, setting: &str) -> Result<(), Error> {
        if !self.foreign {
            return Ok(());
        }
        Err(Error::configuration(
            setting,
            "is missing: the credential needs it, and the service's endpoint is not the vendor's, \
             so that the vendor's is not asked",
        ))
    }

    /// The time, corrected by what the service told.
    pub fn now(&self) -> DateTime<Utc> {
        self.core.clock.now()
    }

    fn sighting(&self) -> Option<&Sighting> {
        self.inputs.as_ref()?.sighting()
    }

    /// Whether this is a look, which changes nothing.
    pub(super) fn is_look(&self) -> bool {
        self.sighting().is_some()
    }

    /// Ends a look where somebody would be asked.
    pub(crate) fn check_may_ask(&self, whom: impl fmt::Display) -> Result<(), Error> {
        match self.sighting() {
            Some(sighting) => Err(sighting.unasked(whom)),
            None => Ok(()),
        }
    }

    /// Says which source serves, for a look.
    pub(crate) fn note_source(&self, source: impl fmt::Display) {
        if let Some(sighting) = self.sighting() {
            sighting.note_source(source);
        }
    }

    /// Says which key another credential is got with, for a look.
    pub(crate) fn note_key(&self, id: &str) {
        if let Some(sighting) = self.sighting() {
            sighting.note_key(id);
        }
    }

    /// What surrounds the process; what is read of it is noted.
    pub(crate) fn environment(&self) -> Environment {
        self.core.environment.noting(self.inputs.as_ref())
    }
}

/// A credential and how long it is good for.
#[derive(Clone, Debug)]
pub struct Lease<C> {
    pub(super) credential: C,
    pub(super) issued_at: Option<DateTime<Utc>>,
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) renewable: bool,
    /// For the calls that wait for it now, and no others.
    pub(super) for_now: bool,
}

impl<C> Lease<C> {
    /// A credential that the source can give anew when the service no longer takes it.
    pub fn new(credential: C) -> Self {
        Self {
            credential,
            issued_at: None,
            expires_at: None,
            renewable: true,
            for_now: false,
        }
    }

    /// A credential of which nobody says how long it is good.
    #[cfg(feature = "alibaba")]
    pub(crate) fn for_now(credential: C, now: DateTime<Utc>) -> Self {
        Self {
            for_now: true,
            ..Self::new(credential).expires_at(now)
        }
    }

    /// A credential that the caller handed in: it is never renewed.
    pub fn fixed(credential: C) -> Self {
        Self {
            renewable: false,
            ..Self::new(credential)
        }
    }

    /// The credential, for a source that makes another one with it.
    pub(crate) fn into_credential(self) -> C {
        self.credential
    }

    /// When the credential ends, as its issuer says.
    #[must_use]
    pub fn expires_at(mut self, time: DateTime<Utc>) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// The issuer's time when it gave the credential: its life is then independent of our clock.
    #[must_use]
    pub fn issued_at(mut self, time: DateTime<Utc>) -> Self {
        self.issued_at = Some(time);
        self
    }
}
