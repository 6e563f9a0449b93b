//! One HTTP client a runtime: connections belong to the runtime that drives them.
//!
//! A connection is driven by a task of the runtime in which it was made. Taken from a pool by
//! another runtime, it reads as ready and waits for a task that nobody may be running. So each
//! runtime has a pool of its own, by process and runtime id, and only as long as it lives: a
//! runtime made later, in this process or in a forked child, never gets it, whatever its id.

use std::{
    fmt,
    future::pending,
    net::Ipv4Addr,
    panic::catch_unwind,
    process,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::{Handle, Id},
    task::AbortHandle,
};
use url::Url;

use super::{credential::BoxFuture, meanwhile::meanwhile};
use crate::error::Error;

type Make = dyn Fn() -> Result<reqwest::Client, Error> + Send + Sync;

/// The HTTP clients of one client of ours.
pub(crate) struct Pools {
    make: Box<Make>,
    /// Made ahead, to see whether one can be made; it has no connections, and the first runtime
    /// takes it.
    spare: Mutex<Option<reqwest::Client>>,
    pools: RwLock<Vec<Arc<Pool>>>,
    /// What https goes over, where these pools have no certificates: none is made before it is
    /// needed.
    secure: Option<Arc<Self>>,
}

/// A runtime, as long as it lives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    process: u32,
    runtime: Id,
}

/// The client of one runtime.
struct Pool {
    place: Place,
    client: OnceLock<Result<reqwest::Client, Lacking>>,
    making: Mutex<()>,
    /// Whether the runtime has dropped our task in it: it is ending.
    ended: Arc<AtomicBool>,
    keeper: AbortHandle,
}

/// What a runtime was built without.
#[derive(Clone, Copy)]
enum Lacking {
    Timers,
    Io,
}

/// Held by a task that does nothing: a runtime that ends drops it, and its pool with it.
struct Keeper {
    pools: Weak<Pools>,
    ended: Arc<AtomicBool>,
}

impl Place {
    /// The runtime that polls whoever asks.
    pub(crate) fn here() -> Result<Self, Error> {
        Handle::try_current()
            .map(|handle| Self::of(&handle))
            .map_err(|_| no_runtime())
    }

    fn of(runtime: &Handle) -> Self {
        Self {
            process: process::id(),
            runtime: runtime.id(),
        }
    }

    /// Whether nothing of it can run any more: a fork does not bring its threads along.
    pub(crate) fn is_of_another_process(self) -> bool {
        self.process != process::id()
    }
}

impl Pools {
    /// Makes the first client at once, so that what stands in the way is known now.
    pub(crate) fn new(
        make: impl Fn() -> Result<reqwest::Client, Error> + Send + Sync + 'static,
    ) -> Result<Arc<Self>, Error> {
        Self::of(Box::new(make), None)
    }

    /// The same, with clients of another making for https: of them, the first is made when it is
    /// needed.
    pub(crate) fn with_secure(
        make: impl Fn() -> Result<reqwest::Client, Error> + Send + Sync + 'static,
        make_secure: impl Fn() -> Result<reqwest::Client, Error> + Send + Sync + 'static,
    ) -> Result<Arc<Self>, Error> {
        Self::of(Box::new(make), Some(Box::new(make_secure)))
    }

    fn of(make: Box<Make>, make_secure: Option<Box<Make>>) -> Result<Arc<Self>, Error> {
        let pools = |make, spare, secure| {
            Arc::new(Self {
                make,
                spare: Mutex::new(spare),
                pools: RwLock::default(),
                secure,
            })
        };
        let spare = make()?;
        let secure = make_secure.map(|make| pools(make, None, None));
        Ok(pools(make, Some(spare), secure))
    }

    /// The client of the runtime that polls whoever asks, for this address.
    ///
    /// # Errors
    ///
    /// As [`Pools::here`].
    pub(crate) fn here_for(self: &Arc<Self>, address: &Url) -> Result<reqwest::Client, Error> {
        match &self.secure {
            Some(secure) if address.scheme() == "https" => secure.here(),
            _ => self.here(),
        }
    }

    /// The client of the runtime that polls whoever asks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration): there is no runtime, it has
    /// no timers or no I/O, or no client can be made.
    pub(crate) fn here(self: &Arc<Self>) -> Result<reqwest::Client, Error> {
        let runtime = Handle::try_current().map_err(|_| no_runtime())?;
        let place = Place::of(&runtime);
        if let Some(Ok(client)) = find(&self.read(), place).and_then(|pool| pool.client.get()) {
            return Ok(client.clone());
        }
        self.enter(&runtime, place).client(self)
    }

