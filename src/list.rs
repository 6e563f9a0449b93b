//! Lists that come in pages: one item or one page after the other.

mod offset;
mod position;
#[cfg(test)]
mod tests;
mod token;

use std::{
    collections::{VecDeque, vec_deque},
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use chrono::{DateTime, Utc};
use futures_core::Stream;
use sha2::{Digest as _, Sha256};

#[cfg(feature = "blocking")]
use crate::pipeline::background;
use crate::{
    error::{Delivery, Error, ErrorKind},
    pipeline::credential::BoxFuture,
};

pub(crate) use offset::Windows;
pub(crate) use position::Place;
pub use position::Position;

/// The items of a list, one after the other, from all its pages.
///
/// The next page is fetched only when an item of it is wanted, and one page is held. After an
/// error the list has ended; [`Items::position`] says where to go on. It is a
/// [`Stream`] as well.
///
/// ```
/// # async fn print<T: std::fmt::Debug + Send + 'static>(
/// #     mut items: cloud_workflows::Items<T>,
/// # ) -> Result<(), cloud_workflows::Error> {
/// while let Some(item) = items.next().await {
///     println!("{:?}", item?);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Items<T> {
    pages: Pages<T>,
    held: vec_deque::IntoIter<T>,
}

/// The pages of a list, one after the other.
///
/// The next page is fetched only when it is wanted; pages without an item are left out. After an
/// error the list has ended; [`Pages::position`] says where to go on. It is a
/// [`Stream`] as well.
pub struct Pages<T> {
    source: Arc<dyn Source<Item = T>>,
    walk: Walk,
    filters: u64,
    /// How many items are asked for at once.
    limit: u32,
    /// How many pages without an item came one after the other.
    empty: u32,
    /// The key of the last item of the page before.
    last: Option<String>,
    place: Place,
    /// Whether the page that is asked for begins at a stored position.
    is_resumed: bool,
    state: State<T>,
    shortfall: Option<Shortfall>,
}

/// A list whose server promised more items than it gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shortfall {
    /// How many items came.
    pub given: u64,
    /// How many there are, by the server's own count.
    pub total: u64,
}

enum State<T> {
    Idle,
    Asking(BoxFuture<'static, Result<Reply<T>, Error>>),
    Ended,
}

enum Walk {
    Tokens(token::Tokens),
    Windows(Box<Windows>),
}

/// What gives a list its pages.
pub(crate) trait Source: Send + Sync + 'static {
    type Item: Send + 'static;

    /// Asks for one page.
    fn fetch(&self, ask: Ask) -> BoxFuture<'static, Result<Reply<Self::Item>, Error>>;

    /// What tells an item from the others of the list.
    fn key(&self, item: &Self::Item) -> Option<String>;

    /// The time by which the list's windows choose items.
    fn time(&self, _item: &Self::Item) -> Option<DateTime<Utc>> {
        None
    }

    /// Operation and filters, in one text: a position fits only the list that it is of.
    fn filters(&self) -> String;
}

/// One page to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) place: Place,
    /// At most so many items.
    pub(crate) limit: u32,
    /// Whether it takes its turn behind waits: nobody knows for how many pages it goes on.
    pub(crate) takes_turn: bool,
}

/// One page as it came.
#[derive(Debug)]
pub(crate) struct Reply<T> {
    pub(crate) items: Vec<T>,
    /// The token of the next page; empty is none.
    pub(crate) next: Option<String>,
    /// How many items the list has, where the server says so.
    pub(crate) total: Option<u64>,
}

/// So many pages without an item may come one after the other.
const MOST_EMPTY: u32 = 100;

