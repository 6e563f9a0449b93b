//! What became of a flow that was to be made, where the answer was lost: flows of its name are
//! looked at.
//!
//! Names need not be unique here, so only a flow that does what was asked for, was made since the
//! call began, and is the only one of its kind is taken for the call's own.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    operations::{
        definition::WorkflowCreateBody,
        flows::{ListWorkflowRequest, ShowWorkFlowRequest, WorkflowSimpleInfo},
    },
    protocol::Rest,
};
use crate::{
    error::{Delivery, Error},
    pipeline::{
        json,
        operation::{Outcome, Sent},
        read,
        same::TOLERANCE,
    },
};

/// More flows of one name than a page has cannot be told apart here.
const PAGE: u32 = 200;

pub(super) async fn settle(error: Error, sent: Sent<'_, Rest>) -> Outcome<WorkflowSimpleInfo> {
    // Nothing runs because a flow was made.
    let error = error.with_subject(false, false, None);
    if error.delivery() < Delivery::Unknown {
        return Err(error);
    }
    let body = json::text(sent.wire.body());
    let Ok(ours) = read::record::<WorkflowCreateBody>(&body) else {
        return Err(error);
    };
    let Ok(mut found) = look(&ours, &sent).await else {
        return Err(error);
    };
    let equal = std::mem::take(&mut found.value);
    let first = sent.first_in_service_time(&found.headers, found.received);
    let is_since = |made: Option<DateTime<Utc>>| match (made, first) {
        (Some(made), Some(first)) => made >= first - TOLERANCE,
        _ => false,
    };
    match equal.as_slice() {
        [only] if is_since(only.created_time) => Ok(sent.as_its_own(found.map(|_| only.clone()))),
        [] => Err(error.and("no flow of this name and definition is listed yet")),
        equal => {
            let ids: Vec<&str> = equal.iter().map(|flow| flow.id.as_str()).collect();
            Err(error.and(format_args!(
                "flows of this name and definition are there, and whether this call made one \
                 cannot be told: {}",
                ids.join(", ")
            )))
        }
    }
}

/// The flows of this name that do the same.
async fn look(
    ours: &WorkflowCreateBody,
    sent: &Sent<'_, Rest>,
) -> Outcome<Vec<WorkflowSimpleInfo>> {
    let request = ListWorkflowRequest::new()
        .workflow_name(&ours.name)
        .limit(PAGE);
    let listed = sent.ask(request).await?;
    let is_whole = listed.value.workflows.len() < PAGE as usize;
    if !is_whole {
        return Err(Error::invalid("workflow_name", "too many flows have it"));
    }
    let mut equal = Vec::new();
    for flow in &listed.value.workflows {
        if flow.name.as_ref() != Some(&ours.name) {
            continue;
        }
        let shown = sent.ask(ShowWorkFlowRequest::new(&flow.id)).await?;
        if does_same(shown.value.definition.as_ref(), ours) {
            equal.push(flow.clone());
        }
    }
    Ok(listed.map(|_| equal))
}

/// Whether a definition that the service shows is the one that it was given: it may say more, such
/// as defaults, and leave out what is empty.
fn does_same(theirs: Option<&WorkflowCreateBody>, ours: &WorkflowCreateBody) -> bool {
    let value = |body: &WorkflowCreateBody| serde_json::to_value(body).ok();
    match (theirs.and_then(value), value(ours)) {
        (Some(theirs), Some(ours)) => holds(&theirs, &ours),
        _ => false,
    }
}

fn holds(theirs: &Value, ours: &Value) -> bool {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            ours.iter().all(|(name, ours)| match theirs.get(name) {
                Some(theirs) => holds(theirs, ours),
                None => is_empty(ours),
            })
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            theirs.len() == ours.len()
                && theirs
                    .iter()
                    .zip(ours)
                    .all(|(theirs, ours)| holds(theirs, ours))
        }
        (Value::Number(theirs), Value::Number(ours)) => theirs.as_f64() == ours.as_f64(),
        (Value::Null, ours) => is_empty(ours),
        (theirs, ours) => theirs == ours,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What the service shows may say more, and leave out what is empty.
    #[test]
    fn a_definition_holds_what_was_asked_for() {
        for (theirs, ours, expected) in [
            (json!({"a": 1}), json!({"a": 1}), true),
            (json!({"a": 1, "more": 2}), json!({"a": 1}), true),
            (json!({"a": 1}), json!({"a": 1, "more": 2}), false),
            (json!({"a": 1}), json!({"a": 2}), false),
            (json!({"a": 1}), json!({"a": 1.0}), true),
            (json!({"a": 1}), json!({"a": "1"}), false),
            (json!({"a": "x"}), json!({"a": "y"}), false),
            (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1}}), true),
            (json!({"a": {"b": 1}}), json!({"a": {"b": 2}}), false),
            (json!([1, {"a": 1, "b": 2}]), json!([1, {"a": 1}]), true),
            (json!([1, 2]), json!([1]), false),
            (json!([1]), json!([1, 2]), false),
            (json!([1, 2]), json!([2, 1]), false),
            (json!([1]), json!({"0": 1}), false),
            (json!(true), json!(true), true),
            (json!(true), json!(false), false),
        ] {
            assert_eq!(holds(&theirs, &ours), expected, "{theirs} {ours}");
        }
        for (empty, is_empty) in [
            (json!(null), true),
            (json!(false), true),
            (json!(""), true),
            (json!([]), true),
            (json!({}), true),
            (json!(true), false),
            (json!(0), false),
            (json!("x"), false),
            (json!([null]), false),
            (json!({"a": null}), false),
        ] {
            for theirs in [json!({}), json!({"a": null})] {
                let ours = json!({"a": empty});
                assert_eq!(holds(&theirs, &ours), is_empty, "{theirs} {ours}");
            }
        }
    }
}
