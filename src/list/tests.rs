//! Lists against servers of every manner.

use std::{collections::HashSet, sync::Mutex};

use chrono::TimeDelta;
use tokio::time::{Duration, timeout};

use super::*;
use crate::error::ErrorCode;

type Answer = Result<Reply<u32>, Error>;

/// A server that is a function, and what it was asked.
struct Server {
    answer: Box<dyn Fn(&Ask) -> Answer + Send + Sync>,
    asked: Arc<Mutex<Vec<Ask>>>,
    filters: &'static str,
}

impl Source for Server {
    type Item = u32;

    fn fetch(&self, ask: Ask) -> BoxFuture<'static, Answer> {
        let answer = (self.answer)(&ask);
        self.asked.lock().unwrap().push(ask);
        Box::pin(async move { answer })
    }

    fn key(&self, item: &u32) -> Option<String> {
        Some(item.to_string())
    }

    fn time(&self, item: &u32) -> Option<DateTime<Utc>> {
        Some(at(i64::from(*item)))
    }

    fn filters(&self) -> String {
        self.filters.to_owned()
    }
}

type Asked = Arc<Mutex<Vec<Ask>>>;

fn server(answer: impl Fn(&Ask) -> Answer + Send + Sync + 'static) -> (Server, Asked) {
    let asked = Asked::default();
    let server = Server {
        answer: Box::new(answer),
        asked: asked.clone(),
        filters: "ListThings flow",
    };
    (server, asked)
}

fn page(items: impl IntoIterator<Item = u32>, next: impl Into<Option<&'static str>>) -> Answer {
    Ok(Reply {
        items: items.into_iter().collect(),
        next: next.into().map(str::to_owned),
        total: None,
    })
}

fn token(ask: &Ask) -> &str {
    match &ask.place {
        Place::Token(token) => token,
        _ => "",
    }
}

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + hours * 3600, 0).unwrap()
}

async fn all(mut items: Items<u32>) -> (Vec<u32>, Option<Error>) {
    let mut given = Vec::new();
    while let Some(item) = items.next().await {
        match item {
            Ok(item) => given.push(item),
            Err(error) => {
                assert!(items.next().await.is_none(), "an error ends the list");
                return (given, Some(error));
            }
        }
    }
    (given, None)
}

#[tokio::test]
async fn a_page_is_fetched_when_it_is_wanted_and_an_empty_token_ends_the_list() {
    for end in [None, Some("")] {
        let (server, asked) = server(move |ask| match token(ask) {
            "" => page([1, 2], "a"),
            _ => page([3], end),
        });
        let mut items = Pages::by_token(server, 2).items();
        assert_eq!(asked.lock().unwrap().len(), 0);
        assert_eq!(items.next().await.unwrap().unwrap(), 1);
        assert_eq!(items.next().await.unwrap().unwrap(), 2);
        assert_eq!(asked.lock().unwrap().len(), 1);
        assert_eq!(all(items).await.0, [3]);
        assert_eq!(asked.lock().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn tokens_that_lead_in_a_circle_are_an_error() {
    for length in [1, 2, 7, 300] {
        let (server, asked) = server(move |ask| {
            let number: u32 = token(ask).parse().unwrap_or(0);
            Ok(Reply {
                items: vec![number],
                next: Some(((number + 1) % length + 1_000 * u32::from(length == 1)).to_string()),
                total: None,
            })
        });
        let (given, error) = all(Pages::by_token(server, 1).items()).await;
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::ListIncomplete, "{error}");
        assert!(given.len() as u32 >= length);
        assert!(asked.lock().unwrap().len() as u32 <= length + 2);
    }
}

#[tokio::test]
async fn empty_pages_go_on_but_not_for_ever() {
    for (empty, is_borne) in [(1, true), (99, true), (100, false), (100_000, false)] {
        let (server, asked) = server(move |ask| {
            let number: u32 = token(ask).parse().unwrap_or(0);
            let items = if number == empty { vec![7] } else { vec![] };
            Ok(Reply {
                next: (number < empty).then(|| (number + 1).to_string()),
                items,
                total: Some(0),
            })
        });
        let (given, error) = all(Pages::by_token(server, 1).items()).await;
        assert_eq!(given.len(), usize::from(is_borne), "{empty}");
        assert_eq!(error.is_none(), is_borne, "{empty}");
        let asked = asked.lock().unwrap();
        assert!(asked.len() <= 100 && asked[1..].iter().all(|ask| ask.takes_turn));
    }
}

#[tokio::test]
async fn a_token_that_names_the_last_item_gives_none_twice() {
    let (server, _) = server(|ask| match token(ask) {
        "" => page([1, 2], "2"),
        "2" => page([2, 3], "3"),
        _ => page([3, 3, 4], None),
    });
    // Only what may be the overlap goes: two equal items are the server's own business.
    assert_eq!(
        all(Pages::by_token(server, 2).items()).await.0,
        [1, 2, 3, 3, 4]
    );
}

#[tokio::test]
async fn a_page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let too_large = || {
        Error::new(ErrorKind::TooLarge, "the answer is too large").with_delivery(Delivery::Accepted)
    };
    let (small, asked) = server(move |ask| {
        let from: u32 = token(ask).parse().unwrap_or(0);
        if ask.limit > 15 {
            return Err(too_large());
        }
        let until = (from + ask.limit).min(60);
        Ok(Reply {
            items: (from..until).collect(),
            next: (until < 60).then(|| until.to_string()),
            total: None,
        })
    });
    let (given, error) = all(Pages::by_token(small, 100).items()).await;
    assert!(error.is_none() && given == (0..60).collect::<Vec<_>>());
    let limits: Vec<u32> = asked.lock().unwrap().iter().map(|ask| ask.limit).collect();
    assert_eq!(limits, [100, 50, 25, 12, 12, 12, 12, 12]);

    let (huge, asked) = server(move |ask| match token(ask) {
        "" => page([41], "next"),
        _ => Err(too_large()),
    });
    let error = all(Pages::by_token(huge, 8).items()).await.1.unwrap();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.message().contains("after 41"), "{error}");
    assert_eq!(asked.lock().unwrap().last().unwrap().limit, 1);
}

