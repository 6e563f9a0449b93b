//! What the call programs share.

use std::{error::Error as _, fmt::Write as _, fs, io::Read as _, process::ExitCode};

use cloud_workflows::Error;
use serde::Serialize;

/// Reads `JSON`, `@FILE` or `-` (standard input).
pub fn json_text(argument: &str) -> Result<String, String> {
    let read = match argument.strip_prefix('@') {
        Some(file) => fs::read_to_string(file),
        None if argument == "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        None => return Ok(argument.to_owned()),
    };
    read.map_err(|error| format!("--input {argument}: {error}"))
}

/// An error and its causes on one line.
pub fn one_line(error: &Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(line, " <- {error}");
        cause = error.source();
    }
    line.replace(['\n', '\r'], " ")
}

/// Prints an answer as one JSON object, or an error as one line on stderr.
pub fn finish(answer: Result<impl Serialize, String>) -> ExitCode {
    let text = answer.and_then(|answer| {
        serde_json::to_string_pretty(&answer).map_err(|error| error.to_string())
    });
    match text {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(line) => {
            eprintln!("{line}");
            ExitCode::FAILURE
        }
    }
}
