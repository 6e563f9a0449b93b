//! The picture of a history: an SVG that needs nothing but itself.

use std::{
    collections::HashMap,
    fmt::{self, Write as _},
};

use chrono::{DateTime, SecondsFormat, Utc};

use super::{
    axis::{Axis, BREAK, Tick, near},
    history::{Bar, Fate, History, Kind, cut},
};

const WIDTH: f64 = 1200.0;
/// Where the bars begin; names stand before it.
const LEFT: f64 = 290.0;
const RIGHT: f64 = 1184.0;
const ROW: f64 = 18.0;
/// The axis stands above the rows, and again after so many.
const ROWS_PER_AXIS: usize = 40;
const AXIS: f64 = 22.0;
const HEAD: f64 = 62.0;
const NOTE: f64 = 16.0;
/// How much further a name stands inside the one around it; the deepest stand no further.
const INDENT: f64 = 10.0;
const DEEPEST_INDENT: usize = 8;
/// A letter of a name.
const LETTER: f64 = 6.65;
/// No name has more, wherever it stands.
const MOST_LETTERS: usize = 60;

const STYLE: &str = "\
text{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#1f2328;white-space:pre}\
.t{font-size:15px;font-weight:600}.d,.x{fill:#59636e}.x{font-size:10px}.n{fill:#9a3b00}.f{fill:#c21f2b}\
.g{fill:#fff}.z{fill:#f3f5f8}.l{stroke:#dde2e8;fill:none}\
.w{fill:#2f6fd6}.b{fill:#d1242f}.s{fill:#b98300}.u{fill:#7a828c}.r{fill:#2f6fd6}\
.o{fill-opacity:.25}\
.r,.o.r{fill-opacity:.3;stroke:#2f6fd6;stroke-dasharray:3 2}\
.k{fill:#fff;fill-opacity:.7}.kl{stroke:#8a929c;stroke-dasharray:2 3;fill:none}\
@media(prefers-color-scheme:dark){\
text{fill:#e6edf3}.d,.x{fill:#9198a1}.n{fill:#f0a35e}.f{fill:#ff7b72}\
.g{fill:#0d1117}.z{fill:#151b23}.l{stroke:#2a313a}\
.w{fill:#4c8ef7}.b{fill:#f85149}.s{fill:#d29922}.u{fill:#8b949e}.r{fill:#4c8ef7}\
.r,.o.r{stroke:#4c8ef7}.k{fill:#0d1117}.kl{stroke:#6e7681}}";

/// Draws an execution. Bars without an end reach to `now`, if it goes on.
pub fn draw(history: &History, now: DateTime<Utc>) -> String {
    let mut canvas = Canvas::default();
    // Nothing fails: a `String` takes all that is written.
    let _ = canvas.draw(history, now);
    canvas.out
}

/// Bars that stand side by side on one line.
struct Row {
    depth: usize,
    /// None overlaps another.
    bars: Vec<usize>,
    /// What lies within them and is drawn into them: tries of a step, rounds of a loop.
    inner: Vec<usize>,
}

/// Bars of one kind and name within the same ones, in lanes where they ran side by side.
struct Group {
    kind: Kind,
    lanes: Vec<Vec<usize>>,
}

struct Layout<'a> {
    bars: &'a [Bar],
    children: Vec<Vec<usize>>,
    rows: Vec<Row>,
}

impl<'a> Layout<'a> {
    fn of(bars: &'a [Bar]) -> Vec<Row> {
        let mut children = vec![Vec::new(); bars.len()];
        let mut roots = Vec::new();
        for (index, bar) in bars.iter().enumerate() {
            match bar.parent {
                Some(parent) => children[parent].push(index),
                None => roots.push(index),
            }
        }
        let mut layout = Self {
            bars,
            children,
            rows: Vec::new(),
        };
        let groups = layout.groups(roots);
        layout.lay(groups, 0);
        layout.rows
    }

