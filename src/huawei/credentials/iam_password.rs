//! Tokens by password.

use std::{fmt, future::Future, sync::Arc};

use crate::{
    error::Error,
    huawei::{
        credential::Credential,
        tokens::{CreateToken, Scope},
    },
    payload::Secret,
    pipeline::credential::{BoxFuture, Context, Lease, ProvideCredential},
};

/// Gets tokens from IAM by domain, user and password (`POST /v3/auth/tokens`), for the client's
/// project or, where it was told none by id or name, for the one that bears the region's name.
///
/// A token lives 24 hours. One is shared by all clones of the client, and renewed ahead of its
/// end. A wrong password is asked for once in five minutes, so that it does not lock the user.
/// For a user with multi-factor authentication see [`passcode`](Self::passcode).
/// HUAWEI ID accounts cannot get a token by password: create an IAM user.
///
/// Source: Huawei Cloud, IAM, "Obtaining a User Token Through Password Authentication".
#[derive(Clone)]
pub struct IamPassword {
    domain: String,
    user: String,
    password: Secret,
    passcode: Option<Passcode>,
    project_id: Option<String>,
}

/// Asks for what a user's device shows.
#[derive(Clone)]
struct Passcode {
    user_id: String,
    ask: Arc<dyn Fn() -> BoxFuture<'static, Result<Secret, Error>> + Send + Sync>,
}

impl IamPassword {
    /// `domain` is the name of the account that owns the IAM user.
    pub fn new(
        domain: impl Into<String>,
        user: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Self {
        Self {
            domain: domain.into(),
            user: user.into(),
            password: password.into(),
            passcode: None,
            project_id: None,
        }
    }

    /// Signs in with the passcode of the user's virtual MFA device, too: the six digits that it
    /// shows. `user_id` is the id of the IAM user, as IAM wants it there.
    ///
    /// `ask` is called for each token, within the 10 s of a load, and gives the digits or an error
    /// of [`Error::credentials`]. A passcode that IAM refuses (`IAM.1061`) is asked for anew after
    /// 30 s at the earliest, when there is another one.
    ///
    /// Source: IAM, "Obtaining a User Token Through Password and Virtual MFA Authentication"; not
    /// tried on the service.
    ///
    /// ```
    /// use cloud_workflows::huawei::IamPassword;
    ///
    /// # async fn ask_somebody() -> Result<String, cloud_workflows::Error> { Ok("123456".into()) }
    /// let source = IamPassword::new("domain", "user", "password")
    ///     .passcode("the user's id", || ask_somebody());
    /// ```
    #[must_use]
    pub fn passcode<F, A, P>(mut self, user_id: impl Into<String>, ask: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<P, Error>> + Send + 'static,
        P: Into<Secret>,
    {
        self.passcode = Some(Passcode {
            user_id: user_id.into(),
            ask: Arc::new(move || {
                let asked = ask();
                Box::pin(async move { asked.await.map(Into::into) })
            }),
        });
        self
    }

    /// The project to get tokens for, where the client is not told one.
    #[must_use]
    pub fn project_id(mut self, project_id: impl Into<String>) -> Self {
        self.project_id = Some(project_id.into());
        self
    }
}

impl fmt::Debug for IamPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IamPassword(..)")
    }
}

impl ProvideCredential<Credential> for IamPassword {
    fn provide<'a>(
        &'a self,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Lease<Credential>, Error>> {
        Box::pin(async move {
            let scope = Scope::of(context, self.project_id.as_deref())?;
            let passcode = match &self.passcode {
                Some(Passcode { user_id, ask }) => {
                    context.check_may_ask("the user, for the passcode")?;
                    let asked = ask().await.map_err(|error| error.within("the passcode"));
                    Some((user_id.as_str(), asked?))
                }
                None => None,
            };
            let request = CreateToken {
                domain: &self.domain,
                user: &self.user,
                password: &self.password,
                passcode,
                scope,
            };
            request.send(context).await
        })
    }
}
