//! Keys, tokens and passwords in variables.

use std::fmt;

use super::{AccessKey, Credential, IamPassword, IdToken, Token};
use crate::{
    error::{Error, ErrorKind},
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        environment::Environment,
    },
};

/// Where a project's id may stand: the SDKs' name, then Terraform's, then those of OpenStack.
pub(in crate::huawei) const PROJECT_VARIABLES: [&str; 4] = [
    "HUAWEICLOUD_SDK_PROJECT_ID",
    "HW_PROJECT_ID",
    "OS_PROJECT_ID",
    "OS_TENANT_ID",
];

/// Where its name may stand.
pub(in crate::huawei) const PROJECT_NAME_VARIABLES: [&str; 3] =
    ["HW_PROJECT_NAME", "OS_PROJECT_NAME", "OS_TENANT_NAME"];

/// What the variables hold, in the names of the SDKs, of Terraform and of OpenStack. The first
/// that is whole is used:
///
/// 1. the key in `HUAWEICLOUD_SDK_AK` and `HUAWEICLOUD_SDK_SK`, a temporary one with
///    `HUAWEICLOUD_SDK_SECURITY_TOKEN`;
/// 2. the key in `HW_ACCESS_KEY` or `OS_ACCESS_KEY`, and `HW_SECRET_KEY` or `OS_SECRET_KEY`, a
///    temporary one with `HW_SECURITY_TOKEN`;
/// 3. the token in `HW_AUTH_TOKEN` or `OS_AUTH_TOKEN`;
/// 4. tokens by password, as [`IamPassword`] gets them, with `HW_DOMAIN_NAME`, `OS_DOMAIN_NAME`,
///    `OS_USER_DOMAIN_NAME` or `OS_PROJECT_DOMAIN_NAME`; `HW_USER_NAME` or `OS_USERNAME`;
///    `HW_USER_PASSWORD` or `OS_PASSWORD`.
///
/// The pair `HUAWEICLOUD_SDK_IDP_ID` and `HUAWEICLOUD_SDK_ID_TOKEN_FILE` wins over all of them, as
/// [`IdToken`].
///
/// The project, where the client is not told one, is in `HUAWEICLOUD_SDK_PROJECT_ID`,
/// `HW_PROJECT_ID`, `OS_PROJECT_ID` or `OS_TENANT_ID`. An empty variable counts as unset.
///
/// Keys and tokens are not renewed; tokens by password are. A key with a line end, another
/// character that is not visible ASCII, or nothing in it is
/// [`ErrorKind::Credentials`].
///
/// Source: the official Python core 3.1.219, and the names of the Terraform provider.
#[derive(Clone, Copy, Default)]
pub struct EnvironmentCredentials;

impl EnvironmentCredentials {
    /// The source; variables are read when a credential is needed.
    pub fn new() -> Self {
        Self
    }
}

/// What the variables hold.
enum Found {
    IdToken(IdToken),
    Key(AccessKey),
    Token(Token),
    Password(IamPassword),
}

fn find(environment: &Environment) -> Result<Found, Error> {
    let idp_id = environment.variable("HUAWEICLOUD_SDK_IDP_ID");
    let file = environment.path("HUAWEICLOUD_SDK_ID_TOKEN_FILE");
    if let (Some(idp_id), Some(file)) = (idp_id, file) {
        let source = IdToken::new(idp_id, file);
        return Ok(Found::IdToken(
            match environment.first_of(&PROJECT_VARIABLES) {
                Some(project_id) => source.project_id(project_id),
                None => source,
            },
        ));
    }
    let ways = [official_key, key, token, password];
    let mut reasons = Vec::with_capacity(ways.len());
    for way in ways {
        match way(environment) {
            Ok(found) => return Ok(found),
            Err(error) => reasons.push(error.message().to_owned()),
        }
    }
    Err(Error::new(ErrorKind::Credentials, reasons.join("; ")))
}

fn official_key(environment: &Environment) -> Result<Found, Error> {
    let key = AccessKey::new(
        environment.required("HUAWEICLOUD_SDK_AK")?,
        environment.required("HUAWEICLOUD_SDK_SK")?,
    );
    let token = environment.variable("HUAWEICLOUD_SDK_SECURITY_TOKEN");
    Ok(Found::Key(complete(key, token, environment)))
}

fn key(environment: &Environment) -> Result<Found, Error> {
    let key = AccessKey::new(
        required(environment, &["HW_ACCESS_KEY", "OS_ACCESS_KEY"])?,
        required(environment, &["HW_SECRET_KEY", "OS_SECRET_KEY"])?,
    );
    let token = environment.variable("HW_SECURITY_TOKEN");
    Ok(Found::Key(complete(key, token, environment)))
}

fn complete(key: AccessKey, token: Option<String>, environment: &Environment) -> AccessKey {
    AccessKey {
        security_token: token.map(Into::into),
        project_id: environment.first_of(&PROJECT_VARIABLES),
        ..key
    }
}

fn token(environment: &Environment) -> Result<Found, Error> {
    let token = required(environment, &["HW_AUTH_TOKEN", "OS_AUTH_TOKEN"])?;
    Ok(Found::Token(Token {
        project_id: environment.first_of(&PROJECT_VARIABLES),
        ..Token::new(token)
    }))
}

fn password(environment: &Environment) -> Result<Found, Error> {
    const DOMAINS: [&str; 4] = [
        "HW_DOMAIN_NAME",
        "OS_DOMAIN_NAME",
        "OS_USER_DOMAIN_NAME",
        "OS_PROJECT_DOMAIN_NAME",
    ];
    Ok(Found::Password(IamPassword {
        project_id: environment.first_of(&PROJECT_VARIABLES),
        ..IamPassword::new(
            required(environment, &DOMAINS)?,
            required(environment, &["HW_USER_NAME", "OS_USERNAME"])?,
            required(environment, &["HW_USER_PASSWORD", "OS_PASSWORD"])?,
        )
    }))
}

/// The first that is set; where none is, the error names the one that comes first.
fn required(environment: &Environment, names: &[&str]) -> Result<String, Error> {
    match environment.first_of(names) {
        Some(value) => Ok(value),
        None => environment.required(names.first().copied().unwrap_or_default()),
    }
}

impl fmt::Debug for EnvironmentCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvironmentCredentials")
    }
}

impl ProvideCredential<Credential> for EnvironmentCredentials {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(async {
            match find(context.environment())? {
                Found::IdToken(source) => source.provide(context).await,
                Found::Key(key) => key.provide(context).await,
                Found::Token(token) => token.provide(context).await,
                Found::Password(password) => password.provide(context).await,
            }
        })
    }
}
