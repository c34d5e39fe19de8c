//! [`Store`] for the embedded engine: each method hands its command to the writer or its query to a reader.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use yaopai_core::audit::{By, Checkpoint, Head, Noted, Said, Scribe};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::*;
use yaopai_core::session::{Claims, EndReason, Session};
use yaopai_core::time::{Downtime, Timestamp, Uptime};
use yaopai_wire::token::SecretHash;

use super::lane::closed;
use super::writer::{Done, Work};
use super::{
    Sqlite, act, audit, bind, codes, identities, import, jar, login, proofs, rows, sessions, stale, stepup, upkeep,
    users,
};
use crate::audited;

/// How many rows a sweep changes in one command, so that logins pass between two of them.
const CHUNK: usize = 256;
const CHUNK_U32: u32 = 256;

#[async_trait]
impl Store for Sqlite {
    async fn resume(&self, now: Timestamp) -> StoreResult<Downtime> {
        self.write(move |work| upkeep::resume(work, now)).await
    }

    async fn scan_live(&self, visit: &mut (dyn FnMut(Session) + Send)) -> StoreResult<()> {
        let (to, mut some) = mpsc::channel(4);
        let done = self.start_read(move |db| sessions::scan(db, &to))?;
        while let Some(some) = some.recv().await {
            some.into_iter().for_each(&mut *visit);
        }
        done.await.unwrap_or_else(|_| Err(closed()))
    }

    async fn open(&self, open: Open) -> StoreResult<Opened> {
        self.tell(move |work| {
            let opened = login::open(work, &open)?;
            Ok((audited::opened(&open, &opened), opened))
        })
        .await
    }

    async fn login(&self, key: &[u8; 32]) -> StoreResult<Option<LoginRecord>> {
        let key = *key;
        self.read(move |db| login::record(db, &key)).await
    }

    async fn rotate(&self, rotate: Rotate) -> StoreResult<Rotated> {
        self.tell(move |work| Ok((Said::new(), sessions::rotate(work, &rotate)?))).await
    }

    async fn step_up(&self, step_up: StepUp) -> StoreResult<Rotated> {
        self.tell(move |work| {
            let before = work.changes.len();
            let answer = stepup::step_up(work, &step_up)?;
            Ok((audited::stepped_up(&answer, work.changes.len() > before), answer))
        })
        .await
    }

    async fn confirm(&self, id: SessionId, shown: SecretHash, now: Timestamp) -> StoreResult<Option<Session>> {
        self.write(move |work| sessions::confirm(work, id, &shown, now)).await
    }

    async fn bind(&self, bind: Bind) -> StoreResult<Rotated> {
        self.tell(move |work| {
            let (before, had) = (work.changes.len(), bind::user_of(work.db, bind.rotate.id)?);
            let answer = bind::bind(work, &bind)?;
            Ok((audited::bound(&bind, had.as_ref(), &answer, work.changes.len() > before), answer))
        })
        .await
    }

    async fn end(
        &self,
        realm: &Realm,
        which: &Which,
        reason: EndReason,
        now: Timestamp,
    ) -> StoreResult<Vec<SessionId>> {
        let (realm, which) = (realm.clone(), which.clone());
        self.tell(move |work| Ok((Said::new(), sessions::end(work, &realm, &which, reason, now)?))).await
    }

    async fn expire(&self, expired: Vec<(SessionId, EndReason)>, now: Timestamp) -> StoreResult<()> {
        for some in expired.chunks(CHUNK) {
            let some = some.to_vec();
            self.write(move |work| sessions::expire(work, &some, now)).await?;
        }
        Ok(())
    }

    async fn expire_stale(&self, stale: Stale) -> StoreResult<StaleEnded> {
        let look = stale.clone();
        let step = self.read(move |db| stale::find(db, &look)).await?;
        if step.ended.is_empty() {
            return Ok(step);
        }
        self.write(move |work| stale::end(work, &stale)).await
    }

    async fn load(&self, id: SessionId) -> StoreResult<Option<Session>> {
        self.read(move |db| rows::load(db, id)).await
    }

    async fn list(&self, realm: &Realm, filter: &Filter) -> StoreResult<Vec<Session>> {
        let (realm, filter) = (realm.clone(), filter.clone());
        if filter.subject.is_some() {
            return self.read(move |db| sessions::list(db, &realm, &filter)).await;
        }
        self.long_read(move |db| sessions::list(db, &realm, &filter)).await
    }

    async fn touched(&self, seen: Vec<(SessionId, Uptime)>, alive_at: Timestamp) -> StoreResult<()> {
        for some in seen.chunks(CHUNK) {
            let some = some.to_vec();
            self.write(move |work| upkeep::seen(work, &some)).await?;
        }
        // Last: if we crash on the way, the time since the flush before counts as downtime, and nobody expires early.
        self.write(move |work| upkeep::alive(work, alive_at)).await
    }

