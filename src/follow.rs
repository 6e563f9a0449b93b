//! Following many executions of one flow to their ends.

mod board;
#[cfg(test)]
mod tests;
mod watch;

use std::{
    collections::HashSet,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use tokio::time::sleep;

pub use watch::Followed;
pub(crate) use watch::{ListAsk, Listed, Watch};

use board::Board;
use watch::is_refused_for_good;

use crate::{
    error::{Delivery, Error, ErrorKind},
    pipeline::{
        credential::BoxFuture,
        pace::{Pacer, Turn},
    },
    wait::ExecutionRef,
};

/// Follows many executions of one flow to their ends.
///
/// Its owner adds executions at any time and reads their ends, with [`Follower::next`] or as a
/// [`Stream`]. It learns most ends from the flow's list, which tells a
/// hundred executions a call, and looks at single ones that the list does not show: so a thousand
/// that end together are told within seconds, where single waits would take minutes.
///
/// It works only while it is polled, and has no task of its own; dropping it ends it, and the
/// executions go on.
pub struct Follower<A> {
    shared: Shared<A>,
    /// One that reads the list, some that look at single executions, some that complete ends.
    workers: Vec<BoxFuture<'static, ()>>,
}

/// What list and looks have in common.
struct Shared<A>(Arc<Mutex<Board<A>>>);

/// How many single looks may be under way together.
const LOOKERS: usize = 8;
/// How many ends may be completed together.
const COMPLETERS: usize = 4;
/// How often a worker that has nothing to do looks whether it has.
const TICK: Duration = Duration::from_millis(500);
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
const PAGE: u32 = 100;
/// How often a page that cannot be read is asked for again before the pass begins anew.
const MOST_MISSES: u32 = 4;
/// Pages with payloads are worth their turns while they hold as many.
const PAGE_WITH_PAYLOADS: u32 = 60;

impl<A: Send + 'static> Follower<A> {
    pub(crate) fn new<W: Watch<Answer = A>>(watch: W, list: Arc<Pacer>, look: &Arc<Pacer>) -> Self {
        let (watch, shared) = (Arc::new(watch), Shared::default());
        let lister: BoxFuture<'static, ()> =
            Box::pin(read_list(watch.clone(), list, shared.clone()));
        let lookers = (0..LOOKERS).map(|_| -> BoxFuture<'static, ()> {
            Box::pin(look_at_single(watch.clone(), look.clone(), shared.clone()))
        });
        let completers = (0..COMPLETERS).map(|_| -> BoxFuture<'static, ()> {
            Box::pin(complete_ends(watch.clone(), shared.clone()))
        });
        let workers = std::iter::once(lister).chain(lookers).chain(completers);
        let workers = workers.collect();
        Self { shared, workers }
    }

    /// Tells ends when they are complete.
    pub(crate) fn completed(self) -> Self {
        self.shared.lock().complete_ends();
        self
    }

    /// Follows one more execution of the flow. What is followed already is not followed twice.
    ///
    /// With its start time, as the answer to its start tells it, it is found in the list at once;
    /// without, it is looked at first.
    pub fn add(&mut self, execution: impl Into<ExecutionRef>) {
        self.shared.lock().add(execution.into());
    }

    /// How many executions have not been told yet.
    pub fn len(&self) -> usize {
        self.shared.lock().len()
    }

    /// Whether there is nothing left to tell.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next end; `None` when nothing is followed. After more were added, it goes on.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Followed<A>> {
        poll_fn(|context| self.poll_end(context)).await
    }

    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Option<Followed<A>>> {
        let told = self.shared.lock().next_end();
        if told.is_some() {
            return Poll::Ready(told);
        }
        if self.shared.lock().len() == 0 {
            return Poll::Ready(None);
        }
        for worker in &mut self.workers {
            // They have no end of their own.
            let _: Poll<()> = worker.as_mut().poll(context);
        }
        match self.shared.lock().next_end() {
            Some(end) => Poll::Ready(Some(end)),
            None => Poll::Pending,
        }
    }
}

impl<A> Unpin for Follower<A> {}

impl<A: Send + 'static> Stream for Follower<A> {
    type Item = Followed<A>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_end(context)
    }
}

impl<A> fmt::Debug for Follower<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").finish_non_exhaustive()
    }
}

impl<A> Shared<A> {
    fn lock(&self) -> MutexGuard<'_, Board<A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> Clone for Shared<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A> Default for Shared<A> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Board::default())))
    }
}