    fn lay(&mut self, groups: Vec<Group>, depth: usize) {
        for lane in groups.into_iter().flat_map(|group| group.lanes) {
            let children = lane.iter().flat_map(|bar| self.children[*bar].iter());
            let mut children: Vec<usize> = children.copied().collect();
            children.sort_by_key(|bar| (self.bars[*bar].from, *bar));
            let mut groups = self.groups(children);
            let inner = groups
                .iter()
                .position(|group| self.is_inner(group, lane[0]));
            let inner = inner.map(|index| groups.remove(index).lanes.remove(0));
            self.rows.push(Row {
                depth,
                bars: lane,
                inner: inner.unwrap_or_default(),
            });
            self.lay(groups, depth + 1);
        }
    }

    /// Groups of bars, in the order in which they begin.
    fn groups(&self, bars: Vec<usize>) -> Vec<Group> {
        let mut known: HashMap<(Kind, &str), usize> = HashMap::new();
        let mut groups: Vec<Group> = Vec::new();
        for index in bars {
            let bar = &self.bars[index];
            let place = *known.entry((bar.kind, &bar.name)).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Group {
                    kind: bar.kind,
                    lanes: Vec::new(),
                });
            }
            let lanes = &mut groups[place].lanes;
            let free = lanes.iter_mut().find(|lane| {
                let last = lane.last().map(|last| &self.bars[*last]);
                last.is_none_or(|last| last.to.is_some_and(|to| to <= bar.from))
            });
            match free {
                Some(lane) => lane.push(index),
                None => lanes.push(vec![index]),
            }
        }
        groups
    }

    /// Whether a group is drawn into the row of the bars that it lies within.
    fn is_inner(&self, group: &Group, outer: usize) -> bool {
        let [lane] = &group.lanes[..] else {
            return false;
        };
        let outer = &self.bars[outer];
        matches!(group.kind, Kind::Task | Kind::Iteration)
            && outer.kind == Kind::Step
            && lane.iter().all(|bar| self.children[*bar].is_empty())
            && lane.iter().all(|bar| self.bars[*bar].name == outer.name)
    }
}

#[derive(Default)]
struct Canvas {
    out: String,
}

impl Canvas {
    fn draw(&mut self, history: &History, now: DateTime<Utc>) -> fmt::Result {
        let ends = Ends::new(history, now);
        let rows = Layout::of(&history.bars);
        let bars = history.bars.iter().enumerate();
        let moments = bars.flat_map(|(index, bar)| [bar.begin, ends.of(&history.bars, index)]);
        let axis = Axis::new(moments, LEFT, RIGHT - LEFT);
        let ticks = axis.ticks();

        let notes = history.notes.len() + usize::from(rows.is_empty());
        let top = HEAD + NOTE * count(notes);
        let axes = rows.len().div_ceil(ROWS_PER_AXIS);
        let bottom = top + AXIS * count(axes) + ROW * count(rows.len());
        let height = bottom + 8.0;
        write!(
            self.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">\n\
             <style>{STYLE}</style>\n\
             <rect class=\"g\" width=\"{WIDTH}\" height=\"{height}\"/>\n",
            escaped(&cut(&history.title, 200)),
        )?;
        self.head(history, &ends)?;
        self.zebra(rows.len(), top)?;
        if !rows.is_empty() {
            self.grid(&ticks, top, bottom)?;
        }
        for (index, row) in rows.iter().enumerate() {
            self.row(&history.bars, row, row_top(top, index), &axis, &ends)?;
        }
        if !rows.is_empty() {
            self.breaks(&axis, top, bottom)?;
        }
        for index in (0..rows.len()).step_by(ROWS_PER_AXIS) {
            self.axis(&axis, &ticks, row_top(top, index) - AXIS)?;
        }
        self.out.push_str("</svg>\n");
        Ok(())
    }

