//! What attempts count for at the pacers of their operations.

use super::*;
use crate::{
    Quota,
    alibaba::{Bucket, DescribeExecutionRequest, ListExecutionsRequest, StopExecutionRequest},
    pipeline::{attempt, operation::Exchange as _, options::CallOptions},
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
