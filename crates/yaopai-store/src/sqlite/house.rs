//! Moving house: the embedded database as it is left, and as it is moved into.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, params_from_iter};
use yaopai_core::ports::SKEW_MAX;
use yaopai_core::time::Timestamp;

use super::file::{self, BUSY, OpenError, sql_error};
use crate::house::{
    HouseError, Kind, Leavable, Mark, Readable, Settled, Source, TABLES, Table, Target, Value, Writable,
};

/// In a transaction.
struct House {
    db: Connection,
    path: PathBuf,
    /// Keeps servers out.
    _lock: Option<File>,
}

/// The file as it is now. Writes nothing to it but [`Source::mark`]. Without `rehearsal` no server may run on it, now or while this is there.
///
/// # Errors
/// [`HouseError`].
pub fn leave(path: &Path, rehearsal: bool) -> Result<Source, HouseError> {
    let path = &path.canonicalize().map_err(|e| file::not_opened(path, e))?;
    let lock = if rehearsal { None } else { Some(file::lock(path).map_err(running)?) };
    let sql = |e| sql_error(path, &e);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(sql)?;
    db.busy_timeout(BUSY).map_err(sql)?;
    file::is_ours(path, &db)?;
    let (found, known) = (file::found(path, &db)?, file::known());
    if found != known {
        return Err(HouseError::Schema { found, known });
    }
    if !rehearsal {
        file::says(path, &db)?.stays()?;
    }
    // One moment for all tables: what is first read sets it.
    db.execute_batch("BEGIN; SELECT count(*) FROM meta").map_err(sql)?;
    Ok(Source(Box::new(House { db, path: path.clone(), _lock: lock })))
}

fn running(e: OpenError) -> HouseError {
    let what = "a server runs on it. Stop it and leave it stopped, or export with --rehearsal to try the move out";
    match e {
        OpenError::Locked { path } => HouseError::Running(format!("{}: {what}", path.display())),
        e => e.into(),
    }
}

/// A new file, or one that no server has used.
///
/// # Errors
/// [`HouseError`].
pub fn enter(path: &Path) -> Result<Target, HouseError> {
    // Looked at before it is opened: a file that is refused must not have been migrated by it.
    if path.exists() {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(|e| sql_error(path, &e))?;
        db.busy_timeout(BUSY).map_err(|e| sql_error(path, &e))?;
        let (found, known) = (file::found(path, &db)?, file::known());
        if found != 0 && found != known {
            return Err(HouseError::Schema { found, known });
        }
    }
    let file::Opened { writer: db, lock, .. } = file::open(path, 1, super::Options::default().checkpoint)?;
    db.execute_batch("BEGIN IMMEDIATE").map_err(|e| sql_error(path, &e))?;
    Ok(Target(Box::new(House { db, path: path.to_owned(), _lock: Some(lock) })))
}

impl Readable for House {
    fn each(&self, table: &Table, visit: &mut dyn FnMut(&[Value]) -> Result<(), HouseError>) -> Result<(), HouseError> {
        each(&self.db, table, visit)
    }
}

impl Leavable for House {
    /// The one server's leases say all, in the rows.
    fn clock(&self) -> Result<Option<i64>, HouseError> {
        Ok(None)
    }

    fn mark(self: Box<Self>, at: i64, to: &str) -> Result<(), HouseError> {
        self.db.execute_batch("COMMIT").map_err(failed)?;
        let db = writer(&self.path)?;
        let sql = "UPDATE meta SET moved_at = ?1, moved_to = ?2";
        db.execute(sql, rusqlite::params![at, to]).map_err(failed)?;
        Ok(())
    }
}

/// Takes the mark of a move off, so that a server may start on it again: as it was left, and nothing of what came after. What was signed up
/// to `now` may have been accepted elsewhere, and is refused. Answers what the mark said.
///
/// # Errors
/// [`HouseError`]: nothing was changed.
pub fn undo(path: &Path, now: Timestamp) -> Result<Mark, HouseError> {
    let path = &path.canonicalize().map_err(|e| file::not_opened(path, e))?;
    let _lock = file::lock(path).map_err(running)?;
    let mut db = writer(path)?;
    file::is_ours(path, &db)?;
    let (found, known) = (file::found(path, &db)?, file::known());
    if found != known {
        return Err(HouseError::Schema { found, known });
    }
    let all = db.transaction().map_err(failed)?;
    let moved = file::says(path, &all)?.mark().ok_or_else(|| HouseError::Refused("it has not moved".into()))?;
    all.execute("UPDATE meta SET moved_at = NULL, moved_to = NULL", []).map_err(failed)?;
    let nonces = "UPDATE nodes SET leased_until = max(ifnull(leased_until, ?1), ?1), saved = NULL WHERE id = 0";
    // The new place's clock may have been ahead.
    all.execute(nonces, [now.0 + SKEW_MAX]).map_err(failed)?;
    all.commit().map_err(failed)?;
    Ok(moved)
}

