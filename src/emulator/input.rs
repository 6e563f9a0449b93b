//! What a flow can be given.

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
