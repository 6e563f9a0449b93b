//! Deploys a flow of Alibaba Cloud, one step at a time.

use cloud_workflows::{
    Error, ErrorKind,
    alibaba::{
        Client, CreateFlowAliasRequest, CreateFlowRequest, DescribeFlowAliasRequest,
        DescribeFlowRequest, ExecutionMode, Flow, PublishFlowVersionRequest, RoutingConfiguration,
        UpdateFlowAliasRequest, UpdateFlowRequest,
    },
};
use serde_json::Value;

use super::definition::{meaning, name};

/// What is to be deployed.
pub struct Wanted {
    pub flow: String,
    pub text: String,
    pub alias: String,
    pub mode: Option<ExecutionMode>,
    pub replace_routes: bool,
}

/// Why a deploy stopped: at which step, and what was done before it.
#[derive(Debug)]
pub struct Stopped {
    pub message: String,
    /// The call's error, where a call failed.
    pub error: Option<Error>,
}

pub struct Deploy {
    client: Client,
    wanted: Wanted,
    meaning: Value,
    next: Next,
    flow: Option<Flow>,
    /// Where the alias leads; none where there is no alias.
    routes: Option<Vec<RoutingConfiguration>>,
    version: String,
    pub done: Vec<String>,
}

#[derive(Clone, Copy)]
enum Next {
    LookAtFlow,
    LookAtAlias,
    LookAtVersion,
    Write,
    LookAtWritten,
    Publish,
    LookAtPublished,
    LookAgain,
    Move,
    LookLast,
}

impl Deploy {
    /// Refuses what is not a definition of the flow.
    pub fn new(client: Client, wanted: Wanted) -> Result<Self, String> {
        let meaning = meaning(&wanted.text)?;
        if let Some(said) = name(&meaning).filter(|said| *said != wanted.flow) {
            return Err(format!(
                "the definition is of {said}, not of {}",
                wanted.flow
            ));
        }
        Ok(Self {
            client,
            wanted,
            meaning,
            next: Next::LookAtFlow,
            flow: None,
            routes: None,
            version: String::new(),
            done: Vec::new(),
        })
    }

    fn stop(&self, what: &str, error: Option<Error>) -> Stopped {
        let done = match self.done.is_empty() {
            true => "nothing was changed".to_owned(),
            false => format!("done before: {}", self.done.join("; ")),
        };
        let message = match &error {
            Some(error) => {
                let action = error.operation().unwrap_or_default();
                format!("{what} (fnf:{action}): {error}; {done}")
            }
            None => format!("{what}; {done}"),
        };
        Stopped { message, error }
    }

    fn is_ours(&self, flow: &Flow) -> bool {
        let text = flow.definition.as_deref().unwrap_or_default();
        meaning(text).is_ok_and(|theirs| theirs == self.meaning)
    }

    async fn alias(&mut self) -> Result<(), Stopped> {
        let request = DescribeFlowAliasRequest::new(&self.wanted.flow, &self.wanted.alias);
        self.routes = match self.client.describe_flow_alias(request).send().await {
            Ok(shown) => Some(shown.alias.routing_configurations),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(self.stop("look at the alias", Some(error))),
        };
        let routes = self.routes.as_deref().unwrap_or_default();
        match routes.len() > 1 && !self.wanted.replace_routes {
            true => Err(self.stop(&format!("the alias has two routes: {routes:?}"), None)),
            false => Ok(()),
        }
    }

    async fn look(&self, version: Option<&str>, what: &str) -> Result<Flow, Stopped> {
        let request = DescribeFlowRequest::new(&self.wanted.flow).flow_version(version);
        let shown = self.client.describe_flow(request).send().await;
        shown.map_err(|error| self.stop(what, Some(error)))
    }

