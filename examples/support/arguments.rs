//! Arguments of more than one operation.

use std::{fs, io::Read as _, time::Duration};

use super::failure::Failure;

/// Reads `JSON`, `@FILE` or `-` (standard input); `option` is how errors call it.
pub fn json_text(option: &str, argument: &str) -> Result<String, Failure> {
    let read = match argument.strip_prefix('@') {
        Some(file) => fs::read_to_string(file),
        None if argument == "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        None => return Ok(argument.to_owned()),
    };
    read.map_err(|error| Failure::local(format!("{option} {argument}: {error}")))
}

/// Parses seconds, such as `90` or `0.5`.
pub fn seconds(argument: &str) -> Result<Duration, String> {
    let seconds: f64 = argument
        .parse()
        .map_err(|_| "must be a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
