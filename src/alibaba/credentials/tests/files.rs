//! Variables, profiles of the CLI, sections of the ini file.

use super::*;

const CONFIG: &str = "~/.aliyun/config.json";

fn config(profiles: serde_json::Value) -> String {
    json!({"current": "p", "profiles": profiles}).to_string()
}

fn with_profile(profile: serde_json::Value) -> Environment {
    let environment = Environment::fake(&[]);
    environment.write(CONFIG, config(json!([profile])));
    environment
}

async fn refused(
    source: &impl ProvideCredential<Credentials>,
    environment: &Environment,
) -> String {
    let error = ask_offline(source, environment).await.unwrap_err();
    assert!(!is_passing(&error), "{error}");
    error.to_string()
}

#[tokio::test]
async fn keys_in_variables() {
    let environment = Environment::fake(&[]);
    let source = EnvironmentCredentials::new();
    let why = refused(&source, &environment).await;
    assert_eq!(why, "`ALIBABA_CLOUD_ACCESS_KEY_ID` not set");
    environment.set("ALIBABA_CLOUD_ACCESS_KEY_ID", "id");
    environment.set("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "");
    let why = refused(&source, &environment).await;
    assert_eq!(why, "`ALIBABA_CLOUD_ACCESS_KEY_SECRET` not set");

    environment.set("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret");
    let key = ask_offline(&source, &environment).await.unwrap();
    let key = key.into_credential();
    assert_eq!(key.access_key_id, "id");
    assert!(key.security_token.is_none());
    environment.set("ALIBABA_CLOUD_SECURITY_TOKEN", "token");
    let key = ask_offline(&source, &environment).await.unwrap();
    assert_eq!(
        key.into_credential().security_token.unwrap().expose(),
        "token"
    );
}

#[tokio::test]
async fn keys_in_a_cli_profile_follow_the_file() {
    let source = CliProfile::new();
    let environment = Environment::fake(&[]);
    let why = refused(&source, &environment).await;
    assert_eq!(why, "`~/.aliyun/config.json` not found");

    let key = |name: &str, id: &str| {
        json!({"name": name, "mode": "AK", "access_key_id": id, "access_key_secret": "s",
               "sts_token": "", "language": null, "unknown": {"a": [1]}})
    };
    environment.write(CONFIG, config(json!([key("q", "id-q"), key("p", "id-1")])));
    assert_eq!(
        id(ask_offline(&source, &environment).await.unwrap()),
        "id-1"
    );
    // Rotated between refreshes.
    environment.write(CONFIG, config(json!([key("q", "id-q"), key("p", "id-2")])));
    assert_eq!(
        id(ask_offline(&source, &environment).await.unwrap()),
        "id-2"
    );

    environment.set("ALIBABA_CLOUD_PROFILE", "q");
    assert_eq!(
        id(ask_offline(&source, &environment).await.unwrap()),
        "id-q"
    );
    let named = source.clone().profile("p");
    assert_eq!(id(ask_offline(&named, &environment).await.unwrap()), "id-2");

    environment.write("/elsewhere.json", config(json!([key("q", "id-3")])));
    environment.set("ALIBABA_CLOUD_CONFIG_FILE", "/elsewhere.json");
    assert_eq!(
        id(ask_offline(&source, &environment).await.unwrap()),
        "id-3"
    );
    let named = source.clone().file("/test-home/.aliyun/config.json");
    assert_eq!(id(ask_offline(&named, &environment).await.unwrap()), "id-q");
    environment.set("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "TRUE");
    let why = refused(&source, &environment).await;
    assert_eq!(why, "switched off by `ALIBABA_CLOUD_CLI_PROFILE_DISABLED`");
}

#[tokio::test]
async fn a_cli_profile_with_an_sts_token() {
    let environment = with_profile(json!({"name": "p", "mode": "StsToken",
        "access_key_id": "STS.id", "access_key_secret": "s", "sts_token": "t"}));
    let key = ask_offline(&CliProfile::new(), &environment).await.unwrap();
    assert_eq!(key.into_credential().security_token.unwrap().expose(), "t");
}

#[tokio::test]
async fn a_cli_profile_that_cannot_serve_says_why() {
    for (profile, why) in [
        (json!({"name": "q"}), ", its `current`: not found"),
        (json!({"name": "p"}), ": `mode` is missing"),
        (
            json!({"name": "p", "mode": "AK", "access_key_id": "id"}),
            ": `access_key_secret` is missing",
        ),
        (
            json!({"name": "p", "mode": "BearerToken", "bearer_token": MARKER}),
            ": mode `BearerToken` is not supported",
        ),
        (
            json!({"name": "p", "mode": "CloudSSO", "access_token": MARKER}),
            ": `cloud_sso_sign_in_url` is missing",
        ),
        (
            json!({"name": "p", "mode": "OIDC", "ram_role_arn": "a"}),
            ": `oidc_provider_arn` is missing",
        ),
        (
            json!({"name": "p", "mode": "RamRoleArn", "access_key_id": "id",
                   "access_key_secret": "s", "ram_role_arn": "a", "expired_seconds": "soon"}),
            ": `expired_seconds` is not a number of seconds",
        ),
        (
            json!({"name": "p", "mode": "ChainableRamRoleArn", "ram_role_arn": "a",
                   "source_profile": "p"}),
            ": `source_profile` leads back to `p`",
        ),
    ] {
        let environment = with_profile(profile);
        let said = refused(&CliProfile::new(), &environment).await;
        assert_eq!(said, format!("profile `p` of `~/.aliyun/config.json`{why}"));
    }
    let environment = Environment::fake(&[]);
    for text in [
        "",
        "[]",
        "{\"current\": \"p\"",
        "\"MARKER/+=secret\"",
        "{\"profiles\": {}}",
    ] {
        environment.write(CONFIG, text);
        let why = refused(&CliProfile::new(), &environment).await;
        assert!(why.starts_with("`~/.aliyun/config.json` "), "{why}");
        assert!(!why.contains("MARKER"), "{why}");
    }
    environment.set("HOME", "");
    assert_eq!(
        refused(&CliProfile::new(), &environment).await,
        "`HOME` not set"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_cli_profile_runs_a_program() {
    let path = std::env::temp_dir().join(format!("cloud-workflows-{}.json", std::process::id()));
    let environment = with_profile(json!({"name": "p", "mode": "External",
        "process_command": format!("cat {}", path.display())}));
    let source = CliProfile::new();
    let print = |text: serde_json::Value| std::fs::write(&path, text.to_string()).unwrap();

    print(json!({"mode": "AK", "access_key_id": "id", "access_key_secret": "s"}));
    assert_eq!(id(ask_offline(&source, &environment).await.unwrap()), "id");
    print(
        json!({"mode": "StsToken", "access_key_id": "STS.id", "access_key_secret": "s",
                 "sts_token": "t", "expiration": expiration("%Y-%m-%dT%H:%M:%SZ")}),
    );
    assert_eq!(
        id(ask_offline(&source, &environment).await.unwrap()),
        "STS.id"
    );
    for (printed, why) in [
        (
            json!(["x"]),
            "what the credential process wrote is not a JSON object",
        ),
        (json!({"mode": "AK"}), "`access_key_id` is missing"),
        (
            json!({"mode": "OIDC"}),
            "the credential process gave neither `AK` nor `StsToken`",
        ),
        (
            json!({"mode": "AK", "access_key_id": "i", "access_key_secret": "s",
                   "expiration": "soon"}),
            "`expiration` is not a time",
        ),
    ] {
        print(printed);
        let said = refused(&source, &environment).await;
        assert_eq!(
            said,
            format!("profile `p` of `~/.aliyun/config.json`: {why}")
        );
    }
    std::fs::remove_file(&path).unwrap();
    let why = refused(&source, &environment).await;
    assert!(
        why.ends_with(": the credential process ended with exit status: 1"),
        "{why}"
    );
}

/// Without an end, what a program prints is good for the calls that wait for it and no others.
#[cfg(unix)]
#[tokio::test]
async fn a_program_that_tells_no_end_is_run_for_every_call() {
    let path = std::env::temp_dir().join(format!("cloud-workflows-{}.key", std::process::id()));
    let environment = with_profile(json!({"name": "p", "mode": "External",
        "process_command": format!("cat {}", path.display())}));
    let script = Script::playing(|_| Some(started()));
    let client = client(CliProfile::new(), &environment, &script);
    for id in ["id-1", "id-2"] {
        let key = json!({"mode": "AK", "access_key_id": id, "access_key_secret": "s"});
        std::fs::write(&path, key.to_string()).unwrap();
        call(&client).await.unwrap();
        let sent = script.sent();
        assert_eq!(parameter(&sent[0].1, "AccessKeyId").as_deref(), Some(id));
    }
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn sections_of_the_ini_file() {
    let source = IniProfile::new();
    let environment = Environment::fake(&[]);
    let why = refused(&source, &environment).await;
    assert_eq!(why, "`~/.alibabacloud/credentials` not found");

    let text = "# keys\n; more\nstray = 1\n[default]\nenable = true\nType = access_key # static\n\
                access_key_id=id-1\r\naccess_key_secret = s = 1\n\n[ other ]\ntype = access_key\n\
                access_key_id = id-2\naccess_key_secret = s\n";
    environment.write("~/.alibabacloud/credentials.ini", text);
    let why = refused(&source, &environment).await;
    assert!(why.contains("access_key_secret holds a space"), "{why}");
    let text = text.replace("s = 1", "s");
    environment.write("~/.alibabacloud/credentials.ini", &text);
    assert_eq!(
        id(ask_offline(&source, &environment).await.unwrap()),
        "id-1"
    );
    // Rotated; and the name without an ending comes first.
    environment.write("~/.alibabacloud/credentials", text.replace("id-1", "id-3"));
    assert_eq!(
        id(ask_offline(&source, &environment).await.unwrap()),
        "id-3"
    );
    environment.set("ALIBABA_CLOUD_PROFILE", "other");
    assert_eq!(
        id(ask_offline(&source, &environment).await.unwrap()),
        "id-2"
    );
    let named = source.clone().profile("absent");
    let why = refused(&named, &environment).await;
    assert_eq!(
        why,
        "section `[absent]` of `~/.alibabacloud/credentials` not found"
    );

    environment.set("ALIBABA_CLOUD_CREDENTIALS_FILE", "/keys");
    assert_eq!(refused(&source, &environment).await, "`/keys` not found");
    for (section, why) in [
        ("", "`type` is missing"),
        ("type = access_key", "`access_key_id` is missing"),
        ("type = sts", "type `sts` is not supported"),
        (
            "type = rsa_key_pair",
            "type `rsa_key_pair` is not supported: use an access key or a role",
        ),
    ] {
        environment.write("/keys", format!("[other]\n{section}\n"));
        let refused = refused(&source, &environment).await;
        assert_eq!(refused, format!("section `[other]` of `/keys`: {why}"));
    }
}

/// Line ends from files and letters that look right are told from what the service would refuse.
#[tokio::test]
async fn secrets_that_cannot_be_right_are_refused_unseen() {
    for secret in [
        "MARKER\n",
        " MARKER",
        "MARKER\u{e9}",
        "MARK\u{0}ER",
        "MARKER\u{200b}",
    ] {
        let environment = Environment::fake(&[
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "id"),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret),
        ]);
        let error = ask_offline(&EnvironmentCredentials::new(), &environment).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        assert!(!format!("{error} {error:?}").contains("MARK"), "{error}");
        let environment = with_profile(json!({"name": "p", "mode": "AK",
            "access_key_id": "id", "access_key_secret": secret}));
        let error = ask_offline(&CliProfile::new(), &environment).await;
        let error = error.unwrap_err();
        let place = "profile `p` of `~/.aliyun/config.json`: access_key_secret ";
        assert!(error.message().starts_with(place), "{error}");
        assert!(!format!("{error} {error:?}").contains("MARK"), "{error}");
    }
}

/// As deep as a file of 1 MiB could lead, it would end the whole program.
#[tokio::test]
async fn a_chain_of_profiles_is_followed_to_a_bound() {
    let chain = |links: usize| {
        let role = |i: usize| {
            json!({"name": format!("p{i}"), "mode": "ChainableRamRoleArn", "ram_role_arn": "a",
                   "source_profile": format!("p{}", i + 1)})
        };
        let key = json!({"name": format!("p{links}"), "mode": "AK", "access_key_id": "id",
                         "access_key_secret": "s"});
        let profiles: Vec<_> = (0..links).map(role).chain([key]).collect();
        let environment = Environment::fake(&[]);
        let file = json!({"current": "p0", "profiles": profiles});
        environment.write(CONFIG, file.to_string());
        environment
    };
    let why = refused(&CliProfile::new(), &chain(9_000)).await;
    assert_eq!(
        why,
        "profile `p0` of `~/.aliyun/config.json`: profile `p15`: `source_profile` leads further \
         than 16 profiles"
    );
    // Sixteen are followed, as far as the first call of STS, which is not allowed to happen here.
    let script = Script::new([Step::Fail(Stage::Certificate)]);
    let source = CliProfile::new();
    let error = ask(&source, &chain(15), &script).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
}
