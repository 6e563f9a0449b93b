//! The example `deploy`: what it compares, refuses, changes and leaves alone.

#![cfg(all(feature = "alibaba", feature = "huawei"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/support/definition.rs"]
mod definition;
#[path = "../examples/support/deploying.rs"]
mod deploying;
#[path = "../examples/support/deploying_alibaba.rs"]
mod deploying_alibaba;
#[path = "../examples/support/deploying_huawei.rs"]
mod deploying_huawei;

use std::{
    cell::Cell,
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use cloud_workflows::{
    Delivery, Error, ErrorKind, RetryPolicy,
    alibaba::{
        DescribeFlowRequest, ExecutionMode, PublishFlowVersionRequest, RoutingConfiguration,
        UpdateFlowAliasRequest, UpdateFlowRequest,
    },
    emulator::{Emulator, Fault, Quirks},
    huawei::{CreateWorkflowRequest, ShowWorkFlowRequest},
};
use deploying::{Progress, Stopped};
use deploying_alibaba::{Deploy, Wanted};
use serde_json::{Value, json};

fn wanted(text: &str) -> Wanted {
    Wanted {
        flow: "f".to_owned(),
        text: text.to_owned(),
        alias: Some("prod".to_owned()),
        mode: None,
        role: None,
        description: None,
        replace_routes: false,
    }
}

/// What was done, and the version.
type Deployed = Result<(Vec<String>, String), Stopped>;

async fn to_end(emulator: &Emulator, wanted: Wanted, turn: impl AsyncFn(Duration)) -> Deployed {
    // Lost answers are lost.
    let client = emulator.alibaba().retry(RetryPolicy::never());
    let mut progress = Progress::new("fnf:", turn);
    let deploy = Deploy::new(client.build().unwrap(), wanted, &mut progress).unwrap();
    let version = Box::pin(deploy.run()).await?;
    Ok((progress.done, version))
}

/// Pauses take no time but the emulator's.
async fn deploy(emulator: &Emulator, wanted: Wanted) -> Deployed {
    to_end(emulator, wanted, async |pause| emulator.advance(pause)).await
}

fn deny(emulator: &Emulator, actions: &[&str]) {
    emulator.quirks(Quirks {
        deny: actions.iter().map(|action| (*action).to_owned()).collect(),
        ..Quirks::default()
    });
}

fn reformatting(emulator: &Emulator) {
    emulator.quirks(Quirks {
        reformat_definitions: true,
        ..Quirks::default()
    });
}

/// The definition that the alias leads to; none where there is no alias.
fn led_to(emulator: &Emulator, flow: &str) -> Option<String> {
    let aliases = emulator.aliases(flow);
    let routes = aliases.first()?.routes.as_slice();
    let [(number, _)] = routes else {
        panic!("{routes:?}")
    };
    let mut versions = emulator.versions(flow).into_iter();
    let version = versions.find(|version| version.version == *number);
    Some(version.unwrap().definition)
}

/// How many requests changed something.
fn writes(emulator: &Emulator) -> usize {
    let looks = ["Describe", "List", "Show", "Keystone"];
    let requests = emulator.requests().into_iter();
    let writes = requests.filter(|request| {
        let operation = &request.operation;
        !looks.iter().any(|look| operation.starts_with(look))
    });
    writes.count()
}

#[tokio::test]
async fn run_again_it_changes_nothing_even_where_the_service_reformats() {
    // What `no` means depends on the reader; the service's is another than ours.
    for (text, again) in [
        ("Name: f\nn: 1\n", "\u{feff}n: 1\r\nName: f\r\n"),
        ("Name: f\nn: no\n", "# said\r\nn: 'no'\r\nName: f"),
    ] {
        let emulator = Emulator::start().unwrap();
        reformatting(&emulator);
        let (done, version) = deploy(&emulator, wanted(text)).await.unwrap();
        assert_eq!(
            done,
            [
                "made flow f",
                "published version 1",
                "moved alias prod to version 1"
            ]
        );
        assert_eq!(version, "1");
        let before = writes(&emulator);
        let again = deploy(&emulator, wanted(again)).await.unwrap();
        assert_eq!(again, (vec![], "1".to_owned()));
        assert_eq!(writes(&emulator), before);
        // What the service shows as the same is the same to nobody else.
        let (done, version) = deploy(&emulator, wanted("Name: f\nn: 2\n")).await.unwrap();
        assert_eq!((done.len(), version.as_str()), (3, "2"));
        let (done, version) = deploy(&emulator, wanted(text)).await.unwrap();
        assert_eq!(version, "1", "{done:?}");
        assert_eq!(led_to(&emulator, "f").as_deref(), Some(text));
    }
}

#[tokio::test]
async fn a_version_of_another_file_is_not_taken_for_this_one() {
    let emulator = Emulator::start().unwrap();
    reformatting(&emulator);
    let n = |n: &str| wanted(&format!("Name: f\nn: {n}\n"));
    deploy(&emulator, n("no")).await.unwrap();
    // The service shows both alike.
    let (_, version) = deploy(&emulator, n("false")).await.unwrap();
    assert_eq!(version, "1");
    // A description that lies.
    let client = emulator.alibaba().build().unwrap();
    let mark = emulator.versions("f")[0].description.clone();
    let request = UpdateFlowRequest::new("f").definition("Name: f\nn: 9\n");
    client.update_flow(request).send().await.unwrap();
    let request = PublishFlowVersionRequest::new("f").description(mark);
    client.publish_flow_version(request).send().await.unwrap();
    let (_, version) = deploy(&emulator, n("no")).await.unwrap();
    assert_eq!(version, "1");
}

#[tokio::test]
async fn without_an_alias_it_says_the_version() {
    let emulator = Emulator::start().unwrap();
    let without = |text| Wanted {
        alias: None,
        ..wanted(text)
    };
    let (done, version) = deploy(&emulator, without("n: 1")).await.unwrap();
    assert_eq!(done, ["made flow f", "published version 1"]);
    assert_eq!(version, "1");
    let again = deploy(&emulator, without("n: 1")).await.unwrap();
    assert_eq!(again, (vec![], "1".to_owned()));
    let (done, version) = deploy(&emulator, without("n: 2")).await.unwrap();
    assert_eq!(
        done,
        ["changed Definition of the flow", "published version 2"]
    );
    assert_eq!(version, "2");
    assert!(emulator.aliases("f").is_empty());
    // The alias comes later, and to what was published.
    let (done, _) = deploy(&emulator, wanted("n: 2")).await.unwrap();
    assert_eq!(done, ["moved alias prod to version 2"]);
}

#[tokio::test]
async fn role_and_description_are_the_flows() {
    let emulator = Emulator::start().unwrap();
    let with = |role: &str, description: &str| Wanted {
        role: Some(role.to_owned()),
        description: Some(description.to_owned()),
        ..wanted("n: 1")
    };
    deploy(&emulator, with("acs:ram::1:role/a", "d"))
        .await
        .unwrap();
    let flow = &emulator.made_flows()[0];
    assert_eq!(flow.role_arn, "acs:ram::1:role/a");
    assert_eq!(flow.description, "d");
    let (done, _) = deploy(&emulator, wanted("n: 1")).await.unwrap();
    assert!(done.is_empty(), "{done:?}");
    let (done, version) = deploy(&emulator, with("acs:ram::1:role/b", "d"))
        .await
        .unwrap();
    assert_eq!(done, ["changed RoleArn of the flow"]);
    assert_eq!(version, "1");
    assert_eq!(emulator.made_flows()[0].role_arn, "acs:ram::1:role/b");
}

#[tokio::test]
async fn what_changed_though_it_was_not_sent_is_told() {
    let emulator = Emulator::start().unwrap();
    deploy(&emulator, wanted("n: 1")).await.unwrap();
    let client = emulator.alibaba().build().unwrap();
    let calls = Cell::new(0);
    let (done, _) = to_end(&emulator, wanted("n: 2"), async |_| {
        // Somebody else changes it behind the first look.
        calls.set(calls.get() + 1);
        if calls.get() == 2 {
            let request = UpdateFlowRequest::new("f").description("theirs");
            client.update_flow(request).send().await.unwrap();
        }
    })
    .await
    .unwrap();
    assert!(
        done.iter()
            .any(|done| done.starts_with("Description changed")),
        "{done:?}"
    );
}

#[tokio::test]
async fn what_the_service_shows_late_is_waited_for() {
    let emulator = Emulator::start().unwrap();
    emulator.quirks(Quirks {
        not_visible_for: Duration::from_secs(3),
        ..Quirks::default()
    });
    for n in ["n: 1", "n: 2"] {
        deploy(&emulator, wanted(n)).await.unwrap();
        emulator.advance(Duration::from_secs(5));
        assert_eq!(led_to(&emulator, "f").as_deref(), Some(n));
    }
    assert_eq!(emulator.versions("f").len(), 2);
}

#[tokio::test]
async fn what_somebody_else_wrote_is_not_published() {
    let emulator = Emulator::start().unwrap();
    let without = |text| Wanted {
        alias: None,
        ..wanted(text)
    };
    deploy(&emulator, without("n: 1")).await.unwrap();
    let client = emulator.alibaba().build().unwrap();
    let calls = Cell::new(0);
    let stopped = to_end(&emulator, without("n: 2"), async |_| {
        // Behind the write, the third call, comes another one.
        calls.set(calls.get() + 1);
        if calls.get() == 4 {
            let request = UpdateFlowRequest::new("f").definition("n: 3");
            client.update_flow(request).send().await.unwrap();
        }
    })
    .await
    .unwrap_err();
    let told = "somebody else changed it; done before: changed Definition of the flow";
    assert!(stopped.message.ends_with(told), "{stopped:?}");
    assert_eq!(emulator.versions("f").len(), 1);
}

/// Lets a deploy go on call by call.
struct Gate {
    calls: Cell<u32>,
    is_shut: Cell<bool>,
}

impl Gate {
    fn new() -> Self {
        Self {
            calls: Cell::new(0),
            is_shut: Cell::new(false),
        }
    }

    async fn pass(&self) {
        poll_fn(|_| match self.calls.get().checked_sub(1) {
            Some(left) => {
                self.calls.set(left);
                Poll::Ready(())
            }
            None => {
                self.is_shut.set(true);
                Poll::Pending
            }
        })
        .await;
    }

    /// Lets a deploy make so many calls; its end, if it has come to it.
    async fn go<T>(&self, calls: u32, mut deploy: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        self.calls.set(calls);
        self.is_shut.set(false);
        poll_fn(|context| match deploy.as_mut().poll(context) {
            Poll::Ready(end) => Poll::Ready(Some(end)),
            Poll::Pending if self.is_shut.get() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}

/// Every way in which the first makes i calls, the second j or all of its own, and then the first
/// goes on to its end, and the second.
async fn interleaved(most: u32, is_there: bool) {
    let emulator = Emulator::start().unwrap();
    if is_there {
        reformatting(&emulator);
    }
    let texts = ["n: 1\nm: no\n", "n: 2\nm: yes\n"];
    let all = (0..most).flat_map(|i| (0..=most).map(move |j| (i, j)));
    let mut good = 0;
    for (i, j) in all {
        let flow = format!("f-{i}-{j}");
        let wanted = |text| Wanted {
            flow: flow.clone(),
            ..wanted(text)
        };
        if is_there {
            deploy(&emulator, wanted("n: 0")).await.unwrap();
        }
        let gates = [Gate::new(), Gate::new()];
        let mut deploys = [0, 1].map(|which: usize| {
            let gate = &gates[which];
            let turn = async |_| gate.pass().await;
            Box::pin(to_end(&emulator, wanted(texts[which]), turn))
        });
        let mut ended = [None, None];
        for (which, calls) in [(0, i), (1, j), (0, 99), (1, 99)] {
            if ended[which].is_some() {
                continue;
            }
            let end = gates[which].go(calls, deploys[which].as_mut()).await;
            ended[which] = end.map(|end| end.is_ok());
            // What it saw last is what stands now.
            if ended[which] == Some(true) {
                assert_eq!(
                    led_to(&emulator, &flow).as_deref(),
                    Some(texts[which]),
                    "{flow}"
                );
            }
        }
        let led = led_to(&emulator, &flow);
        let whole = ["n: 0", texts[0], texts[1]];
        assert!(
            led.is_none_or(|led| whole.contains(&led.as_str())),
            "{flow}"
        );
        assert!(ended.iter().all(Option::is_some), "{flow}");
        good += ended.iter().filter(|end| **end == Some(true)).count();
    }
    assert!(good > most as usize, "{good}");
}

#[tokio::test]
async fn however_two_deploys_interleave_a_new_alias_ends_on_one_whole_file() {
    interleaved(9, false).await;
}

#[tokio::test]
async fn however_two_deploys_interleave_an_old_alias_ends_on_one_whole_file() {
    interleaved(12, true).await;
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_before_any_write() {
    let emulator = Emulator::start().unwrap();
    for n in 1..=2 {
        deploy(&emulator, wanted(&format!("n: {n}"))).await.unwrap();
    }
    let client = emulator.alibaba().build().unwrap();
    let mut progress = Progress::new("fnf:", async |_| {});
    let named = Deploy::new(client.clone(), wanted("Name: g"), &mut progress);
    assert!(named.is_err_and(|why| why.contains("of g, not of f")));
    let routes = vec![
        RoutingConfiguration::new("1", 50),
        RoutingConfiguration::new("2", 50),
    ];
    let split = UpdateFlowAliasRequest::new("f", "prod").routing_configurations(routes);
    client.update_flow_alias(split).send().await.unwrap();
    let before = writes(&emulator);
    let express = Wanted {
        mode: Some(ExecutionMode::Express),
        ..wanted("n: 3")
    };
    for (wanted, told) in [
        (express, "another mode, Standard"),
        (wanted("n: 3"), "two routes, 1=50 and 2=50"),
    ] {
        let stopped = deploy(&emulator, wanted).await.unwrap_err();
        assert!(stopped.error.is_none(), "{stopped:?}");
        for told in [told, "nothing was changed"] {
            assert!(stopped.message.contains(told), "{stopped:?}");
        }
    }
    assert_eq!(writes(&emulator), before);
    let replacing = Wanted {
        replace_routes: true,
        ..wanted("n: 3")
    };
    deploy(&emulator, replacing).await.unwrap();
    assert_eq!(led_to(&emulator, "f").as_deref(), Some("n: 3"));
}

#[tokio::test]
async fn a_second_route_that_comes_meanwhile_is_left_alone_too() {
    let emulator = Emulator::start().unwrap();
    for n in 1..=2 {
        deploy(&emulator, wanted(&format!("n: {n}"))).await.unwrap();
    }
    let client = emulator.alibaba().build().unwrap();
    let calls = Cell::new(0);
    let stopped = to_end(&emulator, wanted("n: 3"), async |_| {
        // Behind the first look at the alias, the second call.
        calls.set(calls.get() + 1);
        if calls.get() == 3 {
            let routes = [("1", 90), ("2", 10)];
            let routes = routes.map(|(version, weight)| RoutingConfiguration::new(version, weight));
            let split =
                UpdateFlowAliasRequest::new("f", "prod").routing_configurations(routes.to_vec());
            client.update_flow_alias(split).send().await.unwrap();
        }
    })
    .await
    .unwrap_err();
    assert!(stopped.message.contains("1=90 and 2=10"), "{stopped:?}");
    assert_eq!(emulator.aliases("f")[0].routes, [(1, 90), (2, 10)]);
}

#[tokio::test]
async fn a_missing_right_is_told_with_step_action_and_what_was_done() {
    let nothing = "nothing was changed";
    for (is_there, operation, step, done) in [
        (false, "DescribeFlow", "look at the flow", nothing),
        (false, "CreateFlow", "make the flow", nothing),
        (
            false,
            "PublishFlowVersion",
            "publish a version",
            "done before: made flow f",
        ),
        (
            false,
            "DescribeFlowAlias",
            "look at the alias",
            "published version 1",
        ),
        (
            false,
            "CreateFlowAlias",
            "move the alias",
            "published version 1",
        ),
        (true, "DescribeFlowAlias", "look at the alias", nothing),
        (true, "ListFlowVersions", "list the versions", nothing),
        (true, "UpdateFlow", "change the flow", nothing),
        (
            true,
            "UpdateFlowAlias",
            "move the alias",
            "done before: changed Definition of the flow; published version 2",
        ),
    ] {
        let emulator = Emulator::start().unwrap();
        if is_there {
            deploy(&emulator, wanted("n: 1")).await.unwrap();
        }
        let action = format!("fnf:{operation}");
        deny(&emulator, &[&action]);
        let stopped = deploy(&emulator, wanted("n: 2")).await.unwrap_err();
        let error = stopped.error.as_ref().unwrap();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{stopped:?}");
        for told in [step, &action, done] {
            assert!(stopped.message.contains(told), "{told}: {stopped:?}");
        }
        // With the right it goes on where it stopped.
        deny(&emulator, &[]);
        let (_, version) = deploy(&emulator, wanted("n: 2")).await.unwrap();
        assert_eq!(version, if is_there { "2" } else { "1" });
        assert_eq!(led_to(&emulator, "f").as_deref(), Some("n: 2"));
    }
}

#[tokio::test]
async fn a_service_that_is_not_open_is_told_to_be_opened() {
    let emulator = Emulator::start().unwrap();
    let message = "FnF service is not enabled for current user.";
    emulator.fault::<DescribeFlowRequest>(Fault::refuse(403, "AccessDenied", message));
    let stopped = deploy(&emulator, wanted("n: 1")).await.unwrap_err();
    assert!(stopped.message.contains("open the service"), "{stopped:?}");
}

#[tokio::test]
async fn after_a_lost_answer_it_is_run_again_and_nothing_is_there_twice() {
    for (is_there, operation, reformats) in [
        (false, "CreateFlow", false),
        (false, "CreateFlow", true),
        (false, "PublishFlowVersion", false),
        (false, "PublishFlowVersion", true),
        (false, "CreateFlowAlias", false),
        (true, "UpdateFlow", false),
        (true, "UpdateFlow", true),
        (true, "PublishFlowVersion", false),
        (true, "PublishFlowVersion", true),
        (true, "UpdateFlowAlias", false),
    ] {
        let emulator = Emulator::start().unwrap();
        if reformats {
            reformatting(&emulator);
        }
        if is_there {
            deploy(&emulator, wanted("Name: f\nn: no")).await.unwrap();
        }
        let text = "Name: f\nm: yes\n";
        emulator.fault_with(move |request| match request.operation == operation {
            true => Fault::cut_after_run(),
            false => Fault::none(),
        });
        if let Err(stopped) = deploy(&emulator, wanted(text)).await {
            let error = stopped.error.as_ref().unwrap();
            assert_eq!(error.delivery(), Delivery::Unknown, "{stopped:?}");
        }
        emulator.clear_faults();
        deploy(&emulator, wanted(text)).await.unwrap();
        assert_eq!(led_to(&emulator, "f").as_deref(), Some(text));
        let versions = emulator.versions("f").len();
        assert_eq!(versions, 1 + usize::from(is_there), "{operation}");
        let (done, _) = deploy(&emulator, wanted(text)).await.unwrap();
        assert!(done.is_empty(), "{operation}: {done:?}");
    }
}

const NODE: &str = "start: a\nstates:\n  - {id: a, name: A, type: End, end: true}\n\
                    functions: []\nretries: []\nconstants: {}\n";

async fn deploy_on_huawei(
    emulator: &Emulator,
    flow: &str,
    text: &str,
    turn: impl AsyncFn(Duration),
) -> Deployed {
    let client = emulator.huawei().retry(RetryPolicy::never());
    let wanted = deploying_huawei::definition(flow, text).unwrap();
    let mut progress = Progress::new("", turn);
    let client = client.build().unwrap();
    let deploy = deploying_huawei::deploy(&client, &wanted, &mut progress);
    let id = Box::pin(deploy).await?;
    Ok((progress.done, id))
}

async fn huawei(emulator: &Emulator, more: &str) -> Deployed {
    let text = format!("name: f\n{NODE}{more}");
    deploy_on_huawei(emulator, "f", &text, async |_| {}).await
}

#[tokio::test]
async fn on_huawei_run_again_it_changes_nothing_even_where_the_service_reformats() {
    let emulator = Emulator::start().unwrap();
    reformatting(&emulator);
    let (done, id) = huawei(&emulator, "").await.unwrap();
    assert_eq!(done, [format!("made flow {id}")]);
    let before = writes(&emulator);
    for same in ["", "mode: NORMAL\r\n", "description: ''"] {
        let again = huawei(&emulator, same).await.unwrap();
        assert_eq!(again, (vec![], id.clone()));
    }
    assert_eq!(writes(&emulator), before);
    let (done, again) = huawei(&emulator, "description: other").await.unwrap();
    assert_eq!(done, ["changed the flow"]);
    assert_eq!(again, id);
    // What the file no longer says is no longer so.
    let (done, _) = huawei(&emulator, "").await.unwrap();
    assert_eq!(done, ["changed the flow"]);
    let client = emulator.huawei().build().unwrap();
    let shown = client.show_work_flow(ShowWorkFlowRequest::new(id));
    let shown = shown.send().await.unwrap().definition.unwrap();
    assert_eq!(shown.description, None);
}

#[test]
fn what_a_service_may_add_and_what_not() {
    let ours = json!({
        "name": "f", "constants": {"a": 1.0}, "states": [{"id": "s", "end": false}],
        "retries": [{"name": "r"}],
    });
    let changed = |pointer: &str, member: &str, value: Value| {
        let mut theirs = ours.clone();
        theirs.pointer_mut(pointer).unwrap()[member] = value;
        deploying_huawei::same(&theirs, &ours, false)
    };
    assert!(changed("", "mode", json!("NORMAL")));
    assert!(changed("", "description", json!("")));
    assert!(changed("", "new", json!("known to nobody")));
    assert!(changed("/states/0", "transition", json!("")));
    assert!(changed("/states/0", "actions", json!(null)));
    assert!(changed("/retries/0", "delay", json!(1)));
    assert!(changed("/constants", "a", json!(1)));
    assert!(changed("", "express_config", json!({"log_level": "NONE"})));
    assert!(changed(
        "/states/0",
        "state_data_filter",
        json!({"input": ""})
    ));
    assert!(!changed("", "express_config", json!({"log_level": "ALL"})));
    assert!(!changed("", "mode", json!("EXPRESS")));
    assert!(!changed("", "description", json!("d")));
    assert!(!changed("", "retries", json!([])));
    assert!(!changed("/states/0", "end", json!(true)));
    assert!(!changed("/states/0", "on_errors", json!([{"error": "x"}])));
    assert!(!changed("/retries/0", "delay", json!(2)));
    assert!(!changed("/constants", "a", json!(2)));
    assert!(!changed("/constants", "b", json!(null)));
    let less = json!({"name": "f", "states": [{"id": "s"}], "retries": [{"name": "r"}]});
    assert!(!deploying_huawei::same(&less, &ours, false));
    assert!(!deploying_huawei::same(&ours, &less, false));
}

#[tokio::test]
async fn on_huawei_what_cannot_be_changed_is_refused_before_any_write() {
    let emulator = Emulator::start().unwrap();
    let text = format!("name: g\n{NODE}");
    let refused = deploying_huawei::definition("f", &text).unwrap_err();
    assert!(refused.contains("of g, not of f"), "{refused}");
    assert!(deploying_huawei::definition("f", NODE).is_err());
    let merges = format!("name: f\n{NODE}x: &x {{a: 1}}\ny:\n  <<: *x\n");
    assert!(deploying_huawei::definition("f", &merges).is_err());
    huawei(&emulator, "").await.unwrap();
    let before = writes(&emulator);
    let stopped = huawei(&emulator, "mode: EXPRESS").await.unwrap_err();
    for told in ["another mode, NORMAL", "nothing was changed"] {
        assert!(stopped.message.contains(told), "{stopped:?}");
    }
    assert_eq!(writes(&emulator), before);
}

#[tokio::test]
async fn on_huawei_two_flows_of_one_name_are_an_error_that_names_both() {
    let emulator = Emulator::start().unwrap();
    let client = emulator.huawei().build().unwrap();
    let body = deploying_huawei::definition("f", &format!("name: f\n{NODE}")).unwrap();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let made = client.create_workflow(CreateWorkflowRequest::new(body.clone()));
        ids.push(made.send().await.unwrap().id.clone());
    }
    let before = writes(&emulator);
    let stopped = huawei(&emulator, "description: d").await.unwrap_err();
    assert!(
        ids.iter().all(|id| stopped.message.contains(id)),
        "{stopped:?}"
    );
    assert_eq!(writes(&emulator), before);
}

#[tokio::test]
async fn on_huawei_two_deploys_end_on_one_whole_file_or_tell_of_two_flows() {
    let texts = ["description: a", "description: b"];
    for (is_there, i) in (0..6).flat_map(|i| [(false, i), (true, i)]) {
        let emulator = Emulator::start().unwrap();
        if is_there {
            huawei(&emulator, "").await.unwrap();
        }
        let (gate, text) = (Gate::new(), format!("name: f\n{NODE}{}", texts[0]));
        let first = deploy_on_huawei(&emulator, "f", &text, async |_| gate.pass().await);
        let mut first = pin!(first);
        let client = emulator.huawei().build().unwrap();
        // What the one flow of the name does; else the error that tells of two.
        let stands = async || {
            let found = client.find_workflow("f").await?.unwrap();
            let shown = client.show_work_flow(ShowWorkFlowRequest::new(found.id));
            let shown = shown.send().await?.definition.clone().unwrap();
            Ok::<_, Error>(format!("description: {}", shown.description.unwrap()))
        };
        let mut first_end = gate.go(i, first.as_mut()).await;
        let second_end = huawei(&emulator, texts[1]).await;
        if second_end.is_ok() {
            assert_eq!(stands().await.unwrap(), texts[1], "{i}");
        }
        if first_end.is_none() {
            first_end = gate.go(99, first).await;
            if first_end.as_ref().unwrap().is_ok() {
                assert_eq!(stands().await.unwrap(), texts[0], "{i}");
            }
        }
        match stands().await {
            Ok(text) => assert!(texts.contains(&text.as_str()), "{text}"),
            Err(two) => {
                let stopped = first_end.unwrap().unwrap_err();
                assert!(stopped.message.contains(two.message()), "{stopped:?}");
            }
        }
    }
}

#[tokio::test]
async fn on_huawei_a_refusal_is_told_with_step_operation_and_what_was_done() {
    for (is_there, operation, step) in [
        (false, "ListWorkflow", "look for the flow"),
        (false, "CreateWorkflow", "make the flow"),
        (true, "ShowWorkFlow", "look at the flow"),
        (true, "UpdateWorkFlow", "change the flow"),
    ] {
        let emulator = Emulator::start().unwrap();
        if is_there {
            huawei(&emulator, "").await.unwrap();
        }
        deny(&emulator, &[operation]);
        let stopped = huawei(&emulator, "description: d").await.unwrap_err();
        let error = stopped.error.as_ref().unwrap();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{stopped:?}");
        for told in [step, operation, "nothing was changed"] {
            assert!(stopped.message.contains(told), "{told}: {stopped:?}");
        }
    }
}

#[tokio::test]
async fn on_huawei_after_a_lost_answer_nothing_is_there_twice() {
    for (is_there, operation) in [(false, "CreateWorkflow"), (true, "UpdateWorkFlow")] {
        let emulator = Emulator::start().unwrap();
        reformatting(&emulator);
        if is_there {
            huawei(&emulator, "").await.unwrap();
        }
        emulator.fault_with(move |request| match request.operation == operation {
            true => Fault::cut_after_run(),
            false => Fault::none(),
        });
        if let Err(stopped) = huawei(&emulator, "description: d").await {
            let error = stopped.error.as_ref().unwrap();
            assert_eq!(error.delivery(), Delivery::Unknown, "{stopped:?}");
        }
        emulator.clear_faults();
        // One flow, and what was wanted.
        let (done, _) = huawei(&emulator, "description: d").await.unwrap();
        assert!(done.is_empty(), "{operation}: {done:?}");
    }
}
