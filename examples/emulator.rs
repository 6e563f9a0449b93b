//! Serves both clouds' APIs on loopback until interrupted; flows echo their input.
//!
//! `cargo run --example emulator -- --port 8080 --express my_flow --workflow my-workflow`

use clap::Parser;
use cloud_workflows::emulator::Emulator;
use serde_json::Value;

#[derive(Parser)]
#[command(about = "Serves both clouds' APIs on loopback; flows echo their input")]
struct Arguments {
    /// Port on 127.0.0.1; a free one when absent
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Alibaba Cloud flow of mode Standard; repeatable
    #[arg(long, value_name = "NAME")]
    standard: Vec<String>,
    /// Alibaba Cloud flow of mode Express; repeatable
    #[arg(long, value_name = "NAME")]
    express: Vec<String>,
    /// Huawei Cloud flow; repeatable
    #[arg(long, value_name = "ID")]
    workflow: Vec<String>,
    /// Alibaba Cloud access key; repeatable
    #[arg(long, value_name = "ID:SECRET")]
    access_key: Vec<String>,
    /// Huawei Cloud IAM user; repeatable
    #[arg(long, value_name = "DOMAIN:USER:PASSWORD")]
    iam_user: Vec<String>,
    /// Huawei Cloud access key; repeatable
    #[arg(long, value_name = "AK:SK")]
    huawei_key: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let mut builder = Emulator::builder().port(arguments.port);
    for key in &arguments.access_key {
        let (id, secret) = key
            .split_once(':')
            .ok_or("--access-key: must be ID:SECRET")?;
        builder = builder.access_key(id, secret);
    }
    for user in &arguments.iam_user {
        let mut parts = user.splitn(3, ':');
        let mut part = || {
            parts
                .next()
                .ok_or("--iam-user: must be DOMAIN:USER:PASSWORD")
        };
        builder = builder.iam_user(part()?, part()?, part()?);
    }
    for key in &arguments.huawei_key {
        let (access_key, secret_key) = key.split_once(':').ok_or("--huawei-key: must be AK:SK")?;
        builder = builder.huawei_key(access_key, secret_key);
    }
    let emulator = builder.start()?;
    for flow in &arguments.standard {
        emulator.standard(flow, |input: Value| Ok(input));
    }
    for flow in &arguments.express {
        emulator.express(flow, |input: Value| Ok(input));
    }
    for flow in &arguments.workflow {
        emulator.workflow(flow, |input: Value| Ok(input));
    }

    let (id, secret) = emulator.access_key();
    let (domain, user, password) = emulator.iam_user();
    let url = emulator.url();
    println!("Serving at {url} until interrupted. In another terminal:\n");
    println!("export ALIBABA_CLOUD_ACCESS_KEY_ID={id} ALIBABA_CLOUD_ACCESS_KEY_SECRET={secret}");
    println!("export HW_DOMAIN_NAME={domain} HW_USER_NAME={user} HW_USER_PASSWORD={password}");
    println!("export HW_REGION_NAME={}", emulator.region());
    let (access_key, secret_key) = emulator.huawei_key();
    println!("# Huawei Cloud also by signature: AK {access_key}, SK {secret_key}");
    if let Some(flow) = arguments.express.first() {
        println!(
            "cargo run --example alibaba -- start-sync-execution --flow {flow} \
             --input '{{\"key\":\"value\"}}' --endpoint {url}"
        );
    }
    if let Some(flow) = arguments.workflow.first() {
        println!(
            "cargo run --example huawei -- sync-execution --workflow {flow} \
             --input '{{\"key\":\"value\"}}' --endpoint {url} --iam-endpoint {url}"
        );
    }
    tokio::signal::ctrl_c().await?;
    Ok(())
}