    /// Makes the next call; `true` when the alias was seen on the deploy's own version.
    pub async fn step(&mut self) -> Result<bool, Stopped> {
        let (client, wanted) = (self.client.clone(), &self.wanted);
        self.next = match self.next {
            Next::LookAtFlow => {
                let request = DescribeFlowRequest::new(&wanted.flow);
                match client.describe_flow(request).send().await {
                    Ok(flow) => self.flow = Some(flow),
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(self.stop("look at the flow", Some(error))),
                }
                let is = self
                    .flow
                    .as_ref()
                    .and_then(|flow| flow.execution_mode.clone());
                if let (Some(is), Some(wanted)) = (is, &wanted.mode)
                    && is != *wanted
                {
                    return Err(
                        self.stop("the flow is of another mode, which cannot be changed", None)
                    );
                }
                match self.flow {
                    Some(_) => Next::LookAtAlias,
                    None => Next::Write,
                }
            }
            Next::LookAtAlias => {
                self.alias().await?;
                match self.routes.as_deref() {
                    Some([only]) => {
                        self.version = only.version.clone();
                        Next::LookAtVersion
                    }
                    _ => Next::Write,
                }
            }
            Next::LookAtVersion => {
                let flow = self
                    .look(Some(&self.version), "look at the alias's version")
                    .await?;
                if self.is_ours(&flow) && self.flow.as_ref().is_some_and(|flow| self.is_ours(flow))
                {
                    return Ok(true);
                }
                Next::Write
            }
            Next::Write => {
                match &self.flow {
                    None => {
                        let request = CreateFlowRequest::new(&wanted.flow, &wanted.text, "")
                            .execution_mode(wanted.mode.clone());
                        let made = client.create_flow(request).send().await;
                        made.map_err(|error| self.stop("make the flow", Some(error)))?;
                        self.done.push(format!("made flow {}", self.wanted.flow));
                    }
                    Some(flow) if self.is_ours(flow) => {}
                    Some(_) => {
                        let request = UpdateFlowRequest::new(&wanted.flow).definition(&wanted.text);
                        let changed = client.update_flow(request).send().await;
                        changed.map_err(|error| self.stop("change the flow", Some(error)))?;
                        self.done.push("changed the definition".to_owned());
                    }
                }
                Next::LookAtWritten
            }
            Next::LookAtWritten => {
                let flow = self.look(None, "look at what was written").await?;
                if !self.is_ours(&flow) {
                    return Err(self.stop("the flow's definition is another's", None));
                }
                Next::Publish
            }
            Next::Publish => {
                let request = PublishFlowVersionRequest::new(&wanted.flow);
                let made = client.publish_flow_version(request).send().await;
                let made = made.map_err(|error| self.stop("publish a version", Some(error)))?;
                self.version = made.version;
                self.done
                    .push(format!("published version {}", self.version));
                Next::LookAtPublished
            }
            Next::LookAtPublished => {
                let flow = self
                    .look(Some(&self.version), "look at the version")
                    .await?;
                if !self.is_ours(&flow) {
                    return Err(self.stop("the version is another's definition", None));
                }
                Next::LookAgain
            }
            Next::LookAgain => {
                self.alias().await?;
                Next::Move
            }
            Next::Move => {
                let routes = vec![RoutingConfiguration::new(&self.version, 100)];
                let (flow, alias) = (&wanted.flow, &wanted.alias);
                let moved = match self.routes {
                    None => {
                        let request = CreateFlowAliasRequest::new(flow, alias, routes);
                        client.create_flow_alias(request).send().await.map(drop)
                    }
                    Some(_) => {
                        let request = UpdateFlowAliasRequest::new(flow, alias);
                        let request = request.routing_configurations(routes);
                        client.update_flow_alias(request).send().await.map(drop)
                    }
                };
                moved.map_err(|error| self.stop("move the alias", Some(error)))?;
                self.done.push(format!(
                    "alias {} leads to {}",
                    self.wanted.alias, self.version
                ));
                Next::LookLast
            }
            Next::LookLast => {
                self.alias().await?;
                return match self.routes.as_deref() {
                    Some([only]) if only.version == self.version => Ok(true),
                    other => Err(self.stop(&format!("the alias leads to {other:?}"), None)),
                };
            }
        };
        Ok(false)
    }
}
