//! The pages of this cloud's lists.

use std::sync::Arc;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};

use super::{
    operations::{
        flows::{ListWorkflowRequest, WorkflowSimpleInfo},
        lists::{
            ListWorkflowExecutionsRequest, ShowWorkflowExecutionForPageRequest,
            WorkflowExecutionBrief,
        },
    },
    protocol::Rest,
    watch::LONGEST_WINDOW,
};
use crate::{
    error::{Error, ErrorKind},
    list::{Ask, Items, Pages, Place, Reply, Source, Windows},
    pipeline::{
        Pipeline,
        call::{Call, Listing},
        credential::BoxFuture,
        operation::Operation,
        options::CallOptions,
    },
};

/// More than this is cut in silence, and then a full page looks like the last.
const MOST_LISTED: u32 = 200;
const MOST_OF_HISTORY: u32 = 100;

/// What stands in such a list.
trait Entry: Send + 'static {
    fn id(&self) -> Option<String>;

    /// The time by which windows choose it.
    fn time(&self) -> Option<DateTime<Utc>> {
        None
    }
}

impl Entry for WorkflowExecutionBrief {
    fn id(&self) -> Option<String> {
        self.execution_id.clone()
    }

    fn time(&self) -> Option<DateTime<Utc>> {
        self.begin_time
    }
}

impl Entry for WorkflowSimpleInfo {
    fn id(&self) -> Option<String> {
        Some(self.id.clone())
    }
}

/// A list that is read by counting.
trait List: Operation<Protocol = Rest> + Clone + Send + Sync {
    type Item: Entry;
    const MOST: u32;
    /// Whether the service looks at three days at once.
    const HAS_WINDOWS: bool = true;

    /// The same list, one page of it.
    fn page(self, limit: u32, offset: u32, window: Option<(DateTime<Utc>, DateTime<Utc>)>) -> Self;

    /// The flow and the filters, in one text.
    fn filters(&self) -> String;

    /// How many items a page is to have, and how many the caller wants to pass over.
    fn counts(&self) -> (Option<u32>, u32);

    fn times(&self) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        (None, None)
    }

    fn read(answer: Self::Output) -> (Vec<Self::Item>, Option<u64>);
}

impl List for ListWorkflowRequest {
    type Item = WorkflowSimpleInfo;
    const MOST: u32 = MOST_LISTED;
    const HAS_WINDOWS: bool = false;

    fn page(self, limit: u32, offset: u32, _: Option<(DateTime<Utc>, DateTime<Utc>)>) -> Self {
        self.limit(limit).offset(offset)
    }

    fn filters(&self) -> String {
        let mode = self.mode.as_ref().map(|mode| mode.as_str());
        let filters = [
            self.workflow_name.as_deref(),
            self.enterprise_project.as_deref(),
            mode,
        ];
        filters.map(Option::unwrap_or_default).join("\n")
    }

    fn counts(&self) -> (Option<u32>, u32) {
        (self.limit, self.offset.unwrap_or_default())
    }

    fn read(answer: Self::Output) -> (Vec<WorkflowSimpleInfo>, Option<u64>) {
        let total = answer.total.and_then(|total| u64::try_from(total).ok());
        (answer.workflows, total)
    }
}

impl List for ListWorkflowExecutionsRequest {
    type Item = WorkflowExecutionBrief;
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
    type Item = WorkflowExecutionBrief;
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
fn pages<L: List>(call: Call<L>) -> Pages<L::Item> {
    let Listing {
        pipeline,
        request,
        options,
    } = call.into_list();
    let (since, until) = request.as_deref().map(List::times).unwrap_or_default();
    // Both ends are pinned, in whole seconds, which is what the service counts in. Nothing has
    // begun in the future, nor before the service was.
    let now = pipeline.core.clock.now();
    let until = until.map_or(now, |until| until.min(now));
    let until = until.max(DateTime::UNIX_EPOCH);
    let begin = since.unwrap_or(until - LONGEST_WINDOW);
    let begin = begin.min(now).max(DateTime::UNIX_EPOCH);
    let windows = match L::HAS_WINDOWS {
        true => Windows::between(whole(begin), whole(until + ALMOST), LONGEST_WINDOW),
        false => Windows::none(),
    };
    let limit = request.as_deref().and_then(|request| request.counts().0);
    let limit = limit.unwrap_or(L::MOST).clamp(1, L::MOST);
    let source = Listed {
        pipeline,
        request,
        options,
    };
    Pages::by_offset(source, limit, windows)
}

/// With this, cutting to the second before becomes cutting to the second after.
const ALMOST: TimeDelta = TimeDelta::milliseconds(999);

fn whole(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(TimeDelta::seconds(1)).unwrap_or(time)
}

struct Listed<L> {
    pipeline: Arc<Pipeline<Rest>>,
    request: Option<Box<L>>,
    options: CallOptions,
}

impl<L: List> Source for Listed<L> {
    type Item = L::Item;

    fn fetch(&self, ask: Ask) -> BoxFuture<'static, Result<Reply<Self::Item>, Error>> {
        let request = match self.request.as_deref() {
            None => Err(Error::new(ErrorKind::Configuration, "this call is no list")),
            Some(request) if request.counts().1 > 0 => {
                let rule = "must be 0: all pages are read, and a position says where to go on";
                Err(Error::invalid("offset", rule))
            }
            Some(request) => Ok(request.clone()),
        };
        let (window, offset) = match ask.place {
            Place::Offset { window, offset, .. } => (window, offset),
            _ => (None, 0),
        };
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let (pipeline, options) = (self.pipeline.clone(), self.options.clone());
        Box::pin(async move {
            let request = request?.page(ask.limit, offset, window);
            let pacer = pipeline.pacers.of(&request.name()).cloned();
            if let Some(pacer) = pacer.filter(|_| ask.takes_turn) {
                pacer.turn().await;
            }
            let answer = Call::with(&pipeline, request, options).send().await?;
            let (items, total) = L::read(answer);
            Ok(Reply {
                items,
                next: None,
                total,
            })
        })
    }

