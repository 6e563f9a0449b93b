//! What a declared operation is as data, and how one is written from it.

use http::Method;

use super::{
    check,
    operation::{DecodeError, Encoded, EncodedFor, Exchange, Replay, Subject, Timeouts, WireOf},
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

    /// Writes the request by this function, and says which execution it is about.
    fn write(self, write: Write<Self>) -> Result<Written<Self>, Error> {
        Ok((write(&self)?, None))
    }
}

/// What writes the fields of a request.
pub(crate) type Write<E> = fn(&dyn Fields) -> Result<WireOf<E>, Error>;

/// A request that is written, and the execution that it is about.
pub(crate) type Written<E> = (WireOf<E>, Option<Subject>);

/// How a cloud writes what is declared, and reads what it answers.
pub(crate) trait Family: Protocol {
    fn write(entry: &Entry, request: &dyn Fields) -> Result<Self::Wire, Error>;

    fn read<T: Record>(reply: &Reply) -> Result<T, DecodeError>;

    /// The request id in an answer, where the cloud writes one there.
    fn request_id_in(answer: &dyn Fields) -> Option<&str>;
}

/// Checks a request and writes it.
pub(crate) fn encode<E: Declared>(request: E) -> Result<EncodedFor<E>, Error> {
    check::fields(&request)?;
    let limits = request.limits();
    let (wire, subject) = request.write(|fields| E::Protocol::write(E::ENTRY, fields))?;
    Ok(Encoded {
        wire,
        replay: E::ENTRY.replay,
        limits,
        subject,
    })
}
