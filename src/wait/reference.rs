//! Which execution is meant.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a program stores so as to find an execution again, after a restart as well.
///
/// ```
/// use cloud_workflows::ExecutionRef;
///
/// let stored = serde_json::to_string(&ExecutionRef::new("my_flow", "order-17")).unwrap();
/// let again: ExecutionRef = serde_json::from_str(&stored).unwrap();
/// assert_eq!(again.execution, "order-17");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExecutionRef {
    /// The flow: its name (Alibaba Cloud) or id (Huawei Cloud). Absent where only the execution's
    /// name is known: then the call has to know the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// The execution: its name (Alibaba Cloud) or id (Huawei Cloud).
    pub execution: String,
    /// When it began, as the service says. With it, another execution that bears the same name
    /// later is told from this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<DateTime<Utc>>,
}

impl ExecutionRef {
    /// This execution of this flow.
    pub fn new(flow: impl Into<String>, execution: impl Into<String>) -> Self {
        Self {
            flow: Some(flow.into()),
            ..Self::from(execution.into())
        }
    }

    /// Adds when it began, as the service says.
    #[must_use]
    pub fn started(mut self, time: DateTime<Utc>) -> Self {
        self.started = Some(time);
        self
    }
}

impl From<String> for ExecutionRef {
    fn from(execution: String) -> Self {
        Self {
            flow: None,
            execution,
            started: None,
        }
    }
}

impl From<&str> for ExecutionRef {
    fn from(execution: &str) -> Self {
        execution.to_owned().into()
    }
}
