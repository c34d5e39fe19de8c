//! Moving house: PostgreSQL as it is left, and as it is moved into.

use std::sync::Arc;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::Row;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use yaopai_core::ports::SKEW_MAX;
use yaopai_core::time::Timestamp;

use super::db::{Db, apart};
use super::error::Error;
use super::migrate::{self, SCOPE};
use super::open;
use super::settings::Settings;
use crate::house::{
    HouseError, Kind, Leavable, Mark, Readable, Settled, Source, TABLES, Table, Target, Value, Writable,
};
use crate::nonces::STEP;

/// Reads, for as long as it takes. Its own silence between two pages is whoever's who takes the rows.
const LEAVING: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET jit = off; \
                       SET lock_timeout = '10s'; SET default_transaction_read_only = on";
const ENTERING: &str = "SELECT set_config('synchronous_commit', 'on', false) \
                        WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply'); \
                        SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET jit = off; \
                        SET lock_timeout = '10s'; SET default_transaction_isolation = 'read committed'";
/// A mark that is acknowledged is on the disk.
const SYNCHRONOUS: &str = "SELECT set_config('synchronous_commit', 'on', true) \
                           WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')";
/// Rows that are read at a time.
const PAGE: u32 = 1_000;

/// In a transaction.
struct House(Db);

/// The database as it is now. Writes nothing to it but [`Source::mark`]. Without `rehearsal` no node may run, now or while this is there. `node` shows in
/// `pg_stat_activity`. Blocks.
///
/// # Errors
/// [`HouseError`].
pub fn leave(url: &str, node: &str, rehearsal: bool) -> Result<Source, HouseError> {
    let settings = Arc::new(Settings::parse(url, node)?);
    let db = apart(move || Db::connect(&settings, LEAVING))?;
    has_ours(&db)?;
    if !rehearsal {
        open::says(&db).map_err(|e| failed(&e))?.stays()?;
        stopped(&db)?;
    }
    // After the locks: the moment is that of the first statement.
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SELECT count(*) FROM meta";
    db.begin(begin).map_err(|e| failed(&e))?;
    Ok(Source(Box::new(House(db))))
}

/// Rows are moved between databases of one schema only.
fn has_ours(db: &Db) -> Result<(), HouseError> {
    let (found, known) = (migrate::found(db).map_err(|e| failed(&e))?, migrate::known());
    if found == known { Ok(()) } else { Err(HouseError::Schema { found, known }) }
}

/// Takes every node's name, and the lock that whoever writes takes: as long as this connection lives none runs.
fn stopped(db: &Db) -> Result<(), HouseError> {
    let nodes = format!("SELECT name, pg_try_advisory_lock(({SCOPE}), id) FROM nodes ORDER BY id");
    for row in ask(db, &nodes)? {
        let (name, free): (String, bool) = (get(&row, 0)?, get(&row, 1)?);
        if !free {
            let what = "Stop all nodes and leave them stopped, or export with --rehearsal to try the move out";
            return Err(HouseError::Running(format!("node {name} runs. {what}")));
        }
    }
    ask(db, &format!("SELECT pg_advisory_lock(({SCOPE}), 0)")).map(|_| ())
}

/// A database that no node has used. Its schema is made, if there is none. Blocks.
///
/// # Errors
/// [`HouseError`].
pub fn enter(url: &str, node: &str) -> Result<Target, HouseError> {
    let settings = Arc::new(Settings::parse(url, node)?);
    let (found, known) = (
        apart({
            let settings = Arc::clone(&settings);
            // Looked at before it is migrated: one that is refused stays as it is.
            move || Ok(migrate::found(&Db::connect(&settings, ENTERING)?)?)
        })?,
        migrate::known(),
    );
    if found != 0 && found != known {
        return Err(HouseError::Schema { found, known });
    }
    let db = apart(move || open::ready(&settings, ENTERING))?;
    // A node that is started meanwhile waits, and gives up.
    let tables = TABLES.iter().map(|table| table.name).collect::<Vec<_>>().join(", ");
    let begin = format!(
        "BEGIN; SELECT pg_advisory_xact_lock('sessions'::regclass::oid::integer, 0); LOCK TABLE {tables} IN EXCLUSIVE MODE"
    );
    db.begin(&begin).map_err(|e| failed(&e))?;
    Ok(Target(Box::new(House(db))))
}

impl Readable for House {
    fn each(&self, table: &Table, visit: &mut dyn FnMut(&[Value]) -> Result<(), HouseError>) -> Result<(), HouseError> {
        each(&self.0, table, visit)
    }
}

