//! Calls that manage flows: their versions, aliases and timers, runs of maps, regions.

use super::Client;
use crate::{
    alibaba::operations::{
        aliases::{
            CreateFlowAliasRequest, DeleteFlowAliasRequest, DescribeFlowAliasRequest,
            ListFlowAliasesRequest, UpdateFlowAliasRequest,
        },
        flows::{
            CreateFlowRequest, DeleteFlowRequest, DescribeFlowRequest, ListFlowsRequest,
            UpdateFlowRequest,
        },
        map_runs::{DescribeMapRunRequest, UpdateMapRunRequest},
        regions::DescribeRegionsRequest,
        schedules::{
            CreateScheduleRequest, DeleteScheduleRequest, DescribeScheduleRequest,
            ListSchedulesRequest, UpdateScheduleRequest,
        },
        versions::{DeleteFlowVersionRequest, ListFlowVersionsRequest, PublishFlowVersionRequest},
    },
    pipeline::call::Call,
};

impl Client {
    /// `CreateFlow`: makes a flow.
    ///
    /// Its name is unique in account and region, so it is made once however often the request is
    /// sent. An error of [`ErrorKind::AlreadyExists`](crate::ErrorKind::AlreadyExists) says that
    /// there is one of that name, unless it is this call's own: after an answer that was lost, it
    /// is looked up with `DescribeFlow` (which wants the right `fnf:DescribeFlow`), and taken for
    /// this call's where it is what was asked for and was made since. A flow that was deleted a
    /// moment ago may still be in the way.
    ///
    /// Source: Alibaba Cloud, CloudFlow, CreateFlow. Right: `fnf:CreateFlow`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, CreateFlowRequest, ExecutionMode};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let definition = std::fs::read_to_string("orders.yaml").unwrap_or_default();
    /// let request = CreateFlowRequest::new("orders", definition, "what is done with orders")
    ///     .execution_mode(ExecutionMode::Standard)
    ///     .role_arn("acs:ram::1234567890123456:role/orders");
    /// let flow = client.create_flow(request).send().await?;
    /// println!("{:?}", flow.id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_flow(&self, request: CreateFlowRequest) -> Call<CreateFlowRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `DescribeFlow`: looks at a flow, as it is now or as a published version has it.
    ///
    /// A read: repeated whatever happened.
    ///
    /// Source: Alibaba Cloud, CloudFlow, DescribeFlow. Right: `fnf:DescribeFlow`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, DescribeFlowRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let flow = client.describe_flow(DescribeFlowRequest::new("orders")).send().await?;
    /// println!("{}", flow.definition.as_deref().unwrap_or_default());
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe_flow(&self, request: DescribeFlowRequest) -> Call<DescribeFlowRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `UpdateFlow`: changes a flow: definition, description, role, variables; not its name and not
    /// its mode.
    ///
    /// Repeated whatever happened, for it says what is to be and not what is to be added: but where
    /// an answer was lost, a change that somebody else made in between is overwritten. What becomes
    /// of what the request leaves out is not documented: look at the answer.
    ///
    /// Source: Alibaba Cloud, CloudFlow, UpdateFlow. Right: `fnf:UpdateFlow`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, UpdateFlowRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let definition = std::fs::read_to_string("orders.yaml").unwrap_or_default();
    /// let request = UpdateFlowRequest::new("orders").definition(definition);
    /// let flow = client.update_flow(request).send().await?;
    /// println!("changed at {:?}", flow.last_modified_time);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_flow(&self, request: UpdateFlowRequest) -> Call<UpdateFlowRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `DeleteFlow`: deletes a flow. The service does it in its own time: executions that run end
    /// after their step, and their history cannot be read any more.
    ///
    /// Repeated whatever happened. Where it is found gone after an attempt of this call's whose
    /// answer was lost, that is success, and [`was_gone`](crate::alibaba::DeleteResponse::was_gone)
    /// says so.
    ///
    /// Source: Alibaba Cloud, CloudFlow, DeleteFlow. Right: `fnf:DeleteFlow`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, DeleteFlowRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// client.delete_flow(DeleteFlowRequest::new("orders")).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_flow(&self, request: DeleteFlowRequest) -> Call<DeleteFlowRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `ListFlows`: one page of the account's flows in the region.
    ///
    /// A read: repeated whatever happened. `next_token` in the answer says where the next page
    /// begins. All pages: [`items`](Call::items).
    ///
    /// Source: Alibaba Cloud, CloudFlow, ListFlows. Right: `fnf:ListFlows`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, ListFlowsRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let mut flows = client.list_flows(ListFlowsRequest::new()).items();
    /// while let Some(flow) = flows.next().await {
    ///     println!("{}", flow?.name.as_deref().unwrap_or("?"));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_flows(&self, request: ListFlowsRequest) -> Call<ListFlowsRequest> {
        Call::of_list(&self.pipeline, request)
    }

    /// `PublishFlowVersion`: makes what a flow is now a version of it, which no longer changes.
    ///
    /// Each copy of the request that arrives makes a version, so it is sent again only where the
    /// service certainly did not make one.
    ///
    /// # Errors
    ///
    /// Where the answer was lost, one version more than needed may exist, and the error says so;
    /// [`delivery`](crate::Error::delivery) too.
    ///
    /// Source: Alibaba Cloud, CloudFlow, PublishFlowVersion. Right: `fnf:PublishFlowVersion`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, PublishFlowVersionRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = PublishFlowVersionRequest::new("orders").description("with refunds");
    /// let published = client.publish_flow_version(request).send().await?;
    /// println!("version {}", published.version);
    /// # Ok(())
    /// # }
    /// ```
    pub fn publish_flow_version(
        &self,
        request: PublishFlowVersionRequest,
    ) -> Call<PublishFlowVersionRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `DeleteFlowVersion`: deletes a version of a flow.
    ///
    /// Repeated whatever happened. Where it is found gone after an attempt of this call's whose
    /// answer was lost, that is success, and [`was_gone`](crate::alibaba::DeleteResponse::was_gone)
    /// says so.
    ///
    /// Source: Alibaba Cloud, CloudFlow, DeleteFlowVersion. Right: `fnf:DeleteFlowVersion`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, DeleteFlowVersionRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// client.delete_flow_version(DeleteFlowVersionRequest::new("orders", "1")).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_flow_version(
        &self,
        request: DeleteFlowVersionRequest,
    ) -> Call<DeleteFlowVersionRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `ListFlowVersions`: one page of a flow's versions.
    ///
    /// A read: repeated whatever happened. `next_token` in the answer says where the next page
    /// begins. All pages: [`items`](Call::items).
    ///
    /// Source: Alibaba Cloud, CloudFlow, ListFlowVersions. Right: `fnf:ListFlowVersions`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, ListFlowVersionsRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = ListFlowVersionsRequest::new("orders");
    /// for version in client.list_flow_versions(request).send().await?.flow_versions {
    ///     println!("{}: {}", version.version, version.description.as_deref().unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_flow_versions(
        &self,
        request: ListFlowVersionsRequest,
    ) -> Call<ListFlowVersionsRequest> {
        Call::of_list(&self.pipeline, request)
    }

    /// `CreateFlowAlias`: makes an alias, which leads to one version of a flow or is shared out
    /// between two.
    ///
    /// Its name is unique in the flow, so it is made once however often the request is sent. An
    /// error of [`ErrorKind::AlreadyExists`](crate::ErrorKind::AlreadyExists) says that there is
    /// one of that name, unless it is this call's own: after an answer that was lost, it is looked
    /// up with `DescribeFlowAlias` (which wants the right `fnf:DescribeFlowAlias`), and taken for
    /// this call's where it is what was asked for and was made since.
    ///
    /// Source: Alibaba Cloud, CloudFlow, CreateFlowAlias. Right: `fnf:CreateFlowAlias`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, CreateFlowAliasRequest, RoutingConfiguration};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let routes = [RoutingConfiguration::new("1", 90), RoutingConfiguration::new("2", 10)];
    /// let request = CreateFlowAliasRequest::new("orders", "prod", routes);
    /// client.create_flow_alias(request).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_flow_alias(
        &self,
        request: CreateFlowAliasRequest,
    ) -> Call<CreateFlowAliasRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `DescribeFlowAlias`: looks at an alias.
    ///
    /// A read: repeated whatever happened.
    ///
    /// Source: Alibaba Cloud, CloudFlow, DescribeFlowAlias. Right: `fnf:DescribeFlowAlias`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, DescribeFlowAliasRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = DescribeFlowAliasRequest::new("orders", "prod");
    /// for route in client.describe_flow_alias(request).send().await?.alias.routing_configurations {
    ///     println!("{} of the starts go to version {}", route.weight, route.version);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe_flow_alias(
        &self,
        request: DescribeFlowAliasRequest,
    ) -> Call<DescribeFlowAliasRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `UpdateFlowAlias`: changes where an alias leads, or what it is for.
    ///
    /// Repeated whatever happened, for it says what is to be and not what is to be added: but where
    /// an answer was lost, a change that somebody else made in between is overwritten.
    ///
    /// Source: Alibaba Cloud, CloudFlow, UpdateFlowAlias. Right: `fnf:UpdateFlowAlias`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, RoutingConfiguration, UpdateFlowAliasRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = UpdateFlowAliasRequest::new("orders", "prod")
    ///     .routing_configurations(vec![RoutingConfiguration::new("2", 100)]);
    /// client.update_flow_alias(request).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_flow_alias(
        &self,
        request: UpdateFlowAliasRequest,
    ) -> Call<UpdateFlowAliasRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `DeleteFlowAlias`: deletes an alias.
    ///
    /// Repeated whatever happened. Where it is found gone after an attempt of this call's whose
    /// answer was lost, that is success, and [`was_gone`](crate::alibaba::DeleteResponse::was_gone)
    /// says so.
    ///
    /// Source: Alibaba Cloud, CloudFlow, DeleteFlowAlias. Right: `fnf:DeleteFlowAlias`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, DeleteFlowAliasRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// client.delete_flow_alias(DeleteFlowAliasRequest::new("orders", "prod")).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_flow_alias(
        &self,
        request: DeleteFlowAliasRequest,
    ) -> Call<DeleteFlowAliasRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `ListFlowAliases`: one page of a flow's aliases.
    ///
    /// A read: repeated whatever happened. `next_token` in the answer says where the next page
    /// begins. All pages: [`items`](Call::items).
    ///
    /// Source: Alibaba Cloud, CloudFlow, ListFlowAliases. Right: `fnf:ListFlowAliases`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, ListFlowAliasesRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = ListFlowAliasesRequest::new("orders");
    /// for alias in client.list_flow_aliases(request).send().await?.aliases {
    ///     println!("{:?}: {:?}", alias.name, alias.routing_configurations);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_flow_aliases(
        &self,
        request: ListFlowAliasesRequest,
    ) -> Call<ListFlowAliasesRequest> {
        Call::of_list(&self.pipeline, request)
    }

    /// `CreateSchedule`: makes a timer that starts a flow. For flows of the older kind; others are
    /// started by timers of EventBridge.
    ///
    /// Its name is unique in the flow, so it is made once however often the request is sent. An
    /// error of [`ErrorKind::AlreadyExists`](crate::ErrorKind::AlreadyExists) says that there is
    /// one of that name, unless it is this call's own: after an answer that was lost, it is looked
    /// up with `DescribeSchedule` (which wants the right `fnf:DescribeSchedule`), and taken for
    /// this call's where it is what was asked for and was made since.
    ///
    /// Source: Alibaba Cloud, CloudFlow, CreateSchedule. Right: `fnf:CreateSchedule`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, CreateScheduleRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = CreateScheduleRequest::new("orders", "every_minute", "0 * * * * *")
    ///     .enable(true)
    ///     .payload(serde_json::json!({"all": true}));
    /// client.create_schedule(request).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_schedule(&self, request: CreateScheduleRequest) -> Call<CreateScheduleRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `DescribeSchedule`: looks at a timer.
    ///
    /// A read: repeated whatever happened.
    ///
    /// Source: Alibaba Cloud, CloudFlow, DescribeSchedule. Right: `fnf:DescribeSchedule`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, DescribeScheduleRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = DescribeScheduleRequest::new("orders", "every_minute");
    /// let schedule = client.describe_schedule(request).send().await?;
    /// println!("{:?} is on: {:?}", schedule.cron_expression, schedule.enable);
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe_schedule(
        &self,
        request: DescribeScheduleRequest,
    ) -> Call<DescribeScheduleRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `UpdateSchedule`: changes a timer, or turns it on or off.
    ///
    /// Repeated whatever happened, for it says what is to be and not what is to be added: but where
    /// an answer was lost, a change that somebody else made in between is overwritten.
    ///
    /// Source: Alibaba Cloud, CloudFlow, UpdateSchedule. Right: `fnf:UpdateSchedule`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, UpdateScheduleRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = UpdateScheduleRequest::new("orders", "every_minute", false);
    /// client.update_schedule(request).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_schedule(&self, request: UpdateScheduleRequest) -> Call<UpdateScheduleRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `DeleteSchedule`: deletes a timer.
    ///
    /// Repeated whatever happened. Where it is found gone after an attempt of this call's whose
    /// answer was lost, that is success, and [`was_gone`](crate::alibaba::DeleteResponse::was_gone)
    /// says so.
    ///
    /// Source: Alibaba Cloud, CloudFlow, DeleteSchedule. Right: `fnf:DeleteSchedule`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, DeleteScheduleRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// client.delete_schedule(DeleteScheduleRequest::new("orders", "every_minute")).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_schedule(&self, request: DeleteScheduleRequest) -> Call<DeleteScheduleRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `ListSchedules`: one page of a flow's timers.
    ///
    /// A read: repeated whatever happened. `next_token` in the answer says where the next page
    /// begins. All pages: [`items`](Call::items).
    ///
    /// Source: Alibaba Cloud, CloudFlow, ListSchedules. Right: `fnf:ListSchedules`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, ListSchedulesRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = ListSchedulesRequest::new("orders");
    /// for schedule in client.list_schedules(request).send().await?.schedules {
    ///     println!("{:?}: {:?}", schedule.schedule_name, schedule.cron_expression);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_schedules(&self, request: ListSchedulesRequest) -> Call<ListSchedulesRequest> {
        Call::of_list(&self.pipeline, request)
    }

    /// `DescribeMapRun`: looks at the run of a distributed map: how many of its items are how far.
    ///
    /// A read: repeated whatever happened.
    ///
    /// Source: Alibaba Cloud, CloudFlow, DescribeMapRun. Right: `fnf:DescribeMapRun`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, DescribeMapRunRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = DescribeMapRunRequest::new("orders", "order-17", "map-1");
    /// let run = client.describe_map_run(request).send().await?;
    /// if run.status.is_ended() && !run.is_clean() {
    ///     println!("items failed: {:?}", run.item_counts);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe_map_run(&self, request: DescribeMapRunRequest) -> Call<DescribeMapRunRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `UpdateMapRun`: changes how a running map goes on: how many items at once, how many may
    /// fail.
    ///
    /// Repeated whatever happened, for it says what is to be and not what is to be added: but where
    /// an answer was lost, a change that somebody else made in between is overwritten. It is sent
    /// as a `GET`, with all parameters in the address.
    ///
    /// Source: Alibaba Cloud, CloudFlow, UpdateMapRun. Right: `fnf:UpdateMapRun`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, UpdateMapRunRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = UpdateMapRunRequest::new("orders", "order-17", "map-1").concurrency(10);
    /// client.update_map_run(request).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_map_run(&self, request: UpdateMapRunRequest) -> Call<UpdateMapRunRequest> {
        Call::new(&self.pipeline, request)
    }

    /// `DescribeRegions`: which regions have the service, and at which hosts.
    ///
    /// A read: repeated whatever happened. Nothing here calls the hosts of the answer by itself:
    /// whoever does sends credentials to where the answer says.
    ///
    /// Source: Alibaba Cloud, CloudFlow, DescribeRegions. Right: `fnf:DescribeRegions`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, DescribeRegionsRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = DescribeRegionsRequest::new().accept_language("en-US");
    /// for region in client.describe_regions(request).send().await?.regions.region {
    ///     println!("{:?}: {:?}", region.region_id, region.local_name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe_regions(
        &self,
        request: DescribeRegionsRequest,
    ) -> Call<DescribeRegionsRequest> {
        Call::new(&self.pipeline, request)
    }
}
