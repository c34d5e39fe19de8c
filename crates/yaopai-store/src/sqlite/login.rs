//! Opening a session. Everything is read before anything is written, so a refusal leaves nothing behind.

use rusqlite::{Connection, params};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::moving::stays;
use yaopai_core::ports::{Change, LinkBy, LoginRecord, Open, Opened, UserFound};
use yaopai_core::session::{Claims, Other, Room, Secrets, Session};
use yaopai_core::time::{Timestamp, Uptime};

use super::bind::OtherIdentity;
use super::writer::{Done, Failure, Work};
use super::{bind, moving, rows};
use crate::rules::{self, Linked};

/// The identity that a login finds.
struct Found {
    id: IdentityId,
    unionid: Option<String>,
    user: Option<UserId>,
    claims: Option<Claims>,
    /// Is the user disabled?
    disabled: bool,
}

pub(super) fn open(work: &mut Work<'_>, open: &Open) -> Done<Opened> {
    let db = work.db;
    let mut session = open.session.clone();
    let now = session.created_at;
    let found = match find(db, &session.app, &session.openid)? {
        Some((_, was)) if was != session.realm => {
            let repeated = repeated(db, &open.login, now)?;
            return repeated.ok_or_else(|| Failure::Refused(rules::moved(&session, &was)));
        }
        found => found.map(|(found, _)| found),
    };
    let bound_to = found.as_ref().and_then(|f| f.user.clone());
    let id = found.as_ref().map(|f| f.id);
    let (linked, unlinked) = match rules::link(open, id.is_none()) {
        Some((link, unionid)) => match named_by(db, &session, link, unionid)? {
            Linked::To(user) if open.second_identity => (Some(user), false),
            Linked::To(user) if !bind::has_other(db, &session.realm, &session.app, &user, id)? => (Some(user), false),
            Linked::To(_) | Linked::Unclear => (None, true),
            Linked::No => (None, false),
        },
        None => (None, false),
    };
    let linked = linked.map(|user| UserFound { user, claims: None });
    let proposed = linked.as_ref().or(open.user.as_ref()).filter(|_| bound_to.is_none());
    let user = bound_to.as_ref().or(proposed.map(|proposed| &proposed.user));
    let said = moving::of(db, &session.realm, &session.app, &session.openid, user)?;
    if let Some(why) = stays(said.as_ref(), &session.app, &session.openid) {
        return repeated_or(db, &open.login, now, Opened::Stays(why));
    }
    let disabled = match proposed {
        Some(proposed) => bind::disabled_at(db, &session.realm, &proposed.user)?.is_some(),
        None => found.as_ref().is_some_and(|found| found.disabled),
    };
    if disabled {
        return repeated_or(db, &open.login, now, Opened::Disabled);
    }
    // May there be sessions that the limits count, and may the user have any in the realm?
    let (mut has_sessions, mut user_is_known) = (found.is_some(), bound_to.is_some());
    if let Some(proposed) = proposed {
        let other = bind::other_identity(db, &session.realm, &session.app, &proposed.user, id)?;
        if other == Some(OtherIdentity::SameApp) && !open.second_identity {
            return repeated_or(db, &open.login, now, Opened::Conflict);
        }
        (has_sessions, user_is_known) = (other == Some(OtherIdentity::SameApp), other.is_some());
    }
    session.identity = id.unwrap_or(open.new_identity);
    session.user = bound_to.or_else(|| proposed.map(|p| p.user.clone()));
    session.secrets = Secrets::new(session.secrets.current(), session.user.is_some());
    session.ended = None;
    let others = if has_sessions { others(db, &session, open.idle_ms, open.up, now)? } else { Vec::new() };
    let Room::After(yielding) = open.limits.room(&others) else {
        return repeated_or(db, &open.login, now, Opened::Full);
    };

    // The first thing that is written, and the last that can refuse: a look-up less for nearly every login.
    if !keep_record(db, &open.login, now)? {
        return repeated_or(db, &open.login, now, Opened::Full);
    }
    bind::make_room(work, yielding, now)?;
    let renamed = keep_identity(db, open, found.as_ref(), &mut session)?;
    let newly_said = keep_claims(db, open, found.and_then(|f| f.claims), proposed.is_some(), &mut session)?;
    let mut told = Vec::new();
    if newly_said
        && user_is_known
        && let Some(user) = &session.user
    {
        told.extend(bind::live_of_user(db, &session.realm, user)?);
    }
    if renamed {
        told.extend(bind::live_of_identity(db, session.identity)?);
    }
    bind::tell(work, told)?;
    rows::insert(db, &session)?;
    work.changes.push(Change::Put(Box::new(session.clone())));
    Ok(if unlinked { Opened::NotLinked(Box::new(session)) } else { Opened::Opened(Box::new(session)) })
}

