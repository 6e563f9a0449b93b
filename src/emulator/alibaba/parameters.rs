//! The parameters of a call, and the refusal of what is wrong with them.

use std::collections::BTreeMap;

use http::StatusCode;
use url::form_urlencoded;

use crate::emulator::record::RecordedRequest;

/// Decoded parameters of query and body.
pub(super) type Parameters = BTreeMap<String, String>;

/// An error answer in the making.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    }

    pub(super) fn missing(name: &str) -> Self {
        let message = format!("The HTTP query '{name}' must be specified.");
        Self::new(StatusCode::BAD_REQUEST, "MissingRequiredParams", message)
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("The payload size exceeds maximum allowed size ({limit} bytes).");
        Self::new(StatusCode::BAD_REQUEST, "EntityTooLarge", message)
    }

    pub(super) fn action(action: &str) -> Self {
        let message = format!("The requested API operation '{action}' is incorrect. Please check.");
        Self::new(StatusCode::BAD_REQUEST, "ActionNotSupported", message)
    }
}

/// A parameter that must be there and hold something.
pub(super) fn required<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a str, Refused> {
    optional(parameters, name).ok_or_else(|| Refused::missing(name))
}

/// A parameter; official clients send some as empty text when there is none.
pub(super) fn optional<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    let value = parameters.get(name).map(String::as_str);
    value.filter(|value| !value.is_empty())
}

/// A parameter that is a name: `^[A-Za-z_][A-Za-z0-9_-]{0,127}$`.
pub(super) fn name<'a>(
    parameters: &'a Parameters,
    parameter: &str,
) -> Result<Option<&'a str>, Refused> {
    let name = optional(parameters, parameter);
    if let Some(name) = name {
        let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let rest = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !first || !rest || name.len() > 128 {
            let message = format!("{parameter} is not a valid name");
            return Err(Refused::invalid(message));
        }
    }
    Ok(name)
}

/// The `Action` as sent, found without judging the rest.
pub(crate) fn action(request: &RecordedRequest) -> String {
    lenient(request, "Action").unwrap_or_default()
}

/// A parameter of a request that need not be well-formed.
pub(super) fn lenient(request: &RecordedRequest, name: &str) -> Option<String> {
    [request.query.as_bytes(), &request.body]
        .into_iter()
        .flat_map(form_urlencoded::parse)
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

/// A name that must be there.
pub(super) fn the_name<'a>(parameters: &'a Parameters, what: &str) -> Result<&'a str, Refused> {
    name(parameters, what)?.ok_or_else(|| Refused::missing(what))
}

/// A text that may be empty, where it is given at all.
pub(super) fn text(parameters: &Parameters, name: &str) -> Option<String> {
    parameters.get(name).cloned()
}

/// The flow, and the name of something that it has.
pub(super) fn names<'a>(
    parameters: &'a Parameters,
    what: &str,
) -> Result<(&'a str, &'a str), Refused> {
    Ok((
        the_name(parameters, "FlowName")?,
        the_name(parameters, what)?,
    ))
}
