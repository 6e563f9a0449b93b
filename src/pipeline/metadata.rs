//! One exchange with a metadata address: never through a proxy, soon over, small.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::{
    clock::monotonic,
    credential::Context,
    failure::{Stage, TransportError},
    hosts::is_loopback,
    transport::{DIRECT_CONNECT_LIMIT, HttpRequest, Reply, Transport},
};
use crate::error::{Error, ErrorKind, Lack};

const MAX_REPLY_BYTES: usize = 64 * 1024;

impl Context {
    /// Sends a request without a body; see [`exchange_directly`](Self::exchange_directly).
    pub(crate) async fn fetch(
        &self,
        service: &str,
        method: Method,
        url: Url,
        headers: HeaderMap,
        limit: Duration,
    ) -> Result<Reply, Error> {
        let body = Bytes::new();
        let request = HttpRequest {
            method,
            url,
            headers,
            body,
        };
        self.exchange_directly(service, request, limit).await
    }

    /// Sends a body; see [`exchange_directly`](Self::exchange_directly).
    pub(crate) async fn post(
        &self,
        service: &str,
        url: Url,
        headers: HeaderMap,
        body: impl Into<Bytes>,
        limit: Duration,
    ) -> Result<Reply, Error> {
        let request = HttpRequest {
            method: Method::POST,
            url,
            headers,
            body: body.into(),
        };
        self.exchange_directly(service, request, limit).await
    }

    /// Sends a body the way that calls go, through proxies; on this machine past them. Plain http
    /// is for this machine only.
    #[cfg(feature = "alibaba")]
    pub(crate) async fn post_as_calls_go(
        &self,
        service: &str,
        url: Url,
        headers: HeaderMap,
        body: String,
        limit: Duration,
    ) -> Result<Reply, Error> {
        if is_loopback(&url) {
            return self.post(service, url, headers, body, limit).await;
        }
        if url.scheme() != "https" {
            let message = format!("the address of {service} must be https");
            return Err(Error::new(ErrorKind::Credentials, message));
        }
        let request = HttpRequest {
            method: Method::POST,
            url,
            headers,
            body: body.into(),
        };
        self.check_may_ask(format_args!("{service} at {}", address(&request.url)))?;
        let transport = &self.core.transport;
        exchange(service, transport, request, limit).await
    }

    /// Sends a request straight to its address and gives the reply of status 200. `service` is
    /// what messages call the other side.
    ///
    /// # Errors
    ///
    /// By what happened, or by the reply's status. Messages show neither address nor body.
    async fn exchange_directly(
        &self,
        service: &str,
        request: HttpRequest,
        limit: Duration,
    ) -> Result<Reply, Error> {
        self.check_may_ask(format_args!("{service} at {}", address(&request.url)))?;
        let transport = match &self.core.transport {
            #[cfg(any(test, fuzzing))]
            scripted @ Transport::Scripted(_) => scripted,
            _ => self
                .core
                .direct
                .transport(request.url.scheme() == "https", &self.core.environment)?,
        };
        exchange(service, transport, request, limit).await
    }
}

async fn exchange(
    service: &str,
    transport: &Transport,
    request: HttpRequest,
    limit: Duration,
) -> Result<Reply, Error> {
    let address = address(&request.url);
    let reply = transport
        .here()?
        .send(
            request,
            monotonic() + limit,
            DIRECT_CONNECT_LIMIT,
            MAX_REPLY_BYTES,
        )
        .await
        .map_err(|broken| error_of(service, &address, broken, limit))?;
    if reply.status == StatusCode::OK {
        return Ok(reply);
    }
    let kind = ErrorKind::of_status(reply.status);
    let message = format!("{service} gave {}", reply.describe());
    let error = Error::new(kind, message).with_status(reply.status);
    Err(match error.lack() {
        // Whoever refuses may be ready soon.
        Lack::Local => error.with_lack(Lack::NotReady),
        _ => error,
    })
}

/// Host and port: the rest of an address may hold a secret.
fn address(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn error_of(service: &str, address: &str, broken: TransportError, limit: Duration) -> Error {
    let (kind, what) = match broken.stage {
        Stage::Connect | Stage::Proxy => {
            let why = broken.because();
            let message = format!("{service} could not be reached at {address}{why}");
            // It has said it all.
            return Error::new(ErrorKind::Connect, message);
        }
        Stage::Certificate => (
            ErrorKind::Connect,
            "has a certificate that does not verify".to_owned(),
        ),
        Stage::Connecting
        | Stage::Waiting
        | Stage::Body {
            timed_out: true, ..
        } => (
            ErrorKind::Timeout,
            format!("did not answer in {} s", limit.as_secs()),
        ),
        Stage::Exchange | Stage::Body { .. } => (
            ErrorKind::Transport,
            "broke the connection before its answer was whole".to_owned(),
        ),
        Stage::Oversized { .. } => (
            ErrorKind::TooLarge,
            format!("gave an answer larger than {MAX_REPLY_BYTES} bytes"),
        ),
    };
    Error::new(kind, format!("{service} {what}{}", broken.because()))
}
