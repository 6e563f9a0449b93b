//! The pacer against an account's bucket, under the paused clock.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::*;

const DESCRIBE: fn() -> Quota = || Quota::new(50, 5.0);

/// The quota as the service keeps it.
pub(crate) struct Bucket {
    burst: f64,
    refill: f64,
    state: Mutex<(Instant, f64)>,
    pub(crate) asked: Mutex<u32>,
    pub(crate) refused: Mutex<u32>,
}

impl Bucket {
    pub(crate) fn new(burst: f64, refill: f64) -> Arc<Self> {
        Arc::new(Self {
            burst,
            refill,
            state: Mutex::new((monotonic(), burst)),
            asked: Mutex::default(),
            refused: Mutex::default(),
        })
    }

    /// Whether a request that arrives now is let through.
    pub(crate) fn take(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        let now = monotonic();
        let gained = (now - state.0).as_secs_f64() * self.refill;
        *state = (now, (state.1 + gained).min(self.burst));
        *self.asked.lock().unwrap() += 1;
        if state.1 < 1.0 {
            *self.refused.lock().unwrap() += 1;
            return false;
        }
        state.1 -= 1.0;
        true
    }
}

/// Numbers that a seed decides.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Something below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    pub(crate) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

/// One wait that has its answer as soon as a look is let through.
async fn one_look(pacer: Arc<Pacer>, bucket: Arc<Bucket>, start: Duration, trip: Duration) {
    sleep(start).await;
    let mut turn = pacer.turn().await;
    loop {
        sleep(trip).await;
        let is_let_through = bucket.take();
        sleep(trip).await;
        if is_let_through {
            return;
        }
        pacer.refused(turn.at);
        turn = pacer.again(&turn).await;
    }
}

async fn clients_of(clients: u64, waits: u64, seed: u64) -> (Duration, u32, u32) {
    let mut dice = Dice::new(seed);
    let bucket = Bucket::new(50.0, 5.0);
    let began = monotonic();
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let pacer = Pacer::new(DESCRIBE());
        for _ in 0..waits {
            let (start, trip) = (dice.millis(0, 200), dice.millis(5, 80));
            all.spawn(one_look(pacer.clone(), bucket.clone(), start, trip));
        }
    }
    all.join_all().await;
    let (asked, refused) = (
        *bucket.asked.lock().unwrap(),
        *bucket.refused.lock().unwrap(),
    );
    (monotonic() - began, asked, refused)
}

