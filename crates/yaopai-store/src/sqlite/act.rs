//! What a back end changes: each action with what the audit log is told, and the answer that is kept with it.

use rusqlite::{Connection, params};
use yaopai_core::audit::Said;
use yaopai_core::ids::{IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{
    Act, Acted, Action, BindCode, BindEnd, BindTerms, Identity, Keep, KeptAnswer, Merge, MergeOutcome, Merged, Move,
    StoreError, UserFound,
};
use yaopai_core::session::{Claims, EndReason};
use yaopai_core::time::Timestamp;

use super::writer::{Done, Failure, Work};
use super::{bind, codes, moving, rows, sessions, signing};
use crate::{audited, merge};

pub(super) fn act(work: &mut Work<'_>, act: &Act) -> Done<(Said, Acted)> {
    if let Some(keep) = &act.keep {
        if let Some(kept) = kept(work.db, &keep.key, act.now)? {
            return Ok((Said::new(), Acted::Repeated(kept)));
        }
        if count(work.db, &act.realm)? >= keep.most {
            return Ok((Said::new(), Acted::Full));
        }
    }
    let (said, acted) = perform(work, &act.realm, &act.action, act.now)?;
    if let Some(keep) = &act.keep
        && let Some(sealed) = (keep.answer)(&acted).map_err(undone)?
    {
        self::keep(work.db, &act.realm, keep, &sealed)?;
    }
    Ok((said, acted))
}

fn perform(work: &mut Work<'_>, realm: &Realm, action: &Action, now: Timestamp) -> Done<(Said, Acted)> {
    match action {
        Action::Nothing => Ok((Said::new(), Acted::Done)),
        Action::Kick(which) => {
            let ended = sessions::end(work, realm, which, EndReason::Kicked, now)?;
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

pub(super) fn set_claims(
    work: &mut Work<'_>,
    realm: &Realm,
    user: &UserId,
    claims: Option<&Claims>,
) -> Done<(Said, ())> {
    let before = bind::claims(work.db, realm, user)?;
    bind::set_claims(work, realm, user, claims)?;
    Ok((audited::claimed(realm, user, claims, before.as_ref()), ()))
}

pub(super) fn set_disabled(
    work: &mut Work<'_>,
    realm: &Realm,
    user: &UserId,
    at: Option<Timestamp>,
) -> Done<(Said, Vec<SessionId>)> {
    let was = bind::disabled_at(work.db, realm, user)?.is_some();
    let ended = bind::set_disabled(work, realm, user, at)?;
    Ok((audited::disabled(realm, user, was, at.is_some()), ended))
}

pub(super) fn bind(
    work: &mut Work<'_>,
    realm: &Realm,
    identity: IdentityId,
    user: &UserFound,
    terms: &BindTerms,
) -> Done<(Said, BindEnd)> {
    let had = bind::by_id(work.db, realm, identity)?.and_then(|identity| identity.user);
    let claims = bind::claims(work.db, realm, &user.user)?;
    let end = bind::bind_identity(work, realm, identity, user, terms)?;
    Ok((audited::bound_by_back_end(user, had.as_ref(), claims.as_ref(), &end), end))
}

pub(super) fn unbind(
    work: &mut Work<'_>,
    realm: &Realm,
    identity: IdentityId,
    from: Option<&UserId>,
    now: Timestamp,
) -> Done<(Said, bool)> {
    let was = bind::by_id(work.db, realm, identity)?;
    let done = bind::unbind_identity(work, realm, identity, from, now)?;
    Ok((audited::unbound(was.as_ref(), from, done), done))
}

pub(super) fn keep_code(work: &mut Work<'_>, code: &BindCode) -> Done<(Said, ())> {
    Ok((audited::made(code), codes::keep(work, code)?))
}

fn move_to(work: &mut Work<'_>, realm: &Realm, to: &Move, now: Timestamp) -> Done<(Said, BindEnd)> {
    let was = bind::by_id(work.db, realm, to.identity)?;
    let claims = bind::claims(work.db, realm, &to.to.user)?;
    let end = bind::move_identity(work, realm, to, now)?;
    Ok((audited::moved(to, was.as_ref(), claims.as_ref(), &end), end))
}

fn merge_all(work: &mut Work<'_>, realm: &Realm, all: &Merge, now: Timestamp) -> Done<(Said, Merged)> {
    let db = work.db;
    let mut identities = of_unionid(db, realm, &all.unionid)?;
    identities.retain(|i| merge::terms(all, &i.app).is_some());
    let merged = merge::plan(all, identities, |i, user| bind::has_other(db, realm, &i.app, user, Some(i.id)))?;
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

fn of_unionid(db: &Connection, realm: &Realm, unionid: &str) -> rusqlite::Result<Vec<Identity>> {
    const SQL: &str = concat!(
        "SELECT ",
        rows::identity_columns!(),
        " FROM identities INDEXED BY identities_of_unionid WHERE unionid = ?1 AND realm = ?2 ORDER BY id"
    );
    rows::all(db, SQL, [unionid, realm.as_str()], rows::identity)
}

pub(super) fn kept(db: &Connection, key: &[u8; 32], now: Timestamp) -> rusqlite::Result<Option<KeptAnswer>> {
    let sql = "SELECT request, sealed FROM idempotency WHERE key = ?1 AND expires_at > ?2";
    rows::one(db, sql, params![key, now.0], |r| Ok(KeptAnswer { request: r.get(0)?, sealed: r.get(1)? }))
}

fn count(db: &Connection, realm: &Realm) -> rusqlite::Result<u64> {
    let sql = "SELECT kept FROM idempotency_counts WHERE realm = ?1";
    Ok(rows::one(db, sql, [realm.as_str()], |r| r.get::<_, i64>(0))?.unwrap_or(0).unsigned_abs())
}

fn keep(db: &Connection, realm: &Realm, keep: &Keep, sealed: &[u8]) -> rusqlite::Result<()> {
    // One that has expired and waits for the sweep. Not by `OR REPLACE`: that tells no trigger, and the count would run away.
    db.prepare_cached("DELETE FROM idempotency WHERE key = ?1")?.execute([keep.key])?;
    let sql = "INSERT INTO idempotency (key, realm, request, sealed, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let params = params![keep.key, realm.as_str(), keep.request, sealed, keep.expires_at.0];
    db.prepare_cached(sql)?.execute(params)?;
    Ok(())
}

/// Deletes answers, the longest expired first. Answers how many.
pub(super) fn purge(work: &mut Work<'_>, now: Timestamp, limit: u32) -> Done<u32> {
    let sql = "DELETE FROM idempotency WHERE key IN \
               (SELECT key FROM idempotency WHERE expires_at <= ?1 ORDER BY expires_at, key LIMIT ?2)";
    let gone = work.db.prepare_cached(sql)?.execute(params![now.0, limit])?;
    Ok(u32::try_from(gone).unwrap_or(u32::MAX))
}

/// The answer can't be kept after the change was written: the transaction is rolled back.
fn undone(why: StoreError) -> Failure {
    Failure::Sql(rusqlite::Error::ToSqlConversionFailure(Box::new(why)))
}
