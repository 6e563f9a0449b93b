//! Percent-encoded text and inputs, read strictly.

#[cfg(feature = "alibaba")]
use std::collections::BTreeMap;

use crate::payload;

/// How deeply an input may be nested; `serde_json` reads no more either.
const DEEPEST: usize = 127;

/// Whether it is the text of a JSON object that a flow can be given. How large its numbers are is
/// the flow's matter.
pub(crate) fn is_input(text: &str) -> bool {
    payload::is_object(text) && depth(text) <= DEEPEST
}

/// How deeply valid JSON text is nested.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut in_string = false;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' => _ = bytes.next(),
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

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
