//! Huawei Cloud FunctionGraph: flows as the API makes, lists, changes and deletes them.

use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    State,
    cloud::{Cloud, Mode},
    flow::Sheet,
    huawei::call::{Call, time},
    id, paging,
    reply::Reply,
    run::Run,
    served::named::Named as _,
    workflow_executions::{Query, missing, refused},
};
use crate::huawei::{
    BatchDeleteWorkflowsRequest, CreateWorkflowRequest, ListWorkflowRequest,
    ShowTenantMetricRequest, ShowWorkFlowMetricRequest, ShowWorkFlowRequest, UpdateWorkFlowRequest,
};

/// Answers a call that is allowed; none where it is for something else.
pub(crate) fn handle(state: &State, operation: &str, call: &Call<'_>) -> Option<Reply> {
    let mut status = StatusCode::OK;
    let answer = match operation {
        CreateWorkflowRequest::NAME => {
            status = StatusCode::CREATED;
            create(state, call)
        }
        ListWorkflowRequest::NAME => list(state, &Query::of(call.request)),
        ShowWorkFlowRequest::NAME => return Some(show(state, call.variable("workflow_id"))),
        UpdateWorkFlowRequest::NAME => update(state, call),
        BatchDeleteWorkflowsRequest::NAME => delete(state, call),
        ShowWorkFlowMetricRequest::NAME => metric_of_one(state, call),
        ShowTenantMetricRequest::NAME => {
            let kept = state.flows.kept(Cloud::Huawei);
            let keys: Vec<String> = kept.into_iter().map(|(key, _)| key).collect();
            metric(state, &Query::of(call.request), &keys)
        }
        _ => return None,
    };
    Some(match answer {
        Ok(body) => Reply::json(status, &id::hex(), &body),
        Err(reply) => *reply,
    })
}

type Answer = Result<Value, Box<Reply>>;

fn create(state: &State, call: &Call<'_>) -> Answer {
    let (name, definition) = definition(&call.request.body)?;
    let now = state.clock.now();
    let sheet = Sheet {
        name,
        definition,
        created: now,
        updated: now,
    };
    let key = id::uuid();
    let body = brief(state, &key, &sheet);
    state.flows.keep(&key, Mode::Workflow, sheet);
    Ok(body)
}

fn update(state: &State, call: &Call<'_>) -> Answer {
    let key = call.variable("workflow_id");
    let sheet = state.flows.sheet(Cloud::Huawei, key);
    let sheet = sheet.ok_or_else(|| missing(state))?;
    let (name, definition) = definition(&call.request.body)?;
    let sheet = Sheet {
        name,
        definition,
        updated: state.clock.now(),
        ..sheet
    };
    let body = brief(state, key, &sheet);
    state.flows.keep(key, Mode::Workflow, sheet);
    Ok(body)
}

/// Name and text of a definition that has all it must have.
fn definition(body: &[u8]) -> Result<(String, String), Box<Reply>> {
    let bad = |what: &str| refused(&format!("Invalid parameters: {what}."));
    let read: Value = serde_json::from_slice(body).map_err(|_| bad("the body"))?;
    let name = read["name"].as_str().unwrap_or_default();
    let is_of_a_name = |c: char| {
        c.is_ascii_alphanumeric() || "_().-".contains(c) || ('\u{4e00}'..='\u{9fa5}').contains(&c)
    };
    if !(1..=64).contains(&name.chars().count()) || !name.chars().all(is_of_a_name) {
        return Err(bad("name"));
    }
    if read["start"].as_str().unwrap_or_default().is_empty() {
        return Err(bad("start"));
    }
    for (list, least, most) in [
        ("states", 1, 100),
        ("functions", 0, 100),
        ("retries", 0, 200),
    ] {
        let items = read[list].as_array().ok_or_else(|| bad(list))?;
        if !(least..=most).contains(&items.len()) {
            return Err(bad(list));
        }
    }
    if !read["constants"].is_object() {
        return Err(bad("constants"));
    }
    if !matches!(mode(&read), "NORMAL" | "EXPRESS") {
        return Err(bad("mode"));
    }
    let text = String::from_utf8_lossy(body).into_owned();
    Ok((name.to_owned(), text))
}

