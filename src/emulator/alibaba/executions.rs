//! `StartExecution`, `StartSyncExecution`, `DescribeExecution`, and the way to what follows an
//! execution.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    StandardSync,
    execution::{add_environment, add_given, body, find, time, unknown_flow},
    following,
    made::lacks,
    managing,
    parameters::{Parameters, Refused, name, optional, required},
    sts,
};
use crate::{
    FlowFailure,
    alibaba::{
        DescribeExecutionRequest, GetExecutionHistoryRequest, ListExecutionsRequest,
        ReportTaskFailedRequest, ReportTaskSucceededRequest, StartExecutionRequest,
        StartSyncExecutionRequest, StopExecutionRequest,
    },
    emulator::{
        State,
        clock::lock,
        cloud::Mode,
        flow::{Refusal, made_up_name},
        id,
        input::is_input,
        run::Run,
        served::named::Named as _,
    },
};

/// Does what the checked parameters ask for.
pub(super) async fn call(
    state: &State,
    parameters: &Parameters,
) -> Result<Map<String, Value>, Refused> {
    match required(parameters, "Action")? {
        StartExecutionRequest::NAME => start(state, parameters),
        StartSyncExecutionRequest::NAME => start_sync(state, parameters).await,
        DescribeExecutionRequest::NAME => describe(state, parameters).await,
        StopExecutionRequest::NAME => following::stop(state, parameters),
        ListExecutionsRequest::NAME => following::list(state, parameters),
        GetExecutionHistoryRequest::NAME => following::history(state, parameters),
        ReportTaskSucceededRequest::NAME => following::report_succeeded(state, parameters),
        ReportTaskFailedRequest::NAME => following::report_failed(state, parameters),
        "AssumeRole" => sts::assume_role(state, parameters),
        "AssumeRoleWithOIDC" => sts::assume_role_with_oidc(state, parameters),
        other => managing::call(state, parameters, other),
    }
}

fn start(state: &State, parameters: &Parameters) -> Result<Map<String, Value>, Refused> {
    let flow = name(parameters, "FlowName")?.ok_or_else(|| Refused::missing("FlowName"))?;
    let given = name(parameters, "ExecutionName")?;
    let input = input(state, parameters)?;
    let execution = given.map_or_else(made_up_name, str::to_owned);
    let qualifier = optional(parameters, "Qualifier");
    let run =
        begin(state, (flow, qualifier), Mode::Standard, execution, input).map_err(|refusal| {
            match refusal {
                Refusal::Lacks(lack) => lacks(flow, &lack),
                Refusal::UnknownFlow | Refusal::UnknownExecution => unknown_flow(flow),
                Refusal::WrongMode => Refused::action("StartExecution"),
                Refusal::Ended => {
                    let execution = given.unwrap_or_default();
                    let message = format!("Execution {execution} for flow {flow} already exists.");
                    Refused::new(StatusCode::BAD_REQUEST, "ExecutionAlreadyExists", message)
                }
            }
        })?;
    if let Some(token) = optional(parameters, "CallbackFnFTaskToken") {
        state.flows.report_end(&run, token.to_owned());
    }
    // As at the moment of the start, even if the flow has ended by now.
    let mut body = body(flow, &run, None);
    add_given(&mut body, state, &run);
    Ok(body)
}

async fn start_sync(state: &State, parameters: &Parameters) -> Result<Map<String, Value>, Refused> {
    let flow = name(parameters, "FlowName")?.ok_or_else(|| Refused::missing("FlowName"))?;
    let given = name(parameters, "ExecutionName")?;
    let input = input(state, parameters)?;
    let execution = given.map_or_else(made_up_name, str::to_owned);
    let execution = format!("{execution}:{}", id::uuid());
    let qualifier = optional(parameters, "Qualifier");
    let begun = begin(
        state,
        (flow, qualifier),
        Mode::Express,
        execution.clone(),
        input,
    );
    let run = match begun {
        Ok(run) => run,
        Err(Refusal::WrongMode) if state.alibaba.standard_sync == StandardSync::FailedExecution => {
            return Ok(not_run(flow, &execution, state.clock.now()));
        }
        Err(Refusal::UnknownFlow) => return Err(unknown_flow(flow)),
        Err(Refusal::Lacks(lack)) => return Err(lacks(flow, &lack)),
        Err(Refusal::WrongMode | Refusal::Ended | Refusal::UnknownExecution) => {
            return Err(Refused::action("StartSyncExecution"));
        }
    };
    let ending = run.ended().await;
    let failure = ending.outcome.as_ref().err();
    let code = failure.and_then(FlowFailure::code);
    let message = failure.and_then(FlowFailure::message);
    let mut body = body(flow, &run, Some(&ending));
    add_environment(&mut body, &run);
    body.insert("ErrorCode".to_owned(), json!(code.unwrap_or_default()));
    body.insert(
        "ErrorMessage".to_owned(),
        json!(message.unwrap_or_default()),
    );
    Ok(body)
}

async fn describe(state: &State, parameters: &Parameters) -> Result<Map<String, Value>, Refused> {
    let flow = name(parameters, "FlowName")?.ok_or_else(|| Refused::missing("FlowName"))?;
    let execution = name(parameters, "ExecutionName")?;
    let execution = execution.ok_or_else(|| Refused::missing("ExecutionName"))?;
    let seconds = match optional(parameters, "WaitTimeSeconds") {
        None => 0,
        Some(text) => {
            let seconds = text.parse().ok().filter(|seconds| *seconds <= 60);
            seconds.ok_or_else(|| Refused::invalid("WaitTimeSeconds must be 0 to 60"))?
        }
    };
    let mut run = find(state, flow, execution)?;
    if seconds > 0 {
        // Over time or not: the answer is how things stand.
        run.ended_within(Duration::from_secs(seconds)).await;
        // Its flow may have been deleted meanwhile.
        run = find(state, flow, execution)?;
    }
    let mut body = body(flow, &run, run.ending().as_deref());
    add_environment(&mut body, &run);
    add_given(&mut body, state, &run);
    Ok(body)
}

/// Begins an execution of what the qualifier leads to, or finds the running one of that name.
fn begin(
    state: &State,
    (flow, qualifier): (&str, Option<&str>),
    mode: Mode,
    execution: String,
    input: &str,
) -> Result<Arc<Run>, Refusal> {
    let mut made = lock(&state.flows.made);
    let lead = made.lead(flow, qualifier).map_err(Refusal::Lacks)?;
    let ran = || made.take(flow, qualifier, &lead);
    state.flows.begin(flow, mode, execution, input, ran)
}

/// A synchronous execution that was refused in the body.
fn not_run(flow: &str, execution: &str, now: DateTime<Utc>) -> Map<String, Value> {
    let refused = Refused::action("StartSyncExecution");
    [
        ("FlowName", flow),
        ("Name", execution),
        ("Status", "Failed"),
        ("Output", ""),
        ("ErrorCode", refused.code),
        ("ErrorMessage", &refused.message),
        ("StartedTime", &time(now)),
        ("StoppedTime", &time(now)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), json!(value)))
    .collect()
}

/// The input as sent; empty when there is none.
fn input<'a>(state: &State, parameters: &'a Parameters) -> Result<&'a str, Refused> {
    let Some(input) = optional(parameters, "Input") else {
        return Ok("");
    };
    let limit = state.alibaba.input_limit_bytes;
    if input.len() > limit {
        return Err(Refused::too_large(limit));
    }
    if !is_input(input) {
        return Err(Refused::invalid("Input must be the text of a JSON object"));
    }
    Ok(input)
}
