//! `CreateFlowAlias`, `DescribeFlowAlias`, `UpdateFlowAlias`, `DeleteFlowAlias`,
//! `ListFlowAliases`.

use serde_json::{Map, Value, json};

use super::{
    made::{conflict, fields, lacks, local_time, sight, with},
    pages::{Answer, page_of_flow},
    parameters::{Parameters, Refused, names, optional, required, text},
};
use crate::emulator::{
    State,
    made::{Lack, Made, MadeAlias},
};

pub(super) fn create(state: &State, parameters: &Parameters) -> Answer {
    let (flow, name) = names(parameters, "Name")?;
    required(parameters, "RoutingConfigurations")?;
    // What is asked for by that name is the flow as it is.
    if name == "LATEST" {
        return Err(Refused::invalid("Name must not be LATEST"));
    }
    with(state, |made, now| {
        made.flow(flow).map_err(|lack| lacks(flow, &lack))?;
        if made
            .aliases
            .get(&(flow.to_owned(), name.to_owned()))
            .is_some()
        {
            let message = format!("The alias {name} already exists in flow {flow}.");
            return Err(conflict("AliasAlreadyExists", message));
        }
        let alias = MadeAlias {
            name: name.to_owned(),
            routes: routes(parameters, made, flow)?.unwrap_or_default(),
            description: text(parameters, "Description").unwrap_or_default(),
            created: state.clock.now(),
        };
        let mut body = body(&alias);
        body.insert("FlowName".to_owned(), json!(flow));
        made.put_alias(flow, now, alias);
        Ok(body)
    })
}

pub(super) fn describe(state: &State, parameters: &Parameters) -> Answer {
    let (flow, name) = names(parameters, "Name")?;
    let sight = sight(state);
    with(state, |made, _| {
        made.flow(flow).map_err(|lack| lacks(flow, &lack))?;
        let alias = made
            .aliases
            .seen(&(flow.to_owned(), name.to_owned()), sight);
        let alias = alias.ok_or_else(|| lacks(flow, &Lack::Alias(name.to_owned())))?;
        Ok(fields([("Alias", body(alias).into())]))
    })
}

/// What is left out stays as it is.
pub(super) fn update(state: &State, parameters: &Parameters) -> Answer {
    let (flow, name) = names(parameters, "Name")?;
    with(state, |made, now| {
        let alias = alias(made, flow, name)?;
        let routes = routes(parameters, made, flow)?;
        let alias = MadeAlias {
            description: text(parameters, "Description").unwrap_or(alias.description),
            routes: routes.unwrap_or(alias.routes),
            ..alias
        };
        let body = body(&alias);
        made.put_alias(flow, now, alias);
        Ok(fields([("Alias", body.into())]))
    })
}

pub(super) fn delete(state: &State, parameters: &Parameters) -> Answer {
    let (flow, name) = names(parameters, "Name")?;
    with(state, |made, now| {
        alias(made, flow, name)?;
        let key = (flow.to_owned(), name.to_owned());
        made.aliases.put(key, now, None);
        Ok(Map::new())
    })
}

pub(super) fn list(state: &State, parameters: &Parameters) -> Answer {
    let what = ("Aliases", 1000);
    page_of_flow(
        state,
        parameters,
        what,
        |made| &made.aliases,
        |alias| {
            let mut body = body(alias);
            // In lists the service writes weights as texts.
            let routes = alias.routes.iter().map(|(version, weight)| {
            json!({"Version": version.to_string(), "Weight": weight.to_string()})
        });
            let routes = routes.collect::<Vec<_>>();
            body.insert("RoutingConfigurations".to_owned(), routes.into());
            body
        },
    )
}

fn alias(made: &Made, flow: &str, name: &str) -> Result<MadeAlias, Refused> {
    made.flow(flow).map_err(|lack| lacks(flow, &lack))?;
    let alias = made.aliases.get(&(flow.to_owned(), name.to_owned()));
    let alias = alias.ok_or_else(|| lacks(flow, &Lack::Alias(name.to_owned())))?;
    Ok(MadeAlias::clone(alias))
}

/// The routes, if they are given: one or two, to versions that there are. That weights need not
/// add up to 100 is not documented, nor that they must.
fn routes(
    parameters: &Parameters,
    made: &Made,
    flow: &str,
) -> Result<Option<Vec<(u64, u64)>>, Refused> {
    let Some(text) = optional(parameters, "RoutingConfigurations") else {
        return Ok(None);
    };
    let bad = || {
        let message = "RoutingConfigurations must be one or two of {\"Version\",\"Weight\"}";
        Refused::invalid(message)
    };
    let read = serde_json::from_str::<Vec<Value>>(text).map_err(|_| bad())?;
    if !(1..=2).contains(&read.len()) {
        return Err(bad());
    }
    let mut routes = Vec::with_capacity(read.len());
    for route in &read {
        let number = route["Version"].as_str().ok_or_else(bad)?;
        let weight = route["Weight"].as_u64().ok_or_else(bad)?;
        let version = made.version(flow, number);
        routes.push((version.map_err(|lack| lacks(flow, &lack))?.version, weight));
    }
    if routes.iter().all(|(_, weight)| *weight == 0) {
        return Err(bad());
    }
    Ok(Some(routes))
}

fn body(alias: &MadeAlias) -> Map<String, Value> {
    let routes = alias.routes.iter();
    let routes = routes
        .map(|(version, weight)| json!({"Version": version.to_string(), "Weight": weight}))
        .collect::<Vec<_>>();
    fields([
        ("Name", json!(alias.name)),
        ("Description", json!(alias.description)),
        ("RoutingConfigurations", routes.into()),
        ("CreatedTime", json!(local_time(alias.created))),
    ])
}
