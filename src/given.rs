//! What optional setters take.

use crate::{execution_name::ExecutionName, payload::Secret};

/// What an optional setter takes: a value, or an `Option` of one.
///
/// ```
/// # #[cfg(feature = "alibaba")] {
/// use cloud_workflows::alibaba::StartExecutionRequest;
///
/// let from_the_command_line: Option<String> = None;
/// let request = StartExecutionRequest::new("my_flow")
///     .qualifier(from_the_command_line)
///     .execution_name("order-17");
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Given<T>(pub(crate) Option<T>);

impl<T> From<T> for Given<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> From<Option<T>> for Given<T> {
    fn from(value: Option<T>) -> Self {
        Self(value)
    }
}

macro_rules! given {
    ($($from:ty),*) => {
        $(
            impl From<$from> for Given<String> {
                fn from(text: $from) -> Self {
                    Self(Some(text.to_string()))
                }
            }
            impl From<Option<$from>> for Given<String> {
                fn from(text: Option<$from>) -> Self {
                    Self(text.map(|text| text.to_string()))
                }
            }
        )*
    };
}
given!(&str, &String, ExecutionName, &ExecutionName);

impl From<&Option<String>> for Given<String> {
    fn from(text: &Option<String>) -> Self {
        Self(text.clone())
    }
}

macro_rules! given_secret {
    ($($from:ty),*) => {
        $(
            impl From<$from> for Given<Secret> {
                fn from(text: $from) -> Self {
                    Self(Some(text.into()))
                }
            }
            impl From<Option<$from>> for Given<Secret> {
                fn from(text: Option<$from>) -> Self {
                    Self(text.map(Secret::from))
                }
            }
        )*
    };
}
given_secret!(&str, String, &String);
