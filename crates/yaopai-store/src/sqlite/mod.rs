//! The embedded engine: one SQLite file, one writer thread, group commit, `synchronous=FULL`.

mod audit;
mod chains;
mod codes;
mod copy;
mod file;
pub mod house;
mod identities;
mod import;
mod jar;
mod kept;
mod lists;
mod logins;
mod moving;
mod rows;
mod server;
mod sessions;
mod signing;
#[cfg(test)]
mod tests;
mod transactions;
mod users;
mod wal;

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode};
use yaopai_core::ports::{ChangeSink, StoreError};

use crate::engine::{Engine, Parts};
use crate::rows::{Base, Fault};
pub use copy::copy;
pub use file::OpenError;
use transactions::Transactions;
use wal::Wal;

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
    /// Open what came in by a rehearsal of a move, too.
    pub rehearsal: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { queue: 4096, batch: 512, readers: 2, read_queue: 1024, checkpoint: 4096, rehearsal: false }
    }
}

/// The embedded engine. Dropping it finishes what is queued and waits for that; `close` does so without blocking.
pub type Sqlite = Engine<Connection>;

impl Sqlite {
    /// Opens the file, creates it if there is none, and brings it up to date. Blocks; meant for the start.
    ///
    /// # Errors
    /// [`OpenError`], whose text says what to do.
    pub fn open(path: impl AsRef<Path>, sink: Arc<dyn ChangeSink>, options: Options) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let file::Opened { writer, readers, lister, wal, lock } =
            file::open(path, options.readers, options.checkpoint)?;
        if let Some(why) = file::says(path, &writer)?.shut(options.rehearsal) {
            return Err(OpenError::Shut { path: path.to_owned(), why });
        }
        let Options { queue, batch, read_queue, .. } = options;
        let transactions = Transactions { db: writer, wal: Wal::new(wal), _lock: lock };
        let parts = Parts { transactions, readers, lister, queue, batch, read_queue };
        let io = |e: std::io::Error| OpenError::Other { path: path.to_owned(), what: e.to_string() };
        Self::start(parts, sink).map_err(io)
    }
}

impl Base for Connection {
    type Error = rusqlite::Error;
}

impl Fault for rusqlite::Error {
    fn store_error(self) -> StoreError {
        error(&self)
    }
}

/// An error of SQLite's, and whether it may pass by itself.
fn error(e: &rusqlite::Error) -> StoreError {
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
