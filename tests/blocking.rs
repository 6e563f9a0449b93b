//! Calls that block: from programs without a runtime, and from inside any runtime.

#![cfg(feature = "alibaba")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{
    cell::RefCell,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use cloud_workflows::{
    BoxFuture, Error, ErrorKind, ExecutionRef,
    alibaba::{
        Client, Credentials, ListExecutionsRequest, StartExecutionRequest,
        StartSyncExecutionRequest,
    },
    emulator::{Emulator, Flow},
};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// Longer than anything takes that is not broken.
const PATIENCE: Duration = Duration::from_secs(30);

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn emulator() -> (Emulator, Client) {
    let emulator = Emulator::builder()
        .access_key("id", "secret")
        .start()
        .unwrap();
    emulator
        .express("express", |input: Value| Ok(input))
        .standard("standard", Flow::new(|input: Value| Ok(input)));
    let client = emulator
        .alibaba()
        .credentials(Credentials::new("id", "secret"))
        .build()
        .unwrap();
    (emulator, client)
}

fn call(client: &Client) -> Result<Value, Error> {
    let request = StartSyncExecutionRequest::new("express").input(json!({"n": 1}));
    let answer = client.start_sync_execution(request).send_blocking()?;
    answer.into_output()
}

/// Does something on a thread of its own, which must come to its end without a panic.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, done) = mpsc::channel();
    thread::spawn(move || sender.send(work()));
    done.recv_timeout(PATIENCE).expect("it hangs or panics")
}

#[test]
fn calls_waits_and_lists_need_no_runtime() {
    let (_emulator, client) = emulator();
    in_time(move || {
        assert_eq!(call(&client).unwrap(), json!({"n": 1}));
        for name in ["a", "b", "c"] {
            let request = StartExecutionRequest::new("standard")
                .execution_name(name)
                .input(json!({"name": name}));
            let ended = client.start_and_wait(request).blocking().unwrap();
            assert_eq!(ended.into_output::<Value>().unwrap(), json!({"name": name}));
        }
        let list = client.list_executions(ListExecutionsRequest::new("standard").limit(2));
        let mut items = list.items();
        let mut names = Vec::new();
        while let Some(item) = items.next_blocking() {
            names.push(item.unwrap().name.unwrap());
        }
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "c"]);
        assert!(items.next_blocking().is_none());
    });
}

#[test]
fn errors_are_those_of_the_call() {
    let (_emulator, client) = emulator();
    in_time(move || {
        let none = ExecutionRef::new("standard", "none");
        let error = client.wait(none).blocking().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let request = ListExecutionsRequest::new("no_such_flow");
        let mut items = client.list_executions(request).items();
        let error = items.next_blocking().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(items.next_blocking().is_none(), "an error ends a list");
    });
}

/// A list that was begun by awaiting goes on by blocking, with the page that was asked for.
#[test]
fn a_list_may_be_read_in_both_ways() {
    let (_emulator, client) = emulator();
    in_time(move || {
        for name in ["a", "b", "c"] {
            let request = StartExecutionRequest::new("standard").execution_name(name);
            client.start_execution(request).send_blocking().unwrap();
        }
        let request = ListExecutionsRequest::new("standard").limit(1);
        let mut items = client.list_executions(request).items();
        let runtime = current_thread();
        let mut names = vec![
            runtime
                .block_on(items.next())
                .unwrap()
                .unwrap()
                .name
                .unwrap(),
        ];
        names.push(items.next_blocking().unwrap().unwrap().name.unwrap());
        names.push(
            runtime
                .block_on(items.next())
                .unwrap()
                .unwrap()
                .name
                .unwrap(),
        );
        assert!(items.next_blocking().is_none());
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "c"]);
    });
}

#[test]
fn any_runtime_may_be_blocked_and_drop_the_last_client() {
    let several = || {
        Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap()
    };
    let bare = || Builder::new_current_thread().build().unwrap();
    for runtime in [current_thread(), several(), bare()] {
        let (_emulator, client) = emulator();
        in_time(move || {
            let spawned = client.clone();
            let task = runtime.spawn(async move { call(&spawned) });
            runtime.block_on(async {
                assert_eq!(call(&client).unwrap(), json!({"n": 1}));
                assert_eq!(task.await.unwrap().unwrap(), json!({"n": 1}));
                // More polls in a row than Tokio lets a task have.
                for _ in 0..200 {
                    call(&client).unwrap();
                }
                drop(client);
            });
        });
    }
}

