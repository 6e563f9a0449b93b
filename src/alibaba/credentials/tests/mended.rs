//! What was wrong and is mended, and what only the CLI can renew.

use super::*;

const KEY: &str = r#"{"current":"p","profiles":[{"name":"p","mode":"AK","access_key_id":"id-1","access_key_secret":"s"}]}"#;

/// A file that was not there, or was wrong, is read again at the next call.
#[tokio::test(start_paused = true)]
async fn files_are_read_again_at_once() {
    type Source = Arc<dyn ProvideCredential<Credentials>>;
    let ini = |text: &str| format!("[default]\ntype = access_key\naccess_key_id = id-1\n{text}");
    let cli = "~/.aliyun/config.json";
    let file = "~/.alibabacloud/credentials";
    let cases: [(Source, &str, Option<String>, String); 5] = [
        (Arc::new(CliProfile::new()), cli, None, KEY.to_owned()),
        (
            Arc::new(CliProfile::new()),
            cli,
            Some(KEY.replace("\"AK\"", "\"Anonymous\"")),
            KEY.to_owned(),
        ),
        (
            Arc::new(IniProfile::new()),
            file,
            Some(ini("")),
            ini("access_key_secret = s\n"),
        ),
        (
            Arc::new(DefaultCredentials::new()),
            file,
            Some(ini("")),
            ini("access_key_secret = s\n"),
        ),
        (
            Arc::new(DefaultCredentials::new()),
            cli,
            Some("{".to_owned()),
            KEY.to_owned(),
        ),
    ];
    for (source, path, before, after) in cases {
        let environment = Environment::fake(&[]);
        let script = Script::playing(|request| match is_metadata(request) {
            true => Some(reply(404, "")),
            false => Some(started()),
        });
        let client = client(source, &environment, &script);
        if let Some(before) = before {
            environment.write(path, before);
        }
        call(&client).await.unwrap_err();
        environment.write(path, after);
        call(&client).await.unwrap();
        let (_, sent) = script.sent().pop().unwrap();
        assert_eq!(parameter(&sent, "AccessKeyId").as_deref(), Some("id-1"));
    }
}

/// A token that the service refused is not shown again, and the next one at once.
#[tokio::test(start_paused = true)]
async fn a_renewed_token_file_is_used_at_once() {
    let environment = Environment::fake(&[]);
    environment.write("/token", "old");
    let script = Script::playing(|request| {
        Some(match (is_sts(request), parameter(request, "OIDCToken")) {
            (true, Some(token)) if token == "new" => reply(200, assumed("STS.1")),
            (true, _) => reply(
                400,
                r#"{"Code":"AuthenticationFail.OIDCToken.Expired","Message":"m","RequestId":"r"}"#,
            ),
            (false, _) => started(),
        })
    });
    let source = AssumeRoleWithOidc::new("arn", "provider", "/token");
    let client = client(source, &environment, &script);
    for _ in 0..3 {
        let error = call(&client).await.unwrap_err();
        assert_eq!(
            error.code().unwrap().as_str(),
            "AuthenticationFail.OIDCToken.Expired"
        );
    }
    assert_eq!(script.sent().len(), 1);
    // Empty for a moment, while it is written.
    environment.write("/token", "");
    let error = call(&client).await.unwrap_err();
    assert!(
        error.to_string().contains("the OIDC token in `/token`"),
        "{error}"
    );
    environment.write("/token", "new");
    call(&client).await.unwrap();
}

/// A key that the service refuses again and again is not sent, until the file holds another one.
#[tokio::test(start_paused = true)]
async fn another_key_in_the_file_takes_the_place_of_one_that_is_shut() {
    let environment = Environment::fake(&[]);
    environment.write("~/.aliyun/config.json", KEY.replace("id-1", "id-bad"));
    let script = Script::playing(|request| {
        Some(match parameter(request, "AccessKeyId").as_deref() {
            Some("id-bad") => reply(
                404,
                r#"{"Code":"InvalidAccessKeyId.NotFound","Message":"m","RequestId":"r"}"#,
            ),
            _ => started(),
        })
    });
    let bad = client(CliProfile::new(), &environment, &script);
    for _ in 0..5 {
        call(&bad).await.unwrap_err();
    }
    assert_eq!(script.sent().len(), 3);
    environment.write("~/.aliyun/config.json", KEY);
    call(&bad).await.unwrap();
    // After the first refusal as well.
    environment.write("~/.aliyun/config.json", KEY.replace("id-1", "id-bad"));
    let bad = client(CliProfile::new(), &environment, &script);
    call(&bad).await.unwrap_err();
    environment.write("~/.aliyun/config.json", KEY);
    call(&bad).await.unwrap();
}

fn profile(profile: Value) -> Environment {
    let environment = Environment::fake(&[]);
    let config = json!({"current": "p", "profiles": [profile]});
    environment.write("~/.aliyun/config.json", config.to_string());
    environment
}

#[tokio::test]
async fn a_cli_profile_of_a_uri_or_of_the_machine_with_a_role() {
    let environment = profile(json!({"name": "p", "mode": "CredentialsURI",
        "credentials_uri": "http://sidecar/keys"}));
    let script = Script::new([reply(200, issued("id-uri"))]);
    let lease = ask(&CliProfile::new(), &environment, &script).await;
    assert_eq!(id(lease.unwrap()), "id-uri");
    assert_eq!(paths(&script.sent()), ["GET sidecar /keys"]);

    let environment = profile(json!({"name": "p", "mode": "RamRoleArnWithEcs",
        "ram_role_name": "my-role", "ram_role_arn": "arn", "ram_session_name": "s"}));
    let script = Script::playing(|request| match is_sts(request) {
        true => Some(reply(200, assumed("STS.1"))),
        false => instance(request, "STS.machine"),
    });
    let lease = ask(&CliProfile::new(), &environment, &script).await;
    assert_eq!(id(lease.unwrap()), "STS.1");
    let (_, sent) = script.sent().pop().unwrap();
    assert_eq!(
        parameter(&sent, "AccessKeyId").as_deref(),
        Some("STS.machine")
    );
    assert_eq!(parameter(&sent, "RoleArn").as_deref(), Some("arn"));
}

