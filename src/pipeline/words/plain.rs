//! A text as it reads once all its escapes are resolved, and where each byte of that is written.

/// Bytes without percent-encoding, escapes of JSON and entities of XML, however often they were
/// put on top of each other; a `+` reads as a space.
///
/// Two texts that differ in such encodings alone are the same here, whatever the order in which
/// they were encoded.
pub(super) struct Plain {
    pub(super) bytes: Vec<u8>,
    /// Where each byte begins as it is written; bytes of one escape begin at the same place.
    starts: Vec<usize>,
    /// How long the text is as it is written.
    length: usize,
    is_as_written: bool,
}

impl Plain {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut plain = Self {
            bytes: Vec::with_capacity(text.len()),
            starts: Vec::with_capacity(text.len()),
            length: text.len(),
            is_as_written: true,
        };
        for (at, byte) in text.iter().enumerate() {
            plain.push(*byte, at);
            // What an escape stands for may end another one.
            while plain.resolve() {
                plain.is_as_written = false;
            }
        }
        for byte in &mut plain.bytes {
            if *byte == b'+' {
                *byte = b' ';
                plain.is_as_written = false;
            }
        }
        plain
    }

    /// Whether it reads as it is written.
    pub(super) fn is_as_written(&self) -> bool {
        self.is_as_written
    }

    /// Where these bytes are written.
    pub(super) fn written(&self, run: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let start = self.starts.get(run.start).copied().unwrap_or(self.length);
        start..self.end(run.end)
    }

    /// How long these bytes are as they are written, with what a cut inside the escapes before and
    /// behind leaves of those.
    pub(super) fn written_around(&self, run: std::ops::Range<usize>) -> usize {
        let one_less = |run| self.written(run).len().saturating_sub(1);
        let before = match run.start.checked_sub(1) {
            Some(before) => one_less(before..run.start),
            None => 0,
        };
        let behind = match run.end < self.bytes.len() {
            true => one_less(run.end..run.end + 1),
            false => 0,
        };
        self.written(run).len() + before + behind
    }

    /// The first byte that is written here or behind.
    pub(super) fn read_at(&self, written: usize) -> usize {
        self.starts.partition_point(|start| *start < written)
    }

    /// Where the last byte before this one ends as it is written.
    fn end(&self, at: usize) -> usize {
        let last = at.checked_sub(1).and_then(|last| self.starts.get(last));
        let Some(last) = last else { return 0 };
        let behind = self.starts[at..].iter().find(|start| *start > last);
        behind.copied().unwrap_or(self.length)
    }

    fn push(&mut self, byte: u8, start: usize) {
        self.bytes.push(byte);
        self.starts.push(start);
    }

    /// Puts these bytes in the place of the last `count` ones.
    fn replace(&mut self, count: usize, with: &[u8]) -> bool {
        let kept = self.bytes.len() - count;
        let start = self.starts[kept];
        self.bytes.truncate(kept);
        self.starts.truncate(kept);
        for byte in with {
            self.push(*byte, start);
        }
        true
    }

    /// Resolves the escape that the last byte ends, if it ends one.
    fn resolve(&mut self) -> bool {
        let last = self.bytes.last().copied();
        match last {
            Some(b';') => self.resolve_entity(),
            Some(byte) if self.resolve_backslash(byte) => true,
            Some(byte) if byte.is_ascii_hexdigit() => self.resolve_digits(),
            _ => false,
        }
    }

    fn resolve_backslash(&mut self, last: u8) -> bool {
        let [.., b'\\', _] = self.bytes[..] else {
            return false;
        };
        let read = match last {
            b'"' | b'\\' | b'/' | b'\'' => last,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            _ => return false,
        };
        self.replace(2, &[read])
    }

    fn resolve_digits(&mut self) -> bool {
        match self.bytes[..] {
            [.., b'%', high, low] => match byte_of([high, low]) {
                Some(byte) => self.replace(3, &[byte]),
                None => false,
            },
            [.., b'\\', b'x', high, low] => match byte_of([high, low]) {
                Some(byte) => self.replace(4, &[byte]),
                None => false,
            },
            [.., b'\\', b'u', a, b, c, d] => match (byte_of([a, b]), byte_of([c, d])) {
                (Some(high), Some(low)) => self.resolve_unit(u16::from_be_bytes([high, low])),
                _ => false,
            },
            _ => false,
        }
    }

    /// A unit of UTF-16: half of a pair waits for the other half as the three bytes that it would
    /// have as a character.
    fn resolve_unit(&mut self, unit: u16) -> bool {
        let three = |unit: u16| {
            let [high, low] = unit.to_be_bytes();
            [
                0xE0 | high >> 4,
                0x80 | (high & 0xF) << 2 | low >> 6,
                0x80 | low & 0x3F,
            ]
        };
        if let Some(c) = char::from_u32(unit.into()) {
            return self.replace(6, c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        let before = &self.bytes[..self.bytes.len() - 6];
        if unit >= 0xDC00
            && let [.., 0xED, second @ 0xA0..=0xAF, third] = *before
        {
            let high = 0xD000 | u16::from(second & 0x3F) << 6 | u16::from(third & 0x3F);
            let pair = char::decode_utf16([high, unit]).next();
            if let Some(Ok(c)) = pair {
                return self.replace(9, c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        self.replace(6, &three(unit))
    }

    fn resolve_entity(&mut self) -> bool {
        const LONGEST: usize = "&#x10ffff;".len();
        let from = self.bytes.len().saturating_sub(LONGEST);
        let Some(at) = self.bytes[from..].iter().rposition(|byte| *byte == b'&') else {
            return false;
        };
        let name = &self.bytes[from + at + 1..self.bytes.len() - 1];
        let count = name.len() + 2;
        match entity(name) {
            Some(c) => self.replace(count, c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => false,
        }
    }
}

/// The character of an entity of XML, by what stands between `&` and `;`.
pub(crate) fn entity(name: &[u8]) -> Option<char> {
    match name {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        [b'#', digits @ ..] => {
            let digits = std::str::from_utf8(digits).ok()?;
            let number = match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => digits.parse(),
            };
            char::from_u32(number.ok()?)
        }
        _ => None,
    }
}

fn byte_of(digits: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let [high, low] = digits.map(digit);
    u8::try_from(high? << 4 | low?).ok()
}
