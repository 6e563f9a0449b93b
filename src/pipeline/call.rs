//! One call being set up.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use super::{
    Pipeline,
    answer::Slot,
    attempt,
    operation::{EncodedFor, Operation, Subject},
    options::CallOptions,
    retry::RetryPolicy,
};
use crate::{error::Error, response::Response};

/// One call of operation `O`, ready to be sent; made by a client's methods.
///
/// It owns what it needs, so its futures are `Send + 'static` and fit `tokio::spawn` and
/// `JoinSet`. Dropping a future stops waiting and closes its connection; a flow that has begun
/// goes on.
#[must_use = "a call does nothing until it is sent"]
pub struct Call<O: Operation> {
    pipeline: Arc<Pipeline<O::Protocol>>,
    name: Cow<'static, str>,
    encoded: Result<EncodedFor<O>, Error>,
    options: CallOptions,
    /// The request of a list, of which each page is a call of its own.
    listed: Option<Box<O>>,
}

/// A list's request, and what its pages are asked for with.
pub(crate) struct Listing<O: Operation> {
    pub(crate) pipeline: Arc<Pipeline<O::Protocol>>,
    pub(crate) request: Option<Box<O>>,
    pub(crate) options: CallOptions,
}

impl<O: Operation> Call<O> {
    pub(crate) fn new(pipeline: &Arc<Pipeline<O::Protocol>>, request: O) -> Self {
        Self {
            pipeline: pipeline.clone(),
            name: request.name(),
            encoded: request.encode(),
            options: CallOptions::default(),
            listed: None,
        }
    }

    /// A call with the options of another.
    pub(crate) fn with(
        pipeline: &Arc<Pipeline<O::Protocol>>,
        request: O,
        options: CallOptions,
    ) -> Self {
        Self {
            options,
            ..Self::new(pipeline, request)
        }
    }

    /// A call of a list, which can be read page by page.
    pub(crate) fn of_list(pipeline: &Arc<Pipeline<O::Protocol>>, request: O) -> Self
    where
        O: Clone,
    {
        Self {
            listed: Some(Box::new(request.clone())),
            ..Self::new(pipeline, request)
        }
    }

    /// The request of a list.
    pub(crate) fn listed(&self) -> Option<&O> {
        self.listed.as_deref()
    }

    /// What the pages of a list are asked for with.
    pub(crate) fn into_list(self) -> Listing<O> {
        Listing {
            pipeline: self.pipeline,
            request: self.listed,
            options: self.options,
        }
    }

    /// The execution that the call is about.
    pub(crate) fn subject(&self) -> Option<&Subject> {
        self.encoded.as_ref().ok()?.subject.as_ref()
    }

    /// The operation's name in the vendor's documents, such as `StartExecution`.
    pub fn operation_name(&self) -> &str {
        &self.name
    }

    /// The execution name that will be sent, given or made. Store it, and you can find the
    /// execution whatever happens to this program.
    pub fn execution_name(&self) -> Option<&str> {
        Some(&self.subject()?.execution_name)
    }

    /// How long the whole call may take, with all attempts and pauses (default 60 s; synchronous
    /// starts 660 s). Where it ends an attempt that has not connected yet, there is no proof that
    /// nothing was sent.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.options.timeout = Some(limit);
        self
    }

    /// How long one attempt may take, at least the connect limit (default 15 s; synchronous
    /// starts 310 s).
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.options.attempt_timeout = Some(limit);
        self
    }

    /// How often and at what pace this call may be repeated.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options.retry = Some(policy);
        self
    }

    /// Repeat even where the service may have begun the flow, which may then run twice.
    ///
    /// For flows that may run twice without harm. Without it, a synchronous start whose answer is
    /// lost is an error with [`Error::may_have_started`].
    pub fn repeat_if_unknown(mut self) -> Self {
        self.options.repeat_if_unknown = true;
        self
    }

    /// Adds a header to the requests of this call, such as one that a gateway of yours asks for; a
    /// name that was given before gets the new value. It is not signed, and its value is not shown.
    ///
    /// ```
    /// # #[cfg(feature = "alibaba")] mod example {
    /// use cloud_workflows::alibaba::{Client, StartExecutionRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = StartExecutionRequest::new("my_flow");
    /// client.start_execution(request).http_header("x-team", "billing").send().await?;
    /// # Ok(())
    /// # }
    /// # }
    /// ```
    ///
    /// What HTTP or the client sets or signs itself (`Host`, `Authorization`, `Content-Type`,
    /// `User-Agent`, `Proxy-..`, and the service's own such as `X-Acs-..` and `X-Auth-Token`), a
    /// name that is none, and a value that is not visible ASCII text are
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent.
    pub fn http_header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let headers = self.options.headers.get_or_insert_default();
        Arc::make_mut(headers).insert(name.as_ref(), value.as_ref());
        self
    }

    /// Sends the call and waits for the typed answer.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::may_have_started`] says whether a flow may be running.
    pub async fn send(self) -> Result<O::Output, Error> {
        self.send_for_response().await.map(Response::into_value)
    }

    /// Sends the call, and gives back what was sent: for whoever has to compare with it.
    pub(crate) async fn send_and_keep(self) -> (Result<O::Output, Error>, Option<EncodedFor<O>>) {
        let send = |encoded| attempt::run::<O>(&self.pipeline, self.name, encoded, &self.options);
        let (outcome, sent) = match self.encoded {
            Ok(encoded) => (send(Ok(&encoded)).await, Some(encoded)),
            Err(error) => (send(Err(error)).await, None),
        };
        (outcome.map(Response::into_value), sent)
    }

    /// Sends the call and blocks this thread until the typed answer is here: for programs without
    /// `async`.
    ///
    /// The call runs on a runtime in the background, which all blocking calls of the process share.
    /// It may be made from anywhere, on a thread of a Tokio runtime as well; there it keeps that
    /// thread from its other tasks, so that `async` code does better to await [`Call::send`].
    ///
    /// ```no_run
    /// # #[cfg(feature = "alibaba")] mod example {
    /// use cloud_workflows::alibaba::{Client, StartExecutionRequest};
    ///
    /// fn run() -> Result<(), cloud_workflows::Error> {
    ///     let client = Client::from_env()?;
    ///     let request = StartExecutionRequest::new("my_flow");
    ///     let started = client.start_execution(request).send_blocking()?;
    ///     println!("{started:?}");
    ///     Ok(())
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Call::send`], and [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) where no
    /// thread can be started, or where a source of credentials makes a blocking call inside of one.
    #[cfg(feature = "blocking")]
    pub fn send_blocking(self) -> Result<O::Output, Error> {
        super::background::run(self.send())?
    }

    /// Sends the call and waits for the typed answer with request id, headers and raw body.
    ///
    /// # Errors
    ///
    /// As [`Call::send`].
    pub async fn send_for_response(self) -> Result<Response<O::Output>, Error> {
        // By reference: each layer of futures would keep a copy.
        let encoded = match self.encoded {
            Ok(ref encoded) => Ok(encoded),
            Err(error) => Err(error),
        };
        let mut answer = Slot::<O>::new();
        let outcome = attempt::run_into(
            &self.pipeline,
            self.name,
            encoded,
            &self.options,
            &mut answer,
        );
        let outcome = outcome.await;
        answer.with(outcome)
    }
}

impl<O: Operation> fmt::Debug for Call<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.name)
            .field("execution_name", &self.execution_name())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
