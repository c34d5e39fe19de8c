//! Ending expired sessions that no table holds: a walk over the live ones.
//!
//! It follows the index of live sessions that logins keep up anyway. An index by last use would find them at once, but each
//! login, each end and each flush of last uses would have to write it, for rows that a few steps a minute find as well; and
//! a walk over the sessions themselves would pass a week of ended ones. A reader looks first, so the writer is only asked for
//! steps that have something to end, and takes those again.

use rusqlite::{Connection, params};
use yaopai_core::ids::{AppName, IdentityId, SessionId};
use yaopai_core::ports::{Stale, StaleAfter, StaleEnded};
use yaopai_core::session::{EndReason, Ended};
use yaopai_core::time::{Timestamp, Uptime};

use super::writer::{Done, Work};
use super::{bind, rows};

/// One step's sessions that have expired, and where the next one goes on.
pub(super) fn find(db: &Connection, stale: &Stale) -> rusqlite::Result<StaleEnded> {
    const SQL: &str = "SELECT identity, id, app, last_seen, absolute_at FROM sessions INDEXED BY sessions_live \
        WHERE ended_at IS NULL AND (identity, id) > (?1, ?2) ORDER BY identity, id LIMIT ?3";
    let (identity, id) = match &stale.after {
        Some((identity, id)) => (bind::after(Some(&identity.0)), bind::after(Some(&id.0))),
        None => (bind::after(None), bind::after(None)),
    };
    let found: Vec<(StaleAfter, Option<EndReason>)> = rows::all(db, SQL, params![identity, id, stale.limit], |r| {
        let at = (IdentityId(r.get(0)?), SessionId(r.get(1)?));
        let app = AppName::from(r.get_ref(2)?.as_str()?);
        Ok((at, stale.expired(&app, Uptime(r.get(3)?), Timestamp(r.get(4)?))))
    })?;
    let full = found.len() >= usize::try_from(stale.limit).unwrap_or(usize::MAX);
    let next = found.last().map(|(at, _)| *at).filter(|_| full);
    let ended = found.into_iter().filter_map(|((_, id), reason)| Some((id, reason?))).collect();
    Ok(StaleEnded { ended, next })
}

/// Ends what a step finds, in one with finding it: a step that ended what an earlier look had found would say that it had passed
/// a session which somebody else ended meanwhile.
pub(super) fn end(work: &mut Work<'_>, stale: &Stale) -> Done<StaleEnded> {
    let step = find(work.db, stale)?;
    for (id, reason) in &step.ended {
        work.end(*id, Ended { reason: *reason, at: stale.now })?;
    }
    Ok(step)
}