/// Reads the list, pass after pass, for as long as the service lets it.
async fn read_list<W: Watch>(watch: Arc<W>, pacer: Arc<Pacer>, shared: Shared<W::Answer>) {
    let mut pause = SHORTEST_PAUSE;
    let (mut limit, mut metadata_only) = (PAGE, false);
    let mut refusals = 0;
    loop {
        let scope = shared.lock().scope();
        let Some((begin, prefix)) = scope else {
            sleep(TICK).await;
            continue;
        };
        let (mut token, mut seen) = (None::<String>, HashSet::new());
        let (mut pages, mut has_news, mut misses) = (0, false, 0);
        let mut turn = pacer.turn();
        loop {
            let had: Turn = turn.await;
            let ask = ListAsk {
                begin,
                prefix: prefix.clone(),
                token: token.clone(),
                limit,
                metadata_only,
            };
            match watch.list(ask).await {
                Ok(listed) => {
                    (pages, refusals, misses) = (pages + 1, 0, 0);
                    has_news |= shared.lock().learn::<W>(listed.items);
                    let next = listed.next.filter(|next| !next.is_empty());
                    // A circle ends the pass: what it did not show is looked at.
                    let Some(next) = next.filter(|next| seen.insert(next.clone())) else {
                        break;
                    };
                    token = Some(next);
                    turn = pacer.turn();
                }
                Err(error) if error.kind() == ErrorKind::Throttled => {
                    pacer.refused(had.at);
                    sleep(error.retry_after().unwrap_or_default()).await;
                    turn = pacer.again(&had);
                }
                Err(error) if is_too_large(&error) && (!metadata_only || limit > 1) => {
                    (limit, metadata_only) = match (metadata_only, limit) {
                        (false, PAGE) => (PAGE_WITH_PAYLOADS, false),
                        (false, _) => (PAGE, true),
                        (true, limit) => (limit / 2, true),
                    };
                    turn = pacer.turn();
                }
                Err(error) if misses < MOST_MISSES && !is_refused_for_good(&error) => {
                    misses += 1;
                    sleep(SHORTEST_PAUSE).await;
                    turn = pacer.turn();
                }
                Err(error) => {
                    refusals += u32::from(is_refused_for_good(&error));
                    // Its credential may have been renewed since.
                    let is_final = refusals > u32::from(error.kind() == ErrorKind::Unauthenticated);
                    if refusals > 0 && is_final {
                        tracing::warn!(
                            error = %error,
                            right = W::LIST_RIGHT,
                            "the list is refused: executions are followed by single looks"
                        );
                        shared.lock().list_is_refused();
                    }
                    break;
                }
            }
        }
        shared.lock().passed(pages);
        pause = match has_news {
            true => SHORTEST_PAUSE,
            false => (pause * 2).min(LONGEST_PAUSE),
        };
        sleep(pause).await;
    }
}

/// Looks at what the list does not show, one after the other.
async fn look_at_single<W: Watch>(watch: Arc<W>, pacer: Arc<Pacer>, shared: Shared<W::Answer>) {
    loop {
        let chosen = shared.lock().choose();
        let Some(mut name) = chosen else {
            sleep(TICK).await;
            continue;
        };
        let mut turn = pacer.turn();
        loop {
            let had = turn.await;
            let execution = {
                let mut board = shared.lock();
                match board.still(&name) {
                    Some(execution) => Some(execution),
                    // The list told its end meanwhile: the turn is another's.
                    None => board.choose().and_then(|other| {
                        name = other;
                        board.still(&name)
                    }),
                }
            };
            let Some(execution) = execution else { break };
            match watch.look(&execution, Duration::ZERO).await {
                Err(error) if error.kind() == ErrorKind::Throttled => {
                    pacer.refused(had.at);
                    sleep(error.retry_after().unwrap_or_default()).await;
                    turn = pacer.again(&had);
                }
                outcome => {
                    shared.lock().looked::<W>(&name, outcome);
                    break;
                }
            }
        }
    }
}

/// Completes ends, one after the other.
async fn complete_ends<W: Watch>(watch: Arc<W>, shared: Shared<W::Answer>) {
    loop {
        let incomplete = shared.lock().next_incomplete();
        let Some((execution, end)) = incomplete else {
            sleep(TICK).await;
            continue;
        };
        let end = watch.complete(&execution, end).await;
        shared.lock().completed(execution, end);
    }
}

fn is_too_large(error: &Error) -> bool {
    error.kind() == ErrorKind::TooLarge && error.delivery() == Delivery::Accepted
}
