//! The example `bulk`: names, inputs, results, and the whole program interrupted and run again.
#![cfg(all(feature = "alibaba", feature = "huawei", unix))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "../examples/support/bar.rs"]
#[expect(dead_code, reason = "the bar itself is the program's")]
mod bar;
#[path = "../examples/support/lines.rs"]
mod lines;
#[path = "../examples/support/results.rs"]
mod results;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use bar::{Tally, words};
use cloud_workflows::{
    FlowFailure, Payload,
    emulator::{Emulator, Fault, Flow, RecordedRequest},
};
use lines::{Naming, Part, canonical, generation, read, without_generation};
use results::{Entry, Header, Results, STARTING, State, on_one_line};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

fn naming<'a>(key: Option<&'a str>, run: Option<&'a str>) -> Naming<'a> {
    Naming {
        flow: "flow",
        run,
        key,
    }
}

fn names(text: &str) -> Vec<String> {
    let (lines, bad) = read(text.as_bytes(), naming(None, None));
    assert!(bad.is_empty(), "{bad:?}");
    lines.into_iter().map(|line| line.name).collect()
}

fn faults(bytes: &[u8], key: Option<&str>) -> Vec<(usize, String)> {
    let bad = read(bytes, naming(key, None)).1;
    bad.into_iter().map(|bad| (bad.number, bad.fault)).collect()
}

/// Another name starts all lines of everybody's runs again.
#[test]
fn names_are_frozen() {
    let input = br#"{"b": [1.50, 1e400], "a": "\u0041 A"}"#;
    let twice = [&input[..], b"\n", input].concat();
    let (lines, _) = read(&twice, naming(None, Some("nightly 2026-11-28")));
    let names: Vec<_> = lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "nightly-2026-11-28-9cc37045e83db4162d75bd9797f979d8",
            "nightly-2026-11-28-dd0d2aacc82974ff4b9f4d7bb2108979",
        ]
    );
    let (lines, _) = read(br#"{"id": 17}"#, naming(Some("id"), None));
    assert_eq!(lines[0].name, "cw-c546207cc27aa8f9c9f1da5844187dee");
    assert_eq!(
        generation(&lines[0].name, 2),
        "cw-c546207cc27aa8f9c9f1da5844187dee-r2"
    );
    assert_eq!(without_generation("cw-1-r2", 2), "cw-1");
    assert_eq!(without_generation("cw-1", 1), "cw-1");
    assert_eq!(lines::digits("cw-1"), "5ecf58b9f522220dd170b488d000a2c9");
}

