//! Any sequence of answers to whoever follows executions: a wait, a list, a follower. No panic, no
//! endless loop, and an end by an outcome or an error that says where the execution stands.
//!
//! Pieces: two letters for who follows and to what end, then status, headers and body of one answer
//! or several. Status `000` is a broken connection, `001` silence.

#![no_main]

use std::{
    collections::VecDeque,
    fmt::Debug,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use cloud_workflows::{
    Delivery, Error, ErrorKind, ExecutionRef, Followed, Follower, Items, Position, Progress, Wait,
    alibaba::{
        self, Credentials, GetExecutionHistoryRequest, ListExecutionsRequest, StartExecutionRequest,
    },
    fuzzing::{Play, World},
    huawei::{
        self, ListWorkflowExecutionsRequest, ShowWorkflowExecutionForPageRequest,
        StartWorkflowExecutionRequest, Token,
    },
};
use cloud_workflows_fuzz::{
    WALL, block_on, pieces,
    play::{Reply, words},
};
use http::{HeaderMap, Method};
use serde_json::json;
use url::Url;

/// How long a wait may last that has a deadline.
const DEADLINE: Duration = Duration::from_secs(120);
/// When whoever follows to the end must have come to it.
const LONG: Duration = Duration::from_secs(30 * 86_400);
/// How much any of them may send: 100 pages without news, or a look every 200 ms.
const MOST_SENT: usize = 1_200;
/// Pages over this are asked for in halves.
const REPLY_LIMIT: usize = 4_096;

/// What a request is answered with.
#[derive(Clone)]
enum Answer {
    Reply(Reply),
    Break,
    Silence,
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut pieces = pieces(data);
    let Some(&[who, end]) = pieces.next() else {
        return;
    };
    let pieces: Vec<&[u8]> = pieces.collect();
    let answers = pieces.chunks_exact(3).take(24).map(|piece| match piece[0] {
        b"000" => Some(Answer::Break),
        b"001" => Some(Answer::Silence),
        status => {
            let mut reply = Reply::of_pieces(status, piece[1], piece[2])?;
            // A service may ask for a pause of a year, in which others tick.
            let asks = reply.headers.get("retry-after");
            let is_long = asks.is_some_and(|value| value.len() > 2);
            if is_long {
                reply.headers.remove("retry-after");
            }
            Some(Answer::Reply(reply))
        }
    });
    let Some(answers) = answers.collect::<Option<VecDeque<Answer>>>() else {
        return;
    };
    if !answers.is_empty() {
        follow(who, end == b'y', answers);
    }
});

/// Follows, to the end of what was answered: the last answer for ever, or, where `ends`, the truth
/// at last: the execution succeeded.
fn follow(who: u8, ends: bool, answers: VecDeque<Answer>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let (count, answers) = (sent.clone(), Mutex::new(answers));
    let world = World::new(*WALL, move |method, url, headers, _| {
        let count = count.fetch_add(1, Ordering::Relaxed) + 1;
        assert!(count <= MOST_SENT, "it asks on and on");
        let mut answers = answers.lock().expect("no panic");
        let answer = match answers.len() {
            1 if !ends => answers.front().cloned(),
            _ => answers.pop_front(),
        };
        match answer {
            Some(Answer::Reply(reply)) => Play::Reply(reply.status, reply.headers, reply.body),
            Some(Answer::Break) => Play::Break,
            Some(Answer::Silence) => Play::Silence,
            None => truth(method, url, headers),
        }
    });
    let is_follower = matches!(who, b'g' | b'G');
    let is_wait = matches!(who, b'a'..=b'c' | b'A'..=b'D');
    let limit = match ends {
        false if is_wait => DEADLINE + Duration::from_secs(1),
        // What the service never tells, nobody learns.
        false if is_follower => DEADLINE,
        _ => LONG,
    };
    block_on(async {
        let scene = Scene { world, sent, ends };
        let done = tokio::time::timeout(limit, scene.play(who)).await;
        assert!(done.is_ok() || (is_follower && !ends), "no end");
    });
}

/// All executions that anybody follows.
const NAMES: [&str; 3] = ["k", "m", "n"];

/// What the service says once it tells the truth: all have succeeded.
fn truth(method: &Method, url: &Url, headers: &HeaderMap) -> Play {
    let action = headers.get("x-acs-action").map_or("", |action| {
        action.to_str().expect("a name that we have sent")
    });
    let path: Vec<&str> = url.path().split('/').collect();
    let (begin, end) = ("2026-11-22T11:59:00Z", "2026-11-22T12:00:00Z");
    let of_alibaba = |name: &str| {
        json!({
            "FlowName": "f", "Name": name, "Status": "Succeeded", "Input": "{}", "Output": "{}",
            "StartedTime": begin, "StoppedTime": end,
        })
    };
    let of_huawei = |name: &str| {
        json!({
            "workflow_id": "f", "execution_id": name, "status": "success", "input": {},
            "output": {}, "begin_time": begin, "end_time": end, "last_update_time": end,
        })
    };
    let mut query = url.query_pairs();
    let asked = query.find(|(name, _)| name == "ExecutionName");
    let body = match (action, &path[..]) {
        ("ListExecutions", _) => json!({"Executions": NAMES.map(of_alibaba)}),
        ("GetExecutionHistory", _) => json!({"Events": []}),
        ("", [.., "executions"]) if *method == Method::POST => json!({"execution_id": "n"}),
        ("", [.., "executions"]) => json!({"executions": NAMES.map(of_huawei)}),
        ("", [.., "executions-history"]) => {
            json!({"total": 3, "size": 3, "executions": NAMES.map(of_huawei)})
        }
        ("", [.., "terminate" | "retry"]) => json!({}),
        ("", path) => of_huawei(path.last().expect("a path")),
        _ => of_alibaba(asked.as_ref().map_or("n", |(_, name)| name)),
    };
    let reply = Reply::ok(&body.to_string());
    Play::Reply(reply.status, reply.headers, reply.body)
}

