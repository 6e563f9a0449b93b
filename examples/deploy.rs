//! Deploys a flow of Alibaba Cloud from a file: makes or changes it, publishes a version, and
//! points an alias at it. Run again it changes nothing.
//!
//! `cargo run --example deploy -- --flow order --file order.yaml --alias prod`

#[path = "support/definition.rs"]
mod definition;
#[path = "support/deploying.rs"]
mod deploying;
#[path = "support/failure.rs"]
mod failure;
#[path = "support/output.rs"]
mod output;

use std::process::ExitCode;

use clap::Parser;
use cloud_workflows::alibaba::{ClientBuilder, ExecutionMode};
use deploying::{Deploy, Stopped, Wanted};
use failure::{EXIT_STATUSES, Failure, finish};

#[derive(Parser)]
#[command(name = "deploy", about = "Deploys a flow of Alibaba Cloud", version)]
#[command(after_help = EXIT_STATUSES)]
struct Arguments {
    /// Name of the flow
    #[arg(long)]
    flow: String,
    /// Its definition: YAML or JSON
    #[arg(long)]
    file: std::path::PathBuf,
    /// The alias that is to lead to it
    #[arg(long)]
    alias: String,
    /// Standard or Express
    #[arg(long)]
    mode: Option<String>,
    /// Overwrite an alias that has two routes
    #[arg(long)]
    replace_routes: bool,
    /// Address of the service instead of the region's
    #[arg(long)]
    endpoint: Option<String>,
    /// Print a failure as one JSON object
    #[arg(long)]
    json_errors: bool,
}

impl From<Stopped> for Failure {
    fn from(Stopped { message, error }: Stopped) -> Self {
        let Some(error) = error else {
            return Self::Local(message);
        };
        // A write: all that this program calls beside looks.
        let looks = ["DescribeFlow", "DescribeFlowAlias"];
        let mut failure = match looks.contains(&error.operation().unwrap_or_default()) {
            true => Self::of_look(error),
            false => Self::of_change(error),
        };
        if let Self::Call { said, .. } = &mut failure {
            *said = Some(message);
        }
        failure
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let text = std::fs::read_to_string(&arguments.file);
    let text =
        text.map_err(|error| Failure::local(format!("{}: {error}", arguments.file.display())))?;
    let mut builder = ClientBuilder::from_env();
    if let Some(endpoint) = &arguments.endpoint {
        builder = builder.endpoint(endpoint);
    }
    let client = builder.build().map_err(Failure::of_look)?;
    let wanted = Wanted {
        flow: arguments.flow,
        text,
        alias: arguments.alias,
        mode: arguments.mode.as_deref().map(ExecutionMode::from),
        replace_routes: arguments.replace_routes,
    };
    let mut deploy = Deploy::new(client, wanted).map_err(Failure::local)?;
    while !deploy.step().await? {}
    let said = match deploy.done.is_empty() {
        true => "nothing to do".to_owned(),
        false => deploy.done.join("\n"),
    };
    output::print(&format!("{said}\n"))?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json_errors = arguments.json_errors;
    finish(run(arguments).await, json_errors)
}
