//! The real clients against the emulator: over real HTTP, with verified signatures and tokens.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use cloud_workflows::{
    Delivery, Error, ErrorCode, ErrorKind, FlowFailure, RetryPolicy,
    alibaba::{Credentials, StartExecutionRequest, StartSyncExecutionRequest},
    emulator::{Emulator, Fault, StandardSync},
    huawei::{AccessKey, IamPassword, StartSyncWorkflowExecutionRequest},
};
use serde_json::{Value, json};

fn echoing() -> Emulator {
    let emulator = Emulator::start().unwrap();
    emulator
        .standard("standard", |input: Value| Ok(input))
        .express("express", |input: Value| Ok(input))
        .workflow("workflow", |input: Value| Ok(input));
    emulator
}

fn sync(input: &str) -> StartSyncExecutionRequest {
    StartSyncExecutionRequest::new("express").input_json(input)
}

fn workflow(input: &str) -> StartSyncWorkflowExecutionRequest {
    StartSyncWorkflowExecutionRequest::new("workflow").input_json(input)
}

/// Every kind of text that a signature or a form may get wrong comes back as it went.
#[tokio::test]
async fn every_text_comes_back() {
    let emulator = echoing();
    let alibaba = emulator.alibaba().build().unwrap();
    let huawei = emulator.huawei().build().unwrap();
    let ascii: String = (0..128u8).map(char::from).collect();
    let planes: String = [0x00e9, 0x200b, 0x4e2d, 0xfffd, 0x1f600, 0x2_0000, 0x10_ffff]
        .iter()
        .filter_map(|&c| char::from_u32(c))
        .collect();
    let texts = [
        "",
        "* ~ + % & = # ? / ; : !'()",
        &ascii,
        &planes,
        &"中".repeat(21_000),
    ];
    for text in texts {
        let key: String = text.chars().take(200).collect();
        let input = json!({ key: text, "n": 1.5 });
        let request = sync(&input.to_string());
        let done = alibaba.start_sync_execution(request).send().await.unwrap();
        assert_eq!(done.into_output::<Value>().unwrap(), input);
    }
    for text in texts {
        let input = json!({ text: text });
        let request = workflow(&input.to_string()).header("名", text);
        let done = huawei
            .start_sync_workflow_execution(request)
            .send()
            .await
            .unwrap();
        assert_eq!(done.into_output::<Value>().unwrap(), input);
    }
    let tokens = emulator.requests();
    let tokens = tokens
        .iter()
        .filter(|request| request.operation == "KeystoneCreateUserTokenByPassword");
    assert_eq!(tokens.count(), 1, "one token for all calls");
}

#[tokio::test]
async fn a_named_start_runs_once() {
    let emulator = Emulator::start().unwrap();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    emulator.standard("slow", move |input: Value| {
        let _ = held.lock().unwrap().recv();
        Ok(input)
    });
    let client = emulator.alibaba().build().unwrap();
    let start = || {
        let request = StartExecutionRequest::new("slow").execution_name("order-17");
        client.start_execution(request.input_json("{}")).send()
    };
    let first = start().await.unwrap();
    let second = start().await.unwrap();
    assert_eq!(
        first.started_time, second.started_time,
        "the running one is given back"
    );
    assert_eq!(emulator.runs("slow"), 1);
    release.send(()).unwrap();
    while emulator.executions("slow")[0].status != "Succeeded" {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let error = start().await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::ExecutionAlreadyExists));
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(emulator.runs("slow"), 1);
}

