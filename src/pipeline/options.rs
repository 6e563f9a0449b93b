//! What one call may be told.

use std::time::Duration;

use super::retry::RetryPolicy;

/// What a call has of its own instead of the client's settings.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallOptions {
    pub(crate) timeout: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) repeat_if_unknown: bool,
    /// One attempt that took its turn at the pacer. It neither costs nor earns retry budget; clock
    /// and credential are still corrected.
    pub(crate) is_poll: bool,
}
