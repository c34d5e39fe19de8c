//! Opening a session. Everything is read before anything is written, so a refusal leaves nothing behind.

use yaopai_core::ids::{IdentityId, UserId};
use yaopai_core::moving::stays;
use yaopai_core::ports::{Change, Identity, LinkBy, LoginRecord, Open, Opened, UserFound};
use yaopai_core::session::{Room, Secrets, Session};
use yaopai_core::time::Timestamp;

use super::{Done, Failure, Work, bind};
use crate::rows::{Found, Look, OtherIdentity, Rest, Rows, Word};
use crate::rules::{self, Linked};

pub(crate) fn open<R: Rows>(work: &mut Work<'_, R>, open: &Open) -> Done<Opened> {
    let db = work.db;
    let mut session = open.session.clone();
    let now = session.created_at;
    let look = db.look(open)?;
    if let Some(Found { realm, .. }) = &look.found
        && *realm != session.realm
    {
        let repeated = repeated(db, &open.login, now)?;
        return repeated.ok_or_else(|| Failure::Refused(rules::moved(&session, realm)));
    }
    let found = look.found.as_ref();
    let bound_to = found.and_then(|f| f.user.clone());
    let id = found.map(|f| f.id);
    let (linked, unlinked) = match rules::link(open, id.is_none()) {
        Some((link, unionid)) => match named_by(db, &session, link, unionid)? {
            Linked::To(user) if open.second_identity => (Some(user), false),
            Linked::To(user) if !db.has_other(&session.realm, &session.app, &user, id)? => (Some(user), false),
            Linked::To(_) | Linked::Unclear => (None, true),
            Linked::No => (None, false),
        },
        None => (None, false),
    };
    let linked = linked.map(|user| UserFound { user, claims: None });
    let proposed = linked.as_ref().or(open.user.as_ref()).filter(|_| bound_to.is_none());
    let user = bound_to.as_ref().or(proposed.map(|proposed| &proposed.user));
    let said = match &look.rest {
        Some(Rest { moves: false, .. }) => None,
        _ => db.move_for(&session.realm, &session.app, &session.openid, user)?,
    };
    if let Some(why) = stays(said.as_ref(), &session.app, &session.openid) {
        return repeated_or(db, &open.login, now, Opened::Stays(why));
    }
    let disabled = match proposed.map(|proposed| (proposed, look.at(&proposed.user))) {
        Some((_, Some(at))) => at.disabled,
        Some((proposed, None)) => db.disabled_at(&session.realm, &proposed.user)?.is_some(),
        None => found.is_some_and(|found| found.disabled),
    };
    if disabled {
        return repeated_or(db, &open.login, now, Opened::Disabled);
    }
    // May there be sessions that the limits count, and may the user have any in the realm?
    let (mut has_sessions, mut user_is_known) = (found.is_some(), bound_to.is_some());
    if let Some(proposed) = proposed {
        let other = match look.at(&proposed.user) {
            Some(at) => at.other,
            None => db.other_identity(&session.realm, &session.app, &proposed.user, id)?,
        };
        if other == Some(OtherIdentity::SameApp) && !open.second_identity {
            return repeated_or(db, &open.login, now, Opened::Conflict);
        }
        (has_sessions, user_is_known) = (other == Some(OtherIdentity::SameApp), other.is_some());
    }
    session.identity = id.unwrap_or(open.new_identity);
    session.user = bound_to.or_else(|| proposed.map(|p| p.user.clone()));
    session.secrets = Secrets::new(session.secrets.current(), session.user.is_some());
    session.ended = None;
    let others = if has_sessions { db.others(&session, open.idle_ms, open.up, now)? } else { Vec::new() };
    let Room::After(yielding) = open.limits.room(&others) else {
        return repeated_or(db, &open.login, now, Opened::Full);
    };

    // The first thing that is written, and the last that can refuse: a look-up less for nearly every login.
    let is_first = match &look.rest {
        Some(rest) if rest.repeated => false,
        Some(_) => db.put_login(&open.login).map(|()| true)?,
        None => db.keep_login(&open.login, now)?,
    };
    if !is_first {
        return repeated_or(db, &open.login, now, Opened::Full);
    }
    bind::make_room(work, yielding, now)?;
    let renamed = keep_identity(db, open, found, &mut session)?;
    let newly_said = keep_claims(db, open, &look, proposed.is_some(), &mut session)?;
    let mut told = Vec::new();
    if newly_said
        && user_is_known
        && let Some(user) = &session.user
    {
        told.extend(db.live_of_user(&session.realm, user)?);
    }
    if renamed {
        told.extend(db.live_of_identity(session.identity)?);
    }
    bind::tell(work, told)?;
    db.insert_session(&session)?;
    work.changes.push(Change::Put(Box::new(session.clone())));
    Ok(if unlinked { Opened::NotLinked(Box::new(session)) } else { Opened::Opened(Box::new(session)) })
}

