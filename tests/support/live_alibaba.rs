//! What only an account of Alibaba Cloud can settle. Requests are signed here by hand: so that
//! nothing of the crate stands between the service's answer and what is told of it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use cloud_workflows::reqwest;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::{Finding, Seen, World};

const VERSION: &str = "2019-03-15";
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
/// A flow that nobody has.
const NO_FLOW: &str = "cw-live-there-is-no-such-flow";
/// What all that is made here begins with.
pub(crate) const PREFIX: &str = "cw-live-";
const DEFINITION: &str = "version: v1\ntype: flow\nsteps:\n  - type: pass\n    name: one\n";

/// An access key, and where it is used.
pub(crate) struct Rpc {
    pub(crate) http: reqwest::Client,
    pub(crate) endpoint: String,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    /// Between two calls: the account has two a second for most of them.
    pub(crate) pause: Duration,
    pub(crate) nonces: AtomicUsize,
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

fn query(parameters: &BTreeMap<&str, &str>) -> String {
    let pairs = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The header of signature V3 for a `POST` of `/` without a body.
pub(crate) fn authorization_v3(
    id: &str,
    secret: &str,
    query: &str,
    headers: &BTreeMap<&str, &str>,
) -> Result<String, String> {
    let lines = headers.iter();
    let lines: String = lines
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let names = headers.keys().copied().collect::<Vec<_>>().join(";");
    let empty = hex(&Sha256::digest([]));
    let canonical = format!("POST\n/\n{query}\n{lines}\n{names}\n{empty}");
    let hash = hex(&Sha256::digest(canonical.as_bytes()));
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = mac.map_err(|error| error.to_string())?;
    mac.update(format!("ACS3-HMAC-SHA256\n{hash}").as_bytes());
    let signature = hex(&mac.finalize().into_bytes());
    Ok(format!(
        "ACS3-HMAC-SHA256 Credential={id},SignedHeaders={names},Signature={signature}"
    ))
}

#[expect(clippy::disallowed_methods, reason = "requests are signed by hand")]
fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

impl Rpc {
    fn nonce(&self) -> String {
        let number = self.nonces.fetch_add(1, Ordering::Relaxed);
        let micros = now().timestamp_micros();
        format!("{PREFIX}{micros}-{number}")
    }

    /// A call as this crate makes it: signature v1.
    pub(crate) async fn call(
        &self,
        method: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Seen, String> {
        let seen = self.call_at(TimeDelta::zero(), method, action, parameters);
        let seen = seen.await?;
        match seen.status {
            // A right that is missing settles nothing.
            401 | 403 => Err(format!("{action}: {}", seen.told())),
            _ => Ok(seen),
        }
    }

    /// A call whose time is off.
    async fn call_at(
        &self,
        off: TimeDelta,
        method: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Seen, String> {
        let (nonce, timestamp) = (self.nonce(), time(now() + off));
        let mut all = BTreeMap::from([
            ("AccessKeyId", self.id.as_str()),
            ("Action", action),
            ("Format", "JSON"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", &nonce),
            ("SignatureVersion", "1.0"),
            ("Timestamp", &timestamp),
            ("Version", VERSION),
        ]);
        all.extend(self.token.as_deref().map(|token| ("SecurityToken", token)));
        all.extend(parameters.iter().copied());
        let canonical = query(&all);
        let text = format!("{method}&%2F&{}", encoded(&canonical));
        let key = format!("{}&", self.secret);
        let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).map_err(|e| e.to_string())?;
        mac.update(text.as_bytes());
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        let signed = format!("{canonical}&Signature={}", encoded(&signature));
        let request = match method {
            "GET" => self.http.get(format!("{}/?{signed}", self.endpoint)),
            _ => self
                .http
                .post(format!("{}/", self.endpoint))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(signed),
        };
        self.send(request).await
    }

    /// A call by signature V3.
    async fn call_v3(&self, action: &str) -> Result<Seen, String> {
        let url = reqwest::Url::parse(&self.endpoint).map_err(|error| error.to_string())?;
        let host = url.host_str().unwrap_or_default();
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let (nonce, date) = (self.nonce(), time(now()));
        let empty = hex(&Sha256::digest([]));
        let mut headers = BTreeMap::from([
            ("host", host.as_str()),
            ("x-acs-action", action),
            ("x-acs-content-sha256", &empty),
            ("x-acs-date", &date),
            ("x-acs-signature-nonce", &nonce),
            ("x-acs-version", VERSION),
        ]);
        if let Some(token) = &self.token {
            headers.extend([
                ("x-acs-accesskey-id", self.id.as_str()),
                ("x-acs-security-token", token.as_str()),
            ]);
        }
        let authorization = authorization_v3(&self.id, &self.secret, "", &headers)?;
        let mut request = self.http.post(format!("{}/", self.endpoint));
        for (name, value) in headers.into_iter().filter(|(name, _)| *name != "host") {
            request = request.header(name, value);
        }
        let request = request.header("accept", "application/json");
        let request = request.header("authorization", authorization);
        self.send(request).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Seen, String> {
        tokio::time::sleep(self.pause).await;
        // Without the address, which is signed.
        let told = |error: reqwest::Error| format!("no answer: {}", error.without_url());
        let reply = request.send().await.map_err(told)?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let body = reply.bytes().await.map_err(told)?;
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| {
            // Of an error in XML, which comes where the format was not understood.
            let text = String::from_utf8_lossy(&body);
            let code = text.split_once("<Code>").and_then(|(_, code)| {
                let (code, _) = code.split_once("</Code>")?;
                Some(json!({"Code": code}))
            });
            code.unwrap_or_default()
        });
        let seen = Seen {
            status,
            headers,
            body,
        };
        match seen.status == 429 || seen.status >= 500 || seen.code().contains("Throttl") {
            true => Err(seen.told()),
            false => Ok(seen),
        }
    }

    /// Makes something that is removed at the end by another call.
    async fn make(
        &self,
        world: &World,
        what: String,
        (action, parameters): (&str, &[(&str, &str)]),
        (removal, by): (&'static str, &[(&'static str, &str)]),
    ) -> Result<Seen, String> {
        // Noted before, since an answer can be lost.
        world.made(what, removal, by);
        let seen = self.call("POST", action, parameters).await?;
        if !seen.is_success() {
            world.was_not_made();
        }
        Ok(seen)
    }
}

fn rpc(world: &World) -> Result<&Rpc, String> {
    world.alibaba.as_ref().ok_or("there is no key".to_owned())
}

type Looked = Result<Finding, String>;

/// Whether one name of a host is known; what a region's other names would be.
pub(crate) async fn host(world: Arc<World>, network: &str) -> Looked {
    let region = world.variable("ALIBABA_CLOUD_REGION_ID")?;
    world
        .resolves(&format!("{network}.{region}.aliyuncs.com"))
        .await
}

pub(crate) async fn v3(world: Arc<World>) -> Looked {
    let seen = rpc(&world)?.call_v3("DescribeRegions").await?;
    Ok(Finding::when(seen.is_success(), seen.told()))
}

pub(crate) async fn clock(world: Arc<World>) -> Looked {
    let rpc = rpc(&world)?;
    let (mut told, mut taken) = (Vec::new(), Vec::new());
    for minutes in [14, 16, 30, 32] {
        let off = TimeDelta::minutes(-minutes);
        let seen = rpc.call_at(off, "POST", "DescribeRegions", &[]).await?;
        told.push(format!("{minutes} minutes: {}", seen.told()));
        taken.push(seen.is_success());
    }
    let told = told.join(", ");
    Ok(match taken[0] {
        true => Finding::when(taken == [true, true, true, false], told),
        false => Finding::NotReachable(told),
    })
}

pub(crate) async fn error_members(world: Arc<World>) -> Looked {
    let rpc = rpc(&world)?;
    let own = rpc
        .call("GET", "DescribeFlow", &[("Name", NO_FLOW)])
        .await?;
    let gateway = rpc.call("GET", "DescribeNothingAtAll", &[]).await?;
    let has_host = |seen: &Seen| seen.members().contains(&"HostId");
    let told = format!(
        "of an unknown flow {} has {}; of an unknown operation {} has {}",
        own.told(),
        own.members().join(" "),
        gateway.told(),
        gateway.members().join(" ")
    );
    Ok(Finding::when(has_host(&own) && has_host(&gateway), told))
}

pub(crate) async fn content_type(world: Arc<World>) -> Looked {
    let seen = rpc(&world)?.call("POST", "DescribeRegions", &[]).await?;
    let kind = seen.header("content-type").to_owned();
    Ok(Finding::when(
        kind == "application/json;charset=utf-8",
        format!("{} with {kind}", seen.told()),
    ))
}

/// Each about a flow that is not there, so that nothing happens. `CreateFlow` is not asked.
pub(crate) async fn get_for_post(world: Arc<World>) -> Looked {
    let rpc = rpc(&world)?;
    let flow = ("FlowName", NO_FLOW);
    let name = ("Name", NO_FLOW);
    let schedule = ("ScheduleName", NO_FLOW);
    let execution = ("ExecutionName", NO_FLOW);
    let routes = ("RoutingConfigurations", r#"[{"Version":"1","Weight":100}]"#);
    let token = ("TaskToken", "cw-live-no-token");
    let cron = ("CronExpression", "0 0 0 1 1 *");
    let all: [(&str, &[(&str, &str)]); 16] = [
        ("CreateFlowAlias", &[flow, name, routes]),
        ("CreateSchedule", &[flow, schedule, cron]),
        ("DeleteFlow", &[name]),
        ("DeleteFlowAlias", &[flow, name]),
        ("DeleteFlowVersion", &[flow, ("FlowVersion", "1")]),
        ("DeleteSchedule", &[flow, schedule]),
        ("DescribeRegions", &[]),
        ("PublishFlowVersion", &[flow]),
        ("ReportTaskFailed", &[token, ("Error", "none")]),
        ("ReportTaskSucceeded", &[token, ("Output", "{}")]),
        ("StartExecution", &[flow, execution]),
        ("StartSyncExecution", &[flow, execution]),
        ("StopExecution", &[flow, execution]),
        ("UpdateFlow", &[name]),
        ("UpdateFlowAlias", &[flow, name, routes]),
        ("UpdateSchedule", &[flow, schedule, cron]),
    ];
    let mut refused = Vec::new();
    for (action, parameters) in all {
        let seen = rpc.call("GET", action, parameters).await?;
        if seen.status == 405 || seen.code().contains("Method") {
            refused.push(format!("{action}: {}", seen.told()));
        }
    }
    let told = match refused.is_empty() {
        true => format!("none of {} was refused for it", all.len()),
        false => refused.join(", "),
    };
    Ok(Finding::when(refused.is_empty(), told))
}

pub(crate) async fn unknown_flow(world: Arc<World>) -> Looked {
    let rpc = rpc(&world)?;
    let flow = ("FlowName", NO_FLOW);
    let run = [
        flow,
        ("ExecutionName", NO_FLOW),
        ("MapRunName", "cw-live-none"),
    ];
    let mut told = Vec::new();
    let mut is_always = true;
    for (action, parameters) in [
        ("ListFlowVersions", &[flow][..]),
        ("ListFlowAliases", &[flow]),
        ("DescribeFlowAlias", &[flow, ("Name", NO_FLOW)]),
        ("DescribeMapRun", &run),
    ] {
        let seen = rpc.call("GET", action, parameters).await?;
        is_always &= seen.code() == "FlowNotExists";
        told.push(format!("{action} {}", seen.told()));
    }
    Ok(Finding::when(is_always, told.join(", ")))
}

/// Whether pages of `most` are given and larger ones refused.
async fn pages(world: &World, action: &str, most: &[&str], beyond: &str) -> Looked {
    let flow = world.variable("LIVE_ALIBABA_STANDARD")?;
    let mut told = Vec::new();
    let mut holds = true;
    for limit in most.iter().chain([&beyond]) {
        let parameters = [("FlowName", flow), ("Limit", *limit)];
        let seen = rpc(world)?.call("GET", action, &parameters).await?;
        if seen.code() == "FlowNotExists" {
            return Ok(Finding::NotReachable(seen.told()));
        }
        holds &= seen.is_success() == (*limit != beyond);
        told.push(format!("{limit}: {}", seen.told()));
    }
    Ok(Finding::when(holds, told.join(", ")))
}

pub(crate) async fn execution_pages(world: Arc<World>) -> Looked {
    pages(&world, "ListExecutions", &["99", "100"], "101").await
}

pub(crate) async fn version_pages(world: Arc<World>) -> Looked {
    pages(&world, "ListFlowVersions", &["100"], "1001").await
}

pub(crate) async fn alias_pages(world: Arc<World>) -> Looked {
    pages(&world, "ListFlowAliases", &["100"], "1001").await
}

pub(crate) async fn retention(world: Arc<World>) -> Looked {
    let flow = world.variable("LIVE_ALIBABA_STANDARD")?;
    let end = time(now() - TimeDelta::days(30));
    let parameters = [("FlowName", flow), ("Limit", "1"), ("StartedTimeEnd", &end)];
    let seen = rpc(&world)?
        .call("GET", "ListExecutions", &parameters)
        .await?;
    let Some(executions) = seen.body["Executions"].as_array() else {
        return Ok(Finding::NotReachable(seen.told()));
    };
    Ok(match executions.len() {
        // A flow that was never run tells nothing of it.
        0 => Finding::NotReachable("none is listed; perhaps none was started then".to_owned()),
        _ => Finding::Confirmed("one is listed".to_owned()),
    })
}

/// How a member stands in an answer.
fn form(body: &Value, name: &str) -> &'static str {
    match body.get(name) {
        None => "missing",
        Some(Value::Null) => "null",
        Some(Value::String(text)) if text.is_empty() => "an empty text",
        Some(Value::String(_)) => "a text",
        Some(_) => "no text",
    }
}

pub(crate) async fn running(world: Arc<World>) -> Looked {
    let (rpc, flow) = (rpc(&world)?, world.variable("LIVE_ALIBABA_STANDARD")?);
    let name = rpc.nonce();
    let execution = [("FlowName", flow), ("ExecutionName", name.as_str())];
    let started = rpc.make(
        &world,
        format!("execution {name}"),
        ("StartExecution", &execution),
        ("StopExecution", &execution),
    );
    let started = started.await?;
    if !started.is_success() {
        return Ok(Finding::NotReachable(started.told()));
    }
    let status = started.body["Status"].as_str().unwrap_or("no status");
    let (output, stopped) = (
        form(&started.body, "Output"),
        form(&started.body, "StoppedTime"),
    );
    let told = format!("StartExecution, {status}: Output is {output}, StoppedTime is {stopped}");
    Ok(match status {
        "Starting" | "Running" => Finding::when([output, stopped] == ["an empty text"; 2], told),
        _ => Finding::NotReachable(format!("{told}; it had ended")),
    })
}

pub(crate) async fn standard_sync(world: Arc<World>) -> Looked {
    let flow = world.variable("LIVE_ALIBABA_STANDARD")?;
    let seen = rpc(&world)?
        .call("POST", "StartSyncExecution", &[("FlowName", flow)])
        .await?;
    let told = match seen.is_success() {
        true => format!(
            "{}, Status {}, ErrorCode {}",
            seen.told(),
            seen.body["Status"].as_str().unwrap_or("missing"),
            seen.body["ErrorCode"].as_str().unwrap_or("missing")
        ),
        false => seen.told(),
    };
    Ok(match seen.status {
        200 => Finding::Refuted(told),
        400 => Finding::Confirmed(told),
        _ => Finding::NotReachable(told),
    })
}

pub(crate) async fn express(world: Arc<World>) -> Looked {
    let flow = world.variable("LIVE_ALIBABA_EXPRESS")?;
    let seen = rpc(&world)?
        .call("POST", "StartSyncExecution", &[("FlowName", flow)])
        .await?;
    let status = seen.body["Status"].as_str().unwrap_or("no status");
    let told = format!(
        "{}, {status}, ErrorCode is {}, ErrorMessage is {}",
        seen.told(),
        form(&seen.body, "ErrorCode"),
        form(&seen.body, "ErrorMessage")
    );
    Ok(match status {
        "Succeeded" => Finding::when(form(&seen.body, "ErrorCode") != "a text", told),
        _ => Finding::NotReachable(told),
    })
}

/// The flow that is made for all of these checks, with one version.
async fn own_flow(world: &World) -> Result<&str, String> {
    let made = world.own_flow.get_or_try_init(async || {
        let rpc = rpc(world)?;
        let name = rpc.nonce();
        let flow = [
            ("Name", name.as_str()),
            ("Definition", DEFINITION),
            ("Description", "made by a live check, to be deleted"),
            ("Type", "FDL"),
        ];
        let removal = [("Name", name.as_str())];
        let made = rpc.make(
            world,
            format!("flow {name}"),
            ("CreateFlow", &flow),
            ("DeleteFlow", &removal),
        );
        let made = made.await?;
        if !made.is_success() {
            return Err(format!("CreateFlow {}", made.told()));
        }
        let flow = ("FlowName", name.as_str());
        let version = [flow, ("FlowVersion", "1")];
        let made = rpc.make(
            world,
            format!("version 1 of flow {name}"),
            ("PublishFlowVersion", &version[..1]),
            ("DeleteFlowVersion", &version),
        );
        let made = made.await?;
        if !made.is_success() {
            return Err(format!("PublishFlowVersion {}", made.told()));
        }
        Ok(name)
    });
    made.await.map(String::as_str)
}

async fn alias(world: &World, name: &str, weight: u32) -> Result<Seen, String> {
    let flow = own_flow(world).await?;
    let alias = [("FlowName", flow), ("Name", name)];
    let routes = format!(r#"[{{"Version":"1","Weight":{weight}}}]"#);
    let mut parameters = alias.to_vec();
    parameters.push(("RoutingConfigurations", &routes));
    let made = rpc(world)?.make(
        world,
        format!("alias {name} of flow {flow}"),
        ("CreateFlowAlias", &parameters),
        ("DeleteFlowAlias", &alias),
    );
    made.await
}

pub(crate) async fn alias_names(world: Arc<World>) -> Looked {
    let (mut told, mut holds) = (Vec::new(), true);
    for (name, is_taken) in [("_a-1", true), ("1a", false), ("a.b", false)] {
        let seen = alias(&world, name, 100).await?;
        holds &= seen.is_success() == is_taken;
        told.push(format!("{name}: {}", seen.told()));
    }
    Ok(Finding::when(holds, told.join(", ")))
}

pub(crate) async fn weights(world: Arc<World>) -> Looked {
    let (mut told, mut holds) = (Vec::new(), true);
    for (name, weight) in [("light", 90), ("heavy", 101)] {
        let seen = alias(&world, name, weight).await?;
        holds &= !seen.is_success();
        told.push(format!("{weight}: {}", seen.told()));
    }
    Ok(Finding::when(holds, told.join(", ")))
}

pub(crate) async fn schedule(world: Arc<World>) -> Looked {
    let flow = own_flow(&world).await?;
    let names = [("FlowName", flow), ("ScheduleName", "cw-live-timer")];
    let mut parameters = names.to_vec();
    // Disabled, and on 1 January: it starts nothing.
    parameters.extend([("CronExpression", "0 0 0 1 1 *"), ("Enable", "false")]);
    let seen = rpc(&world)?.make(
        &world,
        format!("schedule cw-live-timer of flow {flow}"),
        ("CreateSchedule", &parameters),
        ("DeleteSchedule", &names),
    );
    let seen = seen.await?;
    Ok(Finding::when(seen.is_success(), seen.told()))
}
