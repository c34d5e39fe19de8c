//! Identities, and their users.

use rusqlite::{Connection, Row, params};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{BindingFilter, Identity, Open};
use yaopai_core::session::Claims;
use yaopai_core::time::Timestamp;

use super::{lists, rows};
use crate::rows::{Found, IdentityRows, Look, OtherIdentity, Word};

impl IdentityRows for Connection {
    fn identity_by_id(&self, realm: &Realm, id: IdentityId) -> rusqlite::Result<Option<Identity>> {
        const SQL: &str =
            concat!("SELECT ", rows::identity_columns!(), " FROM identities WHERE id = ?1 AND realm = ?2");
        rows::one(self, SQL, params![id.0, realm.as_str()], rows::identity)
    }

    fn identity_by_openid(&self, app: &AppName, openid: &str) -> rusqlite::Result<Option<Identity>> {
        const SQL: &str =
            concat!("SELECT ", rows::identity_columns!(), " FROM identities WHERE openid = ?1 AND app = ?2");
        rows::one(self, SQL, [openid, app.as_str()], rows::identity)
    }

    /// The identity alone: a reading costs next to nothing here, and most logins need no other.
    fn look(&self, open: &Open) -> rusqlite::Result<Look> {
        let sql = "SELECT i.id, i.unionid, i.user_id, u.claims, u.disabled_at IS NOT NULL, i.realm FROM identities i \
                   LEFT JOIN users u ON u.realm = i.realm AND u.user_id = i.user_id WHERE i.openid = ?1 AND i.app = ?2";
        let read = |r: &Row<'_>| {
            let claims = r.get::<_, Option<String>>(3)?.map(Claims::from_stored);
            let (id, unionid, user, disabled) = (IdentityId(r.get(0)?), r.get(1)?, rows::user(r, 2)?, r.get(4)?);
            Ok(Found { id, realm: rows::realm(r, 5)?, unionid, user, claims, disabled })
        };
        let found = rows::one(self, sql, [open.session.openid.as_str(), open.session.app.as_str()], read)?;
        Ok(Look { found, rest: None })
    }

    fn user_of(&self, session: SessionId) -> rusqlite::Result<Option<UserId>> {
        let sql = "SELECT i.user_id FROM sessions s CROSS JOIN identities i ON i.id = s.identity WHERE s.id = ?1";
        Ok(rows::one(self, sql, [session.0], |r| rows::user(r, 0))?.flatten())
    }

    fn other_identity(
        &self,
        realm: &Realm,
        app: &AppName,
        user: &UserId,
        than: Option<IdentityId>,
    ) -> rusqlite::Result<Option<OtherIdentity>> {
        let sql = "SELECT max(app = ?3) FROM identities WHERE realm = ?1 AND user_id = ?2 AND id IS NOT ?4";
        let params = params![realm.as_str(), user.as_str(), app.as_str(), than.map(|id| id.0)];
        let other = |same| if same { OtherIdentity::SameApp } else { OtherIdentity::OtherApp };
        Ok(rows::one(self, sql, params, |row| row.get::<_, Option<bool>>(0))?.flatten().map(other))
    }

    fn users_of_unionid(&self, realm: &Realm, unionid: &str) -> rusqlite::Result<Vec<(AppName, UserId)>> {
        let sql = "SELECT app, user_id FROM identities WHERE unionid = ?1 AND realm = ?2 AND user_id IS NOT NULL";
        rows::all(self, sql, [unionid, realm.as_str()], |r| {
            Ok((AppName::from(r.get_ref(0)?.as_str()?), UserId::from(r.get_ref(1)?.as_str()?)))
        })
    }

    fn identities_of_unionid(&self, realm: &Realm, unionid: &str) -> rusqlite::Result<Vec<Identity>> {
        const SQL: &str = concat!(
            "SELECT ",
            rows::identity_columns!(),
            " FROM identities INDEXED BY identities_of_unionid WHERE unionid = ?1 AND realm = ?2 ORDER BY id"
        );
        rows::all(self, SQL, [unionid, realm.as_str()], rows::identity)
    }

    fn identities_of_user(&self, realm: &Realm, user: &UserId) -> rusqlite::Result<Vec<IdentityId>> {
        let sql = "SELECT id FROM identities WHERE realm = ?1 AND user_id = ?2";
        rows::all(self, sql, [realm.as_str(), user.as_str()], |r| r.get(0).map(IdentityId))
    }

    fn first_openid(&self, realm: &Realm, app: &AppName, user: &UserId) -> rusqlite::Result<Option<String>> {
        let sql = "SELECT min(openid) FROM identities WHERE realm = ?1 AND user_id = ?2 AND app = ?3";
        Ok(rows::one(self, sql, [realm.as_str(), user.as_str(), app.as_str()], |r| r.get(0))?.flatten())
    }

    fn insert_identity(&self, identity: &Identity, session_key: Option<&[u8]>) -> rusqlite::Result<()> {
        let sql = "INSERT INTO identities (id, realm, app, openid, unionid, session_key, user_id, bound_at, created_at, \
                   vouched_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        self.prepare_cached(sql)?.execute(params![
            identity.id.0,
            identity.realm.as_str(),
            identity.app.as_str(),
            identity.openid,
            identity.unionid,
            session_key,
            identity.user.as_ref().map(UserId::as_str),
            identity.bound_at.map(|at| at.0),
            identity.created_at.0,
            identity.vouched_at.map(|at| at.0),
        ])?;
        Ok(())
    }

    fn update_identity(&self, id: IdentityId, word: &Word<'_>) -> rusqlite::Result<()> {
        let sql = "UPDATE identities SET unionid = ?2, session_key = ifnull(?3, session_key), user_id = ?4, \
                   bound_at = ifnull(?5, bound_at), vouched_at = ?6 WHERE id = ?1";
        self.prepare_cached(sql)?.execute(params![
            id.0,
            word.unionid,
            word.session_key,
            word.user.map(UserId::as_str),
            word.bound_at.map(|at| at.0),
            word.vouched_at.0,
        ])?;
        Ok(())
    }

    fn vouched(&self, id: IdentityId, session_key: Option<&[u8]>, at: Timestamp) -> rusqlite::Result<()> {
        let sql = "UPDATE identities SET session_key = ifnull(?2, session_key), vouched_at = ?3 WHERE id = ?1";
        self.prepare_cached(sql)?.execute(params![id.0, session_key, at.0])?;
        Ok(())
    }

    fn give_user(&self, id: IdentityId, user: &UserId, at: Timestamp) -> rusqlite::Result<()> {
        let sql = "UPDATE identities SET user_id = ?2, bound_at = ?3 WHERE id = ?1";
        self.prepare_cached(sql)?.execute(params![id.0, user.as_str(), at.0])?;
        Ok(())
    }

    fn take_user(&self, id: IdentityId) -> rusqlite::Result<()> {
        self.prepare_cached("UPDATE identities SET user_id = NULL, bound_at = NULL WHERE id = ?1")?.execute([id.0])?;
        Ok(())
    }

    fn set_bound_at(&self, id: IdentityId, at: Timestamp) -> rusqlite::Result<()> {
        self.prepare_cached("UPDATE identities SET bound_at = ?2 WHERE id = ?1")?.execute(params![id.0, at.0])?;
        Ok(())
    }

    fn set_unionid(&self, id: IdentityId, unionid: &str) -> rusqlite::Result<()> {
        self.prepare_cached("UPDATE identities SET unionid = ?2 WHERE id = ?1")?.execute(params![id.0, unionid])?;
        Ok(())
    }

    fn session_key(&self, id: IdentityId) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = "SELECT session_key FROM identities WHERE id = ?1";
        Ok(rows::one(self, sql, [id.0], |r| r.get(0))?.flatten())
    }

    fn list_identities(&self, realm: &Realm, filter: &BindingFilter) -> rusqlite::Result<Vec<Identity>> {
        lists::identities(self, realm, filter)
    }
}
