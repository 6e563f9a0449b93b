//! Names of executions.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

use crate::{
    bits::{push_hex, random_bits},
    error::Error,
};

/// A name for an execution, fit for `ExecutionName`: a letter or `_`, then letters, digits, `_`
/// and `-`, 1 to 128 characters.
///
/// A `StartExecution` under a name can be repeated safely: the service starts one execution a name
/// and flow. Store the name before you start, and a program that died in between can go on.
///
/// ```
/// use cloud_workflows::ExecutionName;
///
/// # fn main() -> Result<(), cloud_workflows::Error> {
/// let fresh = ExecutionName::new()?;
/// assert!(fresh.as_str().starts_with("cw-"));
/// assert_eq!(
///     ExecutionName::derived(["order", "17"]),
///     ExecutionName::derived(["order", "17"]),
/// );
/// assert!("17-order".parse::<ExecutionName>().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionName(String);

impl ExecutionName {
    /// Makes a name: `cw-` and 128 random bits of the operating system in hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) where the operating system
    /// has no randomness to give.
    pub fn new() -> Result<Self, Error> {
        Ok(Self::of_bits(&random_bits()?))
    }

    /// The same name for the same parts, each time and on each machine.
    ///
    /// `["ab", "c"]` and `["a", "bc"]` give different names.
    pub fn derived<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            let part = part.as_ref();
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self::of_bits(&hash.finalize()[..16])
    }

    /// The name as it goes over the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of_bits(bits: &[u8]) -> Self {
        let mut name = String::with_capacity(3 + 2 * bits.len());
        name.push_str("cw-");
        push_hex(&mut name, bits);
        Self(name)
    }
}

impl FromStr for ExecutionName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        check_name("ExecutionName", text)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ExecutionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ExecutionName> for String {
    fn from(name: ExecutionName) -> Self {
        name.0
    }
}

/// The rule for the names of flows and executions (Alibaba Cloud, StartSyncExecution page).
pub(crate) fn check_name(field: &str, name: &str) -> Result<(), Error> {
    let mut characters = name.chars();
    let fits = name.len() <= 128
        && characters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if fits {
        Ok(())
    } else {
        Err(Error::invalid(
            field,
            "must be 1 to 128 characters: a letter or _, then letters, digits, _ and -",
        ))
    }
}
