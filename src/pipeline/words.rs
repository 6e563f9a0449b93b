//! Words of others, without what they repeat of a request.
//!
//! Services and gateways repeat what was sent: the signed text, the query, the form, a token that
//! has ended. What they say is kept and printed, so it is looked through first, here and nowhere
//! else: for both clouds, whatever the code, the operation or the encoding is.

use std::{
    borrow::Cow,
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
    ops::Range,
};

use zeroize::Zeroizing;

mod form;
mod plain;

use plain::Plain;
pub(crate) use plain::entity;

use super::json;

/// What stands where something was hidden.
const HIDDEN: &str = "[hidden]";

/// What a request holds that nobody's words may show.
#[derive(Default)]
pub struct Sensitive {
    secrets: Vec<Item>,
    data: Vec<Item>,
}

/// One text, and from which length on a piece of it is looked for.
struct Item {
    text: Zeroizing<Vec<u8>>,
    least: usize,
    plain: Plain,
}

/// How much of a text is looked for.
struct Rule {
    /// Each piece of this length or longer.
    piece: usize,
    /// A shorter text as a whole, where it has this length.
    whole: usize,
}

/// Of keys, tokens, passwords, signatures and ids of keys.
const SECRET: Rule = Rule { piece: 8, whole: 4 };

/// Of inputs and policies, whose short pieces are everybody's words.
const DATA: Rule = Rule {
    piece: 24,
    whole: 8,
};

/// What is hidden in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hide {
    /// Secrets, and what has the form of a signed text.
    Secrets,
    /// Inputs and policies too.
    All,
}

impl Sensitive {
    /// A key, token, password, signature, or the id of a key: many have put the secret there.
    pub(crate) fn secret(&mut self, text: impl AsRef<[u8]>) {
        self.secrets.extend(Item::new(text.as_ref(), &SECRET));
    }

    /// An input, a policy, or whatever else is the caller's business.
    pub(crate) fn data(&mut self, text: impl AsRef<[u8]>) {
        self.data.extend(Item::new(text.as_ref(), &DATA));
    }

    /// The text without what is to be hidden.
    pub(crate) fn scrub<'a>(&self, text: &'a str, hide: Hide) -> Cow<'a, str> {
        let plain = Plain::of(text.as_bytes());
        let mut hidden = form::of_signed_texts(text, &plain);
        let data: &[Item] = match hide {
            Hide::Secrets => &[],
            Hide::All => &self.data,
        };
        let items = || self.secrets.iter().chain(data);
        mark(text.as_bytes(), items().map(Item::as_written), |run| {
            hidden.push(run);
        });
        // The same once more where either is written otherwise than it reads.
        if !plain.is_as_written() || items().any(|item| !item.plain.is_as_written()) {
            let read = items().map(Item::as_read);
            mark(&plain.bytes, read, |run| hidden.push(plain.written(run)));
        }
        cut_out(text, hidden)
    }
}

impl Sensitive {
    /// Hides in a text all that it may not show.
    pub(crate) fn hide(&self, text: &mut String) {
        if let Cow::Owned(scrubbed) = self.scrub(text, Hide::All) {
            *text = scrubbed;
        }
    }

    /// The beginning of a body as words; empty where it repeats what was signed.
    pub(crate) fn excerpt(&self, body: &[u8]) -> String {
        // More than is kept: what is looked for may reach over the end of that.
        const LOOKED_AT: usize = 4096;
        let text = json::text(&body[..body.len().min(LOOKED_AT)]);
        if form::of_signed_texts(&text, &Plain::of(text.as_bytes())).is_empty() {
            self.scrub(&text, Hide::All).into_owned()
        } else {
            String::new()
        }
    }
}

impl std::fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sensitive(..)")
    }
}

impl Item {
    fn new(text: &[u8], rule: &Rule) -> Option<Self> {
        let least = match text.len() {
            length if length >= rule.piece => rule.piece,
            length if length >= rule.whole => length,
            _ => return None,
        };
        Some(Self {
            text: Zeroizing::new(text.to_vec()),
            least,
            plain: Plain::of(text),
        })
    }

    fn as_written(&self) -> Pieces<'_> {
        Pieces {
            bytes: &self.text,
            least: self.least,
            plain: None,
        }
    }

    /// The same pieces as they read: their length counts as they are written.
    fn as_read(&self) -> Pieces<'_> {
        Pieces {
            bytes: &self.plain.bytes,
            least: self.least,
            plain: (!self.plain.is_as_written()).then_some(&self.plain),
        }
    }
}

/// The shortest pieces of a text that are looked for.
struct Pieces<'a> {
    bytes: &'a [u8],
    least: usize,
    plain: Option<&'a Plain>,
}

