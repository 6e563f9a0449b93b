//! The file of the SDKs.

use super::*;

#[tokio::test]
async fn keys_in_the_profile_follow_the_file() {
    let environment = Environment::fake(&[]);
    let source = Profile::new();
    let error = ask_offline(&source, &environment).await.unwrap_err();
    assert_eq!(error.message(), "`~/.huaweicloud/credentials` not found");

    let text = "\u{feff}# keys\n; more\nstray = 1\n[global]\nak = no\n[ basic ]\r\nAK = ak-1 \r\n\
                sk: s#1;2=3\n  # sk = other\nsecurity_token =\n";
    environment.write("~/.huaweicloud/credentials", text);
    let lease = ask_offline(&source, &environment).await.unwrap();
    let Credential::Key(key) = lease.into_credential() else {
        panic!("no key");
    };
    assert_eq!(key.access_key, "ak-1");
    assert_eq!(key.secret_key.expose(), "s#1;2=3");
    assert!(key.security_token.is_none());
    // Rotated between refreshes.
    let text = text.replace("ak-1", "ak-2").replace("token =", "token = t");
    environment.write("~/.huaweicloud/credentials", text);
    let lease = ask_offline(&source, &environment).await.unwrap();
    assert!(format!("{lease:?}").contains("temporary"), "{lease:?}");
    assert_eq!(id(lease), "ak-2");

    environment.set("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/keys");
    for (text, why) in [
        ("", " not found"),
        ("[global]\nak = a\nsk = s", " not found"),
        ("[basic]\nsk = MARKER", ": `ak` is missing"),
        ("[basic]\nak = a\nsk =", ": `sk` is missing"),
    ] {
        environment.write("/keys", text);
        let error = ask_offline(&source, &environment).await.unwrap_err();
        assert!(!is_passing(&error));
        assert_eq!(
            error.message(),
            format!("section `[basic]` of `/keys`{why}")
        );
    }
    let named = source.file("/absent");
    let error = ask_offline(&named, &environment).await.unwrap_err();
    assert_eq!(error.message(), "`/absent` not found");
}

#[tokio::test]
async fn the_profile_names_project_and_iam() {
    let environment = Environment::fake(&[("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/keys")]);
    let keys = "[basic]\nak = a\nsk = s\n";
    environment.write("/keys", format!("{keys}iam_endpoint = iam.own.example\n"));
    let script = Script::new([project()]);
    let source = Profile::new();
    let untold = Context {
        auth_endpoint: None,
        ..context(&environment, &script)
    };
    source.provide(&untold).await.unwrap();
    assert_eq!(paths(&script.sent()), ["GET iam.own.example /v3/projects"]);
    // What the client was told goes before what a file says.
    let script = Script::new([project()]);
    let lease = source.provide(&context(&environment, &script)).await;
    assert!(lease.is_ok());
    assert_eq!(paths(&script.sent()), ["GET iam.example /v3/projects"]);
    environment.write("/keys", format!("{keys}project_id = mine\n"));
    let script = Script::new([]);
    let lease = source.provide(&context(&environment, &script)).await;
    let Credential::Key(key) = lease.unwrap().into_credential() else {
        panic!("no key");
    };
    assert_eq!(key.project_id.as_deref(), Some("mine"));
    environment.write(
        "/keys",
        format!("{keys}iam_endpoint = http://iam.example\n"),
    );
    let error = source.provide(&untold).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

/// A key with a typing error, and the file that the user corrects while the program runs.
#[tokio::test(start_paused = true)]
async fn the_profile_is_read_again_at_once() {
    let environment = Environment::fake(&[]);
    let script = Script::playing(|_| Some(done()));
    let sources: [Arc<dyn ProvideCredential<Credential>>; 2] = [
        Arc::new(Profile::new()),
        Arc::new(DefaultCredentials::new()),
    ];
    for source in sources {
        let client = client(source, &environment, &script);
        let write = |key: &str| {
            let text = format!("[basic] ; keys\nak = {key}\nsk = s\nproject_id = p\n");
            environment.write("~/.huaweicloud/credentials", text);
        };
        write("a k");
        let error = call(&client).await.unwrap_err();
        let place = "section `[basic]` of `~/.huaweicloud/credentials`: access_key ";
        assert!(error.to_string().contains(place), "{error}");
        write("ak");
        call(&client).await.unwrap();
    }
}
