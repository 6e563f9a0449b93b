//! How a wait and a follower look at executions of this cloud.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    operations::{
        lists::{ListWorkflowExecutionsRequest, WorkflowExecutionBrief},
        runs::{ShowWorkflowExecutionRequest, WorkflowExecution, WorkflowRunStatus},
    },
    protocol::Rest,
};
use crate::{
    error::{Error, ErrorKind},
    follow::{ListAsk, Listed, Watch},
    payload::{FlowText, Payload},
    pipeline::{
        Pipeline, attempt, credential::BoxFuture, operation::Operation, options::CallOptions,
        same::same_input,
    },
    wait::{Class, ExecutionRef, Look, View},
};

/// The service holds no answer back for an execution's end.
const NO_HOLD: Duration = Duration::ZERO;
const LOOK: &str = "ShowWorkflowExecution";
const LOOK_RIGHT: &str = "to call ShowWorkflowExecution";
const ABSENCE: &str = "; the service keeps no executions of EXPRESS flows";
/// How long a time the service lists at most.
pub(super) const LONGEST_WINDOW: TimeDelta = TimeDelta::days(3);

/// One attempt of a call that took its turn.
pub(super) async fn poll<O: Operation<Protocol = Rest>>(
    pipeline: Arc<Pipeline<Rest>>,
    request: O,
) -> Result<O::Output, Error> {
    let options = CallOptions {
        is_poll: true,
        ..CallOptions::default()
    };
    let name = request.name();
    let encoded = request.encode()?;
    let response = attempt::run::<O>(&pipeline, name, Ok(&encoded), &options).await?;
    Ok(response.into_value())
}

/// Looks at one execution.
#[derive(Clone)]
pub(super) struct Show {
    pub(super) pipeline: Arc<Pipeline<Rest>>,
    /// The start that may not have begun it.
    pub(super) doubt: Option<Arc<Doubt>>,
}

/// A start of unknown fate: whose execution bears its id is told by the input.
#[derive(Default)]
pub(super) struct Doubt {
    /// What it gave, once it has failed.
    input: OnceLock<Option<Payload>>,
}

impl Doubt {
    /// From now on, an execution with another input is another's.
    pub(super) fn open(&self, input: Option<Payload>) {
        // A start fails once.
        let _ = self.input.set(input);
    }

    fn refuses(&self, shown: &WorkflowExecution) -> bool {
        let is_anothers =
            |ours: &Option<Payload>| same_input(shown.input.as_ref(), ours.as_ref()) == Some(false);
        self.input.get().is_some_and(is_anothers)
    }
}

impl Look for Show {
    type Answer = WorkflowExecution;
    const OPERATION: &'static str = LOOK;
    const RIGHT: &'static str = LOOK_RIGHT;
    const LONGEST_HOLD: Duration = NO_HOLD;
    const ABSENCE: &'static str = ABSENCE;

    fn look(
        &self,
        execution: &ExecutionRef,
        _: Duration,
    ) -> BoxFuture<'static, Result<WorkflowExecution, Error>> {
        let flow = execution.flow.clone().unwrap_or_default();
        let request = ShowWorkflowExecutionRequest::new(flow, &execution.execution);
        let looking = poll(self.pipeline.clone(), request);
        let doubt = self.doubt.clone();
        Box::pin(async move {
            let shown = looking.await?;
            match doubt.filter(|doubt| doubt.refuses(&shown)) {
                None => Ok(shown),
                Some(_) => Err(Error::new(
                    ErrorKind::InvalidRequest,
                    "the execution of this id has another input: another start began it",
                )),
            }
        })
    }

    fn view(shown: &WorkflowExecution) -> View {
        let nodes = &shown.node_execution_details;
        View {
            started: shown.begin_time,
            stopped: shown.end_time,
            updated: shown.last_update_time,
            nodes: Some(nodes.iter().map(|node| node.executions.len()).sum()),
            has_output: shown.output.is_some(),
            bytes: size(shown),
            ..of_status(&shown.status)
        }
    }
}

/// A view of a status alone.
fn of_status(status: &WorkflowRunStatus) -> View {
    use WorkflowRunStatus as Status;

    View {
        status: status.as_str().to_owned(),
        class: match status {
            Status::Success => Class::Succeeded,
            Status::Fail | Status::Timeout | Status::Cancel => Class::Ended,
            Status::Running
            | Status::Scheduled
            | Status::Recovered
            | Status::Retrying
            | Status::Stopping => Class::Going,
            Status::Unknown(_) => Class::Unknown,
        },
        started: None,
        stopped: None,
        updated: None,
        nodes: None,
        has_output: false,
        bytes: 0,
    }
}

