//! Who asks, what was seen, and what was made and is removed at the end.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use cloud_workflows::{
    ExecutionRef, RetryPolicy,
    huawei::{self, AccessKey, IamPassword, Stop},
    reqwest,
};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{ALIBABA, HUAWEI, LONGEST, TRIES, ali};

/// What was found of a fact, and what was seen.
#[derive(Debug)]
pub(crate) enum Finding {
    Confirmed(String),
    Refuted(String),
    NotReachable(String),
}

impl Finding {
    pub(crate) fn when(holds: bool, seen: String) -> Self {
        match holds {
            true => Self::Confirmed(seen),
            false => Self::Refuted(seen),
        }
    }
}

/// An answer of Alibaba Cloud.
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn is_success(&self) -> bool {
        self.status == 200
    }

    pub(crate) fn code(&self) -> &str {
        self.body["Code"].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("none", |value| value.to_str().unwrap_or("no text"))
    }

    pub(crate) fn members(&self) -> Vec<&str> {
        let members = self.body.as_object().into_iter();
        members
            .flat_map(|members| members.keys().map(String::as_str))
            .collect()
    }

    /// Status and code: never a message, which may repeat what was sent.
    pub(crate) fn told(&self) -> String {
        format!("HTTP {} {}", self.status, self.code())
            .trim_end()
            .to_owned()
    }
}

/// Something to be removed at the end.
struct Made {
    what: String,
    removal: Removal,
}

enum Removal {
    Alibaba(&'static str, Vec<(&'static str, String)>),
    Huawei { flow: String, execution: String },
}

/// Who asks, and what was made.
pub(crate) struct World {
    variables: BTreeMap<String, String>,
    pub(crate) alibaba: Option<ali::Rpc>,
    pub(crate) huawei: Option<huawei::Client>,
    /// In place of name resolution.
    hosts: Option<fn(&str) -> bool>,
    made: Mutex<Vec<Made>>,
    pub(crate) own_flow: OnceCell<String>,
}

impl World {
    pub(crate) fn new(
        variables: impl IntoIterator<Item = (String, String)>,
        hosts: Option<fn(&str) -> bool>,
    ) -> Result<Arc<Self>, String> {
        let mut world = Self {
            variables: variables
                .into_iter()
                .filter(|(name, value)| match name.as_str() {
                    "LIVE_STARTS" | "LIVE_CREATES" => value == "1",
                    _ => !value.is_empty(),
                })
                .collect(),
            alibaba: None,
            huawei: None,
            hosts,
            made: Mutex::default(),
            own_flow: OnceCell::new(),
        };
        if world.lacks(ALIBABA).is_empty() {
            world.alibaba = Some(world.rpc()?);
        }
        if world.lacks(HUAWEI).is_empty() {
            let client = world.client().map_err(|error| error.to_string())?;
            world.huawei = Some(client);
        }
        Ok(Arc::new(world))
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Result<&str, String> {
        let value = self.variables.get(name).map(String::as_str);
        value.ok_or_else(|| format!("{name} is not set"))
    }

    /// The variables of an account that are not set.
    pub(crate) fn lacks(&self, cloud: &str) -> Vec<&'static str> {
        let by_key = self.variables.contains_key("HW_ACCESS_KEY");
        let names: &[&str] = match cloud {
            ALIBABA => &[
                "ALIBABA_CLOUD_REGION_ID",
                "ALIBABA_CLOUD_ACCESS_KEY_ID",
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            ],
            _ if by_key => &["HW_REGION_NAME", "HW_SECRET_KEY"],
            _ => &[
                "HW_REGION_NAME",
                "HW_DOMAIN_NAME",
                "HW_USER_NAME",
                "HW_USER_PASSWORD",
            ],
        };
        let names = names.iter().copied();
        names
            .filter(|name| !self.variables.contains_key(*name))
            .collect()
    }

    fn rpc(&self) -> Result<ali::Rpc, String> {
        let region = self.variable("ALIBABA_CLOUD_REGION_ID")?;
        let endpoint = match self.variable("ALIBABA_CLOUD_ENDPOINT_FNF") {
            Ok(url) if url.contains("://") => url.to_owned(),
            Ok(host) => format!("https://{host}"),
            Err(_) => format!("https://{region}.fnf.aliyuncs.com"),
        };
        let pause = self.variable("LIVE_PAUSE_MS").unwrap_or("600");
        let pause = pause.parse().map_err(|_| "LIVE_PAUSE_MS: no number")?;
        let token = self.variable("ALIBABA_CLOUD_SECURITY_TOKEN");
        let http = reqwest::Client::builder().timeout(LONGEST).build();
        Ok(ali::Rpc {
            http: http.map_err(|error| error.to_string())?,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            id: self.variable("ALIBABA_CLOUD_ACCESS_KEY_ID")?.to_owned(),
            secret: self.variable("ALIBABA_CLOUD_ACCESS_KEY_SECRET")?.to_owned(),
            token: token.ok().map(str::to_owned),
            pause: Duration::from_millis(pause),
            nonces: Default::default(),
        })
    }

