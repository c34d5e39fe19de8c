//! Binding identities to users.

use yaopai_core::ids::{IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{Bind, BindEnd, BindTerms, Change, Move, Proof, Rotated, StoreResult, UserFound};
use yaopai_core::session::{Claims, EndReason, Room, Session};
use yaopai_core::time::Timestamp;

use super::state::State;
use super::{jar, login};
use crate::rules::{self, Rise};

pub(super) fn bind(state: &mut State, bind: &Bind, changes: &mut Vec<Change>) -> StoreResult<Rotated> {
    let Some(mut session) = state.session(bind.rotate.id) else { return Ok(Rotated::Unknown) };
    let to = &bind.user.user;
    let rises = session.user.as_ref() != Some(to);
    let has = state.identities.get(&session.identity).and_then(|kept| kept.identity.user.clone());
    let (answer, leaves) = match rules::rise(&mut session, has.as_ref(), bind) {
        Rise::No(refusal) => return Ok(refusal),
        Rise::Again(answer) => return Ok(Rotated::Answer(Box::new(session), answer)),
        Rise::To(answer) => (answer, false),
        Rise::Over(answer) => (answer, true),
    };
    if let Proof::Code(hash) = &bind.proof
        && !rules::redeems(state.bind_codes.get(hash), &session, bind)
    {
        return Ok(Rotated::NoCode);
    }
    if state.disabled_at(&session.realm, to).is_some() {
        return Ok(Rotated::Disabled);
    }
    let newly = has.as_ref() != Some(to) && !rules::may_be_second(bind);
    if newly && state.has_other(&session.realm, &session.app, to, Some(session.identity)) {
        return Ok(Rotated::Conflict);
    }
    let now = bind.rotate.now;
    if rises {
        let others = login::others(state, &session, bind.idle_ms, bind.up, now);
        let Room::After(yielding) = bind.limits.room(&others) else { return Ok(Rotated::Full) };
        for id in yielding {
            state.end(id, EndReason::Replaced, now, changes);
        }
    }
    if let Proof::Code(hash) = &bind.proof {
        state.bind_codes.remove(hash);
    }
    if leaves {
        leave(state, session.identity, Some(session.id), now, changes);
        jar::empty(state, session.id);
    }
    give(state, session.identity, to, now);
    let told = say(state, &session.realm, &bind.user, session.id);
    state.put(told, changes);
    state.sessions.insert(session.id, session.clone());
    let session = state.joined(&session);
    changes.push(Change::Put(Box::new(session.clone())));
    Ok(Rotated::Answer(Box::new(session), answer))
}

pub(super) fn bind_identity(
    state: &mut State,
    realm: &Realm,
    id: IdentityId,
    user: &UserFound,
    terms: &BindTerms,
    changes: &mut Vec<Change>,
) -> BindEnd {
    let Some(kept) = state.identities.get(&id).filter(|k| k.identity.realm == *realm) else {
        return BindEnd::NotFound;
    };
    let gives = kept.identity.user.is_none();
    if !free(state, realm, id, &user.user, terms.second_identity) {
        return BindEnd::Conflict;
    }
    let identity = give(state, id, &user.user, terms.now);
    let rising = if gives { state.live(|s| s.identity == id) } else { Vec::new() };
    let disabled = state.disabled_at(realm, &user.user).is_some();
    for id in &rising {
        if disabled {
            state.end(*id, EndReason::UserDisabled, terms.now, changes);
        } else {
            rise_in_place(state, *id, &user.user, terms, changes);
        }
    }
    let newly_said = user.claims.as_ref().is_some_and(|claims| state.say(realm, &user.user, Some(claims)));
    let of_user = |s: &Session| s.realm == *realm && s.user.as_ref() == Some(&user.user);
    let told = state.live(|s| rising.contains(&s.id) || (newly_said && of_user(s)));
    state.put(told, changes);
    identity
}

/// One session rises. Room is made for it, unless it has expired and only waits for the sweep.
fn rise_in_place(state: &mut State, id: SessionId, user: &UserId, terms: &BindTerms, changes: &mut Vec<Change>) {
    // An earlier one of the same call never ends a later one: that has no user yet.
    let Some(mut session) = state.sessions.get(&id).cloned() else { return };
    session.user = Some(user.clone());
    session.secrets.rise_in_place();
    if !rules::expired(&session, terms.idle_ms, terms.up, terms.now) {
        let limits = terms.limits.of_type(session.device.kind.as_deref());
        let others = login::others(state, &session, terms.idle_ms, terms.up, terms.now);
        if let Room::After(yielding) = limits.room(&others) {
            for id in yielding {
                state.end(id, EndReason::Replaced, terms.now, changes);
            }
        }
    }
    state.sessions.insert(id, session);
}

pub(super) fn unbind_identity(
    state: &mut State,
    realm: &Realm,
    id: IdentityId,
    from: Option<&UserId>,
    now: Timestamp,
    changes: &mut Vec<Change>,
) -> bool {
    let Some(kept) = state.identities.get(&id).filter(|k| k.identity.realm == *realm) else { return false };
    if !rules::has(&kept.identity, from) {
        return false;
    }
    leave(state, id, None, now, changes);
    true
}

pub(super) fn move_identity(
    state: &mut State,
    realm: &Realm,
    to: &Move,
    now: Timestamp,
    changes: &mut Vec<Change>,
) -> BindEnd {
    let kept = state.identities.get(&to.identity).map(|kept| kept.identity.clone());
    let Some(was) = kept.filter(|i| i.realm == *realm && i.user.is_some()) else { return BindEnd::NotFound };
    let user = &to.to.user;
    if to.from.is_some() && to.from != was.user {
        return BindEnd::Conflict;
    }
    if was.user.as_ref() != Some(user) {
        if !to.second_identity && state.has_other(realm, &was.app, user, Some(was.id)) {
            return BindEnd::Conflict;
        }
        leave(state, was.id, None, now, changes);
    }
    let end = give(state, was.id, user, now);
    if to.to.claims.as_ref().is_some_and(|claims| state.say(realm, user, Some(claims))) {
        let told = state.live(|s| s.realm == *realm && s.user.as_ref() == Some(user));
        state.put(told, changes);
    }
    end
}

/// The identity leaves its user, and so do its bound sessions, one apart.
fn leave(state: &mut State, id: IdentityId, but: Option<SessionId>, now: Timestamp, changes: &mut Vec<Change>) {
    if let Some(kept) = state.identities.get_mut(&id) {
        kept.identity.user = None;
        kept.identity.bound_at = None;
    }
    for session in state.live(|s| s.identity == id && s.user.is_some() && Some(s.id) != but) {
        state.end(session, EndReason::Unbound, now, changes);
    }
}

pub(super) fn set_claims(
    state: &mut State,
    realm: &Realm,
    user: &UserId,
    claims: Option<&Claims>,
    changes: &mut Vec<Change>,
) {
    if state.say(realm, user, claims) {
        let told = state.live(|s| s.realm == *realm && s.user.as_ref() == Some(user));
        state.put(told, changes);
    }
}

pub(super) fn set_disabled(
    state: &mut State,
    realm: &Realm,
    user: &UserId,
    at: Option<Timestamp>,
    changes: &mut Vec<Change>,
) -> Vec<SessionId> {
    let key = (realm.clone(), user.clone());
    let Some(at) = at else {
        state.disabled.remove(&key);
        return Vec::new();
    };
    state.disabled.entry(key).or_insert(at);
    let ended = state.live(|s| s.realm == *realm && s.user.as_ref() == Some(user));
    for id in &ended {
        state.end(*id, EndReason::UserDisabled, at, changes);
    }
    ended
}

/// May the identity have this user?
fn free(state: &State, realm: &Realm, id: IdentityId, user: &UserId, second_identity: bool) -> bool {
    let Some(identity) = state.identities.get(&id).map(|k| &k.identity) else { return false };
    match &identity.user {
        Some(has) => has == user,
        None => second_identity || !state.has_other(realm, &identity.app, user, Some(id)),
    }
}

/// Gives the identity its user, unless it has it.
fn give(state: &mut State, id: IdentityId, user: &UserId, now: Timestamp) -> BindEnd {
    let Some(kept) = state.identities.get_mut(&id) else { return BindEnd::NotFound };
    if kept.identity.user.is_none() {
        kept.identity.user = Some(user.clone());
        kept.identity.bound_at = Some(now);
    }
    BindEnd::Bound(Box::new(kept.identity.clone()))
}

/// Keeps the claims that came with a user. Answers the user's other live sessions if they are news to them.
fn say(state: &mut State, realm: &Realm, user: &UserFound, but: SessionId) -> Vec<SessionId> {
    if !user.claims.as_ref().is_some_and(|claims| state.say(realm, &user.user, Some(claims))) {
        return Vec::new();
    }
    state.live(|s| s.id != but && s.realm == *realm && s.user.as_ref() == Some(&user.user))
}