#[test]
fn canonical_inputs_keep_numbers_and_texts_as_written() {
    for (text, wanted) in [
        (" { } ", "{}"),
        (r#"{"b" : 1.0, "a":[ ]}"#, r#"{"a":[],"b":1.0}"#),
        (
            r#"{"n":[10000000000000000000001, -0.0e+5 ,true,null]}"#,
            r#"{"n":[10000000000000000000001,-0.0e+5,true,null]}"#,
        ),
        (
            "{\"t\":\" a \\\" : , } \\\\\",\t\"s\":{\"z\":{},\"y\":\"\\u00e9é\"}}",
            "{\"s\":{\"y\":\"\\u00e9é\",\"z\":{}},\"t\":\" a \\\" : , } \\\\\"}",
        ),
        (r#"{"a":2,"a":1}"#, r#"{"a":2,"a":1}"#),
    ] {
        assert_eq!(canonical(text).as_deref(), Some(wanted));
    }
    let deep = |depth| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(canonical(&deep(100)).is_some());
    assert!(canonical(&deep(100_000)).is_none());
}

#[test]
fn a_name_depends_on_what_a_line_says_and_not_on_where_it_stands() {
    let before = names("{\"a\":1}\n{\"b\":2}\n{\"a\":1}\n");
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 3);
    let after = names("\u{feff}{\"c\":3}\r\n\r\n{ \"a\" : 1 }\r\n{\"b\":2}\r\n  {\"a\":1}");
    assert_eq!(after[1..], before[..]);
    let one = |run, flow, key| {
        let naming = Naming { flow, run, key };
        read(b"{\"a\":1}", naming).0.remove(0).name
    };
    let all: BTreeSet<_> = [
        one(None, "f", None),
        one(Some("r"), "f", None),
        one(Some("r "), "f", None),
        one(None, "g", None),
        one(None, "f", Some("a")),
    ]
    .into();
    assert_eq!(all.len(), 5);
    // With a key the rest of the line does not matter, but whether it is a text does.
    let keyed = |text: &str| {
        read(text.as_bytes(), naming(Some("id"), None))
            .0
            .remove(0)
            .name
    };
    assert_eq!(
        keyed(r#"{"id":"A","n":1}"#),
        keyed(r#"{"n":2,"id":"\u0041"}"#)
    );
    assert_ne!(keyed(r#"{"id":1}"#), keyed(r#"{"id":"1"}"#));
    for run in ["9 o'clock", "日", &"x".repeat(500), ""] {
        let name = one(Some(run), "f", None);
        let name = generation(&name, u32::MAX);
        assert!(
            name.parse::<cloud_workflows::ExecutionName>().is_ok(),
            "{name}"
        );
    }
}

#[test]
fn all_bad_lines_are_told_at_once() {
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(64 * 1024));
    let text = [
        b"{\"a\":\n[1]\n\xff{}\n{\"id\":1}\n\n".as_slice(),
        large.as_bytes(),
        b"\n{} {}",
    ]
    .concat();
    let told: Vec<_> = faults(&text, None);
    let numbers: Vec<_> = told.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 3, 6, 7], "{told:?}");
    assert!(told[3].1.contains("64 KiB"), "{told:?}");
    assert!(told[2].1.contains("UTF-8"), "{told:?}");
    let keyed = b"{\"id\":1}\n{\"id\":2}\n{\"id\": 1}\n{\"id\":null}\n{\"id\":true}";
    let told = faults(keyed, Some("id"));
    let numbers: Vec<_> = told.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 3, 4, 5]);
    assert_eq!(told[0].1, "lines 1, 3 have the same id");
    let lines = read(keyed, naming(Some("id"), None)).0;
    assert_eq!(
        lines.iter().map(|line| line.number).collect::<Vec<_>>(),
        [2]
    );
}

