//! Waiting for the end of one execution.

mod look;
mod memory;
mod progress;
mod reference;
mod task;
#[cfg(test)]
mod tests;
mod watch;
#[cfg(all(test, feature = "huawei"))]
mod weight;

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use tokio::time::{Instant, timeout_at};

use crate::{
    error::{Delivery, Error, ErrorKind},
    pipeline::{clock::monotonic, credential::BoxFuture, limits::LONGEST},
};

pub(crate) use look::{Class, Look, SAME_START, View};
pub(crate) use memory::Memory;
pub use progress::Progress;
pub use reference::ExecutionRef;
pub(crate) use task::{Origin, Task};

use progress::Teller;

/// A wait for an execution's end: await it for the end alone, or read what happens on the way
/// with [`Wait::next`] or as a [`Stream`].
///
/// It owns what it needs; dropping it ends it, and the execution goes on. It sends nothing before
/// it is polled. It looks at one execution again and again, in turns with the client's other
/// waits; whoever waits for more than fifty executions of one flow follows them with a
/// [`Follower`](crate::Follower).
#[must_use = "a wait does nothing until it is awaited"]
pub struct Wait<A> {
    running: Option<BoxFuture<'static, Result<A, Error>>>,
    told: Teller,
    patience: Arc<Mutex<Patience>>,
}

/// What the caller has set before the wait began.
#[derive(Clone, Copy, Default)]
struct Patience {
    deadline: Option<Instant>,
    grace: Option<Duration>,
}

impl<A: Send + 'static> Wait<A> {
    pub(crate) fn new<L: Look<Answer = A>>(task: Task<L>) -> Self {
        let (told, patience) = (Teller::default(), Arc::<Mutex<Patience>>::default());
        let set = patience.clone();
        let teller = told.clone();
        // Each layer of futures keeps what it is handed for as long as the wait lasts.
        let mut task = Box::new(task);
        let running = async move {
            {
                let set = set.lock().unwrap_or_else(PoisonError::into_inner);
                task.deadline = task.deadline.or(set.deadline);
                task.grace = task.grace.or(set.grace);
            }
            watch::run(task, teller).await
        };
        Self {
            running: Some(Box::pin(running)),
            told,
            patience,
        }
    }

    /// A wait for what cannot be waited for.
    pub(crate) fn failed(error: Error) -> Self {
        Self {
            running: Some(Box::pin(std::future::ready(Err(error)))),
            told: Teller::default(),
            patience: Arc::default(),
        }
    }

    /// Asks for a stop before the wait begins; its error is the wait's.
    pub(crate) fn after(
        mut self,
        first: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) -> Self {
        let patience = self.patience.clone();
        self.running = self.running.map(|running| -> BoxFuture<'static, _> {
            Box::pin(async move {
                let set = *patience.lock().unwrap_or_else(PoisonError::into_inner);
                match set.deadline {
                    None => first.await?,
                    Some(deadline) => match timeout_at(deadline, first).await {
                        Ok(done) => done?,
                        // The wait itself says what its deadline means, but knows of no stop.
                        Err(_) => {
                            return running.await.map_err(|error| {
                                let delivery = error.delivery().max(Delivery::Unknown);
                                let error = error.with_delivery(delivery);
                                error.and("whether the stop arrived is not known")
                            });
                        }
                    },
                }
                running.await
            })
        });
        self
    }

    /// Does something with the end before it is given out, until the deadline.
    pub(crate) fn then<F>(mut self, finish: F) -> Self
    where
        F: FnOnce(A, Option<Instant>) -> BoxFuture<'static, A> + Send + 'static,
    {
        let patience = self.patience.clone();
        self.running = self.running.map(|running| -> BoxFuture<'static, _> {
            Box::pin(async move {
                let answer = running.await?;
                let set = *patience.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(finish(answer, set.deadline).await)
            })
        });
        self
    }

    /// Waits no longer than this from now on; then the error is
    /// [`ErrorKind::Deadline`], and the execution goes on. Without it, a wait has no limit.
    pub fn deadline(self, limit: Duration) -> Self {
        self.patience().deadline = Some(monotonic() + limit.min(LONGEST));
        self
    }

    /// How long an execution may be invisible before it is
    /// [`ErrorKind::NotFound`] (default: 10 s after a start by the wait itself, else not at all).
    pub fn visible_within(self, limit: Duration) -> Self {
        self.patience().grace = Some(limit);
        self
    }

    /// Blocks this thread until the execution has ended, as
    /// [`Call::send_blocking`](crate::Call::send_blocking) does for one call.
    ///
    /// ```no_run
    /// # #[cfg(feature = "alibaba")] mod example {
    /// use cloud_workflows::alibaba::{Client, StartExecutionRequest};
    ///
    /// fn run() -> Result<(), cloud_workflows::Error> {
    ///     let client = Client::from_env()?;
    ///     let ended = client.start_and_wait(StartExecutionRequest::new("my_flow")).blocking()?;
    ///     println!("{ended:?}");
    ///     Ok(())
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As awaiting the wait, and those of the blocking call itself.
    #[cfg(feature = "blocking")]
    pub fn blocking(self) -> Result<A, Error> {
        crate::pipeline::background::run(self)?
    }

    fn patience(&self) -> std::sync::MutexGuard<'_, Patience> {
        self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens next; `None` after the end and after an error.
    ///
    /// # Errors
    ///
    /// As awaiting the wait.
    pub async fn next(&mut self) -> Option<Result<Progress<A>, Error>> {
        poll_fn(|context| self.poll_progress(context)).await
    }

    fn poll_progress(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Progress<A>, Error>>> {
        if let Some(news) = self.told.pop() {
            return Poll::Ready(Some(Ok(news.into())));
        }
        let Some(running) = &mut self.running else {
            return Poll::Ready(None);
        };
        let outcome = running.as_mut().poll(context);
        if let Poll::Ready(outcome) = outcome {
            self.running = None;
            // The end says more than what came just before it.
            self.told.clear();
            return Poll::Ready(Some(outcome.map(Progress::Ended)));
        }
        match self.told.pop() {
            Some(news) => Poll::Ready(Some(Ok(news.into()))),
            None => Poll::Pending,
        }
    }
}

impl<A> Unpin for Wait<A> {}

impl<A: Send + 'static> Stream for Wait<A> {
    type Item = Result<Progress<A>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_progress(context)
    }
}

impl<A: Send + 'static> Future for Wait<A> {
    type Output = Result<A, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(running) = &mut this.running else {
            let message = "the wait's end was given out before";
            return Poll::Ready(Err(Error::new(ErrorKind::InvalidRequest, message)));
        };
        let outcome = running.as_mut().poll(context);
        this.told.clear();
        if outcome.is_ready() {
            this.running = None;
        }
        outcome
    }
}

impl<A> fmt::Debug for Wait<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").finish_non_exhaustive()
    }
}
