//! Roles taken on by key and by token.

use super::*;

fn role() -> AssumeRole {
    let key = Credentials::new("id", "secret").security_token("source-token");
    AssumeRole::new(key, "acs:ram::1:role/r")
}

#[tokio::test]
async fn a_role_taken_on_with_a_key() {
    let script = Script::new([reply(200, assumed("STS.1"))]);
    let environment = Environment::fake(&[]);
    let source = role()
        .policy(r#"{"Version": "1"}"#)
        .external_id("ext")
        .duration_seconds(900);
    let lease = ask(&source, &environment, &script).await.unwrap();
    assert_eq!(id(lease), "STS.1");
    let (_, sent) = script.sent().remove(0);
    assert_eq!(sent.method, "POST");
    assert_eq!(sent.url.host_str(), Some("sts.aliyuncs.com"));
    let seconds = wall().timestamp();
    for (name, value) in [
        ("Action", "AssumeRole"),
        ("Version", "2015-04-01"),
        ("Format", "JSON"),
        ("AccessKeyId", "id"),
        ("SecurityToken", "source-token"),
        ("SignatureVersion", "1.0"),
        ("DurationSeconds", "900"),
        ("RoleArn", "acs:ram::1:role/r"),
        ("RoleSessionName", &format!("cloud-workflows-{seconds}")),
        ("Policy", r#"{"Version": "1"}"#),
        ("ExternalId", "ext"),
    ] {
        assert_eq!(parameter(&sent, name).as_deref(), Some(value), "{name}");
    }
    assert!(parameter(&sent, "Signature").is_some());
}

#[tokio::test]
async fn sts_has_a_host_for_each_region_and_its_vpcs() {
    let host = async |source: AssumeRole, environment: &Environment| {
        let script = Script::new([reply(200, assumed("STS.1"))]);
        ask(&source, environment, &script).await.unwrap();
        script.sent()[0].1.url.host_str().unwrap().to_owned()
    };
    let environment = Environment::fake(&[("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "true")]);
    assert_eq!(host(role(), &environment).await, "sts.aliyuncs.com");
    environment.set("ALIBABA_CLOUD_STS_REGION", "cn-beijing");
    let vpc = "sts-vpc.cn-beijing.aliyuncs.com";
    assert_eq!(host(role(), &environment).await, vpc);
    let source = role().vpc(false).sts_region("us-west-1");
    assert_eq!(
        host(source, &environment).await,
        "sts.us-west-1.aliyuncs.com"
    );

    for source in [role().sts_region("a/b"), role().duration_seconds(899)] {
        let error = ask_offline(&source, &environment).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    }
}

#[tokio::test]
async fn a_role_taken_on_with_a_token_file_that_changes() {
    let environment = Environment::fake(&[]);
    let source = AssumeRoleWithOidc::from_env();
    for name in ["ROLE_ARN", "OIDC_PROVIDER_ARN", "OIDC_TOKEN_FILE"] {
        let name = format!("ALIBABA_CLOUD_{name}");
        let error = ask_offline(&source, &environment).await.unwrap_err();
        assert_eq!(error.message(), format!("`{name}` not set"));
        environment.set(&name, "/value");
    }
    let error = ask_offline(&source, &environment).await.unwrap_err();
    assert_eq!(error.message(), "the OIDC token: `/value` not found");
    environment.set("ALIBABA_CLOUD_ROLE_SESSION_NAME", "me");

    let script = Script::new([reply(200, assumed("STS.1")), reply(200, assumed("STS.2"))]);
    let context = context(&environment, &script);
    environment.write("/value", "token.1\n");
    assert_eq!(id(source.provide(&context).await.unwrap()), "STS.1");
    environment.write("/value", "token.2");
    assert_eq!(id(source.provide(&context).await.unwrap()), "STS.2");
    let sent = script.sent();
    for ((_, sent), token) in sent.iter().zip(["token.1", "token.2"]) {
        let mut names: Vec<_> = parameters(sent).into_iter().map(|(name, _)| name).collect();
        names.sort();
        assert_eq!(
            names,
            [
                "Action",
                "DurationSeconds",
                "Format",
                "OIDCProviderArn",
                "OIDCToken",
                "RoleArn",
                "RoleSessionName",
                "Timestamp",
                "Version",
            ]
        );
        assert_eq!(parameter(sent, "OIDCToken").as_deref(), Some(token));
        assert_eq!(parameter(sent, "RoleSessionName").as_deref(), Some("me"));
        let action = parameter(sent, "Action");
        assert_eq!(action.as_deref(), Some("AssumeRoleWithOIDC"));
    }
    environment.write("/value", "MAR KER");
    let error = source.provide(&context).await.unwrap_err();
    assert!(!format!("{error:?}").contains("MAR"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn sts_refuses_fails_and_hangs() {
    let environment = Environment::fake(&[]);
    let refusal = r#"{"Code":"NoPermission","Message":"not yours","RequestId":"r"}"#;
    let script = Script::new([reply(403, refusal)]);
    let error = ask(&role(), &environment, &script).await.unwrap_err();
    assert!(!is_passing(&error), "{error}");
    assert_eq!(
        error.to_string(),
        "AssumeRole: NoPermission (HTTP 403): not yours [request id r]"
    );

    let script = Script::new((0..5).map(|_| reply(503, "")));
    let error = ask(&role(), &environment, &script).await.unwrap_err();
    assert!(is_passing(&error), "{error}");

    let began = crate::pipeline::clock::monotonic();
    let script = Script::playing(|_| Some(Step::Silence));
    let error = ask(&role(), &environment, &script).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let took = crate::pipeline::clock::monotonic() - began;
    assert!(took <= Duration::from_secs(8), "{took:?}");

    let unreadable = [
        "<html>MARKER</html>",
        r#"{"Credentials":"MARKER"}"#,
        r#"{"Credentials":{"AccessKeySecret":"MARKER"}}"#,
        r#"{"AccessKeySecret":"MARKER"}"#,
    ];
    for body in unreadable {
        let script = Script::playing(move |_| Some(reply(200, body)));
        let error = ask(&role(), &environment, &script).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert!(is_passing(&error) && error.body_excerpt().is_none());
        assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
    }
}

#[tokio::test]
async fn cli_profiles_take_on_roles() {
    let environment = Environment::fake(&[]);
    let role = json!({"ram_role_arn": "arn", "ram_session_name": "s", "expired_seconds": 1200,
        "policy": "p", "external_id": "x", "sts_region": "cn-beijing", "enable_vpc": true});
    let profile = |name: &str, mode: &str, more: serde_json::Value| {
        let mut profile = role.clone();
        profile["name"] = name.into();
        profile["mode"] = mode.into();
        for (key, value) in more.as_object().unwrap() {
            profile[key] = value.clone();
        }
        profile
    };
    let config = json!({"current": "chain", "profiles": [
        profile("base", "RamRoleArn", json!({"access_key_id": "id", "access_key_secret": "s"})),
        profile("chain", "ChainableRamRoleArn", json!({"source_profile": "base"})),
        profile("oidc", "OIDC", json!({"oidc_provider_arn": "pa", "oidc_token_file": "/token"})),
        profile("ring", "ChainableRamRoleArn", json!({"source_profile": "back"})),
        profile("back", "ChainableRamRoleArn", json!({"source_profile": "ring"})),
    ]});
    environment.write("~/.aliyun/config.json", config.to_string());
    environment.write("/token", "jwt");

    let script = Script::new([reply(200, assumed("STS.1")), reply(200, assumed("STS.2"))]);
    let lease = ask(&CliProfile::new(), &environment, &script).await;
    assert_eq!(id(lease.unwrap()), "STS.2");
    let sent = script.sent();
    for ((_, sent), key) in sent.iter().zip(["id", "STS.1"]) {
        assert_eq!(sent.url.host_str(), Some("sts-vpc.cn-beijing.aliyuncs.com"));
        for (name, value) in [
            ("AccessKeyId", key),
            ("DurationSeconds", "1200"),
            ("RoleSessionName", "s"),
            ("Policy", "p"),
            ("ExternalId", "x"),
        ] {
            assert_eq!(parameter(sent, name).as_deref(), Some(value), "{name}");
        }
    }
    let script = Script::new([reply(200, assumed("STS.3"))]);
    let source = CliProfile::new().profile("oidc");
    assert_eq!(
        id(ask(&source, &environment, &script).await.unwrap()),
        "STS.3"
    );
    assert_eq!(
        parameter(&script.sent()[0].1, "OIDCToken").as_deref(),
        Some("jwt")
    );

    let source = CliProfile::new().profile("ring");
    let error = ask_offline(&source, &environment).await.unwrap_err();
    let why = "profile `ring` of `~/.aliyun/config.json`: profile `back`: `source_profile` leads \
               back to `ring`";
    assert_eq!(error.message(), why);
}

#[tokio::test]
async fn ini_sections_take_on_roles() {
    let environment = Environment::fake(&[("ALIBABA_CLOUD_CREDENTIALS_FILE", "/keys")]);
    environment.write("/token", "jwt");
    environment.write(
        "/keys",
        "[default]\ntype = ram_role_arn\naccess_key_id = id\naccess_key_secret = s\n\
         role_arn = arn\nrole_session_name = n\n[o]\ntype = oidc_role_arn\nrole_arn = arn\n\
         oidc_provider_arn = pa\noidc_token_file_path = /token\n",
    );
    let script = Script::new([reply(200, assumed("STS.1")), reply(200, assumed("STS.2"))]);
    let lease = ask(&IniProfile::new(), &environment, &script).await;
    assert_eq!(id(lease.unwrap()), "STS.1");
    let lease = ask(&IniProfile::new().profile("o"), &environment, &script).await;
    assert_eq!(id(lease.unwrap()), "STS.2");
    let sent = script.sent();
    assert_eq!(
        parameter(&sent[0].1, "RoleSessionName").as_deref(),
        Some("n")
    );
    assert_eq!(
        parameter(&sent[1].1, "OIDCProviderArn").as_deref(),
        Some("pa")
    );
}
