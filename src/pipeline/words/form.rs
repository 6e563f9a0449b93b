//! What has the form of a signed text, whoever wrote it: strings to sign, canonical requests.

use std::ops::Range;

use super::plain::Plain;

/// Where signed texts stand in a text, as it is written; also those that were cut.
pub(super) fn of_signed_texts(text: &str, plain: &Plain) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let read = &plain.bytes[..];
    let mut from = 0;
    for (at, pair) in read.windows(2).enumerate() {
        // What stands inside one is not looked at again.
        if at < from {
            continue;
        }
        let range = match pair {
            b"&/" => string_to_sign(text, plain, at),
            [b'|' | b'\n' | b'\r', _] => canonical(read, at)
                .or_else(|| header_line(read, at))
                .map(|range| plain.written(range)),
            _ => None,
        };
        if let Some(range) = range {
            from = plain.read_at(range.end);
            found.push(range);
        }
    }
    found.extend(labelled(read).map(|range| plain.written(range)));
    found.extend(encoded_parameters(text));
    found
}

/// What stands behind the words with which a gateway announces it, even if it is of no known form.
fn labelled(read: &[u8]) -> Option<Range<usize>> {
    const LABEL: &[u8] = b"canonicalRequest";
    let mut labels = read.windows(LABEL.len());
    let at = labels.position(|words| words.eq_ignore_ascii_case(LABEL))?;
    let start = at + LABEL.len();
    let end = start + end_of_hash(&read[start..]);
    (start < end).then_some(start..end)
}

/// `POST&/&..`: the parameters have no character in them, as they are written, that ends a word.
fn string_to_sign(text: &str, plain: &Plain, at: usize) -> Option<Range<usize>> {
    let start = method_before(&plain.bytes, at)?;
    let start = plain.written(start..start + 1).start;
    let end = end_of_word(text, start);
    let behind = &plain.bytes[at + 2..plain.read_at(end).max(at + 2)];
    behind.contains(&b'&').then_some(start..end)
}

/// Where the method begins that ends here.
fn method_before(read: &[u8], end: usize) -> Option<usize> {
    let length = read[..end]
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_uppercase())
        .count();
    (length >= 3).then_some(end - length)
}

/// A line of its own, in a text whose lines may be parted by vertical bars.
fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'|' | b'\n' | b'\r')
}

/// A canonical request whose method, or a text to sign whose scheme, ends at the line end `at`.
fn canonical(read: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = &read[at..];
    // One line end may be two bytes.
    let line = rest.iter().take(3).position(|byte| !is_line_end(*byte))?;
    let is_scheme = read[..at].ends_with(b"-HMAC-SHA256") || read[..at].ends_with(b"-HMAC-SM3");
    let is_request = rest[line] == b'/' || header_name(&rest[line..]).is_some();
    let start = match method_before(read, at) {
        _ if is_scheme => at - b"-HMAC-SHA256".len().min(at),
        Some(start) if is_request => start,
        _ => return None,
    };
    Some(start..at + end_of_hash(rest))
}

/// Behind the hash on a line of its own with which such a text ends, else the end.
fn end_of_hash(rest: &[u8]) -> usize {
    const DIGITS: usize = 64;
    const UNSIGNED: &[u8] = b"UNSIGNED-PAYLOAD";
    let ends = (0..rest.len()).filter(|at| is_line_end(rest[*at]));
    for at in ends {
        let line = &rest[at + 1..];
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit());
        if digits.count() == DIGITS {
            return at + 1 + DIGITS;
        }
        if line.starts_with(UNSIGNED) {
            return at + 1 + UNSIGNED.len();
        }
    }
    rest.len()
}

/// A signed header behind the line end `at`: what is left of a canonical request cut at its start.
fn header_line(read: &[u8], at: usize) -> Option<Range<usize>> {
    let line = &read[at + 1..];
    header_name(line)?;
    let length = line.iter().position(|byte| is_line_end(*byte));
    Some(at + 1..at + 1 + length.unwrap_or(line.len()))
}

/// The name with which a signed header begins.
fn header_name(line: &[u8]) -> Option<&[u8]> {
    let length = line
        .iter()
        .take(64)
        .position(|byte| !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-'))?;
    let name = &line[..length];
    let is_signed =
        name.starts_with(b"x-") || matches!(name, b"host" | b"content-type" | b"authorization");
    let has_value = line[length] == b':' && line.get(length + 1) != Some(&b' ');
    (is_signed && has_value).then_some(name)
}

/// Words of percent-encoded parameters: what is left of a string to sign cut at its start.
fn encoded_parameters(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = end_of_word(text, start);
        let word = &text.as_bytes()[start..end];
        let count = |digits: [u8; 2]| {
            let escapes = word
                .windows(3)
                .filter(|escape| escape[0] == b'%' && escape[1..].eq_ignore_ascii_case(&digits));
            escapes.count()
        };
        if word.contains(&b'%') && count(*b"3D") >= 2 && count(*b"26") >= 1 {
            found.push(start..end);
        }
        start = end + 1;
    }
    found
}

/// Where the word ends that stands here.
fn end_of_word(text: &str, start: usize) -> usize {
    let ends = |byte: &u8| !byte.is_ascii_graphic() || b"\"'<>()[]{},:|".contains(byte);
    let rest = &text.as_bytes()[start..];
    rest.iter()
        .position(ends)
        .map_or(text.len(), |end| start + end)
}
