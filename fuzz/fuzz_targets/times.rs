//! Any text for a time: as the vendors write them in JSON, in `Retry-After`, in `Date`.
//!
//! Pieces: `p` and a time; or `r`, a status and a body, then `Retry-After`, `Date` and
//! `x-acs-retry-after` (an empty piece is no header).

#![no_main]

use std::time::Duration;

use chrono::Datelike as _;
use cloud_workflows::{
    RetryPolicy,
    alibaba::{self, Credentials, DescribeExecutionRequest, StartExecutionRequest},
    fuzzing::parse_time,
    huawei::{self, AccessKey, StartSyncWorkflowExecutionRequest},
};
use cloud_workflows_fuzz::{
    block_on, naive, pieces,
    play::{Reply, words, world},
};
use http::HeaderValue;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let pieces: Vec<&[u8]> = pieces(data).collect();
    match pieces[..] {
        [b"p", text] => {
            if let Ok(text) = std::str::from_utf8(text) {
                json(text);
            }
        }
        [b"r", status, body, after, date, after_ms] => {
            if let Some(reply) = Reply::of_pieces(status, b"", body) {
                headers(reply, [after, date, after_ms]);
            }
        }
        _ => {}
    }
});

fn json(text: &str) {
    let read = parse_time(text);
    if let Some(seconds) = naive::seconds_since_1970(text) {
        assert_eq!(read.map(|time| time.timestamp()), Some(seconds), "{text}");
    }
    // Years beyond four digits are read, but written otherwise than JSON has them.
    if let Some(time) = read.filter(|time| (0..=9999).contains(&time.year())) {
        let again = time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        assert_eq!(parse_time(&again), Some(time), "{text}");
    }
}

/// Retries, pauses and corrections of the clock, whatever is asked for, end at the deadline.
fn headers(mut reply: Reply, [after, date, after_ms]: [&[u8]; 3]) {
    for (name, value) in [
        ("retry-after", after),
        ("date", date),
        ("x-acs-retry-after", after_ms),
    ] {
        if !value.is_empty() {
            let Ok(value) = HeaderValue::from_bytes(value) else {
                return;
            };
            reply.headers.insert(name, value);
        }
    }
    let (world, _) = world(vec![reply.clone()]);
    let rpc = alibaba::Client::builder()
        .region("cn-hangzhou")
        .credentials(Credentials::new("id", "secret"));
    let rpc = world.alibaba(rpc).build().expect("a client");
    let rest = huawei::Client::builder()
        .region("cn-north-4")
        .project_id("p")
        .credentials(AccessKey::new("a", "s"));
    let rest = world.huawei(rest).build().expect("a client");
    let once = RetryPolicy::never();
    let (started, described, run, elapsed) = block_on(async {
        let began = tokio::time::Instant::now();
        let start = StartExecutionRequest::new("f").execution_name("n");
        let started = rpc.start_execution(start).send().await;
        let elapsed = began.elapsed();
        let describe = DescribeExecutionRequest::new("f", "n");
        let described = rpc.describe_execution(describe).retry(once).send().await;
        let workflow = StartSyncWorkflowExecutionRequest::new("w");
        let run = rest
            .start_sync_workflow_execution(workflow)
            .retry(once)
            .send()
            .await;
        (started, described, run, elapsed)
    });
    assert!(elapsed <= Duration::from_secs(61), "{elapsed:?}");
    if let Err(error) = started {
        words(&error);
    }

    let seconds = |text: &[u8]| -> Option<u64> {
        let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        digits.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
    };
    if !reply.status.is_success() {
        let asked = seconds(after).map(Duration::from_secs);
        let ms = seconds(after_ms).map(Duration::from_millis);
        let described = described.expect_err("not 2xx").retry_after();
        if ms.or(asked).is_some() {
            assert_eq!(described, ms.or(asked));
        }
        let run = run.expect_err("not 2xx").retry_after();
        match asked {
            Some(_) => assert_eq!(run, asked),
            None if after.is_empty() => assert_eq!(run, None),
            None => {}
        }
    }
}
