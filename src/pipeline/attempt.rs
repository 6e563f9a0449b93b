//! The attempt loop.

use std::{borrow::Cow, pin::pin, sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until, timeout_at},
};
use tracing::{Instrument as _, Span, field};

use super::{
    Pipeline,
    answer::{Answer, Settled, Slot},
    clock::{Moment, monotonic},
    failed::Failed,
    failure::{Stage, TransportError},
    held::Held,
    limits::LONGEST,
    operation::{Encoded, EncodedFor, Exchange, Outcome, Replay, Sent, Subject, Timeouts},
    options::CallOptions,
    pace::{Pacer, Turn},
    protocol::{Protocol, Stamp},
    retry::{History, Next, Pace, judge},
    transport::{CONNECT_SLACK, Reply, time_left},
    words::Sensitive,
};
use crate::{
    bits::random_bits,
    error::{Delivery, Error, ErrorKind},
    printed::logged,
    response::{RequestId, Response},
};

/// Sends an operation until it is answered, refused for good, or out of time.
pub(crate) async fn run<E: Exchange>(
    pipeline: &Pipeline<E::Protocol>,
    name: Cow<'static, str>,
    encoded: Result<&EncodedFor<E>, Error>,
    options: &CallOptions,
) -> Outcome<E::Answer> {
    let mut answer = Slot::<E>::new();
    let outcome = run_into(pipeline, name, encoded, options, &mut answer).await;
    answer.with(outcome)
}

/// The same, with the answer put into its place: all that is not the operation's own.
pub(crate) async fn run_into<P: Protocol>(
    pipeline: &Pipeline<P>,
    name: Cow<'static, str>,
    encoded: Result<&Encoded<P::Wire>, Error>,
    options: &CallOptions,
    answer: &mut dyn Answer<P>,
) -> Outcome<()> {
    let span = match options.is_poll {
        // Whoever polls for days tells of it in a span of its own.
        true => Span::none(),
        // Written out in the macro: without a subscriber nothing of it is done.
        false => tracing::debug_span!(
            "call",
            otel.kind = "client",
            cloud = P::CLOUD,
            operation = name.as_ref(),
            flow = subject(&encoded)
                .map(|subject| logged(&subject.flow_name))
                .filter(|name| !name.is_empty()),
            execution_name = subject(&encoded)
                .map(|subject| logged(&subject.execution_name))
                .filter(|name| !name.is_empty()),
            server.address = pipeline.protocol.endpoint().host_str(),
            server.port = pipeline.protocol.endpoint().port_or_known_default(),
            attempts = field::Empty,
            http.response.status_code = field::Empty,
            request_id = field::Empty,
            "error.type" = field::Empty,
            code = field::Empty,
            delivery = field::Empty,
            elapsed_ms = field::Empty,
            otel.status_code = field::Empty,
        ),
    };
    let began = (!span.is_disabled()).then(monotonic);
    // Pinned in its place: each wrapper around it would copy it.
    let outcome = {
        let running = pin!(run_in_span(pipeline, name, encoded, options, answer));
        running.instrument(span.clone()).await
    };
    let Some(began) = began else { return outcome };
    match &outcome {
        Ok(response) => {
            span.record("attempts", response.attempts);
            span.record(STATUS, response.status.as_u16());
            let id = answer.request_id().or_else(|| response.request_id());
            span.record("request_id", id.map(logged));
        }
        Err(error) => {
            span.record("attempts", error.attempts());
            span.record(STATUS, error.status().map(|status| status.as_u16()));
            span.record("request_id", error.request_id().map(logged));
            span.record("error.type", field::debug(error.kind()));
            span.record("code", error.code().map(|code| logged(code.as_str())));
            span.record("delivery", field::debug(error.delivery()));
            span.record("otel.status_code", "ERROR");
        }
    }
    span.record("elapsed_ms", millis(monotonic() - began));
    outcome
}

const STATUS: &str = "http.response.status_code";

fn subject<'a, W>(encoded: &Result<&'a Encoded<W>, Error>) -> Option<&'a Subject> {
    encoded.as_ref().ok()?.subject.as_ref()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

