//! Runs a flow once for each line of a file, on either cloud, and can be stopped and run again.
//!
//! `cargo run --example bulk -- --cloud alibaba --flow my_flow --inputs in.jsonl --results out.jsonl
//! --concurrency 100`
//!
//! Each line is a JSON object: the input of one execution. Its name comes from what it says (or
//! from its `--key`), the flow and `--run`, never from its place in the file. The results file
//! tells the next run what was done: keep it, for a service forgets its executions after a while,
//! and with them the names that guard against a second start. Region and credentials come from the
//! environment, as for the examples `alibaba` and `huawei`; the example `emulator` prints some.

#[path = "support/bar.rs"]
mod bar;
#[path = "support/clouds.rs"]
mod clouds;
#[path = "support/lines.rs"]
mod lines;
#[path = "support/output.rs"]
mod output;
#[path = "support/results.rs"]
mod results;

use std::{
    collections::{HashMap, VecDeque},
    fs, future,
    io::{self, Read as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use bar::{Bar, Tally};
use chrono::{DateTime, Utc};
use clap::{Parser, ValueEnum};
use cloud_workflows::{ExecutionRef, Quota, alibaba, huawei};
use clouds::{Alibaba, Begun, Cloud, Ending, Huawei, Task};
use lines::{Line, Naming, Part};
use results::{Entry, Header, REFUSED, Results, STARTED, STARTING, State, UNKNOWN};
use tokio::{
    signal::ctrl_c,
    task::{JoinError, JoinSet},
    time::{Instant, interval, sleep_until},
};

/// What `--help` says last.
const HELP: &str = "\
Exit status:
  0  all lines succeeded
  2  nothing was done: the command line or a line of the inputs is wrong, or the results file is
     another run's or held by another program
  3  some failed, or were not started
  4  some may have been started and have no end yet

Results, one JSON object a line: line, name, id (Huawei Cloud), status, output, error, request_id,
may_have_started. The status is the service's, or one of ours: starting, started, refused (not
started), unknown (perhaps started, or its end cannot be learnt).

Run it again to go on: what ended is not started again, what runs is followed, what was not started
is started. On Huawei Cloud, which has no key that makes a second start harmless, a line whose fate
is unknown is listed and not repeated.";

#[derive(Parser)]
#[command(
    name = "bulk",
    about = "Runs a flow once for each line of a file",
    version
)]
#[command(after_help = HELP)]
struct Arguments {
    /// Whose flow it is
    #[arg(long)]
    cloud: Which,
    /// Name (Alibaba Cloud) or id (Huawei Cloud) of the flow
    #[arg(long, visible_alias = "workflow", allow_hyphen_values = true)]
    flow: String,
    /// One JSON object a line; - for standard input
    #[arg(long, required_unless_present = "stop")]
    inputs: Option<PathBuf>,
    /// Where results are added, and what was done before is read
    #[arg(long)]
    results: PathBuf,
    /// How many executions may be in flight together
    #[arg(long, value_name = "N", default_value_t = 100)]
    concurrency: u32,
    /// Starts a second that the account allows (Alibaba Cloud: 100 unless told), or all calls
    /// together (Huawei Cloud: 10); nine tenths are used
    #[arg(long, value_name = "R")]
    rate: Option<f64>,
    /// Field of the inputs that tells them apart, instead of the whole input
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    key: Option<String>,
    /// Label of this run: another one starts all lines again. Names begin with it
    #[arg(long, value_name = "LABEL", allow_hyphen_values = true)]
    run: Option<String>,
    /// Only the K-th of N parts of the same file, for N machines
    #[arg(long, value_name = "K/N", value_parser = Part::parse)]
    part: Option<Part>,
    /// Start lines whose execution failed again, under another name
    #[arg(long)]
    retry_failed: bool,
    /// Go on without the lines that are wrong
    #[arg(long)]
    skip_bad: bool,
    /// Stop what is in flight, by the results file, and start nothing
    #[arg(long, conflicts_with_all = ["inputs", "retry_failed", "part"])]
    stop: bool,
    /// Region; otherwise the environment's
    #[arg(long, allow_hyphen_values = true)]
    region: Option<String>,
    /// Address of the service instead of the region's
    #[arg(long, allow_hyphen_values = true)]
    endpoint: Option<String>,
    /// Address of IAM (Huawei Cloud) instead of the region's
    #[arg(long, allow_hyphen_values = true)]
    iam_endpoint: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    Alibaba,
    Huawei,
}