/// One who follows, and what was sent for it.
struct Scene {
    world: World,
    sent: Arc<AtomicUsize>,
    ends: bool,
}

impl Scene {
    async fn play(&self, who: u8) {
        let rpc = || {
            let builder = alibaba::Client::builder().region("cn-hangzhou");
            let builder = builder.max_reply_bytes(REPLY_LIMIT);
            let builder = builder.credentials(Credentials::new("id", "secret"));
            self.world.alibaba(builder).build().expect("a client")
        };
        let rest = || {
            let builder = huawei::Client::builder().region("cn-north-4");
            let builder = builder.max_reply_bytes(REPLY_LIMIT).project_id("p");
            let builder = builder.credentials(Token::new("token"));
            self.world.huawei(builder).build().expect("a client")
        };
        let execution = ExecutionRef::new("f", "n");
        let start = StartExecutionRequest::new("f").execution_name("n");
        let begin = StartWorkflowExecutionRequest::new("f").workflow_run_id("n");
        let since = *WALL - Duration::from_secs(30 * 86_400);
        match who {
            b'a' => self.wait(rpc().wait(execution), false).await,
            b'b' => self.wait(rpc().start_and_wait(start), true).await,
            b'c' => self.wait(rpc().stop_and_wait(execution), false).await,
            b'A' => self.wait(rest().wait(execution), false).await,
            b'B' => self.wait(rest().start_and_wait(begin), true).await,
            b'C' => self.wait(rest().stop_and_wait(execution), false).await,
            b'D' => self.wait(rest().retry_and_wait(execution), true).await,
            b'e' => {
                let request = ListExecutionsRequest::new("f");
                list(|| rpc().list_executions(request.clone()).items()).await;
            }
            b'f' => {
                let request = GetExecutionHistoryRequest::new("f", "n");
                list(|| rpc().get_execution_history(request.clone()).items()).await;
            }
            b'E' => {
                let request = ListWorkflowExecutionsRequest::new("f").start_time(since);
                list(|| rest().list_workflow_executions(request.clone()).items()).await;
            }
            b'F' => {
                let request = ShowWorkflowExecutionForPageRequest::new("f", 0_u32, 100_u32);
                list(|| {
                    rest()
                        .show_workflow_execution_for_page(request.clone())
                        .items()
                })
                .await;
            }
            b'g' => many(rpc().follow("f")).await,
            b'G' => many(rest().follow("f")).await,
            _ => {}
        }
    }

    /// Waits to the end, reading what happens on the way.
    async fn wait<A: Debug + Send + 'static>(&self, wait: Wait<A>, starts: bool) {
        let mut wait = match self.ends {
            true => wait,
            false => wait.deadline(DEADLINE),
        };
        let error = loop {
            match wait.next().await.expect("an end before the end") {
                Ok(Progress::Ended(_)) => break None,
                Ok(_) => {}
                Err(error) => break Some(error),
            }
        };
        assert!(wait.next().await.is_none(), "something after the end");
        if let Some(error) = error {
            self.check(&error, starts);
        }
    }

    /// An error says of which execution it is, and whether that may run.
    fn check(&self, error: &Error, starts: bool) {
        let words = words(error);
        let named = error.execution_name().or(error.execution_id());
        assert_eq!(named, Some("n"), "{words}");
        if error.kind() == ErrorKind::Deadline {
            assert!(!self.ends, "without a deadline: {words}");
        }
        if self.sent.load(Ordering::Relaxed) == 0 {
            assert_eq!(error.delivery(), Delivery::NotSent, "{words}");
        }
        let is_of_wait = matches!(error.kind(), ErrorKind::Deadline | ErrorKind::Gone);
        if is_of_wait && !starts {
            assert_eq!(error.delivery(), Delivery::Accepted, "{words}");
        }
        if is_of_wait && starts {
            assert!(error.delivery() >= Delivery::Unknown, "{words}");
        }
    }
}

/// Reads a list to its end, then goes on where it ended.
async fn list<T: Debug + Send + 'static>(make: impl Fn() -> Items<T>) {
    let mut items = make();
    let mut has_failed = false;
    while let Some(item) = items.next().await {
        assert!(!has_failed, "an item after an error");
        if let Err(error) = item {
            words(&error);
            has_failed = true;
        }
    }
    assert!(items.next().await.is_none(), "something after the end");
    let position = items.position();
    let read: Position = position.to_string().parse().expect("its own form");
    assert_eq!(read, position);
    make().resume(&read).expect("a position of this list");
}

/// Follows three executions until each has been told once.
async fn many<A: Debug + Send + 'static>(mut follower: Follower<A>) {
    let mut left = NAMES.to_vec();
    for name in &left {
        follower.add(ExecutionRef::new("f", *name).started(*WALL - Duration::from_secs(60)));
    }
    while let Some(Followed {
        execution, outcome, ..
    }) = follower.next().await
    {
        let at = left.iter().position(|name| *name == execution.execution);
        left.remove(at.expect("it was followed, and not told before"));
        if let Err(error) = outcome {
            let words = words(&error);
            let named = error.execution_name().or(error.execution_id());
            assert_eq!(named, Some(&*execution.execution), "{words}");
        }
    }
    assert!(left.is_empty(), "not told: {left:?}");
}
