//! Identities.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{BindingFilter, Identity, Open};
use yaopai_core::session::Claims;
use yaopai_core::time::Timestamp;

use super::db::Db;
use super::error::Error;
use super::later::owned;
use super::lists;
use super::rows::{self, Read};
use super::sessions::user;
use super::value::Id;
use crate::rows::{Found, IdentityRows, Look, OtherIdentity, Proposed, Rest, Word};

fn found(row: &Row) -> Read<Found> {
    Ok(Found {
        id: IdentityId(rows::id(row, 0)?),
        unionid: rows::name_if_any(row, 1)?,
        user: rows::user(row, 2)?,
        claims: rows::get::<Option<String>>(row, 3)?.map(Claims::from_stored),
        disabled: rows::get(row, 4)?,
        realm: rows::realm(row, 5)?,
    })
}

fn other(same_app: bool) -> OtherIdentity {
    if same_app { OtherIdentity::SameApp } else { OtherIdentity::OtherApp }
}

impl IdentityRows for Db {
    fn identity_by_id(&self, realm: &Realm, id: IdentityId) -> Read<Option<Identity>> {
        const SQL: &str =
            concat!("SELECT ", rows::identity_columns!(), " FROM identities WHERE id = $1 AND realm = $2");
        self.one(SQL, &[&Id(id.0), &realm.as_str()], rows::identity)
    }

    fn identity_by_openid(&self, app: &AppName, openid: &str) -> Read<Option<Identity>> {
        const SQL: &str =
            concat!("SELECT ", rows::identity_columns!(), " FROM identities WHERE openid = $1 AND app = $2");
        self.one(SQL, &[&openid.as_bytes(), &app.as_str()], rows::identity)
    }

    fn look(&self, open: &Open) -> Read<Look> {
        let sql = "SELECT i.id, i.unionid, i.user_id, u.claims, u.disabled_at IS NOT NULL, i.realm, \
            EXISTS (SELECT FROM moves WHERE realm = $3 AND app = $2), \
            EXISTS (SELECT FROM logins WHERE key = $5 AND expires_at > $6), p.claims, p.disabled_at IS NOT NULL, \
            (SELECT bool_or(o.app = $2) FROM identities o WHERE o.realm = $3 AND o.user_id = $4 AND o.id IS DISTINCT FROM i.id) \
            FROM (SELECT 1) AS one LEFT JOIN identities i ON i.openid = $1 AND i.app = $2 \
            LEFT JOIN users u ON u.realm = i.realm AND u.user_id = i.user_id \
            LEFT JOIN users p ON p.realm = $3 AND p.user_id = $4";
        let s = &open.session;
        let proposed = open.user.as_ref().map(|proposed| &proposed.user);
        let params: [&(dyn ToSql + Sync); 6] = [
            &s.openid.as_bytes(),
            &s.app.as_str(),
            &s.realm.as_str(),
            &user(proposed),
            &open.login.key.as_slice(),
            &s.created_at.0,
        ];
        let look = self.one(sql, &params, |row| {
            let is_known = rows::get::<Option<Id>>(row, 0)?.is_some();
            let proposed = match proposed {
                Some(user) => Some(Proposed {
                    user: user.clone(),
                    claims: rows::get::<Option<String>>(row, 8)?.map(Claims::from_stored),
                    disabled: rows::get(row, 9)?,
                    other: rows::get::<Option<bool>>(row, 10)?.map(other),
                }),
                None => None,
            };
            Ok(Look {
                found: if is_known { Some(found(row)?) } else { None },
                rest: Some(Rest { moves: rows::get(row, 6)?, repeated: rows::get(row, 7)?, user: proposed }),
            })
        })?;
        look.ok_or_else(|| Error::Unreadable("no row where there is always one".into()))
    }

    fn user_of(&self, session: SessionId) -> Read<Option<UserId>> {
        let sql = "SELECT i.user_id FROM sessions s JOIN identities i ON i.id = s.identity WHERE s.id = $1";
        Ok(self.one(sql, &[&Id(session.0)], |row| rows::user(row, 0))?.flatten())
    }

    fn other_identity(
        &self,
        realm: &Realm,
        app: &AppName,
        user: &UserId,
        than: Option<IdentityId>,
    ) -> Read<Option<OtherIdentity>> {
        let sql = "SELECT bool_or(app = $3) FROM identities WHERE realm = $1 AND user_id = $2 \
                   AND id IS DISTINCT FROM $4";
        let than = than.map(|id| Id(id.0));
        let params: [&(dyn ToSql + Sync); 4] = [&realm.as_str(), &user.as_str().as_bytes(), &app.as_str(), &than];
        Ok(self.one(sql, &params, |row| rows::get::<Option<bool>>(row, 0))?.flatten().map(other))
    }

