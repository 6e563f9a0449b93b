//! The real clients against raw connections that are refused, stalled, cut and garbled.
//!
//! Each case is played for all three starts: what is known of the flow decides what is repeated.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(any(feature = "rustls", feature = "native-tls"))]
#[path = "support/authority.rs"]
mod authority;
#[path = "support/raw.rs"]
mod raw;

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use cloud_workflows::{
    BoxFuture, Delivery, Error, ErrorKind, RetryPolicy,
    alibaba::{self, Credentials, StartExecutionRequest, StartSyncExecutionRequest},
    huawei::{self, StartSyncWorkflowExecutionRequest, Token},
};
use raw::{ANSWER, PATIENCE, Peer, Server, reply};
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::mpsc,
    time::timeout,
};

const TOKEN: &str = "secret-of-the-token";
/// The attempts that the clients of these tests may make.
const ATTEMPTS: u32 = 3;

/// The three starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// Alibaba Cloud `StartSyncExecution`.
    Sync,
    /// Alibaba Cloud `StartExecution`, always under a name.
    Named,
    /// Huawei Cloud `sync-executions`.
    Workflow,
}

const STARTS: [Start; 3] = [Start::Sync, Start::Named, Start::Workflow];

/// What a client is set up with.
#[derive(Clone)]
struct Setup {
    connect_timeout: Duration,
    attempt_timeout: Duration,
    timeout: Duration,
    max_reply_bytes: usize,
    attempts: u32,
    http: Option<Arc<dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync>>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            attempt_timeout: PATIENCE,
            timeout: 10 * PATIENCE,
            max_reply_bytes: 16 * 1024 * 1024,
            attempts: ATTEMPTS,
            http: None,
        }
    }
}

impl Setup {
    /// Attempts that end soon, with time enough for a connect and an answer on a busy machine.
    fn impatient() -> Self {
        Self {
            connect_timeout: Duration::from_millis(1000),
            attempt_timeout: Duration::from_millis(1500),
            ..Self::default()
        }
    }

    /// Clients that start from a builder of the user's, by no proxy of the environment.
    fn with_http(
        with: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        Self {
            http: Some(Arc::new(move |http| with(http.no_proxy()))),
            ..Self::default()
        }
    }
}

/// One start by one client.
#[derive(Clone)]
enum Caller {
    Sync(alibaba::Client),
    Named(alibaba::Client),
    Workflow(huawei::Client),
}

impl Caller {
    fn new(start: Start, url: &str, setup: &Setup) -> Self {
        let retry = RetryPolicy::default()
            .max_attempts(setup.attempts)
            .initial_backoff(Duration::from_millis(1))
            .max_backoff(Duration::from_millis(2));
        macro_rules! built {
            ($builder:expr) => {{
                let mut builder = $builder
                    .endpoint(url)
                    .connect_timeout(setup.connect_timeout)
                    .attempt_timeout(setup.attempt_timeout)
                    .timeout(setup.timeout)
                    .max_reply_bytes(setup.max_reply_bytes)
                    .retry(retry);
                if let Some(http) = setup.http.clone() {
                    builder = builder.http(move |own| http(own));
                }
                builder.build().unwrap()
            }};
        }
        let key = Credentials::new("id", "secret");
        match start {
            Start::Sync => Self::Sync(built!(alibaba::Client::builder().credentials(key))),
            Start::Named => Self::Named(built!(alibaba::Client::builder().credentials(key))),
            Start::Workflow => Self::Workflow(built!(
                huawei::Client::builder()
                    .credentials(Token::new(TOKEN))
                    .project_id("project")
                    .iam_endpoint(url)
            )),
        }
    }

    /// Starts a flow once; gives the number of attempts. The mark stands in the request's body.
    fn start(&self, mark: &str) -> BoxFuture<'static, Result<u32, Error>> {
        self.start_with(mark, format!(r#"{{"mark": "{mark}"}}"#))
    }

    fn start_with(&self, name: &str, input: String) -> BoxFuture<'static, Result<u32, Error>> {
        match self {
            Self::Sync(client) => {
                let request = StartSyncExecutionRequest::new("flow").execution_name(name);
                let call = client.start_sync_execution(request.input_json(input));
                Box::pin(async { Ok(call.send_for_response().await?.attempts()) })
            }
            Self::Named(client) => {
                let request = StartExecutionRequest::new("flow").execution_name(name);
                let call = client.start_execution(request.input_json(input));
                Box::pin(async { Ok(call.send_for_response().await?.attempts()) })
            }
            Self::Workflow(client) => {
                let request = StartSyncWorkflowExecutionRequest::new("flow").input_json(input);
                let call = client.start_sync_workflow_execution(request);
                Box::pin(async { Ok(call.send_for_response().await?.attempts()) })
            }
        }
    }
}

/// What became of a call, and what its server saw.
#[derive(Debug)]
struct Outcome {
    start: Start,
    result: Result<u32, Error>,
    connections: usize,
    requests: Vec<String>,
}

impl Outcome {
    #[track_caller]
    fn failed(&self, kind: ErrorKind, delivery: Delivery, attempts: u32, requests: usize) {
        let start = self.start;
        let error = self.result.as_ref().unwrap_err();
        assert_eq!(error.kind(), kind, "{start:?}: {error:?}");
        assert_eq!(error.delivery(), delivery, "{start:?}: {error:?}");
        let may_have_started = delivery >= Delivery::Unknown;
        assert_eq!(error.may_have_started(), may_have_started, "{start:?}");
        assert_eq!(error.attempts(), attempts, "{start:?}: {error:?}");
        assert_eq!(self.requests.len(), requests, "{start:?}: requests");
        let named = (start != Start::Workflow).then_some("mark-1");
        assert_eq!(error.execution_name(), named, "{start:?}");
    }

    #[track_caller]
    fn succeeded(&self, attempts: u32, requests: usize) {
        let start = self.start;
        assert_eq!(*self.result.as_ref().unwrap(), attempts, "{start:?}");
        assert_eq!(self.requests.len(), requests, "{start:?}: requests");
        for request in &self.requests {
            assert!(request.contains("mark-1"), "{start:?}: {request}");
        }
    }

