//! What follows an execution: `StopExecution`, `ListExecutions`, `GetExecutionHistory`,
//! `ReportTaskSucceeded`, `ReportTaskFailed`.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    execution::{add_environment, add_given, body, find, time, unknown_flow},
    pages::{Answer, bad_token, limit, paged},
    parameters::{Parameters, Refused, name, optional, required},
};
use crate::emulator::{
    State,
    cloud::Cloud,
    lists::{Filter, NoPage},
    run::ReportRefusal,
};

pub(super) fn stop(state: &State, parameters: &Parameters) -> Answer {
    let (flow, execution) = names(parameters)?;
    let error = text(parameters, "Error", 128)?.unwrap_or_default();
    let cause = text(parameters, "Cause", 4096)?.unwrap_or_default();
    let run = find(state, flow, execution)?;
    // As it was asked to stop: the service's own sample still says `Running`.
    let before = run.ending();
    run.stop(error, cause).map_err(|_| {
        let message = format!("Execution '{execution}' for flow '{flow}' has already completed.");
        let status = StatusCode::BAD_REQUEST;
        Refused::new(status, "ExecutionAlreadyCompleted", message)
    })?;
    let mut body = body(flow, &run, before.as_deref());
    add_given(&mut body, state, &run);
    if !run.ran.role.is_empty() {
        body.insert("RoleArn".to_owned(), json!(run.ran.role));
    }
    Ok(body)
}

pub(super) fn list(state: &State, parameters: &Parameters) -> Answer {
    let flow = name(parameters, "FlowName")?.ok_or_else(|| Refused::missing("FlowName"))?;
    let limit = limit(parameters, 100)?;
    let is_bare = match optional(parameters, "MetadataOnly") {
        None => false,
        Some(text) if text.eq_ignore_ascii_case("true") => true,
        Some(text) if text.eq_ignore_ascii_case("false") => false,
        Some(_) => return Err(Refused::invalid("MetadataOnly must be true or false")),
    };
    let filter = Filter {
        prefix: optional(parameters, "ExecutionNamePrefix"),
        qualifier: optional(parameters, "Qualifier"),
        status: optional(parameters, "Status"),
        started_from: date(parameters, "StartedTimeBegin")?,
        started_to: date(parameters, "StartedTimeEnd")?,
    };
    let token = optional(parameters, "NextToken");
    let page = state
        .flows
        .list(Cloud::Alibaba, flow, &filter, token, limit);
    let page = page.map_err(|no_page| refused(no_page, flow))?;
    let executions = page.items.iter().map(|(run, view)| {
        let mut body = body(flow, run, view.ending.as_deref());
        add_environment(&mut body, run);
        if is_bare {
            body.remove("Output");
        } else {
            add_given(&mut body, state, run);
        }
        Value::from(body)
    });
    let executions: Vec<Value> = executions.collect();
    Ok(paged("Executions", executions, page.next))
}

pub(super) fn history(state: &State, parameters: &Parameters) -> Answer {
    let (flow, execution) = names(parameters)?;
    let limit = limit(parameters, 999)?;
    let run = find(state, flow, execution)?;
    let token = optional(parameters, "NextToken");
    let page = state.flows.history(&run, token, limit);
    let page = page.map_err(|no_page| refused(no_page, flow))?;
    let events = page.items.iter().map(|event| {
        json!({
            "EventId": event.id,
            "ScheduleEventId": event.schedule,
            "Type": event.kind,
            "StepName": event.step,
            "Time": time(run.date(event.at)),
            "EventDetail": event.detail,
        })
    });
    let events: Vec<Value> = events.collect();
    Ok(paged("Events", events, page.next))
}

pub(super) fn report_succeeded(state: &State, parameters: &Parameters) -> Answer {
    let output = required(parameters, "Output")?;
    if serde_json::from_str::<Value>(output).is_err() {
        return Err(Refused::invalid("Output must be JSON text"));
    }
    report(state, parameters, Ok(output.to_owned()))
}

pub(super) fn report_failed(state: &State, parameters: &Parameters) -> Answer {
    let error = text(parameters, "Error", 128)?.ok_or_else(|| Refused::missing("Error"))?;
    let cause = text(parameters, "Cause", 4096)?.unwrap_or_default();
    let result = Err((error.to_owned(), cause.to_owned()));
    report(state, parameters, result)
}

fn report(
    state: &State,
    parameters: &Parameters,
    result: Result<String, (String, String)>,
) -> Answer {
    let token = required(parameters, "TaskToken")?;
    let event = state.flows.report(token, result);
    let event = event.map_err(|refusal| match refusal {
        ReportRefusal::Unknown => Refused::invalid("TaskToken is not the token of a task"),
        // The service names the task here, by its token; ours stays out of every text.
        ReportRefusal::AlreadyCompleted => {
            let message = "Task has already completed.";
            Refused::new(StatusCode::BAD_REQUEST, "TaskAlreadyCompleted", message)
        }
        ReportRefusal::TooEarly => {
            let message = "Task is in an invalid state, please retry.";
            Refused::new(StatusCode::CONFLICT, "TaskInvalidState", message)
        }
    })?;
    Ok([("EventId".to_owned(), json!(event))].into_iter().collect())
}

fn names(parameters: &Parameters) -> Result<(&str, &str), Refused> {
    let flow = name(parameters, "FlowName")?.ok_or_else(|| Refused::missing("FlowName"))?;
    let execution = name(parameters, "ExecutionName")?;
    let execution = execution.ok_or_else(|| Refused::missing("ExecutionName"))?;
    Ok((flow, execution))
}

/// A text of at most so many characters.
fn text<'a>(
    parameters: &'a Parameters,
    name: &str,
    longest: usize,
) -> Result<Option<&'a str>, Refused> {
    let text = optional(parameters, name);
    if text.is_some_and(|text| text.chars().count() > longest) {
        let message = format!("{name} must have 1 to {longest} characters");
        return Err(Refused::invalid(message));
    }
    Ok(text)
}

fn date(parameters: &Parameters, name: &str) -> Result<Option<DateTime<Utc>>, Refused> {
    let Some(text) = optional(parameters, name) else {
        return Ok(None);
    };
    let date = DateTime::parse_from_rfc3339(text);
    let date = date.map_err(|_| Refused::invalid(format!("{name} must be an RFC 3339 time")))?;
    Ok(Some(date.to_utc()))
}

fn refused(no_page: NoPage, flow: &str) -> Refused {
    match no_page {
        NoPage::UnknownFlow => unknown_flow(flow),
        NoPage::BadToken => bad_token(),
    }
}
