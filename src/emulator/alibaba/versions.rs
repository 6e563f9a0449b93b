//! `PublishFlowVersion`, `DeleteFlowVersion`, `ListFlowVersions`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    made::{fields, lacks, local_time, with},
    pages::{Answer, page_of_flow},
    parameters::{Parameters, Refused, required, text, the_name},
};
use crate::emulator::{State, made::MadeVersion};

pub(super) fn publish(state: &State, parameters: &Parameters) -> Answer {
    let flow = the_name(parameters, "FlowName")?;
    with(state, |made, now| {
        let definition = made.flow(flow).map_err(|lack| lacks(flow, &lack))?;
        let definition = definition.definition.clone();
        let version = Arc::new(MadeVersion {
            version: made.number(flow),
            definition,
            description: text(parameters, "Description").unwrap_or_default(),
            created: state.clock.now(),
        });
        let mut body = body(&version);
        body.insert("FlowName".to_owned(), json!(flow));
        let key = (flow.to_owned(), version.version);
        made.versions.put(key, now, Some(version));
        Ok(body)
    })
}

/// A version that an alias leads to stays; which code the service has for it is not documented.
pub(super) fn delete(state: &State, parameters: &Parameters) -> Answer {
    let flow = the_name(parameters, "FlowName")?;
    let number = required(parameters, "FlowVersion")?;
    with(state, |made, now| {
        made.flow(flow).map_err(|lack| lacks(flow, &lack))?;
        let version = made.version(flow, number);
        let version = version.map_err(|lack| lacks(flow, &lack))?.version;
        let aliases = made.aliases.keys().filter(|(of, _)| of == flow);
        let mut aliases = aliases.filter_map(|key| made.aliases.get(key));
        if let Some(alias) = aliases.find(|it| it.routes.iter().any(|route| route.0 == version)) {
            let alias = &alias.name;
            let message = format!("Version {number} of flow {flow} is in use by alias {alias}.");
            return Err(Refused::invalid(message));
        }
        made.versions.put((flow.to_owned(), version), now, None);
        Ok(Map::new())
    })
}

pub(super) fn list(state: &State, parameters: &Parameters) -> Answer {
    let what = ("FlowVersions", 1000);
    page_of_flow(state, parameters, what, |made| &made.versions, body)
}

fn body(version: &MadeVersion) -> Map<String, Value> {
    fields([
        ("Version", json!(version.version.to_string())),
        ("Description", json!(version.description)),
        ("CreatedTime", json!(local_time(version.created))),
    ])
}
