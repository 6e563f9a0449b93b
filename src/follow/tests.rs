//! A follower against a service with lists, looks and quotas, under the paused clock.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use tokio::time::Instant;

use super::*;
use crate::{
    error::ErrorCode,
    pipeline::{
        clock::monotonic,
        pace::{
            Quota,
            tests::{Bucket, Dice},
        },
    },
    wait::{Class, Look, View},
};

#[derive(Clone, Debug, PartialEq)]
struct Run {
    status: &'static str,
    started: DateTime<Utc>,
    is_ended: bool,
}

#[derive(Clone, Copy)]
struct Life {
    starts: Instant,
    ends: Instant,
}

/// A flow whose executions live as they were told to.
struct Cloud {
    epoch: Instant,
    lives: Mutex<BTreeMap<String, Life>>,
    lists: Arc<Bucket>,
    looks: Arc<Bucket>,
    dice: Mutex<Dice>,
    denied: &'static str,
    /// How many of a hundred pages of the list cannot be read.
    broken: u64,
    /// What the list never shows.
    hidden: Vec<String>,
    /// What it never shows the end of.
    stale: Vec<String>,
}

impl Cloud {
    fn new(seed: u64) -> Self {
        Self {
            epoch: monotonic(),
            lives: Mutex::default(),
            lists: Bucket::new(10.0, 2.0),
            looks: Bucket::new(50.0, 5.0),
            dice: Mutex::new(Dice::new(seed)),
            denied: "",
            broken: 0,
            hidden: Vec::new(),
            stale: Vec::new(),
        }
    }

    fn wall(&self, at: Instant) -> DateTime<Utc> {
        let epoch = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let millis = (at - self.epoch).as_millis();
        epoch + TimeDelta::milliseconds(i64::try_from(millis).unwrap())
    }

    /// Makes an execution that begins and ends so long from now.
    fn run(&self, name: &str, starts: Duration, ends: Duration) -> ExecutionRef {
        let now = monotonic();
        let life = Life {
            starts: now + starts,
            ends: now + ends,
        };
        self.lives.lock().unwrap().insert(name.to_owned(), life);
        ExecutionRef::new("flow", name).started(self.wall(life.starts))
    }

    fn shown(&self, life: Life, is_stale: bool) -> Run {
        let is_ended = monotonic() >= life.ends && !is_stale;
        Run {
            status: if is_ended { "Succeeded" } else { "Running" },
            started: self.wall(life.starts),
            is_ended,
        }
    }

    fn trip(&self) -> Duration {
        self.dice.lock().unwrap().millis(5, 80)
    }
}

fn refusal(kind: ErrorKind, status: u16, code: &str) -> Error {
    Error::new(kind, "refused")
        .with_status(StatusCode::from_u16(status).unwrap())
        .with_code(Some(ErrorCode::from(code)))
        .with_delivery(Delivery::Refused)
}

fn throttled() -> Error {
    refusal(ErrorKind::Throttled, 429, "ResourceThrottled")
}

fn denied() -> Error {
    refusal(ErrorKind::PermissionDenied, 403, "AccessDenied")
}

impl Look for Arc<Cloud> {
    type Answer = Run;
    const OPERATION: &'static str = "Describe";
    const RIGHT: &'static str = "test:Describe";
    const LONGEST_HOLD: Duration = Duration::ZERO;

    fn look(
        &self,
        execution: &ExecutionRef,
        _: Duration,
    ) -> BoxFuture<'static, Result<Run, Error>> {
        let (cloud, name) = (self.clone(), execution.execution.clone());
        Box::pin(async move {
            sleep(cloud.trip()).await;
            let outcome = match cloud.looks.take() {
                false => Err(throttled()),
                true if cloud.denied.contains("look") => Err(denied()),
                true => match cloud.lives.lock().unwrap().get(&name) {
                    Some(life) => Ok(cloud.shown(*life, false)),
                    None => Err(refusal(ErrorKind::NotFound, 404, "ExecutionNotExists")),
                },
            };
            sleep(cloud.trip()).await;
            outcome
        })
    }

    fn view(run: &Run) -> View {
        View {
            status: run.status.to_owned(),
            class: if run.is_ended {
                Class::Succeeded
            } else {
                Class::Going
            },
            started: Some(run.started),
            stopped: run.is_ended.then_some(run.started),
            updated: None,
            nodes: None,
            has_output: run.is_ended,
            bytes: 100,
        }
    }
}

