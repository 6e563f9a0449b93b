//! Why an exchange failed, read from the causes that the HTTP library gives: how far it got, and
//! the reason in words.
//!
//! The libraries below share no type that says so; their texts do.

use std::error::Error as StdError;

use http::StatusCode;

/// The longest reason, in bytes: a cause may be a stranger's.
const LONGEST: usize = 256;

/// Why there is no whole reply: how far it got decides what may have happened.
pub(crate) struct TransportError {
    pub(crate) stage: Stage,
    /// Why, in words on one bounded line; empty where the stage says it all.
    pub(crate) reason: String,
}

/// How far an attempt got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No connection: name resolution, TCP, TLS.
    Connect,
    /// No connection: the certificate does not verify.
    Certificate,
    /// No connection: the proxy wants another user or password.
    Proxy,
    /// The limit ran out before there was a connection.
    Connecting,
    /// The connection broke after it was made, before the reply's head.
    Exchange,
    /// The limit ran out before the reply's head.
    Waiting,
    /// The body broke or ran out of time after this status.
    Body { status: StatusCode, timed_out: bool },
    /// The body is larger than the cap.
    Oversized { status: StatusCode },
}

impl TransportError {
    /// The reason behind a colon, where there is one.
    pub(crate) fn because(&self) -> String {
        match self.reason.is_empty() {
            true => String::new(),
            false => format!(": {}", self.reason),
        }
    }

    pub(crate) fn plain(stage: Stage) -> Self {
        Self {
            stage,
            reason: String::new(),
        }
    }

    pub(super) fn new(stage: Stage, error: reqwest::Error) -> Self {
        Self {
            stage,
            // The URL holds the signature and, for reads, every parameter.
            reason: reason(&error.without_url()),
        }
    }
}

/// How far an attempt got that never had a connection.
pub(super) fn unconnected(error: &(dyn StdError + 'static)) -> Stage {
    let says = |what: &str| causes(error).any(|cause| cause.contains(what));
    if says("proxy authorization required") {
        Stage::Proxy
    } else if says("certificate") || says("UnknownIssuer") {
        // A wrong guess only costs or saves a repeat of something that was never sent.
        Stage::Certificate
    } else {
        Stage::Connect
    }
}

/// The reason on one line, bounded, with nothing said twice.
pub(super) fn reason(error: &(dyn StdError + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in causes(error) {
        let cause = in_words(&cause);
        if cause.is_empty() || said.iter().any(|said| said.contains(&cause)) {
            continue;
        }
        // What wraps an error often repeats it.
        said.retain(|said| !cause.contains(said.as_str()));
        said.push(cause);
    }
    let mut reason = said.join(": ");
    if reason.len() > LONGEST {
        let is_boundary = |end: &usize| reason.is_char_boundary(*end);
        let end = (0..=LONGEST).rev().find(is_boundary).unwrap_or(0);
        reason.truncate(end);
        reason.push('…');
    }
    reason
}

/// The text of the error and of each of its causes.
fn causes(error: &(dyn StdError + 'static)) -> impl Iterator<Item = String> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error.to_string())
    })
}

/// What a user can act on; nothing, where a library only says which of its parts speaks.
fn in_words(cause: &str) -> String {
    const PARTS: [&str; 6] = [
        "error sending request",
        "client error (",
        "tcp connect error",
        "request or response body error",
        "error decoding response body",
        "error reading a body from connection",
    ];
    const NOT_TLS: [&str; 4] = [
        "InvalidContentType",
        "wrong version number",
        "packet length too long",
        "http request",
    ];
    if PARTS.iter().any(|part| cause.starts_with(part)) {
        return String::new();
    }
    if cause == "dns error" {
        return "the name could not be resolved".to_owned();
    }
    if NOT_TLS.iter().any(|sign| cause.contains(sign)) {
        return format!("that port does not speak TLS ({cause})");
    }
    cause.to_owned()
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    /// An error that says this, with the rest as its causes.
    #[derive(Debug)]
    struct Says(String, Option<Box<Says>>);

    impl Says {
        fn all(texts: &[&str]) -> Self {
            let (first, rest) = texts.split_first().unwrap_or((&"", &[]));
            let cause = (!rest.is_empty()).then(|| Box::new(Self::all(rest)));
            Self((*first).to_owned(), cause)
        }
    }

    impl fmt::Display for Says {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&self.0)
        }
    }

    impl StdError for Says {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    const OUTSIDE: [&str; 2] = ["error sending request", "client error (Connect)"];

    fn because(causes: &[&str]) -> String {
        reason(&Says::all(&[&OUTSIDE, causes].concat()))
    }

    #[test]
    fn a_reason_is_what_a_user_can_act_on() {
        for (causes, said) in [
            (
                &["tcp connect error", "Connection refused (os error 111)"][..],
                "Connection refused (os error 111)",
            ),
            (
                &["dns error", "failed to lookup address information"],
                "the name could not be resolved: failed to lookup address information",
            ),
            (
                &["invalid peer certificate: UnknownIssuer"; 2],
                "invalid peer certificate: UnknownIssuer",
            ),
            (&["broken: pipe", "pipe"], "broken: pipe"),
            (&["pipe", "broken: pipe"], "broken: pipe"),
            (
                &["received corrupt message of type InvalidContentType"],
                "that port does not speak TLS (received corrupt message of type \
                 InvalidContentType)",
            ),
            (&["operation timed out"], "operation timed out"),
            (&[], ""),
        ] {
            assert_eq!(because(causes), said);
        }
    }

    #[test]
    fn a_reason_has_a_bound() {
        let long = "中".repeat(1 << 20);
        let said = because(&["dns error", &long]);
        assert!(
            said.len() <= LONGEST + 3 && said.ends_with('…'),
            "{}",
            said.len()
        );
    }

    #[test]
    fn who_refuses_a_connection_is_told_from_who_is_not_there() {
        for (text, stage) in [
            ("proxy authorization required", Stage::Proxy),
            (
                "invalid peer certificate: NotValidForName",
                Stage::Certificate,
            ),
            ("Connection refused (os error 111)", Stage::Connect),
            ("unsuccessful", Stage::Connect),
        ] {
            let causes = [&OUTSIDE[..], &["tunnel error", text]].concat();
            assert_eq!(unconnected(&Says::all(&causes)), stage, "{text}");
        }
    }
}
