//! The machine's agency and pod identity.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::*;

#[tokio::test]
async fn the_machine_s_agency_is_asked_for_with_a_token() {
    let script = Script::playing(|request| match is_metadata(request) {
        true => instance(request, "ak-1"),
        false => Some(project()),
    });
    let environment = Environment::fake(&[]);
    let source = EcsMetadata::new();
    let lease = source.provide(&context(&environment, &script)).await;
    assert_eq!(id(lease.unwrap()), "ak-1");
    let sent = script.sent();
    assert_eq!(
        paths(&sent),
        [
            "PUT 169.254.169.254 /meta-data/latest/api/token",
            "GET 169.254.169.254 /openstack/latest/securitykey",
            "GET iam.example /v3/projects",
        ]
    );
    assert_eq!(sent[0].1.headers["x-metadata-token-ttl-seconds"], "21600");
    let token = &sent[1].1.headers["x-metadata-token"];
    assert!(token == "v2-token" && token.is_sensitive());
    assert_eq!(sent[2].1.headers["x-security-token"], MARKER);
    assert_one_way(&sent);
}

#[tokio::test]
async fn without_a_token_to_have_it_is_asked_for_without_one() {
    let environment = Environment::fake(&[]);
    for status in [404, 405, 503] {
        let script = Script::new([reply(status, ""), reply(200, issued("ak-1"))]);
        let lease = ask(&EcsMetadata::new(), &environment, &script).await;
        assert_eq!(id(lease.unwrap()), "ak-1");
        assert!(script.sent()[1].1.headers.is_empty());
    }
    for (status, passing) in [(403, false), (500, true), (429, true)] {
        let script = Script::new([reply(status, "")]);
        let error = ask(&EcsMetadata::new(), &environment, &script).await;
        assert_eq!(is_passing(&error.unwrap_err()), passing);
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let environment = Environment::fake(&[]);
    let (token, refused) = (|text| reply(200, text), || reply(401, "MARKER"));
    let script = Script::new([token("1"), refused(), token("2"), reply(200, issued("ak"))]);
    ask(&EcsMetadata::new(), &environment, &script)
        .await
        .unwrap();
    assert_eq!(script.sent()[3].1.headers["x-metadata-token"], "2");
    let script = Script::new([token("1"), refused(), token("2"), refused()]);
    let error = ask(&EcsMetadata::new(), &environment, &script).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(!is_passing(&error) && !format!("{error:?}").contains("MARKER"));
}

#[tokio::test]
async fn keys_are_read_in_every_shape_and_nothing_else() {
    let environment = Environment::fake(&[]);
    let read = async |body: String| {
        let script = Script::new([reply(404, ""), reply(200, body)]);
        ask(&EcsMetadata::new(), &environment, &script).await
    };
    let names = [
        ["access", "secret", "securitytoken", "expires_at"],
        [
            "accessKeyId",
            "secretAccessKey",
            "securityToken",
            "expiration",
        ],
        [
            "access_key_id",
            "secret_access_key",
            "security_token",
            "expiration",
        ],
    ];
    for [access, secret, token, end] in names {
        for time in ["2026-11-22T13:00:00.123456Z", "2026-11-22T13:00:00Z"] {
            let key = json!({access: "ak", secret: "s", token: "t", end: time, "more": [1]});
            for body in [
                json!({"credential": key}),
                json!({"credentials": key, "credential": null}),
                key,
            ] {
                assert_eq!(id(read(body.to_string()).await.unwrap()), "ak");
            }
        }
    }
    for (body, why) in [
        ("{\"MARKER".to_owned(), "not JSON"),
        ("[]".to_owned(), "not JSON"),
        (json!({"credential": MARKER}).to_string(), "lacks access"),
        (
            json!({"access": "a", "secret": "MARKER"}).to_string(),
            "lacks securitytoken",
        ),
        (
            issued("a").replace(&expiration(), "MARKER"),
            "lacks a readable expires_at",
        ),
    ] {
        let error = read(body).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert!(is_passing(&error) && error.body_excerpt().is_none());
        assert!(!format!("{error:?}").contains("MARKER"), "{error:?}");
    }
    let error = read(issued("a\n")).await.unwrap_err();
    assert!(!is_passing(&error), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_shows_a_token_that_changes() {
    let environment = Environment::fake(&[]);
    let source = PodIdentity::from_env();
    for (name, value) in [
        ("HC_CONTAINER_CREDENTIALS_FULL_URI", "ftp://MARKER"),
        ("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token"),
    ] {
        let error = ask_offline(&source, &environment).await.unwrap_err();
        assert_eq!(error.message(), format!("`{name}` not set"));
        environment.set(name, value);
    }
    let error = ask_offline(&source, &environment).await.unwrap_err();
    assert!(
        error.message().ends_with("not an http or https URL"),
        "{error}"
    );
    environment.set("HC_CONTAINER_CREDENTIALS_FULL_URI", "http://agent/v1/keys");
    let error = ask_offline(&source, &environment).await.unwrap_err();
    assert_eq!(error.message(), "the pod's token: `/token` not found");

    let script = Script::new([
        reply(200, issued("ak-1")),
        reply(200, issued("ak-2")),
        reply(403, MARKER),
        Step::Silence,
    ]);
    let context = in_project(&environment, &script);
    environment.write("/token", "token.1\n");
    assert_eq!(id(source.provide(&context).await.unwrap()), "ak-1");
    environment.write("/token", "token.2");
    assert_eq!(id(source.provide(&context).await.unwrap()), "ak-2");
    let error = source.provide(&context).await.unwrap_err();
    assert!(!is_passing(&error) && !format!("{error:?}").contains("MARKER"));
    let error = source.provide(&context).await.unwrap_err();
    assert_eq!(
        error.message(),
        "the pod identity agent did not answer in 5 s"
    );
    let sent = script.sent();
    for ((_, sent), token) in sent.iter().zip(["token.1", "token.2"]) {
        assert_eq!(
            (sent.method.as_str(), sent.url.path()),
            ("POST", "/v1/keys")
        );
        assert_eq!(sent.headers["authorization"], token);
        assert_eq!(sent.headers["content-type"], "application/json");
        assert_eq!(sent.body.as_ref(), b"{}");
    }
    environment.write("/token", "MAR KER");
    let error = source.provide(&context).await.unwrap_err();
    assert!(!format!("{error:?}").contains("MAR"), "{error}");
}

/// The body and its length go over the wire.
#[tokio::test]
async fn agency_and_pod_go_over_the_wire_and_past_every_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let bodies = Arc::new(AtomicUsize::new(0));
    std::thread::spawn({
        let bodies = bodies.clone();
        move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let mut request = Vec::new();
                let mut byte = [0];
                let is_whole = |request: &[u8]| {
                    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
                    match text.contains("content-length: 2") {
                        true => text.ends_with("\r\n\r\n{}"),
                        false => text.ends_with("\r\n\r\n"),
                    }
                };
                while !is_whole(&request) && connection.read(&mut byte).unwrap() == 1 {
                    request.push(byte[0]);
                }
                let request = String::from_utf8(request).unwrap();
                bodies.fetch_add(usize::from(request.ends_with("{}")), Ordering::Relaxed);
                let body = match request.split(' ').nth(1) {
                    Some("/meta-data/latest/api/token") => "v2-token".to_owned(),
                    _ => issued("ak-wire"),
                };
                let length = body.len();
                let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
                connection.write_all(reply.as_bytes()).unwrap();
            }
        }
    });
    let environment = Environment::fake(&[]);
    environment.write("/token", "jwt");
    let context = Context {
        project_id: Some("p".to_owned()),
        ..testing::real_context(&environment)
    };
    let lease = EcsMetadata::at(&address).provide(&context).await;
    assert_eq!(id(lease.unwrap()), "ak-wire");
    let lease = PodIdentity::new(&address, "/token").provide(&context).await;
    assert_eq!(id(lease.unwrap()), "ak-wire");
    assert_eq!(bodies.load(Ordering::Relaxed), 1);
    testing::again_behind_a_dead_proxy("agency_and_pod_go_over_the_wire_and_past_every_proxy");
}
