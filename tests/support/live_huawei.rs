//! What only an account of Huawei Cloud can settle.

use std::{sync::Arc, time::Instant};

use cloud_workflows::{
    Error, ErrorCode,
    huawei::{
        Client, ListWorkflowRequest, ShowWorkFlowRequest, StartSyncWorkflowExecutionRequest,
        StartWorkflowExecutionRequest, Undeclared,
    },
};
use http::Method;
use serde_json::{Value, json};

use super::{Finding, World};

/// A flow that nobody has.
const NO_FLOW: &str = "00000000-0000-0000-0000-000000000000";

type Looked = Result<Finding, String>;

fn client(world: &World) -> Result<&Client, String> {
    let client = world.huawei.as_ref();
    client.ok_or("there is no credential".to_owned())
}

/// What is told of an error: nothing of its text, which may repeat what was sent.
fn told(error: &Error) -> String {
    let code = error.code().map_or("no code", ErrorCode::as_str);
    match error.status() {
        Some(status) => format!("HTTP {} {code}", status.as_u16()),
        None => format!("{:?}", error.kind()),
    }
}

/// Without an answer, or without the right to one, nothing is settled.
fn answered(error: Error) -> Result<Error, String> {
    match error.status().map(|status| status.as_u16()) {
        None | Some(401 | 403 | 429 | 500..) => Err(told(&error)),
        Some(_) => Ok(error),
    }
}

pub(crate) async fn request_ids(world: Arc<World>) -> Looked {
    let client = client(&world)?;
    let list = client.list_workflow(ListWorkflowRequest::new());
    let has = |has: bool| if has { "has one" } else { "has none" };
    let (good, of_good) = match list.send_for_response().await {
        Ok(response) => (response.headers().contains_key("x-request-id"), "a list"),
        Err(error) => (answered(error)?.request_id().is_some(), "a refused list"),
    };
    let show = client.show_work_flow(ShowWorkFlowRequest::new(NO_FLOW));
    let (bad, of_bad) = match show.send_for_response().await {
        Ok(response) => (response.headers().contains_key("x-request-id"), "a flow"),
        Err(error) => (answered(error)?.request_id().is_some(), "an error"),
    };
    Ok(Finding::when(
        good && bad,
        format!("{of_good} {}, {of_bad} {}", has(good), has(bad)),
    ))
}

pub(crate) async fn region(world: Arc<World>) -> Looked {
    let region = world.variable("HW_REGION_NAME")?;
    let list = client(&world)?.list_workflow(ListWorkflowRequest::new());
    Ok(match list.send().await {
        Ok(_) => Finding::Confirmed(format!("{region} lists flows")),
        Err(error) => Finding::Refuted(format!("{region}: {}", told(&answered(error)?))),
    })
}

pub(crate) async fn unknown_flow(world: Arc<World>) -> Looked {
    let show = client(&world)?.show_work_flow(ShowWorkFlowRequest::new(NO_FLOW));
    Ok(match show.send().await {
        Ok(_) => Finding::Refuted("there is such a flow".to_owned()),
        Err(error) => {
            let error = answered(error)?;
            let is_known = !matches!(error.code(), None | Some(ErrorCode::Other(_)));
            Finding::when(is_known, told(&error))
        }
    })
}

/// Whether one name of a host is known.
pub(crate) async fn host(world: Arc<World>, host: &str) -> Looked {
    world.resolves(host).await
}

async fn refused(world: &World, body: Value) -> Looked {
    let flow = world.variable("LIVE_HUAWEI_EXPRESS")?;
    let path = ["fgs", "workflows", flow, "sync-executions"];
    let start = Undeclared::change(Method::POST, path).body(body);
    Ok(match client(world)?.undeclared(start).send().await {
        Ok(_) => Finding::Refuted("HTTP 200".to_owned()),
        Err(error) => {
            let error = answered(error)?;
            let is_400 = error.status().is_some_and(|status| status.as_u16() == 400);
            Finding::when(is_400, told(&error))
        }
    })
}

pub(crate) async fn no_input(world: Arc<World>) -> Looked {
    refused(&world, json!({})).await
}

pub(crate) async fn input_of_another_kind(world: Arc<World>) -> Looked {
    refused(&world, json!({"input": [1]})).await
}

pub(crate) async fn history_header(world: Arc<World>) -> Looked {
    let (client, flow) = (client(&world)?, world.variable("LIVE_HUAWEI_FLOW")?);
    let start = StartWorkflowExecutionRequest::new(flow).input(json!({}));
    let started = client.start_workflow_execution(start).send().await;
    let started = started.map_err(|error| told(&error))?;
    let execution = started.execution_id;
    world.made_run(flow, &execution);
    let mut seen = Vec::new();
    for value in ["true", "True"] {
        let path = ["fgs", "workflows", flow, "executions", &execution];
        let look = client
            .undeclared(Undeclared::read(path))
            .http_header("X-Get-Workflow-Full-History-Data", value);
        seen.push(match look.send().await {
            Ok(_) => "HTTP 200".to_owned(),
            Err(error) => told(&answered(error)?),
        });
    }
    let text = format!("true: {}, True: {}", seen[0], seen[1]);
    Ok(Finding::when(seen[0] == seen[1], text))
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is asked is how long it takes"
)]
pub(crate) async fn cut(world: Arc<World>) -> Looked {
    let flow = world.variable("LIVE_HUAWEI_LONG")?;
    let start = StartSyncWorkflowExecutionRequest::new(flow).input(json!({}));
    let begun = Instant::now();
    let ended = client(&world)?
        .start_sync_workflow_execution(start)
        .send()
        .await;
    let seconds = begun.elapsed().as_secs();
    let text = match &ended {
        Ok(ended) => format!("status {} after {seconds} s", ended.status),
        Err(error) => format!("{} after {seconds} s", told(error)),
    };
    let is_cut = ended.is_err() && (80..=120).contains(&seconds);
    Ok(match is_cut || seconds > 120 || ended.is_err() {
        true => Finding::when(is_cut, text),
        false => Finding::NotReachable(format!("{text}: name a flow that takes longer")),
    })
}
