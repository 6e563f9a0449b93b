//! Both sides of a call, one beside the other.

use std::process::Command;

use clap::ValueEnum;
use tokio::runtime::Runtime;

use crate::{
    Failure,
    measure::{Cost, Growth, cost_of, growth_of},
    server::Server,
    subjects::{Clients, Input, Operation, Plan, Side},
};

/// Does it by both sides in turns, so that what disturbs one disturbs the other.
pub(crate) fn turns(
    rounds: usize,
    mut run: impl FnMut(Side) -> Result<Cost, Failure>,
) -> Result<[Cost; 2], Failure> {
    let mut costs = [Cost::default(); 2];
    // The first round warms up.
    for round in 0..=rounds {
        for (side, total) in Side::BOTH.into_iter().zip(&mut costs) {
            let cost = run(side)?;
            if round > 0 {
                *total += cost;
            }
        }
    }
    Ok(costs)
}

pub(crate) fn interleaved(
    runtime: &Runtime,
    clients: &Clients,
    operation: Operation,
    plan: &Plan,
    rounds: usize,
) -> Result<[Cost; 2], Failure> {
    turns(rounds, |side| {
        cost_of(plan.calls, || {
            runtime.block_on(clients.run(operation, side, plan))
        })
    })
}

/// By how much heap and process grow while so many calls wait for their answers, in a process of
/// their own; each is given so many bytes of JSON text, or the usual order.
pub(crate) fn in_flight(
    operation: Operation,
    side: Side,
    calls: usize,
    input: Option<usize>,
) -> Result<Growth, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["in-flight", &name(&operation)?, &name(&side)?])
        .args(["--calls", &calls.to_string()]);
    if let Some(length) = input {
        command.args(["--input", &length.to_string()]);
    }
    let told = command.output()?;
    let text = String::from_utf8_lossy(&told.stdout);
    let (heap, process) = text
        .trim()
        .split_once(' ')
        .ok_or_else(|| String::from_utf8_lossy(&told.stderr).into_owned())?;
    Ok(Growth {
        heap: heap.parse()?,
        process: process.parse()?,
    })
}

/// What such a process does.
pub(crate) fn print_in_flight(
    runtime: &Runtime,
    operation: Operation,
    side: Side,
    calls: usize,
    input: Option<usize>,
) -> Result<(), Failure> {
    let server = Server::holding(calls)?;
    let clients = Clients::new(&server.url)?;
    let plan = Plan {
        calls,
        at_once: calls,
        input: match input {
            Some(length) => Input::Text(crate::input::text_of(length).into()),
            None => Input::Order,
        },
    };
    let growth = growth_of(|| runtime.block_on(clients.run(operation, side, &plan)))?;
    println!("{} {}", growth.heap, growth.process);
    Ok(())
}

/// A value as it stands on a command line.
pub(crate) fn name(value: &impl ValueEnum) -> Result<String, Failure> {
    let value = value.to_possible_value().ok_or("a value without a name")?;
    Ok(value.get_name().to_owned())
}

pub(crate) fn each(cost: &Cost, total: usize) -> f64 {
    cost.each(total as f64)
}

/// `ours (ratio)`.
pub(crate) fn compared(ours: f64, floor: f64, digits: usize, unit: &str) -> String {
    format!("{ours:.digits$}{unit} ({:.2})", ours / floor)
}
