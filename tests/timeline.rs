//! The picture of the example `timeline`: parsed strictly, whatever happened and however it is called.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/support/axis.rs"]
mod axis;
#[path = "../examples/support/history.rs"]
mod history;
#[path = "../examples/support/picture.rs"]
mod picture;

use chrono::{DateTime, TimeDelta, Utc};
use history::{self as read, Event, Fate, History, Kind, MOST_NODES, NodeRun, Whole};
use picture::draw;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use roxmltree::{Document, Node};

const SECOND: i64 = 1000;
const DAY: i64 = 86_400 * SECOND;

/// So many milliseconds after the beginning.
fn at(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_700_000_000_000 + millis).unwrap()
}

fn event(id: i64, schedule: i64, kind: &str, step: &str, millis: i64) -> Event {
    Event {
        id: Some(id),
        schedule: Some(schedule),
        kind: kind.to_owned(),
        step: step.to_owned(),
        time: Some(at(millis)),
        detail: None,
    }
}

/// Writes events down in their order.
struct Tape {
    events: Vec<Event>,
    now: i64,
}

impl Tape {
    fn new() -> Self {
        let mut tape = Self {
            events: Vec::new(),
            now: 0,
        };
        tape.add(0, "ExecutionStarted", "");
        tape
    }

    fn add(&mut self, schedule: i64, kind: &str, step: &str) -> i64 {
        let id = i64::try_from(self.events.len()).unwrap() + 1;
        self.events.push(event(id, schedule, kind, step, self.now));
        id
    }

    /// A step whose task has these tries, each as long.
    fn step(&mut self, name: &str, tries: &[&str], millis: i64) {
        let step = self.add(1, "StepEntered", name);
        for end in tries {
            let task = self.add(step, "TaskScheduled", name);
            self.now += millis;
            self.add(task, end, name);
        }
        self.add(step, "StepSucceeded", name);
        self.add(step, "StepExited", name);
    }

    fn end(mut self, kind: &str) -> Vec<Event> {
        self.add(1, kind, "");
        self.events
    }
}

fn history(events: Vec<Event>) -> History {
    History::of_events("flow / run", events, false)
}

/// Draws events that were all over at the last of them, or go on until a second after it.
fn picture(events: Vec<Event>) -> Picture {
    let last = events.iter().filter_map(|event| event.time).max();
    let now = last.unwrap_or_else(|| at(0)) + TimeDelta::seconds(1);
    Picture::of(&history(events), now)
}

/// A rectangle or mark with hover text.
#[derive(Clone, Debug, PartialEq)]
struct Shape {
    class: String,
    x: f64,
    y: f64,
    width: f64,
    words: String,
}

struct Picture {
    text: String,
    shapes: Vec<Shape>,
    /// Names of rows, with the counts after them.
    labels: Vec<String>,
    /// All other lines of text.
    lines: Vec<String>,
}

