//! What both clouds' tests of sources share: a scripted world, and the laws that every source
//! which gets its keys over the network obeys.

#[path = "../../tests/support/log.rs"]
pub(crate) mod log;

use std::{
    error::Error as _,
    fmt,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, StatusCode};
use log::{Log, assert_error_is_silent, assert_silent};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{
    clock::{Clock, monotonic},
    credential::{Context, ProvideCredential},
    environment::Environment,
    failure::Stage,
    settings::Settings,
    transport::{
        HttpRequest, Reply,
        scripted::{Script, Step},
    },
};
use crate::error::{Delivery, Error, ErrorKind, Lack};

/// Stands in every secret.
pub(crate) const MARKER: &str = "MARKER/+=secret";

/// The time of every reply.
pub(crate) fn wall() -> DateTime<Utc> {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A context as a client would lend it, in no region and for no project.
pub(crate) fn context(environment: &Environment, script: &Arc<Script>) -> Context {
    let settings = Settings {
        scripted: Some((script.clone(), Clock::starting_at(wall()))),
        ..settings(environment)
    };
    lent(settings)
}

/// A context whose requests go over the wire.
pub(crate) fn real_context(environment: &Environment) -> Context {
    lent(settings(environment))
}

fn settings(environment: &Environment) -> Settings {
    Settings {
        environment: environment.clone(),
        ..Settings::default()
    }
}

fn lent(settings: Settings) -> Context {
    Context {
        core: settings.core(&[]).unwrap(),
        region: None,
        project_id: None,
        project_name: None,
        auth_endpoint: None,
        foreign: false,
        inputs: None,
    }
}

/// Runs the test that calls this once more, in a process whose environment names a proxy that is
/// dead; there, it does nothing.
pub(crate) fn again_behind_a_dead_proxy(test: &str) {
    const CHILD: &str = "CLOUD_WORKFLOWS_TEST_BEHIND_A_PROXY";
    if std::env::var_os(CHILD).is_some() {
        return;
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.arg(test).env(CHILD, "1");
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, "http://127.0.0.1:9");
    }
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

/// A proxy that refuses everything: its address, and the first lines of what it is asked.
pub(crate) fn proxy() -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{BufRead as _, BufReader, Write as _};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (lines, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = BufReader::new(&stream).lines().map_while(Result::ok);
            let line = head.next().unwrap_or_default();
            head.find(|line| line.is_empty());
            let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    (address, asked)
}

pub(crate) fn reply(status: u16, body: impl Into<String>) -> Step {
    dated(wall(), status, body)
}

/// A reply of another time.
pub(crate) fn dated(time: DateTime<Utc>, status: u16, body: impl Into<String>) -> Step {
    with_header(status, "date", &httpdate::fmt_http_date(time.into()), body)
}

pub(crate) fn with_header(
    status: u16,
    name: &'static str,
    value: &str,
    body: impl Into<String>,
) -> Step {
    let mut headers = HeaderMap::new();
    let date = httpdate::fmt_http_date(wall().into());
    headers.insert("date", date.parse().unwrap());
    headers.insert(name, value.parse().unwrap());
    let reply = Reply {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.into().into(),
        received: monotonic(),
    };
    Step::Reply(Duration::ZERO, reply)
}

/// When a key ends: an hour of the reply's time.
pub(crate) fn expiration(format: &str) -> String {
    (wall() + LIFE).format(format).to_string()
}

const LIFE: TimeDelta = TimeDelta::hours(1);

/// Whether the lack of a credential is an outage's.
pub(crate) fn is_passing(error: &Error) -> bool {
    error.lack() == Lack::Passing
}

/// `METHOD host path` of each request.
pub(crate) fn paths(sent: &[(Instant, HttpRequest)]) -> Vec<String> {
    let line = |request: &HttpRequest| {
        let host = request.url.host_str().unwrap();
        format!("{} {host} {}", request.method, request.url.path())
    };
    sent.iter().map(|(_, request)| line(request)).collect()
}

/// A cloud, as far as the laws need it.
pub(crate) trait Cloud: Sized + 'static {
    type Credential: fmt::Debug + Send + Sync + 'static;
    type Client: Clone + fmt::Debug + Send + Sync + 'static;

    fn client(
        source: Source<Self>,
        environment: &Environment,
        script: &Arc<Script>,
        clock: Clock,
    ) -> Self::Client;

    /// One call that needs a credential.
    fn call(client: &Self::Client) -> impl Future<Output = Result<(), Error>> + Send + 'static;

    /// The answer to a request of such a call; none where the request is for a credential.
    fn answer(request: &HttpRequest) -> Option<Step>;

    /// The name of the key, or the token, that it was sent with.
    fn sent_with(request: &HttpRequest) -> String;

    /// The refusal of a request whose time is wrong, where the service can tell.
    fn clock_refusal(request: &HttpRequest, time: DateTime<Utc>) -> Option<Step>;

    /// No two ways of authentication in one request.
    fn check(_: &HttpRequest) {}
}

