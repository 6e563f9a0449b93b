//! What came in.

use std::{collections::VecDeque, fmt, sync::Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use super::clock::lock;

/// How many requests are kept.
const KEPT: usize = 100_000;

/// A request that reached the emulator, and what it was answered.
///
/// Its `Debug` prints no body, query or header value: they hold keys, tokens and flow inputs.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The operation's name in the vendor's documents: `Action` as sent (Alibaba Cloud),
    /// `StartSyncWorkflowExecution`, `KeystoneCreateUserTokenByPassword` and so on (Huawei Cloud);
    /// the path where nothing is served.
    pub operation: String,
    /// The HTTP method.
    pub method: Method,
    /// The path as sent, percent-encoded.
    pub path: String,
    /// The query as sent, without `?`; empty when there is none.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, or its start when it was larger than the emulator takes (Alibaba Cloud: 1 MiB,
    /// anything else: 12 MiB).
    pub body: Bytes,
    /// The status of the answer; `None` while there is none, and when a fault kept it back.
    pub status: Option<StatusCode>,
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.keys().collect();
        f.debug_struct("RecordedRequest")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &headers)
            .field("body_bytes", &self.body.len())
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// The newest requests, numbered without gaps.
#[derive(Default)]
pub(crate) struct Records(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    off: bool,
    /// Number of the first request kept.
    first: u64,
    kept: VecDeque<RecordedRequest>,
}

impl Records {
    /// Keeps a request; gives its number.
    pub(crate) fn push(&self, request: &RecordedRequest) -> Option<u64> {
        let mut inner = lock(&self.0);
        if inner.off {
            return None;
        }
        if inner.kept.len() == KEPT {
            inner.kept.pop_front();
            inner.first += 1;
        }
        inner.kept.push_back(request.clone());
        Some(inner.first + inner.kept.len() as u64 - 1)
    }

    pub(crate) fn answered(&self, number: Option<u64>, status: StatusCode) {
        let mut inner = lock(&self.0);
        let index = number.and_then(|number| number.checked_sub(inner.first));
        let index = index.and_then(|index| usize::try_from(index).ok());
        if let Some(request) = index.and_then(|index| inner.kept.get_mut(index)) {
            request.status = Some(status);
        }
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        lock(&self.0).kept.iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        let mut inner = lock(&self.0);
        inner.first += inner.kept.len() as u64;
        inner.kept.clear();
    }

    pub(crate) fn switch(&self, on: bool) {
        lock(&self.0).off = !on;
    }
}
