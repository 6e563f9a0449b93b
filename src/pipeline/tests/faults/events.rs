//! What can happen to a request, and what it means: the README's table once more, event by event,
//! in other words than `judge`'s.

use http::StatusCode;

use super::calls::{Asked, Call, Key, Operation};
use crate::{
    Delivery::{self, Accepted, NotSent, Refused, Unknown},
    pipeline::failure::Stage,
};

/// One thing that can happen to a request.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) play: Play,
    pub(super) begins: Begins,
    /// How far a client can know that the request got.
    pub(super) tells: Delivery,
    pub(super) then: Then,
    /// Whether the reason may have passed by the next call.
    pub(super) passes: bool,
}

/// Whether the service has begun what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Begins {
    Never,
    /// The event looks the same either way: both are tried.
    Perhaps,
    Surely,
}

/// What a client does next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Then {
    End,
    Again,
    /// Again, no sooner than the service asks.
    AfterDelay,
    /// Again where a second copy does no harm, or the caller has said so.
    IfHarmless,
    /// Again where a second copy does no harm, whatever the caller has said.
    UnlessOnce,
    /// Again once a call, with the service's time.
    WithItsTime,
    /// Again once a call, with a new credential in place of one that was good before.
    WithNewKey,
}

/// What the client sees of it. Statuses and codes are those of Alibaba Cloud, then of Huawei Cloud.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Play {
    Fail(Stage),
    /// The connection breaks while this machine sleeps for an hour.
    BreakInSleep,
    Silence,
    Coded([Code; 2]),
    /// The same, and a delay of so many seconds is asked for.
    Delayed(u64, [Code; 2]),
    /// The same, and its `Date` is 40 minutes from the request's time.
    FarOff([Code; 2]),
    /// A page of HTML.
    Page(u16),
    /// 200 with a body that is no answer.
    Unreadable,
    /// 200 about an execution of another name.
    Foreign,
    /// 200: this execution bears the name.
    Shows(Execution),
}

type Code = (u16, &'static str);

/// Whose execution it is that bears the name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Execution {
    /// Begun by this very request.
    New,
    /// Begun by the first request of this call.
    Ours,
    /// Begun with another input.
    OfOtherInput,
    /// Begun with our input, long before.
    LongBefore,
    /// Begun with our input a minute before: by somebody else, or by us as another clock has it.
    JustBefore,
}

use Begins::{Never, Perhaps, Surely};
use Execution::{JustBefore, LongBefore, New, OfOtherInput, Ours};
use Play::*;
use Then::{AfterDelay, Again, End, IfHarmless, UnlessOnce, WithItsTime, WithNewKey};

const CUT: Stage = body(StatusCode::OK, false);
const STALLED: Stage = body(StatusCode::OK, true);
const CUT_5XX: Stage = body(StatusCode::BAD_GATEWAY, false);
const STALLED_4XX: Stage = body(StatusCode::FORBIDDEN, true);
const OVER: Stage = over(StatusCode::OK);
const OVER_5XX: Stage = over(StatusCode::BAD_GATEWAY);
const OVER_4XX: Stage = over(StatusCode::FORBIDDEN);

const fn body(status: StatusCode, timed_out: bool) -> Stage {
    Stage::Body { status, timed_out }
}

const fn over(status: StatusCode) -> Stage {
    Stage::Oversized { status }
}

