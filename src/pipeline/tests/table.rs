//! Each row of the table of what is repeated.

use super::*;
use crate::ErrorCode;
use crate::pipeline::{
    operation::Replay,
    protocol::RefusalClass,
    retry::{Event, History, Next, Pace, judge},
};

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
        (Event::Broken(Stage::Connecting), NotSent, normal, normal),
        (Event::Broken(Stage::Proxy), NotSent, Next::Stop, Next::Stop),
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

const CLASSES: [RefusalClass; 8] = [
    RefusalClass::Throttled,
    RefusalClass::Clock,
    RefusalClass::CredentialAged,
    RefusalClass::GatewayUnavailable,
    RefusalClass::Conflict,
    RefusalClass::NonceUsed,
    RefusalClass::Coded,
    RefusalClass::Uncoded,
];

/// Whatever a code says: who reports a failure behind it, or stopped waiting, does not know what
/// was begun.
#[test]
fn the_status_is_asked_before_the_class() {
    let history = History::default();
    let statuses = (500..600).chain([408, 421, 444, 460, 499]);
    for status in statuses {
        for class in CLASSES {
            if status == 503
                && matches!(
                    class,
                    RefusalClass::Throttled | RefusalClass::GatewayUnavailable
                )
            {
                continue;
            }
            let event = Event::Refused {
                status: StatusCode::from_u16(status).unwrap(),
                class,
                skewed: true,
                renewable: true,
            };
            let judged = |replay, opted| judge(replay, opted, event, &history);
            let unknown = |next| (Delivery::Unknown, next);
            let again = Next::Repeat(Pace::Normal);
            assert_eq!(
                judged(Replay::Once, false),
                unknown(Next::Stop),
                "{event:?}"
            );
            assert_eq!(judged(Replay::Once, true), unknown(again), "{event:?}");
            assert_eq!(judged(Replay::Keyed, false), unknown(again), "{event:?}");
        }
    }
}

/// A coded answer is the service's refusal on these statuses only.
#[test]
fn only_some_statuses_refuse() {
    let history = History::default();
    for status in 100..1000 {
        let event = refused(status, RefusalClass::Coded);
        let (delivery, _) = judge(Replay::Once, false, event, &history);
        let refuses = matches!(status, 400..=407 | 409..=418 | 422..=429 | 494);
        let expected = if refuses {
            Delivery::Refused
        } else {
            Delivery::Unknown
        };
        assert_eq!(delivery, expected, "{status}");
        // Without the vendor's shape it is a stranger's word.
        let event = refused(status, RefusalClass::Uncoded);
        let (delivery, next) = judge(Replay::Once, false, event, &history);
        assert_eq!(
            (delivery, next),
            (Delivery::Unknown, Next::Stop),
            "{status}"
        );
    }
}

#[test]
fn a_code_means_what_the_sheets_say_only_on_its_statuses() {
    use RefusalClass as Class;
    let class = |class: Class, status: u16, code: &str| {
        let code = ErrorCode::from(code);
        class.on(StatusCode::from_u16(status).unwrap(), Some(&code))
    };
    for (means, code, statuses) in [
        (Class::Throttled, "Throttling", &[400, 429, 503][..]),
        (Class::Throttled, "Throttling.User", &[400, 429, 503]),
        (Class::Throttled, "Throttling.Tomorrow", &[400, 429, 503]),
        (Class::Throttled, "Rejected.Throttling", &[400, 429, 503]),
        (Class::Throttled, "ResourceThrottled", &[429]),
        (Class::Throttled, "Unheard.Of", &[429]),
        (Class::Throttled, "FSS.0429", &[429]),
        (Class::Throttled, "APIG.0308", &[429]),
        (Class::Throttled, "IAM.0012", &[429]),
        (Class::Clock, "RequestTimeTooSkewed", &[403]),
        (Class::Clock, "InvalidTimeStamp.Expired", &[400]),
        (
            Class::CredentialAged,
            "InvalidSecurityToken.Expired",
            &[400, 403],
        ),
        (Class::CredentialAged, "InvalidAccessKeyID", &[403]),
        (Class::CredentialAged, "APIGW.0307", &[401]),
        (Class::CredentialAged, "IAM.0066", &[401]),
        (Class::CredentialAged, "IAM.1108", &[400]),
        (Class::GatewayUnavailable, "APIGW.0613", &[503]),
        (Class::GatewayUnavailable, "APIG.0613", &[503]),
        (Class::Conflict, "ConcurrentUpdateError", &[409]),
        (Class::Conflict, "TaskInvalidState", &[409]),
        (Class::Conflict, "IAM.0020", &[410]),
        // The sheet has no status for it.
        (Class::Conflict, "FSS.4208", &[]),
    ] {
        for status in 400..600 {
            let expected = if statuses.contains(&status) {
                means
            } else {
                Class::Coded
            };
            assert_eq!(class(means, status, code), expected, "{code} {status}");
        }
    }
    for status in 400..600 {
        // A first copy has arrived, whatever the status.
        let nonce = class(Class::NonceUsed, status, "SignatureNonceUsed");
        assert_eq!(nonce, Class::NonceUsed);
        // No code becomes one.
        assert_eq!(class(Class::Uncoded, status, "Throttling"), Class::Uncoded);
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(Class::Throttled.on(status, None), Class::Throttled);
    }
}

#[test]
fn only_what_is_refused_for_its_rate_slows_the_pace() {
    for class in CLASSES {
        let is_for_its_rate = matches!(class, RefusalClass::Throttled);
        for status in [400, 429, 503] {
            let event = refused(status, class);
            assert_eq!(event.is_throttling(), is_for_its_rate, "{event:?}");
        }
    }
    for event in [Event::Unreadable, Event::Broken(Stage::Exchange)] {
        assert!(!event.is_throttling(), "{event:?}");
    }
}
