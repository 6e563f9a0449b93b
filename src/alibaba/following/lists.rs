//! Lists, page after page.

use super::{Shared, looks};
use crate::{
    alibaba::{
        operations::{
            executions::{Execution, ExecutionStatus},
            lists::{Event, GetExecutionHistoryRequest, ListExecutionsRequest},
        },
        protocol::Rpc,
    },
    error::{Error, ErrorKind},
    list::{Ask, Items, Pages, Place, Reply, Source},
    pipeline::{
        call::{Call, Listing},
        credential::BoxFuture,
        operation::Operation,
    },
};

/// The most executions of a page, and the most events.
const EXECUTIONS: u32 = 100;
const EVENTS: u32 = 999;

impl Call<ListExecutionsRequest> {
    /// All executions of the list, one after the other, page by page as they are wanted.
    ///
    /// Without definition, input and output, unless the request says `metadata_only(false)`.
    ///
    /// # Errors
    ///
    /// Each item may be one: see [`Pages::next`].
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, ListExecutionsRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let mut items = client.list_executions(ListExecutionsRequest::new("my_flow")).items();
    /// while let Some(execution) = items.next().await {
    ///     println!("{}", execution?.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn items(self) -> Items<Execution> {
        self.pages().items()
    }

    /// The pages of the list, one after the other, as they are wanted; as [`items`](Self::items).
    pub fn pages(self) -> Pages<Execution> {
        let limit = self.listed().and_then(|request| request.limit);
        let token = self.listed().and_then(|request| request.next_token.clone());
        Pages::by_token(Executions(self.into_list()), limit.unwrap_or(EXECUTIONS))
            .beginning_at(token)
    }
}

impl Call<GetExecutionHistoryRequest> {
    /// All events of the execution, oldest first, page by page as they are wanted.
    ///
    /// # Errors
    ///
    /// Each item may be one: see [`Pages::next`].
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, GetExecutionHistoryRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = GetExecutionHistoryRequest::new("my_flow", "order-17");
    /// let mut events = client.get_execution_history(request).items();
    /// while let Some(event) = events.next().await {
    ///     println!("{:?}", event?.event_type);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn items(self) -> Items<Event> {
        self.pages().items()
    }

    /// The pages of the history, one after the other, as they are wanted.
    pub fn pages(self) -> Pages<Event> {
        let limit = self.listed().and_then(|request| request.limit);
        let token = self.listed().and_then(|request| request.next_token.clone());
        Pages::by_token(Events(self.into_list()), limit.unwrap_or(EVENTS)).beginning_at(token)
    }
}

impl<R: Operation<Protocol = Rpc> + Clone> Listing<R> {
    /// Sends the request for one page.
    fn page(
        &self,
        takes_turn: bool,
        change: impl FnOnce(&mut R),
    ) -> BoxFuture<'static, Result<R::Output, Error>> {
        let pipeline = self.pipeline.clone();
        let (request, options) = (self.request.clone(), self.options);
        let request = request.map(|mut request| {
            change(&mut request);
            *request
        });
        Box::pin(async move {
            let Some(request) = request else {
                return Err(Error::new(ErrorKind::Configuration, "this call is no list"));
            };
            if takes_turn {
                let name = request.name();
                looks::pacer(&pipeline, &name).turn().await;
            }
            Call::with(&pipeline, request, options).send().await
        })
    }
}

fn token(place: Place) -> Option<String> {
    match place {
        Place::Token(token) => Some(token),
        _ => None,
    }
}

struct Executions(Listing<ListExecutionsRequest>);

impl Source for Executions {
    type Item = Execution;

    fn fetch(&self, ask: Ask) -> BoxFuture<'static, Result<Reply<Execution>, Error>> {
        let page = self.0.page(ask.takes_turn, |request| {
            request.limit = Some(ask.limit);
            request.next_token = token(ask.place);
            request.metadata_only.get_or_insert(true);
        });
        Box::pin(async move {
            let page = page.await?;
            Ok(Reply {
                items: page.executions,
                next: page.next_token,
                total: None,
            })
        })
    }

    fn key(&self, item: &Execution) -> Option<String> {
        item.name.clone()
    }

    fn filters(&self) -> String {
        let Some(request) = &self.0.request else {
            return "ListExecutions".to_owned();
        };
        format!(
            "ListExecutions\n{:?}",
            (
                &request.flow_name,
                &request.execution_name_prefix,
                &request.map_run_name,
                request.metadata_only.unwrap_or(true),
                &request.qualifier,
                request
                    .started_time_begin
                    .map(|time| time.timestamp_millis()),
                request.started_time_end.map(|time| time.timestamp_millis()),
                request.status.as_ref().map(ExecutionStatus::as_str),
            )
        )
    }
}

struct Events(Listing<GetExecutionHistoryRequest>);

impl Source for Events {
    type Item = Event;

    fn fetch(&self, ask: Ask) -> BoxFuture<'static, Result<Reply<Event>, Error>> {
        let page = self.0.page(ask.takes_turn, |request| {
            request.limit = Some(ask.limit);
            request.next_token = token(ask.place);
        });
        Box::pin(async move {
            let page = page.await?;
            Ok(Reply {
                items: page.events,
                next: page.next_token,
                total: None,
            })
        })
    }

    fn key(&self, item: &Event) -> Option<String> {
        item.event_id.map(|id| id.to_string())
    }

    fn filters(&self) -> String {
        let request = self.0.request.as_ref();
        format!(
            "GetExecutionHistory\n{:?}",
            request.map(|request| (&request.flow_name, &request.execution_name))
        )
    }
}

/// A history that is read by polls: page after page, each in its turn.
struct PolledHistory {
    pipeline: Shared,
    flow: String,
    execution: String,
}

impl Source for PolledHistory {
    type Item = Event;

    fn fetch(&self, ask: Ask) -> BoxFuture<'static, Result<Reply<Event>, Error>> {
        let pipeline = self.pipeline.clone();
        let mut request = GetExecutionHistoryRequest::new(&self.flow, &self.execution);
        request.limit = Some(ask.limit);
        request.next_token = token(ask.place);
        Box::pin(async move {
            let page = looks::patient(&pipeline, request).await?;
            Ok(Reply {
                items: page.events,
                next: page.next_token,
                total: None,
            })
        })
    }

    fn key(&self, item: &Event) -> Option<String> {
        item.event_id.map(|id| id.to_string())
    }

    fn filters(&self) -> String {
        "GetExecutionHistory".to_owned()
    }
}

pub(super) fn history(pipeline: Shared, flow: String, execution: String) -> Items<Event> {
    let source = PolledHistory {
        pipeline,
        flow,
        execution,
    };
    Pages::by_token(source, EVENTS).items()
}
