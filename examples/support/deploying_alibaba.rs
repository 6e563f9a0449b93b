//! Deploys a flow of Alibaba Cloud: makes or changes it, publishes a version, moves an alias.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use cloud_workflows::alibaba::{
    Client, CreateFlowAliasRequest, CreateFlowRequest, DescribeFlowAliasRequest,
    DescribeFlowRequest, ExecutionMode, Flow, FlowAlias, ListFlowVersionsRequest,
    PublishFlowVersionRequest, RoutingConfiguration, UpdateFlowAliasRequest, UpdateFlowRequest,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    definition::{checksum, meaning, name},
    deploying::{Progress, Stopped},
};

/// What is to be deployed.
pub struct Wanted {
    pub flow: String,
    pub text: String,
    pub alias: Option<String>,
    pub mode: Option<ExecutionMode>,
    pub role: Option<String>,
    pub description: Option<String>,
    pub replace_routes: bool,
}

pub struct Deploy<'a, T> {
    client: Client,
    wanted: Wanted,
    progress: &'a mut Progress<T>,
    /// Checksum of what the file means.
    file: String,
    /// Checksum of what the service made of the file, where that is known.
    shown: Option<String>,
}

impl<'a, T: AsyncFn(Duration)> Deploy<'a, T> {
    /// Refuses what is not a definition of the flow.
    pub fn new(
        client: Client,
        wanted: Wanted,
        progress: &'a mut Progress<T>,
    ) -> Result<Self, String> {
        let meaning = meaning(&wanted.text)?;
        if let Some(said) = name(&meaning).filter(|said| *said != wanted.flow) {
            let flow = &wanted.flow;
            return Err(format!("the definition is of {said}, not of {flow}"));
        }
        Ok(Self {
            client,
            wanted,
            progress,
            file: checksum(&meaning),
            shown: None,
        })
    }

    /// The version that the file is deployed as.
    pub async fn run(mut self) -> Result<String, Stopped> {
        let before = self.flow(None, "look at the flow").await?;
        let is = before.as_ref().and_then(|it| it.execution_mode.as_ref());
        if let (Some(is), Some(wanted)) = (is, &self.wanted.mode)
            && is != wanted
        {
            let why = format!("the flow is of another mode, {is}, which cannot be changed");
            return Err(self.progress.stop(&why));
        }
        let mut version = None;
        if before.is_some() {
            let alias = self.alias().await?;
            self.refuse_two_routes(alias.as_ref())?;
            version = self.find_version(alias.as_ref()).await?;
        }
        self.write(before).await?;
        let version = match version {
            Some(version) => version,
            None => self.publish().await?,
        };
        self.lead_to(&version).await?;
        Ok(version)
    }

    async fn flow(&self, version: Option<&str>, step: &str) -> Result<Option<Flow>, Stopped> {
        let request = DescribeFlowRequest::new(&self.wanted.flow).flow_version(version);
        let look = self.client.describe_flow(request).send();
        self.progress.find(step, look).await
    }

    /// None where there is none, or none is wanted.
    async fn alias(&self) -> Result<Option<FlowAlias>, Stopped> {
        let Some(alias) = &self.wanted.alias else {
            return Ok(None);
        };
        let request = DescribeFlowAliasRequest::new(&self.wanted.flow, alias);
        let look = self.client.describe_flow_alias(request).send();
        let found = self.progress.find("look at the alias", look).await?;
        Ok(found.map(|found| found.alias))
    }

    fn refuse_two_routes(&self, alias: Option<&FlowAlias>) -> Result<(), Stopped> {
        match alias.is_some_and(|it| it.routing_configurations.len() > 1) {
            true if !self.wanted.replace_routes => {
                let why = format!("the alias has two routes, {}", routes(alias));
                Err(self.progress.stop(&why))
            }
            _ => Ok(()),
        }
    }

    fn is_ours(&self, flow: &Flow) -> bool {
        let shown = checksum_of(flow);
        shown.is_some() && (shown.as_ref() == Some(&self.file) || shown == self.shown)
    }

    /// What a version's description says of a deploy of this file; then, perhaps, what the service
    /// made of the file.
    fn mark(&self) -> String {
        format!("deploy sha256:{}", self.file)
    }

