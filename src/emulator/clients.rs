//! Clients of the emulator.

use super::Emulator;

impl Emulator {
    /// A client builder of Alibaba Cloud with this emulator's address and access key. Roles that
    /// its credentials take on are taken on here.
    ///
    /// ```
    /// use cloud_workflows::{alibaba::StartSyncExecutionRequest, emulator::Emulator};
    /// use serde_json::{Value, json};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = Emulator::start()?;
    /// emulator.express("echo", |input: Value| Ok(input));
    /// let client = emulator.alibaba().build()?;
    ///
    /// let request = StartSyncExecutionRequest::new("echo").input(json!({"n": 1}));
    /// let done = client.start_sync_execution(request).send().await?;
    /// assert_eq!(done.into_output::<Value>()?, json!({"n": 1}));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "alibaba")]
    pub fn alibaba(&self) -> crate::alibaba::ClientBuilder {
        let (id, secret) = self.access_key();
        let mut key = crate::alibaba::Credentials::new(id, secret);
        if let Some(token) = self.security_token() {
            key = key.security_token(token);
        }
        crate::alibaba::Client::builder()
            .endpoint(self.url())
            .sts_endpoint(self.url())
            .credentials(key)
    }

    /// A client builder of Huawei Cloud with this emulator's addresses, region and IAM user.
    ///
    /// ```
    /// use cloud_workflows::{emulator::Emulator, huawei::StartSyncWorkflowExecutionRequest};
    /// use serde_json::{Value, json};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = Emulator::start()?;
    /// emulator.workflow("echo", |input: Value| Ok(input));
    /// let client = emulator.huawei().build()?;
    ///
    /// let request = StartSyncWorkflowExecutionRequest::new("echo").input(json!({"n": 1}));
    /// let done = client.start_sync_workflow_execution(request).send().await?;
    /// assert_eq!(done.into_output::<Value>()?, json!({"n": 1}));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "huawei")]
    pub fn huawei(&self) -> crate::huawei::ClientBuilder {
        let (domain, user, password) = self.iam_user();
        let password = crate::huawei::IamPassword::new(domain, user, password);
        crate::huawei::Client::builder()
            .endpoint(self.url())
            .iam_endpoint(self.url())
            .region(self.region())
            .credentials(password)
    }
}
