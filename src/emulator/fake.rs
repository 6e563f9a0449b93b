//! A flow without a service.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use super::clock::lock;
use crate::{
    error::{Error, ErrorKind},
    outcome::Outcome,
    payload::Payload,
    pipeline::credential::BoxFuture,
    workflow::{Start, Workflow},
};

/// A [`Workflow`] that answers in order, and tells what it was asked. Clones share both.
///
/// Answers are the vendors' own, read from their JSON, or errors from [`Error::for_tests`]. When
/// there are none left, a run is an error of [`ErrorKind::Configuration`].
///
/// ```
/// # #[cfg(feature = "alibaba")] {
/// use cloud_workflows::{
///     Error, ErrorKind, Start, Workflow, alibaba::StartSyncExecutionResponse,
///     emulator::FakeWorkflow,
/// };
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let answer = r#"{"Status": "Succeeded", "Output": "{\"cents\": 750}"}"#;
/// let answer: StartSyncExecutionResponse = serde_json::from_str(answer).unwrap();
/// let flow = FakeWorkflow::new()
///     .answers(answer)
///     .fails(Error::for_tests(ErrorKind::Throttled));
///
/// let start = Start::new(&serde_json::json!({"order": 17})).unwrap();
/// assert!(flow.run(start.clone()).await.is_ok());
/// let error = flow.run(start.clone()).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Throttled);
/// assert_eq!(flow.asked(), [start.clone(), start]);
/// # });
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct FakeWorkflow {
    is_idempotent: bool,
    told: Arc<Mutex<Told>>,
}

#[derive(Debug, Default)]
struct Told {
    answers: VecDeque<Result<Outcome, Error>>,
    asked: Vec<Start>,
    /// What runs under a name came to, with their inputs.
    named: HashMap<String, (Payload, Outcome)>,
}

impl FakeWorkflow {
    /// A fake without answers and without idempotent starts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives it idempotent starts: a run under a name that succeeded in learning its outcome is
    /// answered with that outcome again, and with [`ErrorKind::AlreadyExists`] for another input.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.is_idempotent = true;
        self
    }

    /// Adds an answer: an [`Outcome`], or an answer of either cloud that tells one.
    #[must_use]
    pub fn answers(self, outcome: impl Into<Outcome>) -> Self {
        lock(&self.told).answers.push_back(Ok(outcome.into()));
        self
    }

    /// Adds an error, such as [`Error::for_tests`].
    #[must_use]
    pub fn fails(self, error: Error) -> Self {
        lock(&self.told).answers.push_back(Err(error));
        self
    }

    /// What it was asked to run so far, in order; refused starts are not among it.
    pub fn asked(&self) -> Vec<Start> {
        lock(&self.told).asked.clone()
    }

    fn answer(&self, start: Start) -> Result<Outcome, Error> {
        if !self.is_idempotent {
            start.refuse_name("FakeWorkflow")?;
        }
        let mut told = lock(&self.told);
        told.asked.push(start.clone());
        let known = start.name.as_ref().and_then(|name| told.named.get(name));
        match known {
            Some((input, outcome)) if *input == start.input => return Ok(outcome.clone()),
            Some(_) => return Err(Error::for_tests(ErrorKind::AlreadyExists)),
            None => {}
        }
        let answer = told.answers.pop_front().unwrap_or_else(|| {
            let message = "the fake has no answer left for this run";
            Err(Error::new(ErrorKind::Configuration, message))
        })?;
        if let Some(name) = start.name {
            told.named.insert(name, (start.input, answer.clone()));
        }
        Ok(answer)
    }
}

impl Workflow for FakeWorkflow {
    fn run(&self, start: Start) -> BoxFuture<'_, Result<Outcome, Error>> {
        Box::pin(async move { self.answer(start) })
    }

    fn is_idempotent(&self) -> bool {
        self.is_idempotent
    }
}
