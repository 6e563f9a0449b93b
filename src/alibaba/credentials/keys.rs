//! What files and answers hold: access keys, and temporary ones.

use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::Deserialize;

use super::Credentials;
use crate::{
    error::{Error, ErrorKind},
    pipeline::{
        credential::Lease, decode, named_texts::NamedTexts, operation::DecodeError, retry::date,
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

/// A temporary key as STS, the metadata service and credentials URIs write it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Issued {
    #[serde(deserialize_with = "decode::text")]
    code: Option<String>,
    #[serde(deserialize_with = "decode::text")]
    access_key_id: Option<String>,
    #[serde(deserialize_with = "decode::text")]
    access_key_secret: Option<String>,
    #[serde(deserialize_with = "decode::text")]
    security_token: Option<String>,
    #[serde(deserialize_with = "decode::time")]
    expiration: Option<DateTime<Utc>>,
}

impl Issued {
    /// The body of a metadata answer, where `Code` must be `Success`.
    pub(super) fn of_metadata(
        service: &str,
        body: &[u8],
        headers: &HeaderMap,
    ) -> Result<Lease<Credentials>, Error> {
        let unreadable = |why: &str| Error::new(ErrorKind::Decode, format!("{service} gave {why}"));
        let issued: Self =
            decode::object(body).map_err(|_| unreadable("an answer that is not JSON"))?;
        match issued.code.as_deref() {
            Some("Success") => issued.lease(service, headers),
            Some(code) => {
                let message = format!("{service} gave the code {code:.64}");
                Err(Error::new(ErrorKind::Service, message))
            }
            None => Err(unreadable("an answer without `Code`")),
        }
    }

    /// The lease of a key that this service gave.
    pub(super) fn lease(
        self,
        service: &str,
        headers: &HeaderMap,
    ) -> Result<Lease<Credentials>, Error> {
        self.key()
            .map_err(|fault| Error::new(ErrorKind::Decode, format!("{service}: {fault}")))?
            .lease(headers)
    }

    pub(super) fn key(self) -> Result<TemporaryKey, DecodeError> {
        let missing = DecodeError::Missing;
        let id = self.access_key_id.ok_or(missing("AccessKeyId"))?;
        let secret = self.access_key_secret.ok_or(missing("AccessKeySecret"))?;
        let token = self.security_token.ok_or(missing("SecurityToken"))?;
        Ok(TemporaryKey {
            credentials: Credentials::new(id, secret).security_token(token),
            expires_at: self.expiration.ok_or(missing("a readable Expiration"))?,
        })
    }
}

/// A key with its end.
pub(super) struct TemporaryKey {
    credentials: Credentials,
    expires_at: DateTime<Utc>,
}

impl TemporaryKey {
    /// Its life is counted from the `Date` of the reply that brought it.
    pub(super) fn lease(self, headers: &HeaderMap) -> Result<Lease<Credentials>, Error> {
        let lease = lease(self.credentials)?.expires_at(self.expires_at);
        Ok(match date(headers) {
            Some(date) => lease.issued_at(date),
            None => lease,
        })
    }
}

/// A lease of a key that has been looked at.
pub(super) fn lease(credentials: Credentials) -> Result<Lease<Credentials>, Error> {
    credentials.check().map(|()| Lease::new(credentials))
}
