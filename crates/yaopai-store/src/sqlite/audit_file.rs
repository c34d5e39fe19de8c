//! The audit log of a file, read from outside: also while a server has it open. Writes nothing.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use yaopai_core::audit::Checkpoint;
use yaopai_core::ports::AuditRow;

use super::file::{BUSY, OpenError, sql_error};
use crate::rows::AuditRows as _;

/// Rows that are read at a time. Between two pages a server's checkpoints pass.
const PAGE: u32 = 2_000;

/// A file's audit log.
pub struct AuditFile {
    path: PathBuf,
    db: Connection,
}

impl AuditFile {
    /// Opens a file that a server has, or had.
    ///
    /// # Errors
    /// [`OpenError`], whose text says what to do.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sql = |e| sql_error(path, &e);
        let db = Connection::open_with_flags(path, flags).map_err(sql)?;
        db.busy_timeout(BUSY).map_err(sql)?;
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'audit_checkpoint'";
        if db.query_row(tables, [], |r| r.get::<_, i64>(0)).map_err(sql)? == 0 {
            let what = "it has no audit log: an older version has written it; start this version's server once".into();
            return Err(OpenError::Other { path: path.to_owned(), what });
        }
        Ok(Self { path: path.to_owned(), db })
    }

    /// Hands the checkpoint to `begin`, and then each row, in order, to `row` with what `begin` made of it. Stops at the first
    /// refusal, and answers what the last one made.
    ///
    /// # Errors
    /// The outer one is the file's, the inner one the visitor's.
    pub fn visit<T, E>(
        &self,
        begin: impl FnOnce(Option<Checkpoint>) -> Result<T, E>,
        mut row: impl FnMut(&mut T, AuditRow) -> Result<(), E>,
    ) -> Result<Result<T, E>, OpenError> {
        let sql = |e| sql_error(&self.path, &e);
        // Of one moment: between two, retention may move the checkpoint past rows that were not read yet.
        let first = self.db.unchecked_transaction().map_err(sql)?;
        let checkpoint = first.audit_checkpoint().map_err(sql)?;
        let mut page = first.list_audit(None, 0, PAGE).map_err(sql)?;
        drop(first);
        let mut state = match begin(checkpoint) {
            Ok(state) => state,
            Err(e) => return Ok(Err(e)),
        };
        while let Some(last) = page.last().map(|kept| kept.row.seq) {
            for kept in page {
                if let Err(e) = row(&mut state, kept) {
                    return Ok(Err(e));
                }
            }
            page = self.db.list_audit(None, last, PAGE).map_err(sql)?;
        }
        Ok(Ok(state))
    }
}
