//! Guides: a subject each, in few words, with code that compiles.
//!
//! | guide | for the question |
//! |---|---|
//! | [`errors`] | what went wrong, did the flow start, and what now? |
//! | [`waiting`] | how do I get the end of one execution, or of many? |
//! | [`many`] | how do I run a thousand inputs, and again after a crash? |
//! | [`rights`] | what must the key be allowed to do? |
//! | [`credentials`] | where do keys and tokens come from? |
//! | [`network`] | proxies, certificates, hosts and limits of time |
//! | [`operators`] | what does a running program tell in its log? |
//! | [`testing`] | how do I test my program without an account? |
//! | [`moving`] | I use the vendor's Python or Node SDK: what is what here? |

pub mod credentials;
pub mod errors;
pub mod many;
pub mod moving;
pub mod network;
pub mod operators;
pub mod rights;
pub mod testing;
pub mod waiting;