    async fn purge(&self, now: Timestamp, ended_before: Timestamp, limit: u32) -> StoreResult<u64> {
        let logins = self.by_chunks(limit, move |work, some| upkeep::purge_logins(work, now, some)).await?;
        let codes = self.by_chunks(limit, move |work, some| codes::purge(work, now, some)).await?;
        let sessions =
            self.by_chunks(limit, move |work, some| upkeep::purge_sessions(work, ended_before, some)).await?;
        let answers = self.by_chunks(limit, move |work, some| act::purge(work, now, some)).await?;
        Ok(logins + codes + sessions + answers)
    }

    async fn identity(&self, app: &AppName, openid: &str) -> StoreResult<Option<Identity>> {
        let (app, openid) = (app.clone(), openid.to_owned());
        self.read(move |db| bind::by_openid(db, &app, &openid)).await
    }

    async fn session_key(&self, identity: IdentityId) -> StoreResult<Option<Vec<u8>>> {
        self.read(move |db| stepup::session_key(db, identity)).await
    }

    async fn bind_identity(
        &self,
        realm: &Realm,
        identity: IdentityId,
        user: UserFound,
        terms: &BindTerms,
    ) -> StoreResult<BindEnd> {
        let (realm, terms) = (realm.clone(), terms.clone());
        self.tell(move |work| act::bind(work, &realm, identity, &user, &terms)).await
    }

    async fn bind_read(&self, session: SessionId) -> StoreResult<()> {
        self.write(move |work| sessions::bind_read(work, session)).await
    }

    async fn import_bindings(&self, piece: ImportPiece) -> StoreResult<Vec<ImportOutcome>> {
        // A file is one event: only the sessions that end by it are told one by one.
        self.tell(move |work| Ok((Said::new(), import::bring_in(work, &piece)?))).await
    }

    async fn import_mark(&self, file: &FileHash) -> StoreResult<Option<ImportMark>> {
        let file = *file;
        self.read(move |db| import::mark(db, &file)).await
    }

    async fn end_import(&self, file: &FileHash) -> StoreResult<()> {
        let file = *file;
        self.write(move |work| import::end(work, &file)).await
    }

    async fn unbind_identity(
        &self,
        realm: &Realm,
        identity: IdentityId,
        from: Option<&UserId>,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let (realm, from) = (realm.clone(), from.cloned());
        self.tell(move |work| act::unbind(work, &realm, identity, from.as_ref(), now)).await
    }

    async fn keep_bind_code(&self, code: BindCode) -> StoreResult<()> {
        self.tell(move |work| act::keep_code(work, &code)).await
    }

    async fn preview(&self, code: &BindCodeHash, session: SessionId, now: Timestamp) -> StoreResult<Option<BindCode>> {
        let code = *code;
        self.write(move |work| codes::preview(work, &code, session, now)).await
    }

    async fn bind_code(&self, code: &BindCodeHash) -> StoreResult<Option<BindCode>> {
        let code = *code;
        self.read(move |db| codes::find(db, &code)).await
    }

    async fn act(&self, act: Act) -> StoreResult<Acted> {
        self.tell(move |work| act::act(work, &act)).await
    }

    async fn kept_answer(&self, key: &[u8; 32], now: Timestamp) -> StoreResult<Option<KeptAnswer>> {
        let key = *key;
        self.read(move |db| act::kept(db, &key, now)).await
    }

    async fn users(&self, realm: &Realm, after: Option<&UserId>, limit: u32) -> StoreResult<Vec<KnownUser>> {
        let (realm, after) = (realm.clone(), after.cloned());
        self.long_read(move |db| users::list(db, &realm, after.as_ref(), limit)).await
    }