async fn run_in_span<P: Protocol>(
    pipeline: &Pipeline<P>,
    name: Cow<'static, str>,
    encoded: Result<&Encoded<P::Wire>, Error>,
    options: &CallOptions,
    answer: &mut dyn Answer<P>,
) -> Outcome<()> {
    let encoded = encoded.map_err(|error| error.with_operation(name.clone()))?;
    if let Some(headers) = &options.headers {
        let checked = headers.check(P::OWN_HEADERS);
        checked.map_err(|error| error.with_operation(name.clone()))?;
    }
    let started = monotonic();
    let mut attempts = Attempts::new(name, pipeline, encoded, options, started);
    let outcome = match attempts.send(answer).await {
        Ok(reply) => Ok(Response {
            value: (),
            request_id: RequestId::found_by(|(), headers| P::request_id(headers)),
            status: reply.status,
            headers: reply.headers,
            body: reply.body,
            received: reply.received,
            attempts: attempts.history.attempts,
            elapsed: monotonic() - started,
        }),
        Err(error) => Err(attempts.seal(error)),
    };
    let sent = Sent {
        pipeline,
        wire: &encoded.wire,
        subject: encoded.subject.as_ref(),
        first: attempts.first,
        began: started,
        retry: options.retry,
        deadline: attempts.deadline,
        attempts: attempts.history.attempts,
    };
    match answer.settle(outcome, sent) {
        Settled::Known(outcome) => outcome,
        Settled::Asking(found) => found.await,
    }
}

/// The attempts of one call; generic over the protocol only.
struct Attempts<'a, P: Protocol> {
    operation: Cow<'static, str>,
    pipeline: &'a Pipeline<P>,
    encoded: &'a Encoded<P::Wire>,
    options: &'a CallOptions,
    timeouts: Timeouts,
    deadline: Instant,
    /// When the first attempt went out.
    first: Option<Moment>,
    /// When the last attempt went out.
    began: Instant,
    history: History,
    /// Where attempts are counted; none for polls, whose turns are counted already.
    pacer: Option<Arc<Pacer>>,
    /// When the last attempt was counted.
    counted: Option<Instant>,
    /// Whether each attempt waits for its turn there.
    takes_turns: bool,
    /// The last turn that was had.
    turn: Option<Turn>,
    /// Attempts that were refused for their rate after their turn: no policy counts them.
    uncounted: u32,
}

impl<'a, P: Protocol> Attempts<'a, P> {
    fn new(
        operation: Cow<'static, str>,
        pipeline: &'a Pipeline<P>,
        encoded: &'a Encoded<P::Wire>,
        options: &'a CallOptions,
        started: Instant,
    ) -> Self {
        let limits = &pipeline.core.limits;
        let attempt = options.attempt_timeout.or(limits.attempt_timeout);
        let overall = options.timeout.or(limits.timeout);
        let timeouts = Timeouts {
            // Shorter than the connect limit, it would end attempts that never connected with
            // no proof of that.
            attempt: attempt
                .unwrap_or(encoded.limits.attempt)
                .max(limits.connect_timeout.saturating_add(CONNECT_SLACK))
                .min(LONGEST),
            overall: overall.unwrap_or(encoded.limits.overall).min(LONGEST),
        };
        let pacer = match options.is_poll {
            true => None,
            false => pipeline.pacers.of(&operation).cloned(),
        };
        Self {
            operation,
            pipeline,
            encoded,
            options,
            timeouts,
            deadline: started + timeouts.overall,
            first: None,
            began: started,
            history: History::default(),
            takes_turns: pipeline.is_paced && pacer.is_some(),
            pacer,
            counted: None,
            turn: None,
            uncounted: 0,
        }
    }

