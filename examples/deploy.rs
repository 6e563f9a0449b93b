//! Deploys a flow of Alibaba Cloud from a file: makes or changes it, publishes a version, and
//! points an alias at it. Run again it changes nothing.
//!
//! `cargo run --example deploy -- --flow order --file order.yaml --alias prod`

#[path = "support/definition.rs"]
mod definition;
#[path = "support/deploying.rs"]
mod deploying;

use std::process::ExitCode;

use clap::Parser;
use cloud_workflows::alibaba::{ClientBuilder, ExecutionMode};
use deploying::{Deploy, Wanted};

#[derive(Parser)]
#[command(name = "deploy", about = "Deploys a flow of Alibaba Cloud", version)]
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
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let text = std::fs::read_to_string(&arguments.file);
    let text = text.map_err(|error| format!("{}: {error}", arguments.file.display()))?;
    let mut builder = ClientBuilder::from_env();
    if let Some(endpoint) = &arguments.endpoint {
        builder = builder.endpoint(endpoint);
    }
    let client = builder.build().map_err(|error| error.to_string())?;
    let wanted = Wanted {
        flow: arguments.flow,
        text,
        alias: arguments.alias,
        mode: arguments.mode.as_deref().map(ExecutionMode::from),
        replace_routes: arguments.replace_routes,
    };
    let mut deploy = Deploy::new(client, wanted)?;
    while !deploy.step().await.map_err(|stopped| stopped.message)? {}
    match deploy.done.is_empty() {
        true => println!("nothing to do"),
        false => println!("{}", deploy.done.join("\n")),
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(1)
        }
    }
}
