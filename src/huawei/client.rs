//! The client and its builder.

mod managing;

use std::sync::Arc;

use super::{
    credential::Credential,
    credentials::{DefaultCredentials, PROJECT_NAME_VARIABLES, PROJECT_VARIABLES},
    endpoint,
    operations::{
        control::{
            CreateCallbackWorkflowRequest, RetryWorkFlowRequest, StartWorkflowExecutionRequest,
            StopWorkFlowRequest,
        },
        executions::StartSyncWorkflowExecutionRequest,
        lists::{ListWorkflowExecutionsRequest, ShowWorkflowExecutionForPageRequest},
        runs::ShowWorkflowExecutionRequest,
    },
    protocol::{Rest, push_project_id},
};
use crate::{
    error::Error,
    pipeline::{
        Pipeline,
        cache::Cache,
        call::Call,
        credential::{Context, ProvideCredential},
        environment::Environment,
        hosts::is_foreign,
        operation::Operation,
        pace::{Pace, Pacers, Quota},
        setting::Setting,
        settings::{Settings, shared_setters},
    },
};

/// A client of FunctionGraph flows in one project. Cheap to clone; clones share connections and
/// tokens.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) pipeline: Arc<Pipeline<Rest>>,
}

/// Sets up a [`Client`]. It needs a region or an endpoint, and credentials.
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    settings: Settings,
    region: Option<Setting>,
    endpoint: Option<Setting>,
    iam_endpoint: Option<Setting>,
    project_id: Option<Setting>,
    project_name: Option<Setting>,
    quota: Option<Quota>,
    /// Whether the environment may name the region's endpoint.
    from_environment: bool,
    credentials: Option<Arc<dyn ProvideCredential<Credential>>>,
}

