//! One runtime in the background, on a thread of its own, for callers that do not await.
//!
//! It is never ended: a runtime that is dropped inside another one panics. Nothing is blocked while
//! a lock is held, so that a fork finds the lock free.

use std::{
    future::Future,
    process,
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, ThreadId},
};

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};
use tracing::{Instrument as _, instrument::WithSubscriber as _};

use crate::error::{Delivery, Error, ErrorKind};

static SHARED: Mutex<Option<Background>> = Mutex::new(None);

struct Background {
    process: u32,
    thread: ThreadId,
    handle: Handle,
    /// Its thread ends when this is dropped.
    _lives: oneshot::Sender<()>,
}

/// Runs a future in the background, and blocks this thread until it has ended.
///
/// # Errors
///
/// [`ErrorKind::Configuration`], before anything is begun: no thread can be started, or this is the
/// thread in the background, which would wait for itself.
pub(crate) fn run<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> Result<T, Error> {
    let (handle, thread) = shared()?;
    if thread == thread::current().id() {
        return Err(Error::configuration(
            "runtime",
            "a blocking call inside of another one, such as by a source of credentials, would \
             wait for itself: await it there",
        ));
    }
    let (sender, outcome) = mpsc::sync_channel(1);
    // What the caller's thread logs goes where it would have gone there.
    let future = future.in_current_span().with_current_subscriber();
    handle.spawn(async move {
        // The caller is waiting.
        let _ = sender.send(future.await);
    });
    outcome.recv().map_err(|_| {
        Error::new(
            ErrorKind::Transport,
            "the call panicked in the background runtime",
        )
        .with_delivery(Delivery::Unknown)
        .with_passing(false)
    })
}

/// The runtime of this process: a fork brings no thread along, so that a child makes its own.
fn shared() -> Result<(Handle, ThreadId), Error> {
    if let Some(there) = of_this_process(&lock()) {
        return Ok(there);
    }
    let made = start()?;
    let mut shared = lock();
    if let Some(there) = of_this_process(&shared) {
        // Another thread was first.
        drop(shared);
        return Ok(there);
    }
    let parts = (made.handle.clone(), made.thread);
    let stale = shared.replace(made);
    drop(shared);
    // To end what a fork has brought along would wake what this process has only in part.
    std::mem::forget(stale);
    Ok(parts)
}

fn of_this_process(shared: &Option<Background>) -> Option<(Handle, ThreadId)> {
    let there = shared.as_ref()?;
    (there.process == process::id()).then(|| (there.handle.clone(), there.thread))
}

fn lock() -> MutexGuard<'static, Option<Background>> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start() -> Result<Background, Error> {
    let failed = |error: std::io::Error| {
        Error::configuration(
            "runtime",
            format_args!("the background runtime could not be started: {error}"),
        )
    };
    let (lives, ended) = oneshot::channel();
    let (sender, started) = mpsc::sync_channel(1);
    // Made in its thread, where it may be dropped.
    let thread = thread::Builder::new()
        .name("cloud-workflows".to_owned())
        .spawn(move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(sender.send(Err(error))),
            };
            let _ = sender.send(Ok(runtime.handle().clone()));
            let _ = runtime.block_on(ended);
        })
        .map_err(failed)?
        .thread()
        .id();
    let handle = started
        .recv()
        .unwrap_or_else(|_| Err(std::io::Error::other("its thread has ended")))
        .map_err(failed)?;
    Ok(Background {
        process: process::id(),
        thread,
        handle,
        _lives: lives,
    })
}
