//! Lists, page by page.

use rusqlite::{Connection, params};
use yaopai_core::ids::{AppName, Realm, UserId};
use yaopai_core::ports::{BindingFilter, Filter, Identity, Subject};
use yaopai_core::session::Session;

use super::rows;

pub(super) fn identities(db: &Connection, realm: &Realm, filter: &BindingFilter) -> rusqlite::Result<Vec<Identity>> {
    // One text for each way to look them up, because an index is chosen when a statement is prepared.
    const BY_USER: &str = concat!(
        "SELECT ",
        rows::identity_columns!(),
        " FROM identities INDEXED BY identities_of_user WHERE realm = ?1 \
         AND user_id = ?2 AND (?3 IS NULL OR app = ?3) AND (?4 IS NULL OR openid = ?4) \
         AND (?7 IS NULL OR unionid = ?7) AND ?8 IS NOT NULL AND id > ?5 ORDER BY id LIMIT ?6"
    );
    const BY_OPENID: &str = concat!(
        "SELECT ",
        rows::identity_columns!(),
        " FROM identities WHERE +realm = ?1 AND (?8 OR +user_id IS NOT NULL) \
         AND ?2 IS NULL AND (?3 IS NULL OR app = ?3) AND openid = ?4 AND (?7 IS NULL OR +unionid = ?7) AND +id > ?5 \
         ORDER BY +id LIMIT ?6"
    );
    const BY_UNIONID: &str = concat!(
        "SELECT ",
        rows::identity_columns!(),
        " FROM identities INDEXED BY identities_of_unionid WHERE realm = ?1 AND (?8 OR +user_id IS NOT NULL) \
         AND ?2 IS NULL AND (?3 IS NULL OR app = ?3) AND ?4 IS NULL AND unionid = ?7 AND +id > ?5 ORDER BY +id LIMIT ?6"
    );
    const ALL: &str = concat!(
        "SELECT ",
        rows::identity_columns!(),
        " FROM identities WHERE +realm = ?1 AND (?8 OR user_id IS NOT NULL) \
         AND ?2 IS NULL AND (?3 IS NULL OR app = ?3) AND ?4 IS NULL AND ?7 IS NULL AND id > ?5 ORDER BY id LIMIT ?6"
    );
    let sql = match (&filter.user, &filter.openid, &filter.unionid) {
        (Some(_), ..) => BY_USER,
        (None, Some(_), _) => BY_OPENID,
        (None, None, Some(_)) => BY_UNIONID,
        (None, None, None) => ALL,
    };
    let id = filter.after.map(|id| id.0);
    let params = params![
        realm.as_str(),
        filter.user.as_ref().map(UserId::as_str),
        filter.app.as_ref().map(AppName::as_str),
        filter.openid,
        rows::after(id.as_ref()),
        filter.limit,
        filter.unionid,
        filter.unbound_too,
    ];
    rows::all(db, sql, params, rows::identity)
}

pub(super) fn sessions(db: &Connection, realm: &Realm, filter: &Filter) -> rusqlite::Result<Vec<Session>> {
    const OF_USER: &str =
        rows::sessions_of_user!("AND (?3 IS NULL OR s.app = ?3) AND +s.id > ?4 ORDER BY +s.id LIMIT ?5");
    const OF_GUEST: &str = rows::sessions!(
        "WHERE s.identity = ?2 AND s.ended_at IS NULL AND s.user_id IS NULL AND s.realm = ?1 \
         AND (?3 IS NULL OR s.app = ?3) AND +s.id > ?4 ORDER BY +s.id LIMIT ?5"
    );
    const ALL: &str = rows::sessions!(
        "WHERE s.id > ?4 AND s.ended_at IS NULL AND s.realm = ?1 AND ?2 IS NULL \
         AND (?3 IS NULL OR s.app = ?3) ORDER BY s.id LIMIT ?5"
    );
    let app = filter.app.as_ref().map(AppName::as_str);
    let id = filter.after.map(|id| id.0);
    let (realm, after, limit) = (realm.as_str(), rows::after(id.as_ref()), filter.limit);
    match &filter.subject {
        Some(Subject::User(user)) => {
            rows::all(db, OF_USER, params![realm, user.as_str(), app, after, limit], rows::session)
        }
        Some(Subject::Guest(id)) => rows::all(db, OF_GUEST, params![realm, id.0, app, after, limit], rows::session),
        None => rows::all(db, ALL, params![realm, None::<i64>, app, after, limit], rows::session),
    }
}

/// Hands over every live session in id order, some at a time. Stops early if nobody listens any more.
pub(super) fn scan(db: &Connection, visit: &mut dyn FnMut(Vec<Session>) -> bool) -> rusqlite::Result<()> {
    const SOME: usize = 256;
    let mut statement = db.prepare(rows::sessions!("WHERE s.ended_at IS NULL ORDER BY s.id"))?;
    let mut rows = statement.query([])?;
    let mut some = Vec::with_capacity(SOME);
    while let Some(row) = rows.next()? {
        some.push(rows::session(row)?);
        if some.len() == SOME && !visit(std::mem::take(&mut some)) {
            return Ok(());
        }
    }
    visit(some);
    Ok(())
}
