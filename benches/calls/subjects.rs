//! What is measured: four calls, each by hand (the floor) and by this crate (ours).

use std::{
    fmt,
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use clap::ValueEnum;
use cloud_workflows::{
    alibaba::{self, StartExecutionRequest, StartSyncExecutionRequest},
    huawei::{self, StartSyncWorkflowExecutionRequest},
};
use serde_json::value::RawValue;
use tokio::task::JoinSet;

use crate::{Failure, floor, input};

/// The calls. The first word of a name is the cloud's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Operation {
    Start,
    StartSync,
    Token,
    Key,
}

impl Operation {
    pub(crate) const ALL: [Self; 4] = [Self::Start, Self::StartSync, Self::Token, Self::Key];

    pub(crate) fn is_alibaba(self) -> bool {
        matches!(self, Self::Start | Self::StartSync)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Start => "Alibaba `start_execution`",
            Self::StartSync => "Alibaba `start_sync_execution`",
            Self::Token => "Huawei, cached token",
            Self::Key => "Huawei, AK/SK",
        })
    }
}

/// By whom a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    Floor,
    Ours,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Floor, Self::Ours];
}

/// What the flows are given.
#[derive(Clone)]
pub(crate) enum Input {
    /// A value of the program, 100 bytes as JSON.
    Order,
    /// JSON text that is there already.
    Text(Arc<str>),
}

/// How many calls, and how many of them at once.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) calls: usize,
    pub(crate) at_once: usize,
    pub(crate) input: Input,
}

const FLOW: &str = "order-flow";
const WORKFLOW: &str = "48aff955-ea10-4ffd-b426-190bc192dc14";
const PROJECT: &str = "0123456789abcdef0123456789abcdef";
const ACCESS_KEY: &str = "LTAI5tExampleKeyOfABench";
const SECRET: &str = "ThirtyCharactersOfASecretKey00";
/// Tokens of IAM have about this length.
const TOKEN_LENGTH: usize = 2048;

/// A client of each kind.
pub(crate) struct Clients {
    floor: Arc<floor::Alibaba>,
    floor_token: Arc<floor::Huawei>,
    floor_key: Arc<floor::Huawei>,
    ours: alibaba::Client,
    ours_token: huawei::Client,
    ours_key: huawei::Client,
}

