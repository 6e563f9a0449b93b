//! What a caller whose signature is right may do, and how often.

use http::StatusCode;

use super::{
    parameters::{Parameters, Refused, optional},
    sts,
};
use crate::emulator::State;

/// Refuses what the caller has no right to, and what is over the account's quotas.
pub(super) fn check(state: &State, parameters: &Parameters) -> Result<(), Refused> {
    let action = optional(parameters, "Action").unwrap_or_default();
    if sts::is_operation(action) {
        return Ok(());
    }
    let world = state.flows.world();
    if world.quirks.denies("fnf", action) {
        let flow = optional(parameters, "FlowName").unwrap_or("*");
        let message = format!(
            "The caller is not authorized to perform 'fnf:{action}' on resource \
             'acs:fnf:*:*:flow/{flow}'."
        );
        return Err(Refused::new(StatusCode::FORBIDDEN, "AccessDenied", message));
    }
    let key = optional(parameters, "AccessKeyId").unwrap_or_default();
    if world.buckets.take(action, key, world.clock.passed()) {
        return Ok(());
    }
    let message = "The request is throttled. Please try again later.";
    let status = StatusCode::TOO_MANY_REQUESTS;
    Err(Refused::new(status, "ResourceThrottled", message))
}
