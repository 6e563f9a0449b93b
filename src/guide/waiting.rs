//! Waiting for the end of one execution, and following many.
//!
//! A start answers at once, and the flow runs on. To have its end:
//!
//! ```no_run
//! use cloud_workflows::{Error, alibaba::{Client, StartExecutionRequest}};
//! use serde_json::{Value, json};
//!
//! # async fn example(client: Client) -> Result<(), Error> {
//! let request = StartExecutionRequest::new("my_flow")
//!     .execution_name("order-17")
//!     .input(json!({"order": 17}));
//! let execution = client.start_and_wait(request).await?;
//! let answer: Value = execution.into_output()?; // failed, timed out and stopped are errors here
//! # Ok(())
//! # }
//! ```
//!
//! | to | Alibaba Cloud | Huawei Cloud |
//! |---|---|---|
//! | start and wait | [`start_and_wait`](alibaba::Client::start_and_wait) | [`start_and_wait`](huawei::Client::start_and_wait) |
//! | wait for one that runs | [`wait`](alibaba::Client::wait) | [`wait`](huawei::Client::wait) |
//! | start, or find what was started before | [`start_or_find`](alibaba::Client::start_or_find) | |
//! | stop | [`stop`](alibaba::Client::stop), [`stop_and_wait`](alibaba::Client::stop_and_wait) | [`stop`](huawei::Client::stop), [`stop_and_wait`](huawei::Client::stop_and_wait) |
//! | run a failed one on | | [`retry_and_wait`](huawei::Client::retry_and_wait) |
//! | follow many of one flow | [`follow`](alibaba::Client::follow) | [`follow`](huawei::Client::follow) |
//! | wait for a run of a map | [`wait_map_run`](alibaba::Client::wait_map_run) | |
//! | read a list to its end | [`items`](crate::Call#method.items), [`pages`](crate::Call#method.pages) | the same |
//!
//! Executions of Express flows cannot be waited for: their synchronous start is the wait.
//!
//! # What ends a wait
//!
//! The execution's end, and nothing else. Throttling, outages and a firewall's pages are borne.
//! A final refusal of the service (a missing right, an execution that is gone) is an error, which
//! says that the execution goes on. There is no limit of time, for a flow may run a year;
//! [`deadline`](Wait::deadline) sets one. To drop a wait is to stop waiting: the execution goes on.
//!
//! [`next`](Wait::next) tells each status on the way:
//!
//! ```no_run
//! use cloud_workflows::{Error, ExecutionRef, Progress, huawei::Client};
//! use std::time::Duration;
//!
//! # async fn example(client: Client) -> Result<(), Error> {
//! let execution = ExecutionRef::new("48aff955-ea10-4ffd-b426-190bc192dc14", "execution id");
//! let mut wait = client.wait(execution).deadline(Duration::from_secs(3600));
//! while let Some(news) = wait.next().await {
//!     match news? {
//!         Progress::Ended(execution) => println!("ended: {}", execution.status),
//!         news => println!("{news:?}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # After a restart
//!
//! Store an [`ExecutionRef`]: it is small, and serialises. `execution.reference()` gives one.
//!
//! # Many
//!
//! An account has few looks, such as 5 a second of `DescribeExecution` for all who use it. The waits
//! of a client take turns at that pace, and leave room for your own calls. For more than fifty
//! executions of one flow take a [`Follower`](crate::Follower): it learns from lists, a hundred
//! executions a call.
//!
//! ```no_run
//! use cloud_workflows::{Error, ExecutionRef, alibaba::Client};
//!
//! # async fn example(client: Client, stored: Vec<ExecutionRef>) {
//! let mut follower = client.follow("my_flow");
//! for execution in stored {
//!     follower.add(execution);
//! }
//! while let Some(end) = follower.next().await {
//!     match end.outcome {
//!         Ok(execution) => println!("{}: {}", end.execution.execution, execution.status),
//!         Err(error) => eprintln!("{}: {error}", end.execution.execution),
//!     }
//! }
//! # }
//! ```
//!
//! # Lists
//!
//! A list fetches its next page when that is wanted. [`position`](crate::Items::position) can be
//! stored; a list that is resumed there loses nothing. Pages that lead in a circle are an error.
//!
//! ```no_run
//! use cloud_workflows::{Error, alibaba::{Client, ListExecutionsRequest}};
//!
//! # async fn example(client: Client) -> Result<(), Error> {
//! let mut executions = client.list_executions(ListExecutionsRequest::new("my_flow")).items();
//! while let Some(execution) = executions.next().await {
//!     println!("{}", execution?.status);
//! }
//! # Ok(())
//! # }
//! ```

#[cfg(all(doc, feature = "alibaba", feature = "huawei"))]
use crate::{ExecutionRef, Wait, alibaba, huawei};
