//! What grows, and with what: inputs, calls in flight, calls made.

use tokio::runtime::Runtime;

use crate::{
    Failure,
    compare::{compared, each, in_flight, interleaved},
    measure::{heap, resident},
    server::Server,
    subjects::{Clients, Input, Operation, Plan, Side},
};

const LENGTHS: [(usize, &str); 4] = [
    (100, "100 B"),
    (10_000, "10 kB"),
    (65_536, "64 kiB"),
    (1_048_576, "1 MiB"),
];
const MANY: usize = 10_000;

pub(crate) fn print(runtime: &Runtime, clients: &Clients) -> Result<(), Failure> {
    println!("\n## Size of the input\n");
    println!("| call | input | CPU | allocations | bytes allocated | of them per byte of input |");
    println!("|---|---|---|---|---|---|");
    for operation in Operation::ALL {
        for (length, name) in LENGTHS {
            let plan = Plan {
                calls: (2_000_000 / length).clamp(10, 500),
                at_once: 1,
                input: Input::Text(crate::input::text_of(length).into()),
            };
            let [floor, ours] = interleaved(runtime, clients, operation, &plan, 5)?;
            let bytes = [each(&ours, ours.bytes), each(&floor, floor.bytes)];
            println!(
                "| {operation} | {name} | {} | {} | {} | {:.1} (floor {:.1}) |",
                compared(ours.micros(), floor.micros(), 0, " µs"),
                compared(
                    each(&ours, ours.allocations),
                    each(&floor, floor.allocations),
                    1,
                    ""
                ),
                compared(bytes[0], bytes[1], 0, ""),
                bytes[0] / length as f64,
                bytes[1] / length as f64,
            );
        }
    }

    println!("\n## {MANY} calls in flight\n");
    println!("| call | input | heap per call that waits | process per call, at most |");
    println!("|---|---|---|---|");
    for operation in [Operation::StartSync, Operation::Token] {
        for (input, name) in [(None, "100 B"), (Some(30_000), "30 kB")] {
            let floor = in_flight(operation, Side::Floor, MANY, input)?;
            let ours = in_flight(operation, Side::Ours, MANY, input)?;
            let each = |bytes: usize| bytes as f64 / MANY as f64;
            println!(
                "| {operation} | {name} | {} | {} |",
                compared(each(ours.heap), each(floor.heap), 0, " B"),
                compared(each(ours.process), each(floor.process), 0, " B"),
            );
        }
    }
    Ok(())
}

/// Calls one after the other, of each kind in turn: heap and process stay as they are.
pub(crate) fn steady(runtime: &Runtime, calls: usize) -> Result<(), Failure> {
    const STEPS: usize = 10;
    const HEAP_SLACK: usize = 16 * 1024;
    const PROCESS_SLACK: usize = 2 * 1024 * 1024;

    let server = Server::start()?;
    let clients = Clients::new(&server.url)?;
    let plan = Plan {
        calls: (calls / STEPS / Operation::ALL.len()).max(1),
        at_once: 1,
        input: Input::Order,
    };
    let mut first = None;
    let mut made = 0;
    for _ in 0..STEPS {
        for operation in Operation::ALL {
            runtime.block_on(clients.run(operation, Side::Ours, &plan))?;
            made += plan.calls;
        }
        let now = (heap(), resident()?);
        println!("{made} calls: heap {} B, process {} B", now.0, now.1);
        let (first_heap, first_process) = *first.get_or_insert(now);
        if now.0 > first_heap + HEAP_SLACK || now.1 > first_process + PROCESS_SLACK {
            return Err("memory grows with the calls made".into());
        }
    }
    Ok(())
}
