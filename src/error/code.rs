//! `ErrorCode`: every documented code of both clouds, and whatever else they say, kept as text.

use std::{convert::Infallible, fmt, str::FromStr};

use http::StatusCode;

use super::ErrorKind;
#[cfg(feature = "alibaba")]
use super::alibaba::alibaba_codes;
#[cfg(feature = "huawei")]
use super::huawei::huawei_codes;
use crate::pipeline::words::Sensitive;

macro_rules! define {
    ($([$($variant:ident $wire:literal [$($status:literal)*] $meaning:literal;)*])*) => {
        /// A code that the service put into its answer.
        ///
        /// Every documented code is a variant; any other text is kept in [`ErrorCode::Other`], so
        /// reading a code and printing it again gives the same text. Alibaba Cloud's codes bear
        /// their own names without dots, Huawei Cloud's their prefix and number
        /// (`FSS.0429` is `Fss0429`; the bare IAM user-management number `1100` is `IamUser1100`).
        /// Each cloud's variants come with its cargo feature.
        ///
        /// ```
        /// use cloud_workflows::ErrorCode;
        ///
        /// assert_eq!(ErrorCode::from("FlowNotExists"), ErrorCode::FlowNotExists);
        /// assert_eq!(ErrorCode::from("FSS.0429").as_str(), "FSS.0429");
        /// assert_eq!(ErrorCode::from("New.Code").as_str(), "New.Code");
        /// ```
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(
                #[doc = concat!("`", $wire, "`" $(, ", HTTP ", $status)*, ": ", $meaning, ".")]
                $variant,
            )*)*
            /// A code that no document lists, as the service wrote it.
            Other(Box<str>),
        }

        impl ErrorCode {
            /// Every documented code, in the documents' order.
            pub const DOCUMENTED: &'static [ErrorCode] = &[$($(ErrorCode::$variant,)*)*];

            /// The code as it stands on the wire.
            pub fn as_str(&self) -> &str {
                self.row().map_or_else(|text| text, |row| row.wire)
            }

            /// The HTTP statuses documented for this code: none, one or several.
            pub fn statuses(&self) -> &'static [u16] {
                self.row().map_or(&[], |row| row.statuses)
            }
        }

        /// In the order of [`ErrorCode::DOCUMENTED`].
        static ROWS: &[Row] = &[$($(Row {
            name: stringify!($variant),
            wire: $wire,
            statuses: &[$($status),*],
        },)*)*];
    };
}

/// What is known of a documented code. A row is looked for from the first on: that is for errors,
/// and arms for hundreds of codes in each function are a fiftieth of all code that is compiled.
struct Row {
    name: &'static str,
    wire: &'static str,
    statuses: &'static [u16],
}

#[cfg(all(feature = "alibaba", feature = "huawei"))]
alibaba_codes! { huawei_codes define }
#[cfg(all(feature = "alibaba", not(feature = "huawei")))]
alibaba_codes! { define }
#[cfg(all(not(feature = "alibaba"), feature = "huawei"))]
huawei_codes! { define }
#[cfg(not(any(feature = "alibaba", feature = "huawei")))]
define! {}

impl ErrorCode {
    fn documented(text: &str) -> Option<Self> {
        let at = ROWS.iter().position(|row| row.wire == text)?;
        Self::DOCUMENTED.get(at).cloned()
    }