    /// The first attempt was lost this way, after this many whole requests (0 or 1): only the
    /// start under a name is repeated, and succeeds.
    #[track_caller]
    fn lost(&self, kind: ErrorKind, delivery: Delivery, requests: usize) {
        match self.start {
            Start::Named => {
                self.succeeded(2, requests + 1);
                assert_eq!(self.connections, 2);
            }
            Start::Sync | Start::Workflow => {
                self.failed(kind, delivery, 1, requests);
                assert_eq!(self.connections, 1, "{:?}", self.start);
            }
        }
    }
}

/// Makes each start once, at a server of its own that plays this script.
async fn each<F, Played>(setup: &Setup, scheme: &str, input: &str, script: F) -> Vec<Outcome>
where
    F: Fn(Peer) -> Played + Clone + Send + 'static,
    Played: Future<Output = ()> + Send + 'static,
{
    let mut outcomes = Vec::new();
    for start in STARTS {
        let script = script.clone();
        let server = Server::start_narrow(script);
        let caller = Caller::new(start, &server.url(scheme), setup);
        let input = input.to_owned();
        outcomes.push(tokio::spawn(async move {
            let result = timeout(4 * PATIENCE, caller.start_with("mark-1", input)).await;
            Outcome {
                start,
                result: result.unwrap(),
                connections: server.connections(),
                requests: server.requests(),
            }
        }));
    }
    let mut done = Vec::new();
    for outcome in outcomes {
        done.push(outcome.await.unwrap());
    }
    done
}

/// The first connection goes wrong, the others serve.
async fn first_wrong<F, Played>(setup: Setup, wrong: F) -> Vec<Outcome>
where
    F: Fn(Peer) -> Played + Clone + Send + Sync + 'static,
    Played: Future<Output = ()> + Send + 'static,
{
    first_wrong_with(setup, small_input(), wrong).await
}

async fn first_wrong_with<F, Played>(setup: Setup, input: String, wrong: F) -> Vec<Outcome>
where
    F: Fn(Peer) -> Played + Clone + Send + Sync + 'static,
    Played: Future<Output = ()> + Send + 'static,
{
    each(&setup, "http", &input, move |peer| {
        let wrong = wrong.clone();
        async move {
            match peer.number {
                0 => wrong(peer).await,
                _ => peer.serve().await,
            }
        }
    })
    .await
}

/// The first connection answers with these bytes and is then closed.
async fn first_answers(setup: Setup, bytes: impl Into<Vec<u8>>) -> Vec<Outcome> {
    let bytes: Arc<[u8]> = bytes.into().into();
    first_wrong(setup, move |mut peer| {
        let bytes = bytes.clone();
        async move {
            peer.request().await;
            peer.send(&bytes).await;
            peer.finish().await;
            // Closed with bytes unread, it would be a reset, which may overtake the answer.
            peer.gone().await;
        }
    })
    .await
}

// No connection.

/// Knows no name.
struct Nowhere;

impl reqwest::dns::Resolve for Nowhere {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async { Err("no such host".into()) })
    }
}

#[tokio::test]
async fn a_refused_connection_is_not_sent_and_repeated() {
    // Bound and not listening: nobody else gets the port, and nobody answers.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    for start in STARTS {
        let result = Caller::new(start, &url, &Setup::default()).start("mark-1");
        let outcome = Outcome {
            start,
            result: result.await,
            connections: 0,
            requests: Vec::new(),
        };
        outcome.failed(ErrorKind::Connect, Delivery::NotSent, ATTEMPTS, 0);
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_not_sent_and_repeated() {
    let setup = Setup::with_http(|http| http.dns_resolver(Arc::new(Nowhere)));
    for start in STARTS {
        let result = Caller::new(start, "http://service.localhost", &setup).start("mark-1");
        let outcome = Outcome {
            start,
            result: result.await,
            connections: 0,
            requests: Vec::new(),
        };
        outcome.failed(ErrorKind::Connect, Delivery::NotSent, ATTEMPTS, 0);
    }
}

#[tokio::test]
async fn a_start_refused_at_first_runs_once_its_server_listens() {
    /// Begins to listen when it is asked the second time.
    #[derive(Default)]
    struct Late {
        asked: AtomicUsize,
        socket: Mutex<Option<TcpSocket>>,
        server: Mutex<Option<Server>>,
    }
    #[derive(Clone)]
    struct Resolver(Arc<Late>);
    impl reqwest::dns::Resolve for Resolver {
        fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
            if self.0.asked.fetch_add(1, Ordering::SeqCst) == 1 {
                let socket = self.0.socket.lock().unwrap().take().unwrap();
                let server = Server::on(socket.listen(16).unwrap(), Peer::serve);
                *self.0.server.lock().unwrap() = Some(server);
            }
            let address = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
            Box::pin(async move { Ok(Box::new(std::iter::once(address)) as reqwest::dns::Addrs) })
        }
    }
    for start in STARTS {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let port = socket.local_addr().unwrap().port();
        let late = Arc::new(Late {
            socket: Mutex::new(Some(socket)),
            ..Late::default()
        });
        let resolver = Resolver(late.clone());
        let setup = Setup::with_http(move |http| http.dns_resolver(Arc::new(resolver.clone())));
        let url = format!("http://service.localhost:{port}");
        let result = Caller::new(start, &url, &setup).start("mark-1").await;
        assert_eq!(result.unwrap(), 2, "{start:?}");
        let server = late.server.lock().unwrap().take().unwrap();
        assert_eq!(server.requests().len(), 1, "{start:?}");
    }
}

