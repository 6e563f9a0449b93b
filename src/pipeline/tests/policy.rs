//! What the loop is made of: pauses, the budget of repeats, delays that a service asks for.

use super::*;
use crate::pipeline::{
    limits::LONGEST,
    retry::{Budget, Pace, date, retry_after},
};

/// Each pause is anything from nothing to a limit that doubles up to the longest one.
#[test]
fn pauses_double_to_the_longest_one_and_are_spread() {
    let policy = RetryPolicy::default();
    let quick = policy
        .initial_backoff(Duration::from_millis(2))
        .max_backoff(Duration::from_millis(7));
    let endless = policy.max_backoff(Duration::MAX);
    let high = Duration::from_secs(10);
    for (policy, pace, attempts, limit) in [
        (policy, Pace::Normal, 0, Duration::from_millis(100)),
        (policy, Pace::Normal, 1, Duration::from_millis(100)),
        (policy, Pace::Normal, 2, Duration::from_millis(200)),
        (policy, Pace::Normal, 4, Duration::from_millis(800)),
        (policy, Pace::Normal, 8, high),
        (policy, Pace::Normal, u32::MAX, high),
        (policy, Pace::Throttled, 1, Duration::from_millis(500)),
        (policy, Pace::Throttled, 3, Duration::from_secs(2)),
        (policy, Pace::Throttled, 6, high),
        (quick, Pace::Normal, 1, Duration::from_millis(2)),
        (quick, Pace::Normal, 2, Duration::from_millis(4)),
        (quick, Pace::Normal, 3, Duration::from_millis(7)),
        (quick, Pace::Throttled, 1, Duration::from_millis(7)),
        (endless, Pace::Normal, 18, Duration::from_millis(100 << 17)),
        (
            endless.initial_backoff(LONGEST),
            Pace::Throttled,
            30,
            LONGEST,
        ),
    ] {
        // That none of 300 comes near an end of the range has a chance of 10^-13.
        let pauses: Vec<_> = (0..300)
            .map(|_| policy.backoff(attempts, pace).unwrap())
            .collect();
        let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
        let row = format!("{policy:?} {pace:?} {attempts}: {least:?} to {most:?}");
        assert!(*most <= limit && *most > limit.mul_f64(0.9), "{row}");
        assert!(*least < limit.mul_f64(0.1), "{row}");
    }
}

#[test]
fn twenty_repeats_are_in_hand_and_five_successes_earn_one() {
    let budget = Budget::full();
    let spent = |budget: &Budget| (0..1000).take_while(|_| budget.spend()).count();
    // A full bucket takes no more.
    for _ in 0..20 {
        budget.earn();
    }
    assert_eq!(spent(&budget), 20);
    for successes in 0..60 {
        for _ in 0..successes {
            budget.earn();
        }
        assert_eq!(spent(&budget), successes / 5);
        // What is left of one is filled up, so that each round begins with nothing.
        for _ in 0..(5 - successes % 5) % 5 {
            budget.earn();
        }
        assert_eq!(spent(&budget), usize::from(successes % 5 > 0));
    }
}

#[test]
fn a_delay_is_read_in_seconds_or_as_a_date() {
    let headers = |pairs: &[(&'static str, &str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        headers
    };
    let (seven, made) = (
        "Sun, 22 Nov 2026 12:00:07 GMT",
        "Sun, 22 Nov 2026 12:00:02 GMT",
    );
    for (pairs, expected) in [
        (&[][..], None),
        (&[("retry-after", "7")], Some(7)),
        (&[("retry-after", " 7 ")], Some(7)),
        (&[("retry-after", "soon")], None),
        (&[("retry-after", "-1")], None),
        (&[("retry-after", seven)], Some(7)),
        // By the service's own clock, where it says what that is.
        (&[("retry-after", seven), ("date", made)], Some(5)),
        (
            &[("retry-after", seven), ("date", made), ("age", "9")],
            Some(7),
        ),
        (&[("retry-after", made), ("date", seven)], Some(0)),
    ] {
        let asked = retry_after(&headers(pairs), wall());
        assert_eq!(asked, expected.map(Duration::from_secs), "{pairs:?}");
    }
    let of = |pairs: &[(&'static str, &str)]| date(&headers(pairs));
    assert_eq!(of(&[("date", made)]), Some(wall() + Duration::from_secs(2)));
    assert_eq!(of(&[("date", made), ("age", "0")]), None);
    assert_eq!(of(&[("date", "today")]), None);
    assert_eq!(of(&[]), None);
}

/// What may be sent again is, while there is time to connect: a quarter of a short limit is enough.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_limit_leaves_time_to_connect() {
    for (limit, refused_after, attempts) in [
        (8, 5_999, 2),
        (8, 6_001, 1),
        (60, 54_999, 2),
        (60, 55_001, 1),
    ] {
        let late = reply(429, r#"{"Code":"ResourceThrottled"}"#);
        let late = Step::Reply(Duration::from_millis(refused_after), late);
        let request = StartExecutionRequest::new("flow").execution_name("mine");
        let call = alibaba_client(&Script::new([late, started()]))
            .start_execution(request)
            .timeout(Duration::from_secs(limit))
            .attempt_timeout(Duration::from_secs(limit))
            .retry(RetryPolicy::default().initial_backoff(Duration::ZERO));
        let sent = call.send_for_response().await;
        let sent = sent.map_or_else(|error| error.attempts(), |answer| answer.attempts());
        assert_eq!(
            sent, attempts,
            "{limit} s, refused after {refused_after} ms"
        );
    }
}