#[test]
fn parts_share_all_lines_without_one_twice() {
    let text: String = (0..300)
        .map(|i| format!("{{\"n\":{}}}\n", i % 150))
        .collect();
    let names = names(&text);
    let mut counts = [0; 3];
    for name in &names {
        let parts: Vec<_> = (1..=3)
            .filter(|k| Part::parse(&format!("{k}/3")).unwrap().has(name))
            .collect();
        assert_eq!(parts.len(), 1, "{name}");
        counts[parts[0] - 1] += 1;
    }
    assert!(counts.iter().all(|count| *count > 50), "{counts:?}");
    for wrong in ["0/3", "4/3", "1", "a/b", "1/0"] {
        assert!(Part::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn progress_is_told_in_words_and_the_worst_line_decides_the_exit_status() {
    let tally = Tally {
        lines: 100,
        succeeded: 40,
        failed: 5,
        in_flight: 10,
        ..Tally::default()
    };
    let text = words(&tally, 30, Duration::from_secs(10));
    assert_eq!(
        text,
        "45 of 100 done, 5 failed, 10 in flight, 3.0/s, 18 s left"
    );
    assert_eq!((tally.left(), tally.exit_status()), (45, 4));
    let ended = |succeeded, failed, unknown| Tally {
        lines: 3,
        succeeded,
        failed,
        unknown,
        ..Tally::default()
    };
    assert_eq!(ended(3, 0, 0).exit_status(), 0);
    assert_eq!(ended(2, 1, 0).exit_status(), 3);
    assert_eq!(ended(2, 0, 0).exit_status(), 3);
    assert_eq!(ended(1, 1, 1).exit_status(), 4);
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("bulk-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn header() -> Header {
    Header {
        cloud: "alibaba".to_owned(),
        endpoint: "localhost".to_owned(),
        flow: "flow".to_owned(),
        run: None,
        key: None,
    }
}

fn entry(name: &str, status: &str) -> Entry {
    Entry {
        line: 1,
        name: name.to_owned(),
        generation: 1,
        status: status.to_owned(),
        ..Entry::default()
    }
}

#[test]
fn a_torn_last_line_is_set_aside_and_a_whole_one_is_kept() {
    let _alone = alone();
    let folder = Folder::new("torn");
    let zeros = vec![0; 1 << 20];
    for (tail, state, torn) in [
        (&b"{\"line\":7,\"sta"[..], None, true),
        (
            b"{\"line\":7,\"name\":\"b\",\"status\":\"Failed\"}",
            Some(State::Failed),
            false,
        ),
        (b"{\"line\":7,\"name\":\"\xe5\x90", None, true),
        (&zeros, None, true),
    ] {
        let path = folder.file("results");
        let aside = folder.file("results.torn");
        let _ = (fs::remove_file(&path), fs::remove_file(&aside));
        let mut results = Results::open(&path, &header()).unwrap();
        results.add(&[entry("a", "Succeeded")]).unwrap();
        drop(results);
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(tail).unwrap();
        let mut results = Results::open(&path, &header()).unwrap();
        assert_eq!(results.of("a").unwrap().state(), State::Succeeded);
        assert_eq!(results.of("b").map(Entry::state), state);
        results.add(&[entry("c", STARTING)]).unwrap();
        drop(results);
        assert_eq!(
            fs::read(&aside).unwrap_or_default(),
            if torn { tail } else { b"" }
        );
        for line in fs::read_to_string(&path).unwrap().lines() {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
        }
        let results = Results::open(&path, &header()).unwrap();
        assert_eq!(results.of("c").unwrap().state(), State::Starting);
    }
    // What is in the middle and cannot be read may have been a start.
    let path = folder.file("results");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"name\"", "name", 1)).unwrap();
    let refusal = Results::open(&path, &header()).err().unwrap();
    assert!(refusal.contains("cannot be read"), "{refusal}");
}

/// What a flow gave is nothing that the next run reads: it must not stand in its way.
#[test]
fn results_are_read_again_whatever_a_flow_gave() {
    let _alone = alone();
    let folder = Folder::new("odd");
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    for output in [r#"{"half":"\ud800"}"#, r#"{"\ud800":1}"#, "[1e999]", &deep] {
        let path = folder.file("results");
        let _ = fs::remove_file(&path);
        let ended = Entry {
            output: on_one_line(&Payload::from_json(output)),
            ..entry("a", "Succeeded")
        };
        let mut results = Results::open(&path, &header()).unwrap();
        results.add(&[ended]).unwrap();
        drop(results);
        assert!(fs::read_to_string(&path).unwrap().contains(output));
        let results = Results::open(&path, &header()).unwrap();
        assert_eq!(results.of("a").unwrap().state(), State::Succeeded);
    }
}

#[test]
fn results_of_another_run_and_a_second_runner_are_refused() {
    let _alone = alone();
    let folder = Folder::new("refused");
    let path = folder.file("results");
    let held = Results::open(&path, &header()).unwrap();
    let refusal = Results::open(&path, &header()).err().unwrap();
    let holder = format!("process {}, since 2", std::process::id());
    assert!(refusal.contains(&holder), "{refusal}");
    drop(held);
    let others = [
        (
            "cloud",
            Header {
                cloud: "huawei".to_owned(),
                ..header()
            },
        ),
        (
            "endpoint",
            Header {
                endpoint: "x".to_owned(),
                ..header()
            },
        ),
        (
            "flow",
            Header {
                flow: "x".to_owned(),
                ..header()
            },
        ),
        (
            "run",
            Header {
                run: Some("x".to_owned()),
                ..header()
            },
        ),
        (
            "key",
            Header {
                key: Some("x".to_owned()),
                ..header()
            },
        ),
    ];
    let before = fs::read(&path).unwrap();
    for (what, other) in others {
        let refusal = Results::open(&path, &other).err().unwrap();
        assert!(refusal.contains(&format!("its {what} is ")), "{refusal}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::write(&path, "{\"my\":\"data\"}\n").unwrap();
    assert!(Results::open(&path, &header()).is_err());
    assert_eq!(fs::read(&path).unwrap(), b"{\"my\":\"data\"}\n");
}

#[test]
fn results_know_the_newest_generation_and_stay_on_one_line() {
    let _alone = alone();
    let folder = Folder::new("generations");
    let path = folder.file("results");
    let mut results = Results::open(&path, &header()).unwrap();
    let output = Payload::from_json("{\"a\":\n 1.50,\r\n \"b\": \"\\n\"}");
    let failed = Entry {
        output: on_one_line(&output),
        ..entry("a", "Failed")
    };
    let again = Entry {
        generation: 2,
        ..entry("a-r2", "started")
    };
    results.add(&[failed, again]).unwrap();
    drop(results);
    let results = Results::open(&path, &header()).unwrap();
    let known = results.of("a").unwrap();
    assert_eq!((known.generation, known.state()), (2, State::Started));
    assert_eq!(results.all().count(), 1);
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains(r#""output":{"a":  1.50,   "b": "\n"}"#),
        "{text}"
    );
    assert_eq!(
        on_one_line(&Payload::from_json("no JSON")).unwrap().get(),
        r#""no JSON""#
    );
}

/// A process that is being started holds what its parent has open, locks too, until it is the program.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The program, which `cargo test` builds beside the tests.
fn program() -> PathBuf {
    let tests = env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples/bulk");
    assert!(program.exists(), "not built: cargo build --example bulk");
    program
}

/// A run of the program.
struct Bulk<'a> {
    emulator: &'a Emulator,
    cloud: &'a str,
    inputs: &'a Path,
    results: &'a Path,
}

impl Bulk<'_> {
    fn start(&self, more: &[&str]) -> Child {
        let (id, secret) = self.emulator.access_key();
        let (domain, user, password) = self.emulator.iam_user();
        let url = self.emulator.url();
        let mut command = Command::new(program());
        command
            .args(["--cloud", self.cloud, "--flow", "flow", "--endpoint", &url])
            .args(["--iam-endpoint", &url, "--rate", "3000", "--results"])
            .arg(self.results)
            .args(more)
            .env_clear()
            .env("HOME", self.results.parent().unwrap())
            .env("ALIBABA_CLOUD_ACCESS_KEY_ID", id)
            .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret)
            .env("HW_DOMAIN_NAME", domain)
            .env("HW_USER_NAME", user)
            .env("HW_USER_PASSWORD", password)
            .env("HW_REGION_NAME", self.emulator.region())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if !more.contains(&"--stop") {
            command.arg("--inputs").arg(self.inputs);
        }
        let _alone = alone();
        command.spawn().unwrap()
    }

    /// Runs to the end; gives the exit status.
    fn run(&self, more: &[&str]) -> i32 {
        ended(&mut self.start(more), || {})
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program that hangs is given up"
)]
fn now() -> Instant {
    Instant::now()
}

/// Waits for the end of a program, and does something meanwhile.
fn ended(child: &mut Child, mut meanwhile: impl FnMut()) -> i32 {
    let begun = now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap_or(-1);
        }
        if begun.elapsed() > 120 * SECOND {
            child.kill().unwrap();
            panic!("does not end");
        }
        meanwhile();
        sleep(SECOND / 20);
    }
}

