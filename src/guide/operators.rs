//! What a running program tells in its log.
//!
//! The crate tells it through [`tracing`](https://docs.rs/tracing), under the target
//! `cloud_workflows`, and prints nothing by itself. Without a subscriber it costs nothing. Names are
//! OpenTelemetry's where it has some, so that `tracing-opentelemetry` exports them as they are.
//!
//! Payloads, keys, tokens, signatures and headers of yours are in none of it. Flow and execution
//! names are.
//!
//! # Each call
//!
//! A call is a span `call` (debug), for IAM and STS as well:
//!
//! | field | what |
//! |---|---|
//! | `otel.kind` | `client` |
//! | `cloud` | `alibaba` or `huawei` |
//! | `operation` | its name in the vendor's documents, such as `StartExecution` |
//! | `flow`, `execution_name` | the execution it is about; none where it has no name yet, as a start on Huawei Cloud |
//! | `server.address`, `server.port` | where it goes |
//! | `attempts` | how many requests were sent |
//! | `http.response.status_code` | of the last answer |
//! | `request_id` | the service's, to be given to its support |
//! | `error.type` | the [`ErrorKind`](crate::ErrorKind), where it failed |
//! | `code` | the service's own code, where it failed |
//! | `delivery` | the [`Delivery`](crate::Delivery), where it failed: whether the flow may have started |
//! | `elapsed_ms` | from the call to its end, with pauses |
//! | `otel.status_code` | `ERROR`, where it failed |
//!
//! Each attempt is an event in it (debug), `attempt answered` or `attempt failed`:
//!
//! | field | what |
//! |---|---|
//! | `attempt` | 1, 2, .. |
//! | `http.response.status_code` | of its answer |
//! | `elapsed_ms` | from sending it to its end |
//! | `error.type`, `code`, `request_id`, `delivery` | of one that failed |
//! | `next` | what is done after one that failed |
//!
//! A wait for an execution's end is a span `wait` (debug) with an event for each look, for however
//! many days; its looks have no spans of their own.
//!
//! # What to look at while calls still go well
//!
//! These are `warn`:
//!
//! | message begins | fields | what to do |
//! |---|---|---|
//! | `the credential could not be renewed` | `error`, `left_s` (how long the one at hand is good), `again_in_s` | mend its source before `left_s` is over |
//! | `the service refused this credential` | `refusals`, `shut_for_s`, `probe_every_s` | give another key; until then most calls fail without being sent |
//! | `this machine's clock is wrong` | `cloud`, `corrected_by_s` | set the clock |
//! | `credentials come from another source` | `source`, `last` | see whether it is whom you mean to be |
//!
//! # To see it
//!
//! Any subscriber of `tracing` shows it; with `tracing-subscriber` it is
//! `RUST_LOG=cloud_workflows=debug`. A call that blocks (feature `blocking`) tells it to the
//! subscriber and in the span of the thread that made it.