pub(crate) type Source<C> = Arc<dyn ProvideCredential<<C as Cloud>::Credential>>;

/// A source that gets keys over the network, and who gives them.
pub(crate) struct Renewing<C: Cloud> {
    name: &'static str,
    source: fn() -> Source<C>,
    environment: Environment,
    /// Answers a request for a credential; the key or token bears this name, its secrets hold
    /// [`MARKER`], and it is good for an hour from [`wall`].
    give: fn(&HttpRequest, &str) -> Step,
}

/// The name of a source, its surroundings, and how it is made.
pub(crate) type Case<C> = (&'static str, Environment, fn() -> Source<C>);

impl<C: Cloud> Renewing<C> {
    /// Cases with the same others at the other end.
    pub(crate) fn all<const N: usize>(
        give: fn(&HttpRequest, &str) -> Step,
        cases: [Case<C>; N],
    ) -> Vec<Self> {
        let case = |(name, environment, source): Case<C>| Self {
            name,
            source,
            environment,
            give,
        };
        cases.into_iter().map(case).collect()
    }
}

/// What stands at the other end, now.
#[derive(Clone)]
enum Weather {
    Fair {
        key: &'static str,
    },
    Silent,
    Cut(Stage),
    Says(u16, String),
    /// The service's clock jumps, once, when the next call arrives.
    Jumps(TimeDelta),
}

struct World<C: Cloud> {
    client: C::Client,
    script: Arc<Script>,
    weather: Arc<Mutex<Weather>>,
    /// Requests for credentials.
    asked: Arc<AtomicUsize>,
    used: Arc<Mutex<Vec<String>>>,
}

impl<C: Cloud> World<C> {
    fn new(case: &Renewing<C>, weather: Weather, clock: DateTime<Utc>) -> Self {
        let weather = Arc::new(Mutex::new(weather));
        let asked = Arc::<AtomicUsize>::default();
        let used = Arc::<Mutex<Vec<String>>>::default();
        let script = Script::playing({
            let (weather, asked, used) = (weather.clone(), asked.clone(), used.clone());
            let give = case.give;
            move |request| {
                C::check(request);
                let weather = &mut *weather.lock().unwrap();
                if let Some(answer) = C::answer(request) {
                    used.lock().unwrap().push(C::sent_with(request));
                    if let Weather::Jumps(by) = *weather {
                        *weather = Weather::Silent;
                        return C::clock_refusal(request, wall() + by).or(Some(answer));
                    }
                    return Some(answer);
                }
                asked.fetch_add(1, Ordering::Relaxed);
                Some(match weather {
                    Weather::Fair { key } => give(request, key),
                    Weather::Silent | Weather::Jumps(_) => Step::Silence,
                    Weather::Cut(stage) => Step::Fail(*stage),
                    Weather::Says(status, text) => reply(*status, text.as_str()),
                })
            }
        });
        let clock = Clock::starting_at(clock);
        Self {
            client: C::client((case.source)(), &case.environment, &script, clock),
            script,
            weather,
            asked,
            used,
        }
    }

    fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap() = weather;
    }

    /// Requests for credentials since the last time.
    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }

    /// What calls were sent with since the last time.
    fn used(&self) -> Vec<String> {
        self.script.sent();
        std::mem::take(&mut self.used.lock().unwrap())
    }

    async fn call(&self) -> Result<(), Error> {
        C::call(&self.client).await
    }

    /// A call that fails for want of a credential, in the time that a source has.
    async fn fail(&self) -> Error {
        self.used();
        let start = monotonic();
        let error = self.call().await.unwrap_err();
        assert!(monotonic() - start <= Duration::from_secs(10), "{error}");
        assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
        assert_eq!(error.delivery(), Delivery::NotSent, "{error}");
        let shown = error.to_string();
        assert_eq!(shown.matches("no credential could be had: ").count(), 1);
        assert!(
            error
                .source()
                .is_none_or(|source| !shown.contains(&source.to_string()))
        );
        assert_error_is_silent(&error, &[MARKER]);
        assert!(self.used().is_empty(), "sent all the same");
        error
    }
}