    async fn send(&mut self, answer: &mut dyn Answer<P>) -> Result<Reply, Error> {
        if Handle::try_current().is_err() {
            return Err(Error::configuration(
                "runtime",
                "a call must be awaited inside a Tokio runtime",
            ));
        }
        let core = &self.pipeline.core;
        let policy = self.options.retry.unwrap_or(core.retry);
        let mut last = None;
        let mut idle_since = self.began;
        loop {
            if !self.take_turn(idle_since).await {
                return Err(last.unwrap_or_else(|| {
                    Error::new(
                        ErrorKind::Timeout,
                        "the call's time ran out before its turn came",
                    )
                }));
            }
            // Only those that take turns have time that is not the call's.
            let begun = if self.takes_turns {
                monotonic()
            } else {
                idle_since
            };
            let held = self.lease().await?;
            // The credential may have taken the time that the attempt needs.
            if !self.fits(Duration::ZERO) {
                return Err(last.unwrap_or_else(|| {
                    Error::new(
                        ErrorKind::Timeout,
                        "the call's time ran out before it was sent",
                    )
                }));
            }
            let failed = match self.attempt(held.as_ref(), answer).await {
                Ok(reply) => {
                    if !self.options.is_poll {
                        core.budget.earn();
                        tracing::debug!(
                            attempt = self.history.attempts,
                            http.response.status_code = reply.status.as_u16(),
                            elapsed_ms = millis(monotonic() - self.began),
                            "attempt answered"
                        );
                    }
                    return Ok(reply);
                }
                Err(failed) => failed?,
            };
            if let (Some(pacer), Some(counted)) = (&self.pacer, self.counted)
                && failed.event.is_throttling()
            {
                pacer.refused(counted);
            }
            let (delivery, next) = judge(
                self.encoded.replay,
                self.options.repeat_if_unknown,
                failed.event,
                &self.history,
            );
            self.history.worst = self.history.worst.max(delivery);
            if !self.options.is_poll {
                tracing::debug!(
                    attempt = self.history.attempts,
                    http.response.status_code =
                        failed.error.status().map(|status| status.as_u16()),
                    "error.type" = ?failed.error.kind(),
                    code = failed.error.code().map(|code| logged(code.as_str())),
                    request_id = failed.error.request_id().map(logged),
                    ?delivery,
                    ?next,
                    elapsed_ms = millis(monotonic() - self.began),
                    "attempt failed"
                );
            }
            if next == Next::Repeat(Pace::Throttled) && self.takes_turns {
                // The account's pace, not the call's: it goes on for as long as that takes.
                self.uncounted += 1;
                let asked = failed.error.retry_after().unwrap_or_default().min(LONGEST);
                if self.options.timeout.is_some() && !self.fits(asked) {
                    return Err(failed.error);
                }
                sleep_until(monotonic() + asked).await;
                last = Some(failed.error);
                idle_since = begun;
                continue;
            }
            let counted = self.history.attempts - self.uncounted;
            let pause = match next {
                Next::Stop => {
                    if let (Some(cache), Some(held)) = (&self.pipeline.credentials, &held)
                        && failed.error.kind() == ErrorKind::Unauthenticated
                        && delivery == Delivery::Refused
                    {
                        cache.refuse(held, failed.may_lock);
                    }
                    return Err(failed.error);
                }
                Next::CorrectClock => {
                    self.history.clock_corrected = true;
                    Duration::ZERO
                }
                Next::RenewCredential => {
                    self.history.credential_renewed = true;
                    if let (Some(cache), Some(held)) = (&self.pipeline.credentials, &held) {
                        cache.retire(held);
                    }
                    Duration::ZERO
                }
                // Whoever polls has a pause of its own.
                Next::Repeat(_) if self.options.is_poll => return Err(failed.error),
                Next::Repeat(pace) => {
                    let pause = policy.backoff(counted, pace)?;
                    failed
                        .error
                        .retry_after()
                        .map_or(pause, |asked| pause.max(asked))
                }
            };
            // Once a call, and no sign that much fails: not what the budget is for.
            let is_correction = matches!(next, Next::CorrectClock | Next::RenewCredential);
            let is_last = match self.options.is_poll {
                true => !is_correction,
                false => counted >= policy.max_attempts,
            };
            if is_last || !self.fits(pause) || !(is_correction || core.budget.spend()) {
                return Err(failed.error);
            }
            if !pause.is_zero() {
                sleep_until(monotonic() + pause).await;
            }
            last = Some(failed.error);
            idle_since = monotonic();
        }
    }

    /// Waits for the next attempt's turn, where attempts take turns; false where the call's own
    /// limit came first. Without one, the time since `idle_since` is not the call's.
    async fn take_turn(&mut self, idle_since: Instant) -> bool {
        let Some(pacer) = self.pacer.as_ref().filter(|_| self.takes_turns) else {
            return true;
        };
        let waiting = match &self.turn {
            // It keeps its place: who has waited does not wait for a round more.
            Some(turn) => pacer.again(turn),
            None => pacer.turn(),
        };
        let turn = match self.options.timeout {
            Some(_) => match timeout_at(self.deadline, waiting).await {
                Ok(turn) => turn,
                Err(_) => return false,
            },
            None => {
                let turn = waiting.await;
                self.deadline += monotonic() - idle_since;
                turn
            }
        };
        self.turn = Some(turn);
        true
    }

    /// Whether another attempt after this pause has the time it needs.
    fn fits(&self, pause: Duration) -> bool {
        let needed = match self.encoded.replay {
            // A synchronous start cut off by our own deadline is a flow that nobody listens to. A
            // caller whose deadline is shorter than a flow may take gets half of it.
            Replay::Once => self.timeouts.attempt.min(self.timeouts.overall / 2),
            // Time to connect, at least: an attempt that is cut makes a clear refusal unknown.
            Replay::Repeatable | Replay::Keyed => {
                let connect = self.pipeline.core.limits.connect_timeout;
                connect.min(self.timeouts.overall / 4)
            }
        };
        pause
            .checked_add(needed)
            .is_some_and(|time| time <= time_left(self.deadline))
    }