/// How much an answer moved, but for names and times: a look brings all inputs and outputs.
fn size(shown: &WorkflowExecution) -> usize {
    let runs = shown.node_execution_details.iter();
    let runs = runs.flat_map(|node| &node.executions);
    let of_nodes = runs.flat_map(|run| {
        let words = run.error_message.as_ref();
        let payloads = [&run.input, &run.output].into_iter().flatten();
        payloads
            .map(Payload::as_str)
            .chain(words.map(FlowText::as_str))
    });
    let own = [&shown.headers, &shown.input, &shown.output];
    let own = own.into_iter().flatten().map(Payload::as_str);
    own.chain(of_nodes).map(str::len).sum()
}

/// Looks at executions of one flow, singly and by its list.
pub(super) struct Flow {
    pub(super) pipeline: Arc<Pipeline<Rest>>,
    pub(super) workflow_id: String,
}

impl Look for Flow {
    type Answer = WorkflowExecutionBrief;
    const OPERATION: &'static str = LOOK;
    const RIGHT: &'static str = LOOK_RIGHT;
    const LONGEST_HOLD: Duration = NO_HOLD;
    const ABSENCE: &'static str = ABSENCE;

    fn look(
        &self,
        execution: &ExecutionRef,
        _: Duration,
    ) -> BoxFuture<'static, Result<WorkflowExecutionBrief, Error>> {
        let request = ShowWorkflowExecutionRequest::new(&self.workflow_id, &execution.execution);
        let looking = poll(self.pipeline.clone(), request);
        Box::pin(async move { looking.await.map(WorkflowExecutionBrief::from) })
    }

    fn view(brief: &WorkflowExecutionBrief) -> View {
        let none = WorkflowRunStatus::Unknown(Box::default());
        View {
            started: brief.begin_time,
            stopped: brief.end_time,
            updated: brief.last_update_time,
            ..of_status(brief.status.as_ref().unwrap_or(&none))
        }
    }
}

impl Watch for Flow {
    const LIST_RIGHT: &'static str = "to call ListWorkflowExecutions";

    fn list(
        &self,
        ask: ListAsk,
    ) -> BoxFuture<'static, Result<Listed<WorkflowExecutionBrief>, Error>> {
        let now = self.pipeline.core.clock.now();
        let page = Page::of(&ask);
        let request = ListWorkflowExecutionsRequest::new(&self.workflow_id)
            .start_time(page.begin)
            .end_time(page.end())
            .offset(page.offset)
            .limit(ask.limit);
        let listing = poll(self.pipeline.clone(), request);
        Box::pin(async move {
            let executions = listing.await?.executions;
            let next = page.next(executions.len(), ask.limit, now);
            let items = executions.into_iter();
            let items = items.filter_map(|brief| Some((brief.execution_id.clone()?, brief)));
            Ok(Listed {
                items: items.collect(),
                next,
            })
        })
    }
}

/// A page of the flow's list, as a text: begin of its window, and how many items are passed over.
struct Page {
    begin: DateTime<Utc>,
    offset: u32,
}

impl Page {
    fn of(ask: &ListAsk) -> Self {
        let token = ask.token.as_deref().and_then(|token| {
            let (begin, offset) = token.split_once('+')?;
            let begin = DateTime::from_timestamp(begin.parse().ok()?, 0)?;
            let offset = offset.parse().ok()?;
            Some(Self { begin, offset })
        });
        token.unwrap_or(Self {
            begin: ask.begin,
            offset: 0,
        })
    }

    /// The end of its window.
    fn end(&self) -> DateTime<Utc> {
        let end = self.begin.checked_add_signed(LONGEST_WINDOW);
        end.unwrap_or(self.begin)
    }

    /// The page after one that had so many items.
    fn next(&self, received: usize, limit: u32, now: DateTime<Utc>) -> Option<String> {
        let received = u32::try_from(received).unwrap_or(u32::MAX);
        let next = if received >= limit {
            let offset = self.offset.saturating_add(received);
            (self.begin, offset)
        } else {
            // What began at the border stands in both windows.
            let begin = self.end() - TimeDelta::seconds(1);
            (begin > self.begin && begin <= now).then_some((begin, 0))?
        };
        Some(format!("{}+{}", next.0.timestamp(), next.1))
    }
}

impl From<WorkflowExecution> for WorkflowExecutionBrief {
    fn from(shown: WorkflowExecution) -> Self {
        Self {
            workflow_id: shown.workflow_id,
            workflow_urn: shown.workflow_urn,
            execution_id: shown.execution_id,
            status: Some(shown.status),
            begin_time: shown.begin_time,
            end_time: shown.end_time,
            last_update_time: shown.last_update_time,
            created_by: shown.created_by,
        }
    }
}
