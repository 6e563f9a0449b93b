//! What an emulator's flows are, and what became of them.

use std::time::Duration;

use super::{
    Emulator,
    cloud::Mode,
    flow::{Execution, WaitingCallback},
    plan::IntoFlow,
    quirks::Quirks,
};
#[cfg(feature = "alibaba")]
use super::{
    clock::lock,
    made::{MadeAlias, MadeFlow, MadeVersion},
    quotas::Quotas,
};

/// Flows: closures that fail or succeed, alone or as a [`Flow`](super::Flow) that takes its time.
/// A closure may block. A panic in it fails the flow, and so does an input that does not
/// fit its type (code `InvalidInput`); a start without input gives it `{}`. Adding a flow of a
/// known name replaces the closure.
///
/// A flow that is made over the API does what was added under its name, and echoes what it is given
/// where nothing was; on Alibaba Cloud, the API says its mode. Lists of flows have those that were
/// made over the API: one that was only added can be started, with any `Qualifier`, but has no
/// definition that could be shown.
impl Emulator {
    /// Adds a flow in Standard mode, for `StartExecution` of Alibaba Cloud.
    #[cfg(feature = "alibaba")]
    pub fn standard<Types>(&self, name: impl Into<String>, flow: impl IntoFlow<Types>) -> &Self {
        self.add(name.into(), Mode::Standard, flow)
    }

    /// Adds a flow in Express mode, for `StartSyncExecution` of Alibaba Cloud.
    #[cfg(feature = "alibaba")]
    pub fn express<Types>(&self, name: impl Into<String>, flow: impl IntoFlow<Types>) -> &Self {
        self.add(name.into(), Mode::Express, flow)
    }

    /// Adds a flow of Huawei Cloud under its workflow id.
    #[cfg(feature = "huawei")]
    pub fn workflow<Types>(&self, id: impl Into<String>, flow: impl IntoFlow<Types>) -> &Self {
        self.add(id.into(), Mode::Workflow, flow)
    }

    fn add<Types>(&self, name: String, mode: Mode, flow: impl IntoFlow<Types>) -> &Self {
        self.state().flows.insert(name, mode, flow.into_flow());
        self
    }

    /// Sets the `Environment.Variables` (name, value) that executions of a flow of Alibaba Cloud
    /// show from now on. Does nothing when there is no such flow.
    #[cfg(feature = "alibaba")]
    pub fn environment(&self, flow: &str, variables: &[(&str, &str)]) -> &Self {
        let variables = variables.iter();
        let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.state()
            .flows
            .set_environment(flow, variables.collect());
        self
    }

    /// How often the closure of a flow was called, counted before the start is answered. Flows of
    /// one name are counted together, in both clouds.
    pub fn runs(&self, flow: &str) -> usize {
        self.state().flows.runs(flow)
    }

    /// The executions of a flow, oldest first; at most the newest 100,000. Those of a flow that was
    /// deleted are among them.
    pub fn executions(&self, flow: &str) -> Vec<Execution> {
        self.state().flows.executions(flow)
    }

    /// The flows that were made over the API of Alibaba Cloud and not deleted, by name.
    #[cfg(feature = "alibaba")]
    pub fn made_flows(&self) -> Vec<MadeFlow> {
        lock(&self.state().flows.made).flows.all(|_| true)
    }

    /// The versions of a flow of Alibaba Cloud that were published and not deleted, oldest first.
    #[cfg(feature = "alibaba")]
    pub fn versions(&self, flow: &str) -> Vec<MadeVersion> {
        let made = lock(&self.state().flows.made);
        made.versions.all(|(of, _)| of == flow)
    }

    /// The aliases of a flow of Alibaba Cloud, by name.
    #[cfg(feature = "alibaba")]
    pub fn aliases(&self, flow: &str) -> Vec<MadeAlias> {
        let made = lock(&self.state().flows.made);
        made.aliases.all(|(of, _)| of == flow)
    }

    /// The tasks that nobody has reported yet, those that have waited longest first. A test that
    /// forgets one finds it here.
    pub fn waiting_callbacks(&self) -> Vec<WaitingCallback> {
        self.state().flows.waiting()
    }

    /// Lets so much time pass at once: executions get on, deadlines run out, tokens and keys
    /// expire, buckets fill. Real time goes on beside it.
    pub fn advance(&self, time: Duration) {
        self.state().clock.advance(time);
    }

    /// Lets the emulator's time pass so many times as fast as the machine's from now on; 1 at the
    /// start. With 0 it stands still and moves by [`Emulator::advance`] alone.
    ///
    /// Executions, deadlines and quotas go by it, and so do the dates that are signed: a client
    /// corrects its clock when it is told.
    pub fn scale_time(&self, factor: f64) {
        self.state().clock.scale(factor);
    }

    /// Sets the quotas of the account, all buckets full; without this there are none.
    #[cfg(feature = "alibaba")]
    pub fn quotas(&self, quotas: Quotas) -> &Self {
        self.state().flows.world().buckets.set(quotas);
        self
    }

    /// Sets the quotas that the vendor documents: [`Quotas::documented`].
    #[cfg(feature = "alibaba")]
    pub fn documented_quotas(&self) -> &Self {
        self.quotas(Quotas::documented())
    }

    /// Sets how the services lag, err and surprise from now on, instead of what was set before.
    pub fn quirks(&self, quirks: Quirks) -> &Self {
        self.state().flows.world().quirks.set(quirks);
        self
    }

    /// An access key of Alibaba Cloud that is accepted: id and secret.
    #[cfg(feature = "alibaba")]
    pub fn access_key(&self) -> (&str, &str) {
        let key = self.state().alibaba.keys.first();
        key.map_or(("", ""), |key| (&key.id, &key.secret))
    }

    /// The security token of [`Emulator::access_key`], if that is a temporary key.
    #[cfg(feature = "alibaba")]
    pub fn security_token(&self) -> Option<&str> {
        let key = self.state().alibaba.keys.first();
        key.and_then(|key| key.security_token.as_deref())
    }

    /// An IAM user of Huawei Cloud that is accepted: domain, user name and password.
    #[cfg(feature = "huawei")]
    pub fn iam_user(&self) -> (&str, &str, &str) {
        let user = self.state().huawei.users.first();
        user.map_or(("", "", ""), |user| {
            (&user.domain, &user.name, &user.password)
        })
    }

    /// An access key of Huawei Cloud that is accepted: access key and secret key.
    #[cfg(feature = "huawei")]
    pub fn huawei_key(&self) -> (&str, &str) {
        let key = self.state().huawei.keys.first();
        key.map_or(("", ""), |key| (&key.access_key, &key.secret_key))
    }

    /// The id of the one project of Huawei Cloud.
    #[cfg(feature = "huawei")]
    pub fn project_id(&self) -> &str {
        &self.state().huawei.project_id
    }

    /// The region of Huawei Cloud, which is also the project's name.
    #[cfg(feature = "huawei")]
    pub fn region(&self) -> &str {
        &self.state().huawei.region
    }

    /// Lets every key that STS gave out so far expire (`InvalidSecurityToken.Expired`).
    #[cfg(feature = "alibaba")]
    pub fn expire_role_keys(&self) {
        self.state().issued.expire();
    }

    /// Lets every token given out so far expire (`APIGW.0307`).
    #[cfg(feature = "huawei")]
    pub fn expire_tokens(&self) {
        self.state().tokens.expire();
    }

    /// Makes every token given out so far unknown (`APIGW.0301`).
    #[cfg(feature = "huawei")]
    pub fn revoke_tokens(&self) {
        self.state().tokens.revoke();
    }
}
