//! The pages of this cloud's lists of executions.

use std::sync::Arc;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use super::{
    operations::lists::{
        ListWorkflowExecutionsRequest, ShowWorkflowExecutionForPageRequest, WorkflowExecutionBrief,
    },
    protocol::Rest,
    watch::LONGEST_WINDOW,
};
use crate::{
    error::Error,
    list::{Ask, Pages, Place, Reply, Source, Windows},
    pipeline::{Pipeline, call::Call, credential::BoxFuture, operation::Operation},
};

/// More than this is cut in silence, and then a full page looks like the last.
const MOST_LISTED: u32 = 200;
const MOST_OF_HISTORY: u32 = 100;

/// An operation that lists executions in pages; see [`Client::items`](super::Client::items).
///
/// Sealed: the operations are those of this crate.
pub trait Listing: List {}

impl Listing for ListWorkflowExecutionsRequest {}
impl Listing for ShowWorkflowExecutionForPageRequest {}

/// A list of executions that is read by counting.
pub trait List: Operation<Protocol = Rest> + Clone + Send + Sync {
    const MOST: u32;

    /// The same list, one page of it.
    fn page(self, limit: u32, offset: u32, window: Option<(DateTime<Utc>, DateTime<Utc>)>) -> Self;

    /// The flow and the filters, in one text.
    fn filters(&self) -> String;

    /// How many items a page is to have, and how many the caller wants to pass over.
    fn counts(&self) -> (Option<u32>, u32);

    fn times(&self) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

    fn read(answer: Self::Output) -> (Vec<WorkflowExecutionBrief>, Option<u64>);
}

impl List for ListWorkflowExecutionsRequest {
    const MOST: u32 = MOST_LISTED;

    fn page(
        mut self,
        limit: u32,
        offset: u32,
        window: Option<(DateTime<Utc>, DateTime<Utc>)>,
    ) -> Self {
        (self.start_time, self.end_time) = window.unzip();
        self.limit(limit).offset(offset)
    }

    fn filters(&self) -> String {
        let status = self.status.as_ref().map_or("", |status| status.as_str());
        format!("{}\n{status}", self.workflow_id)
    }

    fn counts(&self) -> (Option<u32>, u32) {
        (self.limit, self.offset.unwrap_or_default())
    }

    fn times(&self) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        (self.start_time, self.end_time)
    }

    fn read(answer: Self::Output) -> (Vec<WorkflowExecutionBrief>, Option<u64>) {
        (answer.executions, None)
    }
}

impl List for ShowWorkflowExecutionForPageRequest {
    const MOST: u32 = MOST_OF_HISTORY;

    fn page(
        mut self,
        limit: u32,
        offset: u32,
        window: Option<(DateTime<Utc>, DateTime<Utc>)>,
    ) -> Self {
        (self.start_time, self.end_time) = window.unzip();
        (self.limit, self.offset) = (limit, offset);
        self
    }

    fn filters(&self) -> String {
        self.workflow_id.clone()
    }

    fn counts(&self) -> (Option<u32>, u32) {
        (Some(self.limit), self.offset)
    }

    fn times(&self) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        (self.start_time, self.end_time)
    }

    fn read(answer: Self::Output) -> (Vec<WorkflowExecutionBrief>, Option<u64>) {
        let total = answer.total.and_then(|total| u64::try_from(total).ok());
        (answer.executions, total)
    }
}

/// All pages of a list, from its first to its last window.
pub(super) fn pages<L: List>(
    pipeline: &Arc<Pipeline<Rest>>,
    request: L,
) -> Pages<WorkflowExecutionBrief> {
    let (since, until) = request.times();
    // Both ends are pinned, in whole seconds, which is what the service counts in.
    let until_now = until.unwrap_or_else(|| pipeline.core.clock.now());
    let begin = since.unwrap_or(until_now - LONGEST_WINDOW);
    let windows = Windows::between(whole(begin), whole(until_now + ALMOST), LONGEST_WINDOW);
    let limit = request.counts().0.unwrap_or(L::MOST).clamp(1, L::MOST);
    let source = Executions {
        pipeline: pipeline.clone(),
        request,
    };
    Pages::by_offset(source, limit, windows)
}

/// With this, cutting to the second before becomes cutting to the second after.
const ALMOST: TimeDelta = TimeDelta::milliseconds(999);

fn whole(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(TimeDelta::seconds(1)).unwrap_or(time)
}

struct Executions<L> {
    pipeline: Arc<Pipeline<Rest>>,
    request: L,
}

impl<L: List> Source for Executions<L> {
    type Item = WorkflowExecutionBrief;

    fn fetch(&self, ask: Ask) -> BoxFuture<'static, Result<Reply<Self::Item>, Error>> {
        if self.request.counts().1 > 0 {
            let rule = "must be 0: all pages are read, and a position says where to go on";
            let refused = Error::invalid("offset", rule);
            return Box::pin(std::future::ready(Err(refused)));
        }
        let (window, offset) = match ask.place {
            Place::Offset { window, offset, .. } => (window, offset),
            _ => (None, 0),
        };
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let pipeline = self.pipeline.clone();
        let request = self.request.clone().page(ask.limit, offset, window);
        Box::pin(async move {
            let pacer = pipeline.pacers.of(&request.name()).cloned();
            if let Some(pacer) = pacer.filter(|_| ask.takes_turn) {
                pacer.turn().await;
            }
            let answer = Call::new(&pipeline, request).send().await?;
            let (items, total) = L::read(answer);
            Ok(Reply {
                items,
                next: None,
                total,
            })
        })
    }

    fn key(&self, item: &WorkflowExecutionBrief) -> Option<String> {
        item.execution_id.clone()
    }

    fn time(&self, item: &WorkflowExecutionBrief) -> Option<DateTime<Utc>> {
        item.begin_time
    }

    fn filters(&self) -> String {
        let (since, until) = self.request.times();
        let seconds = |time: Option<DateTime<Utc>>| {
            time.map_or_else(String::new, |time| time.timestamp().to_string())
        };
        format!(
            "{}\n{}\n{}\n{}",
            self.request.name(),
            self.request.filters(),
            seconds(since),
            seconds(until),
        )
    }
}