impl<T: Send + 'static> Pages<T> {
    /// A list whose pages are chained by tokens.
    pub(crate) fn by_token(source: impl Source<Item = T>, limit: u32) -> Self {
        Self::new(
            source,
            limit,
            Place::Start,
            Walk::Tokens(token::Tokens::default()),
        )
    }

    /// A list that is read by counting, window by window.
    pub(crate) fn by_offset(source: impl Source<Item = T>, limit: u32, windows: Windows) -> Self {
        let place = windows.start();
        Self::new(source, limit, place, Walk::Windows(Box::new(windows)))
    }

    fn new(source: impl Source<Item = T>, limit: u32, place: Place, walk: Walk) -> Self {
        Self {
            filters: checksum(&source.filters()),
            source: Arc::new(source),
            walk,
            limit: limit.max(1),
            empty: 0,
            last: None,
            place,
            is_resumed: false,
            state: State::Idle,
            shortfall: None,
        }
    }

    /// Goes on at a stored position.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] where it is the position of another list.
    pub fn resume(mut self, position: &Position) -> Result<Self, Error> {
        let fits = match (&self.walk, &position.place) {
            (_, Place::Start) => true,
            (Walk::Tokens(_), place) => matches!(place, Place::Token(_)),
            (Walk::Windows(_), place) => matches!(place, Place::Offset { .. }),
        };
        if position.filters != self.filters || !fits {
            let rule = "belongs to a list of another operation or with other filters";
            return Err(Error::invalid("position", rule));
        }
        if position.place != Place::Start {
            self.place = position.place.clone();
            self.is_resumed = true;
            match &mut self.walk {
                Walk::Tokens(tokens) => tokens.begin_at(&self.place),
                Walk::Windows(windows) => windows.begin_at(&self.place),
            }
        }
        Ok(self)
    }

    /// Begins where the caller's own token says.
    pub(crate) fn beginning_at(mut self, token: Option<String>) -> Self {
        if let (Some(token), Walk::Tokens(tokens)) = (token, &mut self.walk) {
            self.place = Place::Token(token);
            self.is_resumed = true;
            tokens.begin_at(&self.place);
        }
        self
    }

    /// The items of these pages, one after the other.
    pub fn items(self) -> Items<T> {
        Items {
            pages: self,
            held: VecDeque::new().into_iter(),
        }
    }

    /// The next page; `None` after the last one and after an error.
    ///
    /// Dropping the future loses nothing: the next call goes on with the page that was asked for.
    ///
    /// # Errors
    ///
    /// As those of the list's operation, and: [`ErrorKind::ListIncomplete`] where the server's
    /// pages lead in a circle or on and on without an item; [`ErrorKind::PositionRefused`] where
    /// the service does not take a stored position; [`ErrorKind::TooLarge`] where one item alone
    /// is larger than a reply may be.
    pub async fn next(&mut self) -> Option<Result<Vec<T>, Error>> {
        poll_fn(|context| self.poll_page(context)).await
    }

    /// Where the page that was given last begins: whoever goes on there is given that page again,
    /// and nothing is lost. Before the first page, it is the beginning.
    pub fn position(&self) -> Position {
        Position {
            filters: self.filters,
            place: self.place.clone(),
        }
    }

    /// Where the server promised more than it gave: both numbers, once the list has ended.
    pub fn shortfall(&self) -> Option<Shortfall> {
        self.shortfall
    }

    fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Vec<T>, Error>>> {
        loop {
            let Some(asking) = self.asking() else {
                return Poll::Ready(None);
            };
            let outcome = ready!(asking.as_mut().poll(context));
            if let Some(page) = self.settle(outcome) {
                return Poll::Ready(Some(page));
            }
        }
    }

    /// The next page, with this thread blocked until it is here.
    #[cfg(feature = "blocking")]
    fn next_blocking(&mut self) -> Option<Result<Vec<T>, Error>> {
        loop {
            let asking = self.asking()?;
            let asked = std::mem::replace(asking, Box::pin(std::future::pending()));
            let outcome = background::run(asked).unwrap_or_else(Err);
            if let Some(page) = self.settle(outcome) {
                return Some(page);
            }
        }
    }

    /// The answer that is awaited, asked for now where it was not; none after the end.
    fn asking(&mut self) -> Option<&mut BoxFuture<'static, Result<Reply<T>, Error>>> {
        if matches!(self.state, State::Idle) {
            self.state = match self.upcoming() {
                None => State::Ended,
                Some(place) => State::Asking(self.source.fetch(Ask {
                    place,
                    limit: self.limit,
                    takes_turn: self.empty > 0,
                })),
            };
        }
        match &mut self.state {
            State::Asking(asking) => Some(asking),
            State::Idle | State::Ended => None,
        }
    }

    /// What an answer gives to the caller; none where another one is to be asked for.
    fn settle(&mut self, outcome: Result<Reply<T>, Error>) -> Option<Result<Vec<T>, Error>> {
        self.state = State::Idle;
        let page = match outcome.map_err(|error| self.bear(error)) {
            Ok(reply) => self.take(reply),
            Err(None) => return None,
            Err(Some(error)) => Err(error),
        };
        match &page {
            Ok(items) if items.is_empty() => return None,
            Ok(_) => {}
            Err(_) => self.state = State::Ended,
        }
        Some(page)
    }

    /// The page to ask for next.
    fn upcoming(&self) -> Option<Place> {
        match &self.walk {
            Walk::Tokens(tokens) => tokens.upcoming(),
            Walk::Windows(windows) => windows.upcoming(),
        }
    }

    /// What to do with a page that did not come: nothing where a smaller one may come.
    fn bear(&mut self, error: Error) -> Option<Error> {
        let is_reply =
            error.kind() == ErrorKind::TooLarge && error.delivery() == Delivery::Accepted;
        if is_reply && self.limit > 1 {
            self.limit /= 2;
            return None;
        }
        if is_reply {
            let after = match &self.last {
                Some(key) => format!("the item after {key}"),
                None => "the first item".to_owned(),
            };
            let message = format!("{after} is alone larger than the client's max_reply_bytes");
            return Some(
                Error::new(ErrorKind::TooLarge, message)
                    .with_delivery(Delivery::Accepted)
                    .with_passing(false)
                    .with_source(error),
            );
        }
        let may_be_position = matches!(
            error.kind(),
            ErrorKind::InvalidRequest | ErrorKind::NotFound | ErrorKind::Conflict
        );
        let names_token = error.code().is_some() && error.delivery() == Delivery::Refused;
        if self.is_resumed && may_be_position && names_token {
            let message = "the service does not take the stored position: begin the list again";
            return Some(
                Error::new(ErrorKind::PositionRefused, message)
                    .with_code(error.code().cloned())
                    .with_request_id(error.request_id().map(str::to_owned))
                    .with_attempts(error.attempts())
                    .with_delivery(Delivery::Refused)
                    .with_passing(false)
                    .with_source(error),
            );
        }
        Some(error)
    }

    /// Takes a page, and finds out what comes after it.
    fn take(&mut self, reply: Reply<T>) -> Result<Vec<T>, Error> {
        let Reply {
            mut items,
            next,
            total,
        } = reply;
        let received = items.len();
        let keys: Vec<Option<String>> = items.iter().map(|item| self.source.key(item)).collect();
        let last = keys.last().cloned().flatten();
        if let Some(place) = self.upcoming() {
            self.place = place;
        }
        self.is_resumed = false;
        match &mut self.walk {
            Walk::Tokens(tokens) => {
                // Whether a token names the last item given or the first to come, nobody says.
                if self.last.is_some() && keys.first().is_some_and(|first| *first == self.last) {
                    items.remove(0);
                }
                tokens.step(next, &self.place)?;
            }
            Walk::Windows(windows) => {
                let source = &self.source;
                let times: Vec<_> = items.iter().map(|item| source.time(item)).collect();
                let mut is_new = windows.step(&keys, &times, self.limit, total).into_iter();
                items.retain(|_| is_new.next().unwrap_or(true));
                self.shortfall = windows.shortfall();
            }
        }
        if received > 0 {
            self.last = last;
        }
        self.empty = if items.is_empty() { self.empty + 1 } else { 0 };
        // Windows without an item come to an end by themselves.
        let may_be_endless = received > 0 || matches!(self.walk, Walk::Tokens(_));
        if self.empty >= MOST_EMPTY && may_be_endless && self.upcoming().is_some() {
            return Err(incomplete(format_args!(
                "{MOST_EMPTY} pages without a new item came one after the other"
            )));
        }
        Ok(items)
    }
}

