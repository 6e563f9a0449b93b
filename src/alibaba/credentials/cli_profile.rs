//! Profiles of the command line tool: `~/.aliyun/config.json`.

mod cloud_sso;
mod modes;
mod sign_in;

use std::{borrow::Cow, fmt, path::PathBuf, sync::Arc};

use serde::de::IgnoredAny;

use super::{
    Credentials,
    choice::{Choice, profile_setters},
};
use crate::{
    error::{Error, ErrorKind, Lack},
    payload::Secret,
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        environment::Environment,
        json::{Object, Raw},
        named_texts::NamedTexts,
    },
};

/// A profile of the Alibaba Cloud CLI, from `~/.aliyun/config.json`.
///
/// The file is read at each refresh. The profile is the one named here, else by
/// `ALIBABA_CLOUD_PROFILE`, else the file's `current`. `ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true`
/// switches the source off. Any other mode than these is an error that names it:
///
/// - `AK`, `StsToken`: the key in the file.
/// - `RamRoleArn`, `ChainableRamRoleArn`, `RamRoleArnWithEcs`, `OIDC`: a role, from STS.
/// - `EcsRamRole`, `CredentialsURI`: as [`EcsRamRole`](super::EcsRamRole) and
///   [`CredentialsUri`](super::CredentialsUri).
/// - `CloudSSO`: a key for the sign-in that the CLI has made. `OAuth`: the key that the CLI has
///   stored, until it ends. Neither sign-in is renewed here; the error says which command to run.
/// - `External`: what a program prints. It is run without a shell, its words parted as a POSIX
///   shell parts them, and killed after 60 s; a client gives a source 10 s in all, so through one
///   it has no more than that. Without an `expiration` in what it prints, it is run for every call.
///   `ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS=true` forbids it.
///
/// Source: Alibaba Cloud, CLI; Credentials for Python, Go and Java.
#[derive(Clone, Default)]
pub struct CliProfile {
    choice: Choice,
}

impl CliProfile {
    /// The chosen profile of `ALIBABA_CLOUD_CONFIG_FILE`, else of `~/.aliyun/config.json`.
    pub fn new() -> Self {
        Self::default()
    }

    profile_setters!();

    /// The region of the profile, as a client from the environment has it. Blocks the thread.
    pub(in crate::alibaba) fn region(environment: &Environment) -> Result<String, Error> {
        let source = Self::new();
        let (path, is_named) = source.path(environment)?;
        let text = environment.read_now(&path);
        let text = text.map_err(|error| absent(error, is_named))?;
        let found = source.find(environment, &path, &text)?;
        let region = found.profile()?.get("region_id").map(str::trim);
        let region = region.filter(|region| !region.is_empty());
        let region = region.ok_or_else(|| error(format!("{}: no `region_id`", found.place)));
        region.map(str::to_owned)
    }

    /// Where the file is, and whether that was chosen.
    fn path(&self, environment: &Environment) -> Result<(PathBuf, bool), Error> {
        const DISABLED: &str = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED";
        if environment.flag(DISABLED) {
            return Err(Error::not_set_up(format!("switched off by `{DISABLED}`")));
        }
        Ok(
            match self.choice.file(environment, "ALIBABA_CLOUD_CONFIG_FILE") {
                Some(path) => (path, true),
                None => (environment.in_home(".aliyun/config.json")?, false),
            },
        )
    }

