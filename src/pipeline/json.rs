//! JSON as it arrives: a view of an object that never depends on what is not asked for.
//!
//! Gateways cut messages inside a character, write a key twice, put a byte order mark in front and
//! bytes behind, and flows give `NaN`. A reader of all that knows only where a value begins and
//! ends; what stands between is looked at when somebody asks for it. Nothing here recurses.

use std::borrow::Cow;

/// A body as text: a byte order mark is left out, UTF-16 is read as such, and bytes that are no
/// text become U+FFFD.
pub(crate) fn text(body: &[u8]) -> Cow<'_, str> {
    match body {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest),
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        [b'{', 0, ..] => Cow::Owned(utf16(body, u16::from_le_bytes)),
        [0, b'{', ..] => Cow::Owned(utf16(body, u16::from_be_bytes)),
        _ => String::from_utf8_lossy(body),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = bytes.as_chunks();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16_lossy(&units)
}

/// A body without the characters of a charset in which one beyond ASCII has two bytes, for the
/// second one may be a backslash or a brace.
pub(crate) fn without_pairs(body: &[u8]) -> Vec<u8> {
    let mut bytes = body.iter().copied();
    let mut plain = Vec::with_capacity(body.len());
    while let Some(byte) = bytes.next() {
        if byte > 0x80 {
            bytes.next();
            plain.extend_from_slice("\u{fffd}".as_bytes());
        } else {
            plain.push(byte);
        }
    }
    plain
}

/// Why a text is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// It does not begin like one.
    #[error("not a JSON object")]
    NoObject,
    /// It ends before the object does.
    #[error("it ends in the middle, after {at} bytes")]
    Cut {
        /// How long the text is.
        at: usize,
    },
    /// Something stands where a name or a comma should.
    #[error("no JSON object from byte {at} on")]
    Broken {
        /// Where.
        at: usize,
    },
}

/// The members of an object, in their order, names that stand twice included.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

/// One value as it stands in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Raw<'a>(&'a str);

impl std::fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Raw({} bytes)", self.0.len())
    }
}

impl<'a> Object<'a> {
    /// Reads an object that is whole; whatever stands behind it is not looked at.
    pub(crate) fn read(text: &'a str) -> Result<Self, Fault> {
        let mut members = Self::default();
        members.fill(text).map(|()| members)
    }

    /// Reads what there is of an object: the members before it was cut or makes no sense.
    pub(crate) fn read_cut(text: &'a str) -> Self {
        let mut members = Self::default();
        let _where_it_ended = members.fill(text);
        members
    }

    fn fill(&mut self, text: &'a str) -> Result<(), Fault> {
        let mut scan = Scan { text, at: 0 };
        if scan.next_byte() != Some(b'{') {
            return Err(Fault::NoObject);
        }
        loop {
            match scan.next_byte() {
                Some(b'}') => return Ok(()),
                Some(b',') => continue,
                Some(b'"') => {}
                _ => return Err(scan.fault()),
            }
            let name = scan.string().ok_or_else(|| scan.cut())?;
            if scan.next_byte() != Some(b':') {
                return Err(scan.fault());
            }
            let value = scan.value().ok_or_else(|| scan.cut())?;
            self.0.push((unescape(name), value));
        }
    }

    /// The first value of this name that is not null.
    pub(crate) fn get(&self, name: &str) -> Option<Raw<'a>> {
        self.iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The first value of this name as [`Raw::text`].
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name)?.text()
    }

    /// The first value of this name, where that is an object.
    pub(crate) fn object(&self, name: &str) -> Option<Object<'a>> {
        self.get(name)?.object()
    }

    /// All members, in their order.
    pub(crate) fn written(&self) -> impl Iterator<Item = &(Cow<'a, str>, Raw<'a>)> {
        self.0.iter()
    }

    /// All members that are not null, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Raw<'a>)> {
        let members = self.0.iter().filter(|(_, value)| !value.is_null());
        members.map(|(name, value)| (name.as_ref(), *value))
    }
}

impl<'a> Raw<'a> {
    /// The value as it is written, quotes and escapes included.
    pub(crate) fn as_str(self) -> &'a str {
        self.0
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// What a string holds; half a surrogate in it becomes U+FFFD. Anything else is none.
    pub(crate) fn string(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        Some(unescape(inner))
    }

    /// A string that is not empty; a number or a truth value as it is written.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let text = match self.string() {
            Some(text) => text,
            None if self.is_scalar() => Cow::Borrowed(self.0),
            None => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    fn is_scalar(self) -> bool {
        matches!(self.0, "true" | "false")
            || self.0.starts_with(|c: char| c == '-' || c.is_ascii_digit())
    }

