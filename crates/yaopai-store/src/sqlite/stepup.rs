//! A refresh with a code, and the session_key that it renews.

use rusqlite::{Connection, params};
use yaopai_core::ids::IdentityId;
use yaopai_core::ports::{Change, Rotated, StepUp};

use super::rows;
use super::writer::{Done, Work};
use crate::rules::{self, Write};

pub(super) fn step_up(work: &mut Work<'_>, step_up: &StepUp) -> Done<Rotated> {
    let Some(mut session) = rows::load(work.db, step_up.rotate.id)? else { return Ok(Rotated::Unknown) };
    let (write, answer) = rules::step_up(&mut session, step_up);
    if write == Write::Session {
        rows::save(work.db, &session)?;
        let sql = "UPDATE identities SET session_key = ifnull(?2, session_key), vouched_at = ?3 WHERE id = ?1";
        work.db.prepare_cached(sql)?.execute(params![session.identity.0, step_up.session_key, session.vouched_at.0])?;
        work.changes.push(Change::Put(Box::new(session)));
    }
    Ok(answer)
}

/// The sealed session_key kept with an identity.
pub(super) fn session_key(db: &Connection, identity: IdentityId) -> rusqlite::Result<Option<Vec<u8>>> {
    let sql = "SELECT session_key FROM identities WHERE id = ?1";
    Ok(rows::one(db, sql, [identity.0], |r| r.get(0))?.flatten())
}
