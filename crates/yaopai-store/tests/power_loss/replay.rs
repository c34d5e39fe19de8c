//! Replays a trace up to its crash points, and tries what the disk may hold at each.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tokio::runtime::{Builder, Runtime};

use crate::disk::Disk;
use crate::facts::{Facts, Found};
use crate::fates;
use crate::record::{Files, Op, Trace, put};
use crate::workload::DATABASE;

/// The power fails after so many operations, when the disk was this, and all calls before `answered` had their answer.
struct Point {
    ops: usize,
    disk: Disk,
    answered: usize,
    /// Is every fate of what was not made durable tried, or only that nothing of it survives?
    every_fate: bool,
}

/// What was tried, and what was found.
#[derive(Default)]
pub struct Tally {
    pub points: usize,
    pub disks: usize,
    /// One for each fact that somebody was told, on each disk.
    pub facts: usize,
    /// Those that were not there any more.
    pub lost: usize,
    /// Disks that can't be used: all facts of them are lost.
    pub broken: usize,
    /// The first findings.
    pub findings: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { points, disks, facts, lost, broken, findings } = self;
        write!(f, "{points} crash points, {disks} disks, {facts} facts checked, {lost} lost, {broken} disks broken")?;
        findings.iter().try_for_each(|finding| write!(f, "\n  {finding}"))
    }
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.points += other.points;
        self.disks += other.disks;
        self.facts += other.facts;
        self.lost += other.lost;
        self.broken += other.broken;
        self.findings.extend(other.findings);
        self.findings.truncate(10);
    }
}

/// Tries so many points of a trace, or all, and each answer besides.
pub fn replay(facts: &Facts, trace: &Trace, first_call: usize, points: Option<usize>) -> Tally {
    replay_at(facts, trace, first_call, &choose(trace, points), true)
}

/// Tries so many points of a trace.
pub fn replay_points(facts: &Facts, trace: &Trace, points: usize) -> Tally {
    replay_at(facts, trace, 0, &choose(trace, Some(points)), false)
}

fn replay_at(facts: &Facts, trace: &Trace, first_call: usize, points: &BTreeSet<usize>, each_answer: bool) -> Tally {
    let (to_do, work) = sync_channel::<Point>(4);
    let work = Mutex::new(work);
    let worker = || {
        let runtime = Builder::new_current_thread().build().unwrap();
        let mut tally = Tally::default();
        loop {
            let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(point) = next else { return tally };
            tally.add(attempt(&runtime, facts, trace, &point));
        }
    };
    std::thread::scope(|scope| {
        // Each mostly waits for the threads of its store.
        let threads = 2 * std::thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let mut disk = Disk::new(&trace.before);
        let mut answered = first_call;
        for (n, op) in trace.ops.iter().enumerate() {
            disk.apply(op);
            let said = if let Op::Said { call } = op { Some(call + 1) } else { None };
            answered = answered.max(said.unwrap_or(0));
            let every_fate = points.contains(&n);
            // A store that seldom answers too early is found out only at its answers.
            if every_fate || (each_answer && said.is_some()) {
                to_do.send(Point { ops: n + 1, disk: disk.clone(), answered, every_fate }).unwrap();
            }
        }
        drop(to_do);
        let mut all = Tally::default();
        workers.into_iter().for_each(|worker| all.add(worker.join().unwrap()));
        all
    })
}

fn attempt(runtime: &Runtime, facts: &Facts, trace: &Trace, point: &Point) -> Tally {
    let mut tally = Tally { points: usize::from(point.every_fate), ..Tally::default() };
    let told = facts.told(point.answered);
    let disks = if point.every_fate {
        fates::disks(&point.disk, point.ops as u64)
    } else {
        vec![fates::nothing_unsynced(&point.disk)]
    };
    for (what, files) in disks {
        tally.disks += 1;
        tally.facts += told;
        let found = found(runtime, facts, &files, point.answered);
        match found {
            Found::Whole(_) => continue,
            Found::Lost(facts) => tally.lost += facts,
            Found::Broken(_) => {
                tally.broken += 1;
                tally.lost += told;
            }
        }
        let last = short(&trace.ops[point.ops - 1]);
        tally.findings.push(format!("after {} operations ({last}), {what}: {found:?}", point.ops));
    }
    tally
}

/// Puts files on a disk and opens the store on them.
fn found(runtime: &Runtime, facts: &Facts, files: &Files, answered: usize) -> Found {
    // In memory where there is such a folder: the real disk's fsync is not what is tested here.
    let shm = Path::new("/dev/shm");
    let folder = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap();
    let folder = folder.path().join("found");
    put(&folder, files);
    let check = || runtime.block_on(facts.check(&folder.join(DATABASE), answered));
    // Whoever reads a store in these tests takes for granted that it can be read.
    catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|_| Found::Broken("rows that can't be read".into()))
}

/// What a power loss within a transaction left, somewhere after so many operations: a log with a torn end. And the call with
/// which to go on.
pub fn recoverable(facts: &Facts, trace: &Trace, after: usize) -> (Files, usize) {
    let runtime = Builder::new_current_thread().build().unwrap();
    let mut disk = Disk::new(&trace.before);
    let mut answered = 0;
    for (n, op) in trace.ops.iter().enumerate() {
        disk.apply(op);
        if let Op::Said { call } = op {
            answered = answered.max(call + 1);
        }
        if n < after || !matches!(op, Op::Write { file, at: 1.., .. } if trace.is_log(*file)) {
            continue;
        }
        let files = fates::random(&disk, n as u64);
        if let Found::Whole(Some(call)) = found(&runtime, facts, &files, answered) {
            return (files, call);
        }
    }
    panic!("no write to the log after operation {after}")
}

/// Half of them where something rare happens, the others anywhere, spread evenly.
fn choose(trace: &Trace, points: Option<usize>) -> BTreeSet<usize> {
    let all = 0..trace.ops.len();
    let Some(points) = points.filter(|n| *n < all.len()) else { return all.collect() };
    let (rare, usual): (Vec<_>, Vec<_>) = all.partition(|n| is_rare(trace, *n));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut chosen = BTreeSet::new();
    let mut spread = |of: &[usize], wanted: usize| {
        for n in 0..wanted.min(of.len()) {
            let (from, to) = (n * of.len() / wanted, (n + 1) * of.len() / wanted);
            chosen.insert(of[from + rng.next_u32() as usize % (to - from).max(1)]);
        }
        chosen.len()
    };
    let half = spread(&rare, points / 2);
    spread(&usual, points - half);
    chosen
}

/// All but a frame of the log, its fsync and an answer.
fn is_rare(trace: &Trace, n: usize) -> bool {
    match &trace.ops[n] {
        Op::Write { file, at, .. } => !trace.is_log(*file) || *at == 0,
        Op::Sync { file } => !trace.is_log(*file),
        Op::Said { .. } => false,
        Op::Create { .. } | Op::Unlink { .. } | Op::Length { .. } | Op::SyncFolder => true,
    }
}

fn short(op: &Op) -> String {
    match op {
        Op::Write { file, at, data } => format!("Write {{ file: {file}, at: {at}, bytes: {} }}", data.len()),
        other => format!("{other:?}"),
    }
}
