//! A storm: many calls at once through the real clients, and a third to two thirds of all requests
//! go wrong in some way. No flow may run twice, no answer may be another call's, and no error may
//! deny a flow that ran.
//!
//! What goes wrong is decided by seed, operation, call and attempt, so a seed repeats its mix
//! however the threads are scheduled. `cargo test --test chaos` plays a few fixed seeds and one
//! from the operating system. More of it:
//!
//! ```sh
//! CHAOS_SEEDS=100 CHAOS_CALLS=5000 cargo test --test chaos -- --nocapture # many seeds
//! CHAOS_SEED=17 cargo test --test chaos -- --nocapture                    # this one again
//! ```
//!
//! All faults keep to what a network and an honest service may do: what is refused with a code and
//! a 4xx, or throttled, did not run; anything else may have run or not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use cloud_workflows::{
    Call, Delivery, Error, ErrorKind, FlowFailure, RetryPolicy,
    alibaba::{self, ExecutionOrigin, StartExecutionRequest, StartSyncExecutionRequest},
    emulator::{Emulator, Fault, RecordedRequest},
    huawei::{self, StartSyncWorkflowExecutionRequest},
};
use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinSet};

const FIXED_SEEDS: [u64; 4] = [1, 2, 3, 4];
const CALLS: u64 = 1500;
const IN_FLIGHT: usize = 64;
/// A client's budget of repeats is for this many calls.
const CALLS_OF_A_CLIENT: u64 = 50;
const MAX_ATTEMPTS: u32 = 5;
/// How long an execution is waited for.
const WAIT: Duration = Duration::from_secs(5);
/// Every call ends within its own 10 s, so a storm that lasts longer than this hangs.
const STORM_LIMIT: Duration = Duration::from_secs(30);
const STORM_LIMIT_PER_CALL: Duration = Duration::from_millis(30);

const START: &str = "StartExecution";
const SYNC: &str = "StartSyncExecution";
const WORKFLOW: &str = "StartSyncWorkflowExecution";
const DESCRIBE: &str = "DescribeExecution";
const HISTORY: &str = "GetExecutionHistory";
const TOKENS: &str = "KeystoneCreateUserTokenByPassword";

#[expect(clippy::disallowed_methods, reason = "for the report alone")]
fn now() -> Instant {
    Instant::now()
}

/// Splitmix64.
struct Dice(u64);

impl Dice {
    fn of(parts: &[u64]) -> Self {
        let mut dice = Self(0);
        for part in parts {
            dice.0 ^= part;
            dice.0 = dice.roll();
        }
        dice
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

fn hash(text: &str) -> u64 {
    let bytes: Vec<u64> = text.bytes().map(u64::from).collect();
    Dice::of(&bytes).0
}

/// What a call does.
#[derive(Clone, Debug)]
enum Plan {
    /// `StartExecution` under a name of its own.
    Named(String),
    /// The same, waited for to its end.
    Waited(String),
    /// `StartExecution` under a name that other calls use too, with other inputs.
    Shared(String),
    /// `StartExecution` under a name that the client makes.
    Made,
    /// `StartSyncExecution`, with a name or without.
    Sync(Option<String>),
    /// `sync-executions`.
    Workflow,
}

impl Plan {
    fn of(seed: u64, id: u64) -> Self {
        let mut dice = Dice::of(&[seed, hash("plan"), id]);
        match dice.below(100) {
            0..20 => Self::Named(format!("n-{id}")),
            20..25 => Self::Waited(format!("n-{id}")),
            25..35 => Self::Shared(format!("s-{}-{}", id / CALLS_OF_A_CLIENT, dice.below(2))),
            35..55 => Self::Made,
            55..65 => Self::Sync(Some(format!("x-{id}"))),
            65..77 => Self::Sync(None),
            _ => Self::Workflow,
        }
    }

    fn operation(&self) -> &'static str {
        match self {
            Self::Named(_) | Self::Waited(_) | Self::Shared(_) | Self::Made => START,
            Self::Sync(_) => SYNC,
            Self::Workflow => WORKFLOW,
        }
    }
}

/// Whether the flow of this call fails, and how long it takes.
fn flow_of(seed: u64, id: u64) -> (bool, Duration) {
    let mut dice = Dice::of(&[seed, hash("flow"), id]);
    let fails = dice.percent(8);
    let ms = match dice.below(10) {
        0..5 => 0,
        5..8 => 1 + dice.below(5),
        _ => 20 + dice.below(40),
    };
    (fails, Duration::from_millis(ms))
}

/// What the emulator saw of the storm.
#[derive(Default)]
struct Seen {
    /// Requests so far, by operation and call.
    requests: HashMap<(String, u64), u64>,
    /// What happened to the requests of a call, for the report of a failure.
    history: HashMap<u64, String>,
    /// Faults by name: how often without and with a run.
    faults: BTreeMap<&'static str, [u64; 2]>,
    /// Whole answers of the token API, by client.
    tokens: HashMap<u64, u64>,
    /// Tokens called too old although they are not, by client.
    aged: HashMap<u64, u64>,
}

/// One seed's storm.
struct Storm {
    seed: u64,
    calls: u64,
    /// Of a hundred requests, so many go wrong.
    rate: u64,
    url: String,
    seen: Mutex<Seen>,
    /// Calls by the execution names that were made for them.
    made: Mutex<HashMap<String, u64>>,
    /// How often the flow of each call ran.
    runs: Mutex<HashMap<u64, u64>>,
    /// Calls that have no answer yet.
    open: Mutex<BTreeSet<u64>>,
}

impl Storm {
    /// Adds a flow's run to the books; it gives back what it was given, or fails.
    fn run(&self, input: Value) -> Result<Value, FlowFailure> {
        let id = input["id"].as_u64().unwrap();
        *self.runs.lock().unwrap().entry(id).or_default() += 1;
        let (fails, time) = flow_of(self.seed, id);
        std::thread::sleep(time);
        if fails {
            return Err(FlowFailure::new("NoLuck", format!("<{id}>")));
        }
        Ok(input)
    }

