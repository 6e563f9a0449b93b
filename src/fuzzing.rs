//! Doors for the fuzz targets, of which a fuzzer needs no others: there only where it builds.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use url::Url;

use crate::{
    alibaba, emulator, huawei,
    pipeline::{
        clock::{Clock, monotonic},
        environment::Environment,
        failure::Stage,
        transport::{
            HttpRequest, Reply,
            scripted::{Script, Step},
        },
    },
};

/// What stands in for the world around a client: variables, files, the other side, the time.
pub struct World {
    environment: Environment,
    script: Arc<Script>,
    wall: DateTime<Utc>,
}

/// What the other side of a [`World`] does.
#[derive(Debug)]
pub enum Play {
    Reply(StatusCode, HeaderMap, Bytes),
    Break,
    Silence,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

impl World {
    pub fn new(
        wall: DateTime<Utc>,
        play: impl Fn(&Method, &Url, &HeaderMap, &Bytes) -> Play + Send + Sync + 'static,
    ) -> Self {
        let script = Script::playing(move |request: &HttpRequest| {
            let HttpRequest {
                method,
                url,
                headers,
                body,
            } = request;
            Some(match play(method, url, headers, body) {
                Play::Reply(status, headers, body) => {
                    let reply = Reply {
                        status,
                        headers,
                        body,
                        received: monotonic(),
                    };
                    Step::Reply(Duration::ZERO, reply)
                }
                Play::Break => Step::Fail(Stage::Exchange),
                Play::Silence => Step::Silence,
            })
        });
        Self {
            environment: Environment::fake(&[]),
            script,
            wall,
        }
    }

    pub fn set(&self, variable: &str, value: &str) {
        self.environment.set(variable, value);
    }

    /// Writes a file; `~/printed` is what any program prints.
    pub fn write(&self, path: &str, content: &[u8]) {
        self.environment.write(path, content);
    }

    pub fn alibaba(&self, builder: alibaba::ClientBuilder) -> alibaba::ClientBuilder {
        builder
            .environment(&self.environment)
            .scripted(&self.script, Clock::starting_at(self.wall))
    }

    pub fn alibaba_from_env(&self) -> alibaba::ClientBuilder {
        self.alibaba(alibaba::ClientBuilder::of_environment(
            self.environment.clone(),
        ))
    }

    pub fn huawei(&self, builder: huawei::ClientBuilder) -> huawei::ClientBuilder {
        builder
            .environment(&self.environment)
            .scripted(&self.script, Clock::starting_at(self.wall))
    }

    pub fn huawei_from_env(&self) -> huawei::ClientBuilder {
        self.huawei(huawei::ClientBuilder::of_environment(
            self.environment.clone(),
        ))
    }
}

/// The canonical request of `SDK-HMAC-SHA256`.
pub fn canonical_request(
    method: &str,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> String {
    huawei::signature::Request::new(method, path, query, headers, body).canonical()
}

/// The signature v1 of parameters that are sorted and percent-encoded once.
pub fn signature_v1(secret: &str, method: &str, sorted: &[(String, String)]) -> String {
    let pairs: Vec<String> = sorted.iter().map(|(n, v)| format!("{n}={v}")).collect();
    alibaba::signature::Key::new(secret).sign(method, pairs.join("&").as_bytes())
}

pub fn percent_encoded(text: &str) -> String {
    let mut encoded = Vec::new();
    crate::pipeline::percent::push_encoded(&mut encoded, text);
    String::from_utf8_lossy(&encoded).into_owned()
}

pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    crate::pipeline::times::parse_time(text)
}

/// Serves a connection as the emulator does its own.
pub async fn serve<S>(emulator: &emulator::Emulator, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    emulator.serve(stream).await;
}
