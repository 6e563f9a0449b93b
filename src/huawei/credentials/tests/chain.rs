//! The default chain, and clients set up by the environment.

use super::*;

const KEYS: [(&str, &str); 2] = [
    ("HUAWEICLOUD_SDK_AK", "ak-environment"),
    ("HUAWEICLOUD_SDK_SK", "secret"),
];

fn everything() -> Environment {
    let environment = Environment::fake(&KEYS);
    environment.write(
        "~/.huaweicloud/credentials",
        "[basic]\nak = ak-profile\nsk = s",
    );
    environment.set("HUAWEICLOUD_OIDC_PROVIDER_URN", "u");
    environment.set("HUAWEICLOUD_OIDC_ID_TOKEN", "jwt");
    environment.set("HC_CONTAINER_CREDENTIALS_FULL_URI", "http://agent/");
    environment.set("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/pod-token");
    environment.write("/pod-token", "jwt");
    environment
}

fn answers(request: &HttpRequest) -> Option<Step> {
    match request.url.host_str() {
        Some("169.254.169.254") => instance(request, "ak-ecs"),
        Some("sts.cn-north-4.myhuaweicloud.com") => Some(reply(200, issued("ak-oidc"))),
        Some("agent") => Some(reply(200, issued("ak-pod"))),
        _ if is_flow(request) => Some(done()),
        _ => Some(project()),
    }
}

#[tokio::test]
async fn sources_are_tried_in_the_official_order() {
    let environment = everything();
    let found = async |answers: fn(&HttpRequest) -> Option<Step>| {
        let script = Script::playing(answers);
        let lease = ask(&DefaultCredentials::new(), &environment, &script).await;
        id(lease.unwrap())
    };
    environment.set("HUAWEICLOUD_OIDC_AGENCY_URN", "a");
    assert_eq!(found(answers).await, "ak-oidc");
    environment.set("HUAWEICLOUD_OIDC_AGENCY_URN", "");
    assert_eq!(found(answers).await, "ak-environment");
    environment.set("HUAWEICLOUD_SDK_SK", "");
    assert_eq!(found(answers).await, "ak-profile");
    environment.set("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/absent");
    assert_eq!(found(answers).await, "ak-ecs");
    let off_cloud = |request: &HttpRequest| match is_metadata(request) {
        true => Some(Step::Fail(Stage::Connect)),
        false => answers(request),
    };
    assert_eq!(found(off_cloud).await, "ak-pod");
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
         OIDC: `HUAWEICLOUD_OIDC_PROVIDER_URN` not set; \
         environment: `HUAWEICLOUD_SDK_AK` not set; `HW_ACCESS_KEY` not set; \
         `HW_AUTH_TOKEN` not set; `HW_DOMAIN_NAME` not set; \
         profile: `~/.huaweicloud/credentials` not found; \
         ECS metadata: the metadata service did not answer in 3 s; \
         pod identity: `HC_CONTAINER_CREDENTIALS_FULL_URI` not set"
    );
    assert!(is_passing(&error));
    let script = Script::playing(|_| Some(reply(404, "")));
    let error = ask(&DefaultCredentials::new(), &environment, &script).await;
    assert!(!is_passing(&error.unwrap_err()));
}

#[tokio::test(start_paused = true)]
async fn an_outage_does_not_change_who_the_client_is() {
    let environment = everything();
    environment.set("HUAWEICLOUD_SDK_AK", "");
    environment.set("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/keys");
    let source = DefaultCredentials::new();
    let script = Script::playing(answers);
    let found = async |script: &Arc<Script>| ask(&source, &environment, script).await;
    assert_eq!(id(found(&script).await.unwrap()), "ak-ecs");
    // Set up later, and before it in the order: the one that served is asked again.
    environment.set("HUAWEICLOUD_SDK_AK", "ak-environment");
    assert_eq!(id(found(&script).await.unwrap()), "ak-ecs");
    let down = Script::playing(|_| Some(Step::Silence));
    assert!(is_passing(&found(&down).await.unwrap_err()));
    assert_eq!(id(found(&script).await.unwrap()), "ak-ecs");
    // Gone for good: the whole chain.
    let gone = Script::playing(|_| Some(reply(404, "")));
    assert_eq!(id(found(&gone).await.unwrap()), "ak-environment");
}

