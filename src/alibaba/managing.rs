//! Flows as a program keeps them: deleted for certain, made where one was deleted a moment ago.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    client::Client,
    operations::flows::{CreateFlowRequest, DeleteFlowRequest, DescribeFlowRequest, Flow},
};
use crate::{
    error::{Delivery, Error, ErrorKind},
    pipeline::{clock::monotonic, limits::LONGEST},
};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Client {
    /// Deletes a flow and waits until it is gone: until `DescribeFlow` finds none of its name, or
    /// another one, which somebody made since.
    ///
    /// The service deletes after it has answered: executions that run end after their step, and
    /// their history cannot be read from then on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where there is no such flow to begin with; nothing is deleted then.
    /// [`ErrorKind::Deadline`] where it is still shown after `within`, though its deletion was
    /// accepted. Else as [`delete_flow`](Self::delete_flow) and
    /// [`describe_flow`](Self::describe_flow); one with [`Delivery::Accepted`] came after the
    /// deletion was.
    ///
    /// Source: Alibaba Cloud, CloudFlow, DeleteFlow and DescribeFlow. Rights: `fnf:DeleteFlow`,
    /// `fnf:DescribeFlow`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::Client;
    /// use std::time::Duration;
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// client.delete_flow_and_wait("orders", Duration::from_secs(60)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_flow_and_wait(
        &self,
        name: impl Into<String>,
        within: Duration,
    ) -> Result<(), Error> {
        let name = name.into();
        let look = || self.describe_flow(DescribeFlowRequest::new(&name)).send();
        let before = look().await?;
        match self.delete_flow(DeleteFlowRequest::new(&name)).send().await {
            Ok(_) => {}
            // Somebody else deleted it in between.
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
        let mut pauses = Pauses::within(within);
        loop {
            match look().await {
                Ok(now) if !is_same(&before, &now) => return Ok(()),
                Ok(_) => {}
                Err(error) if is_gone(&error) => return Ok(()),
                Err(error) if error.is_retryable() => {}
                Err(error) => {
                    let error = error.and("the flow's deletion was accepted");
                    return Err(error.with_delivery(Delivery::Accepted));
                }
            }
            if !pauses.pause().await {
                let words = "its deletion was accepted, but the flow is still there";
                return Err(Error::new(ErrorKind::Deadline, words)
                    .with_operation("DeleteFlow")
                    .with_delivery(Delivery::Accepted));
            }
        }
    }

    /// Makes a flow whose name may still be taken by one that was deleted a moment ago: as
    /// [`create_flow`](Self::create_flow), but an error that says that the name is taken is borne
    /// for so long.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] where the name is still taken after `within`; else as
    /// [`create_flow`](Self::create_flow).
    ///
    /// Source: Alibaba Cloud, CloudFlow, CreateFlow. Right: `fnf:CreateFlow`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, CreateFlowRequest};
    /// use std::time::Duration;
    ///
    /// # async fn example(client: Client, definition: String) -> Result<(), cloud_workflows::Error> {
    /// client.delete_flow_and_wait("orders", Duration::from_secs(60)).await?;
    /// let request = CreateFlowRequest::new("orders", definition, "");
    /// client.create_flow_after_delete(request, Duration::from_secs(60)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_flow_after_delete(
        &self,
        request: CreateFlowRequest,
        within: Duration,
    ) -> Result<Flow, Error> {
        let mut pauses = Pauses::within(within);
        loop {
            let error = match self.create_flow(request.clone()).send().await {
                Ok(flow) => return Ok(flow),
                Err(error) => error,
            };
            // After an answer that was lost, what is there may be this call's own.
            let is_taken =
                error.kind() == ErrorKind::AlreadyExists && error.delivery() == Delivery::Refused;
            if !is_taken || !pauses.pause().await {
                return Err(error);
            }
        }
    }
}

/// Pauses that grow, up to a limit of time.
struct Pauses {
    next: Duration,
    until: tokio::time::Instant,
}

impl Pauses {
    fn within(limit: Duration) -> Self {
        Self {
            next: FIRST_PAUSE,
            until: monotonic() + limit.min(LONGEST),
        }
    }

    /// Whether there was time for another one.
    async fn pause(&mut self) -> bool {
        let left = self.until.saturating_duration_since(monotonic());
        if left.is_zero() {
            return false;
        }
        sleep(self.next.min(left)).await;
        self.next = (self.next * 2).min(LONGEST_PAUSE);
        true
    }
}

fn is_gone(error: &Error) -> bool {
    let refusal = error.code().zip(error.status());
    refusal.is_some_and(|(code, status)| code.says_gone(status))
}

/// Whether two looks showed one flow: its id tells, or else when it was made.
fn is_same(before: &Flow, now: &Flow) -> bool {
    match (&before.id, &now.id) {
        (Some(before), Some(now)) => before == now,
        _ => before.created_time == now.created_time,
    }
}
