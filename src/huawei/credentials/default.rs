//! The chain of sources that Huawei Cloud's SDKs try.

use super::{EcsMetadata, EnvironmentCredentials, OidcSts, PodIdentity, Profile};
use crate::{
    error::Error,
    huawei::credential::Credential,
    pipeline::{
        chain::{Chain, Source, default_credentials},
        credential::{BoxFuture, Context, Lease, ProvideCredential},
    },
};

default_credentials! {
    /// The sources that Huawei Cloud's SDKs try, in their order; the first that serves is used:
    ///
    /// 1. [`OidcSts::from_env`]
    /// 2. [`EnvironmentCredentials`]
    /// 3. [`Profile`]
    /// 4. [`EcsMetadata`]
    /// 5. [`PodIdentity::from_env`]
    ///
    /// A source that is not set up gives way to the next one. Other than in the SDKs, one that the
    /// user set up (half a key, a password that IAM refuses, a file by its name) ends the chain where
    /// it fails, and its reason is the whole error: the machine's own agency never stands in for a
    /// mistake.
    ///
    /// The source that served is asked again at the next refresh, and alone where it fails in
    /// passing, so that an outage does not change who the client is. One that is gone gives way to
    /// the whole chain. A wrong password is not asked for again within five minutes, unless the
    /// variables change.
    ///
    /// Where nothing is set up and the machine has no agency, the error of
    /// [`ErrorKind::Credentials`](crate::ErrorKind::Credentials) says what failed, and names the
    /// sources that are not set up. All of them together have 9.5 s.
    ///
    /// Source: the official Python core 3.1.219.
    Credential: [
        Source::new("OIDC", OidcSts::from_env()),
        Source::new("environment", EnvironmentCredentials::new()),
        Source::new("profile", Profile::new()),
        Source::of_machine("ECS metadata", EcsMetadata::new()),
        Source::new("pod identity", PodIdentity::from_env()),
    ]
}
