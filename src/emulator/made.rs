//! What was made over the API of Alibaba Cloud: flows, their versions, aliases and schedules, as
//! they are and as they were.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::run::Ran;

/// A flow that was made over the API of Alibaba Cloud.
///
/// Its `Debug` does not print the definition.
#[derive(Clone)]
#[non_exhaustive]
pub struct MadeFlow {
    /// Its name.
    pub name: String,
    /// Its id: a flow that is made later under the same name has another.
    pub id: String,
    /// Its definition, to the byte as it was given.
    pub definition: String,
    /// What it is for.
    pub description: String,
    /// `Standard` or `Express`.
    pub execution_mode: String,
    /// The role that it acts as; empty when none was given.
    pub role_arn: String,
    /// When it was made, by the emulator's clock.
    pub created: DateTime<Utc>,
    /// When it was changed last, by the emulator's clock.
    pub modified: DateTime<Utc>,
    pub(crate) kind: String,
    /// As JSON; null when none was given.
    pub(crate) environment: Value,
    pub(crate) resource_group_id: String,
    pub(crate) external_storage_location: String,
}

impl fmt::Debug for MadeFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadeFlow")
            .field("name", &self.name)
            .field("id", &self.id)
            .field("description", &self.description)
            .field("execution_mode", &self.execution_mode)
            .field("created", &self.created)
            .field("modified", &self.modified)
            .finish_non_exhaustive()
    }
}

/// A version of a flow that was made over the API of Alibaba Cloud.
///
/// Its `Debug` does not print the definition.
#[derive(Clone)]
#[non_exhaustive]
pub struct MadeVersion {
    /// Its number, from 1. The number of one that was deleted is not given again.
    pub version: u64,
    /// The definition as it was when it was published.
    pub definition: String,
    /// What it is for.
    pub description: String,
    /// When it was published, by the emulator's clock.
    pub created: DateTime<Utc>,
}

impl fmt::Debug for MadeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadeVersion")
            .field("version", &self.version)
            .field("description", &self.description)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

/// An alias of a flow that was made over the API of Alibaba Cloud.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MadeAlias {
    /// Its name.
    pub name: String,
    /// The versions that it leads to, each with its weight.
    pub routes: Vec<(u64, u64)>,
    /// What it is for.
    pub description: String,
    /// When it was made, by the emulator's clock.
    pub created: DateTime<Utc>,
}

/// A timer. It is kept, and never starts anything.
#[derive(Clone)]
pub(crate) struct Schedule {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) cron_expression: String,
    pub(crate) description: String,
    pub(crate) payload: String,
    pub(crate) is_on: bool,
    pub(crate) created: DateTime<Utc>,
    pub(crate) modified: DateTime<Utc>,
}

/// Since when something was as it was; none when it was gone.
type Was<T> = (Duration, Option<Arc<T>>);

/// How much of the past of a thing is kept.
const KEPT: usize = 100;

/// Things by their keys, each with its past.
pub(crate) struct Shelf<K, T>(BTreeMap<K, Vec<Was<T>>>);

impl<K, T> Default for Shelf<K, T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// How late somebody sees what changes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sight {
    pub(crate) now: Duration,
    /// So old is what is seen.
    pub(crate) lag: Duration,
    /// So long, at least, what is gone is still seen.
    pub(crate) linger: Duration,
}

impl<K: Ord, T> Shelf<K, T> {
    /// From now on it is like this; none is gone.
    pub(crate) fn put(&mut self, key: K, now: Duration, thing: Option<Arc<T>>) {
        let past = self.0.entry(key).or_default();
        if past.len() >= KEPT {
            past.remove(0);
        }
        past.push((now, thing));
    }

    /// How a thing is.
    pub(crate) fn get(&self, key: &K) -> Option<&Arc<T>> {
        self.0.get(key)?.last()?.1.as_ref()
    }

    /// How somebody sees a thing.
    pub(crate) fn seen(&self, key: &K, sight: Sight) -> Option<&Arc<T>> {
        let past = self.0.get(key)?.iter().rev();
        let mut past = past.filter(|(since, thing)| {
            let late = match thing {
                Some(_) => sight.lag,
                None => sight.lag.max(sight.linger),
            };
            since.saturating_add(late) <= sight.now
        });
        past.next()?.1.as_ref()
    }

