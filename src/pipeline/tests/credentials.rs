//! The cache: tokens that age, fail, are shared and renewed; keys that are refused.

use super::*;
use crate::{
    huawei::IamPassword,
    pipeline::{clock::monotonic, environment::Environment, transport::HttpRequest},
};

pub(super) fn token_reply(number: usize, seconds: i64) -> Step {
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

pub(super) fn password_client(script: &Arc<Script>) -> huawei::Client {
    huawei::Client::builder()
        .region("cn-north-4")
        .credentials(IamPassword::new("domain", "user", "password"))
        .environment(&Environment::fake(&[]))
        .scripted(script, Clock::starting_at(wall()))
        .build()
        .unwrap()
}

pub(super) async fn run(client: &huawei::Client) -> Result<(), Error> {
    let request = StartSyncWorkflowExecutionRequest::new("id");
    client
        .start_sync_workflow_execution(request)
        .send()
        .await
        .map(drop)
}

/// What was sent since the last look: `iam` or the token that was used.
pub(super) fn tokens(script: &Script) -> Vec<String> {
    let name = |request: &HttpRequest| match request.headers.get("x-auth-token") {
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

/// A token may be far from its renewal and yet end before the flow may.
#[tokio::test(start_paused = true)]
async fn no_call_begins_on_a_token_that_could_end_before_it() {
    let script = Script::new([
        token_reply(1, 900),
        done(),
        done(),
        token_reply(2, 900),
        done(),
    ]);
    let client = password_client(&script);
    run(&client).await.unwrap();
    tokio::time::sleep(Duration::from_secs(580)).await;
    run(&client).await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    run(&client).await.unwrap();
    assert_eq!(
        tokens(&script),
        ["iam", "token-1", "token-1", "iam", "token-2"]
    );
}

/// The monotonic clock stands still while a laptop sleeps, and a token's life does not.
#[tokio::test(start_paused = true)]
async fn a_token_ends_by_the_clock_that_says_so_first() {
    for (slept, ran) in [(3_500, 0), (0, 3_500), (1_800, 1_700)] {
        let script = Script::new([
            token_reply(1, 3_600),
            done(),
            done(),
            token_reply(2, 3_600),
            done(),
        ]);
        let clock = Clock::starting_at(wall());
        let lid = clock.lid();
        let client = huawei::Client::builder()
            .region("cn-north-4")
            .credentials(IamPassword::new("domain", "user", "password"))
            .environment(&Environment::fake(&[]))
            .scripted(&script, clock)
            .build()
            .unwrap();
        run(&client).await.unwrap();
        lid.shut_for(Duration::from_secs(slept / 2));
        tokio::time::sleep(Duration::from_secs(ran / 2)).await;
        run(&client).await.unwrap();
        lid.shut_for(Duration::from_secs(slept / 2));
        tokio::time::sleep(Duration::from_secs(ran / 2)).await;
        run(&client).await.unwrap();
        assert_eq!(
            tokens(&script),
            ["iam", "token-1", "token-1", "iam", "token-2"],
            "slept {slept} s, ran {ran} s"
        );
    }
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
        let late = Duration::from_millis(crate::bits::random_bits().unwrap()[0].into());
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

#[tokio::test(start_paused = true)]
async fn a_token_that_dies_before_it_was_accepted_is_given_up_once_a_minute() {
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = asked.clone();
    let script = Script::playing(move |request| {
        use std::sync::atomic::Ordering::Relaxed;
        if request.url.path() == "/v3/auth/tokens" {
            return Some(token_reply(1 + count.fetch_add(1, Relaxed), 86_400));
        }
        // Only the third token is ever taken.
        Some(match request.headers["x-auth-token"] == "token-3" {
            true => done(),
            false => coded(401, "APIGW.0301"),
        })
    });
    let client = password_client(&script);
    for _ in 0..3 {
        run(&client).await.unwrap_err();
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 1);
    for _ in 0..100 {
        let error = run(&client).await.unwrap_err();
        assert_eq!(error.delivery(), Delivery::Refused, "a token is not shut");
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 2);
    tokio::time::sleep(Duration::from_secs(61)).await;
    run(&client).await.unwrap_err();
    run(&client).await.unwrap();
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn whoever_says_what_is_wrong_with_a_request_has_accepted_its_token() {
    let script = Script::new([
        token_reply(1, 86_400),
        coded(400, "FSS.0400"),
        coded(401, "APIGW.0307"),
        token_reply(2, 86_400),
        done(),
    ]);
    let client = password_client(&script);
    run(&client).await.unwrap_err();
    run(&client).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn corrections_are_not_what_the_budget_is_for() {
    let script = Script::playing(|request| {
        let is_right = parameter(request, "Timestamp")?.starts_with("2026-11-22T12:40");
        let refusal = reply(403, r#"{"Code":"RequestTimeTooSkewed"}"#);
        let date = "Sun, 22 Nov 2026 12:40:00 GMT";
        Some(match is_right {
            true => started(),
            false => Step::Reply(
                Duration::from_millis(50),
                with_header(refusal, "date", date),
            ),
        })
    });
    let client = alibaba_client(&script);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..200 {
        calls.spawn(
            client
                .start_execution(StartExecutionRequest::new("flow"))
                .send(),
        );
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_is_a_failed_one() {
    #[derive(Debug)]
    struct Panics(std::sync::atomic::AtomicUsize);

    impl crate::ProvideCredential<huawei::Credential> for Arc<Panics> {
        fn provide<'a>(
            &'a self,
            _: &'a crate::Context,
        ) -> crate::BoxFuture<'a, Result<crate::Lease<huawei::Credential>, Error>> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Box::pin(async { panic!("on purpose") })
        }
    }

    let source = Arc::new(Panics(0.into()));
    let script = Script::new([]);
    let client = huawei::Client::builder()
        .region("cn-north-4")
        .credentials(source.clone())
        .scripted(&script, Clock::starting_at(wall()))
        .build()
        .unwrap();
    for _ in 0..10 {
        let error = run(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
    }
    assert_eq!(source.0.load(std::sync::atomic::Ordering::Relaxed), 1);
    // Once is no sign that it always will.
    tokio::time::sleep(Duration::from_secs(1)).await;
    run(&client).await.unwrap_err();
    assert_eq!(source.0.load(std::sync::atomic::Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_source_of_one_s_own_can_fail_for_now() {
    #[derive(Debug)]
    struct Sealed;

    impl crate::ProvideCredential<huawei::Credential> for Sealed {
        fn provide<'a>(
            &'a self,
            _: &'a crate::Context,
        ) -> crate::BoxFuture<'a, Result<crate::Lease<huawei::Credential>, Error>> {
            Box::pin(async { Err(Error::credentials("the vault is sealed", true, None)) })
        }
    }

    let client = huawei::Client::builder()
        .region("cn-north-4")
        .credentials(Sealed)
        .scripted(&Script::new([]), Clock::starting_at(wall()))
        .build()
        .unwrap();
    let error = run(&client).await.unwrap_err();
    assert!(error.is_retryable());
    let why = "no credential could be had: the vault is sealed";
    assert!(error.to_string().contains(why), "{error}");
    assert!(std::error::Error::source(&error).is_none(), "said already");
}

#[tokio::test(start_paused = true)]
async fn a_slow_credential_does_not_send_a_start_that_would_be_cut() {
    let script = Script::playing(|request| {
        Some(match request.url.path() {
            "/v3/auth/tokens" => match token_reply(1, 86_400) {
                Step::Reply(_, reply) => Step::Reply(Duration::from_secs(7), reply),
                other => other,
            },
            _ => done(),
        })
    });
    let request = StartSyncWorkflowExecutionRequest::new("id");
    let call = password_client(&script).start_sync_workflow_execution(request);
    let error = call
        .timeout(Duration::from_secs(8))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(tokens(&script), ["iam"]);
}

/// What a source of the caller's own has for a cause is the cause of each waiter's error.
#[tokio::test(start_paused = true)]
async fn the_cause_that_a_source_gave_can_be_had() {
    #[derive(Debug)]
    struct Sealed;

    impl crate::ProvideCredential<huawei::Credential> for Sealed {
        fn provide<'a>(
            &'a self,
            _: &'a crate::Context,
        ) -> crate::BoxFuture<'a, Result<crate::Lease<huawei::Credential>, Error>> {
            let cause = Box::new(std::io::Error::other("broken pipe"));
            Box::pin(async { Err(Error::credentials("no vault", false, Some(cause))) })
        }
    }

    let client = huawei::Client::builder()
        .region("cn-north-4")
        .credentials(Sealed)
        .scripted(&Script::new([]), Clock::starting_at(wall()))
        .build()
        .unwrap();
    let error = run(&client).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap();
    assert!(cause.is::<std::io::Error>(), "{cause:?}");
}

/// A wrong clock, ours or the issuer's: every key is at its end when it comes.
#[tokio::test(start_paused = true)]
async fn a_source_whose_keys_are_always_at_their_end_is_asked_at_a_pace() {
    for seconds in [0, -600, 5] {
        let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = asked.clone();
        let script = Script::playing(move |request| {
            Some(match request.url.path() {
                "/v3/auth/tokens" => {
                    let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    token_reply(number, seconds)
                }
                _ => done(),
            })
        });
        let client = password_client(&script);
        // 1,000 calls in 100 s.
        for _ in 0..1_000 {
            run(&client).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let asked = asked.load(std::sync::atomic::Ordering::Relaxed);
        assert!((2..=25).contains(&asked), "{asked}");
    }
}

/// Huawei Cloud's gateway has one code for all that may be wrong with a signed request.
#[tokio::test(start_paused = true)]
async fn only_refusals_of_the_key_shut_it() {
    for (status, code, words, shuts) in [
        (401, "APIGW.0301", "request body too large", false),
        (401, "APIGW.0301", "not authorized for this API", false),
        (401, "APIG.0301", "current ip:192.0.2.7 refused", false),
        (401, "APIGW.0303", "app credentials wrong", false),
        (401, "FSS.0401", "not permit", false),
        (401, "APIGW.0301", "verify aksk signature fail", true),
        (401, "APIGW.0301", "ak XYZ not exist", true),
        (401, "APIGW.0301", "Get secretKey failed", true),
        (
            401,
            "APIGW.0301",
            "AK access failed to reach the limit,forbidden",
            true,
        ),
        (401, "APIGW.0301", "", true),
    ] {
        let words = format!("Incorrect IAM authentication information: {words}");
        let script = Script::playing(move |_| {
            let body = json!({"error_code": code, "error_msg": words, "request_id": "r"});
            Some(at_once(reply(status, &body.to_string())))
        });
        let client = huawei::Client::builder()
            .region("cn-north-4")
            .project_id("p")
            .credentials(huawei::AccessKey::new("ak", "sk"))
            .scripted(&script, Clock::starting_at(wall()))
            .build()
            .unwrap();
        for _ in 0..10 {
            run(&client).await.unwrap_err();
        }
        let sent = script.sent().len();
        assert_eq!(sent, if shuts { 3 } else { 10 }, "{code}");
    }
}
