use chrono::DateTime;

use super::*;
use crate::pipeline::record::Record as _;

#[test]
fn words_are_whole_behind_accessors_and_bounded_where_printed() {
    let long = "é".repeat(1 << 19);
    let error = Error::new(ErrorKind::Service, long.as_str())
        .with_operation("StartExecution")
        .with_code(Some(ErrorCode::from(long.as_str())))
        .with_request_id(Some(long.clone()))
        .with_execution(Some(long.clone()), Some(long.clone()))
        .with_delivery(Delivery::Unknown)
        .with_subject(true, false, None);
    assert_eq!(error.message(), long);
    assert_eq!(error.request_id(), Some(long.as_str()));
    assert_eq!(error.code().map(ErrorCode::as_str), Some(long.as_str()));
    for printed in [
        error.to_string(),
        format!("{error:?}"),
        format!("{error:#?}"),
    ] {
        let words = printed.chars().filter(|c| *c == 'é').count() * 'é'.len_utf8();
        assert!((512..=WORDS_BYTES).contains(&words), "{words}");
        assert!(printed.len() < 2 * WORDS_BYTES, "{printed}");
    }
}

#[test]
fn a_code_and_an_id_are_printed_beside_a_long_message() {
    let error = Error::new(ErrorKind::Service, "x".repeat(1 << 20))
        .with_code(Some("New.Code".into()))
        .with_request_id(Some("r-17".to_owned()));
    let printed = error.to_string();
    assert!(printed.starts_with("New.Code: xxx"), "{printed}");
    assert!(
        printed.ends_with("x... (1048576 bytes) [request id r-17]"),
        "{printed}"
    );
}

#[test]
fn a_flow_s_own_words_are_bounded_where_printed() {
    let words = "x".repeat(5000);
    let node = || NodeError {
        node_id: Some(words.as_str().into()),
        error_message: Some(words.as_str().into()),
        ..NodeError::empty()
    };
    let failure = FlowFailure::of(FlowFailureParts {
        status: words.as_str().into(),
        code: Some(words.as_str().into()),
        message: Some(words.as_str().into()),
        node_errors: (0..3).map(|_| node()).collect(),
        execution: Some(words.clone()),
        ..FlowFailureParts::default()
    });
    assert!(failure.to_string().len() < 2 * WORDS_BYTES);
    let error = Error::flow(ErrorKind::FlowFailed, failure);
    assert!(error.message().len() > 9 * 5000);
    for printed in [error.to_string(), format!("{error:?}")] {
        assert!(printed.len() < 2 * WORDS_BYTES, "{printed}");
    }
    assert_eq!(
        error.flow_failure().and_then(FlowFailure::message),
        Some(&*words)
    );
}

/// What each status means by itself: one list, so that a row that is left out falls to another.
#[test]
fn a_status_means_what_the_standard_says() {
    for status in 100..=999 {
        let expected = match status {
            401 => ErrorKind::Unauthenticated,
            403 => ErrorKind::PermissionDenied,
            404 | 410 => ErrorKind::NotFound,
            408 => ErrorKind::Timeout,
            409 | 412 | 428 => ErrorKind::Conflict,
            413 | 414 | 431 | 494 => ErrorKind::TooLarge,
            429 => ErrorKind::Throttled,
            400..=499 => ErrorKind::InvalidRequest,
            _ => ErrorKind::Service,
        };
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(ErrorKind::of_status(status), expected, "{status}");
    }
}

