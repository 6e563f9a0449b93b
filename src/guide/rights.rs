//! The rights that each call needs.
//!
//! A call without its right is an error of kind
//! [`PermissionDenied`](crate::ErrorKind::PermissionDenied). `fnf` answers `AccessDenied` where the
//! service was never opened for the account, too: open it once in the console.
//!
//! # Alibaba Cloud
//!
//! The right of an operation is `fnf:` and its name. What this crate calls beside the operation that
//! you asked for:
//!
//! | you call | rights | more, and what is lost without it |
//! |---|---|---|
//! | `start_execution` | `fnf:StartExecution` | `fnf:DescribeExecution`: after a lost answer nobody can look whose the execution is |
//! | `start_sync_execution` | `fnf:StartSyncExecution` | |
//! | a start with a `qualifier` | the same | `fnf:DescribeFlow`, `fnf:DescribeFlowAlias`: of what was found running, nobody can say whether it is of that version |
//! | `start_or_find` | `fnf:StartExecution`, `fnf:DescribeExecution` | |
//! | `start_and_wait` | `fnf:StartExecution`, `fnf:DescribeExecution` | `fnf:GetExecutionHistory`: a failure has no reason |
//! | `wait` | `fnf:DescribeExecution` | the same |
//! | `stop`, `stop_and_wait` | `fnf:StopExecution`, `fnf:DescribeExecution` | |
//! | `follow` | `fnf:ListExecutions`, `fnf:DescribeExecution` | without the first, slower: one look an execution |
//! | `wait_map_run` | `fnf:DescribeMapRun` | |
//! | `create_flow`, `create_flow_after_delete` | `fnf:CreateFlow` | `fnf:DescribeFlow`: after a lost answer nobody can look whose the flow is |
//! | `delete_flow_and_wait` | `fnf:DeleteFlow`, `fnf:DescribeFlow` | |
//! | any other | `fnf:` and the operation's name | |
//! | with `AssumeRole` | `sts:AssumeRole` for the source's key | the rights above go to the role |
//!
//! As a policy to paste, for a program that starts flows, waits for them and stops them:
//!
//! ```json
//! {
//!   "Version": "1",
//!   "Statement": [
//!     {
//!       "Effect": "Allow",
//!       "Action": [
//!         "fnf:StartExecution",
//!         "fnf:StartSyncExecution",
//!         "fnf:DescribeExecution",
//!         "fnf:GetExecutionHistory",
//!         "fnf:ListExecutions",
//!         "fnf:StopExecution"
//!       ],
//!       "Resource": "*"
//!     }
//!   ]
//! }
//! ```
//!
//! For one that only reports tasks that wait for a callback:
//!
//! ```json
//! {
//!   "Version": "1",
//!   "Statement": [
//!     {
//!       "Effect": "Allow",
//!       "Action": ["fnf:ReportTaskSucceeded", "fnf:ReportTaskFailed"],
//!       "Resource": "*"
//!     }
//!   ]
//! }
//! ```
//!
//! For one that deploys flows, as the example `deploy` does; the last three are for its `--alias`:
//!
//! ```json
//! {
//!   "Version": "1",
//!   "Statement": [
//!     {
//!       "Effect": "Allow",
//!       "Action": [
//!         "fnf:DescribeFlow",
//!         "fnf:CreateFlow",
//!         "fnf:UpdateFlow",
//!         "fnf:ListFlowVersions",
//!         "fnf:PublishFlowVersion",
//!         "fnf:DescribeFlowAlias",
//!         "fnf:CreateFlowAlias",
//!         "fnf:UpdateFlowAlias"
//!       ],
//!       "Resource": "*"
//!     }
//!   ]
//! }
//! ```
//!
//! The vendor's pages list the resource `*`. Its refusals name a flow as
//! `acs:fnf:{region}:{account-id}:flow/{flow-name}`; whether a policy may name it so was not tried.
//!
//! # Huawei Cloud
//!
//! The account itself may call everything; an IAM user needs a grant in the project of the region.
//! The vendor does not document the names of single actions for flows, so there is no policy to
//! paste here that we could vouch for. Its system policy `FunctionGraph FullAccess` covers all
//! calls; its role `FunctionGraph Invoker` covers queries of flows and running functions, and
//! whether it may start flows was not tried.
//!
//! | you call | operations |
//! |---|---|
//! | `start_sync_workflow_execution` | `StartSyncWorkflowExecution` |
//! | `start_and_wait` | `StartWorkflowExecution`, `ShowWorkflowExecution` |
//! | `wait` | `ShowWorkflowExecution` |
//! | `retry_and_wait` | `RetryWorkFlow`, `ShowWorkflowExecution` |
//! | `stop`, `stop_and_wait` | `StopWorkFlow`, `ShowWorkflowExecution` |
//! | `follow` | `ListWorkflowExecutions`, `ShowWorkflowExecution` |
//! | the example `deploy` | `ListWorkflow`, `ShowWorkFlow`, `CreateWorkflow`, `UpdateWorkFlow` |
//! | with [`AssumeAgency`](crate::huawei::AssumeAgency) | IAM's role `Agent Operator` for the source's credential |
//!
//! An [`AccessKey`](crate::huawei::AccessKey) or a password without a project id looks the project
//! up at IAM by its name; [`project_id`](crate::huawei::ClientBuilder::project_id) spares that.
//!
//! # To try a missing right
//!
//! The [emulator](super::testing) refuses what [`Quirks::deny`](crate::emulator::Quirks::deny)
//! names.
