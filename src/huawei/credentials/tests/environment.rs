//! Variables.

use super::*;

#[tokio::test]
async fn keys_tokens_and_passwords_in_variables() {
    let environment = Environment::fake(&[]);
    let source = EnvironmentCredentials::new();
    let error = ask_offline(&source, &environment).await.unwrap_err();
    assert!(!is_passing(&error));
    assert_eq!(
        error.message(),
        "`HUAWEICLOUD_SDK_AK` not set; `HW_ACCESS_KEY` not set; `HW_AUTH_TOKEN` not set; \
         `HW_DOMAIN_NAME` not set"
    );
    for (name, rest) in [
        ("OS_PROJECT_DOMAIN_NAME", "`HW_USER_NAME` not set"),
        ("OS_USERNAME", "`HW_USER_PASSWORD` not set"),
    ] {
        environment.set(name, name);
        let error = ask_offline(&source, &environment).await.unwrap_err();
        assert!(error.message().ends_with(rest), "{error}");
    }
    environment.set("OS_PASSWORD", "secret");
    let script = Script::new([token("token-1")]);
    let lease = ask(&source, &environment, &script).await.unwrap();
    assert_eq!(id(lease), "token-1");
    let sent = body(&script.sent()[0].1);
    let user = &sent["auth"]["identity"]["password"]["user"];
    assert_eq!(user["name"], "OS_USERNAME");
    assert_eq!(user["password"], "secret");
    assert_eq!(user["domain"]["name"], "OS_PROJECT_DOMAIN_NAME");

    for (name, value) in [("OS_AUTH_TOKEN", "os-token"), ("HW_AUTH_TOKEN", "hw-token")] {
        environment.set(name, value);
        let lease = ask_offline(&source, &environment).await.unwrap();
        assert_eq!(id(lease), value);
    }
    environment.set("OS_ACCESS_KEY", "os-key");
    let lease = ask_offline(&source, &environment).await.unwrap();
    assert_eq!(id(lease), "hw-token", "half a key is none");
    environment.set("HW_SECRET_KEY", "secret");
    assert_eq!(
        id(ask_offline(&source, &environment).await.unwrap()),
        "os-key"
    );
    environment.set("HW_ACCESS_KEY", "hw-key");
    assert_eq!(
        id(ask_offline(&source, &environment).await.unwrap()),
        "hw-key"
    );
    environment.set("HUAWEICLOUD_SDK_AK", "sdk-key");
    environment.set("HUAWEICLOUD_SDK_SK", "secret");
    environment.set("HW_SECURITY_TOKEN", "not of this key");
    let lease = ask_offline(&source, &environment).await.unwrap();
    let Credential::Key(key) = lease.into_credential() else {
        panic!("no key");
    };
    assert_eq!(key.access_key, "sdk-key");
    assert!(key.security_token.is_none());
    environment.set("HUAWEICLOUD_SDK_SECURITY_TOKEN", "temporary");
    let lease = ask_offline(&source, &environment).await.unwrap();
    assert_eq!(
        format!("{lease:?}").matches("AccessKey(temporary)").count(),
        1
    );
}

/// The project of a client is its own; without one it is the variables', else looked up.
#[tokio::test]
async fn the_project_is_found_too() {
    let source = EnvironmentCredentials::new();
    let keys = [("HW_ACCESS_KEY", "ak"), ("HW_SECRET_KEY", "sk")];
    let environment = Environment::fake(&keys);
    let project_id = async |script: &Arc<Script>| {
        let lease = source.provide(&context(&environment, script)).await;
        match lease.unwrap().into_credential() {
            Credential::Key(key) => key.project_id,
            Credential::Token(token) => token.project_id,
        }
    };
    let script = Script::new([project()]);
    assert_eq!(project_id(&script).await.as_deref(), Some("looked-up"));
    assert_eq!(paths(&script.sent()), ["GET iam.example /v3/projects"]);
    for name in PROJECT_VARIABLES.into_iter().rev() {
        environment.set(name, name);
        assert_eq!(project_id(&Script::new([])).await.as_deref(), Some(name));
    }
    environment.set("HW_ACCESS_KEY", "");
    for (name, value) in [
        ("HW_DOMAIN_NAME", "d"),
        ("HW_USER_NAME", "u"),
        ("HW_USER_PASSWORD", "p"),
    ] {
        environment.set(name, value);
    }
    let script = Script::new([token("t")]);
    assert_eq!(project_id(&script).await.as_deref(), Some("of-token"));
    let sent = body(&script.sent()[0].1);
    assert_eq!(
        sent["auth"]["scope"]["project"]["id"],
        "HUAWEICLOUD_SDK_PROJECT_ID"
    );
}

#[tokio::test]
async fn secrets_that_cannot_be_right_are_refused_unseen() {
    for value in ["MARKER\n", " MARKER", "MARKER\u{e9}", "MARK\u{0}ER"] {
        for name in ["HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_SECURITY_TOKEN"] {
            let environment =
                Environment::fake(&[("HW_ACCESS_KEY", "ak"), ("HW_SECRET_KEY", "sk")]);
            environment.set(name, value);
            let error = ask_offline(&EnvironmentCredentials::new(), &environment).await;
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credentials);
            assert!(!format!("{error} {error:?}").contains("MARK"), "{error}");
        }
        let environment = Environment::fake(&[("HW_AUTH_TOKEN", value)]);
        let error = ask_offline(&EnvironmentCredentials::new(), &environment).await;
        let error = error.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("MARK"), "{error}");
    }
}