    fn runs_of(&self, id: u64) -> u64 {
        let runs = self.runs.lock().unwrap();
        runs.get(&id).copied().unwrap_or_default()
    }

    /// Whether anything went wrong with the requests of a call.
    fn was_spoilt(&self, id: u64) -> bool {
        let seen = self.seen.lock().unwrap();
        let history = seen.history.get(&id).map_or("", String::as_str);
        history.matches('[').count() != history.matches(" none+]").count()
    }

    fn requests_of(&self, operation: &str, id: u64) -> u64 {
        let seen = self.seen.lock().unwrap();
        let requests = seen.requests.get(&(operation.to_owned(), id));
        requests.copied().unwrap_or_default()
    }

    /// Which call a request belongs to: for tokens, which client.
    fn whose(&self, request: &RecordedRequest) -> u64 {
        let parameter = |bytes: &[u8], name: &str| {
            let mut parameters = url::form_urlencoded::parse(bytes);
            let found = parameters.find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned())
        };
        match request.operation.as_str() {
            TOKENS => client_of(request),
            DESCRIBE | HISTORY => {
                let name = parameter(request.query.as_bytes(), "ExecutionName").unwrap();
                let made = self.made.lock().unwrap().get(&name).copied();
                let own = name.strip_prefix("n-").and_then(|id| id.parse().ok());
                made.or(own).unwrap_or_else(|| hash(&name))
            }
            WORKFLOW => {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                body["input"]["id"].as_u64().unwrap()
            }
            _ => {
                let input = parameter(&request.body, "Input").unwrap();
                let input: Value = serde_json::from_str(&input).unwrap();
                input["id"].as_u64().unwrap()
            }
        }
    }

    /// What goes wrong with a request.
    fn decide(&self, request: &RecordedRequest) -> Fault {
        let whose = self.whose(request);
        let operation = request.operation.as_str();
        let mut seen = self.seen.lock().unwrap();
        let attempt = seen.requests.entry((operation.to_owned(), whose));
        let attempt = *attempt.and_modify(|n| *n += 1).or_insert(1);

        let mut dice = Dice::of(&[self.seed, hash(operation), whose, attempt]);
        // Where there is no token, nothing is tried: that would be a dull storm.
        let rate = match operation {
            TOKENS => self.rate / 2,
            _ => self.rate,
        };
        let (name, runs, fault) = if dice.percent(rate) {
            self.fault(request, &mut dice)
        } else {
            ("none", true, Fault::none())
        };
        let fault = match dice.percent(20) {
            true => fault.after(Duration::from_millis(1 + dice.below(20))),
            false => fault,
        };

        seen.faults.entry(name).or_default()[usize::from(runs)] += 1;
        if operation == TOKENS {
            *seen.tokens.entry(whose).or_default() += u64::from(name == "none");
        } else {
            let ran = if runs { "+" } else { "-" };
            let history = seen.history.entry(whose).or_default();
            let _ = write!(history, " [{operation} {name}{ran}]");
        }
        if name == AGED {
            *seen.aged.entry(client_of(request)).or_default() += 1;
        }
        fault
    }

