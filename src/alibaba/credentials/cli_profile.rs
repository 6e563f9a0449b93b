//! Profiles of the command line tool: `~/.aliyun/config.json`.

use std::{fmt, path::PathBuf, sync::Arc};

use serde::Deserialize;

use super::{AssumeRole, AssumeRoleWithOidc, Credentials, EcsRamRole, fields::lease, sts::Role};
use crate::{
    error::{Error, ErrorKind},
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        decode,
        fields::Fields,
    },
};

/// A profile of the Alibaba Cloud CLI, from `~/.aliyun/config.json`.
///
/// Modes `AK`, `StsToken`, `RamRoleArn`, `ChainableRamRoleArn`, `EcsRamRole`, `OIDC` and
/// `External`; any other is an error that names it. The file is read at each refresh. The program
/// of an `External` profile is run without a shell, its arguments split at white space, and killed
/// after 60 s; a client gives a source 10 s in all, so through one it has no more than that.
/// Without an `expiration` in what it prints, it is run for every call.
///
/// The profile is the one named here, else by `ALIBABA_CLOUD_PROFILE`, else the file's `current`.
/// `ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true` switches the source off.
///
/// Source: Alibaba Cloud, CLI; Credentials for Python, Go and Java.
#[derive(Clone, Default)]
pub struct CliProfile {
    profile: Option<String>,
    file: Option<PathBuf>,
}

impl CliProfile {
    /// The chosen profile of `ALIBABA_CLOUD_CONFIG_FILE`, else of `~/.aliyun/config.json`.
    pub fn new() -> Self {
        Self::default()
    }

    /// The profile of this name.
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

    async fn load(&self, context: &Context) -> Result<Lease<Credentials>, Error> {
        let environment = context.environment();
        if environment.flag("ALIBABA_CLOUD_CLI_PROFILE_DISABLED") {
            return Err(error(
                "switched off by `ALIBABA_CLOUD_CLI_PROFILE_DISABLED`",
            ));
        }
        let given = self.file.clone();
        let path = match given.or_else(|| environment.path("ALIBABA_CLOUD_CONFIG_FILE")) {
            Some(path) => path,
            None => environment.in_home(".aliyun/config.json")?,
        };
        let text = environment.read(&path).await?;
        // Editors on Windows put a mark in front.
        let text = text.expose().trim_start_matches('\u{feff}');
        // The library's words could quote the file.
        let config: Config = decode::object(text.as_bytes()).map_err(|fault| {
            let (path, line) = (environment.shown(&path), fault.line());
            error(format!(
                "{path} is not JSON of a configuration (line {line})"
            ))
        })?;
        let name = self.profile.clone();
        let name = name
            .or_else(|| environment.variable("ALIBABA_CLOUD_PROFILE"))
            .or_else(|| config.current.clone())
            .ok_or_else(|| error(format!("{} has no `current`", environment.shown(&path))))?;
        let mut path = Vec::new();
        let source = config.source(&name, &mut path).map_err(|fault| {
            // The profile that is wrong is the last one on the way.
            let name = path.last().unwrap_or(&name);
            error(format!("profile `{name}`: {fault}"))
        })?;
        source.provide(context).await
    }
}

impl fmt::Debug for CliProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CliProfile(..)")
    }
}

impl ProvideCredential<Credentials> for CliProfile {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(self.load(context))
    }
}

/// How many profiles may stand behind one another: each one is a source within a source, and a file
/// of thousands would overflow the stack.
const LONGEST_CHAIN: usize = 16;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    #[serde(deserialize_with = "decode::text")]
    current: Option<String>,
    #[serde(deserialize_with = "decode::list")]
    profiles: Vec<Fields>,
}

