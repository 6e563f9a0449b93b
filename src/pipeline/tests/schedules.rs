//! Many at once: who shares a cache, a pacer or the pools, in orders that a seed draws.
//!
//! A schedule polls futures in several runtimes, one step after the other on one thread: a future
//! that was woken, now and then one that was not, a task of a runtime; or it drops a caller, ends
//! a runtime, lets one stand still. Where the code says `meanwhile`, others go on as other threads
//! would. The clocks run only when nobody has anything to do. So a seed plays the same run again:
//! `SCHEDULES=n` tries that many seeds, `SCHEDULES=7..8` seed 7 alone.

mod cache;
mod pace;
mod pools;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    future::Future,
    ops::Range,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context as Polling, Wake, Waker},
};

use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
    time::Instant,
};

use super::*;
use crate::pipeline::{meanwhile::Others, pace::tests::Dice};

/// What the test asks about, for each seed; a run that breaks a law is told with its seed.
fn for_seeds(usual: u64, mut run: impl FnMut(u64) -> Result<(), String>) {
    let asked = std::env::var("SCHEDULES").ok();
    let number = |text: &str| text.parse::<u64>().unwrap();
    let seeds: Range<u64> = match asked.as_deref().map(|text| text.split_once("..")) {
        None => 0..usual,
        Some(None) => 0..number(&asked.unwrap()),
        Some(Some((from, to))) => number(from)..number(to),
    };
    let all = seeds.end - seeds.start;
    let broken: Vec<_> = seeds
        .filter_map(|seed| Some((seed, run(seed).err()?)))
        .collect();
    let first: Vec<_> = broken.iter().take(3).collect();
    assert!(
        broken.is_empty(),
        "{} of {all} seeds: {first:?}",
        broken.len()
    );
}

/// A runtime that does one task a step, on a clock that the schedule moves.
fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true).event_interval(1);
    builder.build().unwrap()
}

/// Futures and runtimes, and whose turn it is.
struct Schedule {
    dice: RefCell<Dice>,
    /// None where it has ended.
    runtimes: RefCell<Vec<Option<Rc<Runtime>>>>,
    blows: Arc<Mutex<Blows>>,
    tasks: RefCell<Vec<Task>>,
    /// Whose wakers were called.
    woken: Arc<Mutex<Vec<usize>>>,
    /// How far the clocks have run.
    ran: Cell<Duration>,
    plan: Plan,
    /// How many steps lie within another one.
    depth: Cell<u32>,
    /// How many callers may still be dropped, and runtimes end or stand still.
    drops: Cell<u32>,
    ends: Cell<u32>,
    stands: Cell<u32>,
}

/// What has befallen runtimes.
#[derive(Default)]
struct Blows {
    /// One that stands still, since when, and how long it will.
    still: Option<(usize, Instant, Duration)>,
    /// Those that have ended, or stood still.
    struck: BTreeSet<usize>,
}

/// What goes wrong at most.
#[derive(Clone, Copy, Default)]
struct Plan {
    runtimes: usize,
    drops: u32,
    ends: u32,
    stands: u32,
}

struct Task {
    place: usize,
    may_be_dropped: bool,
    /// None where it is done, dropped, or just being polled.
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    is_over: bool,
    waker: Arc<Woken>,
}

/// Whether it was woken since it was polled last.
struct Woken {
    number: usize,
    is_woken: AtomicBool,
    all: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        if !self.is_woken.swap(true, Ordering::Relaxed) {
            self.all.lock().unwrap().push(self.number);
        }
    }
}

impl Schedule {
    fn new(seed: u64, plan: Plan) -> Rc<Self> {
        let runtimes: Vec<_> = (0..plan.runtimes)
            .map(|_| Some(Rc::new(runtime())))
            .collect();
        let schedule = Rc::new(Self {
            dice: RefCell::new(Dice::new(seed)),
            runtimes: RefCell::new(runtimes),
            blows: Arc::default(),
            tasks: RefCell::default(),
            woken: Arc::default(),
            ran: Cell::default(),
            plan,
            depth: Cell::new(0),
            drops: Cell::new(plan.drops),
            ends: Cell::new(plan.ends),
            stands: Cell::new(plan.stands),
        });
        // One time for all, to the nanosecond.
        let clocks: Vec<_> = (0..plan.runtimes).map(|at| schedule.now_in(at)).collect();
        let latest = clocks.iter().max().copied();
        for (at, clock) in clocks.into_iter().enumerate() {
            schedule.push_clock(at, latest.unwrap() - clock);
        }
        schedule
    }

    fn roll(&self, limit: u64) -> u64 {
        self.dice.borrow_mut().below(limit)
    }

