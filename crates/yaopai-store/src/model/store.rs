//! [`Store`] for the reference engine.

use async_trait::async_trait;
use yaopai_core::audit::Said;
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::*;
use yaopai_core::session::{Claims, EndReason, Session, SessionKey};
use yaopai_core::time::{Downtime, Timestamp, Uptime};
use yaopai_wire::token::SecretHash;

use super::state::State;
use super::{Model, act, bind, codes, import, login};
use crate::audited;
use crate::rules::{self, Write};

#[async_trait]
impl Store for Model {
    async fn resume(&self, now: Timestamp) -> StoreResult<Downtime> {
        Ok(self.run(|state, _| {
            if let Some(alive_at) = state.alive_at {
                state.downtime.0 += (now.0 - alive_at.0).max(0);
            }
            state.alive_at = state.alive_at.max(Some(now));
            state.downtime
        }))
    }

    async fn scan_live(&self, visit: &mut (dyn FnMut(Session) + Send)) -> StoreResult<()> {
        let live: Vec<Session> = {
            let state = self.disk.lock();
            state.live(|_| true).into_iter().filter_map(|id| state.session(id)).collect()
        };
        live.into_iter().for_each(visit);
        Ok(())
    }

    async fn open(&self, open: Open) -> StoreResult<Opened> {
        self.tell(|state, changes| {
            let opened = login::open(state, &open, changes);
            (opened.as_ref().map_or_else(|_| Said::new(), |opened| audited::opened(&open, opened)), opened)
        })
    }

    async fn login(&self, key: &[u8; 32]) -> StoreResult<Option<LoginRecord>> {
        Ok(self.disk.lock().logins.get(key).cloned())
    }

    async fn rotate(&self, rotate: Rotate) -> StoreResult<Rotated> {
        Ok(self.tell(|state, changes| {
            let Some(mut session) = state.session(rotate.id) else { return (Said::new(), Rotated::Unknown) };
            let (write, answer) = rules::rotate(&mut session, &rotate);
            match write {
                Write::Nothing => {}
                Write::Session => {
                    state.sessions.insert(session.id, session.clone());
                    changes.push(Change::Put(Box::new(session)));
                }
                Write::End(ended) => {
                    state.end(session.id, ended.reason, ended.at, changes);
                }
            }
            (Said::new(), answer)
        }))
    }

    async fn step_up(&self, step_up: StepUp) -> StoreResult<Rotated> {
        Ok(self.tell(|state, changes| {
            let Some(mut session) = state.session(step_up.rotate.id) else {
                return (Said::new(), Rotated::Unknown);
            };
            let (write, answer) = rules::step_up(&mut session, &step_up);
            if write == Write::Session {
                if let Some(kept) = state.identities.get_mut(&session.identity) {
                    kept.identity.vouched_at = Some(session.vouched_at);
                    if step_up.session_key.is_some() {
                        kept.session_key.clone_from(&step_up.session_key);
                    }
                }
                state.sessions.insert(session.id, session.clone());
                changes.push(Change::Put(Box::new(session)));
            }
            (audited::stepped_up(&answer, !changes.is_empty()), answer)
        }))
    }

    async fn confirm(&self, id: SessionId, shown: SecretHash, now: Timestamp) -> StoreResult<Option<Session>> {
        Ok(self.run(|state, changes| {
            let mut session = state.session(id)?;
            if rules::confirm(&mut session, &shown, now) {
                state.sessions.insert(id, session.clone());
                changes.push(Change::Put(Box::new(session.clone())));
            }
            Some(session)
        }))
    }

    async fn bind(&self, bind: Bind) -> StoreResult<Rotated> {
        self.tell(|state, changes| {
            let identity = state.sessions.get(&bind.rotate.id).map(|session| session.identity);
            let had = identity.and_then(|id| state.identities.get(&id)).and_then(|kept| kept.identity.user.clone());
            let answer = bind::bind(state, &bind, changes);
            let said = answer.as_ref().map(|answer| audited::bound(&bind, had.as_ref(), answer, !changes.is_empty()));
            (said.unwrap_or_default(), answer)
        })
    }