impl Picture {
    /// Draws, parses and checks what holds for every picture.
    fn of(history: &History, now: DateTime<Utc>) -> Self {
        let text = draw(history, now);
        let document = Document::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "svg");
        let mut picture = Self {
            text: text.clone(),
            shapes: Vec::new(),
            labels: Vec::new(),
            lines: Vec::new(),
        };
        for node in document.descendants().filter(Node::is_element) {
            picture.take(node, root);
        }
        // Nothing in it that was not written here, and no way to elsewhere.
        let style: Vec<_> = root
            .children()
            .filter(|node| node.has_tag_name("style"))
            .collect();
        assert_eq!(style.len(), 1);
        let style = style[0].text().unwrap();
        assert!(
            !style.contains("url") && !style.contains("@import"),
            "{style}"
        );
        picture
    }

    fn take(&mut self, node: Node<'_, '_>, root: Node<'_, '_>) {
        let name = node.tag_name().name();
        let known = ["svg", "style", "rect", "path", "text", "tspan", "title"];
        assert!(known.contains(&name), "<{name}>");
        assert_eq!(
            node.tag_name().namespace(),
            Some("http://www.w3.org/2000/svg")
        );
        for attribute in node.attributes() {
            let name = attribute.name();
            assert!(!name.starts_with("on") && !name.ends_with("href"), "{name}");
        }
        let words = node.children().find(|child| child.has_tag_name("title"));
        let words = words.map(|title| title.text().unwrap_or_default().to_owned());
        let number =
            |name: &str| -> f64 { node.attribute(name).map_or(0.0, |n| n.parse().unwrap()) };
        match (name, words) {
            ("rect" | "path", Some(words)) => {
                let (x, y) = match node.attribute("d") {
                    Some(d) => {
                        let (x, rest) = d[1..].split_once(' ').unwrap();
                        let (y, _) = rest.split_once('l').unwrap_or((rest, ""));
                        (x.parse().unwrap(), y.parse().unwrap())
                    }
                    None => (number("x"), number("y")),
                };
                let (width, height) = (number("width"), number("height"));
                let edge = |name: &str| -> f64 { root.attribute(name).unwrap().parse().unwrap() };
                assert!(
                    x >= 0.0 && x + width <= edge("width"),
                    "{words}: {x} {width}"
                );
                assert!(y >= 0.0 && y + height <= edge("height"), "{words}");
                self.shapes.push(Shape {
                    class: node.attribute("class").unwrap().to_owned(),
                    x,
                    y,
                    width,
                    words,
                });
            }
            ("text", words) => {
                let text: String = node
                    .descendants()
                    .filter(|part| part.is_text() && !part.parent().unwrap().has_tag_name("title"))
                    .filter_map(|part| part.text())
                    .collect();
                match words {
                    Some(_) => self.labels.push(text),
                    None => self.lines.push(text),
                }
            }
            _ => {}
        }
    }

    fn bar(&self, words: &str) -> &Shape {
        let found = self
            .shapes
            .iter()
            .find(|shape| shape.words.starts_with(words));
        found.unwrap_or_else(|| panic!("no {words} in {:#?}", self.shapes))
    }

    fn classes(&self, words: &str) -> Vec<&str> {
        let mut bars: Vec<_> = self.shapes.iter().collect();
        bars.retain(|shape| shape.words.starts_with(words));
        bars.sort_by(|a, b| a.x.total_cmp(&b.x));
        bars.iter().map(|shape| shape.class.as_str()).collect()
    }

    fn breaks(&self) -> Vec<&Shape> {
        self.shapes
            .iter()
            .filter(|shape| shape.class == "k")
            .collect()
    }
}

#[test]
fn three_events_are_a_picture() {
    let mut tape = Tape::new();
    tape.now = 2 * SECOND;
    tape.add(1, "MapRunStarted", "map");
    tape.now = 3 * SECOND;
    let picture = picture(tape.end("ExecutionSucceeded"));
    assert_eq!(picture.labels, ["the execution", "map: MapRunStarted"]);
    let execution = picture.bar("the execution (execution): ended well");
    assert!(
        execution
            .words
            .contains("2023-11-14 22:13:20.000 UTC to 2023-11-14 22:13:23.000 UTC, 3 s")
    );
    assert!(execution.width > 850.0, "{execution:?}");
    assert!(picture.breaks().is_empty());
    let mark = picture.bar("map: MapRunStarted");
    let middle = execution.x + execution.width * 2.0 / 3.0;
    assert!((mark.x - middle).abs() < 12.0, "{mark:?}");
}

#[test]
fn a_single_event_and_none_at_all_are_pictures_too() {
    let one = picture(vec![event(1, 0, "ExecutionStarted", "", 0)]);
    assert_eq!(one.classes("the execution"), ["r"]);
    assert!(
        picture(Vec::new())
            .lines
            .contains(&"There is nothing to draw.".to_owned())
    );
    let undated = Event {
        time: None,
        ..event(1, 0, "ExecutionStarted", "", 0)
    };
    let undated = picture(vec![undated]);
    assert!(
        undated
            .lines
            .iter()
            .any(|line| line.starts_with("No time stands in any event, of 1:"))
    );
}

#[test]
fn tries_lie_in_their_step_and_failures_are_red() {
    let mut tape = Tape::new();
    tape.step(
        "charge",
        &["TaskFailed", "TaskTimedOut", "TaskSucceeded"],
        SECOND,
    );
    tape.step("ship", &["TaskSucceeded"], SECOND);
    let picture = picture(tape.end("ExecutionSucceeded"));
    assert_eq!(
        picture.labels,
        ["the execution", "charge 3 tries 2 failed", "ship"]
    );
    assert_eq!(picture.classes("charge (task)"), ["b", "b", "w"]);
    assert_eq!(picture.classes("charge (step)"), ["o w"]);
    let (step, task) = (
        picture.bar("charge (step)"),
        picture.bar("charge (task): failed"),
    );
    assert!((step.x - task.x).abs() < 0.2 && (task.width * 3.0 - step.width).abs() < 3.0);
    assert!(task.words.contains("TaskFailed") || task.words.contains("TaskTimedOut"));
    assert!(
        picture
            .lines
            .iter()
            .any(|line| line.ends_with("· 2 steps, 2 tries failed")),
        "{:?}",
        picture.lines
    );
}