/// Whoever has the lock writes.
fn writer(path: &Path) -> Result<Connection, HouseError> {
    let sql = |e| sql_error(path, &e);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(sql)?;
    db.busy_timeout(BUSY).map_err(sql)?;
    file::durable(&db, super::Options::default().checkpoint).map_err(sql)?;
    Ok(db)
}

impl Writable for House {
    fn occupied(&self) -> Result<Option<&'static str>, HouseError> {
        for table in TABLES {
            let used = match table.name {
                "meta" => "alive_at IS NOT NULL",
                // A node's row is there from the beginning.
                "nodes" => "id <> 0 OR leased_until IS NOT NULL",
                _ => "true",
            };
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {} WHERE {used})", table.name);
            if self.db.query_row(&sql, [], |row| row.get(0)).map_err(failed)? {
                return Ok(Some(table.name));
            }
        }
        self.db.execute("DELETE FROM nodes", []).map_err(failed)?;
        Ok(None)
    }

    fn put(&self, table: &Table, rows: &[Vec<Value>]) -> Result<(), HouseError> {
        let places: Vec<String> = (1..=table.columns.len()).map(|n| format!("?{n}")).collect();
        let places = places.join(", ");
        let sql = if table.single {
            format!("UPDATE {} SET ({}) = ({places})", table.name, table.list())
        } else {
            format!("INSERT INTO {} ({}) VALUES ({places})", table.name, table.list())
        };
        let mut statement = self.db.prepare_cached(&sql).map_err(failed)?;
        for row in rows {
            let fields = row.iter().zip(table.columns).map(|(value, (_, kind))| Field { value, kind: *kind });
            statement.execute(params_from_iter(fields)).map_err(failed)?;
        }
        Ok(())
    }

    fn settle(&self, settled: &Settled) -> Result<(), HouseError> {
        let sql = "INSERT INTO nodes (id, name, leased_until) VALUES (0, 'embedded database', ?1) \
                   ON CONFLICT (id) DO UPDATE SET leased_until = excluded.leased_until, saved = NULL";
        self.db.execute(sql, [settled.here.0]).map_err(failed)?;
        // At a name of theirs: the own lease holds the clock, too.
        let others = "UPDATE nodes SET leased_until = ?1 WHERE id = (SELECT max(id) FROM nodes WHERE id <> 0) \
                      AND ?1 > (SELECT ifnull(max(leased_until), 0) FROM nodes)";
        self.db.execute(others, [settled.others.0]).map_err(failed)?;
        // One that nobody has lived in may have been left all the same.
        let sql = "UPDATE meta SET moved_at = NULL, moved_to = NULL, rehearsal_at = ?1";
        self.db.execute(sql, [settled.rehearsal.map(|at| at.0)]).map(|_| ()).map_err(failed)
    }

    fn commit(self: Box<Self>) -> Result<(), HouseError> {
        self.db.execute_batch("COMMIT").map_err(failed)?;
        if let Err(e) = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(error = %e, "the last checkpoint failed: the next start does it");
        }
        Ok(())
    }
}

fn each(
    db: &Connection,
    table: &Table,
    visit: &mut dyn FnMut(&[Value]) -> Result<(), HouseError>,
) -> Result<(), HouseError> {
    let mut statement = db.prepare(&table.select()).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut values = Vec::with_capacity(table.columns.len());
    while let Some(row) = rows.next().map_err(failed)? {
        values.clear();
        for column in 0..table.columns.len() {
            values.push(match row.get_ref(column).map_err(failed)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(n) => Value::Int(n),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
                ValueRef::Real(_) => return Err(HouseError::Database(format!("{}: a fraction", table.name))),
            });
        }
        visit(&values)?;
    }
    Ok(())
}

struct Field<'a> {
    value: &'a Value,
    kind: Kind,
}

impl ToSql for Field<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match (self.value, self.kind) {
            (Value::Null, _) => ValueRef::Null,
            (Value::Int(n), Kind::Int) => ValueRef::Integer(*n),
            (Value::Int(n), Kind::Small) if i32::try_from(*n).is_ok() => ValueRef::Integer(*n),
            (Value::Int(n @ (0 | 1)), Kind::Bool) => ValueRef::Integer(*n),
            (Value::Bytes(bytes), Kind::Name | Kind::Text) if std::str::from_utf8(bytes).is_ok() => {
                ValueRef::Text(bytes)
            }
            (Value::Bytes(bytes), Kind::Bytes) => ValueRef::Blob(bytes),
            (Value::Bytes(bytes), Kind::Id) if bytes.len() == 16 => ValueRef::Blob(bytes),
            _ => return Err(rusqlite::Error::ToSqlConversionFailure("a value of another kind".into())),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

fn failed(e: rusqlite::Error) -> HouseError {
    HouseError::Database(e.to_string())
}