    /// A fault: its name, whether the request runs, and the fault.
    fn fault(&self, request: &RecordedRequest, dice: &mut Dice) -> (&'static str, bool, Fault) {
        let operation = request.operation.as_str();
        let huawei = matches!(operation, WORKFLOW | TOKENS);
        let mut kind = dice.below(100);
        // These end all calls of a client for minutes.
        if operation == TOKENS && matches!(kind, 18..28 | 58..62 | 68..71) && dice.percent(80) {
            kind = 0;
        }
        let runs = dice.percent(50);
        let spoilt = |name, fault: Fault| match runs {
            true => (name, true, fault.after_run()),
            false => (name, false, fault),
        };
        let html = |status| Fault::answer(status, "text/html", "<html><h1>Sorry</h1></html>");
        let bytes = usize::try_from(dice.below(700)).unwrap();
        match kind {
            0..14 => {
                let (status, code) = match huawei {
                    true => dice.one(&[(429, "APIGW.0308"), (429, "FSS.0429"), (429, "Any.1")]),
                    false => dice.one(&[
                        (429, "ResourceThrottled"),
                        (503, "Throttling"),
                        (400, "Throttling.User"),
                        (503, "Rejected.Throttling"),
                    ]),
                };
                let fault = Fault::refuse(status, code, "slow down");
                match dice.below(20) {
                    0..10 => ("throttled", false, fault),
                    10..15 => (
                        "throttled, Retry-After",
                        false,
                        fault.header("Retry-After", "0"),
                    ),
                    15..19 => {
                        let fault = fault.header("x-acs-retry-after", "3");
                        ("throttled, Retry-After", false, fault)
                    }
                    // More than there is time for.
                    _ => (
                        "throttled for long",
                        false,
                        fault.header("Retry-After", "3600"),
                    ),
                }
            }
            14..18 if huawei => {
                let fault = Fault::refuse(500, "APIGW.0613", "no IAM");
                ("busy", false, fault)
            }
            14..18 => {
                let fault = Fault::refuse(409, "ConcurrentUpdateError", "again");
                ("busy", false, fault)
            }
            24..28 if operation == WORKFLOW => {
                let code = dice.one(&["APIGW.0301", "APIGW.0307"]);
                (AGED, false, Fault::refuse(401, code, "renew"))
            }
            18..28 => {
                let (status, code) = match huawei {
                    true => dice.one(&[(404, "FGS.5002"), (403, "FSS.0403"), (400, "FGS.3002")]),
                    false => dice.one(&[
                        (404, "FlowNotExists"),
                        (403, "AccessDenied"),
                        (400, "InvalidArgument"),
                        (403, "RequestTimeTooSkewed"),
                    ]),
                };
                ("coded 4xx", false, Fault::refuse(status, code, "no"))
            }
            28..36 => {
                let status = dice.one(&[500, 502, 503, 504]);
                let code = dice.one(&["InternalServerError", "FSS.0500", "Whatever"]);
                spoilt("coded 5xx", Fault::refuse(status, code, "no"))
            }
            36..38 if !huawei => {
                let fault = Fault::refuse(400, "SignatureNonceUsed", "seen before");
                spoilt("nonce used", fault)
            }
            36..44 => match dice.percent(50) {
                true => spoilt("408", Fault::refuse(408, "RequestTimeout", "slow")),
                false => spoilt("408", html(408)),
            },
            44..50 => spoilt("uncoded 5xx", html(dice.one(&[500, 503, 504]))),
            50..58 => spoilt("HTML 502", html(502)),
            58..62 => spoilt("uncoded 4xx", html(dice.one(&[400, 403, 404, 429]))),
            62..68 => {
                let body = dice.one(&[
                    "<html>",
                    "",
                    "{",
                    "{}",
                    "null",
                    "[1]",
                    r#"{"Code":"X","error_code":"X.1"}"#,
                    "\0\u{fffd}",
                ]);
                let form = dice.one(&["text/html", "application/json"]);
                spoilt("garbage 200", Fault::answer(200, form, body))
            }
            68..71 => {
                let to = format!("{}{}?{}", self.url, request.path, request.query);
                let status = dice.one(&[301, 302, 303, 307, 308]);
                let fault = Fault::answer(status, "text/plain", "").header("location", &to);
                spoilt("redirect", fault)
            }
            71..79 => ("cut before run", false, Fault::cut_before_run()),
            79..87 => ("cut after run", true, Fault::cut_after_run()),
            87..95 => ("cut reply", true, Fault::cut_reply(bytes)),
            95..97 => ("stalled reply", true, Fault::stall_reply(bytes)),
            97..98 => ("hang", false, Fault::hang()),
            _ => ("hang after run", true, Fault::hang_after_run()),
        }
    }
}

const AGED: &str = "token called old";
const ALL_FAULTS: [&str; 20] = [
    "throttled",
    "throttled, Retry-After",
    "throttled for long",
    "busy",
    AGED,
    "coded 4xx",
    "coded 5xx",
    "nonce used",
    "408",
    "uncoded 5xx",
    "HTML 502",
    "uncoded 4xx",
    "garbage 200",
    "redirect",
    "cut before run",
    "cut after run",
    "cut reply",
    "stalled reply",
    "hang",
    "hang after run",
];

/// The number of the client that sent a request, which stands in its user agent.
fn client_of(request: &RecordedRequest) -> u64 {
    let agent = request.headers["user-agent"].to_str().unwrap();
    let (_, number) = agent.rsplit_once("chaos/").unwrap();
    number.parse().unwrap()
}

/// The clients of some calls.
struct Group {
    alibaba: alibaba::Client,
    huawei: huawei::Client,
    /// Calls that have not ended.
    left: AtomicUsize,
    /// How often tokens were made bad meanwhile.
    bad_tokens: AtomicU64,
}

impl Group {
    fn new(emulator: &Emulator, number: u64, calls: u64) -> Self {
        let agent = format!("chaos/{number}");
        let policy = RetryPolicy::default()
            .max_attempts(MAX_ATTEMPTS)
            .initial_backoff(Duration::from_millis(2))
            .max_backoff(Duration::from_millis(30));
        // An attempt gets a second: `connect_timeout` and 250 ms are the least.
        macro_rules! set_up {
            ($builder:expr) => {
                $builder
                    .user_agent(agent.clone())
                    .retry(policy)
                    .connect_timeout(Duration::from_millis(750))
                    .attempt_timeout(Duration::from_secs(1))
                    .timeout(Duration::from_secs(10))
                    .build()
                    .unwrap()
            };
        }
        Self {
            alibaba: set_up!(emulator.alibaba()),
            huawei: set_up!(emulator.huawei()),
            left: AtomicUsize::new(usize::try_from(calls).unwrap()),
            bad_tokens: AtomicU64::new(0),
        }
    }

