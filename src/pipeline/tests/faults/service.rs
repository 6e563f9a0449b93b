//! A service that knows the truth: it plays a script, and remembers what it was asked, when, under
//! which name and with which key.

use std::sync::Mutex;

use chrono::TimeDelta;
use tokio::time::Instant;

use super::{
    calls::{Asked, Call, Key, Sent},
    events::{ANSWERED, CLOCK, EXISTS, Event, Execution, OURS, Play},
    *,
};
use crate::pipeline::clock::Lid;

/// What became of one call.
pub(super) struct Run {
    pub(super) call: Call,
    pub(super) requests: Vec<Request>,
    pub(super) sent: Sent,
    pub(super) began: Instant,
    pub(super) ended: Instant,
}

/// One request, and what happened to it.
pub(super) struct Request {
    pub(super) asked: Asked,
    pub(super) event: &'static Event,
    pub(super) at: Instant,
    /// The execution that it names.
    pub(super) name: Option<String>,
    /// The key or token that it was sent with.
    pub(super) key: String,
}

/// How far a service's clock is behind ours.
const BEHIND: TimeDelta = TimeDelta::seconds(30);
const FAR: TimeDelta = TimeDelta::minutes(40);
const HOUR: Duration = Duration::from_secs(3600);

/// Plays the script to one call; what is asked beyond it is answered honestly.
pub(super) async fn play(call: Call, script: &[&'static Event]) -> Run {
    let clock = Clock::starting_at(wall());
    let service = Arc::new(Mutex::new(Service {
        call,
        script: script.to_vec(),
        is_warm: call.key != Key::Proven,
        began: monotonic(),
        lid: clock.lid(),
        slept: Duration::ZERO,
        off: -BEHIND,
        requests: Vec::new(),
    }));
    let playing = service.clone();
    let script = Script::playing(move |request| Some(playing.lock().unwrap().answer(request)));
    let began = monotonic();
    let sent = call.send(&script, clock).await;
    let requests = std::mem::take(&mut service.lock().unwrap().requests);
    Run {
        call,
        requests,
        sent,
        began,
        ended: monotonic(),
    }
}

struct Service {
    call: Call,
    script: Vec<&'static Event>,
    /// Whether it has taken the key before.
    is_warm: bool,
    began: Instant,
    lid: Lid,
    slept: Duration,
    /// Its time minus ours.
    off: TimeDelta,
    requests: Vec<Request>,
}

impl Service {
    fn answer(&mut self, request: &HttpRequest) -> Step {
        if !self.is_warm {
            self.is_warm = true;
            return at_once(reply(200, r#"{"Status":"Running","status":"running"}"#));
        }
        let is_read = match request.headers.get("x-acs-action") {
            Some(action) => action == "DescribeExecution",
            None => request.method == http::Method::GET,
        };
        let asked = match is_read && self.call.starts() {
            true => Asked::Look,
            false => Asked::Call,
        };
        let honest = match asked {
            Asked::Call => &ANSWERED,
            Asked::Look => &OURS,
        };
        let event = self.script.get(self.requests.len()).copied();
        let event = event.unwrap_or(honest);
        self.requests.push(Request {
            asked,
            event,
            at: monotonic(),
            name: name(request),
            key: key(request),
        });
        self.step(event.play)
    }

    fn step(&mut self, play: Play) -> Step {
        let id = id(self.requests.len());
        let pick = |codes: [(u16, &'static str); 2]| codes[usize::from(!self.call.is_alibaba())];
        let coded = |codes| {
            let (status, code) = pick(codes);
            let body = format!(
                r#"{{"Code":"{code}","error_code":"{code}","RequestId":"{id}","request_id":"{id}"}}"#
            );
            reply(status, &body)
        };
        let answer = match play {
            Play::Fail(stage) => return Step::Fail(stage),
            Play::Silence => return Step::Silence,
            Play::BreakInSleep => {
                self.lid.shut_for(HOUR);
                self.slept += HOUR;
                return Step::Fail(Stage::Exchange);
            }
            Play::Coded(codes) => coded(codes),
            Play::Delayed(seconds, codes) => {
                with_header(coded(codes), "retry-after", &seconds.to_string())
            }
            Play::FarOff(codes) => {
                let answer = self.dated(coded(codes), FAR);
                // Whoever believes it is right from now on.
                if codes == CLOCK {
                    self.off += FAR;
                }
                return at_once(answer);
            }
            Play::Page(status) => reply(status, "<html><h1>Sorry</h1></html>"),
            Play::Unreadable => reply(
                200,
                &format!(r#"{{"RequestId":"{id}","request_id":"{id}","#),
            ),
            Play::Foreign => {
                let body = format!(r#"{{"Status":"Running","Name":"other","RequestId":"{id}"}}"#);
                reply(200, &body)
            }
            Play::Shows(execution) => reply(200, &self.show(execution, &id)),
        };
        at_once(self.dated(answer, TimeDelta::zero()))
    }

    fn show(&self, execution: Execution, id: &str) -> String {
        let first = self.requests[0].at - self.began;
        let since =
            |first: Duration, seconds| wall() + first + self.off + TimeDelta::seconds(seconds);
        let (input, started) = match execution {
            Execution::New => (1, self.now()),
            Execution::Ours => (1, since(first, 1)),
            Execution::OfOtherInput => (2, since(first, 1)),
            Execution::LongBefore => (1, since(first, -700)),
            Execution::JustBefore => (1, since(first, -60)),
        };
        json!({
            "Status": "Running", "StartedTime": started, "RequestId": id,
            "Input": format!(r#"{{"a":{input}}}"#),
            "status": "running", "execution_id": "mine", "input": {"a": input}, "request_id": id,
        })
        .to_string()
    }

    fn dated(&self, reply: Reply, further: TimeDelta) -> Reply {
        let date = httpdate::fmt_http_date((self.now() + further).into());
        with_header(reply, "date", &date)
    }

    /// Now, by its own clock.
    fn now(&self) -> DateTime<Utc> {
        wall() + (monotonic() - self.began) + self.slept + self.off
    }
}

/// The id of a request, counted from one.
fn id(number: usize) -> String {
    format!("request-{number}")
}

fn name(request: &HttpRequest) -> Option<String> {
    let header = request.headers.get("x-workflowrun-id");
    let header = header.map(|id| id.to_str().unwrap().to_owned());
    header.or_else(|| parameter(request, "ExecutionName"))
}

fn key(request: &HttpRequest) -> String {
    let header = ["x-auth-token", "authorization"];
    let mut header = header.iter().filter_map(|name| request.headers.get(*name));
    match header.next() {
        // Of a signature, what stands before it: the key.
        Some(key) => key.to_str().unwrap().split(',').next().unwrap().to_owned(),
        None => parameter(request, "AccessKeyId").unwrap(),
    }
}

impl Request {
    /// How long the service was silent, where the call has `left` of its time.
    pub(super) fn silence(&self, limit: Duration, left: Duration) -> Duration {
        match self.event.play {
            Play::Silence => limit.min(left),
            _ => Duration::ZERO,
        }
    }
}

impl Run {
    /// The requests for what the caller has called.
    pub(super) fn attempts(&self) -> Vec<&Request> {
        let requests = self.requests.iter();
        requests
            .filter(|request| request.asked == Asked::Call)
            .collect()
    }

    /// What the look showed that settled it, if there was one.
    pub(super) fn shown(&self) -> Option<Execution> {
        match self.requests.last() {
            Some(Request {
                asked: Asked::Look,
                event,
                ..
            }) => match event.play {
                Play::Shows(execution) => Some(execution),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn has_slept(&self) -> bool {
        let mut requests = self.requests.iter();
        requests.any(|request| request.event.play == Play::BreakInSleep)
    }

    /// The id of the answer to the last attempt.
    pub(super) fn last_id(&self) -> Option<String> {
        let last = self
            .requests
            .iter()
            .rposition(|request| request.asked == Asked::Call)?;
        match self.requests[last].event.play {
            Play::Fail(_) | Play::Silence | Play::BreakInSleep | Play::Page(_) => None,
            _ => Some(id(last + 1)),
        }
    }
}

/// Whether a start under a name is told that an execution of that name has ended.
pub(super) fn says_exists(event: &Event) -> bool {
    event.play == Play::Coded(EXISTS)
}
