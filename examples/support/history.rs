//! What happened in an execution, as bars that lie within one another.
//!
//! Nothing is taken for granted: events may come in any order and twice, begin without an end and
//! end without a beginning, and bear any name.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

/// An event of Alibaba Cloud's history.
#[derive(Clone, Debug, Default)]
pub struct Event {
    pub id: Option<i64>,
    /// The event that it follows from.
    pub schedule: Option<i64>,
    pub kind: String,
    pub step: String,
    pub time: Option<DateTime<Utc>>,
    /// JSON, or whatever else stands there.
    pub detail: Option<String>,
}

/// A node of Huawei Cloud, with its runs: one, and one more for each time that it was tried again.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub name: String,
    pub runs: Vec<NodeRun>,
}

/// One run of a node of Huawei Cloud.
#[derive(Clone, Debug, Default)]
pub struct NodeRun {
    pub status: String,
    pub begin: Option<DateTime<Utc>>,
    pub end: Option<DateTime<Utc>>,
    pub input: Option<String>,
    pub output: Option<String>,
    pub error: Option<String>,
}

/// An execution as a whole, of Huawei Cloud.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    pub status: String,
    pub begin: Option<DateTime<Utc>>,
    pub end: Option<DateTime<Utc>>,
    pub input: Option<String>,
    pub output: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Execution,
    Step,
    Branch,
    Iteration,
    Task,
    /// What belongs to no bar: an end without a beginning, a type that nobody knows.
    Mark,
}

/// How something ended. The worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    Open,
    Well,
    /// Nobody said how.
    Unclear,
    Stopped,
    Badly,
}

#[derive(Debug)]
pub struct Bar {
    pub kind: Kind,
    pub name: String,
    /// Where it lies within: a bar that stands before it in the list.
    pub parent: Option<usize>,
    pub depth: usize,
    pub begin: DateTime<Utc>,
    pub end: Option<DateTime<Utc>>,
    pub fate: Fate,
    /// What else is known, line by line.
    pub words: Vec<String>,
    /// Its place in the order of events, which holds where clocks do not.
    pub from: i64,
    /// Where the next of its kind may begin.
    pub to: Option<i64>,
    /// The event behind the one that began it.
    schedule: Option<i64>,
    /// Nothing more can end it.
    is_closed: bool,
}

/// An execution, ready to be drawn.
#[derive(Debug, Default)]
pub struct History {
    pub title: String,
    pub status: String,
    pub has_ended: bool,
    /// What a reader must know, such as what is missing.
    pub notes: Vec<String>,
    pub bars: Vec<Bar>,
}

/// Of so many nodes, and of so many runs of a node, Huawei Cloud tells.
pub const MOST_NODES: usize = 200;

/// Bars lie no deeper than this; what would, lies beside those that do.
const DEEPEST: usize = 40;

/// What a type of event says: of what kind of bar, and what of it.
enum Meaning {
    Begins(Kind),
    Within(Kind),
    /// With its fate; whether it is over then.
    Ends(Kind, Fate, bool),
    Unknown,
}

fn meaning(event_type: &str) -> Meaning {
    use Meaning::{Begins, Ends, Unknown, Within};
    match event_type {
        "ExecutionStarted" => Begins(Kind::Execution),
        "StepEntered" => Begins(Kind::Step),
        "BranchEntered" => Begins(Kind::Branch),
        "IterationEntered" => Begins(Kind::Iteration),
        "TaskScheduled" => Begins(Kind::Task),
        "StepStarted" => Within(Kind::Step),
        "TaskStarted" | "TaskSubmitted" => Within(Kind::Task),
        "StepSucceeded" => Ends(Kind::Step, Fate::Well, false),
        "StepFailed" => Ends(Kind::Step, Fate::Badly, false),
        "StepExited" => Ends(Kind::Step, Fate::Open, true),
        "BranchExited" => Ends(Kind::Branch, Fate::Open, true),
        "IterationExited" => Ends(Kind::Iteration, Fate::Open, true),
        "TaskSucceeded" => Ends(Kind::Task, Fate::Well, true),
        "TaskFailed" | "TaskTimedOut" | "TaskSubmitFailed" => Ends(Kind::Task, Fate::Badly, true),
        "ExecutionSucceeded" => Ends(Kind::Execution, Fate::Well, true),
        "ExecutionFailed" | "ExecutionTimedOut" => Ends(Kind::Execution, Fate::Badly, true),
        "ExecutionStopped" => Ends(Kind::Execution, Fate::Stopped, true),
        _ => Unknown,
    }
}