const FAIR: Weather = Weather::Fair { key: "key-1" };
/// Longer than the longest pause after a failure that passes.
const SOON: Duration = Duration::from_secs(31);

/// Every source gets one credential for everyone, and another one at its end; lives through an
/// outage; is not put off by answers that mean nothing; asks again within seconds
/// where something is not ready; and does not depend on our clock.
pub(crate) async fn obey<C: Cloud>(cases: &[Renewing<C>]) {
    for case in cases {
        println!("{}", case.name);
        one_load_serves_everyone(case).await;
        an_outage_is_lived_through(case).await;
        what_cannot_be_read_passes(case).await;
        what_is_not_ready_is_asked_again_within_seconds(case).await;
        the_clock_does_not_matter(case).await;
    }
}

async fn one_load_serves_everyone<C: Cloud>(case: &Renewing<C>) {
    let world = World::new(case, FAIR, wall());
    world.call().await.unwrap();
    let requests = world.asked();
    assert!(requests > 0);
    assert_eq!(world.used(), ["key-1"]);
    sleep(Duration::from_secs(3600)).await;
    world.set(Weather::Fair { key: "key-2" });
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        calls.spawn(C::call(&world.client));
    }
    while let Some(outcome) = calls.join_next().await {
        outcome.unwrap().unwrap();
    }
    assert_eq!(world.asked(), requests);
    let used = world.used();
    assert!(used.len() == 1_000 && used.iter().all(|used| used == "key-2"));
}

async fn an_outage_is_lived_through<C: Cloud>(case: &Renewing<C>) {
    for outage in [
        Weather::Silent,
        Weather::Cut(Stage::Connect),
        Weather::Cut(Stage::Exchange),
        Weather::Says(500, MARKER.to_owned()),
        Weather::Says(429, MARKER.to_owned()),
    ] {
        let world = World::new(case, outage.clone(), wall());
        let error = world.fail().await;
        assert!(error.is_retryable(), "{error}");
        sleep(SOON).await;
        world.set(FAIR);
        world.call().await.unwrap();
        // Due for renewal, and good for the longest attempt still.
        world.set(outage);
        sleep(Duration::from_secs(3_250)).await;
        world.used();
        for _ in 0..3 {
            world.call().await.unwrap();
            sleep(Duration::from_secs(10)).await;
        }
        assert_eq!(world.used(), ["key-1"; 3]);
        sleep(Duration::from_secs(400)).await;
        world.fail().await;
        sleep(SOON).await;
        world.set(Weather::Fair { key: "key-2" });
        world.call().await.unwrap();
        assert_eq!(world.used(), ["key-2"]);
    }
}

