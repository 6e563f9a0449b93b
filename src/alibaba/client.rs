//! The client and its builder.

mod managing;

use std::sync::Arc;

use super::{
    credentials::{CliProfile, Credentials, DefaultCredentials},
    endpoint::{self, Network},
    operations::{
        executions::DescribeExecutionRequest,
        lists::{GetExecutionHistoryRequest, ListExecutionsRequest},
        starts::{StartExecutionRequest, StartSyncExecutionRequest},
        stops::StopExecutionRequest,
        tasks::{ReportTaskFailedRequest, ReportTaskSucceededRequest},
    },
    protocol::Rpc,
    quotas::{Bucket, Quotas},
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
        pace::{Pace, Quota},
        setting::Setting,
        settings::{Settings, shared_setters},
    },
};

/// A client of CloudFlow in one region. Cheap to clone; clones share connections and credentials.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) pipeline: Arc<Pipeline<Rpc>>,
}

/// Sets up a [`Client`]. It needs a region or an endpoint, and credentials.
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    settings: Settings,
    region: Option<Setting>,
    network: Network,
    endpoint: Option<Setting>,
    sts_endpoint: Option<Setting>,
    quotas: Quotas,
    /// Whether the CLI's profile may name the region.
    from_environment: bool,
    credentials: Option<Arc<dyn ProvideCredential<Credentials>>>,
}

impl Client {
    /// Begins to set up a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client for the region and with the credentials that Alibaba Cloud's own tools would use;
    /// see [`ClientBuilder::from_env`]. Touches no network, and reads no
    /// file but the CLI's, where no variable names the region.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) where neither the variables
    /// nor the CLI's profile hold a region or an endpoint, or one that cannot be used.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, StartExecutionRequest};
    ///
    /// # async fn example() -> Result<(), cloud_workflows::Error> {
    /// let client = Client::from_env()?;
    /// client.start_execution(StartExecutionRequest::new("my_flow")).send().await?;
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

    pub(super) fn shared(&self) -> &Arc<Pipeline<Rpc>> {
        &self.pipeline
    }

    #[cfg(test)]
    pub(crate) fn pipeline(&self) -> &Pipeline<Rpc> {
        &self.pipeline
    }

    /// How this client stands with one of the account's quotas: its pace, who waits for a turn,
    /// and how often the service refused a call for its rate. Clones share it.
    ///
    /// ```
    /// use cloud_workflows::alibaba::{Bucket, Client};
    ///
    /// # fn example(client: Client) {
    /// let pace = client.pace(Bucket::DescribeExecution);
    /// println!("{} looks a second, {} waiting", pace.rate, pace.waiting);
    /// # }
    /// ```
    pub fn pace(&self, bucket: Bucket) -> Pace {
        let pacer = self.pipeline.pacers.of(bucket.operation());
        pacer.map(|pacer| pacer.pace()).unwrap_or_default()
    }