/// A line on its way.
struct Job {
    line: usize,
    input: String,
    name: String,
    generation: u32,
    task: Task,
    /// What is known of its execution, once it was started.
    id: Option<String>,
    began: Option<DateTime<Utc>>,
    is_started: bool,
}

impl Job {
    fn entry(&self, status: &str) -> Entry {
        Entry {
            line: self.line,
            name: self.name.clone(),
            id: self.id.clone(),
            generation: self.generation,
            status: status.to_owned(),
            began: self.began,
            ..Entry::default()
        }
    }

    fn ended(&self, ending: &Ending) -> Entry {
        Entry {
            output: ending.output.as_ref().and_then(results::on_one_line),
            error: ending.fault.clone(),
            request_id: ending.request_id.clone(),
            may_have_started: Some(ending.may_have_started),
            ..self.entry(&ending.status)
        }
    }
}

/// What is to be done, and what was done before.
#[derive(Default)]
struct Plan {
    jobs: VecDeque<Job>,
    /// Started before, and followed.
    follow: Vec<Job>,
    tally: Tally,
}

impl Plan {
    fn new(lines: Vec<Line>, results: &Results, retry_failed: bool) -> Self {
        let mut plan = Self::default();
        plan.tally.lines = lines.len();
        for line in lines {
            let known = results.of(&line.name);
            let state = known.map(Entry::state);
            let generation = known.map_or(1, |known| known.generation);
            let (task, generation) = match state {
                Some(State::Succeeded) => {
                    plan.tally.succeeded += 1;
                    continue;
                }
                Some(State::Failed) if !retry_failed => {
                    plan.tally.failed += 1;
                    continue;
                }
                Some(State::Failed) => (Task::Start, generation + 1),
                None | Some(State::Refused) => (Task::Start, generation),
                Some(State::Starting | State::Started) => (Task::Resume, generation),
            };
            let known = known.filter(|known| known.generation == generation);
            let job = Job {
                line: line.number,
                name: lines::generation(&line.name, generation),
                input: line.input,
                generation,
                task,
                id: known.and_then(|known| known.id.clone()),
                began: known.and_then(|known| known.began),
                is_started: state == Some(State::Started),
            };
            match job.is_started {
                true => plan.follow.push(job),
                false => plan.jobs.push_back(job),
            }
        }
        plan
    }

    /// Stops all that is or may be in flight.
    fn to_stop(results: &Results) -> Self {
        let open = |entry: &&Entry| matches!(entry.state(), State::Starting | State::Started);
        let jobs = results.all().filter(open).map(|entry| Job {
            line: entry.line,
            input: String::new(),
            name: entry.name.clone(),
            generation: entry.generation,
            task: Task::Stop,
            id: entry.id.clone(),
            began: entry.began,
            is_started: entry.state() == State::Started,
        });
        let mut plan = Self {
            jobs: jobs.collect(),
            ..Self::default()
        };
        plan.tally.lines = plan.jobs.len();
        plan
    }
}

/// For how long answers to starts are waited for after an interruption.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many refused lines are told; the results file has them all.
const REFUSALS: usize = 10;
/// After so many starts in a row whose fate is unknown the service is thought to be out of order.
const MOST_LOST: usize = 20;
const TICK: Duration = Duration::from_millis(200);

/// A run under way.
struct Run<C: Cloud> {
    cloud: C,
    results: Results,
    tally: Tally,
    bar: Bar,
    begins: JoinSet<(Job, Begun)>,
    flying: HashMap<String, Job>,
    ends: JoinSet<(Job, Ending)>,
    /// How many starts in a row are of unknown fate.
    lost: usize,
    /// Nothing more is started.
    is_stopping: bool,
}