impl Clients {
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        let token = "T".repeat(TOKEN_LENGTH);
        let ends = Instant::now() + Duration::from_secs(86_400);
        let by_token = floor::Authentication::Token(RwLock::new((token.clone(), ends)));
        let by_key = floor::Authentication::Key {
            access_key: ACCESS_KEY.to_owned(),
            secret_key: SECRET.to_owned(),
        };
        let huawei = || {
            huawei::Client::builder()
                .endpoint(url)
                .iam_endpoint(url)
                .project_id(PROJECT)
        };
        Ok(Self {
            floor: Arc::new(floor::Alibaba::new(url, ACCESS_KEY, SECRET)?),
            floor_token: Arc::new(floor::Huawei::new(url, PROJECT, by_token)?),
            floor_key: Arc::new(floor::Huawei::new(url, PROJECT, by_key)?),
            ours: alibaba::Client::builder()
                .endpoint(url)
                .credentials(alibaba::Credentials::new(ACCESS_KEY, SECRET))
                .build()?,
            ours_token: huawei()
                .credentials(huawei::Token::new(token.as_str()))
                .build()?,
            ours_key: huawei()
                .credentials(huawei::AccessKey::new(ACCESS_KEY, SECRET))
                .build()?,
        })
    }

    /// Makes the calls.
    pub(crate) async fn run(
        &self,
        operation: Operation,
        side: Side,
        plan: &Plan,
    ) -> Result<(), Failure> {
        match (operation, side) {
            (Operation::Start, Side::Floor) => {
                self.run_floor("StartExecution", 60, "Running", plan).await
            }
            (Operation::StartSync, Side::Floor) => {
                self.run_floor("StartSyncExecution", 310, "Succeeded", plan)
                    .await
            }
            (Operation::Token, Side::Floor) => run_floor_huawei(&self.floor_token, plan).await,
            (Operation::Key, Side::Floor) => run_floor_huawei(&self.floor_key, plan).await,
            (Operation::Start, Side::Ours) => {
                let client = self.ours.clone();
                repeat(plan, move |input| {
                    let request = StartExecutionRequest::new(FLOW);
                    let request = match input {
                        Input::Order => request.input(input::ORDER),
                        Input::Text(text) => request.input_json(&**text),
                    };
                    let call = client.start_execution(request);
                    async move { expect(call.send().await?.status.as_str(), "Running") }
                })
                .await
            }
            (Operation::StartSync, Side::Ours) => {
                let client = self.ours.clone();
                repeat(plan, move |input| {
                    let request = StartSyncExecutionRequest::new(FLOW);
                    let request = match input {
                        Input::Order => request.input(input::ORDER),
                        Input::Text(text) => request.input_json(&**text),
                    };
                    let call = client.start_sync_execution(request);
                    async move { expect(call.send().await?.status.as_str(), "Succeeded") }
                })
                .await
            }
            (Operation::Token, Side::Ours) => run_huawei(&self.ours_token, plan).await,
            (Operation::Key, Side::Ours) => run_huawei(&self.ours_key, plan).await,
        }
    }

    async fn run_floor(
        &self,
        action: &'static str,
        seconds: u64,
        expected: &'static str,
        plan: &Plan,
    ) -> Result<(), Failure> {
        let client = self.floor.clone();
        let limit = Duration::from_secs(seconds);
        repeat(plan, move |input| {
            let (client, input) = (client.clone(), input.clone());
            async move {
                let done = match &input {
                    Input::Order => {
                        let input = serde_json::to_string(&input::ORDER)?;
                        client.start(action, limit, FLOW, &input).await?
                    }
                    Input::Text(text) => client.start(action, limit, FLOW, text).await?,
                };
                expect(&done.status, expected)
            }
        })
        .await
    }
}

async fn run_floor_huawei(client: &Arc<floor::Huawei>, plan: &Plan) -> Result<(), Failure> {
    let client = client.clone();
    repeat(plan, move |input| {
        let (client, input) = (client.clone(), input.clone());
        async move {
            let done = match &input {
                Input::Order => client.run(WORKFLOW, input::ORDER).await?,
                Input::Text(text) => {
                    let input: &RawValue = serde_json::from_str(text)?;
                    client.run(WORKFLOW, input).await?
                }
            };
            expect(&done.status, "success")
        }
    })
    .await
}

async fn run_huawei(client: &huawei::Client, plan: &Plan) -> Result<(), Failure> {
    let client = client.clone();
    repeat(plan, move |input| {
        let request = StartSyncWorkflowExecutionRequest::new(WORKFLOW);
        let request = match input {
            Input::Order => request.input(input::ORDER),
            Input::Text(text) => request.input_json(&**text),
        };
        let call = client.start_sync_workflow_execution(request);
        async move { expect(call.send().await?.status.as_str(), "success") }
    })
    .await
}

fn expect(status: &str, expected: &str) -> Result<(), Failure> {
    if status == expected {
        Ok(())
    } else {
        Err(format!("{status} where {expected} was expected").into())
    }
}

async fn repeat<F, R>(plan: &Plan, call: F) -> Result<(), Failure>
where
    F: Fn(&Input) -> R + Clone + Send + 'static,
    R: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let Plan {
        calls,
        at_once,
        input,
    } = plan.clone();
    if at_once == 1 {
        for _ in 0..calls {
            call(&input).await?;
        }
        return Ok(());
    }
    let mut tasks = JoinSet::new();
    for task in 0..at_once {
        let (call, input) = (call.clone(), input.clone());
        let share = calls / at_once + usize::from(task < calls % at_once);
        tasks.spawn(async move {
            for _ in 0..share {
                call(&input).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}
