//! What the server itself keeps: when it was alive, data keys, and what is known of signed requests over a restart.

use rusqlite::{Connection, params};
use yaopai_core::ports::{DataKey, PastProofs};
use yaopai_core::time::{Downtime, Timestamp};

use super::rows;
use crate::rows::ServerRows;

impl ServerRows for Connection {
    fn resume(&self, now: Timestamp) -> rusqlite::Result<Downtime> {
        let sql = "UPDATE meta SET downtime_ms = downtime_ms + max(0, ?1 - ifnull(alive_at, ?1)), \
                   alive_at = max(ifnull(alive_at, ?1), ?1) \
                   RETURNING downtime_ms";
        Ok(Downtime(self.prepare_cached(sql)?.query_row([now.0], |r| r.get(0))?))
    }

    fn alive(&self, at: Timestamp) -> rusqlite::Result<()> {
        let sql = "UPDATE meta SET alive_at = max(ifnull(alive_at, ?1), ?1)";
        self.prepare_cached(sql)?.execute([at.0])?;
        Ok(())
    }

    fn data_keys(&self) -> rusqlite::Result<Vec<DataKey>> {
        rows::all(self, "SELECT id, sealed, reserved FROM data_keys ORDER BY id", [], |r| {
            Ok(DataKey { id: r.get(0)?, sealed: r.get(1)?, reserved: r.get::<_, i64>(2)?.unsigned_abs() })
        })
    }

    fn add_data_key(&self, key: &DataKey) -> rusqlite::Result<bool> {
        let sql = "INSERT INTO data_keys (id, sealed, reserved) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING";
        Ok(self.prepare_cached(sql)?.execute(params![key.id, key.sealed, stored(key.reserved)])? > 0)
    }

    fn reserve_seals(&self, key: u32, count: u64) -> rusqlite::Result<Option<u64>> {
        let reserved: Option<i64> =
            rows::one(self, "SELECT reserved FROM data_keys WHERE id = ?1", [key], |r| r.get(0))?;
        let Some(reserved) = reserved else { return Ok(None) };
        let reserved = reserved.saturating_add(stored(count));
        self.prepare_cached("UPDATE data_keys SET reserved = ?2 WHERE id = ?1")?.execute(params![key, reserved])?;
        Ok(Some(reserved.unsigned_abs()))
    }

    fn lease_proofs(&self, until: Timestamp) -> rusqlite::Result<bool> {
        let sql = "UPDATE nodes SET leased_until = max(ifnull(leased_until, ?1), ?1) WHERE id = 0";
        Ok(self.prepare_cached(sql)?.execute([until.0])? > 0)
    }

    fn take_proofs(&self) -> rusqlite::Result<PastProofs> {
        let read = |row: &rusqlite::Row<'_>| {
            let at = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp));
            Ok(PastProofs { leased_until: at(0)?, saved: row.get(1)?, elsewhere: at(2)? })
        };
        let sql =
            "SELECT leased_until, saved, (SELECT max(leased_until) FROM nodes WHERE id <> 0) FROM nodes WHERE id = 0";
        let past = rows::one(self, sql, [], read)?.unwrap_or_default();
        self.prepare_cached("UPDATE nodes SET saved = NULL WHERE id = 0")?.execute([])?;
        Ok(past)
    }

    fn keep_proofs(&self, sealed: &[u8]) -> rusqlite::Result<()> {
        self.prepare_cached("UPDATE nodes SET saved = ?1 WHERE id = 0")?.execute([sealed])?;
        Ok(())
    }

    fn tidy(&self, _limit: u32) -> rusqlite::Result<u32> {
        Ok(0)
    }
}

/// SQLite's integers are signed.
fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