    /// The items of an array.
    pub(crate) fn items(self) -> Option<Vec<Raw<'a>>> {
        let mut scan = Scan {
            text: self.0,
            at: 0,
        };
        if scan.next_byte() != Some(b'[') {
            return None;
        }
        let mut items = Vec::new();
        loop {
            match scan.peek()? {
                b']' => return Some(items),
                b',' => scan.at += 1,
                // No value begins so, and none would be read for ever.
                b'}' => return None,
                _ => items.push(scan.value()?),
            }
        }
    }

    /// The members of an object.
    pub(crate) fn object(self) -> Option<Object<'a>> {
        Object::read(self.0).ok()
    }
}

/// A place in a text.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn fault(&self) -> Fault {
        match self.at < self.text.len() {
            true => Fault::Broken { at: self.at - 1 },
            false => self.cut(),
        }
    }

    fn cut(&self) -> Fault {
        Fault::Cut {
            at: self.text.len(),
        }
    }

    /// The next byte that is no white space, without going past it.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let blank = rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        self.at += blank;
        Some(rest[blank])
    }

    fn next_byte(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.at = match byte {
            Some(_) => self.at + 1,
            None => self.text.len(),
        };
        byte
    }

    /// What stands up to the closing quote, behind which the place then is.
    fn string(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        loop {
            let rest = bytes.get(self.at..)?;
            self.at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
            if bytes[self.at] == b'"' {
                break;
            }
            self.at += 2;
        }
        self.at += 1;
        self.text.get(start..self.at - 1)
    }

    /// A whole value, behind which the place then is.
    fn value(&mut self) -> Option<Raw<'a>> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => {
                self.at += 1;
                self.string()?;
            }
            b'{' | b'[' => self.nested()?,
            _ => {
                let rest = &self.text[start..];
                self.at += rest.find([',', '}', ']'])?;
            }
        }
        Some(Raw(self.text[start..self.at].trim_ascii_end()))
    }

    /// Goes behind the bracket that closes the one that is next.
    fn nested(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        let mut depth = 0_usize;
        loop {
            let byte = *bytes.get(self.at)?;
            self.at += 1;
            match byte {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(());
                    }
                }
                _ => {}
            }
        }
    }
}

/// Resolves a string's escapes; one that means nothing stays as it is written.
fn unescape(inner: &str) -> Cow<'_, str> {
    let Some(first) = inner.find('\\') else {
        return Cow::Borrowed(inner);
    };
    let mut text = String::with_capacity(inner.len());
    let (plain, mut rest) = inner.split_at(first);
    text.push_str(plain);
    while let Some(escape) = rest.strip_prefix('\\') {
        let mut after = escape.chars();
        match after.next() {
            Some(c @ ('"' | '\\' | '/')) => text.push(c),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let (c, behind) = code_point(after.as_str());
                text.push(c);
                after = behind.chars();
            }
            Some(c) => text.extend(['\\', c]),
            None => text.push('\\'),
        }
        let behind = after.as_str();
        let (plain, next) = behind.split_at(behind.find('\\').unwrap_or(behind.len()));
        text.push_str(plain);
        rest = next;
    }
    Cow::Owned(text)
}

