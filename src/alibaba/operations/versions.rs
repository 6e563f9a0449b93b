//! Versions of flows: definitions that no longer change.

use super::deletes::DeleteResponse;
use crate::{
    alibaba::{
        declare::{DateTime, Utc, answer, operation},
        fates,
        protocol::Rpc,
    },
    error::{Delivery, Error},
    pipeline::operation::{Outcome, Sent},
};

operation! {
    PublishFlowVersionRequest = "PublishFlowVersion" as publish_flow_version, POST "/", Once, SHORT => FlowVersion;
    new {
        /// The flow whose definition, as it is now, becomes a version.
        pub flow_name: String = Parameter "FlowName" (Name),
    }
    with {
        /// What the version is for.
        pub description: String = Parameter "Description",
    }
    settle published;
}

operation! {
    DeleteFlowVersionRequest = "DeleteFlowVersion" as delete_flow_version, POST "/", Repeatable, SHORT => DeleteResponse;
    new {
        /// The version's flow.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// The version: a number as a text, from `1`.
        pub flow_version: String = Parameter "FlowVersion" (Filled),
    }
    settle fates::deleted;
}

operation! {
    /// One page of a flow's versions.
    ListFlowVersionsRequest = "ListFlowVersions" as list_flow_versions, GET "/", Repeatable, SHORT
        => ListFlowVersionsResponse;
    new {
        /// The flow whose versions are listed.
        pub flow_name: String = Parameter "FlowName" (Name),
    }
    with {
        /// How many versions a page may have; how many there may be is not documented.
        pub limit: u32 = Parameter "Limit" (Range(1, u32::MAX as i64)),
        /// Where the page begins, as the page before said it.
        pub next_token: String = Parameter "NextToken",
    }
}

answer! {
    /// A version of a flow: published, or listed. Serialises with the wire's names.
    FlowVersion {
        /// Its number, from `1`.
        pub version: String = "Version",
        /// The flow; in a list it is left out.
        pub flow_name: Option<String> = "FlowName",
        /// What it is for.
        pub description: Option<String> = "Description",
        /// When it was published.
        pub created_time: Option<DateTime<Utc>> = "CreatedTime",
    }
}

answer! {
    /// The answer of `ListFlowVersions`: one page. Serialises with the wire's names.
    ListFlowVersionsResponse {
        /// Where the next page begins; absent on the last.
        pub next_token: Option<String> = "NextToken",
        /// The versions of this page.
        pub flow_versions: Vec<FlowVersion> = "FlowVersions",
    }
}

/// A version has no name before it is made, so nothing tells this call's from another's.
async fn published(error: Error, _sent: Sent<'_, Rpc>) -> Outcome<FlowVersion> {
    // Nothing runs because a version was made.
    let error = error.with_subject(false, false, None);
    Err(match error.delivery() >= Delivery::Unknown {
        true => error.and("one version more than needed may exist"),
        false => error,
    })
}
