//! OIDC: STS, and IAM's federation.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_agency_taken_on_with_a_token_file_that_changes() {
    let environment = Environment::fake(&[]);
    let source = OidcSts::from_env();
    for name in ["PROVIDER_URN", "AGENCY_URN", "TOKEN_FILE"] {
        let name = format!("HUAWEICLOUD_OIDC_{name}");
        let error = ask_offline(&source, &environment).await.unwrap_err();
        assert_eq!(error.message(), format!("`{name}` not set"));
        environment.set(&name, "/value");
    }
    let error = ask_offline(&source, &environment).await.unwrap_err();
    assert_eq!(error.message(), "the OIDC token: `/value` not found");
    let key = |access: &str| issued(access).replace("credential\"", "credentials\"");
    let script = Script::new([reply(200, key("ak-1")), reply(200, key("ak-2"))]);
    let context = in_project(&environment, &script);
    environment.write("/value", "token.1\n");
    assert_eq!(id(source.provide(&context).await.unwrap()), "ak-1");
    environment.write("/value", "token.2");
    for (name, value) in [
        ("HUAWEICLOUD_OIDC_SESSION_NAME", "me"),
        ("HUAWEICLOUD_OIDC_DURATION_SECONDS", "900"),
        ("HUAWEICLOUD_OIDC_POLICY", "{}"),
        ("HUAWEICLOUD_OIDC_POLICY_IDS", "a, b"),
        ("HUAWEICLOUD_SDK_STS_ENDPOINT", "sts.example"),
    ] {
        environment.set(name, value);
    }
    assert_eq!(id(source.provide(&context).await.unwrap()), "ak-2");
    let sent = script.sent();
    let at = |host: &str| format!("POST {host} /v5/agencies/assume-with-oidc");
    let hosts = [at("sts.cn-north-4.myhuaweicloud.com"), at("sts.example")];
    assert_eq!(paths(&sent), hosts);
    assert_eq!(
        body(&sent[0].1),
        json!({"provider_urn": "/value", "agency_urn": "/value", "id_token": "token.1",
               "agency_session_name": "oidc-sts-session", "duration_seconds": 3600})
    );
    assert_eq!(
        body(&sent[1].1),
        json!({"provider_urn": "/value", "agency_urn": "/value", "id_token": "token.2",
               "agency_session_name": "me", "duration_seconds": 900, "policy": "{}",
               "policy_ids": ["a", "b"]})
    );
    let script = Script::new([reply(200, key("ak-3"))]);
    let told = OidcSts::from_env()
        .session_name("told")
        .duration_seconds(1_800)
        .policy("[]")
        .policy_id("c");
    ask(&told, &environment, &script).await.unwrap();
    assert_eq!(
        body(&script.sent()[0].1),
        json!({"provider_urn": "/value", "agency_urn": "/value", "id_token": "token.2",
               "agency_session_name": "told", "duration_seconds": 1800, "policy": "[]",
               "policy_ids": ["c"]})
    );
    let down = Script::playing(|_| Some(Step::Silence));
    let error = ask(&source, &environment, &down).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Timeout && is_passing(&error));
    let refused = Script::playing(|_| Some(reply(403, r#"{"error_code":"STS.1"}"#)));
    let error = ask(&source, &environment, &refused).await.unwrap_err();
    assert!(!is_passing(&error));
}

#[tokio::test]
async fn an_id_token_becomes_a_temporary_key() {
    let environment = Environment::fake(&[
        ("HUAWEICLOUD_SDK_IDP_ID", "idp1"),
        ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", "/token"),
        ("HUAWEICLOUD_SDK_AK", "ak"),
        ("HUAWEICLOUD_SDK_SK", "sk"),
    ]);
    environment.write("/token", "FAKE.ID.TOKEN\n");
    environment.write(
        "~/.huaweicloud/credentials",
        "[basic]\nak = a\nsk = s\nidp_id = idp1\nid_token_file = /token\n",
    );
    let sources: [&dyn ProvideCredential<Credential>; 2] =
        [&EnvironmentCredentials::new(), &Profile::new()];
    for source in sources {
        let script = Script::new([
            with_header(201, "x-subject-token", "UNSCOPEDTOKEN", "{}"),
            reply(201, issued("ak-1")),
            project(),
        ]);
        let lease = source.provide(&context(&environment, &script)).await;
        assert_eq!(id(lease.unwrap()), "ak-1");
        let sent = script.sent();
        assert_one_way(&sent);
        assert_eq!(
            paths(&sent),
            [
                "POST iam.example /v3.0/OS-AUTH/id-token/tokens",
                "POST iam.example /v3.0/OS-CREDENTIAL/securitytokens",
                "GET iam.example /v3/projects",
            ]
        );
        assert_eq!(sent[0].1.headers["x-idp-id"], "idp1");
        let expected = json!({"auth": {"id_token": {"id": "FAKE.ID.TOKEN"}}});
        assert_eq!(body(&sent[0].1), expected);
        let token = json!({"id": "UNSCOPEDTOKEN", "duration_seconds": 21600});
        let expected = json!({"auth": {"identity": {"methods": ["token"], "token": token}}});
        assert_eq!(body(&sent[1].1), expected);
        assert!(!sent[1].1.headers.contains_key("x-auth-token"));
    }
}

#[tokio::test]
async fn an_agency_taken_on_with_a_token_or_a_key() {
    let environment = Environment::fake(&[]);
    let sources: [Arc<dyn ProvideCredential<Credential>>; 2] = [
        Arc::new(AssumeAgency::new(Token::new("own"), "agency", "their")),
        Arc::new(AssumeAgency::new(
            AccessKey::new("ak", "sk").project_id("own"),
            "agency",
            "their",
        )),
    ];
    for (source, header) in sources.iter().zip(["x-auth-token", "authorization"]) {
        let script = Script::new([token("of-agency"), reply(403, MARKER)]);
        let context = in_project(&environment, &script);
        let lease = source.provide(&context).await.unwrap();
        assert_eq!(id(lease), "of-agency");
        let error = source.provide(&context).await.unwrap_err();
        assert!(!is_passing(&error), "{error}");
        let sent = script.sent();
        assert_one_way(&sent);
        assert_eq!(paths(&sent)[0], "POST iam.example /v3/auth/tokens");
        assert!(sent[0].1.headers.contains_key(header));
        let expected = json!({"auth": {
            "identity": {"methods": ["assume_role"], "assume_role": {
                "agency_name": "agency", "domain_name": "their"}},
            "scope": {"project": {"id": "p"}}}});
        assert_eq!(body(&sent[0].1), expected);
    }
}