fn mode(definition: &Value) -> &str {
    match &definition["mode"] {
        Value::Null => "NORMAL",
        mode => mode.as_str().unwrap_or_default(),
    }
}

/// A flow as it is made, changed and listed.
fn brief(state: &State, key: &str, sheet: &Sheet) -> Value {
    let definition: Value = serde_json::from_str(&sheet.definition).unwrap_or_default();
    json!({
        "id": key,
        "workflow_urn": state.huawei.urn(&sheet.name),
        "name": sheet.name,
        "description": definition["description"].as_str().unwrap_or_default(),
        "created_time": time(sheet.created),
        "updated_time": time(sheet.updated),
        "created_by": state.huawei.user(),
        "enable_stream_response": definition["enable_stream_response"] == true,
    })
}

fn show(state: &State, key: &str) -> Reply {
    let Some(sheet) = state.flows.sheet(Cloud::Huawei, key) else {
        return *missing(state);
    };
    let body = json!({
        "id": key,
        "workflow_urn": state.huawei.urn(&sheet.name),
        "created_time": time(sheet.created),
        "updated_time": time(sheet.updated),
        "created_by": state.huawei.user(),
    });
    let mut reply = Reply::json(StatusCode::OK, &id::hex(), &body);
    // The definition as it was given, to the byte.
    let text = body.to_string();
    let text = text.trim_end_matches('}');
    let definition = match state.flows.world().quirks.get().reformat_definitions {
        true => reformatted(&sheet.definition),
        false => sheet.definition,
    };
    reply.body = format!("{text},\"definition\":{definition}}}").into();
    reply
}

/// Other words of the same meaning.
fn reformatted(definition: &str) -> String {
    let mut read: Value = serde_json::from_str(definition).unwrap_or_default();
    for (member, value) in [
        ("mode", json!("NORMAL")),
        ("description", json!("")),
        ("enable_stream_response", json!(false)),
        ("version", json!("1.0")),
    ] {
        if let Some(read) = read.as_object_mut() {
            read.entry(member).or_insert(value);
        }
    }
    read.to_string()
}

fn list(state: &State, query: &Query) -> Answer {
    let limit = query.number("limit")?.unwrap_or(200).min(200);
    if limit == 0 {
        return Err(refused("Invalid parameters: limit."));
    }
    let offset = query.number("offset")?.unwrap_or(0);
    let fits = |sheet: &Sheet| {
        let definition: Value = serde_json::from_str(&sheet.definition).unwrap_or_default();
        // A part of the name is enough.
        let has_name = query.text("workflow_name");
        let is_of_mode = query.text("mode");
        let is_of_project = query.text("enterprise_project");
        has_name.is_none_or(|name| sheet.name.contains(name))
            && is_of_mode.is_none_or(|wanted| mode(&definition) == wanted)
            && is_of_project.is_none_or(|wanted| definition["enterprise_project_id"] == wanted)
    };
    let mut kept = state.flows.kept(Cloud::Huawei);
    kept.retain(|(_, sheet)| fits(sheet));
    let total = kept.len();
    let quirks = state.flows.world().quirks.get();
    let page = paging::by_offset(kept.iter(), offset, limit, &quirks);
    let page = page.into_iter();
    let flows: Vec<Value> = page.map(|(key, sheet)| brief(state, key, sheet)).collect();
    Ok(json!({"total": total, "size": flows.len(), "workflows": flows}))
}

#[derive(Deserialize)]
struct DeleteBody {
    workflow_urns: Vec<String>,
}

/// The service names no more of the deleted.
const NAMED_AT_MOST: usize = 100;

