//! A marked secret is in nothing that prints, in no encoding.

use std::error::Error as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::*;

fn assert_silent(what: &impl fmt::Debug) {
    let text = format!("{what:?} {what:#?}");
    let percent: String = url::form_urlencoded::byte_serialize(MARKER.as_bytes()).collect();
    for form in [
        MARKER.to_owned(),
        "MARKER".to_owned(),
        percent,
        MARKER
            .replace('/', "%2F")
            .replace('+', "%2B")
            .replace('=', "%3D"),
        STANDARD.encode(MARKER),
    ] {
        assert!(!text.contains(&form), "{form} in {text}");
    }
}

/// The error, its words and those of all its causes.
fn assert_error_is_silent(error: &Error) {
    assert_silent(error);
    assert_silent(&error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        assert_silent(&error.to_string());
        cause = error.source();
    }
}

/// Every source, with a marker in every value that may be secret.
fn marked() -> (Environment, Vec<Box<dyn ProvideCredential<Credentials>>>) {
    let environment = Environment::fake(&[
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "id"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", MARKER),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", MARKER),
    ]);
    environment.write("/token", MARKER);
    let key = || Credentials::new("id", MARKER).security_token(MARKER);
    let profile = |name: &str, mode: &str| {
        json!({"name": name, "mode": mode, "access_key_id": "id", "access_key_secret": MARKER,
               "sts_token": MARKER, "ram_role_arn": "arn", "oidc_provider_arn": "pa",
               "oidc_token_file": "/token", "source_profile": "AK", "external_id": MARKER,
               "process_command": format!("false {MARKER}")})
    };
    let modes = [
        "AK",
        "StsToken",
        "RamRoleArn",
        "ChainableRamRoleArn",
        "EcsRamRole",
        "OIDC",
        "External",
        "OAuth",
    ];
    let profiles: Vec<_> = modes.iter().map(|mode| profile(mode, mode)).collect();
    let config = json!({"current": "AK", "profiles": profiles});
    environment.write("~/.aliyun/config.json", config.to_string());
    environment.write(
        "~/.alibabacloud/credentials",
        format!("[default]\ntype=access_key\naccess_key_id=id\naccess_key_secret={MARKER}\n"),
    );
    let mut sources: Vec<Box<dyn ProvideCredential<Credentials>>> = vec![
        Box::new(EnvironmentCredentials::new()),
        Box::new(key()),
        Box::new(IniProfile::new()),
        Box::new(EcsRamRole::new()),
        Box::new(AssumeRole::new(key(), "arn").external_id(MARKER)),
        Box::new(AssumeRoleWithOidc::new("arn", "pa", "/token")),
        Box::new(CredentialsUri::new(format!("http://sidecar/?{MARKER}"))),
        Box::new(DefaultCredentials::new()),
    ];
    for mode in modes {
        sources.push(Box::new(CliProfile::new().profile(mode)));
    }
    (environment, sources)
}

#[tokio::test(start_paused = true)]
async fn no_source_lease_or_error_shows_a_secret() {
    type Answer = fn(&HttpRequest) -> Option<Step>;
    let answers: [Answer; 6] = [
        |request| match request.url.host_str() {
            Some("100.100.100.200") => {
                let step = instance(request, "id");
                match request.url.path().ends_with("my-role") {
                    true => Some(reply(200, issued("id").replace("secret", MARKER))),
                    false => step,
                }
            }
            Some("sidecar") => Some(reply(200, issued("id").replace("secret", MARKER))),
            _ => Some(reply(200, assumed("id").replace("secret", MARKER))),
        },
        |_| Some(reply(200, MARKER)),
        |_| {
            Some(reply(
                200,
                json!({"Code": "Success", "Credentials": MARKER}).to_string(),
            ))
        },
        |_| Some(reply(500, MARKER)),
        |_| Some(reply(403, MARKER)),
        |_| Some(Step::Silence),
    ];
    for answer in answers {
        let (environment, sources) = marked();
        for source in sources {
            assert_silent(&source);
            let script = Script::playing(answer);
            match source.provide(&context(&environment, &script)).await {
                Ok(lease) => assert_silent(&lease),
                Err(error) => assert_error_is_silent(&error),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_client_or_call_shows_a_secret() {
    let (environment, _) = marked();
    let script = Script::playing(|_| Some(reply(403, r#"{"Code":"Forbidden"}"#)));
    let client = client(DefaultCredentials::new(), &environment, &script);
    assert_silent(&client);
    assert_error_is_silent(&call(&client).await.unwrap_err());
    assert_silent(&client);
}
