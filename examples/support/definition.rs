//! Definitions of flows, YAML or JSON, compared by what they mean.

use std::collections::BTreeMap;

use saphyr::{Scalar, Yaml, YamlLoader};
use saphyr_parser::{Parser, ScanError};
use serde::de::IgnoredAny;
use serde_json::{Number, Value};
use sha2::{Digest as _, Sha256};

/// What a definition means: without byte order mark, ends of lines, comments, order of keys and
/// ways of writing. Two definitions are the same where this is equal.
pub fn meaning(text: &str) -> Result<Value, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut text = text.replace("\r\n", "\n");
    if serde_json::from_str::<IgnoredAny>(&text).is_ok() {
        text = whole_characters(&text);
    }
    let documents = documents(&text).map_err(|error| error.to_string())?;
    match documents.as_slice() {
        [only @ Yaml::Mapping(_)] => value(only),
        [_] => Err("not a definition, which begins with names and values".to_owned()),
        documents => Err(format!("{} documents instead of one", documents.len())),
    }
}

fn documents(text: &str) -> Result<Vec<Yaml<'_>>, ScanError> {
    let mut loader = YamlLoader::default();
    // What a number looks like is looked at here.
    loader.early_parse(false);
    Parser::new_from_str(text).load(&mut loader, true)?;
    match loader.error() {
        Some(error) => Err(error.clone()),
        None => Ok(loader.into_documents()),
    }
}

/// JSON may write one character as two escapes, which YAML does not know.
fn whole_characters(json: &str) -> String {
    let half = |text: &str| u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let (mut whole, mut rest) = (String::new(), json);
    while let Some((before, escape)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        whole.push_str(before);
        let halves = half(escape).zip(escape.get(6..).and_then(half));
        let halves = halves.map(|(a, b)| String::from_utf16(&[a, b]).unwrap_or_default());
        match halves.filter(|halves| halves.chars().count() == 1) {
            Some(character) => {
                whole.push_str(&character);
                rest = &escape[12..];
            }
            None => {
                let (escape, after) = escape.split_at(escape.len().min(2));
                whole.push_str(escape);
                rest = after;
            }
        }
    }
    whole + rest
}

/// A checksum of what a definition means.
pub fn checksum(meaning: &Value) -> String {
    let digest = Sha256::digest(meaning.to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The flow's name in a definition, if it says one.
pub fn name(meaning: &Value) -> Option<&str> {
    let name = meaning.get("Name").or_else(|| meaning.get("name"));
    name?.as_str()
}

fn value(yaml: &Yaml<'_>) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Representation(text, style, tag) => {
            let known = tag.as_ref().is_none_or(|tag| tag.is_yaml_core_schema());
            let scalar = Scalar::parse_from_cow_and_metadata(text.clone(), *style, tag.as_ref());
            match scalar.filter(|_| known) {
                Some(Scalar::Null) => Value::Null,
                Some(Scalar::Boolean(flag)) => Value::Bool(flag),
                Some(Scalar::Integer(number)) => Value::from(number),
                Some(Scalar::FloatingPoint(number)) => Value::Number(
                    exact(text, number.into_inner())
                        .ok_or_else(|| format!("{text} is a number that would be changed"))?,
                ),
                Some(Scalar::String(text)) => Value::from(text.as_ref()),
                None => return Err(format!("{text} has a tag that JSON does not have")),
            }
        }
        Yaml::Sequence(items) => items.iter().map(value).collect::<Result<_, _>>()?,
        Yaml::Mapping(members) => {
            // In order, for the checksum.
            let mut read = BTreeMap::new();
            for (key, member) in members {
                let key = match value(key)? {
                    Value::String(key) => key,
                    key => key.to_string(),
                };
                if let Some(twice) = read.insert(key.clone(), value(member)?).and(Some(key)) {
                    return Err(format!("{twice} is there twice"));
                }
            }
            Value::Object(read.into_iter().collect())
        }
        _ => return Err("a tag or an alias that JSON does not have".to_owned()),
    })
}

/// A number that is no integer of 64 bits, unless it has more digits than are kept.
fn exact(text: &str, number: f64) -> Option<Number> {
    let digits = text.split(['e', 'E']).next()?;
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    match text.parse::<u64>() {
        Ok(number) => Some(Number::from(number)),
        Err(_) => Number::from_f64(number).filter(|_| digits.trim_matches('0').len() <= 17),
    }
}
