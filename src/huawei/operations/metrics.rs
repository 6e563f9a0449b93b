//! How often flows ran, and how they went.

use chrono::{DateTime, Utc};

use crate::huawei::declare::{operation, response};

operation! {
    /// Asks how the executions of one flow went.
    ShowWorkFlowMetricRequest = "ShowWorkFlowMetric",
        GET "/v2/{project_id}/fgs/workflow-statistic/{workflow_urn}", Repeatable, SHORT
        => WorkflowMetric;
    new {
        /// URN of the flow: 1 to 128 characters.
        pub workflow_urn: String = Path "workflow_urn" (Length(1, 128)),
    }
    with {
        /// How long a time one value stands for, in minutes.
        pub period: u32 = Query "period",
        /// From when on; sent in milliseconds.
        pub start_time: DateTime<Utc> = Query "start_time" (Millis),
        /// Until when; sent in milliseconds.
        pub end_time: DateTime<Utc> = Query "end_time" (Millis),
    }
}

operation! {
    /// Asks how the executions of all flows of the project went.
    ShowTenantMetricRequest = "ShowTenantMetric",
        GET "/v2/{project_id}/fgs/workflow-statistic", Repeatable, SHORT => WorkflowMetric;
    new {}
    with {
        /// How long a time one value stands for, in minutes.
        pub period: u32 = Query "period",
        /// From when on; sent in milliseconds.
        pub start_time: DateTime<Utc> = Query "start_time" (Millis),
        /// Until when; sent in milliseconds.
        pub end_time: DateTime<Utc> = Query "end_time" (Millis),
        /// Which values; what there are is not documented.
        pub metric_type: String = Query "metric_type",
    }
}

response! {
    /// The answer of `ShowWorkFlowMetric` and `ShowTenantMetric`. Serialises with the wire's names.
    WorkflowMetric {
        /// How many executions there were.
        pub count: Vec<SlaReportsValue> = "count",
        /// How long one took, in milliseconds, on average.
        pub duration: Vec<SlaReportsValue> = "duration",
        /// How many failed.
        pub fail_count: Vec<SlaReportsValue> = "fail_count",
        /// How many were running.
        pub running_count: Vec<SlaReportsValue> = "running_count",
    }
}

response! {
    /// A value at a time.
    SlaReportsValue {
        /// When, in milliseconds since 1970, UTC.
        pub timestamp: Option<i64> = "timestamp",
        /// What it was.
        pub value: Option<f64> = "value",
    }
}
