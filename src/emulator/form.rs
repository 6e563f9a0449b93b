//! Percent-encoded text, read strictly.

#[cfg(feature = "alibaba")]
use std::collections::BTreeMap;

/// Decodes percent-encoded UTF-8; `None` when it is not that.
pub(crate) fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex_digit(rest.next()?)? << 4 | hex_digit(rest.next()?)?,
            b'+' if plus_is_space => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
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
        let name = decode(name, true).ok_or(malformed)?;
        let value = decode(value, true).ok_or(malformed)?;
        if parameters.insert(name, value).is_some() {
            return Err("a parameter is given twice");
        }
    }
    Ok(())
}
