//! Durable logins a second: the store's `open` from many tasks, against its database alone with the same rows in the same
//! batches, in interleaved rounds.

pub mod postgres;
mod raw_postgres;
mod raw_sqlite;
pub mod sqlite;

use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Wake, Waker};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use yaopai::check::Principal;
use yaopai::clock::{SystemClock, SystemEntropy};
use yaopai_core::audit::{Actor, By, Scribe};
use yaopai_core::live::LiveTable;
use yaopai_core::ports::{AuditRow, Change, ChangeSink, Clock as _, Open, Opened, Store};
use yaopai_core::seal::MasterKey;
use yaopai_core::session::Secrets;

use crate::people::{Kind, People};
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

/// One login's rows, ready to be bound.
struct Rows {
    open: Open,
    secrets: String,
    told: Option<AuditRow>,
}

impl Rows {
    /// Takes a login; what the store would make into text is made before the clock runs.
    fn new(open: Open, told: Option<AuditRow>) -> anyhow::Result<Self> {
        let secrets = Secrets::new(open.session.secrets.current(), open.user.is_some());
        Ok(Self { secrets: serde_json::to_string(&secrets)?, open, told })
    }

    /// With the audit log's rows, as long as there are any.
    fn all(logins: Vec<Open>, told: Vec<AuditRow>) -> anyhow::Result<Vec<Self>> {
        let mut told = told.into_iter();
        logins.into_iter().map(|open| Self::new(open, told.next())).collect()
    }
}

/// First logins of so many people.
fn first(many: u64) -> anyhow::Result<Vec<Open>> {
    let people = People::new(many, SystemClock::default().now());
    (0..many).map(|n| people.login(n, Kind::Bearer)).collect()
}

/// An empty live table under watch.
async fn watched() -> anyhow::Result<(Arc<Watched>, Arc<LiveTable<Principal>>)> {
    let table = Room::new(People::new(0, SystemClock::default().now()), 0, false).await?.table;
    Ok((Arc::new(Watched { to: table.clone(), batches: Arc::new(Batches::default()) }), table))
}

/// A row of the table.
fn row(name: &str, of: &Rounds, mean: &[f64]) -> String {
    let (best, middle) = (1.0 / least(&of.seconds), 1.0 / median(&of.seconds));
    format!("| {name} | {best:.0} | {middle:.0} | {:.1} | {:.0} |\n", least(&of.micros), median(mean))
}

/// The head of the table.
fn head(rounds: u32, many: u64) -> String {
    format!(
        "| {rounds} interleaved rounds of {many} first logins, {TASKS} at a time | logins/s, best round | median round | \
         µs of CPU of the writing threads | logins a commit |\n|---|---|---|---|---|\n"
    )
}

/// Ours by theirs: the best rounds, and the median of the pairs.
fn ratio(ours: &Rounds, theirs: &Rounds) -> (f64, f64) {
    let pairs: Vec<f64> = theirs.seconds.iter().zip(&ours.seconds).map(|(r, o)| r / o).collect();
    (least(&theirs.seconds) / least(&ours.seconds), median(&pairs))
}

/// Opens all logins through the store, with the audit log. Answers the cost, the batches, and what the log was told.
async fn through_the_store(
    store: Arc<dyn Store>,
    batches: Arc<Batches>,
    logins: Vec<Open>,
) -> anyhow::Result<(Cost, Vec<usize>, Vec<AuditRow>)> {
    let many = logins.len();
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
    ensure!(told.len() == many, "{} of {many} logins are in the audit log", told.len());
    Ok((cost, batches.take(), told))
}
