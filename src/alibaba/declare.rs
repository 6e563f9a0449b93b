//! Declaring operations of this cloud, where JSON that is passed on stands in texts.

/// Declares an operation; see [`declare`](crate::pipeline::declare).
macro_rules! operation {
    ($($declaration:tt)*) => {
        $crate::pipeline::declare::operation! { InText $crate::alibaba::protocol::Rpc, "crate::alibaba::Client"; $($declaration)* }
    };
}

/// Declares the answer of an operation, which has its request's id with the other fields.
macro_rules! answer {
    ($(#[$about:meta])* $name:ident { $($fields:tt)* } $($rest:tt)*) => {
        $crate::pipeline::declare::response! {
            InText;
            $(#[$about])*
            $name {
                /// The request's id.
                pub request_id: Option<String> = "RequestId",
                $($fields)*
            }
            $($rest)*
        }
    };
}

/// Declares a part of an answer.
macro_rules! response {
    ($($declaration:tt)*) => {
        $crate::pipeline::declare::response! { InText; $($declaration)* }
    };
}

/// Declares a part of requests, and of answers too.
macro_rules! part {
    ($($declaration:tt)*) => {
        $crate::pipeline::declare::part! { InText; $($declaration)* }
    };
}

pub(super) use chrono::{DateTime, Utc};
pub(super) use {answer, operation, part, response};
