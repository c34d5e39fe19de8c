//! The schema: what the database's is, whether this program works on it, and how it is brought up to date while others run.

use tokio_postgres::{Client, Row};

use super::db::Db;
use super::error::{Error, PostgresError};
use crate::release;

mod embedded {
    refinery::embed_migrations!("migrations/postgres");
}

/// `yaop`: what migrations are done under, one server at a time.
const MIGRATING: i32 = 0x7961_6f70;
/// What locks are taken in: they are the database's, and those of another schema are others'.
pub(super) const SCOPE: &str = "SELECT 'sessions'::regclass::oid::integer";

pub(super) fn migrate(db: &Db, greeting: &str) -> Result<(), PostgresError> {
    db.batch(&format!("SET statement_timeout = 0; SELECT pg_advisory_lock({MIGRATING}, 0)"))?;
    let migrated = migrate_alone(db);
    // This connection has taken no other locks yet but those that it has migrated under.
    db.batch(&format!("SELECT pg_advisory_unlock_all(); {greeting}"))?;
    migrated
}

/// The newest schema that this program knows.
pub(super) fn known() -> i64 {
    release::newest(release::migrations(&embedded::migrations::runner()).get_migrations())
}

/// The database's.
pub(super) fn found(db: &Db) -> Result<i64, Error> {
    db.client(async |client| {
        let history = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";
        if !client.query_one(history, &[]).await?.try_get::<_, bool>(0)? {
            return Ok(0);
        }
        let version = "SELECT coalesce(max(version), 0)::bigint FROM refinery_schema_history";
        client.query_one(version, &[]).await?.try_get(0)
    })
}

/// What [`Said`] is read from, of the row of `meta` as `m`.
macro_rules! said {
    () => {
        "m.schema, m.compatible_from, m.moved_at IS NOT NULL"
    };
}
pub(super) use said;

/// What the database says of itself.
#[derive(Clone, Copy)]
pub(super) struct Said {
    /// Which schema it has.
    found: i64,
    /// The oldest whose programs work on it.
    pub compatible_from: i64,
    /// Does it live on elsewhere?
    has_moved: bool,
}

impl Said {
    /// Asks for it alone.
    pub const ALONE: &str = concat!("SELECT ", said!(), " FROM meta m");

    /// Reads these columns, from this one on.
    pub fn read(row: &Row, first: usize) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            found: row.try_get(first)?,
            compatible_from: row.try_get(first + 1)?,
            has_moved: row.try_get(first + 2)?,
        })
    }

    /// Asks it.
    pub async fn ask(client: &Client) -> Result<Option<Self>, tokio_postgres::Error> {
        let row = client.query_opt(Self::ALONE, &[]).await?;
        row.map(|row| Self::read(&row, 0)).transpose()
    }

    /// Does this program work on it? Looked at by whoever has a new connection, and with each look into the log: a node that nobody
    /// could stop, because it had no connection at that moment, finds out by itself.
    pub fn works(self) -> Result<(), Error> {
        let known = known();
        if self.has_moved {
            Err(Error::Left)
        } else if self.compatible_from > known {
            Err(Error::Outdated { found: self.found, known })
        } else {
            Ok(())
        }
    }
}

/// The oldest schema whose programs work on the database's, as it says itself. `None`: it doesn't say so of the schema that it has.
fn compatible_from(db: &Db, found: i64) -> Option<i64> {
    let sql = "SELECT compatible_from FROM meta WHERE schema = $1";
    db.client(async |client| client.query_opt(sql, &[&found]).await?.map(|row| row.try_get(0)).transpose()).ok()?
}

fn migrate_alone(db: &Db) -> Result<(), PostgresError> {
    let (known, found) = (known(), found(db)?);
    let newer = found > known;
    if newer && compatible_from(db, found).is_none_or(|oldest| oldest > known) {
        return Err(PostgresError::Newer { found, known });
    }
    let oldest = release::postgres_compatible_from(known);
    let under_others = known > found && found > 0;
    if under_others {
        make_way(db, known, oldest)?;
    }
    // Of a newer schema the migrations that we know must be ours all the same; those that we don't know are none of our business.
    let runner = release::migrations(&embedded::migrations::runner()).set_abort_missing(!newer);
    // Grouped: one transaction for the migrations and the rows that say they were applied.
    let mut failed = None;
    db.client(async |client| {
        failed = runner.set_grouped(true).run_async(client).await.err();
        Ok(())
    })?;
    if let Some(e) = failed {
        return Err(PostgresError::Migration(message(&e)));
    }
    // Others were judged by it.
    if known > found && compatible_from(db, known) != Some(oldest) {
        return Err(PostgresError::Migration(format!(
            "its last statement doesn't say compatible_from = {oldest}, as release.rs does"
        )));
    }
    if under_others { Ok(end_left_behind(db, oldest)?) } else { Ok(()) }
}

/// Sees to it that what is about to come is nobody's misfortune: nobody is in the middle of a write, and of those who run each works on it.
/// The locks hold until it is done: whoever comes meanwhile waits for its name, and looks at the schema then.
fn make_way(db: &Db, known: i64, oldest: i64) -> Result<(), PostgresError> {
    // Who writes has taken locks on rows, and would want the tables that the migration has: one of the two would have to give up.
    db.batch(&format!("SELECT pg_advisory_lock(({SCOPE}), 0)"))?;
    let nodes = format!("SELECT id, name, knows >= $1, pg_try_advisory_lock(({SCOPE}), id) FROM nodes ORDER BY id");
    let run = db.client(async |client| {
        let rows = client.query(&nodes, &[&oldest]).await?;
        let rows = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?)));
        rows.collect::<Result<Vec<(i32, String, bool, bool)>, tokio_postgres::Error>>()
    })?;
    let behind: Vec<_> = run.into_iter().filter(|(.., works, free)| !works && !free).collect();
    if behind.is_empty() {
        return Ok(());
    }
    if !db.settings().cut_off {
        let names = behind.iter().map(|(_, name, ..)| name.as_str()).collect::<Vec<_>>();
        return Err(PostgresError::NodesRun { nodes: names.join(", "), schema: known });
    }
    for (id, name, ..) in behind {
        tracing::warn!(node = name, "cut off: it runs, and doesn't work on the schema that is made now");
        // What has its name is its writer's connection. It comes back, waits for the name, and finds out.
        db.batch(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
             AND classid = ({SCOPE})::oid AND objid = {id}::oid; SELECT pg_advisory_lock(({SCOPE}), {id})"
        ))?;
    }
    Ok(())
}

/// Ends the connections of nodes that don't work on the schema there is now, whether they seemed to run or not: the next that they make finds
/// out (`Db::reconnect`), and what can't ask the database answers nothing for long.
pub(super) fn end_left_behind(db: &Db, oldest: i64) -> Result<(), Error> {
    // As `Settings` names them; PostgreSQL cuts that off.
    let sql = "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a, nodes n WHERE n.knows < $1 \
               AND a.application_name = left('yaopai ' || n.name, 63) AND a.datname = current_database() \
               AND a.usename = current_user AND a.pid <> pg_backend_pid()";
    let ended: i64 = db.client(async |client| client.query_one(sql, &[&oldest]).await?.try_get(0))?;
    if ended > 0 {
        tracing::warn!(connections = ended, "ended those of nodes that don't work on the new schema");
    }
    Ok(())
}

/// What is at the bottom of it.
fn message(e: &refinery::Error) -> String {
    let mut at: &dyn std::error::Error = e;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}
