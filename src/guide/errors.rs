//! Errors, and what to do about them.
//!
//! There are three layers, and they are kept apart:
//!
//! 1. The request did not come through: an [`Error`] of kind `Connect`, `Timeout` or `Transport`.
//! 2. The service refused it: an [`Error`] with [`code`](Error::code), [`status`](Error::status),
//!    [`request_id`](Error::request_id) and [`message`](Error::message).
//! 3. The flow ran and did not succeed. That is no error of the call: the answer has a status.
//!    `into_output` gives the output, or an [`Error`] with [`flow_failure`](Error::flow_failure).
//!
//! One [`Error`] serves both clouds. [`ErrorCode`] has a variant for each documented code and keeps
//! any other text.
//!
//! # Three questions
//!
//! | ask | because |
//! |---|---|
//! | [`may_have_started`](Error::may_have_started) | a flow may be running because of this call |
//! | [`is_retryable`](Error::is_retryable) | the same call again does no harm, and may do better |
//! | [`execution_name`](Error::execution_name) | under this name you find what may have started |
//!
//! ```no_run
//! use cloud_workflows::{Error, ErrorKind, alibaba::{Client, StartSyncExecutionRequest}};
//! use serde_json::{Value, json};
//!
//! async fn price(client: &Client) -> Result<Value, Error> {
//!     let request = StartSyncExecutionRequest::new("price").input(json!({"count": 3}));
//!     client.start_sync_execution(request).send().await?.into_output()
//! }
//!
//! # async fn example(client: &Client) {
//! match price(client).await {
//!     Ok(price) => println!("{price}"),
//!     Err(error) if error.flow_failure().is_some() => eprintln!("the flow failed: {error}"),
//!     Err(error) if error.may_have_started() => eprintln!("nobody knows; look first: {error}"),
//!     Err(error) if error.is_retryable() => eprintln!("try again later: {error}"),
//!     Err(error) if error.kind() == ErrorKind::NotFound => eprintln!("no such flow: {error}"),
//!     Err(error) => eprintln!("{error}"),
//! }
//! # }
//! ```
//!
//! # It may have started: how to go on
//!
//! **`StartExecution` of Alibaba Cloud** always carries an execution name, and the service starts
//! one execution a name. So go on under the same name, and the flow runs once:
//!
//! ```no_run
//! use cloud_workflows::{Error, alibaba::{Client, Execution, StartExecutionRequest}};
//!
//! async fn start(client: &Client, input: &serde_json::Value) -> Result<Execution, Error> {
//!     let request = StartExecutionRequest::new("my_flow").input(input);
//!     match client.start_execution(request.clone()).send().await {
//!         Err(error) if error.may_have_started() => {
//!             let request = request.execution_name(error.execution_name());
//!             Ok(client.start_or_find(request).await?.into_execution())
//!         }
//!         outcome => outcome,
//!     }
//! }
//! ```
//!
//! A program that may crash in between gives a name of its own, made from what the work is:
//! [`ExecutionName::derived`](crate::ExecutionName::derived). See [`many`](super::many).
//!
//! **All other starts** have no such key. The service keeps no trace of a synchronous start that you
//! could look up. Find out by what the flow does (the order that it wrote), or let it run twice
//! where that does no harm: [`repeat_if_unknown`](crate::Call::repeat_if_unknown).
//! `StartWorkflowExecution` with a
//! [`workflow_run_id`](crate::huawei::StartWorkflowExecutionRequest::workflow_run_id) of yours is
//! looked up by the crate itself where its answer was lost.
//!
//! # Whose execution is it?
//!
//! The service answers a start under a name with the execution of that name while it runs, and with
//! `ExecutionAlreadyExists` once it has ended. Under a name that the crate made it is yours, always.
//! Under a name of yours, [`origin`](crate::alibaba::ExecutionOrigin) says what can be told from its
//! input and start time: this call started it, it was there before, or nobody can tell.
//!
//! - "Before" is said only where the wall clock and the monotonic clock agree about the time since
//!   the first attempt: while a laptop sleeps, one of them stands still.
//! - An `ExecutionAlreadyExists` after a lost answer is looked up in the same way. This call's own
//!   execution is an answer; another's is an error that did not start anything; where it cannot be
//!   told, the flow may have started.
//! - An answer that bears another execution's name is no answer at all. Connections get crossed, by
//!   proxies mostly, so those that are open are given up.
//!
//! # By kind
//!
//! | [`kind`](Error::kind) | what to do |
//! |---|---|
//! | `InvalidRequest` | mend the field that the message names; where it has no code, nothing was sent |
//! | `Configuration` | mend the setting or variable that the message names; nothing was sent |
//! | `Credentials` | there is no key or token; the message says which source failed and why |
//! | `Unauthenticated` | the key or token is wrong, off or too old; a wrong secret is told from a request that was changed on its way |
//! | `PermissionDenied` | give the key the right: see [`rights`](super::rights) |
//! | `NotFound` | check flow, execution, region and account |
//! | `AlreadyExists` | the execution name is used up: take another, or [`start_or_find`](crate::alibaba::Client::start_or_find) |
//! | `AlreadyCompleted` | it had ended before: nothing is left to stop or report |
//! | `Conflict` | another change came in between: look, then decide |
//! | `TooLarge` | make the input smaller, or raise `max_reply_bytes` |
//! | `Throttled` | call less often; [`retry_after`](Error::retry_after) says how long, where the service does |
//! | `ClockSkew` | set this machine's clock |
//! | `Connect`, `Transport`, `Timeout` | the network: host and reason stand in the message |
//! | `Service`, `Decode` | the service's side; keep the request id for its support |
//! | `FlowFailed`, `FlowTimedOut`, `FlowStopped` | the flow's side: [`flow_failure`](Error::flow_failure) |
//! | `FlowUnfinished` | the execution still runs: [wait](super::waiting) for it |
//! | `Deadline` | your limit for a wait ran out; the execution goes on |
//! | `Gone` | it was there and is not any more |
//! | `ListIncomplete`, `PositionRefused` | begin the list again |
//!
//! What passes by itself has been repeated before you see it, where that was safe. Which calls are
//! repeated when is the table "What is repeated" of the README.
//!
//! # What is printed, and what is not
//!
//! `Display` is one line that is enough to act on:
//!
//! ```text
//! StartSyncExecution: FlowNotExists (HTTP 404): Flow  nope does not exist. [request id 1F4D55E3-...]
//! StartSyncExecution: no answer after 310.0 s from cn-hangzhou.fnf.aliyuncs.com:443 [execution name cw-70c5...]; the flow may have started
//! ```
//!
//! It shows at most 1 KiB of what others wrote, and nothing that repeats a secret or an input. Data
//! is never printed and stands behind [`output`](Error::output) (what a flow gave that did not fit
//! your type) and [`body`](Error::body) (an answer that could not be read).
//!
//! An answer is read as far as it can be. A field that is missing or broken is absent, and costs no
//! other field. Only a field without which the answer means nothing is an error, which names it.

#[cfg(doc)]
use crate::{Error, ErrorCode};
