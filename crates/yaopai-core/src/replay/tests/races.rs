//! Many threads at once. `YAOPAI_REPLAY_ROUNDS` repeats.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

use super::*;

fn rounds(otherwise: usize) -> usize {
    from_env("YAOPAI_REPLAY_ROUNDS", otherwise)
}

/// Runs it in so many threads, which begin together.
fn together(threads: usize, work: impl Fn(usize) + Sync) {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        for n in 0..threads {
            let (start, work) = (&start, &work);
            scope.spawn(move || {
                start.wait();
                work(n);
            });
        }
    });
}

#[test]
fn of_a_thousand_with_one_nonce_one_is_accepted() {
    const NONCES: usize = 100;
    for _ in 0..rounds(3) {
        let room = replays();
        let passed: Vec<_> = (0..NONCES).map(|_| AtomicUsize::new(0)).collect();
        together(1000, |_| {
            for (n, passed) in passed.iter().enumerate() {
                match accept(&room, &n.to_string(), (n % 60) as i64, 60) {
                    Ok(()) => _ = passed.fetch_add(1, SeqCst),
                    refused => assert_eq!(refused, Err(NotFresh::Replayed)),
                }
            }
        });
        for (n, passed) in passed.iter().enumerate() {
            assert_eq!(passed.load(SeqCst), 1, "nonce {n}");
        }
    }
}

/// Small windows, so that threads meet at slots that others have taken, and at windows that are just full.
#[test]
fn each_nonce_of_a_crowd_is_accepted_once_or_refused_for_want_of_room() {
    for _ in 0..rounds(20) {
        let room = Replays::new(4096, &Sevens);
        let passed: Vec<_> = (0..3000).map(|_| AtomicUsize::new(0)).collect();
        let full = AtomicBool::new(false);
        together(4, |_| {
            for (n, passed) in passed.iter().enumerate() {
                match accept(&room, &n.to_string(), 0, 0) {
                    Ok(()) => _ = passed.fetch_add(1, SeqCst),
                    Err(NotFresh::Full) => full.store(true, SeqCst),
                    refused => assert_eq!(refused, Err(NotFresh::Replayed)),
                }
            }
        });
        assert!(full.load(SeqCst));
        assert!(passed.iter().all(|n| n.load(SeqCst) <= 1));
        let all: usize = passed.iter().map(|n| n.load(SeqCst)).sum();
        assert!((1536..=2048).contains(&all), "{all}");
    }
}

/// Every request is tried by all, with clocks that differ by more than a minute, while generations come and go.
#[test]
fn nothing_is_accepted_twice_while_time_passes() {
    const REQUESTS: i64 = 20_000;
    for _ in 0..rounds(3) {
        let room = replays();
        let passed: Vec<_> = (0..REQUESTS).map(|_| AtomicUsize::new(0)).collect();
        together(6, |thread| {
            for (n, passed) in (0..).zip(&passed) {
                let created = n / 2;
                let now = created + [0, 20, 40, 58, 60, 60][thread];
                if accept(&room, &n.to_string(), created, now).is_ok() {
                    passed.fetch_add(1, SeqCst);
                }
                if thread == 5 {
                    room.sweep(at(now));
                }
            }
        });
        assert!(passed.iter().all(|n| n.load(SeqCst) <= 1));
        assert!(passed.iter().any(|n| n.load(SeqCst) == 1));
    }
}

/// Two threads that take each step at the same instant, closer than a barrier brings them.
fn side_by_side(steps: usize, work: impl Fn(usize, usize) + Sync) {
    let arrived = AtomicUsize::new(0);
    together(2, |side| {
        for step in 0..steps {
            arrived.fetch_add(1, SeqCst);
            let mut spins = 0;
            while arrived.load(SeqCst) < 2 * (step + 1) {
                // The other may have no core now.
                spins += 1;
                if spins % 2000 == 0 {
                    thread::yield_now();
                }
                std::hint::spin_loop();
            }
            work(side, step);
        }
    });
}

#[test]
fn of_two_at_the_same_instant_one_is_accepted() {
    for _ in 0..rounds(1) {
        let room = Replays::new(1 << 17, &Sevens);
        let passed: Vec<_> = (0..2000).map(|_| AtomicUsize::new(0)).collect();
        side_by_side(passed.len(), |_, step| {
            let ok = accept(&room, &step.to_string(), 0, 0).is_ok();
            passed[step].fetch_add(usize::from(ok), SeqCst);
        });
        for (n, passed) in passed.iter().enumerate() {
            assert_eq!(passed.load(SeqCst), 1, "nonce {n}");
        }
    }
}

/// One nonce at once on both sides of a generation's edge.
#[test]
fn a_nonce_is_new_in_one_generation_only() {
    for _ in 0..rounds(1) {
        let room = Replays::new(1 << 17, &Sevens);
        let passed: Vec<_> = (0..2000).map(|_| AtomicUsize::new(0)).collect();
        side_by_side(passed.len(), |side, step| {
            let ok = accept(&room, &step.to_string(), 65 + side as i64, 66).is_ok();
            passed[step].fetch_add(usize::from(ok), SeqCst);
        });
        assert!(passed.iter().all(|n| n.load(SeqCst) <= 1));
    }
}

#[test]
fn what_is_accepted_while_the_room_is_saved_is_refused_after() {
    for _ in 0..rounds(30) {
        let room = replays();
        let passed: Vec<_> = (0..4000).map(|_| AtomicBool::new(false)).collect();
        let go = AtomicUsize::new(0);
        let saved = thread::scope(|scope| {
            for part in passed.chunks(2000) {
                let (room, go) = (&room, &go);
                scope.spawn(move || {
                    for passed in part {
                        let nonce = format!("{:p}", passed);
                        passed.store(accept(room, &nonce, 0, 0).is_ok(), SeqCst);
                        go.fetch_add(1, SeqCst);
                    }
                });
            }
            while go.load(SeqCst) < 1000 {
                std::hint::spin_loop();
            }
            room.save()
        });
        let after = Replays::restore(BOUND, &saved);
        for passed in passed.iter().filter(|passed| passed.load(SeqCst)) {
            assert_eq!(accept(&after, &format!("{:p}", passed), 0, 0), Err(NotFresh::Replayed));
        }
    }
}