impl Config {
    /// What a profile stands for. `path` is how we came here, by names.
    fn source(
        &self,
        name: &str,
        path: &mut Vec<String>,
    ) -> Result<Arc<dyn ProvideCredential<Credentials>>, Error> {
        if path.len() == LONGEST_CHAIN {
            return Err(error(format!(
                "`source_profile` leads further than {LONGEST_CHAIN} profiles"
            )));
        }
        if path.iter().any(|seen| seen == name) {
            return Err(error(format!("`source_profile` leads back to `{name}`")));
        }
        path.push(name.to_owned());
        let mut profiles = self.profiles.iter();
        let profile = profiles
            .find(|profile| profile.get("name") == Some(name))
            .ok_or_else(|| error("not found"))?;
        self.source_of(profile, path)
    }

    fn source_of(
        &self,
        profile: &Fields,
        path: &mut Vec<String>,
    ) -> Result<Arc<dyn ProvideCredential<Credentials>>, Error> {
        Ok(match profile.required("mode")? {
            "AK" => Arc::new(Renewed(profile.access_key()?)),
            "StsToken" => Arc::new(Renewed(profile.temporary_key()?)),
            "RamRoleArn" => Arc::new(AssumeRole::of(
                Arc::new(profile.access_key()?),
                role(profile)?,
            )),
            "ChainableRamRoleArn" => {
                let role = role(profile)?;
                let source = self.source(profile.required("source_profile")?, path)?;
                Arc::new(AssumeRole::of(source, role))
            }
            "EcsRamRole" => Arc::new(match profile.get("ram_role_name") {
                Some(name) => EcsRamRole::new().role_name(name),
                None => EcsRamRole::new(),
            }),
            "OIDC" => {
                let mut role = role(profile)?;
                // One official library reads the one name, the others the other.
                role.session_name = role
                    .session_name
                    .or_else(|| profile.owned("role_session_name"));
                Arc::new(AssumeRoleWithOidc::of(
                    role,
                    profile.required("oidc_provider_arn")?.to_owned(),
                    profile.required("oidc_token_file")?.into(),
                ))
            }
            "External" => Arc::new(External {
                command: profile.required("process_command")?.to_owned(),
            }),
            mode => return Err(error(format!("mode `{mode:.64}` is not supported"))),
        })
    }
}

fn role(profile: &Fields) -> Result<Role, Error> {
    let seconds = profile.get("expired_seconds").filter(|text| *text != "0");
    Ok(Role {
        arn: profile.required("ram_role_arn")?.to_owned(),
        session_name: profile.owned("ram_session_name"),
        duration_seconds: seconds
            .map(str::parse)
            .transpose()
            .map_err(|_| error("`expired_seconds` is not a number of seconds"))?,
        policy: profile.owned("policy"),
        external_id: profile.owned("external_id"),
        region: profile.owned("sts_region"),
        vpc: profile
            .get("enable_vpc")
            .map(|text| text.eq_ignore_ascii_case("true")),
    })
}

/// A key of a file: where the service no longer takes it, the file may hold another.
struct Renewed(Credentials);

impl fmt::Debug for Renewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ProvideCredential<Credentials> for Renewed {
    fn provide<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(async { lease(self.0.clone()) })
    }
}

/// A program that prints a key.
struct External {
    command: String,
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("External(..)")
    }
}

impl ProvideCredential<Credentials> for External {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(async {
            let output = context.environment().run(&self.command).await?;
            let printed: Fields = decode::object(output.expose().as_bytes())
                .map_err(|_| error("what the credential process wrote is not a JSON object"))?;
            let key = match printed.required("mode")? {
                "AK" => printed.access_key()?,
                "StsToken" => printed.temporary_key()?,
                _ => {
                    return Err(error(
                        "the credential process gave neither `AK` nor `StsToken`",
                    ));
                }
            };
            // Without an end, it is good for the calls that wait for it now, and no others.
            let expires_at = match printed.get("expiration") {
                Some(text) => {
                    decode::parse_time(text).ok_or_else(|| error("`expiration` is not a time"))?
                }
                None => context.now(),
            };
            Ok(lease(key)?.expires_at(expires_at))
        })
    }
}

fn error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Credentials, message)
}
