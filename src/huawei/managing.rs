//! Flows as a program keeps them: found by their exact names, deleted for certain.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Client,
    operations::flows::{BatchDeleteWorkflowsRequest, ListWorkflowRequest, WorkflowSimpleInfo},
};
use crate::error::{Error, ErrorKind};

/// What a flow that was to be deleted has come to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeletedWorkflow {
    /// The flow's URN.
    pub workflow_urn: String,
    /// What it has come to.
    pub fate: WorkflowFate,
}

/// Whether a flow that was to be deleted is there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WorkflowFate {
    /// It is not: deleted by this call, or before it.
    Gone,
    /// It is: in the service's words why, where it gave any.
    Left(Option<String>),
    /// Nobody knows: what went wrong.
    Unknown(Arc<Error>),
}

/// The answer names no more deleted flows than this, though a request may name twice as many.
const AT_ONCE: usize = 100;

impl Client {
    /// The flow of exactly this name, by `ListWorkflow`; none where there is none.
    ///
    /// The service does not say that a name is unique, nor that its filter takes whole names only,
    /// so names are compared here.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`], with the flows' ids, where more than one has this name; else as
    /// [`list_workflow`](Self::list_workflow) and [`Pages::next`](crate::Pages::next). It reads
    /// only.
    ///
    /// Source: Huawei Cloud, FunctionGraph, ListWorkflow.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::Client;
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// if let Some(flow) = client.find_workflow("order").await? {
    ///     println!("{}", flow.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn find_workflow(&self, name: &str) -> Result<Option<WorkflowSimpleInfo>, Error> {
        let request = ListWorkflowRequest::new().workflow_name(name);
        let mut listed = self.list_workflow(request).items();
        let mut found: Vec<WorkflowSimpleInfo> = Vec::new();
        while let Some(flow) = listed.next().await {
            let flow = flow?;
            if flow.name.as_deref() == Some(name) {
                found.push(flow);
            }
        }
        if found.len() > 1 {
            let ids: Vec<&str> = found.iter().map(|flow| flow.id.as_str()).collect();
            let (count, ids) = (ids.len(), ids.join(", "));
            let message = format!("{count} flows are named {name}: {ids}");
            return Err(Error::new(ErrorKind::Conflict, message).with_passing(false));
        }
        if found.is_empty() && listed.shortfall().is_some() {
            return Err(incomplete());
        }
        Ok(found.pop())
    }

    /// Deletes flows by their URNs, by `BatchDeleteWorkflows` in hundreds, and says of each what it
    /// has come to.
    ///
    /// It is in part a success, as a rule: one flow's failure is not that of another. What the
    /// service does not name among the deleted, because it refused it, left it out of its answer,
    /// or the answer was lost, is looked up with one `ListWorkflow`: a flow that is not there is
    /// gone, whoever deleted it.
    ///
    /// A URN is made of the flow's name: whoever makes a flow of that name meanwhile may lose it.
    ///
    /// Source: Huawei Cloud, FunctionGraph, BatchDeleteWorkflows and ListWorkflow.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, WorkflowFate};
    ///
    /// # async fn example(client: Client, urns: Vec<String>) {
    /// for flow in client.delete_workflows(urns).await {
    ///     match flow.fate {
    ///         WorkflowFate::Gone => {}
    ///         fate => eprintln!("{}: {fate:?}", flow.workflow_urn),
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn delete_workflows(
        &self,
        urns: impl IntoIterator<Item = impl Into<String>>,
    ) -> Vec<DeletedWorkflow> {
        let mut seen = BTreeSet::new();
        let urns = urns.into_iter().map(Into::into);
        let urns: Vec<String> = urns.filter(|urn| seen.insert(urn.clone())).collect();
        // What is known of those that were not deleted.
        let mut left: BTreeMap<&str, WorkflowFate> = BTreeMap::new();
        for some in urns.chunks(AT_ONCE) {
            let request = BatchDeleteWorkflowsRequest::new(some);
            match self.batch_delete_workflows(request).send().await {
                Err(error) => {
                    let error = Arc::new(error);
                    let fates = some.iter().map(|urn| {
                        let fate = WorkflowFate::Unknown(Arc::clone(&error));
                        (urn.as_str(), fate)
                    });
                    left.extend(fates);
                }
                Ok(answer) => {
                    let not_named = some.iter().filter(|urn| !answer.success.contains(urn));
                    left.extend(not_named.map(|urn| {
                        let mut refused = answer.fail.iter();
                        let refused =
                            refused.find(|refused| refused.workflow_urn.as_ref() == Some(urn));
                        let detail = refused.and_then(|refused| refused.error_detail.clone());
                        (urn.as_str(), WorkflowFate::Left(detail))
                    }));
                }
            }
        }
        if !left.is_empty() {
            match self.all_urns().await {
                Ok(there) => left.retain(|urn, _| there.contains(*urn)),
                Err(error) => {
                    let error = Arc::new(error);
                    for fate in left.values_mut() {
                        // What the service itself said is more than nothing.
                        if matches!(fate, WorkflowFate::Left(None)) {
                            *fate = WorkflowFate::Unknown(Arc::clone(&error));
                        }
                    }
                }
            }
        }
        let fates = urns.iter().map(|urn| DeletedWorkflow {
            workflow_urn: urn.clone(),
            fate: left.remove(urn.as_str()).unwrap_or(WorkflowFate::Gone),
        });
        fates.collect()
    }

    /// The URNs of all flows of the project.
    async fn all_urns(&self) -> Result<BTreeSet<String>, Error> {
        let mut listed = self.list_workflow(ListWorkflowRequest::new()).items();
        let mut urns = BTreeSet::new();
        while let Some(flow) = listed.next().await {
            urns.extend(flow?.workflow_urn);
        }
        match listed.shortfall() {
            None => Ok(urns),
            Some(_) => Err(incomplete()),
        }
    }
}

/// What is not in such a list may be there all the same.
fn incomplete() -> Error {
    let message = "ListWorkflow gave fewer flows than it says there are";
    Error::new(ErrorKind::ListIncomplete, message).with_passing(false)
}
