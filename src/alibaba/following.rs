//! Following executions: what this cloud's looks, lists, stops and starts mean to those who wait.

mod lists;
mod looks;
mod map_runs;
mod polls;
mod reason;
mod starts;
mod stops;

pub use starts::Found;
pub use stops::Stop;

use polls::pacer;

use super::{
    client::Client,
    operations::{
        executions::{DescribeExecutionRequest, Execution, check_standard},
        starts::StartExecutionRequest,
    },
};
use crate::{
    error::Error,
    follow::Follower,
    pipeline::call::Call,
    wait::{ExecutionRef, Origin, Task, Wait},
};

impl Client {
    /// Waits for the end of an execution of a Standard flow.
    ///
    /// The answer is the execution as it ended; stopped, failed and timed out are answers too,
    /// which [`Execution::into_output`] makes errors. A failed one has its reason in `error_code`
    /// and `error_message`, read from the last failure events of its history; where they cannot be
    /// read they are absent.
    ///
    /// It has no limit of time and counts no attempts: a flow may run a year.
    /// [`Wait::deadline`] sets a limit. What cannot be answered for a while is borne. It looks by
    /// `DescribeExecution`, up to 60 s a look, in turns with the client's other waits; for more
    /// than fifty executions of one flow use [`Client::follow`].
    ///
    /// An [`ExecutionRef`] needs the flow's name here.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Deadline`](crate::ErrorKind::Deadline): the execution goes on.
    /// [`Gone`](crate::ErrorKind::Gone): it was there and is not any more.
    /// [`NotFound`](crate::ErrorKind::NotFound): there is no such execution. Final refusals of the
    /// service itself. [`InvalidRequest`](crate::ErrorKind::InvalidRequest), with nothing sent,
    /// for an execution of an Express flow, which cannot be looked at. None of them touches the
    /// execution.
    ///
    /// Rights: `fnf:DescribeExecution`; without `fnf:GetExecutionHistory` failures have no reason.
    /// Source: Alibaba Cloud, CloudFlow, DescribeExecution and GetExecutionHistory.
    ///
    /// ```no_run
    /// use cloud_workflows::{ExecutionRef, alibaba::Client};
    /// use std::time::Duration;
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let wait = client.wait(ExecutionRef::new("my_flow", "order-17"));
    /// let execution = wait.deadline(Duration::from_secs(3600)).await?;
    /// let output: serde_json::Value = execution.into_output()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait(&self, execution: impl Into<ExecutionRef>) -> Wait<Execution> {
        let execution = execution.into();
        match self.describable(&execution) {
            Ok(_) => self.wait_from(Origin::Resumed(execution)),
            Err(error) => Wait::failed(error),
        }
    }

    /// Starts an execution of a Standard flow and waits for its end.
    ///
    /// It starts as [`Client::start_or_find`], so a program that is run again with the same
    /// execution name and input waits for the same execution. Where the start's answer is lost, it
    /// is looked for by its name. After a start, the execution may be invisible for 10 s
    /// ([`Wait::visible_within`]).
    ///
    /// # Errors
    ///
    /// As [`Client::start_or_find`] and [`Client::wait`].
    /// [`may_have_started`](Error::may_have_started) says whether an execution may be running.
    ///
    /// Rights: `fnf:StartExecution`, `fnf:DescribeExecution`; without `fnf:GetExecutionHistory`
    /// failures have no reason. Source: Alibaba Cloud, CloudFlow, StartExecution and
    /// DescribeExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, StartExecutionRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = StartExecutionRequest::new("my_flow").execution_name("order-17");
    /// let output: serde_json::Value = client.start_and_wait(request).await?.into_output()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn start_and_wait(&self, request: StartExecutionRequest) -> Wait<Execution> {
        let flow = request.flow_name.clone();
        let call = Call::new(self.shared(), request);
        let key = call
            .execution_name()
            .map(|name| ExecutionRef::new(&flow, name));
        let (pipeline, known) = (self.shared().clone(), key.clone());
        let start = async move {
            let found = starts::start_or_find(&pipeline, call).await?;
            let execution = found.into_execution();
            let name = execution.name.or(known.map(|known| known.execution));
            let mut reference = ExecutionRef::new(flow, name.unwrap_or_default());
            reference.started = execution.started_time;
            Ok(reference)
        };
        self.wait_from(Origin::Start {
            start: Box::pin(start),
            key,
        })
    }

    /// Starts an execution of a Standard flow, or finds the one that bears its name: for programs
    /// that are run again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`](crate::ErrorKind::AlreadyExists) where the execution of that
    /// name has another input; nothing was started. Else as [`Client::start_execution`];
    /// [`may_have_started`](Error::may_have_started) says whether an execution may be running.
    ///
    /// With a `qualifier`, an execution that was found may be of another version: that is looked up,
    /// and its [`origin`](Execution::origin) says so; its `flow_definition` shows which.
    ///
    /// Rights: `fnf:StartExecution`; `fnf:DescribeExecution` for one that has ended; with a
    /// `qualifier`, `fnf:DescribeFlow` and `fnf:DescribeFlowAlias`.
    /// Source: Alibaba Cloud, CloudFlow, StartExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, Found, StartExecutionRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = StartExecutionRequest::new("my_flow").execution_name("order-17");
    /// match client.start_or_find(request).await? {
    ///     Found::Started(_) => println!("started"),
    ///     Found::Running(_) => println!("runs already"),
    ///     Found::Ended(execution) => println!("ended before: {}", execution.status),
    ///     _ => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn start_or_find(&self, request: StartExecutionRequest) -> Result<Found, Error> {
        starts::start_or_find(self.shared(), Call::new(self.shared(), request)).await
    }

    /// Asks for the stop of an execution of a Standard flow, which may go on for a while.
    ///
    /// Repeated whatever happened: a stopped execution is not stopped twice.
    ///
    /// # Errors
    ///
    /// As [`Client::stop_execution`], but for one that has ended: that is an answer.
    /// [`ErrorKind::AlreadyCompleted`](crate::ErrorKind::AlreadyCompleted) where it has ended and
    /// how could not be looked up.
    ///
    /// Rights: `fnf:StopExecution`; `fnf:DescribeExecution` for one that has ended.
    /// Source: Alibaba Cloud, CloudFlow, StopExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::{ExecutionRef, alibaba::{Client, Stop}};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// match client.stop(ExecutionRef::new("my_flow", "order-17")).await? {
    ///     Stop::Requested => println!("will stop"),
    ///     Stop::AlreadyEnded(status) => println!("had ended: {status}"),
    ///     _ => {}
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stop(&self, execution: impl Into<ExecutionRef>) -> Result<Stop, Error> {
        let request = self.describable(&execution.into())?;
        stops::stop(self.shared(), request).await
    }

    /// Stops an execution of a Standard flow and waits for its end: the answer says how it ended,
    /// `Succeeded` included.
    ///
    /// # Errors
    ///
    /// As [`Client::stop`] and [`Client::wait`].
    ///
    /// Rights: `fnf:StopExecution`, `fnf:DescribeExecution`.
    /// Source: Alibaba Cloud, CloudFlow, StopExecution and DescribeExecution.
    ///
    /// ```no_run
    /// use cloud_workflows::{ExecutionRef, alibaba::Client};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let ended = client.stop_and_wait(ExecutionRef::new("my_flow", "order-17")).await?;
    /// println!("{}", ended.status);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stop_and_wait(&self, execution: impl Into<ExecutionRef>) -> Wait<Execution> {
        let execution = execution.into();
        let request = match self.describable(&execution) {
            Ok(request) => request,
            Err(error) => return Wait::failed(error),
        };
        let pipeline = self.shared().clone();
        let stop = async move { stops::stop(&pipeline, request).await.map(drop) };
        self.wait_from(Origin::Resumed(execution)).after(stop)
    }

    /// Follows many executions of one Standard flow to their ends, by `ListExecutions`, which tells
    /// a hundred a call; what the list does not show is looked at by `DescribeExecution`.
    ///
    /// Ends come as they were listed, without the reason of a failure, unless
    /// [`with_reasons`](Follower::with_reasons) asks for it.
    ///
    /// Rights: `fnf:ListExecutions`, `fnf:DescribeExecution`; without the first, executions are
    /// looked at one by one. Source: Alibaba Cloud, CloudFlow, ListExecutions.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, StartExecutionRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let mut follower = client.follow("my_flow");
    /// for _ in 0..1_000 {
    ///     let request = StartExecutionRequest::new("my_flow");
    ///     let execution = client.start_execution(request).send().await?;
    ///     follower.add(execution.reference());
    /// }
    /// while let Some(end) = follower.next().await {
    ///     println!("{}: {}", end.execution.execution, end.outcome?.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn follow(&self, flow: impl Into<String>) -> Follower<Execution> {
        let pipeline = self.shared();
        let watch = looks::Looker::of_flow(pipeline, flow.into());
        Follower::new(
            watch,
            pacer(pipeline, "ListExecutions"),
            &pacer(pipeline, "DescribeExecution"),
        )
    }

    fn wait_from(&self, origin: Origin) -> Wait<Execution> {
        let pipeline = self.shared();
        let known = match &origin {
            Origin::Start { key, .. } => key.clone(),
            Origin::Started(execution)
            | Origin::Resumed(execution)
            | Origin::Again { execution, .. } => Some(execution.clone()),
        };
        let wait = Wait::new(Task {
            look: looks::Looker::new(pipeline),
            pacer: pacer(pipeline, "DescribeExecution"),
            origin,
            deadline: None,
            grace: None,
            before: None,
        });
        let pipeline = pipeline.clone();
        wait.then(move |execution, deadline| {
            Box::pin(reason::add(pipeline, known, execution, deadline))
        })
    }

    /// The request that looks at an execution, where it can be looked at at all.
    fn describable(&self, execution: &ExecutionRef) -> Result<DescribeExecutionRequest, Error> {
        let name = &execution.execution;
        check_standard(name)?;
        let flow = execution.flow.as_deref().ok_or_else(|| {
            Error::invalid(
                "flow",
                "is missing: executions have names within their flow",
            )
        })?;
        Ok(DescribeExecutionRequest::new(flow, name))
    }
}

impl Follower<Execution> {
    /// Tells why executions failed: a failed one is told when its reason was read, which stands in
    /// `error_code` and `error_message` as after [`Client::wait`]. The others are not held up.
    ///
    /// Reasons come at the pace of `GetExecutionHistory`: 45 at once, then four or five a second.
    /// Where one cannot be read, it is absent.
    ///
    /// Right: `fnf:GetExecutionHistory`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::Client;
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let mut follower = client.follow("my_flow").with_reasons();
    /// # follower.add("order-17");
    /// while let Some(end) = follower.next().await {
    ///     let ended = end.outcome?;
    ///     println!("{}: {:?}", ended.status, ended.error_code);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_reasons(self) -> Self {
        self.completed()
    }
}

impl Execution {
    /// What a program stores so as to find this execution again.
    pub fn reference(&self) -> ExecutionRef {
        ExecutionRef {
            flow: self.flow_name.clone(),
            execution: self.name.clone().unwrap_or_default(),
            started: self.started_time,
        }
    }
}
