//! What manages flows: which operation a call is for.

use serde_json::json;

use super::{
    aliases, flows,
    made::fields,
    map_runs,
    pages::Answer,
    parameters::{Parameters, Refused, optional},
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
    emulator::{State, served::named::Named as _},
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