    fn head(&mut self, history: &History, ends: &Ends) -> fmt::Result {
        let title = fitting(&history.title, 128);
        writeln!(
            self.out,
            "<text class=\"t\" x=\"12\" y=\"24\">{}</text>",
            escaped(&title)
        )?;
        let mut line = fitting(&history.status, 40);
        let first = history.bars.iter().map(|bar| bar.begin).min();
        if let Some(first) = first {
            let took = near(micros(ends.last) - micros(first));
            let so_far = if history.has_ended { "" } else { " so far" };
            write!(line, " · began {} · {took}{so_far}", date(first))?;
        }
        let of = |kind: Kind| history.bars.iter().filter(move |bar| bar.kind == kind);
        let (steps, failed) = (of(Kind::Step), of(Kind::Step));
        let failed = failed.filter(|bar| bar.fate == Fate::Badly).count();
        write!(line, " · {}", many(steps.count(), "step", "steps"))?;
        let tries = of(Kind::Task).filter(|bar| bar.fate == Fate::Badly).count();
        if failed > 0 {
            write!(line, ", {failed} failed")?;
        }
        if tries > 0 {
            write!(line, ", {} failed", many(tries, "try", "tries"))?;
        }
        writeln!(
            self.out,
            "<text class=\"d\" x=\"12\" y=\"42\">{}</text>",
            escaped(&line)
        )?;
        let mut x = 12.0;
        for (class, words) in [
            ("w", "ended well"),
            ("b", "failed"),
            ("s", "stopped"),
            ("r", "no end yet"),
            ("u", "unclear"),
        ] {
            writeln!(
                self.out,
                "<rect class=\"{class}\" x=\"{x}\" y=\"50\" width=\"10\" height=\"8\"/>\
                 <text class=\"x\" x=\"{:.1}\" y=\"58\">{words}</text>",
                x + 14.0
            )?;
            x += 34.0 + 6.1 * count(words.len());
        }
        let none = "There is nothing to draw.".to_owned();
        let none = history.bars.is_empty().then_some(&none);
        for (index, note) in history.notes.iter().chain(none).enumerate() {
            let y = HEAD + 10.0 + NOTE * count(index);
            let note = fitting(note, 170);
            writeln!(
                self.out,
                "<text class=\"n\" x=\"12\" y=\"{y}\">{}</text>",
                escaped(&note)
            )?;
        }
        Ok(())
    }

    /// Every second row is shaded.
    fn zebra(&mut self, rows: usize, top: f64) -> fmt::Result {
        let width = WIDTH - 16.0;
        for index in (1..rows).step_by(2) {
            let y = row_top(top, index);
            writeln!(
                self.out,
                "<rect class=\"z\" x=\"8\" y=\"{y}\" width=\"{width}\" height=\"{ROW}\"/>"
            )?;
        }
        Ok(())
    }

    fn grid(&mut self, ticks: &[Tick], top: f64, bottom: f64) -> fmt::Result {
        self.out.push_str("<path class=\"l\" d=\"");
        for tick in ticks {
            write!(self.out, "M{:.1} {top}V{bottom}", tick.x)?;
        }
        self.out.push_str("\"/>\n");
        Ok(())
    }

    fn axis(&mut self, axis: &Axis, ticks: &[Tick], top: f64) -> fmt::Result {
        let y = top + 15.0;
        for tick in ticks {
            let label = &tick.label;
            writeln!(
                self.out,
                "<text class=\"x\" x=\"{:.1}\" y=\"{y}\">{label}</text>",
                tick.x + 3.0
            )?;
        }
        for gap in &axis.breaks {
            let (x, label) = (gap.left + BREAK / 2.0, near(gap.micros));
            writeln!(
                self.out,
                "<text class=\"x\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{label}</text>"
            )?;
        }
        Ok(())
    }

    /// What is broken out of the axis is broken out of every bar across it.
    fn breaks(&mut self, axis: &Axis, top: f64, bottom: f64) -> fmt::Result {
        let (top, height) = (top + AXIS, bottom - top - AXIS);
        for gap in &axis.breaks {
            let (left, right) = (gap.left, gap.left + BREAK);
            writeln!(
                self.out,
                "<rect class=\"k\" x=\"{left:.1}\" y=\"{top}\" width=\"{BREAK}\" height=\"{height}\">\
                 <title>Nothing happened for {}.</title></rect>\
                 <path class=\"kl\" d=\"M{left:.1} {top}V{bottom}M{right:.1} {top}V{bottom}\"/>",
                near(gap.micros)
            )?;
        }
        Ok(())
    }

