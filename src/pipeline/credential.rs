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
    time::{Instant, timeout, timeout_at},
};
use url::Url;

use super::{
    Core, Pipeline, attempt,
    clock::{Clock, Moment, monotonic},
    environment::Environment,
    inputs::Inputs,
    load::Load,
    operation::Exchange,
    options::CallOptions,
    pace::Pacers,
    protocol::Protocol,
    sighting::Seen,
};
use crate::{
    error::{Error, ErrorKind, Lack},
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
        let host = protocol.endpoint().host_str().unwrap_or_default();
        self.check_may_ask(format_args!("{} at {host}", request.name()))?;
        let pipeline = Pipeline {
            pacers: Pacers::default(),
            is_paced: false,
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
        let outcome = attempt::run::<E>(&pipeline, name, encoded, options).await;
        // Whoever answers, and gives nothing, may give something soon.
        outcome.map_err(|error| match (error.lack(), error.status()) {
            (Lack::Local, Some(_)) => error.with_lack(Lack::NotReady),
            _ => error,
        })
    }

    /// What surrounds the process; what is read of it is noted.
    pub(crate) fn environment(&self) -> Environment {
        self.core.environment.noting(self.inputs.as_ref())
    }
}

/// A credential and how long it is good for.
#[derive(Clone, Debug)]
pub struct Lease<C> {
    credential: C,
    issued_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    renewable: bool,
    /// For the calls that wait for it now, and no others.
    for_now: bool,
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

/// A credential in the cache. Calls hold it as long as they need it.
pub(crate) struct Held<C> {
    pub(crate) credential: C,
    renewable: bool,
    /// Until then nobody thinks of renewing it.
    fresh_until: Option<Moment>,
    expires: Option<Moment>,
    /// Until then it is used however short it is: its source would hardly give a longer one.
    new_until: Option<Instant>,
    for_now: bool,
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
            new_until: None,
            for_now: lease.for_now,
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

    /// Whether it was got just now, so that asking once more would be asking without end.
    fn is_new(&self) -> bool {
        self.new_until.is_some_and(|until| monotonic() < until)
    }

    /// Keeps it for this long although it is short: to its end where it has one ahead of it.
    fn keep_for(&mut self, pause: Duration) {
        let now = monotonic();
        let end = self.expires.map(|end| end.monotonic);
        let until = now + pause;
        let end = end.filter(|end| *end > now);
        self.new_until = Some(end.map_or(until, |end| end.min(until)));
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
/// What is not ready yet is asked again within this time.
const SOON: Duration = Duration::from_secs(5);
/// A credential that lives no longer than this is short: the longest attempt takes as much.
const SHORT: Duration = Duration::from_secs(310);

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
    /// What `held` was read from.
    inputs: Arc<Inputs>,
    /// The pause after the last credential that was short.
    short: Option<Duration>,
    shut: Option<Shut>,
    /// When a credential that was never accepted was last given up.
    given_up: Option<Instant>,
    /// How often running the service has refused this key, which would lock it.
    refusals: u32,
    /// How often running it has refused a call for what may be the credential's fault.
    doubts: u32,
    /// How often all that was learnt was forgotten.
    generation: u64,
}

type Loaded<C> = Result<Arc<Held<C>>, Arc<Error>>;

/// The last load failed, and nobody asks again before `until`.
struct Failure {
    error: Arc<Error>,
    inputs: Arc<Inputs>,
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
                inputs: Arc::default(),
                short: None,
                shut: None,
                given_up: None,
                refusals: 0,
                doubts: 0,
                generation: 0,
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
                && !self.is_refused.load(Ordering::Relaxed)
                && held.is_fresh(now)
                && held.is_usable_for(needed, now)
            {
                return Ok(held.clone());
            }
        }
        // Whoever waits needs timers, and a load needs I/O too.
        self.context.core.transport.here()?;
        // What cannot be read in time is as it was.
        let _ = timeout_at(deadline, self.notice_changes(needed)).await;
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
                if let Some(held) = state.held.as_ref().filter(|held| held.is_new()) {
                    return Ok(held.clone());
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

    /// Looks at what the source would give: nothing is sent, and what was learnt stays as it is.
    pub(crate) async fn look(&self) -> Result<Seen<C>, Error> {
        self.context.core.transport.here()?;
        let generation = self.lock().generation;
        let inputs = Arc::new(Inputs::of_look(generation));
        let outcome = self.ask(inputs.clone()).await;
        match inputs.sighting() {
            Some(sighting) => sighting.seen(outcome),
            None => Err(Error::new(ErrorKind::Credentials, "nothing was looked at")),
        }
    }

    /// What the client lends to its source.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Never use this credential again; a newer one stays.
    pub(crate) fn retire(&self, held: &Arc<Held<C>>) {
        let mut state = self.lock();
        if state.holds(held) && !held.is_new() {
            state.held = None;
        }
    }

    /// Forgets all that was learnt: the credential, that there was none, that it was refused.
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        state.generation += 1;
        state.loading = None;
        state.failure = None;
        state.forget_held();
    }

