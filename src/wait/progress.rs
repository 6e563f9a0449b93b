//! What is told of a wait on its way.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What happened to an execution while it was waited for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Progress<A> {
    /// It has another status than before; the text as on the wire.
    Status(String),
    /// It was started and is not visible yet.
    NotVisible,
    /// The service has failed to answer for a while, with these words; the wait goes on.
    Trouble(String),
    /// It has ended; nothing comes after this.
    Ended(A),
}

/// What is told on the way, until somebody asks for it.
#[derive(Clone, Default)]
pub(super) struct Teller(Arc<Mutex<VecDeque<News>>>);

#[derive(PartialEq)]
pub(super) enum News {
    Status(String),
    NotVisible,
    Trouble(String),
}

impl Teller {
    pub(super) fn tell(&self, news: News) {
        self.queue().push_back(news);
    }

    pub(super) fn pop(&self) -> Option<News> {
        self.queue().pop_front()
    }

    pub(super) fn clear(&self) {
        self.queue().clear();
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<News>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> From<News> for Progress<A> {
    fn from(news: News) -> Self {
        match news {
            News::Status(status) => Self::Status(status),
            News::NotVisible => Self::NotVisible,
            News::Trouble(words) => Self::Trouble(words),
        }
    }
}
