//! Huawei Cloud FunctionGraph: executions that go on by themselves, and what follows them.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};
use url::form_urlencoded;

use super::{
    State,
    cloud::{Cloud, Mode},
    flow::{Refusal, execution_id},
    huawei::call::{Call, invalid, time},
    id,
    input::is_input,
    lists::{Filter, Listed, Node},
    record::RecordedRequest,
    reply::Reply,
    run::{Ran, ReportRefusal, Run, View},
    served::named::Named as _,
};
use crate::huawei::{
    CreateCallbackWorkflowRequest, ListWorkflowExecutionsRequest, RetryWorkFlowRequest,
    ShowWorkflowExecutionForPageRequest, ShowWorkflowExecutionRequest,
    StartWorkflowExecutionRequest, StopWorkFlowRequest,
};
use crate::payload::is_json;

/// Answers a call that is allowed.
pub(crate) fn handle(state: &State, operation: &str, call: &Call<'_>) -> Reply {
    let request = call.request;
    let workflow = call.variable("workflow_id");
    let execution = call.variable("execution_id");
    let answer = match operation {
        StartWorkflowExecutionRequest::NAME => start(state, request, workflow),
        ListWorkflowExecutionsRequest::NAME => list(state, request, workflow),
        ShowWorkflowExecutionForPageRequest::NAME => list_for_page(state, request, workflow),
        CreateCallbackWorkflowRequest::NAME => callback(state, request, workflow),
        ShowWorkflowExecutionRequest::NAME => match find(state, workflow, execution) {
            Ok(run) => return Reply::json_text(StatusCode::OK, &id::hex(), details(state, &run)),
            Err(reply) => Err(reply),
        },
        StopWorkFlowRequest::NAME => stop(state, workflow, execution),
        RetryWorkFlowRequest::NAME => retry(state, workflow, execution),
        _ => return Reply::no_such_api(),
    };
    match answer {
        Ok(body) => Reply::json(StatusCode::OK, &id::hex(), &body),
        Err(reply) => *reply,
    }
}

type Answer = Result<Value, Box<Reply>>;

pub(crate) fn refused(message: &str) -> Box<Reply> {
    Box::new(invalid(message))
}

/// What is not there.
pub(crate) fn missing(state: &State) -> Box<Reply> {
    if state.flows.world().quirks.get().fss0500_for_missing {
        let message = "Get the associated function of the workflow failed.";
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        return Box::new(Reply::flat_error(status, "FSS.0500", message));
    }
    let body = json!({"error_code": "FGS.5002", "error_msg": "The flow does not exist."});
    Box::new(Reply::json(StatusCode::NOT_FOUND, &id::hex(), &body))
}

fn find(state: &State, workflow: &str, execution: &str) -> Result<std::sync::Arc<Run>, Box<Reply>> {
    let found = state.flows.find(Cloud::Huawei, workflow, execution);
    found.map_err(|_| missing(state))
}

#[derive(Deserialize)]
struct ExecuteBody<'a> {
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

fn start(state: &State, request: &RecordedRequest, workflow: &str) -> Answer {
    let body = serde_json::from_slice::<ExecuteBody<'_>>(&request.body);
    let body = body.map_err(|_| refused("Invalid parameters."))?;
    let input = body.input.map_or("", RawValue::get);
    if !input.is_empty() && !is_input(input) {
        return Err(refused("Invalid parameters: input must be an object."));
    }
    let given = header(request, "x-workflowrun-id").filter(|id| !id.is_empty());
    let is_id = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if given.is_some_and(|id| !is_id(&id)) {
        return Err(refused("Invalid parameters: X-WorkflowRun-ID."));
    }
    if let Some(date) = header(request, "x-create-time").filter(|date| !date.is_empty()) {
        let date = chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d");
        let is_past = date.is_ok_and(|date| date <= state.clock.now().date_naive());
        if !is_past {
            return Err(refused("Invalid parameters: X-Create-Time."));
        }
    }
    let id = given.map_or_else(execution_id, str::to_owned);
    let begun = state
        .flows
        .begin(workflow, Mode::Workflow, id, input, Ran::default);
    let run = begun.map_err(|_| missing(state))?;
    Ok(json!({"execution_id": run.name}))
}

