//! The cache, its credential and its loads: a source that knows the truth, and callers.

use std::panic::resume_unwind;

use tokio::{runtime::Handle, time::sleep};

use super::*;
use crate::{
    error::Lack,
    pipeline::{
        cache::Cache,
        credential::{BoxFuture, Context, Lease, ProvideCredential},
        environment::Environment,
        settings::Settings,
    },
};

const LOAD_LIMIT: Duration = Duration::from_secs(10);
const STANDSTILL: Duration = Duration::from_secs(2);
/// The longest step of the clocks, and then some.
const SLACK: Duration = Duration::from_millis(1_000);

/// What a source gave.
struct Key {
    /// In which load.
    load: usize,
    /// Which key was the right one when that load asked.
    version: u64,
    _alive: Arc<()>,
}

/// What a load comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Endless,
    /// Past fresh soon, and good for a while.
    Old,
    Short,
    Passing,
    Final,
    Local,
    Panic,
    Hang,
}

const FATES: [Fate; 12] = [
    Fate::Endless,
    Fate::Endless,
    Fate::Endless,
    Fate::Endless,
    Fate::Endless,
    Fate::Short,
    Fate::Passing,
    Fate::Passing,
    Fate::Final,
    Fate::Local,
    Fate::Panic,
    Fate::Hang,
];

/// One load, as the source sees it.
struct Asked {
    generation: u64,
    place: usize,
    fate: Fate,
    is_running: bool,
    /// When it gave what it came to; none where it was given up.
    gave: Option<Instant>,
}

/// What is so, whatever the cache thinks.
struct Truth {
    places: Vec<tokio::runtime::Id>,
    dice: Dice,
    fates: Vec<Fate>,
    /// The right key.
    version: u64,
    /// What callers from now on may be given.
    forgotten: u64,
    forgets: u64,
    loads: Vec<Asked>,
    retired: BTreeSet<usize>,
    blows: Arc<Mutex<Blows>>,
    /// What broke a law.
    wrong: Vec<String>,
}

type Known = Arc<Mutex<Truth>>;

impl Truth {
    /// A load asks.
    fn ask(&mut self, generation: u64) -> (usize, Fate) {
        let here = Handle::current().id();
        let place = self.places.iter().position(|&place| place == here).unwrap();
        let now = monotonic();
        let number = self.loads.len();
        for (other, load) in self.loads.iter().enumerate() {
            // It may have been given up, and this one may have begun long ago.
            let struck = &self.blows.lock().unwrap().struck;
            let stood = struck.contains(&load.place) || struck.contains(&place);
            if load.is_running && load.generation == generation && !stood {
                let wrong = format!("load {number} beside load {other}");
                self.wrong.push(wrong);
            }
        }
        if generation > self.forgets {
            self.wrong
                .push(format!("load {number}: a generation too new"));
        }
        if let Some(wrong) = self.has_no_reason(generation, place, now) {
            self.wrong.push(format!("load {number}: {wrong}"));
        }
        let fate = self.dice.below(self.fates.len() as u64) as usize;
        let fate = self.fates[fate];
        self.loads.push(Asked {
            generation,
            place,
            fate,
            is_running: true,
            gave: (fate == Fate::Hang).then(|| now + LOAD_LIMIT),
        });
        (number, fate)
    }

    /// Why nobody should have asked.
    fn has_no_reason(&self, generation: u64, place: usize, now: Instant) -> Option<String> {
        let of_it = |(_, load): &(usize, &Asked)| load.generation == generation;
        let (last, load) = self.loads.iter().enumerate().rfind(of_it)?;
        let gave = load.gave?;
        // What that one gave may have been lost, and this one may have begun long ago.
        let struck = &self.blows.lock().unwrap().struck;
        if struck.contains(&load.place) || struck.contains(&place) {
            return None;
        }
        let pause = match load.fate {
            Fate::Endless if self.retired.contains(&last) => return None,
            Fate::Endless => Duration::MAX,
            Fate::Passing | Fate::Panic | Fate::Hang => Duration::from_secs(1),
            Fate::Final => Duration::from_secs(300),
            Fate::Old | Fate::Short | Fate::Local => return None,
        };
        let passed = now - gave;
        (passed < pause).then(|| format!("{passed:?} after {last}, {:?}", load.fate))
    }
}

