//! Moving from the vendors' Python and Node SDKs.
//!
//! # Call by call: Alibaba Cloud
//!
//! Python: `alibabacloud_fnf20190315` (2.0.1), and `client.start_execution(request)`. Node:
//! `@alicloud/pop-core` (1.8.0), and `client.request('StartExecution', parameters)`. Names of
//! parameters are the vendor's, in Rust's case.
//!
//! | Python | Node | here |
//! |---|---|---|
//! | `Client(Config(access_key_id=.., access_key_secret=..))` | `new RPCClient({accessKeyId, ..})` | [`Client::builder`](alibaba::Client::builder), or [`from_env`](alibaba::Client::from_env) for the default chain |
//! | `start_execution` | `'StartExecution'` | [`start_execution`](alibaba::Client::start_execution) |
//! | `start_sync_execution` | `'StartSyncExecution'` | [`start_sync_execution`](alibaba::Client::start_sync_execution) |
//! | `describe_execution` | `'DescribeExecution'` | [`describe_execution`](alibaba::Client::describe_execution) |
//! | a loop of `describe_execution` | the same | [`wait`](alibaba::Client::wait), [`start_and_wait`](alibaba::Client::start_and_wait) |
//! | `list_executions` | `'ListExecutions'` | [`list_executions`](alibaba::Client::list_executions) |
//! | a loop with `next_token` | the same | [`items`](crate::Call#method.items) |
//! | `get_execution_history` | `'GetExecutionHistory'` | [`get_execution_history`](alibaba::Client::get_execution_history) |
//! | `stop_execution` | `'StopExecution'` | [`stop_execution`](alibaba::Client::stop_execution), [`stop`](alibaba::Client::stop) |
//! | `report_task_succeeded` | `'ReportTaskSucceeded'` | [`report_task_succeeded`](alibaba::Client::report_task_succeeded) |
//! | `report_task_failed` | `'ReportTaskFailed'` | [`report_task_failed`](alibaba::Client::report_task_failed) |
//! | `input=json.dumps(value)` | `Input: JSON.stringify(value)` | `.input(value)`; for JSON text as it is `.input_json(text)` |
//! | `json.loads(answer.body.output)` | `JSON.parse(answer.Output)` | `answer.into_output::<T>()?` |
//!
//! ```python
//! request = models.StartSyncExecutionRequest(flow_name='price', input=json.dumps({'count': 3}))
//! answer = client.start_sync_execution(request).body
//! if answer.status == 'Succeeded':
//!     price = json.loads(answer.output)
//! ```
//!
//! ```no_run
//! # use cloud_workflows::{Error, alibaba::{Client, StartSyncExecutionRequest}};
//! # use serde_json::{Value, json};
//! # async fn example(client: Client) -> Result<(), Error> {
//! let request = StartSyncExecutionRequest::new("price").input(json!({"count": 3}));
//! let price: Value = client.start_sync_execution(request).send().await?.into_output()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Call by call: Huawei Cloud
//!
//! Python: `huaweicloudsdkfunctiongraph` (3.1.219). Node: `@huaweicloud/huaweicloud-sdk-functiongraph`,
//! with the same names in its case (`startSyncWorkflowExecution`).
//!
//! | Python | here |
//! |---|---|
//! | `BasicCredentials(ak, sk, project_id)` | [`AccessKey::new(ak, sk)`](huawei::AccessKey), [`project_id`](huawei::ClientBuilder::project_id) |
//! | a token in `X-Auth-Token`, by hand | [`IamPassword`](huawei::IamPassword), [`Token`](huawei::Token) |
//! | `start_sync_workflow_execution` | [`start_sync_workflow_execution`](huawei::Client::start_sync_workflow_execution) |
//! | `start_workflow_execution` | [`start_workflow_execution`](huawei::Client::start_workflow_execution) |
//! | `show_workflow_execution` | [`show_workflow_execution`](huawei::Client::show_workflow_execution) |
//! | a loop of `show_workflow_execution` | [`wait`](huawei::Client::wait), [`start_and_wait`](huawei::Client::start_and_wait) |
//! | `list_workflow_executions` | [`list_workflow_executions`](huawei::Client::list_workflow_executions) |
//! | `show_workflow_execution_for_page` | [`show_workflow_execution_for_page`](huawei::Client::show_workflow_execution_for_page) |
//! | a loop with `offset` | [`items`](crate::Call#method.items) |
//! | `stop_work_flow` | [`stop_work_flow`](huawei::Client::stop_work_flow), [`stop`](huawei::Client::stop) |
//! | `retry_work_flow` | [`retry_work_flow`](huawei::Client::retry_work_flow), [`retry_and_wait`](huawei::Client::retry_and_wait) |
//! | `create_callback_workflow` | [`create_callback_workflow`](huawei::Client::create_callback_workflow) |
//!
//! # What is different
//!
//! | | their SDKs, as measured on loopback | here |
//! |---|---|---|
//! | how long a synchronous start may take | 3 to 120 s: see below | 310 s an attempt: the service's five minutes |
//! | execution name | none unless you give one, so after a lost answer there is nothing to look for | made before the first byte of a `StartExecution` |
//! | a start whose answer is lost | an exception like any other | [`may_have_started`](crate::Error::may_have_started) |
//! | a flow that failed | a status to look at | the same, and an error from `into_output` |
//! | a region that the SDK does not know | Huawei Cloud: refused | any region |
//!
//! As they come, without a setting, on loopback: a synchronous start of a flow that takes 200 s; and what
//! is made of the page of a proxy in between, sent with 200 (`tests/interop/cut_calls.py`, 2026-11-29).
//!
//! | client | ends after | with | the page is |
//! |---|---|---|---|
//! | `alibabacloud_fnf20190315` 2.0.1 (Python) | 10.2 s | "Read timed out" | an error |
//! | `aliyun-python-sdk-core` 2.16.1 (Python) | 10.1 s | "Read timed out" | an error |
//! | `@alicloud/pop-core` 1.8.0 (Node) | 3 s, and Node's start | "ReadTimeout(3000)" | an error |
//! | `huaweicloudsdkfunctiongraph` 3.1.219 (Python) | 120.2 s | "Read timed out" | an answer, every field empty |
//! | `@huaweicloud/huaweicloud-sdk-functiongraph` 3.1.211 (Node) | 201.8 s | the answer | an answer, `{}` |
//! | this crate, Alibaba Cloud | 200.1 s | the answer | an error: the flow may have started |
//! | this crate, Huawei Cloud | 200.2 s | the answer | an error: the flow may have started |
//!
//! Variables and files are those of the vendors' tools: see [`credentials`](super::credentials). What
//! a Python `except` did is in [`errors`](super::errors).

#[cfg(all(doc, feature = "alibaba", feature = "huawei"))]
use crate::{alibaba, huawei};
