//! Refresh, first use, end.

use std::collections::BTreeSet;

use yaopai_core::ids::{Realm, SessionId};
use yaopai_core::ports::{Change, Rotate, Rotated, Stale, StaleEnded, StepUp, Subject, Which};
use yaopai_core::session::{EndReason, Ended, Session};
use yaopai_core::time::Timestamp;
use yaopai_wire::token::SecretHash;

use super::{Done, Work};
use crate::rows::Rows;
use crate::rules::{self, Write};

pub(crate) fn rotate<R: Rows>(work: &mut Work<'_, R>, rotate: &Rotate) -> Done<Rotated> {
    let Some(mut session) = work.db.session(rotate.id)? else { return Ok(Rotated::Unknown) };
    let (write, answer) = rules::rotate(&mut session, rotate);
    match write {
        Write::Nothing => {}
        Write::Session => {
            work.db.save_session(&session)?;
            work.changes.push(Change::Put(Box::new(session)));
        }
        Write::End(ended) => {
            work.end(session.id, ended)?;
        }
    }
    Ok(answer)
}

/// A refresh with a code, and the session_key that it renews.
pub(crate) fn step_up<R: Rows>(work: &mut Work<'_, R>, step_up: &StepUp) -> Done<Rotated> {
    let Some(mut session) = work.db.session(step_up.rotate.id)? else { return Ok(Rotated::Unknown) };
    let (write, answer) = rules::step_up(&mut session, step_up);
    if write == Write::Session {
        work.db.save_session(&session)?;
        work.db.vouched(session.identity, step_up.session_key.as_deref(), session.vouched_at)?;
        work.changes.push(Change::Put(Box::new(session)));
    }
    Ok(answer)
}

pub(crate) fn confirm<R: Rows>(
    work: &mut Work<'_, R>,
    id: SessionId,
    shown: &SecretHash,
    now: Timestamp,
) -> Done<Option<Session>> {
    let Some(mut session) = work.db.session(id)? else { return Ok(None) };
    if rules::confirm(&mut session, shown, now) {
        work.db.save_session(&session)?;
        work.changes.push(Change::Put(Box::new(session.clone())));
    }
    Ok(Some(session))
}

pub(crate) fn bind_read<R: Rows>(work: &mut Work<'_, R>, id: SessionId) -> Done<()> {
    let Some(mut session) = work.db.session(id)? else { return Ok(()) };
    if rules::bind_read(&mut session) {
        work.db.save_session(&session)?;
        work.changes.push(Change::Put(Box::new(session)));
    }
    Ok(())
}

pub(crate) fn renew_key<R: Rows>(
    work: &mut Work<'_, R>,
    id: SessionId,
    version: u32,
    sealed: &[u8],
) -> Done<Option<Session>> {
    if !work.db.renew_key(id, version, sealed)? {
        return Ok(None);
    }
    let session = work.db.session(id)?;
    work.changes.extend(session.iter().map(|session| Change::Put(Box::new(session.clone()))));
    Ok(session)
}

pub(crate) fn end<R: Rows>(
    work: &mut Work<'_, R>,
    realm: &Realm,
    which: &Which,
    reason: EndReason,
    now: Timestamp,
) -> Done<Vec<SessionId>> {
    let ids = live(work.db, realm, which)?;
    for id in &ids {
        work.end(*id, Ended { reason, at: now })?;
    }
    Ok(ids)
}

/// The live sessions named, in id order.
fn live<R: Rows>(db: &R, realm: &Realm, which: &Which) -> Result<Vec<SessionId>, R::Error> {
    match which {
        Which::Opened(id, by) => db.live_opened(realm, *id, *by),
        Which::All(Subject::User(user)) => db.live_of_user(realm, user),
        Which::All(Subject::Guest(id)) => db.live_guests(realm, *id),
        Which::Some(ids) => {
            let mut live = Vec::new();
            for id in BTreeSet::from_iter(ids) {
                if db.live_one(realm, *id)?.is_some() {
                    live.push(*id);
                }
            }
            Ok(live)
        }
        Which::One(id) | Which::Own(id, _) => {
            let named = db
                .live_one(realm, *id)?
                .is_some_and(|owned| rules::named(which, *id, owned.identity, owned.user.as_ref(), owned.opened_at));
            Ok(if named { vec![*id] } else { Vec::new() })
        }
    }
}

pub(crate) fn expire<R: Rows>(work: &mut Work<'_, R>, expired: &[(SessionId, EndReason)], now: Timestamp) -> Done<()> {
    for (id, reason) in expired {
        work.end(*id, Ended { reason: *reason, at: now })?;
    }
    Ok(())
}

/// Ends what a step finds, in one with finding it: a step that ended what an earlier look had found would say that it had passed
/// a session which somebody else ended meanwhile.
pub(crate) fn end_stale<R: Rows>(work: &mut Work<'_, R>, stale: &Stale) -> Done<StaleEnded> {
    let step = work.db.stale(stale)?;
    for (id, reason) in &step.ended {
        work.end(*id, Ended { reason: *reason, at: stale.now })?;
    }
    Ok(step)
}
