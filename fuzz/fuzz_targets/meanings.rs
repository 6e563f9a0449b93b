//! Any file of a flow, by what it means: JSON means what a JSON reader says, what was read means
//! the same however it is written, and the checksum says no more and no less.
//!
//! Pieces: a file, and perhaps another one.

#![no_main]

#[path = "../../examples/support/definition.rs"]
mod definition;

use cloud_workflows_fuzz::{json, texts, within};
use definition::{checksum, meaning, name};
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(texts) = texts(data) else {
        return;
    };
    let meanings: Vec<Value> = texts
        .iter()
        .take(2)
        .filter_map(|text| check(text))
        .collect();
    if let [one, other] = &meanings[..] {
        assert_eq!(one == other, checksum(one) == checksum(other));
    }
});

fn check(text: &str) -> Option<Value> {
    // Parts that are named once and used again and again must not grow without end.
    let read = within(64 << 20, || meaning(text));
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        as_json(text, &value, &read);
    }
    let read = read.ok()?;
    let said = read.get("Name").or(read.get("name"));
    assert_eq!(name(&read), said.and_then(Value::as_str));
    let sum = checksum(&read);
    let compact = read.to_string();
    let tree = json::read(&compact)?;
    let turned = tree.turned();
    for (way, again) in [
        ("JSON", compact.clone()),
        ("indented", format!("{read:#}")),
        ("turned", turned.written(" ")),
        ("in ASCII", ascii(&turned.written("\n "))),
        ("with a mark", format!("\u{feff}{compact}")),
        (
            "behind a remark",
            format!("# said before\r\n---\r\n{compact}\r\n...\r\n"),
        ),
    ] {
        let again = meaning(&again).unwrap_or_else(|why| panic!("{way}: {why}: {again}"));
        assert_eq!(again, read, "{way}");
        assert_eq!(checksum(&again), sum, "{way}");
    }
    // Ends of lines say nothing, but for the one that a text of its own is made of.
    if !text.contains('\r') {
        let again = meaning(&text.replace('\n', "\r\n"));
        assert_eq!(again.as_ref(), Ok(&read), "{text}");
    }
    Some(read)
}

/// What a JSON reader says that it means.
fn as_json(text: &str, value: &Value, read: &Result<Value, String>) {
    if let Ok(read) = read {
        assert!(value.is_object(), "{text}");
        // Numbers are compared as they are written: what is kept is kept whole.
        assert_eq!(read, value, "{text}");
        return;
    }
    let Some(tree) = json::read(text) else {
        return;
    };
    let why = read.as_ref().err().map(String::as_str).unwrap_or_default();
    let is_known = !value.is_object()
        || is_twice(&tree)
        || why.contains("would be changed")
        || why.contains("recursion")
        || text.contains(['\u{feff}', '\u{7f}']);
    assert!(is_known, "{why}: {text}");
}

/// Whether a name stands twice anywhere.
fn is_twice(tree: &json::Node<'_>) -> bool {
    match tree {
        json::Node::Plain(_) => false,
        json::Node::List(items) => items.iter().any(is_twice),
        json::Node::Map(members) => {
            json::twice(members) || members.iter().any(|(_, value)| is_twice(value))
        }
    }
}

/// JSON in nothing but ASCII, as many programs write it.
fn ascii(json: &str) -> String {
    let mut written = String::new();
    for c in json.chars() {
        match c.is_ascii() {
            true => written.push(c),
            false => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    written += &format!("\\u{unit:04x}");
                }
            }
        }
    }
    written
}
