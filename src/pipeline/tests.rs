//! The attempt loop on a scripted transport, under a paused clock.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use super::{
    clock::{Clock, monotonic},
    operation::Replay,
    protocol::RefusalClass,
    retry::{Event, History, Next, Pace, judge},
    transport::{
        Reply, Stage,
        scripted::{Script, Step},
    },
};
use crate::{
    Delivery, Error, ErrorKind, RetryPolicy,
    alibaba::{self, Credentials, StartExecutionRequest, StartSyncExecutionRequest},
    huawei::{self, IamPassword, StartSyncWorkflowExecutionRequest, Token},
};

const WALL: &str = "2026-11-22T12:00:00Z";

fn wall() -> DateTime<Utc> {
    WALL.parse().unwrap()
}

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.to_owned().into(),
    }
}

fn with_header(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    reply.headers.insert(name, value.parse().unwrap());
    reply
}

fn at_once(reply: Reply) -> Step {
    Step::Reply(Duration::ZERO, reply)
}

fn started() -> Step {
    at_once(reply(200, r#"{"Status":"Running"}"#))
}

fn done() -> Step {
    at_once(reply(200, r#"{"Status":"Succeeded","status":"success"}"#))
}

fn coded(status: u16, code: &str) -> Step {
    at_once(reply(
        status,
        &json!({"Code": code, "error_code": code}).to_string(),
    ))
}

fn alibaba_client(script: &Arc<Script>) -> alibaba::Client {
    alibaba::Client::builder()
        .region("cn-hangzhou")
        .credentials(Credentials::new("id", "secret"))
        .scripted(script, Clock::starting_at(wall()))
        .build()
        .unwrap()
}

fn huawei_client(script: &Arc<Script>) -> huawei::Client {
    huawei::Client::builder()
        .region("cn-north-4")
        .project_id("p")
        .credentials(Token::new("token"))
        .scripted(script, Clock::starting_at(wall()))
        .build()
        .unwrap()
}

/// The three starts, by what may be repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    Named,
    Sync,
    Workflow,
}

const STARTS: [Start; 3] = [Start::Named, Start::Sync, Start::Workflow];

impl Start {
    async fn send(self, script: &Arc<Script>) -> Result<u32, Error> {
        let attempts = match self {
            Self::Named => {
                let request = StartExecutionRequest::new("flow").execution_name("mine");
                let call = alibaba_client(script).start_execution(request);
                call.send_for_response().await?.attempts()
            }
            Self::Sync => {
                let request = StartSyncExecutionRequest::new("flow").execution_name("mine");
                let call = alibaba_client(script).start_sync_execution(request);
                call.send_for_response().await?.attempts()
            }
            Self::Workflow => {
                let request = StartSyncWorkflowExecutionRequest::new("id");
                let call = huawei_client(script).start_sync_workflow_execution(request);
                call.send_for_response().await?.attempts()
            }
        };
        Ok(attempts)
    }
}

fn refused(status: u16, class: RefusalClass) -> Event {
    Event::Refused {
        status: StatusCode::from_u16(status).unwrap(),
        class,
        skewed: false,
        renewable: false,
    }
}

/// Each row of the table, for what may be repeated and for what may not.
#[test]
fn the_table_of_what_is_repeated() {
    use Delivery::{Accepted, NotSent, Refused, Unknown};
    use RefusalClass as Class;

    let ok = StatusCode::OK;
    let (normal, throttled) = (Next::Repeat(Pace::Normal), Next::Repeat(Pace::Throttled));
    let rows = [
        (Event::Broken(Stage::Connect), NotSent, normal, normal),
        (
            Event::Broken(Stage::Certificate),
            NotSent,
            Next::Stop,
            Next::Stop,
        ),
        (
            refused(429, Class::Throttled),
            Refused,
            throttled,
            throttled,
        ),
        (
            refused(503, Class::Throttled),
            Refused,
            throttled,
            throttled,
        ),
        (
            refused(503, Class::GatewayUnavailable),
            Refused,
            normal,
            normal,
        ),
        (refused(403, Class::Clock), Refused, Next::Stop, Next::Stop),
        (
            refused(401, Class::CredentialAged),
            Refused,
            Next::Stop,
            Next::Stop,
        ),
        (refused(400, Class::Coded), Refused, Next::Stop, Next::Stop),
        (refused(404, Class::Coded), Refused, Next::Stop, Next::Stop),
        (refused(409, Class::Conflict), Refused, normal, Next::Stop),
        (refused(410, Class::Conflict), Refused, normal, Next::Stop),
        (refused(400, Class::NonceUsed), Unknown, normal, Next::Stop),
        (refused(408, Class::Coded), Unknown, normal, Next::Stop),
        (refused(408, Class::Uncoded), Unknown, normal, Next::Stop),
        (refused(500, Class::Coded), Unknown, normal, Next::Stop),
        (refused(502, Class::Uncoded), Unknown, normal, Next::Stop),
        (refused(504, Class::Coded), Unknown, normal, Next::Stop),
        (Event::Broken(Stage::Exchange), Unknown, normal, Next::Stop),
        (Event::Broken(Stage::Waiting), Unknown, normal, Next::Stop),
        (
            refused(403, Class::Uncoded),
            Unknown,
            Next::Stop,
            Next::Stop,
        ),
        (
            refused(302, Class::Uncoded),
            Unknown,
            Next::Stop,
            Next::Stop,
        ),
        (
            refused(200, Class::Uncoded),
            Unknown,
            Next::Stop,
            Next::Stop,
        ),
        (Event::Unreadable, Accepted, normal, Next::Stop),
        (
            Event::Broken(Stage::Body {
                status: ok,
                timed_out: false,
            }),
            Accepted,
            normal,
            Next::Stop,
        ),
        (
            Event::Broken(Stage::Body {
                status: ok,
                timed_out: true,
            }),
            Accepted,
            normal,
            Next::Stop,
        ),
        (
            Event::Broken(Stage::Oversized { status: ok }),
            Accepted,
            Next::Stop,
            Next::Stop,
        ),
        (
            Event::Broken(Stage::Body {
                status: StatusCode::BAD_GATEWAY,
                timed_out: false,
            }),
            Unknown,
            normal,
            Next::Stop,
        ),
        (
            Event::Broken(Stage::Body {
                status: StatusCode::FORBIDDEN,
                timed_out: false,
            }),
            Unknown,
            Next::Stop,
            Next::Stop,
        ),
    ];
    let history = History::default();
    for (event, delivery, harmless, once) in rows {
        for replay in [Replay::Repeatable, Replay::Keyed] {
            assert_eq!(
                judge(replay, false, event, &history),
                (delivery, harmless),
                "{event:?}"
            );
        }
        let judged = judge(Replay::Once, false, event, &history);
        assert_eq!(judged, (delivery, once), "{event:?}");
        // Whoever says that a second run does no harm gets the other column, but for conflicts.
        let judged = judge(Replay::Once, true, event, &history);
        let opted = match event {
            Event::Refused {
                class: Class::Conflict,
                ..
            } => once,
            _ => harmless,
        };
        assert_eq!(judged, (delivery, opted), "{event:?}");
    }
}

#[test]
fn clock_and_credential_are_mended_once() {
    let skewed = Event::Refused {
        status: StatusCode::FORBIDDEN,
        class: RefusalClass::Clock,
        skewed: true,
        renewable: false,
    };
    let aged = Event::Refused {
        status: StatusCode::UNAUTHORIZED,
        class: RefusalClass::CredentialAged,
        skewed: false,
        renewable: true,
    };
    let fresh = History::default();
    let mended = History {
        clock_corrected: true,
        credential_renewed: true,
        ..fresh
    };
    for replay in [Replay::Repeatable, Replay::Keyed, Replay::Once] {
        for (event, next) in [(skewed, Next::CorrectClock), (aged, Next::RenewCredential)] {
            assert_eq!(
                judge(replay, false, event, &fresh),
                (Delivery::Refused, next)
            );
            assert_eq!(
                judge(replay, false, event, &mended),
                (Delivery::Refused, Next::Stop)
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_repeated_only_under_a_name() {
    for lost in [Stage::Exchange, Stage::Waiting] {
        for start in STARTS {
            let script = Script::new([Step::Fail(lost), started()]);
            let sent = start.send(&script).await;
            let requests = script.sent();
            if start == Start::Named {
                assert_eq!(sent.unwrap(), 2);
                let [(_, first), (_, second)] = &requests[..] else {
                    panic!("two requests");
                };
                assert_eq!(first.body, second.body, "the same name");
                assert_ne!(
                    first.url.query(),
                    second.url.query(),
                    "another nonce and signature"
                );
            } else {
                let error = sent.unwrap_err();
                assert_eq!(requests.len(), 1, "{start:?}");
                assert_eq!(error.delivery(), Delivery::Unknown);
                assert!(error.may_have_started());
                assert!(!error.is_retryable());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_taken_is_repeated_for_every_start() {
    for start in STARTS {
        let (throttled, unavailable) = match start {
            Start::Workflow => ("APIGW.0308", "APIGW.0613"),
            _ => ("ResourceThrottled", "Throttling.User"),
        };
        let script = Script::new([
            Step::Fail(Stage::Connect),
            coded(429, throttled),
            coded(503, unavailable),
            done(),
        ]);
        assert_eq!(start.send(&script).await.unwrap(), 4, "{start:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_carries_the_worst_of_its_attempts() {
    let last = [
        (coded(404, "FlowNotExists"), ErrorKind::NotFound),
        (Step::Fail(Stage::Certificate), ErrorKind::Connect),
        (coded(403, "AccessDenied"), ErrorKind::PermissionDenied),
    ];
    for (last, kind) in last {
        let script = Script::new([Step::Fail(Stage::Exchange), last]);
        let error = Start::Named.send(&script).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(
            error.delivery(),
            Delivery::Unknown,
            "once unknown, never less"
        );
        assert!(error.may_have_started());
        assert_eq!(error.attempts(), 2);
        assert_eq!(error.execution_name(), Some("mine"));
        assert!(
            error.to_string().ends_with("; the flow may have started"),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_five_minutes_of_silence_arrives() {
    for start in [Start::Sync, Start::Workflow] {
        let late = Step::Reply(
            Duration::from_secs(300),
            reply(200, r#"{"Status":"Succeeded","status":"success"}"#),
        );
        let began = monotonic();
        assert_eq!(start.send(&Script::new([late])).await.unwrap(), 1);
        assert_eq!(monotonic() - began, Duration::from_secs(300));
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_at_the_limits() {
    let took = |began: Instant| monotonic() - began;
    for start in [Start::Sync, Start::Workflow] {
        let began = monotonic();
        let error = start.send(&Script::new([Step::Silence])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(took(began), Duration::from_secs(310));
        assert!(error.may_have_started());
    }
    let began = monotonic();
    let script = Script::playing(|_| Some(Step::Silence));
    let error = Start::Named.send(&script).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(took(began), Duration::from_secs(60), "the overall limit");
    assert!(error.is_retryable(), "the caller gave the name");
}

#[tokio::test(start_paused = true)]
async fn no_synchronous_start_is_begun_that_its_deadline_would_cut() {
    let refusal = || {
        Step::Reply(
            Duration::from_secs(200),
            reply(429, r#"{"Code":"Throttling"}"#),
        )
    };
    let script = Script::playing(move |_| Some(refusal()));
    let error = Start::Sync.send(&script).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!(
        script.sent().len(),
        2,
        "after 400 s, less than 310 of 660 s are left"
    );
}

#[tokio::test(start_paused = true)]
async fn a_short_deadline_still_leaves_room_for_a_repeat() {
    let script = Script::new([coded(429, "ResourceThrottled"), done()]);
    let call = alibaba_client(&script).start_sync_execution(StartSyncExecutionRequest::new("flow"));
    let response = call
        .timeout(Duration::from_secs(30))
        .send_for_response()
        .await
        .unwrap();
    assert_eq!(response.attempts(), 2);
    let late = || {
        Step::Reply(
            Duration::from_secs(20),
            reply(429, r#"{"Code":"Throttling"}"#),
        )
    };
    let script = Script::new([late()]);
    let call = alibaba_client(&script).start_sync_execution(StartSyncExecutionRequest::new("flow"));
    let error = call
        .timeout(Duration::from_secs(30))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.attempts(), 1, "less than half of the time is left");
}

#[tokio::test(start_paused = true)]
async fn the_service_s_delay_is_honoured_or_ends_the_call() {
    for (name, value, seconds) in [
        ("retry-after", "7", 7),
        ("x-acs-retry-after", "7000", 7),
        ("retry-after", "Sun, 22 Nov 2026 12:00:07 GMT", 7),
    ] {
        let refusal = with_header(reply(429, r#"{"Code":"ResourceThrottled"}"#), name, value);
        let script = Script::new([at_once(refusal), started()]);
        let began = monotonic();
        Start::Named.send(&script).await.unwrap();
        let took = (monotonic() - began).as_secs();
        assert!((seconds..seconds + 3).contains(&took), "{took}");
    }
    let refusal = with_header(
        reply(429, r#"{"Code":"ResourceThrottled"}"#),
        "retry-after",
        "90",
    );
    let script = Script::new([at_once(refusal)]);
    let began = monotonic();
    let error = Start::Named.send(&script).await.unwrap_err();
    assert_eq!(monotonic() - began, Duration::ZERO, "it would not fit");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));
    assert!(error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn a_policy_bounds_the_attempts() {
    let script = Script::playing(|_| Some(Step::Fail(Stage::Connect)));
    let error = Start::Sync.send(&script).await.unwrap_err();
    assert_eq!((error.attempts(), script.sent().len()), (5, 5));
    assert_eq!(error.delivery(), Delivery::NotSent);

    let call = alibaba_client(&script).start_execution(StartExecutionRequest::new("flow"));
    let error = call.retry(RetryPolicy::never()).send().await.unwrap_err();
    assert_eq!((error.attempts(), script.sent().len()), (1, 1));
    assert!(
        error
            .execution_name()
            .is_some_and(|name| name.starts_with("cw-"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_knows_better_may_repeat_a_synchronous_start() {
    let script = Script::new([Step::Fail(Stage::Exchange), done()]);
    let call = alibaba_client(&script).start_sync_execution(StartSyncExecutionRequest::new("flow"));
    let response = call.repeat_if_unknown().send_for_response().await.unwrap();
    assert_eq!(response.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_shared_by_clones_and_ends_repeats() {
    let script = Script::playing(|_| Some(Step::Fail(Stage::Connect)));
    let client = alibaba_client(&script);
    let mut sent = 0;
    for _ in 0..50 {
        let call = client
            .clone()
            .start_execution(StartExecutionRequest::new("flow"));
        call.send().await.unwrap_err();
        sent += script.sent().len();
    }
    assert_eq!(
        sent,
        50 + 100 / 5,
        "50 first attempts, and as many repeats as 100 tokens buy"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_corrected_once_and_stays_so() {
    let ahead = "Sun, 22 Nov 2026 12:40:00 GMT";
    let refusal = || {
        reply(
            403,
            r#"{"Code":"RequestTimeTooSkewed","Message":"too large"}"#,
        )
    };
    let script = Script::new([
        at_once(with_header(refusal(), "date", ahead)),
        started(),
        started(),
    ]);
    let client = alibaba_client(&script);
    for attempts in [2, 1] {
        let call = client.start_execution(StartExecutionRequest::new("flow"));
        assert_eq!(call.send_for_response().await.unwrap().attempts(), attempts);
    }
    let times: Vec<bool> = script
        .sent()
        .iter()
        .map(|(_, request)| {
            request
                .url
                .query()
                .unwrap()
                .contains("Timestamp=2026-11-22T12%3A40")
        })
        .collect();
    assert_eq!(times, [false, true, true]);

    // One attempt means one, but what was learned stays.
    let script = Script::new([at_once(with_header(refusal(), "date", ahead)), started()]);
    let client = alibaba_client(&script);
    let call = || {
        client
            .start_execution(StartExecutionRequest::new("flow"))
            .retry(RetryPolicy::never())
    };
    call().send().await.unwrap_err();
    call().send().await.unwrap();

    // A cached answer's date says nothing of now; nor does one that is near our time.
    let cached = with_header(with_header(refusal(), "date", ahead), "age", "3000");
    let near = with_header(refusal(), "date", "Sun, 22 Nov 2026 12:04:00 GMT");
    for answer in [cached, near] {
        let script = Script::new([at_once(answer)]);
        let error = Start::Sync.send(&script).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ClockSkew);
        assert_eq!(error.delivery(), Delivery::Refused);
    }

    // One that still stands says by how much.
    let far = || at_once(with_header(refusal(), "date", ahead));
    let other = "Sun, 22 Nov 2026 11:00:00 GMT";
    let script = Script::new([far(), at_once(with_header(refusal(), "date", other))]);
    let error = Start::Sync.send(&script).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("our clock is 100 min 0 s ahead of the service's"),
        "{error}"
    );
}

fn token_reply(number: usize, seconds: i64) -> Step {
    let token = json!({"token": {
        "issued_at": "2020-01-04T08:00:00Z",
        "expires_at": DateTime::parse_from_rfc3339("2020-01-04T08:00:00Z").unwrap()
            + chrono::TimeDelta::seconds(seconds),
        "project": {"id": "p"},
    }});
    let reply = reply(201, &token.to_string());
    at_once(with_header(
        reply,
        "x-subject-token",
        &format!("token-{number}"),
    ))
}

fn password_client(script: &Arc<Script>) -> huawei::Client {
    huawei::Client::builder()
        .region("cn-north-4")
        .credentials(IamPassword::new("domain", "user", "password"))
        .scripted(script, Clock::starting_at(wall()))
        .build()
        .unwrap()
}

async fn run(client: &huawei::Client) -> Result<(), Error> {
    let request = StartSyncWorkflowExecutionRequest::new("id");
    client
        .start_sync_workflow_execution(request)
        .send()
        .await
        .map(drop)
}

/// What was sent since the last look: `iam` or the token that was used.
fn tokens(script: &Script) -> Vec<String> {
    let name = |request: &super::transport::HttpRequest| match request.headers.get("x-auth-token") {
        Some(token) => token.to_str().unwrap().to_owned(),
        None => "iam".to_owned(),
    };
    script
        .sent()
        .iter()
        .map(|(_, request)| name(request))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_good_is_renewed_once() {
    let aged = || coded(401, "APIGW.0307");
    let script = Script::new([
        token_reply(1, 86_400),
        done(),
        aged(),
        token_reply(2, 86_400),
        done(),
        aged(),
        token_reply(3, 86_400),
        aged(),
    ]);
    let client = password_client(&script);
    run(&client).await.unwrap();
    run(&client).await.unwrap();
    assert_eq!(
        tokens(&script),
        ["iam", "token-1", "token-1", "iam", "token-2"]
    );
    let error = run(&client).await.unwrap_err();
    assert_eq!(tokens(&script), ["token-2", "iam", "token-3"]);
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!(error.delivery(), Delivery::Refused);
    assert_eq!(error.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_a_token_never_accepted_is_final() {
    let script = Script::new([token_reply(1, 86_400), coded(401, "APIGW.0301")]);
    let error = run(&password_client(&script)).await.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert_eq!(tokens(&script), ["iam", "token-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_ahead_while_calls_go_on() {
    let script = Script::new([
        token_reply(1, 86_400),
        done(),
        // Past fresh: the call goes on with the old token beside the renewal.
        done(),
        token_reply(2, 86_400),
        done(),
    ]);
    let client = password_client(&script);
    run(&client).await.unwrap();
    tokio::time::sleep(Duration::from_secs(86_400 - 14 * 60)).await;
    run(&client).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    run(&client).await.unwrap();
    assert_eq!(
        tokens(&script),
        ["iam", "token-1", "token-1", "iam", "token-2"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_renewal_keeps_a_usable_token_and_pauses() {
    let script = Script::playing({
        let first = std::sync::atomic::AtomicBool::new(true);
        move |request| {
            let is_token_call = request.url.path() == "/v3/auth/tokens";
            let first = is_token_call && first.swap(false, std::sync::atomic::Ordering::Relaxed);
            Some(match (is_token_call, first) {
                (true, true) => token_reply(1, 86_400),
                (true, false) => coded(500, "IAM.0006"),
                (false, _) => done(),
            })
        }
    });
    let client = password_client(&script);
    run(&client).await.unwrap();
    // Long past fresh, still usable for a synchronous start.
    tokio::time::sleep(Duration::from_secs(86_400 - 400)).await;
    for _ in 0..100 {
        run(&client).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    let used = tokens(&script);
    assert_eq!(used.iter().filter(|token| *token == "token-1").count(), 101);
    // The renewal repeats within its 10 s limit, and its failure is remembered for a pause.
    let asked = used.iter().filter(|token| *token == "iam").count();
    assert!(asked <= 1 + 5, "{asked}");
    // No longer usable: the failure reaches the callers, who share it.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let error = run(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert_eq!(error.status().unwrap(), 500);
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert!(error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn many_callers_share_one_token_call_and_dropping_one_hurts_nobody() {
    let script = Script::playing(|request| {
        Some(match request.url.path() {
            "/v3/auth/tokens" => match token_reply(1, 86_400) {
                Step::Reply(_, reply) => Step::Reply(Duration::from_secs(2), reply),
                other => other,
            },
            _ => done(),
        })
    });
    let client = password_client(&script);
    // Cold, and again when the token has come to its end.
    for _ in 0..2 {
        let first = tokio::spawn({
            let client = client.clone();
            async move { run(&client).await }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..10_000 {
            let client = client.clone();
            calls.spawn(async move { run(&client).await });
        }
        tokio::task::yield_now().await;
        first.abort();
        while let Some(call) = calls.join_next().await {
            call.unwrap().unwrap();
        }
        let asked = tokens(&script)
            .iter()
            .filter(|token| *token == "iam")
            .count();
        assert_eq!(asked, 1);
        tokio::time::sleep(Duration::from_secs(86_400)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_refused_three_times_running_is_shut_but_for_probes() {
    for (status, code) in [(403, "InvalidAccessKeyID"), (403, "SignatureNotMatch")] {
        let script = Script::playing(move |_| Some(coded(status, code)));
        let client = alibaba_client(&script);
        for call in 0..1_000 {
            let request = StartExecutionRequest::new("flow");
            let error = client.start_execution(request).send().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated);
            let delivery = if call < 3 {
                Delivery::Refused
            } else {
                Delivery::NotSent
            };
            assert_eq!(error.delivery(), delivery);
        }
        assert_eq!(script.sent().len(), 3);
        tokio::time::sleep(Duration::from_secs(61)).await;
        for _ in 0..10 {
            let request = StartExecutionRequest::new("flow");
            client.start_execution(request).send().await.unwrap_err();
        }
        assert_eq!(script.sent().len(), 1, "one probe a minute");
    }
}

/// The reply of a service whose clock is 30 s behind ours.
fn dated(status: u16, body: &serde_json::Value) -> Step {
    let theirs = wall() - chrono::TimeDelta::seconds(30);
    let date = httpdate::fmt_http_date(theirs.into());
    at_once(with_header(reply(status, &body.to_string()), "date", &date))
}

/// An execution that began so many seconds after the first attempt went out.
fn execution(status: &str, after: i64, input: &str) -> Step {
    let theirs = wall() - chrono::TimeDelta::seconds(30);
    let started = theirs + chrono::TimeDelta::seconds(after);
    dated(
        200,
        &json!({"Status": status, "Name": "mine", "StartedTime": started, "Input": input}),
    )
}

fn exists() -> Step {
    dated(
        400,
        &json!({"Code": "ExecutionAlreadyExists", "Message": "exists"}),
    )
}

/// What comes of a start under a caller's name after a lost answer.
async fn start_mine(
    steps: impl IntoIterator<Item = Step>,
) -> (Result<alibaba::StartExecutionResponse, Error>, Vec<String>) {
    let script = Script::new(steps);
    let policy = RetryPolicy::default().initial_backoff(Duration::ZERO);
    let request = StartExecutionRequest::new("flow")
        .execution_name("mine")
        .input_json(r#"{"a": 1}"#);
    let call = alibaba_client(&script)
        .start_execution(request)
        .retry(policy);
    let answer = call.send().await;
    let actions = script
        .sent()
        .into_iter()
        .map(|(_, request)| request.headers["x-acs-action"].to_str().unwrap().to_owned());
    (answer, actions.collect())
}

#[tokio::test(start_paused = true)]
async fn a_running_execution_is_told_apart_by_time_and_input() {
    use alibaba::ExecutionOrigin::{FoundRunning, Started, Unclear};

    for (after, input, origin) in [
        (0, r#"{"a": 1}"#, Started),
        (-2, r#"{"a":1}"#, Started),
        (5, r#"{ "a" : 1 }"#, Started),
        (-3, r#"{"a": 1}"#, FoundRunning),
        (0, r#"{"a": 2}"#, FoundRunning),
        (0, "", Unclear),
    ] {
        let (answer, _) = start_mine([execution("Running", after, input)]).await;
        assert_eq!(answer.unwrap().origin, origin, "{after} {input}");
    }
    // No date, no time: nothing can be told.
    let undated = reply(200, r#"{"Status":"Running","Input":"{\"a\":1}"}"#);
    let (answer, _) = start_mine([at_once(undated)]).await;
    assert_eq!(answer.unwrap().origin, Unclear);
    // A name that was made is this call's, whatever the answer shows.
    let script = Script::new([execution("Running", -100, "{}")]);
    let call = alibaba_client(&script).start_execution(StartExecutionRequest::new("flow"));
    assert_eq!(call.send().await.unwrap().origin, Started);
}

#[tokio::test(start_paused = true)]
async fn an_execution_that_ended_after_a_lost_answer_is_looked_up() {
    let lost = || Step::Fail(Stage::Exchange);
    let actions = ["StartExecution", "StartExecution", "DescribeExecution"];

    let ended = execution("Succeeded", 1, r#"{"a":1}"#);
    let (answer, sent) = start_mine([lost(), exists(), ended]).await;
    let answer = answer.unwrap();
    assert_eq!(answer.origin, alibaba::ExecutionOrigin::Started);
    assert_eq!(answer.status, alibaba::ExecutionStatus::Succeeded);
    assert_eq!(sent, actions);

    // Begun before this call, or during it with another input: ours was never begun.
    for theirs in [
        execution("Failed", -60, r#"{"a":1}"#),
        execution("Failed", 1, r#"{"a":2}"#),
    ] {
        let (answer, sent) = start_mine([lost(), exists(), theirs]).await;
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(
            error.delivery(),
            Delivery::Refused,
            "only this may make it less"
        );
        assert!(!error.may_have_started());
        assert_eq!(sent, actions);
    }

    // It cannot be told, or not be looked up: the error stands.
    let no_input = dated(200, &json!({"Status": "Failed", "StartedTime": wall()}));
    let (answer, _) = start_mine([lost(), exists(), no_input]).await;
    assert_eq!(answer.unwrap_err().delivery(), Delivery::Unknown);
    let (answer, _) = start_mine([lost(), exists(), coded(403, "AccessDenied")]).await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(error.execution_name(), Some("mine"));
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        source.starts_with("DescribeExecution: AccessDenied"),
        "{source}"
    );

    // Nothing was lost, so it is another's, and nothing is looked up.
    let (answer, sent) = start_mine([exists()]).await;
    let error = answer.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Refused);
    assert_eq!(sent, ["StartExecution"]);
}

#[tokio::test(start_paused = true)]
async fn an_execution_under_a_made_name_is_ours_even_when_it_cannot_be_looked_up() {
    let start = |script: &Arc<Script>| {
        let request = StartExecutionRequest::new("flow");
        alibaba_client(script).start_execution(request).send()
    };
    // Something on the way repeated the request: the first copy has run already.
    let script = Script::new([exists(), execution("Succeeded", -100, "{}")]);
    let answer = start(&script).await.unwrap();
    assert_eq!(answer.origin, alibaba::ExecutionOrigin::Started);

    let script = Script::new([
        Step::Fail(Stage::Exchange),
        exists(),
        coded(404, "FlowNotExists"),
    ]);
    let error = start(&script).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.delivery(), Delivery::Accepted);
    assert!(error.execution_name().unwrap().starts_with("cw-"));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_is_waited_for() {
    let late = |seconds| {
        Step::Reply(
            Duration::from_secs(seconds),
            reply(200, r#"{"Status":"Running"}"#),
        )
    };
    let describe = |script: &Arc<Script>| {
        let request = alibaba::DescribeExecutionRequest::new("flow", "mine");
        alibaba_client(script)
            .describe_execution(request.wait_time_seconds(60))
            .send()
    };
    describe(&Script::new([late(69)])).await.unwrap();
    let script = Script::new([late(71), late(15)]);
    describe(&script).await.unwrap();
    assert_eq!(script.sent().len(), 2, "a read is repeated");
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_refusals_retires_one_token_and_gets_one() {
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = asked.clone();
    let revoked = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let first_is_bad = revoked.clone();
    let script = Script::playing(move |request| {
        use std::sync::atomic::Ordering::Relaxed;
        if request.url.path() == "/v3/auth/tokens" {
            return Some(token_reply(1 + count.fetch_add(1, Relaxed), 86_400));
        }
        let is_first = request.headers["x-auth-token"] == "token-1";
        // Refusals trickle in, some long after the new token is there.
        let late = Duration::from_millis(crate::payload::random_bits().unwrap()[0].into());
        Some(match is_first && first_is_bad.load(Relaxed) {
            true => Step::Reply(late, reply(401, r#"{"error_code":"APIGW.0301"}"#)),
            false => done(),
        })
    });
    let client = password_client(&script);
    run(&client).await.unwrap();
    revoked.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..15 {
        let client = client.clone();
        calls.spawn(async move { run(&client).await });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap().unwrap();
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 2);
}

#[test]
fn a_load_whose_runtime_has_ended_is_begun_anew() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let hang = std::sync::atomic::AtomicBool::new(true);
    let script = Script::playing(move |request| {
        let is_token_call = request.url.path() == "/v3/auth/tokens";
        let hangs = is_token_call && hang.swap(false, std::sync::atomic::Ordering::Relaxed);
        Some(match (is_token_call, hangs) {
            (true, true) => Step::Silence,
            (true, false) => token_reply(1, 86_400),
            (false, _) => done(),
        })
    });
    let first = runtime();
    let client = first.block_on(async {
        let client = password_client(&script);
        let waiting = tokio::spawn({
            let client = client.clone();
            async move { run(&client).await }
        });
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        drop(waiting);
        client
    });
    drop(first);
    runtime().block_on(run(&client)).unwrap();
    assert_eq!(tokens(&script), ["iam", "iam", "token-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_ends_at_its_limit() {
    let script = Script::playing(|request| {
        Some(match request.url.path() {
            "/v3/auth/tokens" => Step::Silence,
            _ => done(),
        })
    });
    let began = monotonic();
    let error = run(&password_client(&script)).await.unwrap_err();
    assert_eq!(monotonic() - began, Duration::from_secs(10));
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.is_retryable());
    assert!(!error.may_have_started());
}
