//! A copy of a database to try things on.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::file::{BUSY, OpenError, not_opened, private, sql_error};

/// Copies a database as it is at this moment, also while a server has it open. Writes nothing to it. `to` is created for
/// nobody else to read, and must not hold anything.
///
/// # Errors
/// [`OpenError`], whose text says what to do.
pub fn copy(from: &Path, to: &Path) -> Result<(), OpenError> {
    private(to).open(to).map_err(|e| not_opened(to, e))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sql = |e| sql_error(from, &e);
    let db = Connection::open_with_flags(from, flags).map_err(sql)?;
    db.busy_timeout(BUSY).map_err(sql)?;
    let name =
        to.to_str().ok_or_else(|| OpenError::Other { path: to.to_owned(), what: "its name is no UTF-8".into() })?;
    // The newest pages may still be in the log, so the files themselves can't be copied.
    db.execute("VACUUM INTO ?1", [name]).map(|_| ()).map_err(sql)
}
