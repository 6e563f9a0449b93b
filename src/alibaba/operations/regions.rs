//! The regions that have the service.

use crate::alibaba::declare::{answer, operation, response};

operation! {
    DescribeRegionsRequest = "DescribeRegions" as describe_regions, POST "/", Repeatable, SHORT
        => DescribeRegionsResponse;
    new {}
    with {
        /// The language of the regions' names: `zh-CN`, which is meant when absent, or `en-US`.
        pub accept_language: String = Parameter "AcceptLanguage",
    }
}

answer! {
    /// The answer of `DescribeRegions`. Serialises with the wire's names.
    DescribeRegionsResponse {
        /// The regions.
        pub regions: Regions = "Regions",
    }
}

response! {
    /// What holds the list of regions.
    Regions {
        /// The regions.
        pub region: Vec<Region> = "Region",
    }
}

response! {
    /// A region that has the service.
    Region {
        /// Its id, as [`ClientBuilder::region`](crate::alibaba::ClientBuilder::region) takes it.
        pub region_id: Option<String> = "RegionId",
        /// Its name in words.
        pub local_name: Option<String> = "LocalName",
        /// The host of the service there, as the service says. Nothing here calls it by itself.
        pub region_endpoint: Option<String> = "RegionEndpoint",
    }
}
