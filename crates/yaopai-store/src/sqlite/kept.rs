//! Answers of admin calls.

use rusqlite::{Connection, params};
use yaopai_core::ids::Realm;
use yaopai_core::ports::{Keep, KeptAnswer};
use yaopai_core::time::Timestamp;

use super::rows;
use crate::rows::KeptRows;

impl KeptRows for Connection {
    fn kept(&self, key: &[u8; 32], now: Timestamp) -> rusqlite::Result<Option<KeptAnswer>> {
        let sql = "SELECT request, sealed FROM idempotency WHERE key = ?1 AND expires_at > ?2";
        rows::one(self, sql, params![key, now.0], |r| Ok(KeptAnswer { request: r.get(0)?, sealed: r.get(1)? }))
    }

    fn count_kept(&self, realm: &Realm) -> rusqlite::Result<u64> {
        let sql = "SELECT kept FROM idempotency_counts WHERE realm = ?1";
        Ok(rows::one(self, sql, [realm.as_str()], |r| r.get::<_, i64>(0))?.unwrap_or(0).unsigned_abs())
    }

    fn keep_answer(&self, realm: &Realm, keep: &Keep, sealed: &[u8]) -> rusqlite::Result<()> {
        // Not by `OR REPLACE`: that tells no trigger, and the count would run away.
        self.prepare_cached("DELETE FROM idempotency WHERE key = ?1")?.execute([keep.key])?;
        let sql = "INSERT INTO idempotency (key, realm, request, sealed, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";
        let params = params![keep.key, realm.as_str(), keep.request, sealed, keep.expires_at.0];
        self.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }

    fn purge_answers(&self, now: Timestamp, limit: u32) -> rusqlite::Result<u32> {
        let sql = "DELETE FROM idempotency WHERE key IN \
                   (SELECT key FROM idempotency WHERE expires_at <= ?1 ORDER BY expires_at, key LIMIT ?2)";
        rows::change(self, sql, params![now.0, limit])
    }
}
