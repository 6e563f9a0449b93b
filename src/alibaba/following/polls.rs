//! Single attempts in their turns, for those who follow.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    alibaba::protocol::Rpc,
    error::{Error, ErrorKind},
    pipeline::{
        Pipeline, attempt,
        limits::LONGEST,
        operation::{Operation, Timeouts},
        options::CallOptions,
        pace::{Pacer, Quota},
    },
};

pub(super) type Shared = Arc<Pipeline<Rpc>>;

/// The pacer of an operation.
pub(super) fn pacer(pipeline: &Shared, operation: &str) -> Arc<Pacer> {
    match pipeline.pacers.of(operation) {
        Some(pacer) => pacer.clone(),
        None => Pacer::new(Quota::new(50, 5.0)),
    }
}

/// One attempt that has had its turn.
pub(super) async fn poll<O: Operation<Protocol = Rpc>>(
    pipeline: &Shared,
    request: O,
    hold: Duration,
) -> Result<<O as Operation>::Output, Error> {
    let limits = (!hold.is_zero()).then(|| Timeouts::long_poll(hold));
    let options = CallOptions {
        timeout: limits.map(|limits| limits.overall),
        attempt_timeout: limits.map(|limits| limits.attempt),
        is_poll: true,
        ..CallOptions::default()
    };
    let name = request.name();
    let encoded = request.encode()?;
    let sent = attempt::run::<O>(pipeline, name, Ok(&encoded), &options);
    Ok(sent.await?.into_value())
}

/// Polls until there is an answer or a refusal for good: each attempt in its turn, and at most
/// [`MOST_TRIES`] for what passes.
pub(super) async fn patient<O: Operation<Protocol = Rpc> + Clone>(
    pipeline: &Shared,
    request: O,
) -> Result<<O as Operation>::Output, Error> {
    let pacer = pacer(pipeline, &request.name());
    let mut turn = pacer.turn();
    let mut tries = 0;
    loop {
        let had = turn.await;
        let error = match poll(pipeline, request.clone(), Duration::ZERO).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if error.kind() == ErrorKind::Throttled {
            pacer.refused(had.at);
            sleep(error.retry_after().unwrap_or_default().min(LONGEST)).await;
            turn = pacer.again(&had);
            continue;
        }
        tries += 1;
        if tries >= MOST_TRIES || !error.is_retryable() {
            return Err(error);
        }
        sleep(BETWEEN_TRIES).await;
        turn = pacer.turn();
    }
}

const MOST_TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_secs(1);
