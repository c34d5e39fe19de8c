//! The embedded engine: one SQLite file, one writer thread, group commit, `synchronous=FULL`.

mod act;
mod audit;
mod audit_file;
mod bind;
mod codes;
mod copy;
mod file;
mod identities;
mod import;
mod jar;
mod lane;
mod login;
mod moving;
mod proofs;
mod rows;
mod sessions;
mod signing;
mod stale;
mod stepup;
mod store;
mod teller;
#[cfg(test)]
mod tests;
mod upkeep;
mod users;
mod wal;
mod writer;

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use rusqlite::Connection;
use tokio::sync::oneshot;
use yaopai_core::audit::{By, Said, Scribe};
use yaopai_core::ports::{ChangeSink, StoreResult};

pub use audit_file::AuditFile;
pub use copy::copy;
pub use file::OpenError;
use lane::{Jobs, Lane, closed};
use teller::Teller;
use wal::Wal;
use writer::{Counters, Done, Job, Work, Writer};

/// How much may wait, and how much is done at once.
#[derive(Debug, Clone)]
pub struct Options {
    /// Calls that may wait for the writer. Beyond it they are refused, and can be tried again.
    pub queue: usize,
    /// Calls that share one commit, at most.
    pub batch: usize,
    /// Connections that only read.
    pub readers: usize,
    /// Calls that may wait for one of them.
    pub read_queue: usize,
    /// How many pages (of 4 KiB) the write-ahead log holds before they are carried over into the database, and how many it
    /// keeps of its length then. Fewer: a smaller log and a quicker start after a crash; more: a page that changes often is
    /// carried over less often.
    pub checkpoint: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { queue: 4096, batch: 512, readers: 2, read_queue: 1024, checkpoint: 4096 }
    }
}

/// Lists that may wait for their reader.
const LISTS_MAX: usize = 64;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// The embedded engine. Dropping it finishes what is queued and waits for that; [`Sqlite::close`] does so without blocking.
pub struct Sqlite {
    // Readers first: the writer's last checkpoint is to find nobody in the log.
    readers: Lane<Read>,
    lister: Lane<Read>,
    writer: Lane<Box<dyn Job>>,
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

impl Sqlite {
    /// Opens the file, creates it if there is none, and brings it up to date. Blocks; meant for the start.
    ///
    /// # Errors
    /// [`OpenError`], whose text says what to do.
    pub fn open(path: impl AsRef<Path>, sink: Arc<dyn ChangeSink>, options: Options) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let file::Opened { writer, readers, lister, wal, lock } =
            file::open(path, options.readers, options.checkpoint)?;
        let io = |e: std::io::Error| OpenError::Other { path: path.to_owned(), what: e.to_string() };
        let counters = Arc::new(Counters::default());
        let scribe = Arc::new(OnceLock::new());
        let mut writer = Writer {
            db: writer,
            scribe: Arc::clone(&scribe),
            teller: Teller::start(sink, Arc::clone(&counters)).map_err(io)?,
            batch: options.batch.max(1),
            wal: Wal::new(wal),
        };
        let write = move |jobs: Jobs<Box<dyn Job>>| {
            writer.run(jobs);
            if let Err(e) = writer.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
                tracing::warn!(error = %e, "the last checkpoint failed: the next start does it");
            }
            // Everybody is answered.
            drop(writer);
            // Only now may another process have the file.
            drop(lock);
        };
        let read = |db: Connection| {
            move |mut jobs: Jobs<Read>| {
                while let Some(read) = jobs.next() {
                    read(&db);
                }
            }
        };
        let writer = Lane::start("store-writer", options.queue, vec![write]).map_err(io)?;
        let readers = readers.into_iter().map(read).collect();
        let readers = Lane::start("store-reader", options.read_queue, readers).map_err(io)?;
        let lister = Lane::start("store-lister", LISTS_MAX, vec![read(lister)]).map_err(io)?;
        Ok(Self { readers, lister, writer, counters, scribe })
    }

    /// Takes no more calls, finishes those that are queued, checkpoints, and lets go of the file.
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

    /// Has the writer run a command, and waits until it is committed and applied.
    async fn write<T, F>(&self, command: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Work<'_>) -> Done<T> + Send + 'static,
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
        F: FnMut(&mut Work<'_>) -> Done<(Said, T)> + Send + 'static,
    {
        let by = By::current();
        self.write(move |work| audit::told(work, &by, &mut command)).await
    }

    /// Has a reader run a query.
    async fn read<T, F>(&self, query: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.start_read(query)?.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Has a reader of its own run a query that may pass the whole table: a list over a realm. So two of them, for a realm
    /// with few rows among many, keep nobody else waiting. An index for it would cost each login and each end a write.
    async fn long_read<T, F>(&self, query: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        start(&self.lister, query)?.await.unwrap_or_else(|_| Err(closed()))
    }

    fn start_read<T, F>(&self, query: F) -> StoreResult<oneshot::Receiver<StoreResult<T>>>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        start(&self.readers, query)
    }
}

fn start<T, F>(lane: &Lane<Read>, query: F) -> StoreResult<oneshot::Receiver<StoreResult<T>>>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    lane.submit(Box::new(move |db| {
        let _ = reply.send(query(db).map_err(|e| writer::error(&e)));
    }))?;
    Ok(answer)
}
