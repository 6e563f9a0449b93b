//! Run workflows on Alibaba Cloud (CloudFlow) and Huawei Cloud (FunctionGraph) from Rust.
//!
//! Not an official SDK of either vendor.
//!
//! | call | cloud | what it does |
//! |---|---|---|
//! | [`alibaba::Client::start_execution`] | Alibaba Cloud | starts a Standard flow that runs on its own |
//! | [`alibaba::Client::start_sync_execution`] | Alibaba Cloud | runs an Express flow and waits for its end |
//! | [`alibaba::Client::describe_execution`] | Alibaba Cloud | looks at an execution, or waits for its end |
//! | [`huawei::Client::start_sync_workflow_execution`] | Huawei Cloud | runs an EXPRESS flow and waits for its end |
//!
//! # What you are promised
//!
//! - **Never twice.** A flow is never started a second time by this crate. A `StartExecution`
//!   carries an execution name from its first byte on, so repeating it is safe; a synchronous
//!   start is sent again only where the service certainly did not begin it.
//! - **Never in the dark.** Every [`Error`] tells what is known of its code, HTTP status, request
//!   id and number of attempts, and says with [`Error::may_have_started`] whether a flow may be
//!   running.
//! - **Five minutes means five minutes.** A synchronous call waits as long as the service may
//!   take, and always ends at a deadline.
//! - **Right on the wire for every string**, checked against the vendors' own signers; JSON text
//!   is passed on unchanged.
//! - **A service that changes does not break you.** Unknown statuses, codes and fields are kept;
//!   null and absent read alike.
//! - **Nothing leaks.** No secret, token, signed URL or flow input in `Debug`, `Display`, logs or
//!   panics.
//!
//! # A first call
//!
//! Alibaba Cloud, signed with an access key:
//!
//! ```no_run
//! # #[cfg(feature = "alibaba")] mod example {
//! use cloud_workflows::alibaba::{Client, Credentials, StartSyncExecutionRequest};
//! use serde_json::{Value, json};
//!
//! # async fn example() -> Result<(), cloud_workflows::Error> {
//! let client = Client::builder()
//!     .region("cn-hangzhou")
//!     .credentials(Credentials::new("access key id", "access key secret"))
//!     .build()?;
//! let request = StartSyncExecutionRequest::new("my_flow").input(json!({"key": "value"}));
//! let answer: Value = client.start_sync_execution(request).send().await?.into_output()?;
//! # Ok(())
//! # }
//! # }
//! ```
//!
//! Huawei Cloud, with an IAM token that is fetched, shared and renewed:
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
//! # Credentials
//!
//! [`alibaba::Client::from_env`] and [`huawei::Client::from_env`] take region and credentials from
//! where each cloud's own tools find them: variables, profiles, metadata services, identity
//! providers. A client shares what its source gives, and renews it ahead of its end;
//! [`ProvideCredential`] makes a source of your own.
//!
//! # When something goes wrong
//!
//! Three layers, kept apart: the request did not come through, the service refused it (both an
//! [`Error`]), or the flow ran and failed (an answer with its status, which `into_output` turns
//! into an [`Error`] with [`Error::flow_failure`]).
//!
//! # Cargo features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `alibaba` | yes | the client for Alibaba Cloud CloudFlow |
//! | `huawei` | yes | the client for Huawei Cloud FunctionGraph |
//! | `rustls` | yes | https by rustls with its default crypto provider |
//! | `rustls-no-provider` | no | https by rustls with a crypto provider that you install |
//! | `native-tls` | no | https by the platform's TLS |
//! | `emulator` | no | both services on loopback, for tests and trials |
//!
//! A feature adds API and never changes behaviour.

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
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
mod follow;
#[cfg(all(fuzzing, feature = "alibaba", feature = "huawei", feature = "emulator"))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "huawei")]
pub mod huawei;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "no list that is read by counting yet")
)]
mod list;
mod open_enum;
mod outcome;
mod payload;
mod pipeline;
mod response;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "no start is waited for without its call yet")
)]
mod wait;

pub use error::{Delivery, Error, ErrorCode, ErrorKind, FlowFailure, NodeError};
pub use follow::{Followed, Follower};
pub use list::{Items, Pages, Position, Shortfall};
pub use payload::{ExecutionName, FlowText, Given, Payload, Secret};
pub use pipeline::{
    call::Call,
    credential::{BoxFuture, Context, Lease, ProvideCredential},
    operation::Operation,
    pace::{Pace, Quota},
    retry::RetryPolicy,
};
pub use response::Response;
pub use wait::{ExecutionRef, Progress, Wait};