/// Whom the unionid names, over the apps that count. It has an identity in each of them at most, so these are few.
fn named_by(db: &Connection, session: &Session, link: &LinkBy, unionid: &str) -> rusqlite::Result<Linked> {
    let sql = "SELECT app, user_id FROM identities WHERE unionid = ?1 AND realm = ?2 AND user_id IS NOT NULL";
    let read = |r: &rusqlite::Row<'_>| Ok((AppName::from(r.get_ref(0)?.as_str()?), rows::user(r, 1)?));
    let all = rows::all(db, sql, [unionid, session.realm.as_str()], read)?;
    let users = all.into_iter().filter(|(app, _)| link.apps.contains(app)).filter_map(|(_, user)| user);
    Ok(rules::linked(users.collect()))
}

/// The record of a login.
pub(super) fn record(db: &Connection, key: &[u8; 32]) -> rusqlite::Result<Option<LoginRecord>> {
    rows::one(db, "SELECT session, sealed, expires_at FROM logins WHERE key = ?1", [key], |r| {
        Ok(LoginRecord {
            key: *key,
            session: SessionId(r.get(0)?),
            sealed: r.get(1)?,
            expires_at: Timestamp(r.get(2)?),
        })
    })
}

/// Keeps the record of a login. False if there is one that is still good: then nothing is written.
fn keep_record(db: &Connection, login: &LoginRecord, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO logins (key, session, sealed, expires_at) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (key) DO UPDATE SET session = excluded.session, sealed = excluded.sealed, \
               expires_at = excluded.expires_at WHERE expires_at <= ?5";
    let params = params![login.key, login.session.0, login.sealed, login.expires_at.0, now.0];
    Ok(db.prepare_cached(sql)?.execute(params)? > 0)
}

/// The same login, opened before, goes before any refusal.
fn repeated_or(db: &Connection, login: &LoginRecord, now: Timestamp, refusal: Opened) -> Done<Opened> {
    Ok(repeated(db, login, now)?.unwrap_or(refusal))
}

fn repeated(db: &Connection, login: &LoginRecord, now: Timestamp) -> rusqlite::Result<Option<Opened>> {
    Ok(record(db, &login.key)?.filter(|kept| kept.expires_at > now).map(Opened::Repeated))
}

/// The identity and its realm.
fn find(db: &Connection, app: &AppName, openid: &str) -> rusqlite::Result<Option<(Found, Realm)>> {
    let sql = "SELECT i.id, i.unionid, i.user_id, u.claims, u.disabled_at IS NOT NULL, i.realm FROM identities i \
               LEFT JOIN users u ON u.realm = i.realm AND u.user_id = i.user_id WHERE i.openid = ?1 AND i.app = ?2";
    let read = |r: &rusqlite::Row<'_>| {
        let claims = r.get::<_, Option<String>>(3)?.map(Claims::from_stored);
        let (id, unionid, user, disabled) = (IdentityId(r.get(0)?), r.get(1)?, rows::user(r, 2)?, r.get(4)?);
        Ok((Found { id, unionid, user, claims, disabled }, rows::realm(r, 5)?))
    };
    rows::one(db, sql, [openid, app.as_str()], read)
}