#[tokio::test]
async fn failures_of_flows_are_answers() {
    let emulator = Emulator::start().unwrap();
    let fail = |_: Value| Err::<Value, _>(FlowFailure::new("Broken", "no luck"));
    let late = |_: Value| Err::<Value, _>(FlowFailure::timed_out());
    emulator.express("fail", fail).workflow("fail", fail);
    emulator.express("late", late).workflow("late", late);
    let alibaba = emulator.alibaba().build().unwrap();
    let huawei = emulator.huawei().build().unwrap();
    for (flow, kind) in [
        ("fail", ErrorKind::FlowFailed),
        ("late", ErrorKind::FlowTimedOut),
    ] {
        let request = StartSyncExecutionRequest::new(flow);
        let done = alibaba.start_sync_execution(request).send().await.unwrap();
        let error = done.into_output::<Value>().unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.execution_name().unwrap().contains(':'));

        let request = StartSyncWorkflowExecutionRequest::new(flow);
        let done = huawei
            .start_sync_workflow_execution(request)
            .send()
            .await
            .unwrap();
        let error = done.into_output::<Value>().unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.execution_id().is_some());
    }
}

#[tokio::test]
async fn a_standard_flow_started_synchronously_is_an_error_in_both_forms() {
    let request = || StartSyncExecutionRequest::new("standard");
    let refusing = echoing();
    let client = refusing.alibaba().build().unwrap();
    let error = client
        .start_sync_execution(request())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::ActionNotSupported));

    let builder = Emulator::builder().standard_sync(StandardSync::FailedExecution);
    let failing = builder.start().unwrap();
    failing.standard("standard", |input: Value| Ok(input));
    let client = failing.alibaba().build().unwrap();
    let done = client.start_sync_execution(request()).send().await.unwrap();
    let error = done.into_output::<Value>().unwrap_err();
    assert_eq!(
        error.flow_failure().unwrap().code(),
        Some("ActionNotSupported")
    );
}

#[tokio::test]
async fn wrong_credentials_are_refused() {
    let emulator = echoing();
    let (id, secret) = emulator.access_key();
    for (id, secret, code) in [
        (id, "wrong", ErrorCode::SignatureNotMatch),
        ("unknown", secret, ErrorCode::InvalidAccessKeyID),
    ] {
        let client = emulator.alibaba().credentials(Credentials::new(id, secret));
        let client = client.build().unwrap();
        let error = client
            .start_sync_execution(sync("{}"))
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some(&code));
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert!(!error.may_have_started());
    }
    let (domain, user, _) = emulator.iam_user();
    let client = emulator
        .huawei()
        .credentials(IamPassword::new(domain, user, "wrong"));
    let client = client.build().unwrap();
    let call = client.start_sync_workflow_execution(workflow("{}"));
    let error = call.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert_eq!(
        (emulator.runs("express"), emulator.runs("workflow")),
        (0, 0)
    );
}

#[tokio::test]
async fn an_expired_token_is_renewed() {
    let emulator = echoing();
    let client = emulator.huawei().build().unwrap();
    let run = || {
        client
            .start_sync_workflow_execution(workflow("{}"))
            .send_for_response()
    };
    assert_eq!(run().await.unwrap().attempts(), 1);
    emulator.expire_tokens();
    assert_eq!(run().await.unwrap().attempts(), 2);
    emulator.revoke_tokens();
    assert_eq!(run().await.unwrap().attempts(), 2);
    assert_eq!(emulator.runs("workflow"), 3);
}

#[tokio::test]
async fn a_clock_that_is_off_is_corrected() {
    let emulator = echoing();
    emulator.shift_clock(chrono::TimeDelta::minutes(-40));
    let client = emulator.alibaba().build().unwrap();
    let run = || client.start_sync_execution(sync("{}")).send_for_response();
    assert_eq!(run().await.unwrap().attempts(), 2);
    assert_eq!(run().await.unwrap().attempts(), 1);
}

