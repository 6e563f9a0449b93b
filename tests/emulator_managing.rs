//! What the emulator serves of managing flows of Alibaba Cloud: flows, versions, aliases, schedules,
//! runs of maps, regions.
#![cfg(feature = "alibaba")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "support/signed.rs"]
mod signed;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use cloud_workflows::{
    Delivery, ErrorCode, ErrorKind, FlowFailure,
    alibaba::{
        Client, CreateFlowAliasRequest, CreateFlowRequest, DeleteFlowAliasRequest,
        DeleteFlowRequest, DeleteFlowVersionRequest, DescribeExecutionRequest, DescribeFlowRequest,
        DescribeMapRunRequest, ExecutionMode, ListExecutionsRequest, ListFlowAliasesRequest,
        ListFlowVersionsRequest, ListFlowsRequest, PublishFlowVersionRequest, RoutingConfiguration,
        StartExecutionRequest, StartSyncExecutionRequest, UpdateFlowAliasRequest,
        UpdateFlowRequest,
    },
    emulator::{Emulator, Fault, Flow, Quirks, Quotas},
};
use serde_json::{Value, json};
use signed::call;

const SECOND: Duration = Duration::from_secs(1);

/// An emulator whose time stands still but for what a test advances it.
fn still() -> Emulator {
    let emulator = Emulator::start().unwrap();
    emulator.scale_time(0.0);
    emulator
}

/// The answer of a call that is served, without its request id.
async fn served(emulator: &Emulator, action: &str, own: &[(&str, &str)]) -> Value {
    let (status, mut body) = call(emulator, action, own).await;
    assert_eq!(status, 200, "{action} {own:?}: {body}");
    let id = body.as_object_mut().unwrap().remove("RequestId");
    assert!(id.is_some_and(|id| id.is_string()), "{action}");
    body
}

async fn refused(emulator: &Emulator, action: &str, own: &[(&str, &str)]) -> (u16, String) {
    let (status, body) = call(emulator, action, own).await;
    (status, body["Code"].as_str().unwrap_or_default().to_owned())
}

fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn create(emulator: &Emulator, name: &str, mode: &str) -> Value {
    let own = [
        ("Name", name),
        ("Definition", "Type: StateMachine"),
        ("Description", ""),
        ("Type", "FDL"),
        ("ExecutionMode", mode),
    ];
    served(emulator, "CreateFlow", &own).await
}

fn names(list: &Value, name: &str) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item[name].as_str().unwrap().to_owned())
        .collect()
}

