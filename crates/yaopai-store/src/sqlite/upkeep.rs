//! What the server itself keeps: when it was alive, data keys; and the sweeps.

use rusqlite::{Connection, params};
use yaopai_core::ids::SessionId;
use yaopai_core::ports::DataKey;
use yaopai_core::time::{Downtime, Timestamp, Uptime};

use super::rows;
use super::writer::{Done, Failure, Work};
use crate::rules;

pub(super) fn resume(work: &mut Work<'_>, now: Timestamp) -> Done<Downtime> {
    let sql = "UPDATE meta SET downtime_ms = downtime_ms + max(0, ?1 - ifnull(alive_at, ?1)), \
               alive_at = max(ifnull(alive_at, ?1), ?1) \
               RETURNING downtime_ms";
    Ok(Downtime(work.db.prepare_cached(sql)?.query_row([now.0], |r| r.get(0))?))
}

/// An ended session is left as it is; the others never go back.
pub(super) fn seen(work: &mut Work<'_>, seen: &[(SessionId, Uptime)]) -> Done<()> {
    let sql = "UPDATE sessions SET last_seen = ?2 WHERE id = ?1 AND last_seen < ?2 AND ended_at IS NULL";
    let mut statement = work.db.prepare_cached(sql)?;
    for (id, at) in seen {
        statement.execute(params![id.0, at.0])?;
    }
    Ok(())
}

pub(super) fn alive(work: &mut Work<'_>, at: Timestamp) -> Done<()> {
    let sql = "UPDATE meta SET alive_at = max(ifnull(alive_at, ?1), ?1)";
    work.db.prepare_cached(sql)?.execute([at.0])?;
    Ok(())
}

/// Deletes login records, the longest expired first. Answers how many.
pub(super) fn purge_logins(work: &mut Work<'_>, now: Timestamp, limit: u32) -> Done<u32> {
    let sql = "DELETE FROM logins WHERE key IN \
               (SELECT key FROM logins WHERE expires_at <= ?1 ORDER BY expires_at, key LIMIT ?2)";
    let gone = work.db.prepare_cached(sql)?.execute(params![now.0, limit])?;
    Ok(u32::try_from(gone).unwrap_or(u32::MAX))
}

/// Deletes sessions, the longest ended first. Answers how many.
pub(super) fn purge_sessions(work: &mut Work<'_>, ended_before: Timestamp, limit: u32) -> Done<u32> {
    let sql = "SELECT id FROM sessions WHERE ended_at < ?1 ORDER BY ended_at, id LIMIT ?2";
    let ids = rows::all(work.db, sql, params![ended_before.0, limit], rows::session_id)?;
    for id in &ids {
        work.db.prepare_cached("DELETE FROM sessions WHERE id = ?1")?.execute([id.0])?;
    }
    Ok(u32::try_from(ids.len()).unwrap_or(u32::MAX))
}

pub(super) fn data_keys(db: &Connection) -> rusqlite::Result<Vec<DataKey>> {
    rows::all(db, "SELECT id, sealed, reserved FROM data_keys ORDER BY id", [], |r| {
        Ok(DataKey { id: r.get(0)?, sealed: r.get(1)?, reserved: r.get::<_, i64>(2)?.unsigned_abs() })
    })
}

pub(super) fn add_data_key(work: &mut Work<'_>, key: &DataKey) -> Done<bool> {
    let sql = "INSERT INTO data_keys (id, sealed, reserved) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING";
    Ok(work.db.prepare_cached(sql)?.execute(params![key.id, key.sealed, stored(key.reserved)])? > 0)
}

pub(super) fn reserve_seals(work: &mut Work<'_>, key: u32, count: u64) -> Done<u64> {
    let sql = "SELECT reserved FROM data_keys WHERE id = ?1";
    let reserved: Option<i64> = rows::one(work.db, sql, [key], |r| r.get(0))?;
    let reserved = reserved.ok_or_else(|| Failure::Refused(rules::refuse("no such data key")))?;
    let reserved = reserved.saturating_add(stored(count));
    work.db.prepare_cached("UPDATE data_keys SET reserved = ?2 WHERE id = ?1")?.execute(params![key, reserved])?;
    Ok(reserved.unsigned_abs())
}

/// SQLite's integers are signed.
fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