impl Pieces<'_> {
    fn iter(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.bytes.len()).filter_map(|start| {
            let end = match self.plain {
                None => start + self.least,
                Some(plain) => {
                    let ends = start + self.least.min(SECRET.whole)..=self.bytes.len();
                    let is_long_enough = |end| plain.written_around(start..end) >= self.least;
                    ends.into_iter().find(|end| is_long_enough(*end))?
                }
            };
            (end <= self.bytes.len()).then_some(start..end)
        })
    }
}

/// Shows each piece that stands in `text`. Pieces are told by their hashes: what costs is the
/// length of the texts, never how alike they are.
fn mark<'a>(
    text: &[u8],
    items: impl Iterator<Item = Pieces<'a>>,
    mut see: impl FnMut(Range<usize>),
) {
    let text = Hashes::of(text);
    let mut wanted = ByLength::new();
    let mut there = ByLength::new();
    for pieces in items {
        let hashes = Hashes::of(pieces.bytes);
        // The smaller side is kept.
        let is_longer = pieces.bytes.len() > text.len();
        for piece in pieces.iter() {
            let length = piece.len();
            if length > text.len() {
                continue;
            }
            let hash = hashes.get(piece);
            if is_longer {
                let all = || text.all(length).map(|(_, hash)| hash).collect();
                let there = of_length(&mut there, length, all);
                if !there.contains(&hash) {
                    continue;
                }
            }
            of_length(&mut wanted, length, Set::default).insert(hash);
        }
    }
    for (length, wanted) in wanted {
        let mut run: Option<Range<usize>> = None;
        for (start, hash) in text.all(length) {
            if !wanted.contains(&hash) {
                continue;
            }
            match &mut run {
                Some(run) if start <= run.end => run.end = start + length,
                _ => {
                    if let Some(run) = run.replace(start..start + length) {
                        see(run);
                    }
                }
            }
        }
        if let Some(run) = run {
            see(run);
        }
    }
}

/// Few lengths have pieces of their own.
type ByLength = Vec<(usize, Set)>;

fn of_length(sets: &mut ByLength, length: usize, new: impl FnOnce() -> Set) -> &mut Set {
    let at = sets.iter().position(|(its, _)| *its == length);
    let at = at.unwrap_or_else(|| {
        sets.push((length, new()));
        sets.len() - 1
    });
    &mut sets[at].1
}

type Set = HashSet<u64, BuildHasherDefault<AsItIs>>;

/// What is kept is a hash already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The hash of any piece of a text, at once: the texts before its end and before its start tell.
struct Hashes {
    before: Vec<u64>,
    powers: Vec<u64>,
}

impl Hashes {
    const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

    fn of(text: &[u8]) -> Self {
        let longest = DATA.piece.min(text.len());
        let mut powers = vec![1_u64];
        for _ in 0..longest {
            powers.push(powers[powers.len() - 1].wrapping_mul(Self::BASE));
        }
        let mut before = Vec::with_capacity(text.len() + 1);
        let mut hash = 0_u64;
        before.push(hash);
        for byte in text {
            hash = hash
                .wrapping_mul(Self::BASE)
                .wrapping_add(u64::from(*byte) + 1);
            before.push(hash);
        }
        Self { before, powers }
    }

    fn len(&self) -> usize {
        self.before.len() - 1
    }

    fn get(&self, piece: Range<usize>) -> u64 {
        let power = self.powers[piece.len()];
        let hash =
            self.before[piece.end].wrapping_sub(self.before[piece.start].wrapping_mul(power));
        // Tables are cut out of both ends of a hash.
        hash ^ hash >> 32
    }

    /// All pieces of this length, with where they start.
    fn all(&self, length: usize) -> impl Iterator<Item = (usize, u64)> {
        (0..(self.len() + 1).saturating_sub(length))
            .map(move |start| (start, self.get(start..start + length)))
    }
}

/// The text with a mark in the place of these ranges, which may overlap.
fn cut_out(text: &str, mut hidden: Vec<Range<usize>>) -> Cow<'_, str> {
    if hidden.is_empty() {
        return Cow::Borrowed(text);
    }
    hidden.sort_unstable_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut shown_to = 0;
    for range in hidden {
        let (start, end) = (down(text, range.start), up(text, range.end));
        if start > shown_to || shown_to == 0 {
            out.push_str(&text[shown_to..start]);
            out.push_str(HIDDEN);
        }
        shown_to = shown_to.max(end);
    }
    out.push_str(&text[shown_to..]);
    Cow::Owned(out)
}

/// The next place before or here where a character begins.
fn down(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The next place here or behind where a character begins.
fn up(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests;
