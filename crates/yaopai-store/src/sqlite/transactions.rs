//! The writer's transactions.

use std::fs::File;

use rusqlite::Connection;
use yaopai_core::ports::{Change, StoreError};

use super::error;
use super::wal::Wal;
use crate::commands::Work;
use crate::commands::audit::Log;
use crate::engine::writer::{self, Job, run_all};

pub(super) struct Transactions {
    pub db: Connection,
    pub wal: Wal,
    /// Goes last: the file is let go of by then.
    pub _lock: File,
}

impl writer::Transactions<Connection> for Transactions {
    fn attempt(
        &mut self,
        batch: &mut [Box<dyn Job<Connection>>],
        log: &dyn Fn() -> Option<Log>,
    ) -> Result<Vec<Change>, StoreError> {
        let db = &self.db;
        let mut work = Work { db, changes: Vec::new(), log: log() };
        let ran =
            step(db, "BEGIN IMMEDIATE").and_then(|()| run_all(batch, &mut work)).and_then(|()| step(db, "COMMIT"));
        // SQLite rolls back by itself after some errors. If this fails, so does the next BEGIN, and nothing is answered as done.
        if !db.is_autocommit()
            && let Err(e) = step(db, "ROLLBACK")
        {
            tracing::error!(error = %e, "roll-back failed");
        }
        ran.map(|()| work.changes)
    }

    fn between(&mut self) {
        self.wal.bound(&self.db);
    }

    fn finish(&mut self) {
        if let Err(e) = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(error = %e, "the last checkpoint failed: the next start does it");
        }
    }
}

fn step(db: &Connection, sql: &str) -> Result<(), StoreError> {
    db.prepare_cached(sql).and_then(|mut s| s.raw_execute()).map(|_| ()).map_err(|e| error(&e))
}
