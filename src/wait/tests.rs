//! Waits against services of every manner, under the paused clock.

use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use tokio::time::{sleep, timeout};

use super::{watch::LATE_OUTPUT, *};
use crate::{
    error::{Delivery, ErrorCode},
    pipeline::pace::{Pacer, Quota},
};

/// What a look tells, as the fake service has it.
type Told = Result<View, Error>;

/// A service that is a function of the number of the look, the time since the first and the hold.
struct Service {
    play: Box<dyn Fn(u32, Duration, Duration) -> (Duration, Told) + Send + Sync>,
    began: Instant,
    asked: Arc<Mutex<Vec<(Duration, Duration)>>>,
}

type Asked = Arc<Mutex<Vec<(Duration, Duration)>>>;

impl<const LONG: u64> Look for Holding<LONG> {
    type Answer = View;
    const OPERATION: &'static str = "DescribeThing";
    const RIGHT: &'static str = "test:DescribeThing";
    const LONGEST_HOLD: Duration = Duration::from_secs(LONG);

    fn look(&self, _: &ExecutionRef, hold: Duration) -> BoxFuture<'static, Told> {
        let service = &self.0;
        let since = monotonic() - service.began;
        let number = {
            let mut asked = service.asked.lock().unwrap();
            asked.push((since, hold));
            asked.len() as u32 - 1
        };
        let (after, told) = (service.play)(number, since, hold);
        Box::pin(async move {
            sleep(after).await;
            told
        })
    }

    fn view(view: &View) -> View {
        view.clone()
    }
}

/// A service with a long poll of so many seconds.
struct Holding<const LONG: u64>(Service);

