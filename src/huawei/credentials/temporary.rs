//! Temporary keys, as metadata, pods, STS and IAM write them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;

use crate::{
    error::{Error, ErrorKind},
    huawei::credential::{AccessKey, Credential},
    pipeline::{
        credential::{Context, Lease},
        json::{self, Object},
        named_texts::NamedTexts,
        operation::DecodeError,
        options::CallOptions,
        read::Fault,
        retry::date,
        times::parse_time,
        transport::Reply,
    },
    response::Response,
};

/// A key with its end.
pub(super) struct TemporaryKey {
    key: AccessKey,
    expires_at: DateTime<Utc>,
}

impl TemporaryKey {
    /// Reads an answer: the key may stand in `credential`, in `credentials` or by itself, under
    /// each of the names that the official SDK takes.
    pub(super) fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let body = json::text(body);
        let answer = Object::read(&body).map_err(Fault::Json)?;
        let key = answer.object("credential");
        let key = key.or_else(|| answer.object("credentials"));
        let fields = NamedTexts::of(key.as_ref().unwrap_or(&answer));
        let missing = DecodeError::Missing;
        let access = ["access", "accessKeyId", "access_key_id"];
        let secret = ["secret", "secretAccessKey", "secret_access_key"];
        let token = ["securitytoken", "securityToken", "security_token"];
        let access = fields.first_of(&access).ok_or(missing("access"))?;
        let secret = fields.first_of(&secret).ok_or(missing("secret"))?;
        let token = fields.first_of(&token).ok_or(missing("securitytoken"))?;
        let end = fields.first_of(&["expires_at", "expiration"]);
        let end = end.and_then(parse_time);
        Ok(Self {
            key: AccessKey::new(access, secret).security_token(token),
            expires_at: end.ok_or(missing("a readable expires_at"))?,
        })
    }

    /// The lease of a key that a service gave in answer to a call.
    pub(super) async fn of_answer(
        answer: Result<Response<Self>, Error>,
        project_id: Option<String>,
        context: &Context,
    ) -> Result<Lease<Credential>, Error> {
        let answer = answer.map_err(Error::without_body)?;
        let headers = &answer.headers;
        answer.value.lease(project_id, headers, context).await
    }

    /// The lease of a key that a metadata address gave.
    pub(super) async fn of_metadata(
        service: &str,
        reply: &Reply,
        context: &Context,
    ) -> Result<Lease<Credential>, Error> {
        let key = Self::read(&reply.body).map_err(|fault| {
            let message = match fault {
                DecodeError::Unreadable(_) => format!("{service} gave an answer that is not JSON"),
                fault => format!("{service}: {fault}"),
            };
            Error::new(ErrorKind::Decode, message)
        })?;
        key.lease(None, &reply.headers, context).await
    }

    /// Its life is counted from the `Date` of the reply that brought it.
    pub(super) async fn lease(
        self,
        project_id: Option<String>,
        headers: &HeaderMap,
        context: &Context,
    ) -> Result<Lease<Credential>, Error> {
        let issued_at = date(headers);
        let mut key = self.key;
        key.project_id = project_id;
        let key = key.with_project(context).await?;
        let lease = Lease::new(Credential::from(key)).expires_at(self.expires_at);
        Ok(match issued_at {
            Some(date) => lease.issued_at(date),
            None => lease,
        })
    }
}

/// Shorter than the cache's limit, so that it is the service that an error speaks of.
pub(super) const OPTIONS: CallOptions = CallOptions {
    timeout: Some(Duration::from_secs(8)),
    attempt_timeout: Some(Duration::from_secs(5)),
    retry: None,
    repeat_if_unknown: false,
    is_poll: false,
    headers: None,
};