fn stop(state: &State, workflow: &str, execution: &str) -> Answer {
    let run = find(state, workflow, execution)?;
    let stopped = run.stop("", "the execution was terminated");
    stopped.map_err(|_| refused("The execution has ended."))?;
    Ok(json!({}))
}

fn retry(state: &State, workflow: &str, execution: &str) -> Answer {
    let run = find(state, workflow, execution)?;
    let retried = state.flows.retry(&run);
    retried.map_err(|view| {
        let message = format!("An execution of status {} is not retried.", view.status);
        refused(&message)
    })?;
    Ok(json!({}))
}

#[derive(Deserialize)]
struct CallbackBody<'a> {
    result: String,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    error: Option<String>,
}

fn callback(state: &State, request: &RecordedRequest, workflow: &str) -> Answer {
    let execution = header(request, "x-workflow-run-id");
    let node = header(request, "x-workflow-state-id");
    let (Some(execution), Some(node)) = (execution, node) else {
        return Err(refused("Invalid parameters: the headers are missing."));
    };
    let body = serde_json::from_slice::<CallbackBody<'_>>(&request.body);
    let body = body.map_err(|_| refused("Invalid parameters."))?;
    let error = body.error.unwrap_or_default();
    if error.chars().count() > 64 {
        return Err(refused("Invalid parameters: error is too long."));
    }
    let result = match body.result.as_str() {
        "success" => Ok(body.output.map_or("{}", RawValue::get).to_owned()),
        "fail" => Err((String::new(), error)),
        _ => return Err(refused("Invalid parameters: result.")),
    };
    let run = find(state, workflow, execution)?;
    let reported = run
        .callback_of(node)
        .ok_or(ReportRefusal::Unknown)
        .and_then(|number| run.report(number, result));
    reported.map_err(|refusal| match refusal {
        ReportRefusal::Unknown => missing(state),
        ReportRefusal::AlreadyCompleted => refused("The node has been called back already."),
        ReportRefusal::TooEarly => refused("The node does not wait for a callback."),
    })?;
    Ok(json!({"execution_id": execution}))
}

fn list(state: &State, request: &RecordedRequest, workflow: &str) -> Answer {
    let query = Query::of(request);
    let limit = query.number("limit")?.unwrap_or(200).min(200);
    let offset = query.number("offset")?.unwrap_or(0);
    let filter = Filter {
        status: query.text("status"),
        ..query.window(state.clock.now())?
    };
    let page = state
        .flows
        .list_from(Cloud::Huawei, workflow, &filter, offset, limit);
    let page = page.map_err(|_: Refusal| missing(state))?;
    let items = page.items.iter();
    let executions: Vec<Value> = items.map(|listed| brief(state, listed)).collect();
    Ok(json!({"executions": executions}))
}

fn list_for_page(state: &State, request: &RecordedRequest, workflow: &str) -> Answer {
    let query = Query::of(request);
    let (Some(offset), Some(limit)) = (query.number("offset")?, query.number("limit")?) else {
        return Err(refused(
            "Invalid parameters: offset and limit are required.",
        ));
    };
    if !(1..=100).contains(&limit) {
        return Err(refused("Invalid parameters: limit."));
    }
    let filter = query.window(state.clock.now())?;
    let page = state
        .flows
        .list_from(Cloud::Huawei, workflow, &filter, offset, limit);
    let page = page.map_err(|_: Refusal| missing(state))?;
    let items = page.items.iter();
    let executions: Vec<Value> = items.map(|listed| brief(state, listed)).collect();
    Ok(json!({"total": page.total, "size": executions.len(), "executions": executions}))
}

fn brief(state: &State, (run, view): &Listed) -> Value {
    Value::from(fields(state, run, view))
}

/// What lists and details have in common.
fn fields(state: &State, run: &Run, view: &View) -> Map<String, Value> {
    let settings = &state.huawei;
    let kept = state.flows.sheet(Cloud::Huawei, &run.flow);
    let name = kept.map_or_else(|| run.flow.clone(), |sheet| sheet.name);
    let urn = settings.urn(&name);
    let ended = view.ending.as_ref();
    [
        ("workflow_id", run.flow.clone()),
        ("workflow_urn", urn),
        ("execution_id", run.name.clone()),
        ("status", view.status.clone()),
        ("begin_time", time(run.started)),
        (
            "end_time",
            ended.map_or_else(String::new, |ending| time(ending.stopped)),
        ),
        ("last_update_time", time(view.updated)),
        ("created_by", settings.user()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.into()))
    .collect()
}