fn sso(end: i64, url: &str) -> Environment {
    profile(
        json!({"name": "p", "mode": "CloudSSO", "cloud_sso_sign_in_url": url,
        "access_token": MARKER, "cloud_sso_access_token_expire": end,
        "cloud_sso_account_id": "1", "cloud_sso_access_config": "ac-1"}),
    )
}

#[tokio::test]
async fn a_cli_profile_of_a_sign_in_with_cloud_sso() {
    let end = wall().timestamp() + 60;
    let url = "https://signin.example/start?x";
    let source = CliProfile::new();
    let body = json!({"CloudCredential": key("STS.sso"), "RequestId": "r"});
    let script = Script::new([reply(200, body.to_string()), reply(401, MARKER)]);
    let lease = ask(&source, &sso(end, url), &script).await;
    assert_eq!(id(lease.unwrap()), "STS.sso");
    let over = "profile `p` of `~/.aliyun/config.json`: the sign-in has ended: run `aliyun \
                configure --mode CloudSSO --profile p`";
    let error = ask(&source, &sso(end, url), &script).await.unwrap_err();
    assert_eq!(error.message(), over);
    let sent = script.sent();
    assert_eq!(paths(&sent)[0], "POST signin.example /cloud-credentials");
    let bearer = &sent[0].1.headers["authorization"];
    assert!(bearer == &format!("Bearer {MARKER}") && bearer.is_sensitive());
    let body: Value = serde_json::from_slice(&sent[0].1.body).unwrap();
    assert_eq!(
        body,
        json!({"AccountId": "1", "AccessConfigurationId": "ac-1"})
    );

    let error = ask_offline(&source, &sso(end - 60, url)).await.unwrap_err();
    assert_eq!(error.message(), over);
    for (url, why) in [
        ("http://signin.example/", "must be https"),
        ("ftp://signin.example/", "is not an http or https URL"),
        ("signin", "is not an http or https URL"),
    ] {
        let error = ask_offline(&source, &sso(end, url)).await.unwrap_err();
        assert!(error.message().ends_with(why), "{error}");
    }
}

/// The key that the CLI has stored is good until its end; only the CLI gets another one.
#[tokio::test(start_paused = true)]
async fn a_cli_profile_of_a_sign_in_with_oauth() {
    let oauth = |id: &str, end: i64| {
        json!({"name": "p", "mode": "OAuth", "oauth_access_token": MARKER, "access_key_id": id,
               "access_key_secret": "s", "sts_token": "t", "sts_expiration": end})
    };
    let environment = profile(oauth("STS.1", wall().timestamp() + 600));
    let script = Script::playing(|_| Some(started()));
    let client = client(CliProfile::new(), &environment, &script);
    call(&client).await.unwrap();
    tokio::time::sleep(Duration::from_secs(601)).await;
    let error = call(&client).await.unwrap_err();
    let command = "run `aliyun configure --mode OAuth --profile p`";
    assert!(error.to_string().ends_with(command), "{error}");
    let config = json!({"current": "p",
        "profiles": [oauth("STS.2", wall().timestamp() + 7_200)]});
    environment.write("~/.aliyun/config.json", config.to_string());
    call(&client).await.unwrap();
    let (_, sent) = script.sent().pop().unwrap();
    assert_eq!(parameter(&sent, "AccessKeyId").as_deref(), Some("STS.2"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_variable_forbids_programs() {
    let mark = std::env::temp_dir().join(format!("cloud-workflows-ran-{}", std::process::id()));
    let environment = profile(json!({"name": "p", "mode": "External",
        "process_command": format!("touch '{}'", mark.display())}));
    environment.set("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS", "True");
    let error = ask_offline(&CliProfile::new(), &environment)
        .await
        .unwrap_err();
    let why = ": no program is run: `ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS` is `true`";
    assert!(error.message().ends_with(why), "{error}");
    assert!(!mark.exists(), "it was run");
}

#[tokio::test]
async fn the_user_of_a_credentials_uri_is_sent_as_basic() {
    let environment = Environment::fake(&[]);
    for (user, expected) in [
        ("user:word", Some("Basic dXNlcjp3b3Jk")),
        ("us%3Aer:w%40rd", Some("Basic dXM6ZXI6d0ByZA==")),
        ("user", Some("Basic dXNlcjo=")),
        ("", None),
    ] {
        let at = if user.is_empty() { "" } else { "@" };
        let source = CredentialsUri::new(format!("http://{user}{at}sidecar/keys?a=b"));
        let script = Script::new([reply(200, issued("STS.1"))]);
        ask(&source, &environment, &script).await.unwrap();
        let (_, sent) = script.sent().remove(0);
        assert_eq!(sent.url.as_str(), "http://sidecar/keys?a=b");
        let header = sent.headers.get("authorization");
        assert_eq!(header.map(|value| value.to_str().unwrap()), expected);
        assert!(header.is_none_or(http::HeaderValue::is_sensitive));
    }
}
