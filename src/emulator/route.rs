//! Which API a request is for.

#[cfg(feature = "huawei")]
use std::collections::BTreeMap;

use http::{Method, StatusCode};

#[cfg(feature = "alibaba")]
use super::alibaba;
#[cfg(feature = "huawei")]
use super::{
    KeystoneCreateUserTokenByPassword, KeystoneListProjects, form, huawei, projects,
    served::named::Named as _, token,
};
use super::{State, record::RecordedRequest, reply::Reply};
use crate::pipeline::declared::Entry;

/// How much of a request body is read, in bytes, where no API has a limit of its own.
const LIMIT: usize = 12 * 1024 * 1024;

/// The names of all operations that are served; roles are taken on besides.
pub(crate) fn operations() -> Vec<&'static str> {
    let declared: &[&[&Entry]] = &[
        #[cfg(feature = "alibaba")]
        crate::alibaba::operations::ALL,
        #[cfg(feature = "huawei")]
        crate::huawei::operations::ALL,
    ];
    let others: &[&str] = &[
        #[cfg(feature = "huawei")]
        KeystoneCreateUserTokenByPassword::NAME,
        #[cfg(feature = "huawei")]
        KeystoneListProjects::NAME,
    ];
    let declared = declared.iter().copied().flatten().map(|entry| entry.name);
    declared.chain(others.iter().copied()).collect()
}

/// What serves a request.
pub(crate) enum Route {
    #[cfg(feature = "alibaba")]
    Alibaba,
    #[cfg(feature = "huawei")]
    Token,
    #[cfg(feature = "huawei")]
    Projects,
    /// A declared operation and the variables of its path; `None` when one is not percent-encoded
    /// UTF-8.
    #[cfg(feature = "huawei")]
    FunctionGraph(&'static Entry, Option<BTreeMap<&'static str, String>>),
    Nothing,
}

impl Route {
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        #[cfg(feature = "alibaba")]
        if path == "/" {
            return Self::Alibaba;
        }
        #[cfg(feature = "huawei")]
        match (method.as_str(), path) {
            ("GET", "/v3/projects") => return Self::Projects,
            ("POST", "/v3/auth/tokens") => return Self::Token,
            _ => {
                for entry in crate::huawei::operations::ALL {
                    if entry.method == method
                        && let Some(variables) = variables(entry.path, path)
                    {
                        return Self::FunctionGraph(entry, decoded(variables));
                    }
                }
            }
        }
        let _ = (method, path);
        Self::Nothing
    }

    pub(crate) fn body_limit(&self) -> usize {
        match self {
            #[cfg(feature = "alibaba")]
            Self::Alibaba => alibaba::BODY_LIMIT,
            _ => LIMIT,
        }
    }

    /// The operation's name for records and faults.
    pub(crate) fn operation(&self, request: &RecordedRequest) -> String {
        match self {
            #[cfg(feature = "alibaba")]
            Self::Alibaba => alibaba::action(request),
            #[cfg(feature = "huawei")]
            Self::Token => KeystoneCreateUserTokenByPassword::NAME.to_owned(),
            #[cfg(feature = "huawei")]
            Self::Projects => KeystoneListProjects::NAME.to_owned(),
            #[cfg(feature = "huawei")]
            Self::FunctionGraph(entry, _) => entry.name.to_owned(),
            Self::Nothing => request.path.clone(),
        }
    }

    /// Does what the request asks for. `whole` tells that its body was not too large.
    pub(crate) async fn handle(
        &self,
        state: &State,
        request: &RecordedRequest,
        whole: bool,
    ) -> Reply {
        match self {
            #[cfg(feature = "alibaba")]
            Self::Alibaba => alibaba::handle(state, request, whole).await,
            #[cfg(feature = "huawei")]
            _ if !whole => Reply::flat_error(
                StatusCode::PAYLOAD_TOO_LARGE,
                "APIGW.0201",
                "Request entity too large.",
            ),
            #[cfg(feature = "huawei")]
            Self::Token => token::handle(state, request),
            #[cfg(feature = "huawei")]
            Self::Projects => projects::handle(state, request),
            #[cfg(feature = "huawei")]
            Self::FunctionGraph(entry, variables) => {
                huawei::handle(state, request, entry, variables.as_ref()).await
            }
            Self::Nothing => {
                let _ = (state, request, whole);
                Reply::no_such_api()
            }
        }
    }

    /// An error in the shape of the API.
    pub(crate) fn error(
        &self,
        request: &RecordedRequest,
        status: StatusCode,
        code: &str,
        message: &str,
    ) -> Reply {
        match self {
            #[cfg(feature = "alibaba")]
            Self::Alibaba => alibaba::error(request, status, code, message),
            #[cfg(feature = "huawei")]
            Self::Token if code.bytes().all(|byte| byte.is_ascii_digit()) => {
                token::error(status, message)
            }
            _ => {
                let _ = request;
                Reply::flat_error(status, code, message)
            }
        }
    }
}

/// What stands in a path where its pattern has names in braces, if it fits the pattern.
#[cfg(feature = "huawei")]
fn variables<'a>(pattern: &'static str, path: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
    let mut found = Vec::new();
    let mut segments = path.split('/');
    for part in pattern.split('/') {
        let segment = segments.next()?;
        match part
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(name) => found.push((name, segment)),
            None if part == segment => {}
            None => return None,
        }
    }
    segments.next().is_none().then_some(found)
}

#[cfg(feature = "huawei")]
fn decoded(variables: Vec<(&'static str, &str)>) -> Option<BTreeMap<&'static str, String>> {
    let variables = variables.into_iter();
    variables
        .map(|(name, text)| Some((name, form::decode(text)?)))
        .collect()
}
