//! The budget: what is counted is judged, what is timed is not.

use std::process::Command;

use clap::ValueEnum;
use tokio::runtime::Runtime;

use crate::{
    Failure,
    compare::{each, in_flight, interleaved, name},
    micro::Part,
    server::Server,
    subjects::{Clients, Input, Operation, Plan, Side},
};

const CALLS: [usize; 2] = [1000, 3000];
/// So many calls wait at once, each with an input of so many bytes.
const HELD: usize = 500;
const INPUT: usize = 30_000;
/// Parts do the same each time.
const PARTS: [usize; 2] = [100, 300];

pub(crate) fn judge(runtime: &Runtime) -> Result<(), Failure> {
    let mut broken = 0;
    let mut row = |what: &str, unit: &str, floor: f64, ours: f64, most: Option<f64>| {
        let ratio = ours / floor;
        let verdict = match most {
            Some(most) if ratio > most => {
                broken += 1;
                format!("above {most:.2}")
            }
            Some(most) => format!("within {most:.2}"),
            None => "shown only".to_owned(),
        };
        println!("| {what} | {unit} | {floor:.1} | {ours:.1} | {ratio:.3} | {verdict} |");
    };
    println!("| what | counted | floor | ours | ratio | budget |");
    println!("|---|---|---|---|---|---|");

    let server = Server::start()?;
    let clients = Clients::new(&server.url)?;
    for operation in Operation::ALL {
        let plan = Plan {
            calls: CALLS[0],
            at_once: 1,
            input: Input::Order,
        };
        let [floor, ours] = interleaved(runtime, &clients, operation, &plan, 1)?;
        let (floor, ours) = (
            each(&floor, floor.allocations),
            each(&ours, ours.allocations),
        );
        row(
            &operation.to_string(),
            "allocations",
            floor,
            ours,
            Some(1.0),
        );

        let most = Some(if operation.is_alibaba() { 0.92 } else { 0.93 });
        let floor = instructions("calls", operation, Side::Floor, CALLS)?;
        let ours = instructions("calls", operation, Side::Ours, CALLS)?;
        row(&operation.to_string(), "instructions", floor, ours, most);
    }
    for operation in [Operation::StartSync, Operation::Token] {
        let held = |side| in_flight(operation, side, HELD, Some(INPUT));
        let [floor, ours] = [held(Side::Floor)?, held(Side::Ours)?]
            .map(|growth| growth.heap as f64 / HELD as f64 / 1024.0);
        let most = if operation.is_alibaba() { 0.45 } else { 0.75 };
        let what = format!("{operation}, 30 kB, waits");
        row(&what, "KiB of heap", floor, ours, Some(most));
    }
    for part in Part::ALL {
        let most = part.is_signing().then_some(1.5);
        let floor = instructions("part", part, Side::Floor, PARTS)?;
        let ours = instructions("part", part, Side::Ours, PARTS)?;
        row(&part.to_string(), "instructions", floor, ours, most);
    }
    match broken {
        0 => Ok(()),
        _ => Err(format!("{broken} above the budget").into()),
    }
}

/// Instructions per call: the slope between few calls and many, so that the start does not count.
fn instructions(
    command: &str,
    what: impl ValueEnum,
    side: Side,
    times: [usize; 2],
) -> Result<f64, Failure> {
    let [few, many] = times.map(|calls| -> Result<u64, Failure> {
        let done = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe()?)
            .args([command, name(&what)?.as_str(), name(&side)?.as_str()])
            .args(["--calls", &calls.to_string()])
            .output()
            .map_err(|error| format!("valgrind could not be run: {error}"))?;
        let told = String::from_utf8_lossy(&done.stderr);
        if !done.status.success() {
            return Err(format!("the counted program failed: {told}").into());
        }
        told.lines()
            .find_map(|line| line.split_once("Collected : "))
            .and_then(|(_, count)| count.trim().parse().ok())
            .ok_or_else(|| format!("callgrind gave no count: {told}").into())
    });
    Ok((many? - few?) as f64 / (times[1] - times[0]) as f64)
}
