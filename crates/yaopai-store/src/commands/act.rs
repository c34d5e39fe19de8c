//! What a back end changes: each action with what the audit log is told, and the answer that is kept with it.

use yaopai_core::audit::Said;
use yaopai_core::ids::{IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{
    Act, Acted, Action, BindCode, BindEnd, BindTerms, Merge, MergeOutcome, Merged, Move, StoreError, UserFound,
};
use yaopai_core::session::Claims;
use yaopai_core::time::Timestamp;

use super::{Done, Failure, Work, bind, codes, moving, sessions, signing};
use crate::rows::Rows;
use crate::{audited, merge};

pub(crate) fn act<R: Rows>(work: &mut Work<'_, R>, act: &Act) -> Done<(Said, Acted)> {
    if let Some(keep) = &act.keep {
        if let Some(kept) = work.db.kept(&keep.key, act.now)? {
            return Ok((Said::new(), Acted::Repeated(kept)));
        }
        if work.db.count_kept(&act.realm)? >= keep.most {
            return Ok((Said::new(), Acted::Full));
        }
    }
    let (said, acted) = perform(work, &act.realm, &act.action, act.now)?;
    if let Some(keep) = &act.keep
        && let Some(sealed) = (keep.answer)(&acted).map_err(undone)?
    {
        work.db.keep_answer(&act.realm, keep, &sealed)?;
    }
    Ok((said, acted))
}

fn perform<R: Rows>(work: &mut Work<'_, R>, realm: &Realm, action: &Action, now: Timestamp) -> Done<(Said, Acted)> {
    match action {
        Action::Nothing => Ok((Said::new(), Acted::Done)),
        Action::Kick(which, reason) => {
            let ended = sessions::end(work, realm, which, *reason, now)?;
            Ok((Said::new(), Acted::Ended(ended)))
        }
        Action::SetClaims(user, claims) => with(set_claims(work, realm, user, claims.as_ref())?, |()| Acted::Done),
        Action::SetDisabled(user, at) => with(set_disabled(work, realm, user, *at)?, Acted::Ended),
        Action::Bind(identity, user, terms) => with(bind(work, realm, *identity, user, terms)?, Acted::Bound),
        Action::Unbind(identity) => with(unbind(work, realm, *identity, None, now)?, Acted::Unbound),
        Action::Move(to) => with(move_to(work, realm, to, now)?, Acted::Bound),
        Action::Merge(all) => with(merge_all(work, realm, all, now)?, Acted::Merged),
        Action::KeepBindCode(code) => with(keep_code(work, code)?, |()| Acted::Done),
        Action::SetMove(app, state) => with(moving::set(work, realm, app, state)?, |()| Acted::Done),
        Action::EndMove(app) => with(moving::end(work, realm, app)?, Acted::MoveEnded),
        Action::AddKeys(next) => {
            let keys = signing::add_all(work, next)?;
            Ok((audited::rotated(next, keys.is_some()), Acted::Keys(keys)))
        }
    }
}

fn with<T>((said, done): (Said, T), acted: impl FnOnce(T) -> Acted) -> Done<(Said, Acted)> {
    Ok((said, acted(done)))
}

pub(crate) fn set_claims<R: Rows>(
    work: &mut Work<'_, R>,
    realm: &Realm,
    user: &UserId,
    claims: Option<&Claims>,
) -> Done<(Said, ())> {
    let before = work.db.claims(realm, user)?;
    bind::set_claims(work, realm, user, claims)?;
    Ok((audited::claimed(realm, user, claims, before.as_ref()), ()))
}

pub(crate) fn set_disabled<R: Rows>(
    work: &mut Work<'_, R>,
    realm: &Realm,
    user: &UserId,
    at: Option<Timestamp>,
) -> Done<(Said, Vec<SessionId>)> {
    let was = work.db.disabled_at(realm, user)?.is_some();
    let ended = bind::set_disabled(work, realm, user, at)?;
    Ok((audited::disabled(realm, user, was, at.is_some()), ended))
}

pub(crate) fn bind<R: Rows>(
    work: &mut Work<'_, R>,
    realm: &Realm,
    identity: IdentityId,
    user: &UserFound,
    terms: &BindTerms,
) -> Done<(Said, BindEnd)> {
    let had = work.db.identity_by_id(realm, identity)?.and_then(|identity| identity.user);
    let claims = work.db.claims(realm, &user.user)?;
    let end = bind::bind_identity(work, realm, identity, user, terms)?;
    Ok((audited::bound_by_back_end(user, had.as_ref(), claims.as_ref(), &end), end))
}

pub(crate) fn unbind<R: Rows>(
    work: &mut Work<'_, R>,
    realm: &Realm,
    identity: IdentityId,
    from: Option<&UserId>,
    now: Timestamp,
) -> Done<(Said, bool)> {
    let was = work.db.identity_by_id(realm, identity)?;
    let done = bind::unbind_identity(work, realm, identity, from, now)?;
    Ok((audited::unbound(was.as_ref(), from, done), done))
}

pub(crate) fn keep_code<R: Rows>(work: &mut Work<'_, R>, code: &BindCode) -> Done<(Said, ())> {
    Ok((audited::made(code), codes::keep(work, code)?))
}

fn move_to<R: Rows>(work: &mut Work<'_, R>, realm: &Realm, to: &Move, now: Timestamp) -> Done<(Said, BindEnd)> {
    let was = work.db.identity_by_id(realm, to.identity)?;
    let claims = work.db.claims(realm, &to.to.user)?;
    let end = bind::move_identity(work, realm, to, now)?;
    Ok((audited::moved(to, was.as_ref(), claims.as_ref(), &end), end))
}

fn merge_all<R: Rows>(work: &mut Work<'_, R>, realm: &Realm, all: &Merge, now: Timestamp) -> Done<(Said, Merged)> {
    let db = work.db;
    let mut identities = db.identities_of_unionid(realm, &all.unionid)?;
    identities.retain(|i| merge::terms(all, &i.app).is_some());
    let merged = merge::plan(all, identities, |i, user| db.has_other(realm, &i.app, user, Some(i.id)))?;
    let mut said = Said::new();
    let Some(user) = merged.user.as_ref().filter(|_| merged.done) else { return Ok((said, merged)) };
    for (identity, outcome) in &merged.identities {
        let Some(terms) = merge::terms(all, &identity.app) else { continue };
        let found = UserFound { user: user.clone(), claims: None };
        said.extend(match outcome {
            MergeOutcome::Bound => bind(work, realm, identity.id, &found, terms)?.0,
            MergeOutcome::Moved => {
                let to = audited::merging(identity.id, found, terms.second_identity);
                move_to(work, realm, &to, now)?.0
            }
            MergeOutcome::Kept | MergeOutcome::Conflict(_) => Said::new(),
        });
    }
    Ok((said, merged))
}

/// The answer can't be kept after the change was written: the transaction is rolled back. It is this call's own failure, and no
/// other's in its batch.
fn undone(why: StoreError) -> Failure {
    Failure::Undone(StoreError { retry: false, ..why })
}
