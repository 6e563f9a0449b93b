//! What a fault can be ordered for.

use crate::pipeline::declared::Declared;

/// An operation of which the emulator knows, so that a fault can be ordered for it: the request
/// types of both clouds, and the calls by which clients get tokens and projects.
///
/// Sealed: other operations never come.
pub trait Served: named::Named {}

impl<T: named::Named> Served for T {}

pub(crate) mod named {
    /// Something with the name of an operation.
    pub trait Named {
        /// The name in the vendor's documents.
        const NAME: &'static str;
    }
}

impl<O: Declared> named::Named for O {
    const NAME: &'static str = O::ENTRY.name;
}

/// Huawei Cloud's `KeystoneCreateUserTokenByPassword`: `POST /v3/auth/tokens`.
#[cfg(feature = "huawei")]
#[derive(Debug)]
pub enum KeystoneCreateUserTokenByPassword {}

#[cfg(feature = "huawei")]
impl named::Named for KeystoneCreateUserTokenByPassword {
    const NAME: &'static str = "KeystoneCreateUserTokenByPassword";
}

/// Huawei Cloud's `KeystoneListProjects`: `GET /v3/projects`.
#[cfg(feature = "huawei")]
#[derive(Debug)]
pub enum KeystoneListProjects {}

#[cfg(feature = "huawei")]
impl named::Named for KeystoneListProjects {
    const NAME: &'static str = "KeystoneListProjects";
}