#[tokio::test]
async fn a_resume_in_the_middle_of_a_page_loses_nothing() {
    let numbers = |ask: &Ask| {
        let from: u32 = token(ask).parse().unwrap_or(0);
        Ok(Reply {
            items: (from..from + 3).collect(),
            next: (from < 12).then(|| (from + 3).to_string()),
            total: None,
        })
    };
    for stop in 0..14_u32 {
        let mut items = Pages::by_token(server(numbers).0, 3).items();
        let mut given = HashSet::new();
        for _ in 0..stop {
            given.insert(items.next().await.unwrap().unwrap());
        }
        let stored = items.position().to_string();
        let position: Position = stored.parse().unwrap();
        let json = serde_json::to_string(&position).unwrap();
        assert_eq!(serde_json::from_str::<Position>(&json).unwrap(), position);
        let resumed = Pages::by_token(server(numbers).0, 3)
            .resume(&position)
            .unwrap();
        let rest = all(resumed.items()).await.0;
        let repeated = rest.iter().filter(|item| given.contains(item)).count();
        assert!(repeated <= 3, "{stop}");
        given.extend(rest);
        assert_eq!(given.len(), 15, "{stop}");
    }
}

#[tokio::test]
async fn a_position_is_of_its_own_list_alone() {
    let mut pages = Pages::by_token(server(|_| page([1], "a.b %")).0, 1);
    pages.next().await;
    pages.next().await;
    let position = pages.position();
    assert_eq!(position.to_string().parse::<Position>().unwrap(), position);
    let other = Server {
        filters: "ListThings other",
        ..server(|_| page([], None)).0
    };
    let error = Pages::by_token(other, 1).resume(&position).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let windows = Windows::none();
    let by_offset = Pages::by_offset(server(|_| page([], None)).0, 1, windows);
    assert!(by_offset.resume(&position).is_err());
    for text in [
        "",
        "1",
        "1.x.s",
        "1.0000000000000000.t.",
        "2.0000000000000000.s",
        "1.0000000000000000.w.1.9.2.3",
    ] {
        assert!(text.parse::<Position>().is_err(), "{text}");
    }

    let refuse = |_: &Ask| {
        Err(Error::new(ErrorKind::InvalidRequest, "NextToken is bad")
            .with_code(Some(ErrorCode::from("InvalidArgument")))
            .with_delivery(Delivery::Refused))
    };
    let resumed = Pages::by_token(server(refuse).0, 1)
        .resume(&position)
        .unwrap();
    let error = all(resumed.items()).await.1.unwrap();
    assert_eq!(error.kind(), ErrorKind::PositionRefused);
    // A list from its beginning has no position to refuse.
    let error = all(Pages::by_token(server(refuse).0, 1).items())
        .await
        .1
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_loses_no_page() {
    struct Slow;
    impl Source for Slow {
        type Item = u32;
        fn fetch(&self, _: Ask) -> BoxFuture<'static, Answer> {
            Box::pin(async {
                tokio::time::sleep(Duration::from_secs(5)).await;
                page([1, 2], None)
            })
        }
        fn key(&self, item: &u32) -> Option<String> {
            Some(item.to_string())
        }
        fn filters(&self) -> String {
            String::new()
        }
    }
    let mut items = Pages::by_token(Slow, 2).items();
    for _ in 0..4 {
        assert!(timeout(Duration::from_secs(1), items.next()).await.is_err());
    }
    assert_eq!(all(items).await.0, [1, 2]);
}

/// The items of a window, as a server that counts gives them.
fn counted(items: &[u32], ask: &Ask, most: usize) -> Answer {
    let Place::Offset { window, offset, .. } = &ask.place else {
        panic!("{ask:?}");
    };
    let fits = |item: &&u32| {
        window.is_none_or(|(begin, end)| (begin..=end).contains(&at(i64::from(**item))))
    };
    let fitting = items.iter().filter(fits).skip(*offset as usize);
    page(fitting.take(most).copied(), None)
}

