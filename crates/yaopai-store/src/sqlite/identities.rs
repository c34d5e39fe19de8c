//! Lists of identities.

use rusqlite::{Connection, params};
use yaopai_core::ids::{AppName, Realm, UserId};
use yaopai_core::ports::{BindingFilter, Identity};

use super::{bind, rows};

pub(super) fn list(db: &Connection, realm: &Realm, filter: &BindingFilter) -> rusqlite::Result<Vec<Identity>> {
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
        bind::after(id.as_ref()),
        filter.limit,
        filter.unionid,
        filter.unbound_too,
    ];
    rows::all(db, sql, params, rows::identity)
}