    fn row(&mut self, bars: &[Bar], row: &Row, y: f64, axis: &Axis, ends: &Ends) -> fmt::Result {
        let bar = &bars[row.bars[0]];
        let x = 12.0 + INDENT * count(row.depth.min(DEEPEST_INDENT));
        let name = name_of(bar);
        let counts = counts(bars, row);
        // What the counts leave of the space for names.
        let taken = counts.iter().map(|(_, text)| text.chars().count() + 1);
        let taken = x + LETTER * count(taken.sum());
        let letters = (0..MOST_LETTERS).rev();
        let mut letters =
            letters.skip_while(|letters| taken + LETTER * count(*letters) > LEFT - 8.0);
        let letters = letters.next().unwrap_or(0);
        let shown = fitting(name, letters.max(8));
        let class = if bar.name.is_empty() {
            " class=\"d\""
        } else {
            ""
        };
        write!(
            self.out,
            "<text{class} x=\"{x}\" y=\"{}\">{}",
            y + 13.0,
            escaped(&shown)
        )?;
        for (class, text) in &counts {
            write!(self.out, "<tspan class=\"{class}\"> {text}</tspan>")?;
        }
        writeln!(
            self.out,
            "<title>{}</title></text>",
            escaped(&cut(name, 1000))
        )?;
        // A failure is never under what went well.
        let mut outer = row.bars.clone();
        outer.sort_by_key(|index| bars[*index].fate);
        for index in outer {
            let class = if row.inner.is_empty() { "" } else { "o " };
            self.bar(bars, index, class, (y + 3.0, 12.0), axis, ends)?;
        }
        let mut inner = row.inner.clone();
        inner.sort_by_key(|index| bars[*index].fate);
        for index in inner {
            self.bar(bars, index, "", (y + 5.0, 8.0), axis, ends)?;
        }
        Ok(())
    }

    fn bar(
        &mut self,
        bars: &[Bar],
        index: usize,
        class: &str,
        (y, height): (f64, f64),
        axis: &Axis,
        ends: &Ends,
    ) -> fmt::Result {
        let bar = &bars[index];
        let fate = match bar.fate {
            Fate::Open => "r",
            Fate::Well => "w",
            Fate::Unclear => "u",
            Fate::Stopped => "s",
            Fate::Badly => "b",
        };
        let x = axis.x(bar.begin);
        if bar.kind == Kind::Mark {
            let middle = y + height / 2.0;
            write!(
                self.out,
                "<path class=\"{fate}\" d=\"M{x:.1} {:.1}l5 5l-5 5l-5 -5z\">",
                middle - 5.0
            )?;
            write!(self.out, "<title>")?;
            self.words(bar, ends.last)?;
            return writeln!(self.out, "</title></path>");
        }
        // Between bars that follow each other, half a pixel shows where one ends.
        let width = (axis.x(ends.of(bars, index)) - x - 0.5).max(2.0);
        write!(
            self.out,
            "<rect class=\"{class}{fate}\" x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\" rx=\"1.5\"><title>"
        )?;
        self.words(bar, ends.of(bars, index))?;
        writeln!(self.out, "</title></rect>")
    }

