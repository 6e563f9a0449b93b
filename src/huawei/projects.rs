//! IAM: `GET /v3/projects`.

use std::borrow::Cow;

use percent_encoding::utf8_percent_encode;

use super::{
    credential::Credential,
    endpoint,
    protocol::{Rest, Wire},
};
use crate::{
    error::{Error, Lack},
    pipeline::{
        credential::Context,
        json::{self, Object, Raw},
        operation::{DecodeError, Encoded, Exchange, Replay, Timeouts},
        percent::RESERVED,
        read::Fault,
        transport::Reply,
    },
};

/// The id of the client's project by its name, which is the region's where it was told none,
/// asked for with this credential.
///
/// Source: Huawei Cloud, IAM, "Querying Project Information"; what none and several mean is as in
/// the official Python core 3.1.219.
pub(super) async fn by_name(credential: Credential, context: &Context) -> Result<String, Error> {
    let name = context.project_name().ok_or_else(no_project)?;
    let endpoint = endpoint::iam_for(context)?;
    let mut query = String::from("name=");
    query.extend(utf8_percent_encode(name, RESERVED));
    let is_key = matches!(credential, Credential::Key(_));
    let found = context.send(Rest::with(endpoint, credential), ListProjects(query));
    let found = found.await.map_err(|error| match is_key {
        true => error.may_lock(),
        false => error,
    })?;
    let is_meant = |project: &Project| project.name.as_deref().is_none_or(|its| its == name);
    let found: Vec<Project> = found.into_iter().filter(is_meant).collect();
    let count = found.len();
    let mut found = found.into_iter();
    let why = match (found.next(), found.next()) {
        (Some(project), None) => return Ok(project.id),
        (None, _) => format!("no project named {name}: set its id on the client"),
        (Some(_), Some(_)) => {
            format!("{count} projects named {name}: set the id of one on the client")
        }
    };
    let rule = format!("is missing, and the credential's account has {why}");
    // Projects are made while programs run.
    Err(Error::configuration("project_id", rule).with_lack(Lack::NotReady))
}

/// What a client lacks that knows its project neither by id nor by name.
pub(super) fn no_project() -> Error {
    Error::configuration(
        "project_id",
        "is missing, and so is the region whose name the default project bears",
    )
}

/// The query of the call.
struct ListProjects(String);

struct Project {
    id: String,
    name: Option<String>,
}

impl Exchange for ListProjects {
    type Protocol = Rest;
    type Answer = Vec<Project>;

    fn name(&self) -> Cow<'static, str> {
        "KeystoneListProjects".into()
    }

    fn encode(self) -> Result<Encoded<Wire>, Error> {
        Ok(Encoded {
            wire: Wire::get("/v3/projects", self.0),
            replay: Replay::Repeatable,
            limits: Timeouts::SHORT,
            subject: None,
        })
    }

    fn decode(reply: &Reply) -> Result<Vec<Project>, DecodeError> {
        let body = json::text(&reply.body);
        let answer = Object::read(&body).map_err(Fault::Json)?;
        let unreadable = || DecodeError::Unreadable("no list of projects".to_owned());
        let projects = answer.get("projects").and_then(Raw::items);
        let read = |project: Raw<'_>| {
            let project = project.object()?;
            Some(Project {
                id: project.text("id")?.into_owned(),
                name: project.text("name").map(Cow::into_owned),
            })
        };
        let projects = projects.ok_or_else(unreadable)?.into_iter().map(read);
        projects.collect::<Option<_>>().ok_or_else(unreadable)
    }
}
