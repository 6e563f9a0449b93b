//! Huawei Cloud FunctionGraph: executions of flows.

pub(super) mod call;

use std::collections::BTreeMap;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json, value::RawValue};

use call::{Call, invalid, time};

use super::{
    State, aksk,
    cloud::{Cloud, Mode},
    flow::execution_id,
    id,
    input::is_input,
    record::RecordedRequest,
    reply::Reply,
    run::Ran,
    served::named::Named as _,
    workflow_executions, workflows,
};
use crate::{FlowFailure, huawei::StartSyncWorkflowExecutionRequest, pipeline::declared::Entry};

#[derive(Deserialize)]
struct ExecuteBody<'a> {
    #[serde(borrow)]
    input: &'a RawValue,
    headers: Option<Map<String, Value>>,
}

#[derive(Serialize)]
struct ExecuteReply<'a> {
    execution_id: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Value>,
    begin_time: String,
    end_time: String,
}

/// Answers a call: checks who asks, then does what is asked. `variables` are those of the path, if
/// they could be read.
pub(crate) async fn handle(
    state: &State,
    request: &RecordedRequest,
    entry: &Entry,
    variables: Option<&BTreeMap<&'static str, String>>,
) -> Reply {
    let own_project = match aksk::project(state, request) {
        Ok(project) => project,
        Err(reply) => return *reply,
    };
    let Some(variables) = variables else {
        return invalid("Invalid parameters: the path is not percent-encoded UTF-8.");
    };
    let call = Call { variables, request };
    if own_project.as_deref() != Some(call.variable("project_id")) {
        let message = "The token or key does not belong to this project.";
        return Reply::flat_error(StatusCode::FORBIDDEN, "FSS.0403", message);
    }
    if state.flows.world().quirks.get().deny.contains(entry.name) {
        let message = "The caller has no right to this operation.";
        return Reply::flat_error(StatusCode::FORBIDDEN, "FSS.0403", message);
    }
    match entry.name {
        StartSyncWorkflowExecutionRequest::NAME => start_sync(state, call).await,
        name => workflows::handle(state, name, &call)
            .unwrap_or_else(|| workflow_executions::handle(state, name, &call)),
    }
}

/// Runs a flow and waits for it.
async fn start_sync(state: &State, call: Call<'_>) -> Reply {
    let (workflow, request) = (call.variable("workflow_id"), call.request);
    let Ok(body) = serde_json::from_slice::<ExecuteBody<'_>>(&request.body) else {
        return invalid("Invalid parameters.");
    };
    let input = body.input.get();
    if !is_input(input) {
        return invalid("Invalid parameters: input must be an object.");
    }
    // How the service hands these to a flow is not documented; a closure does not see them.
    drop(body.headers);
    let id = execution_id();
    let begun = state
        .flows
        .begin(workflow, Mode::Workflow, id, input, Ran::default);
    // A flow of this cloud has one mode and no names, so that it is unknown is all that can be.
    let Ok(run) = begun else {
        let body = json!({"error_code": "FGS.5002", "error_msg": "The flow does not exist."});
        return Reply::json(StatusCode::NOT_FOUND, &id::hex(), &body);
    };
    let ending = run.ended().await;
    let failure = ending.outcome.as_ref().err();
    let status = Cloud::Huawei.status(failure);
    let (begin_time, end_time) = (time(run.started), time(ending.stopped));
    let output = match &ending.outcome {
        Ok(output) => serde_json::from_str(output).ok(),
        Err(_) => None,
    };
    let errors = failure
        .filter(|_| status == "fail")
        .map(|failure| errors(failure, &begin_time, &end_time));
    let reply = ExecuteReply {
        execution_id: &run.name,
        status: &status,
        output,
        errors,
        begin_time,
        end_time,
    };
    match serde_json::to_string(&reply) {
        Ok(body) => Reply::json_text(StatusCode::OK, &id::hex(), body),
        Err(error) => Reply::flat_error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "FGS.3002",
            &error.to_string(),
        ),
    }
}

/// One failed node, which stands for the closure.
fn errors(failure: &FlowFailure, begin_time: &str, end_time: &str) -> Value {
    let parts: Vec<&str> = [failure.code(), failure.message()]
        .into_iter()
        .flatten()
        .collect();
    json!([{
        "node_id": "closure",
        "error_message": parts.join(": "),
        "begin_time": begin_time,
        "end_time": end_time,
    }])
}
