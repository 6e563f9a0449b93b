//! For people who have accounts: what only the real services can settle.
//!
//! `cargo test --test live -- --ignored --nocapture`
//!
//! Says first what it will send, start and make, then prints a line a fact: `confirmed`, `refuted`
//! or `not reachable`, the fact, and what was seen: codes, names of members, never an input, an
//! output or a secret. A fact that is refuted is a finding, and no failure. It reads, unless told
//! that it may do more. It fails where it could check nothing, or had to leave something behind.
//!
//! | variable | what it is for |
//! |---|---|
//! | `ALIBABA_CLOUD_REGION_ID`, `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET` | Alibaba Cloud; all three |
//! | `ALIBABA_CLOUD_SECURITY_TOKEN`, `ALIBABA_CLOUD_ENDPOINT_FNF` | a temporary key; another address |
//! | `LIVE_ALIBABA_STANDARD`, `LIVE_ALIBABA_EXPRESS` | names of flows; they must bear to be started with no input |
//! | `HW_REGION_NAME`, and `HW_ACCESS_KEY` with `HW_SECRET_KEY`, or `HW_DOMAIN_NAME`, `HW_USER_NAME` and `HW_USER_PASSWORD` | Huawei Cloud |
//! | `HW_PROJECT_ID`, `HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_{REGION}`, `HUAWEICLOUD_SDK_IAM_ENDPOINT` | the project; other addresses |
//! | `LIVE_HUAWEI_EXPRESS`, `LIVE_HUAWEI_FLOW` | ids of flows, one that is run and waited for, one that runs on its own; they must bear to be started with no input |
//! | `LIVE_HUAWEI_LONG` | id of an EXPRESS flow that takes 2 to 5 minutes |
//! | `LIVE_STARTS=1` | executions of the flows above may be started |
//! | `LIVE_CREATES=1` | a flow of its own may be made on Alibaba Cloud, its name beginning with `cw-live-`, with aliases and a timer that is off; all of it is removed at the end |
//! | `LIVE_PAUSE_MS` | between two calls of Alibaba Cloud, 600 without it: the account has 2 a second |
//!
//! What lacks a variable is left out by name and not counted.

#![cfg(all(
    feature = "alibaba",
    feature = "huawei",
    any(feature = "rustls", feature = "native-tls")
))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/live_alibaba.rs"]
mod live_alibaba;
#[path = "support/live_huawei.rs"]
mod live_huawei;
#[path = "support/live_world.rs"]
mod live_world;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use cloud_workflows::{
    BoxFuture,
    alibaba::{CreateFlowRequest, DeleteFlowRequest},
    emulator::{Emulator, Fault, StandardSync},
};
use live_alibaba as ali;
use live_huawei as hw;
use live_world::{Finding, Seen, World};
use serde_json::Value;

/// A fact that the documents leave open, and what settles it.
struct Check {
    cloud: &'static str,
    fact: &'static str,
    /// The variables that it needs besides the account.
    needs: &'static [&'static str],
    /// What it does besides reading.
    does: &'static str,
    /// At most.
    calls: usize,
    /// Executions that it starts, at most.
    starts: usize,
    look: fn(Arc<World>) -> BoxFuture<'static, Result<Finding, String>>,
}

macro_rules! checks {
    ($($cloud:ident $fact:literal, $needs:expr, $does:literal, $calls:literal calls, $starts:literal starts, |$world:ident| $look:expr;)*) => {
        &[$(Check {
            cloud: $cloud,
            fact: $fact,
            needs: &$needs,
            does: $does,
            calls: $calls,
            starts: $starts,
            look: |$world| Box::pin($look),
        }),*]
    };
}

const ALIBABA: &str = "Alibaba Cloud";
const HUAWEI: &str = "Huawei Cloud";

