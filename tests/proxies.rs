//! A company's network: a proxy that wants a password, hosts that are reached past it, and a server
//! whose certificate a private authority has signed.

#![cfg(all(feature = "alibaba", feature = "rustls"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "support/authority.rs"]
mod authority;

use std::{
    net::SocketAddr,
    process::Command,
    sync::{Arc, Mutex},
};

use authority::{Authority, leaf};
use cloud_workflows::{
    Delivery, Error, ErrorKind,
    alibaba::{Client, Credentials, StartSyncExecutionRequest},
    reqwest,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

const CHILD: &str = "CLOUD_WORKFLOWS_TEST_PROXIED";
/// Of `user` and `p@ss`.
const BASIC: &str = "proxy-authorization: basic dxnlcjpwqhnz\r\n";

/// A head, in small letters.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap().to_ascii_lowercase()
}

/// A TLS server of these names, and the private authority behind it.
async fn server(names: &[&str]) -> (SocketAddr, reqwest::Certificate) {
    let authority = Authority::new();
    let root = reqwest::Certificate::from_der(authority.root.der()).unwrap();
    let acceptor = authority.acceptor(leaf(names));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let head = head(&mut stream).await;
            assert!(
                !head.contains("proxy-"),
                "the proxy's password came through"
            );
            let body = r#"{"RequestId": "r", "Status": "Succeeded"}"#;
            let answer = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            let _ = stream.shutdown().await;
        }
    });
    (address, root)
}

/// A proxy whose every tunnel leads to `target`, on this listener; what it was asked.
fn proxy(listener: TcpListener, target: SocketAddr) -> Arc<Mutex<Vec<String>>> {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let log = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = head(&mut stream).await;
            log.lock()
                .unwrap()
                .push(head.lines().next().unwrap().to_owned());
            if !head.contains(BASIC) {
                let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\n\
                               Proxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(refusal.as_bytes()).await.unwrap();
                continue;
            }
            let mut through = TcpStream::connect(target).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut stream, &mut through).await });
        }
    });
    asked
}

async fn call(
    endpoint: &str,
    http: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync + 'static,
) -> Result<(), Error> {
    let client = Client::builder()
        .endpoint(endpoint)
        .credentials(Credentials::new("id", "secret"))
        .http(http)
        .build()?;
    let request = StartSyncExecutionRequest::new("flow");
    client.start_sync_execution(request).send().await.map(drop)
}

/// In a process of its own, whose variables name the proxy.
#[tokio::test]
async fn variables_lead_through_a_proxy_with_a_password_and_past_it() {
    const LISTEN: &str = "CLOUD_WORKFLOWS_TEST_PROXY_PORT";
    if std::env::var_os(CHILD).is_none() {
        // A port that is free now, and most likely so in a moment.
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut child = Command::new(std::env::current_exe().unwrap());
        for name in ["https_proxy", "http_proxy", "all_proxy", "no_proxy"] {
            child.env_remove(name).env_remove(name.to_uppercase());
        }
        let output = child
            .arg("variables_lead_through_a_proxy_with_a_password_and_past_it")
            .env(CHILD, "1")
            .env(LISTEN, port.to_string())
            .env(
                "HTTPS_PROXY",
                format!("http://user:p%40ss@127.0.0.1:{port}"),
            )
            .env("NO_PROXY", ".direct.test")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let is_done = output.status.success() && text.contains("1 passed");
        assert!(is_done, "{text}");
        return;
    }
    let port: u16 = std::env::var(LISTEN).unwrap().parse().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let (server, root) = server(&["fnf.test", "fnf.direct.test"]).await;
    let asked = proxy(listener, server);
    let trusting = root.clone();
    call("https://fnf.test", move |http| {
        http.tls_certs_only([trusting.clone()])
    })
    .await
    .unwrap();
    let line = "connect fnf.test:443 http/1.1";
    assert_eq!(*asked.lock().unwrap(), [line]);
    let direct = format!("https://fnf.direct.test:{}", server.port());
    call(&direct, move |http| {
        http.tls_certs_only([root.clone()])
            .resolve("fnf.direct.test", server)
    })
    .await
    .unwrap();
    assert_eq!(*asked.lock().unwrap(), [line], "NO_PROXY leads past it");
}

#[tokio::test]
async fn a_proxy_that_is_set_on_the_client_wants_its_password() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (server, root) = server(&["fnf.test"]).await;
    let asked = proxy(listener, server);
    for (password, passes) in [("p@ss", true), ("MARKER-wrong", false)] {
        let (address, root) = (address.clone(), root.clone());
        let outcome = call("https://fnf.test", move |http| {
            let proxy = reqwest::Proxy::all(&address).unwrap();
            http.tls_certs_only([root.clone()])
                .no_proxy()
                .proxy(proxy.basic_auth("user", password))
        });
        match outcome.await {
            Ok(()) => assert!(passes),
            Err(error) => {
                assert!(!passes, "{error:?}");
                assert_eq!(error.kind(), ErrorKind::Connect);
                assert_eq!(error.delivery(), Delivery::NotSent);
                let text = format!("{error} {error:?}");
                assert!(text.contains("proxy") && !text.contains("MARKER"), "{text}");
            }
        }
    }
    // Asked once with the wrong password, so that it does not lock its user.
    assert_eq!(asked.lock().unwrap().len(), 2);
}
