//! Opening the database: what it is, its schema, and this server's name in it.

use std::sync::Arc;

use super::db::Db;
use super::error::{Error, PostgresError};
use super::migrate::{found, migrate};
use super::settings::Settings;
use super::transactions::{GREETING, Transactions};
use crate::house::Says;

/// The oldest that the statements here run on.
const OLDEST: i32 = 130_000;
/// What a reader says first. It can't write.
pub(super) const READER: &str = "SET statement_timeout = '30s'; SET jit = off; SET default_transaction_read_only = on; \
                      SET default_transaction_isolation = 'read committed'";

pub(super) struct Opened {
    pub transactions: Transactions,
    pub readers: Vec<Db>,
    /// One more that only reads, for long queries.
    pub lister: Db,
}

pub(super) fn open(settings: &Arc<Settings>, readers: usize, rehearsal: bool) -> Result<Opened, PostgresError> {
    let db = Db::connect(settings, GREETING)?;
    fit(&db)?;
    // Before it is migrated: what is refused stays as it is. Whoever marks the database as left meanwhile has all names, and this one finds the
    // mark when it has its own.
    if found(&db)? > 0
        && let Some(why) = says(&db)?.shut(rehearsal)
    {
        return Err(PostgresError::Shut(why));
    }
    migrate(&db, GREETING)?;
    let transactions = Transactions::open(db)?;
    let node = transactions.node();
    let reader = |_| {
        let reader = Db::connect(settings, READER)?;
        reader.node.set(node);
        Ok(reader)
    };
    let lister = reader(0)?;
    let readers = (0..readers).map(reader).collect::<Result<_, PostgresError>>()?;
    Ok(Opened { transactions, readers, lister })
}

/// A connection to a database that is for us and has our schema.
pub(super) fn ready(settings: &Arc<Settings>, greeting: &'static str) -> Result<Db, PostgresError> {
    let db = Db::connect(settings, greeting)?;
    fit(&db)?;
    migrate(&db, greeting)?;
    Ok(db)
}

/// Is it a database that keeps its word?
fn fit(db: &Db) -> Result<(), PostgresError> {
    let setting = |name: &str| -> Result<String, Error> {
        let sql = format!("SHOW {name}");
        db.client(async |client| client.query_one(&sql, &[]).await?.try_get(0))
    };
    let number = setting("server_version_num")?;
    if number.parse::<i32>().is_ok_and(|number| number < OLDEST) {
        return Err(PostgresError::TooOld { found: setting("server_version")? });
    }
    let encoding = setting("server_encoding")?;
    if encoding != "UTF8" {
        return Err(PostgresError::Encoding { found: encoding });
    }
    for name in ["fsync", "full_page_writes"] {
        if setting(name)? != "on" {
            return Err(PostgresError::NotDurable { setting: name });
        }
    }
    Ok(())
}

/// What it says of moves.
pub(super) fn says(db: &Db) -> Result<Says, Error> {
    let sql = "SELECT to_char(to_timestamp(moved_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), moved_to, \
               to_char(to_timestamp(rehearsal_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM meta";
    let read =
        |row: &tokio_postgres::Row| Ok(Says { moved: (row.try_get(0)?, row.try_get(1)?), rehearsal: row.try_get(2)? });
    db.one(sql, &[], read)?.ok_or_else(|| Error::Unreadable("the row of `meta` is gone".into()))
}
