//! Draws an execution as an SVG timeline, to standard output.
//!
//! `cargo run --example timeline >timeline.svg`: a flow that the embedded emulator ran.
//!
//! `cargo run --example timeline -- --cloud huawei --flow ID --execution ID >timeline.svg`: a real
//! one. Region, project and credentials come from where the tools of that cloud find them; see
//! `ClientBuilder::from_env`.
//!
//! Steps are bars, tries of a step are bars in it, failures are red. Hovering over one tells its
//! times, and how large its input and output are; with `--contents` also what they are.

#[path = "support/axis.rs"]
mod axis;
#[path = "support/failure.rs"]
mod failure;
#[path = "support/history.rs"]
mod history;
#[path = "support/output.rs"]
mod output;
#[path = "support/picture.rs"]
mod picture;

use std::{process::ExitCode, time::Duration};

use chrono::{DateTime, Utc};
use clap::{Parser, ValueEnum};
use cloud_workflows::{
    Payload,
    alibaba::{
        self, GetExecutionHistoryRequest, ReportTaskSucceededRequest, StartExecutionRequest,
    },
    emulator::{Emulator, Flow},
    huawei::{
        self, CallbackResult, CreateCallbackWorkflowRequest, NodeExecution,
        ShowWorkflowExecutionRequest, StartWorkflowExecutionRequest,
    },
};
use failure::{EXIT_STATUSES, Failure, finish};
use history::{Event, History, Node, NodeRun, Whole};
use serde_json::{Value, json};

#[derive(Parser)]
#[command(
    name = "timeline",
    about = "Draws an execution as an SVG timeline; without a flow one that the embedded emulator ran",
    version
)]
#[command(after_help = EXIT_STATUSES)]
struct Arguments {
    /// Whose execution
    #[arg(long, value_enum, default_value_t = Cloud::Alibaba)]
    cloud: Cloud,
    /// Name of the flow (Alibaba Cloud, of mode Standard) or its id (Huawei Cloud)
    #[arg(long, requires = "execution", allow_hyphen_values = true)]
    flow: Option<String>,
    /// Name of the execution (Alibaba Cloud) or its id (Huawei Cloud)
    #[arg(long, requires = "flow", allow_hyphen_values = true)]
    execution: Option<String>,
    /// Tell what inputs, outputs and causes of failures say, not only how large they are
    #[arg(long)]
    contents: bool,
    /// Address of the service instead of the region's
    #[arg(long, requires = "flow", allow_hyphen_values = true)]
    endpoint: Option<String>,
    /// Address of Huawei Cloud's IAM instead of the region's
    #[arg(long, requires = "flow", allow_hyphen_values = true)]
    iam_endpoint: Option<String>,
    /// Print an error as one JSON object
    #[arg(long)]
    json_errors: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Cloud {
    Alibaba,
    Huawei,
}

/// An execution to look at.
struct Which {
    flow: String,
    execution: String,
    contents: bool,
}

impl Which {
    async fn of_alibaba(self, client: &alibaba::Client) -> Result<History, Failure> {
        let request = GetExecutionHistoryRequest::new(&self.flow, &self.execution).limit(999);
        let mut items = client.get_execution_history(request).items();
        let mut events = Vec::new();
        while let Some(event) = items.next().await {
            let event = event.map_err(Failure::of_look)?;
            events.push(Event {
                id: event.event_id,
                schedule: event.schedule_event_id,
                kind: event
                    .event_type
                    .map_or_else(String::new, |kind| kind.to_string()),
                step: event.step_name.unwrap_or_default(),
                time: event.time,
                detail: text(event.event_detail),
            });
        }
        Ok(History::of_events(self.title(), events, self.contents))
    }

    async fn of_huawei(self, client: &huawei::Client) -> Result<History, Failure> {
        let request = ShowWorkflowExecutionRequest::new(&self.flow, &self.execution);
        let shown = client
            .show_workflow_execution(request.full_history(true))
            .send();
        let shown = shown.await.map_err(Failure::of_look)?;
        let whole = Whole {
            status: shown.status.to_string(),
            begin: shown.begin_time,
            end: shown.end_time,
            input: text(shown.input),
            output: text(shown.output),
        };
        let nodes = shown.node_execution_details.into_iter().map(|node| Node {
            name: node
                .node_name
                .filter(|name| !name.is_empty())
                .or(node.node_id)
                .unwrap_or_default(),
            runs: node.executions.into_iter().map(node_run).collect(),
        });
        let nodes: Vec<Node> = nodes.collect();
        Ok(History::of_nodes(
            self.title(),
            &whole,
            &nodes,
            self.contents,
        ))
    }

