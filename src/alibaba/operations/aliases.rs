//! Aliases of flows: names that lead to one version or are shared out between two.

use super::deletes::DeleteResponse;
use crate::{
    alibaba::{
        declare::{DateTime, Utc, answer, operation, part},
        fates::{self, Found, made, parameter},
        protocol::Rpc,
    },
    error::Error,
    pipeline::operation::{Outcome, Sent},
};

operation! {
    CreateFlowAliasRequest = "CreateFlowAlias" as create_flow_alias, POST "/", Repeatable, SHORT => FlowAlias;
    new {
        /// The flow.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// Name of the alias, unique in the flow. What it may consist of is not documented.
        pub name: String = Parameter "Name" (Filled),
        /// Where it leads: one version, or two that share the starts.
        pub routing_configurations: Vec<RoutingConfiguration>
            = Parameter "RoutingConfigurations" (Length(1, 2)),
    }
    with {
        /// What it is for.
        pub description: String = Parameter "Description",
    }
    settle made_alias;
}

operation! {
    DescribeFlowAliasRequest = "DescribeFlowAlias" as describe_flow_alias, GET "/", Repeatable, SHORT => FlowAliasResponse;
    new {
        /// The flow.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// Name of the alias.
        pub name: String = Parameter "Name" (Filled),
    }
}

operation! {
    UpdateFlowAliasRequest = "UpdateFlowAlias" as update_flow_alias, POST "/", Repeatable, SHORT => FlowAliasResponse;
    new {
        /// The flow.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// Name of the alias.
        pub name: String = Parameter "Name" (Filled),
    }
    with {
        /// What it is for.
        pub description: String = Parameter "Description",
        /// Where it leads from now on: one version, or two that share the starts.
        pub routing_configurations: Vec<RoutingConfiguration>
            = Parameter "RoutingConfigurations" (Length(1, 2)),
    }
}

operation! {
    DeleteFlowAliasRequest = "DeleteFlowAlias" as delete_flow_alias, POST "/", Repeatable, SHORT => DeleteResponse;
    new {
        /// The flow.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// Name of the alias.
        pub name: String = Parameter "Name" (Filled),
    }
    settle fates::deleted;
}

operation! {
    /// One page of a flow's aliases.
    ListFlowAliasesRequest = "ListFlowAliases" as list_flow_aliases, GET "/", Repeatable, SHORT
        => ListFlowAliasesResponse;
    new {
        /// The flow whose aliases are listed.
        pub flow_name: String = Parameter "FlowName" (Name),
    }
    with {
        /// How many aliases a page may have; how many there may be is not documented.
        pub limit: u32 = Parameter "Limit" (Range(1, u32::MAX as i64)),
        /// Where the page begins, as the page before said it.
        pub next_token: String = Parameter "NextToken",
    }
}

part! {
    /// One way that an alias leads: a version, and its share of the starts.
    RoutingConfiguration;
    /// This share of the starts goes to this version.
    new {
        /// The version: a number as a text, from `1`.
        pub version: String = "Version" (Filled),
        /// Its share. The documents' examples add up to 100; whether they must is not documented.
        pub weight: i64 = "Weight",
    }
}

answer! {
    /// An alias of a flow: made, looked at, changed, listed. Serialises with the wire's names.
    FlowAlias {
        /// Its name.
        pub name: Option<String> = "Name",
        /// The flow; told by `CreateFlowAlias` alone.
        pub flow_name: Option<String> = "FlowName",
        /// Where it leads.
        pub routing_configurations: Vec<RoutingConfiguration> = "RoutingConfigurations",
        /// What it is for.
        pub description: Option<String> = "Description",
        /// When it was made.
        pub created_time: Option<DateTime<Utc>> = "CreatedTime",
    }
}

answer! {
    /// The answer of `DescribeFlowAlias` and `UpdateFlowAlias`. Serialises with the wire's names.
    FlowAliasResponse {
        /// The alias.
        pub alias: FlowAlias = "Alias",
    }
}

answer! {
    /// The answer of `ListFlowAliases`: one page. Serialises with the wire's names.
    ListFlowAliasesResponse {
        /// Where the next page begins; absent on the last.
        pub next_token: Option<String> = "NextToken",
        /// The aliases of this page.
        pub aliases: Vec<FlowAlias> = "Aliases",
    }
}

/// An alias that nobody knows to be made is looked at.
async fn made_alias(error: Error, sent: Sent<'_, Rpc>) -> Outcome<FlowAlias> {
    let flow_name = parameter(&sent, "FlowName");
    let request = DescribeFlowAliasRequest::new(&flow_name, parameter(&sent, "Name"));
    let look = async {
        let found = sent.ask(request).await?;
        Ok(found.map(|found| FlowAlias {
            request_id: found.request_id,
            flow_name: Some(flow_name),
            ..found.alias
        }))
    };
    made(error, &sent, look, |alias, sent| {
        let routes = parameter(sent, "RoutingConfigurations");
        let routes: Option<Vec<RoutingConfiguration>> = serde_json::from_str(&routes).ok();
        Found {
            created: alias.created_time,
            is_same: routes.is_some_and(|routes| {
                routes.len() == alias.routing_configurations.len()
                    && (routes.iter()).all(|route| alias.routing_configurations.contains(route))
            }),
        }
    })
    .await
}
