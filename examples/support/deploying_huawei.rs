//! Deploys a flow of Huawei Cloud: makes it, or replaces what it does.

use std::time::Duration;

use cloud_workflows::huawei::{
    Client, CreateWorkflowRequest, ShowWorkFlowRequest, UpdateWorkFlowRequest, WorkflowCreateBody,
    WorkflowMode,
};
use serde_json::{Value, json};

use super::{
    definition::meaning,
    deploying::{Progress, Stopped},
};

/// Reads the definition of the flow of this name.
pub fn definition(flow: &str, text: &str) -> Result<WorkflowCreateBody, String> {
    let meaning = meaning(text)?;
    if meaning.to_string().contains("\"<<\":") {
        return Err("a merge key (<<), which YAML 1.2 does not have".to_owned());
    }
    let read = serde_json::from_value::<WorkflowCreateBody>(meaning);
    let read = read.map_err(|error| error.to_string())?;
    match read.name == flow {
        true => Ok(read),
        false => Err(format!("the definition is of {}, not of {flow}", read.name)),
    }
}

/// The id of the flow that the file is deployed as.
pub async fn deploy<T: AsyncFn(Duration)>(
    client: &Client,
    wanted: &WorkflowCreateBody,
    progress: &mut Progress<T>,
) -> Result<String, Stopped> {
    let name = &wanted.name;
    let look = async |progress: &Progress<T>| {
        let found = client.find_workflow(name);
        let Some(found) = progress.call("look for the flow", found).await? else {
            return Ok(None);
        };
        let show = client.show_work_flow(ShowWorkFlowRequest::new(&found.id));
        let shown = progress.find("look at the flow", show.send()).await?;
        Ok(shown.map(|shown| (found.id, shown.definition)))
    };
    let does_same = |theirs: &Option<WorkflowCreateBody>| {
        let value = |body: Option<&WorkflowCreateBody>| serde_json::to_value(body).ok();
        let (theirs, ours) = (value(theirs.as_ref()), value(Some(wanted)));
        theirs.zip(ours).is_some_and(|(a, b)| same(&a, &b, false))
    };
    let before = look(progress).await?;
    let id = match before.clone() {
        Some((id, theirs)) => {
            let mode =
                |body: &WorkflowCreateBody| body.mode.clone().unwrap_or(WorkflowMode::Normal);
            let is = theirs.as_ref().map(mode);
            if let Some(is) = is.filter(|is| *is != mode(wanted)) {
                let why = format!("the flow is of another mode, {is}, which is not changed here");
                return Err(progress.stop(&why));
            }
            if does_same(&theirs) {
                return Ok(id);
            }
            let request = UpdateWorkFlowRequest::new(&id, wanted.clone());
            let changed = client.update_work_flow(request).send();
            progress.call("change the flow", changed).await?;
            progress.done.push("changed the flow".to_owned());
            id
        }
        None => {
            let made = client.create_workflow(CreateWorkflowRequest::new(wanted.clone()));
            let made = progress.call("make the flow", made.send()).await?;
            progress.done.push(format!("made flow {}", made.id));
            made.id
        }
    };
    let again = async || look(progress).await;
    match progress.until(again, |seen| *seen != before).await? {
        Some((seen, theirs)) if seen == id && does_same(&theirs) => Ok(id),
        _ => Err(progress.stop("the flow is not as it was written: somebody else changed it")),
    }
}

/// What the documents say of a member that is left out; null where that is something empty.
fn default_of(member: &str) -> Option<Value> {
    Some(match member {
        "mode" => json!("NORMAL"),
        "action_mode" => json!("sequential"),
        "invoke_mode" => json!("synchronize"),
        "enabled" => json!(true),
        "delay" => json!(1),
        "max_attempts" => json!(3),
        "log_level" => json!("NONE"),
        "description"
        | "triggers"
        | "functions"
        | "retries"
        | "express_config"
        | "constants"
        | "enable_stream_response"
        | "end"
        | "transition"
        | "actions"
        | "on_errors"
        | "state_data_filter"
        | "duration"
        | "arguments"
        | "error"
        | "retry_ref"
        | "input"
        | "output"
        | "metadata"
        | "trigger_config" => Value::Null,
        _ => return None,
    })
}

/// Whether two definitions, or parts of them, are the same, though the service may write out what
/// is so anyway, and add what nobody knows. In what is free in its form it adds nothing.
pub fn same(theirs: &Value, ours: &Value, is_free: bool) -> bool {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            let mut names = theirs.keys().chain(ours.keys());
            names.all(|name| {
                let free = ["constants", "arguments", "metadata", "trigger_config"];
                let is_free_there = is_free || free.contains(&name.as_str());
                let is_so_anyway = |value: &Value| {
                    let is_empty = is_empty(value)
                        || (value.is_object() && same(value, &json!({}), is_free_there));
                    !is_free && default_of(name).is_some_and(|it| it == *value || is_empty)
                };
                match (theirs.get(name), ours.get(name)) {
                    (Some(theirs), Some(ours)) => {
                        same(theirs, ours, is_free_there)
                            || (is_so_anyway(theirs) && is_so_anyway(ours))
                    }
                    (Some(theirs), None) => {
                        is_so_anyway(theirs) || (!is_free && default_of(name).is_none())
                    }
                    (None, ours) => ours.is_none_or(is_so_anyway),
                }
            })
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            let mut both = theirs.iter().zip(ours);
            theirs.len() == ours.len() && both.all(|(theirs, ours)| same(theirs, ours, is_free))
        }
        // 1.0 may come back as 1.
        (Value::Number(theirs), Value::Number(ours)) if theirs.is_f64() != ours.is_f64() => {
            theirs.as_f64() == ours.as_f64()
        }
        (theirs, ours) => theirs == ours,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}