pub(super) const AGED: [Code; 2] = [(403, "InvalidSecurityToken.Expired"), (401, "IAM.0066")];
pub(super) const BAD_KEY: [Code; 2] = [(403, "Forbidden.AccessKeyDisabled"), (401, "APIGW.0305")];
pub(super) const CLOCK: [Code; 2] = [(403, "RequestTimeTooSkewed"), (401, "APIGW.0301")];
const CLOCK_500: [Code; 2] = [(500, "RequestTimeTooSkewed"), (500, "APIGW.0301")];
const CONFLICT: [Code; 2] = [(409, "ConcurrentUpdateError"), (410, "IAM.0020")];
pub(super) const EXISTS: [Code; 2] = [(400, "ExecutionAlreadyExists"), (0, "")];
const FAILED: [Code; 2] = [(500, "InternalServerError"), (500, "FSS.0500")];
const GONE: [Code; 2] = [(404, "FlowNotExists"), (404, "FSS.0404")];
const NEW_407: [Code; 2] = [(407, "InvalidThing"), (407, "FSS.9999")];
const NEW_499: [Code; 2] = [(499, "InvalidThing"), (499, "FSS.9999")];
const NO_IAM: [Code; 2] = [(0, ""), (503, "APIGW.0613")];
const NO_RESULT: [Code; 2] = [(200, "AccessDenied"), (200, "FSS.0403")];
const NO_RIGHT: [Code; 2] = [(403, "AccessDenied"), (403, "FSS.0403")];
const NONCE: [Code; 2] = [(400, "SignatureNonceUsed"), (0, "")];
const RATE: [Code; 2] = [(429, "ResourceThrottled"), (429, "APIGW.0308")];
const RATE_500: [Code; 2] = [(500, "ResourceThrottled"), (500, "APIGW.0308")];
const RATE_503: [Code; 2] = [(503, "Throttling.User"), (0, "")];

macro_rules! events {
    ($($(#[$_:meta])* $list:ident {
        $($name:literal: $play:expr, $begins:ident, $tells:ident, $then:ident, $reason:ident;)*
    })*) => {
        $($(#[$_])* pub(super) static $list: &[Event] = &[$(Event {
            name: $name,
            play: $play,
            begins: $begins,
            tells: $tells,
            then: $then,
            passes: events!(@ $reason),
        },)*];)*
    };
    (@ passes) => { true };
    (@ lasts) => { false };
}

