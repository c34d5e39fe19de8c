//! Jars: a row for each cookie, and a version with the session.

use rusqlite::{Connection, Row, params};
use yaopai_core::ids::{SessionId, UserId};
use yaopai_core::jar;
use yaopai_core::ports::{Jar, JarChange, JarCookie};
use yaopai_core::time::Timestamp;

use super::rows;
use super::writer::{Done, Work};

/// The version and the cookies, of one moment.
pub(super) fn read(db: &Connection, session: SessionId) -> rusqlite::Result<Jar> {
    // One statement each, and another commit may come in between: both in one transaction.
    let at_once = db.unchecked_transaction()?;
    let jar = match live(db, session)? {
        Some((version, user)) => Jar { version, user, cookies: cookies(db, session)? },
        None => Jar::default(),
    };
    at_once.commit()?;
    Ok(jar)
}

/// The rule decides over the whole jar; the rows of cookies that it changes are written, no others.
pub(super) fn put(work: &mut Work<'_>, change: &JarChange) -> Done<Option<u64>> {
    let (db, session) = (work.db, change.session);
    let Some((version, user)) = live(db, session)? else { return Ok(None) };
    if user != change.user {
        return Ok(None);
    }
    let mut cookies = cookies(db, session)?;
    let changed = jar::keep(&mut cookies, change);
    if changed.is_empty() {
        return Ok(Some(version));
    }
    for slot in changed {
        match cookies.iter().find(|cookie| cookie.slot == slot) {
            Some(cookie) => write(db, session, cookie)?,
            None => {
                let sql = "DELETE FROM jar WHERE session = ?1 AND slot = ?2";
                db.prepare_cached(sql)?.execute(params![session.0, slot])?;
            }
        }
    }
    count(db, session)?;
    Ok(Some(version + 1))
}

/// Empties the jar of a session that goes on.
pub(super) fn empty(db: &Connection, session: SessionId) -> rusqlite::Result<()> {
    delete(db, session)?;
    count(db, session)
}

/// Deletes the rows of a session that has ended.
pub(super) fn delete(db: &Connection, session: SessionId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM jar WHERE session = ?1")?.execute([session.0])?;
    Ok(())
}

fn count(db: &Connection, session: SessionId) -> rusqlite::Result<()> {
    let sql = "UPDATE sessions SET jar_version = jar_version + 1 WHERE id = ?1";
    db.prepare_cached(sql)?.execute([session.0])?;
    Ok(())
}

/// `None` if the session has ended, or there is none.
pub(super) fn version(db: &Connection, session: SessionId) -> rusqlite::Result<Option<u64>> {
    Ok(live(db, session)?.map(|(version, _)| version))
}

/// The jar's version and the session's user.
fn live(db: &Connection, session: SessionId) -> rusqlite::Result<Option<(u64, Option<UserId>)>> {
    let sql = "SELECT jar_version, user_id FROM sessions WHERE id = ?1 AND ended_at IS NULL";
    rows::one(db, sql, [session.0], |r| {
        let user: Option<String> = r.get(1)?;
        Ok((r.get::<_, i64>(0)?.cast_unsigned(), user.as_deref().map(UserId::from)))
    })
}

fn cookies(db: &Connection, session: SessionId) -> rusqlite::Result<Vec<JarCookie>> {
    let sql = "SELECT slot, twin, site, everywhere, expires_at, created, used_at, sealed FROM jar \
               WHERE session = ?1 ORDER BY created";
    rows::all(db, sql, [session.0], cookie)
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

fn write(db: &Connection, session: SessionId, cookie: &JarCookie) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO jar (session, slot, twin, site, everywhere, expires_at, created, used_at, sealed) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    db.prepare_cached(sql)?.execute(params![
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
