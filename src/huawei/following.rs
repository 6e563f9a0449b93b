//! Executions from their start to their end: waited for, stopped, tried again, followed, listed.

use std::sync::Arc;

use super::{
    Client,
    operations::{
        control::{RetryWorkFlowRequest, StartWorkflowExecutionRequest, StopWorkFlowRequest},
        lists::WorkflowExecutionBrief,
        runs::{ShowWorkflowExecutionRequest, WorkflowExecution, WorkflowRunStatus},
    },
    protocol::Rest,
    watch::{Doubt, Flow, Show},
};
use crate::{
    error::{Delivery, Error},
    follow::Follower,
    pipeline::{
        Pipeline,
        call::Call,
        pace::{Pacer, Quota},
    },
    wait::{ExecutionRef, Look as _, Origin, Task, Wait},
};

/// What a stop did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// The service has taken the request; the execution ends soon.
    Requested,
    /// It had ended before, with this status.
    AlreadyEnded(WorkflowRunStatus),
}

impl Client {
    /// Waits for an execution's end, by `ShowWorkflowExecution`.
    ///
    /// An [`ExecutionRef`] needs the flow here. There is no limit of time and of looks unless
    /// [`Wait::deadline`] sets one: a flow may run for long. Looks never ask for the whole history,
    /// and come less often the larger their answer is. Whoever waits for more than fifty
    /// executions of one flow follows them, see [`follow`](Self::follow).
    ///
    /// However the execution ended, that is an answer: look at
    /// [`status`](WorkflowExecution::status), or let
    /// [`into_output`](WorkflowExecution::into_output) do it. The service keeps no executions of
    /// flows of mode EXPRESS: they cannot be waited for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Gone`](crate::ErrorKind::Gone) where the execution was seen and is no more,
    /// [`NotFound`](crate::ErrorKind::NotFound) where it was never there,
    /// [`Deadline`](crate::ErrorKind::Deadline) at the limit. Of what the service answers only its
    /// final refusal ends the wait: a missing right (to call `ShowWorkflowExecution`), a bad
    /// credential, a bad request. None of them stops the execution.
    ///
    /// Source: Huawei Cloud, FunctionGraph, ShowWorkflowExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::{ExecutionRef, huawei::Client};
    /// use serde_json::Value;
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let execution = ExecutionRef::new("48aff955-ea10-4ffd-b426-190bc192dc14", "execution id");
    /// let output: Value = client.wait(execution).await?.into_output()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait(&self, execution: impl Into<ExecutionRef>) -> Wait<WorkflowExecution> {
        self.waiting(Origin::Resumed(execution.into()), None)
    }

    /// Starts an execution and waits for its end, by `StartWorkflowExecution` and
    /// `ShowWorkflowExecution`.
    ///
    /// Where the start's fate stays unknown and it carried
    /// [`workflow_run_id`](StartWorkflowExecutionRequest::workflow_run_id), the wait goes on by
    /// that id: an execution with our input is ours. Without one there is nothing to look for, and
    /// the start's error is the answer.
    ///
    /// # Errors
    ///
    /// As [`start_workflow_execution`](Self::start_workflow_execution) and [`wait`](Self::wait);
    /// [`Error::may_have_started`] says whether the flow may run.
    ///
    /// Source: Huawei Cloud, FunctionGraph, StartWorkflowExecution and ShowWorkflowExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, StartWorkflowExecutionRequest};
    /// use serde_json::{Value, json};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = StartWorkflowExecutionRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14")
    ///     .input(json!({"order": 17}));
    /// let output: Value = client.start_and_wait(request).await?.into_output()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn start_and_wait(
        &self,
        request: StartWorkflowExecutionRequest,
    ) -> Wait<WorkflowExecution> {
        let workflow_id = request.workflow_id.clone();
        let id = request.workflow_run_id.clone();
        let key = id.map(|id| ExecutionRef::new(&workflow_id, id));
        let doubt = Arc::new(Doubt::default());
        let open = doubt.clone();
        let starting = self.start_workflow_execution(request);
        let start = Box::pin(async move {
            let (outcome, sent) = starting.send_and_keep().await;
            let started = outcome.inspect_err(|_| {
                open.open(sent.and_then(|sent| sent.wire.payload("input")));
            })?;
            Ok(ExecutionRef::new(workflow_id, started.execution_id))
        });
        self.waiting(Origin::Start { start, key }, Some(doubt))
    }

    /// Runs a failed execution on and waits for its new end, by `RetryWorkFlow` and
    /// `ShowWorkflowExecution`.
    ///
    /// The execution keeps its id, so its old end is looked at first: an end counts only where it
    /// differs from that, or where the execution was seen to run.
    ///
    /// # Errors
    ///
    /// As [`retry_work_flow`](Self::retry_work_flow) and [`wait`](Self::wait), and
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), with the old end, where the retry shows
    /// no sign for 60 s. [`Error::may_have_started`] says whether the retry may have begun.
    ///
    /// Source: Huawei Cloud, FunctionGraph, RetryWorkFlow and ShowWorkflowExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::{ExecutionRef, huawei::Client};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let execution = ExecutionRef::new("48aff955-ea10-4ffd-b426-190bc192dc14", "execution id");
    /// let ended = client.retry_and_wait(execution).await?;
    /// println!("{}", ended.status);
    /// # Ok(())
    /// # }
    /// ```
    pub fn retry_and_wait(&self, execution: impl Into<ExecutionRef>) -> Wait<WorkflowExecution> {
        let execution = execution.into();
        let (flow, id) = parts(&execution);
        let show = self.show_workflow_execution(ShowWorkflowExecutionRequest::new(&flow, &id));
        let again = self.retry_work_flow(RetryWorkFlowRequest::new(flow, id));
        let retry = Box::pin(async move {
            let before = show.send().await?;
            match again.send().await {
                Ok(()) => {}
                // Another end than the one before says that it arrived.
                Err(error) if error.delivery() >= Delivery::Unknown => {}
                Err(error) => return Err(error),
            }
            Ok(Show::view(&before))
        });
        self.waiting(Origin::Again { retry, execution }, None)
    }

    /// Stops an execution, by `StopWorkFlow`. One that has ended already is no error.
    ///
    /// What the service says of an execution that has ended is not documented: where it answers
    /// with 400, 404 or 409, `ShowWorkflowExecution` tells.
    ///
    /// # Errors
    ///
    /// As [`stop_work_flow`](Self::stop_work_flow), where the execution has not ended or cannot be
    /// looked at. It starts nothing.
    ///
    /// Source: Huawei Cloud, FunctionGraph, StopWorkFlow.
    ///
    /// ```no_run
    /// use cloud_workflows::{ExecutionRef, huawei::{Client, Stop}};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let execution = ExecutionRef::new("48aff955-ea10-4ffd-b426-190bc192dc14", "execution id");
    /// if let Stop::AlreadyEnded(status) = client.stop(execution).await? {
    ///     println!("it had ended: {status}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stop(&self, execution: impl Into<ExecutionRef>) -> Result<Stop, Error> {
        stop(self.pipeline.clone(), execution.into()).await
    }

    /// Stops an execution and waits for its end, by `StopWorkFlow` and `ShowWorkflowExecution`. The
    /// end is what it is: an execution may have succeeded before the stop came.
    ///
    /// # Errors
    ///
    /// As [`stop`](Self::stop) and [`wait`](Self::wait). It starts nothing.
    ///
    /// Source: Huawei Cloud, FunctionGraph, StopWorkFlow and ShowWorkflowExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::{ExecutionRef, huawei::Client};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let execution = ExecutionRef::new("48aff955-ea10-4ffd-b426-190bc192dc14", "execution id");
    /// println!("{}", client.stop_and_wait(execution).await?.status);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stop_and_wait(&self, execution: impl Into<ExecutionRef>) -> Wait<WorkflowExecution> {
        let execution = execution.into();
        let stopping = stop(self.pipeline.clone(), execution.clone());
        self.wait(execution)
            .after(async move { stopping.await.map(|_| ()) })
    }

    /// Follows many executions of one flow to their ends, by `ListWorkflowExecutions`, and by
    /// `ShowWorkflowExecution` for what the list does not show.
    ///
    /// An end is what the list tells: status and times.
    /// [`show_workflow_execution`](Self::show_workflow_execution) gives the output. Without the
    /// right to list, single looks do it, more slowly.
    ///
    /// Source: Huawei Cloud, FunctionGraph, ListWorkflowExecutions and ShowWorkflowExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::{ExecutionRef, huawei::Client};
    ///
    /// # async fn example(client: Client, started: Vec<ExecutionRef>) {
    /// let mut follower = client.follow("48aff955-ea10-4ffd-b426-190bc192dc14");
    /// for execution in started {
    ///     follower.add(execution);
    /// }
    /// while let Some(end) = follower.next().await {
    ///     println!("{}: {:?}", end.execution.execution, end.outcome.map(|ended| ended.status));
    /// }
    /// # }
    /// ```
    pub fn follow(&self, workflow_id: impl Into<String>) -> Follower<WorkflowExecutionBrief> {
        let flow = Flow {
            pipeline: self.pipeline.clone(),
            workflow_id: workflow_id.into(),
        };
        let pacer = self.pacer();
        Follower::new(flow, pacer.clone(), &pacer)
    }

    fn waiting(&self, origin: Origin, doubt: Option<Arc<Doubt>>) -> Wait<WorkflowExecution> {
        let look = Show {
            pipeline: self.pipeline.clone(),
            doubt,
        };
        Wait::new(Task {
            look,
            pacer: self.pacer(),
            origin,
            deadline: None,
            grace: None,
            before: None,
        })
    }

    /// Where polls take their turns.
    fn pacer(&self) -> Arc<Pacer> {
        let pacer = self.pipeline.pacers.of(Show::OPERATION);
        pacer.map_or_else(|| Pacer::new(Quota::new(50, 10.0)), Arc::clone)
    }
}

/// The ids of an execution, for requests, which refuse an empty one.
fn parts(execution: &ExecutionRef) -> (String, String) {
    let flow = execution.flow.clone().unwrap_or_default();
    (flow, execution.execution.clone())
}

async fn stop(pipeline: Arc<Pipeline<Rest>>, execution: ExecutionRef) -> Result<Stop, Error> {
    let (flow, id) = parts(&execution);
    let request = StopWorkFlowRequest::new(&flow, &id);
    let Err(error) = Call::new(&pipeline, request).send().await else {
        return Ok(Stop::Requested);
    };
    let status = error.status().map(|status| status.as_u16());
    if !matches!(status, Some(400 | 404 | 409)) {
        return Err(error);
    }
    let request = ShowWorkflowExecutionRequest::new(flow, id);
    match Call::new(&pipeline, request).send().await {
        Ok(shown) if shown.status.is_ended() => Ok(Stop::AlreadyEnded(shown.status)),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests;
