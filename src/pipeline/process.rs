//! Runs a program for what it prints. It never outlives its time limit or whoever asked.

use std::{io, process::Stdio, time::Duration};

use tokio::{io::AsyncReadExt as _, process::Command, time::timeout};
use zeroize::Zeroizing;

use crate::{
    error::{Error, ErrorKind},
    payload::Secret,
};

const MAX_OUTPUT_BYTES: u64 = 1024 * 1024;

/// Runs a command, without a shell but with its words parted as a shell parts them; gives its
/// standard output.
///
/// # Errors
///
/// [`ErrorKind::Timeout`] after `limit`, else [`ErrorKind::Credentials`]. Messages show neither
/// the command, whose arguments may be secret, nor what it wrote.
pub(super) async fn run(command: &str, limit: Duration) -> Result<Secret, Error> {
    let words = words(command).ok_or_else(|| failed("has a quote that does not end"))?;
    let mut words = words.iter().map(|word| word.as_str());
    let program = words.next().ok_or_else(|| failed("is empty"))?;
    let mut command = Command::new(program);
    command
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut child = command
        .spawn()
        .map_err(|error| failed(&format!("could not be started: {}", error.kind())))?;
    let stdout = child.stdout.take();
    let mut output = Zeroizing::new(Vec::new());
    let done = async {
        if let Some(stdout) = stdout {
            stdout
                .take(MAX_OUTPUT_BYTES + 1)
                .read_to_end(&mut output)
                .await?;
        }
        match output.len() as u64 > MAX_OUTPUT_BYTES {
            true => Ok(None),
            false => child.wait().await.map(Some),
        }
    };
    let done: Result<io::Result<_>, _> = timeout(limit, done).await;
    match done {
        Ok(Ok(Some(status))) if status.success() => {}
        Ok(Ok(Some(status))) => return Err(failed(&format!("ended with {status}"))),
        Ok(Ok(None)) => return Err(failed("wrote more than 1 MiB")),
        Ok(Err(_)) => return Err(failed("broke off what it wrote")),
        Err(_) => {
            let seconds = limit.as_secs_f32();
            let message = format!("the credential process was not done after {seconds} s");
            return Err(Error::new(ErrorKind::Timeout, message));
        }
    }
    match str::from_utf8(&output) {
        Ok(text) => Ok(Secret::new(text)),
        Err(_) => Err(failed("wrote what is not UTF-8 text")),
    }
}

/// Parts words as a POSIX shell does: at white space outside quotes. Nothing is put in for
/// variables or stars. None where a quote does not end.
fn words(command: &str) -> Option<Vec<Zeroizing<String>>> {
    let mut words = Vec::new();
    let mut word: Option<Zeroizing<String>> = None;
    let mut rest = command.chars();
    while let Some(c) = rest.next() {
        if c.is_ascii_whitespace() {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_default();
        match c {
            '\'' => loop {
                match rest.next()? {
                    '\'' => break,
                    c => word.push(c),
                }
            },
            '"' => loop {
                match rest.next()? {
                    '"' => break,
                    '\\' => match rest.next()? {
                        c @ ('"' | '\\' | '$' | '`') => word.push(c),
                        '\n' => {}
                        c => word.extend(['\\', c]),
                    },
                    c => word.push(c),
                }
            },
            // There, it parts the folders of a path.
            '\\' if cfg!(windows) => word.push(c),
            '\\' => match rest.next() {
                Some('\n') | None => {}
                Some(c) => word.push(c),
            },
            c => word.push(c),
        }
    }
    words.extend(word);
    Some(words)
}

fn failed(what: &str) -> Error {
    Error::new(
        ErrorKind::Credentials,
        format!("the credential process {what}"),
    )
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::path::Path;

    use super::*;

    #[tokio::test]
    async fn gives_what_a_program_prints() {
        let output = run("printf %s-%s a  b", Duration::from_secs(10)).await;
        assert_eq!(output.unwrap().expose(), "a-b");
    }

    #[test]
    fn words_are_parted_as_a_shell_parts_them() {
        for (command, expected) in [
            ("a  b\tc\n", &["a", "b", "c"][..]),
            (
                r#""/my keys/print" --for 'my profile'"#,
                &["/my keys/print", "--for", "my profile"],
            ),
            (r"/my\ keys/print a\\b \'", &["/my keys/print", r"a\b", "'"]),
            (r#"a'b c'"d e"f"#, &["ab cd ef"]),
            (
                r#""a\"b\\c\d\$e" '\' '' "" "#,
                &[r#"a"b\c\d$e"#, r"\", "", ""],
            ),
            ("$HOME * # x", &["$HOME", "*", "#", "x"]),
            ("  ", &[]),
        ] {
            let words = words(command).unwrap();
            let words: Vec<&str> = words.iter().map(|word| word.as_str()).collect();
            assert_eq!(words, expected, "{command}");
        }
        for command in ["a 'b", "a \"b", "\"b\\\"", "'"] {
            assert!(words(command).is_none(), "{command}");
        }
    }

    #[tokio::test]
    async fn says_why_there_is_no_output() {
        for (command, why) in [
            ("cat 'MARKER", "a quote that does not end"),
            (" ", "is empty"),
            ("/nonexistent/program MARKER", "could not be started"),
            ("false MARKER", "ended with exit status: 1"),
            (r"printf '\377MARKER'", "is not UTF-8"),
            ("cat /dev/zero", "more than 1 MiB"),
        ] {
            let error = run(command, Duration::from_secs(10)).await.unwrap_err();
            assert!(error.message().contains(why), "{command}: {error}");
            assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn kills_a_program_that_takes_too_long() {
        let error = run("sleep 3600", Duration::from_millis(50)).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Timeout);
    }

    /// Nobody waits any longer: the process ends long before its limit.
    #[tokio::test]
    async fn kills_a_program_that_nobody_waits_for() {
        let waiting = run("sleep 3601", Duration::from_secs(3600));
        let _ = tokio::time::timeout(Duration::from_millis(300), waiting).await;
        if !Path::new("/proc/self").exists() {
            return;
        }
        for _ in 0..500 {
            if !is_running(b"sleep\x003601\0") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the process is still there");
    }

    fn is_running(command_line: &[u8]) -> bool {
        std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| line == command_line)
        })
    }
}
