//! The calls that are tried: for each replay class, with and without a caller's name, with keys
//! that can be renewed and others, on both clouds.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use http::Method;

use super::*;
use crate::{
    BoxFuture, Context, Lease, ProvideCredential,
    alibaba::{DescribeExecutionRequest, ExecutionOrigin},
    huawei::{AccessKey, Credential, ShowWorkflowExecutionRequest, StartWorkflowExecutionRequest},
    pipeline::{
        call,
        environment::Environment,
        operation::{self, Replay, Timeouts},
    },
};

/// A call of a user's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) operation: Operation,
    pub(super) key: Key,
    /// Whether the user has said so.
    pub(super) repeat_if_unknown: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operation {
    /// `StartExecution`, under a name of the caller's or one that is made.
    StartExecution {
        named: bool,
    },
    /// `StartSyncExecution`.
    StartSync {
        named: bool,
    },
    Describe,
    /// A change that nobody declared, said to be idempotent or not.
    Change {
        idempotent: bool,
    },
    /// `StartSyncWorkflowExecution`.
    HuaweiSync,
    /// `StartWorkflowExecution`, with an id of the caller's or none.
    HuaweiStart {
        named: bool,
    },
    HuaweiShow,
    HuaweiChange {
        idempotent: bool,
    },
}

/// What the requests are signed with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Key {
    /// A key that the caller handed in.
    Fixed,
    /// One that can be had anew, and was not used yet: on Huawei Cloud, a token.
    Renewable,
    /// The same, once the service has taken it.
    Proven,
}

/// What the service is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Asked {
    /// What the caller has called.
    Call,
    /// What became of it.
    Look,
}

use Operation::*;

/// The operations, and whether they are also tried with `repeat_if_unknown`.
const OPERATIONS: [(Operation, bool); 12] = [
    (StartExecution { named: true }, false),
    (StartExecution { named: false }, false),
    (StartSync { named: true }, false),
    (StartSync { named: false }, true),
    (Describe, false),
    (Change { idempotent: false }, false),
    (Change { idempotent: true }, false),
    (HuaweiSync, true),
    (HuaweiStart { named: true }, true),
    (HuaweiStart { named: false }, false),
    (HuaweiShow, false),
    (HuaweiChange { idempotent: true }, false),
];

pub(super) fn all() -> Vec<Call> {
    let mut calls = Vec::new();
    for (operation, may_repeat) in OPERATIONS {
        for key in [Key::Fixed, Key::Renewable, Key::Proven] {
            for repeat_if_unknown in [false, true] {
                if may_repeat || !repeat_if_unknown {
                    calls.push(Call {
                        operation,
                        key,
                        repeat_if_unknown,
                    });
                }
            }
        }
    }
    calls
}

impl Call {
    pub(super) fn is_alibaba(self) -> bool {
        matches!(
            self.operation,
            StartExecution { .. } | StartSync { .. } | Describe | Change { .. }
        )
    }

    /// Whether its runs are those of another key but where that key ages.
    pub(super) fn differs_by_age(self) -> bool {
        match self.key {
            Key::Fixed => false,
            // A token is written otherwise than a key.
            Key::Renewable => self.is_alibaba(),
            Key::Proven => true,
        }
    }

    pub(super) fn replay(self) -> Replay {
        match self.operation {
            StartExecution { .. } => Replay::Keyed,
            StartSync { .. } | HuaweiSync | HuaweiStart { .. } => Replay::Once,
            Describe | HuaweiShow => Replay::Repeatable,
            Change { idempotent } | HuaweiChange { idempotent } => match idempotent {
                true => Replay::Repeatable,
                false => Replay::Once,
            },
        }
    }

    pub(super) fn is_keyed(self) -> bool {
        self.replay() == Replay::Keyed
    }

    /// Whether something begins because of it; of a change that nobody declared, who knows.
    pub(super) fn starts(self) -> bool {
        !matches!(self.operation, Describe | HuaweiShow)
    }

    /// Whether the caller has given the name of the execution.
    pub(super) fn is_named(self) -> bool {
        match self.operation {
            StartExecution { named } | StartSync { named } | HuaweiStart { named } => named,
            Describe | HuaweiShow => true,
            Change { .. } | HuaweiSync | HuaweiChange { .. } => false,
        }
    }

    pub(super) fn limits(self) -> Timeouts {
        match self.operation {
            StartSync { .. } | HuaweiSync => Timeouts::SYNCHRONOUS,
            _ => Timeouts::SHORT,
        }
    }

