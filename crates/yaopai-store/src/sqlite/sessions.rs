//! Sessions.

use rusqlite::{Connection, Row, params};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{Filter, Stale, StaleAfter, StaleEnded};
use yaopai_core::session::{EndReason, Ended, Other, Session};
use yaopai_core::time::{Timestamp, Uptime};

use super::{lists, rows};
use crate::audited::End;
use crate::rows::{Owned, SessionRows};
use crate::rules::step;

impl SessionRows for Connection {
    fn session(&self, id: SessionId) -> rusqlite::Result<Option<Session>> {
        rows::one(self, rows::sessions!("WHERE s.id = ?1"), [id.0], rows::session)
    }

    fn insert_session(&self, session: &Session) -> rusqlite::Result<()> {
        rows::insert(self, session)
    }

    fn save_session(&self, s: &Session) -> rusqlite::Result<()> {
        self.prepare_cached("UPDATE sessions SET user_id = ?2, vouched_at = ?3, secrets = ?4 WHERE id = ?1")?
            .execute(params![s.id.0, s.user.as_ref().map(UserId::as_str), s.vouched_at.0, rows::secrets(s)?])?;
        Ok(())
    }

    fn end_session(&self, id: SessionId, ended: Ended) -> rusqlite::Result<bool> {
        let sql = "UPDATE sessions SET ended_reason = ?2, ended_at = ?3 WHERE id = ?1 AND ended_at IS NULL";
        Ok(self.prepare_cached(sql)?.execute(params![id.0, ended.reason.as_str(), ended.at.0])? > 0)
    }

    fn end_of(&self, id: SessionId) -> rusqlite::Result<Option<End>> {
        let sql = "SELECT realm, app, identity, user_id, ended_reason FROM sessions WHERE id = ?1";
        let found = rows::one(self, sql, [id.0], |r| {
            let reason = EndReason::parse(r.get_ref(4)?.as_str_or_null()?.unwrap_or_default());
            let (realm, app) = (rows::realm(r, 0)?, AppName::from(r.get_ref(1)?.as_str()?));
            let (identity, user) = (IdentityId(r.get(2)?), rows::user(r, 3)?);
            Ok(reason.map(|reason| End { id, realm, app, identity, user, reason }))
        })?;
        Ok(found.flatten())
    }

    fn others(&self, new: &Session, idle_ms: i64, up: Uptime, now: Timestamp) -> rusqlite::Result<Vec<Other>> {
        const OF_USER: &str = "SELECT s.id, s.device_type IS ?6 FROM identities i CROSS JOIN sessions s \
            WHERE i.realm = ?1 AND i.user_id = ?2 AND i.app = ?3 AND s.identity = i.id AND s.ended_at IS NULL \
            AND s.user_id = ?2 AND s.last_seen > ?4 AND s.absolute_at > ?5";
        const OF_GUEST: &str = "SELECT s.id, s.device_type IS ?4 FROM sessions s WHERE s.identity = ?1 \
            AND s.ended_at IS NULL AND s.user_id IS NULL AND s.last_seen > ?2 AND s.absolute_at > ?3";
        let (seen_after, now, kind) = (up.0.saturating_sub(idle_ms), now.0, &new.device.kind);
        let read = |r: &Row<'_>| Ok(Other { id: SessionId(r.get(0)?), same_type: r.get(1)? });
        match &new.user {
            Some(user) => rows::all(
                self,
                OF_USER,
                params![new.realm.as_str(), user.as_str(), new.app.as_str(), seen_after, now, kind],
                read,
            ),
            None => rows::all(self, OF_GUEST, params![new.identity.0, seen_after, now, kind], read),
        }
    }

    fn live_one(&self, realm: &Realm, id: SessionId) -> rusqlite::Result<Option<Owned>> {
        let sql =
            "SELECT identity, user_id, created_at FROM sessions WHERE id = ?1 AND realm = ?2 AND ended_at IS NULL";
        rows::one(self, sql, params![id.0, realm.as_str()], |r| {
            let (identity, opened_at) = (IdentityId(r.get(0)?), Timestamp(r.get(2)?));
            Ok(Owned { identity, user: rows::user(r, 1)?, opened_at })
        })
    }

    fn live_guests(&self, realm: &Realm, id: IdentityId) -> rusqlite::Result<Vec<SessionId>> {
        let sql = "SELECT id FROM sessions WHERE identity = ?1 AND realm = ?2 AND ended_at IS NULL \
                   AND user_id IS NULL ORDER BY id";
        rows::all(self, sql, params![id.0, realm.as_str()], rows::session_id)
    }

