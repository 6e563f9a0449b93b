//! Each row of the table of what is repeated.

use super::*;
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