/// The members of an event's details that are told.
#[derive(Default, Deserialize)]
struct Detail<'a> {
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    cause: Option<&'a RawValue>,
}

impl History {
    /// The history of an execution of Alibaba Cloud. `contents`: what inputs, outputs and causes
    /// hold is told, too, not only their sizes.
    pub fn of_events(title: impl Into<String>, mut events: Vec<Event>, contents: bool) -> Self {
        // Those without a number keep their order, at the end.
        events.sort_by_key(|event| (event.id.is_none(), event.id));
        let mut seen = HashSet::new();
        events.retain(|event| event.id.is_none_or(|id| seen.insert(id)));
        let mut reading = Reading {
            history: Self {
                title: title.into(),
                status: "Running".to_owned(),
                ..Self::default()
            },
            bar_of: HashMap::new(),
            open: HashMap::new(),
            execution: None,
        };
        // Where an event has no time, that of the one before it is the best there is.
        let mut now = events.iter().find_map(|event| event.time);
        for (place, event) in events.iter().enumerate() {
            now = event.time.or(now);
            let Some(now) = now else {
                let count = events.len();
                let note = format!("No time stands in any event, of {count}: there is no picture.");
                reading.history.notes.push(note);
                break;
            };
            reading.read(
                i64::try_from(place).unwrap_or(i64::MAX),
                event,
                now,
                contents,
            );
        }
        reading.history
    }

    /// The history of an execution of Huawei Cloud.
    pub fn of_nodes(
        title: impl Into<String>,
        whole: &Whole,
        nodes: &[Node],
        contents: bool,
    ) -> Self {
        let mut history = Self {
            title: title.into(),
            status: whole.status.clone(),
            has_ended: whole.end.is_some() || fate_of(&whole.status, false) != Fate::Open,
            ..Self::default()
        };
        let runs = || nodes.iter().flat_map(|node| &node.runs);
        let times = runs().filter_map(|run| run.begin.or(run.end));
        let first = whole.begin.into_iter().chain(times).min();
        if let Some(begin) = first {
            history.bars.push(Bar {
                fate: fate_of(&whole.status, whole.end.is_some()),
                end: whole.end,
                words: [
                    whole
                        .input
                        .as_ref()
                        .map(|text| told("input", text, contents)),
                    whole
                        .output
                        .as_ref()
                        .map(|text| told("output", text, contents)),
                ]
                .into_iter()
                .flatten()
                .collect(),
                ..Bar::new(Kind::Execution, String::new(), begin, i64::MIN)
            });
        }
        if nodes.len() == MOST_NODES {
            let note = format!("The service tells of {MOST_NODES} nodes: others may be missing.");
            history.notes.push(note);
        }
        for node in nodes.iter().filter(|node| node.runs.len() == MOST_NODES) {
            let note = format!(
                "It tells of {MOST_NODES} runs of a node: others of {} may be missing.",
                cut(&node.name, 100)
            );
            history.notes.push(note);
        }
        let mut undated = 0;
        let mut drawn: Vec<Bar> = Vec::new();
        for (node, run) in nodes
            .iter()
            .flat_map(|node| node.runs.iter().map(move |run| (node, run)))
        {
            let Some(begin) = run.begin.or(run.end) else {
                undated += 1;
                continue;
            };
            let kind = match run.begin {
                Some(_) => Kind::Step,
                None => Kind::Mark,
            };
            let texts = [
                ("error", &run.error),
                ("input", &run.input),
                ("output", &run.output),
            ];
            let texts = texts.iter().filter_map(|(name, text)| {
                let text = text.as_ref()?;
                Some(told(name, text, contents))
            });
            let status = Some(format!("status {}", run.status)).filter(|_| !run.status.is_empty());
            drawn.push(Bar {
                parent: Some(0),
                depth: 1,
                end: run.end,
                fate: fate_of(&run.status, run.end.is_some()),
                words: status.into_iter().chain(texts).collect(),
                to: run.end.map(|end| end.timestamp_micros()),
                ..Bar::new(kind, node.name.clone(), begin, begin.timestamp_micros())
            });
        }
        drawn.sort_by_key(|bar| bar.from);
        history.bars.extend(drawn);
        if undated > 0 {
            let note = format!("Left out, since they have no times: {undated} of the nodes' runs.");
            history.notes.push(note);
        }
        history
    }
}

