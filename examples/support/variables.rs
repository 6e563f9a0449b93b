//! Variables of the environment, for a call program that reads its own.

use std::env;

/// A variable of the environment that is there and not empty.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The same, for one that cannot be done without.
pub fn required(name: &str) -> Result<String, String> {
    variable(name).ok_or_else(|| format!("the environment variable {name} is not set"))
}
