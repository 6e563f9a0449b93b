//! An agency of another account, taken on with a credential.

use std::{fmt, sync::Arc};

use crate::{
    error::Error,
    huawei::{
        credential::Credential,
        tokens::{CreateAgencyToken, Scope},
    },
    pipeline::credential::{BoxFuture, Context, Lease, ProvideCredential},
};

/// Tokens of an agency that another account has made for ours, from IAM (`POST /v3/auth/tokens`,
/// method `assume_role`), asked for with the credential of another source.
///
/// The client's project, or the one that bears the region's name, is the other account's, and so
/// is one in the variables of a source that reads them; the
/// source is asked for a credential of its own project. Its user needs the right "Agent Operator".
/// Each refresh asks the source anew. After a refusal it is asked again within 5 s, except for one
/// of the source's own key or password, which is final for 5 minutes. The documents speak of a
/// source that gives tokens; with a key, the request is signed, which was not tried on the service.
///
/// ```
/// use cloud_workflows::huawei::{AssumeAgency, Client, IamPassword};
///
/// # fn main() -> Result<(), cloud_workflows::Error> {
/// let source = IamPassword::new("our domain", "user", "password");
/// let agency = AssumeAgency::new(source, "starter", "their domain");
/// let client = Client::builder().region("cn-north-4").credentials(agency).build()?;
/// # Ok(())
/// # }
/// ```
///
/// Source: Huawei Cloud, IAM, "Obtaining an Agency Token".
#[derive(Clone)]
pub struct AssumeAgency {
    source: Arc<dyn ProvideCredential<Credential>>,
    agency_name: String,
    domain_name: String,
}

impl AssumeAgency {
    /// Takes on the agency of this name, in the account of this name, with what `source` gives.
    pub fn new(
        source: impl ProvideCredential<Credential>,
        agency_name: impl Into<String>,
        domain_name: impl Into<String>,
    ) -> Self {
        Self {
            source: Arc::new(source),
            agency_name: agency_name.into(),
            domain_name: domain_name.into(),
        }
    }

    async fn load(&self, context: &Context) -> Result<Lease<Credential>, Error> {
        let own = Context {
            project_id: None,
            project_name: None,
            ..context.clone()
        };
        let request = CreateAgencyToken {
            agency_name: &self.agency_name,
            domain_name: &self.domain_name,
            scope: Scope::of(context, None)?,
        };
        let credential = self.source.provide(&own).await?.into_credential();
        let is_key = matches!(credential, Credential::Key(_));
        let lease = request.send(context, credential).await;
        lease.map_err(|error| match is_key {
            true => error.without_body().may_lock(),
            false => error.without_body(),
        })
    }
}

impl fmt::Debug for AssumeAgency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AssumeAgency(..)")
    }
}

impl ProvideCredential<Credential> for AssumeAgency {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(self.load(context))
    }
}
