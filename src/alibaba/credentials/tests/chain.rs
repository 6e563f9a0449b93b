//! The default chain, and clients set up by the environment.

use std::error::Error as _;

use super::*;

const KEYS: [(&str, &str); 2] = [
    ("ALIBABA_CLOUD_ACCESS_KEY_ID", "id-environment"),
    ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret"),
];

fn everything() -> Environment {
    let environment = Environment::fake(&KEYS);
    environment.set("ALIBABA_CLOUD_ROLE_ARN", "arn");
    environment.set("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "pa");
    environment.set("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/token");
    environment.write("/token", "jwt");
    let config = json!({"current": "p", "profiles": [{"name": "p", "mode": "AK",
        "access_key_id": "id-cli", "access_key_secret": "s"}]});
    environment.write("~/.aliyun/config.json", config.to_string());
    let ini = "[default]\ntype=access_key\naccess_key_id=id-ini\naccess_key_secret=s";
    environment.write("~/.alibabacloud/credentials", ini);
    environment.set("ALIBABA_CLOUD_CREDENTIALS_URI", "http://sidecar/");
    environment
}

fn answers(request: &HttpRequest) -> Option<Step> {
    match request.url.host_str() {
        Some("sts.aliyuncs.com") => Some(reply(200, assumed("id-oidc"))),
        Some("100.100.100.200") => instance(request, "id-ecs"),
        Some("sidecar") => Some(reply(200, issued("id-uri"))),
        _ => Some(started()),
    }
}

#[tokio::test]
async fn sources_are_tried_in_the_official_order() {
    let environment = everything();
    let found = async || {
        let script = Script::playing(answers);
        id(ask(&DefaultCredentials::new(), &environment, &script)
            .await
            .unwrap())
    };
    assert_eq!(found().await, "id-environment");
    environment.set("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "");
    assert_eq!(found().await, "id-oidc");
    environment.set("ALIBABA_CLOUD_ROLE_ARN", "");
    assert_eq!(found().await, "id-cli");
    environment.set("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true");
    assert_eq!(found().await, "id-ini");
    environment.set("ALIBABA_CLOUD_CREDENTIALS_FILE", "/absent");
    assert_eq!(found().await, "id-ecs");
    environment.set("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
    assert_eq!(found().await, "id-uri");
}

#[tokio::test(start_paused = true)]
async fn where_none_serves_each_says_why() {
    let script = Script::playing(|_| Some(Step::Silence));
    let environment = Environment::fake(&[]);
    let error = ask(&DefaultCredentials::new(), &environment, &script).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert_eq!(
        error.to_string(),
        "no source of credentials served: \
         environment: `ALIBABA_CLOUD_ACCESS_KEY_ID` not set; \
         OIDC: `ALIBABA_CLOUD_ROLE_ARN` not set; \
         CLI profile: `~/.aliyun/config.json` not found; \
         ini profile: `~/.alibabacloud/credentials` not found; \
         ECS RAM role: the metadata service did not answer in 1 s; \
         credentials URI: `ALIBABA_CLOUD_CREDENTIALS_URI` not set"
    );
    assert!(is_passing(&error));
    environment.set("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
    let error = ask_offline(&DefaultCredentials::new(), &environment).await;
    assert!(!is_passing(&error.unwrap_err()));
}

/// A failure that passes is asked about again soon, one that does not in 5 minutes.
#[tokio::test(start_paused = true)]
async fn a_client_shares_the_error_and_asks_again() {
    let script = Script::playing(|request| match is_metadata(request) {
        true => Some(Step::Silence),
        false => Some(started()),
    });
    let environment = Environment::fake(&[]);
    let passing = client(DefaultCredentials::new(), &environment, &script);
    let error = call(&passing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.is_retryable() && !error.may_have_started());
    let source = error.source().unwrap().to_string();
    assert!(
        source.contains("`ALIBABA_CLOUD_ACCESS_KEY_ID` not set"),
        "{source}"
    );
    for (name, value) in KEYS {
        environment.set(name, value);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    call(&passing).await.unwrap();
    let environment = Environment::fake(&[("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")]);
    let lasting = client(DefaultCredentials::new(), &environment, &script);
    assert!(!call(&lasting).await.unwrap_err().is_retryable());
    for (name, value) in KEYS {
        environment.set(name, value);
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    call(&lasting).await.unwrap_err();
    tokio::time::sleep(Duration::from_secs(300)).await;
    call(&lasting).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_outage_does_not_change_who_the_client_is() {
    let environment = everything();
    environment.set("ALIBABA_CLOUD_ACCESS_KEY_ID", "");
    let source = DefaultCredentials::new();
    let script = Script::playing(answers);
    assert_eq!(
        id(ask(&source, &environment, &script).await.unwrap()),
        "id-oidc"
    );
    // Set up later, and before it in the order: the one that served is asked again.
    environment.set("ALIBABA_CLOUD_ACCESS_KEY_ID", "id-environment");
    assert_eq!(
        id(ask(&source, &environment, &script).await.unwrap()),
        "id-oidc"
    );
    let down = Script::playing(|_| Some(Step::Silence));
    let error = ask(&source, &environment, &down).await.unwrap_err();
    assert!(is_passing(&error), "{error}");
    assert_eq!(
        id(ask(&source, &environment, &script).await.unwrap()),
        "id-oidc"
    );
    // Gone for good: the whole chain.
    environment.set("ALIBABA_CLOUD_ROLE_ARN", "");
    let lease = ask(&source, &environment, &script).await.unwrap();
    assert_eq!(id(lease), "id-environment");
}

/// What served in place of a source that was down is not held on to.
#[tokio::test(start_paused = true)]
async fn a_stand_in_is_not_remembered() {
    let environment = everything();
    environment.set("ALIBABA_CLOUD_ACCESS_KEY_ID", "");
    let source = DefaultCredentials::new();
    let down = Script::playing(|request| match is_sts(request) {
        true => Some(Step::Silence),
        false => answers(request),
    });
    assert_eq!(
        id(ask(&source, &environment, &down).await.unwrap()),
        "id-cli"
    );
    let script = Script::playing(answers);
    assert_eq!(
        id(ask(&source, &environment, &script).await.unwrap()),
        "id-oidc"
    );
}

/// Sources that hang one after the other leave time to say so.
#[tokio::test(start_paused = true)]
async fn the_chain_ends_before_the_cache_gives_up() {
    let environment = everything();
    environment.set("ALIBABA_CLOUD_ACCESS_KEY_ID", "");
    environment.set("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true");
    environment.set("ALIBABA_CLOUD_CREDENTIALS_FILE", "/absent");
    let script = Script::playing(|_| Some(Step::Silence));
    let client = client(DefaultCredentials::new(), &environment, &script);
    let error = call(&client).await.unwrap_err();
    let source = error.source().unwrap().to_string();
    assert!(
        source.contains("OIDC: AssumeRoleWithOIDC: no answer after"),
        "{source}"
    );
    assert!(source.contains("credentials URI: no time left"), "{source}");
}

#[tokio::test]
async fn a_client_from_the_environment() {
    let build = |environment: &Environment| {
        let builder = crate::alibaba::ClientBuilder::of_environment(environment.clone());
        builder.build()
    };
    let environment = Environment::fake(&[]);
    let error = build(&environment).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);

    for (name, expected) in [
        ("REGION", "https://a.fnf.aliyuncs.com/"),
        ("ALICLOUD_REGION", "https://b.fnf.aliyuncs.com/"),
        ("ALIBABA_CLOUD_REGION_ID", "https://c.fnf.aliyuncs.com/"),
        ("FNF_ENDPOINT", "https://d.example/"),
        ("ALIBABA_CLOUD_ENDPOINT_FNF", "https://e.example/"),
    ] {
        let value = expected
            .trim_start_matches("https://")
            .trim_end_matches('/');
        environment.set(name, value.trim_end_matches(".fnf.aliyuncs.com"));
        let client = build(&environment).unwrap();
        let shown = format!("{client:?}");
        let host = expected
            .trim_start_matches("https://")
            .trim_end_matches('/');
        assert!(shown.contains(host), "{shown}");
        assert!(shown.contains("DefaultCredentials"), "{shown}");
    }

    let environment = Environment::fake(&KEYS);
    environment.set("ALIBABA_CLOUD_REGION_ID", "cn-hangzhou");
    let script = Script::playing(answers);
    let client = crate::alibaba::ClientBuilder::of_environment(environment)
        .region("cn-shanghai")
        .scripted(&script, Clock::starting_at(wall()))
        .build()
        .unwrap();
    call(&client).await.unwrap();
    let (_, sent) = script.sent().remove(0);
    assert_eq!(sent.url.host_str(), Some("cn-shanghai.fnf.aliyuncs.com"));
    assert_eq!(
        parameter(&sent, "AccessKeyId").as_deref(),
        Some("id-environment")
    );
}