struct Source {
    known: Known,
    alive: Arc<()>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

/// A load is over, one way or another.
struct Running(Known, usize);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.lock().unwrap().loads[self.1].is_running = false;
    }
}

impl ProvideCredential<Key> for Source {
    fn provide<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Lease<Key>, Error>> {
        Box::pin(async move {
            let generation = context.inputs.as_ref().unwrap().generation();
            let (load, fate, yields, time, version) = {
                let mut truth = self.known.lock().unwrap();
                let (load, fate) = truth.ask(generation);
                let time = match truth.dice.below(3) {
                    0 => Duration::ZERO,
                    _ => truth.dice.millis(1, 1_500),
                };
                (load, fate, truth.dice.below(4), time, truth.version)
            };
            let _running = Running(self.known.clone(), load);
            for _ in 0..yields {
                yield_now().await;
            }
            if !time.is_zero() {
                sleep(time).await;
            }
            if fate == Fate::Hang {
                std::future::pending::<()>().await;
            }
            self.known.lock().unwrap().loads[load].gave = Some(monotonic());
            let key = || {
                Lease::new(Key {
                    load,
                    version,
                    _alive: self.alive.clone(),
                })
            };
            let lives =
                |seconds| key().expires_at(context.now() + chrono::TimeDelta::seconds(seconds));
            let error = || Error::new(ErrorKind::Credentials, format!("load {load} v{version}."));
            match fate {
                // Without the words of the hook.
                Fate::Hang | Fate::Panic => resume_unwind(Box::new("it panics")),
                Fate::Endless => Ok(key()),
                Fate::Old => Ok(lives(345)),
                Fate::Short => Ok(lives(5)),
                Fate::Passing => Err(error().with_lack(Lack::Passing)),
                Fate::Final => Err(error().with_lack(Lack::Final)),
                Fate::Local => Err(error().with_lack(Lack::Local)),
            }
        })
    }
}

struct World {
    schedule: Rc<Schedule>,
    cache: Arc<Cache<Key>>,
    known: Known,
    alive: Arc<()>,
}

impl World {
    fn new(seed: u64, plan: Plan, fates: &[Fate]) -> Self {
        let schedule = Schedule::new(seed, plan);
        let places = (0..plan.runtimes).map(|at| schedule.runtime(at).unwrap().handle().id());
        let known = Arc::new(Mutex::new(Truth {
            places: places.collect(),
            dice: Dice::new(seed + 1_000_003),
            fates: fates.to_vec(),
            version: 0,
            forgotten: 0,
            forgets: 0,
            loads: Vec::new(),
            retired: BTreeSet::new(),
            blows: schedule.blows.clone(),
            wrong: Vec::new(),
        }));
        let alive = Arc::new(());
        let source = Source {
            known: known.clone(),
            alive: alive.clone(),
        };
        let cache = schedule.within(0, || {
            let settings = Settings {
                environment: Environment::fake(&[]),
                scripted: Some((Script::new([]), Clock::starting_at(wall()))),
                ..Settings::default()
            };
            let context = Context {
                core: settings.core(&[]).unwrap(),
                region: None,
                project_id: None,
                project_name: None,
                auth_endpoint: None,
                foreign: false,
                inputs: None,
            };
            Cache::new(Arc::new(source), context)
        });
        Self {
            schedule,
            cache,
            known,
            alive,
        }
    }

