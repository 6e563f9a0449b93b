//! Definitions of flows, which are text here: the name that they say, and how a service that
//! reformats gives them back.

use std::borrow::Cow;

use serde_json::Value;

use crate::emulator::State;

/// The flow's name in a definition, if it says one.
pub(super) fn name(definition: &str) -> Option<String> {
    if let Some(json) = json(definition) {
        let name = json.get("Name").or_else(|| json.get("name"))?;
        return name.as_str().map(str::to_owned);
    }
    let text = plain(definition);
    let value = text.lines().find_map(|line| {
        let value = line.strip_prefix("Name:");
        value.or_else(|| line.strip_prefix("name:"))
    })?;
    let value = value.split(" #").next().unwrap_or_default().trim();
    let bare = ['"', '\''].into_iter().find_map(|quote| {
        let inner = value.strip_prefix(quote)?;
        inner.strip_suffix(quote)
    });
    Some(bare.unwrap_or(value).to_owned())
}

/// A definition as an answer shows it.
pub(super) fn shown<'a>(state: &State, definition: &'a str) -> Cow<'a, str> {
    match state.flows.world().quirks.get().reformat_definitions {
        true => Cow::Owned(reformatted(definition)),
        false => Cow::Borrowed(definition),
    }
}

/// Other words of the same meaning.
fn reformatted(definition: &str) -> String {
    if let Some(json) = json(definition) {
        return format!("{json:#}\n");
    }
    let text = plain(definition);
    // Order matters to what is named in one part and meant in another.
    let is_bound = text.contains(['&', '*', '%']);
    let mut parts = vec![String::new()];
    for line in text.lines() {
        let is_key = line.starts_with(|first: char| first.is_alphabetic());
        let is_over = matches!(line, "---" | "...");
        if is_bound || (is_over && parts.len() > 1) {
            return format!("{}\n", text.trim_end());
        }
        if is_key {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(&flag(line).unwrap_or_else(|| line.to_owned()));
            part.push('\n');
        }
    }
    if let Some((_, keys)) = parts.split_first_mut() {
        keys.reverse();
    }
    parts.concat()
}

/// A line of the outermost level that says yes or no, as a reader of YAML 1.1 writes it.
fn flag(line: &str) -> Option<String> {
    let (key, word) = line.split_once(": ")?;
    let flag = match word {
        "yes" => "true",
        "no" => "false",
        _ => return None,
    };
    (!key.starts_with([' ', '-', '#'])).then(|| format!("{key}: {flag}"))
}

fn json(definition: &str) -> Option<Value> {
    let read = serde_json::from_str::<Value>(plain(definition).trim()).ok()?;
    read.is_object().then_some(read)
}

/// Without byte order mark, with lines that end in `\n`.
fn plain(definition: &str) -> String {
    let text = definition.strip_prefix('\u{feff}').unwrap_or(definition);
    text.replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_says_its_name() {
        for (definition, said) in [
            ("Type: StateMachine\r\nName: a_1\r\n", Some("a_1")),
            ("\u{feff}name: 'b'\nsteps:\n  - name: inner\n", Some("b")),
            ("Name: \"c\" # its name\n", Some("c")),
            (
                "{\"Name\": \"d\", \"States\": [{\"Name\": \"inner\"}]}",
                Some("d"),
            ),
            ("steps:\n  - type: pass\n    name: inner\n", None),
        ] {
            assert_eq!(name(definition).as_deref(), said, "{definition}");
        }
    }

    #[test]
    fn reformatting_keeps_the_meaning() {
        for (definition, other) in [
            ("a: 1\r\nb:\r\n  - c\r\n# d\r\n", "b:\n  - c\n# d\na: 1\n"),
            (
                "---\na: |\n  x\n\n  y\nb:\n- z",
                "---\nb:\n- z\na: |\n  x\n\n  y\n",
            ),
            ("a: &x 1\nb: *x", "a: &x 1\nb: *x\n"),
            ("b: |\n  a: no\na: yes", "a: true\nb: |\n  a: no\n"),
            ("a: 1\n---\nb: 2", "a: 1\n---\nb: 2\n"),
            ("{\"b\": 1, \"a\": 2}", "{\n  \"a\": 2,\n  \"b\": 1\n}\n"),
        ] {
            assert_eq!(reformatted(definition), other, "{definition}");
        }
    }
}
