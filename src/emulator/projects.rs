//! Huawei Cloud IAM: the projects of the account.

use http::StatusCode;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{State, aksk, id, record::RecordedRequest, reply::Reply, token::DOMAIN_ID};

/// Lists the one project, where it bears the name that is asked for or none is.
pub(crate) fn handle(state: &State, request: &RecordedRequest) -> Reply {
    if let Err(reply) = aksk::project(state, request) {
        return *reply;
    }
    let settings = &state.huawei;
    let is_asked_for = form_urlencoded::parse(request.query.as_bytes())
        .filter(|(name, _)| name == "name")
        .all(|(_, value)| value == settings.region);
    let address = format!("{}/v3/projects", state.url);
    let project = json!({
        "id": settings.project_id,
        "name": settings.region,
        "domain_id": DOMAIN_ID,
        "parent_id": DOMAIN_ID,
        "enabled": true,
        "is_domain": false,
        "description": "",
        "links": {"self": format!("{address}/{}", settings.project_id)},
    });
    let projects = if is_asked_for { vec![project] } else { vec![] };
    let links = json!({"self": address, "next": Value::Null, "previous": Value::Null});
    let body = json!({"projects": projects, "links": links});
    Reply::json(StatusCode::OK, &id::hex(), &body)
}