    /// What is known of it; the text of one that no document lists.
    #[cfg_attr(
        not(any(feature = "alibaba", feature = "huawei")),
        expect(unreachable_patterns, reason = "without a cloud no code is documented")
    )]
    fn row(&self) -> Result<&'static Row, &str> {
        match self {
            Self::Other(text) => Err(text),
            documented => {
                let at = Self::DOCUMENTED.iter().position(|code| code == documented);
                at.and_then(|at| ROWS.get(at)).ok_or("")
            }
        }
    }

    /// What the code means in words that both clouds share.
    ///
    /// Code **and** status decide: `APIGW.0201` alone has six statuses.
    pub(crate) fn kind(&self, status: StatusCode) -> ErrorKind {
        let text = self.as_str();
        match text {
            _ if self.is_throttling(status) => ErrorKind::Throttled,
            // A server error may have begun what it reports, whatever its code.
            "RequestTimeTooSkewed" | "InvalidTimeStamp.Expired" if !status.is_server_error() => {
                ErrorKind::ClockSkew
            }
            "EntityTooLarge" | "IAM.1101" => ErrorKind::TooLarge,
            "ExecutionAlreadyCompleted" | "TaskAlreadyCompleted" => ErrorKind::AlreadyCompleted,
            _ if self.says_exists() => ErrorKind::AlreadyExists,
            _ if self.says_gone(status) => ErrorKind::NotFound,
            "InvalidAccessKeyID"
            | "SignatureNotMatch"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "Forbidden.AccessKeyDisabled"
            | "IAM.0009"
            | "IAM.0080"
            | "IAM.0081"
            | "IAM.0082"
            | "IAM.1061"
            | "IAM.1104"
            | "IAM.1105"
            | "IAM.1106"
            | "IAM.1107"
            | "IAM.1108"
            | "1103" => ErrorKind::Unauthenticated,
            _ if text.starts_with("InvalidAccessKeyId.")
                || text.starts_with("InvalidSecurityToken.")
                || text == "MissingSecurityToken" =>
            {
                ErrorKind::Unauthenticated
            }
            _ if text.ends_with(".NotFound") => ErrorKind::InvalidRequest,
            // It is no flow that is missing.
            _ if self.says_unknown_operation() && status.is_client_error() => {
                ErrorKind::InvalidRequest
            }
            _ => ErrorKind::of_status(status),
        }
    }

    /// Whether it says that what was to be made is there already: the sheets' codes, and the family
    /// of those that no document lists.
    pub(crate) fn says_exists(&self) -> bool {
        let text = self.as_str();
        let is_listed = matches!(
            text,
            "FSS.0409"
                | "FSS.1031"
                | "FSS.1061"
                | "FSS.1062"
                | "FSS.1063"
                | "FSS.1064"
                | "FSS.1065"
                | "FSS.1067"
                | "FSS.1073"
                | "FSS.1141"
                | "FSS.1142"
                | "FSS.1143"
                | "FSS.1145"
                | "FSS.1146"
                | "FSS.1147"
                | "FSS.1148"
                | "FSS.1149"
                | "FSS.1150"
                | "FSS.1166"
                | "FSS.1307"
                | "IAM.0005"
                | "1109"
                | "1110"
                | "1111"
                | "1113"
        );
        is_listed || text.ends_with("AlreadyExists")
    }

    /// Whether it says that what the call is about is not there: the sheets' codes, and the family
    /// of those that no document lists, where it is the request that is refused.
    pub(crate) fn says_gone(&self, status: StatusCode) -> bool {
        let text = self.as_str();
        let is_listed = matches!(
            text,
            "IAM.1109" | "FSS.1172" | "FSS.1301" | "FSS.1308" | "FSS.1312"
        );
        // FunctionGraph has a code for each kind of thing that may be missing.
        let is_missing_there = (text.starts_with("FSS.") || text.starts_with("FGS."))
            && matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE);
        is_listed || is_missing_there || (text.ends_with("NotExists") && status.is_client_error())
    }

    /// Whether it says that the service has no such operation.
    pub(crate) fn says_unknown_operation(&self) -> bool {
        matches!(
            self.as_str(),
            "InvalidAction.NotFound"
                | "InvalidApi.NotFound"
                | "ActionNotSupported"
                | "APIGW.0101"
                | "APIG.0101"
        )
    }

    /// Without what a code that nobody lists repeats of the request.
    pub(crate) fn scrubbed(self, sensitive: &Sensitive) -> Self {
        if !matches!(self, Self::Other(_)) {
            return self;
        }
        let mut text = self.as_str().to_owned();
        sensitive.hide(&mut text);
        Self::Other(text.into())
    }

    /// Whether it is the access key that the service refuses, and not a request that it could not
    /// check (Alibaba Cloud).
    #[cfg(feature = "alibaba")]
    pub(crate) fn refuses_key(&self) -> bool {
        let text = self.as_str();
        let is_listed = matches!(
            text,
            "InvalidAccessKeyID"
                | "SignatureNotMatch"
                | "SignatureDoesNotMatch"
                | "Forbidden.AccessKeyDisabled"
        );
        is_listed
            || text.starts_with("InvalidAccessKeyId.")
            || text.starts_with("InvalidSecurityToken.")
    }

    /// Whether the sheets list this code with this status. Any code whose name begins with
    /// `Throttling` has the statuses of that family.
    pub(crate) fn is_listed_on(&self, status: StatusCode) -> bool {
        let status = status.as_u16();
        let is_of_a_family = self.as_str().starts_with("Throttling");
        self.statuses().contains(&status) || (is_of_a_family && matches!(status, 400 | 429 | 503))
    }

    /// Whether the service says that it did not take the call because of a rate: on the statuses
    /// that the sheets list for such a code, and by any code on 429.
    pub(crate) fn is_throttling(&self, status: StatusCode) -> bool {
        let text = self.as_str();
        let says_so = text.starts_with("Throttling")
            || matches!(
                text,
                "ResourceThrottled"
                    | "Rejected.Throttling"
                    | "FSS.0429"
                    | "APIGW.0308"
                    | "APIG.0308"
                    | "IAM.0012"
            );
        status == StatusCode::TOO_MANY_REQUESTS || (says_so && self.is_listed_on(status))
    }
}

impl From<&str> for ErrorCode {
    fn from(text: &str) -> Self {
        Self::documented(text).unwrap_or_else(|| Self::Other(text.into()))
    }
}

impl FromStr for ErrorCode {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Ok(row) => f.write_str(row.name),
            Err(text) => f.debug_tuple("Other").field(&text).finish(),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
