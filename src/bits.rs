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
    text.extend(hex(bytes).map(char::from));
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> impl Iterator<Item = u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| DIGITS[usize::from(digit)])
}
