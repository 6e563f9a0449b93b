//! Flows: made, looked at, changed, deleted, listed.

use super::{deletes::DeleteResponse, executions::Environment};
use crate::{
    alibaba::{
        declare::{DateTime, Utc, answer, operation},
        fates::{self, Found, made, parameter, same_text},
        protocol::Rpc,
    },
    error::Error,
    open_enum::open_enum,
    pipeline::operation::{Outcome, Sent},
};

open_enum! {
    /// How executions of a flow are run.
    ExecutionMode {
        /// Started and then on their own, up to a year.
        Standard = "Standard",
        /// Run while the caller waits, up to five minutes.
        Express = "Express",
    }
}

open_enum! {
    /// The language of a flow's definition.
    FlowType {
        /// Flow Definition Language, in both of its forms.
        Fdl = "FDL",
    }
}

operation! {
    CreateFlowRequest = "CreateFlow" as create_flow, POST "/", Repeatable, SHORT => Flow;
    new {
        /// Name of the flow, unique in account and region: it cannot be changed later. A letter or
        /// `_`, then letters, digits, `_` and `-`, 1 to 128 characters.
        pub name: String = Parameter "Name" (Name),
        /// What it does, as YAML. The name in it must be the flow's. `Debug` does not show it.
        pub definition: String = Parameter "Definition" (Filled, Hidden),
        /// What it is for; the service wants it, but it may be empty.
        pub description: String = Parameter "Description",
    }
    with {
        /// The language of the definition; `FDL` when absent.
        pub kind: FlowType = Parameter "Type" (Else("FDL")),
        /// How its executions are run, which cannot be changed later; the service takes `Standard`
        /// when absent.
        pub execution_mode: ExecutionMode = Parameter "ExecutionMode",
        /// The role that it acts as, such as `acs:ram::{account}:role/{name}`.
        pub role_arn: String = Parameter "RoleArn",
        /// The variables that its executions can read.
        pub environment: Environment = Parameter "Environment",
        /// The resource group that it is put into.
        pub resource_group_id: String = Parameter "ResourceGroupId",
        /// Where large data is kept outside the service; of older flows.
        pub external_storage_location: String = Parameter "ExternalStorageLocation",
    }
    settle made_flow;
}

operation! {
    DescribeFlowRequest = "DescribeFlow" as describe_flow, GET "/", Repeatable, SHORT => Flow;
    new {
        /// Name of the flow.
        pub name: String = Parameter "Name" (Name),
    }
    with {
        /// Which published version of it; what it is now when absent.
        pub flow_version: String = Parameter "FlowVersion" (Filled),
    }
}

operation! {
    /// What is left out is left to the service: it is not documented that it stays as it is.
    UpdateFlowRequest = "UpdateFlow" as update_flow, POST "/", Repeatable, SHORT => Flow;
    new {
        /// Name of the flow.
        pub name: String = Parameter "Name" (Name),
    }
    with {
        /// What it does from now on, as YAML. The name in it must be the flow's. `Debug` does not
        /// show it.
        pub definition: String = Parameter "Definition" (Filled, Hidden),
        /// What it is for.
        pub description: String = Parameter "Description",
        /// The language of the definition.
        pub kind: FlowType = Parameter "Type",
        /// The role that it acts as.
        pub role_arn: String = Parameter "RoleArn",
        /// The variables that its executions can read.
        pub environment: Environment = Parameter "Environment",
    }
}

operation! {
    DeleteFlowRequest = "DeleteFlow" as delete_flow, POST "/", Repeatable, SHORT => DeleteResponse;
    new {
        /// Name of the flow.
        pub name: String = Parameter "Name" (Name),
    }
    settle fates::deleted;
}

operation! {
    /// One page of the account's flows in the region.
    ListFlowsRequest = "ListFlows" as list_flows, GET "/", Repeatable, SHORT => ListFlowsResponse;
    new {}
    with {
        /// How many flows a page may have: 1 to 999; absent is 60.
        pub limit: u32 = Parameter "Limit" (Range(1, u32::MAX as i64)),
        /// Where the page begins, as the page before said it: a flow's name.
        pub next_token: String = Parameter "NextToken",
        /// Only flows of this resource group.
        pub resource_group_id: String = Parameter "ResourceGroupId",
    }
}

answer! {
    /// A flow, as the operations on it show it: made, looked at, changed, listed. Serialises with
    /// the wire's names.
    Flow {
        /// Its name.
        pub name: Option<String> = "Name",
        /// Its id: a flow that is made later under the same name has another.
        pub id: Option<String> = "Id",
        /// What it does, as YAML. `Debug` does not show it.
        pub definition: Option<String> = "Definition" (Hidden),
        /// What it is for.
        pub description: Option<String> = "Description",
        /// The language of its definition.
        pub kind: Option<FlowType> = "Type",
        /// How its executions are run; `UpdateFlow` does not tell.
        pub execution_mode: Option<ExecutionMode> = "ExecutionMode",
        /// The role that it acts as.
        pub role_arn: Option<String> = "RoleArn",
        /// The variables that its executions can read.
        pub environment: Option<Environment> = "Environment",
        /// Its resource group.
        pub resource_group_id: Option<String> = "ResourceGroupId",
        /// Where large data is kept outside the service; told by `UpdateFlow` alone.
        pub external_storage_location: Option<String> = "ExternalStorageLocation",
        /// When it was made.
        pub created_time: Option<DateTime<Utc>> = "CreatedTime",
        /// When it was changed last.
        pub last_modified_time: Option<DateTime<Utc>> = "LastModifiedTime",
    }
}

answer! {
    /// The answer of `ListFlows`: one page. Serialises with the wire's names.
    ListFlowsResponse {
        /// Where the next page begins; absent on the last.
        pub next_token: Option<String> = "NextToken",
        /// The flows of this page.
        pub flows: Vec<Flow> = "Flows",
    }
}

/// A flow that nobody knows to be made is looked at.
async fn made_flow(error: Error, sent: Sent<'_, Rpc>) -> Outcome<Flow> {
    let request = DescribeFlowRequest::new(parameter(&sent, "Name"));
    made(error, &sent, sent.ask(request), |flow, sent| Found {
        created: flow.created_time,
        is_same: same_text(flow.definition.as_deref(), sent, "Definition")
            && same_text(flow.description.as_deref(), sent, "Description"),
    })
    .await
}
