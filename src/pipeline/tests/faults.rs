//! Every sequence of faults: each run that a call can go through, to a depth, against a service
//! that knows the truth.
//!
//! `events` says what can happen to a request and what it means, `service` plays it, `calls` has
//! the calls, `laws` what must hold of every run. A run is a path in a tree: where a call asks for
//! more than the script has, the service answers honestly, and every other event is tried in that
//! place. So an event that is never asked for makes no run of its own.

mod calls;
mod events;
mod laws;
mod rows;
mod service;
mod waits;

use std::{collections::HashMap, sync::Mutex};

use super::*;
use crate::pipeline::retry::Pace;
use calls::{Asked, Call};
use events::{Begins, Event};
use laws::LAWS;
use service::{Run, play};

/// How many attempts a call may make.
const ATTEMPTS: u32 = 4;

/// What was seen of many runs.
#[derive(Default)]
struct Seen {
    runs: u64,
    /// The same, where the service may have begun it or not, counted as many.
    truths: u64,
    requests: u64,
    /// First pauses after attempts that were throttled so: how many, and the longest.
    throttled: HashMap<&'static str, (u64, Duration)>,
}

/// All runs of a call to this depth, each given to `look`; where that says no, no further. What was
/// run with another key is not run again, but to go on to where this one ages.
async fn explore(call: Call, depth: usize, mut look: impl FnMut(&Run) -> bool) {
    let events = [Asked::Call, Asked::Look].map(|asked| events::of(call, asked));
    let mut scripts: Vec<Vec<&'static Event>> = vec![Vec::new()];
    while let Some(script) = scripts.pop() {
        let run = play(call, &script).await;
        let is_new = !call.differs_by_age() || script.iter().any(|event| event.ages_key());
        if is_new && !look(&run) {
            return;
        }
        let Some(beyond) = run
            .requests
            .get(script.len())
            .filter(|_| script.len() < depth)
        else {
            continue;
        };
        for event in &events[beyond.asked as usize] {
            if is_new || script.len() + 1 < depth || event.ages_key() {
                scripts.push([&script[..], &[*event]].concat());
            }
        }
    }
}

fn on_paused_clock<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// How deep: `FAULTS_DEPTH`, else as deep as a build like this one gets within seconds.
fn depth() -> usize {
    match std::env::var("FAULTS_DEPTH") {
        Ok(depth) => depth.parse().unwrap(),
        Err(_) if cfg!(debug_assertions) => 2,
        Err(_) => 3,
    }
}

/// Holds all runs of a call, to this depth, against each law.
async fn check(call: Call, depth: usize) -> Result<Seen, String> {
    let mut seen = Seen::default();
    let mut broken = None;
    explore(call, depth, |run| {
        seen.note(run);
        broken = run.broken();
        broken.is_none()
    })
    .await;
    // One pause may be any; of so many, one is longer than any of the other pace.
    let mut throttled = seen.throttled.iter();
    let hasty = throttled
        .find(|(_, (count, longest))| *count > 20 && *longest <= Duration::from_millis(100));
    match (broken, hasty) {
        (Some(broken), _) => Err(broken),
        (None, Some((event, _))) => Err(format!("{call:?}: {event}: the pauses are too short")),
        (None, None) => Ok(seen),
    }
}

impl Run {
    /// The first law that it breaks, and how.
    fn broken(&self) -> Option<String> {
        LAWS.iter().find_map(|(law, is_kept)| {
            let fault = is_kept(self).err()?;
            let events: Vec<&str> = self.requests.iter().map(|asked| asked.event.name).collect();
            let (call, events) = (self.call, events.join(", then "));
            Some(format!(
                "{law}: {fault}\n{call:?}: {events}: {:?}",
                self.sent
            ))
        })
    }
}

impl Seen {
    fn note(&mut self, run: &Run) {
        let open = run.requests.iter();
        let open = open.filter(|request| request.event.begins == Begins::Perhaps);
        self.runs += 1;
        self.truths += 1 << open.count();
        self.requests += run.requests.len() as u64;
        for (at, pause, pace, attempts) in run.pauses() {
            if pace == Pace::Throttled && attempts == 1 {
                let event = run.requests[at].event.name;
                let (count, longest) = self.throttled.entry(event).or_default();
                *count += 1;
                *longest = pause.max(*longest);
            }
        }
    }
}

#[test]
fn every_sequence_of_faults() {
    let (calls, depth) = (Mutex::new(calls::all()), depth());
    let all = Mutex::new(Seen::default());
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some(call) = calls.lock().unwrap().pop() else {
                        return;
                    };
                    let seen = on_paused_clock(check(call, depth));
                    let seen = seen.unwrap_or_else(|broken| panic!("{broken}"));
                    let mut all = all.lock().unwrap();
                    all.runs += seen.runs;
                    all.truths += seen.truths;
                    all.requests += seen.requests;
                }
            });
        }
    });
    let Seen {
        runs,
        truths,
        requests,
        ..
    } = all.into_inner().unwrap();
    println!(
        "to depth {depth}: {runs} distinct runs of {requests} requests; with what the service may \
         have begun or not, {truths}"
    );
}
