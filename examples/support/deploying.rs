//! What deploys have in common on both clouds: one call after the other, what was done, and why it
//! stopped.

use std::{future::Future, time::Duration};

use cloud_workflows::{Error, ErrorKind};

/// How often a deploy looks, and how long it waits in between, until it sees what it wrote.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(1);

/// Why a deploy stopped: at which step, and what was done before it.
#[derive(Debug)]
pub struct Stopped {
    pub message: String,
    /// The call's error, where a call failed.
    pub error: Option<Error>,
}

/// A deploy under way.
pub struct Progress<T> {
    /// Waits so long; before each call, no time.
    turn: T,
    /// What the name of a right begins with; an operation's name follows.
    rights: &'static str,
    pub done: Vec<String>,
}

impl<T: AsyncFn(Duration)> Progress<T> {
    pub fn new(rights: &'static str, turn: T) -> Self {
        let done = Vec::new();
        Self { turn, rights, done }
    }

    /// One call, of a step of this name.
    pub async fn call<R>(
        &self,
        step: &str,
        call: impl Future<Output = Result<R, Error>>,
    ) -> Result<R, Stopped> {
        (self.turn)(Duration::ZERO).await;
        // Calls are large.
        Box::pin(call)
            .await
            .map_err(|error| self.failed(step, error))
    }

    /// A look at what need not be there.
    pub async fn find<R>(
        &self,
        step: &str,
        look: impl Future<Output = Result<R, Error>>,
    ) -> Result<Option<R>, Stopped> {
        let found = async {
            match look.await {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                found => found.map(Some),
            }
        };
        self.call(step, found).await
    }

    /// Looks until this is seen, for services show what was written late; gives the last look.
    pub async fn until<R>(
        &self,
        look: impl AsyncFn() -> Result<R, Stopped>,
        is_seen: impl Fn(&R) -> bool,
    ) -> Result<R, Stopped> {
        let mut seen = look().await?;
        for _ in 1..LOOKS {
            if is_seen(&seen) {
                break;
            }
            (self.turn)(PAUSE).await;
            seen = look().await?;
        }
        Ok(seen)
    }

    pub fn stop(&self, why: &str) -> Stopped {
        let message = format!("{why}; {}", self.before());
        let error = None;
        Stopped { message, error }
    }

    fn failed(&self, step: &str, error: Error) -> Stopped {
        let operation = error.operation().unwrap_or_default();
        let mut message = format!("{step} ({}{operation}): {error}", self.rights);
        if error.kind() == ErrorKind::PermissionDenied && error.message().contains("not enabled") {
            message.push_str("; open the service for the account, once, in its console");
        }
        message.push_str("; ");
        message.push_str(&self.before());
        let error = Some(error);
        Stopped { message, error }
    }

    fn before(&self) -> String {
        match self.done.is_empty() {
            true => "nothing was changed".to_owned(),
            false => format!("done before: {}", self.done.join("; ")),
        }
    }
}
