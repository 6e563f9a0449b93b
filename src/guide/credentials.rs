//! Where keys and tokens come from.
//!
//! A client takes one source of credentials and shares what it gives between all its clones: one
//! load at a time, ahead of its end, with a limit of 10 s. While a refresh fails in passing, calls
//! go on with the credential they have.
//!
//! ```no_run
//! use cloud_workflows::{Error, alibaba, huawei};
//!
//! # async fn example() -> Result<(), Error> {
//! // From where the vendor's own tools find them; the tables below say where that is.
//! let client = alibaba::Client::from_env()?;
//! let client = huawei::Client::from_env()?;
//! // Given by the program.
//! let client = alibaba::Client::builder()
//!     .region("cn-hangzhou")
//!     .credentials(alibaba::Credentials::new("access key id", "access key secret"))
//!     .build()?;
//! let client = huawei::Client::builder()
//!     .region("cn-north-4")
//!     .credentials(huawei::IamPassword::new("domain", "user", "password"))
//!     .build()?;
//! // Source, region and host; asks nobody, shows no secret.
//! println!("{:?}", client.identity().await?);
//! # Ok(())
//! # }
//! ```
//!
//! A source of your own is a dozen lines: [`ProvideCredential`].
//!
//! # What you name is final
//!
//! Half a key, a profile that is not there or a refused password is the whole error. The machine's
//! own role never stands in for it. Where nothing is named, the error says what failed, and which
//! sources are not set up. An empty variable counts as unset.
//!
//! Files are read again for the next call. A sidecar, agent or role that is not ready is asked again
//! within seconds. A refused password is remembered for five minutes, until its variable or file
//! changes, or until [`forget_credentials`](alibaba::Client::forget_credentials).
//!
//! # Alibaba Cloud
//!
//! [`Client::from_env`](alibaba::Client::from_env) uses
//! [`DefaultCredentials`](alibaba::DefaultCredentials), the chain of the official SDKs. The first
//! that is set up is used.
//!
//! | source | what it reads |
//! |---|---|
//! | [`EnvironmentCredentials`](alibaba::EnvironmentCredentials) | `ALIBABA_CLOUD_ACCESS_KEY_ID`, `_ACCESS_KEY_SECRET`, `_SECURITY_TOKEN` |
//! | [`AssumeRoleWithOidc`](alibaba::AssumeRoleWithOidc) | `ALIBABA_CLOUD_ROLE_ARN`, `_OIDC_PROVIDER_ARN`, `_OIDC_TOKEN_FILE`: RRSA on ACK |
//! | [`CliProfile`](alibaba::CliProfile) | `~/.aliyun/config.json` (or `ALIBABA_CLOUD_CONFIG_FILE`): modes `AK`, `StsToken`, `RamRoleArn`, `RamRoleArnWithEcs`, `ChainableRamRoleArn`, `EcsRamRole`, `OIDC`, `CredentialsURI`, `CloudSSO`, `OAuth`, `External` |
//! | [`IniProfile`](alibaba::IniProfile) | `~/.alibabacloud/credentials` or `credentials.ini` (or `ALIBABA_CLOUD_CREDENTIALS_FILE`): types `access_key`, `ram_role_arn`, `oidc_role_arn`, `ecs_ram_role` |
//! | [`EcsRamRole`](alibaba::EcsRamRole) | the instance's metadata service; `ALIBABA_CLOUD_ECS_METADATA` names the role |
//! | [`CredentialsUri`](alibaba::CredentialsUri) | `ALIBABA_CLOUD_CREDENTIALS_URI`; a user and password in it are sent as a header, and stand in no address |
//!
//! Switched off are `CliProfile` by `ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true`, its mode `External`
//! alone by `ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS=true`, and `EcsRamRole` by
//! `ALIBABA_CLOUD_ECS_METADATA_DISABLED=true`.
//!
//! `ALIBABA_CLOUD_PROFILE` names the profile in both files. [`AssumeRole`](alibaba::AssumeRole) takes
//! on a role with the keys of any source. STS is called as `sts_endpoint`, `ALIBABA_CLOUD_STS_REGION`
//! and `ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED` say, else as in [`network`](super::network). A sign-in of
//! mode `CloudSSO` or `OAuth` is used until it ends; then the error names the command to run.
//!
//! The region comes from [variables](alibaba::ClientBuilder::from_env), else from `region_id` of the
//! command line tool's profile, which is read when the client is built.
//!
//! # Huawei Cloud
//!
//! [`Client::from_env`](huawei::Client::from_env) uses its own
//! [`DefaultCredentials`](huawei::DefaultCredentials), in the official order:
//!
//! | source | what it reads |
//! |---|---|
//! | [`OidcSts`](huawei::OidcSts) | `HUAWEICLOUD_OIDC_PROVIDER_URN`, `_AGENCY_URN`, `_TOKEN_FILE` (or `_ID_TOKEN`) |
//! | [`EnvironmentCredentials`](huawei::EnvironmentCredentials) | `HUAWEICLOUD_SDK_IDP_ID` with `_ID_TOKEN_FILE`; then keys: `HUAWEICLOUD_SDK_AK`, `_SK`, `_SECURITY_TOKEN`, or `HW_ACCESS_KEY`, `HW_SECRET_KEY`, `HW_SECURITY_TOKEN` (`OS_..` too); then a token: `HW_AUTH_TOKEN`; then `HW_DOMAIN_NAME`, `HW_USER_NAME`, `HW_USER_PASSWORD` |
//! | [`Profile`](huawei::Profile) | section `[basic]` of `~/.huaweicloud/credentials` (or `HUAWEICLOUD_SDK_CREDENTIALS_FILE`) |
//! | [`EcsMetadata`](huawei::EcsMetadata) | the agency of the instance, from its metadata service |
//! | [`PodIdentity`](huawei::PodIdentity) | `HC_CONTAINER_CREDENTIALS_FULL_URI`, `HC_CONTAINER_AUTHORIZATION_TOKEN_FILE` |
//!
//! [`IdToken`](huawei::IdToken) is IAM's federation, which the pair `idp_id` and `id_token_file` of a
//! profile asks for too. [`AssumeAgency`](huawei::AssumeAgency) takes on an agency of another account
//! with the credential of any source. [`IamPassword::passcode`](huawei::IamPassword::passcode) signs
//! in with a passcode too. A [`Token`](huawei::Token) that you have, or a key
//! ([`AccessKey`](huawei::AccessKey)), is used as it is.
//!
//! Region, project and endpoints come from `HW_REGION_NAME`, `HUAWEICLOUD_SDK_PROJECT_ID` or
//! `HW_PROJECT_ID` (or, by name, `HW_PROJECT_NAME`),
//! `HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_<REGION>`, `HUAWEICLOUD_SDK_IAM_ENDPOINT` or `HW_AUTH_URL`;
//! all of them: [`ClientBuilder::from_env`](huawei::ClientBuilder::from_env).
//!
//! # Deliberately safer than the official SDKs
//!
//! - Requests for metadata never go through a proxy and follow no redirect, whatever `HTTP_PROXY`
//!   says.
//! - Everything has a limit of time: metadata 1 s a request (Huawei Cloud 3 s), the credentials URI
//!   and pod identity 5 s, STS 8 s, the chain 9.5 s. The program of an `External` profile is killed
//!   when nobody waits for it any longer: through a client after 10 s, in any case after 60 s.
//! - Token files, profiles and roles are read again at each refresh, without blocking the runtime,
//!   and a file that was mended is used by the next call.
//! - No poisoned cache: a source that failed is never held on to, nor one that served only because
//!   an earlier one was down. An outage of the source that served does not change who the client is.
//! - A key's life is counted from the `Date` of the answer that brought it: a wrong clock does not
//!   end it.
//! - A secret with a line end, or with characters that no key has, is refused before anything is
//!   sent, and not shown.
//! - A key that is refused three times running is not sent for five minutes but for one probe a
//!   minute, because the services lock keys. Only refusals of the key itself count.

#[cfg(all(doc, feature = "alibaba", feature = "huawei"))]
use crate::{ProvideCredential, alibaba, huawei};
