//! Random ids.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::bits::push_hex;

/// A random UUID (version 4), lower case, with hyphens.
#[cfg(any(feature = "alibaba", feature = "huawei"))]
pub(crate) fn uuid() -> String {
    let mut bytes = random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        push_hex(&mut text, &[*byte]);
    }
    text
}

/// 32 random lower-case hex digits.
pub(crate) fn hex() -> String {
    let mut text = String::with_capacity(32);
    push_hex(&mut text, &random());
    text
}

fn random() -> [u8; 16] {
    /// For a machine without randomness: ids have to differ, not to be secret.
    static COUNTER: AtomicU64 = AtomicU64::new(1);

    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        bytes[8..].copy_from_slice(&count.to_be_bytes());
    }
    bytes
}
