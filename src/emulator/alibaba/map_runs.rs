//! `DescribeMapRun`, `UpdateMapRun`.

use std::{str::FromStr, sync::Arc, time::Duration};

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    execution::find,
    made::{fields, local_time},
    pages::Answer,
    parameters::{Parameters, Refused, optional, required, the_name},
};
use crate::emulator::{
    State,
    course::{MAP_RUN, MapLimits},
    plan::Items,
    run::Run,
};

/// A map run that has begun.
struct MapRun<'a> {
    run: Arc<Run>,
    flow: &'a str,
    name: &'a str,
    items: Items,
    limits: MapLimits,
    began: Duration,
    /// When it ended, and how.
    ended: Option<(Duration, &'static str)>,
}

pub(super) fn describe(state: &State, parameters: &Parameters) -> Answer {
    let map = map_run(state, parameters)?;
    let now = state.clock.passed();
    let mut body = shown(&map);
    let (status, stopped) = match map.ended {
        None => ("Running", String::new()),
        Some((at, status)) => (status, local_time(map.run.date(at))),
    };
    body.extend(fields([
        ("Status", json!(status)),
        ("ItemCounts", counts(&map, now)),
        ("StartedTime", json!(local_time(map.run.date(map.began)))),
        ("StoppedTime", json!(stopped)),
    ]));
    Ok(body)
}

pub(super) fn update(state: &State, parameters: &Parameters) -> Answer {
    let mut map = map_run(state, parameters)?;
    let old = map.limits;
    map.limits = MapLimits {
        concurrency: number(parameters, "Concurrency")?.unwrap_or(old.concurrency),
        failed_count: number(parameters, "ToleratedFailedCount")?.unwrap_or(old.failed_count),
        failed_percentage: number(parameters, "ToleratedFailedPercentage")?
            .unwrap_or(old.failed_percentage),
    };
    if !(0.0..=100.0).contains(&map.limits.failed_percentage) {
        let message = "ToleratedFailedPercentage must be 0 to 100";
        return Err(Refused::invalid(message));
    }
    // How the service refuses this is not documented.
    if map.ended.is_some() {
        let message = format!("Map run {} has already completed.", map.name);
        return Err(Refused::invalid(message));
    }
    map.run.set_limits(map.name, map.limits);
    let mut body = shown(&map);
    body.insert("FlowName".to_owned(), json!(map.flow));
    Ok(body)
}

fn map_run<'a>(state: &State, parameters: &'a Parameters) -> Result<MapRun<'a>, Refused> {
    let flow = the_name(parameters, "FlowName")?;
    let execution = the_name(parameters, "ExecutionName")?;
    let name = required(parameters, "MapRunName")?;
    let run = find(state, flow, execution)?;
    begun(&run, flow, name).ok_or_else(|| {
        let message = format!("Map run {name} for execution {execution} does not exist.");
        Refused::new(StatusCode::NOT_FOUND, "MapRunNotExists", message)
    })
}

fn begun<'a>(run: &Arc<Run>, flow: &'a str, name: &'a str) -> Option<MapRun<'a>> {
    let items = run.items_of(name)?;
    let events = run.history();
    let first = (events.iter()).position(|event| event.kind == MAP_RUN && event.step == name)?;
    let (begun, later) = events.get(first..)?.split_first()?;
    let ended = later.iter().find_map(|event| {
        let status = match event.kind.as_ref() {
            "TaskSucceeded" if event.step == name => "Succeeded",
            "TaskFailed" if event.step == name => "Failed",
            "ExecutionStopped" => "Aborted",
            _ => return None,
        };
        Some((event.at, status))
    });
    Some(MapRun {
        run: Arc::clone(run),
        flow,
        name,
        items,
        limits: run.limits_of(name, items)?,
        began: begun.at,
        ended,
    })
}

/// How many items are how far. They end one after the other, in equal times.
fn counts(map: &MapRun<'_>, now: Duration) -> Value {
    let (all, at) = (map.items.all, map.ended.map_or(now, |(at, _)| at));
    let done = match (map.ended, map.items.time) {
        (Some((_, "Succeeded" | "Failed")), _) | (_, Duration::ZERO) => all,
        (_, time) => {
            let share = at.saturating_sub(map.began).as_secs_f64() / time.as_secs_f64();
            ((f64::from(all) * share) as u32).min(all)
        }
    };
    let failed = map.items.failing.min(done);
    let left = all - done;
    let (running, aborted) = match map.ended {
        None => (left.min(map.limits.concurrency), 0),
        Some(_) => (0, left),
    };
    json!({
        "Total": all,
        "Pending": left - running - aborted,
        "Running": running,
        "Succeed": done - failed,
        "Failed": failed,
        "Aborted": aborted,
    })
}

fn shown(map: &MapRun<'_>) -> Map<String, Value> {
    fields([
        ("MapRunName", json!(map.name)),
        ("ExecutionName", json!(map.run.name)),
        ("Concurrency", json!(map.limits.concurrency)),
        ("ToleratedFailedCount", json!(map.limits.failed_count)),
        (
            "ToleratedFailedPercentage",
            json!(map.limits.failed_percentage),
        ),
    ])
}

fn number<T: FromStr>(parameters: &Parameters, name: &str) -> Result<Option<T>, Refused> {
    let number = optional(parameters, name).map(str::parse).transpose();
    number.map_err(|_| Refused::invalid(format!("{name} must be a number, and not negative")))
}