#[rustfmt::skip]
const CHECKS: &[Check] = checks! {
    ALIBABA "the host fnf.{region}.aliyuncs.com exists", [], "", 0 calls, 0 starts, |w| ali::host(w, "fnf");
    ALIBABA "the host fnf-vpc.{region}.aliyuncs.com exists", [], "", 0 calls, 0 starts, |w| ali::host(w, "fnf-vpc");
    ALIBABA "ACS3 (V3) signatures are taken", [], "", 1 calls, 0 starts, |w| ali::v3(w);
    ALIBABA "a signed time may be 31 minutes old", [], "", 4 calls, 0 starts, |w| ali::clock(w);
    ALIBABA "errors have a HostId", [], "", 2 calls, 0 starts, |w| ali::error_members(w);
    ALIBABA "answers are application/json;charset=utf-8", [], "", 1 calls, 0 starts, |w| ali::content_type(w);
    ALIBABA "GET is taken for the operations of POST", [], "", 16 calls, 0 starts, |w| ali::get_for_post(w);
    ALIBABA "an unknown flow is FlowNotExists for versions, aliases and map runs", [], "", 4 calls, 0 starts, |w| ali::unknown_flow(w);
    ALIBABA "ListExecutions gives up to 100 a page", ["LIVE_ALIBABA_STANDARD"], "", 3 calls, 0 starts, |w| ali::execution_pages(w);
    ALIBABA "ListFlowVersions gives 100 a page and no 1001", ["LIVE_ALIBABA_STANDARD"], "", 2 calls, 0 starts, |w| ali::version_pages(w);
    ALIBABA "ListFlowAliases gives 100 a page and no 1001", ["LIVE_ALIBABA_STANDARD"], "", 2 calls, 0 starts, |w| ali::alias_pages(w);
    ALIBABA "executions are listed after 30 days", ["LIVE_ALIBABA_STANDARD"], "", 1 calls, 0 starts, |w| ali::retention(w);
    ALIBABA "Output and StoppedTime are empty texts while an execution runs", ["LIVE_ALIBABA_STANDARD", "LIVE_STARTS"], "starts the Standard flow once, and stops it", 4 calls, 1 starts, |w| ali::running(w);
    ALIBABA "a synchronous start of a Standard flow is refused with HTTP 400", ["LIVE_ALIBABA_STANDARD", "LIVE_STARTS"], "starts the Standard flow at most once", 1 calls, 1 starts, |w| ali::standard_sync(w);
    ALIBABA "a synchronous success has no ErrorCode", ["LIVE_ALIBABA_EXPRESS", "LIVE_STARTS"], "runs the Express flow once", 1 calls, 1 starts, |w| ali::express(w);
    ALIBABA "aliases are named as flows are", ["LIVE_CREATES"], "makes a flow, a version and up to 3 aliases", 20 calls, 0 starts, |w| ali::alias_names(w);
    ALIBABA "the weights of an alias must add up to 100", ["LIVE_CREATES"], "makes up to 2 aliases of the same flow", 10 calls, 0 starts, |w| ali::weights(w);
    ALIBABA "a new flow can have a schedule", ["LIVE_CREATES"], "makes a schedule of the same flow, which is off", 6 calls, 0 starts, |w| ali::schedule(w);
    HUAWEI "answers and errors bear X-Request-Id", [], "", 2 calls, 0 starts, |w| hw::request_ids(w);
    HUAWEI "the region serves flows", [], "", 1 calls, 0 starts, |w| hw::region(w);
    HUAWEI "the code of an unknown flow is a documented one", [], "", 1 calls, 0 starts, |w| hw::unknown_flow(w);
    HUAWEI "the host iam.eu-west-101.myhuaweicloud.eu exists", [], "", 0 calls, 0 starts, |w| hw::host(w, "iam.eu-west-101.myhuaweicloud.eu");
    HUAWEI "the host functiongraph.cn-south-4.myhuaweicloud.com exists", [], "", 0 calls, 0 starts, |w| hw::host(w, "functiongraph.cn-south-4.myhuaweicloud.com");
    HUAWEI "the host functiongraph.cn-southwest-3.myhuaweicloud.com exists", [], "", 0 calls, 0 starts, |w| hw::host(w, "functiongraph.cn-southwest-3.myhuaweicloud.com");
    HUAWEI "a start without input is refused with HTTP 400", ["LIVE_HUAWEI_EXPRESS", "LIVE_STARTS"], "runs the EXPRESS flow at most once", 1 calls, 1 starts, |w| hw::no_input(w);
    HUAWEI "a start with a list as its input is refused with HTTP 400", ["LIVE_HUAWEI_EXPRESS", "LIVE_STARTS"], "runs the EXPRESS flow at most once", 1 calls, 1 starts, |w| hw::input_of_another_kind(w);
    HUAWEI "X-Get-Workflow-Full-History-Data may be True", ["LIVE_HUAWEI_FLOW", "LIVE_STARTS"], "starts the flow once, and stops it", 9 calls, 1 starts, |w| hw::history_header(w);
    HUAWEI "a synchronous flow is cut after 90 s", ["LIVE_HUAWEI_LONG", "LIVE_STARTS"], "runs the long flow once", 1 calls, 1 starts, |w| hw::cut(w);
};

