//! Profiles of the SDKs: `~/.alibabacloud/credentials`.

use std::{fmt, path::PathBuf, sync::Arc};

use super::{
    AssumeRole, AssumeRoleWithOidc, Credentials, EcsRamRole,
    choice::{Choice, profile_setters},
    keys::lease,
    sts::Role,
};
use crate::{
    error::{Error, ErrorKind, Lack},
    payload::Secret,
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        environment::Environment,
        named_texts::{NamedTexts, Remarks, sections},
    },
};

/// A section of the credentials file that Alibaba Cloud's SDKs share.
///
/// Types `access_key`, `ram_role_arn`, `oidc_role_arn` and `ecs_ram_role`; `rsa_key_pair` and any
/// other are errors. A value ends at the first `#`; behind a section's name there may be a remark.
/// The file is read at each refresh.
///
/// The file is the one named here, else by `ALIBABA_CLOUD_CREDENTIALS_FILE`, else
/// `~/.alibabacloud/credentials` or, where that is not there, `~/.alibabacloud/credentials.ini`.
/// The section is the one named here, else by `ALIBABA_CLOUD_PROFILE`, else `default`.
///
/// Source: Alibaba Cloud, Credentials for Python, Go and Java.
#[derive(Clone, Default)]
pub struct IniProfile {
    choice: Choice,
}

impl IniProfile {
    /// The chosen section of the file.
    pub fn new() -> Self {
        Self::default()
    }

    profile_setters!();

    /// The file and what is in it.
    async fn read(&self, environment: &Environment) -> Result<(PathBuf, Secret), Error> {
        if let Some(path) = self
            .choice
            .file(environment, "ALIBABA_CLOUD_CREDENTIALS_FILE")
        {
            let text = environment.read(&path).await?;
            return Ok((path, text));
        }
        let mut absent = None;
        for name in [".alibabacloud/credentials", ".alibabacloud/credentials.ini"] {
            let path = environment.in_home(name)?;
            match environment.read(&path).await {
                Ok(text) => return Ok((path, text)),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    absent.get_or_insert(error.with_lack(Lack::NotSetUp));
                }
                Err(error) => return Err(error),
            }
        }
        Err(absent.unwrap_or_else(|| error("there is no file")))
    }

    async fn load(&self, context: &Context) -> Result<Lease<Credentials>, Error> {
        let environment = context.environment();
        let (path, text) = self.read(&environment).await?;
        let name = self.choice.profile(&environment);
        let name = name.unwrap_or_else(|| "default".to_owned());
        let place = format!("section `[{name:.64}]` of {}", environment.shown(&path));
        let sections = sections(text.expose(), Remarks::Anywhere);
        let section = sections.get(&name);
        let section = section.ok_or_else(|| self.choice.not_found(&place))?;
        let lease = async {
            match source(section)? {
                Source::Key(key) => lease(*key),
                Source::Other(source) => source.provide(context).await,
            }
        };
        lease.await.map_err(|fault| fault.within(place).named())
    }
}

impl fmt::Debug for IniProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IniProfile(..)")
    }
}

impl ProvideCredential<Credentials> for IniProfile {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(self.load(context))
    }
}

enum Source {
    Key(Box<Credentials>),
    Other(Arc<dyn ProvideCredential<Credentials>>),
}

fn source(section: &NamedTexts) -> Result<Source, Error> {
    let role = || -> Result<Role, Error> {
        Ok(Role {
            session_name: section.owned("role_session_name"),
            policy: section.owned("policy"),
            ..Role::new(section.required("role_arn")?)
        })
    };
    Ok(Source::Other(match section.required("type")? {
        "access_key" => return Ok(Source::Key(Box::new(section.access_key()?))),
        "ram_role_arn" => Arc::new(AssumeRole::of(Arc::new(section.access_key()?), role()?)),
        "oidc_role_arn" => Arc::new(AssumeRoleWithOidc::of(
            role()?,
            section.required("oidc_provider_arn")?.to_owned(),
            section.required("oidc_token_file_path")?.into(),
        )),
        "ecs_ram_role" => Arc::new(match section.get("role_name") {
            Some(name) => EcsRamRole::new().role_name(name),
            None => EcsRamRole::new(),
        }),
        "rsa_key_pair" => {
            return Err(error(
                "type `rsa_key_pair` is not supported: use an access key or a role",
            ));
        }
        kind => return Err(error(format!("type `{kind:.64}` is not supported"))),
    }))
}

fn error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Credentials, message)
}