    fn live_opened(&self, realm: &Realm, id: IdentityId, by: Timestamp) -> rusqlite::Result<Vec<SessionId>> {
        let sql = "SELECT id FROM sessions WHERE identity = ?1 AND realm = ?2 AND ended_at IS NULL \
                   AND created_at <= ?3 ORDER BY id";
        rows::all(self, sql, params![id.0, realm.as_str(), by.0], rows::session_id)
    }

    fn live_of_user(&self, realm: &Realm, user: &UserId) -> rusqlite::Result<Vec<SessionId>> {
        let sql = "SELECT s.id FROM identities i CROSS JOIN sessions s WHERE i.realm = ?1 AND i.user_id = ?2 \
                   AND s.identity = i.id AND s.ended_at IS NULL AND s.realm = ?1 AND s.user_id = ?2 ORDER BY s.id";
        rows::all(self, sql, [realm.as_str(), user.as_str()], rows::session_id)
    }

    fn live_of_identity(&self, id: IdentityId) -> rusqlite::Result<Vec<SessionId>> {
        let sql = "SELECT id FROM sessions WHERE identity = ?1 AND ended_at IS NULL ORDER BY id";
        rows::all(self, sql, [id.0], rows::session_id)
    }

    fn bound_of_identity(&self, id: IdentityId) -> rusqlite::Result<Vec<SessionId>> {
        let sql =
            "SELECT id FROM sessions WHERE identity = ?1 AND ended_at IS NULL AND user_id IS NOT NULL ORDER BY id";
        rows::all(self, sql, [id.0], rows::session_id)
    }

    /// It follows the index of live sessions that logins keep up anyway. An index by last use would find the expired ones at
    /// once, but each login, each end and each flush of last uses would have to write it, for rows that a few steps a minute
    /// find as well; and a walk over the sessions themselves would pass a week of ended ones.
    fn stale(&self, stale: &Stale) -> rusqlite::Result<StaleEnded> {
        const SQL: &str = "SELECT identity, id, app, last_seen, absolute_at FROM sessions INDEXED BY sessions_live \
            WHERE ended_at IS NULL AND (identity, id) > (?1, ?2) ORDER BY identity, id LIMIT ?3";
        let (identity, id) = match &stale.after {
            Some((identity, id)) => (rows::after(Some(&identity.0)), rows::after(Some(&id.0))),
            None => (rows::after(None), rows::after(None)),
        };
        let params = params![identity, id, stale.limit];
        let found: Vec<(StaleAfter, Option<EndReason>)> = rows::all(self, SQL, params, |r| {
            let at = (IdentityId(r.get(0)?), SessionId(r.get(1)?));
            let app = AppName::from(r.get_ref(2)?.as_str()?);
            Ok((at, stale.expired(&app, Uptime(r.get(3)?), Timestamp(r.get(4)?))))
        })?;
        Ok(step(stale, found))
    }

    fn renew_key(&self, id: SessionId, version: u32, sealed: &[u8]) -> rusqlite::Result<bool> {
        let sql = "UPDATE sessions SET key_version = ?2, key = ?3 \
                   WHERE id = ?1 AND key_kind = 'wechat' AND key_version < ?2 AND ended_at IS NULL";
        Ok(self.prepare_cached(sql)?.execute(params![id.0, version, sealed])? > 0)
    }

    fn list_sessions(&self, realm: &Realm, filter: &Filter) -> rusqlite::Result<Vec<Session>> {
        lists::sessions(self, realm, filter)
    }

    fn scan(&self, visit: &mut dyn FnMut(Vec<Session>) -> bool) -> rusqlite::Result<()> {
        lists::scan(self, visit)
    }

    fn seen(&self, seen: &[(SessionId, Uptime)]) -> rusqlite::Result<()> {
        let sql = "UPDATE sessions SET last_seen = ?2 WHERE id = ?1 AND last_seen < ?2 AND ended_at IS NULL";
        let mut statement = self.prepare_cached(sql)?;
        for (id, at) in seen {
            statement.execute(params![id.0, at.0])?;
        }
        Ok(())
    }

    fn purge_sessions(&self, ended_before: Timestamp, limit: u32) -> rusqlite::Result<u32> {
        let sql = "SELECT id FROM sessions WHERE ended_at < ?1 ORDER BY ended_at, id LIMIT ?2";
        let ids = rows::all(self, sql, params![ended_before.0, limit], rows::session_id)?;
        for id in &ids {
            self.prepare_cached("DELETE FROM sessions WHERE id = ?1")?.execute([id.0])?;
        }
        Ok(u32::try_from(ids.len()).unwrap_or(u32::MAX))
    }
}
