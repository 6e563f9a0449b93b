//! Percent-encoding as both clouds sign it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// Everything but `A-Z a-z 0-9 - _ . ~`.
pub(crate) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What each byte becomes, and in the fourth place how long that is.
///
/// The library goes from one reserved byte to the next, and JSON is full of them: the same few
/// instructions for every byte are several times faster.
static FORMS: [[u8; 4]; 256] = forms();

const fn forms() -> [[u8; 4]; 256] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut forms = [[0; 4]; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        forms[at] = if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            [byte, 0, 0, 1]
        } else {
            [b'%', DIGITS[at >> 4], DIGITS[at & 15], 3]
        };
        at += 1;
    }
    forms
}

/// How many bytes are encoded before it is looked whether there is room.
const PIECE: usize = 64;

/// Encodes what is pushed, and gives it on in pieces of about `ROOM` bytes.
pub(crate) struct Encoder<const ROOM: usize, F: FnMut(&[u8])> {
    bytes: [u8; ROOM],
    filled: usize,
    take: F,
}

impl<const ROOM: usize, F: FnMut(&[u8])> Encoder<ROOM, F> {
    pub(crate) fn new(take: F) -> Self {
        // A form is written with all its four places.
        const { assert!(ROOM > 3 * PIECE) };
        Self {
            bytes: [0; ROOM],
            filled: 0,
            take,
        }
    }

    pub(crate) fn push(&mut self, text: &[u8]) {
        for piece in text.chunks(PIECE) {
            if self.filled + 3 * piece.len() >= ROOM {
                self.flush();
            }
            let mut end = self.filled;
            for byte in piece {
                let form = &FORMS[usize::from(*byte)];
                self.bytes[end..end + 4].copy_from_slice(form);
                end += usize::from(form[3]);
            }
            self.filled = end;
        }
    }

    fn flush(&mut self) {
        (self.take)(&self.bytes[..self.filled]);
        self.filled = 0;
    }

    pub(crate) fn finish(mut self) {
        self.flush();
    }
}

/// How long `text` is, percent-encoded.
pub(crate) fn encoded_length(text: &str) -> usize {
    text.bytes()
        .map(|byte| usize::from(FORMS[usize::from(byte)][3]))
        .sum()
}

/// Appends `text`, percent-encoded.
pub(crate) fn push_encoded(out: &mut Vec<u8>, text: &str) {
    let mut encoder = Encoder::<{ 3 * PIECE + 1 }, _>::new(|bytes| out.extend_from_slice(bytes));
    encoder.push(text.as_bytes());
    encoder.finish();
}

#[cfg(test)]
mod tests {
    use percent_encoding::utf8_percent_encode;

    use super::*;

    fn encoded(text: &str) -> String {
        let mut out = Vec::new();
        push_encoded(&mut out, text);
        assert_eq!(out.len(), encoded_length(text));
        String::from_utf8(out).unwrap()
    }

    fn encoded_in_parts(parts: &[&str]) -> String {
        let mut out = Vec::new();
        let mut encoder = Encoder::<256, _>::new(|bytes| out.extend_from_slice(bytes));
        for part in parts {
            encoder.push(part.as_bytes());
        }
        encoder.finish();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn encodes_as_the_library_does() {
        let every: String = ('\0'..='\u{7ff}')
            .chain(['流', '😀', '\u{10ffff}'])
            .collect();
        assert_eq!(
            encoded(&every),
            utf8_percent_encode(&every, RESERVED).to_string()
        );
        assert_eq!(encoded(""), "");
    }

    /// Where pieces end must not show.
    #[test]
    fn encodes_texts_of_any_length() {
        for length in 0..300 {
            for unit in ["a", "%", "é"] {
                let text = unit.repeat(length);
                let expected = utf8_percent_encode(&text, RESERVED).to_string();
                assert_eq!(encoded(&text), expected);
                let (left, right) = text.split_at(length / 2 * unit.len());
                assert_eq!(encoded_in_parts(&[left, "", right]), expected);
            }
        }
    }
}
