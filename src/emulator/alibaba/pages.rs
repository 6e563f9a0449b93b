//! Pages of lists, as requests ask for them and answers hold them.

use serde_json::{Map, Value};

use super::parameters::{Parameters, Refused, optional};

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