    /// This client, with calls that wait for their turn in the account's quota of their
    /// operation: for
    /// programs that make many. It shares all else with this one.
    ///
    /// Calls go out in the order in which they were sent, at the pace of [`Client::pace`], together with waits and
    /// followers. One that is refused for its rate halves the pace, keeps its place and goes out
    /// again, for hours if need be: that is no attempt that the retry policy counts, and spends
    /// nothing of the budget of repeats. The time that goes by so is not the call's, unless it was
    /// given a limit of its own by [`Call::timeout`].
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, StartExecutionRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let bulk = client.paced();
    /// for order in 0..10_000 {
    ///     let request = StartExecutionRequest::new("my_flow").execution_name(format!("order-{order}"));
    ///     bulk.start_execution(request).send().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn paced(&self) -> Self {
        Self {
            pipeline: self.pipeline.paced(),
        }
    }

    /// `StartExecution`: starts an execution of a Standard flow, which then runs on its own.
    ///
    /// The request always carries an execution name, the caller's or one made here, so the flow is
    /// started once however often the request is sent. An execution of that name that is still
    /// running is given back; one that has ended is an error of
    /// [`ErrorKind::AlreadyExists`](crate::ErrorKind::AlreadyExists), unless it is this call's own:
    /// after an answer that was lost, it is looked up with `DescribeExecution` (which wants the
    /// right `fnf:DescribeExecution`). What is known of
    /// whose it is stands in [`origin`](super::Execution::origin).
    ///
    /// Source: Alibaba Cloud, CloudFlow, StartExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, StartExecutionRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = StartExecutionRequest::new("my_flow")
    ///     .execution_name("order-17")
    ///     .input_json(r#"{"order": 17}"#);
    /// let execution = client.start_execution(request).send().await?;
    /// println!("{} is {}", execution.name.as_deref().unwrap_or("?"), execution.status);
    /// # Ok(())
    /// # }
    /// ```
    pub fn start_execution(&self, request: StartExecutionRequest) -> Call<StartExecutionRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `StartSyncExecution`: runs an Express flow and waits for its end, up to five minutes.
    ///
    /// The service starts one execution for each copy of the request that arrives, so it is sent
    /// again only where the service certainly did not begin it. A flow that fails is no error of
    /// the call: look at [`status`](super::StartSyncExecutionResponse::status), or let
    /// [`into_output`](super::StartSyncExecutionResponse::into_output) do it.
    ///
    /// Source: Alibaba Cloud, CloudFlow, StartSyncExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, StartSyncExecutionRequest};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize)]
    /// struct Order {
    ///     number: u64,
    /// }
    ///
    /// #[derive(Deserialize)]
    /// struct Price {
    ///     cents: u64,
    /// }
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = StartSyncExecutionRequest::new("price").input(Order { number: 17 });
    /// let done = client.start_sync_execution(request).send().await?;
    /// let price: Price = done.into_output()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn start_sync_execution(
        &self,
        request: StartSyncExecutionRequest,
    ) -> Call<StartSyncExecutionRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `DescribeExecution`: looks at an execution, or waits up to 60 s for its end.
    ///
    /// A read: repeated whatever happened. The service's quota is small (5 a second and account),
    /// so let it wait rather than ask often.
    ///
    /// Source: Alibaba Cloud, CloudFlow, DescribeExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, DescribeExecutionRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = DescribeExecutionRequest::new("my_flow", "order-17").wait_time_seconds(20);
    /// let execution = client.describe_execution(request).send().await?;
    /// if execution.status.is_ended() {
    ///     println!("ended: {}", execution.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe_execution(
        &self,
        request: DescribeExecutionRequest,
    ) -> Call<DescribeExecutionRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `ListExecutions`: one page of a flow's executions, newest first or not as the service likes.
    ///
    /// A read: repeated whatever happened. `next_token` in the answer says where the next page
    /// begins. All pages: [`items`](Call::items).
    ///
    /// Source: Alibaba Cloud, CloudFlow, ListExecutions. Right: `fnf:ListExecutions`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, ListExecutionsRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = ListExecutionsRequest::new("my_flow").limit(100).metadata_only(true);
    /// let page = client.list_executions(request).send().await?;
    /// println!("{} executions, next page: {:?}", page.executions.len(), page.next_token);
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_executions(&self, request: ListExecutionsRequest) -> Call<ListExecutionsRequest> {
        Call::of_list(&self.pipeline, request)
    }

    /// `GetExecutionHistory`: one page of what happened in an execution, oldest first.
    ///
    /// A read: repeated whatever happened. `next_token` in the answer says where the next page begins.
    /// Only executions of Standard flows have a history.
    ///
    /// Source: Alibaba Cloud, CloudFlow, GetExecutionHistory. Right: `fnf:GetExecutionHistory`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, GetExecutionHistoryRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = GetExecutionHistoryRequest::new("my_flow", "order-17");
    /// for event in client.get_execution_history(request).send().await?.events {
    ///     println!("{:?} {:?}", event.time, event.event_type);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_execution_history(
        &self,
        request: GetExecutionHistoryRequest,
    ) -> Call<GetExecutionHistoryRequest> {
        Call::of_list(&self.pipeline, request)
    }

    /// `StopExecution`: asks the service to stop an execution, which may go on for a while: the answer's
    /// status may still be `Running`.
    ///
    /// Repeated whatever happened: a stopped execution is not stopped twice. One that has ended before
    /// is an error of [`ErrorKind::AlreadyCompleted`](crate::ErrorKind::AlreadyCompleted);
    /// [`Client::stop`] looks how.
    ///
    /// Source: Alibaba Cloud, CloudFlow, StopExecution. Right: `fnf:StopExecution`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, StopExecutionRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = StopExecutionRequest::new("my_flow", "order-17").cause("the order was cancelled");
    /// let execution = client.stop_execution(request).send().await?;
    /// println!("{}", execution.status);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stop_execution(&self, request: StopExecutionRequest) -> Call<StopExecutionRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `ReportTaskSucceeded`: says that a task that waits for a callback ended well.
    ///
    /// Repeated whatever happened: the service takes one report a task. A task that is not ready for
    /// it yet is reported again after a pause. The token is sent in the body, where no log of
    /// addresses shows it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyCompleted`](crate::ErrorKind::AlreadyCompleted) where the task has ended
    /// before; after an own attempt whose answer was lost that is success, and
    /// [`was_completed`](super::ReportTaskResponse::was_completed) says so.
    ///
    /// Source: Alibaba Cloud, CloudFlow, ReportTaskSucceeded. Right: `fnf:ReportTaskSucceeded`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, ReportTaskSucceededRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// # let token = String::new();
    /// let request = ReportTaskSucceededRequest::new(token).output(serde_json::json!({"approved": true}));
    /// client.report_task_succeeded(request).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn report_task_succeeded(
        &self,
        request: ReportTaskSucceededRequest,
    ) -> Call<ReportTaskSucceededRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `ReportTaskFailed`: says that a task that waits for a callback ended badly.
    ///
    /// Repeated whatever happened: the service takes one report a task. A task that is not ready for
    /// it yet is reported again after a pause. The token is sent in the body, where no log of
    /// addresses shows it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyCompleted`](crate::ErrorKind::AlreadyCompleted) where the task has ended
    /// before; after an own attempt whose answer was lost that is success, and
    /// [`was_completed`](super::ReportTaskResponse::was_completed) says so.
    ///
    /// Source: Alibaba Cloud, CloudFlow, ReportTaskFailed. Right: `fnf:ReportTaskFailed`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, ReportTaskFailedRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// # let token = String::new();
    /// let request = ReportTaskFailedRequest::new(token, "OutOfStock").cause("no more of item 17");
    /// client.report_task_failed(request).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn report_task_failed(
        &self,
        request: ReportTaskFailedRequest,
    ) -> Call<ReportTaskFailedRequest> {
        Call::new(&self.pipeline, request)
    }
}

