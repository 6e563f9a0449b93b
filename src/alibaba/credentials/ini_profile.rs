//! Profiles of the SDKs: `~/.alibabacloud/credentials`.

use std::{fmt, path::PathBuf, sync::Arc};

use super::{AssumeRole, AssumeRoleWithOidc, Credentials, EcsRamRole, fields::lease, sts::Role};
use crate::{
    error::{Error, ErrorKind},
    payload::Secret,
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        fields::{Fields, Remarks, sections},
    },
};

/// A section of the credentials file that Alibaba Cloud's SDKs share.
///
/// Types `access_key`, `ram_role_arn`, `oidc_role_arn` and `ecs_ram_role`; `rsa_key_pair` and any
/// other are errors. A value ends at the first `#`. The file is read at each refresh.
///
/// The file is the one named here, else by `ALIBABA_CLOUD_CREDENTIALS_FILE`, else
/// `~/.alibabacloud/credentials` or, where that is not there, `~/.alibabacloud/credentials.ini`.
/// The section is the one named here, else by `ALIBABA_CLOUD_PROFILE`, else `default`.
///
/// Source: Alibaba Cloud, Credentials for Python, Go and Java.
#[derive(Clone, Default)]
pub struct IniProfile {
    profile: Option<String>,
    file: Option<PathBuf>,
}

impl IniProfile {
    /// The chosen section of the file.
    pub fn new() -> Self {
        Self::default()
    }

    /// The section of this name.
    #[must_use]
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// The file to read instead.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    async fn read(&self, context: &Context) -> Result<Secret, Error> {
        let environment = context.environment();
        let given = self.file.clone();
        if let Some(path) = given.or_else(|| environment.path("ALIBABA_CLOUD_CREDENTIALS_FILE")) {
            return environment.read(&path).await;
        }
        let first = environment.in_home(".alibabacloud/credentials")?;
        match environment.read(&first).await {
            Err(absent) if absent.kind() == ErrorKind::NotFound => {
                let second = environment.in_home(".alibabacloud/credentials.ini")?;
                match environment.read(&second).await {
                    Err(error) if error.kind() == ErrorKind::NotFound => Err(absent),
                    read => read,
                }
            }
            read => read,
        }
    }

    async fn load(&self, context: &Context) -> Result<Lease<Credentials>, Error> {
        let text = self.read(context).await?;
        let name = self.profile.clone();
        let name = name
            .or_else(|| context.environment().variable("ALIBABA_CLOUD_PROFILE"))
            .unwrap_or_else(|| "default".to_owned());
        let sections = sections(text.expose(), Remarks::Anywhere);
        let section = sections
            .get(&name)
            .ok_or_else(|| error(format!("section `[{name}]` not found")))?;
        let source = source(section)
            .map_err(|fault| error(format!("section `[{name}]`: {}", fault.message())))?;
        match source {
            Source::Key(key) => lease(key),
            Source::Other(source) => source.provide(context).await,
        }
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
    Key(Credentials),
    Other(Arc<dyn ProvideCredential<Credentials>>),
}

fn source(section: &Fields) -> Result<Source, Error> {
    let role = || -> Result<Role, Error> {
        Ok(Role {
            session_name: section.owned("role_session_name"),
            policy: section.owned("policy"),
            ..Role::new(section.required("role_arn")?)
        })
    };
    Ok(Source::Other(match section.required("type")? {
        "access_key" => return Ok(Source::Key(section.access_key()?)),
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