impl Bar {
    fn new(kind: Kind, name: String, begin: DateTime<Utc>, from: i64) -> Self {
        Self {
            kind,
            name,
            parent: None,
            depth: 0,
            begin,
            end: None,
            fate: Fate::Open,
            words: Vec::new(),
            from,
            to: None,
            schedule: None,
            is_closed: false,
        }
    }
}

struct Reading {
    history: History,
    /// The bars that events belong to, by the numbers of the events.
    bar_of: HashMap<i64, usize>,
    /// Bars that can still end, by what scheduled them.
    open: HashMap<(Option<i64>, Kind, String), Vec<usize>>,
    execution: Option<usize>,
}

impl Reading {
    fn read(&mut self, place: i64, event: &Event, time: DateTime<Utc>, contents: bool) {
        let known = match meaning(&event.kind) {
            Meaning::Begins(kind) => Some(self.begin(kind, place, event, time)),
            Meaning::Within(kind) => self.find(kind, event),
            Meaning::Ends(kind, fate, closes) => {
                if kind == Kind::Execution {
                    let status = event.kind.trim_start_matches("Execution");
                    status.clone_into(&mut self.history.status);
                    self.history.has_ended = true;
                }
                let found = self.find(kind, event);
                if let Some(index) = found {
                    self.end(index, fate, closes, place, event, time);
                }
                found
            }
            Meaning::Unknown => None,
        };
        let index = known.unwrap_or_else(|| self.mark(place, event, time));
        if let Some(id) = event.id {
            // A mark lies in the way of no chain.
            let owner = match self.history.bars[index].kind {
                Kind::Mark => self.history.bars[index].parent,
                _ => Some(index),
            };
            if let Some(owner) = owner {
                self.bar_of.insert(id, owner);
            }
        }
        if let Some(detail) = &event.detail {
            let words = &mut self.history.bars[index].words;
            tell(words, detail, contents);
        }
    }

    /// The bar of this kind that an event is about: the nearest on the way back from it, or the
    /// only one that has the same event behind it.
    fn find(&self, kind: Kind, event: &Event) -> Option<usize> {
        let is_it = |index: &usize| {
            let bar = &self.history.bars[*index];
            bar.kind == kind
                && !bar.is_closed
                && (kind == Kind::Execution || bar.name == event.step)
        };
        let mut next = self.behind(event);
        while let Some(index) = next {
            if is_it(&index) {
                return Some(index);
            }
            next = self.history.bars[index].parent;
        }
        if kind == Kind::Execution {
            return self.execution.filter(is_it);
        }
        let key = (scheduled(event), kind, event.step.clone());
        match self.open.get(&key).map(Vec::as_slice) {
            Some([one]) => Some(*one),
            _ => None,
        }
    }

    fn behind(&self, event: &Event) -> Option<usize> {
        scheduled(event)
            .and_then(|id| self.bar_of.get(&id))
            .copied()
    }

    /// Where what an event begins lies within.
    fn parent(&self, event: &Event) -> Option<usize> {
        let bars = &self.history.bars;
        let mut next = self.behind(event);
        while let Some(index) = next {
            let bar = &bars[index];
            if !bar.is_closed && bar.depth < DEEPEST {
                return Some(index);
            }
            next = bar.parent;
        }
        self.execution
    }

