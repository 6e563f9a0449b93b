//! Run workflows on Alibaba Cloud (CloudFlow) and Huawei Cloud (FunctionGraph) from Rust.
//! Not an official SDK of either vendor.
//!
//! ```no_run
//! # #[cfg(feature = "alibaba")] mod example {
//! use cloud_workflows::alibaba::{Client, StartSyncExecutionRequest};
//! use serde_json::{Value, json};
//!
//! # async fn example() -> Result<(), cloud_workflows::Error> {
//! let client = Client::from_env()?; // region and key, from where the vendor's tools find them
//! let request = StartSyncExecutionRequest::new("my_flow").input(json!({"key": "value"}));
//! let answer: Value = client.start_sync_execution(request).send().await?.into_output()?;
//! # Ok(())
//! # }
//! # }
//! ```
//!
//! On Huawei Cloud, with credentials that the program gives:
//!
//! ```no_run
//! # #[cfg(feature = "huawei")] mod example {
//! use cloud_workflows::huawei::{Client, IamPassword, StartSyncWorkflowExecutionRequest};
//! use serde_json::{Value, json};
//!
//! # async fn example() -> Result<(), cloud_workflows::Error> {
//! let client = Client::builder()
//!     .region("cn-north-4")
//!     .credentials(IamPassword::new("domain", "user", "password"))
//!     .build()?;
//! let request = StartSyncWorkflowExecutionRequest::new("workflow id").input(json!({"a": 1}));
//! let answer: Value = client.start_sync_workflow_execution(request).send().await?.into_output()?;
//! # Ok(())
//! # }
//! # }
//! ```
//!
//! Each operation is a method that takes a request and gives a [`Call`]: `.timeout(..)` and
//! `.retry(..)` if you like, then [`.send()`](Call::send). To the end of a flow that runs on its own:
//! [`start_and_wait`](alibaba::Client::start_and_wait).
//!
//! **[Guides](guide)**: [errors](guide::errors), [waiting](guide::waiting),
//! [running many](guide::many), [rights](guide::rights), [credentials](guide::credentials),
//! [proxies and certificates](guide::network), [what operators see](guide::operators),
//! [testing](guide::testing),
//! [moving from Python and Node](guide::moving).
//!
//! # Operations
//!
//! | call of [`alibaba::Client`] | what it does |
//! |---|---|
//! | [`start_execution`](alibaba::Client::start_execution) | starts a Standard flow that runs on its own |
//! | [`start_sync_execution`](alibaba::Client::start_sync_execution) | runs an Express flow and waits for its end |
//! | [`describe_execution`](alibaba::Client::describe_execution) | looks at an execution, or waits up to 60 s for its end |
//! | [`list_executions`](alibaba::Client::list_executions) | tells a flow's executions, a page at a time |
//! | [`get_execution_history`](alibaba::Client::get_execution_history) | tells what happened in an execution |
//! | [`stop_execution`](alibaba::Client::stop_execution) | stops an execution |
//! | [`report_task_succeeded`](alibaba::Client::report_task_succeeded), [`report_task_failed`](alibaba::Client::report_task_failed) | report a task that waits for a callback |
//! | [`create_flow`](alibaba::Client::create_flow), [`describe_flow`](alibaba::Client::describe_flow), [`update_flow`](alibaba::Client::update_flow), [`delete_flow`](alibaba::Client::delete_flow), [`list_flows`](alibaba::Client::list_flows) | manage flows |
//! | [`publish_flow_version`](alibaba::Client::publish_flow_version), [`delete_flow_version`](alibaba::Client::delete_flow_version), [`list_flow_versions`](alibaba::Client::list_flow_versions) | manage versions |
//! | [`create_flow_alias`](alibaba::Client::create_flow_alias), [`describe_flow_alias`](alibaba::Client::describe_flow_alias), [`update_flow_alias`](alibaba::Client::update_flow_alias), [`delete_flow_alias`](alibaba::Client::delete_flow_alias), [`list_flow_aliases`](alibaba::Client::list_flow_aliases) | manage aliases |
//! | [`create_schedule`](alibaba::Client::create_schedule), [`describe_schedule`](alibaba::Client::describe_schedule), [`update_schedule`](alibaba::Client::update_schedule), [`delete_schedule`](alibaba::Client::delete_schedule), [`list_schedules`](alibaba::Client::list_schedules) | manage timers |
//! | [`describe_map_run`](alibaba::Client::describe_map_run), [`update_map_run`](alibaba::Client::update_map_run) | look at a run of a map, and change it |
//! | [`describe_regions`](alibaba::Client::describe_regions) | tells where the service is |
//!
//! | call of [`huawei::Client`] | what it does |
//! |---|---|
//! | [`start_sync_workflow_execution`](huawei::Client::start_sync_workflow_execution) | runs an EXPRESS flow and waits for its end |
//! | [`start_workflow_execution`](huawei::Client::start_workflow_execution) | starts a flow that runs on its own |
//! | [`show_workflow_execution`](huawei::Client::show_workflow_execution) | looks at an execution and its nodes |
//! | [`list_workflow_executions`](huawei::Client::list_workflow_executions), [`show_workflow_execution_for_page`](huawei::Client::show_workflow_execution_for_page) | tell a flow's executions, a page at a time |
//! | [`stop_work_flow`](huawei::Client::stop_work_flow), [`retry_work_flow`](huawei::Client::retry_work_flow) | stop an execution; run a failed one on |
//! | [`create_callback_workflow`](huawei::Client::create_callback_workflow) | reports a node that waits for a callback |
//! | [`create_workflow`](huawei::Client::create_workflow), [`show_work_flow`](huawei::Client::show_work_flow), [`update_work_flow`](huawei::Client::update_work_flow), [`batch_delete_workflows`](huawei::Client::batch_delete_workflows), [`list_workflow`](huawei::Client::list_workflow) | manage flows |
//! | [`show_work_flow_metric`](huawei::Client::show_work_flow_metric), [`show_tenant_metric`](huawei::Client::show_tenant_metric) | count what ran |
//!
//! An operation that has no method here can be called all the same, with
//! [`alibaba::Client::undeclared`] or [`huawei::Client::undeclared`]: a read or a change by its name
//! or path, signed, repeated and judged as the others, answered by the JSON text that came.
//!
//! # What you are promised
//!
//! - **Never twice.** A flow is never started a second time by this crate. A `StartExecution`
//!   carries an execution name from its first byte on, so repeating it is safe; any other start is
//!   sent again only where the service certainly did not begin it.
//! - **Never in the dark.** Every [`Error`] tells what is known of its code, HTTP status, request
//!   id and number of attempts, and says with [`Error::may_have_started`] whether a flow may be
//!   running. Its `Display` is one line that is enough to act on.
//! - **Five minutes means five minutes.** A synchronous call waits as long as the service may
//!   take, and always ends at a deadline.
//! - **Right on the wire for every string**, checked against the vendors' own signers; JSON text
//!   is passed on unchanged.
//! - **A service that changes does not break you.** Unknown statuses and codes are kept, unknown
//!   fields passed by; null and absent read alike; a field that cannot be read costs no other.
//! - **Nothing leaks.** No secret, token, signed URL or flow input in `Debug`, `Display`, logs or
//!   panics, not even where a service, a gateway or a flow repeats it.
//! - **Any runtime.** One client may be used from any number of Tokio runtimes, and after a fork.
//!
//! # One program on either cloud
//!
//! [`Workflow`] is one shape over both: a [`Start`] goes in, an [`Outcome`] comes out, and
//! `client.workflow(request)` makes one of a flow.
//!
//! ```
//! use cloud_workflows::{Error, Start, Workflow};
//! use serde_json::{Value, json};
//!
//! async fn quote(flow: &dyn Workflow, count: u32) -> Result<Value, Error> {
//!     flow.run(Start::new(&json!({"count": count}))?).await?.into_output()
//! }
//! ```
//!
//! # Cargo features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `alibaba` | yes | the client for Alibaba Cloud CloudFlow |
//! | `huawei` | yes | the client for Huawei Cloud FunctionGraph |
//! | `rustls` | yes | https by rustls with its default crypto provider |
//! | `rustls-ring` | no | https by rustls with the crypto provider ring |
//! | `rustls-no-provider` | no | https by rustls with a crypto provider that you install |
//! | `native-tls` | no | https by the platform's TLS |
//! | `blocking` | no | `Call::send_blocking`, `Wait::blocking` and `Items::next_blocking`, for programs without `async` |
//! | `emulator` | no | both services on loopback, for tests and trials |
//!
//! A feature adds API and never changes behaviour. So where several bring https, `native-tls` does it
//! before `rustls`, and that before `rustls-ring`; a rustls crypto provider that the program has
//! installed as its default is used before our own, and we install none.

