//! How answers are printed: with the wire's field names, as one JSON object each.

use cloud_workflows::{Error, Payload};
use serde::Serialize;

use super::{
    failure::Failure,
    output::{Reader, print},
};

/// An answer that tells how a flow ended.
pub trait Outcome: Serialize {
    fn has_succeeded(&self) -> bool;

    fn output(&self) -> Option<&Payload>;

    /// The outcome as an error, unless the flow succeeded.
    fn into_error(self) -> Option<Error>;
}

/// Says with which status answers tell of a good end.
macro_rules! outcomes {
    ($($answer:ident: $good:path,)*) => {$(
        impl $crate::support::answer::Outcome for $answer {
            fn has_succeeded(&self) -> bool {
                self.status == $good
            }

            fn output(&self) -> Option<&cloud_workflows::Payload> {
                self.output.as_ref()
            }

            fn into_error(self) -> Option<cloud_workflows::Error> {
                self.into_output::<serde::de::IgnoredAny>().err()
            }
        }
    )*};
}

pub(crate) use outcomes;

/// Prints an answer as one JSON object.
pub fn answer(answer: &impl Serialize) -> Result<(), Failure> {
    print(&format!("{}\n", pretty(answer)?))?;
    Ok(())
}

/// Prints how a flow ended, or just its output. Whatever is no success is the program's failure.
pub fn outcome(outcome: impl Outcome, output_only: bool) -> Result<(), Failure> {
    if !output_only {
        answer(&outcome)?;
    } else if outcome.has_succeeded()
        && let Some(output) = outcome.output()
    {
        print(&format!("{}\n", output.as_str()))?;
    }
    match outcome.has_succeeded() {
        true => Ok(()),
        false => outcome
            .into_error()
            .map_or(Ok(()), |error| Err(Failure::of_change(error))),
    }
}

fn pretty(answer: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(answer).map_err(unprintable)
}

fn unprintable(error: serde_json::Error) -> Failure {
    Failure::local(format!("the answer cannot be printed: {error}"))
}

/// A list as one JSON object, item by item as they come, one a line.
pub struct List {
    name: &'static str,
    is_begun: bool,
}

impl List {
    /// A list of this name on the wire.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            is_begun: false,
        }
    }

    /// Prints one more item.
    pub fn item(&mut self, item: &impl Serialize) -> Result<Reader, Failure> {
        let before = match self.is_begun {
            true => ",\n    ".to_owned(),
            false => format!("{{\n  \"{}\": [\n    ", self.name),
        };
        self.is_begun = true;
        let item = serde_json::to_string(item).map_err(unprintable)?;
        Ok(print(&format!("{before}{item}"))?)
    }

    /// Closes the list. What came before an error is printed whole; the error says that it is not
    /// all.
    pub fn end(self) -> Result<(), Failure> {
        print(&match self.is_begun {
            true => "\n  ]\n}\n".to_owned(),
            false => format!("{{\n  \"{}\": []\n}}\n", self.name),
        })?;
        Ok(())
    }
}