#[tokio::test]
async fn a_client_from_the_environment() {
    let environment = Environment::fake(&KEYS);
    let build = || ClientBuilder::of_environment(environment.clone()).build();
    let error = build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);

    let sent = async |builder: fn(ClientBuilder) -> ClientBuilder| {
        let script = Script::playing(|request| {
            Some(match is_flow(request) {
                true => done(),
                false => project(),
            })
        });
        let builder = builder(ClientBuilder::of_environment(environment.clone()));
        let client = builder
            .scripted(&script, Clock::starting_at(wall()))
            .build();
        call(&client.unwrap()).await.unwrap();
        paths(&script.sent())
    };
    environment.set("OS_REGION_NAME", "cn-east-3");
    let flow = |host: &str, project: &str| {
        format!("POST {host} /v2/{project}/fgs/workflows/flow/sync-executions")
    };
    assert_eq!(
        sent(|builder| builder).await,
        [
            "GET iam.cn-east-3.myhuaweicloud.com /v3/projects".to_owned(),
            flow("functiongraph.cn-east-3.myhuaweicloud.com", "looked-up"),
        ]
    );
    environment.set("HW_REGION_NAME", "cn-north-4");
    environment.set("OS_AUTH_URL", "https://iam.os.example:443/v3?x");
    assert_eq!(
        sent(|builder| builder).await,
        [
            "GET iam.os.example /v3/projects".to_owned(),
            flow("functiongraph.cn-north-4.myhuaweicloud.com", "looked-up"),
        ]
    );
    environment.set("HUAWEICLOUD_SDK_IAM_ENDPOINT", "iam.sdk.example");
    let list = "https://first.example , https://second.example";
    environment.set("HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_CN_NORTH_4", list);
    assert_eq!(
        sent(|builder| builder).await,
        [
            "GET iam.sdk.example /v3/projects".to_owned(),
            flow("first.example", "looked-up"),
        ]
    );
    assert_eq!(
        asked_for(&environment, |builder| builder).await,
        "cn-north-4"
    );
    environment.set("OS_TENANT_NAME", "cn-north-4_team");
    assert_eq!(
        asked_for(&environment, |builder| builder).await,
        "cn-north-4_team"
    );
    environment.set("HW_PROJECT_NAME", "cn-north-4_other");
    let name = asked_for(&environment, |builder| builder.project_name("told")).await;
    assert_eq!(name, "told");
    environment.set("HW_PROJECT_ID", "p-1");
    let name = asked_for(&environment, |builder| builder.project_name("told")).await;
    assert_eq!(name, "told", "said afterwards");
    assert_eq!(
        sent(|builder| builder).await,
        [flow("first.example", "p-1")]
    );
    // What is set afterwards takes its place.
    assert_eq!(
        sent(|builder| builder.region("cn-south-1").project_id("p-2")).await,
        [flow("functiongraph.cn-south-1.myhuaweicloud.com", "p-2")]
    );
    assert_eq!(
        sent(|builder| builder.endpoint("own.example")).await,
        [flow("own.example", "p-1")]
    );
    let shown = format!("{:?}", build().unwrap());
    assert!(shown.contains("DefaultCredentials"), "{shown}");
}

/// The name of the project that IAM is asked for.
async fn asked_for(
    environment: &Environment,
    builder: fn(ClientBuilder) -> ClientBuilder,
) -> String {
    let script = Script::new([project(), done()]);
    let builder = builder(ClientBuilder::of_environment(environment.clone()));
    let client = builder
        .scripted(&script, Clock::starting_at(wall()))
        .build();
    call(&client.unwrap()).await.unwrap();
    let (_, request) = script.sent().remove(0);
    let mut query = request.url.query_pairs();
    query.next().unwrap().1.into_owned()
}

