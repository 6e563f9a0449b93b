//! What a call costs by this crate beside a call by hand: `cargo bench`.
//!
//! Both sides run in this process, in turns, against a server in another process. Ratios are what
//! counts: seconds of one machine on one day say little.
//!
//! | command | what it does |
//! |---|---|
//! | `cargo bench` | the tables |
//! | `cargo bench --bench calls -- budget` | instructions (callgrind) and allocations per call; fails above the budget |
//! | `cargo bench --bench calls -- steady --calls 1000000` | fails where memory grows from call to call |

#![expect(
    clippy::disallowed_methods,
    reason = "only the crate itself reads time in one place"
)]

mod budget;
mod compare;
mod floor;
mod input;
mod measure;
mod micro;
mod scale;
mod server;
mod subjects;
mod tables;

/// The crate's own files: signing alone is no part of its interface.
#[path = "../../src/pipeline"]
mod pipeline {
    #[expect(dead_code, unused_imports, reason = "not all of it is measured")]
    pub(crate) mod percent;
}
#[path = "../../src/alibaba"]
mod alibaba {
    #[expect(dead_code, reason = "not all of it is measured")]
    pub(crate) mod signature;
}

use clap::{Parser, Subcommand};
use micro::Part;
use subjects::{Clients, Input, Operation, Plan, Side};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// What `cargo bench` adds.
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Judges instructions and allocations per call.
    Budget,
    /// Makes calls one after the other, and fails where memory grows.
    Steady {
        #[arg(long, default_value_t = 1_000_000)]
        calls: usize,
    },
    /// Makes calls of one kind, for a profiler.
    Calls {
        operation: Operation,
        side: Side,
        #[arg(long, default_value_t = 1000)]
        calls: usize,
    },
    /// Does one part of a call alone, for a profiler.
    Part {
        part: Part,
        side: Side,
        #[arg(long, default_value_t = 1000)]
        calls: usize,
    },
    /// Tells by how much heap and process grow while calls wait.
    InFlight {
        operation: Operation,
        side: Side,
        #[arg(long, default_value_t = 1)]
        calls: usize,
        /// Bytes of JSON text that each is given.
        #[arg(long)]
        input: Option<usize>,
    },
    /// Is the other side.
    #[command(hide = true)]
    Serve {
        #[arg(long)]
        holding: Option<usize>,
    },
}

fn main() -> Result<(), Failure> {
    // One thread: what is counted is then the same each time.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match Arguments::parse().command {
        None => tables::print(&runtime),
        Some(Command::Budget) => budget::judge(&runtime),
        Some(Command::Steady { calls }) => scale::steady(&runtime, calls),
        Some(Command::Calls {
            operation,
            side,
            calls,
        }) => {
            let server = server::Server::start()?;
            let plan = Plan {
                calls,
                at_once: 1,
                input: Input::Order,
            };
            runtime.block_on(Clients::new(&server.url)?.run(operation, side, &plan))
        }
        Some(Command::Part { part, side, calls }) => part.run(side, calls),
        Some(Command::InFlight {
            operation,
            side,
            calls,
            input,
        }) => compare::print_in_flight(&runtime, operation, side, calls, input),
        Some(Command::Serve { holding }) => runtime.block_on(server::serve(holding)),
    }
}