/// Where a region may stand: the CLI's names, then Terraform's, then those that others use too.
const REGION_VARIABLES: [&str; 7] = [
    "ALIBABA_CLOUD_REGION_ID",
    "ALIBABACLOUD_REGION_ID",
    "ALICLOUD_REGION_ID",
    "ALIBABA_CLOUD_REGION",
    "ALICLOUD_REGION",
    "REGION_ID",
    "REGION",
];

const ENDPOINT_VARIABLES: [&str; 2] = ["ALIBABA_CLOUD_ENDPOINT_FNF", "FNF_ENDPOINT"];

impl ClientBuilder {
    /// A builder set up by the environment's variables, of which an empty one counts as unset.
    ///
    /// - Region: the first set of `ALIBABA_CLOUD_REGION_ID`, `ALIBABACLOUD_REGION_ID`,
    ///   `ALICLOUD_REGION_ID`, `ALIBABA_CLOUD_REGION`, `ALICLOUD_REGION`, `REGION_ID`, `REGION`;
    ///   else `region_id` of the CLI's profile, which is read (and the thread blocked for as long)
    ///   when the client is built.
    /// - Endpoint: `ALIBABA_CLOUD_ENDPOINT_FNF`, then `FNF_ENDPOINT`.
    /// - Credentials: [`DefaultCredentials`], which reads when a credential is first needed.
    ///
    /// What is set afterwards takes its place.
    pub fn from_env() -> Self {
        Self::of_environment(Environment::real())
    }

    pub(crate) fn of_environment(environment: Environment) -> Self {
        let mut builder = Self::default().credentials(DefaultCredentials::new());
        builder.region = Setting::of_variables("region", &environment, &REGION_VARIABLES);
        builder.endpoint = Setting::of_variables("endpoint", &environment, &ENDPOINT_VARIABLES);
        builder.from_environment = true;
        builder.settings.environment = environment;
        builder
    }

