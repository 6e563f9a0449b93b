//! What the modes of profiles stand for.

use std::{fmt, sync::Arc};

use super::{cloud_sso::CloudSso, error, sign_in::SignIn};
use crate::{
    alibaba::credentials::{
        AssumeRole, AssumeRoleWithOidc, Credentials, CredentialsUri, EcsRamRole, keys::lease,
        sts::Role,
    },
    error::Error,
    payload::{Secret, is_object},
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        json::Object,
        named_texts::NamedTexts,
        times::parse_time,
    },
};

type Source = Arc<dyn ProvideCredential<Credentials>>;

/// What a profile stands for; `other` finds the one that it builds on.
pub(super) fn source(
    profile: &NamedTexts,
    name: &str,
    other: impl FnOnce(&str) -> Result<Source, Error>,
) -> Result<Source, Error> {
    Ok(match profile.required("mode")? {
        "AK" => Arc::new(Stored::of_file(profile.access_key()?)),
        "StsToken" => Arc::new(Stored::of_file(profile.temporary_key()?)),
        "RamRoleArn" => Arc::new(AssumeRole::of(
            Arc::new(profile.access_key()?),
            role(profile)?,
        )),
        "RamRoleArnWithEcs" => Arc::new(AssumeRole::of(Arc::new(machine(profile)), role(profile)?)),
        "ChainableRamRoleArn" => {
            let role = role(profile)?;
            Arc::new(AssumeRole::of(
                other(profile.required("source_profile")?)?,
                role,
            ))
        }
        "EcsRamRole" => Arc::new(machine(profile)),
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
        "CredentialsURI" => Arc::new(CredentialsUri::new(profile.required("credentials_uri")?)),
        "CloudSSO" => Arc::new(CloudSso {
            sign_in_url: profile.required("cloud_sso_sign_in_url")?.to_owned(),
            account_id: profile.required("cloud_sso_account_id")?.to_owned(),
            access_config: profile.required("cloud_sso_access_config")?.to_owned(),
            session: SignIn::of(profile, "CloudSSO", "cloud_sso_access_token_expire", name),
            token: profile.get("access_token").map(Secret::new),
        }),
        "OAuth" => Arc::new(Stored {
            session: Some(SignIn::of(profile, "OAuth", "sts_expiration", name)),
            key: match profile.get("access_key_id") {
                Some(_) => Some(profile.temporary_key()?),
                None => None,
            },
        }),
        "External" => Arc::new(External {
            command: Secret::new(profile.required("process_command")?),
        }),
        mode => return Err(error(format!("mode `{mode:.64}` is not supported"))),
    })
}

impl NamedTexts {
    /// Whether it is a profile in which nobody has put a key.
    pub(super) fn is_blank(&self) -> bool {
        let has_key = self.first_of(&["access_key_id", "access_key_secret"]);
        self.get("mode") == Some("AK") && has_key.is_none()
    }
}

fn machine(profile: &NamedTexts) -> EcsRamRole {
    match profile.get("ram_role_name") {
        Some(name) => EcsRamRole::new().role_name(name),
        None => EcsRamRole::new(),
    }
}

fn role(profile: &NamedTexts) -> Result<Role, Error> {
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

/// A key of the file: where the service no longer takes it, the file may hold another.
struct Stored {
    key: Option<Credentials>,
    /// What it came from, where the CLI got it.
    session: Option<SignIn>,
}

impl Stored {
    fn of_file(key: Credentials) -> Self {
        Self {
            key: Some(key),
            session: None,
        }
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}

impl ProvideCredential<Credentials> for Stored {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(async {
            match (&self.key, &self.session) {
                (Some(key), None) => lease(key.clone()),
                (Some(key), Some(session)) => {
                    let ends = session.check(context.now())?;
                    Ok(lease(key.clone())?.expires_at(ends))
                }
                (None, Some(session)) => Err(session.over()),
                (None, None) => Err(error("there is no key")),
            }
        })
    }
}

/// A program that prints a key.
struct External {
    command: Secret,
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("External(..)")
    }
}

impl External {
    async fn load(&self, context: &Context) -> Result<Lease<Credentials>, Error> {
        const DISABLED: &str = "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS";
        let environment = context.environment();
        if environment.flag(DISABLED) {
            return Err(error(format!("no program is run: `{DISABLED}` is `true`")));
        }
        let output = environment.run(self.command.expose()).await?;
        let printed = Object::read(output.expose()).ok();
        let printed = printed
            .filter(|_| is_object(output.expose()))
            .ok_or_else(|| error("what the credential process wrote is not a JSON object"))?;
        let printed = NamedTexts::of(&printed);
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
        match printed.get("expiration").map(parse_time) {
            Some(Some(end)) => Ok(lease(key)?.expires_at(end)),
            Some(None) => Err(error("`expiration` is not a time")),
            None => key.check().map(|()| Lease::for_now(key, context.now())),
        }
    }
}

impl ProvideCredential<Credentials> for External {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credentials>, Error>> {
        Box::pin(self.load(context))
    }
}
