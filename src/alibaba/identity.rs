//! Who a client is.

use super::Client;
use crate::{
    error::Error,
    identity::{Identity, masked},
    pipeline::{hosts::host_of, protocol::Protocol as _, sighting::Found},
};

impl Client {
    /// Who would call where: the source of the credential, its key with most of it hidden, region
    /// and host.
    ///
    /// Nothing is sent and no program is run: variables and files are all that is read. Where the
    /// credential would have to be asked for, [`asks`](Identity::asks) says whom. A source of the
    /// caller's own is asked as ever.
    ///
    /// # Errors
    ///
    /// Where no credential is set up, or what is set up cannot be used: as of a call.
    ///
    /// ```
    /// use cloud_workflows::alibaba::{Client, Credentials};
    ///
    /// # async fn example() -> Result<(), cloud_workflows::Error> {
    /// let key = Credentials::new("LTAIexampleexample", "secret");
    /// let client = Client::builder().region("cn-hangzhou").credentials(key).build()?;
    /// let identity = client.identity().await?;
    /// assert_eq!(identity.key.as_deref(), Some("****mple"));
    /// assert_eq!(identity.host, "cn-hangzhou.fnf.aliyuncs.com");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    pub async fn identity(&self) -> Result<Identity, Error> {
        let Some(cache) = &self.pipeline.credentials else {
            return Err(Error::configuration("credentials", "are missing"));
        };
        let seen = cache.look().await?;
        let (key, asks) = match seen.found {
            Found::Credential(key) => (Some(key.access_key_id), None),
            Found::Asks(whom) => (seen.key, Some(whom)),
        };
        Ok(Identity {
            source: seen.source.unwrap_or_else(|| format!("{cache:?}")),
            key: key.as_deref().map(masked),
            region: cache.context().region.clone(),
            host: host_of(self.pipeline.protocol.endpoint()),
            project_id: None,
            asks,
        })
    }
}
