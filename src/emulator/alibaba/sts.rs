//! STS, version `2015-04-01`: `AssumeRole` and `AssumeRoleWithOIDC`.
//!
//! Source: Alibaba Cloud, STS, AssumeRole and AssumeRoleWithOIDC.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    keys::AccessKey,
    parameters::{Parameters, Refused, optional, required},
};
use crate::{
    emulator::{State, id},
    payload,
};

pub(super) const VERSION: &str = "2015-04-01";

/// How long a key may live, in seconds.
const SHORTEST: u64 = 900;
const LONGEST: u64 = 43_200;

/// Whether it is an operation of STS.
pub(super) fn is_operation(action: &str) -> bool {
    matches!(action, "AssumeRole" | "AssumeRoleWithOIDC")
}

/// Gives keys of a role for the key that the call was signed with.
pub(super) fn assume_role(state: &State, parameters: &Parameters) -> Answer {
    issue(state, parameters, "AssumeRole", Map::new())
}

/// Gives keys of a role for a token. The call is not signed.
pub(super) fn assume_role_with_oidc(state: &State, parameters: &Parameters) -> Answer {
    let provider = required(parameters, "OIDCProviderArn")?;
    if !is_arn(provider, "oidc-provider/") {
        return Err(wrong("OIDCProviderArn", "is wrongly formed"));
    }
    let token = required(parameters, "OIDCToken")?;
    let claims = Claims::of(token);
    let now = state.clock.now().timestamp();
    if claims.exp.is_some_and(|end| end <= now) {
        return Err(Refused::new(
            StatusCode::BAD_REQUEST,
            "AuthenticationFail.OIDCToken.Expired",
            "This JWT Token has been expired.",
        ));
    }
    let info = json!({
        "Subject": claims.sub.unwrap_or_default(),
        "Issuer": claims.iss.unwrap_or_default(),
        "ClientIds": claims.aud.as_ref().and_then(Value::as_str).unwrap_or_default(),
    });
    let info = [("OIDCTokenInfo".to_owned(), info)].into_iter().collect();
    issue(state, parameters, "AssumeRoleWithOIDC", info)
}

type Answer = Result<Map<String, Value>, Refused>;

fn issue(state: &State, parameters: &Parameters, action: &str, more: Map<String, Value>) -> Answer {
    let role = required(parameters, "RoleArn")?;
    if !is_arn(role, "role/") {
        return Err(wrong("RoleArn", "is wrongly formed"));
    }
    let session = required(parameters, "RoleSessionName")?;
    let fits = (2..=64).contains(&session.len())
        && session
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".@-_".contains(&byte));
    if !fits {
        return Err(wrong("RoleSessionName", "is wrongly formed"));
    }
    if let Some(policy) = optional(parameters, "Policy")
        && !payload::is_object(policy)
    {
        let message = "The parameter Policy has not passed grammar check.";
        let status = StatusCode::BAD_REQUEST;
        return Err(Refused::new(
            status,
            "InvalidParameter.PolicyGrammar",
            message,
        ));
    }
    let seconds = match optional(parameters, "DurationSeconds") {
        None => 3600,
        Some(text) => {
            let seconds = text.parse().ok();
            seconds
                .filter(|seconds| (SHORTEST..=LONGEST).contains(seconds))
                .ok_or_else(|| wrong("DurationSeconds", "must be 900 to 43200"))?
        }
    };
    let quirks = state.flows.world().quirks.get();
    if !quirks.roles.is_empty() && !quirks.roles.contains(role) {
        let message = "The specified Role not exists.";
        return Err(Refused::new(
            StatusCode::NOT_FOUND,
            "EntityNotExist.Role",
            message,
        ));
    }
    if state.flows.world().quirks.denies("sts", action) {
        let message = "You are not authorized to do this action. You should be authorized by RAM.";
        return Err(Refused::new(StatusCode::FORBIDDEN, "NoPermission", message));
    }

    let key = AccessKey {
        id: format!("STS.{}", id::hex()),
        secret: id::hex(),
        security_token: Some(format!("CAIS{}{}", id::hex(), id::hex())),
    };
    let life = TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
    let expiration = state.clock.now().checked_add_signed(life);
    let expiration = expiration.unwrap_or(DateTime::<Utc>::MAX_UTC);
    let assumed = role.replacen(":role/", ":assumed-role/", 1);
    let mut body = more;
    body.insert(
        "Credentials".to_owned(),
        json!({
            "AccessKeyId": key.id,
            "AccessKeySecret": key.secret,
            "SecurityToken": key.security_token,
            "Expiration": expiration.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }),
    );
    body.insert(
        "AssumedRoleUser".to_owned(),
        json!({
            "Arn": format!("{assumed}/{session}"),
            "AssumedRoleId": format!("{}:{session}", id::hex()),
        }),
    );
    let expires = state
        .clock
        .passed()
        .saturating_add(Duration::from_secs(seconds));
    state.issued.add(key, expires);
    Ok(body)
}

fn wrong(parameter: &str, fault: &str) -> Refused {
    let code = match parameter {
        "RoleArn" => "InvalidParameter.RoleArn",
        "RoleSessionName" => "InvalidParameter.RoleSessionName",
        "DurationSeconds" => "InvalidParameter.DurationSeconds",
        _ => "InvalidParameter.OIDCProviderArn",
    };
    let message = format!("The parameter {parameter} {fault}.");
    Refused::new(StatusCode::BAD_REQUEST, code, message)
}

/// Whether it is such a resource of an account in RAM.
fn is_arn(text: &str, kind: &str) -> bool {
    let Some((account, resource)) = text
        .strip_prefix("acs:ram::")
        .and_then(|rest| rest.split_once(':'))
    else {
        return false;
    };
    let name = resource.strip_prefix(kind).unwrap_or_default();
    // The documents mask the end of account numbers.
    let is_account = account
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'*');
    is_account && !account.is_empty() && !name.is_empty()
}

/// What a token says of itself. One that is no JWT says nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Claims {
    exp: Option<i64>,
    sub: Option<String>,
    iss: Option<String>,
    aud: Option<Value>,
}

impl Claims {
    fn of(token: &str) -> Self {
        let claims = token.split('.').nth(1).unwrap_or_default();
        let claims = URL_SAFE_NO_PAD.decode(claims).unwrap_or_default();
        serde_json::from_slice(&claims).unwrap_or_default()
    }
}
