//! Alibaba Cloud CloudFlow: RPC calls at `/`.

mod aliases;
mod check;
mod definition;
mod execution;
mod executions;
mod flows;
mod following;
mod keys;
mod made;
mod managing;
mod map_runs;
mod pages;
mod parameters;
mod rights;
mod schedules;
mod shape;
mod sts;
mod versions;

use std::{
    collections::{HashSet, VecDeque},
    sync::Mutex,
    time::Duration,
};

use http::StatusCode;

pub(crate) use keys::{AccessKey, Issued};
pub(crate) use parameters::action;
pub(crate) use shape::error;

use parameters::{Parameters, Refused};

use super::{State, form, record::RecordedRequest, reply::Reply};

/// What a synchronous start of a flow in Standard mode gives. The vendor's pages show both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StandardSync {
    /// HTTP 400 with code `ActionNotSupported`.
    #[default]
    Refused,
    /// HTTP 200 with status `Failed` and `ErrorCode` `ActionNotSupported`; the flow does not run.
    FailedExecution,
}

/// What the service is set up with.
pub(crate) struct Settings {
    pub(crate) keys: Vec<AccessKey>,
    pub(crate) input_limit_bytes: usize,
    pub(crate) clock_window: Duration,
    pub(crate) standard_sync: StandardSync,
}

/// How much of a request body is read, in bytes.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;

/// Answers a call: checks who asks, then does what is asked.
pub(crate) async fn handle(state: &State, request: &RecordedRequest, whole: bool) -> Reply {
    let answer = match read(request, whole) {
        Ok(parameters) => match check::check(state, request, &parameters) {
            Ok(()) => match rights::check(state, &parameters) {
                Ok(()) => executions::call(state, &parameters).await,
                Err(refused) => Err(refused),
            },
            Err(refused) => Err(refused),
        },
        Err(refused) => Err(refused),
    };
    match answer {
        Ok(body) => shape::answer(request, body),
        Err(refused) => shape::error(request, refused.status, refused.code, &refused.message),
    }
}

fn read(request: &RecordedRequest, whole: bool) -> Result<Parameters, Refused> {
    if !matches!(request.method.as_str(), "GET" | "POST") {
        return Err(Refused::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "UnsupportedHTTPMethod",
            "This HTTP method is not supported.",
        ));
    }
    if !whole {
        return Err(Refused::too_large(BODY_LIMIT));
    }
    let mut parameters = Parameters::new();
    form::add_parameters(&mut parameters, &request.query).map_err(Refused::invalid)?;
    if !request.body.is_empty() {
        let content_type = request.headers.get(http::header::CONTENT_TYPE);
        let content_type = content_type.map(|value| value.as_bytes());
        let form = b"application/x-www-form-urlencoded";
        if content_type.is_some_and(|value| {
            !value
                .get(..form.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(form))
        }) {
            return Err(Refused::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UnsupportedMediaType",
                "The content type must be \"application/x-www-form-urlencoded\".",
            ));
        }
        let body = std::str::from_utf8(&request.body);
        let body = body.map_err(|_| Refused::invalid("the body is not UTF-8"))?;
        form::add_parameters(&mut parameters, body).map_err(Refused::invalid)?;
    }
    Ok(parameters)
}

/// How many nonces are remembered.
const NONCES: usize = 100_000;

/// The newest nonces, each with its access key id.
#[derive(Default)]
pub(crate) struct Nonces(Mutex<NoncesInner>);

#[derive(Default)]
struct NoncesInner {
    known: HashSet<Nonce>,
    /// The same, in the order in which they came.
    order: VecDeque<Nonce>,
}

/// Access key id and nonce.
type Nonce = (String, String);

impl Nonces {
    /// Notes a nonce; false when it was there already.
    fn take(&self, key_id: &str, nonce: &str) -> bool {
        let nonce = (key_id.to_owned(), nonce.to_owned());
        let NoncesInner { known, order } = &mut *super::clock::lock(&self.0);
        if !known.insert(nonce.clone()) {
            return false;
        }
        order.push_back(nonce);
        if order.len() > NONCES
            && let Some(oldest) = order.pop_front()
        {
            known.remove(&oldest);
        }
        true
    }
}
