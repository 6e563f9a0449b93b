//! An axum handler in front of a flow of either cloud.
//!
//! `cargo run --example handler` asks itself and ends; `-- --serve` goes on serving

use std::sync::Arc;

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use cloud_workflows::{
    Error, FlowFailure, Start, Workflow, alibaba::StartSyncExecutionRequest, emulator::Emulator,
};
use serde_json::{Map, Value, json};

type Flow = Arc<dyn Workflow>;

async fn order(
    State(flow): State<Flow>,
    Json(order): Json<Map<String, Value>>,
) -> Result<Json<Value>, StatusCode> {
    let quote = async { flow.run(Start::new(&order)?).await?.into_output() };
    quote.await.map(Json).map_err(|error: Error| {
        eprintln!("{error}");
        let failure = error.flow_failure();
        match failure.and_then(|failure| failure.code().or(failure.node())) {
            Some("EmptyOrder" | "check") => StatusCode::UNPROCESSABLE_ENTITY,
            // Our key's 401 is not our user's.
            _ => error.kind().gateway_status(),
        }
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::start()?;
    emulator.express("quote", |order: Value| match order["count"].as_u64() {
        Some(0) | None => Err(FlowFailure::new("EmptyOrder", "nothing was ordered")),
        Some(count) => Ok(json!({"cents": 250 * count})),
    });
    let client = emulator.alibaba().build()?;
    let flow: Flow = Arc::new(client.workflow(StartSyncExecutionRequest::new("quote")));
    let app = Router::new().route("/orders", post(order)).with_state(flow);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/orders", listener.local_addr()?);
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    for order in [r#"{"count": 3}"#, r#"{"count": 0}"#] {
        let request = reqwest::Client::new().post(&url).body(order);
        let request = request.header("content-type", "application/json");
        let answer = request.send().await?;
        println!("{order}: {} {}", answer.status(), answer.text().await?);
    }
    if std::env::args().any(|argument| argument == "--serve") {
        println!("serving POST {url}");
        server.await??;
    }
    Ok(())
}