/// On Linux, a listener whose queue is full drops further handshakes.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_handshake_that_never_ends_is_not_sent() {
    let (address, _full) = full_listener().await;
    let setup = Setup {
        connect_timeout: Duration::from_millis(300),
        // The user's own limit is not ours.
        ..Setup::with_http(|http| http.connect_timeout(10 * PATIENCE))
    };
    let url = format!("http://{address}");
    for start in STARTS {
        let result = Caller::new(start, &url, &setup).start("mark-1");
        let outcome = Outcome {
            start,
            result: timeout(PATIENCE, result).await.unwrap(),
            connections: 0,
            requests: Vec::new(),
        };
        outcome.failed(ErrorKind::Connect, Delivery::NotSent, ATTEMPTS, 0);
    }
}

// Cut.

/// Accepts no connection as long as it is held.
#[cfg(target_os = "linux")]
async fn full_listener() -> (std::net::SocketAddr, impl Sized) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut connecting = tokio::task::JoinSet::new();
    for _ in 0..8 {
        connecting.spawn(TcpStream::connect(address));
    }
    // Those that came in fill the queue for as long as they are held, and nobody accepts.
    let mut connected = Vec::new();
    while let Ok(Some(stream)) = timeout(Duration::from_millis(300), connecting.join_next()).await {
        connected.push(stream.unwrap().unwrap());
    }
    assert!(!connected.is_empty() && connected.len() < 8, "a full queue");
    (address, (listener, connecting, connected))
}

/// The call's own limit may end before the connect limit does.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_call_that_ends_before_it_was_connected_is_not_sent() {
    let (address, _full) = full_listener().await;
    let setup = Setup {
        timeout: Duration::from_millis(300),
        ..Setup::default()
    };
    let url = format!("http://{address}");
    for start in STARTS {
        let result = Caller::new(start, &url, &setup).start("mark-1");
        let outcome = Outcome {
            start,
            result: timeout(PATIENCE, result).await.unwrap(),
            connections: 0,
            requests: Vec::new(),
        };
        outcome.failed(ErrorKind::Timeout, Delivery::NotSent, 1, 0);
        let text = outcome.result.unwrap_err().to_string();
        assert!(
            text.contains(&format!("no connection to {address}")),
            "{text}"
        );
    }
}

/// The same limit says nothing of a call that was connected.
#[tokio::test]
async fn a_call_that_ends_after_it_was_connected_is_unknown() {
    let setup = Setup {
        timeout: Duration::from_millis(900),
        ..Setup::default()
    };
    let outcomes = each(&setup, "http", "{}", |mut peer| async move {
        peer.request().await;
        peer.stall().await;
    });
    for outcome in outcomes.await {
        outcome.failed(ErrorKind::Timeout, Delivery::Unknown, 1, 1);
    }
    // Over a connection that was there before, none is made.
    let server = Server::start_narrow(|mut peer: Peer| async move {
        peer.request().await;
        peer.send(&reply("200 OK", "", ANSWER)).await;
        peer.request().await;
        peer.stall().await;
    });
    for start in STARTS {
        let caller = Caller::new(start, &server.url("http"), &setup);
        caller.start("mark-0").await.unwrap();
        let error = caller.start("mark-1").await.unwrap_err();
        assert_eq!(error.delivery(), Delivery::Unknown, "{start:?}: {error:?}");
    }
}

#[tokio::test]
async fn an_error_says_where_it_could_not_connect_and_why() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    let refused = (format!("http://{address}"), address.to_string(), "refused");
    let setup = Setup::with_http(|http| http.dns_resolver(Arc::new(Nowhere)));
    let unknown = (
        "https://service.localhost".to_owned(),
        "service.localhost:443".to_owned(),
        "no such host",
    );
    for (url, place, why) in [refused, unknown] {
        let setup = Setup {
            attempts: 1,
            ..setup.clone()
        };
        let error = Caller::new(Start::Sync, &url, &setup)
            .start("mark-1")
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&place) && text.contains(why), "{text}");
        assert!(text.len() < 512 && !text.contains('\n'), "{text}");
        // A program that prints the causes as well says nothing twice.
        assert!(std::error::Error::source(&error).is_none(), "{error:?}");
        assert_eq!(text.matches(why).count(), 1, "{text}");
    }
}

/// TLS to a plain port.
#[tokio::test]
async fn an_error_says_that_a_port_does_not_speak_tls() {
    let setup = Setup {
        attempts: 1,
        ..Setup::default()
    };
    for says in [
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "220 mail ready\r\n",
    ] {
        let outcomes = each(&setup, "https", "{}", move |mut peer| async move {
            peer.first_bytes().await;
            peer.send(says).await;
            peer.stall().await;
        });
        for outcome in outcomes.await {
            outcome.failed(ErrorKind::Connect, Delivery::NotSent, 1, 0);
            let text = outcome.result.unwrap_err().to_string();
            assert!(text.contains("does not speak TLS"), "{text}");
        }
    }
}

fn small_input() -> String {
    r#"{"mark": "mark-1"}"#.to_owned()
}

/// An input that fits no buffer on its way.
fn large_input() -> String {
    format!(
        r#"{{"mark": "mark-1", "large": "{}"}}"#,
        "x".repeat(900_000)
    )
}

#[tokio::test]
async fn a_connection_reset_while_writing_is_unknown() {
    let outcomes = first_wrong_with(Setup::default(), large_input(), async |mut peer: Peer| {
        peer.first_bytes().await;
        peer.reset();
    });
    for outcome in outcomes.await {
        outcome.lost(ErrorKind::Transport, Delivery::Unknown, 0);
    }
}

#[tokio::test]
async fn a_connection_closed_while_writing_is_unknown() {
    let outcomes = first_wrong_with(Setup::default(), large_input(), async |mut peer: Peer| {
        peer.first_bytes().await;
        peer.finish().await;
        peer.gone().await;
    });
    for outcome in outcomes.await {
        outcome.lost(ErrorKind::Transport, Delivery::Unknown, 0);
    }
}

#[tokio::test]
async fn a_connection_cut_unread_is_unknown() {
    // Accepted and closed: the client cannot know that nothing was read.
    for outcome in first_wrong(Setup::default(), async |peer: Peer| drop(peer)).await {
        outcome.lost(ErrorKind::Transport, Delivery::Unknown, 0);
    }
}