#![cfg_attr(docsrs, feature(doc_cfg))]
// Both clouds are there by default, and a module each: it need not stand at every item.
#![cfg_attr(docsrs, doc(auto_cfg(hide(feature = "alibaba", feature = "huawei"))))]
#![warn(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::dbg_macro,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::todo,
    clippy::unwrap_used
)]
// What the clouds share serves both: a build for one of them leaves some of it unused.
#![cfg_attr(
    not(all(feature = "alibaba", feature = "huawei")),
    allow(dead_code, unused_imports, unused_macros)
)]

#[cfg(feature = "alibaba")]
pub mod alibaba;
mod bits;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
mod execution_name;
mod follow;
#[cfg(all(fuzzing, feature = "alibaba", feature = "huawei", feature = "emulator"))]
#[doc(hidden)]
pub mod fuzzing;
mod given;
// Its examples speak of all there is; the text is always there.
#[cfg_attr(docsrs, doc(auto_cfg = false))]
#[cfg(any(
    not(doctest),
    all(feature = "alibaba", feature = "huawei", feature = "emulator")
))]
pub mod guide;
#[cfg(feature = "huawei")]
pub mod huawei;
mod identity;
mod list;
mod open_enum;
mod outcome;
mod payload;
mod pipeline;
mod printed;
mod response;
mod wait;
mod workflow;

pub use error::{Delivery, Error, ErrorCode, ErrorKind, FlowFailure, NodeError};
pub use execution_name::ExecutionName;
pub use follow::{Followed, Follower};
pub use given::Given;
pub use identity::Identity;
pub use list::{Items, Pages, Position, Shortfall};
pub use outcome::{Cloud, Outcome};
pub use payload::{FlowText, Payload, Secret};
pub use pipeline::{
    call::Call,
    credential::{BoxFuture, Context, Lease, ProvideCredential},
    operation::Operation,
    pace::{Pace, Quota},
    retry::RetryPolicy,
};
pub use response::Response;
pub use wait::{ExecutionRef, Progress, Wait};
pub use workflow::{Runner, Start, Workflow};
// Whose types stand in this crate's, so that nobody needs to find the release that fits.
pub use {chrono, futures_core, http, reqwest};

/// The code of the README is compiled.
#[cfg(all(doctest, feature = "alibaba", feature = "huawei", feature = "emulator"))]
#[doc = include_str!("../README.md")]
#[derive(Debug)]
pub struct Readme;
