//! Arguments of more than one operation.

use std::{fs, io::Read as _, time::Duration};

use clap::Args;
use cloud_workflows::{Error, Items, Wait};
use serde::Serialize;

use super::{
    answer::{List, Outcome, outcome},
    failure::Failure,
    output::Reader,
};

/// Whether to wait for an execution's end, and for how long.
#[derive(Args)]
pub struct Waiting {
    /// Wait for the execution's end
    #[arg(long)]
    pub wait: bool,
    /// Wait no longer than this: the execution then goes on
    #[arg(long, value_name = "SECONDS", value_parser = seconds, requires = "wait")]
    deadline: Option<Duration>,
}

impl Waiting {
    /// Waits, and prints how the execution ended.
    pub async fn end<A>(
        &self,
        wait: Wait<A>,
        output_only: bool,
        failed: fn(Error) -> Failure,
    ) -> Result<(), Failure>
    where
        A: Outcome + Send + 'static,
    {
        let wait = match self.deadline {
            Some(limit) => wait.deadline(limit),
            None => wait,
        };
        outcome(wait.await.map_err(failed)?, output_only)
    }
}

/// Prints a list to its end, or until nobody reads it any more.
pub async fn follow<T>(name: &'static str, mut items: Items<T>) -> Result<(), Failure>
where
    T: Serialize + Send + 'static,
{
    let mut list = List::new(name);
    while let Some(item) = items.next().await {
        let item = match item {
            Ok(item) => item,
            Err(error) => {
                list.end()?;
                return Err(Failure::of_look(error));
            }
        };
        if list.item(&item)? == Reader::Gone {
            return Ok(());
        }
    }
    list.end()
}

/// Reads `JSON`, `@FILE` or `-` (standard input); `option` is how errors call it.
pub fn json_text(option: &str, argument: &str) -> Result<String, Failure> {
    let read = match argument.strip_prefix('@') {
        Some(file) => fs::read_to_string(file),
        None if argument == "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        None => return Ok(argument.to_owned()),
    };
    read.map_err(|error| Failure::local(format!("{option} {argument}: {error}")))
}

/// Parses seconds, such as `90` or `0.5`.
pub fn seconds(argument: &str) -> Result<Duration, String> {
    let seconds: f64 = argument
        .parse()
        .map_err(|_| "must be a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
