//! Contract of the calls that manage flows on Alibaba Cloud: what goes over the wire, what is read,
//! and what becomes of a call whose answer is lost.

mod support;

use std::{collections::BTreeMap, future::Future, pin::Pin, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use cloud_workflows::{Delivery, Error, ErrorCode, ErrorKind, RetryPolicy, alibaba::*};
use serde_json::json as value;
use support::{answering, arrived, documented, json, only_request};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

fn client(server: &MockServer) -> Client {
    Client::builder()
        .endpoint(server.uri())
        .credentials(Credentials::new("testid", "testsecret"))
        .retry(RetryPolicy::never())
        .build()
        .unwrap()
}

type Sent = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// An operation: a request, its method, what it says, an answer to it.
type Case = (
    &'static str,
    fn(Client) -> Sent,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

macro_rules! call {
    ($method:ident $request:expr) => {
        |client| Box::pin(async move { client.$method($request).send().await.map(drop) })
    };
}

const ID: &str = r#"{"RequestId":"id-1"}"#;
const ALIAS: &str = r#"{"RequestId":"id-1","Alias":{"Name":"prod"}}"#;

fn routes() -> Vec<RoutingConfiguration> {
    vec![
        RoutingConfiguration::new("1", 90),
        RoutingConfiguration::new("2", 10),
    ]
}

const ROUTES: &str = r#"[{"Version":"1","Weight":90},{"Version":"2","Weight":10}]"#;

fn environment() -> Environment {
    Environment::new([Variable::new("key", "value").description("of use")])
}

const ENVIRONMENT: &str =
    r#"{"Variables":[{"Name":"key","Value":"value","Description":"of use"}]}"#;

const CASES: &[Case] = &[
    (
        "CreateFlow",
        call!(create_flow CreateFlowRequest::new("f", "Name: f", "")
            .execution_mode(ExecutionMode::Express)
            .role_arn("acs:ram::1:role/r")
            .environment(environment())
            .resource_group_id("rg")
            .external_storage_location("/a")),
        "POST",
        &[
            ("Definition", "Name: f"),
            ("Description", ""),
            ("Environment", ENVIRONMENT),
            ("ExecutionMode", "Express"),
            ("ExternalStorageLocation", "/a"),
            ("Name", "f"),
            ("ResourceGroupId", "rg"),
            ("RoleArn", "acs:ram::1:role/r"),
            ("Type", "FDL"),
        ],
        ID,
    ),
    (
        "DescribeFlow",
        call!(describe_flow DescribeFlowRequest::new("f").flow_version("2")),
        "GET",
        &[("FlowVersion", "2"), ("Name", "f")],
        ID,
    ),
    (
        "UpdateFlow",
        call!(update_flow UpdateFlowRequest::new("f")
            .definition("Name: f")
            .description("d")
            .kind(FlowType::Fdl)
            .role_arn("r")
            .environment(environment())),
        "POST",
        &[
            ("Definition", "Name: f"),
            ("Description", "d"),
            ("Environment", ENVIRONMENT),
            ("Name", "f"),
            ("RoleArn", "r"),
            ("Type", "FDL"),
        ],
        ID,
    ),
    (
        "DeleteFlow",
        call!(delete_flow DeleteFlowRequest::new("f")),
        "POST",
        &[("Name", "f")],
        ID,
    ),
    (
        "ListFlows",
        call!(list_flows ListFlowsRequest::new().limit(999).next_token("t").resource_group_id("rg")),
        "GET",
        &[
            ("Limit", "999"),
            ("NextToken", "t"),
            ("ResourceGroupId", "rg"),
        ],
        ID,
    ),
    (
        "PublishFlowVersion",
        call!(publish_flow_version PublishFlowVersionRequest::new("f").description("d")),
        "POST",
        &[("Description", "d"), ("FlowName", "f")],
        r#"{"Version":"1"}"#,
    ),
    (
        "DeleteFlowVersion",
        call!(delete_flow_version DeleteFlowVersionRequest::new("f", "1")),
        "POST",
        &[("FlowName", "f"), ("FlowVersion", "1")],
        ID,
    ),
    (
        "ListFlowVersions",
        call!(list_flow_versions ListFlowVersionsRequest::new("f").limit(5).next_token("t")),
        "GET",
        &[("FlowName", "f"), ("Limit", "5"), ("NextToken", "t")],
        ID,
    ),
    (
        "CreateFlowAlias",
        call!(create_flow_alias CreateFlowAliasRequest::new("f", "prod", routes()).description("d")),
        "POST",
        &[
            ("Description", "d"),
            ("FlowName", "f"),
            ("Name", "prod"),
            ("RoutingConfigurations", ROUTES),
        ],
        ID,
    ),
    (
        "DescribeFlowAlias",
        call!(describe_flow_alias DescribeFlowAliasRequest::new("f", "prod")),
        "GET",
        &[("FlowName", "f"), ("Name", "prod")],
        ALIAS,
    ),
    (
        "UpdateFlowAlias",
        call!(update_flow_alias UpdateFlowAliasRequest::new("f", "prod")
            .description("d")
            .routing_configurations(routes())),
        "POST",
        &[
            ("Description", "d"),
            ("FlowName", "f"),
            ("Name", "prod"),
            ("RoutingConfigurations", ROUTES),
        ],
        ALIAS,
    ),
    (
        "DeleteFlowAlias",
        call!(delete_flow_alias DeleteFlowAliasRequest::new("f", "prod")),
        "POST",
        &[("FlowName", "f"), ("Name", "prod")],
        ID,
    ),
    (
        "ListFlowAliases",
        call!(list_flow_aliases ListFlowAliasesRequest::new("f").limit(5).next_token("t")),
        "GET",
        &[("FlowName", "f"), ("Limit", "5"), ("NextToken", "t")],
        ID,
    ),
    (
        "CreateSchedule",
        call!(create_schedule CreateScheduleRequest::new("f", "s", "0 * * * * *")
            .description("d")
            .enable(true)
            .payload(value!({"a": 1}))),
        "POST",
        &[
            ("CronExpression", "0 * * * * *"),
            ("Description", "d"),
            ("Enable", "true"),
            ("FlowName", "f"),
            ("Payload", r#"{"a":1}"#),
            ("ScheduleName", "s"),
        ],
        ID,
    ),
    (
        "DescribeSchedule",
        call!(describe_schedule DescribeScheduleRequest::new("f", "s")),
        "GET",
        &[("FlowName", "f"), ("ScheduleName", "s")],
        ID,
    ),
    (
        "UpdateSchedule",
        call!(update_schedule UpdateScheduleRequest::new("f", "s", false)
            .cron_expression("1 * * * * *")
            .description("d")
            .payload_json("{}")),
        "POST",
        &[
            ("CronExpression", "1 * * * * *"),
            ("Description", "d"),
            ("Enable", "false"),
            ("FlowName", "f"),
            ("Payload", "{}"),
            ("ScheduleName", "s"),
        ],
        ID,
    ),
    (
        "DeleteSchedule",
        call!(delete_schedule DeleteScheduleRequest::new("f", "s")),
        "POST",
        &[("FlowName", "f"), ("ScheduleName", "s")],
        ID,
    ),
    (
        "ListSchedules",
        call!(list_schedules ListSchedulesRequest::new("f").limit(1000).next_token("t")),
        "GET",
        &[("FlowName", "f"), ("Limit", "1000"), ("NextToken", "t")],
        ID,
    ),
    (
        "DescribeMapRun",
        call!(describe_map_run DescribeMapRunRequest::new("f", "e", "m")),
        "GET",
        &[
            ("ExecutionName", "e"),
            ("FlowName", "f"),
            ("MapRunName", "m"),
        ],
        r#"{"Status":"Running"}"#,
    ),
    (
        "UpdateMapRun",
        call!(update_map_run UpdateMapRunRequest::new("f", "e", "m")
            .concurrency(5_000_000_000)
            .tolerated_failed_count(3)
            .tolerated_failed_percentage(12.5)),
        "GET",
        &[
            ("Concurrency", "5000000000"),
            ("ExecutionName", "e"),
            ("FlowName", "f"),
            ("MapRunName", "m"),
            ("ToleratedFailedCount", "3"),
            ("ToleratedFailedPercentage", "12.5"),
        ],
        ID,
    ),
    (
        "DescribeRegions",
        call!(describe_regions DescribeRegionsRequest::new().accept_language("en-US")),
        "POST",
        &[("AcceptLanguage", "en-US")],
        r#"{"Regions":{"Region":[]}}"#,
    ),
];

/// What a request says, beside what every request says.
fn said(request: &Request) -> BTreeMap<String, String> {
    let text = match request.method.as_str() {
        "GET" => request.url.query().unwrap().to_owned(),
        _ => {
            assert_eq!(request.url.query(), None, "what proxies log");
            String::from_utf8(request.body.clone()).unwrap()
        }
    };
    let common = [
        "AccessKeyId",
        "Action",
        "Format",
        "Signature",
        "SignatureMethod",
        "SignatureNonce",
        "SignatureVersion",
        "Timestamp",
        "Version",
    ];
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .filter(|(name, _)| !common.contains(&name.as_str()))
        .collect()
}

#[tokio::test]
async fn every_operation_says_what_it_is_given_and_nothing_else() {
    for (name, call, method, parameters, answer) in CASES {
        let server = answering(json(200, *answer)).await;
        call(client(&server)).await.unwrap();
        let request = only_request(&server).await;
        assert_eq!(request.method.as_str(), *method, "{name}");
        assert_eq!(request.headers["x-acs-action"], *name);
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let expected: BTreeMap<_, _> = parameters.iter().map(owned).collect();
        assert_eq!(said(&request), expected, "{name}");
    }
    assert_eq!(CASES.len(), 21);
}

#[tokio::test]
async fn every_documented_code_of_every_operation_is_read() {
    let mut pairs = 0;
    let listed = documented(include_str!("data/alibaba_codes.tsv"));
    for line in include_str!("data/alibaba_operation_codes.tsv")
        .lines()
        .skip(1)
    {
        let (name, codes) = line.split_once('\t').unwrap();
        let (.., call, _, _, _) = CASES.iter().find(|case| case.0 == name).unwrap();
        for pair in codes.split(' ') {
            let (code, status) = pair.split_once(':').unwrap();
            let status: u16 = status.parse().unwrap();
            let is_listed =
                |(other, statuses): &(&str, Vec<u16>)| *other == code && statuses.contains(&status);
            assert!(listed.iter().any(is_listed), "{code} {status}");
            let body = value!({"RequestId": "r", "Code": code, "Message": "said so"});
            let server = answering(json(status, body.to_string())).await;
            let error = call(client(&server)).await.unwrap_err();
            assert_eq!(
                error.code(),
                Some(&ErrorCode::from(code)),
                "{name}: {error}"
            );
            assert_eq!(error.operation(), Some(name));
            assert!(!error.may_have_started(), "{name}: {error}");
            let delivery = match status {
                500 => Delivery::Unknown,
                _ => Delivery::Refused,
            };
            assert_eq!(error.delivery(), delivery, "{name}: {error}");
            let kind = match code {
                _ if code.ends_with("NotExists") => Some(ErrorKind::NotFound),
                _ if code.ends_with("AlreadyExists") => Some(ErrorKind::AlreadyExists),
                "AccessDenied" => Some(ErrorKind::PermissionDenied),
                "ResourceThrottled" => Some(ErrorKind::Throttled),
                "InternalServerError" => Some(ErrorKind::Service),
                _ => None,
            };
            assert!(
                kind.is_none_or(|kind| kind == error.kind()),
                "{name}: {error}"
            );
            pairs += 1;
        }
    }
    assert!(pairs > 100, "{pairs}");
}

#[tokio::test]
async fn codes_that_no_document_lists_are_judged_by_their_family() {
    for (code, status, kind) in [
        ("AliasNotExists", 400, ErrorKind::NotFound),
        ("FlowVersionNotExists", 404, ErrorKind::NotFound),
        ("AliasAlreadyExists", 400, ErrorKind::AlreadyExists),
    ] {
        let body = value!({"RequestId": "r", "Code": code, "Message": "said so"});
        let server = answering(json(status, body.to_string())).await;
        let request = DescribeFlowAliasRequest::new("f", "prod");
        let error = client(&server)
            .describe_flow_alias(request)
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{code}");
    }
}

#[tokio::test]
async fn what_breaks_a_rule_is_not_sent() {
    let server = answering(json(200, ALIAS)).await;
    let client = client(&server);
    let three = vec![RoutingConfiguration::new("1", 1); 3];
    let request = CreateFlowAliasRequest::new("f", "prod", three);
    let error = client.create_flow_alias(request).send().await.unwrap_err();
    assert_eq!(
        error.message(),
        "RoutingConfigurations: must be 1 to 2 items"
    );
    let request = ListSchedulesRequest::new("f").limit(1001);
    let error = client.list_schedules(request).send().await.unwrap_err();
    assert_eq!(error.message(), "Limit: must be 1 to 1000");
    let request = CreateFlowRequest::new("1f", "x", "");
    let error = client.create_flow(request).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(arrived(&server).await, 0);
}

#[test]
fn a_definition_and_values_are_not_printed() {
    let request = CreateFlowRequest::new("f", "MARK", "")
        .environment(Environment::new([Variable::new("name", "MARK")]));
    let flow: Flow = serde_json::from_value(value!({"Name": "f", "Definition": "MARK"})).unwrap();
    let shown = format!(
        "{request:?} {flow:?} {:?}",
        UpdateFlowRequest::new("f").definition("MARK")
    );
    assert!(!shown.contains("MARK"), "{shown}");
}

/// A server that loses the answer of the first request, and answers the others by their action.
async fn losing(answers: impl Fn(&str) -> ResponseTemplate + Send + Sync + 'static) -> MockServer {
    let server = MockServer::start().await;
    let lost = std::sync::atomic::AtomicBool::new(false);
    let respond =
        move |request: &Request| match lost.swap(true, std::sync::atomic::Ordering::Relaxed) {
            false => ResponseTemplate::new(502),
            true => answers(request.headers["x-acs-action"].to_str().unwrap()),
        };
    Mock::given(any())
        .respond_with(respond)
        .mount(&server)
        .await;
    server
}

fn refusing(status: u16, code: &str) -> ResponseTemplate {
    json(
        status,
        value!({"RequestId": "r", "Code": code, "Message": "m"}).to_string(),
    )
}

/// The service's time.
fn now() -> DateTime<Utc> {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// An answer of that time.
fn dated(body: String) -> ResponseTemplate {
    json(200, body).insert_header("date", "Sun, 22 Nov 2026 12:00:00 GMT")
}

/// A client that repeats, and at once.
fn repeating(server: &MockServer) -> Client {
    let retry = RetryPolicy::default()
        .initial_backoff(Duration::ZERO)
        .max_backoff(Duration::ZERO);
    Client::builder()
        .endpoint(server.uri())
        .credentials(Credentials::new("testid", "testsecret"))
        .retry(retry)
        .build()
        .unwrap()
}

fn made(definition: &str, ago: TimeDelta) -> ResponseTemplate {
    let flow = value!({"Name": "f", "Definition": definition, "Description": "d",
        "CreatedTime": now() - ago});
    dated(flow.to_string())
}

#[tokio::test]
async fn a_flow_whose_answer_was_lost_is_ours_where_it_is_what_was_asked_for() {
    let request = || CreateFlowRequest::new("f", "Name: f\r\n", "d");
    let server = losing(|action| {
        assert_eq!(action, "DescribeFlow");
        made("Name: f\n", TimeDelta::zero())
    })
    .await;
    let flow = client(&server).create_flow(request()).send().await.unwrap();
    assert_eq!(flow.name.as_deref(), Some("f"));
    assert_eq!(arrived(&server).await, 2);

    type Answer = fn() -> ResponseTemplate;
    let others: [(Answer, &str); 3] = [
        (|| made("Name: f", TimeDelta::hours(1)), "was made before"),
        (
            || made("Name: f # other", TimeDelta::zero()),
            "not in the same words",
        ),
        (
            || refusing(404, "FlowNotExists"),
            "nothing of that name was there",
        ),
    ];
    for (answer, words) in others {
        let server = losing(move |_| answer()).await;
        let error = client(&server)
            .create_flow(request())
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.delivery(), Delivery::Unknown);
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.may_have_started(), "{error}");
    }
}

#[tokio::test]
async fn an_alias_and_a_schedule_whose_answers_were_lost_are_looked_at() {
    let server = losing(move |_| {
        let now = now().to_rfc3339();
        let alias = format!(
            r#"{{"Name":"prod","CreatedTime":"{}","RoutingConfigurations":{ROUTES}}}"#,
            now
        );
        dated(format!(r#"{{"Alias":{alias}}}"#))
    })
    .await;
    let request = CreateFlowAliasRequest::new("f", "prod", routes());
    let alias = client(&server)
        .create_flow_alias(request)
        .send()
        .await
        .unwrap();
    assert_eq!(alias.flow_name.as_deref(), Some("f"));
    assert_eq!(alias.routing_configurations, routes());

    for (cron, is_ours) in [("0 * * * * *", true), ("1 * * * * *", false)] {
        let server = losing(move |_| {
            dated(value!({"CronExpression": cron, "CreatedTime": now()}).to_string())
        })
        .await;
        let request = CreateScheduleRequest::new("f", "s", "0 * * * * *");
        let outcome = client(&server).create_schedule(request).send().await;
        assert_eq!(outcome.is_ok(), is_ours, "{outcome:?}");
    }
}

#[tokio::test]
async fn what_is_there_already_is_ours_only_after_an_answer_that_was_lost() {
    let server = losing(|action| match action {
        "CreateFlow" => refusing(409, "FlowAlreadyExists"),
        _ => made("Name: f", TimeDelta::zero()),
    })
    .await;
    let request = CreateFlowRequest::new("f", "Name: f", "d");
    let flow = repeating(&server)
        .create_flow(request)
        .send()
        .await
        .unwrap();
    assert_eq!(flow.definition.as_deref(), Some("Name: f"));
    assert_eq!(arrived(&server).await, 3);

    let server = answering(refusing(409, "FlowAlreadyExists")).await;
    let request = CreateFlowRequest::new("f", "Name: f", "d");
    let error = client(&server)
        .create_flow(request)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.delivery(), Delivery::Refused);
    assert_eq!(arrived(&server).await, 1);
}

#[tokio::test]
async fn what_is_gone_is_a_success_only_after_an_answer_that_was_lost() {
    let server = answering(refusing(404, "FlowNotExists")).await;
    let error = client(&server)
        .delete_flow(DeleteFlowRequest::new("f"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);

    let server = losing(|_| refusing(404, "AliasNotExists")).await;
    let client = repeating(&server);
    let request = DeleteFlowAliasRequest::new("f", "prod");
    let deleted = client.delete_flow_alias(request).send().await.unwrap();
    assert!(deleted.was_gone);
    assert_eq!(arrived(&server).await, 2);
}

#[tokio::test]
async fn a_version_is_published_once_and_the_error_says_that_there_may_be_one_more() {
    let server = answering(ResponseTemplate::new(502)).await;
    let client = repeating(&server);
    let request = PublishFlowVersionRequest::new("f");
    let error = client
        .publish_flow_version(request)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert!(
        error
            .to_string()
            .contains("one version more than needed may exist"),
        "{error}"
    );
    assert!(
        !error.to_string().contains("the flow may have started"),
        "{error}"
    );
    assert_eq!(arrived(&server).await, 1);
}

#[tokio::test]
async fn lists_are_read_to_their_end_and_an_item_that_comes_twice_is_given_once() {
    let server = MockServer::start().await;
    let respond = |request: &Request| {
        let said = said(request);
        let list = match request.headers["x-acs-action"].to_str().unwrap() {
            "ListFlows" => ("Flows", "Name"),
            "ListFlowVersions" => ("FlowVersions", "Version"),
            "ListFlowAliases" => ("Aliases", "Name"),
            _ => ("Schedules", "ScheduleName"),
        };
        let items = |names: &[&str]| -> Vec<_> {
            names.iter().map(|name| value!({list.1: name})).collect()
        };
        json(
            200,
            match said.get("NextToken") {
                None => value!({list.0: items(&["1", "2"]), "NextToken": "2"}),
                Some(_) => value!({list.0: items(&["2", "3"]), "NextToken": ""}),
            }
            .to_string(),
        )
    };
    Mock::given(any())
        .respond_with(respond)
        .mount(&server)
        .await;
    let client = client(&server);
    macro_rules! names {
        ($call:expr, |$one:ident| $name:expr) => {{
            let mut items = $call.items();
            let mut names = Vec::new();
            while let Some(one) = items.next().await {
                let $one = one.unwrap();
                names.push($name);
            }
            names
        }};
    }
    let expected = ["1", "2", "3"];
    let flows = names!(client.list_flows(ListFlowsRequest::new()), |one| one
        .name
        .unwrap());
    assert_eq!(flows, expected);
    let request = ListFlowVersionsRequest::new("f");
    let versions = names!(client.list_flow_versions(request), |one| one.version);
    assert_eq!(versions, expected);
    let request = ListFlowAliasesRequest::new("f");
    let aliases = names!(client.list_flow_aliases(request), |one| one.name.unwrap());
    assert_eq!(aliases, expected);
    let request = ListSchedulesRequest::new("f");
    let schedules = names!(client.list_schedules(request), |one| one
        .schedule_name
        .unwrap());
    assert_eq!(schedules, expected);
    // How many versions a page may have is not documented, so that it is left to the service.
    for request in server.received_requests().await.unwrap() {
        let action = request.headers["x-acs-action"].to_str().unwrap();
        let is_left = matches!(action, "ListFlowVersions" | "ListFlowAliases");
        assert_eq!(said(&request).contains_key("Limit"), !is_left, "{action}");
    }
}
