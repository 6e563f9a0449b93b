//! The documents' rules, written with nothing in mind but to be right: no tables, no streams, no
//! shared code. Only the hash functions are a library's.

use sha1::{Digest as _, Sha1};
use sha2::Sha256;

/// RFC 3986: letters, digits, `-`, `_`, `.` and `~` stay; any other byte becomes `%XX`.
pub fn encode(text: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in text {
        let c = *byte as char;
        if c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.' || c == '~' {
            encoded.push(c);
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// `%XX` becomes its byte; a `%` before anything else stays, as Python's `unquote` has it.
pub fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = digits
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    decoded
}

/// Names and values of a query or a form, decoded.
pub fn pairs(text: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut pairs = Vec::new();
    for pair in text.split('&') {
        if !pair.is_empty() {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name), decode(value)));
        }
    }
    pairs
}

/// RFC 2104, of a hash with blocks of 64 bytes.
fn hmac(hash: impl Fn(&[u8]) -> Vec<u8>, key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut key = if key.len() > 64 {
        hash(key)
    } else {
        key.to_vec()
    };
    key.resize(64, 0);
    let mut inner: Vec<u8> = key.iter().map(|byte| byte ^ 0x36).collect();
    inner.extend(message);
    let mut outer: Vec<u8> = key.iter().map(|byte| byte ^ 0x5c).collect();
    outer.extend(hash(&inner));
    hash(&outer)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            if i <= three.len() {
                text.push(DIGITS[(bits >> (18 - 6 * i) & 63) as usize] as char);
            } else {
                text.push('=');
            }
        }
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The signature v1 of decoded parameters, those of query and form together.
pub fn signature_v1(secret: &str, method: &str, parameters: &[(Vec<u8>, Vec<u8>)]) -> String {
    let mut parameters = parameters.to_vec();
    parameters.retain(|(name, _)| name != b"Signature");
    parameters.sort();
    let canonical: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let canonical = canonical.join("&");
    let text = format!("{method}&{}&{}", encode(b"/"), encode(canonical.as_bytes()));
    let hash = |bytes: &[u8]| Sha1::digest(bytes).to_vec();
    base64(&hmac(
        hash,
        format!("{secret}&").as_bytes(),
        text.as_bytes(),
    ))
}

/// The canonical request of `SDK-HMAC-SHA256`. `headers` are those that are signed, names in lower
/// case.
pub fn canonical_request(
    method: &str,
    path: &str,
    query: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> String {
    let path = decode(path);
    let segments: Vec<String> = path.split(|byte| *byte == b'/').map(encode).collect();
    let mut path = segments.join("/");
    if !path.ends_with('/') {
        path.push('/');
    }
    let mut query = pairs(query);
    query.sort();
    let query: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    let mut headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.clone(), value.trim_ascii().to_owned()))
        .collect();
    headers.sort();
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let stated = headers
        .iter()
        .find(|(name, _)| name == "x-sdk-content-sha256");
    let hash = match stated {
        Some((_, stated)) if !body.is_empty() => stated.clone(),
        _ => hex(&Sha256::digest(body)),
    };
    [
        method,
        &path,
        &query.join("&"),
        &lines,
        &names.join(";"),
        &hash,
    ]
    .join("\n")
}

/// The signature of a canonical request.
pub fn signature_sdk(secret: &str, canonical: &str, date: &str) -> String {
    let hash = |bytes: &[u8]| Sha256::digest(bytes).to_vec();
    let text = format!(
        "SDK-HMAC-SHA256\n{date}\n{}",
        hex(&hash(canonical.as_bytes()))
    );
    hex(&hmac(hash, secret.as_bytes(), text.as_bytes()))
}

/// CloudFlow's rule for names.
pub fn is_name(text: &str) -> bool {
    let mut ok = !text.is_empty() && text.len() <= 128;
    for (i, c) in text.chars().enumerate() {
        let is_letter = c.is_ascii_alphabetic() || c == '_';
        ok &= is_letter || (i > 0 && (c.is_ascii_digit() || c == '-'));
    }
    ok
}