/// What the client is told goes before what a credential says of itself, for every kind of them.
#[tokio::test]
async fn a_project_by_name() {
    let environment = Environment::fake(&[]);
    let sources: [(&dyn ProvideCredential<Credential>, bool); 3] = [
        (&IamPassword::new("d", "u", "p").project_id("own"), true),
        (&Token::new("t").project_id("own"), false),
        (&AccessKey::new("ak", "sk").project_id("own"), false),
    ];
    for (source, is_scoped) in sources {
        let script = Script::playing(|request| match request.url.path() {
            "/v3/projects" => Some(project()),
            _ => Some(token("t")),
        });
        let told = Context {
            project_name: Some("cn-north-4_team".to_owned()),
            ..context(&environment, &script)
        };
        let lease = source.provide(&told).await.unwrap();
        let (_, request) = script.sent().remove(0);
        if is_scoped {
            let expected = json!({"project": {"name": "cn-north-4_team"}});
            assert_eq!(body(&request)["auth"]["scope"], expected);
        } else {
            assert_eq!(request.url.query(), Some("name=cn-north-4_team"));
            FunctionGraph::check(&request);
            let project_id = match lease.into_credential() {
                Credential::Token(token) => token.project_id,
                Credential::Key(key) => key.project_id,
            };
            assert_eq!(project_id.as_deref(), Some("looked-up"));
        }
    }
}

/// An answer for another name is no answer.
#[tokio::test]
async fn a_project_of_another_name_is_not_taken() {
    let environment = Environment::fake(&[]);
    let script = Script::new([reply(200, r#"{"projects":[{"id":"x","name":"other"}]}"#)]);
    let source = AccessKey::new("ak", "sk");
    let error = source.provide(&context(&environment, &script)).await;
    let error = error.unwrap_err();
    assert!(
        error.message().contains("no project named cn-north-4"),
        "{error}"
    );
}

/// One load asks a source once, also the one that served before: refusals add up.
#[tokio::test(start_paused = true)]
async fn what_served_before_and_is_refused_is_asked_once_a_load() {
    let environment = Environment::fake(&[
        ("HW_DOMAIN_NAME", "d"),
        ("HW_USER_NAME", "u"),
        ("HW_USER_PASSWORD", "p"),
    ]);
    let source = DefaultCredentials::new();
    let script = Script::new([token("t")]);
    ask(&source, &environment, &script).await.unwrap();
    let script = Script::playing(|request| match is_metadata(request) {
        true => Some(reply(404, "")),
        false => Some(reply(401, r#"{"error_code":"IAM.0061","error_msg":"no"}"#)),
    });
    let error = ask(&source, &environment, &script).await.unwrap_err();
    assert!(error.message().contains("environment: "), "{error}");
    let paths = paths(&script.sent());
    let asked = paths.iter().filter(|path| path.contains("tokens"));
    assert_eq!(asked.count(), 1);
}

/// However soon the others may do better, the user is not locked.
#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_asked_for_once_in_five_minutes() {
    let environment = Environment::fake(&[
        ("HW_DOMAIN_NAME", "d"),
        ("HW_USER_NAME", "u"),
        ("HW_USER_PASSWORD", "p"),
    ]);
    let script = Script::playing(|request| match request.url.path() {
        "/v3/auth/tokens" => Some(reply(401, r#"{"error_code":"IAM.0061","error_msg":"no"}"#)),
        _ => Some(Step::Silence),
    });
    let client = client(DefaultCredentials::new(), &environment, &script);
    let asked = || {
        let sent = script.sent();
        assert_one_way(&sent);
        let paths = paths(&sent);
        paths.iter().filter(|path| path.contains("tokens")).count()
    };
    for _ in 0..29 {
        let error = call(&client).await.unwrap_err();
        assert!(!error.is_retryable(), "{error}");
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    assert_eq!(asked(), 1);
    tokio::time::sleep(Duration::from_secs(20)).await;
    call(&client).await.unwrap_err();
    assert_eq!(asked(), 1);
}
