//! Where requests go that pass no proxy.

use std::sync::OnceLock;

use super::{environment::Environment, transport::Transport};
use crate::error::Error;

/// Where metadata requests go: built when first needed, once a client. It keeps no connections, so
/// all runtimes share it.
#[derive(Default)]
pub(crate) struct Direct {
    plain: OnceLock<Transport>,
    secure: OnceLock<Transport>,
}

impl Direct {
    pub(super) fn transport(
        &self,
        secure: bool,
        environment: &Environment,
    ) -> Result<&Transport, Error> {
        let cell = if secure { &self.secure } else { &self.plain };
        match cell.get() {
            Some(transport) => Ok(transport),
            None => {
                let transport = Transport::direct(secure, environment)?;
                Ok(cell.get_or_init(|| transport))
            }
        }
    }
}
