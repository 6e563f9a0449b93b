//! Whether what a service shows is what was sent.

use crate::{Payload, pipeline::same::same_input};

#[test]
fn inputs_are_the_same_by_what_they_mean() {
    let payload = |text: &str| Payload::from_json(text);
    let same = |theirs: Option<&str>, ours: Option<&str>| {
        let (theirs, ours) = (theirs.map(payload), ours.map(payload));
        same_input(theirs.as_ref(), ours.as_ref())
    };
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let deep_too = format!("{} 1{}", "[".repeat(200), "]".repeat(200));
    let (yes, no, unseen) = (Some(true), Some(false), None);
    for (left, right, expected) in [
        // Nothing, in all its forms.
        ("", "{}", yes),
        ("  ", "{ \n }", yes),
        ("{}", "{\"a\":1}", no),
        ("{", "{}", unseen),
        ("}", "{}", unseen),
        ("{}}", "{}", unseen),
        ("{{}", "{}", unseen),
        // Values of one kind.
        (r#"{"a":1}"#, r#"{ "a" : 1 }"#, yes),
        (r#"{"a":1}"#, r#"{"b":1}"#, no),
        (r#"{"a":1}"#, r#"{"a":2}"#, no),
        (r#"{"a":1}"#, r#"{"a":1,"b":null}"#, no),
        (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, yes),
        (r#"{"a":"1"}"#, r#"{"a":1}"#, no),
        (r#"{"a":"x"}"#, r#"{"a":"\u0078"}"#, yes),
        (r#"{"a":"x"}"#, r#"{"a":"y"}"#, no),
        (r#"{"a":[1,2]}"#, r#"{"a":[ 1,2]}"#, yes),
        (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#, no),
        (r#"{"a":[1,2]}"#, r#"{"a":[1]}"#, no),
        (r#"{"a":[]}"#, r#"{"a":{}}"#, no),
        (r#"{"a":null}"#, r#"{"a": null}"#, yes),
        (r#"{"a":true}"#, r#"{"a":false}"#, no),
        // Numbers by their value, where it can be seen.
        (r#"{"a":1}"#, r#"{"a":1.0}"#, yes),
        (r#"{"a":10}"#, r#"{"a":1e1}"#, yes),
        (r#"{"a":-3}"#, r#"{"a":-3.0}"#, yes),
        (r#"{"a":1}"#, r#"{"a":1.5}"#, no),
        (r#"{"a":8e15}"#, r#"{"a":8000000000000000}"#, yes),
        (r#"{"a":1e17}"#, r#"{"a":100000000000000000}"#, unseen),
        (r#"{"a":-1e17}"#, r#"{"a":-100000000000000000}"#, unseen),
        (r#"{"a":9e15}"#, r#"{"a":9000000000000000}"#, yes),
        (r#"{"a":1e17}"#, r#"{"a":2e17}"#, no),
        (r#"{"a":1e17,"b":1}"#, r#"{"b":1.0,"a":1e17}"#, yes),
        (r#"{"a":1e400}"#, r#"{"a":1}"#, unseen),
        // What differs decides, beside what cannot be told.
        (
            r#"{"a":1e17,"b":1}"#,
            r#"{"a":100000000000000000,"b":2}"#,
            no,
        ),
        (
            r#"{"a":[1e17,1]}"#,
            r#"{"a":[100000000000000000,1.0]}"#,
            unseen,
        ),
        (&deep, &deep, yes),
        (&deep, &deep_too, unseen),
    ] {
        assert_eq!(same(Some(left), Some(right)), expected, "{left} {right}");
        assert_eq!(same(Some(right), Some(left)), expected, "{right} {left}");
    }
    // What is not shown was not there, or is kept back.
    for (theirs, ours, expected) in [
        (None, None, yes),
        (None, Some(""), yes),
        (None, Some(" {} "), yes),
        (None, Some(r#"{"a":1}"#), unseen),
        (Some("{}"), None, yes),
        (Some(r#"{"a":1}"#), None, no),
    ] {
        assert_eq!(same(theirs, ours), expected, "{theirs:?} {ours:?}");
    }
}