#[tokio::test(start_paused = true)]
async fn two_hundred_waits_of_one_client_are_answered_as_fast_as_the_account_allows() {
    for seed in 0..20 {
        let (took, _, refused) = clients_of(1, 200, seed).await;
        assert!(took <= Duration::from_secs(39), "{seed}: {took:?}");
        assert_eq!(refused, 0, "{seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn clients_that_share_an_account_find_their_pace_by_its_refusals() {
    for seed in 0..20 {
        let (took, asked, refused) = clients_of(3, 100, seed).await;
        assert!(took <= Duration::from_secs(65), "{seed}: {took:?}");
        assert!(refused * 20 < asked, "{seed}: {refused} of {asked} refused");
    }
}

#[tokio::test(start_paused = true)]
async fn waits_take_turns_in_order() {
    let pacer = Pacer::new(Quota::new(10, 2.0));
    let looks = Arc::new(Mutex::new(vec![Vec::new(); 60]));
    let mut all = tokio::task::JoinSet::new();
    for i in 0..60 {
        let (pacer, looks) = (pacer.clone(), looks.clone());
        all.spawn(async move {
            loop {
                pacer.turn().await;
                looks.lock().unwrap()[i].push(monotonic());
                sleep(Duration::from_millis(100)).await;
            }
        });
    }
    sleep(Duration::from_secs(400)).await;
    all.shutdown().await;
    let longest = Duration::from_secs_f64(1.5 * 60.0 / 1.8);
    for looks in looks.lock().unwrap().iter() {
        assert!(looks.len() > 10);
        for pair in looks.windows(2) {
            assert!(pair[1] - pair[0] <= longest);
        }
    }
    assert_eq!(pacer.pace().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_of_the_users_own_is_never_held_up_and_is_counted() {
    let pacer = Pacer::new(DESCRIBE());
    let bucket = Bucket::new(50.0, 5.0);
    let looks = Arc::new(Mutex::new(0_u32));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let (pacer, bucket, looks) = (pacer.clone(), bucket.clone(), looks.clone());
        all.spawn(async move {
            loop {
                pacer.turn().await;
                assert!(bucket.take());
                *looks.lock().unwrap() += 1;
            }
        });
    }
    sleep(Duration::from_secs(60)).await;
    // A handful at once, and then what was left over, find room; more is paid by the waits.
    for _ in 0..5 {
        pacer.count();
        assert!(bucket.take());
    }
    let before = *looks.lock().unwrap();
    for _ in 0..100 {
        sleep(Duration::from_millis(500)).await;
        pacer.count();
        assert!(bucket.take());
    }
    let looks = *looks.lock().unwrap() - before;
    let (least, left_over) = (3 * 50 - 15, 60 / 2);
    assert!((least..=least + 20 + left_over).contains(&looks), "{looks}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_halves_the_rate_once_for_what_was_under_way_and_it_recovers() {
    let pacer = Pacer::new(DESCRIBE());
    let first = pacer.turn().await;
    let second = pacer.turn().await;
    sleep(Duration::from_millis(50)).await;
    pacer.refused(first.at);
    pacer.refused(second.at);
    let pace = pacer.pace();
    assert_eq!((pace.rate, pace.refusals), (2.25, 2));
    sleep(Duration::from_secs(10)).await;
    assert!((pacer.pace().rate - 3.05).abs() < 1e-3);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(pacer.pace().rate, 4.5);
    for _ in 0..1000 {
        pacer.refused(monotonic());
    }
    assert!(pacer.pace().rate > 0.1);
}

#[tokio::test(start_paused = true)]
async fn waits_that_are_dropped_leave_no_hole() {
    let pacer = Pacer::new(Quota::new(10, 2.0));
    while pacer.pace().rate > 0.0 {
        let turn = tokio::time::timeout(Duration::from_millis(1), pacer.turn()).await;
        if turn.is_err() {
            break;
        }
    }
    let mut waiting: Vec<_> = (0..100).map(|_| Some(tokio::spawn(pacer.turn()))).collect();
    sleep(Duration::from_millis(1)).await;
    for place in waiting.iter_mut().take(99) {
        place.take().unwrap().abort();
    }
    let began = monotonic();
    waiting[99].take().unwrap().await.unwrap();
    assert!(monotonic() - began <= Duration::from_millis(600));
    assert_eq!(pacer.pace().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_stands_still_holds_up_only_its_own() {
    let pacer = Pacer::new(Quota::new(10, 2.0));
    let mut still = Vec::new();
    // Polled once, woken, and never polled again.
    for _ in 0..20 {
        let mut waiting = Box::pin(pacer.turn());
        std::future::poll_fn(|context| {
            let _ = waiting.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
        still.push(waiting);
    }
    let began = monotonic();
    tokio::time::timeout(Duration::from_secs(120), pacer.turn())
        .await
        .unwrap();
    // They were first: nobody passes them before they have let their turns go by.
    assert!(monotonic() - began >= Duration::from_secs(10));
    // What was passed over comes back to its old place.
    for waiting in &mut still[1..] {
        let _ = tokio::time::timeout(Duration::from_secs(5), waiting)
            .await
            .unwrap();
    }
    assert_eq!(pacer.pace().waiting, 0);
}

/// It is first only now: what the one before it left unused is not its fault.
#[tokio::test(start_paused = true)]
async fn who_becomes_first_because_another_one_went_is_not_passed_over() {
    let pacer = Pacer::new(Quota::new(10, 2.0));
    let _ = pacer.turn().await;
    let [mut first, mut second, mut third] = [(); 3].map(|()| pacer.turn());
    let had = |waiting: &mut Waiting| {
        let polled = Pin::new(waiting).poll(&mut Context::from_waker(Waker::noop()));
        polled.is_ready()
    };
    assert_eq!(
        [had(&mut first), had(&mut second), had(&mut third)],
        [false; 3]
    );
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!had(&mut third));
    tokio::time::advance(Duration::from_secs(1)).await;
    drop(first);
    assert_eq!([had(&mut third), had(&mut third)], [false; 2]);
    assert!(had(&mut second));
}

#[tokio::test(start_paused = true)]
async fn the_work_for_a_turn_does_not_grow_with_the_line() {
    thread_local!(static POLLS: RefCell<u64> = const { RefCell::new(0) });
    let pacer = Pacer::new(Quota::new(100, 100.0));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..10_000 {
        let mut waiting = Box::pin(pacer.turn());
        all.spawn(std::future::poll_fn(move |context| {
            POLLS.with_borrow_mut(|polls| *polls += 1);
            waiting.as_mut().poll(context).map(drop)
        }));
    }
    let began = monotonic();
    all.join_all().await;
    assert!(monotonic() - began <= Duration::from_secs(115));
    let polls = POLLS.with_borrow(|polls| *polls);
    assert!(polls < 50_000, "{polls}");
}

#[test]
fn a_quota_is_what_was_given_or_the_nearest_that_makes_sense() {
    for (burst, per_second, expected) in [
        (5, 2.5, (5, 2.5)),
        (1, 1.0, (1, 1.0)),
        (0, 0.0, (1, 0.001)),
        (7, -3.0, (7, 0.001)),
        (7, f64::NAN, (7, 0.001)),
        (7, f64::INFINITY, (7, 1_000_000.0)),
    ] {
        let quota = Quota::new(burst, per_second);
        assert_eq!((quota.burst(), quota.per_second()), expected);
    }
}
