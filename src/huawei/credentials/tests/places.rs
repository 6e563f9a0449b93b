//! Which IAM and STS are asked, and what may not be sent there.

use super::*;
use crate::pipeline::retry::RetryPolicy;

fn password() -> IamPassword {
    IamPassword::new("domain", "user", "password")
}

fn oidc(environment: &Environment) -> OidcSts {
    environment.write("/token", "token");
    OidcSts::new("provider", "agency", "/token")
}

/// The hosts that were asked, by a client that is set up so.
async fn hosts(
    environment: &Environment,
    set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<Vec<String>, Error> {
    let script = Script::playing(|request| match request.url.path() {
        "/v3/auth/tokens" => Some(token("t")),
        "/v3/projects" => Some(project()),
        path if path.starts_with("/v5/") => Some(reply(
            200,
            issued("ak").replace("credential\"", "credentials\""),
        )),
        _ => Some(done()),
    });
    let client = set_up(Client::builder().project_id("p"))
        .environment(environment)
        .scripted(&script, Clock::starting_at(wall()))
        .build()?;
    call(&client).await?;
    let host = |request: &HttpRequest| request.url.host_str().unwrap().to_owned();
    Ok(script
        .sent()
        .iter()
        .map(|(_, request)| host(request))
        .collect())
}

/// Why no credential was had.
fn why(error: &Error) -> String {
    assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_region_asks_its_own_iam_and_sts_or_its_countrys() {
    let environment = Environment::fake(&[]);
    for (region, iam, sts, domain) in [
        ("cn-north-4", "iam.cn-north-4", "sts.cn-north-4", "com"),
        ("cn-north-1", "iam.cn-north-1", "sts.cn-north-4", "com"),
        ("cn-north-11", "iam", "sts.cn-north-4", "com"),
        ("cn-south-4", "iam", "sts.cn-north-4", "com"),
        ("CN-SOUTHWEST-3", "iam", "sts.cn-north-4", "com"),
        ("af-south-1", "iam.af-south-1", "sts.af-south-1", "com"),
        ("me-east-1", "iam.me-east-1", "sts.me-east-1", "com"),
        ("eu-west-0", "iam.eu-west-0", "sts.eu-west-0", "com"),
        (
            "ap-southeast-5",
            "iam.ap-southeast-5",
            "sts.ap-southeast-5",
            "com",
        ),
        ("eu-west-101", "iam.eu-west-101", "sts.eu-west-101", "eu"),
        ("EU-WEST-142", "iam.eu-west-142", "sts.eu-west-142", "eu"),
        ("eu-west-1", "iam.eu-west-1", "sts.eu-west-1", "com"),
        (
            "eu-west-1010",
            "iam.eu-west-1010",
            "sts.eu-west-1010",
            "com",
        ),
        ("private-1", "iam.private-1", "sts.private-1", "com"),
    ] {
        let name = region.to_ascii_lowercase();
        let flow = format!("functiongraph.{name}.myhuaweicloud.{domain}");
        let of_password = |builder: ClientBuilder| builder.region(region).credentials(password());
        let asked = hosts(&environment, of_password).await.unwrap();
        assert_eq!(
            asked,
            [format!("{iam}.myhuaweicloud.{domain}"), flow.clone()]
        );
        let of_token = oidc(&environment);
        let of_token = |builder: ClientBuilder| builder.region(region).credentials(of_token);
        let asked = hosts(&environment, of_token).await.unwrap();
        assert_eq!(asked, [format!("{sts}.myhuaweicloud.{domain}"), flow]);
    }
    let by_hand = "functiongraph.cn-north-4.myhuaweicloud.com";
    let of_password = |builder: ClientBuilder| builder.endpoint(by_hand).credentials(password());
    let asked = hosts(&environment, of_password).await.unwrap();
    assert_eq!(asked, ["iam.myhuaweicloud.com", by_hand]);
}

#[tokio::test]
async fn a_service_elsewhere_needs_an_iam_or_sts_that_is_set() {
    let environment = Environment::fake(&[]);
    let elsewhere =
        |builder: ClientBuilder| builder.region("cn-north-4").endpoint("flows.private.test");
    let sources: [(testing::Source<FunctionGraph>, &str); 4] = [
        (Arc::new(password()), "iam_endpoint"),
        (
            Arc::new(AssumeAgency::new(Token::new("t"), "a", "d")),
            "iam_endpoint",
        ),
        (Arc::new(IdToken::new("idp", "/token")), "iam_endpoint"),
        (Arc::new(oidc(&environment)), "HUAWEICLOUD_SDK_STS_ENDPOINT"),
    ];
    for (source, setting) in sources {
        let with = |builder| elsewhere(builder).credentials(source);
        let error = hosts(&environment, with).await.unwrap_err();
        assert!(
            why(&error).contains(&format!("{setting}: is missing")),
            "{error}"
        );
    }
    let set = |builder| {
        elsewhere(builder)
            .credentials(password())
            .iam_endpoint("iam.private.test")
    };
    let asked = hosts(&environment, set).await.unwrap();
    assert_eq!(asked, ["iam.private.test", "flows.private.test"]);
    let of_token = oidc(&environment);
    environment.set("HUAWEICLOUD_SDK_STS_ENDPOINT", "sts.private.test\n");
    let asked = hosts(&environment, |builder| {
        elsewhere(builder).credentials(of_token)
    })
    .await;
    assert_eq!(asked.unwrap(), ["sts.private.test", "flows.private.test"]);

    // What needs neither is sent as it is; a key whose project is not known needs IAM.
    let key = || AccessKey::new("ak", "sk");
    for source in [Credential::from(key()), Token::new("t").into()] {
        let source: testing::Source<FunctionGraph> = match source {
            Credential::Key(key) => Arc::new(key),
            Credential::Token(token) => Arc::new(token),
        };
        let asked = hosts(&environment, |builder| {
            elsewhere(builder).credentials(source)
        })
        .await;
        assert_eq!(asked.unwrap(), ["flows.private.test"]);
    }
    let open = |_| elsewhere(Client::builder()).credentials(key());
    let error = hosts(&environment, open).await.unwrap_err();
    assert!(why(&error).contains("iam_endpoint: is missing"), "{error}");
    let lent = Context {
        foreign: true,
        auth_endpoint: None,
        ..in_project(&environment, &Script::new([]))
    };
    let error = password().provide(&lent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
}

#[tokio::test]
async fn a_service_on_this_machine_switches_no_proxy_off_for_iam() {
    let (proxy, asked) = testing::proxy();
    let environment = Environment::fake(&[("HTTPS_PROXY", &proxy)]);
    let client = Client::builder()
        .region("eu-west-101")
        .endpoint("http://127.0.0.1:9")
        .credentials(password())
        .retry(RetryPolicy::never())
        .environment(&environment)
        .build()
        .unwrap();
    call(&client).await.unwrap_err();
    let line = "CONNECT iam.eu-west-101.myhuaweicloud.eu:443 HTTP/1.1";
    assert_eq!(asked.recv().unwrap(), line);
}

#[test]
fn settings_that_break_a_rule_name_their_variable() {
    let refused = |variables: &[(&str, &str)]| {
        let builder = ClientBuilder::of_environment(Environment::fake(variables));
        let error = builder.build().map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        error.to_string()
    };
    let message = refused(&[]);
    assert!(
        message.contains("HW_REGION_NAME") && message.contains("OS_REGION_NAME"),
        "{message}"
    );
    let region = ("OS_REGION_NAME", " cn-north-4\r\n");
    for (name, value) in [
        ("HW_REGION_NAME", "cn north"),
        ("HUAWEICLOUD_SDK_IAM_ENDPOINT", "https://user:MARK@x.test"),
        ("OS_AUTH_URL", "https://MARK er/v3"),
        (
            "HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_CN_NORTH_4",
            " , ftp://MARK,https://x",
        ),
        ("HW_PROJECT_ID", "MARK/er"),
        ("all_proxy", "htttp://user:MARK@x.test"),
    ] {
        let message = refused(&[region, (name, value)]);
        assert!(
            message.contains(name) && !message.contains("MARK"),
            "{message}"
        );
    }
    let long = "n".repeat(65);
    let message = refused(&[region, ("OS_TENANT_NAME", &long)]);
    assert!(
        message.contains("project_name") && message.contains("OS_TENANT_NAME"),
        "{message}"
    );

    let environment = Environment::fake(&[region, ("HW_PROJECT_ID", "p\n")]);
    assert!(ClientBuilder::of_environment(environment).build().is_ok());
    let builder = Client::builder()
        .endpoint("https://user:MARK@x.test/?MARK")
        .iam_endpoint("MARK");
    assert!(!format!("{builder:?}").contains("MARK"));
}
