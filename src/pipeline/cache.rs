//! The cache that all clones of a client share.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::JoinError,
    time::{Instant, timeout, timeout_at},
};

use super::{
    clock::{Moment, monotonic},
    credential::{Context, Lease, ProvideCredential},
    held::Held,
    inputs::Inputs,
    load::Load,
    meanwhile::meanwhile,
    sighting::Seen,
};
use crate::error::{Error, ErrorKind, Lack};

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
            meanwhile();
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
            Some(sighting) => sighting.seen(outcome.map(Lease::into_credential)),
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
        if !self
            .context
            .core
            .environment
            .has_changed_since(&inputs)
            .await
        {
            return;
        }
        meanwhile();
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
            if state.shut.is_none() {
                tracing::warn!(
                    refusals = REFUSALS_UNTIL_SHUT,
                    shut_for_s = SHUT.as_secs(),
                    probe_every_s = PROBE_PAUSE.as_secs(),
                    "the service refused this credential again and again: it is shut"
                );
            }
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
        meanwhile();
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
                let now = self.context.core.clock.moment();
                if let Some(left) = state.held.as_ref().and_then(|held| held.time_left(now)) {
                    tracing::warn!(
                        %error,
                        left_s = left.as_secs(),
                        again_in_s = pause.map(|pause| pause.as_secs()),
                        "the credential could not be renewed; the one at hand is used to its end"
                    );
                }
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
