//! What the server itself keeps: when one was alive, data keys, and what is known of signed requests over a restart.

use yaopai_core::ports::{DataKey, PastProofs};
use yaopai_core::time::{Downtime, Timestamp};

use super::db::Db;
use super::error::Error;
use super::rows::{self, Read};
use crate::rows::ServerRows;

impl ServerRows for Db {
    fn resume(&self, now: Timestamp) -> Read<Downtime> {
        let sql = "UPDATE meta SET downtime_ms = downtime_ms + greatest(0, $1 - coalesce(alive_at, $1)), \
                   alive_at = greatest(alive_at, $1) RETURNING downtime_ms";
        let downtime = self.one(sql, &[&now.0], |row| rows::get(row, 0))?;
        downtime.map(Downtime).ok_or_else(|| Error::Unreadable("the row of `meta` is gone".into()))
    }

    fn alive(&self, at: Timestamp) -> Read<()> {
        self.change("UPDATE meta SET alive_at = greatest(alive_at, $1)", &[&at.0])?;
        Ok(())
    }

    fn data_keys(&self) -> Read<Vec<DataKey>> {
        self.all("SELECT id, sealed, reserved FROM data_keys ORDER BY id", &[], |row| {
            let id = u32::try_from(rows::get::<i64>(row, 0)?).map_err(|e| Error::Unreadable(e.to_string()))?;
            Ok(DataKey { id, sealed: rows::get(row, 1)?, reserved: rows::get::<i64>(row, 2)?.unsigned_abs() })
        })
    }

    fn add_data_key(&self, key: &DataKey) -> Read<bool> {
        let sql = "INSERT INTO data_keys (id, sealed, reserved) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
        Ok(self.change(sql, &[&i64::from(key.id), &key.sealed, &stored(key.reserved)])? > 0)
    }

    fn reserve_seals(&self, key: u32, count: u64) -> Read<Option<u64>> {
        let sql = "SELECT reserved FROM data_keys WHERE id = $1";
        let id = i64::from(key);
        let Some(reserved) = self.one(sql, &[&id], |row| rows::get::<i64>(row, 0))? else { return Ok(None) };
        let reserved = reserved.saturating_add(stored(count));
        self.change("UPDATE data_keys SET reserved = $2 WHERE id = $1", &[&id, &reserved])?;
        Ok(Some(reserved.unsigned_abs()))
    }

    fn lease_proofs(&self, until: Timestamp) -> Read<bool> {
        let sql = "UPDATE nodes SET leased_until = greatest(leased_until, $1) WHERE id = $2";
        Ok(self.change(sql, &[&until.0, &self.node.get()])? > 0)
    }

    /// What this server has kept counts only if no other accepted requests since that may still be shown again: two minutes are
    /// more than a request is good for and a lease is long. Otherwise nothing is known but until when there may have been some.
    fn take_proofs(&self) -> Read<PastProofs> {
        let sql = "SELECT (SELECT max(leased_until) FROM nodes), \
                   CASE WHEN NOT EXISTS (SELECT FROM nodes o WHERE o.id <> n.id \
                   AND o.leased_until > coalesce(n.leased_until, o.leased_until) - 120000) THEN n.saved END \
                   FROM nodes n WHERE n.id = $1";
        let node = self.node.get();
        let past = self.one(sql, &[&node], |row| {
            Ok(PastProofs { leased_until: rows::at_if_any(row, 0)?, saved: rows::get(row, 1)?, elsewhere: None })
        })?;
        self.change("UPDATE nodes SET saved = NULL WHERE id = $1 AND saved IS NOT NULL", &[&node])?;
        Ok(past.unwrap_or_default())
    }

    fn keep_proofs(&self, sealed: &[u8]) -> Read<()> {
        self.change("UPDATE nodes SET saved = $1 WHERE id = $2", &[&sealed, &self.node.get()])?;
        Ok(())
    }

    /// Rows of the log of changes that nobody needs any more: a server that has not read for so long begins anew.
    fn tidy(&self, limit: u32) -> Read<u32> {
        // None of a transaction that a snapshot might still not see: then who has read lately has read them all.
        let sql = "WITH gone AS (DELETE FROM changes WHERE ctid = ANY (ARRAY (SELECT ctid FROM changes \
                   WHERE at < now() - interval '10 minutes' AND xid < pg_snapshot_xmin(pg_current_snapshot()) \
                   ORDER BY xid LIMIT $1)) RETURNING xid::text::bigint AS xid), \
                   told AS (UPDATE meta SET changes_from = greatest(changes_from, 1 + (SELECT max(xid) FROM gone)) \
                   WHERE EXISTS (SELECT FROM gone)) SELECT count(*) FROM gone";
        let gone = self.one(sql, &[&i64::from(limit)], |row| rows::get::<i64>(row, 0))?;
        Ok(u32::try_from(gone.unwrap_or_default()).unwrap_or(u32::MAX))
    }
}

/// The database's integers are signed.
fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
