//! What manages flows: which operation a call is for, and what all of them have in common.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, Utc};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    aliases,
    execution::unknown_flow,
    flows, map_runs,
    pages::{Answer, bad_token, limit, paged},
    parameters::{Parameters, Refused, name, optional},
    schedules, versions,
};
use crate::{
    alibaba::{
        CreateFlowAliasRequest, CreateFlowRequest, CreateScheduleRequest, DeleteFlowAliasRequest,
        DeleteFlowRequest, DeleteFlowVersionRequest, DeleteScheduleRequest,
        DescribeFlowAliasRequest, DescribeFlowRequest, DescribeMapRunRequest,
        DescribeRegionsRequest, DescribeScheduleRequest, ListFlowAliasesRequest,
        ListFlowVersionsRequest, ListFlowsRequest, ListSchedulesRequest, PublishFlowVersionRequest,
        UpdateFlowAliasRequest, UpdateFlowRequest, UpdateMapRunRequest, UpdateScheduleRequest,
    },
    emulator::{
        State,
        clock::lock,
        made::{Lack, Made, Shelf, Sight},
        paging,
        served::named::Named as _,
    },
};

/// Does what the checked parameters of this operation ask for.
pub(super) fn call(state: &State, parameters: &Parameters, action: &str) -> Answer {
    match action {
        CreateFlowRequest::NAME => flows::create(state, parameters),
        DescribeFlowRequest::NAME => flows::describe(state, parameters),
        UpdateFlowRequest::NAME => flows::update(state, parameters),
        DeleteFlowRequest::NAME => flows::delete(state, parameters),
        ListFlowsRequest::NAME => flows::list(state, parameters),
        PublishFlowVersionRequest::NAME => versions::publish(state, parameters),
        DeleteFlowVersionRequest::NAME => versions::delete(state, parameters),
        ListFlowVersionsRequest::NAME => versions::list(state, parameters),
        CreateFlowAliasRequest::NAME => aliases::create(state, parameters),
        DescribeFlowAliasRequest::NAME => aliases::describe(state, parameters),
        UpdateFlowAliasRequest::NAME => aliases::update(state, parameters),
        DeleteFlowAliasRequest::NAME => aliases::delete(state, parameters),
        ListFlowAliasesRequest::NAME => aliases::list(state, parameters),
        CreateScheduleRequest::NAME => schedules::create(state, parameters),
        DescribeScheduleRequest::NAME => schedules::describe(state, parameters),
        UpdateScheduleRequest::NAME => schedules::update(state, parameters),
        DeleteScheduleRequest::NAME => schedules::delete(state, parameters),
        ListSchedulesRequest::NAME => schedules::list(state, parameters),
        DescribeMapRunRequest::NAME => map_runs::describe(state, parameters),
        UpdateMapRunRequest::NAME => map_runs::update(state, parameters),
        DescribeRegionsRequest::NAME => regions(state, parameters),
        other => Err(Refused::action(other)),
    }
}

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

/// A name that must be there.
pub(super) fn the_name<'a>(parameters: &'a Parameters, what: &str) -> Result<&'a str, Refused> {
    name(parameters, what)?.ok_or_else(|| Refused::missing(what))
}

/// A text that may be empty, where it is given at all.
pub(super) fn text(parameters: &Parameters, name: &str) -> Option<String> {
    parameters.get(name).cloned()
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
    work: impl FnOnce(&mut Made, std::time::Duration) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let mut made = lock(&state.flows.made);
    work(&mut made, state.clock.passed())
}

/// A page of the things of a shelf whose keys are meant.
pub(super) fn page<K: Ord, T>(
    state: &State,
    parameters: &Parameters,
    (name, most): (&str, usize),
    shelf: &Shelf<K, T>,
    mark: impl Fn(&K) -> Option<String>,
    show: impl Fn(&Arc<T>) -> Option<Value>,
) -> Answer {
    let limit = limit(parameters, most)?;
    let quirks = state.flows.world().quirks.get();
    let sight = Sight {
        lag: quirks.list_lag,
        ..sight(state)
    };
    let keys: Vec<(String, &K)> = shelf
        .keys()
        .filter_map(|key| Some((mark(key)?, key)))
        .collect();
    let page = paging::by_token(
        &keys,
        |(mark, _)| mark.clone(),
        |(_, key)| show(shelf.seen(key, sight)?),
        optional(parameters, "NextToken"),
        limit,
        &quirks,
    );
    let page = page.ok_or_else(bad_token)?;
    Ok(paged(name, page.items, page.next))
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

/// All regions lead back here.
fn regions(state: &State, parameters: &Parameters) -> Answer {
    let is_english = match optional(parameters, "AcceptLanguage") {
        None | Some("zh-CN") => false,
        Some("en-US") => true,
        Some(_) => return Err(Refused::invalid("AcceptLanguage must be zh-CN or en-US")),
    };
    let host = state.url.trim_start_matches("http://");
    let regions = [
        ("cn-hangzhou", "华东1（杭州）", "China (Hangzhou)"),
        ("cn-shanghai", "华东2（上海）", "China (Shanghai)"),
        ("ap-southeast-1", "新加坡", "Singapore"),
    ];
    let regions = regions.map(|(id, chinese, english)| {
        let name = if is_english { english } else { chinese };
        json!({"RegionId": id, "LocalName": name, "RegionEndpoint": host})
    });
    Ok(fields([("Regions", json!({"Region": regions}))]))
}
