//! A soak: the three calls against the emulator under faults, for as long as you say, and whether
//! anything ran twice, or memory or descriptors grew. It reads them from `/proc`: Linux only.
//!
//! `cargo run --example soak -- --seconds 600 --concurrency 64`
//!
//! The emulator runs in another process, so that memory, descriptors and tasks are the client's
//! own. What a call came to is told to that process too, which knows what ran: nothing is kept of
//! a call here, or the soak would find its own books.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error as StdError,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use clap::{Parser, Subcommand};
use cloud_workflows::{
    Delivery, Error, RetryPolicy,
    alibaba::{self, Credentials, StartExecutionRequest, StartSyncExecutionRequest},
    emulator::{Emulator, Fault, RecordedRequest},
    huawei::{self, AccessKey, IamPassword, StartSyncWorkflowExecutionRequest},
};
use serde_json::{Value, json};
use tokio::{
    runtime::Handle,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

type Fallible<T> = Result<T, Box<dyn StdError + Send + Sync>>;

#[derive(Parser)]
#[command(about = "Runs the three calls under faults and watches memory and descriptors")]
struct Arguments {
    /// How long
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(8..))]
    seconds: u64,
    /// Calls at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..))]
    concurrency: u64,
    /// Of a hundred requests, so many go wrong
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=90))]
    faults: u64,
    /// Calls after which the clients are dropped and built anew
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..))]
    calls_per_client: u64,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// The emulator's process
    #[command(hide = true)]
    Serve,
}

