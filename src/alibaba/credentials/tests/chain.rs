//! The default chain, and clients set up by the environment.

use super::*;
use crate::pipeline::testing::log::Log;

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
    for (name, _) in KEYS {
        environment.set(name, "");
    }
    assert_eq!(found().await, "id-oidc");
    for name in ["OIDC_PROVIDER_ARN", "OIDC_TOKEN_FILE"] {
        environment.set(&format!("ALIBABA_CLOUD_{name}"), "");
    }
    assert_eq!(found().await, "id-cli");
    environment.set("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true");
    assert_eq!(found().await, "id-ini");
    environment.write("~/.alibabacloud/credentials", "[other]\n");
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
        "ECS RAM role: the metadata service did not answer in 1 s; not set up: \
         environment (`ALIBABA_CLOUD_ACCESS_KEY_ID` not set), \
         OIDC (`ALIBABA_CLOUD_ROLE_ARN` not set), \
         profiles (`~/.aliyun/config.json` not found, `~/.alibabacloud/credentials` not found), \
         credentials URI (`ALIBABA_CLOUD_CREDENTIALS_URI` not set)"
    );
    assert!(is_passing(&error));
    environment.set("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
    let error = ask_offline(&DefaultCredentials::new(), &environment).await;
    assert!(!is_passing(&error.unwrap_err()));
}

/// What was not set up is looked for again at the next call.
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
    let said = error.to_string();
    assert!(
        said.contains("`ALIBABA_CLOUD_ACCESS_KEY_ID` not set"),
        "{said}"
    );
    assert!(std::error::Error::source(&error).is_none(), "said already");
    for (name, value) in KEYS {
        environment.set(name, value);
    }
    call(&passing).await.unwrap();
    let environment = Environment::fake(&[("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")]);
    let lasting = client(DefaultCredentials::new(), &environment, &script);
    assert!(!call(&lasting).await.unwrap_err().is_retryable());
    for (name, value) in KEYS {
        environment.set(name, value);
    }
    call(&lasting).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_outage_does_not_change_who_the_client_is() {
    let environment = without_keys();
    let source = DefaultCredentials::new();
    let script = Script::playing(answers);
    assert_eq!(
        id(ask(&source, &environment, &script).await.unwrap()),
        "id-oidc"
    );
    // Set up later, and before it in the order: the one that served is asked again.
    for (name, value) in KEYS {
        environment.set(name, value);
    }
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
    // Gone for good: the whole chain, and an operator is told of it.
    environment.set("ALIBABA_CLOUD_ROLE_ARN", "");
    let log = Log::default();
    let _logging = log.start();
    for _ in 0..2 {
        let lease = ask(&source, &environment, &script).await.unwrap();
        assert_eq!(id(lease), "id-environment");
    }
    let told = "message=credentials come from another source than last time source=\"";
    assert_eq!(log.text().matches(told).count(), 1, "{}", log.text());
}

/// An outage of what the user named hands nothing to another one.
#[tokio::test(start_paused = true)]
async fn nothing_stands_in_for_a_source_that_is_down() {
    let environment = without_keys();
    let source = DefaultCredentials::new();
    let down = Script::playing(|request| match is_sts(request) {
        true => Some(Step::Silence),
        false => answers(request),
    });
    let error = ask(&source, &environment, &down).await.unwrap_err();
    assert!(is_passing(&error), "{error}");
    let why = "OIDC: AssumeRoleWithOIDC: no answer after";
    assert!(error.to_string().starts_with(why), "{error}");
    let script = Script::playing(answers);
    assert_eq!(
        id(ask(&source, &environment, &script).await.unwrap()),
        "id-oidc"
    );
}

