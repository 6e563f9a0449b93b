//! Running many inputs: once each, also when the program is run again.
//!
//! # Names from what the work is
//!
//! On Alibaba Cloud a Standard flow runs once a name. So derive the name from the work, and never
//! from its place in a file: a line that is put in at the top would rename, and start, all others.
//!
//! ```no_run
//! use cloud_workflows::{
//!     Error, ExecutionName,
//!     alibaba::{Client, Found, StartExecutionRequest},
//! };
//! use serde::Serialize;
//!
//! #[derive(Serialize)]
//! struct Order {
//!     number: String,
//! }
//!
//! async fn run(client: &Client, orders: &[Order]) -> Result<(), Error> {
//!     let mut follower = client.follow("my_flow");
//!     for order in orders {
//!         // The run's label, and what tells this order from all others.
//!         let name = ExecutionName::derived(["nightly-2026-11-28", &order.number]);
//!         let request = StartExecutionRequest::new("my_flow")
//!             .execution_name(name.as_str())
//!             .input(order);
//!         match client.start_or_find(request).await? {
//!             Found::Ended(execution) => println!("{} had ended: {}", order.number, execution.status),
//!             found => follower.add(found.into_execution().reference()),
//!         }
//!     }
//!     while let Some(end) = follower.next().await {
//!         match end.outcome {
//!             Ok(execution) => println!("{}: {}", end.execution.execution, execution.status),
//!             Err(error) => eprintln!("{}: {error}", end.execution.execution),
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Run it again after a crash, or with more orders: what was started is found, what was not is
//! started. An ended name is used up: to run a failed order again, put a number for the try among
//! the parts of its name. [`start_or_find`](alibaba::Client::start_or_find) refuses a name that is
//! taken by another input.
//!
//! # Where there is no such name
//!
//! Huawei Cloud documents no key that makes a second start harmless, and synchronous starts have
//! none on either cloud. Write down what you are about to start, and sync it to the disk, before
//! you start it. After a crash, whatever has no result may have run: look, or ask a person. Do not
//! start it again blindly.
//!
//! # Pace
//!
//! Quotas are the account's, shared by all its programs. Documented for Alibaba Cloud:
//!
//! | calls | at once | then, a second |
//! |---|---|---|
//! | `StartExecution` | 100 | 100 |
//! | `DescribeExecution` | 50 | 5 |
//! | `GetExecutionHistory` | 50 | 5 |
//! | all others together | 10 | 2 |
//!
//! Waits and followers keep nine tenths of that and go slower where they are refused. Calls of your
//! own go out at once. A throttled one is sent again after a pause, five attempts in all, so hold
//! them to so many at a time:
//!
//! ```no_run
//! use cloud_workflows::{Error, huawei::{Client, StartSyncWorkflowExecutionRequest}};
//! use serde_json::Value;
//! use std::sync::Arc;
//! use tokio::{sync::Semaphore, task::JoinSet};
//!
//! # async fn example(client: Client, inputs: Vec<Value>) {
//! let at_once = Arc::new(Semaphore::new(20));
//! let mut calls = JoinSet::new();
//! for input in inputs {
//!     let (client, at_once) = (client.clone(), at_once.clone());
//!     calls.spawn(async move {
//!         let _turn = at_once.acquire_owned().await;
//!         let request = StartSyncWorkflowExecutionRequest::new("workflow id").input(input);
//!         client.start_sync_workflow_execution(request).send().await?.into_output::<Value>()
//!     });
//! }
//! while let Some(done) = calls.join_next().await {
//!     println!("{done:?}");
//! }
//! # }
//! ```
//!
//! An account whose quotas were raised says so with
//! [`quota`](alibaba::ClientBuilder::quota); [`pace`](alibaba::Client::pace) tells the present rate,
//! who waits, and how often the service refused.
//!
//! The ends of many executions: [`waiting`](super::waiting#many).

#[cfg(all(doc, feature = "alibaba", feature = "huawei"))]
use crate::alibaba;