    fn start(&self, id: u64, name: Option<&str>) -> Call<StartExecutionRequest> {
        self.alibaba.start_execution(Self::request(id, name))
    }

    fn request(id: u64, name: Option<&str>) -> StartExecutionRequest {
        let request = StartExecutionRequest::new("standard").input(json!({"id": id}));
        request.execution_name(name)
    }

    fn sync(&self, id: u64, name: Option<&str>) -> Call<StartSyncExecutionRequest> {
        let request = StartSyncExecutionRequest::new("express").input(json!({"id": id}));
        self.alibaba
            .start_sync_execution(request.execution_name(name))
    }

    fn workflow(&self, id: u64) -> Call<StartSyncWorkflowExecutionRequest> {
        let request = StartSyncWorkflowExecutionRequest::new("workflow").input(json!({"id": id}));
        self.huawei.start_sync_workflow_execution(request)
    }

    /// Makes one call. The other value is the execution name that it carries.
    async fn call(
        &self,
        storm: &Storm,
        id: u64,
        plan: &Plan,
        patience: Option<Duration>,
    ) -> (Ending, Option<String>) {
        match plan {
            Plan::Named(_) | Plan::Shared(_) | Plan::Made => {
                let name = match plan {
                    Plan::Named(name) | Plan::Shared(name) => Some(name.as_str()),
                    _ => None,
                };
                let call = self.start(id, name);
                let name = call.execution_name().unwrap().to_owned();
                if matches!(plan, Plan::Made) {
                    storm.made.lock().unwrap().insert(name.clone(), id);
                }
                let sent = within(patience, call.send_for_response()).await;
                let ending = Ending::of(sent, |value| Answer::Started {
                    origin: value.origin,
                    name: value.name,
                    input: value.input.map(|input| input.parse().unwrap()),
                });
                (ending, Some(name))
            }
            Plan::Waited(name) => {
                let wait = self.alibaba.start_and_wait(Self::request(id, Some(name)));
                let ended = within(patience, wait.deadline(WAIT)).await;
                let ending = match ended {
                    // Its attempts are looks, which nobody counts against requests.
                    Some(Ok(value)) => Ending::Answered(
                        0,
                        Answer::Ran {
                            name: value.name.clone(),
                            output: value.into_output(),
                        },
                    ),
                    Some(Err(error)) => Ending::Failed(error),
                    None => Ending::Dropped,
                };
                (ending, Some(name.clone()))
            }
            Plan::Sync(name) => {
                let call = self.sync(id, name.as_deref());
                let name = call.execution_name().unwrap().to_owned();
                let sent = within(patience, call.send_for_response()).await;
                let ending = Ending::of(sent, |value| Answer::Ran {
                    name: value.name.clone(),
                    output: value.into_output(),
                });
                (ending, Some(name))
            }
            Plan::Workflow => {
                let call = self.workflow(id);
                let sent = within(patience, call.send_for_response()).await;
                let ending = Ending::of(sent, |value| Answer::Ran {
                    name: value.execution_id.clone(),
                    output: value.into_output(),
                });
                (ending, None)
            }
        }
    }
}

/// `None` when the caller lost patience and dropped the call.
async fn within<T>(patience: Option<Duration>, call: impl Future<Output = T> + Send) -> Option<T> {
    // On the heap: there are many of them.
    let call = Box::pin(call);
    match patience {
        None => Some(call.await),
        Some(patience) => tokio::time::timeout(patience, call).await.ok(),
    }
}

/// How a call ended.
enum Ending {
    Answered(u32, Answer),
    Failed(Error),
    Dropped,
}

enum Answer {
    Started {
        origin: ExecutionOrigin,
        name: Option<String>,
        input: Option<Value>,
    },
    Ran {
        name: Option<String>,
        output: Result<Value, Error>,
    },
}

impl Ending {
    fn of<T>(
        sent: Option<Result<cloud_workflows::Response<T>, Error>>,
        answer: impl FnOnce(T) -> Answer,
    ) -> Self {
        match sent {
            Some(Ok(response)) => {
                let attempts = response.attempts();
                Self::Answered(attempts, answer(response.into_value()))
            }
            Some(Err(error)) => Self::Failed(error),
            None => Self::Dropped,
        }
    }
}

struct Done {
    id: u64,
    plan: Plan,
    /// The execution name that was sent.
    name: Option<String>,
    ending: Ending,
}

/// What was counted in a storm, or in all of them.
#[derive(Default)]
struct Counts(BTreeMap<String, u64>);

impl Counts {
    fn add(&mut self, what: impl Into<String>, count: u64) {
        *self.0.entry(what.into()).or_default() += count;
    }

    fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }
}

