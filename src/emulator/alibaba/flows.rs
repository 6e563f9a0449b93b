//! `CreateFlow`, `DescribeFlow`, `UpdateFlow`, `DeleteFlow`, `ListFlows`.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    definition,
    execution::time,
    made::{conflict, fields, lacks, sight, with},
    pages::{Answer, page},
    parameters::{Parameters, Refused, optional, required, text, the_name},
};
use crate::emulator::{
    State,
    cloud::Mode,
    id,
    made::{Lack, MadeFlow},
};

pub(super) fn create(state: &State, parameters: &Parameters) -> Answer {
    let name = the_name(parameters, "Name")?;
    let definition = definition(parameters, name)?;
    let definition = definition.ok_or_else(|| Refused::missing("Definition"))?;
    let description = text(parameters, "Description");
    let description = description.ok_or_else(|| Refused::missing("Description"))?;
    let kind = kind(required(parameters, "Type")?)?;
    let (mode, execution_mode) = match optional(parameters, "ExecutionMode") {
        None | Some("Standard") => (Mode::Standard, "Standard"),
        Some("Express") => (Mode::Express, "Express"),
        Some(_) => {
            return Err(Refused::invalid(
                "ExecutionMode must be Standard or Express",
            ));
        }
    };
    let environment = environment(parameters)?.unwrap_or_default();
    let now = state.clock.now();
    let flow = MadeFlow {
        name: name.to_owned(),
        id: id::uuid(),
        definition,
        description,
        execution_mode: execution_mode.to_owned(),
        role_arn: text(parameters, "RoleArn").unwrap_or_default(),
        created: now,
        modified: now,
        kind,
        environment,
        resource_group_id: text(parameters, "ResourceGroupId").unwrap_or_default(),
        external_storage_location: text(parameters, "ExternalStorageLocation").unwrap_or_default(),
    };
    let sight = sight(state);
    with(state, |made, now| {
        let lingers = made.flows.seen(&flow.name, sight).is_some();
        if made.flow(name).is_ok() || lingers {
            let message = format!("Flow {name} already exists.");
            return Err(conflict("FlowAlreadyExists", message));
        }
        let flows = made.flows.keys().filter(|name| made.flow(name).is_ok());
        if !state.flows.world().buckets.has_room_for_flow(flows.count()) {
            let message = "The request is throttled. Please try again later.";
            let status = StatusCode::TOO_MANY_REQUESTS;
            return Err(Refused::new(status, "ResourceThrottled", message));
        }
        let flow = Arc::new(flow);
        let body = body(state, &flow);
        state.flows.open(name, mode);
        set_environment(state, &flow);
        made.flows.put(name.to_owned(), now, Some(flow));
        Ok(body)
    })
}

pub(super) fn describe(state: &State, parameters: &Parameters) -> Answer {
    let name = the_name(parameters, "Name")?;
    let version = optional(parameters, "FlowVersion");
    let sight = sight(state);
    with(state, |made, _| {
        let flow = made.flows.seen(&name.to_owned(), sight);
        let flow = flow.ok_or_else(|| lacks(name, &Lack::Flow))?;
        let mut body = body(state, flow);
        if let Some(version) = version {
            let version = made.version_seen(name, version, sight);
            let version = version.map_err(|lack| lacks(name, &lack))?;
            let shown = definition::shown(state, &version.definition);
            body.insert("Definition".to_owned(), json!(shown));
        }
        Ok(body)
    })
}

/// What is left out stays as it is: what the service does with it is not documented.
pub(super) fn update(state: &State, parameters: &Parameters) -> Answer {
    let name = the_name(parameters, "Name")?;
    let definition = definition(parameters, name)?;
    let kind = optional(parameters, "Type").map(kind).transpose()?;
    let environment = environment(parameters)?;
    with(state, |made, now| {
        let flow = made.flow(name).map_err(|lack| lacks(name, &lack))?;
        let flow = MadeFlow {
            definition: definition.unwrap_or_else(|| flow.definition.clone()),
            description: text(parameters, "Description")
                .unwrap_or_else(|| flow.description.clone()),
            role_arn: text(parameters, "RoleArn").unwrap_or_else(|| flow.role_arn.clone()),
            kind: kind.unwrap_or_else(|| flow.kind.clone()),
            environment: environment.unwrap_or_else(|| flow.environment.clone()),
            modified: state.clock.now(),
            ..MadeFlow::clone(flow)
        };
        let flow = Arc::new(flow);
        set_environment(state, &flow);
        made.flows
            .put(name.to_owned(), now, Some(Arc::clone(&flow)));
        let mut body = body(state, &flow);
        body.remove("ExecutionMode");
        let location = json!(flow.external_storage_location);
        body.insert("ExternalStorageLocation".to_owned(), location);
        Ok(body)
    })
}

