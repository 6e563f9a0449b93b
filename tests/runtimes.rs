//! One client, used from several Tokio runtimes over real connections.

#![cfg(feature = "alibaba")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/raw.rs"]
#[expect(
    dead_code,
    reason = "what breaks connections is for the tests of connections"
)]
mod raw;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use cloud_workflows::{
    Delivery, Error, ErrorKind,
    alibaba::{Client, Credentials, StartSyncExecutionRequest},
};
use raw::{PATIENCE, Peer, Server};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A server on a runtime of its own, and a client of it.
struct World {
    client: Client,
    server: Server,
    /// Connections that have ended.
    ended: Arc<AtomicUsize>,
    _serving: Runtime,
}

impl World {
    fn new() -> Self {
        let serving = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let ended = Arc::<AtomicUsize>::default();
        let count = ended.clone();
        let server = serving.block_on(Server::start(move |peer: Peer| {
            let count = count.clone();
            async move {
                peer.serve().await;
                count.fetch_add(1, Ordering::SeqCst);
            }
        }));
        let client = Client::builder()
            .endpoint(server.url("http"))
            .credentials(Credentials::new("id", "secret"))
            .build()
            .unwrap();
        Self {
            client,
            server,
            ended,
            _serving: serving,
        }
    }

    async fn call(&self) -> Result<(), Error> {
        let call = self
            .client
            .start_sync_execution(StartSyncExecutionRequest::new("flow"));
        let outcome = timeout(PATIENCE, call.send()).await;
        outcome.expect("the call hangs").map(drop)
    }

    fn wait_until_ended(&self, connections: usize) {
        let runtime = runtime();
        runtime.block_on(async {
            while self.ended.load(Ordering::SeqCst) < connections {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }
}

#[test]
fn two_runtimes_in_turn_are_always_answered_over_two_connections() {
    let world = World::new();
    let runtimes = [runtime(), runtime()];
    for call in 0..1_000 {
        runtimes[call % 2].block_on(world.call()).unwrap();
    }
    assert_eq!(world.server.requests().len(), 1_000);
    assert_eq!(world.server.connections(), 2);
}

#[test]
fn two_hundred_short_runtimes_leave_no_connection_behind() {
    let world = World::new();
    let lasting = runtime();
    lasting.block_on(world.call()).unwrap();
    for _ in 0..200 {
        runtime().block_on(world.call()).unwrap();
    }
    world.wait_until_ended(200);
    lasting.block_on(world.call()).unwrap();
}

#[test]
fn a_runtime_that_another_one_replaced_is_answered_on_a_connection_of_its_own() {
    let world = World::new();
    for connections in 1..=3 {
        let runtime = runtime();
        for _ in 0..3 {
            runtime.block_on(world.call()).unwrap();
        }
        assert_eq!(world.server.connections(), connections);
        runtime.shutdown_background();
    }
    world.wait_until_ended(3);
}

#[test]
fn a_runtime_without_timers_or_io_is_told_what_it_lacks() {
    let world = World::new();
    let bare = || Builder::new_current_thread();
    for (runtime, lacks) in [
        (bare().enable_io().build().unwrap(), "enable_time()"),
        (bare().enable_time().build().unwrap(), "enable_io()"),
        (bare().build().unwrap(), "enable_time()"),
    ] {
        // Asked for twice: a panic that is caught leaves nothing broken.
        for _ in 0..2 {
            let call = world
                .client
                .start_sync_execution(StartSyncExecutionRequest::new("flow"));
            let error = runtime.block_on(call.send()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
            assert_eq!(error.delivery(), Delivery::NotSent);
            let text = error.to_string();
            assert!(text.contains("runtime") && text.contains(lacks), "{text}");
        }
    }
    runtime().block_on(world.call()).unwrap();
    assert_eq!(world.server.connections(), 1);
}

/// Where the system's certificates cannot be read, `build` says so, and where they were looked for.
#[cfg(all(feature = "rustls", not(feature = "native-tls")))]
#[test]
fn certificates_that_cannot_be_read_are_told_by_build() {
    const CHILD: &str = "CLOUD_WORKFLOWS_TEST_WITHOUT_CERTIFICATES";
    if std::env::var_os(CHILD).is_some() {
        let builder = Client::builder()
            .region("cn-hangzhou")
            .credentials(Credentials::new("id", "secret"));
        let own = builder.build().unwrap_err();
        let builder = Client::builder()
            .region("cn-hangzhou")
            .credentials(Credentials::new("id", "secret"));
        let with_function = builder.http(|http| http).build().unwrap_err();
        for error in [own, with_function] {
            assert_eq!(error.kind(), ErrorKind::Configuration);
            let text = error.to_string();
            assert!(text.contains("certificate"), "{text}");
            assert!(
                text.contains("SSL_CERT_FILE is \"/nonexistent/ca.pem\""),
                "{text}"
            );
            assert!(text.contains("SSL_CERT_DIR is \"/nonexistent\""), "{text}");
            assert_eq!(text.lines().count(), 1);
        }
        return;
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child
        .arg("certificates_that_cannot_be_read_are_told_by_build")
        .env(CHILD, "1")
        .env("SSL_CERT_FILE", "/nonexistent/ca.pem")
        .env("SSL_CERT_DIR", "/nonexistent");
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}