impl Leavable for House {
    /// Its own, and that of the nonces, which never goes back. Redis' is not known here.
    fn clock(&self) -> Result<Option<i64>, HouseError> {
        ask(&self.0, &format!("SELECT {}", its_clock()))?.first().map(|row| get(row, 0)).transpose()
    }

    fn mark(self: Box<Self>, at: i64, to: &str) -> Result<(), HouseError> {
        let Self(db) = *self;
        // On the connection that has the locks, or not at all. Who is new and would insert its name waits until the mark is there to be seen;
        // who has come since the names were taken is found by its name.
        let begin = format!("COMMIT; BEGIN READ WRITE; {SYNCHRONOUS}; LOCK TABLE nodes IN SHARE MODE");
        db.begin(&begin).map_err(|e| failed(&e))?;
        stopped(&db)?;
        ask(&db, &format!("UPDATE meta SET moved_at = {at}, moved_to = '{to}'"))?;
        db.finish("COMMIT").map_err(|e| failed(&e))
    }
}

/// Takes the mark of a move off, so that nodes may start on it again: as it was left, and nothing of what came after. What was signed up to `now`
/// may have been accepted elsewhere, and is refused. Answers what the mark said. `node` shows in `pg_stat_activity`. Blocks.
///
/// # Errors
/// [`HouseError`]: nothing was changed.
pub fn undo(url: &str, node: &str, now: Timestamp) -> Result<Mark, HouseError> {
    let settings = Arc::new(Settings::parse(url, node)?);
    let db = apart(move || Db::connect(&settings, ENTERING))?;
    has_ours(&db)?;
    stopped(&db)?;
    db.begin("BEGIN").map_err(|e| failed(&e))?;
    let moved = open::says(&db).map_err(|e| failed(&e))?.mark();
    let moved = moved.ok_or_else(|| HouseError::Refused("it has not moved".into()))?;
    ask(&db, "UPDATE meta SET moved_at = NULL, moved_to = NULL")?;
    ask(&db, &format!("UPDATE nodes SET leased_until = greatest(leased_until, {}), saved = NULL", now.0))?;
    // The new place's clock may have been ahead. Not in the nodes' own rows: they would hold their clocks at it.
    keep_out(&db, &format!("greatest({}, {}) + {SKEW_MAX}", now.0, its_clock()))?;
    db.finish("COMMIT").map_err(|e| failed(&e))?;
    Ok(moved)
}

/// Its own, and that of the nonces, which never goes back.
fn its_clock() -> String {
    format!(
        "greatest(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, (SELECT max(high) + {STEP} FROM nonces_past))"
    )
}

/// What was signed until then may have been accepted where these sessions were: kept as the lease of a node that there is none of.
fn keep_out(db: &Db, until: &str) -> Result<(), HouseError> {
    let sql = format!(
        "INSERT INTO nodes (id, name, leased_until) OVERRIDING SYSTEM VALUE VALUES (0, 'embedded database', {until}) \
         ON CONFLICT (id) DO UPDATE SET leased_until = greatest(nodes.leased_until, excluded.leased_until)"
    );
    ask(db, &sql).map(|_| ())
}

impl Writable for House {
    fn occupied(&self) -> Result<Option<&'static str>, HouseError> {
        for table in TABLES {
            let used = if table.single { "alive_at IS NOT NULL" } else { "true" };
            let sql = format!("SELECT EXISTS (SELECT FROM {} WHERE {used})", table.name);
            let row = ask(&self.0, &sql)?;
            if row.first().map(|row| get(row, 0)).transpose()? != Some(false) {
                return Ok(Some(table.name));
            }
        }
        Ok(None)
    }

    fn put(&self, table: &Table, rows: &[Vec<Value>]) -> Result<(), HouseError> {
        let fields = |row: &[Value]| -> Vec<Field> {
            row.iter()
                .zip(table.columns)
                .map(|(value, (_, kind))| Field { value: value.clone(), kind: *kind })
                .collect()
        };
        if table.single {
            let places: Vec<String> = (1..=table.columns.len()).map(|n| format!("${n}")).collect();
            let sql = format!("UPDATE {} SET ({}) = ROW ({})", table.name, table.list(), places.join(", "));
            for row in rows {
                let fields = fields(row);
                let params: Vec<&(dyn ToSql + Sync)> = fields.iter().map(|field| field as _).collect();
                self.0.client(async |client| client.execute(&sql, &params).await).map_err(|e| failed(&e))?;
            }
            return Ok(());
        }
        let sql = format!("COPY {} ({}) FROM STDIN BINARY", table.name, table.list());
        let types: Vec<Type> = table.columns.iter().map(|(_, kind)| kept_as(*kind)).collect();
        let copied = self.0.client(async |client| {
            let mut writer = std::pin::pin!(BinaryCopyInWriter::new(client.copy_in(&sql).await?, &types));
            for row in rows {
                let fields = fields(row);
                let row: Vec<&(dyn ToSql + Sync)> = fields.iter().map(|field| field as _).collect();
                writer.as_mut().write(&row).await?;
            }
            writer.finish().await
        });
        copied.map(|_| ()).map_err(|e| failed(&e))
    }

    fn settle(&self, settled: &Settled) -> Result<(), HouseError> {
        keep_out(&self.0, &settled.here.max(settled.others).0.to_string())?;
        let next = "SELECT setval(pg_get_serial_sequence('nodes', 'id'), greatest(1, (SELECT max(id) FROM nodes)))";
        ask(&self.0, next)?;
        // One that nobody has lived in may have been left all the same.
        let rehearsal = settled.rehearsal.map_or("NULL".to_owned(), |at| at.0.to_string());
        let sql = format!("UPDATE meta SET moved_at = NULL, moved_to = NULL, rehearsal_at = {rehearsal}");
        ask(&self.0, &sql).map(|_| ())
    }

    fn commit(self: Box<Self>) -> Result<(), HouseError> {
        match self.0.finish("COMMIT") {
            Err(e) if e.is_lost() => Err(HouseError::InDoubt(e.to_string())),
            done => done.map_err(|e| failed(&e)),
        }
    }
}

