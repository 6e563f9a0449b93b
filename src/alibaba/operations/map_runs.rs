//! Runs of distributed maps: one step that starts an execution for each of many items.

use crate::{
    alibaba::declare::{DateTime, Utc, answer, operation, response},
    open_enum::open_enum,
};

open_enum! {
    /// How far the run of a map is. Ended are `Failed`, `Succeeded` and `Aborted`.
    MapRunStatus {
        /// About to run.
        Pending = "Pending",
        /// Running.
        Running = "Running",
        /// Ended badly: more items failed than may.
        Failed = "Failed",
        /// Ended well, though items may have failed: see [`MapRun::is_clean`].
        Succeeded = "Succeeded",
        /// Ended from outside.
        Aborted = "Aborted",
    }
}

impl MapRunStatus {
    /// Whether the run has ended, well or badly.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Failed | Self::Succeeded | Self::Aborted)
    }
}

operation! {
    DescribeMapRunRequest = "DescribeMapRun" as describe_map_run, GET "/", Repeatable, SHORT => MapRun;
    new {
        /// The flow.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// The execution in which the map runs.
        pub execution_name: String = Parameter "ExecutionName" (Filled),
        /// Name of the run, as the execution's event `MapRunStarted` tells it.
        pub map_run_name: String = Parameter "MapRunName" (Filled),
    }
}

operation! {
    /// Changes how a map goes on. It is sent as a `GET`, which changes nothing of that.
    UpdateMapRunRequest = "UpdateMapRun" as update_map_run, GET "/", Repeatable, SHORT => UpdateMapRunResponse;
    new {
        /// The flow.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// The execution in which the map runs.
        pub execution_name: String = Parameter "ExecutionName" (Filled),
        /// Name of the run, as the execution's event `MapRunStarted` tells it.
        pub map_run_name: String = Parameter "MapRunName" (Filled),
    }
    with {
        /// How many items may run at once.
        pub concurrency: i64 = Parameter "Concurrency",
        /// How many items may fail.
        pub tolerated_failed_count: i64 = Parameter "ToleratedFailedCount",
        /// How many of a hundred items may fail: 0 to 100.
        pub tolerated_failed_percentage: f64 = Parameter "ToleratedFailedPercentage" (Range(0, 100)),
    }
}

answer! {
    /// The answer of `DescribeMapRun`: the run of a map. Serialises with the wire's names.
    MapRun {
        /// Its name.
        pub map_run_name: Option<String> = "MapRunName",
        /// The execution in which it runs.
        pub execution_name: Option<String> = "ExecutionName",
        /// How far it is.
        pub status: MapRunStatus = "Status",
        /// How many items are how far.
        pub item_counts: Option<ItemCounts> = "ItemCounts",
        /// How many items may run at once.
        pub concurrency: Option<i64> = "Concurrency",
        /// How many items may fail.
        pub tolerated_failed_count: Option<i64> = "ToleratedFailedCount",
        /// How many of a hundred items may fail.
        pub tolerated_failed_percentage: Option<f64> = "ToleratedFailedPercentage",
        /// When it began.
        pub started_time: Option<DateTime<Utc>> = "StartedTime",
        /// When it ended.
        pub stopped_time: Option<DateTime<Utc>> = "StoppedTime",
    }
}

impl MapRun {
    /// Whether it succeeded and no item failed or was aborted: a map that tolerates failures
    /// succeeds in spite of them. Without counts nobody knows, and it is not clean.
    pub fn is_clean(&self) -> bool {
        let counts = self.item_counts.as_ref();
        let is_whole = counts.is_some_and(|counts| {
            counts.failed.unwrap_or_default() == 0 && counts.aborted.unwrap_or_default() == 0
        });
        self.status == MapRunStatus::Succeeded && is_whole
    }
}

response! {
    /// How many items of a map are how far.
    ItemCounts {
        /// All.
        pub total: Option<i64> = "Total",
        /// Not yet begun.
        pub pending: Option<i64> = "Pending",
        /// Running.
        pub running: Option<i64> = "Running",
        /// Ended well.
        pub succeeded: Option<i64> = "Succeed",
        /// Ended badly.
        pub failed: Option<i64> = "Failed",
        /// Ended from outside, or never begun.
        pub aborted: Option<i64> = "Aborted",
    }
}

answer! {
    /// The answer of `UpdateMapRun`: how the map goes on. Serialises with the wire's names.
    UpdateMapRunResponse {
        /// The flow.
        pub flow_name: Option<String> = "FlowName",
        /// The execution in which it runs.
        pub execution_name: Option<String> = "ExecutionName",
        /// Name of the run.
        pub map_run_name: Option<String> = "MapRunName",
        /// How many items may run at once.
        pub concurrency: Option<i64> = "Concurrency",
        /// How many items may fail.
        pub tolerated_failed_count: Option<i64> = "ToleratedFailedCount",
        /// How many of a hundred items may fail.
        pub tolerated_failed_percentage: Option<f64> = "ToleratedFailedPercentage",
    }
}
