//! Definitions of the example `deploy`: which are the same, and which are none.

#[path = "../examples/support/definition.rs"]
mod definition;

use definition::{checksum, meaning, name};
use proptest::{
    collection::{hash_map, vec},
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::{Value, json};

#[test]
fn other_words_of_the_same_meaning_are_the_same() {
    let ours = meaning("Name: f\nn: 1\nStates:\n  - Type: Pass\n").unwrap();
    for same in [
        "\u{feff}Name: f\r\nn: 1\r\nStates:\r\n  - Type: Pass\r\n",
        "# said before\nStates: [{Type: 'Pass'}]\nName: \"f\"\nn: 1",
        r#"{"n": 1, "States": [{"Type": "Pass"}], "Name": "f"}"#,
    ] {
        let same = meaning(same).unwrap();
        assert_eq!(same, ours);
        assert_eq!(checksum(&same), checksum(&ours));
    }
    for other in ["Name: f\nn: 2", "Name: f\nn: '1'\nStates:\n  - Type: Pass"] {
        let other = meaning(other).unwrap();
        assert_ne!(other, ours);
        assert_ne!(checksum(&other), checksum(&ours));
    }
    assert_eq!(name(&ours), Some("f"));
}

#[test]
fn what_is_no_single_definition_is_refused() {
    for (bad, why) in [
        ("", "0 documents"),
        ("# nothing", "0 documents"),
        ("a: 1\n---\nb: 2", "2 documents"),
        ("a: 1\n...\n---\n- b", "2 documents"),
        ("- a", "not a definition"),
        ("a", "not a definition"),
        ("a: [", "node content"),
        ("a:\n\tb: 1", "tab"),
        ("a: 1\na: 2", "duplicate"),
        ("x: {a: 1, b: {a: 1, a: 2}}", "duplicate"),
        ("a: 1\n\"a\": 2", "twice"),
        ("1: a\n'1': b", "twice"),
        (r#"{"a": 1, "a": 2}"#, "duplicate"),
        (r#"{"a": 1, "\u0061": 2}"#, "duplicate"),
        ("a: .inf", "changed"),
        ("a: 123456789012345678901", "changed"),
        ("a: 0.12345678901234567890", "changed"),
        ("a: 1e999", "changed"),
        ("a: !mine 1", "tag"),
        ("a: !mine [1]", "tag"),
        ("a: !!int x", "tag"),
        ("a: *nowhere", "anchor"),
    ] {
        let refused = meaning(bad).unwrap_err();
        assert!(refused.contains(why), "{bad}: {refused}");
    }
    // Anchors that blow up.
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for n in 1..30 {
        bomb += &format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1);
    }
    assert!(meaning(&bomb).unwrap_err().contains("alias"));
    // Parts in parts without end.
    for (depth, is_read) in [(100, true), (100_000, false)] {
        let text = format!("a: {}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(meaning(&text).is_ok(), is_read);
    }
}

#[test]
fn what_yaml_writes_in_many_ways_is_read_as_json() {
    for (yaml, json) in [
        ("a: &x {b: 1}\nc: *x", json!({"a": {"b": 1}, "c": {"b": 1}})),
        (
            "a: 0x1F\nb: 010\nc: 1.50\nd: -0.0",
            json!({"a": 31, "b": 10, "c": 1.5, "d": -0.0}),
        ),
        (
            "a: 18446744073709551615\nb: 1e3",
            json!({"a": u64::MAX, "b": 1e3}),
        ),
        ("a: 0.30000000000000004", json!({"a": 0.30000000000000004})),
        (
            "a: 1_000\nb: 2026-01-02\nc: no",
            json!({"a": "1_000", "b": "2026-01-02", "c": "no"}),
        ),
        (
            "a: ~\nb:\nc: ''\nd: TRUE",
            json!({"a": null, "b": null, "c": "", "d": true}),
        ),
        (
            "a: !!str 1\nb: 2\nc: >\n  x\n  y\n",
            json!({"a": "1", "b": 2, "c": "x y\n"}),
        ),
        ("%YAML 1.2\n---\na: 1\n...\n", json!({"a": 1})),
        (
            r#"{"a":"\ud83d\ude00\/\\ud83d", "b":1}"#,
            json!({"a": "😀/\\ud83d", "b": 1}),
        ),
        ("{\n\t\"a\": [\n\t\t1\n\t]\n}", json!({"a": [1]})),
        ("true: 1\n2: 3", json!({"true": 1, "2": 3})),
    ] {
        assert_eq!(meaning(yaml).unwrap(), json, "{yaml}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~\\r\\n\\t\u{85}\u{a0}\u{2028}\u{feff}]{0,8}".prop_map(Value::from),
    ];
    let any = leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            hash_map(".{0,4}", inner, 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    });
    hash_map("[a-z]{1,4}", any, 0..6).prop_map(|members| members.into_iter().collect())
}

#[test]
fn json_is_read_as_json() {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(20_190_315);
    }
    let run = TestRunner::new(config).run(&any_json(), |value| {
        for text in [
            value.to_string(),
            format!("{value:#}"),
            ascii(&value.to_string()),
        ] {
            let read = meaning(&text);
            prop_assert_eq!(read.as_ref(), Ok(&value), "{}", text);
        }
        Ok(())
    });
    run.unwrap();
}

/// As writers write it that trust nobody with Unicode.
fn ascii(json: &str) -> String {
    let mut text = String::new();
    for character in json.chars() {
        match character.is_ascii() {
            true => text.push(character),
            false => {
                let mut halves = [0; 2];
                for half in character.encode_utf16(&mut halves) {
                    text += &format!("\\u{half:04x}");
                }
            }
        }
    }
    text
}
