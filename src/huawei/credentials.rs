//! Where it comes from what requests are authenticated with.

mod assume_agency;
mod default;
mod ecs_metadata;
mod environment;
mod iam_password;
mod id_token;
mod oidc_sts;
mod pod_identity;
mod profile;
mod temporary;
#[cfg(test)]
mod tests;

pub use assume_agency::AssumeAgency;
pub use default::DefaultCredentials;
pub use ecs_metadata::EcsMetadata;
pub use environment::EnvironmentCredentials;
pub(super) use environment::{PROJECT_NAME_VARIABLES, PROJECT_VARIABLES};
pub use iam_password::IamPassword;
pub use id_token::IdToken;
pub use oidc_sts::OidcSts;
pub use pod_identity::PodIdentity;
pub use profile::Profile;

use super::{
    credential::{AccessKey, Credential, Token},
    projects,
};
use crate::{
    error::Error,
    pipeline::credential::{BoxFuture, Context, Lease, ProvideCredential},
};

impl ProvideCredential<Credential> for Token {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(async {
            self.header()?;
            let mut token = self.clone();
            if context.project_id().is_none() && context.project_name.is_some() {
                token.project_id = Some(projects::by_name(token.clone().into(), context).await?);
            }
            Ok(Lease::fixed(token.into()))
        })
    }
}

impl AccessKey {
    /// The key, checked, with the project that its calls are for: every source of keys ends here.
    pub(super) async fn with_project(mut self, context: &Context) -> Result<Self, Error> {
        self.check()?;
        context.note_key(&self.access_key);
        let is_known = context.project_name.is_none() && self.project_id.is_some();
        if context.project_id().is_none() && !is_known {
            self.project_id = Some(projects::by_name(self.clone().into(), context).await?);
        }
        Ok(self)
    }
}

impl ProvideCredential<Credential> for AccessKey {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(async move {
            let key = self.clone().with_project(context).await?;
            Ok(Lease::fixed(key.into()))
        })
    }
}
