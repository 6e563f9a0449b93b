//! The operations of CloudFlow that manage flows: one table, from which the subcommands are made.

use std::convert::Infallible;

use clap::{Args, Subcommand};
use cloud_workflows::alibaba::{
    Client, CreateFlowAliasRequest, CreateFlowRequest, CreateScheduleRequest,
    DeleteFlowAliasRequest, DeleteFlowRequest, DeleteFlowVersionRequest, DeleteScheduleRequest,
    DescribeFlowAliasRequest, DescribeFlowRequest, DescribeMapRunRequest, DescribeRegionsRequest,
    DescribeScheduleRequest, Environment, ExecutionMode, FlowType, ListFlowAliasesRequest,
    ListFlowVersionsRequest, ListFlowsRequest, ListSchedulesRequest, PublishFlowVersionRequest,
    RoutingConfiguration, UpdateFlowAliasRequest, UpdateFlowRequest, UpdateMapRunRequest,
    UpdateScheduleRequest,
};

use crate::support::{
    answer::answer,
    arguments::{follow, json_text},
    failure::Failure,
};

/// How a list is read.
#[derive(Args)]
pub struct Paging {
    /// Only one page, as the service gives it
    #[arg(long)]
    pub page: bool,
    /// How many a page may have
    #[arg(long)]
    pub limit: Option<u32>,
    /// The page after this token
    #[arg(long, requires = "page", allow_hyphen_values = true)]
    pub next_token: Option<String>,
}

/// What an option gives to a request; the option's name is for errors.
trait Argument {
    type Value;

    fn value(self, option: &str) -> Result<Self::Value, Failure>;
}

/// JSON or other text, `@FILE`, or `-` for standard input.
#[derive(Clone)]
pub struct Text(String);

impl From<&str> for Text {
    fn from(argument: &str) -> Self {
        Self(argument.to_owned())
    }
}

impl Argument for Text {
    type Value = String;

    fn value(self, option: &str) -> Result<String, Failure> {
        json_text(option, &self.0)
    }
}

impl<A: Argument> Argument for Option<A> {
    type Value = Option<A::Value>;

    fn value(self, option: &str) -> Result<Self::Value, Failure> {
        self.map(|argument| argument.value(option)).transpose()
    }
}

macro_rules! as_given {
    ($($type:ty)*) => {$(
        impl Argument for $type {
            type Value = Self;

            fn value(self, _: &str) -> Result<Self, Failure> {
                Ok(self)
            }
        }
    )*};
}
as_given! { String bool i64 f64 ExecutionMode FlowType Environment Vec<RoutingConfiguration> }

fn word<T: for<'a> From<&'a str>>(argument: &str) -> Result<T, Infallible> {
    Ok(T::from(argument))
}

fn environment(argument: &str) -> Result<Environment, serde_json::Error> {
    serde_json::from_str(argument)
}

fn route(argument: &str) -> Result<RoutingConfiguration, String> {
    let (version, weight) = argument.split_once('=').ok_or("a = is missing")?;
    let weight = weight.parse::<i64>();
    let weight = weight.map_err(|_| "no number behind the =")?;
    Ok(RoutingConfiguration::new(version, weight))
}

