//! What attempts count for at the pacers of their operations.

use std::sync::Mutex;

use super::*;
use crate::{
    Quota,
    alibaba::{Bucket, DescribeExecutionRequest, ListExecutionsRequest, StopExecutionRequest},
    huawei::StartWorkflowExecutionRequest,
    pipeline::{
        attempt, operation::Exchange as _, options::CallOptions, pace::tests::Bucket as Account,
    },
};

#[tokio::test(start_paused = true)]
async fn a_refused_attempt_halves_the_pace_of_its_own_bucket_alone() {
    let script = Script::new([coded(429, "ResourceThrottled"), started()]);
    let client = alibaba_client(&script);
    let full = client.pace(Bucket::DescribeExecution);
    assert!((full.rate - 4.5).abs() < 1e-9, "nine tenths of the refill");
    let request = DescribeExecutionRequest::new("flow", "mine");
    client.describe_execution(request).send().await.unwrap();
    let slowed = client.pace(Bucket::DescribeExecution);
    assert_eq!(slowed.refusals, 1);
    assert!(slowed.rate < full.rate * 0.6, "{slowed:?}");
    for other in [
        Bucket::StartExecution,
        Bucket::GetExecutionHistory,
        Bucket::Others,
    ] {
        assert_eq!(client.pace(other).refusals, 0, "{other:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn operations_without_a_bucket_of_their_own_share_one() {
    let script = Script::new([
        coded(429, "ResourceThrottled"),
        at_once(reply(200, r#"{"Executions":[]}"#)),
        coded(429, "ResourceThrottled"),
        started(),
    ]);
    let client = alibaba_client(&script);
    let list = ListExecutionsRequest::new("flow");
    client.list_executions(list).send().await.unwrap();
    let stop = StopExecutionRequest::new("flow", "mine");
    client.stop_execution(stop).send().await.unwrap();
    assert_eq!(client.pace(Bucket::Others).refusals, 2);
}

#[tokio::test(start_paused = true)]
async fn a_raised_quota_is_a_setting() {
    let script = Script::new([]);
    let client = alibaba::Client::builder()
        .region("cn-hangzhou")
        .credentials(Credentials::new("id", "secret"))
        .quota(Bucket::DescribeExecution, Quota::new(1_000, 100.0))
        .scripted(&script, Clock::starting_at(wall()))
        .build()
        .unwrap();
    let pace = client.pace(Bucket::DescribeExecution);
    assert!((pace.rate - 90.0).abs() < 1e-9, "{pace:?}");
}

/// A poll by itself.
async fn poll(client: &alibaba::Client) -> Result<u32, Error> {
    let request = DescribeExecutionRequest::new("flow", "mine");
    let name = request.name();
    let encoded = request.encode().unwrap();
    let options = CallOptions {
        is_poll: true,
        ..CallOptions::default()
    };
    let pipeline = client.pipeline();
    let sent = attempt::run::<DescribeExecutionRequest>(pipeline, name, Ok(&encoded), &options);
    Ok(sent.await?.attempts())
}

#[tokio::test(start_paused = true)]
async fn polls_are_one_attempt_and_leave_the_retry_budget_alone() {
    let script = Script::playing(|_| Some(coded(429, "ResourceThrottled")));
    let client = alibaba_client(&script);
    for _ in 0..100 {
        assert_eq!(poll(&client).await.unwrap_err().attempts(), 1);
    }
    assert_eq!(client.pace(Bucket::DescribeExecution).refusals, 0);
    script.sent();
    // A call of the user's still has all its attempts.
    let request = DescribeExecutionRequest::new("flow", "mine");
    let error = client.describe_execution(request).send().await.unwrap_err();
    assert_eq!(error.attempts(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_clock_of_a_poll_is_corrected() {
    let late = with_header(
        reply(400, r#"{"Code":"InvalidTimeStamp.Expired"}"#),
        "date",
        "Sun, 22 Nov 2026 15:00:00 GMT",
    );
    let script = Script::new([at_once(late), started()]);
    assert_eq!(poll(&alibaba_client(&script)).await.unwrap(), 2);
}

const HOUR: Duration = Duration::from_secs(3600);

/// Answers so only after that long.
fn refusing_for(long: Duration, code: &'static str, then: fn() -> Step) -> Arc<Script> {
    let began = monotonic();
    Script::playing(move |_| {
        Some(match monotonic() < began + long {
            true => coded(429, code),
            false => then(),
        })
    })
}

fn start(name: &str) -> StartExecutionRequest {
    StartExecutionRequest::new("flow").execution_name(name)
}

#[tokio::test(start_paused = true)]
async fn hours_of_refusals_neither_fail_a_paced_start_nor_spend_the_budget_of_repeats() {
    let script = refusing_for(3 * HOUR, "ResourceThrottled", started);
    let client = alibaba_client(&script);
    let began = monotonic();
    let bulk = client.paced();
    let answer = bulk.start_execution(start("mine")).send().await;
    answer.unwrap();
    let took = monotonic() - began;
    assert!(
        took >= 3 * HOUR && took < 3 * HOUR + Duration::from_secs(60),
        "{took:?}"
    );
    // Clients share their pace, and what is not paced still has all its attempts.
    let pace = client.pace(Bucket::StartExecution);
    assert!(pace.refusals > 100 && pace.rate < 30.0, "{pace:?}");
    let script = refusing_for(3 * HOUR, "ResourceThrottled", started);
    let client = alibaba_client(&script);
    let bulk = client.paced();
    let waiting = tokio::spawn(async move { bulk.start_execution(start("bulk")).send().await });
    tokio::time::sleep(HOUR).await;
    script.sent();
    let error = client
        .start_execution(start("own"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.attempts(), 5);
    waiting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_paced_start_of_the_other_cloud_is_as_patient() {
    let accepted = || at_once(reply(200, r#"{"execution_id":"e"}"#));
    let script = refusing_for(HOUR, "FSS.0429", accepted);
    let bulk = huawei_client(&script).paced();
    let request = StartWorkflowExecutionRequest::new("id");
    let started = bulk.start_workflow_execution(request).send().await.unwrap();
    assert_eq!(started.execution_id, "e");
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_its_own_ends_a_paced_call_and_other_failures_count_as_ever() {
    let script = refusing_for(HOUR, "ResourceThrottled", started);
    let bulk = alibaba_client(&script).paced();
    let limit = Duration::from_secs(90);
    let began = monotonic();
    let call = bulk.start_execution(start("mine")).timeout(limit);
    let error = call.send().await.unwrap_err();
    assert!(monotonic() - began <= limit);
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert!(!error.may_have_started(), "{error}");

    let script = Script::playing(|_| Some(coded(500, "InternalServerError")));
    let bulk = alibaba_client(&script).paced();
    let error = bulk
        .start_execution(start("mine"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.attempts(), 5);
}

#[tokio::test(start_paused = true)]
async fn many_paced_starts_go_out_in_order_as_fast_as_the_account_allows() {
    const COUNT: usize = 2_000;
    let account = Account::new(100.0, 100.0);
    let names = Arc::<Mutex<Vec<String>>>::default();
    let seen = names.clone();
    let script = Script::playing(move |request| {
        let name = parameter(request, "ExecutionName").unwrap();
        Some(match account.take() {
            true => {
                seen.lock().unwrap().push(name);
                started()
            }
            false => coded(429, "ResourceThrottled"),
        })
    });
    let bulk = alibaba_client(&script).paced();
    let began = monotonic();
    let mut starts = tokio::task::JoinSet::new();
    for i in 0..COUNT {
        let call = bulk.start_execution(start(&format!("n{i:05}")));
        starts.spawn(call.send());
    }
    while let Some(done) = starts.join_next().await {
        done.unwrap().unwrap();
    }
    let took = monotonic() - began;
    // What the account allows in that time, and a fifth more.
    let limit = Duration::from_secs(19).mul_f64(1.2);
    assert!(took <= limit, "{took:?}");
    assert_eq!(bulk.pace(Bucket::StartExecution).refusals, 0);
    let names = names.lock().unwrap();
    assert_eq!(names.len(), COUNT);
    // The first of all wait for one credential, and may change places.
    for (place, name) in names.iter().enumerate() {
        let number: usize = name[1..].parse().unwrap();
        assert!(number.abs_diff(place) < 100, "{name} is at {place}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_paced_call_waits_as_long_as_the_service_asks_and_that_counts_for_nothing() {
    let seconds = Duration::from_secs;
    let asking = |asked: &str| {
        let refusal = reply(429, r#"{"Code":"ResourceThrottled"}"#);
        at_once(with_header(refusal, "retry-after", asked))
    };
    let steps = (0..6).map(|_| asking("7"));
    let steps = steps.chain([coded(500, "InternalServerError"), started()]);
    let bulk = alibaba_client(&Script::new(steps)).paced();
    let began = monotonic();
    let call = bulk.start_execution(start("mine"));
    assert_eq!(call.send_for_response().await.unwrap().attempts(), 8);
    let took = monotonic() - began;
    assert!(took >= seconds(42) && took < seconds(60), "{took:?}");

    // Where the call has a limit of its own, only what fits into it is waited for.
    for (asked, attempts, least) in [("7", 2, 7), ("90", 1, 0)] {
        let script = Script::new([asking(asked), started()]);
        let bulk = alibaba_client(&script).paced();
        let began = monotonic();
        let call = bulk.start_execution(start("mine")).timeout(seconds(30));
        let sent = call.send_for_response().await;
        let sent = sent.map_or_else(|error| error.attempts(), |answer| answer.attempts());
        assert_eq!(sent, attempts, "{asked}");
        let took = monotonic() - began;
        assert!(took >= seconds(least) && took < seconds(least + 10));
    }
}
