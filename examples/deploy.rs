//! Deploys a flow from a file, on either cloud: makes or changes it, and on Alibaba Cloud publishes
//! a version and points an alias at it. Run again it changes nothing.
//!
//! `cargo run --example deploy -- --cloud alibaba --flow order --file order.yaml --alias prod`
//!
//! Region and credentials come from the environment, as for the examples `alibaba` and `huawei`.

#[path = "support/definition.rs"]
mod definition;
#[path = "support/deploying.rs"]
mod deploying;
#[path = "support/deploying_alibaba.rs"]
mod deploying_alibaba;
#[path = "support/deploying_huawei.rs"]
mod deploying_huawei;
#[path = "support/failure.rs"]
mod failure;
#[path = "support/output.rs"]
mod output;

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory as _, Parser, ValueEnum, error::ErrorKind};
use cloud_workflows::{
    alibaba::{self, ExecutionMode},
    huawei,
};
use deploying::{Progress, Stopped};
use deploying_alibaba::{Deploy, Wanted};
use failure::{EXIT_STATUSES, Failure, finish};
use tokio::time::sleep;

const RIGHTS: &str = "\
Rights on Alibaba Cloud:
  fnf:DescribeFlow, fnf:CreateFlow, fnf:UpdateFlow, fnf:ListFlowVersions, fnf:PublishFlowVersion;
  with --alias: fnf:DescribeFlowAlias, fnf:CreateFlowAlias, fnf:UpdateFlowAlias
Calls on Huawei Cloud:
  ListWorkflow, ShowWorkFlow, CreateWorkflow, UpdateWorkFlow";

#[derive(Parser)]
#[command(name = "deploy", about = "Deploys a flow from a file", version)]
#[command(after_help = format!("{EXIT_STATUSES}\n\n{RIGHTS}"))]
struct Arguments {
    /// Whose flow it is
    #[arg(long)]
    cloud: Which,
    /// Name of the flow
    #[arg(long, allow_hyphen_values = true)]
    flow: String,
    /// Its definition: YAML or JSON
    #[arg(long)]
    file: PathBuf,
    #[command(flatten)]
    alibaba: Alibaba,
    /// Region; otherwise the environment's
    #[arg(long, allow_hyphen_values = true)]
    region: Option<String>,
    /// Address of the service instead of the region's
    #[arg(long, allow_hyphen_values = true)]
    endpoint: Option<String>,
    /// Address of IAM (Huawei Cloud) instead of the region's
    #[arg(long, allow_hyphen_values = true)]
    iam_endpoint: Option<String>,
    /// Print a failure as one JSON object
    #[arg(long)]
    json_errors: bool,
}

/// What a definition of Huawei Cloud says itself, or what there is not.
#[derive(clap::Args)]
#[group(id = "alibaba", multiple = true)]
#[command(next_help_heading = "Alibaba Cloud only")]
struct Alibaba {
    /// The alias that is to lead to it
    #[arg(long, allow_hyphen_values = true)]
    alias: Option<String>,
    /// Overwrite an alias that has two routes
    #[arg(long, requires = "alias")]
    replace_routes: bool,
    /// Standard or Express
    #[arg(long)]
    mode: Option<String>,
    /// The role that it acts as
    #[arg(long, value_name = "ARN", allow_hyphen_values = true)]
    role: Option<String>,
    /// What the flow is for
    #[arg(long, allow_hyphen_values = true)]
    description: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Alibaba,
    Huawei,
}

impl From<Stopped> for Failure {
    fn from(Stopped { message, error }: Stopped) -> Self {
        let Some(error) = error else {
            return Self::Local(message);
        };
        let operation = error.operation().unwrap_or_default();
        let looks = ["Describe", "List", "Show"];
        let mut failure = match looks.iter().any(|look| operation.starts_with(look)) {
            true => Self::of_look(error),
            false => Self::of_change(error),
        };
        if let Self::Call { said, .. } = &mut failure {
            *said = Some(message);
        }
        failure
    }
}

async fn on_alibaba(arguments: Arguments, text: String) -> Result<String, Failure> {
    let mut builder = alibaba::ClientBuilder::from_env();
    if let Some(region) = arguments.region {
        builder = builder.region(region);
    }
    if let Some(endpoint) = arguments.endpoint {
        builder = builder.endpoint(endpoint);
    }
    let client = builder.build().map_err(Failure::of_look)?;
    let Alibaba {
        alias,
        replace_routes,
        mode,
        role,
        description,
    } = arguments.alibaba;
    let wanted = Wanted {
        flow: arguments.flow,
        text,
        alias,
        mode: mode.as_deref().map(ExecutionMode::from),
        role,
        description,
        replace_routes,
    };
    let mut progress = Progress::new("fnf:", sleep);
    let deploy = Deploy::new(client, wanted, &mut progress).map_err(Failure::local)?;
    let version = Box::pin(deploy.run()).await?;
    Ok(said(&progress.done, &format!("version {version}")))
}

async fn on_huawei(arguments: Arguments, text: String) -> Result<String, Failure> {
    let wanted = deploying_huawei::definition(&arguments.flow, &text).map_err(Failure::local)?;
    let mut builder = huawei::ClientBuilder::from_env();
    if let Some(region) = arguments.region {
        builder = builder.region(region);
    }
    if let Some(endpoint) = arguments.endpoint {
        builder = builder.endpoint(endpoint);
    }
    if let Some(endpoint) = arguments.iam_endpoint {
        builder = builder.iam_endpoint(endpoint);
    }
    let client = builder.build().map_err(Failure::of_look)?;
    let mut progress = Progress::new("", sleep);
    let deploy = deploying_huawei::deploy(&client, &wanted, &mut progress);
    let id = Box::pin(deploy).await?;
    Ok(said(&progress.done, &format!("id {id}")))
}

fn said(done: &[String], deployed: &str) -> String {
    match done.is_empty() {
        true => format!("nothing to do: {deployed}\n"),
        false => format!("{}\ndeployed: {deployed}\n", done.join("\n")),
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let text = std::fs::read_to_string(&arguments.file);
    let text =
        text.map_err(|error| Failure::local(format!("{}: {error}", arguments.file.display())))?;
    let said = match arguments.cloud {
        Which::Alibaba => on_alibaba(arguments, text).await?,
        Which::Huawei => on_huawei(arguments, text).await?,
    };
    output::print(&said)?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json_errors = arguments.json_errors;
    let Alibaba {
        alias,
        mode,
        role,
        description,
        ..
    } = &arguments.alibaba;
    let has_more = [alias, mode, role, description]
        .iter()
        .any(|it| it.is_some());
    if arguments.cloud == Which::Huawei && has_more {
        let message = "--alias, --mode, --role and --description are for Alibaba Cloud";
        Arguments::command()
            .error(ErrorKind::ArgumentConflict, message)
            .exit();
    }
    finish(run(arguments).await, json_errors)
}
