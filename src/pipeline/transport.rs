//! One exchange over HTTP. With `pools`, `settings`, `proxy`, `tls` and `failure` all that knows reqwest.

use std::{fmt, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_LENGTH},
};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    clock::monotonic,
    environment::Environment,
    failure::{self, Stage, TransportError},
    pools::Pools,
    tls,
    unsent::WatchedBody,
};
use crate::error::Error;

/// The final bytes of one attempt.
///
/// `Debug` prints neither URL nor headers nor body: they hold signatures, tokens and inputs.
pub struct HttpRequest {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A whole reply.
pub struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// When the head came.
    pub(crate) received: Instant,
}

impl Reply {
    /// What can be said of a reply in which nobody says anything.
    pub(crate) fn describe(&self) -> String {
        let content_type = self.headers.get(http::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|text| text.to_str().ok());
        let what = match (self.status.is_redirection(), self.body.is_empty()) {
            (true, _) => "a redirect, which is not followed",
            (false, true) => "an empty answer",
            (false, false) => "an answer that is not the service's",
        };
        match content_type {
            Some(content_type) => format!("{what} ({content_type}, {} bytes)", self.body.len()),
            None => format!("{what} ({} bytes)", self.body.len()),
        }
    }
}

/// What the library's connect limit may be late by.
pub(crate) const CONNECT_SLACK: Duration = Duration::from_millis(250);

/// How long a connection to a metadata address may take.
pub(super) const DIRECT_CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// How many headers of an answer are read. Room for them is made, and cleared, for each answer.
const MAX_HEADERS: usize = 256;

/// Where requests go.
pub(crate) enum Transport {
    /// Over pools, one a runtime.
    Pooled(Arc<Pools>),
    /// Over a new connection each time, which any runtime may do.
    Direct(reqwest::Client),
    #[cfg(any(test, fuzzing))]
    Scripted(Arc<scripted::Script>),
}

/// The transport as one runtime has it.
pub(crate) enum Here {
    Reqwest(reqwest::Client),
    #[cfg(any(test, fuzzing))]
    Scripted(Arc<scripted::Script>),
}

impl Transport {
    /// For metadata addresses: no proxy, whatever the environment says, for they give out keys; no
    /// redirects, no idle connections, 1 s to connect.
    pub(crate) fn direct(secure: bool, environment: &Environment) -> Result<Self, Error> {
        tls::require(secure, false)?;
        let http = tolerant(reqwest::Client::builder())
            .user_agent(concat!("cloud-workflows/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .https_only(secure)
            .connect_timeout(DIRECT_CONNECT_LIMIT)
            .pool_max_idle_per_host(0);
        let client = tls::prepare(http, secure, environment)?
            .build()
            .map_err(|error| tls::not_built(&error, environment))?;
        Ok(Self::Direct(client))
    }

    /// What this runtime sends with.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), before anything is sent: a
    /// runtime without timers or I/O, or an HTTP client that cannot be built.
    pub(crate) fn here(&self) -> Result<Here, Error> {
        self.by(Pools::here)
    }

    /// What this runtime sends to this address with; the same errors.
    pub(crate) fn here_for(&self, address: &Url) -> Result<Here, Error> {
        self.by(|pools| pools.here_for(address))
    }

    fn by(
        &self,
        client: impl FnOnce(&Arc<Pools>) -> Result<reqwest::Client, Error>,
    ) -> Result<Here, Error> {
        match self {
            Self::Pooled(pools) => client(pools).map(Here::Reqwest),
            Self::Direct(client) => Ok(Here::Reqwest(client.clone())),
            #[cfg(any(test, fuzzing))]
            Self::Scripted(script) => Ok(Here::Scripted(script.clone())),
        }
    }

    /// Gives up the connections of this runtime: the next call in it makes new ones, and calls in
    /// flight keep theirs.
    pub(crate) fn give_up_pool(&self) {
        match self {
            Self::Pooled(pools) => pools.give_up(),
            Self::Direct(_) => {}
            #[cfg(any(test, fuzzing))]
            Self::Scripted(script) => script.give_up_pool(),
        }
    }
}

impl Here {
    /// Sends a request and reads the whole reply before `deadline`; a connection may take
    /// `connect_limit`, where the library itself says that there was none.
    pub(crate) async fn send(
        self,
        mut request: HttpRequest,
        deadline: Instant,
        connect_limit: Duration,
        max_reply_bytes: usize,
    ) -> Result<Reply, TransportError> {
        match self {
            Self::Reqwest(client) => {
                if request.method == Method::POST && request.body.is_empty() {
                    // Left out, it is a length that gateways ask for.
                    let none = HeaderValue::from_static("0");
                    request.headers.insert(CONTENT_LENGTH, none);
                }
                // Only a deadline before the connect limit can end a call that was never
                // connected; the watch is spared to all others.
                let handed = (time_left(deadline) <= connect_limit.saturating_add(CONNECT_SLACK))
                    .then(|| {
                        let (body, handed) = WatchedBody::new(std::mem::take(&mut request.body));
                        (reqwest::Body::wrap(body), handed)
                    });
                let (body, handed) = handed.unzip();
                let answer = client.execute(outgoing(request, body));
                let received = receive(answer, deadline, max_reply_bytes).await;
                received.map_err(|broken| match handed {
                    Some(handed) if broken.stage == Stage::Waiting && handed.withdraw() => {
                        TransportError::plain(Stage::Connecting)
                    }
                    _ => broken,
                })
            }
            #[cfg(any(test, fuzzing))]
            Self::Scripted(script) => script.send(request, deadline).await,
        }
    }
}

/// An answer is read although its headers are many, folded, or have a space before the colon: the
/// flow ran, and none of them is what was asked for. Gateways compress where a request says nothing
/// of it.
pub(crate) fn tolerant(http: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    let identity = HeaderValue::from_static("identity");
    http.default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, identity)]))
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_max_headers(MAX_HEADERS)
}