    /// Forgets what was learnt of variables and files that have changed since.
    async fn notice_changes(&self, needed: Duration) {
        let now = self.context.core.clock.moment();
        let learnt = |state: &State<C>| state.learnt_from(needed, now).cloned();
        let Some(inputs) = learnt(&self.lock()) else {
            return;
        };
        if !inputs.have_changed(&self.context.core.environment).await {
            return;
        }
        let mut state = self.lock();
        // Someone else may have been here before.
        if learnt(&state).is_some_and(|now| Arc::ptr_eq(&now, &inputs)) {
            match state.failure.take() {
                Some(failure) if Arc::ptr_eq(&failure.inputs, &inputs) => {}
                _ => state.forget_held(),
            }
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
        let count = match may_lock {
            true => &mut state.refusals,
            false => &mut state.doubts,
        };
        *count += 1;
        let is_enough = *count >= REFUSALS_UNTIL_SHUT;
        self.is_refused.store(true, Ordering::Relaxed);
        if !is_enough {
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
            state.doubts = 0;
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
        let inputs = Arc::new(Inputs::of_generation(state.generation));
        let (loading, read) = (self.clone(), inputs.clone());
        let settling = self.clone();
        let load = Load::begin(
            number,
            async move { loading.load(read).await },
            move |ended| settling.settle(number, ended, inputs),
        )?;
        state.loading = Some(load.clone());
        Ok(load)
    }

    async fn load(&self, inputs: Arc<Inputs>) -> Result<Held<C>, Error> {
        let lease = self.ask(inputs).await?;
        Held::new(lease, &self.context.core.clock)
    }

    async fn ask(&self, inputs: Arc<Inputs>) -> Result<Lease<C>, Error> {
        let context = Context {
            inputs: Some(inputs),
            ..self.context.clone()
        };
        let provided = timeout(LOAD_LIMIT, self.provider.provide(&context)).await;
        provided.map_err(|_| {
            Error::new(
                ErrorKind::Timeout,
                format!("no credential after {} s", LOAD_LIMIT.as_secs()),
            )
        })?
    }

    /// Keeps what a load gave; none where nobody waits for it any more.
    fn settle(
        &self,
        number: u64,
        ended: Result<Result<Held<C>, Error>, JoinError>,
        inputs: Arc<Inputs>,
    ) -> Option<Loaded<C>> {
        let loaded = match ended {
            Ok(loaded) => loaded,
            Err(ended) if ended.is_panic() => Err(Error::new(
                ErrorKind::Credentials,
                "the source of credentials panicked",
            )
            .with_lack(Lack::Passing)),
            // The runtime is ending; the next caller loads anew.
            Err(_) => return None,
        };
        let mut state = self.lock();
        // Begun before all was forgotten: it is the answer of those who waited for it, no more.
        if state.generation != inputs.generation() {
            return Some(loaded.map(Arc::new).map_err(Arc::new));
        }
        // Another runtime may have taken it over.
        state.loading.take_if(|load| load.number() == number)?;
        Some(self.keep(&mut state, loaded, inputs))
    }

    fn keep(
        &self,
        state: &mut State<C>,
        loaded: Result<Held<C>, Error>,
        inputs: Arc<Inputs>,
    ) -> Loaded<C> {
        match loaded {
            Ok(mut held) => {
                state.short = match held.is_usable_for(SHORT, self.context.core.clock.moment()) {
                    true => None,
                    false => Some(longer(state.short)),
                };
                if let Some(pause) = state.short.filter(|_| !held.for_now) {
                    held.keep_for(pause);
                }
                let held = Arc::new(held);
                state.held = Some(held.clone());
                state.inputs = inputs;
                state.failure = None;
                Ok(held)
            }
            Err(error) => {
                let error = Arc::new(error);
                let longer = || longer(state.failure.as_ref().map(|last| last.pause));
                let pause = match error.lack() {
                    Lack::NotSetUp | Lack::Local | Lack::Unasked => None,
                    Lack::NotReady => Some(longer().min(SOON)),
                    Lack::Passing => Some(longer()),
                    Lack::Final => Some(error.retry_after().unwrap_or(SHUT)),
                };
                state.failure = pause.map(|pause| Failure {
                    error: error.clone(),
                    inputs,
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

/// The next pause, after this one.
fn longer(last: Option<Duration>) -> Duration {
    last.map_or(FIRST_PAUSE, |last| (last * 2).min(LONGEST_PAUSE))
}

impl<C> State<C> {
    /// What stands between a call and a good credential was learnt from this.
    fn learnt_from(&self, needed: Duration, now: Moment) -> Option<&Arc<Inputs>> {
        if self.refusals + self.doubts > 0 || self.shut.is_some() {
            return Some(&self.inputs);
        }
        let is_usable = |held: &Arc<Held<C>>| held.is_usable_for(needed, now);
        if self.held.as_ref().is_some_and(is_usable) {
            return None;
        }
        let failure = self.failure.as_ref().filter(|failure| !failure.is_over());
        failure.map(|failure| &failure.inputs)
    }

    fn forget_held(&mut self) {
        self.held = None;
        self.short = None;
        self.shut = None;
        self.given_up = None;
        self.refusals = 0;
        self.doubts = 0;
    }

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

/// Each waiter's own error of a failed load that they share.
fn unavailable(failure: Arc<Error>) -> Error {
    Error::of_shared(
        ErrorKind::Credentials,
        "no credential could be had",
        failure,
    )
}

impl<C> fmt::Debug for Cache<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.provider.fmt(f)
    }
}
