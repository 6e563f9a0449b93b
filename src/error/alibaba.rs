//! Alibaba Cloud: the product's 24 documented codes, then the common codes of the RPC gateway.
//!
//! Statuses and meanings: the operations' own pages (errors of version `2019-03-15`) and the
//! "Common error codes" page of the RPC gateway.

/// Hands the rows `Variant "wire text" [documented statuses] "meaning";` to another macro.
macro_rules! alibaba_codes {
    ($then:ident $($before:tt)*) => {
        $then! { $($before)* [
            APIVersionNotSupported "APIVersionNotSupported" [400] "wrong Version";
            ActionNotSupported "ActionNotSupported" [400] "wrong/unknown Action; the sample of the sync page also shows it as in-body ErrorCode for a Standard flow";
            EntityTooLarge "EntityTooLarge" [400] "body too large";
            ExecutionAlreadyCompleted "ExecutionAlreadyCompleted" [400] "stop came too late";
            ExecutionAlreadyExists "ExecutionAlreadyExists" [400] "same execution name already finished";
            InvalidArgument "InvalidArgument" [400] "bad parameter value; real message varies";
            MissingRequiredHeader "MissingRequiredHeader" [400] "missing header";
            MissingRequiredParams "MissingRequiredParams" [400] "missing parameter";
            TaskAlreadyCompleted "TaskAlreadyCompleted" [400] "task token used already";
            AccessDenied "AccessDenied" [403] "RAM refused, or resource of another account; real message names action and resource";
            InvalidAccessKeyID "InvalidAccessKeyID" [403] "unknown key";
            RequestTimeTooSkewed "RequestTimeTooSkewed" [403] "clock skew";
            SignatureNotMatch "SignatureNotMatch" [403] "signature mismatch";
            ExecutionNotExists "ExecutionNotExists" [404] "unknown execution";
            FlowNotExists "FlowNotExists" [404] "unknown flow";
            ScheduleNotExists "ScheduleNotExists" [404] "unknown timer";
            ConcurrentUpdateError "ConcurrentUpdateError" [409] "optimistic-lock conflict";
            FlowAlreadyExists "FlowAlreadyExists" [409] "flow name taken";
            ScheduleAlreadyExists "ScheduleAlreadyExists" [409] "timer name taken";
            TaskInvalidState "TaskInvalidState" [409] "task not ready for the report";
            PreconditionFailed "PreconditionFailed" [412] "resource changed meanwhile";
            UnsupportedMediaType "UnsupportedMediaType" [415] "content type refused";
            ResourceThrottled "ResourceThrottled" [429] "rate or resource limit";
            InternalServerError "InternalServerError" [500] "server error";
            MissingParameter "MissingParameter" [400] "a common parameter is missing";
            InvalidParameter "InvalidParameter" [400] "a common parameter has a bad value";
            InvalidParameterFormat "InvalidParameter.Format" [400] "the Format parameter has a bad value";
            InvalidParameterAccept "InvalidParameter.Accept" [400] "the accepted format has a bad value";
            InvalidVersion "InvalidVersion" [400 404] "unknown API version";
            InvalidActionNotFound "InvalidAction.NotFound" [400 404] "unknown operation";
            InvalidApiNotFound "InvalidApi.NotFound" [400 404] "unknown API";
            InvalidProductNotFound "InvalidProduct.NotFound" [400 404] "unknown product";
            InvalidAccessKeyIdNotFound "InvalidAccessKeyId.NotFound" [404 400] "the access key does not exist";
            InvalidAccessKeyIdInactive "InvalidAccessKeyId.Inactive" [400 403] "the access key is disabled";
            ForbiddenAccessKeyDisabled "Forbidden.AccessKeyDisabled" [400 403] "the access key is disabled";
            IncompleteSignature "IncompleteSignature" [400] "the signature is malformed or of another scheme";
            SignatureDoesNotMatch "SignatureDoesNotMatch" [400 403] "the signature is wrong; the message echoes what the gateway signed";
            SignatureNonceUsed "SignatureNonceUsed" [400] "the nonce was seen before: a copy of this request has arrived";
            InvalidTimeStampFormat "InvalidTimeStamp.Format" [400] "the timestamp has a bad form";
            InvalidTimeStampExpired "InvalidTimeStamp.Expired" [400] "the timestamp is outside the accepted window";
            InvalidSignatureMethod "InvalidSignatureMethod" [400] "the signature method is not HMAC-SHA1";
            UnsupportedSignatureMethod "UnsupportedSignatureMethod" [400] "the signature method is not supported";
            InvalidSecurityTokenExpired "InvalidSecurityToken.Expired" [400 403] "the STS token has expired";
            InvalidSecurityTokenMalformed "InvalidSecurityToken.Malformed" [400 404] "the STS token is malformed";
            InvalidSecurityTokenMismatchWithAccessKey "InvalidSecurityToken.MismatchWithAccessKey" [400 404] "the STS token belongs to another access key";
            MissingSecurityToken "MissingSecurityToken" [400 404] "a temporary access key came without its STS token";
            UnsupportedHTTPMethod "UnsupportedHTTPMethod" [400 405] "the operation does not take this HTTP method";
            InvalidProtocolNeedSsl "InvalidProtocol.NeedSsl" [400] "the operation wants https";
            InvalidRegionNotFound "InvalidRegion.NotFound" [400 404] "unknown region";
            InvalidRegionId "InvalidRegionId" [400 404] "unknown region id";
            ContentMD5NotMatched "ContentMD5NotMatched" [400] "the body differs from its MD5";
            ContentLengthDoesNotMatch "ContentLengthDoesNotMatch" [400] "the body differs from its length";
            Throttling "Throttling" [400 429 503] "rate limit of the gateway";
            ThrottlingUser "Throttling.User" [400 429 503] "rate limit of the user";
            ThrottlingApi "Throttling.Api" [400 429 503] "rate limit of the operation";
            RejectedThrottling "Rejected.Throttling" [400 429 503] "rejected by a rate limit";
            Forbidden "Forbidden" [403] "not authorised";
            ForbiddenRAM "Forbidden.RAM" [403] "a RAM policy refuses the call";
            ForbiddenRiskControl "Forbidden.RiskControl" [403] "risk control refuses the call";
            NoPermission "NoPermission" [403] "not authorised";
            InternalError "InternalError" [500] "the gateway failed";
            UnknownError "UnknownError" [500] "the gateway failed";
            ServiceUnavailable "ServiceUnavailable" [503] "the service is unavailable";
        ] }
    };
}
pub(super) use alibaba_codes;
