//! The file of the SDKs: `~/.huaweicloud/credentials`.

use std::{fmt, path::PathBuf};

use super::{AccessKey, Credential, IdToken};
use crate::{
    error::{Error, ErrorKind},
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        fields::{Fields, Remarks, sections},
        settings::Settings,
    },
};

/// The section `[basic]` of the credentials file that Huawei Cloud's SDKs share.
///
/// Keys `ak`, `sk`, `security_token`, `project_id` (where the client is not told one) and
/// `iam_endpoint` (https; where the client is not told one). The pair `idp_id` and `id_token_file` wins over
/// `ak` and `sk`, as [`IdToken`]. The file is read at each refresh: the one
/// named here, else by `HUAWEICLOUD_SDK_CREDENTIALS_FILE`, else `~/.huaweicloud/credentials`.
///
/// Source: the official Python core 3.1.219.
#[derive(Clone, Default)]
pub struct Profile {
    file: Option<PathBuf>,
}

impl Profile {
    /// The section in the chosen file.
    pub fn new() -> Self {
        Self::default()
    }

    /// The file to read instead.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    async fn load(&self, context: &Context) -> Result<Lease<Credential>, Error> {
        let environment = context.environment();
        let given = self.file.clone();
        let path = match given.or_else(|| environment.path("HUAWEICLOUD_SDK_CREDENTIALS_FILE")) {
            Some(path) => path,
            None => environment.in_home(".huaweicloud/credentials")?,
        };
        let text = environment.read(&path).await?;
        let sections = sections(text.expose(), Remarks::WholeLines);
        let section = sections
            .get("basic")
            .ok_or_else(|| Error::new(ErrorKind::Credentials, "section `[basic]` not found"))?;
        let mut context = context.clone();
        if let (None, Some(endpoint)) = (&context.auth_endpoint, section.get("iam_endpoint")) {
            let endpoint = Settings::default().endpoint("iam_endpoint", endpoint)?;
            context.auth_endpoint = Some(endpoint);
        }
        if let (Some(idp_id), Some(file)) = (section.get("idp_id"), section.get("id_token_file")) {
            let mut source = IdToken::new(idp_id, file);
            if let Some(project_id) = section.get("project_id") {
                source = source.project_id(project_id);
            }
            return source.provide(&context).await;
        }
        let key = key(section).map_err(|fault| {
            let message = format!("section `[basic]`: {}", fault.message());
            Error::new(ErrorKind::Credentials, message)
        })?;
        let key = key.with_project(&context).await?;
        Ok(Lease::new(key.into()))
    }
}

fn key(section: &Fields) -> Result<AccessKey, Error> {
    let key = AccessKey::new(section.required("ak")?, section.required("sk")?);
    Ok(AccessKey {
        security_token: section.get("security_token").map(Into::into),
        project_id: section.owned("project_id"),
        ..key
    })
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Profile(..)")
    }
}

impl ProvideCredential<Credential> for Profile {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(self.load(context))
    }
}
