//! The example `deploy`: what it compares, refuses, changes and leaves alone.

#![cfg(feature = "alibaba")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/support/definition.rs"]
mod definition;
#[path = "../examples/support/deploying.rs"]
mod deploying;

use cloud_workflows::{
    ErrorKind,
    alibaba::{
        Client, DescribeFlowAliasRequest, DescribeFlowRequest, ExecutionMode, RoutingConfiguration,
        UpdateFlowAliasRequest,
    },
    emulator::{Emulator, Quirks},
};
use definition::{meaning, name};
use deploying::{Deploy, Wanted};

#[test]
fn other_words_of_the_same_meaning_are_the_same() {
    let ours = meaning("Name: f\nn: 1\nStates:\n  - Type: Pass\n").unwrap();
    for same in [
        "\u{feff}Name: f\r\nn: 1\r\nStates:\r\n  - Type: Pass\r\n",
        "# said before\nStates: [{Type: 'Pass'}]\nName: \"f\"\nn: 1",
        r#"{"n": 1, "States": [{"Type": "Pass"}], "Name": "f"}"#,
    ] {
        assert_eq!(meaning(same).unwrap(), ours, "{same}");
    }
    for other in ["Name: f\nn: 2", "Name: f\nn: '1'\nStates:\n  - Type: Pass"] {
        assert_ne!(meaning(other).unwrap(), ours, "{other}");
    }
    assert_eq!(name(&ours), Some("f"));
}

#[test]
fn what_is_no_single_definition_is_refused() {
    for bad in ["", "a: 1\n---\nb: 2", "a: [", "a: 1\na: 2", "a: .inf"] {
        assert!(meaning(bad).is_err(), "{bad}");
    }
}

async fn deploy(emulator: &Emulator, text: &str) -> Result<Vec<String>, deploying::Stopped> {
    to_end(deploying(emulator, wanted("f", text))).await
}

#[tokio::test]
async fn run_again_it_changes_nothing() {
    let emulator = Emulator::start().unwrap();
    emulator.quirks(Quirks {
        reformat_definitions: true,
        ..Quirks::default()
    });
    assert_eq!(deploy(&emulator, "Name: f\nn: 1\n").await.unwrap().len(), 3);
    let again = deploy(&emulator, "\u{feff}n: 1\r\nName: f\r\n").await;
    assert!(again.unwrap().is_empty());
    emulator.quirks(Quirks {
        deny: ["fnf:PublishFlowVersion".to_owned()].into(),
        ..Quirks::default()
    });
    let stopped = deploy(&emulator, "Name: f\nn: 2\n").await.unwrap_err();
    let error = stopped.error.as_ref().unwrap();
    assert_eq!(error.operation(), Some("PublishFlowVersion"));
    for told in [
        "publish a version",
        "fnf:PublishFlowVersion",
        "changed the definition",
    ] {
        assert!(stopped.message.contains(told), "{}", stopped.message);
    }
}

fn wanted(flow: &str, text: &str) -> Wanted {
    Wanted {
        flow: flow.to_owned(),
        text: text.to_owned(),
        alias: "prod".to_owned(),
        mode: None,
        replace_routes: false,
    }
}

fn deploying(emulator: &Emulator, wanted: Wanted) -> Deploy {
    Deploy::new(emulator.alibaba().build().unwrap(), wanted).unwrap()
}

async fn to_end(mut deploy: Deploy) -> Result<Vec<String>, deploying::Stopped> {
    while !deploy.step().await? {}
    Ok(deploy.done)
}

/// The definition that the alias leads to.
async fn led_to(client: &Client, flow: &str) -> Option<serde_json::Value> {
    let alias = client.describe_flow_alias(DescribeFlowAliasRequest::new(flow, "prod"));
    let routes = alias.send().await.ok()?.alias.routing_configurations;
    let [only] = routes.as_slice() else {
        panic!("{routes:?}")
    };
    let version = DescribeFlowRequest::new(flow).flow_version(Some(only.version.as_str()));
    let version = client.describe_flow(version).send().await.unwrap();
    Some(meaning(&version.definition.unwrap()).unwrap())
}

