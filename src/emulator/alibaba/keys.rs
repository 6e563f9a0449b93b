//! The keys that may call, and those that were given out.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use crate::emulator::clock::lock;

/// A key that may call.
#[derive(Clone)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: String,
    /// Set for a temporary key.
    pub(crate) security_token: Option<String>,
}

/// The keys that were given out, by id.
#[derive(Default)]
pub(crate) struct Issued(Mutex<HashMap<String, Temporary>>);

struct Temporary {
    key: AccessKey,
    /// Since the emulator's start: a date that is shifted makes no key older.
    expires: Duration,
}

impl Issued {
    /// The key of this id, and whether it is still good.
    pub(super) fn find(&self, id: &str, now: Duration) -> Option<(AccessKey, bool)> {
        let keys = lock(&self.0);
        let found = keys.get(id)?;
        Some((found.key.clone(), now < found.expires))
    }

    /// Notes a key, and since the emulator's start until when it is good.
    pub(super) fn add(&self, key: AccessKey, expires: Duration) {
        lock(&self.0).insert(key.id.clone(), Temporary { key, expires });
    }

    pub(crate) fn expire(&self) {
        let mut keys = lock(&self.0);
        keys.values_mut()
            .for_each(|key| key.expires = Duration::ZERO);
    }
}
