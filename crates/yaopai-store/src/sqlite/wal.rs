//! Keeps the write-ahead log bounded.
//!
//! SQLite starts the log anew only when no reader is in it. Short reads that overlap for ever never leave it such a moment,
//! and it grows without end (<https://www.sqlite.org/wal.html>, "checkpoint starvation"). So past a bound the writer asks for
//! one: while it waits, nobody writes, so whoever begins to read finds all of it in the database and stays out of the log.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;

use super::file::BUSY;

/// Beyond so many bytes the log is to start anew.
const MAX: u64 = 64 << 20;
/// After a try that failed (a long read), it must have grown by so much for the next: each may cost [`WAIT`].
const MORE: u64 = 4 << 20;
/// How long a try waits for readers. Calls that write wait as long.
const WAIT: Duration = Duration::from_millis(200);

pub(super) struct Wal {
    file: PathBuf,
    /// At which size to try.
    at: u64,
}

impl Wal {
    pub fn new(file: PathBuf) -> Self {
        Self { file, at: MAX }
    }

    /// Starts the log anew if it is large. To be called between two transactions.
    pub fn bound(&mut self, db: &Connection) {
        let len = std::fs::metadata(&self.file).map_or(0, |file| file.len());
        if len <= self.at {
            // The next commit after it was started anew shortens the file.
            if len <= MAX {
                self.at = MAX;
            }
            return;
        }
        self.at = len + MORE;
        match restart(db) {
            Ok(true) => {}
            Ok(false) => tracing::warn!(bytes = len, "the write-ahead log is large, and a long read keeps it so"),
            Err(e) => {
                tracing::warn!(error = %e, bytes = len, "the write-ahead log is large, and its checkpoint failed")
            }
        }
    }
}

/// False if readers were in the way.
fn restart(db: &Connection) -> rusqlite::Result<bool> {
    db.busy_timeout(WAIT)?;
    let busy = db.query_row("PRAGMA wal_checkpoint(RESTART)", [], |r| r.get::<_, bool>(0));
    db.busy_timeout(BUSY)?;
    Ok(!busy?)
}