#[test]
fn the_order_is_that_of_the_numbers_whatever_comes_first_and_comes_twice() {
    let mut tape = Tape::new();
    tape.step("a", &["TaskFailed", "TaskSucceeded"], SECOND);
    tape.step("b", &["TaskSucceeded"], SECOND);
    let events = tape.end("ExecutionSucceeded");
    let straight = picture(events.clone()).text;
    let doubled = [events.clone(), events.clone()].concat();
    let backwards: Vec<_> = events.iter().cloned().rev().collect();
    let mut mixed = events;
    mixed.sort_by_key(|event| event.id.unwrap() * 7 % 5);
    for events in [doubled, backwards, mixed] {
        assert_eq!(picture(events).text, straight);
    }
}

#[test]
fn parallel_and_repeated_steps_of_one_name_are_told_apart_by_their_chain() {
    let mut tape = Tape::new();
    let parallel = tape.add(1, "StepEntered", "both");
    let left = tape.add(parallel, "BranchEntered", "both");
    let right = tape.add(parallel, "BranchEntered", "both");
    let first = tape.add(left, "StepEntered", "same");
    let second = tape.add(right, "StepEntered", "same");
    tape.now = SECOND;
    // The second ends first.
    tape.add(second, "StepFailed", "same");
    tape.add(second, "StepExited", "same");
    tape.add(right, "BranchExited", "both");
    tape.now = 4 * SECOND;
    tape.add(first, "StepSucceeded", "same");
    tape.add(first, "StepExited", "same");
    tape.add(left, "BranchExited", "both");
    tape.add(parallel, "StepExited", "both");
    for _ in 0..3 {
        tape.step("again", &["TaskSucceeded"], SECOND);
    }
    let events = tape.end("ExecutionSucceeded");
    let read = history(events.clone());
    let same: Vec<_> = read.bars.iter().filter(|bar| bar.name == "same").collect();
    assert_eq!(same[0].end, Some(at(4 * SECOND)));
    assert_eq!(same[1].end, Some(at(SECOND)));
    assert_eq!([same[0].fate, same[1].fate], [Fate::Well, Fate::Badly]);
    let branches = [same[0].parent.unwrap(), same[1].parent.unwrap()];
    assert!(branches[0] != branches[1]);
    assert!(
        branches
            .iter()
            .all(|branch| read.bars[*branch].kind == Kind::Branch)
    );
    assert!(read.bars.iter().all(|bar| bar.kind != Kind::Mark));

    let picture = picture(events);
    let labels = [
        "the execution",
        "both",
        "both",
        "same",
        "both",
        "same",
        "again ×3",
    ];
    assert_eq!(picture.labels, labels);
    let again: Vec<_> = picture
        .shapes
        .iter()
        .filter(|shape| shape.words.starts_with("again (step)"))
        .collect();
    assert!(
        again.iter().all(|bar| bar.y == again[0].y),
        "one row: {again:?}"
    );
    let (one, other) = (
        picture.bar("same (step): ended well"),
        picture.bar("same (step): failed"),
    );
    assert!(one.y != other.y && other.class == "b" && one.width > 3.0 * other.width);
}

#[test]
fn a_chain_from_event_to_event_is_followed_as_well() {
    // Every event follows from the one before it, as the service may have it.
    let kinds = [
        ("ExecutionStarted", ""),
        ("StepEntered", "outer"),
        ("StepStarted", "outer"),
        ("StepEntered", "inner"),
        ("TaskScheduled", "inner"),
        ("TaskStarted", "inner"),
        ("TaskSucceeded", "inner"),
        ("StepSucceeded", "inner"),
        ("StepExited", "inner"),
        ("StepSucceeded", "outer"),
        ("StepExited", "outer"),
        ("StepEntered", "next"),
        ("StepExited", "next"),
        ("ExecutionSucceeded", ""),
    ];
    let events = (1..)
        .zip(kinds)
        .map(|(id, (kind, step))| event(id, id - 1, kind, step, id * SECOND));
    let read = history(events.collect());
    let nested: Vec<_> = read
        .bars
        .iter()
        .map(|bar| (bar.kind, &*bar.name, bar.depth))
        .collect();
    let expected = [
        (Kind::Execution, "", 0),
        (Kind::Step, "outer", 1),
        (Kind::Step, "inner", 2),
        (Kind::Task, "inner", 3),
        (Kind::Step, "next", 1),
    ];
    assert_eq!(nested, expected);
    assert!(
        read.bars
            .iter()
            .all(|bar| bar.fate == Fate::Well && bar.end.is_some())
    );
}

