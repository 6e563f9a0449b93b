//! Where credentials come from, and the cache that all clones of a client share.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{
    task::JoinError,
    time::{Instant, timeout},
};
use url::Url;

use super::{
    Core, Pipeline, attempt,
    clock::{Clock, Moment, monotonic},
    environment::Environment,
    load::Load,
    operation::Exchange,
    options::CallOptions,
    protocol::Protocol,
};
use crate::{
    error::{Error, ErrorKind},
    response::Response,
};

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
    /// Whatever stands in the way; [`Error::credentials`] makes an error of your own. What passes
    /// is asked for again after a pause of 1 to 30 s, anything else after 5 minutes.
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

    /// Sends an anonymous operation over the client's connection pool.
    pub(crate) async fn send<E: Exchange>(
        &self,
        protocol: E::Protocol,
        request: E,
    ) -> Result<E::Answer, Error> {
        self.exchange(protocol, None, request, &CallOptions::default())
            .await
            .map(Response::into_value)
    }

    /// Sends an operation over the client's connection pool, signed where credentials are given.
    pub(crate) async fn exchange<E: Exchange>(
        &self,
        protocol: E::Protocol,
        credentials: Option<Arc<Cache<<E::Protocol as Protocol>::Credential>>>,
        request: E,
        options: &CallOptions,
    ) -> Result<Response<E::Answer>, Error> {
        let pipeline = Pipeline {
            core: self.core.clone(),
            protocol,
            credentials,
        };
        let name = request.name();
        let encoded = request.encode();
        let encoded = match encoded {
            Ok(ref encoded) => Ok(encoded),
            Err(error) => Err(error),
        };
        attempt::run::<E>(&pipeline, &name, encoded, options).await
    }

    /// What surrounds the process.
    pub(crate) fn environment(&self) -> &Environment {
        &self.core.environment
    }
}

/// A credential and how long it is good for.
#[derive(Clone, Debug)]
pub struct Lease<C> {
    credential: C,
    issued_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    renewable: bool,
}

