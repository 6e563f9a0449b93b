//! Reading an answer into its struct. What is of no use is absent; only what is essential fails.

use super::{
    json::{self, Object},
    record::{Fields, Presence, Record},
};

/// Why a body is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// It is no JSON object.
    #[error("it is {0}")]
    Json(#[from] json::Fault),
    /// A field is not there, or of no use, without which the others mean nothing.
    #[error("it lacks {0}")]
    Lacks(&'static str),
}

/// Reads a struct from the text of a JSON object.
pub(crate) fn record<T: Record>(text: &str) -> Result<T, Fault> {
    let mut record = T::empty();
    into(&mut record, text)?;
    Ok(record)
}

/// The same into one that is there.
pub(crate) fn into(record: &mut dyn Fields, text: &str) -> Result<(), Fault> {
    fill(record, &Object::read(text)?).map_err(Fault::Lacks)?;
    record.keep(text);
    Ok(())
}

/// Fills a struct from an object; the error is the wire name of what is missing.
pub(crate) fn fill(record: &mut dyn Fields, object: &Object<'_>) -> Result<(), &'static str> {
    let json = record.json();
    let mut members = record.members().iter();
    let mut missing = None;
    record.slots(&mut |slot| {
        let Some(member) = members.next() else {
            return;
        };
        // Of a name that stands twice, the first that is of use.
        let found = object
            .iter()
            .any(|(name, raw)| name == member.wire && slot.read(raw, json));
        if !found && member.presence == Presence::Essential {
            missing.get_or_insert(member.wire);
        }
    });
    missing.map_or(Ok(()), Err)
}
