//! What holds of every source that gets its keys over the network.

use super::*;

fn config(mode: &str) -> Environment {
    let environment = Environment::fake(&[("ALIBABA_CLOUD_PROFILE", mode)]);
    environment.write("/token", MARKER);
    let profile = |name: &str, mode: &str| {
        json!({"name": name, "mode": mode, "ram_role_arn": "arn", "source_profile": "key",
               "access_key_id": "id", "access_key_secret": MARKER, "ram_role_name": "my-role",
               "oidc_provider_arn": "provider", "oidc_token_file": "/token"})
    };
    let config = json!({"profiles": [profile(mode, mode), profile("key", "AK")]});
    environment.write("~/.aliyun/config.json", config.to_string());
    environment
}

fn ini(kind: &str) -> Environment {
    let environment = Environment::fake(&[]);
    environment.write("/token", MARKER);
    let text = format!(
        "[default]\ntype={kind}\nrole_arn=arn\naccess_key_id=id\naccess_key_secret={MARKER}\n\
         role_name=my-role\noidc_provider_arn=provider\noidc_token_file_path=/token\n"
    );
    environment.write("~/.alibabacloud/credentials", text);
    environment
}

fn give(request: &HttpRequest, key: &str) -> Step {
    match request.url.host_str() {
        Some("100.100.100.200") => instance(request, key).unwrap(),
        Some("sidecar") => reply(200, issued(key)),
        _ => reply(200, assumed(key)),
    }
}

fn sources() -> Vec<testing::Renewing<Fnf>> {
    let role = |name| Environment::fake(&[("ALIBABA_CLOUD_ECS_METADATA", name)]);
    let pod = Environment::fake(&[
        ("ALIBABA_CLOUD_ROLE_ARN", "arn"),
        ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "provider"),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/token"),
        ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"),
    ]);
    pod.write("/token", MARKER);
    let cases: [testing::Case<Fnf>; 15] = [
        ("ECS RAM role", role(""), || Arc::new(EcsRamRole::new())),
        (
            "named role",
            role("my-role"),
            || Arc::new(EcsRamRole::new()),
        ),
        ("IMDSv2 only", role(""), || {
            Arc::new(EcsRamRole::new().imdsv1_disabled(true))
        }),
        ("credentials URI", role(""), || {
            Arc::new(CredentialsUri::new(format!("http://sidecar/?{MARKER}")))
        }),
        ("AssumeRole", role(""), || {
            Arc::new(AssumeRole::new(Credentials::new("id", MARKER), "arn"))
        }),
        ("AssumeRoleWithOIDC", pod.clone(), || {
            Arc::new(AssumeRoleWithOidc::from_env())
        }),
        (
            "chain in a pod",
            pod,
            || Arc::new(DefaultCredentials::new()),
        ),
        ("chain on a machine", role(""), || {
            Arc::new(DefaultCredentials::new())
        }),
        ("CLI RamRoleArn", config("RamRoleArn"), || {
            Arc::new(CliProfile::new())
        }),
        ("CLI chained", config("ChainableRamRoleArn"), || {
            Arc::new(CliProfile::new())
        }),
        ("CLI EcsRamRole", config("EcsRamRole"), || {
            Arc::new(CliProfile::new())
        }),
        ("CLI OIDC", config("OIDC"), || Arc::new(CliProfile::new())),
        ("CLI RamRoleArnWithEcs", config("RamRoleArnWithEcs"), || {
            Arc::new(CliProfile::new())
        }),
        ("ini ram_role_arn", ini("ram_role_arn"), || {
            Arc::new(IniProfile::new())
        }),
        ("ini ecs_ram_role", ini("ecs_ram_role"), || {
            Arc::new(IniProfile::new())
        }),
    ];
    testing::Renewing::all(give, cases)
}

#[tokio::test(start_paused = true)]
async fn every_source_obeys_the_laws() {
    testing::obey(&sources()).await;
}

/// Every source, with a marker in every value that may be secret.
#[tokio::test(start_paused = true)]
async fn nothing_leaks() {
    let environment = Environment::fake(&[
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "id"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", MARKER),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", MARKER),
    ]);
    let key = || Credentials::new("id", MARKER).security_token(MARKER);
    let fixed: [(Environment, testing::Source<Fnf>); 10] = [
        (environment.clone(), Arc::new(EnvironmentCredentials::new())),
        (environment.clone(), Arc::new(DefaultCredentials::new())),
        (environment.clone(), Arc::new(key())),
        (
            environment,
            Arc::new(AssumeRole::new(key(), "arn").external_id(MARKER)),
        ),
        (config("AK"), Arc::new(CliProfile::new())),
        (config("StsToken"), Arc::new(CliProfile::new())),
        (config("OAuth"), Arc::new(CliProfile::new())),
        (external(), Arc::new(CliProfile::new())),
        (ini("access_key"), Arc::new(IniProfile::new())),
        (ini("rsa_key_pair"), Arc::new(IniProfile::new())),
    ];
    testing::nothing_leaks(fixed, sources(), context).await;
}

/// A program that fails, with a secret in its arguments.
fn external() -> Environment {
    let environment = Environment::fake(&[]);
    let profile = json!({"name": "p", "mode": "External",
                         "process_command": format!("false {MARKER}")});
    let config = json!({"current": "p", "profiles": [profile]});
    environment.write("~/.aliyun/config.json", config.to_string());
    environment
}