/// Notes what a call broke, with all that is known of it.
fn violated(violations: &mut Vec<String>, storm: &Storm, done: &Done, rule: &str) {
    let Done { id, plan, name, .. } = done;
    let seen = storm.seen.lock().unwrap();
    let history = seen.history.get(id).map_or("", String::as_str);
    let ending = match &done.ending {
        Ending::Answered(attempts, Answer::Started { origin, input, .. }) => {
            format!("{origin:?} with {input:?} after {attempts} attempts")
        }
        Ending::Answered(attempts, Answer::Ran { output, .. }) => {
            format!("{output:?} after {attempts} attempts")
        }
        Ending::Failed(error) => format!(
            "{error} ({:?}, {:?}, {} attempts)",
            error.kind(),
            error.delivery(),
            error.attempts()
        ),
        Ending::Dropped => "dropped".to_owned(),
    };
    let runs = storm.runs_of(*id);
    violations.push(format!(
        "{rule}\n    call {id}, {plan:?}, sent as {name:?}: {ending}\n    {runs} runs;{history}"
    ));
}

/// Waits until no flow runs and none is to come: faults delay requests by 20 ms at most.
async fn all_flows_ended(emulator: &Emulator) {
    let mut before = usize::MAX;
    loop {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let flows = ["standard", "express", "workflow"];
        let executions: Vec<_> = flows.iter().flat_map(|f| emulator.executions(f)).collect();
        let running = executions
            .iter()
            .any(|execution| execution.status.eq_ignore_ascii_case("running"));
        if !running && executions.len() == before {
            return;
        }
        before = executions.len();
    }
}

/// What must hold of one call once all flows have ended.
fn check(storm: &Storm, executions: &HashMap<String, u64>, done: &Done) -> Vec<String> {
    let mut violations = Vec::new();
    let mut must = |holds: bool, rule: &str| {
        if !holds {
            violated(&mut violations, storm, done, rule);
        }
    };
    let (id, operation) = (done.id, done.plan.operation());
    let runs = storm.runs_of(id);
    let requests = storm.requests_of(operation, id);
    must(runs <= 1, "a flow ran twice");
    let of_name = done.name.as_ref().and_then(|name| executions.get(name));
    let of_name = of_name.copied().unwrap_or_default();
    if operation == START {
        must(of_name <= 1, "two executions under one name");
        if !matches!(done.plan, Plan::Shared(_)) {
            must(of_name == runs, "an execution under another name");
        }
    }
    let is_wait = matches!(done.plan, Plan::Waited(_));
    let attempts = match &done.ending {
        _ if is_wait => None,
        Ending::Answered(attempts, _) => Some(*attempts),
        Ending::Failed(error) => Some(error.attempts()),
        Ending::Dropped => None,
    };
    if let Some(attempts) = attempts {
        must(
            requests <= u64::from(attempts),
            "more requests arrived than attempts were told",
        );
        // A clock is corrected and a token renewed once each, whatever the policy.
        must(attempts <= MAX_ATTEMPTS + 2, "too many attempts");
    }
    match &done.ending {
        Ending::Answered(
            _,
            Answer::Started {
                origin,
                name,
                input,
            },
        ) => {
            must(*name == done.name, "an answer for another execution");
            must(of_name == 1, "an answer without an execution");
            let own = *input == Some(json!({"id": id}));
            match origin {
                ExecutionOrigin::Started => {
                    must(runs == 1, "`Started`, but it did not run");
                    must(own, "`Started` with another call's input");
                }
                ExecutionOrigin::FoundRunning => {
                    let shared = matches!(done.plan, Plan::Shared(_));
                    must(shared, "`FoundRunning` under a name that nobody else uses");
                    must(runs == 0, "`FoundRunning`, but this call's own ran");
                    must(!own, "`FoundRunning` with this call's input");
                }
                _ => must(false, "it can be told whose it is"),
            }
        }
        Ending::Answered(_, Answer::Ran { name, output }) => {
            must(runs == 1, "an answer without a run");
            if let (Some(sent), Some(name)) = (&done.name, name) {
                let of_ours = match is_wait {
                    true => name == sent,
                    false => name.split_once(':').is_some_and(|(name, _)| name == sent),
                };
                must(of_ours, "an answer for another execution");
            }
            let (fails, _) = flow_of(storm.seed, id);
            let own = match output {
                Ok(output) => !fails && *output == json!({"id": id}),
                Err(error) => {
                    fails
                        && error.kind() == ErrorKind::FlowFailed
                        // The history, which tells why, may be out of reach.
                        && (is_wait || error.to_string().contains(&format!("<{id}>")))
                }
            };
            must(own, "the answer is another call's");
        }
        Ending::Failed(error) => {
            if !error.may_have_started() {
                must(runs == 0, "an error denies a flow that ran");
            }
            if requests > 0 && !storm.was_spoilt(id) {
                // What is left: a busy machine, a kept connection that was just being closed, an
                // execution of another call, a token that was not to be had or went bad before it
                // was any good.
                let excused = match error.kind() {
                    ErrorKind::Timeout | ErrorKind::Connect | ErrorKind::Transport => true,
                    ErrorKind::Deadline => is_wait,
                    ErrorKind::AlreadyExists => matches!(done.plan, Plan::Shared(_)),
                    ErrorKind::Unauthenticated | ErrorKind::Credentials => {
                        matches!(done.plan, Plan::Workflow)
                    }
                    _ => false,
                };
                must(excused, "nothing went wrong with it, and yet it failed");
            }
            if error.delivery() == Delivery::NotSent {
                must(requests == 0, "`NotSent`, but it arrived");
            }
            must(
                error.execution_name() == done.name.as_deref(),
                "an error with another execution name",
            );
            if matches!(done.plan, Plan::Sync(_) | Plan::Workflow) && error.is_retryable() {
                must(runs == 0, "`is_retryable`, but it ran and would run twice");
            }
        }
        Ending::Dropped => {}
    }
    violations
}