#[tokio::test]
async fn however_two_deploys_interleave_the_alias_ends_on_one_whole_file() {
    let emulator = Emulator::start().unwrap();
    let client = emulator.alibaba().build().unwrap();
    let texts = ["n: 1\nm: 1\n", "n: 2\nm: 2\n"];
    let whole = texts.map(|text| meaning(text).unwrap());
    for (i, j, first) in (0..11).flat_map(|i| (0..11).flat_map(move |j| [(i, j, 0), (i, j, 1)])) {
        let flow = format!("f-{i}-{j}-{first}");
        let mut both = texts.map(|text| deploying(&emulator, wanted(&flow, text)));
        let mut ended = [None, None];
        for (which, steps) in [(0, i), (1, j), (first, 99), (1 - first, 99)] {
            for _ in 0..steps {
                if ended[which].is_some() {
                    break;
                }
                ended[which] = match both[which].step().await {
                    Ok(false) => None,
                    Ok(true) => Some(true),
                    Err(_) => Some(false),
                };
                // What it saw last is what stands now.
                if ended[which] == Some(true) {
                    let led = led_to(&client, &flow).await;
                    assert_eq!(led.as_ref(), Some(&whole[which]), "{flow}");
                }
            }
        }
        let led = led_to(&client, &flow).await;
        assert!(led.is_none_or(|led| whole.contains(&led)), "{flow}");
        assert!(ended.iter().all(Option::is_some), "{flow}");
    }
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_before_any_write() {
    let emulator = Emulator::start().unwrap();
    for n in 1..=2 {
        deploy(&emulator, &format!("n: {n}")).await.unwrap();
    }
    let client = emulator.alibaba().build().unwrap();
    assert!(Deploy::new(client.clone(), wanted("f", "Name: g")).is_err());
    let routes = vec![
        RoutingConfiguration::new("1", 50),
        RoutingConfiguration::new("2", 50),
    ];
    let split = UpdateFlowAliasRequest::new("f", "prod").routing_configurations(routes);
    client.update_flow_alias(split).send().await.unwrap();
    // A write would be refused for want of the right to it, and be told as that.
    let writes = [
        "fnf:UpdateFlow",
        "fnf:PublishFlowVersion",
        "fnf:UpdateFlowAlias",
    ];
    emulator.quirks(Quirks {
        deny: writes.map(str::to_owned).into(),
        ..Quirks::default()
    });
    let express = Wanted {
        mode: Some(ExecutionMode::Express),
        ..wanted("f", "n: 3")
    };
    for (wanted, told) in [
        (express, "another mode"),
        (wanted("f", "n: 3"), "two routes"),
    ] {
        let stopped = to_end(deploying(&emulator, wanted)).await.unwrap_err();
        assert!(stopped.error.is_none(), "{stopped:?}");
        assert!(stopped.message.contains(told), "{stopped:?}");
        assert!(
            stopped.message.contains("nothing was changed"),
            "{stopped:?}"
        );
    }
    emulator.quirks(Quirks::default());
    let replacing = Wanted {
        replace_routes: true,
        ..wanted("f", "n: 3")
    };
    to_end(deploying(&emulator, replacing)).await.unwrap();
    assert_eq!(led_to(&client, "f").await, meaning("n: 3").ok());
}

#[tokio::test]
async fn a_missing_right_is_told_with_step_action_and_what_was_done() {
    for (operation, step, done) in [
        ("DescribeFlow", "look at", "nothing was changed"),
        ("CreateFlow", "make the flow", "nothing was changed"),
        (
            "PublishFlowVersion",
            "publish a version",
            "done before: made flow f",
        ),
        (
            "DescribeFlowAlias",
            "look at the alias",
            "published version 1",
        ),
        ("CreateFlowAlias", "move the alias", "published version 1"),
    ] {
        let emulator = Emulator::start().unwrap();
        let action = format!("fnf:{operation}");
        emulator.quirks(Quirks {
            deny: [action.clone()].into(),
            ..Quirks::default()
        });
        let stopped = deploy(&emulator, "n: 1").await.unwrap_err();
        let error = stopped.error.as_ref().unwrap();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{stopped:?}");
        for told in [step, &action, done] {
            assert!(stopped.message.contains(told), "{told}: {stopped:?}");
        }
    }
}
