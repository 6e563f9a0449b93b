//! The executions of a flow and the events of an execution, page by page.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::{
    cloud::Cloud,
    course::Event,
    flow::{Flows, Refusal},
    paging::{self, Page},
    run::{Run, View},
};

/// Which executions are listed. What is `None` lets all through.
#[derive(Default)]
pub(crate) struct Filter<'a> {
    pub(crate) prefix: Option<&'a str>,
    /// A version or alias of Alibaba Cloud.
    pub(crate) qualifier: Option<&'a str>,
    /// In the words of the flow's cloud.
    pub(crate) status: Option<&'a str>,
    pub(crate) started_from: Option<DateTime<Utc>>,
    pub(crate) started_to: Option<DateTime<Utc>>,
}

impl Filter<'_> {
    fn takes(&self, run: &Run) -> bool {
        self.prefix
            .is_none_or(|prefix| run.name.starts_with(prefix))
            && self
                .qualifier
                .is_none_or(|qualifier| run.ran.is_of(qualifier))
            && self.started_from.is_none_or(|from| run.started >= from)
            && self.started_to.is_none_or(|to| run.started <= to)
    }
}

/// An execution in a list, as the list shows it.
pub(crate) type Listed = (Arc<Run>, View);

/// Why there is no page.
pub(crate) enum NoPage {
    UnknownFlow,
    /// The token is none of this list's.
    BadToken,
}

/// A page of a list that is read by offset.
pub(crate) struct OffsetPage {
    pub(crate) items: Vec<Listed>,
    /// How many there are on all pages.
    pub(crate) total: usize,
}

impl Flows {
    /// A page of executions, the newest first.
    pub(crate) fn list(
        &self,
        cloud: Cloud,
        flow: &str,
        filter: &Filter<'_>,
        token: Option<&str>,
        limit: usize,
    ) -> Result<Page<Listed>, NoPage> {
        let mut all = self.all(cloud, flow).ok_or(NoPage::UnknownFlow)?;
        all.reverse();
        let quirks = self.world().quirks.get();
        let at = self.listed_at();
        paging::by_token(
            &all,
            |run| run.name.clone(),
            |run| self.listed(run, filter, at),
            token.filter(|token| !token.is_empty()),
            limit,
            &quirks,
        )
        .ok_or(NoPage::BadToken)
    }

    /// A page of executions from an offset, the newest first.
    pub(crate) fn list_from(
        &self,
        cloud: Cloud,
        flow: &str,
        filter: &Filter<'_>,
        offset: usize,
        limit: usize,
    ) -> Result<OffsetPage, Refusal> {
        let all = self.all(cloud, flow).ok_or(Refusal::UnknownFlow)?;
        let at = self.listed_at();
        let all = all.iter().rev();
        let all: Vec<_> = all.filter_map(|run| self.listed(run, filter, at)).collect();
        let total = all.len();
        let quirks = self.world().quirks.get();
        let items = paging::by_offset(all.into_iter(), offset, limit, &quirks);
        Ok(OffsetPage { items, total })
    }

    /// A page of the events of an execution, the oldest first.
    pub(crate) fn history(
        &self,
        run: &Run,
        token: Option<&str>,
        limit: usize,
    ) -> Result<Page<Event>, NoPage> {
        let events = run.history();
        let quirks = self.world().quirks.get();
        paging::by_token(
            &events,
            |event| event.id.to_string(),
            |event| Some(event.clone()),
            token.filter(|token| !token.is_empty()),
            limit,
            &quirks,
        )
        .ok_or(NoPage::BadToken)
    }

    /// The moment that lists show.
    fn listed_at(&self) -> Duration {
        let world = self.world();
        let lag = world.quirks.get().list_lag;
        // A list that lags shows nothing before the emulator's start.
        world.clock.passed().saturating_sub(lag)
    }

    fn listed(&self, run: &Arc<Run>, filter: &Filter<'_>, at: Duration) -> Option<Listed> {
        if !filter.takes(run) {
            return None;
        }
        let view = run.view_at(at)?;
        let is_asked_for = filter.status.is_none_or(|status| status == view.status);
        is_asked_for.then(|| (Arc::clone(run), view))
    }
}

/// A node of a flow in one turn of an execution, in the words of Huawei Cloud.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) status: &'static str,
    /// JSON as it was written.
    pub(crate) input: String,
    /// The same; `None` while there is none.
    pub(crate) output: Option<String>,
    pub(crate) began: DateTime<Utc>,
    pub(crate) ended: Option<DateTime<Utc>>,
    pub(crate) error: Option<String>,
}

impl Run {
    /// What became of the nodes in all turns, in the order in which they began.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        let mut nodes = Vec::new();
        for events in self.histories() {
            let first = nodes.len();
            for event in &events {
                self.note(&mut nodes, first, event);
            }
        }
        nodes
    }

    fn note(&self, nodes: &mut Vec<Node>, first: usize, event: &Event) {
        if event.kind == "StepEntered" {
            nodes.push(Node {
                id: event.step.clone(),
                status: "running",
                input: member(event, "input").unwrap_or_else(|| "{}".to_owned()),
                output: None,
                began: self.date(event.at),
                ended: None,
                error: None,
            });
            return;
        }
        // Stopped: the node that runs is stopped with it.
        let is_stop = event.kind == "ExecutionStopped";
        let open = nodes
            .iter_mut()
            .skip(first)
            .rev()
            .find(|node| node.ended.is_none() && (is_stop || node.id == event.step));
        let Some(node) = open else {
            return;
        };
        match event.kind.as_ref() {
            "TaskTimedOut" => node.status = "timeout",
            "ExecutionStopped" => {
                node.status = "cancel";
                node.ended = Some(self.date(event.at));
            }
            "StepFailed" => {
                if node.status == "running" {
                    node.status = "fail";
                }
                node.ended = Some(self.date(event.at));
                let parts = ["error", "cause"].into_iter();
                let parts = parts.filter_map(|name| member(event, name));
                let parts = parts.filter_map(|part| serde_json::from_str(&part).ok());
                let parts: Vec<String> = parts.filter(|part: &String| !part.is_empty()).collect();
                node.error = Some(parts.join(": "));
            }
            "StepExited" => {
                node.status = "success";
                node.ended = Some(self.date(event.at));
                node.output = member(event, "output");
            }
            _ => {}
        }
    }
}

/// A member of an event's details, as it is written there.
fn member(event: &Event, name: &str) -> Option<String> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(&event.detail).ok()?;
    members.get(name).map(|value| value.get().to_owned())
}
