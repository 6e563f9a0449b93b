//! What the example `deploy` compares: definitions by what they mean.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/support/definition.rs"]
mod definition;

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