#[tokio::test]
async fn a_connection_cut_after_the_request_is_unknown() {
    let closed = first_wrong(Setup::default(), async |mut peer: Peer| {
        peer.request().await;
    });
    let reset = first_wrong(Setup::default(), async |mut peer: Peer| {
        peer.request().await;
        peer.reset();
    });
    for outcome in closed.await.into_iter().chain(reset.await) {
        outcome.lost(ErrorKind::Transport, Delivery::Unknown, 1);
    }
}

#[tokio::test]
async fn half_a_head_is_unknown() {
    for head in ["H", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Len"] {
        for outcome in first_answers(Setup::default(), head).await {
            outcome.lost(ErrorKind::Transport, Delivery::Unknown, 1);
        }
    }
}

#[tokio::test]
async fn half_a_body_of_a_success_is_accepted() {
    let whole = reply("200 OK", "", ANSWER);
    let head = whole.len() - ANSWER.len();
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for cut in [
        whole[..head].to_owned(),
        whole[..head + ANSWER.len() / 2].to_owned(),
        whole[..whole.len() - 1].to_owned(),
        chunked.to_owned(),
        format!("{chunked}{:x}\r\n{ANSWER}\r\n", ANSWER.len()),
        format!("{chunked}zz\r\n{ANSWER}\r\n0\r\n\r\n"),
    ] {
        for outcome in first_answers(Setup::default(), cut).await {
            outcome.lost(ErrorKind::Transport, Delivery::Accepted, 1);
            if let Err(error) = &outcome.result {
                assert_eq!(error.status().unwrap(), 200);
            }
        }
    }
}

/// Without a length, only the body itself shows that it was cut.
#[tokio::test]
async fn half_a_body_without_a_length_is_accepted() {
    let cut = format!("HTTP/1.1 200 OK\r\n\r\n{}", &ANSWER[..ANSWER.len() / 2]);
    for outcome in first_answers(Setup::default(), cut).await {
        outcome.lost(ErrorKind::Decode, Delivery::Accepted, 1);
    }
}

#[tokio::test]
async fn half_a_body_of_a_refusal_refuses_nothing() {
    let body = r#"{"Code": "FlowNotExists", "error_code": "FSS.0404", "Message": ""#;
    let cut = |status: &str| {
        let whole = reply(status, "", &format!("{body}{body}"));
        whole[..whole.len() - body.len()].to_owned()
    };
    for outcome in first_answers(Setup::default(), cut("500 Internal Server Error")).await {
        outcome.lost(ErrorKind::Transport, Delivery::Unknown, 1);
    }
    for outcome in first_answers(Setup::default(), cut("404 Not Found")).await {
        outcome.failed(ErrorKind::Transport, Delivery::Unknown, 1, 1);
    }
}

// Stalled.

#[tokio::test]
async fn a_silence_before_the_head_is_unknown() {
    let outcomes = first_wrong(Setup::impatient(), async |mut peer: Peer| {
        peer.request().await;
        peer.stall().await;
    });
    for outcome in outcomes.await {
        outcome.lost(ErrorKind::Timeout, Delivery::Unknown, 1);
    }
}

#[tokio::test]
async fn a_silence_in_the_head_is_unknown() {
    let outcomes = first_wrong(Setup::impatient(), async |mut peer: Peer| {
        peer.request().await;
        peer.send("HTTP/1.1 200 OK\r\nContent-").await;
        peer.stall().await;
    });
    for outcome in outcomes.await {
        outcome.lost(ErrorKind::Timeout, Delivery::Unknown, 1);
    }
}

#[tokio::test]
async fn a_request_that_nobody_reads_is_unknown() {
    let outcomes = first_wrong_with(Setup::impatient(), large_input(), async |peer: Peer| {
        peer.stall().await;
    });
    for outcome in outcomes.await {
        outcome.lost(ErrorKind::Timeout, Delivery::Unknown, 0);
    }
}

#[tokio::test]
async fn a_silence_in_the_body_of_a_success_is_accepted() {
    let outcomes = first_wrong(Setup::impatient(), async |mut peer: Peer| {
        peer.request().await;
        let whole = reply("200 OK", "", ANSWER);
        peer.send(&whole[..whole.len() - 9]).await;
        peer.stall().await;
    });
    for outcome in outcomes.await {
        outcome.lost(ErrorKind::Timeout, Delivery::Accepted, 1);
    }
}

