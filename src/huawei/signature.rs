//! `SDK-HMAC-SHA256`: a request and a key in, an `Authorization` header out.
//!
//! What is signed is the SHA-256 of the *canonical request*: method, path, query, headers, the
//! names of those headers, and the hash of the body, a line each. Source: Huawei Cloud, "API
//! Request Signing Guide"; where that leaves something open, the official Python core 3.1.219.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use percent_encoding::{AsciiSet, percent_decode_str, percent_encode};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

use crate::{
    bits::push_hex,
    pipeline::{percent::RESERVED, protocol::digits, transport::HttpRequest},
};

/// The scheme's name, with which `Authorization` and the signed text begin.
pub(crate) const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// What stands for the hash of a body that is not signed.
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The header that says so; signed itself.
pub(crate) const CONTENT_HASH: &str = "x-sdk-content-sha256";

/// The header with the time of signing.
pub(crate) const DATE: &str = "x-sdk-date";

/// What is reserved in a whole path, whose separators stay.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// A secret key, made ready to sign.
#[derive(Clone)]
pub(crate) struct Key(Hmac<Sha256>);

impl Key {
    /// The signing key is the secret key as it is; nothing is derived from it.
    pub(crate) fn new(secret_key: &str) -> Self {
        let key = secret_key.as_bytes();
        // HMAC hashes a key longer than a block, and pads a shorter one with zeros.
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        if key.len() > block.len() {
            let hash = Sha256::digest(key);
            block[..hash.len()].copy_from_slice(&hash);
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let mac = Hmac::new(&block);
        block.zeroize();
        Self(mac)
    }

    /// Signs a request as of `date`, the value of its `X-Sdk-Date`; lower-case hexadecimal digits.
    pub(crate) fn sign(&self, request: &Request<'_>, date: &str) -> String {
        let mut hash = Hashing(Sha256::new());
        // Neither this writer nor a `String` ever fails.
        let _ = request.write(&mut hash);
        let mut hex = String::with_capacity(64);
        push_hex(&mut hex, &hash.0.finalize());
        let mut mac = self.0.clone();
        for part in [ALGORITHM, "\n", date, "\n", &hex] {
            mac.update(part.as_bytes());
        }
        hex.clear();
        push_hex(&mut hex, &mac.finalize().into_bytes());
        hex
    }

    /// The value of `Authorization` for a request as of `date`.
    pub(crate) fn authorize(&self, access_key: &str, request: &Request<'_>, date: &str) -> String {
        let signature = self.sign(request, date);
        let mut text = String::with_capacity(224);
        for part in [ALGORITHM, " Access=", access_key, ", SignedHeaders="] {
            text.push_str(part);
        }
        let _ = request.write_names(&mut text);
        text.push_str(", Signature=");
        text.push_str(&signature);
        text
    }
}

/// What is signed of a request.
pub(crate) struct Request<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    /// Sorted by name.
    headers: Vec<(&'a str, Cow<'a, str>)>,
    body: &'a [u8],
}

impl<'a> Request<'a> {
    /// A request as it is sent.
    pub(crate) fn of(request: &'a HttpRequest) -> Self {
        Self::new(
            request.method.as_str(),
            request.url.path(),
            request.url.query().unwrap_or_default(),
            &request.headers,
            &request.body,
        )
    }

