//! Why there is no credential, as far as it matters for asking again.

/// What stands between a source and a credential. It decides when the source is asked again; in a
/// chain, whether the next one is asked instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// Nothing names the source: no variable, no file. A chain goes on to the next one.
    NotSetUp,
    /// What is named cannot be used: a variable, a file. Reading it again costs nothing, so it is
    /// read again for the next call.
    Local,
    /// The other side has nothing to give yet: a sidecar, a role, a right. It is asked again within
    /// seconds.
    NotReady,
    /// An outage: it is asked again after a pause that grows.
    Passing,
    /// It is only looked at, and this source would have to ask somebody, which a look does not.
    Unasked,
    /// A password or a key was refused, and more of that would lock it. It is shown again in five
    /// minutes, when what it was read from has changed, or when the caller says so.
    Final,
}
