//! Pages that are chained by tokens.

use std::collections::HashSet;

use super::{Place, checksum, incomplete};
use crate::error::Error;

/// The way along the tokens, and every token that was seen on it.
#[derive(Default)]
pub(super) struct Tokens {
    /// What the next page is asked with; nothing after the last.
    state: State,
    /// Hashes: a list may have thousands of tokens, and cycles may be of any length.
    seen: HashSet<u64>,
}

#[derive(Default)]
enum State {
    #[default]
    Start,
    At(String),
    Ended,
}

impl Tokens {
    pub(super) fn begin_at(&mut self, place: &Place) {
        if let Place::Token(token) = place {
            self.seen.insert(checksum(token));
            self.state = State::At(token.clone());
        }
    }

    pub(super) fn upcoming(&self) -> Option<Place> {
        match &self.state {
            State::Start => Some(Place::Start),
            State::At(token) => Some(Place::Token(token.clone())),
            State::Ended => None,
        }
    }

    /// A page came, and with it the token of the next.
    pub(super) fn step(&mut self, next: Option<String>, place: &Place) -> Result<(), Error> {
        let Some(token) = next.filter(|token| !token.is_empty()) else {
            self.state = State::Ended;
            return Ok(());
        };
        let is_own = matches!(place, Place::Token(own) if *own == token);
        if is_own || !self.seen.insert(checksum(&token)) {
            self.state = State::Ended;
            let why = "the service gave a token that it had given before, and so led in a circle";
            return Err(incomplete(why));
        }
        self.state = State::At(token);
        Ok(())
    }
}