    /// A request with path and query as they are sent, signed with all these headers but
    /// `Authorization` and those with an underscore in their names.
    pub(crate) fn new(
        method: &'a str,
        path: &'a str,
        query: &'a str,
        headers: &'a HeaderMap,
        body: &'a [u8],
    ) -> Self {
        let mut headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes().trim_ascii()))
            .filter(|(name, _)| *name != "authorization" && !name.contains('_'))
            .map(|(name, value)| (name, String::from_utf8_lossy(value)))
            .collect();
        headers.sort_unstable();
        Self {
            method,
            path,
            query,
            headers,
            body,
        }
    }

    /// The same request, signed with these headers alone: names in lower case, joined by `;`.
    #[cfg(feature = "emulator")]
    pub(crate) fn signed_with(mut self, names: &str) -> Self {
        self.headers
            .retain(|(name, _)| names.split(';').any(|signed| signed == *name));
        self
    }

    /// The canonical request: its last line is not ended.
    pub(crate) fn canonical(&self) -> String {
        let mut text = String::with_capacity(512);
        let _ = self.write(&mut text);
        text
    }

    /// The first part in which the canonical request that the gateway made is another than ours:
    /// what stands behind the words of the refusal, with vertical bars for the line ends.
    pub(crate) fn compare(&self, echo: &str) -> Comparison<'_> {
        let echo = echo.trim_start_matches(|c: char| c.is_whitespace() || ",:;.".contains(c));
        let label = "canonicalRequest";
        let echo = match echo.get(..label.len()) {
            Some(start) if start.eq_ignore_ascii_case(label) => echo[label.len()..]
                .trim_start_matches(|c: char| c.is_whitespace() || ":=".contains(c)),
            _ => echo,
        };
        let Some((method, path, query, headers, names, hash)) = split(echo) else {
            return Comparison::Unreadable;
        };
        let ours = self.canonical().replace('\n', "|");
        if ours == echo.trim_end() {
            return Comparison::Same;
        }
        let Some((our_method, our_path, our_query, our_headers, our_names, our_hash)) =
            split(&ours)
        else {
            return Comparison::Unreadable;
        };
        if method != our_method {
            return Comparison::Differs("method", None);
        }
        if path != our_path {
            return Comparison::Differs("path", None);
        }
        if query != our_query {
            return Comparison::Differs("query", None);
        }
        // Only names that we sent are told: the echo's own text is nobody's to print.
        for (name, value) in &self.headers {
            let is_echoed = headers.split('|').any(|line| {
                line.split_once(':').is_some_and(|(echoed, text)| {
                    echoed.trim().eq_ignore_ascii_case(name) && text.trim() == value
                })
            });
            // A value that itself holds a vertical bar is split in the echo.
            if !is_echoed && !value.contains('|') {
                return Comparison::Differs("header", Some(name));
            }
        }
        if names != our_names || headers != our_headers {
            return Comparison::Differs("list of signed headers", None);
        }
        if hash != our_hash {
            return Comparison::Differs("hash of the body", None);
        }
        Comparison::Same
    }

    /// Writes the canonical request, part by part: formatting takes longer than hashing does.
    fn write(&self, out: &mut impl fmt::Write) -> fmt::Result {
        out.write_str(self.method)?;
        out.write_char('\n')?;
        // Decoded first: `%2F` becomes a separator, and any spelling of a character the same.
        let path: Cow<'_, [u8]> = match self.path.contains('%') {
            true => percent_decode_str(self.path).into(),
            false => self.path.as_bytes().into(),
        };
        for piece in percent_encode(&path, RESERVED_IN_PATH) {
            out.write_str(piece)?;
        }
        out.write_str(if path.ends_with(b"/") { "\n" } else { "/\n" })?;
        self.write_query(out)?;
        out.write_char('\n')?;
        for (name, value) in &self.headers {
            for part in [name, ":", value, "\n"] {
                out.write_str(part)?;
            }
        }
        out.write_char('\n')?;
        self.write_names(out)?;
        out.write_char('\n')?;
        let stated = self.headers.iter().find(|(name, _)| *name == CONTENT_HASH);
        match stated {
            Some((_, stated)) if !self.body.is_empty() => out.write_str(stated),
            _ => {
                let mut hex = String::with_capacity(64);
                push_hex(&mut hex, &Sha256::digest(self.body));
                out.write_str(&hex)
            }
        }
    }

    fn write_query(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let decode = |text: &'a str| -> Cow<'a, [u8]> { percent_decode_str(text).into() };
        let mut pairs: Vec<_> = self
            .query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect();
        pairs.sort_unstable();
        for (i, (name, value)) in pairs.iter().enumerate() {
            if i > 0 {
                out.write_char('&')?;
            }
            let name = percent_encode(name, RESERVED);
            write!(out, "{name}={}", percent_encode(value, RESERVED))?;
        }
        Ok(())
    }

    /// Writes the names of the signed headers, joined by `;`.
    fn write_names(&self, out: &mut impl fmt::Write) -> fmt::Result {
        for (i, (name, _)) in self.headers.iter().enumerate() {
            if i > 0 {
                out.write_char(';')?;
            }
            out.write_str(name)?;
        }
        Ok(())
    }
}

/// What the gateway's canonical request tells, beside ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Comparison<'a> {
    /// They are the same, so the keys are not.
    Same,
    /// They differ first in this part, and if that is a header, in this one.
    Differs(&'static str, Option<&'a str>),
    /// There is none, or none of this shape.
    Unreadable,
}

/// Method, path, query, headers, names and hash of a canonical request with bars for line ends.
type Parts<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, &'a str);

