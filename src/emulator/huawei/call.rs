//! A call of Huawei Cloud's FunctionGraph, and what all its answers have in common.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use http::StatusCode;

use crate::emulator::{record::RecordedRequest, reply::Reply};

/// A call that may be answered: what its path names, and the rest.
pub(in crate::emulator) struct Call<'a> {
    pub(in crate::emulator) variables: &'a BTreeMap<&'static str, String>,
    pub(in crate::emulator) request: &'a RecordedRequest,
}

impl Call<'_> {
    pub(in crate::emulator) fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }
}

pub(crate) fn invalid(message: &str) -> Reply {
    Reply::flat_error(StatusCode::BAD_REQUEST, "FGS.3002", message)
}

pub(crate) fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
