//! Where the services are: FunctionGraph and IAM.

use url::Url;

use crate::{
    error::Error,
    pipeline::{credential::Context, setting::Setting, settings::Settings},
};

/// The vendor's domains.
pub(super) const DOMAINS: &[&str] = &[COM, EU];

const COM: &str = "myhuaweicloud.com";

/// Where the regions `eu-west-1xx` live.
///
/// Source: the rule of the Terraform provider, and most services of the official Python SDK; its
/// table for FunctionGraph says otherwise. Not tried on the service.
const EU: &str = "myhuaweicloud.eu";

/// Regions of mainland China that FunctionGraph is in: those without an IAM or STS of their own
/// are served by the global one. A region elsewhere never is: its secrets stay in its country.
///
/// Source: Huawei Cloud, FunctionGraph, endpoints.
const MAINLAND_REGIONS: &[&str] = &[
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-north-1",
    "cn-north-11",
    "cn-north-4",
    "cn-north-9",
    "cn-south-1",
    "cn-south-4",
    "cn-southwest-2",
    "cn-southwest-3",
];

/// Regions with an IAM of their own.
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

/// Regions with an STS of their own.
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
    let domain = domain(region);
    settings.endpoint("region", &format!("functiongraph.{region}.{domain}"))
}

/// The region's IAM, or the global one for a region of mainland China that has none.
pub(super) fn iam(region: Option<&str>, settings: &Settings) -> Result<Url, Error> {
    let host = match with_own(region, IAM_REGIONS) {
        Some(region) => format!("iam.{region}.{}", domain(region)),
        None => format!("iam.{COM}"),
    };
    settings.endpoint("iam_endpoint", &host)
}

/// The IAM that a source of credentials asks: the one the client was told, else the region's.
pub(super) fn iam_for(context: &Context) -> Result<Url, Error> {
    match &context.auth_endpoint {
        Some(told) => Ok(told.clone()),
        None => {
            context.check_vendor_is_meant("iam_endpoint")?;
            iam(context.region(), &Settings::default())
        }
    }
}

/// The STS that a source of credentials asks: the one that the environment names, else the
/// region's, or that of cn-north-4 for a region of mainland China that has none.
pub(super) fn sts_for(context: &Context) -> Result<Url, Error> {
    const SETTING: &str = "sts_endpoint";
    const VARIABLE: &str = "HUAWEICLOUD_SDK_STS_ENDPOINT";
    if let Some(told) = Setting::of_variables(SETTING, &context.environment(), &[VARIABLE]) {
        return told.endpoint(false);
    }
    context.check_vendor_is_meant(VARIABLE)?;
    let region = with_own(context.region(), STS_REGIONS).unwrap_or("cn-north-4");
    Settings::default().endpoint(SETTING, &format!("sts.{region}.{}", domain(region)))
}

/// The region, where it has a host of its own for a service that has these.
fn with_own<'a>(region: Option<&'a str>, listed: &[&str]) -> Option<&'a str> {
    let is_in =
        |list: &[&str], region: &str| list.iter().any(|one| one.eq_ignore_ascii_case(region));
    region.filter(|region| is_in(listed, region) || !is_in(MAINLAND_REGIONS, region))
}

fn domain(region: &str) -> &'static str {
    let region = region.to_ascii_lowercase();
    let number = region.strip_prefix("eu-west-1").unwrap_or_default();
    if number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit()) {
        EU
    } else {
        COM
    }
}
