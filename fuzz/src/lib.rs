//! What the fuzz targets share: inputs cut into pieces, a world to play replies in, and the
//! vendors' rules written once more, as simply as they can be, to compare with.

pub mod json;
pub mod naive;
pub mod play;

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use peak_alloc::PeakAlloc;

/// Counts what a target has allocated.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The time in every world.
pub static WALL: LazyLock<DateTime<Utc>> =
    LazyLock::new(|| "2026-11-22T12:00:00Z".parse().expect("a time"));

/// What stands between the pieces of an input: a byte that is in no UTF-8 text.
pub const CUT: u8 = 0xff;

/// The pieces of an input; there is always a first one.
pub fn pieces(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == CUT)
}

/// The pieces of an input that is text; `None` where one is not.
pub fn texts(data: &[u8]) -> Option<Vec<&str>> {
    pieces(data)
        .map(|piece| std::str::from_utf8(piece).ok())
        .collect()
}

/// Panics when `run` has more than this allocated at one time, on top of what was there before.
pub fn within<T>(bytes: usize, run: impl FnOnce() -> T) -> T {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let done = run();
    let used = MEMORY.peak_usage().saturating_sub(before);
    assert!(
        used <= bytes,
        "{used} bytes allocated, at most {bytes} allowed"
    );
    done
}

/// Runs a future on a clock that stands still but when everyone waits.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(future)
}