fn main() -> Fallible<ExitCode> {
    let arguments = Arguments::parse();
    match arguments.part {
        Some(Part::Serve) => serve(&arguments).map(|()| ExitCode::SUCCESS),
        None => soak(&arguments),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a soak lasts as long as it is told to"
)]
fn now() -> Instant {
    Instant::now()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that looks random, the same for the same argument (splitmix64).
fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

// ---- The calls ----

const START: &str = "StartExecution";
const SYNC: &str = "StartSyncExecution";
const TOKEN: &str = "sync-executions, token";
const KEY: &str = "sync-executions, AK/SK";

/// What must be true of the flow of a call that has ended.
#[derive(Clone, Copy)]
enum Verdict {
    /// It ran once: there was an answer.
    Once,
    /// It did not run: the error says so.
    Never,
    /// It ran at most once.
    Perhaps,
}

impl Verdict {
    fn of(error: &Error) -> Self {
        match error.delivery() {
            Delivery::NotSent | Delivery::Refused => Self::Never,
            _ => Self::Perhaps,
        }
    }

    fn letter(self) -> char {
        match self {
            Self::Once => 'o',
            Self::Never => 'n',
            Self::Perhaps => 'p',
        }
    }
}

struct Clients {
    alibaba: alibaba::Client,
    token: huawei::Client,
    key: huawei::Client,
}

impl Clients {
    fn new(at: &Address) -> Result<Self, Error> {
        let policy = RetryPolicy::default()
            .initial_backoff(Duration::from_millis(2))
            .max_backoff(Duration::from_millis(30));
        macro_rules! built {
            ($builder:expr) => {
                $builder
                    .endpoint(&at.url)
                    .retry(policy)
                    .connect_timeout(Duration::from_millis(750))
                    .attempt_timeout(Duration::from_secs(1))
                    .timeout(Duration::from_secs(10))
                    .build()?
            };
        }
        let huawei = || {
            let builder = huawei::Client::builder();
            builder.iam_endpoint(&at.url).region(&at.region)
        };
        let [id, secret] = &at.access_key;
        let [domain, user, password] = &at.iam_user;
        let [ak, sk] = &at.huawei_key;
        Ok(Self {
            alibaba: built!(alibaba::Client::builder().credentials(Credentials::new(id, secret))),
            token: built!(huawei().credentials(IamPassword::new(domain, user, password))),
            key: built!(
                huawei()
                    .credentials(AccessKey::new(ak, sk))
                    .project_id(&at.project_id)
            ),
        })
    }
}

/// What all tasks share; of a size that does not depend on the number of calls.
struct Soak {
    at: Address,
    calls_per_client: u64,
    next: AtomicU64,
    clients: Mutex<Arc<Clients>>,
    counts: Mutex<BTreeMap<String, u64>>,
    verdicts: Mutex<ChildStdin>,
    until: Instant,
}

impl Soak {
    fn count(&self, what: String) {
        *lock(&self.counts).entry(what).or_default() += 1;
    }

    /// Calls, one after the other, until the time is over.
    async fn call_on(&self) -> Fallible<()> {
        while now() < self.until {
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            if id > 0 && id.is_multiple_of(self.calls_per_client) {
                let clients = Arc::new(Clients::new(&self.at)?);
                let old = std::mem::replace(&mut *lock(&self.clients), clients);
                drop(old);
            }
            let clients = lock(&self.clients).clone();
            let dice = mix(id);
            // On the heap: there are many of them.
            let call = Box::pin(self.call(&clients, id, dice));
            // Some callers lose patience. What became of their flows, nobody knows.
            let verdict = match dice % 100 {
                0..2 => {
                    let patience = Duration::from_millis((dice >> 32) % 30);
                    timeout(patience, call).await.unwrap_or_else(|_| {
                        self.count("dropped".to_owned());
                        Verdict::Perhaps
                    })
                }
                _ => call.await,
            };
            writeln!(lock(&self.verdicts), "{} {id}", verdict.letter())?;
        }
        Ok(())
    }

    async fn call(&self, clients: &Clients, id: u64, dice: u64) -> Verdict {
        let input = json!({ "id": id });
        match (dice >> 8) % 4 {
            0 => self.start(&clients.alibaba, id, &input).await,
            1 => {
                let request = StartSyncExecutionRequest::new("express").input(&input);
                let sent = clients.alibaba.start_sync_execution(request).send().await;
                self.ended(
                    SYNC,
                    sent.and_then(|done| done.into_output::<Value>()),
                    |output| *output == input,
                )
            }
            kind => {
                let (name, client) = match kind {
                    2 => (TOKEN, &clients.token),
                    _ => (KEY, &clients.key),
                };
                let request = StartSyncWorkflowExecutionRequest::new("workflow").input(&input);
                let sent = client.start_sync_workflow_execution(request).send().await;
                self.ended(
                    name,
                    sent.and_then(|done| done.into_output::<Value>()),
                    |output| *output == input,
                )
            }
        }
    }

    /// Starts a flow, and again under the same name where nobody knows what became of it.
    async fn start(&self, client: &alibaba::Client, id: u64, input: &Value) -> Verdict {
        let named = |name: Option<&str>| {
            let request = StartExecutionRequest::new("standard").input(input);
            client.start_execution(request.execution_name(name))
        };
        let own = (id.is_multiple_of(2)).then(|| format!("n-{id}"));
        let sent = named(own.as_deref()).send().await;
        let again = match &sent {
            Err(error) if error.may_have_started() => error.execution_name(),
            _ => None,
        };
        if let Some(name) = again {
            let sent = named(Some(name)).send().await;
            let verdict = self.ended("StartExecution, once more", sent.map(|_| ()), |()| true);
            // This time it may be refused for certain; the first time nobody knew.
            return match verdict {
                Verdict::Once => Verdict::Once,
                Verdict::Never | Verdict::Perhaps => Verdict::Perhaps,
            };
        }
        self.ended(START, sent.map(|_| ()), |()| true)
    }

    /// Counts how a call ended.
    fn ended<T>(
        &self,
        name: &str,
        ended: Result<T, Error>,
        is_own: impl FnOnce(&T) -> bool,
    ) -> Verdict {
        match ended {
            Ok(answer) => {
                self.count(match is_own(&answer) {
                    true => format!("{name}: answered"),
                    false => format!("WRONG: {name} got another call's answer"),
                });
                Verdict::Once
            }
            Err(error) => {
                let (kind, delivery) = (error.kind(), error.delivery());
                self.count(format!("{name}: {kind:?}, {delivery:?}"));
                Verdict::of(&error)
            }
        }
    }
}

// ---- What the process holds ----

#[derive(Clone, Copy)]
struct Sample {
    memory_kib: u64,
    descriptors: u64,
    calls: u64,
}

impl Sample {
    fn take(calls: u64) -> Fallible<Self> {
        let status = fs::read_to_string("/proc/self/status")?;
        let memory_kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .ok_or("no VmRSS in /proc/self/status")?
            .parse()?;
        Ok(Self {
            memory_kib,
            descriptors: descriptors()?,
            calls,
        })
    }
}

fn descriptors() -> Fallible<u64> {
    // One of them lists the others.
    Ok(fs::read_dir("/proc/self/fd")?.count() as u64 - 1)
}

fn median(of: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = of.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// What warming up takes from start to end (seen: 16 to 24 MiB, within the first minute). Who grows
/// by that much after the first quarter is not warming up.
const MEMORY_TOLERANCE_KIB: u64 = 8 * 1024;

/// Compares the last quarter to the second: by then caches, pools and the allocator are warm.
fn growth(samples: &[Sample], concurrency: u64) -> Vec<String> {
    let quarter = samples.len() / 4;
    let second = &samples[quarter..2 * quarter];
    let last = &samples[samples.len() - quarter..];
    let memory = |of: &[Sample]| median(of.iter().map(|sample| sample.memory_kib));
    let open = |of: &[Sample]| median(of.iter().map(|sample| sample.descriptors));
    let calls = |of: &[Sample]| median(of.iter().map(|sample| sample.calls));
    let between = (calls(last) - calls(second)).max(1);
    println!(
        "memory: {} KiB in the second quarter, {} KiB in the last; after {between} calls more, a \
         leak of {} bytes a call would have been seen",
        memory(second),
        memory(last),
        MEMORY_TOLERANCE_KIB * 1024 / between,
    );
    // Connections that are kept come and go with what is in flight, but never sum up. What is held
    // for good, be it one, is seen exactly once the clients are gone.
    let tolerance = concurrency;
    println!(
        "descriptors: {} in the second quarter, {} in the last; {tolerance} more are allowed",
        open(second),
        open(last)
    );
    let mut wrong = Vec::new();
    if memory(last) > memory(second) + MEMORY_TOLERANCE_KIB {
        wrong.push(format!(
            "memory grew by {} KiB",
            memory(last) - memory(second)
        ));
    }
    if open(last) > open(second) + tolerance {
        wrong.push(format!("descriptors grew by {}", open(last) - open(second)));
    }
    wrong
}

fn soak(arguments: &Arguments) -> Fallible<ExitCode> {
    let (mut server, verdicts, mut replies) = start_server(arguments)?;
    let mut wrong = {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let at = Address::read(&next_line(&mut replies)?)?;
        runtime.block_on(Box::pin(watch(arguments, at, verdicts)))?
    };
    // Standard input is closed: the server waits for its flows, and says what it knows.
    let report: Value = serde_json::from_str(&next_line(&mut replies)?)?;
    server.wait()?;
    println!("by the emulator:");
    for (what, count) in report["counts"].as_object().ok_or("no report")? {
        println!("  {count:>9} {what}");
    }
    // A soak in fair weather proves little.
    let kinds = report["faults"].as_u64().unwrap_or_default();
    if arguments.faults >= 10 && kinds < 10 {
        wrong.push(format!("only {kinds} kinds of faults came"));
    }
    for line in report["wrong"].as_array().ok_or("no report")? {
        wrong.push(line.as_str().unwrap_or_default().to_owned());
    }
    if wrong.is_empty() {
        println!("soak: nothing ran twice, and nothing grew");
        return Ok(ExitCode::SUCCESS);
    }
    for line in &wrong {
        eprintln!("soak: {line}");
    }
    Ok(ExitCode::FAILURE)
}

/// Makes the calls, and gives what is wrong with this process.
async fn watch(arguments: &Arguments, at: Address, verdicts: ChildStdin) -> Fallible<Vec<String>> {
    let (before, tasks_before) = (
        descriptors()?,
        Handle::current().metrics().num_alive_tasks(),
    );
    let began = now();
    let length = Duration::from_secs(arguments.seconds);
    let soak = Arc::new(Soak {
        calls_per_client: arguments.calls_per_client,
        next: AtomicU64::new(0),
        clients: Mutex::new(Arc::new(Clients::new(&at)?)),
        counts: Mutex::default(),
        verdicts: Mutex::new(verdicts),
        until: began + length,
        at,
    });
    let mut tasks = JoinSet::new();
    for _ in 0..arguments.concurrency {
        let soak = Arc::clone(&soak);
        tasks.spawn(async move { soak.call_on().await });
    }

    println!("  seconds     calls  memory KiB  descriptors  tasks");
    let mut samples = Vec::new();
    // Connections swing by a hundred within a second: few samples would have a median of chance.
    let mut tick = interval(Duration::from_millis(50));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next_line = Duration::ZERO;
    while (now() - began) < length {
        tick.tick().await;
        let sample = Sample::take(soak.next.load(Ordering::Relaxed))?;
        samples.push(sample);
        if (now() - began) >= next_line {
            next_line += length / 20;
            println!(
                "  {:>7.1} {:>9} {:>11} {:>12} {:>6}",
                (now() - began).as_secs_f32(),
                sample.calls,
                sample.memory_kib,
                sample.descriptors,
                Handle::current().metrics().num_alive_tasks()
            );
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    let mut wrong = growth(&samples, arguments.concurrency);
    for (what, count) in &*lock(&soak.counts) {
        println!("  {count:>9} {what}");
        if what.starts_with("WRONG") {
            wrong.push(format!("{count} times: {what}"));
        }
    }
    for name in [START, SYNC, TOKEN, KEY] {
        if !lock(&soak.counts).contains_key(&format!("{name}: answered")) {
            wrong.push(format!("no {name} was ever answered"));
        }
    }

    // With the clients gone, so is all they held: exactly, and soon. The server's two pipes are
    // the clients' no more than the runtime is.
    let soak = Arc::into_inner(soak).ok_or("a task still holds the clients")?;
    drop(soak.clients);
    let patience = now() + Duration::from_secs(30);
    loop {
        let (open, tasks) = (
            descriptors()?,
            Handle::current().metrics().num_alive_tasks(),
        );
        if open <= before && tasks <= tasks_before {
            println!("without clients: {open} descriptors and {tasks} tasks, as at the start");
            break;
        }
        if now() > patience {
            wrong.push(format!(
                "without clients there are {open} descriptors, {before} at the start, and {tasks} \
                 tasks, {tasks_before} at the start"
            ));
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(wrong)
}

// ---- The emulator's process ----

/// Where the emulator is, and who may call it.
struct Address {
    url: String,
    region: String,
    project_id: String,
    access_key: [String; 2],
    iam_user: [String; 3],
    huawei_key: [String; 2],
}

impl Address {
    fn write(emulator: &Emulator) -> Value {
        json!({
            "url": emulator.url(),
            "region": emulator.region(),
            "project_id": emulator.project_id(),
            "access_key": emulator.access_key(),
            "iam_user": emulator.iam_user(),
            "huawei_key": emulator.huawei_key(),
        })
    }

    fn read(line: &str) -> Fallible<Self> {
        let mut address: Value = serde_json::from_str(line)?;
        let mut take = |name: &str| address[name].take();
        Ok(Self {
            url: serde_json::from_value(take("url"))?,
            region: serde_json::from_value(take("region"))?,
            project_id: serde_json::from_value(take("project_id"))?,
            access_key: serde_json::from_value(take("access_key"))?,
            iam_user: serde_json::from_value(take("iam_user"))?,
            huawei_key: serde_json::from_value(take("huawei_key"))?,
        })
    }
}

fn start_server(arguments: &Arguments) -> Fallible<(Child, ChildStdin, BufReader<ChildStdout>)> {
    let mut server = Command::new(std::env::current_exe()?)
        .args(["--faults", &arguments.faults.to_string(), "serve"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let verdicts = server.stdin.take().ok_or("no standard input")?;
    let replies = server.stdout.take().ok_or("no standard output")?;
    Ok((server, verdicts, BufReader::new(replies)))
}

fn next_line(of: &mut BufReader<ChildStdout>) -> Fallible<String> {
    let mut line = String::new();
    match of.read_line(&mut line)? {
        0 => Err("the emulator's process has ended".into()),
        _ => Ok(line),
    }
}

/// Serves until standard input ends; checks what it says of the calls against what ran.
fn serve(arguments: &Arguments) -> Fallible<()> {
    let emulator = Emulator::start()?;
    emulator.record(false);
    let runs: Arc<Mutex<HashMap<u64, u32>>> = Arc::default();
    let flow = || {
        let runs = Arc::clone(&runs);
        move |input: Value| {
            let id = input["id"].as_u64().unwrap_or(u64::MAX);
            *lock(&runs).entry(id).or_default() += 1;
            Ok(input)
        }
    };
    emulator
        .standard("standard", flow())
        .express("express", flow())
        .workflow("workflow", flow());
    let faults: Arc<Mutex<BTreeMap<&'static str, u64>>> = Arc::default();
    let (requests, seen, rate) = (AtomicU64::new(0), Arc::clone(&faults), arguments.faults);
    emulator.fault_with(move |request| {
        let dice = mix(requests.fetch_add(1, Ordering::Relaxed));
        let (name, fault) = fault(request, rate, dice);
        *lock(&seen).entry(name).or_default() += 1;
        fault
    });
    println!("{}", Address::write(&emulator));

    let mut verdicts = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (verdict, id) = line.split_once(' ').ok_or("no verdict")?;
        let id: u64 = id.parse()?;
        verdicts.insert(id, verdict.to_owned());
        if id.is_multiple_of(3000) {
            emulator.expire_tokens();
        }
        if id.is_multiple_of(7000) {
            emulator.revoke_tokens();
        }
    }
    emulator.clear_faults();
    wait_for_quiet(&runs);
    let report = report(&verdicts, &lock(&runs), &lock(&faults));
    println!("{report}");
    Ok(())
}

/// What callers gave up may still be on its way.
fn wait_for_quiet(runs: &Mutex<HashMap<u64, u32>>) {
    let all = || {
        lock(runs)
            .values()
            .map(|runs| u64::from(*runs))
            .sum::<u64>()
    };
    let (mut last, mut same) = (all(), 0);
    while same < 20 {
        thread::sleep(Duration::from_millis(50));
        let now = all();
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
}

fn report(
    verdicts: &HashMap<u64, String>,
    runs: &HashMap<u64, u32>,
    faults: &BTreeMap<&'static str, u64>,
) -> Value {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (id, verdict) in verdicts {
        let runs = runs.get(id).copied().unwrap_or_default();
        let (said, fits) = match verdict.as_str() {
            "o" => ("answered", runs == 1),
            "n" => ("not started", runs == 0),
            _ => ("perhaps started", runs <= 1),
        };
        let what = format!("calls: {said}, the flow ran {runs} times");
        *counts.entry(what).or_default() += 1;
        if !fits && wrong.len() < 10 {
            wrong.push(format!(
                "call {id} was {said}, and its flow ran {runs} times"
            ));
        }
    }
    if let Some(id) = runs.keys().find(|id| !verdicts.contains_key(id)) {
        wrong.push(format!("a flow ran for call {id}, which nobody made"));
    }
    for (fault, count) in faults {
        counts.insert(format!("requests: {fault}"), *count);
    }
    let kinds = faults.len() - usize::from(faults.contains_key(FAIR));
    json!({ "counts": counts, "faults": kinds, "wrong": wrong })
}

const FAIR: &str = "as it should be";

/// What goes wrong with a request. All of it is what a network and an honest service may do.
fn fault(request: &RecordedRequest, rate: u64, dice: u64) -> (&'static str, Fault) {
    let is_token_call = request.operation == "KeystoneCreateUserTokenByPassword";
    let is_huawei = is_token_call || request.operation == "StartSyncWorkflowExecution";
    let has_token = request.headers.contains_key("x-auth-token");
    let json = "application/json";
    let bytes = usize::try_from((dice >> 40) % 400).unwrap_or_default();
    if dice % 100 >= rate {
        return (FAIR, Fault::none());
    }
    match (dice >> 16) % 100 {
        0..14 => (
            "throttled",
            match is_huawei {
                true => Fault::refuse(429, "APIGW.0308", "slow down"),
                false => Fault::refuse(429, "ResourceThrottled", "slow down"),
            },
        ),
        // A token call that is refused for good would end all calls of a client for minutes.
        14..24 if !is_token_call => (
            "refused",
            match is_huawei {
                true => Fault::refuse(404, "FGS.5002", "no"),
                false => Fault::refuse(404, "FlowNotExists", "no"),
            },
        ),
        24..28 if has_token => ("token called old", Fault::refuse(401, "APIGW.0301", "old")),
        28..32 if !is_token_call => ("redirect", {
            Fault::answer(307, "text/plain", "").header("location", "http://127.0.0.1:1/")
        }),
        32..42 => ("coded 500", Fault::refuse(500, "InternalServerError", "no")),
        42..52 => ("HTML 502 after the run", {
            Fault::answer(502, "text/html", "<html>Bad Gateway").after_run()
        }),
        52..60 => (
            "garbage 200 after the run",
            Fault::answer(200, json, "{").after_run(),
        ),
        60..70 => ("cut before the run", Fault::cut_before_run()),
        70..80 => ("cut after the run", Fault::cut_after_run()),
        80..92 => ("cut reply", Fault::cut_reply(bytes)),
        92..95 => ("stalled reply", Fault::stall_reply(bytes)),
        95..96 => ("hang", Fault::hang()),
        96..97 => ("hang after the run", Fault::hang_after_run()),
        _ => (
            "late",
            Fault::none().after(Duration::from_millis((dice >> 50) % 200)),
        ),
    }
}