    /// The keys of all things that ever were.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.keys()
    }

    /// The things of the keys that are meant, as they are.
    pub(crate) fn all(&self, is_meant: impl Fn(&K) -> bool) -> Vec<T>
    where
        T: Clone,
    {
        let keys = self.0.keys().filter(|key| is_meant(key));
        let things = keys.filter_map(|key| self.get(key));
        things.map(|thing| T::clone(thing)).collect()
    }

    fn forget(&mut self, now: Duration, is_meant: impl Fn(&K) -> bool) {
        for (key, past) in &mut self.0 {
            if is_meant(key) && past.last().is_some_and(|(_, thing)| thing.is_some()) {
                past.push((now, None));
            }
        }
    }
}

/// Why something was not made, changed or found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    Flow,
    Version(String),
    Alias(String),
    Schedule(String),
}

/// Where a start leads: to the flow as it is, or to versions with their weights.
pub(crate) enum Lead {
    /// The flow is the test's own.
    Unmade,
    Latest(Arc<MadeFlow>),
    Versions {
        alias: Option<String>,
        routes: Vec<(Arc<MadeVersion>, u64)>,
    },
}

/// All that was made. Keys are flow and name, or flow and number.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) flows: Shelf<String, MadeFlow>,
    pub(crate) versions: Shelf<(String, u64), MadeVersion>,
    pub(crate) aliases: Shelf<(String, String), MadeAlias>,
    pub(crate) schedules: Shelf<(String, String), Schedule>,
    /// The number of the newest version of each flow.
    published: BTreeMap<String, u64>,
    /// How many executions an alias has begun since it leads where it leads.
    begun: BTreeMap<(String, String), u64>,
}

impl Made {
    /// How a flow is.
    pub(crate) fn flow(&self, name: &str) -> Result<&Arc<MadeFlow>, Lack> {
        self.flows.get(&name.to_owned()).ok_or(Lack::Flow)
    }

    /// A version by its number as a text.
    pub(crate) fn version(&self, flow: &str, number: &str) -> Result<&Arc<MadeVersion>, Lack> {
        let known = key(flow, number).and_then(|key| self.versions.get(&key));
        known.ok_or_else(|| Lack::Version(number.to_owned()))
    }

    /// A version as somebody sees it.
    pub(crate) fn version_seen(
        &self,
        flow: &str,
        number: &str,
        sight: Sight,
    ) -> Result<&Arc<MadeVersion>, Lack> {
        let known = key(flow, number).and_then(|key| self.versions.seen(&key, sight));
        known.ok_or_else(|| Lack::Version(number.to_owned()))
    }

    /// The number of the next version of a flow.
    pub(crate) fn number(&mut self, flow: &str) -> u64 {
        let newest = self.published.entry(flow.to_owned()).or_default();
        *newest += 1;
        *newest
    }

    /// Makes or changes an alias. Where it leads elsewhere, its starts are counted anew.
    pub(crate) fn put_alias(&mut self, flow: &str, now: Duration, alias: MadeAlias) {
        let key = (flow.to_owned(), alias.name.clone());
        let old = self.aliases.get(&key);
        if old.is_none_or(|old| old.routes != alias.routes) {
            self.begun.remove(&key);
        }
        self.aliases.put(key, now, Some(Arc::new(alias)));
    }

    /// Forgets a flow and all that it had.
    pub(crate) fn forget(&mut self, flow: &str, now: Duration) {
        self.flows.forget(now, |name| name == flow);
        self.versions.forget(now, |(of, _)| of == flow);
        self.aliases.forget(now, |(of, _)| of == flow);
        self.schedules.forget(now, |(of, _)| of == flow);
        self.published.remove(flow);
        self.begun.retain(|(of, _), _| of != flow);
    }

    /// Where a start with this qualifier leads.
    pub(crate) fn lead(&self, flow: &str, qualifier: Option<&str>) -> Result<Lead, Lack> {
        let Ok(made) = self.flow(flow) else {
            return Ok(Lead::Unmade);
        };
        let qualifier = match qualifier {
            None | Some("LATEST") => return Ok(Lead::Latest(Arc::clone(made))),
            Some(qualifier) => qualifier,
        };
        if qualifier.starts_with(|first: char| first.is_ascii_digit()) {
            let version = Arc::clone(self.version(flow, qualifier)?);
            let (alias, routes) = (None, vec![(version, 1)]);
            return Ok(Lead::Versions { alias, routes });
        }
        let alias = self.aliases.get(&(flow.to_owned(), qualifier.to_owned()));
        let alias = alias.ok_or_else(|| Lack::Alias(qualifier.to_owned()))?;
        let routes = alias.routes.iter().map(|(number, weight)| {
            let version = self.version(flow, &number.to_string())?;
            Ok((Arc::clone(version), *weight))
        });
        Ok(Lead::Versions {
            alias: Some(alias.name.clone()),
            routes: routes.collect::<Result<_, Lack>>()?,
        })
    }