impl Client {
    /// Begins to set up a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client for the region and project and with the credentials that the tools of Huawei Cloud
    /// would use; see [`ClientBuilder::from_env`]. Reads no file and touches no network.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) where the variables hold no region, or one that cannot be
    /// used.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, StartSyncWorkflowExecutionRequest};
    ///
    /// # async fn example() -> Result<(), cloud_workflows::Error> {
    /// let client = Client::from_env()?;
    /// let request = StartSyncWorkflowExecutionRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14");
    /// client.start_sync_workflow_execution(request).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env().build()
    }

    /// Forgets all that was learnt of credentials: the one in use, that there was none to be had,
    /// that one was refused. The next call asks the source anew.
    ///
    /// For whoever has just mended what no variable and no file shows: a role, a right, a locked
    /// user. It holds for all clones; calls under way keep what they have.
    pub fn forget_credentials(&self) {
        if let Some(credentials) = &self.pipeline.credentials {
            credentials.forget();
        }
    }

    /// How this client stands with its quota of calls: its pace, who waits for a turn, and how
    /// often the service refused a call for its rate. Clones share it.
    pub fn pace(&self) -> Pace {
        let pacer = self.pipeline.pacers.of("");
        pacer.map(|pacer| pacer.pace()).unwrap_or_default()
    }

    /// This client, with calls that wait for their turn in the client's quota: for
    /// programs that make many. It shares all else with this one.
    ///
    /// Calls go out in the order in which they were sent, at the pace of [`Client::pace`], together with waits and
    /// followers. One that is refused for its rate halves the pace, keeps its place and goes out
    /// again, for hours if need be: that is no attempt that the retry policy counts, and spends
    /// nothing of the budget of repeats. The time that goes by so is not the call's, unless it was
    /// given a limit of its own by [`Call::timeout`].
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, StartWorkflowExecutionRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let bulk = client.paced();
    /// for _ in 0..10_000 {
    ///     let request = StartWorkflowExecutionRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14");
    ///     bulk.start_workflow_execution(request).send().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn paced(&self) -> Self {
        Self {
            pipeline: self.pipeline.paced(),
        }
    }

    /// `StartSyncWorkflowExecution` (`sync-executions`): runs a flow of mode EXPRESS and waits for
    /// its end, up to five minutes.
    ///
    /// The service starts one execution for each copy of the request that arrives, and keeps no
    /// history of them, so it is sent again only where the service certainly did not begin it. A
    /// flow that fails is no error of the call: look at
    /// [`status`](super::StartSyncWorkflowExecutionResponse::status), or let
    /// [`into_output`](super::StartSyncWorkflowExecutionResponse::into_output) do it.
    ///
    /// Offered in regions of mainland China only. Source: Huawei Cloud, FunctionGraph, "Executing
    /// a Flow Synchronously".
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, StartSyncWorkflowExecutionRequest};
    /// use serde_json::{Value, json};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = StartSyncWorkflowExecutionRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14")
    ///     .input(json!({"arg1": "argument_1"}));
    /// let done = client.start_sync_workflow_execution(request).send().await?;
    /// println!("execution {}", done.execution_id.as_deref().unwrap_or("?"));
    /// let answer: Value = done.into_output()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn start_sync_workflow_execution(
        &self,
        request: StartSyncWorkflowExecutionRequest,
    ) -> Call<StartSyncWorkflowExecutionRequest> {
        self.call(request)
    }

    /// `StartWorkflowExecution`: starts an execution that goes on by itself.
    ///
    /// The service has no key by which a second start under one name would be none, so it is repeated
    /// only where it certainly did not begin; an error says whether it may have.
    ///
    /// Source: Huawei Cloud, FunctionGraph, StartWorkflowExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, StartWorkflowExecutionRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = StartWorkflowExecutionRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14")
    ///     .input(serde_json::json!({"order": 17}));
    /// let execution = client.start_workflow_execution(request).send().await?;
    /// println!("{}", execution.execution_id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn start_workflow_execution(
        &self,
        request: StartWorkflowExecutionRequest,
    ) -> Call<StartWorkflowExecutionRequest> {
        request.warn_of_day(self.pipeline.core.clock.now());
        Call::new(&self.pipeline, request)
    }

    /// `ShowWorkflowExecution`: looks at an execution and its nodes.
    ///
    /// A read: repeated whatever happened. Executions of EXPRESS flows are not kept.
    ///
    /// Source: Huawei Cloud, FunctionGraph, ShowWorkflowExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, ShowWorkflowExecutionRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = ShowWorkflowExecutionRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14", "execution id");
    /// let execution = client.show_workflow_execution(request).send().await?;
    /// println!("{}, {} nodes", execution.status, execution.node_execution_details.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn show_workflow_execution(
        &self,
        request: ShowWorkflowExecutionRequest,
    ) -> Call<ShowWorkflowExecutionRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `ListWorkflowExecutions`: one page of a flow's executions. Nobody says how many there are: a page
    /// that is shorter than it may be is the last.
    ///
    /// A read: repeated whatever happened. Without times the last three days are looked at.
    ///
    /// Source: Huawei Cloud, FunctionGraph, ListWorkflowExecutions.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, ListWorkflowExecutionsRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = ListWorkflowExecutionsRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14").limit(200);
    /// for execution in client.list_workflow_executions(request).send().await?.executions {
    ///     println!("{:?} {:?}", execution.execution_id, execution.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_workflow_executions(
        &self,
        request: ListWorkflowExecutionsRequest,
    ) -> Call<ListWorkflowExecutionsRequest> {
        Call::of_list(&self.pipeline, request)
    }

    /// `ShowWorkflowExecutionForPage`: one page of the history of executions, with their number.
    ///
    /// A read: repeated whatever happened. Without times the last three days are looked at.
    ///
    /// Source: Huawei Cloud, FunctionGraph, ShowWorkflowExecutionForPage.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, ShowWorkflowExecutionForPageRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = ShowWorkflowExecutionForPageRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14", 0_u32, 100_u32);
    /// let page = client.show_workflow_execution_for_page(request).send().await?;
    /// println!("{:?} in all", page.total);
    /// # Ok(())
    /// # }
    /// ```
    pub fn show_workflow_execution_for_page(
        &self,
        request: ShowWorkflowExecutionForPageRequest,
    ) -> Call<ShowWorkflowExecutionForPageRequest> {
        Call::of_list(&self.pipeline, request)
    }

    /// `StopWorkFlow`: stops an execution.
    ///
    /// Repeated whatever happened: a stopped execution is not stopped twice. What the service says of
    /// one that has ended is not documented.
    ///
    /// Source: Huawei Cloud, FunctionGraph, StopWorkFlow.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, StopWorkFlowRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = StopWorkFlowRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14", "execution id");
    /// client.stop_work_flow(request).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn stop_work_flow(&self, request: StopWorkFlowRequest) -> Call<StopWorkFlowRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `RetryWorkFlow`: runs a failed execution on, under the same id.
    ///
    /// It begins work, so it is repeated only where it certainly did not begin; an error says whether it
    /// may have.
    ///
    /// Source: Huawei Cloud, FunctionGraph, RetryWorkFlow.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, RetryWorkFlowRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = RetryWorkFlowRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14", "execution id");
    /// client.retry_work_flow(request).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn retry_work_flow(&self, request: RetryWorkFlowRequest) -> Call<RetryWorkFlowRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `CreateCallbackWorkflow`: says how a node that waits for a callback ended.
    ///
    /// Whether the service takes one twice is not documented, so it is repeated only where it certainly
    /// was not taken.
    ///
    /// Source: Huawei Cloud, FunctionGraph, CreateCallbackWorkflow.
    ///
    /// ```no_run
    /// use cloud_workflows::huawei::{Client, CallbackResult, CreateCallbackWorkflowRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let workflow_id = "48aff955-ea10-4ffd-b426-190bc192dc14";
    /// let request = CreateCallbackWorkflowRequest::new(
    ///     workflow_id,
    ///     "execution id",
    ///     "node id",
    ///     CallbackResult::Success,
    /// );
    /// let request = request.output(serde_json::json!({"approved": true}));
    /// client.create_callback_workflow(request).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_callback_workflow(
        &self,
        request: CreateCallbackWorkflowRequest,
    ) -> Call<CreateCallbackWorkflowRequest> {
        Call::new(&self.pipeline, request)
    }

    /// One call of any operation.
    pub(crate) fn call<O: Operation<Protocol = Rest>>(&self, request: O) -> Call<O> {
        Call::new(&self.pipeline, request)
    }
}

