//! The test of the test: each row of `judge`, turned over by itself, breaks a law.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use super::*;
use crate::pipeline::{
    operation::Replay,
    protocol::RefusalClass as Class,
    retry::{Event, History, Next, Pace, turned},
};

/// A row of `judge`: its name, and whether it decides. The first that does is the one.
type Row = (&'static str, fn(Event, &History) -> bool);

const ROWS: [Row; 19] = [
    ("no connection", |event, _| {
        matches!(event, Event::Broken(Stage::Connect | Stage::Connecting))
    }),
    ("certificate, proxy", |event, _| {
        matches!(event, Event::Broken(Stage::Certificate | Stage::Proxy))
    }),
    ("broken, silence", |event, _| {
        matches!(event, Event::Broken(Stage::Exchange | Stage::Waiting))
    }),
    (
        "2xx cut",
        |event, _| matches!(event, Event::Broken(Stage::Body { status, .. }) if status.is_success()),
    ),
    (
        "2xx over the cap",
        |event, _| matches!(event, Event::Broken(Stage::Oversized { status }) if status.is_success()),
    ),
    ("5xx not whole", |event, _| {
        matches!(event, Event::Broken(Stage::Body { status, .. } | Stage::Oversized { status })
            if status.is_server_error())
    }),
    ("another status not whole", |event, _| {
        matches!(
            event,
            Event::Broken(Stage::Body { .. } | Stage::Oversized { .. })
        )
    }),
    ("2xx unreadable", |event, _| {
        matches!(event, Event::Unreadable)
    }),
    ("503 throttled", |event, _| {
        is(event, |s| s == 503, Class::Throttled)
    }),
    ("503 without IAM", |event, _| {
        is(event, |s| s == 503, Class::GatewayUnavailable)
    }),
    ("5xx, gave up waiting", |event, _| {
        status(event, |s| {
            matches!(s, 408 | 421 | 444 | 460 | 499 | 500..=599)
        })
    }),
    ("nonce used", |event, _| {
        is(event, |s| matches!(s, 400..=499), Class::NonceUsed)
    }),
    ("another status", |event, _| {
        status(
            event,
            |s| !matches!(s, 400..=407 | 409..=418 | 422..=429 | 494),
        )
    }),
    ("throttled", |event, _| {
        is(event, |_| true, Class::Throttled)
    }),
    ("wrong clock", |event, history| {
        matches!(
            event,
            Event::Refused {
                class: Class::Clock,
                skewed: true,
                ..
            }
        ) && !history.clock_corrected
    }),
    ("aged credential", |event, history| {
        matches!(
            event,
            Event::Refused {
                class: Class::CredentialAged,
                renewable: true,
                ..
            }
        ) && !history.credential_renewed
    }),
    ("conflict", |event, _| is(event, |_| true, Class::Conflict)),
    ("4xx without a code", |event, _| {
        is(event, |_| true, Class::Uncoded)
    }),
    ("4xx with a code", |_, _| true),
];

fn status(event: Event, is: fn(u16) -> bool) -> bool {
    matches!(event, Event::Refused { status, .. } if is(status.as_u16()))
}

fn is(event: Event, is: fn(u16) -> bool, of: Class) -> bool {
    status(event, is) && matches!(event, Event::Refused { class, .. } if class == of)
}

/// What a verdict is turned into.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    Delivery(Delivery),
    /// It stops where it went on, and goes on where it stopped.
    Next,
    /// It goes on otherwise: at the other pace, or without what was to be mended.
    Way,
}

const TURNS: [Turn; 6] = [
    Turn::Delivery(Delivery::NotSent),
    Turn::Delivery(Delivery::Refused),
    Turn::Delivery(Delivery::Unknown),
    Turn::Delivery(Delivery::Accepted),
    Turn::Next,
    Turn::Way,
];

