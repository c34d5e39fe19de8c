//! Answers of admin calls.

use yaopai_core::ids::Realm;
use yaopai_core::ports::{Keep, KeptAnswer};
use yaopai_core::time::Timestamp;

use super::db::Db;
use super::rows::{self, Read};
use crate::rows::KeptRows;

impl KeptRows for Db {
    fn kept(&self, key: &[u8; 32], now: Timestamp) -> Read<Option<KeptAnswer>> {
        let sql = "SELECT request, sealed FROM idempotency WHERE key = $1 AND expires_at > $2";
        self.one(sql, &[&key.as_slice(), &now.0], |row| {
            Ok(KeptAnswer { request: rows::bytes(row, 0)?, sealed: rows::get(row, 1)? })
        })
    }

    fn count_kept(&self, realm: &Realm) -> Read<u64> {
        let sql = "SELECT kept FROM idempotency_counts WHERE realm = $1";
        Ok(self.one(sql, &[&realm.as_str()], |row| rows::count(row, 0))?.unwrap_or(0))
    }

    fn keep_answer(&self, realm: &Realm, keep: &Keep, sealed: &[u8]) -> Read<()> {
        self.change("DELETE FROM idempotency WHERE key = $1", &[&keep.key.as_slice()])?;
        let sql = "INSERT INTO idempotency (key, realm, request, sealed, expires_at) VALUES ($1, $2, $3, $4, $5)";
        let (key, request) = (keep.key.as_slice(), keep.request.as_slice());
        self.change(sql, &[&key, &realm.as_str(), &request, &sealed, &keep.expires_at.0])?;
        Ok(())
    }

    fn purge_answers(&self, now: Timestamp, limit: u32) -> Read<u32> {
        let sql = "DELETE FROM idempotency WHERE key IN \
                   (SELECT key FROM idempotency WHERE expires_at <= $1 ORDER BY expires_at, key LIMIT $2)";
        self.change(sql, &[&now.0, &i64::from(limit)])
    }
}