/// A limit on the attempt, not on the silence: a trickle does not prolong it.
#[tokio::test]
async fn a_body_that_trickles_runs_out_of_time() {
    let outcomes = first_wrong(Setup::impatient(), async |mut peer: Peer| {
        peer.request().await;
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            .await;
        loop {
            peer.send(" ").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    for outcome in outcomes.await {
        outcome.lost(ErrorKind::Timeout, Delivery::Accepted, 1);
    }
}

// Connections that were used before.

/// How many rounds the races are run.
const ROUNDS: usize = 500;

/// Serves until a cut is asked for, then closes at the first bytes of a request; each time in
/// another of four ways.
#[derive(Clone, Default)]
struct Cutting {
    armed: Arc<AtomicBool>,
    cuts: Arc<AtomicUsize>,
    /// How many cuts met a connection that had served before.
    reused: Arc<AtomicUsize>,
}

impl Cutting {
    async fn play(self, mut peer: Peer) {
        let mut served = 0;
        while peer.first_bytes().await {
            if self.armed.swap(false, Ordering::SeqCst) {
                self.reused.fetch_add(served.min(1), Ordering::SeqCst);
                match self.cuts.fetch_add(1, Ordering::SeqCst) % 4 {
                    // With bytes unread, the close is a reset.
                    0 => {}
                    1 => {
                        peer.request().await;
                    }
                    2 => {
                        peer.request().await;
                        peer.reset();
                    }
                    _ => {
                        peer.finish().await;
                        peer.gone().await;
                    }
                }
                return;
            }
            peer.request().await;
            peer.send(reply("200 OK", "", ANSWER)).await;
            served += 1;
        }
    }
}

#[tokio::test]
async fn a_named_start_survives_used_connections_that_close_under_it() {
    let cutting = Cutting::default();
    let playing = cutting.clone();
    let server = Server::start(move |peer| playing.clone().play(peer)).await;
    let mut client = None;
    for round in 0..ROUNDS {
        if round % 10 == 0 {
            // A client that only ever meets cuts would run out of its budget of repeats.
            let url = server.url("http");
            match Caller::new(Start::Named, &url, &Setup::default()) {
                Caller::Named(fresh) => client = Some(fresh),
                _ => unreachable!(),
            }
        }
        let client = client.as_ref().unwrap();
        let call = || client.start_execution(StartExecutionRequest::new("flow"));
        call().send().await.unwrap();
        let before = server.requests().len();

        cutting.armed.store(true, Ordering::SeqCst);
        let call = call();
        let name = call.execution_name().unwrap().to_owned();
        let started = timeout(PATIENCE, call.send_for_response()).await.unwrap();
        assert_eq!(started.unwrap().attempts(), 2, "round {round}");
        let requests = server.requests().split_off(before);
        assert!((1..=2).contains(&requests.len()), "round {round}");
        for request in requests {
            assert!(request.contains(&format!("ExecutionName={name}&")));
        }
    }
    assert_eq!(cutting.cuts.load(Ordering::SeqCst), ROUNDS);
    let reused = cutting.reused.load(Ordering::SeqCst);
    println!("{reused} of {ROUNDS} cuts met a used connection");
    assert!(reused > ROUNDS / 2, "{reused} cuts met a used connection");
}

async fn used_connections_close_under(start: Start) {
    let cutting = Cutting::default();
    let playing = cutting.clone();
    let server = Server::start(move |peer| playing.clone().play(peer)).await;
    let caller = Caller::new(start, &server.url("http"), &Setup::default());
    for round in 0..ROUNDS {
        let served = format!("served-{round}-mark");
        assert_eq!(caller.start(&served).await.unwrap(), 1);

        cutting.armed.store(true, Ordering::SeqCst);
        let cut = format!("cut-{round}-mark");
        let error = timeout(PATIENCE, caller.start(&cut)).await.unwrap();
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "round {round}");
        assert_eq!(error.delivery(), Delivery::Unknown, "round {round}");
        assert!(error.may_have_started());
        assert_eq!(error.attempts(), 1, "round {round}");
    }
    let requests = server.requests();
    let seen = |mark: &str| requests.iter().filter(|text| text.contains(mark)).count();
    for round in 0..ROUNDS {
        assert_eq!(seen(&format!("served-{round}-mark")), 1);
        assert!(seen(&format!("cut-{round}-mark")) <= 1, "round {round}");
    }
    assert_eq!(cutting.cuts.load(Ordering::SeqCst), ROUNDS);
    let reused = cutting.reused.load(Ordering::SeqCst);
    println!("{reused} of {ROUNDS} cuts met a used connection");
    assert!(reused > ROUNDS / 2, "{reused} cuts met a used connection");
}

#[tokio::test]
async fn a_synchronous_start_is_never_sent_twice_over_used_connections() {
    used_connections_close_under(Start::Sync).await;
}

#[tokio::test]
async fn a_workflow_is_never_sent_twice_over_used_connections() {
    used_connections_close_under(Start::Workflow).await;
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_not_used_again() {
    for start in STARTS {
        let (closed, mut was_closed) = mpsc::unbounded_channel();
        let server = Server::start(move |mut peer| {
            let closed = closed.clone();
            async move {
                peer.request().await;
                peer.send(reply("200 OK", "", ANSWER)).await;
                peer.finish().await;
                // The client's own close shows that it has noticed.
                peer.gone().await;
                closed.send(()).unwrap();
            }
        })
        .await;
        let caller = Caller::new(start, &server.url("http"), &Setup::default());
        for round in 0..50 {
            let mark = format!("idle-{round}-mark");
            assert_eq!(caller.start(&mark).await.unwrap(), 1, "{start:?}");
            let seen = server.requests();
            assert_eq!(seen.len(), round + 1, "{start:?}");
            assert!(seen[round].contains(&mark));
            timeout(PATIENCE, was_closed.recv()).await.unwrap().unwrap();
        }
    }
}

/// The close races with the next request, on two threads: whatever wins, nothing goes out twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_that_races_with_the_next_request_starts_nothing_twice() {
    for start in STARTS {
        let server = Server::start(|mut peer| async move {
            peer.request().await;
            peer.send(reply("200 OK", "", ANSWER)).await;
        })
        .await;
        let mut caller = Caller::new(start, &server.url("http"), &Setup::default());
        let mut lost = 0;
        for round in 0..ROUNDS {
            if start == Start::Named && round % 10 == 0 {
                caller = Caller::new(start, &server.url("http"), &Setup::default());
            }
            let result = caller.start(&format!("race-{round}-mark")).await;
            lost += usize::from(!matches!(result, Ok(1)));
            match (start, result) {
                (Start::Named, result) => assert!(result.unwrap() <= ATTEMPTS),
                (_, Ok(attempts)) => assert_eq!(attempts, 1),
                (_, Err(error)) => {
                    assert_eq!(error.delivery(), Delivery::Unknown);
                    assert_eq!(error.attempts(), 1);
                }
            }
        }
        let requests = server.requests();
        println!("{start:?}: the close won {lost} of {ROUNDS} times");
        for round in 0..ROUNDS {
            let mark = format!("race-{round}-mark");
            let seen = requests.iter().filter(|text| text.contains(&mark)).count();
            assert!(seen <= 1, "{start:?}: {mark} was seen {seen} times");
        }
    }
}

// Answers that are none.

#[tokio::test]
async fn an_oversized_body_is_too_large_and_not_asked_for_again() {
    let setup = Setup {
        max_reply_bytes: 1000,
        ..Setup::default()
    };
    let padded = |length: usize| format!("{ANSWER}{}", " ".repeat(length - ANSWER.len()));
    let chunks = |chunk: &str, count: usize| {
        let chunk = format!("{:x}\r\n{chunk}\r\n", chunk.len());
        let chunks = chunk.repeat(count);
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
    };
    for oversized in [
        reply("200 OK", "", &padded(1001)),
        "HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999\r\n\r\n".to_owned(),
        chunks(&padded(1001), 1),
        chunks(&padded(501), 2),
        chunks(&padded(500), 100_000),
        format!("HTTP/1.1 200 OK\r\n\r\n{}", padded(1001)),
    ] {
        for outcome in first_answers(setup.clone(), oversized).await {
            outcome.failed(ErrorKind::TooLarge, Delivery::Accepted, 1, 1);
            assert_eq!(outcome.result.unwrap_err().status().unwrap(), 200);
        }
    }
    for fitting in [reply("200 OK", "", &padded(1000)), chunks(&padded(1000), 1)] {
        for outcome in first_answers(setup.clone(), fitting).await {
            outcome.succeeded(1, 1);
        }
    }
    let unavailable = reply("503 Service Unavailable", "", &padded(1001));
    for outcome in first_answers(setup.clone(), unavailable).await {
        outcome.lost(ErrorKind::TooLarge, Delivery::Unknown, 1);
    }
    let not_found = reply("404 Not Found", "", &padded(1001));
    for outcome in first_answers(setup.clone(), not_found).await {
        outcome.failed(ErrorKind::TooLarge, Delivery::Unknown, 1, 1);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_takes_no_token_along() {
    let following = reqwest::redirect::Policy::limited;
    let followed = Setup::with_http(move |http| http.redirect(following(10)));
    let elsewhere = Server::start(Peer::serve).await;
    for setup in [Setup::default(), followed] {
        for status in [
            "301 Moved",
            "302 Found",
            "303 See Other",
            "307 Temporary",
            "308 Permanent",
        ] {
            let headers = format!("Location: {}/\r\n", elsewhere.url("http"));
            for outcome in first_answers(setup.clone(), reply(status, &headers, "")).await {
                outcome.failed(ErrorKind::Service, Delivery::Unknown, 1, 1);
                if outcome.start == Start::Workflow {
                    let sent = &outcome.requests[0];
                    assert!(sent.contains(TOKEN), "the first server gets it: {sent}");
                }
            }
        }
    }
    assert_eq!(
        elsewhere.connections(),
        0,
        "nothing follows, no token either"
    );
    assert_eq!(elsewhere.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_unknown() {
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(2_000_000));
    for garbage in [
        "<html>HTTP/0.9 says no more than this</html>\r\n".as_bytes(),
        b"\0\x01\x02\xff\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        endless.as_bytes(),
    ] {
        for outcome in first_answers(Setup::default(), garbage).await {
            outcome.lost(ErrorKind::Transport, Delivery::Unknown, 1);
        }
    }
}

/// A user's function that switches off whatever ours relies on.
fn undoing() -> Setup {
    Setup::with_http(|http| {
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("accept-encoding", "gzip, br".parse().unwrap());
        http.default_headers(headers)
            .user_agent("mine")
            .https_only(true)
            .referer(true)
            .connection_verbose(true)
            .http1_max_headers(10)
            .http1_allow_obsolete_multiline_headers_in_responses(false)
            .http1_allow_spaces_after_header_name_in_responses(false)
            .timeout(Duration::from_nanos(1))
            .read_timeout(Duration::from_nanos(1))
    })
}

#[tokio::test]
async fn an_answer_is_read_whatever_its_headers_look_like() {
    let many = |number: usize| -> String {
        let header = |number| format!("X-Hop-{number}: v\r\n");
        (0..number).map(header).collect()
    };
    for headers in [
        "X-Policy: one;\r\n  two\r\n".to_owned(),
        "X-Policy:\r\n\tone\r\n \r\n\t two\r\n".to_owned(),
        "X-Policy : one\r\n".to_owned(),
        "Content-Type \t: application/json\r\n".to_owned(),
        many(150),
        many(240),
    ] {
        for setup in [Setup::default(), undoing()] {
            for outcome in first_answers(setup, reply("200 OK", &headers, ANSWER)).await {
                outcome.succeeded(1, 1);
            }
        }
    }
}

/// Gateways compress where a request says nothing of encodings, and the answer is lost.
#[tokio::test]
async fn nobody_is_asked_to_compress() {
    for setup in [Setup::default(), undoing()] {
        for outcome in first_answers(setup, reply("200 OK", "", ANSWER)).await {
            outcome.succeeded(1, 1);
            let request = outcome.requests[0].to_ascii_lowercase();
            let lines = || {
                request
                    .lines()
                    .filter(|line| line.starts_with("accept-encoding"))
            };
            assert_eq!(lines().collect::<Vec<_>>(), ["accept-encoding: identity"]);
            assert!(
                request.contains("\r\nuser-agent: cloud-workflows/"),
                "{request}"
            );
            assert!(!request.contains("referer"), "{request}");
        }
    }
}

#[tokio::test]
async fn an_answer_before_the_request_s_end_is_an_answer() {
    let body =
        r#"{"Code": "Unheard", "RequestId": "r", "error_code": "FSS.9999", "Message": "too much"}"#;
    let outcomes = first_wrong_with(
        Setup::default(),
        large_input(),
        move |mut peer| async move {
            peer.first_bytes().await;
            peer.send(reply("413 Content Too Large", "", body)).await;
            peer.finish().await;
            peer.gone().await;
        },
    );
    for outcome in outcomes.await {
        outcome.failed(ErrorKind::TooLarge, Delivery::Refused, 1, 0);
    }
}

// Dropped calls.

/// Drops a call once its server has got so far, and waits until the server sees it close.
async fn dropped<F, Played>(start: Start, setup: &Setup, scheme: &str, input: String, until: F)
where
    F: Fn(Peer) -> Played + Clone + Send + 'static,
    Played: Future<Output = Peer> + Send + 'static,
{
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = Server::start_narrow(move |peer| {
        let (tell, played) = (tell.clone(), until(peer));
        async move {
            let peer = played.await;
            tell.send("reached").unwrap();
            peer.gone().await;
            tell.send("gone").unwrap();
        }
    });
    let caller = Caller::new(start, &server.url(scheme), setup);
    let call = tokio::spawn(caller.start_with("mark-1", input));
    let next = timeout(PATIENCE, told.recv()).await.unwrap();
    assert_eq!(next, Some("reached"), "{start:?}");
    call.abort();
    let next = timeout(PATIENCE, told.recv()).await;
    assert_eq!(next.unwrap(), Some("gone"), "{start:?}");
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(server.connections(), 1, "{start:?}");
    // The client lives on: it is the call that closed the connection.
    drop(caller);
}

/// With limits that no test waits for: it is the drop that closes the connection.
fn unlimited() -> Setup {
    Setup {
        attempt_timeout: 5 * PATIENCE,
        connect_timeout: 5 * PATIENCE,
        ..Setup::default()
    }
}

#[tokio::test]
async fn dropping_a_call_closes_its_connection() {
    for start in STARTS {
        // While it writes.
        dropped(
            start,
            &unlimited(),
            "http",
            large_input(),
            async |mut peer: Peer| {
                peer.first_bytes().await;
                peer
            },
        )
        .await;
        // Before the head.
        dropped(
            start,
            &unlimited(),
            "http",
            small_input(),
            async |mut peer: Peer| {
                peer.request().await;
                peer
            },
        )
        .await;
        // In the head.
        dropped(
            start,
            &unlimited(),
            "http",
            small_input(),
            async |mut peer: Peer| {
                peer.request().await;
                peer.send("HTTP/1.1 200 OK\r\nContent-").await;
                peer
            },
        )
        .await;
        // In the body: more than fits buffers, so the client is reading it.
        dropped(
            start,
            &unlimited(),
            "http",
            small_input(),
            async |mut peer: Peer| {
                peer.request().await;
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 16000000\r\n\r\n")
                    .await;
                peer.send(vec![b' '; 15_000_000]).await;
                peer
            },
        )
        .await;
    }
}

#[tokio::test]
async fn a_call_after_a_dropped_one_has_a_connection_of_its_own() {
    for start in STARTS {
        let (tell, mut told) = mpsc::unbounded_channel();
        let server = Server::start(move |mut peer| {
            let tell = tell.clone();
            async move {
                if peer.number > 0 {
                    return peer.serve().await;
                }
                peer.request().await;
                tell.send(()).unwrap();
                peer.gone().await;
            }
        })
        .await;
        let caller = Caller::new(start, &server.url("http"), &unlimited());
        let call = tokio::spawn(caller.start("dropped-mark"));
        timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
        call.abort();
        assert_eq!(caller.start("next-mark").await.unwrap(), 1);
        let requests = server.requests();
        assert_eq!(requests.len(), 2, "{start:?}");
        assert!(requests[0].contains("dropped-mark"));
        assert!(requests[1].contains("next-mark"));
    }
}

// Keep-alive.

/// What the kernel's timer of an established connection is for, and when it fires, in seconds.
#[cfg(target_os = "linux")]
fn timer(local: std::net::SocketAddr, remote: std::net::SocketAddr) -> Option<(u8, f64)> {
    let port = |address: &str| u16::from_str_radix(address.rsplit_once(':')?.1, 16).ok();
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let ends = (port(fields[1])?, port(fields[2])?);
        let (kind, when) = fields[5].split_once(':')?;
        // In hundredths of a second, whatever the kernel's own tick.
        let when = u32::from_str_radix(when, 16).ok()?;
        (ends == (local.port(), remote.port()))
            .then_some((kind.parse().ok()?, f64::from(when) / 100.0))
    })
}

/// A silent flow of five minutes outlives what forgets silent connections.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_waiting_connection_is_kept_alive() {
    let never = Setup::with_http(|http| {
        http.tcp_keepalive(None)
            .tcp_keepalive_interval(None)
            .tcp_keepalive_retries(None)
    });
    for http in [None, never.http] {
        for start in STARTS {
            let (tell, mut told) = mpsc::unbounded_channel();
            let server = Server::start(move |mut peer| {
                let tell = tell.clone();
                async move {
                    peer.request().await;
                    let ends = (peer.stream.peer_addr(), peer.stream.local_addr());
                    tell.send((ends.0.unwrap(), ends.1.unwrap())).unwrap();
                    peer.stall().await;
                }
            })
            .await;
            let setup = Setup {
                http: http.clone(),
                ..unlimited()
            };
            let caller = Caller::new(start, &server.url("http"), &setup);
            let call = tokio::spawn(caller.start("mark-1"));
            let (client, server) = timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
            // Until its bytes are acknowledged, the connection's timer is for sending them again.
            let kept = timeout(PATIENCE, async {
                loop {
                    if let Some((2, seconds)) = timer(client, server) {
                        break seconds;
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
            let seconds = kept.await.unwrap();
            assert!(seconds <= 30.5, "{start:?}: first probe after {seconds} s");
            // Our server's end has none: it is the client's setting that shows.
            assert_eq!(timer(server, client).unwrap().0, 0);
            call.abort();
        }
    }
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod tls {
    //! https: handshakes that fail, certificates that verify or not.

    use rcgen::date_time_ymd;
    use tokio_rustls::TlsAcceptor;

    use super::{
        authority::{Authority, acceptor, leaf},
        *,
    };

    /// Clients that trust this authority and no other.
    fn trusting(authority: &Authority) -> Setup {
        let root = root(authority);
        Setup::with_http(move |http| http.tls_certs_only([root.clone()]))
    }

    fn root(authority: &Authority) -> reqwest::Certificate {
        reqwest::Certificate::from_der(authority.root.der()).unwrap()
    }

    async fn secured(setup: &Setup, acceptor: TlsAcceptor) -> Vec<Outcome> {
        each(setup, "https", &small_input(), move |peer| {
            let acceptor = acceptor.clone();
            async move {
                let secured = peer.wrapped(|stream| Box::pin(acceptor.accept(stream)));
                if let Some(peer) = secured.await {
                    peer.serve().await;
                }
            }
        })
        .await
    }

    #[tokio::test]
    async fn https_works_with_a_user_s_root() {
        let authority = Authority::new();
        let root = root(&authority);
        let merged = Setup::with_http(move |http| http.tls_certs_merge([root.clone()]));
        for setup in [trusting(&authority), merged] {
            let acceptor = authority.acceptor(leaf(&["127.0.0.1"]));
            for outcome in secured(&setup, acceptor).await {
                outcome.succeeded(1, 1);
                assert_eq!(outcome.connections, 1);
            }
        }
    }

    #[tokio::test]
    async fn a_certificate_that_does_not_verify_is_not_sent_and_not_repeated() {
        let authority = Authority::new();
        let (key, params) = leaf(&["127.0.0.1"]);
        let self_signed = acceptor(&params.self_signed(&key).unwrap(), &key);
        let mut expired = leaf(&["127.0.0.1"]);
        expired.1.not_after = date_time_ymd(2001, 1, 1);
        for (wrong, acceptor) in [
            ("self-signed", self_signed),
            (
                "another authority",
                Authority::new().acceptor(leaf(&["127.0.0.1"])),
            ),
            ("another name", authority.acceptor(leaf(&["example.com"]))),
            ("expired", authority.acceptor(expired)),
        ] {
            for outcome in secured(&trusting(&authority), acceptor).await {
                outcome.failed(ErrorKind::Connect, Delivery::NotSent, 1, 0);
                assert_eq!(outcome.connections, 1, "{wrong}");
                let error = outcome.result.unwrap_err();
                let (peer, why) = error.message().split_once(" does not verify: ").unwrap();
                assert!(peer.starts_with("the certificate of 127.0.0.1:"), "{peer}");
                assert!(why.contains("certificate"), "{wrong}: {why}");
            }
        }
    }

    /// The clients' own roots, without a builder of the user's, do not take just anyone.
    #[tokio::test]
    async fn a_self_signed_certificate_is_refused_by_default() {
        let (key, params) = leaf(&["127.0.0.1"]);
        let acceptor = acceptor(&params.self_signed(&key).unwrap(), &key);
        for outcome in secured(&Setup::default(), acceptor).await {
            outcome.failed(ErrorKind::Connect, Delivery::NotSent, 1, 0);
        }
    }

    #[tokio::test]
    async fn a_handshake_answered_with_garbage_is_not_sent_and_repeated() {
        let setup = trusting(&Authority::new());
        for garbage in [
            "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".as_bytes(),
            b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            // An alert: handshake failure.
            b"\x15\x03\x03\x00\x02\x02\x28",
            // The connection ends.
            b"",
        ] {
            let outcomes = each(&setup, "https", "{}", move |mut peer| async move {
                peer.first_bytes().await;
                peer.send(garbage).await;
                peer.finish().await;
                peer.gone().await;
            });
            for outcome in outcomes.await {
                outcome.failed(ErrorKind::Connect, Delivery::NotSent, ATTEMPTS, 0);
                assert_eq!(outcome.connections, ATTEMPTS as usize);
            }
        }
    }

    #[tokio::test]
    async fn a_handshake_that_is_reset_is_not_sent_and_repeated() {
        let setup = trusting(&Authority::new());
        let outcomes = each(&setup, "https", "{}", |mut peer| async move {
            peer.first_bytes().await;
            peer.reset();
        });
        for outcome in outcomes.await {
            outcome.failed(ErrorKind::Connect, Delivery::NotSent, ATTEMPTS, 0);
            assert_eq!(outcome.connections, ATTEMPTS as usize);
        }
    }

    #[tokio::test]
    async fn a_handshake_that_stalls_is_not_sent_and_repeated() {
        let setup = Setup {
            connect_timeout: Duration::from_millis(300),
            ..trusting(&Authority::new())
        };
        let stalled = each(&setup, "https", "{}", |mut peer| async move {
            peer.first_bytes().await;
            peer.stall().await;
        });
        for outcome in stalled.await {
            outcome.failed(ErrorKind::Connect, Delivery::NotSent, ATTEMPTS, 0);
            assert_eq!(outcome.connections, ATTEMPTS as usize);
        }
    }

    /// An attempt limit below the connect limit would turn "not sent" into "perhaps".
    #[tokio::test]
    async fn a_stalled_handshake_is_not_sent_even_with_a_shorter_attempt_limit() {
        let setup = Setup {
            connect_timeout: Duration::from_millis(300),
            attempt_timeout: Duration::from_millis(10),
            ..trusting(&Authority::new())
        };
        let stalled = each(&setup, "https", "{}", |mut peer| async move {
            peer.first_bytes().await;
            peer.stall().await;
        });
        for outcome in stalled.await {
            outcome.failed(ErrorKind::Connect, Delivery::NotSent, ATTEMPTS, 0);
        }
    }

    /// What is lost over https is judged as over http.
    #[tokio::test]
    async fn a_secured_connection_cut_after_the_request_is_unknown() {
        let authority = Authority::new();
        let acceptor = authority.acceptor(leaf(&["127.0.0.1"]));
        let (setup, input) = (trusting(&authority), small_input());
        let outcomes = each(&setup, "https", &input, move |peer| {
            let acceptor = acceptor.clone();
            async move {
                let secured = peer.wrapped(|stream| Box::pin(acceptor.accept(stream)));
                let mut peer = secured.await.unwrap();
                match peer.number {
                    0 => drop(peer.request().await),
                    _ => peer.serve().await,
                }
            }
        });
        for outcome in outcomes.await {
            outcome.lost(ErrorKind::Transport, Delivery::Unknown, 1);
        }
    }

    #[tokio::test]
    async fn dropping_a_call_in_its_handshake_closes_its_connection() {
        let setup = Setup {
            http: trusting(&Authority::new()).http,
            ..unlimited()
        };
        for start in STARTS {
            dropped(
                start,
                &setup,
                "https",
                "{}".to_owned(),
                async |mut peer: Peer| {
                    peer.first_bytes().await;
                    peer
                },
            )
            .await;
        }
    }
}
