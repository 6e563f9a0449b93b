//! The results of a bulk run: one JSON object a line, read again by the next run.
//!
//! The first line says whose results they are. What is about to be started is written and synced
//! before the start, so that after a crash nothing can have run that is not in the file.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use chrono::{DateTime, SecondsFormat, Utc};
use cloud_workflows::Payload;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::lines::without_generation;

/// Whose results they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub cloud: String,
    pub endpoint: String,
    pub flow: String,
    pub run: Option<String>,
    pub key: Option<String>,
}

/// A program that works at the file.
#[derive(Serialize, Deserialize)]
struct Runner {
    process: u32,
    since: String,
}

/// One line of the file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Entry {
    pub line: usize,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub generation: u32,
    /// In the service's words; before the end, and where there is none, in ours.
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_have_started: Option<bool>,
}

/// Why there is no good end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub code: Option<String>,
    pub message: Option<String>,
}

fn first() -> u32 {
    1
}

fn is_first(generation: &u32) -> bool {
    *generation <= 1
}

/// About to be started.
pub const STARTING: &str = "starting";
/// Started, as the service said.
pub const STARTED: &str = "started";
/// Certainly not started.
pub const REFUSED: &str = "refused";
/// Perhaps started, or started with an end that cannot be learnt.
pub const UNKNOWN: &str = "unknown";

/// How far a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It may have been started: nobody said so.
    Starting,
    /// It was started, and runs or has ended.
    Started,
    Succeeded,
    Failed,
    /// It was not started.
    Refused,
}

impl Entry {
    pub fn state(&self) -> State {
        match self.status.as_str() {
            STARTING => State::Starting,
            STARTED => State::Started,
            REFUSED => State::Refused,
            UNKNOWN if self.began.is_some() || self.id.is_some() => State::Started,
            UNKNOWN => State::Starting,
            "Succeeded" | "success" => State::Succeeded,
            _ => State::Failed,
        }
    }
}

/// JSON text for a line of the file: white space may hold line ends, texts cannot.
pub fn on_one_line(payload: &Payload) -> Option<Box<RawValue>> {
    let text = payload.as_str();
    let raw = |text: String| RawValue::from_string(text).ok();
    raw(text.replace(['\n', '\r'], " "))
        // What is no JSON is kept as a text.
        .or_else(|| raw(serde_json::to_string(text).ok()?))
}

/// A results file that is held by this program.
pub struct Results {
    file: File,
    /// The newest line of each name, generations aside, without its output.
    known: HashMap<String, Entry>,
    /// What was written and not synced.
    is_dirty: bool,
}

