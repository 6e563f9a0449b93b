//! Where the service is: `{region}.fnf.aliyuncs.com` and its siblings.

use url::Url;

use crate::{
    error::Error,
    pipeline::{credential::Context, settings::Settings},
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

/// The vendor's domains.
pub(super) const DOMAINS: &[&str] = &["aliyuncs.com"];

/// Regions of CloudFlow, whose roles are taken on at the STS that serves all regions.
///
/// Source: Alibaba Cloud, CloudFlow, endpoints.
const REGIONS: &[&str] = &[
    "ap-southeast-1",
    "cn-beijing",
    "cn-hangzhou",
    "cn-qingdao",
    "cn-shanghai",
    "cn-shenzhen",
    "us-west-1",
];

/// A region is any text that fits a host name: new regions need no new version of this crate.
pub(super) fn of_region(region: &str, network: Network, settings: &Settings) -> Result<Url, Error> {
    let suffix = match network {
        Network::Public => "",
        Network::Vpc => "-internal",
        Network::Classic => "-classic",
    };
    settings.endpoint("region", &format!("{region}{suffix}.fnf.aliyuncs.com"))
}

/// The STS that a role's key is asked for: the one the client was told, else that of the region
/// that the source names, else that of the client's.
pub(super) fn sts_for(
    context: &Context,
    sts_region: Option<&str>,
    vpc: bool,
) -> Result<Url, Error> {
    if let Some(told) = &context.auth_endpoint {
        return Ok(told.clone());
    }
    let region = match sts_region {
        Some(region) => Some(region),
        None => {
            context.check_vendor_is_meant("sts_endpoint")?;
            context.region().filter(|region| !is_listed(region))
        }
    };
    let host = match (region, vpc) {
        (None, _) => "sts.aliyuncs.com".to_owned(),
        (Some(region), false) => format!("sts.{region}.aliyuncs.com"),
        (Some(region), true) => format!("sts-vpc.{region}.aliyuncs.com"),
    };
    Settings::default().endpoint("sts_region", &host)
}

fn is_listed(region: &str) -> bool {
    REGIONS.iter().any(|one| one.eq_ignore_ascii_case(region))
}