    fn title(&self) -> String {
        format!("{} / {}", self.flow, self.execution)
    }
}

fn node_run(run: NodeExecution) -> NodeRun {
    NodeRun {
        status: run
            .status
            .map_or_else(String::new, |status| status.to_string()),
        begin: run.begin_time.and_then(DateTime::from_timestamp_millis),
        end: run.end_time.and_then(DateTime::from_timestamp_millis),
        input: text(run.input),
        output: text(run.output),
        error: run.error_message.map(|words| json!(words).to_string()),
    }
}

fn text(payload: Option<Payload>) -> Option<String> {
    payload.map(|payload| payload.as_str().to_owned())
}

/// A real execution.
async fn look(cloud: Cloud, which: Which, arguments: &Arguments) -> Result<History, Failure> {
    match cloud {
        Cloud::Alibaba => {
            let mut builder = alibaba::ClientBuilder::from_env();
            if let Some(endpoint) = &arguments.endpoint {
                builder = builder.endpoint(endpoint);
            }
            let client = builder.build().map_err(Failure::of_look)?;
            which.of_alibaba(&client).await
        }
        Cloud::Huawei => {
            let mut builder = huawei::ClientBuilder::from_env();
            if let Some(endpoint) = &arguments.endpoint {
                builder = builder.endpoint(endpoint);
            }
            if let Some(endpoint) = &arguments.iam_endpoint {
                builder = builder.iam_endpoint(endpoint);
            }
            let client = builder.build().map_err(Failure::of_look)?;
            which.of_huawei(&client).await
        }
    }
}

/// The flow of the example: a card that is refused twice, a pause of days, and a loop.
fn order() -> Flow {
    let seconds = Duration::from_secs;
    Flow::new(|_: Value| Ok(json!({"shipped": true})))
        .step("check stock", seconds(3))
        .tried_step("charge card", 3, seconds(4))
        .parallel(
            "pack",
            &[("wrap gift", seconds(7)), ("print invoice", seconds(4))],
        )
        .waits_for_callback("approve")
        .iterates("label parcels", 5, seconds(2))
        .takes(seconds(4))
}

/// How long the packing takes, and then nobody answers for a weekend.
const BEFORE_APPROVAL: Duration = Duration::from_secs(25);
const WEEKEND: Duration = Duration::from_secs(2 * 86_400 + 5 * 3600);

/// An execution that the emulator ran, days of it at once.
async fn emulated(cloud: Cloud, contents: bool) -> Result<History, Failure> {
    let emulator = Emulator::start()?;
    emulator
        .standard("order", order())
        .workflow("order", order());
    let (flow, input) = ("order".to_owned(), json!({"item": "咖啡 ☕", "count": 3}));
    let forgotten = || Failure::local("the emulator's flow does not wait for its approval");
    match cloud {
        Cloud::Alibaba => {
            let client = emulator.alibaba().build().map_err(Failure::of_look)?;
            let request = StartExecutionRequest::new(&flow)
                .execution_name("order-17")
                .input(input);
            let started = client.start_execution(request).send().await;
            started.map_err(Failure::of_change)?;
            emulator.advance(BEFORE_APPROVAL);
            let mut waiting = emulator.waiting_callbacks();
            let token = waiting.pop().ok_or_else(forgotten)?.token;
            emulator.advance(WEEKEND);
            let report = ReportTaskSucceededRequest::new(token).output(json!({"approved": true}));
            let reported = client.report_task_succeeded(report).send().await;
            reported.map_err(Failure::of_change)?;
            emulator.advance(BEFORE_APPROVAL);
            let which = Which {
                flow,
                execution: "order-17".to_owned(),
                contents,
            };
            which.of_alibaba(&client).await
        }
        Cloud::Huawei => {
            let client = emulator.huawei().build().map_err(Failure::of_look)?;
            let request = StartWorkflowExecutionRequest::new(&flow).input(input);
            let started = client.start_workflow_execution(request).send().await;
            let execution = started.map_err(Failure::of_change)?.execution_id;
            emulator.advance(BEFORE_APPROVAL);
            emulator.advance(WEEKEND);
            let request = CreateCallbackWorkflowRequest::new(
                &flow,
                &execution,
                "approve",
                CallbackResult::Success,
            );
            let called = client.create_callback_workflow(request).send().await;
            called.map_err(Failure::of_change)?;
            emulator.advance(BEFORE_APPROVAL);
            Which {
                flow,
                execution,
                contents,
            }
            .of_huawei(&client)
            .await
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "until when a flow that runs has run"
)]
fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let contents = arguments.contents;
    let history = match (&arguments.flow, &arguments.execution) {
        (Some(flow), Some(execution)) => {
            let (flow, execution) = (flow.clone(), execution.clone());
            let which = Which {
                flow,
                execution,
                contents,
            };
            look(arguments.cloud, which, arguments).await?
        }
        _ => emulated(arguments.cloud, contents).await?,
    };
    output::print(&picture::draw(&history, now()))?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    finish(run(&arguments).await, arguments.json_errors)
}