    /// Gives up the pool of this runtime: the next call in it gets a new one, and calls in flight
    /// keep theirs.
    pub(crate) fn give_up(&self) {
        let Ok(place) = Place::here() else { return };
        if let Some(secure) = &self.secure {
            secure.give_up();
        }
        let mut pools = self.write();
        let given_up = position(&pools, place).map(|at| pools.swap_remove(at));
        // It closes connections: nobody need wait for that.
        drop(pools);
        drop(given_up);
    }

    /// The pool of this runtime, which may have no client yet.
    fn enter(self: &Arc<Self>, runtime: &Handle, place: Place) -> Arc<Pool> {
        if let Some(pool) = find(&self.read(), place) {
            return pool.clone();
        }
        let ended = Arc::<AtomicBool>::default();
        let keeper = Keeper {
            pools: Arc::downgrade(self),
            ended: ended.clone(),
        };
        // Before the lock is taken: a runtime that is ending drops the task at once, and its
        // keeper asks for the lock.
        let task: BoxFuture<'static, ()> = Box::pin(async move {
            let _keeper = keeper;
            pending::<()>().await;
        });
        let task = runtime.spawn(task);
        let pool = Arc::new(Pool {
            place,
            client: OnceLock::new(),
            making: Mutex::default(),
            ended,
            keeper: task.abort_handle(),
        });
        meanwhile();
        let mut pools = self.write();
        if let Some(there) = find(&pools, place) {
            let there = there.clone();
            drop(pools);
            return there;
        }
        // What a fork has brought along is of no use here.
        let stale = pools.extract_if(.., |pool| pool.place.is_of_another_process());
        let stale: Vec<_> = stale.collect();
        if !pool.ended.load(Ordering::Acquire) {
            pools.push(pool.clone());
        }
        drop(pools);
        drop(stale);
        pool
    }

    fn make(&self) -> Result<reqwest::Client, Error> {
        let spare = self
            .spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match spare {
            Some(client) => Ok(client),
            None => (self.make)(),
        }
    }

    /// How many runtimes have a pool.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.read().len()
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Arc<Pool>>> {
        self.pools.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Arc<Pool>>> {
        self.pools.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(pools: &[Arc<Pool>], place: Place) -> Option<&Arc<Pool>> {
    pools.iter().find(|pool| pool.place == place)
}

fn position(pools: &[Arc<Pool>], place: Place) -> Option<usize> {
    pools.iter().position(|pool| pool.place == place)
}

impl Pool {
    /// Its client, made by the first who asks.
    fn client(&self, pools: &Pools) -> Result<reqwest::Client, Error> {
        // Others of this runtime wait: a user's function is called once a runtime.
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let made = match self.client.get() {
            Some(made) => made,
            None => {
                let made = match lacking() {
                    Some(lacking) => Err(lacking),
                    None => Ok(pools.make()?),
                };
                self.client.get_or_init(|| made)
            }
        };
        match made {
            Ok(client) => Ok(client.clone()),
            Err(lacking) => Err(Error::configuration("runtime", lacking)),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.place.is_of_another_process() {
            // Its connections are the other process's, and to end them here would wake tasks of
            // a runtime that this process has only in part.
            std::mem::forget(self.client.take());
        } else {
            self.keeper.abort();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        let Some(pools) = self.pools.upgrade() else {
            return;
        };
        meanwhile();
        let mut all = pools.write();
        let mine = all
            .iter()
            .position(|pool| Arc::ptr_eq(&pool.ended, &self.ended));
        let mine = mine.map(|at| all.swap_remove(at));
        drop(all);
        drop(mine);
    }
}

/// What this runtime lacks. Tokio tells it by a panic only, which the panic hook may print: once
/// a pool.
fn lacking() -> Option<Lacking> {
    // Made, not waited for.
    if catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_err() {
        return Some(Lacking::Timers);
    }
    // A socket that nothing is sent over, for the runtime to look at.
    let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    socket.set_nonblocking(true).ok()?;
    let watched = catch_unwind(|| drop(tokio::net::UdpSocket::from_std(socket)));
    watched.is_err().then_some(Lacking::Io)
}

fn no_runtime() -> Error {
    Error::configuration("runtime", "a call must be awaited inside a Tokio runtime")
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timers => {
                "the Tokio runtime of this call has no timers: build it with enable_all() or \
                 enable_time()"
            }
            Self::Io => {
                "the Tokio runtime of this call has no I/O: build it with enable_all() or \
                 enable_io()"
            }
        })
    }
}
