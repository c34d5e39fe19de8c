//! What was answered survives power loss, as far as the disk keeps its word on fsync.
//!
//! A child process makes calls of the store; strace records what it writes, what it makes durable, and when it says that a
//! call was answered. The trace is replayed to the points at which the power may fail. There, what was not made durable is
//! dropped, torn and reordered in many ways, and on each such disk the store is opened and must hold what it had answered.
//!
//! `YAOPAI_CRASH_POINTS` is how many points are tried in all these ways, or `all`. On top of them, at each answer, the simplest
//! disk is tried: that on which nothing survives but what was made durable.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "../calls/mod.rs"]
mod calls;
#[path = "../conformance/mod.rs"]
mod conformance;
mod disk;
mod facts;
mod fates;
mod record;
mod replay;
mod strace;
mod workload;

use facts::Facts;
use record::{Files, Op, record};
use replay::{Tally, recoverable, replay, replay_points};
use workload::Workload;

const SEED: u64 = 1;
/// Calls of the long trace, and of each that begins with what a power loss left.
const CALLS: usize = 1200;
const CALLS_AFTER: usize = 40;
/// How many of those there are.
const RECOVERIES: usize = 3;
/// Crash points in all of these. Those of the first start and of the controls come on top.
const POINTS: usize = 200;

/// `None` is all.
fn points() -> Option<usize> {
    match std::env::var("YAOPAI_CRASH_POINTS") {
        Ok(all) if all == "all" => None,
        Ok(number) => Some(number.parse().expect("YAOPAI_CRASH_POINTS is a number or `all`")),
        Err(_) => Some(POINTS),
    }
}

fn facts(calls: usize) -> Facts {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { Facts::new(Workload::new(SEED, calls).await).await })
}

/// Also crash after crash: the last ones come while the store goes on with what an earlier one left.
#[test]
fn what_was_answered_survives_power_loss() {
    workload::work_if_child(SEED, CALLS);
    let facts = facts(CALLS);
    println!("{}", facts.are_of_every_kind());
    let trace = record(&Files::new(), &(0..CALLS));
    println!("{}", trace.holds_what_it_is_for());
    let tally = replay(&facts, &trace, 0, points().map(|n| n * 3 / 4));
    println!("power loss: {tally}");
    assert_eq!((tally.lost, tally.broken), (0, 0), "{tally}");

    let mut tally = Tally::default();
    for n in 1..=RECOVERIES {
        let (left, call) = recoverable(&facts, &trace, trace.ops.len() * n / (RECOVERIES + 1));
        let again = record(&left, &(call..call + CALLS_AFTER));
        tally.add(replay(&facts, &again, call, points().map(|n| n / 4 / RECOVERIES)));
    }
    println!("power loss after a recovery: {tally}");
    assert_eq!((tally.lost, tally.broken), (0, 0), "{tally}");
}

/// Every point of it, because there are few: the file is created, marked as ours, given its log and migrated.
#[test]
fn a_first_start_survives_power_loss() {
    let facts = facts(1);
    let trace = record(&Files::new(), &(0..1));
    let tally = replay(&facts, &trace, 0, None);
    println!("power loss at the first start: {tally}");
    assert_eq!((tally.lost, tally.broken), (0, 0), "{tally}");
}

/// The tests above must be able to see a loss. So the same trace, with less made durable than the store did.
#[test]
fn a_store_that_syncs_less_is_found_out() {
    let facts = facts(CALLS);
    let trace = record(&Files::new(), &(0..CALLS));
    let with_only = |keep: &dyn Fn(&[Op]) -> bool| replay_points(&facts, &trace.only(keep), 24);

    // As `synchronous=OFF`.
    let tally = with_only(&|ops| !matches!(ops, [.., Op::Sync { .. } | Op::SyncFolder]));
    println!("without fsync: {tally}");
    assert!(tally.lost > tally.facts / 2 && tally.broken > 0, "{tally}");

    // As `synchronous=NORMAL`: the log is made durable before a checkpoint, and not at each commit.
    let of_a_commit = |ops: &[Op]| match ops {
        [.., Op::Write { at: 1.., .. }, Op::Sync { file }] => trace.is_log(*file),
        _ => false,
    };
    let tally = with_only(&|ops| !of_a_commit(ops));
    println!("without the commits' fsync: {tally}");
    assert!(tally.lost > 0, "{tally}");
    assert_eq!(tally.broken, 0, "a checkpoint is still safe: {tally}");

    // As on a system where a folder can't be made durable: the log is there, and its name isn't.
    let tally = with_only(&|ops| !matches!(ops, [.., Op::SyncFolder]));
    println!("without the folder's fsync: {tally}");
    assert!(tally.lost > 0, "{tally}");

    // As a store that now and then answers before it has committed.
    let tally = replay(&facts, &trace.said_early(60), 0, Some(24));
    println!("with a sixtieth answered early: {tally}");
    assert!(tally.lost > 0, "{tally}");
    assert_eq!(tally.broken, 0, "{tally}");
}
