//! Declaring operations of this cloud, where JSON that is passed on stands among other values.

/// Declares an operation; see [`declare`](crate::pipeline::declare).
macro_rules! operation {
    ($($declaration:tt)*) => {
        $crate::pipeline::declare::operation! { AsValue $crate::huawei::protocol::Rest, "crate::huawei::Client"; $($declaration)* }
    };
}

/// Declares an answer.
macro_rules! response {
    ($($declaration:tt)*) => {
        $crate::pipeline::declare::response! { AsValue; $($declaration)* }
    };
}

/// Declares a part of requests, and of answers too.
macro_rules! part {
    ($($declaration:tt)*) => {
        $crate::pipeline::declare::part! { AsValue; $($declaration)* }
    };
}

pub(super) use {operation, part, response};