    async fn lease(&self) -> Result<Option<Arc<Held<P::Credential>>>, Error> {
        match &self.pipeline.credentials {
            None => Ok(None),
            Some(cache) => cache
                .lease(
                    self.timeouts.attempt.min(self.timeouts.overall),
                    self.deadline,
                )
                .await
                .map(Some),
        }
    }

    /// One attempt. The outer error ends the call before anything was sent.
    async fn attempt(
        &mut self,
        held: Option<&Arc<Held<P::Credential>>>,
        answer: &mut dyn Answer<P>,
    ) -> Result<Reply, Result<Failed, Error>> {
        let core = &self.pipeline.core;
        let credential = held.map(|held| &held.credential);
        let stamp = Stamp {
            now: core.clock.now(),
            nonce: match P::HAS_NONCE {
                true => random_bits().map_err(Err)?,
                false => [0; 16],
            },
        };
        let wire = &self.encoded.wire;
        let mut request = self
            .pipeline
            .protocol
            .prepare(wire, credential, &stamp)
            .map_err(Err)?;
        if let Some(headers) = &self.options.headers {
            headers.put_on(&mut request.headers).map_err(Err)?;
        }
        let endpoint = self.pipeline.protocol.endpoint();
        let transport = core.transport.here_for(endpoint).map_err(Err)?;
        self.history.attempts += 1;
        let first = *self.first.get_or_insert_with(|| core.clock.moment());
        let began = match self.history.attempts {
            1 => first.monotonic,
            _ => monotonic(),
        };
        self.began = began;
        self.counted = match (&self.pacer, &self.turn) {
            (Some(_), Some(turn)) => Some(turn.at),
            (pacer, _) => pacer.as_ref().map(|pacer| pacer.count()),
        };
        let deadline = self.deadline.min(began + self.timeouts.attempt);
        let sent = transport
            .send(
                request,
                deadline,
                core.limits.connect_timeout,
                core.limits.max_reply_bytes,
            )
            .await;
        let reply = match sent {
            Ok(reply) => reply,
            Err(broken) => {
                let waited = monotonic() - began;
                return Err(Ok(Failed::broken(core, endpoint, broken, waited)));
            }
        };
        if core.route.is_refused_by_proxy(endpoint, &reply) {
            let refused = TransportError::plain(Stage::Proxy);
            let waited = monotonic() - began;
            return Err(Ok(Failed::broken(core, endpoint, refused, waited)));
        }
        let sensitive = || self.sensitive(credential, &stamp);
        if !reply.status.is_success() {
            let refusal = self
                .pipeline
                .protocol
                .refusal(wire, credential, &stamp, &reply);
            let sensitive = sensitive();
            let refusal = refusal.scrubbed(&sensitive);
            let excerpt = sensitive.excerpt(&reply.body);
            let held = held.map(Arc::as_ref);
            let failed = Failed::refused(self.pipeline, refusal, &excerpt, &reply, held, &stamp);
            return Err(Ok(failed));
        }
        if let (Some(cache), Some(held)) = (&self.pipeline.credentials, held) {
            cache.accept(held);
        }
        let mut known = None;
        let read = answer.read(&reply, self.encoded, &mut |text| {
            text.scrub(known.get_or_insert_with(sensitive));
        });
        match read {
            Ok(()) => Ok(reply),
            Err(fault) => {
                let sensitive = sensitive();
                let failed = Failed::unreadable(self.pipeline, fault, &reply, &sensitive);
                Err(Ok(failed))
            }
        }
    }

    /// What no word of an answer may repeat of the request that this attempt sent.
    fn sensitive(&self, credential: Option<&P::Credential>, stamp: &Stamp) -> Sensitive {
        let protocol = &self.pipeline.protocol;
        let mut sensitive = Sensitive::default();
        if let Ok(sent) = protocol.prepare(&self.encoded.wire, credential, stamp) {
            protocol.sensitive(&sent, credential, &mut sensitive);
        }
        if let Some(headers) = &self.options.headers {
            headers.sensitive(&mut sensitive);
        }
        sensitive
    }

    /// Adds what is known of the whole call.
    fn seal(&self, error: Error) -> Error {
        let encoded = self.encoded;
        let subject = encoded.subject.as_ref();
        let repeatable = match encoded.replay {
            Replay::Repeatable => true,
            // Under a name that we made, the same Rust call again would make another name.
            Replay::Keyed => subject.is_some_and(|subject| subject.named_by_caller),
            Replay::Once => false,
        };
        error
            .with_operation(self.operation.clone())
            .with_attempts(self.history.attempts)
            .with_delivery(self.history.worst)
            .with_subject(
                encoded.replay != Replay::Repeatable,
                repeatable,
                subject.map(|subject| subject.execution_name.as_str()),
            )
    }
}
