//! Random bits, and bytes as digits.

use crate::error::Error;

/// 128 random bits of the operating system.
pub(crate) fn random_bits() -> Result<[u8; 16], Error> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|error| {
        Error::configuration("randomness", "the operating system gave none").with_source(error)
    })?;
    Ok(bits)
}

/// Appends bytes as lower-case hexadecimal digits.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    // By pieces: a text that takes one digit at a time takes several times as long.
    let mut digits = [0; 64];
    for piece in bytes.chunks(digits.len() / 2) {
        let digits = &mut digits[..piece.len() * 2];
        write_hex(digits, piece);
        text.push_str(str::from_utf8(digits).unwrap_or_default());
    }
}

/// A nonce in lower-case hexadecimal digits.
pub(crate) fn hex(bits: &[u8; 16]) -> [u8; 32] {
    let mut digits = [0; 32];
    write_hex(&mut digits, bits);
    digits
}

fn write_hex(digits: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}