/// Waits until so many executions were started, while the program runs.
fn until(emulator: &Emulator, count: usize, child: &mut Child) {
    let begun = now();
    while emulator.runs("flow") < count {
        assert_eq!(child.try_wait().unwrap(), None, "it ended");
        assert!(begun.elapsed() < 120 * SECOND, "{}", emulator.runs("flow"));
        sleep(SECOND / 50);
    }
}

fn signal(child: &Child, signal: Signal) {
    let process = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(process, signal).unwrap();
}

/// What goes wrong with each so many-th request of an operation.
fn trouble() -> impl Fn(&RecordedRequest) -> Fault + Send + Sync + 'static {
    let (starts, others) = (AtomicUsize::new(0), AtomicUsize::new(0));
    move |request| {
        if request.operation != "StartExecution" {
            return match others.fetch_add(1, Ordering::Relaxed) % 41 {
                4 => Fault::answer(502, "text/html", "<h1>Bad Gateway</h1>"),
                _ => Fault::none(),
            };
        }
        let count = starts.fetch_add(1, Ordering::Relaxed);
        match count % 80 {
            // Once: a refusal slows the program down for seconds, as it should.
            47 if count < 80 => Fault::refuse(429, "ResourceThrottled", "slow down"),
            11 => Fault::cut_after_run(),
            31 => Fault::cut_before_run(),
            53 => Fault::answer(503, "text/plain", "later").after_run(),
            67 => Fault::cut_reply(20),
            _ => Fault::none(),
        }
    }
}