#[test]
fn code_and_status_together_say_what_is_wrong() {
    use ErrorKind::{
        AlreadyCompleted, AlreadyExists, ClockSkew, InvalidRequest, NotFound, PermissionDenied,
        Service, Throttled, TooLarge, Unauthenticated,
    };
    for (code, status, kind) in [
        ("Throttling.User", 400, Throttled),
        ("ResourceThrottled", 429, Throttled),
        ("ResourceThrottled", 400, InvalidRequest),
        ("RequestTimeTooSkewed", 403, ClockSkew),
        ("InvalidTimeStamp.Expired", 400, ClockSkew),
        ("RequestTimeTooSkewed", 500, Service),
        ("InvalidTimeStamp.Expired", 503, Service),
        ("EntityTooLarge", 400, TooLarge),
        ("IAM.1101", 400, TooLarge),
        ("ExecutionAlreadyCompleted", 400, AlreadyCompleted),
        ("TaskAlreadyCompleted", 400, AlreadyCompleted),
        ("FlowAlreadyExists", 400, AlreadyExists),
        ("FSS.0409", 400, AlreadyExists),
        ("1109", 400, AlreadyExists),
        ("FlowNotExists", 404, NotFound),
        ("ThingNotExists", 400, NotFound),
        ("ThingNotExists", 500, Service),
        ("IAM.1109", 400, NotFound),
        ("FSS.1172", 400, NotFound),
        ("FSS.9999", 404, NotFound),
        ("FGS.9999", 410, NotFound),
        ("FSS.9999", 400, InvalidRequest),
        ("FGS.9999", 403, PermissionDenied),
        ("Other.9999", 404, NotFound),
        ("InvalidAccessKeyID", 403, Unauthenticated),
        ("SignatureDoesNotMatch", 400, Unauthenticated),
        ("IAM.1108", 400, Unauthenticated),
        ("1103", 400, Unauthenticated),
        ("InvalidAccessKeyId.NotFound", 404, Unauthenticated),
        ("InvalidSecurityToken.Expired", 400, Unauthenticated),
        ("MissingSecurityToken", 400, Unauthenticated),
        ("InvalidAction.NotFound", 404, InvalidRequest),
        ("Anything.NotFound", 404, InvalidRequest),
        ("ActionNotSupported", 404, InvalidRequest),
        ("APIG.0101", 404, InvalidRequest),
        ("APIGW.0101", 404, InvalidRequest),
        ("APIGW.0101", 500, Service),
        ("New.Code", 403, PermissionDenied),
        ("New.Code", 500, Service),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(ErrorCode::from(code).kind(status), kind, "{code} {status}");
    }
}

#[test]
fn some_codes_say_that_a_thing_is_gone_there_or_unknown() {
    let gone = |code: &str, status| {
        let status = StatusCode::from_u16(status).unwrap();
        ErrorCode::from(code).says_gone(status)
    };
    for (code, statuses) in [
        ("IAM.1109", &[200, 400, 404, 410, 500][..]),
        ("FSS.1312", &[200, 400, 404, 410, 500]),
        ("FSS.0404", &[404, 410]),
        ("FGS.1234", &[404, 410]),
        ("FlowNotExists", &[400, 404, 410]),
        ("APIGW.0101", &[]),
    ] {
        for status in [200, 400, 404, 410, 500] {
            assert_eq!(
                gone(code, status),
                statuses.contains(&status),
                "{code} {status}"
            );
        }
    }
    for (code, exists, unknown, key) in [
        ("FSS.1307", true, false, false),
        ("ExecutionAlreadyExists", true, false, false),
        ("FlowNotExists", false, false, false),
        ("InvalidApi.NotFound", false, true, false),
        ("ActionNotSupported", false, true, false),
        ("SignatureNotMatch", false, false, true),
        ("Forbidden.AccessKeyDisabled", false, false, true),
        ("InvalidAccessKeyId.Inactive", false, false, true),
        ("InvalidSecurityToken.Malformed", false, false, true),
        ("IncompleteSignature", false, false, false),
        ("AccessDenied", false, false, false),
    ] {
        let code = ErrorCode::from(code);
        assert_eq!(code.says_exists(), exists, "{code}");
        assert_eq!(code.says_unknown_operation(), unknown, "{code}");
        #[cfg(feature = "alibaba")]
        assert_eq!(code.refuses_key(), key, "{code}");
        let _ = key;
    }
    assert_eq!(ErrorCode::from("Any.Code").to_string(), "Any.Code");
}

const KINDS: [ErrorKind; 12] = [
    ErrorKind::InvalidRequest,
    ErrorKind::Configuration,
    ErrorKind::Credentials,
    ErrorKind::Unauthenticated,
    ErrorKind::NotFound,
    ErrorKind::AlreadyExists,
    ErrorKind::Throttled,
    ErrorKind::Timeout,
    ErrorKind::Connect,
    ErrorKind::Transport,
    ErrorKind::Service,
    ErrorKind::Decode,
];

/// Those that can be an outage.
fn passes(kind: ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::InvalidRequest
            | ErrorKind::Configuration
            | ErrorKind::Credentials
            | ErrorKind::Unauthenticated
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists
    )
}

