//! Random schedules of honest clients, a bad network, thieves and crashes, played against the real services, live table and
//! check. A seed is a schedule: single-threaded, in virtual time.
//!
//! * `YAOPAI_REFRESH_SCHEDULES` says how many are played over the reference engine (20 000); a sixtieth of them is played
//!   over SQLite.
//! * `YAOPAI_REFRESH_SEED` plays one seed over both, and prints its schedule.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test's helper fails the test, and says why")]

mod client;
mod dice;
mod endgame;
mod fakes;
mod figures;
mod gated;
mod gates;
mod ghost;
mod ledger;
mod network;
mod people;
mod process;
mod schedule;
mod server;
mod thief;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use fakes::Home;
use figures::Figures;
use schedule::{Failure, Played, Schedule};
use yaopai_store::Disk;

fn from_env(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.trim().parse().unwrap_or_else(|_| panic!("{name} is to be a number, and is {text:?}")))
}

fn model() -> Home {
    Home::Model(Disk::default())
}

fn sqlite() -> Home {
    Home::Sqlite(tempfile::tempdir().unwrap())
}

fn play(seed: u64, home: Home, log: bool) -> Result<Played, Failure> {
    catch_unwind(AssertUnwindSafe(|| Schedule::new(seed, home, log).play()))
        .unwrap_or_else(|_| Err(Failure { wrong: vec!["it panicked; see above".into()], log: Vec::new() }))
}

/// Plays seeds `0..count` on all processors; panics with the first that goes wrong, and its schedule.
fn play_all(count: u64, home: fn() -> Home) -> Figures {
    let (next, sum, failed) = (AtomicU64::new(0), Mutex::new(Figures::default()), Mutex::new(None));
    let one = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count || failed.lock().unwrap().is_some() {
                return;
            }
            match play(seed, home(), false) {
                Ok(played) => sum.lock().unwrap().add(&played.figures),
                Err(_) => drop(failed.lock().unwrap().get_or_insert(seed)),
            }
        }
    };
    std::thread::scope(|s| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            s.spawn(one);
        }
    });
    if let Some(seed) = failed.into_inner().unwrap() {
        match play(seed, home(), true) {
            Err(Failure { wrong, log }) => panic!(
                "seed {seed} went wrong; YAOPAI_REFRESH_SEED={seed} plays it again\n{}\n\n{}",
                log.join("\n"),
                wrong.join("\n")
            ),
            Ok(_) => panic!("seed {seed} went wrong, and not when it was played again"),
        }
    }
    sum.into_inner().unwrap()
}

fn replay(home: fn() -> Home) -> bool {
    let Some(seed) = from_env("YAOPAI_REFRESH_SEED") else { return false };
    match play(seed, home(), true) {
        Ok(played) => println!("{}\nseed {seed} holds\n{}", played.log.join("\n"), played.figures),
        Err(Failure { wrong, log }) => panic!("seed {seed}\n{}\n\n{}", log.join("\n"), wrong.join("\n")),
    }
    true
}

/// A run that played nothing proves nothing.
fn assert_played(count: u64, f: &Figures) {
    assert_eq!(f.logouts, 0);
    assert_eq!(f.thefts_played, f.thefts_found + f.thefts_moot);
    if count < 1000 {
        return;
    }
    for (what, count) in [
        ("repeated refreshes", f.repeated),
        ("lost answers", f.lost_answers),
        ("late requests", f.late),
        ("step-ups", f.step_ups),
        ("lost step-ups", f.step_ups_lost),
        ("superseded tokens", f.superseded),
        ("crashes in a call", f.crashes_in_a_call),
        ("graceful stops", f.stops),
        ("same logins", f.same_logins),
        ("thefts found", f.thefts_found),
    ] {
        assert!(count > 0, "no {what} in\n{f}");
    }
}

#[test]
fn the_reference_engine() {
    if replay(model) {
        return;
    }
    let count = from_env("YAOPAI_REFRESH_SCHEDULES").unwrap_or(20_000);
    let figures = play_all(count, model);
    println!("{figures}");
    assert_played(count, &figures);
}

#[test]
fn sqlite_engine() {
    if replay(sqlite) {
        return;
    }
    let count = from_env("YAOPAI_REFRESH_SCHEDULES").unwrap_or(20_000).div_ceil(60);
    let figures = play_all(count, sqlite);
    println!("{figures}");
    assert_played(count, &figures);
}

/// The same seed must be the same schedule, or a failure could not be looked at.
#[test]
fn a_seed_is_a_schedule() {
    for seed in 0..200 {
        let (a, b) = (play(seed, model(), true).unwrap(), play(seed, model(), true).unwrap());
        let differs = a.log.iter().zip(&b.log).position(|(a, b)| a != b);
        assert_eq!(differs.map(|at| (&a.log[at], &b.log[at])), None, "seed {seed}");
        assert_eq!(a.figures, b.figures, "seed {seed}");
    }
}