    /// A call: it asks for a credential and looks at what it is given.
    fn call(&self, place: usize, may_be_dropped: bool, may_retire: bool, delay: Duration) {
        let (cache, known) = (self.cache.clone(), self.known.clone());
        let schedule = Rc::downgrade(&self.schedule);
        let retires = may_retire && self.schedule.roll(6) == 0;
        let needed = Duration::from_secs(match may_retire {
            true => 310 * self.schedule.roll(2),
            false => 0,
        });
        self.schedule.add(place, may_be_dropped, async move {
            if !delay.is_zero() {
                sleep(delay).await;
            }
            let began = monotonic();
            let (may_see, retired, has_good) = {
                let truth = known.lock().unwrap();
                let is_good = |load: &Asked| load.fate == Fate::Old && load.gave.is_some();
                let has_good = truth.loads.iter().any(is_good);
                (truth.forgotten, truth.retired.clone(), has_good)
            };
            let mut polls = 0_u32;
            let outcome = {
                let deadline = began + Duration::from_secs(3_600);
                let mut lease = Box::pin(cache.lease(needed, deadline));
                std::future::poll_fn(|context| {
                    polls += 1;
                    lease.as_mut().poll(context)
                })
                .await
            };
            let waited = monotonic() - began;
            let struck = schedule.upgrade().map_or(0, |schedule| schedule.struck());
            let mut truth = known.lock().unwrap();
            let mut wrong = Vec::new();
            if waited > LOAD_LIMIT + SLACK + (LOAD_LIMIT + STANDSTILL + SLACK) * struck {
                wrong.push(format!("waited for {waited:?} ({struck})"));
            }
            if has_good && polls > 1 {
                wrong.push(format!("waited beside a good key, {polls} polls"));
            }
            let (load, version) = match &outcome {
                Ok(held) => (held.credential.load, held.credential.version),
                Err(error) => match of_error(error) {
                    Some(told) => told,
                    None => {
                        // Which one it was stands nowhere.
                        let text = error.to_string();
                        if !text.contains("panicked") && !text.contains("after 10 s") {
                            wrong.push(text);
                        }
                        (usize::MAX, u64::MAX)
                    }
                },
            };
            if version < may_see {
                wrong.push(format!("load {load} was forgotten: {version} < {may_see}"));
            }
            if retired.contains(&load) {
                wrong.push(format!("load {load} was retired"));
            }
            if let Some(asked) = truth.loads.get(load)
                && asked.fate == Fate::Local
                && asked.gave.is_some_and(|gave| gave < began)
            {
                wrong.push(format!("load {load} had failed before"));
            }
            if let Ok(held) = &outcome
                && retires
                && truth.loads[load].fate == Fate::Endless
            {
                cache.retire(held);
                truth.retired.insert(load);
            }
            truth.wrong.extend(wrong);
        });
    }

    /// Somebody gives the source another key, and then has all forgotten.
    fn forget(&self, place: usize, delay: Duration) {
        let (cache, known) = (self.cache.clone(), self.known.clone());
        self.schedule.add(place, false, async move {
            sleep(delay).await;
            known.lock().unwrap().version += 1;
            yield_now().await;
            let mut truth = known.lock().unwrap();
            cache.forget();
            truth.forgets += 1;
            truth.forgotten = truth.version;
        });
    }

    fn run(&self) -> Result<(), String> {
        let mut beside = 0;
        self.schedule.run(|| {
            beside = match self.run_beside() {
                true => beside + 1,
                false => 0,
            };
            match beside > 3 {
                true => Err("two loads go on side by side".to_owned()),
                false => self.is_right(),
            }
        })?;
        self.is_right()
    }

    /// Whether two loads that nobody has forgotten run, in runtimes that go on.
    fn run_beside(&self) -> bool {
        let (still, truth) = (self.schedule.still(), self.known.lock().unwrap());
        let running = truth.loads.iter().filter(|load| {
            let is_new = load.generation == truth.forgets;
            load.is_running && is_new && still != Some(load.place)
        });
        running.count() > 1
    }

    /// How many loads there were since all was forgotten.
    fn loads(&self) -> usize {
        let truth = self.known.lock().unwrap();
        let new = |load: &&Asked| load.generation == truth.forgets;
        truth.loads.iter().filter(new).count()
    }

    fn is_right(&self) -> Result<(), String> {
        let mut truth = self.known.lock().unwrap();
        let struck = truth.blows.lock().unwrap().struck.clone();
        let lost = truth.loads.iter().position(|load| {
            let is_over = !load.is_running && load.gave.is_none();
            is_over && !struck.contains(&load.place)
        });
        if let Some(lost) = lost {
            truth.wrong.push(format!("load {lost} came to nothing"));
        }
        match truth.wrong.is_empty() {
            true => Ok(()),
            false => Err(truth.wrong.join("; ")),
        }
    }

