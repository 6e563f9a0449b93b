//! Replies to play, and who they are played to.

use std::{
    collections::VecDeque,
    error::Error as _,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use cloud_workflows::{
    Error,
    fuzzing::{Play, World},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use crate::WALL;

/// One reply.
#[derive(Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// `None` for what no HTTP client would hand on.
    pub fn of_pieces(status: &[u8], headers: &[u8], body: &[u8]) -> Option<Self> {
        let status = StatusCode::from_bytes(status).ok()?;
        Some(Self {
            status: (200..600).contains(&status.as_u16()).then_some(status)?,
            headers: headers_of(headers)?,
            body: Bytes::copy_from_slice(body),
        })
    }

    pub fn ok(body: &str) -> Self {
        Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }
}

/// Lines of names and values with a `:` between.
pub fn headers_of(lines: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        if let Some(at) = line.iter().position(|byte| *byte == b':') {
            let name = HeaderName::from_bytes(&line[..at]).ok()?;
            let value = HeaderValue::from_bytes(line[at + 1..].trim_ascii()).ok()?;
            headers.append(name, value);
        }
    }
    Some(headers)
}

/// A request as it went out.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    /// The value of a header that is there and is text.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).expect("the header");
        value.to_str().expect("a text")
    }
}

/// A world whose other side plays these replies, the last one for ever, and what it was sent.
pub fn world(replies: Vec<Reply>) -> (World, Arc<Mutex<Vec<Request>>>) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&sent);
    let replies = Mutex::new(VecDeque::from(replies));
    let world = World::new(*WALL, move |method, url, headers, body| {
        log.lock().expect("no panic").push(Request {
            method: method.clone(),
            url: url.clone(),
            headers: headers.clone(),
            body: body.clone(),
        });
        let mut replies = replies.lock().expect("no panic");
        let reply = match replies.len() {
            0 => return Play::Break,
            1 => replies[0].clone(),
            _ => replies.pop_front().expect("more than one"),
        };
        Play::Reply(reply.status, reply.headers, reply.body)
    });
    (world, sent)
}

/// All that an error says, with what caused it.
pub fn words(error: &Error) -> String {
    let shown = error.to_string();
    assert!(
        !shown.chars().any(char::is_control),
        "an error is one line: {shown:?}"
    );
    let mut words = format!("{shown} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(&format!(" {error} {error:?}"));
        cause = error.source();
    }
    words
}