/// The ends in a results file, by the names of executions.
fn ends(path: &Path) -> BTreeMap<String, Vec<Value>> {
    let mut ends = BTreeMap::<_, Vec<Value>>::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["status"] == "Succeeded" || line["status"] == "Failed" {
            let name = line["name"].as_str().unwrap().to_owned();
            ends.entry(name).or_default().push(line);
        }
    }
    ends
}

#[test]
fn two_thousand_lines_are_run_once_each_through_ctrl_c_and_kill() {
    const LINES: usize = 2_000;
    let folder = Folder::new("killed");
    let (inputs, results) = (folder.file("in"), folder.file("out"));
    // Some stand there twice.
    let line = |n: usize| format!("{{\"n\": {}}}\n", if n < LINES - 5 { n } else { 7 });
    let text: String = (0..LINES).map(line).collect();
    fs::write(&inputs, &text).unwrap();
    let emulator = Emulator::start().unwrap();
    let flow = Flow::new(|input: Value| Ok::<_, FlowFailure>(input)).takes(100 * SECOND);
    emulator.standard("flow", flow);
    emulator.fault_with(trouble());
    let bulk = Bulk {
        emulator: &emulator,
        cloud: "alibaba",
        inputs: &inputs,
        results: &results,
    };
    let wide = ["--concurrency", "700"];

    // It has started all that may be in flight, and nothing ends: that is the middle.
    let mut child = bulk.start(&wide);
    until(&emulator, 700, &mut child);
    assert_eq!(bulk.run(&wide), 2, "a second runner");
    signal(&child, Signal::INT);
    assert_eq!(ended(&mut child, || {}), 4);
    assert_eq!(emulator.runs("flow"), 700);

    // Killed while it starts more.
    let mut child = bulk.start(&wide);
    emulator.advance(100 * SECOND);
    until(&emulator, 900, &mut child);
    signal(&child, Signal::KILL);
    ended(&mut child, || {});
    let begun = emulator.runs("flow");
    assert!((900..LINES).contains(&begun), "{begun}");

    // To the end; in so much trouble a line may stay open, which the next run settles.
    emulator.scale_time(100.0);
    bulk.run(&wide);
    emulator.clear_faults();
    assert_eq!(bulk.run(&wide), 0);
    assert_eq!(emulator.runs("flow"), LINES);
    let mut inputs_run: Vec<_> = emulator
        .executions("flow")
        .into_iter()
        .map(|one| one.input)
        .collect();
    let mut wanted: Vec<_> = text.lines().map(str::to_owned).collect();
    inputs_run.sort();
    wanted.sort();
    assert_eq!(inputs_run, wanted);
    let ends_by_name = ends(&results);
    assert_eq!(ends_by_name.len(), LINES);
    for ends in ends_by_name.values() {
        assert_eq!(ends.len(), 1, "{ends:?}");
        let number = usize::try_from(ends[0]["line"].as_u64().unwrap()).unwrap();
        let input: Value = serde_json::from_str(&line(number - 1)).unwrap();
        assert_eq!(ends[0]["output"], input);
    }

    // Nothing to do, and three lines more at the top.
    assert_eq!(bulk.run(&wide), 0);
    assert_eq!(emulator.runs("flow"), LINES);
    let more = "{\"new\": 1}\n{\"new\": 2}\n\n{}\n";
    fs::write(&inputs, format!("{more}{text}")).unwrap();
    assert_eq!(bulk.run(&wide), 0);
    assert_eq!(emulator.runs("flow"), LINES + 3);
}