    /// Nothing is left of what nobody needs, and in the end of nothing.
    fn leaves_nothing(self) -> Result<(), String> {
        let Self {
            schedule,
            cache,
            known,
            alive,
        } = self;
        schedule.tasks.borrow_mut().clear();
        for place in schedule.going() {
            let left = schedule.tasks_left(place, LOAD_LIMIT + SLACK);
            if left > 0 {
                return Err(format!("{left} tasks run on"));
            }
        }
        // This one, the source's, and that of the key at hand.
        let keys = Arc::strong_count(&alive) - 2;
        if keys > 1 {
            return Err(format!("{keys} keys are alive"));
        }
        let cache = match Arc::try_unwrap(cache) {
            Ok(cache) => cache,
            Err(cache) => return Err(format!("{} share it still", Arc::strong_count(&cache))),
        };
        drop(cache);
        match (Arc::strong_count(&alive), Arc::strong_count(&known)) {
            (1, 1) => Ok(()),
            left => Err(format!("{left:?} are alive")),
        }
    }
}

/// Which load an error tells of, and of which key.
fn of_error(error: &Error) -> Option<(usize, u64)> {
    let text = error.to_string();
    let (_, told) = text.split_once("load ")?;
    let (load, rest) = told.split_once(" v")?;
    let (version, _) = rest.split_once('.')?;
    Some((load.parse().ok()?, version.parse().ok()?))
}

#[test]
fn callers_share_one_load_whoever_is_dropped_and_whatever_is_forgotten() {
    for_seeds(700, |seed| {
        let mut dice = Dice::new(seed + 77);
        let runtimes = 1 + dice.below(3) as usize;
        let plan = Plan {
            runtimes,
            drops: dice.below(5) as u32,
            ends: dice.below(runtimes as u64) as u32,
            stands: u32::from(runtimes > 1) * dice.below(3) as u32,
        };
        let world = World::new(seed, plan, &FATES);
        for _ in 0..3 + dice.below(8) {
            let delay = match dice.below(2) {
                0 => Duration::ZERO,
                _ => dice.millis(1, 4_000),
            };
            world.call(dice.below(runtimes as u64) as usize, true, true, delay);
        }
        for _ in 0..dice.below(3) {
            let place = dice.below(runtimes as u64) as usize;
            world.forget(place, dice.millis(0, 3_000));
        }
        world.run()?;
        // Whatever happened, who comes now is served.
        world.schedule.ends.set(0);
        world.schedule.stands.set(0);
        world.known.lock().unwrap().fates = vec![Fate::Endless];
        let place = world.schedule.some_runtime();
        world.forget(place, Duration::ZERO);
        world.run()?;
        world.call(place, false, false, Duration::ZERO);
        world.run()?;
        match world.loads() {
            1 => {}
            loads => return Err(format!("{loads} loads for one call")),
        }
        world.leaves_nothing()
    });
}

#[test]
fn nobody_waits_for_a_renewal_ahead_of_time() {
    for_seeds(400, |seed| {
        let mut dice = Dice::new(seed + 78);
        let plan = Plan {
            runtimes: 1 + dice.below(2) as usize,
            drops: dice.below(4) as u32,
            ..Plan::default()
        };
        let world = World::new(seed, plan, &[Fate::Old]);
        world.call(0, false, false, Duration::ZERO);
        world.run()?;
        world.schedule.advance(Duration::from_secs(312));
        world.known.lock().unwrap().fates = vec![Fate::Old, Fate::Passing, Fate::Hang];
        for _ in 0..8 {
            let place = dice.below(plan.runtimes as u64) as usize;
            world.call(place, true, false, dice.millis(0, 3_000));
        }
        world.run()?;
        match world.loads() {
            2.. => {}
            loads => return Err(format!("{loads} loads")),
        }
        world.leaves_nothing()
    });
}

#[test]
fn ten_thousand_wait_for_one_load_and_half_of_them_go() {
    for_seeds(1, |seed| {
        let plan = Plan {
            runtimes: 2,
            drops: 5_000,
            ..Plan::default()
        };
        let world = World::new(seed, plan, &[Fate::Endless]);
        for number in 0..10_000 {
            world.call(number % 2, true, false, Duration::ZERO);
        }
        world.run()?;
        match world.loads() {
            1 => {}
            loads => return Err(format!("{loads} loads")),
        }
        world.leaves_nothing()
    });
}
