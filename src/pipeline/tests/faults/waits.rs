//! Every sequence of answers to whoever follows an execution: a wait, a follower, a list, a run of
//! a `Workflow`. What is asked beyond the script is answered with the truth at last: it succeeded.
//! Waits also meet a service that gives the last answer for ever, until their deadline. Each run
//! ends, in an outcome or in an error that says where the execution stands.

use http::Method;

use super::{events::Begins, *};
use crate::{
    ExecutionRef, Follower, Items, Wait, Workflow,
    alibaba::{ListExecutionsRequest, StartExecutionRequest},
    huawei::{ListWorkflowExecutionsRequest, StartWorkflowExecutionRequest},
};

/// An answer to any request: its name, what it is, and whether a start that got it has begun.
type Answer = (&'static str, Told, Begins);

#[derive(Clone, Copy)]
enum Told {
    /// An execution of this status, that has stopped or not, under its own name or another.
    Status(&'static str, bool, &'static str),
    /// The same, which began at another time.
    Younger,
    Coded(u16, &'static str),
    Plain(u16, &'static str),
    Fail(Stage),
    Silence,
}

use Begins::{Never, Perhaps, Surely};

const ANSWERS: [Answer; 15] = [
    ("running", Told::Status("Running", false, "n"), Surely),
    ("failed", Told::Status("Failed", true, "n"), Surely),
    ("stopped", Told::Status("Stopped", true, "n"), Surely),
    (
        "an unknown word",
        Told::Status("Resting", false, "n"),
        Surely,
    ),
    (
        "an unknown end",
        Told::Status("Archived", true, "n"),
        Surely,
    ),
    (
        "another's name",
        Told::Status("Succeeded", true, "m"),
        Surely,
    ),
    ("another start", Told::Younger, Surely),
    ("no status", Told::Plain(200, "{}"), Surely),
    ("unreadable", Told::Plain(200, "{"), Surely),
    ("gone", Told::Coded(404, "ExecutionNotExists"), Never),
    ("no right", Told::Coded(403, "AccessDenied"), Never),
    ("throttled", Told::Coded(429, "Throttling"), Never),
    ("502 page", Told::Plain(502, "<html>"), Perhaps),
    ("reset", Told::Fail(Stage::Exchange), Perhaps),
    ("silence", Told::Silence, Perhaps),
];

/// Who follows. The second of each pair is Huawei Cloud's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    Wait,
    StartAndWait,
    StopAndWait,
    RetryAndWait,
    Run,
    List,
    Follow,
}

const WHO: [(Who, bool); 13] = [
    (Who::Wait, true),
    (Who::StartAndWait, true),
    (Who::StopAndWait, true),
    (Who::Run, true),
    (Who::List, true),
    (Who::Follow, true),
    (Who::Wait, false),
    (Who::StartAndWait, false),
    (Who::StopAndWait, false),
    (Who::RetryAndWait, false),
    (Who::Run, false),
    (Who::List, false),
    (Who::Follow, false),
];

/// When whoever follows to the end must have come to it, and how much may be sent for that.
const LONG: Duration = Duration::from_secs(86_400);
const MOST_SENT: usize = 200;

/// What was asked of a service.
#[derive(Default)]
struct Asked {
    requests: usize,
    /// Whether a start may have begun.
    may_have_begun: bool,
    /// Whether a stop may have arrived.
    may_have_stopped: bool,
}

fn answer(request: &HttpRequest, told: Told, is_alibaba: bool) -> Step {
    let (body, status) = match told {
        Told::Fail(stage) => return Step::Fail(stage),
        Told::Silence => return Step::Silence,
        Told::Plain(status, body) => return at_once(reply(status, body)),
        Told::Coded(status, code) => {
            let code = match (is_alibaba, status) {
                (true, _) => code,
                (_, 404) => "FSS.0404",
                (_, 403) => "FSS.0403",
                _ => "FSS.0429",
            };
            return coded(status, code);
        }
        Told::Status(status, stopped, name) => (execution(status, stopped, name, 0), 200),
        Told::Younger => (execution("Running", false, "n", 3600), 200),
    };
    let action = request.headers.get("x-acs-action");
    let action = action.map_or("", |action| action.to_str().unwrap());
    let is_list = request.url.path().ends_with("/executions") && request.method == Method::GET;
    let body = match action {
        "GetExecutionHistory" => json!({"Events": []}),
        "ListExecutions" => json!({"Executions": [body]}),
        "" if is_list => json!({"executions": [body], "total": 1, "size": 1}),
        _ => body,
    };
    at_once(reply(status, &body.to_string()))
}

/// An execution in the words of both clouds.
fn execution(status: &str, stopped: bool, name: &str, after: i64) -> serde_json::Value {
    let begin = wall() + chrono::TimeDelta::seconds(after);
    let end = stopped.then_some(begin + chrono::TimeDelta::seconds(60));
    let word = match status {
        "Succeeded" => "success",
        "Failed" => "fail",
        "Stopped" => "cancel",
        "Running" => "running",
        other => other,
    };
    json!({
        "FlowName": "f", "Name": name, "Status": status, "Input": "{}", "Output": "{}",
        "StartedTime": begin, "StoppedTime": end,
        "workflow_id": "f", "execution_id": name, "status": word, "input": {}, "output": {},
        "begin_time": begin, "end_time": end, "last_update_time": end,
    })
}

/// One run: how much was asked, and the error in which it ended, if it was one.
async fn follow(
    who: Who,
    is_alibaba: bool,
    script: &[Answer],
    limit: Option<Duration>,
) -> (Asked, Option<Error>) {
    let asked = Arc::new(Mutex::new(Asked::default()));
    let (noted, script) = (asked.clone(), script.to_vec());
    let script = Script::playing(move |request| {
        let mut noted = noted.lock().unwrap();
        let truth = ("succeeded", Told::Status("Succeeded", true, "n"), Surely);
        let beyond = match limit {
            None => truth,
            Some(_) => *script.last().unwrap_or(&truth),
        };
        let (_, told, begins) = script.get(noted.requests).copied().unwrap_or(beyond);
        noted.requests += 1;
        assert!(noted.requests <= MOST_SENT, "it asks on and on");
        let is_start = match request.headers.get("x-acs-action") {
            Some(action) => action == "StartExecution",
            None => request.method == Method::POST && !request.url.path().ends_with("/terminate"),
        };
        let is_stop = match request.headers.get("x-acs-action") {
            Some(action) => action == "StopExecution",
            None => request.url.path().ends_with("/terminate"),
        };
        noted.may_have_begun |= is_start && begins != Never;
        noted.may_have_stopped |= is_stop && begins != Never;
        Some(answer(request, told, is_alibaba))
    });
    let ended = tokio::time::timeout(LONG, async {
        match is_alibaba {
            true => of_alibaba(who, &script, limit).await,
            false => of_huawei(who, &script, limit).await,
        }
    });
    let error = ended.await.unwrap().err();
    (std::mem::take(&mut *asked.lock().unwrap()), error)
}

async fn of_alibaba(who: Who, script: &Arc<Script>, limit: Option<Duration>) -> Result<(), Error> {
    let client = alibaba_client(script);
    let execution = ExecutionRef::new("f", "n");
    let start = StartExecutionRequest::new("f").execution_name("n");
    match who {
        Who::Wait | Who::RetryAndWait => wait(client.wait(execution), limit).await,
        Who::StartAndWait => wait(client.start_and_wait(start), limit).await,
        Who::StopAndWait => wait(client.stop_and_wait(execution), limit).await,
        Who::Run => run(&client.workflow(StartExecutionRequest::new("f"))).await,
        Who::List => {
            list(
                client
                    .list_executions(ListExecutionsRequest::new("f"))
                    .items(),
            )
            .await
        }
        Who::Follow => many(client.follow("f"), execution).await,
    }
}

async fn of_huawei(who: Who, script: &Arc<Script>, limit: Option<Duration>) -> Result<(), Error> {
    let client = huawei_client(script);
    let execution = ExecutionRef::new("f", "n");
    let start = StartWorkflowExecutionRequest::new("f").workflow_run_id("n");
    match who {
        Who::Wait => wait(client.wait(execution), limit).await,
        Who::StartAndWait => wait(client.start_and_wait(start), limit).await,
        Who::StopAndWait => wait(client.stop_and_wait(execution), limit).await,
        Who::RetryAndWait => wait(client.retry_and_wait(execution), limit).await,
        Who::Run => run(&client.workflow(StartWorkflowExecutionRequest::new("f"))).await,
        Who::List => {
            let request = ListWorkflowExecutionsRequest::new("f").start_time(wall());
            list(client.list_workflow_executions(request).items()).await
        }
        Who::Follow => many(client.follow("f"), execution).await,
    }
}

async fn wait<A: Send + 'static>(wait: Wait<A>, limit: Option<Duration>) -> Result<(), Error> {
    let wait = match limit {
        Some(limit) => wait.deadline(limit),
        None => wait,
    };
    wait.await.map(drop)
}

async fn run(flow: &dyn Workflow) -> Result<(), Error> {
    let start = crate::Start::new(&json!({})).unwrap();
    let start = match flow.is_idempotent() {
        true => start.name("n"),
        false => start,
    };
    flow.run(start).await.map(drop)
}

/// Reads a list to its end: nothing comes after an error.
async fn list<T: Send + 'static>(mut items: Items<T>) -> Result<(), Error> {
    let mut ended = Ok(());
    while let Some(item) = items.next().await {
        assert!(ended.is_ok(), "something after an error");
        ended = item.map(drop);
    }
    ended
}

