//! Schedules: timers that start a flow, of the older kind of flows.

use super::deletes::DeleteResponse;
use crate::{
    alibaba::{
        declare::{DateTime, Utc, answer, operation},
        fates::{self, Found, made, parameter, same_text},
        protocol::Rpc,
    },
    error::Error,
    payload::Payload,
    pipeline::{
        operation::{Outcome, Sent},
        same::same_input,
    },
};

operation! {
    CreateScheduleRequest = "CreateSchedule" as create_schedule, POST "/", Repeatable, SHORT => Schedule;
    new {
        /// The flow that it starts.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// Name of the schedule, unique in the flow. A letter or `_`, then letters, digits, `_` and
        /// `-`, 1 to 128 characters.
        pub schedule_name: String = Parameter "ScheduleName" (Name),
        /// When it starts the flow: six fields, the first the seconds, such as `0 * * * * *`. Only
        /// the service checks it; the time zone is not documented.
        pub cron_expression: String = Parameter "CronExpression" (Filled),
    }
    with {
        /// What it is for.
        pub description: String = Parameter "Description",
        /// Whether it is on.
        pub enable: bool = Parameter "Enable",
    }
    json {
        /// What the flow is given: a JSON object.
        pub payload | payload_json: Payload = Parameter "Payload" (Object),
    }
    settle made_schedule;
}

operation! {
    DescribeScheduleRequest = "DescribeSchedule" as describe_schedule, GET "/", Repeatable, SHORT => Schedule;
    new {
        /// The flow that it starts.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// Name of the schedule.
        pub schedule_name: String = Parameter "ScheduleName" (Name),
    }
}

operation! {
    UpdateScheduleRequest = "UpdateSchedule" as update_schedule, POST "/", Repeatable, SHORT => Schedule;
    new {
        /// The flow that it starts.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// Name of the schedule.
        pub schedule_name: String = Parameter "ScheduleName" (Name),
        /// Whether it is on. Always sent: what the service would take for it is not documented.
        pub enable: bool = Parameter "Enable",
    }
    with {
        /// When it starts the flow: six fields, the first the seconds.
        pub cron_expression: String = Parameter "CronExpression" (Filled),
        /// What it is for.
        pub description: String = Parameter "Description",
    }
    json {
        /// What the flow is given: a JSON object.
        pub payload | payload_json: Payload = Parameter "Payload" (Object),
    }
}

operation! {
    DeleteScheduleRequest = "DeleteSchedule" as delete_schedule, POST "/", Repeatable, SHORT => DeleteResponse;
    new {
        /// The flow that it starts.
        pub flow_name: String = Parameter "FlowName" (Name),
        /// Name of the schedule.
        pub schedule_name: String = Parameter "ScheduleName" (Name),
    }
    settle fates::deleted;
}

operation! {
    /// One page of a flow's schedules.
    ListSchedulesRequest = "ListSchedules" as list_schedules, GET "/", Repeatable, SHORT => ListSchedulesResponse;
    new {
        /// The flow whose schedules are listed.
        pub flow_name: String = Parameter "FlowName" (Name),
    }
    with {
        /// How many schedules a page may have: 1 to 1,000; absent is 60.
        pub limit: u32 = Parameter "Limit" (Range(1, 1000)),
        /// Where the page begins, as the page before said it.
        pub next_token: String = Parameter "NextToken",
    }
}

answer! {
    /// A schedule of a flow: made, looked at, changed, listed. Serialises with the wire's names.
    Schedule {
        /// Its name.
        pub schedule_name: Option<String> = "ScheduleName",
        /// Its id.
        pub schedule_id: Option<String> = "ScheduleId",
        /// When it starts the flow.
        pub cron_expression: Option<String> = "CronExpression",
        /// What the flow is given.
        pub payload: Option<Payload> = "Payload",
        /// Whether it is on.
        pub enable: Option<bool> = "Enable",
        /// What it is for.
        pub description: Option<String> = "Description",
        /// When it was made.
        pub created_time: Option<DateTime<Utc>> = "CreatedTime",
        /// When it was changed last.
        pub last_modified_time: Option<DateTime<Utc>> = "LastModifiedTime",
    }
}

answer! {
    /// The answer of `ListSchedules`: one page. Serialises with the wire's names.
    ListSchedulesResponse {
        /// Where the next page begins; absent on the last.
        pub next_token: Option<String> = "NextToken",
        /// The schedules of this page.
        pub schedules: Vec<Schedule> = "Schedules",
    }
}

/// A schedule that nobody knows to be made is looked at.
async fn made_schedule(error: Error, sent: Sent<'_, Rpc>) -> Outcome<Schedule> {
    let [flow_name, name] = ["FlowName", "ScheduleName"].map(|name| parameter(&sent, name));
    let request = DescribeScheduleRequest::new(flow_name, name);
    made(error, &sent, sent.ask(request), |schedule, sent| {
        let payload = sent.wire.parameter("Payload").map(Payload::from_json);
        Found {
            created: schedule.created_time,
            is_same: same_text(schedule.cron_expression.as_deref(), sent, "CronExpression")
                && same_input(schedule.payload.as_ref(), payload.as_ref()) == Some(true),
        }
    })
    .await
}
