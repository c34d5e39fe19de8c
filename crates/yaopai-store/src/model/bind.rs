//! Binding identities to users.

use yaopai_core::ids::{IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{Bind, BindEnd, Change, Rotated, StoreResult, UserFound};
use yaopai_core::session::{Claims, EndReason};
use yaopai_core::time::Timestamp;

use super::state::State;
use crate::rules::{self, Rise};

pub(super) fn bind(state: &mut State, bind: &Bind, changes: &mut Vec<Change>) -> StoreResult<Rotated> {
    let Some(mut session) = state.session(bind.rotate.id) else { return Ok(Rotated::Unknown) };
    let answer = match rules::rise(&mut session, bind) {
        Rise::No(refusal) => return Ok(refusal),
        Rise::Again(answer) => return Ok(Rotated::Answer(Box::new(session), answer)),
        Rise::To(answer) => answer,
    };
    if !free(state, &session.realm, session.identity, &bind.user.user, bind.second_identity) {
        return Ok(Rotated::Conflict);
    }
    give(state, session.identity, &bind.user.user, bind.rotate.now);
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
    second_identity: bool,
    now: Timestamp,
    changes: &mut Vec<Change>,
) -> BindEnd {
    if state.identities.get(&id).is_none_or(|k| k.identity.realm != *realm) {
        return BindEnd::NotFound;
    }
    if !free(state, realm, id, &user.user, second_identity) {
        return BindEnd::Conflict;
    }
    let identity = give(state, id, &user.user, now);
    let newly_said = user.claims.as_ref().is_some_and(|claims| state.say(realm, &user.user, Some(claims)));
    let mut told = Vec::new();
    for session in state.sessions.values_mut().filter(|s| s.ended.is_none()) {
        let before = (session.user.clone(), session.secrets.clone());
        if session.identity == id {
            session.user = Some(user.user.clone());
            session.secrets.rise_in_place();
        }
        let of_user = session.realm == *realm && session.user.as_ref() == Some(&user.user);
        if before != (session.user.clone(), session.secrets.clone()) || (newly_said && of_user) {
            told.push(session.id);
        }
    }
    state.put(told, changes);
    identity
}

pub(super) fn unbind_identity(
    state: &mut State,
    realm: &Realm,
    id: IdentityId,
    now: Timestamp,
    changes: &mut Vec<Change>,
) -> bool {
    let Some(kept) = state.identities.get_mut(&id).filter(|k| k.identity.realm == *realm) else { return false };
    if kept.identity.user.is_none() {
        return false;
    }
    kept.identity.user = None;
    kept.identity.bound_at = None;
    for session in state.live(|s| s.identity == id && s.user.is_some()) {
        state.end(session, EndReason::Unbound, now, changes);
    }
    true
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
