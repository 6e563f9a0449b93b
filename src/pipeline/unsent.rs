//! A request's body that knows whether a connection has asked for it.
//!
//! A limit that ends while a call is still connecting looks like one that ends while it waits for
//! the answer. The body tells them apart: HTTP/1 asks whether there is one before the first byte
//! of the head is written, and asks nothing before there is a connection.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const WITHDRAWN: u8 = 2;

/// What became of a body that was handed to the HTTP library.
pub(super) struct Handed(Arc<AtomicU8>);

impl Handed {
    /// Takes the body back. True where no connection has asked for it, and now none can: nothing
    /// of the request was sent, nor will be.
    pub(super) fn withdraw(&self) -> bool {
        let seen = Ordering::SeqCst;
        self.0
            .compare_exchange(WAITING, WITHDRAWN, seen, seen)
            .is_ok()
    }
}

/// The body itself.
pub(super) struct WatchedBody {
    bytes: Option<Bytes>,
    state: Arc<AtomicU8>,
}

impl WatchedBody {
    pub(super) fn new(bytes: Bytes) -> (Self, Handed) {
        let state = Arc::new(AtomicU8::new(WAITING));
        let bytes = Some(bytes).filter(|bytes| !bytes.is_empty());
        let handed = Handed(state.clone());
        (Self { bytes, state }, handed)
    }

    /// A connection asks; false where the body was taken back before.
    fn is_taken(&self) -> bool {
        let seen = Ordering::SeqCst;
        let before = self.state.compare_exchange(WAITING, TAKEN, seen, seen);
        !matches!(before, Err(WITHDRAWN))
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if !self.is_taken() {
            let error = io::Error::other("the call ended before it was connected");
            return Poll::Ready(Some(Err(error)));
        }
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        // A body that was taken back ends in its error, never as an empty one.
        self.is_taken() && self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, Bytes::len) as u64)
    }
}
