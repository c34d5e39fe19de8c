//! Refresh, first use, end; and lists.

use rusqlite::{Connection, params};
use tokio::sync::mpsc;
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId};
use yaopai_core::ports::{Change, Filter, Rotate, Rotated, Subject, Which};
use yaopai_core::session::{EndReason, Ended, Session};
use yaopai_core::time::Timestamp;
use yaopai_wire::token::SecretHash;

use super::writer::{Done, Work};
use super::{bind, rows};
use crate::rules::{self, Write};

pub(super) fn rotate(work: &mut Work<'_>, rotate: &Rotate) -> Done<Rotated> {
    let Some(mut session) = rows::load(work.db, rotate.id)? else { return Ok(Rotated::Unknown) };
    let (write, answer) = rules::rotate(&mut session, rotate);
    match write {
        Write::Nothing => {}
        Write::Session => {
            rows::save(work.db, &session)?;
            work.changes.push(Change::Put(Box::new(session)));
        }
        Write::End(ended) => {
            work.end(session.id, ended)?;
        }
    }
    Ok(answer)
}

pub(super) fn confirm(work: &mut Work<'_>, id: SessionId, shown: &SecretHash, now: Timestamp) -> Done<Option<Session>> {
    let Some(mut session) = rows::load(work.db, id)? else { return Ok(None) };
    if rules::confirm(&mut session, shown, now) {
        rows::save(work.db, &session)?;
        work.changes.push(Change::Put(Box::new(session.clone())));
    }
    Ok(Some(session))
}

pub(super) fn bind_read(work: &mut Work<'_>, id: SessionId) -> Done<()> {
    let Some(mut session) = rows::load(work.db, id)? else { return Ok(()) };
    if rules::bind_read(&mut session) {
        rows::save(work.db, &session)?;
        work.changes.push(Change::Put(Box::new(session)));
    }
    Ok(())
}

pub(super) fn end(
    work: &mut Work<'_>,
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

pub(super) fn expire(work: &mut Work<'_>, expired: &[(SessionId, EndReason)], now: Timestamp) -> Done<()> {
    for (id, reason) in expired {
        work.end(*id, Ended { reason: *reason, at: now })?;
    }
    Ok(())
}

/// The live sessions named, in id order.
fn live(db: &Connection, realm: &Realm, which: &Which) -> rusqlite::Result<Vec<SessionId>> {
    let guest = "SELECT id FROM sessions WHERE identity = ?1 AND realm = ?2 AND ended_at IS NULL \
                 AND user_id IS NULL ORDER BY id";
    let opened = "SELECT id FROM sessions WHERE identity = ?1 AND realm = ?2 AND ended_at IS NULL \
                  AND created_at <= ?3 ORDER BY id";
    match which {
        Which::Opened(id, by) => rows::all(db, opened, params![id.0, realm.as_str(), by.0], rows::session_id),
        Which::All(Subject::User(user)) => bind::live_of_user(db, realm, user),
        Which::All(Subject::Guest(id)) => rows::all(db, guest, params![id.0, realm.as_str()], rows::session_id),
        Which::Some(ids) => {
            let sql = "SELECT 1 FROM sessions WHERE id = ?1 AND realm = ?2 AND ended_at IS NULL";
            let mut live = Vec::new();
            for id in std::collections::BTreeSet::from_iter(ids) {
                if rows::one(db, sql, params![id.0, realm.as_str()], |_| Ok(()))?.is_some() {
                    live.push(*id);
                }
            }
            Ok(live)
        }
        Which::One(id) | Which::Own(id, _) => {
            let sql = "SELECT identity, user_id, created_at FROM sessions \
                       WHERE id = ?1 AND realm = ?2 AND ended_at IS NULL";
            let read = |r: &rusqlite::Row<'_>| Ok((IdentityId(r.get(0)?), rows::user(r, 1)?, Timestamp(r.get(2)?)));
            let found = rows::one(db, sql, params![id.0, realm.as_str()], read)?;
            let named = found.is_some_and(|(identity, user, at)| rules::named(which, *id, identity, user.as_ref(), at));
            Ok(if named { vec![*id] } else { Vec::new() })
        }
    }
}

pub(super) fn list(db: &Connection, realm: &Realm, filter: &Filter) -> rusqlite::Result<Vec<Session>> {
    const OF_USER: &str =
        rows::sessions_of_user!("AND (?3 IS NULL OR s.app = ?3) AND +s.id > ?4 ORDER BY +s.id LIMIT ?5");
    const OF_GUEST: &str = rows::sessions!(
        "WHERE s.identity = ?2 AND s.ended_at IS NULL AND s.user_id IS NULL AND s.realm = ?1 \
         AND (?3 IS NULL OR s.app = ?3) AND +s.id > ?4 ORDER BY +s.id LIMIT ?5"
    );
    const ALL: &str = rows::sessions!(
        "WHERE s.id > ?4 AND s.ended_at IS NULL AND s.realm = ?1 AND ?2 IS NULL \
         AND (?3 IS NULL OR s.app = ?3) ORDER BY s.id LIMIT ?5"
    );
    let app = filter.app.as_ref().map(AppName::as_str);
    let id = filter.after.map(|id| id.0);
    let (realm, after, limit) = (realm.as_str(), bind::after(id.as_ref()), filter.limit);
    match &filter.subject {
        Some(Subject::User(user)) => {
            rows::all(db, OF_USER, params![realm, user.as_str(), app, after, limit], rows::session)
        }
        Some(Subject::Guest(id)) => rows::all(db, OF_GUEST, params![realm, id.0, app, after, limit], rows::session),
        None => rows::all(db, ALL, params![realm, None::<i64>, app, after, limit], rows::session),
    }
}

/// Sends every live session in id order, some at a time. Stops early if nobody listens any more.
pub(super) fn scan(db: &Connection, to: &mpsc::Sender<Vec<Session>>) -> rusqlite::Result<()> {
    const SOME: usize = 256;
    let mut statement = db.prepare(rows::sessions!("WHERE s.ended_at IS NULL ORDER BY s.id"))?;
    let mut rows = statement.query([])?;
    let mut some = Vec::with_capacity(SOME);
    while let Some(row) = rows.next()? {
        some.push(rows::session(row)?);
        if some.len() == SOME && to.blocking_send(std::mem::take(&mut some)).is_err() {
            return Ok(());
        }
    }
    let _ = to.blocking_send(some);
    Ok(())
}
