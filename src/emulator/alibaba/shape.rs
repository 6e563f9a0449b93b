//! JSON and XML bodies.

use http::{HeaderName, StatusCode, header};
use serde_json::{Map, Value, json};

use super::parameters::{action, lenient};
use crate::emulator::{id, record::RecordedRequest, reply::Reply};

/// The answer of an operation; adds the request id.
pub(super) fn answer(request: &RecordedRequest, mut body: Map<String, Value>) -> Reply {
    let request_id = id::uuid().to_uppercase();
    body.insert("RequestId".to_owned(), json!(request_id));
    let root = format!("{}Response", action(request));
    render(request, StatusCode::OK, &root, &body.into(), &request_id)
}

/// An error answer.
pub(crate) fn error(
    request: &RecordedRequest,
    status: StatusCode,
    code: &str,
    message: &str,
) -> Reply {
    let request_id = id::uuid().to_uppercase();
    let host = request.headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let body = json!({
        "RequestId": request_id,
        "HostId": host,
        "Code": code,
        "Message": message,
    });
    render(request, status, "Error", &body, &request_id)
}

fn render(
    request: &RecordedRequest,
    status: StatusCode,
    root: &str,
    body: &Value,
    request_id: &str,
) -> Reply {
    let json = lenient(request, "Format").is_some_and(|format| format.eq_ignore_ascii_case("JSON"));
    let mut reply = if json {
        Reply::new(status, "application/json;charset=utf-8", body.to_string())
    } else {
        let mut xml = r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned();
        push_xml(&mut xml, root, body);
        Reply::new(status, "text/xml;charset=utf-8", xml)
    };
    reply.set(HeaderName::from_static("x-acs-request-id"), request_id);
    reply
}

/// Appends an element; a list becomes an element for each of its members.
fn push_xml(xml: &mut String, name: &str, value: &Value) {
    if let Value::Array(members) = value {
        for member in members {
            push_xml(xml, name, member);
        }
        return;
    }
    xml.extend(["<", name, ">"]);
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                push_xml(xml, name, value);
            }
        }
        Value::String(text) => push_text(xml, text),
        other => xml.push_str(&other.to_string()),
    }
    xml.extend(["</", name, ">"]);
}

fn push_text(xml: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '\t' | '\n' => xml.push(character),
            '\r' => xml.push_str("&#13;"),
            // XML has no way to write these.
            '\0'..'\x20' | '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            _ => xml.push(character),
        }
    }
}
