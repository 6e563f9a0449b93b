//! A marked secret is in nothing that prints.

use std::error::Error as _;

use super::*;

fn assert_silent(what: &impl fmt::Debug) {
    let text = format!("{what:?} {what:#?}");
    assert!(!text.contains("MARKER"), "{text}");
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
fn marked() -> (Environment, Vec<Box<dyn ProvideCredential<Credential>>>) {
    let environment = Environment::fake(&[
        ("HW_DOMAIN_NAME", "domain"),
        ("HW_USER_NAME", "user"),
        ("HW_USER_PASSWORD", MARKER),
    ]);
    environment.write("/token", MARKER);
    environment.write(
        "~/.huaweicloud/credentials",
        format!("[basic]\nak = ak\nsk = {MARKER}\nsecurity_token = {MARKER}\n"),
    );
    let sources: Vec<Box<dyn ProvideCredential<Credential>>> = vec![
        Box::new(EnvironmentCredentials::new()),
        Box::new(Profile::new()),
        Box::new(EcsMetadata::new()),
        Box::new(PodIdentity::new(
            format!("http://agent/?{MARKER}"),
            "/token",
        )),
        Box::new(OidcSts::new("provider", "agency", "/token")),
        Box::new(IdToken::new("idp", "/token")),
        Box::new(IamPassword::new("d", "u", MARKER)),
        Box::new(Token::new(MARKER)),
        Box::new(AccessKey::new("ak", MARKER).security_token(MARKER)),
        Box::new(DefaultCredentials::new()),
    ];
    (environment, sources)
}

#[tokio::test(start_paused = true)]
async fn no_source_lease_or_error_shows_a_secret() {
    type Answer = fn(&HttpRequest) -> Option<Step>;
    let answers: [Answer; 6] = [
        |request| match request.url.path() {
            "/v3/auth/tokens" | "/v3.0/OS-AUTH/id-token/tokens" => Some(token(MARKER)),
            "/v3/projects" => Some(project()),
            path if path.ends_with("/token") => Some(reply(200, MARKER)),
            _ => Some(reply(200, issued("ak").replace("secret\"", "MARKER\""))),
        },
        |_| Some(reply(200, MARKER)),
        |_| Some(reply(200, json!({"credential": MARKER}).to_string())),
        |_| Some(reply(500, MARKER)),
        |_| Some(reply(403, MARKER)),
        |_| Some(Step::Silence),
    ];
    for answer in answers {
        let (environment, sources) = marked();
        for source in sources {
            assert_silent(&source);
            let script = Script::playing(answer);
            let lease = source.provide(&context(&environment, &script)).await;
            assert_one_way(&script.sent());
            match lease {
                Ok(lease) => assert_silent(&lease),
                Err(error) => assert_error_is_silent(&error),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_client_or_call_shows_a_secret() {
    let (environment, _) = marked();
    let script = Script::playing(|request| match is_flow(request) {
        true => Some(reply(403, r#"{"error_code":"FSS.0403"}"#)),
        false => Some(token(MARKER)),
    });
    let client = client(DefaultCredentials::new(), &environment, &script);
    assert_silent(&client);
    assert_error_is_silent(&call(&client).await.unwrap_err());
    assert_silent(&client);
}