    fn client(&self) -> Result<huawei::Client, Box<dyn std::error::Error>> {
        let region = self.variable("HW_REGION_NAME")?;
        // One attempt: what is told is what one call met.
        let mut builder = huawei::Client::builder()
            .region(region)
            .retry(RetryPolicy::never());
        let address = region.replace('-', "_").to_uppercase();
        let address = format!("HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_{address}");
        if let Ok(url) = self.variable(&address) {
            builder = builder.endpoint(url);
        }
        if let Ok(url) = self.variable("HUAWEICLOUD_SDK_IAM_ENDPOINT") {
            builder = builder.iam_endpoint(url);
        }
        if let Ok(id) = self.variable("HW_PROJECT_ID") {
            builder = builder.project_id(id);
        }
        let text = |name| self.variable(name).map(str::to_owned);
        Ok(match self.variable("HW_ACCESS_KEY") {
            Ok(key) => builder
                .credentials(AccessKey::new(key, text("HW_SECRET_KEY")?))
                .build()?,
            Err(_) => {
                let (domain, user) = (text("HW_DOMAIN_NAME")?, text("HW_USER_NAME")?);
                builder
                    .credentials(IamPassword::new(domain, user, text("HW_USER_PASSWORD")?))
                    .build()?
            }
        })
    }

    pub(crate) async fn resolves(&self, host: &str) -> Result<Finding, String> {
        let is_known = match self.hosts {
            Some(known) => known(host),
            // To be told from having no network.
            None => match tokio::net::lookup_host((host, 443)).await {
                Ok(mut addresses) => addresses.next().is_some(),
                Err(_) => {
                    let any = tokio::net::lookup_host(("www.aliyun.com", 443)).await;
                    if any.is_err() {
                        return Err("names cannot be looked up from here".to_owned());
                    }
                    false
                }
            },
        };
        let seen = if is_known { "has an" } else { "has no" };
        Ok(Finding::when(is_known, format!("{host} {seen} address")))
    }

    /// Notes what is about to be made on Alibaba Cloud: before, since an answer can be lost.
    pub(crate) fn made(
        &self,
        what: String,
        action: &'static str,
        parameters: &[(&'static str, &str)],
    ) {
        let parameters = parameters.iter();
        let parameters = parameters.map(|(name, value)| (*name, (*value).to_owned()));
        let removal = Removal::Alibaba(action, parameters.collect());
        self.made.lock().unwrap().push(Made { what, removal });
    }

    /// The newest of it was refused.
    pub(crate) fn was_not_made(&self) {
        self.made.lock().unwrap().pop();
    }

    pub(crate) fn made_run(&self, flow: &str, execution: &str) {
        let (flow, execution) = (flow.to_owned(), execution.to_owned());
        self.made.lock().unwrap().push(Made {
            what: format!("execution {execution} of {flow}"),
            removal: Removal::Huawei { flow, execution },
        });
    }

    /// Removes it: whether it was there, or why it cannot be removed.
    async fn remove(&self, removal: &Removal) -> Result<bool, String> {
        match removal {
            Removal::Alibaba(action, parameters) => {
                let rpc = self.alibaba.as_ref().ok_or("there is no key")?;
                let parameters = parameters.iter();
                let parameters: Vec<_> = parameters
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                let seen = rpc.call("POST", action, &parameters).await?;
                let is_gone = ["NotExists", "NotFound", "AlreadyCompleted"];
                match seen.is_success() {
                    true => Ok(true),
                    false if is_gone.iter().any(|end| seen.code().ends_with(end)) => Ok(false),
                    false => Err(seen.told()),
                }
            }
            Removal::Huawei { flow, execution } => {
                let client = self.huawei.as_ref().ok_or("there is no credential")?;
                let execution = ExecutionRef::new(flow, execution);
                match client.stop(execution).await {
                    Ok(stop) => Ok(stop == Stop::Requested),
                    Err(error) => Err(format!("{:?}", error.kind())),
                }
            }
        }
    }

    /// Removes all that was made, the newest first; what is left.
    pub(crate) async fn clean_up(&self, say: &mut impl FnMut(String)) -> Vec<String> {
        let made = std::mem::take(&mut *self.made.lock().unwrap());
        let mut left = Vec::new();
        let pause = self
            .alibaba
            .as_ref()
            .map_or(Duration::ZERO, |rpc| rpc.pause);
        for Made { what, removal } in made.into_iter().rev() {
            let mut tries = 1;
            loop {
                match self.remove(&removal).await {
                    Ok(was_there) => {
                        let word = if was_there {
                            "removed"
                        } else {
                            "ended, or not there"
                        };
                        say(format!("{word}: {what}"));
                    }
                    Err(_) if tries < TRIES => {
                        tries += 1;
                        tokio::time::sleep(4 * pause).await;
                        continue;
                    }
                    Err(why) => {
                        say(format!("LEFT BEHIND: {what}: {why}"));
                        left.push(what);
                    }
                }
                break;
            }
        }
        left
    }
}