#[test]
fn only_what_passes_and_starts_nothing_twice_is_retryable() {
    for kind in KINDS {
        for delivery in [
            Delivery::NotSent,
            Delivery::Refused,
            Delivery::Unknown,
            Delivery::Accepted,
        ] {
            for repeatable in [false, true] {
                let error = || {
                    Error::new(kind, "m")
                        .with_delivery(delivery)
                        .with_subject(true, repeatable, None)
                };
                let is_safe = delivery < Delivery::Unknown || repeatable;
                let row = format!("{kind:?} {delivery:?} {repeatable}");
                assert_eq!(error().is_retryable(), passes(kind) && is_safe, "{row}");
                for passing in [false, true] {
                    let error = error().with_passing(passing);
                    assert_eq!(error.is_retryable(), passing && is_safe, "{row} {passing}");
                }
                for (status, lasts) in [(302, true), (308, true), (500, false)] {
                    let error = error().with_status(StatusCode::from_u16(status).unwrap());
                    let lasts = lasts && kind == ErrorKind::Service;
                    let expected = passes(kind) && is_safe && !lasts;
                    assert_eq!(error.is_retryable(), expected, "{row} {status}");
                }
            }
        }
    }
}

#[test]
fn what_a_source_lacks_follows_from_its_error() {
    for kind in KINDS {
        let error = || Error::new(kind, "m");
        let by_itself = match passes(kind) {
            true => (Lack::Passing, Lack::NotReady),
            false => (Lack::Local, Lack::Local),
        };
        assert_eq!(error().lack(), by_itself.0, "{kind:?}");
        assert_eq!(error().with_passing(false).lack(), by_itself.1, "{kind:?}");
        assert_eq!(error().with_passing(true).lack(), Lack::Passing, "{kind:?}");
        let locked = match kind {
            ErrorKind::Unauthenticated => Lack::Final,
            _ => by_itself.0,
        };
        assert_eq!(error().may_lock().lack(), locked, "{kind:?}");
        for (lack, named) in [
            (Lack::NotSetUp, Lack::Local),
            (Lack::Local, Lack::Local),
            (Lack::NotReady, Lack::NotReady),
            (Lack::Passing, Lack::Passing),
            (Lack::Final, Lack::Final),
        ] {
            let error = error().with_lack(lack);
            assert_eq!(error.lack(), lack);
            assert_eq!(error.is_retryable(), lack == Lack::Passing);
            assert_eq!(error.named().lack(), named);
        }
    }
}

#[test]
fn bodies_are_kept_where_there_is_one() {
    let of = |text: &str| Error::new(ErrorKind::Service, "m").with_body_excerpt(text);
    assert_eq!(of("").body_excerpt(), None);
    assert_eq!(of("x").body_excerpt(), Some(&b"x"[..]));
    assert_eq!(of(&"x".repeat(300)).body_excerpt().unwrap().len(), 256);
    assert_eq!(of(&"é".repeat(300)).body_excerpt().unwrap().len(), 256);
    let body = |text: &'static str| Error::new(ErrorKind::Decode, "m").with_body(text.into());
    assert_eq!(body("").body(), None);
    assert_eq!(body("x").body().unwrap(), "x");
    assert_eq!(body("x").without_body().body(), None);
}

#[test]
fn a_flow_s_failure_tells_all_that_it_was_made_of() {
    let time = |seconds| DateTime::from_timestamp(seconds, 0);
    let node = |id: &str, end| NodeError {
        node_id: Some(id.into()),
        error_message: Some(format!("{id} failed").as_str().into()),
        end_time: time(end),
        ..NodeError::empty()
    };
    let parts = || FlowFailureParts {
        status: "fail".into(),
        execution: Some("e".to_owned()),
        output: Some(Payload::from_json("{}")),
        started: time(1),
        stopped: time(9),
        node_errors: vec![node("one", 5), node("last", 7), node("two", 6)],
        ..FlowFailureParts::default()
    };
    let failure = FlowFailure::of(parts());
    assert_eq!(failure.status(), "fail");
    assert_eq!(failure.code(), None);
    assert_eq!(failure.message(), Some("last failed"));
    assert_eq!(failure.node(), Some("last"));
    assert_eq!(failure.node_errors().len(), 3);
    assert_eq!(failure.execution(), Some("e"));
    assert_eq!(failure.output().map(Payload::as_str), Some("{}"));
    assert_eq!((failure.started(), failure.stopped()), (time(1), time(9)));
    assert_eq!(
        failure.to_string(),
        "the flow ended with status fail; node one: one failed; node last: last failed; node two: \
         two failed"
    );
    let error = Error::flow(ErrorKind::FlowFailed, failure);
    assert_eq!(error.output().map(Payload::as_str), Some("{}"));
    let own = FlowFailure::new("C", "m");
    assert_eq!(
        (own.status(), own.code(), own.message()),
        ("Failed", Some("C"), Some("m"))
    );
    assert_eq!(own.to_string(), "the flow ended with status Failed: C: m");
    assert_eq!(FlowFailure::timed_out().status(), "TimedOut");
}
