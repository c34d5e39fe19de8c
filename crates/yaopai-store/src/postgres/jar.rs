//! Jars: a row for each cookie, and a version with the session.

use tokio_postgres::Row;
use yaopai_core::ids::{SessionId, UserId};
use yaopai_core::ports::{Jar, JarCookie, Slot};

use super::db::Db;
use super::rows::{self, Read};
use super::value::Id;
use crate::rows::JarRows;

impl JarRows for Db {
    fn jar(&self, session: SessionId) -> Read<Jar> {
        // One statement sees one moment.
        let sql = "SELECT s.jar_version, s.user_id, j.slot IS NOT NULL, j.slot, j.twin, j.site, j.everywhere, j.expires_at, \
                   j.created, j.used_at, j.sealed FROM sessions s LEFT JOIN jar j ON j.session = s.id \
                   WHERE s.id = $1 AND s.ended_at IS NULL ORDER BY j.created";
        let mut jar = Jar::default();
        self.all(sql, &[&Id(session.0)], |row| {
            (jar.version, jar.user) = (rows::count(row, 0)?, rows::user(row, 1)?);
            if rows::get(row, 2)? {
                jar.cookies.push(cookie(row, 3)?);
            }
            Ok(())
        })?;
        Ok(jar)
    }

    fn jar_head(&self, session: SessionId) -> Read<Option<(u64, Option<UserId>)>> {
        let sql = "SELECT jar_version, user_id FROM sessions WHERE id = $1 AND ended_at IS NULL";
        self.one(sql, &[&Id(session.0)], |row| Ok((rows::count(row, 0)?, rows::user(row, 1)?)))
    }

    fn cookies(&self, session: SessionId) -> Read<Vec<JarCookie>> {
        let sql = "SELECT slot, twin, site, everywhere, expires_at, created, used_at, sealed FROM jar \
                   WHERE session = $1 ORDER BY created";
        self.all(sql, &[&Id(session.0)], |row| cookie(row, 0))
    }

    fn write_cookie(&self, session: SessionId, cookie: &JarCookie) -> Read<()> {
        let sql = "INSERT INTO jar (session, slot, twin, site, everywhere, expires_at, created, used_at, sealed) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (session, slot) DO UPDATE SET \
                   twin = excluded.twin, site = excluded.site, everywhere = excluded.everywhere, \
                   expires_at = excluded.expires_at, created = excluded.created, used_at = excluded.used_at, \
                   sealed = excluded.sealed";
        self.change(
            sql,
            &[
                &Id(session.0),
                &cookie.slot.as_slice(),
                &cookie.twin.as_slice(),
                &cookie.site.as_slice(),
                &cookie.everywhere,
                &cookie.expires_at.map(|at| at.0),
                &cookie.created.cast_signed(),
                &cookie.used_at.0,
                &cookie.sealed,
            ],
        )?;
        Ok(())
    }

    fn drop_cookie(&self, session: SessionId, slot: &Slot) -> Read<()> {
        self.change("DELETE FROM jar WHERE session = $1 AND slot = $2", &[&Id(session.0), &slot.as_slice()])?;
        Ok(())
    }

    fn count_jar(&self, session: SessionId) -> Read<()> {
        self.change("UPDATE sessions SET jar_version = jar_version + 1 WHERE id = $1", &[&Id(session.0)])?;
        Ok(())
    }

    fn delete_jar(&self, session: SessionId) -> Read<()> {
        self.change("DELETE FROM jar WHERE session = $1", &[&Id(session.0)])?;
        Ok(())
    }
}

fn cookie(row: &Row, from: usize) -> Read<JarCookie> {
    Ok(JarCookie {
        slot: rows::bytes(row, from)?,
        twin: rows::bytes(row, from + 1)?,
        site: rows::bytes(row, from + 2)?,
        everywhere: rows::get(row, from + 3)?,
        expires_at: rows::at_if_any(row, from + 4)?,
        created: rows::count(row, from + 5)?,
        used_at: rows::at(row, from + 6)?,
        sealed: rows::get(row, from + 7)?,
    })
}
