//! Binding identities to users, and what is said about users.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{Bind, BindEnd, BindTerms, Change, Identity, Move, Proof, Rotated, UserFound};
use yaopai_core::session::{Claims, EndReason, Ended, Room};
use yaopai_core::time::Timestamp;

use super::writer::{Done, Work};
use super::{codes, jar, login, rows};
use crate::rules::{self, Rise};

pub(super) fn bind(work: &mut Work<'_>, bind: &Bind) -> Done<Rotated> {
    let db = work.db;
    let Some(mut session) = rows::load(db, bind.rotate.id)? else { return Ok(Rotated::Unknown) };
    let Some(mut identity) = by_id(db, &session.realm, session.identity)? else { return Ok(Rotated::Unknown) };
    let (to, now) = (&bind.user.user, bind.rotate.now);
    let rises = session.user.as_ref() != Some(to);
    let (answer, leaves) = match rules::rise(&mut session, identity.user.as_ref(), bind) {
        Rise::No(refusal) => return Ok(refusal),
        Rise::Again(answer) => return Ok(Rotated::Answer(Box::new(session), answer)),
        Rise::To(answer) => (answer, false),
        Rise::Over(answer) => (answer, true),
    };
    if let Proof::Code(hash) = &bind.proof
        && !rules::redeems(codes::find(db, hash)?.as_ref(), &session, bind)
    {
        return Ok(Rotated::NoCode);
    }
    if disabled_at(db, &session.realm, to)?.is_some() {
        return Ok(Rotated::Disabled);
    }
    let newly = identity.user.as_ref() != Some(to) && !rules::may_be_second(bind);
    if newly && has_other(db, &session.realm, &session.app, to, Some(session.identity))? {
        return Ok(Rotated::Conflict);
    }
    if rises {
        let others = login::others(db, &session, bind.idle_ms, bind.up, now)?;
        let Room::After(yielding) = bind.limits.room(&others) else { return Ok(Rotated::Full) };
        make_room(work, yielding, now)?;
    }
    if let Proof::Code(hash) = &bind.proof {
        codes::redeemed(db, hash)?;
    }
    if leaves {
        leave(work, session.identity, Some(session.id), now)?;
        jar::empty(db, session.id)?;
        identity.user = None;
    }
    give(db, identity, to, now)?;
    rows::save(db, &session)?;
    let mut told = say(db, &session.realm, &bind.user)?;
    told.retain(|id| *id != session.id);
    tell(work, told)?;
    session.claims = claims(db, &session.realm, to)?;
    work.changes.push(Change::Put(Box::new(session.clone())));
    Ok(Rotated::Answer(Box::new(session), answer))
}

pub(super) fn bind_identity(
    work: &mut Work<'_>,
    realm: &Realm,
    id: IdentityId,
    user: &UserFound,
    terms: &BindTerms,
) -> Done<BindEnd> {
    let db = work.db;
    let Some(identity) = by_id(db, realm, id)? else { return Ok(BindEnd::NotFound) };
    if !free(db, &identity, &user.user, terms.second_identity)? {
        return Ok(BindEnd::Conflict);
    }
    let gives = identity.user.is_none();
    let identity = give(db, identity, &user.user, terms.now)?;
    if gives && disabled_at(db, realm, &user.user)?.is_some() {
        end_all(work, &live_of_identity(db, id)?, terms.now)?;
    } else if gives {
        for session in live_of_identity(db, id)? {
            rise_in_place(work, session, &user.user, terms)?;
        }
    }
    let mut told = say(db, realm, user)?;
    if gives {
        told.extend(live_of_identity(db, id)?);
    }
    tell(work, told)?;
    Ok(BindEnd::Bound(Box::new(identity)))
}

/// One session rises. Room is made for it, unless it has expired and only waits for the sweep.
fn rise_in_place(work: &mut Work<'_>, id: SessionId, user: &UserId, terms: &BindTerms) -> Done<()> {
    // An earlier one of the same call never ends a later one: that has no user yet.
    let Some(mut session) = rows::load(work.db, id)? else { return Ok(()) };
    session.user = Some(user.clone());
    session.secrets.rise_in_place();
    if !rules::expired(&session, terms.idle_ms, terms.up, terms.now) {
        let limits = terms.limits.of_type(session.device.kind.as_deref());
        let others = login::others(work.db, &session, terms.idle_ms, terms.up, terms.now)?;
        if let Room::After(yielding) = limits.room(&others) {
            make_room(work, yielding, terms.now)?;
        }
    }
    Ok(rows::save(work.db, &session)?)
}

pub(super) fn make_room(work: &mut Work<'_>, yielding: Vec<SessionId>, at: Timestamp) -> Done<()> {
    for id in yielding {
        work.end(id, Ended { reason: EndReason::Replaced, at })?;
    }
    Ok(())
}

