//! A raw server on loopback: each connection plays a script, and all that arrives is counted.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use cloud_workflows::BoxFuture;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// Longer than anything takes that is not broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What all three starts read as a success.
pub(crate) const ANSWER: &str = r#"{"RequestId": "r", "Status": "Succeeded", "status": "success", "Output": "{\"n\": 1}", "output": {"n": 1}}"#;

/// A whole reply with a length.
pub(crate) fn reply(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

/// A server that ends, with all its connections, when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    log: Arc<Log>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Log {
    connections: AtomicUsize,
    requests: Mutex<Vec<String>>,
}

impl Server {
    /// Plays `script` on every connection.
    pub(crate) async fn start<F, Played>(script: F) -> Self
    where
        F: Fn(Peer) -> Played + Send + 'static,
        Played: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, script)
    }

    /// The same with small receive buffers: what is not read soon stops its sender.
    pub(crate) fn start_narrow<F, Played>(script: F) -> Self
    where
        F: Fn(Peer) -> Played + Send + 'static,
        Played: Future<Output = ()> + Send + 'static,
    {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self::on(socket.listen(64).unwrap(), script)
    }

    /// The same on a listener that is there.
    pub(crate) fn on<F, Played>(listener: TcpListener, script: F) -> Self
    where
        F: Fn(Peer) -> Played + Send + 'static,
        Played: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Log::default());
        let shared = log.clone();
        let accepting = tokio::spawn(async move {
            let mut playing = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                playing.spawn(script(Peer {
                    stream,
                    number,
                    log: shared.clone(),
                    unread: Vec::new(),
                }));
            }
        });
        Self {
            address,
            log,
            accepting,
        }
    }

    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// How many connections were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    /// The requests that were read to their ends.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.log.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The server's end of one connection.
pub(crate) struct Peer<S = TcpStream> {
    pub(crate) stream: S,
    /// How many connections were accepted before this one.
    pub(crate) number: usize,
    log: Arc<Log>,
    unread: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    /// Reads a few bytes; false at the end of the connection.
    pub(crate) async fn first_bytes(&mut self) -> bool {
        let mut few = [0; 32];
        match self.stream.read(&mut few).await {
            Ok(0) | Err(_) => false,
            Ok(read) => {
                self.unread.extend_from_slice(&few[..read]);
                true
            }
        }
    }

    /// Reads a request to its end and counts it; `None` where the connection ends before.
    pub(crate) async fn request(&mut self) -> Option<String> {
        loop {
            if let Some(length) = whole(&self.unread) {
                let request: Vec<u8> = self.unread.drain(..length).collect();
                let request = String::from_utf8_lossy(&request).into_owned();
                self.log.requests.lock().unwrap().push(request.clone());
                return Some(request);
            }
            match self.stream.read_buf(&mut self.unread).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Writes; a client that has gone is no matter.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
        let _ = self.stream.flush().await;
    }

    /// Answers every request.
    pub(crate) async fn serve(mut self) {
        while self.request().await.is_some() {
            self.send(reply("200 OK", "", ANSWER)).await;
        }
    }

    /// Says nothing more, and keeps the connection.
    pub(crate) async fn stall(self) {
        std::future::pending().await
    }

    /// Says that there is nothing more to come.
    pub(crate) async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Waits until the client has closed the connection.
    pub(crate) async fn gone(mut self) {
        let mut scrap = vec![0; 64 * 1024];
        while !matches!(self.stream.read(&mut scrap).await, Ok(0) | Err(_)) {}
    }

    /// The same connection, spoken to in another way.
    pub(crate) async fn wrapped<T, E>(
        self,
        wrap: impl FnOnce(S) -> BoxFuture<'static, Result<T, E>>,
    ) -> Option<Peer<T>> {
        Some(Peer {
            stream: wrap(self.stream).await.ok()?,
            number: self.number,
            log: self.log,
            unread: self.unread,
        })
    }
}

impl Peer {
    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

/// How long the request is that these bytes begin with, where it is there in full.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(0, |length| length.trim().parse().unwrap());
    (bytes.len() >= head + length).then_some(head + length)
}