impl Results {
    /// Opens the file, makes sure that it is of this run and that nobody else works at it, sets a
    /// torn last line aside, and reads what is known.
    pub fn open(path: &Path, header: &Header) -> Result<Self, String> {
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(fs4::TryLockError::WouldBlock) => return Err(held(path)),
            Err(fs4::TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut results = Self {
            file,
            known: HashMap::new(),
            is_dirty: true,
        };
        let is_new = results.read(path, header)?;
        if is_new {
            results.write(&[json(header)]).map_err(failed)?;
        }
        let runner = Runner {
            process: std::process::id(),
            since: DateTime::<Utc>::from(now()).to_rfc3339_opts(SecondsFormat::Secs, true),
        };
        results.write(&[json(&runner)]).map_err(failed)?;
        results.sync().map_err(failed)?;
        if is_new {
            sync_folder(path);
        }
        Ok(results)
    }

    /// Reads the file; says whether it is empty.
    fn read(&mut self, path: &Path, header: &Header) -> Result<bool, String> {
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let (mut number, mut whole) = (0, 0);
        let mut line = Vec::new();
        let mut reader = BufReader::new(&self.file);
        let (mut torn, mut known) = (Vec::new(), HashMap::new());
        let mut lacks_end = false;
        while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 {
            lacks_end = line.last() != Some(&b'\n');
            // What a flow gave is not looked at: it may be what few readers take, half a character,
            // a number without bounds, parts in parts without end.
            let value = serde_json::from_slice::<HashMap<String, &RawValue>>(&line);
            if lacks_end && value.is_err() {
                torn = std::mem::take(&mut line);
                break;
            }
            number += 1;
            whole += line.len() as u64;
            let unreadable = || {
                format!(
                    "{}: line {number} cannot be read as a result",
                    path.display()
                )
            };
            let value = value.map_err(|_| unreadable())?;
            if number == 1 {
                let found: Header = serde_json::from_slice(&line).map_err(|_| {
                    format!("{}: is no results file of this program", path.display())
                })?;
                same(&found, header).map_err(|what| format!("{}: {what}", path.display()))?;
            } else if value.contains_key("line") {
                let mut entry: Entry = serde_json::from_slice(&line).map_err(|_| unreadable())?;
                entry.output = None;
                let name = without_generation(&entry.name, entry.generation).to_owned();
                known.insert(name, entry);
            }
            line.clear();
        }
        drop(reader);
        self.known = known;
        if !torn.is_empty() {
            let aside = aside(path);
            let mut kept = OpenOptions::new().append(true).create(true).open(&aside);
            let kept = kept
                .as_mut()
                .map_err(|error| format!("{}: {error}", aside.display()))?;
            kept.write_all(&torn).map_err(failed)?;
            kept.sync_all().map_err(failed)?;
            self.file.set_len(whole).map_err(failed)?;
        }
        self.file.seek(SeekFrom::End(0)).map_err(failed)?;
        if torn.is_empty() && lacks_end {
            self.file.write_all(b"\n").map_err(failed)?;
        }
        Ok(number == 0)
    }

    /// What is known of a line, by the name of its first execution.
    pub fn of(&self, name: &str) -> Option<&Entry> {
        self.known.get(name)
    }

    /// All that is known.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.known.values()
    }

    /// Adds lines.
    pub fn add(&mut self, entries: &[Entry]) -> io::Result<()> {
        let lines: Vec<_> = entries.iter().map(json).collect();
        self.write(&lines)?;
        for entry in entries {
            let name = without_generation(&entry.name, entry.generation).to_owned();
            let mut entry = entry.clone();
            entry.output = None;
            self.known.insert(name, entry);
        }
        Ok(())
    }

    /// Returns when all that was added is on the disk.
    pub fn sync(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_dirty) {
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Whole lines in one write.
    fn write(&mut self, lines: &[String]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.is_dirty = true;
        self.file.write_all((lines.join("\n") + "\n").as_bytes())
    }
}

fn json(value: &impl Serialize) -> String {
    // Texts, numbers and JSON: there is nothing that cannot be written.
    serde_json::to_string(value).unwrap_or_default()
}

/// Says in what a file's run differs from this one.
fn same(found: &Header, wanted: &Header) -> Result<(), String> {
    let none = "none".to_owned();
    let pairs = [
        ("cloud", &found.cloud, &wanted.cloud),
        ("endpoint", &found.endpoint, &wanted.endpoint),
        ("flow", &found.flow, &wanted.flow),
        (
            "run",
            found.run.as_ref().unwrap_or(&none),
            wanted.run.as_ref().unwrap_or(&none),
        ),
        (
            "key",
            found.key.as_ref().unwrap_or(&none),
            wanted.key.as_ref().unwrap_or(&none),
        ),
    ];
    match pairs.iter().find(|(_, found, wanted)| found != wanted) {
        None => Ok(()),
        Some((what, found, wanted)) => Err(format!(
            "holds the results of another run: its {what} is {found}, not {wanted}"
        )),
    }
}

/// Who holds the file, as its holder wrote.
fn held(path: &Path) -> String {
    let last = File::open(path).ok().and_then(|file| {
        let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
        lines
            .filter_map(|line| serde_json::from_slice::<Runner>(&line).ok())
            .last()
    });
    let who = last.map_or("another program".to_owned(), |runner| {
        format!("process {}, since {}", runner.process, runner.since)
    });
    format!("{}: is being written by {who}", path.display())
}

fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".torn");
    name.into()
}

/// Makes sure that a new file can be found after a power cut, where folders can be synced.
fn sync_folder(path: &Path) {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new(".")));
    // Some systems have no such thing.
    let _ = folder.and_then(|folder| folder.sync_all());
}

#[expect(
    clippy::disallowed_methods,
    reason = "a second runner is told since when the first runs"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
