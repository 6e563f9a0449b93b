//! A credential that is held: how long it is fresh, usable, new, and worth renewing.

use chrono::TimeDelta;
use tokio::time::advance;

use super::*;
use crate::pipeline::{credential::Lease, held::Held};

fn held(clock: &Clock, issued_at: Option<DateTime<Utc>>, expires_at: DateTime<Utc>) -> Held<()> {
    let lease = Lease::new(()).expires_at(expires_at);
    let lease = match issued_at {
        Some(issued_at) => lease.issued_at(issued_at),
        None => lease,
    };
    Held::new(lease, clock).unwrap()
}

/// A tenth of its life before its end, and up to a tenth of that earlier, it is no longer fresh.
#[tokio::test(start_paused = true)]
async fn each_ceases_to_be_fresh_a_little_before_another() {
    for (life, window) in [
        (20, 30),
        (60, 30),
        (300, 30),
        (310, 31),
        (600, 60),
        (3_600, 360),
        (9_000, 900),
        (86_400, 900),
    ] {
        let clock = Clock::starting_at(wall());
        let many: Vec<_> = (0..200)
            .map(|_| held(&clock, None, wall() + TimeDelta::seconds(life)))
            .collect();
        let fresh_at = |seconds: f64| {
            let then = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            let then = clock.moment().checked_add(then).unwrap();
            many.iter().filter(|held| held.is_fresh(then)).count()
        };
        let (life, window) = (life as f64, f64::from(window));
        if life <= window {
            assert_eq!(fresh_at(0.0), 0, "{life}");
            continue;
        }
        assert_eq!(fresh_at(life - 1.1 * window - 0.001), 200, "{life}");
        // That all of 200 fall into one half has a chance of 2^-199.
        let half = fresh_at(life - 1.05 * window);
        assert!(half > 0 && half < 200, "{life}: {half}");
        assert_eq!(fresh_at(life - window), 0, "{life}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_used_as_long_as_it_outlives_what_needs_it() {
    let seconds = Duration::from_secs;
    let hour = TimeDelta::hours(1);
    let clock = Clock::starting_at(wall());
    let long_ago = wall() - TimeDelta::days(400);
    // Its life is what its issuer says, whatever our clock shows.
    for (issued_at, expires_at) in [
        (None, wall() + hour),
        (Some(long_ago), long_ago + hour),
        (
            Some(wall() + TimeDelta::days(9)),
            wall() + TimeDelta::days(9) + hour,
        ),
    ] {
        let held = held(&clock, issued_at, expires_at);
        let begun = clock.moment();
        for at in [0, 1, 1_800, 3_599, 3_600, 3_601] {
            let now = begun.checked_add(seconds(at)).unwrap();
            for needed in [0, 1, 310, 1_800, 3_599, 3_600, 7_200] {
                assert_eq!(
                    held.is_usable_for(seconds(needed), now),
                    at + needed < 3_600,
                    "{at} {needed}"
                );
            }
            let left = (at < 3_600).then(|| seconds(3_600 - at));
            assert_eq!(held.time_left(now), left, "{at}");
            // Refused, it may be got anew if it was good once, or has ended.
            assert_eq!(held.is_renewable(now), at >= 3_600, "{at}");
        }
        held.accept();
        assert!(held.is_renewable(begun));
        assert!(!held.is_usable_for(Duration::MAX, begun));
    }
    // One that had ended when it came.
    let ended = held(&clock, Some(wall()), wall() - hour);
    let now = clock.moment();
    assert!(!ended.is_fresh(now) && !ended.is_usable_for(Duration::ZERO, now));
    assert_eq!(ended.time_left(now), None);
    // One that says nothing of its end has none; one that was handed in is never got anew.
    let endless = Held::new(Lease::fixed(()), &clock).unwrap();
    let later = now.checked_add(seconds(1_000_000)).unwrap();
    assert!(endless.is_fresh(later) && endless.is_usable_for(seconds(1_000_000), later));
    assert_eq!(endless.time_left(later), None);
    endless.accept();
    assert!(!endless.is_renewable(later));
    assert!(!endless.is_new());
}

#[tokio::test(start_paused = true)]
async fn a_short_one_is_kept_for_a_pause_or_to_its_end() {
    // How long it lives, what pause it is kept for, and for how long it is then new.
    for (life, pause, new_for) in [
        (Some(100), 30, 30),
        (Some(20), 30, 20),
        (Some(0), 30, 30),
        (None, 30, 30),
    ] {
        let clock = Clock::starting_at(wall());
        let mut held = match life {
            Some(life) => held(&clock, None, wall() + TimeDelta::seconds(life)),
            None => Held::new(Lease::new(()), &clock).unwrap(),
        };
        assert!(!held.is_new());
        held.keep_for(Duration::from_secs(pause));
        assert!(held.is_new());
        advance(Duration::from_millis(new_for * 1_000 - 1)).await;
        assert!(held.is_new(), "{life:?}");
        advance(Duration::from_millis(1)).await;
        assert!(!held.is_new(), "{life:?}");
    }
}
