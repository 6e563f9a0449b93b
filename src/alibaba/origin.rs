//! The origin of an execution: after a start under a name, was the execution of that name begun by
//! this call?
//!
//! A name that we made is ours, always. Under a caller's name, an execution with another input is
//! another's. One with our input is ours where it began after the first attempt went out, and was
//! there before us where it began long before. In between, and where time or input cannot be read,
//! there is no verdict: a wrong one would deny a flow that runs.

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
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
        operation::{Exchange, Sent, Subject},
        options::CallOptions,
        same::same_input,
        transport::time_left,
    },
    response::Response,
};

type Outcome = Result<Response<Execution>, Error>;

/// `Date` counts whole seconds, and clocks of one service may differ a little.
pub(super) const TOLERANCE: TimeDelta = TimeDelta::seconds(2);

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
    look(request, sent).await
}

/// Asks what became of a call, in the time that it has left.
pub(super) async fn look<E: Exchange<Protocol = Rpc>>(
    request: E,
    sent: &Sent<'_, Rpc>,
) -> Result<Response<E::Answer>, Error> {
    let options = CallOptions {
        timeout: Some(time_left(sent.deadline)),
        retry: sent.retry,
        ..CallOptions::default()
    };
    let name = request.name();
    let encoded = request.encode()?;
    attempt::run::<E>(sent.pipeline, name, Ok(&encoded), &options).await
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
    if subject.is_of_version {
        // Under a name that is taken, what runs may be of another version, and nothing here shows
        // the definition that was asked for: only what began after our request is surely ours.
        return (after >= TimeDelta::zero()).then_some(Whose::Ours);
    }
    if after >= -TOLERANCE {
        return Some(Whose::Ours);
    }
    // A clock of ours that stood still, or was set, moves our first attempt past a start of ours.
    (after <= -LONG_BEFORE && sent.our_clocks_agree()).then_some(Whose::Before)
}

impl Sent<'_, Rpc> {
    /// Whether our two clocks saw the same time go by since the first attempt.
    fn our_clocks_agree(&self) -> bool {
        let now = self.pipeline.core.clock.moment();
        self.first.is_some_and(|first| now.agrees_since(first))
    }
}
