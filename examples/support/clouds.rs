//! What a bulk run needs of a cloud.

use std::future::Future;

use cloud_workflows::{
    Error, ErrorKind, ExecutionRef, Followed, Follower, Payload,
    alibaba::{self, ExecutionStatus, Found, StartExecutionRequest},
    huawei::{
        self, ShowWorkflowExecutionRequest, StartWorkflowExecutionRequest, WorkflowExecution,
        WorkflowExecutionBrief,
    },
};
use serde::de::IgnoredAny;

use super::{
    lines::digits,
    results::{Fault, REFUSED, UNKNOWN},
};

/// How a line came out.
#[derive(Debug, Default)]
pub struct Ending {
    /// As in the results file.
    pub status: String,
    pub output: Option<Payload>,
    pub fault: Option<Fault>,
    pub request_id: Option<String>,
    pub may_have_started: bool,
    /// The other lines would come out likewise.
    pub is_for_all: bool,
}

impl Ending {
    /// There is no end to be told. `is_started`: it was started all the same.
    pub fn of_error(error: &Error, is_started: bool) -> Self {
        let may_have_started = is_started || error.may_have_started();
        let kind = format!("{:?}", error.kind());
        let code = error.code().map_or(kind, |code| code.as_str().to_owned());
        Self {
            status: if may_have_started { UNKNOWN } else { REFUSED }.to_owned(),
            fault: Some(Fault {
                code: Some(code),
                message: Some(error.message().to_owned()),
            }),
            request_id: error.request_id().map(str::to_owned),
            may_have_started,
            is_for_all: false,
            output: None,
        }
    }
}

/// What the beginning of a line came to.
pub enum Begun {
    Runs(ExecutionRef),
    Ended(Box<Ending>),
}

/// What is to be done with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Start,
    /// It may have been started by a run before.
    Resume,
    /// It may run; it is not to.
    Stop,
}

pub trait Cloud: Clone + Send + Sync + 'static {
    /// What the follower tells of an end.
    type End: Send + 'static;

    /// How many starts may be under way together. As many may be of unknown fate after a crash.
    const STARTS: usize;

    fn follower(&self) -> Follower<Self::End>;

    /// The execution of this name or id, for followers and stops.
    fn execution(&self, name: &str, id: Option<&str>) -> ExecutionRef;

    fn begin(&self, name: String, input: String) -> impl Future<Output = Begun> + Send;

    /// Goes on with a line whose start was about to be sent: starts it only where that cannot be
    /// a second start.
    fn resume(&self, name: String, input: String) -> impl Future<Output = Begun> + Send;

    /// Stops an execution; `is_started` where the service said that it was started.
    fn stop(&self, execution: ExecutionRef, is_started: bool)
    -> impl Future<Output = Begun> + Send;

    fn end(&self, end: Followed<Self::End>) -> impl Future<Output = Ending> + Send;
}

fn failed(error: &Error, is_started: bool) -> Begun {
    Begun::Ended(Box::new(Ending::of_error(error, is_started)))
}

/// A line that could not be begun, perhaps for a reason that all lines share.
fn not_begun(error: &Error, is_started: bool) -> Begun {
    let is_for_all = matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::Unauthenticated
            | ErrorKind::Credentials
            | ErrorKind::Configuration
            | ErrorKind::NotFound
            | ErrorKind::Connect
    );
    Begun::Ended(Box::new(Ending {
        is_for_all,
        ..Ending::of_error(error, is_started)
    }))
}

/// A flow of Alibaba Cloud, of mode Standard.
#[derive(Clone)]
pub struct Alibaba {
    pub client: alibaba::Client,
    pub flow: String,
}

impl Alibaba {
    /// Starts or finds; `may_be_there`: a run before may have started it.
    async fn start(&self, name: String, input: String, may_be_there: bool) -> Begun {
        let request = StartExecutionRequest::new(&self.flow)
            .execution_name(name)
            .input_json(input);
        match self.client.start_or_find(request).await {
            Ok(Found::Ended(execution)) if execution.status == ExecutionStatus::Succeeded => {
                Begun::Ended(Box::new(Self::ending(execution)))
            }
            // The follower also tells why one failed.
            Ok(found) => Begun::Runs(found.into_execution().reference()),
            Err(error) => not_begun(&error, may_be_there),
        }
    }

