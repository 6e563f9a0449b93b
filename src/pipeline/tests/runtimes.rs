//! One client in several runtimes: pools by runtime, one load for all of them.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
    time::sleep,
};

use super::{
    credentials::{password_client, run, token_reply, tokens},
    *,
};
use crate::pipeline::{core::Core, pools::Pools, settings::Settings, transport::Transport};

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

/// One whose clock runs only as far as it is driven.
fn paused() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

/// What a client is built on, and how often its HTTP client was made.
fn counted() -> (Arc<Core>, Arc<AtomicUsize>) {
    let made = Arc::<AtomicUsize>::default();
    let count = made.clone();
    let settings = Settings {
        http: Some(Box::new(move |http| {
            count.fetch_add(1, Ordering::Relaxed);
            http.no_proxy()
        })),
        ..Settings::default()
    };
    let endpoint = "http://127.0.0.1:9".parse().unwrap();
    (settings.core(&[&endpoint]).unwrap(), made)
}

fn pools(core: &Core) -> &Pools {
    let pools = match &core.transport {
        Transport::Pooled(pools) => Some(pools),
        _ => None,
    };
    pools.unwrap()
}

#[test]
fn a_pool_lives_as_long_as_its_runtime() {
    let (core, made) = counted();
    let held = runtime();
    held.block_on(async { core.transport.here().map(drop) })
        .unwrap();
    for number in 1..=200 {
        let short = runtime();
        short
            .block_on(async { core.transport.here().map(drop) })
            .unwrap();
        assert_eq!(pools(&core).count(), 2, "{number}");
        drop(short);
        assert_eq!(pools(&core).count(), 1, "{number}");
    }
    assert_eq!(made.load(Ordering::Relaxed), 201);
    drop(held);
    assert_eq!(pools(&core).count(), 0);
}

/// Its task in a runtime ends with a client, so a program may make as many as it likes.
#[test]
fn a_client_that_is_dropped_leaves_no_task_behind() {
    let runtime = runtime();
    let tasks = || runtime.metrics().num_alive_tasks();
    for _ in 0..10 {
        let (core, _) = counted();
        runtime
            .block_on(async { core.transport.here().map(drop) })
            .unwrap();
        assert_eq!(tasks(), 1);
        drop(core);
        runtime.block_on(async {
            for _ in 0..5 {
                yield_now().await;
            }
        });
        assert_eq!(tasks(), 0);
    }
}

#[test]
fn a_user_s_function_is_called_once_a_runtime() {
    let (core, made) = counted();
    assert_eq!(made.load(Ordering::Relaxed), 1, "when the client is built");
    for runtimes in 1..=3 {
        let several = Builder::new_multi_thread()
            .worker_threads(4)
            .enable_all()
            .build()
            .unwrap();
        several.block_on(async {
            let mut calls = tokio::task::JoinSet::new();
            for _ in 0..64 {
                let core = core.clone();
                calls.spawn(async move { core.transport.here().map(drop) });
            }
            while let Some(call) = calls.join_next().await {
                call.unwrap().unwrap();
            }
        });
        assert_eq!(made.load(Ordering::Relaxed), runtimes);
    }
}

#[test]
fn a_pool_that_is_given_up_is_made_anew_in_this_runtime_alone() {
    let (core, made) = counted();
    let (first, second) = (runtime(), runtime());
    let look = |runtime: &Runtime| {
        runtime
            .block_on(async { core.transport.here().map(drop) })
            .unwrap();
        made.load(Ordering::Relaxed)
    };
    assert_eq!((look(&first), look(&second)), (1, 2));
    first.block_on(async { core.transport.give_up_pool() });
    // Its task ends only now, and must not take the new pool along.
    assert_eq!(look(&first), 3);
    first.block_on(yield_now());
    assert_eq!((look(&first), look(&second)), (3, 3));
    assert_eq!(pools(&core).count(), 2);
}

/// A call that has begun in a runtime, and a runtime that is no longer driven.
fn left_alone(
    runtime: &Runtime,
    client: &huawei::Client,
) -> tokio::task::JoinHandle<Result<(), Error>> {
    let client = client.clone();
    let call = runtime.spawn(async move { run(&client).await });
    runtime.block_on(async {
        for _ in 0..5 {
            yield_now().await;
        }
    });
    call
}