impl Turn {
    fn of(self, (delivery, next): (Delivery, Next)) -> (Delivery, Next) {
        let normal = Next::Repeat(Pace::Normal);
        let next = match (self, next) {
            (Self::Delivery(other), next) => return (other, next),
            (Self::Next, Next::Stop) => normal,
            (Self::Next, _) => Next::Stop,
            (Self::Way, Next::Stop) => Next::Stop,
            (Self::Way, Next::Repeat(Pace::Normal)) => Next::Repeat(Pace::Throttled),
            (Self::Way, _) => normal,
        };
        (delivery, next)
    }
}

/// Calls of one side of the table, of both clouds, with a key that ages and one that does not.
fn side(replay: Replay) -> Vec<Call> {
    use calls::{Key, Operation::*};

    let operations = match replay {
        Replay::Repeatable => vec![Describe, HuaweiShow],
        Replay::Keyed => vec![StartExecution { named: true }],
        Replay::Once => vec![StartSync { named: true }, HuaweiSync],
    };
    let calls = calls::all().into_iter();
    let calls = calls.filter(|call| operations.contains(&call.operation));
    calls
        .filter(|call| call.key != Key::Renewable && !call.repeat_if_unknown)
        .collect()
}

/// An event, in a call, and the rows that decide on it.
type Met = (Call, &'static events::Event, Vec<usize>);

fn row(event: Event, history: &History) -> Option<usize> {
    ROWS.iter().position(|(_, decides)| decides(event, history))
}

fn meet(call: Call) -> Vec<Met> {
    let events = events::of(call, Asked::Call).into_iter();
    let met = events.map(|event| {
        let rows = Rc::<RefCell<Vec<usize>>>::default();
        let noted = rows.clone();
        let noting = move |event, history: &History, verdict| {
            noted.borrow_mut().extend(row(event, history));
            verdict
        };
        turned::during(noting, || on_paused_clock(play(call, &[event])));
        (call, event, rows.take())
    });
    met.collect()
}

/// Whether a law is broken while the row is turned so; `None` where that turns nothing.
fn is_red(turned_row: usize, turn: Turn, met: &[Met]) -> Option<bool> {
    let has_turned = Rc::new(Cell::new(false));
    let noted = has_turned.clone();
    let turning = move |event, history: &History, verdict| {
        let turned = match row(event, history) {
            Some(row) if row == turned_row => turn.of(verdict),
            _ => verdict,
        };
        noted.set(noted.get() || turned != verdict);
        turned
    };
    let mut met = met.iter().filter(|(.., rows)| rows.contains(&turned_row));
    turned::during(turning, || {
        let mut calls = Vec::new();
        let is_red = met.any(|(call, event, _)| {
            calls.push(*call);
            // What the event is said to tell is seen where the call then ends in an error.
            let scripts = [&[*event][..], &[*event, events::END]];
            let mut scripts = scripts.into_iter();
            scripts.any(|script| on_paused_clock(play(*call, script)).broken().is_some())
        });
        calls.dedup();
        let mut deeper = calls.iter();
        let mut is_red_deeper = || deeper.any(|call| on_paused_clock(check(*call, 2)).is_err());
        has_turned.get().then(|| is_red || is_red_deeper())
    })
}

#[test]
fn each_row_of_the_table_turned_over_breaks_a_law() {
    for replay in [Replay::Repeatable, Replay::Keyed, Replay::Once] {
        let met: Vec<Met> = side(replay).into_iter().flat_map(meet).collect();
        for (row, (name, _)) in ROWS.iter().enumerate() {
            for turn in TURNS {
                let is_red = is_red(row, turn, &met);
                assert_ne!(
                    is_red,
                    Some(false),
                    "{replay:?}: {name}: {turn:?} breaks no law"
                );
                let is_met = is_red.is_some() || turn != Turn::Next;
                // No start under a name goes through that gateway.
                let is_elsewhere = name.contains("IAM") && replay == Replay::Keyed;
                assert!(is_met || is_elsewhere, "{replay:?}: {name} decides nothing");
            }
        }
    }
}