    async fn user(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<KnownUser>> {
        let (realm, user) = (realm.clone(), user.clone());
        self.read(move |db| users::one(db, &realm, &user)).await
    }

    async fn identity_by_id(&self, realm: &Realm, id: IdentityId) -> StoreResult<Option<Identity>> {
        let realm = realm.clone();
        self.read(move |db| bind::by_id(db, &realm, id)).await
    }

    async fn bindings(&self, realm: &Realm, filter: &BindingFilter) -> StoreResult<Vec<Identity>> {
        let (realm, filter) = (realm.clone(), filter.clone());
        if filter.user.is_some() || filter.openid.is_some() || filter.unionid.is_some() {
            return self.read(move |db| identities::list(db, &realm, &filter)).await;
        }
        self.long_read(move |db| identities::list(db, &realm, &filter)).await
    }

    async fn set_claims(
        &self,
        realm: &Realm,
        user: &UserId,
        claims: Option<Claims>,
        _now: Timestamp,
    ) -> StoreResult<()> {
        let (realm, user) = (realm.clone(), user.clone());
        self.tell(move |work| act::set_claims(work, &realm, &user, claims.as_ref())).await
    }

    async fn claims(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<Claims>> {
        let (realm, user) = (realm.clone(), user.clone());
        self.read(move |db| bind::claims(db, &realm, &user)).await
    }

    async fn set_disabled(&self, realm: &Realm, user: &UserId, at: Option<Timestamp>) -> StoreResult<Vec<SessionId>> {
        let (realm, user) = (realm.clone(), user.clone());
        self.tell(move |work| act::set_disabled(work, &realm, &user, at)).await
    }

    async fn disabled_at(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<Timestamp>> {
        let (realm, user) = (realm.clone(), user.clone());
        self.read(move |db| bind::disabled_at(db, &realm, &user)).await
    }

    async fn renew_key(&self, session: SessionId, version: u32, sealed: Vec<u8>) -> StoreResult<Option<Session>> {
        self.write(move |work| proofs::renew_key(work, session, version, &sealed)).await
    }

    async fn lease_proofs(&self, until: Timestamp) -> StoreResult<()> {
        self.write(move |work| proofs::lease(work, until)).await
    }

    async fn take_proofs(&self) -> StoreResult<PastProofs> {
        self.write(proofs::take).await
    }

    async fn keep_proofs(&self, sealed: Vec<u8>) -> StoreResult<()> {
        self.write(move |work| proofs::keep(work, &sealed)).await
    }

    async fn data_keys(&self) -> StoreResult<Vec<DataKey>> {
        self.read(upkeep::data_keys).await
    }

    async fn add_data_key(&self, key: DataKey) -> StoreResult<bool> {
        self.write(move |work| upkeep::add_data_key(work, &key)).await
    }

    async fn reserve_seals(&self, key: u32, count: u64) -> StoreResult<u64> {
        self.write(move |work| upkeep::reserve_seals(work, key, count)).await
    }
}

#[async_trait]
impl JarStore for Sqlite {
    async fn jar(&self, session: SessionId) -> StoreResult<Jar> {
        self.read(move |db| jar::read(db, session)).await
    }

    async fn jar_version(&self, session: SessionId) -> StoreResult<Option<u64>> {
        self.read(move |db| jar::version(db, session)).await
    }

    async fn put_cookies(&self, change: JarChange) -> StoreResult<Option<u64>> {
        self.write(move |work| jar::put(work, &change)).await
    }
}

#[async_trait]
impl AuditStore for Sqlite {
    fn begin_audit(&self, scribe: Arc<Scribe>) {
        // A second one is the same master key's: nothing changes.
        let _ = self.scribe.set(scribe);
    }

    async fn note(&self, noted: Vec<Noted>) -> StoreResult<()> {
        self.write(move |work| audit::note(work, &noted)).await
    }

    async fn audit_head(&self) -> StoreResult<Option<Head>> {
        let Some(scribe) = self.scribe.get().cloned() else { return Ok(None) };
        self.read(move |db| Ok(Some(audit::head(db)?.unwrap_or_else(|| scribe.genesis())))).await
    }

    async fn audit_rows(&self, realm: Option<&Realm>, after: u64, limit: u32) -> StoreResult<Vec<AuditRow>> {
        let realm = realm.cloned();
        self.long_read(move |db| audit::list(db, realm.as_ref(), after, limit)).await
    }

    async fn audit_checkpoint(&self) -> StoreResult<Option<Checkpoint>> {
        self.read(audit::checkpoint).await
    }

    async fn purge_audit(&self, before: Timestamp, limit: u32) -> StoreResult<u64> {
        self.by_chunks(limit, move |work, some| audit::purge(work, before, some)).await
    }

    async fn erase(&self, whose: Erase) -> StoreResult<u64> {
        let by = By::current();
        self.write(move |work| audit::erase(work, &by, &whose)).await
    }
}

impl Sqlite {
    /// Deletes up to `limit` rows, some in a command, until there are fewer. Answers how many.
    async fn by_chunks<F>(&self, limit: u32, delete: F) -> StoreResult<u64>
    where
        F: Fn(&mut Work<'_>, u32) -> Done<u32> + Clone + Send + 'static,
    {
        let mut gone = 0;
        while gone < limit {
            let (some, delete) = ((limit - gone).min(CHUNK_U32), delete.clone());
            let n = self.write(move |work| delete(work, some)).await?;
            gone += n;
            if n < some {
                break;
            }
        }
        Ok(u64::from(gone))
    }
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
