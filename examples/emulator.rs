//! Serves both clouds' APIs on loopback until interrupted; flows echo their input, those that are
//! made over the APIs too.
//!
//! `cargo run --example emulator -- --port 8080 --express my_flow --workflow my-workflow`

#[path = "support/output.rs"]
mod output;

use std::{collections::BTreeSet, io::Write as _, path::Path, process::ExitCode, time::Duration};

use clap::{CommandFactory as _, Parser, error::ErrorKind};
use cloud_workflows::{
    FlowFailure,
    emulator::{Emulator, Flow},
};
use output::{Reader, print};
use serde_json::value::RawValue;
use tokio::time::interval;

#[derive(Parser)]
#[command(
    name = "emulator",
    about = "Serves both clouds' APIs on loopback; flows echo their input",
    after_help = served(),
    version
)]
struct Arguments {
    /// Port on 127.0.0.1; a free one when absent
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Alibaba Cloud flow of mode Standard; repeatable
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    standard: Vec<String>,
    /// Alibaba Cloud flow of mode Express; repeatable
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    express: Vec<String>,
    /// Huawei Cloud flow; repeatable
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    workflow: Vec<String>,
    /// Of these flows, one that fails with code `Example`; repeatable
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    failing: Vec<String>,
    /// Of these flows, one whose executions take their time; repeatable
    #[arg(long, value_name = "NAME=MILLISECONDS", value_parser = slow)]
    slow: Vec<(String, Duration)>,
    /// Of these flows, one that waits for a callback, whose token or ids are printed; repeatable
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    waiting: Vec<String>,
    /// Of these flows, one that does 8 items in a map run named `map`, of which one fails; repeatable
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    mapping: Vec<String>,
    /// Alibaba Cloud access key; repeatable
    #[arg(long, value_name = "ID:SECRET", allow_hyphen_values = true)]
    access_key: Vec<String>,
    /// Alibaba Cloud temporary access key; repeatable
    #[arg(long, value_name = "ID:SECRET:TOKEN", allow_hyphen_values = true)]
    sts_key: Vec<String>,
    /// Huawei Cloud IAM user; repeatable
    #[arg(long, value_name = "DOMAIN:USER:PASSWORD", allow_hyphen_values = true)]
    iam_user: Vec<String>,
    /// Huawei Cloud access key; repeatable
    #[arg(long, value_name = "AK:SK", allow_hyphen_values = true)]
    huawei_key: Vec<String>,
    /// Huawei Cloud temporary access key; repeatable
    #[arg(long, value_name = "AK:SK:TOKEN", allow_hyphen_values = true)]
    huawei_temporary_key: Vec<String>,
}

impl Arguments {
    /// Names of flows that stand in an option about flows, and are no flow's.
    fn contradiction(&self) -> Option<clap::Error> {
        let flows = || {
            self.standard
                .iter()
                .chain(&self.express)
                .chain(&self.workflow)
        };
        let slow = self.slow.iter().map(|(name, _)| ("--slow", name));
        let failing = self.failing.iter().map(|name| ("--failing", name));
        let waiting = self.waiting.iter().map(|name| ("--waiting", name));
        let mapping = self.mapping.iter().map(|name| ("--mapping", name));
        let mut named = slow.chain(failing).chain(waiting).chain(mapping);
        let (option, name) = named.find(|(_, name)| !flows().any(|flow| flow == *name))?;
        let flows: Vec<_> = flows().map(String::as_str).collect();
        let known = match flows.as_slice() {
            [] => "no flow is served".to_owned(),
            flows => format!("served are: {}", flows.join(", ")),
        };
        let text = format!(
            "{option}: there is no flow {name}; {known}. --standard, --express and --workflow add one"
        );
        Some(Self::command().error(ErrorKind::ValueValidation, text))
    }

    /// What a flow of this name does.
    fn flow(&self, name: &str) -> Flow {
        let fails = self.failing.iter().any(|failing| failing == name);
        let flow = Flow::new(move |input: Box<RawValue>| match fails {
            true => Err(FlowFailure::new("Example", "this flow always fails")),
            false => Ok(input),
        });
        let flow = match self.waiting.iter().any(|waiting| waiting == name) {
            true => flow.waits_for_callback("wait"),
            false => flow,
        };
        let slow = self.slow.iter().find(|(slow, _)| slow == name);
        let time = slow.map_or(Duration::ZERO, |(_, time)| *time);
        match self.mapping.iter().any(|mapping| mapping == name) {
            true => flow.map_run("map", 8, 1, 1, time),
            false => flow.takes(time),
        }
    }
}

/// What `--help` says of operations.
fn served() -> String {
    let names = Emulator::operations();
    let mut text = "Operations:".to_owned();
    let mut width = 79;
    for name in names {
        if width + name.len() > 78 {
            text.push_str("\n ");
            width = 1;
        }
        text.push(' ');
        text.push_str(name);
        width += name.len() + 1;
    }
    text + "\n\nKeys that nobody named are made, and printed with commands that use them."
}