impl Watch for Arc<Cloud> {
    const LIST_RIGHT: &'static str = "test:List";

    fn list(&self, ask: ListAsk) -> BoxFuture<'static, Result<Listed<Run>, Error>> {
        let cloud = self.clone();
        Box::pin(async move {
            sleep(cloud.trip()).await;
            let outcome = if !cloud.lists.take() {
                Err(throttled())
            } else if cloud.denied.contains("list") {
                Err(denied())
            } else if cloud.dice.lock().unwrap().below(100) < cloud.broken {
                Err(refusal(ErrorKind::Service, 500, "InternalServerError"))
            } else {
                let lives = cloud.lives.lock().unwrap();
                let from = ask.token.clone().unwrap_or_default();
                let mut fitting = lives
                    .range(from..)
                    .filter(|(name, life)| {
                        name.starts_with(&ask.prefix)
                            && cloud.wall(life.starts) >= ask.begin
                            && !cloud.hidden.contains(name)
                    })
                    .map(|(name, life)| {
                        (name.clone(), cloud.shown(*life, cloud.stale.contains(name)))
                    });
                let items: Vec<_> = fitting.by_ref().take(ask.limit as usize).collect();
                let next = fitting.next().map(|(name, _)| name);
                Ok(Listed { items, next })
            };
            sleep(cloud.trip()).await;
            outcome
        })
    }
}

fn follower(cloud: &Arc<Cloud>) -> Follower<Run> {
    let look = Pacer::new(Quota::new(50, 5.0));
    Follower::new(cloud.clone(), Pacer::new(Quota::new(10, 2.0)), &look)
}

