//! Bind codes.

use rusqlite::{Connection, Row, params};
use yaopai_core::ids::{AppName, SessionId, UserId};
use yaopai_core::ports::{BindCode, BindCodeHash};
use yaopai_core::time::Timestamp;

use super::rows;
use crate::rows::CodeRows;

impl CodeRows for Connection {
    fn code(&self, hash: &BindCodeHash) -> rusqlite::Result<Option<BindCode>> {
        let sql = "SELECT hash, realm, app, user_id, masked, expires_at, seen_by FROM bind_codes WHERE hash = ?1";
        rows::one(self, sql, [hash], code)
    }

    fn keep_code(&self, code: &BindCode, others: i64) -> rusqlite::Result<()> {
        let sql = "DELETE FROM bind_codes WHERE hash IN (SELECT hash FROM bind_codes WHERE realm = ?1 AND user_id = ?2 \
                   ORDER BY expires_at DESC, hash DESC LIMIT -1 OFFSET ?3)";
        self.prepare_cached(sql)?.execute(params![code.realm.as_str(), code.user.as_str(), others])?;
        let sql = "INSERT OR REPLACE INTO bind_codes (hash, realm, app, user_id, masked, expires_at, seen_by) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.prepare_cached(sql)?.execute(params![
            code.hash,
            code.realm.as_str(),
            code.app.as_ref().map(AppName::as_str),
            code.user.as_str(),
            code.masked,
            code.expires_at.0,
            code.seen_by.map(|id| id.0),
        ])?;
        Ok(())
    }

    fn see_code(&self, hash: &BindCodeHash, by: SessionId) -> rusqlite::Result<()> {
        self.prepare_cached("UPDATE bind_codes SET seen_by = ?2 WHERE hash = ?1")?.execute(params![hash, by.0])?;
        Ok(())
    }

    fn drop_code(&self, hash: &BindCodeHash) -> rusqlite::Result<()> {
        self.prepare_cached("DELETE FROM bind_codes WHERE hash = ?1")?.execute([hash])?;
        Ok(())
    }

    fn purge_codes(&self, now: Timestamp, limit: u32) -> rusqlite::Result<u32> {
        let sql = "DELETE FROM bind_codes WHERE hash IN \
                   (SELECT hash FROM bind_codes WHERE expires_at <= ?1 ORDER BY expires_at, hash LIMIT ?2)";
        rows::change(self, sql, params![now.0, limit])
    }
}

fn code(row: &Row<'_>) -> rusqlite::Result<BindCode> {
    Ok(BindCode {
        hash: row.get(0)?,
        realm: rows::realm(row, 1)?,
        app: row.get_ref(2)?.as_str_or_null()?.map(AppName::from),
        user: UserId::from(row.get_ref(3)?.as_str()?),
        masked: row.get(4)?,
        expires_at: Timestamp(row.get(5)?),
        seen_by: row.get::<_, Option<[u8; 16]>>(6)?.map(SessionId),
    })
}
