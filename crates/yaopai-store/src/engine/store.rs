//! [`Store`] for every engine that keeps rows: each method hands its command to the writer or its query to a reader.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use yaopai_core::audit::{By, Checkpoint, Head, Noted, Said, Scribe};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::moving::{AppMove, MoveFor, Why};
use yaopai_core::ports::*;
use yaopai_core::session::{Claims, EndReason, Session};
use yaopai_core::time::{Downtime, Timestamp, Uptime};
use yaopai_wire::token::SecretHash;

use super::Engine;
use super::lane::closed;
use crate::audited;
use crate::commands::{act, audit, bind, codes, import, jar, login, moving, sessions, signing, upkeep};
use crate::rows::Rows;

/// How many rows a sweep changes in one command, so that logins pass between two of them.
const CHUNK: usize = 256;

#[async_trait]
impl<R: Rows + 'static> Store for Engine<R> {
    async fn resume(&self, now: Timestamp) -> StoreResult<Downtime> {
        self.write(move |work| Ok(work.db.resume(now)?)).await
    }

    async fn scan_live(&self, visit: &mut (dyn FnMut(Session) + Send)) -> StoreResult<()> {
        let (to, mut some) = mpsc::channel(4);
        let done = self.start_read(move |db| db.scan(&mut |some| to.blocking_send(some).is_ok()))?;
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
        self.read(move |db| db.login_record(&key)).await
    }

    async fn rotate(&self, rotate: Rotate) -> StoreResult<Rotated> {
        self.tell(move |work| Ok((Said::new(), sessions::rotate(work, &rotate)?))).await
    }

    async fn step_up(&self, step_up: StepUp) -> StoreResult<Rotated> {
        self.tell(move |work| {
            let before = work.changes.len();
            let answer = sessions::step_up(work, &step_up)?;
            Ok((audited::stepped_up(&answer, work.changes.len() > before), answer))
        })
        .await
    }

    async fn confirm(&self, id: SessionId, shown: SecretHash, now: Timestamp) -> StoreResult<Option<Session>> {
        self.write(move |work| sessions::confirm(work, id, &shown, now)).await
    }

    async fn bind(&self, bind: Bind) -> StoreResult<Rotated> {
        self.tell(move |work| {
            let (before, had) = (work.changes.len(), work.db.user_of(bind.rotate.id)?);
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
        let step = self.read(move |db| db.stale(&look)).await?;
        if step.ended.is_empty() {
            return Ok(step);
        }
        self.write(move |work| sessions::end_stale(work, &stale)).await
    }

    async fn load(&self, id: SessionId) -> StoreResult<Option<Session>> {
        self.read(move |db| db.session(id)).await
    }

    async fn list(&self, realm: &Realm, filter: &Filter) -> StoreResult<Vec<Session>> {
        let (realm, filter) = (realm.clone(), filter.clone());
        if filter.subject.is_some() {
            return self.read(move |db| db.list_sessions(&realm, &filter)).await;
        }
        self.long_read(move |db| db.list_sessions(&realm, &filter)).await
    }

    async fn touched(&self, seen: Vec<(SessionId, Uptime)>, alive_at: Timestamp) -> StoreResult<()> {
        for some in seen.chunks(CHUNK) {
            let some = some.to_vec();
            self.write(move |work| Ok(work.db.seen(&some)?)).await?;
        }
        // Last: if we crash on the way, the time since the flush before counts as downtime, and nobody expires early.
        self.write(move |work| Ok(work.db.alive(alive_at)?)).await
    }

    async fn purge(&self, now: Timestamp, ended_before: Timestamp, limit: u32) -> StoreResult<u64> {
        let logins = self.by_chunks(limit, move |work, some| Ok(work.db.purge_logins(now, some)?)).await?;
        let codes = self.by_chunks(limit, move |work, some| Ok(work.db.purge_codes(now, some)?)).await?;
        let sessions = self.by_chunks(limit, move |work, some| Ok(work.db.purge_sessions(ended_before, some)?)).await?;
        let answers = self.by_chunks(limit, move |work, some| Ok(work.db.purge_answers(now, some)?)).await?;
        self.by_chunks(limit, move |work, some| Ok(work.db.tidy(some)?)).await?;
        Ok(logins + codes + sessions + answers)
    }

    async fn identity(&self, app: &AppName, openid: &str) -> StoreResult<Option<Identity>> {
        let (app, openid) = (app.clone(), openid.to_owned());
        self.read(move |db| db.identity_by_openid(&app, &openid)).await
    }

    async fn session_key(&self, identity: IdentityId) -> StoreResult<Option<Vec<u8>>> {
        self.read(move |db| db.session_key(identity)).await
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
        self.read(move |db| db.import_mark(&file)).await
    }

    async fn end_import(&self, file: &FileHash) -> StoreResult<()> {
        let file = *file;
        self.write(move |work| Ok(work.db.end_import(&file)?)).await
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
        self.read(move |db| db.code(&code)).await
    }

    async fn act(&self, act: Act) -> StoreResult<Acted> {
        self.tell(move |work| act::act(work, &act)).await
    }

    async fn kept_answer(&self, key: &[u8; 32], now: Timestamp) -> StoreResult<Option<KeptAnswer>> {
        let key = *key;
        self.read(move |db| db.kept(&key, now)).await
    }

    async fn users(&self, realm: &Realm, after: Option<&UserId>, limit: u32) -> StoreResult<Vec<KnownUser>> {
        let (realm, after) = (realm.clone(), after.cloned());
        self.long_read(move |db| db.list_users(&realm, after.as_ref(), limit)).await
    }

    async fn user(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<KnownUser>> {
        let (realm, user) = (realm.clone(), user.clone());
        self.read(move |db| db.known_user(&realm, &user)).await
    }

    async fn identity_by_id(&self, realm: &Realm, id: IdentityId) -> StoreResult<Option<Identity>> {
        let realm = realm.clone();
        self.read(move |db| db.identity_by_id(&realm, id)).await
    }

    async fn bindings(&self, realm: &Realm, filter: &BindingFilter) -> StoreResult<Vec<Identity>> {
        let (realm, filter) = (realm.clone(), filter.clone());
        if filter.user.is_some() || filter.openid.is_some() || filter.unionid.is_some() {
            return self.read(move |db| db.list_identities(&realm, &filter)).await;
        }
        self.long_read(move |db| db.list_identities(&realm, &filter)).await
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
        self.read(move |db| db.claims(&realm, &user)).await
    }

    async fn set_disabled(&self, realm: &Realm, user: &UserId, at: Option<Timestamp>) -> StoreResult<Vec<SessionId>> {
        let (realm, user) = (realm.clone(), user.clone());
        self.tell(move |work| act::set_disabled(work, &realm, &user, at)).await
    }

    async fn disabled_at(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<Timestamp>> {
        let (realm, user) = (realm.clone(), user.clone());
        self.read(move |db| db.disabled_at(&realm, &user)).await
    }

    async fn renew_key(&self, session: SessionId, version: u32, sealed: Vec<u8>) -> StoreResult<Option<Session>> {
        self.write(move |work| sessions::renew_key(work, session, version, &sealed)).await
    }

    async fn lease_proofs(&self, until: Timestamp) -> StoreResult<()> {
        self.write(move |work| upkeep::lease(work, until)).await
    }

    async fn take_proofs(&self) -> StoreResult<PastProofs> {
        self.write(|work| Ok(work.db.take_proofs()?)).await
    }

    async fn keep_proofs(&self, sealed: Vec<u8>) -> StoreResult<()> {
        self.write(move |work| Ok(work.db.keep_proofs(&sealed)?)).await
    }

    async fn data_keys(&self) -> StoreResult<Vec<DataKey>> {
        self.read(|db| db.data_keys()).await
    }

    async fn add_data_key(&self, key: DataKey) -> StoreResult<bool> {
        self.write(move |work| Ok(work.db.add_data_key(&key)?)).await
    }

    async fn reserve_seals(&self, key: u32, count: u64) -> StoreResult<u64> {
        self.write(move |work| upkeep::reserve_seals(work, key, count)).await
    }
}

#[async_trait]
impl<R: Rows + 'static> JarStore for Engine<R> {
    async fn jar(&self, session: SessionId) -> StoreResult<Jar> {
        self.read(move |db| db.jar(session)).await
    }

    async fn jar_version(&self, session: SessionId) -> StoreResult<Option<u64>> {
        self.read(move |db| Ok(db.jar_head(session)?.map(|(version, _)| version))).await
    }

    async fn put_cookies(&self, change: JarChange) -> StoreResult<Option<u64>> {
        self.write(move |work| jar::put(work, &change)).await
    }
}

#[async_trait]
impl<R: Rows + 'static> AuditStore for Engine<R> {
    fn begin_audit(&self, scribe: Arc<Scribe>) {
        // A second one is the same master key's: nothing changes.
        let _ = self.scribe.set(scribe);
    }

    async fn note(&self, noted: Vec<Noted>) -> StoreResult<()> {
        self.write(move |work| audit::note(work, &noted)).await
    }

    async fn audit_head(&self) -> StoreResult<Option<Head>> {
        let Some(scribe) = self.scribe.get().cloned() else { return Ok(None) };
        self.read(move |db| Ok(Some(db.audit_head()?.unwrap_or_else(|| scribe.genesis())))).await
    }

    async fn audit_rows(&self, realm: Option<&Realm>, after: u64, limit: u32) -> StoreResult<Vec<AuditRow>> {
        let realm = realm.cloned();
        self.long_read(move |db| db.list_audit(db.own_chain(), realm.as_ref(), after, limit)).await
    }

    async fn audit_checkpoint(&self) -> StoreResult<Option<Checkpoint>> {
        self.read(|db| db.audit_checkpoint(db.own_chain())).await
    }

    async fn purge_audit(&self, before: Timestamp, limit: u32) -> StoreResult<u64> {
        self.purge_old_audit(before, limit).await
    }

    async fn erase(&self, whose: Erase) -> StoreResult<u64> {
        let by = By::current();
        self.write(move |work| audit::erase(work, &by, &whose)).await
    }
}

#[async_trait]
impl<R: Rows + 'static> SigningStore for Engine<R> {
    async fn signing_keys(&self) -> StoreResult<Vec<SigningKey>> {
        self.read(|db| db.signing_keys()).await
    }

    async fn add_signing_key(&self, key: SigningKey, after: Option<&str>) -> StoreResult<bool> {
        let next = NextKey { key, after: after.map(str::to_owned) };
        self.write(move |work| signing::add(work, &next)).await
    }

    async fn drop_signing_keys(&self, kids: Vec<String>) -> StoreResult<()> {
        self.write(move |work| Ok(work.db.drop_signing_keys(&kids)?)).await
    }
}

#[async_trait]
impl<R: Rows + 'static> MoveStore for Engine<R> {
    async fn app_move(&self, realm: &Realm, app: &AppName) -> StoreResult<Option<AppMove>> {
        let (realm, app) = (realm.clone(), app.clone());
        self.read(move |db| db.app_move(&realm, &app)).await
    }

    async fn move_for(
        &self,
        realm: &Realm,
        app: &AppName,
        openid: &str,
        named: Option<&UserId>,
    ) -> StoreResult<Option<MoveFor>> {
        let (realm, app, openid, named) = (realm.clone(), app.clone(), openid.to_owned(), named.cloned());
        self.read(move |db| moving::of_person(db, &realm, &app, &openid, named.as_ref())).await
    }

    async fn leave(&self, session: SessionId, now: Timestamp) -> StoreResult<Option<Why>> {
        self.tell(move |work| moving::leave(work, session, now)).await
    }
}
