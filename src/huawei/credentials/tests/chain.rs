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
    for name in ["PROVIDER_URN", "AGENCY_URN", "ID_TOKEN"] {
        environment.set(&format!("HUAWEICLOUD_OIDC_{name}"), "");
    }
    assert_eq!(found(answers).await, "ak-environment");
    for (name, _) in KEYS {
        environment.set(name, "");
    }
    assert_eq!(found(answers).await, "ak-profile");
    environment.write("~/.huaweicloud/credentials", "[global]\n");
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
        "ECS metadata: the metadata service did not answer in 3 s; not set up: \
         OIDC (`HUAWEICLOUD_OIDC_PROVIDER_URN` not set), \
         environment (`HUAWEICLOUD_SDK_AK` not set; `HW_ACCESS_KEY` not set; \
         `HW_AUTH_TOKEN` not set; `HW_DOMAIN_NAME` not set), \
         profile (`~/.huaweicloud/credentials` not found), \
         pod identity (`HC_CONTAINER_CREDENTIALS_FULL_URI` not set)"
    );
    assert!(is_passing(&error));
    let script = Script::playing(|_| Some(reply(404, "")));
    let error = ask(&DefaultCredentials::new(), &environment, &script).await;
    assert!(!is_passing(&error.unwrap_err()));
}

#[tokio::test(start_paused = true)]
async fn an_outage_does_not_change_who_the_client_is() {
    let environment = Environment::fake(&[]);
    let source = DefaultCredentials::new();
    let script = Script::playing(answers);
    let found = async |script: &Arc<Script>| ask(&source, &environment, script).await;
    assert_eq!(id(found(&script).await.unwrap()), "ak-ecs");
    // Set up later, and before it in the order: the one that served is asked again.
    for (name, value) in KEYS {
        environment.set(name, value);
    }
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

/// A mistake of the user's is the whole error, and the machine's own agency does not run the flow.
#[tokio::test(start_paused = true)]
async fn what_the_user_named_and_cannot_be_used_ends_the_chain() {
    let cases: [(testing::SetUp, &str); 8] = [
        (
            |environment| environment.set("HUAWEICLOUD_SDK_AK", "ak"),
            "environment: `HUAWEICLOUD_SDK_SK` not set",
        ),
        (
            |environment| environment.set("OS_SECRET_KEY", "sk"),
            "environment: `HW_ACCESS_KEY` not set",
        ),
        (
            |environment| {
                environment.set("HW_ACCESS_KEY", "ak");
                environment.set("OS_SECRET_KEY", "s k");
            },
            "environment: `HW_ACCESS_KEY`, `OS_SECRET_KEY`: secret_key",
        ),
        (
            |environment| environment.set("HUAWEICLOUD_SDK_IDP_ID", "idp"),
            "environment: `HUAWEICLOUD_SDK_ID_TOKEN_FILE` not set",
        ),
        (
            |environment| environment.set("HUAWEICLOUD_OIDC_AGENCY_URN", "urn"),
            "OIDC: `HUAWEICLOUD_OIDC_PROVIDER_URN` not set",
        ),
        (
            |environment| environment.set("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/absent"),
            "profile: `/absent` not found",
        ),
        (
            |environment| environment.write("~/.huaweicloud/credentials", "[basic] # x\nak = a\n"),
            "profile: section `[basic]` of `~/.huaweicloud/credentials`: `sk` is missing",
        ),
        (
            |environment| {
                for (name, value) in PASSWORD {
                    environment.set(name, value);
                }
            },
            "environment: KeystoneCreateUserTokenByPassword: no",
        ),
    ];
    let answers = |request: &HttpRequest| match request.url.path() {
        "/v3/auth/tokens" => Some(reply(401, r#"{"error_code":"IAM.0062","error_msg":"no"}"#)),
        _ => answers(request),
    };
    let source: fn() -> testing::Source<FunctionGraph> = || Arc::new(DefaultCredentials::new());
    let may_ask = |request: &HttpRequest| !is_metadata(request);
    testing::what_is_named_ends_the_chain::<FunctionGraph>(source, &cases, answers, may_ask).await;
}

const PASSWORD: [(&str, &str); 3] = [
    ("HW_DOMAIN_NAME", "d"),
    ("HW_USER_NAME", "u"),
    ("HW_USER_PASSWORD", "p"),
];

/// What locks the user is not tried again, whoever refused it, but another password is at once,
/// and the same one when the caller says so.
#[tokio::test(start_paused = true)]
async fn a_refused_password_is_forgotten_when_it_changes_or_on_demand() {
    for (status, body) in [
        (401, r#"{"error_code":"IAM.0062","error_msg":"no"}"#),
        (403, "<html>"),
    ] {
        let environment = Environment::fake(&PASSWORD);
        let script = Script::playing(move |request| {
            Some(match (request.url.path(), is_flow(request)) {
                (_, true) => done(),
                _ if body_has(request, "right") => token("t"),
                _ => reply(status, body),
            })
        });
        let client = client(DefaultCredentials::new(), &environment, &script);
        for _ in 0..5 {
            call(&client).await.unwrap_err();
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        assert_eq!(script.sent().len(), 1);
        client.clone().forget_credentials();
        call(&client).await.unwrap_err();
        assert_eq!(script.sent().len(), 1);
        environment.set("HW_USER_PASSWORD", "right");
        call(&client).await.unwrap();
        // And the one in use.
        script.sent();
        client.forget_credentials();
        call(&client).await.unwrap();
        assert_eq!(script.sent().len(), 2);
    }
}

fn body_has(request: &HttpRequest, text: &str) -> bool {
    String::from_utf8_lossy(&request.body).contains(text)
}

/// The passcode is asked for each token, and after a refusal when the device shows another one.
#[tokio::test(start_paused = true)]
async fn a_sign_in_with_a_passcode() {
    let number = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let source = IamPassword::new("d", "u", MARKER).passcode("user-id", move || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        async move {
            match number {
                2 => Err(Error::credentials("nobody is there", true, None)),
                number => Ok(format!("00000{number}")),
            }
        }
    });
    assert_eq!(format!("{source:?}"), "IamPassword(..)");
    let script = Script::playing(|request| {
        Some(match is_flow(request) {
            true => done(),
            false if body_has(request, "000000") => {
                reply(400, r#"{"error_code":"IAM.1061","error_msg":"wrong"}"#)
            }
            false => token("t"),
        })
    });
    let client = client(source, &Environment::fake(&[]), &script);
    for _ in 0..5 {
        let error = call(&client).await.unwrap_err();
        assert_eq!(error.code().unwrap().as_str(), "IAM.1061");
    }
    let sent = script.sent();
    assert_eq!(sent.len(), 1);
    let identity = &body(&sent[0].1)["auth"]["identity"];
    assert_eq!(identity["methods"], json!(["password", "totp"]));
    let user = json!({"user": {"id": "user-id", "passcode": "000000"}});
    assert_eq!(identity["totp"], user);
    assert_eq!(identity["password"]["user"]["password"], MARKER);
    tokio::time::sleep(Duration::from_secs(30)).await;
    call(&client).await.unwrap();
    client.forget_credentials();
    let error = call(&client).await.unwrap_err();
    let why = "no credential could be had: the passcode: nobody is there";
    assert!(error.is_retryable() && error.message() == why, "{error}");
}