fn slow(argument: &str) -> Result<(String, Duration), String> {
    let (name, milliseconds) = argument.rsplit_once('=').ok_or("a = is missing")?;
    let milliseconds = milliseconds.parse().map_err(|_| "no number behind the =")?;
    Ok((name.to_owned(), Duration::from_millis(milliseconds)))
}

/// The three parts of an argument; the last may hold colons.
fn three<'a>(argument: &'a str, form: &str) -> Result<[&'a str; 3], String> {
    let parts: Vec<_> = argument.splitn(3, ':').collect();
    let parts = parts.try_into();
    parts.map_err(|_| format!("{argument}: must be {form}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(error) = arguments.contradiction() {
        error.exit();
    }
    match serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do where standard error is closed.
            let _ = writeln!(std::io::stderr(), "emulator: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = Emulator::builder().port(arguments.port);
    for key in &arguments.access_key {
        let (id, secret) = key
            .split_once(':')
            .ok_or("--access-key: must be ID:SECRET")?;
        builder = builder.access_key(id, secret);
    }
    for key in &arguments.sts_key {
        let [id, secret, token] = three(key, "ID:SECRET:TOKEN")?;
        builder = builder.sts_key(id, secret, token);
    }
    for user in &arguments.iam_user {
        let [domain, user, password] = three(user, "DOMAIN:USER:PASSWORD")?;
        builder = builder.iam_user(domain, user, password);
    }
    for key in &arguments.huawei_key {
        let (access_key, secret_key) = key.split_once(':').ok_or("--huawei-key: must be AK:SK")?;
        builder = builder.huawei_key(access_key, secret_key);
    }
    for key in &arguments.huawei_temporary_key {
        let [access_key, secret_key, token] = three(key, "AK:SK:TOKEN")?;
        builder = builder.huawei_temporary_key(access_key, secret_key, token);
    }
    let emulator = builder.start()?;
    for flow in &arguments.standard {
        emulator.standard(flow, arguments.flow(flow));
    }
    for flow in &arguments.express {
        emulator.express(flow, arguments.flow(flow));
    }
    for flow in &arguments.workflow {
        emulator.workflow(flow, arguments.flow(flow));
    }

    print(&greeting(&emulator, &arguments))?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        told = tell_callbacks(&emulator) => told?,
    }
    Ok(())
}

/// How another program is run: installed beside this one, or from a clone.
fn program(name: &str) -> String {
    let own = std::env::current_exe().ok();
    let is_built = own
        .as_deref()
        .and_then(Path::parent)
        .is_some_and(|directory| directory.ends_with("examples"));
    match is_built {
        true => format!("cargo run --example {name} --"),
        false => name.to_owned(),
    }
}

/// Where it serves, and how to call it.
fn greeting(emulator: &Emulator, arguments: &Arguments) -> String {
    let (id, secret) = emulator.access_key();
    let (domain, user, password) = emulator.iam_user();
    let (access_key, secret_key) = emulator.huawei_key();
    let (url, region) = (emulator.url(), emulator.region());
    let (alibaba, huawei) = (program("alibaba"), program("huawei"));
    let mut text = format!(
        "Serving at {url} until interrupted. In another terminal:\n\n\
         export ALIBABA_CLOUD_ACCESS_KEY_ID={id} ALIBABA_CLOUD_ACCESS_KEY_SECRET={secret}\n\
         export HW_DOMAIN_NAME={domain} HW_USER_NAME={user} HW_USER_PASSWORD={password}\n\
         export HW_REGION_NAME={region}\n\
         # Huawei Cloud also by signature: AK {access_key}, SK {secret_key}\n"
    );
    if let Some(flow) = arguments.express.first() {
        text.push_str(&format!(
            "{alibaba} start-sync-execution --flow {flow} \
             --input '{{\"key\":\"value\"}}' --endpoint {url}\n"
        ));
    }
    if let Some(flow) = arguments.standard.first() {
        text.push_str(&format!(
            "{alibaba} start-execution --flow {flow} \
             --input '{{\"key\":\"value\"}}' --wait --endpoint {url}\n"
        ));
    }
    if let Some(flow) = arguments.workflow.first() {
        text.push_str(&format!(
            "{huawei} sync-execution --workflow {flow} \
             --input '{{\"key\":\"value\"}}' --endpoint {url} --iam-endpoint {url}\n"
        ));
    }
    text
}

/// Prints what a callback needs, for each task that begins to wait for one.
async fn tell_callbacks(emulator: &Emulator) -> std::io::Result<()> {
    let mut told = BTreeSet::new();
    let mut looks = interval(Duration::from_millis(50));
    loop {
        looks.tick().await;
        for task in emulator.waiting_callbacks() {
            let token = task.token.expose();
            let line = format!(
                "waiting for a callback: flow {} execution {} step {} token {token}\n",
                task.flow, task.execution, task.step
            );
            // Nobody reads it any more: the flows are served all the same.
            if told.insert(line.clone()) && print(&line)? == Reader::Gone {
                std::future::pending::<()>().await;
            }
        }
    }
}
