//! What every engine that keeps rows is made of: one writer with a queue before it, readers, and the order of commit, sink and
//! answer. It knows no database: an engine brings [`Rows`] and [`Transactions`].

pub(crate) mod lane;
mod store;
mod sweeps;
mod teller;
pub(crate) mod writer;

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use tokio::sync::oneshot;
use yaopai_core::audit::{By, Said, Scribe};
use yaopai_core::ports::{ChangeSink, StoreResult};

use crate::commands::{Done, Work, audit};
use crate::rows::{Fault as _, Rows};
use lane::{Jobs, Lane, closed};
use teller::Teller;
use writer::{Counters, Job, Transactions, Writer};

/// Lists that may wait for their reader.
const LISTS_MAX: usize = 64;

pub(crate) type Read<R> = Box<dyn FnOnce(&R) + Send>;

/// An engine at work. Dropping it finishes what is queued and waits for that; [`Engine::close`] does so without blocking.
pub struct Engine<R> {
    // Readers first: the writer's last step is to find nobody at the database.
    readers: Lane<Read<R>>,
    pub(crate) lister: Lane<Read<R>>,
    pub(crate) writer: Lane<Box<dyn Job<R>>>,
    counters: Arc<Counters>,
    /// Who writes the audit log; nobody before [`begin_audit`](yaopai_core::ports::AuditStore::begin_audit).
    scribe: Arc<OnceLock<Arc<Scribe>>>,
}

/// What the writer has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Transactions.
    pub commits: u64,
    /// Calls in them.
    pub calls: u64,
}

/// What an engine opened, and how much may wait.
pub(crate) struct Parts<R, T> {
    pub transactions: T,
    pub readers: Vec<R>,
    pub lister: R,
    /// Calls that may wait for the writer.
    pub queue: usize,
    /// Calls that share one commit, at most.
    pub batch: usize,
    /// Calls that may wait for a reader.
    pub read_queue: usize,
}

impl<R: Rows + Send + 'static> Engine<R> {
    pub(crate) fn start<T: Transactions<R> + 'static>(
        parts: Parts<R, T>,
        sink: Arc<dyn ChangeSink>,
    ) -> io::Result<Self> {
        let Parts { transactions, readers, lister, queue, batch, read_queue } = parts;
        let counters = Arc::new(Counters::default());
        let scribe = Arc::new(OnceLock::new());
        let teller = Teller::start(sink, Arc::clone(&counters))?;
        let mut writer = Writer { transactions, scribe: Arc::clone(&scribe), teller, batch: batch.max(1) };
        let write = move |jobs: Jobs<Box<dyn Job<R>>>| {
            writer.run(jobs);
            let Writer { mut transactions, teller, .. } = writer;
            transactions.finish();
            // Everybody is answered.
            drop(teller);
            // Only now may another process have the database.
            drop(transactions);
        };
        let read = |db: R| {
            move |mut jobs: Jobs<Read<R>>| {
                while let Some(read) = jobs.next() {
                    read(&db);
                }
            }
        };
        let writer = Lane::start("store-writer", queue, vec![write])?;
        let readers = readers.into_iter().map(read).collect();
        let readers = Lane::start("store-reader", read_queue, readers)?;
        let lister = Lane::start("store-lister", LISTS_MAX, vec![read(lister)])?;
        Ok(Self { readers, lister, writer, counters, scribe })
    }
}

impl<R: 'static> Engine<R> {
    /// Takes no more calls, finishes those that are queued, and lets go of the database.
    pub async fn close(&self) {
        self.lister.stop().await;
        self.readers.stop().await;
        self.writer.stop().await;
    }

    /// How many calls were committed, in how many transactions: how well they share.
    pub fn committed(&self) -> Committed {
        let Counters { commits, calls } = self.counters.as_ref();
        Committed { commits: commits.load(Ordering::Relaxed), calls: calls.load(Ordering::Relaxed) }
    }
}

impl<R: Rows + 'static> Engine<R> {
    /// Has the writer run a command, and waits until it is committed and applied.
    pub(crate) async fn write<T, F>(&self, command: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Work<'_, R>) -> Done<T> + Send + 'static,
    {
        let (job, answer) = writer::job(command);
        self.writer.submit(job)?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// The same for a command that the audit log is told of: what it says, and each session that ended by it, are in its own
    /// transaction. It says that it works for whom the caller's task works.
    async fn tell<T, F>(&self, mut command: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Work<'_, R>) -> Done<(Said, T)> + Send + 'static,
    {
        let by = By::current();
        self.write(move |work| audit::told(work, &by, &mut command)).await
    }

    /// Has a reader run a query.
    pub(crate) async fn read<T, F>(&self, query: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&R) -> Result<T, R::Error> + Send + 'static,
    {
        self.start_read(query)?.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Has a reader of its own run a query that may pass the whole table: a list over a realm. So two of them, for a realm
    /// with few rows among many, keep nobody else waiting. An index for it would cost each login and each end a write.
    async fn long_read<T, F>(&self, query: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&R) -> Result<T, R::Error> + Send + 'static,
    {
        start(&self.lister, query)?.await.unwrap_or_else(|_| Err(closed()))
    }

    pub(crate) fn start_read<T, F>(&self, query: F) -> StoreResult<oneshot::Receiver<StoreResult<T>>>
    where
        T: Send + 'static,
        F: FnOnce(&R) -> Result<T, R::Error> + Send + 'static,
    {
        start(&self.readers, query)
    }
}

pub(crate) fn start<R, T, F>(lane: &Lane<Read<R>>, query: F) -> StoreResult<oneshot::Receiver<StoreResult<T>>>
where
    R: Rows + 'static,
    T: Send + 'static,
    F: FnOnce(&R) -> Result<T, R::Error> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    lane.submit(Box::new(move |db: &R| {
        // Who has given up needs nothing read.
        if reply.is_closed() {
            return;
        }
        let _ = reply.send(query(db).map_err(|e| e.store_error()));
    }))?;
    Ok(answer)
}
