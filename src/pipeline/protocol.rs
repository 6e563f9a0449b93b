//! How a family of operations is written and read.

use std::{fmt, time::Duration};

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use http::{HeaderMap, HeaderValue};
use url::Url;

use super::{
    transport::{HttpRequest, Reply},
    words::Sensitive,
};
use crate::error::{Error, ErrorCode, ErrorKind};

/// A way to write requests and to read refusals. Pure: no clock, no randomness, no I/O.
pub trait Protocol: fmt::Debug + Send + Sync + 'static {
    /// A request before it is signed.
    type Wire: Send + Sync + 'static;
    /// What a request is signed with.
    type Credential: Send + Sync + 'static;
    /// Whether requests carry a nonce. Getting one is a call to the operating system.
    const HAS_NONCE: bool;

    /// What operators call the cloud.
    const CLOUD: &'static str;
    /// How the names of its own headers begin.
    const OWN_HEADERS: &'static [&'static str];

    /// Makes the final bytes of one attempt.
    fn prepare(
        &self,
        wire: &Self::Wire,
        credential: Option<&Self::Credential>,
        stamp: &Stamp,
    ) -> Result<HttpRequest, Error>;

    /// Reads a reply that is not 2xx.
    fn refusal(
        &self,
        wire: &Self::Wire,
        credential: Option<&Self::Credential>,
        stamp: &Stamp,
        reply: &Reply,
    ) -> Refusal;

    /// The address that requests go to.
    fn endpoint(&self) -> &Url;

    /// Says what of a request that was sent no word of an answer may repeat.
    fn sensitive(
        &self,
        sent: &HttpRequest,
        credential: Option<&Self::Credential>,
        sensitive: &mut Sensitive,
    );

    /// What a 2xx reply tells of its request, even where it is no answer.
    fn told(&self, reply: &Reply) -> Told;

    /// The request id in the headers.
    fn request_id(headers: &HeaderMap) -> Option<String>;
}

/// What differs from attempt to attempt.
#[derive(Clone, Debug)]
pub struct Stamp {
    pub(crate) now: DateTime<Utc>,
    /// Zeros where the protocol has none.
    pub(crate) nonce: [u8; 16],
}

/// What a request says as `Host`: the port too where it is not the usual one. Written beforehand, it
/// is spared to each call.
pub(crate) fn host(endpoint: &Url) -> Option<HeaderValue> {
    let host = endpoint.host_str()?;
    match endpoint.port() {
        Some(port) => HeaderValue::try_from(format!("{host}:{port}")).ok(),
        None => HeaderValue::from_str(host).ok(),
    }
}

/// A time's digits by two: century, year, month, day, hour, minute, second.
pub(crate) fn digits(time: DateTime<Utc>) -> [[u8; 2]; 7] {
    let year = time.year().unsigned_abs();
    [
        year / 100 % 100,
        year % 100,
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
    ]
    .map(|number| [number / 10, number % 10].map(|digit| b'0' + digit as u8))
}

/// What a reply that is not 2xx says.
#[derive(Debug)]
pub struct Refusal {
    /// The code, where the body has one of the vendor's shapes with a code in it.
    pub(crate) code: Option<ErrorCode>,
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) class: RefusalClass,
    /// Whether refusals like this, one after the other, lock the credential it was sent with.
    pub(crate) may_lock: bool,
}

impl Refusal {
    /// Hides what its words repeat of the request.
    pub(crate) fn scrubbed(mut self, sensitive: &Sensitive) -> Self {
        sensitive.hide(&mut self.message);
        self.code = self.code.map(|code| code.scrubbed(sensitive));
        if let Some(id) = &mut self.request_id {
            sensitive.hide(id);
        }
        self
    }
}

impl Coded {
    /// The same of a 2xx reply.
    pub(crate) fn scrubbed(mut self, sensitive: &Sensitive) -> Self {
        self.code = self.code.scrubbed(sensitive);
        for text in [&mut self.message, &mut self.request_id]
            .into_iter()
            .flatten()
        {
            sensitive.hide(text);
        }
        self
    }
}

impl Told {
    /// The same of the ids.
    pub(crate) fn scrubbed(mut self, sensitive: &Sensitive) -> Self {
        let ids = [
            &mut self.request_id,
            &mut self.execution_name,
            &mut self.execution_id,
        ];
        for id in ids.into_iter().flatten() {
            sensitive.hide(id);
        }
        self
    }
}

/// The ids in a 2xx reply.
#[derive(Debug, Default)]
pub struct Told {
    pub(crate) request_id: Option<String>,
    pub(crate) execution_name: Option<String>,
    pub(crate) execution_id: Option<String>,
}

/// What a 2xx reply says that holds a code and no result.
#[derive(Debug)]
pub struct Coded {
    pub(crate) code: ErrorCode,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
}

/// What a coded refusal means for sending the request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusalClass {
    /// A rate refused it.
    Throttled,
    /// Its time, perhaps: the reply's `Date` decides.
    Clock,
    /// Its credential has aged, perhaps: the cache decides.
    CredentialAged,
    /// The gateway could not check the credential.
    GatewayUnavailable,
    /// Another change came in between; the service asks to repeat.
    Conflict,
    /// Its nonce was seen before, so a first copy arrived.
    NonceUsed,
    /// Anything else with a code.
    Coded,
    /// No code: a proxy's or firewall's word.
    Uncoded,
}
