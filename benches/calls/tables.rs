//! The tables of `cargo bench`.

use tokio::runtime::Runtime;

use crate::{
    Failure,
    compare::{compared, each, in_flight, interleaved, turns},
    measure::cost_of,
    micro::Part,
    scale,
    server::Server,
    subjects::{Clients, Input, Operation, Plan, Side},
};

const AT_ONCE: [usize; 3] = [1, 64, 512];
const ROUNDS: usize = 20;
const CALLS: usize = 512;

pub(crate) fn print(runtime: &Runtime) -> Result<(), Failure> {
    println!("## Calls\n");
    println!("Ours, in brackets the ratio to the floor. Input of 100 bytes.\n");
    println!(
        "| call | at once | CPU | allocations | bytes allocated | calls per second | heap per call that waits |"
    );
    println!("|---|---|---|---|---|---|---|");
    let server = Server::start()?;
    let clients = Clients::new(&server.url)?;
    for operation in Operation::ALL {
        for at_once in AT_ONCE {
            let plan = Plan {
                calls: CALLS,
                at_once,
                input: Input::Order,
            };
            let [floor, ours] = interleaved(runtime, &clients, operation, &plan, ROUNDS)?;
            let floor_held = in_flight(operation, Side::Floor, at_once, None)?;
            let ours_held = in_flight(operation, Side::Ours, at_once, None)?;
            println!(
                "| {operation} | {at_once} | {} | {} | {} | {} | {} |",
                compared(ours.micros(), floor.micros(), 1, " µs"),
                compared(
                    each(&ours, ours.allocations),
                    each(&floor, floor.allocations),
                    1,
                    ""
                ),
                compared(each(&ours, ours.bytes), each(&floor, floor.bytes), 0, ""),
                compared(ours.per_second(), floor.per_second(), 0, ""),
                compared(
                    ours_held.heap as f64 / at_once as f64,
                    floor_held.heap as f64 / at_once as f64,
                    0,
                    " B"
                ),
            );
        }
    }

    println!("\n## Parts\n");
    println!("| part | CPU | allocations |");
    println!("|---|---|---|");
    for part in Part::ALL {
        let [floor, ours] = turns(ROUNDS, |side| cost_of(1000, || part.run(side, 1000)))?;
        println!(
            "| {part} | {} | {} |",
            compared(ours.micros(), floor.micros(), 2, " µs"),
            compared(
                each(&ours, ours.allocations),
                each(&floor, floor.allocations),
                1,
                ""
            ),
        );
    }
    scale::print(runtime, &clients)
}
