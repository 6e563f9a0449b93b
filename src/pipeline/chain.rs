//! Sources of credentials that are tried one after the other.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::timeout_at;

use super::{
    clock::monotonic,
    credential::{Context, Lease, ProvideCredential, is_passing},
};
use crate::error::{Error, ErrorKind};

/// Shorter than the cache's limit of 10 s, so that the list of what was tried is still told.
const LIMIT: Duration = Duration::from_millis(9_500);
const LATE: &str = "no time left";

/// A chain: the first source that serves is used, and asked again at the next refresh.
pub(crate) struct Chain<C> {
    sources: Arc<[Source<C>]>,
    /// The one that served, by its place.
    served: Arc<Mutex<Option<usize>>>,
}

/// One source of a chain.
pub(crate) struct Source<C> {
    name: &'static str,
    provider: Box<dyn ProvideCredential<C>>,
    may_lock: bool,
}

impl<C> Source<C> {
    /// A source, by the name that errors call it.
    pub(crate) fn new(name: &'static str, provider: impl ProvideCredential<C>) -> Self {
        Self {
            name,
            provider: Box::new(provider),
            may_lock: false,
        }
    }

    /// A refusal of this one is not asked for again soon, whatever else may do better soon: many
    /// of them would lock the user.
    pub(crate) fn may_lock(self) -> Self {
        Self {
            may_lock: true,
            ..self
        }
    }
}

impl<C: 'static> Chain<C> {
    pub(crate) fn new(sources: impl Into<Arc<[Source<C>]>>) -> Self {
        Self {
            sources: sources.into(),
            served: Arc::default(),
        }
    }

    pub(crate) async fn load(&self, context: &Context) -> Result<Lease<C>, Error> {
        let deadline = monotonic() + LIMIT;
        let served = *self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let mut refused = None;
        if let Some((place, source)) =
            served.and_then(|place| Some((place, self.sources.get(place)?)))
        {
            match timeout_at(deadline, source.provider.provide(context)).await {
                Ok(Err(error)) if !is_passing(&error) => {
                    self.remember(None);
                    refused = Some((place, error));
                }
                Ok(outcome) => return outcome,
                Err(_) => return Err(none_served(&format!("{}: {LATE}", source.name), true)),
            }
        }
        let (mut reasons, mut passing, mut locking) = (Vec::new(), false, false);
        for (place, source) in self.sources.iter().enumerate() {
            let outcome = match refused.take_if(|(refused, _)| *refused == place) {
                // Asked once a load: refusals add up.
                Some((_, error)) => Ok(Err(error)),
                None => timeout_at(deadline, source.provider.provide(context)).await,
            };
            let reason = match outcome {
                Ok(Ok(lease)) => {
                    tracing::debug!(source = source.name, "credentials found");
                    self.remember((!passing).then_some(place));
                    return Ok(lease);
                }
                Ok(Err(error)) => {
                    let passes = is_passing(&error);
                    passing |= passes;
                    locking |= source.may_lock && !passes && error.status().is_some();
                    error.to_string()
                }
                Err(_) => {
                    passing = true;
                    LATE.to_owned()
                }
            };
            reasons.push(format!("{}: {reason}", source.name));
        }
        Err(none_served(&reasons.join("; "), passing && !locking))
    }

    fn remember(&self, place: Option<usize>) {
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }
}

fn none_served(reasons: &str, passing: bool) -> Error {
    let message = format!("no source of credentials served: {reasons}");
    Error::new(ErrorKind::Credentials, message).with_passing(passing)
}

impl<C> Clone for Chain<C> {
    fn clone(&self) -> Self {
        Self {
            sources: self.sources.clone(),
            served: self.served.clone(),
        }
    }
}
