//! Percent-encoded text, read strictly.

#[cfg(feature = "alibaba")]
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// Decodes percent-encoded UTF-8; `None` when it is not that. The library lets a `%` pass that
/// encodes nothing.
pub(crate) fn decode(text: &str) -> Option<String> {
    let is_encoded = text.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    is_encoded.then(|| decoded.into_owned())
}

/// Adds the parameters of a query or a form body; says what is wrong with them.
#[cfg(feature = "alibaba")]
pub(crate) fn add_parameters(
    parameters: &mut BTreeMap<String, String>,
    text: &str,
) -> Result<(), &'static str> {
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let malformed = "a parameter is not percent-encoded UTF-8";
        let name = decode(&name.replace('+', " ")).ok_or(malformed)?;
        let value = decode(&value.replace('+', " ")).ok_or(malformed)?;
        if parameters.insert(name, value).is_some() {
            return Err("a parameter is given twice");
        }
    }
    Ok(())
}
