//! Alibaba Cloud CloudFlow (`fnf`, API version `2019-03-15`).
//!
//! [`Client`] starts executions of flows: [`Client::start_execution`] one that runs on its own
//! (Standard mode), [`Client::start_sync_execution`] one that is waited for (Express mode, up to
//! five minutes). What runs on its own is waited for with [`Client::start_and_wait`], and many at
//! once with [`Client::follow`].
//!
//! ```no_run
//! use cloud_workflows::alibaba::{Client, Credentials, StartSyncExecutionRequest};
//! use serde_json::{Value, json};
//!
//! # async fn example() -> Result<(), cloud_workflows::Error> {
//! let client = Client::builder()
//!     .region("cn-hangzhou")
//!     .credentials(Credentials::new("access key id", "access key secret"))
//!     .build()?;
//! let request = StartSyncExecutionRequest::new("my_flow").input(json!({"key": "value"}));
//! let done = client.start_sync_execution(request).send().await?;
//! let answer: Value = done.into_output()?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Client::from_env`] takes region and credentials from where Alibaba Cloud's own tools find
//! them: variables, profiles, the role of a pod or a machine.

mod client;
mod credentials;
mod declare;
mod endpoint;
mod fates;
mod following;
mod identity;
mod managing;
pub(crate) mod operations;
mod origin;
mod protocol;
mod quotas;
mod refusal;
pub(crate) mod signature;
mod undeclared;

pub use client::{Client, ClientBuilder};
pub use credentials::{
    AssumeRole, AssumeRoleWithOidc, CliProfile, Credentials, CredentialsUri, DefaultCredentials,
    EcsRamRole, EnvironmentCredentials, IniProfile,
};
pub use endpoint::Network;
pub use following::{Found, Stop};
pub use operations::{
    aliases::{
        CreateFlowAliasRequest, DeleteFlowAliasRequest, DescribeFlowAliasRequest, FlowAlias,
        FlowAliasResponse, ListFlowAliasesRequest, ListFlowAliasesResponse, RoutingConfiguration,
        UpdateFlowAliasRequest,
    },
    deletes::DeleteResponse,
    executions::{
        DescribeExecutionRequest, Environment, Execution, ExecutionOrigin, ExecutionStatus,
        Variable,
    },
    flows::{
        CreateFlowRequest, DeleteFlowRequest, DescribeFlowRequest, ExecutionMode, Flow, FlowType,
        ListFlowsRequest, ListFlowsResponse, UpdateFlowRequest,
    },
    lists::{
        Event, EventType, GetExecutionHistoryRequest, GetExecutionHistoryResponse,
        ListExecutionsRequest, ListExecutionsResponse,
    },
    map_runs::{
        DescribeMapRunRequest, ItemCounts, MapRun, MapRunStatus, UpdateMapRunRequest,
        UpdateMapRunResponse,
    },
    regions::{DescribeRegionsRequest, DescribeRegionsResponse, Region, Regions},
    schedules::{
        CreateScheduleRequest, DeleteScheduleRequest, DescribeScheduleRequest,
        ListSchedulesRequest, ListSchedulesResponse, Schedule, UpdateScheduleRequest,
    },
    starts::{StartExecutionRequest, StartSyncExecutionRequest, StartSyncExecutionResponse},
    stops::StopExecutionRequest,
    tasks::{ReportTaskFailedRequest, ReportTaskResponse, ReportTaskSucceededRequest},
    versions::{
        DeleteFlowVersionRequest, FlowVersion, ListFlowVersionsRequest, ListFlowVersionsResponse,
        PublishFlowVersionRequest,
    },
};
pub use quotas::Bucket;
pub use undeclared::Undeclared;