pub(super) fn unbind_identity(
    work: &mut Work<'_>,
    realm: &Realm,
    id: IdentityId,
    from: Option<&UserId>,
    now: Timestamp,
) -> Done<bool> {
    if by_id(work.db, realm, id)?.is_none_or(|identity| !rules::has(&identity, from)) {
        return Ok(false);
    }
    leave(work, id, None, now)?;
    Ok(true)
}

/// The identity goes from its user to another.
pub(super) fn move_identity(work: &mut Work<'_>, realm: &Realm, to: &Move, now: Timestamp) -> Done<BindEnd> {
    let db = work.db;
    let Some(mut identity) = by_id(db, realm, to.identity)?.filter(|identity| identity.user.is_some()) else {
        return Ok(BindEnd::NotFound);
    };
    let user = &to.to.user;
    if to.from.is_some() && to.from != identity.user {
        return Ok(BindEnd::Conflict);
    }
    if identity.user.as_ref() != Some(user) {
        if !to.second_identity && has_other(db, realm, &identity.app, user, Some(identity.id))? {
            return Ok(BindEnd::Conflict);
        }
        leave(work, identity.id, None, now)?;
        identity.user = None;
        identity = give(db, identity, user, now)?;
    }
    let told = say(db, realm, &to.to)?;
    tell(work, told)?;
    Ok(BindEnd::Bound(Box::new(identity)))
}

/// The identity leaves its user, and so do its bound sessions, one apart.
fn leave(work: &mut Work<'_>, id: IdentityId, but: Option<SessionId>, now: Timestamp) -> Done<()> {
    let db = work.db;
    db.prepare_cached("UPDATE identities SET user_id = NULL, bound_at = NULL WHERE id = ?1")?.execute([id.0])?;
    let sql = "SELECT id FROM sessions WHERE identity = ?1 AND ended_at IS NULL AND user_id IS NOT NULL ORDER BY id";
    for session in rows::all(db, sql, [id.0], rows::session_id)? {
        if Some(session) != but {
            work.end(session, Ended { reason: EndReason::Unbound, at: now })?;
        }
    }
    Ok(())
}

pub(super) fn set_claims(work: &mut Work<'_>, realm: &Realm, user: &UserId, new: Option<&Claims>) -> Done<()> {
    if claims(work.db, realm, user)?.as_ref() != new {
        write_claims(work.db, realm, user, new)?;
        let told = live_of_user(work.db, realm, user)?;
        tell(work, told)?;
    }
    Ok(())
}

pub(super) fn claims(db: &Connection, realm: &Realm, user: &UserId) -> rusqlite::Result<Option<Claims>> {
    let sql = "SELECT claims FROM users WHERE realm = ?1 AND user_id = ?2 AND claims IS NOT NULL";
    rows::one(db, sql, [realm.as_str(), user.as_str()], |r| r.get(0).map(Claims::from_stored))
}

/// The user's sessions end, and so do those of an identity that comes to be the user's, until the user is enabled.
pub(super) fn set_disabled(
    work: &mut Work<'_>,
    realm: &Realm,
    user: &UserId,
    at: Option<Timestamp>,
) -> Done<Vec<SessionId>> {
    let sql = "INSERT INTO users (realm, user_id, disabled_at) VALUES (?1, ?2, ?3) ON CONFLICT (realm, user_id) \
               DO UPDATE SET disabled_at = iif(excluded.disabled_at IS NULL, NULL, ifnull(disabled_at, excluded.disabled_at))";
    work.db.prepare_cached(sql)?.execute(params![realm.as_str(), user.as_str(), at.map(|at| at.0)])?;
    let Some(at) = at else { return Ok(Vec::new()) };
    let ended = live_of_user(work.db, realm, user)?;
    end_all(work, &ended, at)?;
    Ok(ended)
}

fn end_all(work: &mut Work<'_>, ids: &[SessionId], at: Timestamp) -> Done<()> {
    for id in ids {
        work.end(*id, Ended { reason: EndReason::UserDisabled, at })?;
    }
    Ok(())
}

pub(super) fn disabled_at(db: &Connection, realm: &Realm, user: &UserId) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT disabled_at FROM users WHERE realm = ?1 AND user_id = ?2";
    let at: Option<Option<i64>> = rows::one(db, sql, [realm.as_str(), user.as_str()], |r| r.get(0))?;
    Ok(at.flatten().map(Timestamp))
}

/// Keeps what is said about a user. True if it is news.
pub(super) fn write_claims(
    db: &Connection,
    realm: &Realm,
    user: &UserId,
    claims: Option<&Claims>,
) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO users (realm, user_id, claims) VALUES (?1, ?2, ?3) ON CONFLICT (realm, user_id) \
               DO UPDATE SET claims = excluded.claims WHERE claims IS NOT excluded.claims";
    let params = params![realm.as_str(), user.as_str(), claims.map(Claims::as_str)];
    Ok(db.prepare_cached(sql)?.execute(params)? > 0)
}

