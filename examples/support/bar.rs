//! How far a bulk run is: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// How lines stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub lines: usize,
    pub succeeded: usize,
    pub failed: usize,
    /// Not started, as the service or this program said.
    pub refused: usize,
    /// Perhaps started, and not followed any more.
    pub unknown: usize,
    pub in_flight: usize,
}

impl Tally {
    pub fn done(&self) -> usize {
        self.succeeded + self.failed + self.refused + self.unknown
    }

    /// Lines that nobody has begun.
    pub fn left(&self) -> usize {
        self.lines.saturating_sub(self.done() + self.in_flight)
    }

    /// What scripts look at: the worst of all lines.
    pub fn exit_status(&self) -> u8 {
        match self {
            tally if tally.unknown + tally.in_flight > 0 => 4,
            tally if tally.succeeded < tally.lines => 3,
            _ => 0,
        }
    }
}

/// All in words. `ended` lines ended in the time `elapsed`.
pub fn words(tally: &Tally, ended: usize, elapsed: Duration) -> String {
    let rate = ended as f64 / elapsed.as_secs_f64().max(0.001);
    let open = tally.lines - tally.done();
    let left = match open {
        0 => String::new(),
        _ if ended == 0 => ", time left unknown".to_owned(),
        open => format!(", {} left", time((open as f64 / rate) as u64)),
    };
    format!(
        "{} of {} done, {} failed, {} in flight, {rate:.1}/s{left}",
        tally.done(),
        tally.lines,
        tally.failed + tally.refused + tally.unknown,
        tally.in_flight,
    )
}

fn time(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// How often a line is printed where there is no terminal.
const PAUSE: Duration = Duration::from_secs(10);

pub struct Bar {
    bar: Option<ProgressBar>,
    begun: Instant,
    printed: Instant,
    /// How many lines had ended before.
    before: usize,
}

impl Bar {
    pub fn new(tally: &Tally) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(tally.lines as u64);
            match ProgressStyle::with_template("[{bar:30}] {msg}") {
                Ok(style) => bar.with_style(style.progress_chars("=> ")),
                Err(_) => bar,
            }
        });
        let now = now();
        Self {
            bar,
            begun: now,
            printed: now,
            before: tally.done(),
        }
    }

    pub fn show(&mut self, tally: &Tally) {
        let text = words(tally, tally.done() - self.before, self.begun.elapsed());
        if let Some(bar) = &self.bar {
            bar.set_position(tally.done() as u64);
            bar.set_message(text);
        } else if self.printed.elapsed() >= PAUSE {
            self.printed = now();
            // Where nobody reads it, the run goes on.
            let _ = writeln!(io::stderr(), "bulk: {text}");
        }
    }

    /// Says something beside the bar.
    pub fn say(&self, text: &str) {
        let say = || {
            let _ = writeln!(io::stderr(), "bulk: {text}");
        };
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }

    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "people see how long it has taken"
)]
fn now() -> Instant {
    Instant::now()
}