const REGION_VARIABLES: [&str; 2] = ["HW_REGION_NAME", "OS_REGION_NAME"];

impl ClientBuilder {
    /// A builder set up by the environment's variables, of which an empty one counts as unset.
    ///
    /// - Region: `HW_REGION_NAME`, then `OS_REGION_NAME`.
    /// - Project: the first set of `HUAWEICLOUD_SDK_PROJECT_ID`, `HW_PROJECT_ID`,
    ///   `OS_PROJECT_ID`, `OS_TENANT_ID`; else, by name, of `HW_PROJECT_NAME`, `OS_PROJECT_NAME`,
    ///   `OS_TENANT_NAME`.
    /// - Endpoint: the first of the comma-separated ones in
    ///   `HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_CN_NORTH_4`, which ends with the region's name.
    /// - IAM's endpoint: `HUAWEICLOUD_SDK_IAM_ENDPOINT`, else what stands before the path of
    ///   `HW_AUTH_URL` or `OS_AUTH_URL`.
    /// - Credentials: [`DefaultCredentials`], which reads when a credential is first needed.
    ///
    /// What is set afterwards takes its place.
    ///
    /// Source: the official Python core 3.1.219, and the names of the Terraform provider.
    pub fn from_env() -> Self {
        Self::of_environment(Environment::real())
    }

    pub(crate) fn of_environment(environment: Environment) -> Self {
        let mut builder = Self::default().credentials(DefaultCredentials::new());
        let first_of = |name, names: &[&str]| Setting::of_variables(name, &environment, names);
        builder.region = first_of("region", &REGION_VARIABLES);
        builder.project_id = first_of("project_id", &PROJECT_VARIABLES);
        if builder.project_id.is_none() {
            builder.project_name = first_of("project_name", &PROJECT_NAME_VARIABLES);
        }
        let iam_endpoint = |names| first_of("iam_endpoint", names);
        builder.iam_endpoint = iam_endpoint(&["HUAWEICLOUD_SDK_IAM_ENDPOINT"])
            .or_else(|| Some(iam_endpoint(&["HW_AUTH_URL", "OS_AUTH_URL"])?.part(without_path)));
        builder.from_environment = true;
        builder.settings.environment = environment;
        builder
    }

    /// The region's endpoint that the environment names.
    fn endpoint_variable(&self, region: Option<&str>) -> Option<Setting> {
        let region = region.filter(|_| self.from_environment)?;
        let region = region.replace('-', "_").to_ascii_uppercase();
        let name = format!("HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_{region}");
        let endpoints = Setting::of_variables("endpoint", &self.settings.environment, &[&name])?;
        let first = endpoints.part(|text| {
            let mut endpoints = text.split(',').map(str::trim);
            endpoints
                .find(|endpoint| !endpoint.is_empty())
                .unwrap_or_default()
        });
        Some(first).filter(|first| !first.text().is_empty())
    }