#[test]
fn failed_lines_are_run_again_when_asked_and_in_flight_ones_stopped() {
    let folder = Folder::new("failed");
    let (inputs, results) = (folder.file("in"), folder.file("out"));
    let text: String = (0..30).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    fs::write(&inputs, text).unwrap();
    let emulator = Emulator::start().unwrap();
    let flow = |takes| {
        let flow = Flow::new(|input: Value| match input["n"].as_u64() {
            Some(n) if n % 10 == 3 => Err(FlowFailure::new("Three", "has a three")),
            _ => Ok(input),
        });
        flow.takes(takes)
    };
    emulator.standard("flow", flow(SECOND / 100));
    let bulk = Bulk {
        emulator: &emulator,
        cloud: "alibaba",
        inputs: &inputs,
        results: &results,
    };
    assert_eq!(bulk.run(&[]), 3);
    assert_eq!(emulator.runs("flow"), 30);
    let failed: Vec<_> = ends(&results)
        .into_values()
        .filter(|ends| ends[0]["status"] == "Failed")
        .collect();
    assert_eq!(failed.len(), 3);
    assert_eq!(
        failed[0][0]["error"],
        json!({"code": "Three", "message": "has a three"})
    );
    assert_eq!(bulk.run(&[]), 3);
    assert_eq!(emulator.runs("flow"), 30);
    let slow = flow(1000 * SECOND);
    emulator.standard("flow", slow);
    let before = emulator.runs("flow");
    let mut child = bulk.start(&["--retry-failed"]);
    until(&emulator, before + 3, &mut child);
    signal(&child, Signal::INT);
    assert_eq!(ended(&mut child, || {}), 4);
    assert_eq!(emulator.runs("flow"), before + 3);
    assert_eq!(bulk.run(&["--stop"]), 0);
    let stopped = emulator.executions("flow");
    let stopped: Vec<_> = stopped
        .iter()
        .filter(|one| one.status == "Stopped")
        .collect();
    assert_eq!(stopped.len(), 3);
    assert!(
        stopped.iter().all(|one| one.name.ends_with("-r2")),
        "{stopped:?}"
    );
}

/// No key makes a second start harmless there.
#[test]
fn a_start_of_unknown_fate_is_never_repeated_where_there_is_no_key() {
    let folder = Folder::new("unknown");
    let (inputs, results) = (folder.file("in"), folder.file("out"));
    fs::write(&inputs, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n").unwrap();
    let emulator = Emulator::start().unwrap();
    emulator.workflow("flow", |input: Value| Ok::<_, FlowFailure>(input));
    let bulk = Bulk {
        emulator: &emulator,
        cloud: "huawei",
        inputs: &inputs,
        results: &results,
    };
    // Nobody can look, and the first start is never answered.
    let starts = AtomicUsize::new(0);
    emulator.fault_with(move |request| match request.operation.as_str() {
        "StartWorkflowExecution" if starts.fetch_add(1, Ordering::Relaxed) == 0 => {
            Fault::cut_before_run()
        }
        _ => Fault::none(),
    });
    assert_eq!(bulk.run(&[]), 4);
    assert_eq!(emulator.runs("flow"), 2);
    assert_eq!(bulk.run(&[]), 4);
    assert_eq!(emulator.runs("flow"), 2);
    let text = fs::read_to_string(&results).unwrap();
    let statuses = text
        .lines()
        .filter(|line| line.contains("\"status\":\"unknown\""));
    assert_eq!(statuses.count(), 2, "{text}");
}

#[test]
fn a_service_that_answers_no_start_is_left_alone() {
    let folder = Folder::new("silent");
    let (inputs, results) = (folder.file("in"), folder.file("out"));
    let text: String = (0..200).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    fs::write(&inputs, text).unwrap();
    let emulator = Emulator::start().unwrap();
    emulator.workflow("flow", |input: Value| Ok::<_, FlowFailure>(input));
    emulator.fault_with(|request| match request.operation.as_str() {
        "StartWorkflowExecution" => Fault::cut_before_run(),
        _ => Fault::none(),
    });
    let bulk = Bulk {
        emulator: &emulator,
        cloud: "huawei",
        inputs: &inputs,
        results: &results,
    };
    assert_eq!(bulk.run(&[]), 4);
    let text = fs::read_to_string(&results).unwrap();
    let begun = text.matches("\"status\":\"starting\"").count();
    assert!((20..40).contains(&begun), "{begun}");
}