/// Reads all ends; gives how late the latest of them was told.
async fn read(follower: &mut Follower<Run>, cloud: &Cloud) -> HashMap<String, Duration> {
    let mut late = HashMap::new();
    while let Some(followed) = follower.next().await {
        let name = followed.execution.execution;
        let run = followed.outcome.unwrap();
        assert_eq!(run.status, "Succeeded");
        let ends = cloud.lives.lock().unwrap()[&name].ends;
        assert!(
            late.insert(name, monotonic() - ends).is_none(),
            "told twice"
        );
    }
    assert!(follower.is_empty());
    late
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn a_thousand_that_end_within_a_minute_are_told_within_twenty_seconds() {
    for seed in 0..20 {
        let cloud = Arc::new(Cloud::new(seed));
        let mut dice = Dice::new(seed + 100);
        let mut follower = follower(&cloud);
        for i in 0..1000 {
            let starts = dice.millis(0, 10_000);
            let ends = dice.millis(100_000, 160_000);
            let name = format!("batch-{:08x}-{i}", dice.below(1 << 32));
            follower.add(cloud.run(&name, starts, ends));
            // Somebody else's, of the same time.
            cloud.run(&format!("other-{i}"), starts, ends);
        }
        // One of which only the name is known.
        cloud.run("batch-old", Duration::ZERO, seconds(150));
        follower.add(ExecutionRef::from("batch-old"));
        let late = read(&mut follower, &cloud).await;
        assert_eq!(late.len(), 1001);
        let latest = late.values().max().unwrap();
        assert!(*latest <= seconds(20), "{seed}: {latest:?}");
        assert_eq!(*cloud.looks.refused.lock().unwrap(), 0);
        assert_eq!(*cloud.lists.refused.lock().unwrap(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_list_does_not_show_is_looked_at() {
    let mut cloud = Cloud::new(1);
    cloud.hidden = vec!["run-007".to_owned()];
    cloud.stale = vec!["run-008".to_owned()];
    let cloud = Arc::new(cloud);
    let mut follower = follower(&cloud);
    for i in 0..100 {
        follower.add(cloud.run(&format!("run-{i:03}"), Duration::ZERO, seconds(30)));
    }
    // One that is not visible, and one that never was.
    follower.add(ExecutionRef::from("run-nowhere"));
    let mut late = HashMap::new();
    let mut errors = Vec::new();
    let began = monotonic();
    while let Some(followed) = follower.next().await {
        match followed.outcome {
            Ok(_) => {
                late.insert(followed.execution.execution, monotonic() - began);
            }
            Err(error) => errors.push(error),
        }
    }
    assert_eq!((late.len(), errors.len()), (100, 1));
    assert_eq!(errors[0].kind(), ErrorKind::NotFound);
    for (name, late) in late {
        let limit = match name.as_str() {
            "run-007" | "run-008" => 130,
            _ => 50,
        };
        assert!(late <= seconds(limit), "{name}: {late:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_execution_of_long_ago_does_not_make_the_window_long() {
    let cloud = Arc::new(Cloud::new(3));
    let old = cloud.run("run-old", Duration::ZERO, seconds(900));
    for i in 0..20_000 {
        cloud.run(&format!("run-{i}-others"), seconds(1), seconds(2));
    }
    sleep(seconds(600)).await;
    let mut follower = follower(&cloud);
    follower.add(old);
    for i in 0..200 {
        follower.add(cloud.run(&format!("run-{i:03}"), Duration::ZERO, seconds(240)));
    }
    let late = read(&mut follower, &cloud).await;
    assert!(late.values().all(|late| *late <= seconds(20)), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_list_leaves_the_looks_and_refused_looks_leave_the_list() {
    for denied in ["list", "look"] {
        let mut cloud = Cloud::new(4);
        cloud.denied = denied;
        let cloud = Arc::new(cloud);
        let mut follower = follower(&cloud);
        for i in 0..100 {
            follower.add(cloud.run(&format!("run-{i:03}"), Duration::ZERO, seconds(120)));
        }
        let late = read(&mut follower, &cloud).await;
        assert!(
            late.values().all(|late| *late <= seconds(45)),
            "{denied}: {late:?}"
        );
        if denied == "list" {
            assert_eq!(*cloud.lists.asked.lock().unwrap(), 1);
        }
    }
    let mut cloud = Cloud::new(5);
    cloud.denied = "list look";
    let cloud = Arc::new(cloud);
    let mut follower = follower(&cloud);
    follower.add(cloud.run("run", Duration::ZERO, seconds(30)));
    let error = follower.next().await.unwrap().outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.message().contains("test:Describe"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_with_what_is_added_later_and_tells_what_is_gone() {
    let cloud = Arc::new(Cloud::new(6));
    let mut follower = follower(&cloud);
    assert!(follower.next().await.is_none());
    follower.add(cloud.run("first", Duration::ZERO, seconds(5)));
    follower.add("first");
    assert_eq!(follower.next().await.unwrap().execution.execution, "first");
    assert!(follower.next().await.is_none());

    follower.add(cloud.run("second", Duration::ZERO, seconds(3600)));
    let told = tokio::time::timeout(seconds(300), follower.next()).await;
    assert!(told.is_err());
    // Its flow was deleted and made again, and the name was used again.
    cloud.run("second", Duration::ZERO, seconds(1));
    let error = follower.next().await.unwrap().outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_cannot_be_read_does_not_cost_the_pass() {
    let mut cloud = Cloud::new(7);
    cloud.broken = 20;
    let cloud = Arc::new(cloud);
    let mut follower = follower(&cloud);
    for i in 0..3_000 {
        follower.add(cloud.run(&format!("run-{i:04}"), Duration::ZERO, seconds(30)));
    }
    let late = read(&mut follower, &cloud).await;
    let latest = late.values().max().unwrap();
    assert!(*latest <= seconds(60), "{latest:?}");
}

#[tokio::test(start_paused = true)]
async fn one_alone_is_told_soon_and_one_that_takes_long_is_not_asked_for_all_the_time() {
    for (lives, limit, most) in [(5, 3, 10), (3600, 11, 400)] {
        let cloud = Arc::new(Cloud::new(8));
        let mut follower = follower(&cloud);
        follower.add(cloud.run("run", Duration::ZERO, seconds(lives)));
        let late = read(&mut follower, &cloud).await["run"];
        assert!(late <= seconds(limit), "{late:?}");
        let asked = *cloud.looks.asked.lock().unwrap();
        assert!(asked <= most, "{asked}");
    }
}
