//! What became of a call that makes or deletes something, where its answer was lost.
//!
//! Whatever has a name is looked at: what was asked for and is no older than the call is the
//! call's own. Where the service reformats what it was given, or its clock cannot be read, that
//! cannot be told, and the error says so.

use std::future::Future;

use chrono::{DateTime, Utc};
use http::HeaderMap;

use super::{
    operations::{
        aliases::{DescribeFlowAliasRequest, FlowAlias, RoutingConfiguration},
        flows::{DeleteResponse, DescribeFlowRequest, Flow},
        schedules::{DescribeScheduleRequest, Schedule},
        versions::FlowVersion,
    },
    origin::{TOLERANCE, look, plain},
    protocol::Rpc,
};
use crate::{
    error::{Delivery, Error},
    payload::Payload,
    pipeline::{clock::monotonic, operation::Sent, same::same_input},
    response::Response,
};

type Outcome<T> = Result<Response<T>, Error>;

/// What is found gone after an attempt of unknown fate was deleted by that attempt.
pub(super) async fn deleted(
    outcome: Outcome<DeleteResponse>,
    sent: Sent<'_, Rpc>,
) -> Outcome<DeleteResponse> {
    let error = match outcome {
        Err(error) if error.delivery() >= Delivery::Unknown => error,
        outcome => return outcome,
    };
    let gone = error.code().zip(error.status());
    let Some((_, status)) = gone.filter(|(code, status)| code.says_gone(*status)) else {
        return Err(error);
    };
    let request_id = error.request_id().map(str::to_owned);
    Ok(Response {
        value: DeleteResponse {
            request_id: request_id.clone(),
            was_gone: true,
        },
        request_id,
        status,
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
        received: monotonic(),
        attempts: sent.attempts,
        elapsed: monotonic() - sent.began,
    })
}

/// A version has no name before it is made, so nothing tells this call's from another's.
pub(super) async fn published(
    outcome: Outcome<FlowVersion>,
    _sent: Sent<'_, Rpc>,
) -> Outcome<FlowVersion> {
    outcome.map_err(|error| {
        // Nothing runs because a version was made.
        let error = error.with_subject(false, false, None);
        match error.delivery() >= Delivery::Unknown {
            true => error.and("one version more than needed may exist"),
            false => error,
        }
    })
}

pub(super) async fn flow(outcome: Outcome<Flow>, sent: Sent<'_, Rpc>) -> Outcome<Flow> {
    let request = DescribeFlowRequest::new(parameter(&sent, "Name"));
    made(outcome, &sent, look(request, &sent), |flow, sent| Found {
        created: flow.created_time,
        is_same: same_text(flow.definition.as_deref(), sent, "Definition")
            && same_text(flow.description.as_deref(), sent, "Description"),
    })
    .await
}

pub(super) async fn alias(outcome: Outcome<FlowAlias>, sent: Sent<'_, Rpc>) -> Outcome<FlowAlias> {
    let flow_name = parameter(&sent, "FlowName");
    let request = DescribeFlowAliasRequest::new(&flow_name, parameter(&sent, "Name"));
    let look = async {
        let found = look(request, &sent).await?;
        Ok(found.map(|found| FlowAlias {
            request_id: found.request_id,
            flow_name: Some(flow_name),
            ..found.alias
        }))
    };
    made(outcome, &sent, look, |alias, sent| {
        let routes = parameter(sent, "RoutingConfigurations");
        let routes: Option<Vec<RoutingConfiguration>> = serde_json::from_str(&routes).ok();
        Found {
            created: alias.created_time,
            is_same: routes.is_some_and(|routes| {
                routes.len() == alias.routing_configurations.len()
                    && (routes.iter()).all(|route| alias.routing_configurations.contains(route))
            }),
        }
    })
    .await
}

pub(super) async fn schedule(outcome: Outcome<Schedule>, sent: Sent<'_, Rpc>) -> Outcome<Schedule> {
    let [flow_name, name] = ["FlowName", "ScheduleName"].map(|name| parameter(&sent, name));
    let request = DescribeScheduleRequest::new(flow_name, name);
    made(outcome, &sent, look(request, &sent), |schedule, sent| {
        let payload = sent.wire.parameter("Payload").map(Payload::from_json);
        Found {
            created: schedule.created_time,
            is_same: same_text(schedule.cron_expression.as_deref(), sent, "CronExpression")
                && same_input(schedule.payload.as_ref(), payload.as_ref()) == Some(true),
        }
    })
    .await
}

/// What a look shows of what was to be made.
struct Found {
    created: Option<DateTime<Utc>>,
    /// Whether it is what was asked for.
    is_same: bool,
}

/// Looks where nobody knows what became of a call that makes something.
async fn made<T>(
    outcome: Outcome<T>,
    sent: &Sent<'_, Rpc>,
    look: impl Future<Output = Outcome<T>>,
    show: impl FnOnce(&T, &Sent<'_, Rpc>) -> Found,
) -> Outcome<T> {
    let error = match outcome {
        Err(error) if error.delivery() >= Delivery::Unknown => error,
        outcome => return outcome,
    };
    // Whole calls, which the future of each call would have room for.
    let found = match Box::pin(look).await {
        Ok(found) => found,
        Err(failure) => {
            let refusal = failure.code().zip(failure.status());
            return Err(match refusal {
                Some((code, status)) if code.says_gone(status) => {
                    error.and("nothing of that name was there a moment later")
                }
                _ => error,
            });
        }
    };
    let Found { created, is_same } = show(&found.value, sent);
    let first = sent.first_in_service_time(&found.headers, found.received);
    let was_before = created
        .zip(first)
        .is_some_and(|(created, first)| created < first - TOLERANCE);
    match (is_same, was_before) {
        (true, false) => Ok(Response {
            attempts: sent.attempts,
            elapsed: monotonic() - sent.began,
            ..found
        }),
        (false, false) => Err(error.and(
            "what is there under that name is not, or not in the same words, what was asked for",
        )),
        (_, true) => Err(error.and("what is there under that name was made before")),
    }
}

fn parameter(sent: &Sent<'_, Rpc>, name: &str) -> String {
    sent.wire.parameter(name).unwrap_or_default()
}

/// Whether a text is as it was sent, but for the ends of its lines.
fn same_text(shown: Option<&str>, sent: &Sent<'_, Rpc>, name: &str) -> bool {
    plain(shown.unwrap_or_default()) == plain(&parameter(sent, name))
}
