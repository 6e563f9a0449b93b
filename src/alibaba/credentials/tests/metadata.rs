//! The machine's role and credentials URIs.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
};

use super::*;

#[tokio::test]
async fn the_machine_s_role_is_asked_for_with_a_token() {
    let script = Script::playing(|request| instance(request, "STS.1"));
    let environment = Environment::fake(&[]);
    let lease = ask(&EcsRamRole::new(), &environment, &script)
        .await
        .unwrap();
    assert_eq!(id(lease), "STS.1");
    let sent = script.sent();
    assert_eq!(
        paths(&sent),
        [
            "PUT 100.100.100.200 /latest/api/token",
            "GET 100.100.100.200 /latest/meta-data/ram/security-credentials/",
            "GET 100.100.100.200 /latest/meta-data/ram/security-credentials/my-role",
        ]
    );
    assert!(sent.iter().all(|(_, request)| is_metadata(request)));
    let ttl = &sent[0].1.headers["x-aliyun-ecs-metadata-token-ttl-seconds"];
    assert_eq!(ttl, "21600");
    for (_, request) in &sent[1..] {
        let token = &request.headers["x-aliyun-ecs-metadata-token"];
        assert_eq!(token, "v2-token");
        assert!(token.is_sensitive());
    }
}

#[tokio::test]
async fn a_role_that_is_named_is_not_looked_for() {
    let environment = Environment::fake(&[("ALIBABA_CLOUD_ECS_METADATA", "my-role")]);
    for source in [EcsRamRole::new(), EcsRamRole::new().role_name("my-role")] {
        let script = Script::playing(|request| instance(request, "STS.1"));
        ask(&source, &environment, &script).await.unwrap();
        assert_eq!(script.sent().len(), 2);
    }
    for name in ["a/b", "..", "", "a b", "\u{e9}"] {
        let source = EcsRamRole::new().role_name(name);
        let script = Script::playing(|request| instance(request, "STS.1"));
        let error = ask(&source, &environment, &script).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials, "{name}");
    }
    environment.set("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
    let error = ask_offline(&EcsRamRole::new(), &environment).await;
    assert!(error.unwrap_err().message().starts_with("switched off"));
}

#[tokio::test(start_paused = true)]
async fn without_a_token_the_older_way_is_tried_unless_disabled() {
    fn older(request: &HttpRequest) -> Option<Step> {
        match request.url.path() {
            "/latest/api/token" => Some(Step::Silence),
            _ => {
                assert!(request.headers.is_empty());
                instance(request, "STS.1")
            }
        }
    }
    let environment = Environment::fake(&[]);
    let script = Script::playing(older);
    let lease = ask(&EcsRamRole::new(), &environment, &script).await;
    assert_eq!(id(lease.unwrap()), "STS.1");
    let strict = EcsRamRole::new().imdsv1_disabled(true);
    let error = ask(&strict, &environment, &Script::playing(older)).await;
    let error = error.unwrap_err();
    assert_eq!(
        error.message(),
        "the metadata service did not answer in 1 s"
    );
    environment.set("ALIBABA_CLOUD_IMDSV1_DISABLED", "true");
    let error = ask(&EcsRamRole::new(), &environment, &Script::playing(older)).await;
    assert!(is_passing(&error.unwrap_err()));
}