/// JSON text, since inputs and outputs stand in it as they were written.
fn details(state: &State, run: &Run) -> String {
    let view = run.view();
    // The nodes in the order in which they were first entered; a retry enters them again.
    let mut nodes: Vec<(String, Vec<String>)> = Vec::new();
    for node in run.nodes() {
        let known = nodes.iter_mut().find(|(id, _)| *id == node.id);
        let executed = executed(&node);
        match known {
            Some((_, executions)) => executions.push(executed),
            None => nodes.push((node.id, vec![executed])),
        }
    }
    let nodes = nodes.into_iter().map(|(node, executions)| {
        let body = json!({"node_id": node, "node_name": node, "execution_id": run.name});
        with(&body, [("executions", list_of(executions))])
    });
    let payload = |text: &str| match is_json(text) {
        true => text.to_owned(),
        false => "{}".to_owned(),
    };
    with(
        &fields(state, run, &view).into(),
        [
            ("headers", "{}".to_owned()),
            ("input", payload(&run.input)),
            ("output", payload(view.output())),
            ("node_execution_details", list_of(nodes)),
        ],
    )
}

/// Here, times are numbers.
fn executed(node: &Node) -> String {
    let mut body = json!({
        "status": node.status,
        "begin_time": node.began.timestamp_millis(),
        "request_id": id::hex(),
    });
    if let Some(ended) = node.ended {
        body["end_time"] = ended.timestamp_millis().into();
    }
    if let Some(error) = &node.error {
        body["error_message"] = error.as_str().into();
    }
    let input = Some(("input", node.input.clone()));
    let output = node.output.clone().map(|output| ("output", output));
    with(&body, input.into_iter().chain(output))
}

/// An object and members that are JSON text already.
fn with<'a>(object: &Value, members: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut text = object.to_string();
    text.truncate(text.len() - 1);
    for (name, value) in members {
        text.push_str(&format!(",\"{name}\":{value}"));
    }
    text + "}"
}

fn list_of(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    format!("[{}]", items.join(","))
}

fn header<'a>(request: &'a RecordedRequest, name: &str) -> Option<&'a str> {
    request.headers.get(name)?.to_str().ok()
}

/// How far a list reaches without two ends.
const WINDOW: TimeDelta = TimeDelta::days(3);

/// The parameters of a list.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(request: &RecordedRequest) -> Self {
        let pairs = form_urlencoded::parse(request.query.as_bytes());
        Self(pairs.into_owned().collect())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// A negative number is as good as 0.
    pub(crate) fn number(&self, name: &str) -> Result<Option<usize>, Box<Reply>> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let number: i64 = text
            .parse()
            .map_err(|_| refused(&format!("Invalid parameters: {name}.")))?;
        Ok(Some(usize::try_from(number).unwrap_or(0)))
    }

    fn date(&self, name: &str) -> Result<Option<DateTime<Utc>>, Box<Reply>> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let date = DateTime::parse_from_rfc3339(text).map(|date| date.to_utc());
        let plain = || {
            let date = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S");
            date.map(|date| date.and_utc())
        };
        let date = date.or_else(|_| plain());
        let date = date.map_err(|_| refused(&format!("Invalid parameters: {name}.")))?;
        Ok(Some(date))
    }

    /// Both ends, or three days from the one that is given, or the last three days.
    fn window(&self, now: DateTime<Utc>) -> Result<Filter<'_>, Box<Reply>> {
        let (from, to) = (self.date("start_time")?, self.date("end_time")?);
        let (from, to) = match (from, to) {
            (None, None) => (now.checked_sub_signed(WINDOW), None),
            (Some(from), None) => (Some(from), from.checked_add_signed(WINDOW)),
            (None, Some(to)) => (to.checked_sub_signed(WINDOW), Some(to)),
            both => both,
        };
        Ok(Filter {
            started_from: from,
            started_to: to,
            ..Filter::default()
        })
    }
}
