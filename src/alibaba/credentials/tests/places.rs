//! Which STS a role is taken on at, and what may not be sent there.

use super::*;
use crate::{alibaba::ClientBuilder, pipeline::retry::RetryPolicy};

fn role() -> AssumeRole {
    AssumeRole::new(Credentials::new("id", "secret"), "acs:ram::1:role/r")
}

/// The host that was asked for a key, by a client that is set up so.
async fn sts_of(
    environment: &Environment,
    set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<String, Error> {
    let script = Script::playing(|request| match parameter(request, "Action").as_deref() {
        Some("AssumeRole" | "AssumeRoleWithOIDC") => Some(reply(200, assumed("STS.1"))),
        _ => Some(started()),
    });
    let client = set_up(Client::builder().credentials(role()))
        .environment(environment)
        .scripted(&script, Clock::starting_at(wall()))
        .build()?;
    call(&client).await?;
    let (_, first) = script.sent().remove(0);
    Ok(first.url.host_str().unwrap().to_owned())
}

/// Why no credential was had.
fn why(error: &Error) -> String {
    assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_region_beyond_the_list_has_an_sts_of_its_own() {
    let environment = Environment::fake(&[]);
    for (region, host) in [
        ("cn-hangzhou", "sts.aliyuncs.com"),
        ("us-west-1", "sts.aliyuncs.com"),
        ("CN-Qingdao", "sts.aliyuncs.com"),
        ("ap-southeast-5", "sts.ap-southeast-5.aliyuncs.com"),
        ("eu-central-1", "sts.eu-central-1.aliyuncs.com"),
        (
            "cn-hangzhou-finance",
            "sts.cn-hangzhou-finance.aliyuncs.com",
        ),
    ] {
        let asked = sts_of(&environment, |builder| builder.region(region)).await;
        assert_eq!(asked.unwrap(), host);
    }
    let by_hand = |builder: ClientBuilder| builder.endpoint("eu-central-1.fnf.aliyuncs.com");
    assert_eq!(
        sts_of(&environment, by_hand).await.unwrap(),
        "sts.aliyuncs.com"
    );
    let inside = role().vpc(true);
    let inside = |builder: ClientBuilder| builder.region("eu-central-1").credentials(inside);
    let vpc = "sts-vpc.eu-central-1.aliyuncs.com";
    assert_eq!(sts_of(&environment, inside).await.unwrap(), vpc);
}

#[tokio::test]
async fn an_sts_that_is_set_goes_before_the_regions() {
    let environment = Environment::fake(&[]);
    let asked =
        |builder: ClientBuilder| builder.region("eu-central-1").sts_endpoint("sts.own.test");
    assert_eq!(sts_of(&environment, asked).await.unwrap(), "sts.own.test");
    environment.set("ALIBABA_CLOUD_STS_REGION", " cn-beijing\n");
    assert_eq!(sts_of(&environment, asked).await.unwrap(), "sts.own.test");
    let asked = sts_of(&environment, |builder| builder.region("eu-central-1")).await;
    assert_eq!(asked.unwrap(), "sts.cn-beijing.aliyuncs.com");
    environment.set("ALIBABA_CLOUD_STS_REGION", "cn beijing");
    let asked = sts_of(&environment, |builder| builder.region("eu-central-1")).await;
    let message = why(&asked.unwrap_err());
    assert!(message.contains("white space"), "{message}");
    assert!(message.contains("ALIBABA_CLOUD_STS_REGION"), "{message}");
}

#[tokio::test]
async fn a_service_elsewhere_needs_an_sts_that_is_set() {
    for host in [
        "fnf.private.test",
        "aliyuncs.com.private.test",
        "notaliyuncs.com",
        "10.0.0.7",
    ] {
        let environment = Environment::fake(&[]);
        let elsewhere = |builder: ClientBuilder| builder.region("cn-hangzhou").endpoint(host);
        let error = sts_of(&environment, elsewhere).await.unwrap_err();
        assert!(why(&error).contains("sts_endpoint: is missing"), "{error}");

        let set = |builder| elsewhere(builder).sts_endpoint("sts.private.test");
        assert_eq!(sts_of(&environment, set).await.unwrap(), "sts.private.test");
        let of_source = role().sts_region("cn-beijing");
        let of_source = |builder| elsewhere(builder).credentials(of_source);
        let beijing = "sts.cn-beijing.aliyuncs.com";
        assert_eq!(sts_of(&environment, of_source).await.unwrap(), beijing);
        environment.set("ALIBABA_CLOUD_STS_REGION", "cn-beijing");
        assert_eq!(sts_of(&environment, elsewhere).await.unwrap(), beijing);

        let key = |builder| elsewhere(builder).credentials(Credentials::new("id", "secret"));
        assert_eq!(sts_of(&Environment::fake(&[]), key).await.unwrap(), host);
    }
    let environment = Environment::fake(&[("FNF_ENDPOINT", "fnf.private.test")]);
    let by_variable = |_| ClientBuilder::of_environment(environment.clone()).credentials(role());
    let error = sts_of(&environment, by_variable).await.unwrap_err();
    assert!(why(&error).contains("sts_endpoint: is missing"), "{error}");
    let lent = Context {
        foreign: true,
        ..context(&environment, &Script::new([]))
    };
    let error = role().provide(&lent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    for own in [
        "http://127.0.0.1:9",
        "localhost",
        "cn-hangzhou.fnf.aliyuncs.com",
    ] {
        let asked = sts_of(&Environment::fake(&[]), |builder| builder.endpoint(own)).await;
        assert_eq!(asked.unwrap(), "sts.aliyuncs.com", "{own}");
    }
}

#[tokio::test]
async fn a_service_on_this_machine_switches_no_proxy_off_for_sts() {
    let (proxy, asked) = testing::proxy();
    let environment = Environment::fake(&[("HTTPS_PROXY", &proxy)]);
    let client = Client::builder()
        .endpoint("http://127.0.0.1:9")
        .credentials(role())
        .retry(RetryPolicy::never())
        .environment(&environment)
        .build()
        .unwrap();
    call(&client).await.unwrap_err();
    assert_eq!(
        asked.recv().unwrap(),
        "CONNECT sts.aliyuncs.com:443 HTTP/1.1"
    );
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
    for name in ["ALIBABA_CLOUD_REGION_ID", "ALICLOUD_REGION", "FNF_ENDPOINT"] {
        assert!(message.contains(name), "{message}");
    }
    let message = refused(&[("ALICLOUD_REGION", "cn hangzhou")]);
    assert!(
        message.contains("white space") && message.contains("ALICLOUD_REGION"),
        "{message}"
    );
    let message = refused(&[("FNF_ENDPOINT", "https://user:MARK@x.test")]);
    assert!(
        message.contains("FNF_ENDPOINT") && !message.contains("MARK"),
        "{message}"
    );
    let region = ("REGION", "cn-hangzhou");
    let message = refused(&[region, ("HTTPS_PROXY", "http://user:MA\"RK@x.test")]);
    assert!(
        message.contains("HTTPS_PROXY") && !message.contains("RK@"),
        "{message}"
    );

    let environment = Environment::fake(&[("REGION", " cn-hangzhou\r\n")]);
    assert!(ClientBuilder::of_environment(environment).build().is_ok());
    let builder = Client::builder()
        .endpoint("https://user:MARK@x.test/?MARK")
        .sts_endpoint("MARK");
    assert!(!format!("{builder:?}").contains("MARK"));
}