    /// Does something in a runtime without driving it.
    fn within<T>(&self, place: usize, act: impl FnOnce() -> T) -> T {
        let runtime = self.runtime(place).unwrap();
        let _inside = runtime.enter();
        act()
    }

    fn now_in(&self, place: usize) -> Instant {
        self.within(place, monotonic)
    }

    fn runtime(&self, place: usize) -> Option<Rc<Runtime>> {
        self.runtimes.borrow()[place].clone()
    }

    /// The runtimes that go on.
    fn going(&self) -> Vec<usize> {
        let runtimes = self.runtimes.borrow();
        let still = self.still();
        (0..runtimes.len())
            .filter(|&place| runtimes[place].is_some() && still != Some(place))
            .collect()
    }

    /// One that goes on.
    fn some_runtime(&self) -> usize {
        let going = self.going();
        going[self.roll(going.len() as u64) as usize]
    }

    /// A future that the schedule polls in a runtime.
    fn add(&self, place: usize, may_be_dropped: bool, future: impl Future<Output = ()> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        let waker = Arc::new(Woken {
            number: tasks.len(),
            is_woken: AtomicBool::new(false),
            all: self.woken.clone(),
        });
        tasks.push(Task {
            place,
            may_be_dropped,
            future: Some(Box::pin(future)),
            is_over: false,
            waker: waker.clone(),
        });
        drop(tasks);
        waker.wake();
    }

    /// Runs until all is done. `look` is asked each time nobody has anything to do.
    fn run(self: &Rc<Self>, mut look: impl FnMut() -> Result<(), String>) -> Result<(), String> {
        const LONGEST: Duration = Duration::from_secs(200);
        let other = Rc::downgrade(self);
        let _others = Others::doing(move || {
            if let Some(schedule) = other.upgrade() {
                schedule.between();
            }
        });
        let end = self.ran.get() + LONGEST;
        while !self.tasks.borrow().iter().all(|task| task.is_over) {
            match self.roll(24) {
                0 => self.drop_one(),
                1 => self.end_one(),
                2 => self.stop_one(),
                3..6 => self.drive(self.some_runtime()),
                6 => self.poll_any(),
                _ => {
                    if !self.poll_woken() && self.is_idle() {
                        look()?;
                        self.push_clocks();
                    }
                }
            }
            if self.ran.get() > end {
                let tasks = self.tasks.borrow();
                let left = tasks.iter().filter(|task| !task.is_over).count();
                return Err(format!("{left} still wait after {LONGEST:?}"));
            }
        }
        self.go_on();
        Ok(())
    }

    /// What other threads do in the middle of a step.
    fn between(&self) {
        if self.depth.get() >= 2 {
            return;
        }
        self.depth.set(self.depth.get() + 1);
        for _ in 0..self.roll(3) {
            match self.roll(6) {
                0 => self.drop_one(),
                1 => self.poll_any(),
                _ => drop(self.poll_woken()),
            }
        }
        self.depth.set(self.depth.get() - 1);
    }

    /// Polls one that was woken.
    fn poll_woken(&self) -> bool {
        let going = self.going();
        let chosen = {
            let mut woken = self.woken.lock().unwrap();
            let tasks = self.tasks.borrow();
            let able = |&number: &usize| {
                let task = &tasks[number];
                task.future.is_some() && going.contains(&task.place)
            };
            woken.retain(|&number| !tasks[number].is_over);
            // One of many: the whole line need not be looked at.
            let from = match woken.len() {
                0 => return false,
                many => self.roll(many as u64) as usize,
            };
            let mut order = (from..woken.len()).chain(0..from);
            let at = order.find(|&at| able(&woken[at]));
            at.map(|at| woken.swap_remove(at))
        };
        if let Some(number) = chosen {
            self.poll(number);
        }
        chosen.is_some()
    }

    /// Polls one that nobody has woken: a future must bear that.
    fn poll_any(&self) {
        let number = self.roll(self.tasks.borrow().len() as u64) as usize;
        let is_able = {
            let task = &self.tasks.borrow()[number];
            task.future.is_some()
                && self.going().contains(&task.place)
                && !task.waker.is_woken.load(Ordering::Relaxed)
        };
        if is_able {
            self.poll(number);
        }
    }

    fn poll(&self, number: usize) {
        let (mut future, place, waker) = {
            let task = &mut self.tasks.borrow_mut()[number];
            (task.future.take().unwrap(), task.place, task.waker.clone())
        };
        waker.is_woken.store(false, Ordering::Relaxed);
        let polled = self.within(place, || {
            let waker = Waker::from(waker);
            let polled = future.as_mut().poll(&mut Polling::from_waker(&waker));
            if polled.is_ready() {
                drop(future);
                return None;
            }
            Some(future)
        });
        let task = &mut self.tasks.borrow_mut()[number];
        task.is_over = polled.is_none();
        task.future = polled;
    }

