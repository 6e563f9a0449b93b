//! Looks: who would call where, told without asking anybody.

use super::*;
use crate::{Identity, alibaba::ClientBuilder};

fn client(environment: &Environment, script: &Arc<Script>) -> Client {
    let builder = ClientBuilder::of_environment(environment.clone()).region("cn-hangzhou");
    let builder = builder.scripted(script, Clock::starting_at(wall()));
    builder.build().unwrap()
}

async fn identity(environment: &Environment) -> Result<Identity, Error> {
    let script = Script::new([]);
    let seen = client(environment, &script).identity().await;
    assert!(script.sent().is_empty(), "a look sends nothing");
    seen
}

/// Source, key, and who would be asked.
async fn seen(environment: &Environment) -> (String, Option<String>, Option<String>) {
    let seen = identity(environment).await.unwrap();
    assert_eq!(seen.region.as_deref(), Some("cn-hangzhou"));
    assert_eq!(seen.host, "cn-hangzhou.fnf.aliyuncs.com");
    assert!(!format!("{seen:?}").contains(MARKER));
    (seen.source, seen.key, seen.asks)
}

fn of(
    source: &str,
    key: Option<&str>,
    asks: Option<&str>,
) -> (String, Option<String>, Option<String>) {
    (
        source.to_owned(),
        key.map(str::to_owned),
        asks.map(str::to_owned),
    )
}

#[tokio::test]
async fn a_look_tells_source_and_key_and_sends_nothing() {
    let environment = Environment::fake(&[
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5t1234567890abcd"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", MARKER),
        ("ALIBABA_CLOUD_ROLE_ARN", "arn"),
        ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "pa"),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/token"),
        ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://sidecar/"),
    ]);
    environment.write("/token", "jwt");
    let config = json!({"current": "p", "profiles": [
        {"name": "p", "mode": "AK", "access_key_id": "id-of-profile-p", "access_key_secret": MARKER},
        {"name": "role", "mode": "RamRoleArn", "access_key_id": "id-of-the-base-key",
         "access_key_secret": MARKER, "ram_role_arn": "arn"},
        {"name": "program", "mode": "External", "process_command": "/nonexistent/program"},
    ]});
    environment.write("~/.aliyun/config.json", config.to_string());

    assert_eq!(
        seen(&environment).await,
        of("environment", Some("****abcd"), None)
    );
    environment.set("ALIBABA_CLOUD_ACCESS_KEY_ID", "");
    environment.set("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "");
    let sts = "AssumeRoleWithOIDC at sts.aliyuncs.com";
    assert_eq!(seen(&environment).await, of("OIDC", None, Some(sts)));
    for name in ["ROLE_ARN", "OIDC_PROVIDER_ARN", "OIDC_TOKEN_FILE"] {
        environment.set(&format!("ALIBABA_CLOUD_{name}"), "");
    }
    let profile = |name: &str| format!("profile `{name}` of `~/.aliyun/config.json`");
    assert_eq!(
        seen(&environment).await,
        of(&profile("p"), Some("****e-p"), None)
    );
    environment.set("ALIBABA_CLOUD_PROFILE", "role");
    let sts = "AssumeRole at sts.aliyuncs.com";
    assert_eq!(
        seen(&environment).await,
        of(&profile("role"), Some("****-key"), Some(sts))
    );
    environment.set("ALIBABA_CLOUD_PROFILE", "program");
    assert_eq!(
        seen(&environment).await,
        of(&profile("program"), None, Some("a program"))
    );
    environment.set("ALIBABA_CLOUD_PROFILE", "");
    environment.set("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true");
    let metadata = "the metadata service at 100.100.100.200:80";
    assert_eq!(
        seen(&environment).await,
        of("ECS RAM role", None, Some(metadata))
    );
    environment.set("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
    let (source, _, asks) = seen(&environment).await;
    assert_eq!(source, "credentials URI");
    assert!(asks.unwrap().contains("sidecar"));
    environment.set("ALIBABA_CLOUD_CREDENTIALS_URI", "");
    let error = identity(&environment).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(
        error
            .message()
            .contains("`ALIBABA_CLOUD_ACCESS_KEY_ID` not set")
    );
}

#[tokio::test]
async fn a_look_changes_nothing_for_the_calls_after_it() {
    let environment = Environment::fake(&[("ALIBABA_CLOUD_CREDENTIALS_URI", "http://sidecar/")]);
    let script = Script::playing(|request| match request.url.host_str() {
        Some("100.100.100.200") => instance(request, "id-ecs"),
        Some("sidecar") => Some(reply(200, issued("id-uri"))),
        _ => Some(started()),
    });
    let client = client(&environment, &script);
    call(&client).await.unwrap();
    assert!(!script.sent().is_empty());
    let seen = client.identity().await.unwrap();
    assert_eq!(seen.source, "ECS RAM role");
    assert!(script.sent().is_empty(), "a look sends nothing");
    // The credential is the one that was held before.
    call(&client).await.unwrap();
    assert_eq!(script.sent().len(), 1);
}
