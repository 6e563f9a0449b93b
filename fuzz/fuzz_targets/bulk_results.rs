//! Any results file of `bulk`: refused and left alone, or read as its lines say, with a torn end
//! set aside; and what is written is read back the same, wherever the file is torn.
//!
//! Pieces: `h` for a file that begins as it should, or anything else; where it is torn, as a number;
//! a name, an id, a status, an output; then the file, in which the byte that cuts pieces may stand.

#![no_main]

#[path = "../../examples/support/lines.rs"]
#[expect(dead_code, reason = "what is used of it is how names are counted on")]
mod lines;
#[path = "../../examples/support/results.rs"]
#[expect(dead_code, reason = "how far a line is, is for the program to say")]
mod results;

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
};

use cloud_workflows::Payload;
use cloud_workflows_fuzz::CUT;
use lines::{generation, without_generation};
use results::{Entry, Fault, Header, Results, STARTING, on_one_line};
use serde_json::{Value, value::RawValue};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let pieces: Vec<&[u8]> = data.splitn(7, |byte| *byte == CUT).collect();
    let [kind, texts @ .., file] = &pieces[..] else {
        return;
    };
    let texts: Result<Vec<&str>, _> = texts.iter().map(|text| std::str::from_utf8(text)).collect();
    let Ok([tear, name, id, status, output]) = texts.as_deref() else {
        return;
    };
    let mut content = Vec::new();
    if *kind == b"h" {
        content = serde_json::to_vec(&header()).expect("JSON");
        content.push(b'\n');
    }
    content.extend_from_slice(file);
    let place = Place::new();
    let path = place.0.join("results");
    fs::write(&path, &content).expect("a file");
    read_any(&path, &content);
    let entry = Entry {
        line: name.len(),
        name: (*name).to_owned(),
        id: (!id.is_empty()).then(|| (*id).to_owned()),
        generation: 1,
        status: (*status).to_owned(),
        began: None,
        // One of nothing is read as none.
        output: on_one_line(&Payload::from_json(*output)).filter(|it| it.get() != "null"),
        error: (status.len() % 2 == 1).then(|| Fault {
            code: None,
            message: Some((*status).to_owned()),
        }),
        request_id: Some((*id).to_owned()),
        may_have_started: Some(id.is_empty()),
    };
    fs::remove_file(&path).expect("a file");
    let _ = fs::remove_file(place.0.join("results.torn"));
    write_and_read(&path, &entry, tear.parse().unwrap_or_default());
});

/// A folder of this process, and nothing in it.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let below = match memory.is_dir() {
            true => memory.to_owned(),
            false => std::env::temp_dir(),
        };
        let place = below.join(format!("fuzz-bulk-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir(&place).expect("a folder");
        Self(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn header() -> Header {
    Header {
        cloud: "alibaba".to_owned(),
        endpoint: "e".to_owned(),
        flow: "f".to_owned(),
        run: None,
        key: None,
    }
}

/// What is known, by names without generation; outputs are not kept.
fn known(results: &Results) -> BTreeMap<String, Value> {
    let entries = results.all().map(|entry| {
        let name = without_generation(&entry.name, entry.generation).to_owned();
        assert!(results.of(&name).is_some());
        (name, serde_json::to_value(entry).expect("JSON"))
    });
    entries.collect()
}

fn read_any(path: &Path, content: &[u8]) {
    let lines: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
    let is_object =
        |line: &[u8]| serde_json::from_slice::<HashMap<String, &RawValue>>(line).is_ok();
    let torn = lines
        .last()
        .filter(|last| !last.ends_with(b"\n") && !is_object(last));
    let opened = Results::open(path, &header());
    let mut now = fs::read(path).expect("a file");
    let Ok(results) = opened else {
        // Nothing is lost of what somebody else may want.
        assert_eq!(now, content);
        return;
    };
    let mut whole = content[..content.len() - torn.map_or(0, |torn| torn.len())].to_vec();
    if whole.last().is_some_and(|last| *last != b'\n') {
        whole.push(b'\n');
    }
    assert!(now.starts_with(&whole) && now.ends_with(b"\n"));
    let aside = fs::read(path.with_extension("torn")).unwrap_or_default();
    assert_eq!(aside, torn.copied().unwrap_or_default());
    // The newest line of each name, in the simplest way.
    let mut told = BTreeMap::new();
    for line in whole.split(|byte| *byte == b'\n').skip(1) {
        let Ok(mut entry) = serde_json::from_slice::<Entry>(line) else {
            continue;
        };
        entry.output = None;
        let first = without_generation(&entry.name, entry.generation).to_owned();
        told.insert(first, serde_json::to_value(entry).expect("JSON"));
    }
    assert_eq!(known(&results), told);
    // Once more: nothing changes but that somebody else came.
    drop(results);
    let before = told;
    let results = Results::open(path, &header()).expect("it was right");
    assert_eq!(known(&results), before);
    let longer = fs::read(path).expect("a file");
    assert!(longer.starts_with(&now) && longer.len() > now.len());
    now.clear();
}

fn write_and_read(path: &Path, entry: &Entry, tear: usize) {
    let second = Entry {
        generation: 2,
        name: generation(&entry.name, 2),
        status: STARTING.to_owned(),
        ..entry.clone()
    };
    let other = Entry {
        name: format!("{}-other", entry.name),
        ..entry.clone()
    };
    let mut results = Results::open(path, &header()).expect("a new file");
    for written in [entry, &other, &second] {
        results.add(std::slice::from_ref(written)).expect("a file");
    }
    results.sync().expect("a file");
    let is = known(&results);
    let newest = results.of(&entry.name).map(|entry| entry.generation);
    drop(results);
    let text = fs::read_to_string(path).expect("text");
    let entries: Vec<Entry> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert_eq!(entries.len(), 3, "{text}");
    for (read, written) in entries.iter().zip([entry, &other, &second]) {
        let value = |entry: &Entry| serde_json::to_string(entry).expect("JSON");
        assert_eq!(value(read), value(written));
    }
    let results = Results::open(path, &header()).expect("it was right");
    assert_eq!(known(&results), is);
    assert_eq!(newest, Some(2));
    drop(results);
    // Torn anywhere behind its first line: what stands in front of the tear is known.
    let head = text.find('\n').unwrap_or_default() + 1;
    let cut = head + tear % (text.len() - head + 1);
    fs::write(path, &text.as_bytes()[..cut]).expect("a file");
    let results = Results::open(path, &header()).expect("a torn file is one");
    let left = text.as_bytes()[..cut].split(|byte| *byte == b'\n');
    let left: Vec<Entry> = left
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    let names: BTreeMap<_, _> = left
        .iter()
        .map(|entry| {
            (
                without_generation(&entry.name, entry.generation),
                &entry.status,
            )
        })
        .collect();
    assert_eq!(known(&results).len(), names.len());
    for (name, status) in names {
        assert_eq!(results.of(name).map(|entry| &entry.status), Some(status));
    }
}
