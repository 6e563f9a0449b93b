//! Huawei Cloud's gateway: who calls, by token or by signature.

use std::{collections::HashMap, sync::Mutex};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use http::{HeaderMap, StatusCode};

use super::{State, clock::lock, record::RecordedRequest, reply::Reply};
use crate::huawei::signature::{ALGORITHM, DATE, Key, Request};

/// A key that may call.
pub(crate) struct AccessKey {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    /// Set for a temporary key.
    pub(crate) security_token: Option<String>,
}

/// So many refusals running are borne; one more locks the key.
const FAILURES_BORNE: u32 = 5;

/// How long a key is locked.
const LOCKED: TimeDelta = TimeDelta::minutes(5);

/// What became of the keys, by access key.
#[derive(Default)]
pub(crate) struct Locks(Mutex<HashMap<String, Lock>>);

#[derive(Default)]
struct Lock {
    failures: u32,
    until: Option<DateTime<Utc>>,
}

impl Locks {
    fn is_locked(&self, access_key: &str, now: DateTime<Utc>) -> bool {
        let mut locks = lock(&self.0);
        let Some(until) = locks.get(access_key).and_then(|lock| lock.until) else {
            return false;
        };
        if until <= now {
            locks.remove(access_key);
        }
        until > now
    }

    /// Notes how a call ended.
    fn note(&self, access_key: &str, is_right: bool, now: DateTime<Utc>) {
        let mut locks = lock(&self.0);
        if is_right {
            locks.remove(access_key);
            return;
        }
        let lock = locks.entry(access_key.to_owned()).or_default();
        lock.failures += 1;
        if lock.failures > FAILURES_BORNE {
            lock.until = now.checked_add_signed(LOCKED);
        }
    }
}

/// The project for which the request's token or key is good, or the refusal.
pub(crate) fn project(
    state: &State,
    request: &RecordedRequest,
) -> Result<Option<String>, Box<Reply>> {
    let token = request.headers.get("x-auth-token");
    let authorization = request.headers.get(http::header::AUTHORIZATION);
    match (token, authorization) {
        (Some(_), Some(_)) => Err(refused("both a token and a signature are given")),
        (None, Some(_)) => {
            signed(state, request).map_err(|message| refused(&message))?;
            Ok(Some(state.huawei.project_id.clone()))
        }
        (_, None) => state
            .tokens
            .check(token, state.clock.now())
            .map_err(|(code, message)| {
                Box::new(Reply::flat_error(StatusCode::UNAUTHORIZED, code, message))
            }),
    }
}

fn refused(message: &str) -> Box<Reply> {
    let message = format!("Incorrect IAM authentication information: {message}");
    let status = StatusCode::UNAUTHORIZED;
    Box::new(Reply::flat_error(status, "APIGW.0301", &message))
}

/// What `Authorization` holds.
struct Authorization<'a> {
    access_key: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix(ALGORITHM)?.strip_prefix(" Access=")?;
        let (access_key, rest) = rest.split_once(", SignedHeaders=")?;
        let (signed_headers, signature) = rest.split_once(", Signature=")?;
        Some(Self {
            access_key,
            signed_headers,
            signature,
        })
    }
}

/// Checks a signed request, and counts the refusals of each key; says what is wrong.
fn signed(state: &State, request: &RecordedRequest) -> Result<(), String> {
    let given = text(&request.headers, "authorization").and_then(Authorization::read);
    let given = given.ok_or("the Authorization header is malformed")?;
    let access_key = given.access_key;
    let keys = &state.huawei.keys;
    let key = keys.iter().rfind(|key| key.access_key == access_key);
    let Some(key) = key else {
        return Err(format!(
            "Get secretKey failed,ak:{access_key},err:ak not exist"
        ));
    };
    let now = state.clock.now();
    if state.locks.is_locked(access_key, now) {
        return Err("AK access failed to reach the limit,forbidden".to_owned());
    }
    let verdict = verify(state, request, key, &given, now);
    state.locks.note(access_key, verdict.is_ok(), now);
    verdict
}

fn verify(
    state: &State,
    request: &RecordedRequest,
    key: &AccessKey,
    given: &Authorization<'_>,
    now: DateTime<Utc>,
) -> Result<(), String> {
    let headers = &request.headers;
    let date = text(headers, DATE).ok_or("X-Sdk-Date is missing")?;
    let time = NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ")
        .map_err(|_| "X-Sdk-Date is malformed")?;
    let window = TimeDelta::from_std(state.huawei.clock_window).unwrap_or(TimeDelta::MAX);
    if (now - time.and_utc()).abs() > window {
        return Err("signature expired".to_owned());
    }
    let token = text(headers, "x-security-token");
    if token != key.security_token.as_deref() {
        return Err("the security token is not the one of this key".to_owned());
    }
    for name in ["host", DATE, "x-project-id", "x-security-token"] {
        let is_signed = given.signed_headers.split(';').any(|signed| signed == name);
        if headers.contains_key(name) && !is_signed {
            return Err(format!("{name} is not signed"));
        }
    }
    let signable = Request::new(
        request.method.as_str(),
        &request.path,
        &request.query,
        headers,
        &request.body,
    )
    .signed_with(given.signed_headers);
    if Key::new(&key.secret_key).sign(&signable, date) != given.signature {
        return Err(format!(
            "verify aksk signature fail, canonicalRequest:{}",
            signable.canonical().replace('\n', "|")
        ));
    }
    Ok(())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