/// What each fault leads to, for the start with a name and for those without.
#[tokio::test]
async fn what_is_lost_is_repeated_only_under_a_name() {
    let before = [
        Fault::refuse(429, "ResourceThrottled", "slow down").header("Retry-After", "0"),
        Fault::refuse(503, "Throttling", "slow down"),
    ];
    let unknown = [
        Fault::cut_before_run(),
        Fault::cut_after_run(),
        Fault::answer(502, "text/html", "<h1>Bad Gateway</h1>"),
        Fault::answer(502, "text/html", "<h1>Bad Gateway</h1>").after_run(),
        Fault::refuse(500, "InternalServerError", "no"),
        Fault::cut_reply(5),
        Fault::answer(200, "text/html", "<html>").after_run(),
    ];
    let emulator = Emulator::start().unwrap();
    // It runs until the test lets go of it, so a repeat finds it running.
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    emulator.standard("standard", move |input: Value| {
        let _ = held.lock().unwrap().recv();
        Ok(input)
    });
    emulator.express("express", |input: Value| Ok(input));
    let client = emulator.alibaba().build().unwrap();
    for (n, fault) in before.iter().chain(&unknown).enumerate() {
        emulator.fault::<StartExecutionRequest>(fault.clone());
        let request = StartExecutionRequest::new("standard").execution_name(format!("e-{n}"));
        let started = client
            .start_execution(request)
            .send_for_response()
            .await
            .unwrap();
        assert_eq!(started.attempts(), 2, "{fault:?}");
        assert_eq!(emulator.runs("standard"), n + 1, "{fault:?}");
    }
    drop(release);

    for fault in before {
        emulator.fault::<StartSyncExecutionRequest>(fault);
        let call = client.start_sync_execution(sync("{}"));
        assert_eq!(call.send_for_response().await.unwrap().attempts(), 2);
    }
    for fault in unknown {
        let runs = emulator.runs("express");
        emulator.fault::<StartSyncExecutionRequest>(fault.clone());
        let error = client
            .start_sync_execution(sync("{}"))
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.attempts(), 1, "{fault:?}");
        assert!(error.delivery() >= Delivery::Unknown, "{fault:?}");
        assert!(error.may_have_started());
        assert!(emulator.runs("express") <= runs + 1);
    }
}