    async fn end(
        &self,
        realm: &Realm,
        which: &Which,
        reason: EndReason,
        now: Timestamp,
    ) -> StoreResult<Vec<SessionId>> {
        Ok(self.tell(|state, changes| (Said::new(), end(state, realm, which, reason, now, changes))))
    }

    async fn expire(&self, expired: Vec<(SessionId, EndReason)>, now: Timestamp) -> StoreResult<()> {
        self.run(|state, changes| {
            for (id, reason) in expired {
                state.end(id, reason, now, changes);
            }
        });
        Ok(())
    }

    async fn expire_stale(&self, stale: Stale) -> StoreResult<StaleEnded> {
        Ok(self.run(|state, changes| {
            let after = |s: &Session| stale.after.is_none_or(|after| (s.identity, s.id) > after);
            let mut places: Vec<StaleAfter> =
                state.live(|s| after(s)).iter().map(|id| (state.sessions[id].identity, *id)).collect();
            places.sort_unstable();
            let limit = usize::try_from(stale.limit).unwrap_or(usize::MAX);
            let full = places.len() >= limit;
            places.truncate(limit);
            let mut ended = Vec::new();
            for (_, id) in &places {
                let session = &state.sessions[id];
                if let Some(reason) = stale.expired(&session.app, session.last_seen, session.absolute_at) {
                    state.end(*id, reason, stale.now, changes);
                    ended.push((*id, reason));
                }
            }
            StaleEnded { ended, next: places.last().copied().filter(|_| full) }
        }))
    }

    async fn load(&self, id: SessionId) -> StoreResult<Option<Session>> {
        Ok(self.disk.lock().session(id))
    }

    async fn list(&self, realm: &Realm, filter: &Filter) -> StoreResult<Vec<Session>> {
        let state = self.disk.lock();
        let ids = state.live(|s| {
            s.realm == *realm
                && filter.subject.as_ref().is_none_or(|f| rules::owns(f, s.identity, s.user.as_ref()))
                && filter.app.as_ref().is_none_or(|app| s.app == *app)
                && filter.after.is_none_or(|after| s.id > after)
        });
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        Ok(ids.into_iter().take(limit).filter_map(|id| state.session(id)).collect())
    }

    async fn touched(&self, seen: Vec<(SessionId, Uptime)>, alive_at: Timestamp) -> StoreResult<()> {
        self.run(|state, _| {
            for (id, at) in seen {
                if let Some(session) = state.sessions.get_mut(&id).filter(|s| s.ended.is_none()) {
                    session.last_seen = session.last_seen.max(at);
                }
            }
            state.alive_at = state.alive_at.max(Some(alive_at));
        });
        Ok(())
    }

