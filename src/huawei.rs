//! Huawei Cloud FunctionGraph flows (`/v2/{project_id}/fgs/workflows`).
//!
//! [`Client::start_sync_workflow_execution`] runs a flow of mode EXPRESS and waits for its end, up
//! to five minutes. [`Client::start_workflow_execution`] starts one that runs on its own, and
//! [`Client::start_and_wait`] waits for its end. Calls are authenticated with an IAM token: [`IamPassword`] gets one by domain,
//! user and password, [`Token`] is one that you have. Or they are signed with an [`AccessKey`].
//! [`Client::from_env`] takes region, project and credentials from where the tools of Huawei Cloud
//! find them.
//!
//! ```no_run
//! use cloud_workflows::huawei::{Client, IamPassword, IdToken, OidcSts, StartSyncWorkflowExecutionRequest};
//! use serde_json::{Value, json};
//!
//! # async fn example() -> Result<(), cloud_workflows::Error> {
//! let client = Client::builder()
//!     .region("cn-north-4")
//!     .credentials(IamPassword::new("domain", "user", "password"))
//!     .build()?;
//! let request = StartSyncWorkflowExecutionRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14")
//!     .input(json!({"arg1": "argument_1"}))
//!     .header("tenantId", "user1");
//! let done = client.start_sync_workflow_execution(request).send().await?;
//! let answer: Value = done.into_output()?;
//! # Ok(())
//! # }
//! ```

mod client;
mod credential;
mod credentials;
mod declare;
mod endpoint;
mod following;
mod identity;
mod made;
mod managing;
pub(crate) mod operations;
mod pages;
mod projects;
pub(crate) mod protocol;
mod refusal;
mod settle;
pub(crate) mod signature;
mod tokens;
mod undeclared;
mod watch;

pub use client::{Client, ClientBuilder};
pub use credential::{AccessKey, Credential, Token};
pub use credentials::{
    AssumeAgency, DefaultCredentials, EcsMetadata, EnvironmentCredentials, IamPassword, IdToken,
    OidcSts, PodIdentity, Profile,
};
pub use following::Stop;
pub use managing::{DeletedWorkflow, WorkflowFate};
pub use operations::{
    control::{
        CreateCallbackWorkflowRequest, RetryWorkFlowRequest, StartWorkflowExecutionRequest,
        StopWorkFlowRequest,
    },
    creation::CreateWorkflowRequest,
    definition::{
        Action, ActionMode, ExpressConfig, Function, FunctionRef, InvokeMode, LogLevel,
        ObsTriggerConfig, OnError, OperationState, Retry, StateDataFilter, StateType, Trigger,
        TriggerType, WorkflowCreateBody, WorkflowMode,
    },
    executions::{
        StartSyncWorkflowExecutionRequest, StartSyncWorkflowExecutionResponse,
        WorkflowExecutionStatus,
    },
    flows::{
        BatchDeleteWorkflowsRequest, BatchDeleteWorkflowsResponse, ListWorkflowRequest,
        ListWorkflowResponse, OperateErrorInfo, ShowWorkFlowRequest, UpdateWorkFlowRequest,
        WorkflowInfo, WorkflowSimpleInfo,
    },
    lists::{
        ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse,
        ShowWorkflowExecutionForPageRequest, ShowWorkflowExecutionForPageResponse,
        WorkflowExecutionBrief,
    },
    metrics::{
        ShowTenantMetricRequest, ShowWorkFlowMetricRequest, SlaReportsValue, WorkflowMetric,
    },
    runs::{
        CallbackResult, NodeExecution, NodeExecutionDetail, ShowWorkflowExecutionRequest,
        WorkflowExecution, WorkflowExecutionId, WorkflowRunStatus,
    },
};
pub use undeclared::Undeclared;
