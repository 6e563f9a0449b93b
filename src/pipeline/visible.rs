//! What can be part of a header or a key.

use crate::{
    error::{Error, ErrorKind},
    payload::Secret,
};

impl Secret {
    /// Refuses what cannot be part of a header or a key: an empty text, spaces, control
    /// characters, anything outside ASCII. The message does not show the value.
    pub(crate) fn check(&self, setting: &str) -> Result<(), Error> {
        check_visible(setting, self.expose())
    }
}

/// Refuses an empty text and one with anything but visible ASCII characters.
pub(crate) fn check_visible(setting: &str, text: &str) -> Result<(), Error> {
    let fault = if text.is_empty() {
        "is empty"
    } else if is_visible(text) {
        return Ok(());
    } else if is_visible(text.trim_ascii()) {
        "begins or ends with white space (a line end from a file, perhaps)"
    } else {
        "holds a space, a control character or a character outside ASCII"
    };
    Err(Error::new(
        ErrorKind::Credentials,
        format!("{setting} {fault}"),
    ))
}

/// Whether all characters are visible ASCII ones. Tokens are long and looked at in every call:
/// without an early end, many bytes are compared at once.
fn is_visible(text: &str) -> bool {
    text.bytes()
        .fold(true, |all, byte| all & byte.is_ascii_graphic())
}
