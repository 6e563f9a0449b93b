//! Who asks, and when: the common parameters of signature v1.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use http::StatusCode;
use percent_encoding::utf8_percent_encode;

use super::{
    keys::AccessKey,
    parameters::{Parameters, Refused, optional, required},
    sts,
};
use crate::{
    alibaba::signature::Key,
    emulator::{State, record::RecordedRequest},
    pipeline::percent::RESERVED,
};

/// Refuses what is not signed right, in the order in which the service looks.
pub(super) fn check(
    state: &State,
    request: &RecordedRequest,
    parameters: &Parameters,
) -> Result<(), Refused> {
    let settings = &state.alibaba;
    let action = required(parameters, "Action")?;
    let version = required(parameters, "Version")?;
    let wanted = if sts::is_operation(action) {
        sts::VERSION
    } else {
        "2019-03-15"
    };
    if version != wanted {
        let message =
            format!("The requested API version '{version}' is not supported yet. Please check.");
        let status = StatusCode::BAD_REQUEST;
        return Err(Refused::new(status, "APIVersionNotSupported", message));
    }
    // The token speaks for itself.
    if action == "AssumeRoleWithOIDC" {
        return Ok(());
    }
    for (name, only) in [
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
    ] {
        if required(parameters, name)? != only {
            return Err(Refused::invalid(format!("{name} must be {only}")));
        }
    }
    let timestamp = required(parameters, "Timestamp")?;
    let time = read_time(timestamp).ok_or_else(|| {
        Refused::invalid("Timestamp must be UTC time in the form yyyy-MM-ddTHH:mm:ssZ")
    })?;
    let nonce = required(parameters, "SignatureNonce")?;
    let key_id = required(parameters, "AccessKeyId")?;
    let signature = required(parameters, "Signature")?;

    let now = state.clock.now();
    let window = TimeDelta::from_std(settings.clock_window).unwrap_or(TimeDelta::MAX);
    if (now - time).abs() > window {
        let now = now.format("%Y-%m-%dT%H:%M:%SZ");
        let message = format!(
            "The difference between the request time {timestamp} and the current time {now} is \
             too large."
        );
        let status = StatusCode::FORBIDDEN;
        return Err(Refused::new(status, "RequestTimeTooSkewed", message));
    }
    let key = settings.keys.iter().rfind(|key| key.id == key_id);
    let key = key.map(|key| (key.clone(), true));
    let key = key.or_else(|| state.issued.find(key_id, state.clock.passed()));
    let (key, is_good) = key.ok_or_else(|| {
        let message = format!("The AccessKey ID {key_id} is invalid.");
        Refused::new(StatusCode::FORBIDDEN, "InvalidAccessKeyID", message)
    })?;
    check_token(&key, parameters)?;
    if !is_good {
        let message = "Specified SecurityToken is expired.";
        let status = StatusCode::FORBIDDEN;
        return Err(Refused::new(
            status,
            "InvalidSecurityToken.Expired",
            message,
        ));
    }
    if sign(&key, request.method.as_str(), parameters) != signature {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "SignatureNotMatch",
            "The request signature we calculated does not match the signature you provided. Check \
             your access key and signing method.",
        ));
    }
    if !state.nonces.take(key_id, nonce) {
        return Err(Refused::new(
            StatusCode::BAD_REQUEST,
            "SignatureNonceUsed",
            "Specified signature nonce was used already.",
        ));
    }
    Ok(())
}

fn read_time(text: &str) -> Option<DateTime<Utc>> {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%SZ").ok()?;
    // chrono also takes numbers without their leading zeros.
    let time = (text.len() == "yyyy-MM-ddTHH:mm:ssZ".len()).then_some(time)?;
    Some(time.and_utc())
}

fn check_token(key: &AccessKey, parameters: &Parameters) -> Result<(), Refused> {
    let code = match (&key.security_token, optional(parameters, "SecurityToken")) {
        (Some(token), given) if given != Some(token) => "InvalidSecurityToken.Malformed",
        (None, Some(_)) => "InvalidSecurityToken.MismatchWithAccessKey",
        _ => return Ok(()),
    };
    let message = "Specified SecurityToken is not the one of this AccessKey.";
    Err(Refused::new(StatusCode::BAD_REQUEST, code, message))
}

/// The signature that the parameters should bear.
fn sign(key: &AccessKey, method: &str, parameters: &Parameters) -> String {
    let encode = |text| utf8_percent_encode(text, RESERVED).to_string();
    let encoded: Vec<String> = parameters
        .iter()
        .filter(|(name, _)| *name != "Signature")
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    Key::new(&key.secret).sign(method, encoded.join("&").as_bytes())
}