/// A source of credentials that waits for another runtime, or blocks where it may not.
#[derive(Debug)]
struct Source(Inner);

#[derive(Debug)]
enum Inner {
    /// Takes a while on its first asking.
    Slow,
    /// Makes a blocking call.
    Blocking(Client),
}

impl cloud_workflows::ProvideCredential<Credentials> for Source {
    fn provide<'a>(
        &'a self,
        _: &'a cloud_workflows::Context,
    ) -> BoxFuture<'a, Result<cloud_workflows::Lease<Credentials>, Error>> {
        Box::pin(async {
            match &self.0 {
                Inner::Slow => tokio::time::sleep(Duration::from_millis(300)).await,
                Inner::Blocking(client) => drop(call(client)?),
            }
            Ok(cloud_workflows::Lease::new(Credentials::new(
                "id", "secret",
            )))
        })
    }
}

/// The credential is being loaded by a runtime that the blocking call stops.
#[test]
fn a_load_on_the_blocked_runtime_is_taken_over() {
    let (emulator, _) = emulator();
    let source = Source(Inner::Slow);
    let client = emulator.alibaba().credentials(source).build().unwrap();
    in_time(move || {
        current_thread().block_on(async {
            let request = StartSyncExecutionRequest::new("express");
            let awaited = client.start_sync_execution(request).send();
            let task = tokio::spawn(awaited);
            tokio::time::sleep(Duration::from_millis(50)).await;
            call(&client).unwrap();
            task.await.unwrap().unwrap();
        });
    });
}

#[test]
fn a_blocking_call_inside_another_is_an_error_and_no_deadlock() {
    let (emulator, inner) = emulator();
    let source = Source(Inner::Blocking(inner));
    let client = emulator.alibaba().credentials(source).build().unwrap();
    let error = in_time(move || call(&client).unwrap_err());
    let text = error.to_string();
    assert!(
        text.contains("would wait for itself: await it there"),
        "{text}"
    );
    assert!(!error.may_have_started());
}

#[test]
fn many_threads_share_one_runtime() {
    let (_emulator, client) = emulator();
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let client = client.clone();
            thread::spawn(move || call(&client).unwrap())
        })
        .collect();
    for thread in calls {
        assert_eq!(thread.join().unwrap(), json!({"n": 1}));
    }
    if let Ok(tasks) = std::fs::read_dir("/proc/self/task") {
        let named = tasks.flatten().filter(|task| {
            let name = std::fs::read_to_string(task.path().join("comm"));
            name.is_ok_and(|name| name.trim() == "cloud-workflows")
        });
        assert_eq!(named.count(), 1);
    }
}

/// The program ends in the middle of a call, and its last client is dropped after `main`'s last
/// statement, when the thread's own values are.
#[test]
fn a_program_ends_while_calls_go_on() {
    const CHILD: &str = "CLOUD_WORKFLOWS_TEST_END_WHILE_BLOCKED";
    struct Last(Client);
    impl Drop for Last {
        fn drop(&mut self) {
            assert_eq!(call(&self.0).unwrap(), json!({"n": 1}));
        }
    }
    thread_local!(static LAST: RefCell<Option<Last>> = const { RefCell::new(None) });
    if std::env::var_os(CHILD).is_some() {
        let (emulator, client) = emulator();
        let last = Last(client.clone());
        thread::spawn(move || LAST.set(Some(last))).join().unwrap();
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stuck = Client::builder()
            .endpoint(format!("http://{}", silent.local_addr().unwrap()))
            .credentials(Credentials::new("id", "secret"))
            .build()
            .unwrap();
        thread::spawn(move || call(&stuck));
        // The call has come so far that it waits for its answer.
        let _connection = silent.accept().unwrap();
        call(&client).unwrap();
        drop((client, emulator));
        std::process::exit(7);
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("a_program_ends_while_calls_go_on")
        .env(CHILD, "1")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = (0..1_500).find_map(|_| {
        thread::sleep(Duration::from_millis(20));
        child.try_wait().unwrap()
    });
    if status.is_none() {
        child.kill().unwrap();
    }
    let status = status.expect("the program hangs at its end");
    assert_eq!(status.code(), Some(7));
}