#[tokio::test]
async fn a_role_that_is_removed_is_final_and_an_outage_is_not() {
    let environment = Environment::fake(&[]);
    for (last, passing, why) in [
        (
            || reply(404, "MARKER"),
            false,
            "HTTP 404: the metadata service gave",
        ),
        (|| reply(403, ""), false, "HTTP 403: "),
        (|| reply(503, ""), true, "HTTP 503: "),
        (|| reply(200, "{\"MARKER"), true, "not JSON"),
        (|| reply(200, "[]"), true, "not JSON"),
        (|| reply(200, "{}"), true, "without `Code`"),
        (
            || reply(200, r#"{"Code":"Failed"}"#),
            true,
            "the code Failed",
        ),
        (
            || {
                reply(
                    200,
                    r#"{"Code":"Success","AccessKeyId":"i","AccessKeySecret":"MARKER"}"#,
                )
            },
            true,
            "lacks SecurityToken",
        ),
        (
            || {
                reply(
                    200,
                    issued("i").replace(&expiration("%Y-%m-%dT%H:%M:%SZ"), "soon"),
                )
            },
            true,
            "lacks a readable Expiration",
        ),
        (
            || reply(200, issued("i\n")),
            false,
            "access_key_id begins or ends",
        ),
        (|| Step::Fail(Stage::Connect), true, "could not be reached"),
        (|| Step::Fail(Stage::Exchange), true, "broke the connection"),
    ] as [(fn() -> Step, bool, &str); 12]
    {
        let script = Script::playing(move |request| match request.url.path() {
            path if path.ends_with("my-role") => Some(last()),
            _ => instance(request, ""),
        });
        let error = ask(&EcsRamRole::new(), &environment, &script).await;
        let error = error.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(is_passing(&error), passing, "{error}");
        assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
        assert!(error.body_excerpt().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn keys_from_a_uri() {
    let environment = Environment::fake(&[]);
    let source = CredentialsUri::from_env();
    let error = ask_offline(&source, &environment).await.unwrap_err();
    assert_eq!(error.message(), "`ALIBABA_CLOUD_CREDENTIALS_URI` not set");
    for uri in ["MARKER", "file:///MARKER", "ftp://MARKER"] {
        let error = ask_offline(&CredentialsUri::new(uri), &environment).await;
        let error = error.unwrap_err();
        assert_eq!(
            error.message(),
            "the credentials URI is not an http or https URL"
        );
    }
    environment.set(
        "ALIBABA_CLOUD_CREDENTIALS_URI",
        "http://sidecar/keys?k=MARKER",
    );
    let script = Script::new([
        reply(200, issued("STS.1")),
        reply(200, issued("STS.2")),
        reply(302, ""),
        Step::Silence,
    ]);
    let context = context(&environment, &script);
    assert_eq!(id(source.provide(&context).await.unwrap()), "STS.1");
    assert_eq!(id(source.provide(&context).await.unwrap()), "STS.2");
    let error = source.provide(&context).await.unwrap_err();
    assert!(
        error
            .message()
            .contains("a redirect, which is not followed")
    );
    let error = source.provide(&context).await.unwrap_err();
    assert_eq!(error.message(), "the credentials URI did not answer in 5 s");
    assert!(!format!("{error:?}").contains("MARKER"));
    assert_eq!(
        script.sent()[0].1.url.as_str(),
        "http://sidecar/keys?k=MARKER"
    );
}

/// Answers as an instance would, on loopback.
fn loopback() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if connection.read(&mut byte).unwrap() == 0 {
                    break;
                }
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let body = match head.split(' ').nth(1) {
                Some("/latest/api/token") => "v2-token".to_owned(),
                Some(path) if path.ends_with('/') => "my-role".to_owned(),
                _ => issued("STS.wire"),
            };
            let length = body.len();
            let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
            connection.write_all(reply.as_bytes()).unwrap();
        }
    });
    address
}

#[tokio::test]
async fn metadata_goes_over_the_wire_and_past_every_proxy() {
    let context = testing::real_context(&Environment::fake(&[]));
    let source = EcsRamRole::new().at(loopback());
    assert_eq!(id(source.provide(&context).await.unwrap()), "STS.wire");
    let uri = CredentialsUri::new(format!("{}/keys", loopback()));
    assert_eq!(id(uri.provide(&context).await.unwrap()), "STS.wire");
    testing::again_behind_a_dead_proxy("metadata_goes_over_the_wire_and_past_every_proxy");
}

/// Nobody listens, someone never answers, someone says too much.
#[tokio::test]
async fn metadata_that_misbehaves_on_the_wire_is_soon_over() {
    let context = testing::real_context(&Environment::fake(&[]));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let source = EcsRamRole::new().imdsv1_disabled(true).at(silent);
    let error = source.provide(&context).await.unwrap_err();
    assert_eq!(
        error.message(),
        "the metadata service did not answer in 1 s"
    );

    let source = EcsRamRole::new().at("http://127.0.0.1:9");
    let error = source.provide(&context).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    let place = "the metadata service could not be reached at 127.0.0.1:9: ";
    assert!(error.message().starts_with(place), "{error}");
    assert!(!format!("{error:?}").contains("latest/"), "{error:?}");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        // An answer ahead of its request would be an error of its own.
        let _ = connection.read(&mut [0; 4096]);
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n");
        let _ = connection.read(&mut [0; 4096]);
    });
    let error = CredentialsUri::new(address).provide(&context).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::TooLarge);
}
