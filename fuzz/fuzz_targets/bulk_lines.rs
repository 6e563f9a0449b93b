//! Any input of `bulk`: each line is told once, as one to start or a bad one; names come from what
//! a line says, however it is written and wherever it stands.
//!
//! Pieces: `k` and the field that names a line, or anything else; a label (none where empty); the
//! lines, in which the byte that cuts pieces may stand.

#![no_main]

#[path = "../../examples/support/lines.rs"]
mod lines;

use std::collections::{BTreeMap, BTreeSet};

use cloud_workflows::ExecutionName;
use cloud_workflows_fuzz::{CUT, json};
use lines::{Naming, Part, canonical, digits, generation, read, without_generation};
use serde_json::value::RawValue;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut pieces = data.splitn(3, |byte| *byte == CUT);
    let (Some(key), Some(run), Some(lines)) = (pieces.next(), pieces.next(), pieces.next()) else {
        return;
    };
    let (Ok(key), Ok(run)) = (std::str::from_utf8(key), std::str::from_utf8(run)) else {
        return;
    };
    let naming = Naming {
        flow: "flow",
        run: (!run.is_empty()).then_some(run),
        key: key.strip_prefix('k'),
    };
    check(lines, naming);
});

fn check(bytes: &[u8], naming: Naming<'_>) {
    let (good, bad) = read(bytes, naming);
    // Each line that says anything is told of once.
    let told = good.iter().map(|line| line.number);
    let mut told: Vec<usize> = told.chain(bad.iter().map(|bad| bad.number)).collect();
    told.sort_unstable();
    let unmarked = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let written: BTreeMap<usize, &[u8]> = (1..)
        .zip(unmarked.split(|byte| *byte == b'\n'))
        .map(|(number, line)| (number, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty())
        .collect();
    assert!(told.iter().eq(written.keys()), "{told:?}");
    for line in &good {
        assert_eq!(line.input.as_bytes(), written[&line.number]);
        assert!(line.name.parse::<ExecutionName>().is_ok(), "{}", line.name);
        let later = generation(&line.name, 3);
        assert_eq!(without_generation(&later, 3), line.name);
        assert_ne!(later, line.name);
        assert_eq!(digits(&line.name).len(), 32);
        let parts = (1..=3).filter_map(|part| Part::parse(&format!("{part}/3")).ok());
        assert_eq!(parts.filter(|part| part.has(&line.name)).count(), 1);
    }
    for bad in &bad {
        let line = std::str::from_utf8(written[&bad.number]);
        let is_object = line.is_ok_and(|line| {
            line.starts_with('{') && serde_json::from_str::<&RawValue>(line).is_ok()
        });
        let is_known = !is_object
            || bad.fault.contains("64 KiB")
            || bad.fault.contains("deeper")
            || naming.key.is_some();
        assert!(is_known, "{}", bad.fault);
    }
    let names: BTreeSet<&str> = good.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names.len(), good.len(), "a name stands twice");

    // The other way round, and each line written otherwise.
    let turned: Vec<String> = good
        .iter()
        .rev()
        .map(|line| otherwise(&line.input))
        .collect();
    let (again, none) = read(turned.join("\n").as_bytes(), naming);
    assert!(none.is_empty(), "{none:?}");
    let again: BTreeSet<&str> = again.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(again, names);

    // A file that was torn: what stands before the tear is what it was.
    let torn = bytes.len() / 2;
    let whole = bytes[..torn].iter().filter(|byte| **byte == b'\n').count();
    if naming.key.is_none() {
        let before = read(&bytes[..torn], naming).0;
        let as_before = |line: &&lines::Line| line.number <= whole;
        let before: Vec<_> = before.iter().filter(as_before).collect();
        let after: Vec<_> = good.iter().filter(as_before).collect();
        assert_eq!(before, after);
    }

    // One name where, and only where, two lines say the same.
    let alone = |line: &lines::Line| {
        let read = read(line.input.as_bytes(), naming).0;
        read.first().map(|line| line.name.clone())
    };
    for pair in good.windows(2).take(8) {
        let (one, other) = (&pair[0].input, &pair[1].input);
        let says = |text: &str| json::read(text).map(|tree| tree.sorted().written(""));
        assert_eq!(canonical(one), says(one));
        if naming.key.is_none() {
            let is_same = says(one) == says(other);
            assert_eq!(alone(&pair[0]) == alone(&pair[1]), is_same);
        }
    }
}

/// The same line with spaces, and its members the other way round.
fn otherwise(line: &str) -> String {
    match json::read(line) {
        Some(tree) => tree.turned().written(" \t"),
        None => line.to_owned(),
    }
}
