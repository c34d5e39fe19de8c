//! Binding identities to users, and what is said about users.

use std::collections::BTreeSet;

use yaopai_core::ids::{IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{Bind, BindEnd, BindTerms, Change, Identity, Move, Proof, Rotated, UserFound};
use yaopai_core::session::{Claims, EndReason, Ended, Room};
use yaopai_core::time::Timestamp;

use super::{Done, Work, jar};
use crate::rows::Rows;
use crate::rules::{self, Rise};

pub(crate) fn bind<R: Rows>(work: &mut Work<'_, R>, bind: &Bind) -> Done<Rotated> {
    let db = work.db;
    let Some(mut session) = db.session(bind.rotate.id)? else { return Ok(Rotated::Unknown) };
    let Some(mut identity) = db.identity_by_id(&session.realm, session.identity)? else { return Ok(Rotated::Unknown) };
    let (to, now) = (&bind.user.user, bind.rotate.now);
    let rises = session.user.as_ref() != Some(to);
    let (answer, leaves) = match rules::rise(&mut session, identity.user.as_ref(), bind) {
        Rise::No(refusal) => return Ok(refusal),
        Rise::Again(answer) => return Ok(Rotated::Answer(Box::new(session), answer)),
        Rise::To(answer) => (answer, false),
        Rise::Over(answer) => (answer, true),
    };
    if let Proof::Code(hash) = &bind.proof
        && !rules::redeems(db.code(hash)?.as_ref(), &session, bind)
    {
        return Ok(Rotated::NoCode);
    }
    if db.disabled_at(&session.realm, to)?.is_some() {
        return Ok(Rotated::Disabled);
    }
    let newly = identity.user.as_ref() != Some(to) && !rules::may_be_second(bind);
    if newly && db.has_other(&session.realm, &session.app, to, Some(session.identity))? {
        return Ok(Rotated::Conflict);
    }
    if rises {
        let others = db.others(&session, bind.idle_ms, bind.up, now)?;
        let Room::After(yielding) = bind.limits.room(&others) else { return Ok(Rotated::Full) };
        make_room(work, yielding, now)?;
    }
    if let Proof::Code(hash) = &bind.proof {
        db.drop_code(hash)?;
    }
    if leaves {
        leave(work, session.identity, Some(session.id), now)?;
        jar::empty(work, session.id)?;
        identity.user = None;
    }
    give(db, identity, to, now)?;
    db.save_session(&session)?;
    let mut told = say(db, &session.realm, &bind.user)?;
    told.retain(|id| *id != session.id);
    tell(work, told)?;
    session.claims = db.claims(&session.realm, to)?;
    work.changes.push(Change::Put(Box::new(session.clone())));
    Ok(Rotated::Answer(Box::new(session), answer))
}

pub(crate) fn bind_identity<R: Rows>(
    work: &mut Work<'_, R>,
    realm: &Realm,
    id: IdentityId,
    user: &UserFound,
    terms: &BindTerms,
) -> Done<BindEnd> {
    let db = work.db;
    let Some(identity) = db.identity_by_id(realm, id)? else { return Ok(BindEnd::NotFound) };
    if !free(db, &identity, &user.user, terms.second_identity)? {
        return Ok(BindEnd::Conflict);
    }
    let gives = identity.user.is_none();
    let identity = give(db, identity, &user.user, terms.now)?;
    if gives && db.disabled_at(realm, &user.user)?.is_some() {
        end_all(work, &db.live_of_identity(id)?, terms.now)?;
    } else if gives {
        for session in db.live_of_identity(id)? {
            rise_in_place(work, session, &user.user, terms)?;
        }
    }
    let mut told = say(db, realm, user)?;
    if gives {
        told.extend(db.live_of_identity(id)?);
    }
    tell(work, told)?;
    Ok(BindEnd::Bound(Box::new(identity)))
}

/// One session rises. Room is made for it, unless it has expired and only waits for the sweep.
fn rise_in_place<R: Rows>(work: &mut Work<'_, R>, id: SessionId, user: &UserId, terms: &BindTerms) -> Done<()> {
    // An earlier one of the same call never ends a later one: that has no user yet.
    let Some(mut session) = work.db.session(id)? else { return Ok(()) };
    session.user = Some(user.clone());
    session.secrets.rise_in_place();
    if !rules::expired(&session, terms.idle_ms, terms.up, terms.now) {
        let limits = terms.limits.of_type(session.device.kind.as_deref());
        let others = work.db.others(&session, terms.idle_ms, terms.up, terms.now)?;
        if let Room::After(yielding) = limits.room(&others) {
            make_room(work, yielding, terms.now)?;
        }
    }
    Ok(work.db.save_session(&session)?)
}

pub(crate) fn make_room<R: Rows>(work: &mut Work<'_, R>, yielding: Vec<SessionId>, at: Timestamp) -> Done<()> {
    for id in yielding {
        work.end(id, Ended { reason: EndReason::Replaced, at })?;
    }
    Ok(())
}

pub(crate) fn unbind_identity<R: Rows>(
    work: &mut Work<'_, R>,
    realm: &Realm,
    id: IdentityId,
    from: Option<&UserId>,
    now: Timestamp,
) -> Done<bool> {
    if work.db.identity_by_id(realm, id)?.is_none_or(|identity| !rules::has(&identity, from)) {
        return Ok(false);
    }
    leave(work, id, None, now)?;
    Ok(true)
}

/// The identity goes from its user to another.
pub(crate) fn move_identity<R: Rows>(
    work: &mut Work<'_, R>,
    realm: &Realm,
    to: &Move,
    now: Timestamp,
) -> Done<BindEnd> {
    let db = work.db;
    let Some(mut identity) = db.identity_by_id(realm, to.identity)?.filter(|identity| identity.user.is_some()) else {
        return Ok(BindEnd::NotFound);
    };
    let user = &to.to.user;
    if to.from.is_some() && to.from != identity.user {
        return Ok(BindEnd::Conflict);
    }
    if identity.user.as_ref() != Some(user) {
        if !to.second_identity && db.has_other(realm, &identity.app, user, Some(identity.id))? {
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
fn leave<R: Rows>(work: &mut Work<'_, R>, id: IdentityId, but: Option<SessionId>, now: Timestamp) -> Done<()> {
    work.db.take_user(id)?;
    for session in work.db.bound_of_identity(id)? {
        if Some(session) != but {
            work.end(session, Ended { reason: EndReason::Unbound, at: now })?;
        }
    }
    Ok(())
}

pub(crate) fn set_claims<R: Rows>(
    work: &mut Work<'_, R>,
    realm: &Realm,
    user: &UserId,
    new: Option<&Claims>,
) -> Done<()> {
    if work.db.claims(realm, user)?.as_ref() != new {
        work.db.write_claims(realm, user, new)?;
        let told = work.db.live_of_user(realm, user)?;
        tell(work, told)?;
    }
    Ok(())
}

/// The user's sessions end, and so do those of an identity that comes to be the user's, until the user is enabled.
pub(crate) fn set_disabled<R: Rows>(
    work: &mut Work<'_, R>,
    realm: &Realm,
    user: &UserId,
    at: Option<Timestamp>,
) -> Done<Vec<SessionId>> {
    work.db.write_disabled(realm, user, at)?;
    let Some(at) = at else { return Ok(Vec::new()) };
    let ended = work.db.live_of_user(realm, user)?;
    end_all(work, &ended, at)?;
    Ok(ended)
}

fn end_all<R: Rows>(work: &mut Work<'_, R>, ids: &[SessionId], at: Timestamp) -> Done<()> {
    for id in ids {
        work.end(*id, Ended { reason: EndReason::UserDisabled, at })?;
    }
    Ok(())
}

/// Keeps the claims that came with a user. Answers the user's live sessions if they are news to them.
fn say<R: Rows>(db: &R, realm: &Realm, user: &UserFound) -> Result<Vec<SessionId>, R::Error> {
    if user.claims.is_none() || db.claims(realm, &user.user)? == user.claims {
        return Ok(Vec::new());
    }
    db.write_claims(realm, &user.user, user.claims.as_ref())?;
    db.live_of_user(realm, &user.user)
}

/// Hands sessions to the sink as they are now, each once, in id order.
pub(crate) fn tell<R: Rows>(work: &mut Work<'_, R>, ids: Vec<SessionId>) -> Done<()> {
    for id in BTreeSet::from_iter(ids) {
        if let Some(session) = work.db.session(id)? {
            work.changes.push(Change::Put(Box::new(session)));
        }
    }
    Ok(())
}

/// May the identity have this user?
fn free<R: Rows>(db: &R, identity: &Identity, user: &UserId, second_identity: bool) -> Result<bool, R::Error> {
    match &identity.user {
        Some(has) => Ok(has == user),
        None if second_identity => Ok(true),
        None => Ok(!db.has_other(&identity.realm, &identity.app, user, Some(identity.id))?),
    }
}

/// Gives the identity its user, unless it has it.
fn give<R: Rows>(db: &R, mut identity: Identity, user: &UserId, now: Timestamp) -> Result<Identity, R::Error> {
    if identity.user.is_none() {
        db.give_user(identity.id, user, now)?;
        identity.user = Some(user.clone());
        identity.bound_at = Some(now);
    }
    Ok(identity)
}