    /// The region, such as `cn-north-4`: any text that fits a host name. White space around it is
    /// left out.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(Setting::given("region", region));
        self
    }

    /// FunctionGraph's address, a URL or a host, instead of the region's.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(Setting::given("endpoint", endpoint));
        self
    }

    /// IAM's address, a URL or a host, instead of the region's.
    ///
    /// Without it, it is `iam.{region}.myhuaweicloud.com`, in `eu-west-1xx`
    /// `iam.{region}.myhuaweicloud.eu`; `iam.myhuaweicloud.com` without a region, and for a region
    /// of mainland China that has no IAM of its own. Where [`endpoint`](Self::endpoint) is neither
    /// on this machine nor the vendor's, and the credential needs IAM, this must be set: passwords
    /// and tokens of a private cloud are not sent to the public one.
    pub fn iam_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.iam_endpoint = Some(Setting::given("iam_endpoint", endpoint));
        self
    }

    /// The id of the project, 1 to 64 characters. Without it, the credential's project is used:
    /// for [`IamPassword`](super::IamPassword) and [`AccessKey`](super::AccessKey) the one of
    /// [`project_name`](Self::project_name).
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(Setting::given("project_id", project_id));
        self.project_name = None;
        self
    }

    /// The project by its name, such as `cn-north-4_team`, 1 to 64 characters, instead of by its
    /// id: IAM gives a token for it, or is asked for its id. Without either it is the one that
    /// bears the region's name.
    pub fn project_name(mut self, project_name: impl Into<String>) -> Self {
        self.project_name = Some(Setting::given("project_name", project_name));
        self.project_id = None;
        self
    }

    /// What calls are authenticated with: [`IamPassword`](super::IamPassword),
    /// [`Token`](super::Token), [`AccessKey`](super::AccessKey), another source of them, or one of
    /// your own.
    pub fn credentials(mut self, source: impl ProvideCredential<Credential>) -> Self {
        self.credentials = Some(Arc::new(source));
        self
    }

    /// How often this client may ask, all operations together (default: 50 calls at once, then 10
    /// a second; the service documents no quota).
    ///
    /// Waits and followers ask no faster than nine tenths of it, and less where the service
    /// refuses. Other calls are counted and never held up.
    pub fn quota(mut self, quota: Quota) -> Self {
        self.quota = Some(quota);
        self
    }

    /// Builds the client. Touches no network.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), naming the setting and the rule it breaks.
    pub fn build(self) -> Result<Client, Error> {
        let allow_http = self.settings.allow_http;
        let region = self.region.as_ref().map(Setting::region).transpose()?;
        let by_hand = self.endpoint.clone();
        let by_hand = by_hand.or_else(|| self.endpoint_variable(region.as_deref()));
        let endpoint = match (&by_hand, &region) {
            (Some(endpoint), _) => endpoint.endpoint(allow_http)?,
            (None, Some(region)) => endpoint::function_graph(region, &self.settings)?,
            (None, None) => return Err(no_region()),
        };
        let foreign = by_hand.is_some() && is_foreign(&endpoint, endpoint::DOMAINS);
        let iam_endpoint = match &self.iam_endpoint {
            Some(endpoint) => endpoint.endpoint(allow_http)?,
            None => endpoint::iam(region.as_deref(), &self.settings)?,
        };
        if let Some(id) = &self.project_id {
            push_project_id(&mut String::new(), id.text()).map_err(|error| {
                let rule = error.message();
                id.refused(rule.strip_prefix("project_id: ").unwrap_or(rule))
            })?;
        }
        if let Some(name) = &self.project_name
            && !(1..=64).contains(&name.text().chars().count())
        {
            return Err(name.refused("must be 1 to 64 characters"));
        }
        let project_id = self.project_id.map(|id| id.text().to_owned());
        let provider = self
            .credentials
            .ok_or_else(|| Error::configuration("credentials", "are missing"))?;
        let core = self.settings.core(&[&endpoint, &iam_endpoint])?;
        let context = Context {
            core: core.clone(),
            region,
            project_id: project_id.clone(),
            project_name: self.project_name.map(|name| name.text().to_owned()),
            auth_endpoint: self.iam_endpoint.is_some().then_some(iam_endpoint),
            foreign,
            inputs: None,
        };
        Ok(Client {
            pipeline: Arc::new(Pipeline {
                core,
                protocol: Rest::function_graph(endpoint, project_id),
                credentials: Some(Cache::new(provider, context)),
                pacers: Pacers::new(&[], self.quota.unwrap_or_else(|| Quota::new(50, 10.0))),
                is_paced: false,
            }),
        })
    }
}

fn no_region() -> Error {
    let regions = REGION_VARIABLES.join(", ");
    Error::configuration(
        "region",
        format_args!("is missing, and so is endpoint; from_env reads the first from {regions}"),
    )
}

/// An address without its path: the tools of OpenStack want IAM's with a version.
fn without_path(url: &str) -> &str {
    let host = url.find("://").map_or(0, |place| place + 3);
    match url[host..].find(['/', '?', '#']) {
        Some(end) => &url[..host + end],
        None => url,
    }
}

shared_setters!(ClientBuilder);
