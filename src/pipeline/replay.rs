//! What it means to send a request again.

/// What may happen when the same request is sent again. By operation, never by HTTP verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replay {
    /// Sending it again does no more than sending it once: reads and token calls.
    Repeatable,
    /// It starts something under a name that the service starts only once.
    Keyed,
    /// Each copy that arrives starts something.
    Once,
}