    fn ending(execution: alibaba::Execution) -> Ending {
        let text =
            |text: Option<cloud_workflows::FlowText>| text.map(|text| text.as_str().to_owned());
        let fault = (execution.status != ExecutionStatus::Succeeded).then(|| Fault {
            code: text(execution.error_code),
            message: text(execution.error_message),
        });
        Ending {
            status: execution.status.as_str().to_owned(),
            output: execution.output,
            fault,
            request_id: execution.request_id,
            may_have_started: true,
            is_for_all: false,
        }
    }
}

impl Cloud for Alibaba {
    type End = alibaba::Execution;

    const STARTS: usize = 100;

    fn follower(&self) -> Follower<Self::End> {
        self.client.follow(&self.flow).with_reasons()
    }

    fn execution(&self, name: &str, _: Option<&str>) -> ExecutionRef {
        ExecutionRef::new(&self.flow, name)
    }

    async fn begin(&self, name: String, input: String) -> Begun {
        self.start(name, input, false).await
    }

    async fn resume(&self, name: String, input: String) -> Begun {
        self.start(name, input, true).await
    }

    async fn stop(&self, execution: ExecutionRef, is_started: bool) -> Begun {
        match self.client.stop(execution.clone()).await {
            Ok(_) => Begun::Runs(execution),
            Err(error) => failed(&error, is_started || error.kind() != ErrorKind::NotFound),
        }
    }

    async fn end(&self, end: Followed<Self::End>) -> Ending {
        match end.outcome {
            Ok(execution) => Self::ending(execution),
            Err(error) => Ending::of_error(&error, true),
        }
    }
}

/// A flow of Huawei Cloud, of mode NORMAL.
#[derive(Clone)]
pub struct Huawei {
    pub client: huawei::Client,
    pub flow: String,
}

impl Huawei {
    async fn show(&self, id: &str) -> Result<WorkflowExecution, Error> {
        let request = ShowWorkflowExecutionRequest::new(&self.flow, id);
        let shown = self.client.show_workflow_execution(request).send().await?;
        Ok(shown)
    }
}

impl Cloud for Huawei {
    type End = WorkflowExecutionBrief;

    const STARTS: usize = 8;

    fn follower(&self) -> Follower<Self::End> {
        self.client.follow(&self.flow)
    }

    fn execution(&self, name: &str, id: Option<&str>) -> ExecutionRef {
        let id = id.map_or_else(|| digits(name), str::to_owned);
        ExecutionRef::new(&self.flow, id)
    }

    async fn begin(&self, name: String, input: String) -> Begun {
        // No key that makes a second start harmless, but an id by which to look for the first.
        let request = StartWorkflowExecutionRequest::new(&self.flow)
            .workflow_run_id(digits(&name))
            .input_json(input);
        match self.client.start_workflow_execution(request).send().await {
            Ok(started) => Begun::Runs(self.execution(&name, Some(&started.execution_id))),
            Err(error) => not_begun(&error, false),
        }
    }

    async fn resume(&self, name: String, _: String) -> Begun {
        let execution = self.execution(&name, None);
        match self.show(&execution.execution).await {
            Ok(_) => Begun::Runs(execution),
            // That it is not there settles nothing: the id need not be the execution's.
            Err(error) => failed(&error, true),
        }
    }

    async fn stop(&self, execution: ExecutionRef, _: bool) -> Begun {
        match self.client.stop(execution.clone()).await {
            Ok(_) => Begun::Runs(execution),
            Err(error) => failed(&error, true),
        }
    }

    async fn end(&self, end: Followed<Self::End>) -> Ending {
        // The list tells neither output nor reason.
        let shown = match end.outcome {
            Ok(_) => self.show(&end.execution.execution).await,
            Err(error) => Err(error),
        };
        let shown = match shown {
            Ok(shown) => shown,
            Err(error) => return Ending::of_error(&error, true),
        };
        let (status, output) = (shown.status.as_str().to_owned(), shown.output.clone());
        let error = shown.into_output::<IgnoredAny>().err();
        let text = |text: Option<&str>| text.map(str::to_owned);
        Ending {
            status,
            output,
            fault: error.as_ref().map(|error| Fault {
                code: text(error.flow_failure().and_then(|failure| failure.code())),
                message: text(error.flow_failure().and_then(|failure| failure.message())),
            }),
            request_id: error.and_then(|error| text(error.request_id())),
            may_have_started: true,
            is_for_all: false,
        }
    }
}