    /// What the hover text says.
    fn words(&mut self, bar: &Bar, until: DateTime<Utc>) -> fmt::Result {
        let kind = match bar.kind {
            Kind::Execution => "execution",
            Kind::Step => "step",
            Kind::Branch => "branch",
            Kind::Iteration => "round",
            Kind::Task => "task",
            Kind::Mark => "event",
        };
        let fate = match bar.fate {
            Fate::Open => "no end in the history",
            Fate::Well => "ended well",
            Fate::Unclear => "nobody said how it ended",
            Fate::Stopped => "stopped",
            Fate::Badly => "failed",
        };
        let name = cut(name_of(bar), 300);
        match bar.kind {
            Kind::Mark => write!(self.out, "{}\n{}", escaped(&name), date(bar.begin))?,
            _ => {
                let took = near(micros(until) - micros(bar.begin));
                write!(
                    self.out,
                    "{} ({kind}): {fate}\n{}",
                    escaped(&name),
                    date(bar.begin)
                )?;
                match bar.end {
                    Some(end) => write!(self.out, " to {}, {took}", date(end))?,
                    None => write!(self.out, ", {took} until then")?,
                }
            }
        }
        for line in &bar.words {
            write!(self.out, "\n{}", escaped(line))?;
        }
        Ok(())
    }
}

/// Where bars end that have no end.
struct Ends {
    last: DateTime<Utc>,
}

impl Ends {
    fn new(history: &History, now: DateTime<Utc>) -> Self {
        let bars = history.bars.iter();
        let last = bars.map(|bar| bar.end.map_or(bar.begin, |end| end.max(bar.begin)));
        let last = last.max().unwrap_or(now);
        Self {
            last: if history.has_ended {
                last
            } else {
                last.max(now)
            },
        }
    }

    /// The end of a bar: its own, that of what it lies within, or now.
    fn of(&self, bars: &[Bar], index: usize) -> DateTime<Utc> {
        let begin = bars[index].begin;
        let mut next = Some(index);
        while let Some(index) = next {
            if let Some(end) = bars[index].end {
                return end.max(begin);
            }
            next = bars[index].parent;
        }
        self.last.max(begin)
    }
}

/// How often, and how often not well; with the class that each is written in.
fn counts(bars: &[Bar], row: &Row) -> Vec<(&'static str, String)> {
    let failed = |list: &[usize]| {
        let failed = list
            .iter()
            .filter(|index| bars[**index].fate == Fate::Badly);
        failed.count()
    };
    let mut counts = Vec::new();
    if row.bars.len() > 1 {
        counts.push(("d", format!("×{}", row.bars.len())));
    }
    if row.inner.len() > row.bars.len() {
        let is_round = row
            .inner
            .iter()
            .all(|bar| bars[*bar].kind == Kind::Iteration);
        let words = if is_round { "rounds" } else { "tries" };
        counts.push(("d", format!("{} {words}", row.inner.len())));
    }
    let failed = failed(&row.bars).max(failed(&row.inner));
    if failed > 0 && (row.bars.len() > 1 || row.inner.len() > 1) {
        counts.push(("f", format!("{failed} failed")));
    }
    counts
}

fn name_of(bar: &Bar) -> &str {
    match bar.kind {
        Kind::Execution => "the execution",
        _ if bar.name.is_empty() => "(no name)",
        _ => &bar.name,
    }
}

fn row_top(top: f64, index: usize) -> f64 {
    let axes = index / ROWS_PER_AXIS + 1;
    top + AXIS * count(axes) + ROW * count(index)
}

fn many(number: usize, one: &str, more: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{number} {more}"),
    }
}

fn date(time: DateTime<Utc>) -> String {
    let text = time.to_rfc3339_opts(SecondsFormat::Millis, true);
    text.replace('T', " ").replace('Z', " UTC")
}

/// As much of a text as fits into so many letters; those of East Asia take two.
fn fitting(text: &str, letters: usize) -> String {
    let wide = |c: char| usize::from(c >= '\u{1100}') + 1;
    let mut room = letters;
    let mut fits = String::new();
    for c in text.chars() {
        let Some(left) = room.checked_sub(wide(c)) else {
            // Instead of what stood at the end.
            fits.pop();
            fits.push('…');
            return fits;
        };
        room = left;
        fits.push(c);
    }
    fits
}

/// Text as it may stand anywhere in XML. What XML cannot bear, and what would turn the direction
/// of the text around it, is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => {
                out.push('\u{fffd}');
            }
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn micros(time: DateTime<Utc>) -> i128 {
    time.timestamp_micros().into()
}

fn count(number: usize) -> f64 {
    number as f64
}