#[test]
fn what_has_no_beginning_is_a_mark_and_what_has_no_end_looks_open() {
    let events = vec![
        event(1, 0, "ExecutionStarted", "", 0),
        // Of event 2, `StepEntered`, nobody knows.
        event(4, 2, "StepFailed", "lost", 500),
        event(5, 1, "StepEntered", "open", 1000),
        event(6, 5, "TaskScheduled", "open", 1000),
        event(7, 1, "SomethingNew", "", 2000),
    ];
    let read = history(events.clone());
    let picture = Picture::of(&read, at(10 * SECOND));
    assert_eq!(
        picture.labels,
        ["the execution", "lost: StepFailed", "open", "SomethingNew"]
    );
    let mark = picture.bar("lost: StepFailed");
    assert_eq!(mark.class, "b");
    assert!(
        mark.words.contains("the beginning is not in the history"),
        "{mark:?}"
    );
    // Open bars reach to now.
    let (execution, open) = (picture.bar("the execution"), picture.bar("open (step)"));
    assert_eq!([&*execution.class, &*open.class], ["r", "o r"]);
    let right = execution.x + execution.width;
    assert!((open.x + open.width - right).abs() < 0.2 && right > 1100.0);
    assert!(
        picture
            .lines
            .iter()
            .any(|line| line.starts_with("Running · ") && line.contains("10 s so far"))
    );
    // An execution that has ended is no longer open, nor is what it left behind.
    let mut ended = events;
    ended.push(event(8, 1, "ExecutionStopped", "", 4000));
    let ended = Picture::of(&history(ended), at(DAY));
    let (execution, open) = (ended.bar("the execution"), ended.bar("open (step)"));
    assert_eq!([&*execution.class, &*open.class], ["s", "o r"]);
    assert!((open.x + open.width - execution.x - execution.width).abs() < 0.2);
    assert!(open.words.contains("no end in the history"), "{open:?}");
}

#[test]
fn what_is_left_open_ends_with_what_it_lies_within() {
    let events = vec![
        event(1, 0, "ExecutionStarted", "", 0),
        event(2, 1, "StepEntered", "outer", 0),
        event(3, 2, "StepEntered", "inner", 0),
        event(4, 2, "StepExited", "outer", 1000),
        event(5, 1, "ExecutionSucceeded", "", 5000),
    ];
    let picture = picture(events);
    let (outer, inner) = (picture.bar("outer"), picture.bar("inner"));
    assert_eq!((&*inner.class, inner.width), ("r", outer.width));
}

#[test]
fn a_failure_lies_over_what_went_well() {
    let mut tape = Tape::new();
    for end in ["TaskFailed", "TaskSucceeded", "TaskFailed", "TaskSucceeded"] {
        tape.step("tried", &[end], 0);
    }
    for end in ["StepFailed", "StepSucceeded"] {
        let step = tape.add(1, "StepEntered", "bare");
        tape.add(step, end, "bare");
        tape.add(step, "StepExited", "bare");
    }
    let picture = picture(tape.end("ExecutionSucceeded"));
    let drawn = |words: &str| {
        let bars = picture.shapes.iter();
        let bars = bars.filter(|shape| shape.words.starts_with(words));
        bars.map(|shape| &*shape.class).collect::<Vec<_>>()
    };
    assert_eq!(drawn("tried (task)"), ["w", "w", "b", "b"]);
    assert_eq!(drawn("bare (step)"), ["w", "b"]);
}

#[test]
fn an_ambiguous_end_is_a_mark() {
    let events = vec![
        event(1, 0, "ExecutionStarted", "", 0),
        event(2, 1, "StepEntered", "twin", 0),
        event(3, 1, "StepEntered", "twin", 0),
        event(4, 1, "StepExited", "twin", 500),
        event(5, 3, "StepExited", "twin", 1000),
        // Now only one is left that it can be.
        event(6, 1, "StepExited", "twin", 2000),
        event(7, 1, "ExecutionSucceeded", "", 2000),
    ];
    let read = history(events);
    let ends: Vec<_> = read.bars.iter().map(|bar| (bar.kind, bar.end)).collect();
    let expected = [
        (Kind::Execution, Some(at(2000))),
        (Kind::Step, Some(at(2000))),
        (Kind::Step, Some(at(1000))),
        (Kind::Mark, Some(at(500))),
    ];
    assert_eq!(ends, expected);
}

