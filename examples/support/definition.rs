//! Definitions of flows, YAML or JSON, compared by what they mean.

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Number, Value};
use sha2::{Digest as _, Sha256};

/// What a definition means: without byte order mark, ends of lines, comments, order of keys and
/// ways of writing. Two definitions are the same where this is equal.
pub fn meaning(text: &str) -> Result<Value, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n");
    let documents = Yaml::load_from_str(&text).map_err(|error| error.to_string())?;
    match documents.as_slice() {
        [only] => value(only),
        documents => Err(format!("{} documents instead of one", documents.len())),
    }
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
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(flag)) => Value::Bool(*flag),
        Yaml::Value(Scalar::Integer(number)) => Value::from(*number),
        Yaml::Value(Scalar::FloatingPoint(number)) => {
            let number = Number::from_f64(number.into_inner());
            Value::Number(number.ok_or("a number that JSON does not have")?)
        }
        Yaml::Value(Scalar::String(text)) => Value::from(text.as_ref()),
        Yaml::Sequence(items) => items.iter().map(value).collect::<Result<_, _>>()?,
        Yaml::Mapping(members) => {
            let members = members.iter().map(|(key, member)| match value(key)? {
                Value::String(key) => Ok((key, value(member)?)),
                key => Ok((key.to_string(), value(member)?)),
            });
            Value::Object(members.collect::<Result<Map<_, _>, String>>()?)
        }
        _ => return Err("a tag or a value that JSON does not have".to_owned()),
    })
}