/// What is open and not settled here, and why.
const NOT_HERE: &str = "not settled here: bearer and id tokens, refreshes of CloudSSO and OAuth (no \
    such credential is asked for); headers of throttled calls, the rate of tokens (an account would \
    have to be driven into its limits); concurrency of map runs (many executions); what reaches a \
    function of `headers` (its code would have to tell); codes without a published meaning; \
    whether a token can be revoked";

/// A token, and the project of a key.
const CREDENTIAL_CALLS: usize = 2;
/// Longer than any flow that is run and waited for.
const LONGEST: Duration = Duration::from_secs(360);
/// How often something is tried to be removed.
const TRIES: u32 = 3;

/// How it went.
#[derive(Debug, Default)]
struct Report {
    lines: Vec<String>,
    /// Confirmed, refuted, not reachable, left out.
    counts: [usize; 4],
    calls: usize,
    starts: usize,
    left: Vec<String>,
}

/// Says what it will do, does it, and removes what it made, also after a failure or Ctrl-C.
async fn run(world: &Arc<World>, checks: &[Check], print: impl Fn(&str)) -> Report {
    let mut report = Report::default();
    let mut lines = Vec::new();
    let mut say = |line: String| {
        print(&line);
        lines.push(line);
    };
    let mut chosen = Vec::new();
    for cloud in [ALIBABA, HUAWEI] {
        let of_cloud = || checks.iter().filter(|check| check.cloud == cloud);
        let lacks = world.lacks(cloud);
        if !lacks.is_empty() {
            report.counts[3] += of_cloud().count();
            say(format!(
                "left out: all of {cloud}: set {}",
                lacks.join(", ")
            ));
            continue;
        }
        let (mut calls, mut starts) = (CREDENTIAL_CALLS, 0);
        for check in of_cloud() {
            let lacks = check.needs.iter().copied();
            let lacks: Vec<_> = lacks.filter(|name| world.variable(name).is_err()).collect();
            if !lacks.is_empty() {
                report.counts[3] += 1;
                say(format!(
                    "left out: {}: set {}",
                    check.fact,
                    lacks.join(", ")
                ));
                continue;
            }
            calls += check.calls;
            starts += check.starts;
            if !check.does.is_empty() {
                say(format!("will do: {}: {}", check.fact, check.does));
            }
            chosen.push(check);
        }
        say(format!(
            "{cloud}: at most {calls} calls and {starts} executions"
        ));
        report.calls += calls;
        report.starts += starts;
    }
    say("What they cost is in the vendors' price lists; no price is known here.".to_owned());

    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    for check in chosen {
        // A task of its own, so that one that panics does not keep the rest from being removed.
        let mut task = tokio::spawn(tokio::time::timeout(LONGEST, (check.look)(world.clone())));
        let found = tokio::select! {
            found = &mut task => found,
            _ = &mut interrupted => {
                task.abort();
                let _ = task.await;
                say("interrupted".to_owned());
                break;
            }
        };
        let found = match found {
            Ok(Ok(Ok(found))) => found,
            Ok(Ok(Err(why))) => Finding::NotReachable(why),
            Ok(Err(_)) => Finding::NotReachable(format!("no end within {LONGEST:?}")),
            Err(_) => Finding::NotReachable("the check itself failed".to_owned()),
        };
        let (at, word, seen) = match found {
            Finding::Confirmed(seen) => (0, "confirmed", seen),
            Finding::Refuted(seen) => (1, "refuted", seen),
            Finding::NotReachable(seen) => (2, "not reachable", seen),
        };
        report.counts[at] += 1;
        say(format!("{word}: {}: {seen}", check.fact));
    }
    report.left = world.clean_up(&mut say).await;
    let [confirmed, refuted, unreached, out] = report.counts;
    say(format!(
        "{confirmed} confirmed, {refuted} refuted, {unreached} not reachable; {out} left out"
    ));
    say(NOT_HERE.to_owned());
    report.lines = lines;
    report
}