impl<C: Cloud> Run<C> {
    /// Runs the plan to its end, or until it is interrupted.
    async fn run(mut self, plan: Plan, concurrency: usize) -> io::Result<(Tally, Results)> {
        let mut follower = self.cloud.follower();
        for job in plan.follow {
            follower.add(self.known(&job));
            self.follow(job);
        }
        let mut jobs = plan.jobs;
        let mut tick = interval(TICK);
        let mut interrupted = Box::pin(ctrl_c());
        let mut patience = None;
        loop {
            if !self.is_stopping {
                self.begin(&mut jobs, concurrency)?;
            }
            let is_over = jobs.is_empty() && self.flying.is_empty() && self.ends.is_empty();
            if self.begins.is_empty() && (is_over || self.is_stopping && self.ends.is_empty()) {
                break;
            }
            tokio::select! {
                Some(begun) = self.begins.join_next() => {
                    let (job, begun) = begun.map_err(broken)?;
                    if let Some(execution) = self.begun(job, begun)? {
                        follower.add(execution);
                    }
                }
                Some(end) = follower.next(), if !self.flying.is_empty() => {
                    let Some(job) = self.flying.remove(&end.execution.execution) else {
                        continue;
                    };
                    let cloud = self.cloud.clone();
                    self.ends.spawn(async move { (job, cloud.end(end).await) });
                }
                Some(end) = self.ends.join_next() => {
                    let (job, ending) = end.map_err(broken)?;
                    self.tally.in_flight -= 1;
                    self.ended(&job, &ending)?;
                }
                _ = &mut interrupted => {
                    if self.is_stopping {
                        break;
                    }
                    interrupted = Box::pin(ctrl_c());
                    self.is_stopping = true;
                    patience = Some(now() + PATIENCE);
                    self.bar.say("interrupted: starts nothing more, waits for answers to starts; again to end at once");
                }
                () = elapsed(patience) => break,
                _ = tick.tick() => self.bar.show(&self.tally),
            }
        }
        // Neither answered nor given up.
        self.tally.unknown += self.begins.len();
        self.bar.end();
        Ok((self.tally, self.results))
    }

    /// Begins as many lines as there is room for; what is started is on the disk before.
    fn begin(&mut self, jobs: &mut VecDeque<Job>, concurrency: usize) -> io::Result<()> {
        let busy = self.begins.len() + self.flying.len() + self.ends.len();
        let room = concurrency.saturating_sub(busy);
        let room = room.min(C::STARTS.saturating_sub(self.begins.len()));
        // A sync for a few is as dear as one for many.
        if room < C::STARTS.min(concurrency) / 4 && room < jobs.len() && !self.begins.is_empty() {
            return Ok(());
        }
        let batch: Vec<Job> = jobs.drain(..room.min(jobs.len())).collect();
        let starts = batch.iter().filter(|job| job.task == Task::Start);
        let starts: Vec<Entry> = starts.map(|job| job.entry(STARTING)).collect();
        if !starts.is_empty() {
            self.results.add(&starts)?;
            self.results.sync()?;
        }
        for job in batch {
            let cloud = self.cloud.clone();
            let execution = self.known(&job);
            self.begins.spawn(async move {
                let (name, input) = (job.name.clone(), job.input.clone());
                let begun = match job.task {
                    Task::Start => cloud.begin(name, input).await,
                    Task::Resume => cloud.resume(name, input).await,
                    Task::Stop => cloud.stop(execution, job.is_started).await,
                };
                (job, begun)
            });
        }
        Ok(())
    }

    fn known(&self, job: &Job) -> ExecutionRef {
        let execution = self.cloud.execution(&job.name, job.id.as_deref());
        match job.began {
            Some(began) => execution.started(began),
            None => execution,
        }
    }

