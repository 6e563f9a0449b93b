//! What the clouds share; names no cloud.
//!
//! One call, as data: request → [`Exchange::encode`](operation::Exchange) → per attempt a
//! credential from the cache → [`Protocol::prepare`](protocol::Protocol) → `transport` → decode or
//! `Protocol::refusal` → [`retry::judge`] → value or error.

pub(crate) mod answer;
mod ask;
pub(crate) mod attempt;
#[cfg(feature = "blocking")]
pub(crate) mod background;
pub(crate) mod cache;
pub(crate) mod call;
pub(crate) mod chain;
mod check;
pub(crate) mod clock;
pub(crate) mod core;
pub(crate) mod credential;
pub(crate) mod declare;
pub(crate) mod declared;
mod direct;
pub(crate) mod environment;
pub(crate) mod failed;
pub(crate) mod failure;
mod held;
pub(crate) mod hosts;
pub(crate) mod inputs;
pub(crate) mod json;
pub(crate) mod limits;
mod load;
mod meanwhile;
mod metadata;
pub(crate) mod named_texts;
mod no_proxy;
pub(crate) mod operation;
pub(crate) mod options;
pub(crate) mod pace;
pub(crate) mod percent;
pub(crate) mod pools;
mod process;
pub(crate) mod protocol;
mod proxy;
pub(crate) mod read;
pub(crate) mod record;
mod replay;
pub(crate) mod retry;
pub(crate) mod same;
pub(crate) mod setting;
pub(crate) mod settings;
pub(crate) mod show;
pub(crate) mod sighting;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(all(test, feature = "alibaba", feature = "huawei"))]
mod tests;
pub(crate) mod times;
mod tls;
pub(crate) mod transport;
pub(crate) mod undeclared;
mod unsent;
pub(crate) mod value;
pub(crate) mod visible;
pub(crate) mod words;

use std::{fmt, sync::Arc};

use self::core::Core;
use cache::Cache;
use pace::Pacers;
use protocol::Protocol;

/// One protocol on a core, with the credentials it signs with: none for anonymous operations.
pub(crate) struct Pipeline<P: Protocol> {
    pub(crate) core: Arc<Core>,
    pub(crate) protocol: P,
    pub(crate) credentials: Option<Arc<Cache<P::Credential>>>,
    pub(crate) pacers: Pacers,
    /// Whether calls wait for their turns at their pacers.
    pub(crate) is_paced: bool,
}

impl<P: Protocol + Clone> Pipeline<P> {
    /// The same, with calls that wait for their turns.
    pub(crate) fn paced(&self) -> Arc<Self> {
        Arc::new(Self {
            core: self.core.clone(),
            protocol: self.protocol.clone(),
            credentials: self.credentials.clone(),
            pacers: self.pacers.clone(),
            is_paced: true,
        })
    }
}

impl<P: Protocol> fmt::Debug for Pipeline<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("protocol", &self.protocol)
            .field("credentials", &self.credentials)
            .field("core", &self.core)
            .finish()
    }
}