#[tokio::test]
async fn windows_are_walked_to_their_pinned_end_and_no_item_comes_twice() {
    // Newest first, one an hour, over ten days: at the borders of windows, and just beside them.
    for short_of_three_days in [0, 1] {
        let items: Vec<u32> = (0..=240).rev().collect();
        let (server, asked) = server(move |ask| counted(&items, ask, ask.limit as usize));
        let longest = TimeDelta::days(3) - TimeDelta::milliseconds(short_of_three_days);
        let windows = Windows::between(at(0), at(240), longest);
        let (mut given, error) = all(Pages::by_offset(server, 20, windows).items()).await;
        assert!(error.is_none());
        given.sort_unstable();
        assert_eq!(given, (0..=240).collect::<Vec<_>>());
        for ask in asked.lock().unwrap().iter() {
            let Place::Offset {
                window: Some((begin, end)),
                ..
            } = &ask.place
            else {
                panic!("{ask:?}");
            };
            assert!(*end - *begin <= TimeDelta::days(3) && *end <= at(240));
        }
    }
}

#[tokio::test]
async fn counting_goes_by_what_came() {
    // One more than asked for; and items that move up while the pages are read.
    let items: Vec<u32> = (0..450).collect();
    let (server, asked) = server(move |ask| counted(&items, ask, 201));
    let (given, error) = all(Pages::by_offset(server, 200, Windows::none()).items()).await;
    assert!(error.is_none() && given.len() == 450);
    assert_eq!(asked.lock().unwrap().len(), 3);

    let pages = Mutex::new(0);
    let (moving, _) = self::server(move |ask| {
        let mut pages = pages.lock().unwrap();
        *pages += 1;
        let items: Vec<u32> = (0..450 + 5 * *pages).rev().collect();
        counted(&items, ask, 200)
    });
    let (given, _) = all(Pages::by_offset(moving, 200, Windows::none()).items()).await;
    let distinct: HashSet<u32> = given.iter().copied().collect();
    assert_eq!(distinct.len(), given.len());
    assert!((0..450).all(|old| distinct.contains(&old)));
}

#[tokio::test]
async fn a_server_that_counts_pages_is_noticed() {
    let (server, _) = server(|ask| match &ask.place {
        Place::Offset { offset: 0, .. } => Ok(Reply {
            items: (0..200).collect(),
            next: None,
            total: Some(450),
        }),
        _ => Ok(Reply {
            items: vec![],
            next: None,
            total: Some(450),
        }),
    });
    let mut items = Pages::by_offset(server, 200, Windows::none()).items();
    let mut given = 0;
    while let Some(item) = items.next().await {
        item.unwrap();
        given += 1;
    }
    assert_eq!(given, 200);
    assert_eq!(
        items.shortfall(),
        Some(Shortfall {
            given: 200,
            total: 450
        })
    );
}

/// An item that is counted for as long as it is held.
struct Held(u32, Arc<Mutex<Count>>);

#[derive(Default)]
struct Count {
    held: usize,
    most: usize,
    pages: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.1.lock().unwrap().held -= 1;
    }
}

/// A list of ten thousand.
struct Long(Arc<Mutex<Count>>);

const LONG: u32 = 10_000;

impl Source for Long {
    type Item = Held;

    fn fetch(&self, ask: Ask) -> BoxFuture<'static, Result<Reply<Held>, Error>> {
        let from = match &ask.place {
            Place::Offset { offset, .. } => u32::try_from(*offset).unwrap(),
            _ => token(&ask).parse().unwrap_or(0),
        };
        let to = LONG.min(from + ask.limit);
        let items = (from..to).map(|i| Held(i, self.0.clone())).collect();
        let mut count = self.0.lock().unwrap();
        count.pages += 1;
        count.held += (to - from) as usize;
        count.most = count.most.max(count.held);
        let next = (to < LONG).then(|| to.to_string());
        let reply = Reply {
            items,
            next,
            total: None,
        };
        Box::pin(async move { Ok(reply) })
    }

    fn key(&self, item: &Held) -> Option<String> {
        Some(item.0.to_string())
    }

    fn filters(&self) -> String {
        String::new()
    }
}

#[tokio::test]
async fn a_stream_over_ten_thousand_holds_one_page() {
    const PAGE: u32 = 100;
    for by_token in [true, false] {
        let count = Arc::<Mutex<Count>>::default();
        let source = Long(count.clone());
        let mut items = match by_token {
            true => Pages::by_token(source, PAGE).items(),
            false => Pages::by_offset(source, PAGE, Windows::none()).items(),
        };
        let mut given = 0;
        while let Some(item) = items.next().await {
            assert_eq!(item.unwrap().0, given);
            given += 1;
            let pages = count.lock().unwrap().pages;
            assert_eq!(pages, given.div_ceil(PAGE) as usize, "at item {given}");
        }
        assert_eq!(given, LONG);
        let count = count.lock().unwrap();
        assert!(count.most <= PAGE as usize, "{} items held", count.most);
        assert_eq!(count.held, 0);
    }
}