fn delete(state: &State, call: &Call<'_>) -> Answer {
    let body = serde_json::from_slice::<DeleteBody>(&call.request.body);
    let body = body.map_err(|_| refused("Invalid parameters: workflow_urns."))?;
    if body.workflow_urns.len() > 200 {
        return Err(refused("Invalid parameters: workflow_urns."));
    }
    let (mut success, mut fail) = (Vec::new(), Vec::new());
    for urn in body.workflow_urns {
        let mut kept = state.flows.kept(Cloud::Huawei);
        kept.retain(|(_, sheet)| state.huawei.urn(&sheet.name) == urn);
        for (key, _) in &kept {
            state.flows.remove(Cloud::Huawei, key);
        }
        match kept.is_empty() {
            true => fail.push(json!({
                "workflow_urn": urn,
                "error_detail": "The flow does not exist.",
            })),
            false => success.push(urn),
        }
    }
    let quirks = state.flows.world().quirks.get();
    let at_most = quirks.batch_delete_reports_at_most;
    success.truncate(at_most.unwrap_or(NAMED_AT_MOST));
    Ok(json!({"success": success, "fail": fail}))
}

fn metric_of_one(state: &State, call: &Call<'_>) -> Answer {
    let urn = call.variable("workflow_urn");
    let mut kept = state.flows.kept(Cloud::Huawei);
    kept.retain(|(_, sheet)| state.huawei.urn(&sheet.name) == urn);
    if kept.is_empty() {
        return Err(missing(state));
    }
    let keys: Vec<String> = kept.into_iter().map(|(key, _)| key).collect();
    metric(state, &Query::of(call.request), &keys)
}

/// How long a time one value stands for where nobody says.
const PERIOD: i64 = 60;
/// So many values at most.
const VALUES: usize = 1_000;

/// What became of the executions that began in each period.
fn metric(state: &State, query: &Query, keys: &[String]) -> Answer {
    let number = |name: &str| {
        let text = query.text(name);
        let number = text.map(str::parse::<i64>).transpose();
        number.map_err(|_| refused(&format!("Invalid parameters: {name}.")))
    };
    let period = number("period")?.unwrap_or(PERIOD).clamp(1, 60 * 24 * 366);
    let period = TimeDelta::minutes(period);
    let date = |millis: Option<i64>| millis.and_then(DateTime::from_timestamp_millis);
    let end = date(number("end_time")?).unwrap_or_else(|| state.clock.now());
    let begin = date(number("start_time")?);
    let mut at = begin.unwrap_or_else(|| end.checked_sub_signed(period).unwrap_or(end));
    let runs = keys
        .iter()
        .filter_map(|key| state.flows.all(Cloud::Huawei, key));
    let runs: Vec<_> = runs.flatten().collect();
    let mut body = json!({"count": [], "duration": [], "fail_count": [], "running_count": []});
    let mut values = 0;
    while at < end && values < VALUES {
        let next = at.checked_add_signed(period).unwrap_or(end);
        let begun = |run: &&std::sync::Arc<Run>| (at..next).contains(&run.started);
        let views: Vec<(DateTime<Utc>, _)> = runs
            .iter()
            .filter(begun)
            .map(|run| (run.started, run.view()))
            .collect();
        let of_status = |status: &str| {
            let views = views.iter();
            views.filter(|(_, view)| view.status == status).count() as f64
        };
        let lasted = views.iter().filter_map(|(started, view)| {
            let ending = view.ending.as_ref()?;
            Some((ending.stopped - *started).num_milliseconds() as f64)
        });
        let lasted: Vec<f64> = lasted.collect();
        let mean = lasted.iter().sum::<f64>() / lasted.len().max(1) as f64;
        for (name, value) in [
            ("count", views.len() as f64),
            ("duration", mean),
            ("fail_count", of_status("fail")),
            ("running_count", of_status("running")),
        ] {
            if let Some(list) = body[name].as_array_mut() {
                list.push(json!({"timestamp": at.timestamp_millis(), "value": value}));
            }
        }
        (at, values) = (next, values + 1);
    }
    Ok(body)
}
