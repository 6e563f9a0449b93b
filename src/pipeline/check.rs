//! What is checked before anything is sent: what the form of a request demands.

use super::{
    record::{Fields, Member, Rule, Shown, Value},
    show,
};
use crate::{
    error::Error,
    execution_name::check_name,
    payload::{Payload, is_json, is_object},
};

/// Refuses a request that breaks a rule, in the order of its fields.
pub(crate) fn fields(request: &dyn Fields) -> Result<(), Error> {
    let mut verdict = Ok(());
    show::each(request, |member, value| {
        if verdict.is_ok() {
            verdict = field(request, member, value);
        }
    });
    verdict
}

fn field(request: &dyn Fields, member: &Member, value: &dyn Value) -> Result<(), Error> {
    if let Some(fault) = value.fault() {
        return Err(Error::invalid(member.wire, fault));
    }
    let payload = value.payload();
    let value = value.show(request.json());
    for rule in member.rules {
        match rule {
            Rule::Object if payload.is_some_and(Payload::is_object) => {}
            rule => keeps(member.wire, *rule, &value)?,
        }
    }
    match value {
        Shown::Part(part) => fields(part),
        Shown::List(items) => items.iter().try_for_each(|item| match item {
            Shown::Part(part) => fields(*part),
            _ => Ok(()),
        }),
        _ => Ok(()),
    }
}

/// Whether a value, where there is one, keeps a rule.
fn keeps(wire: &str, rule: Rule, value: &Shown<'_>) -> Result<(), Error> {
    let refuse = |what: String| Err(Error::invalid(wire, what));
    let text = match value {
        Shown::Text(text) | Shown::Json(text) => Some(*text),
        _ => None,
    };
    let number = match value {
        Shown::Integer(number) => Some(*number as f64),
        Shown::Number(number) => Some(*number),
        _ => None,
    };
    if let (Rule::Length(least, most), Shown::List(items)) = (rule, value)
        && !(least..=most).contains(&items.len())
    {
        return refuse(format!("must be {least} to {most} items"));
    }
    match (rule, text, number) {
        (Rule::Only(is_allowed, what), Some(text), _) if !text.chars().all(is_allowed) => {
            refuse(format!("must hold {what} only"))
        }
        (Rule::Name, Some(text), _) => check_name(wire, text),
        (Rule::Object, Some(text), _) if !is_object(text) => {
            refuse("must be the text of a JSON object".to_owned())
        }
        (Rule::Value, Some(text), _) if !is_json(text) => {
            refuse("must be the text of a JSON value".to_owned())
        }
        (Rule::Filled, Some(""), _) => refuse("is empty".to_owned()),
        (Rule::Length(least, most), Some(text), _)
            if !(least..=most).contains(&text.chars().count()) =>
        {
            refuse(format!("must be {least} to {most} characters"))
        }
        (Rule::Bytes(most), Some(text), _) if text.len() > most => {
            refuse(format!("must be at most {most} bytes"))
        }
        (Rule::Range(least, most), _, Some(number))
            if !(least as f64..=most as f64).contains(&number) =>
        {
            refuse(format!("must be {least} to {most}"))
        }
        _ => Ok(()),
    }
}