    /// Drops a caller, wherever it stands: woken or not, polled or not.
    fn drop_one(&self) {
        let Some(left) = self.drops.get().checked_sub(1) else {
            return;
        };
        let number = self.roll(self.tasks.borrow().len() as u64) as usize;
        let dropped = {
            let task = &mut self.tasks.borrow_mut()[number];
            let future = task.future.take_if(|_| task.may_be_dropped);
            task.is_over |= future.is_some();
            future.map(|future| (task.place, future))
        };
        if let Some((place, future)) = dropped {
            self.drops.set(left);
            self.within(place, || drop(future));
        }
    }

    /// Ends a runtime, with all that is in it.
    fn end_one(&self) {
        let going = self.going();
        if self.ends.get() == 0 || going.len() < 2 {
            return;
        }
        self.ends.set(self.ends.get() - 1);
        self.end(going[self.roll(going.len() as u64) as usize]);
    }

    fn end(&self, place: usize) {
        self.blows.lock().unwrap().struck.insert(place);
        let its: Vec<_> = {
            let mut tasks = self.tasks.borrow_mut();
            let its = tasks.iter_mut().filter(|task| task.place == place);
            its.filter_map(|task| {
                task.is_over = true;
                task.future.take()
            })
            .collect()
        };
        self.within(place, || drop(its));
        let ended = self.runtimes.borrow_mut()[place].take();
        drop(ended);
    }

    /// Lets a runtime stand still for a while.
    fn stop_one(&self) {
        let going = self.going();
        if self.stands.get() == 0 || going.len() < 2 || self.still().is_some() {
            return;
        }
        self.stands.set(self.stands.get() - 1);
        let place = going[self.roll(going.len() as u64) as usize];
        let time = Duration::from_millis(500 + self.roll(12_000));
        let mut blows = self.blows.lock().unwrap();
        blows.still = Some((place, self.now_in(place), time));
        blows.struck.insert(place);
    }

    /// Lets the runtime that stands still go on.
    fn go_on(&self) {
        let now = self.now();
        let still = self.blows.lock().unwrap().still.take();
        if let Some((place, since, _)) = still {
            self.push_clock(place, now - since);
        }
    }

    /// Which runtime stands still.
    fn still(&self) -> Option<usize> {
        self.blows.lock().unwrap().still.map(|(place, ..)| place)
    }

    /// Now, wherever it goes on.
    fn now(&self) -> Instant {
        self.now_in(self.going()[0])
    }

    /// One task of a runtime.
    fn drive(&self, place: usize) {
        self.runtime(place).unwrap().block_on(yield_now());
    }

    /// Whether nobody is woken by anything that the runtimes have yet to do.
    fn is_idle(&self) -> bool {
        for place in self.going() {
            let runtime = self.runtime(place).unwrap();
            if runtime.metrics().num_alive_tasks() > 0 {
                for _ in 0..4 {
                    runtime.block_on(yield_now());
                }
            }
        }
        let going = self.going();
        let tasks = self.tasks.borrow();
        let woken = self.woken.lock().unwrap();
        !woken
            .iter()
            .any(|&number| going.contains(&tasks[number].place))
    }

    fn push_clocks(&self) {
        const STEPS: [u64; 4] = [1, 20, 150, 450];
        let step = Duration::from_millis(STEPS[self.roll(4) as usize]);
        self.advance(step);
        let still = self.blows.lock().unwrap().still;
        if still.is_some_and(|(_, since, time)| self.now() >= since + time) {
            self.go_on();
        }
    }

    fn advance(&self, step: Duration) {
        for place in self.going() {
            self.push_clock(place, step);
        }
        self.ran.set(self.ran.get() + step);
    }

    fn push_clock(&self, place: usize, step: Duration) {
        self.runtime(place)
            .unwrap()
            .block_on(tokio::time::advance(step));
    }

    /// How often a runtime has ended, or stood still.
    fn struck(&self) -> u32 {
        self.plan.ends - self.ends.get() + self.plan.stands - self.stands.get()
    }

    /// Drives a runtime until it has no tasks, or the time is over; how many are left.
    fn tasks_left(&self, place: usize, time: Duration) -> usize {
        let runtime = self.runtime(place).unwrap();
        let end = self.ran.get() + time;
        loop {
            for _ in 0..20 {
                self.drive(place);
            }
            let left = runtime.metrics().num_alive_tasks();
            if left == 0 || self.ran.get() >= end {
                return left;
            }
            self.advance(Duration::from_millis(500));
        }
    }
}
