//! Another role, taken on with a key.

use std::{fmt, sync::Arc};

use super::{
    Credentials,
    sts::{Role, role_setters},
};
use crate::{
    error::Error,
    pipeline::credential::{BoxFuture, Context, Lease, ProvideCredential},
};

/// Temporary keys of a RAM role, from `AssumeRole` of STS, signed with the key of another source.
///
/// Each refresh asks the other source anew. STS has 8 s to answer, with repeats. A refusal is an
/// error with STS's code, such as `NoPermission`, and asked about again within 5 s; one of the key
/// is final for 5 minutes, or until what the key was read from changes.
///
/// ```
/// use cloud_workflows::alibaba::{AssumeRole, Client, Credentials};
///
/// # fn main() -> Result<(), cloud_workflows::Error> {
/// let key = Credentials::new("access key id", "access key secret");
/// let role = AssumeRole::new(key, "acs:ram::123456789012****:role/starter").duration_seconds(900);
/// let client = Client::builder().region("cn-hangzhou").credentials(role).build()?;
/// # Ok(())
/// # }
/// ```
///
/// Source: Alibaba Cloud, STS, AssumeRole.
#[derive(Clone)]
pub struct AssumeRole {
    source: Arc<dyn ProvideCredential<Credentials>>,
    role: Role,
}

impl AssumeRole {
    /// Takes on the role of this ARN with keys of `source`: [`Credentials`], or any other source.
    pub fn new(source: impl ProvideCredential<Credentials>, role_arn: impl Into<String>) -> Self {
        Self::of(Arc::new(source), Role::new(role_arn))
    }

    pub(super) fn of(source: Arc<dyn ProvideCredential<Credentials>>, role: Role) -> Self {
        Self { source, role }
    }

    /// `ExternalId`: what the role's owner asks for against mix-ups between its users.
    #[must_use]
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.role.external_id = Some(id.into());
        self
    }

    role_setters!();
}

impl fmt::Debug for AssumeRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AssumeRole(..)")
    }
}

impl ProvideCredential<Credentials> for AssumeRole {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(async {
            let key = self.source.provide(context).await?.into_credential();
            self.role.assume(context, key).await
        })
    }
}