pub(super) fn delete(state: &State, parameters: &Parameters) -> Answer {
    let name = the_name(parameters, "Name")?;
    with(state, |made, now| {
        made.flow(name).map_err(|lack| lacks(name, &lack))?;
        made.forget(name, now);
        state.flows.close(name);
        Ok(Map::new())
    })
}

pub(super) fn list(state: &State, parameters: &Parameters) -> Answer {
    let group = optional(parameters, "ResourceGroupId");
    with(state, |made, _| {
        let mark = |name: &String| Some(name.clone());
        page(
            state,
            parameters,
            ("Flows", 999),
            &made.flows,
            mark,
            |flow| {
                let is_meant = group.is_none_or(|group| group == flow.resource_group_id);
                is_meant.then(|| body(state, flow).into())
            },
        )
    })
}

/// A flow as answers show it.
fn body(state: &State, flow: &MadeFlow) -> Map<String, Value> {
    let mut body = fields([
        ("Name", json!(flow.name)),
        ("Id", json!(flow.id)),
        (
            "Definition",
            json!(definition::shown(state, &flow.definition)),
        ),
        ("Description", json!(flow.description)),
        ("Type", json!(flow.kind)),
        ("ExecutionMode", json!(flow.execution_mode)),
        ("RoleArn", json!(flow.role_arn)),
        ("ResourceGroupId", json!(flow.resource_group_id)),
        ("CreatedTime", json!(time(flow.created))),
        ("LastModifiedTime", json!(time(flow.modified))),
    ]);
    if !flow.environment.is_null() {
        body.insert("Environment".to_owned(), flow.environment.clone());
    }
    body
}

fn kind(text: &str) -> Result<String, Refused> {
    match text {
        "FDL" => Ok(text.to_owned()),
        _ => Err(Refused::invalid("Type must be FDL")),
    }
}

/// The definition, if one is given; it must be the flow's.
fn definition(parameters: &Parameters, name: &str) -> Result<Option<String>, Refused> {
    let Some(definition) = optional(parameters, "Definition") else {
        return Ok(None);
    };
    if definition::name(definition).is_some_and(|said| said != name) {
        let message = format!("Definition has another name than {name}");
        return Err(Refused::invalid(message));
    }
    Ok(Some(definition.to_owned()))
}

/// The variables of a flow, if they are given.
fn environment(parameters: &Parameters) -> Result<Option<Value>, Refused> {
    let Some(text) = optional(parameters, "Environment") else {
        return Ok(None);
    };
    let read = serde_json::from_str::<Value>(text).ok();
    let is_good = read.as_ref().is_some_and(|read| {
        let variables = read["Variables"].as_array();
        read.is_object()
            && variables.is_none_or(|variables| {
                let mut variables = variables.iter();
                variables.all(|it| it["Name"].is_string() && it["Value"].is_string())
            })
    });
    let bad = "Environment must be {\"Variables\":[{\"Name\",\"Value\"}]}";
    read.filter(|_| is_good)
        .map(Some)
        .ok_or_else(|| Refused::invalid(bad))
}

/// Lets later executions have the variables of their flow.
fn set_environment(state: &State, flow: &MadeFlow) {
    if flow.environment.is_null() {
        return;
    }
    let variables = flow.environment["Variables"]
        .as_array()
        .into_iter()
        .flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let variables = variables.map(|it| (text(&it["Name"]), text(&it["Value"])));
    state.flows.set_environment(&flow.name, variables.collect());
}