impl<C> Lease<C> {
    /// A credential that the source can give anew when the service no longer takes it.
    pub fn new(credential: C) -> Self {
        Self {
            credential,
            issued_at: None,
            expires_at: None,
            renewable: true,
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

/// A credential in the cache. Calls hold it as long as they need it.
pub(crate) struct Held<C> {
    pub(crate) credential: C,
    renewable: bool,
    /// Until then nobody thinks of renewing it.
    fresh_until: Option<Moment>,
    expires: Option<Moment>,
    /// Whether the service has taken it at least once.
    accepted: AtomicBool,
}

impl<C> Held<C> {
    fn new(lease: Lease<C>, clock: &Clock) -> Result<Self, Error> {
        let life = lease.expires_at.map(|expires_at| {
            let from = lease.issued_at.unwrap_or_else(|| clock.now());
            (expires_at - from).to_std().unwrap_or_default()
        });
        let (mut expires, mut fresh_until) = (None, None);
        if let Some(life) = life {
            let window = (life / 10).clamp(Duration::from_secs(30), Duration::from_secs(15 * 60));
            // Up to a tenth earlier, so that many processes do not ask at the same moment.
            let jitter = f64::from(crate::payload::random_bits()?[0]) / 255.0 * 0.1;
            let window = window.mul_f64(1.0 + jitter);
            let now = clock.moment();
            expires = now.checked_add(life);
            fresh_until = now.checked_add(life.saturating_sub(window));
        }
        Ok(Self {
            credential: lease.credential,
            renewable: lease.renewable,
            fresh_until,
            expires,
            accepted: AtomicBool::new(false),
        })
    }

    fn is_fresh(&self, now: Moment) -> bool {
        self.fresh_until.is_none_or(|until| !now.has_reached(until))
    }

    /// The clock that says "ended" first is right: the monotonic one stands still while a laptop
    /// sleeps.
    fn is_usable_for(&self, needed: Duration, now: Moment) -> bool {
        self.expires.is_none_or(|expires| {
            now.checked_add(needed)
                .is_some_and(|then| !then.has_reached(expires))
        })
    }

    /// The service knows it.
    pub(crate) fn accept(&self) {
        if !self.accepted.load(Ordering::Relaxed) {
            self.accepted.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a refusal may be cured by another credential from the same source.
    pub(crate) fn is_renewable(&self, now: Moment) -> bool {
        self.renewable
            && (self.accepted.load(Ordering::Relaxed) || !self.is_usable_for(Duration::ZERO, now))
    }
}

/// A credential that the service has refused this often running is shut.
const REFUSALS_UNTIL_SHUT: u32 = 3;
const SHUT: Duration = Duration::from_secs(5 * 60);
const PROBE_PAUSE: Duration = Duration::from_secs(60);
const LOAD_LIMIT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One credential, shared by everyone; loaded by one, ahead of its end.
pub(crate) struct Cache<C> {
    provider: Arc<dyn ProvideCredential<C>>,
    context: Context,
    state: RwLock<State<C>>,
    /// Whether there are refusals to forget at the next success.
    is_refused: AtomicBool,
}

struct State<C> {
    held: Option<Arc<Held<C>>>,
    /// A load under way, in whatever runtime.
    loading: Option<Load<Loaded<C>>>,
    /// How many loads were begun.
    loads: u64,
    failure: Option<Failure>,
    shut: Option<Shut>,
    /// When a credential that was never accepted was last given up.
    given_up: Option<Instant>,
    /// How often running the service has refused what this cache gave out.
    refusals: u32,
}

type Loaded<C> = Result<Arc<Held<C>>, Arc<Error>>;

/// The last load failed, and nobody asks again before `until`.
struct Failure {
    error: Arc<Error>,
    until: Instant,
    pause: Duration,
}

/// The service refused the credential again and again: only a probe a minute goes out.
struct Shut {
    until: Instant,
    next_probe: Instant,
}

impl<C: Send + Sync + 'static> Cache<C> {
    pub(crate) fn new(provider: Arc<dyn ProvideCredential<C>>, context: Context) -> Arc<Self> {
        Arc::new(Self {
            provider,
            context,
            state: RwLock::new(State {
                held: None,
                loading: None,
                loads: 0,
                failure: None,
                shut: None,
                given_up: None,
                refusals: 0,
            }),
            is_refused: AtomicBool::new(false),
        })
    }

    /// A credential that is good for `needed` more.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        needed: Duration,
        deadline: Instant,
    ) -> Result<Arc<Held<C>>, Error> {
        let clock = &self.context.core.clock;
        {
            let now = clock.moment();
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(held) = &state.held
                && state.shut.is_none()
                && held.is_fresh(now)
                && held.is_usable_for(needed, now)
            {
                return Ok(held.clone());
            }
        }
        // Whoever waits needs timers, and a load needs I/O too.
        self.context.core.transport.here()?;
        loop {
            let mut loading = {
                let now = clock.moment();
                let mut state = self.lock();
                state.pass_shut()?;
                if let Some(held) = &state.held
                    && held.is_usable_for(needed, now)
                {
                    let held = held.clone();
                    if !held.is_fresh(now) && state.failure.as_ref().is_none_or(Failure::is_over) {
                        self.begin_load(&mut state)?;
                    }
                    return Ok(held);
                }
                if let Some(failure) = state.failure.as_ref().filter(|failure| !failure.is_over()) {
                    return Err(unavailable(failure.error.clone()));
                }
                self.begin_load(&mut state)?
            };
            match loading.outcome(deadline).await {
                // Just fetched: used however short it is.
                Ok(Some(Ok(held))) => return Ok(held),
                Ok(Some(Err(error))) => return Err(unavailable(error)),
                // The runtime that was loading has ended or stands still: load here.
                Ok(None) => {}
                Err(_) => {
                    return Err(Error::new(
                        ErrorKind::Timeout,
                        "the call's time ran out while waiting for a credential",
                    ));
                }
            }
        }
    }

    /// Never use this credential again; a newer one stays.
    pub(crate) fn retire(&self, held: &Arc<Held<C>>) {
        let mut state = self.lock();
        if state.holds(held) {
            state.held = None;
        }
    }

    /// The service refused this credential for good.
    ///
    /// One that many refusals would lock is shut. Another one that can be had anew is given up,
    /// at most once a minute: it may have died before it was ever accepted.
    pub(crate) fn refuse(&self, held: &Arc<Held<C>>, may_lock: bool) {
        let now = monotonic();
        let mut state = self.lock();
        // News of one that was replaced says nothing of its successor.
        if !state.holds(held) {
            return;
        }
        state.refusals += 1;
        self.is_refused.store(true, Ordering::Relaxed);
        if state.refusals < REFUSALS_UNTIL_SHUT {
            return;
        }
        if may_lock {
            state.shut.get_or_insert(Shut {
                until: now + SHUT,
                next_probe: now + PROBE_PAUSE,
            });
        } else if held.renewable && state.given_up.is_none_or(|at| now >= at + PROBE_PAUSE) {
            state.given_up = Some(now);
            state.held = None;
        }
    }

    /// The service took this credential.
    pub(crate) fn accept(&self, held: &Held<C>) {
        held.accept();
        if self.is_refused.load(Ordering::Relaxed) {
            let mut state = self.lock();
            self.is_refused.store(false, Ordering::Relaxed);
            state.refusals = 0;
            state.shut = None;
        }
    }

    /// Joins the load under way, in whatever runtime, or begins one as a task of this one. A load
    /// whose runtime stands still is taken over.
    fn begin_load(self: &Arc<Self>, state: &mut State<C>) -> Result<Load<Loaded<C>>, Error> {
        if let Some(load) = state.loading.take_if(|load| !load.is_worth_waiting_for()) {
            load.give_up();
        }
        if let Some(load) = &state.loading {
            return Ok(load.clone());
        }
        state.loads += 1;
        let number = state.loads;
        let (loading, settling) = (self.clone(), self.clone());
        let load = Load::begin(number, async move { loading.load().await }, move |ended| {
            settling.settle(number, ended)
        })?;
        state.loading = Some(load.clone());
        Ok(load)
    }

    async fn load(&self) -> Result<Held<C>, Error> {
        let lease = timeout(LOAD_LIMIT, self.provider.provide(&self.context))
            .await
            .map_err(|_| {
                Error::new(
                    ErrorKind::Timeout,
                    format!("no credential after {} s", LOAD_LIMIT.as_secs()),
                )
            })??;
        Held::new(lease, &self.context.core.clock)
    }

    /// Keeps what a load gave; none where nobody waits for it any more.
    fn settle(
        &self,
        number: u64,
        ended: Result<Result<Held<C>, Error>, JoinError>,
    ) -> Option<Loaded<C>> {
        let loaded = match ended {
            Ok(loaded) => loaded,
            Err(ended) if ended.is_panic() => Err(Error::new(
                ErrorKind::Credentials,
                "the source of credentials panicked",
            )),
            // The runtime is ending; the next caller loads anew.
            Err(_) => return None,
        };
        let mut state = self.lock();
        // Another runtime may have taken it over.
        state.loading.take_if(|load| load.number() == number)?;
        Some(self.keep(&mut state, loaded))
    }

    fn keep(&self, state: &mut State<C>, loaded: Result<Held<C>, Error>) -> Loaded<C> {
        match loaded {
            Ok(held) => {
                let held = Arc::new(held);
                state.held = Some(held.clone());
                state.failure = None;
                Ok(held)
            }
            Err(error) => {
                let error = Arc::new(error);
                let last = state.failure.as_ref();
                let pause = if is_passing(&error) {
                    last.map_or(FIRST_PAUSE, |last| (last.pause * 2).min(LONGEST_PAUSE))
                } else {
                    SHUT
                };
                state.failure = Some(Failure {
                    error: error.clone(),
                    until: monotonic() + pause,
                    pause,
                });
                Err(error)
            }
        }
    }

    /// Holds off whoever would change something.
    #[cfg(test)]
    pub(crate) fn hold(&self) -> impl Sized {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> std::sync::RwLockWriteGuard<'_, State<C>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> State<C> {
    fn holds(&self, held: &Arc<Held<C>>) -> bool {
        let now = self.held.as_ref();
        now.is_some_and(|now| Arc::ptr_eq(now, held))
    }

    /// Stops a call whose credential the service has refused again and again, but for probes.
    fn pass_shut(&mut self) -> Result<(), Error> {
        let now = monotonic();
        match &mut self.shut {
            Some(shut) if now >= shut.next_probe.min(shut.until) => {
                shut.next_probe = now + PROBE_PAUSE;
                if now >= shut.until {
                    self.shut = None;
                    self.refusals = 0;
                }
                // The source may have a better one by now.
                if self.held.as_ref().is_some_and(|held| held.renewable) {
                    self.held = None;
                }
                Ok(())
            }
            Some(shut) => Err(Error::new(
                ErrorKind::Unauthenticated,
                format!(
                    "not sent: the service refused this credential {REFUSALS_UNTIL_SHUT} times \
                     running, and more could lock it; the next try goes out in {} s",
                    (shut.next_probe - now).as_secs() + 1
                ),
            )),
            None => Ok(()),
        }
    }
}

impl Failure {
    fn is_over(&self) -> bool {
        monotonic() >= self.until
    }
}

/// Whether a failed load may do better soon.
pub(crate) fn is_passing(error: &Error) -> bool {
    error.passing().unwrap_or(matches!(
        error.kind(),
        ErrorKind::Throttled
            | ErrorKind::Timeout
            | ErrorKind::Connect
            | ErrorKind::Transport
            | ErrorKind::Service
            | ErrorKind::Decode
    ))
}

/// Each waiter's own error of a failed load that they share.
fn unavailable(failure: Arc<Error>) -> Error {
    let mut error = Error::new(ErrorKind::Credentials, "no credential could be had")
        .with_code(failure.code().cloned())
        .with_request_id(failure.request_id().map(str::to_owned))
        .with_retry_after(failure.retry_after())
        .with_passing(is_passing(&failure));
    if let Some(status) = failure.status() {
        error = error.with_status(status);
    }
    error.with_source(failure)
}

impl<C> fmt::Debug for Cache<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.provider.fmt(f)
    }
}
