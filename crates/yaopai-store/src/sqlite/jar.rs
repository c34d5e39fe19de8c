//! Jars: a row for each cookie, and a version with the session.

use rusqlite::{Connection, Row, params};
use yaopai_core::ids::{SessionId, UserId};
use yaopai_core::ports::{Jar, JarCookie, Slot};
use yaopai_core::time::Timestamp;

use super::rows;
use crate::rows::JarRows;

impl JarRows for Connection {
    fn jar(&self, session: SessionId) -> rusqlite::Result<Jar> {
        // One statement each, and another commit may come in between: both in one transaction.
        let at_once = self.unchecked_transaction()?;
        let jar = match self.jar_head(session)? {
            Some((version, user)) => Jar { version, user, cookies: self.cookies(session)? },
            None => Jar::default(),
        };
        at_once.commit()?;
        Ok(jar)
    }

    fn jar_head(&self, session: SessionId) -> rusqlite::Result<Option<(u64, Option<UserId>)>> {
        let sql = "SELECT jar_version, user_id FROM sessions WHERE id = ?1 AND ended_at IS NULL";
        rows::one(self, sql, [session.0], |r| {
            let user: Option<String> = r.get(1)?;
            Ok((r.get::<_, i64>(0)?.cast_unsigned(), user.as_deref().map(UserId::from)))
        })
    }

    fn cookies(&self, session: SessionId) -> rusqlite::Result<Vec<JarCookie>> {
        let sql = "SELECT slot, twin, site, everywhere, expires_at, created, used_at, sealed FROM jar \
                   WHERE session = ?1 ORDER BY created";
        rows::all(self, sql, [session.0], cookie)
    }

    fn write_cookie(&self, session: SessionId, cookie: &JarCookie) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO jar (session, slot, twin, site, everywhere, expires_at, created, used_at, sealed) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        self.prepare_cached(sql)?.execute(params![
            session.0,
            cookie.slot,
            cookie.twin,
            cookie.site,
            cookie.everywhere,
            cookie.expires_at.map(|at| at.0),
            cookie.created.cast_signed(),
            cookie.used_at.0,
            cookie.sealed,
        ])?;
        Ok(())
    }

    fn drop_cookie(&self, session: SessionId, slot: &Slot) -> rusqlite::Result<()> {
        let sql = "DELETE FROM jar WHERE session = ?1 AND slot = ?2";
        self.prepare_cached(sql)?.execute(params![session.0, slot])?;
        Ok(())
    }

    fn count_jar(&self, session: SessionId) -> rusqlite::Result<()> {
        let sql = "UPDATE sessions SET jar_version = jar_version + 1 WHERE id = ?1";
        self.prepare_cached(sql)?.execute([session.0])?;
        Ok(())
    }

    fn delete_jar(&self, session: SessionId) -> rusqlite::Result<()> {
        self.prepare_cached("DELETE FROM jar WHERE session = ?1")?.execute([session.0])?;
        Ok(())
    }
}

fn cookie(row: &Row<'_>) -> rusqlite::Result<JarCookie> {
    Ok(JarCookie {
        slot: row.get(0)?,
        twin: row.get(1)?,
        site: row.get(2)?,
        everywhere: row.get(3)?,
        expires_at: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        created: row.get::<_, i64>(5)?.cast_unsigned(),
        used_at: Timestamp(row.get(6)?),
        sealed: row.get(7)?,
    })
}
