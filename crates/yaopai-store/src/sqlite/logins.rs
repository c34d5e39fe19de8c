//! Answers of logins.

use rusqlite::{Connection, params};
use yaopai_core::ids::SessionId;
use yaopai_core::ports::LoginRecord;
use yaopai_core::time::Timestamp;

use super::rows;
use crate::rows::LoginRows;

impl LoginRows for Connection {
    fn login_record(&self, key: &[u8; 32]) -> rusqlite::Result<Option<LoginRecord>> {
        rows::one(self, "SELECT session, sealed, expires_at FROM logins WHERE key = ?1", [key], |r| {
            Ok(LoginRecord {
                key: *key,
                session: SessionId(r.get(0)?),
                sealed: r.get(1)?,
                expires_at: Timestamp(r.get(2)?),
            })
        })
    }

    fn keep_login(&self, login: &LoginRecord, now: Timestamp) -> rusqlite::Result<bool> {
        let sql = "INSERT INTO logins (key, session, sealed, expires_at) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (key) DO UPDATE SET session = excluded.session, sealed = excluded.sealed, \
                   expires_at = excluded.expires_at WHERE expires_at <= ?5";
        let params = params![login.key, login.session.0, login.sealed, login.expires_at.0, now.0];
        Ok(self.prepare_cached(sql)?.execute(params)? > 0)
    }

    fn purge_logins(&self, now: Timestamp, limit: u32) -> rusqlite::Result<u32> {
        let sql = "DELETE FROM logins WHERE key IN \
                   (SELECT key FROM logins WHERE expires_at <= ?1 ORDER BY expires_at, key LIMIT ?2)";
        rows::change(self, sql, params![now.0, limit])
    }
}
