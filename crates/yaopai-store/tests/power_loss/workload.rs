//! What the store is asked to do: seeded calls, the answers that the reference gives, and a child process that makes them.

use std::fs::File;
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use yaopai_core::time::Timestamp;
use yaopai_store::{Disk, Options, Sqlite};

use crate::calls::generator::World;
use crate::calls::{Call, Outcome, make};
use crate::conformance::{Lab, Log, T0};

/// The database's folder, below the root.
pub const DATABASE_FOLDER: &str = "db";
/// The name of the database in it.
pub const DATABASE: &str = "yaopai.db";
/// Pages between two checkpoints: so few that a short trace holds many.
const CHECKPOINT: u32 = 48;
/// The store is closed and opened again after so many groups.
const LIFE: usize = 60;
/// Set for the child: the root of what it works on, and which calls it makes.
const CHILD: &str = "YAOPAI_POWER_LOSS_CHILD";
const CALLS: &str = "YAOPAI_POWER_LOSS_CALLS";

/// Calls in order, and what must be answered. Those of one group are waited for together, so that they share commits.
pub struct Workload {
    pub calls: Vec<Call>,
    pub outcomes: Vec<Outcome>,
    /// The first call of each group.
    groups: Vec<usize>,
}

impl Workload {
    /// The same for the same seed, in every process.
    pub async fn new(seed: u64, calls: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let model = Lab::new(Box::new(Disk::default()));
        let mut world = World::default();
        let mut all = Self { calls: Vec::new(), outcomes: Vec::new(), groups: Vec::new() };
        let mut room = 0;
        for n in 0..calls {
            let mut choices = [0; 8];
            rng.fill_bytes(&mut choices);
            let kind = (rng.next_u32() % 100) as u8;
            // First of all a server resumes.
            let call = if n == 0 { Call::Resume(T0) } else { larger(world.call((kind, choices)), choices[6]) };
            let outcome = make(&*model, call.clone()).await;
            world.learn(&outcome);
            let alone = steps(&call).len() > 1 || matches!(call, Call::ExpireStale(_));
            if alone || room == 0 {
                all.groups.push(n);
                room = if alone { 0 } else { rng.next_u32() % 4 };
            } else {
                room -= 1;
            }
            all.calls.push(call);
            all.outcomes.push(outcome);
        }
        all
    }

    /// The calls that may be under way when all before this one were answered.
    pub fn under_way(&self, call: usize) -> Range<usize> {
        let next = self.groups.partition_point(|first| *first <= call);
        call..self.groups.get(next).copied().unwrap_or(self.calls.len())
    }

    /// Makes the calls of this range, each group together, and says so of each after its answer.
    async fn run(&self, root: &Path, range: Range<usize>) -> ! {
        let said = Arc::new(File::create(said(root)).unwrap());
        let mut store = open(root);
        let mut at = range.start;
        while at < range.end {
            let group = self.under_way(at);
            let tasks: Vec<_> = (group.start..group.end.min(range.end))
                .map(|n| {
                    let (store, call, outcome) = (Arc::clone(&store), self.calls[n].clone(), self.outcomes[n].clone());
                    let said = Arc::clone(&said);
                    tokio::spawn(async move {
                        assert_eq!(make(&*store, call).await, outcome, "call {n}");
                        (&*said).write_all(&u32::try_from(n).unwrap().to_be_bytes()).unwrap();
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            at = group.end;
            if self.groups.binary_search(&at).is_ok_and(|n| n.is_multiple_of(LIFE)) {
                store.close().await;
                store = open(root);
            }
        }
        // With the store open: nothing is tidied up.
        std::process::exit(0);
    }
}

/// In the child, does its work and never comes back.
pub fn work_if_child(seed: u64, calls: usize) {
    let Ok(root) = std::env::var(CHILD) else { return };
    let range = std::env::var(CALLS).unwrap();
    let (from, to) = range.split_once("..").unwrap();
    let range = from.parse().unwrap()..to.parse().unwrap();
    // One thread: what is asked together is asked in this order.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { Workload::new(seed, calls).await.run(Path::new(&root), range).await });
}

/// Where the child says which calls were answered: four bytes each, big-endian.
pub fn said(root: &Path) -> PathBuf {
    root.join("said")
}

/// What the child's environment must hold.
pub fn child_env(root: &Path, range: &Range<usize>) -> [(&'static str, String); 2] {
    [(CHILD, root.to_str().unwrap().to_owned()), (CALLS, format!("{}..{}", range.start, range.end))]
}

fn open(root: &Path) -> Arc<Sqlite> {
    try_open(&root.join(DATABASE_FOLDER).join(DATABASE)).unwrap()
}

/// Opens the store, as the child and every check of what it left do.
pub fn try_open(path: &Path) -> Result<Arc<Sqlite>, yaopai_store::OpenError> {
    let options = Options { readers: 1, checkpoint: CHECKPOINT, ..Options::default() };
    Sqlite::open(path, Arc::new(Log::default()), options).map(Arc::new)
}

/// What a call commits, one after the other: what of it may be there after a crash, and what then not.
pub fn steps(call: &Call) -> Vec<Call> {
    match call.clone() {
        Call::Touched(seen, alive_at) => vec![Call::Touched(seen, Timestamp(0)), Call::Touched(Vec::new(), alive_at)],
        Call::Purge(now, ended_before, limit) => {
            vec![Call::Purge(now, Timestamp(i64::MIN), limit), Call::Purge(Timestamp(i64::MIN), ended_before, limit)]
        }
        call => vec![call],
    }
}

/// The generator's calls are made for a quick comparison. These keep more and purge more: cookies of several pages, some
/// larger than what the log holds between two checkpoints, and whole sweeps, so that pages become free and are used again.
fn larger(call: Call, by: u8) -> Call {
    match call {
        Call::PutCookies(mut change) => {
            let bytes = if by < 64 { 300_000 } else { usize::from(by) * 40 };
            for kept in change.cookies.iter_mut().filter_map(|put| put.kept.as_mut()) {
                kept.sealed = vec![kept.sealed[0]; bytes];
            }
            change.bounds.bytes = 800_000;
            Call::PutCookies(change)
        }
        Call::Purge(now, _, _) => Call::Purge(now, now, 200),
        call => call,
    }
}
