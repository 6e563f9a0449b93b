//! What one call may be told.

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{retry::RetryPolicy, words::Sensitive};
use crate::{error::Error, printed::logged};

/// What a call has of its own instead of the client's settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallOptions {
    pub(crate) timeout: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) repeat_if_unknown: bool,
    /// One attempt that took its turn at the pacer. It neither costs nor earns retry budget; clock
    /// and credential are still corrected.
    pub(crate) is_poll: bool,
    pub(crate) headers: Option<Arc<Headers>>,
}

/// Headers that the caller adds to a call.
#[derive(Clone, Default)]
pub(crate) struct Headers {
    map: HeaderMap,
    /// What is wrong with the first wrong one.
    fault: Option<(String, &'static str)>,
}

/// What HTTP itself or the client sets on every request.
const SET: [&str; 16] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
];
const OURS: &str = "is set by the client itself";

impl Headers {
    pub(crate) fn insert(&mut self, name: &str, value: &str) {
        match parse(name, value) {
            Ok((name, value)) => drop(self.map.insert(name, value)),
            Err(rule) => drop(self.fault.get_or_insert((logged(name).to_owned(), rule))),
        }
    }

    /// Refuses what is no header, and what a client sets or signs; `own` are the beginnings of the
    /// protocol's own names.
    pub(crate) fn check(&self, own: &[&str]) -> Result<(), Error> {
        if let Some((name, rule)) = &self.fault {
            return Err(refused(name, rule));
        }
        for name in self.map.keys().map(HeaderName::as_str) {
            let is_own = own.iter().any(|own| name.starts_with(own));
            if is_own || name.starts_with("proxy-") || SET.contains(&name) {
                return Err(refused(name, OURS));
            }
        }
        Ok(())
    }

    /// Adds them to a request that is complete but for them.
    pub(super) fn put_on(&self, request: &mut HeaderMap) -> Result<(), Error> {
        for (name, value) in &self.map {
            if request.contains_key(name) {
                return Err(refused(name.as_str(), OURS));
            }
            request.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    /// Many put a secret there.
    pub(super) fn sensitive(&self, sensitive: &mut Sensitive) {
        for value in self.map.values() {
            sensitive.secret(value);
        }
    }
}

fn parse(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), &'static str> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "is not a header's name")?;
    let is_visible = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    // Spaces at the ends are nobody's on the wire: the other side reads another value.
    if !value.bytes().all(is_visible) || value.trim_ascii() != value {
        return Err("its value must be visible ASCII text, without spaces around it");
    }
    let value = HeaderValue::from_str(value);
    let mut value = value.map_err(|_| "its value must be visible ASCII text")?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn refused(name: &str, rule: &str) -> Error {
    Error::invalid("http_header", format_args!("{name:?} {rule}"))
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.map.keys()).finish()
    }
}