    fn users_of_unionid(&self, realm: &Realm, unionid: &str) -> Read<Vec<(AppName, UserId)>> {
        let sql = "SELECT app, user_id FROM identities WHERE unionid = $1 AND realm = $2 AND user_id IS NOT NULL";
        let all = self
            .all(sql, &[&unionid.as_bytes(), &realm.as_str()], |row| Ok((rows::app(row, 0)?, rows::user(row, 1)?)))?;
        Ok(all.into_iter().filter_map(|(app, user)| Some((app, user?))).collect())
    }

    fn identities_of_unionid(&self, realm: &Realm, unionid: &str) -> Read<Vec<Identity>> {
        const SQL: &str = concat!(
            "SELECT ",
            rows::identity_columns!(),
            " FROM identities WHERE unionid = $1 AND realm = $2 ORDER BY id"
        );
        self.all(SQL, &[&unionid.as_bytes(), &realm.as_str()], rows::identity)
    }

    fn identities_of_user(&self, realm: &Realm, user: &UserId) -> Read<Vec<IdentityId>> {
        let sql = "SELECT id FROM identities WHERE realm = $1 AND user_id = $2";
        self.all(sql, &[&realm.as_str(), &user.as_str().as_bytes()], |row| rows::id(row, 0).map(IdentityId))
    }

    fn first_openid(&self, realm: &Realm, app: &AppName, user: &UserId) -> Read<Option<String>> {
        let sql =
            "SELECT openid FROM identities WHERE realm = $1 AND user_id = $2 AND app = $3 ORDER BY openid LIMIT 1";
        self.one(sql, &[&realm.as_str(), &user.as_str().as_bytes(), &app.as_str()], |row| rows::name(row, 0))
    }

    fn insert_identity(&self, identity: &Identity, session_key: Option<&[u8]>) -> Read<()> {
        let sql = "INSERT INTO identities (id, realm, app, openid, unionid, session_key, user_id, bound_at, created_at, \
                   vouched_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        self.later(
            sql,
            owned![
                Id(identity.id.0),
                identity.realm.as_str().to_owned(),
                identity.app.as_str().to_owned(),
                identity.openid.clone().into_bytes(),
                identity.unionid.clone().map(String::into_bytes),
                session_key.map(<[u8]>::to_vec),
                user(identity.user.as_ref()).map(<[u8]>::to_vec),
                identity.bound_at.map(|at| at.0),
                identity.created_at.0,
                identity.vouched_at.map(|at| at.0),
            ],
        )
    }

    fn update_identity(&self, id: IdentityId, word: &Word<'_>) -> Read<()> {
        let sql = "UPDATE identities SET unionid = $2, session_key = coalesce($3, session_key), user_id = $4, \
                   bound_at = coalesce($5, bound_at), vouched_at = $6 WHERE id = $1";
        self.later(
            sql,
            owned![
                Id(id.0),
                word.unionid.map(|unionid| unionid.as_bytes().to_vec()),
                word.session_key.map(<[u8]>::to_vec),
                user(word.user).map(<[u8]>::to_vec),
                word.bound_at.map(|at| at.0),
                word.vouched_at.0,
            ],
        )
    }

    fn vouched(&self, id: IdentityId, session_key: Option<&[u8]>, at: Timestamp) -> Read<()> {
        let sql = "UPDATE identities SET session_key = coalesce($2, session_key), vouched_at = $3 WHERE id = $1";
        self.later(sql, owned![Id(id.0), session_key.map(<[u8]>::to_vec), at.0])
    }

    fn give_user(&self, id: IdentityId, user: &UserId, at: Timestamp) -> Read<()> {
        let sql = "UPDATE identities SET user_id = $2, bound_at = $3 WHERE id = $1";
        self.change(sql, &[&Id(id.0), &user.as_str().as_bytes(), &at.0])?;
        Ok(())
    }

    fn take_user(&self, id: IdentityId) -> Read<()> {
        self.change("UPDATE identities SET user_id = NULL, bound_at = NULL WHERE id = $1", &[&Id(id.0)])?;
        Ok(())
    }

    fn set_bound_at(&self, id: IdentityId, at: Timestamp) -> Read<()> {
        self.change("UPDATE identities SET bound_at = $2 WHERE id = $1", &[&Id(id.0), &at.0])?;
        Ok(())
    }

    fn set_unionid(&self, id: IdentityId, unionid: &str) -> Read<()> {
        self.change("UPDATE identities SET unionid = $2 WHERE id = $1", &[&Id(id.0), &unionid.as_bytes()])?;
        Ok(())
    }

    fn session_key(&self, id: IdentityId) -> Read<Option<Vec<u8>>> {
        let sql = "SELECT session_key FROM identities WHERE id = $1";
        Ok(self.one(sql, &[&Id(id.0)], |row| rows::get(row, 0))?.flatten())
    }

    fn list_identities(&self, realm: &Realm, filter: &BindingFilter) -> Read<Vec<Identity>> {
        lists::identities(self, realm, filter)
    }
}
