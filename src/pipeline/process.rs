//! Runs a program for what it prints. It never outlives its time limit or whoever asked.

use std::{
    io::{self, Read as _},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::{
    error::{Error, ErrorKind},
    payload::Secret,
};

const MAX_OUTPUT_BYTES: u64 = 1024 * 1024;
const POLL: Duration = Duration::from_millis(10);

/// Runs a command, split at white space, without a shell; gives its standard output.
///
/// # Errors
///
/// [`ErrorKind::Timeout`] after `limit`, else [`ErrorKind::Credentials`]. Messages show neither
/// the command, whose arguments may be secret, nor what it wrote.
pub(super) async fn run(command: &str, limit: Duration) -> Result<Secret, Error> {
    let mut words = command.split_whitespace();
    let Some(program) = words.next() else {
        return Err(failed("is empty"));
    };
    let mut command = Command::new(program);
    command.args(words);
    let (sender, receiver) = mpsc::channel();
    let _abandon = Abandon(sender.clone());
    let supervised = spawn_blocking(move || supervise(command, limit, sender, &receiver));
    supervised
        .await
        .unwrap_or_else(|_| Err(failed("was given up: the runtime is ending")))
}

/// What ends the wait for a process.
enum Event {
    Output(io::Result<Zeroizing<Vec<u8>>>),
    /// Nobody waits any longer.
    Abandoned,
}

/// Says so when whoever asked goes away.
struct Abandon(Sender<Event>);

impl Drop for Abandon {
    fn drop(&mut self) {
        // Fails where the process has ended, and nobody listens.
        let _ = self.0.send(Event::Abandoned);
    }
}

/// Kills the process, whatever way its supervisor goes.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Fails where it has ended, as it has when all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn supervise(
    mut command: Command,
    limit: Duration,
    sender: Sender<Event>,
    events: &Receiver<Event>,
) -> Result<Secret, Error> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let child = command
        .spawn()
        .map_err(|error| failed(&format!("could not be started: {}", error.kind())))?;
    let mut running = Running(child);
    if let Some(stdout) = running.0.stdout.take() {
        // A thread of its own: a grandchild may hold the pipe open for ever.
        thread::Builder::new()
            .spawn(move || {
                let mut output = Zeroizing::new(Vec::new());
                let read = stdout.take(MAX_OUTPUT_BYTES + 1).read_to_end(&mut output);
                let _ = sender.send(Event::Output(read.map(|_| output)));
            })
            .map_err(|_| failed("could not be listened to"))?;
    }
    let output = match events.recv_timeout(limit) {
        Ok(Event::Output(Ok(output))) => output,
        Ok(Event::Output(Err(_))) => return Err(failed("broke off what it wrote")),
        Ok(Event::Abandoned) | Err(RecvTimeoutError::Disconnected) => {
            return Err(failed("was given up"));
        }
        Err(RecvTimeoutError::Timeout) => return Err(too_slow(limit)),
    };
    if output.len() as u64 > MAX_OUTPUT_BYTES {
        return Err(failed("wrote more than 1 MiB"));
    }
    let mut waited = Duration::ZERO;
    let status = loop {
        match running.0.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if waited >= limit => return Err(too_slow(limit)),
            Ok(None) => waited += POLL,
            Err(_) => return Err(failed("could not be waited for")),
        }
        if let Ok(Event::Abandoned) = events.recv_timeout(POLL) {
            return Err(failed("was given up"));
        }
    };
    if !status.success() {
        return Err(failed(&format!("ended with {status}")));
    }
    match std::str::from_utf8(&output) {
        Ok(text) => Ok(Secret::new(text)),
        Err(_) => Err(failed("wrote what is not UTF-8 text")),
    }
}

fn failed(what: &str) -> Error {
    Error::new(
        ErrorKind::Credentials,
        format!("the credential process {what}"),
    )
}

fn too_slow(limit: Duration) -> Error {
    let message = format!(
        "the credential process was not done after {} s",
        limit.as_secs_f32()
    );
    Error::new(ErrorKind::Timeout, message)
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

    #[tokio::test]
    async fn says_why_there_is_no_output() {
        for (command, why) in [
            (" ", "is empty"),
            ("/nonexistent/program MARKER", "could not be started"),
            ("false MARKER", "ended with exit status: 1"),
            (r"printf \377MARKER", "is not UTF-8"),
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
