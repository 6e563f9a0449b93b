//! Single looks at executions, and pages of a flow's list, as those who follow want them.

use std::time::Duration;

use super::{
    polls::{Shared, poll},
    reason,
};
use crate::{
    alibaba::operations::{
        executions::{DescribeExecutionRequest, Execution, ExecutionStatus},
        lists::ListExecutionsRequest,
    },
    error::Error,
    follow::{ListAsk, Listed, Watch},
    pipeline::credential::BoxFuture,
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
