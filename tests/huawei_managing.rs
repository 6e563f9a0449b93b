//! Contract of the Huawei Cloud client for flows themselves: what goes over the wire, what is read
//! from it, what lost answers come to, and all of it against the emulator.
#![cfg(all(feature = "alibaba", feature = "huawei"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use chrono::{DateTime, Utc};
use cloud_workflows::{
    Delivery, ErrorKind, RetryPolicy,
    emulator::{Emulator, Fault, Quirks},
    huawei::{
        Action, ActionMode, BatchDeleteWorkflowsRequest, Client, CreateWorkflowRequest,
        ExpressConfig, Function, FunctionRef, InvokeMode, ListWorkflowRequest, LogLevel,
        ObsTriggerConfig, OnError, OperationState, Retry, ShowTenantMetricRequest,
        ShowWorkFlowMetricRequest, ShowWorkFlowRequest, StartSyncWorkflowExecutionRequest,
        StateDataFilter, StateType, Token, Trigger, TriggerType, UpdateWorkFlowRequest,
        WorkflowCreateBody, WorkflowFate, WorkflowMode,
    },
};
use serde_json::{Value, json as value};
use support::{answering, arrived, documented, json, only_request};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

const FLOWS: &str = "/v2/p/fgs/workflows";
const URN: &str = "urn:fss:cn-north-4:p:workflow:default:order:latest";

