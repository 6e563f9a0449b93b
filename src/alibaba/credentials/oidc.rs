//! A role, taken on with a token of an identity provider.

use std::{fmt, path::PathBuf};

use super::{
    Credentials,
    sts::{Role, role_setters},
};
use crate::{
    error::Error,
    pipeline::credential::{BoxFuture, Context, Lease, ProvideCredential},
};

/// Temporary keys of a RAM role, from `AssumeRoleWithOIDC` of STS, for the token in a file: what
/// RRSA gives to the pods of ACK.
///
/// The file is read at each refresh, for tokens change. STS has 8 s to answer, with repeats.
///
/// Source: Alibaba Cloud, STS, AssumeRoleWithOIDC.
#[derive(Clone, Default)]
pub struct AssumeRoleWithOidc {
    /// None: all three are in the environment.
    given: Option<Given>,
    role: Role,
}

#[derive(Clone)]
struct Given {
    provider_arn: String,
    token_file: PathBuf,
}

impl AssumeRoleWithOidc {
    /// Takes on the role of this ARN with the token in this file, which the provider gave.
    pub fn new(
        role_arn: impl Into<String>,
        oidc_provider_arn: impl Into<String>,
        oidc_token_file: impl Into<PathBuf>,
    ) -> Self {
        Self::of(
            Role::new(role_arn),
            oidc_provider_arn.into(),
            oidc_token_file.into(),
        )
    }

    /// What `ALIBABA_CLOUD_ROLE_ARN`, `ALIBABA_CLOUD_OIDC_PROVIDER_ARN` and
    /// `ALIBABA_CLOUD_OIDC_TOKEN_FILE` say; they are read when a credential is needed.
    pub fn from_env() -> Self {
        Self::default()
    }

    pub(super) fn of(role: Role, provider_arn: String, token_file: PathBuf) -> Self {
        let given = Some(Given {
            provider_arn,
            token_file,
        });
        Self { given, role }
    }

    role_setters!();
}

impl fmt::Debug for AssumeRoleWithOidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AssumeRoleWithOidc(..)")
    }
}

impl ProvideCredential<Credentials> for AssumeRoleWithOidc {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(async {
            let environment = context.environment();
            let mut role = self.role.clone();
            let given = match &self.given {
                Some(given) => given.clone(),
                None => {
                    role.arn = environment.required("ALIBABA_CLOUD_ROLE_ARN")?;
                    Given {
                        provider_arn: environment.required("ALIBABA_CLOUD_OIDC_PROVIDER_ARN")?,
                        token_file: environment
                            .required("ALIBABA_CLOUD_OIDC_TOKEN_FILE")?
                            .into(),
                    }
                }
            };
            let token = environment.read_token(&given.token_file, "the OIDC token");
            role.assume_with_token(context, &given.provider_arn, &token.await?)
                .await
        })
    }
}
