//! Where the service is: `{region}.fnf.aliyuncs.com` and its siblings.

use url::Url;

use crate::{
    error::Error,
    pipeline::settings::{Settings, check_region},
};

/// The network from which the service is called.
///
/// Source: Alibaba Cloud, CloudFlow, "Service access".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Network {
    /// The public one: `{region}.fnf.aliyuncs.com`.
    #[default]
    Public,
    /// A VPC in the region: `{region}-internal.fnf.aliyuncs.com`.
    Vpc,
    /// The classic network: `{region}-classic.fnf.aliyuncs.com`.
    Classic,
}

/// A region is any text that fits a host name: new regions need no new version of this crate.
pub(super) fn of_region(region: &str, network: Network, settings: &Settings) -> Result<Url, Error> {
    check_region(region)?;
    let suffix = match network {
        Network::Public => "",
        Network::Vpc => "-internal",
        Network::Classic => "-classic",
    };
    settings.endpoint("region", &format!("{region}{suffix}.fnf.aliyuncs.com"))
}
