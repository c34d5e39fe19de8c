//! Sessions.

use yaopai_core::ids::{IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{Filter, Stale, StaleAfter, StaleEnded};
use yaopai_core::session::{EndReason, Ended, EnvVersion, Other, Session};
use yaopai_core::time::{Timestamp, Uptime};

use super::db::Db;
use super::later::owned;
use super::lists;
use super::rows::{self, Read};
use super::value::Id;
use crate::audited::End;
use crate::rows::{Owned, SessionRows};
use crate::rules::step;

impl SessionRows for Db {
    fn session(&self, id: SessionId) -> Read<Option<Session>> {
        self.one(rows::sessions!("WHERE s.id = $1"), &[&Id(id.0)], rows::session)
    }

    fn insert_session(&self, s: &Session) -> Read<()> {
        let sql = "INSERT INTO sessions (id, realm, app, identity, user_id, device_id, device_type, device_name, \
                   env_version, created_at, vouched_at, absolute_at, last_seen, key_kind, secrets, key_version, key) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
        let (key_version, key) = s.key.kept();
        let bytes = |text: &Option<String>| text.clone().map(String::into_bytes);
        self.later(
            sql,
            owned![
                Id(s.id.0),
                s.realm.as_str().to_owned(),
                s.app.as_str().to_owned(),
                Id(s.identity.0),
                user(s.user.as_ref()).map(<[u8]>::to_vec),
                bytes(&s.device.id),
                bytes(&s.device.kind),
                bytes(&s.device.name),
                s.env_version.map(EnvVersion::as_str),
                s.created_at.0,
                s.vouched_at.0,
                s.absolute_at.0,
                s.last_seen.0,
                s.key.kind(),
                rows::secrets(s)?,
                i64::from(key_version),
                key.map(<[u8]>::to_vec),
            ],
        )
    }

    fn save_session(&self, s: &Session) -> Read<()> {
        let sql = "UPDATE sessions SET user_id = $2, vouched_at = $3, secrets = $4 WHERE id = $1";
        let user = user(s.user.as_ref()).map(<[u8]>::to_vec);
        self.later(sql, owned![Id(s.id.0), user, s.vouched_at.0, rows::secrets(s)?])
    }

    fn end_session(&self, id: SessionId, ended: Ended) -> Read<bool> {
        let sql = "UPDATE sessions SET ended_reason = $2, ended_at = $3 WHERE id = $1 AND ended_at IS NULL";
        Ok(self.change(sql, &[&Id(id.0), &ended.reason.as_str(), &ended.at.0])? > 0)
    }

    fn end_of(&self, id: SessionId) -> Read<Option<End>> {
        let sql = "SELECT realm, app, identity, user_id, ended_reason FROM sessions WHERE id = $1";
        let found = self.one(sql, &[&Id(id.0)], |row| {
            let reason = EndReason::parse(rows::get::<Option<&str>>(row, 4)?.unwrap_or_default());
            let (realm, app) = (rows::realm(row, 0)?, rows::app(row, 1)?);
            let (identity, user) = (IdentityId(rows::id(row, 2)?), rows::user(row, 3)?);
            Ok(reason.map(|reason| End { id, realm, app, identity, user, reason }))
        })?;
        Ok(found.flatten())
    }

    fn others(&self, new: &Session, idle_ms: i64, up: Uptime, now: Timestamp) -> Read<Vec<Other>> {
        const OF_USER: &str = "SELECT s.id, s.device_type IS NOT DISTINCT FROM $6 FROM identities i \
            JOIN sessions s ON s.identity = i.id WHERE i.realm = $1 AND i.user_id = $2 AND i.app = $3 \
            AND s.ended_at IS NULL AND s.user_id = $2 AND s.last_seen > $4 AND s.absolute_at > $5 ORDER BY s.id";
        const OF_GUEST: &str = "SELECT s.id, s.device_type IS NOT DISTINCT FROM $4 FROM sessions s \
            WHERE s.identity = $1 AND s.ended_at IS NULL AND s.user_id IS NULL AND s.last_seen > $2 \
            AND s.absolute_at > $3 ORDER BY s.id";
        let (seen_after, kind) = (up.0.saturating_sub(idle_ms), new.device.kind.as_ref().map(String::as_bytes));
        let read = |row: &tokio_postgres::Row| Ok(Other { id: rows::session_id(row)?, same_type: rows::get(row, 1)? });
        match &new.user {
            Some(user) => self.all(
                OF_USER,
                &[&new.realm.as_str(), &user.as_str().as_bytes(), &new.app.as_str(), &seen_after, &now.0, &kind],
                read,
            ),
            None => self.all(OF_GUEST, &[&Id(new.identity.0), &seen_after, &now.0, &kind], read),
        }
    }

    fn live_one(&self, realm: &Realm, id: SessionId) -> Read<Option<Owned>> {
        let sql =
            "SELECT identity, user_id, created_at FROM sessions WHERE id = $1 AND realm = $2 AND ended_at IS NULL";
        self.one(sql, &[&Id(id.0), &realm.as_str()], |row| {
            let (identity, opened_at) = (IdentityId(rows::id(row, 0)?), rows::at(row, 2)?);
            Ok(Owned { identity, user: rows::user(row, 1)?, opened_at })
        })
    }

    fn live_guests(&self, realm: &Realm, id: IdentityId) -> Read<Vec<SessionId>> {
        let sql = "SELECT id FROM sessions WHERE identity = $1 AND realm = $2 AND ended_at IS NULL \
                   AND user_id IS NULL ORDER BY id";
        self.all(sql, &[&Id(id.0), &realm.as_str()], rows::session_id)
    }

    fn live_opened(&self, realm: &Realm, id: IdentityId, by: Timestamp) -> Read<Vec<SessionId>> {
        let sql = "SELECT id FROM sessions WHERE identity = $1 AND realm = $2 AND ended_at IS NULL \
                   AND created_at <= $3 ORDER BY id";
        self.all(sql, &[&Id(id.0), &realm.as_str(), &by.0], rows::session_id)
    }

    fn live_of_user(&self, realm: &Realm, user: &UserId) -> Read<Vec<SessionId>> {
        let sql = "SELECT s.id FROM identities i JOIN sessions s ON s.identity = i.id WHERE i.realm = $1 \
                   AND i.user_id = $2 AND s.ended_at IS NULL AND s.realm = $1 AND s.user_id = $2 ORDER BY s.id";
        self.all(sql, &[&realm.as_str(), &user.as_str().as_bytes()], rows::session_id)
    }

    fn live_of_identity(&self, id: IdentityId) -> Read<Vec<SessionId>> {
        let sql = "SELECT id FROM sessions WHERE identity = $1 AND ended_at IS NULL ORDER BY id";
        self.all(sql, &[&Id(id.0)], rows::session_id)
    }

    fn bound_of_identity(&self, id: IdentityId) -> Read<Vec<SessionId>> {
        let sql =
            "SELECT id FROM sessions WHERE identity = $1 AND ended_at IS NULL AND user_id IS NOT NULL ORDER BY id";
        self.all(sql, &[&Id(id.0)], rows::session_id)
    }

    fn stale(&self, stale: &Stale) -> Read<StaleEnded> {
        const FIRST: &str = "SELECT identity, id, app, last_seen, absolute_at FROM sessions \
            WHERE ended_at IS NULL ORDER BY identity, id LIMIT $1";
        const NEXT: &str = "SELECT identity, id, app, last_seen, absolute_at FROM sessions \
            WHERE ended_at IS NULL AND (identity, id) > ($1, $2) ORDER BY identity, id LIMIT $3";
        let limit = i64::from(stale.limit);
        let read = |row: &tokio_postgres::Row| -> Read<(StaleAfter, Option<EndReason>)> {
            let place = (IdentityId(rows::id(row, 0)?), SessionId(rows::id(row, 1)?));
            let seen = Uptime(rows::get(row, 3)?);
            Ok((place, stale.expired(&rows::app(row, 2)?, seen, rows::at(row, 4)?)))
        };
        let found = match &stale.after {
            None => self.all(FIRST, &[&limit], read)?,
            Some((identity, id)) => self.all(NEXT, &[&Id(identity.0), &Id(id.0), &limit], read)?,
        };
        Ok(step(stale, found))
    }

    fn renew_key(&self, id: SessionId, version: u32, sealed: &[u8]) -> Read<bool> {
        let sql = "UPDATE sessions SET key_version = $2, key = $3 \
                   WHERE id = $1 AND key_kind = 'wechat' AND key_version < $2 AND ended_at IS NULL";
        Ok(self.change(sql, &[&Id(id.0), &i64::from(version), &sealed])? > 0)
    }

    fn list_sessions(&self, realm: &Realm, filter: &Filter) -> Read<Vec<Session>> {
        lists::sessions(self, realm, filter)
    }

    fn scan(&self, visit: &mut dyn FnMut(Vec<Session>) -> bool) -> Read<()> {
        lists::scan(self, visit)
    }

    fn seen(&self, seen: &[(SessionId, Uptime)]) -> Read<()> {
        // The last of several of one session, as if they came one by one.
        let sql = "UPDATE sessions s SET last_seen = n.at \
                   FROM (SELECT id, max(at) AS at FROM unnest($1::uuid[], $2::bigint[]) AS n (id, at) GROUP BY id) n \
                   WHERE s.id = n.id AND s.last_seen < n.at AND s.ended_at IS NULL";
        let (ids, at): (Vec<Id>, Vec<i64>) = seen.iter().map(|(id, at)| (Id(id.0), at.0)).unzip();
        self.change(sql, &[&ids, &at])?;
        Ok(())
    }

    fn purge_sessions(&self, ended_before: Timestamp, limit: u32) -> Read<u32> {
        let sql = "DELETE FROM sessions WHERE id IN \
                   (SELECT id FROM sessions WHERE ended_at < $1 ORDER BY ended_at, id LIMIT $2)";
        self.change(sql, &[&ended_before.0, &i64::from(limit)])
    }
}

/// A user id as it is kept.
pub(super) fn user(user: Option<&UserId>) -> Option<&[u8]> {
    user.map(|user| user.as_str().as_bytes())
}