/// Writes the identity, and its unionid into the session. True if the identity was there, and the unionid is news to it.
fn keep_identity(db: &Connection, open: &Open, found: Option<&Found>, session: &mut Session) -> rusqlite::Result<bool> {
    let now = session.created_at.0;
    let user = session.user.as_ref().map(UserId::as_str);
    let Some(found) = found else {
        let sql = "INSERT INTO identities (id, realm, app, openid, unionid, session_key, user_id, bound_at, created_at, \
                   vouched_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        db.prepare_cached(sql)?.execute(params![
            session.identity.0,
            session.realm.as_str(),
            session.app.as_str(),
            session.openid,
            session.unionid,
            open.session_key,
            user,
            user.map(|_| now),
            now,
            session.vouched_at.0,
        ])?;
        return Ok(false);
    };
    let renamed = session.unionid.is_some() && session.unionid != found.unionid;
    if !renamed {
        session.unionid.clone_from(&found.unionid);
    }
    let newly_bound = found.user.is_none() && user.is_some();
    if newly_bound || renamed {
        let sql = "UPDATE identities SET unionid = ?2, session_key = ifnull(?3, session_key), user_id = ?4, \
                   bound_at = CASE WHEN ?5 THEN ?6 ELSE bound_at END, vouched_at = ?7 WHERE id = ?1";
        db.prepare_cached(sql)?.execute(params![
            session.identity.0,
            session.unionid,
            open.session_key,
            user,
            newly_bound,
            now,
            session.vouched_at.0,
        ])?;
    } else {
        let sql = "UPDATE identities SET session_key = ifnull(?2, session_key), vouched_at = ?3 WHERE id = ?1";
        db.prepare_cached(sql)?.execute(params![session.identity.0, open.session_key, session.vouched_at.0])?;
    }
    Ok(renamed)
}

/// Writes the claims that came with the user, and the user's claims into the session. True if they are news.
fn keep_claims(
    db: &Connection,
    open: &Open,
    known: Option<Claims>,
    newly_bound: bool,
    session: &mut Session,
) -> rusqlite::Result<bool> {
    let Some(user) = &session.user else {
        session.claims = None;
        return Ok(false);
    };
    let said = open.user.as_ref().filter(|u| u.user == *user).and_then(|u| u.claims.as_ref());
    let newly_said = match said {
        Some(said) if known.as_ref() == Some(said) => false,
        Some(said) => bind::write_claims(db, &session.realm, user, Some(said))?,
        None => false,
    };
    session.claims = match said {
        Some(said) => Some(said.clone()),
        None if newly_bound => bind::claims(db, &session.realm, user)?,
        None => known,
    };
    Ok(newly_said)
}

/// The live sessions that the limits count: of the same user in the same app or, without a user, of the identity.
pub(super) fn others(
    db: &Connection,
    new: &Session,
    idle_ms: i64,
    up: Uptime,
    now: Timestamp,
) -> rusqlite::Result<Vec<Other>> {
    const OF_USER: &str = "SELECT s.id, s.device_type IS ?6 FROM identities i CROSS JOIN sessions s \
        WHERE i.realm = ?1 AND i.user_id = ?2 AND i.app = ?3 AND s.identity = i.id AND s.ended_at IS NULL \
        AND s.user_id = ?2 AND s.last_seen > ?4 AND s.absolute_at > ?5";
    const OF_GUEST: &str = "SELECT s.id, s.device_type IS ?4 FROM sessions s WHERE s.identity = ?1 \
        AND s.ended_at IS NULL AND s.user_id IS NULL AND s.last_seen > ?2 AND s.absolute_at > ?3";
    let (seen_after, now, kind) = (up.0.saturating_sub(idle_ms), now.0, &new.device.kind);
    let read = |r: &rusqlite::Row<'_>| Ok(Other { id: SessionId(r.get(0)?), same_type: r.get(1)? });
    match &new.user {
        Some(user) => rows::all(
            db,
            OF_USER,
            params![new.realm.as_str(), user.as_str(), new.app.as_str(), seen_after, now, kind],
            read,
        ),
        None => rows::all(db, OF_GUEST, params![new.identity.0, seen_after, now, kind], read),
    }
}
