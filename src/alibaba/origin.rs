//! The origin of an execution: after a start under a name, was the execution of that name begun by
//! this call?
//!
//! A name that we made is ours, always. Under a caller's name, an execution with another input is
//! another's. One with our input is ours where it began after the first attempt went out, and was
//! there before us where it began long before. In between, and where time or input cannot be read,
//! there is no verdict: a wrong one would deny a flow that runs.
//!
//! Where a version was asked for, what was found is compared with it: by definition, since nothing
//! else shows which version an execution runs.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    fates::plain,
    operations::{
        aliases::DescribeFlowAliasRequest,
        executions::{DescribeExecutionRequest, Execution, ExecutionOrigin},
        flows::DescribeFlowRequest,
    },
    protocol::Rpc,
};
use crate::{
    error::{Delivery, Error, ErrorCode},
    payload::Payload,
    pipeline::{
        answer::Settled,
        operation::{Outcome, Sent, Subject},
        same::{TOLERANCE, same_input},
    },
};

/// No two clocks of one service differ by this much.
const LONG_BEFORE: TimeDelta = TimeDelta::minutes(10);

pub(super) fn settle<'a>(
    answer: &'a mut Option<Execution>,
    outcome: Outcome<()>,
    sent: Sent<'a, Rpc>,
) -> Settled<'a> {
    let Some(subject) = sent.subject else {
        return Settled::Known(outcome);
    };
    match (outcome, answer) {
        (Ok(response), Some(execution)) => {
            let first = sent.first_in_service_time(&response.headers, response.received);
            match seen(subject, &sent, execution, first) {
                Seen::Told(whose) => {
                    execution.origin = origin(whose);
                    Settled::Known(Ok(response))
                }
                Seen::Earlier(after) => Settled::Asking(Box::pin(async move {
                    execution.origin = origin(compared(subject, &sent, execution, after).await);
                    Ok(response)
                })),
            }
        }
        (Err(error), answer) if error.code() == Some(&ErrorCode::ExecutionAlreadyExists) => {
            Settled::asking(answer, already_exists(error, subject, sent))
        }
        (outcome, _) => Settled::Known(outcome),
    }
}

fn origin(whose: Option<Whose>) -> ExecutionOrigin {
    match whose {
        Some(Whose::Ours) => ExecutionOrigin::Started,
        Some(_) => ExecutionOrigin::FoundRunning,
        None => ExecutionOrigin::Unclear,
    }
}

/// An execution of the name has ended: this call's, if an answer of it was lost.
async fn already_exists(
    error: Error,
    subject: &Subject,
    sent: Sent<'_, Rpc>,
) -> Outcome<Execution> {
    if subject.named_by_caller && error.delivery() < Delivery::Unknown {
        return Err(error);
    }
    let request = DescribeExecutionRequest::new(&subject.flow_name, &subject.execution_name);
    let described = match sent.ask(request).await {
        Ok(described) => described,
        Err(failure) => {
            let delivery = match subject.named_by_caller {
                true => error.delivery(),
                false => Delivery::Accepted,
            };
            return Err(error.with_delivery(delivery).with_source(failure));
        }
    };
    let first = sent.first_in_service_time(&described.headers, described.received);
    let found = &described.value;
    let whose = match seen(subject, &sent, found, first) {
        Seen::Told(whose) => whose,
        Seen::Earlier(after) => compared(subject, &sent, found, after).await,
    };
    match whose {
        Some(Whose::Ours) => Ok(sent.as_its_own(described.map(|found| Execution {
            origin: ExecutionOrigin::Started,
            ..found
        }))),
        // Ours was never begun.
        Some(_) => Err(error.with_delivery(Delivery::Refused)),
        None => Err(error),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Ours,
    /// Begun long before this call.
    Before,
    /// Begun with another input.
    AnotherCaller,
    /// Begun before this call, with another definition.
    AnotherVersion,
}

/// What an execution shows without another look.
enum Seen {
    Told(Option<Whose>),
    /// It began so long after this call, which is before it: definitions have to be compared.
    Earlier(TimeDelta),
}

fn seen(
    subject: &Subject,
    sent: &Sent<'_, Rpc>,
    execution: &Execution,
    first: Option<DateTime<Utc>>,
) -> Seen {
    if !subject.named_by_caller {
        // Nobody else knows a name that this call made.
        return Seen::Told(Some(Whose::Ours));
    }
    let after = execution.started_time.zip(first);
    let after = after.map(|(started, first)| started - first);
    let verdict = begun_by(subject, sent, after, execution.input.as_ref());
    match after {
        // A start that went well costs no looks.
        Some(after)
            if verdict.is_none()
                && subject.is_of_version
                && after < -TOLERANCE
                && sent.our_clocks_agree() =>
        {
            Seen::Earlier(after)
        }
        _ => Seen::Told(verdict),
    }
}

async fn compared(
    subject: &Subject,
    sent: &Sent<'_, Rpc>,
    execution: &Execution,
    after: TimeDelta,
) -> Option<Whose> {
    let shown = execution.flow_definition.as_deref()?;
    let is_same = match definitions(subject, sent).await {
        Ok(definitions) if definitions.is_empty() => return None,
        Ok(definitions) => definitions.iter().any(|asked| plain(asked) == plain(shown)),
        Err(_) => return None,
    };
    let has_our_input = same_input(execution.input.as_ref(), sent.wire.input().as_ref());
    match (is_same, has_our_input, after) {
        (false, ..) => Some(Whose::AnotherVersion),
        (true, Some(true), after) if after <= -LONG_BEFORE => Some(Whose::Before),
        _ => None,
    }
}

/// The definitions that a start with a qualifier may have run: of a version, or of those that an
/// alias leads to.
async fn definitions(subject: &Subject, sent: &Sent<'_, Rpc>) -> Result<Vec<String>, Error> {
    let qualifier = sent.wire.parameter("Qualifier").unwrap_or_default();
    let versions = match qualifier.bytes().all(|byte| byte.is_ascii_digit()) {
        true => vec![qualifier],
        false => {
            let request = DescribeFlowAliasRequest::new(&subject.flow_name, qualifier);
            let routes = sent.ask(request).await?.value.alias;
            let routes = routes.routing_configurations.into_iter();
            routes.map(|route| route.version).collect()
        }
    };
    let mut definitions = Vec::new();
    for version in versions {
        let request = DescribeFlowRequest::new(&subject.flow_name).flow_version(version);
        match sent.ask(request).await?.value.definition {
            Some(definition) => definitions.push(definition),
            // Without one of them, nobody can say that it was none of them.
            None => return Ok(Vec::new()),
        }
    }
    Ok(definitions)
}

fn begun_by(
    subject: &Subject,
    sent: &Sent<'_, Rpc>,
    after: Option<TimeDelta>,
    input: Option<&Payload>,
) -> Option<Whose> {
    let has_our_input = same_input(input, sent.wire.input().as_ref());
    if !has_our_input? {
        return Some(Whose::AnotherCaller);
    }
    let after = after?;
    if subject.is_of_version {
        // Under a name that is taken, what runs may be of another version: only what began after
        // our request is surely ours.
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
