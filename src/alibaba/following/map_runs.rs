//! Waiting for the runs of maps.

use std::time::Duration;

use super::polls::{Shared, pacer, poll};
use crate::{
    alibaba::{
        client::Client,
        operations::map_runs::{DescribeMapRunRequest, MapRun, MapRunStatus},
    },
    error::Error,
    pipeline::credential::BoxFuture,
    wait::{Class, ExecutionRef, Look, Origin, Task, View, Wait},
};

impl Client {
    /// Waits for the end of a run of a map.
    ///
    /// The answer is the run as it ended, whether `Succeeded`, `Failed` or `Aborted`; a map that
    /// tolerates failures succeeds in spite of them, which [`MapRun::is_clean`] tells. It has no
    /// limit of time ([`Wait::deadline`] sets one), bears what cannot be answered for a while, and
    /// looks by `DescribeMapRun` in turns with the client's other calls. A map that has not begun
    /// yet is not there: [`Wait::visible_within`] says how long to bear that.
    ///
    /// # Errors
    ///
    /// As [`Client::wait`]; they name the execution. None of them touches it.
    ///
    /// Source: Alibaba Cloud, CloudFlow, DescribeMapRun. Right: `fnf:DescribeMapRun`.
    ///
    /// ```no_run
    /// use cloud_workflows::alibaba::{Client, DescribeMapRunRequest};
    ///
    /// # async fn example(client: Client) -> Result<(), cloud_workflows::Error> {
    /// let request = DescribeMapRunRequest::new("orders", "order-17", "map-1");
    /// let run = client.wait_map_run(request).await?;
    /// if !run.is_clean() {
    ///     println!("{}: {:?}", run.status, run.item_counts);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait_map_run(&self, request: DescribeMapRunRequest) -> Wait<MapRun> {
        let execution = ExecutionRef::new(&request.flow_name, &request.execution_name);
        let pipeline = self.shared();
        Wait::new(Task {
            pacer: pacer(pipeline, MapRunLooks::OPERATION),
            look: MapRunLooks {
                pipeline: pipeline.clone(),
                request,
            },
            origin: Origin::Resumed(execution),
            deadline: None,
            grace: None,
            before: None,
        })
    }
}

/// Looks at one run of a map.
struct MapRunLooks {
    pipeline: Shared,
    request: DescribeMapRunRequest,
}

impl Look for MapRunLooks {
    type Answer = MapRun;

    const OPERATION: &'static str = "DescribeMapRun";
    const RIGHT: &'static str = "fnf:DescribeMapRun";
    const LONGEST_HOLD: Duration = Duration::ZERO;
    const ABSENCE: &'static str = ", or no such map run in it";

    fn look(&self, _: &ExecutionRef, _: Duration) -> BoxFuture<'static, Result<MapRun, Error>> {
        let (pipeline, request) = (self.pipeline.clone(), self.request.clone());
        Box::pin(async move { poll(&pipeline, request, Duration::ZERO).await })
    }

    fn view(run: &MapRun) -> View {
        View {
            status: run.status.as_str().to_owned(),
            class: match &run.status {
                MapRunStatus::Succeeded => Class::Succeeded,
                MapRunStatus::Failed | MapRunStatus::Aborted => Class::Ended,
                MapRunStatus::Pending | MapRunStatus::Running => Class::Going,
                MapRunStatus::Unknown(_) => Class::Unknown,
            },
            started: run.started_time,
            stopped: run.stopped_time,
            updated: None,
            nodes: None,
            // Its items have outputs, it has none.
            has_output: true,
            bytes: 0,
        }
    }
}