#[test]
fn long_pauses_are_broken_and_the_rest_can_be_read() {
    for pauses in [1, 2, 3] {
        let mut tape = Tape::new();
        tape.step("first", &["TaskSucceeded"], SECOND);
        for pause in 0..pauses {
            tape.now += 3 * DAY;
            tape.step(&format!("after {pause}"), &["TaskSucceeded"], SECOND);
        }
        let picture = picture(tape.end("ExecutionSucceeded"));
        let breaks = picture.breaks();
        assert_eq!(breaks.len(), pauses);
        assert!(
            breaks
                .iter()
                .all(|gap| gap.words == "Nothing happened for 3 d.")
        );
        assert_eq!(
            picture.lines.iter().filter(|line| *line == "3 d").count(),
            pauses
        );
        // All steps are as long, and look it.
        let first = picture.bar("first (step)").width;
        for pause in 0..pauses {
            let other = picture.bar(&format!("after {pause} (step)")).width;
            assert!(
                first > 100.0 && (first - other).abs() < 3.0,
                "{first} {other}"
            );
        }
    }
}

#[test]
fn a_second_pause_is_broken_where_it_is_nearly_all_that_is_left() {
    for (pause, breaks) in [(300 * SECOND, 1), (3600 * SECOND, 2)] {
        let mut tape = Tape::new();
        tape.now = 3 * DAY;
        for step in 0..60 {
            tape.step(&format!("{step}"), &["TaskSucceeded"], SECOND);
        }
        tape.now += pause;
        tape.step("last", &["TaskSucceeded"], SECOND);
        let found = picture(tape.end("ExecutionSucceeded")).breaks().len();
        assert_eq!(found, breaks, "{pause}");
    }
}

#[test]
fn among_many_short_steps_a_gap_of_seconds_is_broken() {
    let mut tape = Tape::new();
    for step in 0..10 {
        tape.step(&format!("{step}"), &["TaskSucceeded"], 10);
    }
    tape.step("slow", &["TaskSucceeded"], 8 * SECOND);
    let picture = picture(tape.end("ExecutionSucceeded"));
    assert_eq!(picture.breaks().len(), 1);
    assert!(picture.bar("0 (step)").width > 50.0);
}

#[test]
fn no_label_of_the_axis_lies_over_another() {
    for tail in (200..20_000).step_by(90) {
        let after = 3 * DAY + 7_501 * SECOND;
        let moments = [0, 1, 2, 3, after, after + tail].map(at);
        let axis = axis::Axis::new(moments, 290.0, 894.0);
        assert_eq!(axis.breaks.len(), 1);
        let ticks = axis.ticks();
        let right = axis.x(at(after + tail));
        assert!(ticks.len() > 1);
        for (index, tick) in ticks.iter().enumerate() {
            let end = tick.x + 6.0 * f64::from(u32::try_from(tick.label.chars().count()).unwrap());
            let next = ticks.get(index + 1).map_or(right, |next| next.x);
            assert!(end < next, "{tail}: {} ends at {end}, {next}", tick.label);
        }
    }
}

#[test]
fn what_is_no_pause_is_not_broken() {
    let mut even = Tape::new();
    for step in 0..50 {
        even.step(&format!("{step}"), &["TaskSucceeded"], 3600 * SECOND);
    }
    let mut short = Tape::new();
    short.step("a", &["TaskSucceeded"], 3 * SECOND);
    short.step("b", &["TaskSucceeded"], 5);
    let mut alone = Tape::new();
    alone.step("a", &["TaskSucceeded"], 3 * DAY);
    for tape in [even, short, alone] {
        assert!(picture(tape.end("ExecutionSucceeded")).breaks().is_empty());
    }
}

#[test]
fn a_clock_that_goes_back_and_times_of_one_millisecond_are_drawn() {
    let mut tape = Tape::new();
    tape.step("a", &["TaskSucceeded"], -40);
    tape.step("b", &["TaskSucceeded"], 1);
    tape.step("a", &["TaskSucceeded"], 0);
    let picture = picture(tape.end("ExecutionSucceeded"));
    assert_eq!(picture.labels, ["the execution", "a ×2", "b"]);
    assert!(
        picture.shapes.iter().all(|shape| shape.width >= 2.0),
        "{:?}",
        picture.shapes
    );
}

/// Histories of about so many events: one of many steps, one of a loop, one of wide branches.
fn large(events: usize) -> [Vec<Event>; 3] {
    let (mut steps, mut rounds, mut wide) = (Tape::new(), Tape::new(), Tape::new());
    while steps.events.len() < events {
        let name = format!("step {}", steps.events.len());
        if steps.events.len() % 7 == 0 {
            steps.step(&name, &["TaskFailed", "TaskSucceeded"], SECOND);
        } else {
            steps.step(&name, &["TaskSucceeded"], SECOND);
        }
        if steps.events.len() < 7 {
            steps.now += 3 * DAY;
        }
    }
    let each = rounds.add(1, "StepEntered", "for each");
    while rounds.events.len() < events {
        let round = rounds.add(each, "IterationEntered", "for each");
        let step = rounds.add(round, "StepEntered", "poll");
        rounds.now += 250;
        rounds.add(step, "StepExited", "poll");
        rounds.add(round, "IterationExited", "for each");
    }
    rounds.add(each, "StepExited", "for each");
    let all = wide.add(1, "StepEntered", "all");
    let branches: Vec<i64> = (0..events / 4)
        .map(|_| wide.add(all, "BranchEntered", "one"))
        .collect();
    let inner: Vec<i64> = branches
        .iter()
        .map(|id| wide.add(*id, "StepEntered", "work"))
        .collect();
    for (branch, step) in branches.iter().zip(inner) {
        wide.now += 100;
        wide.add(step, "StepExited", "work");
        wide.add(*branch, "BranchExited", "one");
    }
    [steps, rounds, wide].map(|tape| tape.end("ExecutionSucceeded"))
}