    /// A version that was published of this file before: the one that the alias leads to, or the
    /// newest.
    async fn find_version(&mut self, alias: Option<&FlowAlias>) -> Result<Option<String>, Stopped> {
        let request = ListFlowVersionsRequest::new(&self.wanted.flow);
        let mut listed = self.client.list_flow_versions(request).items();
        let mark = self.mark();
        let all = async {
            let mut marked = BTreeMap::new();
            while let Some(version) = listed.next().await {
                let version = version?;
                let description = version.description.unwrap_or_default();
                if let Some(rest) = description.strip_prefix(&mark) {
                    let shown = rest.strip_prefix(" as sha256:").map(str::to_owned);
                    marked.insert(version.version, shown);
                }
            }
            Ok(marked)
        };
        let marked = self.progress.call("list the versions", all).await?;
        let mut versions: Vec<&String> = marked.keys().collect();
        versions.sort_by_key(|version| Reverse(version.parse::<u64>().ok()));
        if let Some([only]) = alias.map(|it| it.routing_configurations.as_slice()) {
            versions.retain(|version| **version != only.version);
            versions.insert(0, &only.version);
        }
        for version in versions {
            let shown = self.flow(Some(version), "look at a version").await?;
            self.shown = marked.get(version).cloned().flatten();
            if shown.is_some_and(|shown| self.is_ours(&shown)) {
                return Ok(Some(version.clone()));
            }
        }
        self.shown = None;
        Ok(None)
    }

    /// What of a flow is not as it is wanted.
    fn differences(&self, flow: &Flow) -> Vec<&'static str> {
        let differs = |is: &Option<String>, wanted: &Option<String>| {
            let is = is.as_deref().unwrap_or_default();
            wanted.as_deref().is_some_and(|wanted| wanted != is)
        };
        let wanted = &self.wanted;
        let all = [
            ("Definition", !self.is_ours(flow)),
            ("RoleArn", differs(&flow.role_arn, &wanted.role)),
            (
                "Description",
                differs(&flow.description, &wanted.description),
            ),
        ];
        let all = all.into_iter().filter(|(_, differs)| *differs);
        all.map(|(field, _)| field).collect()
    }

    /// Makes or changes the flow where it is not as it is wanted, and looks whether it is now.
    async fn write(&mut self, before: Option<Flow>) -> Result<(), Stopped> {
        let (client, wanted) = (&self.client, &self.wanted);
        let differences = before.as_ref().map(|flow| self.differences(flow));
        let answer = match &differences {
            None => {
                let description = wanted.description.clone().unwrap_or_default();
                let request = CreateFlowRequest::new(&wanted.flow, &wanted.text, description)
                    .execution_mode(wanted.mode.clone())
                    .role_arn(wanted.role.clone());
                let made = client.create_flow(request).send();
                let made = self.progress.call("make the flow", made).await?;
                self.progress
                    .done
                    .push(format!("made flow {}", wanted.flow));
                made
            }
            Some(differences) if differences.is_empty() => return Ok(()),
            Some(differences) => {
                let has = |field| differences.contains(&field);
                let request = UpdateFlowRequest::new(&wanted.flow)
                    .definition(has("Definition").then(|| wanted.text.clone()))
                    .role_arn(wanted.role.clone().filter(|_| has("RoleArn")))
                    .description(wanted.description.clone().filter(|_| has("Description")));
                let changed = client.update_flow(request).send();
                let changed = self.progress.call("change the flow", changed).await?;
                let done = format!("changed {} of the flow", differences.join(", "));
                self.progress.done.push(done);
                changed
            }
        };
        let differences = differences.unwrap_or_else(|| vec!["Definition"]);
        let is_sent = differences.contains(&"Definition");
        let was = before.as_ref().and_then(checksum_of);
        let is = checksum_of(&answer);
        let modified = before.as_ref().map(|it| it.last_modified_time);
        // What the service makes of the file, unless it still answers with what was there.
        if is_sent && (is != was || Some(answer.last_modified_time) > modified) {
            self.shown = is;
        }
        let look = async || self.flow(None, "look at what was written").await;
        let is_as_wanted = |flow: &Option<Flow>| {
            let mut flow = flow.iter();
            flow.any(|flow| self.differences(flow).is_empty())
        };
        let is_news = |flow: &Option<Flow>| {
            let is = flow.as_ref().and_then(checksum_of);
            is_as_wanted(flow) || (is_sent && is.is_some() && is != was)
        };
        let after = self.progress.until(look, is_news).await?;
        if !is_as_wanted(&after) {
            let why = "the flow is not as it was written: somebody else changed it";
            return Err(self.progress.stop(why));
        }
        if let (Some(before), Some(after)) = (&before, &after) {
            let changed = changed_unsent(before, after, &differences);
            self.progress.done.extend(changed);
        }
        Ok(())
    }

    /// Publishes what the flow is now, and looks whether that is the file.
    async fn publish(&mut self) -> Result<String, Stopped> {
        let mut description = self.mark();
        if let Some(shown) = self.shown.as_ref().filter(|it| **it != self.file) {
            description = format!("{description} as sha256:{shown}");
        }
        let request = PublishFlowVersionRequest::new(&self.wanted.flow).description(description);
        let published = self.client.publish_flow_version(request).send();
        let published = self.progress.call("publish a version", published).await?;
        let version = published.version;
        let done = format!("published version {version}");
        self.progress.done.push(done);
        let look = async || self.flow(Some(&version), "look at the version").await;
        let shown = self.progress.until(look, Option::is_some).await?;
        match shown.is_some_and(|shown| self.is_ours(&shown)) {
            true => Ok(version),
            false => {
                let why = format!("version {version} is not the file, but somebody else's");
                Err(self.progress.stop(&why))
            }
        }
    }

    /// Moves the alias, if one is wanted, unless it is there, and looks whether it is.
    async fn lead_to(&mut self, version: &str) -> Result<(), Stopped> {
        let Some(name) = self.wanted.alias.clone() else {
            return Ok(());
        };
        let leads = |alias: &Option<FlowAlias>| {
            let routes = alias
                .as_ref()
                .map(|it| it.routing_configurations.as_slice());
            matches!(routes, Some([only]) if only.version == version)
        };
        let before = self.alias().await?;
        if leads(&before) {
            return Ok(());
        }
        self.refuse_two_routes(before.as_ref())?;
        let to = vec![RoutingConfiguration::new(version, 100)];
        let (client, flow) = (&self.client, &self.wanted.flow);
        let moved = async {
            match &before {
                None => {
                    let request = CreateFlowAliasRequest::new(flow, &name, to);
                    client.create_flow_alias(request).send().await.map(drop)
                }
                Some(_) => {
                    let request = UpdateFlowAliasRequest::new(flow, &name);
                    let request = request.routing_configurations(to);
                    client.update_flow_alias(request).send().await.map(drop)
                }
            }
        };
        self.progress.call("move the alias", moved).await?;
        let done = format!("moved alias {name} to version {version}");
        self.progress.done.push(done);
        let look = async || self.alias().await;
        let was = routes(before.as_ref());
        let is_news = |alias: &Option<FlowAlias>| routes(alias.as_ref()) != was;
        let after = self.progress.until(look, is_news).await?;
        if !leads(&after) {
            let why = format!("the alias leads to {}", routes(after.as_ref()));
            return Err(self.progress.stop(&why));
        }
        if let (Some(before), Some(after)) = (&before, &after) {
            let changed = changed_unsent(before, after, &["RoutingConfigurations"]);
            self.progress.done.extend(changed);
        }
        Ok(())
    }
}

