//! The audit log of a file, read from outside.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use yaopai_core::audit::Checkpoint;
use yaopai_core::ports::{AuditRow, StoreError};

use super::file::{self, BUSY, OpenError, sql_error};
use crate::chains::{self, AuditLog, Chains};
use crate::rows::{AuditRows as _, Chain, Fault as _};

/// The schema that has a chain for each node.
const SINCE: i64 = 11;

impl AuditLog {
    /// Of a file that a server has, or had.
    ///
    /// # Errors
    /// [`OpenError`], whose text says what to do.
    pub fn of_file(path: &Path) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sql = |e| sql_error(path, &e);
        let db = Connection::open_with_flags(path, flags).map_err(sql)?;
        db.busy_timeout(BUSY).map_err(sql)?;
        if file::found(path, &db)? < SINCE {
            let what = "an older version has written it; start this version's server once".into();
            return Err(OpenError::Other { path: path.to_owned(), what });
        }
        Ok(Self(Box::new(db)))
    }
}

impl Chains for Connection {
    fn all(&self) -> Result<Vec<(Chain, String)>, StoreError> {
        self.audit_chains().map_err(|e| e.store_error())
    }

    fn begin(&self, chain: Chain, limit: u32) -> Result<(Option<Checkpoint>, Vec<AuditRow>), StoreError> {
        let at_once = self.unchecked_transaction().map_err(|e| e.store_error())?;
        chains::begin(&*at_once, chain, limit).map_err(|e| e.store_error())
    }

    fn after(&self, chain: Chain, seq: u64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        chains::after(self, chain, seq, limit)
    }
}