#[test]
fn three_two_hundred_and_five_thousand_events_are_all_there() {
    for count in [3, 200, 5000] {
        for (events, name) in large(count).into_iter().zip(["steps", "rounds", "wide"]) {
            let begun = events.iter().filter(|event| {
                event.kind.ends_with("Entered")
                    || ["TaskScheduled", "ExecutionStarted"].contains(&&*event.kind)
            });
            let begun = begun.count();
            let picture = picture(events);
            // To be looked at in a browser.
            if let Some(directory) = std::env::var_os("TIMELINE_PICTURES") {
                let file = std::path::Path::new(&directory).join(format!("{name}_{count}.svg"));
                std::fs::write(file, &picture.text).unwrap();
            }
            let bars = picture
                .shapes
                .iter()
                .filter(|shape| shape.class != "k")
                .count();
            assert_eq!(bars, begun);
            assert!(picture.text.len() < 400 * begun + 300 * picture.labels.len() + 10_000);
        }
    }
    let [_, rounds, _] = large(5000);
    let labels = picture(rounds).labels;
    assert_eq!(
        labels,
        ["the execution", "for each", "for each ×1250", "poll ×1250"]
    );
}

#[test]
fn what_lies_very_deep_is_drawn_all_the_same() {
    let mut tape = Tape::new();
    for _ in 0..5000 {
        let behind = i64::try_from(tape.events.len()).unwrap();
        tape.add(behind, "StepEntered", "deeper");
        tape.now += 1;
    }
    let read = history(tape.events);
    assert!(read.bars.iter().all(|bar| bar.depth <= 41));
    assert_eq!(Picture::of(&read, at(5001)).labels.len(), 5001);
}

