//! The example `deploy`: what it compares, refuses, changes and leaves alone.

#![cfg(feature = "alibaba")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/support/definition.rs"]
mod definition;
#[path = "../examples/support/deploying.rs"]
mod deploying;

use cloud_workflows::emulator::{Emulator, Quirks};
use definition::{meaning, name};

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
    let wanted = deploying::Wanted {
        flow: "f".to_owned(),
        text: text.to_owned(),
        alias: "prod".to_owned(),
        mode: None,
        replace_routes: false,
    };
    let client = emulator.alibaba().build().unwrap();
    let mut deploy = deploying::Deploy::new(client, wanted).unwrap();
    while !deploy.step().await? {}
    Ok(deploy.done)
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
    for told in [
        "publish a version",
        "fnf:PublishFlowVersion",
        "changed the definition",
    ] {
        assert!(stopped.message.contains(told), "{}", stopped.message);
    }
}
