//! Durable logins a second: the store's `open` from many tasks, against SQLite alone with the same rows in the same
//! batches, in interleaved rounds.

use std::net::IpAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Wake, Waker};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use yaopai::clock::{SystemClock, SystemEntropy};
use yaopai_core::audit::{Actor, By, Scribe};
use yaopai_core::live::Presence as _;
use yaopai_core::ports::{AuditRow, AuditStore as _, Change, ChangeSink, Clock as _, Open, Opened, Store as _};
use yaopai_core::seal::MasterKey;
use yaopai_store::{Options, Sqlite};

use crate::people::{Kind, People};
use crate::raw;
use crate::stopwatch::{Stopwatch, cpu_of_thread, least, median};
use crate::world::Room;

/// Logins under way at a time.
const TASKS: usize = 256;

/// The store's threads that write and that tell.
const WRITER: &str = "store-writer";
const TELLER: &str = "store-teller";

/// What a round cost.
struct Cost {
    time: Duration,
    cpu: Duration,
}

/// What one login cost, by round.
#[derive(Default)]
struct Rounds {
    seconds: Vec<f64>,
    micros: Vec<f64>,
}

impl Rounds {
    fn push(&mut self, cost: Cost, many: u64) {
        self.seconds.push(cost.time.as_secs_f64() / many as f64);
        self.micros.push(cost.cpu.as_secs_f64() * 1e6 / many as f64);
    }
}

/// The live table, with an eye on where one commit ends and the next begins: a batch's changes are applied in one go, and
/// then all its callers are woken, by the same thread.
struct Watched {
    to: Arc<dyn ChangeSink>,
    batches: Arc<Batches>,
}

#[derive(Default)]
struct Batches {
    woken: AtomicUsize,
    seen: Mutex<(usize, Vec<usize>)>,
}

impl Batches {
    fn applied(&self) {
        let woken = self.woken.load(Ordering::SeqCst);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, sizes) = &mut *seen;
        match sizes.last_mut() {
            Some(size) if *before == woken => *size += 1,
            _ => sizes.push(1),
        }
        *before = woken;
    }

    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).1)
    }
}

impl ChangeSink for Watched {
    fn apply(&self, change: Change) {
        self.batches.applied();
        self.to.apply(change);
    }
}

/// Counts the wake-ups of a waiting login: they come from the writer's thread.
struct Counted {
    to: Waker,
    batches: Arc<Batches>,
}

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.batches.woken.fetch_add(1, Ordering::SeqCst);
        self.to.wake_by_ref();
    }
}

/// Measures and writes the table.
pub async fn run(folder: &Path, rounds: u32, many: u64) -> anyhow::Result<String> {
    let (mut ours, mut raws, mut mean) = (Rounds::default(), Rounds::default(), Vec::new());
    let mut untold = Rounds::default();
    // A round more than counted: the first one finds cold files.
    for round in 0..=rounds {
        let people = People::new(many, SystemClock::default().now());
        let logins: Vec<Open> = (0..many).map(|n| people.login(n, Kind::Bearer)).collect::<Result<_, _>>()?;
        let folder = tempfile::tempdir_in(folder)?;
        let through = through_the_store(&folder.path().join("store.db"), logins.clone()).await?;
        let (cost, batches, told) = through;
        let cost_untold = alone(folder.path(), "untold.db", logins.clone(), None, batches.clone()).await?;
        let cost_alone = alone(folder.path(), "raw.db", logins, Some(told), batches.clone()).await?;
        if round > 0 {
            ours.push(cost, many);
            raws.push(cost_alone, many);
            untold.push(cost_untold, many);
            mean.push(many as f64 / batches.len() as f64);
        }
    }
    let pairs: Vec<f64> = raws.seconds.iter().zip(&ours.seconds).map(|(r, o)| r / o).collect();
    let row = |name: &str, of: &Rounds| {
        let (best, middle) = (1.0 / least(&of.seconds), 1.0 / median(&of.seconds));
        format!("| {name} | {best:.0} | {middle:.0} | {:.1} | {:.0} |\n", least(&of.micros), median(&mean))
    };
    Ok(format!(
        "| {rounds} interleaved rounds of {many} first logins, {TASKS} at a time | logins/s, best round | median round | \
         µs of CPU of the writing threads | logins a commit |\n|---|---|---|---|---|\n{}{}{}| **store ÷ SQLite alone** (at least 0.80) | **{:.2} ×** | {:.2} × | {:.2} × | |\n",
        row("SQLite alone: the same rows, the same batches", &raws),
        row("SQLite alone, without the audit log's rows", &untold),
        row("`Store::open`, the live table included", &ours),
        least(&raws.seconds) / least(&ours.seconds),
        median(&pairs),
        least(&raws.micros) / least(&ours.micros),
    ))
}

