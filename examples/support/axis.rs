//! Where a moment stands on the axis of a picture: long gaps are broken.

use chrono::{DateTime, Utc};

/// How wide a broken gap is.
pub const BREAK: f64 = 46.0;

/// No stretch between two breaks is narrower.
const NARROWEST: f64 = 24.0;

/// How far ticks are apart at least, which leaves room for their labels.
const TICKS: f64 = 104.0;

/// No more gaps are broken.
const MOST_BREAKS: usize = 10;

/// A gap this long is a pause, however little there is beside it: one minute.
const PAUSE: i128 = 60_000_000;

/// With so many moments, the longest gap is broken however short it is.
const MANY_MOMENTS: usize = 8;

/// What time comes to, in microseconds since the first moment, stretch by stretch.
pub struct Axis {
    first: i128,
    stretches: Vec<Stretch>,
    pub breaks: Vec<Break>,
}

struct Stretch {
    begin: i128,
    end: i128,
    left: f64,
    width: f64,
}

/// A gap in which nothing happened.
pub struct Break {
    pub left: f64,
    pub micros: i128,
}

/// Where a label stands.
pub struct Tick {
    pub x: f64,
    pub label: String,
}

impl Axis {
    /// An axis for these moments, from `left` on.
    pub fn new(moments: impl IntoIterator<Item = DateTime<Utc>>, left: f64, width: f64) -> Self {
        let moments = moments.into_iter();
        let mut moments: Vec<i128> = moments.map(micros).collect();
        moments.sort_unstable();
        moments.dedup();
        let first = moments.first().copied().unwrap_or(0);
        for moment in &mut moments {
            *moment -= first;
        }
        let broken = broken(&moments);
        let mut ends = Vec::new();
        let mut begin = 0;
        for &(from, to) in &broken {
            ends.push((begin, from));
            begin = to;
        }
        ends.push((begin, moments.last().copied().unwrap_or(0)));

        let total: i128 = ends.iter().map(|(begin, end)| end - begin).sum();
        let fixed = BREAK * count(broken.len()) + NARROWEST * count(ends.len());
        let free = (width - fixed).max(0.0);
        let mut axis = Self {
            first,
            stretches: Vec::new(),
            breaks: Vec::new(),
        };
        let mut x = left;
        for (index, (begin, end)) in ends.into_iter().enumerate() {
            let share = match total {
                0 => 0.0,
                total => float(end - begin) / float(total),
            };
            let width = NARROWEST + free * share;
            axis.stretches.push(Stretch {
                begin,
                end,
                left: x,
                width,
            });
            x += width;
            if let Some((from, to)) = broken.get(index) {
                axis.breaks.push(Break {
                    left: x,
                    micros: to - from,
                });
                x += BREAK;
            }
        }
        axis
    }

    /// Where a moment stands.
    pub fn x(&self, moment: DateTime<Utc>) -> f64 {
        let at = micros(moment) - self.first;
        let next = self.stretches.iter().find(|stretch| at <= stretch.end);
        match next.or(self.stretches.last()) {
            Some(stretch) => stretch.x(at),
            None => 0.0,
        }
    }

    /// Labels, none over another: how much time has passed since the first moment.
    pub fn ticks(&self) -> Vec<Tick> {
        let mut ticks = Vec::new();
        for stretch in &self.stretches {
            let (length, right) = (stretch.end - stretch.begin, stretch.left + stretch.width);
            let step = step(float(length) * TICKS / stretch.width);
            let before = ticks.len();
            let mut free = stretch.left;
            let mut at = (stretch.begin + step - 1).div_euclid(step) * step;
            while at <= stretch.end && ticks.len() < before + 100 {
                let (x, label) = (stretch.x(at), span(at, step));
                if x >= free && x + letters(&label) <= right {
                    free = x + letters(&label);
                    ticks.push(Tick { x, label });
                }
                at += step;
            }
            let label = near(stretch.begin);
            if ticks.len() == before && letters(&label) <= stretch.width {
                let x = stretch.left;
                ticks.push(Tick { x, label });
            }
        }
        ticks
    }
}

impl Stretch {
    fn x(&self, at: i128) -> f64 {
        let length = self.end - self.begin;
        match at.clamp(self.begin, self.end) - self.begin {
            0 => self.left,
            past => self.left + self.width * float(past) / float(length),
        }
    }
}