fn view(status: &str) -> View {
    let class = match status {
        "Succeeded" => Class::Succeeded,
        "Failed" | "Stopped" | "TimedOut" => Class::Ended,
        "Running" | "Starting" => Class::Going,
        _ => Class::Unknown,
    };
    let is_end = matches!(class, Class::Succeeded | Class::Ended);
    View {
        status: status.to_owned(),
        class,
        started: Some(start()),
        stopped: is_end.then(|| start() + TimeDelta::seconds(5)),
        updated: None,
        nodes: None,
        has_output: class == Class::Succeeded,
        bytes: 0,
    }
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn error(kind: ErrorKind, delivery: Delivery, status: u16) -> Error {
    let error = Error::new(kind, "the service's words").with_delivery(delivery);
    match status {
        0 => error,
        status => error.with_status(StatusCode::from_u16(status).unwrap()),
    }
}

fn coded(kind: ErrorKind, status: u16) -> Error {
    error(kind, Delivery::Refused, status).with_code(Some(ErrorCode::from("Words")))
}

fn not_found() -> Error {
    coded(ErrorKind::NotFound, 404)
}

fn started() -> Origin {
    Origin::Started(ExecutionRef::new("flow", "mine"))
}

fn resumed() -> Origin {
    Origin::Resumed(ExecutionRef::new("flow", "mine"))
}

fn task<const LONG: u64>(
    origin: Origin,
    play: impl Fn(u32, Duration, Duration) -> (Duration, Told) + Send + Sync + 'static,
) -> (Task<Holding<LONG>>, Asked) {
    let asked = Asked::default();
    let service = Service {
        play: Box::new(play),
        began: monotonic(),
        asked: asked.clone(),
    };
    let task = Task {
        look: Holding(service),
        pacer: Pacer::new(Quota::new(1000, 1000.0)),
        origin,
        deadline: None,
        grace: None,
        before: None,
    };
    (task, asked)
}

/// A wait on a service without long polls that answers at once.
fn short(
    origin: Origin,
    play: impl Fn(u32, Duration) -> Told + Send + Sync + 'static,
) -> (Task<Holding<0>>, Asked) {
    task(origin, move |number, since, _| {
        (Duration::ZERO, play(number, since))
    })
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn only_a_documented_end_ends_a_wait() {
    let (task, _) = short(started(), |number, _| match number {
        0 => Ok(View {
            stopped: Some(start()),
            ..view("Running")
        }),
        1 => Ok(View {
            started: None,
            ..view("")
        }),
        2 => Ok(View {
            stopped: Some(start()),
            ..view("")
        }),
        3 => Err(error(ErrorKind::Decode, Delivery::Accepted, 200)),
        4 => Ok(view("recovered")),
        5..10 => Ok(view("Paused")),
        _ => Ok(view("Succeeded")),
    });
    assert_eq!(Wait::new(task).await.unwrap(), view("Succeeded"));
    for status in ["Failed", "Stopped", "TimedOut"] {
        let (task, asked) = short(started(), move |_, _| {
            Ok(View {
                stopped: None,
                ..view(status)
            })
        });
        assert_eq!(Wait::new(task).await.unwrap().status, status);
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_word_with_a_stop_time_ends_a_wait_at_the_third_look_running() {
    let stopped = || View {
        stopped: Some(start()),
        ..view("Cancelled")
    };
    let (task, asked) = short(started(), move |number, _| match number {
        0 | 1 => Ok(stopped()),
        2 => Ok(view("Running")),
        _ => Ok(stopped()),
    });
    assert_eq!(Wait::new(task).await.unwrap().status, "Cancelled");
    assert_eq!(asked.lock().unwrap().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn long_polls_are_used_and_given_up_where_they_are_cut() {
    let (held, asked) = task::<60>(started(), |number, _, hold| match number {
        0..10 => (hold, Ok(view("Running"))),
        _ => (seconds(1), Ok(view("Succeeded"))),
    });
    Wait::new(held).await.unwrap();
    assert_eq!(asked.lock().unwrap().len(), 11);

    for cut in [30, 55] {
        let (cut, asked) = task::<60>(started(), move |_, since, hold| {
            if hold > seconds(cut) {
                return (
                    seconds(cut),
                    Err(error(ErrorKind::Transport, Delivery::Unknown, 0)),
                );
            }
            let status = if since >= seconds(400) {
                "Succeeded"
            } else {
                "Running"
            };
            (Duration::ZERO, Ok(view(status)))
        });
        let began = monotonic();
        Wait::new(cut).await.unwrap();
        assert!(monotonic() - began <= seconds(410));
        assert!(
            asked.lock().unwrap()[3..]
                .iter()
                .all(|(_, hold)| hold.is_zero())
        );
    }
    // A service that does not hold its answer back is not asked without a pause.
    let (hasty, asked) = task::<60>(started(), |_, since, _| {
        let status = if since >= seconds(100) {
            "Succeeded"
        } else {
            "Running"
        };
        (Duration::ZERO, Ok(view(status)))
    });
    Wait::new(hasty).await.unwrap();
    assert!(asked.lock().unwrap().len() < 40);
}

#[tokio::test(start_paused = true)]
async fn without_a_deadline_a_wait_has_none() {
    let (task, _) = short(started(), |_, since| {
        let is_over = since >= seconds(400 * 86_400 / 1000);
        Ok(view(if is_over { "Succeeded" } else { "Running" }))
    });
    Wait::new(task).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deadline_fires_on_each_path_and_says_what_was_seen() {
    type Play = fn(u32, Duration, Duration) -> (Duration, Told);
    let plays: [(Play, &str); 5] = [
        (|_, _, hold| (hold, Ok(view("Running"))), "2 × Running"),
        (
            |_, _, _| (Duration::ZERO, Err(coded(ErrorKind::Throttled, 429))),
            " × 429",
        ),
        (
            |_, _, _| {
                (
                    Duration::ZERO,
                    Err(error(ErrorKind::Service, Delivery::Unknown, 500)),
                )
            },
            " × 500",
        ),
        (
            |_, _, _| (seconds(10_000), Ok(view("Running"))),
            "not known",
        ),
        (
            |number, _, _| {
                let told = match number % 3 {
                    0 => Ok(view("Running")),
                    1 => Err(error(ErrorKind::Service, Delivery::Unknown, 500)),
                    _ => Err(coded(ErrorKind::Throttled, 429)),
                };
                (Duration::ZERO, told)
            },
            "last status Running",
        ),
    ];
    for (play, words) in plays {
        let (task, _) = task::<60>(started(), play);
        let began = monotonic();
        let task = Task {
            deadline: Some(began + seconds(90)),
            ..task
        };
        let error = Wait::new(task).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadline);
        assert_eq!(monotonic() - began, seconds(90));
        assert_eq!(error.delivery(), Delivery::Accepted);
        assert!(error.may_have_started());
        assert!(error.message().contains(words), "{error}");
        assert!(error.message().contains("mine goes on"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_and_a_wait_that_is_dropped_send_nothing() {
    for origin in [started(), resumed()] {
        let is_resumed = matches!(origin, Origin::Resumed(_));
        let (task, asked) = short(origin, |_, _| Ok(view("Running")));
        let task = Task {
            deadline: Some(monotonic()),
            ..task
        };
        let error = Wait::new(task).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadline);
        assert_eq!(error.delivery() == Delivery::NotSent, is_resumed);
        assert!(asked.lock().unwrap().is_empty());
    }
    let (task, asked) = short(started(), |_, _| Ok(view("Running")));
    drop(Wait::new(Task {
        deadline: None,
        ..task
    }));
    assert!(asked.lock().unwrap().is_empty());
    let (task, asked) = short(started(), |_, _| Ok(view("Running")));
    assert!(timeout(seconds(60), Wait::new(task)).await.is_err());
    let before = asked.lock().unwrap().len();
    sleep(seconds(600)).await;
    assert_eq!(asked.lock().unwrap().len(), before);
    // A start is not sent either.
    let origin = Origin::Start {
        start: Box::pin(async { panic!("sent") }),
        key: None,
    };
    let (task, _) = short(origin, |_, _| Ok(view("Running")));
    let error = Wait::new(Task {
        deadline: Some(monotonic()),
        ..task
    })
    .await
    .unwrap_err();
    assert_eq!(
        (error.delivery(), error.may_have_started()),
        (Delivery::NotSent, false)
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_start_not_found_is_not_visible_yet_and_later_it_is_gone() {
    let (task, _) = short(started(), |_, since| match since < seconds(9) {
        true => Err(not_found()),
        false => Ok(view("Succeeded")),
    });
    Wait::new(task).await.unwrap();

    let (task, _) = short(started(), |_, _| Err(not_found()));
    let began = monotonic();
    let error = Wait::new(task).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::NotFound, Delivery::Accepted)
    );
    assert!((seconds(10)..=seconds(15)).contains(&(monotonic() - began)));
    assert!(error.message().contains("mine was accepted"), "{error}");

    let (task, _) = short(started(), |number, _| match number {
        0 => Ok(view("Running")),
        _ => Err(not_found()),
    });
    let error = Wait::new(task).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
    assert!(error.message().contains("Running"), "{error}");

    let (task, asked) = short(resumed(), |_, _| Err(not_found()));
    let error = Wait::new(task).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.delivery()),
        (ErrorKind::NotFound, Delivery::Accepted)
    );
    assert!(!error.may_have_started());
    assert_eq!(asked.lock().unwrap().len(), 1);

    // A proxy's page is not the service's word.
    let (task, _) = short(resumed(), |number, _| match number {
        0..5 => Err(error_of_a_proxy()),
        _ => Ok(view("Succeeded")),
    });
    Wait::new(task).await.unwrap();
}

fn error_of_a_proxy() -> Error {
    error(ErrorKind::NotFound, Delivery::Unknown, 404)
}

#[tokio::test(start_paused = true)]
async fn another_execution_of_the_same_name_is_not_this_one() {
    for (off, is_same) in [
        (900, true),
        (-900, true),
        (1_500, false),
        (86_400_000, false),
    ] {
        let shown = start() + TimeDelta::milliseconds(off);
        let own = ExecutionRef::new("flow", "mine").started(start());
        let (task, _) = short(Origin::Resumed(own), move |_, _| {
            Ok(View {
                started: Some(shown),
                ..view("Succeeded")
            })
        });
        let outcome = Wait::new(task).await;
        match is_same {
            true => assert!(outcome.is_ok(), "{off}"),
            false => assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Gone, "{off}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_final_refusal_of_the_service_ends_a_wait() {
    for (kind, status) in [
        (ErrorKind::PermissionDenied, 403),
        (ErrorKind::InvalidRequest, 400),
        (ErrorKind::Unauthenticated, 401),
    ] {
        let (task, asked) = short(started(), move |_, _| Err(coded(kind, status)));
        let error = Wait::new(task).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (kind, Delivery::Accepted));
        assert!(error.message().contains("mine was started"), "{error}");
        let names_right = error.message().contains("test:DescribeThing");
        assert_eq!(names_right, kind == ErrorKind::PermissionDenied);
        // A credential may have been renewed since.
        let looks = 1 + usize::from(kind == ErrorKind::Unauthenticated);
        assert_eq!(asked.lock().unwrap().len(), looks);
    }
    let borne: [fn() -> Error; 9] = [
        || coded(ErrorKind::Throttled, 400),
        || coded(ErrorKind::Conflict, 409),
        || coded(ErrorKind::Conflict, 412),
        || coded(ErrorKind::Unauthenticated, 401),
        || error(ErrorKind::PermissionDenied, Delivery::Unknown, 403),
        || error(ErrorKind::Connect, Delivery::NotSent, 0),
        || error(ErrorKind::Service, Delivery::Unknown, 503),
        || coded(ErrorKind::ClockSkew, 403),
        || Error::credentials("the vault is sealed", true, None),
    ];
    for fault in borne {
        let (task, asked) = short(started(), move |number, _| match number % 2 {
            0 if number < 8 => Err(fault()),
            _ if number < 8 => Ok(view("Running")),
            _ => Ok(view("Succeeded")),
        });
        Wait::new(task).await.unwrap();
        assert_eq!(asked.lock().unwrap().len(), 9);
    }
    let (task, _) = short(started(), |_, _| {
        Err(Error::credentials("no key", false, None))
    });
    assert_eq!(
        Wait::new(task).await.unwrap_err().kind(),
        ErrorKind::Credentials
    );
}

#[tokio::test(start_paused = true)]
async fn failures_that_go_on_are_told_and_the_statuses_are_a_stream() {
    let (task, _) = short(started(), |number, since| match since {
        _ if number == 0 => Err(not_found()),
        _ if number < 4 => Ok(view("Running")),
        since if since < seconds(120) => Err(error(ErrorKind::Service, Delivery::Unknown, 500)),
        _ => Ok(view("Succeeded")),
    });
    let mut wait = Wait::new(task);
    let began = monotonic();
    assert_eq!(wait.next().await.unwrap().unwrap(), Progress::NotVisible);
    assert_eq!(
        wait.next().await.unwrap().unwrap(),
        Progress::Status("Running".to_owned())
    );
    let Some(Ok(Progress::Trouble(words))) = wait.next().await else {
        panic!("no trouble was told");
    };
    assert!(words.contains("HTTP 500"), "{words}");
    assert!((seconds(30)..=seconds(60)).contains(&(monotonic() - began)));
    assert_eq!(
        wait.next().await.unwrap().unwrap(),
        Progress::Ended(view("Succeeded"))
    );
    assert!(wait.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_good_end_without_output_is_looked_at_again_for_a_while() {
    let bare = || View {
        has_output: false,
        stopped: None,
        ..view("Succeeded")
    };
    for (late, has_output) in [(1, true), (3, true), (4, false)] {
        let (task, _) = short(started(), move |number, _| match number < late {
            true => Ok(bare()),
            false => Ok(view("Succeeded")),
        });
        let began = monotonic();
        assert_eq!(
            Wait::new(task).await.unwrap().has_output,
            has_output,
            "{late}"
        );
        assert!(monotonic() - began <= LATE_OUTPUT);
    }
    // Whatever becomes of these looks, it has ended well.
    let after: [fn() -> (Duration, Told); 3] = [
        || (Duration::ZERO, Err(not_found())),
        || {
            (
                Duration::ZERO,
                Err(error(ErrorKind::Service, Delivery::Unknown, 500)),
            )
        },
        || (seconds(100), Ok(view("Running"))),
    ];
    for after in after {
        let (task, _) = task::<60>(started(), move |number, _, _| match number {
            0 => (Duration::ZERO, Ok(bare())),
            _ => after(),
        });
        let began = monotonic();
        assert_eq!(Wait::new(task).await.unwrap().status, "Succeeded");
        assert!(monotonic() - began <= LATE_OUTPUT);
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_after_a_retry_is_another_than_the_one_before() {
    let old = || View {
        nodes: Some(4),
        ..view("Failed")
    };
    type Play = fn(u32, Duration) -> Told;
    let new_failure = || View {
        stopped: Some(start() + TimeDelta::seconds(60)),
        nodes: Some(4),
        ..view("Failed")
    };
    let plays: [(Play, View); 4] = [
        (
            |_, since| match since.as_secs() {
                0..3 => Ok(View {
                    nodes: Some(4),
                    ..view("Failed")
                }),
                3..9 => Ok(view("Running")),
                _ => Ok(view("Succeeded")),
            },
            view("Succeeded"),
        ),
        (
            |_, since| match since.as_secs() {
                0..3 => Ok(View {
                    nodes: Some(4),
                    ..view("Failed")
                }),
                _ => Ok(View {
                    stopped: Some(start() + TimeDelta::seconds(60)),
                    nodes: Some(4),
                    ..view("Failed")
                }),
            },
            new_failure(),
        ),
        // It was seen to run, so even an equal end is its own.
        (
            |number, _| match number {
                1 => Ok(view("retrying")),
                _ => Ok(View {
                    nodes: Some(4),
                    ..view("Failed")
                }),
            },
            old(),
        ),
        (
            |_, _| {
                Ok(View {
                    nodes: Some(5),
                    ..view("Failed")
                })
            },
            View {
                nodes: Some(5),
                ..old()
            },
        ),
    ];
    for (play, end) in plays {
        let (task, _) = short(resumed(), play);
        let task = Task {
            before: Some(old()),
            ..task
        };
        assert_eq!(Wait::new(task).await.unwrap(), end);
    }
    let (task, _) = short(resumed(), move |_, _| Ok(old()));
    let task = Task {
        before: Some(View {
            nodes: Some(4),
            ..view("Failed")
        }),
        ..task
    };
    let began = monotonic();
    let error = Wait::new(task).await.unwrap_err();
    assert!((seconds(60)..=seconds(70)).contains(&(monotonic() - began)));
    assert!(error.message().contains("Failed"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_start_of_unknown_fate_goes_on_as_a_look_where_there_is_a_key() {
    let lost =
        || error(ErrorKind::Transport, Delivery::Unknown, 0).with_subject(true, true, Some("mine"));
    let key = || Some(ExecutionRef::new("flow", "mine"));
    let origin = |start: Result<ExecutionRef, Error>, key| Origin::Start {
        start: Box::pin(std::future::ready(start)),
        key,
    };
    let (task, _) = short(origin(Err(lost()), key()), |number, _| match number {
        0 => Err(not_found()),
        _ => Ok(view("Succeeded")),
    });
    Wait::new(task).await.unwrap();
    let (task, asked) = short(origin(Err(lost()), None), |_, _| Ok(view("Succeeded")));
    assert_eq!(
        Wait::new(task).await.unwrap_err().kind(),
        ErrorKind::Transport
    );
    assert!(asked.lock().unwrap().is_empty());
    let (task, asked) = short(origin(Err(not_found()), key()), |_, _| {
        Ok(view("Succeeded"))
    });
    assert_eq!(
        Wait::new(task).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert!(asked.lock().unwrap().is_empty());

    // Never seen: nobody knows. Seen, or answered: it was accepted.
    let (task, _) = short(origin(Err(lost()), key()), |_, _| Err(not_found()));
    assert_eq!(
        Wait::new(task).await.unwrap_err().delivery(),
        Delivery::Unknown
    );
    for (start, is_seen, delivery) in [
        (Err(lost()), false, Delivery::Unknown),
        (Err(lost()), true, Delivery::Accepted),
        (
            Ok(ExecutionRef::new("flow", "mine")),
            false,
            Delivery::Accepted,
        ),
    ] {
        let (task, _) = short(origin(start, key()), move |_, _| match is_seen {
            true => Ok(view("Running")),
            false => Err(error(ErrorKind::Service, Delivery::Unknown, 500)),
        });
        let task = Task {
            deadline: Some(monotonic() + seconds(9)),
            ..task
        };
        let error = Wait::new(task).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (ErrorKind::Deadline, delivery)
        );
        assert!(error.may_have_started());
    }
}

#[tokio::test(start_paused = true)]
async fn looks_are_spaced_and_large_answers_are_looked_at_less_often() {
    let (task, asked) = short(started(), |_, since| {
        Ok(view(if since > seconds(60) {
            "Succeeded"
        } else {
            "Running"
        }))
    });
    Wait::new(task).await.unwrap();
    let times: Vec<Duration> = asked.lock().unwrap().iter().map(|(at, _)| *at).collect();
    let pauses: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses[0] <= Duration::from_millis(201) && pauses[0] >= Duration::from_millis(160));
    assert!(
        pauses[5..]
            .iter()
            .all(|pause| (4..=5).contains(&pause.as_secs())),
        "{pauses:?}"
    );

    let (task, asked) = short(started(), |_, since| {
        let status = if since > seconds(600) {
            "Succeeded"
        } else {
            "Running"
        };
        Ok(View {
            bytes: 8 << 20,
            ..view(status)
        })
    });
    Wait::new(task).await.unwrap();
    assert!(asked.lock().unwrap().len() <= 25);
}

#[test]
fn a_reference_is_short_json_and_reads_from_a_bare_name() {
    let bare = ExecutionRef::from("mine");
    assert_eq!(
        serde_json::to_string(&bare).unwrap(),
        r#"{"execution":"mine"}"#
    );
    let full = ExecutionRef::new("flow", "mine").started(start());
    let again: ExecutionRef = serde_json::from_str(&serde_json::to_string(&full).unwrap()).unwrap();
    assert_eq!(again, full);
}