    fn find(
        &self,
        environment: &Environment,
        path: &std::path::Path,
        text: &Secret,
    ) -> Result<Found, Error> {
        let shown = environment.shown(path);
        // Editors on Windows put a mark in front.
        let text = text.expose().trim_start_matches('\u{feff}');
        // The library's words could quote the file.
        let config = Config::read(text).map_err(|(line, column)| {
            error(format!(
                "{shown} is not JSON of a configuration (line {line}, column {column})"
            ))
        })?;
        let chosen = self.choice.profile(environment);
        let is_chosen = chosen.is_some();
        let Some(name) = chosen.or_else(|| config.current.clone()) else {
            return Err(Error::not_set_up(format!("{shown} has no `current`")));
        };
        let found = Found {
            place: format!("profile `{name:.64}` of {shown}"),
            config,
            name,
        };
        match found.config.profile(&found.name) {
            None if is_chosen => Err(self.choice.not_found(&found.place)),
            None => Err(error(format!("{}, its `current`: not found", found.place))),
            // What the CLI writes before it is set up.
            Some(profile) if !is_chosen && profile.is_blank() => {
                Err(Error::not_set_up(format!("{} holds no key", found.place)))
            }
            Some(_) => Ok(found),
        }
    }

    async fn load(&self, context: &Context) -> Result<Lease<Credentials>, Error> {
        let environment = context.environment();
        let (path, is_named) = self.path(&environment)?;
        let text = environment.read(&path).await;
        let text = text.map_err(|error| absent(error, is_named))?;
        let found = self.find(&environment, &path, &text)?;
        context.note_source(&found.place);
        let mut way = Vec::new();
        let lease = match found.config.source(&found.name, &mut way) {
            Ok(source) => source.provide(context).await,
            // The profile that is wrong is the last one on the way.
            Err(fault) => Err(match way.last().filter(|last| **last != found.name) {
                Some(last) => fault.within(format_args!("profile `{last:.64}`")),
                None => fault,
            }),
        };
        lease.map_err(|fault| fault.within(&found.place).named())
    }
}

/// A file that is not there says that the source is not set up, unless someone chose it.
fn absent(error: Error, is_named: bool) -> Error {
    match error.kind() {
        ErrorKind::NotFound if !is_named => error.with_lack(Lack::NotSetUp),
        _ => error,
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

struct Config {
    current: Option<String>,
    profiles: Vec<NamedTexts>,
}

/// The chosen profile, which is there.
struct Found {
    config: Config,
    name: String,
    /// The profile and its file, as messages call them.
    place: String,
}

impl Found {
    fn profile(&self) -> Result<&NamedTexts, Error> {
        let profile = self.config.profile(&self.name);
        profile.ok_or_else(|| error("not found"))
    }
}

impl Config {
    /// Reads a file; the error says where it makes no sense.
    fn read(text: &str) -> Result<Self, (usize, usize)> {
        // Typing errors are to be found by whoever wrote it, so that nothing is passed over.
        serde_json::from_str::<IgnoredAny>(text).map_err(|fault| (fault.line(), fault.column()))?;
        let file = Object::read(text).map_err(|_| (1, 1))?;
        let profiles = file.get("profiles").and_then(Raw::items);
        let profiles = profiles.unwrap_or_default().into_iter();
        Ok(Self {
            current: file.text("current").map(Cow::into_owned),
            profiles: profiles
                .filter_map(Raw::object)
                .map(|profile| NamedTexts::of(&profile))
                .collect(),
        })
    }

    fn profile(&self, name: &str) -> Option<&NamedTexts> {
        let mut profiles = self.profiles.iter();
        profiles.find(|profile| profile.get("name") == Some(name))
    }

    /// What a profile stands for. `way` is how we came here, by names.
    fn source(
        &self,
        name: &str,
        way: &mut Vec<String>,
    ) -> Result<Arc<dyn ProvideCredential<Credentials>>, Error> {
        if way.len() == LONGEST_CHAIN {
            return Err(error(format!(
                "`source_profile` leads further than {LONGEST_CHAIN} profiles"
            )));
        }
        if way.iter().any(|seen| seen == name) {
            return Err(error(format!(
                "`source_profile` leads back to `{name:.64}`"
            )));
        }
        way.push(name.to_owned());
        let profile = self.profile(name).ok_or_else(|| error("not found"))?;
        modes::source(profile, name, |source| self.source(source, way))
    }
}

fn error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Credentials, message)
}
