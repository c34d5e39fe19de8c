//! What is known of users: whom identities are bound to, who is disabled, of whom something was said.

use tokio_postgres::Row;
use yaopai_core::ids::{Realm, UserId};
use yaopai_core::ports::KnownUser;
use yaopai_core::session::Claims;
use yaopai_core::time::Timestamp;

use super::db::Db;
use super::error::Error;
use super::later::owned;
use super::rows::{self, Read};
use crate::rows::UserRows;

/// The columns of [`known`], of a user `k.user_id` in the realm $1.
macro_rules! known {
    ($from:literal) => {
        concat!(
            "SELECT k.user_id, u.claims, u.disabled_at, \
             (SELECT count(*) FROM identities i WHERE i.realm = $1 AND i.user_id = k.user_id), \
             (SELECT count(*) FROM identities i JOIN sessions s ON s.identity = i.id WHERE i.realm = $1 \
              AND i.user_id = k.user_id AND s.ended_at IS NULL AND s.realm = $1 AND s.user_id = k.user_id) FROM ",
            $from,
            " AS k LEFT JOIN users u ON u.realm = $1 AND u.user_id = k.user_id ORDER BY k.user_id"
        )
    };
}

impl UserRows for Db {
    fn claims(&self, realm: &Realm, user: &UserId) -> Read<Option<Claims>> {
        let sql = "SELECT claims FROM users WHERE realm = $1 AND user_id = $2 AND claims IS NOT NULL";
        self.one(sql, &[&realm.as_str(), &user.as_str().as_bytes()], |row| rows::get(row, 0).map(Claims::from_stored))
    }

    fn write_claims(&self, realm: &Realm, user: &UserId, claims: Option<&Claims>) -> Read<bool> {
        let sql = "INSERT INTO users AS u (realm, user_id, claims) VALUES ($1, $2, $3) ON CONFLICT (realm, user_id) \
                   DO UPDATE SET claims = excluded.claims WHERE u.claims IS DISTINCT FROM excluded.claims";
        Ok(self.change(sql, &[&realm.as_str(), &user.as_str().as_bytes(), &claims.map(Claims::as_str)])? > 0)
    }

    fn put_claims(&self, realm: &Realm, user: &UserId, claims: &Claims) -> Read<()> {
        let sql = "INSERT INTO users (realm, user_id, claims) VALUES ($1, $2, $3) \
                   ON CONFLICT (realm, user_id) DO UPDATE SET claims = excluded.claims";
        let user = user.as_str().as_bytes().to_vec();
        self.later(sql, owned![realm.as_str().to_owned(), user, claims.as_str().to_owned()])
    }

    fn disabled_at(&self, realm: &Realm, user: &UserId) -> Read<Option<Timestamp>> {
        let sql = "SELECT disabled_at FROM users WHERE realm = $1 AND user_id = $2";
        let at = self.one(sql, &[&realm.as_str(), &user.as_str().as_bytes()], |row| rows::at_if_any(row, 0))?;
        Ok(at.flatten())
    }

    fn write_disabled(&self, realm: &Realm, user: &UserId, at: Option<Timestamp>) -> Read<()> {
        let sql = "INSERT INTO users AS u (realm, user_id, disabled_at) VALUES ($1, $2, $3) \
                   ON CONFLICT (realm, user_id) DO UPDATE SET disabled_at = CASE WHEN excluded.disabled_at IS NULL \
                   THEN NULL ELSE coalesce(u.disabled_at, excluded.disabled_at) END";
        self.change(sql, &[&realm.as_str(), &user.as_str().as_bytes(), &at.map(|at| at.0)])?;
        Ok(())
    }

    /// Each half is asked for a whole page, in the order of its index, and no more of it is read.
    fn list_users(&self, realm: &Realm, after: Option<&UserId>, limit: u32) -> Read<Vec<KnownUser>> {
        const SQL: &str = known!(
            "(SELECT user_id FROM ((SELECT user_id FROM users WHERE realm = $1 AND user_id > $2 \
             AND (claims IS NOT NULL OR disabled_at IS NOT NULL) ORDER BY user_id LIMIT $3) \
             UNION (SELECT DISTINCT user_id FROM identities WHERE realm = $1 AND user_id > $2 \
             ORDER BY user_id LIMIT $3)) AS both_halves ORDER BY user_id LIMIT $3)"
        );
        // No user id is empty, so the empty one is before all.
        let after = after.map_or("", UserId::as_str).as_bytes();
        self.all(SQL, &[&realm.as_str(), &after, &i64::from(limit)], known)
    }

    fn known_user(&self, realm: &Realm, user: &UserId) -> Read<Option<KnownUser>> {
        const SQL: &str = known!("(SELECT $2::bytea AS user_id)");
        let found = self.one(SQL, &[&realm.as_str(), &user.as_str().as_bytes()], known)?;
        Ok(found.filter(|user| user.identities > 0 || user.claims.is_some() || user.disabled_at.is_some()))
    }
}

fn known(row: &Row) -> Read<KnownUser> {
    Ok(KnownUser {
        user: rows::user(row, 0)?.ok_or_else(|| Error::Unreadable("a user without an id".into()))?,
        claims: rows::get::<Option<String>>(row, 1)?.map(Claims::from_stored),
        disabled_at: rows::at_if_any(row, 2)?,
        identities: rows::count(row, 3)?,
        sessions: rows::count(row, 4)?,
    })
}
