//! What the operations that delete answer, whatever it is that they delete.

use crate::alibaba::declare::answer;

answer! {
    /// The answer of the operations that delete. Serialises with the wire's names.
    DeleteResponse {}
    also {
        /// Whether it was found gone after an attempt of this call's whose answer was lost, which is
        /// taken for the one that deleted it. Not part of the wire.
        pub was_gone: bool,
    }
}
