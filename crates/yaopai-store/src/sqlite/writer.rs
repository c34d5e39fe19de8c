//! The one writer: it drains what is waiting, runs it in one transaction, commits once for all, and hands the batch to the
//! teller, which applies the changes in order and only then answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;
use yaopai_core::audit::Scribe;
use yaopai_core::ids::SessionId;
use yaopai_core::ports::{Change, StoreError, StoreResult};
use yaopai_core::session::Ended;

use super::audit::Log;
use super::jar;
use super::lane::{Jobs, closed};
use super::rows;
use super::teller::Teller;
use super::wal::Wal;
use crate::rules::refuse;

/// What a command works on: the open transaction, the changes it makes, and the audit log where there is one.
pub(super) struct Work<'c> {
    pub db: &'c Connection,
    pub changes: Vec<Change>,
    pub log: Option<Log>,
}

impl Work<'_> {
    /// Ends a session with its jar, and tells it. False, and nothing told, if it had ended, or there is none.
    pub fn end(&mut self, id: SessionId, ended: Ended) -> rusqlite::Result<bool> {
        let ends = rows::end(self.db, id, ended)?;
        if ends {
            jar::delete(self.db, id)?;
            self.changes.push(Change::Ended(id));
        }
        Ok(ends)
    }
}

/// Why a command has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite failed: the transaction is rolled back.
    Sql(rusqlite::Error),
    /// The command refuses, and has written nothing.
    Refused(StoreError),
}

/// What commands return.
pub(super) type Done<T> = Result<T, Failure>;

impl From<rusqlite::Error> for Failure {
    fn from(e: rusqlite::Error) -> Self {
        Self::Sql(e)
    }
}

/// A command and whom to answer. It may be run again after a roll-back.
pub(super) trait Job: Send {
    fn run(&mut self, work: &mut Work<'_>) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, failed: Option<&StoreError>);
}

/// Makes a job of a command.
pub(super) fn job<T, F>(command: F) -> (Box<dyn Job>, oneshot::Receiver<StoreResult<T>>)
where
    T: Send + 'static,
    F: FnMut(&mut Work<'_>) -> Done<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Command { command, done: None, reply }), answer)
}

struct Command<T, F> {
    command: F,
    done: Option<StoreResult<T>>,
    reply: oneshot::Sender<StoreResult<T>>,
}

impl<T: Send, F: FnMut(&mut Work<'_>) -> Done<T> + Send> Job for Command<T, F> {
    fn run(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        self.done = Some(match (self.command)(work) {
            Ok(value) => Ok(value),
            Err(Failure::Refused(e)) => Err(e),
            Err(Failure::Sql(e)) => return Err(error(&e)),
        });
        Ok(())
    }

    fn answer(self: Box<Self>, failed: Option<&StoreError>) {
        let Self { done, reply, .. } = *self;
        let answer = match failed {
            Some(e) => Err(e.clone()),
            None => done.unwrap_or_else(|| Err(closed())),
        };
        // Whoever asked may have gone; the command stands all the same.
        let _ = reply.send(answer);
    }
}

/// What has been committed since the start, for metrics.
#[derive(Default)]
pub(super) struct Counters {
    pub commits: AtomicU64,
    pub calls: AtomicU64,
}

/// The writer thread's work.
pub(super) struct Writer {
    pub db: Connection,
    pub scribe: Arc<OnceLock<Arc<Scribe>>>,
    pub teller: Teller,
    /// Calls that share one commit, at most.
    pub batch: usize,
    pub wal: Wal,
}

impl Writer {
    /// Works until there are no more jobs, or nobody to tell of them.
    pub fn run(&mut self, mut jobs: Jobs<Box<dyn Job>>) {
        while let Some(first) = jobs.next() {
            let mut batch = vec![first];
            while batch.len() < self.batch
                && let Some(next) = jobs.waiting()
            {
                batch.push(next);
            }
            if !self.settle(batch) {
                return;
            }
            self.wal.bound(&self.db);
        }
    }

    /// Runs a batch and answers everyone in it. False if that is not possible any more.
    fn settle(&self, mut batch: Vec<Box<dyn Job>>) -> bool {
        let log = self.scribe.get().map(|scribe| Log::new(Arc::clone(scribe)));
        match attempt(&self.db, log, &mut batch) {
            Ok(changes) => self.teller.tell(batch, changes),
            // What may pass by itself (a full disk, another program's lock) hits all alike: trying each would only take longer.
            Err(e) if e.retry || batch.len() == 1 => {
                tracing::error!(error = %e, calls = batch.len(), "nothing was written");
                batch.into_iter().for_each(|job| job.answer(Some(&e)));
                true
            }
            // One of them is bad. It must not fail the others.
            Err(_) => batch.into_iter().all(|job| self.settle(vec![job])),
        }
    }
}

/// One transaction. After an error nothing of it is left.
fn attempt(db: &Connection, log: Option<Log>, batch: &mut [Box<dyn Job>]) -> Result<Vec<Change>, StoreError> {
    let mut work = Work { db, changes: Vec::new(), log };
    let ran = step(db, "BEGIN IMMEDIATE")
        .and_then(|()| batch.iter_mut().try_for_each(|job| guarded(job.as_mut(), &mut work)))
        .and_then(|()| step(db, "COMMIT"));
    // SQLite rolls back by itself after some errors. If this fails, so does the next BEGIN, and nothing is answered as done.
    if !db.is_autocommit()
        && let Err(e) = step(db, "ROLLBACK")
    {
        tracing::error!(error = %e, "roll-back failed");
    }
    ran.map(|()| work.changes)
}

/// A command that panics is a bug of ours; it must not take the writer with it.
fn guarded(job: &mut dyn Job, work: &mut Work<'_>) -> Result<(), StoreError> {
    catch_unwind(AssertUnwindSafe(|| job.run(work))).unwrap_or_else(|_| Err(refuse("a command panicked")))
}

fn step(db: &Connection, sql: &str) -> Result<(), StoreError> {
    db.prepare_cached(sql).and_then(|mut s| s.raw_execute()).map(|_| ()).map_err(|e| error(&e))
}

/// An error of SQLite's, and whether it may pass by itself.
pub(super) fn error(e: &rusqlite::Error) -> StoreError {
    let passes = [
        ErrorCode::DatabaseBusy,
        ErrorCode::DatabaseLocked,
        ErrorCode::DiskFull,
        ErrorCode::SystemIoFailure,
        ErrorCode::OutOfMemory,
        ErrorCode::CannotOpen,
        ErrorCode::ReadOnly,
    ];
    StoreError { retry: e.sqlite_error_code().is_some_and(|code| passes.contains(&code)), what: e.to_string() }
}
