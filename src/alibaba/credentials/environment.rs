//! Keys in variables.

use std::fmt;

use super::Credentials;
use crate::{
    error::{Error, Lack},
    payload::Secret,
    pipeline::visible::check_visible,
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        environment::Environment,
    },
};

const ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
const SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
const TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";

/// The key in `ALIBABA_CLOUD_ACCESS_KEY_ID` and `ALIBABA_CLOUD_ACCESS_KEY_SECRET`, a temporary one
/// with `ALIBABA_CLOUD_SECURITY_TOKEN`. An empty variable counts as unset.
///
/// It is read once, and not renewed. Half a key, or one with a line end, another character that is
/// not visible ASCII, or nothing in it is [`ErrorKind::Credentials`](crate::ErrorKind::Credentials).
///
/// Source: Alibaba Cloud, Credentials for Python, Go and Java.
#[derive(Clone, Copy, Default)]
pub struct EnvironmentCredentials;

impl EnvironmentCredentials {
    /// The source; variables are read when a credential is first needed.
    pub fn new() -> Self {
        Self
    }
}

fn read(environment: &Environment) -> Result<Credentials, Error> {
    let token = environment.variable(TOKEN).map(Secret::new);
    let key = environment.together([ID, SECRET]);
    let [id, secret] = key.map_err(|error| match token {
        // A token without its key is the rest of one.
        Some(_) => error.with_lack(Lack::Local),
        None => error,
    })?;
    let secret = Secret::new(secret);
    check_visible(ID, &id)?;
    secret.check(SECRET)?;
    let key = Credentials::new(id, secret);
    let Some(token) = token else { return Ok(key) };
    token.check(TOKEN)?;
    Ok(key.security_token(token))
}

impl fmt::Debug for EnvironmentCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvironmentCredentials")
    }
}

impl ProvideCredential<Credentials> for EnvironmentCredentials {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(async { read(&context.environment()).map(Lease::fixed) })
    }
}
