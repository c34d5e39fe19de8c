//! What must be found after a crash: one of the states through which the reference went, and none before the last answer.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use yaopai_core::ports::Store as _;
use yaopai_core::time::Timestamp;
use yaopai_store::{Disk, Model};

use crate::calls::{State, make, state};
use crate::conformance::{Engine, Log, T0};
use crate::workload::{Workload, steps, try_open};

/// A time after all that a workload names.
const FAR: Timestamp = Timestamp(T0.0 + (1 << 40));
/// Calls that are made of a recovered store: it must answer them as if nothing had happened.
const NEXT: usize = 2;

/// A workload, and the states of the reference after each step of it.
pub struct Facts {
    pub workload: Workload,
    /// After so many steps; the same one again where a step changed nothing.
    states: Vec<Arc<Seen>>,
    /// How many of so many steps changed something: each is a fact that somebody was told.
    told: Vec<usize>,
    /// How many steps come before this call.
    before: Vec<usize>,
}

/// Everything that can be seen of a store, its down time too.
#[derive(PartialEq)]
struct Seen {
    state: State,
    downtime_ms: i64,
    /// What it would be after a start at [`FAR`]: says when the server was last alive.
    downtime_far_ms: i64,
}

/// What a disk turned out to hold.
#[derive(Debug, PartialEq)]
pub enum Found {
    /// All that was answered, and all or nothing of what was not: the state before this call, if it is one between calls.
    Whole(Option<usize>),
    /// A state from before the last answer: so many facts are gone.
    Lost(usize),
    /// Nothing that can be used, and why.
    Broken(String),
}

impl Facts {
    pub async fn new(workload: Workload) -> Self {
        let (stepped, whole) = (Disk::default(), Disk::default());
        let engine = |disk: &Disk| Model::open(disk.clone(), Arc::new(Log::default()));
        let (by_step, by_call) = (engine(&stepped), engine(&whole));
        let mut facts =
            Self { workload, states: vec![Arc::new(Seen::of(&stepped).await)], told: vec![0], before: vec![0] };
        for call in &facts.workload.calls {
            for step in steps(call) {
                make(&by_step, step).await;
                let now = Seen::of(&stepped).await;
                let (last, told) = (&facts.states[facts.states.len() - 1], facts.told[facts.told.len() - 1]);
                let news = now != **last;
                let now = if news { Arc::new(now) } else { Arc::clone(last) };
                facts.told.push(told + usize::from(news));
                facts.states.push(now);
            }
            facts.before.push(facts.states.len() - 1);
            make(&by_call, call.clone()).await;
        }
        assert!(Seen::of(&whole).await == *facts.states[facts.states.len() - 1], "the steps are what the call does");
        facts
    }

    /// How many facts somebody was told once all calls before this one were answered.
    pub fn told(&self, answered: usize) -> usize {
        self.told[self.before[answered]]
    }

    /// A call that never changes anything tells no facts. Answers how many each kind of call told.
    pub fn are_of_every_kind(&self) -> String {
        let mut kinds = BTreeMap::<String, usize>::new();
        for (n, call) in self.workload.calls.iter().enumerate() {
            let kind = format!("{call:?}").split(['(', ' ']).next().unwrap_or_default().to_owned();
            *kinds.entry(kind).or_default() += usize::from(self.told(n) < self.told(n + 1));
        }
        assert!(kinds.len() == 17 && kinds.values().all(|told| *told > 0), "{kinds:?}");
        format!("facts by the call that tells them: {kinds:?}")
    }

    /// Opens what is left of a database, and looks. All calls before `answered` had their answer.
    pub async fn check(&self, database: &Path, answered: usize) -> Found {
        let store = match try_open(database) {
            Ok(store) => store,
            Err(e) => return Found::Broken(e.to_string()),
        };
        let found = match Seen::in_file(&*store, database).await {
            Ok(found) => found,
            Err(what) => return Found::Broken(what),
        };
        let allowed = self.before[answered]..self.before[self.workload.under_way(answered).end] + 1;
        let Some(step) = self.find(&found, allowed.clone()) else {
            return match self.find(&found, 0..allowed.start) {
                Some(step) => Found::Lost(self.told[allowed.start] - self.told[step]),
                None => Found::Broken("a state in which the store never was".into()),
            };
        };
        // A step that changed nothing may be taken for done.
        let call = (answered..=self.workload.under_way(answered).end)
            .find(|call| self.states[self.before[*call]] == self.states[step]);
        if let Some(call) = call {
            for n in call..self.workload.calls.len().min(call + NEXT) {
                if make(&*store, self.workload.calls[n].clone()).await != self.workload.outcomes[n] {
                    return Found::Broken(format!("call {n} is not answered as it should be"));
                }
            }
        }
        Found::Whole(call)
    }

    fn find(&self, found: &Seen, steps: Range<usize>) -> Option<usize> {
        steps.rev().find(|step| *self.states[*step] == *found)
    }
}

impl Seen {
    async fn of(disk: &Disk) -> Self {
        let copy = Model::open(disk.snapshot(), Arc::new(Log::default()));
        let state = of(&copy).await;
        let downtime_ms = copy.resume(Timestamp(0)).await.unwrap().0;
        let downtime_far_ms = copy.resume(FAR).await.unwrap().0;
        Self { state, downtime_ms, downtime_far_ms }
    }

    /// What a store shows, and its file beside it. An error if SQLite finds the file damaged.
    async fn in_file(store: &dyn Engine, database: &Path) -> Result<Self, String> {
        let look = || {
            let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            let verdict: String = db.query_row("PRAGMA integrity_check", [], |r| r.get(0))?;
            let meta = "SELECT ifnull(alive_at, 0), downtime_ms FROM meta";
            let (alive_at, downtime_ms) = db.query_row(meta, [], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?)))?;
            Ok((verdict, alive_at, downtime_ms))
        };
        let (verdict, alive_at, downtime_ms) = look().map_err(|e: rusqlite::Error| e.to_string())?;
        if verdict != "ok" {
            return Err(verdict);
        }
        let downtime_far_ms = downtime_ms + FAR.0 - alive_at;
        Ok(Self { state: of(store).await, downtime_ms, downtime_far_ms })
    }
}

/// The state, with large cookies cut down to what tells them apart: thousands of states are kept.
async fn of(engine: &dyn Engine) -> State {
    let mut state = state(engine).await;
    for cookie in state.jars.iter_mut().flat_map(|jar| &mut jar.cookies) {
        let [first, rest @ ..] = &cookie.sealed[..] else { continue };
        // All bytes are the same one: each is what the one before it is.
        if *rest == cookie.sealed[..rest.len()] {
            cookie.sealed = [&[*first], &rest.len().to_be_bytes()[..]].concat();
        }
    }
    state
}
