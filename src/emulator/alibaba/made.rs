//! What was made: how requests reach it, how refusals and answers tell of it.

use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};
use http::StatusCode;
use serde_json::{Map, Value};

use super::{execution::unknown_flow, parameters::Refused};
use crate::emulator::{
    State,
    clock::lock,
    made::{Lack, Made, Sight},
};

/// The refusal of what is not there. Documents list no codes for versions and aliases.
pub(super) fn lacks(flow: &str, lack: &Lack) -> Refused {
    let (code, what) = match lack {
        Lack::Flow => return unknown_flow(flow),
        Lack::Version(version) => ("FlowVersionNotExists", format!("version {version}")),
        Lack::Alias(alias) => ("AliasNotExists", format!("alias {alias}")),
        Lack::Schedule(schedule) => ("ScheduleNotExists", format!("schedule {schedule}")),
    };
    let message = format!("The {what} for flow {flow} does not exist.");
    Refused::new(StatusCode::NOT_FOUND, code, message)
}

pub(super) fn conflict(code: &'static str, message: String) -> Refused {
    Refused::new(StatusCode::CONFLICT, code, message)
}

/// How looks at one thing see it.
pub(super) fn sight(state: &State) -> Sight {
    let world = state.flows.world();
    let quirks = world.quirks.get();
    Sight {
        now: world.clock.passed(),
        lag: quirks.not_visible_for,
        linger: quirks.describe_after_delete_for,
    }
}

/// Does something with what was made, and with the moment.
pub(super) fn with<T>(
    state: &State,
    work: impl FnOnce(&mut Made, Duration) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let mut made = lock(&state.flows.made);
    work(&mut made, state.clock.passed())
}

/// An answer with these fields.
pub(super) fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    let fields = fields.into_iter();
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A time as the newer resources have it: the service's own, without fractions.
pub(super) fn local_time(time: DateTime<Utc>) -> String {
    let hours = FixedOffset::east_opt(8 * 60 * 60);
    hours.map_or_else(
        || time.to_rfc3339(),
        |zone| {
            time.with_timezone(&zone)
                .format("%Y-%m-%dT%H:%M:%S%:z")
                .to_string()
        },
    )
}