events! {
    /// What any request may meet.
    EVERYWHERE {
        "no connection: name, TCP or TLS": Fail(Stage::Connect), Never, NotSent, Again, passes;
        "no connection in time": Fail(Stage::Connecting), Never, NotSent, Again, passes;
        "bad certificate": Fail(Stage::Certificate), Never, NotSent, End, lasts;
        "407 to CONNECT": Fail(Stage::Proxy), Never, NotSent, End, lasts;
        "reset, or a head that is cut": Fail(Stage::Exchange), Perhaps, Unknown, IfHarmless, passes;
        "reset in sleep": BreakInSleep, Perhaps, Unknown, IfHarmless, passes;
        "silence": Silence, Perhaps, Unknown, IfHarmless, passes;
        "2xx cut": Fail(CUT), Surely, Accepted, IfHarmless, passes;
        "2xx stalled": Fail(STALLED), Surely, Accepted, IfHarmless, passes;
        "2xx over the cap": Fail(OVER), Surely, Accepted, End, lasts;
        "2xx unreadable": Unreadable, Surely, Accepted, IfHarmless, passes;
        "2xx with a code and no result": Coded(NO_RESULT), Perhaps, Unknown, End, passes;
        "5xx cut": Fail(CUT_5XX), Perhaps, Unknown, IfHarmless, passes;
        "5xx over the cap": Fail(OVER_5XX), Perhaps, Unknown, IfHarmless, lasts;
        "4xx stalled": Fail(STALLED_4XX), Perhaps, Unknown, End, passes;
        "4xx over the cap": Fail(OVER_4XX), Perhaps, Unknown, End, lasts;
        "throttled": Coded(RATE), Never, Refused, Again, passes;
        "throttled for 2 s": Delayed(2, RATE), Never, Refused, AfterDelay, passes;
        "throttled for an hour": Delayed(3600, RATE), Never, Refused, AfterDelay, passes;
        "coded 404": Coded(GONE), Never, Refused, End, lasts;
        "coded 403": Coded(NO_RIGHT), Never, Refused, End, lasts;
        "coded 407": Coded(NEW_407), Never, Refused, End, lasts;
        "conflict": Coded(CONFLICT), Never, Refused, UnlessOnce, lasts;
        "key refused": Coded(BAD_KEY), Never, Refused, End, lasts;
        "aged credential": Coded(AGED), Never, Refused, WithNewKey, lasts;
        "coded 500": Coded(FAILED), Perhaps, Unknown, IfHarmless, passes;
        "500 with a rate's code": Coded(RATE_500), Perhaps, Unknown, IfHarmless, passes;
        "500 with a clock's code": FarOff(CLOCK_500), Perhaps, Unknown, IfHarmless, passes;
        "502 page": Page(502), Perhaps, Unknown, IfHarmless, passes;
        "408 page": Page(408), Perhaps, Unknown, IfHarmless, passes;
        "421 page": Page(421), Perhaps, Unknown, IfHarmless, lasts;
        "coded 499": Coded(NEW_499), Perhaps, Unknown, IfHarmless, lasts;
        "403 page": Page(403), Perhaps, Unknown, End, lasts;
        "407 page": Page(407), Perhaps, Unknown, End, lasts;
        "429 page": Page(429), Perhaps, Unknown, End, passes;
        "redirect": Page(302), Perhaps, Unknown, End, lasts;
    }

    /// What only Alibaba Cloud says.
    OF_ALIBABA {
        "throttled by the gateway": Coded(RATE_503), Never, Refused, Again, passes;
        "nonce used": Coded(NONCE), Perhaps, Unknown, IfHarmless, lasts;
    }

    /// What only Huawei Cloud says.
    OF_HUAWEI {
        "gateway without IAM": Coded(NO_IAM), Never, Refused, Again, passes;
    }

    /// What is said of requests that are signed with a time.
    OF_SIGNED {
        "clock refused, and it is right": Coded(CLOCK), Never, Refused, End, lasts;
        "clock refused, and it is wrong": FarOff(CLOCK), Never, Refused, WithItsTime, lasts;
    }

    /// What an answer that bears a name may be.
    OF_NAMED {
        "another execution's answer": Foreign, Surely, Accepted, IfHarmless, passes;
    }

    /// What a start under a name may find there.
    FOUND {
        "runs, begun by our first request": Shows(Ours), Surely, Accepted, End, passes;
        "runs, of another input": Shows(OfOtherInput), Never, Accepted, End, passes;
        "runs since long before": Shows(LongBefore), Never, Accepted, End, passes;
        "runs since a minute before": Shows(JustBefore), Perhaps, Accepted, End, passes;
        "has ended": Coded(EXISTS), Never, Refused, End, lasts;
    }

    /// What a look at the execution of that name may show beside our own.
    SHOWN {
        "is of another input": Shows(OfOtherInput), Never, Accepted, End, passes;
    }

    /// The same, where times count.
    SHOWN_BEFORE {
        "is from long before": Shows(LongBefore), Never, Accepted, End, passes;
        "is from a minute before": Shows(JustBefore), Perhaps, Accepted, End, passes;
    }
}

/// The answer of an honest service on a good day.
pub(super) static ANSWERED: Event = Event {
    name: "answered",
    play: Shows(New),
    begins: Surely,
    tells: Accepted,
    then: End,
    passes: true,
};

/// What a look then shows.
pub(super) static OURS: Event = Event {
    name: "is ours",
    play: Shows(Ours),
    ..ANSWERED
};

/// The bad certificate: it ends any call, and tells nothing of what was before.
pub(super) static END: &Event = &EVERYWHERE[2];

impl Event {
    pub(super) fn ages_key(&self) -> bool {
        self.then == WithNewKey
    }
}

/// All that can happen to such a request beside that.
pub(super) fn of(call: Call, asked: Asked) -> Vec<&'static Event> {
    let is_start = asked == Asked::Call && call.is_keyed();
    let is_look = asked == Asked::Look;
    let bears_name = is_look || is_start || call.operation == Operation::Describe;
    let lists = [
        (true, EVERYWHERE),
        (call.is_alibaba(), OF_ALIBABA),
        (!call.is_alibaba(), OF_HUAWEI),
        (call.is_alibaba() || call.key == Key::Fixed, OF_SIGNED),
        (call.is_alibaba() && bears_name, OF_NAMED),
        (is_start, FOUND),
        (is_look, SHOWN),
        (call.is_alibaba() && is_look, SHOWN_BEFORE),
    ];
    let lists = lists.into_iter().filter(|(is_possible, _)| *is_possible);
    lists.flat_map(|(_, events)| events).collect()
}
