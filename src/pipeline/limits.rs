//! How long calls may take, and how much they may bring.

use std::time::Duration;

/// The longest limit of time: adding more to a clock can overflow.
pub(crate) const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// Limits that a client may set for all its calls.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) timeout: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_reply_bytes: usize,
}