    async fn purge(&self, now: Timestamp, ended_before: Timestamp, limit: u32) -> StoreResult<u64> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.run(|state, _| {
            let mut logins: Vec<_> =
                state.logins.values().filter(|l| l.expires_at <= now).map(|l| (l.expires_at, l.key)).collect();
            logins.sort_unstable();
            logins.truncate(limit);
            let mut sessions: Vec<_> = state
                .sessions
                .values()
                .filter_map(|s| s.ended.filter(|e| e.at < ended_before).map(|e| (e.at, s.id)))
                .collect();
            sessions.sort_unstable();
            sessions.truncate(limit);
            for (_, key) in &logins {
                state.logins.remove(key);
            }
            for (_, id) in &sessions {
                state.sessions.remove(id);
            }
            let codes = codes::purge(state, now, limit);
            let answers = act::purge(state, now, limit);
            (logins.len() + codes + sessions.len() + answers) as u64
        }))
    }

    async fn identity(&self, app: &AppName, openid: &str) -> StoreResult<Option<Identity>> {
        let state = self.disk.lock();
        let id = state.by_openid.get(&(app.clone(), openid.to_owned()));
        Ok(id.and_then(|id| state.identities.get(id)).map(|kept| kept.identity.clone()))
    }

    async fn session_key(&self, identity: IdentityId) -> StoreResult<Option<Vec<u8>>> {
        Ok(self.disk.lock().identities.get(&identity).and_then(|kept| kept.session_key.clone()))
    }

    async fn bind_identity(
        &self,
        realm: &Realm,
        identity: IdentityId,
        user: UserFound,
        terms: &BindTerms,
    ) -> StoreResult<BindEnd> {
        Ok(self.tell(|state, changes| act::bind(state, realm, identity, &user, terms, changes)))
    }

    async fn bind_read(&self, session: SessionId) -> StoreResult<()> {
        self.run(|state, changes| {
            if let Some(mut session) = state.session(session)
                && rules::bind_read(&mut session)
            {
                state.sessions.insert(session.id, session.clone());
                changes.push(Change::Put(Box::new(session)));
            }
        });
        Ok(())
    }

    async fn import_bindings(&self, piece: ImportPiece) -> StoreResult<Vec<ImportOutcome>> {
        self.tell(|state, changes| (Said::new(), import::bring_in(state, &piece, changes)))
    }

    async fn import_mark(&self, file: &FileHash) -> StoreResult<Option<ImportMark>> {
        Ok(self.disk.lock().imports.get(file).cloned())
    }

    async fn end_import(&self, file: &FileHash) -> StoreResult<()> {
        self.run(|state, _| state.imports.remove(file));
        Ok(())
    }

    async fn unbind_identity(
        &self,
        realm: &Realm,
        identity: IdentityId,
        from: Option<&UserId>,
        now: Timestamp,
    ) -> StoreResult<bool> {
        Ok(self.tell(|state, changes| act::unbind(state, realm, identity, from, now, changes)))
    }

    async fn keep_bind_code(&self, code: BindCode) -> StoreResult<()> {
        self.tell(|state, _| act::keep_code(state, &code));
        Ok(())
    }

    async fn preview(&self, code: &BindCodeHash, session: SessionId, now: Timestamp) -> StoreResult<Option<BindCode>> {
        Ok(self.run(|state, _| codes::preview(state, code, session, now)))
    }

    async fn bind_code(&self, code: &BindCodeHash) -> StoreResult<Option<BindCode>> {
        Ok(self.disk.lock().bind_codes.get(code).cloned())
    }

    async fn act(&self, act: Act) -> StoreResult<Acted> {
        self.tell(|state, changes| match act::act(state, &act, changes) {
            Ok((said, acted)) => (said, Ok(acted)),
            Err(e) => (Said::new(), Err(e)),
        })
    }

    async fn kept_answer(&self, key: &[u8; 32], now: Timestamp) -> StoreResult<Option<KeptAnswer>> {
        Ok(act::kept(&self.disk.lock(), key, now))
    }

    async fn users(&self, realm: &Realm, after: Option<&UserId>, limit: u32) -> StoreResult<Vec<KnownUser>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(act::users(&self.disk.lock(), realm, after, limit))
    }

    async fn user(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<KnownUser>> {
        Ok(act::known(&self.disk.lock(), realm, user))
    }

    async fn identity_by_id(&self, realm: &Realm, id: IdentityId) -> StoreResult<Option<Identity>> {
        let state = self.disk.lock();
        Ok(state.identities.get(&id).map(|kept| kept.identity.clone()).filter(|i| i.realm == *realm))
    }

    async fn bindings(&self, realm: &Realm, filter: &BindingFilter) -> StoreResult<Vec<Identity>> {
        let wanted = |i: &&Identity| {
            i.realm == *realm
                && (filter.unbound_too || i.user.is_some())
                && filter.unionid.as_ref().is_none_or(|unionid| i.unionid.as_ref() == Some(unionid))
                && filter.user.as_ref().is_none_or(|user| i.user.as_ref() == Some(user))
                && filter.app.as_ref().is_none_or(|app| i.app == *app)
                && filter.openid.as_ref().is_none_or(|openid| i.openid == *openid)
                && filter.after.is_none_or(|after| i.id > after)
        };
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let state = self.disk.lock();
        Ok(state.identities.values().map(|k| &k.identity).filter(wanted).take(limit).cloned().collect())
    }

    async fn set_claims(
        &self,
        realm: &Realm,
        user: &UserId,
        claims: Option<Claims>,
        _now: Timestamp,
    ) -> StoreResult<()> {
        self.tell(|state, changes| act::set_claims(state, realm, user, claims.as_ref(), changes));
        Ok(())
    }

    async fn claims(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<Claims>> {
        Ok(self.disk.lock().claims_of(realm, user))
    }

    async fn set_disabled(&self, realm: &Realm, user: &UserId, at: Option<Timestamp>) -> StoreResult<Vec<SessionId>> {
        Ok(self.tell(|state, changes| act::set_disabled(state, realm, user, at, changes)))
    }

    async fn disabled_at(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<Timestamp>> {
        Ok(self.disk.lock().disabled_at(realm, user))
    }

    async fn renew_key(&self, session: SessionId, version: u32, sealed: Vec<u8>) -> StoreResult<Option<Session>> {
        Ok(self.run(|state, changes| {
            let kept = state.sessions.get_mut(&session).filter(|s| s.ended.is_none())?;
            match &mut kept.key {
                SessionKey::WeChat { newest, sealed: keys } if *newest < version => {
                    (*newest, *keys) = (version, sealed.clone());
                }
                _ => return None,
            }
            state.put([session], changes);
            state.session(session)
        }))
    }

    async fn lease_proofs(&self, until: Timestamp) -> StoreResult<()> {
        self.run(|state, _| state.proofs.leased_until = state.proofs.leased_until.max(Some(until)));
        Ok(())
    }

    async fn take_proofs(&self) -> StoreResult<PastProofs> {
        Ok(self.run(|state, _| {
            let past = state.proofs.clone();
            state.proofs.saved = None;
            past
        }))
    }

    async fn keep_proofs(&self, sealed: Vec<u8>) -> StoreResult<()> {
        self.run(|state, _| state.proofs.saved = Some(sealed.clone()));
        Ok(())
    }

    async fn data_keys(&self) -> StoreResult<Vec<DataKey>> {
        Ok(self.disk.lock().data_keys.values().cloned().collect())
    }

    async fn add_data_key(&self, key: DataKey) -> StoreResult<bool> {
        Ok(self.run(|state, _| match state.data_keys.entry(key.id) {
            std::collections::btree_map::Entry::Occupied(_) => false,
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(key);
                true
            }
        }))
    }

    async fn reserve_seals(&self, key: u32, count: u64) -> StoreResult<u64> {
        self.run(|state, _| {
            let key = state.data_keys.get_mut(&key).ok_or_else(|| rules::refuse("no such data key"))?;
            key.reserved = key.reserved.saturating_add(count).min(i64::MAX.unsigned_abs());
            Ok(key.reserved)
        })
    }
}

/// Ends those named. Answers which.
pub(super) fn end(
    state: &mut State,
    realm: &Realm,
    which: &Which,
    reason: EndReason,
    now: Timestamp,
    changes: &mut Vec<Change>,
) -> Vec<SessionId> {
    let ids = state.live(|s| s.realm == *realm && rules::named(which, s.id, s.identity, s.user.as_ref(), s.created_at));
    for id in &ids {
        state.end(*id, reason, now, changes);
    }
    ids
}
