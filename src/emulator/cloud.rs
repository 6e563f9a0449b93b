//! Which cloud a flow is of, its mode, and the words of each cloud.

use crate::FlowFailure;

/// Whose flow it is, and how it may be started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    #[cfg(feature = "alibaba")]
    Standard,
    #[cfg(feature = "alibaba")]
    Express,
    #[cfg(feature = "huawei")]
    Workflow,
}

impl Mode {
    pub(crate) fn cloud(self) -> Cloud {
        match self {
            #[cfg(feature = "alibaba")]
            Self::Standard | Self::Express => Cloud::Alibaba,
            #[cfg(feature = "huawei")]
            Self::Workflow => Cloud::Huawei,
        }
    }
}

/// Flows of one name in both clouds are two flows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Cloud {
    #[cfg(feature = "alibaba")]
    Alibaba,
    #[cfg(feature = "huawei")]
    Huawei,
}

impl Cloud {
    pub(super) const ALL: &[Self] = &[
        #[cfg(feature = "alibaba")]
        Self::Alibaba,
        #[cfg(feature = "huawei")]
        Self::Huawei,
    ];

    /// A status in the words of this cloud; `None` is success. The words of the other cloud and
    /// of [`FlowFailure`] are translated, any other word stays.
    pub(crate) fn status(self, failure: Option<&FlowFailure>) -> String {
        let status = failure.map_or("Succeeded", FlowFailure::status);
        match self {
            #[cfg(feature = "alibaba")]
            Self::Alibaba => match status {
                "" | "fail" => "Failed",
                "timeout" => "TimedOut",
                "cancel" => "Stopped",
                other => other,
            },
            #[cfg(feature = "huawei")]
            Self::Huawei => match status {
                "Succeeded" => "success",
                "" | "Failed" => "fail",
                "TimedOut" => "timeout",
                "Stopped" => "cancel",
                other => other,
            },
        }
        .to_owned()
    }

    pub(crate) fn running(self) -> &'static str {
        match self {
            #[cfg(feature = "alibaba")]
            Self::Alibaba => "Running",
            #[cfg(feature = "huawei")]
            Self::Huawei => "running",
        }
    }
}
