//! What the call programs share.

pub mod answer;
pub mod arguments;
pub mod failure;
pub mod log;
pub mod output;