    fn begin(&mut self, kind: Kind, place: i64, event: &Event, time: DateTime<Utc>) -> usize {
        let index = self.history.bars.len();
        let parent = match kind {
            Kind::Execution => None,
            _ => self.parent(event),
        };
        let schedule = scheduled(event);
        let bar = Bar::new(kind, event.step.clone(), time, place);
        self.push(parent, Bar { schedule, ..bar });
        if kind == Kind::Execution {
            self.execution.get_or_insert(index);
        } else {
            let key = (schedule, kind, event.step.clone());
            self.open.entry(key).or_default().push(index);
        }
        if let Some(id) = event.id {
            self.history.bars[index]
                .words
                .push(format!("from event {id} on"));
        }
        index
    }

    fn end(
        &mut self,
        index: usize,
        fate: Fate,
        closes: bool,
        place: i64,
        event: &Event,
        time: DateTime<Utc>,
    ) {
        let bar = &mut self.history.bars[index];
        bar.end = Some(time);
        bar.to = Some(place);
        bar.is_closed = closes;
        bar.fate = match fate {
            // It was left, and how it had ended was said before, if it was.
            Fate::Open => bar.fate.max(Fate::Well),
            fate => fate,
        };
        if fate >= Fate::Stopped {
            bar.words.push(event.kind.clone());
        }
        if closes {
            let key = (bar.schedule, bar.kind, bar.name.clone());
            if let Some(open) = self.open.get_mut(&key) {
                open.retain(|one| *one != index);
            }
        }
    }

    fn mark(&mut self, place: i64, event: &Event, time: DateTime<Utc>) -> usize {
        let name = match event.step.as_str() {
            "" => event.kind.clone(),
            step => format!("{step}: {}", event.kind),
        };
        let mut bar = Bar {
            end: Some(time),
            to: Some(place),
            fate: match meaning(&event.kind) {
                Meaning::Ends(_, Fate::Open, _) | Meaning::Within(_) => Fate::Well,
                Meaning::Ends(_, fate, _) => fate,
                _ => Fate::Unclear,
            },
            ..Bar::new(Kind::Mark, name, time, place)
        };
        match meaning(&event.kind) {
            Meaning::Ends(..) => bar
                .words
                .push("the beginning is not in the history".to_owned()),
            Meaning::Within(_) => bar.words.push("what it belongs to is not there".to_owned()),
            _ => {}
        }
        if let Some(id) = event.id {
            bar.words.push(format!("event {id}"));
        }
        let parent = self.behind(event).or(self.execution);
        self.push(parent, bar)
    }

    fn push(&mut self, parent: Option<usize>, bar: Bar) -> usize {
        let bars = &mut self.history.bars;
        let depth = parent.map_or(0, |parent| bars[parent].depth + 1);
        bars.push(Bar {
            parent,
            depth,
            ..bar
        });
        bars.len() - 1
    }
}

/// The event behind this one; 0 is none.
fn scheduled(event: &Event) -> Option<i64> {
    event.schedule.filter(|id| *id != 0)
}

fn fate_of(status: &str, has_end: bool) -> Fate {
    match status {
        "success" => Fate::Well,
        "fail" | "timeout" => Fate::Badly,
        "cancel" => Fate::Stopped,
        _ if has_end => Fate::Unclear,
        _ => Fate::Open,
    }
}

/// Adds what an event's details say.
fn tell(words: &mut Vec<String>, detail: &str, contents: bool) {
    let Ok(read) = serde_json::from_str::<Detail<'_>>(detail) else {
        words.push(told("details", detail, contents));
        return;
    };
    if let Some(code) = read
        .error
        .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok())
        && !code.is_empty()
    {
        words.push(format!("error {}", cut(&code, 200)));
    }
    for (name, raw) in [
        ("cause", read.cause),
        ("input", read.input),
        ("output", read.output),
    ] {
        let Some(raw) = raw else { continue };
        let line = told(name, raw.get(), contents);
        // A step tells its output when it succeeds, and again when it is left.
        if !words.contains(&line) {
            words.push(line);
        }
    }
}

/// How large a text is, and what it says where that was asked for.
fn told(name: &str, text: &str, contents: bool) -> String {
    let size = match text.len() {
        1 => "1 byte".to_owned(),
        size => format!("{size} bytes"),
    };
    match contents {
        true => format!("{name} {size}: {}", cut(text, 2000)),
        false => format!("{name} {size}"),
    }
}

/// A text's beginning, cut between characters.
pub fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
