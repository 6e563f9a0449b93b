//! https as a client does it of itself, by whichever TLS is built in, without a word from the
//! program.

#![cfg(all(
    feature = "alibaba",
    any(feature = "rustls", feature = "rustls-ring", feature = "native-tls")
))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "support/authority.rs"]
mod authority;

use std::{
    env, fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use authority::{Authority, leaf};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use cloud_workflows::{
    Error,
    alibaba::{Client, ClientBuilder, Credentials, StartSyncExecutionRequest},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    process::Command,
};
use tokio_rustls::rustls::crypto::CryptoProvider;

const CHILD: &str = "CLOUD_WORKFLOWS_TEST_TLS_ENDPOINT";

/// A server of 127.0.0.1, a file with the certificate of the authority behind it, and how many
/// requests it has answered.
async fn server() -> (SocketAddr, PathBuf, Arc<AtomicUsize>) {
    let authority = Authority::new();
    let acceptor = authority.acceptor(leaf(&["127.0.0.1"]));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("authority-{}.pem", address.port()));
    let text = BASE64_STANDARD.encode(authority.root.der());
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    );
    fs::write(&file, pem).unwrap();

    let answered = Arc::<AtomicUsize>::default();
    let count = answered.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let body = r#"{"RequestId": "r", "Status": "Succeeded"}"#;
            let answer = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.shutdown().await;
        }
    });
    (address, file, answered)
}

fn builder(endpoint: &str) -> ClientBuilder {
    Client::builder()
        .endpoint(endpoint)
        .credentials(Credentials::new("id", "secret"))
}

async fn call(client: &Client) -> Result<(), Error> {
    let request = StartSyncExecutionRequest::new("flow");
    client.start_sync_execution(request).send().await.map(drop)
}

/// In a process of its own, whose variables name the certificates to trust: what is installed is
/// installed for a whole process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn https_works_of_itself_and_installs_no_provider() {
    if let Ok(endpoint) = env::var(CHILD) {
        return child(&endpoint).await;
    }
    let (address, file, answered) = server().await;
    let output = Command::new(env::current_exe().unwrap())
        .arg("https_works_of_itself_and_installs_no_provider")
        .env(CHILD, format!("https://{address}"))
        .env("SSL_CERT_FILE", &file)
        .env_remove("SSL_CERT_DIR")
        .env("NO_PROXY", "*")
        .output()
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
    assert_eq!(answered.load(Ordering::SeqCst), 2);
    fs::remove_file(file).unwrap();
}

async fn child(endpoint: &str) {
    let client = builder(endpoint).build().unwrap();
    call(&client).await.unwrap();
    assert!(CryptoProvider::get_default().is_none());
    // Plain http needs no provider either.
    let plain = builder("http://127.0.0.1:1").build().unwrap();
    assert!(call(&plain).await.is_err());

    // TLS that the program sets up itself is the HTTP library's, which has no provider of its own.
    let own = || builder(endpoint).http(|http| http.no_proxy());
    #[cfg(not(any(feature = "rustls", feature = "native-tls")))]
    {
        let error = own().build().unwrap_err();
        assert_eq!(error.kind(), cloud_workflows::ErrorKind::Configuration);
        let text = error.to_string();
        assert!(
            text.contains("http") && text.contains("install a rustls crypto provider"),
            "{text}"
        );
        aws_lc_rs::default_provider().install_default().unwrap();
    }
    call(&own().build().unwrap()).await.unwrap();
}

/// The endpoint of IAM, and whether its certificate can be verified.
#[cfg(all(feature = "huawei", not(feature = "native-tls")))]
const LATE: &str = "CLOUD_WORKFLOWS_TEST_TLS_LATE";

/// Of a client that talks plain http: they are read when it first wants https, and what is wrong with
/// them is said then.
#[cfg(all(feature = "huawei", not(feature = "native-tls")))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_read_when_https_is_first_wanted() {
    if let Ok(told) = env::var(LATE) {
        let (iam, are_there) = told.split_once(' ').unwrap();
        return late(iam, are_there == "true").await;
    }
    let (address, file, answered) = server().await;
    for are_there in [false, true] {
        let named = match are_there {
            true => file.clone(),
            false => file.with_extension("missing"),
        };
        let output = Command::new(env::current_exe().unwrap())
            .arg("certificates_are_read_when_https_is_first_wanted")
            .env(LATE, format!("https://{address} {are_there}"))
            .env("SSL_CERT_FILE", named)
            .env_remove("SSL_CERT_DIR")
            .env("NO_PROXY", "*")
            .output()
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}"
        );
        assert_eq!(answered.load(Ordering::SeqCst) > 0, are_there);
    }
    fs::remove_file(file).unwrap();
}

#[cfg(all(feature = "huawei", not(feature = "native-tls")))]
async fn late(iam: &str, are_there: bool) {
    use cloud_workflows::{Delivery, RetryPolicy, huawei};

    let client = huawei::Client::builder()
        .endpoint("http://127.0.0.1:1")
        .iam_endpoint(iam)
        .project_id("project")
        .credentials(huawei::IamPassword::new("domain", "user", "password"))
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    let request = huawei::StartSyncWorkflowExecutionRequest::new("flow");
    let call = client.start_sync_workflow_execution(request);
    let error = call.send().await.unwrap_err();
    let text = error.to_string();
    assert_eq!(text.contains("SSL_CERT_FILE"), !are_there, "{text}");
    assert_eq!(error.delivery(), Delivery::NotSent);
    // One that is to talk https says it at once.
    assert_eq!(builder("https://127.0.0.1:1").build().is_ok(), are_there);
}