#[test]
fn sizes_are_told_and_contents_only_when_asked() {
    let mut tape = Tape::new();
    let step = tape.add(1, "StepEntered", "pay");
    tape.events[1].detail =
        Some(r#"{"input": {"card":"4711 <MARKER>"}, "local": {"MARKER":1}}"#.to_owned());
    tape.now = SECOND;
    tape.add(step, "StepFailed", "pay");
    tape.events[2].detail = Some(r#"{"error":"Card.Refused","cause":"MARKER & co"}"#.to_owned());
    tape.add(1, "Odd", "pay");
    tape.events[3].detail = Some("no JSON, MARKER \u{3} \\ud800".to_owned());
    tape.add(step, "StepExited", "pay");
    tape.events[4].detail = Some(r#"{"output":{},"cause":"MARKER & co"}"#.to_owned());
    let events = tape.end("ExecutionFailed");
    let shown = picture(events.clone());
    assert!(!shown.text.contains("MARKER"));
    let bar = shown.bar("pay (step): failed");
    assert!(bar.words.contains("input 24 bytes"), "{bar:?}");
    assert_eq!(bar.words.matches("cause 13 bytes").count(), 1, "{bar:?}");
    assert!(
        bar.words.contains("error Card.Refused\ncause 13 bytes"),
        "{bar:?}"
    );
    assert!(shown.bar("pay: Odd").words.contains("details 24 bytes"));
    let asked = History::of_events("flow", events, true);
    let asked = Picture::of(&asked, at(DAY));
    assert!(
        asked
            .bar("pay (step)")
            .words
            .contains(r#"input 24 bytes: {"card":"4711 <MARKER>"}"#)
    );
    assert!(asked.bar("pay (step)").words.contains("MARKER & co"));
    assert!(
        asked
            .bar("pay: Odd")
            .words
            .contains("no JSON, MARKER \u{fffd} \\ud800")
    );
}

fn node(name: &str, runs: &[NodeRun]) -> read::Node {
    read::Node {
        name: name.to_owned(),
        runs: runs.to_vec(),
    }
}

fn run(status: &str, begin: i64, end: Option<i64>) -> NodeRun {
    NodeRun {
        status: status.to_owned(),
        begin: Some(at(begin)),
        end: end.map(at),
        input: Some("{}".to_owned()),
        error: Some("\"MARKER\"".to_owned()).filter(|_| status == "fail"),
        ..NodeRun::default()
    }
}

#[test]
fn nodes_of_huawei_cloud_are_drawn_with_all_their_runs() {
    let whole = Whole {
        status: "running".to_owned(),
        begin: Some(at(0)),
        ..Whole::default()
    };
    let undated = NodeRun {
        begin: None,
        ..run("", 0, None)
    };
    let endless = NodeRun {
        begin: None,
        ..run("success", 0, Some(500))
    };
    let charge = [
        run("success", 3000, Some(4000)),
        run("fail", 1000, Some(2000)),
        run("fail", 2000, Some(3000)),
    ];
    let ship = [
        run("running", 4000, None),
        run("recovered", 4000, Some(5000)),
    ];
    let nodes = [
        node("charge", &charge),
        node("ship", &ship),
        node("aside", &[run("cancel", 100, Some(200))]),
        node("never", &[undated]),
        node("begun before", &[endless]),
    ];
    let history = History::of_nodes("flow / run", &whole, &nodes, false);
    let picture = Picture::of(&history, at(8000));
    let labels = [
        "the execution",
        "aside",
        "begun before",
        "charge ×3 2 failed",
        "ship",
        "ship",
    ];
    assert_eq!(picture.labels, labels);
    assert_eq!(picture.classes("charge"), ["b", "b", "w"]);
    assert_eq!(picture.classes("ship (step): no end"), ["r"]);
    assert_eq!(picture.classes("ship (step): nobody said"), ["u"]);
    assert_eq!(picture.classes("aside"), ["s"]);
    assert_eq!(picture.classes("the execution"), ["r"]);
    assert!(
        picture
            .lines
            .contains(&"Left out, since they have no times: 1 of the nodes' runs.".to_owned())
    );
    let failed = picture.bar("charge (step): failed");
    assert!(
        failed
            .words
            .contains("status fail\nerror 8 bytes\ninput 2 bytes"),
        "{failed:?}"
    );
    assert!(!picture.text.contains("MARKER"));
}

#[test]
fn where_the_service_cuts_is_said() {
    let whole = Whole {
        status: "success".to_owned(),
        ..Whole::default()
    };
    let one = run("success", 0, Some(10));
    let notes = |nodes: usize, runs: usize| {
        let mut nodes = vec![node("n", std::slice::from_ref(&one)); nodes];
        nodes[0] = node("a&b", &vec![one.clone(); runs]);
        let history = History::of_nodes("flow", &whole, &nodes, false);
        let lines = Picture::of(&history, at(DAY)).lines;
        let cuts = lines
            .into_iter()
            .filter(|line| line.ends_with("may be missing."));
        cuts.collect::<Vec<_>>()
    };
    let nodes = "The service tells of 200 nodes: others may be missing.";
    let runs = "It tells of 200 runs of a node: others of a&b may be missing.";
    assert!(notes(MOST_NODES - 1, MOST_NODES - 1).is_empty());
    // One that tells of more cuts elsewhere, if at all.
    assert!(notes(MOST_NODES + 1, MOST_NODES + 1).is_empty());
    assert_eq!(notes(MOST_NODES, 1), [nodes]);
    assert_eq!(notes(MOST_NODES, MOST_NODES), [nodes, runs]);
}

#[test]
fn no_name_breaks_the_picture_or_runs_in_it() {
    let name =
        "a&b<script>\"']]>--\u{0}\u{3}\u{85}\u{fffe}\u{ffff}\u{202e}\u{10ffff}<!-- <![CDATA[";
    let mut tape = Tape::new();
    tape.step(name, &["TaskFailed"], SECOND);
    tape.add(1, name, name);
    let mut events = tape.end("ExecutionSucceeded");
    for event in &mut events {
        event.detail = Some(name.to_owned());
    }
    let mut history = History::of_events(name, events, true);
    history.notes.push(name.to_owned());
    history.status = name.to_owned();
    let picture = Picture::of(&history, at(DAY));
    let shown = "a&b<script>\"']]>--\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{10ffff}<!-- <![CDATA[";
    assert!(
        picture.bar("a&b").words.starts_with(shown),
        "{:?}",
        picture.bar("a&b")
    );
    assert!(picture.labels[1].starts_with("a&b<script>\"']]>--"));
}

#[test]
fn long_names_are_cut_between_characters() {
    let mut tape = Tape::new();
    tape.step(
        &"工作流😀".repeat(1000),
        &["TaskFailed", "TaskSucceeded"],
        SECOND,
    );
    tape.step(&"e\u{301}".repeat(1000), &["TaskSucceeded"], SECOND);
    let picture = picture(tape.end("ExecutionSucceeded"));
    assert!(
        picture.labels[1].starts_with("工作流😀"),
        "{:?}",
        picture.labels
    );
    assert!(
        picture.labels[1].ends_with("… 2 tries 1 failed"),
        "{:?}",
        picture.labels
    );
    assert!(picture.labels[1].chars().count() < 40 && picture.labels[2].ends_with('…'));
    assert!(picture.text.len() < 20_000);
}

/// Types of events, real ones as a rule.
fn kind() -> impl Strategy<Value = String> {
    prop_oneof![
        20 => proptest::sample::select(vec![
            "StepEntered", "StepStarted", "StepSucceeded", "StepFailed", "StepExited",
            "BranchEntered", "BranchExited", "IterationEntered", "IterationExited",
            "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSubmitFailed", "TaskSucceeded",
            "TaskFailed", "TaskTimedOut", "ExecutionStarted", "ExecutionStopped",
            "ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "MapRunStarted",
        ]).prop_map(str::to_owned),
        1 => text(),
    ]
}

/// Texts with what XML cannot bear.
fn text() -> impl Strategy<Value = String> {
    let odd = proptest::sample::select(vec![
        '&', '<', '>', '"', '\'', '\u{3}', '\u{fffe}', '\r', '\n', ']',
    ]);
    vec(prop_oneof![odd, any::<char>()], 0..12).prop_map(String::from_iter)
}

fn moment() -> impl Strategy<Value = DateTime<Utc>> {
    let edge = i64::MAX / 1_000_000;
    let anywhere = (-edge..edge).prop_filter_map("a date", DateTime::from_timestamp_millis);
    let extremes = prop_oneof![
        Just(DateTime::<Utc>::MIN_UTC),
        Just(DateTime::<Utc>::MAX_UTC)
    ];
    prop_oneof![20 => (0..100_000_i64).prop_map(at), 4 => (0..100 * DAY).prop_map(at), 1 => anywhere, 1 => extremes]
}

fn any_event() -> impl Strategy<Value = Event> {
    let id = || prop_oneof![20 => (0..40_i64).prop_map(Some), 1 => any::<Option<i64>>()];
    let step = prop_oneof![4 => "[ab]", 1 => text()];
    let time = proptest::option::weighted(0.9, moment());
    (id(), id(), kind(), step, time, proptest::option::of(text())).prop_map(
        |(id, schedule, kind, step, time, detail)| Event {
            id,
            schedule,
            kind,
            step,
            time,
            detail,
        },
    )
}

/// The cases are the same at every run. `PROPTEST_RNG_SEED` gives others, `PROPTEST_CASES` more.
fn for_all<S: Strategy>(
    cases: u32,
    strategy: S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(20_190_315);
    }
    config.failure_persistence = None;
    let run = TestRunner::new(config).run(&strategy, property);
    run.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn every_history_is_well_formed_and_whole() {
    let histories = (vec(any_event(), 0..60), text(), any::<bool>(), moment());
    for_all(400, histories, |(events, title, contents, now)| {
        let history = History::of_events(title, events, contents);
        let picture = Picture::of(&history, now);
        let bars = picture
            .shapes
            .iter()
            .filter(|shape| shape.class != "k")
            .count();
        prop_assert_eq!(bars, history.bars.len());
        Ok(())
    });
}

#[test]
fn every_set_of_nodes_is_well_formed_and_whole() {
    let status = prop_oneof![4 => "success|fail|timeout|cancel|running", 1 => text()];
    let time = || proptest::option::weighted(0.8, moment());
    let payload = || proptest::option::of(text());
    let run = (status, time(), time(), payload(), payload(), payload()).prop_map(
        |(status, begin, end, input, output, error)| NodeRun {
            status,
            begin,
            end,
            input,
            output,
            error,
        },
    );
    let node = (text(), vec(run, 0..6)).prop_map(|(name, runs)| read::Node { name, runs });
    let whole = (text(), time(), time(), payload()).prop_map(|(status, begin, end, input)| Whole {
        status,
        begin,
        end,
        input,
        output: None,
    });
    for_all(
        200,
        (whole, vec(node, 0..12), any::<bool>(), moment()),
        |(whole, nodes, contents, now)| {
            let history = History::of_nodes("flow", &whole, &nodes, contents);
            let picture = Picture::of(&history, now);
            let bars = picture
                .shapes
                .iter()
                .filter(|shape| shape.class != "k")
                .count();
            prop_assert_eq!(bars, history.bars.len());
            Ok(())
        },
    );
}
