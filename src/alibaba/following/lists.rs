//! Lists, page after page.

use super::polls::pacer;
use crate::{
    alibaba::{
        operations::{
            aliases::{FlowAlias, ListFlowAliasesRequest},
            executions::Execution,
            flows::{Flow, ListFlowsRequest},
            lists::{Event, GetExecutionHistoryRequest, ListExecutionsRequest},
            schedules::{ListSchedulesRequest, Schedule},
            versions::{FlowVersion, ListFlowVersionsRequest},
        },
        protocol::Rpc,
    },
    error::{Error, ErrorKind},
    list::{Ask, Items, Pages, Reply, Source},
    pipeline::{
        call::{Call, Listing},
        credential::BoxFuture,
        declared::Declared,
        operation::Operation,
        record::Fields,
        show,
    },
};

/// The most events of a page.
pub(super) const EVENTS: u32 = 999;

/// An operation whose answers are pages of a list.
trait Listed: Operation<Protocol = Rpc> + Declared + Clone {
    type Item: Send + 'static;
    /// How many items a page is asked for, unless the caller says it.
    const LIMIT: u32;

    /// Sets what differs from page to page; the rest is the list's.
    fn turn_to(&mut self, limit: Option<u32>, token: Option<String>);

    /// Limit and token as the caller gave them.
    fn given(&self) -> (Option<u32>, Option<String>);

    fn items(answer: Self::Output) -> (Vec<Self::Item>, Option<String>);

    /// What tells an item from the others.
    fn key(item: &Self::Item) -> Option<String>;
}

/// Declares a list: its items, how many of them a page is asked for, where they stand in an answer,
/// what tells them apart, and what its request says unless the caller does.
macro_rules! listed {
    (
        $(#[$words:meta])*
        $request:ident: $item:ty, $limit:expr, $items:ident,
        |$one:ident| $key:expr
        $(, $default:ident: $value:expr)?
    ) => {
        impl Listed for $request {
            type Item = $item;
            const LIMIT: u32 = $limit;

            fn turn_to(&mut self, limit: Option<u32>, token: Option<String>) {
                self.limit = limit;
                self.next_token = token;
                $(self.$default.get_or_insert($value);)?
            }

            fn given(&self) -> (Option<u32>, Option<String>) {
                (self.limit, self.next_token.clone())
            }

            fn items(answer: Self::Output) -> (Vec<$item>, Option<String>) {
                (answer.$items, answer.next_token)
            }

            fn key($one: &$item) -> Option<String> {
                $key
            }
        }

        impl Call<$request> {
            $(#[$words])*
            pub fn items(self) -> Items<$item> {
                self.pages().items()
            }

            /// The pages of the list, one after the other, as they are wanted; as
            /// [`items`](Self::items).
            pub fn pages(self) -> Pages<$item> {
                pages(self)
            }
        }
    };
}

listed! {
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
    ListExecutionsRequest: Execution, 100, executions, |one| one.name.clone(), metadata_only: true
}

listed! {
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
    /// let mut events = client.get_execution_history(GetExecutionHistoryRequest::new("my_flow", "order-17")).items();
    /// while let Some(event) = events.next().await {
    ///     println!("{:?}", event?.event_type);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    GetExecutionHistoryRequest: Event, EVENTS, events, |one| one.event_id.map(|id| id.to_string())
}

listed! {
    /// All flows, one after the other, page by page as they are wanted.
    ///
    /// # Errors
    ///
    /// Each item may be one: see [`Pages::next`].
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, ListFlowsRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let mut flows = client.list_flows(ListFlowsRequest::new()).items();
    /// while let Some(flow) = flows.next().await {
    ///     println!("{:?}", flow?.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ListFlowsRequest: Flow, 100, flows, |one| one.name.clone()
}

listed! {
    /// All versions of the flow, one after the other, page by page as they are wanted.
    ///
    /// # Errors
    ///
    /// Each item may be one: see [`Pages::next`].
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, ListFlowVersionsRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let mut versions = client.list_flow_versions(ListFlowVersionsRequest::new("my_flow")).items();
    /// while let Some(version) = versions.next().await {
    ///     println!("{}", version?.version);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ListFlowVersionsRequest: FlowVersion, USUAL, flow_versions, |one| Some(one.version.clone())
}

listed! {
    /// All aliases of the flow, one after the other, page by page as they are wanted.
    ///
    /// # Errors
    ///
    /// Each item may be one: see [`Pages::next`].
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, ListFlowAliasesRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let mut aliases = client.list_flow_aliases(ListFlowAliasesRequest::new("my_flow")).items();
    /// while let Some(alias) = aliases.next().await {
    ///     println!("{:?}", alias?.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ListFlowAliasesRequest: FlowAlias, USUAL, aliases, |one| one.name.clone()
}

listed! {
    /// All schedules of the flow, one after the other, page by page as they are wanted.
    ///
    /// # Errors
    ///
    /// Each item may be one: see [`Pages::next`].
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, ListSchedulesRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let mut schedules = client.list_schedules(ListSchedulesRequest::new("my_flow")).items();
    /// while let Some(schedule) = schedules.next().await {
    ///     println!("{:?}", schedule?.schedule_name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ListSchedulesRequest: Schedule, 1000, schedules, |one| one.schedule_name.clone()
}

impl<R: Operation<Protocol = Rpc> + Clone> Listing<R> {
    /// Sends the request for one page.
    fn page(
        &self,
        takes_turn: bool,
        change: impl FnOnce(&mut R),
    ) -> BoxFuture<'static, Result<R::Output, Error>> {
        let pipeline = self.pipeline.clone();
        let (request, options) = (self.request.clone(), self.options.clone());
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
                pacer(&pipeline, &name).turn().await;
            }
            Call::with(&pipeline, request, options).send().await
        })
    }
}

fn pages<R: Listed>(call: Call<R>) -> Pages<R::Item> {
    let (limit, token) = call.listed().map(R::given).unwrap_or_default();
    let source = Paged(call.into_list());
    Pages::by_token(source, limit.unwrap_or(R::LIMIT)).beginning_at(token)
}

/// How many items a page has where the documents do not say how many it may have: it is not asked
/// for, unless it must be fewer.
const USUAL: u32 = 60;

struct Paged<R: Listed>(Listing<R>);

impl<R: Listed> Source for Paged<R> {
    type Item = R::Item;

    fn fetch(&self, ask: Ask) -> BoxFuture<'static, Result<Reply<R::Item>, Error>> {
        let page = self.0.page(ask.takes_turn, |request| {
            let is_usual = ask.limit == USUAL && request.given().0.is_none();
            request.turn_to((!is_usual).then_some(ask.limit), ask.place.token());
        });
        Box::pin(async move {
            let (items, next) = R::items(page.await?);
            Ok(Reply {
                items,
                next,
                total: None,
            })
        })
    }

    fn key(&self, item: &R::Item) -> Option<String> {
        R::key(item)
    }

    fn filters(&self) -> String {
        let request = self.0.request.clone().map(|mut request| {
            request.turn_to(None, None);
            request
        });
        match &request {
            Some(request) => filters(R::ENTRY.name, &**request),
            None => R::ENTRY.name.to_owned(),
        }
    }
}

fn filters(name: &str, request: &dyn Fields) -> String {
    let mut text = name.to_owned();
    for (member, value) in show::present(request) {
        let value = value.to_text(member.wire).unwrap_or_default();
        text.push_str(&format!("\n{}={value:?}", member.wire));
    }
    text
}