/// Whom the unionid names, over the apps that count. It has an identity in each of them at most, so these are few.
fn named_by<R: Rows>(db: &R, session: &Session, link: &LinkBy, unionid: &str) -> Result<Linked, R::Error> {
    let all = db.users_of_unionid(&session.realm, unionid)?;
    let users = all.into_iter().filter(|(app, _)| link.apps.contains(app)).map(|(_, user)| user);
    Ok(rules::linked(users.collect()))
}

/// The same login, opened before, goes before any refusal.
fn repeated_or<R: Rows>(db: &R, login: &LoginRecord, now: Timestamp, refusal: Opened) -> Done<Opened> {
    Ok(repeated(db, login, now)?.unwrap_or(refusal))
}

fn repeated<R: Rows>(db: &R, login: &LoginRecord, now: Timestamp) -> Result<Option<Opened>, R::Error> {
    Ok(db.login_record(&login.key)?.filter(|kept| kept.expires_at > now).map(Opened::Repeated))
}

/// Writes the identity, and its unionid into the session. True if the identity was there, and the unionid is news to it.
fn keep_identity<R: Rows>(db: &R, open: &Open, found: Option<&Found>, session: &mut Session) -> Result<bool, R::Error> {
    let now = session.created_at;
    let session_key = open.session_key.as_deref();
    let Some(found) = found else {
        db.insert_identity(&new_identity(session.identity, session), session_key)?;
        return Ok(false);
    };
    let renamed = session.unionid.is_some() && session.unionid != found.unionid;
    if !renamed {
        session.unionid.clone_from(&found.unionid);
    }
    let newly_bound = found.user.is_none() && session.user.is_some();
    if newly_bound || renamed {
        let word = Word {
            unionid: session.unionid.as_deref(),
            session_key,
            user: session.user.as_ref(),
            bound_at: newly_bound.then_some(now),
            vouched_at: session.vouched_at,
        };
        db.update_identity(session.identity, &word)?;
    } else {
        db.vouched(session.identity, session_key, session.vouched_at)?;
    }
    Ok(renamed)
}

fn new_identity(id: IdentityId, session: &Session) -> Identity {
    let now = session.created_at;
    Identity {
        id,
        realm: session.realm.clone(),
        app: session.app.clone(),
        openid: session.openid.clone(),
        unionid: session.unionid.clone(),
        user: session.user.clone(),
        bound_at: session.user.as_ref().map(|_: &UserId| now),
        created_at: now,
        vouched_at: Some(session.vouched_at),
    }
}

/// Writes the claims that came with the user, and the user's claims into the session. True if they are news.
fn keep_claims<R: Rows>(
    db: &R,
    open: &Open,
    look: &Look,
    newly_bound: bool,
    session: &mut Session,
) -> Result<bool, R::Error> {
    let Some(user) = &session.user else {
        session.claims = None;
        return Ok(false);
    };
    let said = open.user.as_ref().filter(|u| u.user == *user).and_then(|u| u.claims.as_ref());
    // Of the user that the identity had, or of the one whom the login proposes.
    let known = match look.at(user) {
        Some(at) => Some(&at.claims),
        None if newly_bound => None,
        None => look.found.as_ref().map(|found| &found.claims),
    };
    let newly_said = match (said, known) {
        (None, _) => false,
        (Some(said), Some(known)) if known.as_ref() == Some(said) => false,
        (Some(said), Some(_)) => db.put_claims(&session.realm, user, said).map(|()| true)?,
        (Some(said), None) => db.write_claims(&session.realm, user, Some(said))?,
    };
    session.claims = match (said, known) {
        (Some(said), _) => Some(said.clone()),
        (None, Some(known)) => known.clone(),
        (None, None) => db.claims(&session.realm, user)?,
    };
    Ok(newly_said)
}
