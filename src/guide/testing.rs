//! Testing your own program with the emulator.
//!
//! The feature `emulator` brings both services on loopback. It checks what the services check
//! (signatures, tokens, clocks, names), runs flows that are closures, and counts what it ran. Your
//! program's own client talks to it over real HTTP.
//!
//! ```toml
//! [dependencies]
//! cloud-workflows = "0.1"
//!
//! [dev-dependencies]
//! cloud-workflows = { version = "0.1", features = ["emulator"] }
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! serde_json = "1"
//! ```
//!
//! # A complete test
//!
//! The program under test takes a client, so that a test can give it one:
//!
//! ```test_harness
//! use cloud_workflows::{
//!     Error, FlowFailure,
//!     alibaba::{Client, StartExecutionRequest},
//!     emulator::{Emulator, Fault, Flow},
//! };
//! use serde_json::{Value, json};
//! use std::time::Duration;
//!
//! /// The program under test.
//! async fn ship(client: &Client, order: u64) -> Result<Value, Error> {
//!     let request = StartExecutionRequest::new("ship")
//!         .execution_name(format!("order-{order}"))
//!         .input(json!({"order": order}));
//!     client.start_and_wait(request).await?.into_output()
//! }
//!
//! fn emulator() -> Emulator {
//!     let emulator = Emulator::start().unwrap();
//!     let flow = Flow::new(|input: Value| match input["order"].as_u64() {
//!         Some(0) | None => Err(FlowFailure::new("NoOrder", "there is no order 0")),
//!         Some(order) => Ok(json!({"shipped": order})),
//!     });
//!     emulator.standard("ship", flow.step("pack", Duration::from_millis(20)));
//!     emulator
//! }
//!
//! #[tokio::test]
//! async fn an_order_is_shipped_once_though_an_answer_is_lost() {
//!     let emulator = emulator();
//!     let client = emulator.alibaba().build().unwrap();
//!     // The flow is started, and the connection cut before its answer.
//!     emulator.fault::<StartExecutionRequest>(Fault::cut_after_run());
//!
//!     assert_eq!(ship(&client, 17).await.unwrap(), json!({"shipped": 17}));
//!     assert_eq!(emulator.runs("ship"), 1);
//!     assert!(emulator.faults_left().is_empty(), "the fault never came");
//! }
//!
//! #[tokio::test]
//! async fn an_order_that_fails_says_why() {
//!     let emulator = emulator();
//!     let client = emulator.alibaba().build().unwrap();
//!
//!     let error = ship(&client, 0).await.unwrap_err();
//!     assert_eq!(error.flow_failure().unwrap().code(), Some("NoOrder"));
//! }
//! ```
//!
//! [`Emulator::huawei`](crate::emulator::Emulator::huawei) gives a client for the other cloud, whose
//! flows are added with [`workflow`](crate::emulator::Emulator::workflow).
//!
//! # What it can do
//!
//! | what | by |
//! |---|---|
//! | steps, tries, branches, rounds, map runs, callbacks, failures at first | [`Flow`](crate::emulator::Flow): `step`, `tried_step`, `parallel`, `iterates`, `map_run`, `waits_for_callback`, `waits_for_callback_until`, `fails_first` |
//! | what ran, with status, output and times; callbacks that nobody answered | `executions(flow)`, `runs(flow)`, `waiting_callbacks()` |
//! | what came in over the wire | `requests()` |
//! | flows that the program makes, publishes and starts itself (Alibaba Cloud; Huawei Cloud without versions) | the client's own calls: they echo, or do what was added under their name; `made_flows()`, `versions(flow)`, `aliases(flow)` tell what is there |
//! | time that jumps, or runs faster | `advance(..)`, `scale_time(..)` |
//! | the account's quotas (Alibaba Cloud), as documented or your own | `documented_quotas()`, `quotas(..)` |
//! | lists that lag, pages in circles, outputs that come late, definitions that come back reformatted, flows that linger, rights that are missing | `quirks(..)` with [`Quirks`](crate::emulator::Quirks) |
//! | calls that fail in every way that a network can | `fault::<Request>(..)` with [`Fault`](crate::emulator::Fault) |
//! | roles of Alibaba Cloud's STS, whose keys sign and end | `emulator.alibaba()` asks there; `expire_role_keys()` |
//!
//! All methods: [`Emulator`](crate::emulator::Emulator). A flow that takes its time need not take
//! the test's:
//!
//! ```
//! use cloud_workflows::{alibaba::{ReportTaskSucceededRequest, StartExecutionRequest}, emulator::{Emulator, Flow}};
//! use serde_json::{Value, json};
//! use std::time::Duration;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::start()?;
//! let order = Flow::new(|_: Value| Ok(json!({"shipped": true})))
//!     .step("charge", Duration::from_secs(3600))
//!     .waits_for_callback("approve");
//! emulator.standard("order", order);
//! let client = emulator.alibaba().build()?;
//!
//! let started = client.start_execution(StartExecutionRequest::new("order")).send().await?;
//! emulator.advance(Duration::from_secs(3600));
//! let token = emulator.waiting_callbacks().remove(0).token;
//! client.report_task_succeeded(ReportTaskSucceededRequest::new(token)).send().await?;
//! let ended = client.wait(started.reference()).await?;
//! assert_eq!(ended.into_output::<Value>()?, json!({"shipped": true}));
//! # Ok(())
//! # }
//! ```
//!
//! # As a program
//!
//! For programs in another language, or to try the command line by hand:
//!
//! ```sh
//! cargo install cloud-workflows --features emulator --example emulator
//! emulator --port 8080 --express my_flow --workflow my-workflow
//! ```
//!
//! It prints the keys to use and commands to paste; `emulator --help` says which operations it
//! serves.