/// After the storm: what the errors say to do next leads to one run.
async fn go_on(storm: &Storm, group: &Group, done: &Done) -> Vec<String> {
    let mut violations = Vec::new();
    let Ending::Failed(error) = &done.ending else {
        return violations;
    };
    let id = done.id;
    let before = storm.runs_of(id);
    let patient = Duration::from_secs(30);
    let again = match &done.plan {
        // The same Rust call again, where that is said to do no harm.
        Plan::Sync(name) if error.is_retryable() => {
            let call = group.sync(id, name.as_deref());
            let call = call.attempt_timeout(patient).timeout(2 * patient);
            call.send().await.map(|_| ExecutionOrigin::Started)
        }
        Plan::Made if error.is_retryable() && id.is_multiple_of(2) => {
            let call = group.start(id, None).attempt_timeout(patient);
            call.timeout(2 * patient).send().await.map(|ok| ok.origin)
        }
        Plan::Named(_) | Plan::Waited(_) | Plan::Shared(_) | Plan::Made => {
            let call = group.start(id, error.execution_name());
            let call = call.attempt_timeout(patient).timeout(2 * patient);
            call.send().await.map(|ok| ok.origin)
        }
        // Clients without a token have a new one to wait for, for minutes perhaps.
        Plan::Workflow | Plan::Sync(_) => return violations,
    };
    let shared = matches!(done.plan, Plan::Shared(_));
    let fits = match &again {
        Ok(ExecutionOrigin::Started) => shared || before == 0,
        Ok(_) => shared,
        Err(again) => {
            again.kind() == ErrorKind::AlreadyExists
                && !again.may_have_started()
                && (shared || before == 1)
        }
    };
    if !fits {
        let rule = format!("started again after {before} runs: {again:?}");
        violated(&mut violations, storm, done, &rule);
    }
    violations
}

async fn storm(seed: u64, calls: u64, total: &mut Counts) {
    let began = now();
    let emulator = Emulator::start().unwrap();
    emulator.record(false);
    let mut dice = Dice::of(&[seed, hash("storm")]);
    let storm = Arc::new(Storm {
        seed,
        calls,
        rate: 33 + dice.below(33),
        url: emulator.url(),
        seen: Mutex::default(),
        made: Mutex::default(),
        runs: Mutex::default(),
        open: Mutex::default(),
    });
    // The service's clock is right or wrong all the time: one that jumps is no honest service's.
    let minutes = dice.one(&[0, -40, 40]);
    emulator.shift_clock(chrono::TimeDelta::minutes(minutes));
    let flow = |storm: &Arc<Storm>| {
        let storm = Arc::clone(storm);
        move |input: Value| storm.run(input)
    };
    emulator
        .standard("standard", flow(&storm))
        .express("express", flow(&storm))
        .workflow("workflow", flow(&storm));
    let deciding = Arc::clone(&storm);
    emulator.fault_with(move |request| deciding.decide(request));
    println!(
        "seed {seed}: {calls} calls, {} % faults, the service's clock {minutes:+} min",
        storm.rate
    );

    let limit = STORM_LIMIT + STORM_LIMIT_PER_CALL * u32::try_from(calls).unwrap();
    let played = tokio::time::timeout(limit, Box::pin(play(&storm, &emulator))).await;
    let Ok((done, groups, renewals)) = played else {
        let seen = storm.seen.lock().unwrap();
        let open = storm.open.lock().unwrap();
        let open: Vec<String> = open
            .iter()
            .map(|id| {
                let history = seen.history.get(id).map_or("", String::as_str);
                format!("  call {id}, {:?};{history}", Plan::of(seed, *id))
            })
            .collect();
        panic!(
            "CHAOS_SEED={seed} CHAOS_CALLS={calls}: it hangs, {} calls have no answer after \
             {limit:?}:\n{}",
            open.len(),
            open.join("\n")
        );
    };
    let stormed = now() - began;
    emulator.clear_faults();
    let ended = tokio::time::timeout(limit, all_flows_ended(&emulator)).await;
    ended.unwrap_or_else(|_| panic!("CHAOS_SEED={seed}: flows do not end"));

    let mut violations = Vec::new();
    let executions = named_executions(&emulator);
    for done in &done {
        violations.extend(check(&storm, &executions, done));
    }
    violations.extend(check_tokens(&storm, &groups));
    let mut counts = count(&storm, &done);
    counts.add("tokens made bad", renewals);

    // The same clients go on in fair weather.
    for done in &done {
        let group = &groups[usize::try_from(done.id / CALLS_OF_A_CLIENT).unwrap()];
        violations.extend(Box::pin(go_on(&storm, group, done)).await);
    }
    let ended = tokio::time::timeout(limit, all_flows_ended(&emulator)).await;
    ended.unwrap_or_else(|_| panic!("CHAOS_SEED={seed}: flows do not end"));
    let executions = named_executions(&emulator);
    for done in &done {
        let runs = storm.runs_of(done.id);
        let mut rule = None;
        if runs > 1 {
            rule = Some("a flow ran twice, in the end");
        }
        if let (START, Ending::Failed(error)) = (done.plan.operation(), &done.ending) {
            let again = error.is_retryable() && done.id.is_multiple_of(2);
            let name = done.name.as_deref().unwrap();
            let of_name = executions.get(name).copied().unwrap_or_default();
            let one = match done.plan {
                Plan::Shared(_) => of_name == 1,
                Plan::Made if again => runs == 1,
                _ => of_name == 1 && runs == 1,
            };
            if !one {
                rule = Some("started again under its name, it did not run once in all");
            }
        }
        if let Some(rule) = rule {
            violated(&mut violations, &storm, done, rule);
        }
    }
    let counted: usize = ["standard", "express", "workflow"]
        .iter()
        .map(|flow| emulator.runs(flow))
        .sum();
    let recorded: u64 = storm.runs.lock().unwrap().values().sum();
    if recorded != counted as u64 {
        violations.push(format!("{recorded} runs, but {counted} by the emulator"));
    }

    for (what, count) in &counts.0 {
        println!("  {count:>6} {what}");
        total.add(what, *count);
    }
    println!(
        "  {:.1} s storm, {:.1} s in all",
        stormed.as_secs_f32(),
        (now() - began).as_secs_f32()
    );
    assert!(
        violations.is_empty(),
        "CHAOS_SEED={seed} CHAOS_CALLS={calls}: {} violations, the first of them:\n{}",
        violations.len(),
        violations[..violations.len().min(10)].join("\n")
    );
}