fn split(echo: &str) -> Option<Parts<'_>> {
    let (method, rest) = echo.split_once('|')?;
    let (path, rest) = rest.split_once('|')?;
    let (query, rest) = rest.split_once('|')?;
    let (rest, hash) = rest.rsplit_once('|')?;
    let (headers, names) = rest.rsplit_once("||")?;
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_path = path.starts_with('/');
    (is_method && is_path).then_some((method, path, query, headers, names, hash.trim_end()))
}

/// Feeds what is written to a hash.
struct Hashing(Sha256);

impl fmt::Write for Hashing {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

/// Whether a body of this type is left out of the signature, which the header [`CONTENT_HASH`]
/// with [`UNSIGNED_PAYLOAD`] then says: the gateway hashes JSON (and BSON) only.
pub(crate) fn leaves_body_out(content_type: &[u8]) -> bool {
    !content_type.starts_with(b"application/json") && !content_type.starts_with(b"application/bson")
}

/// A time as `X-Sdk-Date` has it: `20260131T080910Z`.
pub(crate) fn date(time: DateTime<Utc>) -> String {
    let [century, year, month, day, hour, minute, second] = digits(time);
    let text = [
        &century[..],
        &year,
        &month,
        &day,
        b"T",
        &hour,
        &minute,
        &second,
        b"Z",
    ]
    .concat();
    // All of it is ASCII.
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use percent_encoding::utf8_percent_encode;
    use serde::Deserialize;

    use super::*;

    /// All headers as a map, with what the signer adds.
    fn headers<'a>(list: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        if headers
            .get("content-type")
            .is_some_and(|value| leaves_body_out(value.as_bytes()))
        {
            headers.insert(CONTENT_HASH, HeaderValue::from_static(UNSIGNED_PAYLOAD));
        }
        headers
    }

