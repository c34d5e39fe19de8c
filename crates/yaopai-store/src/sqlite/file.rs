//! Opening the file: the lock, the pragmas, the migrations, and a typed error for whatever can be wrong with it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::house::{Says, Shut};
use crate::release;

mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

/// `yaop`: how a file is known to be ours (SQLite's `application_id`).
const APPLICATION_ID: i32 = 0x7961_6f70;
/// SQLite's default, in bytes. A file keeps the size that it was created with.
const PAGE: i64 = 4096;
/// How long to wait for a lock that another program (an operator's `sqlite3`) holds.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// The file can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its folder does not exist.
    #[error("the folder of {} does not exist: create it, or name another path", path.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
    },
    /// It, or its folder, can't be written to.
    #[error("{} can't be written to ({source}): let this user write to it and to its folder", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("{} is in use by another process: stop that one, or give this one a file of its own", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// It is no SQLite database.
    #[error("{} is not a database: name another path, or move the file away", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// It is another program's database.
    #[error("{} is another program's database: name another path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of this program has written it.
    #[error(
        "{} was written by a newer version (schema {found}, this one knows {known}): run that version or a later one, \
         or put back a backup from before the upgrade",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema's version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// A migration failed, or the file was migrated by a build whose migrations differ from ours.
    #[error("{} could not be migrated ({what}): put back a backup, and run a released version on it", path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// What failed.
        what: String,
    },
    /// Nobody is to be served from it.
    #[error("{}: {why}", path.display())]
    Shut {
        /// The file.
        path: PathBuf,
        /// Why.
        why: Shut,
    },
    /// Something else, of SQLite's or the system's.
    #[error("{} could not be opened: {what}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What failed.
        what: String,
    },
}

/// An opened file: the writer's connection, some that only read, and the lock that keeps other processes out.
pub(super) struct Opened {
    pub writer: Connection,
    pub readers: Vec<Connection>,
    /// One more that only reads, for long queries.
    pub lister: Connection,
    /// The write-ahead log's file.
    pub wal: PathBuf,
    pub lock: File,
}

/// Opens the file, creates it if there is none, and brings it up to date. `checkpoint` is in pages.
pub(super) fn open(path: &Path, readers: usize, checkpoint: u32) -> Result<Opened, OpenError> {
    if !folder(path).is_dir() {
        return Err(OpenError::NoFolder { path: path.to_owned() });
    }
    // Before the lock: it would leave its file beside the folder.
    if path.is_dir() {
        return Err(OpenError::Other { path: path.to_owned(), what: "it is a folder: name a file in it".into() });
    }
    // Through whatever link it is reached, it is the same file with the same lock.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let lock = lock(path)?;
    private(path).open(path).map_err(|e| not_opened(path, e))?;
    let sql = |e: rusqlite::Error| sql_error(path, &e);

    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut writer = Connection::open_with_flags(path, flags).map_err(sql)?;
    steady(&writer).map_err(sql)?;
    ours(path, &writer)?;
    wal(path, &writer)?;
    durable(&writer, checkpoint.max(1)).map_err(sql)?;
    migrate(path, &mut writer)?;

    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = |_| {
        let db = Connection::open_with_flags(path, flags)?;
        steady(&db)?;
        Ok(db)
    };
    let lister = reader(0).map_err(sql)?;
    let readers = (0..readers.max(1)).map(reader).collect::<rusqlite::Result<_>>().map_err(sql)?;
    let mut wal = OsString::from(path);
    wal.push("-wal");
    Ok(Opened { writer, readers, lister, wal: PathBuf::from(wal), lock })
}

/// Two servers on one file would each believe in a table of live sessions that the other changes. SQLite's own locks would
/// keep our readers out too, and closing a second handle of the database file would drop them: hence a file beside it.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let mut name = OsString::from(path);
    name.push("-lock");
    let lock = private(Path::new(&name)).open(&name).map_err(|e| not_opened(path, e))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(e)) => Err(not_opened(path, e)),
    }
}

/// Created for nobody else to read. SQLite gives the files beside it (`-wal`, `-shm`) the same mode.
pub(super) fn private(_path: &Path) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Is it ours, or empty, so that it can become ours?
fn ours(path: &Path, db: &Connection) -> Result<(), OpenError> {
    let sql = |e: rusqlite::Error| sql_error(path, &e);
    let id: i32 = db.query_row("PRAGMA application_id", [], |r| r.get(0)).map_err(sql)?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0)).map_err(sql)?;
    match (id, tables) {
        (APPLICATION_ID, _) => Ok(()),
        (0, 0) => db.pragma_update(None, "application_id", APPLICATION_ID).map_err(sql),
        _ => Err(OpenError::Foreign { path: path.to_owned() }),
    }
}

