//! One client before and after a fork. A program of its own: it forks, and has no other threads
//! than its server's.

#![cfg_attr(
    unix,
    expect(clippy::unwrap_used, reason = "a test fails by panicking")
)]

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() {
    after::a_fork_no_connection_of_the_parent_is_used();
    after::a_fork_a_load_of_the_parent_is_begun_anew();
    after::a_fork_blocking_calls_have_a_runtime_of_their_own();
    println!("3 tests of forks passed");
}

#[cfg(unix)]
mod after {
    use std::{
        io::{BufRead, BufReader, Read, Write},
        net::{TcpListener, TcpStream},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        thread,
        time::Duration,
    };

    use cloud_workflows::{
        alibaba::{self, Credentials, StartSyncExecutionRequest},
        huawei::{self, IamPassword, StartSyncWorkflowExecutionRequest},
    };
    use tokio::{
        runtime::{Builder, Runtime},
        time::{sleep, timeout},
    };

    const SOON: Duration = Duration::from_secs(30);
    const ANSWER: &str = r#"{"Status": "Succeeded", "status": "success"}"#;
    const TOKEN: &str =
        r#"{"token": {"expires_at": "2999-01-01T00:00:00Z", "project": {"id": "p"}}}"#;

    /// Answers every request but the first for a token, and counts connections.
    struct Server {
        url: String,
        connections: Arc<AtomicUsize>,
        tokens: Arc<AtomicUsize>,
    }

    impl Server {
        fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let connections = Arc::<AtomicUsize>::default();
            let tokens = Arc::<AtomicUsize>::default();
            let (count, asked) = (connections.clone(), tokens.clone());
            thread::spawn(move || {
                for stream in listener.incoming() {
                    count.fetch_add(1, Ordering::SeqCst);
                    let tokens = asked.clone();
                    thread::spawn(move || serve(stream.unwrap(), &tokens));
                }
            });
            Self {
                url,
                connections,
                tokens,
            }
        }

        fn connections(&self) -> usize {
            self.connections.load(Ordering::SeqCst)
        }
    }

    fn serve(stream: TcpStream, tokens: &AtomicUsize) {
        let mut answers = stream.try_clone().unwrap();
        let mut requests = BufReader::new(stream);
        loop {
            let (mut head, mut length) = (String::new(), 0);
            while !head.ends_with("\r\n\r\n") {
                let before = head.len();
                if requests.read_line(&mut head).unwrap_or(0) == 0 {
                    return;
                }
                let line = head[before..].to_ascii_lowercase();
                if let Some(text) = line.strip_prefix("content-length:") {
                    length = text.trim().parse().unwrap();
                }
            }
            requests.read_exact(&mut vec![0; length]).unwrap();
            let body = match head.contains("/v3/auth/tokens") {
                true if tokens.fetch_add(1, Ordering::SeqCst) == 0 => continue,
                true => TOKEN,
                false => ANSWER,
            };
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nX-Subject-Token: t\r\nContent-Length: {length}");
            answers
                .write_all(format!("{head}\r\n\r\n{body}").as_bytes())
                .unwrap();
        }
    }

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().build().unwrap()
    }

    pub(super) fn a_fork_no_connection_of_the_parent_is_used() {
        let server = Server::start();
        let client = alibaba::Client::builder()
            .endpoint(&server.url)
            .credentials(Credentials::new("id", "secret"))
            .build()
            .unwrap();
        let call = |runtime: &Runtime| {
            runtime.block_on(async {
                let call = client.start_sync_execution(StartSyncExecutionRequest::new("flow"));
                timeout(SOON, call.send()).await.unwrap().unwrap();
            });
        };
        let parent = runtime();
        call(&parent);
        call(&parent);
        assert_eq!(server.connections(), 1);
        for children in 1..=2 {
            let work = || {
                let child = runtime();
                call(&child);
                call(&child);
            };
            assert!(forking::in_child(work).unwrap(), "the child's calls");
            assert_eq!(server.connections(), 1 + children);
        }
        call(&parent);
        assert_eq!(
            server.connections(),
            3,
            "the parent has kept its connection"
        );
    }

    pub(super) fn a_fork_a_load_of_the_parent_is_begun_anew() {
        let server = Server::start();
        let client = huawei::Client::builder()
            .endpoint(&server.url)
            .iam_endpoint(&server.url)
            .project_id("p")
            .credentials(IamPassword::new("domain", "user", "password"))
            .build()
            .unwrap();
        let call =
            || client.start_sync_workflow_execution(StartSyncWorkflowExecutionRequest::new("flow"));
        let parent = runtime();
        parent.block_on(async {
            tokio::spawn(call().send());
            while server.tokens.load(Ordering::SeqCst) == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        });
        let work = || {
            runtime().block_on(async {
                timeout(SOON, call().send()).await.unwrap().unwrap();
            });
        };
        assert!(forking::in_child(work).unwrap(), "the child's call");
    }

    pub(super) fn a_fork_blocking_calls_have_a_runtime_of_their_own() {
        let server = Server::start();
        let client = alibaba::Client::builder()
            .endpoint(&server.url)
            .credentials(Credentials::new("id", "secret"))
            .build()
            .unwrap();
        let call = || {
            let call = client.start_sync_execution(StartSyncExecutionRequest::new("flow"));
            call.timeout(SOON).send_blocking().unwrap();
        };
        call();
        for children in 1..=2 {
            let work = || {
                call();
                call();
            };
            assert!(forking::in_child(work).unwrap(), "the child's calls");
            assert_eq!(server.connections(), 1 + children);
        }
        call();
        assert_eq!(
            server.connections(),
            3,
            "the parent has kept its connection"
        );
    }
}
