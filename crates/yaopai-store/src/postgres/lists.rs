//! Lists, page by page.

use yaopai_core::ids::{AppName, Realm, SessionId};
use yaopai_core::ports::{BindingFilter, Filter, Identity, Subject};
use yaopai_core::session::Session;

use super::db::Db;
use super::rows::{self, Read};
use super::sessions::user;
use super::value::Id;

pub(super) fn sessions(db: &Db, realm: &Realm, filter: &Filter) -> Read<Vec<Session>> {
    const OF_USER: &str = rows::sessions_of_user!(
        "AND ($3::text IS NULL OR s.app = $3) AND ($4::uuid IS NULL OR s.id > $4) ORDER BY s.id LIMIT $5"
    );
    const OF_GUEST: &str = rows::sessions!(
        "WHERE s.identity = $2 AND s.ended_at IS NULL AND s.user_id IS NULL AND s.realm = $1 \
         AND ($3::text IS NULL OR s.app = $3) AND ($4::uuid IS NULL OR s.id > $4) ORDER BY s.id LIMIT $5"
    );
    const ALL: &str = rows::sessions!(
        "WHERE s.id > coalesce($3::uuid, '00000000-0000-0000-0000-000000000000') AND s.ended_at IS NULL AND s.realm = $1 \
         AND ($2::text IS NULL OR s.app = $2) ORDER BY s.id LIMIT $4"
    );
    let app = filter.app.as_ref().map(AppName::as_str);
    let (realm, after, limit) = (realm.as_str(), filter.after.map(|id| Id(id.0)), i64::from(filter.limit));
    match &filter.subject {
        Some(Subject::User(user)) => {
            db.all(OF_USER, &[&realm, &user.as_str().as_bytes(), &app, &after, &limit], rows::session)
        }
        Some(Subject::Guest(id)) => db.all(OF_GUEST, &[&realm, &Id(id.0), &app, &after, &limit], rows::session),
        None => db.all(ALL, &[&realm, &app, &after, &limit], rows::session),
    }
}

pub(super) fn identities(db: &Db, realm: &Realm, filter: &BindingFilter) -> Read<Vec<Identity>> {
    // One text for each way to look them up, so that each has a plan of its own.
    const BY_USER: &str = concat!(
        "SELECT ",
        rows::identity_columns!(),
        " FROM identities WHERE realm = $1 AND user_id = $2 AND ($3::text IS NULL OR app = $3) \
         AND ($4::bytea IS NULL OR openid = $4) AND ($5::bytea IS NULL OR unionid = $5) \
         AND ($6::uuid IS NULL OR id > $6) ORDER BY id LIMIT $7"
    );
    const BY_OPENID: &str = concat!(
        "SELECT ",
        rows::identity_columns!(),
        " FROM identities WHERE realm = $1 AND ($2 OR user_id IS NOT NULL) AND ($3::text IS NULL OR app = $3) \
         AND openid = $4 AND ($5::bytea IS NULL OR unionid = $5) AND ($6::uuid IS NULL OR id > $6) ORDER BY id LIMIT $7"
    );
    const BY_UNIONID: &str = concat!(
        "SELECT ",
        rows::identity_columns!(),
        " FROM identities WHERE realm = $1 AND ($2 OR user_id IS NOT NULL) AND ($3::text IS NULL OR app = $3) \
         AND unionid = $4 AND ($5::uuid IS NULL OR id > $5) ORDER BY id LIMIT $6"
    );
    const ALL: &str = concat!(
        "SELECT ",
        rows::identity_columns!(),
        " FROM identities WHERE realm = $1 AND ($2 OR user_id IS NOT NULL) AND ($3::text IS NULL OR app = $3) \
         AND id > coalesce($4::uuid, '00000000-0000-0000-0000-000000000000') ORDER BY id LIMIT $5"
    );
    let (realm, app) = (realm.as_str(), filter.app.as_ref().map(AppName::as_str));
    let (after, limit) = (filter.after.map(|id| Id(id.0)), i64::from(filter.limit));
    let (openid, unionid) =
        (filter.openid.as_ref().map(String::as_bytes), filter.unionid.as_ref().map(String::as_bytes));
    let unbound = filter.unbound_too;
    match (&filter.user, openid, unionid) {
        (Some(_), ..) => {
            let user = user(filter.user.as_ref());
            db.all(BY_USER, &[&realm, &user, &app, &openid, &unionid, &after, &limit], rows::identity)
        }
        (None, Some(_), _) => {
            db.all(BY_OPENID, &[&realm, &unbound, &app, &openid, &unionid, &after, &limit], rows::identity)
        }
        (None, None, Some(_)) => {
            db.all(BY_UNIONID, &[&realm, &unbound, &app, &unionid, &after, &limit], rows::identity)
        }
        (None, None, None) => db.all(ALL, &[&realm, &unbound, &app, &after, &limit], rows::identity),
    }
}

/// Hands over every live session in id order, some at a time. Stops early if nobody listens any more. Page by page: a session that
/// is opened meanwhile may be among them, and one that ends meanwhile may not.
pub(super) fn scan(db: &Db, visit: &mut dyn FnMut(Vec<Session>) -> bool) -> Read<()> {
    const SOME: i64 = 1_000;
    const FIRST: &str = rows::sessions!("WHERE s.ended_at IS NULL ORDER BY s.id LIMIT $1");
    const NEXT: &str = rows::sessions!("WHERE s.ended_at IS NULL AND s.id > $1 ORDER BY s.id LIMIT $2");
    let mut last: Option<SessionId> = None;
    loop {
        let some = match last {
            None => db.all(FIRST, &[&SOME], rows::session)?,
            Some(id) => db.all(NEXT, &[&Id(id.0), &SOME], rows::session)?,
        };
        last = some.last().map(|session| session.id);
        if last.is_none() || !visit(some) {
            return Ok(());
        }
    }
}