    /// The region, such as `cn-hangzhou`: any text that fits a host name. White space around it is
    /// left out.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(Setting::given("region", region));
        self
    }

    /// The network from which the region's service is called (default: the public one).
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// The service's address, a URL or a host, instead of the region's.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(Setting::given("endpoint", endpoint));
        self
    }

    /// The address of STS, a URL or a host, where roles are taken on (default: see
    /// [`AssumeRole::sts_region`](super::AssumeRole::sts_region)).
    ///
    /// Where [`endpoint`](Self::endpoint) is neither on this machine nor under `aliyuncs.com`, and
    /// the credential is a role's, this or an STS region must be set: keys and tokens of a private
    /// cloud are not sent to the public one.
    pub fn sts_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.sts_endpoint = Some(Setting::given("sts_endpoint", endpoint));
        self
    }

    /// What the account may ask in one of its buckets (default: what is documented, see
    /// [`Bucket`]). For accounts whose quotas were raised.
    ///
    /// Waits and followers ask no faster than nine tenths of it, and less where the service
    /// refuses. Other calls are counted and never held up.
    ///
    /// ```
    /// use cloud_workflows::{Quota, alibaba::{Bucket, Client}};
    ///
    /// let client = Client::builder()
    ///     .region("cn-hangzhou")
    ///     .quota(Bucket::DescribeExecution, Quota::new(200, 50.0));
    /// ```
    pub fn quota(mut self, bucket: Bucket, quota: Quota) -> Self {
        self.quotas.set(bucket, quota);
        self
    }

    /// What requests are signed with: [`Credentials`], or a source of them.
    pub fn credentials(mut self, source: impl ProvideCredential<Credentials>) -> Self {
        self.credentials = Some(Arc::new(source));
        self
    }

    /// Builds the client. Touches no network.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), naming the setting and the
    /// rule it breaks.
    pub fn build(self) -> Result<Client, Error> {
        let allow_http = self.settings.allow_http;
        let mut region = self.region.map(|region| region.region()).transpose()?;
        let mut profile = None;
        if self.from_environment && region.is_none() {
            match CliProfile::region(&self.settings.environment) {
                Ok(named) => region = Some(named),
                Err(error) => profile = Some(error),
            }
        }
        let endpoint = match (&self.endpoint, &region) {
            (Some(endpoint), _) => endpoint.endpoint(allow_http)?,
            (None, Some(region)) => endpoint::of_region(region, self.network, &self.settings)?,
            (None, None) => return Err(no_region(profile.as_ref())),
        };
        let foreign = self.endpoint.is_some() && is_foreign(&endpoint, endpoint::DOMAINS);
        let sts_endpoint = self.sts_endpoint;
        let sts_endpoint = sts_endpoint
            .map(|sts| sts.endpoint(allow_http))
            .transpose()?;
        let provider = self
            .credentials
            .ok_or_else(|| Error::configuration("credentials", "are missing"))?;
        let endpoints: Vec<_> = [&endpoint].into_iter().chain(&sts_endpoint).collect();
        let core = self.settings.core(&endpoints)?;
        let context = Context {
            core: core.clone(),
            region,
            project_id: None,
            project_name: None,
            auth_endpoint: sts_endpoint,
            foreign,
            inputs: None,
        };
        Ok(Client {
            pipeline: Arc::new(Pipeline {
                core,
                protocol: Rpc::cloud_flow(endpoint),
                credentials: Some(Cache::new(provider, context)),
                pacers: self.quotas.pacers(),
                is_paced: false,
            }),
        })
    }
}

/// Neither is set; and why the CLI's profile names no region, where it was asked.
fn no_region(profile: Option<&Error>) -> Error {
    let regions = REGION_VARIABLES.join(", ");
    let endpoints = ENDPOINT_VARIABLES.join(", ");
    let profile = profile.map_or(String::new(), |why| format!(" ({})", why.message()));
    Error::configuration(
        "region",
        format_args!(
            "is missing, and so is endpoint; from_env reads the first from {regions} or the CLI's \
             profile{profile}, the second from {endpoints}"
        ),
    )
}

shared_setters!(ClientBuilder);
