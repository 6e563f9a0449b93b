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

use chrono::TimeDelta;

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
        operation::{Outcome, Sent, Subject},
        same::{TOLERANCE, same_input},
    },
    response::Response,
};

/// No two clocks of one service differ by this much.
const LONG_BEFORE: TimeDelta = TimeDelta::minutes(10);

pub(super) async fn settle(outcome: Outcome<Execution>, sent: Sent<'_, Rpc>) -> Outcome<Execution> {
    let Some(subject) = sent.subject else {
        return outcome;
    };
    match outcome {
        Ok(mut response) => {
            response.value.origin = match whose(subject, &sent, &response).await {
                Some(Whose::Ours) => ExecutionOrigin::Started,
                Some(_) => ExecutionOrigin::FoundRunning,
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
async fn already_exists(
    error: Error,
    subject: &Subject,
    sent: &Sent<'_, Rpc>,
) -> Outcome<Execution> {
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
    match whose(subject, sent, &described).await {
        Some(Whose::Ours) => Ok(sent.as_its_own(described.map(|found| Execution {
            origin: ExecutionOrigin::Started,
            ..found
        }))),
        // Ours was never begun.
        Some(_) => Err(error.with_delivery(Delivery::Refused)),
        None => Err(error),
    }
}

async fn describe(subject: &Subject, sent: &Sent<'_, Rpc>) -> Outcome<Execution> {
    let request = DescribeExecutionRequest::new(&subject.flow_name, &subject.execution_name);
    sent.ask(request).await
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

async fn whose(
    subject: &Subject,
    sent: &Sent<'_, Rpc>,
    found: &Response<Execution>,
) -> Option<Whose> {
    if !subject.named_by_caller {
        // Nobody else knows a name that this call made.
        return Some(Whose::Ours);
    }
    let execution = &found.value;
    let first = sent.first_in_service_time(&found.headers, found.received);
    let after = execution.started_time.zip(first);
    let after = after.map(|(started, first)| started - first);
    let verdict = begun_by(subject, sent, after, execution.input.as_ref());
    // A start that went well costs no looks.
    let is_found = subject.is_of_version && after.is_some_and(|after| after < -TOLERANCE);
    if verdict.is_some() || !is_found || !sent.our_clocks_agree() {
        return verdict;
    }
    // Whole calls, which the future of each start would have room for.
    let shown = execution.flow_definition.as_deref()?;
    let is_same = match Box::pin(definitions(subject, sent)).await {
        Ok(definitions) if definitions.is_empty() => return None,
        Ok(definitions) => definitions.iter().any(|asked| plain(asked) == plain(shown)),
        Err(_) => return None,
    };
    let has_our_input = same_input(execution.input.as_ref(), subject.input.as_ref());
    match (is_same, has_our_input, after?) {
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
    let has_our_input = same_input(input, subject.input.as_ref());
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
