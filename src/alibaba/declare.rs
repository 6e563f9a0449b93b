//! Declaring operations of this cloud, where JSON that is passed on stands in texts.

/// Declares an operation; see [`declare`](crate::pipeline::declare).
macro_rules! operation {
    ($($declaration:tt)*) => {
        $crate::pipeline::declare::operation! { InText $crate::alibaba::protocol::Rpc; $($declaration)* }
    };
}

/// Declares an answer.
macro_rules! response {
    ($($declaration:tt)*) => {
        $crate::pipeline::declare::response! { InText; $($declaration)* }
    };
}

pub(super) use {operation, response};