async fn what_cannot_be_read_passes<C: Cloud>(case: &Renewing<C>) {
    for text in [
        String::new(),
        "[]".to_owned(),
        "null".to_owned(),
        "{}".to_owned(),
        format!("{{\"{MARKER}"),
        format!(r#"{{"Code":"Success","Credentials":"{MARKER}","credential":"{MARKER}"}}"#),
        format!(r#"{{"credentials":{{"access":["{MARKER}"]}},"token":{{"expires_at":0}}}}"#),
        "[".repeat(200),
    ] {
        let world = World::new(case, Weather::Says(200, text.clone()), wall());
        let error = world.fail().await;
        assert!(error.is_retryable(), "{text}: {error:?}");
        sleep(SOON).await;
        world.set(FAIR);
        world.call().await.unwrap();
    }
}

async fn what_is_not_ready_is_asked_again_within_seconds<C: Cloud>(case: &Renewing<C>) {
    for status in [403, 404] {
        // Whoever says 403 to a password may have looked at it.
        if status == 403 && case.name.contains("password") {
            continue;
        }
        let world = World::new(case, Weather::Says(status, MARKER.to_owned()), wall());
        assert!(!world.fail().await.is_retryable());
        world.asked();
        world.set(FAIR);
        for _ in 0..9 {
            world.fail().await;
        }
        assert_eq!(world.asked(), 0, "not once a call");
        sleep(Duration::from_secs(5)).await;
        world.call().await.unwrap();
        // A role that is removed later: its key is used to its end.
        world.set(Weather::Says(status, String::new()));
        sleep(Duration::from_secs(3_250)).await;
        world.call().await.unwrap();
        sleep(Duration::from_secs(400)).await;
        assert!(!world.fail().await.is_retryable());
    }
}

async fn the_clock_does_not_matter<C: Cloud>(case: &Renewing<C>) {
    let days = TimeDelta::days;
    for (off, jump) in [(days(0), days(3)), (days(2), days(0)), (days(-2), days(0))] {
        let world = World::new(case, FAIR, wall() + off);
        world.call().await.unwrap();
        world.set(Weather::Jumps(jump));
        for _ in 0..10 {
            sleep(Duration::from_secs(60)).await;
            world.call().await.unwrap();
        }
        assert!(world.used().iter().all(|used| used == "key-1"));
    }
}

/// What the user has set up.
pub(crate) type SetUp = fn(&Environment);

/// What a user named and cannot be used is the whole error: no other source stands in for it, and
/// nobody is asked but those who may be. Each case is a set-up and how its error begins.
pub(crate) async fn what_is_named_ends_the_chain<C: Cloud>(
    source: fn() -> Source<C>,
    cases: &[(SetUp, &str)],
    answers: fn(&HttpRequest) -> Option<Step>,
    may_ask: fn(&HttpRequest) -> bool,
) {
    for (set_up, why) in cases {
        let environment = Environment::fake(&[]);
        set_up(&environment);
        let script = Script::playing(answers);
        let client = C::client(source(), &environment, &script, Clock::starting_at(wall()));
        let error = C::call(&client).await.unwrap_err();
        let said = error.message();
        let start = format!("no credential could be had: {why}");
        let is_all = said.starts_with(&start) && !said.contains("not set up");
        assert!(is_all, "{said}");
        assert_eq!(error.to_string().matches(why).count(), 1, "{error}");
        let sent = script.sent();
        assert!(sent.iter().all(|(_, request)| may_ask(request)), "{why}");
    }
}

/// No source, lease, client, call or error shows a secret, nor does what a program logs at trace
/// level, whatever the answers are. `fixed` are sources that get nothing over the network.
pub(crate) async fn nothing_leaks<C: Cloud, const N: usize>(
    fixed: [(Environment, Source<C>); N],
    renewing: Vec<Renewing<C>>,
    context: fn(&Environment, &Arc<Script>) -> Context,
) {
    type Answer = fn(&HttpRequest) -> Option<Step>;
    let answers: [Answer; 5] = [
        |_| Some(reply(200, MARKER)),
        |_| {
            let body = json!({"Code": "Success", "Credentials": MARKER, "credential": MARKER});
            Some(reply(200, body.to_string()))
        },
        |_| Some(reply(500, MARKER)),
        // The words of a coded refusal are shown: the services do not put secrets there.
        |_| {
            Some(reply(
                403,
                r#"{"Code":"Forbidden","error_code":"FSS.0403"}"#,
            ))
        },
        |_| Some(Step::Silence),
    ];
    let log = Log::default();
    let _logging = log.start();
    let silent =
        |shown: &dyn fmt::Debug| assert_silent(&format!("{shown:?} {shown:#?}"), &[MARKER]);
    let give = renewing[0].give;
    let fair = move |request: &HttpRequest| {
        Some(C::answer(request).unwrap_or_else(|| give(request, "key")))
    };
    let renewing = renewing.into_iter();
    let renewing = renewing.map(|case| (case.environment, (case.source)(), true));
    let fixed = fixed.into_iter();
    let fixed = fixed.map(|(environment, source)| (environment, source, false));
    for (environment, source, is_served) in fixed.chain(renewing) {
        silent(&source);
        let mut scripts = vec![Script::playing(fair)];
        scripts.extend(answers.into_iter().map(Script::playing));
        for (i, script) in scripts.into_iter().enumerate() {
            match source.provide(&context(&environment, &script)).await {
                Ok(lease) => silent(&lease),
                Err(error) if i == 0 && is_served => panic!("{error}"),
                Err(error) => assert_error_is_silent(&error, &[MARKER]),
            }
            let clock = Clock::starting_at(wall());
            let client = C::client(source.clone(), &environment, &script, clock);
            if let Err(error) = C::call(&client).await {
                assert_error_is_silent(&error, &[MARKER]);
            }
            silent(&client);
        }
    }
    let logged = log.text();
    assert!(logged.contains("attempt failed"), "nothing was logged");
    assert_silent(&logged, &[MARKER]);
}
