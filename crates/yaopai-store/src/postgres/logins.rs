//! Answers of logins.

use yaopai_core::ids::SessionId;
use yaopai_core::ports::LoginRecord;
use yaopai_core::time::Timestamp;

use super::db::Db;
use super::later::owned;
use super::rows::{self, Read};
use super::value::Id;
use crate::rows::LoginRows;

impl LoginRows for Db {
    fn login_record(&self, key: &[u8; 32]) -> Read<Option<LoginRecord>> {
        self.one("SELECT session, sealed, expires_at FROM logins WHERE key = $1", &[&key.as_slice()], |row| {
            Ok(LoginRecord {
                key: *key,
                session: SessionId(rows::id(row, 0)?),
                sealed: rows::get(row, 1)?,
                expires_at: rows::at(row, 2)?,
            })
        })
    }

    fn keep_login(&self, login: &LoginRecord, now: Timestamp) -> Read<bool> {
        let sql = "INSERT INTO logins AS l (key, session, sealed, expires_at) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (key) DO UPDATE SET session = excluded.session, sealed = excluded.sealed, \
                   expires_at = excluded.expires_at WHERE l.expires_at <= $5";
        let (key, session) = (login.key.as_slice(), Id(login.session.0));
        Ok(self.change(sql, &[&key, &session, &login.sealed, &login.expires_at.0, &now.0])? > 0)
    }

    fn put_login(&self, login: &LoginRecord) -> Read<()> {
        let sql = "INSERT INTO logins (key, session, sealed, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (key) \
                   DO UPDATE SET session = excluded.session, sealed = excluded.sealed, expires_at = excluded.expires_at";
        let (key, session) = (login.key.to_vec(), Id(login.session.0));
        self.later(sql, owned![key, session, login.sealed.clone(), login.expires_at.0])
    }

    fn purge_logins(&self, now: Timestamp, limit: u32) -> Read<u32> {
        let sql = "DELETE FROM logins WHERE key IN \
                   (SELECT key FROM logins WHERE expires_at <= $1 ORDER BY expires_at, key LIMIT $2)";
        self.change(sql, &[&now.0, &i64::from(limit)])
    }
}
