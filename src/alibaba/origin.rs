//! The origin of an execution: after a start under a name, was the execution of that name begun by
//! this call?
//!
//! A name that we made is ours, always. Under a caller's name, an execution with another input is
//! another's. One with our input is ours where it began after the first attempt went out, and was
//! there before us where it began long before. In between, and where time or input cannot be read,
//! there is no verdict: a wrong one would deny a flow that runs.

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use serde_json::Value;
use tokio::time::Instant;

use super::{
    operations::executions::{DescribeExecutionRequest, Execution, ExecutionOrigin},
    protocol::Rpc,
};
use crate::{
    error::{Delivery, Error, ErrorCode},
    payload::Payload,
    pipeline::{
        attempt,
        clock::monotonic,
        operation::{Exchange as _, Sent, Subject},
        options::CallOptions,
        retry::date,
        transport::time_left,
    },
    response::Response,
};

type Outcome = Result<Response<Execution>, Error>;

/// `Date` counts whole seconds, and clocks of one service may differ a little.
const TOLERANCE: TimeDelta = TimeDelta::seconds(2);

/// No two clocks of one service differ by this much.
const LONG_BEFORE: TimeDelta = TimeDelta::minutes(10);

pub(super) async fn settle(outcome: Outcome, sent: Sent<'_, Rpc>) -> Outcome {
    let Some(subject) = sent.subject else {
        return outcome;
    };
    match outcome {
        Ok(mut response) => {
            response.value.origin = match begun_by(
                subject,
                &sent,
                (&response.headers, response.received),
                response.value.started_time,
                response.value.input.as_ref(),
            ) {
                Some(Whose::Ours) => ExecutionOrigin::Started,
                Some(Whose::Before | Whose::AnotherCaller) => ExecutionOrigin::FoundRunning,
                None => ExecutionOrigin::Unclear,
            };
            Ok(response)
        }
        Err(error) if error.code() == Some(&ErrorCode::ExecutionAlreadyExists) => {
            // A whole call, which the future of each start would have room for.
            Box::pin(already_exists(error, subject, &sent)).await
        }
        Err(error) => Err(error),
    }
}

/// An execution of the name has ended: this call's, if an answer of it was lost.
async fn already_exists(error: Error, subject: &Subject, sent: &Sent<'_, Rpc>) -> Outcome {
    if subject.named_by_caller && error.delivery() < Delivery::Unknown {
        return Err(error);
    }
    let described = match describe(subject, sent).await {
        Ok(described) => described,
        Err(failure) => {
            let delivery = match subject.named_by_caller {
                true => error.delivery(),
                false => Delivery::Accepted,
            };
            return Err(error.with_delivery(delivery).with_source(failure));
        }
    };
    let whose = begun_by(
        subject,
        sent,
        (&described.headers, described.received),
        described.value.started_time,
        described.value.input.as_ref(),
    );
    match whose {
        Some(Whose::Ours) => Ok(Response {
            value: Execution {
                origin: ExecutionOrigin::Started,
                ..described.value
            },
            request_id: described.request_id,
            status: described.status,
            headers: described.headers,
            body: described.body,
            received: described.received,
            attempts: sent.attempts,
            elapsed: monotonic() - sent.began,
        }),
        // Ours was never begun.
        Some(Whose::Before | Whose::AnotherCaller) => Err(error.with_delivery(Delivery::Refused)),
        None => Err(error),
    }
}

async fn describe(subject: &Subject, sent: &Sent<'_, Rpc>) -> Result<Response<Execution>, Error> {
    let request = DescribeExecutionRequest::new(&subject.flow_name, &subject.execution_name);
    let options = CallOptions {
        timeout: Some(time_left(sent.deadline)),
        retry: sent.retry,
        ..CallOptions::default()
    };
    let name = request.name();
    let encoded = request.encode()?;
    attempt::run::<DescribeExecutionRequest>(sent.pipeline, name, Ok(&encoded), &options).await
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Ours,
    /// Begun long before this call.
    Before,
    /// Begun with another input.
    AnotherCaller,
}

fn begun_by(
    subject: &Subject,
    sent: &Sent<'_, Rpc>,
    (headers, received): (&HeaderMap, Instant),
    started: Option<DateTime<Utc>>,
    input: Option<&Payload>,
) -> Option<Whose> {
    if !subject.named_by_caller {
        return Some(Whose::Ours);
    }
    let has_our_input = same_input(input, subject.input.as_ref());
    if !has_our_input? {
        return Some(Whose::AnotherCaller);
    }
    let after = started? - sent.first_in_service_time(headers, received)?;
    if after >= -TOLERANCE {
        return Some(Whose::Ours);
    }
    // A clock of ours that stood still, or was set, moves our first attempt past a start of ours.
    (after <= -LONG_BEFORE && sent.our_clocks_agree()).then_some(Whose::Before)
}

/// Whether the service's input and ours are equal, as text or as JSON; absent, empty and `{}`
/// alike. `None` where they may be equal in a way that cannot be seen: numbers or nesting beyond what can be compared
/// here.
pub(super) fn same_input(theirs: Option<&Payload>, ours: Option<&Payload>) -> Option<bool> {
    // The service shows inputs; where it shows none, there was none, or it has changed.
    if theirs.is_none() && ours.is_some_and(|ours| !is_empty(ours)) {
        return None;
    }
    let text = |payload: Option<&Payload>| match payload {
        Some(payload) if !is_empty(payload) => payload.as_str().to_owned(),
        _ => "{}".to_owned(),
    };
    let (left, right) = (text(theirs), text(ours));
    if left == right {
        return Some(true);
    }
    let value = |text: &str| serde_json::from_str::<Value>(text).ok();
    equal(&value(&left)?, &value(&right)?)
}

/// Whether two values are equal, with `1`, `1.0` and `1e0` as one number.
fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) if left != right => {
            let (left, right) = (left.as_f64()?, right.as_f64()?);
            // Above 2^53, numbers that differ can look the same here.
            match left == right && left.abs() > 9e15 {
                true => None,
                false => Some(left == right),
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let pairs = left.iter().zip(right);
            all(pairs.map(|(left, right)| equal(left, right)))
        }
        (Value::Object(left), Value::Object(right)) if left.len() == right.len() => {
            let members = left.iter().map(|(name, left)| match right.get(name) {
                Some(right) => equal(left, right),
                None => Some(false),
            });
            all(members)
        }
        _ => Some(left == right),
    }
}

/// `Some(true)` where all parts are equal, `None` where none differs but some cannot be told.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut verdict = Some(true);
    for part in parts {
        match part {
            Some(true) => {}
            Some(false) => return Some(false),
            None => verdict = None,
        }
    }
    verdict
}

fn is_empty(payload: &Payload) -> bool {
    let text = payload.as_str().trim_ascii();
    text.is_empty()
        || text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .is_some_and(|inner| inner.trim_ascii().is_empty())
}

impl Sent<'_, Rpc> {
    /// When the first attempt went out, by the clock of whoever made this reply.
    fn first_in_service_time(
        &self,
        headers: &HeaderMap,
        received: Instant,
    ) -> Option<DateTime<Utc>> {
        let ago = TimeDelta::from_std(received - self.first?.monotonic).ok()?;
        Some(date(headers)? - ago)
    }

    /// Whether our two clocks saw the same time go by since the first attempt.
    fn our_clocks_agree(&self) -> bool {
        let now = self.pipeline.core.clock.moment();
        self.first.is_some_and(|first| now.agrees_since(first))
    }
}