fn checksum_of(flow: &Flow) -> Option<String> {
    let meaning = meaning(flow.definition.as_deref()?).ok()?;
    Some(checksum(&meaning))
}

fn routes(alias: Option<&FlowAlias>) -> String {
    let routes = alias.map(|it| it.routing_configurations.as_slice());
    let routes = routes.unwrap_or_default().iter();
    let routes = routes.map(|route| format!("{}={}", route.version, route.weight));
    match routes.collect::<Vec<_>>().join(" and ") {
        none if none.is_empty() => "nothing".to_owned(),
        routes => routes,
    }
}

/// What else of a thing is not as it was: by the service, or by somebody else.
fn changed_unsent(before: &impl Serialize, after: &impl Serialize, sent: &[&str]) -> Vec<String> {
    let value = |it: Result<Value, _>| it.unwrap_or_default();
    let before = value(serde_json::to_value(before));
    let after = value(serde_json::to_value(after));
    let of_course = ["Definition", "LastModifiedTime", "RequestId"];
    let mut changed = Vec::new();
    let fields = [&before, &after].map(|it| it.as_object().map(Map::keys));
    let fields: BTreeSet<&String> = fields.into_iter().flatten().flatten().collect();
    for field in fields {
        let [was, is] = [&before, &after].map(|it| it.get(field).unwrap_or(&Value::Null));
        let is_empty = |value: &Value| value.is_null() || value == "";
        let is_same = is == was || (is_empty(is) && is_empty(was));
        if is_same || sent.contains(&field.as_str()) || of_course.contains(&field.as_str()) {
            continue;
        }
        // Variables of a flow may be secrets.
        let was = match was.is_object() {
            true => String::new(),
            false => format!(" from {was}"),
        };
        changed.push(format!("{field} changed{was}, though it was not sent"));
    }
    changed
}
