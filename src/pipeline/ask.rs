//! Calls that are made for another: what a source asks to get its credential, and what is asked of a
//! call whose fate is not known.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{
    Pipeline,
    answer::{Answer, Slot},
    attempt,
    cache::Cache,
    clock::monotonic,
    credential::{BoxFuture, Context},
    operation::{Encoded, Exchange, Outcome, Sent},
    options::CallOptions,
    pace::Pacers,
    protocol::Protocol,
    transport::time_left,
};
use crate::{
    error::{Error, Lack},
    response::{RequestId, Response},
};

impl Context {
    /// Sends an anonymous operation over the client's connection pool.
    pub(crate) async fn send<E: Exchange>(
        &self,
        protocol: E::Protocol,
        request: E,
    ) -> Result<E::Answer, Error> {
        self.exchange(protocol, None, request, &CallOptions::default())
            .await
            .map(Response::into_value)
    }

    /// Sends an operation over the client's connection pool, signed where credentials are given.
    pub(crate) async fn exchange<E: Exchange>(
        &self,
        protocol: E::Protocol,
        credentials: Option<Arc<Cache<<E::Protocol as Protocol>::Credential>>>,
        request: E,
        options: &CallOptions,
    ) -> Result<Response<E::Answer>, Error> {
        let name = request.name();
        let encoded = request.encode();
        let mut answer = Slot::<E>::new();
        let outcome = self
            .exchange_into(protocol, credentials, name, encoded, options, &mut answer)
            .await;
        answer.with(outcome)
    }

    /// Boxed: rare, and who waits for it need not know what it is made of.
    fn exchange_into<'a, P: Protocol>(
        &'a self,
        protocol: P,
        credentials: Option<Arc<Cache<P::Credential>>>,
        name: Cow<'static, str>,
        encoded: Result<Encoded<P::Wire>, Error>,
        options: &'a CallOptions,
        answer: &'a mut dyn Answer<P>,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async move {
            let host = protocol.endpoint().host_str().unwrap_or_default();
            self.check_may_ask(format_args!("{name} at {host}"))?;
            let pipeline = Pipeline {
                pacers: Pacers::default(),
                is_paced: false,
                core: self.core.clone(),
                protocol,
                credentials,
            };
            let encoded = match encoded {
                Ok(ref encoded) => Ok(encoded),
                Err(error) => Err(error),
            };
            let outcome = attempt::run_into(&pipeline, name, encoded, options, answer).await;
            // Whoever answers, and gives nothing, may give something soon.
            outcome.map_err(|error| match (error.lack(), error.status()) {
                (Lack::Local, Some(_)) => error.with_lack(Lack::NotReady),
                _ => error,
            })
        })
    }
}

impl<P: Protocol> Sent<'_, P> {
    /// Asks what became of the call, in the time that it has left.
    pub(crate) async fn ask<E: Exchange<Protocol = P>>(&self, request: E) -> Outcome<E::Answer> {
        let mut answer = Slot::<E>::new();
        let outcome = self.ask_into(request.name(), request.encode(), &mut answer);
        let outcome = outcome.await;
        answer.with(outcome)
    }

    /// Boxed, as [`exchange_into`](Context::exchange_into).
    fn ask_into<'a>(
        &'a self,
        name: Cow<'static, str>,
        encoded: Result<Encoded<P::Wire>, Error>,
        answer: &'a mut dyn Answer<P>,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async move {
            let options = CallOptions {
                timeout: Some(time_left(self.deadline)),
                retry: self.retry,
                ..CallOptions::default()
            };
            let encoded = encoded?;
            attempt::run_into(self.pipeline, name, Ok(&encoded), &options, answer).await
        })
    }

    /// What was found, as the call's own answer.
    pub(crate) fn as_its_own<T>(&self, found: Response<T>) -> Response<T> {
        Response {
            attempts: self.attempts,
            elapsed: monotonic() - self.began,
            ..found
        }
    }

    /// The call's answer where a refusal tells it.
    #[cfg(feature = "alibaba")]
    pub(crate) fn answered_by<T>(
        &self,
        error: &Error,
        status: StatusCode,
        value: T,
    ) -> Response<T> {
        Response {
            value,
            request_id: RequestId::known(error.request_id().map(str::to_owned)),
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            received: monotonic(),
            attempts: self.attempts,
            elapsed: monotonic() - self.began,
        }
    }
}
