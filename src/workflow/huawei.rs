//! Flows of Huawei Cloud.

use super::{Runner, Start, Workflow};
use crate::{
    error::Error,
    huawei::{Client, StartSyncWorkflowExecutionRequest, StartWorkflowExecutionRequest},
    outcome::Outcome,
    pipeline::credential::BoxFuture,
};

impl Client {
    /// A flow for programs that run on either cloud: a [`Workflow`] from a
    /// [`StartSyncWorkflowExecutionRequest`] (synchronous) or a [`StartWorkflowExecutionRequest`]
    /// (start and wait).
    ///
    /// ```no_run
    /// use cloud_workflows::{Start, Workflow, huawei::{Client, StartSyncWorkflowExecutionRequest}};
    /// use serde_json::{Value, json};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = StartSyncWorkflowExecutionRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14");
    /// let flow = client.workflow(request.header("tenantId", "user1"));
    /// let output: Value = flow.run(Start::new(&json!({"order": 17}))?).await?.into_output()?;
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

impl Workflow for Runner<Client, StartSyncWorkflowExecutionRequest> {
    fn run(&self, start: Start) -> BoxFuture<'_, Result<Outcome, Error>> {
        Box::pin(async move {
            start.refuse_name("StartSyncWorkflowExecution")?;
            let mut request = self.request.clone();
            request.input = Some(start.input);
            let call = self.client.start_sync_workflow_execution(request);
            self.call(call).await
        })
    }

    fn is_idempotent(&self) -> bool {
        false
    }
}

impl Workflow for Runner<Client, StartWorkflowExecutionRequest> {
    fn run(&self, start: Start) -> BoxFuture<'_, Result<Outcome, Error>> {
        Box::pin(async move {
            start.refuse_name("StartWorkflowExecution")?;
            let mut request = self.request.clone();
            request.input = Some(start.input);
            let wait = self.client.start_and_wait(request);
            self.wait(wait, "StartWorkflowExecution").await
        })
    }

    fn is_idempotent(&self) -> bool {
        false
    }
}