    fn key(&self, item: &L::Item) -> Option<String> {
        item.id()
    }

    fn time(&self, item: &L::Item) -> Option<DateTime<Utc>> {
        item.time()
    }

    fn filters(&self) -> String {
        let Some(request) = self.request.as_deref() else {
            return String::new();
        };
        let (since, until) = request.times();
        let seconds = |time: Option<DateTime<Utc>>| {
            time.map_or_else(String::new, |time| time.timestamp().to_string())
        };
        format!(
            "{}\n{}\n{}\n{}",
            request.name(),
            request.filters(),
            seconds(since),
            seconds(until),
        )
    }
}

/// Writes the two ways to read a list whole.
macro_rules! whole {
    ($($request:ident => $item:ident: $pages:expr, $($how:literal)*, $items:expr;)*) => {$(
        impl Call<$request> {
            /// The pages of the whole list, one after the other; see [`items`](Self::items).
            ///
            #[doc = $pages]
            pub fn pages(self) -> Pages<$item> {
                pages(self)
            }

            /// The items of the whole list, one after the other.
            ///
            $(#[doc = $how])*
            /// `limit` is the size of a page; `offset` must be 0.
            ///
            /// # Errors
            ///
            /// Those of the operation and of [`Pages::next`]. It reads only.
            ///
            #[doc = $items]
            pub fn items(self) -> Items<$item> {
                self.pages().items()
            }
        }
    )*};
}

whole! {
    ListWorkflowExecutionsRequest => WorkflowExecutionBrief: r#"
```no_run
use cloud_workflows::huawei::{Client, ListWorkflowExecutionsRequest};

# async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
let request = ListWorkflowExecutionsRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14");
let mut pages = client.list_workflow_executions(request).pages();
while let Some(page) = pages.next().await {
    println!("{} executions; stored: {}", page?.len(), pages.position());
}
# Ok(())
# }
```"#, "It reaches from the request's `start_time` to its `end_time`, or to now, in windows"
    "of three days, which is all that the service looks at at once; without a"
    "`start_time`, it is the last three days of that. Both ends are pinned before the"
    "first page, so that new executions do not move what comes after it, and none is"
    "given twice.", r#"With a `status`, what changes while pages are read can be missed.

```no_run
use cloud_workflows::huawei::{Client, ListWorkflowExecutionsRequest, WorkflowRunStatus};

# async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
let request = ListWorkflowExecutionsRequest::new("48aff955-ea10-4ffd-b426-190bc192dc14")
    .status(WorkflowRunStatus::Fail);
let mut failed = client.list_workflow_executions(request).items();
while let Some(execution) = failed.next().await {
    println!("{:?}", execution?.execution_id);
}
# Ok(())
# }
```"#;
    ShowWorkflowExecutionForPageRequest => WorkflowExecutionBrief: r#"
```no_run
use cloud_workflows::huawei::{Client, ShowWorkflowExecutionForPageRequest};

# async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
let workflow_id = "48aff955-ea10-4ffd-b426-190bc192dc14";
let request = ShowWorkflowExecutionForPageRequest::new(workflow_id, 0_u32, 100_u32);
let mut pages = client.show_workflow_execution_for_page(request).pages();
while let Some(page) = pages.next().await {
    println!("{} executions; stored: {}", page?.len(), pages.position());
}
# Ok(())
# }
```"#, "It reaches from the request's `start_time` to its `end_time`, or to now, in windows"
    "of three days, which is all that the service looks at at once; without a"
    "`start_time`, it is the last three days of that. Both ends are pinned before the"
    "first page, so that new executions do not move what comes after it, and none is"
    "given twice.", r#"Where the service's `total` promised more than it gave, [`Items::shortfall`] says so.

```no_run
use cloud_workflows::huawei::{Client, ShowWorkflowExecutionForPageRequest};

# async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
let workflow_id = "48aff955-ea10-4ffd-b426-190bc192dc14";
let request = ShowWorkflowExecutionForPageRequest::new(workflow_id, 0_u32, 100_u32);
let mut executions = client.show_workflow_execution_for_page(request).items();
while let Some(execution) = executions.next().await {
    println!("{:?}", execution?.execution_id);
}
# Ok(())
# }
```"#;
    ListWorkflowRequest => WorkflowSimpleInfo: r#"
```no_run
use cloud_workflows::huawei::{Client, ListWorkflowRequest};

# async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
let mut pages = client.list_workflow(ListWorkflowRequest::new()).pages();
while let Some(page) = pages.next().await {
    println!("{} flows; stored: {}", page?.len(), pages.position());
}
# Ok(())
# }
```"#, "None is given twice; one that is made or deleted while pages are read may be missed, or"
    "another in its place.", r#"Where the service's `total` promised more than it gave, [`Items::shortfall`] says so.

```no_run
use cloud_workflows::huawei::{Client, ListWorkflowRequest};

# async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
let mut flows = client.list_workflow(ListWorkflowRequest::new()).items();
while let Some(flow) = flows.next().await {
    let flow = flow?;
    println!("{} {}", flow.id, flow.name.unwrap_or_default());
}
# Ok(())
# }
```"#;
}
