//! What files and answers hold: access keys, and temporary ones.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use http::HeaderMap;

use super::Credentials;
use crate::{
    error::{Error, ErrorKind},
    pipeline::{
        credential::Lease,
        json::{self, Object},
        named_texts::NamedTexts,
        operation::DecodeError,
        retry::date,
        times::parse_time,
        transport::Reply,
    },
};

impl NamedTexts {
    /// `access_key_id` and `access_key_secret`.
    pub(super) fn access_key(&self) -> Result<Credentials, Error> {
        Ok(Credentials::new(
            self.required("access_key_id")?,
            self.required("access_key_secret")?,
        ))
    }

    /// An access key with `sts_token`.
    pub(super) fn temporary_key(&self) -> Result<Credentials, Error> {
        let token = self.required("sts_token")?;
        Ok(self.access_key()?.security_token(token))
    }
}

/// A key with its end.
pub(super) struct TemporaryKey {
    credentials: Credentials,
    expires_at: DateTime<Utc>,
}

impl TemporaryKey {
    /// As STS, the metadata service and credentials URIs write it.
    pub(super) fn read(object: &Object<'_>) -> Result<Self, DecodeError> {
        let text = |name| {
            let text = object.text(name).map(Cow::into_owned);
            text.ok_or(DecodeError::Missing(name))
        };
        let credentials = Credentials::new(text("AccessKeyId")?, text("AccessKeySecret")?)
            .security_token(text("SecurityToken")?);
        let end = object.text("Expiration");
        let end = end.and_then(|text| parse_time(&text));
        Ok(Self {
            credentials,
            expires_at: end.ok_or(DecodeError::Missing("a readable Expiration"))?,
        })
    }

    /// The lease of the key in a metadata answer, where `Code` must be `Success`.
    pub(super) fn of_metadata(service: &str, reply: &Reply) -> Result<Lease<Credentials>, Error> {
        let body = json::text(&reply.body);
        let answer = object(service, &body)?;
        match answer.text("Code").as_deref() {
            Some("Success") => Self::of_answer(service, &answer, &reply.headers),
            Some(code) => {
                let message = format!("{service} gave the code {code:.64}");
                Err(Error::new(ErrorKind::Service, message))
            }
            None => Err(unreadable(service, "an answer without `Code`")),
        }
    }

    /// The lease of the key that this service gave.
    pub(super) fn of_answer(
        service: &str,
        answer: &Object<'_>,
        headers: &HeaderMap,
    ) -> Result<Lease<Credentials>, Error> {
        Self::read(answer)
            .map_err(|fault| Error::new(ErrorKind::Decode, format!("{service}: {fault}")))?
            .lease(headers)
    }

    /// Its life is counted from the `Date` of the reply that brought it.
    pub(super) fn lease(self, headers: &HeaderMap) -> Result<Lease<Credentials>, Error> {
        let lease = lease(self.credentials)?.expires_at(self.expires_at);
        Ok(match date(headers) {
            Some(date) => lease.issued_at(date),
            None => lease,
        })
    }
}

/// The object that a service gave.
pub(super) fn object<'a>(service: &str, body: &'a str) -> Result<Object<'a>, Error> {
    Object::read(body).map_err(|_| unreadable(service, "an answer that is not JSON"))
}

pub(super) fn unreadable(service: &str, what: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("{service} gave {what}"))
}

/// A lease of a key that has been looked at.
pub(super) fn lease(credentials: Credentials) -> Result<Lease<Credentials>, Error> {
    credentials.check().map(|()| Lease::new(credentials))
}
