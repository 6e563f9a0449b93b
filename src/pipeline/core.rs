//! Everything a client's clones share.

use std::fmt;

use super::{
    clock::Clock,
    direct::Direct,
    environment::Environment,
    limits::Limits,
    proxy::Route,
    retry::{Budget, RetryPolicy},
    transport::Transport,
};

/// Everything a client's clones share, whatever the protocol.
pub(crate) struct Core {
    pub(crate) transport: Transport,
    pub(crate) clock: Clock,
    pub(crate) budget: Budget,
    pub(crate) retry: RetryPolicy,
    pub(crate) limits: Limits,
    pub(crate) environment: Environment,
    pub(crate) direct: Direct,
    pub(crate) route: Route,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("retry", &self.retry)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