fn each(db: &Db, table: &Table, visit: &mut dyn FnMut(&[Value]) -> Result<(), HouseError>) -> Result<(), HouseError> {
    ask(db, &format!("DECLARE leaving NO SCROLL CURSOR FOR {}", table.select()))?;
    let fetch = format!("FETCH {PAGE} FROM leaving");
    loop {
        let rows = ask(db, &fetch)?;
        if rows.is_empty() {
            return ask(db, "CLOSE leaving").map(|_| ());
        }
        for row in &rows {
            let values: Result<Vec<Value>, HouseError> =
                table.columns.iter().enumerate().map(|(at, (_, kind))| value(row, at, *kind)).collect();
            visit(&values?)?;
        }
    }
}

fn value(row: &Row, column: usize, kind: Kind) -> Result<Value, HouseError> {
    let int = |n: Option<i64>| n.map_or(Value::Null, Value::Int);
    Ok(match kind {
        Kind::Int => int(get(row, column)?),
        Kind::Small => int(get::<Option<i32>>(row, column)?.map(i64::from)),
        Kind::Bool => int(get::<Option<bool>>(row, column)?.map(i64::from)),
        Kind::Id | Kind::Name | Kind::Text | Kind::Bytes => {
            get::<Option<Raw<'_>>>(row, column)?.map_or(Value::Null, |raw| Value::Bytes(raw.0.to_vec()))
        }
    })
}

/// What a column of a kind is.
fn kept_as(kind: Kind) -> Type {
    match kind {
        Kind::Id => Type::UUID,
        Kind::Int => Type::INT8,
        Kind::Small => Type::INT4,
        Kind::Bool => Type::BOOL,
        Kind::Text => Type::TEXT,
        Kind::Name | Kind::Bytes => Type::BYTEA,
    }
}

/// Bytes as the database sends them.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(is: &Type) -> bool {
        [Type::UUID, Type::TEXT, Type::BYTEA].contains(is)
    }
}

#[derive(Debug)]
struct Field {
    value: Value,
    kind: Kind,
}

impl ToSql for Field {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (&self.value, self.kind) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Int(n), Kind::Int) => out.put_i64(*n),
            (Value::Int(n), Kind::Small) => out.put_i32(i32::try_from(*n)?),
            (Value::Int(n @ (0 | 1)), Kind::Bool) => out.put_u8(u8::from(*n == 1)),
            (Value::Bytes(bytes), Kind::Name) if std::str::from_utf8(bytes).is_ok() => out.put_slice(bytes),
            (Value::Bytes(bytes), Kind::Text | Kind::Bytes) => out.put_slice(bytes),
            (Value::Bytes(bytes), Kind::Id) if bytes.len() == 16 => out.put_slice(bytes),
            _ => return Err("a value of another kind".into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn get<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Result<T, HouseError> {
    row.try_get(column).map_err(|e| failed(&e.into()))
}

/// Runs something that was put together here, however long it takes.
fn ask(db: &Db, sql: &str) -> Result<Vec<Row>, HouseError> {
    db.client(async |client| client.query(sql, &[]).await).map_err(|e| failed(&e))
}

fn failed(e: &Error) -> HouseError {
    HouseError::Database(e.to_string())
}
