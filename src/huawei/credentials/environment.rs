//! Keys, tokens and passwords in variables.

use std::fmt;

use super::{IamPassword, IdToken};
use crate::{
    error::{Error, ErrorKind, Lack},
    huawei::credential::{AccessKey, Credential, Token},
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
/// Keys and tokens are not renewed; tokens by password are. Where nothing is whole, half a key or
/// half a sign-in, or a key with a line end, another
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
    Key(AccessKey, [&'static str; 2]),
    Token(Token, &'static str),
    Password(IamPassword),
}

/// The first that is whole. Where none is, but something was begun, that is what is wrong.
fn find(environment: &Environment) -> Result<Found, Error> {
    let (mut begun, mut absent) = (Vec::new(), Vec::new());
    match id_token(environment) {
        Err(error) if error.lack() == Lack::NotSetUp => {}
        Err(error) => begun.push(error.message().to_owned()),
        found => return found,
    }
    let ways = [official_key, key, token, password];
    for way in ways {
        match way(environment) {
            Ok(found) => return Ok(found),
            Err(error) if error.lack() == Lack::NotSetUp => absent.push(error.message().to_owned()),
            Err(error) => begun.push(error.message().to_owned()),
        }
    }
    Err(match begun.is_empty() {
        true => Error::not_set_up(absent.join("; ")),
        false => Error::new(ErrorKind::Credentials, begun.join("; ")),
    })
}

fn id_token(environment: &Environment) -> Result<Found, Error> {
    let [idp_id, file] =
        environment.together(["HUAWEICLOUD_SDK_IDP_ID", "HUAWEICLOUD_SDK_ID_TOKEN_FILE"])?;
    let source = IdToken::new(idp_id, file);
    let project_id = environment.first_of(&PROJECT_VARIABLES);
    Ok(Found::IdToken(match project_id {
        Some(project_id) => source.project_id(project_id),
        None => source,
    }))
}

fn official_key(environment: &Environment) -> Result<Found, Error> {
    let names = ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"];
    key_of(environment, names, "HUAWEICLOUD_SDK_SECURITY_TOKEN")
}

fn key(environment: &Environment) -> Result<Found, Error> {
    let names = [
        first_set(environment, &["HW_ACCESS_KEY", "OS_ACCESS_KEY"]),
        first_set(environment, &["HW_SECRET_KEY", "OS_SECRET_KEY"]),
    ];
    key_of(environment, names, "HW_SECURITY_TOKEN")
}

fn key_of(
    environment: &Environment,
    names: [&'static str; 2],
    token: &str,
) -> Result<Found, Error> {
    let [access_key, secret_key] = environment.together(names)?;
    let key = AccessKey {
        security_token: environment.variable(token).map(Into::into),
        project_id: environment.first_of(&PROJECT_VARIABLES),
        ..AccessKey::new(access_key, secret_key)
    };
    Ok(Found::Key(key, names))
}

fn token(environment: &Environment) -> Result<Found, Error> {
    let name = first_set(environment, &["HW_AUTH_TOKEN", "OS_AUTH_TOKEN"]);
    let token = Token {
        project_id: environment.first_of(&PROJECT_VARIABLES),
        ..Token::new(environment.required(name)?)
    };
    Ok(Found::Token(token, name))
}

fn password(environment: &Environment) -> Result<Found, Error> {
    const DOMAINS: [&str; 4] = [
        "HW_DOMAIN_NAME",
        "OS_DOMAIN_NAME",
        "OS_USER_DOMAIN_NAME",
        "OS_PROJECT_DOMAIN_NAME",
    ];
    let domain = first_set(environment, &DOMAINS);
    let names = [
        domain,
        first_set(environment, &["HW_USER_NAME", "OS_USERNAME"]),
        first_set(environment, &["HW_USER_PASSWORD", "OS_PASSWORD"]),
    ];
    let [domain, user, password] = environment.together(names).map_err(|error| {
        // By itself, a domain is no sign of a password: keys are used with it, too.
        match names[1..]
            .iter()
            .any(|name| environment.variable(name).is_some())
        {
            true => error,
            false => error.with_lack(Lack::NotSetUp),
        }
    })?;
    let source = IamPassword::new(domain, user, password);
    Ok(Found::Password(
        match environment.first_of(&PROJECT_VARIABLES) {
            Some(project_id) => source.project_id(project_id),
            None => source,
        },
    ))
}

/// The first that is set; where none is, the one that comes first.
fn first_set(environment: &Environment, names: &[&'static str]) -> &'static str {
    let mut all = names.iter().copied();
    let set = all.find(|name| environment.variable(name).is_some());
    set.or(names.first().copied()).unwrap_or_default()
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
            match find(&context.environment())? {
                Found::IdToken(source) => source.provide(context).await,
                Found::Key(key, [id, secret]) => {
                    let checked = key.check();
                    checked.map_err(|error| error.within(format_args!("`{id}`, `{secret}`")))?;
                    key.provide(context).await
                }
                Found::Token(token, name) => {
                    let checked = token.text.check("token");
                    checked.map_err(|error| error.within(format_args!("`{name}`")))?;
                    token.provide(context).await
                }
                Found::Password(password) => password.provide(context).await,
            }
        })
    }
}