fn outgoing(request: HttpRequest, body: Option<reqwest::Body>) -> reqwest::Request {
    let mut outgoing = reqwest::Request::new(request.method, request.url);
    *outgoing.headers_mut() = request.headers;
    *outgoing.body_mut() = Some(body.unwrap_or_else(|| request.body.into()));
    outgoing
}

async fn receive(
    answer: impl Future<Output = reqwest::Result<reqwest::Response>>,
    deadline: Instant,
    max_reply_bytes: usize,
) -> Result<Reply, TransportError> {
    let mut incoming = timeout_at(deadline, answer)
        .await
        .map_err(|_| TransportError::plain(Stage::Waiting))?
        .map_err(of_reqwest)?;

    let received = monotonic();
    let status = incoming.status();
    let headers = std::mem::take(incoming.headers_mut());
    let announced = incoming.content_length().unwrap_or(0);
    if announced > max_reply_bytes as u64 {
        return Err(TransportError::plain(Stage::Oversized { status }));
    }
    // The announced length is a stranger's word: trust it with one allocation of bounded size.
    let mut body = BytesMut::with_capacity(announced.min(64 * 1024) as usize);
    loop {
        let lost = |timed_out| Stage::Body { status, timed_out };
        let chunk = timeout_at(deadline, incoming.chunk())
            .await
            .map_err(|_| TransportError::plain(lost(true)))?
            .map_err(|error| TransportError::new(lost(error.is_timeout()), error))?;
        let Some(chunk) = chunk else { break };
        if body.len() + chunk.len() > max_reply_bytes {
            return Err(TransportError::plain(Stage::Oversized { status }));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply {
        status,
        headers,
        body: body.freeze(),
        received,
    })
}

/// Only a connect error proves that nothing was sent, so it is asked first: a stalled TLS handshake
/// is both a connect error and a timeout.
fn of_reqwest(error: reqwest::Error) -> TransportError {
    let stage = if error.is_connect() {
        failure::unconnected(&error)
    } else if error.is_timeout() {
        Stage::Waiting
    } else {
        Stage::Exchange
    };
    TransportError::new(stage, error)
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpRequest({} {} bytes)", self.method, self.body.len())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({} {} bytes)", self.status, self.body.len())
    }
}

/// The time left until a deadline.
pub(crate) fn time_left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(monotonic())
}

#[cfg(any(test, fuzzing))]
pub(crate) mod scripted {
    //! A transport that plays a script: for tests on a paused clock.

    #![expect(
        clippy::expect_used,
        clippy::unwrap_used,
        reason = "a test fails by panicking"
    )]

    use std::{collections::VecDeque, sync::Mutex};

    use tokio::time::{sleep, timeout_at};

    use super::*;

    /// What happens to one request.
    pub(crate) enum Step {
        /// A reply after a while.
        Reply(Duration, Reply),
        /// A failure of the transport.
        Fail(Stage),
        /// Silence until the deadline.
        Silence,
    }

    type Play = Box<dyn Fn(&HttpRequest) -> Option<Step> + Send + Sync>;

    /// Steps for the next requests, and what was sent.
    pub(crate) struct Script {
        steps: Mutex<VecDeque<Step>>,
        play: Option<Play>,
        sent: Mutex<Vec<(Instant, HttpRequest)>>,
        /// How many requests had been sent each time that a pool was given up.
        given_up: Mutex<Vec<usize>>,
    }

    impl Script {
        #[cfg(test)]
        pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> std::sync::Arc<Self> {
            std::sync::Arc::new(Self {
                steps: Mutex::new(steps.into_iter().collect()),
                play: None,
                sent: Mutex::default(),
                given_up: Mutex::default(),
            })
        }

        /// Answers by a function; where it gives none, the next step is played.
        pub(crate) fn playing(
            play: impl Fn(&HttpRequest) -> Option<Step> + Send + Sync + 'static,
        ) -> std::sync::Arc<Self> {
            std::sync::Arc::new(Self {
                steps: Mutex::default(),
                play: Some(Box::new(play)),
                sent: Mutex::default(),
                given_up: Mutex::default(),
            })
        }

        #[cfg(test)]
        pub(crate) fn sent(&self) -> Vec<(Instant, HttpRequest)> {
            std::mem::take(&mut self.sent.lock().unwrap())
        }

        pub(super) fn give_up_pool(&self) {
            let sent = self.sent.lock().unwrap().len();
            self.given_up.lock().unwrap().push(sent);
        }

        /// After how many requests a pool was given up, each time.
        #[cfg(test)]
        pub(crate) fn given_up(&self) -> Vec<usize> {
            std::mem::take(&mut self.given_up.lock().unwrap())
        }

        pub(super) async fn send(
            &self,
            request: HttpRequest,
            deadline: Instant,
        ) -> Result<Reply, TransportError> {
            let step = match &self.play {
                Some(play) => play(&request),
                None => self.steps.lock().unwrap().pop_front(),
            };
            self.sent.lock().unwrap().push((monotonic(), request));
            match step.expect("the script has no step for this request") {
                Step::Reply(after, reply) => timeout_at(deadline, sleep(after))
                    .await
                    .map(|()| Reply {
                        received: monotonic(),
                        ..reply
                    })
                    .map_err(|_| TransportError::plain(Stage::Waiting)),
                Step::Fail(stage) => Err(TransportError::plain(stage)),
                Step::Silence => {
                    tokio::time::sleep_until(deadline).await;
                    Err(TransportError::plain(Stage::Waiting))
                }
            }
        }
    }
}
