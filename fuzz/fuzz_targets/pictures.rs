//! Any history as a picture: well-formed, with every bar in it and nothing that runs or leads
//! elsewhere.
//!
//! Lines of fields between tabs. First `c` (contents are told) or nothing, the time now and the
//! title; then events `e`, id, schedule, time, type, step, detail; or, of Huawei Cloud, one `w`,
//! status, begin, end, input, output; nodes `n`, name; and their runs `r`, status, begin, end,
//! input, output, error. Times are microseconds; what is no number is absent.

#![no_main]

#[path = "../../examples/support/axis.rs"]
mod axis;
#[path = "../../examples/support/history.rs"]
mod history;
#[path = "../../examples/support/picture.rs"]
mod picture;

use chrono::{DateTime, Utc};
use history::{Event, History, Node, NodeRun, Whole};
use picture::draw;
use roxmltree::Document;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.split('\n').map(|line| line.split('\t').collect());
    let head: Vec<&str> = lines.next().unwrap_or_default();
    let contents = field(&head, 0) == "c";
    let (now, title) = (time(&head, 1).unwrap_or_default(), field(&head, 2));

    let (mut events, mut whole, mut nodes) = (Vec::new(), None, Vec::new());
    for line in lines {
        match field(&line, 0) {
            "e" => events.push(event(&line)),
            "w" => {
                whole = Some(Whole {
                    status: field(&line, 1).to_owned(),
                    begin: time(&line, 2),
                    end: time(&line, 3),
                    input: text_of(&line, 4),
                    output: text_of(&line, 5),
                });
            }
            "n" => nodes.push(Node {
                name: field(&line, 1).to_owned(),
                runs: Vec::new(),
            }),
            "r" => {
                if let Some(node) = nodes.last_mut() {
                    node.runs.push(run(&line));
                }
            }
            _ => {}
        }
    }
    let history = match whole {
        Some(whole) => History::of_nodes(title, &whole, &nodes, contents),
        None => History::of_events(title, events, contents),
    };
    check(&history, now);
});

fn check(history: &History, now: DateTime<Utc>) {
    let picture = draw(history, now);
    let document = Document::parse(&picture);
    let document = document.unwrap_or_else(|error| panic!("{error}: {picture}"));
    let mut shapes = 0;
    for node in document.descendants().filter(|node| node.is_element()) {
        let name = node.tag_name().name();
        let is_shape = matches!(name, "rect" | "path");
        assert!(
            is_shape || matches!(name, "svg" | "style" | "text" | "tspan" | "title"),
            "{name}"
        );
        for attribute in node.attributes() {
            let name = attribute.name();
            assert!(!name.starts_with("on") && !name.ends_with("href"), "{name}");
            if matches!(name, "x" | "y" | "width" | "height") {
                let number: f64 = attribute.value().parse().expect("a number");
                assert!(number.is_finite() && number >= 0.0, "{name}={number}");
            }
        }
        let has_words = node.children().any(|child| child.has_tag_name("title"));
        // What is broken out of the axis has words too.
        shapes += usize::from(is_shape && has_words && node.attribute("class") != Some("k"));
    }
    assert_eq!(shapes, history.bars.len());
}

fn event(line: &[&str]) -> Event {
    Event {
        id: field(line, 1).parse().ok(),
        schedule: field(line, 2).parse().ok(),
        time: time(line, 3),
        kind: field(line, 4).to_owned(),
        step: field(line, 5).to_owned(),
        detail: text_of(line, 6),
    }
}

fn run(line: &[&str]) -> NodeRun {
    NodeRun {
        status: field(line, 1).to_owned(),
        begin: time(line, 2),
        end: time(line, 3),
        input: text_of(line, 4),
        output: text_of(line, 5),
        error: text_of(line, 6),
    }
}

fn field<'a>(line: &[&'a str], index: usize) -> &'a str {
    line.get(index).copied().unwrap_or_default()
}

fn text_of(line: &[&str], index: usize) -> Option<String> {
    line.get(index).map(|text| (*text).to_owned())
}

fn time(line: &[&str], index: usize) -> Option<DateTime<Utc>> {
    let micros = field(line, index).parse().ok()?;
    DateTime::from_timestamp_micros(micros)
}
