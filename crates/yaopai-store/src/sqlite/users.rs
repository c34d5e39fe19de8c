//! What is known of users: whom identities are bound to, who is disabled, of whom something was said.

use rusqlite::{Connection, Row, params};
use yaopai_core::ids::{Realm, UserId};
use yaopai_core::ports::KnownUser;
use yaopai_core::session::Claims;
use yaopai_core::time::Timestamp;

use super::rows;
use crate::rows::UserRows;

/// The columns of [`known`], of a user `k.user_id` in the realm ?1.
macro_rules! known {
    ($from:literal) => {
        concat!(
            "SELECT k.user_id, u.claims, u.disabled_at, \
             (SELECT count(*) FROM identities i WHERE i.realm = ?1 AND i.user_id = k.user_id), \
             (SELECT count(*) FROM identities i CROSS JOIN sessions s WHERE i.realm = ?1 AND i.user_id = k.user_id \
              AND s.identity = i.id AND s.ended_at IS NULL AND s.realm = ?1 AND s.user_id = k.user_id) FROM ",
            $from,
            " AS k LEFT JOIN users u ON u.realm = ?1 AND u.user_id = k.user_id ORDER BY k.user_id"
        )
    };
}

impl UserRows for Connection {
    fn claims(&self, realm: &Realm, user: &UserId) -> rusqlite::Result<Option<Claims>> {
        let sql = "SELECT claims FROM users WHERE realm = ?1 AND user_id = ?2 AND claims IS NOT NULL";
        rows::one(self, sql, [realm.as_str(), user.as_str()], |r| r.get(0).map(Claims::from_stored))
    }

    fn write_claims(&self, realm: &Realm, user: &UserId, claims: Option<&Claims>) -> rusqlite::Result<bool> {
        let sql = "INSERT INTO users (realm, user_id, claims) VALUES (?1, ?2, ?3) ON CONFLICT (realm, user_id) \
                   DO UPDATE SET claims = excluded.claims WHERE claims IS NOT excluded.claims";
        let params = params![realm.as_str(), user.as_str(), claims.map(Claims::as_str)];
        Ok(self.prepare_cached(sql)?.execute(params)? > 0)
    }

    fn disabled_at(&self, realm: &Realm, user: &UserId) -> rusqlite::Result<Option<Timestamp>> {
        let sql = "SELECT disabled_at FROM users WHERE realm = ?1 AND user_id = ?2";
        let at: Option<Option<i64>> = rows::one(self, sql, [realm.as_str(), user.as_str()], |r| r.get(0))?;
        Ok(at.flatten().map(Timestamp))
    }

    fn write_disabled(&self, realm: &Realm, user: &UserId, at: Option<Timestamp>) -> rusqlite::Result<()> {
        let sql = "INSERT INTO users (realm, user_id, disabled_at) VALUES (?1, ?2, ?3) ON CONFLICT (realm, user_id) \
                   DO UPDATE SET disabled_at = iif(excluded.disabled_at IS NULL, NULL, ifnull(disabled_at, excluded.disabled_at))";
        self.prepare_cached(sql)?.execute(params![realm.as_str(), user.as_str(), at.map(|at| at.0)])?;
        Ok(())
    }

    /// Each half is asked for a whole page, in the order of its index, and no more of it is read.
    fn list_users(&self, realm: &Realm, after: Option<&UserId>, limit: u32) -> rusqlite::Result<Vec<KnownUser>> {
        const SQL: &str = known!(
            "(SELECT user_id FROM (SELECT user_id FROM users WHERE realm = ?1 AND user_id > ?2 \
             AND (claims IS NOT NULL OR disabled_at IS NOT NULL) ORDER BY user_id LIMIT ?3) \
             UNION SELECT user_id FROM (SELECT DISTINCT user_id FROM identities INDEXED BY identities_of_user \
             WHERE realm = ?1 AND user_id > ?2 ORDER BY user_id LIMIT ?3) ORDER BY user_id LIMIT ?3)"
        );
        // No user id is empty, so the empty text is before all.
        rows::all(self, SQL, params![realm.as_str(), after.map_or("", UserId::as_str), limit], known)
    }

    fn known_user(&self, realm: &Realm, user: &UserId) -> rusqlite::Result<Option<KnownUser>> {
        const SQL: &str = known!("(SELECT ?2 AS user_id)");
        let found = rows::one(self, SQL, params![realm.as_str(), user.as_str()], known)?;
        Ok(found.filter(|user| user.identities > 0 || user.claims.is_some() || user.disabled_at.is_some()))
    }
}

fn known(row: &Row<'_>) -> rusqlite::Result<KnownUser> {
    Ok(KnownUser {
        user: UserId::from(row.get_ref(0)?.as_str()?),
        claims: row.get::<_, Option<String>>(1)?.map(Claims::from_stored),
        disabled_at: row.get::<_, Option<i64>>(2)?.map(Timestamp),
        identities: row.get::<_, i64>(3)?.unsigned_abs(),
        sessions: row.get::<_, i64>(4)?.unsigned_abs(),
    })
}