/// A user's own HTTP client cannot undo what keeps a call safe.
#[tokio::test]
async fn a_user_s_http_client_is_hardened() {
    let emulator = echoing();
    let tight = |http: reqwest::ClientBuilder| {
        http.timeout(Duration::from_millis(50))
            .read_timeout(Duration::from_millis(50))
            .redirect(reqwest::redirect::Policy::limited(10))
            .retry(
                reqwest::retry::for_host("127.0.0.1")
                    .max_retries_per_request(3)
                    .classify_fn(|outcome| outcome.retryable()),
            )
            .no_proxy()
    };
    let client = emulator.alibaba().http(tight).build().unwrap();

    emulator.fault::<StartSyncExecutionRequest>(Fault::none().after(Duration::from_millis(300)));
    client
        .start_sync_execution(sync("{}"))
        .send()
        .await
        .unwrap();

    emulator.clear_requests();
    emulator.fault::<StartSyncExecutionRequest>(Fault::refuse(500, "InternalServerError", "no"));
    client
        .start_sync_execution(sync("{}"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(emulator.requests().len(), 1, "no repeat behind our back");

    emulator.clear_requests();
    let away = Fault::answer(307, "text/plain", "").header("location", &emulator.url());
    emulator.fault::<StartSyncExecutionRequest>(away);
    client
        .start_sync_execution(sync("{}"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(emulator.requests().len(), 1, "no redirect");
}

#[tokio::test]
async fn limits_without_bounds_do_not_overflow() {
    let emulator = echoing();
    let forever = Duration::MAX;
    let policy = RetryPolicy::default()
        .initial_backoff(forever)
        .max_backoff(forever);
    let builder = emulator.huawei().timeout(forever).attempt_timeout(forever);
    let client = builder
        .connect_timeout(forever)
        .retry(policy)
        .build()
        .unwrap();
    let call = client.start_sync_workflow_execution(workflow("{}"));
    call.send().await.unwrap();
    emulator.fault::<StartSyncWorkflowExecutionRequest>(Fault::refuse(
        429,
        "APIGW.0308",
        "slow down",
    ));
    let call = client.start_sync_workflow_execution(workflow("{}"));
    // The pause is anything up to a year, and fits only with luck: the call ends or waits.
    let _ = tokio::time::timeout(Duration::from_millis(20), call.send()).await;
}

#[tokio::test]
async fn dropping_a_call_stops_waiting_and_the_flow_goes_on() {
    let emulator = echoing();
    emulator.fault::<StartSyncExecutionRequest>(Fault::hang_after_run());
    let client = emulator.alibaba().build().unwrap();
    let call = tokio::spawn(client.start_sync_execution(sync("{}")).send());
    while emulator.runs("express") == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let done = client.start_sync_execution(sync("{}")).send().await;
    done.map_err(|error: Error| error.to_string()).unwrap();
    assert_eq!(emulator.runs("express"), 2);
}

#[tokio::test]
async fn a_deadline_ends_a_call_that_nobody_answers() {
    let emulator = echoing();
    emulator.fault::<StartSyncWorkflowExecutionRequest>(Fault::hang());
    let client = emulator.huawei().build().unwrap();
    let call = client.start_sync_workflow_execution(workflow("{}"));
    let error = call
        .timeout(Duration::from_millis(200))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert!(
        error.to_string().ends_with("; the flow may have started"),
        "{error}"
    );
}

fn huawei_key(emulator: &Emulator) -> AccessKey {
    let (access_key, secret_key) = emulator.huawei_key();
    AccessKey::new(access_key, secret_key)
}

fn count(emulator: &Emulator, operation: &str) -> usize {
    let requests = emulator.requests();
    let found = requests.iter().filter(|r| r.operation == operation);
    found.count()
}

#[tokio::test]
async fn a_key_of_huawei_signs_every_text() {
    let emulator = Emulator::start().unwrap();
    let client = emulator.huawei().credentials(huawei_key(&emulator));
    let client = client.build().unwrap();
    let ascii: String = (0..128u8).map(char::from).collect();
    for id in [
        "48aff955-ea10-4ffd-b426-190bc192dc14",
        "urn:fss:cn-north-4:0:workflow:default:my flow:latest",
        "工作流-1😀",
        "a+b~c.d_e",
        "...",
        "100%25%2F%",
        "a?b=c&d#e;f",
        "'!(*)\"<>[]{}|^`@$,",
    ] {
        emulator.workflow(id, |input: Value| Ok(input));
        for text in ["", "中 * ~ + % & = # ? / | 😀", &ascii] {
            let input = json!({ text: text });
            let request = StartSyncWorkflowExecutionRequest::new(id).input(&input);
            let done = client.start_sync_workflow_execution(request).send().await;
            assert_eq!(done.unwrap().into_output::<Value>().unwrap(), input);
        }
        assert_eq!(emulator.runs(id), 3);
    }
    assert_eq!(count(&emulator, "KeystoneListProjects"), 1);
    assert_eq!(count(&emulator, "KeystoneCreateUserTokenByPassword"), 0);
}

#[tokio::test]
async fn a_temporary_key_of_huawei_needs_its_token() {
    let builder = Emulator::builder().huawei_temporary_key("AK", "SK", "st/a+b==");
    let emulator = builder.start().unwrap();
    emulator.workflow("workflow", |input: Value| Ok(input));
    let run = |key: AccessKey| {
        let client = emulator.huawei().project_id(emulator.project_id());
        let client = client.credentials(key).build().unwrap();
        client.start_sync_workflow_execution(workflow("{}")).send()
    };
    let key = AccessKey::new("AK", "SK");
    run(key.clone().security_token("st/a+b==")).await.unwrap();
    for wrong in [key.clone(), key.security_token("other")] {
        let error = run(wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }
}

#[tokio::test]
async fn a_wrong_key_of_huawei_is_hardly_sent() {
    let emulator = echoing();
    let (access_key, _) = emulator.huawei_key();
    let wrong = AccessKey::new(access_key, "no-key-of-anybody");
    let told = emulator.huawei().project_id(emulator.project_id());
    let client = told.credentials(wrong.clone()).build().unwrap();
    for _ in 0..50 {
        let call = client.start_sync_workflow_execution(workflow("{}"));
        let error = call.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        if error.attempts() > 0 {
            let message = error.message();
            assert!(message.ends_with("the secret key is wrong"), "{message}");
        }
    }
    assert_eq!(count(&emulator, "StartSyncWorkflowExecution"), 3);

    // The look-up of the project is not even tried again.
    let client = emulator.huawei().credentials(wrong).build().unwrap();
    for _ in 0..50 {
        let call = client.start_sync_workflow_execution(workflow("{}"));
        let error = call.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        let said = error.to_string();
        assert!(said.contains("the secret key is wrong"), "{said}");
    }
    assert_eq!(count(&emulator, "KeystoneListProjects"), 1);
    assert_eq!(emulator.runs("workflow"), 0);

    // Four refusals are borne: the right key still works.
    let client = emulator.huawei().credentials(huawei_key(&emulator));
    let call = client.build().unwrap();
    let call = call.start_sync_workflow_execution(workflow("{}"));
    call.send().await.unwrap();
}

#[tokio::test]
async fn more_than_five_refusals_lock_a_key_of_huawei() {
    let emulator = echoing();
    let (access_key, _) = emulator.huawei_key();
    let run = |key: AccessKey| {
        let client = emulator.huawei().project_id(emulator.project_id());
        let client = client.credentials(key).build().unwrap();
        client.start_sync_workflow_execution(workflow("{}")).send()
    };
    for _ in 0..6 {
        let error = run(AccessKey::new(access_key, "no-key-of-anybody"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some(&ErrorCode::Apigw0301));
    }
    let error = run(huawei_key(&emulator)).await.unwrap_err();
    let locked = "AK access failed to reach the limit,forbidden";
    assert!(error.message().ends_with(locked), "{error}");
    emulator.shift_clock(chrono::TimeDelta::minutes(6));
    run(huawei_key(&emulator)).await.unwrap();
    let error = run(AccessKey::new("unknown", "wrong")).await.unwrap_err();
    assert!(error.message().ends_with("ak not exist"), "{error}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_corrected_for_a_key_of_huawei() {
    for told in [true, false] {
        let emulator = echoing();
        emulator.shift_clock(chrono::TimeDelta::minutes(-40));
        let mut client = emulator.huawei().credentials(huawei_key(&emulator));
        if told {
            client = client.project_id(emulator.project_id());
        }
        let client = client.build().unwrap();
        for attempts in [1 + u32::from(told), 1] {
            let call = client.start_sync_workflow_execution(workflow("{}"));
            assert_eq!(call.send_for_response().await.unwrap().attempts(), attempts);
        }
        let look_ups = if told { 0 } else { 2 };
        assert_eq!(count(&emulator, "KeystoneListProjects"), look_ups);
    }
}

#[tokio::test]
async fn a_region_without_a_project_is_told() {
    let emulator = echoing();
    let client = emulator.huawei().region("cn-east-3");
    let client = client.credentials(huawei_key(&emulator)).build().unwrap();
    let call = client.start_sync_workflow_execution(workflow("{}"));
    let error = call.send().await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("no project named cn-east-3"), "{said}");
}

/// Never both a token and a signature; the gateway refuses that.
#[tokio::test]
async fn the_emulator_refuses_a_token_beside_a_signature() {
    let emulator = echoing();
    let url = format!(
        "{}/v2/{}/fgs/workflows/workflow/sync-executions",
        emulator.url(),
        emulator.project_id()
    );
    let request = reqwest::Client::new().post(url).body("{\"input\":{}}");
    let request = request.header("x-auth-token", "t");
    let reply = request.header(
        "authorization",
        "SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=b",
    );
    let reply = reply.send().await.unwrap();
    assert_eq!(reply.status(), 401);
    assert!(
        reply
            .text()
            .await
            .unwrap()
            .contains("both a token and a signature")
    );
}
