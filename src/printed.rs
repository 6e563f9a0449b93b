//! Words of others, printed: on one line, and not too many.

use std::fmt;

/// What may end a line, or show it in another order, somewhere.
pub(crate) fn breaks_lines(c: char) -> bool {
    let is_mark =
        matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_mark
}

/// A text on one line: control characters become spaces.
pub(crate) fn on_one_line(text: &str) -> String {
    text.replace(breaks_lines, " ")
}

/// How much of others' words is printed of one error, in bytes.
pub(crate) const WORDS_BYTES: usize = 1024;

/// Prints words of others: on one line, and not more of them than there is room for.
pub(crate) struct Printed {
    room: usize,
}

impl Printed {
    pub(crate) fn new() -> Self {
        Self::with_room(WORDS_BYTES)
    }

    pub(crate) fn with_room(room: usize) -> Self {
        Self { room }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.room == 0
    }

    pub(crate) fn write(&mut self, f: &mut dyn fmt::Write, text: &str) -> fmt::Result {
        let end = floor(text, self.room);
        for (i, part) in text[..end].split(breaks_lines).enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(part)?;
        }
        self.room -= end;
        if end < text.len() {
            self.room = 0;
            write!(f, "... ({} bytes)", text.len())?;
        }
        Ok(())
    }
}

/// The end of the longest beginning of a text that has at most so many bytes.
pub(crate) fn floor(text: &str, bytes: usize) -> usize {
    if bytes >= text.len() {
        return text.len();
    }
    (0..=bytes)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// As much of others' words as a log gets, which escapes what is in them.
pub(crate) fn logged(text: &str) -> &str {
    &text[..floor(text, WORDS_BYTES / 4)]
}