/// What the machine has not got, a URI may give; it is not held on to.
#[tokio::test(start_paused = true)]
async fn a_stand_in_for_the_machine_is_not_remembered() {
    let environment = Environment::fake(&[("ALIBABA_CLOUD_CREDENTIALS_URI", "http://sidecar/")]);
    let source = DefaultCredentials::new();
    let down = Script::playing(|request| match is_metadata(request) {
        true => Some(Step::Silence),
        false => answers(request),
    });
    let lease = ask(&source, &environment, &down).await.unwrap();
    assert_eq!(id(lease), "id-uri");
    let script = Script::playing(answers);
    let lease = ask(&source, &environment, &script).await.unwrap();
    assert_eq!(id(lease), "id-ecs");
}

fn without_keys() -> Environment {
    let environment = everything();
    for (name, _) in KEYS {
        environment.set(name, "");
    }
    environment
}

/// A mistake of the user's is the whole error, and the machine's own role does not run the flow.
#[tokio::test(start_paused = true)]
async fn what_the_user_named_and_cannot_be_used_ends_the_chain() {
    fn config(environment: &Environment, profile: Value) {
        let config = json!({"current": "p", "profiles": [profile]});
        environment.write("~/.aliyun/config.json", config.to_string());
    }
    let cases: [(testing::SetUp, &str); 14] = [
        (
            |environment| environment.set("ALIBABA_CLOUD_ACCESS_KEY_ID", "id"),
            "environment: `ALIBABA_CLOUD_ACCESS_KEY_SECRET` not set",
        ),
        (
            |environment| environment.set("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s"),
            "environment: `ALIBABA_CLOUD_ACCESS_KEY_ID` not set",
        ),
        (
            |environment| environment.set("ALIBABA_CLOUD_SECURITY_TOKEN", "t"),
            "environment: `ALIBABA_CLOUD_ACCESS_KEY_ID` not set",
        ),
        (
            |environment| {
                environment.set("ALIBABA_CLOUD_ACCESS_KEY_ID", "id");
                environment.set("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s\n");
            },
            "environment: ALIBABA_CLOUD_ACCESS_KEY_SECRET begins or ends with",
        ),
        (
            |environment| environment.set("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/token"),
            "OIDC: `ALIBABA_CLOUD_ROLE_ARN` not set",
        ),
        (
            |environment| environment.set("ALIBABA_CLOUD_PROFILE", "nope"),
            "profiles: of `ALIBABA_CLOUD_PROFILE`: `~/.aliyun/config.json` not found, \
             `~/.alibabacloud/credentials` not found",
        ),
        (
            |environment| {
                environment.set("ALIBABA_CLOUD_PROFILE", "nope");
                config(environment, json!({"name": "p", "mode": "AK"}));
                environment.write("~/.alibabacloud/credentials", "[default]\n");
            },
            "profiles: of `ALIBABA_CLOUD_PROFILE`: profile `nope` of `~/.aliyun/config.json` not \
             found, section `[nope]` of `~/.alibabacloud/credentials` not found",
        ),
        (
            |environment| config(environment, json!({"name": "p", "mode": "RsaKeyPair"})),
            "profiles: profile `p` of `~/.aliyun/config.json`: mode `RsaKeyPair` is not supported",
        ),
        (
            |environment| config(environment, json!({"name": "q"})),
            "profiles: profile `p` of `~/.aliyun/config.json`, its `current`: not found",
        ),
        (
            |environment| environment.write("~/.aliyun/config.json", "{\"current\": \"p\",\n}"),
            "profiles: `~/.aliyun/config.json` is not JSON of a configuration (line 2, column 1)",
        ),
        (
            |environment| environment.set("ALIBABA_CLOUD_CONFIG_FILE", "/absent"),
            "profiles: `/absent` not found",
        ),
        (
            |environment| environment.set("ALIBABA_CLOUD_CREDENTIALS_FILE", "/absent"),
            "profiles: `/absent` not found",
        ),
        (
            |environment| {
                let text = "[default]\ntype = access_key\naccess_key_id = id\n";
                environment.write("~/.alibabacloud/credentials", text);
            },
            "profiles: section `[default]` of `~/.alibabacloud/credentials`: `access_key_secret` \
             is missing",
        ),
        (
            |environment| {
                environment.set("ALIBABA_CLOUD_ROLE_ARN", "arn");
                environment.set("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "provider");
                environment.set("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/token");
                environment.write("/token", "refused");
            },
            "OIDC: AssumeRoleWithOIDC: no such role",
        ),
    ];
    let answers = |request: &HttpRequest| match is_sts(request) {
        true => Some(reply(
            404,
            r#"{"Code":"EntityNotExist.Role","Message":"no such role","RequestId":"r"}"#,
        )),
        false => answers(request),
    };
    let source: fn() -> testing::Source<Fnf> = || Arc::new(DefaultCredentials::new());
    testing::what_is_named_ends_the_chain::<Fnf>(source, &cases, answers, is_sts).await;
}

/// One profile's name is for both files, and what the CLI writes before it is set up is no key.
#[tokio::test]
async fn a_profile_may_stand_in_either_file() {
    let environment = Environment::fake(&[("ALIBABA_CLOUD_PROFILE", "mine")]);
    let config = json!({"current": "p", "profiles": [{"name": "p", "mode": "AK",
        "access_key_id": "id-cli", "access_key_secret": "s"}]});
    environment.write("~/.aliyun/config.json", config.to_string());
    let ini = "[mine]\ntype=access_key\naccess_key_id=id-ini\naccess_key_secret=s";
    environment.write("~/.alibabacloud/credentials", ini);
    let source = DefaultCredentials::new();
    let lease = ask_offline(&source, &environment).await.unwrap();
    assert_eq!(id(lease), "id-ini");

    let environment = Environment::fake(&[]);
    let blank = json!({"current": "default", "profiles": [{"name": "default", "mode": "AK",
        "access_key_id": "", "access_key_secret": "", "region_id": "cn-hangzhou"}]});
    environment.write("~/.aliyun/config.json", blank.to_string());
    let script = Script::playing(answers);
    let lease = ask(&DefaultCredentials::new(), &environment, &script).await;
    assert_eq!(id(lease.unwrap()), "id-ecs");
}

/// A region is where the credentials are, if no variable has one.
#[tokio::test]
async fn the_region_of_the_profile_is_used() {
    let environment = Environment::fake(&[]);
    let host = || {
        let builder = crate::alibaba::ClientBuilder::of_environment(environment.clone());
        builder.build().map(|client| format!("{client:?}"))
    };
    let why = host().unwrap_err().to_string();
    for part in [
        "ALIBABA_CLOUD_REGION_ID",
        "`~/.aliyun/config.json` not found",
        "ALIBABA_CLOUD_ENDPOINT_FNF",
    ] {
        assert!(why.contains(part), "{why}");
    }
    let profile = |name: &str, region: &str| {
        json!({"name": name, "mode": "AK", "access_key_id": "i", "access_key_secret": "s",
               "region_id": region})
    };
    let config = json!({"current": "p",
        "profiles": [profile("p", "cn-beijing "), profile("q", "cn-shanghai"), profile("r", "")]});
    environment.write("~/.aliyun/config.json", config.to_string());
    assert!(host().unwrap().contains("cn-beijing.fnf.aliyuncs.com"));
    environment.set("ALIBABA_CLOUD_PROFILE", "q");
    assert!(host().unwrap().contains("cn-shanghai.fnf.aliyuncs.com"));
    environment.set("ALIBABA_CLOUD_PROFILE", "r");
    let why = host().unwrap_err().to_string();
    assert!(
        why.contains("profile `r` of `~/.aliyun/config.json`: no `region_id`"),
        "{why}"
    );
    environment.set("REGION", "eu-central-1");
    assert!(host().unwrap().contains("eu-central-1.fnf.aliyuncs.com"));
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