    /// Makes the call, after one that proves the key where that is wanted.
    pub(super) async fn send(self, script: &Arc<Script>, clock: Clock) -> Sent {
        match self.is_alibaba() {
            true => self.send_alibaba(script, clock).await,
            false => self.send_huawei(script, clock).await,
        }
    }

    async fn send_alibaba(self, script: &Arc<Script>, clock: Clock) -> Sent {
        let builder = alibaba::Client::builder()
            .region("cn-hangzhou")
            .environment(&Environment::fake(&[]))
            .scripted(script, clock);
        let client = match self.key {
            Key::Fixed => builder.credentials(Credentials::new("id-0", "secret")),
            _ => builder.credentials(Renewing::default()),
        };
        let client = client.build().unwrap();
        let describe = || client.describe_execution(DescribeExecutionRequest::new("flow", "mine"));
        if self.key == Key::Proven {
            describe().send().await.unwrap();
        }
        match self.operation {
            StartExecution { named } => {
                let request = StartExecutionRequest::new("flow").input_json(r#"{"a":1}"#);
                let request = match named {
                    true => request.execution_name("mine"),
                    false => request,
                };
                let answer = self.finish(client.start_execution(request)).await?;
                Ok((answer.attempts(), Some(answer.into_value().origin)))
            }
            StartSync { named } => {
                let request = StartSyncExecutionRequest::new("flow");
                let request = match named {
                    true => request.execution_name("mine"),
                    false => request,
                };
                self.count(client.start_sync_execution(request)).await
            }
            Change { idempotent } => {
                let request = alibaba::Undeclared::change("TurnThing");
                let request = match idempotent {
                    true => request.idempotent(),
                    false => request,
                };
                self.count(client.undeclared(request)).await
            }
            _ => self.count(describe()).await,
        }
    }

    async fn send_huawei(self, script: &Arc<Script>, clock: Clock) -> Sent {
        let builder = huawei::Client::builder()
            .region("cn-north-4")
            .project_id("p")
            .environment(&Environment::fake(&[]))
            .scripted(script, clock);
        let client = match self.key {
            Key::Fixed => builder.credentials(AccessKey::new("id-0", "secret")),
            _ => builder.credentials(Renewing::default()),
        };
        let client = client.build().unwrap();
        let show =
            || client.show_workflow_execution(ShowWorkflowExecutionRequest::new("flow", "mine"));
        if self.key == Key::Proven {
            show().send().await.unwrap();
        }
        match self.operation {
            HuaweiSync => {
                let request = StartSyncWorkflowExecutionRequest::new("flow");
                self.count(client.start_sync_workflow_execution(request))
                    .await
            }
            HuaweiStart { named } => {
                let request = StartWorkflowExecutionRequest::new("flow").input_json(r#"{"a":1}"#);
                let request = match named {
                    true => request.workflow_run_id("mine"),
                    false => request,
                };
                self.count(client.start_workflow_execution(request)).await
            }
            HuaweiChange { idempotent } => {
                let request = huawei::Undeclared::change(Method::POST, ["things"]);
                let request = match idempotent {
                    true => request.idempotent(),
                    false => request,
                };
                self.count(client.undeclared(request)).await
            }
            _ => self.count(show()).await,
        }
    }

    async fn finish<O: operation::Operation>(
        self,
        call: call::Call<O>,
    ) -> Result<crate::Response<O::Output>, Error> {
        let call = call.retry(RetryPolicy::default().max_attempts(ATTEMPTS));
        let call = match self.repeat_if_unknown {
            true => call.repeat_if_unknown(),
            false => call,
        };
        call.send_for_response().await
    }

    async fn count<O: operation::Operation>(self, call: call::Call<O>) -> Sent {
        Ok((self.finish(call).await?.attempts(), None))
    }
}

/// What came of a call: after how many attempts, and whose execution it is where that is told.
pub(super) type Sent = Result<(u32, Option<ExecutionOrigin>), Error>;

/// A source that always has another key.
#[derive(Debug, Default)]
struct Renewing(AtomicU32);

impl Renewing {
    fn id(&self) -> String {
        format!("id-{}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

impl ProvideCredential<Credentials> for Renewing {
    fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        let key = Credentials::new(self.id(), "secret").security_token("token");
        Box::pin(async { Ok(Lease::new(key)) })
    }
}

impl ProvideCredential<Credential> for Renewing {
    fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        let token = Token::new(self.id());
        Box::pin(async { Ok(Lease::new(token.into())) })
    }
}
