//! What a source asks of a service to get its credential: a call like all others.

use std::sync::Arc;

use super::{
    Pipeline, attempt, cache::Cache, credential::Context, operation::Exchange,
    options::CallOptions, pace::Pacers, protocol::Protocol,
};
use crate::{
    error::{Error, Lack},
    response::Response,
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
        let host = protocol.endpoint().host_str().unwrap_or_default();
        self.check_may_ask(format_args!("{} at {host}", request.name()))?;
        let pipeline = Pipeline {
            pacers: Pacers::default(),
            is_paced: false,
            core: self.core.clone(),
            protocol,
            credentials,
        };
        let name = request.name();
        let encoded = request.encode();
        let encoded = match encoded {
            Ok(ref encoded) => Ok(encoded),
            Err(error) => Err(error),
        };
        let outcome = attempt::run::<E>(&pipeline, name, encoded, options).await;
        // Whoever answers, and gives nothing, may give something soon.
        outcome.map_err(|error| match (error.lack(), error.status()) {
            (Lack::Local, Some(_)) => error.with_lack(Lack::NotReady),
            _ => error,
        })
    }
}
