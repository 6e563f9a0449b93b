//! Pages of lists, as requests ask for them and answers hold them.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    made::{lacks, sight, with},
    parameters::{Parameters, Refused, optional, the_name},
};
use crate::emulator::{
    State,
    made::{Made, Shelf, Sight},
    paging,
};

pub(super) type Answer = Result<Map<String, Value>, Refused>;

/// How many members a page has without `Limit`.
const PAGE: usize = 60;

pub(super) fn limit(parameters: &Parameters, most: usize) -> Result<usize, Refused> {
    let Some(text) = optional(parameters, "Limit") else {
        return Ok(PAGE);
    };
    let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
    limit.ok_or_else(|| Refused::invalid(format!("Limit must be 1 to {most}")))
}

pub(super) fn bad_token() -> Refused {
    Refused::invalid("NextToken is not one of this list")
}

/// A page; the last one has no token.
pub(super) fn paged(name: &str, members: Vec<Value>, next: Option<String>) -> Map<String, Value> {
    let mut page = Map::new();
    page.insert(name.to_owned(), members.into());
    if let Some(next) = next {
        page.insert("NextToken".to_owned(), next.into());
    }
    page
}

/// A page of the things of a shelf whose keys are meant.
pub(super) fn page<K: Ord, T>(
    state: &State,
    parameters: &Parameters,
    (name, most): (&str, usize),
    shelf: &Shelf<K, T>,
    mark: impl Fn(&K) -> Option<String>,
    show: impl Fn(&Arc<T>) -> Option<Value>,
) -> Answer {
    let limit = limit(parameters, most)?;
    let quirks = state.flows.world().quirks.get();
    let sight = Sight {
        lag: quirks.list_lag,
        ..sight(state)
    };
    let keys: Vec<(String, &K)> = shelf
        .keys()
        .filter_map(|key| Some((mark(key)?, key)))
        .collect();
    let page = paging::by_token(
        &keys,
        |(mark, _)| mark.clone(),
        |(_, key)| show(shelf.seen(key, sight)?),
        optional(parameters, "NextToken"),
        limit,
        &quirks,
    );
    let page = page.ok_or_else(bad_token)?;
    Ok(paged(name, page.items, page.next))
}

/// A page of what a flow has, by name or number.
pub(super) fn page_of_flow<N: Ord + ToString, T>(
    state: &State,
    parameters: &Parameters,
    what: (&str, usize),
    shelf: impl Fn(&Made) -> &Shelf<(String, N), T>,
    show: impl Fn(&T) -> Map<String, Value>,
) -> Answer {
    let flow = the_name(parameters, "FlowName")?;
    with(state, |made, _| {
        made.flow(flow).map_err(|lack| lacks(flow, &lack))?;
        let mark = |(of, name): &(String, N)| (of == flow).then(|| name.to_string());
        page(state, parameters, what, shelf(made), mark, |one| {
            Some(show(one).into())
        })
    })
}
