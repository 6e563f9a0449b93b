//! The other side: a server in a process of its own that answers at once, as the services would.
//!
//! Not the emulator, whose checks would cost more than what is measured.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    sync::Barrier,
};

use crate::Failure;

/// A running server. It ends with this value, and with the process that started it.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Answers at once.
    pub(crate) fn start() -> Result<Self, Failure> {
        Self::spawn(&["serve"])
    }

    /// Answers none until so many requests have come, and then, after a while, all of them.
    pub(crate) fn holding(requests: usize) -> Result<Self, Failure> {
        Self::spawn(&["serve", "--holding", &requests.to_string()])
    }

    fn spawn(arguments: &[&str]) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("the server has no output")?;
        let mut port = String::new();
        BufReader::new(output).read_line(&mut port)?;
        let url = format!("http://127.0.0.1:{}", port.trim().parse::<u16>()?);
        Ok(Self { child, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long a held answer waits behind the last request, so that the other side can look at itself.
pub(crate) const HELD: Duration = Duration::from_millis(300);

/// Serves until the input is closed, which it is when the starting process ends.
pub(crate) async fn serve(holding: Option<usize>) -> Result<(), Failure> {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let listener = socket.listen(16_384)?;
    println!("{}", listener.local_addr()?.port());
    let replies = Arc::new(Replies::new());
    let barrier = holding.map(|requests| Arc::new(Barrier::new(requests)));
    loop {
        let (stream, _) = listener.accept().await?;
        let (replies, barrier) = (replies.clone(), barrier.clone());
        tokio::spawn(async move {
            // A client that hangs up is one that has what it wanted.
            let _ = converse(stream, &replies, barrier.as_deref()).await;
        });
    }
}

async fn converse(
    mut stream: TcpStream,
    replies: &Replies,
    barrier: Option<&Barrier>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = Vec::with_capacity(2048);
    loop {
        let (reply, length) = loop {
            if let Some((head, whole)) = read_head(&received)
                && received.len() >= whole
            {
                break (replies.to(head), whole);
            }
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        };
        received.drain(..length);
        if let Some(barrier) = barrier {
            barrier.wait().await;
            tokio::time::sleep(HELD).await;
        }
        stream.write_all(reply).await?;
    }
}

/// A request's head, and the length of the whole request.
fn read_head(received: &[u8]) -> Option<(&str, usize)> {
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&received[..end]).ok()?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, length)| length.trim().parse().ok())
        .unwrap_or(0);
    Some((head, end + 4 + length))
}

/// What the services answer, as their pages show it.
struct Replies {
    started: Vec<u8>,
    succeeded: Vec<u8>,
    workflow: Vec<u8>,
}

impl Replies {
    fn new() -> Self {
        let alibaba = "x-acs-request-id: 5A1B6F9C-0D3E-5B7A-9C4D-2E8F60A1B3C5\r\n\
            x-acs-trace-id: 0f1e2d3c4b5a69788796a5b4c3d2e1f0\r\n\
            Access-Control-Allow-Origin: *\r\n\
            Access-Control-Expose-Headers: *\r\n";
        let huawei = "X-Request-Id: 7b1d5f0e9a4c4f6db2c8e3a1f5d09b64\r\nServer: api-gateway\r\n";
        Self {
            started: reply(alibaba, STARTED),
            succeeded: reply(alibaba, SUCCEEDED),
            workflow: reply(huawei, WORKFLOW),
        }
    }

    fn to(&self, head: &str) -> &[u8] {
        let target = head.split(' ').nth(1).unwrap_or_default();
        if target.starts_with("/v2/") {
            &self.workflow
        } else if head.contains("x-acs-action: StartSyncExecution\r\n") {
            &self.succeeded
        } else {
            &self.started
        }
    }
}

fn reply(headers: &str, body: &str) -> Vec<u8> {
    let date = httpdate::fmt_http_date(std::time::SystemTime::now());
    format!(
        "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: application/json;charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: keep-alive\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(crate) const STARTED: &str = r#"{"RequestId":"5A1B6F9C-0D3E-5B7A-9C4D-2E8F60A1B3C5","FlowName":"order-flow","Status":"Running","Input":"{\"order\":4711,\"customer\":\"c-20931\",\"lines\":[{\"article\":\"a-1\",\"count\":2}]}","FlowDefinition":"Type: StateMachine\nName: order-flow\nSpecVersion: v1\nStartAt: Reserve\n","StartedTime":"2026-11-22T08:09:10.123Z"}"#;

pub(crate) const SUCCEEDED: &str = r#"{"RequestId":"5A1B6F9C-0D3E-5B7A-9C4D-2E8F60A1B3C5","FlowName":"order-flow","Name":"cw-0123456789abcdef0123456789abcdef:7f0c2d58-3a3c-4b0e-9d06-a7d1a6a2b2f1","Status":"Succeeded","ErrorCode":"","ErrorMessage":"","Output":"{\"cents\":129900,\"currency\":\"EUR\"}","StartedTime":"2026-11-22T08:09:10.123Z","StoppedTime":"2026-11-22T08:09:10.456Z"}"#;

pub(crate) const WORKFLOW: &str = r#"{"execution_id":"c0c2d1a5-7b0f-4f2e-8f2a-5f4c0e0b9a31","status":"success","output":{"cents":129900,"currency":"EUR"},"errors":null,"begin_time":"2026-11-22T08:09:10Z","end_time":"2026-11-22T08:09:11Z"}"#;
