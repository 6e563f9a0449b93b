//! Pages of lists, by token and by offset.

use super::quirks::Quirks;

/// Ends a token whose page was given without items.
const EMPTY_GIVEN: char = '~';

/// A page of a list.
#[derive(Debug, PartialEq)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub(crate) next: Option<String>,
}

/// A page from where the token says: the key of its first member. `keep` chooses among the
/// members; one that is no longer chosen still marks its place. `None` when the token is unknown.
pub(crate) fn by_token<T, U>(
    all: &[T],
    key: impl Fn(&T) -> String,
    keep: impl Fn(&T) -> Option<U>,
    token: Option<&str>,
    limit: usize,
    quirks: &Quirks,
) -> Option<Page<U>> {
    let (begin, empty_given) = match token {
        None => (0, false),
        Some(token) => {
            let (name, empty_given) = token
                .strip_suffix(EMPTY_GIVEN)
                .map_or((token, false), |name| (name, true));
            let begin = all.iter().position(|member| key(member) == name)?;
            (begin, empty_given)
        }
    };
    let limit = limit.max(1);
    if quirks.token_cycle > 0 || quirks.empty_page_at > 0 {
        let chosen: Vec<&T> = all.iter().filter(|member| keep(member).is_some()).collect();
        let before = all[..begin].iter().filter(|member| keep(member).is_some());
        let number = before.count() / limit + 1;
        if number == quirks.empty_page_at && !empty_given {
            let place = all.get(begin).map(&key).unwrap_or_default();
            return Some(Page {
                items: Vec::new(),
                next: Some(format!("{place}{EMPTY_GIVEN}")),
            });
        }
        let page = page(&all[begin..], &key, &keep, limit);
        if quirks.token_cycle == 0 || page.next.is_none() {
            return Some(page);
        }
        let next = (number - 1) % quirks.token_cycle + 1;
        let next = chosen.get(next * limit).map(|member| key(member));
        return Some(Page {
            next: next.or(page.next),
            ..page
        });
    }
    Some(page(&all[begin..], &key, &keep, limit))
}

fn page<T, U>(
    rest: &[T],
    key: &impl Fn(&T) -> String,
    keep: &impl Fn(&T) -> Option<U>,
    limit: usize,
) -> Page<U> {
    let mut items = Vec::with_capacity(limit.min(rest.len()));
    for member in rest {
        let Some(item) = keep(member) else {
            continue;
        };
        if items.len() == limit {
            let next = Some(key(member));
            return Page { items, next };
        }
        items.push(item);
    }
    Page { items, next: None }
}

/// A page from an offset, which counts items or pages.
pub(crate) fn by_offset<T>(
    all: impl Iterator<Item = T>,
    offset: usize,
    limit: usize,
    quirks: &Quirks,
) -> Vec<T> {
    let begin = if quirks.offset_counts_pages {
        offset.saturating_mul(limit)
    } else {
        offset
    };
    all.skip(begin).take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBERS: [&str; 5] = ["a", "b", "c", "d", "e"];

    fn page(token: Option<&str>, quirks: &Quirks) -> Option<(String, Option<String>)> {
        let keep = |member: &&'static str| Some(*member).filter(|member| *member != "d");
        let page = by_token(
            &MEMBERS,
            |member| (*member).to_owned(),
            keep,
            token,
            2,
            quirks,
        )?;
        Some((page.items.concat(), page.next))
    }

    fn given(items: &str, next: Option<&str>) -> Option<(String, Option<String>)> {
        Some((items.to_owned(), next.map(str::to_owned)))
    }

    #[test]
    fn pages_follow_each_other_without_loss() {
        let quirks = Quirks::default();
        assert_eq!(page(None, &quirks), given("ab", Some("c")));
        assert_eq!(page(Some("c"), &quirks), given("ce", None));
        // Its member is not chosen any more, but has its place.
        assert_eq!(page(Some("d"), &quirks), given("e", None));
        assert_eq!(page(Some("x"), &quirks), None);
    }

    #[test]
    fn a_token_can_repeat() {
        let quirks = Quirks {
            token_cycle: 1,
            ..Quirks::default()
        };
        let all: Vec<u32> = (0..9).collect();
        let page = |token: Option<&str>, quirks: &Quirks| {
            let page = by_token(&all, u32::to_string, |n| Some(*n), token, 2, quirks);
            page.and_then(|page| page.next)
        };
        assert_eq!(page(None, &quirks).as_deref(), Some("2"));
        assert_eq!(page(Some("2"), &quirks).as_deref(), Some("2"));
        let quirks = Quirks {
            token_cycle: 2,
            ..Quirks::default()
        };
        assert_eq!(page(None, &quirks).as_deref(), Some("2"));
        assert_eq!(page(Some("2"), &quirks).as_deref(), Some("4"));
        assert_eq!(page(Some("4"), &quirks).as_deref(), Some("2"));
    }

    #[test]
    fn an_empty_page_leads_on() {
        let quirks = Quirks {
            empty_page_at: 2,
            ..Quirks::default()
        };
        assert_eq!(page(None, &quirks), given("ab", Some("c")));
        assert_eq!(page(Some("c"), &quirks), given("", Some("c~")));
        assert_eq!(page(Some("c~"), &quirks), given("ce", None));
    }

    #[test]
    fn an_offset_can_count_pages() {
        let page = |offset, quirks: &Quirks| by_offset(0..9, offset, 3, quirks);
        assert_eq!(page(3, &Quirks::default()), [3, 4, 5]);
        let quirks = Quirks {
            offset_counts_pages: true,
            ..Quirks::default()
        };
        assert_eq!(page(1, &quirks), [3, 4, 5]);
        assert_eq!(page(3, &quirks), [0; 0]);
    }
}