/// The character of four hexadecimal digits, or of two such escapes, and what stands behind.
fn code_point(text: &str) -> (char, &str) {
    let unit = |text: &str| {
        let digits = text.get(..4)?;
        let all_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        all_digits.then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let Some(first) = unit(text) else {
        return (char::REPLACEMENT_CHARACTER, text);
    };
    let behind = &text[4..];
    if let Some(c) = char::from_u32(first) {
        return (c, behind);
    }
    let second = behind.strip_prefix("\\u").and_then(unit);
    let pair = second
        .filter(|low| first < 0xDC00 && (0xDC00..0xE000).contains(low))
        .and_then(|low| char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00)));
    match pair {
        Some(c) => (c, &behind[6..]),
        None => (char::REPLACEMENT_CHARACTER, behind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(text: &'a str, name: &str) -> Option<Raw<'a>> {
        Object::read(text).unwrap().get(name)
    }

    #[test]
    fn a_member_is_found_whatever_stands_beside_it() {
        for text in [
            r#"{"a":"x","Code":"C"}"#,
            r#"{"Code":"C","a":NaN,"b":-Infinity}"#,
            r#"{"Code":null,"Code":"C","Code":"D"}"#,
            "\t{ \"a\" : { \"}\" : [ \"]\" ] } ,\n\"Code\":\"C\" } and more",
            r#"{"a":"half \ud83d","Code":"C",}"#,
            r#"{"a":"\"}","b":"\\","C\u006fde":"C"}"#,
            r#"{"a":tru e,"b":0x1,"Code":"\u0043"}"#,
        ] {
            let code = value(text, "Code").and_then(Raw::string);
            assert_eq!(code.as_deref(), Some("C"), "{text}");
        }
    }

    #[test]
    fn what_is_no_whole_object_is_none() {
        for text in ["", " ", "[]", "null", "\"{}\"", "<a/>"] {
            assert_eq!(Object::read(text).unwrap_err(), Fault::NoObject, "{text}");
        }
        let whole = r#"{"a":"b\"c","d":{"e":[1,"]"]},"f":true}"#;
        for end in 1..whole.len() {
            let fault = Object::read(&whole[..end]).unwrap_err();
            assert_eq!(fault, Fault::Cut { at: end }, "{end}");
        }
        assert_eq!(Object::read("{1}").unwrap_err(), Fault::Broken { at: 1 });
        assert_eq!(
            Object::read("{\"a\" 1}").unwrap_err(),
            Fault::Broken { at: 5 }
        );
    }

    #[test]
    fn a_cut_object_gives_what_stands_before_the_cut() {
        let whole = r#"{"Code":"FlowNotExists","Message":"Flow x"}"#;
        let names = |end| Object::read_cut(&whole[..end]).iter().count();
        assert_eq!(names(22), 0, "half a code is none");
        assert_eq!(names(23), 1);
        assert_eq!(names(40), 1);
        assert_eq!(names(whole.len()), 2);
    }

    #[test]
    fn bodies_are_text_whatever_their_bytes_are() {
        assert_eq!(text(b"\xEF\xBB\xBF{}"), "{}");
        assert_eq!(text(b"{\"a\":\"\xf0\x9f\x98\"}"), "{\"a\":\"\u{fffd}\"}");
        for unit in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
            let plain: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(unit).collect();
            assert_eq!(text(&plain), "{\"a\":1}");
            let marked = [&unit(0xFEFF)[..], &plain].concat();
            assert_eq!(text(&marked), "{\"a\":1}");
        }
    }

    #[test]
    fn a_character_of_two_bytes_leaves_no_brace_behind() {
        assert_eq!(without_pairs(b""), b"");
        assert_eq!(without_pairs(b"a\x80b"), b"a\x80b");
        let marked = |before: &str, behind: &str| format!("{before}\u{fffd}{behind}").into_bytes();
        assert_eq!(without_pairs(b"a\x81}b"), marked("a", "b"));
        assert_eq!(without_pairs(b"\xb0\\\""), marked("", "\""));
        assert_eq!(without_pairs(b"x\xff"), marked("x", ""));
    }

    #[test]
    fn strings_are_read_as_far_as_they_mean_something() {
        for (written, read) in [
            (r#""""#, ""),
            (r#""\"\\\/\b\f\n\r\t\u0041""#, "\"\\/\u{8}\u{c}\n\r\tA"),
            (r#""\ud83d\ude00!""#, "\u{1f600}!"),
            (r#""\ud83d!""#, "\u{fffd}!"),
            (r#""\udc00\udc00""#, "\u{fffd}\u{fffd}"),
            (r#""\ude00\ud83d\u0041""#, "\u{fffd}\u{fffd}A"),
            (r#""\ud83d\n""#, "\u{fffd}\n"),
            (r#""\u12""#, "\u{fffd}12"),
            (r#""\u+123""#, "\u{fffd}+123"),
            (r#""\q\u00e9é""#, "\\qéé"),
        ] {
            assert_eq!(Raw(written).string().as_deref(), Some(read), "{written}");
        }
        let sound = serde_json::to_string("all\u{0}\u{1f}\"\\\u{7f}\u{1f600}").unwrap();
        let read = Raw(&sound).string();
        assert_eq!(read.as_deref(), Some("all\u{0}\u{1f}\"\\\u{7f}\u{1f600}"));
    }

    #[test]
    fn scalars_are_texts_and_nothing_else_is() {
        let text = r#"{"n":-1.5e3,"t":true,"s":"x","e":"","o":{},"l":[1],"w":NaN}"#;
        let read = |name| value(text, name).and_then(Raw::text);
        assert_eq!(read("n").as_deref(), Some("-1.5e3"));
        assert_eq!(read("t").as_deref(), Some("true"));
        assert_eq!(read("s").as_deref(), Some("x"));
        for name in ["e", "o", "l", "w", "absent"] {
            assert_eq!(read(name), None, "{name}");
        }
        assert_eq!(value(text, "w").map(Raw::as_str), Some("NaN"));
    }

    #[test]
    fn items_are_those_of_an_array() {
        let items = Raw(r#"[1, "a,]" ,{"b":[2]},[],null]"#).items().unwrap();
        let written: Vec<&str> = items.into_iter().map(Raw::as_str).collect();
        assert_eq!(written, ["1", "\"a,]\"", "{\"b\":[2]}", "[]", "null"]);
        assert_eq!(Raw("[]").items().unwrap(), []);
        assert_eq!(Raw("{}").items(), None);
        for odd in [r#"[{},"a":{},1]"#, "[}]", "[1}2]", "[:{}]"] {
            assert_eq!(Raw(odd).items(), None, "{odd}");
        }
    }

    #[test]
    fn deep_nesting_needs_no_stack() {
        let deep = format!(
            "{{\"a\":{}{},\"b\":1}}",
            "[".repeat(1_000_000),
            "]".repeat(1_000_000)
        );
        assert_eq!(value(&deep, "b").map(Raw::as_str), Some("1"));
    }
}