#[tokio::test]
#[ignore = "needs accounts: see the top of this file"]
async fn live() {
    let world = World::new(std::env::vars(), None).unwrap();
    let report = run(&world, CHECKS, |line| println!("{line}")).await;
    let checked: usize = report.counts[..2].iter().sum();
    assert!(checked > 0, "nothing was checked: the lines above say why");
    assert!(report.left.is_empty(), "left behind: {:?}", report.left);
}

/// The variables of somebody who has both accounts, and allows all.
fn variables(emulator: &Emulator) -> BTreeMap<String, String> {
    let (id, secret) = emulator.access_key();
    let (domain, user, password) = emulator.iam_user();
    let url = emulator.url();
    let region = emulator.region().replace('-', "_").to_uppercase();
    let address = format!("HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_{region}");
    let variables = [
        ("ALIBABA_CLOUD_REGION_ID", "cn-hangzhou"),
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", id),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret),
        ("ALIBABA_CLOUD_ENDPOINT_FNF", &url),
        ("HW_REGION_NAME", emulator.region()),
        ("HW_DOMAIN_NAME", domain),
        ("HW_USER_NAME", user),
        ("HW_USER_PASSWORD", password),
        (&address, &url),
        ("HUAWEICLOUD_SDK_IAM_ENDPOINT", &url),
        ("LIVE_ALIBABA_STANDARD", "standard"),
        ("LIVE_ALIBABA_EXPRESS", "express"),
        ("LIVE_HUAWEI_EXPRESS", "workflow"),
        ("LIVE_HUAWEI_FLOW", "workflow"),
        ("LIVE_HUAWEI_LONG", "long"),
        ("LIVE_STARTS", "1"),
        ("LIVE_CREATES", "1"),
        ("LIVE_PAUSE_MS", "0"),
    ];
    let variables = variables.iter();
    variables
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn emulator() -> Emulator {
    let emulator = Emulator::start().unwrap();
    let echo = |input: Value| Ok(input);
    let slow = cloud_workflows::emulator::Flow::new(echo).takes(Duration::from_secs(3600));
    emulator.standard("standard", slow);
    emulator.express("express", echo);
    emulator.workflow("workflow", echo).workflow("long", echo);
    emulator
}

fn world(variables: BTreeMap<String, String>) -> Arc<World> {
    World::new(variables, Some(|host| host.starts_with("fnf."))).unwrap()
}

#[tokio::test]
async fn every_check_runs_against_the_emulator_within_what_was_said() {
    let emulator = emulator();
    emulator.fault_with(|request| match request.path.contains("/long/") {
        true => Fault::refuse(504, "APIGW.0201", "Backend timeout."),
        false => Fault::none(),
    });
    // Made over the API too, so that it has versions and aliases.
    let flow = CreateFlowRequest::new("standard", "Name: standard", "");
    let client = emulator.alibaba().build().unwrap();
    client.create_flow(flow).send().await.unwrap();
    emulator.clear_requests();
    let variables = variables(&emulator);
    let report = run(&world(variables.clone()), CHECKS, |_| {}).await;
    let text = report.lines.join("\n");
    for line in EXPECTED.lines() {
        assert!(report.lines.iter().any(|is| is == line), "{line}\n{text}");
    }
    assert_eq!(report.counts.iter().sum::<usize>(), CHECKS.len());
    assert_eq!(report.counts[2..], [1, 0], "{text}");
    assert_eq!(report.left, [""; 0]);

    let requests = emulator.requests().len();
    assert!(requests <= report.calls, "{requests} calls\n{text}");
    let flows = ["standard", "express", "workflow", "long"];
    let runs: usize = flows.iter().map(|flow| emulator.runs(flow)).sum();
    assert!((2..=report.starts).contains(&runs), "{runs} runs\n{text}");
    assert_eq!(emulator.made_flows().len(), 1, "{text}");
    for secret in [
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "HW_USER_PASSWORD",
    ] {
        assert!(!text.contains(&variables[secret]), "{secret}\n{text}");
    }
}

const EXPECTED: &str = "\
will do: a new flow can have a schedule: makes a schedule of the same flow, which is off
confirmed: the host fnf.{region}.aliyuncs.com exists: fnf.cn-hangzhou.aliyuncs.com has an address
refuted: the host fnf-vpc.{region}.aliyuncs.com exists: fnf-vpc.cn-hangzhou.aliyuncs.com has no address
refuted: ACS3 (V3) signatures are taken: HTTP 400 MissingRequiredParams
refuted: a signed time may be 31 minutes old: 14 minutes: HTTP 200, 16 minutes: HTTP 403 RequestTimeTooSkewed, 30 minutes: HTTP 403 RequestTimeTooSkewed, 32 minutes: HTTP 403 RequestTimeTooSkewed
confirmed: errors have a HostId: of an unknown flow HTTP 404 FlowNotExists has Code HostId Message RequestId; of an unknown operation HTTP 400 ActionNotSupported has Code HostId Message RequestId
confirmed: answers are application/json;charset=utf-8: HTTP 200 with application/json;charset=utf-8
confirmed: GET is taken for the operations of POST: none of 16 was refused for it
confirmed: an unknown flow is FlowNotExists for versions, aliases and map runs: ListFlowVersions HTTP 404 FlowNotExists, ListFlowAliases HTTP 404 FlowNotExists, DescribeFlowAlias HTTP 404 FlowNotExists, DescribeMapRun HTTP 404 FlowNotExists
confirmed: ListExecutions gives up to 100 a page: 99: HTTP 200, 100: HTTP 200, 101: HTTP 400 InvalidArgument
not reachable: executions are listed after 30 days: none is listed; perhaps none was started then
confirmed: Output and StoppedTime are empty texts while an execution runs: StartExecution, Running: Output is an empty text, StoppedTime is an empty text
confirmed: a synchronous start of a Standard flow is refused with HTTP 400: HTTP 400 ActionNotSupported
confirmed: a synchronous success has no ErrorCode: HTTP 200, Succeeded, ErrorCode is an empty text, ErrorMessage is an empty text
confirmed: aliases are named as flows are: _a-1: HTTP 200, 1a: HTTP 400 InvalidArgument, a.b: HTTP 400 InvalidArgument
refuted: the weights of an alias must add up to 100: 90: HTTP 200, 101: HTTP 200
confirmed: a new flow can have a schedule: HTTP 200
confirmed: answers and errors bear X-Request-Id: a list has one, an error has one
confirmed: the region serves flows: cn-north-4 lists flows
confirmed: the code of an unknown flow is a documented one: HTTP 404 FGS.5002
refuted: the host iam.eu-west-101.myhuaweicloud.eu exists: iam.eu-west-101.myhuaweicloud.eu has no address
confirmed: a start without input is refused with HTTP 400: HTTP 400 FGS.3002
confirmed: a start with a list as its input is refused with HTTP 400: HTTP 400 FGS.3002
confirmed: X-Get-Workflow-Full-History-Data may be True: true: HTTP 200, True: HTTP 200
refuted: a synchronous flow is cut after 90 s: HTTP 504 APIGW.0201 after 0 s";

/// The same checks of a service that behaves otherwise, or lets nobody in.
#[tokio::test]
async fn findings_follow_the_service() {
    let emulator = Emulator::builder()
        .clock_window(Duration::from_secs(31 * 60))
        .standard_sync(StandardSync::FailedExecution);
    let emulator = emulator.start().unwrap();
    emulator.standard("standard", |input: Value| Ok(input));
    let mut variables = variables(&emulator);
    variables.insert("HW_USER_PASSWORD".to_owned(), "another".to_owned());
    variables.insert("LIVE_CREATES".to_owned(), "0".to_owned());
    emulator.fault_with(|request| match request.operation.as_str() {
        "ListExecutions" if request.query.contains("StartedTimeEnd") => {
            Fault::answer(200, "application/json", r#"{"Executions": [{}]}"#)
        }
        "ListExecutions" => Fault::refuse(403, "AccessDenied", "MARKER"),
        "StopExecution" | "UpdateFlow" if request.method == "GET" => {
            Fault::refuse(405, "UnsupportedHTTPMethod", "MARKER")
        }
        "DescribeMapRun" => Fault::refuse(404, "ExecutionNotExists", "MARKER"),
        _ => Fault::none(),
    });
    let report = run(&world(variables), CHECKS, |_| {}).await;
    let text = report.lines.join("\n");
    for line in [
        "confirmed: a signed time may be 31 minutes old: 14 minutes: HTTP 200, 16 minutes: HTTP 200, 30 minutes: HTTP 200, 32 minutes: HTTP 403 RequestTimeTooSkewed",
        "refuted: GET is taken for the operations of POST: StopExecution: HTTP 405 UnsupportedHTTPMethod, UpdateFlow: HTTP 405 UnsupportedHTTPMethod",
        "refuted: a synchronous start of a Standard flow is refused with HTTP 400: HTTP 200, Status Failed, ErrorCode ActionNotSupported",
        "not reachable: ListExecutions gives up to 100 a page: ListExecutions: HTTP 403 AccessDenied",
        "not reachable: a synchronous success has no ErrorCode: HTTP 404 FlowNotExists, no status, ErrorCode is missing, ErrorMessage is missing",
        "confirmed: executions are listed after 30 days: one is listed",
        "left out: a new flow can have a schedule: set LIVE_CREATES",
        "not reachable: the region serves flows: HTTP 401 no code",
    ] {
        assert!(report.lines.iter().any(|is| is == line), "{line}\n{text}");
    }
    assert!(
        text.contains("refuted: an unknown flow is FlowNotExists"),
        "{text}"
    );
    assert!(!text.contains("MARKER"), "{text}");
}

/// The vendor's published example.
#[test]
fn signature_v3_is_the_documented_one() {
    let headers = BTreeMap::from([
        ("host", "ecs.cn-shanghai.aliyuncs.com"),
        ("x-acs-action", "RunInstances"),
        ("x-acs-date", "2023-10-26T10:22:32Z"),
        ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
        ("x-acs-version", "2014-05-26"),
        (
            "x-acs-content-sha256",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
    ]);
    let query = "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai";
    let authorization =
        ali::authorization_v3("YourAccessKeyId", "YourAccessKeySecret", query, &headers).unwrap();
    assert!(
        authorization
            .ends_with("=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"),
        "{authorization}"
    );
}

#[tokio::test]
async fn what_lacks_a_variable_is_left_out_by_its_name() {
    let emulator = emulator();
    let mut variables = variables(&emulator);
    for name in ["HW_DOMAIN_NAME", "LIVE_STARTS", "LIVE_CREATES"] {
        variables.remove(name);
    }
    let report = run(&world(variables), CHECKS, |_| {}).await;
    let text = report.lines.join("\n");
    for line in [
        "left out: all of Huawei Cloud: set HW_DOMAIN_NAME",
        "left out: a synchronous success has no ErrorCode: set LIVE_STARTS",
        "left out: a new flow can have a schedule: set LIVE_CREATES",
    ] {
        assert!(report.lines.iter().any(|is| is == line), "{line}\n{text}");
    }
    let reading = |check: &&Check| check.cloud == ALIBABA && check.does.is_empty();
    let checked: usize = report.counts[..3].iter().sum();
    assert_eq!(checked, CHECKS.iter().filter(reading).count(), "{text}");
    assert!(!text.contains("will do"), "{text}");
    assert_eq!(report.starts, 0);
    assert_eq!(emulator.runs("standard") + emulator.runs("express"), 0);

    let report = run(&world(BTreeMap::new()), CHECKS, |_| {}).await;
    assert_eq!(report.counts, [0, 0, 0, CHECKS.len()]);
    let line = "left out: all of Alibaba Cloud: set ALIBABA_CLOUD_REGION_ID, \
                ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET";
    assert_eq!(report.lines[0], line);
}

#[tokio::test]
async fn what_was_made_is_removed_after_a_failure_or_told() {
    let checks: &[Check] = checks! {
        ALIBABA "it works", [], "", 9 calls, 0 starts, |world| async move {
            ali::schedule(world).await?;
            panic!("on purpose")
        };
    };
    let emulator = emulator();
    let report = run(&world(variables(&emulator)), checks, |_| {}).await;
    assert_eq!(report.counts, [0, 0, 1, 0]);
    assert_eq!(report.left, [""; 0]);
    assert!(emulator.made_flows().is_empty(), "{report:?}");

    for _ in 0..TRIES {
        let fault = Fault::refuse(500, "InternalServerError", "MARKER");
        emulator.fault::<DeleteFlowRequest>(fault);
    }
    let report = run(&world(variables(&emulator)), checks, |_| {}).await;
    let name = emulator.made_flows().remove(0).name;
    assert!(name.starts_with(ali::PREFIX), "{name}");
    assert_eq!(report.left, [format!("flow {name}")]);
    let line = format!("LEFT BEHIND: flow {name}: HTTP 500 InternalServerError");
    assert!(report.lines.contains(&line), "{report:?}");
}