/// Follows one execution until it has been told, once.
async fn many<A: Send + 'static>(
    mut all: Follower<A>,
    execution: ExecutionRef,
) -> Result<(), Error> {
    all.add(execution.started(wall()));
    let told = all.next().await.unwrap();
    assert_eq!(told.execution.execution, "n");
    assert!(all.next().await.is_none(), "told twice");
    told.outcome.map(drop)
}

/// An error says of which execution it is, whether that may run, and what was seen of it.
fn law(
    who: Who,
    is_alibaba: bool,
    has_limit: bool,
    asked: &Asked,
    error: &Error,
) -> Result<(), String> {
    let is_of_one = !matches!(who, Who::List | Who::Run);
    let named = error.execution_name().or(error.execution_id());
    // An id of the caller's need not become the execution's on Huawei Cloud: what it says counts.
    let is_its_word = who == Who::StartAndWait && !is_alibaba && named == Some("m");
    if is_of_one && named != Some("n") && !is_its_word {
        return Err(format!("the execution is {named:?}"));
    }
    if asked.may_have_begun && !error.may_have_started() {
        return Err("it denies a start".to_owned());
    }
    if asked.may_have_stopped && error.delivery() < Delivery::Unknown {
        return Err("it denies a stop".to_owned());
    }
    if asked.requests == 0 && error.delivery() != Delivery::NotSent {
        return Err("nothing was sent, and it says otherwise".to_owned());
    }
    let words = error.to_string();
    match error.kind() {
        ErrorKind::Deadline if !has_limit => Err("there was no deadline".to_owned()),
        ErrorKind::Deadline if !words.contains("last status") && !words.contains("not known") => {
            Err("it does not say what is known".to_owned())
        }
        ErrorKind::Gone if is_of_one && !words.contains("last status") => {
            Err("it does not say what was seen last".to_owned())
        }
        _ => Ok(()),
    }
}