/// Whether a key or token can be a header's value: visible ASCII, and some of it.
pub fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x21..=0x7e).contains(&byte))
}

/// An id that can stand in a path without changing its shape.
pub fn is_segment(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.chars().count())
        && text != "."
        && text != ".."
        && !text
            .chars()
            .any(|c| c == '/' || c == '\\' || c.is_control())
}

/// Seconds since 1970 of a time in one of the vendors' forms: date, `T` or a space, time with or
/// without a fraction, and a zone or none. `None` is no verdict.
pub fn seconds_since_1970(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = bytes.get(from..to)?;
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| {
            digits
                .iter()
                .fold(0, |n, digit| n * 10 + i64::from(digit - b'0'))
        })
    };
    for (at, marks) in [(4, "-"), (7, "-"), (10, "T "), (13, ":"), (16, ":")] {
        if !marks.as_bytes().contains(bytes.get(at)?) {
            return None;
        }
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let rest = text.get(19..)?;
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            let length = fraction.len() - zone.len();
            if !(1..=9).contains(&length) {
                return None;
            }
            zone
        }
        None => rest,
    };
    if !matches!(zone, "" | "Z") {
        return None;
    }
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [
        31,
        28 + i64::from(is_leap),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let length = *lengths.get(usize::try_from(month - 1).ok()?)?;
    if !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let leaps_before = |year: i64| (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    let days = year * 365 + leaps_before(year) - (1970 * 365 + leaps_before(1970))
        + lengths
            .iter()
            .take(usize::try_from(month - 1).ok()?)
            .sum::<i64>()
        + day
        - 1;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Sections of an ini file: name, then keys in lower case with their last values.
pub fn ini(text: &str, remarks_anywhere: bool) -> Vec<(String, Vec<(String, String)>)> {
    let mut sections: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut current = None;
    for line in text.trim_start_matches('\u{feff}').split('\n') {
        let mut line = line.trim();
        if remarks_anywhere {
            if let Some(at) = line.find('#') {
                line = line[..at].trim();
            }
        } else if line.starts_with('#') || line.starts_with(';') {
            continue;
        }
        if line.starts_with('[') && line.ends_with(']') && line.len() > 1 {
            let name = line[1..line.len() - 1].trim().to_owned();
            let found = sections.iter().position(|(known, _)| *known == name);
            current = Some(found.unwrap_or_else(|| {
                sections.push((name, Vec::new()));
                sections.len() - 1
            }));
        } else if let (Some(at), Some(section)) = (line.find(['=', ':']), current) {
            let key = line[..at].trim().to_ascii_lowercase();
            let value = line[at + 1..].trim().to_owned();
            let keys = &mut sections[section].1;
            keys.retain(|(known, _)| *known != key);
            keys.push((key, value));
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The other implementation is no use if it is wrong itself.
    #[test]
    fn signs_the_documentation_s_vector() {
        let parameters = [
            ("AccessKeyId", "testid"),
            ("Action", "DescribeRegions"),
            ("Format", "XML"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
            ("SignatureVersion", "1.0"),
            ("Timestamp", "2016-02-23T12:46:24Z"),
            ("Version", "2014-05-26"),
        ]
        .map(|(name, value)| (name.into(), value.into()));
        assert_eq!(
            signature_v1("testsecret", "GET", &parameters),
            "OLeaidS1JvxuMvnyHOwuJ+uX5qY="
        );
    }

    #[test]
    fn knows_the_calendar() {
        assert_eq!(seconds_since_1970("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            seconds_since_1970("2024-02-29 23:59:59.5"),
            Some(1_709_251_199)
        );
        assert_eq!(seconds_since_1970("2023-02-29T00:00:00Z"), None);
        assert_eq!(
            seconds_since_1970("0000-03-01T00:00:00"),
            Some(-62_162_035_200)
        );
    }
}