/// The gaps that are broken, in their order: over half of the axis, alone or with others as long.
/// What is left over may have such gaps again, but there they must be nearly all of it.
fn broken(moments: &[i128]) -> Vec<(i128, i128)> {
    let pairs = moments.windows(2).map(|pair| (pair[0], pair[1]));
    let mut gaps: Vec<(i128, i128)> = pairs.collect();
    gaps.sort_by_key(|(from, to)| from - to);
    let length = |(from, to): &(i128, i128)| to - from;
    let mut taken = 0;
    loop {
        let share = if taken == 0 { 1 } else { 9 };
        let mut rest: i128 = gaps[taken..].iter().map(length).sum();
        let mut more = None;
        let left = MOST_BREAKS - taken;
        for (index, gap) in gaps.iter().enumerate().skip(taken).take(left) {
            rest -= length(gap);
            let is_long = length(gap) >= PAUSE || (index == 0 && moments.len() >= MANY_MOMENTS);
            if !is_long || rest == 0 {
                break;
            }
            if length(gap) > rest.saturating_mul(share) {
                more = Some(index + 1);
                break;
            }
        }
        match more {
            Some(more) => taken = more,
            None => break,
        }
    }
    gaps.truncate(taken);
    gaps.sort_unstable();
    gaps
}

/// The smallest round length of time that is at least so long.
fn step(least: f64) -> i128 {
    const SECOND: i128 = 1_000_000;
    const DAY: i128 = 86_400 * SECOND;
    const ROUND: [i128; 16] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200,
    ];
    let mut decimal: Vec<i128> = Vec::new();
    let mut unit = 1;
    while unit < SECOND {
        decimal.extend([unit, 2 * unit, 5 * unit]);
        unit *= 10;
    }
    decimal.extend(ROUND.map(|seconds| seconds * SECOND));
    let mut unit = DAY;
    for _ in 0..12 {
        decimal.extend([unit, 2 * unit, 5 * unit]);
        unit *= 10;
    }
    let fits = decimal.iter().find(|step| float(**step) >= least);
    fits.or(decimal.last()).copied().unwrap_or(DAY)
}

/// How long it is, in two units: `3 d 2 h`, `1.25 s`, `80 ms`.
pub fn near(micros: i128) -> String {
    const UNITS: [(i128, i128); 5] = [
        (86_400_000_000, 3_600_000_000),
        (3_600_000_000, 60_000_000),
        (60_000_000, 1_000_000),
        (1_000_000, 10_000),
        (1000, 10),
    ];
    let micros = micros.max(0);
    let unit = UNITS.iter().find(|(unit, _)| micros >= *unit);
    span(micros, unit.map_or(1, |(_, finest)| *finest))
}

/// A length of time down to its finest unit.
fn span(micros: i128, finest: i128) -> String {
    let mut left = micros.max(0) / finest * finest;
    let mut parts = Vec::new();
    for (unit, name) in [
        (86_400_000_000, "d"),
        (3_600_000_000, "h"),
        (60_000_000, "m"),
    ] {
        if left >= unit {
            parts.push(format!("{} {name}", left / unit));
            left %= unit;
        }
    }
    if left > 0 || parts.is_empty() {
        let (unit, name) = match left {
            1..1000 if parts.is_empty() => (1, "µs"),
            1000..1_000_000 if parts.is_empty() => (1000, "ms"),
            _ => (1_000_000, "s"),
        };
        let whole = format!("{}", left / unit);
        let width = unit.ilog10() as usize;
        let part = match width {
            0 => String::new(),
            _ => format!(".{:0width$}", left % unit),
        };
        let part = part.trim_end_matches('0').trim_end_matches('.');
        parts.push(format!("{whole}{part} {name}"));
    }
    parts.join(" ")
}

/// How wide a label is.
fn letters(label: &str) -> f64 {
    count(label.chars().count()) * 6.1 + 6.0
}

fn micros(moment: DateTime<Utc>) -> i128 {
    moment.timestamp_micros().into()
}

fn float(micros: i128) -> f64 {
    micros as f64
}

fn count(number: usize) -> f64 {
    float(i128::try_from(number).unwrap_or(i128::MAX))
}
