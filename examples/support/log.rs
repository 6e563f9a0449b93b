//! What the crate tells an operator, printed.

use std::io;

use clap::Args;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::{self, format::FmtSpan},
    layer::SubscriberExt as _,
    registry,
    util::SubscriberInitExt as _,
};

/// How much of it is printed.
#[derive(Args)]
pub struct Log {
    /// Tell on standard error what happens: warn, debug or trace
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<LevelFilter>,
}

impl Log {
    /// Prints it from now on, each span at its end.
    pub fn start(&self) {
        if let Some(level) = self.log {
            let printed = fmt::layer()
                .with_writer(io::stderr)
                .with_span_events(FmtSpan::CLOSE);
            registry()
                .with(printed)
                .with(Targets::new().with_target("cloud_workflows", level))
                .init();
        }
    }
}
