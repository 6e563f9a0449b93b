//! The floor: what a careful person writes by hand on `reqwest` for one call of each kind.
//!
//! The same layout and headers as ours, the same fields decoded, fresh time, a nonce of 128 bits
//! from the operating system, a limit, no redirects, one client for all calls. What it lacks is
//! what the crate is for: repeats that are safe, errors that tell what happened, checks of what is
//! sent, answers of unexpected shape, credentials that are renewed, a cap on replies, traces.

use std::{
    borrow::Cow,
    sync::RwLock,
    time::{Duration, Instant, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue, header::ACCEPT_ENCODING};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::Failure;

pub(crate) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Borrowed where there is nothing to encode.
pub(crate) fn encode(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, RESERVED).into()
}

fn random_hex() -> Result<String, Failure> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    Ok(hex(&bits))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

fn http() -> Result<reqwest::Client, Failure> {
    let identity = HeaderValue::from_static("identity");
    Ok(reqwest::Client::builder()
        .user_agent(concat!("cloud-workflows/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, identity)]))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .http1_only()
        .no_proxy()
        .tls_certs_only([])
        .build()?)
}

async fn answer<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, Failure> {
    let response = request.send().await?;
    let status = response.status();
    let body = response.bytes().await?;
    if !status.is_success() {
        return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
    }
    Ok(serde_json::from_slice(&body)?)
}

/// An answer's time: as strict as a hand-written call is.
type Time = Option<DateTime<Utc>>;

/// What both starts answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "decoded, as a caller would have it")]
pub(crate) struct Execution {
    request_id: Option<String>,
    flow_name: Option<String>,
    name: Option<String>,
    pub(crate) status: String,
    input: Option<String>,
    output: Option<String>,
    flow_definition: Option<String>,
    error_code: Option<String>,
    error_message: Option<String>,
    started_time: Time,
    stopped_time: Time,
}

/// A client of CloudFlow.
pub(crate) struct Alibaba {
    http: reqwest::Client,
    endpoint: String,
    access_key_id: String,
    access_key_secret: String,
}

impl Alibaba {
    pub(crate) fn new(endpoint: &str, id: &str, secret: &str) -> Result<Self, Failure> {
        Ok(Self {
            http: http()?,
            endpoint: endpoint.to_owned(),
            access_key_id: id.to_owned(),
            access_key_secret: secret.to_owned(),
        })
    }

    pub(crate) async fn start(
        &self,
        action: &'static str,
        limit: Duration,
        flow_name: &str,
        input: &str,
    ) -> Result<Execution, Failure> {
        let execution_name = format!("cw-{}", random_hex()?);
        let nonce = random_hex()?;
        let timestamp = now().format("%Y-%m-%dT%H:%M:%SZ").to_string();

        // Sorted by name, as the signature wants them.
        let parameters = [
            ("AccessKeyId", self.access_key_id.as_str()),
            ("Action", action),
            ("ExecutionName", &execution_name),
            ("FlowName", flow_name),
            ("Format", "JSON"),
            ("Input", input),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", &nonce),
            ("SignatureVersion", "1.0"),
            ("Timestamp", &timestamp),
            ("Version", "2019-03-15"),
        ];
        let mut form = String::with_capacity(3 * input.len() + 512);
        for (name, value) in parameters {
            form.push_str(name);
            form.push('=');
            form.extend(utf8_percent_encode(value, RESERVED));
            form.push('&');
        }
        form.pop();
        let mut to_sign = String::with_capacity(form.len() * 2);
        to_sign.push_str("POST&%2F&");
        to_sign.extend(utf8_percent_encode(&form, RESERVED));
        let key = format!("{}&", self.access_key_secret);
        let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes())?;
        mac.update(to_sign.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());

        form.push_str("&Signature=");
        form.push_str(&encode(&signature));
        let request = self
            .http
            .post(&self.endpoint)
            .timeout(limit)
            .header("x-acs-action", action)
            .header("x-acs-version", "2019-03-15")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        answer(request).await
    }
}

#[derive(Serialize)]
struct Body<T> {
    input: T,
}

/// What a workflow's run answers.
#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, as a caller would have it")]
pub(crate) struct Workflow {
    execution_id: Option<String>,
    pub(crate) status: String,
    output: Option<Box<RawValue>>,
    errors: Option<Vec<NodeError>>,
    begin_time: Time,
    end_time: Time,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded, as a caller would have it")]
struct NodeError {
    node_id: Option<String>,
    error_code: Option<String>,
    error_message: Option<String>,
}

/// What a call is authenticated with.
pub(crate) enum Authentication {
    /// Kept until it ends, and then got anew (which no call here lives to see).
    Token(RwLock<(String, Instant)>),
    Key {
        access_key: String,
        secret_key: String,
    },
}

/// A client of FunctionGraph.
pub(crate) struct Huawei {
    http: reqwest::Client,
    endpoint: String,
    host: String,
    project_id: String,
    authentication: Authentication,
}

impl Huawei {
    pub(crate) fn new(
        endpoint: &str,
        project_id: &str,
        authentication: Authentication,
    ) -> Result<Self, Failure> {
        Ok(Self {
            http: http()?,
            host: endpoint.trim_start_matches("http://").to_owned(),
            endpoint: endpoint.to_owned(),
            project_id: project_id.to_owned(),
            authentication,
        })
    }

    pub(crate) async fn run(
        &self,
        workflow_id: &str,
        input: impl Serialize,
    ) -> Result<Workflow, Failure> {
        let path = format!(
            "/v2/{}/fgs/workflows/{}/sync-executions",
            self.project_id,
            encode(workflow_id)
        );
        let body = serde_json::to_vec(&Body { input })?;
        let request = self
            .http
            .post(format!("{}{path}", self.endpoint))
            .timeout(Duration::from_secs(310))
            .header("content-type", "application/json")
            .header("x-project-id", &self.project_id);
        let request = match &self.authentication {
            Authentication::Token(token) => {
                let token = token.read().map_err(|_| "poisoned")?;
                if token.1 < Instant::now() {
                    return Err("the token has ended".into());
                }
                request.header("x-auth-token", &token.0)
            }
            Authentication::Key {
                access_key,
                secret_key,
            } => {
                let date = now().format("%Y%m%dT%H%M%SZ").to_string();
                let names = "content-type;host;x-project-id;x-sdk-date";
                let canonical = format!(
                    "POST\n{path}/\n\ncontent-type:application/json\nhost:{}\n\
                     x-project-id:{}\nx-sdk-date:{date}\n\n{names}\n{}",
                    self.host,
                    self.project_id,
                    hex(&Sha256::digest(&body))
                );
                let to_sign = format!(
                    "SDK-HMAC-SHA256\n{date}\n{}",
                    hex(&Sha256::digest(&canonical))
                );
                let mut mac = Hmac::<Sha256>::new_from_slice(secret_key.as_bytes())?;
                mac.update(to_sign.as_bytes());
                let signature = hex(&mac.finalize().into_bytes());
                let authorization = format!(
                    "SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={names}, Signature={signature}"
                );
                request
                    .header("host", &self.host)
                    .header("x-sdk-date", date)
                    .header("authorization", authorization)
            }
        };
        answer(request.body(body)).await
    }
}