/// The same rows into a file of its own, with those of the audit log or without.
async fn alone(
    folder: &Path,
    name: &str,
    logins: Vec<Open>,
    told: Option<Vec<AuditRow>>,
    sizes: Vec<usize>,
) -> anyhow::Result<Cost> {
    let mut told = told.unwrap_or_default().into_iter();
    let rows: Vec<_> = logins.into_iter().map(|open| raw::Rows::new(open, told.next())).collect::<Result<_, _>>()?;
    let path = folder.join(name);
    // The schema, as the store makes it.
    let nobody = Room::new(People::new(0, SystemClock::default().now()), 0, false).await?;
    drop(Sqlite::open(&path, nobody.table, Options::default())?);
    let alone = tokio::task::spawn_blocking(move || {
        let (watch, before) = (Stopwatch::start(), cpu_of_thread(None)?);
        raw::insert(&path, &rows, &sizes)?;
        anyhow::Ok(Cost { time: watch.elapsed(), cpu: cpu_of_thread(None)? - before })
    });
    alone.await?
}

/// Opens all logins through the store, with the audit log. Answers the cost, the batches, and what the log was told.
async fn through_the_store(path: &Path, logins: Vec<Open>) -> anyhow::Result<(Cost, Vec<usize>, Vec<AuditRow>)> {
    let many = logins.len();
    let batches = Arc::new(Batches::default());
    let table = Room::new(People::new(0, SystemClock::default().now()), 0, false).await?.table;
    let sink = Arc::new(Watched { to: table.clone(), batches: batches.clone() });
    let store = Arc::new(Sqlite::open(path, sink, Options::default())?);
    let (clock, entropy) = (Arc::new(SystemClock::default()), Arc::new(SystemEntropy));
    let master = MasterKey::parse(&MasterKey::generate(&*entropy)).context("a master key")?;
    store.begin_audit(Arc::new(Scribe::new(&master, clock, entropy)));
    let by = By::actor(Actor::Client, Some(IpAddr::from([203, 0, 113, 9])));
    let logins = Arc::new(Mutex::new(logins.into_iter()));
    let watch = Stopwatch::start();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (store, logins, batches) = (store.clone(), logins.clone(), batches.clone());
            tokio::spawn(by.clone().scope(async move {
                loop {
                    let next = logins.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(login) = next else { return anyhow::Ok(()) };
                    let mut opening = pin!(store.open(login));
                    let opened = std::future::poll_fn(|context| {
                        let counted = Counted { to: context.waker().clone(), batches: batches.clone() };
                        opening.as_mut().poll(&mut task::Context::from_waker(&Waker::from(Arc::new(counted))))
                    });
                    ensure!(matches!(opened.await?, Opened::Opened(_)), "a first login was not opened");
                }
            }))
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    let cost = Cost { time: watch.elapsed(), cpu: cpu_of_thread(Some(WRITER))? + cpu_of_thread(Some(TELLER))? };
    let told = store.audit_rows(None, 0, u32::MAX).await?;
    store.close().await;
    ensure!(told.len() == many, "{} of {many} logins are in the audit log", told.len());
    ensure!(table.len() == many, "{} of {many} logins are in the table", table.len());
    Ok((cost, batches.take(), told))
}
