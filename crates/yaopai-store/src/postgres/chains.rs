//! The audit logs of all nodes, read from outside.

use std::sync::Arc;

use yaopai_core::audit::Checkpoint;
use yaopai_core::ports::{AuditRow, StoreError};

use super::db::{Db, apart};
use super::error::PostgresError;
use super::migrate;
use super::open::READER;
use super::settings::Settings;
use crate::chains::{self, AuditLog, Chains};
use crate::rows::{AuditRows as _, Chain, Fault as _};

impl AuditLog {
    /// Of a database that nodes share. `node` shows in `pg_stat_activity`. Blocks.
    ///
    /// # Errors
    /// [`PostgresError`], whose text says what to do.
    pub fn of_postgres(url: &str, node: &str) -> Result<Self, PostgresError> {
        let settings = Arc::new(Settings::parse(url, node)?);
        let db = apart(move || Db::connect(&settings, READER))?;
        if migrate::found(&db)? == 0 {
            return Err(PostgresError::system("no node was ever started on it"));
        }
        Ok(Self(Box::new(db)))
    }
}

impl Chains for Db {
    fn all(&self) -> Result<Vec<(Chain, String)>, StoreError> {
        self.audit_chains().map_err(|e| e.store_error())
    }

    fn begin(&self, chain: Chain, limit: u32) -> Result<(Option<Checkpoint>, Vec<AuditRow>), StoreError> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").map_err(|e| e.store_error())?;
        let read = chains::begin(self, chain, limit);
        let done = self.finish("COMMIT");
        read.and_then(|read| done.map(|()| read)).map_err(|e| e.store_error())
    }

    fn after(&self, chain: Chain, seq: u64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        chains::after(self, chain, seq, limit)
    }
}