/// The form of a time: digits as `0`.
fn form(time: &Value) -> String {
    let time = time.as_str().unwrap();
    time.replace(|digit: char| digit.is_ascii_digit(), "0")
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

fn client(emulator: &Emulator) -> Client {
    emulator.alibaba().build().unwrap()
}

fn flow(name: &str, definition: &str) -> CreateFlowRequest {
    CreateFlowRequest::new(name, definition, "")
}

const Z_TIME: &str = "0000-00-00T00:00:00.000Z";
const LOCAL_TIME: &str = "0000-00-00T00:00:00+00:00";

#[tokio::test]
async fn a_flow_is_made_shown_changed_and_deleted() {
    let emulator = Emulator::start().unwrap();
    let definition = "Type: StateMachine\r\nName: f\r\n# 流程 & = + %\r\n";
    let environment = r#"{"Variables":[{"Name":"A","Value":"1","Description":"a"}]}"#;
    let own = [
        ("Name", "f"),
        ("Definition", definition),
        ("Description", "what 它 does"),
        ("Type", "FDL"),
        ("Environment", environment),
        ("RoleArn", "acs:ram::1:role/r"),
        ("ResourceGroupId", "rg"),
        ("ExternalStorageLocation", "oss/x"),
    ];
    let made = served(&emulator, "CreateFlow", &own).await;
    assert_eq!(form(&made["CreatedTime"]), Z_TIME);
    assert_eq!(made["LastModifiedTime"], made["CreatedTime"]);
    assert_eq!(made["Id"].as_str().unwrap().len(), 36);
    let environment: Value = serde_json::from_str(environment).unwrap();
    let expected = json!({
        "Name": "f", "Definition": definition, "Description": "what 它 does", "Type": "FDL",
        "ExecutionMode": "Standard", "RoleArn": "acs:ram::1:role/r", "ResourceGroupId": "rg",
        "Environment": environment, "Id": made["Id"], "CreatedTime": made["CreatedTime"],
        "LastModifiedTime": made["LastModifiedTime"],
    });
    assert_eq!(made, expected);
    assert_eq!(
        served(&emulator, "DescribeFlow", &[("Name", "f")]).await,
        expected
    );
    let listed = served(&emulator, "ListFlows", &[]).await;
    assert_eq!(listed, json!({"Flows": [expected]}));

    // What is left out stays; what is given empty is empty.
    let own = [("Name", "f"), ("Definition", "new"), ("RoleArn", "")];
    let changed = served(&emulator, "UpdateFlow", &own).await;
    let mut expected = keys(&made);
    expected.retain(|key| *key != "ExecutionMode");
    expected.push("ExternalStorageLocation");
    expected.sort_unstable();
    assert_eq!(keys(&changed), expected);
    assert_eq!(
        (
            &changed["Definition"],
            &changed["RoleArn"],
            &changed["Description"]
        ),
        (&json!("new"), &json!(""), &json!("what 它 does"))
    );
    assert_eq!(
        (&changed["Id"], &changed["Environment"]),
        (&made["Id"], &environment)
    );
    let kept = emulator.made_flows();
    assert_eq!((kept.len(), kept[0].definition.as_str()), (1, "new"));
    served(&emulator, "PublishFlowVersion", &[("FlowName", "f")]).await;
    let printed = format!("{kept:?} {:?}", emulator.versions("f"));
    assert!(
        printed.contains("Standard") && !printed.contains("new"),
        "{printed}"
    );
    // Executions have the flow's variables.
    let started = served(&emulator, "StartExecution", &[("FlowName", "f")]).await;
    let name = started["Name"].as_str().unwrap();
    let own = [("FlowName", "f"), ("ExecutionName", name)];
    let execution = served(&emulator, "DescribeExecution", &own).await;
    let variables = json!({"Variables": [{"Name": "A", "Value": "1"}]});
    assert_eq!(execution["Environment"], variables);

    assert_eq!(
        served(&emulator, "DeleteFlow", &[("Name", "f")]).await,
        json!({})
    );
    assert!(emulator.made_flows().is_empty());
    for operation in ["DescribeFlow", "UpdateFlow", "DeleteFlow"] {
        let gone = refused(&emulator, operation, &[("Name", "f")]).await;
        assert_eq!(gone, code(404, "FlowNotExists"), "{operation}");
    }
    let again = create(&emulator, "f", "").await;
    assert_ne!(again["Id"], made["Id"]);
}

#[tokio::test]
async fn a_stop_shows_the_role_that_the_flow_had_at_the_start() {
    let emulator = Emulator::start().unwrap();
    let endless = Flow::new(|it: Value| Ok(it)).takes(3600 * SECOND);
    emulator.standard("f", endless);
    create(&emulator, "f", "").await;
    for (role, later) in [("acs:ram::1:role/r", ""), ("", "acs:ram::1:role/r")] {
        served(&emulator, "UpdateFlow", &[("Name", "f"), ("RoleArn", role)]).await;
        let started = served(&emulator, "StartExecution", &[("FlowName", "f")]).await;
        let name = started["Name"].as_str().unwrap();
        served(
            &emulator,
            "UpdateFlow",
            &[("Name", "f"), ("RoleArn", later)],
        )
        .await;
        let own = [("FlowName", "f"), ("ExecutionName", name)];
        let stopped = served(&emulator, "StopExecution", &own).await;
        let shown = (!role.is_empty()).then(|| json!(role));
        assert_eq!(stopped.get("RoleArn"), shown.as_ref(), "{role}");
    }
}

#[tokio::test]
async fn what_makes_no_flow_is_refused() {
    let emulator = Emulator::start().unwrap();
    create(&emulator, "taken", "Standard").await;
    let good = [
        ("Name", "f"),
        ("Definition", "Name: f"),
        ("Description", ""),
        ("Type", "FDL"),
    ];
    for missing in ["Name", "Definition", "Description", "Type"] {
        let own: Vec<_> = good
            .iter()
            .copied()
            .filter(|(name, _)| *name != missing)
            .collect();
        let answer = refused(&emulator, "CreateFlow", &own).await;
        assert_eq!(answer, code(400, "MissingRequiredParams"), "{missing}");
    }
    for (name, value) in [
        ("Name", "1f"),
        ("Definition", "Name: g"),
        ("Definition", r#"{"name": "g"}"#),
        ("Type", "YAML"),
        ("ExecutionMode", "Fast"),
        ("Environment", "[]"),
        ("Environment", r#"{"Variables":[{"Name":"a"}]}"#),
    ] {
        let own = good.iter().copied().filter(|(known, _)| *known != name);
        let own: Vec<_> = own.chain([(name, value)]).collect();
        let answer = refused(&emulator, "CreateFlow", &own).await;
        assert_eq!(answer, code(400, "InvalidArgument"), "{name} {value}");
    }
    let mut own = good;
    own[0].1 = "taken";
    own[1].1 = "Name: taken";
    let answer = refused(&emulator, "CreateFlow", &own).await;
    assert_eq!(answer, code(409, "FlowAlreadyExists"));
    let answer = refused(
        &emulator,
        "UpdateFlow",
        &[("Name", "taken"), ("Definition", "Name: x")],
    );
    assert_eq!(answer.await, code(400, "InvalidArgument"));
    emulator.quotas(Quotas {
        flows: Some(1),
        ..Quotas::default()
    });
    let answer = refused(&emulator, "CreateFlow", &good).await;
    assert_eq!(answer, code(429, "ResourceThrottled"));
    assert_eq!(Quotas::documented().flows, Some(10_000));
}

#[tokio::test]
async fn flows_are_listed_by_pages() {
    let emulator = Emulator::start().unwrap();
    for name in ["d", "b", "a", "c"] {
        create(&emulator, name, "").await;
    }
    emulator.standard("only_added", |input: Value| Ok(input));
    let first = served(&emulator, "ListFlows", &[("Limit", "3")]).await;
    assert_eq!(names(&first["Flows"], "Name"), ["a", "b", "c"]);
    assert_eq!(first["NextToken"], "d");
    // A member that is deleted meanwhile still marks its place.
    served(&emulator, "DeleteFlow", &[("Name", "d")]).await;
    let rest = served(&emulator, "ListFlows", &[("NextToken", "d")]).await;
    assert_eq!(rest, json!({"Flows": []}));
    let grouped = served(&emulator, "ListFlows", &[("ResourceGroupId", "rg")]).await;
    assert_eq!(grouped, json!({"Flows": []}));
    for own in [("Limit", "0"), ("Limit", "1000"), ("NextToken", "z")] {
        let answer = refused(&emulator, "ListFlows", &[own]).await;
        assert_eq!(answer, code(400, "InvalidArgument"), "{own:?}");
    }
    for name in 0..61 {
        create(&emulator, &format!("e{name:02}"), "").await;
    }
    // A page has 60 unless told otherwise; a list goes on.
    let page = served(&emulator, "ListFlows", &[]).await;
    assert_eq!(page["Flows"].as_array().unwrap().len(), 60);
    let mut all = client(&emulator)
        .list_flows(ListFlowsRequest::new())
        .items();
    let mut count = 0;
    while let Some(flow) = all.next().await {
        flow.unwrap();
        count += 1;
    }
    assert_eq!(count, 64);
}

#[tokio::test]
async fn what_is_made_can_be_started() {
    let emulator = Emulator::start().unwrap();
    let client = client(&emulator);
    client
        .create_flow(flow("echo", "Name: echo"))
        .send()
        .await
        .unwrap();
    let fast = flow("fast", "Name: fast").execution_mode(ExecutionMode::Express);
    client.create_flow(fast).send().await.unwrap();
    // The mode that was chosen decides which start works.
    let input = json!({"n": 1});
    let request = StartSyncExecutionRequest::new("fast").input(input.clone());
    let done = client.start_sync_execution(request).send().await.unwrap();
    assert_eq!(done.into_output::<Value>().unwrap(), input);
    let wrong = client
        .start_execution(StartExecutionRequest::new("fast"))
        .send()
        .await;
    assert_eq!(
        wrong.unwrap_err().code(),
        Some(&ErrorCode::ActionNotSupported)
    );
    let wrong = client
        .start_sync_execution(StartSyncExecutionRequest::new("echo"))
        .send()
        .await;
    assert_eq!(
        wrong.unwrap_err().code(),
        Some(&ErrorCode::ActionNotSupported)
    );
    let request = StartExecutionRequest::new("echo").input(input.clone());
    let done = client.start_and_wait(request).await.unwrap();
    assert_eq!(done.flow_definition.as_deref(), Some("Name: echo"));
    assert_eq!(done.into_output::<Value>().unwrap(), input);

    // A closure of its name is what it does, bound before or after; the mode stays the API's.
    emulator.standard("bound", |_: Value| {
        Err::<(), _>(FlowFailure::new("Bound", "no"))
    });
    client
        .create_flow(flow("bound", "Name: bound"))
        .send()
        .await
        .unwrap();
    emulator.express("echo", |_: Value| Ok(json!({"bound": true})));
    let done = client
        .start_and_wait(StartExecutionRequest::new("bound"))
        .await
        .unwrap();
    let failed = done.into_output::<Value>().unwrap_err();
    assert_eq!(failed.flow_failure().unwrap().code(), Some("Bound"));
    let done = client
        .start_and_wait(StartExecutionRequest::new("echo"))
        .await
        .unwrap();
    assert_eq!(done.into_output::<Value>().unwrap(), json!({"bound": true}));

    // It is still bound to a namesake of a flow that was deleted.
    client
        .delete_flow(DeleteFlowRequest::new("bound"))
        .send()
        .await
        .unwrap();
    let gone = client
        .start_execution(StartExecutionRequest::new("bound"))
        .send()
        .await;
    assert_eq!(gone.unwrap_err().code(), Some(&ErrorCode::FlowNotExists));
    let fast = flow("bound", "Name: bound").execution_mode(ExecutionMode::Express);
    client.create_flow(fast).send().await.unwrap();
    let done = client
        .start_sync_execution(StartSyncExecutionRequest::new("bound"))
        .send()
        .await;
    let failed = done.unwrap().into_output::<Value>().unwrap_err();
    assert_eq!(failed.flow_failure().unwrap().code(), Some("Bound"));

    // A test that adds a flow anew has it, whatever became of the API's.
    client
        .delete_flow(DeleteFlowRequest::new("echo"))
        .send()
        .await
        .unwrap();
    emulator.standard("echo", |it: Value| Ok(it));
    let request = StartExecutionRequest::new("echo").qualifier("any");
    client.start_and_wait(request).await.unwrap();
}

#[tokio::test]
async fn versions_are_published_listed_and_deleted() {
    let emulator = Emulator::start().unwrap();
    create(&emulator, "f", "").await;
    let own = [("FlowName", "f"), ("Description", "the first")];
    let first = served(&emulator, "PublishFlowVersion", &own).await;
    assert_eq!(form(&first["CreatedTime"]), LOCAL_TIME);
    let expected = json!({
        "FlowName": "f", "Version": "1", "Description": "the first",
        "CreatedTime": first["CreatedTime"],
    });
    assert_eq!(first, expected);
    served(
        &emulator,
        "UpdateFlow",
        &[("Name", "f"), ("Definition", "second")],
    )
    .await;
    for number in 2..=11 {
        let version = served(&emulator, "PublishFlowVersion", &[("FlowName", "f")]).await;
        assert_eq!(version["Version"], number.to_string());
    }
    let page = served(
        &emulator,
        "ListFlowVersions",
        &[("FlowName", "f"), ("Limit", "10")],
    )
    .await;
    let numbers: Vec<String> = (1..=10).map(|number| number.to_string()).collect();
    assert_eq!(names(&page["FlowVersions"], "Version"), numbers);
    assert_eq!(
        keys(&page["FlowVersions"][0]),
        ["CreatedTime", "Description", "Version"]
    );
    let token = page["NextToken"].as_str().unwrap();
    let own = [("FlowName", "f"), ("NextToken", token)];
    let page = served(&emulator, "ListFlowVersions", &own).await;
    assert_eq!(names(&page["FlowVersions"], "Version"), ["11"]);
    assert_eq!(page.get("NextToken"), None);

    // A version has the definition of its time.
    for (version, definition) in [("1", "Type: StateMachine"), ("2", "second")] {
        let own = [("Name", "f"), ("FlowVersion", version)];
        let flow = served(&emulator, "DescribeFlow", &own).await;
        assert_eq!(flow["Definition"], definition);
    }
    served(
        &emulator,
        "DeleteFlowVersion",
        &[("FlowName", "f"), ("FlowVersion", "11")],
    )
    .await;
    let versions = emulator.versions("f");
    assert_eq!(
        (versions.len(), versions[0].description.as_str()),
        (10, "the first")
    );
    for version in ["11", "0", "01", "x"] {
        let own = [("FlowName", "f"), ("Name", "f"), ("FlowVersion", version)];
        for operation in ["DeleteFlowVersion", "DescribeFlow"] {
            let answer = refused(&emulator, operation, &own).await;
            assert_eq!(
                answer,
                code(404, "FlowVersionNotExists"),
                "{operation} {version}"
            );
        }
    }
    // Its number is not given again, but to a namesake of its flow.
    let next = served(&emulator, "PublishFlowVersion", &[("FlowName", "f")]).await;
    assert_eq!(next["Version"], "12");
    for operation in ["PublishFlowVersion", "ListFlowVersions"] {
        let answer = refused(&emulator, operation, &[("FlowName", "g")]).await;
        assert_eq!(answer, code(404, "FlowNotExists"), "{operation}");
    }
    served(&emulator, "DeleteFlow", &[("Name", "f")]).await;
    create(&emulator, "f", "").await;
    assert!(emulator.versions("f").is_empty());
    let next = served(&emulator, "PublishFlowVersion", &[("FlowName", "f")]).await;
    assert_eq!(next["Version"], "1");
}

const TWO: &str = r#"[{"Version":"1","Weight":90},{"Version":"2","Weight":10}]"#;

#[tokio::test]
async fn aliases_are_made_shown_changed_and_deleted() {
    let emulator = Emulator::start().unwrap();
    create(&emulator, "f", "").await;
    for _ in 0..2 {
        served(&emulator, "PublishFlowVersion", &[("FlowName", "f")]).await;
    }
    let own = [
        ("FlowName", "f"),
        ("Name", "prod"),
        ("RoutingConfigurations", TWO),
    ];
    let made = served(&emulator, "CreateFlowAlias", &own).await;
    assert_eq!(form(&made["CreatedTime"]), LOCAL_TIME);
    let routes: Value = serde_json::from_str(TWO).unwrap();
    let mut expected = json!({
        "FlowName": "f", "Name": "prod", "Description": "", "RoutingConfigurations": routes,
        "CreatedTime": made["CreatedTime"],
    });
    assert_eq!(made, expected);
    let one = [("FlowName", "f"), ("Name", "prod")];
    let shown = served(&emulator, "DescribeFlowAlias", &one).await;
    expected.as_object_mut().unwrap().remove("FlowName");
    assert_eq!(shown, json!({"Alias": expected}));
    // In lists, weights are texts.
    let listed = served(&emulator, "ListFlowAliases", &[("FlowName", "f")]).await;
    let routes = &listed["Aliases"][0]["RoutingConfigurations"];
    assert_eq!(routes[0], json!({"Version": "1", "Weight": "90"}));

    let own = [("FlowName", "f"), ("Name", "prod"), ("Description", "new")];
    let changed = served(&emulator, "UpdateFlowAlias", &own).await;
    expected["Description"] = json!("new");
    assert_eq!(changed, json!({"Alias": expected}));
    let own = [
        ("FlowName", "f"),
        ("Name", "prod"),
        ("RoutingConfigurations", r#"[{"Version":"2","Weight":1}]"#),
    ];
    served(&emulator, "UpdateFlowAlias", &own).await;
    let aliases = emulator.aliases("f");
    assert_eq!(
        (
            aliases[0].routes.as_slice(),
            aliases[0].description.as_str()
        ),
        (&[(2, 1)][..], "new")
    );

    let taken = refused(&emulator, "CreateFlowAlias", &own).await;
    assert_eq!(taken, code(409, "AliasAlreadyExists"));
    // A version that an alias leads to is in use.
    let own = [("FlowName", "f"), ("FlowVersion", "2")];
    let used = refused(&emulator, "DeleteFlowVersion", &own).await;
    assert_eq!(used, code(400, "InvalidArgument"));
    served(&emulator, "DeleteFlowAlias", &one).await;
    served(&emulator, "DeleteFlowVersion", &own).await;
    assert!(emulator.aliases("f").is_empty());
    for operation in ["DescribeFlowAlias", "UpdateFlowAlias", "DeleteFlowAlias"] {
        let gone = refused(&emulator, operation, &one).await;
        assert_eq!(gone, code(404, "AliasNotExists"), "{operation}");
        let own = [("FlowName", "g"), ("Name", "prod")];
        let gone = refused(&emulator, operation, &own).await;
        assert_eq!(gone, code(404, "FlowNotExists"), "{operation}");
    }
    for (name, routes, answer) in [
        ("a", "", code(400, "MissingRequiredParams")),
        (
            "1",
            r#"[{"Version":"1","Weight":1}]"#,
            code(400, "InvalidArgument"),
        ),
        (
            "LATEST",
            r#"[{"Version":"1","Weight":1}]"#,
            code(400, "InvalidArgument"),
        ),
        ("a", "[]", code(400, "InvalidArgument")),
        (
            "a",
            r#"[{"Version":"1","Weight":0}]"#,
            code(400, "InvalidArgument"),
        ),
        (
            "a",
            r#"[{"Version":"1","Weight":-1}]"#,
            code(400, "InvalidArgument"),
        ),
        (
            "a",
            r#"[{"Version":1,"Weight":1}]"#,
            code(400, "InvalidArgument"),
        ),
        ("a", TWO, code(404, "FlowVersionNotExists")),
    ] {
        let own = [
            ("FlowName", "f"),
            ("Name", name),
            ("RoutingConfigurations", routes),
        ];
        let refused = refused(&emulator, "CreateFlowAlias", &own).await;
        assert_eq!(refused, answer, "{name} {routes}");
    }
}

/// What ran under the names, by its definition.
async fn ran(emulator: &Emulator, qualifiers: &[&str]) -> Vec<String> {
    let mut definitions = Vec::new();
    for qualifier in qualifiers {
        let own = [("FlowName", "f"), ("Qualifier", qualifier)];
        let started = served(emulator, "StartExecution", &own).await;
        let name = started["Name"].as_str().unwrap();
        let own = [("FlowName", "f"), ("ExecutionName", name)];
        let shown = served(emulator, "DescribeExecution", &own).await;
        assert_eq!(shown["FlowDefinition"], started["FlowDefinition"]);
        definitions.push(shown["FlowDefinition"].as_str().unwrap().to_owned());
    }
    definitions
}

#[tokio::test]
async fn a_qualifier_chooses_what_runs() {
    let emulator = Emulator::start().unwrap();
    create(&emulator, "f", "").await;
    for definition in ["one", "two", "three"] {
        let own = [("Name", "f"), ("Definition", definition)];
        served(&emulator, "UpdateFlow", &own).await;
        if definition != "three" {
            served(&emulator, "PublishFlowVersion", &[("FlowName", "f")]).await;
        }
    }
    let own = [
        ("FlowName", "f"),
        ("Name", "prod"),
        ("RoutingConfigurations", TWO),
    ];
    served(&emulator, "CreateFlowAlias", &own).await;
    let qualifiers = ["", "LATEST", "1", "2"];
    assert_eq!(
        ran(&emulator, &qualifiers).await,
        ["three", "three", "one", "two"]
    );
    // Weights are counted: of ten starts one goes to the second route.
    let definitions = ran(&emulator, &["prod"; 20]).await;
    let twos = definitions.iter().filter(|definition| *definition == "two");
    assert_eq!(twos.count(), 2);
    for (qualifier, expected) in [("9", "FlowVersionNotExists"), ("beta", "AliasNotExists")] {
        let own = [("FlowName", "f"), ("Qualifier", qualifier)];
        let answer = refused(&emulator, "StartExecution", &own).await;
        assert_eq!(answer, code(404, expected));
    }
    // A list can be of a version or an alias.
    for (qualifier, count) in [
        ("prod", 20),
        ("1", 19),
        ("2", 3),
        ("LATEST", 1),
        ("beta", 0),
    ] {
        let own = [
            ("FlowName", "f"),
            ("Qualifier", qualifier),
            ("Limit", "100"),
        ];
        let listed = served(&emulator, "ListExecutions", &own).await;
        assert_eq!(
            listed["Executions"].as_array().unwrap().len(),
            count,
            "{qualifier}"
        );
    }
    // Starts are counted anew where an alias leads elsewhere, and only there.
    for (name, value, expected) in [
        (
            "RoutingConfigurations",
            r#"[{"Version":"2","Weight":1},{"Version":"1","Weight":1}]"#,
            "two",
        ),
        (
            "RoutingConfigurations",
            r#"[{"Version":"1","Weight":1},{"Version":"2","Weight":1}]"#,
            "one",
        ),
        ("Description", "the same way", "two"),
    ] {
        let own = [("FlowName", "f"), ("Name", "prod"), (name, value)];
        served(&emulator, "UpdateFlowAlias", &own).await;
        assert_eq!(ran(&emulator, &["prod"]).await, [expected]);
    }
    // One that runs is found under its name, whatever is asked for.
    emulator.standard("f", Flow::new(|it: Value| Ok(it)).takes(3600 * SECOND));
    for qualifier in ["1", "2"] {
        let own = [
            ("FlowName", "f"),
            ("Qualifier", qualifier),
            ("ExecutionName", "e"),
        ];
        let started = served(&emulator, "StartExecution", &own).await;
        assert_eq!(started["FlowDefinition"], "one");
    }
}

#[tokio::test]
async fn a_whole_life_by_the_client() {
    let emulator = Emulator::start().unwrap();
    let client = client(&emulator);
    client
        .create_flow(flow("f", "Name: f"))
        .send()
        .await
        .unwrap();
    for definition in ["Name: f\nn: 1", "Name: f\nn: 2"] {
        let request = UpdateFlowRequest::new("f").definition(definition);
        client.update_flow(request).send().await.unwrap();
        client
            .publish_flow_version(PublishFlowVersionRequest::new("f"))
            .send()
            .await
            .unwrap();
    }
    let routes = vec![
        RoutingConfiguration::new("1", 50),
        RoutingConfiguration::new("2", 50),
    ];
    let request = CreateFlowAliasRequest::new("f", "prod", routes);
    client.create_flow_alias(request).send().await.unwrap();
    let mut definitions = Vec::new();
    for number in 0..4 {
        let request = StartExecutionRequest::new("f")
            .qualifier("prod")
            .input(json!({"n": number}));
        let done = client.start_and_wait(request).await.unwrap();
        definitions.push(done.flow_definition.clone().unwrap());
        assert_eq!(done.into_output::<Value>().unwrap(), json!({"n": number}));
    }
    definitions.sort_unstable();
    definitions.dedup();
    assert_eq!(definitions, ["Name: f\nn: 1", "Name: f\nn: 2"]);
    let request = UpdateFlowAliasRequest::new("f", "prod")
        .routing_configurations(vec![RoutingConfiguration::new("2", 100)]);
    client.update_flow_alias(request).send().await.unwrap();

    let mut versions = client
        .list_flow_versions(ListFlowVersionsRequest::new("f"))
        .items();
    for number in ["1", "2"] {
        assert_eq!(versions.next().await.unwrap().unwrap().version, number);
    }
    assert!(versions.next().await.is_none());
    let mut aliases = client
        .list_flow_aliases(ListFlowAliasesRequest::new("f"))
        .items();
    let alias = aliases.next().await.unwrap().unwrap();
    assert_eq!(
        alias.routing_configurations,
        [RoutingConfiguration::new("2", 100)]
    );
    let request = ListExecutionsRequest::new("f").qualifier("1");
    let mut executions = client.list_executions(request).items();
    for _ in 0..2 {
        executions.next().await.unwrap().unwrap();
    }
    assert!(executions.next().await.is_none());

    client
        .delete_flow_version(DeleteFlowVersionRequest::new("f", "1"))
        .send()
        .await
        .unwrap();
    client
        .delete_flow_alias(DeleteFlowAliasRequest::new("f", "prod"))
        .send()
        .await
        .unwrap();
    client
        .delete_flow(DeleteFlowRequest::new("f"))
        .send()
        .await
        .unwrap();
    let mut flows = client.list_flows(ListFlowsRequest::new()).items();
    assert!(flows.next().await.is_none());
}

#[tokio::test]
async fn lost_answers_make_nothing_twice() {
    let emulator = Emulator::start().unwrap();
    let client = client(&emulator);
    emulator.fault::<CreateFlowRequest>(Fault::cut_after_run());
    let made = client
        .create_flow(flow("f", "Name: f"))
        .send()
        .await
        .unwrap();
    assert_eq!(made.definition.as_deref(), Some("Name: f"));
    assert_eq!(emulator.made_flows()[0].id, made.id.clone().unwrap());

    emulator.fault::<PublishFlowVersionRequest>(Fault::cut_after_run());
    let lost = client
        .publish_flow_version(PublishFlowVersionRequest::new("f"))
        .send()
        .await;
    assert_eq!(lost.unwrap_err().delivery(), Delivery::Unknown);
    assert_eq!(emulator.versions("f").len(), 1);

    emulator.fault::<CreateFlowAliasRequest>(Fault::cut_after_run());
    let routes = vec![RoutingConfiguration::new("1", 100)];
    let request = CreateFlowAliasRequest::new("f", "prod", routes);
    client.create_flow_alias(request).send().await.unwrap();
    assert_eq!(emulator.aliases("f").len(), 1);

    emulator.fault::<DeleteFlowRequest>(Fault::cut_after_run());
    let gone = client
        .delete_flow(DeleteFlowRequest::new("f"))
        .send()
        .await
        .unwrap();
    assert!(gone.was_gone);
}

#[tokio::test]
async fn a_deleted_flow_is_gone_at_once_and_is_described_for_a_while() {
    let emulator = still();
    emulator.quirks(Quirks {
        describe_after_delete_for: 3 * SECOND,
        ..Quirks::default()
    });
    let steps = Flow::new(|it: Value| Ok(it))
        .step("a", 10 * SECOND)
        .step("b", 10 * SECOND);
    emulator.standard("f", steps);
    create(&emulator, "f", "").await;
    served(&emulator, "PublishFlowVersion", &[("FlowName", "f")]).await;
    let e = [("FlowName", "f"), ("ExecutionName", "e")];
    served(&emulator, "StartExecution", &e).await;
    emulator.advance(2 * SECOND);
    let f = [("Name", "f"), ("FlowName", "f")];
    let before = served(&emulator, "DescribeFlow", &f).await;
    served(&emulator, "DeleteFlow", &f).await;
    assert_eq!(served(&emulator, "DescribeFlow", &f).await, before);
    assert_eq!(
        served(&emulator, "ListFlows", &[]).await,
        json!({"Flows": [before]})
    );
    let own = [
        ("Name", "f"),
        ("Definition", "x"),
        ("Description", ""),
        ("Type", "FDL"),
    ];
    let taken = refused(&emulator, "CreateFlow", &own).await;
    assert_eq!(taken, code(409, "FlowAlreadyExists"));
    // History is out of reach at once, and nothing begins.
    for operation in [
        "DescribeExecution",
        "GetExecutionHistory",
        "StopExecution",
        "ListExecutions",
        "StartExecution",
        "UpdateFlow",
        "DeleteFlow",
        "PublishFlowVersion",
        "ListFlowVersions",
    ] {
        let own = [e[0], e[1], f[0]];
        let gone = refused(&emulator, operation, &own).await;
        assert_eq!(gone, code(404, "FlowNotExists"), "{operation}");
    }
    emulator.advance(3 * SECOND);
    let gone = refused(&emulator, "DescribeFlow", &f).await;
    assert_eq!(gone, code(404, "FlowNotExists"));
    assert_eq!(
        served(&emulator, "ListFlows", &[]).await,
        json!({"Flows": []})
    );
    // A namesake is another flow, with none of its executions.
    let again = create(&emulator, "f", "").await;
    assert_ne!(again["Id"], before["Id"]);
    let unknown = refused(&emulator, "DescribeExecution", &e).await;
    assert_eq!(unknown, code(404, "ExecutionNotExists"));
    assert_eq!(
        served(&emulator, "ListExecutions", &f).await,
        json!({"Executions": []})
    );
    // What ran goes on to the end of its step, and no further.
    assert_eq!(emulator.executions("f")[0].status, "Running");
    emulator.advance(5 * SECOND);
    let stopped = emulator.executions("f").remove(0);
    assert_eq!(stopped.status, "Stopped");
    assert_eq!(
        (stopped.stopped.unwrap() - stopped.started).num_seconds(),
        10
    );
    served(&emulator, "StartExecution", &e).await;
    assert_eq!(emulator.executions("f").len(), 2);
}

#[tokio::test]
async fn what_changed_is_seen_later() {
    let emulator = still();
    create(&emulator, "f", "").await;
    emulator.advance(10 * SECOND);
    emulator.quirks(Quirks {
        not_visible_for: 2 * SECOND,
        list_lag: 4 * SECOND,
        ..Quirks::default()
    });
    let f = [("Name", "f"), ("FlowName", "f")];
    let definitions = async || {
        let described = served(&emulator, "DescribeFlow", &f).await;
        let listed = served(&emulator, "ListFlows", &[]).await;
        let versions = served(&emulator, "ListFlowVersions", &f).await;
        let versions = names(&versions["FlowVersions"], "Version").len();
        (
            described["Definition"].clone(),
            listed["Flows"][0]["Definition"].clone(),
            versions,
        )
    };
    served(
        &emulator,
        "UpdateFlow",
        &[("Name", "f"), ("Definition", "new")],
    )
    .await;
    served(&emulator, "PublishFlowVersion", &f).await;
    let (old, new) = (json!("Type: StateMachine"), json!("new"));
    assert_eq!(definitions().await, (old.clone(), old.clone(), 0));
    // What is asked for is done by what is there all the same.
    let own = [("FlowName", "f"), ("Qualifier", "1")];
    let started = served(&emulator, "StartExecution", &own).await;
    assert_eq!(started["FlowDefinition"], "new");
    emulator.advance(2 * SECOND);
    assert_eq!(definitions().await, (new.clone(), old, 0));
    emulator.advance(2 * SECOND);
    assert_eq!(definitions().await, (new.clone(), new, 1));
}

#[tokio::test]
async fn definitions_can_come_back_reformatted() {
    let emulator = Emulator::start().unwrap();
    emulator.quirks(Quirks {
        reformat_definitions: true,
        ..Quirks::default()
    });
    let definition = "\u{feff}Type: StateMachine\r\nName: f\r\nStates:\r\n- Name: x\r\n";
    let other = "States:\n- Name: x\nName: f\nType: StateMachine\n";
    let client = client(&emulator);
    let made = client
        .create_flow(flow("f", definition))
        .send()
        .await
        .unwrap();
    assert_eq!(made.definition.as_deref(), Some(other));
    let shown = client
        .describe_flow(DescribeFlowRequest::new("f"))
        .send()
        .await
        .unwrap();
    assert_eq!(shown.definition.as_deref(), Some(other));
    let request = StartExecutionRequest::new("f").execution_name("e");
    client.start_execution(request).send().await.unwrap();
    let request = DescribeExecutionRequest::new("f", "e");
    let execution = client.describe_execution(request).send().await.unwrap();
    assert_eq!(execution.flow_definition.as_deref(), Some(other));
    assert_eq!(emulator.made_flows()[0].definition, definition);
}

#[tokio::test]
async fn schedules_are_kept_and_listed() {
    let emulator = Emulator::start().unwrap();
    create(&emulator, "f", "").await;
    let one = [("FlowName", "f"), ("ScheduleName", "s")];
    let own = [
        one[0],
        one[1],
        ("CronExpression", "0 * * * * *"),
        ("Payload", "{\"a\": 1}"),
        ("Enable", "True"),
    ];
    let made = served(&emulator, "CreateSchedule", &own).await;
    assert_eq!(form(&made["CreatedTime"]), Z_TIME);
    let expected = json!({
        "ScheduleName": "s", "ScheduleId": made["ScheduleId"], "CronExpression": "0 * * * * *",
        "Payload": "{\"a\": 1}", "Enable": true, "Description": "",
        "CreatedTime": made["CreatedTime"], "LastModifiedTime": made["CreatedTime"],
    });
    assert_eq!(made, expected);
    assert_eq!(served(&emulator, "DescribeSchedule", &one).await, expected);
    let taken = refused(&emulator, "CreateSchedule", &own).await;
    assert_eq!(taken, code(409, "ScheduleAlreadyExists"));
    let own = [one[0], one[1], ("Enable", "false"), ("Description", "off")];
    let changed = served(&emulator, "UpdateSchedule", &own).await;
    assert_eq!(
        (
            &changed["Enable"],
            &changed["Description"],
            &changed["CronExpression"]
        ),
        (&json!(false), &json!("off"), &json!("0 * * * * *"))
    );
    let listed = served(&emulator, "ListSchedules", &[("FlowName", "f")]).await;
    assert_eq!(listed, json!({"Schedules": [changed]}));
    for (name, value) in [
        ("CronExpression", "* *"),
        ("Payload", "[]"),
        ("Enable", "on"),
    ] {
        let own = [one[0], one[1], (name, value)];
        let answer = refused(&emulator, "UpdateSchedule", &own).await;
        assert_eq!(answer, code(400, "InvalidArgument"), "{name}");
    }
    let answer = refused(&emulator, "CreateSchedule", &one).await;
    assert_eq!(answer, code(400, "MissingRequiredParams"));
    served(&emulator, "DeleteSchedule", &one).await;
    for operation in ["DescribeSchedule", "UpdateSchedule", "DeleteSchedule"] {
        let gone = refused(&emulator, operation, &one).await;
        assert_eq!(gone, code(404, "ScheduleNotExists"), "{operation}");
    }
    let gone = refused(&emulator, "ListSchedules", &[("FlowName", "g")]).await;
    assert_eq!(gone, code(404, "FlowNotExists"));
    assert_eq!(emulator.runs("f"), 0);
}

#[tokio::test]
async fn regions_lead_to_the_emulator() {
    let emulator = Emulator::start().unwrap();
    let own = [("AcceptLanguage", "en-US")];
    let answer = served(&emulator, "DescribeRegions", &own).await;
    let host = emulator.url().replace("http://", "");
    let expected = json!({
        "RegionId": "cn-hangzhou", "LocalName": "China (Hangzhou)", "RegionEndpoint": host,
    });
    assert_eq!(answer["Regions"]["Region"][0], expected);
    let answer = served(&emulator, "DescribeRegions", &[]).await;
    assert_ne!(
        answer["Regions"]["Region"][0]["LocalName"],
        "China (Hangzhou)"
    );
    let answer = refused(&emulator, "DescribeRegions", &[("AcceptLanguage", "fr")]).await;
    assert_eq!(answer, code(400, "InvalidArgument"));
}

#[tokio::test]
async fn every_operation_can_be_denied() {
    let emulator = Emulator::start().unwrap();
    create(&emulator, "f", "").await;
    emulator.quirks(Quirks {
        deny: [
            "fnf:CreateFlow",
            "fnf:UpdateFlow",
            "ListFlowAliases",
            "fnf:DescribeRegions",
        ]
        .map(str::to_owned)
        .into(),
        ..Quirks::default()
    });
    for operation in [
        "CreateFlow",
        "UpdateFlow",
        "ListFlowAliases",
        "DescribeRegions",
    ] {
        let own = [("Name", "f")];
        let (status, body) = call(&emulator, operation, &own).await;
        assert_eq!(
            (status, &body["Code"]),
            (403, &json!("AccessDenied")),
            "{operation}"
        );
        let message = body["Message"].as_str().unwrap();
        assert!(message.contains(&format!("fnf:{operation}")), "{message}");
        assert!(message.contains("flow/f"), "{message}");
    }
    let error = client(&emulator)
        .update_flow(UpdateFlowRequest::new("f"))
        .send()
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::PermissionDenied);
}

#[tokio::test]
async fn map_runs_are_shown_and_changed() {
    let emulator = still();
    let maps = |time| Flow::new(|it: Value| Ok(it)).map_run("each", 10, 2, 1, time);
    emulator.standard("f", maps(10 * SECOND));
    let map = [
        ("FlowName", "f"),
        ("ExecutionName", "e"),
        ("MapRunName", "each"),
    ];
    let gone = refused(&emulator, "DescribeMapRun", &map).await;
    assert_eq!(gone, code(404, "ExecutionNotExists"));
    for name in ["e", "stopped", "tolerant"] {
        let own = [("FlowName", "f"), ("ExecutionName", name)];
        served(&emulator, "StartExecution", &own).await;
    }
    let history = served(&emulator, "GetExecutionHistory", &map).await;
    let events = history["Events"].as_array().unwrap();
    let started = events
        .iter()
        .find(|event| event["Type"] == "MapRunStarted")
        .unwrap();
    let detail: Value = serde_json::from_str(started["EventDetail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["output"]["MapRunName"], "each");

    emulator.advance(3 * SECOND);
    let tolerant = [map[0], ("ExecutionName", "tolerant"), map[2]];
    let own = [
        tolerant[0],
        tolerant[1],
        tolerant[2],
        ("Concurrency", "4"),
        ("ToleratedFailedPercentage", "20.5"),
    ];
    let changed = served(&emulator, "UpdateMapRun", &own).await;
    let expected = json!({
        "FlowName": "f", "ExecutionName": "tolerant", "MapRunName": "each", "Concurrency": 4,
        "ToleratedFailedCount": 1, "ToleratedFailedPercentage": 20.5,
    });
    assert_eq!(changed, expected);
    let shown = served(&emulator, "DescribeMapRun", &tolerant).await;
    assert_eq!(form(&shown["StartedTime"]), LOCAL_TIME);
    let counts = json!({
        "Total": 10, "Pending": 3, "Running": 4, "Succeed": 1, "Failed": 2, "Aborted": 0,
    });
    let expected = json!({
        "ExecutionName": "tolerant", "MapRunName": "each", "Concurrency": 4,
        "ToleratedFailedCount": 1, "ToleratedFailedPercentage": 20.5, "Status": "Running",
        "ItemCounts": counts, "StartedTime": shown["StartedTime"], "StoppedTime": "",
    });
    assert_eq!(shown, expected);
    let stopped = [map[0], ("ExecutionName", "stopped"), map[2]];
    served(&emulator, "StopExecution", &stopped[..2]).await;

    emulator.advance(10 * SECOND);
    // Two failed: more than may, but where a fifth may.
    let client = client(&emulator);
    for (name, status, failed, aborted, is_clean) in [
        ("e", "Failed", 2, 0, false),
        ("stopped", "Aborted", 2, 7, false),
        ("tolerant", "Succeeded", 2, 0, false),
    ] {
        let request = DescribeMapRunRequest::new("f", name, "each");
        let run = client.describe_map_run(request).send().await.unwrap();
        let counts = run.item_counts.as_ref().unwrap();
        assert_eq!(
            (run.status.as_str(), run.is_clean()),
            (status, is_clean),
            "{name}"
        );
        assert_eq!(
            (counts.failed, counts.aborted),
            (Some(failed), Some(aborted)),
            "{name}"
        );
        assert!(run.stopped_time.is_some());
    }
    let missing = client.wait_map_run(DescribeMapRunRequest::new("f", "e", "other"));
    let error = missing.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("no such map run"), "{error}");
    while emulator.executions("f")[2].status == "Running" {
        tokio::task::yield_now().await;
    }
    let statuses = emulator.executions("f");
    let statuses: Vec<_> = statuses.iter().map(|run| run.status.as_str()).collect();
    assert_eq!(statuses, ["Failed", "Stopped", "Succeeded"]);
    for (own, answer) in [
        (map[2], code(400, "InvalidArgument")),
        (("MapRunName", "other"), code(404, "MapRunNotExists")),
    ] {
        let own = [map[0], map[1], own, ("Concurrency", "1")];
        assert_eq!(refused(&emulator, "UpdateMapRun", &own).await, answer);
    }
    for (name, value) in [("Concurrency", "x"), ("ToleratedFailedPercentage", "101")] {
        let own = [map[0], map[1], map[2], (name, value)];
        let answer = refused(&emulator, "UpdateMapRun", &own).await;
        assert_eq!(answer, code(400, "InvalidArgument"), "{name}");
    }
}

/// How often an execution was looked at.
fn looks(emulator: &Emulator) -> usize {
    let requests = emulator.requests().into_iter();
    let looks = requests.filter(|request| request.operation == "DescribeExecution");
    looks.count()
}

/// Lets time pass, by seconds, until this is so: nobody knows when a look begins to be held back.
async fn pass_until(emulator: &Emulator, is_so: impl Fn() -> bool) {
    while !is_so() {
        emulator.advance(SECOND);
        tokio::time::sleep(SECOND / 1000).await;
    }
}

#[tokio::test]
async fn a_wait_is_told_that_the_flow_is_gone() {
    let emulator = still();
    let steps = Flow::new(|it: Value| Ok(it)).step("a", Duration::from_secs(86_400));
    emulator.standard("f", steps);
    create(&emulator, "f", "").await;
    let wait = client(&emulator).start_and_wait(StartExecutionRequest::new("f"));
    let wait = tokio::spawn(wait);
    // It was seen, and is looked at again.
    pass_until(&emulator, || looks(&emulator) >= 2).await;
    served(&emulator, "DeleteFlow", &[("Name", "f")]).await;
    pass_until(&emulator, || wait.is_finished()).await;
    let error = wait.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);

    // So is a look that is held back for the end.
    create(&emulator, "f", "").await;
    let e = [
        ("FlowName", "f"),
        ("ExecutionName", "e"),
        ("WaitTimeSeconds", "60"),
    ];
    served(&emulator, "StartExecution", &e[..2]).await;
    emulator.clear_requests();
    let is_over = AtomicBool::new(false);
    let look = async {
        let look = refused(&emulator, "DescribeExecution", &e).await;
        is_over.store(true, Ordering::Relaxed);
        look
    };
    let delete = async {
        while looks(&emulator) == 0 {
            tokio::task::yield_now().await;
        }
        served(&emulator, "DeleteFlow", &[("Name", "f")]).await;
        pass_until(&emulator, || is_over.load(Ordering::Relaxed)).await;
    };
    let (look, ()) = tokio::join!(look, delete);
    assert_eq!(look, code(404, "FlowNotExists"));
}
