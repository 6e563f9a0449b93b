//! Where the services are: FunctionGraph and IAM.

use url::Url;

use crate::{
    error::Error,
    pipeline::{
        credential::Context,
        settings::{Settings, check_region},
    },
};

/// Regions with an IAM of their own; all others are served by the global one.
///
/// Source: the official Python core 3.1.219.
const IAM_REGIONS: &[&str] = &[
    "ae-ad-1",
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-east-5",
    "cn-north-1",
    "cn-north-12",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-south-1",
    "cn-south-2",
    "cn-southwest-2",
    "eu-west-0",
    "la-north-2",
    "la-south-2",
    "me-east-1",
    "my-kualalumpur-1",
    "na-mexico-1",
    "ru-moscow-1",
    "sa-brazil-1",
    "tr-west-1",
];

/// Regions with an STS of their own; all others are served by that of cn-north-4.
///
/// Source: the official Python core 3.1.219.
const STS_REGIONS: &[&str] = &[
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "cn-east-3",
    "cn-north-4",
    "cn-south-1",
    "cn-southwest-2",
    "la-south-2",
    "sa-brazil-1",
    "tr-west-1",
];

/// A region is any text that fits a host name: new regions need no new version of this crate.
pub(super) fn function_graph(region: &str, settings: &Settings) -> Result<Url, Error> {
    check_region(region)?;
    settings.endpoint(
        "region",
        &format!("functiongraph.{region}.myhuaweicloud.com"),
    )
}

/// The region's IAM, or the global one where the region has none or is not known.
pub(super) fn iam(region: Option<&str>, settings: &Settings) -> Result<Url, Error> {
    let host = match region {
        Some(region) if IAM_REGIONS.contains(&region) => format!("iam.{region}.myhuaweicloud.com"),
        _ => "iam.myhuaweicloud.com".to_owned(),
    };
    settings.endpoint("iam_endpoint", &host)
}

/// The IAM that a source of credentials asks: the one the client was told, else the region's.
pub(super) fn iam_for(context: &Context) -> Result<Url, Error> {
    match &context.auth_endpoint {
        Some(told) => Ok(told.clone()),
        None => iam(context.region(), &Settings::default()),
    }
}

/// The host of the region's STS, or of the one that serves where the region has none.
pub(super) fn sts_host(region: Option<&str>) -> String {
    let region = region.filter(|region| STS_REGIONS.contains(region));
    format!("sts.{}.myhuaweicloud.com", region.unwrap_or("cn-north-4"))
}
