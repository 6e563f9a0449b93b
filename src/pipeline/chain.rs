//! Sources of credentials that are tried one after the other.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

use super::{
    clock::monotonic,
    credential::{Context, Lease, ProvideCredential},
};
use crate::error::{Error, ErrorKind, Lack};

/// Shorter than the cache's limit of 10 s, so that the list of what was tried is still told.
const LIMIT: Duration = Duration::from_millis(9_500);

/// A chain: the first source that serves is used, and asked again at the next refresh.
///
/// What the user named ends it, served or not: nothing stands in for a mistake.
pub(crate) struct Chain<C> {
    sources: Arc<[Source<C>]>,
    served: Arc<Mutex<Option<Served>>>,
    /// The name of the source that served last, whatever was forgotten since.
    last: Arc<Mutex<Option<&'static str>>>,
}

/// The source that served, by its place, and how much had been forgotten by then.
#[derive(Clone, Copy)]
struct Served {
    place: usize,
    generation: u64,
}

/// One source of a chain.
pub(crate) struct Source<C> {
    name: &'static str,
    provider: Box<dyn ProvideCredential<C>>,
    is_named: bool,
}

impl<C: 'static> Source<C> {
    /// A source that the user sets up with variables or files, by the name that errors call it.
    pub(crate) fn new(name: &'static str, provider: impl ProvideCredential<C>) -> Self {
        Self {
            name,
            provider: Box::new(provider),
            is_named: true,
        }
    }

    /// What the machine has to give: nobody named it, and where it has nothing, the next source is
    /// asked.
    pub(crate) fn of_machine(name: &'static str, provider: impl ProvideCredential<C>) -> Self {
        Self {
            is_named: false,
            ..Self::new(name, provider)
        }
    }

    async fn ask(&self, context: &Context, deadline: Instant) -> Result<Lease<C>, Error> {
        context.note_source(self.name);
        let asked = timeout_at(deadline, self.provider.provide(context)).await;
        asked.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "no time left")))
    }

    /// Whether the chain ends with this failure.
    fn is_last_word(&self, error: &Error) -> bool {
        match error.lack() {
            Lack::NotSetUp => false,
            Lack::Unasked => true,
            _ => self.is_named,
        }
    }
}

impl<C: 'static> Chain<C> {
    pub(crate) fn new(sources: impl Into<Arc<[Source<C>]>>) -> Self {
        Self {
            sources: sources.into(),
            served: Arc::default(),
            last: Arc::default(),
        }
    }

    pub(crate) async fn load(&self, context: &Context) -> Result<Lease<C>, Error> {
        let deadline = monotonic() + LIMIT;
        let inputs = context.inputs.as_ref();
        let generation = inputs.map_or(0, |inputs| inputs.generation());
        let served = *self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let served = served.filter(|served| served.generation == generation);
        let mut asked = None;
        if let Some(served) = served
            && let Some(source) = self.sources.get(served.place)
        {
            match source.ask(context, deadline).await {
                Ok(lease) => return Ok(lease),
                // An outage does not change who the client is.
                Err(error) if matches!(error.lack(), Lack::Passing | Lack::Unasked) => {
                    return Err(error.within(source.name));
                }
                Err(error) => asked = Some((served.place, error)),
            }
        }
        let remember = |served| match context.is_look() {
            true => {}
            false => self.remember(served),
        };
        remember(None);
        let (mut failed, mut absent, mut lack) = (Vec::new(), Vec::new(), Lack::NotSetUp);
        for (place, source) in self.sources.iter().enumerate() {
            let outcome = match asked.take_if(|(asked, _)| *asked == place) {
                // Asked once a load: refusals add up.
                Some((_, error)) => Err(error),
                None => source.ask(context, deadline).await,
            };
            let error = match outcome {
                Ok(lease) => {
                    tracing::debug!(source = source.name, "credentials found");
                    if !context.is_look() {
                        self.tell_of_another(source.name);
                    }
                    // What serves in place of one that is down is not held on to.
                    if lack == Lack::NotSetUp {
                        remember(Some(Served { place, generation }));
                    }
                    return Ok(lease);
                }
                Err(error) => error,
            };
            if source.is_last_word(&error) {
                return Err(error.within(source.name));
            }
            match error.lack() {
                Lack::NotSetUp => absent.push(format!("{} ({})", source.name, error.message())),
                its => {
                    failed.push(format!("{}: {error}", source.name));
                    if lack != Lack::Passing {
                        lack = its;
                    }
                }
            }
        }
        failed.push(format!("not set up: {}", absent.join(", ")));
        Err(Error::new(ErrorKind::Credentials, failed.join("; ")).with_lack(lack))
    }

    /// Another source may be another identity, with other rights.
    fn tell_of_another(&self, source: &'static str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.replace(source).filter(|last| *last != source);
        if let Some(last) = last {
            tracing::warn!(
                source,
                last,
                "credentials come from another source than last time"
            );
        }
    }

    fn remember(&self, served: Option<Served>) {
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = served;
    }
}

impl<C> Clone for Chain<C> {
    fn clone(&self) -> Self {
        Self {
            sources: self.sources.clone(),
            served: self.served.clone(),
            last: self.last.clone(),
        }
    }
}

/// Writes a cloud's `DefaultCredentials`: a chain of these sources.
macro_rules! default_credentials {
    ($(#[$docs:meta])* $credential:ty: $sources:expr) => {
        $(#[$docs])*
        #[derive(Clone)]
        pub struct DefaultCredentials(Chain<$credential>);

        impl DefaultCredentials {
            /// The chain. Nothing is read or sent before a credential is needed.
            pub fn new() -> Self {
                Self(Chain::new($sources))
            }
        }

        impl Default for DefaultCredentials {
            fn default() -> Self {
                Self::new()
            }
        }

        impl std::fmt::Debug for DefaultCredentials {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("DefaultCredentials")
            }
        }

        impl ProvideCredential<$credential> for DefaultCredentials {
            fn provide<'a>(
                &'a self,
                context: &'a Context,
            ) -> BoxFuture<'a, Result<Lease<$credential>, Error>> {
                Box::pin(self.0.load(context))
            }
        }
    };
}
pub(crate) use default_credentials;
