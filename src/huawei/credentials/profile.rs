//! The file of the SDKs: `~/.huaweicloud/credentials`.

use std::{fmt, path::PathBuf};

use super::IdToken;
use crate::{
    error::{Error, ErrorKind, Lack},
    huawei::credential::{AccessKey, Credential},
    pipeline::{
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        named_texts::{NamedTexts, Remarks, sections},
        settings::Settings,
    },
};

/// The section `[basic]` of the credentials file that Huawei Cloud's SDKs share.
///
/// Keys `ak`, `sk`, `security_token`, `project_id` (where the client is not told one) and
/// `iam_endpoint` (https; where the client is not told one). The pair `idp_id` and `id_token_file` wins over
/// `ak` and `sk`, as [`IdToken`]. Behind a section's name there may be a remark. The file is read
/// at each refresh: the one named here, else by `HUAWEICLOUD_SDK_CREDENTIALS_FILE`, else `~/.huaweicloud/credentials`.
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
        let given = given.or_else(|| environment.path("HUAWEICLOUD_SDK_CREDENTIALS_FILE"));
        let is_named = given.is_some();
        let path = match given {
            Some(path) => path,
            None => environment.in_home(".huaweicloud/credentials")?,
        };
        // A file that nobody named need not be there.
        let absent = |error: Error| match error.kind() {
            ErrorKind::NotFound if !is_named => error.with_lack(Lack::NotSetUp),
            _ => error,
        };
        let text = environment.read(&path).await.map_err(absent)?;
        let place = format!("section `[basic]` of {}", environment.shown(&path));
        let sections = sections(text.expose(), Remarks::WholeLines);
        let section = sections.get("basic").ok_or_else(|| {
            let error = Error::new(ErrorKind::NotFound, format!("{place} not found"));
            absent(error)
        })?;
        let lease = lease(section, context).await;
        lease.map_err(|fault| fault.within(place))
    }
}

async fn lease(section: &NamedTexts, context: &Context) -> Result<Lease<Credential>, Error> {
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
    let key = key(section)?.with_project(&context).await?;
    Ok(Lease::new(key.into()))
}

fn key(section: &NamedTexts) -> Result<AccessKey, Error> {
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
