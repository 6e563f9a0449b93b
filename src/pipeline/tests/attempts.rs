//! What the loop makes of the table: repeats, limits, delays, policy, budget, clock.

use tokio::time::Instant;

use super::*;
use crate::pipeline::{clock::monotonic, environment::Environment};

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
                let name = |request| parameter(request, "ExecutionName");
                assert!(name(first).is_some());
                assert_eq!(name(first), name(second), "the same name");
                for own in ["SignatureNonce", "Signature"] {
                    assert_ne!(parameter(first, own), parameter(second, own), "{own}");
                }
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
            parameter(request, "Timestamp")
                .unwrap()
                .starts_with("2026-11-22T12:40")
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
async fn an_output_that_does_not_fit_is_no_reason_to_run_the_flow_again() {
    let body = r#"{"Status":"Succeeded","Output":"{\"a\":\"MARKER\"}","Name":"n:1",
        "status":"success","output":{"a":"MARKER"},"execution_id":"e"}"#;
    let answer = || Script::new([at_once(reply(200, body))]);
    let call = alibaba_client(&answer()).start_sync_execution(StartSyncExecutionRequest::new("f"));
    let of_alibaba = call
        .send()
        .await
        .unwrap()
        .into_output::<Vec<u8>>()
        .unwrap_err();
    let request = StartSyncWorkflowExecutionRequest::new("id");
    let call = huawei_client(&answer()).start_sync_workflow_execution(request);
    let of_huawei = call
        .send()
        .await
        .unwrap()
        .into_output::<Vec<u8>>()
        .unwrap_err();
    for error in [&of_alibaba, &of_huawei] {
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(error.delivery(), Delivery::Accepted);
        assert!(error.may_have_started());
        assert!(!error.is_retryable());
        assert!(
            !format!("{error} {error:?}").contains("MARKER"),
            "{error:?}"
        );
    }
    assert_eq!(of_alibaba.execution_name(), Some("n:1"));
    assert_eq!(of_huawei.execution_id(), Some("e"));

    let request = alibaba::DescribeExecutionRequest::new("flow", "n:1");
    let call = alibaba_client(&answer()).describe_execution(request);
    let error = call
        .send()
        .await
        .unwrap()
        .into_output::<Vec<u8>>()
        .unwrap_err();
    assert!(!error.may_have_started(), "looking starts nothing");
}

