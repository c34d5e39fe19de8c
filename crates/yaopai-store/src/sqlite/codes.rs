//! Bind codes.

use rusqlite::{Connection, Row, params};
use yaopai_core::ids::{AppName, SessionId, UserId};
use yaopai_core::ports::{BIND_CODES_MAX, BindCode, BindCodeHash};
use yaopai_core::time::Timestamp;

use super::rows;
use super::writer::{Done, Work};

/// Keeps a code; of the user's others, the first to expire make room.
pub(super) fn keep(work: &mut Work<'_>, code: &BindCode) -> Done<()> {
    let sql = "DELETE FROM bind_codes WHERE hash IN (SELECT hash FROM bind_codes WHERE realm = ?1 AND user_id = ?2 \
               ORDER BY expires_at DESC, hash DESC LIMIT -1 OFFSET ?3)";
    let others = i64::try_from(BIND_CODES_MAX.saturating_sub(1)).unwrap_or(i64::MAX);
    work.db.prepare_cached(sql)?.execute(params![code.realm.as_str(), code.user.as_str(), others])?;
    let sql = "INSERT OR REPLACE INTO bind_codes (hash, realm, app, user_id, masked, expires_at, seen_by) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    work.db.prepare_cached(sql)?.execute(params![
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

pub(super) fn find(db: &Connection, hash: &BindCodeHash) -> rusqlite::Result<Option<BindCode>> {
    let sql = "SELECT hash, realm, app, user_id, masked, expires_at, seen_by FROM bind_codes WHERE hash = ?1";
    rows::one(db, sql, [hash], code)
}

pub(super) fn preview(
    work: &mut Work<'_>,
    hash: &BindCodeHash,
    id: SessionId,
    now: Timestamp,
) -> Done<Option<BindCode>> {
    let Some(session) = rows::load(work.db, id)?.filter(|s| s.ended.is_none()) else { return Ok(None) };
    let Some(mut code) = find(work.db, hash)?.filter(|code| code.shows(&session, now)) else { return Ok(None) };
    if code.seen_by.is_none() {
        code.seen_by = Some(id);
        work.db.prepare_cached("UPDATE bind_codes SET seen_by = ?2 WHERE hash = ?1")?.execute(params![hash, id.0])?;
    }
    Ok(Some(code))
}

pub(super) fn redeemed(db: &Connection, hash: &BindCodeHash) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM bind_codes WHERE hash = ?1")?.execute([hash])?;
    Ok(())
}

/// Deletes codes, the longest expired first. Answers how many.
pub(super) fn purge(work: &mut Work<'_>, now: Timestamp, limit: u32) -> Done<u32> {
    let sql = "DELETE FROM bind_codes WHERE hash IN \
               (SELECT hash FROM bind_codes WHERE expires_at <= ?1 ORDER BY expires_at, hash LIMIT ?2)";
    let gone = work.db.prepare_cached(sql)?.execute(params![now.0, limit])?;
    Ok(u32::try_from(gone).unwrap_or(u32::MAX))
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
