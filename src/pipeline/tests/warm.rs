//! What a call pays for a credential that is there: nobody waits for anybody.

use std::{
    pin::pin,
    task::{Context as Polling, Poll, Waker},
    thread,
};

use tokio::time::Instant;

use super::*;
use crate::pipeline::{cache::Cache, credential::Context, settings::Settings};

const LEASES: u32 = 20_000;

fn lease_all(cache: &Arc<Cache<Credentials>>, deadline: Instant) {
    for _ in 0..LEASES {
        let lease = pin!(cache.lease(Duration::from_secs(310), deadline));
        let polled = lease.poll(&mut Polling::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Ok(_))), "it had to wait");
    }
}

/// With `--nocapture` it tells how long that takes; only a release build says much.
#[tokio::test]
async fn a_warm_credential_is_had_at_the_first_poll_by_eight_threads() {
    let settings = Settings {
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
    let cache = Cache::new(Arc::new(Credentials::new("id", "secret")), context);
    let deadline = monotonic() + Duration::from_secs(60);
    cache.lease(Duration::ZERO, deadline).await.unwrap();

    // Others may look at the same time: who would write would wait for this one.
    let (done, is_done) = std::sync::mpsc::channel();
    let looking = cache.hold();
    thread::spawn({
        let cache = cache.clone();
        move || {
            lease_all(&cache, deadline);
            done.send(()).unwrap();
        }
    });
    is_done.recv_timeout(Duration::from_secs(60)).unwrap();
    drop(looking);

    for threads in [1, 8] {
        let began = monotonic();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| lease_all(&cache, deadline));
            }
        });
        let each = (monotonic() - began) / (LEASES * threads);
        println!("{threads} threads: {each:?} a lease, {LEASES} by each thread");
    }
}