/// Is it ours? It is only looked at.
pub(super) fn is_ours(path: &Path, db: &Connection) -> Result<(), OpenError> {
    match db.query_row("PRAGMA application_id", [], |r| r.get(0)).map_err(|e| sql_error(path, &e))? {
        APPLICATION_ID => Ok(()),
        _ => Err(OpenError::Foreign { path: path.to_owned() }),
    }
}

/// What every connection of ours needs.
fn steady(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(128);
    // Without it SQLite prepares a statement anew whenever a bound value changes that it compared with a partial index's
    // condition: measured, a third of a login's time.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

fn wal(path: &Path, db: &Connection) -> Result<(), OpenError> {
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0)).map_err(|e| sql_error(path, &e))?;
    let what = "its file system allows no write-ahead log: name a path on a local disk";
    if mode == "wal" { Ok(()) } else { Err(OpenError::Other { path: path.to_owned(), what: what.into() }) }
}

/// WAL and FULL: a commit is on the disk before it returns, so it survives kill -9 and power loss.
pub(super) fn durable(db: &Connection, checkpoint: u32) -> rusqlite::Result<()> {
    db.pragma_update(None, "synchronous", "FULL")?;
    // macOS: its fsync leaves the data in the disk's cache.
    db.pragma_update(None, "fullfsync", true)?;
    db.pragma_update(None, "checkpoint_fullfsync", true)?;
    db.pragma_update(None, "wal_autocheckpoint", checkpoint)?;
    db.pragma_update(None, "journal_size_limit", i64::from(checkpoint) * PAGE)?;
    // At most 64 MB; it is allocated only as far as it is used.
    db.pragma_update(None, "cache_size", -65_536)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

/// The newest schema that this program knows.
pub(super) fn known() -> i64 {
    release::newest(release::migrations(&embedded::migrations::runner()).get_migrations())
}

/// The file's.
pub(super) fn found(path: &Path, db: &Connection) -> Result<i64, OpenError> {
    let has_history = "SELECT count(*) FROM sqlite_schema WHERE name = 'refinery_schema_history'";
    db.query_row(has_history, [], |r| r.get(0))
        .and_then(|tables: i64| match tables {
            0 => Ok(0),
            _ => db.query_row("SELECT ifnull(max(version), 0) FROM refinery_schema_history", [], |r| r.get(0)),
        })
        .map_err(|e| sql_error(path, &e))
}

/// The oldest schema whose programs work on the file's, as it says itself. `None`: it doesn't say so of the schema that it has.
fn compatible_from(db: &Connection, found: i64) -> Option<i64> {
    let sql = "SELECT compatible_from FROM meta WHERE schema = ?1";
    db.query_row(sql, [found], |r| r.get(0)).ok()
}

fn migrate(path: &Path, db: &mut Connection) -> Result<(), OpenError> {
    let (known, found) = (known(), found(path, db)?);
    let newer = found > known;
    if newer && compatible_from(db, found).is_none_or(|oldest| oldest > known) {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    // Of a newer schema the migrations that we know must be ours all the same; those that we don't know are none of our business.
    let runner = release::migrations(&embedded::migrations::runner()).set_abort_missing(!newer);
    let failed = |e: refinery::Error| OpenError::Migration { path: path.to_owned(), what: e.to_string() };
    // Grouped: one transaction for the migrations and the rows that say they were applied. By itself each is one, and a crash
    // in between would leave a file whose next start applies a migration again and fails, every time.
    runner.set_grouped(true).run(db).map(|_| ()).map_err(failed)
}

/// What it says of moves. To be asked under its lock.
pub(super) fn says(path: &Path, db: &Connection) -> Result<Says, OpenError> {
    let sql = "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', moved_at / 1000, 'unixepoch'), moved_to, \
               strftime('%Y-%m-%dT%H:%M:%SZ', rehearsal_at / 1000, 'unixepoch') FROM meta";
    let read = |r: &rusqlite::Row<'_>| Ok(Says { moved: (r.get(0)?, r.get(1)?), rehearsal: r.get(2)? });
    db.query_row(sql, [], read).map_err(|e| sql_error(path, &e))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

pub(super) fn not_opened(path: &Path, e: io::Error) -> OpenError {
    let path = path.to_owned();
    match e.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            OpenError::NotWritable { path, source: e }
        }
        _ => OpenError::Other { path, what: e.to_string() },
    }
}

pub(super) fn sql_error(path: &Path, e: &rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match e.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotADatabase { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Locked { path },
        Some(ErrorCode::ReadOnly) => {
            OpenError::NotWritable { path, source: io::Error::from(io::ErrorKind::PermissionDenied) }
        }
        _ => OpenError::Other { path, what: e.to_string() },
    }
}
