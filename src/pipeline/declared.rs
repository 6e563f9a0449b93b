//! What a declared operation is as data, and how one is written from it.

use http::Method;

use super::{
    check,
    operation::{DecodeError, Encoded, EncodedFor, Exchange, Replay, Timeouts},
    protocol::Protocol,
    record::{Fields, Record},
    transport::Reply,
};
use crate::error::Error;
#[cfg(test)]
use crate::pipeline::record::Member;

/// An operation's line in the table.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    /// With the names of its variables in braces.
    pub(crate) path: &'static str,
    pub(crate) replay: Replay,
    pub(crate) limits: Timeouts,
    #[cfg(test)]
    pub(crate) parameters: &'static [Member],
    #[cfg(test)]
    pub(crate) answer: &'static [Member],
}

/// An operation whose request is declared as a list of fields.
pub(crate) trait Declared: Exchange<Protocol: Family> + Record {
    const ENTRY: &'static Entry;

    /// How long it may take.
    fn limits(&self) -> Timeouts {
        Self::ENTRY.limits
    }

    /// Checks the request and writes it, by [`write()`], and says what it is about.
    fn encoded(self) -> Result<EncodedFor<Self>, Error> {
        write(&self)
    }
}

/// How a cloud writes what is declared, and reads what it answers.
pub(crate) trait Family: Protocol {
    fn write(entry: &Entry, request: &dyn Fields) -> Result<Self::Wire, Error>;

    fn read(reply: &Reply, answer: &mut dyn Fields) -> Result<(), DecodeError>;

    /// The request id in an answer, where the cloud writes one there.
    fn request_id_in(answer: &dyn Fields) -> Option<&str>;
}

/// Checks a request and writes it.
pub(crate) fn write<E: Declared>(request: &E) -> Result<EncodedFor<E>, Error> {
    written::<E::Protocol>(E::ENTRY, request, request.limits())
}

fn written<P: Family>(
    entry: &Entry,
    request: &dyn Fields,
    limits: Timeouts,
) -> Result<Encoded<P::Wire>, Error> {
    check::fields(request)?;
    Ok(Encoded {
        wire: P::write(entry, request)?,
        replay: entry.replay,
        limits,
        subject: None,
    })
}
