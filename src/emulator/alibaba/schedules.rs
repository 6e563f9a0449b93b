//! `CreateSchedule`, `DescribeSchedule`, `UpdateSchedule`, `DeleteSchedule`, `ListSchedules`: kept
//! and shown. They never start anything.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    execution::time,
    made::{conflict, fields, lacks, sight, with},
    pages::{Answer, page_of_flow},
    parameters::{Parameters, Refused, names, optional, text},
};
use crate::emulator::{
    State, id,
    input::is_input,
    made::{Lack, Made, Schedule},
};

pub(super) fn create(state: &State, parameters: &Parameters) -> Answer {
    let (flow, name) = names(parameters, "ScheduleName")?;
    let cron_expression = cron(parameters)?;
    let cron_expression = cron_expression.ok_or_else(|| Refused::missing("CronExpression"))?;
    let now = state.clock.now();
    let schedule = Schedule {
        name: name.to_owned(),
        id: id::uuid(),
        cron_expression,
        description: text(parameters, "Description").unwrap_or_default(),
        payload: payload(parameters)?.unwrap_or_default(),
        is_on: is_on(parameters)?.unwrap_or_default(),
        created: now,
        modified: now,
    };
    with(state, |made, now| {
        made.flow(flow).map_err(|lack| lacks(flow, &lack))?;
        let key = (flow.to_owned(), name.to_owned());
        if made.schedules.get(&key).is_some() {
            let message = format!("The schedule {name} already exists in flow {flow}.");
            return Err(conflict("ScheduleAlreadyExists", message));
        }
        let body = body(&schedule);
        made.schedules.put(key, now, Some(Arc::new(schedule)));
        Ok(body)
    })
}

pub(super) fn describe(state: &State, parameters: &Parameters) -> Answer {
    let (flow, name) = names(parameters, "ScheduleName")?;
    let sight = sight(state);
    with(state, |made, _| {
        made.flow(flow).map_err(|lack| lacks(flow, &lack))?;
        let key = (flow.to_owned(), name.to_owned());
        let schedule = made.schedules.seen(&key, sight);
        let schedule = schedule.ok_or_else(|| lacks(flow, &Lack::Schedule(name.to_owned())))?;
        Ok(body(schedule))
    })
}

/// What is left out stays as it is.
pub(super) fn update(state: &State, parameters: &Parameters) -> Answer {
    let (flow, name) = names(parameters, "ScheduleName")?;
    let (cron_expression, payload) = (cron(parameters)?, payload(parameters)?);
    let is_on = is_on(parameters)?;
    with(state, |made, now| {
        let old = schedule(made, flow, name)?;
        let schedule = Schedule {
            cron_expression: cron_expression.unwrap_or(old.cron_expression),
            description: text(parameters, "Description").unwrap_or(old.description),
            payload: payload.unwrap_or(old.payload),
            is_on: is_on.unwrap_or(old.is_on),
            modified: state.clock.now(),
            ..old
        };
        let body = body(&schedule);
        let key = (flow.to_owned(), name.to_owned());
        made.schedules.put(key, now, Some(Arc::new(schedule)));
        Ok(body)
    })
}

pub(super) fn delete(state: &State, parameters: &Parameters) -> Answer {
    let (flow, name) = names(parameters, "ScheduleName")?;
    with(state, |made, now| {
        schedule(made, flow, name)?;
        let key = (flow.to_owned(), name.to_owned());
        made.schedules.put(key, now, None);
        Ok(Map::new())
    })
}

pub(super) fn list(state: &State, parameters: &Parameters) -> Answer {
    let what = ("Schedules", 1000);
    page_of_flow(state, parameters, what, |made| &made.schedules, body)
}

fn schedule(made: &Made, flow: &str, name: &str) -> Result<Schedule, Refused> {
    made.flow(flow).map_err(|lack| lacks(flow, &lack))?;
    let schedule = made.schedules.get(&(flow.to_owned(), name.to_owned()));
    let schedule = schedule.ok_or_else(|| lacks(flow, &Lack::Schedule(name.to_owned())))?;
    Ok(Schedule::clone(schedule))
}

/// Six fields, if they are given; the first is the seconds.
fn cron(parameters: &Parameters) -> Result<Option<String>, Refused> {
    let text = optional(parameters, "CronExpression");
    if text.is_some_and(|text| text.split_whitespace().count() != 6) {
        return Err(Refused::invalid("CronExpression must have six fields"));
    }
    Ok(text.map(str::to_owned))
}

fn payload(parameters: &Parameters) -> Result<Option<String>, Refused> {
    let text = optional(parameters, "Payload");
    if text.is_some_and(|text| !is_input(text)) {
        return Err(Refused::invalid(
            "Payload must be the text of a JSON object",
        ));
    }
    Ok(text.map(str::to_owned))
}

/// Some official clients begin these words with a capital.
fn is_on(parameters: &Parameters) -> Result<Option<bool>, Refused> {
    match optional(parameters, "Enable")
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Refused::invalid("Enable must be true or false")),
    }
}

fn body(schedule: &Schedule) -> Map<String, Value> {
    fields([
        ("ScheduleName", json!(schedule.name)),
        ("ScheduleId", json!(schedule.id)),
        ("CronExpression", json!(schedule.cron_expression)),
        ("Description", json!(schedule.description)),
        ("Payload", json!(schedule.payload)),
        ("Enable", json!(schedule.is_on)),
        ("CreatedTime", json!(time(schedule.created))),
        ("LastModifiedTime", json!(time(schedule.modified))),
    ])
}