/// How many executions each name has.
fn named_executions(emulator: &Emulator) -> HashMap<String, u64> {
    let mut names = HashMap::new();
    for execution in emulator.executions("standard") {
        *names.entry(execution.name).or_default() += 1;
    }
    names
}

/// Makes all calls, many at once; spoils tokens now and then.
async fn play(storm: &Arc<Storm>, emulator: &Emulator) -> (Vec<Done>, Vec<Arc<Group>>, u64) {
    let room = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut groups: Vec<Arc<Group>> = Vec::new();
    let mut renewals = 0;
    let mut tasks = JoinSet::new();
    for id in 0..storm.calls {
        let mut dice = Dice::of(&[storm.seed, hash("play"), id]);
        let permit = Arc::clone(&room).acquire_owned().await.unwrap();
        if id % CALLS_OF_A_CLIENT == 0 {
            let calls = CALLS_OF_A_CLIENT.min(storm.calls - id);
            let group = Group::new(emulator, groups.len() as u64, calls);
            groups.push(Arc::new(group));
        }
        if dice.below(60) == 0 {
            for group in &groups {
                if group.left.load(Ordering::SeqCst) > 0 {
                    group.bad_tokens.fetch_add(1, Ordering::SeqCst);
                }
            }
            renewals += 1;
            match dice.percent(50) {
                true => emulator.expire_tokens(),
                false => emulator.revoke_tokens(),
            }
        }
        let patience = dice.percent(2).then(|| dice.below(30));
        let group = Arc::clone(groups.last().unwrap());
        let storm = Arc::clone(storm);
        storm.open.lock().unwrap().insert(id);
        tasks.spawn(async move {
            let plan = Plan::of(storm.seed, id);
            let patience = patience.map(Duration::from_millis);
            let (ending, name) = group.call(&storm, id, &plan, patience).await;
            group.left.fetch_sub(1, Ordering::SeqCst);
            storm.open.lock().unwrap().remove(&id);
            drop(permit);
            Done {
                id,
                plan,
                name,
                ending,
            }
        });
    }
    let done = tasks.join_all().await;
    (done, groups, renewals)
}

/// A client fetches a token at its start and when one has gone bad, and for nothing else.
fn check_tokens(storm: &Storm, groups: &[Arc<Group>]) -> Vec<String> {
    let mut violations = Vec::new();
    for (number, group) in (0..).zip(groups) {
        let requests = storm.requests_of(TOKENS, number);
        let seen = storm.seen.lock().unwrap();
        let of = |counts: &HashMap<u64, u64>| counts.get(&number).copied().unwrap_or_default();
        let bad = group.bad_tokens.load(Ordering::SeqCst);
        // Two more: an answer may come too late on a machine that is busy with other things.
        let enough = 1 + bad + of(&seen.aged) + 2;
        let answers = of(&seen.tokens);
        if answers > enough || requests > enough * u64::from(MAX_ATTEMPTS) {
            violations.push(format!(
                "client {number} asked for tokens {requests} times and got {answers}, \
                 where {enough} are enough"
            ));
        }
    }
    violations
}

