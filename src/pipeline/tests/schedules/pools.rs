//! The pools a runtime: runtimes that begin, end and give up their pool, while others come between.

use std::{
    collections::{BTreeMap, HashSet},
    rc::Weak,
    sync::LazyLock,
};

use tokio::runtime::{Handle, Id};

use super::*;
use crate::pipeline::{meanwhile::meanwhile, pools::Pools};

/// HTTP clients that can be told from each other: by a header.
static CLIENTS: LazyLock<Vec<reqwest::Client>> = LazyLock::new(|| {
    let client = |number: u64| {
        let mut headers = HeaderMap::new();
        headers.insert("number", number.to_string().parse().unwrap());
        let http = reqwest::Client::builder()
            .no_proxy()
            .default_headers(headers);
        http.tls_certs_only([]).build().unwrap()
    };
    (0..128).map(client).collect()
});

fn number_of(client: &reqwest::Client) -> usize {
    let text = format!("{client:?}");
    let (_, from) = text.split_once("\"number\": \"").unwrap();
    from.split_once('"').unwrap().0.parse().unwrap()
}

/// What the function that makes clients knows.
#[derive(Default)]
struct Maker {
    made: Mutex<usize>,
    /// How many times it fails from now on.
    failures: Mutex<u64>,
    /// In which runtimes it is making one.
    making: Mutex<HashSet<Id>>,
}

impl Maker {
    fn make(&self) -> Result<reqwest::Client, Error> {
        let place = Handle::try_current().map(|runtime| runtime.id()).ok();
        self.making.lock().unwrap().extend(place);
        meanwhile();
        if let Some(place) = place {
            self.making.lock().unwrap().remove(&place);
        }
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err(Error::configuration("http", "fails"));
        }
        let mut made = self.made.lock().unwrap();
        *made += 1;
        Ok(CLIENTS[*made - 1].clone())
    }
}

/// One runtime, and what is known of its pool.
struct Place {
    runtime: RefCell<Option<Runtime>>,
    handle: Handle,
    /// How often its pool was given up, or ended with it.
    epoch: Cell<usize>,
    /// Which client it has.
    client: Cell<Option<usize>>,
    /// Whether there is a pool; none where what came between leaves it open.
    has_pool: Cell<Option<bool>>,
    /// Callers that ask once more when they are dropped.
    callers: Cell<usize>,
}

struct World {
    dice: RefCell<Dice>,
    places: Vec<Place>,
    pools: RefCell<Option<Arc<Pools>>>,
    maker: Arc<Maker>,
    /// Whose client it is.
    owners: RefCell<BTreeMap<usize, usize>>,
    /// Pools that had their client, by runtime and how many it had had before.
    had: RefCell<HashSet<(usize, usize)>>,
    depth: Cell<u32>,
    /// Whether a runtime is being driven: none can end inside another one.
    is_driving: Cell<bool>,
    /// How many were asked for in a runtime that had ended, or gave its pool up meanwhile.
    beside: Cell<usize>,
    wrong: RefCell<Vec<String>>,
}

thread_local!(static WORLD: RefCell<Weak<World>> = RefCell::default());

/// A caller in a runtime.
struct Caller(usize);

impl Drop for Caller {
    fn drop(&mut self) {
        if let Some(world) = WORLD.with_borrow(Weak::upgrade) {
            world.ask(self.0);
        }
    }
}

impl World {
    fn new(seed: u64, runtimes: usize) -> Rc<Self> {
        let maker = Arc::<Maker>::default();
        let make = maker.clone();
        let pools = Pools::new(move || make.make()).unwrap();
        let place = |_| {
            let mut builder = Builder::new_current_thread();
            let runtime = builder.enable_all().build().unwrap();
            Place {
                handle: runtime.handle().clone(),
                runtime: RefCell::new(Some(runtime)),
                epoch: Cell::new(0),
                client: Cell::new(None),
                has_pool: Cell::new(Some(false)),
                callers: Cell::new(0),
            }
        };
        Rc::new(Self {
            dice: RefCell::new(Dice::new(seed)),
            places: (0..runtimes).map(place).collect(),
            pools: RefCell::new(Some(pools)),
            maker,
            owners: RefCell::default(),
            had: RefCell::default(),
            depth: Cell::new(0),
            is_driving: Cell::new(false),
            beside: Cell::new(0),
            wrong: RefCell::default(),
        })
    }

    fn roll(&self, limit: u64) -> u64 {
        self.dice.borrow_mut().below(limit)
    }

    fn wrong(&self, wrong: String) {
        self.wrong.borrow_mut().push(wrong);
    }

    fn step(self: &Rc<Self>) {
        let at = self.roll(self.places.len() as u64) as usize;
        match self.roll(16) {
            0 | 1 => self.give_up(at),
            2 if !self.is_driving.get() => self.end(at),
            3 => *self.maker.failures.lock().unwrap() = self.roll(2),
            4 => self.plant(at),
            _ => self.ask(at),
        }
    }

    /// What other threads do in the middle of a step.
    fn between(self: &Rc<Self>) {
        if self.depth.get() >= 2 {
            return;
        }
        self.depth.set(self.depth.get() + 1);
        for _ in 0..self.roll(3) {
            self.step();
        }
        self.depth.set(self.depth.get() - 1);
    }

