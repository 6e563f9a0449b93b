//! Flows of Alibaba Cloud.

use super::{Runner, Start, Workflow};
use crate::{
    alibaba::{Client, StartExecutionRequest, StartSyncExecutionRequest},
    error::Error,
    outcome::Outcome,
    pipeline::credential::BoxFuture,
};

impl Client {
    /// A flow for programs that run on either cloud: a [`Workflow`] from a
    /// [`StartSyncExecutionRequest`] (Express mode, synchronous) or a [`StartExecutionRequest`]
    /// (Standard mode, start and wait).
    ///
    /// ```no_run
    /// use cloud_workflows::{Start, Workflow, alibaba::{Client, StartExecutionRequest}};
    /// use serde_json::{Value, json};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let flow = client.workflow(StartExecutionRequest::new("my_flow").qualifier("prod"));
    /// assert!(flow.is_idempotent());
    /// let start = Start::new(&json!({"order": 17}))?.name("order-17");
    /// let output: Value = flow.run(start).await?.into_output()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn workflow<R>(&self, request: R) -> Runner<Self, R>
    where
        Runner<Self, R>: Workflow,
    {
        Runner {
            client: self.clone(),
            request,
            deadline: None,
        }
    }
}

impl Workflow for Runner<Client, StartSyncExecutionRequest> {
    fn run(&self, start: Start) -> BoxFuture<'_, Result<Outcome, Error>> {
        Box::pin(async move {
            start.refuse_name("StartSyncExecution")?;
            let mut request = self.request.clone();
            request.input = Some(start.input);
            self.call(self.client.start_sync_execution(request)).await
        })
    }

    fn is_idempotent(&self) -> bool {
        false
    }
}

/// A start without a name gets one of its own, under which the call itself can repeat it.
impl Workflow for Runner<Client, StartExecutionRequest> {
    fn run(&self, start: Start) -> BoxFuture<'_, Result<Outcome, Error>> {
        let mut request = self.request.clone();
        request.input = Some(start.input);
        request.execution_name = start.name.or(request.execution_name);
        let wait = self.client.start_and_wait(request);
        Box::pin(self.wait(wait, "StartExecution"))
    }

    fn is_idempotent(&self) -> bool {
        true
    }
}
