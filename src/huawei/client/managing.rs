//! Calls that manage flows.

use super::Client;
use crate::{
    huawei::operations::{
        creation::CreateWorkflowRequest,
        flows::{
            BatchDeleteWorkflowsRequest, ListWorkflowRequest, ShowWorkFlowRequest,
            UpdateWorkFlowRequest,
        },
        metrics::{ShowTenantMetricRequest, ShowWorkFlowMetricRequest},
    },
    pipeline::call::Call,
};

impl Client {
    /// `CreateWorkflow`: makes a flow.
    ///
    /// The service does not say that names are unique: each copy of the request may make a flow,
    /// so it is sent again only where it certainly did not arrive. Where the answer was lost, the
    /// flows of that name are looked at: the only one that does what was asked for, made since the
    /// call began, is this call's. Where there are others like it, the error lists their ids.
    ///
    /// Source: Huawei Cloud, FunctionGraph, CreateWorkflow.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, CreateWorkflowRequest, WorkflowCreateBody};
    ///
    /// # async fn example(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let definition: WorkflowCreateBody = serde_json::from_reader(std::fs::File::open("order.json")?)?;
    /// let flow = client.create_workflow(CreateWorkflowRequest::new(definition)).send().await?;
    /// println!("{}", flow.id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_workflow(&self, request: CreateWorkflowRequest) -> Call<CreateWorkflowRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `ListWorkflow`: one page of the project's flows, with their number. Its
    /// [`items`](Call::items) are all of them.
    ///
    /// A read: repeated whatever happened.
    ///
    /// Source: Huawei Cloud, FunctionGraph, ListWorkflow.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, ListWorkflowRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let page = client.list_workflow(ListWorkflowRequest::new().limit(20)).send().await?;
    /// println!("{} of {:?}", page.workflows.len(), page.total);
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_workflow(&self, request: ListWorkflowRequest) -> Call<ListWorkflowRequest> {
        Call::of_list(&self.pipeline, request)
    }

    /// `ShowWorkFlow`: looks at a flow and its definition.
    ///
    /// A read: repeated whatever happened. What is not there may be answered with HTTP 500 and
    /// `FSS.0500`: whether there is a flow, [`find_workflow`](Self::find_workflow) says.
    ///
    /// Source: Huawei Cloud, FunctionGraph, ShowWorkFlow.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, ShowWorkFlowRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = ShowWorkFlowRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14");
    /// let flow = client.show_work_flow(request).send().await?;
    /// println!("{:?}", flow.updated_time);
    /// # Ok(())
    /// # }
    /// ```
    pub fn show_work_flow(&self, request: ShowWorkFlowRequest) -> Call<ShowWorkFlowRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `UpdateWorkFlow`: replaces a flow's definition as a whole.
    ///
    /// What the new definition lacks is gone, so read the flow, change it and write it back: what
    /// this crate does not know of it is kept. The last to write wins; a change that somebody else
    /// makes between reading and writing is lost without a word.
    ///
    /// Repeated whatever happened: the same definition twice is the same flow.
    ///
    /// Source: Huawei Cloud, FunctionGraph, UpdateWorkFlow.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, ShowWorkFlowRequest, UpdateWorkFlowRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let id = "48aff955-ea10-4ffd-b426-190bc192dc14";
    /// let flow = client.show_work_flow(ShowWorkFlowRequest::new(id)).send().await?;
    /// if let Some(definition) = flow.definition {
    ///     let definition = definition.description("what is done with orders");
    ///     client.update_work_flow(UpdateWorkFlowRequest::new(id, definition)).send().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_work_flow(&self, request: UpdateWorkFlowRequest) -> Call<UpdateWorkFlowRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `BatchDeleteWorkflows`: one request that deletes flows by their URNs.
    ///
    /// It is in part a success, as a rule, and its answer names no more than 100 deleted flows:
    /// [`delete_workflows`](Self::delete_workflows) says of each what it has come to.
    ///
    /// Repeated whatever happened; a flow that an attempt of unknown fate has deleted may then
    /// stand among the failures.
    ///
    /// Source: Huawei Cloud, FunctionGraph, BatchDeleteWorkflows.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{BatchDeleteWorkflowsRequest, Client};
    ///
    /// # async fn example(client: Client, urns: Vec<String>) -> Result<(), cloud_workflows::Error> {
    /// let deleted = client.batch_delete_workflows(BatchDeleteWorkflowsRequest::new(urns)).send().await?;
    /// println!("{} deleted, {} not", deleted.success.len(), deleted.fail.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn batch_delete_workflows(
        &self,
        request: BatchDeleteWorkflowsRequest,
    ) -> Call<BatchDeleteWorkflowsRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `ShowWorkFlowMetric`: how the executions of one flow went.
    ///
    /// A read: repeated whatever happened.
    ///
    /// Source: Huawei Cloud, FunctionGraph, ShowWorkFlowMetric.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, ShowWorkFlowMetricRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let urn = "urn:fss:cn-north-4:2c0f3c3a5d7a4a6f9a1e5b7d9c1f3e57:workflow:default:order:latest";
    /// let request = ShowWorkFlowMetricRequest::new(urn).period(60_u32);
    /// let metric = client.show_work_flow_metric(request).send().await?;
    /// println!("{} values", metric.count.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn show_work_flow_metric(
        &self,
        request: ShowWorkFlowMetricRequest,
    ) -> Call<ShowWorkFlowMetricRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `ShowTenantMetric`: how the executions of all flows of the project went.
    ///
    /// A read: repeated whatever happened.
    ///
    /// Source: the official Python library 3.1.219.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, ShowTenantMetricRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let metric = client.show_tenant_metric(ShowTenantMetricRequest::new()).send().await?;
    /// println!("{} values", metric.count.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn show_tenant_metric(
        &self,
        request: ShowTenantMetricRequest,
    ) -> Call<ShowTenantMetricRequest> {
        Call::new(&self.pipeline, request)
    }
}
