//! Why an execution failed: a look does not tell, its history does.

use std::borrow::Cow;

use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{
    lists::EVENTS,
    polls::{Shared, patient},
};
use crate::{
    alibaba::{
        operations::{
            executions::{Execution, ExecutionStatus},
            lists::{Event, EventType, GetExecutionHistoryRequest},
        },
        protocol::Rpc,
    },
    error::Error,
    list::{Ask, Pages, Reply, Source},
    payload::{FlowText, Payload},
    pipeline::{
        credential::BoxFuture,
        operation::{DecodeError, EncodedFor, Exchange, Operation},
        transport,
        words::Sensitive,
    },
    wait::ExecutionRef,
};

/// Adds to a failed execution why it failed, where that can be read in time.
pub(super) async fn add(
    pipeline: Shared,
    known: Option<ExecutionRef>,
    mut execution: Execution,
    deadline: Option<Instant>,
) -> Execution {
    if execution.status != ExecutionStatus::Failed || execution.error_code.is_some() {
        return execution;
    }
    let known_flow = known.as_ref().and_then(|known| known.flow.clone());
    let flow = execution.flow_name.clone().or(known_flow);
    let name = execution.name.clone();
    let name = name.or(known.map(|known| known.execution));
    let (Some(flow), Some(name)) = (flow, name) else {
        return execution;
    };
    let reading = Box::pin(read(pipeline, flow, name));
    let read = match deadline {
        None => Some(reading.await),
        Some(deadline) => timeout_at(deadline, reading).await.ok(),
    };
    match read {
        Some(Ok(mut reason)) => {
            // What a flow says may repeat what it was given.
            let mut given = Sensitive::default();
            given.data(execution.input.as_ref().map_or("", Payload::as_str));
            reason.scrub(&mut |text| text.scrub(&given));
            execution.error_code = reason.code;
            execution.error_message = reason.message;
        }
        Some(Err(error)) => {
            tracing::warn!(error = %error, "why an execution failed could not be read");
        }
        None => tracing::warn!("the deadline passed before it was read why an execution failed"),
    }
    execution
}

#[derive(Debug, Default, PartialEq)]
struct Reason {
    code: Option<FlowText>,
    message: Option<FlowText>,
}

impl Reason {
    fn scrub(&mut self, words: &mut dyn FnMut(&mut FlowText)) {
        [&mut self.code, &mut self.message]
            .into_iter()
            .flatten()
            .for_each(words);
    }
}

/// Reads the history to its last page: the last failure that tells why is the one that counts.
async fn read(pipeline: Shared, flow: String, execution: String) -> Result<Reason, Error> {
    let request = GetExecutionHistoryRequest::new(flow, execution);
    let mut events = Pages::by_token(Failures { pipeline, request }, EVENTS).items();
    let mut last = Reason::default();
    let mut of_execution = None;
    while let Some(told) = events.next().await {
        match told? {
            Told { reason: None, .. } => {}
            Told {
                reason,
                is_last: true,
                ..
            } => of_execution = reason,
            Told {
                reason: Some(reason),
                ..
            } => last = reason,
        }
    }
    Ok(of_execution.unwrap_or(last))
}

/// What an event tells of a failure.
struct Told {
    id: Option<i64>,
    reason: Option<Reason>,
    /// Whether it is that of the execution itself.
    is_last: bool,
}

impl From<Event> for Told {
    fn from(event: Event) -> Self {
        Self {
            id: event.event_id,
            reason: reason_of(&event),
            is_last: event.event_type == Some(EventType::ExecutionFailed),
        }
    }
}

/// A history that is read by polls: page after page, each in its turn.
struct Failures {
    pipeline: Shared,
    request: GetExecutionHistoryRequest,
}

impl Source for Failures {
    type Item = Told;

    fn fetch(&self, ask: Ask) -> BoxFuture<'static, Result<Reply<Told>, Error>> {
        let pipeline = self.pipeline.clone();
        let mut request = self.request.clone();
        request.limit = Some(ask.limit);
        request.next_token = ask.place.token();
        Box::pin(async move { patient(&pipeline, Page(request)).await })
    }

    fn key(&self, told: &Told) -> Option<String> {
        told.id.map(|id| id.to_string())
    }

    fn filters(&self) -> String {
        "GetExecutionHistory".to_owned()
    }
}

/// A page of a history whose failures are words, without what they repeat of the request: what an
/// event holds is data elsewhere.
#[derive(Clone)]
struct Page(GetExecutionHistoryRequest);

impl Operation for Page {
    type Output = Reply<Told>;
}

impl Exchange for Page {
    type Protocol = Rpc;
    type Answer = Reply<Told>;

    fn name(&self) -> Cow<'static, str> {
        self.0.name()
    }

    fn encode(self) -> Result<EncodedFor<Self>, Error> {
        self.0.encode()
    }

    fn decode(reply: &transport::Reply) -> Result<Reply<Told>, DecodeError> {
        let page = GetExecutionHistoryRequest::decode(reply)?;
        Ok(Reply {
            items: page.events.into_iter().map(Told::from).collect(),
            next: page.next_token,
            total: None,
        })
    }

    fn scrub(page: &mut Reply<Told>, words: &mut dyn FnMut(&mut FlowText)) {
        for reason in page
            .items
            .iter_mut()
            .filter_map(|told| told.reason.as_mut())
        {
            reason.scrub(words);
        }
    }
}

/// What an event of a failure tells of it.
fn reason_of(event: &Event) -> Option<Reason> {
    let is_failure = matches!(
        event.event_type,
        Some(
            EventType::StepFailed
                | EventType::TaskFailed
                | EventType::TaskTimedOut
                | EventType::TaskSubmitFailed
                | EventType::ExecutionFailed
        )
    );
    if !is_failure {
        return None;
    }
    let detail = event.event_detail.as_ref()?;
    let detail: Value = serde_json::from_str(detail.as_str()).ok()?;
    let text = |names: [&str; 4]| {
        let mut found = names.iter().filter_map(|name| detail.get(name)?.as_str());
        found.find(|text| !text.is_empty()).map(FlowText::from)
    };
    let reason = Reason {
        code: text(["error", "Error", "errorCode", "ErrorCode"]),
        message: text(["cause", "Cause", "errorMessage", "ErrorMessage"]),
    };
    (reason != Reason::default()).then_some(reason)
}