fn client(server: &MockServer) -> Client {
    Client::builder()
        .endpoint(server.uri())
        .iam_endpoint(server.uri())
        .project_id("p")
        .retry(RetryPolicy::never())
        .credentials(Token::new("ready-token"))
        .build()
        .unwrap()
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A flow of one node.
fn flow(name: &str) -> WorkflowCreateBody {
    let state = OperationState::new("s1", "First", StateType::End).end(true);
    WorkflowCreateBody::new(name, "s1", [state])
}

#[tokio::test]
async fn a_flow_is_made_with_all_that_it_can_have() {
    let answer = format!(
        r#"{{"id":"f1","workflow_urn":"{URN}","name":"order","description":"d",
        "created_time":"2026-11-22T08:09:10Z","updated_time":"2026-11-22T08:09:11Z",
        "created_by":"u","enable_stream_response":false}}"#
    );
    let server = answering(json(201, answer)).await;
    let call = FunctionRef::new("charge")
        .invoke_mode(InvokeMode::Synchronize)
        .arguments(value!({"order": "${.order}"}));
    let charge = OperationState::new("s1", "Charge", StateType::Operation)
        .transition("s2")
        .actions(vec![Action::new(call)])
        .action_mode(ActionMode::Sequential)
        .on_errors(vec![
            OnError::new().error("*").transition("s2").retry_ref("r"),
        ])
        .state_data_filter(StateDataFilter::new().input("$").output("$.x"));
    let sleep = OperationState::new("s2", "Wait", StateType::Sleep)
        .duration(0.5)
        .end(true);
    let objects = ObsTriggerConfig::new("bucket", vec!["Put".to_owned()], "in/", ".csv");
    let body = WorkflowCreateBody::new("order", "s1", [charge, sleep])
        .description("d")
        .triggers(vec![
            Trigger::new("new", TriggerType::Obs)
                .enabled(false)
                .trigger_config(objects),
        ])
        .functions(vec![
            Function::new("charge", "urn:fss:x").metadata(value!({"a": 1})),
        ])
        .retries(vec![Retry::new("r").delay(5).max_attempts(2)])
        .constants_json(r#"{"big":10000000000000000000001}"#)
        .mode(WorkflowMode::Express)
        .express_config(ExpressConfig::new().log_level(LogLevel::Error))
        .enterprise_project_id("0")
        .enable_stream_response(true);
    let request = CreateWorkflowRequest::new(body);
    let shown = format!("{request:?}");
    assert!(
        !shown.contains("charge") && shown.contains("order"),
        "{shown}"
    );
    let made = client(&server)
        .create_workflow(request)
        .send()
        .await
        .unwrap();
    assert_eq!(made.id, "f1");
    assert_eq!(made.workflow_urn.as_deref(), Some(URN));
    assert_eq!(made.created_time, Some(time("2026-11-22T08:09:10Z")));
    assert_eq!(made.updated_time, Some(time("2026-11-22T08:09:11Z")));
    assert_eq!(made.enable_stream_response, Some(false));

    let sent = only_request(&server).await;
    assert_eq!((sent.method.as_str(), sent.url.path()), ("POST", FLOWS));
    assert_eq!(sent.headers["content-type"], "application/json");
    let text = std::str::from_utf8(&sent.body).unwrap();
    assert!(
        text.contains(r#""constants":{"big":10000000000000000000001}"#),
        "{text}"
    );
    let body: Value = serde_json::from_str(text).unwrap();
    let want = value!({
        "name": "order", "start": "s1", "description": "d",
        "states": [
            {"id": "s1", "name": "Charge", "type": "Operation", "end": false, "transition": "s2",
             "actions": [{"function_ref": {"ref_name": "charge", "invoke_mode": "synchronize",
                          "arguments": {"order": "${.order}"}}}],
             "action_mode": "sequential",
             "on_errors": [{"error": "*", "transition": "s2", "retry_ref": "r"}],
             "state_data_filter": {"input": "$", "output": "$.x"}},
            {"id": "s2", "name": "Wait", "type": "Sleep", "end": true, "transition": "",
             "actions": [], "duration": 0.5},
        ],
        "triggers": [{"trigger_name": "new", "trigger_type": "OBS", "enabled": false,
            "trigger_config": {"bucket": "bucket", "events": ["Put"], "prefix": "in/",
                               "suffix": ".csv"}}],
        "functions": [{"name": "charge", "operation": "urn:fss:x", "metadata": {"a": 1}}],
        "retries": [{"name": "r", "delay": 5, "max_attempts": 2}],
        "constants": body["constants"], "mode": "EXPRESS",
        "express_config": {"log_level": "ERROR"},
        "enterprise_project_id": "0", "enable_stream_response": true,
    });
    assert_eq!(body, want);
}

/// What the document wants is sent though nobody gave it.
#[tokio::test]
async fn a_small_flow_has_what_is_required() {
    let server = answering(json(201, r#"{"id":"f1"}"#)).await;
    let request = CreateWorkflowRequest::new(flow("订单_(1).-"));
    client(&server)
        .create_workflow(request)
        .send()
        .await
        .unwrap();
    let sent = only_request(&server).await;
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(
        body,
        value!({"name": "订单_(1).-", "start": "s1", "functions": [], "retries": [], "constants": {},
            "states": [{"id": "s1", "name": "First", "type": "End", "end": true, "transition": "",
                        "actions": []}]})
    );
}

#[tokio::test]
async fn what_breaks_a_rule_is_named_and_not_sent() {
    let server = answering(json(201, r#"{"id":"f1"}"#)).await;
    let state = || OperationState::new("s1", "First", StateType::End);
    for (body, message) in [
        (flow(""), "name: must be 1 to 64 characters"),
        (
            flow("a b"),
            "name: must hold letters, digits, _ ( ) . - and Chinese characters only",
        ),
        (
            WorkflowCreateBody::new("n", "", [state()]),
            "start: must be 1 to 256 characters",
        ),
        (
            WorkflowCreateBody::new("n", "s", []),
            "states: must be 1 to 100 items",
        ),
        (
            flow("n").constants_json("[]"),
            "constants: must be the text of a JSON object",
        ),
        (
            flow("n").retries(vec![Retry::new("r").delay(31)]),
            "delay: must be 1 to 30",
        ),
        (
            WorkflowCreateBody::new("n", "s", [state().duration(86_401.0)]),
            "duration: must be 0 to 86400",
        ),
    ] {
        let call = client(&server).create_workflow(CreateWorkflowRequest::new(body));
        let error = call.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert_eq!(error.message(), message);
        assert_eq!(error.delivery(), Delivery::NotSent);
    }
    assert_eq!(arrived(&server).await, 0);
}

/// What the service shows of a flow, with members that nobody here knows at every level, values in
/// odd forms and members that are missing.
const STRANGE: &str = r#"{"name":"order","tomorrow":{"a" : [1.0, 10000000000000000000001]},"start":"s1",
 "description":"", "mode":null, "triggers":[{"trigger_name":"t","trigger_type":"FLOWTIMER","trigger_config":{"schedule":"3m"},"new":1}],
 "functions":"odd","states":[{"id":"s1","name":"A","type":"Sleep","duration":30,"x":null,"actions":[{"function_ref":{"ref_name":"f","arguments":{"z" : 1e400},"more":true}, "y":2}]},
 {"id":"s2","name":"B","type":"End","end":"true"}],"constants":{"k" : 1}}"#;

#[tokio::test]
async fn a_definition_is_written_back_as_it_came_but_for_what_was_changed() {
    let shown = format!(
        r#"{{"id":"f1","workflow_urn":"{URN}","created_time":"2026-11-22T08:09:10Z","created_by":"u",
        "lts_group_id":"g","lts_stream_id":"s","definition":{STRANGE}}}"#
    );
    let server = MockServer::start().await;
    let flow = "/v2/p/fgs/workflows/f1";
    Mock::given(method("GET"))
        .and(path(flow))
        .respond_with(json(200, shown))
        .mount(&server)
        .await;
    Mock::given(method("PUT"))
        .and(path(flow))
        .respond_with(json(200, r#"{"id":"f1"}"#))
        .mount(&server)
        .await;
    let client = client(&server);
    let show = || async {
        let shown = client.show_work_flow(ShowWorkFlowRequest::new("f1"));
        shown.send().await.unwrap()
    };
    let read = show().await;
    assert_eq!(read.lts_group_id.as_deref(), Some("g"));
    assert_eq!(read.lts_stream_id.as_deref(), Some("s"));
    assert!(!format!("{read:?}").contains("order\""), "{read:?}");
    let definition = read.definition.unwrap();
    assert_eq!(definition.states[0].duration, Some(30.0));
    assert_eq!(definition.states[1].end, Some(true));

    let put = |body: WorkflowCreateBody| async {
        let update = UpdateWorkFlowRequest::new("f1", body);
        client.update_work_flow(update).send().await.unwrap();
        let sent = server.received_requests().await.unwrap().pop().unwrap();
        assert_eq!(sent.method.as_str(), "PUT");
        assert_eq!(sent.url.path(), flow);
        String::from_utf8(sent.body).unwrap()
    };
    // Nothing was changed, and nothing changes but white space between members.
    let plain = |text: &str| -> String {
        let words = text.split(['\n', ' ']).filter(|word| !word.is_empty());
        words.collect()
    };
    assert_eq!(plain(&put(definition.clone()).await), plain(STRANGE));

    let mut changed = definition.description("new").mode(WorkflowMode::Normal);
    changed.states[0].name = "Z".to_owned();
    let text = plain(&put(changed).await);
    let want = plain(STRANGE)
        .replace(r#""description":"""#, r#""description":"new""#)
        .replace(r#""mode":null"#, r#""mode":"NORMAL""#)
        .replace(r#""name":"A""#, r#""name":"Z""#);
    assert_eq!(text, want);
}

#[tokio::test]
async fn flows_are_listed_with_their_filters() {
    let answer =
        r#"{"total":1,"size":1,"workflows":[{"id":"f1","name":"order"},{"name":"no id"}]}"#;
    let server = answering(json(200, answer)).await;
    let request = ListWorkflowRequest::new()
        .workflow_name("or/der")
        .limit(200)
        .offset(7)
        .enterprise_project("0")
        .mode(WorkflowMode::Normal);
    let page = client(&server).list_workflow(request).send().await.unwrap();
    assert_eq!((page.total, page.size), (Some(1), Some(1)));
    assert_eq!(page.workflows.len(), 1);
    let sent = only_request(&server).await;
    assert_eq!((sent.method.as_str(), sent.url.path()), ("GET", FLOWS));
    assert_eq!(
        sent.url.query(),
        Some("workflow_name=or%2Fder&limit=200&offset=7&enterprise_project=0&mode=NORMAL")
    );
}

#[tokio::test]
async fn a_batch_delete_is_a_delete_with_a_body() {
    let answer = r#"{"success":["u1"],"fail":[{"workflow_urn":"u2","error_detail":"in use"}]}"#;
    let server = answering(json(200, answer)).await;
    let urns = vec!["u1".to_owned(), "u2".to_owned(), "u3".to_owned()];
    let request = BatchDeleteWorkflowsRequest::new(urns);
    let answer = client(&server).batch_delete_workflows(request);
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.success, ["u1"]);
    assert_eq!(answer.fail[0].workflow_urn.as_deref(), Some("u2"));
    assert_eq!(answer.fail[0].error_detail.as_deref(), Some("in use"));
    let sent = only_request(&server).await;
    assert_eq!((sent.method.as_str(), sent.url.path()), ("DELETE", FLOWS));
    assert_eq!(sent.headers["content-type"], "application/json");
    assert_eq!(&sent.body[..], br#"{"workflow_urns":["u1","u2","u3"]}"#);
}

#[tokio::test]
async fn metrics_are_asked_for_in_milliseconds() {
    let answer = r#"{"count":[{"timestamp":1763800000123,"value":2}],"duration":[{"timestamp":1,"value":1.5}],
        "fail_count":[],"running_count":null}"#;
    let server = answering(json(200, answer)).await;
    let (start, end) = (time("2026-11-22T08:09:10.5Z"), time("2026-11-22T09:09:10Z"));
    let request = ShowWorkFlowMetricRequest::new("urn:fss:r:p:workflow:default:a!(*)':latest")
        .period(5_u32)
        .start_time(start)
        .end_time(end);
    let metric = client(&server).show_work_flow_metric(request);
    let metric = metric.send().await.unwrap();
    assert_eq!(metric.count[0].timestamp, Some(1_763_800_000_123));
    assert_eq!(metric.count[0].value, Some(2.0));
    assert_eq!(metric.duration[0].value, Some(1.5));
    assert!(metric.fail_count.is_empty() && metric.running_count.is_empty());
    let sent = only_request(&server).await;
    assert_eq!(
        sent.url.path(),
        "/v2/p/fgs/workflow-statistic/urn%3Afss%3Ar%3Ap%3Aworkflow%3Adefault%3Aa%21%28%2A%29%27%3Alatest"
    );
    let query = "period=5&start_time=1795334950500&end_time=1795338550000";
    assert_eq!(sent.url.query(), Some(query));

    let server = answering(json(200, "{}")).await;
    let request = ShowTenantMetricRequest::new().metric_type("count");
    client(&server)
        .show_tenant_metric(request)
        .send()
        .await
        .unwrap();
    let sent = only_request(&server).await;
    assert_eq!(sent.url.path(), "/v2/p/fgs/workflow-statistic");
    assert_eq!(sent.url.query(), Some("metric_type=count"));
}

/// Codes with their statuses.
const CODES: &str = "FGS.3002\t400 500\nFGS.5002\t404\nFSS.0403\t403\nFSS.0404\t404\n\
    FSS.0409\t409\nFSS.0500\t500";

/// The documented errors of these operations.
#[tokio::test]
async fn refusals_say_their_code_and_that_nothing_was_started() {
    let rows = documented(CODES).into_iter();
    let rows = rows.flat_map(|(code, statuses)| statuses.into_iter().map(move |s| (code, s)));
    for (code, status) in rows {
        let kind = match (code, status) {
            ("FSS.0409", _) => ErrorKind::AlreadyExists,
            (_, 403) => ErrorKind::PermissionDenied,
            (_, 404) => ErrorKind::NotFound,
            (_, 500) => ErrorKind::Service,
            _ => ErrorKind::InvalidRequest,
        };
        let body = format!(r#"{{"error_code":"{code}","error_msg":"words","request_id":"Req1"}}"#);
        let server = answering(json(status, body)).await;
        let client = client(&server);
        let errors = [
            client
                .create_workflow(CreateWorkflowRequest::new(flow("n")))
                .send()
                .await
                .unwrap_err(),
            client
                .list_workflow(ListWorkflowRequest::new())
                .send()
                .await
                .unwrap_err(),
            client
                .show_work_flow(ShowWorkFlowRequest::new("f"))
                .send()
                .await
                .unwrap_err(),
            client
                .update_work_flow(UpdateWorkFlowRequest::new("f", flow("n")))
                .send()
                .await
                .unwrap_err(),
            client
                .batch_delete_workflows(BatchDeleteWorkflowsRequest::new(vec!["u".to_owned()]))
                .send()
                .await
                .unwrap_err(),
            client
                .show_work_flow_metric(ShowWorkFlowMetricRequest::new("u"))
                .send()
                .await
                .unwrap_err(),
            client
                .show_tenant_metric(ShowTenantMetricRequest::new())
                .send()
                .await
                .unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), kind, "{error}");
            assert_eq!(error.code().unwrap().as_str(), code);
            assert_eq!(error.status().unwrap().as_u16(), status);
            assert!(!error.may_have_started(), "{error}");
        }
    }
}

/// A service whose `POST` answers badly, and which lists and shows this.
async fn doubtful(flows: Value, definition: Value) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(502))
        .mount(&server)
        .await;
    let now = "Sun, 22 Nov 2026 08:09:10 GMT";
    Mock::given(method("GET"))
        .and(path(FLOWS))
        .respond_with(json(200, flows.to_string()).insert_header("date", now))
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .respond_with(json(200, value!({"definition": definition}).to_string()))
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn a_lost_create_is_settled_by_name_definition_and_time() {
    let now = "2026-11-22T08:09:10Z";
    let old = "2026-01-01T00:00:00Z";
    let row =
        |id: &str, name: &str, made: &str| value!({"id": id, "name": name, "created_time": made});
    let same = value!({"name": "order", "start": "s1", "mode": "NORMAL",
        "states": [{"id": "s1", "name": "First", "type": "End", "end": true}]});
    let other = value!({"name": "order", "start": "s2", "states": []});
    let list =
        |rows: Vec<Value>| value!({"total": rows.len(), "size": rows.len(), "workflows": rows});

    let server = doubtful(
        list(vec![row("f1", "order", now), row("f2", "order-2", now)]),
        same.clone(),
    )
    .await;
    let create = || CreateWorkflowRequest::new(flow("order"));
    let made = client(&server)
        .create_workflow(create())
        .send()
        .await
        .unwrap();
    assert_eq!(made.id, "f1");

    for (rows, definition, words) in [
        (vec![], same.clone(), "listed yet"),
        (vec![row("f1", "order", now)], other, "listed yet"),
        (
            vec![row("f1", "order", old)],
            same.clone(),
            "cannot be told: f1",
        ),
        (
            vec![row("f1", "order", now), row("f2", "order", old)],
            same,
            "cannot be told: f1, f2",
        ),
    ] {
        let server = doubtful(list(rows), definition).await;
        let error = client(&server)
            .create_workflow(create())
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.delivery(), Delivery::Unknown);
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.may_have_started());
        let requests = server.received_requests().await.unwrap();
        let posts = requests
            .iter()
            .filter(|sent| sent.method.as_str() == "POST");
        assert_eq!(posts.count(), 1);
    }
}

#[tokio::test]
async fn a_flow_is_made_started_changed_and_deleted() {
    let emulator = Emulator::start().unwrap();
    let client = emulator.huawei().build().unwrap();
    let made = client
        .create_workflow(CreateWorkflowRequest::new(flow("order")))
        .send()
        .await
        .unwrap();
    assert_eq!(made.name.as_deref(), Some("order"));
    let start = || StartSyncWorkflowExecutionRequest::new(&made.id).input(value!({"n": 1}));
    let echoed = client
        .start_sync_workflow_execution(start())
        .send()
        .await
        .unwrap();
    assert_eq!(echoed.into_output::<Value>().unwrap(), value!({"n": 1}));
    emulator.workflow("order", |input: Value| Ok(value!({"was": input})));
    let bound = client
        .start_sync_workflow_execution(start())
        .send()
        .await
        .unwrap();
    assert_eq!(
        bound.into_output::<Value>().unwrap(),
        value!({"was": {"n": 1}})
    );
    assert_eq!(emulator.runs("order"), 2);

    let shown = client
        .show_work_flow(ShowWorkFlowRequest::new(&made.id))
        .send()
        .await
        .unwrap();
    let definition = shown.definition.unwrap();
    let json = |body: &WorkflowCreateBody| serde_json::to_value(body).unwrap();
    assert_eq!(json(&definition), json(&flow("order")));
    let update = UpdateWorkFlowRequest::new(&made.id, definition.description("changed"));
    let changed = client.update_work_flow(update).send().await.unwrap();
    assert_eq!(changed.description.as_deref(), Some("changed"));

    let urn = made.workflow_urn.clone().unwrap();
    let metric = ShowWorkFlowMetricRequest::new(&urn).start_time(made.created_time.unwrap());
    let metric = client.show_work_flow_metric(metric).send().await.unwrap();
    let count: f64 = metric.count.iter().filter_map(|value| value.value).sum();
    assert_eq!(count, 2.0);
    let all = client
        .show_tenant_metric(ShowTenantMetricRequest::new())
        .send()
        .await
        .unwrap();
    assert_eq!(all.count.len(), 1);

    let gone = client
        .delete_workflows([urn.as_str(), "urn:never:there"])
        .await;
    assert!(
        gone.iter()
            .all(|flow| matches!(flow.fate, WorkflowFate::Gone)),
        "{gone:?}"
    );
    assert!(client.find_workflow("order").await.unwrap().is_none());
    let show = || client.show_work_flow(ShowWorkFlowRequest::new(&made.id));
    assert_eq!(show().send().await.unwrap_err().kind(), ErrorKind::NotFound);
    let error = client
        .start_sync_workflow_execution(start())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    emulator.quirks(Quirks {
        fss0500_for_missing: true,
        ..Quirks::default()
    });
    let error = show().retry(RetryPolicy::never()).send().await.unwrap_err();
    assert_eq!(error.code().unwrap().as_str(), "FSS.0500");
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_makes_one_flow() {
    let emulator = Emulator::start().unwrap();
    let client = emulator.huawei().build().unwrap();
    emulator.fault::<CreateWorkflowRequest>(Fault::cut_after_run());
    let made = client
        .create_workflow(CreateWorkflowRequest::new(flow("order")))
        .send()
        .await
        .unwrap();
    let found = client.find_workflow("order").await.unwrap().unwrap();
    assert_eq!(found.id, made.id);
}

#[tokio::test]
async fn names_are_compared_whole_and_two_of_one_name_are_an_error() {
    let emulator = Emulator::start().unwrap();
    let client = emulator.huawei().build().unwrap();
    let make = async |name: &str| {
        let request = CreateWorkflowRequest::new(flow(name));
        client.create_workflow(request).send().await.unwrap().id
    };
    make("order-2").await;
    assert!(client.find_workflow("order").await.unwrap().is_none());
    let first = make("order").await;
    assert_eq!(
        client.find_workflow("order").await.unwrap().unwrap().id,
        first
    );
    let second = make("order").await;
    let error = client.find_workflow("order").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error.message().contains(&first) && error.message().contains(&second),
        "{error}"
    );
}

#[tokio::test]
async fn all_flows_are_listed_page_by_page_and_a_gap_is_told() {
    let emulator = Emulator::start().unwrap();
    let client = emulator.huawei().build().unwrap();
    for n in 0..7 {
        let request = CreateWorkflowRequest::new(flow(&format!("f{n}")));
        client.create_workflow(request).send().await.unwrap();
    }
    let mut names = Vec::new();
    let mut items = client
        .list_workflow(ListWorkflowRequest::new().limit(3))
        .items();
    while let Some(flow) = items.next().await {
        names.extend(flow.unwrap().name);
    }
    assert_eq!(names, ["f0", "f1", "f2", "f3", "f4", "f5", "f6"]);
    assert!(items.shortfall().is_none());

    let mut pages = client
        .list_workflow(ListWorkflowRequest::new().limit(3))
        .pages();
    pages.next().await.unwrap().unwrap();
    pages.next().await.unwrap().unwrap();
    let resumed = client
        .list_workflow(ListWorkflowRequest::new().limit(3))
        .pages();
    let mut resumed = resumed.resume(&pages.position()).unwrap();
    let page = resumed.next().await.unwrap().unwrap();
    assert_eq!(page[0].name.as_deref(), Some("f3"));
    let other = client.list_workflow(ListWorkflowRequest::new().mode(WorkflowMode::Express));
    assert!(other.pages().resume(&pages.position()).is_err());

    emulator.quirks(Quirks {
        offset_counts_pages: true,
        ..Quirks::default()
    });
    let mut items = client
        .list_workflow(ListWorkflowRequest::new().limit(3))
        .items();
    let mut given = 0;
    while let Some(flow) = items.next().await {
        flow.unwrap();
        given += 1;
    }
    let shortfall = items.shortfall().unwrap();
    assert_eq!((given, shortfall.total), (3, 7));
}

#[tokio::test]
async fn deletes_go_out_in_hundreds_and_the_unnamed_are_looked_up() {
    let emulator = Emulator::start().unwrap();
    let client = emulator.huawei().build().unwrap();
    let mut urns = Vec::new();
    for n in 0..120 {
        let request = CreateWorkflowRequest::new(flow(&format!("f{n}")));
        let made = client.create_workflow(request).send().await.unwrap();
        urns.extend(made.workflow_urn);
    }
    emulator.quirks(Quirks {
        batch_delete_reports_at_most: Some(10),
        ..Quirks::default()
    });
    emulator.clear_requests();
    emulator.fault::<BatchDeleteWorkflowsRequest>(Fault::cut_after_run());
    let deleted = client.delete_workflows(&urns).await;
    assert_eq!(deleted.len(), 120);
    assert!(
        deleted
            .iter()
            .all(|flow| matches!(flow.fate, WorkflowFate::Gone)),
        "{deleted:?}"
    );
    // The first hundred twice, since its answer was lost; the rest; one look.
    assert_eq!(emulator.requests().len(), 4);

    // Refused, and still there.
    let made = client
        .create_workflow(CreateWorkflowRequest::new(flow("left")))
        .send()
        .await
        .unwrap();
    let urn = made.workflow_urn.unwrap();
    emulator.quirks(Quirks {
        deny: ["BatchDeleteWorkflows".to_owned()].into(),
        ..Quirks::default()
    });
    let left = client
        .delete_workflows([urn.as_str(), urns[0].as_str()])
        .await;
    let WorkflowFate::Unknown(error) = &left[0].fate else {
        panic!("{left:?}")
    };
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(matches!(left[1].fate, WorkflowFate::Gone), "{left:?}");
}

/// In neither list, and still there.
#[tokio::test]
async fn what_the_service_leaves_out_of_its_answer_is_not_taken_for_deleted() {
    let server = MockServer::start().await;
    Mock::given(method("DELETE"))
        .respond_with(json(
            200,
            r#"{"success":[],"fail":[{"workflow_urn":"u2","error_detail":"in use"}]}"#,
        ))
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .respond_with(json(
            200,
            r#"{"total":2,"workflows":[{"id":"1","workflow_urn":"u1"},{"id":"2","workflow_urn":"u2"}]}"#,
        ))
        .mount(&server)
        .await;
    let deleted = client(&server)
        .delete_workflows(["u1", "u2", "u3", "u3"])
        .await;
    assert_eq!(deleted.len(), 3);
    assert!(
        matches!(&deleted[0].fate, WorkflowFate::Left(None)),
        "{deleted:?}"
    );
    assert!(matches!(&deleted[1].fate, WorkflowFate::Left(Some(why)) if why == "in use"));
    assert!(matches!(&deleted[2].fate, WorkflowFate::Gone));
    assert!(
        client(&server)
            .delete_workflows(Vec::<String>::new())
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn the_emulator_refuses_what_is_no_flow() {
    let emulator = Emulator::start().unwrap();
    let client = emulator
        .huawei()
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    let update = UpdateWorkFlowRequest::new("none", flow("n"));
    let error = client.update_work_flow(update).send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code().unwrap().as_str()),
        (ErrorKind::NotFound, "FGS.5002")
    );
    let request = CreateWorkflowRequest::new(flow("n").mode(WorkflowMode::from("NONE")));
    let error = client.create_workflow(request).send().await.unwrap_err();
    assert_eq!(error.code().unwrap().as_str(), "FGS.3002");
    let metric = ShowWorkFlowMetricRequest::new("urn");
    let error = client
        .show_work_flow_metric(metric)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
