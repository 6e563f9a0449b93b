//! One execution, as answers show it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::parameters::Refused;
use crate::emulator::{
    State,
    cloud::Cloud,
    flow::Refusal,
    run::{Ending, Run},
};

/// The execution of a flow, or the refusal of what is not there.
pub(super) fn find(state: &State, flow: &str, execution: &str) -> Result<Arc<Run>, Refused> {
    let found = state.flows.find(Cloud::Alibaba, flow, execution);
    found.map_err(|refusal| match refusal {
        Refusal::UnknownExecution => {
            let message = format!("Execution {execution} for flow {flow} does not exist.");
            Refused::new(StatusCode::NOT_FOUND, "ExecutionNotExists", message)
        }
        _ => unknown_flow(flow),
    })
}

/// The fields that all operations answer.
pub(super) fn body(flow: &str, run: &Arc<Run>, ending: Option<&Ending>) -> Map<String, Value> {
    let (status, output, stopped) = match ending {
        None => ("Running".to_owned(), "", String::new()),
        Some(ending) => {
            let status = Cloud::Alibaba.status(ending.outcome.as_ref().err());
            let output = match &ending.outcome {
                Ok(output) => output.as_str(),
                Err(failure) => failure.output().map_or("", |output| output.as_str()),
            };
            if run.is_output_there(ending) {
                (status, output, time(ending.stopped))
            } else {
                (status, "", String::new())
            }
        }
    };
    [
        ("FlowName", flow),
        ("Name", &run.name),
        ("Status", &status),
        ("Output", output),
        ("StartedTime", &time(run.started)),
        ("StoppedTime", &stopped),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), json!(value)))
    .collect()
}

pub(super) fn add_environment(body: &mut Map<String, Value>, run: &Run) {
    if !run.environment.is_empty() {
        let variables = run.environment.iter();
        let variables: Vec<Value> = variables
            .map(|(name, value)| json!({"Name": name, "Value": value}))
            .collect();
        let environment = json!({"Variables": variables});
        body.insert("Environment".to_owned(), environment);
    }
}

pub(super) fn unknown_flow(flow: &str) -> Refused {
    // The service writes two spaces.
    let message = format!("Flow  {flow} does not exist.");
    Refused::new(StatusCode::NOT_FOUND, "FlowNotExists", message)
}

pub(super) fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
