//! Where the answer of one call is put, seen without its type: so that the code of a call is
//! compiled once a protocol and not once an operation.

use std::{fmt, future::Future, pin::Pin};

use http::HeaderMap;

use super::{
    operation::{DecodeError, Encoded, Exchange, Outcome, Sent},
    protocol::Protocol,
    transport::Reply,
};
use crate::{
    error::{Error, ErrorKind},
    payload::FlowText,
};

/// The place of an answer, for those who send.
pub(crate) trait Answer<P: Protocol>: Send {
    /// Reads the body of a 2xx reply, and shows the flow's own words in it, to be scrubbed.
    fn read(
        &mut self,
        reply: &Reply,
        request: &Encoded<P::Wire>,
        words: &mut dyn FnMut(&mut FlowText),
    ) -> Result<(), DecodeError>;

    /// The request id in the body.
    fn request_id(&self) -> Option<&str>;

    /// Says of an outcome what one exchange alone cannot.
    fn settle<'a>(&'a mut self, outcome: Outcome<()>, sent: Sent<'a, P>) -> Settled<'a>;
}

/// The answer of an exchange, once it is there.
pub(crate) struct Slot<E: Exchange>(Option<E::Answer>);

impl<E: Exchange> Slot<E> {
    pub(crate) fn new() -> Self {
        Self(None)
    }

    /// The outcome with the answer that it goes with.
    pub(crate) fn with(self, outcome: Outcome<()>) -> Outcome<E::Answer> {
        let response = outcome?;
        let Some(answer) = self.0 else {
            return Err(Error::new(ErrorKind::Decode, "no answer"));
        };
        Ok(response.with(
            |()| answer,
            |answer, headers| id_of::<E::Protocol>(E::request_id(answer), headers),
        ))
    }
}

impl<E: Exchange> Answer<E::Protocol> for Slot<E> {
    fn read(
        &mut self,
        reply: &Reply,
        request: &Encoded<<E::Protocol as Protocol>::Wire>,
        words: &mut dyn FnMut(&mut FlowText),
    ) -> Result<(), DecodeError> {
        let answer = self.0.insert(E::decode(reply)?);
        if !E::is_answer_to(answer, request) {
            return Err(DecodeError::Foreign);
        }
        E::scrub(answer, words);
        Ok(())
    }

    fn request_id(&self) -> Option<&str> {
        E::request_id(self.0.as_ref()?)
    }

    fn settle<'a>(&'a mut self, outcome: Outcome<()>, sent: Sent<'a, E::Protocol>) -> Settled<'a> {
        E::settle(&mut self.0, outcome, sent)
    }
}

/// An outcome that is known, or that somebody has to be asked about.
pub enum Settled<'a> {
    Known(Outcome<()>),
    /// Rare, and whole calls: the future of each call would have room for them.
    Asking(Pin<Box<dyn Future<Output = Outcome<()>> + Send + 'a>>),
}

impl fmt::Debug for Settled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Known(_) => "Known",
            Self::Asking(_) => "Asking",
        })
    }
}

impl<'a> Settled<'a> {
    /// Where an answer says all, and of a call that failed this function says what became of it.
    pub(crate) fn failed<T: Send, F>(
        answer: &'a mut Option<T>,
        outcome: Outcome<()>,
        settle: impl FnOnce(Error) -> F,
    ) -> Self
    where
        F: Future<Output = Outcome<T>> + Send + 'a,
    {
        match outcome {
            Ok(response) => Self::Known(Ok(response)),
            Err(error) => Self::asking(answer, settle(error)),
        }
    }

    /// Where this says what became of the call.
    pub(crate) fn asking<T: Send>(
        answer: &'a mut Option<T>,
        found: impl Future<Output = Outcome<T>> + Send + 'a,
    ) -> Self {
        Self::Asking(Box::pin(async {
            found
                .await
                .map(|found| found.map(|value| *answer = Some(value)))
        }))
    }
}

fn id_of<P: Protocol>(own: Option<&str>, headers: &HeaderMap) -> Option<String> {
    match own {
        Some(own) => Some(own.to_owned()),
        None => P::request_id(headers),
    }
}