    /// Asks for the client of a runtime, which may have ended.
    fn ask(&self, at: usize) {
        let place = &self.places[at];
        let is_making = self
            .maker
            .making
            .lock()
            .unwrap()
            .contains(&place.handle.id());
        let Some(pools) = self.pools.borrow().clone().filter(|_| !is_making) else {
            // Another thread would wait for the one that makes it.
            return;
        };
        let epoch = place.epoch.get();
        let asked = {
            let _inside = place.handle.enter();
            pools.here()
        };
        let is_alive = place.runtime.borrow().is_some();
        let is_same = epoch == place.epoch.get();
        if !is_alive {
            place.has_pool.set(Some(false));
        } else if is_same {
            place.has_pool.set(Some(true));
        } else {
            place.has_pool.set(None);
        }
        if !(is_alive && is_same) {
            self.beside.set(self.beside.get() + 1);
        }
        let Ok(client) = asked else { return };
        let number = number_of(&client);
        let owner = *self.owners.borrow_mut().entry(number).or_insert(at);
        if owner != at {
            self.wrong(format!("{at} has client {number} of {owner}"));
        }
        if is_alive && is_same {
            self.had.borrow_mut().insert((at, epoch));
            match place.client.replace(Some(number)) {
                Some(before) if before != number => {
                    self.wrong(format!("{at} had {before} and has {number}"));
                }
                _ => {}
            }
        }
    }

    fn give_up(&self, at: usize) {
        let place = &self.places[at];
        let Some(pools) = self.pools.borrow().clone() else {
            return;
        };
        place.epoch.set(place.epoch.get() + 1);
        place.client.set(None);
        {
            let _inside = place.handle.enter();
            pools.give_up();
        }
        place.has_pool.set(Some(false));
    }

    fn end(&self, at: usize) {
        let place = &self.places[at];
        let Some(runtime) = place.runtime.take() else {
            return;
        };
        place.epoch.set(place.epoch.get() + 1);
        place.client.set(None);
        place.has_pool.set(Some(false));
        // Its callers ask once more.
        drop(runtime);
        place.has_pool.set(Some(false));
    }

    /// A caller that waits in a runtime, and asks while that ends.
    fn plant(&self, at: usize) {
        let place = &self.places[at];
        if let Some(runtime) = &*place.runtime.borrow() {
            let caller = Caller(at);
            runtime.spawn(async move {
                let _caller = caller;
                std::future::pending::<()>().await;
            });
            place.callers.set(place.callers.get() + 1);
        }
    }

    /// What is there is what must be there.
    fn look(&self) {
        let pools = self.pools.borrow();
        let known: Option<usize> = self
            .places
            .iter()
            .map(|place| place.has_pool.get().map(usize::from))
            .sum();
        let alive = self
            .places
            .iter()
            .filter(|place| place.runtime.borrow().is_some());
        if let Some(count) = pools.as_ref().map(|pools| pools.count())
            && (known.is_some_and(|known| known != count) || count > alive.count())
        {
            self.wrong(format!("{count} pools, not {known:?}"));
        }
        for (at, place) in self.places.iter().enumerate() {
            let runtime = place.runtime.borrow();
            let Some(runtime) = &*runtime else { continue };
            self.is_driving.set(true);
            for _ in 0..3 {
                runtime.block_on(yield_now());
            }
            self.is_driving.set(false);
            let tasks = runtime.metrics().num_alive_tasks();
            let pools = usize::from(place.has_pool.get().unwrap_or(true) && pools.is_some());
            let most = pools + place.callers.get();
            if tasks > most {
                self.wrong(format!("{tasks} tasks in {at}, not {most}"));
            }
        }
    }
}

#[test]
fn each_runtime_has_its_own_client_as_long_as_it_lives_whoever_comes_between() {
    for_seeds(1_000, |seed| {
        let mut dice = Dice::new(seed + 80);
        let world = World::new(seed, 1 + dice.below(4) as usize);
        WORLD.set(Rc::downgrade(&world));
        let other = Rc::downgrade(&world);
        let _others = Others::doing(move || {
            if let Some(world) = other.upgrade() {
                world.between();
            }
        });
        for _ in 0..4 + dice.below(20) {
            world.step();
            world.look();
        }
        let made = *world.maker.made.lock().unwrap();
        let had = world.had.borrow().len();
        // The first one was made before there was a runtime.
        if made > had.max(1) + world.beside.get() {
            world.wrong(format!("{made} were made for {had} pools"));
        }
        // Runtimes that outlive the client have nothing of it, and those that do not, neither.
        for at in 0..dice.below(world.places.len() as u64 + 1) as usize {
            world.end(at);
        }
        world.look();
        let pools = world.pools.take().unwrap();
        let weak = Arc::downgrade(&pools);
        drop(pools);
        if weak.strong_count() > 0 {
            world.wrong("the pools live on".to_owned());
        }
        world.look();
        match world.wrong.take() {
            wrong if wrong.is_empty() => Ok(()),
            wrong => Err(wrong.join("; ")),
        }
    });
}
