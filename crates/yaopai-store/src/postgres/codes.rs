//! Bind codes.

use tokio_postgres::Row;
use yaopai_core::ids::{AppName, SessionId};
use yaopai_core::ports::{BindCode, BindCodeHash};
use yaopai_core::time::Timestamp;

use super::db::Db;
use super::error::Error;
use super::rows::{self, Read};
use super::value::Id;
use crate::rows::CodeRows;

impl CodeRows for Db {
    fn code(&self, hash: &BindCodeHash) -> Read<Option<BindCode>> {
        let sql = "SELECT hash, realm, app, user_id, masked, expires_at, seen_by FROM bind_codes WHERE hash = $1";
        self.one(sql, &[&hash.as_slice()], code)
    }

    fn keep_code(&self, code: &BindCode, others: i64) -> Read<()> {
        let sql = "DELETE FROM bind_codes WHERE hash IN (SELECT hash FROM bind_codes WHERE realm = $1 AND user_id = $2 \
                   ORDER BY expires_at DESC, hash DESC OFFSET $3)";
        let (realm, user) = (code.realm.as_str(), code.user.as_str().as_bytes());
        self.change(sql, &[&realm, &user, &others])?;
        let sql = "INSERT INTO bind_codes (hash, realm, app, user_id, masked, expires_at, seen_by) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (hash) DO UPDATE SET realm = excluded.realm, \
                   app = excluded.app, user_id = excluded.user_id, masked = excluded.masked, \
                   expires_at = excluded.expires_at, seen_by = excluded.seen_by";
        self.change(
            sql,
            &[
                &code.hash.as_slice(),
                &realm,
                &code.app.as_ref().map(AppName::as_str),
                &user,
                &code.masked.as_bytes(),
                &code.expires_at.0,
                &code.seen_by.map(|id| Id(id.0)),
            ],
        )?;
        Ok(())
    }

    fn see_code(&self, hash: &BindCodeHash, by: SessionId) -> Read<()> {
        self.change("UPDATE bind_codes SET seen_by = $2 WHERE hash = $1", &[&hash.as_slice(), &Id(by.0)])?;
        Ok(())
    }

    fn drop_code(&self, hash: &BindCodeHash) -> Read<()> {
        self.change("DELETE FROM bind_codes WHERE hash = $1", &[&hash.as_slice()])?;
        Ok(())
    }

    fn purge_codes(&self, now: Timestamp, limit: u32) -> Read<u32> {
        let sql = "DELETE FROM bind_codes WHERE hash IN \
                   (SELECT hash FROM bind_codes WHERE expires_at <= $1 ORDER BY expires_at, hash LIMIT $2)";
        self.change(sql, &[&now.0, &i64::from(limit)])
    }
}

fn code(row: &Row) -> Read<BindCode> {
    Ok(BindCode {
        hash: rows::bytes(row, 0)?,
        realm: rows::realm(row, 1)?,
        app: rows::get::<Option<&str>>(row, 2)?.map(AppName::from),
        user: rows::user(row, 3)?.ok_or_else(|| Error::Unreadable("a code without a user".into()))?,
        masked: rows::name(row, 4)?,
        expires_at: rows::at(row, 5)?,
        seen_by: rows::get::<Option<Id>>(row, 6)?.map(|id| SessionId(id.0)),
    })
}