/// A number for a code is a proxy's or firewall's word, but for IAM's older shape.
#[tokio::test(start_paused = true)]
async fn a_number_is_no_code_of_a_start() {
    for body in [
        r#"{"code":405,"message":"blocked"}"#,
        r#"{"error":{"code":405,"message":"m"}}"#,
    ] {
        for start in STARTS {
            let script = Script::new([at_once(reply(405, body))]);
            let error = start.send(&script).await.unwrap_err();
            assert_eq!(error.code(), None);
            assert_eq!(error.delivery(), Delivery::Unknown, "{start:?} {body}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_stays_clear_when_there_is_no_time_to_connect_again() {
    let refusal = with_header(
        reply(429, r#"{"Code":"ResourceThrottled"}"#),
        "retry-after",
        "58",
    );
    let script = Script::new([at_once(refusal)]);
    let error = Start::Named.send(&script).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Refused);
    assert_eq!(error.kind(), ErrorKind::Throttled);
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_does_not_verify_lasts() {
    let script = Script::new([Step::Fail(Stage::Certificate)]);
    let error = Start::Named.send(&script).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert!(!error.is_retryable());
}

/// A code and a far `Date` on a status that says that the flow may have begun.
#[tokio::test(start_paused = true)]
async fn a_failure_behind_a_familiar_code_starts_nothing_twice() {
    for code in [
        "RequestTimeTooSkewed",
        "InvalidTimeStamp.Expired",
        "InvalidSecurityToken.Expired",
        "Throttling.User",
        "ResourceThrottled",
        "ConcurrentUpdateError",
        "APIGW.0301",
        "APIGW.0613",
        "APIGW.0308",
        "FSS.0429",
        "IAM.0020",
    ] {
        for status in [408, 421, 444, 460, 499, 500, 502, 504, 599] {
            let body = json!({"Code": code, "error_code": code, "RequestId": "r"}).to_string();
            let far = "Sun, 22 Nov 2026 12:40:00 GMT";
            let refusal = move || at_once(with_header(reply(status, &body), "date", far));
            for start in [Start::Sync, Start::Workflow] {
                let script = Script::playing({
                    let refusal = refusal.clone();
                    move |_| Some(refusal())
                });
                let error = start.send(&script).await.unwrap_err();
                assert_eq!(script.sent().len(), 1, "{start:?} {status} {code}");
                assert_eq!(
                    error.delivery(),
                    Delivery::Unknown,
                    "{start:?} {status} {code}"
                );
                assert!(error.may_have_started());
                assert!(!error.is_retryable(), "{start:?} {status} {code}");
            }
            let script = Script::new([refusal(), started()]);
            assert_eq!(
                Start::Named.send(&script).await.unwrap(),
                2,
                "{status} {code}"
            );
            let sent = script.sent();
            let time = parameter(&sent[1].1, "Timestamp").unwrap();
            let ours = time.starts_with("2026-11-22T12:00");
            assert!(ours, "a clock that nobody refused: {time}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_familiar_code_on_a_status_of_its_own_is_any_code() {
    for (code, status) in [
        ("Throttling", 403),
        ("ResourceThrottled", 400),
        ("RequestTimeTooSkewed", 400),
        ("InvalidTimeStamp.Expired", 403),
        ("TaskInvalidState", 400),
        ("APIGW.0307", 403),
        ("IAM.0020", 409),
    ] {
        let body = json!({"Code": code, "error_code": code, "RequestId": "r"}).to_string();
        let far = "Sun, 22 Nov 2026 12:40:00 GMT";
        let refusal = with_header(reply(status, &body), "date", far);
        let script = Script::new([at_once(refusal)]);
        let start = match code.contains(".0") {
            true => Start::Workflow,
            false => Start::Named,
        };
        let error = start.send(&script).await.unwrap_err();
        assert_eq!(error.attempts(), 1, "{status} {code}");
        assert_eq!(error.delivery(), Delivery::Refused, "{status} {code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_ends_before_there_is_a_connection_says_so() {
    for start in STARTS {
        let script = Script::playing(|_| Some(Step::Fail(Stage::Connecting)));
        let error = start.send(&script).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert!(!error.may_have_started());
        assert!(error.is_retryable());
        assert!(error.to_string().contains("no connection to "), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_refuses_its_user_is_asked_once() {
    for start in STARTS {
        let script = Script::new([Step::Fail(Stage::Proxy)]);
        let error = start.send(&script).await.unwrap_err();
        assert_eq!(error.attempts(), 1);
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert!(!error.is_retryable());
        assert!(error.to_string().contains("proxy"), "{error}");
    }
}

/// One synchronous start at this address, answered 407, where the variables name a proxy or none.
async fn answered_407(
    endpoint: &str,
    proxied: bool,
    is_set_by_user: bool,
    answer: Reply,
) -> (Error, usize) {
    let proxy = "http://user:MARK-word@proxy.test:3128";
    let environment = match proxied {
        true => Environment::fake(&[("http_proxy", proxy), ("https_proxy", proxy)]),
        false => Environment::fake(&[]),
    };
    let script = Script::new([at_once(answer)]);
    let mut builder = alibaba::Client::builder()
        .endpoint(endpoint)
        .allow_http(true)
        .credentials(Credentials::new("id", "secret"))
        .environment(&environment)
        .scripted(&script, Clock::starting_at(wall()));
    if is_set_by_user {
        builder = builder.http(|http| http);
    }
    let call = builder
        .build()
        .unwrap()
        .start_sync_execution(StartSyncExecutionRequest::new("flow"));
    let error = call.send().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("MARK"), "{error:?}");
    (error, script.sent().len())
}

#[tokio::test(start_paused = true)]
async fn a_407_is_a_proxy_s_where_a_proxy_can_have_written_it() {
    let page = || reply(407, "<html>Proxy Authentication Required</html>");
    let asking = || with_header(page(), "proxy-authenticate", "Basic realm=\"x\"");

    for (by_user, answer) in [(false, page()), (false, asking()), (true, asking())] {
        let (error, sent) = answered_407("http://fnf.test", true, by_user, answer).await;
        assert_eq!((error.attempts(), sent), (1, 1));
        assert_eq!(error.delivery(), Delivery::NotSent, "{error}");
        assert_eq!(
            error.status(),
            Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED)
        );
        assert!(!error.is_retryable());
        assert!(error.to_string().contains("proxy"), "{error}");
        assert_eq!(
            error.to_string().contains("proxy.test:3128"),
            !by_user,
            "{error}"
        );
    }
    // Inside TLS, to this machine, and where there is no proxy, it is a 4xx like any other.
    for (endpoint, proxied, by_user, answer) in [
        ("https://fnf.test", true, false, asking()),
        ("http://127.0.0.1:1", true, false, asking()),
        ("http://fnf.test", false, false, asking()),
        ("http://fnf.test", true, true, page()),
    ] {
        let (error, sent) = answered_407(endpoint, proxied, by_user, answer).await;
        assert_eq!(sent, 1, "{endpoint}");
        assert_eq!(error.delivery(), Delivery::Unknown, "{endpoint}: {error}");
    }
    let coded = reply(407, r#"{"Code":"New.Code","RequestId":"r"}"#);
    let (error, _) = answered_407("https://fnf.test", true, false, coded).await;
    assert_eq!(error.delivery(), Delivery::Refused);
}