impl<T: Send + 'static> Items<T> {
    /// Goes on at a stored position.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] where it is the position of another list.
    pub fn resume(self, position: &Position) -> Result<Self, Error> {
        Ok(self.pages.resume(position)?.items())
    }

    /// The next item; `None` after the last one and after an error.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// As [`Pages::next`].
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        poll_fn(|context| self.poll_item(context)).await
    }

    /// The next item, with this thread blocked until it is here, as
    /// [`Call::send_blocking`](crate::Call::send_blocking) does for one call; `None` after the last
    /// one and after an error.
    ///
    /// ```no_run
    /// # #[cfg(feature = "alibaba")] mod example {
    /// use cloud_workflows::alibaba::{Client, ListExecutionsRequest};
    ///
    /// fn run() -> Result<(), cloud_workflows::Error> {
    ///     let client = Client::from_env()?;
    ///     let mut items = client.list_executions(ListExecutionsRequest::new("my_flow")).items();
    ///     while let Some(item) = items.next_blocking() {
    ///         println!("{:?}", item?);
    ///     }
    ///     Ok(())
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Pages::next`], and those of the blocking call itself.
    #[cfg(feature = "blocking")]
    pub fn next_blocking(&mut self) -> Option<Result<T, Error>> {
        loop {
            if let Some(item) = self.held.next() {
                return Some(Ok(item));
            }
            match self.pages.next_blocking()? {
                Ok(items) => self.held = VecDeque::from(items).into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Where the page begins whose items are being given: whoever goes on there is given that
    /// page again, and nothing is lost.
    pub fn position(&self) -> Position {
        self.pages.position()
    }

    /// Where the server promised more than it gave: both numbers, once the list has ended.
    pub fn shortfall(&self) -> Option<Shortfall> {
        self.pages.shortfall()
    }

    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, Error>>> {
        loop {
            if let Some(item) = self.held.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(self.pages.poll_page(context)) {
                Some(Ok(items)) => self.held = VecDeque::from(items).into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

// Nothing of it is pinned: what is polled stands in boxes of its own.
impl<T> Unpin for Items<T> {}
impl<T> Unpin for Pages<T> {}

impl<T: Send + 'static> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_item(context)
    }
}

impl<T: Send + 'static> Stream for Pages<T> {
    type Item = Result<Vec<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_page(context)
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("held", &self.held.len())
            .field("pages", &self.pages)
            .finish()
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("limit", &self.limit)
            .field("shortfall", &self.shortfall)
            .finish_non_exhaustive()
    }
}

fn incomplete(why: impl fmt::Display) -> Error {
    Error::new(
        ErrorKind::ListIncomplete,
        format!("the list is incomplete: {why}"),
    )
    .with_delivery(Delivery::Accepted)
    .with_passing(false)
}

/// A number for a text, the same on every machine and in every version.
fn checksum(text: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    digest
        .iter()
        .take(8)
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