/// Makes the subcommands. Each operation has what it must be given, then what it may be given; how
/// it is called in the client, and how its failure is told. What is JSON stands last, with what
/// takes its text.
macro_rules! operations {
    (
        calls {$(
            $(#[$about:meta])*
            $name:ident: $request:ident, $call:ident, $failed:ident
            ($($(#[$must_about:meta])* $must:ident: $must_type:ty),*)
            ($($(#[$may_about:meta])* $may:ident: $may_type:ty),*)
            $($json:ident $json_text:ident)?;
        )*}
        lists {$(
            $(#[$list_about:meta])*
            $list:ident: $list_request:ident, $list_call:ident, $items:literal
            ($($list_must:ident: String),*) ($($list_may:ident: String),*);
        )*}
    ) => {
        #[derive(Subcommand)]
        pub enum Managing {
            $(
                $(#[$about])*
                $name {
                    $(
                        #[arg(long, allow_hyphen_values = true)]
                        $(#[$must_about])*
                        $must: $must_type,
                    )*
                    $(
                        #[arg(long, allow_hyphen_values = true)]
                        $(#[$may_about])*
                        $may: Option<$may_type>,
                    )*
                    $(
                        /// JSON text, @FILE, or - for standard input
                        #[arg(long, allow_hyphen_values = true, value_parser = word::<Text>)]
                        $json: Option<Text>,
                    )?
                },
            )*
            $(
                $(#[$list_about])*
                $list {
                    $(#[arg(long, allow_hyphen_values = true)] $list_must: String,)*
                    $(#[arg(long, allow_hyphen_values = true)] $list_may: Option<String>,)*
                    #[command(flatten)]
                    paging: Paging,
                },
            )*
        }

        impl Managing {
            pub async fn call(self, client: &Client) -> Result<(), Failure> {
                match self {
                    $(Self::$name { $($must,)* $($may,)* $($json,)? } => {
                        let request = $request::new(
                            $($must.value(concat!("--", stringify!($must)))?),*
                        )
                        $(.$may($may.value(concat!("--", stringify!($may)))?))*;
                        $(let request = match $json.value(concat!("--", stringify!($json)))? {
                            Some(text) => request.$json_text(text),
                            None => request,
                        };)?
                        answer(&client.$call(request).send().await.map_err(Failure::$failed)?)
                    })*
                    $(Self::$list { $($list_must,)* $($list_may,)* paging } => {
                        let request = $list_request::new($($list_must),*)
                            $(.$list_may($list_may))*
                            .limit(paging.limit)
                            .next_token(paging.next_token);
                        let list = client.$list_call(request);
                        if !paging.page {
                            return follow($items, list.items()).await;
                        }
                        answer(&list.send().await.map_err(Failure::of_look)?)
                    })*
                }
            }
        }
    };
}

operations! {
    calls {
        /// Make a flow
        CreateFlow: CreateFlowRequest, create_flow, of_change
        (
            name: String,
            /// What it does: YAML, @FILE, or - for standard input
            #[arg(value_parser = word::<Text>)] definition: Text,
            #[arg(default_value = "")] description: String
        )
        (
            /// FDL when absent
            #[arg(value_parser = word::<FlowType>)] kind: FlowType,
            /// Standard or Express
            #[arg(value_parser = word::<ExecutionMode>)] execution_mode: ExecutionMode,
            role_arn: String,
            /// Such as {"Variables":[{"Name":"a","Value":"1"}]}
            #[arg(value_parser = environment)] environment: Environment,
            resource_group_id: String,
            external_storage_location: String
        );
        /// Look at a flow
        DescribeFlow: DescribeFlowRequest, describe_flow, of_look
        (name: String) (flow_version: String);
        /// Change a flow; what is not given is left to the service
        UpdateFlow: UpdateFlowRequest, update_flow, of_change
        (name: String)
        (
            /// What it does: YAML, @FILE, or - for standard input
            #[arg(value_parser = word::<Text>)] definition: Text,
            description: String,
            #[arg(value_parser = word::<FlowType>)] kind: FlowType,
            role_arn: String,
            /// Such as {"Variables":[{"Name":"a","Value":"1"}]}
            #[arg(value_parser = environment)] environment: Environment
        );
        /// Delete a flow; what runs of it ends with its step, and cannot be looked at any more
        DeleteFlow: DeleteFlowRequest, delete_flow, of_change (name: String) ();
        /// Publish what a flow is now as a version
        PublishFlowVersion: PublishFlowVersionRequest, publish_flow_version, of_change
        (flow_name: String) (description: String);
        /// Delete a version of a flow
        DeleteFlowVersion: DeleteFlowVersionRequest, delete_flow_version, of_change
        (flow_name: String, flow_version: String) ();
        /// Make an alias of a flow
        CreateFlowAlias: CreateFlowAliasRequest, create_flow_alias, of_change
        (
            flow_name: String,
            name: String,
            /// Where it leads, VERSION=WEIGHT; may be given twice
            #[arg(value_parser = route, required = true)]
            routing_configurations: Vec<RoutingConfiguration>
        )
        (description: String);
        /// Look at an alias of a flow
        DescribeFlowAlias: DescribeFlowAliasRequest, describe_flow_alias, of_look
        (flow_name: String, name: String) ();
        /// Change an alias of a flow
        UpdateFlowAlias: UpdateFlowAliasRequest, update_flow_alias, of_change
        (flow_name: String, name: String)
        (
            description: String,
            /// Where it leads, VERSION=WEIGHT; may be given twice
            #[arg(value_parser = route)] routing_configurations: Vec<RoutingConfiguration>
        );
        /// Delete an alias of a flow
        DeleteFlowAlias: DeleteFlowAliasRequest, delete_flow_alias, of_change
        (flow_name: String, name: String) ();
        /// Make a timer that starts a flow of the older kind
        CreateSchedule: CreateScheduleRequest, create_schedule, of_change
        (
            flow_name: String,
            schedule_name: String,
            /// Six fields, the first the seconds, such as "0 * * * * *"
            cron_expression: String
        )
        (description: String, enable: bool)
        payload payload_json;
        /// Look at a timer of a flow
        DescribeSchedule: DescribeScheduleRequest, describe_schedule, of_look
        (flow_name: String, schedule_name: String) ();
        /// Change a timer of a flow
        UpdateSchedule: UpdateScheduleRequest, update_schedule, of_change
        (
            flow_name: String,
            schedule_name: String,
            #[arg(action = clap::ArgAction::Set)] enable: bool
        )
        (
            cron_expression: String,
            description: String
        )
        payload payload_json;
        /// Delete a timer of a flow
        DeleteSchedule: DeleteScheduleRequest, delete_schedule, of_change
        (flow_name: String, schedule_name: String) ();
        /// Look at the run of a map
        DescribeMapRun: DescribeMapRunRequest, describe_map_run, of_look
        (flow_name: String, execution_name: String, map_run_name: String) ();
        /// Change how the run of a map goes on
        UpdateMapRun: UpdateMapRunRequest, update_map_run, of_change
        (flow_name: String, execution_name: String, map_run_name: String)
        (
            concurrency: i64,
            tolerated_failed_count: i64,
            tolerated_failed_percentage: f64
        );
        /// List the regions that have the service
        DescribeRegions: DescribeRegionsRequest, describe_regions, of_look
        ()
        (
            /// Language of the regions' names: zh-CN or en-US
            accept_language: String
        );
    }
    lists {
        /// List the flows to the end of the list
        ListFlows: ListFlowsRequest, list_flows, "Flows" () (resource_group_id: String);
        /// List the versions of a flow to the end of the list
        ListFlowVersions: ListFlowVersionsRequest, list_flow_versions, "FlowVersions"
        (flow_name: String) ();
        /// List the aliases of a flow to the end of the list
        ListFlowAliases: ListFlowAliasesRequest, list_flow_aliases, "Aliases"
        (flow_name: String) ();
        /// List the timers of a flow to the end of the list
        ListSchedules: ListSchedulesRequest, list_schedules, "Schedules" (flow_name: String) ();
    }
}
