//! Keys of sessions, and what is known of signed requests over a restart.

use rusqlite::params;
use yaopai_core::ids::SessionId;
use yaopai_core::ports::{Change, PastProofs};
use yaopai_core::session::Session;
use yaopai_core::time::Timestamp;

use super::rows;
use super::writer::{Done, Failure, Work};
use crate::rules::refuse;

pub(super) fn renew_key(work: &mut Work<'_>, id: SessionId, version: u32, sealed: &[u8]) -> Done<Option<Session>> {
    // Of two that come at the same time the newer one stays, whichever is last.
    let sql = "UPDATE sessions SET key_version = ?2, key = ?3 \
               WHERE id = ?1 AND key_kind = 'wechat' AND key_version < ?2 AND ended_at IS NULL";
    if work.db.prepare_cached(sql)?.execute(params![id.0, version, sealed])? == 0 {
        return Ok(None);
    }
    let session = rows::load(work.db, id)?;
    work.changes.extend(session.iter().map(|session| Change::Put(Box::new(session.clone()))));
    Ok(session)
}

pub(super) fn lease(work: &mut Work<'_>, until: Timestamp) -> Done<()> {
    let sql = "UPDATE proofs SET leased_until = max(ifnull(leased_until, ?1), ?1)";
    // Without the row the next start would take itself for the first, and what is accepted now for what never was.
    if work.db.prepare_cached(sql)?.execute([until.0])? == 0 {
        return Err(Failure::Refused(refuse("the row of `proofs` is gone: the database was edited")));
    }
    Ok(())
}

pub(super) fn take(work: &mut Work<'_>) -> Done<PastProofs> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(PastProofs { leased_until: row.get::<_, Option<i64>>(0)?.map(Timestamp), saved: row.get(1)? })
    };
    let past = rows::one(work.db, "SELECT leased_until, saved FROM proofs", [], read)?.unwrap_or_default();
    work.db.prepare_cached("UPDATE proofs SET saved = NULL")?.execute([])?;
    Ok(past)
}

pub(super) fn keep(work: &mut Work<'_>, sealed: &[u8]) -> Done<()> {
    work.db.prepare_cached("UPDATE proofs SET saved = ?1")?.execute([sealed])?;
    Ok(())
}