#[test]
fn a_load_whose_runtime_stands_still_is_taken_over_after_two_seconds() {
    let asked = AtomicUsize::new(0);
    let script = Script::playing(move |request| {
        let is_token_call = request.url.path() == "/v3/auth/tokens";
        Some(
            match is_token_call.then(|| asked.fetch_add(1, Ordering::Relaxed)) {
                Some(0) => Step::Silence,
                Some(number) => token_reply(number, 86_400),
                None => done(),
            },
        )
    });
    let client = password_client(&script);
    let (first, second) = (paused(), paused());
    let waiting = left_alone(&first, &client);
    let waited = second.block_on(async {
        let began = monotonic();
        run(&client).await.unwrap();
        monotonic() - began
    });
    let two_seconds = Duration::from_millis(1_500)..Duration::from_millis(2_500);
    assert!(two_seconds.contains(&waited), "{waited:?}");
    // Whoever waited there has what was learnt here.
    first.block_on(waiting).unwrap().unwrap();
    assert_eq!(tokens(&script), ["iam", "iam", "token-1", "token-1"]);
}

/// A renewal ahead of time is nobody's to wait for; who comes by takes it over all the same.
#[test]
fn a_renewal_whose_runtime_stands_still_is_taken_over_by_a_call_that_does_not_wait() {
    let asked = AtomicUsize::new(0);
    let script = Script::playing(move |request| {
        let is_token_call = request.url.path() == "/v3/auth/tokens";
        Some(
            match is_token_call.then(|| asked.fetch_add(1, Ordering::Relaxed)) {
                Some(1) => Step::Silence,
                Some(number) => token_reply(number, 86_400),
                None => done(),
            },
        )
    });
    let client = password_client(&script);
    let (first, second) = (paused(), paused());
    let nearly_a_day = Duration::from_secs(86_400 - 14 * 60);
    first.block_on(async {
        run(&client).await.unwrap();
        sleep(nearly_a_day).await;
    });
    left_alone(&first, &client);
    second.block_on(async {
        sleep(nearly_a_day + Duration::from_secs(3)).await;
        run(&client).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        run(&client).await.unwrap();
    });
    let expected = [
        "iam", "token-0", "iam", "token-0", "token-0", "iam", "token-2",
    ];
    let mut sent = tokens(&script);
    sent[2..].sort();
    let mut expected = expected.map(str::to_owned).to_vec();
    expected[2..].sort();
    assert_eq!(sent, expected);
}

#[test]
fn a_slow_answer_is_no_standstill() {
    let script = Script::playing(|request| {
        Some(match request.url.path() {
            "/v3/auth/tokens" => match token_reply(1, 86_400) {
                Step::Reply(_, reply) => Step::Reply(Duration::from_secs(8), reply),
                other => other,
            },
            _ => done(),
        })
    });
    let client = password_client(&script);
    let (first, second) = (paused(), paused());
    let mut waiting = left_alone(&first, &client);
    let mut elsewhere = left_alone(&second, &client);
    let both = [(&first, &mut waiting), (&second, &mut elsewhere)];
    for _ in 0..9 {
        for (runtime, _) in &both {
            runtime.block_on(async { sleep(Duration::from_secs(1)).await });
        }
    }
    for (runtime, call) in both {
        runtime.block_on(call).unwrap().unwrap();
    }
    assert_eq!(tokens(&script), ["iam", "token-1", "token-1"]);
}

/// Calls in as many runtimes at the same moment.
fn at_once_in(runtimes: usize, client: &huawei::Client) -> Vec<Result<(), Error>> {
    let together = Barrier::new(runtimes);
    let call = || {
        let runtime = runtime();
        together.wait();
        runtime.block_on(run(client))
    };
    thread::scope(|scope| {
        let calls: Vec<_> = (0..runtimes).map(|_| scope.spawn(call)).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}

#[test]
fn sixty_four_runtimes_send_one_request_a_renewal() {
    let asked = Arc::<AtomicUsize>::default();
    let count = asked.clone();
    let good = Arc::new(AtomicUsize::new(1));
    let taken = good.clone();
    let script = Script::playing(move |request| {
        if request.url.path() == "/v3/auth/tokens" {
            let number = 1 + count.fetch_add(1, Ordering::Relaxed);
            return Some(match token_reply(number, 86_400) {
                Step::Reply(_, reply) => Step::Reply(Duration::from_millis(20), reply),
                other => other,
            });
        }
        let good = format!("token-{}", taken.load(Ordering::Relaxed));
        Some(match request.headers["x-auth-token"] == good {
            true => done(),
            false => coded(401, "APIGW.0307"),
        })
    });
    let client = password_client(&script);
    for renewals in 1..=3 {
        good.store(renewals, Ordering::Relaxed);
        for outcome in at_once_in(64, &client) {
            outcome.unwrap();
        }
        assert_eq!(asked.load(Ordering::Relaxed), renewals);
    }
}

#[test]
fn a_wrong_password_is_asked_once_by_all_runtimes() {
    let wrong = r#"{"error":{"code":401,"message":"wrong","title":"Unauthorized"}}"#;
    let script = Script::playing(move |_| Some(at_once(reply(401, wrong))));
    let client = password_client(&script);
    for outcome in at_once_in(64, &client) {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials, "{error}");
    }
    assert_eq!(tokens(&script), ["iam"]);
}