#[test]
fn every_sequence_of_answers_to_whoever_follows() {
    let depth = depth();
    let mut runs = 0;
    for (who, is_alibaba) in WHO {
        on_paused_clock(async {
            let mut scripts: Vec<Vec<Answer>> = vec![Vec::new()];
            while let Some(script) = scripts.pop() {
                for limit in [None, Some(Duration::from_secs(20))] {
                    let is_wait = !matches!(who, Who::Run | Who::List | Who::Follow);
                    if limit.is_some() && !is_wait {
                        continue;
                    }
                    let (asked, error) = follow(who, is_alibaba, &script, limit).await;
                    runs += 1;
                    let fault = error.as_ref().and_then(|error| {
                        law(who, is_alibaba, limit.is_some(), &asked, error).err()
                    });
                    if let Some(fault) = fault {
                        let names: Vec<&str> = script.iter().map(|(name, ..)| *name).collect();
                        let names = names.join(", then ");
                        panic!("{fault}: {who:?} {is_alibaba} {limit:?} {names}: {error:?}");
                    }
                    if limit.is_none() && asked.requests > script.len() && script.len() < depth {
                        let longer = ANSWERS.iter().map(|next| [&script[..], &[*next]].concat());
                        scripts.extend(longer);
                    }
                }
            }
        });
    }
    println!("to depth {depth}: {runs} distinct runs of whoever follows");
}