    /// What an execution that begins now runs. Weights are counted, not drawn.
    pub(crate) fn take(&mut self, flow: &str, qualifier: Option<&str>, lead: &Lead) -> Ran {
        let qualifier = qualifier.map(str::to_owned);
        let role = self.flow(flow).map(|made| made.role_arn.clone());
        let role = role.unwrap_or_default();
        match lead {
            Lead::Unmade => Ran {
                qualifier,
                ..Ran::default()
            },
            Lead::Latest(made) => Ran {
                definition: made.definition.clone(),
                qualifier,
                version: None,
                role,
            },
            Lead::Versions { alias, routes } => {
                let turn = alias.as_ref().map(|alias| {
                    let key = (flow.to_owned(), alias.clone());
                    let begun = self.begun.entry(key).or_default();
                    *begun += 1;
                    *begun
                });
                let weights = routes.iter().map(|(_, weight)| *weight);
                let chosen = chosen(&weights.collect::<Vec<_>>(), turn.unwrap_or(1));
                let version = routes.get(chosen).map(|(version, _)| version);
                Ran {
                    definition: version.map_or_else(String::new, |it| it.definition.clone()),
                    qualifier,
                    version: version.map(|it| it.version.to_string()),
                    role,
                }
            }
        }
    }
}

/// The key of a version by its number as a text; `01` is no version's name.
fn key(flow: &str, number: &str) -> Option<(String, u64)> {
    let known = number.parse::<u64>().ok()?;
    (known.to_string() == number).then(|| (flow.to_owned(), known))
}

/// Which of one or two routes the start of this number, from 1, takes: the first gets its share of
/// however many there have been, as evenly as can be.
fn chosen(weights: &[u64], number: u64) -> usize {
    let total: u128 = weights.iter().copied().map(u128::from).sum();
    let first = weights.first().copied().map_or(0, u128::from);
    let due = |number: u64| (u128::from(number) * first).div_ceil(total.max(1));
    usize::from(due(number) <= due(number.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(weights: &[u64], starts: u64) -> Vec<usize> {
        let mut shares = vec![0; 2];
        for number in 1..=starts {
            shares[chosen(weights, number)] += 1;
        }
        shares
    }

    #[test]
    fn routes_get_their_shares() {
        assert_eq!(shares(&[90, 10], 100), [90, 10]);
        assert_eq!(shares(&[90, 10], 10), [9, 1]);
        assert_eq!(shares(&[1, 3], 8), [2, 6]);
        assert_eq!(shares(&[0, 7], 5), [0, 5]);
        assert_eq!(shares(&[7, 0], 5), [5, 0]);
        assert_eq!(shares(&[1], 5), [5, 0]);
        assert_eq!(shares(&[u64::MAX, u64::MAX], 4), [2, 2]);
    }

    #[test]
    fn what_changes_is_seen_later() {
        let second = Duration::from_secs(1);
        let mut shelf = Shelf::default();
        shelf.put("f", second, Some(Arc::new(1)));
        shelf.put("f", 2 * second, Some(Arc::new(2)));
        shelf.put("f", 3 * second, None);
        let seen = |now, lag, linger| {
            let sight = Sight { now, lag, linger };
            shelf.seen(&"f", sight).map(|thing| **thing)
        };
        let none = Duration::ZERO;
        assert_eq!(seen(2 * second, none, none), Some(2));
        assert_eq!(seen(2 * second, second, none), Some(1));
        assert_eq!(seen(second, second, none), None);
        assert_eq!(seen(3 * second, none, none), None);
        assert_eq!(seen(3 * second, none, second), Some(2));
        assert_eq!(seen(4 * second, none, second), None);
        assert_eq!(shelf.get(&"f"), None);
    }
}