fn count(storm: &Storm, done: &[Done]) -> Counts {
    let mut counts = Counts::default();
    for done in done {
        let operation = done.plan.operation();
        counts.add(format!("calls: {operation}"), 1);
        counts.add("runs", storm.runs_of(done.id));
        match &done.ending {
            Ending::Answered(attempts, answer) => {
                counts.add(format!("ok: {operation}"), 1);
                if matches!(done.plan, Plan::Waited(_)) {
                    counts.add("waited for", 1);
                }
                counts.add(format!("attempts of an ok: {attempts}"), 1);
                if let Answer::Started { origin, .. } = answer {
                    counts.add(format!("origin: {origin:?}"), 1);
                }
            }
            Ending::Failed(error) => {
                let (kind, delivery) = (error.kind(), error.delivery());
                counts.add(format!("errors: {kind:?}, {delivery:?}"), 1);
                counts.add(format!("attempts of an error: {}", error.attempts()), 1);
            }
            Ending::Dropped => counts.add("dropped", 1),
        }
    }
    let seen = storm.seen.lock().unwrap();
    for ((operation, _), requests) in &seen.requests {
        counts.add(format!("requests: {operation}"), *requests);
    }
    for (fault, [not_run, run]) in &seen.faults {
        counts.add(format!("faults without a run: {fault}"), *not_run);
        counts.add(format!("faults with a run: {fault}"), *run);
    }
    counts.0.retain(|_, count| *count > 0);
    counts
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a number")),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_runs_twice_in_a_storm() {
    let calls = setting("CHAOS_CALLS").unwrap_or(CALLS);
    let wanted = setting("CHAOS_SEEDS").unwrap_or(FIXED_SEEDS.len() as u64 + 1);
    let seeds: Vec<u64> = match setting("CHAOS_SEED") {
        Some(seed) => vec![seed],
        None => {
            // Keyed anew by the operating system each time.
            let random = RandomState::new().hash_one(()) % 1_000_000_000;
            let fixed = FIXED_SEEDS.into_iter();
            fixed
                .chain(random..)
                .take(usize::try_from(wanted).unwrap())
                .collect()
        }
    };
    let mut total = Counts::default();
    for seed in &seeds {
        Box::pin(storm(*seed, calls, &mut total)).await;
    }

    // A storm that breaks nothing, or everything, proves nothing.
    if calls * seeds.len() as u64 >= 5000 {
        for operation in [START, SYNC, WORKFLOW] {
            let (ok, all) = (
                total.of(&format!("ok: {operation}")),
                total.of(&format!("calls: {operation}")),
            );
            assert!(ok * 10 > all, "only {ok} of {all} {operation} came through");
            assert!(ok < all, "all {operation} came through");
        }
        for fault in ALL_FAULTS {
            let [without, with] =
                ["without", "with"].map(|how| total.of(&format!("faults {how} a run: {fault}")));
            assert!(without + with > 0, "the fault `{fault}` never came");
        }
        for what in [
            "attempts of an ok: 3",
            "origin: FoundRunning",
            "dropped",
            "waited for",
        ] {
            assert!(total.of(what) > 0, "never: {what}");
        }
        let described = total.of(&format!("requests: {DESCRIBE}"));
        assert!(described > 0, "no execution was looked up");
    }
}

/// Each call may correct its clock and renew its token once, however many of them have to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_with_a_wrong_clock_or_an_old_token_all_come_through() {
    let emulator = Emulator::start().unwrap();
    emulator
        .express("express", |input: Value| Ok(input))
        .workflow("workflow", |input: Value| Ok(input));
    let group = Group::new(&emulator, 0, 0);
    group.workflow(0).send().await.unwrap();
    emulator.expire_tokens();
    // Some learn late that their token is old, when others have long had a new one.
    emulator.fault_with(|request| match request.operation.as_str() {
        WORKFLOW => {
            let body = String::from_utf8_lossy(&request.body);
            Fault::none().after(Duration::from_millis(hash(&body) % 8 * 20))
        }
        _ => Fault::none(),
    });
    emulator.shift_clock(chrono::TimeDelta::minutes(40));
    let (mut skewed, mut expired) = (JoinSet::new(), JoinSet::new());
    for id in 0..64 {
        let patient = Duration::from_secs(30);
        let sync = group.sync(id, None).attempt_timeout(patient);
        skewed.spawn(sync.timeout(3 * patient).send());
        let workflow = group.workflow(id).attempt_timeout(patient);
        expired.spawn(workflow.timeout(3 * patient).send());
    }
    let skewed = skewed.join_all().await;
    let expired = expired.join_all().await;
    let skewed = skewed.into_iter().filter_map(Result::err);
    let expired = expired.into_iter().filter_map(Result::err);
    let failed: Vec<String> = skewed
        .chain(expired)
        .map(|error| error.to_string())
        .collect();
    assert!(
        failed.is_empty(),
        "{} of 128 failed, the first: {}",
        failed.len(),
        failed[0]
    );
    let requests = emulator.requests();
    let tokens = requests
        .iter()
        .filter(|request| request.operation == TOKENS)
        .count();
    // One at the start, one for all who found it expired; and one that came too late, perhaps.
    assert!(tokens <= 3, "{tokens} token calls");
}