    /// Takes what the beginning of a line came to; gives the execution that is to be followed.
    fn begun(&mut self, mut job: Job, begun: Begun) -> io::Result<Option<ExecutionRef>> {
        let execution = match begun {
            Begun::Runs(execution) => execution,
            Begun::Ended(ending) => {
                self.ended(&job, &ending)?;
                let is_lost = job.task == Task::Start && ending.status == UNKNOWN;
                self.lost += usize::from(is_lost);
                if ending.is_for_all {
                    self.stop("starts nothing more: all lines would meet that");
                } else if self.lost >= MOST_LOST {
                    self.stop("starts nothing more: the last starts were not answered");
                }
                return Ok(None);
            }
        };
        self.lost = 0;
        job.began = execution.started.or(job.began);
        job.id = (execution.execution != job.name).then(|| execution.execution.clone());
        self.results.add(&[job.entry(STARTED)])?;
        self.follow(job);
        Ok(Some(execution))
    }

    fn follow(&mut self, job: Job) {
        let execution = self.known(&job).execution;
        self.flying.insert(execution, job);
        self.tally.in_flight += 1;
    }

    /// Starts nothing more.
    fn stop(&mut self, why: &str) {
        if !std::mem::replace(&mut self.is_stopping, true) {
            self.bar.say(why);
        }
    }

    fn ended(&mut self, job: &Job, ending: &Ending) -> io::Result<()> {
        let entry = job.ended(ending);
        match (ending.status.as_str(), entry.state()) {
            (REFUSED, _) => self.tally.refused += 1,
            (UNKNOWN, _) => self.tally.unknown += 1,
            (_, State::Succeeded) => self.tally.succeeded += 1,
            _ => self.tally.failed += 1,
        }
        let is_told = match ending.status.as_str() {
            // Somebody has to look after each of them.
            UNKNOWN => true,
            REFUSED => self.tally.refused <= REFUSALS,
            _ => false,
        };
        if is_told {
            let fault = ending.fault.clone().unwrap_or_default();
            let [code, message] = [fault.code, fault.message].map(Option::unwrap_or_default);
            let (line, name, status) = (job.line, &job.name, &ending.status);
            let text = format!("line {line} ({name}): {status}: {code}: {message}");
            self.bar.say(&text.replace(['\n', '\r'], " "));
        }
        self.results.add(&[entry])
    }
}

fn broken(error: JoinError) -> io::Error {
    io::Error::other(error)
}

async fn elapsed(limit: Option<Instant>) {
    match limit {
        Some(limit) => sleep_until(limit).await,
        None => future::pending().await,
    }
}

/// Why nothing was done: exit status 2.
type Refusal = String;

/// Reads the inputs; says what is wrong with all bad lines.
fn inputs(arguments: &Arguments) -> Result<Vec<Line>, Refusal> {
    let path = arguments.inputs.clone().unwrap_or_default();
    let bytes = match path.as_os_str() == "-" {
        true => {
            let mut bytes = Vec::new();
            let read = io::stdin().read_to_end(&mut bytes);
            read.map(|_| bytes)
        }
        false => fs::read(&path),
    };
    let bytes = bytes.map_err(|error| format!("{}: {error}", path.display()))?;
    let naming = Naming {
        flow: &arguments.flow,
        run: arguments.run.as_deref(),
        key: arguments.key.as_deref(),
    };
    let (mut lines, bad) = lines::read(&bytes, naming);
    for bad in &bad {
        let _ = writeln!(io::stderr(), "bulk: line {} {}", bad.number, bad.fault);
    }
    if !bad.is_empty() && !arguments.skip_bad {
        return Err(format!(
            "{} of the lines cannot be started, so none is; --skip-bad goes on without them",
            bad.len()
        ));
    }
    if let Some(part) = arguments.part {
        lines.retain(|line| part.has(&line.name));
    }
    Ok(lines)
}

impl Arguments {
    fn header(&self, cloud: &str, endpoint: String) -> Header {
        Header {
            cloud: cloud.to_owned(),
            endpoint,
            flow: self.flow.clone(),
            run: self.run.clone(),
            key: self.key.clone(),
        }
    }

