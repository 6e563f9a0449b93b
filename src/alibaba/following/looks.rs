//! Single looks at executions, and pages of a flow's list, as those who follow want them.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::{Shared, reason};
use crate::{
    alibaba::{
        operations::{
            executions::{DescribeExecutionRequest, Execution, ExecutionStatus},
            lists::ListExecutionsRequest,
        },
        protocol::Rpc,
    },
    error::{Error, ErrorKind},
    follow::{ListAsk, Listed, Watch},
    pipeline::{
        attempt,
        credential::BoxFuture,
        limits::LONGEST,
        operation::{Operation, Timeouts},
        options::CallOptions,
        pace::{Pacer, Quota},
    },
    wait::{Class, ExecutionRef, Look, View},
};

/// Looks at executions.
pub(super) struct Looker {
    pipeline: Shared,
    /// The flow of executions that are named without it.
    flow: Option<String>,
}

impl Looker {
    pub(super) fn new(pipeline: &Shared) -> Self {
        Self {
            pipeline: pipeline.clone(),
            flow: None,
        }
    }

    pub(super) fn of_flow(pipeline: &Shared, flow: String) -> Self {
        Self {
            pipeline: pipeline.clone(),
            flow: Some(flow),
        }
    }
}

/// The pacer of an operation.
pub(super) fn pacer(pipeline: &Shared, operation: &str) -> Arc<Pacer> {
    match pipeline.pacers.of(operation) {
        Some(pacer) => pacer.clone(),
        None => Pacer::new(Quota::new(50, 5.0)),
    }
}

/// One attempt that has had its turn.
pub(super) async fn poll<O: Operation<Protocol = Rpc>>(
    pipeline: &Shared,
    request: O,
    hold: Duration,
) -> Result<<O as Operation>::Output, Error> {
    let limits = (!hold.is_zero()).then(|| Timeouts::long_poll(hold));
    let options = CallOptions {
        timeout: limits.map(|limits| limits.overall),
        attempt_timeout: limits.map(|limits| limits.attempt),
        is_poll: true,
        ..CallOptions::default()
    };
    let name = request.name();
    let encoded = request.encode()?;
    let sent = attempt::run::<O>(pipeline, name, Ok(&encoded), &options);
    Ok(sent.await?.into_value())
}

/// Polls until there is an answer or a refusal for good: each attempt in its turn, and at most
/// [`MOST_TRIES`] for what passes.
pub(super) async fn patient<O: Operation<Protocol = Rpc> + Clone>(
    pipeline: &Shared,
    request: O,
) -> Result<<O as Operation>::Output, Error> {
    let pacer = pacer(pipeline, &request.name());
    let mut turn = pacer.turn();
    let mut tries = 0;
    loop {
        let had = turn.await;
        let error = match poll(pipeline, request.clone(), Duration::ZERO).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if error.kind() == ErrorKind::Throttled {
            pacer.refused(had.at);
            sleep(error.retry_after().unwrap_or_default().min(LONGEST)).await;
            turn = pacer.again(&had);
            continue;
        }
        tries += 1;
        if tries >= MOST_TRIES || !error.is_retryable() {
            return Err(error);
        }
        sleep(BETWEEN_TRIES).await;
        turn = pacer.turn();
    }
}

const MOST_TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

impl Look for Looker {
    type Answer = Execution;

    const OPERATION: &'static str = "DescribeExecution";
    const RIGHT: &'static str = "fnf:DescribeExecution";
    const LONGEST_HOLD: Duration = Duration::from_secs(60);

    fn look(
        &self,
        execution: &ExecutionRef,
        hold: Duration,
    ) -> BoxFuture<'static, Result<Execution, Error>> {
        let pipeline = self.pipeline.clone();
        let flow = execution.flow.clone().or_else(|| self.flow.clone());
        let mut request =
            DescribeExecutionRequest::new(flow.unwrap_or_default(), &execution.execution);
        let seconds = hold.as_secs().min(Self::LONGEST_HOLD.as_secs());
        request.wait_time_seconds = u32::try_from(seconds).ok().filter(|seconds| *seconds > 0);
        Box::pin(async move { poll(&pipeline, request, Duration::from_secs(seconds)).await })
    }

    fn view(answer: &Execution) -> View {
        View {
            status: answer.status.as_str().to_owned(),
            class: match &answer.status {
                ExecutionStatus::Succeeded => Class::Succeeded,
                ExecutionStatus::Failed | ExecutionStatus::Stopped | ExecutionStatus::TimedOut => {
                    Class::Ended
                }
                ExecutionStatus::Starting | ExecutionStatus::Running => Class::Going,
                ExecutionStatus::Unknown(_) => Class::Unknown,
            },
            started: answer.started_time,
            stopped: answer.stopped_time,
            updated: None,
            nodes: None,
            has_output: answer.output.is_some(),
            bytes: 0,
        }
    }
}

impl Watch for Looker {
    const LIST_RIGHT: &'static str = "fnf:ListExecutions";

    fn is_complete(end: &Execution) -> bool {
        end.status != ExecutionStatus::Failed
    }

    fn complete(&self, execution: &ExecutionRef, end: Execution) -> BoxFuture<'static, Execution> {
        let mut known = execution.clone();
        known.flow = known.flow.or_else(|| self.flow.clone());
        Box::pin(reason::add(self.pipeline.clone(), Some(known), end, None))
    }

    fn list(&self, ask: ListAsk) -> BoxFuture<'static, Result<Listed<Execution>, Error>> {
        let pipeline = self.pipeline.clone();
        let mut request = ListExecutionsRequest::new(self.flow.clone().unwrap_or_default())
            .started_time_begin(ask.begin)
            .limit(ask.limit)
            .metadata_only(ask.metadata_only);
        request.execution_name_prefix = Some(ask.prefix).filter(|prefix| !prefix.is_empty());
        request.next_token = ask.token;
        Box::pin(async move {
            let page = poll(&pipeline, request, Duration::ZERO).await?;
            let items = page.executions.into_iter();
            Ok(Listed {
                items: items
                    .filter_map(|item| Some((item.name.clone()?, item)))
                    .collect(),
                next: page.next_token,
            })
        })
    }
}