    #[test]
    fn signs_as_the_official_signer_does() {
        #[derive(Deserialize)]
        struct Vector {
            name: String,
            method: String,
            access_key: String,
            secret_key: String,
            decoded_path: String,
            query: Vec<(String, String)>,
            headers: std::collections::HashMap<String, String>,
            body: String,
            authorization: String,
        }
        #[derive(Deserialize)]
        struct File {
            vectors: Vec<Vector>,
        }
        let file = include_str!("../../tests/data/huawei_sdk_hmac_sha256.json");
        let file: File = serde_json::from_str(file).unwrap();
        assert_eq!(file.vectors.len(), 60);
        for vector in file.vectors {
            let path = utf8_percent_encode(&vector.decoded_path, RESERVED_IN_PATH).to_string();
            let mut query = String::new();
            for (name, value) in &vector.query {
                query.push('&');
                query.extend(utf8_percent_encode(name, RESERVED));
                query.push('=');
                query.extend(utf8_percent_encode(value, RESERVED));
            }
            let headers = headers(vector.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())));
            let request = Request::new(
                &vector.method,
                &path,
                query.trim_start_matches('&'),
                &headers,
                vector.body.as_bytes(),
            );
            let date = headers[DATE].to_str().unwrap();
            let ours = Key::new(&vector.secret_key).authorize(&vector.access_key, &request, date);
            assert_eq!(ours, vector.authorization, "{}", vector.name);
        }
    }

    #[derive(Deserialize)]
    struct Sheet {
        access_key: String,
        secret_key: String,
        vectors: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        name: String,
        method: String,
        target: String,
        headers: Vec<(String, String)>,
        body: String,
        canonical_request: String,
        authorization: String,
    }

    fn sheet() -> Sheet {
        serde_json::from_str(include_str!("../../tests/data/huawei_sheet.json")).unwrap()
    }

    #[test]
    fn signs_the_hard_cases_of_the_sheet() {
        let sheet = sheet();
        assert_eq!(sheet.vectors.len(), 11);
        for case in sheet.vectors {
            let headers = headers(case.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())));
            let (path, query) = case.target.split_once('?').unwrap_or((&case.target, ""));
            let request = Request::new(&case.method, path, query, &headers, case.body.as_bytes());
            assert_eq!(request.canonical(), case.canonical_request, "{}", case.name);
            let date = headers[DATE].to_str().unwrap();
            let ours = Key::new(&sheet.secret_key).authorize(&sheet.access_key, &request, date);
            assert_eq!(ours, case.authorization, "{}", case.name);

            let echo = format!(
                ", canonicalRequest:{}",
                case.canonical_request.replace('\n', "|")
            );
            assert_eq!(request.compare(&echo), Comparison::Same, "{}", case.name);
        }
    }

    /// Keys up to and beyond HMAC's block size, against the plain definition.
    #[test]
    fn takes_secrets_of_any_length() {
        let headers = HeaderMap::new();
        let request = Request::new("GET", "/", "", &headers, b"");
        let mut hash = String::new();
        push_hex(&mut hash, &Sha256::digest(request.canonical()));
        for length in [0, 1, 63, 64, 65, 200] {
            let secret = "s".repeat(length);
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
            mac.update(format!("SDK-HMAC-SHA256\n20260131T080910Z\n{hash}").as_bytes());
            let mut expected = String::new();
            push_hex(&mut expected, &mac.finalize().into_bytes());
            assert_eq!(
                Key::new(&secret).sign(&request, "20260131T080910Z"),
                expected
            );
        }
    }

    #[test]
    fn equal_paths_and_queries_are_signed_alike() {
        let headers = HeaderMap::new();
        let canonical = |path, query| Request::new("GET", path, query, &headers, b"").canonical();
        for (path, query) in [
            ("/a%2eb/%e6%b5%81", "b&a=%7E&a="),
            ("/a.b/%E6%B5%81/", "a=&a=~&b="),
            ("/a%2Eb%2F%E6%B5%81", "&b=&a=~&&a"),
        ] {
            let expected = canonical("/a.b/%E6%B5%81/", "a=&a=~&b=");
            assert_eq!(canonical(path, query), expected, "{path}?{query}");
        }
        assert!(canonical("/", "").starts_with("GET\n/\n\n\n\n"));
    }

    #[test]
    fn the_first_part_that_differs_is_named() {
        let headers = headers([
            ("Content-Type", "application/json"),
            ("Host", "h.example:8080"),
            ("X-Sdk-Date", "20260131T080910Z"),
            ("X-Security-Token", "to|ken"),
        ]);
        let request = Request::new("POST", "/v2/p/x", "a=1", &headers, b"{}");
        let echo = request.canonical().replace('\n', "|");
        assert_eq!(request.compare(&echo), Comparison::Same);
        for (from, to, part, name) in [
            ("POST|", "PUT|", "method", None),
            ("/p/x/|", "/p/x%20/|", "path", None),
            ("a=1", "a=2", "query", None),
            ("h.example:8080", "other", "header", Some("host")),
            (
                "content-type:",
                "content-kind:",
                "header",
                Some("content-type"),
            ),
            (";x-sdk-date", "", "list of signed headers", None),
            ("|44136fa3", "|00000000", "hash of the body", None),
        ] {
            let changed = echo.replacen(from, to, 1);
            assert_ne!(changed, echo, "{from}");
            let differs = Comparison::Differs(part, name);
            assert_eq!(request.compare(&changed), differs, "{from}");
        }
        for other in [
            "",
            ", no details",
            "a|b|c|d||e|f",
            "POST|x",
            "|||||||",
            "|/p/|q|h||n|hash",
            "Post|/p/|q|h||n|hash",
            "POST|p/|q|h||n|hash",
        ] {
            assert_eq!(request.compare(other), Comparison::Unreadable, "{other}");
        }
    }

    #[test]
    fn what_is_not_there_is_hashed_whatever_its_type() {
        let headers = headers([("Content-Type", "text/plain")]);
        let hash = |body| {
            let canonical = Request::new("POST", "/", "", &headers, body).canonical();
            canonical.rsplit_once('\n').unwrap().1.to_owned()
        };
        assert_eq!(hash(b"x"), UNSIGNED_PAYLOAD);
        let mut of_nothing = String::new();
        push_hex(&mut of_nothing, &Sha256::digest(b""));
        assert_eq!(hash(b""), of_nothing);
    }

    #[cfg(feature = "emulator")]
    #[test]
    fn fewer_headers_can_be_signed() {
        let headers = headers([("Host", "h"), ("X-Sdk-Date", "d"), ("X-Other", "o")]);
        let request = Request::new("GET", "/", "", &headers, b"").signed_with("host;x-sdk-date");
        let canonical = request.canonical();
        assert!(canonical.contains("host:h\nx-sdk-date:d\n\nhost;x-sdk-date\n"));
    }

    #[test]
    fn a_date_has_the_basic_form() {
        let time = DateTime::from_timestamp(1_769_846_950, 999_000_000).unwrap();
        assert_eq!(date(time), "20260131T080910Z");
    }
}