/// Keeps the claims that came with a user. Answers the user's live sessions if they are news to them.
fn say(db: &Connection, realm: &Realm, user: &UserFound) -> rusqlite::Result<Vec<SessionId>> {
    if user.claims.is_none() || claims(db, realm, &user.user)? == user.claims {
        return Ok(Vec::new());
    }
    write_claims(db, realm, &user.user, user.claims.as_ref())?;
    live_of_user(db, realm, &user.user)
}

/// Hands sessions to the sink as they are now, each once, in id order.
pub(super) fn tell(work: &mut Work<'_>, ids: Vec<SessionId>) -> Done<()> {
    for id in BTreeSet::from_iter(ids) {
        if let Some(session) = rows::load(work.db, id)? {
            work.changes.push(Change::Put(Box::new(session)));
        }
    }
    Ok(())
}

pub(super) fn live_of_user(db: &Connection, realm: &Realm, user: &UserId) -> rusqlite::Result<Vec<SessionId>> {
    let sql = "SELECT s.id FROM identities i CROSS JOIN sessions s WHERE i.realm = ?1 AND i.user_id = ?2 \
               AND s.identity = i.id AND s.ended_at IS NULL AND s.realm = ?1 AND s.user_id = ?2 ORDER BY s.id";
    rows::all(db, sql, [realm.as_str(), user.as_str()], rows::session_id)
}

pub(super) fn live_of_identity(db: &Connection, id: IdentityId) -> rusqlite::Result<Vec<SessionId>> {
    let sql = "SELECT id FROM sessions WHERE identity = ?1 AND ended_at IS NULL ORDER BY id";
    rows::all(db, sql, [id.0], rows::session_id)
}

/// Where a user has another identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OtherIdentity {
    SameApp,
    OtherApp,
}

/// Has the user another identity in the realm? One of the same app goes before others.
pub(super) fn other_identity(
    db: &Connection,
    realm: &Realm,
    app: &AppName,
    user: &UserId,
    than: Option<IdentityId>,
) -> rusqlite::Result<Option<OtherIdentity>> {
    let sql = "SELECT max(app = ?3) FROM identities WHERE realm = ?1 AND user_id = ?2 AND id IS NOT ?4";
    let params = params![realm.as_str(), user.as_str(), app.as_str(), than.map(|id| id.0)];
    let other = |same| if same { OtherIdentity::SameApp } else { OtherIdentity::OtherApp };
    Ok(rows::one(db, sql, params, |row| row.get::<_, Option<bool>>(0))?.flatten().map(other))
}

/// Has the user another identity of the app?
pub(super) fn has_other(
    db: &Connection,
    realm: &Realm,
    app: &AppName,
    user: &UserId,
    than: Option<IdentityId>,
) -> rusqlite::Result<bool> {
    Ok(other_identity(db, realm, app, user, than)? == Some(OtherIdentity::SameApp))
}

pub(super) fn by_openid(db: &Connection, app: &AppName, openid: &str) -> rusqlite::Result<Option<Identity>> {
    const SQL: &str = concat!("SELECT ", rows::identity_columns!(), " FROM identities WHERE openid = ?1 AND app = ?2");
    rows::one(db, SQL, [openid, app.as_str()], rows::identity)
}

/// The user that a session's identity has.
pub(super) fn user_of(db: &Connection, session: SessionId) -> rusqlite::Result<Option<UserId>> {
    let sql = "SELECT i.user_id FROM sessions s CROSS JOIN identities i ON i.id = s.identity WHERE s.id = ?1";
    Ok(rows::one(db, sql, [session.0], |r| rows::user(r, 0))?.flatten())
}

pub(super) fn by_id(db: &Connection, realm: &Realm, id: IdentityId) -> rusqlite::Result<Option<Identity>> {
    const SQL: &str = concat!("SELECT ", rows::identity_columns!(), " FROM identities WHERE id = ?1 AND realm = ?2");
    rows::one(db, SQL, params![id.0, realm.as_str()], rows::identity)
}

/// May the identity have this user?
fn free(db: &Connection, identity: &Identity, user: &UserId, second_identity: bool) -> rusqlite::Result<bool> {
    match &identity.user {
        Some(has) => Ok(has == user),
        None if second_identity => Ok(true),
        None => Ok(!has_other(db, &identity.realm, &identity.app, user, Some(identity.id))?),
    }
}

/// Gives the identity its user, unless it has it.
fn give(db: &Connection, mut identity: Identity, user: &UserId, now: Timestamp) -> rusqlite::Result<Identity> {
    if identity.user.is_none() {
        let sql = "UPDATE identities SET user_id = ?2, bound_at = ?3 WHERE id = ?1";
        db.prepare_cached(sql)?.execute(params![identity.id.0, user.as_str(), now.0])?;
        identity.user = Some(user.clone());
        identity.bound_at = Some(now);
    }
    Ok(identity)
}

/// Where a page starts. The empty blob is before every id.
pub(super) fn after(id: Option<&[u8; 16]>) -> &[u8] {
    id.map_or(&[], |id| id.as_slice())
}
