//! Which API a request is for.

use http::{Method, StatusCode};

#[cfg(feature = "alibaba")]
use super::alibaba;
use super::{State, record::RecordedRequest, reply::Reply};
#[cfg(feature = "huawei")]
use super::{
    form, huawei, projects, token,
    workflow_executions::{self, Asked},
};

/// How much of a request body is read, in bytes.
#[cfg(feature = "alibaba")]
pub(crate) const ALIBABA_LIMIT: usize = 1024 * 1024;
const LIMIT: usize = 12 * 1024 * 1024;

/// What serves a request.
pub(crate) enum Route {
    #[cfg(feature = "alibaba")]
    Alibaba,
    #[cfg(feature = "huawei")]
    Token,
    #[cfg(feature = "huawei")]
    Projects,
    /// Project and workflow id; `None` when one is not percent-encoded UTF-8.
    #[cfg(feature = "huawei")]
    SyncExecution(Option<(String, String)>),
    /// The same, and what is asked for.
    #[cfg(feature = "huawei")]
    WorkflowExecution(Option<(String, String)>, Asked),
    Nothing,
}

impl Route {
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        #[cfg(feature = "alibaba")]
        if path == "/" {
            return Self::Alibaba;
        }
        #[cfg(feature = "huawei")]
        if method == Method::GET && path == "/v3/projects" {
            return Self::Projects;
        }
        #[cfg(feature = "huawei")]
        if method == Method::POST {
            if path == "/v3/auth/tokens" {
                return Self::Token;
            }
            let segments: Vec<&str> = path.split('/').collect();
            if let [
                "",
                "v2",
                project,
                "fgs",
                "workflows",
                workflow,
                "sync-executions",
            ] = segments[..]
            {
                let ids = form::decode(project, false).zip(form::decode(workflow, false));
                return Self::SyncExecution(ids);
            }
        }
        #[cfg(feature = "huawei")]
        if let ["", "v2", project, "fgs", "workflows", workflow, rest @ ..] =
            &path.split('/').collect::<Vec<_>>()[..]
        {
            let decoded: Option<Vec<String>> = rest
                .iter()
                .map(|segment| form::decode(segment, false))
                .collect();
            let decoded = decoded.unwrap_or_default();
            let rest: Vec<&str> = decoded.iter().map(String::as_str).collect();
            if let Some(asked) = Asked::of(method, &rest) {
                let ids = form::decode(project, false).zip(form::decode(workflow, false));
                return Self::WorkflowExecution(ids, asked);
            }
        }
        let _ = (method, path);
        Self::Nothing
    }

    pub(crate) fn body_limit(&self) -> usize {
        match self {
            #[cfg(feature = "alibaba")]
            Self::Alibaba => ALIBABA_LIMIT,
            _ => LIMIT,
        }
    }

    /// The operation's name for records and faults.
    pub(crate) fn operation(&self, request: &RecordedRequest) -> String {
        match self {
            #[cfg(feature = "alibaba")]
            Self::Alibaba => alibaba::action(request),
            #[cfg(feature = "huawei")]
            Self::Token => "auth/tokens".to_owned(),
            #[cfg(feature = "huawei")]
            Self::Projects => "projects".to_owned(),
            #[cfg(feature = "huawei")]
            Self::SyncExecution(_) => "sync-executions".to_owned(),
            #[cfg(feature = "huawei")]
            Self::WorkflowExecution(_, asked) => asked.operation().to_owned(),
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
            Self::SyncExecution(ids) => huawei::handle(state, request, ids.as_ref()).await,
            #[cfg(feature = "huawei")]
            Self::WorkflowExecution(ids, asked) => {
                workflow_executions::handle(state, request, ids.as_ref(), asked)
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