    fn quota(&self) -> Option<Quota> {
        let rate = self.rate?;
        Some(Quota::new((rate as u32).max(1), rate))
    }

    fn alibaba(&self) -> Result<Alibaba, cloud_workflows::Error> {
        let mut builder = alibaba::ClientBuilder::from_env();
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        if let Some(quota) = self.quota() {
            builder = builder.quota(alibaba::Bucket::StartExecution, quota);
        }
        Ok(Alibaba {
            client: builder.build()?.paced(),
            flow: self.flow.clone(),
        })
    }

    fn huawei(&self) -> Result<Huawei, cloud_workflows::Error> {
        let mut builder = huawei::ClientBuilder::from_env();
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        if let Some(endpoint) = &self.iam_endpoint {
            builder = builder.iam_endpoint(endpoint);
        }
        if let Some(quota) = self.quota() {
            builder = builder.quota(quota);
        }
        Ok(Huawei {
            client: builder.build()?.paced(),
            flow: self.flow.clone(),
        })
    }

    async fn run_on<C: Cloud>(&self, cloud: C, header: Header) -> Result<ExitCode, Refusal> {
        let (results, plan) = match self.stop {
            true => {
                let results = Results::open(&self.results, &header)?;
                let plan = Plan::to_stop(&results);
                (results, plan)
            }
            false => {
                let lines = inputs(self)?;
                let results = Results::open(&self.results, &header)?;
                let plan = Plan::new(lines, &results, self.retry_failed);
                (results, plan)
            }
        };
        let run = Run {
            cloud,
            results,
            tally: plan.tally,
            bar: Bar::new(&plan.tally),
            begins: JoinSet::new(),
            flying: HashMap::new(),
            ends: JoinSet::new(),
            lost: 0,
            is_stopping: false,
        };
        let concurrency = self.concurrency.max(1) as usize;
        let outcome = match run.run(plan, concurrency).await {
            Ok((tally, mut results)) => results.sync().map(|()| tally),
            Err(error) => Err(error),
        };
        let tally = match outcome {
            Ok(tally) => tally,
            Err(error) => {
                let path = self.results.display();
                let _ = writeln!(io::stderr(), "bulk: {path}: {error}; run it again");
                return Ok(ExitCode::from(4));
            }
        };
        // The results are in their file; that nobody reads this is no failure.
        let _ = output::print(&summary(&tally, self.stop));
        Ok(ExitCode::from(match self.stop {
            // What was to be stopped has ended.
            true if tally.exit_status() == 3 => 0,
            _ => tally.exit_status(),
        }))
    }
}

fn summary(tally: &Tally, is_stop: bool) -> String {
    let open = match tally.in_flight {
        0 => "",
        _ => "; executions go on: run it again to follow them, or with --stop",
    };
    format!(
        "{} lines{}: {} succeeded, {} failed{}, {} refused, {} unknown, {} in flight, {} not begun{open}\n",
        tally.lines,
        if is_stop { " in flight before" } else { "" },
        tally.succeeded,
        tally.failed,
        if is_stop { " or stopped" } else { "" },
        tally.refused,
        tally.unknown,
        tally.in_flight,
        tally.left(),
    )
}

async fn run(arguments: &Arguments) -> Result<ExitCode, Refusal> {
    let told = |error: cloud_workflows::Error| error.to_string();
    match arguments.cloud {
        Which::Alibaba => {
            let cloud = arguments.alibaba().map_err(told)?;
            let host = cloud.client.identity().await.map_err(told)?.host;
            let header = arguments.header("alibaba", host);
            arguments.run_on(cloud, header).await
        }
        Which::Huawei => {
            let cloud = arguments.huawei().map_err(told)?;
            let host = cloud.client.identity().await.map_err(told)?.host;
            let header = arguments.header("huawei", host);
            arguments.run_on(cloud, header).await
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(status) => status,
        Err(refusal) => {
            let _ = writeln!(io::stderr(), "bulk: {refusal}");
            ExitCode::from(2)
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "who interrupts a program waits in real time"
)]
fn now() -> Instant {
    Instant::now()
}
