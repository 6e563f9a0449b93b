//! The pacer: a naive bucket and a naive line beside it.

use std::collections::BTreeMap;

use tokio::time::sleep;

use super::*;
use crate::pipeline::pace::{Pacer, Quota};

/// Timers go by whole milliseconds.
const TICK: Duration = Duration::from_millis(3);

/// What may go, by sums that a table of the quota gives.
struct Naive {
    burst: f64,
    refill: f64,
    at: Instant,
    tokens: f64,
    quick: f64,
    account: f64,
    /// Since when somebody could go.
    ready: Option<Instant>,
    /// A refusal slows the pacer down, and this one does not know by how much.
    is_refused: bool,
    /// Who waits, by when it came, and where.
    line: BTreeMap<u64, usize>,
    came: u64,
    still: Option<usize>,
    wrong: Vec<String>,
}

impl Naive {
    fn new(burst: u32, refill: f64, at: Instant) -> Self {
        let burst = f64::from(burst);
        Self {
            burst,
            refill,
            at,
            tokens: (burst - 5.0).max(1.0),
            quick: (burst / 10.0).max(1.0),
            account: burst,
            ready: Some(at),
            is_refused: false,
            line: BTreeMap::new(),
            came: 0,
            still: None,
            wrong: Vec::new(),
        }
    }

    fn reserve(&self) -> f64 {
        5.0_f64.min(self.burst - 1.0)
    }

    fn run_to(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        let gain = |has: f64, rate: f64, most: f64| (has + rate * seconds).min(most);
        self.tokens = gain(self.tokens, self.refill * 0.9, (self.burst - 5.0).max(1.0));
        self.quick = gain(self.quick, self.refill * 1.5, (self.burst / 10.0).max(1.0));
        self.account = gain(self.account, self.refill, self.burst);
        let left = self
            .tokens
            .min(self.quick)
            .min(self.account - self.reserve());
        match left >= 1.0 {
            true => _ = self.ready.get_or_insert(self.at),
            false => self.ready = None,
        }
    }

    /// A call of the user's own.
    fn count(&mut self, now: Instant) {
        self.run_to(now);
        self.account = (self.account - 1.0).max(-self.burst);
    }

    /// Somebody has its turn.
    fn go(&mut self, seat: u64, now: Instant) {
        self.run_to(now);
        self.tokens -= 1.0;
        self.quick -= 1.0;
        self.account -= 1.0;
        let least = self
            .tokens
            .min(self.quick)
            .min(self.account - self.reserve());
        if least < -0.01 {
            self.wrong
                .push(format!("{seat} went with {:.3} missing", -least));
        }
        self.ready = None;
        self.run_to(now);
        self.line.remove(&seat);
        if let Some((first, place)) = self.line.first_key_value()
            && *first < seat
            && Some(*place) != self.still
        {
            self.wrong.push(format!("{seat} went before {first}"));
        }
    }

    fn is_right(&self) -> Result<(), String> {
        match self.wrong.is_empty() {
            true => Ok(()),
            false => Err(self.wrong.join("; ")),
        }
    }

    /// Whether somebody waits although it could go.
    fn look(&mut self, now: Instant) {
        self.run_to(now);
        let Some((first, place)) = self.line.first_key_value() else {
            return;
        };
        if let Some(since) = self.ready
            && Some(*place) != self.still
            && !self.is_refused
            && now > since + TICK
        {
            let unused = now - since;
            self.wrong
                .push(format!("{first} leaves its turn unused for {unused:?}"));
        }
    }
}

/// A place in the line, in the naive one too; it is
/// given back however it ends.
struct InLine(Arc<Mutex<Naive>>, u64);

impl Drop for InLine {
    fn drop(&mut self) {
        self.0.lock().unwrap().line.remove(&self.1);
    }
}

#[test]
fn turns_are_had_in_order_and_never_more_than_there_are() {
    for_seeds(1_000, |seed| {
        let mut dice = Dice::new(seed + 79);
        let runtimes = 1 + dice.below(3) as usize;
        let plan = Plan {
            runtimes,
            drops: dice.below(8) as u32,
            ends: dice.below(runtimes as u64) as u32,
            stands: u32::from(runtimes > 1) * dice.below(2) as u32,
        };
        let schedule = Schedule::new(seed, plan);
        let burst = 1 + dice.below(60) as u32;
        let refill = [2.0, 5.0, 20.0, 100.0][dice.below(4) as usize];
        let pacer = schedule.within(0, || Pacer::new(Quota::new(burst, refill)));
        let naive = Naive::new(burst, refill, schedule.now_in(0));
        let naive = Arc::new(Mutex::new(naive));
        for _ in 0..2 + dice.below(24) {
            let place = dice.below(runtimes as u64) as usize;
            let delay = match dice.below(2) {
                0 => Duration::ZERO,
                _ => dice.millis(1, 3_000),
            };
            let (pacer, naive) = (pacer.clone(), naive.clone());
            match dice.below(8) {
                0 => schedule.add(place, true, async move {
                    sleep(delay).await;
                    naive.lock().unwrap().count(monotonic());
                    pacer.count();
                }),
                kind => {
                    let (looks, is_refused) = (1 + dice.below(3), kind == 1 && seed % 4 == 0);
                    schedule.add(place, true, async move {
                        if !delay.is_zero() {
                            sleep(delay).await;
                        }
                        take_turns(&pacer, &naive, place, looks, is_refused).await;
                    });
                }
            }
        }
        schedule.run(|| {
            let mut naive = naive.lock().unwrap();
            naive.still = schedule.still();
            naive.look(schedule.now());
            naive.is_right()
        })?;
        naive.lock().unwrap().is_right()?;
        schedule.tasks.borrow_mut().clear();
        let waiting = schedule.within(schedule.going()[0], || pacer.pace().waiting);
        match (waiting, Arc::strong_count(&pacer)) {
            (0, 1) => Ok(()),
            left => Err(format!("{left:?} are left in the line")),
        }
    });
}

/// Some looks, each in its turn; the first one may be refused, and is made again in its old place.
async fn take_turns(
    pacer: &Arc<Pacer>,
    naive: &Arc<Mutex<Naive>>,
    place: usize,
    looks: u64,
    is_refused: bool,
) {
    let mut again = None;
    for look in 0..looks {
        let mut waiting = match &again {
            Some((_, turn)) => pacer.again(turn),
            None => pacer.turn(),
        };
        let seat = again.take().map(|(seat, _)| seat);
        let mut in_line = None;
        let turn = std::future::poll_fn(|context| {
            let _: &mut InLine = in_line.get_or_insert_with(|| {
                let mut line = naive.lock().unwrap();
                line.came += 1;
                let seat = seat.unwrap_or(line.came);
                line.line.insert(seat, place);
                InLine(naive.clone(), seat)
            });
            Pin::new(&mut waiting).poll(context)
        })
        .await;
        let seat = in_line.unwrap().1;
        naive.lock().unwrap().go(seat, monotonic());
        if is_refused && look == 0 {
            naive.lock().unwrap().is_refused = true;
            pacer.refused(turn.at);
            again = Some((seat, turn));
        }
    }
}
