//! A role, taken on with a token of an identity provider.

use std::{fmt, path::PathBuf};

use super::{
    Credentials,
    sts::{Role, role_setters},
};
use crate::{
    error::Error,
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        environment::Environment,
    },
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

fn variables(environment: &Environment) -> Result<[String; 3], Error> {
    const ROLE: &str = "ALIBABA_CLOUD_ROLE_ARN";
    const OF_OIDC: [&str; 2] = [
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    ];
    // By itself, a role is no sign of OIDC: other tools take it on with a key.
    if environment.first_of(&OF_OIDC).is_none() {
        environment.required(ROLE)?;
        environment.together(OF_OIDC)?;
    }
    let [arn, provider_arn, token_file] = environment.together([ROLE, OF_OIDC[0], OF_OIDC[1]])?;
    Ok([provider_arn, token_file, arn])
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
                    let [provider_arn, token_file, arn] = variables(&environment)?;
                    role.arn = arn;
                    Given {
                        provider_arn,
                        token_file: token_file.into(),
                    }
                }
            };
            let token = environment.read_token(&given.token_file, "the OIDC token");
            role.assume_with_token(context, &given.provider_arn, &token.await?)
                .await
        })
    }
}
