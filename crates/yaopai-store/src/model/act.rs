//! What a back end changes, and the answer that is kept with it.

use std::collections::BTreeSet;

use yaopai_core::audit::Said;
use yaopai_core::ids::{IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{
    Act, Acted, Action, BindCode, BindEnd, BindTerms, Change, Identity, KeptAnswer, KnownUser, Merge, MergeOutcome,
    Merged, Move, StoreResult, UserFound,
};
use yaopai_core::session::Claims;
use yaopai_core::time::Timestamp;

use super::state::{KeptHere, State};
use super::{bind, codes, moving, signing, store};
use crate::{audited, merge};

pub(super) fn act(state: &mut State, act: &Act, changes: &mut Vec<Change>) -> StoreResult<(Said, Acted)> {
    let Some(keep) = &act.keep else { return Ok(perform(state, &act.realm, &act.action, act.now, changes)) };
    if let Some(kept) = kept(state, &keep.key, act.now) {
        return Ok((Said::new(), Acted::Repeated(kept)));
    }
    if state.answers.values().filter(|kept| kept.realm == act.realm).count() as u64 >= keep.most {
        return Ok((Said::new(), Acted::Full));
    }
    let before = state.clone();
    let (said, acted) = perform(state, &act.realm, &act.action, act.now, changes);
    match (keep.answer)(&acted) {
        Ok(None) => {}
        Ok(Some(sealed)) => {
            let answer = KeptAnswer { request: keep.request, sealed };
            let kept = KeptHere { realm: act.realm.clone(), answer, expires_at: keep.expires_at };
            state.answers.insert(keep.key, kept);
        }
        Err(e) => {
            *state = before;
            changes.clear();
            return Err(e);
        }
    }
    Ok((said, acted))
}

fn perform(
    state: &mut State,
    realm: &Realm,
    action: &Action,
    now: Timestamp,
    changes: &mut Vec<Change>,
) -> (Said, Acted) {
    match action {
        Action::Nothing => (Said::new(), Acted::Done),
        Action::Kick(which, reason) => {
            (Said::new(), Acted::Ended(store::end(state, realm, which, *reason, now, changes)))
        }
        Action::SetClaims(user, claims) => {
            let (said, ()) = set_claims(state, realm, user, claims.as_ref(), changes);
            (said, Acted::Done)
        }
        Action::SetDisabled(user, at) => {
            let (said, ended) = set_disabled(state, realm, user, *at, changes);
            (said, Acted::Ended(ended))
        }
        Action::Bind(identity, user, terms) => {
            let (said, end) = bind(state, realm, *identity, user, terms, changes);
            (said, Acted::Bound(end))
        }
        Action::Unbind(identity) => {
            let (said, done) = unbind(state, realm, *identity, None, now, changes);
            (said, Acted::Unbound(done))
        }
        Action::Move(to) => {
            let (said, end) = move_to(state, realm, to, now, changes);
            (said, Acted::Bound(end))
        }
        Action::Merge(all) => {
            let (said, merged) = merge_all(state, realm, all, now, changes);
            (said, Acted::Merged(merged))
        }
        Action::KeepBindCode(code) => {
            let (said, ()) = keep_code(state, code);
            (said, Acted::Done)
        }
        Action::SetMove(app, to) => {
            let (said, ()) = moving::set(state, realm, app, to);
            (said, Acted::Done)
        }
        Action::EndMove(app) => {
            let (said, ended) = moving::end(state, realm, app);
            (said, Acted::MoveEnded(ended))
        }
        Action::AddKeys(next) => {
            let keys = signing::add_all(state, next);
            (audited::rotated(next, keys.is_some()), Acted::Keys(keys))
        }
    }
}

pub(super) fn set_claims(
    state: &mut State,
    realm: &Realm,
    user: &UserId,
    claims: Option<&Claims>,
    changes: &mut Vec<Change>,
) -> (Said, ()) {
    let before = state.claims_of(realm, user);
    bind::set_claims(state, realm, user, claims, changes);
    (audited::claimed(realm, user, claims, before.as_ref()), ())
}

pub(super) fn set_disabled(
    state: &mut State,
    realm: &Realm,
    user: &UserId,
    at: Option<Timestamp>,
    changes: &mut Vec<Change>,
) -> (Said, Vec<SessionId>) {
    let was = state.disabled_at(realm, user).is_some();
    let ended = bind::set_disabled(state, realm, user, at, changes);
    (audited::disabled(realm, user, was, at.is_some()), ended)
}

pub(super) fn bind(
    state: &mut State,
    realm: &Realm,
    identity: IdentityId,
    user: &UserFound,
    terms: &BindTerms,
    changes: &mut Vec<Change>,
) -> (Said, BindEnd) {
    let had = of(state, identity).and_then(|identity| identity.user);
    let claims = state.claims_of(realm, &user.user);
    let end = bind::bind_identity(state, realm, identity, user, terms, changes);
    (audited::bound_by_back_end(user, had.as_ref(), claims.as_ref(), &end), end)
}

pub(super) fn unbind(
    state: &mut State,
    realm: &Realm,
    identity: IdentityId,
    from: Option<&UserId>,
    now: Timestamp,
    changes: &mut Vec<Change>,
) -> (Said, bool) {
    let was = of(state, identity);
    let done = bind::unbind_identity(state, realm, identity, from, now, changes);
    (audited::unbound(was.as_ref(), from, done), done)
}

pub(super) fn keep_code(state: &mut State, code: &BindCode) -> (Said, ()) {
    (audited::made(code), codes::keep(state, code.clone()))
}

fn move_to(state: &mut State, realm: &Realm, to: &Move, now: Timestamp, changes: &mut Vec<Change>) -> (Said, BindEnd) {
    let (was, claims) = (of(state, to.identity), state.claims_of(realm, &to.to.user));
    let end = bind::move_identity(state, realm, to, now, changes);
    (audited::moved(to, was.as_ref(), claims.as_ref(), &end), end)
}

fn merge_all(
    state: &mut State,
    realm: &Realm,
    all: &Merge,
    now: Timestamp,
    changes: &mut Vec<Change>,
) -> (Said, Merged) {
    let named = |i: &&Identity| i.realm == *realm && i.unionid.as_ref() == Some(&all.unionid);
    let mut identities: Vec<Identity> =
        state.identities.values().map(|kept| &kept.identity).filter(named).cloned().collect();
    identities.retain(|i| merge::terms(all, &i.app).is_some());
    let has_other = |i: &Identity, user: &UserId| {
        Ok::<_, std::convert::Infallible>(state.has_other(realm, &i.app, user, Some(i.id)))
    };
    let merged = match merge::plan(all, identities, has_other) {
        Ok(merged) => merged,
        Err(never) => match never {},
    };
    let mut said = Said::new();
    let Some(user) = merged.user.as_ref().filter(|_| merged.done) else { return (said, merged) };
    for (identity, outcome) in &merged.identities {
        let Some(terms) = merge::terms(all, &identity.app) else { continue };
        let found = UserFound { user: user.clone(), claims: None };
        said.extend(match outcome {
            MergeOutcome::Bound => bind(state, realm, identity.id, &found, terms, changes).0,
            MergeOutcome::Moved => {
                let to = audited::merging(identity.id, found, terms.second_identity);
                move_to(state, realm, &to, now, changes).0
            }
            MergeOutcome::Kept | MergeOutcome::Conflict(_) => Said::new(),
        });
    }
    (said, merged)
}

fn of(state: &State, identity: IdentityId) -> Option<Identity> {
    state.identities.get(&identity).map(|kept| kept.identity.clone())
}

pub(super) fn kept(state: &State, key: &[u8; 32], now: Timestamp) -> Option<KeptAnswer> {
    state.answers.get(key).filter(|kept| kept.expires_at > now).map(|kept| kept.answer.clone())
}

/// Forgets answers, the longest expired first. Answers how many.
pub(super) fn purge(state: &mut State, now: Timestamp, limit: usize) -> usize {
    let mut old: Vec<_> = state
        .answers
        .iter()
        .filter(|(_, kept)| kept.expires_at <= now)
        .map(|(key, kept)| (kept.expires_at, *key))
        .collect();
    old.sort_unstable();
    old.truncate(limit);
    for (_, key) in &old {
        state.answers.remove(key);
    }
    old.len()
}

pub(super) fn users(state: &State, realm: &Realm, after: Option<&UserId>, limit: usize) -> Vec<KnownUser> {
    let bound =
        state.identities.values().filter(|k| k.identity.realm == *realm).filter_map(|k| k.identity.user.clone());
    let said =
        state.claims.keys().chain(state.disabled.keys()).filter(|(of, _)| of == realm).map(|(_, user)| user.clone());
    let all: BTreeSet<UserId> = bound.chain(said).filter(|user| after.is_none_or(|after| user > after)).collect();
    all.iter().filter_map(|user| known(state, realm, user)).take(limit).collect()
}

pub(super) fn known(state: &State, realm: &Realm, user: &UserId) -> Option<KnownUser> {
    let (claims, disabled_at) = (state.claims_of(realm, user), state.disabled_at(realm, user));
    let identities = state.identities.values().map(|kept| &kept.identity);
    let identities = identities.filter(|i| i.realm == *realm && i.user.as_ref() == Some(user)).count() as u64;
    let sessions = state.live(|s| s.realm == *realm && s.user.as_ref() == Some(user)).len() as u64;
    let known = identities > 0 || claims.is_some() || disabled_at.is_some();
    known.then(|| KnownUser { user: user.clone(), claims, disabled_at, identities, sessions })
}
